"""What `qiudao explain`, `story` and `why` ask about: an expression or function, at a point."""

import argparse
import ast
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qiudao.cli.check import describe, load_function, load_point, require_match
from qiudao.cli.errors import CommandError
from qiudao.cli.expression import CONSTANTS, FUNCTIONS, parse
from qiudao.cli.grad import read_point

__all__ = ["Target", "add_arguments", "call", "named", "read_target"]

FILE = "<expression>"  # what an expression's line is called, as Python calls its own <stdin>


@dataclass(frozen=True)
class Target:
    """A function of the user's, and the arguments to call it with, by name."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    title: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is asked about."""
    parser.add_argument(
        "target",
        metavar="EXPRESSION|module:function",
        help='for example "sin(x)*x + x**2", or mymodel:loss',
    )
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="NAME=VALUE|FILE.npz",
        help="the point: x=3, y=[1,2], t=pi/4, or a file with an array for each argument",
    )


def read_target(text: str, at: list[str]) -> Target:
    """The function that `text` names or is, and the point that the `--at`s give."""
    files = [word for word in at if word.endswith(".npz")]
    values: dict[str, Any] = dict(read_point([word for word in at if word not in files]))
    for file in files:
        for name, value in load_point(Path(file)).items():
            if name in values:
                raise CommandError(f"--at {file}: {name} was given before; give each variable once")
            values[name] = value
    arguments = {name: x[()] for name, x in values.items()}
    module, _, name = text.partition(":")
    if name.replace(".", "").isidentifier() and module.replace(".", "").isidentifier():
        function = load_function(text)
        require_match(text, function, values)
        return Target(function, arguments, text)
    return Target(function_of(text, arguments), arguments, text)


def function_of(text: str, arguments: dict[str, Any]) -> Callable[..., Any]:
    """An expression as a Python function, whose source line is the expression itself.

    `parse` has let nothing through but arithmetic and NumPy's functions.
    """
    expression = parse(text)
    missing = [name for name in expression.names if name not in arguments]
    if missing:
        raise CommandError(f"no value for {missing[0]}; add --at {missing[0]}=...")
    for name in arguments:
        if name not in expression.names:
            raise CommandError(f"--at {name}=...: {text!r} has no variable {name}")
    if not expression.names:
        raise CommandError(f"{text!r} has no variable to differentiate by")
    line = f"def f({', '.join(expression.names)}): return {expression.text}\n"
    linecache.cache[FILE] = (len(line), None, [line], FILE)
    tree = Floats().visit(ast.parse(line))
    known: dict[str, Any] = {name: getattr(np, name) for name in FUNCTIONS}
    known.update(CONSTANTS, np=np, numpy=np)
    exec(compile(tree, FILE, "exec"), known)
    function: Callable[..., Any] = known["f"]
    return function


class Floats(ast.NodeTransformer):
    """Whole numbers become floats, so that 9**9**9 cannot run for ever; places in arrays do not."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`x[1]` keeps its 1."""
        node.value = self.visit(node.value)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """`axis=0` keeps its 0."""
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A number as a float."""
        if isinstance(node.value, int):
            return ast.copy_location(ast.Constant(float(node.value)), node)
        return node


def named(path: Path, ending: str) -> Path:
    """The file that is asked for, with the ending of its kind behind any other that it has."""
    if not path.name:  # `.` or `/`
        raise CommandError(f"cannot write {path}: it is a folder; name a file")
    return path if path.suffix.lower() == ending else path.with_name(path.name + ending)


def call(target: Target, what: Callable[..., Any]) -> Any:
    """`what(function, **arguments)`; what the user's function raises is an answer in one line."""
    try:
        with np.errstate(all="ignore"):
            return what(target.function, **target.arguments)
    except (Exception, SystemExit) as error:  # not ours: whatever stops it is the answer
        raise CommandError(f"{target.title} stopped with {describe(error)}") from error
