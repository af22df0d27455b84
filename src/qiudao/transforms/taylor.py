"""Taylor mode: a whole power series travels through the function.

A value is x(t) = x0 + x1 t + ... + xn t^n.  Linear primitives act on each coefficient and bilinear
ones convolve them.  For every other primitive the series comes from its one derivative statement:
y'(t) is the tangent along x'(t), itself a computation on series, and y_(k+1) = (y')_k / (k + 1).
(Griewank and Walther, Evaluating Derivatives, chapter 13, whose tables are the cases of this
recurrence.)

The series of that inner computation are `Lazy`: coefficient k is found when it is asked for, from
earlier ones of the operands and of y itself.  So each is found once, and y may stand in the
expression for its own derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..core.arriving import arrived
from ..core.avals import Value, aval_of
from ..core.complexes import check_real
from ..core.dispatch import Tracer, concrete
from ..core.errors import ShapeError, TreeError
from ..core.families import Elementwise
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.primitive import Primitive, add_all
from ..core.sweep import fit
from ..core.trees import flatten, match
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import Divide, scale
from ..ops.stopping import stop_gradient
from ..tape.tensor import off_tapes
from .entering import check_unchanged, entering
from .forward import one_for_each
from .results import check_numbers, owned
from .reverse import as_primal

Find = Callable[[int], Any]  # coefficient k > 0, or None for zero
Made = dict[Primitive, "Lazy"]


class Lazy:
    """The coefficients of a value, each found when it is first asked for.

    Within a derivative `made` has the functions of the value that are known already: the slope of
    a sine is a cosine, and that of the cosine is the sine again.
    """

    __slots__ = ("find", "known", "made")

    def __init__(self, first: Value, find: Find, made: Made | None = None) -> None:
        self.known = [first]
        self.find = find
        self.made = made

    def __getitem__(self, k: int) -> Any:
        while len(self.known) <= k:
            self.known.append(self.find(len(self.known)))
        return self.known[k]


def nothing(k: int) -> None:
    """The coefficients of a constant."""


Coefficients = list[Any] | Lazy  # of one value, None for zero beyond the first


class Series(ArrayMethods, Tracer):
    """A power series in place of a value: truncated (a list), or as far as anyone asks (lazy)."""

    __slots__ = ("coefficients", "level", "tied")

    tied: Tie  # set on views only
    is_series = True
    kept_from = "jet"

    def __init__(self, coefficients: Coefficients, level: float) -> None:
        self.coefficients = coefficients
        self.level = level

    @property
    def shape(self) -> Any:
        return self.coefficients[0].shape

    @property
    def dtype(self) -> Any:
        return self.coefficients[0].dtype

    @property
    def known(self) -> list[Any]:
        """The coefficients found so far."""
        found = self.coefficients
        return found.known if isinstance(found, Lazy) else found

    @property
    def moves(self) -> bool:
        """Whether this may be more than a constant."""
        found = self.coefficients
        if isinstance(found, Lazy):
            return found.find is not nothing
        return any(c is not None for c in found[1:])

    def concrete(self) -> Any:
        return concrete(self.coefficients[0])

    def constant(self, value: Value) -> Series:
        if isinstance(self.coefficients, Lazy):
            return Series(Lazy(value, nothing), self.level)
        return Series([value, *[None] * (len(self.coefficients) - 1)], self.level)

    def carries(self, later: bool = True) -> bool:
        return self.moves or super().carries(later)

    def refuse(self, act: str, instead: str) -> Any:
        if self.moves:
            super().refuse(act, instead)
        if isinstance(self.coefficients[0], Tracer):
            self.coefficients[0].refuse(act, instead)

    def parts(self) -> tuple[Value, ...]:
        return tuple(c for c in self.known if c is not None)

    def detach(self) -> Series:
        """The value as a constant for every derivative."""
        return self.constant(stop_gradient(self.coefficients[0]))

    def overwrite(self, new: Value) -> None:
        self.coefficients = self.same_level(new).coefficients

    def if_constant(self) -> Value | None:
        first: Value = self.coefficients[0]
        return None if self.moves else first

    def snapshot(self) -> Series:
        return Series(self.coefficients, self.level)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        level = self.level
        series: list[Coefficients] = []
        moving: set[int] = set()
        for i, x in enumerate(xs):
            if isinstance(x, Series) and x.level == level:
                series.append(x.coefficients)
                if level >= modes.floor and x.moves:
                    moving.add(i)
            else:
                series.append(Lazy(x, nothing))
        out = primitive(*(s[0] for s in series))
        if primitive.is_plain:
            return out
        if primitive.is_constant:
            is_several = isinstance(out, tuple)
            return tuple(map(self.constant, out)) if is_several else self.constant(out)
        joint = made_before(primitive, series) if moving else None
        if joint is None:
            joint = Lazy(out, nothing)
            joint.find = finder(primitive, series, moving, joint)
        lazy = parts_of(joint) if isinstance(out, tuple) else (joint,)
        found = tuple(Series(self.as_mine(each), level) for each in lazy)
        if isinstance(out, tuple):
            return found
        return tie(found[0], self, primitive, SeriesView) if primitive.is_view else found[0]

    def as_mine(self, coefficients: Lazy) -> Coefficients:
        """Coefficients of a result: lazy where mine are, else found at once."""
        if isinstance(self.coefficients, Lazy):
            return coefficients
        with np.errstate(all="ignore"):
            return [coefficients[k] for k in range(len(self.coefficients))]


_slots = vars(Series)


class SeriesView(View, Series):
    """A series whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Series
    state = _slots["coefficients"].__get__
    fields = ("coefficients",)

    coefficients = follow(_slots["coefficients"], _slots["coefficients"])


