"""`qd.scipy.special`: SciPy's names, and ours where a tensor is among the arguments."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import RuleError
from structure.source import run_python

theirs = pytest.importorskip("scipy.special")
special = pytest.importorskip("qiudao.scipy.special")

A = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.5]])
N = np.array([[0, 1, 2], [1, 3, 0]])
POSITIVE = np.abs(A) + 0.5

CALLS = {
    "logsumexp": (A, {}),
    "logsumexp axis": (A, {"axis": 1, "keepdims": True}),
    "logsumexp b": (A, {"axis": 0, "b": np.array([[1.0, 2.0, 0.0], [0.5, 1.0, 1.0]])}),
    "softmax": (A, {"axis": 1}),
    "softmax all": (A, {}),
    "log_softmax": (A, {"axis": 0}),
    "softplus": (A, {}),
    "sinc": (A, {}),
    "zeta": (POSITIVE + 1.0, {}),
    "factorial": (POSITIVE, {}),
}
CALLS_AFTER = {
    "polygamma": (2, POSITIVE),
    "polygamma 0": (0, POSITIVE),
    "comb": (5.5, POSITIVE),
    "comb N": (5, POSITIVE),
    "perm": (5.5, POSITIVE),
    "spherical_jn": (2, POSITIVE),
    "spherical_yn": (N, POSITIVE),
    "spherical_in": (1, POSITIVE),
    "spherical_kn": (1, POSITIVE),
    "jvp": (1.5, POSITIVE),
    "yvp": (2, POSITIVE),
    "ivp": (2, POSITIVE),
    "kvp": (2, POSITIVE),
    "h1vp": (2, POSITIVE),
    "h2vp": (2, POSITIVE),
}


def hold(ours, scipys, x):
    """The value is SciPy's, and the derivative that of its differences."""
    value = ours(qd.tensor(x, requires_grad=True)).detach().numpy()
    np.testing.assert_allclose(value, scipys(x), rtol=1e-13, atol=1e-15)
    d = np.cos(np.arange(x.size)).reshape(x.shape)
    step = 1e-5
    want = (scipys(x + step * d) - scipys(x - step * d)) / (2 * step)
    _, got = qd.jvp(ours, (x,), (d,))
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("label", CALLS)
def test_functions_of_one_argument(label):
    name = label.split()[0]
    x, options = CALLS[label]
    hold(
        lambda x: getattr(special, name)(x, **options),
        lambda x: getattr(theirs, name)(x, **options),
        x,
    )


@pytest.mark.parametrize("label", CALLS_AFTER)
def test_functions_of_an_order_first(label):
    name = label.split()[0]
    n, x = CALLS_AFTER[label]
    hold(lambda x: getattr(special, name)(n, x), lambda x: getattr(theirs, name)(n, x), x)


def test_multigammaln_and_lambertw():
    hold(
        lambda x: special.multigammaln(x, 3),
        lambda x: np.vectorize(lambda v: theirs.multigammaln(v, 3))(x),
        POSITIVE + 1.0,
    )
    hold(lambda x: np.real(special.lambertw(x)), lambda x: np.real(theirs.lambertw(x)), POSITIVE)


def test_hurwitz_zeta_is_differentiated_by_both():
    step = 1e-5
    by_s, by_q = qd.grad(special.zeta, argnums=(0, 1))(2.5, 1.5)
    z = theirs.zeta
    np.testing.assert_allclose(by_s, (z(2.5 + step, 1.5) - z(2.5 - step, 1.5)) / (2 * step), 1e-8)
    np.testing.assert_allclose(by_q, (z(2.5, 1.5 + step) - z(2.5, 1.5 - step)) / (2 * step), 1e-8)


def test_logsumexp_with_signs():
    b = np.array([1.0, -3.0, 0.5])
    x = np.array([0.1, 0.7, -0.2])
    want, sign = theirs.logsumexp(x, b=b, return_sign=True)
    got, found = special.logsumexp(qd.tensor(x, requires_grad=True), b=b, return_sign=True)
    assert sign == found
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-14)
    grad = qd.grad(lambda x: special.logsumexp(x, b=b, return_sign=True)[0])(x)
    np.testing.assert_allclose(grad, b * np.exp(x) / np.sum(b * np.exp(x)), rtol=1e-13)


