"""Calls of the functions that write into their first argument."""


def copyto(d):
    x = d.floats((3,), (2, 3))
    return (x, d.array((3,), (), dtypes=["f8", "f4", "i8", "c16"])), d.options(
        where=lambda: d.mask(x.shape), casting=lambda: d.pick("same_kind", "unsafe", "no")
    )


def put(d):
    x = d.floats((3,), (2, 3))
    return (x, d.pick([0, 2], 1, [-1, 0, 1], [9]), d.pick(1.5, d.floats((2,)), [])), d.options(
        mode=lambda: d.pick("raise", "wrap", "clip")
    )


def putmask(d):
    x = d.floats((3,), (2, 3))
    return (x, d.rng.random(x.shape) > 0.4, d.pick(1.5, d.floats((2,)), d.floats((3,)))), {}


def place(d):
    x = d.floats((3,), (2, 3))
    return (x, d.rng.random(x.shape) > 0.4, d.pick([1.5], d.floats((2,)), [])), {}


def fill_diagonal(d):
    return (d.floats((3, 3), (4, 2), (2, 2, 2), (3,), (2, 3)), d.pick(1.5, d.floats((2,)))), (
        d.options(wrap=d.flag)
    )


def put_along_axis(d):
    x = d.floats((2, 3), (3,))
    axis = d.pick(-1, 0, None)
    shape = (2,) if axis is None else (x.shape[0], 1) if axis == -1 and x.ndim > 1 else x.shape
    indices = d.rng.integers(0, 2, shape)
    return (x, indices, d.pick(1.5, d.values(shape, "f8")), axis), {}


CALLS = {
    "copyto": copyto, "put": put, "putmask": putmask, "place": place,
    "fill_diagonal": fill_diagonal, "put_along_axis": put_along_axis,
}  # fmt: skip
