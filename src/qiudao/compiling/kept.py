"""Programs that another process compiled: found on disk as they were traced, so that no pass runs.

What is kept is what callers must know of a program, and the key of its machine code.
"""

from __future__ import annotations

import pickle

from ..codegen.build import Built
from ..codegen.cache import jit_cache
from ..codegen.engine import MissingCodeError
from ..core.program import Program
from .executable import Executable, prepared
from .fingerprint import fingerprint

LIMIT = 1 << 22  # bytes of constants and names beside the machine code


def executable(program: Program) -> Executable:
    """A traced program ready to run: found on disk, or compiled and kept there."""
    name = fingerprint(program) if jit_cache.enabled else None
    found = None if name is None else recalled(name)
    if found is not None:
        return Executable.found(program, found)
    made = Executable(prepared(program))
    if name is not None and made.whole is not None:
        keep(name, made.whole)
    return made


def recalled(name: str) -> Built | None:
    """The machine code of the program with this fingerprint; None where it is not on disk."""
    data = jit_cache.get(name)
    if data is None:
        return None
    try:
        return Built(*pickle.loads(data))
    except MissingCodeError:
        return None


def keep(name: str, built: Built) -> None:
    """Keep what tells of a program's machine code, which is on disk already."""
    data = pickle.dumps((built.interface, built.code))
    if len(data) <= LIMIT:
        jit_cache.put(name, data)
