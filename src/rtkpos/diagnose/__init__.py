"""Why epochs are not fixed: measures, causes, the sky, spans."""
