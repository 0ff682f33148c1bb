"""The station: geodesy, antenna phase centre, solid tide."""
