"""Faults put into recordings."""
