"""`grad` on paddle's tensors: containers, cotangents, policies, batches."""

import collections

import numpy as np
import pytest

from qiudao.core.errors import GradientError, ShapeError, TreeError, UnusedError

paddle = pytest.importorskip("paddle")
grad = pytest.importorskip("qiudao.interop.paddle").grad


def same(found, *expected):
    for g, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), want, rtol=1e-14)


def test_a_lone_tensor_and_flat_containers_give_lists_as_in_paddle(tensor):
    x, w = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    y = (x * w).sum()
    for inputs in ((x, w), [x, w]):
        found = grad(y, inputs)
        assert type(found) is list
        same(found, [3, 5], [1, 2])
    assert type(grad(y, x)) is list


def test_trees_in_and_out(tensor):
    x, w, b = tensor([1.0, 2.0]), tensor([3.0, 5.0]), tensor(2.0)
    Pair = collections.namedtuple("Pair", "w b")
    outputs = {"first": (x * w).sum(), "rest": [(b * x).sum()]}
    found = grad(outputs, {"x": x, "layer": Pair(w, b)})
    assert type(found["layer"]) is Pair
    same([found["x"], *found["layer"]], [5, 7], [1, 2], 3)
    found = grad(outputs, {"x": x}, {"first": tensor(10.0), "rest": [None]})
    same([found["x"]], [32, 52])


def test_duplicates_and_outputs_that_are_inputs(tensor):
    x, w = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    y = x * w
    z = (y * y).sum()
    same(grad(z, [x, x, y, x]), [18, 100], [18, 100], [6, 20], [18, 100])
    same(grad(y, [y, x], "ones"), [1, 1], [3, 5])
    same(grad([y, z], [y, x], "ones"), [7, 21], [21, 105])
    same(grad([y, y], x, "ones"), [6, 10])
    same(grad([x, y], [x, w], "ones"), [4, 6], [1, 2])


def test_one_tensor_behind_two_handles_is_one_input(tensor):
    class Twice(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return 2 * x

        @staticmethod
        def backward(ctx, ct):
            handles.append(ctx.saved_tensor()[0])
            return 2 * ct

    handles = []
    x = tensor([1.0, 2.0])
    Twice.apply(x).sum().backward()
    same(grad((x * x).sum(), [x, handles[0]]), [2, 4], [2, 4])


def test_the_graph_and_dot_grad_are_left_alone(tensor):
    x = tensor([1.0, 2.0])
    y = (x**3).sum()
    x.grad = paddle.ones_like(x)
    for _ in range(3):
        same(grad(y, x, retain_graph=False), [3, 12])
    same([x.grad], [1, 1])
    y.backward()
    same([x.grad], [4, 13])


def test_only_inputs_false_adds_to_the_other_leaves(tensor):
    x, w, b = tensor([1.0, 2.0]), tensor([3.0, 5.0]), tensor(2.0)
    b.grad = paddle.to_tensor(10.0, dtype="float64")
    x.grad = paddle.ones_like(x)
    same(grad((x * w).sum() + b, x, only_inputs=False), [3, 5])
    same([x.grad, w.grad, b.grad], [1, 1], [1, 2], 11)


@pytest.mark.parametrize("how", ["none", "zero", "skip", "error"])
def test_policies(tensor, how):
    x, w = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    y = (x * x).sum()
    if how == "error":
        with pytest.raises(UnusedError, match=r"inputs\['w'\] gets no gradient.*no path leads"):
            grad(y, {"x": x, "w": w})
        return
    found = grad(y, {"x": x, "w": w}, unused=how)
    same([found["x"]], [2, 4])
    if how == "skip":
        assert "w" not in found
    elif how == "none":
        assert found["w"] is None
    else:
        same([found["w"]], [0, 0])


def test_a_policy_for_each_leaf(tensor):
    x, w, b = tensor([1.0]), tensor([3.0]), tensor([4.0])
    y = x.sum()
    found = grad(y, {"x": x, "rest": [w, b]}, unused={"x": "error", "rest": ["none", "zero"]})
    assert found["rest"][0] is None
    same([found["rest"][1]], [0])
    found = grad(y, {"x": x, "rest": [w, b]}, unused={"['rest']*": "none"})
    assert found["rest"] == [None, None]
    asked = []
    grad(y, [x, w], unused=lambda path, reason: asked.append((path, reason)) or "none")
    assert asked == [("[1]", "no path leads to it")]


def test_paddles_and_torchs_spellings_of_the_policy(tensor):
    x, w = tensor([1.0]), tensor([3.0])
    assert grad(x.sum(), [x, w], allow_unused=True)[1] is None
    same(grad(x.sum(), [w], materialize_grads=True), [0])
    with pytest.raises(UnusedError):
        grad(x.sum(), [x, w], allow_unused=False)


def test_reasons(tensor):
    x, c = tensor([1.0]), paddle.to_tensor([1.0])
    with pytest.raises(UnusedError, match=r"inputs\[1\].*it has stop_gradient=True"):
        grad((x * x).sum(), [x, c])
    with pytest.raises(UnusedError, match="no output has a graph"):
        grad((c * c).sum(), x)
    y = x * 2
    with pytest.raises(UnusedError, match="every path to it goes through no_grad_vars"):
        grad((y * y).sum(), x, no_grad_vars=[y])


def test_no_grad_vars(tensor):
    x = tensor([1.0, 2.0])
    y = x * x
    same(grad((y * x).sum(), x, no_grad_vars=y), [1, 4])


def test_non_scalars_need_a_cotangent(tensor):
    x = tensor([1.0, 2.0])
    with pytest.raises(GradientError, match=r"outputs\['y'\] has shape \(2,\).*'ones'"):
        grad({"y": x * x}, x)
    same(grad(x * x, x, "ones"), [2, 4])
    same(grad(x * x, x, paddle.to_tensor([1.0, 10.0])), [2, 40])  # float32: the output's dtype


def test_shapes_of_cotangents_are_checked(tensor):
    x = tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"the cotangent of outputs has shape \(1,\)"):
        grad(x * x, x, tensor([1.0]))
    with pytest.raises(TreeError):
        grad({"y": x * x}, x, {"z": tensor([1.0, 1.0])})
    with pytest.raises(GradientError, match=r"inputs\[1\] is float 3.0 and no paddle tensor"):
        grad(x.sum(), [x, 3.0])
    with pytest.raises(GradientError, match="inputs holds no tensor"):
        grad(x.sum(), [])


