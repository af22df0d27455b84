"""Functions that stay in the process: compiled once, and called by all programs.

A program of scalars that takes a sine calls it; compiling the sine anew for each program took
longer than the rest of many.  Loops over arrays hold functions of their own, to run on vectors.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from .code import Module
from .engine import Native, compile, widest_vector


class Residents:
    """The functions by name, each with the machine code that it lives in."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, Native]] = {}
        self.lock = threading.RLock()

    def address(self, name: str, define: Callable[[Module], None]) -> int:
        """The address of `@name`, which `define` writes into a module the first time."""
        known = self.found.get(name)
        if known is None:
            with self.lock:  # the same function twice would do no harm, but take its time
                known = self.found.get(name) or self.made(name, define)
        return known[0]

    def made(self, name: str, define: Callable[[Module], None]) -> tuple[int, Native]:
        """Compile a function, and what it calls in its turn."""
        module = resident_module()
        module.widest = 0  # called for one number at a time
        define(module)
        native = compile(str(module), module.libraries, [name], level="straight")
        self.found[name] = native.address(name), native
        return self.found[name]


@functools.cache
def residents() -> Residents:
    """Those of this process."""
    return Residents()


def resident_module() -> Module:
    """A module for this process, which calls what is resident."""
    module = Module()
    module.widest = widest_vector()
    module.resident = residents().address
    return module
