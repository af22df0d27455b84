"""Programs run by the modes: with tangents, backwards, over a batch.  Rules trace these runs."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.modes import Running, new_level
from ...core.node import Leaf, Node
from ...core.program import Program
from ...core.sweep import Masks, Sweep, fit, sweep
from ...tape.operators import product_below
from ...tape.tensor import Tensor
from ..batch import Batch
from ..dual import Dual
from ..reverse import lower
from ..trace import traced

T = TypeVar("T")


def chosen(values: Iterable[T], flags: Iterable[bool]) -> list[T]:
    """The values whose flag is set."""
    return list(itertools.compress(values, flags))


def spread(values: Iterable[T], flags: Iterable[bool]) -> list[T | None]:
    """The values in the places whose flag is set, None in the others."""
    rest = iter(values)
    return [next(rest) if flag else None for flag in flags]


def split(values: Sequence[T], *counts: int) -> list[list[T]]:
    """Consecutive groups of these sizes; what is left makes the last."""
    ends = list(itertools.accumulate(counts, initial=0))
    groups = [list(values[a:b]) for a, b in itertools.pairwise(ends)]
    return [*groups, list(values[ends[-1] :])]


def zeros(like: Any) -> Value:
    """A tangent or cotangent of zero, for a value or a type."""
    aval = aval_of(like) if not isinstance(like, Aval) else like
    return np.zeros(aval.shape, aval.dtype)[()]


def avals_of(*groups: Iterable[Value]) -> list[Aval]:
    """The types of the values of all groups, one after another."""
    return [aval_of(x) for group in groups for x in group]


def program_of(f: Callable[..., Sequence[Value]], avals: Sequence[Aval]) -> Program:
    """The program of a function of values of these types that gives a sequence of values."""
    return traced(f, avals, lambda symbols: (symbols, {})).program


def with_tangents(
    program: Program, xs: Sequence[Value], dxs: Sequence[Value | None]
) -> tuple[list[Value], list[Value | None]]:
    """Forward: the outputs, and their tangents where they have one."""
    level = new_level()
    duals = [x if dx is None else Dual(x, fit(dx, aval_of(x)), level) for x, dx in zip(xs, dxs)]
    with Running(level):
        ys = program(*duals)
    mine = [isinstance(y, Dual) and y.level == level for y in ys]
    primals = [y.primal if m else y for y, m in zip(ys, mine)]
    return primals, [y.tangent if m else None for y, m in zip(ys, mine)]


def recorded(
    program: Program, xs: Sequence[Value], wanted: Sequence[bool]
) -> tuple[list[Leaf | None], list[tuple[Value, Node | None]]]:
    """The program run on a tape: a leaf for each of the `wanted` inputs, and each output's value
    and node.
    """
    level = new_level()
    leaves = [Leaf(tuple(x.shape), x.dtype) if want else None for x, want in zip(xs, wanted)]
    tensors = [x if leaf is None else Tensor.make(x, leaf, level) for x, leaf in zip(xs, leaves)]
    with Running(level):
        ys = program(*tensors)
    return leaves, [lower(y, level) for y in ys]


def backwards(
    program: Program,
    xs: Sequence[Value],
    wanted: Sequence[bool],
    cts: Sequence[Value | None],
    alive: Sequence[Value | None] | None = None,
) -> list[Value | None]:
    """Reverse: the cotangents of the `wanted` inputs, from those of the outputs.

    A sweep with masks starts from the lanes that are `alive` (None: where a cotangent is not 0).
    """
    leaves, lowered = recorded(program, xs, wanted)
    arrived = [n is not None and ct is not None for (_, n), ct in zip(lowered, cts)]
    found = sweep(
        [(n, ct) for (_, n), ct in zip(lowered, cts) if n is not None and ct is not None],
        wanted={leaf for leaf in leaves if leaf is not None},
        product=product_below(v for v, _ in lowered),
        alive=None if alive is None else chosen(alive, arrived),
    )
    return [None if leaf is None else found.get(leaf) for leaf in leaves]


def lanes_back(
    program: Program, xs: Sequence[Value], wanted: Sequence[bool], alive: Sequence[Value | None]
) -> list[Value | None]:
    """Reverse: the lanes of the `wanted` inputs that the live lanes of the outputs depend on."""
    leaves, lowered = recorded(program, xs, wanted)
    seeds = [(n, lanes) for (_, n), lanes in zip(lowered, alive)
             if n is not None and lanes is not None]  # fmt: skip
    masks: Masks = {}
    run = Sweep([(n, zeros(n)) for n, _ in seeds], {leaf for leaf in leaves if leaf is not None})
    run(masks, [lanes for _, lanes in seeds])
    return [whole(masks, leaf) if leaf and leaf.number in masks else None for leaf in leaves]


def whole(masks: Masks, leaf: Leaf) -> Value:
    """The live lanes of a leaf as an array."""
    lanes = masks[leaf.number]
    return np.ones(leaf.shape, bool) if lanes is None else lanes


def no_lanes(like: Any) -> Value:
    """The mask of a value that nothing depends on."""
    return np.zeros(like.shape, bool)[()]


class Sense(NamedTuple):
    """What goes back through a program: what becomes of it there, none of it, and two together."""

    through: Callable[..., list[Value | None]]
    none: Callable[[Any], Value]
    both: Callable[[Value, Value], Value]


COTANGENTS = Sense(backwards, zeros, operator.add)
LANES = Sense(lanes_back, no_lanes, np.logical_or)


def over_batch(
    program: Program, xs: Sequence[Value], mapped: Sequence[bool]
) -> tuple[list[Value], list[bool]]:
    """Batched: the outputs for operands of which some have the batch in front, and which have."""
    level = new_level()
    with Running(level):
        ys = program(*(Batch(x, level) if m else x for x, m in zip(xs, mapped)))
    mine = [isinstance(y, Batch) and y.level == level for y in ys]
    return [y.value if m else y for y, m in zip(ys, mine)], mine
