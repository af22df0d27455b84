"""Functions given piece by piece: select, piecewise, choose, interpolation, unwrapped phases."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..core.avals import Aval, Dtype, Value
from ..core.dispatch import Tracer, implements, overrides
from ..core.errors import ShapeError
from ..core.families import Opaque, stretch
from ..core.primitive import Parents, Primitive, Terms, Values, primitive
from ..core.samples import sample
from .arithmetic import scale, widened
from .faces import array, delivered, from_end, operand, seen
from .indexing import getitem
from .shaping import astype, made_anew

Side = Literal["left", "right"]


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Value:
    """For each lane the choice of the first condition that holds, or the default."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: {len(condlist)} conditions and {len(choicelist)} choices; give a choice for "
            "each condition, and at least one"
        )
    conditions = [array(c) for c in condlist]
    for k, c in enumerate(conditions):
        if c.dtype != np.bool_:
            raise TypeError(f"select: condition {k} is {c.dtype}; make it a comparison, c != 0")
    dtype = np.result_type(*choicelist, default)
    *choices, out = (typed(v, dtype) for v in (*choicelist, default))
    for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
        out = np.where(condition, choice, out)
    return out


def typed(x: Any, dtype: Any) -> Value:
    """An operand; a plain number takes the dtype of the others."""
    return np.asarray(x, dtype) if isinstance(x, int | float | complex) else operand(x)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Value:
    """Each function applied to the elements for which its condition holds.

    A condition that differs between the examples of `vmap` cannot pick elements, so there the
    functions see all of `x`, and the condition chooses among their results.
    """
    x = array(x)
    conditions = conditions_of(x, condlist)
    if len(conditions) == len(funclist) - 1:
        any_of_them = conditions[0]
        for c in conditions[1:]:
            any_of_them = any_of_them | c
        conditions.append(~any_of_them)
    if len(conditions) != len(funclist):
        raise ValueError(
            f"piecewise: {len(conditions)} conditions and {len(funclist)} functions; give as many "
            "functions, or one more for where no condition holds"
        )
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if isinstance(condition, Tracer):
            piece = typed(function(x, *args, **kw) if callable(function) else function, x.dtype)
            piece = piece if piece.dtype == x.dtype else piece.astype(x.dtype)
            y = overrides[np.where](condition, piece, y)
        elif not callable(function):
            y[condition] = function
        elif np.any(condition):
            y[condition] = function(x[condition], *args, **kw)
    return y


def conditions_of(x: Value, condlist: Any) -> list[Value]:
    """Conditions as masks; one condition may stand without a list around it."""
    if not isinstance(condlist, list | tuple):
        lone = np.ndim(condlist) <= min(x.ndim, 1)
        condlist = [condlist] if lone else list(condlist)
    elif np.ndim(condlist[0]) == 0 and x.ndim != 0:
        condlist = [condlist]
    masks = [array(c) for c in condlist]
    return [c if c.dtype == np.bool_ else c != 0 for c in masks]


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Value:
    """From `choices`, the one whose number stands in `a`, lane by lane.

    A traced number cannot be refused: one of no choice takes the first.
    """
    number, options = array(a), [operand(c) for c in choices]
    count = len(options)
    if mode == "raise":
        plain = seen(number)
        if plain is not None and np.any(bad := (plain < 0) | (plain >= count)):
            raise ValueError(
                f"choose: {np.extract(bad, plain)[0]} is no number of one of "
                f"{count} choices; pass mode='wrap' or 'clip', or mend the numbers"
            )
    elif mode == "wrap":
        number = number % count
    elif mode == "clip":
        number = np.clip(number, 0, count - 1)
    else:
        raise ValueError(f"choose: mode={mode!r} is unknown; use 'raise', 'wrap' or 'clip'")
    result, *rest = options
    for k, option in enumerate(rest, 1):
        result = np.where(number == k, option, result)
    shape = np.broadcast_shapes(np.shape(number), np.shape(result))
    return delivered("choose", made_anew(np.broadcast_to(result, shape), *options), out)


