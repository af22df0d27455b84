"""First and second derivatives against mpmath, relative: tails, poles, large and small arguments.

A row is a function, the same of mpmath's, the operand, and points; `WITHIN` has the rows that do
not reach 1e-12, and why.
"""

import mpmath as mp
import numpy as np
import pytest

import qiudao as qd

sc = pytest.importorskip("scipy.special")

TYPICAL = 1e-12


def phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def owens(h, a):
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


def gamma_p(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def gamma_q(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def beta_i(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def student_nc(df, nc, t):
    def density(s):
        u = t * s - nc
        return mp.erfc(-u / mp.sqrt(2)) * s ** (df - 1) * mp.exp(-df * s * s / 2)

    scale = (mp.mpf(df) / 2) ** (mp.mpf(df) / 2) / mp.gamma(mp.mpf(df) / 2)
    return scale * mp.quad(density, [0, 0.5, 1, 2, 8])


def student(df, t):
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2
    return tail if t < 0 else 1 - tail


ROWS = {
    "gamma": (mp.gamma, 0, [(0.001,), (1.4616,), (2.5,), (-1.5,), (-0.999,), (50.0,), (150.0,)]),
    "gammaln": (lambda x: mp.log(abs(mp.gamma(x))), 0, [(1e-5,), (1.3,), (3.0,), (1e6,), (-2.4,)]),
    "psi": (lambda x: mp.psi(0, x), 0, [(1e-4,), (0.5,), (3.0,), (1e5,), (-1.3,), (-7.9,)]),
    "rgamma": (mp.rgamma, 0, [(0.0,), (-1.0,), (-2.0,), (0.3,), (1.7,), (-2.5,), (20.0,)]),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), 0, [(2.0, 3.0), (1e6, 1e-2), (1e5, 3.0)]),
    "poch": (mp.rf, 0, [(3.0, 2.5), (1e6, 0.5), (0.3, 1.2)]),
    "binom": (mp.binomial, 1, [(5.5, 2.5), (3.0, 5.0), (10.0, 3.0), (3.0, -2.0)]),
    "erf": (mp.erf, 0, [(0.0,), (1e-8,), (1.0,), (-3.0,), (10.0,), (20.0,)]),
    "erfc": (mp.erfc, 0, [(0.5,), (3.0,), (15.0,)]),
    "erfcx": (
        lambda x: mp.exp(x * x) * mp.erfc(x),
        0,
        [(-2.0,), (0.0,), (0.99,), (1.01,), (9.0,), (1e3,), (1e8,)],
    ),
    "erfi": (mp.erfi, 0, [(0.1,), (2.0,)]),
    "dawsn": (
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        0,
        [(0.0,), (0.5,), (2.0,), (7.5,), (30.0,), (1e4,)],
    ),
    "ndtr": (phi, 0, [(0.0,), (2.0,), (-8.0,), (-30.0,)]),
    "log_ndtr": (lambda x: mp.log(phi(x)), 0, [(0.0,), (3.0,), (-5.0,), (-50.0,), (-1e6,), (8.0,)]),
    "ndtri": (lambda y: mp.sqrt(2) * mp.erfinv(2 * y - 1), 0, [(0.3,), (0.6,), (1e-3,)]),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), 0, [(0.3,), (1e-9,), (30.0,), (-700.0,), (500.0,)]),
    "logit": (lambda x: mp.log(x / (1 - x)), 0, [(0.3,), (1e-20,), (0.999,)]),
    "log_expit": (lambda x: -mp.log(1 + mp.exp(-x)), 0, [(2.0,), (-40.0,), (40.0,)]),
    "exprel": (
        lambda x: mp.expm1(x) / x if x else mp.mpf(1),
        0,
        [(1e-9,), (0.3,), (-5.0,), (40.0,), (-60.0,)],
    ),
    "boxcox": (
        lambda x, k: mp.expm1(k * mp.log(x)) / k if k else mp.log(x),
        1,
        [(2.0, 1e-8), (2.0, 0.7), (0.1, -3.0)],
    ),
    "inv_boxcox": (lambda y, k: mp.exp(mp.log1p(k * y) / k), 1, [(1.5, 1e-7), (1.5, 0.7)]),
    "pseudo_huber": (
        lambda d, r: d**2 * (mp.sqrt(1 + (r / d) ** 2) - 1),
        0,
        [(2.0, 1e-4), (0.5, 7.0), (1e-10, 1.5)],
    ),
    "kl_div": (
        lambda x, y: x * mp.log(x / y) - x + y,
        0,
        [(1.0, 1.0 + 1e-9), (0.3, 0.9), (5.0, 1e-3)],
    ),
    "rel_entr": (lambda x, y: x * mp.log(x / y), 0, [(0.3, 0.9), (1e-30, 0.5)]),
    "expi": (mp.ei, 0, [(0.1,), (3.0,), (-2.0,), (40.0,)]),
    "exp1": (mp.e1, 0, [(1e-3,), (3.0,), (40.0,)]),
    "spence": (lambda z: mp.polylog(2, 1 - z), 0, [(1.0 + 1e-8,), (0.3,), (1.8,), (1e-12,)]),
    "shichi": (mp.shi, 0, [(1e-9,), (0.7,), (-5.0,), (40.0,)]),
    "zetac": (
        lambda s: mp.zeta(s) - 1,
        0,
        [(1.01,), (2.0,), (30.0,), (0.5,), (-0.5,), (-3.7,), (-12.3,)],
    ),
    "j0": (lambda x: mp.besselj(0, x), 0, [(0.0,), (1e-5,), (1.0,), (30.0,)]),
    "j1": (lambda x: mp.besselj(1, x), 0, [(0.0,), (1.0,), (30.0,)]),
    "jv": (mp.besselj, 1, [(2.5, 0.1), (2.5, 7.0), (20.0, 3.0)]),
    "yv": (mp.bessely, 1, [(1.5, 0.3), (2.0, 9.0)]),
    "iv": (mp.besseli, 1, [(0.5, 0.1), (2.0, 20.0)]),
    "kv": (mp.besselk, 1, [(0.5, 0.1), (2.0, 20.0)]),
    "kv by v": (mp.besselk, 0, [(0.5, 0.1), (2.0, 20.0), (7.5, 1e-3), (30.0, 2.0)]),
    "i0e": (lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), 0, [(0.5,), (10.0,)]),
    "k0e": (lambda x: mp.exp(x) * mp.besselk(0, x), 0, [(0.5,), (10.0,)]),
    "gammainc by a": (
        gamma_p,
        0,
        [
            (2.0, 1.0),
            (2.0, 30.0),
            (0.1, 1e-3),
            (50.0, 45.0),
            (300.0, 310.0),
            (1e-2, 5.0),
            (20.0, 0.1),
        ],
    ),
    "gammainc by x": (gamma_p, 1, [(2.0, 1.5), (50.0, 45.0), (300.0, 310.0), (0.3, 1e-6)]),
    "gammaincc by a": (gamma_q, 0, [(3.0, 60.0), (10.0, 2.0)]),
    "betainc by a": (
        beta_i,
        0,
        [
            (2.0, 3.0, 0.4),
            (0.1, 0.2, 0.01),
            (30.0, 50.0, 0.3),
            (5.0, 2.0, 0.999),
            (0.5, 400.0, 1e-3),
        ],
    ),
    "betainc by b": (
        beta_i,
        1,
        [(2.0, 3.0, 0.4), (0.1, 0.2, 0.01), (30.0, 50.0, 0.3), (5.0, 2.0, 0.01)],
    ),
    "betainc by x": (beta_i, 2, [(2.0, 3.0, 0.4), (30.0, 50.0, 0.3), (0.3, 0.4, 1e-8)]),
    "stdtr by df": (student, 0, [(3.0, 1.5), (3.0, -20.0), (0.7, 0.2), (30.0, -1.0)]),
    "stdtr by t": (student, 1, [(3.0, 1.5), (3.0, -200.0), (40.0, 0.1)]),
    "nctdtr by t": (student_nc, 2, [(4, 1.5, 0.7)]),
    "nctdtr by nc": (student_nc, 1, [(4, 0.5, 0.7)]),
    "owens_t": (owens, 0, [(0.5, 0.7), (3.0, 2.0)]),
    "hyp1f1": (mp.hyp1f1, 2, [(1.5, 2.5, 0.7), (0.5, 1.5, -10.0)]),
    "hyp2f1": (mp.hyp2f1, 3, [(0.5, 1.5, 2.5, 0.3), (1.0, 2.0, 3.0, -4.0)]),
    "ellipk": (mp.ellipk, 0, [(0.0,), (1e-10,), (0.5,), (-3.0,), (0.999,)]),
    "ellipe": (mp.ellipe, 0, [(0.0,), (0.5,), (-30.0,), (0.99,)]),
    "ellipkinc": (mp.ellipf, 1, [(0.7, 0.0), (0.7, 0.6), (2.5, 0.3), (-1.2, -5.0)]),
    "ellipeinc": (mp.ellipe, 1, [(0.7, 0.0), (0.7, 0.6), (2.5, 0.3)]),
    "elliprf": (lambda x, y, z: mp.elliprf(x, y, z), 0, [(1.0, 1.0, 1.0), (1e-3, 2.0, 50.0)]),
    "elliprj": (
        lambda x, y, z, p: mp.elliprj(x, y, z, p),
        3,
        [(1.0, 2.0, 3.0, 2.0), (0.1, 2.0, 5.0, 1e-2)],
    ),
    "agm": (mp.agm, 0, [(1.0, 1.0), (1.0, 3.0), (5.0, 1e-2)]),
    "eval_legendre": (mp.legendre, 1, [(3, 0.3), (7, 0.9)]),
}

