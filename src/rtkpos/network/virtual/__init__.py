"""Virtual bases: observations as a receiver at the rover would give them."""
