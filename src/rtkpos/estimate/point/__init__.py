"""One receiver alone: code position and velocity."""
