"""The compiled front door: trace, optimise, emit, cache, call."""
