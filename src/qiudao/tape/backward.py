"""The sweep over a stored graph, with the manners of torch and paddle."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.anomalies import examine_graph, known_check
from ..core.arriving import at_home, lasting
from ..core.avals import Value, describe
from ..core.complexes import check_real, conjugated
from ..core.dispatch import Tracer, snapshot
from ..core.errors import DtypeError, GradientError, MutationError, ShapeError, TreeError
from ..core.gathering import Gather, gather_for
from ..core.modes import TAPE, modes, new_level
from ..core.node import UNSET, Equation, Freed, Node
from ..core.outliving import living
from ..core.source import caller
from ..core.sweep import Sweep, Wrap, sweep
from ..core.trees import Tree, flatten
from .cut import SETTLED
from .node_hooks import register_hook, register_prehook
from .operators import weigh
from .reaching import reaching, walk
from .record import parts_of
from .tensor import Tensor

Seeds = list[tuple[Node, Value]]


def seed_for(output: Tensor, gradient: Any, name: str, where: str) -> Value:
    """The cotangent that starts at an output: the user's, or 1 for a real scalar."""
    if gradient is None:
        if output.shape != () and output.size != 1:
            raise GradientError(
                f"{name}: {where} has shape {output.shape}, and only a scalar starts with 1 by "
                "itself; pass its cotangent (np.ones_like(y) for the gradient of y.sum()), or "
                "reduce it first"
            )
        if output.dtype.kind == "c":
            raise GradientError(
                f"{name}: {where} is complex, and the gradient of a complex number needs its "
                "cotangent; pass one, or take np.real or np.abs first"
            )
        one = output.dtype.type(1)
        return at_home(one if output.shape == () else np.full(output.shape, one), output)
    ct = lasting(gradient)
    if np.shape(ct) != output.shape:
        raise ShapeError(
            f"{name}: the cotangent of {where} has shape {np.shape(ct)} and the output "
            f"{output.shape}; both must be equal"
        )
    check_real(f"{name}: the cotangent of {where}", ct, output)
    return at_home(conjugated(ct), output)


def why_cut(output: Tensor) -> str:
    """Why a tensor has no graph behind it."""
    if output.cut is None:
        return "nor does anything it was computed from"
    return f"for it was cut from the graph by {output.cut}"


def is_settled(output: Any) -> bool:
    """Whether an output is a constant that a recorded sweep left: all its derivatives are zero."""
    return isinstance(output, Tensor) and output.node is None and output.cut is SETTLED


def common_level(values: Iterable[Any], name: str) -> float:
    """The one level that all these tensors belong to; an edge belongs to any."""
    recorded = [x for x in values if isinstance(x, Tensor) and x.node is not None]
    levels = {living(x).level for x in recorded}
    level = max(levels, default=modes.inside)
    if len(levels) > 1:
        raise GradientError(
            f"{name}: some of these tensors belong to a transform that is running and some do "
            "not; make those of the tape inside the function, with qd.tensor"
        )
    return level


def check_output(output: Any, level: float, name: str, where: str) -> Tensor:
    """An output, or an edge, that has a graph behind it."""
    if isinstance(output, Node):
        one_place(output, name, where)
        stand_in = np.broadcast_to(np.zeros((), output.dtype), output.shape)
        return Tensor.make(stand_in, output, level)
    if not isinstance(output, Tensor):
        raise GradientError(
            f"{name}: {where} is {type(output).__name__}, which has no graph behind it; compute "
            "it from tensors made by qd.tensor(x, requires_grad=True)"
        )
    if output.node is None:
        raise GradientError(
            f"{name}: {where} does not require grad, {why_cut(output)}; make the inputs with "
            "qd.tensor(x, requires_grad=True) and compute without detaching"
        )
    return output


def run(
    seeds: Seeds,
    *,
    wanted: set[Node] | None,
    needed: set[Node] | None,
    level: float,
    create_graph: bool,
    retain_graph: bool,
    check: str | None = None,
    name: str = "backward",
    gather: Gather | None = None,
) -> dict[Node, Value]:
    """Sweep, guard the caller's arrays, and free what was used unless it is retained.

    With `check` (or under `detect_anomaly`) gradients that are not finite raise, before that, and
    call the function that was asked by its `name`.

    Nothing is changed when anything raises.
    """
    wrap = None
    floor = modes.floor
    if create_graph:
        seeds = [
            (n, ct if isinstance(ct, Tracer) else Tensor.make(ct, None, level)) for n, ct in seeds
        ]

        wrap = placing(level)
    else:
        seeds = [
            (n, ct.value if isinstance(ct, Tensor) and ct.level == level else ct) for n, ct in seeds
        ]
    check = check or modes.check
    done: list[Sweep] = []
    after = check_guards if retain_graph else check_and_free
    try:
        modes.floor = floor_within(level, create_graph)
        found = sweep(
            seeds,
            wanted=wanted,
            needed=needed,
            wrap=wrap,
            after=after if check is None else done.append,
            product=weigh if create_graph else operator.mul,
            gather=gather,
        )
        if check is not None:
            examine_graph(name, check, found.values(), seeds)
            after(done[0])
        return found
    finally:
        modes.floor = floor


