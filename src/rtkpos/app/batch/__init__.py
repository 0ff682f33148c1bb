"""`rtkpos batch`: many jobs of one file, solved side by side and kept account of."""
