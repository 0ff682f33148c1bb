"""Scenarios: sections of a file, checked; stations and country."""
