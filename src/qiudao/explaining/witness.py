"""Observing a function: it runs on its real values, and everything that it does is kept.

A `Witness` is a tracer with a value, so that branches, prints and loops go as they go without it.
What the tape forgets because no rule reads it, an observation keeps: the values of all operands
and results, the user's call stack as groups, each decision that a value made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Dtype, Shape, Value, is_inexact
from ..core.dispatch import Tracer, concrete, snapshot
from ..core.errors import GradientError
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.node import Equation, Leaf, Node, next_number
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.signatures import signature
from ..core.source import caller
from ..core.trees import Tree, flatten
from ..core.views import Tie, View, follow, tie
from ..ops.stopping import stop_gradient
from ..tape.guard import copy_of
from ..tape.tensor import off_tapes
from .places import Group, Places


class Step:
    """A value of an observed computation, and how it came to be.

    `node` is its place in the graph that a sweep can go back through; `operands` are steps and
    plain constants.  `flows` tells whether a derivative passes through it.
    """

    __slots__ = ("flows", "group", "name", "node", "operands", "value")

    def __init__(
        self,
        node: Node,
        operands: tuple[Step | Value, ...],
        value: Value,
        flows: bool,
        group: Group | None,
        name: str | None = None,
    ) -> None:
        self.node = node
        self.operands = operands
        self.value = value
        self.flows = flows
        self.group = group
        self.name = name


class Decision(NamedTuple):
    """A branch that a value decided: `if x > 0` at the instruction `where`."""

    step: Step
    taken: bool
    where: tuple[CodeType, int]


class Reading(NamedTuple):
    """A value that left the computation by `act` (`item()`, `tolist()`), which ends derivatives."""

    step: Step
    act: str
    where: tuple[CodeType, int]


class Observation:
    """What a function did: its steps in order, its inputs and outputs, decisions and readings."""

    looks_inside = True  # compiled functions show what they do
    is_branch = False  # all of what is recorded is run
    merged: tuple[()] = ()  # nothing stands for one of several: a value decides each branch

    def __init__(self, base: FrameType, forced: Sequence[bool | None] = ()) -> None:
        self.forced = forced
        self.level = new_level()
        self.steps: list[Step] = []
        self.equations: list[Equation] = []  # of the steps: what the sweep gives lines to
        self.inputs: list[Step] = []
        self.outputs: list[Step] = []
        self.decisions: list[Decision] = []
        self.readings: list[Reading] = []
        self.tree: Tree | None = None  # of the result
        self.codes: dict[CodeType, None] = {}  # the user's functions that ran, in order
        self.base: FrameType | None = base
        self.places: Places | None = Places()

    def witness(self, step: Step) -> Witness:
        """A tracer that stands for a step."""
        made = Witness()
        made.level, made.step, made.observation = self.level, step, self
        return made

    def given(self, value: Value, name: str) -> Witness:
        """An input."""
        value = copy_of(value) if isinstance(value, np.ndarray) else value
        step = Step(Leaf(np.shape(value), value.dtype), (), value, True, None, name)
        self.steps.append(step)
        self.inputs.append(step)
        return self.witness(step)

    def applied(
        self, primitive: Primitive, operands: tuple[Step | Value, ...], values: Sequence[Value],
        out: Value,
    ) -> Step:  # fmt: skip
        """An operation, whose equation can be swept backwards where derivatives pass."""
        node = Equation()
        node.number = next_number()
        several = isinstance(out, tuple)
        node.shape, node.dtype = (None, None) if several else (np.shape(out), out.dtype)  # type: ignore[assignment]
        node.notes = None
        node.primitive = primitive
        node.parents = tuple(x.node if isinstance(x, Step) and x.flows else None for x in operands)
        node.operands = tuple(values)
        node.out = out
        node.code, node.offset = caller()
        self.codes.setdefault(node.code)
        flows = (
            any(p is not None for p in node.parents)
            and not primitive.is_constant
            and self.level >= modes.floor
        )
        if not flows:
            node.parents = (None,) * len(operands)
        group = None
        if self.places is not None and self.base is not None:
            group = self.places.find(sys._getframe(2), self.base)
        step = Step(node, operands, out, flows, group)
        self.steps.append(step)
        self.equations.append(node)
        return step

    def __enter__(self) -> None:
        self.outer, modes.recording = modes.recording, self

    def __exit__(self, *error: object) -> None:
        modes.recording = self.outer

    def check_write(self, x: Value) -> None:
        """Nothing is refused: the function runs as it would by itself."""

    def finish(self) -> None:
        """Let go of the user's frames."""
        self.base = self.places = None


