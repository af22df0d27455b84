"""A lane that a mask drops contributes nothing: in every mode, nested every way, to third order.

And a NaN that the value does depend on stays one.
"""

import numpy as np
import pytest

import qiudao as qd

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own, at the poles

NAN = np.nan

# f, the points where the mask drops f's lane, and the replacement there with its derivatives.
TRAPS = {
    "log": (lambda x: np.where(x > 0, np.log(x), x), [0.0, -1.0, NAN], (1, 0, 0)),
    "log of nan": (lambda x: np.where(np.isnan(x), 0, np.log(x)), [NAN], (0, 0, 0)),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), x), [0.0, -1.0], (1, 0, 0)),
    "reciprocal": (lambda x: np.where(x != 0, 1 / x, x), [0.0], (1, 0, 0)),
    "np.reciprocal": (lambda x: np.where(x != 0, np.reciprocal(x), 0), [0.0], (0, 0, 0)),
    "half power": (lambda x: np.where(x > 0, x**0.5, x**3 + x), [0.0], (1, 0, 6)),
    "3/2 power": (lambda x: np.where(x > 0, x**1.5, x), [0.0, -1.0], (1, 0, 0)),
    "5/2 power": (lambda x: np.where(x > 0, x**2.5, x * x), [0.0], (0, 2, 0)),
    "tensor power": (lambda x: np.where(x > 0, x**x, x), [0.0, -1.5], (1, 0, 0)),
    "arccos": (lambda x: np.where(np.abs(x) < 1, np.arccos(x), x), [1.0, -1.0, 2.0], (1, 0, 0)),
    "arcsin": (lambda x: np.where(np.abs(x) < 1, np.arcsin(x), 0), [1.0, -3.0], (0, 0, 0)),
    "log1p": (lambda x: np.where(x > -1, np.log1p(x), x), [-1.0, -2.0], (1, 0, 0)),
    "arctanh": (lambda x: np.where(np.abs(x) < 1, np.arctanh(x), x), [1.0, -1.0, 7.0], (1, 0, 0)),
    "arccosh": (lambda x: np.where(x > 1, np.arccosh(x), x), [1.0, 0.0], (1, 0, 0)),
    "entropy": (lambda x: np.where(x > 0, x * np.log(x), 0), [0.0, -1.0], (0, 0, 0)),
    "cbrt": (lambda x: np.where(x != 0, np.cbrt(x), x), [0.0], (1, 0, 0)),
    "quotient": (lambda x: np.where(x != 0, np.sin(x) / x, 1 + 0 * x), [0.0], (0, 0, 0)),
    "overflow": (lambda x: np.where(x < 700, np.exp(x) / (1 + np.exp(x)), 1), [800.0], (0, 0, 0)),
    "logsum": (lambda x: np.where(x > 0, np.logaddexp(np.log(x), 1), 0), [0.0, -1.0], (0, 0, 0)),
    "arctan2": (lambda x: np.where(x > 0, np.arctan2(1, np.sqrt(x)), x), [0.0, -2.0], (1, 0, 0)),
    "absolute": (lambda x: np.where(x > 0, np.abs(np.log(x)), x), [0.0, -1.0], (1, 0, 0)),
    "remainder": (lambda x: np.where(x > 0, np.mod(1, np.log(x)), x), [0.0], (1, 0, 0)),
    "hypot": (lambda x: np.where(x > 0, np.hypot(np.sqrt(x), 1), x), [0.0, -1.0], (1, 0, 0)),
    "nested": (
        lambda x: np.where(x > 0, np.where(x < 1, np.arcsin(x) ** 0.5, np.sqrt(x - 1)), x),
        [0.0, -1.0, NAN],
        (1, 0, 0),
    ),
    "nested other way": (
        lambda x: np.sqrt(np.where(x > 0, np.where(x > 2, 1 / (x - 2), x), 4.0 + 4 * x)),
        [0.0],
        (1, -0.5, 0.75),
    ),
    "after the mask": (lambda x: np.exp(np.where(x > 0, np.log(x), x)), [0.0], (1, 1, 1)),
    "complex detour": (
        lambda x: np.where(x > 0, np.real(np.log(x + 0j)), x),
        [0.0],
        (1, 0, 0),
    ),
    "norm": (
        lambda x: np.where(x != 0, np.sqrt(np.sum(np.stack([x, x]) ** 2, axis=0)), x),
        [0.0],
        (1, 0, 0),
    ),
    "matrix product": (
        lambda x: np.where(x > 0, (np.eye(2) @ np.stack([np.log(x), x]))[0], x),
        [0.0],
        (1, 0, 0),
    ),
    "clip as mask": (lambda x: np.sqrt(np.clip(x, 1.0, None)) + x, [0.0, -1.0], (1, 0, 0)),
    "clip of a pole": (lambda x: np.clip(1 / x, -5.0, 5.0) + x, [0.0], (1, 0, 0)),
    "minimum of a pole": (lambda x: np.minimum(-np.log(x), 9.0) + x, [0.0], (1, 0, 0)),
    "maximum of a pole": (lambda x: np.maximum(np.log(x), -9.0) + x, [0.0], (1, 0, 0)),
    "fmax of a NaN": (lambda x: np.fmax(np.log(x), -9.0) + x, [0.0, -1.0], (1, 0, 0)),
    "select": (
        lambda x: np.select([x > 1, x > 0], [np.sqrt(x - 1), np.log(x)], x),
        [0.0, -1.0],
        (1, 0, 0),
    ),
    "choose": (lambda x: np.choose((x > 0).astype(int), [x, np.log(x)]), [0.0, -1.0], (1, 0, 0)),
    "piecewise": (lambda x: np.piecewise(x, [x > 0], [np.log, lambda x: x]), [0.0], (1, 0, 0)),
    "heaviside": (lambda x: np.heaviside(1.0, np.log(x)) + x, [0.0], (1, 0, 0)),
    "nan_to_num": (lambda x: np.nan_to_num(np.log(x), neginf=0.0) + x, [0.0, -1.0], (1, 0, 0)),
    "index": (
        lambda x: np.sum(np.log(np.stack([x, x + 3]))[np.array([1])]),
        [0.0],
        (1 / 3, -1 / 9, 2 / 27),
    ),
    "slice": (lambda x: np.log(np.stack([x, x + 1]))[1], [0.0], (1, -1, 2)),
    "written over": (lambda x: overwritten(np.log(np.stack([x, x + 1])), x)[0], [0.0], (1, 0, 0)),
}


