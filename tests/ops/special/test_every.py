"""Every ufunc of scipy.special has a slope or a reason for each operand, and slopes are right."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.dispatch import overrides
from qiudao.core.errors import NotDifferentiableError
from qiudao.testing import rules

scipy_special = pytest.importorskip("scipy.special")
families = pytest.importorskip("qiudao.ops.special.families")
statements = pytest.importorskip("qiudao.ops.special").statements
Special = families.Special

UFUNCS = {
    f.__name__: f
    for f in map(scipy_special.__dict__.get, dir(scipy_special))
    if isinstance(f, np.ufunc)
}
CONSTANT = {"gammasgn", "round"}
NUMPYS = {"cbrt", "exp2", "expm1", "log1p"}


@pytest.mark.parametrize("name", sorted(UFUNCS))
def test_every_operand_has_a_slope_or_a_reason(name):
    assert UFUNCS[name] in overrides
    if name in NUMPYS | CONSTANT:
        return
    for part in range(UFUNCS[name].nout):
        stated = statements[name, part]
        assert len(stated.operands) == UFUNCS[name].nin
        assert {*stated.slopes} | {*stated.reasons} == {*stated.operands}
        assert not {*stated.slopes} & {*stated.reasons}
        assert {*stated.formulas} == {*stated.slopes}


def test_all_names_are_ufuncs_of_this_scipy_or_its_own_helpers():
    assert {name for name, _ in statements if not name.startswith("_")} <= set(UFUNCS)


SAMPLES = [
    (name, part, k)
    for (name, part), each in statements.items()
    if name not in (*families.REPRESENTATIVES, *CONSTANT)
    for k in range(len(each.samples))
]


@pytest.mark.parametrize("name, part, k", SAMPLES)
def test_slopes_against_differences(name, part, k):
    sample = statements[name, part].samples[k]
    case = rules.Case(Special(name, part), sample, rules.draw(sample, np.random.default_rng(0)), 0)
    with np.errstate(all="ignore"):
        rules.check_shape(case)
        if case.differs:
            rules.check_derivative(case)


# Where operands of one sample could not be drawn from one interval: a point, and its operand.
POINTS = [
    ("_lambertw", 0, (1.3 + 0.2j, 0, 1e-8), 0),
    ("_lambertw", 0, (-0.2 + 0.1j, -1, 1e-8), 0),
    ("airye", 0, (1.3,), 0),
    ("airye", 3, (0.7,), 0),
    ("bdtr", 0, (2.0, 7, 0.3), 2),
    ("bdtrc", 0, (2.0, 7, 0.3), 2),
    ("bdtri", 0, (2.0, 7, 0.6), 2),
    ("bdtrik", 0, (0.4, 9.3, 0.3), 0),
    ("bdtrik", 0, (0.4, 9.3, 0.3), 1),
    ("bdtrik", 0, (0.4, 9.3, 0.3), 2),
    ("bdtrin", 0, (2.5, 0.4, 0.3), 0),
    ("bdtrin", 0, (2.5, 0.4, 0.3), 1),
    ("bdtrin", 0, (2.5, 0.4, 0.3), 2),
    ("chndtrinc", 0, (3.0, 2.5, 0.4), 0),
    ("chndtrinc", 0, (3.0, 2.5, 0.4), 2),
    ("chndtrix", 0, (0.4, 2.5, 1.3), 0),
    ("chndtrix", 0, (0.4, 2.5, 1.3), 2),
    ("nbdtr", 0, (3, 4, 0.4), 2),
    ("nbdtrc", 0, (3, 4, 0.4), 2),
    ("nbdtri", 0, (3, 4, 0.4), 2),
    ("nbdtrik", 0, (0.4, 5.5, 0.4), 0),
    ("nbdtrik", 0, (0.4, 5.5, 0.4), 1),
    ("nbdtrik", 0, (0.4, 5.5, 0.4), 2),
    ("nbdtrin", 0, (3.5, 0.4, 0.4), 0),
    ("nbdtrin", 0, (3.5, 0.4, 0.4), 1),
    ("nbdtrin", 0, (3.5, 0.4, 0.4), 2),
    ("nctdtrit", 0, (4.0, 1.5, 0.4), 1),
    ("nctdtrit", 0, (4.0, 1.5, 0.4), 2),
    ("nctdtrinc", 0, (4.0, 0.4, 1.2), 1),
    ("nctdtrinc", 0, (4.0, 0.4, 1.2), 2),
    ("ncfdtri", 0, (3.0, 5.0, 1.5, 0.4), 2),
    ("ncfdtri", 0, (3.0, 5.0, 1.5, 0.4), 3),
    ("ncfdtrinc", 0, (3.0, 5.0, 0.4, 1.2), 2),
    ("ncfdtrinc", 0, (3.0, 5.0, 0.4, 1.2), 3),
    ("obl_ang1_cv", 0, (1, 1, 1.5, 1.3, 0.4), 4),
    ("pro_ang1_cv", 0, (1, 1, 1.5, 2.4, 0.4), 4),
    ("pro_rad1_cv", 0, (1, 1, 1.5, 2.4, 1.4), 4),
    ("smirnov", 0, (5, 0.3), 1),
    ("smirnovi", 0, (5, 0.3), 1),
]


@pytest.mark.parametrize("name, part, xs, i", POINTS)
def test_slope_at_a_point(name, part, xs, i):
    f = Special(name, part)

    def along(x):
        return f(*xs[:i], x, *xs[i + 1 :])

    step = 1e-4 * max(1.0, abs(xs[i]))
    up, down = along(xs[i] + step), along(xs[i] - step)
    wide = along(xs[i] + 2 * step) - along(xs[i] - 2 * step)
    want = (8 * (up - down) - wide) / (12 * step)
    _, got = qd.jvp(along, (xs[i],), (type(xs[i])(1.0),))
    # SciPy finds the noncentrality itself to five digits only
    np.testing.assert_allclose(got, want, rtol=3e-5 if name == "ncfdtrinc" else 3e-6)


def test_a_refused_operand_says_why():
    with pytest.raises(
        NotDifferentiableError,
        match=r"jv: not differentiable with respect to v because its derivative by the order is an "
        r"infinite series that no function of SciPy's sums; "
        r"hold it fixed with qd.stop_gradient\(v\)",
    ):
        qd.grad(lambda v: scipy_special.jv(v, 2.0))(1.5)
    with pytest.raises(NotDifferentiableError, match=r"jve: .* z because .* is not holomorphic"):
        qd.jvp(lambda z: scipy_special.jve(1.0, z), (1.0 + 1j,), (1.0 + 0j,))


def test_the_others_of_a_refused_operand_still_have_theirs():
    f = lambda v, z: scipy_special.jv(v, z)
    assert qd.grad(f, argnums=1)(1.5, 2.0) == qd.grad(lambda z: f(1.5, z))(2.0)


def test_several_results():
    x = np.array([0.3, 1.1])

    def f(x):
        s, c = scipy_special.sici(x)
        return np.sum(s * c)

    s, c = scipy_special.sici(x)
    want = np.sin(x) / x * c + s * np.cos(x) / x
    np.testing.assert_allclose(qd.grad(f)(x), want, rtol=1e-14)
    np.testing.assert_allclose(qd.vmap(qd.grad(f))(np.stack([x, x]))[1], want, rtol=1e-14)


def test_constants_pass_no_derivative():
    assert not scipy_special.gammasgn(qd.tensor(1.5, requires_grad=True)).requires_grad


def test_compiled_with_numpys_and_our_own_code():
    pytest.importorskip("llvmlite")
    x = np.linspace(-3.0, 3.0, 50)
    f = lambda x: np.sum(scipy_special.ndtr(x) * scipy_special.log_expit(x) - scipy_special.j0(x))
    np.testing.assert_allclose(qd.jit(qd.grad(f))(x), qd.grad(f)(x), rtol=1e-12, atol=1e-15)


EDGES = [
    (lambda x: scipy_special.gamma(x), 0.0, -np.inf),
    (lambda x: scipy_special.rgamma(x), -3.0, -6.0),
    (lambda x: scipy_special.xlogy(x, 0.0), 0.0, -np.inf),
    (lambda y: scipy_special.xlogy(0.0, y), 0.0, 0.0),
    (lambda x: scipy_special.entr(x), 0.0, np.inf),
    (lambda x: scipy_special.log_ndtr(x), -np.inf, np.inf),
    (lambda x: scipy_special.log_ndtr(x), np.inf, 0.0),
    (lambda x: scipy_special.expit(x), np.inf, 0.0),
    (lambda x: scipy_special.log_expit(x), -np.inf, 1.0),
    (lambda x: scipy_special.gammainc(1.0, x), 0.0, 1.0),
    (lambda x: scipy_special.gammainc(0.5, x), 0.0, np.inf),
    (lambda x: scipy_special.gammainc(2.0, x), np.inf, 0.0),
    (lambda x: scipy_special.betainc(2.0, 1.0, x), 1.0, 2.0),
    (lambda x: scipy_special.betainc(1.0, 3.0, x), 0.0, 3.0),
    (lambda a: scipy_special.betainc(a, 3.0, 1.0), 2.0, 0.0),
    (lambda x: scipy_special.i0e(x), 0.0, 0.0),
    (lambda x: scipy_special.beip(x), 0.0, 0.5),
    (lambda m: scipy_special.ellipk(m), 1.0, np.inf),
    (lambda z: scipy_special.spence(z), 1.0, -1.0),
    (lambda lmbda: scipy_special.boxcox(np.e, lmbda), 0.0, 0.5),
    (lambda x: np.where(x > 0, scipy_special.gammaln(x), 0.0), 0.0, 0.0),
]


@pytest.mark.parametrize("f, x, want", EDGES)
def test_edges(f, x, want):
    np.testing.assert_allclose(qd.grad(f)(x), want, rtol=1e-14)
    np.testing.assert_allclose(qd.jvp(f, (x,), (1.0,))[1], want, rtol=1e-14)


def test_in_a_scan_compiled_and_not():
    pytest.importorskip("llvmlite")

    def step(carry, x):
        carry = 0.5 * carry + scipy_special.j0(carry * x)
        return carry, carry

    f = qd.grad(lambda a: qd.scan(step, a, np.linspace(0.0, 1.0, 5))[0])
    np.testing.assert_allclose(qd.jit(f)(1.0), f(1.0), rtol=1e-12)
