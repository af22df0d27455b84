"""Several directions pushed at once, which keep apart where that is quicker.

A Jacobian with few inputs asks for one direction an input, and most of those move little of what
the function computes.  The short road of dual numbers pushes them one by one, through whatever has
a plain value: what a direction does not move costs nothing.  So does what is linear and as large
as the data, where no stack leaves the cache.  Everything else has its directions stacked, as a
batch has its examples, since there the number of calls counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..core.avals import Dtype, Shape, Value, aval_of, describe
from ..core.dispatch import Tracer
from ..core.errors import DetachError
from ..core.families import Elementwise, Linear
from ..core.methods import ArrayMethods
from ..core.modes import Running, new_level
from ..core.primitive import Primitive, stretch
from ..core.sweep import fit
from ..core.trees import flatten
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import scale
from ..ops.stopping import stop_gradient
from ..tape.tensor import off_tapes
from .results import owned

APART = (Elementwise, Linear)  # what may be computed direction by direction, where it is linear
LARGE = 4096  # elements from which it is


class Directions(ArrayMethods, Tracer):
    """A tangent in several directions.

    `value` is a stack of them along a leading axis, or a tuple with an array, or None for zero,
    for each.  `moves` tells which directions may be other than zero.
    """

    __slots__ = ("dtype", "is_given", "level", "memory", "moves", "shape", "tied", "value")

    shape: Shape
    dtype: Dtype
    is_given: bool  # whether this is a part of the directions themselves, unchanged
    memory: Any  # an array laid out as one direction is; set when a view asks
    tied: Tie  # set on views only
    kept_from = "jacfwd"

    def __init__(
        self,
        value: Value | tuple[Value | None, ...],
        moves: tuple[bool, ...],
        shape: Shape,
        dtype: Dtype,
        level: float,
        is_given: bool = False,
    ) -> None:
        self.value = value
        self.moves = moves
        self.shape = shape
        self.dtype = dtype
        self.level = level
        self.is_given = is_given

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        level = self.level
        mine = [isinstance(x, Directions) and x.level == level for x in xs]
        is_linear = primitive.is_linear({i for i, m in enumerate(mine) if m})
        if is_linear and isinstance(primitive, APART) and any(map(is_large, xs)):
            return self.apart(primitive, xs, mine)
        values = [stack_of(x) if m else x for x, m in zip(xs, mine, strict=True)]
        out = primitive.batch(len(self.moves), tuple(mine), values)
        moves = self.moves
        if not is_linear:
            moves = (True,) * len(moves)
        elif mine.count(True) > 1:
            moves = tuple(map(any, zip(*(x.moves for x, m in zip(xs, mine) if m), strict=True)))
        if isinstance(out, tuple):
            return tuple(Directions(o, moves, o.shape[1:], o.dtype, level) for o in out)
        is_given = self.is_given and primitive.is_view
        if is_given:
            moves = moving(out)
        made = Directions(out, moves, out.shape[1:], out.dtype, level, is_given)
        return self.tied_to(made, primitive) if primitive.is_view else made

    def apart(self, primitive: Primitive, xs: tuple[Value, ...], mine: Sequence[bool]) -> Value:
        """Apply a linear primitive direction by direction, where any of its operands moves."""
        rows: list[Value | None] = []
        full: Value | None = None  # a row that has the type of the result
        parts = [rows_of(x) if m else x for x, m in zip(xs, mine, strict=True)]
        for k in range(len(self.moves)):
            row: Value | None = None
            operands = [x[k] if m else x for x, m in zip(parts, mine, strict=True)]
            moved = [m and x is not None for x, m in zip(operands, mine, strict=True)]
            if moved == mine:
                full = row = primitive(*operands)
            elif any(moved):
                changes = [x if m else None for x, m in zip(operands, moved, strict=True)]
                row = primitive.push(None, xs, changes, scale)
            rows.append(row)
        like: Any = primitive.shape(*map(aval_of, xs)) if full is None else full
        rows = [row if row is None else fit(row, like) for row in rows]
        moves = tuple(row is not None for row in rows)
        made = Directions(tuple(rows), moves, tuple(like.shape), like.dtype, self.level)
        return self.tied_to(made, primitive) if primitive.is_view else made

    def tied_to(self, made: Directions, primitive: Primitive) -> Directions:
        """A result, which shares memory with this where NumPy's would."""
        made.memory = primitive.evaluate(self.underlying())
        tied: Directions = tie(made, self, primitive, DirectionsView)
        return tied

    def underlying(self) -> Any:
        memory = getattr(self, "memory", None)
        if memory is None:
            memory = self.memory = np.empty(self.shape, self.dtype)
        return memory

    def parts(self) -> tuple[Value, ...]:
        if isinstance(self.value, tuple):
            return tuple(row for row in self.value if row is not None)
        return (self.value,)

    def constant(self, value: Value) -> Directions:
        count = len(self.moves)
        stack = np.copy(stretch(value, count))
        return Directions(stack, (True,) * count, np.shape(value), value.dtype, self.level)

    def overwrite(self, new: Value) -> None:
        new = self.same_level(new)
        self.value, self.moves, self.is_given = new.value, new.moves, False

    def snapshot(self) -> Directions:
        return Directions(self.value, self.moves, self.shape, self.dtype, self.level, self.is_given)

    def detach(self) -> Value:
        """The value as a constant for the transforms outside."""
        return Directions(
            stop_gradient(stack_of(self)), self.moves, self.shape, self.dtype, self.level
        )

    def concrete(self) -> NoReturn:
        raise DetachError(
            "jacfwd: this tangent differs between the directions, so it cannot decide a branch "
            "or become one number; use np.where(condition, a, b)"
        )

    def refuse(self, act: str, instead: str) -> NoReturn:
        self.concrete()

    def __repr__(self) -> str:
        return f"in {len(self.moves)} directions: {describe(self.shape, self.dtype)}"


