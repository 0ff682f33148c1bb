<<<<<<< HEAD
"""Many reference stations: integers between them, one field of corrections, a base anywhere."""
=======
"""Many reference stations: their graph, their ambiguities, corrections at any point."""
>>>>>>> net1
