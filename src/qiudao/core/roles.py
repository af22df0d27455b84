"""What equations of a traced derivative are for, so that a reader can be told.

A trace of a gradient holds the user's own computation and what the sweep adds to it; both carry the
user's lines.  A role tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from .avals import Value
from .dispatch import Tracer
from .node import Equation, Node, Role

COTANGENT, TANGENT = Role("cotangent"), Role("tangent")


def role_of(node: Node) -> Role | None:
    """What an equation is for in a derivative; None for the user's own computation."""
    return getattr(node, "role", None)


def give_role(made: Iterable[Equation], role: Role) -> None:
    """Say of equations just traced what they are for."""
    for each in made:
        each.role = role


def mark(value: Value, node: Equation) -> None:
    """Say of the traced equations behind a derivative that it is the whole one of `node`."""
    for each in value if isinstance(value, tuple) else (value,):
        made = getattr(each, "node", None)
        role = role_of(made) if isinstance(made, Equation) else None
        if isinstance(made, Equation) and role is not None and role.code is None:
            made.role = Role(role.kind, node.code, node.offset)
        if isinstance(each, Tracer):
            for part in each.parts():
                mark(part, node)
