"""Integrals and solutions of differential equations: values are SciPy's, derivatives exact."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

theirs = pytest.importorskip("scipy.integrate")
integrate = qd.scipy.integrate
X = np.array([0.0, 0.3, 1.0, 1.2, 2.0, 2.9])


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", ["simpson", "trapezoid", "cumulative_trapezoid"])
def test_samples(name, count):
    ours, their = getattr(integrate, name), getattr(theirs, name)
    x, y = X[:count], np.cos(X[:count])
    close(ours(leaf(y), x=x).detach(), their(y, x=x))
    close(ours(leaf(y), dx=0.3).detach(), their(y, dx=0.3))
    rows = np.stack([y, y**2], 1)
    close(ours(leaf(rows), x=x, axis=0).detach(), their(rows, x=x, axis=0))

    weights = np.arange(1.0, 1.0 + np.size(their(y, x=x)))

    def f(x, y):
        return np.sum(ours(y, x=x) * weights)

    assert qd.gradcheck(f, x, y)


QUADS = {
    "finite": (lambda x, k: np.exp(-k * x) * np.cos(x), 0.0, 2.0),
    "backwards": (lambda x, k: np.exp(-k * x) * np.cos(x), 2.0, 0.5),
    "to infinity": (lambda x, k: np.exp(-k * x), 0.0, np.inf),
    "from infinity": (lambda x, k: np.exp(k * x), -np.inf, 1.0),
    "from infinity to a number": (lambda x, k: np.exp(-k * x), np.inf, 0.5),
    "everywhere": (lambda x, k: np.exp(-k * x * x), -np.inf, np.inf),
    "peaked": (lambda x, k: 1 / ((x - 0.3) ** 2 + 1e-3 * k), 0.0, 1.0),
    "branching": (lambda x, k: k * x if x < 1 else k * k * x**0, 0.0, 2.0),
}


@pytest.mark.parametrize("name", QUADS)
def test_integrals(name):
    f, a, b = QUADS[name]

    def integral(k):
        return integrate.quad(f, a, b, args=(k,), limit=200)[0]

    k, h = 1.3, 1e-4
    assert integral(k) == theirs.quad(f, a, b, args=(k,), limit=200)[0]
    assert float(qd.value_and_grad(integral)(k)[0]) == pytest.approx(integral(k), rel=1e-15)
    slope = (integral(k + h) - integral(k - h)) / (2 * h)
    assert float(qd.grad(integral)(k)) == pytest.approx(slope, rel=1e-6)
    curvature = (integral(k + h) - 2 * integral(k) + integral(k - h)) / h**2
    assert float(qd.grad(qd.grad(integral))(k)) == pytest.approx(curvature, rel=1e-4, abs=1e-6)


def test_limits():
    def f(a, b):
        return integrate.quad(lambda x: np.sin(x) * b, a, b**2)[0]

    a, b = 0.3, 1.2
    da, db = qd.grad(f, argnums=(0, 1))(a, b)
    assert float(da) == pytest.approx(-np.sin(a) * b, rel=1e-12)
    exact = (np.cos(a) - np.cos(b**2)) + b * np.sin(b**2) * 2 * b
    assert float(db) == pytest.approx(exact, rel=1e-12)
    assert float(qd.grad(lambda a: integrate.quad(np.cos, a, a)[0])(a)) == pytest.approx(0.0)


def oscillator(t, y, k, c):
    return np.stack([y[1], -k * y[0] - c * y[1] + np.sin(t)])


def plain_oscillator(t, y, k, c):
    return np.array([y[1], -k * y[0] - c * y[1] + np.sin(t)])


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853", "Radau"])
@pytest.mark.parametrize("t_eval", [None, np.linspace(0.0, 3.0, 7)])
def test_solutions_are_scipys_and_move_with_everything(method, t_eval):
    tight = 1e-8 if method in ("RK45", "DOP853") else 1e-5  # these take many steps
    near = 2e3 * tight if tight < 1e-6 else 5e-3
    options = {"method": method, "rtol": tight, "atol": 1e-2 * tight, "t_eval": t_eval}
    y0, theta = np.array([1.0, 0.2]), np.array([2.0, 0.3])
    bare = theirs.solve_ivp(plain_oscillator, (0.0, 3.0), y0, args=(2.0, 0.3), **options)
    t = leaf(y0)
    found = integrate.solve_ivp(oscillator, (0.0, 3.0), t, args=(2.0, 0.3), **options)
    close(found.y.detach(), bare.y, rtol=1e-6, atol=1e-7)
    close(found.t, bare.t)

    def end(y0, theta, last):
        result = integrate.solve_ivp(oscillator, (0.0, last), y0, args=tuple(theta), **options)
        return result.y[0, -1] * 2 + result.y[1, -1]

    exact = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}

    def reference(y0, theta, last=3.0):
        y = theirs.solve_ivp(plain_oscillator, (0.0, last), y0, args=tuple(theta), **exact).y
        return y[0, -1] * 2 + y[1, -1]

    h = 1e-5
    by_state, by_theta = qd.grad(end, argnums=(0, 1))(y0, theta, 3.0)
    for k, e in enumerate(np.eye(2)):
        step = (reference(y0 + h * e, theta) - reference(y0 - h * e, theta)) / (2 * h)
        assert float(by_state[k]) == pytest.approx(step, rel=near)
        step = (reference(y0, theta + h * e) - reference(y0, theta - h * e)) / (2 * h)
        assert float(by_theta[k]) == pytest.approx(step, rel=near)
    if t_eval is None:
        by_time = qd.grad(end, argnums=2)(y0, theta, 3.0)
        step = (reference(y0, theta, 3 + h) - reference(y0, theta, 3 - h)) / (2 * h)
        assert float(by_time) == pytest.approx(step, rel=10 * near)


@pytest.mark.parametrize("method", ["RK45", "Radau"])
def test_second_derivatives_of_decay(method):
    def end(k):
        return integrate.solve_ivp(
            lambda t, y: -k * y, (0.0, 1.0), [1.0], method=method, rtol=1e-6, atol=1e-8
        ).y[0, -1]

    assert float(qd.grad(qd.grad(end))(2.0)) == pytest.approx(np.exp(-2.0), rel=1e-4)
    assert float(qd.jvp(end, (2.0,), (1.0,))[1]) == pytest.approx(-np.exp(-2.0), rel=1e-4)


def robertson(t, y, k):
    fast = 1e4 * y[1] * y[2]
    return np.stack([-k * y[0] + fast, k * y[0] - fast - 3e7 * y[1] ** 2, 3e7 * y[1] ** 2])


def test_stiff_equations_by_radau():
    def end(k, solver=integrate.solve_ivp, tight=1e-4):
        return solver(
            lambda t, y: robertson(t, y, k), (0.0, 40.0), [1.0, 0.0, 0.0], method="Radau",
            rtol=tight, atol=1e-2 * tight,
        ).y[0, -1]  # fmt: skip

    k, h = 0.04, 1e-5
    slope = (end(k + h, theirs.solve_ivp, 1e-11) - end(k - h, theirs.solve_ivp, 1e-11)) / (2 * h)
    assert float(qd.grad(end)(k)) == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize("stiff", [False, True])
def test_odeint(stiff):
    times = np.linspace(0.0, 1.0, 5)
    rate = 500.0 if stiff else 1.0

    def path(k, odeint=integrate.odeint):
        return odeint(lambda y, t: -rate * (y - k * np.cos(t)), 1.0, times)

    close(path(1.5), theirs.odeint(lambda y, t: -rate * (y - 1.5 * np.cos(t)), 1.0, times))
    h = 1e-3
    differences = (path(1.5 + h) - path(1.5 - h)) / (2 * h)
    close(qd.jacobian(path)(1.5), differences, rtol=1e-4, atol=1e-6)


def test_lifted():
    import scipy.integrate

    f = lambda k: scipy.integrate.quad(lambda x: x**k, 0, 1)[0]
    assert float(qd.grad(f, numpy="lift")(2.0)) == pytest.approx(-1 / 9, rel=1e-8)
    g = lambda k: scipy.integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0]).y[0, -1]
    assert float(qd.grad(g, numpy="lift")(2.0)) == pytest.approx(-np.exp(-2), rel=1e-2)
