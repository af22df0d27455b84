"""Functions that turn complex where the real ones end, in every mode."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from ops.agreement import agree
from qiudao.core.errors import TraceError

POSITIVE = np.array([0.5, 2.5, 1.5])
MIXED = np.array([0.5, -2.5, 1.5])
INSIDE = np.array([0.5, -0.2, 0.7])
OF_ONE = [
    np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10, np.emath.arccos, np.emath.arcsin,
    np.emath.arctanh,
]  # fmt: skip


@pytest.mark.parametrize("f", OF_ONE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [POSITIVE, MIXED, INSIDE, MIXED + 0.5j], ids=str)
def test_of_one(f, x):
    agree(f, x)


@pytest.mark.parametrize("x", [POSITIVE, MIXED])
def test_of_two(x):
    agree(np.emath.logn, np.array([2.0, 3.0, 0.5]), x)
    agree(np.emath.logn, x, np.array([2.0, 3.0, 0.5]))
    agree(lambda x: np.emath.logn(3, x), x)
    agree(np.emath.power, x, np.array([0.5, -1.5, 2.0]))
    agree(lambda x: np.emath.power(x, 0.5), x)
    agree(lambda x: np.emath.power(x, -2), x)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.int64, np.float64])
def test_precision_is_numpys(dtype):
    x = np.array([1, -2], dtype)
    for given in (x, x[:1]):
        want = np.emath.sqrt(given)
        assert np.emath.sqrt(qd.tensor(given)).dtype == want.dtype
        assert np.emath.power(qd.tensor(given), 2).dtype == np.emath.power(given, 2).dtype


def test_one_example_below_zero_makes_all_complex():
    rows = np.array([[1.0, 4.0], [1.0, -4.0]])
    found = qd.vmap(np.emath.sqrt)(rows)
    np.testing.assert_array_equal(found, [[1.0, 2.0], [1.0, 2.0j]])
    assert qd.vmap(np.emath.sqrt)(rows[:1]).dtype == np.float64


def test_gradients_of_batches():
    rows = np.array([[1.0, 4.0], [1.0, -4.0]])
    size = lambda x: np.sum(np.abs(np.emath.sqrt(x)) ** 2 * np.array([1.0, 3.0]))
    want = np.sign(rows) * np.array([1.0, 3.0])
    np.testing.assert_allclose(qd.vmap(qd.grad(size))(rows), want)
    np.testing.assert_allclose(qd.grad(lambda x: np.sum(qd.vmap(size)(x)))(rows), want)
    t = leaf(rows)
    np.sum(qd.vmap(size)(t)).backward()
    np.testing.assert_allclose(t.grad, want)


def test_what_a_trace_does_not_know_is_said():
    for f in (np.emath.sqrt, qd.vmap(np.emath.sqrt)):
        with pytest.raises(TraceError, match=r"emath.sqrt: whether the result is complex depends"):
            qd.jit(f)(MIXED)
    np.testing.assert_allclose(qd.jit(np.emath.sqrt)(MIXED + 0j), np.emath.sqrt(MIXED))
