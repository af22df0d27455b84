"""Distributions: values are SciPy's, slopes those of differences, in every argument."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import GradientError

theirs = pytest.importorskip("scipy.stats")
stats = qd.scipy.stats

CONTINUOUS = {
    "norm": (), "lognorm": (0.7,), "expon": (), "gamma": (2.5,), "beta": (2.0, 3.0), "t": (4.0,),
    "chi2": (3.0,), "f": (4.0, 6.0), "cauchy": (), "laplace": (), "logistic": (), "uniform": (),
    "weibull_min": (1.7,), "weibull_max": (1.7,), "gumbel_r": (), "gumbel_l": (), "pareto": (2.5,),
    "halfnorm": (), "halfcauchy": (), "invgamma": (2.5,), "rayleigh": (), "truncnorm": (-1.0, 2.0),
    "vonmises": (1.5,), "skewnorm": (1.3,), "genextreme": (0.3,),
}  # fmt: skip
DISCRETE = {
    "poisson": (2.3,), "binom": (7, 0.3), "bernoulli": (0.3,), "nbinom": (3.0, 0.4), "geom": (0.3,),
}  # fmt: skip
LOC, SCALE = 0.3, 1.4
METHODS = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]


def points(name):
    inside = getattr(theirs, name).ppf(np.array([0.02, 0.3, 0.7, 0.98]), *CONTINUOUS[name])
    return LOC + SCALE * inside


CASES = [(n, m) for n in CONTINUOUS for m in METHODS]


@pytest.mark.parametrize("name, method", CASES)
def test_values_within_and_beyond_the_support(name, method):
    xs = np.concatenate([points(name), [-30.0, 31.0]])
    shapes = CONTINUOUS[name]
    with np.errstate(all="ignore"):
        want = getattr(getattr(theirs, name), method)(xs, *shapes, loc=LOC, scale=SCALE)
    x = qd.tensor(xs, requires_grad=True)
    got = getattr(getattr(stats, name), method)(x, *shapes, loc=LOC, scale=SCALE)
    finite = np.isfinite(want)  # where SciPy's own logarithm underflows ours may go on
    if name == "skewnorm":  # whose tails are differences of two numbers
        finite[4:] = False
    close(got.detach()[finite], want[finite], rtol=1e-9, atol=1e-13)
    got.sum().backward()
    assert np.isfinite(x.grad.numpy()[:4]).all()


@pytest.mark.parametrize("name", CONTINUOUS)
def test_slopes(name):
    shapes = [float(s) for s in CONTINUOUS[name]]
    ours, scipys = getattr(stats, name), getattr(theirs, name)
    for method in ("logpdf", "cdf"):
        for x in points(name)[1:3]:
            arguments = [float(x), *shapes, LOC, SCALE]
            which = tuple(range(len(arguments)))
            gradient = qd.grad(getattr(ours, method), argnums=which)(*arguments)
            for k, g in enumerate(gradient):
                h = 1e-5
                up, down = ([a + s * (i == k) for i, a in enumerate(arguments)] for s in (h, -h))
                f = getattr(scipys, method)
                assert float(g) == pytest.approx((f(*up) - f(*down)) / (2 * h), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", ["norm", "gamma", "beta", "t", "weibull_min", "truncnorm"])
def test_second_derivatives(name):
    arguments = [float(points(name)[1]), *map(float, CONTINUOUS[name]), LOC, SCALE]
    assert qd.gradgradcheck(getattr(stats, name).logpdf, *arguments)


@pytest.mark.parametrize("name", ["expon", "gamma", "beta", "uniform", "pareto", "truncnorm"])
def test_nothing_flows_from_beyond_the_support(name):
    f = getattr(stats, name)
    arguments = [-50.0, *map(float, CONTINUOUS[name]), LOC, SCALE]
    found = qd.grad(f.pdf, argnums=tuple(range(len(arguments))))(*arguments)
    assert all(float(g) == 0.0 for g in found)


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf", "sf"])
def test_whole_numbers(name, method):
    ks = np.array([-1, 0, 1, 2, 5, 7, 9])
    shapes = DISCRETE[name]
    with np.errstate(all="ignore"):
        want = getattr(getattr(theirs, name), method)(ks, *shapes)
    tracked = [qd.tensor(s, requires_grad=True) if isinstance(s, float) else s for s in shapes]
    got = getattr(getattr(stats, name), method)(ks, *tracked)
    close(got.detach(), want, rtol=1e-10, atol=1e-14)
    p, h = shapes[-1], 1e-6
    k = 1 if name == "bernoulli" else 2
    f = lambda q: getattr(getattr(stats, name), method)(k, *shapes[:-1], q)
    slope = (float(f(p + h)) - float(f(p - h))) / (2 * h)
    assert float(qd.grad(f)(p)) == pytest.approx(slope, rel=1e-6)


def test_tails_keep_their_digits():
    assert float(qd.grad(stats.norm.logcdf)(-40.0)) == pytest.approx(40.02496884720724, rel=1e-13)
    assert float(qd.grad(stats.logistic.logsf)(800.0)) == -1.0
    assert float(qd.grad(stats.cauchy.sf)(1e8)) == pytest.approx(-1e-16 / np.pi, rel=1e-12)


def test_several_numbers_together():
    x, mean = np.array([0.3, -0.2]), np.array([0.1, 0.4])
    cov = np.array([[1.0, 0.3], [0.3, 2.0]])
    normal = stats.multivariate_normal
    t = qd.tensor(x, requires_grad=True)
    want = theirs.multivariate_normal.logpdf(x, mean, cov)
    assert float(normal.logpdf(t, mean, cov).detach()) == pytest.approx(want, rel=1e-13)
    assert qd.gradcheck(
        lambda x, m, r: normal.logpdf(x, m, r @ r.T), x, mean, np.linalg.cholesky(cov)
    )
    shares, alpha = np.array([0.2, 0.5, 0.3]), np.array([1.5, 2.0, 3.0])
    close(stats.dirichlet.logpdf(shares, qd.tensor(alpha, requires_grad=True)).detach(),
          theirs.dirichlet.logpdf(shares, alpha))  # fmt: skip
    assert qd.gradcheck(lambda a: stats.dirichlet.logpdf(shares, a), alpha)
    counts = np.array([1, 2, 3])
    close(stats.multinomial.pmf(counts, 6, qd.tensor(shares, requires_grad=True)).detach(),
          theirs.multinomial.pmf(counts, 6, shares))  # fmt: skip


def test_frozen_batched_and_compiled():
    x = np.array([0.1, 0.9, 2.0])
    slope = (0.1 - 0.5) / 4.0
    f = lambda m: stats.norm(m, 2.0).logpdf(0.1)
    assert float(qd.grad(f)(0.5)) == pytest.approx(slope)
    g = qd.grad(lambda x, a: stats.gamma.logpdf(x, a), argnums=(0, 1))
    one_by_one = np.array([[float(v) for v in g(p, 2.5)] for p in x])
    close(np.stack(qd.vmap(g, (0, None))(x, 2.5), 1), one_by_one)
    close(qd.jit(qd.grad(lambda s: np.sum(stats.norm.logpdf(x, scale=s))))(1.3),
          qd.grad(lambda s: np.sum(stats.norm.logpdf(x, scale=s)))(1.3))  # fmt: skip


def test_lifted():
    f = lambda m: theirs.norm.logpdf(0.1, m, 2.0) + theirs.norm(m, 2.0).logpdf(0.1)
    assert float(qd.grad(f, numpy="lift")(0.5)) == pytest.approx(2 * (0.1 - 0.5) / 4.0)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_samples_on_one_scale(axis):
    x = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])
    t = qd.tensor(x, requires_grad=True)
    close(stats.zscore(t, axis, ddof=1).detach(), theirs.zscore(x, axis, ddof=1))
    assert qd.gradcheck(lambda x: np.sum(stats.zscore(x, axis) ** 3), x)


def moved(name):
    """The parameters of a distribution as numbers, with loc and scale."""
    return [*map(float, CONTINUOUS[name]), LOC, SCALE]


@pytest.mark.parametrize("name", CONTINUOUS)
def test_quantiles(name):
    ours, scipys = getattr(stats, name), getattr(theirs, name)
    qs = np.array([0.0, 0.02, 0.3, 0.7, 0.98, 1.0, 1.5, np.nan])
    for method in ("ppf", "isf"):
        f, g = getattr(ours, method), getattr(scipys, method)
        want = g(qs, *moved(name))
        got = f(qd.tensor(qs, requires_grad=True), *moved(name))
        assert np.allclose(got.detach(), want, equal_nan=True, rtol=1e-12)
        got[1:5].sum().backward()
        arguments = [0.3, *moved(name)]
        slopes = qd.grad(f, argnums=tuple(range(len(arguments))))(*arguments)
        for k, slope in enumerate(slopes):
            h = 1e-5
            up, down = ([a + s * (i == k) for i, a in enumerate(arguments)] for s in (h, -h))
            assert float(slope) == pytest.approx((g(*up) - g(*down)) / (2 * h), rel=2e-5, abs=1e-7)
    assert float(ours.median(*moved(name)[:-1], scale=qd.tensor(SCALE)).detach()) == pytest.approx(
        scipys.median(*moved(name))
    )


@pytest.mark.parametrize("name", ["gamma", "weibull_min"])
def test_second_derivatives_of_quantiles(name):
    assert qd.gradgradcheck(getattr(stats, name).ppf, 0.3, *moved(name))


def test_quantiles_batched_compiled_and_in_the_tail():
    qs, shapes = np.array([0.1, 0.5, 0.9]), np.array([1.0, 2.0, 3.0])
    f = lambda q, a: stats.gamma.ppf(q, a, scale=1.3)
    close(qd.vmap(f)(qs, shapes), theirs.gamma.ppf(qs, shapes, scale=1.3))
    close(
        qd.jit(qd.grad(lambda a: np.sum(f(qs, a))))(2.0), qd.grad(lambda a: np.sum(f(qs, a)))(2.0)
    )
    slope = qd.grad(stats.norm.isf)(1e-40)
    assert float(slope) == pytest.approx(-1 / theirs.norm.pdf(theirs.norm.isf(1e-40)), rel=1e-9)
    low, high = stats.norm.interval(0.9, qd.tensor(0.3), 2.0)
    want = theirs.norm.interval(0.9, 0.3, 2.0)
    close(np.stack([low.detach(), high.detach()]), want)
    assert float(qd.grad(lambda mu: stats.poisson.ppf(0.4, mu))(3.3)) == 0.0
    assert stats.poisson.ppf(qd.tensor(0.4), 3.3) == theirs.poisson.ppf(0.4, 3.3)


@pytest.mark.parametrize("method", ["mean", "var", "std", "entropy"])
@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_moments(name, method):
    discrete = name in DISCRETE
    arguments = [*map(float, DISCRETE[name]), LOC] if discrete else moved(name)
    f, g = getattr(getattr(stats, name), method), getattr(getattr(theirs, name), method)
    known = {
        "entropy": name not in ("skewnorm", "poisson", "binom", "nbinom"),
        "var": name != "vonmises",
        "std": name != "vonmises",
    }.get(method, True)
    last = qd.tensor(arguments[-1], requires_grad=True)
    if not known:
        with pytest.raises(GradientError, match="it has no closed form"):
            f(*arguments[:-1], last)
        return
    want = g(*arguments)
    assert f(*arguments) == want or np.isnan(want)
    found = f(*arguments[:-1], last).detach()
    assert float(found) == pytest.approx(float(want), rel=1e-7, nan_ok=True)
    if not np.isfinite(want):
        return
    for k in range(len(arguments)):
        h = 1e-5
        up, down = ([a + s * (i == k) for i, a in enumerate(arguments)] for s in (h, -h))
        if name == "binom" and k == 0:
            continue  # SciPy's are for whole numbers of trials
        slope = (g(*up) - g(*down)) / (2 * h)
        assert float(qd.grad(f, argnums=k)(*arguments)) == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_moments_that_are_infinite():
    for name, shapes in [
        ("pareto", (0.5,)),
        ("invgamma", (0.7,)),
        ("f", (3.0, 1.5)),
        ("t", (1.5,)),
    ]:
        scale = qd.tensor(1.0)
        assert float(getattr(stats, name).var(*shapes, scale=scale).detach()) == np.inf
    assert np.isnan(float(stats.t.mean(0.5, scale=qd.tensor(1.0)).detach()))
    ends = stats.truncnorm.var(-1.0, np.inf, scale=qd.tensor(1.3)).detach()
    assert float(ends) == pytest.approx(theirs.truncnorm.var(-1.0, np.inf, scale=1.3))


def slope_of_share(mpmath, x, kappa):
    """How the probability of an angle up to x goes by kappa, in many digits.

    It is U / T with U the integral of e^(kappa (cos t - 1)) up to x, and T that of the circle.
    """
    parts = np.linspace(-np.pi, x, 9)
    density = lambda t: mpmath.exp(kappa * (mpmath.cos(t) - 1))
    u = mpmath.quad(density, parts)
    du = mpmath.quad(lambda t: (mpmath.cos(t) - 1) * density(t), parts)
    i0, i1 = (mpmath.besseli(n, kappa) for n in (0, 1))
    return (du - u * (i1 / i0 - 1)) / (2 * mpmath.pi * mpmath.exp(-kappa) * i0)


@pytest.mark.parametrize("kappa", [0.05, 4.0, 60.0, 3000.0])
def test_the_circle(kappa):
    mpmath = pytest.importorskip("mpmath")
    wide = min(3.0, 2.0 / np.sqrt(kappa))
    for x in (-wide, 0.3 * wide):
        in_kappa = slope_of_share(mpmath, x, kappa)
        found = qd.grad(stats.vonmises.cdf, argnums=(0, 1))(x, kappa)
        assert float(found[0]) == pytest.approx(theirs.vonmises.pdf(x, kappa), rel=1e-9)
        assert float(found[1]) == pytest.approx(float(in_kappa), rel=1e-7, abs=1e-13)
        t = qd.tensor(x, requires_grad=True)
        assert float(stats.vonmises.cdf(t, kappa).detach()) == theirs.vonmises.cdf(x, kappa)
        turn = 2 * np.pi
        assert float(qd.grad(stats.vonmises.cdf)(x + 3 * turn, kappa)) == pytest.approx(
            theirs.vonmises.pdf(x, kappa), rel=1e-9
        )


def test_the_circle_batched_and_to_second_order():
    kappas, x = np.array([0.5, 4.0, 900.0]), 0.03
    f = qd.grad(stats.vonmises.cdf, argnums=1)
    close(qd.vmap(f, (None, 0))(x, kappas), [f(x, k) for k in kappas])
    close(qd.jit(f)(x, 4.0), f(x, 4.0))
    second = qd.grad(qd.grad(lambda x: stats.vonmises.cdf(x, 1.5)))(0.4)
    assert float(second) == pytest.approx(-1.5 * np.sin(0.4) * theirs.vonmises.pdf(0.4, 1.5))


def test_more_numbers_together():
    x, loc = np.array([[0.3, -0.2], [1.0, 0.5]]), np.array([0.1, 0.4])
    root = np.linalg.cholesky(np.array([[1.0, 0.3], [0.3, 2.0]]))
    f = lambda x, loc, r, df: stats.multivariate_t.logpdf(x, loc, r @ r.T, df)
    want = theirs.multivariate_t.logpdf(x, loc, root @ root.T, 3.5)
    close(f(qd.tensor(x), loc, root, 3.5).detach(), want)
    close(stats.multivariate_t.pdf(qd.tensor(x), loc, root @ root.T, 3.5).detach(), np.exp(want))
    assert qd.gradcheck(f, x, loc, root, 3.5)
    assert f(x[0], loc, root, 3.5) == theirs.multivariate_t.logpdf(x[0], loc, root @ root.T, 3.5)
    one = stats.multivariate_t.logpdf(qd.tensor(x[0]), 0.0, 1.3, 2.0).detach()
    close(one, theirs.multivariate_t.logpdf(x[0], 0.0, 1.3, 2.0))
    base = np.array([[1.2, 0.1], [0.4, 0.9]])
    g = lambda b, df, r: stats.wishart.logpdf(b @ b.T, df, r @ r.T)
    want = theirs.wishart.logpdf(base @ base.T, 3.5, root @ root.T)
    close(g(qd.tensor(base), 3.5, root).detach(), want)
    assert g(base, 3.5, root) == want
    close(stats.wishart.pdf(base @ base.T, qd.tensor(3.5), root @ root.T).detach(), np.exp(want))
    assert qd.gradcheck(g, base, 3.5, root)


@pytest.mark.parametrize("bandwidth", [None, "scott", "silverman", 0.4, lambda kde: 0.3])
def test_densities_of_samples(bandwidth):
    samples = np.array([[0.3, 1.2, -0.5, 0.9], [1.0, 0.2, 0.4, -1.1]])
    weights, points = np.array([1.0, 2.0, 0.5, 1.5]), np.array([[0.1, 0.8], [0.2, -0.4]])
    for method in ("evaluate", "pdf", "logpdf", "__call__"):
        f = lambda s, w, p, m=method: getattr(stats.gaussian_kde(s, bandwidth, w), m)(p)
        want = getattr(theirs.gaussian_kde(samples, bandwidth, weights), method)(points)
        assert np.array_equal(f(samples, weights, points), want)
        close(f(qd.tensor(samples), weights, points).detach(), want)
        close(f(samples, weights, qd.tensor(points)).detach(), want)
    assert qd.gradcheck(f, samples, weights, points)
    row = stats.gaussian_kde(samples[0], bandwidth)(qd.tensor(points[0])).detach()
    close(row, theirs.gaussian_kde(samples[0], bandwidth)(points[0]))
    if not callable(bandwidth):
        close(qd.jit(f)(samples, weights, points), f(samples, weights, points))
        pair = np.stack([samples, samples**2])
        close(qd.vmap(f, (0, None, None))(pair, weights, points),
              [f(s, weights, points) for s in pair])  # fmt: skip
    if bandwidth == 0.4:
        assert qd.gradcheck(lambda h: stats.gaussian_kde(samples, h)(points), 0.4)
    assert stats.gaussian_kde(samples).neff == pytest.approx(4.0)


@pytest.mark.parametrize(
    "method, slope", [("cdf", 0.5), ("sf", -0.5), ("logcdf", 1.0), ("logsf", -1.0)]
)
def test_the_halves_of_the_laplace_distribution_meet_smoothly(method, slope):
    assert qd.grad(getattr(stats.laplace, method))(0.0) == slope


def test_the_quantile_at_the_median_of_the_laplace_distribution():
    close(qd.grad(stats.laplace.ppf)(0.5), 2.0)


@pytest.mark.parametrize("method", METHODS)
def test_the_extreme_value_distribution_around_the_shape_0(method):
    xs = np.array([-1.0, 0.0, 0.4, 2.0])
    at_zero = getattr(stats.genextreme, method)
    close(qd.jvp(at_zero, (xs, 0.0), (0 * xs, 0.0))[0], getattr(theirs.gumbel_r, method)(xs))
    slope = qd.jacobian(lambda c: at_zero(xs, c))
    by_difference = qd.numeric.jacobian(lambda c: getattr(theirs.genextreme, method)(xs, c), 0.3)
    close(slope(0.3), by_difference, rtol=1e-7)
    at_last = qd.numeric.jacobian(lambda c: np.asarray(at_zero(xs, qd.tensor(c))), 0.0, step=0.1)
    close(slope(0.0), at_last, rtol=1e-6)
    close(slope(1e-9), slope(0.0), rtol=1e-7)
