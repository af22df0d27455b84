"""Loops and branches as Python's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...core.avals import Aval, aval_of
from ...core.node import Equation, Node
from ...core.parts import Part
from ...core.program import Atom, Program, apply, operands_of
from ...core.roles import role_of
from ...core.source import Line, line_of
from ...ops.arithmetic import Add
from ...ops.control import Scan, Switch, While
from ...ops.shaping import Cast
from ..expressions import loops_at, source_of
from . import helpers
from .code import ATOM, OR, Code, tuple_of
from .constants import dtype_name
from .lines import Note, Statement
from .names import place_of
from .writer import Scope, uses, writes


class Loop(NamedTuple):
    """What a loop of either kind is written from."""

    equation: Equation
    body: Program
    constants: Sequence[Atom]
    initial: Sequence[Atom]
    stacks: Sequence[Atom]
    reverse: bool

    @property
    def inputs_before(self) -> list[Atom]:
        """What the body is given before the slices."""
        return [*self.constants, *self.initial]


def written(scope: Scope, e: Equation) -> dict[int, Equation]:
    """The results of an equation that are read."""
    return {k: p for k, p in scope.parts.get(e, {}).items() if scope.left[p]}


def head_note(scope: Scope, e: Equation) -> Note | None:
    """The line of the user's loop that an equation was."""
    note = scope.writer.note(e)
    if note is None:
        return None
    line = line_of(e.code, e.offset)
    loops = loops_at(line.file, line.number)
    if not loops:
        return note
    head = loops[-1].head
    text = source_of(line.file).lines[head - 1].decode(errors="replace").strip()
    return Note(Line(line.file, head, text), note.is_derived)


# Names


def carry_names(scope: Scope, loop: Loop, count: int, e: Equation) -> list[str]:
    """What the values that a loop carries are called.

    On the way back a loop carries the gradients of what it carried on the way there, and then sums.
    """
    found: list[str] = []
    names = scope.writer.names
    forth = scope.writer.loops.get(place_of(e), []) if is_back(loop.body) else []
    for k, y in enumerate(loop.body.outputs[:count]):
        wanted, given = "state", False
        if isinstance(y, Equation) and not isinstance(y.primitive, Part):
            wanted, given = names.wanted(y)
        if not given and k < len(forth) and forth[k][1] == aval_of(loop.initial[k]).shape:
            wanted = f"{forth[k][0]}_grad"
        elif not given:
            wanted = summed_into(scope, e, k) or ("total_grad" if is_back(loop.body) else "state")
        found.append(scope.name(wanted, found))
    if not is_back(loop.body):
        scope.writer.loops[place_of(e)] = [
            (name, aval_of(x).shape)
            for name, x in zip(found, loop.initial, strict=True)
            if aval_of(x).dtype.kind in "fc"
        ]
    return found


def slice_names(scope: Scope, e: Equation, loop: Loop, taken: Sequence[str]) -> list[str]:
    """What the elements that a loop steps through are called, `_` where none are read.

    A record is stepped through by the name of what was recorded; the user's name of the loop's
    variable serves what is counted, or the only other stack.
    """
    read = uses(loop.body)
    leaves = loop.body.inputs[len(loop.inputs_before) :]
    line = line_of(e.code, e.offset)
    users = loops_at(line.file, line.number)
    target = users[-1].targets[0] if users and len(users[-1].targets) == 1 else None
    plain = [x for x in loop.stacks if not (isinstance(x, Node) and x in scope.writer.lists)]
    found: list[str] = []
    for x, leaf in zip(loop.stacks, leaves, strict=True):
        if not read[leaf]:
            found.append("_")
            continue
        wanted = "step"
        text = scope.code(x)
        if isinstance(x, Node) and x in scope.writer.lists:
            wanted = scope.writer.lists[x]
        elif target is not None and (len(plain) == 1 or not isinstance(x, Node)):
            wanted = target if len(plain) == 1 or text.text.startswith("np.arange") else "step"
        elif target is not None and text.is_name:
            wanted = f"{text.text}_{target}"
        found.append(scope.name(wanted, [*taken, *found]))
    return found


def summed_into(scope: Scope, e: Equation, k: int) -> str | None:
    """The name of the sum that a result of a loop is only a term of."""
    part = scope.parts.get(e, {}).get(k)
    readers = [
        x for x in scope.program.equations if part is not None and among(part, operands_of(x))
    ]
    if len(readers) != 1 or type(readers[0].primitive) is not Add:
        return scope.named.get(part) if part is not None and not readers else None
    wanted, given = scope.writer.names.wanted(readers[0])
    return wanted if given else scope.named.get(readers[0])


def is_back(body: Program) -> bool:
    """Whether a loop's body belongs to a derivative."""
    return any(role_of(x) is not None for x in body.equations)


