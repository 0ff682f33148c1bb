"""A run over files: the epoch loop and its set-up; no formulae."""
