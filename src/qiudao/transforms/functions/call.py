"""One call of a `qd.Function`: its operands, what `forward` left, and the rules on them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.arriving import lasting
from ...core.avals import Aval, Value, aval_of
from ...core.complexes import conjugated
from ...core.dispatch import Tracer, snapshot
from ...core.errors import DetachError, GradientError, ShapeError, TreeError
from ...core.living import Guarded
from ...core.modes import modes
from ...core.node import next_number
from ...core.primitive import Parents, Product, Terms, Values
from ...core.trees import Tree, flatten
from ...ops.stopping import stop_gradient
from ...tape.tensor import Tensor
from ..batch import to_front
from ..custom import Custom, is_array, unchanged, without_own_tape
from .context import Context


class Info(NamedTuple):
    """What `vmap` rules are told of the batch."""

    batch_size: int
    randomness: str = "error"


class Finished(NamedTuple):
    """One run of `forward`."""

    xs: Values  # the operands
    given: list[Any]  # what stood for them in its arguments
    outs: list[Any]  # its results as it returned them
    ctx: Context


class Passed(NamedTuple):
    """What stays known of an operand, whose value the graph keeps, and lets go of when freed."""

    shape: tuple[int, ...]
    level: float | None  # of a tensor
    carries: bool


class Call:
    """One call: the operands among its arguments, and what `forward` left for the rules."""

    def __init__(self, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.cls = cls
        arguments = [*args, *kwargs.values()]
        self.keywords = list(kwargs)
        parts = [flatten(a, none_is_leaf=True) for a in arguments]
        self.trees = [tree for _, tree in parts]
        self.leaves = [x for leaves, _ in parts for x in leaves]
        self.places = [k for k, x in enumerate(self.leaves) if is_array(x)]
        self.passed: dict[int, Passed] = {}  # by place
        self.structure: tuple[Tree, list[Any], list[int]] | None = None  # of the results
        self.avals: list[Aval] = []
        self.finished: Finished | None = None

    @property
    def name(self) -> str:
        name: str = self.cls.__name__
        return name

    def run(self) -> Any:
        """The results, recorded on whatever tracers are among the operands."""
        callers = [self.leaves[k] for k in self.places]
        operands = [x if hasattr(x, "dtype") else np.asarray(x)[()] for x in callers]
        for k, x, value in zip(self.places, callers, operands, strict=True):
            level = x.level if isinstance(x, Tensor) else None
            self.passed[k] = Passed(value.shape, level, isinstance(x, Tracer) and x.carries())
            self.leaves[k] = None
        primitive = Applied(self)
        outs: list[Any] = list(primitive(*operands))
        done, (tree, others, places) = self.finished, self.structure  # type: ignore[misc]
        raw = done.outs  # type: ignore[union-attr]
        ctx = done.ctx  # type: ignore[union-attr]
        constant = {id(x) for x in ctx._constant}
        results = list(others)
        for place, y, one in zip(places, outs, raw, strict=True):
            if y.dtype.kind not in "fc":
                y = constant_of(y)
            elif id(one) in constant:
                y = stop_gradient(y)
            results[place] = y
        for x in ctx._dirty:
            self.write_back(x, results, places, callers)
        return tree.build(results)

    def write_back(self, x: Any, results: list[Any], places: list[int], callers: list[Any]) -> None:
        """Move the caller's handle of a dirty input on to the result that it became."""
        done: Finished = self.finished  # type: ignore[assignment]
        index = next((k for k, g in enumerate(done.given) if g is x), None)
        found = next((p for p, y in zip(places, done.outs, strict=True) if y is x), None)
        if index is None or found is None:
            raise GradientError(
                f"{self.name}: ctx.mark_dirty takes inputs that forward writes to and returns, and "
                f"got a value that is {'no input' if index is None else 'not returned'}; return x "
                "itself"
            )
        caller = callers[index]
        new = results[found]
        if isinstance(caller, Tracer):
            caller.overwrite(new)  # type: ignore[attr-defined]
        elif isinstance(new, Tracer):
            new.refuse(
                f"{self.name} writes into a plain array", "pass it as a tensor, qd.tensor(x)"
            )
        else:
            np.copyto(caller, new)
        results[found] = caller

    def let_go(self) -> None:
        """Forget what `forward` left; a later sweep would run it again."""
        self.finished = None

    # The run of forward

    def compute(self, *xs: Value) -> tuple[Value, ...]:
        """The results that are arrays, flat."""
        start = next_number()
        given = [self.presented(k, x) for k, x in zip(self.places, xs, strict=True)]
        raw, ctx = self.forward(given)
        for k, x in zip(self.places, given, strict=True):
            if isinstance(x, Tensor) and x.version and all(x is not d for d in ctx._dirty):
                raise GradientError(
                    f"{self.name}: forward wrote into {self.path(k)}, which the caller would not "
                    "see; call ctx.mark_dirty(x) and return x, or write into a copy"
                )
        leaves, tree = flatten(raw, none_is_leaf=True)
        places = [k for k, y in enumerate(leaves) if is_result(y)]
        outs = [leaves[k] for k in places]
        self.finished = Finished(xs, given, outs, ctx)
        for k in places:
            leaves[k] = None
        self.structure = tree, leaves, places
        found = tuple(lasting(without_own_tape(y, start)) for y in outs)
        self.avals = [aval_of(y) for y in found]
        return found

    def presented(self, place: int, x: Value) -> Any:
        """An operand as `forward` meets it: a tensor where the caller passed one, unrecorded."""
        if isinstance(x, Tracer):
            return snapshot(x)
        level = self.passed[place].level
        if level is not None:
            return Tensor.make(x, None, level)
        return x.copy() if isinstance(x, np.ndarray) else x

    def forward(self, given: list[Any]) -> tuple[Any, Context]:
        """The user's `forward`, and the context that it filled."""
        args, kwargs = self.filled(given)
        ctx = Context(self.needs([self.passed[k].carries for k in self.places]))
        if self.cls.setup_context is None:
            return self.cls.forward(ctx, *args, **kwargs), ctx
        result = self.cls.forward(*args, **kwargs)
        self.cls.setup_context(ctx, (*args, *kwargs.values()), result)
        return result, ctx

    def filled(self, given: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with these in place of the operands."""
        leaves = list(self.leaves)
        for k, x in zip(self.places, given, strict=True):
            leaves[k] = x
        built = self.rebuilt(leaves)
        count = len(built) - len(self.keywords)
        return built[:count], dict(zip(self.keywords, built[count:], strict=True))

    def needs(self, wanted: Sequence[bool]) -> tuple[bool, ...]:
        """For each argument whether any of its operands is wanted."""
        flags = [False] * len(self.leaves)
        for k, w in zip(self.places, wanted, strict=True):
            flags[k] = bool(w)
        return tuple(any(part) for part in self.by_argument(flags))

    def by_argument(self, leaves: Sequence[Any]) -> list[Sequence[Any]]:
        """A list over the leaves of all arguments, cut into one for each argument."""
        ends = list(itertools.accumulate(tree.count for tree in self.trees))
        return [leaves[end - tree.count : end] for tree, end in zip(self.trees, ends, strict=True)]

    def rebuilt(self, leaves: Sequence[Any]) -> list[Any]:
        """The arguments, nested as they were, from a list over their leaves."""
        parts = zip(self.trees, self.by_argument(leaves), strict=True)
        return [tree.build(part) for tree, part in parts]

    def path(self, place: int) -> str:
        """What messages call a leaf of the arguments."""
        for n, tree in enumerate(self.trees):
            if place < tree.count:
                first = len(self.trees) - len(self.keywords)
                name = f"argument {n}" if n < first else f"argument {self.keywords[n - first]!r}"
                return name + tree.paths[place]
            place -= tree.count
        raise IndexError(place)

    # The derivative rules

    def context(self, xs: Values, out: Sequence[Value] | None) -> Context:
        """What `forward` left, for these operands."""
        if self.finished is None:  # let go when another record of this call was freed
            self.compute(*xs)
        done: Finished = self.finished  # type: ignore[assignment]
        if all(map(unchanged, xs, done.xs)):
            return done.ctx
        same = list(map(np.shape, xs)) == list(map(np.shape, done.xs))
        same = same and not is_for_types(done.xs, xs)
        known = {id(g) for g in done.given} | {id(y) for y in done.outs}
        if not same or not all(id(x) in known for x in done.ctx.kept()):
            try:
                self.compute(*xs)
            except DetachError as error:
                raise GradientError(
                    f"{self.name}: forward saved a value that is neither an input nor a result, "
                    "and cannot be run again to differentiate it, since it leaves the graph "
                    f"({error}); save inputs and results only, and compute from them in backward"
                ) from error
            finally:
                again, self.finished = self.finished, done
            done = again  # type: ignore[assignment]
        results = self.results(xs) if out is None else out
        instead = {id(g): x for g, x in zip(done.given, xs, strict=True)}
        instead |= {id(y): z for y, z in zip(done.outs, results, strict=True)}
        return done.ctx.moved(instead)

    def results(self, xs: Values) -> Sequence[Value]:
        """The results once more, as a call of their own."""
        found: Sequence[Value] = Applied(copy.copy(self))(*xs)
        return found

    def back(
        self, xs: Values, out: Sequence[Value] | None, cts: Terms, wanted: Sequence[bool]
    ) -> list[Value | None]:
        """The user's `backward`, its answer checked and flat."""
        ctx = self.context(xs, out).asking(self.needs(wanted))
        answer = self.cls.backward(ctx, *self.cotangents(cts, ctx._materialize))
        entries = list(answer) if isinstance(answer, tuple | list) else [answer]
        while len(entries) > len(self.trees) and entries[-1] is None:
            entries.pop()
        if len(entries) != len(self.trees):
            raise TreeError(
                f"{self.name}: backward returned {len(entries)} cotangents and apply was given "
                f"{len(self.trees)} arguments; return one for each, None for zero"
            )
        flat: list[Any] = []
        for n, (entry, tree) in enumerate(zip(entries, self.trees, strict=True)):
            flat.extend(self.fitting(n, entry, tree, len(flat)))
        return [
            None if c is None or not w else conjugated(plain(c))
            for c, w in zip((flat[k] for k in self.places), wanted, strict=True)
        ]

    def back_alone(self, xs: Values, cts: Values) -> list[Value | None]:
        """`back` for all operands, where the results are not known."""
        return self.back(xs, None, cts, [True] * len(xs))

    def fitting(self, n: int, entry: Any, tree: Tree, start: int) -> list[Any]:
        """The cotangent of one argument as a list over its leaves."""
        if entry is None:
            return [None] * tree.count
        found, entry_tree = flatten(entry, none_is_leaf=True)
        if len(found) != tree.count:
            raise TreeError(
                f"{self.name}: backward returned the cotangent {entry_tree} for "
                f"{self.path(start)}, which is nested as {tree}; both must be nested alike"
            )
        for k, c in enumerate(found, start):
            known = self.passed.get(k)
            if c is not None and known is not None and not spans(np.shape(c), known.shape):
                raise ShapeError(
                    f"{self.name}: backward returned a cotangent of shape {np.shape(c)} for "
                    f"{self.path(k)} of shape {known.shape}; both must be equal"
                )
        return found

    def cotangents(self, cts: Terms, materialize: bool) -> list[Any]:
        """What `backward` is given: one for each result, conjugated into torch's convention."""
        tree, others, places = self.structure  # type: ignore[misc]
        leaves: list[Any] = [None] * len(others)
        for place, c, aval in zip(places, cts, self.avals, strict=True):
            if aval.dtype.kind not in "fc":
                continue
            if c is None and materialize:
                c = np.zeros(aval.shape, aval.dtype)
            leaves[place] = None if c is None else self.shown(conjugated(c))
        built = tree.build(leaves)
        return list(built) if isinstance(built, tuple) else [built]

    def shown(self, x: Value) -> Any:
        """A value as the rules meet it: a tensor where the caller passed tensors."""
        levels = [p.level for p in self.passed.values() if p.level is not None]
        return x if isinstance(x, Tracer) or not levels else Tensor.make(x, None, max(levels))

    def ahead(self, xs: Values, out: Sequence[Value] | None, dxs: Terms) -> list[Value]:
        """The user's `jvp`, its answer checked and flat."""
        wanted = [dx is not None for dx in dxs]
        ctx = self.context(xs, out).asking(self.needs(wanted), ahead=True)
        leaves: list[Any] = [None] * len(self.leaves)
        for k, dx, x in zip(self.places, dxs, xs, strict=True):
            if dx is None and ctx._materialize:
                dx = np.zeros(np.shape(x), x.dtype)
            leaves[k] = None if dx is None else self.shown(dx)
        answer = self.cls.jvp(ctx, *self.rebuilt(leaves))
        tree, others, places = self.structure  # type: ignore[misc]
        found, answer_tree = flatten(answer, none_is_leaf=True)
        if len(found) != len(others):
            raise TreeError(
                f"{self.name}: jvp returned the tangent {answer_tree} of a result nested as "
                f"{tree}; both must be nested alike"
            )
        lines: list[Value] = []
        for place, aval in zip(places, self.avals, strict=True):
            line = found[place]
            line = np.zeros(aval.shape, aval.dtype) if line is None else plain(line)
            if np.shape(line) != aval.shape:
                raise ShapeError(
                    f"{self.name}: jvp returned a tangent of shape {np.shape(line)} for "
                    f"result{tree.paths[place]} of shape {aval.shape}; both must be equal"
                )
            lines.append(line)
        return lines

    def ahead_alone(self, xs: Values, dxs: Values) -> list[Value]:
        """`ahead` where the results are not known."""
        return self.ahead(xs, None, dxs)

    def batched(self, size: int, mapped: Sequence[bool], xs: Values) -> tuple[Value, ...]:
        """The user's `vmap`: the results with their batch axis in front."""
        axes: list[Any] = [None] * len(self.leaves)
        for k, m in zip(self.places, mapped, strict=True):
            axes[k] = 0 if m else None
        in_dims = tuple(self.rebuilt(axes))
        args, kwargs = self.filled(xs)
        answer = self.cls.vmap(Info(size), in_dims, *args, **kwargs)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TreeError(
                f"{self.name}: vmap must return (results, out_dims), and it returned "
                f"{type(answer).__name__}"
            )
        leaves, tree = flatten(answer[0], none_is_leaf=True)
        dims, _ = flatten(answer[1], none_is_leaf=True)
        if len(dims) == 1:
            dims *= len(leaves)
        if len(dims) != len(leaves):
            raise TreeError(
                f"{self.name}: vmap returned {len(leaves)} results and {len(dims)} out_dims; give "
                "one for each, None for a result without a batch axis"
            )
        places = [k for k, y in enumerate(leaves) if is_result(y)]
        outs = [
            np.broadcast_to(leaves[k], (size, *np.shape(leaves[k])))
            if dims[k] is None
            else to_front(leaves[k], dims[k])
            for k in places
        ]
        self.structure = tree, [None if k in places else y for k, y in enumerate(leaves)], places
        self.avals = [Aval(a.shape[1:], a.dtype) for a in map(aval_of, outs)]
        self.finished = Finished(xs, list(xs), [None] * len(outs), Context(()))
        return tuple(outs)


def is_for_types(earlier: Values, xs: Values) -> bool:
    """Whether a run on `earlier` found no more than types, for operands that a trace does not know
    yet: what it computed beside results is not theirs.
    """
    if modes.recording is None:
        return False
    is_symbolic = modes.recording.is_symbolic
    return any(map(is_symbolic, xs)) and not any(map(is_symbolic, earlier))


def constant_of(y: Value) -> Value:
    """A result that has no derivative, without the tracers to which it is a constant."""
    y = stop_gradient(y)
    while isinstance(y, Tracer):
        value = y.if_constant()
        if value is None:
            break
        y = value
    return y


def is_result(y: Any) -> bool:
    """Whether a leaf of what `forward` returned is computed: an array of any numbers, not only of
    those that have a derivative.
    """
    dtype = getattr(y, "dtype", None)
    return is_array(y) or (dtype is not None and dtype.kind in "iub")


def plain(x: Any) -> Value:
    """An answer of a rule as a value: a tensor without a graph is its array."""
    if not (isinstance(x, Tensor) and x.node is None):
        return lasting(x)
    while isinstance(x, Tensor) and x.node is None:
        x = x.value
    return x


def spans(wide: tuple[int, ...], narrow: tuple[int, ...]) -> bool:
    """Whether a cotangent of shape `wide` can be summed to shape `narrow`."""
    pairs = zip(reversed(wide), reversed(narrow), strict=False)
    return len(narrow) <= len(wide) and all(n in (1, w) for w, n in pairs)


class Applied(Custom):
    """The primitive that one call of a `Function` is."""

    keeps_out = True

    def __init__(self, call: Call) -> None:
        has_back, has_ahead = call.cls.backward is not None, call.cls.jvp is not None
        super().__init__(
            call.name,
            call.compute,
            call.back_alone if has_back else None,
            call.ahead_alone if has_ahead else None,
            call.let_go,
        )
        self.call = call

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if self.back is None:
            found = super().pull(ct, out, xs, parents, product)
            return [None if c is None else plain(c) for c in found]
        return self.call.back(xs, out, ct, [p is not None for p in parents])

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        if self.ahead is None:
            changes: Any = super().push(out, xs, dxs, product)
            return tuple(map(plain, changes))
        return tuple(self.call.ahead(xs, out, dxs))

    def guarded(self, live: Any, xs: Sequence[Any]) -> Guarded | None:
        return None  # how its `forward` loops is its own affair, as is its `vmap`

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        if self.call.cls.vmap is not None:
            return self.call.batched(size, mapped, xs)
        return super().batch(size, mapped, xs)
