"""The filter of a baseline: differences, states, updates, static mean."""
