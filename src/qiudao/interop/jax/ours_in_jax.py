"""A function of ours in jax: `as_jax`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

import qiudao as qd

from ...core.avals import Aval
from ...core.errors import TraceError
from ..operations import Batched, Given, Operation, Paired, Pulled, Pushed, Transposed


def as_jax(f: Callable[..., Any], *, jit: bool = False, result: Any = None) -> Callable[..., Any]:
    """A function written in NumPy as a function of jax arrays, differentiated by our rules.

    The jax arrays among its arguments, in any containers, arrive in `f` as read-only NumPy arrays
    that share their memory; everything else arrives as it is.  The arrays that `f` returns, in any
    containers, come back as jax arrays.

    It is a primitive of jax that every transform knows: `jit`, `grad`, `vjp`, `jvp`, `linearize`,
    `vmap`, `jacfwd`, `jacrev`, `hessian`, in any nesting and to any order.  Inside `jax.jit` it is
    a callback to Python, and the shapes of its results are found by tracing `f`, which is not run
    for that.  Where `f` branches on values it cannot be traced; `result`, nested like what `f`
    returns, then tells shapes and dtypes (`jax.ShapeDtypeStruct`).  With `jit`, `f` is compiled by
    `qd.jit`.

    Raises what `f` raises; `TraceError` where it cannot be traced and `result` does not tell.

    >>> f = as_jax(lambda x: np.sum(x**3))
    >>> jax.jit(jax.grad(f))(2.0)
    Array(12., dtype=float...)
    """
    function = qd.jit(f) if jit else f

    @functools.wraps(f)
    def in_jax(*args: Any, **kwargs: Any) -> Any:
        call = Given(function, args, kwargs, jax.Array, result)
        return call.result(call_p.bind(*call.operands, operation=call))

    return in_jax


call_p = Primitive("qiudao_call")
call_p.multiple_results = True


def run(*xs: Any, operation: Operation) -> list[jax.Array]:
    """The results, as jax arrays."""
    return [jax.numpy.asarray(y) for y in operation.run(*map(np.asarray, xs))]


def types(*avals: Any, operation: Operation) -> list[Any]:
    """The types of the results."""
    try:
        found = operation.types([Aval(a.shape, a.dtype) for a in avals])
    except TraceError as error:
        raise TraceError(
            f"as_jax: jax asks for the shapes of the results, and tracing does not find them "
            f"({error}); tell them, as_jax(f, result=jax.ShapeDtypeStruct(shape, dtype))"
        ) from error
    return [jax.core.ShapedArray(y.shape, jax.dtypes.canonicalize_dtype(y.dtype)) for y in found]


def call_back(*xs: Any, operation: Operation) -> Any:
    """The operation in a compiled program: a call to Python."""
    results = types(*map(jax.typeof, xs), operation=operation)

    def on_host(*arrays: Any) -> list[Any]:
        outs = operation.run(*map(np.asarray, arrays))
        return [np.asarray(y, r.dtype) for y, r in zip(outs, results, strict=True)]

    return jax.pure_callback(on_host, results, *xs)


def push(primals: Sequence[Any], tangents: Sequence[Any], *, operation: Operation) -> Any:
    """Forward mode."""
    outs = call_p.bind(*primals, operation=operation)
    moving = tuple(type(dx) is not ad.Zero for dx in tangents)
    changes = itertools.compress(tangents, moving)
    found = iter(call_p.bind(*primals, *changes, operation=operation.pushed(moving)))
    return outs, [
        next(found) if y.dtype.kind in "fc" else ad.Zero(jax.typeof(y).to_tangent_aval())
        for y in outs
    ]


def transpose(cts: Sequence[Any], *xs: Any, operation: Operation) -> list[Any]:
    """Reverse mode: the cotangents of the operands that the operation is linear in."""
    linear = tuple(map(ad.is_undefined_primal, xs))
    cts = list(map(ad.instantiate_zeros, cts))
    known = [x for x in xs if not ad.is_undefined_primal(x)]
    like = [x.aval for x in xs if ad.is_undefined_primal(x)]
    first = operation.base.count if isinstance(operation, Pulled | Pushed) else 0
    whole = not any(linear[:first]) and all(linear[first:])
    turned: Operation
    if isinstance(operation, Pushed) and whole:
        turned = Paired(operation.base, operation.flags)
    else:
        turned = Transposed(operation, linear, like)
    found = iter(call_p.bind(*known, *cts, operation=turned))
    return [next(found) if each else None for each in linear]


def batch(xs: Sequence[Any], dims: Sequence[int | None], *, operation: Operation) -> Any:
    """`vmap`."""
    flags = tuple(d is not None for d in dims)
    moved = [x if d is None else jax.numpy.moveaxis(x, d, 0) for x, d in zip(xs, dims, strict=True)]
    outs = call_p.bind(*moved, operation=Batched(operation, flags))
    return outs, [0] * len(outs)


call_p.def_impl(run)
call_p.def_abstract_eval(types)
ad.primitive_jvps[call_p] = push
ad.primitive_transposes[call_p] = transpose
batching.primitive_batchers[call_p] = batch
mlir.register_lowering(call_p, mlir.lower_fun(call_back, multiple_results=True))
