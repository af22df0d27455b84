"""Sparse products and systems: SciPy's values, and derivatives in operand and elements."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

theirs = pytest.importorskip("scipy.sparse")
rng = np.random.default_rng(5)
DENSE = np.array([[4.0, 1, 0, 0], [0, 3.0, 0, 1], [1, 0, 5.0, 0], [0, 0, 2, 4.0]])
KINDS = {"csr": theirs.csr_array(DENSE), "csc": theirs.csc_array(DENSE)}


def functions(S):
    sparse = qd.scipy.sparse
    return {
        "matmul": (lambda x, v=None: sparse.matmul(S, x, data=v), DENSE),
        "spsolve": (
            lambda x, v=None: sparse.linalg.spsolve(S, x, data=v),
            np.linalg.inv(DENSE),
        ),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["matmul", "spsolve"])
@pytest.mark.parametrize("shape", [(4,), (4, 2)])
def test_values_and_derivatives(kind, name, shape):
    S = KINDS[kind]
    f, matrix = functions(S)[name]
    x = rng.normal(size=shape)
    v = S.tocoo().data
    close(f(x), matrix @ x, rtol=1e-12, atol=1e-14)
    close(f(qd.tensor(x, requires_grad=True)).detach(), matrix @ x, rtol=1e-12, atol=1e-14)
    close(qd.jvp(f, (x,), (x,))[1], matrix @ x, rtol=1e-12, atol=1e-14)
    close(qd.vmap(f)(np.stack([x, 2 * x]))[1], 2 * matrix @ x, rtol=1e-12, atol=1e-14)
    loss = lambda x, v: np.sum(np.sin(f(x, v)))
    assert qd.gradgradcheck(loss, x, v)


def test_lifted():
    from scipy.sparse.linalg import spsolve

    A = KINDS["csc"]
    b = np.arange(4.0)
    g = qd.grad(lambda b: np.sum(spsolve(A, b)), numpy="lift")(b)
    close(g, np.linalg.inv(DENSE).sum(axis=0), rtol=1e-12, atol=1e-14)


def test_rectangular():
    S = theirs.csr_array(DENSE[:3])
    f = lambda x: qd.scipy.sparse.matmul(S, x)
    close(qd.jacobian(f)(np.arange(4.0)), DENSE[:3])


@pytest.mark.parametrize("name", ["matmul", "spsolve"])
def test_a_matrix_that_is_not_sparse(name):
    f = {"matmul": qd.scipy.sparse.matmul, "spsolve": qd.scipy.sparse.linalg.spsolve}[name]
    says = f"{name}: the matrix is ndarray, where a SciPy sparse matrix is wanted; its own values "
    with pytest.raises(TypeError, match=says):
        qd.grad(lambda b: np.sum(f(DENSE, b)))(np.ones(4))
