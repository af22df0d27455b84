"""The one backward sweep: `Tensor.backward`, `grad` over values, `vjp` and the turning of a
tangent statement all come here.

Equations are visited from the youngest to the oldest, each once, when every term of its
cotangent has arrived; a value that was used many times has by then summed them all.  There is no
recursion, so depth is no limit.

Masks.  A lane that `where` (or an index, a clip, a maximum) did not choose contributes nothing,
even where its slope is infinite or NaN.  Carrying masks costs, so the sweep first runs without.
If a NaN arrives, it runs again with them: then each cotangent travels with the lanes that the
outputs depend on (`Primitive.reach` passes them on), and only those are multiplied by slopes.  A
NaN that the outputs do depend on stays a NaN.

A sweep that is itself differentiated multiplies by `product`, which for that purpose remembers
that a lane whose cotangent is zero does not depend on its slope (`ops.arithmetic.Weigh`).
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush, heapreplace
from typing import Any

import numpy as np

from .avals import Value
from .dispatch import Tracer
from .errors import FreedError
from .gathering import Gather
from .modes import modes
from .node import Equation, Freed, Group, Node, place_of
from .roles import COTANGENT, give_role, mark

MANY = 256  # elements, from which on a product by ones is quicker than NumPy's sum

Wrap = Callable[[Value, Node], Value]
Product = Callable[[Value, Value], Value]
Masks = dict[int, Value | None]  # the live lanes of a node, by its number; None for all
Lanes = Sequence[Value | None]
Terms = Sequence[Value | None]


def sweep(
    seeds: Iterable[tuple[Node, Value]],
    *,
    wanted: Collection[Node] | None = None,
    needed: Collection[Node] | None = None,
    wrap: Wrap | None = None,
    after: Callable[[Sweep], None] | None = None,
    product: Product = operator.mul,
    quiet: Collection[Node] = (),
    gather: Gather | None = None,
    alive: Lanes | None = None,
) -> dict[Node, Value]:
    """The cotangents of the `wanted` nodes (None: of every leaf), and of nodes that retain theirs.

    `seeds` are the outputs with their cotangents, `needed` the nodes that lead to what is wanted
    (None: all), `wrap` gives kept values back their place in the graph so that the sweep is
    itself recorded, and `after` is called with the finished sweep, to check and to free.
    `product` multiplies cotangents by slopes.  The sweep ends at the `quiet` nodes, among the
    wanted, whose hooks do not run: another sweep goes on from them.
    `gather` makes one cotangent of several terms (None: their sum).  `alive` are the live lanes of
    each seed, for a sweep with masks (None: those that are not zero).
    """
    run = Sweep(list(seeds), wanted, needed, wrap, product, quiet, gather)
    with np.errstate(all="ignore"):
        try:
            results = run({} if modes.masking else None, alive)
        except HookMeetsNaNError:
            results = run({}, alive)
        else:
            if any(map(has_nan, results.values())) or (
                any(map(is_unseen, results.values())) and run.may_need_masks()
            ):
                results = run({}, alive)
        for group, cts_of_group in run.met.values():
            group.finished(cts_of_group)
    if modes.tracing:
        modes.selects = modes.selects or run.may_need_masks()
    if after is not None:
        after(run)
    return results


class HookMeetsNaNError(Exception):
    """A plain sweep has come to a hook with a NaN, which masks may yet take away."""


class Sweep:
    """One sweep, which may run twice: plainly, and with masks."""

    def __init__(
        self,
        seeds: list[tuple[Node, Value]],
        wanted: Collection[Node] | None,
        needed: Collection[Node] | None = None,
        wrap: Wrap | None = None,
        product: Product = operator.mul,
        quiet: Collection[Node] = (),
        gather: Gather | None = None,
    ) -> None:
        self.seeds = seeds
        self.gather = gather
        self.quiet = quiet
        self.wanted = wanted
        self.needed = needed
        self.wrap = wrap
        self.product = product
        self.visited: list[Equation] = []
        self.noted: list[Node] = []
        self.hooked: dict[Any, Any] = {}  # what hooks made of a cotangent: they run once only
        self.met: dict[int, tuple[Group, dict[Node, Value]]] = {}

    def __call__(self, masks: Masks | None, alive: Lanes | None = None) -> dict[Node, Value]:
        """Sweep; `masks` is None for the plain run, else the table of live lanes to fill.

        `alive` are the live lanes of each seed (None: those that are not zero).
        """
        visited: list[Equation] = []
        self.visited = visited
        self.noted = []
        results: dict[Node, Value] = {}
        is_sum = self.gather is None
        cts: dict[int, Value] = {} if self.gather is None else self.gather.table()
        heap: list[tuple[int, Node]] = []
        product = self.product
        for k, (node, seed) in enumerate(self.seeds):
            ct = fit(seed, node)
            if masks is not None:
                add_mask(masks, node.number, nonzero(ct) if alive is None else alive[k])
            number = node.number
            if number in cts:
                cts[number] = cts[number] + ct
            else:
                cts[number] = ct
                heappush(heap, (-number, node))
        recorded = None if modes.recording is None else modes.recording.equations
        before = 0 if recorded is None else len(recorded)
        is_bare = self.needed is None and self.wrap is None and masks is None and recorded is None
        is_plain = is_bare and (  # so that equations without notes are asked nothing
            self.wanted is None or not any(isinstance(n, Equation) for n in self.wanted)
        )
        following: Node | None = None  # a parent that may well come next, as in a chain
        following_ct: Value = None
        while True:
            if following is None:
                if not heap:
                    return results
                node = heappop(heap)[1]
                ct = cts.pop(node.number)
            elif not heap or following.number > -heap[0][0]:
                node, ct = following, following_ct
            else:
                cts[following.number] = following_ct
                node = heapreplace(heap, (-following.number, following))[1]
                ct = cts.pop(node.number)
            following = None
            if (
                is_plain
                and node.notes is None
                and isinstance(node, Equation)
                and type(node.operands) is tuple
            ):
                visited.append(node)
                parents = node.parents
                grads = node.primitive.pull(ct, node.out, node.operands, parents, product)
            else:
                parents, grads = self.visit(node, ct, masks, results)
            shape = node.shape
            for parent, g in zip(parents, grads):
                if g is None or parent is None:
                    continue
                if g.dtype is not parent.dtype or (
                    parent.shape is not shape and g.shape != parent.shape
                ):  # the short roads share one shape, and reading g's is slow
                    g = fit(g, parent)
                number = parent.number
                if number in cts:
                    cts[number] = cts[number] + g
                elif following is None and is_sum:
                    following, following_ct = parent, g
                elif parent is following:
                    following_ct = following_ct + g
                else:
                    cts[number] = g
                    heappush(heap, (-number, parent))
            if recorded is not None and isinstance(node, Equation):
                # in a trace the user's line is that of the operation
                for made in recorded[before:]:
                    made.code, made.offset = node.code, node.offset
                give_role(recorded[before:], COTANGENT)
                before = len(recorded)

    def visit(
        self, node: Node, ct: Value, masks: Masks | None, results: dict[Node, Value]
    ) -> tuple[tuple[Node | None, ...], Terms]:
        """Apply a node's rule, with all that may be asked of it besides: the parents that its
        cotangents are for, and those; none where the sweep ends here.
        """
        wanted, needed, wrap = self.wanted, self.needed, self.wrap
        notes = node.notes
        if notes is not None and node not in self.quiet:
            self.noted.append(node)
            if masks is None and notes.are_called and has_nan(ct):
                raise HookMeetsNaNError
            ct = self.run_hooks(node, ct)
            if notes.retains:
                results[node] = ct
            if notes.groups:
                self.tell_groups(node, ct)
        if not isinstance(node, Equation):
            if wanted is None or node in wanted:
                results[node] = ct
            return (), ()
        if wanted is not None and node in wanted:
            results[node] = ct
            if node in self.quiet:
                return (), ()
        parents = node.parents
        if needed is not None:
            if node not in needed:
                return (), ()
            parents = tuple([p if p in needed else None for p in parents])
            if parents.count(None) == len(parents):
                return (), ()  # wanted itself, and nothing behind it: its rule has nothing to do
        xs: Any = node.operands
        out = node.out
        if type(xs) is not tuple:
            if isinstance(xs, Freed):
                raise freed_error(node, xs)
            xs, out = xs.restore(node)
        if notes is not None and notes.before:
            ct = self.run_before(node, ct)
        if wrap is not None:
            xs = tuple([rewrap(x, p, wrap) for x, p in zip(xs, node.parents, strict=True)])
            out = None if out is None else wrap(out, node)
        self.visited.append(node)
        if modes.recording is not None:
            mark(ct, node)
        product, mask = self.product, None
        if masks is not None:
            mask = masks.pop(node.number)
            product = product if mask is None else Masked(mask, product)
        grads = node.primitive.pull(ct, out, xs, parents, product)
        if masks is not None:
            grads = pass_masks(masks, mask, node, xs, out, parents, grads)
        if notes is not None and notes.after:
            if masks is None and any(map(has_nan, grads)):
                raise HookMeetsNaNError
            grads = self.run_after(node, ct, grads)
        return parents, grads

    def may_need_masks(self) -> bool:
        """Whether lanes were dropped that may have had a slope that is not finite.

        What a slice drops counts only where slopes can be infinite at finite operands.
        """
        if any(e.primitive.is_selection for e in self.visited):
            return True
        slices = any(e.primitive.is_view for e in self.visited)
        return slices and not all(map(is_tame, self.visited))

    def run_hooks(self, node: Node, ct: Value) -> Value:
        """Let the node's hooks see, and perhaps replace, its cotangent: once a sweep."""
        if node.number in self.hooked:
            return self.hooked[node.number]
        for hook in list(node.noted().hooks.values()):
            ct = fit(hook(ct), node)
        self.hooked[node.number] = ct
        return ct

    def run_before(self, node: Node, ct: Value) -> Value:
        """Let hooks see, and perhaps replace, the cotangents that the rule is about to be given."""
        key = node.number, "before"
        if key not in self.hooked:
            cts = tuple(ct) if node.is_several else (ct,)
            for hook in list(node.noted().before.values()):
                cts = hook(cts)
            self.hooked[key] = type(ct)(cts) if node.is_several else cts[0]
        return self.hooked[key]

    def run_after(self, node: Node, ct: Value, grads: Terms) -> Terms:
        """Let hooks see what the rule was given, and see and perhaps replace what it returned."""
        key = node.number, "after"
        if key not in self.hooked:
            cts = tuple(ct) if node.is_several else (ct,)
            for hook in list(node.noted().after.values()):
                grads = hook(tuple(grads), cts)
            self.hooked[key] = grads
        found: Terms = self.hooked[key]
        return found

    def tell_groups(self, node: Node, ct: Value) -> None:
        """Tell the groups that a node belongs to of its cotangent."""
        for key, group in list(node.noted().groups.items()):
            _, cts = self.met.setdefault(key, (group, {}))
            if node not in cts:
                cts[node] = ct
                group.arrived(cts)


