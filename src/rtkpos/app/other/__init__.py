"""`rtkpos data` and `rtkpos simulate`."""
