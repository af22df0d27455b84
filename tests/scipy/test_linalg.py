"""Functions of matrices, and systems with structure: SciPy's values, to second order."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

theirs = pytest.importorskip("scipy.linalg")
linalg = qd.scipy.linalg
rng = np.random.default_rng(3)
A = rng.normal(size=(3, 3)) + 3 * np.eye(3)
S = A @ A.T
B = rng.normal(size=(3, 2))
V = rng.normal(size=3)
MIDDLE = np.array([[0.0], [4.0], [0.0]])


def spread(x):
    """A number that all elements of a result move."""
    x = x[0] * np.abs(x[1]).sum() if isinstance(x, tuple) else x
    return np.sum(np.sin(np.real(x)) * (1.0 + np.arange(np.size(x)).reshape(np.shape(x))))


CASES = {
    "expm": (lambda m, a: m.expm(a), A / 3),
    "logm": (lambda m, a: m.logm(a), A),
    "sqrtm": (lambda m, a: m.sqrtm(a), S),
    "solve": (lambda m, a, b: m.solve(a, b), A, B),
    "solve of a vector": (lambda m, a, b: m.solve(a, b, transposed=True), A, V),
    "solve, symmetric": (lambda m, a, b: m.solve(a, b, assume_a="sym"), A, B),
    "solve, positive": (
        lambda m, a, b: m.solve(a + 9 * np.eye(3), b, assume_a="pos", lower=True), A, B
    ),
    "solve, triangular": (lambda m, a, b: m.solve(a, b, assume_a="upper triangular"), A, B),
    "upper": (lambda m, a, b: m.solve_triangular(a, b), A, B),
    "lower": (lambda m, a, b: m.solve_triangular(a, b, lower=True), A, V),
    "turned": (lambda m, a, b: m.solve_triangular(a, b, trans="T", lower=True), A, V),
    "unit": (lambda m, a, b: m.solve_triangular(a, b, unit_diagonal=True), A, B),
    "cholesky": (lambda m, a: m.cholesky(a @ a.T), A),
    "cholesky, lower": (lambda m, a: m.cholesky(a @ a.T, lower=True), A),
    "cho_solve": (lambda m, a, b: m.cho_solve(m.cho_factor(a @ a.T), b), A, B),
    "cho_solve, lower": (lambda m, a, b: m.cho_solve(m.cho_factor(a @ a.T, lower=True), b), A, V),
    "solve_sylvester": (lambda m, a, b, q: m.solve_sylvester(a, np.eye(2) + b[:2], q), A, B, B),
    "solve_banded": (lambda m, ab, b: m.solve_banded((1, 1), ab + MIDDLE, b), A, V),
    "lu": (lambda m, a: m.lu(a)[1:], A),
    "lu, wide": (lambda m, a: m.lu(a)[2], B.T),
    "lu, tall": (lambda m, a: m.lu(a, permute_l=True)[0], B),
    "inv": (lambda m, a: m.inv(a), A),
    "det": (lambda m, a: m.det(a), A / 3),
    "pinv": (lambda m, a: m.pinv(a), B),
    "eigh": (lambda m, a: m.eigh(a @ a.T, eigvals_only=True), A),
    "eigh of two": (lambda m, a, b: m.eigh(a @ a.T, b @ b.T, eigvals_only=True), A, A + 1.0),
    "eigh of upper triangles": (
        lambda m, a, b: m.eigh(a, b + 9 * np.eye(3), lower=False, eigvals_only=True), A, A + 1.0
    ),
    "vectors of eigh of two": (lambda m, a, b: m.eigh(a @ a.T, b @ b.T)[1] ** 2, A, A + 1.0),
    "eigvalsh": (lambda m, a: m.eigvalsh(a @ a.T), A),
    "svdvals": (lambda m, a: m.svdvals(a), A),
    "svd": (lambda m, a: m.svd(a, full_matrices=False)[0] ** 2, B),
    "norm": (lambda m, a: m.norm(a), A),
    "norm by axis": (lambda m, a: m.norm(a, 1, axis=0), A),
    "block_diag": (lambda m, a, b: m.block_diag(a, 2.0, b), A, V),
    "toeplitz": (lambda m, a: m.toeplitz(a), V),
    "toeplitz of two": (lambda m, a, b: m.toeplitz(a, b[:, 0]), V, B),
    "circulant": (lambda m, a: m.circulant(a), V),
    "hankel": (lambda m, a: m.hankel(a), V),
    "hankel of two": (lambda m, a, b: m.hankel(a, b[:, 1]), V, B),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f, *arguments = CASES[name]
    tracked = [qd.tensor(a, requires_grad=True) for a in arguments]
    want = f(theirs, *arguments)
    found = f(linalg, *tracked)
    for got, one in zip(
        *((x if isinstance(x, tuple) else (x,)) for x in (found, want)), strict=True
    ):
        close(got.detach(), one, rtol=1e-10, atol=1e-12)
    close(f(linalg, *arguments), want, rtol=1e-13)
    loss = lambda *xs: spread(f(linalg, *xs))
    assert qd.gradgradcheck(loss, *arguments)


def test_batches_and_compiled():
    many = np.stack([A / 3, A / 4])
    close(linalg.expm(qd.tensor(many, requires_grad=True)).detach(), theirs.expm(many))
    close(qd.vmap(linalg.expm)(many), theirs.expm(many))
    f = qd.grad(lambda a: np.sum(linalg.expm(a)))
    close(qd.jit(f)(A / 3), f(A / 3))


def test_complex_matrices():
    z = (A + 1j * A.T) / 4
    assert qd.gradcheck(lambda z: np.sum(np.abs(linalg.expm(z)) ** 2), z)


def test_lifted():
    import scipy.linalg

    f = lambda t: np.sum(scipy.linalg.expm(t * A / 3))
    close(qd.grad(f, numpy="lift")(1.0), np.sum(A / 3 @ theirs.expm(A / 3)), rtol=1e-10)
