"""The rewriting of assignments: to variables, elements and attributes, in place, and `del`."""

from __future__ import annotations

import ast
import copy
from typing import Any

from .expressions import Expressions, call, name
from .nodes import copied
from .scopes import Scope


class Assignments(Expressions):
    """Rewrites the assignments of one function; `structured` within a piece."""

    def __init__(self, scope: Scope, structured: bool) -> None:
        super().__init__(scope)
        self.structured = structured
        self.count = 0

    def temporary(self) -> str:
        """A name that the user cannot have."""
        self.count += 1
        return f".{self.count}"

    def expression(self, node: ast.expr) -> ast.expr:
        """An expression rewritten."""
        new: ast.expr = self.visit(copied(node))
        return new

    def write_Assign(self, node: ast.Assign, old: ast.Assign, tail: Any) -> list[ast.stmt]:
        value = self.expression(old.value)
        if len(old.targets) == 1 and isinstance(old.targets[0], ast.Subscript):
            return [self.store(old.targets[0], value)]
        later: list[ast.stmt] = []
        node.targets = [self.target(t, later) for t in old.targets]
        node.value = value
        return [node, *later]

    def target(self, old: ast.expr, later: list[ast.stmt]) -> ast.expr:
        """A target of an assignment; elements are written by statements that come `later`."""
        if isinstance(old, ast.Subscript):
            held = self.temporary()
            later.append(self.store(old, name(held)))
            return name(held, ast.Store())
        if isinstance(old, ast.Tuple | ast.List):
            new = copy.copy(old)
            new.elts = [self.target(e, later) for e in old.elts]
            return new
        if isinstance(old, ast.Starred):
            new_starred = copy.copy(old)
            new_starred.value = self.target(old.value, later)
            return new_starred
        return self.expression(old)

    def store(self, target: ast.Subscript, value: ast.expr) -> ast.stmt:
        """`z[i] = value`: the name of an array that turns into a recording one is bound anew."""
        index = self.index(copied(target.slice))
        written_to = target.value
        if isinstance(written_to, ast.Name) and written_to.id in self.scope.own:
            array: ast.expr = name(written_to.id)
            return ast.Assign(
                [name(written_to.id, ast.Store())],
                call("setitem", value, array, index, ast.Constant(written_to.id)),
            )
        if isinstance(written_to, ast.Attribute) and self.is_ours(written_to):
            text = ast.Constant(ast.unparse(written_to.value))
            of, attribute = self.expression(written_to.value), ast.Constant(written_to.attr)
            return ast.Expr(call("store_attribute", value, of, attribute, index, text))
        array = self.expression(written_to)
        text = ast.Constant(ast.unparse(written_to))
        return ast.Expr(call("store", value, array, index, text))

    def write_AnnAssign(self, node: ast.AnnAssign, old: ast.AnnAssign, tail: Any) -> list[ast.stmt]:
        if old.value is None:
            return [node if not self.structured else ast.Pass()]
        plain = ast.Assign([old.target], old.value)
        ast.copy_location(plain, old)
        if isinstance(old.target, ast.Subscript) or self.structured:
            return self.write_Assign(plain, plain, tail)
        node.value = self.expression(old.value)
        node.target = self.visit(copied(old.target))
        return [node]

    def write_AugAssign(self, node: ast.AugAssign, old: ast.AugAssign, tail: Any) -> list[ast.stmt]:
        operation = ast.Constant(type(old.op).__name__)
        value = self.expression(old.value)
        if isinstance(old.target, ast.Name):
            here = name(old.target.id)
            owned = ast.Constant(old.target.id in self.scope.own)
            return [
                ast.Assign(
                    [name(old.target.id, ast.Store())],
                    call("inplace", operation, here, value, owned),
                )
            ]
        if isinstance(old.target, ast.Subscript):
            return self.augment_element(old.target, operation, value)
        return self.augment_attribute(old, operation, value)

    def augment_element(
        self, target: ast.Subscript, operation: ast.expr, value: ast.expr
    ) -> list[ast.stmt]:
        """`z[i] += value`."""
        held, array = self.temporary(), target.value
        index = ast.Assign([name(held, ast.Store())], self.index(copied(target.slice)))

        def new(of: ast.expr) -> ast.expr:
            return call("renewed", operation, call("part", of, name(held)), value)

        if isinstance(array, ast.Name) and array.id in self.scope.own:
            text = ast.Constant(array.id)
            made = call("setitem", new(name(array.id)), name(array.id), name(held), text)
            return [index, ast.Assign([name(array.id, ast.Store())], made)]
        kept = self.temporary()
        given, first = name(kept), ast.Assign([name(kept, ast.Store())], self.expression(array))
        if isinstance(array, ast.Attribute) and self.is_ours(array):
            first.value = self.expression(array.value)
            text, attribute = ast.Constant(ast.unparse(array.value)), ast.Constant(array.attr)
            now = call("shown", ast.Attribute(given, array.attr, ast.Load()))
            stored = call("store_attribute", new(now), given, attribute, name(held), text)
        else:
            text = ast.Constant(ast.unparse(array))
            stored = call("store", new(given), given, name(held), text)
        return [first, index, ast.Expr(stored)]

    def augment_attribute(
        self, old: ast.AugAssign, operation: ast.expr, value: ast.expr
    ) -> list[ast.stmt]:
        """`x.a += value`."""
        target: Any = old.target
        held = self.temporary()
        found = ast.Assign([name(held, ast.Store())], self.expression(target.value))
        text = ast.Constant(ast.unparse(target.value))
        here = ast.Attribute(name(held), target.attr, ast.Load())
        ours = ast.Constant(self.is_ours(target))
        owner = call("owner", name(held), ast.Constant(target.attr), text, ours)
        new = call("added", operation, here, value, name(held), ast.Constant(target.attr), text)
        return [found, ast.Assign([ast.Attribute(owner, target.attr, ast.Store())], new)]

    def write_Delete(self, node: ast.Delete, old: ast.Delete, tail: Any) -> list[ast.stmt]:
        node.targets = [self.deleted(t) for t in old.targets]
        return [node]

    def deleted(self, old: ast.expr) -> ast.expr:
        """A target of `del`."""
        new = self.expression(old)
        if isinstance(new, ast.Subscript) and isinstance(old, ast.Subscript):
            new.value = call("touched", new.value, ast.Constant(ast.unparse(old.value)))
        if isinstance(new, ast.Tuple | ast.List) and isinstance(old, ast.Tuple | ast.List):
            new.elts = [self.deleted(e) for e in old.elts]
        return new
