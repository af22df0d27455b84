"""Indices whose integers differ between the iterations of a loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .roles import Refusal

Array = np.ndarray[Any, Any]
Index = tuple[Any, ...]

LARGE = 1 << 22  # positions that may be listed for slices that move


def spelled(index: Index, ndim: int) -> Index:
    """An index with its Ellipsis written out as whole slices."""
    read = sum(part is not None and part is not Ellipsis for part in index)
    if Ellipsis not in [part if part is Ellipsis else None for part in index]:
        return index
    at = next(k for k, part in enumerate(index) if part is Ellipsis)
    return (*index[:at], *(slice(None),) * (ndim - read), *index[at + 1 :])


def positions(index: Index) -> list[tuple[int, int]]:
    """For each integer of a template, the part of the index that it belongs to, and which it is.

    Which is 0 for an integer, 1 for the start of a slice and 2 for its stop.
    """
    found: list[tuple[int, int]] = []
    for k, part in enumerate(index):
        if isinstance(part, slice):
            found += ((k, 1), (k, 2))
        elif part is not None and part is not Ellipsis:
            found.append((k, 0))
    return found


def axis_of(index: Index, part: int) -> int:
    """The axis of the array that a part of a spelled index reads."""
    return sum(p is not None for p in index[:part])


class Moving:
    """A spelled index of which some parts move: `parts`, with the integers that they read.

    `numbers[k]` are, in iteration k, the position along each moving axis, or all the positions
    where the one moving part is a slice.
    """

    def __init__(self, index: Index, numbers: Array, shape: tuple[int, ...]) -> None:
        where = positions(index)
        at = [k for k, part in enumerate(index) if part is Ellipsis]
        shift = len(shape) - sum(p is not None and p is not Ellipsis for p in index) - 1
        self.index = spelled(index, len(shape))
        columns = [k for k in range(numbers.shape[1]) if (numbers[:, k] != numbers[0, k]).any()]
        given = {k + shift if at and k > at[0] else k: k for k, _ in where}  # by spelled part
        moved = [
            (k + shift if at and k > at[0] else k, kind) for k, kind in (where[c] for c in columns)
        ]
        self.parts = tuple(sorted({k for k, _ in moved}))
        self.is_window = any(kind for _, kind in moved)
        rows = []
        for part in self.parts:
            size = shape[axis_of(self.index, part)]
            if self.is_window:
                if len(self.parts) > 1 or any(type(p) is int for p in self.index):
                    raise Refusal("a slice that moves stands beside an integer in an index")
                first, last = (where.index((given[part], kind)) for kind in (1, 2))
                step = self.index[part].step
                windows = [
                    np.arange(size)[slice(a, b, step)]
                    for a, b in zip(numbers[:, first].tolist(), numbers[:, last].tolist())
                ]
                if sum(map(len, windows)) > LARGE:
                    raise Refusal("slices that move are too large to be stacked")
                rows.append(np.stack(windows))
            else:
                column = next(c for c, (k, _) in zip(columns, moved) if k == part)
                plain = numbers[:, column].astype(np.int64)
                rows.append(np.where(plain < 0, plain + size, plain))
        self.rows = rows

    @property
    def pattern(self) -> Index:
        """The index with 0 for what moves, as `Gather` and `Put` take it."""
        return tuple(0 if k in self.parts else p for k, p in enumerate(self.index))

    def progression(self) -> tuple[int, int] | None:
        """The first and the step of the integers, if one axis alone moves and evenly."""
        if len(self.rows) != 1 or self.is_window:
            return None
        steps = np.diff(self.rows[0])
        if (steps != steps[0]).any():
            return None
        return int(self.rows[0][0]), int(steps[0])


def span(first: int, step: int, count: int) -> slice:
    """The slice that reads `count` positions from `first` on."""
    stop = first + step * count
    return slice(first, stop if stop >= 0 else None, step)
