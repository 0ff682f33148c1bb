"""Solutions as files (pos, NMEA, CSV, GeoJSON, KML), and reference tracks to compare with."""
