"""What a model changes while it runs: running means, and draws."""

import numpy as np
import pytest

import qiudao as qd
from qiudao import nn

X = np.random.default_rng(0).normal(size=(6, 3))


def test_the_running_mean_comes_out_of_transforms_with_the_model():
    eager = nn.BatchNorm1d(3)
    eager(X)

    def loss(model, x):
        return np.sum(np.sin(model(x))), model

    eager_step = qd.value_and_grad(loss, has_aux=True)
    for step in (eager_step, qd.jit(eager_step)):
        given = nn.BatchNorm1d(3).arrays()
        (_, model), gradient = step(given, X)
        np.testing.assert_allclose(model.running_mean, eager.running_mean, rtol=1e-12)
        np.testing.assert_allclose(model.running_var, eager.running_var, rtol=1e-12)
        np.testing.assert_array_equal(given.running_mean, 0.0)
        np.testing.assert_array_equal(gradient.running_mean, 0.0)
        assert type(model.running_mean) is np.ndarray


def test_a_gradient_through_a_closure_leaves_plain_buffers():
    norm = nn.BatchNorm1d(3)
    qd.grad(lambda x: np.sum(np.sin(norm(x))))(X)
    assert type(norm.running_mean) is np.ndarray
    np.testing.assert_allclose(norm.running_mean, 0.1 * X.mean(0))


def test_an_ensemble_has_its_own_running_means():
    models = nn.stack([nn.BatchNorm1d(3), nn.BatchNorm1d(3)])

    def run(model, x):
        model(x)
        return model

    moved = qd.vmap(run)(models, np.stack([X, 2.0 * X]))
    np.testing.assert_allclose(moved.running_mean, 0.1 * np.stack([X.mean(0), 2.0 * X.mean(0)]))


@pytest.mark.parametrize("transform", [qd.jit, qd.vmap])
def test_a_closed_over_norm_says_that_its_mean_would_be_lost(transform):
    norm = nn.BatchNorm1d(3)
    x = X if transform is qd.jit else X[None]
    with pytest.raises(NotImplementedError, match="pass the model as an argument"):
        transform(lambda x: norm(x))(x)
    np.testing.assert_array_equal(norm.running_mean, 0.0)
    transform(lambda x: norm.eval()(x))(x)


def test_dropout_keeps_the_mean_and_drops_the_share():
    y = nn.Dropout(0.25, rng=0)(np.ones(100_000))
    assert set(np.unique(y)) == {0.0, 1.0 / 0.75}
    assert abs(np.mean(y == 0.0) - 0.25) < 0.01


def test_dropout_repeats_by_its_seed_and_differs_by_call():
    one, other = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    first, second = one(np.ones(50)), one(np.ones(50))
    np.testing.assert_array_equal(first, other(np.ones(50)))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(nn.Dropout(0.5)(np.ones(50), rng=3), first)


def test_the_gradient_of_dropout_is_its_mask():
    x = qd.tensor(np.ones(50), requires_grad=True)
    y = nn.Dropout(0.5, rng=3)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_dropout_with_draws_that_are_passed():
    layer, draws = nn.Dropout(0.5), np.random.default_rng(0).random((4, 5))
    want = np.where(draws >= 0.5, 2.0, 0.0)
    run = lambda x, draws: layer(x, draws=draws)
    np.testing.assert_array_equal(run(np.ones((4, 5)), draws), want)
    np.testing.assert_array_equal(qd.jit(run)(np.ones((4, 5)), draws), want)
    np.testing.assert_array_equal(qd.vmap(run)(np.ones((4, 5)), draws), want)


@pytest.mark.parametrize("transform", [qd.jit, qd.vmap])
def test_dropout_never_draws_a_constant_mask_in_silence(transform):
    layer = nn.Dropout(0.5, rng=0)
    with pytest.raises(NotImplementedError, match="pass draws="):
        transform(lambda x: layer(x))(np.ones((2, 3)))
    np.testing.assert_array_equal(transform(lambda x: layer.eval()(x))(np.ones((2, 3))), 1.0)
