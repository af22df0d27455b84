"""Running sums, products, extremes: each element takes in those before it along an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..core.avals import Aval, Value, promote
from ..core.dispatch import implements, implements_method, newer
from ..core.families import Linear, Opaque
from ..core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ..core.samples import sample
from .arithmetic import scale
from .faces import array, delivered, from_end, whole, with_axis
from .indexing import ScatterAdd
from .reducing import Share, total_dtype, truths, unit
from .shaping import astype, concatenate, ravel, reshape

ONE = (sample("f64[5]"), sample("f64[3,4]", axis=-2), sample("c128[2,3]"))


def before(y: Value, axis: int, first: float) -> Value:
    """The element before each along an axis; before the first stands `first`."""
    shape = list(np.shape(y))
    shape[axis] = 1
    wide: Value = np.concatenate([np.full(tuple(shape), first, y.dtype), y], axis=axis)
    return wide[(Ellipsis, slice(None, -1), *(slice(None),) * (-axis - 1))]


@primitive
class Recurrence(Primitive):
    """t with t_k = a_k t_{k-1} + b_k along `axis`, from t_{-1} = 0; `reverse`: from the far end.

    d t_k = a_k dt_{k-1} + (da_k t_{k-1} + db_k): a recurrence with the same a, and its transpose
    is one with the same a in the other direction.
    """

    axis: int = -1
    reverse: bool = False
    samples = (
        sample("f64[5]", "f64[5]"),
        sample("f64[3,4]", "f64[3,4]", axis=-2, reverse=True),
        sample("c128[4]", "f64[4]"),
        sample("f64[1]", "f64[1]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        a, b = (np.moveaxis(x, self.axis, 0) for x in xs)
        if self.reverse:
            a, b = a[::-1], b[::-1]
        t = recur(a, np.array(b, np.result_type(*xs)))
        return np.moveaxis(t[::-1] if self.reverse else t, 0, self.axis)

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return self(xs[0], dx * self.shifted(out) if i == 0 else dx)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        in_a = None if parents[0] is None else self._turn(0, ct, out, xs, product)
        if parents[1] is None:
            return (in_a, None)
        back = Recurrence(self.axis, not self.reverse)
        return (in_a, back(back.shifted(xs[0]), ct))

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        back = Recurrence(self.axis, not self.reverse)
        links = np.where(back.shifted(xs[0]) != 0, 1.0, 0.0)
        lanes = back(links, np.where(alive, 1.0, 0.0)) != 0
        return [None if p is None else lanes for p in parents]

    def shifted(self, t: Value) -> Value:
        """The element that comes before each in the direction of the recurrence."""
        if not self.reverse:
            return before(t, self.axis, 0.0)
        return np.flip(before(np.flip(t, self.axis), self.axis, 0.0), self.axis)


def recur(a: Any, b: Any) -> Any:
    """The recurrence along the first axis, into `b`.

    Many lanes go step by step; few are combined in pairs, pairs of pairs and so on, where no
    product of a's overflows on the way.
    """
    n = len(b)
    lanes = b.size // max(n, 1)
    if n > 64 and lanes <= 16:
        t, power, step = b.copy(), np.array(a, b.dtype), 1
        with np.errstate(all="ignore"):
            while step < n:
                t[step:] += power[step:] * t[:-step]
                power[step:] *= power[:-step].copy()
                step *= 2
        if np.isfinite(t).all():
            return t
    for k in range(1, n):
        b[k] += a[k] * b[k - 1]
    return b


@primitive
class CumSum(Linear):
    """The sum of each element and those before it.  Transpose: the same from the other end."""

    axis: int = -1
    reverse: bool = False
    samples = (*ONE, sample("f64[3,4]", reverse=True))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, total_dtype(avals[0].dtype))

    def evaluate(self, *xs: Value) -> Value:
        if not self.reverse:
            return np.cumsum(xs[0], axis=self.axis)
        return np.flip(np.cumsum(np.flip(xs[0], self.axis), axis=self.axis), self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return CumSum(self.axis, not self.reverse)(ct)


@primitive
class CumProd(Primitive):
    """The product of each element and those before it.

    d y_k = x_k dy_{k-1} + y_{k-1} dx_k: nothing is divided, so zeros do no harm at any order.
    """

    axis: int = -1
    samples = (*ONE, sample("f64[4]", within=(0.0, 0.0)))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, total_dtype(avals[0].dtype))

    def evaluate(self, *xs: Value) -> Value:
        return np.cumprod(xs[0], axis=self.axis)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return Recurrence(self.axis)(xs[0], dx * before(out, self.axis, 1.0))


@primitive
class CumMax(Primitive):
    """The largest of each element and those before it.  Ties share the derivative equally; from a
    NaN on it is NaN.
    """

    axis: int = -1
    ufunc: ClassVar[np.ufunc] = np.maximum
    samples = (
        sample("f64[6]", kind="distinct"),
        sample("f64[3,4]", axis=-2, kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        return self.ufunc.accumulate(xs[0], axis=self.axis)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        x = xs[0]
        nothing, last = out != out, before(out, self.axis, np.nan)
        stays = (out == last) | (nothing & (last != last))  # no new maximum here
        lasts, chosen = stays.astype(x.dtype), (x == out) | nothing
        count = Recurrence(self.axis)(lasts, chosen.astype(x.dtype))
        part = scale(np.where(chosen, dx, 0.0), np.where(nothing, np.nan, np.ones((), x.dtype)))
        return Recurrence(self.axis)(lasts, part) * (1.0 / count)


@primitive
class CumMin(CumMax):
    """The smallest of each element and those before it.  Ties share the derivative equally."""

    ufunc = np.minimum


@primitive
class CumLogSumExp(Primitive):
    """y_k = log(e^(y_{k-1}) + e^(x_k)).  d y_k = s dy_{k-1} + (1 - s) dx_k, s = e^(y_{k-1} - y_k).

    Where both are -inf, s is 1/2.
    """

    axis: int = -1
    samples = (sample("f64[5]"), sample("f64[3,4]", axis=-2))

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        return np.logaddexp.accumulate(xs[0], axis=self.axis)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        if not np.shape(out)[self.axis]:
            return dx
        x, y = np.moveaxis(xs[0], self.axis, -1), np.moveaxis(out, self.axis, -1)
        share = Share((-1,))(np.stack([y[..., :-1], x[..., 1:]], axis=-1))
        zero = np.zeros((*np.shape(x)[:-1], 1), x.dtype)
        old = np.concatenate([zero, share[..., 0]], axis=-1)
        new = np.concatenate([zero + 1.0, share[..., 1]], axis=-1)
        change = Recurrence()(old, new * np.moveaxis(dx, self.axis, -1))
        return np.moveaxis(change, -1, self.axis)


@primitive
class CumTruth(Opaque):
    """NumPy's logical `function` of each element and those before it."""

    function: str = "logical_and"
    axis: int = -1
    samples = (sample("bool[3,4]"), sample("bool[3,4]", function="logical_xor", axis=-2))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, np.dtype(bool))

    def evaluate(self, *xs: Value) -> Value:
        return getattr(np, self.function).accumulate(xs[0], axis=self.axis)