def plural(scope: Scope, name: str) -> str:
    """A name for all values that a variable has had."""
    return scope.writer.names.fresh(f"{name}_all" if name.endswith("s") else f"{name}s")


# Bodies


def write_body(
    scope: Scope,
    loop: Loop,
    variables: Sequence[str],
    slices: Sequence[str],
    lists: dict[int, str],
    records: dict[int, str],
) -> None:
    """The lines of a body: what is kept, what is computed, what is carried on."""
    n = len(variables)
    codes = [scope.code(x) for x in loop.constants]
    codes += [Code(v) for v in variables] + [Code(s) for s in slices]
    carried: dict[Node, str] = {
        y: v
        for y, v in zip(loop.body.outputs[:n], variables, strict=True)
        if isinstance(y, Equation)
    }
    inner = Scope(scope.writer, loop.body, codes, scope.indent + 1, scope, carried=carried)
    for k, name in records.items():
        inner.emit(f"{name}.append({variables[k]})")
    before = len(scope.writer.statements)
    outputs = inner.run()
    for k, name in lists.items():
        inner.emit(f"{name}.append({outputs[k].text})")
    carry_on(inner, loop, variables, outputs[:n])
    if len(scope.writer.statements) == before and not records:
        inner.emit("pass")


def carry_on(inner: Scope, loop: Loop, variables: Sequence[str], outputs: Sequence[Code]) -> None:
    """Assign what a loop carries to the next step."""
    moves = [
        (v, code, y)
        for v, code, y in zip(variables, outputs, loop.body.outputs, strict=False)
        if code.text != v
    ]
    clash = any(v in code.names for v, _, _ in moves for w, code, _ in moves if w != v)
    if clash:
        left, right = ", ".join(v for v, _, _ in moves), ", ".join(c.text for _, c, _ in moves)
        inner.emit(f"{left} = {right}")
        return
    for v, code, y in moves:
        inner.emit(f"{v} = {code.text}", inner.writer.note(y) if isinstance(y, Equation) else None)


def begin(scope: Scope, loop: Loop, variables: Sequence[str]) -> None:
    """Assign what a loop starts with."""
    for v, x in zip(variables, loop.initial, strict=True):
        text = scope.code(x).text
        if text != v:
            scope.emit(f"{v} = {text}")
        if isinstance(x, Equation) and scope.left[x] == 1:
            scope.codes[x] = Code(v)  # what the text read may be bound anew


# Loops of known length


def write_scan(scope: Scope, e: Equation) -> None:
    """`for` over slices, with lists of what each step keeps."""
    q: Scan = e.primitive  # type: ignore[assignment]
    operands = operands_of(e)
    c, n = q.constants, q.carries
    loop = Loop(e, q.body, operands[:c], operands[c : c + n], operands[c + n :], q.reverse)
    guarded = while_back(scope, loop)
    if guarded is not None:
        loop = guarded
    parts = written(scope, e)
    variables = carry_names(scope, loop, n, e)
    begin(scope, loop, variables)
    results = len(q.body.outputs)
    lists = {
        k: plural(scope, scope.named.get(parts[k]) or result_name(scope, q.body.outputs[k]))
        for k in parts
        if n <= k < results
    }
    records = {k - results: plural(scope, variables[k - results]) for k in parts if k >= results}
    for name in (*lists.values(), *records.values()):
        scope.emit(f"{name} = []")
    slices = slice_names(scope, e, loop, variables)
    heads = []
    for x, name in zip(loop.stacks, slices, strict=True):
        if name != "_":
            text = scope.code(x).at(ATOM)
            heads.append((name, f"{text}[::-1]" if loop.reverse else text))
    scope.emit(header(heads, q.length), head_note(scope, e))
    write_body(scope, loop, variables, slices, lists, records)
    for k, name in {**lists, **{k + results: name for k, name in records.items()}}.items():
        aval: Aval = q.shape()[k]
        if k >= results:
            scope.writer.lists[parts[k]] = variables[k - results]
        scope.codes[parts[k]] = Code(name)
        if q.length and not q.reverse and only_stepped(scope, parts[k]):
            continue
        final = scope.name(scope.named[parts[k]]) if parts[k] in scope.named else name
        rows = f"{name}[::-1]" if q.reverse else name
        made = (
            f"np.stack({rows})"
            if q.length
            else f"np.zeros({tuple_of(aval.shape)}, {dtype_name(aval.dtype)})"
        )
        scope.emit(f"{final} = {made}")
        scope.codes[parts[k]] = Code(final)
    for k, v in enumerate(variables):
        if k in parts:
            scope.codes[parts[k]] = Code(v)


