"""Eigenvalues and singular values that coincide or vanish: right, or refused with the reason."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import NotDifferentiableError

L = np.linalg


def normal(*shape, kind="f", seed=0):
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "c" else x


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def unitary(n, kind="f", seed=0):
    return L.qr(normal(n, n, kind=kind, seed=seed))[0]


def with_eigenvalues(w, kind="f"):
    v = unitary(len(w), kind)
    a = (v * w) @ adjoint(v)
    return (a + adjoint(a)) / 2


def with_singular_values(s, m, n, kind="f"):
    u, v = unitary(m, kind), unitary(n, kind, seed=1)
    return (u[:, : len(s)] * s) @ adjoint(v)[: len(s)]


def hermitian(n, kind="f", seed=7):
    x = normal(n, n, kind=kind, seed=seed)
    return x + adjoint(x)


def inner(a, b):
    return np.sum(np.real(np.conj(a) * b))


def matrix_function(f, a):
    w, v = L.eigh(a)
    return (v * f(w)) @ adjoint(v)


def second(f, df, ddf, w):
    """Divided differences of f': (f'(x) - f'(y)) / (x - y), and f'' where x = y."""
    x, y = w[:, None], w[None, :]
    same = np.abs(x - y) < 1e-9
    return np.where(same, ddf((x + y) / 2), (df(x) - df(y)) / np.where(same, 1, x - y))