def overwritten(y, value):
    y[0] = value
    return y


def cases():
    for name, (f, points, expected) in TRAPS.items():
        for x in points:
            yield pytest.param(f, x, expected, id=f"{name} at {x}")


def forward(f):
    return lambda x: qd.jvp(f, (x,), (np.ones_like(x),))[1]


def reverse(f):
    return lambda x: qd.vjp(f, x)[1](np.ones_like(x))[0]


MODES = {"f": forward, "r": reverse}


@pytest.mark.parametrize("modes", ["f", "r", "ff", "fr", "rf", "rr", "fff", "rrr", "frf", "rfr"])
@pytest.mark.parametrize("f,x,expected", list(cases()))
def test_dropped_lane(f, x, expected, modes):
    derivative = f
    for mode in modes:
        derivative = MODES[mode](derivative)
    np.testing.assert_allclose(derivative(np.float64(x)), expected[len(modes) - 1], atol=1e-14)


SCALAR = {"norm", "matrix product", "piecewise", "index", "slice", "written over"}
ELEMENTWISE = [name for name in TRAPS if name not in SCALAR]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_dropped_lanes_among_others(name):
    f, points, (first, second, _) = TRAPS[name]
    x = np.array([*points, 0.3])
    count = len(points)
    loss = lambda x: np.sum(f(x))
    slopes = np.array([*[first] * count, qd.grad(f)(0.3)])
    curves = np.array([*[second] * count, qd.grad(qd.grad(f))(0.3)])
    np.testing.assert_allclose(qd.grad(loss)(x), slopes, atol=1e-14)
    np.testing.assert_allclose(qd.jacfwd(f)(x), np.diag(slopes), atol=1e-14)
    np.testing.assert_allclose(qd.jacrev(f)(x), np.diag(slopes), atol=1e-14)
    np.testing.assert_allclose(qd.hessian(loss)(x), np.diag(curves), atol=1e-13)
    np.testing.assert_allclose(qd.jacrev(qd.grad(loss))(x), np.diag(curves), atol=1e-13)
    np.testing.assert_allclose(qd.vmap(qd.grad(f))(x), slopes, atol=1e-14)
    np.testing.assert_allclose(qd.vmap(forward(f))(x), slopes, atol=1e-14)
    np.testing.assert_allclose(qd.grad(lambda x: np.sum(qd.vmap(f)(x)))(x), slopes, atol=1e-14)
    np.testing.assert_allclose(qd.vmap(qd.grad(qd.grad(f)))(x), curves, atol=1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_dropped_lanes_on_the_tape(name):
    f, points, (first, second, _) = TRAPS[name]
    x = qd.tensor(np.array(points), requires_grad=True)
    (g,) = qd.grad(np.sum(f(x)), [x], create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), first, atol=1e-14)
    if g.requires_grad:
        (h,) = qd.grad(np.sum(g), [x], unused="zero")
        np.testing.assert_allclose(h.detach().numpy(), second, atol=1e-14)


