"""Which names may be read later: the others need not agree between branches, nor be carried.

    live before a statement = what it reads, and what is live after it less what it binds

Loops are gone round until nothing changes.  Names that nested functions mention are always live.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeGuard

from .nodes import below, children
from .scopes import COMPREHENSIONS, SCOPES, bound

Names = frozenset[str]
NONE: Names = frozenset()


class Around(NamedTuple):
    """What is live where `break` and `continue` lead."""

    at_break: Names = NONE
    at_continue: Names = NONE


class Liveness:
    """The live names of a function: `after` a statement, and at the `head` of a loop."""

    def __init__(self, body: Sequence[ast.stmt], always: Names) -> None:
        self.always = always
        self.after: dict[ast.AST, Names] = {}
        self.before: dict[ast.AST, Names] = {}
        self.head: dict[ast.AST, Names] = {}
        self.block(body, NONE, Around())

    def block(self, body: Sequence[ast.stmt], out: Names, around: Around) -> Names:
        """What is live before some statements, by what is live after them."""
        for node in reversed(body):
            self.after[node] = self.after.get(node, NONE) | out
            out = self.statement(node, out, around)
            self.before[node] = self.before.get(node, NONE) | out
        return out

    def statement(self, node: ast.stmt, out: Names, around: Around) -> Names:
        """What is live before one statement."""
        match node:
            case ast.Return():
                return reads([node])
            case ast.Raise():
                return reads([node])
            case ast.Break():
                return around.at_break
            case ast.Continue():
                return around.at_continue
            case ast.If():
                return (
                    reads([node.test])
                    | self.block(node.body, out, around)
                    | self.block(node.orelse, out, around)
                )
            case ast.While():
                return self.loop(node, [node.test], [], out, around)
            case ast.For():
                return reads([node.iter]) | self.loop(node, [], [node.target], out, around)
            case ast.With():
                inner = self.block(node.body, out, around)
                return reads(node.items) | (inner - bound(node.items))
            case ast.Try() | ast.Match():
                return self.tangled(node, out, around)
            case _:
                return reads([node]) | (out - bound([node]))

    def loop(
        self, node: Any, test: list[ast.AST], target: list[ast.AST], out: Names, around: Around
    ) -> Names:
        """What is live at the head of a loop."""
        head = after = self.block(node.orelse, out, around) | reads(test)
        while True:
            inside = self.block(node.body, head, Around(out, head))
            new = after | (inside - bound(target)) | reads(target)
            if new == head:
                break
            head = new
        self.head[node] = head
        return head

    def tangled(self, node: ast.Try | ast.Match, out: Names, around: Around) -> Names:
        """Where paths are many: whatever is read in any part is live throughout."""
        live = out | reads([node]) | around.at_break | around.at_continue
        parts: list[Any] = [node]
        if isinstance(node, ast.Try):
            parts += node.handlers
        else:
            parts += node.cases
        for part in parts:
            for field in ("body", "orelse", "finalbody"):
                self.block(getattr(part, field, []), live, around)
        return live

    def by_line(self, body: Sequence[ast.stmt]) -> Iterator[tuple[int, Names]]:
        """For each line of some statements, names that are read after a call on it returns."""
        for top in body:
            for node in below(top):
                if isinstance(node, SCOPES) or not isinstance(node, ast.stmt):
                    continue
                inner = [b for each in children(node) for b in statements(each)]
                names = self.after.get(node, NONE) - bound([node]) | self.head.get(node, NONE)
                last = node.end_lineno or node.lineno
                if inner:
                    last = max(node.lineno, inner[0].lineno - 1)
                    names = names.union(*(self.before.get(b, NONE) for b in inner))
                    names |= beside_calls(heads(node))
                else:
                    names |= repeated(node) | beside_calls([node])
                for line in range(node.lineno, last + 1):
                    yield line, names | self.always


def statements(node: ast.AST) -> list[ast.stmt]:
    """A statement itself, or those of a handler or a case."""
    if isinstance(node, ast.ExceptHandler | ast.match_case):
        return node.body
    return [node] if isinstance(node, ast.stmt) else []


def repeated(node: ast.AST) -> Names:
    """The names that a statement reads more than once, or may."""
    found: list[str] = []
    for each in below(node):
        if is_read(each):
            found.append(each.id)
        elif isinstance(each, COMPREHENSIONS | ast.Lambda):
            found += 2 * [n.id for n in below(each) if isinstance(n, ast.Name)]
    return frozenset(n for n in found if found.count(n) > 1)


def heads(node: ast.stmt) -> list[ast.AST]:
    """The expressions of a statement that has others within it."""
    return [each for each in children(node) if isinstance(each, ast.expr | ast.withitem)]


def beside_calls(nodes: Sequence[ast.AST]) -> Names:
    """The names that some expressions read beside a call in them, and so may hold while it runs."""
    read = [n for top in nodes for n in below(top) if is_read(n)]
    found: set[str] = set()
    for call in (n for top in nodes for n in below(top) if isinstance(n, ast.Call)):
        inside = set(below(call))
        found |= {n.id for n in read if n not in inside}
    return frozenset(found)


def is_read(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether a node is the reading of a name."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def reads(nodes: Sequence[ast.AST]) -> Names:
    """The names that nodes read; an array that is written into is read."""
    found: set[str] = set()
    for top in nodes:
        for node in below(top):
            if is_read(node):
                found.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
            elif isinstance(node, SCOPES):
                found |= {n.id for n in below(node) if isinstance(n, ast.Name)}
    return frozenset(found)
