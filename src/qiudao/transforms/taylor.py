"""Taylor mode: a whole power series travels through the function.

A value is x(t) = x0 + x1 t + ... + xn t^n.  Linear primitives act on each coefficient and bilinear
ones convolve them.  For every other primitive the series comes from its one derivative statement:
y'(t) is the tangent along x'(t), itself a computation on series one order lower, and
y_(k+1) = (y')_k / (k + 1).  (Griewank and Walther, Evaluating Derivatives, chapter 13, whose tables
are the cases of this recurrence.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.dispatch import Tracer, concrete, snapshot
from ..core.errors import ShapeError, TreeError
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.primitive import Primitive, add_all
from ..core.sweep import fit
from ..core.trees import flatten, match
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import Divide, scale
from ..ops.stopping import stop_gradient
from ..tape.tensor import off_tapes
from .results import owned
from .reverse import as_primal

Coefficients = list[Value | None]  # of one value, None for zero beyond the first


class Series(ArrayMethods, Tracer):
    """A truncated power series in place of a value."""

    __slots__ = ("coefficients", "level", "tied")

    tied: Tie  # set on views only

    def __init__(self, coefficients: Coefficients, level: float) -> None:
        self.coefficients = coefficients
        self.level = level

    @property
    def shape(self) -> Any:
        return self.coefficients[0].shape  # type: ignore[union-attr]

    @property
    def dtype(self) -> Any:
        return self.coefficients[0].dtype  # type: ignore[union-attr]

    def concrete(self) -> Any:
        return concrete(self.coefficients[0])

    def constant(self, value: Value) -> Series:
        return Series([value, *[None] * (len(self.coefficients) - 1)], self.level)

    def carries(self) -> bool:
        return any(c is not None for c in self.coefficients[1:]) or super().carries()

    def refuse(self, act: str, instead: str) -> Any:
        if any(c is not None for c in self.coefficients[1:]):
            super().refuse(act, instead)
        if isinstance(self.coefficients[0], Tracer):
            self.coefficients[0].refuse(act, instead)

    def parts(self) -> tuple[Value, ...]:
        return tuple(c for c in self.coefficients if c is not None)

    def detach(self) -> Series:
        """The value as a constant for every derivative."""
        return self.constant(stop_gradient(self.coefficients[0]))

    def overwrite(self, new: Value) -> None:
        self.coefficients = self.same_level(new).coefficients

    def snapshot(self) -> Series:
        return Series(self.coefficients, self.level)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        level = self.level
        order = len(self.coefficients) - 1
        series = [
            x.coefficients if isinstance(x, Series) and x.level == level else [x, *[None] * order]
            for x in xs
        ]
        moving = {i for i, s in enumerate(series) if any(c is not None for c in s[1:])}
        if level < modes.floor:
            moving = set()
        out = primitive(*(s[0] for s in series))
        if primitive.is_constant:
            return out
        with np.errstate(all="ignore"):
            results = propagate(primitive, series, moving, order, out)
        if isinstance(out, tuple):
            return tuple(Series(list(column), level) for column in results)
        made = Series(results, level)
        return tie(made, self, primitive, SeriesView) if primitive.is_view else made


_slots = vars(Series)


class SeriesView(View, Series):
    """A series whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Series
    state = _slots["coefficients"].__get__
    fields = ("coefficients",)

    coefficients = follow(_slots["coefficients"], _slots["coefficients"])


def propagate(
    primitive: Primitive, series: list[Coefficients], moving: set[int], order: int, out: Value
) -> Any:
    """The series of a result, or of each of several."""
    first = [s[0] for s in series]
    if not moving:
        rest: list[Any] = [None] * order
    elif primitive.is_linear(moving):
        rest = [push(primitive, out, first, [s[k] for s in series]) for k in range(1, order + 1)]
    elif primitive.is_linear({0}) and primitive.is_linear({1}) and len(series) == 2:
        rest = [convolve(primitive, series[0], series[1], k) for k in range(1, order + 1)]
    elif isinstance(primitive, Divide):
        rest = divide(primitive, series[0], series[1], out)
    else:
        rest = integrate(primitive, series, order, out)
    if isinstance(out, tuple):
        return [
            [o, *(None if r is None else fitted(r[i], o) for r in rest)] for i, o in enumerate(out)
        ]
    return [out, *(fitted(r, out) for r in rest)]


def fitted(coefficient: Value | None, out: Value) -> Value | None:
    """A coefficient in the shape and dtype of the result."""
    return None if coefficient is None else fit(coefficient, aval_of(out))


def push(primitive: Primitive, out: Value, xs: Sequence[Any], dxs: Sequence[Any]) -> Value | None:
    """The tangent along `dxs`, or None when nothing moves."""
    if all(dx is None for dx in dxs):
        return None
    return primitive.push(out, xs, dxs, scale)


def convolve(primitive: Primitive, a: Coefficients, b: Coefficients, k: int) -> Value | None:
    """Coefficient k of a product of two series."""
    return add_all(
        [
            primitive(a[j], b[k - j])
            for j in range(k + 1)
            if a[j] is not None and b[k - j] is not None
        ]
    )


def divide(primitive: Divide, a: Coefficients, b: Coefficients, out: Value) -> Coefficients:
    """Coefficients 1 and on of y = a / b, from those of y b = a.

    The recurrence below would find them too, but the slope of a quotient is a quotient.
    """
    found: Coefficients = [out]
    for k in range(1, len(a)):
        products = [
            None if x is None or y is None else x * y for x, y in zip(b[k:0:-1], found, strict=True)
        ]
        total = add_all([a[k], *(None if p is None else -p for p in products)])
        found.append(None if total is None else primitive(total, b[0]))
    return found[1:]


