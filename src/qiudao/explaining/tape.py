"""The eager tape behind a tensor, read as an observation.

The tape keeps what its rules read and nothing for explaining, so that recording costs nothing
more.  The other values are found in tensors that are still alive, or computed again from operands
that are known; what is left is not known, and said to be.  The equations are copied, so that the
user's graph stays as it is; hooks do not run.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np

from ..core.avals import Dtype, Value
from ..core.dispatch import concrete
from ..core.errors import GradientError
from ..core.modes import TAPE
from ..core.node import Equation, Freed, Leaf, Node, Packed
from ..core.source import Line, is_ours
from ..tape.backward import why_cut
from ..tape.reaching import age, walk
from ..tape.tensor import Tensor
from .expressions import Loop, loops_at, operands_at
from .places import Group
from .summary import counted
from .witness import Observation, Step


def read_tape(
    outputs: Sequence[Tensor], names: dict[str, Any], name: str = "explain"
) -> tuple[Observation, list[str]]:
    """What led to these tensors, and what of it is not known; `names` are tensors to be named.

    Raises `GradientError` for a tensor with no graph behind it.
    """
    for t in outputs:
        if t.node is None:
            raise GradientError(
                f"{name}: this tensor does not require grad, {why_cut(t)}; make the inputs with "
                "qd.tensor(x, requires_grad=True) and compute without detaching"
            )
        if t.level > TAPE:
            raise GradientError(
                f"{name}: this tensor belongs to a transform; explain the function that it runs "
                "in, qd.explain(f, *args)"
            )
    seen, _, notes = read_nodes([t.node for t in outputs if t.node], names)
    return seen, notes


def read_nodes(
    outputs: Sequence[Node], names: dict[str, Any]
) -> tuple[Observation, dict[Node, Step], list[str]]:
    """What led to these nodes, the step of each node, and what of it is not known."""
    nodes = sorted(walk(outputs), key=age)
    seen = Observation(sys._getframe(0))
    values = known_values(nodes)
    called = {t.node: key for key, t in names.items() if isinstance(t, Tensor)}
    copies: dict[Node, Node] = {}
    steps: dict[Node, Step] = {}
    codes = (n.code for n in reversed(nodes) if isinstance(n, Equation))
    places = Runs(next((code for code in codes if not is_ours(code.co_filename)), None))
    notes: list[str] = []
    for node in nodes:
        copies[node] = made = copy_of_node(node, copies)
        value = values.get(node)
        if isinstance(node, Equation):
            given, _ = kept_by(node)
            held = literals(node, given) if not isinstance(given, Freed) else node.parents
            operands = tuple(
                steps[p] if p is not None else constant(x, seen)
                for p, x in zip(node.parents, held, strict=True)
            )
            steps[node] = Step(made, operands, value, True, places.find(node), called.get(node))
            seen.codes.setdefault(node.code)
        else:
            steps[node] = Step(
                made, (), value, True, None, called.get(node) or word_for(node, nodes)
            )
            seen.inputs.append(steps[node])
        seen.steps.append(steps[node])
    seen.outputs = [steps[n] for n in outputs]
    unknown = sum(s.flows and s.value is None and not s.node.is_several for s in seen.steps)
    if unknown:
        notes.append(
            f"{counted(unknown, 'value is', 'values are')} shown without numbers: the tape keeps "
            "what its rules read, and no tensor that is alive holds them; qd.explain(f, *args) "
            "keeps them all"
        )
    seen.finish()
    return seen, steps, notes


def constant(x: Any, seen: Observation) -> Any:
    """A constant operand; one that the tape does not keep is a step of no known value."""
    if x is None or isinstance(x, Node):
        stands = x if isinstance(x, Node) else Leaf((), np.dtype(float))
        step = Step(Leaf(stands.shape, stands.dtype), (), None, False, None)
        seen.steps.append(step)
        return step
    return concrete(x)


def literals(node: Equation, operands: Sequence[Any]) -> tuple[Any, ...]:
    """Operands, with the numbers that no rule reads but the source tells, as in `1 + x`."""
    if all(x is not None for x in operands) or node.is_several:
        return tuple(operands)
    words = operands_at(node.code, node.offset, len(operands))
    return tuple(
        literal(word, node.dtype) if x is None and p is None else x
        for x, p, word in zip(operands, node.parents, words, strict=True)
    )


def literal(word: str | None, dtype: Dtype) -> Value | None:
    """The number that a word of the source is; None for another word."""
    try:
        number = ast.literal_eval(word or "")
    except (SyntaxError, TypeError, ValueError):
        return None
    with np.errstate(over="ignore"):
        return np.asarray(number, dtype)[()] if type(number) in (int, float) else None


def copy_of_node(node: Node, copies: dict[Node, Node]) -> Node:
    """A node of the user's graph again, without its hooks."""
    if not isinstance(node, Equation):
        made: Node = Leaf(node.shape, node.dtype)
        made.number = node.number
        return made
    copy = Equation()
    copy.number, copy.shape, copy.dtype, copy.notes = node.number, node.shape, node.dtype, None
    copy.primitive = node.primitive
    copy.code, copy.offset = node.code, node.offset
    copy.parents = tuple(None if p is None else copies[p] for p in node.parents)
    kept, copy.out = kept_by(node)
    copy.operands = (
        kept
        if isinstance(kept, Freed)
        else tuple(copies.get(x, x) if isinstance(x, Node) else x for x in kept)
    )
    return copy


