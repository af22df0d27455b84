"""A function of another library as a primitive of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

import qiudao as qd

from ..core.avals import Aval, Value, aval_of, is_inexact
from ..core.dispatch import Tracer
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.slot import Slot
from ..core.trees import Tree, flatten

Flags = tuple[bool, ...]


class Foreign(Protocol):
    """A function of arrays that the other library runs, and what its derivatives are.

    Cotangents pair with tangents by their plain product, without a conjugate.
    """

    name: str

    def run(self, *xs: Any) -> list[Any]:
        """The results for these arrays, as arrays that may be written to."""

    def types(self, operands: Sequence[Aval]) -> Sequence[Aval]:
        """The types of the results."""

    def pulled(self, wanted: Flags) -> Foreign:
        """(operands, cotangents of smooth results) -> cotangents of the wanted operands."""

    def pushed(self, moving: Flags) -> Foreign:
        """(operands, tangents of the moving ones) -> tangents of the smooth results."""

    def batched(self, mapped: Flags) -> tuple[Foreign, Flags]:
        """The same for many examples, and the operands that need a batch axis for it."""

    def let_go(self) -> None:
        """Forget what a run has kept for its derivative."""


class Call(Primitive):
    """One call of a foreign function."""

    keeps_out = False

    def __init__(self, foreign: Foreign) -> None:
        self.foreign = foreign
        self.name = foreign.name  # type: ignore[misc]
        self.results: Sequence[Aval] | None = None

    def __repr__(self) -> str:
        return self.name

    def evaluate(self, *xs: Value) -> Value:
        outs = tuple(y[()] for y in self.foreign.run(*xs))
        self.results = tuple(map(aval_of, outs))
        return outs

    def shape(self, *avals: Aval) -> Any:
        self.results = tuple(self.foreign.types(avals))
        return self.results

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        cts = [
            np.zeros(a.shape, a.dtype) if c is None else c
            for c, a in zip(ct, self.known(xs), strict=True)
            if is_inexact(a.dtype)
        ]
        wanted = tuple(p is not None for p in parents)
        found = iter(Call(self.foreign.pulled(wanted))(*xs, *cts))
        return [next(found) if w else None for w in wanted]

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        moving = tuple(dx is not None for dx in dxs)
        changes = [dx for dx in dxs if dx is not None]
        if any(isinstance(dx, Slot) for dx in changes):
            count = sum(is_inexact(y.dtype) for y in out)
            made = [Tangent(self.foreign, moving, k)(*xs, *changes) for k in range(count)]
            found = iter(made)
        else:
            found = iter(Call(self.foreign.pushed(moving))(*xs, *changes))
        return tuple(
            next(found) if is_inexact(y.dtype) else np.zeros(y.shape, y.dtype) for y in out
        )

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        foreign, needed = self.foreign.batched(tuple(mapped))
        return Call(foreign)(
            *(
                np.broadcast_to(x, (size, *np.shape(x))) if need and not m else x
                for x, m, need in zip(xs, mapped, needed, strict=True)
            )
        )

    def freed(self) -> None:
        self.foreign.let_go()

    def known(self, xs: Values) -> Sequence[Aval]:
        """The types of the results."""
        if self.results is None:
            self.shape(*map(aval_of, xs))
        return self.results or ()


class Tangent(Call):
    """The tangent of one smooth result, for tangents that are not known yet: a `Slot` records only
    operations of one result.
    """

    def __init__(self, base: Foreign, moving: Flags, k: int) -> None:
        super().__init__(base.pushed(moving))
        self.base = base
        self.moving = moving
        self.k = k

    def __call__(self, *xs: Value) -> Value:
        if any(isinstance(x, Slot) for x in xs):
            return super().__call__(*xs)
        return Call(self.foreign)(*xs)[self.k]

    def is_linear(self, positions: set[int]) -> bool:
        return min(positions) >= len(self.moving)

    def shape(self, *avals: Aval) -> Any:
        return super().shape(*avals)[self.k]

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        n = len(self.moving)
        cts = [
            ct if k == self.k else np.zeros(a.shape, a.dtype) for k, a in enumerate(self.known(xs))
        ]
        found = Call(self.base.pulled(self.moving))(*xs[:n], *cts)
        return [*(None for _ in range(n)), *found]


def is_array(x: Any) -> bool:
    """Whether a leaf of the arguments is an array, a NumPy scalar or a tracer of ours."""
    return isinstance(x, Tracer | np.ndarray | np.generic)


class Arguments:
    """The arguments of a call, its arrays apart from all else."""

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        is_operand: Callable[[Any], bool] = is_array,
    ) -> None:
        leaves, self.tree = flatten((args, kwargs))
        self.places = tuple(k for k, x in enumerate(leaves) if is_operand(x))
        self.operands = [leaves[k] for k in self.places]
        self.static = tuple(None if k in self.places else x for k, x in enumerate(leaves))
        self.out_tree: Tree | None = None

    def bound(self, f: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
        """`f` on the operands alone, its results flat."""

        def on_operands(*xs: Any) -> tuple[Any, ...]:
            leaves = list(self.static)
            for k, x in zip(self.places, xs, strict=True):
                leaves[k] = x
            args, kwargs = self.tree.build(leaves)
            outs, self.out_tree = flatten(f(*args, **kwargs))
            return tuple(outs)

        return functools.wraps(f, updated=())(on_operands)

    def nested(self, outs: Sequence[Any]) -> Any:
        """Flat results nested as the bound function returned its own."""
        return self.out_tree.build(outs)  # type: ignore[union-attr]

    def result(self, foreign: Foreign, first: Arguments) -> Any:
        """The results on these operands, nested as at the call that bound the function."""
        outs = Call(foreign)(*self.operands)
        smooth = [y if is_inexact(y.dtype) else qd.stop_gradient(y) for y in outs]
        return first.nested(smooth)
