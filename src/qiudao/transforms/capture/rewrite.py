"""The rewriting of a function's source so that it asks, at each decision, whether it can decide.

    if c: A          .t = c
    else: B          if .rt.unknown(.t): .rt.branch(site, .t, here)
                     elif .t: A
                     else: B

    while c: A       .it = .rt.rounds(here)
                     while .it.mark() and .it.known(.t := c) and .t: A
                     else:
                         if .it.turned: .rt.loop(site, .it, here)

`here` is `lambda: (x, y, ...)`: never called, it holds the cells of the variables.  Names with a
dot cannot meet the user's.  Where a decision lets control jump, what follows is part of it:

    if c: return x   .t = c
    B                if .rt.unknown(.t): return .rt.finish(site, .t, here)
                     elif .t: return x
                     B

and inside a loop that runs in Python so far, the loop goes back to the start of its step and turns
into a structured one: `.it.rewind(); continue`.

The pieces of a structured construct are functions; they return how control left them: None at
their end, or an `Outcome`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, NamedTuple

from .assignments import Assignments
from .compiling import compile_function, place
from .effects import is_plain
from .expressions import Expressions, call, name, thunk
from .holders import read_later
from .jumps import jumps, may_turn
from .liveness import Liveness
from .nodes import below, copied
from .scopes import Scope, bound, mentioned, written
from .sites import Site, Sites
from .source import Function

NONE: frozenset[str] = frozenset()
COMPOUND = ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match
Write = Callable[[Any, Any, "Tail"], list[ast.stmt]]


class Tail(NamedTuple):
    """What follows up to the end of a unit: a function, or the step of a loop.

    `blocked` where it lies outside a `with` or `try` that the unit's own end is inside of.
    """

    statements: tuple[ast.stmt, ...] = ()
    blocked: bool = False
    end: frozenset[str] = NONE
    in_function: bool = True

    def then(self, rest: Sequence[ast.stmt]) -> Tail:
        """The tail inside a block that `rest` follows."""
        return self._replace(statements=(*rest, *self.statements))

    def fenced(self) -> Tail:
        """The tail inside a `with` or `try`."""
        return self._replace(statements=(), blocked=self.blocked or bool(self.statements))


class Writer(Assignments):
    """Rewrites the statements of one function; `structured` within a piece."""

    def __init__(
        self,
        scope: Scope,
        file: str,
        flags: int,
        sites: Sites,
        live: Liveness,
        structured: bool,
    ) -> None:
        super().__init__(scope, structured)
        self.file, self.flags, self.sites = file, flags, sites
        self.live = live
        self.loops: list[str] = []  # the variables of the loops around that run in Python
        self.trying = 0

    # Sites

    def site(self, node: Any, tail: Tail) -> tuple[Site, list[ast.expr]]:
        """A new site, and how the code refers to it and to the variables."""
        made = Site(
            node, self.scope, self.file, self.live.after.get(node, NONE) | self.scope.kept,
            self.live.head.get(node, NONE) | self.scope.kept, tail.statements,
            tail.end | self.scope.kept, tail.in_function, self.compile_piece,
        )  # fmt: skip
        self.sites.append(made)
        names = mentioned([node, *tail.statements]) | self.scope.kept
        names = (names & self.scope.visible) | {".rt", ".sites"}
        index: ast.expr = ast.Constant(len(self.sites) - 1)
        here = ast.Tuple([name(n) for n in sorted(names)], ast.Load())
        return made, [ast.Subscript(name(".sites"), index, ast.Load()), thunk(here)]

    # Blocks

    def block(self, statements: Sequence[ast.stmt], tail: Tail) -> list[ast.stmt]:
        """Statements rewritten; `tail` is what comes after them."""
        found: list[ast.stmt] = []
        for k, node in enumerate(statements):
            new = self.statement(node, tail.then(statements[k + 1 :]))
            for each in new:
                place(each, node)
            found += [*self.guards(node), *new]
        return found

    def guards(self, node: ast.stmt) -> list[ast.stmt]:
        """Questions asked before a statement that writes variables from outside the function."""
        if isinstance(node, COMPOUND):
            return []
        outside = bound([node]) & (self.scope.globals | self.scope.nonlocals)
        found: list[ast.stmt] = []
        for each in sorted(outside):
            kind = "global" if each in self.scope.globals else "nonlocal"
            cell = thunk(name(each))
            found.append(ast.Expr(call("outside", ast.Constant(kind), ast.Constant(each), cell)))
        for question in found:
            place(question, node)
        return found

    def statement(self, node: ast.stmt, tail: Tail) -> list[ast.stmt]:
        """One statement rewritten."""
        live = self.live
        self.live_after = self.scope.kept.union(
            live.after.get(node, NONE) - bound([node]), live.head.get(node, NONE),
            live.before.get(node, NONE) if isinstance(node, COMPOUND) else NONE,
        )  # fmt: skip
        method: Write | None = getattr(self, f"write_{type(node).__name__}", None)
        if method is not None:
            return method(copy.copy(node), node, tail)
        if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef):
            return [copied(node)]
        return [self.visit(copied(node))]

    # Decisions

    def write_If(self, node: ast.If, old: ast.If, tail: Tail) -> list[ast.stmt]:
        node.test = self.expression(node.test)
        node.body = self.block(node.body, tail)
        node.orelse = self.block(node.orelse, tail)
        if is_settled(old.test):
            return [node]
        leaving = list(jumps([old]))
        _, where = self.site(old, tail)
        test = self.temporary()
        asked = name(test)
        if leaving:
            act = self.leave("finish", [where[0], asked, where[1]], leaving, tail, where[0])
        else:
            act = [ast.Expr(call("branch", where[0], asked, where[1]))]
        first = ast.Assign([name(test, ast.Store())], node.test)
        node.test = name(test)
        return [first, ast.If(call("unknown", name(test)), act, [node])]

    def leave(
        self, how: str, arguments: list[ast.expr], leaving: list[ast.AST], tail: Tail,
        site: ast.expr,
    ) -> list[ast.stmt]:  # fmt: skip
        """What to do where a traced value decides whether control jumps."""
        if self.loops:
            far = any(isinstance(j, ast.Return) for j in leaving)
            outermost = self.loops[0] if far else self.loops[-1]
            rewind = call_method(outermost, "rewind")
            out = ast.Continue() if outermost == self.loops[-1] else ast.Break()
            return [ast.Expr(rewind), out]
        if tail.blocked:
            return [ast.Expr(call("refuse_block", site))]
        result = call(how, *arguments)
        return [ast.Return(result if self.structured else call("returned", result))]

    def write_Assert(self, node: ast.Assert, old: ast.Assert, tail: Tail) -> list[ast.stmt]:
        test = self.temporary()
        first = ast.Assign([name(test, ast.Store())], self.expression(old.test))
        node.test = name(test)
        node.msg = None if old.msg is None else self.expression(old.msg)
        _, where = self.site(old, Tail())
        refusal = ast.If(
            call("unknown", name(test)), [ast.Expr(call("refuse_assert", where[0]))], []
        )
        return [ast.If(name("__debug__"), [first, refusal, node], [])]

    # Loops

    def write_For(self, node: ast.For, old: ast.For, tail: Tail) -> list[ast.stmt]:
        it = self.temporary()
        _, where = self.site(old, tail)
        turns = may_turn(old)
        tried = not turns and not list(jumps(old.body)) and is_plain(old.body)
        values = self.columns(old.iter) if tried or turns else self.expression(old.iter)
        given = [values, where[1], ast.Constant(turns)]
        steps = call("tried", where[0], *given) if tried else call("steps", *given)
        node.iter = name(it)
        node.target = self.visit(copied(node.target))
        first = ast.Assign([name(it, ast.Store())], steps)
        return [first, *self.loop(node, old, it, where, tail)]

    def columns(self, node: ast.expr) -> ast.expr:
        """What a loop goes through: `zip`, `enumerate` and `reversed` of arrays stay arrays."""
        match node:
            case ast.Call(func=ast.Name(id="zip" | "enumerate" | "reversed"), args=args):
                new = call("through", self.expression(node.func), *map(self.columns, args))
                new.keywords = [ast.keyword(k.arg, self.expression(k.value)) for k in node.keywords]
                return new
        return self.expression(node)

    def write_While(self, node: ast.While, old: ast.While, tail: Tail) -> list[ast.stmt]:
        it, test = self.temporary(), self.temporary()
        _, where = self.site(old, tail)
        rounds = call("rounds", where[1], ast.Constant(may_turn(old)))
        asked = ast.NamedExpr(name(test, ast.Store()), self.expression(node.test))
        node.test = ast.BoolOp(
            ast.And(), [call_method(it, "mark"), call_method(it, "known", asked), name(test)]
        )
        first = ast.Assign([name(it, ast.Store())], rounds)
        return [first, *self.loop(node, old, it, where, tail)]

    def loop(
        self, node: Any, old: Any, it: str, where: list[ast.expr], tail: Tail
    ) -> list[ast.stmt]:
        """The body of a loop, and its end: that of Python, or the structured loop."""
        leaving = list(jumps([old]))
        arguments = [where[0], name(it), where[1]]
        if leaving:
            act = self.leave("finish_loop", arguments, leaving, tail, where[0])
        else:
            act = [ast.Expr(call("loop", *arguments))]
        turned = ast.Attribute(name(it), "turned", ast.Load())
        orelse = self.block(node.orelse, tail)
        self.loops.append(it)
        node.body = self.block(node.body, Tail((), False, self.live.head[old], False))
        self.loops.pop()
        node.orelse = [ast.If(turned, act, orelse)]
        over = ast.Assign([name(it, ast.Store())], ast.Constant(None))  # it holds an array
        far = self.loops and any(isinstance(j, ast.Return) for j in leaving)
        if not far:
            return [node, over]
        out = ast.Continue() if len(self.loops) == 1 else ast.Break()
        outer = ast.Attribute(name(self.loops[0]), "turned", ast.Load())
        return [node, over, ast.If(outer, [out], [])]

    # Jumps

    def write_Return(self, node: ast.Return, old: ast.Return, tail: Tail) -> list[ast.stmt]:
        value = ast.Constant(None) if node.value is None else self.expression(node.value)
        node.value = call("Return", value) if self.structured else value
        return [node]

    def write_Break(self, node: ast.stmt, old: ast.stmt, tail: Tail) -> list[ast.stmt]:
        return [node if self.loops else ast.Return(rt("BREAK"))]

    def write_Continue(self, node: ast.stmt, old: ast.stmt, tail: Tail) -> list[ast.stmt]:
        return [node if self.loops else ast.Return(rt("CONTINUE"))]

    def write_Raise(self, node: ast.Raise, old: ast.Raise, tail: Tail) -> list[ast.stmt]:
        if self.structured and not self.trying:
            _, where = self.site(old, Tail())
            return [ast.Expr(call("refuse_raise", where[0]))]
        return [self.visit(copied(old))]

    # Blocks that are entered and left

    def write_With(self, node: ast.With, old: ast.With, tail: Tail) -> list[ast.stmt]:
        node.items = [self.visit(copied(item)) for item in node.items]
        node.body = self.block(node.body, tail.fenced())
        return [node]

    def write_Try(self, node: ast.Try, old: ast.Try, tail: Tail) -> list[ast.stmt]:
        inner = tail.fenced()
        self.trying += 1
        node.body = self.block(node.body, inner)
        self.trying -= 1
        node.handlers = [self.handler(h, inner) for h in node.handlers]
        if node.handlers:  # a refusal of ours must reach the user
            node.handlers.insert(0, ast.ExceptHandler(rt("CaptureError"), None, [ast.Raise()]))
        node.orelse = self.block(node.orelse, inner)
        node.finalbody = self.block(node.finalbody, inner)
        return [node]

    def handler(self, old: ast.ExceptHandler, tail: Tail) -> ast.ExceptHandler:
        """One `except` of a `try`."""
        node = copy.copy(old)
        node.type = None if node.type is None else self.expression(node.type)
        node.body = self.block(node.body, tail)
        return node

    def write_Match(self, node: ast.Match, old: ast.Match, tail: Tail) -> list[ast.stmt]:
        node.subject = self.expression(node.subject)
        cases = []
        for case in node.cases:
            new = copy.copy(case)
            new.guard = None if case.guard is None else self.expression(case.guard)
            new.body = self.block(case.body, tail)
            cases.append(new)
        node.cases = cases
        return [node]

    # Names

    def write_Global(self, node: ast.stmt, old: ast.stmt, tail: Tail) -> list[ast.stmt]:
        return [ast.Pass() if self.structured else node]

    def write_Nonlocal(self, node: ast.stmt, old: ast.stmt, tail: Tail) -> list[ast.stmt]:
        return self.write_Global(node, old, tail)

    def write_FunctionDef(
        self, node: ast.FunctionDef, old: ast.FunctionDef, tail: Tail
    ) -> list[ast.stmt]:
        node.decorator_list = [self.expression(d) for d in node.decorator_list]
        node.args = self.defaults(node.args)
        scope = Scope(old, self.scope.visible)
        if not scope.is_generator:
            node.body = function_body(scope, self.file, self.flags, self.sites)
        return [node]

    # Pieces

    def compile_piece(self, site: Site, piece: str) -> CodeType:
        """A piece of a site as the code of a function."""
        writer = Writer(self.scope, self.file, self.flags, self.sites, self.live, True)
        node = site.node
        tail = Tail((), False, site.end, site.in_function)
        if "rest" not in piece:
            tail = Tail((), False, site.live, False)
        parameters: list[str] = []
        if piece == "test":
            body: list[ast.stmt] = [ast.Return(call("Return", writer.expression(node.test)))]
            binding: Sequence[ast.AST] = [node.test]
        elif piece == "step":
            tail = Tail((), False, site.head, False)
            body = writer.block(node.body, tail)
            binding = node.body
            if isinstance(node, ast.For):
                parameters = [".item"]
                item = ast.Assign([copied(node.target)], name(".item"))
                ast.copy_location(item, node)
                body = [*writer.statement(item, tail), *body]
                binding = [node.target, *node.body]
        else:
            statements: Sequence[ast.stmt] = {
                "true": getattr(node, "body", []),
                "false": node.orelse,
                "true, rest": [*node.body, *site.rest],
                "false, rest": [*node.orelse, *site.rest],
                "rest": site.rest,
                "else": node.orelse,
            }[piece]
            body = writer.block(statements, tail)
            binding = statements
        bound_here = bound(binding) | written(binding)
        shared = sorted((bound_here & self.scope.visible) - set(parameters))
        outer = sorted(bound(binding) & self.scope.globals)
        head: list[ast.stmt] = [ast.Nonlocal(shared)] if shared else []
        head += [ast.Global(outer)] if outer else []
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        made = ast.FunctionDef(self.scope.name, arguments, [*head, *body, ast.Pass()], [])
        for each in [*head, *made.body]:
            place(each, node)
        place(made, node)
        code = compile_function(made, self.scope.visible, self.file, self.flags, self.scope.name)
        self.sites.note(code)
        return code


def rt(what: str) -> ast.expr:
    """A name of the runtime."""
    return ast.Attribute(name(".rt"), what, ast.Load())


def call_method(of: str, method: str, *arguments: ast.expr) -> ast.expr:
    """`of.method(arguments)`."""
    return ast.Call(ast.Attribute(name(of), method, ast.Load()), list(arguments), [])


def is_settled(test: ast.expr) -> bool:
    """Whether a condition is never a traced value."""
    match test:
        case ast.Compare(ops=ops):
            return all(isinstance(op, ast.Is | ast.IsNot) for op in ops)
        case ast.Call(func=ast.Name(id="isinstance" | "callable" | "hasattr" | "issubclass")):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_settled(operand)
        case ast.Constant():
            return True
    return False


def function_body(scope: Scope, file: str, flags: int, sites: Sites) -> list[ast.stmt]:
    """The statements of a function rewritten."""
    body: Any = scope.node.body
    live = Liveness(body, scope.kept)
    for line, names in live.by_line(body):
        known = read_later.setdefault(file, {})
        known[line] = known.get(line, NONE) | names
    writer = Writer(scope, file, flags, sites, live, False)
    return writer.block(body, Tail())


def rewritten(node: Function, around: frozenset[str], file: str, flags: int,
              sites: Sites) -> Function:  # fmt: skip
    """A function rewritten, without decorators and defaults, which its object has."""
    scope = Scope(node, around)
    new = copy.copy(node)
    new.args = bare(node.args)
    if isinstance(new, ast.Lambda):
        new.body = Expressions(scope).visit(copied(new.body))
        place(new, node)
        return new
    new.decorator_list = []
    new.returns = None
    documented = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
    head = scope.body[:1] if documented else []
    new.body = [*head, *function_body(scope, file, flags, sites)[len(head) :]]
    place(new, node)
    return new


def bare(arguments: ast.arguments) -> ast.arguments:
    """Arguments without defaults and annotations."""
    new = copied(arguments)
    new.defaults = []
    new.kw_defaults = [None for _ in new.kwonlyargs]
    for each in below(new):
        if isinstance(each, ast.arg):
            each.annotation = None
    return new