WITHIN = {
    "i0e": (1e-12, 1e-10),  # a difference of two scaled functions: loses a factor 2 x an order
    "k0e": (1e-12, 1e-10),  # the same
    "hyp1f1": (1e-11, 1e-11),  # as accurate as SciPy's own function
    "hyp2f1": (1e-11, 1e-11),  # as accurate as SciPy's own function
}


DIGITS = {  # of the reference: where its difference from 1 is tiny, and where it is slow
    "erf": 320,
    "expit": 320,
    "nctdtr by nc": 40,
    "nctdtr by t": 40,
    "owens_t": 40,
}


def run(name):
    function, _, _ = name.partition(" by ")
    return (lambda x: sc.shichi(x)[0]) if function == "shichi" else getattr(sc, function)


def cases():
    for name, (_, _, points) in ROWS.items():
        for xs in points:
            yield pytest.param(name, xs, id=f"{name}{xs}")


@pytest.mark.parametrize("name, xs", list(cases()))
def test_first_and_second(name, xs):
    reference, i, _ = ROWS[name]
    f = run(name)
    exact = [mp.mpf(x) if isinstance(x, float) else x for x in xs]

    def ours(x):
        return f(*xs[:i], x, *xs[i + 1 :])

    def theirs(x):
        return reference(*exact[:i], x, *exact[i + 1 :])

    with mp.workdps(DIGITS.get(name, 60)), np.errstate(all="ignore"):
        want = [derivative(theirs, exact[i], n) for n in (1, 2)]
        first = qd.grad(ours)(xs[i])
        second = qd.grad(qd.grad(ours))(xs[i])
    for got, w, within in zip((first, second), want, WITHIN.get(name, (TYPICAL, TYPICAL * 10))):
        error = abs(mp.mpf(float(got)) - w)
        assert error <= within * abs(w) + mp.mpf("1e-290"), (float(got), mp.nstr(w, 17))


