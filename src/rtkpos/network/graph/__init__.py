"""Which stations are joined: triangulation, loops, cells, location."""
