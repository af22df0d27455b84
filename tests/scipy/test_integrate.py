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
    for f, slope in [
        (lambda a: integrate.quad(lambda x: np.exp(-x), a, np.inf)[0], -np.exp(-a)),
        (lambda a: integrate.quad(lambda x: np.exp(-x), np.inf, a)[0], np.exp(-a)),
        (lambda a: integrate.quad(np.exp, -np.inf, a)[0], np.exp(a)),
        (lambda a: integrate.quad(lambda x: abs(x - 0.1), 0.0, a, points=[0.1])[0], a - 0.1),
    ]:
        assert float(qd.grad(f)(a)) == pytest.approx(slope, rel=1e-9)


def test_integrals_over_several_variables():
    def volume(k, ours=integrate):
        return ours.dblquad(
            lambda y, x: np.exp(-k * x * y), 0.0, k, lambda x: x, lambda x: k * x + 1
        )

    k, h = 1.3, 1e-4
    assert volume(k) == volume(k, theirs)
    slope = (volume(k + h, theirs)[0] - volume(k - h, theirs)[0]) / (2 * h)
    assert float(qd.grad(lambda k: volume(k)[0])(k)) == pytest.approx(slope, rel=1e-7)
    assert float(qd.jvp(lambda k: volume(k)[0], (k,), (1.0,))[1]) == pytest.approx(slope, rel=1e-7)
    bend = (volume(k + h)[0] - 2 * volume(k)[0] + volume(k - h)[0]) / h**2
    found = qd.grad(qd.grad(lambda k: volume(k)[0]))(k)
    assert float(found) == pytest.approx(bend, rel=1e-4)

    def by_arguments(a, k):
        return integrate.nquad(
            lambda x, y, k: np.exp(-x) * k * y, [(0.0, np.inf), lambda k: (0.0, k)], args=(a * k,)
        )[0]

    assert by_arguments(1.0, 2.0) == pytest.approx(4.0)
    assert float(qd.grad(by_arguments, argnums=1)(1.0, 2.0)) == pytest.approx(6.0, rel=1e-8)

    def solid(k):  # k^3 / 36
        return integrate.tplquad(
            lambda z, y, x: k * z, 0.0, 1.0, 0.0, lambda x: x, 0.0, lambda x, y: k * x * y
        )[0]

    assert float(qd.grad(solid)(1.5)) == pytest.approx(3 * 1.5**2 / 36, rel=1e-7)


VECTORS = {
    "finite": (0.0, 2.0),
    "backwards": (2.0, 0.5),
    "to infinity": (0.3, np.inf),
    "from infinity": (-np.inf, 0.3),
    "everywhere": (-np.inf, np.inf),
}


@pytest.mark.parametrize("name", VECTORS)
def test_integrals_of_arrays(name):
    a, b = VECTORS[name]

    def f(k, a=a, b=b):
        rates = np.array([1.0, 2.0, 0.5])
        return integrate.quad_vec(lambda x: np.exp(-k * rates * x**2), a, b)[0]

    expected = theirs.quad_vec(lambda x: np.exp(-1.3 * np.array([1.0, 2.0, 0.5]) * x**2), a, b)[0]
    assert np.array_equal(f(1.3), expected)
    close(f(leaf(1.3)).detach(), expected)
    assert qd.gradcheck(f, 1.3)
    if np.isfinite(a):
        assert qd.gradcheck(lambda a: f(1.3, a=a), a)
    if np.isfinite(b):
        assert qd.gradcheck(lambda b: f(1.3, b=b), b)
    full = integrate.quad_vec(lambda x: x**2, 0, 1, full_output=True, args=())
    assert full[2].success


OVER = {
    "quad": lambda f, a, b: integrate.quad(f, a, b)[0],
    "quad_vec": lambda f, a, b: integrate.quad_vec(f, a, b)[0],
    "nquad": lambda f, a, b: integrate.nquad(f, [(a, b)])[0],
}
REACHES = [(2.0, 3.0), (2.0, np.inf), (np.inf, 2.0), (-np.inf, -2.0), (-2.0, -np.inf)]