def derivative(f, x, n):
    """Central differences at 60 digits with a step that leaves more than 20."""
    h = mp.mpf(10) ** -12 * (abs(x) if x else 1)
    if n == 1:
        return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    near = f(x + h) + f(x - h)
    far = f(x + 2 * h) + f(x - 2 * h)
    return (16 * near - far - 30 * f(x)) / (12 * h * h)


NEAR_ZERO = {
    "gammainc": (gamma_p, 1, 3, [(1.0, 1e-6), (2.0, 1e-6), (3.0, 1e-4), (2.0, 1e-2), (1.5, 1e-3)]),
    "betainc": (beta_i, 2, 3, [(1.0, 2.0, 1e-6), (2.0, 3.0, 1e-4), (2.0, 4.5, 1e-2)]),
    "poch": (mp.rf, 0, 2, [(1e-6, 2.0), (1e-3, 0.5), (-1e-4, 3.5)]),
    "struve": (mp.struveh, 1, 3, [(0.0, 1e-6), (1.0, -1e-4), (2.0, 0.9), (-1.0, 1e-3), (0.5, 0.1)]),
    "modstruve": (mp.struvel, 1, 3, [(0.0, 1e-6), (1.0, 1e-4), (3.0, 1e-2), (1.5, 0.99)]),
}


