"""What each function of the array standard is called with; see `drawing`."""

import numpy as np
from hypothesis import strategies as st

from .drawing import (
    ALL,
    BITS,
    COMPLEX,
    FILLED,
    FLOATS,
    INTEGERS,
    NUMERIC,
    REAL,
    REAL_FLOATS,
    SHAPES,
    SIGNED,
    Call,
    along,
    arrays,
    axis_of,
    binary,
    call,
    dtypes,
    matrices,
    maybe,
    reduction,
    same_shape,
    shapes_of,
    symmetric,
    unary,
    xps,
)

SIZES = st.integers(0, 4)
NUMBERS = st.integers(-5, 5) | st.floats(-5, 5, width=32)
NORMS = st.sampled_from(["backward", "ortho", "forward"])
SIGNAL = xps.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=5)


@st.composite
def after(draw, arguments, rest):
    """Calls with an array, and what depends on it by position and by name."""
    x = draw(arguments)
    args, options = rest(x)
    return Call((x, *(draw(a) for a in args)), {k: draw(v) for k, v in options.items()})


def shaped(*args, **options):
    """Calls of what makes arrays: a shape, and a dtype perhaps."""
    return st.builds(
        lambda shape, rest, given: Call((shape, *rest), {**options, **given}),
        SHAPES,
        st.tuples(*args),
        maybe(dtype=dtypes(ALL)),
    )


def like(*args):
    """Calls of what makes arrays like others."""
    return st.builds(
        lambda x, rest, given: Call((x, *rest), given),
        arrays(ALL),
        st.tuples(*args),
        maybe(dtype=dtypes(NUMERIC)),
    )


def fourier(names):
    """Calls of a transform along one axis."""
    return after(
        arrays(names, SIGNAL),
        lambda x: ((), {"n": st.integers(2, 6), "axis": axis_of(x), "norm": NORMS}),
    )


def fourier_n(names):
    """Calls of a transform along several axes."""
    return after(
        arrays(names, SIGNAL),
        lambda x: ((), {"axes": st.just(tuple(range(x.ndim))), "norm": NORMS}),
    )


def searched(x):
    """What to look for in a sorted array."""
    return ((arrays((x.dtype.name,)),), {"side": st.sampled_from(["left", "right"])})


def contracted(x):
    """A second operand for `tensordot`, and the axes to sum over."""
    shape = (x.shape[-1], 2)
    return ((arrays((x.dtype.name,), st.just(shape)),), {"axes": st.just(1)})


CREATION = {
    "arange": call(NUMBERS, st.integers(6, 9), st.sampled_from([1, 2, 0.5])),
    "asarray": st.builds(Call, st.tuples(arrays(ALL)), maybe(copy=st.booleans())),
    "empty": shaped(),
    "empty_like": like(),
    "eye": call(SIZES, SIZES, k=st.integers(-3, 3), dtype=dtypes(NUMERIC)),
    "from_dlpack": call(arrays(NUMERIC, FILLED)),
    "full": st.builds(Call, st.tuples(SHAPES, NUMBERS | st.booleans())),
    "full_like": st.builds(Call, st.tuples(arrays(FLOATS), NUMBERS)),
    "linspace": call(NUMBERS, NUMBERS, SIZES, endpoint=st.booleans()),
    "meshgrid": st.builds(
        lambda xs, given: Call(tuple(xs), given),
        same_shape(NUMERIC, 3, xps.array_shapes(max_dims=1, max_side=3)),
        maybe(indexing=st.sampled_from(["xy", "ij"])),
    ),
    "ones": shaped(),
    "ones_like": like(),
    "tril": call(matrices(NUMERIC), k=st.integers(-3, 3)),
    "triu": call(matrices(NUMERIC), k=st.integers(-3, 3)),
    "zeros": shaped(),
    "zeros_like": like(),
}

DATA_TYPES = {
    "astype": call(arrays(BITS, low=0.0), dtypes(ALL)) | call(arrays(REAL_FLOATS), dtypes(FLOATS)),
    "broadcast_arrays": binary(ALL, scalar=False),
    "broadcast_shapes": st.just(Call(((2, 1), (3,), (1, 1, 1)))),
    "broadcast_to": after(
        arrays(ALL), lambda x: ((st.sampled_from([x.shape, (2, *x.shape)]),), {})
    ),
    # between kinds the standard leaves it open, and NumPy says yes where nothing is lost
    "can_cast": call(dtypes(SIGNED), dtypes(SIGNED)) | call(dtypes(FLOATS), dtypes(FLOATS)),
    "finfo": call(dtypes(FLOATS)),
    "iinfo": call(dtypes(INTEGERS)),
    "isdtype": call(
        dtypes(ALL),
        st.sampled_from(["bool", "signed integer", "real floating", "numeric"]) | dtypes(ALL),
    ),
    "result_type": binary(ALL),
}

