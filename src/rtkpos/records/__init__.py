"""What we hold: frozen dataclasses of arrays."""
