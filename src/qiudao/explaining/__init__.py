"""What differentiation did, to look at, to read and to ask: consumers of what the core records.

`witness.py` observes a function and `tape.py` reads a tensor's tape, both as an `Observation`;
`sweeps.py` goes over it with the core's own rules; `graph.py` has the neutral graph that
every picture, page, text and question is made from.
"""
