"""Vocabulary: time, systems, satellites, signals."""
