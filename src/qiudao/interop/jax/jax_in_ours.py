"""A function of jax in ours: `from_jax`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from ...core.avals import Aval, Value, is_inexact
from ...core.errors import DtypeError
from ..foreign import Arguments, Flags
from ..operations import apart

InJax = Callable[..., Sequence[Any]]


def from_jax(f: Callable[..., Any], *, jit: bool = True) -> Callable[..., Any]:
    """A function written in jax as a function of arrays and of our tensors.

    The arrays, NumPy scalars and tracers of ours among its arguments, in any containers, arrive in
    `f` as jax arrays; everything else arrives as it is and is constant (a new number means a new
    compilation).  The arrays that `f` returns, in any containers, come back as NumPy's.

    Derivatives are jax's own, in reverse and forward mode and to any order: on the tape
    (`backward`), under `qd.grad`, `qd.jvp`, `qd.hessian`, `qd.vmap` (through `jax.vmap`) and the
    others, and within `qd.jit`, which calls jax there.  `f` and its derivatives are compiled by
    `jax.jit`, unless `jit` is False.

    Raises `DtypeError` for float64 and complex128 while jax computes in single precision
    (`jax_enable_x64` is off), `TypeError` for constants that are not hashable, and what `f` raises.

    >>> f = from_jax(lambda x: jax.nn.logsumexp(x))
    >>> qd.grad(f)(np.zeros(4, np.float32))
    array([0.25, 0.25, 0.25, 0.25], dtype=float32)
    """
    known: dict[Any, tuple[Jax, Arguments]] = {}  # what was compiled, by what is constant in it
    name = getattr(f, "__name__", type(f).__name__)

    @functools.wraps(f)
    def in_ours(*args: Any, **kwargs: Any) -> Any:
        given = Arguments(args, kwargs)
        key = (given.tree, given.places, given.static, tuple(map(type, given.static)))
        try:
            found = known.get(key)
        except TypeError as error:
            raise TypeError(
                f"{name}: what is no array among the arguments is constant in the compiled program "
                f"and must be hashable ({error}); pass arrays, numbers, strings or tuples"
            ) from error
        operation, first = found or known.setdefault(key, (Jax(name, given.bound(f), jit), given))
        return given.result(operation, first)

    return in_ours


class Jax:
    """A function of jax arrays that gives a tuple of them; of arrays, by `run`."""

    def __init__(self, name: str, f: InJax, jit: bool) -> None:
        self.name = name
        self.f = f
        self.jit = jit
        self.compiled: InJax = jax.jit(f) if jit else f
        self.made: dict[tuple[str, Flags], Jax] = {}  # from this, so that each is compiled once

    def run(self, *xs: Value) -> list[Any]:
        given = [entering(x, self.name, k) for k, x in enumerate(xs)]
        return apart(list(map(np.asarray, self.compiled(*given))), ())

    def types(self, operands: Sequence[Aval]) -> Sequence[Aval]:
        like = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in operands]
        return [Aval(y.shape, y.dtype) for y in jax.eval_shape(self.f, *like)]

    def pulled(self, wanted: Flags) -> Jax:
        def pull(*operands: Any) -> Sequence[Any]:
            chosen, f, cts = self.parted(wanted, operands)
            found: Sequence[Any] = jax.vjp(f, *chosen)[1](tuple(cts))
            return found

        return self.once("reverse mode of ", wanted, lambda: pull)

    def pushed(self, moving: Flags) -> Jax:
        def push(*operands: Any) -> Sequence[Any]:
            chosen, f, dxs = self.parted(moving, operands)
            found: Sequence[Any] = jax.jvp(f, tuple(chosen), tuple(dxs))[1]
            return found

        return self.once("forward mode of ", moving, lambda: push)

    def batched(self, mapped: Flags) -> tuple[Jax, Flags]:
        axes = tuple(0 if m else None for m in mapped)
        return self.once("", mapped, lambda: jax.vmap(self.f, axes)), mapped

    def once(self, mode: str, flags: Flags, make: Callable[[], InJax]) -> Jax:
        """What was made from this before, or is made now."""
        key = mode, flags
        if key not in self.made:
            self.made[key] = Jax(mode + self.name, make(), self.jit)
        return self.made[key]

    def let_go(self) -> None:
        """Nothing is kept."""

    def parted(self, flags: Flags, operands: Sequence[Any]) -> tuple[list[Any], InJax, Any]:
        """The chosen operands; the smooth results as a function of them; what comes after them."""
        xs, rest = operands[: len(flags)], operands[len(flags) :]

        def of_chosen(*chosen: Any) -> tuple[Any, ...]:
            left = iter(chosen)
            outs = self.f(*(next(left) if c else x for x, c in zip(xs, flags, strict=True)))
            return tuple(y for y in outs if is_inexact(jax.numpy.result_type(y)))

        return list(itertools.compress(xs, flags)), of_chosen, rest


def entering(x: Any, name: str, k: int) -> Any:
    """An operand as jax's array, of a copy where its bytes lie in the other order.

    Refuses what jax would round to single precision, or wrap around in 32 bits.
    """
    if not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder("="))
    if x.dtype.char in "gG":
        raise DtypeError(
            f"{name}: operand {k} is {x.dtype}, which jax has not; convert it with .astype(float)"
        )
    kept = jax.dtypes.canonicalize_dtype(x.dtype)
    if kept != x.dtype and (x.dtype.kind in "fc" or np.any(x.astype(kept) != x)):
        raise DtypeError(
            f"{name}: operand {k} is {x.dtype}, and jax computes in single precision now; "
            'jax.config.update("jax_enable_x64", True), or pass '
            + ("float32" if x.dtype.kind in "fc" else "numbers that 32 bits hold")
        )
    return jax.numpy.asarray(x)
