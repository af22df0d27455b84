"""`paddle.grad` and `paddle.autograd.backward`, as paddle has them."""

from typing import Any

import numpy as np

import qiudao as qd

from ...core.trees import flatten


def with_ones(outputs: list[Any], given: Any) -> list[Any]:
    """A cotangent for each output; all ones where none is given."""
    cts = [None] * len(outputs) if given is None else listed(given)
    ones = [np.ones(y.shape, y.dtype) if c is None else c for y, c in zip(outputs, cts)]
    return [*ones, *cts[len(ones) :]]


def listed(x: Any) -> list[Any]:
    """One tensor or several, as a list."""
    return list(x) if isinstance(x, tuple | list) else [x]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    no_grad_vars: Any = None,
    **enhanced: Any,
) -> list[Any]:
    """The gradients of the sum of `outputs`, as a list; a cotangent that is left out is all ones.

    The graph is kept, whatever `retain_graph` says.  Beyond paddle: `only_inputs=False` adds the
    gradients of the other leaves into their `.grad`, and `enhanced` are the other arguments of
    `qd.grad`: `is_grads_batched`, `materialize_grads`, `unused`, ...

    >>> import qiudao.interop.paddle_style as paddle
    >>> x = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    >>> paddle.grad(x * x, x)
    [tensor([2., 4.])]
    """
    outs, ins = listed(outputs), listed(inputs)
    if not enhanced.get("is_grads_batched"):
        grad_outputs = with_ones(outs, grad_outputs)
    if "unused" not in enhanced and not enhanced.get("materialize_grads"):
        enhanced["unused"] = "none" if allow_unused else "error"
    found = qd.grad(
        outs,
        ins,
        grad_outputs,
        True,
        create_graph,
        only_inputs,
        no_grad_vars=no_grad_vars,
        **enhanced,
    )
    return list(found)


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool = False, create_graph: bool = False
) -> None:
    """Add gradients into the `.grad` of the leaves; a cotangent that is left out is all ones.

    Tensors without a graph are passed over, as paddle does.
    """
    outs = listed(tensors)
    cts = with_ones(outs, grad_tensors)
    pairs = [(y, c) for y, c in zip(outs, cts, strict=True) if not y.stop_gradient]
    if pairs:
        ys, seeds = zip(*pairs, strict=True)
        qd.backward(list(ys), list(seeds), retain_graph, create_graph)


def jacobian(ys: Any, xs: Any, batch_axis: int | None = None) -> Any:
    """The Jacobian of computed `ys` with respect to `xs`, of shape (*ys, *xs); for tuples a tuple
    of tuples, by output and then by input.

    With `batch_axis=0` both have a batch axis in front and the result is (batch, M, N): example by
    example.

    >>> import qiudao.interop.paddle_style as paddle
    >>> x = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    >>> paddle.autograd.jacobian(x * x, x)
    tensor([[2., 0.],
            [0., 4.]], requires_grad=True)
    """
    if isinstance(ys, tuple | list):
        return tuple(jacobian(y, xs, batch_axis) for y in ys)
    leaves, tree = flatten(xs)
    size = int(np.prod(ys.shape if batch_axis is None else ys.shape[1:]))
    rows = np.eye(size, dtype=ys.dtype)
    if batch_axis is None:
        cts = rows.reshape(size, *ys.shape)
    else:
        cts = np.broadcast_to(rows.reshape(size, 1, *ys.shape[1:]), (size, *ys.shape))
    found = qd.grad(
        ys, leaves, cts, retain_graph=True, create_graph=True, is_grads_batched=True, unused="zero"
    )
    if batch_axis is None:
        shaped = [np.reshape(g, (*ys.shape, *x.shape)) for g, x in zip(found, leaves, strict=True)]
    else:
        shaped = [np.moveaxis(np.reshape(g, (*g.shape[:2], -1)), 0, 1) for g in found]
    return tree.build(shaped)


def hessian(ys: Any, xs: Any, batch_axis: int | None = None) -> Any:
    """The Hessian of a computed scalar `ys` with respect to one tensor `xs` or a tuple of them;
    with `batch_axis=0` of a batch of scalars, example by example.
    """
    leaves, tree = flatten(xs)
    one = np.ones(ys.shape, ys.dtype)
    first = qd.grad(ys, leaves, one, retain_graph=True, create_graph=True, unused="zero")
    rows = [
        jacobian(g, xs, batch_axis)
        if g.requires_grad
        else tree.build([qd.tensor(np.zeros(g.shape + x.shape, g.dtype)) for x in leaves])
        for g in first
    ]
    return tuple(rows) if isinstance(xs, tuple | list) else rows[0]
