"""Functions in, functions out: reverse, forward, batched and Taylor modes, and compositions."""
