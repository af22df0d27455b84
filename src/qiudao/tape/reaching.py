"""The nodes between outputs and what their gradients are wanted of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import attrgetter

from ..core.node import Equation, Node

age = attrgetter("number")


def reaching(
    outputs: Iterable[Node], targets: set[Node], blocked: Collection[Node] = ()
) -> tuple[set[Node], bool]:
    """The nodes on the paths from `outputs` back to `targets` that avoid the `blocked` ones, and
    whether a sweep that is told neither of them nor of the targets does the same.
    """
    oldest = min(map(age, targets), default=0)
    ends: set[Node] = set()
    seen = walk(outputs, oldest, blocked, ends)
    if ends <= targets and not any(isinstance(t, Equation) for t in targets):
        return seen, True
    needed: set[Node] = set()
    for node in sorted(seen, key=age):
        if node in targets or (isinstance(node, Equation) and not needed.isdisjoint(node.parents)):
            needed.add(node)
    return needed, False


def walk(
    outputs: Iterable[Node],
    oldest: int = 0,
    blocked: Collection[Node] = (),
    ends: set[Node] | None = None,
) -> set[Node]:
    """All nodes behind `outputs` that are not older than the number `oldest`, nor `blocked`.

    `ends` receives the leaves among them, and what was left out.
    """
    ends = set() if ends is None else ends
    seen: set[Node] = set()
    stack: list[Node] = []
    for node in outputs:
        if node.number < oldest or node in blocked:
            ends.add(node)
        elif node not in seen:
            seen.add(node)
            stack.append(node)
    while stack:
        node = stack.pop()
        if not isinstance(node, Equation):
            ends.add(node)
            continue
        for parent in node.parents:
            if parent is None or parent in seen:
                continue
            if parent.number >= oldest and parent not in blocked:
                seen.add(parent)
                stack.append(parent)
            else:
                ends.add(parent)
    return seen


def boundary(outputs: Iterable[Node], start: int) -> list[Node]:
    """The nodes older than `start` that the newer ones behind `outputs` were computed from."""
    ends: set[Node] = set()
    walk(outputs, start, ends=ends)
    return sorted((n for n in ends if n.number < start), key=age)
