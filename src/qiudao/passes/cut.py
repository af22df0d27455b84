"""The fewest values to keep, so that what is dear need not be computed again.

A graph of values: some are *dear*, some are *read* by what stands beyond.  A cut is a set of values
such that each way from a dear one to a read one leads through it; what lies behind the cut is
computed again from it, and is cheap.  The smallest cut, by the size of its values, is found as the
largest flow (Ford and Fulkerson 1956): a value is an edge as wide as it is large.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

V = TypeVar("V", bound=Hashable)

WIDEST = 1 << 62


def smallest_cut(
    order: Sequence[V],
    operands: Mapping[V, Sequence[V]],
    sizes: Mapping[V, int],
    dear: Collection[V],
    read: Collection[V],
) -> list[V]:
    """The values to keep, in the given order, which has operands before what reads them.

    `sizes` is positive; of cuts of one size it is the one nearest to what is read.
    """
    readers: dict[V, list[V]] = {v: [] for v in order}
    for v in order:
        for x in operands[v]:
            readers[x].append(v)
    flow: dict[V, int] = dict.fromkeys(order, 0)  # through a value
    along: dict[tuple[V, V], int] = {}  # from a value to a reader of it
    seen: set[tuple[V, bool]] = set()

    def neighbours(place: tuple[V, bool]) -> list[tuple[tuple[V, bool], int]]:
        v, after = place
        found = []
        if after:
            found += [((r, False), WIDEST) for r in readers[v]]
            if flow[v]:
                found.append(((v, False), flow[v]))
        else:
            if flow[v] < sizes[v]:
                found.append(((v, True), sizes[v] - flow[v]))
            found += [((x, True), along[x, v]) for x in operands[v] if along.get((x, v))]
        return found

    def push(start: V) -> bool:
        """More flow from a dear value to what is read, if there can be any."""
        came: dict[tuple[V, bool], tuple[tuple[V, bool], int]] = {}
        stack = [(start, False)]
        local = {(start, False)}
        while stack:
            place = stack.pop()
            if place[1] and place[0] in read:
                width, there = WIDEST, place
                while there != (start, False):
                    before, room = came[there]
                    width, there = min(width, room), before
                there = place
                while there != (start, False):
                    before, _ = came[there]
                    move(before, there, width)
                    there = before
                return True
            for after, room in neighbours(place):
                if after not in local and after not in seen:
                    local.add(after)
                    came[after] = (place, room)
                    stack.append(after)
        seen.update(local)  # from here nothing more arrives, whatever flows elsewhere
        return False

    def move(before: tuple[V, bool], after: tuple[V, bool], width: int) -> None:
        (v, was), (w, _) = before, after
        if v == w:
            flow[v] += width if not was else -width
        elif was:
            along[v, w] = along.get((v, w), 0) + width
        else:
            along[w, v] -= width

    for v in order:
        if v in dear:
            while push(v):
                pass
    # What could still take more flow on to what is read is on the far side of the cut.
    far: set[tuple[V, bool]] = set()
    stack = [(v, True) for v in order if v in read]
    while stack:
        place = stack.pop()
        if place in far:
            continue
        far.add(place)
        v, after = place
        if after:
            if flow[v] < sizes[v]:
                stack.append((v, False))
            stack += [(r, False) for r in readers[v] if along.get((v, r))]
        else:
            stack += [(x, True) for x in operands[v]]
            if flow[v]:
                stack.append((v, True))
    return [v for v in order if (v, True) in far and (v, False) not in far]
