"""Satellites: constellation, orbits, ephemerides, signals."""
