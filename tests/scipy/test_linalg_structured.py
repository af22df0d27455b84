"""Systems with structure, pseudo-inverses, general eigenvalues: SciPy's values, to second order."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from directions import agrees

theirs = pytest.importorskip("scipy.linalg")
linalg = qd.scipy.linalg


def normal(*shape, kind="f", seed=0):
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "c" else x


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


V, B = normal(4, seed=1), normal(4, 2, seed=2)
HIGH = 5 * np.array([[0.0], [0.0], [1.0]])  # on the main diagonal, stored last or first
CASES = {
    "toeplitz": (lambda m, c, b: m.solve_toeplitz(c, b), (4,), V),
    "toeplitz of two": (lambda m, c, b: m.solve_toeplitz((c, c[::-1] ** 2), b), (4,), B),
    "matmul_toeplitz": (lambda m, c, b: m.matmul_toeplitz((c, np.sin(c)), b), (4,), B),
    "solve_banded": (
        lambda m, ab, b: m.solve_banded((1, 1), ab + 9 * HIGH[[0, 2, 1]], b), (3, 4), B
    ),
    "solveh_banded": (lambda m, ab, b: m.solveh_banded(ab + HIGH, b), (3, 4), V),
    "solveh_banded, lower": (
        lambda m, ab, b: m.solveh_banded(ab + HIGH[::-1], b, lower=True), (3, 4), B
    ),
    "cholesky_banded": (lambda m, ab, b: m.cholesky_banded(ab + HIGH), (3, 4), V),
    "cholesky_banded, lower": (
        lambda m, ab, b: m.cholesky_banded(ab + HIGH[::-1], lower=True), (3, 4), V
    ),
    "cho_solve_banded": (lambda m, cb, b: m.cho_solve_banded((cb + HIGH, False), b), (3, 4), B),
    "cho_solve_banded, lower": (
        lambda m, cb, b: m.cho_solve_banded((cb + HIGH[::-1], True), b), (3, 4), V
    ),
    "continuous Lyapunov": (
        lambda m, a, b: m.solve_continuous_lyapunov(a + 3 * np.eye(4), b @ adjoint(b)), (4, 4), B
    ),
    "discrete Lyapunov": (
        lambda m, a, b: m.solve_discrete_lyapunov(a / 5, b @ adjoint(b)), (4, 4), B
    ),
    "inv of a triangle": (lambda m, a, b: m.inv(a, assume_a="her", lower=True), (4, 4), V),
    "pinvh": (lambda m, a, b: m.pinvh(a), (4, 4), V),
    "pinvh, upper": (lambda m, a, b: m.pinvh(a, lower=False), (4, 4), V),
    "pinvh of rank 2": (lambda m, a, b: m.pinvh(a @ adjoint(a)), (4, 2), V),
    "pinv of rank 2": (lambda m, a, b: m.pinv(a @ b.T), (4, 2), B),
    "lstsq": (lambda m, a, b: m.lstsq(a, b)[0], (4, 2), B),
    "residues of lstsq": (lambda m, a, b: np.real(m.lstsq(a, b)[1]), (4, 2), B),
    "lstsq, wide": (lambda m, a, b: m.lstsq(a, b[:2])[0], (2, 4), B),
    "eigvals": (lambda m, a, b: np.sort_complex(m.eigvals(a)), (4, 4), V),
    "eig": (lambda m, a, b: m.eig(a), (4, 4), V),
}  # fmt: skip
REAL = {"cholesky_banded, lower", "cholesky_banded"}  # SciPy ignores what a diagonal cannot be


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name, kind):
    f, shape, b = CASES[name]
    a = normal(*shape, kind=kind)
    if "h_banded" in name or name in REAL:
        a[-1 if "lower" not in name else 0] = a[-1 if "lower" not in name else 0].real
    agrees(lambda a, b: f(linalg, a, b), f(theirs, a, b), a, b, tolerance=1e-5)


@pytest.mark.parametrize("kind", ["f", "c"])
def test_eigenvalues_of_two_matrices(kind):
    a, b = normal(3, 3, kind=kind), normal(3, 3, kind=kind, seed=4) + 3 * np.eye(3)
    power = lambda m, a, b: np.sum(m.eigvals(a, b) ** 3)
    agrees(lambda a, b: power(linalg, a, b), power(theirs, a, b), a, b)


def test_the_rank_that_a_tolerance_leaves():
    a = np.diag([3.0, 1.0, 1e-3])
    t = qd.tensor(a, requires_grad=True)
    for f in ("pinv", "pinvh"):
        for options in ({}, {"atol": 0.01}, {"rtol": 0.5}, {"atol": 1.0, "rtol": 0.1}):
            found, rank = getattr(linalg, f)(t, return_rank=True, **options)
            want, right = getattr(theirs, f)(a, return_rank=True, **options)
            assert rank == right
            np.testing.assert_allclose(found.detach().numpy(), want, atol=1e-12)


@pytest.mark.parametrize("name", ["pinv", "pinvh"])
def test_pseudo_inverses_in_batches_and_compiled(name):
    f, many = getattr(linalg, name), normal(2, 3, 3)
    slope = qd.grad(lambda a: np.sum(f(a) ** 2))
    close(qd.vmap(slope)(many)[1], slope(many[1]), rtol=1e-10)
    close(qd.jit(slope)(many[1]), slope(many[1]), rtol=1e-10)
