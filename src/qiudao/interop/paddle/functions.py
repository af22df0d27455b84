"""Derivatives of paddle functions: `vjp`, `jvp`, `jacobian`, `hessian`, `gradcheck`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import paddle
from paddle import Tensor

import qiudao as qd

from ...core.errors import GradientError
from ...core.trees import flatten, match
from .arrays import array_of
from .grads import grad
from .ours import as_qiudao
from .places import tensors_of
from .recording import differentiable


class Run:
    """A function run on leaves of its own, so that nothing else of the user's is touched."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], name: str) -> None:
        leaves, self.tree = flatten(tuple(args))
        self.moving = [k for k, x in enumerate(leaves) if is_smooth(x)]
        if not self.moving:
            raise GradientError(
                f"{name}: no argument is a float or complex paddle tensor, so there is nothing to "
                "differentiate by; convert with .astype('float64')"
            )
        for k in self.moving:
            leaves[k] = leaves[k].detach()
            leaves[k].stop_gradient = False
        self.inputs = [leaves[k] for k in self.moving]
        self.leaves = leaves
        with paddle.enable_grad(), differentiable():
            self.result = f(*self.tree.build(leaves))
        self.outs, self.out_tree, self.out_paths = tensors_of(self.result, "the result", name)

    def nested(self, found: Sequence[Any]) -> Any:
        """One entry for each argument, None where it is constant."""
        full: list[Any] = [None] * len(self.leaves)
        for k, g in zip(self.moving, found, strict=True):
            full[k] = g
        return self.tree.build(full)


def is_smooth(x: Any) -> bool:
    """Whether derivatives by a leaf exist."""
    return isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex())


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The result of a paddle function, and the function that pulls cotangents back.

    `pull(cts)`, with cotangents nested as the result, gives a tuple of the cotangents of the
    arguments, nested as they are: (d result / d argument)^T ct.  It can be called many times.

    Raises `GradientError` where no argument is a float tensor, or the result holds no tensor.

    >>> x = paddle.to_tensor([1.0, 2.0])
    >>> y, pull = vjp(lambda x: x * x, x)
    >>> pull(paddle.to_tensor([1.0, 10.0]))[0].tolist()
    [2.0, 40.0]
    """
    run = Run(f, primals, "vjp")

    def pull(cts: Any) -> Any:
        flat = match(run.out_tree, cts, "vjp")
        return run.nested(grad(run.outs, run.inputs, flat, unused="zero"))

    return run.out_tree.build([y.detach() for y in run.outs]), pull


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The result of a paddle function and its change along tangents: (f(x), (d f / d x) dx).

    paddle has no forward mode; the reverse sweep is linear in its cotangents, and the derivative
    of that by them is the forward one.

    Raises `GradientError` as `vjp` does, `TreeError` where tangents are nested otherwise.

    >>> x = paddle.to_tensor([1.0, 2.0])
    >>> y, dy = jvp(lambda x: x * x, (x,), (paddle.to_tensor([1.0, 10.0]),))
    >>> dy.tolist()
    [2.0, 40.0]
    """
    run = Run(f, primals, "jvp")
    changes = match(run.tree, tuple(tangents), "jvp")
    with paddle.enable_grad():
        cts = [paddle.zeros_like(y).detach() for y in run.outs]
        for ct in cts:
            ct.stop_gradient = False
        pulled = grad(run.outs, run.inputs, cts, create_graph=True, unused="zero")
        seeds = [changes[k] for k in run.moving]
        found = grad(pulled, cts, seeds, unused="zero")
    return run.out_tree.build([y.detach() for y in run.outs]), run.out_tree.build(found)


def jacobian(f: Callable[..., Any], *primals: Any) -> Any:
    """The derivatives of each element of the result by each element of the arguments.

    For one argument and one result a tensor of the result's shape followed by the argument's; for
    a result or an argument that is a container, or several arguments, nested: as the result, and
    in the place of each tensor a tuple of one entry for each argument.  One sweep a row.

    Raises `GradientError` as `vjp` does.

    >>> jacobian(lambda x: x * x, paddle.to_tensor([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    run = Run(f, primals, "jacobian")
    return run.out_tree.build([rows(run, y, create_graph=False) for y in run.outs])


def rows(run: Run, y: Tensor, create_graph: bool) -> Any:
    """The derivatives of one result by each argument."""
    eye = paddle.eye(y.size, dtype=y.dtype).reshape([y.size, *y.shape])
    found = grad(
        [y], run.inputs, [eye], is_grads_batched=True, create_graph=create_graph, unused="zero"
    )
    shaped = [g.reshape([*y.shape, *x.shape]) for g, x in zip(found, run.inputs, strict=True)]
    nested = run.nested(shaped)
    return nested[0] if len(nested) == 1 else nested


def hessian(f: Callable[..., Any], *primals: Any) -> Any:
    """The second derivatives of a paddle function whose result has one element.

    For one argument a tensor of its shape twice; for several, or containers, nested twice as the
    arguments are: `hessian(f, x, w)[0][1]` is d2f / dx dw.  By our rules (see `differentiable`),
    so for functions too that paddle has no second derivatives of.

    Raises `GradientError` where the result has more elements than one.

    >>> x = paddle.to_tensor([0.0, 1.0], dtype="float64")
    >>> hessian(lambda x: (x**3).sum(), x).tolist()
    [[0.0, 0.0], [0.0, 6.0]]
    """
    run = Run(f, primals, "hessian")
    if len(run.outs) != 1 or run.outs[0].size != 1:
        shapes = [tuple(y.shape) for y in run.outs]
        raise GradientError(
            f"hessian: the result must be one number and has shapes {shapes}; take the jacobian "
            "of the gradient, or sum it"
        )
    first = grad(run.outs, run.inputs, create_graph=True, unused="zero")
    second = [rows(run, g, create_graph=False) for g in first]
    nested = run.nested(second)
    return nested[0] if len(nested) == 1 else nested


def gradcheck(f: Callable[..., Any], *args: Any, **options: Any) -> bool:
    """Whether the derivatives of a paddle function agree with differences of its values.

    The arguments are those of `f`; `options` are those of `qd.gradcheck`: `order=2` compares the
    second derivatives too, `raise_exception=False` gives False in place of `GradcheckError`.

    >>> gradcheck(paddle.nn.functional.softmax, paddle.to_tensor([0.1, 0.9], dtype="float64"))
    True
    """
    leaves, tree = flatten(args)
    given = tree.build([array_of(x) if isinstance(x, Tensor) else x for x in leaves])
    return qd.gradcheck(as_qiudao(f), *given, **options)
