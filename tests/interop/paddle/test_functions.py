"""Derivatives of paddle functions, and functions carried across in both directions."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import DtypeError, GradcheckError, GradientError, TreeError

paddle = pytest.importorskip("paddle")
ours = pytest.importorskip("qiudao.interop.paddle")

X = np.array([0.3, 0.7, 1.2])
W = np.array([0.5, -0.4, 0.9])


def in_paddle(x, w):
    return (paddle.nn.functional.softmax(x * w, -1) * paddle.exp(w)).sum()


def in_numpy(x, w):
    e = np.exp(x * w)
    return (e / e.sum() * np.exp(w)).sum()


def close(found, want):
    np.testing.assert_allclose(found.numpy(), want, rtol=1e-10, atol=1e-13)


def test_vjp_and_jvp():
    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    y, pull = ours.vjp(lambda x, p: {"y": in_paddle(x, p["w"])}, x, {"w": w})
    close(y["y"], in_numpy(X, W))
    gx, gp = pull({"y": paddle.to_tensor(2.0, dtype="float64")})
    want = qd.grad(in_numpy, (0, 1))(X, W)
    close(gx, 2 * want[0])
    close(gp["w"], 2 * want[1])
    y, dy = ours.jvp(in_paddle, (x, w), (w, x))
    close(dy, want[0] @ W + want[1] @ X)
    assert x.stop_gradient
    with pytest.raises(TreeError):
        pull(paddle.to_tensor(2.0))


def test_jacobian_and_hessian():
    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    close(
        ours.jacobian(lambda x: paddle.nn.functional.softmax(x, -1), x),
        qd.jacobian(lambda x: np.exp(x) / np.exp(x).sum())(X),
    )
    by_x, by_w = ours.jacobian(lambda x, w: paddle.outer(x, w), x, w)
    close(by_x, qd.jacobian(lambda x: np.outer(x, W))(X))
    close(by_w, qd.jacobian(lambda w: np.outer(X, w))(W))
    close(ours.hessian(lambda x: in_paddle(x, w), x), qd.hessian(lambda x: in_numpy(x, W))(X))
    both = ours.hessian(in_paddle, x, w)
    want = qd.hessian(in_numpy, argnums=(0, 1))(X, W)
    for row, expected in zip(both, want, strict=True):
        for found, block in zip(row, expected, strict=True):
            close(found, block)
    with pytest.raises(GradientError, match=r"hessian: the result must be one number"):
        ours.hessian(lambda x: x * x, x)
    with pytest.raises(GradientError, match="no argument is a float or complex paddle tensor"):
        ours.hessian(lambda x: x.sum(), paddle.to_tensor([1, 2]))


def test_gradcheck():
    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    assert ours.gradcheck(in_paddle, x, w)
    assert ours.gradcheck(lambda x: paddle.log1p(x).sum(), x[:1], order=2)

    class Wrong(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, ct):
            return ct * 3

    with pytest.raises(GradcheckError):
        ours.gradcheck(Wrong.apply, x)


def test_a_numpy_function_in_paddle_to_order_three(tensor):
    x, w = tensor(X), tensor(W)
    f = ours.as_paddle(in_numpy)
    y, want = f(x, w), in_numpy
    close(y, in_numpy(X, W))
    for _ in range(3):
        g, h = ours.grad(y, [x, w], create_graph=True)
        found = qd.grad(want, (0, 1))(X, W)
        close(g, found[0])
        close(h, found[1])
        y = (g * w).sum() + (h * h).sum()
        want = scalar_of(want)


def scalar_of(f):
    def scalar(x, w):
        g, h = qd.grad(f, (0, 1))(x, w)
        return np.sum(g * w) + np.sum(h * h)

    return scalar


def test_trees_and_integers_in_paddle(tensor):
    f = ours.as_paddle(lambda p, scale=1.0: {"y": p["x"] * scale, "n": np.argmax(p["x"])})
    x = tensor(X)
    found = f({"x": x}, scale=2.0)
    assert found["n"].item() == 2
    assert found["n"].stop_gradient
    close(ours.grad(found["y"], x, "ones")[0], [2, 2, 2])
    (only_one,) = paddle.grad(ours.as_paddle(np.multiply)(x, tensor(W)).sum(), [x])
    close(only_one, W)


def test_constants_are_watched(tensor):
    x, c = tensor(X), paddle.to_tensor(W)
    y = ours.as_paddle(lambda x, c: np.sum(x * x * c))(x, c)
    c.add_(c)
    with pytest.raises(Exception, match=r"a constant of shape .* was written to"):
        y.backward()


def test_memory_is_shared():
    array = np.arange(3.0)
    seen = []
    f = ours.as_paddle(lambda x: seen.append(x) or x * 2.0)
    t = paddle.to_tensor(array)
    f(t)
    t[0] = 7.0
    assert seen[0][0] == 7.0
    assert not seen[0].flags.writeable


def test_a_paddle_function_in_ours_to_order_three():
    f = ours.as_qiudao(in_paddle)
    assert f(X, W) == pytest.approx(in_numpy(X, W))
    for find in (qd.grad, qd.hessian, qd.jacfwd):
        np.testing.assert_allclose(find(f)(X, W), find(in_numpy)(X, W), rtol=1e-9, atol=1e-12)
    third = lambda g: qd.grad(lambda x: qd.hvp(g, (x, W), (W, W))[0].sum())(X)
    np.testing.assert_allclose(third(f), third(in_numpy), rtol=1e-8, atol=1e-11)


def test_the_way_there_and_back(tensor):
    there = ours.as_paddle(ours.as_qiudao(in_paddle))
    x, w = tensor(X), tensor(W)
    close(ours.grad(there(x, w), x)[0], qd.grad(in_numpy)(X, W))


def test_results_that_paddle_has_no_tensor_for():
    with pytest.raises(
        DtypeError, match=r"as_paddle: the function gave .* for which paddle has no"
    ):
        ours.as_paddle(lambda x: np.array(["a"]))(paddle.ones([1]))
