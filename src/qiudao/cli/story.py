"""`qiudao story`: one derivative found by limits and by both sweeps, side by side."""

import argparse
from pathlib import Path

import qiudao as qd
from qiudao.cli.errors import CommandError
from qiudao.cli.output import is_coloured, width
from qiudao.cli.target import add_arguments, call, named, read_target
from qiudao.explaining.story.story import Story

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "story"
DESCRIPTION = """One derivative by limits, chained limits, forward sweeps and a reverse sweep.

Values, errors, costs; the error of a limit as its step shrinks; the chain rule in symbols
and numbers; and what is easily got wrong. Without a choice it prints text."""
EXAMPLES = """examples:
  qiudao story "sin(x)*x + x**2" --at x=1.2
  qiudao story "sin(x)*x + x**2" --at x=1.2 --html story.html
  qiudao story mymodel:loss --at point.npz --latex story.tex"""
ENDINGS = {"html": ".html", "latex": ".tex"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao story`."""
    add_arguments(parser)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    kinds.add_argument("--latex", type=Path, metavar="FILE", help="write a LaTeX document")
    kinds.add_argument("--text", action="store_true", help="print text, as without a choice")


def run(asked: argparse.Namespace) -> int:
    """Write what was asked for, or print the text."""
    target = read_target(asked.target, asked.at)
    told: Story = call(target, qd.story)
    told.told = told.told._replace(title=target.title)
    for kind, ending in ENDINGS.items():
        path: Path | None = getattr(asked, kind)
        if path is not None:
            path = named(path, ending)
            try:
                told.save(path)
            except OSError as error:
                raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
            print(f"wrote {path}")
            return 0
    print(told.text(width=width(120), colour=is_coloured()), end="")
    return 0
