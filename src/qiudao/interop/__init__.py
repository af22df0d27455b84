"""Ways over from other libraries: their names, met by our engine."""