@pytest.mark.parametrize(
    "f,expected",
    [
        (lambda x: np.sum(np.log(x[x > 0])), [0, 0, 0, 0.5]),
        (lambda x: np.sum(np.log(x)[x > 0]), [0, 0, 0, 0.5]),
        (lambda x: np.sum(np.sqrt(x)[-1:]), [0, 0, 0, 0.125**0.5]),
        (lambda x: np.sum((1 / x)[np.isfinite(1 / x)]), [0, -1, 0, -0.25]),
        (lambda x: np.sum(np.log(x), where=x > 0), [0, 0, 0, 0.5]),
        (lambda x: np.mean(np.log(x), where=x > 0), [0, 0, 0, 0.5]),
        (lambda x: np.sum(np.log(x).reshape(2, 2).T[1, 1:]), [0, 0, 0, 0.5]),
        (lambda x: np.sum(np.concatenate([np.log(x), x])[3:]), [1, 1, 1, 1.5]),
        (lambda x: np.sum(np.where(x > 0, np.log(x), 0) @ np.ones((4, 2))), [0, 0, 0, 1]),
        (lambda x: np.sum(np.where((x > 0)[:, None], np.log(x)[:, None] * np.ones(3), 0)),
         [0, 0, 0, 1.5]),
        (lambda x: np.sum(np.where(np.isnan(x), 0, x) ** 2), [0, -2, 0, 4]),
    ],
)  # fmt: skip
def test_dropped_by_an_index_or_a_reduction(f, expected):
    x = np.array([0.0, -1.0, NAN, 2.0])
    np.testing.assert_allclose(qd.grad(f)(x), expected)
    np.testing.assert_allclose(qd.jacfwd(f)(x), expected)
    assert np.all(np.isfinite(qd.hessian(f)(x)))
    assert np.all(np.isfinite(qd.jacrev(qd.grad(f))(x)))


def test_missing_rows_of_a_matrix():
    """A row of data that is not there, dropped after the product that it goes through."""
    rng = np.random.default_rng(0)
    data, w = rng.normal(size=(5, 3)), rng.normal(size=3)
    data[1] = NAN
    data[3, 0] = np.inf
    seen = np.isfinite(data).all(axis=1)
    loss = lambda w: np.sum(np.where(seen, np.tanh(data @ w), 0.0))
    plain = lambda w: np.sum(np.tanh(data[seen] @ w))
    np.testing.assert_allclose(qd.grad(loss)(w), qd.grad(plain)(w))
    np.testing.assert_allclose(qd.jacfwd(loss)(w), qd.grad(plain)(w))
    np.testing.assert_allclose(qd.hessian(loss)(w), qd.hessian(plain)(w))
    np.testing.assert_allclose(qd.jacrev(qd.grad(loss))(w), qd.hessian(plain)(w))


