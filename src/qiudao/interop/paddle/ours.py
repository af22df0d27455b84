"""paddle's functions as primitives of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import paddle
from paddle import Tensor

from ...core.avals import Value
from ...core.complexes import conjugated
from ...core.dispatch import Tracer
from ...core.primitive import Values
from ...transforms.custom import Custom
from ...transforms.one_by_one import one_by_one
from ..foreign import Arguments
from .arrays import array_of, tensor_of
from .grads import grad
from .recording import differentiable

Flat = Callable[..., Sequence[Tensor]]  # of tensors


def as_qiudao(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of paddle tensors as a function of arrays, and of ours for differentiation.

    `as_qiudao(f)(*args, **kwargs)` hands the arrays among the arguments, in any pytree, to `f` as
    paddle tensors, and gives the results back as arrays, nested as `f` nests them.  Reverse and
    forward mode, of every order, come from paddle's graph, with our rules where paddle has none
    (see `differentiable`).  `qd.vmap` of it is a loop over the examples.

    >>> wave = as_qiudao(lambda x: paddle.sin(x) * x)
    >>> qd.grad(qd.grad(wave))(0.0)
    np.float64(2.0)
    """

    @functools.wraps(f, updated=())
    def carried(*args: Any, **kwargs: Any) -> Any:
        given = Arguments(args, kwargs, is_operand)
        return given.nested(primitive(given.bound(f))(*map(as_float, given.operands)))

    return carried


def is_operand(x: Any) -> bool:
    """Whether a leaf of the arguments is handed over as a tensor."""
    return isinstance(x, np.ndarray | np.generic | float | complex | Tracer)


def as_float(x: Any) -> Any:
    """A Python number as an array; others as they are."""
    return np.asarray(x) if isinstance(x, float | complex) else x


class Foreign(Custom):
    """A flat function of tensors as a primitive of ours; paddle needs values, so a batch is a
    loop over its examples.
    """

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        return one_by_one(self, size, mapped, xs)


def primitive(flat: Flat) -> Foreign:
    """A flat function of tensors as a primitive, with rules made in the same way."""

    def run(*xs: Any) -> tuple[Any, ...]:
        with paddle.no_grad():
            return tuple(array_of(y)[()] for y in flat(*map(tensor_from, xs)))

    def pull(xs: Values, cts: Values) -> Any:
        found = primitive(functools.partial(pulled, flat, len(xs)))(*xs, *map(conjugated, cts))
        return [conjugated(g) for g in found]

    def push(xs: Values, dxs: Values) -> Any:
        return primitive(functools.partial(pushed, flat, len(xs)))(*xs, *dxs)

    return Foreign("paddle", run, pull, push)


def tensor_from(x: Any) -> Tensor:
    """An array as a tensor that paddle may keep: a copy, for the array is the user's."""
    return tensor_of(np.array(x))


def leaves_of(flat: Flat, operands: Sequence[Tensor]) -> tuple[list[Tensor], Sequence[Tensor]]:
    """Operands as tensors of a graph, and the results that were computed from them."""
    xs = []
    for x in operands:
        if x.stop_gradient and (x.is_floating_point() or x.is_complex()):
            x = x.detach()
            x.stop_gradient = False
        xs.append(x)
    with differentiable():
        return xs, flat(*xs)


def pulled(flat: Flat, count: int, *operands: Tensor) -> list[Tensor]:
    """(operands, cotangents) -> the cotangents of the operands, in paddle."""
    recording = paddle.is_grad_enabled()
    with paddle.enable_grad():
        xs, outs = leaves_of(flat, operands[:count])
        cts = list(operands[count:])
        return grad(outs, xs, cts, create_graph=recording, unused="zero")  # type: ignore[no-any-return]


def pushed(flat: Flat, count: int, *operands: Tensor) -> list[Tensor]:
    """(operands, tangents) -> the tangents of the results: the pull, which is linear, turned."""
    recording = paddle.is_grad_enabled()
    with paddle.enable_grad():
        xs, outs = leaves_of(flat, operands[:count])
        cts = [paddle.zeros_like(y).detach() for y in outs]
        for ct in cts:
            ct.stop_gradient = False
        back = grad(outs, xs, cts, create_graph=True, unused="zero")
        return grad(back, cts, list(operands[count:]), create_graph=recording, unused="zero")  # type: ignore[no-any-return]
