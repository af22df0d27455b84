"""What goes through an array's memory, in lifted code: the same values, and derivatives."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import DetachError

X = np.array([[0.5, 1.5], [2.5, 3.5]])


def by_memoryview(x):
    y = x * x
    memory = memoryview(y)
    memory[0, 1] = 0.0  # writes into y too
    return memory[1, 0] * memory[0, 0] + np.sum(y)


def by_iterator(x):
    total = 0.0
    for k, e in enumerate(np.nditer(x)):
        total = total + k * e**2
    return total + next(np.nditer(x * x))


def by_array(x):
    return np.sum(x.__array__() ** 2) + np.sum(x.__array__(np.float64))


@pytest.mark.parametrize("f", [by_memoryview, by_iterator, by_array])
def test_the_same_value_and_its_derivative(f):
    value, gradient = qd.value_and_grad(f, numpy="lift")(X)
    close(value, f(X.copy()))
    expected = np.zeros((2, 2))
    for index in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[index] = 1e-6
        expected[index] = (f(X + step) - f(X - step)) / 2e-6
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-8)


def test_elements_come_row_by_row_or_not_at_all():
    def transposed(x):
        return sum(k * e for k, e in enumerate(np.nditer(x.T)))

    with pytest.raises(DetachError, match=r"np\.nditer\(x\)"):
        qd.grad(transposed, numpy="lift")(X)


def test_files_get_the_values(tmp_path):
    def f(x):
        np.save(tmp_path / "x.npy", x * 2.0)
        np.savez(tmp_path / "x.npz", x, twice=x + x)
        np.savetxt(tmp_path / "x.txt", x)
        return np.sum(x**2)

    np.testing.assert_allclose(qd.grad(f, numpy="lift")(X), 2 * X)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), 2 * X)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["twice"], 2 * X)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "x.txt"), X)


def test_numbers_from_other_texts_are_numbers():
    assert float(qd.grad(lambda x: float("2.5") * x, numpy="lift")(1.0)) == 2.5
    with pytest.raises(ValueError, match="could not convert"):
        qd.grad(lambda x: float("two") * x, numpy="lift")(1.0)
