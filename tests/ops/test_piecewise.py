"""select, piecewise, choose, interp, unwrap: NumPy's values, and slopes at knots and ends."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

X = np.array([-1.5, 0.2, 0.9, 2.0])
XP, FP = np.array([-1.0, 0.0, 1.0, 3.0]), np.array([2.0, -1.0, 0.5, 4.0])


def test_select():
    f = lambda x: np.select([x < 0, x > 1], [x**2, np.sqrt(np.abs(x))], 3.0)
    agree(f, X)
    agree(f, X.astype(np.float32), tolerance=1e-6)
    agree(lambda x: np.select([X < 0], [x[:, None] * np.ones(4)]), X)
    agree(lambda x, d: np.select([X < 0, X > 1], [x, 2 * x], d), X, np.array(0.5), batched=False)
    agree(lambda x: np.select([X < 0, X > 1], [1, x]), X + 1j)
    assert np.select([X < 0], [qd.tensor(X.astype(np.float32))], 1.5).dtype == np.float32
    with pytest.raises(ValueError, match="2 conditions and 1 choices"):
        np.select([X < 0, X > 0], [qd.tensor(X)])
    with pytest.raises(TypeError, match="condition 0 is int64"):
        np.select([np.arange(4)], [qd.tensor(X)])


def test_piecewise():
    f = lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: v**2, np.exp, 7.0])
    agree(f, X)
    agree(lambda x: np.piecewise(x, [x < 0, x >= 0], [np.sin, np.cos]), X.reshape(2, 2))
    agree(lambda x: np.piecewise(x, x < 0, [np.sin, np.cos]), X)
    agree(lambda x: np.piecewise(x, [x < 0], [lambda v, a, b=1: a * v * b, 0], 3.0, b=2.0), X)
    agree(lambda x: np.piecewise(x, [x < 5], [np.exp]), np.array(0.3))
    for x, slope in zip(X, (-3.0, 0.0, 0.0, np.exp(2.0)), strict=True):
        np.testing.assert_allclose(qd.grad(f)(x), slope)
    with pytest.raises(ValueError, match="1 conditions and 3 functions"):
        np.piecewise(qd.tensor(X), [X < 0], [1, 2, 3])


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choose(mode):
    a = np.array([[0, 2], [1, 1]])
    a = a if mode == "raise" else a + np.array([[3, -3], [0, 6]])
    agree(lambda x, y: np.choose(a, [x, y, 5.0], mode=mode), np.ones((2, 2)), np.array([2.0, 3.0]))
    agree(lambda c: np.choose(a % 3, c, mode=mode), np.arange(6.0).reshape(3, 2))
    got = qd.vmap(lambda a: np.choose(a, [1.0, 2.0, 3.0], mode=mode))(a % 3)
    np.testing.assert_array_equal(got, a % 3 + 1.0)


def test_compiled_choose_and_periods_do_not_look_at_values():
    """They looked into the memory behind a traced value, in which anything may stand."""
    f = lambda a, x: np.choose(a, [x, 2 * x, x - 1])
    a, x = np.array([0, 2, 1]), np.array([1.0, 2.0, 3.0])
    for _ in range(5):
        np.testing.assert_array_equal(qd.jit(lambda a, x: f(a, x))(a, x), f(a, x))
        slopes = qd.jit(qd.grad(lambda x, a: np.sum(f(a, x))))(x, a)
        np.testing.assert_array_equal(slopes, [1.0, 1.0, 2.0])
        around = qd.jit(lambda p, x: np.interp(x, [0.0, 1.0], [1.0, 3.0], period=p))
        np.testing.assert_allclose(around(2.0, x), np.interp(x, [0.0, 1.0], [1.0, 3.0], period=2.0))


def test_choose_refuses():
    t = qd.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="choose: 2 is no number of one of 2 choices"):
        np.choose(np.array([0, 2]), [t, t])
    with pytest.raises(ValueError, match="choose: 2 is no number of one of 2 choices"):
        qd.vmap(lambda a: np.choose(a, [t, t]))(np.array([[0, 1], [0, 2]]))
    with pytest.raises(ValueError, match="mode='never' is unknown"):
        np.choose(np.array([0, 1]), [t, t], mode="never")


def test_interp_agrees():
    agree(np.interp, X, XP, FP)
    agree(np.interp, X.reshape(2, 2), XP, FP)
    agree(np.interp, np.array(0.3), XP, FP)
    agree(lambda x: np.interp(x, XP, FP + 1j * FP**2), X)
    agree(lambda fp: np.interp(X, XP, fp), FP + 1j)
    agree(lambda x: np.interp(x, [0.5], [3.0]), X)
    agree(lambda x: np.interp(x, XP, FP), X.astype(np.float32), tolerance=1e-6)
    ends = np.array([-2.0, 0.3, 9.0]), np.array(5.0), np.array(6.0)
    agree(lambda x, left, right: np.interp(x, XP, FP, left, right), *ends, batched=False)


def test_interp_slopes():
    slope = lambda x, **o: float(qd.grad(lambda x: np.interp(x, XP, FP, **o))(x))
    for x, expected in ((-2.0, 0.0), (-0.5, -3.0), (0.5, 1.5), (2.0, 1.75), (4.0, 0.0)):
        assert slope(x) == expected
    assert slope(0.0) == (-3.0 + 1.5) / 2  # the mean of the sides, at inner knots
    assert slope(-1.0) == -1.5  # and at the ends, beyond which it is level
    assert slope(3.0) == 0.875
    assert np.isnan(slope(np.nan))
    gx, gxp, gfp = qd.grad(np.interp, argnums=(0, 1, 2))(0.25, XP, FP)
    assert gx == 1.5
    np.testing.assert_allclose(gfp, [0, 0.75, 0.25, 0])
    np.testing.assert_allclose(gxp, [0, -1.5 * 0.75, -1.5 * 0.25, 0])
    gx, gxp, gfp = qd.grad(np.interp, argnums=(0, 1, 2))(0.0, XP, FP)
    np.testing.assert_allclose(gfp, [0, 1, 0, 0])
    np.testing.assert_allclose(gxp, [0, 0.75, 0, 0])
    gx, gxp, gfp = qd.grad(np.interp, argnums=(0, 1, 2))(-9.0, XP, FP)
    np.testing.assert_array_equal([gx, *gxp, *gfp], [0, 0, 0, 0, 0, 1, 0, 0, 0])


def test_interp_second_derivatives():
    f = lambda v: np.interp(v[0], np.array([v[1], v[2]]) if False else np.stack([v[1], v[2]]),
                            np.stack([v[3], v[4]]))  # fmt: skip
    line = lambda v: v[3] + (v[4] - v[3]) * (v[0] - v[1]) / (v[2] - v[1])
    v = np.array([0.4, 0.0, 1.0, 2.0, 5.0])
    np.testing.assert_allclose(qd.hessian(f)(v), qd.hessian(line)(v), atol=1e-14)
    np.testing.assert_allclose(qd.jacrev(qd.grad(f))(v), qd.hessian(line)(v), atol=1e-14)


def test_interp_at_a_jump_of_the_knots():
    xp, fp = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0, 8.0])
    slope = qd.grad(lambda x: np.interp(x, xp, fp))
    assert [slope(0.5), slope(1.5), slope(1.0)] == [1.0, 3.0, 2.0]


def test_interp_with_a_period():
    x = np.array([-180.0, -170, -185, 185, -10, -5, 0.5, 365])
    xp, fp = np.array([190.0, -190, 350, -350]), np.array([5.0, 10, 3, 4])
    agree(lambda x, fp: np.interp(x, xp, fp, period=360), x, fp)
    agree(lambda xp: np.interp(x, xp, fp, period=-360), xp + np.array([0.0, 1, 2, 3]))
    with pytest.raises(ValueError, match="period is 0"):
        np.interp(qd.tensor(x), xp, fp, period=0)


def test_interp_refuses_shapes():
    with pytest.raises(ValueError, match=r"xp has shape \(4,\) and fp \(3,\)"):
        np.interp(qd.tensor(0.5, requires_grad=True), XP, FP[:3])


def test_interp_batched_over_the_table():
    rng = np.random.default_rng(0)
    xps, fps = np.sort(rng.normal(size=(3, 5)), axis=1), rng.normal(size=(3, 5))
    x = rng.normal(size=(2, 4))
    f = lambda xp, fp: np.interp(x, xp, fp)
    got = qd.vmap(f)(xps, fps)
    np.testing.assert_allclose(got, np.stack([f(a, b) for a, b in zip(xps, fps, strict=True)]))
    loss = lambda xp, fp: np.sum(f(xp, fp) ** 2)
    each = [qd.grad(loss, (0, 1))(a, b) for a, b in zip(xps, fps, strict=True)]
    for k, g in enumerate(qd.vmap(qd.grad(loss, (0, 1)))(xps, fps)):
        np.testing.assert_allclose(g, np.stack([e[k] for e in each]))
    for k, g in enumerate(qd.grad(lambda a, b: np.sum(qd.vmap(loss)(a, b)), (0, 1))(xps, fps)):
        np.testing.assert_allclose(g, np.stack([e[k] for e in each]))


@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"discont": 5.0}, {"period": 4.0}])
def test_unwrap(options):
    p = np.random.default_rng(0).uniform(-6, 6, (5, 4))
    agree(lambda p: np.unwrap(p, **options), p)
    agree(lambda p: np.unwrap(p, **options), p.astype(np.float32), tolerance=1e-6)
    w = np.random.default_rng(1).normal(size=p.shape)
    np.testing.assert_array_equal(qd.grad(lambda p: np.sum(w * np.unwrap(p, **options)))(p), w)


def test_unwrapped_angle():
    t = np.linspace(0, 3, 40)
    phase = lambda rate: np.unwrap(np.angle(np.exp(1j * rate * t**2)))
    np.testing.assert_allclose(qd.jacfwd(phase)(2.5), t**2, atol=1e-12)
    np.testing.assert_allclose(qd.jacrev(phase)(2.5), t**2, atol=1e-12)


def test_interp_with_a_period_in_extended_precision():
    x = np.linspace(-3, 7, 5).astype(np.longdouble)
    f = lambda x: np.interp(x, [0.0, 1, 2], [1.0, 3, 2], period=3)
    np.testing.assert_array_equal(f(qd.tensor(x)).numpy(), f(x))
