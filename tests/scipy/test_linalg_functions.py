"""Functions of matrices, at repeated eigenvalues and without enough eigenvectors too."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from directions import agrees, differentiates
from qiudao.core.errors import GradientError, NotDifferentiableError

theirs = pytest.importorskip("scipy.linalg")
linalg = qd.scipy.linalg


def normal(*shape, kind="f", seed=0):
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "c" else x


def regular(kind="f"):
    return normal(3, 3, kind=kind) / 3 + 2 * np.eye(3)


NAMES = ["expm", "logm", "sqrtm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm", "signm"]


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("name", NAMES)
def test_functions(name, kind):
    a, f = regular(kind) / 2, getattr(linalg, name)
    agrees(f, getattr(theirs, name)(a), a)
    d = normal(3, 3, seed=5)
    close(qd.linearize(f, a)[1](d), qd.jvp(f, (a,), (d + 0 * a,))[1], rtol=1e-10)


def test_signs_of_both_kinds():
    a = normal(3, 3) - 0.5 * np.eye(3)
    agrees(linalg.signm, theirs.signm(a), a)


FUNCTIONS = {
    "exp": (np.exp, "expm"), "log": (np.log, "logm"), "sqrt": (np.sqrt, "sqrtm"),
    "sin": (np.sin, "sinm"),
}  # fmt: skip
FORMS = {
    "simple": np.diag([0.5, 1.0, 2.0, 3.0]),
    "a tie": np.diag([1.0, 1.0, 2.0, 3.0]),
    "a multiple of the identity": 2 * np.eye(4),
    "a Jordan block": np.diag([1.0, 1.0, 1.0, 2.0]) + np.diag([1.0, 1.0, 0.0], 1),
    "two Jordan blocks": np.diag([1.0, 1.0, 2.0, 2.0]) + np.diag([1.0, 0.0, 1.0], 1),
    "close": np.diag([1.0, 1.0 + 1e-9, 1.0 - 1e-7, 1.05]),
}
EXACT = 1e-9


def with_form(J, seed=1):
    v = normal(4, 4, seed=seed) + 3 * np.eye(4)
    return v @ J @ np.linalg.inv(v)


def relative(found, wanted):
    return np.max(np.abs(found - wanted)) / np.max(np.abs(wanted))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_ours_whatever_the_multiplicity(name, form):
    f, known = FUNCTIONS[name]
    a, d, c = with_form(FORMS[form]), normal(4, 4, seed=3), normal(4, 4, seed=4)
    ours, other = lambda a: linalg.funm(a, f), getattr(linalg, known)
    tracked = qd.tensor(a, requires_grad=True)
    assert relative(ours(tracked).detach().numpy(), getattr(theirs, known)(a)) < EXACT
    assert relative(qd.jvp(ours, (a,), (d,))[1], qd.jvp(other, (a,), (d,))[1]) < EXACT
    loss = lambda g: lambda a: np.sum(c * np.sin(g(a)))
    assert relative(qd.grad(loss(ours))(a), qd.grad(loss(other))(a)) < EXACT
    assert relative(qd.hvp(loss(ours), a, d), qd.hvp(loss(other), a, d)) < 1e-8


@pytest.mark.parametrize("form", FORMS)
def test_derivatives_are_those_of_the_trace(form):
    """D tr f(A) = f'(A)^T, whatever the multiplicity."""
    a = with_form(FORMS[form])
    for name, slope in (
        ("expm", theirs.expm),
        ("logm", np.linalg.inv),
        ("sqrtm", lambda a: np.linalg.inv(theirs.sqrtm(a)) / 2),
        ("sinm", theirs.cosm),
        ("coshm", theirs.sinhm),
    ):
        f = getattr(linalg, name)
        found = qd.grad(lambda a, f=f: np.trace(f(a)))(a)
        assert relative(found, slope(a).T) < EXACT
    d = normal(4, 4, seed=3)
    twice = qd.hvp(lambda a: np.trace(linalg.expm(a)), a, d)
    assert relative(twice, theirs.expm_frechet(a, d)[1].T) < EXACT