class Witness(ArrayMethods, Tracer):
    """A value under observation."""

    __slots__ = ("level", "observation", "step", "tied")

    level: float
    step: Step
    observation: Observation
    tied: Tie  # set on views only

    @property
    def shape(self) -> Shape:
        return np.shape(self.step.value)

    @property
    def dtype(self) -> Dtype:
        dtype: Dtype = self.step.value.dtype
        return dtype

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        seen = self.observation
        operands = tuple(
            x.step if isinstance(x, Witness) and x.level == self.level else settled(x) for x in xs
        )
        values = [x.value if isinstance(x, Step) else x for x in operands]
        with np.errstate(all="ignore"):
            out = primitive(*values)
        step = seen.applied(primitive, operands, values, out)
        if isinstance(out, tuple):
            return tuple(
                seen.witness(seen.applied(Part(k, len(out)), (step,), (out,), part))
                for k, part in enumerate(out)
            )
        made = seen.witness(step)
        return tie(made, self, primitive, WitnessView) if primitive.is_view else made

    def constant(self, value: Value) -> Witness:
        value = settled(value)
        step = Step(Leaf(np.shape(value), value.dtype), (), value, False, None)
        self.observation.steps.append(step)
        return self.observation.witness(step)

    def concrete(self) -> Any:
        return self.step.value

    def parts(self) -> tuple[Value, ...]:
        return (self.step.value,)

    def underlying(self) -> Value:
        return self.step.value

    def snapshot(self) -> Witness:
        return self.observation.witness(self.step)

    def overwrite(self, new: Value) -> None:
        self.step = self.same_level(new).step

    def carries(self, later: bool = True) -> bool:
        return self.step.flows

    def is_recorded(self) -> bool:
        return self.step.flows

    def refuse(self, act: str, instead: str) -> Any:
        if self.step.flows:
            super().refuse(act, instead)

    def detach(self) -> Value:
        """The value as a constant for every derivative."""
        return stop_gradient(self)

    def __bool__(self) -> bool:
        seen = self.observation
        made = len(seen.decisions)
        forced = seen.forced[made] if made < len(seen.forced) else None
        taken = bool(self.step.value) if forced is None else forced
        seen.decisions.append(Decision(self.step, taken, caller()))
        return taken

    def read(self, act: str) -> Any:
        self.observation.readings.append(Reading(self.step, act.removeprefix("x."), caller()))
        return np.asarray(self.concrete())

    def __repr__(self) -> str:
        return repr(self.step.value)

    def __format__(self, spec: str) -> str:
        return format(self.step.value, spec)


_slots = vars(Witness)


class WitnessView(View, Witness):
    """A value under observation that shares memory with another's."""

    __slots__ = ()

    plain = Witness
    state = _slots["step"].__get__
    fields = ("step",)

    step = follow(_slots["step"], _slots["step"])


def settled(x: Value) -> Value:
    """A constant as it is now, whatever the user's function does with it later."""
    x = snapshot(x)
    return copy_of(x) if isinstance(x, np.ndarray) else x