FUNCTIONS = {
    "entropy": (lambda w: w * np.log(w), lambda w: np.log(w) + 1, lambda w: 1 / w),
    "square": (lambda w: w**2, lambda w: 2 * w, lambda w: 2 + 0 * w),
    "log": (np.log, lambda w: 1 / w, lambda w: -1 / w**2),
    "sum": (lambda w: w, lambda w: 1 + 0 * w, lambda w: 0 * w),
}
SPECTRA = [[2.0, 2.0, 2.0], [1.0, 1.0, 3.0], [0.5, 0.5, 2.0, 2.0], [1.0, 2.0, 3.0]]
KINDS = ["f", "c"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_symmetric_functions_of_eigenvalues(name, spectrum, kind):
    f, df, ddf = FUNCTIONS[name]
    a = with_eigenvalues(spectrum, kind)
    w, v = L.eigh(a)
    loss = lambda z: np.sum(f(L.eigvalsh(z)))
    np.testing.assert_allclose(qd.grad(loss)(a), matrix_function(df, a), atol=1e-12)
    d = hermitian(len(spectrum), kind)
    np.testing.assert_allclose(qd.jvp(loss, (a,), (d,))[1], inner(qd.grad(loss)(a), d))
    m = adjoint(v) @ d @ v
    want = v @ (second(f, df, ddf, w) * m) @ adjoint(v)
    np.testing.assert_allclose(qd.hvp(loss, a, d), want, atol=1e-11)
    if kind == "f":
        h = np.einsum("ijkl,kl->ij", qd.hessian(loss)(a), d)
        np.testing.assert_allclose(h, want, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_of_eigenvalues_is_the_trace_in_every_mode(kind):
    a = with_eigenvalues([1.0, 1.0, 2.0], kind)
    for f in (
        lambda z: np.sum(L.eigvalsh(z)),
        lambda z: np.sum(L.eigh(z).eigenvalues),
        lambda z: np.real(np.sum(L.eigvals(z))),
    ):
        np.testing.assert_allclose(qd.grad(f)(a), np.eye(3), atol=1e-13)
    f = lambda z: np.sum(L.eigvalsh(z))
    d = hermitian(3, kind)
    for twice in (
        qd.vjp(qd.grad(f), a)[1](d)[0],
        qd.jvp(qd.grad(f), (a,), (d,))[1],
        qd.jvp(lambda z: qd.jvp(f, (z,), (a,))[1], (a,), (a,))[1],
    ):
        np.testing.assert_allclose(twice, 0 * twice, atol=1e-12)


def test_a_tie_of_eigenvalues_shares():
    a = with_eigenvalues([1.0, 2.0, 2.0])
    v = L.eigh(a).eigenvectors
    for f in (lambda z: L.eigvalsh(z)[2], lambda z: L.eigh(z)[0][2], lambda z: L.norm(z, 2)):
        np.testing.assert_allclose(qd.grad(f)(a), v[:, 1:] @ v[:, 1:].T / 2, atol=1e-12)
    d = hermitian(3)
    f = lambda z: L.eigvalsh(z)[2]
    central = (f(a + 1e-6 * d) - f(a - 1e-6 * d)) / 2e-6
    assert np.isclose(inner(qd.grad(f)(a), d), central, atol=1e-6)


def test_forward_mode_follows_the_branches():
    a = with_eigenvalues([1.0, 2.0, 2.0])
    d = hermitian(3)
    _, v = L.eigh(a)
    branches = L.eigvalsh(v[:, 1:].T @ d @ v[:, 1:])
    _, dw = qd.jvp(L.eigvalsh, (a,), (d,))
    np.testing.assert_allclose(dw[1:], branches)
    np.testing.assert_allclose(dw, (L.eigvalsh(a + 1e-7 * d) - L.eigvalsh(a)) / 1e-7, atol=1e-5)
    s = with_singular_values([2.0, 2.0, 1.0], 3, 4)
    e = normal(3, 4, seed=3)
    _, ds = qd.jvp(L.svdvals, (s,), (e,))
    np.testing.assert_allclose(ds, (L.svdvals(s + 1e-7 * e) - L.svdvals(s)) / 1e-7, atol=1e-5)


def test_a_linear_map_shares():
    a, d = with_eigenvalues([1.0, 2.0, 2.0]), hermitian(3)
    _, df = qd.linearize(L.eigvalsh, a)
    np.testing.assert_allclose(df(2 * d), 2 * df(d))
    ct = normal(3)
    np.testing.assert_allclose(inner(df(d), ct), inner(qd.vjp(L.eigvalsh, a)[1](ct)[0], d))


def test_an_eigenvalue_apart_from_a_tie_in_every_mode():
    a = with_eigenvalues([1.0, 1.0, 3.0])
    _, v = L.eigh(a)
    top, rest = v[:, 2], v[:, :2]
    d = hermitian(3)
    f = lambda z: L.eigvalsh(z)[2]
    want = rest @ (rest.T @ d @ top) / (3.0 - 1.0)
    want = np.outer(want, top) + np.outer(top, want)
    np.testing.assert_allclose(qd.jvp(qd.grad(f), (a,), (d,))[1], want, atol=1e-12)
    np.testing.assert_allclose(qd.vjp(qd.grad(f), a)[1](d)[0], want, atol=1e-12)


def differences(f, a, basis):
    h = 1e-5
    return np.array([(f(a + h * d) - f(a - h * d)) / (2 * h) for d in basis])


def matches_differences(f, a, kind="f", count=6, symmetric=True):
    n = a.shape[-1]
    ds = [hermitian(n, kind, seed=k) if symmetric else normal(*a.shape, kind=kind, seed=k)
          for k in range(count)]  # fmt: skip
    g = qd.grad(f)(a)
    got = [inner(g, d) for d in ds]
    np.testing.assert_allclose(got, differences(f, a, ds), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_projectors(kind):
    a, c = with_eigenvalues([1.0, 1.0, 3.0, 3.0], kind), hermitian(4, kind, seed=9)

    def onto_the_first_two(z):
        v = L.eigh(z).eigenvectors[:, :2]
        return np.real(np.sum(c * np.conj(v @ adjoint(v))))

    def sign(z):
        w, v = L.eigh(z)
        return np.real(np.sum(c * np.conj((v * np.sign(w - 2.0)) @ adjoint(v))))

    for f in (onto_the_first_two, sign):
        matches_differences(f, a, kind)
    matches_differences(lambda z: onto_the_first_two(z) + np.sum(L.eigvalsh(z) ** 2), a, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_principal_components_beside_a_tie(kind):
    """Low rank: the eigenvalues that are zero coincide, and are not used."""
    x = normal(2, 5, kind=kind)
    a, c = adjoint(x) @ x, hermitian(5, kind, seed=9)

    def f(z):
        w, v = L.eigh(z)
        v = v[:, -2:]
        return np.real(np.sum(c * np.conj((v * np.sqrt(w[-2:])) @ adjoint(v))))

    matches_differences(f, a, kind)
    g = lambda x: f(adjoint(x) @ x)
    d = normal(2, 5, kind=kind, seed=4)
    assert np.isclose(qd.jvp(g, (x,), (d,))[1], inner(qd.grad(g)(x), d))


def test_tensors_and_batches():
    tie, other = with_eigenvalues([1.0, 1.0, 3.0]), hermitian(3)
    c = hermitian(3, seed=9)

    def f(z):
        w, v = L.eigh(z)
        return np.sum(c * ((v[:, 2:] * np.exp(w[2:])) @ v[:, 2:].T))

    t = qd.tensor(tie, requires_grad=True)
    f(t).backward()
    np.testing.assert_allclose(t.grad.numpy(), qd.grad(f)(tie), atol=1e-14)
    stack = np.stack([tie, other])
    np.testing.assert_allclose(
        qd.vmap(qd.grad(f))(stack), [qd.grad(f)(tie), qd.grad(f)(other)], atol=1e-12
    )
    np.testing.assert_allclose(
        qd.grad(lambda z: np.sum(qd.vmap(f)(z)))(stack), qd.vmap(qd.grad(f))(stack), atol=1e-12
    )
    loss = lambda z: np.sum(np.exp(L.eigvalsh(z)))
    hessians = qd.vmap(qd.hessian(loss))(stack)
    np.testing.assert_allclose(hessians[0], qd.hessian(loss)(tie), atol=1e-12)


def test_rows_of_a_jacobian_and_a_second_sweep():
    tie, d = with_eigenvalues([0.0, 0.0, 1.0, 3.0]), hermitian(4)

    def low_rank(z):
        w, v = L.eigh(z)
        return (v[:, 2:] * np.exp(w[2:])) @ v[:, 2:].T

    def truncated(z):
        u, s, vh = L.svd(z)
        return (u[:, :2] * s[:2]) @ vh[:2]

    for f in (low_rank, truncated):
        want = (f(tie + 1e-6 * d) - f(tie - 1e-6 * d)) / 2e-6
        got = np.einsum("ijkl,kl->ij", qd.jacrev(f)(tie), d)
        np.testing.assert_allclose(got, want, atol=1e-7)
        t = qd.tensor(tie, requires_grad=True)
        (g,) = qd.grad(np.sum(f(t) ** 2), [t], create_graph=True)
        want = qd.grad(lambda z, f=f: np.sum(f(z) ** 2))(tie)
        np.testing.assert_allclose(g.detach().numpy(), want, atol=1e-12)


def test_a_lane_that_a_mask_drops_may_be_a_tie():
    stack = np.stack([np.eye(3), np.diag([1.0, 2.0, 3.0])])

    def f(z):
        w, v = L.eigh(z)
        lanes = np.einsum("bij,bj,bkj->bik", v, np.sin(w), v)[:, 0, 1]
        return np.sum(np.where(np.array([False, True]), lanes, 0.0))

    g = qd.grad(f)(stack)
    np.testing.assert_array_equal(g[0], np.zeros((3, 3)))
    slope = (np.sin(2.0) - np.sin(1.0)) / 2
    np.testing.assert_allclose(g[1], slope * (np.eye(3)[[1, 0, 2]] - np.diag([0, 0, 1])))


MIXTURE = r"eigh: the value 1 occurs . times, and the result uses it together with its eigenvectors"


def by_vectors(f):
    def function(z):
        w, v = L.eigh(z)
        return (v * f(w)) @ adjoint(v)

    return function


@pytest.mark.parametrize("f", [np.sqrt, np.log, np.exp], ids=lambda f: f.__name__)
def test_a_matrix_function_by_eigenvectors_is_refused_at_a_tie_and_never_wrong(f):
    for a in (np.eye(3), with_eigenvalues([1.0, 1.0, 2.0])):
        for weights in (np.eye(3), np.ones((3, 3)), np.eye(3)[[1, 0, 2]], np.diag([1.0, 0, 0])):
            loss = lambda z, c=weights: np.sum(c * by_vectors(f)(z))
            with pytest.raises(NotDifferentiableError, match=MIXTURE):
                qd.grad(loss)(a)
        with pytest.raises(NotDifferentiableError, match="the direction moves it apart"):
            qd.jvp(by_vectors(f), (a,), (hermitian(3),))
    apart = with_eigenvalues([1.0, 1.5, 2.0])
    matches_differences(lambda z: np.sum(np.ones((3, 3)) * by_vectors(f)(z)), apart)


def test_a_direction_that_keeps_a_tie_together():
    a = with_eigenvalues([1.0, 1.0, 2.0])
    _, got = qd.jvp(by_vectors(np.exp), (a,), (a,))  # along a itself: f(a + t a)
    np.testing.assert_allclose(got, matrix_function(lambda w: w * np.exp(w), a), atol=1e-12)


def test_refusals():
    a, d = with_eigenvalues([1.0, 1.0, 2.0]), hermitian(3)
    # A basis that rounding chose may hide from one element that it is free, but not from a vector:
    # the elements of one do not all stand still while the basis turns.
    tied = np.argmin(np.abs(L.eig(a).eigenvalues - 1))  # LAPACK promises eig no order
    for vector, kind in (
        (lambda z: L.eigh(z).eigenvectors[:, 0], "eigenvectors"),
        (lambda z: np.real(L.eig(z).eigenvectors[:, tied]), "eigenvectors"),
        (lambda z: L.svd(z).Vh[1], "singular vectors"),
    ):
        with pytest.raises(NotDifferentiableError, match=f"basis of its {kind}"):
            qd.jacrev(vector)(a)
    with pytest.raises(NotDifferentiableError, match=r"use np\.linalg\.eigvalsh"):
        qd.jvp(lambda z: L.eigh(z)[1], (a,), (d,))
    loss = lambda z: np.sum(np.exp(L.eigvalsh(z)))
    with pytest.raises(NotDifferentiableError, match="forward over reverse mode"):
        qd.vjp(qd.grad(loss), a)[1](d)
    with pytest.raises(NotDifferentiableError, match="derivatives of this order"):
        qd.hessian(lambda z: np.sum(L.svdvals(z) ** 2))(with_singular_values([1.0], 2, 2))
    with pytest.raises(NotDifferentiableError, match="defective"):
        qd.grad(lambda z: np.real(L.eigvals(z)[0]))(np.array([[1.0, 1.0], [0.0, 1.0]]))


# Singular values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
@pytest.mark.parametrize("values", [[2.0, 2.0, 2.0], [3.0, 1.0, 1.0]], ids=str)
def test_symmetric_functions_of_singular_values(shape, values, kind):
    a, d = with_singular_values(values, *shape, kind), normal(*shape, kind=kind, seed=3)
    squares = lambda z: np.sum(L.svdvals(z) ** 2)
    np.testing.assert_allclose(qd.grad(squares)(a), 2 * a, atol=1e-12)
    np.testing.assert_allclose(qd.hvp(squares, a, d), 2 * d, atol=1e-11)
    logs = lambda z: np.sum(np.log(L.svdvals(z)))
    gram = lambda z: L.slogdet(z @ adjoint(z) if shape[0] < shape[1] else adjoint(z) @ z)[1] / 2
    np.testing.assert_allclose(qd.grad(logs)(a), qd.grad(gram)(a), atol=1e-12)
    np.testing.assert_allclose(qd.hvp(logs, a, d), qd.hvp(gram, a, d), atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
def test_nuclear_norm_at_a_tie_to_third_order(shape, kind):
    a = with_singular_values([2.0, 2.0, 1.0], *shape, kind)
    d, e = (normal(*shape, kind=kind, seed=k) for k in (3, 4))
    f = lambda z: L.norm(z, "nuc")
    u, _, vh = L.svd(a, full_matrices=False)
    np.testing.assert_allclose(qd.grad(f)(a), u @ vh, atol=1e-12)
    first = lambda t: inner(qd.grad(f)(a + t * d), e)
    twice = lambda t: inner(qd.vjp(qd.grad(f), a + t * d)[1](d)[0], e)
    h = 1e-5
    for got, want in (
        (inner(qd.vjp(qd.grad(f), a)[1](d)[0], e), (first(h) - first(-h)) / (2 * h)),
        (inner(qd.jvp(qd.grad(f), (a,), (d,))[1], e), (first(h) - first(-h)) / (2 * h)),
        (qd.grad(twice)(0.0), (twice(h) - twice(-h)) / (2 * h)),
        (qd.jvp(twice, (0.0,), (1.0,))[1], (twice(h) - twice(-h)) / (2 * h)),
    ):
        assert np.isclose(got, want, rtol=1e-7, atol=1e-7)
    s = lambda z: np.sum(L.svdvals(z))  # the same sum by the values themselves, to second order
    np.testing.assert_allclose(qd.grad(s)(a), u @ vh, atol=1e-12)
    np.testing.assert_allclose(qd.vjp(qd.grad(s), a)[1](d)[0], qd.hvp(f, a, d), atol=1e-11)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
def test_singular_values_that_are_zero(shape):
    a = with_singular_values([2.0, 2.0], *shape)
    u, _, vh = L.svd(a, full_matrices=False)
    kept = u[:, :2] @ vh[:2]
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, "nuc"))(a), kept, atol=1e-12)
    np.testing.assert_allclose(qd.grad(lambda z: np.sum(L.svdvals(z)))(a), kept, atol=1e-12)
    np.testing.assert_allclose(qd.grad(lambda z: np.sum(L.svdvals(z) ** 2))(a), 2 * a, atol=1e-12)
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, -2))(a), 0 * a)
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, 2))(a), kept / 2, atol=1e-12)
    c = normal(*shape, seed=5)

    def truncated(z):
        u, s, vh = L.svd(z, full_matrices=False)
        return np.sum(c * ((u[:, :2] * s[:2]) @ vh[:2]))

    def whole(z):
        u, s, vh = L.svd(z, full_matrices=False)
        return np.sum(c * ((u * s) @ vh))

    with pytest.raises(NotDifferentiableError, match=r"svd: the value .* uses it together"):
        qd.grad(truncated)(a)  # the two that are equal are used with their vectors
    b = with_singular_values([2.0, 1.0], *shape)
    matches_differences(truncated, b, symmetric=False)
    with pytest.raises(NotDifferentiableError, match="occurs once, and the result uses it"):
        qd.grad(whole)(b)


