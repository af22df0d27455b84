"""Trading time for memory: what a function computed inside is thrown away and computed again."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, level_of, snapshot, underlying
from ..core.errors import GradientError
from ..core.living import Live
from ..core.modes import TAPE, Running, modes
from ..core.node import Leaf, Node, next_number
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.sweep import sweep, unmasked
from ..core.trees import Tree, flatten
from ..ops.arithmetic import Anew
from ..tape.backward import check_guards, placing
from ..tape.guard import copy_of
from ..tape.reaching import boundary
from ..tape.record import record
from ..tape.tensor import Tensor, off_tapes
from ..tape.watching import Watcher
from .custom import Custom, without_own_tape
from .entering import check_unchanged, entering
from .results import check_numbers, copied
from .trace import is_symbolic


class Recompute(Primitive):
    """A call whose inner record was dropped.  Its operands are those of the call, then the tensors
    that the function closes over.  Reverse: run it again, recording, and sweep through.
    """

    name = "checkpoint"

    def __init__(
        self, run: Callable[..., list[Any]], count: int, level: float, kept: Kept | None
    ) -> None:
        self.run = run
        self.count = count  # of the operands that the call names
        self.level = level
        self.kept = kept  # results inside that are not to be computed again

    def freed(self) -> None:
        self.kept = None

    def kept_results(self) -> list[Value]:
        """What was kept of the run."""
        return [] if self.kept is None else [out for _, out in self.kept.results.values()]

    def __repr__(self) -> str:
        return "checkpoint"

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        level = self.level
        recorded = any(isinstance(c, Tensor) and c.level == level for c in ct)
        named: list[Any] = []
        sources: list[Node | None] = []
        for x, parent in zip(xs[: self.count], parents, strict=False):
            if parent is not None and not (recorded and isinstance(x, Tensor)):
                x = Anew()(x) if modes.tracing else x
                x = Tensor.make(x, Leaf(tuple(x.shape), x.dtype), level)
            elif parent is None and self.kept is not None:  # a tensor, as in the run that kept them
                x = Tensor.make(x, None, level)
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
            after=check_guards,
            quiet=wanted,  # the outer sweep comes to these with their whole cotangents
        )
        # A node that stands for several operands has one cotangent for them all.
        return [None if s is None else found.pop(s, None) for s in sources]

    def run_again(self, named: list[Any], before: Sequence[Value]) -> list[Any]:
        """The results, recorded this time, and the same as before."""
        with Running(max(self.level, modes.inside)):
            modes.floor = min(modes.floor, self.level)
            outs = None if self.kept is None else self.replayed(self.kept, named)
            if outs is None:
                outs = self.run(*named)
        outs = [off_tapes(y, self.level) for y in outs]
        if len(outs) != len(before) or not all(map(agree, outs, before)):
            raise GradientError(
                "checkpoint: the function gave another result when it was run again for the "
                "backward sweep; pass it what changes (an array that is written to, the state of "
                "a random generator) as an argument"
            )
        return outs

    def replayed(self, kept: Kept, named: list[Any]) -> list[Any] | None:
        """The results, from those that were kept; None where the two runs did not do the same.

        They may differ within: a tensor that is recorded is no constant, as it was before.
        """
        replay = Replay(kept, self.level)
        try:
            with replay:
                outs = self.run(*map(snapshot, named))
        except Exception:  # whatever a result in the wrong place may lead to
            return None
        return outs if replay.count == kept.count else None


def agree(x: Value, y: Value) -> bool:
    """Whether two runs gave the same numbers, within rounding; of symbols, the same types."""
    if is_symbolic(x) or is_symbolic(y) or underlying(x) is None:  # None: of another library
        return bool(np.shape(x) == np.shape(y) and x.dtype == y.dtype)
    a, b = np.asarray(underlying(x)), np.asarray(underlying(y))
    if a.shape != b.shape:
        return False
    largest = np.max(np.abs(b), where=np.isfinite(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-8 * largest, equal_nan=True))


Policy = Collection[str] | Callable[[str, Any], bool]


class Kept:
    """What was kept of a run."""

    def __init__(self) -> None:
        self.results: dict[int, tuple[Primitive, Value]] = {}  # by the place of the operation
        self.count = 0  # of the operations of the run


class Keep(Watcher):
    """A run whose chosen results are kept, of what is done with tensors of its own level.

    The values of tensors may be tensors themselves: what is done with those is done again only
    where the result above them is.
    """

    def __init__(self, policy: Policy, level: float) -> None:
        self.policy = policy
        self.level = level
        self.kept = Kept()

    def compute(self, primitive: Primitive, values: Sequence[Value], level: float) -> Any:
        if level != self.level:
            return NotImplemented
        out = primitive(*values)
        kept = self.kept
        if not isinstance(primitive, Custom | Recompute) and self.is_chosen(primitive.name, out):
            kept.results[kept.count] = primitive, out
        kept.count += 1
        return out

    def is_chosen(self, name: str, out: Value) -> bool:
        """What the policy says of an operation."""
        return self.policy(name, out) if callable(self.policy) else name in self.policy


class DiffersError(Exception):
    """Another operation stands where a result was kept."""


class Replay(Watcher):
    """The same run again, which finds results that were kept."""

    def __init__(self, kept: Kept, level: float) -> None:
        self.kept = kept
        self.level = level
        self.count = 0

    def compute(self, primitive: Primitive, values: Sequence[Value], level: float) -> Any:
        if level != self.level:
            return NotImplemented
        found = self.kept.results.get(self.count)
        self.count += 1
        if found is None:
            return NotImplemented
        same, out = found
        if same != primitive:
            raise DiffersError
        return out


def checkpoint(f: Callable[..., Any] | None = None, *, save: Policy = ()) -> Any:
    """`f`, keeping only its arguments for the backward sweep, which runs it a second time.

    `save` chooses results inside `f` that are kept all the same, and not computed again: names of
    operations (`save=["matmul"]`; `qd.trace` prints them), or a function of the name and the result
    that says whether to keep it.  Functions with rules of their own (`qd.custom_vjp` and its like)
    are always run again.

    Values, gradients and higher derivatives are those of `f`, also with respect to tensors that
    `f` closes over; memory for what it computes inside is freed at once.  `f` must give the same
    result when run again, else `GradientError`.  In a compiled function the program computes again
    what was thrown away.  Forward mode and `vmap` run `f` as it is.

    >>> qd.grad(checkpoint(lambda x: np.sin(x) ** 2))(0.0)
    np.float64(0.0)
    >>> qd.grad(checkpoint(lambda x: np.sum(np.tanh(x @ x)), save=["matmul"]))(np.eye(2))
    array([[0.83994868, 2.        ],
           [2.        , 0.83994868]])
    """
    if f is None:
        return functools.partial(checkpoint, save=save)
    if isinstance(save, str):
        raise TypeError(
            f"checkpoint: save={save!r} is one name, and its letters would be taken for names; "
            f"write save=[{save!r}]"
        )
    function = f

    @functools.wraps(function)
    def lean(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        levels = [x.level for x in leaves if isinstance(x, Tracer)]
        level = max(levels, default=TAPE)
        at_level = [isinstance(x, Tensor) and x.level == level for x in leaves]
        if levels and not any(at_level):
            return run_plainly(function, args, kwargs)
        places = [k for k, mine in enumerate(at_level) if mine]
        return run_lean(function, list(map(snapshot, leaves)), tree, places, level, save)

    return lean


def run_plainly(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Run `f` as it is."""
    modes.switched = True  # a gradient being traced is to come to this on its own tensors
    plain = f if modes.capture is None else modes.capture(f)
    return plain(*args, **kwargs)


