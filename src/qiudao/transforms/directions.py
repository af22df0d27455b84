"""Several directions pushed at once, which keep apart where that is quicker.

A Jacobian with few inputs asks for one direction an input, and most of those move little of what
the function computes.  Through what is elementwise or linear, where values are plain, each
direction is pushed by itself: one that moves nothing costs nothing, and no stack leaves the cache.
Through everything else they go stacked, as a batch does: one product of matrices serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..core.avals import Dtype, Shape, Value, describe
from ..core.dispatch import Tracer
from ..core.errors import DetachError
from ..core.families import Elementwise, Linear
from ..core.methods import ArrayMethods
from ..core.modes import Running, new_level
from ..core.plain import MOVES
from ..core.primitive import Primitive, Terms, Values, stretch
from ..core.sweep import fit
from ..core.trees import flatten
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import scale
from ..ops.stopping import stop_gradient
from ..tape.tensor import off_tapes
from .results import owned

APART = (Elementwise, Linear)  # what is computed direction by direction where values are plain

moved = scale.evaluate  # the product of forward mode, of plain values


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


def is_several(dx: Value | None) -> bool:
    """Whether a tangent is none, or plain in each of several directions."""
    return dx is None or (type(dx) is Directions and MOVES.issuperset(map(type, rows_of(dx))))


def in_directions(primitive: Primitive, out: Value, xs: Values, dxs: Terms) -> Directions:
    """The tangent of a plain result in each direction that moves one of its operands."""
    (like,) = {dx.level: dx for dx in dxs if dx is not None}.values()
    nowhere = (None,) * len(like.moves)
    push = primitive.pushing(out, xs, dxs, moved)
    rows = [
        None if all(dx is None for dx in row) else fitted(push(row), out)
        for row in zip(*(nowhere if dx is None else rows_of(dx) for dx in dxs), strict=True)
    ]
    is_given = like.is_given and primitive.is_view
    if is_given:
        rows = [row if row is not None and is_moving(row) else None for row in rows]
    moves = tuple([row is not None for row in rows])
    return Directions(tuple(rows), moves, out.shape, out.dtype, like.level, is_given)


def fitted(change: Value | None, out: Value) -> Value | None:
    """A tangent in the shape and dtype of its value."""
    if change is None or (change.shape == out.shape and change.dtype is out.dtype):
        return change
    return fit(change, out)


def is_moving(row: Value) -> bool:
    """Whether one direction is other than zero."""
    return bool(row.any() if row.ndim else row)


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
