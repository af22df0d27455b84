"""Calls of the functions that move, join, repeat and read elements."""

import numpy as np


def one(d):
    return (d.array(),), {}


def several(d):
    return tuple(d.array((3,), (2, 3)) for _ in range(d.pick(1, 2))), {}


def joined(d, shapes=((2, 3),)):
    shape = d.pick(*shapes)
    return [d.array(shape, shape, (3, 2)) for _ in range(d.pick(2, 1, 3))]


def concatenate(d):
    xs = joined(d, ((2, 3), (3,)))
    return (xs,), d.options(
        axis=lambda: d.axis(xs[0].ndim, tuples=False), dtype=lambda: d.pick("f8", "c16", "f4"),
        casting=lambda: d.pick("same_kind", "unsafe", "safe", "no"),
    )  # fmt: skip


def stack(d):
    xs = joined(d, ((2, 3), (3,)))
    return (xs,), d.options(axis=lambda: d.pick(0, -1, 1, 3), dtype=lambda: d.pick("f8", "f4"))


def stacks(d):
    return (joined(d, ((2, 3), (3,), (3, 1))),), {}


def block(d):
    a, b = d.array((2, 2)), d.array((2, 1))
    return (d.pick([[a, b]], [a, b], [[a], [a]], [[a, b], [b, a]], a, [[a, 1.0]]),), {}


def axes_of(d):
    x = d.array()
    return (x,), d.options(axes=lambda: d.pick(None, tuple(reversed(range(x.ndim))), (0, 0), (0,)))


def swapaxes(d):
    return (d.array(), d.pick(0, -1, 1), d.pick(-1, 0, 2)), {}


def moveaxis(d):
    return (d.array((2, 2, 3), (2, 3)), d.pick(0, (0, 1), -1), d.pick(-1, (1, 0), 1, 5)), {}


def rollaxis(d):
    return (d.array((2, 2, 3), (2, 3)), d.pick(1, 0, -1)), d.options(start=lambda: d.pick(0, 2, 1))


def reshape(d):
    x = d.array((2, 3), (6,), (1, 6))
    return (x, d.pick((3, 2), -1, (2, -1), 6, (4, 2), (1, 3, 2))), d.options(
        order=lambda: d.pick("C", "F", "A")
    )


def ravel(d):
    return (d.array(),), d.options(order=lambda: d.pick("C", "F", "A", "K"))


def expand_dims(d):
    return (d.array(), d.pick(0, -1, (0, 2), (0, 0), 7)), {}


def squeeze(d):
    return (d.array((3, 1), (1, 3), (1, 1), (3,), ()),), d.options(axis=lambda: d.pick(0, -1, (0,)))


def broadcast_to(d):
    return (d.array((3,), (1,), (), (2, 1)), d.pick((2, 3), 3, (3,), (2, 2, 3))), {}


def flip(d):
    x = d.array()
    return (x,), d.options(axis=lambda: d.axis(x.ndim))


def rot90(d):
    return (d.array((2, 3), (3,), (2, 2, 3)),), d.options(
        k=lambda: d.pick(1, 2, -1, 4), axes=lambda: d.pick((0, 1), (1, 0), (0, 0))
    )


def roll(d):
    x = d.array()
    return (x, d.pick(1, -2, 7, (1, 2))), d.options(axis=lambda: d.pick(0, -1, (0, 1)))


def tile(d):
    return (d.array(), d.pick(2, (2, 1), (1, 2, 2), 0)), {}


def repeat(d):
    x = d.array()
    return (x, d.pick(2, 0, [1, 2, 0], [2])), d.options(axis=lambda: d.axis(x.ndim, tuples=False))


def split(d):
    return (d.array((4,), (2, 4), (4, 2), (2, 2, 4)), d.pick(2, [1], [1, 3], 3, 4)), {}


def split_along(d):
    args, _ = split(d)
    return args, d.options(axis=lambda: d.pick(0, -1, 1))


def unstack(d):
    return (d.array(),), d.options(axis=lambda: d.pick(0, -1))


def meshgrid(d):
    return (d.array((3,), ()), d.array((2,))), d.options(
        indexing=lambda: d.pick("xy", "ij"), sparse=d.flag
    )


def append(d):
    x = d.array()
    return (x, d.array((3,), (2, 3))), d.options(axis=lambda: d.pick(0, -1))


