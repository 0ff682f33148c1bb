"""Benchmarks: accuracy, availability and speed on real recordings (`python bench/run.py`)."""
