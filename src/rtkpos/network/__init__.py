"""Many reference stations: their graph, their ambiguities, corrections at any point."""
