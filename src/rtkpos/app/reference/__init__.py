"""What is printed of the table of commands: completion, manual page, pages of the documentation."""
