"""Talk to people: command line, report, plots, progress; the only room that prints."""
