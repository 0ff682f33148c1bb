"""A run: the epoch loop and its set-up; no formulae."""
