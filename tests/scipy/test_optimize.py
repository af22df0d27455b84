"""Solutions found by SciPy, and their derivatives: against closed forms and differences."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

scipy_optimize = pytest.importorskip("scipy.optimize")
optimize = qd.scipy.optimize


def slope(f, x, h=1e-5):
    return (np.asarray(f(x + h)) - np.asarray(f(x - h))) / (2 * h)


def quadratic_root(a):
    return optimize.root(lambda x, a: x**2 - a, np.array([1.0]), args=(a,)).x[0]


SQUARE_ROOTS = {
    "root": quadratic_root,
    "root, lm": lambda a: optimize.root(lambda x, a: x**2 - a, np.ones(1), (a,), method="lm").x[0],
    "root, krylov": lambda a: optimize.root(
        lambda x, a: x**2 - a, np.ones(1), (a,), method="krylov", options={"fatol": 1e-12}
    ).x[0],
    "brentq": lambda a: optimize.brentq(lambda x, a: x**2 - a, 0.0, 10.0, args=(a,), xtol=1e-13),
    "bisect": lambda a: optimize.bisect(lambda x, a: x**2 - a, 0.0, 10.0, args=(a,), xtol=1e-13),
    "brenth": lambda a: optimize.brenth(lambda x, a: x**2 - a, 0.0, 10.0, args=(a,), xtol=1e-13),
    "ridder": lambda a: optimize.ridder(lambda x, a: x**2 - a, 0.0, 10.0, args=(a,), xtol=1e-13),
    "toms748": lambda a: optimize.toms748(lambda x, a: x**2 - a, 0.0, 10.0, args=(a,), xtol=1e-13),
    "brentq, report": lambda a: optimize.brentq(
        lambda x: x**2 - a, 0.0, 10.0, xtol=1e-13, full_output=True
    )[0],
    "newton": lambda a: optimize.newton(lambda x, a: x**2 - a, 1.0, args=(a,), tol=1e-13),
    "fixed_point": lambda a: optimize.fixed_point(
        lambda x, a: 0.5 * (x + a / x), 1.0, args=(a,), xtol=1e-13
    ),
    "root_scalar": lambda a: (
        optimize.root_scalar(lambda x, a: x**2 - a, (a,), bracket=(0.0, 10.0), xtol=1e-13).root
    ),
    "minimize": lambda a: optimize.minimize(
        lambda x, a: x[0] ** 3 / 3 - a * x[0], [1.5], args=(a,), method="BFGS", tol=1e-10
    ).x[0],
    "minimize_scalar": lambda a: (
        optimize.minimize_scalar(
            lambda x, a: x**3 / 3 - a * x, bounds=(0.0, 9.0), args=(a,), options={"xatol": 1e-11}
        ).x
    ),
    "least_squares": lambda a: optimize.least_squares(
        lambda x, a: x**2 - a, [1.5], args=(a,), xtol=1e-15, ftol=1e-15, gtol=1e-15
    ).x[0],
    "closed over": lambda a: optimize.brentq(lambda x: x**2 - a, 0.0, 10.0, xtol=1e-13),
}


@pytest.mark.parametrize("name", SQUARE_ROOTS)
def test_square_roots_to_the_third_order(name):
    f, a = SQUARE_ROOTS[name], 2.0
    first = qd.grad(f)
    assert float(f(a)) == pytest.approx(np.sqrt(a), rel=1e-5)
    assert float(first(a)) == pytest.approx(0.5 * a**-0.5, rel=1e-5)
    assert float(qd.grad(first)(a)) == pytest.approx(-0.25 * a**-1.5, rel=1e-5)
    assert float(qd.grad(qd.grad(first))(a)) == pytest.approx(0.375 * a**-2.5, rel=1e-4)
    assert float(qd.jvp(f, (a,), (1.0,))[1]) == pytest.approx(0.5 * a**-0.5, rel=1e-5)
    t = qd.tensor(a, requires_grad=True)
    f(t).backward()
    assert float(t.grad) == pytest.approx(0.5 * a**-0.5, rel=1e-5)


@pytest.mark.parametrize("name", ["root", "brentq", "newton", "fixed_point"])
def test_batches_are_solved_one_by_one(name):
    points = np.array([1.0, 2.0, 3.0])
    close(qd.vmap(SQUARE_ROOTS[name])(points), np.sqrt(points), rtol=1e-9)
    close(qd.vmap(qd.grad(SQUARE_ROOTS[name]))(points), 0.5 / np.sqrt(points), rtol=1e-9)


@pytest.mark.parametrize("name", ["root", "brentq"])
def test_values_are_scipys(name):
    theirs = {
        "root": lambda a: scipy_optimize.root(lambda x, a: x**2 - a, np.array([1.0]), (a,)).x[0],
        "brentq": lambda a: scipy_optimize.brentq(lambda x: x**2 - a, 0.0, 10.0, xtol=1e-13),
    }[name]
    t = qd.tensor(3.0, requires_grad=True)
    assert float(SQUARE_ROOTS[name](t).detach()) == pytest.approx(float(theirs(3.0)), rel=1e-12)


def test_systems():
    def f(theta):
        def residual(x, theta):
            return np.stack([x[0] ** 2 + x[1] - theta[0], np.sin(x[0]) + x[1] ** 3 - theta[1]])

        return optimize.root(residual, np.array([1.0, 1.0]), args=(theta,), tol=1e-13).x

    theta = np.array([2.0, 1.5])
    columns = [(f(theta + 1e-6 * e) - f(theta - 1e-6 * e)) / 2e-6 for e in np.eye(2)]
    close(qd.jacobian(f)(theta), np.stack(columns, 1), rtol=1e-6)


METHODS = [
    "BFGS",
    "L-BFGS-B",
    "CG",
    "Newton-CG",
    "trust-exact",
    "trust-ncg",
    "SLSQP",
    "Nelder-Mead",
]


@pytest.mark.parametrize("method", METHODS)
def test_minima_by_every_kind_of_method(method):
    def objective(x, a):
        return (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2 + 0.1 * x[0] ** 4

    def f(a):
        return optimize.minimize(objective, np.array([0.5, 0.5]), (a,), method=method, tol=1e-12).x

    def exact(a):
        return optimize.minimize(
            objective, np.array([0.5, 0.5]), (a,), method="trust-exact", tol=1e-14
        ).x

    close(qd.jacobian(f)(1.3), slope(exact, 1.3), rtol=1e-4)


def test_the_value_at_a_minimum():
    f = lambda a: optimize.minimize(lambda x: (x[0] - a) ** 2 + a**3, [0.0]).fun
    assert float(qd.grad(f)(2.0)) == pytest.approx(12.0, rel=1e-6)


@pytest.mark.parametrize(
    "bounds", [[(0.0, 1.0), (None, None)], scipy_optimize.Bounds([0, -9], [1, 9])]
)
def test_variables_at_a_bound_do_not_move(bounds):
    def f(a):
        return optimize.minimize(
            lambda x: (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2, [0.5, 0.5], bounds=bounds, tol=1e-12
        ).x

    close(qd.jacobian(f)(3.0), np.array([0.0, 1.0]), atol=1e-6)


def quadratic(x, a):
    return (x[0] - a[0]) ** 2 + 2 * (x[1] - a[1]) ** 2 + (x[2] - 1.0) ** 2 + 0.3 * x[0] * x[1]


def constrained(kind, a):
    """The nearest point under an equation, an inequality that holds with equality, and others."""
    x0 = np.array([0.3, 0.3, 0.3])
    curved = lambda x: np.stack([a[2] - x[0] ** 2 - x[1] ** 2, x[2] + 5.0])
    if kind == "dictionaries":
        held = [
            {"type": "eq", "fun": lambda x: x[1] + x[2] - a[0] * x[0]},
            {"type": "ineq", "fun": curved},
        ]
        return optimize.minimize(
            quadratic, x0, (a,), method="SLSQP", constraints=held, options={"ftol": 1e-14}
        )
    linear = {"hess": lambda x, v: np.zeros((3, 3))} if kind == "trust-constr" else {}
    held = [
        scipy_optimize.NonlinearConstraint(lambda x: x[1] + x[2] - a[0] * x[0], 0.0, 0.0, **linear),
        scipy_optimize.NonlinearConstraint(lambda x: curved(x)[0], 0.0, np.inf),
        scipy_optimize.LinearConstraint(np.eye(3), [-np.inf, -9.0, -5.0], 9.0),
    ]
    if kind == "trust-constr":
        options = {"gtol": 1e-10, "xtol": 1e-13, "barrier_tol": 1e-11}
        return optimize.minimize(
            quadratic, x0, (a,), method="trust-constr", constraints=held, options=options
        )
    return optimize.minimize(quadratic, x0, (a,), constraints=held, options={"ftol": 1e-14})


PULL = np.array([1.5, 1.2, 0.8])


@pytest.mark.parametrize("kind", ["dictionaries", "objects", "trust-constr"])
def test_minima_under_constraints(kind):
    f = lambda a: constrained(kind, a).x
    fine = lambda a: constrained("dictionaries", a).x
    h = 1e-4
    columns = [(fine(PULL + h * e) - fine(PULL - h * e)) / (2 * h) for e in np.eye(3)]
    close(qd.jacobian(f)(PULL), np.stack(columns, 1), rtol=1e-4, atol=1e-5)
    slope = qd.grad(lambda a: constrained(kind, a).fun)(PULL)
    value = lambda a: constrained("dictionaries", a).fun
    close(slope, [(value(PULL + h * e) - value(PULL - h * e)) / (2 * h) for e in np.eye(3)],
          rtol=1e-4, atol=1e-5)  # fmt: skip


def test_second_derivatives_under_constraints():
    f = lambda a: constrained("dictionaries", PULL * a).x[0]
    h = 1e-3
    bend = (f(1.0 + h) - 2 * f(1.0) + f(1.0 - h)) / h**2
    assert float(qd.grad(qd.grad(f))(1.0)) == pytest.approx(bend, rel=1e-3)


def test_bounds_beside_constraints():
    def f(a):
        held = {"type": "eq", "fun": lambda x, a: np.sum(x) - a, "args": (a,)}
        goal = np.array([3.0, 0.2, 0.1])
        bounds = [(None, 1.0), (0.0, None), (0.0, 1.0)]
        return optimize.minimize(
            lambda x: np.sum((x - goal) ** 2), np.zeros(3), bounds=bounds, constraints=held
        ).x

    close(qd.jacobian(f)(2.0), np.array([0.0, 0.5, 0.5]), atol=1e-8)  # the first is held at 1
    close(qd.vmap(f)(np.array([1.8, 2.0])), [f(1.8), f(2.0)], rtol=1e-7)


@pytest.mark.parametrize("wrap", [lambda f: f, qd.jit])
def test_variables_held_at_a_bound_that_the_method_stays_inside_of(wrap):
    def within(a):
        return optimize.minimize(
            lambda x, a: np.sum((x - a) ** 2) + 0.1 * x[0] * x[1], np.full(2, 0.5), args=(a,),
            method="trust-constr", bounds=[(0.0, 1.0), (0.0, 1.0)],
        ).x  # fmt: skip

    def of_one(a):
        return optimize.minimize_scalar(lambda x, a: (x - a) ** 2, bounds=(1.0, 3.0), args=(a,)).x

    close(wrap(qd.jacobian(within))(np.array([1.5, 0.4])), np.diag([0.0, 1.0]), atol=1e-8)
    close([wrap(qd.grad(of_one))(a) for a in (0.7, 1.3, 3.5)], [0.0, 1.0, 0.0], atol=1e-8)


def test_a_minimum_that_is_found_roughly_moves_as_the_exact_one():
    """A quartic's is found to about 1e-2 only, and its gradient is a root of several there."""

    def found(a):
        return optimize.minimize(lambda x: np.sum((x - a) ** 4), np.zeros(1)).x[0]

    assert 1e-6 < abs(found(1.0) - 1.0) < 0.1
    close(qd.grad(found)(1.0), 1.0, rtol=1e-9)


