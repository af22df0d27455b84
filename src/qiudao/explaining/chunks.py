"""Long runs as groups of lines, long loops as ranges of turns, arguments of many parts as groups.

So no picture is a thousand boxes wide.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from ..core.source import Line
from .places import Group

LONG, CHUNK = 60, 30  # members of a group, beyond which they are divided, and into how many
MANY, FEW = 12, 10  # the same of turns of a loop

Members = list[tuple[int, int, Group | None]]  # first and last value, and the group that it is


def divided(places: Sequence[Group | None], lines: Sequence[Line | None]) -> list[Group | None]:
    """The group of each value, where groups of too many members have groups of lines within.

    `places` and `lines` have the innermost group and the user's line of each value, in order.
    """
    members: dict[Group | None, Members] = {}
    seen: set[Group] = set()
    for k, group in enumerate(places):
        members.setdefault(group, []).append((k, k, None))
        for inner in reversed(group.path if group is not None else []):
            if inner not in seen:
                seen.add(inner)
                members.setdefault(inner.parent, []).append((k, k, inner))
    found = list(places)
    for parent, inside in members.items():
        ordered = sorted(inside, key=lambda m: m[0])
        gather(parent, runs(parent, ordered, lines, found), lines, found)
    return found


def runs(
    parent: Group | None, inside: Members, lines: Sequence[Line | None], found: list[Group | None]
) -> Members:
    """The members of a group, where a line that makes more than `MANY` values is one member."""

    def line_number(member: tuple[int, int, Group | None]) -> int | None:
        line = None if member[2] is not None else lines[member[0]]
        return None if line is None else line.number

    above: Members = []
    for number, some in itertools.groupby(inside, line_number):
        run = list(some)
        if number is None or len(run) <= MANY or len(run) == len(inside):
            above += run
            continue
        made = Group(parent, "lines", f"line {number}", lines[run[0][0]])
        for k, _, _ in run:
            found[k] = made
        gather(made, run, lines, found)
        above.append((run[0][0], run[-1][1], made))
    return above


def gather(
    parent: Group | None,
    inside: Members,
    lines: Sequence[Line | None],
    found: list[Group | None],
) -> None:
    """Put the members of a group into groups of `CHUNK`, and these again, until few are left."""
    looping = parent is not None and parent.kind == "loop"
    turns = looping and all(group is not None for _, _, group in inside)  # no comprehension
    most, chunk = (MANY, FEW) if turns else (LONG, CHUNK)
    while len(inside) > most:
        above: Members = []
        for start in range(0, len(inside), chunk):
            part = inside[start : start + chunk]
            first, last = part[0][0], part[-1][1]
            near = [line for line in lines[first : last + 1] if line is not None]
            kind = "turns" if turns else "lines"
            title = range_of(part) if turns else title_of(near, last + 1 - first)
            made = Group(parent, kind, title, near[0] if near else None)
            for k, _, group in part:
                if group is None:
                    found[k] = made
                else:
                    group.parent = made
            above.append((first, last, made))
        inside = above


def arguments(names: Sequence[str | None]) -> list[Group | None]:
    """The group of each input: an argument of many parts is one, and has groups of them within."""
    found: list[Group | None] = [None] * len(names)
    parts: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        if name is not None:
            parts.setdefault(re.split(r"[\[.]", name, maxsplit=1)[0], []).append(k)
    for argument, places in parts.items():
        if len(places) > MANY:
            part(Group(None, "argument", argument, None), places, names, found)
    return found


def part(
    group: Group, places: list[int], names: Sequence[str | None], found: list[Group | None]
) -> None:
    """Put inputs into a group, or into groups within where they are too many."""
    if len(places) <= LONG:
        for k in places:
            found[k] = group
        return
    size = CHUNK
    while size * LONG < len(places):
        size *= CHUNK
    for start in range(0, len(places), size):
        some = places[start : start + size]
        title = f"{names[some[0]]} to {names[some[-1]]}"
        part(Group(group, "argument", title, None), some, names, found)


def title_of(lines: Sequence[Line], count: int) -> str:
    """`lines 12 to 40`."""
    if not lines:
        return f"{count} values"
    numbers = [line.number for line in lines]
    least, greatest = min(numbers), max(numbers)
    return f"line {least}" if least == greatest else f"lines {least} to {greatest}"


def range_of(turns: Members) -> str:
    """`k = 3 to k = 12`; of ranges, from the first of the first to the last of the last."""
    titles = [group.title for _, _, group in turns if group is not None]
    return f"{titles[0].partition(' to ')[0]} to {titles[-1].rpartition(' to ')[2]}"
