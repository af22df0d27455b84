"""Sums, products, extremes, statistics and running totals along axes."""

from __future__ import annotations

from ....ops import quantiles, reducing, scanning, statistics
from ....ops.linalg import norms
from .. import helpers
from ..code import Code, call, method, tuple_of
from ..constants import number
from ..table import Phrase, Term, spells

NAMES = {reducing.Sum: "sum", reducing.Prod: "prod", reducing.Max: "max", reducing.Min: "min"}


def along(x: Term, axes: tuple[int, ...], keepdims: bool = False) -> dict[str, object]:
    """The arguments `axis=` and `keepdims=`, where they are not NumPy's own."""
    named: dict[str, object] = {}
    if sorted(a % x.ndim for a in axes) != list(range(x.ndim)):
        known = tuple(a % x.ndim if x.ndim < 3 else a for a in axes)
        named["axis"] = known[0] if len(known) == 1 else tuple_of(known)
    if keepdims:
        named["keepdims"] = True
    return named


@spells(*NAMES)
def reduction(p: Phrase) -> Code:
    """`np.sum(x, axis=0)`."""
    q, x = p.primitive, p.xs[0]
    name = NAMES[type(q)]
    if not q.axes:  # over no axes: sums of whole numbers widen them
        return call(f"np.{name}", x.code, axis="()", **({"keepdims": True} if q.keepdims else {}))
    return call(f"np.{name}", x.code, **along(x, q.axes, q.keepdims))


@spells(reducing.ArgExtreme)
def arg_extreme(p: Phrase) -> Code:
    """`np.argmax(x, axis=0)`."""
    q, x = p.primitive, p.xs[0]
    named = along(x, (q.axis,)) if x.ndim > 1 else {}
    if q.keepdims:
        named |= {"axis": q.axis, "keepdims": True}
    return call(f"np.{q.function}", x.code, **named)


@spells(reducing.Truth)
def truth(p: Phrase) -> Code:
    """`np.any(x, axis=0)`."""
    q, x = p.primitive, p.xs[0]
    if not q.axes:
        return call(f"np.{q.function}", x.code, axis="()", keepdims=q.keepdims)
    return call(f"np.{q.function}", x.code, **along(x, q.axes, q.keepdims))


@spells(reducing.LogSumExp)
def log_sum_exp(p: Phrase) -> Code:
    """The logarithm of sum e^x."""
    q = p.primitive
    named: dict[str, object] = {"keepdims": True} if q.keepdims else {}
    if q.absolute:
        named["absolute"] = True
    return call(p.use(helpers.logsumexp), *p.codes, tuple_of(q.axes), **named)


@spells(reducing.Share)
def softmax(p: Phrase) -> Code:
    """e^x / sum e^x."""
    return call(p.use(helpers.softmax), *p.codes, tuple_of(p.primitive.axes))


@spells(reducing.SumSign)
def sum_sign(p: Phrase) -> Code:
    """The sign of sum b e^x."""
    q = p.primitive
    named = {"keepdims": True} if q.keepdims else {}
    powers = method(call(p.use(helpers.powers), *p.codes, tuple_of(q.axes)), "[2]")
    return call("np.sign", call("np.sum", powers, axis=tuple_of(q.axes), **named))


@spells(statistics.Variance)
def variance(p: Phrase) -> Code:
    """`np.var(x, axis=0)`."""
    q, x = p.primitive, p.xs[0]
    named: dict[str, object] = along(x, q.axes) if q.axes else {"axis": "()"}
    if q.correction:
        named["ddof"] = number(q.correction).text
    if q.keepdims:
        named["keepdims"] = True
    return call("np.var", x.code, **named)


@spells(norms.VectorNorm)
def vector_norm(p: Phrase) -> Code:
    """`np.linalg.norm(x)`, or the formula of other norms."""
    q, x = p.primitive, p.xs[0]
    named = along(x, q.axes, q.keepdims)
    if q.p == 2 and len(q.axes) == 1 and len(named) == bool("axis" in named) + q.keepdims:
        return call("np.linalg.norm", x.code, **named)
    if len(q.axes) == 1:
        order = number(q.p).text
        return call("np.linalg.norm", x.code, order, **(named or {}))
    if q.p == 2:
        size = method(x.code, ".conj()").text + f" * {x.tight}" if x.dtype.kind == "c" else ""
        squares = f"({size}).real" if size else f"{x.tight}**2"
        return call("np.sqrt", call("np.sum", squares, **named))
    inner = call("np.sum", f"np.abs({x.code.text})**{number(q.p).text}", **named)
    return Code(f"{inner.text}**(1 / {number(q.p).text})", Code("").level - 1, "**")


@spells(quantiles.Ranks)
def ranks(p: Phrase) -> Code:
    """The elements at some places of the sorted last axis."""
    kth = p.primitive.kth
    where = f"[..., {list(kth)}]"
    return method(call("np.sort", p.codes[0]), where)


# Running totals


@spells(scanning.CumSum)
def cumulative_sum(p: Phrase) -> Code:
    """`np.cumsum(x)`; from the far end, flipped before and after."""
    q, x = p.primitive, p.xs[0]
    if not q.reverse:
        return call("np.cumsum", x.code, **running(x, q.axis))
    if x.ndim == 1:
        return method(call("np.cumsum", method(x.code, "[::-1]")), "[::-1]")
    inner = call("np.cumsum", call("np.flip", x.code, str(q.axis)), axis=q.axis)
    return call("np.flip", inner, str(q.axis))


def running(x: Term, axis: int) -> dict[str, object]:
    """The argument `axis=`, which a vector does not need."""
    return {} if x.ndim == 1 else {"axis": axis}


@spells(scanning.CumProd)
def cumulative_product(p: Phrase) -> Code:
    """`np.cumprod(x)`."""
    return call("np.cumprod", p.codes[0], **running(p.xs[0], p.primitive.axis))


@spells(scanning.CumMax, scanning.CumMin)
def cumulative_extreme(p: Phrase) -> Code:
    """`np.maximum.accumulate(x)`."""
    name = type(p.primitive).ufunc.__name__
    return call(f"np.{name}.accumulate", p.codes[0], axis=p.primitive.axis)


@spells(scanning.CumLogSumExp)
def cumulative_log_sum(p: Phrase) -> Code:
    """`np.logaddexp.accumulate(x)`."""
    return call("np.logaddexp.accumulate", p.codes[0], axis=p.primitive.axis)


@spells(scanning.CumTruth)
def cumulative_truth(p: Phrase) -> Code:
    """`np.logical_and.accumulate(x)`."""
    return call(f"np.{p.primitive.function}.accumulate", p.codes[0], axis=p.primitive.axis)


@spells(scanning.SumBetween)
def sums_between(p: Phrase) -> Code:
    """`np.add.reduceat(x, indices)`."""
    q = p.primitive
    return call("np.add.reduceat", p.codes[0], str(list(q.indices)), axis=q.axis)


@spells(scanning.Recurrence)
def recurrence(p: Phrase) -> Code:
    """t[k] = a[k] t[k - 1] + b[k]."""
    q = p.primitive
    named = {"reverse": True} if q.reverse else {}
    return call(p.use(helpers.recurrence), *p.codes, str(q.axis), **named)
