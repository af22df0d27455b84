"""Convolutions and pools against torch: values, gradients, second derivatives."""

import numpy as np
import pytest

import qiudao as qd
from ops.networks.settings import SETTINGS

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peer
functional = torch.nn.functional


def conv(space):
    return (functional.conv1d, functional.conv2d, functional.conv3d)[space - 1]


def penalty(total, gradients):
    """A scalar whose gradient needs second derivatives."""
    return total + sum((g * g).sum() for g in gradients)


def same(ours, theirs, *xs):
    """Values, gradients, and the gradient of a penalty on gradients."""
    tensors = [torch.tensor(x, requires_grad=True) for x in xs]
    out = theirs(*tensors)
    np.testing.assert_allclose(ours(*xs), out.detach().numpy(), atol=1e-12)
    total = (out**3).sum()
    first = torch.autograd.grad(total, tensors, create_graph=True)
    second = torch.autograd.grad(penalty(total, first), tensors)

    def loss(*xs):
        return np.sum(ours(*xs) ** 3)

    places = tuple(range(len(xs)))

    def penalised(*xs):
        value, gradients = qd.value_and_grad(loss, argnums=places)(*xs)
        return penalty(value, gradients)

    for want, f in ((first, loss), (second, penalised)):
        for g, w in zip(qd.grad(f, argnums=places)(*xs), want, strict=True):
            w = w.detach().numpy()
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9 * np.max(np.abs(w)))


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_convolution(setting):
    f = conv(len(setting.x) - 2)
    same(
        lambda x, k: qd.convolution(x, k, **setting.options),
        lambda x, k: f(x, k, **setting.options),
        *setting.draw(),
    )


@pytest.mark.parametrize("options", [
    {}, {"stride": 2}, {"stride": 3, "padding": 1, "output_padding": 2},
    {"dilation": 2, "groups": 2}, {"stride": 2, "dilation": 3, "output_padding": 1},
])  # fmt: skip
@pytest.mark.parametrize("space", [1, 2])
def test_transposed_convolution(space, options):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 4, *(5, 4)[:space])), rng.normal(size=(4, 3, *(3, 2)[:space]))
    f = (functional.conv_transpose1d, functional.conv_transpose2d)[space - 1]
    ours = dict(options)
    if "output_padding" in ours:
        ours["extra"] = ours.pop("output_padding")
    same(lambda x, k: qd.transposed_convolution(x, k, **ours), lambda x, k: f(x, k, **options),
         x, kernel)  # fmt: skip


POOLS = [
    {"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1}, {"kernel_size": 2, "stride": 3},
]  # fmt: skip


@pytest.mark.parametrize("options", POOLS, ids=str)
@pytest.mark.parametrize("space", [1, 2, 3])
def test_pools(space, options):
    rng = np.random.default_rng(0)
    x = rng.permutation(np.linspace(-1, 1, 2 * 3 * 7**space)).reshape(2, 3, *(7,) * space)
    ours = {"size" if k == "kernel_size" else k: v for k, v in options.items()}
    best = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[space - 1]
    mean = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[space - 1]
    same(lambda x: qd.max_pool(x, **ours), lambda x: best(x, **options), x)
    same(lambda x: qd.max_pool(x, **ours, dilation=2),
         lambda x: best(x, **options, dilation=2), x)  # fmt: skip
    for counted in (True, False):
        same(lambda x, c=counted: qd.avg_pool(x, **ours, counts_padding=c),
             lambda x, c=counted: mean(x, **options, count_include_pad=c), x)  # fmt: skip
