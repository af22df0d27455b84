"""Choosing between values: where, maximum and minimum, clip, and their kin."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy._core.umath import clip as clip_of_arrays  # type: ignore[attr-defined]

from ..core.avals import Aval, Value, promote
from ..core.dispatch import concrete, examples, implements, overrides
from ..core.element import Element, Scalar
from ..core.families import Elementwise, Smooth, shrink
from ..core.primitive import Parents, Product, Terms, Values, primitive
from ..core.samples import sample
from ..core.sweep import has_nan
from .faces import array, delivered, face, operand

PAIRS = (
    sample("f64[3,4]", "f64[3,4]"),
    sample("f64[4]", "f64[3,1]"),
    sample("f64[3,1]", "f64[3,1]"),
)
UNSET: Any = np._NoValue  # NumPy's own mark of an argument that was left out


@primitive
class Where(Elementwise):
    """`x` where `mask` holds, `y` elsewhere: linear in x and y together."""

    is_tame = True
    ufunc = np.where
    is_selection = True
    samples = (
        sample("bool[3,4]", "f64[3,4]", "f64[3,4]"),
        sample("bool[3,1]", "f64[4]", "f64[]"),
    )

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return promote(*avals[1:])

    def is_linear(self, positions: set[int]) -> bool:
        return 0 not in positions

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        _, dx, dy = dxs
        return self(xs[0], 0.0 if dx is None else dx, 0.0 if dy is None else dy)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        mask, (_, x, y) = xs[0], parents
        return (
            None,
            None if x is None else self(mask, ct, np.zeros((), ct.dtype)),
            None if y is None else self(mask, np.zeros((), ct.dtype), ct),
        )

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        chosen = (alive & xs[0], alive & np.logical_not(xs[0]))
        lanes = [
            None if p is None else shrink(live, p.shape)
            for live, p in zip(chosen, parents[1:], strict=True)
        ]
        return (None, *lanes)

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return (values[0], *parents[1:])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.select(*xs)


class Extreme(Smooth):
    """One of two operands, the better in an order; at a tie each gets half the slope.

    A NaN operand makes both slopes NaN; where `forgiving`, the other operand is taken.
    """

    is_tame = True
    is_selection = True
    forgiving: ClassVar[bool] = False

    def better(self, x: Value, y: Value) -> Value:
        """Whether `x` is taken rather than `y`, and is no tie."""
        raise NotImplementedError

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        mine, other = xs[i], xs[1 - i]
        slope = share(self.better(mine, other), mine, other)
        if not self.forgiving:
            return slope
        one = mine.dtype.type(1)
        slope = np.where(np.isnan(mine) & ~np.isnan(other), one - one, slope)
        return np.where(np.isnan(other) & ~np.isnan(mine), one, slope)


@primitive
class Maximum(Extreme):
    """The larger of two, NaN where either is.  A tie is shared equally."""

    ufunc = np.maximum
    samples = (*PAIRS, sample("c128[3]", "c128[3]"))

    def better(self, x: Value, y: Value) -> Value:
        return x > y


@primitive
class Minimum(Extreme):
    """The smaller of two, NaN where either is.  A tie is shared equally."""

    ufunc = np.minimum
    samples = PAIRS

    def better(self, x: Value, y: Value) -> Value:
        return x < y


@primitive
class FMax(Extreme):
    """The larger of two, NaN only where both are.  A tie is shared equally."""

    ufunc = np.fmax
    forgiving = True
    samples = PAIRS

    def better(self, x: Value, y: Value) -> Value:
        return x > y


@primitive
class FMin(Extreme):
    """The smaller of two, NaN only where both are.  A tie is shared equally."""

    ufunc = np.fmin
    forgiving = True
    samples = PAIRS

    def better(self, x: Value, y: Value) -> Value:
        return x < y


def share(wins: Value, x: Value, y: Value) -> Value:
    """The slope in `x`: 1 where it wins, half at a tie, NaN where either is NaN."""
    one = x.dtype.type(1)
    ties = x == y
    if isinstance(wins, np.ndarray):  # plain: a sixth of the time, for what is rare is rare
        slope = wins.astype(x.dtype)
        if np.count_nonzero(ties):
            np.copyto(slope, one / 2, where=ties)
        if has_nan(x) or has_nan(y):
            np.copyto(slope, np.nan, where=(x != x) | (y != y))
        return slope
    unknown = (x != x) | (y != y)
    return np.where(unknown, np.nan * one, np.where(wins, one, np.where(ties, one / 2, one - one)))


@primitive
class Clip(Smooth):
    """`x` held between `low` and `high`: min(max(x, low), high), and so its derivative.

    At a bound x and the bound get half the slope each; where low > high the result is high.
    NumPy's own function of three arrays is not public; `array.clip(t, 1)` calls it.
    """

    is_tame = True
    ufunc = np.clip
    is_selection = True
    samples = (
        sample("f64[3,4]", "f64[]", "f64[4]"),
        sample("f64[5]", "f64[1]", "f64[1]", within=(-3.0, 3.0)),
    )

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        x, low, high = xs
        raised = np.maximum(x, low)
        if i == 2:
            return share(high < raised, high, raised)
        kept = share(raised < high, raised, high)
        return kept * (share(x > low, x, low) if i == 0 else share(low > x, low, x))

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        x, low, high = xs
        return e.call("minimum", e.call("maximum", x, low), high)


where_, clip_ = Where(), face(Clip(), clip_of_arrays)
maximum = face(Maximum(), np.maximum)
minimum = face(Minimum(), np.minimum)
fmax = face(FMax(), np.fmax)
fmin = face(FMin(), np.fmin)


@implements(np.where)
def where(condition: Any, *branches: Any) -> Value:
    """`x` where the condition holds, `y` elsewhere; with one argument, `np.nonzero`."""
    if not branches:
        return np.nonzero(condition)
    x, y = map(operand, branches)
    mask = array(condition)
    return where_(mask if mask.dtype == np.bool_ else mask != 0, x, y)


@implements(np.clip)
def clip(
    a: Any,
    a_min: Any = UNSET,
    a_max: Any = UNSET,
    out: Any = None,
    *,
    min: Any = UNSET,
    max: Any = UNSET,
    **options: Any,
) -> Value:
    """`a` held between bounds, either of which may be None, an array or a tensor."""
    if a_min is UNSET and a_max is UNSET:
        low, high = min, max
    elif a_min is UNSET or a_max is UNSET:
        missing = "a_min" if a_min is UNSET else "a_max"
        raise TypeError(f"clip: {missing} is missing; give None for a side without a bound")
    elif min is UNSET and max is UNSET:
        low, high = a_min, a_max
    else:
        raise ValueError("clip: the bounds are given twice; give a_min and a_max, or min and max")
    low, high = (None if bound is UNSET else bound for bound in (low, high))
    x = array(a)
    if low is None and high is None:
        result = np.positive(x, **options)
    elif low is None:
        result = np.minimum(x, operand(high), **options)
    elif high is None:
        result = np.maximum(x, operand(low), **options)
    else:
        result = overrides[clip_of_arrays](x, low, high, **options)
    return delivered("clip", result, out)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Value:
    """`x` with finite numbers for NaN and infinities; those lanes have no slope."""
    given = array(x)
    if given.dtype.kind not in "fc":
        return np.copy(given)
    options = (nan, posinf, neginf)
    if given.dtype.kind == "c":
        result = finite(np.real(given), *options) + 1j * finite(np.imag(given), *options)
    else:
        result = finite(given, *options)
    if copy:
        return result
    given[...] = result
    return given


def finite(x: Value, nan: Any, posinf: Any, neginf: Any) -> Value:
    """Real `x` with replacements for what is not finite, in its own precision."""
    limits = np.finfo(x.dtype)
    for lanes, value in (
        (np.isnan(x), nan),
        (np.isposinf(x), limits.max if posinf is None else posinf),
        (np.isneginf(x), limits.min if neginf is None else neginf),
    ):
        value = operand(value)
        same = value if np.result_type(value) == x.dtype else array(value).astype(x.dtype)
        x = np.where(lanes, same, x)
    return x


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Value:
    """The real part of `a` if all imaginary parts are within `tol` (in epsilons when above 1)."""
    x = array(a)
    if x.dtype.kind != "c":
        return x
    if tol > 1:
        tol = tol * np.finfo(x.dtype).eps
    seen = examples(x)  # all examples of a batch have one type
    parts = concrete(x).imag if seen is None else seen.imag
    return np.real(x) if np.all(np.absolute(parts) < tol) else x
