"""Reverse mode: run the function once on recording tensors, then sweep back from its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arriving import VALUES, arrived, at_home, check_class, native
from ..core.avals import Value, aval_of, is_inexact
from ..core.complexes import check_real, conjugated
from ..core.errors import DtypeError, MutationError, ShapeError, TreeError
from ..core.modes import Resumed, Running, new_level
from ..core.node import Leaf, Node
from ..core.sweep import Product, sweep
from ..core.trees import flatten, match
from ..tape.backward import check_guards
from ..tape.operators import product_below
from ..tape.tensor import Tensor
from .calling import run
from .entering import entering
from .results import copied, handed_out, number, owned


def as_primal(x: Any, name: str, path: str = "") -> Value:
    """An input to differentiate by: a float or complex array, scalar or tracer."""
    if isinstance(x, VALUES):
        check_class(x)
        value = native(x)
    elif isinstance(x, float | complex):
        value = np.result_type(x).type(x)
    elif isinstance(x, int) and not isinstance(x, bool):
        value = np.float64(x)
    elif x is None or isinstance(x, str | bytes | bool) or callable(x):
        instead = (
            "mark the field of the dataclass, field(metadata={'static': True})"
            if "." in path
            else "choose the arguments to differentiate with argnums or argnames"
        )
        raise DtypeError(
            f"{name}: argument{path} is {type(x).__name__} {x!r}, which has no derivative; "
            f"{instead}"
        )
    else:
        value = arrived(x)
        if value.dtype.kind == "O":
            raise DtypeError(
                f"{name}: argument{path} is {type(x).__name__}, which is neither numbers nor a "
                "container that is known; make it a dataclass, register its class with "
                "optree.register_pytree_node, or pass its values"
            )
    if not is_inexact(value.dtype):
        raise DtypeError(
            f"{name}: argument{path} is {aval_of(value)}, and derivatives exist with respect to "
            "float or complex values only; convert it with .astype(float), or leave it out with "
            "argnums"
        )
    return value


class Run:
    """A finished forward run on recording tensors."""

    __slots__ = ("leaves", "level", "primals", "result")

    def __init__(
        self, result: Any, primals: Sequence[Value], leaves: list[Leaf], level: float
    ) -> None:
        self.result = result
        self.primals = primals
        self.leaves = leaves  # the nodes of the inputs
        self.level = level

    def cotangents(
        self, nodes: Sequence[Node | None], cts: Sequence[Value | None], product: Product
    ) -> list[Value]:
        """The cotangent of each input, given those of the outputs (inner convention)."""
        seeds = [
            (node, ct)
            for node, ct in zip(nodes, cts, strict=True)
            if node is not None and ct is not None
        ]
        with Resumed(self.level):
            found = sweep(seeds, wanted=set(self.leaves), product=product, after=check_guards)
        return [
            found[leaf] if leaf in found else zeros_like(x)
            for leaf, x in zip(self.leaves, self.primals, strict=True)
        ]


def record_run(
    f: Callable[..., Any], primals: Sequence[Value], rebuild: Callable[[list[Any]], Any]
) -> Run:
    """Run `f` on tensors of a new level; `rebuild` makes its (args, kwargs) from the tensors.

    The primals are such as `entering` gives.
    """
    level = new_level()
    leaves = [Leaf(tuple(x.shape), x.dtype) for x in primals]
    tensors = [Tensor.make(x, leaf, level) for x, leaf in zip(primals, leaves, strict=True)]
    with Running(level):
        return Run(run(f, tensors, rebuild, primals), primals, leaves, level)


def zeros_like(x: Value) -> Value:
    """The derivative that is zero, of a value: of another library where that is."""
    return at_home(np.zeros(tuple(x.shape), x.dtype), x)


def lower(x: Any, level: float) -> tuple[Value, Node | None]:
    """An output as its value below `level`, and its place in the graph of that level."""
    node: Node | None = None
    while isinstance(x, Tensor) and x.level >= level:
        if x.level == level:
            node = x.node
        x = x.value
    return x, node


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `f(*primals)` and its pullback, which maps a cotangent of the result to a
    tuple of cotangents, one for each of `primals` (each shaped like it).

    For y = f(x) with Jacobian J the pullback is ct -> J^T ct; for complex values torch's
    convention holds, J^H ct.  With `has_aux`, `f` returns (y, aux) and so `(y, pullback, aux)`
    comes back.

    >>> y, pullback = vjp(lambda x: x**2, 3.0)
    >>> float(y), [float(g) for g in pullback(1.0)]
    (9.0, [6.0])
    """
    leaves, tree = flatten(primals)
    values = [as_primal(x, "vjp", path) for x, path in zip(leaves, tree.paths, strict=True)]
    values, guards = entering(values)
    run = record_run(f, values, lambda tensors: (tree.build(tensors), {}))
    result, aux = split_aux("vjp", run.result) if has_aux else (run.result, None)
    outputs, out_tree = flatten(result)
    lowered = [lower(y, run.level) for y in outputs]
    value = out_tree.build(map(number, copied(v for v, _ in lowered)))
    product = product_below([v for v, _ in lowered])

    def pullback(ct: Any) -> Any:
        """Cotangents of the primals from the cotangent of the result."""
        if any(guard.is_broken() for guard in guards):
            raise MutationError(
                "pullback: an argument of vjp was changed after the call that recorded it; pass "
                "a copy, np.array(x), or change it after the pullback"
            )
        given = match(out_tree, ct, "pullback")
        cts = [
            as_cotangent(c, v, path)
            for c, (v, _), path in zip(given, lowered, out_tree.paths, strict=True)
        ]
        found = run.cotangents([node for _, node in lowered], cts, product)
        return tree.build(owned(map(conjugated, found), cts))

    return (value, pullback, strip(aux, run.level)) if has_aux else (value, pullback)


def as_cotangent(ct: Any, value: Value, path: str) -> Value:
    """A user's cotangent of an output, checked and in the inner convention."""
    c = arrived(ct)
    if c.shape != (value.shape if isinstance(value, np.ndarray) else np.shape(value)):
        raise ShapeError(
            f"pullback: the cotangent of result{path} has shape {np.shape(c)} and the result "
            f"{np.shape(value)}; both must be equal"
        )
    if c.dtype.kind == "c":
        check_real(f"pullback: the cotangent of result{path}", c, arrived(value))
    return at_home(conjugated(c), value)


def split_aux(name: str, result: Any) -> tuple[Any, Any]:
    """The (value, aux) pair that has_aux promises."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise TreeError(
            f"{name}: with has_aux=True the function must return a pair (value, aux), and it "
            f"returned {type(result).__name__}"
        )
    return result


def strip(tree: Any, level: float) -> Any:
    """Values of a finished level brought below it, in any container."""
    leaves, structure = flatten(tree)
    return structure.build([handed_out(lower(x, level)[0]) for x in leaves])
