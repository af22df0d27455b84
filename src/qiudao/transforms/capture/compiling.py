"""From a syntax tree to a code object whose free variables are those of a running call."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType
from typing import Any

from .nodes import below
from .source import Function

FUTURE = 0x1FF0000  # the flags of `from __future__ import ...`
FACTORY = ".factory"


def place(node: ast.AST, like: ast.AST) -> None:
    """Give the new nodes below `node` the line where `like` begins.

    One line only: Python counts a call of a method to the last line of what is before the dot.
    """
    line, column = like.lineno, like.col_offset  # type: ignore[attr-defined]
    end = like.end_col_offset if like.end_lineno == line else column + 1  # type: ignore[attr-defined]
    for each in below(node):
        if "lineno" in each._attributes and not hasattr(each, "lineno"):
            new: Any = each
            new.lineno = new.end_lineno = line
            new.col_offset, new.end_col_offset = column, end


def compile_function(
    node: Function, around: Iterable[str], file: str, flags: int, qualified: str
) -> CodeType:
    """The code of a function that finds the names `around` it, and the runtime, in its closure."""
    names = [*sorted(around), ".rt", ".sites"]
    given = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    name = qualified.rpartition(".")[2]
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Return(node)]
        inner = name
    else:
        node.name = inner = ".inner"  # not a name that the function itself may use
        vars(node)["type_params"] = []  # what is read of them, from Python 3.12 on, is around it
        body = [node]
    module = ast.Module([ast.FunctionDef(FACTORY, given, body, [])], [])
    place(module, node)
    whole = compile(module, file, "exec", flags & FUTURE, dont_inherit=True)
    code = code_in(code_in(whole, FACTORY), inner)
    return renamed(code, code.co_qualname, qualified).replace(co_name=name)


def code_in(code: CodeType, name: str) -> CodeType:
    """The code object of that name among the constants of another."""
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def renamed(code: CodeType, old: str, new: str) -> CodeType:
    """The code, and all code within it, with one beginning of its qualified name for another."""
    consts = tuple(renamed(c, old, new) if isinstance(c, CodeType) else c for c in code.co_consts)
    qualified = new + code.co_qualname.removeprefix(old)
    return code.replace(co_consts=consts, co_qualname=qualified)