def parts_of(joint: Lazy) -> tuple[Lazy, ...]:
    """The coefficients of each of several results."""

    def part(i: int) -> Lazy:
        def find(k: int) -> Any:
            found = joint[k]
            return None if found is None else found[i]

        return Lazy(joint[0][i], find)

    return tuple(map(part, range(len(joint[0]))))


def made_of(series: Sequence[Coefficients]) -> Made | None:
    """The functions of one value that are known already."""
    (s, *others) = series
    return None if others or not isinstance(s, Lazy) else s.made


def made_before(primitive: Primitive, series: Sequence[Coefficients]) -> Lazy | None:
    """The coefficients of a function of one value, where they are known already."""
    made = made_of(series) if isinstance(primitive, Elementwise) else None
    return None if made is None else made.get(primitive)


def finder(
    primitive: Primitive, series: Sequence[Coefficients], moving: set[int], joint: Lazy
) -> Find:
    """How to find the coefficients of a result, or of several together, from those before them."""
    out = joint[0]
    if not moving:
        return nothing
    if primitive.is_linear(moving):
        first = [s[0] for s in series]
        return lambda k: fitted(push(primitive, out, first, [s[k] for s in series]), out)
    if primitive.is_linear({0}) and primitive.is_linear({1}) and len(series) == 2:
        return lambda k: fitted(convolve(primitive, series[0], series[1], k), out)
    if isinstance(primitive, Divide):
        return lambda k: fitted(quotient(primitive, series[0], series[1], joint, k), out)
    rate: list[Any] = []

    def integrate(k: int) -> Any:
        if not rate:
            rate.append(derivative(primitive, series, moving, joint))
        change = rate[0]
        if isinstance(change, tuple):
            return tuple(fitted(over(c, k), o) for c, o in zip(change, out, strict=True))
        return fitted(over(change, k), out)

    return integrate


def fitted(coefficient: Any, out: Any) -> Any:
    """A coefficient in the shape and dtype of the result."""
    if coefficient is None:
        return None
    if isinstance(out, tuple):
        return tuple(map(fitted, coefficient, out))
    return fit(coefficient, aval_of(out))


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