@primitive
class Segment(Opaque):
    """The number of the segment of `knots` that `x` lies in: -1 before all, n - 1 after them.

    At a knot it is the segment on the `side`.  The first `lead` axes of both are batches.
    """

    side: Side = "right"
    lead: int = 0
    samples = (
        sample("f64[3,4]", "f64[6]", kind="increasing"),
        sample("f64[3,4]", "f64[3,6]", kind="increasing", lead=1, side="left"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, np.dtype(np.intp))

    def evaluate(self, *xs: Value) -> Value:
        x, knots = xs
        if self.lead:
            return rowwise(Segment(self.side, self.lead - 1), np.dtype(np.intp), x, knots)
        return np.searchsorted(knots, x, self.side) - 1

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        if self.lead == 0 and not mapped[1]:
            return self(*xs)
        wide = (x if m else stretch(x, size) for x, m in zip(xs, mapped, strict=True))
        return Segment(self.side, self.lead + 1)(*wide)


def double(dtype: Dtype) -> Dtype:
    """The double precision that `np.interp` computes in."""
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def rowwise(inner: Primitive, dtype: Dtype, x: Value, *others: Value) -> Value:
    """A primitive applied to each example of a batch; the result has the shape of `x`."""
    out = np.empty(x.shape, dtype)
    for k in range(len(x)):
        out[k] = inner(x[k], *(other[k] for other in others))
    return out


@primitive
class Interp(Primitive):
    """The broken line through the points (xp, fp) at x, level before the first and after the last.

    On the segment from point j to the next, of slope s and with w = (x - xp_j) / (xp_k - xp_j),
    d = (1 - w) (dfp_j - s dxp_j) + w (dfp_k - s dxp_k) + s dx.  At a knot, the mean of the two
    sides.  The first `lead` axes of all operands are batches.
    """

    lead: int = 0
    keeps_out = False
    is_double = True
    samples = (
        sample("f64[3,4]", "f64[6]", "f64[6]", within=(-2.0, 2.0), kind="increasing"),
        sample("f64[2,3]", "f64[2,5]", "f64[2,5]", kind="increasing", lead=1),
        sample("f64[3]", "f64[5]", "c128[5]", kind="increasing"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, double(avals[2].dtype))

    def evaluate(self, *xs: Value) -> Value:
        if self.lead:
            return rowwise(Interp(self.lead - 1), double(xs[2].dtype), *xs)
        return np.interp(*xs)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return 0.5 * (self.one_sided("left", i, dx, *xs) + self.one_sided("right", i, dx, *xs))

    def one_sided(self, side: Side, i: int, d: Value, x: Value, xp: Value, fp: Value) -> Value:
        """The tangent along a change `d` of operand `i`, at a knot from one side."""
        last = xp.shape[-1] - 1
        segment = Segment(side, self.lead)(x, xp)
        inside = (segment >= 0) & (segment < last)
        j = np.clip(segment, 0, last)
        k = np.clip(segment + 1, 0, last)
        start = self.pick(xp, j)
        length = np.where(inside, self.pick(xp, k) - start, 1.0)
        undefined = np.where(x == x, 0.0, np.nan)
        slope = (self.pick(fp, k) - self.pick(fp, j)) / length + undefined
        if i == 0:
            return scale(d, np.where(inside | (x != x), slope, 0))
        w = np.where(inside, (x - start) / length, 0.0) + undefined
        change = (1.0 - w) * self.pick(d, j) + w * self.pick(d, k)
        return change if i == 2 else -np.where(inside, slope, 0) * change

    def pick(self, values: Value, number: Value) -> Value:
        """The value of that number, in each batch."""
        sizes = values.shape[: self.lead]
        rest = (1,) * (number.ndim - self.lead)
        rows = (np.reshape(r, (*r.shape, *rest)) for r in np.indices(sizes, sparse=True))
        return getitem(values, (*rows, number))

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        if self.lead == 0 and not (mapped[1] or mapped[2]):
            return self(*xs)
        wide = (x if m else stretch(x, size) for x, m in zip(xs, mapped, strict=True))
        return Interp(self.lead + 1)(*wide)


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Value:
    """The broken line through (xp, fp) at `x`; `left` and `right` replace its level ends.

    With `period`, x and xp are taken modulo it, and the ends join.
    """
    x, xp, fp = widened(array(x)), widened(array(xp)), widened(array(fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(
            f"interp: xp has shape {xp.shape} and fp {fp.shape}; both must be one axis of equal, "
            "positive length"
        )
    if period is None:
        return with_ends(Interp()(x, xp, fp), x, xp, left, right)
    round_ = seen(operand(period))
    if round_ is not None and np.any(round_ == 0):
        raise ValueError("interp: period is 0; give the length of one round")
    period = np.abs(period)
    x, xp = (astype(v, np.float64) % period for v in (x, xp))
    order = np.argsort(xp)
    xp, fp = getitem(xp, order), getitem(fp, order)
    xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
    return Interp()(x, xp, np.concatenate((fp[-1:], fp, fp[:1])))


def with_ends(y: Value, x: Value, xp: Value, left: Any, right: Any) -> Value:
    """An interpolation with its level ends replaced."""
    if left is not None:
        y = np.where(x < xp[0], left, y)
    return y if right is None else np.where(x > xp[-1], right, y)


@primitive
class Unwrap(Primitive):
    """`np.unwrap`: whole periods added so that neighbours are less than half of one apart.

    What is added is constant, so d = dx.
    """

    axis: int = -1
    discont: float | None = None
    period: float = 2 * np.pi
    keeps_out = False
    samples = (
        sample("f64[7]", within=(-6.0, 6.0), kind="distinct"),
        sample("f64[3,5]", within=(-6.0, 6.0), axis=-2, period=4.0, kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, np.result_type(avals[0].dtype, self.period))

    def evaluate(self, *xs: Value) -> Value:
        return np.unwrap(xs[0], self.discont, self.axis, period=self.period)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return dx

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return [alive]

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return tuple(parents)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Value:
    """`p` with whole periods added where neighbours jump by more than half of one."""
    x = array(p)
    limit = None if discont is None else float(discont)
    length = period if isinstance(period, int | float) else float(period)
    return Unwrap(from_end(axis, x.ndim, "unwrap"), limit, length)(x)
