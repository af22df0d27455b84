"""Paddle's names and defaults on our engine."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.interop.paddle_style as paddle


def variable(data):
    return paddle.to_tensor(data, stop_gradient=False)


def plain(x):
    return [plain(y) for y in x] if isinstance(x, tuple | list) else np.asarray(x.detach()).tolist()


def test_defaults():
    x = paddle.to_tensor([1.0, 2.0])
    assert (x.dtype, x.stop_gradient) == (np.float32, True)
    assert paddle.to_tensor(np.ones(2)).dtype == np.float64


def test_grad_is_a_list_from_implicit_ones_and_keeps_the_graph():
    x = variable([1.0, 2.0])
    y = x * x
    for _ in range(2):
        found = paddle.grad(y, x)
        assert (type(found), plain(found)) == (list, [[2.0, 4.0]])
    assert plain(paddle.grad([y, x], [x, y], [None, 2 * np.ones(2)])) == [[4.0, 6.0], [1.0, 1.0]]
    assert x.grad is None


def test_unused_inputs():
    x, z = variable([1.0]), variable([1.0])
    with pytest.raises(qd.core.errors.UnusedError):
        paddle.grad(x * 2, [x, z])
    assert paddle.grad(x * 2, [x, z], allow_unused=True)[1] is None
    assert plain(paddle.grad(x * 2, [x, z], materialize_grads=True)) == [[2.0], [0.0]]


def test_what_paddle_does_not_have():
    x, z = variable([1.0, 2.0]), variable([3.0, 4.0])
    y = x * z
    batch = paddle.grad(y, x, np.eye(2), is_grads_batched=True)
    assert plain(batch) == [[[3.0, 0.0], [0.0, 4.0]]]
    paddle.grad(y, x, only_inputs=False)
    assert plain(z.grad) == [1.0, 2.0]


def test_backward_starts_with_ones_and_passes_constants_over():
    x = variable([1.0, 2.0])
    paddle.autograd.backward([x * x, paddle.to_tensor([5.0])])
    assert plain(x.grad) == [2.0, 4.0]
    paddle.autograd.backward(paddle.to_tensor([5.0]))
    paddle.autograd.backward([x * x], [np.array([1.0, 10.0])])
    assert plain(x.grad) == [4.0, 44.0]


def test_jacobians_and_hessians_of_values():
    x, z = variable([1.0, 2.0]), variable([3.0, 4.0])
    both = paddle.autograd.jacobian((x * z, x + z), (x, z))
    eye = [[1.0, 0.0], [0.0, 1.0]]
    assert plain(both) == [[[[3.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]], [eye, eye]]
    hessian = paddle.autograd.hessian((x * x * z).sum(), (x, z))
    cross, zeros = [[2.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]
    assert plain(hessian) == [[[[6.0, 0.0], [0.0, 8.0]], cross], [cross, zeros]]
    assert plain(paddle.autograd.hessian((x * 2).sum(), x)) == zeros


def test_batches_of_jacobians_and_hessians():
    x = variable([[1.0, 2.0], [3.0, 4.0]])
    jacobian = paddle.autograd.jacobian(x * x, x, batch_axis=0)
    assert plain(jacobian) == [[[2.0, 0.0], [0.0, 4.0]], [[6.0, 0.0], [0.0, 8.0]]]
    hessian = paddle.autograd.hessian((x**3).sum(axis=1), x, batch_axis=0)
    assert plain(hessian) == [[[6.0, 0.0], [0.0, 12.0]], [[18.0, 0.0], [0.0, 24.0]]]


def test_layers_return_a_cotangent_for_each_tensor():
    class Scaled(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx, x, factor, y, *, label="none"):
            ctx.save_for_backward(x, y)
            ctx.mark_not_inplace(x)
            ctx.factor = factor
            return x * y * factor

        @staticmethod
        def backward(ctx, ct):
            x, y = ctx.saved_tensor()
            return ct * y * ctx.factor, ct * x * ctx.factor

    x, y = variable(2.0), variable(5.0)
    Scaled.apply(x, 3, y, label="mine").backward()
    assert (plain(x.grad), plain(y.grad)) == (15.0, 6.0)
    (g,) = qd.grad(Scaled.apply(x, 3, y), x, create_graph=True)
    assert plain(qd.grad(g, y)) == [3.0]


def test_functional():
    x, v = variable([1.0, 2.0]), np.array([1.0, 10.0], np.float32)
    value, found = paddle.incubate.autograd.vjp(lambda x: x * x, x, v)
    assert (plain(value), plain(found)) == ([1.0, 4.0], [2.0, 40.0])
    assert plain(paddle.incubate.autograd.vjp(lambda x: x * x, x)[1]) == [2.0, 4.0]
    assert plain(paddle.incubate.autograd.jvp(lambda x: x * x, x, v)[1]) == [2.0, 40.0]
    assert plain(paddle.incubate.autograd.jvp(lambda x: x * x, x)[1]) == [2.0, 4.0]
