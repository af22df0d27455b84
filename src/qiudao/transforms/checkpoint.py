"""Trading time for memory: what a function computed inside is thrown away and computed again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, snapshot, underlying
from ..core.errors import GradientError
from ..core.modes import TAPE, Running, modes
from ..core.node import Leaf, Node, next_number
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.sweep import sweep, unmasked
from ..core.trees import Tree, flatten
from ..tape.backward import boundary, placing
from ..tape.record import record
from ..tape.tensor import Tensor, off_tapes
from .results import copied


class Recompute(Primitive):
    """A call whose inner record was dropped.  Its operands are those of the call, then the tensors
    that the function closes over.  Reverse: run it again, recording, and sweep through.
    """

    name = "checkpoint"

    def __init__(self, run: Callable[..., list[Any]], count: int, level: float) -> None:
        self.run = run
        self.count = count  # of the operands that the call names
        self.level = level

    def __repr__(self) -> str:
        return "checkpoint"

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        level = self.level
        recorded = any(isinstance(c, Tensor) and c.level == level for c in ct)
        named: list[Any] = []
        sources: list[Node | None] = []
        for x, parent in zip(xs[: self.count], parents, strict=False):
            if parent is not None and not (recorded and isinstance(x, Tensor)):
                x = Tensor.make(x, Leaf(tuple(x.shape), x.dtype), level)
            named.append(x)
            sources.append(None if parent is None else x.node)
        sources.extend(parents[self.count :])
        outs = self.run_again(named, out)
        seeds = [
            (y.node, c)
            for y, c in zip(outs, ct, strict=True)
            if c is not None and isinstance(y, Tensor) and y.level == level and y.node is not None
        ]
        wanted = {s for s in sources if s is not None}
        found = sweep(
            seeds,
            wanted=wanted,
            wrap=placing(level) if recorded else None,
            product=unmasked(product),
            quiet=wanted,  # the outer sweep comes to these with their whole cotangents
        )
        return [None if s is None else found.get(s) for s in sources]

    def run_again(self, named: list[Any], before: Sequence[Value]) -> list[Any]:
        """The results, recorded this time, and the same as before."""
        with Running(max(self.level, modes.inside)):
            modes.floor = min(modes.floor, self.level)
            outs = self.run(*named)
        if len(outs) != len(before) or not all(map(agree, outs, before)):
            raise GradientError(
                "checkpoint: the function gave another result when it was run again for the "
                "backward sweep; pass it what changes (an array that is written to, the state of "
                "a random generator) as an argument"
            )
        return outs


def agree(x: Value, y: Value) -> bool:
    """Whether two runs gave the same numbers, within rounding."""
    a, b = np.asarray(underlying(x)), np.asarray(underlying(y))
    if a.shape != b.shape:
        return False
    largest = np.max(np.abs(b), where=np.isfinite(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-8 * largest, equal_nan=True))


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, keeping only its arguments for the backward sweep, which runs it a second time.

    Values, gradients and higher derivatives are those of `f`, also with respect to tensors that
    `f` closes over; memory for what it computes inside is freed at once.  `f` must give the same
    result when run again, else `GradientError`.  Forward mode and `vmap` run `f` as it is.

    >>> qd.grad(checkpoint(lambda x: np.sin(x) ** 2))(0.0)
    np.float64(0.0)
    """

    @functools.wraps(f)
    def lean(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        levels = [x.level for x in leaves if isinstance(x, Tracer)]
        level = max(levels, default=TAPE)
        at_level = [isinstance(x, Tensor) and x.level == level for x in leaves]
        if levels and not any(at_level):
            plain = f if modes.capture is None else modes.capture(f)
            return plain(*args, **kwargs)
        places = [k for k, mine in enumerate(at_level) if mine]
        return run_lean(f, list(map(snapshot, leaves)), tree, places, level)

    return lean


def run_lean(
    f: Callable[..., Any], leaves: list[Any], tree: Tree, places: list[int], level: float
) -> Any:
    """Run once for the value, find what is closed over, and record one equation for it all."""
    structure: list[Tree] = []
    operands = [leaves[k] for k in places]
    for k in places:
        leaves[k] = None  # the graph keeps these, and lets go of them when it is freed

    def run(*named: Any) -> list[Any]:
        filled = list(leaves)
        for k, x in zip(places, named, strict=True):
            filled[k] = x
        args, kwargs = tree.build(filled)
        outs, out_tree = flatten(f(*args, **kwargs))
        structure[:] = [out_tree]
        return [off_tapes(y, level) for y in outs]

    start = next_number()
    values = [x.value for x in operands]
    outs = run(*copied(values))
    inner = [
        y.node for y in outs if isinstance(y, Tensor) and y.level == level and y.node is not None
    ]
    captured = boundary(inner, start)
    if not operands and not captured:
        return structure[0].build(outs)
    plain = [y.value if isinstance(y, Tensor) and y.level == level else y for y in outs]
    plain = [y if hasattr(y, "dtype") else np.asarray(y)[()] for y in plain]
    parents = [*(x.node for x in operands), *captured]
    like = operands[0] if operands else Tensor.make(plain[0], None, level)
    made = record(
        Recompute(run, len(places), level), [*values, *captured], parents, tuple(plain), like
    )
    return structure[0].build(made)
