"""A function of ours in torch: `as_torch`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import torch

import qiudao as qd

from ...core.avals import is_inexact
from ...core.signatures import signature
from ..operations import Batched, Given, Operation, Pulled, apart
from .arrays import array_of, tensor_of


def as_torch(f: Callable[..., Any], *, jit: bool = False) -> Callable[..., Any]:
    """A function written in NumPy as a function of torch tensors, differentiated by our rules.

    The tensors among its arguments, in any containers, arrive in `f` as arrays that share their
    memory; everything else arrives as it is.  The arrays that `f` returns, in any containers, come
    back as tensors, which share memory where they can.  Dtypes stay: float32 gives float32.

    Gradients to any order work, by `backward`, `torch.autograd.grad`, `torch.autograd.forward_ad`
    and by `torch.func`'s `grad`, `vjp`, `jvp`, `vmap`, `jacrev`, `jacfwd`, `hessian` in any
    nesting.  With `jit`, `f` is compiled by `qd.jit`.

    Raises `GradientError` for tensors outside the CPU's memory, `DtypeError` for dtypes that NumPy
    has not (bfloat16), and what `f` raises.

    >>> f = as_torch(lambda x: np.sum(np.sin(x)))
    >>> x = torch.tensor([0.0, 1.0], requires_grad=True)
    >>> f(x).backward()
    >>> x.grad
    tensor([1.0000, 0.5403])
    """
    function = qd.jit(f) if jit else f

    @functools.wraps(f)
    def in_torch(*args: Any, **kwargs: Any) -> Any:
        call = Given(function, args, kwargs, torch.Tensor)
        wanted = None
        if torch.is_grad_enabled():
            flags = tuple(x.requires_grad for x in call.operands)
            wanted = flags if any(flags) else None
        outs = Bridge.apply(Run(call, wanted), *call.operands)
        return call.result(outs)

    return in_torch


class Run:
    """One run of an operation, and the pullback that it left."""

    def __init__(self, operation: Operation, wanted: tuple[bool, ...] | None = None) -> None:
        self.operation = operation
        self.wanted = wanted  # the operands that a pullback is kept for
        self.pullback: Callable[..., Any] | None = None

    def forward(self, xs: list[Any]) -> list[Any]:
        """The results for these arrays."""
        if self.wanted is None:
            return self.operation.run(*xs)
        rest: list[Any] = []

        def of_wanted(*moving: Any) -> tuple[Any, Any]:
            left = iter(moving)
            outs = self.operation(
                *(next(left) if w else x for x, w in zip(xs, self.wanted, strict=True))  # type: ignore[arg-type]
            )
            return tuple(y for y in outs if is_inexact(y.dtype)), outs

        chosen = itertools.compress(xs, self.wanted)
        _, self.pullback, rest = qd.vjp(of_wanted, *chosen, has_aux=True)
        return apart(rest, xs)

    def backward(self, wanted: tuple[bool, ...]) -> Run:
        """The run of its reverse mode, by the pullback that was kept where it is the wanted one."""
        operation = Pulled(self.operation, wanted)
        if self.pullback is None or wanted != self.wanted:
            return Run(operation)
        return Back(operation, self.pullback)


class Back(Run):
    """A run of reverse mode by a pullback that was kept, which needs the cotangents alone."""

    def __init__(self, operation: Pulled, pullback: Callable[..., Any]) -> None:
        super().__init__(operation)
        self.pullback = pullback

    def forward(self, xs: list[Any]) -> list[Any]:
        operation: Any = self.operation
        cts = xs[operation.base.count :]
        return apart(operation.noted(self.pullback(tuple(cts))), xs)  # type: ignore[misc]


def with_signature(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with its signature at hand: torch asks for it at every call, and Python takes long."""
    f.__signature__ = signature(f)  # type: ignore[attr-defined]
    return f


class Bridge(torch.autograd.Function):  # type: ignore[misc]
    """An operation as torch applies it; its derivatives are applied by the same class."""

    @staticmethod
    @with_signature
    def forward(run: Run, *xs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        arrays = [array_of(x, "as_torch", f"argument {k}") for k, x in enumerate(xs)]
        return tuple(map(tensor_of, run.forward(arrays)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        run, *xs = inputs
        ctx.run = run
        ctx.save_for_backward(*xs)
        ctx.save_for_forward(*xs)
        ctx.smooth = [y.is_floating_point() or y.is_complex() for y in output]
        ctx.mark_non_differentiable(
            *(y for y, smooth in zip(output, ctx.smooth, strict=True) if not smooth)
        )

    @staticmethod
    def backward(ctx: Any, *cts: Any) -> tuple[Any, ...]:
        wanted = tuple(ctx.needs_input_grad[1:])
        chosen = itertools.compress(cts, ctx.smooth)
        found = Bridge.apply(ctx.run.backward(wanted), *ctx.saved_tensors, *chosen)
        left = iter(found)
        return None, *(next(left) if w else None for w in wanted)

    @staticmethod
    def jvp(ctx: Any, _: None, *dxs: Any) -> tuple[Any, ...]:
        moving = tuple(dx is not None for dx in dxs)
        operation = ctx.run.operation.pushed(moving)
        changes = [dx for dx in dxs if dx is not None]
        left = iter(Bridge.apply(Run(operation), *ctx.saved_tensors, *changes))
        return tuple(next(left) if smooth else None for smooth in ctx.smooth)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], run: Run, *xs: torch.Tensor) -> Any:
        axes = in_dims[1:]
        moved = [x if a is None else x.movedim(a, 0) for x, a in zip(xs, axes, strict=True)]
        operation = Batched(run.operation, tuple(a is not None for a in axes))
        outs = Bridge.apply(Run(operation), *moved)
        return outs, (0,) * len(outs)
