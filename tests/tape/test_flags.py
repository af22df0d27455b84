"""What a tensor says of its place in the graph, and how it leaves the graph."""

import copy
import warnings

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def test_requires_grad_passes_on():
    x = leaf(1.0)
    assert (x + 1).requires_grad
    assert not (qd.tensor(1.0) + 1).requires_grad


def test_stop_gradient_is_the_negation_of_requires_grad():
    x = leaf(1.0)
    assert not x.stop_gradient
    x.stop_gradient = True
    assert not x.requires_grad
    x.stop_gradient = False
    assert x.requires_grad


def test_requires_grad_may_be_set_on_a_constant():
    x = qd.tensor([1.0, 2.0])
    assert x.requires_grad_() is x
    close(qd.grad((x * x).sum(), x)[0], [2.0, 4.0])


def test_requires_grad_again_changes_nothing():
    x = leaf(1.0)
    y = x * 2
    x.requires_grad = True
    close(qd.grad(y, x)[0], 2.0)


def test_is_leaf():
    x = leaf(1.0)
    assert x.is_leaf
    assert qd.tensor(1.0).is_leaf
    assert not (x * 2).is_leaf
    assert (x * 2).detach().is_leaf


def test_grad_fn_is_the_equation_of_a_computed_tensor():
    x = leaf(1.0)
    assert x.grad_fn is None
    assert (x * 2).grad_fn.primitive.name == "multiply"
    assert "test_flags.py" in (x * 2).grad_fn.line.file


def test_setting_stop_gradient_on_a_computed_tensor_cuts_the_graph():
    x = leaf(1.0)
    y = x * 2
    y.stop_gradient = True
    assert y.is_leaf
    assert not (y * 3).requires_grad


def test_a_cut_tensor_may_require_grad_as_a_new_leaf():
    x = leaf(1.0)
    y = x * 2
    y.stop_gradient = True
    y.stop_gradient = False
    z = y * 3
    close(qd.grad(z, y)[0], 3.0)
    assert qd.grad(z, x, unused="none") == (None,)


def test_detach_keeps_the_value_and_cuts_the_graph():
    x = leaf([1.0, 2.0])
    y = (x * 2).detach()
    close(y, [2.0, 4.0])
    assert not y.requires_grad


def test_detach_in_place():
    y = leaf(1.0) * 2
    assert y.detach_() is y
    assert not y.requires_grad


def test_a_write_to_a_detached_tensor_leaves_the_original():
    x = leaf([1.0, 2.0])
    y = x.detach()
    y[0] = 7.0
    close(x, [1.0, 2.0])


def test_stop_gradient_function_takes_any_container():
    x = leaf([1.0, 2.0])
    stopped = qd.stop_gradient({"a": x * 2, "b": [x]})
    close(stopped["a"], [2.0, 4.0])
    assert not any(isinstance(v, qd.Tensor) and v.requires_grad for v in [stopped["b"][0]])


def test_the_gradient_of_a_computed_tensor_is_none_with_a_warning():
    y = leaf(1.0) * 2
    (y * 3).backward()
    with pytest.warns(UserWarning, match=r"call y\.retain_grad\(\) before"):
        assert y.grad is None


def test_no_warning_where_a_gradient_is_kept():
    y = leaf(1.0) * 2
    y.retain_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert y.grad is None
        (y * 3).backward()
        close(y.grad, 3.0)
    assert y.retains_grad


def test_retain_grads_is_paddles_spelling():
    y = leaf(1.0) * 2
    y.retain_grads()
    (y * 3).backward()
    close(y.grad, 3.0)


def test_retain_grad_on_a_leaf_changes_nothing():
    x = leaf(1.0)
    x.retain_grad()
    assert not x.retains_grad
    (x * 3).backward()
    close(x.grad, 3.0)


def test_zero_grad_forgets():
    x = leaf(1.0)
    (x * 3).backward()
    x.zero_grad()
    assert x.grad is None


def test_a_gradient_may_be_deleted():
    x = leaf(1.0)
    (x * 2).backward()
    del x.grad
    assert x.grad is None
    del x.grad
    (x * 3).backward()
    close(x.grad, 3.0)


