"""A name for a program: equal, in whatever process, for programs that become the same code.

It is a digest of the equations as they were traced, before any pass, and of all else that has a
say in the code: the processor, the versions of libraries, and the files of the compiler itself.
What it cannot tell by its value, such as a function of the user's, has no name, and neither has a
program with such a thing in it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..codegen.checking import is_checked
from ..codegen.engine import compiler
from ..codegen.pool import get_num_threads
from ..core.node import Node
from ..core.primitive import Primitive
from ..core.program import Program, operands_of

LARGE = 1 << 20  # bytes of an array that had better not be kept on disk
PACKAGES = ("codegen", "compiling", "core", "ops", "passes", "scipy", "transforms")
COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # which BLAS goes by


class NamelessError(Exception):
    """Something in a program that has no name."""


def fingerprint(program: Program) -> str | None:
    """The name of a program, in hexadecimal digits; None where it has none."""
    try:
        words = [*surroundings(), *Words().program(program)]
    except NamelessError:
        return None
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def surroundings() -> Iterator[str]:
    """What has a say in the code beside the program."""
    tool = compiler()
    yield from map(repr, (tool.host, tool.versions, is_checked(), sys.version, np.__version__))
    yield from (os.environ.get(name, "") for name in COUNTS)
    yield f"{os.cpu_count()} {get_num_threads() > 1}"
    yield sources()


@functools.cache
def sources() -> str:
    """The files of the compiler by size and time, as Python itself tells old bytecode."""
    root = Path(__file__).parents[1]
    try:
        return repr(sorted(each for name in PACKAGES for each in files_in(str(root / name))))
    except OSError as error:
        raise NamelessError from error  # run from an archive


def files_in(folder: str) -> Iterator[tuple[str, int, int]]:
    """The sources in a folder: path, size and time."""
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            status = entry.stat()
            yield entry.path, status.st_size, status.st_mtime_ns
        elif "." not in entry.name and entry.name != "__pycache__":
            yield from files_in(entry.path)


class Words:
    """Programs, and what stands in them, as words."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[str, Any]] = {}  # by id, beside what keeps the id

    def program(self, program: Program) -> Iterator[str]:
        """A program, equation by equation, its values numbered in order."""
        numbers: dict[Node, str] = {}
        for x in program.inputs:
            numbers[x] = f"%{len(numbers)}"
            yield f"{x.shape} {x.dtype.str}"
        for e in program.equations:
            numbers[e] = f"%{len(numbers)}"
            operands = [numbers[x] if isinstance(x, Node) else self.word(x) for x in operands_of(e)]
            yield f"{self.word(e.primitive)} {' '.join(operands)}"
        for y in program.outputs:
            yield numbers[y] if isinstance(y, Node) else self.word(y)

    def word(self, x: Any) -> str:
        """A value that is no value of the program."""
        known = self.known.get(id(x))
        if known is None:
            known = self.known[id(x)] = (self.spelled(x), x)
        return known[0]

    def spelled(self, x: Any) -> str:
        """Anything that stands in a program, by its type and value."""
        match x:
            case Primitive() if is_ours(type(x)):
                return self.group(path_of(type(x)), chain.from_iterable(vars(x).items()))
            case None | bool() | int() | float() | complex() | str() if is_plain(x):
                return f"{type(x).__name__} {x!r}"
            case np.ndarray() | np.generic() if not x.dtype.hasobject and x.nbytes <= LARGE:
                digest = hashlib.sha256(x.tobytes()).hexdigest()
                return f"{type(x).__name__} {x.dtype.str} {x.shape} {digest}"
            case np.dtype() if not x.hasobject:
                return f"dtype {x.str}"
            case np.ufunc():
                return f"ufunc {x.__name__}"
            case slice():
                return self.group("slice", (x.start, x.stop, x.step))
            case type() if is_importable(x):
                return f"type {path_of(x)}"
            case Program():
                return f"({' ; '.join(self.program(x))})"
            case tuple() | list() if type(x) in (tuple, list) or is_ours(type(x)):
                return self.group(type(x).__name__, x)
        if x is Ellipsis:
            return "..."
        raise NamelessError(type(x))

    def group(self, name: str, parts: Iterable[Any]) -> str:
        """Several values under a name."""
        return f"{name}({', '.join(map(self.word, parts))})"


def path_of(cls: type) -> str:
    """Where a class is to be found."""
    return f"{cls.__module__}.{cls.__qualname__}"


def is_plain(x: Any) -> bool:
    """Whether a value is of one of Python's own types, and not of one made from it."""
    return type(x) in (type(None), bool, int, float, complex, str)


def is_ours(cls: type) -> bool:
    """Whether a class is one of the packages whose files have a say in the name."""
    package, _, rest = cls.__module__.partition(".")
    return package == __name__.partition(".")[0] and rest.partition(".")[0] in PACKAGES


def is_importable(cls: type) -> bool:
    """Whether a class can be told by its name: it is NumPy's or Python's own."""
    return cls.__module__ in ("numpy", "builtins")
