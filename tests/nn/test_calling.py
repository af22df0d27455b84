"""A model called with other parameters than its own."""

import numpy as np
import pytest

import qiudao as qd
from qiudao import nn


def made():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 1, rng=1)).eval()


X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)


def test_values_and_gradients_are_those_of_the_model():
    model = made()
    own = {path: p.detach().numpy() for path, p in model.named_parameters()}
    np.testing.assert_allclose(nn.functional_call(model, own, X), model(X).detach().numpy())
    gradients = qd.grad(lambda w: np.sum(nn.functional_call(model, w, (X,)) ** 2))(own)
    np.sum(model(X) ** 2).backward()
    for path, p in model.named_parameters():
        np.testing.assert_allclose(gradients[path], p.grad.numpy())


def test_the_model_is_left_as_it_is():
    model = made()
    before = model.state_dict()
    path = next(iter(before))
    nn.functional_call(model, {path: np.zeros_like(before[path])}, X)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("jit", [False, True])
def test_ensembles_of_parameters(jit):
    model = made().arrays()
    own = dict(model.named_parameters())
    many = {path: np.stack([p, 2 * p]) for path, p in own.items()}
    call = qd.vmap(lambda w: nn.functional_call(model, w, X))
    found = (qd.jit(call) if jit else call)(many)
    np.testing.assert_allclose(found[0], nn.functional_call(model, own, X))
