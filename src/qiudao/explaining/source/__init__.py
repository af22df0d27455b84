"""A traced function as NumPy source that a person can read, with the user's names and lines."""
