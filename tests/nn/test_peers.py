"""Every layer and loss against torch: values, gradients of inputs and of parameters, in float64."""

import numpy as np
import pytest

import qiudao as qd
from qiudao import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peer
F = torch.nn.functional

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture(autouse=True)
def same_weights_each_time():
    torch.manual_seed(0)


def rng(seed=0):
    return np.random.default_rng(seed)


def copied(model, theirs):
    """Put torch's weights, by our names, into a model."""
    model.load_state_dict({name: value.detach().numpy() for name, value in theirs.items()})
    return model


def compare(ours, theirs, x, names, *, call=lambda layer, x: layer(x), their_call=None):
    """The values, and all gradients of the same weighted sum of them."""
    their_call = call if their_call is None else their_call
    x = np.asarray(x)
    tx = torch.tensor(x, requires_grad=True)
    qx = qd.tensor(x, requires_grad=True)
    want, got = their_call(theirs, tx), call(ours, qx)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), **TIGHT)
    w = rng(9).normal(size=tuple(want.shape))
    (want * torch.tensor(w)).sum().backward()
    (got * w).sum().backward()
    np.testing.assert_allclose(qx.grad.numpy(), tx.grad.numpy(), **TIGHT)
    mine = dict(ours.named_parameters())
    assert set(names) == set(mine)
    for name, param in names.items():
        np.testing.assert_allclose(
            mine[name].grad.numpy(), param.grad.numpy(), **TIGHT, err_msg=name
        )


def alike(ours, theirs):
    """Our model with the weights of torch's, whose names are the same; and those."""
    theirs = theirs.double()
    names = dict(theirs.named_parameters())
    state = {n: v for n, v in theirs.state_dict().items() if n != "num_batches_tracked"}
    return copied(ours, state), theirs, names


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias):
    ours, theirs, names = alike(nn.Linear(4, 3, bias, rng=0), torch.nn.Linear(4, 3, bias))
    compare(ours, theirs, rng().normal(size=(2, 5, 4)), names)


def test_embedding():
    ours, theirs, names = alike(nn.Embedding(6, 3, rng=0), torch.nn.Embedding(6, 3))
    indices = np.array([[1, 2, 1], [5, 1, 0]])
    w = rng().normal(size=(2, 3, 3))
    (theirs(torch.tensor(indices)) * torch.tensor(w)).sum().backward()
    (ours(indices) * w).sum().backward()
    np.testing.assert_allclose(ours.weight.grad.numpy(), names["weight"].grad.numpy(), **TIGHT)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2, "bias": False}],
    ids=str,
)
@pytest.mark.parametrize("space", [1, 2])
def test_convolution(space, options):
    kind = (nn.Conv1d, nn.Conv2d)[space - 1]
    their_kind = (torch.nn.Conv1d, torch.nn.Conv2d)[space - 1]
    ours, theirs, names = alike(kind(4, 6, 3, rng=0, **options), their_kind(4, 6, 3, **options))
    compare(ours, theirs, rng().normal(size=(2, 4, *(8, 7)[:space])), names)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (nn.MaxPool(2), torch.nn.MaxPool2d(2)),
        (nn.MaxPool(3, stride=2, padding=1), torch.nn.MaxPool2d(3, 2, 1)),
        (nn.MaxPool(2, stride=1, dilation=2), torch.nn.MaxPool2d(2, 1, 0, 2)),
        (nn.AvgPool(2), torch.nn.AvgPool2d(2)),
        (nn.AvgPool(3, stride=2, padding=1), torch.nn.AvgPool2d(3, 2, 1)),
        (
            nn.AvgPool(3, stride=2, padding=1, counts_padding=False),
            torch.nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        ),
        (nn.AdaptiveAvgPool((3, 4)), torch.nn.AdaptiveAvgPool2d((3, 4))),
        (nn.AdaptiveAvgPool(1), torch.nn.AdaptiveAvgPool2d(1)),
    ],
)
def test_pools(ours, theirs):
    compare(ours, theirs, rng().normal(size=(2, 3, 7, 9)), {})


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("space", [0, 2])
def test_batch_norm_in_both_modes(space, affine):
    kind, their_kind = (
        (nn.BatchNorm2d, torch.nn.BatchNorm2d) if space else (nn.BatchNorm1d, torch.nn.BatchNorm1d)
    )
    ours, theirs, names = alike(kind(3, affine=affine), their_kind(3, affine=affine))
    for seed in range(3):
        x = rng(seed).normal(1.0, 3.0, size=(4, 3, *(5, 2)[:space]))
        for p in names.values():
            p.grad = None
        ours.zero_grad()
        compare(ours, theirs, x, names)
        np.testing.assert_allclose(ours.running_mean, theirs.running_mean.numpy(), **TIGHT)
        np.testing.assert_allclose(ours.running_var, theirs.running_var.numpy(), **TIGHT)
    for p in names.values():
        p.grad = None
    ours.zero_grad()
    compare(ours.eval(), theirs.eval(), x, names)


