"""A function of torch in ours: `from_torch`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import Tracer
from ...transforms.custom import unchanged
from ...transforms.one_by_one import each
from ...transforms.trace import is_symbolic
from ..foreign import Arguments, Flags
from ..operations import apart
from .arrays import array_of, as_tensor, tensor_of

Tensors = Sequence[torch.Tensor]
InTorch = Callable[..., Sequence[torch.Tensor]]


def from_torch(f: Callable[..., Any], *, loop: bool = False) -> Callable[..., Any]:
    """A function written in torch as a function of arrays and of our tensors.

    The arrays, NumPy scalars and tracers of ours among its arguments, in any containers, arrive in
    `f` as torch tensors that share their memory; everything else arrives as it is.  The tensors
    that `f` returns, in any containers, come back as arrays.

    Derivatives are torch's own, in reverse and forward mode and to any order that torch
    differentiates `f` to: on the tape (`backward`), under `qd.grad`, `qd.jvp`, `qd.hessian` and
    the others, and within `qd.jit`, which calls torch there.  `qd.vmap` goes through
    `torch.func.vmap`; with `loop` it runs `f` for one example after another instead, for functions
    that `torch.func.vmap` refuses.

    Parameters of a module are constants; to differentiate by them pass them as an argument, by
    `torch.func.functional_call`.

    >>> f = from_torch(lambda x: torch.logsumexp(x, 0))
    >>> qd.grad(f)(np.zeros(4))
    array([0.25, 0.25, 0.25, 0.25])
    """

    @functools.wraps(f)
    def in_ours(*args: Any, **kwargs: Any) -> Any:
        given = Arguments(args, kwargs)
        records = any(isinstance(x, Tracer) and x.carries() for x in given.operands)
        records = records and not any(map(is_symbolic, given.operands))
        name = getattr(f, "__name__", type(f).__name__)
        operation = Given(name, given.bound(f), records, loop)
        return given.result(operation, given)

    return in_ours


class Torch:
    """A function of tensors that gives a tuple of tensors; of arrays, by `run`."""

    def __init__(self, name: str, f: InTorch) -> None:
        self.name = name
        self.f = f

    def run(self, *xs: Value) -> list[Any]:
        with torch.no_grad():
            return self.arrays(self.f(*map(tensor_of, xs)), xs)

    def arrays(self, outs: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """Results as arrays."""
        found = [
            array_of(y, self.name, "a result") if isinstance(y, torch.Tensor) else np.asarray(y)
            for y in outs
        ]
        return apart(found, given)

    def types(self, operands: Sequence[Aval]) -> Sequence[Aval]:
        """Found by a run on zeros."""
        return [aval_of(y) for y in self.run(*(np.zeros(a.shape, a.dtype) for a in operands))]

    def pulled(self, wanted: Flags) -> Torch:
        return Pulled(self, wanted)

    def pushed(self, moving: Flags) -> Torch:
        return Pushed(self, moving)

    def batched(self, mapped: Flags) -> tuple[Torch, Flags]:
        return self.over_all(), (True,) * len(mapped)

    def over_all(self) -> Torch:
        """The same for many examples, of which every operand has a leading axis."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Nothing is kept."""


class Given(Torch):
    """The user's function; where it `records`, torch's graph of its run is kept for gradients."""

    def __init__(self, name: str, f: InTorch, records: bool, loop: bool) -> None:
        super().__init__(name, f)
        self.records = records
        self.loop = loop
        self.kept: tuple[Sequence[Any], Tensors, Tensors] | None = None

    def run(self, *xs: Value) -> list[Any]:
        if not self.records:
            return super().run(*xs)
        tensors = [entered(tensor_of(x)) if is_smooth_array(x) else tensor_of(x) for x in xs]
        with torch.enable_grad():
            outs = list(map(as_tensor, self.f(*tensors)))
        self.kept = xs, tensors, outs
        return [y.copy() for y in self.arrays(outs, xs)]  # torch's graph may read its own

    def batched(self, mapped: Flags) -> tuple[Torch, Flags]:
        axes = tuple(0 if m else None for m in mapped)
        f = one_by_one(self.f, mapped) if self.loop else torch.func.vmap(self.f, axes)
        return Given(self.name, f, self.records, self.loop), mapped

    def over_all(self) -> Torch:
        f = one_by_one(self.f, None) if self.loop else torch.func.vmap(self.f)
        return Given(self.name, f, self.records, self.loop)

    def let_go(self) -> None:
        self.kept = None


