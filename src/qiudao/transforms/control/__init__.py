"""Structured control flow: branches and loops as functions of functions.

Outside of a trace Python runs them, so every transform works by composition.  While a function is
being traced they become the primitives of `ops/control.py`, with the bodies traced into programs.
"""

from . import rules_of_scan, rules_of_switch, rules_of_while
from .associative import associative_scan
from .branches import cond, switch
from .loops import fori_loop, while_loop
from .scans import map, scan

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "rules_of_scan",
    "rules_of_switch",
    "rules_of_while",
    "scan",
    "switch",
    "while_loop",
]