def test_batched_cotangents_with_one_that_is_shared(tensor):
    x, w = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    y, z = x * w, (x * x).sum()
    cts = tensor(np.eye(2))
    same(grad(y, x, cts, is_grads_batched=True), np.diag([3.0, 5.0]))
    found = grad([y, z], [x, w], [cts, None], is_grads_batched=True)
    same(found, [[5, 4], [2, 9]], [[1, 0], [0, 2]])
    many = tensor(np.arange(6.0).reshape(2, 3))
    same(grad(y, x, many, is_grads_batched=True, batch_dims=1), many.numpy().T * [3, 5])
    empty = paddle.zeros([0, 2], "float64")
    assert grad(y, x, empty, is_grads_batched=True)[0].shape == [0, 2]
    zero = grad(y, {"x": x, "v": tensor([1.0])}, cts, is_grads_batched=True, unused="zero")["v"]
    assert zero.shape == [2, 1]


def test_batches_that_do_not_fit(tensor):
    x = tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"different batch sizes \[2, 3\]"):
        grad([x * x, x * 3], x, [tensor(np.eye(2)), tensor(np.ones((3, 2)))], is_grads_batched=True)
    with pytest.raises(ShapeError, match=r"has shape .* and no axis 4"):
        grad(x * x, x, tensor(np.eye(2)), is_grads_batched=True, batch_dims=4)
    with pytest.raises(GradientError, match="only_inputs=False adds"):
        grad(x * x, x, tensor(np.eye(2)), is_grads_batched=True, only_inputs=False)
    with pytest.raises(GradientError, match="chunk_size=0"):
        grad(x * x, x, tensor(np.eye(2)), is_grads_batched=True, chunk_size=0)


def test_higher_orders_of_what_paddle_can(tensor):
    x = tensor([1.0, 2.0])
    (first,) = grad((x * x * x).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x, create_graph=True)
    same([first, second], [3, 12], [6, 12])


def test_a_derivative_that_became_constant_is_zero(tensor):
    x = tensor([1.0, 2.0])
    (first,) = grad((2 * x).sum(), x, create_graph=True)
    same(grad(first.sum(), x), [0, 0])
    (first,) = grad((2 * x).sum(), x, create_graph=True)
    (second,) = grad((first * first).sum(), x, create_graph=True)
    same(grad(second.sum(), x), [0, 0])


def test_a_missing_rule_is_named(tensor):
    x = tensor([1.0, 2.0])
    y = paddle.nn.functional.softmax(x)
    with pytest.raises(NotImplementedError, match="no derivative of this order of softmax"):
        grad(grad(y[0], x, create_graph=True)[0].sum(), x)
    same(grad((x * x).sum(), x), [2, 4])  # paddle's engine has recovered


def test_words_and_values_that_do_not_fit_are_named(tensor):
    x, w = tensor([1.0]), tensor([2.0])
    with pytest.raises(GradientError, match="grad_outputs='twos' is unknown"):
        grad(x * x, x, "twos")
    with pytest.raises(GradientError, match=r"the cotangent of outputs\[0\] is float 1.0 and no"):
        grad([x * x], x, [1.0])
    with pytest.raises(GradientError, match=r"unused='skip' cannot leave inputs\[0\]\['w'\] out"):
        grad(x * x, [{"w": w}, x], unused="skip")
    with pytest.raises(GradientError, match="unused='maybe' is unknown"):
        grad(x * x, x, unused="maybe")
