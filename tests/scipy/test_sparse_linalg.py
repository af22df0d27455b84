"""Iterative solvers, eigenvalues and singular values of sparse matrices, to second order."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from directions import agrees, differentiates
from qiudao.core.errors import NotDifferentiableError

theirs = pytest.importorskip("scipy.sparse")
from scipy.sparse import linalg as solvers  # noqa: E402

linalg = qd.scipy.sparse.linalg
rng = np.random.default_rng(5)
DENSE = np.array([[4.0, 1, 0, 0], [0, 3.0, 0, 1], [1, 0, 5.0, 0], [0, 0, 2, 4.0]])
SYMMETRIC = DENSE + DENSE.T
B = rng.normal(size=4)
EXACT = {"rtol": 1e-14}
METHODS = {"cg": SYMMETRIC, "minres": SYMMETRIC, "gmres": DENSE, "bicgstab": DENSE}


def mirror(S):
    """Where the transposed element of each stored element of a symmetric matrix is stored."""
    coo = S.tocoo()
    places = list(zip(coo.row, coo.col, strict=True))
    return np.array([places.index((j, i)) for i, j in places])


@pytest.fixture(params=METHODS)
def method(request):
    """A solver, its matrix, and what keeps stored elements symmetric where that is needed."""
    matrix = METHODS[request.param]
    S = theirs.csr_array(matrix)
    twin = mirror(S) if matrix is SYMMETRIC else np.arange(S.nnz)
    return getattr(linalg, request.param), S, lambda v: (v + v[twin]) / 2


def test_sparse_matrices(method):
    f, S, even = method
    v = S.tocoo().data
    close(f(S, B, **EXACT)[0], np.linalg.solve(S.toarray(), B), rtol=1e-11)
    g = lambda b, v: f(S, b, data=even(v), **EXACT)[0]
    agrees(g, np.linalg.solve(S.toarray(), B), B, v)


def test_dense_matrices_operators_and_functions(method):
    f, S, _ = method
    A = S.toarray()
    x = np.linalg.solve(A, B)
    turned = (lambda a: (a + a.T) / 2) if A is not DENSE and np.allclose(A, A.T) else lambda a: a
    agrees(lambda a, b: f(turned(a), b, **EXACT)[0], x, A, B)
    agrees(lambda b: f(solvers.aslinearoperator(S), b, **EXACT)[0], x, B)
    agrees(lambda s, b: f(lambda x: s * (A @ x), b, **EXACT)[0], x, np.array(1.0), B)


def test_batches_and_compiled(method):
    f, S, _ = method
    solve = lambda b: f(S, b, **EXACT)[0]
    slope = qd.grad(lambda b: np.sum(solve(b) ** 2))
    many = np.stack([B, 2 * B])
    close(qd.vmap(solve)(many)[1], 2 * solve(B), rtol=1e-10)
    close(qd.vmap(slope)(many)[1], 2 * slope(B), rtol=1e-10)
    g = qd.grad(lambda b, v: np.sum(f(S, b, data=v, **EXACT)[0] ** 2), argnums=(0, 1))
    v = S.tocoo().data
    for found, wanted in zip(qd.jit(g)(B, v), g(B, v), strict=True):
        close(found, wanted, rtol=1e-10)


def test_complex_systems():
    Z = DENSE + 1j * DENSE.T @ DENSE / 20
    S, b = theirs.csc_array(Z), B + 1j * B[::-1]
    v = S.tocoo().data
    loss = lambda b, v: np.sum(np.abs(linalg.gmres(S, b, data=v, **EXACT)[0]) ** 2)
    differentiates(loss, b, v)
    loss = lambda a: np.sum(np.abs(linalg.gmres(lambda x: a @ x, b, **EXACT)[0]) ** 2)
    differentiates(loss, Z)


def test_options():
    S = theirs.csr_array(SYMMETRIC)
    inverse = solvers.aslinearoperator(np.diag(1 / np.diagonal(SYMMETRIC)))
    shifted = lambda b: linalg.minres(S, b, shift=0.5, **EXACT)[0]
    agrees(shifted, np.linalg.solve(SYMMETRIC - 0.5 * np.eye(4), B), B)
    prepared = lambda b: linalg.cg(S, b, np.ones(4), M=inverse, **EXACT)[0]
    agrees(prepared, np.linalg.solve(SYMMETRIC, B), B)
    turned = lambda b: linalg.gmres(theirs.csr_array(DENSE), b, M=inverse, **EXACT)[0]
    agrees(turned, np.linalg.solve(DENSE, B), B)
    x, info = linalg.cg(S, qd.tensor(B, requires_grad=True), maxiter=1, **EXACT)
    assert info == 1
    assert x.shape == (4,)


# Eigenvalues and singular values

SIZE = 7
PATTERN = np.where(rng.random((SIZE, SIZE)) < 0.4, rng.normal(size=(SIZE, SIZE)), 0.0)
LARGE = theirs.csr_array(PATTERN + PATTERN.T + np.diag(np.arange(1.0, SIZE + 1)))
START = np.ones(SIZE)


@pytest.mark.parametrize("options", [{}, {"which": "SA"}, {"sigma": 2.2}], ids=str)
def test_eigsh(options):
    v, twin = LARGE.tocoo().data, mirror(LARGE)
    f = lambda v: linalg.eigsh(LARGE, 3, data=(v + v[twin]) / 2, v0=START, **options)
    agrees(f, solvers.eigsh(LARGE, 3, v0=START, **options), v)
    values = lambda v: linalg.eigsh(
        LARGE, 2, data=v, v0=START, return_eigenvectors=False, **options
    )
    agrees(lambda v: values((v + v[twin]) / 2), plain_values(options), v)
    close(qd.jit(qd.jacobian(values))(v), qd.jacobian(values)(v), rtol=1e-8, atol=1e-10)


def plain_values(options):
    return solvers.eigsh(LARGE, 2, v0=START, return_eigenvectors=False, **options)


@pytest.mark.parametrize("rows", [4, SIZE])
def test_svds(rows):
    S = theirs.csr_array(PATTERN[:rows] + np.eye(rows, SIZE))
    v, start = S.tocoo().data, np.ones(rows)
    agrees(lambda v: linalg.svds(S, 2, data=v, v0=start), solvers.svds(S, 2, v0=start), v)
    for kind, present in (("u", 0), ("vh", 2)):
        found = linalg.svds(S, 2, data=v, v0=start, return_singular_vectors=kind)
        whole = solvers.svds(S, 2, v0=start)
        close(found[present], whole[present], rtol=1e-9, atol=1e-9)
        assert found[2 - present] is None


def test_values_that_are_not_simple():
    S = theirs.diags_array([1.0, 1.0, 2.0, 3.0, 5.0, 5.0]).tocsc()
    v, start = S.tocoo().data, np.arange(1.0, 7.0)
    top = lambda k, i: qd.grad(lambda v: linalg.eigsh(S, k, data=v, v0=start)[0][i])
    says = "eigsh: the value 5 is not simple, or too close to another"
    for k in (1, 2):  # beside one that is asked for, and one that is not
        with pytest.raises(NotDifferentiableError, match=says):
            top(k, 0)(v)
    close(top(3, 0)(v), [0.0, 0, 0, 1, 0, 0], atol=1e-9)
    with pytest.raises(NotDifferentiableError, match="svds: the value 5 is not simple"):
        qd.grad(lambda v: linalg.svds(S, 1, data=v, v0=start)[1][0])(v)


def test_the_exponential_times_a_vector():
    A = theirs.csc_array(DENSE / 5)
    for b in (B, np.stack([B, B**2], axis=1)):
        agrees(lambda b: linalg.expm_multiply(A, b), solvers.expm_multiply(A, b), b)
    Z = A * (1 + 2j)
    agrees(lambda b: linalg.expm_multiply(Z, b), solvers.expm_multiply(Z, B), B)


def test_lifted():
    from scipy.sparse.linalg import cg, eigsh

    S = theirs.csr_array(SYMMETRIC)
    g = qd.grad(lambda b: np.sum(cg(S, b, rtol=1e-12)[0]), numpy="lift")(B)
    close(g, np.linalg.inv(SYMMETRIC).sum(axis=0), rtol=1e-9)
    found = qd.lift(lambda: eigsh(S, 2, v0=np.ones(4), return_eigenvectors=False))()
    close(found, eigsh(S, 2, v0=np.ones(4), return_eigenvectors=False))
