"""Integers of a network: baselines, closure, confirmation, transfer."""
