"""Plain NumPy and SciPy, one line at a time: what of it each library differentiates."""