@pytest.mark.parametrize("name", NEAR_ZERO)
def test_higher_derivatives_near_zero(name):
    reference, i, order, points = NEAR_ZERO[name]
    for xs in points:
        ours = lambda x, xs=xs: getattr(sc, name)(*xs[:i], x, *xs[i + 1 :])
        theirs = lambda x, xs=xs: reference(*map(mp.mpf, xs[:i]), x, *map(mp.mpf, xs[i + 1 :]))
        found = ours
        for _ in range(order):
            found = qd.grad(found)
        with mp.workdps(80):
            x = mp.mpf(xs[i])
            want = float(mp.diff(theirs, x, order, h=abs(x) * mp.mpf(10) ** -12))
        np.testing.assert_allclose(found(xs[i]), want, rtol=1e-12, atol=1e-14)


def orders(f, count):
    """The derivatives 1 to `count`."""
    for _ in range(count):
        f = qd.grad(f)
        yield f


def test_densities_at_their_ends():
    with np.errstate(all="ignore"):
        for f, x, want in (
            (lambda x: sc.gammainc(1.0, x), 0.0, [1, -1, 1]),
            (lambda x: sc.gammainc(2.0, x), 0.0, [0, 1, -2]),
            (lambda x: sc.gammaincc(3.0, x), 0.0, [0, 0, -1]),
            (lambda x: sc.betainc(1.0, 3.0, x), 0.0, [3, -6, 6]),
            (lambda x: sc.betainc(3.0, 1.0, x), 1.0, [3, 6, 6]),
        ):
            found = [d(x) for d in orders(f, 3)]
            np.testing.assert_allclose(found, want, rtol=1e-13, atol=1e-13)
        assert qd.grad(lambda x: sc.gammainc(2.0, x))(1e-200) == 1e-200
        assert qd.grad(lambda x: sc.gammainc(0.5, x))(0.0) == np.inf
        assert np.isnan(qd.grad(lambda x: sc.gammainc(2.0, x))(-0.5))
        assert np.isnan(qd.grad(lambda x: sc.betainc(2.0, 3.0, x))(-0.05))


