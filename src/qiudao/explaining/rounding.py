"""`qd.rounding`: where the digits of a result are lost, line by line, to first order.

Each operation rounds its result, a relative change of at most u = eps / 2 (one rounding; sums and
products of matrices round every partial sum).  To first order that moves the final result by
|adjoint| |value| u (Linnainmaa 1976, "Taylor expansion of the accumulated rounding error"), and the
adjoints of all values come from one backward sweep.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.avals import Dtype, Value, describe
from ..core.errors import GradientError
from ..core.node import Equation
from ..core.parts import Part
from ..core.source import Line
from .graph import title_of
from .labels import line_of
from .summary import number
from .sweeps import backward, values_of
from .witness import Step, observe

EXACT = {
    "reshape", "transpose", "getitem", "flip", "where", "concatenate", "copy", "negative",
    "absolute", "stretch", "takealong", "gather", "setitem", "put", "max", "min", "maximum",
    "minimum", "clip", "sort", "stopgradient", "positive", "real", "imag", "conjugate", "diagonal",
    "pool", "place", "partition", "ondiagonal", "scale",
}  # fmt: skip
SUMS = {"sum": 1, "matmul": 2, "einsum": 2, "cumsum": 1, "convolve": 2, "variance": 1}


@dataclass(frozen=True, slots=True)
class Rounded:
    """What the roundings of one line may change in the result, at most and to first order.

    `error` is in units of the result; `share` is its part of the whole; `single` is the error that
    the line would make if it alone were computed in float32, and `can_be_single` whether that is
    within the tolerance.
    """

    line: Line
    operations: int
    error: float
    share: float
    single: float
    can_be_single: bool


class Rounding:
    """The first-order error of a result: printed, a table of lines.

    `result` is the value, of type `dtype`, `error` the bound on what all roundings together change
    in it, `bits` how many of its bits they may spoil, `condition` how many times larger a relative
    error of the inputs comes out, and `lines` has a `Rounded` for each line, largest error first.
    """

    def __init__(
        self,
        title: str,
        result: float,
        error: float,
        condition: float,
        lines: list[Rounded],
        dtype: Dtype,
    ) -> None:
        self.title = title
        self.result = result
        self.error = error
        self.condition = condition
        self.lines = lines
        self.dtype = dtype

    @property
    def relative(self) -> float:
        """The error as a part of the result."""
        if self.result == 0:
            return math.inf if self.error else 0.0
        return self.error / abs(self.result)

    @property
    def bits(self) -> float:
        """How many bits of the result may be wrong: 0 for a single rounding."""
        worst = self.relative / float(np.finfo(self.dtype).eps)
        if not math.isfinite(worst):
            return worst
        return max(0.0, math.log2(2 * worst)) if worst else 0.0

    def __repr__(self) -> str:
        head = (
            f"rounding of {self.title} = {number(self.result, 6)}: at most "
            f"{number(self.error, 3)}, {number(self.relative, 3)} of it ({number(self.bits, 3)} "
            "bits lost)"
        )
        rows = [row_of(r) for r in self.lines]
        tail = (
            f"a relative error of the inputs comes out {number(self.condition, 3)} times as large"
        )
        return "\n".join([head, f"  {'share':>8}  {'error':>9}", *rows, tail])


def row_of(r: Rounded) -> str:
    """A line of the table."""
    share, error = f"{100 * r.share:.1f} %", number(r.error, 3)
    kind = "float32 ok" if r.can_be_single else "float64"
    return f"  {share:>8}  {error:>9}  {kind:<10}  {line_of(r.line)}  {r.line.text}"


def rounding(
    f: Callable[..., Any], /, *args: Any, tolerance: float = 1e-6, **kwargs: Any
) -> Rounding:
    """Which lines of `f` lose the digits of its result, and which may be computed in float32.

    `f(*args, **kwargs)` is run on its real values and must give one real number.  For each line the
    bound sum(|adjoint| |value|) u over its operations says what its roundings may change in the
    result, to first order; of sums and products of matrices the absolute terms count, so that
    cancellation within them shows.  A line may be computed in float32 where that alone keeps the
    relative error of the result below `tolerance`.  Copies, slices and choices round nothing.

    Raises what `f` raises; `GradientError` where the result is no real number or depends on no
    input.

    >>> import qiudao as qd
    >>> report = qd.rounding(lambda x: (x + 1e8) - 1e8, 0.1)
    >>> 26 < report.bits < 31  # the sum keeps few digits of x
    True
    """
    seen = observe(f, args, kwargs)
    title = title_of(f)
    outs = [np.asarray(y.value) for y in seen.outputs]
    if len(outs) != 1 or outs[0].ndim or outs[0].dtype.kind != "f":
        gave = describe(outs[0].shape, outs[0].dtype) if len(outs) == 1 else f"{len(outs)} results"
        raise GradientError(
            f"rounding: {title} must give one real number, and it gave {gave}; reduce what it "
            "gives, or pick one, in a function of your own"
        )
    (out,) = seen.outputs
    if not out.flows:
        raise GradientError(f"rounding: the result of {title} depends on no input; pass floats")
    done = backward(seen, [(out, np.ones((), out.node.dtype)[()])])
    result = float(out.value)
    lines: dict[tuple[str, int], list[tuple[Step, float, float]]] = {}
    for step in seen.steps:
        node = step.node
        gradient = done.gradient(step)
        if not isinstance(node, Equation) or gradient is None or not rounds(step):
            continue
        size = magnitude(step)
        with np.errstate(all="ignore"):
            weight = float(np.sum(np.abs(gradient) * size))
        unit = float(np.finfo(node.dtype).eps) / 2
        single = weight * float(np.finfo(np.float32).eps) / 2
        key = node.line.file, node.line.number
        lines.setdefault(key, []).append((step, weight * unit, single))
    error = math.fsum(e for rows in lines.values() for _, e, _ in rows)
    with np.errstate(all="ignore"):  # 0 times infinity is an answer here
        condition = sum(
            float(np.sum(np.abs(g) * np.abs(x.value)))
            for x in seen.inputs
            if (g := done.gradient(x)) is not None
        )
    found = [summed(rows, error, tolerance * abs(result)) for rows in lines.values()]
    found.sort(key=lambda r: -r.error)
    relative = condition / abs(result) if result else math.inf
    return Rounding(title, result, error, relative, found, out.node.dtype)


def summed(rows: list[tuple[Step, float, float]], total: float, allowed: float) -> Rounded:
    """The operations of one line together."""
    node = rows[0][0].node
    error, single = math.fsum(e for _, e, _ in rows), math.fsum(s for _, _, s in rows)
    line = node.line if isinstance(node, Equation) else Line("", 0, "")
    share = error / total if total else 0.0
    return Rounded(line, len(rows), error, share, single, single <= allowed)


def rounds(step: Step) -> bool:
    """Whether an operation rounds at all."""
    node = step.node
    return (
        isinstance(node, Equation)
        and not node.is_several
        and not isinstance(node.primitive, Part)
        and node.dtype.kind in "fc"
        and node.primitive.name not in EXACT
    )


def magnitude(step: Step) -> Value:
    """The size of what is rounded: of the result, or of the absolute terms of a sum."""
    node = step.node
    if isinstance(node, Equation) and node.primitive.name in SUMS:
        sizes = [np.abs(x) for x in values_of(step)]
        terms = math.prod(np.shape(sizes[0])) / max(math.prod(node.shape), 1)
        rounded = max(1.0, math.log2(max(terms, 1.0)))  # sums are added up in pairs
        with np.errstate(all="ignore"):
            return rounded * np.abs(node.primitive.evaluate(*sizes))
    return np.abs(step.value)
