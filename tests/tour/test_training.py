import numpy as np
import pytest

import qiudao as qd
from qiudao.tour.digits import load_digits, split
from qiudao.tour.network import initial_weights
from qiudao.tour.training import Adam, check_slope, read, train


def test_adam_finds_the_bottom_of_a_bowl():
    target = np.array([1.0, -2.0])
    place = qd.tensor(np.zeros(2), requires_grad=True)
    optimiser = Adam([place])
    for _ in range(500):
        np.sum((place - target) ** 2).backward()
        optimiser.step(rate=0.05)
    np.testing.assert_allclose(place.detach().numpy(), target, atol=1e-3)


def test_the_first_step_of_adam_is_the_rate_in_every_direction():
    place = qd.tensor(np.zeros(3), requires_grad=True)
    np.sum(place * np.array([1e-3, -5.0, 2e6])).backward()
    Adam([place]).step(rate=0.1)
    np.testing.assert_allclose(place.detach().numpy(), [-0.1, 0.1, -0.1], rtol=1e-4)


def test_a_weight_without_a_gradient_stays():
    place = qd.tensor(np.ones(2), requires_grad=True)
    Adam([place]).step(rate=0.1)
    np.testing.assert_array_equal(place.detach().numpy(), [1.0, 1.0])


def test_three_ways_agree_on_the_slope_of_the_loss():
    rng = np.random.default_rng(0)
    slope = check_slope(initial_weights(rng), load_digits().take(np.arange(50)), rng)
    assert slope.weights == 6570
    assert slope.forward == pytest.approx(slope.reverse, rel=1e-12)
    assert slope.limit == pytest.approx(slope.reverse, rel=1e-6)


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    training, test = split(load_digits(), 0.2, rng)
    weights = [qd.tensor(w, requires_grad=True) for w in initial_weights(rng)]
    epochs = list(train(weights, training, test, rng, epochs=15))
    return epochs, test, weights


def test_the_network_learns_to_read_digits_it_never_saw(trained):
    epochs, _, _ = trained
    assert epochs[-1].test_accuracy >= 0.95  # the tour trains longer: at least 96%
    assert np.mean(epochs[-1].losses) < 0.2 * np.mean(epochs[0].losses)


def test_readings_and_accuracy_agree(trained):
    epochs, test, weights = trained
    readings = read(test, [w.detach().numpy() for w in weights])
    assert np.mean([r.right for r in readings]) == epochs[-1].test_accuracy
    assert all(0.1 <= r.chance <= 1.0 for r in readings)
