"""What a user does with arrays of other libraries: tensors, transforms, backward, jit."""

import copy
import pickle

import numpy as np
import pytest

import qiudao as qd
from backends.libraries import Dealer, params
from qiudao.core.errors import NonFiniteError

A = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
W = np.array([0.3, -0.7, 1.1])


@pytest.fixture(params=params(), ids=str)
def dealer(request):
    return Dealer(request.param)


def loss(w, a):
    """A function with most of what everyday code does."""
    h = np.tanh(a @ w) * np.where(a[:, 0] > 0, 2.0, 1.0)
    parts = np.concatenate([h[1:], h[::2]]).reshape(-1, 1)
    return np.mean(np.exp(-parts) + np.maximum(parts, 0.0)) + np.sum(w**2)


def test_grad_hands_out_foreign_arrays(dealer):
    a, w = dealer.array(A), dealer.array(W)
    value, grads = qd.value_and_grad(loss, argnums=(0, 1))(w, a)
    want, wanted = qd.value_and_grad(loss, argnums=(0, 1))(W, A)
    found = dealer.numbers([value, *grads])
    for got, expected in zip(found, [want, *wanted], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_backward_leaves_foreign_gradients(dealer):
    w = qd.tensor(dealer.array(W), requires_grad=True)
    loss(w, qd.tensor(dealer.array(A))).backward()
    assert isinstance(w.grad, qd.Tensor)
    (got,) = dealer.numbers([w.grad.array()])
    np.testing.assert_allclose(got, qd.grad(loss)(W, A), rtol=1e-12)
    w.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(dealer.numbers([w.grad.array()])[0], np.zeros(3))


def test_a_foreign_constant_meets_a_tensor_of_numpy(dealer):
    w = qd.tensor(W, requires_grad=True)
    y = np.sum(np.matmul(dealer.array(A), w) ** 2)
    (g,) = qd.grad(y, w)
    np.testing.assert_allclose(dealer.numbers([g.array()])[0], 2 * A.T @ (A @ W), rtol=1e-12)


def test_gradients_of_values_and_of_gradients(dealer):
    w = qd.tensor(dealer.array(W), requires_grad=True)
    (g,) = qd.grad(np.sum(np.sin(w) * w), w, create_graph=True)
    (h,) = qd.grad(np.sum(g), w)
    np.testing.assert_allclose(
        dealer.numbers([h.array()])[0], 2 * np.cos(W) - W * np.sin(W), rtol=1e-12
    )


def test_vjp_and_jvp(dealer):
    f = lambda x: np.cumsum(np.sin(x)) if dealer.name != "dask.array" else np.sin(x) * x
    x, v = dealer.array(W), dealer.array(np.ones(3))
    y, pullback = qd.vjp(f, x)
    (g,) = pullback(v)
    z, dz = qd.jvp(f, (x,), (v,))
    y0, pull0 = qd.vjp(f, W)
    _, dz0 = qd.jvp(f, (W,), (np.ones(3),))
    found = dealer.numbers([y, g, z, dz])
    for got, expected in zip(found, [y0, pull0(np.ones(3))[0], y0, dz0], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_jacobian_hessian_and_vmap(dealer):
    f = lambda x: np.sum(np.exp(x)) * x[0]
    x = dealer.array(W)
    rows = dealer.array(A)
    found = dealer.numbers(
        [qd.hessian(f)(x), qd.jacobian(np.sin)(x), qd.vmap(qd.grad(f))(rows), qd.hvp(f, x, x)]
    )
    wanted = [qd.hessian(f)(W), np.diag(np.cos(W)), qd.vmap(qd.grad(f))(A), qd.hvp(f, W, W)]
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_containers_and_aux(dealer):
    model = {"w": dealer.array(W), "b": dealer.array(np.array(0.5))}
    f = lambda m, a: (np.sum((np.matmul(a, m["w"]) + m["b"]) ** 2), np.matmul(a, m["w"]))
    (value, aux), grads = qd.value_and_grad(f, has_aux=True)(model, dealer.array(A))
    numbers = dealer.numbers([value, aux, grads["w"], grads["b"]])
    r = A @ W + 0.5
    wanted = [np.sum(r**2), A @ W, 2 * A.T @ r, 2 * r.sum()]
    for got, expected in zip(numbers, wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_an_argument_that_is_not_used_gets_foreign_zeros(dealer):
    f = lambda x, y: np.sum(x)
    _, g = qd.grad(f, argnums=(0, 1))(dealer.array(W), dealer.array(A))
    np.testing.assert_array_equal(dealer.numbers([g])[0], np.zeros((4, 3)))
    assert dealer.numbers([qd.grad(lambda x: 2.0)(dealer.array(W))])[0].shape == (3,)


def test_dropped_lanes_leave_no_nan(dealer):
    x = dealer.array(np.array([-1.0, 0.0, 4.0]))
    g = qd.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0)), 0.0)))(x)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(dealer.numbers([g])[0], [0.0, 0.0, 0.25])


