"""Delays of troposphere and ionosphere, compiled."""