@pytest.mark.parametrize("sizes", [(4,), (3, 4)])
def test_layer_norm(sizes):
    ours, theirs, names = alike(nn.LayerNorm(sizes), torch.nn.LayerNorm(sizes))
    compare(ours, theirs, rng().normal(2.0, 3.0, size=(2, 3, 4)), names)


RECURRENT = [
    (nn.RNN, torch.nn.RNN),
    (nn.GRU, torch.nn.GRU),
    (nn.LSTM, torch.nn.LSTM),
]


@pytest.mark.parametrize("kind, their_kind", RECURRENT)
@pytest.mark.parametrize("bias", [True, False])
def test_recurrent(kind, their_kind, bias):
    theirs = their_kind(3, 4, batch_first=True, bias=bias).double()
    names = {n.removesuffix("_l0"): p for n, p in theirs.named_parameters()}
    ours = copied(kind(3, 4, bias=bias, rng=0), names)

    def all_of(layer, x):
        states, last = layer(x)
        h, c = last if isinstance(last, tuple) else (last, last)
        join = torch.cat if isinstance(x, torch.Tensor) else np.concatenate
        flat = [states.reshape(-1), h.reshape(-1), c.reshape(-1)]
        return join(flat)

    compare(ours, theirs, rng().normal(size=(2, 5, 3)), names, call=all_of)


@pytest.mark.parametrize("kind, their_kind", RECURRENT)
def test_recurrent_backwards_is_the_other_direction(kind, their_kind):
    theirs = their_kind(3, 4, batch_first=True, bidirectional=True).double()
    names = {n: p for n, p in theirs.named_parameters() if n.endswith("_l0_reverse")}
    names = {n.removesuffix("_l0_reverse"): p for n, p in names.items()}
    ours = copied(kind(3, 4, reverse=True, rng=0), names)
    compare(
        ours, theirs, rng().normal(size=(2, 5, 3)), names,
        call=lambda layer, x: layer(x)[0], their_call=lambda layer, x: layer(x)[0][..., 4:],
    )  # fmt: skip


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("masked", ["no", "causal", "padding", "both", "mask"])
def test_attention(masked, bias):
    theirs = torch.nn.MultiheadAttention(6, 2, bias=bias, batch_first=True).double()
    if bias:
        with torch.no_grad():
            theirs.in_proj_bias.uniform_()
    state = {"out.weight": theirs.out_proj.weight}
    if bias:
        state["out.bias"] = theirs.out_proj.bias
    for k, name in enumerate(("query", "key", "value")):
        state[f"{name}.weight"] = theirs.in_proj_weight[6 * k : 6 * k + 6]
        if bias:
            state[f"{name}.bias"] = theirs.in_proj_bias[6 * k : 6 * k + 6]
    ours = copied(nn.MultiheadAttention(6, 2, bias=bias, rng=0), state)
    x, other = rng().normal(size=(3, 4, 6)), rng(1).normal(size=(3, 4, 6))
    causal = masked in ("causal", "both")
    present = np.arange(4) < np.array([[4], [2], [3]])
    present = present if masked in ("padding", "both") else None
    mask = rng(3).random((4, 4)) < 0.5
    mask = (mask | np.eye(4, dtype=bool)) if masked == "mask" else None

    def our_call(layer, q):
        return layer(q, other, mask=mask, causal=causal, present=present)

    def their_call(layer, q):
        barred = ~np.tri(4, dtype=bool) if causal else None if mask is None else ~mask
        return layer(
            q, torch.tensor(other), torch.tensor(other),
            attn_mask=None if barred is None else torch.tensor(barred),
            key_padding_mask=None if present is None else torch.tensor(~present),
            need_weights=False,
        )[0]  # fmt: skip

    compare_parts(ours, theirs, x, our_call, their_call, bias)


def compare_parts(ours, theirs, x, our_call, their_call, bias):
    tx, qx = torch.tensor(x, requires_grad=True), qd.tensor(x, requires_grad=True)
    want, got = their_call(theirs, tx), our_call(ours, qx)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), **TIGHT)
    w = rng(9).normal(size=x.shape)
    (want * torch.tensor(w)).sum().backward()
    (got * w).sum().backward()
    np.testing.assert_allclose(qx.grad.numpy(), tx.grad.numpy(), **TIGHT)
    layers = (ours.query, ours.key, ours.value)
    weights = np.concatenate([layer.weight.grad.numpy() for layer in layers])
    np.testing.assert_allclose(weights, theirs.in_proj_weight.grad.numpy(), **TIGHT)
    if bias:
        biases = np.concatenate([layer.bias.grad.numpy() for layer in layers])
        np.testing.assert_allclose(biases, theirs.in_proj_bias.grad.numpy(), **TIGHT)


