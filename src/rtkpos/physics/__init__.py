"""Models for arrays: check units and ranges, call core, return named results."""
