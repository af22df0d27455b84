"""Identities that make a derivative easier to read."""