def is_tame(node: Equation) -> bool:
    """Whether an equation has finite slopes at finite operands, large ones included."""
    if node.primitive.name == "power":
        exponent = node.operands[1]  # type: ignore[index]
        return isinstance(exponent, int) and exponent > 0
    return node.primitive.is_tame


class Masked:
    """The product that leaves dropped lanes at zero, whatever their slope."""

    __slots__ = ("mask", "product")

    def __init__(self, mask: Value, product: Product) -> None:
        self.mask = mask
        self.product = product

    def __call__(self, ct: Value, slope: Value) -> Value:
        return np.where(self.mask, self.product(ct, slope), 0.0)


def unmasked(product: Product) -> Product:
    """The product that a masked one stands before."""
    return product.product if isinstance(product, Masked) else product


def pass_masks(
    masks: Masks,
    mask: Value | None,
    node: Equation,
    xs: Any,
    out: Value,
    parents: Any,
    grads: Any,
) -> list[Value | None]:
    """Tell each parent which of its lanes this equation's live lanes depend on.

    Returns the cotangents with nothing in the other lanes.
    """
    if mask is None and node.shape is None:
        return list(grads)
    alive = np.ones(node.shape, bool) if mask is None else mask
    reached = node.primitive.reach(alive, out, xs, parents)
    kept: list[Value | None] = []
    for parent, lanes, g in zip(parents, reached, grads, strict=True):
        if parent is not None and g is not None:
            add_mask(masks, parent.number, lanes)
            if lanes is not None and parent.shape is not None:
                g = np.where(lanes, fit(g, parent), np.zeros((), parent.dtype))
        kept.append(g)
    return kept


