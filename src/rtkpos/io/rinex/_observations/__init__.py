"""Observation files: epochs, lines, fields, columns, merged files."""
