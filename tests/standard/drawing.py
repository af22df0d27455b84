"""Arguments for every function of the array standard, drawn at random.

A strategy draws a call: what comes by position, and what by name.  Arrays are drawn with
Hypothesis' own strategies for array libraries, on the namespace under test, so that these work is
held as well; a call carries them as NumPy's, and a `Dtype` for the dtype of either library.
"""

import dataclasses

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import qiudao.numpy as xp

xps = make_strategies_namespace(xp)

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
REAL_FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGERS = SIGNED + UNSIGNED
BITS = ("bool", *INTEGERS)
FLOATS = REAL_FLOATS + COMPLEX
REAL = INTEGERS + REAL_FLOATS
NUMERIC = REAL + COMPLEX
ALL = ("bool", *NUMERIC)

SHAPES = xps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
FILLED = xps.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)
ODD = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0])


@dataclasses.dataclass(frozen=True)
class Dtype:
    """A dtype by its name, which every namespace has."""

    name: str


@dataclasses.dataclass(frozen=True)
class Call:
    """What a function is called with."""

    args: tuple
    options: dict = dataclasses.field(default_factory=dict)


def elements(name, low, high, odd):
    """Values for arrays of a dtype, within bounds; NaN and infinities too where `odd`."""
    if name == "bool":
        return st.booleans()
    if name in INTEGERS:
        return st.integers(max(0 if name in UNSIGNED else -100, int(np.ceil(low))), int(high))
    width = 32 if name in ("float32", "complex64") else 64
    real = st.floats(low, high, width=width, allow_subnormal=False)
    real = real | ODD if odd else real
    return real if name in REAL_FLOATS else st.builds(complex, real, real)


def arrays(names, shapes=SHAPES, low=-100.0, high=100.0, odd=False):
    """Arrays of one of the dtypes."""
    return st.sampled_from(names).flatmap(
        lambda name: xps.arrays(
            getattr(xp, name), shapes, elements=elements(name, low, high, odd)
        ).map(lambda x: x.numpy())
    )


def dtypes(names):
    """One of the dtypes, by name."""
    return st.sampled_from(names).map(Dtype)


def call(*args, **options):
    """Calls with an argument of each strategy."""
    return st.builds(lambda a, o: Call(a, o), st.tuples(*args), st.fixed_dictionaries(options))


def maybe(**options):
    """Options that are given or left out."""
    return st.fixed_dictionaries({}, optional=options)


def axis_of(x):
    """An axis of `x`."""
    return st.integers(-x.ndim, x.ndim - 1)


def axes_of(ndim):
    """Axes for a function that takes one, several or none."""
    some = [st.none()]
    if ndim:
        some += [st.integers(-ndim, ndim - 1), xps.valid_tuple_axes(ndim)]
    return st.one_of(some)


def unary(names, **options):
    """Calls with an array, NaN and infinities among its elements."""
    return call(arrays(names, odd=True, **options))


@st.composite
def binary(draw, names, scalar=True, odd=True, high=100.0, lows=(-100.0, -100.0)):
    """Calls with two arrays that broadcast and whose dtypes promote, or an array and a number."""
    first = draw(st.sampled_from(names))
    family = next(f for f in (("bool",), SIGNED, UNSIGNED, REAL_FLOATS, COMPLEX) if first in f)
    second = draw(st.sampled_from([name for name in family if name in names]))
    shapes = draw(xps.mutually_broadcastable_shapes(2, max_dims=3, max_side=3)).input_shapes
    x, y = (
        draw(arrays((name,), st.just(shape), low, high, odd))
        for name, shape, low in zip((first, second), shapes, lows, strict=True)
    )
    if scalar and draw(st.booleans()):
        return Call((x, draw(elements(first, lows[1], min(high, 100.0), odd))))
    return Call((x, y))


@st.composite
def reduction(draw, names, filled=False, **options):
    """Calls with an array, axes of it, and options."""
    x = draw(arrays(names, FILLED if filled else SHAPES))
    given = {"axis": axes_of(x.ndim), "keepdims": st.booleans(), **options}
    return Call((x,), draw(maybe(**given)))


@st.composite
def along(draw, names, flat=False, **options):
    """Calls with an array that has elements, one axis of it, and options."""
    x = draw(arrays(names, FILLED))
    axis = axis_of(x)
    if flat:
        return Call((x,), draw(maybe(axis=axis | st.none(), **options)))
    return Call((x,), {"axis": draw(axis), **draw(maybe(**options))})


@st.composite
def matrices(draw, names=FLOATS, square=False):
    """Stacks of matrices far from singular."""
    name = draw(st.sampled_from(names))
    stack = draw(xps.array_shapes(min_dims=0, max_dims=1, min_side=1, max_side=2))
    n = draw(st.integers(1, 3))
    m = n if square else draw(st.integers(1, 3))
    x = draw(arrays((name,), st.just((*stack, n, m)), -1.0, 1.0))
    return (x + 4 * np.diag(np.arange(1.0, max(n, m) + 1))[:n, :m]).astype(name)


def symmetric():
    """Stacks of Hermitian matrices whose eigenvalues lie apart."""

    def folded(x):
        return ((x + np.conj(np.swapaxes(x, -1, -2))) / 2).astype(x.dtype)

    return matrices(square=True).map(folded)


@st.composite
def same_shape(draw, names, count, shapes=FILLED):
    """Arrays of one dtype and one shape."""
    name, shape = draw(st.sampled_from(names)), draw(shapes)
    return [draw(arrays((name,), st.just(shape))) for _ in range(count)]


def shapes_of(x):
    """Shapes with as many elements as `x`."""
    return st.sampled_from([(x.size,), (-1,), (1, x.size), (*x.shape, 1), x.shape[::-1]])