def add_mask(masks: Masks, number: int, lanes: Value | None) -> None:
    """A lane is alive when any term of its cotangent is; None means that all lanes are."""
    if number in masks and lanes is not None:
        known = masks[number]
        lanes = None if known is None else either(known, lanes)
    masks[number] = lanes


def either(a: Value, b: Value) -> Value:
    """The union of two masks; where there are several results (None: no lane), of each."""
    if isinstance(a, tuple):
        pairs = zip(a, b, strict=True)
        return tuple(y if x is None else x if y is None else x | y for x, y in pairs)
    return a | b


def nonzero(ct: Value) -> Value | None:
    """The lanes of a seed that were asked for, or None for all."""
    if getattr(ct, "shape", None) is None:
        return None
    lanes = ct != 0
    return lanes if isinstance(lanes, Tracer) or not np.all(lanes) else None


def rewrap(x: Value, parent: Node | None, wrap: Wrap) -> Value:
    """Give a kept operand back its place in the graph."""
    return x if parent is None or x is parent else wrap(x, parent)


def fit(g: Value, node: Any) -> Value:
    """Bring a cotangent to the shape and dtype of its value: the one place that un-broadcasts."""
    shape, dtype = node.shape, node.dtype
    if shape is None:
        return g
    given = getattr(g, "shape", ())
    if given != shape:
        if len(given) < len(shape):
            given = (1,) * (len(shape) - len(given)) + given
            g = np.reshape(g, given)
        lead = len(given) - len(shape)
        ones = tuple(k for k, n in enumerate(shape, lead) if n == 1 != given[k])
        axes = (*range(lead), *ones)
        if is_many(g) and axes == tuple(range(len(axes))):
            g = by_product(g, len(axes)).reshape((1,) * len(ones) + given[len(axes) :])
        elif axes:
            total = np.sum if isinstance(g, Tracer) else np.add.reduce  # the latter has less to do
            if ones:
                g = total(g, axis=ones, keepdims=True)
            if lead:
                g = total(g, axis=tuple(range(lead)))
        if g.shape != shape:
            g = np.broadcast_to(g, shape)
    given_dtype = np.result_type(g) if not hasattr(g, "dtype") else g.dtype
    if given_dtype != dtype:
        if given_dtype.kind == "c" and dtype.kind != "c":
            g = np.real(g)
        g = g.astype(dtype) if hasattr(g, "astype") else dtype.type(g)
    return g


