"""From a syntax tree to a code object whose free variables are those of a running call."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType

from .source import Function

FUTURE = 0x1FF0000  # the flags of `from __future__ import ...`
FACTORY = ".factory"


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
        body = [node]
    module = ast.Module([ast.FunctionDef(FACTORY, given, body, [])], [])
    for each in ast.walk(module):
        if "lineno" in each._attributes and not hasattr(each, "lineno"):
            ast.copy_location(each, node)
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