def only_stepped(scope: Scope, stack: Equation) -> bool:
    """Whether a stack is read only by loops that step through it, for which a list will do."""
    if among(stack, scope.program.outputs):
        return False
    for e in scope.program.equations:
        if among(stack, operands_of(e)):
            q = e.primitive
            if not isinstance(q, Scan) or among(stack, operands_of(e)[: q.constants + q.carries]):
                return False
    return True


def header(heads: Sequence[tuple[str, str]], length: int) -> str:
    """`for h in hs:`, `for a, b in zip(xs, ys):`, `for _ in range(10):`."""
    if not heads:
        return f"for _ in range({length}):"
    if len(heads) == 1:
        return f"for {heads[0][0]} in {heads[0][1]}:"
    names, stacks = ", ".join(a for a, _ in heads), ", ".join(b for _, b in heads)
    return f"for {names} in zip({stacks}):"


def result_name(scope: Scope, y: Atom) -> str:
    """What one of the results of each step is called."""
    if isinstance(y, Equation) and not isinstance(y.primitive, Part):
        return scope.writer.names.wanted(y)[0]
    return "result"


# The way back through a loop of unknown length


def while_back(scope: Scope, loop: Loop) -> Loop | None:
    """A loop over the steps that a `while` has made, without the room that it had for more.

    Such a loop goes over all rows of the records, and does nothing in those past the last step.
    Over lists, which have no such rows, only what is done in the others is written.
    """
    stacks = [x for x in loop.stacks if isinstance(x, Node)]
    if not stacks or not all(x in scope.writer.lists for x in stacks):
        return None
    found = guarded(loop)
    if found is None:
        return None
    body, kept = found
    leaves = loop.body.inputs
    n = len(loop.constants) + len(loop.initial)
    inputs = (*leaves[:n], *(leaf for leaf in leaves[n:] if leaf not in kept))
    rows = [x for x, leaf in zip(loop.stacks, leaves[n:], strict=True) if leaf not in kept]
    whole = Program(inputs, body.equations, body.outputs)
    return loop._replace(body=whole, stacks=rows)


def guarded(loop: Loop) -> tuple[Program, set[Node]] | None:
    """The body of a loop that works where `row < count` only, and the leaf with the row."""
    body = loop.body
    switches = [x for x in body.equations if isinstance(x.primitive, Switch)]
    others = [x for x in body.equations if not isinstance(x.primitive, Switch | Part)]
    if len(switches) != 1 or [x.primitive.name for x in others] != ["step", "cast"]:
        return None
    (switch,), (test, _) = switches, others
    if getattr(test.primitive, "function", "") != "less":
        return None
    row = operands_of(test)[0]
    branches = switch.primitive.branches  # type: ignore[attr-defined]
    if len(branches) != 2 or branches[0].equations:
        return None
    outside = dict(zip(branches[1].inputs, operands_of(switch)[1:], strict=True))
    made: dict[Node, Any] = dict(outside)
    equations = []
    for x in branches[1].equations:
        operands = [made.get(y, y) if isinstance(y, Node) else y for y in operands_of(x)]
        aval = None if x.is_several else Aval(x.shape, x.dtype)
        made[x] = apply(x.primitive, operands, aval, x)
        equations.append(made[x])
    results = branches[1].outputs
    outputs = []
    for y in body.outputs:
        if not isinstance(y, Equation) or not isinstance(y.primitive, Part):
            return None
        found = results[y.primitive.index]
        outputs.append(made.get(found, found) if isinstance(found, Node) else found)
    return Program(body.inputs, equations, outputs), {row}


# Loops of unknown length


def write_while(scope: Scope, e: Equation) -> None:
    """`while`, with lists of what each step began with."""
    q: While = e.primitive  # type: ignore[assignment]
    operands = operands_of(e)
    loop = Loop(e, q.body, operands[: q.constants], operands[q.constants :], (), False)
    parts = written(scope, e)
    n = q.carries
    variables = carry_names(scope, loop, n, e)
    begin(scope, loop, variables)
    records = {k - n - 1: plural(scope, variables[k - n - 1]) for k in parts if k > n}
    for name in records.values():
        scope.emit(f"{name} = []")
    plain = {k: only_backwards(scope, parts[k + n + 1], parts.get(n)) for k in records}
    counted = n in parts and not (plain and all(plain.values()) and records)
    steps = scope.writer.names.fresh("steps") if counted else ""
    if counted:
        scope.emit(f"{steps} = 0")
    codes = [scope.code(x) for x in loop.constants] + [Code(v) for v in variables]
    write_condition(scope, q.condition, codes, head_note(scope, e))
    write_body(scope, loop, variables, (), {}, records)
    if counted:
        scope.writer.statements.append(Statement(scope.indent + 1, f"{steps} += 1"))
        scope.codes[parts[n]] = Code(steps)
    elif n in parts:
        scope.codes[parts[n]] = Code(f"len({next(iter(records.values()))})")
        scope.simple.discard(parts[n])
    for k, name in records.items():
        part = parts[k + n + 1]
        if plain[k]:
            scope.writer.lists[part] = variables[k]
        else:
            aval = Aval(part.shape, part.dtype)
            shape = f"{tuple_of(aval.shape)}, {dtype_name(aval.dtype)}"
            scope.emit(f"{name} = {scope.writer.use(helpers.padded)}({name}, {shape})")
        scope.codes[part] = Code(name)
    for k, v in enumerate(variables):
        if k in parts:
            scope.codes[parts[k]] = Code(v)


