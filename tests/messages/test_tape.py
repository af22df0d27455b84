"""The whole text of every error of the tape: what is wrong, with the values; what to do."""

import copy
import warnings

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import (
    DetachError,
    DtypeError,
    FreedError,
    GradientError,
    LeakError,
    MutationError,
    ShapeError,
    TreeError,
)

X, S = leaf([1.0, 2.0]), leaf(3.0)


def twice():
    y = np.exp(S)
    y.backward()
    y.backward()


def twice_through_several():
    y, _ = np.linalg.eigh(S[None, None])
    y.backward()
    y.backward()


def twice_by_grad():
    y = np.exp(S)
    qd.grad(y, S)
    y.backward()


def changed():
    data = np.ones((1 << 21) + 1)
    y = (leaf(np.ones(data.shape)) * data).sum()
    data[0] = 5.0
    y.backward()


def cut_by(act):
    y = S * 2
    y = act(y) or y
    y.backward()


def cut_by_no_grad():
    with qd.no_grad():
        y = S * 2
    (y * 3).backward()


def reshaping_hook():
    y = X * 2

    def summed(gradient):
        return gradient.sum()

    y.register_hook(summed)
    y.sum().backward()


def view_under_no_grad():
    y = X * 1
    with qd.no_grad():
        v = y[:1]
    v[0] = 5.0


def leaked():
    kept = []
    qd.grad(lambda x: kept.append(x * 2) or x)(1.0)
    kept[0].backward()


def inner_value():
    buffer = np.zeros_like(X)

    def f(x):
        buffer[0] = x
        return x

    qd.jvp(f, (1.0,), (1.0,))


def hooked(hook):
    """Act: a sweep with a hook."""

    def act():
        y = leaf([1.0, 2.0]) * 2
        y.register_hook(hook)
        y.sum().backward()

    return act


