"""Losses, attention and initial values by what is known of them, at extremes too."""

import numpy as np
import pytest

import qiudao as qd
from qiudao import nn


def draws(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


FAR = np.array([[1e4, 0.0, -1e4], [-1e4, 1e4, 1e4], [-np.inf, 0.0, 1.0]])


def test_cross_entropy_far_out():
    labels = np.array([2, 1, 1])
    loss = lambda x: nn.cross_entropy(x, labels, reduction="sum")
    np.testing.assert_allclose(loss(FAR), 2e4 + np.log(2.0) + np.log1p(np.e), rtol=1e-15)
    far = 1.0 / (1.0 + np.e)
    want = [[1.0, 0.0, -1.0], [0.0, -0.5, 0.5], [0.0, far - 1.0, 1.0 - far]]
    np.testing.assert_allclose(qd.grad(loss)(FAR), want, rtol=1e-14, atol=1e-300)
    second = qd.jacobian(qd.grad(loss))(FAR)
    share = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, far, 1.0 - far]])
    for k, p in enumerate(share):
        np.testing.assert_allclose(
            second[k, :, k], np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-16
        )


def test_cross_entropy_keeps_the_digits_of_a_small_loss():
    x = np.array([[40.0, 0.0]])
    np.testing.assert_allclose(
        nn.cross_entropy(x, np.array([0])), np.log1p(np.exp(-40.0)), rtol=1e-15
    )


def test_cross_entropy_of_labels_is_that_of_sure_probabilities():
    x, labels = draws(2, 3, 4), np.array([[0, 3, 1], [2, 2, 0]])
    sure = np.eye(4)[labels]
    for options in ({}, {"label_smoothing": 0.1}, {"reduction": "none"}):
        np.testing.assert_allclose(
            nn.cross_entropy(x, labels, **options), nn.cross_entropy(x, sure, **options), rtol=1e-13
        )


def test_binary_cross_entropy_far_out():
    x, t = np.array([1e4, -1e4, 1e4, 0.0]), np.array([1.0, 0.0, 0.0, 0.5])
    loss = lambda x: nn.binary_cross_entropy_with_logits(x, t, reduction="sum")
    np.testing.assert_allclose(loss(x), 1e4 + np.log(2.0), rtol=1e-15)
    np.testing.assert_allclose(qd.grad(loss)(x), [0.0, 0.0, 1.0, 0.0], atol=1e-300)
    np.testing.assert_allclose(qd.hessian(loss)(x), np.diag([0.0, 0.0, 0.0, 0.25]), atol=1e-300)


def test_huber_and_mse_far_out():
    x, t = np.array([1e200, -1e200, 0.5]), np.zeros(3)
    loss = lambda x: nn.huber(x, t, delta=2.0, reduction="sum")
    np.testing.assert_array_equal(qd.grad(loss)(x), [2.0, -2.0, 0.5])
    np.testing.assert_array_equal(qd.hessian(loss)(x), np.diag([0.0, 0.0, 1.0]))


def test_divergence_of_a_distribution_from_itself_is_nothing():
    p = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    logs = np.log(np.maximum(p, 1e-300))
    assert nn.kl_div(logs, p) == 0.0
    np.testing.assert_array_equal(qd.grad(lambda logs: nn.kl_div(logs, p))(logs), -p / 2)


@pytest.mark.parametrize("far", [1e4, -1e4, 1e300, -1e300])
@pytest.mark.parametrize("function", [
    nn.relu, nn.leaky_relu, nn.elu, nn.silu, nn.softplus, nn.sigmoid, nn.tanh, nn.gelu,
], ids=lambda f: f.__name__)  # fmt: skip
def test_activations_far_out(function, far):
    slope = {"relu": 1.0, "leaky_relu": 1.0 if far > 0 else 0.01, "sigmoid": 0.0, "tanh": 0.0}
    want = slope.get(function.__name__, 1.0) * (far > 0 or function is nn.leaky_relu)
    np.testing.assert_allclose(qd.grad(function)(far), want, atol=1e-300)
    assert qd.grad(qd.grad(function))(far) == 0.0


def test_relu_keeps_nan_and_has_no_slope_at_zero():
    assert np.isnan(nn.relu(np.array(np.nan)))
    assert qd.grad(nn.relu)(0.0) == 0.0
    assert qd.jvp(nn.relu, (0.0,), (1.0,))[1] == 0.0
    assert qd.jit(qd.grad(nn.relu))(0.0) == 0.0
    assert qd.grad(lambda x: nn.leaky_relu(x, 0.2))(0.0) == 0.2


def test_a_query_that_may_read_nothing():
    q, k, v = draws(3, 2), draws(3, 2, seed=1), draws(3, 2, seed=2)
    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    read = lambda q, k, v: nn.attention(q, k, v, mask=mask)
    out = read(q, k, v)
    np.testing.assert_array_equal(out[1], 0.0)
    scores = np.exp(q @ k.T / np.sqrt(2.0)) * mask
    np.testing.assert_allclose(
        out[[0, 2]], (scores[[0, 2]] / scores[[0, 2]].sum(1, keepdims=True)) @ v
    )
    assert qd.gradcheck(read, q, k, v, order=2)


