"""A function of ours as another library calls it: on a flat list of arrays, giving a tuple of them.

Differentiation and batching make operations of operations, so a bridge needs to know how to run
one and no more: `pulled` is its reverse mode, `pushed` its forward mode, `batched` its `vmap`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import qiudao as qd

from ..core.avals import Dtype, Value, is_inexact
from ..core.trees import Tree, flatten

Values = Sequence[Value]
Flags = tuple[bool, ...]  # one for each operand


class Operation:
    """A function of `count` arrays; `dtypes` are those of its results, known once it has run."""

    count: int
    dtypes: tuple[Dtype, ...] | None = None

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        """The results, also for tracers of ours."""
        raise NotImplementedError

    def run(self, *xs: Value) -> list[Any]:
        """The results as arrays that share no memory with the operands or with one another."""
        return apart(self(*xs), xs)

    def smooth(self, *xs: Value) -> tuple[Value, ...]:
        """The results that derivatives exist of."""
        return tuple(y for y in self(*xs) if is_inexact(y.dtype))

    def pulled(self, wanted: Flags) -> Operation:
        """(operands, cotangents of the smooth results) -> cotangents of the wanted operands."""
        return Pulled(self, wanted)

    def pushed(self, moving: Flags) -> Operation:
        """(operands, tangents of the moving ones) -> tangents of the smooth results."""
        return Pushed(self, moving)

    def batched(self, mapped: Flags) -> Operation:
        """The same over a leading axis that the mapped operands have, and all results."""
        return Batched(self, mapped)

    def noted(self, results: Sequence[Any]) -> tuple[Value, ...]:
        """The results as arrays, their dtypes remembered."""
        found = tuple(y if hasattr(y, "dtype") else np.asarray(y) for y in results)
        self.dtypes = tuple(y.dtype for y in found)
        return found


class Given(Operation):
    """The user's function with the arguments of one call, its arrays apart from all else."""

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], kind: type
    ) -> None:
        self.f = f
        self.out_tree: Tree | None = None
        self.kept: tuple[Flags, Any] | None = None
        if not kwargs and all(isinstance(x, kind) for x in args):
            self.operands = list(args)
            self.leaves = None
        else:
            self.leaves, self.tree = flatten((args, kwargs))
            self.places = [k for k, x in enumerate(self.leaves) if isinstance(x, kind)]
            self.operands = [self.leaves[k] for k in self.places]
            for k in self.places:
                self.leaves[k] = None
        self.count = len(self.operands)

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        if self.leaves is None:
            result = self.f(*xs)
        else:
            leaves = list(self.leaves)
            for k, x in zip(self.places, xs, strict=True):
                leaves[k] = x
            args, kwargs = self.tree.build(leaves)
            result = self.f(*args, **kwargs)
        outs, self.out_tree = flatten(result)
        return self.noted(outs)

    def result(self, outs: Sequence[Any]) -> Any:
        """The flat results nested as the function returned them."""
        return outs[0] if self.out_tree is None else self.out_tree.build(outs)


class Derived(Operation):
    """An operation that comes from another."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        self.base = base
        self.flags = flags

    def parted(self, operands: Values) -> tuple[Values, list[Value], Callable[..., Any]]:
        """The operands of `base`; those chosen of them; `base` as a function of the chosen."""
        xs = operands[: self.base.count]

        def of_chosen(*chosen: Value) -> tuple[Value, ...]:
            rest = iter(chosen)
            return self.base.smooth(
                *(next(rest) if c else x for x, c in zip(xs, self.flags, strict=True))
            )

        return xs, list(itertools.compress(xs, self.flags)), of_chosen


class Pulled(Derived):
    """Reverse mode of an operation."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        super().__init__(base, flags)
        kinds = base.dtypes
        if kinds is None:
            raise RuntimeError("an operation is differentiated after it has run")
        self.count = base.count + sum(map(is_inexact, kinds))

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        _, chosen, f = self.parted(operands)
        _, pullback = qd.vjp(f, *chosen)
        return self.noted(pullback(tuple(operands[self.base.count :])))


class Pushed(Derived):
    """Forward mode of an operation."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        super().__init__(base, flags)
        self.count = base.count + sum(flags)

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        _, chosen, f = self.parted(operands)
        _, tangents = qd.jvp(f, tuple(chosen), tuple(operands[self.base.count :]))
        return self.noted(tangents)


class Batched(Derived):
    """An operation over many examples."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        super().__init__(base, flags)
        self.count = base.count

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        axes = tuple(0 if m else None for m in self.flags)
        return self.noted(qd.vmap(self.base, axes)(*xs))


def apart(results: Values, given: Values) -> list[Any]:
    """Results as arrays that may be written to: copied where their memory is another's."""
    taken = [x for x in given if isinstance(x, np.ndarray)]
    found: list[Any] = []
    for y in map(np.asarray, results):
        shared = not y.flags.writeable or any(np.may_share_memory(y, x) for x in taken)
        found.append(y.copy() if shared else y)
        taken.append(found[-1])
    return found