def quotient(
    primitive: Divide, a: Coefficients, b: Coefficients, y: Coefficients, k: int
) -> Value | None:
    """Coefficient k of y = a / b, from y b = a: the slope of a quotient is itself a quotient."""
    products = [
        -(b[j] * y[k - j]) for j in range(1, k + 1) if b[j] is not None and y[k - j] is not None
    ]
    total = add_all([a[k], *products])
    return None if total is None else primitive(total, b[0])


def derivative(
    primitive: Primitive, series: Sequence[Coefficients], moving: set[int], joint: Lazy
) -> Any:
    """The series of y'(t), or of several, in which the series of y itself may stand."""
    level = new_level()
    made = made_of(series)
    if len(series) == 1 and isinstance(primitive, Elementwise):
        made = {} if made is None else made
        made[primitive] = joint
    xs = [
        Series(Lazy(s[0], s.__getitem__, made), level) if i in moving else s[0]
        for i, s in enumerate(series)
    ]
    dxs = [Series(rate_of(s), level) if i in moving else None for i, s in enumerate(series)]
    out: Any = Series(joint, level)
    if isinstance(joint[0], tuple):
        out = tuple(Series(each, level) for each in parts_of(joint))
    with Running(level):
        change = push(primitive, out, xs, dxs)
    if isinstance(change, tuple):
        return tuple(series_at(c, level) for c in change)
    return series_at(change, level)


def rate_of(s: Coefficients) -> Lazy:
    """The coefficients of x'(t)."""

    def find(k: int) -> Any:
        return None if s[k + 1] is None else (k + 1) * s[k + 1]

    first = np.zeros(np.shape(s[0]), np.result_type(s[0])) if s[1] is None else s[1]
    return Lazy(first, find)


def series_at(change: Any, level: float) -> Coefficients:
    """The coefficients of a computed tangent, which may be a constant."""
    if isinstance(change, Series) and change.level == level:
        return change.coefficients
    return Lazy(change, nothing)


def over(rate: Coefficients, k: int) -> Any:
    """Coefficient k of y from coefficient k - 1 of y'."""
    return None if rate[k - 1] is None else rate[k - 1] / k


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
    primals = one_for_each("jet", "primals", primals)
    series = one_for_each("jet", "series", series)
    if len(primals) != len(series):
        raise TreeError(
            f"jet: {len(primals)} primals and {len(series)} series; give a list of coefficients "
            "for each primal"
        )
    for k, s in enumerate(series):
        if not isinstance(s, tuple | list):
            raise TreeError(
                f"jet: series[{k}] is {type(s).__name__}; give a list of coefficients [x1, x2, "
                "...], each nested like its primal"
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
    rows = [values, *(list(map(checked, c, values, paths)) for c in curve)]
    given = list(chain.from_iterable(rows))
    taken, guards = entering(given)
    inputs = [Series(taken[i :: len(values)], level) for i in range(len(values))]
    with Running(level):
        result = f(*tree.build(inputs))
    if guards:
        check_unchanged("jet", guards)
    outs, out_tree = flatten(result)
    check_numbers("jet", outs, out_tree)
    columns = [coefficients_of(y, order, level) for y in outs]
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
    coefficient = arrived(coefficient)
    check_real(f"jet: a coefficient of argument{path}", coefficient, primal)
    return fit(coefficient, aval_of(primal))


def coefficients_of(y: Any, order: int, level: float) -> list[Value]:
    """All coefficients of an output, zeros written out."""
    y = off_tapes(y, level)
    found = y.coefficients if isinstance(y, Series) and y.level == level else [y, *[None] * order]
    first: Any = found[0]
    zero = np.zeros(np.shape(first), np.result_type(first))
    return [zero if found[k] is None else found[k] for k in range(order + 1)]
