"""The program: commands and options, exit codes, screen and progress."""
