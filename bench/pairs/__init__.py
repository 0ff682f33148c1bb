"""Statistics of pairs of receivers at known places."""
