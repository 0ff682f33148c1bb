"""Prepare: pair rover and base epochs, choose signals and satellites, find slips."""