_slots = vars(Directions)


class DirectionsView(View, Directions):
    """Directions whose NumPy values would share memory with others."""

    __slots__ = ()

    plain = Directions
    state = _slots["value"].__get__
    fields = ("value", "moves")

    value = follow(_slots["value"], _slots["value"])
    moves = follow(_slots["moves"], _slots["value"])


def is_large(x: Value) -> bool:
    """Whether a value is computed direction by direction."""
    if type(x) is np.ndarray:
        return x.size >= LARGE
    return isinstance(x, Directions) and math.prod(x.shape) >= LARGE


def moving(stack: Value) -> tuple[bool, ...]:
    """Which directions of a stack are other than zero."""
    return tuple(stack.any(axis=tuple(range(1, stack.ndim))).tolist())


def stack_of(x: Directions) -> Value:
    """All directions of a value along a leading axis."""
    value = x.value
    if not isinstance(value, tuple):
        return value
    if any(isinstance(row, Tracer) for row in value):
        zeros = np.zeros(x.shape, x.dtype)
        return np.stack([zeros if row is None else row for row in value])
    out = np.empty((len(value), *x.shape), x.dtype)
    for k, row in enumerate(value):
        out[k] = 0 if row is None else row
    return out


def rows_of(x: Directions) -> Sequence[Value | None]:
    """A value in each direction, None where it is not moved."""
    value = x.value
    if isinstance(value, tuple):
        return value
    return [row if m else None for row, m in zip(value, x.moves, strict=True)]


def pushed(f: Callable[..., Any], stacks: Sequence[Value]) -> Any:
    """A linear `f` of each entry along the leading axes of `stacks`: its results, so stacked."""
    level = new_level()
    given = [Directions(s, moving(s), s.shape[1:], s.dtype, level, is_given=True) for s in stacks]
    with Running(level):
        outs, tree = flatten(f(*given))
    return tree.build(owned(whole(y, level, len(stacks[0])) for y in outs))


def whole(y: Value, level: float, count: int) -> Value:
    """A result with its directions along a leading axis."""
    y = off_tapes(y, level)
    if isinstance(y, Directions) and y.level == level:
        return stack_of(y)
    return stretch(y, count)