@pytest.mark.parametrize("x", [[0.0, -50.0], [-np.inf, 1.0], [800.0, 801.0], [-1e4, -1e4]])
def test_logsumexp_at_extremes(x):
    x = np.array(x)
    t = qd.tensor(x, requires_grad=True)
    got = special.logsumexp(t)
    np.testing.assert_allclose(got.detach().numpy(), theirs.logsumexp(x), rtol=1e-15)
    np.testing.assert_allclose(qd.grad(got, t)[0].numpy(), theirs.softmax(x), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"])
def test_spherical_functions_of_negative_numbers(name, dtype):
    """Against SciPy's complex functions, which older versions have for negative numbers too."""
    ours, complex_ = getattr(special, name), getattr(theirs, name)
    x = np.array([-2.0, 0.7, -0.4, 3.0], dtype)
    close = 1e-12 if dtype is np.float64 else 1e-5
    for n in (0, 1, 2, 3):
        value = np.real(complex_(n, x.astype(complex)))
        slope = np.real(complex_(n, x.astype(complex), derivative=True))
        found = ours(n, qd.tensor(x)).numpy()
        assert found.dtype == dtype
        np.testing.assert_allclose(found, value, rtol=close)
        derivatives = [
            ours(n, qd.tensor(x), derivative=True).numpy(),
            qd.grad(lambda x, n=n: np.sum(ours(n, x)))(x),
            np.diagonal(qd.jacfwd(lambda x, n=n: ours(n, x))(x)),
            qd.vmap(qd.grad(lambda x, n=n: ours(n, x)))(x),
        ]
        for found in derivatives:
            np.testing.assert_allclose(found, slope, rtol=close, atol=close)
    if name in ("spherical_jn", "spherical_in"):
        assert qd.grad(lambda x: ours(1, x))(0.0) == pytest.approx(1 / 3)


def test_second_derivatives():
    x = np.array([0.3, -1.2, 2.0])
    p = theirs.softmax(x)
    np.testing.assert_allclose(
        qd.hessian(special.logsumexp)(x), np.diag(p) - np.outer(p, p), rtol=1e-12, atol=1e-16
    )


def test_compiled():
    pytest.importorskip("llvmlite")
    f = qd.grad(lambda x: np.sum(special.log_softmax(x, axis=1) * A))
    np.testing.assert_allclose(qd.jit(f)(A), f(A), rtol=1e-12)


def test_all_names_are_scipys():
    assert special.__all__ == sorted({*theirs.__all__})
    assert special.gammaln is theirs.gammaln
    assert special.logsumexp(A) == theirs.logsumexp(A)
    with pytest.raises(AttributeError, match="no attribute 'gama'"):
        special.gama  # noqa: B018


def test_what_carries_no_gradient_is_refused():
    t = qd.tensor(3.0, requires_grad=True)
    for name, args in (("comb", (t, 2)), ("perm", (t, 2)), ("factorial", (t,))):
        with pytest.raises(
            RuleError,
            match=f"{name}: exact=True gives a Python integer, which carries no gradient; leave",
        ):
            getattr(special, name)(*args, exact=True)
    with pytest.raises(
        RuleError,
        match=r"polygamma: n must be one whole number where x is a tensor, not ndarray of shape "
        r"\(2,\); stack the results of several calls",
    ):
        special.polygamma(np.array([1, 2]), t)


def test_with_scipys_own_array_standard_switched_on():
    printed = run_python(
        """
import os
os.environ["SCIPY_ARRAY_API"] = "1"
import qiudao as qd
from qiudao.scipy import special
print(qd.grad(special.logit)(0.5), qd.grad(lambda x: special.logsumexp([x, x]))(0.3))
"""
    )
    assert printed == "4.0 1.0"


def test_scipy_is_imported_by_nobody_but_the_user():
    run_python(
        """
import sys
import numpy as np
import qiudao as qd
qd.grad(np.linalg.det)(np.eye(2))
assert "scipy" not in sys.modules and "qiudao.ops.special" not in sys.modules
import scipy.special
assert qd.grad(scipy.special.logit)(0.5) == 4.0
assert "qiudao.ops.special.families" in sys.modules
"""
    )
