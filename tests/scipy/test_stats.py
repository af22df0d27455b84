"""Distributions: values are SciPy's, slopes those of differences, in every argument."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

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


def known(name, method):
    return name != "vonmises" or method.endswith("pdf")


CASES = [(n, m) for n in CONTINUOUS for m in METHODS if known(n, m)]


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
    for method in ("logpdf", "cdf") if known(name, "cdf") else ("logpdf",):
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