def run_lean(
    f: Callable[..., Any],
    leaves: list[Any],
    tree: Tree,
    places: list[int],
    level: float,
    save: Policy,
) -> Any:
    """Run once for the value, find what is closed over, and record one equation for it all.

    The arguments at `places` are of this level.  Where `f` closes over a value of a transform that
    stands above it, the call is of that transform, to which all arguments are constants.
    """
    live = modes.live
    structure: list[Tree] = []
    operands = [leaves[k] for k in places]
    for k in places:
        leaves[k] = None  # the graph keeps these, and lets go of them when it is freed

    def run(*named: Any) -> list[Any]:
        check_unchanged("checkpoint", guards)
        filled = list(leaves)
        for k, x in zip(places, named, strict=True):
            filled[k] = x
        args, kwargs = tree.build(filled)
        with Live(live):  # as it was, when it is run again
            outs, out_tree = flatten(f(*args, **kwargs))
        structure[:] = [out_tree]
        return outs

    kept, guards = entering(leaves, copy_of)
    start = next_number()
    values = [x.value for x in operands]
    keep = Keep(save, level) if save else None
    with keep or contextlib.nullcontext():
        # on tensors, of which the function may know more than arrays can do, but not recorded
        outs = run(*(Tensor.make(v, None, level) for v in copied(values)))
    leaves[:] = kept  # the second run is given arrays as they were before the first
    outs = [without_own_tape(y, start, level) for y in outs]
    highest = max(outs, key=level_of, default=None)
    if level_of(highest) > level:
        for k, x in zip(places, operands, strict=True):
            leaves[k] = x
        if isinstance(highest, Tensor):
            return run_lean(f, leaves, tree, [], highest.level, save)
        return run_plainly(f, *tree.build(leaves))
    check_numbers("checkpoint", outs, structure[0])
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
        Recompute(run, len(places), level, None if keep is None else keep.kept),
        [*values, *captured],
        parents,
        tuple(plain),
        like,
    )
    return structure[0].build(made)
