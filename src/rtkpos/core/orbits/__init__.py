"""Satellite positions and clocks from broadcast and precise ephemerides, compiled."""
