"""Precise orbits and antenna calibrations: SP3, ANTEX."""
