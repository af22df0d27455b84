"""A place where control may hang on a traced value, and its pieces as functions.

The plain path of a function stays as it was written.  Only when a condition turns out to be unknown
are the pieces around it (a branch, the step of a loop, what follows) compiled as functions that
share the variables of the running call: they have its cells for their closure.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any

from ...core.source import Line
from .scopes import Scope

Pieces = dict[str, CodeType]


class Sites(list["Site"]):
    """The sites of a function; `note` is told of the code of their pieces."""

    def __init__(self, note: Callable[[CodeType], None]) -> None:
        super().__init__()
        self.note = note


class Cells(dict[str, CellType]):
    """The variables of a running call, by name, from a function that mentions them."""

    def __init__(self, here: Any) -> None:
        super().__init__(zip(here.__code__.co_freevars, here.__closure__ or (), strict=True))
        self.globals = here.__globals__


@dataclass(eq=False)
class Site:
    """An `if` or a loop of a function's source.

    `live` are the names that may be read after it, `head` those at the head of a loop, `rest` the
    statements that follow up to the end of the function or of the step of the loop around, and
    `end` the names that are live there.
    """

    node: Any
    scope: Scope
    file: str
    live: frozenset[str]
    head: frozenset[str]
    rest: Sequence[ast.stmt]
    end: frozenset[str]
    in_function: bool  # whether the end of the function is the end of the unit
    compile: Callable[[Site, str], CodeType]
    pieces: Pieces = field(default_factory=dict)
    refused: int = 0  # how often a loop has been tried as a structured one in vain

    @property
    def name(self) -> str:
        """The name of the function that it is in."""
        return self.scope.name

    @property
    def line(self) -> str:
        """The user's line, for messages."""
        return str(self.line_at(self.node.lineno))

    def line_at(self, number: int) -> Line:
        """A line of the user's file."""
        return Line(self.file, number, linecache.getline(self.file, number).strip())

    def piece(self, name: str, cells: Cells) -> Any:
        """A piece of the source as a function over the running call's variables."""
        code = self.pieces.get(name)
        if code is None:
            code = self.pieces[name] = self.compile(self, name)
        closure = tuple(cells[n] for n in code.co_freevars)
        return FunctionType(code, cells.globals, code.co_name, None, closure)
