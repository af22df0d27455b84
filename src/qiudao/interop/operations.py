"""A function of ours as another library calls it: on a flat list of arrays, giving a tuple of them.

Differentiation and batching make operations of operations, so a bridge needs to know how to run
one and no more: `pulled` is its reverse mode, `pushed` its forward mode, `batched` its `vmap`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import qiudao as qd

from ..core.avals import Aval, Value, aval_of, is_inexact
from ..core.trees import Tree, flatten

Values = Sequence[Value]
Flags = tuple[bool, ...]  # one for each operand


class Operation:
    """A function of `count` arrays; `results` are the types of what it gives, where they are known.

    An operation belongs to one call, so that shapes and dtypes are always the same.
    """

    count: int
    results: tuple[Aval, ...] | None = None

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        """The results, also for tracers of ours."""
        raise NotImplementedError

    def run(self, *xs: Value) -> list[Any]:
        """The results as arrays that share no memory with the operands or with one another."""
        return apart(self(*xs), xs)

    def types(self, operands: Sequence[Aval]) -> tuple[Aval, ...]:
        """The types of the results for operands of these types, without running it."""
        if self.results is None:
            self.results = tuple(self.foretold(operands))
        return self.results

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        """The types of the results, found out."""
        raise NotImplementedError

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
        """The results as arrays, their types remembered."""
        found = tuple(y if hasattr(y, "dtype") else np.asarray(y) for y in results)
        self.results = tuple(map(aval_of, found))
        return found

    @property
    def are_smooth(self) -> list[bool]:
        """Which of the results derivatives exist of."""
        return [is_inexact(y.dtype) for y in self.results or ()]


class Given(Operation):
    """The user's function with the arguments of one call, its arrays apart from all else."""

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        kind: type,
        like: Any = None,
    ) -> None:
        self.f = f
        self.like = like  # shaped like the result, where it is known beforehand
        self.out_tree: Tree | None = None
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

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        if self.like is not None:
            told, self.out_tree = flatten(self.like)
            return map(aval_of, told)
        examples = [np.broadcast_to(np.zeros((), a.dtype), a.shape) for a in operands]
        return qd.trace(self)(*examples).results

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
        self.count = base.count + sum(base.are_smooth)

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        _, chosen, f = self.parted(operands)
        _, pullback = qd.vjp(f, *chosen)
        return self.noted(pullback(tuple(operands[self.base.count :])))

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        return itertools.compress(operands, self.flags)


class Pushed(Derived):
    """Forward mode of an operation."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        super().__init__(base, flags)
        self.count = base.count + sum(flags)

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        _, chosen, f = self.parted(operands)
        _, tangents = qd.jvp(f, tuple(chosen), tuple(operands[self.base.count :]))
        return self.noted(tangents)

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        base = self.base.types(operands[: self.base.count])
        return itertools.compress(base, self.base.are_smooth)


class Paired(Pulled):
    """Reverse mode where cotangents pair with tangents by their plain product, as in jax."""

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        n = self.base.count
        return self.noted(
            [unpaired(c) for c in super().__call__(*operands[:n], *map(unpaired, operands[n:]))]
        )


class Transposed(Derived):
    """The transpose of an operation that is linear in the operands chosen, which are `like`."""

    def __init__(self, base: Operation, flags: Flags, like: Sequence[Any]) -> None:
        super().__init__(base, flags)
        self.count = base.count - sum(flags) + len(base.results or ())
        self.zeros = [np.zeros(x.shape, x.dtype) for x in like]

    def __call__(self, *operands: Value) -> tuple[Value, ...]:
        known, zeros = iter(operands), iter(self.zeros)
        xs = [next(zeros if linear else known) for linear in self.flags]
        return self.noted(Paired(self.base, self.flags)(*xs, *known))

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        return map(aval_of, self.zeros)


class Batched(Derived):
    """An operation over many examples."""

    def __init__(self, base: Operation, flags: Flags) -> None:
        super().__init__(base, flags)
        self.count = base.count

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        axes = tuple(0 if m else None for m in self.flags)
        pairs = list(zip(xs, self.flags, strict=True))
        if any(m and x.dtype.kind in "iu" for x, m in pairs):
            # NumPy reads an index that differs from example to example of tensors of ours alone
            xs = tuple(qd.tensor(x) if isinstance(x, np.ndarray) and not m else x for x, m in pairs)
        return self.noted(qd.vmap(self.base, axes)(*xs))

    def foretold(self, operands: Sequence[Aval]) -> Iterable[Aval]:
        pairs = list(zip(operands, self.flags, strict=True))
        size = next(a.shape[0] for a, mapped in pairs if mapped)
        ones = [Aval(a.shape[1:], a.dtype) if mapped else a for a, mapped in pairs]
        return [Aval((size, *y.shape), y.dtype) for y in self.base.types(ones)]


def unpaired(ct: Value) -> Value:
    """A cotangent in the other of the two conventions for complex values."""
    return np.conj(ct) if ct.dtype.kind == "c" else ct


def apart(results: Values, given: Values) -> list[Any]:
    """Results as arrays that may be written to: copied where their memory is another's."""
    taken = [x for x in given if isinstance(x, np.ndarray)]
    found: list[Any] = []
    for y in map(np.asarray, results):
        shared = not y.flags.writeable or any(np.may_share_memory(y, x) for x in taken)
        found.append(y.copy() if shared else y)
        taken.append(found[-1])
    return found
