"""Lines of the printed function, with the user's lines beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from ...core.source import Line

WIDEST = 60  # columns of code that comments are aligned behind; longer lines push theirs out
SHOWN = 64  # columns of a line of the user's
UNNAMED = re.compile(r"^<.*>$|ipykernel")  # what was typed in, and has no file of its own


class Note(NamedTuple):
    """Where a statement comes from: a line of the user's, or the derivative of one."""

    line: Line
    is_derived: bool

    def __str__(self) -> str:
        place = where(self.line)
        if self.is_derived:
            return f"# from {place}"
        return f"# {place}  {clipped(self.line.text)}".rstrip()


def clipped(text: str) -> str:
    """A line of the user's, cut where it is long."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def where(line: Line) -> str:
    """`model.py:12`; `line 12` of what was typed in."""
    if UNNAMED.search(line.file):
        return f"line {line.number}"
    return f"{os.path.basename(line.file)}:{line.number}"


class Statement(NamedTuple):
    """A line of the printed function."""

    indent: int
    text: str
    note: Note | None = None

    @property
    def code(self) -> str:
        return "    " * self.indent + self.text


def aligned(statements: Sequence[Statement]) -> list[str]:
    """The lines with their notes in one column, each note once for a run of equal ones."""
    widths = [len(s.code) for s in statements if s.note is not None and len(s.code) <= WIDEST]
    column = max(widths, default=0) + 2
    rows = []
    before: Note | None = None
    for s in statements:
        if s.note is None or s.note == before:
            rows.append(s.code)
        else:
            rows.append(f"{s.code:<{column - 2}}  {s.note}")
        before = s.note if s.note is not None else before
    return rows