def test_constraints_alone_may_move():
    def f(a):
        held = {"type": "ineq", "fun": lambda x, a: x[0] - a, "jac": lambda x, a: np.ones(1),
                "args": (a,)}  # fmt: skip
        return optimize.minimize(lambda x: x[0] ** 2, [5.0], constraints=held).x[0]

    assert float(qd.grad(f)(2.0)) == pytest.approx(1.0)


def test_reports_of_batches():
    points = np.array([1.0, 2.0, 3.0])

    def root(a):
        found = optimize.root(lambda x, a: x**2 - a, np.ones(1), (a,))
        return found.x, found.success, found.nfev

    x, success, nfev = qd.vmap(root)(points)
    one_by_one = [optimize.root(lambda x, a=a: x**2 - a, np.ones(1)) for a in points]
    close(nfev, [found.nfev for found in one_by_one])
    assert success.tolist() == [True, True, True]
    close(x, [found.x for found in one_by_one], rtol=1e-9)

    def minimum(a):
        found = optimize.minimize(lambda x, a: np.sum((x - a) ** 4), np.zeros(1), (a,))
        return found.x, found.nit, found.status

    nit = qd.vmap(minimum)(points)[1]
    close(nit, [optimize.minimize(lambda x, a=a: np.sum((x - a) ** 4), np.zeros(1)).nit
                for a in points])  # fmt: skip
    square = lambda x, a: x**2 - a
    found = qd.jit(lambda a: optimize.root_scalar(square, (a,), bracket=(0.0, 9.0)).converged)
    assert found(2.0)
    away = lambda x, a: np.sum((x - a) ** 2)
    bounded = lambda a: optimize.minimize(away, np.zeros(2), (a,), bounds=[(0.0, 1.5)] * 2).x
    close(qd.vmap(bounded)(points), [bounded(a) for a in points], rtol=1e-7, atol=1e-7)


