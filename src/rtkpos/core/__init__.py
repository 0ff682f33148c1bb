"""Numerics, compiled: floats and arrays in, status out."""
