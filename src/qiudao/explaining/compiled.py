"""A compiled function, drawn: its program as traced, after each pass, and as fused kernels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..codegen.native import is_fused
from ..codegen.plan import Plan, Root
from ..compiling.arguments import Call
from ..compiling.executable import Executable
from ..compiling.front import Jitted
from ..core.avals import Value, aval_of
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Program, inner_programs, operands_of
from ..core.source import line_of
from ..ops.control import Rows, Structured
from .graph import Graph, build
from .places import Group
from .witness import Observation, Step, input_names


def stages_of(jitted: Jitted, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Graph]:
    """The graphs of a compilation: "traced", then one after each pass, and "kernels" at the end."""
    lowered = jitted.lower(*args, **kwargs)
    call = jitted.read(tuple(args), kwargs)
    every = argument_names(jitted, call, bool(kwargs))
    names = [every[k] for k in call.places]
    programs = [("traced", lowered.program), *lowered.passes]
    graphs = {name: program_graph(program, call.arrays, names, name) for name, program in programs}
    kernels = kernels_of(lowered.optimised)
    notes = [f"left to NumPy: {each}" for each in lowered.fallbacks]
    graphs["kernels"] = program_graph(
        lowered.optimised, call.arrays, names, "kernels", kernels, notes
    )
    return graphs


def argument_names(jitted: Jitted, call: Call, has_keywords: bool) -> list[str]:
    """The user's name for each leaf of a call of a compiled function."""
    numbered = call.tree.build(range(len(call.leaves)))  # a static argument is one leaf
    args, kwargs = numbered if has_keywords else (numbered, {})
    return input_names(jitted.f, args, dict(sorted(kwargs.items())))  # as leaves lie


def program_graph(
    program: Program,
    inputs: Sequence[Value],
    names: Sequence[str],
    title: str,
    kernels: dict[Equation, Group] | None = None,
    notes: Sequence[str] = (),
) -> Graph:
    """The graph of a program, run on these inputs; `kernels` groups its equations."""
    seen = Observation(sys._getframe(0))
    seen.finish()
    steps: dict[Node, Step] = {}
    values = [*inputs, *(None for _ in program.inputs[len(inputs) :])]
    for k, (leaf, value) in enumerate(zip(program.inputs, values, strict=True)):
        name = names[k] if k < len(names) else f"captured {k - len(names)}"
        steps[leaf] = Step(leaf, (), value, True, None, name)
        seen.inputs.append(steps[leaf])
    seen.steps += seen.inputs
    add_equations(seen, steps, program, kernels or {}, None)
    seen.outputs = [
        steps[y] if isinstance(y, Node) else constant_step(seen, y) for y in program.outputs
    ]
    return build(seen, title, notes, differentiate=False)


def add_equations(
    seen: Observation,
    steps: dict[Node, Step],
    program: Program,
    kernels: dict[Equation, Group],
    around: Group | None,
) -> None:
    """The equations of a program as steps; the bodies of its loops become groups of their own."""
    for equation in program.equations:
        operands: list[Any] = [
            steps[x] if isinstance(x, Node) else x for x in operands_of(equation)
        ]
        known = [x.value if isinstance(x, Step) else x for x in operands]
        value = None if any(x is None for x in known) else evaluated(equation, known)
        group = kernels.get(equation, around)
        for body in inner_programs(equation.primitive):
            line = line_of(equation.code, equation.offset)
            inside = Group(group, "loop", f"body of {words_for(equation)}", line)
            within: dict[Node, Step] = {}
            for k, leaf in enumerate(body.inputs):
                within[leaf] = Step(leaf, (), None, False, inside, f"operand {k} of the body")
                seen.steps.append(within[leaf])
            add_equations(seen, within, body, {}, inside)
            operands += [within[y] for y in body.outputs if isinstance(y, Node)]
        steps[equation] = Step(equation, tuple(operands), value, False, group)
        seen.steps.append(steps[equation])


def evaluated(equation: Equation, known: Sequence[Value]) -> Value:
    """The value of an equation; None where NumPy has none for these operands."""
    try:
        with np.errstate(all="ignore"):
            return equation.primitive.evaluate(*known)
    except (ArithmeticError, ValueError, TypeError, IndexError, NotImplementedError):
        return None


def constant_step(seen: Observation, y: Value) -> Step:
    """An output that is a constant."""
    aval = aval_of(y)
    equation = Step(leaf_like(aval.shape, aval.dtype), (), y, False, None)
    seen.steps.append(equation)
    return equation


def leaf_like(shape: tuple[int, ...], dtype: Any) -> Node:
    """A node of this type."""
    node = Node()
    node.number, node.notes = 0, None
    node.shape, node.dtype = shape, dtype
    return node


def kernels_of(program: Program) -> dict[Equation, Group]:
    """The group of each equation: the fused loop nest that computes it, or the call that it is."""
    plan = Plan(program, is_fused)
    foreign = {f.equation for f in Executable(program).fallbacks}
    found: dict[Equation, Group] = {}
    nests: dict[Any, Group] = {}

    def nest(level: int, root: Root) -> Group:
        key = level, root.nest
        if key not in nests:
            size = " x ".join(map(str, root.space)) or "1"
            line = line_of(root.equation.code, root.equation.offset)
            nests[key] = Group(None, "kernel", f"loop {len(nests) + 1} over {size} elements", line)
        return nests[key]

    for level, roots in enumerate(plan.levels):
        for root in roots:
            e = root.equation
            if e in foreign:
                found[e] = Group(
                    None, "kernel", f"NumPy: {e.primitive.label}", line_of(e.code, e.offset)
                )
            elif root.kind in ("map", "reduce", "region"):
                found[e] = nest(level, root)
            elif root.kind == "call" and not isinstance(e.primitive, Part):
                found[e] = Group(None, "kernel", f"call: {words_for(e)}", line_of(e.code, e.offset))
    for equation in reversed(program.equations):
        if equation in plan.inlined:
            readers = [root for root, _ in plan.demands[equation]]
            homes = [found[r.equation] for r in readers if r.equation in found]
            if homes:
                found[equation] = homes[0]
    return found


def words_for(equation: Equation) -> str:
    """What a call does, in a word or two."""
    primitive = equation.primitive
    if isinstance(primitive, Rows):
        return "blocks of rows"
    if isinstance(primitive, Structured):
        return primitive.name
    return primitive.label