def test_least_squares_within_bounds():
    A = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [1.0, 0.3, 0.0], [0.2, 0.1, 0.9]])
    b = np.array([2.0, -1.6, 1.0, -0.5])
    expected = scipy_optimize.nnls(A, b)
    assert 0 < (expected[0] == 0).sum() < 3
    close(optimize.nnls(A, qd.tensor(b, requires_grad=True))[0].detach(), expected[0])
    close(optimize.nnls(qd.tensor(A, requires_grad=True), b)[1].detach(), expected[1])
    assert qd.gradcheck(lambda A, b: np.stack([*optimize.nnls(A, b)[0]]), A, b)
    limits = (np.array([-1.0, 0.1, -2.0]), np.array([0.7, 9.0, 2.0]))
    fit = lambda A, b: optimize.lsq_linear(A, b, limits, tol=1e-14)
    bare = scipy_optimize.lsq_linear(A, b, limits, tol=1e-14)
    found = fit(A, qd.tensor(b, requires_grad=True))
    close(found.cost.detach(), bare.cost, rtol=1e-9)
    direction = np.cos(np.arange(4.0))
    h = 1e-4
    wanted = (fit(A, b + h * direction).x - fit(A, b - h * direction).x) / (2 * h)
    close(qd.jvp(lambda b: fit(A, b).x, (b,), (direction,))[1], wanted, rtol=1e-5, atol=1e-6)
    close(qd.vmap(lambda b: optimize.nnls(A, b)[0])(np.stack([b, -b])),
          [optimize.nnls(A, v)[0] for v in (b, -b)])  # fmt: skip


