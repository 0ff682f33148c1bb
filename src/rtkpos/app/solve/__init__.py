"""`rtkpos solve`: files in, positions, reports and pictures out."""
