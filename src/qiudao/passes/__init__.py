"""Passes: from one program to another that computes the same."""