def test_linear_programs():
    c = np.array([-1.0, -2.0, 0.5])
    A_ub, b_ub = np.array([[1.0, 1.0, 0.0], [1.0, 3.0, 1.0]]), np.array([4.0, 6.0])
    A_eq, b_eq = np.array([[1.0, 0.0, 2.0]]), np.array([3.5])
    bounds = [(0.0, None), (0.0, None), (0.1, 5.0)]

    def f(c, A_ub, b_ub, A_eq, b_eq):
        found = optimize.linprog(c, A_ub, b_ub, A_eq, b_eq, bounds)
        return np.concatenate([found.x, np.stack([found.fun]), found.slack, found.con])

    assert qd.gradcheck(f, c, A_ub, b_ub, A_eq, b_eq)
    expected = scipy_optimize.linprog(c, A_ub, b_ub, A_eq, b_eq, bounds)
    close(f(c, A_ub, qd.tensor(b_ub, requires_grad=True), A_eq, b_eq)[:3].detach(), expected.x)
    no_point = optimize.linprog([1.0], [[1.0]], qd.tensor([-1.0], requires_grad=True))
    assert not no_point.success


def test_fsolve():
    def f(a):
        return optimize.fsolve(lambda x, a: [x[0] ** 2 - a, x[1] * x[0] - 1.0], [1.0, 1.0], a)

    close(f(2.0), [np.sqrt(2.0), np.sqrt(0.5)], rtol=1e-9)
    close(qd.jacobian(f)(2.0), [0.5 / np.sqrt(2.0), -0.5 / 2.0**1.5], rtol=1e-7)
    x, info, flag, _ = optimize.fsolve(lambda x: x - 2.0, 0.0, full_output=True)
    assert (float(x[0]), flag) == (2.0, 1)
    assert info["nfev"] > 0
    close(qd.vmap(f)(np.array([2.0, 3.0])), [f(2.0), f(3.0)], rtol=1e-9)