def floor_within(level: float, create_graph: bool) -> float:
    """From which level on tensors record in the rules and hooks of a sweep: as the sweep does."""
    if level > TAPE:
        return modes.floor
    return TAPE if create_graph else new_level()


def placing(level: float) -> Wrap:
    """What gives a kept value back its place in the graph of this level."""

    def place(value: Value, node: Node) -> Value:
        if isinstance(value, tuple):
            places = parts_of(node, value)  # type: ignore[arg-type]
            return tuple(Tensor.make(part, place, level) for part, place in places)
        return Tensor.make(value, node, level)

    return place


def check_guards(done: Sweep) -> None:
    """Refuse a gradient computed from an array that its owner changed meanwhile."""
    for node in done.noted:
        for guard in node.noted().guards:
            if guard.is_broken() and isinstance(node, Equation):
                raise MutationError(
                    f"backward: a {describe(guard.array.shape, guard.array.dtype)} array that "
                    f"{node.primitive.name} at {node.line} reads was changed after it was used; "
                    "pass a copy, np.array(a), or change it after the sweep"
                )


def check_and_free(done: Sweep) -> None:
    """Drop what the rules kept; equations that keep nothing can be swept again."""
    check_guards(done)
    freed = Freed(*caller())
    for equation in done.visited:
        if equation.primitive.keeps_operands:
            equation.operands = freed
            equation.out = None
            if equation.shape is None:  # of several results
                equation.primitive.freed()


def as_gradient(ct: Value, level: float, create_graph: bool) -> Tensor:
    """A finished cotangent as the user sees it: a tensor, in torch's complex convention.

    Where the sweep was recorded and left a constant, its own derivative is known to be zero.
    """
    gradient = snapshot(conjugated(ct))
    if not isinstance(gradient, Tensor) or gradient.level != level:
        gradient = Tensor.make(gradient, None, level)
    if create_graph and gradient.node is None:
        gradient.cut = SETTLED
    return gradient


accumulating = threading.Lock()  # two threads may add to the gradient of one leaf