def test_norm_of_rows_under_a_mask():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])

    def f(x):
        n = np.sqrt(np.sum(x**2, axis=1))
        return np.sum(np.where(np.any(x != 0, axis=1), n, 0.0))

    np.testing.assert_allclose(qd.grad(f)(x), [[0, 0], [0.6, 0.8]])
    np.testing.assert_allclose(qd.jacfwd(f)(x), [[0, 0], [0.6, 0.8]])
    for h in (qd.hessian(f)(x), qd.jacrev(qd.grad(f))(x), qd.jacfwd(qd.jacfwd(f))(x)):
        assert not h[0].any()
        np.testing.assert_allclose(h[1, :, 1], np.array([[16, -12], [-12, 9]]) / 125)


def test_unit_vectors_under_a_mask():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])

    def f(x):
        n = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
        return np.where(n > 0, x / n, x)

    want = np.zeros((2, 2, 2, 2))
    want[0, :, 0] = np.eye(2)
    want[1, :, 1] = np.array([[16, -12], [-12, 9]]) / 125
    np.testing.assert_allclose(qd.jacfwd(f)(x), want, atol=1e-15)
    np.testing.assert_allclose(qd.jacrev(f)(x), want, atol=1e-15)


def test_a_shared_operand_keeps_the_lanes_of_each_use():
    f = lambda x: np.where(x > 0, np.log(x), 0) + np.where(x < 1, np.log(1 - x), 0)
    x = np.array([0.0, 1.0, 0.5, 2.0])
    np.testing.assert_allclose(qd.grad(lambda x: np.sum(f(x)))(x), [-1, 1, 0, 0.5])


def test_both_branches_read_one_value():
    x = np.array([0.0, 4.0])

    def f(x):
        y = np.sqrt(x)
        return np.sum(np.where(np.array([False, True]), y, y * 0.5))

    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(qd.grad(f)(x), [np.inf, 0.25])


@pytest.mark.parametrize(
    "f",
    [
        np.log,
        lambda x: np.log(x) * 0,
        lambda x: np.where(x > 0, x, np.log(x)),
        lambda x: np.abs(x) * 0,
        lambda x: np.hypot(x, 1) * 0,
        lambda x: np.maximum(x, 1),
        lambda x: np.clip(x, 0, 1),
        lambda x: np.sum(np.stack([x, x]) ** 2),
        lambda x: np.where(np.isnan(x), np.sqrt(x), 0),
        lambda x: (np.ones((2, 2)) @ np.stack([x * x, x]))[0],
        lambda x: np.interp(x, np.arange(3.0), np.arange(3.0) ** 2),
        lambda x: np.arctan2(x, 1),
        lambda x: np.sinc(x),
    ],
)
def test_a_nan_that_is_read_stays(f):
    x = np.float64(NAN)
    for mode in MODES.values():
        assert np.isnan(mode(f)(x))
    for outer in MODES.values():
        for inner in MODES.values():
            slope = inner(f)
            assert np.isnan(outer(lambda x, g=slope: g(x) * x)(x))


def test_a_nan_in_one_lane_of_a_sum_stays_there():
    x = np.array([1.0, NAN, 2.0])
    got = qd.grad(lambda x: np.sum(np.log(x)))(x)
    np.testing.assert_array_equal(got, [1.0, NAN, 0.5])
    got = qd.grad(lambda x: np.sum(np.where(x != 2, np.log(x), 0)))(x)
    np.testing.assert_array_equal(got, [1.0, NAN, 0.0])


def test_zero_times_a_pole_that_is_read_is_a_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(qd.grad(lambda x: 0 * np.log(x))(0.0))
        weighed = qd.grad(lambda x: np.sum(np.sqrt(x) * np.array([0.0, 1.0])))
        np.testing.assert_array_equal(weighed(np.array([0.0, 4.0])), [NAN, 0.25])