def is_many(g: Value) -> bool:
    """Whether this is an array that has more than a few elements, which lie in order."""
    return (
        type(g) is np.ndarray and g.size >= MANY and g.dtype.char in "fdFD" and g.flags.c_contiguous
    )


def by_product(g: np.ndarray[Any, Any], count: int) -> Value:
    """The sum over the first axes, `count` of them, as a flat array.

    As a product by ones: BLAS takes a half of the time of NumPy's sum over the first axis, an
    eighth for many short rows, and its error is no larger.
    """
    rows = g.reshape(math.prod(g.shape[:count]), -1)
    if rows.shape[1] == 1:
        return np.add.reduce(rows, axis=(0,))  # quicker, and in pairs
    return np.ones(len(rows), g.dtype).dot(rows)


def has_nan(x: Value) -> bool:
    """Whether a value has a NaN anywhere, seen through all tracers."""
    if isinstance(x, Tracer):
        return x.holds_nan() or any(map(has_nan, x.parts()))
    if isinstance(x, np.ndarray):
        if x.dtype.kind == "c":
            return bool(np.isnan(x).any())
        flat = x.ravel("K")  # as it lies in memory: a view
        total = flat.dot(flat)  # one pass and no temporary; inf times inf is no NaN
        return bool(total != total)
    return bool(x != x)


def is_finite(x: Value) -> bool:
    """Whether a value is known to have neither NaN nor infinity; False where that takes more than
    one pass to know.
    """
    if isinstance(x, float):
        return math.isfinite(x)
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
        return False
    flat = x.ravel("K")
    return cmath.isfinite(flat.dot(flat))


def is_unseen(x: Value) -> bool:
    """Whether a value is there only when it is asked for, so that a NaN cannot be looked for."""
    return isinstance(x, Tracer) and (x.is_unseen() or any(map(is_unseen, x.parts())))


def freed_error(node: Equation, freed: Freed) -> FreedError:
    """The error for a second sweep over what a first one freed."""
    made = place_of(node)[0] or node  # of one of several results: what gave them all
    return FreedError(
        f"backward: the values kept for {made.name()} at {node.line} were freed by the "
        f"backward call at {freed.line}; pass retain_graph=True to that call to sweep twice"
    )
