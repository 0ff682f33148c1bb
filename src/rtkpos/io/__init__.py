"""Doors: file or frame <-> record, one file per format."""