def test_zero_grad_may_keep_zeros():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    x.zero_grad(set_to_none=False)
    close(x.grad, [0.0, 0.0])


@pytest.mark.parametrize("name", ["clear_grad", "clear_gradient"])
def test_paddles_spelling_of_zero_grad_keeps_zeros(name):
    x = leaf([1.0, 2.0])
    getattr(x, name)()
    assert x.grad is None
    (x * 3).sum().backward()
    getattr(x, name)()
    close(x.grad, [0.0, 0.0])
    getattr(x, name)(set_to_zero=False)
    assert x.grad is None


def test_grad_may_be_set():
    x = leaf([1.0, 2.0])
    x.grad = np.ones(2)
    (3 * x).sum().backward()
    close(x.grad, [4.0, 4.0])
    x.grad = None
    assert x.grad is None


def test_grad_has_the_dtype_of_the_tensor():
    x = leaf(np.float32([1.0]))
    x.grad = [1.0]
    assert x.grad.dtype == np.float32


def test_version_counts_writes():
    y = leaf([1.0, 2.0]) * 1
    assert y._version == 0
    y[0] = 3.0
    y += 1
    assert y._version == 2
    assert y.inplace_version == 2


def test_a_view_has_the_version_of_its_base():
    y = leaf([1.0, 2.0]) * 1
    v = y[1:]
    v[0] = 3.0
    y += 1
    assert v._version == y._version == 2


def test_clone_stays_in_the_graph():
    x = leaf([1.0, 2.0])
    y = x.clone()
    y[0] = 5.0
    close(x, [1.0, 2.0])
    close(qd.grad(y.sum(), x)[0], [0.0, 1.0])


def test_a_name_that_is_written_to_keeps_that_it_retains_its_gradient():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y[0] = 5.0
    assert y.retains_grad
    (y * y).sum().backward()
    close(y.grad, [10.0, 4.0])
    close(x.grad, [0.0, 4.0])


def test_a_deep_copy_has_the_gradient_and_its_dtype():
    x = leaf(np.ones(2, np.float32))
    x.grad_dtype = np.float64
    (x * 3).sum().backward()
    y = copy.deepcopy(x)
    assert y.grad_dtype == np.float64
    x.grad[0] = 7.0
    close(y.grad, [3.0, 3.0])


@pytest.mark.parametrize("form", ["{}", "{!r}"])
def test_a_tensor_prints_in_every_transform(form):
    texts = []

    def f(x):
        texts.append(form.format(x))
        return x**2

    close(qd.vmap(qd.grad(f))(np.array([1.0, 2.0])), [2.0, 4.0])
    assert texts == ["tensor(one of 2: batch f64[], requires_grad=True)"]


def test_a_cotangent_prints_in_a_batched_sweep():
    x = leaf([1.0, 2.0])
    y, texts = x * 3, []
    y.register_hook(lambda g: texts.append(repr(g)))
    qd.grad(y, x, np.eye(2), is_grads_batched=True)
    assert texts == ["tensor(one of 2: batch f64[2])"]


@pytest.mark.parametrize(
    "sweep", [lambda z, x: z.backward(inputs=[x]), lambda z, x: qd.grad(z, x)], ids=["to", "grad"]
)
def test_what_retains_its_gradient_does_in_every_sweep_that_passes_it(sweep):
    x = leaf([1.0, 2.0])
    y, other = x * 1, x * 5
    y.retain_grad()
    other.retain_grad()
    sweep((y * 2).sum(), x)
    close(y.grad, [2.0, 2.0])
    assert other.grad is None


def test_a_batch_of_gradients_is_not_retained():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    qd.grad(y * 2, x, np.eye(2), is_grads_batched=True)
    assert y.grad is None


@pytest.mark.parametrize("through", ["view", "base"])
def test_a_view_keeps_that_it_retains_its_gradient(through):
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    v = y[1:]
    v.retain_grad()
    written = v if through == "view" else y
    written *= 2
    (v * 3).sum().backward()
    close(v.grad, [3.0, 3.0])
    close(x.grad, [0.0, 6.0, 6.0])
