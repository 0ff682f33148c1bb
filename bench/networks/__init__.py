"""Networks of stations on real recordings, and their tables."""