ACTIVATIONS = {
    "relu": (nn.relu, F.relu),
    "leaky_relu": (nn.leaky_relu, F.leaky_relu),
    "elu": (lambda x: nn.elu(x, 0.7), lambda x: F.elu(x, 0.7)),
    "sigmoid": (nn.sigmoid, torch.sigmoid),
    "tanh": (nn.tanh, torch.tanh),
    "silu": (nn.silu, F.silu),
    "gelu": (nn.gelu, F.gelu),
    "gelu tanh": (lambda x: nn.gelu(x, True), lambda x: F.gelu(x, approximate="tanh")),
    "softmax": (nn.softmax, lambda x: F.softmax(x, -1)),
    "softmax of columns": (lambda x: nn.softmax(x, 0), lambda x: F.softmax(x, 0)),
    "log_softmax": (nn.log_softmax, lambda x: F.log_softmax(x, -1)),
    "log_softmax of columns": (lambda x: nn.log_softmax(x, 0), lambda x: F.log_softmax(x, 0)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    ours, theirs = ACTIVATIONS[name]
    x = np.concatenate([rng().normal(scale=3.0, size=(3, 4)), [[0.0, -0.0, 30.0, -30.0]]])
    if name == "elu":  # at 0 torch's first derivative is that of the left side, its second is not
        x = x[:-1]
    same_to_second_order(ours, theirs, x)


def same_to_second_order(ours, theirs, x, tolerance=TIGHT):
    """Values, gradients, and the gradients of a function of the gradient."""
    tx, qx = torch.tensor(x, requires_grad=True), qd.tensor(x, requires_grad=True)
    want, got = theirs(tx), ours(qx)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), **tolerance)
    w = rng(9).normal(size=tuple(want.shape))
    (tg,) = torch.autograd.grad((want * torch.tensor(w)).sum(), tx, create_graph=True)
    (qg,) = qd.grad((got * w).sum(), qx, create_graph=True)
    np.testing.assert_allclose(qg.detach().numpy(), tg.detach().numpy(), **tolerance)
    if tg.requires_grad and qg.requires_grad:
        v = rng(8).normal(size=x.shape)
        (tgg,) = torch.autograd.grad((tg * torch.tensor(v)).sum(), tx, allow_unused=True)
        (qgg,) = qd.grad((qg * v).sum(), qx, unused="zero")
        tgg = torch.zeros_like(tx) if tgg is None else tgg
        np.testing.assert_allclose(qgg.detach().numpy(), tgg.numpy(), **tolerance)


LOGITS = np.concatenate([rng().normal(scale=3.0, size=(4, 5)), 400.0 * np.eye(5)[:2]])
LABELS = np.array([0, 4, 2, 2, 0, 3])
SHARES = rng(4).dirichlet(np.ones(5), size=6)
WEIGHT = rng(5).uniform(0.5, 2.0, size=5)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("target", ["labels", "ignored", "probabilities"])
def test_cross_entropy(target, smoothing, weight, reduction):
    aim = SHARES if target == "probabilities" else LABELS
    ignored = {"ignore_index": 2} if target == "ignored" else {}

    def theirs(x):
        w = None if weight is None else torch.tensor(weight)
        return F.cross_entropy(
            x, torch.tensor(aim), weight=w, label_smoothing=smoothing, reduction=reduction,
            **ignored,
        )  # fmt: skip

    def ours(x):
        return nn.cross_entropy(
            x, aim, weight=weight, label_smoothing=smoothing, reduction=reduction, **ignored
        )

    same_to_second_order(ours, theirs, LOGITS)


PREDICTED = np.array([-400.0, -2.0, -0.3, 0.2, 1.0, 400.0])
AIMS = np.array([1.0, 0.0, 0.3, 0.7, 1.0, 0.0])

LOSSES = {
    "bce": (nn.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, {}),
    "mse": (nn.mse, F.mse_loss, {}),
    "huber": (nn.huber, F.huber_loss, {"delta": 0.8}),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, reduction):
    ours, theirs, options = LOSSES[name]
    same_to_second_order(
        lambda x: ours(x, AIMS, reduction=reduction, **options),
        lambda x: theirs(x, torch.tensor(AIMS), reduction=reduction, **options),
        PREDICTED,
    )


def test_weighted_binary_cross_entropy():
    weight, positive = rng(1).uniform(0.5, 2.0, size=6), rng(2).uniform(0.5, 2.0, size=6)
    same_to_second_order(
        lambda x: nn.binary_cross_entropy_with_logits(x, AIMS, weight=weight, pos_weight=positive),
        lambda x: F.binary_cross_entropy_with_logits(
            x, torch.tensor(AIMS), torch.tensor(weight), pos_weight=torch.tensor(positive)
        ),
        PREDICTED,
    )


@pytest.mark.parametrize("reduction", ["batchmean", "sum", "none"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_divergence(log_target, reduction):
    aim = np.log(SHARES) if log_target else SHARES * (SHARES > 0.2)
    same_to_second_order(
        lambda x: nn.kl_div(nn.log_softmax(x), aim, log_target=log_target, reduction=reduction),
        lambda x: F.kl_div(
            F.log_softmax(x, -1), torch.tensor(aim), log_target=log_target, reduction=reduction
        ),
        LOGITS,
    )
