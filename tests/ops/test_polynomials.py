import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

P = np.array([1.5, -2.0, 0.5, 3.0])
Q = np.array([2.0, 1.0])


@pytest.mark.parametrize("f", [np.polymul, np.polyadd, np.polysub])
def test_two_polynomials(f):
    agree(f, P, Q)
    agree(f, Q, P)
    agree(f, P, P + 0.5j)
    agree(lambda p: f(p, 2.0), P)


def test_a_leading_zero_keeps_its_derivative():
    p = np.array([0.0, 1.0])
    g = qd.grad(lambda p: np.polyval(np.polymul(p, Q), 2.0))(p)
    np.testing.assert_allclose(g, [10.0, 5.0])


@pytest.mark.parametrize("m", [0, 1, 2, 4, 5])
def test_derivatives_and_integrals(m):
    agree(lambda p: np.polyder(p, m), P)
    agree(lambda p: np.polyint(p, m), P)
    if m:
        agree(lambda p, k: np.polyint(p, m, k), P, np.arange(1.0, m + 1), batched=False)
        agree(lambda p, k: np.polyint(p, m, k), P, np.float64(0.5), batched=False)


@pytest.mark.parametrize("x", [np.float64(0.7), np.linspace(-1, 1, 3), np.ones((2, 2)) * 0.3j])
def test_values(x):
    agree(np.polyval, P, x)
    assert qd.gradcheck(lambda p, x: np.abs(np.polyval(p, x)) ** 2, P, x, order=2)


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="polyder: m=-1"):
        qd.vjp(lambda p: np.polyder(p, -1), P)
    with pytest.raises(ValueError, match="polyint: 2 constants for m=3"):
        qd.vjp(lambda p: np.polyint(p, 3, [1.0, 2.0]), P)


AT = np.array([0.0, 1.0, 2.5, 3.0, 4.2])
Y = np.array([0.5, -2.5, 1.5, 0.3, 2.0])
WEIGHTS = np.array([1.0, 0.5, 2.0, 1.5, 0.7])


def test_fits():
    agree(lambda y: np.polyfit(AT, y, 2), Y)
    agree(lambda x, y: np.polyfit(x, y, 2), AT, Y)
    agree(lambda x, y, w: np.polyfit(x, y, 1, w=w), AT, Y, WEIGHTS)
    agree(lambda x, y, w: np.polyfit(x, y, 1, w=w), AT, np.stack([Y, Y**2], 1), WEIGHTS)
    agree(lambda x, y: np.polyfit(x, y, 1, rcond=1e-9), AT, Y)


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("cov", [True, "unscaled"])
@pytest.mark.parametrize("y", [Y, np.stack([Y, Y**2], 1)], ids=["one", "several"])
def test_covariances_of_fits(part, cov, y):
    agree(lambda x, y: np.polyfit(x, y, 1, w=WEIGHTS, cov=cov)[part], AT, y, batched=False)
    rows = np.stack([AT, 2 * AT])
    for x, found in zip(rows, qd.vmap(lambda x: np.polyfit(x, y, 1, cov=cov)[part])(rows)):
        np.testing.assert_allclose(found, np.polyfit(x, y, 1, cov=cov)[part], rtol=1e-9)


def test_what_is_found_beside_a_fit():
    found = np.polyfit(AT, qd.tensor(Y, requires_grad=True), 2, full=True)
    for got, want in zip(found, np.polyfit(AT, Y, 2, full=True), strict=True):
        got = got.detach() if isinstance(got, qd.Tensor) else got
        np.testing.assert_allclose(got, want, rtol=1e-9)


def test_a_fit_with_too_few_points_warns():
    x = qd.tensor([1.0, 1.0, 1.0], requires_grad=True)
    with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned"):
        np.polyfit(x, np.ones(3), 1)


def moments(p):
    """What the roots of a polynomial come to, in whatever order they stand."""
    found = np.roots(p)
    return np.real(np.stack([np.sum(found), np.sum(found**2), np.sum(found**3)]))


