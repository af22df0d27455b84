"""Reductions over axes: sums, products, extremes, truths, and the logarithm of a sum of powers.

Axes count from the end.  A reduction takes NumPy's `where` by giving the dropped lanes the value
that changes nothing, and `initial` as one more operand.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..core.avals import Aval, Dtype, Value, is_inexact, promote
from ..core.dispatch import Tracer, implements, implements_method
from ..core.errors import DtypeError, RuleError
from ..core.families import Linear, Opaque
from ..core.node import placed
from ..core.primitive import Parents, Primitive, Product, Terms, Values, once, primitive
from ..core.samples import sample
from .arithmetic import scale
from .faces import array, axes_from_end, delivered, from_end, with_axis
from .shaping import Stretch, astype, broadcast_to, ravel, reshape, stretched

Axes = tuple[int, ...]
add: Any = np.add.reduce
multiply: Any = np.multiply.reduce


def reduced(shape: tuple[int, ...], axes: Axes, keepdims: bool) -> tuple[int, ...]:
    """The shape after a reduction over axes counted from the end."""
    ndim = len(shape)
    return tuple(
        1 if k in axes else n
        for k, n in zip(range(-ndim, 0), shape, strict=True)
        if keepdims or k not in axes
    )


def total_dtype(dtype: Dtype) -> Dtype:
    """The dtype in which NumPy sums or multiplies up elements: small integers become large."""
    return dtype if is_inexact(dtype) else np.add.reduce(np.zeros(0, dtype)).dtype


def in_lanes(x: Value, axes: Axes) -> Value:
    """The axes made one, the last."""
    if axes == (-1,):
        return x
    x = np.moveaxis(x, axes, range(-len(axes), 0))
    lead = np.shape(x)[: np.ndim(x) - len(axes)]
    return np.reshape(x, (*lead, int(np.prod(np.shape(x)[len(lead) :]))))


def kept(where: Any, x: Value, name: str) -> Value:
    """A `where=` argument as a mask of the shape of `x`."""
    mask = array(where)
    if mask.dtype != np.bool_:
        raise DtypeError(f"{name}: where= must be booleans, and these are {mask.dtype}")
    return broadcast_to(mask, tuple(x.shape))


def started(initial: Any, dtype: Dtype) -> Value:
    """An `initial=` argument in the dtype of the result, in which Python's integers must fit."""
    return np.asarray(initial, dtype) if type(initial) is int else astype(array(initial), dtype)


# Sums and products