class Subject:
    """A function with its arguments, to be observed as often as one likes.

    Every float or complex value among the arguments is an input; whole numbers are too where there
    is no other.  Raises `GradientError` inside another transform, `TypeError` for no function.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        if not callable(f):
            raise TypeError(
                f"explain: {type(f).__name__} {f!r} is not a function; pass the function and its "
                "arguments apart, as in qd.story(f, x)"
            )
        self.keywords = tuple(kwargs)
        # Keywords lie as they were given: as a dict they would be sorted by name.
        leaves, self.tree = flatten((tuple(args), tuple(kwargs.values())))
        if any(isinstance(x, Tracer) for x in leaves) and modes.inside > 0:
            raise GradientError(
                "explain: the arguments belong to a transform that is running, so their values "
                "may not be known; call it outside, on plain values"
            )
        self.f = f
        self.leaves = [concrete(x) for x in leaves]
        self.chosen = [is_inexact(np.asarray(x).dtype) for x in self.leaves]
        if not any(self.chosen):
            self.chosen = [isinstance(x, int) and not isinstance(x, bool) for x in self.leaves]
        self.names = input_names(f, args, kwargs)

    @property
    def inputs(self) -> list[Value]:
        """The values to differentiate by."""
        return [as_value(x) for x, w in zip(self.leaves, self.chosen, strict=True) if w]

    def arguments(self, inputs: Sequence[Value]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The function's positional and keyword arguments, with these inputs in them."""
        values = iter(inputs)
        args, named = self.tree.build(
            next(values) if wanted else x
            for x, wanted in zip(self.leaves, self.chosen, strict=True)
        )
        return args, dict(zip(self.keywords, named, strict=True))

    def call(self, inputs: Sequence[Value]) -> Any:
        """The function's result with these inputs, unobserved."""
        args, kwargs = self.arguments(inputs)
        return self.f(*args, **kwargs)

    def run(
        self, inputs: Sequence[Value] | None = None, forced: Sequence[bool | None] = ()
    ) -> Observation:
        """Run the function and keep what it does, at these inputs (None: those given).

        The first branches that values decide go as `forced` says (None: by the value).  Raises what
        the function raises.
        """
        seen = Observation(sys._getframe(0), forced)
        values = iter(self.inputs if inputs is None else inputs)
        with Running(seen.level), seen:
            given = [
                seen.given(next(values), name)
                for wanted, name in zip(self.chosen, self.names, strict=True)
                if wanted
            ]
            result = self.call(given)
        seen.finish()
        outputs, seen.tree = flatten(result)
        seen.outputs = [output_step(seen, y) for y in outputs]
        return seen


def observe(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Observation:
    """Run `f` on its arguments and keep what it does."""
    return Subject(f, args, kwargs).run()


def as_value(x: Any) -> Value:
    """An input as an array, or as the NumPy scalar of a plain number."""
    if isinstance(x, np.ndarray | np.generic):
        return x
    if isinstance(x, int | float):
        return np.float64(x)
    a = np.asarray(x)
    return a if a.dtype.kind == "O" else a[()]  # an object taken out has no dtype


def output_step(seen: Observation, y: Any) -> Step:
    """A result of the function as a step; one that depends on no input is a constant."""
    y = off_tapes(y, seen.level)
    if isinstance(y, Witness) and y.level == seen.level:
        return y.step
    value = as_value(concrete(y))
    step = Step(Leaf(np.shape(value), value.dtype), (), value, False, None)
    seen.steps.append(step)
    return step


def input_names(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
    """The user's name for each leaf of the arguments in their order: `x`, `params['w']`."""
    try:
        parameters = list(signature(f).parameters.values())
    except (TypeError, ValueError):  # a builtin without one
        parameters = []
    positional: list[str] = []
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            positional.append(p.name)
        elif p.kind is p.VAR_POSITIONAL:
            positional.extend(f"{p.name}[{k}]" for k in range(len(args) - len(positional)))
    positional += [f"argument {k}" for k in range(len(positional), len(args))]
    names: list[str] = []
    for name, x in [*zip(positional, args, strict=False), *kwargs.items()]:
        leaves, inner = flatten(x)
        names += [name + path for path in inner.paths[: len(leaves)]]
    return names
