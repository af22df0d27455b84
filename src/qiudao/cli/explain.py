"""`qiudao explain`: an expression or a function of yours with its gradient, drawn."""

import argparse
import json
from pathlib import Path

import qiudao as qd
from qiudao.cli.errors import CommandError
from qiudao.cli.output import is_coloured, width
from qiudao.cli.target import add_arguments, call, named, read_target
from qiudao.explaining.explained import Explained
from qiudao.explaining.text import MissingError

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "explain"
PRINTED = Path("-")
DESCRIPTION = """Every value of a computation with its gradient, and the terms that it sums.

Without a choice it prints a table. --html writes a page that plays the computation forward
and its gradient backward, one step at a time; it needs no network."""
EXAMPLES = """examples:
  qiudao explain "sin(x)*x + x**2" --at x=1.2
  qiudao explain "sin(x)*x + x**2" --at x=1.2 --html out.html
  qiudao explain mymodel:loss --at point.npz --svg loss.svg"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao explain`."""
    add_arguments(parser)
    kinds = parser.add_mutually_exclusive_group()
    for kind, what in (
        ("html", "a page to play and search"),
        ("svg", "a still picture"),
        ("dot", "Graphviz's language"),
        ("json", "all of it as data"),
        ("latex", "the chain rule in LaTeX"),
    ):
        kinds.add_argument(
            f"--{kind}",
            type=Path,
            nargs="?",
            const=PRINTED,
            metavar="FILE",
            help=f"write {what}, or print it",
        )
    kinds.add_argument("--text", action="store_true", help="print a table, as without a choice")


def run(asked: argparse.Namespace) -> int:
    """Write what was asked for, or print the table."""
    target = read_target(asked.target, asked.at)
    if asked.latex is not None:
        write(call(target, qd.story).latex(), asked.latex, ".tex")
        return 0
    shown: Explained = call(target, qd.explain)
    shown.graph.title = target.title
    for kind, made in (
        ("html", shown.html),
        ("svg", shown.svg),
        ("dot", shown.dot),
        ("json", lambda: json.dumps(shown.json())),
    ):
        path: Path | None = getattr(asked, kind)
        if path is not None:
            write(made(), path, f".{kind}")
            return 0
    try:
        print(shown.text(width=width(140), colour=is_coloured()), end="")
    except MissingError as error:
        raise CommandError(str(error)) from error
    return 0


def write(text: str, path: Path, ending: str) -> None:
    """Print a picture, or write it and say where."""
    if path == PRINTED:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    path = named(path, ending)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
    print(f"wrote {path}")
