"""Long runs as groups of lines, long loops as ranges of turns: no picture is a thousand wide."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.source import Line
from .places import Group

LONG, CHUNK = 60, 30  # members of a group, beyond which they are divided, and into how many
MANY, FEW = 12, 10  # the same of turns of a loop


def divided(places: Sequence[Group | None], lines: Sequence[Line | None]) -> list[Group | None]:
    """The group of each value, where groups of too many members have groups of lines within.

    `places` and `lines` have the innermost group and the user's line of each value, in order.
    """
    members: dict[Group | None, list[tuple[int, int, Group | None]]] = {}
    seen: set[Group] = set()
    for k, group in enumerate(places):
        members.setdefault(group, []).append((k, k, None))
        for inner in reversed(group.path if group is not None else []):
            if inner not in seen:
                seen.add(inner)
                members.setdefault(inner.parent, []).append((k, k, inner))
    found = list(places)
    for parent, inside in members.items():
        gather(parent, sorted(inside, key=lambda m: m[0]), lines, found)
    return found


def gather(
    parent: Group | None,
    inside: list[tuple[int, int, Group | None]],
    lines: Sequence[Line | None],
    found: list[Group | None],
) -> None:
    """Put the members of a group into groups of `CHUNK`, and these again, until few are left.

    A member is the first and last value of it, and the group that it is (None: a value).
    """
    turns = parent is not None and parent.kind == "loop"
    most, chunk = (MANY, FEW) if turns else (LONG, CHUNK)
    while len(inside) > most:
        above: list[tuple[int, int, Group | None]] = []
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


def title_of(lines: Sequence[Line], count: int) -> str:
    """`lines 12 to 40`."""
    if not lines:
        return f"{count} values"
    numbers = [line.number for line in lines]
    least, greatest = min(numbers), max(numbers)
    return f"line {least}" if least == greatest else f"lines {least} to {greatest}"


def range_of(turns: list[tuple[int, int, Group | None]]) -> str:
    """`k = 3 to k = 12`; of ranges, from the first of the first to the last of the last."""
    titles = [group.title for _, _, group in turns if group is not None]
    return f"{titles[0].partition(' to ')[0]} to {titles[-1].rpartition(' to ')[2]}"
