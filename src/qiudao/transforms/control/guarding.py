"""Programs told which examples of a batch take part (see `core/living.py`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.avals import Aval, Value, is_inexact
from ...core.living import MayLoop
from ...core.node import Leaf
from ...core.program import Program, apply, operands_of
from ...ops.stopping import stop_gradient
from ...passes.opened import Writer
from .running import over_batch

FLAG = Aval((), np.dtype(bool))


def guarded(program: Program) -> Program | None:
    """The program with one more input, in front: whether the example takes part.

    None where nothing in it waits for a condition.
    """
    live = Leaf(FLAG.shape, FLAG.dtype)
    writer = Writer(program)
    found = False
    for e in program.equations:
        operands = [writer.atom(x) for x in operands_of(e)]
        both = e.primitive.guarded(live, operands) if isinstance(e.primitive, MayLoop) else None
        if both is None:
            writer.copy(e)
            continue
        found = True
        writer.defined[e] = apply(*both, None, e)
        writer.equations.append(writer.defined[e])
    if not found:
        return None
    written = writer.written()
    return Program((live, *written.inputs), written.equations, written.outputs)


def unread(program: Program) -> Program:
    """The program with that input, which nothing in it reads."""
    inputs = (Leaf(FLAG.shape, FLAG.dtype), *program.inputs)
    return Program(inputs, program.equations, program.outputs)


def with_flag(program: Program) -> Program:
    """The program with that input, whether it is read or not."""
    return guarded(program) or unread(program)


def over_live(
    program: Program, live: Value, xs: Sequence[Value], mapped: Sequence[bool]
) -> tuple[list[Value], list[bool]]:
    """`over_batch`, where only the examples for which `live` holds take part.

    The others send no cotangents back, which could be NaN: zero times an infinite slope.
    """
    xs = [
        np.where(along(live, x), x, stop_gradient(x)) if m and is_inexact(x.dtype) else x
        for x, m in zip(xs, mapped)
    ]
    made = guarded(program)
    if made is None:
        return over_batch(program, xs, mapped)
    return over_batch(made, [live, *xs], [True, *mapped])


def along(flags: Value, x: Value) -> Value:
    """Flags of the examples, shaped so as to choose among whole examples of `x`."""
    return np.reshape(flags, (flags.shape[0], *[1] * (np.ndim(x) - 1)))


def chooses(index: Value, k: int, count: int) -> Value:
    """Whether an integer chooses branch `k` of so many: each example's, where it has a batch."""
    return np.clip(index, 0, count - 1) == k
