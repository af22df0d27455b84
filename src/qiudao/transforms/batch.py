"""Batched mode: a function of one example applied to many at once, by rules rather than a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..core.arriving import VALUES, arrived
from ..core.avals import Value, describe
from ..core.dispatch import Tracer
from ..core.errors import DetachError, GradientError, ShapeError, TreeError
from ..core.living import for_all
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.primitive import Primitive, stretch
from ..core.trees import Tree, flatten, prefix
from ..core.views import Tie, View, follow, tie
from ..ops.stopping import stop_gradient
from ..tape.tensor import off_tapes
from .entering import check_unchanged, entering
from .results import owned


class Batch(ArrayMethods, Tracer):
    """One example of many: `value` has the batch, unseen by the user, as its leading axis."""

    __slots__ = ("level", "tied", "value")

    tied: Tie  # set on views only
    kept_from = "vmap"

    def __init__(self, value: Value, level: float) -> None:
        self.value = value
        self.level = level

    @property
    def shape(self) -> Any:
        return self.value.shape[1:]

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    def concrete(self) -> NoReturn:
        raise DetachError(
            "vmap: this value differs between the examples of the batch, so it cannot decide a "
            "branch or become one number; use np.where(condition, a, b), or a Python loop"
        )

    def constant(self, value: Value) -> Batch:
        return Batch(np.copy(stretch(value, self.value.shape[0])), self.level)

    def parts(self) -> tuple[Value, ...]:
        return (self.value,)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        level = self.level
        values: list[Value] = []
        mapped: list[bool] = []
        size = self.value.shape[0]
        for x in xs:
            mine = isinstance(x, Batch) and x.level == level
            mapped.append(mine)
            values.append(x.value if mine else x)
        batch = primitive.batch
        if modes.live is not None:  # who takes part is said of examples, and here are all of them
            batch = for_all(batch)
        out = batch(size, tuple(mapped), values)
        if isinstance(out, tuple):
            return tuple(Batch(o, level) for o in out)
        made = Batch(out, level)
        return tie(made, self, primitive, BatchView) if primitive.is_view else made

    def overwrite(self, new: Value) -> None:
        self.value = self.same_level(new).value

    def snapshot(self) -> Batch:
        return Batch(self.value, self.level)

    def refuse(self, act: str, instead: str) -> NoReturn:
        if self.dtype.kind in "iu":  # an index, most likely
            raise DetachError(
                f"vmap: {act}: this value differs between the examples of the batch, and a plain "
                "array cannot be indexed by it; make that a tensor, qd.tensor(n)[i]"
            )
        self.concrete()

    def detach(self) -> Value:
        """The value as a constant for the transforms outside this batch."""
        return Batch(stop_gradient(self.value), self.level)

    def __repr__(self) -> str:
        return f"one of {self.value.shape[0]}: batch {describe(self.shape, self.dtype)}"


_slots = vars(Batch)


class BatchView(View, Batch):
    """A batch whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Batch
    state = _slots["value"].__get__
    fields = ("value",)

    value = follow(_slots["value"], _slots["value"])


def check_chunk(name: str, size: Any) -> None:
    """Refuse a number of examples at a time that is none."""
    if size is not None and (not isinstance(size, int | np.integer) or size < 1):
        raise GradientError(f"{name}: chunk_size={size!r} is no size; use 1, 2, ... or None")