def test_roots():
    agree(moments, P)
    agree(moments, P + 0.5j)
    agree(lambda p: np.sort(np.roots(p).real), np.array([1.0, -6.0, 11.0, -6.0]), batched=False)
    rows = np.stack([P, P + 1.0])
    np.testing.assert_allclose(qd.jit(qd.vmap(moments))(rows), [moments(p) for p in rows])
    np.testing.assert_allclose(qd.jit(qd.grad(lambda p: moments(p)[2]))(P),
                               qd.grad(lambda p: moments(p)[2])(P))  # fmt: skip


def test_roots_of_coefficients_that_are_0():
    p = np.array([0.0, 0.0, 1.0, -3.0, 2.0, 0.0])
    agree(np.roots, p, batched=False)
    for f in (np.roots, lambda p: np.abs(np.roots(p))):
        np.testing.assert_allclose(qd.vmap(f)(np.stack([p, p])), [f(p), f(p)])
    some = np.array([[1.0, -3.0, 2.0], [1.0, -3.0, 0.0]])
    found = np.sort(qd.vmap(np.roots)(some), axis=1)
    np.testing.assert_allclose(found, [[1.0, 2.0], [0.0, 3.0]], atol=1e-14)
    np.testing.assert_allclose(
        qd.vmap(qd.grad(lambda p: np.sum(np.roots(p).real)))(some)[:, 1], -1.0
    )
    for none in (np.zeros(3), np.ones(1), np.zeros(0)):
        assert qd.vjp(np.roots, none)[0].shape == np.roots(none).shape
    assert qd.vmap(np.roots)(some[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="0 in some examples of the batch and not in others"):
        qd.vmap(np.roots)(np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 2.0]]))


def test_polynomials_from_roots():
    agree(np.poly, P)
    agree(np.poly, P + 0.5j)
    agree(np.poly, np.diag(P) + 0.3 * np.ones((4, 4)))
    agree(np.poly, np.array([[0.0, 1.0], [-1.0, 0.0]]))  # whose eigenvalues are a conjugate pair
    agree(np.poly, np.array([1 + 2j, 1 - 2j]), batched=False)  # and these are one
    for x in (P, np.diag(P) + 0.3 * np.ones((4, 4))):
        np.testing.assert_allclose(qd.jit(np.poly)(x), np.poly(x), rtol=1e-12)
    assert qd.vjp(np.poly, np.zeros(0))[0] == np.poly(np.zeros(0))


@pytest.mark.parametrize("part", range(2))
def test_division(part):
    divide = lambda u, v: np.polydiv(u, v)[part]
    for u, v in ((P, Q), (Q, P), (P, np.array([1.0, -2.0, 0.5])), (P, np.array([2.0]))):
        agree(divide, u, v)
        np.testing.assert_allclose(qd.jit(divide)(u, v), divide(u, v), rtol=1e-12)


def test_a_remainder_that_vanishes_in_all_examples_is_left_out():
    whole = np.polymul([1.0, 2.0, 3.0], [1.0, -1.0, 0.5])
    divide = lambda u: np.polydiv(u, np.array([1.0, -1.0, 0.5]))[1]
    assert qd.vmap(divide)(np.stack([whole, 2 * whole])).shape == (2, 1)
    mixed = np.stack([whole, whole + np.array([0.0, 0.0, 0.0, 1.0, 2.0])])
    np.testing.assert_allclose(qd.vmap(divide)(mixed), [[0.0, 0.0], [1.0, 2.0]], atol=1e-12)


@pytest.mark.parametrize(
    "act, text",
    [
        (lambda x: np.roots(x[None]), "roots: an array of 2 axes"),
        (lambda x: np.poly(x[None]), r"poly: an array of shape \(1, 4\)"),
        (lambda x: np.polyfit(x, P, -1), "polyfit: deg=-1"),
        (lambda x: np.polyfit(x, Q, 1), r"x of shape \(4,\) and y of shape \(2,\) do not fit"),
        (lambda x: np.polyfit(x[:0], Q, 1), r"x of shape \(0,\)"),
        (lambda x: np.polyfit(x, P, 1, w=Q), r"weights of shape \(2,\) for 4 points"),
        (lambda x: np.polyfit(x, P, 3, cov=True), "cov of 4 points and 4 coefficients"),
    ],
)
def test_what_does_not_fit_is_said(act, text):
    with pytest.raises((TypeError, ValueError), match=text):
        act(qd.tensor(P, requires_grad=True))
