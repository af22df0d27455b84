"""Random calls of NumPy's functions: what arguments each takes, drawn by hypothesis."""
