"""Einstein summation: contractions of any number of operands, axes named by letters.

A call is planned once for its subscripts and shapes: which diagonals, sums and transposes each
operand needs alone, and in which order pairs are contracted.  Every pair is one `Einsum`, whose
transposes are contractions too; so the gradient of an einsum is an einsum, at every order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval, Shape, Value, promote
from ..core.dispatch import implements
from ..core.errors import DtypeError, ShapeError
from ..core.families import Bilinear
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, delivered, whole
from .reducing import Sum
from .shaping import Reshape, Transpose, astype

# In NumPy's order of output axes.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@lru_cache(4096)
def unused(taken: str, count: int = 1) -> str:
    """Letters that name no axis yet; past the alphabet, other characters serve as well."""
    pool = (*ALPHABET[26:], *ALPHABET[:26], *map(chr, range(0x100, 0x180 + count)))
    return "".join([x for x in pool if x not in taken][:count])


@primitive
class Einsum(Bilinear):
    """Two operands multiplied, and summed over the letters that the result does not have.

    Every letter stands in two or all three of the operands and the result, so the transposes are
    of the same form: for `a,b->out` they are `out,b->a` and `a,out->b`.
    """

    spec: str = "ij,jk->ik"
    samples = (
        sample("f64[2,3]", "f64[3,4]", spec="ij,jk->ik"),
        sample("f64[2,3,4]", "f64[4,2,5]", spec="bij,jbk->kbi"),
        sample("c128[2,3]", "f64[3]", spec="ij,j->ij"),
        sample("c128[2,3]", "c128[3,2]", spec="ij,ji->"),
        sample("f64[2,3]", "f64[3,2]", spec="ij,ji->i"),
        sample("f64[]", "f64[2,3]", spec=",ij->ji"),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b, out = split(self.spec)
        sizes = dict(zip(a + b, avals[0].shape + avals[1].shape, strict=True))
        return Aval(tuple(sizes[k] for k in out), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs
        return layout(self.spec, np.shape(a), np.shape(b)).apply(a, b)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        x, y, out = split(self.spec)
        return Einsum(f"{out},{y}->{x}")(ct, b) if i == 0 else Einsum(f"{x},{out}->{y}")(a, ct)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        a, b, out = split(self.spec)
        z = unused(a + b)
        return Einsum(f"{z * mapped[0]}{a},{z * mapped[1]}{b}->{z}{out}")(*xs)


@lru_cache(4096)
def split(spec: str) -> tuple[str, str, str]:
    """The letters of the two operands and of the result."""
    operands, out = spec.split("->")
    a, b = operands.split(",")
    return a, b, out


class Arrangement(NamedTuple):
    """How an operand is brought to the axes that a product wants.  None: nothing to do."""

    order: tuple[int, ...] | None
    shape: Shape | None
    swap: bool = False  # the last two axes

    def __call__(self, x: Value) -> Value:
        if self.order is not None:
            x = x.transpose(self.order)
        if self.shape is not None:
            x = x.reshape(self.shape)
        return x.mT if self.swap else x


class Layout(NamedTuple):
    """How NumPy computes one contraction: arrange the operands, multiply, arrange the result."""

    left: Arrangement
    right: Arrangement
    product: Callable[[Value, Value], Value]
    shape: Shape | None = None
    order: tuple[int, ...] | None = None

    def apply(self, a: Value, b: Value) -> Value:
        """The contraction of two plain arrays."""
        out = self.product(self.left(a), self.right(b))
        if self.shape is not None:
            out = out.reshape(self.shape)[()]
        return out if self.order is None else out.transpose(self.order)


def dots(a: Value, b: Value) -> Value:
    """Products of vectors, without the conjugate that `np.vecdot` takes."""
    return np.vecdot(a.conj(), b)


@lru_cache(4096)
def layout(spec: str, a_shape: Shape, b_shape: Shape) -> Layout:
    """The layout for these letters and shapes."""
    a, b, out = split(spec)
    sizes = dict(zip(a + b, a_shape + b_shape, strict=True))
    larger = a if math.prod(a_shape) >= math.prod(b_shape) else b  # the one better not copied
    summed = "".join(k for k in larger if k in a and k in b and k not in out)
    if not summed:
        return Layout(spread(a, out, sizes), spread(b, out, sizes), np.multiply)
    shared = "".join(k for k in a if k in b and k in out)
    rows = "".join(k for k in a if k not in b)
    columns = "".join(k for k in b if k not in a)
    made = shared + rows + columns
    order = order_of(made, out)
    if made == shared:
        left, right = (merged(x, shared, (summed,), sizes) for x in (a, b))
        return Layout(left, right, dots, None, order)
    return Layout(
        merged(a, shared, (rows, summed), sizes),
        merged(b, shared, (summed, columns), sizes),
        np.matmul,
        None if len(rows) == len(columns) == 1 else tuple(sizes[k] for k in made),
        order,
    )


def order_of(letters: str, wanted: str) -> tuple[int, ...] | None:
    """The transpose that brings axes in the order `wanted`, None when they are."""
    return None if letters == wanted else tuple(map(letters.index, wanted))


def spread(letters: str, out: str, sizes: dict[str, int]) -> Arrangement:
    """An operand with the axes of the result, of length one where it has none."""
    present = "".join(k for k in out if k in letters)
    wide = out[out.index(present[0]) :] if present else ""
    shape = tuple(sizes[k] if k in letters else 1 for k in wide)
    return Arrangement(order_of(letters, present), None if wide == present else shape)


def merged(
    letters: str, shared: str, groups: tuple[str, ...], sizes: dict[str, int]
) -> Arrangement:
    """An operand as stacks of vectors or matrices, an axis for each group of letters.

    Where the groups stand the other way about, a matrix is transposed rather than copied.
    """
    swap = letters == shared + "".join(groups[::-1]) != shared + "".join(groups)
    groups = groups[::-1] if swap else groups
    shape = (
        tuple(sizes[k] for k in shared),
        tuple(math.prod(sizes[k] for k in group) for group in groups),
    )
    is_merged = any(len(group) != 1 for group in groups)
    return Arrangement(
        order_of(letters, shared + "".join(groups)),
        shape[0] + shape[1] if is_merged else None,
        swap,
    )


class Term(NamedTuple):
    """An intermediate value of a plan: which one, and the letters of its axes."""

    number: int
    letters: str


class Step(NamedTuple):
    """One operation of a plan, on the values of these numbers."""

    operands: tuple[int, ...]
    apply: Callable[..., Value]


class Planner:
    """Collects the steps of one einsum.  Values are numbered: the operands first, then results."""

    def __init__(self, terms: Sequence[str], sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.steps: list[Step] = []
        self.count = len(terms)

    def add(self, operands: Sequence[Term], letters: str, apply: Callable[..., Value]) -> Term:
        """Add a step; the result has axes `letters`."""
        self.steps.append(Step(tuple(t.number for t in operands), apply))
        self.count += 1
        return Term(self.count - 1, letters)

    def simplified(self, term: Term, shape: Shape) -> Term:
        """An operand without repeated letters, and without the unit axes that broadcast."""
        for x in dict.fromkeys(term.letters):
            while term.letters.count(x) > 1:
                i, letters = term.letters.index(x), term.letters
                j = letters.index(x, i + 1)
                rest = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + x
                sizes = dict(zip(letters, shape, strict=True))
                shape = tuple(sizes[k] for k in rest)
                term = self.add((term,), rest, partial(np.diagonal, axis1=i, axis2=j))
        kept = [(k, n) for k, n in zip(term.letters, shape, strict=True) if n == self.sizes[k]]
        if len(kept) < len(shape):
            term = self.add(
                (term,), "".join(k for k, _ in kept), Reshape(tuple(n for _, n in kept))
            )
        return term

    def summed(self, term: Term, keep: str) -> Term:
        """A term summed over the letters that nothing else needs."""
        n = len(term.letters)
        axes = tuple(i - n for i, k in enumerate(term.letters) if k not in keep)
        if not axes:
            return term
        return self.add((term,), "".join(k for k in term.letters if k in keep), Sum(axes))

    def contracted(self, a: Term, b: Term, keep: str, out: str) -> Term:
        """Two terms multiplied and summed over the letters not in `keep`."""
        a, b = self.summed(a, b.letters + keep), self.summed(b, a.letters + keep)
        made = "".join(k for k in dict.fromkeys(a.letters + b.letters) if k in keep)
        made = out if sorted(made) == sorted(out) else made
        return self.add((a, b), made, Einsum(f"{a.letters},{b.letters}->{made}"))

    def finished(self, term: Term, out: str) -> None:
        """Bring the one term that is left to the axes of the result."""
        term = self.summed(term, out)
        if term.letters != out:
            order = tuple(term.letters.index(k) - len(out) for k in out)
            self.add((term,), out, Transpose(order))


@lru_cache(1024)
def plan(subscripts: str, shapes: tuple[Shape, ...], optimize: Any) -> tuple[Step, ...]:
    """The steps that compute an einsum."""
    terms, out = parse(subscripts, tuple(map(len, shapes)))
    sizes = sizes_of(terms, shapes)
    planner = Planner(terms, sizes)
    left = [
        planner.simplified(Term(k, letters), shape)
        for k, (letters, shape) in enumerate(zip(terms, shapes, strict=True))
    ]
    for group in path_of(terms, out, shapes, optimize):
        chosen = [left[k] for k in sorted(group)]
        left = [t for k, t in enumerate(left) if k not in group]
        outside = "".join(t.letters for t in left) + out
        term = chosen[0]
        for k, other in enumerate(chosen[1:], 2):
            keep = outside + "".join(t.letters for t in chosen[k:])
            term = planner.contracted(term, other, keep, out)
        left.append(term)
    planner.finished(left[0], out)
    return tuple(planner.steps)


def path_of(
    terms: Sequence[str], out: str, shapes: Sequence[Shape], optimize: Any
) -> Sequence[Sequence[int]]:
    """The groups of terms to contract in turn, by NumPy's search."""
    if len(terms) < 3 and isinstance(optimize, bool):
        return [tuple(range(len(terms)))]
    names = dict(zip(dict.fromkeys("".join(terms)), ALPHABET, strict=False))
    spec = ",".join("".join(names[k] for k in term) for term in terms)
    dummies = [np.broadcast_to(0.0, shape) for shape in shapes]
    how = "greedy" if optimize is False else list(optimize) if is_path(optimize) else optimize
    path, _ = np.einsum_path(f"{spec}->{''.join(names[k] for k in out)}", *dummies, optimize=how)
    groups: list[tuple[int, ...]] = path[1:]
    return groups


