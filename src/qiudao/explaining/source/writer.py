"""A program as statements: what is read once goes where it is read, the rest gets a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from ...core.avals import Aval, aval_of, promote
from ...core.families import Elementwise
from ...core.node import Equation, Node
from ...core.parts import Part
from ...core.program import Atom, Program, operands_of
from ...core.roles import role_of
from ...core.source import line_of
from ...ops.control import Scan, Structured, Switch, While
from ...ops.shaping import Cast
from . import constants, spelling
from .code import ATOM, Code
from .constants import LISTED
from .lines import Note, Statement
from .names import Names, word
from .table import Phrase, Term, spelling_of

__all__ = ["Scope", "Writer", "spelling"]

WIDTH = 88  # columns of a line
INLINE = 52  # columns of an expression within another
CHEAP = 22  # columns of a view that may be written any number of times
VIEWS = {"getitem", "transpose", "real", "imag", "reshape", "negative"}


class Writer:
    """What is shared by all parts of one printed function."""

    def __init__(
        self, names: Names, known: Mapping[str, Any], ignored: tuple[CodeType, int]
    ) -> None:
        self.names = names
        self.statements: list[Statement] = []
        self.helpers: dict[Callable[..., Any], str] = {}
        self.modules: set[str] = set()  # to import, beside NumPy
        self.known = dict(known)  # the user's arrays, by name
        self.arrays: dict[str, Any] = {}  # constants that stand above the function, by name
        self.ignored = ignored  # the call that prints, whose line says nothing
        self.reusable: set[str] = set()  # names of loops, which may be bound anew
        self.loops: dict[Any, list[tuple[str, Any]]] = {}  # what loops carry, by their places
        self.lists: dict[Node, str] = {}  # records of loops that are lists: what a step is called

    def use(self, helper: Callable[..., Any] | ModuleType) -> str:
        """The name of a helper function, which is printed above, or of a module to import."""
        if isinstance(helper, ModuleType):
            self.names.taken.add(helper.__name__)
            self.modules.add(helper.__name__)
            return helper.__name__
        if helper not in self.helpers:
            self.names.taken.add(helper.__name__)
            self.helpers[helper] = helper.__name__
        return self.helpers[helper]

    def constant(self, value: Any, weak: bool, whole: bool = False) -> Code:
        """A constant as code: a number, a small array, or a name for a larger one.

        A `weak` number may be a literal, and a `whole` one may be written without a point.
        """
        if np.ndim(value) == 0:
            plain = type(value) in (bool, int, float, complex)
            natural = np.asarray(value).dtype.str[1:] in ("f8", "c16", "b1")
            if weak or plain or natural:
                return constants.number(value, whole)
            return constants.typed(value)
        value = np.asarray(value)
        for name, array in self.arrays.items():
            if same(array, value):
                return Code(name)
        made = constants.constructed(value)
        if made is not None:
            return made
        word = next((n for n, array in self.known.items() if same(array, value)), "")
        if not word and value.size <= LISTED:
            return constants.array(value)
        found = self.names.fresh(word or "constant")
        self.arrays[found] = value
        return Code(found)

    def note(self, equation: Equation) -> Note | None:
        """Where an equation comes from."""
        code = getattr(equation, "code", None)
        if code is None:
            return None
        line = line_of(code, equation.offset)
        if (code, line.number) == self.ignored:
            return None
        return Note(line, role_of(equation) is not None)


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are one and the same constant."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


class Scope:
    """The statements of one program: the function, the body of a loop, a branch."""

    def __init__(
        self,
        writer: Writer,
        program: Program,
        inputs: Sequence[Code],
        indent: int,
        parent: Scope | None = None,
        named: Mapping[Node, str] | None = None,
        carried: Mapping[Node, str] | None = None,
    ) -> None:
        self.writer = writer
        self.program = program
        self.indent = indent
        self.parent = parent
        self.named = dict(named or {})  # what outputs must be called
        self.carried = dict(carried or {})  # variables that outputs of a loop's body become
        self.codes: dict[Node, Code] = dict(zip(program.inputs, inputs, strict=True))
        self.within = parts_of_calls(program)  # which have no name
        self.left = uses(program)  # how many times each value is still to be read
        self.simple = {  # what stands in several places, or in a loop, must be a variable
            x
            for e in program.equations
            if isinstance(e.primitive, Structured)
            for x in operands_of(e)
            if isinstance(x, Node)
        }
        self.results = set() if parent else {y for y in program.outputs if isinstance(y, Node)}
        self.conditions: dict[Node, Code] = {}  # what decides a branch, before it is a number
        self.tests = {
            e for e in map(branch_number, program.equations) if e is not None and self.left[e] == 1
        }
        self.simple -= self.tests | starts(program, self.left)
        self.parts: dict[Node, dict[int, Equation]] = {}
        for e in program.equations:
            if isinstance(e.primitive, Part):
                self.parts.setdefault(operands_of(e)[0], {})[e.primitive.index] = e

    # Statements

    def emit(self, text: str, note: Note | None = None) -> None:
        """Add a line."""
        self.writer.statements.append(Statement(self.indent, text, note))

    def assign(self, node: Equation, name: str | None = None) -> Code:
        """Give what was to stand inside another expression a line and a name of its own."""
        wanted = name or self.writer.names.fresh(self.writer.names.wanted(node)[0])
        self.emit(f"{wanted} = {self.codes[node].text}", self.writer.note(node))
        self.codes[node] = Code(wanted)
        return self.codes[node]

    def run(self) -> list[Code]:
        """Write every equation; the outputs as codes."""
        for e in self.program.equations:
            if isinstance(e.primitive, Part):
                continue
            if isinstance(e.primitive, Structured):
                for x in operands_of(e):
                    shared = isinstance(x, Equation) and x in self.simple
                    if shared and not is_cheap(self.codes[x]):
                        self.assign(x)
                writes[e.primitive.name](self, e)
                self.read(e)
            elif e.is_several:
                self.define_several(e)
            else:
                self.define(e)
        return [self.code(y) for y in self.program.outputs]

    def define(self, e: Equation) -> None:
        """An equation with one result."""
        names = self.writer.names
        if e in self.tests:
            self.conditions[e] = self.code(operands_of(e)[0])
        wanted, given = names.wanted(e)
        if e in self.within:
            wanted, given = word(e.primitive), False
        if e in self.named and not given:
            wanted, given = self.named[e], True
        code = self.spelled(e, len(wanted) + 3)
        self.codes[e] = code
        self.read(e)
        carried = self.carried.get(e)
        if carried is not None and self.is_free(carried, e, within=True):
            self.emit(f"{carried} = {code.text}", self.writer.note(e))
            self.codes[e] = Code(carried)
        elif code.is_name or not self.left[e]:
            return
        elif given or self.wants_name(e, code):
            lasting = given or wanted.endswith(("_grad", "_dot"))
            bound = lasting and not self.is_in_the_way(wanted, e)
            self.assign(e, self.name(wanted, made=e) if bound else self.writer.names.fresh(wanted))

    def is_in_the_way(self, name: str, e: Equation) -> bool:
        """Whether a loop's variable would keep an intermediate value until its own is made."""
        for y, variable in self.carried.items():
            if variable == name:
                ready = isinstance(y, Equation) and any(x is e for x in operands_of(y))
                return not (ready and self.left[e] == 1)
        return False

    def name(self, wanted: str, taken: Sequence[str] = (), made: Node | None = None) -> str:
        """A variable: the wanted name, bound anew where what has it is not read again."""
        writer = self.writer
        if wanted in writer.reusable and wanted not in taken and self.is_free(wanted, made):
            return wanted
        found = writer.names.fresh(wanted)
        writer.reusable.add(found)
        return found

    def wants_name(self, e: Equation, code: Code) -> bool:
        """Whether a value is read too often, or is too long, to stand where it is read."""
        if self.left[e] > 1:
            return not (e.primitive.name in VIEWS and is_cheap(code))
        if e in self.tests:
            return False
        if e in self.results:
            return len(code.text) > WIDTH - 4 - len("return ")
        return len(code.text) > INLINE or (e in self.simple and not is_cheap(code))

    def define_several(self, e: Equation) -> None:
        """An equation with several results."""
        parts = {k: p for k, p in self.parts.get(e, {}).items() if self.left[p]}
        code = self.spelled(e, 12)
        self.read(e)
        count = len(e.primitive.shape(*map(aval_of, operands_of(e))))
        words = self.writer.names.several(e, count)
        if len(parts) == 1:
            ((k, part),) = parts.items()
            self.codes[part] = Code(f"{code.at(ATOM)}[{k}]")
            if self.wants_name(part, self.codes[part]):
                self.assign(part, self.name(words[k]))
            return
        fresh = {k: self.writer.names.fresh(words[k]) for k in sorted(parts)}
        self.emit(", ".join(fresh.get(k, "_") for k in range(count)) + f" = {code.text}",
                  self.writer.note(e))  # fmt: skip
        for k, part in parts.items():
            self.codes[part] = Code(fresh[k])

    # Expressions

    def spelled(self, e: Equation, reserved: int) -> Code:
        """The code of an equation; operands get lines of their own until it fits on one."""
        while True:
            code = spelling_of(e)(self.phrase(e))
            if 4 * self.indent + reserved + len(code.text) <= WIDTH:
                return code
            longest = max(
                (x for x in operands_of(e) if isinstance(x, Equation) and self.is_inside(x)),
                key=lambda x: len(self.codes[x].text),
                default=None,
            )
            if longest is None:
                return code
            self.assign(longest)

    def is_inside(self, x: Equation) -> bool:
        """Whether an operand is written within the expression, and long enough to be taken out."""
        return not self.codes[x].is_name and len(self.codes[x].text) > 12

    def phrase(self, e: Equation) -> Phrase:
        """An equation and its operands, ready to be spelled."""
        operands = operands_of(e)
        weak = widens_nothing(e)
        whole = weak and role_of(e) is not None and widens_nothing(e, whole=True)
        terms = [self.term(x, weak, whole) for x in operands]
        shape = () if e.is_several else e.shape
        dtype = np.dtype(np.float64) if e.is_several else e.dtype
        derived = role_of(e) is not None
        return Phrase(e.primitive, terms, shape, dtype, self.writer.use, self.inner, derived)

    def term(self, x: Atom, weak: bool = False, whole: bool = False) -> Term:
        """An operand."""
        aval = aval_of(x)
        if isinstance(x, Node):
            equation = x if isinstance(x, Equation) else None
            return Term(self.codes[x], aval.shape, aval.dtype, None, equation)
        return Term(self.writer.constant(x, weak, whole), aval.shape, aval.dtype, x)

    def inner(self, term: Term, name: str) -> Term | None:
        """The operand of what stands within the expression being written, if it is a `name`."""
        e = term.equation
        if e is None or e.primitive.name != name or self.codes[e].is_name:
            return None
        (x,) = operands_of(e)
        return self.term(x)

    def code(self, x: Atom) -> Code:
        """A value that is read outside of any equation."""
        if isinstance(x, Node):
            return self.codes[x]
        return self.writer.constant(x, weak=False)

    # What is read when

    def read(self, e: Equation) -> None:
        """The operands of an equation were read."""
        for x in operands_of(e):
            if isinstance(x, Node):
                self.left[x] -= 1

    def is_free(self, name: str, made: Node | None = None, within: bool = False) -> bool:
        """Whether nothing that is still to be written reads a variable, but for what is `made`.

        A variable of this loop's own is looked for `within` it only.
        """
        for node, code in self.codes.items():
            if node is not made and self.left[node] > 0 and name in code.names:
                return False
        return within or self.parent is None or self.parent.is_free(name)


