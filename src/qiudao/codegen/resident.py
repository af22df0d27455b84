"""Functions that stay in the process: compiled once, and called by all programs.

A program of scalars that takes a sine calls it; compiling the sine anew for each program took
longer than the rest of many.  Loops over arrays hold functions of their own, to run on vectors.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from .code import Find, Module
from .engine import Object, compiled, widest_vector


class Residents:
    """The code of the functions by name."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.lock = threading.RLock()

    def find(self, name: str, define: Callable[[Module], None], level: str) -> Find:
        """What finds `@name`, which `define` writes into a module the first time."""
        with self.lock:  # the same function twice would do no harm, but take its time
            if name not in self.objects:
                module = resident_module()
                module.widest = 0  # they are called with numbers
                define(module)
                self.objects[name] = compiled(str(module), module.outside, [name], level)
            return functools.partial(address, name, self.objects[name])

    def address(self, name: str, code: Object) -> int:
        """The address of `@name`; it is linked when it is first asked for, and stays."""
        with self.lock:
            known = self.objects.get(name, code)
            found = known.native.address(name)
            self.objects[name] = known
            return found


def address(name: str, code: Object) -> int:
    """The address in this process of a function that stays in it."""
    return residents().address(name, code)


@functools.cache
def residents() -> Residents:
    """Those of this process."""
    return Residents()


def resident_module() -> Module:
    """A module for this process, which calls what is resident."""
    module = Module()
    module.widest = widest_vector()
    module.resident = residents().find
    return module
