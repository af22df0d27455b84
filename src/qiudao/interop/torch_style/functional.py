"""`torch.autograd.functional`: derivatives of functions of one tensor or a tuple of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd

from ...core.dispatch import concrete
from ...core.errors import GradientError, ShapeError, UnusedError
from ...core.trees import flatten, map_tree

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def taken(inputs: Any) -> tuple[tuple[Any, ...], Callable[[Any], Any]]:
    """The inputs as a tuple, and what makes a result for them one for what was passed."""
    if isinstance(inputs, tuple):
        return inputs, lambda found: found
    return (inputs,), lambda found: found[0]


def released(found: Any, create_graph: bool) -> Any:
    """Results as tensors, cut from the graph unless it is wanted."""

    def release(x: Any) -> Any:
        if isinstance(x, qd.Tensor):
            return x if create_graph else x.detach()
        return qd.tensor(x)

    return map_tree(release, found)


def check_strict(func: Callable[..., Any], args: tuple[Any, ...], jointly: bool = False) -> None:
    """Raise `UnusedError` where a result, or all `jointly`, does not depend on an input, as torch's
    strict mode does.
    """
    leaves = [qd.tensor(np.asarray(concrete(x)), requires_grad=True) for x in args]
    results = flatten(func(*leaves))[0]
    if not all(isinstance(y, qd.Tensor) for y in results):
        raise UnusedError(
            "strict: a result or gradient is constant and gets no gradient to any input; leave out "
            "strict=True if that is meant"
        )
    for ys in [results] if jointly else [[y] for y in results]:
        ones = [np.ones(np.shape(y), np.result_type(y)) for y in ys]
        qd.grad(ys, leaves, ones, unused="error")


def asked(
    func: Callable[..., Any], inputs: Any, strict: bool
) -> tuple[tuple[Any, ...], tuple[int, ...], Callable[[Any], Any]]:
    """The inputs as a tuple, their places and what makes a result for them, `strict` looked to."""
    args, back = taken(inputs)
    if strict:
        check_strict(func, args)
    return args, tuple(range(len(args))), back


def of_one_number(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func` with a result of one element as a scalar, whatever its shape."""

    def scalar(*xs: Any) -> Any:
        value = func(*xs)
        return np.reshape(value, ()) if np.size(value) == 1 else value

    return scalar


def check_strategy(name: str, strategy: Any) -> None:
    """Refuse a mode that there is not."""
    if strategy not in ("reverse-mode", "forward-mode"):
        raise GradientError(
            f"{name}: strategy={strategy!r} is unknown; use 'reverse-mode' or 'forward-mode'"
        )


@qd.enable_grad
def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`: of shape (*output, *input); for tuples a tuple of tuples,
    by output and then by input.  `strategy` is "reverse-mode" or "forward-mode".  With `strict` a
    result that does not depend on an input raises; `vectorize` changes nothing, since all
    directions go at once anyway.

    >>> import qiudao.interop.torch_style as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    check_strategy("jacobian", strategy)
    args, every, back = asked(func, inputs, strict)
    derive = qd.jacfwd if strategy == "forward-mode" else qd.jacrev
    found = derive(func, argnums=every)(*args)
    several = isinstance(found[0], tuple)  # of each result, by each of the inputs
    answer = tuple(map(back, found)) if several else back(found)
    return released(answer, create_graph)


@qd.enable_grad
def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a scalar function: of shape (*input, *input); for a tuple of inputs a tuple of
    tuples.  With `strict` a result or gradient that does not depend on an input raises; the last
    two change nothing.

    >>> import qiudao.interop.torch_style as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    check_strategy("hessian", outer_jacobian_strategy)
    args, every, back = asked(func, inputs, strict)
    scalar = of_one_number(func)
    if strict:
        check_strict(qd.grad(scalar, argnums=every), args)
    found = qd.hessian(scalar, argnums=every)(*args)
    return released(back([back(row) for row in found] if len(args) == 1 else found), create_graph)


@qd.enable_grad
def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func` and the cotangents of `inputs` for the cotangent `v` of the result (1 for
    a scalar).
    """
    args, _, back = asked(func, inputs, strict)
    value, pullback = qd.vjp(func, *args)
    found = pullback(one_for(value, "vjp") if v is None else v)
    return released(value, create_graph), released(back(found), create_graph)


@qd.enable_grad
def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func` and its change in the direction `v` of the inputs (1 for a scalar)."""
    args, _, _ = asked(func, inputs, strict)
    direction = taken(one_for(args[0], "jvp") if v is None else v)[0]
    value, change = qd.jvp(func, args, direction)
    return released(value, create_graph), released(change, create_graph)


@qd.enable_grad
def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a scalar function and its Hessian times `v`."""
    args, every, back = asked(func, inputs, strict)
    direction = taken(one_for(args[0], "hvp") if v is None else v)[0]
    gradient = qd.grad(of_one_number(func), argnums=every)
    if strict:
        check_strict(gradient, args, jointly=True)
    _, found = qd.jvp(gradient, args, direction)
    return released(func(*args), create_graph), released(back(found), create_graph)


vhp = hvp  # the Hessian is symmetric, and here both cost the same


def one_for(value: Any, name: str) -> Any:
    """The vector that may be left out: 1, for a scalar."""
    leaves, _ = flatten(value)
    if len(leaves) != 1 or np.size(leaves[0]) != 1:
        shapes = [np.shape(x) for x in leaves]
        raise ShapeError(
            f"{name}: v may be left out for a single number only, and the shapes are {shapes}; "
            "pass v"
        )
    return np.ones(np.shape(leaves[0]), leaves[0].dtype)
