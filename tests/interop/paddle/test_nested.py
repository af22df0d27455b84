"""Sweeps inside sweeps, where plain paddle ends the process."""

import threading

import numpy as np
import pytest

from qiudao.core.errors import GradientError

paddle = pytest.importorskip("paddle")
grad = pytest.importorskip("qiudao.interop.paddle").grad


def square_hook(tensor, log, **options):
    """A tensor whose hook differentiates (k^3).sum(), and the tensor's leaf."""
    k = tensor([3.0, 4.0])
    middle = k * k
    inner = (middle * k).sum()
    a = tensor([1.0, 2.0])
    b = a * a

    def hook(ct):
        for _ in range(2):
            log.append([g.numpy() for g in grad(inner, [k, middle], **options)])
        return ct * 2

    b.register_hook(hook)
    return a, b, k


@pytest.mark.parametrize("outer", [grad, paddle.grad], ids=["ours", "paddle's"])
@pytest.mark.parametrize("record", [False, True])
def test_in_a_hook(tensor, outer, record):
    log = []
    a, b, k = square_hook(tensor, log)
    k.grad = paddle.ones_like(k)
    (found,) = outer((b * 3).sum(), [a], create_graph=record)
    np.testing.assert_allclose(found.numpy(), [12, 24])
    assert len(log) == 2
    for gk, gm in log:
        np.testing.assert_allclose(gk, [27, 48])
        np.testing.assert_allclose(gm, [3, 4])
    np.testing.assert_allclose(k.grad.numpy(), [1, 1])
    assert a.grad is None


def test_in_a_hook_under_backward_even_recorded(tensor):
    log = []
    a, b, k = square_hook(tensor, log, create_graph=True)
    (b * 3).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), [12, 24])
    np.testing.assert_allclose(log[1][0], [27, 48])
    assert k.grad is None


def test_in_a_hook_in_a_hook(tensor):
    log = []
    a, b, _ = square_hook(tensor, log)
    c = tensor([5.0])
    d = c * 1
    d.register_hook(lambda ct: log.append(grad(b.sum(), [a, b])[1].numpy()))
    grad(d.sum(), c)
    np.testing.assert_allclose(log[-1], [2, 2])


def test_in_the_backward_of_a_pylayer(tensor):
    class Odd(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, ct):
            x = ctx.saved_tensor()[0].detach()
            x.stop_gradient = False
            with paddle.enable_grad():
                y = (x * x).sum()
            return ct * grad(y, x)[0]

    x = tensor([1.0, 2.0])
    np.testing.assert_allclose(grad(Odd.apply(x).sum(), x)[0].numpy(), [2, 4])


def test_parameters_on_the_way_keep_their_grad(tensor):
    layer = paddle.nn.Linear(2, 1)
    x = paddle.ones([1, 2])
    x.stop_gradient = False
    found = []
    a = tensor([1.0])
    c = a * 1
    c.register_hook(lambda ct: found.append(grad(layer(x), x)[0].numpy()))
    grad(c.sum(), a)
    np.testing.assert_allclose(found[-1], layer.weight.numpy().T)
    assert layer.weight.grad is None


def in_hook(tensor, act):
    """What `act` raises inside a hook under a `paddle.grad`."""
    caught = []

    def hook(ct):
        try:
            act()
        except GradientError as error:
            caught.append(str(error))

    a = tensor([1.0])
    b = a * 1
    b.register_hook(hook)
    paddle.grad(b.sum(), a)
    (text,) = caught
    return text


def test_what_cannot_be_done_is_refused_with_the_reason(tensor):
    x, w = tensor([1.0]), tensor([2.0])
    assert "cannot record another" in in_hook(tensor, lambda: grad(x * x, x, create_graph=True))
    assert ".grad of 1 leaves" in in_hook(tensor, lambda: grad(x * w, x))
    assert w.grad is None


def test_in_another_thread(tensor):
    x, found = tensor([3.0]), []
    y = x * x

    def hook(ct):
        other = threading.Thread(target=lambda: found.append(grad(y, x)[0].item()))
        other.start()
        other.join()

    a = tensor([1.0])
    b = a * 1
    b.register_hook(hook)
    assert grad(b.sum(), a)[0].item() == 1
    assert found == [6.0]
