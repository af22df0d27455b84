"""Matrix products and einsums of two operands."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...core.avals import Aval
from ...ops.einsum import Einsum, split
from ...ops.products import MatMul
from ..code import Buffer, Code, row_major
from ..pieces import ALIKE
from .axes import Axis
from .contraction import contract, plan, scratch_for
from .table import kernel


def broadcast_strides(x: Buffer, count: int, keep: int) -> tuple[int, ...]:
    """The strides of the axes before the last `keep`, 0 where they broadcast, `count` of them."""
    lead = len(x.shape) - keep
    steps = [0 if x.shape[k] == 1 else x.strides[k] for k in range(max(lead, 0))]
    return (*(0,) * (count - len(steps)), *steps)


def axes_of_matmul(a: Buffer, b: Buffer, out: Aval) -> list[Axis]:
    """The axes of `a @ b`."""
    m, n = min(len(a.shape), 2), min(len(b.shape), 2)
    steps = row_major(out.shape)
    count = len(out.shape) - (m - 1) - (n - 1)
    axes = [
        Axis(*each)
        for each in zip(
            out.shape[:count], broadcast_strides(a, count, m), broadcast_strides(b, count, n),
            steps[:count], strict=True,
        )
    ]  # fmt: skip
    if m == 2:
        axes.append(Axis(a.shape[-2], a.strides[-2], 0, steps[count]))
    if n == 2:
        axes.append(Axis(b.shape[-1], 0, b.strides[-1], steps[-1]))
    axes.append(Axis(a.shape[-1], a.strides[-1], b.strides[-n], 0, True))
    return axes


def axes_of_einsum(spec: str, a: Buffer, b: Buffer, out: Aval) -> list[Axis]:
    """The axes of an einsum, one for each letter."""
    letters = split(spec)
    sizes: dict[str, int] = {}
    steps: list[dict[str, int]] = []
    strides = (a.strides, b.strides, row_major(out.shape))
    for names, shape, own in zip(letters, (a.shape, b.shape, out.shape), strides, strict=True):
        sizes.update(zip(names, shape, strict=True))
        step: dict[str, int] = {}
        for name, stride in zip(names, own, strict=True):
            step[name] = step.get(name, 0) + stride  # a letter twice in one array: its diagonal
        steps.append(step)
    found = []
    for name, size in sizes.items():
        first, second, result = (step.get(name, 0) for step in steps)
        found.append(Axis(size, first, second, result, name not in letters[2]))
    return found


def axes_of(primitive: MatMul | Einsum, operands: Sequence[Buffer], result: Aval) -> list[Axis]:
    """The axes of either."""
    a, b = operands[:2]
    if isinstance(primitive, Einsum):
        return axes_of_einsum(primitive.spec, a, b, result)
    return axes_of_matmul(a, b, result)


def scratch(primitive: MatMul | Einsum, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
    """Memory for copies that BLAS can read."""
    (out,) = results
    axes = axes_of(primitive, operands, out)
    return scratch_for(plan(axes, operands[0].dtype, operands[1].dtype, out.dtype), out.dtype)


def work(primitive: MatMul | Einsum, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
    """The multiplications, of which a product does several in the time of an operation."""
    return math.prod(axis.size for axis in axes_of(primitive, operands, results[0])) // ALIKE


@kernel(MatMul, Einsum, accepts_strides=True, scratch=scratch, work=work)
def product(
    code: Code,
    primitive: MatMul | Einsum,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """Both are one contraction."""
    (out,) = results
    a, b, *memory = operands
    axes = axes_of(primitive, operands, Aval(out.shape, out.dtype))
    contract(code, axes, a, b, out, memory[0] if memory else None)
