"""The rewriting of expressions: calls, indexing, truth values, conditional expressions."""

from __future__ import annotations

import ast
import copy
from typing import Any

from .compiling import place
from .nodes import below, copied
from .scopes import COMPREHENSIONS, METHODS, WRITERS, Scope, arguments


def name(text: str, context: ast.expr_context | None = None) -> ast.Name:
    """A name, read unless told otherwise."""
    return ast.Name(text, context or ast.Load())


def call(what: str, *given: ast.expr) -> ast.Call:
    """A call of the runtime."""
    return ast.Call(ast.Attribute(name(".rt"), what, ast.Load()), list(given), [])


def thunk(body: ast.expr) -> ast.Lambda:
    """`lambda: body`."""
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def must_stay(*nodes: ast.AST) -> bool:
    """Whether expressions bind names or suspend, and so cannot be put into a lambda."""
    kinds = ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await
    return any(isinstance(n, kinds) for node in nodes for n in below(node))


class Expressions(ast.NodeTransformer):
    """Rewrites expressions of one function in place."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.depth = 0  # how many lambdas and comprehensions are around
        self.called: ast.expr | None = None  # the function of the call that is being rewritten
        self.live_after: frozenset[str] = frozenset()  # the names read after the statement around

    def visit(self, node: ast.AST) -> Any:
        new = super().visit(node)
        if new is not node and isinstance(node, ast.expr):
            place(new, node)
        return new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        self.depth += isinstance(node, COMPREHENSIONS)
        new = super().generic_visit(node)
        self.depth -= isinstance(node, COMPREHENSIONS)
        return new

    def defaults(self, given: ast.arguments) -> ast.arguments:
        """Arguments with their defaults rewritten; annotations stay."""
        new = copy.copy(given)
        new.defaults = [self.visit(copied(d)) for d in given.defaults]
        new.kw_defaults = [None if d is None else self.visit(copied(d)) for d in given.kw_defaults]
        return new

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.args = self.defaults(node.args)
        inner = Expressions(Scope(node, self.scope.visible))
        inner.depth = 1
        node.body = inner.visit(node.body)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        stays = must_stay(*node.values[1:])
        self.generic_visit(node)
        if stays:
            return node
        how = "both" if isinstance(node.op, ast.And) else "either"
        result = node.values[-1]
        for value in reversed(node.values[:-1]):
            result = call(how, value, thunk(result))
        return result

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            node.left, node.right = call("seen", node.left), call("seen", node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return call("negation", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        is_asked = len(node.ops) > 1 or isinstance(node.ops[0], ast.In | ast.NotIn)
        stays = not is_asked or must_stay(*node.comparators[1:])
        self.generic_visit(node)
        if stays:
            return node
        first, *others = node.comparators
        terms: list[ast.expr] = [node.left, ast.Constant(type(node.ops[0]).__name__), first]
        for op, value in zip(node.ops[1:], others, strict=True):
            terms += [ast.Constant(type(op).__name__), thunk(value)]
        return call("chain", *terms)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        stays = must_stay(node.body, node.orelse)
        self.generic_visit(node)
        if stays:
            return node
        live: Any = self.live_after
        return call("choose", node.test, thunk(node.body), thunk(node.orelse), ast.Constant(live))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if not isinstance(node.ctx, ast.Load):
            self.generic_visit(node)
            return node
        node.value = self.visit(node.value)
        if is_plain_index(node.slice):
            return node
        return call("getitem", node.value, self.index(node.slice))

    def index(self, node: ast.expr) -> ast.expr:
        """An index as an object: slices become calls."""
        if isinstance(node, ast.Slice):
            ends = (node.lower, node.upper, node.step)
            return call("slice", *(ast.Constant(None) if e is None else self.visit(e)
                                   for e in ends))  # fmt: skip
        if isinstance(node, ast.Tuple):
            node.elts = [self.index(e) for e in node.elts]
            return node
        new: ast.expr = self.visit(node)
        return new

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        text, is_ours = ast.Constant(ast.unparse(node.value)), self.is_ours(node)
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Store | ast.Del):
            ours = ast.Constant(is_ours)
            node.value = call("owner", node.value, ast.Constant(node.attr), text, ours)
            return node
        return call("shown", node) if is_ours and node is not self.called else node

    def is_ours(self, node: ast.expr) -> bool:
        """Whether an attribute or element is one of a variable, not of a global."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        return not isinstance(node, ast.Name) or node.id in self.scope.visible

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
                own = arguments(self.scope.node)
                node.args = [name("__class__"), name(own[0])] if own else []
                return node
        out = [
            k.value.id for k in node.keywords if k.arg == "out" and isinstance(k.value, ast.Name)
        ]
        first = method = ""
        match node:
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Name(id=target), *_]):
                first = target if attr in WRITERS else ""
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=target))):
                method = target if attr in METHODS else ""
            case ast.Call(func=ast.Name(id="any" | "all")) if must_stay(*node.args):
                self.generic_visit(node)
                return node  # what it binds hangs on where it stops
        self.called = node.func
        self.generic_visit(node)
        for target in out:
            if target in self.scope.own and not self.depth:
                return self.into(node, target, call("into", node.func))
        if first in self.scope.own and not self.depth:
            return self.into(node, first, call("within", node.func))
        if method in self.scope.own and not self.depth:
            written: Any = node.func
            node.args = [written.value, *node.args]
            return self.into(node, method, call("itself", ast.Constant(written.attr)))
        node.func = call("call", node.func)
        return node

    def into(self, node: ast.Call, target: str, f: ast.expr) -> ast.expr:
        """`f(x, out=z)`, `f(z, x)` or `z.f(x)`, which binds `z` anew where a plain array cannot
        hold it.
        """
        called = ast.Call(f, node.args, node.keywords)
        pair = ast.Tuple([
            ast.NamedExpr(name(".out", ast.Store()), called),
            ast.NamedExpr(name(target, ast.Store()),
                          ast.Subscript(name(".out"), ast.Constant(1), ast.Load())),
            ast.NamedExpr(name(".out", ast.Store()), ast.Constant(None)),  # it holds the array
        ], ast.Load())  # fmt: skip
        first = ast.Subscript(pair, ast.Constant(0), ast.Load())
        return ast.Subscript(first, ast.Constant(0), ast.Load())


def is_plain_index(node: ast.expr) -> bool:
    """Whether an index is written in constants."""
    match node:
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(e is None or is_plain_index(e) for e in (lower, upper, step))
        case ast.Tuple(elts=elts):
            return all(map(is_plain_index, elts))
    return False
