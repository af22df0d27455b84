"""Where control leaves a piece of code: `break`, `continue`, `return`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from .nodes import children
from .scopes import SCOPES

LOOPS = ast.For | ast.While
JUMPS = ast.Return | ast.Break | ast.Continue


def jumps(statements: Iterable[ast.AST], in_loop: bool = False) -> Iterator[ast.AST]:
    """The jumps that lead out of these statements."""
    for node in statements:
        if isinstance(node, ast.Return) or (isinstance(node, JUMPS) and not in_loop):
            yield node
        elif isinstance(node, LOOPS):
            yield from jumps(node.body, True)
            yield from jumps(node.orelse, in_loop)
        elif not isinstance(node, SCOPES):
            yield from jumps(children(node), in_loop)


def always_jumps(statements: Iterable[ast.stmt]) -> bool:
    """Whether control never comes to the end of these statements, as far as can be read."""
    for node in statements:
        if isinstance(node, JUMPS | ast.Raise):
            return True
        if isinstance(node, ast.If) and always_jumps(node.body) and always_jumps(node.orelse):
            return True
        if isinstance(node, ast.With) and always_jumps(node.body):
            return True
    return False


def may_turn(loop: ast.For | ast.While) -> bool:
    """Whether a loop has a jump under a condition, so that its end may hang on a traced value."""
    return any(conditional(loop.body, False))


def conditional(statements: Iterable[ast.AST], inside: bool) -> Iterator[bool]:
    """For each jump out of a loop's body, whether it stands under a condition."""
    for node in statements:
        if isinstance(node, SCOPES):
            continue
        if isinstance(node, LOOPS):
            yield from (True for _ in jumps([node]))
        elif isinstance(node, JUMPS):
            yield inside
        else:
            yield from conditional(
                children(node), inside or isinstance(node, ast.If | ast.match_case)
            )