class ResultReadError(Exception):
    """A rule has read the result, which is not known yet."""


class Unread(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for a result that is not known yet, to learn whether a rule reads it."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise ResultReadError

    __array_function__ = __getattr__ = __iter__ = __getitem__ = __array_ufunc__


def integrate(primitive: Primitive, series: list[Coefficients], order: int, out: Value) -> Any:
    """Coefficients 1 to `order` of the result, from its derivative along the series."""
    rates: list[Coefficients] = [
        [None if c is None else (k + 1) * c for k, c in enumerate(s[1:])] for s in series
    ]
    try:
        return derivative_series(primitive, series, rates, order - 1, None)
    except ResultReadError:
        pass  # the coefficients of the result are found one by one, each from those before
    found: list[Any] = []
    for known in range(order):
        outs = [out, *found]
        found.append(derivative_series(primitive, series, rates, known, outs)[known])
    return found


def derivative_series(
    primitive: Primitive,
    series: list[Coefficients],
    rates: list[Coefficients],
    order: int,
    outs: Any,
) -> list[Any]:
    """The coefficients of y' to `order`, divided so as to be coefficients 1 to order + 1 of y.

    `outs` are the coefficients of y that the rule may read, or None where it must read none.
    """
    level = new_level()

    def lift(coefficients: Coefficients) -> Value:
        used = coefficients[: order + 1]
        if order == 0 or all(c is None for c in used[1:]):
            return used[0]
        if used[0] is None:
            template = next(c for c in used if c is not None)
            used = [np.zeros(np.shape(template), template.dtype), *used[1:]]
        return Series(used, level)

    out: Any
    if outs is None:
        out = Unread()
    elif isinstance(outs[0], tuple):
        out = tuple(lift(list(column)) for column in zip(*outs, strict=True))
    else:
        out = lift(outs)
    xs = [lift(s) for s in series]
    dxs = [lift(r) if r else None for r in rates]
    change = push(primitive, out, xs, dxs)
    if isinstance(change, tuple):
        columns = [terms(part, order, level) for part in change]
        return [tuple(row) for row in zip(*columns, strict=True)]
    return terms(change, order, level)


def terms(change: Value | None, order: int, level: float) -> list[Value | None]:
    """Coefficient k of y' as coefficient k + 1 of y."""
    if isinstance(change, Series) and change.level == level:
        found = change.coefficients[: order + 1]
    else:
        found = [change, *[None] * order]
    return [None if c is None else c / (k + 1) for k, c in enumerate(found)]


def jet(f: Callable[..., Any], primals: Any, series: Any) -> tuple[Any, Any]:
    """The Taylor coefficients of `f` along a curve.

    The curve is x(t) = x0 + x1 t + x2 t^2 + ...: `primals` is a tuple of the x0, one an argument
    and any pytree, and `series` a tuple of lists [x1, x2, ...] of equal length, each coefficient
    nested like its x0.  Returns y0 and the list [y1, y2, ...] of y(t) = f(x(t)), nested like the
    result; the k-th derivative along a straight line is k! yk.

    >>> y, coefficients = jet(np.exp, (0.0,), ([1.0, 0.0, 0.0],))
    >>> [round(float(c), 6) for c in coefficients]
    [1.0, 0.5, 0.166667]
    """
    primals, series = tuple(primals), tuple(series)
    if len(primals) != len(series):
        raise TreeError(
            f"jet: {len(primals)} primals and {len(series)} series; give a list of coefficients "
            "for each primal"
        )
    orders = {len(s) for s in series}
    if len(orders) != 1:
        raise TreeError(f"jet: series of lengths {sorted(orders)}; all must be equal")
    (order,) = orders
    leaves, tree = flatten(primals)
    paths = tree.paths
    values = [as_primal(x, "jet", p) for x, p in zip(leaves, paths, strict=True)]
    curve = [match(tree, tuple(s[k] for s in series), "jet") for k in range(order)]
    level = new_level()
    inputs = [
        Series([snapshot(x), *(snapshot(checked(c[i], x, paths[i])) for c in curve)], level)
        for i, x in enumerate(values)
    ]
    with Running(level):
        result = f(*tree.build(inputs))
    outs, out_tree = flatten(result)
    columns = [coefficients_of(y, order, level) for y in outs]
    given = [*leaves, *chain.from_iterable(curve)]
    found = owned((c[k] for k in range(order + 1) for c in columns), given)
    n = len(outs)
    built = [out_tree.build(found[k * n : (k + 1) * n]) for k in range(order + 1)]
    return built[0], built[1:]


def checked(coefficient: Any, primal: Value, path: str) -> Value:
    """A user's coefficient in the shape and dtype of its primal."""
    if np.shape(coefficient) != np.shape(primal):
        raise ShapeError(
            f"jet: a coefficient of argument{path} has shape {np.shape(coefficient)} and its "
            f"primal {np.shape(primal)}; both must be equal"
        )
    c = coefficient if hasattr(coefficient, "dtype") else np.asarray(coefficient)
    return fit(c, aval_of(primal))


def coefficients_of(y: Any, order: int, level: float) -> list[Value]:
    """All coefficients of an output, zeros written out."""
    y = off_tapes(y, level)
    found = y.coefficients if isinstance(y, Series) and y.level == level else [y, *[None] * order]
    first: Any = found[0]
    zero = np.zeros(np.shape(first), np.result_type(first))
    return [zero if c is None else c for c in found]
