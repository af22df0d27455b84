"""Calls of ufuncs and of their methods."""

import numpy as np

LOW = {"arccosh": 1.0, "log1p": -0.9}


def operands(d, ufunc):
    """Operands of shapes that broadcast, of dtypes that the ufunc mostly takes."""
    low = LOW.get(ufunc.__name__, -2.0)
    high = 0.9 if ufunc.__name__ in ("arcsin", "arccos", "arctanh") else 2.0
    low = -0.9 if high < 1 else low
    shapes = ((3,), (2, 3), (1, 3), ()) if ufunc.nin > 1 else ((3,), (2, 3), ())
    return [d.array(*shapes, low=low, high=high) for _ in range(ufunc.nin)]


def call(d, ufunc):
    """A call with the keywords of a ufunc."""
    if ufunc.signature:
        return (d.array((3, 3), (2, 3, 3)), d.array((3, 3), (2, 3, 3))), d.options(
            dtype=lambda: d.pick("f8", "c16"), axis=lambda: -1
        )
    return tuple(operands(d, ufunc)), d.options(
        dtype=lambda: d.pick("f8", "f4", "c16", "i8", "?"),
        casting=lambda: d.pick("same_kind", "safe", "no", "unsafe"),
        order=lambda: d.pick("C", "F"),
    )


def reduce(d, ufunc):
    x = d.array((3,), (2, 3), (2, 2, 2), (0, 2), (1,))
    options = d.options(
        axis=lambda: d.axis(x.ndim), keepdims=d.flag, initial=lambda: d.pick(0.5, 2, None),
        dtype=lambda: d.pick("f8", "f4", "c16"), where=lambda: d.mask(x.shape),
    )  # fmt: skip
    if ufunc is np.ldexp:  # the dtype of its result is not that of its second operand
        options.pop("dtype", None)
    return (x,), options


def accumulate(d, ufunc):
    x = d.array((3,), (2, 3), (1,), (0,))
    return (x,), d.options(axis=lambda: d.pick(0, -1, 3), dtype=lambda: d.pick("f8", "c16"))


def reduceat(d, ufunc):
    x = d.array((5,), (5, 2))
    return (x, d.pick([0, 2], [0, 3, 1], [4], [1, 9], np.array([0, 2, 2]))), d.options(
        axis=lambda: d.pick(0, -1), dtype=lambda: d.pick("f8")
    )


def outer(d, ufunc):
    return (d.array((2,), (3,), ()), d.array((3,), (1, 2))), {}


def at(d, ufunc):
    x = d.floats((4,), (2, 3))
    index = d.pick(0, [0, 0, 1], [1, -1], slice(0, 2), np.array([[0, 1], [1, 0]]), 7)
    if ufunc.nin == 1:
        return (x, index), {}
    # NumPy 2.4 reads beyond the end of an operand that it repeats over an index of two axes.
    shape = (2, 2) if isinstance(index, np.ndarray) else d.pick((3,), (2,))
    return (x, index, d.pick(1.5, 2, d.floats(shape))), {}


METHODS = {
    "reduce": reduce, "accumulate": accumulate, "reduceat": reduceat, "outer": outer, "at": at,
}  # fmt: skip