MESSAGES = {
    "backward of a vector": (
        lambda: X.backward(),
        GradientError,
        "backward: this tensor has shape (2,), and only a scalar starts with 1 by itself; pass its "
        "cotangent (np.ones_like(y) for the gradient of y.sum()), or reduce it first",
    ),
    "backward of one of several": (
        lambda: qd.backward({"a": S * 1, "b": X}),
        GradientError,
        "backward: tensors['b'] has shape (2,), and only a scalar starts with 1 by itself; pass "
        "its cotangent (np.ones_like(y) for the gradient of y.sum()), or reduce it first",
    ),
    "backward of a complex number": (
        lambda: leaf(1j).backward(),
        GradientError,
        "backward: this tensor is complex, and the gradient of a complex number needs its "
        "cotangent; pass one, or take np.real or np.abs first",
    ),
    "a complex cotangent of a real output": (
        lambda: (leaf([1.0, 2.0]) * 2).backward(1j * np.ones(2)),
        DtypeError,
        "backward: the cotangent of this tensor is complex128 and the value float64, which has no "
        "imaginary part to go with it; give its real part, np.real(v), or make the value complex",
    ),
    "a complex gradient of a real tensor": (
        lambda: setattr(leaf([1.0, 2.0]), "grad", 1j * np.ones(2)),
        DtypeError,
        "grad: what is set is complex128 and the value float64, which has no imaginary part to go "
        "with it; give its real part, np.real(v), or make the value complex",
    ),
    "a hook that answers with a complex gradient": (
        hooked(lambda gradient: 1j * gradient),
        DtypeError,
        "register_hook: what the hook <lambda> returned is complex128 and the value float64, which "
        "has no imaginary part to go with it; give its real part, np.real(v), or make the value "
        "complex",
    ),
    "the imaginary part of a real tensor": (
        lambda: setattr(leaf([1.0, 2.0]) * 1, "imag", 1.0),
        TypeError,
        "imag: a float64 array has no imaginary part to set",
    ),
    "a mode before a class": (
        lambda: qd.no_grad(type("Model", (), {})),
        GradientError,
        "no_grad: Model is a class and cannot be decorated, as functions can; use a `with` block "
        "within",
    ),
    "a mode before a classmethod": (
        lambda: qd.detect_anomaly()(classmethod(len)),
        GradientError,
        "detect_anomaly: len is a classmethod and cannot be decorated, as functions can; use a "
        "`with` block within",
    ),
    "a hook that is no function": (
        hooked(3),
        GradientError,
        "register_hook: int 3 is no function; give one that takes the gradient",
    ),
    "a cotangent of another shape": (
        lambda: X.backward(np.ones(3)),
        ShapeError,
        "backward: the cotangent of this tensor has shape (3,) and the output (2,); both must be "
        "equal",
    ),
    "backward of a constant": (
        lambda: qd.tensor(1.0).backward(),
        GradientError,
        "backward: this tensor does not require grad, nor does anything it was computed from; "
        "make the inputs with qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "backward of a detached tensor": (
        lambda: cut_by(lambda y: y.detach()),
        GradientError,
        "backward: this tensor does not require grad, for it was cut from the graph by detach() at "
        "file.py:N (`lambda: cut_by(lambda y: y.detach()),`); make the inputs with "
        "qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "backward of a tensor detached in place": (
        lambda: cut_by(lambda y: y.detach_()),
        GradientError,
        "backward: this tensor does not require grad, for it was cut from the graph by detach_() "
        "at file.py:N (`lambda: cut_by(lambda y: y.detach_()),`); make the inputs with "
        "qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "backward of a stopped tensor": (
        lambda: cut_by(lambda y: y.requires_grad_(False)),
        GradientError,
        "backward: this tensor does not require grad, for it was cut from the graph by "
        "requires_grad was set to False at file.py:N (`lambda: cut_by(lambda y: "
        "y.requires_grad_(False)),`); make the inputs with qd.tensor(x, requires_grad=True) and "
        "compute without detaching",
    ),
    "backward of what no_grad cut": (
        cut_by_no_grad,
        GradientError,
        "backward: this tensor does not require grad, for it was cut from the graph by "
        "qd.no_grad() at file.py:N (`y = S * 2`); make the inputs with "
        "qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "backward of an array": (
        lambda: qd.backward(np.ones(2)),
        GradientError,
        "backward: this tensor is ndarray, which has no graph behind it; compute it from tensors "
        "made by qd.tensor(x, requires_grad=True)",
    ),
    "another number of cotangents": (
        lambda: qd.backward([S, S], [1.0]),
        GradientError,
        "backward: 2 outputs and 1 cotangents; give one for each output, None for a scalar that "
        "starts with 1",
    ),
    "cotangents nested otherwise": (
        lambda: qd.backward({"a": S, "b": S}, [1.0, 1.0]),
        TreeError,
        "backward: the cotangents are nested as [*, *] and the outputs as {'a': *, 'b': *}; both "
        "must be nested alike",
    ),
    "no inputs": (
        lambda: qd.backward(S * 2, inputs=[]),
        GradientError,
        "backward: inputs= is empty; leave it out to reach every leaf",
    ),
    "an input without a graph": (
        lambda: qd.backward(S * 2, inputs=[qd.tensor(1.0)]),
        GradientError,
        "backward: inputs[0] does not require grad, nor does anything it was computed from; make "
        "the inputs with qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "a freed graph": (
        twice,
        FreedError,
        "backward: the values kept for exp at file.py:N (`y = np.exp(S)`) were freed by the "
        "backward call at file.py:N (`y.backward()`); pass retain_graph=True to that call to sweep "
        "twice",
    ),
    "a freed graph of several results": (
        twice_through_several,
        FreedError,
        "backward: the values kept for eigh at file.py:N (`y, _ = "
        "np.linalg.eigh(S[None, None])`) were freed by the backward call at file.py:N "
        "(`y.backward()`); pass retain_graph=True to that call to sweep twice",
    ),
    "a graph freed by grad": (
        twice_by_grad,
        FreedError,
        "backward: the values kept for exp at file.py:N (`y = np.exp(S)`) were freed by the "
        "backward call at file.py:N (`qd.grad(y, S)`); pass retain_graph=True to that call to "
        "sweep twice",
    ),
    "a changed array": (
        changed,
        MutationError,
        "backward: a f64[2097153] array that multiply at file.py:N (`y = "
        "(leaf(np.ones(data.shape)) * data).sum()`) reads was changed after it was used; pass a "
        "copy, np.array(a), or change it after the sweep",
    ),
    "a tensor of an ended transform": (
        leaked,
        LeakError,
        "grad, vjp, jacrev or a tape inside a transform: this f64[] computed at file.py:N "
        "(`qd.grad(lambda x: kept.append(x * 2) or x)(1.0)`) is of a call that has ended, and with "
        "it its derivative; instead of keeping it, return it from the function (has_aux=True), or "
        "keep x.detach(), a constant",
    ),
    "tensors of two tapes": (
        lambda: qd.grad(lambda x: qd.grad(S * x, S)[0])(1.0),
        GradientError,
        "grad: some of these tensors belong to a transform that is running and some do not; make "
        "those of the tape inside the function, with qd.tensor",
    ),
    "a hook on a constant": (
        lambda: qd.tensor(1.0).register_hook(print),
        GradientError,
        "register_hook: this tensor does not require grad, so no gradient ever passes it; call "
        "requires_grad_() first",
    ),
    "a post-accumulate hook on a computed tensor": (
        lambda: (S * 2).register_post_accumulate_grad_hook(print),
        GradientError,
        "register_post_accumulate_grad_hook: this tensor was computed, and only a leaf "
        "accumulates; use register_hook",
    ),
    "a hook that changes the shape": (
        reshaping_hook,
        ShapeError,
        "register_hook: the hook summed returned shape () for a gradient of shape (2,); both must "
        "be equal",
    ),
    "a gradient for a constant": (
        lambda: setattr(qd.tensor(1.0), "grad", 1.0),
        GradientError,
        "grad: only a tensor that requires grad holds a gradient; make it with "
        "qd.tensor(x, requires_grad=True)",
    ),
    "a gradient of another shape": (
        lambda: setattr(X, "grad", np.ones(3)),
        ShapeError,
        "grad: a gradient of shape (3,) does not fit a tensor of shape (2,); both must be equal",
    ),
    "retain_grad on a constant": (
        lambda: qd.tensor(1.0).retain_grad(),
        GradientError,
        "retain_grad: this tensor does not require grad, so it gets no gradient; call "
        "requires_grad_() before computing from it",
    ),
    "requires_grad of integers": (
        lambda: qd.tensor([1, 2]).requires_grad_(),
        DtypeError,
        "requires_grad: a derivative needs a float or complex dtype, and this is i64[2]; convert "
        "first, x.astype(float)",
    ),
    "deepcopy of a computed tensor": (
        lambda: copy.deepcopy(S * 2),
        GradientError,
        "deepcopy: only a leaf can be copied with its flags; use x.clone(), which stays in the "
        "graph, or x.detach()",
    ),
    "numpy of a tensor that requires grad": (
        lambda: X.numpy(),
        DetachError,
        "numpy(): this f64[2] carries a gradient, which the conversion would cut in silence; write "
        "x.detach().numpy()",
    ),
    "a write to a leaf": (
        lambda: X.__setitem__(0, 1.0),
        GradientError,
        "setitem: this f64[2] is a leaf that requires grad, and a recorded write would lose it; "
        "write under qd.no_grad() to update a parameter, or into a copy, y = np.copy(x)",
    ),
    "a write through a view of a leaf": (
        lambda: X[1:].__setitem__(0, 1.0),
        GradientError,
        "setitem: this f64[2] is a leaf that requires grad, and a recorded write would lose it; "
        "write under qd.no_grad() to update a parameter, or into a copy, y = np.copy(x)",
    ),
    "an in-place operation that changes the shape": (
        lambda: (X * 1).__iadd__(np.ones((3, 2))),
        ShapeError,
        "in-place operation: the result has shape (3, 2) and does not fit the target of shape "
        "(2,); write x = x + v instead of x += v",
    ),
    "an in-place operation that changes the kind": (
        lambda: (X * 1).__iadd__(1j),
        DtypeError,
        "in-place operation: a complex128 result cannot be kept in a float64 tensor; write "
        "x = x + v instead of x += v",
    ),
    "a write through a view made under no_grad": (
        view_under_no_grad,
        GradientError,
        "setitem: this view was made under qd.no_grad(), so it would not show the gradient of what "
        "is written through it; make the view outside of that block",
    ),
    "an inner value written into an outer array": (
        inner_value,
        GradientError,
        "setitem: a value of an inner transform cannot be written into an array of an outer one; "
        "make the target from the value, np.zeros_like(x), or use np.stack",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    assert raised(act) == (error, text)


def test_the_warning_about_a_gradient_that_is_not_kept():
    y = S * 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert y.grad is None
    assert str(caught[0].message) == (
        "grad: this tensor was computed, and only leaves keep their gradient; call "
        "y.retain_grad() before the sweep"
    )
    assert caught[0].filename == __file__
