"""Corrections of a network: filter, stations, field, uncertainty."""
