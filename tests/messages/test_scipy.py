"""The text of the errors of `qd.scipy`."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import GradientError

pytest.importorskip("scipy")
optimize, integrate = qd.scipy.optimize, qd.scipy.integrate
TIMES = (0.0, 1.0)


def under_constraints(a):
    held = {"type": "eq", "fun": lambda x: x[0] - 1}
    return optimize.minimize(lambda x: (x[0] - a) ** 2, [0.0], constraints=held).fun


def ivp(**options):
    return lambda k: integrate.solve_ivp(lambda t, y: -k * y, TIMES, [1.0], **options).y[0, -1]


MESSAGES = [
    (
        "constraints",
        lambda: qd.grad(under_constraints)(1.0),
        "minimize: derivatives of a minimum under constraints= are not known; use bounds=, or put "
        "the constraints into the function",
    ),
    (
        "another loss",
        lambda: qd.grad(
            lambda a: optimize.least_squares(lambda x: x - a, [0.0], loss="soft_l1").x[0]
        )(1.0),
        "least_squares: derivatives of a fit with loss='soft_l1' are not known; use loss='linear', "
        "or qd.scipy.optimize.minimize of the loss",
    ),
    (
        "everything of curve_fit",
        lambda: qd.grad(
            lambda y: optimize.curve_fit(lambda x, a: a * x, np.arange(3.0), y, full_output=True)[
                0
            ][0]
        )(np.arange(3.0)),
        "curve_fit: derivatives are known for (popt, pcov) with one sigma for each datum; leave "
        "out full_output, and whiten the residuals for a covariance matrix",
    ),
    (
        "weights of quad",
        lambda: qd.grad(lambda k: integrate.quad(lambda x: k * x, 0.0, 1.0, points=[0.5])[0])(1.0),
        "quad: derivatives with points= or weight= are not known; put the weight into the "
        "function, and integrate piece by piece",
    ),
    (
        "an end of an infinite interval",
        lambda: qd.grad(lambda a: integrate.quad(lambda x: np.exp(-x), a, np.inf)[0])(1.0),
        "quad: the limits of an infinite interval carry a derivative, which is not known; "
        "substitute, so that the limit stands in the function",
    ),
    (
        "another method of solve_ivp",
        lambda: qd.grad(ivp(method="BDF"))(1.0),
        "solve_ivp: derivatives are known for the methods RK23, RK45, DOP853, Radau, without "
        "events and dense output, and this call has method='BDF'; use 'Radau' for stiff equations",
    ),
]


@pytest.mark.parametrize("act, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, text):
    assert raised(act) == (GradientError, text)


def test_messages_of_distributions():
    stats = qd.scipy.stats
    assert raised(lambda: qd.grad(stats.vonmises.cdf)(0.3, 1.0)) == (
        GradientError,
        "vonmises.cdf: its derivatives are not known; integrate vonmises.pdf with "
        "qd.scipy.integrate.quad",
    )
    assert raised(lambda: qd.grad(stats.gamma.logpdf)(0.3)) == (
        TypeError,
        "gamma: the parameter a is missing; give its value",
    )
    assert raised(lambda: qd.grad(stats.norm.logpdf)(0.3, 1.0, 2.0, 3.0)) == (
        TypeError,
        "norm: the parameters are loc, scale, and the call gives 3 by position and none by name; "
        "give each once",
    )


def test_messages_of_matrices():
    linalg, a = qd.scipy.linalg, np.eye(2)
    assert raised(lambda: qd.grad(lambda a: linalg.eigh(a, subset_by_index=[0, 0])[0][0])(a)) == (
        GradientError,
        "eigh: subset_by_index= has no derivative here; take all eigenvalues of a x = w b x, and "
        "choose from them",
    )
    assert raised(
        lambda: qd.grad(lambda a: linalg.solve(a, np.ones(2), assume_a="banded").sum())(a)
    ) == (
        GradientError,
        "solve: assume_a='banded' has no derivative here; leave it out, which solves the same "
        "system as a general one",
    )
    cdist = qd.scipy.spatial.distance.cdist
    assert raised(lambda: qd.grad(lambda a: cdist(a, a, "cosine").sum())(a)) == (
        GradientError,
        "cdist: derivatives with metric='cosine' are not known; use euclidean, sqeuclidean, "
        "cityblock or chebyshev",
    )