def test_single_precision_stays_single(dealer):
    x = dealer.array(W.astype(np.float32))
    g = qd.grad(lambda x: np.mean(np.exp(2.0 * x) / 3))(x)
    (got,) = dealer.numbers([g])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, 2 * np.exp(2 * W) / 9, rtol=1e-6)


def test_shape_dtype_and_numbers_of_a_tensor(dealer):
    t = qd.tensor(dealer.array(A))
    assert (t.shape, t.ndim, t.size, t.dtype) == ((4, 3), 2, 12, np.float64)
    assert float(t[0, 0]) == t[0, 0].item() == -1.0
    assert t[1].tolist() == A[1].tolist()
    assert repr(t).startswith("tensor(")
    assert len(t) == 4
    assert [float(x) for x in t[:, 0]] == A[:, 0].tolist()


def test_tensors_are_written_to(dealer):
    x = qd.tensor(dealer.array(W), requires_grad=True)
    y = x * 1.0
    y[1:] = x[:2] ** 2
    y[0] += 5.0
    (g,) = qd.grad(np.sum(y * y), x)
    f = lambda x: (x[0] + 5) ** 2 + x[0] ** 4 + x[1] ** 4
    np.testing.assert_allclose(dealer.numbers([g.array()])[0], qd.grad(f)(W), rtol=1e-12)


def test_a_leaf_is_a_copy(dealer):
    if dealer.name in ("dask.array", "jax.numpy"):
        return  # whose arrays nobody writes into
    x = dealer.array(W.copy())
    t = qd.tensor(x)
    x[0] = 100.0
    assert float(t[0]) == W[0]


def test_reading_by_index_arrays(dealer):
    index = np.array([2, 0, 2, -1])
    x = dealer.array(W)
    g = qd.grad(lambda x: np.sum(x[index] ** 2))(x)
    np.testing.assert_allclose(
        dealer.numbers([g])[0], qd.grad(lambda x: np.sum(x[index] ** 2))(W), rtol=1e-12
    )


def test_networks_train(dealer):
    model = qd.nn.Linear(3, 1, rng=np.random.default_rng(0))
    a = qd.tensor(dealer.array(A))
    loss = np.mean(np.square(model(a)))
    loss.backward()
    weight = next(iter(model.parameters()))
    assert dealer.numbers([weight.grad.array()])[0].shape == weight.shape


def test_single_leaf_of_numpy_is_as_ever():
    assert isinstance(qd.tensor(W).array(), np.ndarray)
    assert isinstance(qd.grad(lambda x: np.sum(x**2))(W), np.ndarray)


def test_series_linear_maps_and_checkpoints(dealer):
    x = dealer.array(W)
    y, (dy, ddy) = qd.jet(np.sin, (x,), ([dealer.array(np.ones(3)), dealer.array(np.zeros(3))],))
    _, push = qd.linearize(np.exp, x)
    g = qd.grad(lambda x: np.sum(qd.checkpoint(np.tanh)(x)))(x)
    found = dealer.numbers([y, dy, ddy, push(x), g])
    plain = qd.jet(np.sin, (W,), ([np.ones(3), np.zeros(3)],))
    wanted = [plain[0], *plain[1], np.exp(W) * W, 1 - np.tanh(W) ** 2]
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_hooks_answer_with_foreign_arrays(dealer):
    t = qd.tensor(dealer.array(W), requires_grad=True)
    t.register_hook(lambda g: dealer.array(np.full(3, 7.0)))
    np.sum(t * t).backward()
    np.testing.assert_array_equal(dealer.numbers([t.grad.array()])[0], np.full(3, 7.0))


def test_copies_and_pickles(dealer):
    t = qd.tensor(dealer.array(W), requires_grad=True)
    for made in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert made.requires_grad
        np.testing.assert_array_equal(dealer.numbers([made.detach().array()])[0], W)


def test_a_nan_is_looked_for_when_asked():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(NonFiniteError, match="log"), np.errstate(all="ignore"):
        qd.grad(lambda x: np.sum(np.log(x) * 0.0), check="nan")(strict.asarray([0.0, 1.0]))
