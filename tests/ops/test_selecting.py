"""where, maximum, minimum and their kin, clip, nan_to_num: values, ties, NaN and masks."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

NAN = np.nan
X, Y = np.array([1.0, -2.0, 0.5, 3.0]), np.array([[0.7], [-2.5]])


def both(f, *xs):
    """Gradients by all arguments, the same in both modes."""
    numbers = tuple(range(len(xs)))
    reverse, forward = qd.grad(f, numbers)(*xs), qd.jacfwd(f, numbers)(*xs)
    np.testing.assert_array_equal(np.array(reverse), np.array(forward))
    return tuple(map(float, reverse))


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_extremes(f):
    agree(f, X, Y)
    assert both(f, 1.0, 1.0) == (0.5, 0.5)
    assert both(lambda x: f(x, x), 3.0) == (1.0,)
    assert both(lambda x: f(x, 0.0) + f(-x, 0.0), 0.0) == (0.0,)
    assert qd.grad(qd.grad(lambda x: f(x, 1.0)))(1.0) == 0.0
    for dtype in (np.float32, np.float64):
        ones = np.ones(2, dtype)
        assert qd.vjp(lambda x: f(x, 0.0), ones)[1](ones)[0].dtype == dtype


def test_order_decides():
    assert both(np.maximum, 2.0, 1.0) == both(np.fmax, 2.0, 1.0) == (1.0, 0.0)
    assert both(np.minimum, 2.0, 1.0) == both(np.fmin, 2.0, 1.0) == (0.0, 1.0)
    assert both(np.maximum, np.inf, np.inf) == (0.5, 0.5)
    assert both(np.maximum, 0.0, -0.0) == (0.5, 0.5)


def test_nan_in_extremes():
    for f in (np.maximum, np.minimum):
        for a, b in ((NAN, 1.0), (1.0, NAN), (NAN, NAN)):
            assert np.isnan(both(f, a, b)).all()
    for f in (np.fmax, np.fmin):
        assert both(f, NAN, 1.0) == (0.0, 1.0)
        assert both(f, 1.0, NAN) == (1.0, 0.0)
        assert np.isnan(both(f, NAN, NAN)).all()
        t = f(qd.tensor(NAN, requires_grad=True), 1.0)
        assert t.detach().numpy() == 1.0


def test_complex_extremes():
    z = np.array([1 + 2j, 3 - 1j, 1j])
    agree(np.maximum, z, np.array([1 + 1j, 4 + 0j, 1j]), batched=False)


NONE = [(None, 1.0), (-1.0, None), (None, None)]
BOUNDS = [(-1.0, 1.0), *NONE, (np.full(4, -0.5), 0.8), (1.0, -1.0)]


@pytest.mark.parametrize("low,high", BOUNDS)
def test_clip(low, high):
    agree(lambda x: np.clip(x, low, high), X)
    agree(lambda x: np.clip(x, min=low, max=high), X)
    agree(lambda x: np.clip(x, low, high), X.astype(np.float32))
    t = qd.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(t.clip(low, high).detach().numpy(), X.clip(low, high))


def test_clip_by_tensors():
    agree(np.clip, X, np.array([-1.0, -1.0, 0.8, 0.0]), np.array([[0.9], [2.0]]))
    agree(lambda low, high: X.clip(low, high), np.array(-1.0), np.array(1.1))
    agree(lambda low: np.clip(X, low, None), np.array([0.2, 0.1, 1.0, 1.5]))
    slopes = {
        (0.5, 0.0, 1.0): (1, 0, 0), (2.0, 0.0, 1.0): (0, 0, 1), (-2.0, 0.0, 1.0): (0, 1, 0),
        (0.0, 0.0, 1.0): (0.5, 0.5, 0), (1.0, 0.0, 1.0): (0.5, 0, 0.5),
        (0.3, 1.0, 0.0): (0, 0, 1), (5.0, 2.0, 2.0): (0, 0, 1), (2.0, 2.0, 2.0): (0.25, 0.25, 0.5),
    }  # fmt: skip
    for point, expected in slopes.items():
        assert both(np.clip, *point) == expected
        composed = lambda x, low, high: np.minimum(np.maximum(x, low), high)
        assert both(composed, *point) == expected
    for point in ((NAN, 0.0, 1.0), (0.5, NAN, 1.0), (0.5, 0.0, NAN)):
        assert np.isnan(both(np.clip, *point)).any()


def test_clip_arguments():
    t = qd.tensor(X, requires_grad=True)
    with pytest.raises(TypeError, match="a_max is missing"):
        np.clip(t, 0)
    with pytest.raises(ValueError, match="given twice"):
        np.clip(t, 0, 1, min=0)
    target = np.zeros_like(t)
    assert np.clip(t, 0, 1, out=target) is target
    np.testing.assert_array_equal(target.detach().numpy(), np.clip(X, 0, 1))
    np.testing.assert_array_equal(np.clip(t).detach().numpy(), X)


def test_where():
    agree(lambda x, y: np.where(X > 0.6, x, y), X, Y)
    agree(lambda x: np.where(X > 0.6, x, 1), X.astype(np.float32))
    agree(lambda x: np.where([True, False, True, False], x, [1.0, 2.0, 3.0, 4.0]), X)
    agree(lambda z: np.where(X > 0, z, X), X + 1j)
    assert both(lambda x: np.where(True, x, 2 * x), 3.0) == (1.0,)
    assert both(lambda x: np.where(0, x, 2 * x), 3.0) == (2.0,)
    assert both(lambda x: np.where(x, x * x, 1.0), 3.0) == (6.0,)  # a number as condition
    rows, columns = np.where(qd.tensor([[0.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_array_equal([rows, columns], [[0, 1], [1, 0]])
    got = qd.vmap(lambda m, x: np.where(m, x, -x), (0, None))(np.array([True, False]), X)
    np.testing.assert_array_equal(got, [X, -X])


@pytest.mark.parametrize(
    "options",
    [{}, {"nan": 5.0}, {"nan": 1, "posinf": 2.0, "neginf": -3.0}, {"nan": np.arange(5.0)}],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nan_to_num(options, dtype):
    x = np.array([1.0, NAN, np.inf, -np.inf, -2.0], dtype)
    y, pull = qd.vjp(lambda x: np.nan_to_num(x, **options), x)
    expected = np.nan_to_num(x, **options)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == expected.dtype == dtype
    (g,) = pull(np.ones(5, dtype))
    np.testing.assert_array_equal(g, [1, 0, 0, 0, 1])
    assert g.dtype == dtype
    np.testing.assert_array_equal(
        qd.jvp(lambda x: np.nan_to_num(x, **options), (x,), (np.ones(5, dtype),))[1], g
    )


def test_nan_to_num_of_complex_and_in_place():
    z = np.array([1 + 2j, complex(NAN, 1), complex(2, np.inf)])
    y, pull = qd.vjp(np.nan_to_num, z)
    np.testing.assert_array_equal(y, np.nan_to_num(z))
    np.testing.assert_array_equal(pull(np.full(3, 1 + 1j))[0], [1 + 1j, 1j, 1])
    x = qd.tensor([1.0, NAN], requires_grad=True) * 1.0
    assert np.nan_to_num(x, copy=False) is x
    np.testing.assert_array_equal(x.detach().numpy(), [1.0, 0.0])
    filled = qd.grad(lambda v: np.sum(np.nan_to_num(np.array([1.0, NAN, NAN]) + 0 * v, nan=v)))
    assert filled(2.0) == 2.0


def test_real_if_close():
    z = np.array([1 + 1e-14j, 2.0])
    assert qd.vjp(np.real_if_close, z)[0].dtype == np.float64
    assert qd.vjp(lambda z: np.real_if_close(z, tol=1e-20), z)[0].dtype == np.complex128
    assert qd.vjp(lambda z: np.real_if_close(z + 1), z)[0].dtype == np.float64
    assert qd.vjp(np.real_if_close, np.ones(2))[0].dtype == np.float64
    np.testing.assert_array_equal(qd.vjp(np.real_if_close, z)[1](np.ones(2))[0], [1, 1])
    assert qd.vmap(np.real_if_close)(np.stack([z, z])).dtype == np.float64
    assert qd.vmap(np.real_if_close)(np.stack([z, z + 1j])).dtype == np.complex128