@pytest.mark.parametrize("a, b", REACHES)
@pytest.mark.parametrize("over", OVER)
def test_integrands_are_called_within_the_limits_only(over, a, b):
    def integral(k):
        def f(x):
            if not min(a, b) <= x <= max(a, b):
                raise ValueError(x)
            return np.exp(-k * abs(x))

        return OVER[over](f, a, b)

    near, far = np.exp(-2.6), np.exp(-3.9) if b == 3.0 else 0.0
    size = (near - far) / 1.3
    slope = -(2 * near - 3 * far) / 1.3 - size / 1.3
    sign = 1.0 if a < b else -1.0
    assert float(integral(1.3)) == pytest.approx(sign * size)
    assert float(qd.grad(integral)(1.3)) == pytest.approx(sign * slope)


@pytest.mark.parametrize("over", OVER)
def test_derivatives_of_what_depends_on_parameters_in_places_only(over):
    f = lambda k: OVER[over](lambda x: k * (x - 0.75) if x > 0.75 else 0.0, 0.0, 1.0)
    assert float(qd.grad(f)(1.3)) == pytest.approx(1 / 32)


def test_derivatives_of_limits_that_depend_on_parameters_in_places_only():
    inner = lambda k: lambda y: (0.0, k * y if y > 0.75 else 0.5 * y)
    f = lambda k: integrate.nquad(lambda x, y: 1.0, [inner(k), (0.0, 1.0)])[0]
    assert float(qd.grad(f)(1.0)) == pytest.approx(7 / 32)


def test_rules_for_samples_and_points():
    y = np.cos(np.arange(18.0)).reshape(2, 9)
    close(integrate.romb(leaf(y), 0.3).detach(), theirs.romb(y, 0.3))
    close(integrate.romb(leaf(y.T), 0.3, axis=0).detach(), theirs.romb(y.T, 0.3, axis=0))
    assert qd.gradcheck(integrate.romb, y, 0.3)
    with pytest.raises(ValueError, match="power of 2"):
        integrate.romb(leaf(np.ones(4)))
    g = lambda a, b, k: integrate.fixed_quad(lambda x: np.exp(k * x), a, b, n=4)[0]
    assert g(0.1, 0.9, 1.3) == theirs.fixed_quad(lambda x: np.exp(1.3 * x), 0.1, 0.9, n=4)[0]
    assert qd.gradcheck(g, 0.1, 0.9, 1.3)


def oscillator(t, y, k, c):
    return np.stack([y[1], -k * y[0] - c * y[1] + np.sin(t)])


def plain_oscillator(t, y, k, c):
    return np.array([y[1], -k * y[0] - c * y[1] + np.sin(t)])


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("t_eval", [None, np.linspace(0.0, 3.0, 7)])
def test_solutions_are_scipys_and_move_with_everything(method, t_eval):
    tight = 1e-8 if method in ("RK45", "DOP853") else 1e-5  # these take many steps
    tight = 1e-4 if method in ("BDF", "LSODA") else tight
    near = 2e3 * tight if tight < 1e-6 else 5e-3 if tight < 1e-4 else 3e-2
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


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_stiff_equations(method):
    def end(k, solver=integrate.solve_ivp, tight=1e-4, method=method):
        return solver(
            lambda t, y: robertson(t, y, k), (0.0, 1.0), [1.0, 0.0, 0.0], method=method,
            rtol=tight, atol=1e-2 * tight,
        ).y[0, -1]  # fmt: skip

    k, h = 0.04, 1e-5
    tight = lambda k: end(k, theirs.solve_ivp, 1e-11, "Radau")
    slope = (tight(k + h) - tight(k - h)) / (2 * h)
    assert float(qd.grad(end)(k)) == pytest.approx(slope, rel=1e-2)


def fall(height, drag, method="RK45", terminal=True, level=0.0, **options):
    """A ball: when it comes down to a level, and when it is highest."""

    def ground(t, y):
        return y[0] - level

    def top(t, y):
        return y[1]

    ground.terminal, ground.direction = terminal, -1
    return integrate.solve_ivp(
        lambda t, y: np.stack([y[1], -9.81 - drag * y[1]]), (0.0, 5.0), np.stack([height, 6.0]),
        method, events=[ground, top], **{"rtol": 1e-9, "atol": 1e-11, **options},
    )  # fmt: skip


