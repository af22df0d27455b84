"""Where the largest or smallest element along an axis is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval
from ...ops.reducing import ArgExtreme
from ..code import Buffer, Code
from ..element import Scalars
from .table import kernel


def orders(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Whether the elements have an order, and there is one to find."""
    return operands[0].dtype.kind != "c" and operands[0].shape[primitive.axis] > 0


@kernel(ArgExtreme, accepts=orders)
def search(
    code: Code, primitive: Any, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The first of the best, or the first NaN."""
    (x,), (out,) = operands, results
    scalars = Scalars(code)
    axis = primitive.axis % len(x.shape)
    count = x.shape[axis]
    inner = int(np.prod(x.shape[axis + 1 :]))
    better = "greater" if primitive.function == "argmax" else "less"
    best = Buffer(code.alloca("i8", x.dtype.itemsize), (), x.dtype, ())
    place = Buffer(code.alloca("i64"), (), out.dtype, ())
    with code.loop(int(np.prod(x.shape[:axis]))) as i, code.loop(inner) as j:
        row = code.op(f"mul nsw i64 {i}, {count * inner}")
        start = code.op(f"add nsw i64 {row}, {j}")
        scalars.store(scalars.load(x, start), best, 0)
        code.do(f"store i64 0, ptr {place.pointer}")
        with code.loop(count, 1) as k:
            step = code.op(f"mul nsw i64 {k}, {inner}")
            value = scalars.load(x, code.op(f"add nsw i64 {start}, {step}"))
            so_far = scalars.load(best, 0)
            wins = scalars.bits("logical_or", scalars.compare(better, value, so_far),
                                scalars.isnan(value))  # fmt: skip
            wins = scalars.bits("logical_and", wins, scalars.logical_not(scalars.isnan(so_far)))
            with code.when(scalars.register(wins)):
                scalars.store(value, best, 0)
                code.do(f"store i64 {k}, ptr {place.pointer}")
        at = code.op(f"mul nsw i64 {i}, {inner}")
        found = code.op(f"load i64, ptr {place.pointer}")
        code.do(f"store i64 {found}, ptr {code.place(out, code.op(f'add i64 {at}, {j}'))}")
