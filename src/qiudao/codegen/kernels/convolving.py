"""Windows of convolutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...ops.convolving import Convolve
from ..code import Buffer, Code, Register
from .loops import nest, offset_of, plus, times
from .numbers import Offset, Variable, add, load, multiply, nothing, store
from .table import kernel
from .views import broadcast


@kernel(Convolve, accepts_strides=True)
def convolve(
    code: Code, primitive: Convolve, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """For each element of the window, the sum over the places of `b` that meet one of `a`."""
    (a, b), (out,) = operands, results
    if out.size == 0:
        return
    count = len(primitive.starts)
    lead = out.shape[:-count]
    total = Variable(code, out.dtype)
    with nest(code, out.shape) as indices:
        at: list[Offset] = []
        for x in (a, b):
            steps = broadcast(x.strides[:-count], x.shape[:-count], lead)
            at.append(offset_of(code, indices[: len(lead)], steps))
        total.set(nothing(out.dtype))
        add_products(code, primitive, (a, b), at, indices[len(lead) :], total)
        store(code, total.get(), out, offset_of(code, indices, out.strides))


def add_products(
    code: Code,
    primitive: Convolve,
    pair: tuple[Buffer, Buffer],
    at: Sequence[Offset],
    window: Sequence[Offset],
    total: Variable,
    axis: int = 0,
) -> None:
    """Loop over the axes from `axis` on, and add each product to the total."""
    count, (a, b) = len(primitive.starts), pair
    dtype = np.result_type(a.dtype, b.dtype)
    if axis == count:
        product = multiply(code, load(code, a, at[0], dtype), load(code, b, at[1], dtype), dtype)
        total.set(add(code, total.get(), product, dtype))
        return
    n, m = a.shape[axis - count], b.shape[axis - count]
    across, along = a.strides[axis - count], b.strides[axis - count]
    place = plus(code, window[axis], primitive.starts[axis])
    low = bounded(code, "sgt", plus(code, place, 1 - n), 0)
    high = bounded(code, "slt", plus(code, place, 1), m)
    with code.loop(high, low) as j:
        mirrored = code.op(f"sub i64 {place}, {j}")
        moved = (
            plus(code, at[0], times(code, mirrored, across)),
            plus(code, at[1], times(code, j, along)),
        )
        add_products(code, primitive, pair, moved, window, total, axis + 1)


def bounded(code: Code, comparison: str, x: Offset, limit: int) -> Register:
    """An offset, or the limit where the offset does not compare so with it."""
    holds = code.op(f"icmp {comparison} i64 {x}, {limit}")
    return code.op(f"select i1 {holds}, i64 {x}, i64 {limit}")
