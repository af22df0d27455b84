"""`qd.backward` and `Tensor.backward`: what is summed where, and what is freed when."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def test_gradients_are_summed_into_leaves():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    (3 * x).sum().backward()
    close(x.grad, [5.0, 7.0])


def test_a_value_used_many_times_gets_the_sum_of_its_terms():
    x = leaf(2.0)
    y = x * 3
    (y * y + y + x).backward()
    close(x.grad, 2 * 6.0 * 3 + 3 + 1)


def test_a_cotangent_may_be_given():
    x = leaf([1.0, 2.0])
    (x * x).backward(np.array([1.0, 10.0]))
    close(x.grad, [2.0, 40.0])


def test_paddles_name_of_the_cotangent():
    x = leaf([1.0, 2.0])
    (x * x).backward(grad_tensor=np.array([1.0, 10.0]))
    close(x.grad, [2.0, 40.0])


def test_one_element_of_any_shape_starts_with_one():
    x = leaf([[3.0]])
    (x * x).backward()
    close(x.grad, [[6.0]])


def test_backward_of_a_leaf():
    x = leaf(3.0)
    x.backward()
    close(x.grad, 1.0)


def test_several_tensors_at_once():
    x = leaf(2.0)
    qd.backward([x * x, 3 * x], [None, 10.0])
    close(x.grad, 34.0)


def test_tensors_in_any_container():
    x = leaf(2.0)
    qd.backward({"a": x * x, "b": (3 * x,)}, {"a": 1.0, "b": (10.0,)})
    close(x.grad, 34.0)


def test_an_edge_may_stand_for_a_tensor():
    x = leaf(2.0)
    y = x * x
    qd.backward(y.edge)
    close(x.grad, 4.0)


def test_inputs_restrict_what_collects():
    x, w = leaf(2.0), leaf(3.0)
    (x * w).backward(inputs=x)
    close(x.grad, 3.0)
    assert w.grad is None


def test_inputs_may_be_computed_and_nested():
    x = leaf(2.0)
    y = x * x
    qd.backward(y * 3, inputs={"y": y, "more": [x.edge]})
    close(y.grad, 3.0)
    close(x.grad, 12.0)


def test_an_input_that_is_not_reached_collects_nothing():
    x, w = leaf(2.0), leaf(3.0)
    (x * x).backward(inputs=[x, w])
    assert w.grad is None


def test_the_graph_is_freed():
    x = leaf(2.0)
    y = np.exp(x)
    y.backward()
    with pytest.raises(RuntimeError, match="were freed by"):
        y.backward()


def test_retain_graph_keeps_it():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    close(x.grad, 8.0)


def test_equations_that_keep_nothing_are_swept_again():
    x = leaf(2.0)
    y = x + x
    y.backward()
    y.backward()
    close(x.grad, 4.0)


def test_only_what_was_swept_is_freed():
    x, w = leaf(2.0), leaf(3.0)
    y = x * x
    z = w * w
    s = y + z
    qd.grad(s, x)
    z.backward()
    close(w.grad, 6.0)


def test_create_graph_makes_the_gradient_differentiable():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    g = x.grad
    assert g.requires_grad
    x.grad = None
    g.backward()
    close(x.grad, 12.0)


def test_gradients_of_create_graph_and_plain_ones_add():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    (x**2).backward()
    close(x.grad, 16.0)
    assert x.grad.requires_grad


def test_backward_of_a_derivative_that_became_constant_adds_nothing():
    x = leaf(2.0)
    (g,) = qd.grad(3 * x, x, create_graph=True)
    g.backward()
    assert x.grad is None


def test_the_gradients_of_two_leaves_are_separate():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    (x + y).sum().backward()
    x.grad *= 10
    close(y.grad, [1.0, 1.0])


def test_the_cotangent_that_was_given_stays():
    x = leaf([1.0, 2.0])
    start = qd.tensor([1.0, 1.0])
    x.backward(start)
    x.grad += 5
    close(start, [1.0, 1.0])


def test_a_gradient_is_stored_for_a_leaf_of_each_dtype():
    x, w = leaf(np.float32([1.0])), leaf([1 + 1j])
    (x * np.real(w)).sum().backward()
    assert x.grad.dtype == np.float32
    assert w.grad.dtype == np.complex128


def test_broadcasting_is_undone():
    x, w = leaf(np.ones((3, 1))), leaf(np.ones(4))
    (x * w).sum().backward()
    close(x.grad, np.full((3, 1), 4.0))
    close(w.grad, np.full(4, 3.0))


def test_a_cotangent_that_requires_grad_is_differentiated_through():
    x, ct = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (g,) = qd.grad(x * x, x, ct, create_graph=True)
    close(qd.grad(g.sum(), ct)[0], [2.0, 4.0])
