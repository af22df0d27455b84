"""The story of one derivative on the user's own function: limits, and the two sweeps."""