X = np.linspace(0.0, 4.0, 12)


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


Y = decay(X, 2.5, 1.3, 0.5) + 0.05 * np.sin(7 * X)


def test_curve_fit_is_scipys():
    close(optimize.curve_fit(decay, X, Y)[0], scipy_optimize.curve_fit(decay, X, Y)[0], rtol=1e-6)
    close(optimize.curve_fit(decay, X, Y)[1], scipy_optimize.curve_fit(decay, X, Y)[1], rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"sigma": 0.1 + 0.05 * X}, {"sigma": 0.1 + 0.05 * X, "absolute_sigma": True}]
)
@pytest.mark.parametrize("part", [0, 1])
def test_fits_move_with_the_data(options, part):
    def f(y):
        return optimize.curve_fit(
            decay, X, y, p0=(2.0, 1.0, 0.0), xtol=1e-14, ftol=1e-14, **options
        )[part]

    def differences(y, v, h=1e-3):  # SciPy's minimum itself is good to about 1e-8
        return (f(y + h * v) - f(y - h * v)) / (2 * h)

    v = np.cos(3 * X)
    close(qd.jvp(f, (Y,), (v,))[1], differences(Y, v), rtol=1e-3, atol=1e-6)
    w = np.ones(np.shape(f(Y)))
    close((qd.vjp(f, Y)[1](w)[0] * v).sum(), (w * differences(Y, v)).sum(), rtol=1e-4)


TIGHT = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}


def test_fits_that_do_not_go_through_the_data_need_the_full_hessian():
    def f(a):
        return optimize.least_squares(
            lambda x: np.stack([np.exp(x[0]) - a, x[0] ** 2 - 3.0]),
            [1.0],
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        ).x[0]

    assert float(qd.grad(f)(2.0)) == pytest.approx(float(slope(f, 2.0, 1e-3)), rel=1e-4)


def test_plain_scipy_in_lifted_code():
    import scipy.optimize

    def f(a):
        return scipy.optimize.brentq(lambda x: x**2 - a, 0.0, 10.0)

    def g(a):
        return scipy_optimize.minimize(lambda x: (x[0] - a) ** 2, [0.0]).x[0]

    assert float(qd.grad(f, numpy="lift")(4.0)) == pytest.approx(0.25, rel=1e-9)
    assert float(qd.grad(g, numpy="lift")(4.0)) == pytest.approx(1.0, rel=1e-9)
    assert f(4.0) == pytest.approx(2.0)


def test_a_gradient_of_the_users_that_reads_from_outside():
    def f(a):
        return optimize.minimize(lambda x: (x[0] - a) ** 2, [0.0], jac=lambda x: 2 * (x - a)).x[0]

    assert float(qd.grad(f)(3.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["root", "brentq", "newton", "root_scalar", "minimize"])
def test_compiled_programs_call_scipy(name):
    f = SQUARE_ROOTS[name]
    assert float(qd.jit(f)(2.0)) == pytest.approx(np.sqrt(2.0), rel=1e-6)
    assert float(qd.jit(qd.grad(f))(2.0)) == pytest.approx(0.5 / np.sqrt(2.0), rel=1e-5)


@pytest.mark.parametrize("name", ["root", "brentq", "minimize"])
def test_taylor_series_of_solutions(name):
    value, series = qd.jet(SQUARE_ROOTS[name], (2.0,), ([1.0, 0.0, 0.0],))
    found = [float(c) for c in (value, *series)]
    wanted = [2.0**0.5, 0.5 * 2.0**-0.5, -(2.0**-1.5) / 8, 2.0**-2.5 / 16]
    assert found == pytest.approx(wanted, rel=1e-5)
