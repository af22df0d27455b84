"""Other libraries' manners, and bridges to them.  Each is imported by its own name."""
