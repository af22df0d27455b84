"""Draws that move with their parameters: NumPy's numbers, exact slopes, honest expectations."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, plain
from qiudao.core.errors import DtypeError, NotDifferentiableError, ShapeError, TraceError
from qiudao.random.gammas import digamma, slope_in_shape

R = qd.random
N = 20_000


def numpys(name, *parameters, size):
    return getattr(np.random.default_rng(7), name)(*parameters, size)


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("normal", (0.5, 2.0)),
        ("lognormal", (0.5, 0.3)),
        ("uniform", (-1.0, 2.0)),
        ("exponential", (1.5,)),
        ("laplace", (0.5, 2.0)),
        ("logistic", (0.5, 2.0)),
        ("gumbel", (0.5, 2.0)),
        ("gamma", (0.7, 2.0)),
        ("gamma", (3.0, 0.5)),
        ("chisquare", (3.0,)),
    ],
)
class TestOfOneStandardDraw:
    def test_the_numbers_are_numpys(self, name, parameters):
        given = [qd.tensor(p, requires_grad=True) for p in parameters]
        draws = getattr(R, name)(np.random.default_rng(7), *given, shape=(5, 3))
        assert draws.requires_grad
        close(draws, numpys(name, *parameters, size=(5, 3)))
        close(getattr(R, name)(7, *parameters, shape=15), plain(draws).reshape(-1))

    def test_slopes_are_those_of_the_same_random_numbers(self, name, parameters):
        if name in ("gamma", "chisquare"):
            pytest.skip("its numbers are accepted or rejected by the parameter: see below")
        for i, p in enumerate(parameters):
            before, after = parameters[:i], parameters[i + 1 :]
            f = lambda t, b=before, a=after: getattr(R, name)(7, *b, t, *a, shape=9)
            _, slope = qd.jvp(f, (p,), (1.0,))
            h = 1e-6
            close(slope, (f(p + h) - f(p - h)) / (2 * h), rtol=1e-7, atol=1e-8)


# Expectations with a known gradient: of the mean and of the mean square, in each parameter.
EXPECTATIONS = {
    "normal": (lambda p, n: R.normal(3, *p, n), (0.5, 1.5), lambda m, s: m**2 + s**2),
    "uniform": (
        lambda p, n: R.uniform(3, *p, n),
        (-1.0, 2.0),
        lambda a, b: (a * a + a * b + b * b) / 3,
    ),
    "exponential": (lambda p, n: R.exponential(3, *p, n), (1.5,), lambda s: 2 * s**2),
    "laplace": (lambda p, n: R.laplace(3, *p, n), (0.5, 1.2), lambda m, s: m**2 + 2 * s**2),
    "logistic": (
        lambda p, n: R.logistic(3, *p, n),
        (0.5, 1.2),
        lambda m, s: m**2 + s**2 * np.pi**2 / 3,
    ),
    "gumbel": (
        lambda p, n: R.gumbel(3, *p, n),
        (0.5, 1.2),
        lambda m, s: (m + np.euler_gamma * s) ** 2 + s**2 * np.pi**2 / 6,
    ),
    "gamma": (lambda p, n: R.gamma(3, *p, n), (1.7, 0.8), lambda a, s: a * (a + 1) * s**2),
    "small gamma": (lambda p, n: R.gamma(3, *p, n), (0.3, 1.0), lambda a, s: a * (a + 1) * s**2),
    "chisquare": (lambda p, n: R.chisquare(3, *p, n), (3.5,), lambda k: k * (k + 2)),
    "beta": (
        lambda p, n: R.beta(3, *p, n),
        (1.5, 2.5),
        lambda a, b: a * (a + 1) / ((a + b) * (a + b + 1)),
    ),
    "student_t": (
        lambda p, n: R.student_t(3, *p, shape=n),
        (12.0, 0.5, 1.3),
        lambda k, m, s: m**2 + s**2 * k / (k - 2),
    ),
}


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_the_mean_gradient_is_that_of_the_expectation(name):
    """Within four standard errors, which the draws themselves tell."""
    draw, parameters, expectation = EXPECTATIONS[name]
    for i in range(len(parameters)):
        point = tuple(1.0 if j == i else 0.0 for j in range(len(parameters)))
        squares = lambda *p: draw(p, N) ** 2
        _, slopes = qd.jvp(squares, parameters, point)
        error = np.std(slopes) / np.sqrt(N)
        wanted = qd.grad(expectation, i)(*parameters)
        assert abs(np.mean(slopes) - wanted) < 4 * error
        assert error < 0.2


def test_digamma():
    mpmath = pytest.importorskip("mpmath")
    for a in (1e-3, 0.3, 1.0, 4.5, 80.0, 1e6):
        close(digamma(np.float64(a)), float(mpmath.digamma(a)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("a", [0.5, 1.0, 3.0, 40.0, 900.0])
@pytest.mark.parametrize("u", [0.01, 0.4, 0.6, 0.999])
def test_a_gamma_draw_keeps_its_rank(a, u):
    special = pytest.importorskip("scipy.special")
    z = special.gammaincinv(a, u)
    if z < 1e-250:
        return
    h = 1e-5 * a
    wanted = (special.gammaincinv(a + h, u) - special.gammaincinv(a - h, u)) / (2 * h)
    close(slope_in_shape(np.float64(a), np.float64(z)), wanted, rtol=2e-6, atol=0)


def test_the_slope_of_a_gamma_draw_is_exact():
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(30):
        for a, z in ((0.05, 1e-3), (0.3, 0.1), (2.0, 3.5), (12.0, 9.0)):
            rate = mpmath.diff(lambda t, z=z: mpmath.gammainc(t, 0, z, regularized=True), a)
            density = z ** mpmath.mpf(a - 1) * mpmath.exp(-z) / mpmath.gamma(a)
            wanted = float(-rate / density)
            close(slope_in_shape(np.float64(a), np.float64(z)), wanted, rtol=1e-9, atol=0)


def test_second_derivatives_of_gamma_draws():
    special = pytest.importorskip("scipy.special")
    draw, a, h = np.float64(1.4), 2.5, 1e-3
    u = special.gammainc(a, draw)
    z = lambda t: special.gammaincinv(t, u)
    second = (z(a + h) - 2 * z(a) + z(a - h)) / h**2
    f = lambda t: R.implicit_gamma(draw, t)
    close(qd.grad(qd.grad(f))(a), second, rtol=1e-5, atol=0)
    close(qd.jvp(qd.grad(f), (a,), (1.0,))[1], second, rtol=1e-5, atol=0)
    close(R.implicit_gamma(draw, a), draw)


def test_dirichlet():
    alpha = np.array([0.8, 1.5, 3.0])
    draws = R.dirichlet(1, qd.tensor(alpha, requires_grad=True), shape=(6,))
    close(np.sum(draws, axis=-1), np.ones(6))
    total = alpha.sum()
    _, slopes = qd.jvp(lambda a: R.dirichlet(1, a, shape=N)[:, 0], (alpha,), (np.eye(3)[0],))
    wanted = (total - alpha[0]) / total**2
    assert abs(slopes.mean() - wanted) < 4 * slopes.std() / np.sqrt(N)


def test_multivariate_normal():
    mean, cov = np.array([1.0, -1.0]), np.array([[2.0, 0.6], [0.6, 1.0]])
    draws = R.multivariate_normal(5, mean, cov, shape=N)
    close(np.cov(draws.T), cov, rtol=0.05, atol=0.03)
    second = lambda c: R.multivariate_normal(5, mean, c, shape=N)[:, 0] ** 2
    _, slopes = qd.jvp(second, (cov,), (np.array([[1.0, 0.0], [0.0, 0.0]]),))
    assert abs(slopes.mean() - 1.0) < 4 * slopes.std() / np.sqrt(N)
    close(qd.jacobian(lambda m: R.multivariate_normal(5, m, cov))(mean), np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        R.multivariate_normal(0, mean, -cov)
    with pytest.raises(ShapeError, match=r"multivariate_normal: f64\[2\] and f64\[3, 3\] do not"):
        R.multivariate_normal(0, mean, np.eye(3))


def test_gumbel_softmax():
    p = np.array([0.2, 0.3, 0.5])
    logits = np.log(p)
    hard = R.categorical(0, logits, shape=N)
    assert set(np.unique(hard)) == {0.0, 1.0}
    close(hard.mean(axis=0), p, rtol=0, atol=4 * 0.5 / np.sqrt(N))
    soft = lambda x: np.sum(R.gumbel_softmax(0, x, 0.7, shape=5) * np.arange(3.0))
    gradient = qd.grad(soft)(logits)
    for k in range(3):
        step = 1e-6 * np.eye(3)[k]
        close(gradient[k], (soft(logits + step) - soft(logits - step)) / 2e-6, rtol=1e-6)
    through = qd.grad(lambda x: np.sum(R.categorical(0, x, 0.7, shape=5) * np.arange(3.0)))(logits)
    close(through, gradient)
    cold = plain(R.gumbel_softmax(0, logits, 1e-3, shape=50))
    close(cold, plain(R.categorical(0, logits, shape=50)), atol=1e-3)


def test_single_precision_stays():
    loc = qd.tensor(np.float32([1.0, 2.0]), requires_grad=True)
    draws = R.normal(0, loc, np.float32(1.0))
    assert draws.dtype == np.float32
    draws.sum().backward()
    assert loc.grad.dtype == np.float32
    assert R.gamma(0, np.float32([1.0, 2.0])).dtype == np.float32


def test_a_generator_moves_on_and_a_seed_does_not():
    rng = np.random.default_rng(0)
    assert R.normal(rng) != R.normal(rng)
    assert R.normal(0) == R.normal(0)


def test_outside_draws_go_into_traced_functions():
    z = np.random.default_rng(0).standard_normal(4)
    g = np.random.default_rng(0).standard_gamma(2.0, 4)
    f = lambda a, z, g: np.sum(1.0 + a * z) + np.sum(R.implicit_gamma(g, a) ** 2)
    close(qd.jit(qd.grad(f))(2.0, z, g), qd.grad(f)(2.0, z, g))


REFUSED = {
    "in a traced function": (
        lambda: qd.jit(lambda m: R.normal(0, m))(1.0),
        TraceError,
        "normal: a draw inside a traced function would be the same numbers in every call; draw "
        "outside and pass the draws as an argument: z = rng.standard_normal(n), and loc + scale * "
        "z inside (for a gamma, qd.random.implicit_gamma(draws, a))",
    ),
    "without a generator": (
        lambda: R.normal(None, 0.0),
        DtypeError,
        "normal: rng is a NoneType; give np.random.default_rng(seed), or the seed, a whole number "
        ">= 0",
    ),
    "a negative seed": (
        lambda: R.normal(-1, 0.0),
        DtypeError,
        "normal: rng is -1; give np.random.default_rng(seed), or the seed, a whole number >= 0",
    ),
    "a negative scale": (
        lambda: R.laplace(0, 0.0, np.array([1.0, -2.0])),
        ValueError,
        "laplace: the scale is negative, -2; give 0 or more",
    ),
    "a range upside down": (
        lambda: R.uniform(0, 2.0, 1.0),
        ValueError,
        "uniform: high - low is negative, -1; give 0 or more",
    ),
    "a gamma of a negative scale": (
        lambda: R.gamma(0, 1.0, -2.0),
        ValueError,
        "gamma: the scale is negative, -2; give 0 or more",
    ),
    "parameters that do not fit": (
        lambda: R.beta(0, np.ones(2), np.ones(3)),
        ShapeError,
        "beta: parameters of shapes (2,), (3,) do not broadcast; give one for each draw",
    ),
    "a shape that is none": (
        lambda: R.normal(0, shape=1.5),
        ShapeError,
        "normal: shape=1.5; it must be whole numbers, at least 0",
    ),
    "complex": (
        lambda: R.normal(0, 1j),
        DtypeError,
        "normal: a parameter is complex128; parameters must be real numbers",
    ),
    "a shape too small": (
        lambda: R.normal(0, np.zeros(3), shape=(2,)),
        ShapeError,
        "normal: draws of shape (2,) for parameters that broadcast to (3,); the shape must contain "
        "that of the parameters",
    ),
    "a gamma of nothing": (
        lambda: R.gamma(0, 0.0),
        ValueError,
        "gamma: a parameter is not positive; gamma parameters must be",
    ),
    "a gamma under vmap": (
        lambda: qd.vmap(lambda a: R.gamma(0, a))(np.ones(2)),
        NotDifferentiableError,
        "gamma: under vmap the parameter differs between examples and the draws cannot; draw for "
        "all examples at once, outside of vmap",
    ),
    "one share": (
        lambda: R.dirichlet(0, 2.0),
        ShapeError,
        "dirichlet: alpha is one number; give one for each share",
    ),
    "one logit": (
        lambda: R.categorical(0, 1.0),
        ShapeError,
        "gumbel_softmax: logits is one number; give one for each outcome",
    ),
    "no temperature": (
        lambda: R.categorical(0, np.ones(2), 0.0),
        ValueError,
        "gumbel_softmax: temperature=0.0 is not positive",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    act, error, text = REFUSED[name]
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value).partition(" (at")[0].startswith(text[:80])
    assert text in str(caught.value)


@pytest.mark.parametrize("a", [0.01, 0.001])
def test_shares_of_small_parameters_are_near_0_and_1_though_gamma_draws_underflow(a):
    x = R.beta(0, a, a, shape=N)
    between = np.mean((x > 0.1) & (x < 0.9))
    assert abs(between - a * np.log(9.0)) < 4e-3  # of the density a / (2 x (1 - x)), for small a
    largest = np.max(R.dirichlet(0, np.full(3, a), shape=N), axis=-1)
    assert np.mean(largest < 0.9) < 0.06


def test_slopes_of_shares_of_small_parameters():
    """Of E x = a / (a + b)."""
    mean = lambda a, b: np.mean(R.beta(0, a, b, shape=10 * N))
    found = qd.grad(mean, (0, 1))(0.01, 0.02)
    close(found, np.array([0.02, -0.01]) / 0.03**2, rtol=0.05)
    assert R.beta(0, np.float32(0.001), np.float32(0.01), shape=4).dtype == np.float32
