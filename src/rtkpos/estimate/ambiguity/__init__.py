"""Integer ambiguities: candidates, validation, probability, GLONASS, BIE."""
