"""Linear algebra of small systems, compiled."""