SMOOTH = (
    "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 sin sinh sqrt tan "
    "tanh reciprocal"
)
ELEMENTWISE = {
    **{name: unary(FLOATS) for name in SMOOTH.split()},
    **{name: unary(REAL) for name in ("ceil", "floor", "trunc")},
    **{name: unary(COMPLEX) for name in ("conj", "imag", "real")},
    **{name: unary(NUMERIC) for name in ("abs", "isfinite", "isinf", "isnan", "negative")},
    **{name: unary(NUMERIC) for name in ("positive", "round", "square")},
    # of a complex infinity NumPy's sign is a direction, and the standard's quotient NaN
    "sign": unary(REAL) | call(arrays(COMPLEX)),
    "bitwise_invert": unary(BITS),
    "logical_not": unary(("bool",)),
    "signbit": unary(REAL_FLOATS),
    **{name: binary(NUMERIC) for name in ("add", "multiply", "subtract")},
    "divide": binary(FLOATS),
    "pow": binary(NUMERIC, odd=False, high=4.0, lows=(0.0, 0.0)),
    **{name: binary(REAL_FLOATS) for name in ("atan2", "copysign", "hypot", "logaddexp")},
    "nextafter": binary(REAL_FLOATS),
    **{f"bitwise_{name}": binary(BITS) for name in ("and", "or", "xor")},
    **{
        f"bitwise_{way}_shift": binary(INTEGERS, high=6.0, lows=(-6.0, 0.0))
        for way in ("left", "right")
    },
    **{name: binary(ALL) for name in ("equal", "not_equal")},
    **{name: binary(REAL) for name in ("greater", "greater_equal", "less", "less_equal")},
    **{name: binary(REAL) for name in ("maximum", "minimum")},
    **{f"logical_{name}": binary(("bool",)) for name in ("and", "or", "xor")},
    **{name: binary(REAL, lows=(-100.0, 1.0)) for name in ("floor_divide", "remainder")},
    "clip": st.builds(
        lambda x, given: Call((x,), given),
        arrays(REAL, high=9.0, odd=True),
        maybe(min=st.integers(1, 2), max=st.integers(3, 6)),
    ),
}

MANIPULATION = {
    "concat": call(same_shape(NUMERIC, 3), axis=st.sampled_from([0, -1, None])),
    "expand_dims": after(arrays(ALL), lambda x: ((), {"axis": st.integers(-x.ndim - 1, x.ndim)})),
    "flip": along(ALL, flat=True),
    "moveaxis": after(arrays(ALL, FILLED), lambda x: ((axis_of(x), axis_of(x)), {})),
    "permute_dims": after(
        arrays(ALL), lambda x: ((st.permutations(range(x.ndim)).map(tuple),), {})
    ),
    "repeat": after(
        arrays(ALL, FILLED), lambda x: ((st.integers(0, 3),), {"axis": axis_of(x) | st.none()})
    ),
    "reshape": after(arrays(ALL, FILLED), lambda x: ((shapes_of(x),), {})),
    "roll": after(
        arrays(ALL, FILLED), lambda x: ((st.integers(-4, 4),), {"axis": axis_of(x) | st.none()})
    ),
    "squeeze": call(arrays(ALL, st.sampled_from([(1,), (1, 2), (1, 1)])), axis=st.just(0)),
    "stack": call(same_shape(NUMERIC, 3), axis=st.sampled_from([0, 1, -1])),
    "tile": call(arrays(ALL), st.sampled_from([(2,), (1, 2), (2, 1, 3)])),
    "unstack": along(ALL),
}

SEARCHING = {
    "argmax": along(REAL, flat=True, keepdims=st.booleans()),
    "argmin": along(REAL, flat=True, keepdims=st.booleans()),
    "count_nonzero": reduction(ALL, filled=True),
    "nonzero": call(arrays(ALL, FILLED)),
    "searchsorted": after(arrays(REAL, xps.array_shapes(max_dims=1)).map(np.sort), searched),
    "where": binary(ALL).map(lambda c: Call((np.asarray(c.args[0] == 0), *c.args))),
    "take": after(
        arrays(ALL, FILLED),
        lambda x: (
            (st.lists(st.just(0), max_size=3).map(np.int64).map(np.atleast_1d),),
            {"axis": axis_of(x)},
        ),
    ),
    "take_along_axis": after(
        arrays(ALL, FILLED),
        lambda x: ((st.just(np.zeros(x.shape, np.int64)),), {"axis": axis_of(x)}),
    ),
    **{f"unique_{name}": call(arrays(ALL)) for name in ("all", "counts", "inverse", "values")},
    "isin": binary(INTEGERS, scalar=False),
    "argsort": along(REAL, descending=st.booleans(), stable=st.just(True)),
    "sort": along(REAL, descending=st.booleans(), stable=st.booleans()),
}

