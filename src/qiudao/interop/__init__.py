"""Other libraries: their faces on ours, and bridges between their functions and ours."""
