"""`qd.profile`: where the time and the memory go, by the user's lines."""

from __future__ import annotations

import importlib.util
import operator
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..compiling.front import jit
from ..core.avals import Value
from ..core.complexes import conjugated
from ..core.errors import GradientError, QiudaoError
from ..core.node import Equation
from ..core.parts import Part
from ..core.program import inner_programs
from ..core.source import Line
from ..core.trees import flatten
from ..transforms.derived import value_and_grad
from ..transforms.reverse import vjp
from .compiled import kernels_of
from .graph import title_of
from .labels import line_of
from .summary import NUMERIC, number
from .sweeps import backward
from .witness import Observation, Step, Subject

SHORTEST = 20e-6  # seconds that one timing should take at least, so that the clock is fine enough


@dataclass(slots=True)
class LineCost:
    """What one line costs: seconds in NumPy forward and backward, bytes made and bytes kept.

    `kept` is what a tape holds for the backward sweep; `kernels` are the loops and calls of the
    compiled gradient that the line has a part in.
    """

    line: Line
    operations: int = 0
    forward: float = 0.0
    backward: float = 0.0
    made: int = 0
    kept: int = 0
    kernels: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Profile:
    """The costs of a function and its gradient: printed, a table of lines, dearest first.

    Seconds: `plain` of the function on NumPy arrays, `eager` of value and gradient on the tape,
    `compiled` of value and gradient compiled (None: not), `ready` of compiling it.  What `eager`
    takes beyond the lines' own times is recording and sweeping.
    """

    title: str
    lines: list[LineCost]
    plain: float
    eager: float
    compiled: float | None
    ready: float | None
    notes: list[str]

    @property
    def overhead(self) -> float:
        """Seconds of recording and sweeping: what `eager` takes beyond NumPy's own work."""
        return max(0.0, self.eager - sum(c.forward + c.backward for c in self.lines))

    def __repr__(self) -> str:
        whole = sum(c.forward + c.backward for c in self.lines) or 1.0
        tape = f"{seconds(self.eager)}, of which recording and sweeping {seconds(self.overhead)}"
        head = [
            f"profile of {self.title}",
            f"  plain NumPy {seconds(self.plain)}; value and gradient on the tape {tape}",
        ]
        if self.compiled is not None and self.ready is not None:
            head.append(
                f"  value and gradient compiled {seconds(self.compiled)}, "
                f"ready after {seconds(self.ready)}"
            )
        columns = f"  {'share':>6} {'forward':>9} {'backward':>9} {'made':>8} {'kept':>8}  line"
        rows = []
        for c in self.lines:
            share = f"{100 * (c.forward + c.backward) / whole:.0f} %"
            rows.append(
                f"  {share:>6} {seconds(c.forward):>9} {seconds(c.backward):>9} "
                f"{size(c.made):>8} {size(c.kept):>8}  {line_of(c.line)}  {c.line.text}"
            )
            rows += [f"{'':>46}  in {kernel}" for kernel in c.kernels]
        return "\n".join([*head, columns, *rows, *(f"note: {n}" for n in self.notes)])


def seconds(s: float) -> str:
    """`12 us`, `3.4 ms`."""
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if s < 1000 * scale:
            return f"{number(s / scale, 3)} {unit}"
    return f"{number(s, 3)} s"


def size(count: int) -> str:
    """`80 B`, `1.2 MB`."""
    for unit, scale in (("B", 1), ("kB", 1_000), ("MB", 1_000_000)):
        if count < 1000 * scale:
            return f"{number(count / scale, 3)} {unit}"
    return f"{number(count / 1e9, 3)} GB"


def profile(
    f: Callable[..., Any], /, *args: Any, repeat: int = 5, compiled: bool = True, **kwargs: Any
) -> Profile:
    """Time and memory of `f(*args, **kwargs)` and its gradient, line by line.

    Each operation that `f` does is timed by itself on the values that it had, forward (NumPy's own
    call) and backward (its rule), the least of `repeat` timings, and summed over its line; loops
    and calls count as often as they run.  Beside them stand the bytes of the results and what the
    tape keeps.  The whole function is timed as plain NumPy, on the tape, and (unless `compiled` is
    false or llvmlite is missing) compiled, with the loops and calls that each line was fused into.
    The first result that depends on an input counts, and is summed where it is an array.

    Raises what `f` raises, and `GradientError` inside a transform or where no result is a number.

    >>> import qiudao as qd
    >>> found = qd.profile(lambda x: np.sum(np.exp(x)), np.ones(1000), compiled=False)
    >>> found.lines[0].operations, found.lines[0].made  # exp: 8,000 bytes, and the sum
    (2, 8008)
    """
    subject = Subject(f, args, kwargs)
    seen = subject.run()
    if not any(np.asarray(y.value).dtype.kind in NUMERIC for y in seen.outputs):
        raise GradientError(
            f"profile: {title_of(f)} gives no number; return what is to be differentiated"
        )
    lines = cost_of_lines(seen, repeat)
    loss = as_loss(subject, place_of_result(seen))
    inputs = subject.inputs
    plain = least(lambda: subject.call(inputs), repeat)
    eager = least(lambda: swept(loss, inputs), repeat)
    notes: list[str] = []
    native: tuple[float, float] | None = None
    if compiled and importlib.util.find_spec("llvmlite") is None:
        notes.append("not compiled: llvmlite is not installed; `pip install qiudao[jit]`")
    elif compiled:
        try:
            native = compiled_times(loss, inputs, lines, repeat)
        except QiudaoError as error:
            notes.append(f"not compiled: {error}")
    found = sorted(lines.values(), key=lambda c: -(c.forward + c.backward))
    took, ready = native or (None, None)
    return Profile(title_of(f), found, plain, eager, took, ready, notes)


