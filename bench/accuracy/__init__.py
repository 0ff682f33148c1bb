"""Accuracy on real recordings: rows, cases, peers, judgement, tables."""