def only_backwards(scope: Scope, record: Equation, count: Equation | None) -> bool:
    """Whether a record is read only by loops that go back through the steps made."""
    if among(record, scope.program.outputs):
        return False
    for e in scope.program.equations:
        if not among(record, operands_of(e)):
            continue
        q = e.primitive
        if not isinstance(q, Scan) or not among(count, operands_of(e)[: q.constants]):
            return False
        c, n = q.constants, q.carries
        operands = operands_of(e)
        loop = Loop(e, q.body, operands[:c], operands[c : c + n], operands[c + n :], q.reverse)
        if among(record, operands[: c + n]) or guarded(loop) is None:
            return False
    return True


def among(x: Atom, atoms: Sequence[Atom]) -> bool:
    """Whether an atom is one of these."""
    return any(x is y for y in atoms)


def write_condition(
    scope: Scope, condition: Program, codes: Sequence[Code], note: Note | None
) -> None:
    """`while condition:`, or a `break` where the condition takes several lines."""
    place = len(scope.writer.statements)
    inner = Scope(scope.writer, condition, codes, scope.indent + 1, scope)
    (test,) = inner.run()
    if len(scope.writer.statements) == place:
        scope.emit(f"while {test.text}:", note)
        return
    lines = scope.writer.statements[place:]
    del scope.writer.statements[place:]
    scope.emit("while True:", note)
    scope.writer.statements += lines
    inner.emit(f"if not {test.at(OR)}:")
    inner.indent += 1
    inner.emit("break")


# Branches


def write_switch(scope: Scope, e: Equation) -> None:
    """`if`, `elif`, `else`."""
    q: Switch = e.primitive  # type: ignore[assignment]
    index, *operands = operands_of(e)
    parts = written(scope, e)
    names: dict[int, str] = {}
    for k in sorted(parts):
        wanted = next(
            (scope.writer.names.wanted(b.outputs[k])[0] for b in q.branches
             if isinstance(b.outputs[k], Equation)
             and not isinstance(b.outputs[k].primitive, Part)),
            "result",
        )  # fmt: skip
        variable = scope.carried.get(parts[k])
        if variable is not None and scope.is_free(variable, e, within=True):
            names[k] = variable
        else:
            names[k] = scope.name(scope.named.get(parts[k], wanted))
    codes = [scope.code(x) for x in operands]
    heads, branches = tests(scope, q, index)
    for k, (head, branch) in enumerate(zip(heads, branches, strict=True)):
        scope.emit(head, scope.writer.note(e) if k == 0 else None)
        write_branch(scope, branch, codes, names)
    for k, name in names.items():
        scope.codes[parts[k]] = Code(name)


def tests(scope: Scope, q: Switch, index: Atom) -> tuple[list[str], list[Program]]:
    """The heads of the branches, and the branches in that order."""
    if len(q.branches) == 2 and isinstance(index, Equation) and type(index.primitive) is Cast:
        (flag,) = operands_of(index)
        if isinstance(flag, Node) and flag.dtype.kind == "b":
            test = scope.conditions.get(index) or scope.code(flag)
            return [f"if {test.text}:", "else:"], [q.branches[1], q.branches[0]]
    word = scope.code(index).text
    last = len(q.branches) - 1
    heads = [f"if {word} <= 0:", *(f"elif {word} == {k}:" for k in range(1, last)), "else:"]
    return (heads, list(q.branches)) if last else (["if True:"], list(q.branches))


def write_branch(
    scope: Scope, branch: Program, codes: Sequence[Code], names: dict[int, str]
) -> None:
    """The lines of one branch, which end with the results under their names."""
    carried: dict[Node, str] = {
        y: names[k] for k, y in enumerate(branch.outputs) if k in names and isinstance(y, Equation)
    }
    inner = Scope(scope.writer, branch, codes, scope.indent + 1, scope, carried=carried)
    outputs = inner.run()
    for k, name in names.items():
        y = branch.outputs[k]
        note = inner.writer.note(y) if isinstance(y, Equation) else None
        if outputs[k].text != name:
            inner.emit(f"{name} = {outputs[k].text}", note)
    if not names:
        inner.emit("pass")


writes.update(scan=write_scan, switch=write_switch)
writes["while"] = write_while
