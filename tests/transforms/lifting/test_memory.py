"""What goes through an array's memory, in lifted code: the same values, and derivatives."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import DetachError
from qiudao.transforms.capture.outcomes import CaptureError

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


def added_at(x):
    y = np.zeros(3)
    np.add.at(y, [0, 0, 2], x[0, 0] * np.array([1.0, 2.0, x[1, 1]]))
    return np.sum(y**2)


def copied_into(x):
    y, z = np.ones((2, 2)), np.zeros((2, 2))
    np.copyto(y, x)
    np.copyto(z, x[0], where=np.array([[True, False], [True, True]]))
    return np.sum(y**3) + np.sum(z**2)


def put_into(x):
    y, z = np.zeros(4), np.zeros((2, 2))
    np.put(y, [1, 3], x[0])
    np.putmask(y, y > 1.0, x[1, 0])
    np.place(z, np.eye(2) > 0, x[1])
    np.fill_diagonal(z[::1], 7.0)
    w = np.zeros((2, 2))
    np.fill_diagonal(w, x[:, 1])
    return np.sum(y**2) + np.sum(z**2) + np.sum(w**2)


@pytest.mark.parametrize("f", [added_at, copied_into, put_into])
def test_functions_that_write_into_a_plain_array(f):
    test_the_same_value_and_its_derivative(f)
    compiled = qd.jit(qd.grad(f))(X)
    np.testing.assert_allclose(compiled, qd.grad(f, numpy="lift")(X), rtol=1e-12)


def test_an_array_that_others_hold_is_not_written_into_in_silence():
    def f(x):
        y = np.zeros(2)
        held = [y]
        np.put(y, [0], x[0])
        return np.sum(held[0])

    with pytest.raises(CaptureError, match="other names hold too"):
        qd.grad(f, numpy="lift")(X[0])


def test_functions_of_the_users_with_such_names():
    class Store:
        def put(self, key, value):
            self.last = key, value

    def f(x):
        store, key = Store(), "a"
        store.put(key, x)
        return store.last[1] * 2.0 if store.last[0] == key else 0.0

    assert float(qd.grad(f, numpy="lift")(1.0)) == 2.0
