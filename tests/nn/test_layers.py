"""Every layer: right derivatives, the same in every transform and on the tape, saved and loaded."""

import copy
import pickle

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao import nn


def draws(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class Deep(nn.Module):
    """Two recurrent layers, of which only the last state is read."""

    def __init__(self, kind):
        self.layers = [kind(2, 2, rng=0), kind(2, 1, rng=1, reverse=True)]

    def __call__(self, x):
        for layer in self.layers:
            x, _ = layer(x)
        return x


class Masked(nn.Module):
    """Attention with every mask there is."""

    def __init__(self):
        self.attention = nn.MultiheadAttention(4, 2, rng=0)

    def __call__(self, x):
        present = np.array([[True, True, False], [True, True, True]])
        return self.attention(x, causal=True, present=present, mask=np.ones((3, 3), bool))


LAYERS = {
    "linear": (lambda: nn.Linear(3, 2, rng=0), draws(4, 3)),
    "linear without bias": (lambda: nn.Linear(3, 2, False, rng=0), draws(4, 3)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, padding="same", rng=0), draws(2, 2, 5)),
    "conv2d": (lambda: nn.Conv2d(2, 4, (3, 2), stride=2, groups=2, rng=0), draws(2, 2, 5, 4)),
    "max pool": (lambda: nn.MaxPool(2), draws(2, 2, 4, 4)),
    "avg pool": (lambda: nn.AvgPool(2, padding=1), draws(2, 2, 4, 4)),
    "adaptive pool": (lambda: nn.AdaptiveAvgPool((2, 3)), draws(2, 2, 5, 4)),
    "batch norm 1d": (lambda: nn.BatchNorm1d(3), draws(5, 3)),
    "batch norm 2d": (lambda: nn.BatchNorm2d(2), draws(2, 2, 3, 2)),
    "batch norm, evaluated": (lambda: nn.BatchNorm1d(3).eval(), draws(5, 3)),
    "layer norm": (lambda: nn.LayerNorm((2, 3)), draws(4, 2, 3)),
    "rnn": (lambda: Deep(nn.RNN), draws(1, 3, 2)),
    "gru": (lambda: Deep(nn.GRU), draws(1, 3, 2)),
    "lstm": (lambda: Deep(nn.LSTM), draws(1, 3, 2)),
    "attention": (Masked, draws(2, 3, 4)),
    "sequential": (
        lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.silu, nn.Linear(4, 2, rng=1), nn.softmax),
        draws(4, 3),
    ),
}


@pytest.fixture(params=LAYERS)
def made(request):
    make, x = LAYERS[request.param]
    return make(), x


@pytest.fixture(params=[name for name in LAYERS if "pool" not in name])
def trained(request):
    make, x = LAYERS[request.param]
    return make(), x


def loss(model, x):
    y = model(x)
    return np.sum(np.sin(y) * np.cos(np.arange(np.size(y))).reshape(y.shape))


def bare(y):
    """The value of what may be a tensor."""
    return y.detach().numpy() if isinstance(y, qd.Tensor) else y


def gradients(model):
    return {path: p.grad.numpy() for path, p in model.named_parameters()}


def test_derivatives(made):
    model, x = made
    leaves, tree = qd.core.trees.flatten(model.arrays())
    buffers = {id(b) for b in tree.build(leaves).buffers()}
    free = [k for k, leaf in enumerate(leaves) if id(leaf) not in buffers]

    def of_all(x, *values):
        filled = list(leaves)
        for k, value in zip(free, values, strict=True):
            filled[k] = value
        return tree.build(filled)(x)

    assert qd.gradcheck(of_all, x, *(leaves[k] for k in free))


def test_the_tape_and_the_transform_agree(made):
    model, x = made
    plain = model.arrays()
    if model.parameters():
        loss(model, x).backward()
    found = qd.grad(loss)(plain, x)
    assert type(found) is type(model)
    for (path, got), (other, want) in zip(
        found.named_parameters(), gradients(model).items(), strict=True
    ):
        assert path == other
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def test_compiled(made):
    model, x = made
    plain = model.arrays()
    step = qd.value_and_grad(loss, (0, 1))
    value, (by_model, by_x) = step(plain, x)
    compiled = qd.jit(step)
    for _ in range(2):
        got, (g_model, g_x) = compiled(plain, x)
        np.testing.assert_allclose(got, value, rtol=1e-12)
        np.testing.assert_allclose(g_x, by_x, rtol=1e-10, atol=1e-13)
        for got, want in zip(g_model.parameters(), by_model.parameters(), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-13)