def take(d):
    x = d.array()
    return (x, d.pick(0, [0, 2], [[0, -1]], [1, 7])), d.options(
        axis=lambda: d.axis(x.ndim, tuples=False), mode=lambda: d.pick("raise", "wrap", "clip")
    )


def take_along_axis(d):
    x = d.array((3,), (2, 3))
    axis = d.pick(-1, 0, None)
    indices = d.rng.integers(0, 2, x.size if axis is None else x.shape)
    return (x, indices, axis), {}


def compress(d):
    x = d.array()
    return ([True, False, True][: d.pick(2, 3)], x), d.options(axis=lambda: d.pick(0, -1))


def extract(d):
    x = d.array()
    return (d.rng.random(x.shape) > 0.5, x), {}


def choose(d):
    return ([0, 1, 1], [d.array((3,), dtypes=["f8"]), d.array((3,), ())]), d.options(
        mode=lambda: d.pick("raise", "wrap", "clip")
    )


def select(d):
    x = d.floats((3,), (2, 3))
    return ([x > 1, x < 0], [x, d.pick(x * 2, x + 1.0)]), d.options(default=lambda: d.pick(0, 5.5))


def delete(d):
    x = d.array()
    return (x, d.pick(0, [0, 1], slice(0, 2), -1, [False, True, False], 9)), d.options(
        axis=lambda: d.pick(0, -1)
    )


def insert(d):
    x = d.array()
    return (x, d.pick(0, [0, 1], 1, -1, slice(0, 2)), d.pick(1.5, d.array((3,)), d.array((2,)))), (
        d.options(axis=lambda: d.pick(0, -1))
    )


def resize(d):
    return (d.array(), d.pick((2, 2), 5, (4,), 0)), {}


def pad(d):
    x = d.array((3,), (2, 3))
    mode = d.pick("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean",
                  "maximum", "minimum", "median", "empty_not")  # fmt: skip
    options = {"mode": mode}
    if mode == "constant":
        options |= d.options(constant_values=lambda: d.pick(2.5, (1, 2)))
    if mode in ("reflect", "symmetric"):
        options |= d.options(reflect_type=lambda: d.pick("even", "odd"))
    return (x, d.pick(1, (1, 2), ((1, 0),) * x.ndim, 0)), options


def diagonal(d):
    return (d.array((3, 3), (2, 3), (2, 2, 3), (3,)),), d.options(
        offset=lambda: d.pick(0, 1, -1, 5), axis1=lambda: d.pick(0, 1), axis2=lambda: d.pick(1, -1)
    )


def diag(d):
    return (d.array((3,), (2, 3), (3, 3), ()),), d.options(k=lambda: d.pick(0, 1, -2))


def diagflat(d):
    return (d.array(),), d.options(k=lambda: d.pick(0, 1, -1))


def vander(d):
    return (d.real((3,), (1,), (2, 3)),), d.options(N=lambda: d.pick(2, 4, 0), increasing=d.flag)


def where(d):
    x = d.array((3,), (2, 3))
    return (d.mask(x.shape), x, d.array((3,), ())), {}


def clip(d):
    x = d.array()
    return (x, d.pick(-0.5, None, 0), d.pick(0.7, None, 1)), {}


def sort(d):
    x = d.array()
    return (x,), d.options(axis=lambda: d.axis(x.ndim, tuples=False), stable=d.flag)


def argsort(d):
    return sort(d)


def partition(d):
    x = d.real((4,), (2, 4))
    return (x, d.pick(1, (0, 2), -1)), d.options(axis=lambda: d.pick(-1, 0, None))


def searchsorted(d):
    return (np.sort(d.floats((4,))), d.real()), d.options(side=lambda: d.pick("left", "right"))


def digitize(d):
    return (d.floats(), np.sort(d.floats((4,)))), d.options(right=d.flag)


def lexsort(d):
    return (d.floats((2, 3)),), d.options(axis=lambda: d.pick(-1, 0))


def unique(d):
    return (d.array((5,), (2, 3)),), d.options(
        return_index=d.flag, return_inverse=d.flag, return_counts=d.flag,
        axis=lambda: d.pick(None, 0),
    )  # fmt: skip


def whole(d):
    return (d.array((5,), (2, 3), dtypes=["i8", "f8"]),), {}