def uses(program: Program) -> Counter[Node]:
    """How many times each value is read."""
    found: Counter[Node] = Counter()
    for e in program.equations:
        found.update(x for x in operands_of(e) if isinstance(x, Node))
    found.update(y for y in program.outputs if isinstance(y, Node))
    return found


def parts_of_calls(program: Program) -> set[Equation]:
    """What is computed on the way to the result of one call of the user's: it has no name."""
    found: set[Equation] = set()
    for e in program.equations:
        if role_of(e) is not None or isinstance(e.primitive, Part):
            continue
        for x in operands_of(e):
            if (
                isinstance(x, Equation)
                and role_of(x) is None
                and type(x.primitive) is not type(e.primitive)
                and (x.code, x.offset) == (e.code, e.offset)
            ):
                found.add(x)
    return found


def starts(program: Program, left: Counter[Node]) -> set[Equation]:
    """What a loop starts with, and nothing else reads: it stands where its variable is made."""
    found: set[Equation] = set()
    for e in program.equations:
        q = e.primitive
        if isinstance(q, Scan | While):
            first = operands_of(e)[q.constants : q.constants + q.carries]
            found.update(x for x in first if isinstance(x, Equation) and left[x] == 1)
    return found


def branch_number(e: Equation) -> Equation | None:
    """The number that chooses between two branches, where it was made of a condition."""
    if not isinstance(e.primitive, Switch) or len(e.primitive.branches) != 2:
        return None
    index = operands_of(e)[0]
    if isinstance(index, Equation) and isinstance(index.primitive, Cast):
        (flag,) = operands_of(index)
        return index if isinstance(flag, Node) and flag.dtype.kind == "b" else None
    return None


def is_cheap(code: Code) -> bool:
    """Whether an expression is a variable or a short view of one."""
    bare = code.text.removeprefix("-")
    if bare.isidentifier():
        return True
    return code.level == ATOM and len(code.text) <= CHEAP and "(" not in code.text


KINDS = {"f": float, "c": complex, "i": int, "b": bool}


def widens_nothing(e: Equation, whole: bool = False) -> bool:
    """Whether literals may stand for the constant operands of an equation; `whole`: integers."""
    operands = operands_of(e)
    if not isinstance(e.primitive, Elementwise):
        return e.primitive.name in ("setitem", "put")
    if all(not isinstance(x, Node) for x in operands):
        return False
    kinds = {**KINDS, "f": int} if whole else KINDS
    avals = [aval_of(x) for x in operands]
    weak = [
        Aval((), a.dtype, kinds.get(a.dtype.kind)) if not isinstance(x, Node) and not a.shape else a
        for x, a in zip(operands, avals, strict=True)
    ]
    if promote(*avals) != promote(*weak):
        return False
    return bool(e.primitive.shape(*weak)[:2] == (e.shape, e.dtype))


writes: dict[str, Callable[[Scope, Equation], None]] = {}
"""How each structured primitive is written, by name."""
