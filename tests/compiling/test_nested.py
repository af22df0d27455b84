"""Compiled functions within others, and within transforms that carry masks."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import TraceError

pytest.importorskip("llvmlite")


@qd.jit
def branching(x):
    return x * x if x > 1 else -x


@pytest.mark.parametrize("outer", [qd.jit, qd.jit(capture=False)])
@pytest.mark.parametrize("x", [3.0, 0.5])
@pytest.mark.parametrize(
    "within",
    [
        lambda f: lambda x: f(x) + 1,
        lambda f: lambda x: qd.scan(lambda c, _: (f(c), None), x, length=3)[0],
        lambda f: lambda x: qd.vmap(f)(np.stack([x, 0 * x])),
        qd.grad,
        lambda f: qd.grad(qd.grad(f)),
        qd.checkpoint,
    ],
)
def test_what_is_compiled_decides_within_another(within, x, outer):
    close(outer(within(branching))(x), within(branching)(x))


def test_what_is_compiled_decides_within_a_trace():
    for x in (3.0, 0.5):
        close(qd.trace(branching)(x)(np.float64(x))[0], branching(x))


def test_what_reads_no_source_reads_none_within_another():
    inner = qd.jit(lambda x: x if x > 1 else -x, capture=False)
    with pytest.raises(TraceError, match="is not known while tracing"):
        qd.jit(lambda x: inner(x) + 1)(2.0)


def roots(x):
    return np.where(x > 0, np.sqrt(x), x)


X = np.array([0.0, 1.0, 4.0])
WITH_COMPILED = {
    "a lane that is dropped around it": lambda f: (
        lambda x: np.sum(np.where(x > 0, f(np.log)(x), x))
    ),
    "and before it": lambda f: lambda x: np.sum(np.where(x > 0, f(np.log)(np.sqrt(x)), x)),
    "within it": lambda f: lambda x: np.sum(f(roots)(x)),
    "within a gradient": lambda f: (
        lambda x: np.sum(f(qd.grad(lambda x: np.sum(roots(x))))(x) ** 2 * x)
    ),
    "a slice": lambda f: lambda x: np.sum(f(np.log)(x)[1:]),
    "one of several results": lambda f: (
        lambda x: np.sum(np.where(x > 0, f(lambda x: (np.log(x), x * x))(x)[0], x))
    ),
    "a factor of zero, which is no mask": lambda f: lambda x: np.sum(0.0 * f(np.log)(x - 1)),
    "a factor of zero to what drops lanes": lambda f: (
        lambda x: np.sum(0.0 * f(lambda x: np.where(x > -9, np.log(x), x))(x))
    ),
}


@pytest.mark.parametrize(
    "derivative",
    [
        qd.grad,
        lambda f: lambda x: qd.vmap(qd.grad(f))(np.stack([x, x])),
        lambda f: qd.jacrev(qd.grad(f)),
        lambda f: qd.jacfwd(qd.grad(f)),
        lambda f: qd.grad(lambda x: np.sum(qd.grad(f)(x))),
        lambda f: lambda x: qd.vmap(qd.jacrev(f))(np.stack([x, x])),
    ],
)
@pytest.mark.parametrize("name", WITH_COMPILED)
def test_masks_reach_into_what_is_compiled(name, derivative):
    """Each lane that is dropped is, and a NaN stays one, as where nothing is compiled."""
    with np.errstate(all="ignore"):
        wanted = derivative(WITH_COMPILED[name](lambda f: f))(X)
        found = derivative(WITH_COMPILED[name](qd.jit))(X)
    close(found, wanted)


def test_a_compiled_gradient_with_masks_in_a_batch():
    """The batch, and the derivatives, are made of the program with masks where that is wanted."""
    slope = qd.jit(qd.grad(lambda x: np.sum(roots(x) * x)))
    assert np.isfinite(slope(X)).all()
    close(qd.vmap(slope)(np.stack([X, X + 1])), np.stack([slope(X), slope(X + 1)]))
    _, pushed = qd.jvp(slope, (X,), (np.ones(3),))
    close(pushed, [2.0, 0.75, 0.375])  # of x * x, and of x ** 1.5
