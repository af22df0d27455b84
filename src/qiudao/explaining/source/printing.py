"""Helper functions as text that stands alone: without annotations, with what they call above."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

PROVIDED = {"np", "Any", "Value"}  # what the printed text has, or no longer needs


class Printed(NamedTuple):
    """A function as text, and what it reads of its module."""

    text: str
    functions: tuple[Callable[..., Any], ...]
    modules: tuple[str, ...]
    constants: tuple[tuple[str, Any], ...]


def plain(function: Callable[..., Any]) -> FunctionType:
    """A function without what decorates it."""
    found = inspect.unwrap(function)
    if not isinstance(found, FunctionType):
        raise TypeError(f"source: {function!r} is no function of Python's, and cannot be printed")
    return found


@functools.cache
def printed(function: FunctionType) -> Printed:
    """A function as text."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"source: {function!r} is not written as a function")
    tree.decorator_list = []
    bare(tree)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - PROVIDED
    read = [(name, function.__globals__[name]) for name in sorted(names & {*function.__globals__})]
    functions = [plain(v) for _, v in read if callable(v) and not isinstance(v, type)]
    return Printed(
        ast.unparse(tree),
        tuple(f for f in functions if f is not function),
        tuple(v.__name__ for _, v in read if isinstance(v, ModuleType)),
        tuple((name, v) for name, v in read if isinstance(v, int | float)),
    )


def bare(tree: ast.FunctionDef) -> None:
    """Take the annotations out, and all but the first line of the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [without_type(each) for each in body]  # type: ignore[attr-defined]
    text = ast.get_docstring(tree)
    if text is not None:
        tree.body[0] = ast.Expr(ast.Constant(text.splitlines()[0]))


def without_type(node: Any) -> Any:
    """An annotated assignment as a plain one."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.copy_location(ast.Assign([node.target], node.value), node)
    return node


def library(functions: Iterable[Callable[..., Any]]) -> tuple[list[str], list[str]]:
    """The modules to import, and the texts of these functions and of all that they need."""
    done: dict[FunctionType, None] = {}
    modules: set[str] = set()
    constants: dict[str, Any] = {}

    def add(function: FunctionType) -> None:
        if function in done:
            return
        found = printed(function)
        modules.update(found.modules)
        constants.update(found.constants)
        done[function] = None  # a function may call itself
        for each in found.functions:
            add(plain(each))
        del done[function]
        done[function] = None  # after what it needs

    for each in functions:
        add(plain(each))
    texts = [f"{name} = {value!r}" for name, value in constants.items()]
    blocks = ["\n".join(texts)] if texts else []
    return sorted(modules), [*blocks, *(printed(function).text for function in done)]
