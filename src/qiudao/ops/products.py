"""Products of vectors, matrices and arrays of them.  The general contraction is in `einsum.py`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, promote
from ..core.dispatch import implements, newer
from ..core.errors import ShapeError
from ..core.families import Bilinear, align
from ..core.primitive import Parents, Product, Terms, Values, primitive
from ..core.samples import sample
from .einsum import Einsum, cast, einsum, unused
from .faces import array, delivered, from_end, whole
from .warming import warm

MANY = 4096  # elements of an operand, from which on the product is more than its call


@primitive
class MatMul(Bilinear):
    """`a @ b`: matrix product over the last two axes, leading axes broadcast.

    A 1-d operand is a row on the left and a column on the right, as in NumPy.
    """

    samples = (
        sample("f64[3,4]", "f64[4,2]"),
        sample("f64[5,3,4]", "f64[4,2]"),
        sample("f64[3,4]", "f64[5,4,2]"),
        sample("f64[2,1,3,4]", "f64[5,4,2]"),
        sample("f64[5,3,4]", "f64[2,1,4,1]"),
        sample("c128[2,3]", "f64[3,1]"),
        sample("c128[3]", "c128[3]"),
        sample("f64[4]", "f64[4,2]"),
        sample("f64[4]", "f64[5,4,2]"),
        sample("f64[3,4]", "f64[4]"),
        sample("c128[5,3,4]", "f64[4]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2:][0]:
            raise misfit(a, b)
        try:
            lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        except ValueError:
            raise misfit(a, b) from None
        columns = b.shape[-1:] if b.ndim > 1 else ()
        return Aval((*lead, *a.shape[-2:-1], *columns), promote(a, b))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs
        if a.size >= MANY:
            warm()
        try:
            if a.ndim > 2 >= b.ndim and a.size and a.flags.c_contiguous:
                rows = a.reshape(-1, a.shape[-1])  # one product, not one for each leading index
                return np.matmul(rows, b).reshape(*a.shape[:-1], *b.shape[1:])
            return np.matmul(a, b)
        except ValueError:
            raise misfit(aval_of(a), aval_of(b)) from None

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, with fewer calls for two matrices: an eighth of the time of small ones."""
        (a, b), (x, y) = xs, parents
        if product is operator.mul and len(a.shape) == len(b.shape) == 2:
            return (None if x is None else ct @ b.T, None if y is None else a.T @ ct)
        return super().pull(ct, out, xs, parents, product)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        m, n = len(a.shape), len(b.shape)
        if m == n == 1:
            return ct * (a if i else b)
        return self.to_right(ct, a, m, n) if i else self.to_left(ct, b, m, n)

    def to_left(self, ct: Value, b: Value, m: int, n: int) -> Value:
        """The cotangent of the left operand, which has `m` axes.

        Leading axes that it lacks are summed over within the one product.
        """
        if n == 1:
            return ct[..., None] * b
        if m == 1:
            return b @ ct if n == 2 else contract("*c,*kc->k", n - 2, ct, b)
        return self(ct, b.mT) if m != 2 or n == 2 else contract("*rc,*kc->rk", n - 2, ct, b)

    def to_right(self, ct: Value, a: Value, m: int, n: int) -> Value:
        """The cotangent of the right operand, which has `n` axes."""
        if m == 1:
            return a[:, None] * ct[..., None, :]
        if n == 1:
            return ct @ a if m == 2 else contract("*rk,*r->k", m - 2, a, ct)
        return self(a.mT, ct) if n != 2 or m == 2 else contract("*rk,*rc->kc", m - 2, a, ct)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        """The batch becomes rows of one product where that costs no copy.

        Making it columns needs a copy of the operand, and was measured to gain nothing over the
        loop over products that NumPy runs.
        """
        a, b = xs
        m, n = (x.ndim - k for x, k in zip(xs, mapped, strict=True))
        if mapped == (True, True):
            if m == n == 1:
                return Einsum("zk,zk->z")(a, b)
        elif mapped[0]:
            if n <= 2:
                return self(a, b)
        elif n == 1:
            if m <= 2:
                return self(b, a.T)
            return contract("*rk,zk->z*r", m - 2, a, b)
        elif m == 1:
            return self(a, b)
        elif m == n == 2 and b.shape[-1] == 1:
            return self(b[..., 0], a.T)[..., None]
        return self.stacked(mapped, a, b, m, n)

    def stacked(self, mapped: Any, a: Value, b: Value, m: int, n: int) -> Value:
        """Batched by broadcasting: vectors as matrices, with unit axes after the batch axis."""
        a = a[..., None, :] if m == 1 else a
        b = b[..., None] if n == 1 else b
        ndim = max(m, n, 2)
        a, b = (align(x, ndim) if k else x for x, k in zip((a, b), mapped, strict=True))
        out = self(a, b)
        if m == 1:
            return out[..., 0, :]
        return out[..., 0] if n == 1 else out


