"""Epochs of single differences made by hand."""

from __future__ import annotations


def one_satellite(work, sat):
    """Make a satellite the only one of an epoch; returns its index."""
    work.n_sat = 1
    work.sat[0] = sat
    return sat
