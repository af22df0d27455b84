"""Places that a function reads, with what was found there, to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from types import CellType
from typing import Any

import numpy as np

MISSING = object()


class Watch:
    """What stood in variables, attributes, containers and arrays when a function was read."""

    def __init__(self) -> None:
        self.cells: list[tuple[CellType, Any]] = []
        self.entries: list[tuple[Any, str, Any]] = []  # (dictionary, name, value)
        self.lists: list[tuple[Any, tuple[Any, ...]]] = []  # lists and sets, with their elements
        self.dicts: list[tuple[dict[Any, Any], tuple[Any, ...]]] = []  # attributes too
        self.arrays: list[tuple[np.ndarray[Any, Any], tuple[int, ...], bytes]] = []

    def holds(self) -> bool:
        """Whether everything is where it was, as it was."""
        for cell, value in self.cells:
            if contents(cell) is not value:
                return False
        for names, name, value in self.entries:
            if names.get(name, MISSING) is not value:
                return False
        return (
            all(same(x, elements) for x, elements in self.lists)
            and all(same(flat(x), elements) for x, elements in self.dicts)
            and all(x.shape == shape and x.tobytes() == kept for x, shape, kept in self.arrays)
        )


def contents(cell: CellType) -> Any:
    """What is in a variable of an outer function; MISSING while nothing is."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def flat(x: dict[Any, Any]) -> tuple[Any, ...]:
    """The keys and the values of a dictionary."""
    return (*x, *x.values())


def same(x: Iterable[Any], elements: tuple[Any, ...]) -> bool:
    """Whether a container has these very elements."""
    now = tuple(x)
    return len(now) == len(elements) and all(a is b for a, b in zip(now, elements))
