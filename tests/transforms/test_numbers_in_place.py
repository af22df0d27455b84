"""`x += v` on numbers within transforms: as in NumPy, other names of the number keep it."""

import numpy as np
import pytest

import qiudao as qd


def accumulated(x):
    total = np.sum(x * x)
    before = total
    total += x[0]
    total *= 2.0
    total -= 1.0
    total /= 3.0
    total **= 2
    return before * total


def of_an_argument(x):
    t = x
    x += 1.0
    return t * x


@pytest.mark.parametrize("jit", [False, True])
def test_a_sum_that_is_added_to(jit):
    x = np.array([1.0, 2.0])
    f = qd.jit(accumulated) if jit else accumulated
    value, slope = qd.value_and_grad(f)(x)
    assert value == pytest.approx(accumulated(x))
    step = 1e-6 * np.eye(2)
    central = [(accumulated(x + h) - accumulated(x - h)) / 2e-6 for h in step]
    np.testing.assert_allclose(slope, central, rtol=1e-7)
    pushed = qd.jvp(f, (x,), (np.ones(2),))
    np.testing.assert_allclose(pushed, (value, np.sum(slope)), rtol=1e-12)
    np.testing.assert_allclose(qd.vmap(f)(np.stack([x, x])), [value, value], rtol=1e-12)


def test_an_argument_that_is_added_to():
    assert qd.grad(of_an_argument)(2.0) == 5.0
    assert qd.grad(qd.grad(of_an_argument))(2.0) == 2.0
    assert qd.jvp(of_an_argument, (2.0,), (1.0,)) == (6.0, 5.0)
    assert qd.jet(of_an_argument, (2.0,), ([1.0, 0.0],))[0] == 6.0
    assert qd.vmap(of_an_argument)(np.array([2.0])) == [6.0]
    assert qd.trace(of_an_argument)(2.0)(np.float64(2.0)) == [6.0]


def test_arrays_without_axes_are_written_into():
    def f(x):
        z = np.zeros_like(x)
        w = z
        z += x
        return w * x

    assert qd.grad(f)(np.array(3.0)) == 6.0


def test_tensors_of_the_tape_are_written_into():
    t = qd.tensor(2.0, requires_grad=True) * 1.0
    same = t
    t += 1.0
    assert same is t
    assert float(t.detach()) == 3.0