matmul_ = MatMul()


def product(a: Value, b: Value) -> Value:
    """`a @ b` at any level, with no detour where both are plain."""
    return matmul_.evaluate(a, b) if type(a) is type(b) is np.ndarray else matmul(a, b)


def contract(spec: str, count: int, a: Value, b: Value) -> Value:
    """An `Einsum` in which `*` stands for `count` axes."""
    return Einsum(spec.replace("*", unused("rckz", count)))(a, b)


def misfit(a: Aval, b: Aval) -> ShapeError:
    """What is wrong with the shapes of a matrix product."""
    if not a.ndim or not b.ndim:
        return ShapeError(f"matmul: {a} and {b}: a 0-d operand has no axis to sum over; use *")
    if a.shape[-1] != b.shape[-2:][0]:
        second = "second-to-last" if b.ndim > 1 else "only"
        return ShapeError(
            f"matmul: {a} and {b} do not fit: the last axis of the first must equal the {second} "
            "axis of the second"
        )
    return ShapeError(
        f"matmul: {a} and {b} do not fit: the axes before the last two must broadcast, and "
        f"{a.shape[:-2]} and {b.shape[:-2]} do not"
    )


@primitive
class Cross(Bilinear):
    """Cross product of 3-vectors along the last axis; leading axes broadcast."""

    samples = (
        sample("f64[3]", "f64[3]"),
        sample("f64[2,3]", "f64[4,1,3]"),
        sample("c128[2,3]", "f64[3]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        return Aval(np.broadcast_shapes(a.shape, b.shape), promote(a, b))

    def evaluate(self, *xs: Value) -> Value:
        (a, b, c), (x, y, z) = (np.moveaxis(v, -1, 0) for v in xs)
        return np.stack((b * z - c * y, c * x - a * z, a * y - b * x), axis=-1)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        return self(ct, a) if i else self(b, ct)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        ndim = max(x.ndim - k for x, k in zip(xs, mapped, strict=True))
        return self(*(align(x, ndim) if k else x for x, k in zip(xs, mapped, strict=True)))


cross_ = Cross()


def casted(name: str, xs: Sequence[Value], dtype: Any, casting: Any) -> Sequence[Value]:
    """Operands in the dtype that a call asks for."""
    return xs if dtype is None else [cast(name, x, np.dtype(dtype), casting) for x in xs]


def to_end(x: Value, axes: Any) -> Value:
    """The axes that a ufunc's `axes` argument names, as the last ones in that order."""
    at = tuple(axes) if isinstance(axes, tuple | list) else (axes,)
    return np.moveaxis(x, at, tuple(range(-len(at), 0)))


def from_last(x: Value, axes: Any) -> Value:
    """The last axes put where a ufunc's `axes` argument wants them."""
    at = tuple(axes) if isinstance(axes, tuple | list) else (axes,)
    return np.moveaxis(x, tuple(range(-len(at), 0)), at)


@implements(np.matmul, np.linalg.matmul)
def matmul(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = None,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
) -> Value:
    """`x1 @ x2`."""
    a, b = casted("matmul", (array(x1), array(x2)), dtype, casting)
    if axes is None:
        return matmul_(a, b)
    return from_last(matmul_(to_end(a, axes[0]), to_end(b, axes[1])), axes[2])


@implements(*newer("matvec"))
def matvec(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = None,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
) -> Value:
    """Matrices times vectors."""
    a, b = casted("matvec", (array(x1), array(x2)), dtype, casting)
    if axes is not None:
        a, b = to_end(a, axes[0]), to_end(b, axes[1])
    need("matvec", a, -1, b, -1, least=2)
    out = matmul_(a, b) if b.ndim == 1 else einsum("...ij,...j->...i", a, b)
    return out if axes is None else from_last(out, axes[2])


@implements(*newer("vecmat"))
def vecmat(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = None,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
) -> Value:
    """Conjugated vectors times matrices."""
    a, b = casted("vecmat", (array(x1), array(x2)), dtype, casting)
    if axes is not None:
        a, b = to_end(a, axes[0]), to_end(b, axes[1])
    need("vecmat", a, -1, b, -2)
    a = conjugated(a)
    out = matmul_(a, b) if a.ndim == 1 else einsum("...i,...ij->...j", a, b)
    return out if axes is None else from_last(out, axes[2])


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(
    x1: Any,
    x2: Any,
    /,
    *,
    axis: Any = -1,
    axes: Any = None,
    keepdims: bool = False,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
) -> Value:
    """Products of conjugated vectors with vectors along `axis`."""
    a, b = casted("vecdot", (array(x1), array(x2)), dtype, casting)
    axes = (axis, axis) if axes is None else axes
    if axes != (-1, -1):
        a, b = to_end(a, axes[0]), to_end(b, axes[1])
    need("vecdot", a, -1, b, -1)
    out = einsum("...i,...i->...", conjugated(a), b)
    if keepdims:
        return np.expand_dims(out, axes[2] if len(axes) > 2 else axes[0])
    return out


def conjugated(x: Value) -> Value:
    """The complex conjugate; a real value as it is."""
    return np.conj(x) if x.dtype.kind == "c" else x


def need(name: str, a: Value, i: int, b: Value, j: int, least: int = 1) -> None:
    """The axes that are summed, `i` of one operand and `j` of the other, must exist and agree.

    `least` is the number of axes that the first operand must have.
    """
    left, right = a.shape, b.shape
    for x, shape, axes in ((a, left, least), (b, right, -j)):
        if len(shape) < axes:
            raise ShapeError(
                f"{name}: {aval_of(x)} has too few axes, {axes} are needed; add one with x[None]"
            )
    if left[i] != right[j]:
        raise ShapeError(
            f"{name}: {aval_of(a)} and {aval_of(b)} do not fit: axis {i} of the first has length "
            f"{left[i]} and axis {j} of the second {right[j]}; both must be equal"
        )


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Value:
    """The product over the last axis of `a` and the second-to-last (or only) axis of `b`."""
    x, y = array(a), array(b)
    m, n = len(x.shape), len(y.shape)
    if not m or not n:
        return delivered("dot", x * y, out)
    need("dot", x, -1, y, -1 if n == 1 else -2)
    return delivered("dot", x @ y if n <= 2 else tensordot(x, y, (-1, -2)), out)


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Value:
    """The product of the conjugate of `a` with `b`, each taken as one vector."""
    x, y = as_vector(a), as_vector(b)
    need("vdot", x, -1, y, -1)
    return conjugated(x) @ y


def as_vector(a: Any) -> Value:
    """All elements in one axis."""
    x = array(a)
    return x if len(x.shape) == 1 else np.ravel(x)


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Value:
    """The product over the last axes."""
    x, y = array(a), array(b)
    if not x.shape or not y.shape:
        return x * y
    need("inner", x, -1, y, -1)
    return x @ y if len(y.shape) == 1 else tensordot(x, y, (-1, -1))


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Value:
    """All products of an element of `a` with one of `b`, each taken as one vector."""
    return delivered("outer", as_vector(a)[:, None] * as_vector(b), out)


@implements(np.linalg.outer)
def outer_of_vectors(x1: Any, x2: Any, /) -> Value:
    """All products of an element of the vector `x1` with one of the vector `x2`."""
    a, b = array(x1), array(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(
            f"outer: {aval_of(a)} and {aval_of(b)} must both be 1-d here; np.outer flattens"
        )
    return outer(a, b)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Value:
    """The product over several axes: the last of `a` with the first of `b`, or those listed."""
    x, y = array(a), array(b)
    first, second = summed_axes(axes, x.ndim, y.ndim)
    if len(first) != len(second) or any(
        x.shape[i] != y.shape[j] for i, j in zip(first, second, strict=True)
    ):
        raise ShapeError(
            f"tensordot: {aval_of(x)} and {aval_of(y)} do not fit over axes {first} and {second}; "
            "there must be as many of each, of equal lengths in pairs"
        )
    return Einsum(contraction(x.ndim, y.ndim, first, second))(x, y)


@lru_cache(1024)
def contraction(m: int, n: int, first: tuple[int, ...], second: tuple[int, ...]) -> str:
    """Letters for a product of operands of `m` and `n` axes over these axes of each."""
    names = unused("", m + n)
    left, right = names[:m], list(names[m:])
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in first}
    out = "".join(k for k in (*left, *right) if k not in summed)
    return f"{left},{''.join(right)}->{out}"


implements(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: tensordot(x1, x2, axes))


def summed_axes(axes: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of both operands that a tensordot sums over."""
    if np.ndim(axes) == 0 and not isinstance(axes, tuple | list):
        count = whole(axes)
        if not 0 <= count <= min(m, n):
            raise ShapeError(
                f"tensordot: axes={count} with operands of {m} and {n} axes; "
                "the number must lie between 0 and the smaller of those"
            )
        return tuple(range(-count, 0)), tuple(range(-n, count - n))
    pair = [tuple(k) if np.ndim(k) else (k,) for k in axes]
    first, second = (
        tuple(from_end(k, ndim, "tensordot") for k in given)
        for given, ndim in zip(pair, (m, n), strict=True)
    )
    return first, second


@implements(np.kron)
def kron(a: Any, b: Any) -> Value:
    """The block array of `b` times each element of `a`."""
    x, y = array(a), array(b)
    if not x.ndim or not y.ndim:
        return np.multiply(x, y)
    n = max(x.ndim, y.ndim)
    left, right = ((1,) * (n - v.ndim) + tuple(v.shape) for v in (x, y))
    x = np.reshape(x, [k for pair in zip(left, (1,) * n, strict=True) for k in pair])
    y = np.reshape(y, [k for pair in zip((1,) * n, right, strict=True) for k in pair])
    return np.reshape(x * y, [p * q for p, q in zip(left, right, strict=True)])


CROSSED = (2, 3) if np.lib.NumpyVersion(np.__version__) < "2.5.0" else (3,)


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Value:
    """The cross product of vectors of 3 elements; before NumPy 2.5 also of 2, and of two such its
    one component.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x = np.moveaxis(array(a), from_end(axisa, np.ndim(a), "cross"), -1)
    y = np.moveaxis(array(b), from_end(axisb, np.ndim(b), "cross"), -1)
    if x.shape[-1] not in CROSSED or y.shape[-1] not in CROSSED:
        raise ShapeError(
            f"cross: vectors of {x.shape[-1]} and {y.shape[-1]} elements; each must have "
            f"{' or '.join(map(str, CROSSED))}"
        )
    if x.shape[-1] == y.shape[-1] == 2:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    return np.moveaxis(cross_(in_space(x), in_space(y)), -1, axisc)


@implements(np.linalg.cross)
def cross_in_space(x1: Any, x2: Any, /, *, axis: int = -1) -> Value:
    """The cross product of vectors of 3 elements."""
    a, b = array(x1), array(x2)
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError(
            f"cross: vectors of {a.shape[axis]} and {b.shape[axis]} elements; both must have 3"
        )
    return cross(a, b, axis=axis)


def in_space(x: Value) -> Value:
    """A plane vector with a third component of zero."""
    if x.shape[-1] == 3:
        return x
    return np.concatenate((x, np.zeros((*x.shape[:-1], 1), x.dtype)), axis=-1)
