"""The user's own words for a value: the expression that made it, the name it was given.

An equation keeps a code object and an instruction offset.  From Python 3.11 on the code object
knows the columns of each instruction, so the exact expression is known, and not only its line.
"""

from __future__ import annotations

import ast
import functools
import linecache
from types import CodeType
from typing import NamedTuple

Span = tuple[int, int, int, int]  # first line, last line, first column, last column (in bytes)


class Loop(NamedTuple):
    """A loop of the user's source: its head, the lines it repeats, and the names that it steps."""

    head: int
    first: int
    last: int
    title: str
    targets: tuple[str, ...]


class Source(NamedTuple):
    """A parsed source file."""

    lines: tuple[bytes, ...]
    expressions: dict[Span, ast.expr | ast.AugAssign]
    targets: dict[Span, str]  # the name that a statement gives to the expression there
    loops: tuple[Loop, ...]
    unpacked: dict[Span, tuple[str | None, ...]]  # the names that it gives to several results

    def text(self, span: Span) -> str:
        """What stands in a span, on one line: as the user wrote it, where that is one line."""
        first, last, start, end = span
        if first == last <= len(self.lines):
            return self.lines[first - 1][start:end].decode(errors="replace")
        found = self.expressions.get(span)
        return "" if found is None else ast.unparse(found)


NOTHING = Source((), {}, {}, (), {})


def span_of(code: CodeType, offset: int) -> Span | None:
    """Where the expression of an instruction stands, or None where the code does not say."""
    k = offset // 2
    for place in _positions(code)[k : k + 1]:
        first, last, start, end = place
        if first is not None and last is not None and start is not None and end is not None:
            return first, last, start, end
    return None


@functools.lru_cache(maxsize=512)
def _positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    return tuple(code.co_positions())


_read: dict[str, tuple[list[str], Source]] = {}


def source_of(file: str) -> Source:
    """The parsed source of a file, of a notebook's cell, or of what else `linecache` knows."""
    lines = linecache.getlines(file)
    known = _read.get(file)
    if known is None or known[0] is not lines:  # linecache makes a new list when it reads anew
        known = _read[file] = lines, parsed(lines) if lines else NOTHING
    return known[1]


def parsed(text: list[str]) -> Source:
    """Where expressions, assignments and loops stand in these lines."""
    lines = tuple(line.encode() for line in text)
    try:
        tree = ast.parse("".join(text))
    except SyntaxError:  # a file changed since it was imported, or a fragment
        return Source(lines, {}, {}, (), {})
    whole = Source(lines, {}, {}, (), {})
    expressions: dict[Span, ast.expr | ast.AugAssign] = {}
    targets: dict[Span, str] = {}
    loops: list[Loop] = []
    unpacked: dict[Span, tuple[str | None, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.AugAssign):
            expressions.setdefault(_span(node), node)
        named = _named(node)
        if named is not None:
            targets[_span(named[1])] = named[0]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple | ast.List):
            unpacked[_span(node.value)] = tuple(map(_target, node.targets[0].elts))
        if isinstance(node, ast.For | ast.While):
            loops.append(_loop(node, whole))
    ordered = tuple(sorted(loops, key=lambda loop: loop.first))
    return Source(lines, expressions, targets, ordered, unpacked)


def _span(node: ast.expr | ast.stmt) -> Span:
    return node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0


def _named(node: ast.AST) -> tuple[str, ast.expr | ast.stmt] | None:
    """The name that a statement gives, and what it gives it to."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        name = _target(node.targets[0])
        return None if name is None else (name, node.value)
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        name = _target(node.target)
        return None if name is None else (name, node.value)
    if isinstance(node, ast.NamedExpr):
        return node.target.id, node.value
    if isinstance(node, ast.AugAssign):  # its instruction spans the whole statement
        name = _target(node.target)
        return None if name is None else (name, node)
    return None


def _target(node: ast.expr) -> str | None:
    """A target that reads as a name: `h`, `self.h`, `h[i]`."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else None


def _loop(node: ast.For | ast.While, source: Source) -> Loop:
    last = node.body[-1].end_lineno or node.lineno

    def words(part: ast.expr) -> str:
        return source.text(_span(part)) or ast.unparse(part)

    if isinstance(node, ast.While):
        return Loop(node.lineno, node.lineno, last, f"while {words(node.test)}", ())
    names = tuple(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
    title = f"for {words(node.target)} in {words(node.iter)}"
    return Loop(node.lineno, node.body[0].lineno, last, title, names)


def expression_at(code: CodeType, offset: int) -> str | None:
    """The text of the expression that an instruction computes, on one line."""
    span = span_of(code, offset)
    if span is None:
        return None
    source = source_of(code.co_filename)
    return source.text(span) or None


def name_at(code: CodeType, offset: int) -> str | None:
    """The name that the user gives to what an instruction computes, or None."""
    span = span_of(code, offset)
    return None if span is None else source_of(code.co_filename).targets.get(span)


def names_at(code: CodeType, offset: int) -> tuple[str | None, ...]:
    """The names that the user gives to the several results of an instruction: `w, V = ...`."""
    span = span_of(code, offset)
    return () if span is None else source_of(code.co_filename).unpacked.get(span, ())


def operands_at(code: CodeType, offset: int, count: int) -> list[str | None]:
    """The user's words for each of `count` operands of an instruction, where they can be told."""
    span = span_of(code, offset)
    if span is None:
        return [None] * count
    source = source_of(code.co_filename)
    words = _operands(source.expressions.get(span))
    if len(words) != count:
        return [None] * count
    return [source.text(_span(w)) or ast.unparse(w) for w in words]


def _operands(node: ast.expr | ast.AugAssign | None) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Call) and not any(isinstance(a, ast.Starred) for a in node.args):
        return list(node.args)
    if isinstance(node, ast.Compare) and len(node.comparators) == 1:
        return [node.left, *node.comparators]
    return []


def loops_at(file: str, line: int) -> list[Loop]:
    """The loops of a file whose bodies hold a line, outermost first."""
    return [loop for loop in source_of(file).loops if loop.first <= line <= loop.last]