def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`f` over a batch: each argument's axis `in_axes` (None: shared by all examples) is mapped,
    and each result gets the batch at its axis `out_axes`.

    `in_axes` and `out_axes` are an integer, None, or a tree of them that is a prefix of the
    arguments (a tuple, one entry an argument) or of the result.  Keyword arguments are mapped
    along axis 0.  With `chunk_size`, that many examples are computed at a time.

    >>> vmap(lambda x, y: x @ y)(np.ones((3, 2)), np.ones((3, 2)))
    array([2., 2., 2.])
    """
    check_chunk("vmap", chunk_size)

    def batched(*args: Any, **kwargs: Any) -> Any:
        spec = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        if not isinstance(spec, tuple | int | np.integer | None):
            raise TreeError(
                f"vmap: in_axes={in_axes!r} is neither an integer nor None nor a tuple with one "
                "entry for each argument"
            )
        if isinstance(spec, tuple) and len(spec) != len(args):
            raise TreeError(
                f"vmap: in_axes has {len(spec)} entries for {len(args)} arguments; give one each"
            )
        if kwargs:
            leaves, tree = flatten((args, kwargs))
            given: Any = (spec, 0) if isinstance(spec, tuple) else ((spec,) * len(args), 0)
        else:
            leaves, tree = flatten(args)
            given = spec
        axes = axes_of("in_axes", tree, given)
        size = batch_size(leaves, axes, tree)
        moved, guards = entering(
            [None if axis is None else to_front(x, axis) for x, axis in zip(leaves, axes)]
        )
        moved = [x if axis is None else y for x, y, axis in zip(leaves, moved, axes)]
        step = max(size, 1) if chunk_size is None else chunk_size
        pieces: list[list[Value]] = []
        for start in range(0, max(size, 1), step):
            part = [
                x if axis is None or step >= size else x[start : start + step]
                for x, axis in zip(moved, axes, strict=True)
            ]
            count = min(step, size - start)
            outs, differs, shape = run(part, axes, count, tree, bool(kwargs))
            pieces.append(outs)
        if guards:
            check_unchanged("vmap", guards)
        places = axes_of("out_axes", shape, out_axes)
        results = [
            placed(column, varies, axis, path)
            for column, varies, axis, path in zip(
                zip(*pieces, strict=True), differs, places, shape.paths, strict=True
            )
        ]
        return shape.build(owned(results, leaves))

    def run(leaves: list[Value], axes: list[Any], size: int, tree: Any, named: bool) -> Any:
        level = new_level()
        arguments = tree.build(
            [x if axis is None else Batch(x, level) for x, axis in zip(leaves, axes, strict=True)]
        )
        args, kwargs = arguments if named else (arguments, {})
        inner = f if modes.capture is None else modes.capture(f)
        with Running(level):
            outs, shape = flatten(inner(*args, **kwargs))
        differs = [isinstance(off_tapes(y, level), Batch) for y in outs]
        return [whole_batch(y, level, size) for y in outs], differs, shape

    return batched


def axes_of(name: str, structure: Tree, given: Any) -> list[Any]:
    """An axis, or None, for each leaf, from what was given as `in_axes` or `out_axes`."""
    axes = prefix(structure, given, "vmap")
    for k, axis in enumerate(axes):
        if not isinstance(axis, int | np.integer | None):
            raise TreeError(
                f"vmap: {name} has {axis!r} for {structure.paths[k] or 'all'}, which is no axis; "
                "give an integer, or None"
            )
    return axes


def whole_batch(y: Value, level: float, size: int) -> Value:
    """An output with its batch axis in front; one that no example changed is repeated."""
    y = off_tapes(y, level)
    if isinstance(y, Batch) and y.level == level:
        return y.value
    return stretch(y, size)


def to_front(x: Any, axis: int) -> Value:
    """A mapped argument with its batch axis in front."""
    x = arrived(x)
    return x if axis == 0 else np.moveaxis(x, axis, 0)


def placed(pieces: Sequence[Value], differs: bool, axis: int | None, path: str) -> Value:
    """A result from its chunks, with its batch axis where it was asked for."""
    if axis is None:
        if differs:
            raise ShapeError(
                f"vmap: out_axes says None for result{path}, which differs between the examples; "
                "give the batch an axis"
            )
        return pieces[0][0]
    y = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    if not -y.ndim <= axis < y.ndim:
        raise ShapeError(
            f"vmap: out_axes says {axis} for result{path}, and its axes with the batch are "
            f"{y.ndim}; give the batch an axis from 0 to {y.ndim - 1}"
        )
    return y if axis == 0 else np.moveaxis(y, 0, axis)


def batch_size(leaves: list[Any], axes: list[Any], tree: Tree) -> int:
    """The one size that all mapped axes have."""
    size: int | None = None
    first = 0
    for k, (x, axis) in enumerate(zip(leaves, axes, strict=True)):
        if axis is None:
            continue
        shape = x.shape if isinstance(x, VALUES) else np.shape(x)
        if not -len(shape) <= axis < len(shape):
            raise ShapeError(
                f"vmap: argument{tree.paths[k]} has shape {shape} and no axis {axis} to map; "
                "use in_axes=None for an argument shared by all examples"
            )
        if size is None:
            size, first = shape[axis], k
        elif shape[axis] != size:
            raise ShapeError(
                f"vmap: argument{tree.paths[k]} has {shape[axis]} examples along axis {axis} and "
                f"argument{tree.paths[first]} has {size}; all mapped axes must be equal"
            )
    if size is None:
        raise ShapeError("vmap: no argument is mapped; give at least one an axis in in_axes")
    return size