def pairs_of_sets(d):
    return (d.array((5,), dtypes=["i8", "f8"]), d.array((4,), dtypes=["i8", "f8"])), {}


def isin(d):
    return pairs_of_sets(d)[0], d.options(invert=d.flag, assume_unique=d.flag)


def intersect1d(d):
    return pairs_of_sets(d)[0], d.options(return_indices=d.flag)


def triangles(d):
    return (d.array((3, 3), (2, 3), (2, 2, 3), (3,)),), d.options(k=lambda: d.pick(0, 1, -1))


def likes(d):
    return (d.array(),), d.options(
        dtype=lambda: d.pick("f4", "i8"), shape=lambda: d.pick((2,), 3, (1, 2))
    )


def full_like(d):
    (x,), options = likes(d)
    return (x, d.pick(1.5, 2)), options


def nan_to_num(d):
    x = d.array()
    if x.dtype.kind == "f":
        x = np.where(d.rng.random(x.shape) > 0.7, d.pick(np.nan, np.inf, -np.inf), x)
    return (x,), d.options(nan=lambda: d.pick(1.0, 0), posinf=lambda: 5.0)


def round_(d):
    return (d.array(),), d.options(decimals=lambda: d.pick(0, 1, -1))


def size(d):
    x = d.array()
    return (x,), d.options(axis=lambda: d.axis(x.ndim, tuples=False))


def closeness(d):
    x = d.array((3,), (2, 3))
    return (x, d.pick(x, x + 1e-9, d.array((3,)))), d.options(
        rtol=lambda: 1e-3, equal_nan=d.flag, atol=lambda: d.pick(0.0, 1.0)
    )


CALLS = {
    **dict.fromkeys(
        ["copy", "isreal", "iscomplex", "isposinf", "isneginf", "iscomplexobj", "isrealobj",
         "real", "imag", "fix", "ndim", "shape", "atleast_1d", "atleast_2d", "atleast_3d",
         "matrix_transpose", "fliplr", "flipud", "nonzero", "argwhere", "flatnonzero",
         "real_if_close", "sort_complex", "array2string", "array_repr", "array_str",
         "trim_zeros", "sinc", "angle", "permute_dims"], one),
    **dict.fromkeys(["unique_values", "unique_counts", "unique_inverse", "unique_all"], whole),
    **dict.fromkeys(["vstack", "hstack", "dstack", "column_stack"], stacks),
    **dict.fromkeys(["hsplit", "vsplit", "dsplit"], split),
    **dict.fromkeys(["split", "array_split"], split_along),
    **dict.fromkeys(["union1d", "setdiff1d", "setxor1d"], pairs_of_sets),
    **dict.fromkeys(["tril", "triu"], triangles),
    **dict.fromkeys(["zeros_like", "ones_like"], likes),
    **dict.fromkeys(["round", "around"], round_),
    **dict.fromkeys(["isclose", "allclose"], closeness),
    "concatenate": concatenate, "concat": concatenate, "stack": stack, "block": block,
    "transpose": axes_of, "swapaxes": swapaxes, "moveaxis": moveaxis, "rollaxis": rollaxis,
    "reshape": reshape, "ravel": ravel, "expand_dims": expand_dims, "squeeze": squeeze,
    "broadcast_to": broadcast_to, "broadcast_arrays": several, "flip": flip, "rot90": rot90,
    "roll": roll, "tile": tile, "repeat": repeat, "unstack": unstack, "meshgrid": meshgrid,
    "append": append, "take": take, "take_along_axis": take_along_axis, "compress": compress,
    "extract": extract, "choose": choose, "select": select, "delete": delete,
    "insert": insert, "resize": resize, "pad": pad, "diagonal": diagonal, "diag": diag,
    "diagflat": diagflat, "vander": vander, "where": where, "clip": clip, "sort": sort,
    "argsort": argsort, "partition": partition, "argpartition": partition,
    "searchsorted": searchsorted, "digitize": digitize, "lexsort": lexsort, "unique": unique,
    "isin": isin, "intersect1d": intersect1d, "full_like": full_like,
    "nan_to_num": nan_to_num, "size": size, "array_equal": pairs_of_sets,
    "array_equiv": pairs_of_sets,
}  # fmt: skip
