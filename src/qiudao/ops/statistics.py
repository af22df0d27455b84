"""Means, variances and weighted averages over axes."""

from __future__ import annotations

import math
import operator
import warnings
from typing import Any

import numpy as np

from ..core.avals import Aval, Dtype, Value, is_inexact
from ..core.dispatch import concrete, implements
from ..core.element import Element, Scalar
from ..core.errors import ShapeError
from ..core.families import Smooth
from ..core.node import placed
from ..core.primitive import Parents, Primitive, Product, Terms, Values, once, primitive
from ..core.samples import sample
from .arithmetic import scale
from .faces import array, axes_from_end, delivered, known
from .reducing import Axes, Sum, kept, reduced
from .shaping import astype, broadcast_to, reshape, transpose


@primitive
class Variance(Primitive):
    """The mean squared distance from the mean over `axes`, the count lessened by `correction`.

    d = 2 sum Re(conj(x - mean) dx) / count: the mean's own change adds nothing.
    """

    axes: Axes = ()
    keepdims: bool = False
    correction: float = 0
    keeps_out = False
    samples = (
        sample("f64[4]", axes=(-1,)),
        sample("f64[3,2,2]", axes=(-3, -1), keepdims=True, correction=1),
        sample("c128[2,3]", axes=(-1,)),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(reduced(x.shape, self.axes, self.keepdims), np.finfo(x.dtype).dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.var(xs[0], axis=self.axes, ddof=self.correction, keepdims=self.keepdims)

    def expand(self, *xs: Value) -> Any:
        (x,) = xs
        away = x - np.mean(x, axis=self.axes, keepdims=True)
        count = max(math.prod(x.shape[k] for k in self.axes) - self.correction, 0)
        squares = np.real(away * np.conj(away)) if x.dtype.kind == "c" else away * away
        return np.sum(squares, axis=self.axes, keepdims=self.keepdims) / count

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        change = np.real(scale(dx, self.weights(xs[0])))
        return np.sum(change, axis=self.axes, keepdims=self.keepdims)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for few elements."""
        if product is not operator.mul:
            return super().pull(ct, out, xs, parents, product)
        ct = ct if self.keepdims else np.expand_dims(ct, self.axes)
        return (ct * self.weights(xs[0]),)

    def weights(self, x: Value) -> Value:
        """2 conj(x - mean) / count, in the precision of `x`; NaN where the count is none."""
        away = x - np.mean(x, axis=self.axes, keepdims=True)
        count = math.prod(np.shape(x)[k] for k in self.axes) - self.correction
        half = 0.5 * count if count > 0 else np.nan
        return (np.conj(away) if x.dtype.kind == "c" else away) / half


@primitive
class Undefined(Smooth):
    """`x`, where the mask holds without a derivative: NaN there, in every mode.

    What is divided by a count of 0 has none.  A rule for the quotient would find one that hangs on
    the order of the products: infinity times a change of 0.
    """

    samples = (sample("f64[3,4]", "bool[3,1]", held=(0,)),)

    def evaluate(self, *xs: Value) -> Value:
        return np.broadcast_arrays(*xs)[0]

    def expand(self, *xs: Value) -> Any:
        return np.broadcast_arrays(*xs)[0]

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.where(xs[1], np.nan, np.ones((), xs[0].dtype))


def undefined_where(none: Value, x: Value, where: Any = True) -> Value:
    """`x`, of which the elements that `where` keeps have no derivative where the mask holds."""
    plain = known(none)
    if plain is not None and not np.any(plain):
        return x
    return _undefined(x, none if where is True else none & where)


_undefined = Undefined()


def count_of(x: Value, axes: Axes, keepdims: bool, where: Any, name: str) -> Any:
    """How many elements a reduction takes together."""
    if where is True:
        return math.prod(x.shape[k] for k in axes)
    return np.sum(kept(where, x, name), axis=axes, keepdims=keepdims)


def float_of(dtype: Dtype) -> Dtype:
    """The dtype of a mean: integers become double."""
    return dtype if is_inexact(dtype) else np.dtype(np.float64)


@implements(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Value:
    """The mean over `axis` of the elements that `where` keeps."""
    x = array(a)
    axes = axes_from_end(axis, x.ndim, "mean", strict=where is True)
    if where is True and dtype is None and out is None and x.dtype.char in "fdFD":  # most calls
        return placed(once(Sum, axes, bool(keepdims))(x) / math.prod([x.shape[k] for k in axes]))
    wanted = np.dtype(dtype) if dtype is not None else float_of(x.dtype)
    if dtype is None and x.dtype == np.float16:
        x = astype(x, np.float32)  # as NumPy: the sum of many would overflow
    total = np.sum(astype(x, np.result_type(x, wanted)), axis=axes, keepdims=keepdims, where=where)
    found = astype(placed(total / count_of(x, axes, bool(keepdims), where, "mean")), wanted)
    return found if out is None else delivered("mean", found, out)


def in_whole_numbers(x: Value, dtype: Any) -> bool:
    """Whether NumPy computes in integers, rounding down at each step; no derivative is lost."""
    return dtype is not None and not is_inexact(x.dtype) and not is_inexact(np.dtype(dtype))


@implements(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Value:
    """The mean squared distance from the mean, over `axis`; the count is lessened by `ddof`."""
    x = array(a)
    if correction is not None:
        if ddof:
            raise ValueError("var: ddof and correction are two names of one number; give one")
        ddof = correction
    if in_whole_numbers(x, dtype):
        plain = np.var(concrete(x), axis, dtype, None, ddof, keepdims, where=concrete(where))
        return delivered("var", plain, out)
    axes = axes_from_end(axis, x.ndim, "var", strict=where is True)
    x = astype(x, float_of(x.dtype) if dtype is None else dtype)
    if mean is None and where is True and (dtype is None or x.dtype.kind != "c"):
        return delivered("var", Variance(axes, bool(keepdims), ddof)(x), out)
    if mean is None:
        mean = np.mean(x, axis=axes, keepdims=True, where=where)
    left = count_of(x, axes, True, where, "var") - ddof
    away = undefined_where(np.less_equal(left, 0), x, where) - mean
    squares = np.real(away * np.conj(away)) if away.dtype.kind == "c" else away * away
    found = np.sum(squares, axis=axes, keepdims=True, where=where) / np.maximum(left, 0)
    if not keepdims:
        found = reshape(found, reduced(tuple(x.shape), axes, False))
    return delivered("var", astype(found, squares.dtype if dtype is None else dtype), out)


@implements(np.std)
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Value:
    """The square root of `var`.  Where all elements are equal its derivative is 0."""
    if in_whole_numbers(array(a), dtype):
        plain = np.std(concrete(a), axis, dtype, None, ddof, keepdims, where=concrete(where))
        return delivered("std", plain, out)
    spread = var(
        a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction
    )
    return delivered("std", root(spread), out)


@primitive
class Root(Smooth):
    """The square root of a sum of squares.  d = dx / (2 out), and 0 at 0, the symmetric derivative
    of |t|.
    """

    ufunc = np.sqrt
    reads = "out"
    samples = (sample("f64[3,4]", within=(0.2, 3.0)),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.where(out == 0, 0.0, 0.5 / np.where(out == 0, 1.0, out))

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.call("sqrt", *xs)


root = Root()


@implements(np.average)
def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = False,
) -> Any:
    """The mean over `axis` weighted by `weights`; with `returned`, the sum of weights too."""
    x = array(a)
    axes = axes_from_end(axis, x.ndim, "average", strict=True)
    if weights is None:
        found = np.mean(x, axis=axes, keepdims=keepdims)
        total: Value = np.full((), math.prod(x.shape[k] for k in axes), found.dtype)
    else:
        w = weights_like(array(weights), x, axis, axes)
        exact = np.result_type(x, w) if is_inexact(x.dtype) else np.result_type(x, w, "f8")
        total = np.sum(w, axis=axes, keepdims=keepdims, dtype=np.result_type(w, exact))
        plain = known(total)
        if plain is not None and np.any(plain == 0):
            raise ZeroDivisionError("average: the weights sum to zero, so there is no average")
        found = placed(np.sum(astype(x, exact) * w, axis=axes, keepdims=keepdims) / total)
    if not returned:
        return found
    return found, broadcast_to(total, tuple(found.shape))


def weights_like(w: Value, x: Value, axis: Any, axes: Axes, name: str = "average") -> Value:
    """Weights, given for the averaged axes alone or for all, with the axes of `x`."""
    if w.shape == x.shape:
        return w
    if axis is None:
        raise TypeError(
            f"{name}: weights of shape {w.shape} need axis=, as they differ from {x.shape}"
        )
    given = [k - x.ndim if k >= 0 else k for k in np.atleast_1d(axis).tolist()]
    if w.shape != tuple(x.shape[k] for k in given):
        raise ShapeError(
            f"{name}: weights of shape {w.shape} do not fit axis {axis} of shape {x.shape}"
        )
    w = transpose(w, np.argsort(given).tolist())
    return reshape(w, tuple(n if k in axes else 1 for k, n in enumerate(x.shape, -x.ndim)))


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Value:
    """The covariances of variables (rows, unless `rowvar` is false) over weighted observations."""
    x = variables(m, rowvar)
    if not x.shape[0]:
        return np.zeros((0, 0))
    if y is not None:
        x = np.concatenate([x, variables(y, rowvar)], axis=0)
    x = astype(x, np.result_type(x.dtype, np.float64) if dtype is None else dtype)
    ddof = int(not bias) if ddof is None else ddof
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None:
            check_weights(name, array(given), x.shape[1])
    w = None if fweights is None else array(fweights)
    if aweights is not None:
        w = array(aweights) if w is None else w * array(aweights)
    if w is None:
        total: Value = x.shape[1]
        count = total - ddof
    else:
        total = np.sum(w)
        count = total - ddof * (np.sum(w * array(aweights)) / total if aweights is not None else 1)
    freedom = known(count)
    if freedom is not None and freedom <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
    x = undefined_where(np.less_equal(count, 0), x)
    center = np.sum(x if w is None else x * w, axis=1, keepdims=True) / total
    away = x - center
    weighed = away if w is None else away * w
    share = np.true_divide(1, np.where(count > 0, count, 0.0))
    found = np.squeeze(np.matmul(away, np.conj(np.transpose(weighed))) * share)
    return astype(found, x.dtype)


def check_weights(name: str, w: Value, count: int) -> None:
    """What `np.cov` asks of weights: one for each observation, none negative, counts whole."""
    if w.shape != (count,):
        raise RuntimeError(
            f"cov: {name} of shape {w.shape} for {count} observations; give one each"
        )
    plain = known(w)
    if plain is None:
        return
    if name == "fweights" and not np.all(plain == np.around(plain)):
        raise TypeError("cov: fweights must be whole numbers; use aweights for others")
    if np.any(plain < 0):
        raise ValueError(f"cov: {name} must not be negative")


def variables(m: Any, rowvar: bool) -> Value:
    """Observations as a matrix with a variable in each row."""
    x = array(m)
    if x.ndim > 2:
        raise ShapeError(f"cov: an array of {x.ndim} axes; give a vector or a matrix")
    if x.ndim < 2:
        return reshape(x, (1, -1))
    return x if rowvar else transpose(x)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Value:
    """The covariances divided by both standard deviations."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    spread = np.sqrt(np.real(np.diagonal(c)))
    c = c / spread[:, None] / spread
    if c.dtype.kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)
