"""Values that outlive their transform: what a function kept in a list, a global or a cache.

Their derivatives went with the transform, so that taking them for constants would lose gradients in
silence.  Nothing is asked while operations are applied, which would cost each of them: such a value
is a tracer of a level that is no more, and so is all that is computed from it, until it enters a
transform or leaves one.
"""

from __future__ import annotations

from typing import Any

from .avals import Value, describe
from .dispatch import Tracer
from .errors import LeakError
from .modes import has_ended
from .node import Equation
from .source import is_ours


def living(x: Value) -> Value:
    """`x`, unless its transform has ended; what was a constant there is its value."""
    while isinstance(x, Tracer) and x.kept_from and has_ended(x.level):
        value = x.if_constant()
        if value is None:
            raise outlived(x)
        x = value
    return x


def outlived(x: Tracer) -> LeakError:
    """The error for a value whose transform has ended."""
    where = line_behind(x)
    computed = f" computed at {where}" if where else ""
    return LeakError(
        f"{x.kept_from}: this {describe(x.shape, x.dtype)}{computed} is of a call that has ended, "
        f"and with it its derivative; instead of keeping it, {x.instead_of_keeping}"
    )


def line_behind(x: Value) -> str:
    """The user's line that computed a value, or nothing where no record tells."""
    while isinstance(x, Tracer):
        node: Any = getattr(x, "node", None)
        while isinstance(node, Equation):
            if not is_ours(node.line.file):
                return str(node.line)
            node = next((p for p in node.parents if p is not None), None)
        x = next(iter(x.parts()), None)
    return ""
