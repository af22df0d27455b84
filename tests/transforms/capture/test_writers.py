"""NumPy's functions that write into their first argument, in branches and loops of traced code."""

import numpy as np
import pytest

import qiudao as qd

POINT = np.array([1.0, 2.0, 3.0])


def loop(x):
    y = np.zeros(3)
    for i in range(50):
        np.add.at(y, [0, 1], x[:2] * i)
    return np.sum(y**2)


def branch(x):
    y = np.zeros(3)
    if np.sum(x) > 0:
        np.copyto(y, x)
    else:
        np.put(y, [0], x[1])
    return np.sum(y**2)


def unknown_loop(x):
    y, k = np.zeros(3), 0.0
    while k < x[0] * 5 - 0.5:
        np.add.at(y, [0], x[1] * k)
        k = k + 1.0
    return np.sum(y**2)


@pytest.mark.parametrize("f", [loop, branch, unknown_loop])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_compiled_lifted_and_by_differences(f, sign):
    x = sign * POINT
    compiled = qd.jit(qd.grad(f))(x)
    np.testing.assert_allclose(compiled, qd.grad(f, numpy="lift")(x), rtol=1e-12)
    steps = 1e-6 * np.eye(3)
    differences = [(f(x + h) - f(x - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(compiled, differences, rtol=1e-6, atol=1e-6)
