"""Interpolation between stations: kriging, planes, variograms."""
