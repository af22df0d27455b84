"""The syntax tree of a function that exists, found by its code object."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from .nodes import children

Function = ast.FunctionDef | ast.Lambda
Span = tuple[int, int, int, int]


class Found(NamedTuple):
    """A function in its file: its node, and the class that its private names belong to."""

    node: Function
    owner: str | None


_files: dict[str, tuple[list[str], list[Found]]] = {}


def find(code: CodeType) -> Found | None:
    """The node that `code` was compiled from; None where its source is not to be had."""
    try:
        candidates = [f for f in functions_of(code.co_filename) if fits(f.node, code)]
    except SyntaxError:  # the file is no Python any more
        return None
    return candidates[0] if len(candidates) == 1 else None


def functions_of(file: str) -> list[Found]:
    """All functions of a source file, parsed once for as long as its text stays the same."""
    lines = linecache.getlines(file)
    known = _files.get(file)
    if known is None or known[0] is not lines:
        tree = ast.parse("".join(lines), file)
        known = _files[file] = (lines, list(walk(tree, None)))
    return known[1]


def walk(node: ast.AST, owner: str | None) -> Iterator[Found]:
    """The functions below a node, each with the innermost class around it."""
    for child in children(node):
        if isinstance(child, Function):
            yield Found(child, owner)
        yield from walk(child, child.name if isinstance(child, ast.ClassDef) else owner)


def fits(node: Function, code: CodeType) -> bool:
    """Whether a node is the source of `code`, by its name, line, arguments and extent."""
    if isinstance(node, ast.Lambda):
        return (
            code.co_name == "<lambda>"
            and node.lineno == code.co_firstlineno
            and same_arguments(node, code)
            and starts_at(node.body, code)
        )
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return node.name == code.co_name and first == code.co_firstlineno and same_arguments(node, code)


def same_arguments(node: Function, code: CodeType) -> bool:
    """Whether the arguments of a node have the names of those of `code`, but for private ones."""
    a = node.args
    given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    names = code.co_varnames[:count]
    return len(given) == count and all(n.endswith(x.arg) for n, x in zip(names, given, strict=True))


def starts_at(body: ast.expr, code: CodeType) -> bool:
    """Whether the body of a lambda lies where the instructions of `code` say."""
    spans = [p for p in code.co_positions() if None not in p and p[2] != p[3]]
    inside = [
        (p[0], p[2]) >= (body.lineno, body.col_offset)
        and (p[1], p[3]) <= (body.end_lineno, body.end_col_offset)
        for p in spans
    ]
    return all(inside)


class Mangle(ast.NodeTransformer):
    """Private names of a class written out, as the compiler does: `__x` becomes `_C__x`."""

    def __init__(self, owner: str) -> None:
        self.prefix = "_" + owner.lstrip("_")

    def full(self, name: str) -> str:
        """A name as the compiler knows it."""
        private = name.startswith("__") and not name.endswith("__") and "." not in name
        return self.prefix + name if private and self.prefix != "_" else name

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node  # a class of its own, whose private names are its own

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str) and not isinstance(node, ast.keyword):
                setattr(node, field, self.full(value))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self.full(n) for n in node.names]
        return super().generic_visit(node)
