"""RINEX observations and navigation, CRINEX: read and written."""
