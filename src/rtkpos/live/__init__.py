"""Epoch by epoch: the engine, its buffer, snapshots and warm-up."""