def kept_by(node: Equation) -> tuple[Any, Value]:
    """What an equation keeps of its operands and its result, unpacked where a hook packed it."""
    operands = node.operands
    return operands.restore(node) if isinstance(operands, Packed) else (operands, node.out)


def living() -> Iterator[Tensor]:
    """All tensors that are alive."""
    for each in gc.get_objects():
        # not isinstance, which wakes the lazy objects of other libraries
        if Tensor in type(each).__mro__:
            yield each


def known_values(nodes: Sequence[Node]) -> dict[Node, Value]:
    """The values that can be known, by their nodes."""
    wanted = set(nodes)
    values: dict[Node, Value] = {}
    for each in living():
        if each.level == TAPE and each.node in wanted:
            values[each.node] = np.array(each.value)[()]
    for node in nodes:
        if not isinstance(node, Equation):
            continue
        if node.out is not None:
            values.setdefault(node, node.out)
        kept, _ = kept_by(node)
        if isinstance(kept, Freed):
            continue
        for p, x in zip(node.parents, kept, strict=True):
            if p is not None and not isinstance(x, Node):
                values.setdefault(p, x)
    for node in nodes:
        if node not in values and isinstance(node, Equation):
            again(node, values)
    return values


def again(node: Equation, values: dict[Node, Value]) -> None:
    """Compute a value again, where its operands are known."""
    kept, _ = kept_by(node)
    if isinstance(kept, Freed):
        return
    held = literals(node, kept)
    operands = [x if p is None else values.get(p) for p, x in zip(node.parents, held, strict=True)]
    if all(x is not None and not isinstance(x, Node) for x in operands):
        with np.errstate(all="ignore"):
            values[node] = node.primitive.evaluate(*operands)


def word_for(leaf: Node, nodes: Sequence[Node]) -> str | None:
    """The user's name for a leaf: the word by which its first reader calls it."""
    for node in nodes:
        if isinstance(node, Equation) and leaf in node.parents:
            word = operands_at(node.code, node.offset, len(node.parents))[node.parents.index(leaf)]
            if word is not None and word.replace(".", "").replace("_", "").isalnum():
                return word
    return None


class Runs:
    """Groups a tape's equations by what the code offsets tell: loops' turns, functions' runs.

    `main` is the code that the outermost operations belong to.
    """

    def __init__(self, main: CodeType | None) -> None:
        self.main = main
        self.outer: Group | None = None
        self.runs: dict[CodeType, Run] = {}

    def find(self, node: Equation) -> Group | None:
        """The innermost group of an equation."""
        code, offset, line = node.code, node.offset, node.line
        if is_ours(code.co_filename):
            return self.outer
        run = self.runs.get(code)
        running = [
            loop for loop in loops_at(line.file, line.number) if loop.first >= code.co_firstlineno
        ]
        if run is None or (offset < run.offset and not running and code is not self.main):
            group = None
            if code is not self.main:
                group = Group(self.outer, "call", code.co_name, line)
            run = self.runs[code] = Run(group)
        found = run.turn(running, offset, line)
        if code is self.main:
            self.outer = found
        return found


class Run:
    """One run of a function, and the loops that it is in."""

    def __init__(self, group: Group | None) -> None:
        self.group = group
        self.offset = -1
        self.loops: dict[Loop, tuple[Group, Group]] = {}

    def turn(self, running: list[Loop], offset: int, line: Line) -> Group | None:
        """The innermost iteration; an offset that went back begins the next one."""
        self.loops = {loop: known for loop, known in self.loops.items() if loop in running}
        group = self.group
        for depth, loop in enumerate(running):
            known = self.loops.get(loop)
            if known is None:
                outer = Group(group, "loop", loop.title, Line(line.file, loop.head, ""))
                known = outer, Group(outer, "iteration", "turn 1", outer.line)
            elif depth == len(running) - 1 and offset < self.offset:
                outer = known[0]
                known = outer, Group(outer, "iteration", f"turn {outer.children + 1}", outer.line)
            self.loops[loop] = known
            group = known[1]
        self.offset = offset
        return group
