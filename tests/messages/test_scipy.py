"""The text of the errors of `qd.scipy`."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import GradientError

scipy_integrate = pytest.importorskip("scipy.integrate")
optimize, integrate = qd.scipy.optimize, qd.scipy.integrate
TIMES = (0.0, 1.0)


def near(a, *held, bounds=None, tol=None, options=None):
    """The point nearest to (a, a) under inequalities."""
    constraints = [{"type": "ineq", "fun": c} for c in held]
    return optimize.minimize(
        lambda x: np.sum((x - a) ** 2), np.zeros(2), bounds=bounds, constraints=constraints,
        tol=tol, options=options,
    ).fun  # fmt: skip


def program(b, c=(-1.0, -2.0)):
    return optimize.linprog(np.array(c), np.array([[1.0, 1.0], [1.0, 3.0], [2.0, 4.0]]), b).fun


def ivp(**options):
    return lambda k: integrate.solve_ivp(lambda t, y: -k * y, TIMES, [1.0], **options).y[0, -1]


MESSAGES = [
    (
        "a constraint that only just holds",
        lambda: qd.grad(lambda a: near(a, lambda x: 1.0 - x[0]))(1.0),
        "minimize: inequality 0 of the constraints and bounds holds with equality at the minimum, "
        "but its multiplier is 0: the minimum moves differently to each side, and has no "
        "derivative there; leave this constraint out, or change the parameters a little",
    ),
    (
        "one constraint twice",
        lambda: qd.grad(lambda a: near(a, lambda x: 1.0 - x[0], lambda x: 2.0 - 2 * x[0]))(3.0),
        "minimize: the gradients of the 2 constraints that hold with equality at the minimum are "
        "not independent, so the multipliers are not unique and no derivative is known; leave out "
        "what follows from the others",
    ),
    (
        "a bound that only just holds",
        lambda: qd.grad(lambda a: near(a, bounds=[(0.0, None), (None, None)]))(0.0),
        "minimize: variable 0 is at a bound, and the slope there is 0: the solution moves to one "
        "side only, and has no derivative; leave the bound out, or change the parameters a little",
    ),
    (
        "a root of several",
        lambda: qd.grad(lambda a: optimize.brentq(lambda x: (x - a) ** 3, -1.0, 3.0))(1.0),
        "brentq: the Jacobian of the equation at the solution is singular, so the solution has no "
        "one derivative: it is a root of several, or not all unknowns are determined",
    ),
    (
        "a search that gave up",
        lambda: qd.grad(
            lambda a: (
                optimize.minimize(
                    lambda x: np.sum((x - a) ** 2),
                    [0.0],
                    method="Nelder-Mead",
                    options={"maxiter": 0},
                ).fun
            )
        )(1.0),
        "minimize: what was found is no solution yet: from 0.00025 the next step of Newton's "
        "method is 1 long, so no derivative is known; look at the report's success, give a "
        "smaller tol= or more iterations, or another start",
    ),
    (
        "a program with a row too many",
        lambda: qd.grad(program)(np.array([4.0, 6.0, 10.0])),
        "linprog: 3 rows and bounds hold with equality at the solution of 2 variables, where a "
        "corner that moves with them has as many, independent of each other; change the "
        "parameters a little, or leave out rows that follow from others",
    ),
    (
        "a program with an edge of solutions",
        lambda: qd.grad(lambda b: program(b, (-1.0, -1.0)))(np.array([4.0, 6.0, 20.0])),
        "linprog: the objective is the same along an edge of what is allowed, so the solution is "
        "not unique and has no derivative; change c a little",
    ),
    (
        "programs in a batch",
        lambda: qd.vmap(program)(np.array([[4.0, 6.0, 20.0]])),
        "linprog: which rows hold with equality hangs on numbers that are not known in qd.jit and "
        "qd.vmap; call it outside, one program at a time",
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
        lambda: qd.grad(
            lambda k: integrate.quad(lambda x: k * x, 0.0, 1.0, weight="cos", wvar=2.0)[0]
        )(1.0),
        "quad: derivatives with weight= are not known; put the weight into the function",
    ),
    (
        "points of nquad",
        lambda: qd.grad(
            lambda k: integrate.nquad(lambda x: k * x, [(0.0, 1.0)], opts={"points": [0.5]})[0]
        )(1.0),
        "nquad: derivatives with points or weight in opts=, or with a function there, are not "
        "known; put the weight into the function, and integrate piece by piece",
    ),
    (
        "another method of solve_ivp",
        lambda: qd.grad(ivp(method=scipy_integrate.BDF))(1.0),
        "solve_ivp: derivatives are known for the methods RK23, RK45, DOP853, Radau, BDF, LSODA, "
        "and this call has method=<class 'scipy.integrate._ivp.bdf.BDF'>; name one of these",
    ),
]


@pytest.mark.parametrize("act, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, text):
    assert raised(act) == (GradientError, text)


def test_message_of_a_search_that_stopped_early():
    held = {"type": "ineq", "fun": lambda x: 1.0 - x[0] ** 2}
    act = lambda a: optimize.minimize(
        lambda x: (x[0] - a) ** 4 + (x[1] - a) ** 2, np.zeros(2), constraints=held,
        options={"maxiter": 1},
    ).fun  # fmt: skip
    kind, text = raised(lambda: qd.grad(act)(3.0))
    assert kind is GradientError
    assert text.startswith(
        "minimize: what was found is no minimum yet, since the gradient of the Lagrangian is "
    )
    assert text.endswith(" there, so no derivative is known; give a smaller tol=, or another x0")


def test_messages_of_distributions():
    stats = qd.scipy.stats
    assert raised(lambda: qd.grad(stats.poisson.entropy)(0.3)) == (
        GradientError,
        "poisson.entropy: it has no closed form, and its derivatives are not known; sum or "
        "integrate over poisson.pmf",
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