def cost_of_lines(seen: Observation, repeat: int) -> dict[tuple[str, int], LineCost]:
    """The costs of an observed run, by file and line."""
    outs = [y for y in seen.outputs if y.flows and not y.node.is_several]
    seeds = [(y, np.ones(np.shape(y.value), y.node.dtype)[()]) for y in outs[:1]]
    done = backward(seen, seeds)
    lines: dict[tuple[str, int], LineCost] = {}
    held: set[int] = set()
    for step in seen.steps:
        node = step.node
        if not isinstance(node, Equation) or isinstance(node.primitive, Part):
            continue
        key = node.line.file, node.line.number
        cost = lines.setdefault(key, LineCost(node.line))
        cost.operations += 1
        cost.forward += least(evaluating(node), repeat)
        ct = done.gradient(step)
        if ct is not None and step.flows:
            cost.backward += least(pulling(node, conjugated(ct)), repeat)
        cost.made += sum(a.nbytes for a in arrays(step.value) if a.base is None)
        if step.flows:
            cost.kept += kept_bytes(step, held)
    return lines


def evaluating(node: Equation) -> Callable[[], Any]:
    """One equation's part of the forward run."""
    value, xs = node.primitive.evaluate, node.operands
    return lambda: value(*xs)  # type: ignore[misc]


def pulling(node: Equation, ct: Value) -> Callable[[], Any]:
    """One equation's part of the backward sweep."""
    rule, out, xs, parents = node.primitive.pull, node.out, node.operands, node.parents
    return lambda: rule(ct, out, xs, parents, operator.mul)  # type: ignore[arg-type]


def kept_bytes(step: Step, held: set[int]) -> int:
    """What the tape keeps for a step, each array counted once."""
    node = step.node
    if not isinstance(node, Equation):
        return 0
    kept = list(node.primitive.keep(node.operands, node.parents))  # type: ignore[arg-type]
    kept += [node.out] if node.primitive.keeps_out else []
    total = 0
    for a in (a for x in kept for a in arrays(x)):
        if id(a) not in held:
            held.add(id(a))
            total += a.nbytes
    return total


def arrays(x: Any) -> list[Any]:
    """The arrays and NumPy numbers of a value."""
    if isinstance(x, tuple):
        return [a for part in x for a in arrays(part)]
    if isinstance(x, np.generic):
        return [np.asarray(x)]
    return [x] if isinstance(x, np.ndarray) else []


def least(act: Callable[[], Any], repeat: int) -> float:
    """The least seconds that an act takes; a short one is done several times a timing."""
    with np.errstate(all="ignore"):
        start = time.perf_counter()
        act()
        once = time.perf_counter() - start
        count = max(1, min(100, int(SHORTEST / max(once, 1e-9))))
        best = once
        for _ in range(repeat - 1):
            start = time.perf_counter()
            for _ in range(count):
                act()
            best = min(best, (time.perf_counter() - start) / count)
    return best


def place_of_result(seen: Observation) -> int:
    """Where the first result stands that depends on an input, or the first number."""
    numbers = [k for k, y in enumerate(seen.outputs) if np.asarray(y.value).dtype.kind in NUMERIC]
    return next((k for k in numbers if seen.outputs[k].flows), numbers[0])


def as_loss(subject: Subject, place: int) -> Callable[..., Any]:
    """The function of its inputs alone, with the result that is at this place, summed."""

    def loss(*inputs: Value) -> Any:
        outputs, _ = flatten(subject.call(inputs))
        return np.sum(np.real(outputs[place]))

    return loss


def swept(loss: Callable[..., Any], inputs: list[Value]) -> Any:
    """The value and the gradient, on the tape."""
    _, pullback = vjp(loss, *inputs)
    return pullback(1.0)


def within(equation: Equation) -> Iterator[Equation]:
    """The equations in the bodies of a loop or a branch."""
    for body in inner_programs(equation.primitive):
        for each in body.equations:
            yield each
            yield from within(each)


def compiled_times(
    loss: Callable[..., Any],
    inputs: list[Value],
    lines: dict[tuple[str, int], LineCost],
    repeat: int,
) -> tuple[float, float]:
    """Seconds of the compiled value and gradient, and of making it; notes the kernels of lines."""
    both = jit(value_and_grad(loss, argnums=tuple(range(len(inputs)))))
    start = time.perf_counter()
    both(*inputs)
    ready = time.perf_counter() - start
    for equation, kernel in kernels_of(both.lower(*inputs).optimised).items():
        for each in (equation, *within(equation)):
            cost = lines.get((each.line.file, each.line.number))
            if cost is not None and kernel.title not in cost.kernels:
                cost.kernels.append(kernel.title)
    return least(lambda: both(*inputs), repeat), ready
