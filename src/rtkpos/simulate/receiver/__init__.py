"""Receivers: clocks, noise, tracking, trajectories."""
