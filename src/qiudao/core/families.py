"""The families of primitives, each with its own short way to state a derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from .avals import Aval, Value, aval_of, promote
from .element import Element, Scalar
from .node import Node
from .primitive import Parents, Primitive, Product, Terms, Values, add_all, stretch
from .sweep import Masked, fit


class Linear(Primitive):
    """Linear in the operands of `linear` taken together; the others are held fixed.

    States `transpose(i, ct, *xs)`; an operand in a linear position is known by shape and dtype
    only.
    """

    is_tame: ClassVar[bool] = True
    linear: ClassVar[tuple[int, ...]] = (0,)
    keeps_out: ClassVar[bool] = False
    keeps_operands: ClassVar[bool] = False

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        """The cotangent of operand `i`."""
        raise NotImplementedError

    def positions(self, count: int) -> Sequence[int]:
        """The linear operands among `count`."""
        return self.linear

    def is_linear(self, positions: set[int]) -> bool:
        return positions <= set(self.positions(max(positions, default=0) + 1))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        if len(xs) == 1:
            return None if dxs[0] is None else self(dxs[0])
        linear = self.positions(len(xs))
        if all(dxs[i] is None for i in linear):
            return None
        return self(*(_tangent(x, dxs[i]) if i in linear else x for i, x in enumerate(xs)))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if len(xs) == 1:
            return (self.transpose(0, ct, xs[0]),)
        return [
            None if parent is None else self.transpose(i, ct, *xs)
            for i, parent in enumerate(parents)
        ]

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        probe = probing(alive)
        return [
            None if parent is None else fit(self.transpose(i, probe, *xs), parent) != 0
            for i, parent in enumerate(parents)
        ]

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        if len(values) == 1:
            return parents  # type: ignore[return-value]
        return tuple([v if p is None else p for v, p in zip(values, parents, strict=True)])

    def write(self, base: Value, new: Value) -> Value:
        if self.is_read_only:
            raise ValueError(
                f"setitem: the result of {self.name} is read-only, as in NumPy; "
                "write into a copy, np.copy(x)"
            )
        shown = self.transpose(0, np.ones(np.shape(new)), base) != 0
        return np.where(shown, self.transpose(0, new, base), base)


def _tangent(x: Value, dx: Value | None) -> Value:
    """A tangent in the shape and dtype of its primal."""
    return np.zeros(np.shape(x), np.result_type(x)) if dx is None else dx


def probing(alive: Value) -> Value:
    """A cotangent that is zero outside the live lanes, and whose sums never cancel to zero."""
    weights = np.random.default_rng(0).uniform(1.0, 2.0, np.shape(alive))
    return np.where(alive, weights, 0.0)


class Bilinear(Primitive):
    """Linear in each of two operands: the tangent da.b + a.db follows from the class."""

    is_tame: ClassVar[bool] = True
    keeps_out: ClassVar[bool] = False

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        """The cotangent of operand `i`; that operand is known by shape and dtype only."""
        raise NotImplementedError

    def is_linear(self, positions: set[int]) -> bool:
        return len(positions) == 1

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, b), (da, db) = xs, dxs
        return add_all([None if da is None else self(da, b), None if db is None else self(a, db)])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if isinstance(product, Masked):
            xs = [
                x if isinstance(x, Node) else np.where(self.read(i, product.mask, xs), x, 0.0)
                for i, x in enumerate(xs)
            ]
        return [
            None if parent is None else self.transpose(i, ct, *xs)
            for i, parent in enumerate(parents)
        ]

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return [None if p is None else self.read(i, alive, xs) for i, p in enumerate(parents)]

    def read(self, i: int, alive: Value, xs: Values) -> Value:
        """The lanes of operand `i` that the live lanes of the result read."""
        ones = [np.ones(np.shape(x) if not isinstance(x, Node) else x.shape) for x in xs]
        return fit(self.transpose(i, probing(alive), *ones), aval_of(xs[i])) != 0

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        (a, b), (x, y) = values, parents
        return (x if y is None else a, y if x is None else b)


class Elementwise(Primitive):
    """Applies to each element alone; operands broadcast as NumPy's do.

    `ufunc` is the NumPy function that computes it.
    """

    ufunc: ClassVar[Any]
    keeps_out: ClassVar[bool] = False

    def evaluate(self, *xs: Value) -> Value:
        return type(self).ufunc(*xs)

    def shape(self, *avals: Aval) -> Aval:
        shape, *others = [a.shape for a in avals]
        if any(other != shape for other in others):
            shape = np.broadcast_shapes(shape, *others)
        return Aval(shape, self.dtype(*avals))

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        """The dtype of the result."""
        dtype = promote(*avals)
        if dtype.kind in "fc":
            return dtype
        return np.result_type(self.evaluate(*map(one, avals)))

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        """Scalar code for the compiler: `e` builds one scalar operation at a time.

        NotImplemented where there is none: then compiled code calls `evaluate` on whole arrays.
        """
        if vars(self) or type(self).evaluate is not Elementwise.evaluate:
            return NotImplemented
        return e.call(type(self).ufunc.__name__, *xs)

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return [None if p is None else shrink(alive, p.shape) for p in parents]

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        ndim = max(np.ndim(x) - m for x, m in zip(xs, mapped, strict=True))
        return self(*(align(x, ndim) if m else x for x, m in zip(xs, mapped, strict=True)))


def one(aval: Aval) -> Value:
    """A 1 of a type; Python's own where the type is Python's, which widens nothing."""
    return np.ones((), aval.dtype) if aval.weak is None else aval.weak(1)


def align(x: Value, ndim: int) -> Value:
    """Put unit axes after the leading batch axis until `ndim` axes follow it."""
    shape = x.shape
    missing = ndim + 1 - len(shape)
    return np.reshape(x, (shape[0], *(1,) * missing, *shape[1:])) if missing else x


def shrink(alive: Value, shape: tuple[int, ...]) -> Value:
    """Undo broadcasting for a mask: a stretched lane is alive where any of its copies is."""
    lead = len(alive.shape) - len(shape)
    stretched = tuple(k + lead for k, n in enumerate(shape) if n == 1)
    axes = (*range(lead), *stretched)
    return np.reshape(np.any(alive, axis=axes), shape) if alive.shape != shape else alive


class Additive(Elementwise):
    """Elementwise and linear in all its operands together, over the reals.

    States `transpose(i, ct)`: the cotangent of operand `i`.
    """

    is_tame: ClassVar[bool] = True
    keeps_operands: ClassVar[bool] = False

    def transpose(self, i: int, ct: Value) -> Value:
        """The cotangent of operand `i`."""
        raise NotImplementedError

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        dtype = promote(*avals)
        return dtype if dtype.kind != "b" else super().dtype(*avals)  # which NumPy may refuse

    def is_linear(self, positions: set[int]) -> bool:
        return True

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return self(*(0.0 if dx is None else dx for dx in dxs))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if len(xs) == 1:
            return (self.transpose(0, ct),)
        return [
            None if parent is None else self.transpose(i, ct) for i, parent in enumerate(parents)
        ]

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return tuple(parents)


class Smooth(Elementwise):
    """Elementwise with a slope, d out = slope dx, that may read the operands or the result."""

    reads: ClassVar[str] = "x"  # what `slope` reads: "x", "out" or "both"

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        """The derivative of the result with respect to operand `i`, elementwise."""
        raise NotImplementedError

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.keeps_out = cls.reads != "x"

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        terms: list[Value | None] = [
            None if dx is None else self.move(dx, self.slope(i, out, *xs), product)
            for i, dx in enumerate(dxs)
        ]
        return add_all(terms)

    def pushing(
        self, out: Value, xs: Values, dxs: Terms, product: Product
    ) -> Callable[[Terms], Value | None]:
        if type(self).push is not Smooth.push:
            return Primitive.pushing(self, out, xs, dxs, product)
        slopes = [None if dx is None else self.slope(i, out, *xs) for i, dx in enumerate(dxs)]

        def push(tangents: Terms) -> Value | None:
            terms = zip(tangents, slopes, strict=True)
            return add_all([None if dx is None else self.move(dx, s, product) for dx, s in terms])

        return push

    def move(self, dx: Value, slope: Value, product: Product) -> Value:
        """The tangent from one operand: 0 where that does not move, and where it was dropped."""
        moved = product(dx, slope)
        return np.where(slope != 0, moved, 0.0) if self.is_selection else moved

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if len(xs) == 1:
            return (product(ct, self.slope(0, out, xs[0])),)
        return [
            None if parent is None else product(ct, self.slope(i, out, *xs))
            for i, parent in enumerate(parents)
        ]

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        if not self.is_selection:
            return super().reach(alive, out, xs, parents)
        return [
            None if p is None else shrink(alive & (self.slope(i, out, *xs) != 0), p.shape)
            for i, p in enumerate(parents)
        ]

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        if self.reads == "out":
            if len(values) == 1:
                return parents  # type: ignore[return-value]
            return tuple([v if p is None else p for v, p in zip(values, parents, strict=True)])
        return tuple(values)


class Constant(Elementwise):
    """Piecewise constant, or with a result that no derivative passes: comparisons, rounding.

    The result of a tracer is one of its class, so that whoever works with whole arrays of one
    kind (the array standard, torch's and paddle's users) meets that kind alone.
    """

    is_tame: ClassVar[bool] = True
    is_constant: ClassVar[bool] = True

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return np.result_type(self.evaluate(*map(one, avals)))


class Opaque(Primitive):
    """Not elementwise, and with a result that no derivative passes: argsort, searchsorted.

    Most are positions, which are wanted as plain integers, to index and to loop over.
    """

    is_constant: ClassVar[bool] = True
    is_plain: ClassVar[bool] = True


__all__ = [
    "Additive",
    "Bilinear",
    "Constant",
    "Elementwise",
    "Linear",
    "Opaque",
    "Smooth",
    "align",
    "shrink",
    "stretch",
]