def test_a_selection_by_a_zero_weight_in_a_second_derivative():
    f = lambda x: np.sum(x**1.5)
    x = np.array([0.0, 4.0])
    want = [[np.inf, 0], [0, 0.375]]
    for outer in (qd.jacfwd, qd.jacrev):
        for inner in (qd.jacfwd, qd.grad):
            np.testing.assert_allclose(outer(inner(f))(x), want)


@pytest.mark.parametrize("f,x,expected", list(cases()))
def test_dropped_lane_in_taylor_mode(f, x, expected):
    _, found = qd.jet(f, (np.float64(x),), ([1.0, 0.0, 0.0],))
    derivatives = [float(c) * k for c, k in zip(found, (1, 2, 6), strict=True)]
    np.testing.assert_allclose(derivatives, expected, atol=1e-14)


def test_dropped_lane_of_a_linear_map():
    _, derivative = qd.linearize(lambda x: np.where(x > 0, np.log(x), x), 0.0)
    assert derivative(2.0) == 2.0


def test_dropped_call_with_a_rule_of_its_own():
    @qd.custom_vjp
    def log(x):
        return np.log(x)

    log.defvjp(lambda x: (np.log(x), x), lambda x, ct: (ct / x,))
    f = lambda x: np.where(x > 0, log(x), x)
    assert qd.grad(f)(0.0) == 1.0
    assert qd.grad(qd.grad(f))(0.0) == 0.0
    checkpointed = lambda x: np.where(x > 0, qd.checkpoint(np.log)(x), x)
    assert qd.grad(checkpointed)(0.0) == 1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda y: np.real(np.fft.fft(y)),
        lambda y: np.diff(y, n=2),
        lambda y: np.convolve(y, [1.0, -1.0]),
        lambda y: y @ np.array([[1.0, -1.0], [1.0, -1.0], [1.0, -1.0]]),
    ],
)
def test_weights_that_cancel_do_not_hide_a_nan(f):
    """The cotangent of the NaN sums to zero here, and still the value depends on it."""
    x = np.array([1.0, NAN, 2.0])
    assert np.isnan(qd.grad(lambda x: np.sum(f(np.log(x))))(x)[1])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sort(np.log(x))[1:],
        lambda x: np.log(np.sort(x))[1:],
        lambda x: np.cumsum(np.log(x[::-1]))[:2],
        lambda x: np.diff(np.log(x))[1:],
        lambda x: np.roll(np.log(x), 1)[2],
        lambda x: np.convolve(np.log(x), [1.0, 2.0])[2:],
        lambda x: np.take(np.log(x), [2, 1, 1]),
        lambda x: np.outer(np.log(x), np.ones(2))[1:],
        lambda x: np.where(x > 0, np.abs(np.log(x + 0j)), x),
        lambda x: np.where(x > 0, np.interp(np.log(x), [0.0, 1.0, 3.0], [0.0, 2.0, 3.0]), x),
        lambda x: np.triu(np.log(x)[:, None] * np.ones(3))[1:],
        lambda x: np.max(np.log(x)),
        lambda x: np.var(np.log(x)[1:]),
    ],
)
def test_lanes_dropped_behind_an_operation_on_whole_arrays(f):
    x = np.array([0.0, 2.0, 1.5])
    loss = lambda x: np.sum(f(x))
    other = x + np.array([0.25, 0.0, 0.0])  # where the lane is dropped too, and is no pole
    expected = qd.grad(loss)(other)
    found = qd.grad(loss)(x)
    np.testing.assert_allclose(found[1:], expected[1:])
    np.testing.assert_allclose(qd.jacfwd(loss)(x), found)
    hessian = qd.hessian(loss)(x)
    assert np.isfinite(hessian).all()
    np.testing.assert_allclose(qd.jacrev(qd.grad(loss))(x), hessian)
    np.testing.assert_allclose(hessian[1:, 1:], qd.hessian(loss)(other)[1:, 1:])