def test_a_causal_model_does_not_look_ahead():
    layer = nn.MultiheadAttention(4, 2, rng=0)
    x = draws(1, 5, 4)
    later = x.copy()
    later[:, 3:] += 1.0
    a, b = (layer(y, causal=True).detach().numpy() for y in (x, later))
    np.testing.assert_array_equal(a[:, :3], b[:, :3])
    assert np.all(a[:, 3:] != b[:, 3:])


@pytest.mark.parametrize("shape", [(400, 300), (40, 30, 5, 2)])
@pytest.mark.parametrize("draw, scale", [
    (nn.xavier_uniform, 2.0 / 700), (nn.xavier_normal, 2.0 / 700),
    (nn.kaiming_uniform, 2.0 / 300), (nn.kaiming_normal, 2.0 / 300),
    (lambda shape, rng: nn.kaiming_normal(shape, rng, slope=1.0, fan="out"), 1.0 / 400),
])  # fmt: skip
def test_initial_values_have_the_variance_they_say(draw, scale, shape):
    w = draw(shape, 0)
    assert w.shape == shape
    assert abs(np.var(w) / scale - 1.0) < 0.05
    assert abs(np.mean(w)) < 0.05 * np.sqrt(scale)
    np.testing.assert_array_equal(w, draw(shape, np.random.default_rng(0)))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 2)])
def test_orthogonal(shape):
    w = nn.orthogonal(shape, 0, gain=2.0).reshape(shape[0], -1)
    w = w if w.shape[0] <= w.shape[1] else w.T
    np.testing.assert_allclose(w @ w.T, 4.0 * np.eye(len(w)), atol=1e-14)
    assert nn.orthogonal(shape, 0, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_row_that_is_not_a_number_spoils_no_other_row_of_the_cross_entropy(smoothing):
    x = np.array([[1.0, 1.0, 0.0], [np.nan, 1.0, 2.0], [np.inf, 1.0, 0.0], [-np.inf, 0.0, 1.0]])
    labels = np.array([0, 0, 1, 1])

    def loss(x, labels):
        return nn.cross_entropy(x, labels, label_smoothing=smoothing, reduction="none")

    each = loss(x, labels)
    assert np.isnan(each[1])
    assert each[2] == np.inf or smoothing  # which has inf - inf in it
    np.testing.assert_allclose(each[:1], loss(x[:1], labels[:1]), rtol=1e-15)
    slopes = qd.grad(lambda x: np.sum(loss(x, labels)))(x)
    assert np.isnan(slopes[1:3]).all()
    alone = qd.grad(lambda x: np.sum(loss(x, labels[:1])))(x[:1])
    np.testing.assert_allclose(slopes[:1], alone, rtol=1e-15)


HALVES = np.array([[0.5, 0.0, 0.5], [0.2, 0.8, 0.0]])
MASKED = np.array([[1.0, -np.inf, 2.0], [0.0, 0.0, -np.inf]])  # logits of the classes there are


def test_a_class_that_is_masked_out_of_logits_and_probabilities_alike_does_not_count():
    loss = lambda x: nn.cross_entropy(x, HALVES, reduction="none")
    within = [
        nn.cross_entropy(MASKED[0, ::2], HALVES[0, ::2]),
        nn.cross_entropy(MASKED[1, :2], HALVES[1, :2]),
    ]
    np.testing.assert_allclose(loss(MASKED), within, rtol=1e-14)
    far = 1.0 / (1.0 + np.e)
    slopes = qd.grad(lambda x: np.sum(loss(x)))(MASKED)
    want = [[far - 0.5, 0.0, 0.5 - far], [0.3, -0.3, 0.0]]
    np.testing.assert_allclose(slopes, want, rtol=1e-13)
    logs = nn.log_softmax(MASKED)
    assert np.isfinite(nn.kl_div(logs, HALVES))


def test_the_divergence_of_logarithms_of_probabilities_that_are_0():
    logs = np.log(np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]]))
    with np.errstate(divide="ignore"):
        target = np.log(HALVES)
    loss = lambda logs, target: nn.kl_div(logs, target, log_target=True)
    np.testing.assert_allclose(loss(logs, target), nn.kl_div(logs, HALVES), rtol=1e-14)
    by_logs, by_target = qd.grad(loss, (0, 1))(logs, target)
    np.testing.assert_allclose(by_logs, -HALVES / 2, rtol=1e-14)
    with np.errstate(divide="ignore", invalid="ignore"):
        want = np.where(HALVES > 0, HALVES * (np.log(HALVES) - logs + 1.0) / 2, 0.0)
    np.testing.assert_allclose(by_target, want, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_approximate_gelu_far_out(dtype):
    x = np.array([-1e30, -20.0, 20.0, 1e30], dtype)
    f = lambda x: np.sum(nn.gelu(x, approximate=True))
    np.testing.assert_allclose(qd.grad(f)(x), [0.0, 0.0, 1.0, 1.0], atol=1e-200)
    np.testing.assert_allclose(qd.hvp(f, x, np.ones_like(x)), np.zeros(4), atol=1e-200)


@pytest.mark.parametrize("name, is_approximate", [("none", False), ("tanh", True)])
def test_gelu_takes_the_names_of_torch(name, is_approximate):
    x = np.array([-1.0, 0.5])
    np.testing.assert_array_equal(nn.gelu(x, name), nn.gelu(x, is_approximate))