class Derived(Torch):
    """A derivative of an operation."""

    mode = ""

    def __init__(self, base: Torch, flags: Flags) -> None:
        super().__init__(f"{self.mode} of {base.name}", self.differentiated)
        self.base = base
        self.flags = flags

    def over_all(self) -> Torch:
        return type(self)(self.base.over_all(), self.flags)

    def differentiated(self, *operands: torch.Tensor) -> Sequence[torch.Tensor]:
        """The derivative, itself differentiable."""
        raise NotImplementedError

    def recorded(self, operands: Tensors) -> tuple[list[torch.Tensor], list[torch.Tensor], Tensors]:
        """The chosen operands; the smooth results, recorded; what came after the operands."""
        n = len(self.flags)
        xs = [entered(x) if w else x for x, w in zip(operands[:n], self.flags, strict=True)]
        outs = [y for y in map(as_tensor, self.base.f(*xs)) if is_smooth(y)]
        return list(itertools.compress(xs, self.flags)), outs, operands[n:]


class Pulled(Derived):
    """Reverse mode, in the convention of plain products."""

    mode = "reverse mode"

    def run(self, *xs: Value) -> list[Any]:
        kept = self.base.kept if isinstance(self.base, Given) else None
        n = len(self.flags)
        if kept is None or not all(map(unchanged, xs[:n], kept[0])):
            return super().run(*xs)
        chosen = list(itertools.compress(kept[1], self.flags))
        outs = [y for y in kept[2] if is_smooth(y)]
        cts = list(map(tensor_of, xs[n:]))
        return self.arrays(cotangents(outs, chosen, cts, create_graph=False), xs)

    def differentiated(self, *operands: torch.Tensor) -> Sequence[torch.Tensor]:
        with torch.enable_grad():
            chosen, outs, cts = self.recorded(operands)
            return cotangents(outs, chosen, cts, any(x.requires_grad for x in operands))


class Pushed(Derived):
    """Forward mode: torch knows more reverse rules, and reverse mode is linear in cotangents u,
    so the tangents are the gradient of <dx, J^T u> by u.
    """

    mode = "forward mode"

    def differentiated(self, *operands: torch.Tensor) -> Sequence[torch.Tensor]:
        with torch.enable_grad():
            chosen, outs, dxs = self.recorded(operands)
            free = [torch.zeros_like(y).requires_grad_() for y in outs]
            lines = cotangents(outs, chosen, free, create_graph=True)
            return cotangents(lines, free, dxs, any(x.requires_grad for x in operands))


def cotangents(outs: Tensors, xs: Tensors, cts: Tensors, create_graph: bool) -> Tensors:
    """The cotangents of `xs` for those of `outs`; zero where no graph connects them."""
    pairs = [(y, plain(ct)) for y, ct in zip(outs, cts, strict=True) if y.requires_grad]
    if not pairs:
        return [torch.zeros_like(x) for x in xs]
    ys, seeds = zip(*pairs, strict=True)
    found = torch.autograd.grad(
        ys, xs, seeds, retain_graph=True, create_graph=create_graph, materialize_grads=True
    )
    return list(map(plain, found))


def plain(ct: torch.Tensor) -> torch.Tensor:
    """A cotangent in the other of the two conventions for complex values."""
    return ct.conj() if ct.is_complex() else ct


def entered(x: torch.Tensor) -> torch.Tensor:
    """An operand that gradients arrive at, apart from others that are the same tensor."""
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()


def is_smooth(y: Any) -> bool:
    """Whether derivatives of a tensor exist."""
    return isinstance(y, torch.Tensor) and (y.is_floating_point() or y.is_complex())


def is_smooth_array(x: Any) -> bool:
    """Whether derivatives by an array exist."""
    return bool(x.dtype.kind in "fc")


def one_by_one(f: InTorch, mapped: Flags | None) -> InTorch:
    """`f` for each example in turn, its results stacked."""

    def over(*xs: torch.Tensor) -> list[torch.Tensor]:
        flags = (True,) * len(xs) if mapped is None else mapped
        size = next(len(x) for x, m in zip(xs, flags, strict=True) if m)
        rows = each(f, size, flags, xs)
        return [torch.stack(column) for column in zip(*rows, strict=True)]

    return over
