"""Which names a piece of a function binds and mentions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from .nodes import below, children
from .source import Function

# NumPy's functions, and the method of its ufuncs, that write into their first argument.
WRITERS = {"copyto", "put", "place", "putmask", "fill_diagonal", "at"}
METHODS = {"fill", "sort", "partition", "put"}  # of arrays, which write into them

SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def arguments(node: Function | ast.AsyncFunctionDef) -> list[str]:
    """The names of a function's arguments."""
    a = node.args
    given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    return [x.arg for x in given]


def body_of(node: Function) -> Sequence[ast.AST]:
    """The statements of a function, or the expression of a lambda."""
    return node.body if isinstance(node.body, list) else [node.body]


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of this scope, in no order: nested functions and classes are given, not entered."""
    stack = [*nodes]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, SCOPES):
            stack.extend(children(node))


def bound(nodes: Iterable[ast.AST], inside: bool = False) -> set[str]:
    """The names that these nodes bind in their function; `inside` a comprehension `:=` does."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
                continue
            case ast.Lambda():
                continue
            case ast.NamedExpr():
                found.add(node.target.id)
            case ast.Name(ctx=ast.Store() | ast.Del()) if not inside:
                found.add(node.id)
            case ast.alias():
                found.add(node.asname or node.name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
        found |= bound(children(node), inside or isinstance(node, COMPREHENSIONS))
    return found


def written(nodes: Iterable[ast.AST]) -> set[str]:
    """The names whose arrays are written into: `z[i] = v`, `f(x, out=z)`, `np.put(z, ...)`,
    `z.fill(v)`.
    """
    found: set[str] = set()
    for node in own_nodes(nodes):
        match node:
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                found.add(name)
            case ast.keyword(arg="out", value=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Name(id=name), *_]):
                if attr in WRITERS:
                    found.add(name)
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=name))):
                if attr in METHODS:
                    found.add(name)
    return found


def augmented(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that `+=` and its kin change here."""
    return {
        n.target.id for n in own_nodes(nodes)
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }  # fmt: skip


def rebound(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that these nodes bind otherwise than by `+=` and its kin."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.AugAssign):
            found |= bound([node.value])
        elif isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match):
            found |= rebound(children(node))
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            found |= bound([node]) - augmented([node]) | rebound(node.body)
        else:
            found |= bound([node])
    return found


def declared(nodes: Iterable[ast.AST], kind: type[ast.Global] | type[ast.Nonlocal]) -> set[str]:
    """The names in those of the nodes that are `global` or `nonlocal`."""
    return {name for n in nodes if isinstance(n, kind) for name in n.names}


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """All names that occur, nested functions included."""
    found: set[str] = set()
    for top in nodes:
        found |= bound([top])
        for node in below(top):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Nonlocal):
                found |= set(node.names)
    return found


def borrowed(node: ast.AST) -> set[str]:
    """The names that a nested function or class may take from around it."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return mentioned([node])
    body: Sequence[ast.AST] = node.body if isinstance(node.body, list) else [node.body]
    inside = [*own_nodes(body)]
    outer = declared(inside, ast.Global) | declared(inside, ast.Nonlocal)
    found = {n.id for n in inside if isinstance(n, ast.Name)} | outer
    found = found.union(*(borrowed(n) for n in inside if isinstance(n, SCOPES)))
    around = [d for d in children(node) if all(d is not b for b in body)]
    return mentioned(around) | (found - (set(arguments(node)) | bound(body) - outer))


class Scope:
    """A function's names: its own, those of functions around it, and those of the module.

    `kept` are those that other functions may use at any time: nested ones, and those around.
    """

    def __init__(self, node: Function, around: frozenset[str]) -> None:
        body = body_of(node)
        inside = [*own_nodes(body)]
        self.node = node
        self.body: list[ast.stmt] = node.body if isinstance(node, ast.FunctionDef) else []
        self.name = node.name if isinstance(node, ast.FunctionDef) else "<lambda>"
        self.globals = declared(inside, ast.Global)
        self.nonlocals = declared(inside, ast.Nonlocal)
        self.own = set(arguments(node)) | (bound(body) - self.globals - self.nonlocals)
        self.visible = frozenset((around | self.own) - self.globals)
        inner = (borrowed(n) for n in inside if isinstance(n, SCOPES))
        self.kept = frozenset(self.nonlocals.union(*inner))
        self.is_generator = any(
            isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in inside
        )
