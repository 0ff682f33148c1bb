"""`rtkpos explain`: why epochs are not fixed, in words."""