def is_path(optimize: Any) -> bool:
    """Whether the user gives the contractions themselves."""
    return isinstance(optimize, tuple) and bool(optimize) and optimize[0] == "einsum_path"


def parse(subscripts: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with nothing left implied."""
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    for x in left.replace(",", "") + out:
        if x not in ALPHABET and x != ".":
            raise ShapeError(
                f"einsum: {subscripts!r} has the character {x!r}; name axes by letters, a-z and "
                "A-Z, with ',' between operands, '...' for further axes and '->' before the result"
            )
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(
            f"einsum: {subscripts!r} describes {len(terms)} operands and {len(ndims)} were given; "
            "write one group of letters for each, separated by commas"
        )
    further = [
        further_axes(subscripts, k, term, ndim)
        for k, (term, ndim) in enumerate(zip(terms, ndims, strict=True))
    ]
    dots = unused(text, max(further, default=0))
    terms = [
        term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, further, strict=True)
    ]
    if not arrow:
        counts = Counter(left)
        return terms, dots + "".join(k for k in ALPHABET if counts[k] == 1)
    return terms, result_letters(subscripts, out, terms, dots)


def further_axes(subscripts: str, k: int, term: str, ndim: int) -> int:
    """How many axes the ellipsis of operand `k` stands for."""
    named = term.replace("...", "", 1)
    if "." in named:
        raise ShapeError(
            f"einsum: {subscripts!r} has a stray '.' in operand {k}; an ellipsis is three dots, "
            "at most once in an operand"
        )
    has_dots = named != term
    if len(named) > ndim or (len(named) < ndim and not has_dots):
        raise ShapeError(
            f"einsum: {subscripts!r} names {len(named)} axes of operand {k}, which has {ndim}; "
            "name each axis, or write '...' for those that are not named"
        )
    return ndim - len(named)


def result_letters(subscripts: str, out: str, terms: Sequence[str], dots: str) -> str:
    """The letters of an explicit result, checked."""
    named = out.replace("...", "", 1)
    if "." in named:
        raise ShapeError(
            f"einsum: {subscripts!r} has a stray '.' in the result; an ellipsis is three dots, once"
        )
    if named == out and dots:
        raise ShapeError(
            f"einsum: the '...' of {subscripts!r} stands for {len(dots)} axes that the result "
            "leaves out; write '...' in the result too, or name the axes to sum over them"
        )
    for x in named:
        if named.count(x) > 1:
            raise ShapeError(
                f"einsum: {subscripts!r} has {x!r} in the result twice; name each axis once"
            )
        if not any(x in term for term in terms):
            raise ShapeError(
                f"einsum: {subscripts!r} has {x!r} in the result and in no operand; "
                "to repeat along a new axis use np.broadcast_to"
            )
    return out.replace("...", dots)


def sizes_of(terms: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """The length of each named axis, the same wherever it stands, or 1."""
    sizes: dict[str, int] = {}
    for k, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        own: dict[str, int] = {}
        for x, n in zip(term, shape, strict=True):
            if own.setdefault(x, n) != n:
                raise ShapeError(
                    f"einsum: {x!r} names axes of lengths {own[x]} and {n} in operand {k}; "
                    "a diagonal needs equal lengths"
                )
            known = sizes.get(x, 1)
            if n != known and n != 1 != known:
                raise ShapeError(
                    f"einsum: {x!r} has length {n} in operand {k} and {known} before it; axes "
                    "of one name must have one length, or length 1"
                )
            sizes[x] = known if n == 1 else n
    return sizes


def normalized(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Subscripts and operands, from either of NumPy's two ways to call einsum."""
    if operands and isinstance(operands[0], str):
        return operands[0], list(operands[1:])
    pairs = len(operands) // 2
    terms = [spelled(operands[2 * k + 1]) for k in range(pairs)]
    arrow = f"->{spelled(operands[-1])}" if len(operands) % 2 else ""
    return ",".join(terms) + arrow, [operands[2 * k] for k in range(pairs)]


def spelled(axes: Any) -> str:
    """Letters for a list of axis numbers."""
    numbers = [k if k is Ellipsis else whole(k) for k in axes]
    for k in numbers:
        if k is not Ellipsis and not 0 <= k < len(ALPHABET):
            raise ShapeError(f"einsum: axis label {k}; labels go from 0 to {len(ALPHABET) - 1}")
    return "".join("..." if k is Ellipsis else ALPHABET[k] for k in numbers)


def hashable(optimize: Any) -> Any:
    """The `optimize` argument as a key of the cache."""
    if isinstance(optimize, list | tuple):
        return tuple(tuple(k) if isinstance(k, list) else k for k in optimize)
    return False if optimize is None else optimize


@implements(np.einsum)
def einsum(
    *operands: Any,
    out: Any = None,
    optimize: Any = False,
    dtype: Any = None,
    order: str = "K",
    casting: Any = "safe",
) -> Value:
    """The sum of products that the subscripts describe.

    Three operands and more are contracted two at a time, in the order of `np.einsum_path`.
    """
    subscripts, xs = normalized(operands)
    values = [array(x) for x in xs]
    if dtype is not None:
        values = [cast("einsum", x, np.dtype(dtype), casting) for x in values]
    shapes = tuple(tuple(x.shape) for x in values)
    for step in plan(subscripts, shapes, hashable(optimize)):
        values.append(step.apply(*[values[k] for k in step.operands]))
    found = values[-1]
    if found.dtype.kind in "iub":  # sums of small integers are large ones until here
        found = astype(found, np.result_type(*(x.dtype for x in values[: len(xs)])))
    return delivered("einsum", found, out)


def cast(name: str, x: Value, dtype: np.dtype[Any], casting: Any) -> Value:
    """An operand in the dtype of the calculation, where the casting rule allows it."""
    if not np.can_cast(x.dtype, dtype, casting):
        raise DtypeError(
            f"{name}: {x.dtype} does not cast to {dtype} by the rule {casting!r}; "
            "pass casting='same_kind', or convert the operand with astype"
        )
    return x.astype(dtype)


@implements(np.einsum_path)
def einsum_path(*operands: Any, **options: Any) -> Any:
    """NumPy's search for a good order of contractions, which reads shapes only."""
    subscripts, xs = normalized(operands)
    dummies = [np.broadcast_to(np.zeros((), array(x).dtype), array(x).shape) for x in xs]
    return np.einsum_path(subscripts, *dummies, **options)


__all__ = ["Einsum", "cast", "einsum", "einsum_path", "unused"]