def test_the_polar_factor_by_vectors_at_a_tie():
    c = normal(3, 3, seed=5)

    def f(z):
        u, _, vh = L.svd(z)
        return np.sum(c * (u @ vh))

    matches_differences(f, with_singular_values([2.0, 2.0, 1.0], 3, 3), symmetric=False)


def test_norms_and_condition_at_the_identity():
    eye = np.eye(3)
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, 2))(eye), eye / 3, atol=1e-15)
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, -2))(eye), eye / 3, atol=1e-15)
    np.testing.assert_allclose(qd.grad(lambda z: L.norm(z, "nuc"))(eye), eye, atol=1e-15)
    np.testing.assert_allclose(qd.grad(L.cond)(eye), 0 * eye, atol=1e-15)


# Any matrix


@pytest.mark.parametrize("kind", KINDS)
def test_general_eigenvalues_at_a_tie(kind):
    v = normal(3, 3, kind=kind) + 2 * np.eye(3)
    a = v @ np.diag([1.0, 1.0, 3.0]) @ L.inv(v)
    c = normal(3, 3, seed=5)
    loss = lambda z: np.real(np.sum(L.eigvals(z) ** 3))
    np.testing.assert_allclose(qd.grad(loss)(a), 3 * adjoint(a @ a), rtol=1e-9, atol=1e-9)

    def projector(z):
        w, v = L.eig(z)
        keep = np.abs(w - 1) < 0.5
        return np.real(np.sum(c * ((v * keep) @ L.inv(v))))

    matches_differences(projector, a, kind, symmetric=False)

    def square(z):
        w, v = L.eig(z)
        return np.real(np.sum(c * ((v * w**2) @ L.inv(v))))

    with pytest.raises(NotDifferentiableError, match=r"eig: .*uses it together"):
        qd.grad(square)(a)
    with pytest.raises(NotDifferentiableError, match=r"eig: .*the direction moves it apart"):
        qd.jvp(square, (a,), (c + 0 * a,))


def test_rounding_in_single_precision():
    a = with_eigenvalues([1.0, 1.0, 1.0, 3.0]).astype(np.float32)
    g = qd.grad(lambda z: np.sum(np.exp(L.eigvalsh(z))))(a)
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, matrix_function(np.exp, a), rtol=1e-4, atol=1e-5)


def test_close_values_that_differ_are_apart():
    a = np.diag([1.0, 1.0 + 1e-10])
    d = np.array([[0.0, 1.0], [1.0, 0.0]])
    _, dv = qd.jvp(lambda z: L.eigh(z)[1], (a,), (d,))
    np.testing.assert_allclose(np.abs(dv), 1e10 * d, rtol=1e-5)


def test_the_rank_is_a_constant_whatever_the_order():
    f = lambda x: L.matrix_rank(x) * np.sum(x**2)
    x = np.eye(3)
    for hessian in (qd.jacfwd(qd.jacfwd(f)), qd.jacrev(qd.jacrev(f)), qd.hessian(f)):
        np.testing.assert_array_equal(hessian(x).reshape(9, 9), 6 * np.eye(9))
