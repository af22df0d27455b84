"""Arrays of classes that give NumPy's operations another meaning: refused, never misread."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf
from qiudao.core.errors import DtypeError

HIDING = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
MATRIX = np.eye(3).view(np.matrix)
X = np.array([1.0, 2.0, 3.0])

MEETINGS = {
    "operator": lambda x, m: x * m,
    "ufunc": lambda x, m: np.add(m, x),
    "function": lambda x, m: np.concatenate([np.ravel(x), m]),
    "where": lambda x, m: np.where(m, x, 0.0),
    "where=": lambda x, m: np.sum(x, where=m > 1),
    "product": lambda x, m: np.dot(x, m),
    "index": lambda x, m: x[m > 1],
    "write": lambda x, m: np.zeros_like(x).__setitem__(slice(None), m),
    "augmented": lambda x, m: (x * 1.0).__iadd__(m),
}
TAKERS = {
    "tensor": qd.tensor,
    "grad": qd.grad(np.sum),
    "jvp": lambda m: qd.jvp(np.sin, (m,), (m,)),
    "tangent": lambda m: qd.jvp(np.sin, (np.ones(m.shape),), (m,)),
    "cotangent": lambda m: qd.vjp(np.sin, np.ones(m.shape))[1](m),
    "grad_outputs": lambda m: (leaf(np.ones(m.shape)) * 2).backward(m),
    "vmap": lambda m: qd.vmap(np.sin)(m),
}
PECULIAR = pytest.mark.parametrize("m", [HIDING, MATRIX], ids=["masked", "matrix"])


@PECULIAR
@pytest.mark.parametrize("meet", MEETINGS.values(), ids=MEETINGS)
def test_beside_a_tracer(meet, m):
    def f(x):
        return np.sum(meet(x, m))

    for run in (
        lambda: f(leaf(X)),
        lambda: qd.grad(f)(X),
        lambda: qd.jvp(f, (X,), (X,)),
        lambda: qd.vmap(f)(np.stack([X, X])),
    ):
        with pytest.raises(DtypeError, match="does things its own way"):
            run()


@PECULIAR
@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
def test_as_an_argument(take, m):
    with pytest.raises(DtypeError, match="does things its own way"):
        take(m)


def test_a_class_that_changes_nothing_is_an_array(tmp_path):
    file = np.memmap(tmp_path / "x", float, "w+", shape=3)
    file[:] = X
    close(qd.grad(lambda x: np.sum(x * file))(X), X)
    close(qd.grad(lambda x: np.sum(x * x))(file), 2 * X)
    close(qd.tensor(file).numpy(), X)