@pytest.mark.parametrize("n, k", [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (0.0, 3.0), (3.0, 1.0)])
def test_second_derivatives_of_binom_where_it_is_zero(n, k):
    with mp.workdps(60):
        want = [
            [float(mp.diff(mp.binomial, (n, k), orders)) for orders in row]
            for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
        ]
    f = lambda v: sc.binom(v[0], v[1])
    with np.errstate(all="ignore"):
        for hessian in (qd.hessian(f), qd.jacrev(qd.jacrev(f)), qd.jacfwd(qd.jacfwd(f))):
            np.testing.assert_allclose(hessian(np.array([n, k])), want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("z", [0.0, -1.0, -2.0, -5.0])
def test_poch_at_poles_of_gamma(z, m):
    rising = np.polynomial.Polynomial.fromroots(-np.arange(m))  # z (z + 1) ... (z + m - 1)
    with np.errstate(all="ignore"):
        found = qd.grad(lambda z: sc.poch(z, float(m)))(z)
    np.testing.assert_allclose(found, rising.deriv()(z), rtol=1e-12, atol=1e-12)


def test_agm_of_negative_numbers():
    v = np.array([1.5, 0.7])
    f = lambda v: sc.agm(v[0], v[1])
    np.testing.assert_allclose(qd.grad(f)(-v), qd.grad(f)(v))
    np.testing.assert_allclose(qd.hessian(f)(-v), -qd.hessian(f)(v))


def test_pseudo_huber_at_delta_zero():
    f = lambda v: sc.pseudo_huber(v[0], v[1])
    for r in (1.0, -2.0):
        np.testing.assert_allclose(
            qd.hessian(f)(np.array([0.0, r])), [[-2.0, np.sign(r)], [np.sign(r), 0.0]]
        )


@pytest.mark.parametrize(
    "f, x, want",
    [
        (lambda x: sc.eval_legendre(-2, x), 0.3, [1.0, 0.0]),  # P_-2 = P_1
        (lambda x: sc.eval_legendre(-4, x), 0.3, [(15 * 0.09 - 3) / 2, 15 * 0.3]),  # P_3
        (lambda x: sc.eval_legendre(0, x), 0.3, [0.0, 0.0]),
        (lambda x: sc.eval_sh_legendre(-3.0, x), 0.3, [6 * (2 * 0.3 - 1), 12.0]),
        (lambda y: sc.boxcox(0.0, y), 2.0, [0.25, -0.25]),  # -1 / lmbda
        (lambda y: sc.boxcox1p(-1.0, y), 0.5, [4.0, -16.0]),
        (lambda x: sc.boxcox(x, 2.0), 0.0, [0.0, 1.0]),
        (lambda x: sc.it2struve0(x), 0.0, [-2 / np.pi, 0.0]),
    ],
)
def test_where_the_plain_formula_has_a_hole(f, x, want):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose([d(x) for d in orders(f, 2)], want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n", [0.5, -0.5, 0.0, 1.0, 2.5])
def test_shifted_jacobi_functions_of_any_degree(n):
    x, h = 0.3, 1e-4
    f = lambda x: sc.eval_sh_jacobi(n, 2.0, 0.7, x)
    want = (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    np.testing.assert_allclose(qd.grad(f)(x), want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("x, gamma", [(0.5, 0.7), (-1.2, 0.3), (0.0, 1.0)])
def test_voigt_profile_without_a_gaussian_part_is_cauchys(x, gamma):
    cauchy = lambda x, gamma: gamma / (np.pi * (x * x + gamma * gamma))
    voigt = lambda x, gamma: sc.voigt_profile(x, 0.0, gamma)
    for i in (0, 1):
        assert qd.grad(voigt, i)(x, gamma) == pytest.approx(qd.grad(cauchy, i)(x, gamma), rel=1e-13)
    both = lambda f: qd.hessian(lambda v: f(v[0], v[1]))(np.array([x, gamma]))
    np.testing.assert_allclose(both(voigt), both(cauchy), rtol=1e-12, atol=1e-14)
    by_sigma = qd.grad(lambda sigma: sc.voigt_profile(x, sigma, gamma))
    assert by_sigma(0.0) == 0.0
    assert qd.grad(by_sigma)(0.0) == pytest.approx(both(cauchy)[0, 0])  # as heat spreads
    assert qd.grad(by_sigma)(1e-3) == pytest.approx(qd.grad(by_sigma)(0.0), rel=1e-3)
