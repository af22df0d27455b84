"""Functions of ours as paddle's: a `PyLayer` whose backward is one too, to every order."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import paddle
from paddle import Tensor

import qiudao as qd

from ...core.errors import DtypeError, MutationError
from ..foreign import Arguments
from .arrays import array_of, tensor_of

Flat = Callable[..., Sequence[Any]]  # of arrays or tracers, giving some


def as_paddle(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function written in NumPy, or of ours, as a function of paddle tensors.

    `as_paddle(f)(*args, **kwargs)` hands the paddle tensors among the arguments, in any pytree, to
    `f` as arrays, and gives the results back as paddle tensors, nested as `f` nests them.  What
    `f` computes is one node in paddle's graph, with derivatives of every order by our rules.  On
    the CPU tensors and arrays share their memory where paddle allows it.

    Raises `DtypeError` for results that paddle has no tensor for, and what `f` raises.

    >>> wave = as_paddle(lambda x: np.sin(x) * x)
    >>> x = paddle.to_tensor(0.0, dtype="float64", stop_gradient=False)
    >>> (first,) = paddle.grad(wave(x), x, create_graph=True)
    >>> paddle.grad(first, x)[0].item()
    2.0
    """

    @functools.wraps(f, updated=())
    def carried(*args: Any, **kwargs: Any) -> Any:
        given = Arguments(args, kwargs, lambda x: isinstance(x, Tensor))
        found = carry(given.bound(f), given.operands)
        return given.nested(found)

    return carried


def carry(
    flat: Flat, xs: Sequence[Tensor], value: Callable[[], Sequence[Tensor]] | None = None
) -> list[Tensor]:
    """The results of a flat function of ours as tensors, one node of paddle's graph.

    `value` computes them by paddle, where it does.  The node has a single operand, made of all
    that a gradient flows to: `paddle.grad` refuses a `PyLayer` of two where it wants only one.
    """
    with paddle.no_grad():
        if value is None:
            given = [array_of(x) for x in xs]
            outs = [tensor_of(checked(y, given), xs[0] if xs else None) for y in flat(*given)]
        else:
            outs = list(value())
    smooth = [y.is_floating_point() or y.is_complex() for y in outs]
    moving = [not x.stop_gradient and (x.is_floating_point() or x.is_complex()) for x in xs]
    if not (paddle.is_grad_enabled() and any(moving) and any(smooth)):
        return outs
    fixed = [(x, x.inplace_version) for x, m in zip(xs, moving, strict=True) if not m]
    chosen = [x for x, m in zip(xs, moving, strict=True) if m]
    packed, unpack = pack(chosen)

    def of_packed(operand: Any) -> Sequence[Any]:
        moved, rest = iter(unpack(operand)), iter(fixed)
        results = flat(*(next(moved) if m else unchanged(*next(rest)) for m in moving))
        return tuple(y for y, s in zip(results, smooth, strict=True) if s)

    known = [y for y, s in zip(outs, smooth, strict=True) if s]
    found = Carried.apply(packed, of_packed, lambda: known)  # a list would count as operands
    carried = iter(found if isinstance(found, tuple | list) else [found])
    return [next(carried) if s else y for y, s in zip(outs, smooth, strict=True)]


def pack(xs: Sequence[Tensor]) -> tuple[Tensor, Callable[[Any], Sequence[Any]]]:
    """One tensor with the elements of all, and what takes an array like it apart."""
    if len(xs) == 1:
        return xs[0], lambda operand: [operand]
    shapes = [tuple(x.shape) for x in xs]
    dtypes = [array_of(x).dtype for x in xs]
    wide = np.result_type(*dtypes).name
    packed = paddle.concat([x.astype(wide).reshape([-1]) for x in xs])
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def unpack(operand: Any) -> Sequence[Any]:
        pieces = np.split(operand, ends[:-1])
        return [
            np.reshape(piece if d.kind == wide[0] else np.real(piece), shape).astype(d)
            for piece, shape, d in zip(pieces, shapes, dtypes, strict=True)
        ]

    return packed, unpack


def unchanged(x: Tensor, version: int) -> Any:
    """The values of a constant, if nobody has written to it since."""
    if x.inplace_version != version:
        raise MutationError(
            f"as_paddle: a constant of shape {tuple(x.shape)} was written to "
            f"{x.inplace_version - version} times since it was used, and its old values are "
            "needed for the gradient; write to a copy, x.clone()"
        )
    return array_of(x)


class Carried(paddle.autograd.PyLayer):  # type: ignore[misc]
    """A function of ours as an operation of paddle's: its results are known already."""

    @staticmethod
    def forward(ctx, packed, flat, outs):  # type: ignore[no-untyped-def]
        ctx.flat = flat
        ctx.save_for_backward(packed)
        known = outs()
        return known[0] if len(known) == 1 else tuple(known)

    @staticmethod
    def backward(ctx, *cts):  # type: ignore[no-untyped-def]
        (packed,) = ctx.saved_tensor()
        (found,) = carry(pulled(ctx.flat), [packed, *cts])
        return found


def pulled(flat: Flat) -> Flat:
    """(operand, cotangents) -> the cotangent of the operand."""

    def pull(operand: Any, *cts: Any) -> Sequence[Any]:
        _, pullback = qd.vjp(flat, operand)
        found: Sequence[Any] = pullback(tuple(cts))
        return found if isinstance(found, tuple) else (found,)

    return pull


def checked(y: Any, given: Sequence[Any]) -> Any:
    """A result as an array that shares no memory with an operand."""
    array = np.asarray(y)
    if array.dtype.kind not in "biufc":
        raise DtypeError(
            f"as_paddle: the function gave {y!r} of dtype {array.dtype}, for which paddle has no "
            "tensor; return numbers"
        )
    shared = any(np.may_share_memory(array, x) for x in given)
    return array.copy() if shared else array
