"""Sparse arrays beside tensors: ours everywhere, SciPy's in lifted code, else an error."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from directions import agrees
from qiudao.core.errors import DetachError, DtypeError, GradientError

theirs = pytest.importorskip("scipy.sparse")
sparse = qd.scipy.sparse
D = np.array([[4.0, 1, 0, 0], [0, 3.0, 0, 1], [1, 0, 5.0, 0]])
X, Y = np.arange(1.0, 5.0), np.arange(1.0, 4.0)
PRODUCTS = {
    "S @ x": (lambda S, x: S @ x, X),
    "S.dot(x)": (lambda S, x: S.dot(x), X),
    "S @ X": (lambda S, x: S @ x, np.stack([X, X**2], axis=1)),
    "S.T @ y": (lambda S, y: S.T @ y, Y),
    "y @ S": (lambda S, y: y @ S, Y),
    "Y @ S": (lambda S, y: y @ S, np.stack([Y, Y**2])),
    "x @ S.T": (lambda S, x: x @ S.T, X),
}


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name, kind):
    f, x = PRODUCTS[name]
    S = getattr(sparse, kind)(D)
    g = lambda x: f(S, x)
    wanted = f(D, x)
    agrees(g, wanted, x)
    close(g(x), wanted)
    close(qd.jit(g)(x), wanted)
    close(qd.vmap(g)(np.stack([x, 2 * x]))[1], 2 * wanted)


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array"])
def test_the_rest_is_scipys(kind):
    S = getattr(sparse, kind)(D)
    assert isinstance(S, getattr(theirs, kind))
    assert isinstance(S.T, sparse.csr_array | sparse.csc_array | sparse.coo_array)
    for found, wanted in (
        (S * 2, 2 * D), (2 * S, 2 * D), (S + S, 2 * D), (S @ S.T, D @ D.T), (S * D, D * D),
        (S.multiply(D), D * D), (np.ones((2, 3)) @ S, np.ones((2, 3)) @ D), (S.T, D.T),
    ):  # fmt: skip
        close(found.toarray() if theirs.issparse(found) else found, wanted)


FORMATS = ["csr_array", "csc_matrix", "coo_array", "dia_array", "lil_array"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", PRODUCTS)
def test_scipys_own_in_lifted_code(name, kind):
    f, x = PRODUCTS[name]
    S = getattr(theirs, kind)(D)
    g = qd.lift(lambda x: f(S, x))
    agrees(g, f(D, x), x)
    close(g(x), f(D, x))


def test_lifted_products_of_matrices_keep_their_class():
    M = theirs.csr_matrix(D[:, :3])
    assert type(qd.lift(lambda: M @ M)()) is theirs.csr_matrix
    close(qd.lift(lambda: M * Y)(), M * Y)


def test_refusals():
    t, S, ours = qd.tensor(X, requires_grad=True), theirs.csr_array(D), sparse.csr_array(D)
    cure = r"qd\.scipy\.sparse\.matmul\(S, x\)"
    with pytest.raises(DetachError, match=cure):
        S @ t
    for act in (lambda: t[:3] @ S, lambda: t * S, lambda: t[0] * S, lambda: np.matmul(t[:3], S)):
        with pytest.raises(DtypeError, match=f"csr_array: a sparse matrix is no operand.*{cure}"):
            act()
    for act in (lambda: ours * t, lambda: t * ours, lambda: t[0] * ours, lambda: ours.multiply(t)):
        with pytest.raises(GradientError, match="multiply: a sparse array cannot hold elements"):
            act()
    with pytest.raises(TypeError, match="unsupported operand"):
        t + ours