@primitive
class SumBetween(Linear):
    """`np.add.reduceat`: sums from each index to the next along `axis`.

    Transpose: each element gets the cotangents of the sums that it is in.
    """

    indices: tuple[int, ...] = ()
    axis: int = -1
    samples = (
        sample("f64[6]", indices=(0, 2, 3)),
        sample("f64[6,2]", indices=(4, 1, 1, 3), axis=-2),
    )

    def shape(self, *avals: Aval) -> Aval:
        sizes = list(avals[0].shape)
        sizes[self.axis] = len(self.indices)
        return Aval(tuple(sizes), total_dtype(avals[0].dtype))

    def evaluate(self, *xs: Value) -> Value:
        return np.add.reduceat(xs[0], self.indices, axis=self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        sizes = list(xs[0].shape)
        n = sizes.pop(self.axis)
        ends = (*self.indices[1:], n)
        spans = [range(s, max(s + 1, e)) for s, e in zip(self.indices, ends, strict=True)]
        members = np.array([k for span in spans for k in span], np.intp)
        sums = np.repeat(np.arange(len(spans)), [len(span) for span in spans])
        read = np.moveaxis(ct, self.axis, 0)[sums]
        return np.moveaxis(ScatterAdd(sizes=(n, *sizes))(read, members), 0, self.axis)


# What the user writes


def running(name: str, made: Callable[[int], Primitive]) -> Callable[..., Value]:
    """A function that accumulates along an axis with the primitive that `made` gives."""

    def accumulate(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Value:
        x = with_axis(array(a)) if axis is not None else ravel(a)
        if dtype is not None:
            x = astype(x, dtype)
        at = from_end(-1 if axis is None else axis, x.ndim, name)
        found = made(at)(x)
        return delivered(name, found if dtype is None else astype(found, dtype), out)

    accumulate.__name__ = name
    accumulate.__doc__ = f"`np.{name}` along `axis` (None: of the flat array)."
    return accumulate


cumsum = implements(np.cumsum)(running("cumsum", CumSum))
cumprod = implements(np.cumprod)(running("cumprod", CumProd))


def cumulative(name: str, along: Callable[..., Value], first: int) -> Callable[..., Value]:
    """`np.cumulative_sum` or `np.cumulative_prod`: the array standard's spelling."""

    def accumulate(
        x: Any,
        /,
        *,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        include_initial: bool = False,
    ) -> Value:
        given = array(x)
        given = given if given.ndim else reshape(given, (1,))
        if axis is None:
            if given.ndim > 1:
                raise ValueError(f"{name}: an array of {given.ndim} axes needs axis=")
            axis = -1
        found = along(given, axis, dtype)
        if include_initial:
            shape = list(found.shape)
            shape[axis] = 1
            found = concatenate([np.full(tuple(shape), first, found.dtype), found], axis)
        return delivered(name, found, out)

    accumulate.__name__ = name
    accumulate.__doc__ = f"`np.{name}`, with the empty one first if `include_initial`."
    return accumulate


cumulative_sum = implements(*newer("cumulative_sum"))(cumulative("cumulative_sum", cumsum, 0))
cumulative_prod = implements(*newer("cumulative_prod"))(cumulative("cumulative_prod", cumprod, 1))


# The ufuncs' own spelling: np.add.accumulate, np.add.reduceat


def accumulating(ufunc: np.ufunc, made: Callable[[int], Primitive], logical: bool = False) -> None:
    """Let `ufunc.accumulate` find its primitive; its `axis` is 0 unless given."""
    along = running(f"{ufunc.__name__}.accumulate", made)

    def accumulate(array: Any, axis: Any = 0, dtype: Any = None) -> Value:
        if logical or dtype is not None or array.dtype.kind != "f":
            with np.errstate(all="ignore"):  # NumPy finds the dtype, or refuses
                like = ufunc.accumulate(np.broadcast_to(unit(array), array.shape), axis, dtype)
            array = truths(array) if logical else astype(array, like.dtype)
        found = along(array, axis)
        return found if dtype is None else astype(found, dtype)

    implements_method(ufunc, "accumulate")(accumulate)


for _ufunc, _made in (
    (np.add, CumSum), (np.multiply, CumProd), (np.maximum, CumMax), (np.minimum, CumMin),
    (np.logaddexp, CumLogSumExp),
):  # fmt: skip
    accumulating(_ufunc, _made)
for _logical in (np.logical_and, np.logical_or, np.logical_xor):
    accumulating(_logical, partial(CumTruth, _logical.__name__), logical=True)


@implements_method(np.add, "reduceat")
def add_reduceat(a: Any, indices: Any, axis: Any = 0, dtype: Any = None) -> Value:
    """Sums from each of `indices` to the next along `axis`; one that does not grow takes one."""
    x = array(a) if dtype is None else astype(array(a), dtype)
    at = from_end(axis, x.ndim, "add.reduceat")
    starts = tuple(whole(k) for k in np.asarray(indices).tolist())
    if any(not 0 <= k < x.shape[at] for k in starts):
        raise IndexError(
            f"add.reduceat: indices {starts} must lie in [0, {x.shape[at]}), the length of the axis"
        )
    found = SumBetween(starts, at)(x)
    return found if dtype is None else astype(found, dtype)
