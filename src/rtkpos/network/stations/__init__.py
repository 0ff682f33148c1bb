"""Lists of stations: files, headers, tables, signals."""
