"""The whole text of every error of `qd.tensor` and of `qd.grad` of values."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import (
    DetachError,
    DtypeError,
    GradientError,
    ShapeError,
    TreeError,
    UnusedError,
)

X, S, W = leaf([1.0, 2.0]), leaf(3.0), leaf(4.0)


def batched(cotangents, **options):
    return qd.grad(X * 2, X, cotangents, is_grads_batched=True, **options)


def several():
    return np.linalg.qr(np.outer(X, X) + np.eye(2))[0]


MESSAGES = {
    "an unused input": (
        lambda: qd.grad(S * S, {"enc": {"s": S, "w": W}}),
        UnusedError,
        "grad: inputs['enc']['w'] gets no gradient from the outputs: no path leads to it; pass "
        "unused='zero' or unused='none' if that is meant",
    ),
    "an input that does not require grad": (
        lambda: qd.grad(S * S, [S, qd.tensor(1.0)]),
        UnusedError,
        "grad: inputs[1] gets no gradient from the outputs: it does not require grad, nor does "
        "anything it was computed from; pass unused='zero' or unused='none' if that is meant",
    ),
    "an input that was cut": (
        lambda: qd.grad(S * S, (S * 2).detach()),
        UnusedError,
        "grad: inputs gets no gradient from the outputs: it does not require grad, for it was cut "
        "from the graph by detach() at file.py:N (`lambda: qd.grad(S * S, (S * 2).detach()),`); "
        "pass unused='zero' or unused='none' if that is meant",
    ),
    "a complex batched cotangent of a real output": (
        lambda: batched(1j * np.ones((3, 2))),
        DtypeError,
        "grad: the batched cotangent of outputs is complex128 and the value float64, which has no "
        "imaginary part to go with it; give its real part, np.real(v), or make the value complex",
    ),
    "a cotangent that is text": (
        lambda: qd.grad(X.sum(), X, "ones"),
        DtypeError,
        "grad: the cotangent of outputs has dtype <U4, which holds no numbers; give an array of "
        "them",
    ),
    "no output": (
        lambda: qd.grad(None, X),
        GradientError,
        "grad: the output is None, which has no graph behind it; return the loss from the function "
        "that computes it",
    ),
    "nothing to sweep from": (
        lambda: qd.backward(None),
        GradientError,
        "backward: the output is None, which has no graph behind it; return the loss from the "
        "function that computes it",
    ),
    "no axis of a batch": (
        lambda: batched(np.ones((3, 2)), batch_dims="first"),
        ShapeError,
        "grad: batch_dims has 'first', which is no axis; give whole numbers, and None for a "
        "cotangent that is shared",
    ),
    "an operation with several results": (
        lambda: qd.grad(several().grad_fn, X),
        GradientError,
        "grad: outputs is the operation qr, which has several results; pass the edge of one of "
        "them, y.edge",
    ),
    "an operation with several results as an input": (
        lambda: qd.grad(several().sum(), several().grad_fn),
        GradientError,
        "grad: inputs is the operation qr, which has several results; pass the edge of one of "
        "them, y.edge",
    ),
    "no size of chunks": (
        lambda: batched(np.ones((3, 2)), chunk_size=-1),
        GradientError,
        "grad: chunk_size=-1 is no size; use 1, 2, ... or None",
    ),
    "skip in nested inputs": (
        lambda: qd.grad(S * S, {"a": [S, W]}, unused="skip"),
        GradientError,
        "grad: unused='skip' cannot leave inputs['a'][1] out of nested inputs, only out of a flat "
        "tuple, list or dict; use 'none' or 'zero'",
    ),
    "an unknown policy": (
        lambda: qd.grad(S * S, S, unused="ignore"),
        GradientError,
        "grad: unused='ignore' is unknown; use one of error, none, zero, skip",
    ),
    "a policy for another structure": (
        lambda: qd.grad(S * S, {"s": S, "w": W}, unused={"s": "zero", "v": "zero"}),
        TreeError,
        "grad: {'s': 'zero', 'v': 'zero'} is no prefix of the structure {'s': *, 'w': *}; give one "
        "entry for all, or one for each branch",
    ),
    "two spellings that contradict": (
        lambda: qd.grad(S * S, S, materialize_grads=True, allow_unused=False),
        GradientError,
        "grad: materialize_grads=True gives zeros and allow_unused=False an error for an unused "
        "input; give one of them",
    ),
    "two spellings at once": (
        lambda: qd.grad(S * S, S, allow_unused=True, unused="zero"),
        GradientError,
        "grad: unused= stands for allow_unused and materialize_grads; give it alone",
    ),
    "an input that is no tensor": (
        lambda: qd.grad(S * S, [S, 2.0]),
        GradientError,
        "grad: inputs[1] is float, which no graph knows; pass tensors made by "
        "qd.tensor(x, requires_grad=True), or use qd.grad(f)(x) for plain arrays",
    ),
    "a constant that is no tensor": (
        lambda: qd.grad(S * S, S, no_grad_vars=[1.0]),
        GradientError,
        "grad: an entry of no_grad_vars is float, which no graph knows; pass tensors made by "
        "qd.tensor(x, requires_grad=True), or use qd.grad(f)(x) for plain arrays",
    ),
    "an output that is no tensor": (
        lambda: qd.grad([S * S, np.ones(2)], S),
        GradientError,
        "grad: outputs[1] is ndarray, which has no graph behind it; compute it from tensors made "
        "by qd.tensor(x, requires_grad=True)",
    ),
    "an output that is no scalar": (
        lambda: qd.grad({"y": X * X}, X),
        GradientError,
        "grad: outputs['y'] has shape (2,), and only a scalar starts with 1 by itself; pass its "
        "cotangent (np.ones_like(y) for the gradient of y.sum()), or reduce it first",
    ),
    "other leaves of a batch": (
        lambda: batched(np.eye(2), only_inputs=False),
        GradientError,
        "grad: only_inputs=False adds into the .grad of the other leaves, which has no batch axis; "
        "leave out is_grads_batched, or name those leaves as inputs",
    ),
    "a batched cotangent of another shape": (
        lambda: batched(np.ones((2, 3))),
        ShapeError,
        "grad: the batched cotangent of outputs has shape (2, 3) with its batch at axis 0, and the "
        "output (2,); the other axes must be equal",
    ),
    "a batched cotangent without that axis": (
        lambda: batched(np.ones((2, 3)), batch_dims=2),
        ShapeError,
        "grad: the batched cotangent of outputs has shape (2, 3) and no axis 2; say in batch_dims "
        "where its batch is, None for a cotangent that is shared",
    ),
    "batches of different sizes": (
        lambda: qd.grad(
            [X * 2, X * 3], X, [np.ones((2, 2)), np.ones((3, 2))], is_grads_batched=True
        ),
        ShapeError,
        "grad: the batched cotangents have different batch sizes [2, 3]; all must be equal",
    ),
    "flags that contradict": (
        lambda: qd.tensor(1.0, requires_grad=True, stop_gradient=True),
        DtypeError,
        "tensor: requires_grad=True and stop_gradient=True contradict each other; give one of them",
    ),
    "integers that require grad": (
        lambda: qd.tensor([1, 2], requires_grad=True),
        DtypeError,
        "tensor: a gradient needs a float or complex dtype, and the data is i64[2]; pass "
        "dtype=float",
    ),
    "data that carries a gradient": (
        lambda: qd.tensor(X),
        DetachError,
        "tensor: the data is a tensor that requires grad, and a copy as a new leaf would cut it; "
        "write x.clone() to stay in the graph, or qd.tensor(x.detach())",
    ),
    "data that is no number": (
        lambda: qd.tensor(["a"]),
        DtypeError,
        "tensor: the data has dtype <U1, which no derivative knows; give numbers",
    ),
    "lists of unequal lengths": (
        lambda: qd.tensor([[1.0], [1.0, 2.0]]),
        DtypeError,
        "tensor: the data does not form an array of numbers (setting an array element with a "
        "sequence. The requested array has an inhomogeneous shape after 1 dimensions. The detected "
        "shape was (2,) + inhomogeneous part.); lists must have equal lengths",
    ),
    "an option that is none": (
        lambda: qd.grad(S * S, S, foo=1),
        GradientError,
        "grad: foo= is no option of gradients of computed values; there are inputs, "
        "grad_outputs, retain_graph, create_graph, only_inputs, allow_unused, "
        "is_grads_batched, materialize_grads, no_grad_vars, unused, batch_dims, chunk_size, "
        "accumulate, check",
    ),
    "an option of values for a function": (
        lambda: qd.grad(np.sum, create_graph=True),
        GradientError,
        "grad: create_graph= is no option of gradients of a function; there are "
        "argnums, has_aux, argnames, check, numpy",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    assert raised(act) == (error, text)