@pytest.mark.parametrize("method", ["RK45", "DOP853", "Radau", "BDF", "LSODA"])
def test_times_of_events(method):
    few = method in ("BDF", "LSODA", "Radau")  # steps, for these take many
    options = {"rtol": 1e-5, "atol": 1e-7} if few else {"rtol": 1e-9, "atol": 1e-11}
    for terminal in (True, False):
        plain = fall(2.0, 0.3, method, terminal, **options)
        moved = fall(leaf(2.0), 0.3, method, terminal, **options)
        close(moved.t_events[0].detach(), plain.t_events[0], rtol=1e-8)
        close(moved.y_events[1].detach(), plain.y_events[1], rtol=1e-7, atol=1e-7)
        assert (moved.status, len(moved.t_events[1])) == (plain.status, len(plain.t_events[1]))

    def times(height, drag, level, method=method, **options):
        found = fall(height, drag, method, level=level, **options)
        speed, highest = found.y_events[0][0, 1], found.y_events[1][0, 0]
        return np.stack([found.t_events[0][0], found.t_events[1][0], speed, highest])

    at, h = [2.0, 0.3, 0.0], 1e-4
    exact = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
    slopes = qd.jacobian(lambda *a: times(*a, **options), argnums=(0, 1, 2))(*at)
    for k in range(3):
        up, down = ([a + s * (i == k) for i, a in enumerate(at)] for s in (h, -h))
        wanted = (times(*up, **exact) - times(*down, **exact)) / (2 * h)
        close(slopes[k], wanted, rtol=2e-3 if few else 1e-6, atol=1e-3 if few else 1e-6)


def test_where_an_event_ends_the_path():
    found = fall(leaf(2.0), 0.3)
    plain = fall(2.0, 0.3)
    close(found.t.detach(), plain.t, rtol=1e-9)
    close(found.y.detach(), plain.y, rtol=1e-9, atol=1e-9)
    assert float(qd.grad(lambda s: fall(s, 0.3).t[-1])(2.0)) == pytest.approx(
        float(qd.grad(lambda s: fall(s, 0.3).t_events[0][0])(2.0))
    )
    wanted = np.linspace(0.0, 5.0, 11)
    close(fall(leaf(2.0), 0.3, t_eval=wanted).t, fall(2.0, 0.3, t_eval=wanted).t)
    close(
        fall(leaf(2.0), 0.3, t_eval=wanted).y.detach(), fall(2.0, 0.3, t_eval=wanted).y,
        rtol=1e-8, atol=1e-8,
    )  # fmt: skip
    with pytest.raises(ValueError, match="t_span"):
        fall(leaf(2.0), 0.3, t_eval=np.array([9.0]))


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"])
def test_solutions_as_functions_of_time(method):
    options = {"method": method, "dense_output": True, "rtol": 1e-5, "atol": 1e-7}

    def sol(k, solver=integrate.solve_ivp):
        return solver(lambda t, y: -k * y, (0.0, 2.0), [1.0, 0.5], **options).sol

    times = np.array([0.0, 0.3, 1.1, 2.0])
    close(sol(leaf(1.3))(times).detach(), sol(1.3)(times), rtol=1e-6)
    close(sol(leaf(1.3))(0.7).detach(), sol(1.3)(0.7), rtol=1e-6)
    assert float(qd.grad(lambda k: sol(k)(0.7)[0])(1.3)) == pytest.approx(
        -0.7 * np.exp(-0.91), rel=1e-3
    )
    path = sol(leaf(1.3))
    assert float(qd.jvp(lambda t: path(t)[0], (0.7,), (1.0,))[1].detach()) == pytest.approx(
        -1.3 * np.exp(-0.91), rel=2e-3
    )


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


@pytest.mark.parametrize("ends", [(-1.0, 2.0), (0.0, np.inf), (-np.inf, np.inf)])
def test_integrals_of_complex_functions(ends):
    def whole(k, integrate=integrate):
        wave = lambda x: np.exp(1j * k * x - x * x)
        return integrate.quad(wave, *ends, complex_func=True)[0]

    close(whole(0.7), whole(0.7, theirs), rtol=1e-15)
    want = qd.numeric.derivative(lambda k: whole(k, theirs), 0.7)
    close(qd.jacfwd(whole)(0.7), want, rtol=1e-8)
