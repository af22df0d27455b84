"""Derivatives to second order along random directions, against central differences."""

import numpy as np

import qiudao as qd
from checking import close, plain

STEP = 1e-5


def parts(result):
    """The floating arrays of a result, as a list."""
    many = result if isinstance(result, tuple | list) else [result]
    flat = [part for one in many for part in (parts(one) if isinstance(one, tuple) else [one])]
    return [x for x in flat if np.dtype(getattr(x, "dtype", int)).kind in "fc"]


def weighed(result):
    """A real number that every element of a result moves, and moves differently."""
    total = 0.0
    for x in parts(result):
        weights = (1.0 + np.arange(np.size(x)).reshape(np.shape(x))) / (1.0 + np.size(x))
        total = total + np.sum(np.sin(np.real(x) * weights) + np.cos(np.imag(x) * weights + 0.5))
    return total


def dot(xs, ys):
    """The real inner product of lists of arrays."""
    return sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(xs, ys, strict=True))


def like(xs, seed):
    """Random directions of the shapes and kinds of these arrays."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=np.shape(x))
        + (1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else 0)
        for x in xs
    ]


def agrees(f, wanted, *xs, rtol=1e-10, tolerance=1e-6):
    """Hold that f of tensors gives the `wanted` values, and that its derivatives of the first and
    the second order are right in every mode.
    """
    tracked = [qd.tensor(x, requires_grad=True) for x in xs]
    for got, one in zip(parts(f(*tracked)), parts(wanted), strict=True):
        close(got, one, rtol=rtol, atol=rtol * np.max(np.abs(one), initial=1.0))
        assert got.dtype == one.dtype
    differentiates(lambda *xs: weighed(f(*xs)), *xs, tolerance=tolerance)


def differentiates(loss, *xs, tolerance=1e-6):
    """Hold that the derivatives of a real function are right in every mode, to second order."""
    xs = [np.asarray(x) for x in xs]
    every = tuple(range(len(xs)))
    dxs, exs = like(xs, 1), like(xs, 2)
    gradient = qd.grad(loss, argnums=every)

    def at(g, h):
        return g(*(x + h * dx for x, dx in zip(xs, dxs, strict=True)))

    near = lambda a, b: np.isclose(a, b, rtol=tolerance, atol=tolerance)
    slope = (plain(at(loss, STEP)) - plain(at(loss, -STEP))) / (2 * STEP)
    assert near(dot(gradient(*xs), dxs), slope), "reverse mode"
    assert near(qd.jvp(loss, tuple(xs), tuple(dxs))[1], slope), "forward mode"
    along = lambda *xs: dot(gradient(*xs), exs)
    bend = (plain(at(along, STEP)) - plain(at(along, -STEP))) / (2 * STEP)
    assert near(qd.jvp(along, tuple(xs), tuple(dxs))[1], bend), "forward over reverse mode"
    twice = qd.grad(along, argnums=every)(*xs)
    assert near(dot(twice, dxs), bend), "reverse over reverse mode"
