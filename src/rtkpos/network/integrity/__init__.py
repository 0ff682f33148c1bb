"""Health of stations: fits, screens, series, reports."""