@pytest.mark.parametrize("kind", ["f", "c"])
def test_functions_of_symmetric_matrices_at_a_tie(kind):
    """f(A) of a matrix with a tie, where eigenvectors have no derivative (Daleckii and Krein)."""
    q = np.linalg.qr(normal(4, 4, kind=kind))[0]
    w = np.array([1.0, 1.0, 2.0, 2.0])
    a, d = (q * w) @ np.conj(q.T), normal(4, 4, kind=kind, seed=7)
    d = d + np.conj(d.T)
    for name, f, df in (("logm", np.log, lambda w: 1 / w), ("expm", np.exp, np.exp)):
        same = w[:, None] == w
        steps = np.where(same, df(w), (f(w)[:, None] - f(w)) / np.where(same, 1, w[:, None] - w))
        want = q @ (steps * (np.conj(q.T) @ d @ q)) @ np.conj(q.T)
        found = qd.jvp(getattr(linalg, name), (a,), (d,))[1]
        assert relative(found, want) < EXACT


def test_funm_in_batches_and_of_complex_matrices():
    many = np.stack([regular(), 2 * regular()])
    cube = lambda a: linalg.funm(a, lambda w: w**3)
    close(
        qd.vmap(cube)(qd.tensor(many, requires_grad=True)).detach()[1], many[1] @ many[1] @ many[1]
    )
    z = regular("c")
    agrees(lambda z: linalg.funm(z, lambda w: w * np.exp(w)), z @ theirs.expm(z), z)
    a = many[0]
    agrees(lambda a: linalg.funm(a, np.tanh), theirs.funm(a, np.tanh), a)


def test_refusals_of_funm():
    a = regular()
    with pytest.raises(GradientError, match="funm: the function reads a value that carries"):
        qd.grad(lambda p: np.sum(linalg.funm(p * a, lambda w: w**p)))(2.0)
    with pytest.raises(GradientError, match="funm: the estimate of the error that disp=False"):
        qd.grad(lambda a: np.sum(linalg.funm(a, np.exp, disp=False)[0]))(a)
    for singular in (
        np.diag([0.0, 1.0]),
        np.array([[0.0, 1.0], [0.0, 0.0]]),
        np.array([[1e-9, 1.0], [0.0, 1e-7]]),
    ):
        with pytest.raises(NotDifferentiableError, match="funm: the function is singular at an"):
            qd.grad(lambda a: np.real(np.sum(linalg.funm(a, np.log))))(singular)
    near = np.array([[0.001, 1.0], [0.0, 0.09]])  # one series does not reach, two do
    found = linalg.funm(qd.tensor(near, requires_grad=True), np.log).detach().numpy()
    assert relative(found, theirs.logm(near)) < EXACT


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["logm", "sqrtm"])
@pytest.mark.parametrize("a", [np.diag([0.0, 1.0]), np.array([[0.0, 1.0], [0.0, 0.0]])], ids=str)
def test_roots_of_singular_matrices(name, a):
    f = getattr(linalg, name)
    with (
        pytest.warns(Warning, match="singular"),  # SciPy's own
        pytest.raises(NotDifferentiableError, match=f"{name}: the matrix is singular, and the"),
    ):
        qd.grad(lambda a: np.real(np.sum(f(a))))(a)


def test_powers():
    a = regular()
    want = np.real(theirs.fractional_matrix_power(a, 0.3))  # SciPy's is complex, of real numbers
    agrees(linalg.fractional_matrix_power, want, a, np.array(0.3))
    agrees(lambda a: linalg.fractional_matrix_power(a, -2), np.linalg.inv(a @ a), a)


def test_the_derivative_of_the_exponential_along_a_matrix():
    a, e = regular(), normal(3, 3, seed=2)
    agrees(linalg.expm_frechet, theirs.expm_frechet(a, e), a, e)
    differentiates(lambda a: np.sum(linalg.expm_frechet(a, e, compute_expm=False) ** 2), a)