STATISTICS = {
    "all": reduction(ALL),
    "any": reduction(ALL),
    "cumulative_prod": along(NUMERIC, include_initial=st.booleans()),
    "cumulative_sum": along(NUMERIC, include_initial=st.booleans()),
    "diff": along(NUMERIC, n=st.integers(0, 2)),
    "max": reduction(REAL, filled=True),
    "mean": reduction(FLOATS, filled=True),
    "min": reduction(REAL, filled=True),
    "prod": reduction(NUMERIC),
    "std": reduction(REAL_FLOATS, filled=True, correction=st.just(0.0)),
    "sum": reduction(NUMERIC),
    "var": reduction(REAL_FLOATS, filled=True, correction=st.just(0.0)),
}

PRODUCTS = {
    "matmul": matrices(NUMERIC, square=True).map(lambda x: Call((x, x))),
    "matrix_transpose": call(matrices(ALL[1:])),
    "tensordot": after(arrays(NUMERIC, FILLED), contracted),
    "vecdot": same_shape(NUMERIC, 2).map(lambda xs: Call(tuple(xs))),
}
VECTORS = same_shape(NUMERIC, 2, xps.array_shapes(max_dims=1, max_side=3))
LINALG = {
    "cholesky": call(symmetric(), upper=st.booleans()),
    "cross": same_shape(NUMERIC, 2, st.just((2, 3))).map(lambda xs: Call(tuple(xs))),
    "det": call(matrices(square=True)),
    "diagonal": call(matrices(NUMERIC), offset=st.integers(-1, 1)),
    # of a real matrix with real eigenvalues, NumPy gives them as real numbers
    "eig": call(matrices(COMPLEX, square=True)),
    "eigh": call(symmetric()),
    "eigvals": call(matrices(COMPLEX, square=True)),
    "eigvalsh": call(symmetric()),
    "inv": call(matrices(square=True)),
    "matrix_norm": call(
        matrices(), ord=st.sampled_from(["fro", "nuc", 1, 2, np.inf]), keepdims=st.booleans()
    ),
    "matrix_power": call(matrices(square=True), st.integers(-2, 3)),
    "matrix_rank": call(matrices()),
    "outer": VECTORS.map(lambda xs: Call(tuple(xs))),
    "pinv": call(matrices()),
    "qr": call(matrices(), mode=st.sampled_from(["reduced", "complete"])),
    "slogdet": call(matrices(square=True)),
    "solve": matrices(square=True).map(lambda x: Call((x, x[..., :1]))),
    "svd": call(matrices(), full_matrices=st.booleans()),
    "svdvals": call(matrices()),
    "trace": call(matrices(NUMERIC), offset=st.integers(-1, 1)),
    "vector_norm": reduction(FLOATS, filled=True, ord=st.sampled_from([1, 2, 3, np.inf, 0])),
    **PRODUCTS,
}
FREQUENCIES = call(st.integers(1, 9), d=st.floats(0.5, 2), dtype=dtypes(REAL_FLOATS))
FFT = {
    **{name: fourier(COMPLEX) for name in ("fft", "ifft", "irfft", "hfft")},
    **{name: fourier(REAL_FLOATS) for name in ("rfft", "ihfft")},
    **{name: fourier_n(COMPLEX) for name in ("fftn", "ifftn", "irfftn")},
    "rfftn": fourier_n(REAL_FLOATS),
    "fftfreq": FREQUENCIES,
    "rfftfreq": FREQUENCIES,
    "fftshift": call(arrays(FLOATS, SIGNAL)),
    "ifftshift": call(arrays(FLOATS, SIGNAL)),
}

CALLS = {
    **CREATION,
    **DATA_TYPES,
    **ELEMENTWISE,
    **MANIPULATION,
    **SEARCHING,
    **STATISTICS,
    **PRODUCTS,
    **{f"linalg.{name}": calls for name, calls in LINALG.items()},
    **{f"fft.{name}": calls for name, calls in FFT.items()},
}
VALUES_ARE_FREE = {"empty", "empty_like"}
