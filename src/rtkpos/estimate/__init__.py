"""Estimate one epoch, compiled: code position, velocity, relative filter, integers, quality."""