def store(found: dict[Node, Value], level: float, create_graph: bool) -> None:
    """Add gradients into `.grad`, then run the hooks that wait for that."""
    gradients = []
    for node, ct in found.items():
        notes, gradient = node.noted(), as_gradient(ct, level, create_graph)
        if notes.grad_dtype is not UNSET:
            gradient = gradient.astype(notes.grad_dtype)
        gradients.append((notes, gradient))
    with accumulating:
        for notes, gradient in gradients:
            notes.grad = gradient if notes.grad is None else notes.grad + gradient
    waiting = [notes for notes, _ in gradients if notes.post_hooks]
    if not waiting:
        return
    floor = modes.floor
    try:
        modes.floor = floor_within(level, create_graph)
        for notes in waiting:
            for hook in list(notes.post_hooks.values()):
                hook(notes.owner)
    finally:
        modes.floor = floor


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
    *,
    no_grad_vars: Any = None,
    accumulate: Any = "sum",
    into: Any = None,
    check: str | None = None,
) -> None:
    """Sum the gradients of `tensors` into the `.grad` of the leaves they were computed from.

    `tensors`, `grad_tensors` and `inputs` are tensors or any pytree of them.  A cotangent may be
    left out (None) for a real scalar.  The graph is freed unless `retain_graph` (by default, when
    `create_graph`), and with `create_graph` the gradients can be differentiated again.  With
    `inputs` only those tensors, leaves or not, collect; `into`, arrays nested alike, has them added
    there in place of `.grad`.  `no_grad_vars` are treated as constants.  `accumulate` is how terms
    that arrive along several paths become one: their "sum" in a fixed order, a compensated sum
    ("kahan"), or a function of the list of terms.  With `check="nan"` a NaN in a gradient raises
    `NonFiniteError`, which names the operation that made it; with "inf" an infinity too.  Nothing
    is changed when anything raises: `GradientError` (no graph, no cotangent), `ShapeError`,
    `FreedError`, `MutationError`, `NonFiniteError`.

    >>> x = qd.tensor([1.0, 2.0], requires_grad=True)
    >>> qd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    refuse_none(tensors, "backward")
    outputs, tree = flatten(tensors)
    chosen, chosen_tree = flatten(inputs)
    given = cotangents_for(outputs, tree, grad_tensors, "backward")
    level = common_level([*outputs, *chosen], "backward")
    seeds: Seeds = []
    for output, gradient, path in zip(outputs, given, tree.paths, strict=True):
        if is_settled(output):
            continue  # a constant: its gradients are zero
        where = f"tensors{path}" if path else "this tensor"
        checked = check_output(output, level, "backward", where)
        seeds.append((checked.node, seed_for(checked, gradient, "backward", where)))  # type: ignore[arg-type]
    create_graph = create_graph or level > TAPE
    if accumulate == "separate":
        raise GradientError(
            "backward: accumulate='separate' gives several terms, and .grad holds one gradient; "
            "use qd.grad"
        )
    gather = gather_for("backward", accumulate)
    blocked = blocked_by(no_grad_vars, "backward")
    wanted: set[Node] | None = None
    needed: set[Node] | None = None
    if inputs is not None:
        if not chosen:
            raise GradientError("backward: inputs= is empty; leave it out to reach every leaf")
        wanted = {
            check_output(x, level, "backward", f"inputs{path}").node  # type: ignore[misc]
            for x, path in zip(chosen, chosen_tree.paths, strict=True)
        }
        needed, is_all = reaching([n for n, _ in seeds], wanted, blocked)
        if is_all:
            wanted = needed = None
    elif blocked:
        starts = [n for n, _ in seeds]
        leaves = {n for n in walk(starts, 0, blocked) if not isinstance(n, Equation)}
        needed, _ = reaching(starts, leaves, blocked)
    buffers = None if into is None else buffers_for(into, chosen, chosen_tree, create_graph)
    found = run(
        [(n, ct) for n, ct in seeds if n not in blocked],
        wanted=wanted,
        needed=needed,
        level=level,
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        check=known_check("backward", check),
        gather=gather,
    )
    if buffers is None:
        store(found, level, create_graph)
    else:
        for buffer, x in zip(buffers, chosen, strict=True):
            if x.edge in found:
                np.add(buffer, conjugated(found[x.edge]), out=buffer)


def blocked_by(no_grad_vars: Any, name: str) -> set[Node]:
    """The nodes of tensors that are to be treated as constants."""
    if no_grad_vars is None:
        return set()
    constants, _ = flatten(no_grad_vars)
    places = [place_of(x, "an entry of no_grad_vars", name) for x in constants]
    return {place for place in places if place is not None}


def one_place(node: Node, name: str, where: str) -> Node:
    """An edge, which must be the place of one value."""
    if node.is_several:
        raise GradientError(
            f"{name}: {where} is the operation {node.name()}, which has several results; pass the "
            "edge of one of them, y.edge"
        )
    return node


def place_of(x: Any, path: str, name: str) -> Node | None:
    """The place of a tensor, or edge, in the graph."""
    if isinstance(x, Node):
        return one_place(x, name, path)
    if isinstance(x, Tensor):
        return x.node
    raise GradientError(
        f"{name}: {path} is {type(x).__name__}, which no graph knows; pass tensors made by "
        "qd.tensor(x, requires_grad=True), or use qd.grad(f)(x) for plain arrays"
    )


def buffers_for(
    into: Any, chosen: list[Any], tree: Tree, create_graph: bool
) -> list[np.ndarray[Any, Any]]:
    """The arrays that gradients are to be added into, checked."""
    buffers, found = flatten(into)
    if not chosen or found != tree:
        raise TreeError(
            f"backward: into= is nested as {found} and inputs= as {tree}; give an array for each "
            "input"
        )
    if create_graph:
        raise GradientError(
            "backward: into= adds into plain arrays, which hold no graph; leave out create_graph, "
            "or use qd.grad"
        )
    for buffer, x, path in zip(buffers, chosen, tree.paths, strict=True):
        fits = isinstance(buffer, np.ndarray) and buffer.flags.writeable
        if not fits or buffer.shape != tuple(x.shape):
            what = describe(np.shape(buffer), np.result_type(buffer))
            raise ShapeError(
                f"backward: into{path} is {what} and the input {describe(x.shape, x.dtype)}; give "
                "a writable NumPy array of the same shape"
            )
        if not np.can_cast(x.dtype, buffer.dtype, "same_kind"):
            raise DtypeError(
                f"backward: into{path} has dtype {buffer.dtype}, which cannot keep a gradient of "
                f"{x.dtype}; give an array of floats"
            )
    return buffers


def refuse_none(outputs: Any, name: str) -> None:
    """Refuse None, which is a container of nothing, where it is all that there is."""
    if outputs is None:
        raise GradientError(
            f"{name}: the output is None, which has no graph behind it; return the loss from the "
            "function that computes it"
        )


def cotangents_for(outputs: list[Any], tree: Tree, given: Any, name: str) -> list[Any]:
    """The cotangent given for each output, None where none is."""
    if given is None:
        return [None] * len(outputs)
    leaves, found = flatten(given, none_is_leaf=True)
    if len(leaves) != len(outputs):
        raise GradientError(
            f"{name}: {len(outputs)} outputs and {len(leaves)} cotangents; give one for each "
            "output, None for a scalar that starts with 1"
        )
    if len(outputs) > 1 and found.paths != tree.paths:
        raise TreeError(
            f"{name}: the cotangents are nested as {found} and the outputs as {tree}; both must "
            "be nested alike"
        )
    return leaves


def _backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
    *,
    grad_tensor: Any = None,
    **options: Any,
) -> None:
    """`qd.backward` of this tensor; `gradient` (paddle: `grad_tensor`) is its cotangent."""
    start = grad_tensor if gradient is None else gradient
    backward(self, start, retain_graph, create_graph, inputs, **options)


Tensor.backward = _backward
Node.register_hook = register_hook
Node.register_prehook = register_prehook
