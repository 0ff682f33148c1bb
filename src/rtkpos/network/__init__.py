"""Many stations: what they say about the atmosphere between them, and about each other."""
