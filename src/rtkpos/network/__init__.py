"""Many reference stations: integers between them, one field of corrections, a base anywhere."""