@primitive
class Sum(Linear):
    """The sum over `axes`.  Transpose: the cotangent repeated along them."""

    axes: Axes = ()
    keepdims: bool = False
    samples = (
        sample("f64[3,4]", axes=(-2, -1)),
        sample("f64[3,4]", axes=(-2,), keepdims=True),
        sample("c128[2,3]", axes=(-1,)),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(reduced(x.shape, self.axes, self.keepdims), total_dtype(x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return add(xs[0], axis=self.axes, keepdims=self.keepdims)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        shape = tuple(xs[0].shape)
        if not self.keepdims and len(self.axes) < len(shape):
            ct = np.reshape(ct, reduced(shape, self.axes, True))
        return Stretch(shape)(ct) if isinstance(ct, Tracer) else stretched(ct, shape)


@primitive
class Prod(Primitive):
    """The product over `axes`.  d = sum_i (prod_{j != i} x_j) dx_i.

    The product of the others is that of those before times that of those after.  Nothing is
    divided, so zeros among the elements do no harm, at any order.
    """

    is_tame = True
    axes: Axes = ()
    keepdims: bool = False
    keeps_out = False
    samples = (
        sample("f64[4]", axes=(-1,)),
        sample("f64[2,3,2]", axes=(-3, -1)),
        sample("f64[3,2]", axes=(-2,), keepdims=True),
        sample("c128[3]", axes=(-1,)),
        sample("f64[3,3]", axes=(-1,), within=(0.0, 0.0)),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(reduced(x.shape, self.axes, self.keepdims), total_dtype(x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return multiply(xs[0], axis=self.axes, keepdims=self.keepdims)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        x = in_lanes(xs[0], self.axes)
        others = product_before(x) * np.flip(product_before(np.flip(x, -1)), -1)
        change = np.sum(scale(in_lanes(dx, self.axes), others), axis=-1)
        return np.expand_dims(change, self.axes) if self.keepdims else change


def product_before(x: Value) -> Value:
    """The product of the elements before each, along the last axis."""
    one = np.ones((*np.shape(x)[:-1], 1), x.dtype)
    return np.cumprod(np.concatenate([one, x], axis=-1)[..., :-1], axis=-1)


@implements(np.sum)
def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Value:
    """The sum over `axis` (None: all) of the elements that `where` keeps, plus `initial`."""
    x = array(a)
    if dtype is not None:
        x = astype(x, dtype)
    if where is not True:
        x = np.where(kept(where, x, "sum"), x, np.zeros((), x.dtype))
    total = once(Sum, axes_from_end(axis, x.ndim, "sum"), bool(keepdims))(x)
    if initial is not None and not (isinstance(initial, int) and initial == 0):
        total = total + started(initial, total.dtype)
    if dtype is not None:
        total = astype(total, dtype)  # sums of small integers are large ones until here
    return total if out is None else delivered("sum", total, out)


@implements(np.prod)
def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Value:
    """The product over `axis` (None: all) of the elements that `where` keeps, and `initial`."""
    x = array(a)
    if dtype is not None:
        x = astype(x, dtype)
    if where is not True:
        x = np.where(kept(where, x, "prod"), x, np.ones((), x.dtype))
    total = Prod(axes_from_end(axis, x.ndim, "prod"), bool(keepdims))(x)
    if initial is not None and not (isinstance(initial, int) and initial == 1):
        total = total * started(initial, total.dtype)
    if dtype is not None:
        total = astype(total, dtype)
    return delivered("prod", total, out)


# Extremes


@primitive
class Max(Primitive):
    """The largest element over `axes`.  Ties share the derivative equally.

    Where the maximum is NaN the derivative is NaN: which element it depends on is unknown.
    """

    is_selection = True
    is_tame = True
    axes: Axes = ()
    keepdims: bool = False
    ufunc: ClassVar[np.ufunc] = np.maximum
    samples = (
        sample("f64[3,4]", axes=(-1,), kind="distinct"),
        sample("f64[3,4]", axes=(-2, -1), keepdims=True, kind="distinct"),
        sample("c128[2,3]", axes=(-2,), kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        if 0 in [x.shape[k] for k in self.axes]:
            raise ValueError(
                f"{self.name}: {x} has no elements along the axes {self.axes} to choose from; "
                "give initial="
            )
        return Aval(reduced(x.shape, self.axes, self.keepdims), x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return self.ufunc.reduce(xs[0], axis=self.axes, keepdims=self.keepdims)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        best = out if self.keepdims else np.expand_dims(out, self.axes)
        chosen = (xs[0] == best) | (best != best)
        part = np.sum(np.where(chosen, dx, 0.0), axis=self.axes, keepdims=self.keepdims)
        return scale(part, shares(chosen, out, self.axes, self.keepdims))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for few elements."""
        if product is not operator.mul:
            return super().pull(ct, out, xs, parents, product)
        if not self.keepdims:
            ct, out = np.expand_dims(ct, self.axes), np.expand_dims(out, self.axes)
        chosen = (xs[0] == out) | (out != out)
        return (np.where(chosen, ct * shares(chosen, out, self.axes, True), 0.0),)


@primitive
class Min(Max):
    """The smallest element over `axes`.  Ties share the derivative equally."""

    ufunc = np.minimum


def shares(chosen: Value, out: Value, axes: Axes, keepdims: bool) -> Value:
    """What each of the chosen contributes: 1 over their number; NaN where `out` is."""
    count = np.sum(chosen, axis=axes, keepdims=keepdims)
    return np.where(out == out, 1.0 / count, np.nan).astype(np.finfo(out.dtype).dtype)


def lowest(dtype: Dtype, sign: int) -> Any:
    """What no element is below (`sign` 1) or above (-1): the start of a maximum or minimum."""
    if dtype.kind == "b":
        return dtype.type(sign < 0)
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if sign > 0 else np.iinfo(dtype).max
    least = -sign * np.inf
    return dtype.type(complex(least, least) if dtype.kind == "c" else least)


def extreme(name: str, made: type[Max], pair: np.ufunc, sign: int) -> Callable[..., Value]:
    """`np.max` or `np.min`, from its primitive and its ufunc of two."""

    def reduction(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Value:
        x = array(a)
        axes = axes_from_end(axis, x.ndim, name)
        if where is not True:
            if initial is None:
                raise ValueError(
                    f"{name}: where= may leave nothing to choose from; give initial= too"
                )
            x = np.where(kept(where, x, name), x, np.full((), lowest(x.dtype, sign), x.dtype))
        if initial is not None and 0 in [x.shape[k] for k in axes]:
            shape = reduced(tuple(x.shape), axes, bool(keepdims))
            return delivered(name, broadcast_to(started(initial, x.dtype), shape), out)
        found = made(axes, bool(keepdims))(x)
        if initial is not None:
            found = pair(found, started(initial, x.dtype))
        return delivered(name, found, out)

    reduction.__name__ = name
    reduction.__doc__ = f"The {name}imum over `axis` of the elements that `where` keeps."
    return reduction


max = implements(np.max, np.amax)(extreme("max", Max, np.maximum, 1))
min = implements(np.min, np.amin)(extreme("min", Min, np.minimum, -1))


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Value:
    """The largest less the smallest element over `axis`."""
    spread = placed(max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims))
    return delivered("ptp", spread, out)


@primitive
class ArgExtreme(Opaque):
    """The index of the first largest (`function` "argmax") or smallest element along `axis`."""

    function: str = "argmax"
    axis: int = -1
    keepdims: bool = False
    samples = (
        sample("f64[3,4]"),
        sample("f64[3,4]", function="argmin", axis=-2, keepdims=True),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(reduced(avals[0].shape, (self.axis,), self.keepdims), np.dtype(np.intp))

    def evaluate(self, *xs: Value) -> Value:
        return getattr(np, self.function)(xs[0], axis=self.axis, keepdims=self.keepdims)


def arg_extreme(name: str) -> Callable[..., Value]:
    """`np.argmax` or `np.argmin`."""

    def search(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Value:
        given = array(a)
        x = given if axis is None else with_axis(given)
        if axis is not None:
            keepdims = bool(keepdims) and given.ndim > 0
            found = ArgExtreme(name, from_end(axis, x.ndim, name), keepdims)(x)
        else:
            found = ArgExtreme(name)(ravel(x))
            found = reshape(found, (1,) * x.ndim) if keepdims else found
        return delivered(name, found, out)

    search.__name__ = name
    search.__doc__ = f"The index of the first {name[3:]}imum along `axis` (None: of all)."
    return search


argmax = implements(np.argmax)(arg_extreme("argmax"))
argmin = implements(np.argmin)(arg_extreme("argmin"))


# Truths


@primitive
class Truth(Opaque):
    """Whether all (`function` "all") or any elements over `axes` hold."""

    function: str = "any"
    axes: Axes = ()
    keepdims: bool = False
    samples = (
        sample("bool[3,4]", axes=(-1,)),
        sample("bool[3,4]", function="all", axes=(-2, -1), keepdims=True),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(reduced(avals[0].shape, self.axes, self.keepdims), np.dtype(bool))

    def evaluate(self, *xs: Value) -> Value:
        return getattr(np, self.function)(xs[0], axis=self.axes, keepdims=self.keepdims)


def truths(a: Any) -> Value:
    """The elements as booleans: all but zero hold, NaN too."""
    x = array(a)
    return x if x.dtype == np.bool_ else x != 0


def truth(name: str) -> Callable[..., Value]:
    """`np.all` or `np.any`."""

    def ask(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True,
        initial: Any = None,
    ) -> Value:  # fmt: skip
        x = truths(a)
        if where is not True:
            mask = kept(where, x, name)
            x = x | ~mask if name == "all" else x & mask
        axes = axes_from_end(axis, x.ndim, name)
        found = Truth(name, axes, bool(keepdims))(x)
        if initial is not None:
            found = found & truths(initial) if name == "all" else found | truths(initial)
        return delivered(name, found, out)

    ask.__name__ = name
    ask.__doc__ = f"Whether {name} of the elements over `axis` that `where` keeps are not zero."
    return ask


all = implements(np.all)(truth("all"))
any = implements(np.any)(truth("any"))


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Value:
    """How many elements over `axis` are not zero."""
    return np.sum(truths(a), axis=axis, dtype=np.intp, keepdims=keepdims)


# The logarithm of a sum of powers


def powers(a: Value, b: Value | None, axes: Axes) -> tuple[Value, Value, Value]:
    """The maximum m of `a` where `b` is not zero, e^(a - m), and b e^(a - m); for plain operands.

    Where m is infinite the powers are those of its limit: 1 for the elements equal to m, 0 for
    the others.  So the shares of an all -inf sum are equal, and no NaN comes up.
    """
    size = a.real if a.dtype.kind == "c" else a
    if b is not None:
        size = np.where(b != 0, size, -np.inf)
    top = np.max(size, axis=axes, keepdims=True, initial=-np.inf)
    with np.errstate(all="ignore"):
        e = np.exp(a - top)
        if np.isinf(top).any():
            e = np.where(np.isinf(top), size == top, e)
        return top, e, e if b is None else np.where(b == 0, 0.0, b * e)


def plain_powers(a: Value, axes: Axes) -> tuple[Value, Value]:
    """The largest of real `a` and the powers e^(a - largest), without a look at the values."""
    top = np.max(a, axis=axes, keepdims=True)
    endless = np.isinf(top)
    at_top = (a == top).astype(a.dtype)
    return top, np.where(endless, at_top, np.exp(a - top))


@primitive
class LogSumExp(Primitive):
    """log |sum b e^a| over `axes`, from operands a and perhaps b.  d = sum s (b da + db), where
    s = e^a / sum b e^a.

    The largest power is taken out first, and the sum of the others goes through log1p, so that
    neither size nor rounding hurts.  Unless `absolute`, a negative sum gives NaN.
    """

    axes: Axes = (-1,)
    keepdims: bool = False
    absolute: bool = False
    keeps_out = False
    samples = (
        sample("f64[3,4]"),
        sample("f64[3,4]", axes=(-2, -1), keepdims=True),
        sample("f64[3,4]", "f64[3,4]", within=(0.5, 2.0)),
        sample("f64[2,3]", "f64[2,3]", within=(-2.0, -0.5), absolute=True),
        sample("c128[3]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(reduced(avals[0].shape, self.axes, self.keepdims), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs if len(xs) == 2 else (xs[0], None)
        top, e, terms = powers(a, b, self.axes)
        with np.errstate(all="ignore"):
            total = np.sum(terms, axis=self.axes, keepdims=True)
            out = np.log(total if a.dtype.kind == "c" else np.abs(total))
            if a.dtype.kind != "c":
                if ((np.abs(total) > 0.5) & (np.abs(total) < 2)).any():
                    out = np.where(np.isnan(exact := self.near_one(e, terms)), out, exact)
                if b is not None and not self.absolute:
                    out = np.where(total < 0, np.nan, out)
            out = (out + top).astype(np.result_type(*xs), copy=False)
        return out if self.keepdims else np.squeeze(out, self.axes)[()]

    def expand(self, *xs: Value) -> Any:
        if len(xs) == 2 or xs[0].dtype.kind == "c":
            return NotImplemented
        top, e = plain_powers(xs[0], self.axes)
        first = e == 1
        main = np.sum(np.where(first, e, 0.0), axis=self.axes, keepdims=True)
        rest = np.sum(np.where(first, 0.0, e), axis=self.axes, keepdims=True)
        out = np.log1p(rest / main) + np.log(main) + top
        return out if self.keepdims else np.squeeze(out, self.axes)

    def near_one(self, e: Value, terms: Value) -> Value:
        """Log |sum of terms| where the sum may be near 1, so that its logarithm is near 0."""
        first = (e == 1) & (terms != 0)
        main = np.sum(np.where(first, terms, 0.0), axis=self.axes, keepdims=True)
        ratio = np.sum(np.where(first, 0.0, terms), axis=self.axes, keepdims=True) / main
        return np.where(np.isfinite(ratio), np.log1p(ratio) + np.log(np.abs(main)), np.nan)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        share = Share(self.axes)(*xs)
        weight = scale(xs[1], share) if i == 0 and len(xs) == 2 else share
        return np.sum(weight * dx, axis=self.axes, keepdims=self.keepdims)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for few elements."""
        if product is not operator.mul or len(xs) == 2:
            return super().pull(ct, out, xs, parents, product)
        ct = ct if self.keepdims else np.expand_dims(ct, self.axes)
        return (ct * Share(self.axes)(xs[0]),)


@primitive
class Share(Primitive):
    """s = e^a / sum b e^a over `axes`, from operands a and perhaps b: the softmax where b is 1.

    d = s (da - sum s (b da + db)).
    """

    axes: Axes = (-1,)
    samples = (
        sample("f64[3,4]"),
        sample("f64[3,4]", axes=(-2, -1)),
        sample("f64[3,4]", "f64[3,4]", within=(0.5, 2.0)),
        sample("c128[3]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs if len(xs) == 2 else (xs[0], None)
        _, e, terms = powers(a, b, self.axes)
        with np.errstate(all="ignore"):
            share = e / np.sum(terms, axis=self.axes, keepdims=True)
        return share.astype(np.result_type(*xs), copy=False)

    def expand(self, *xs: Value) -> Any:
        if len(xs) == 2 or xs[0].dtype.kind == "c":
            return NotImplemented
        _, e = plain_powers(xs[0], self.axes)
        return e / np.sum(e, axis=self.axes, keepdims=True)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        weight = scale(xs[1], out) if i == 0 and len(xs) == 2 else out
        common = np.sum(weight * dx, axis=self.axes, keepdims=True)
        return out * (dx - common) if i == 0 else -out * common


@primitive
class SumSign(Opaque):
    """The sign of sum b e^a over `axes`."""

    axes: Axes = (-1,)
    keepdims: bool = False
    samples = (sample("f64[3,4]", "f64[3,4]", axes=(-2,)),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(reduced(avals[0].shape, self.axes, self.keepdims), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs
        return np.sign(np.sum(powers(a, b, self.axes)[2], self.axes, keepdims=self.keepdims))


def logsumexp(
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: Any = False,
    return_sign: bool = False,
) -> Any:
    """log(sum(b * exp(a))) over `axis` (None: all), without overflow, as SciPy has it.

    With `return_sign`, the logarithm of the absolute sum and the sign of the sum.

    >>> logsumexp(np.array([1000.0, 1000.0]))
    np.float64(1000.6931471805599)
    """
    x = array(a)
    if not is_inexact(x.dtype):
        x = astype(x, np.float64)
    operands = [x]
    if b is not None:
        weights = array(b)
        shape = np.broadcast_shapes(tuple(x.shape), tuple(weights.shape))
        operands = [broadcast_to(x, shape), broadcast_to(weights, shape)]
    axes = axes_from_end(axis, operands[0].ndim, "logsumexp")
    out = LogSumExp(axes, bool(keepdims), return_sign)(*operands)
    if not return_sign:
        return out
    if np.result_type(*operands).kind == "c":
        raise RuleError(
            "logsumexp: the sign of a complex sum has no derivative of its own here; "
            "leave out return_sign, and take np.real of the result for the logarithm of the size"
        )
    if b is None:
        return out, np.ones(np.shape(out), out.dtype)
    return out, SumSign(axes, bool(keepdims))(*operands)


# The ufuncs' own spelling: np.add.reduce


def reducing(ufunc: np.ufunc, ours: Callable[..., Value]) -> None:
    """Let `ufunc.reduce` find the function that reduces with it; its `axis` is 0 unless given."""

    def reduce(array: Any, axis: Any = 0, dtype: Any = None, **options: Any) -> Value:
        if not array.size or array.dtype.kind != "f" or dtype is not None or options:
            found = foreseen(ufunc, array, axis, dtype, options).dtype
            logical = ours in (all, any, odd)
            array = array if logical or found == array.dtype else astype(array, found)
        return ours(array, axis, **options)

    implements_method(ufunc, "reduce")(reduce)


def foreseen(ufunc: np.ufunc, x: Value, axis: Any, dtype: Any, options: dict[str, Any]) -> Any:
    """What NumPy reduces a pattern of ones to, for its shape, its dtype and its errors."""
    given = dict(options)
    if "initial" in given:
        given["initial"] = unit(given["initial"])
    if isinstance(given.get("where"), Tracer):
        given["where"] = np.broadcast_to(unit(given["where"]), given["where"].shape)
    with np.errstate(all="ignore"):
        return ufunc.reduce(np.broadcast_to(unit(x), x.shape), axis, dtype, **given)


def unit(x: Any) -> Any:
    """The number 1 in the dtype of an operand; what is no array or tracer stays."""
    return np.ones((), x.dtype)[()] if isinstance(x, Tracer | np.ndarray) else x


def log_add(a: Any, axis: Any, keepdims: Any = False, initial: Any = None, where: Any = True,
            base: float = 1.0) -> Value:  # fmt: skip
    """`np.logaddexp.reduce`; `base` is the logarithm of the base."""
    x = array(a) * base if base != 1.0 else array(a)
    if where is not True:
        x = np.where(kept(where, x, "logaddexp.reduce"), x, np.full((), -np.inf, x.dtype))
    out = logsumexp(x, axis, keepdims=keepdims)
    out = out / base if base != 1.0 else out
    if initial is None:
        return out
    return np.logaddexp(out, initial) if base == 1.0 else np.logaddexp2(out, initial)


def odd(a: Any, axis: Any, keepdims: Any = False, initial: Any = None, where: Any = True) -> Value:
    """`np.logical_xor.reduce`: whether an odd number of elements hold."""
    x = truths(a)
    start = 0 if initial is None else int(bool(initial))
    count = sum(x, axis, np.intp, keepdims=keepdims, initial=start, where=where)
    return np.not_equal(count - 2 * np.floor_divide(count, 2), 0)


for _ufunc, _ours in (
    (np.add, sum), (np.multiply, prod), (np.maximum, max), (np.minimum, min),
    (np.logical_and, all), (np.logical_or, any), (np.logical_xor, odd), (np.logaddexp, log_add),
    (np.logaddexp2, lambda a, axis, **options: log_add(a, axis, base=math.log(2.0), **options)),
):  # fmt: skip
    reducing(_ufunc, _ours)
