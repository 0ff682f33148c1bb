"""Navigation files: text, messages, typed ephemerides."""