def test_compiled_on_the_tape(trained):
    model, x = trained
    other = copy.deepcopy(model)
    loss(model, x).backward()
    qd.jit(loss)(other, x).backward()
    for got, want in zip(gradients(other).values(), gradients(model).values(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-13)


def test_an_ensemble(trained):
    model, x = trained
    models = [nn.tree_map(lambda p, k=k: p * (1.0 + 0.1 * k), model.arrays()) for k in range(3)]
    found = qd.vmap(qd.grad(loss), in_axes=(0, None))(nn.stack(models), x)
    for k, each in enumerate(models):
        want = qd.grad(loss)(each, x)
        for got, expected in zip(found.parameters(), want.parameters(), strict=True):
            np.testing.assert_allclose(got[k], expected, rtol=1e-10, atol=1e-13)


def test_single_precision_stays_single(made):
    model, x = made
    model, x = model.astype(np.float32), x.astype(np.float32)
    y = model(x)
    assert y.dtype == np.float32
    assert all(p.dtype == np.float32 for p in [*model.parameters(), *model.buffers()])
    assert qd.trace(lambda model, x: model(x))(model.arrays(), x).results[0].dtype == np.float32


def test_saved_and_loaded(made):
    model, x = made
    model(x)  # buffers move
    other = nn.tree_map(np.zeros_like, model.arrays()).requires_grad_()
    other.load_state_dict(model.state_dict())
    assert model.state_dict().keys() == other.state_dict().keys()
    for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(bare(model.eval()(x)), bare(other.eval()(x)))


def test_copies(made):
    model, x = made
    model.eval()
    want = bare(loss(model, x))
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.tensors()):
        np.testing.assert_array_equal(bare(loss(again, x)), want)
        assert all(p.requires_grad for p in again.parameters())


@pytest.mark.parametrize("bias", [True, False])
def test_an_lstm_from_a_given_state(bias):
    """On the tape the sequence is one operation, compiled it is a loop."""
    model = nn.LSTM(3, 2, bias=bias, rng=0).arrays()

    def total(x, h, c):
        states, (h, c) = model(x, (h, c))
        return np.sum(states * states) + np.sum(h * c)

    slopes = qd.grad(total, argnums=(0, 1, 2))
    given = draws(2, 4, 3), draws(2, 2, seed=1), draws(2, 2, seed=2)
    for got, want in zip(slopes(*given), qd.jit(slopes)(*given), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-13)


def test_an_lstm_that_is_shut_or_open():
    model = nn.LSTM(1, 1, rng=0).arrays()
    x = np.array([[[1e4], [-1e4], [0.5]]])
    eager, _ = model(x)
    compiled, _ = qd.jit(model)(x)
    np.testing.assert_allclose(eager, compiled, rtol=1e-12)
    assert np.isfinite(qd.grad(lambda x: np.sum(model(x)[0]))(x)).all()


@pytest.mark.parametrize(
    "layer, data",
    [
        (nn.Linear(3, 2, rng=0), [1, 2, 3]),
        (nn.LayerNorm(3), [1.0, 2.0, 3.0]),
        (nn.BatchNorm1d(3), [[1.0, 2.0, 3.0], [2.0, 3.0, 5.0]]),
        (nn.GRU(3, 2, rng=0), [[[1.0, 2.0, 3.0]]]),
        (nn.MultiheadAttention(4, 2, rng=0), [[[1.0, 2.0, 3.0, 4.0]]]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_lists_are_arrays(layer, data):
    first = lambda y: y[0] if isinstance(y, tuple) else y
    close(first(layer(data)), first(layer(np.array(data, float))))


def test_means_of_whole_numbers_are_not_whole():
    counts = np.arange(8).reshape(1, 1, 8)
    close(nn.AdaptiveAvgPool(2)(counts), np.array([[[1.5, 5.5]]]))


def test_sizes_are_whole_numbers_of_any_type():
    three = np.int64(3)
    assert nn.Conv1d(1, 1, three, rng=0)(np.ones((1, 1, 5))).shape == (1, 1, 3)
    assert nn.LayerNorm(three)(np.ones((2, 3))).shape == (2, 3)
    assert repr(nn.Linear(three, np.int32(1), rng=0)) == repr(nn.Linear(3, 1, rng=0))
    assert nn.AdaptiveAvgPool(three)(np.ones((1, 1, 5))).shape == (1, 1, 3)


def test_weights_without_elements():
    assert nn.xavier_uniform((0, 0), rng=0).shape == nn.orthogonal((0, 0), rng=0).shape == (0, 0)


def test_attention_of_no_examples():
    layer = nn.MultiheadAttention(4, 2, rng=0)
    x = np.zeros((0, 3, 4))
    assert layer(x, causal=True).shape == x.shape
    layer(x).sum().backward()
    assert not np.any(layer.query.weight.grad.numpy())
