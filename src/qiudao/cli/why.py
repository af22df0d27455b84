"""`qiudao why`: why a gradient is zero, missing, not finite or extreme."""

import argparse
import sys
import textwrap

import qiudao as qd
from qiudao.cli.output import width
from qiudao.cli.target import add_arguments, call, read_target

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "why"
DESCRIPTION = """Why the gradient by each variable is zero, none, NaN, infinite, extreme, or well.

Exit code 0: nothing is wrong; 1: something is, and the answer says what to do."""
EXAMPLES = """examples:
  qiudao why "sum(sqrt(x))" --at "x=[0, 1]"
  qiudao why mymodel:loss --at point.npz"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao why`."""
    add_arguments(parser)


def run(asked: argparse.Namespace) -> int:
    """Print the answer; the exit code is 1 where something is wrong."""
    answer = call(read_target(asked.target, asked.at), qd.why)
    for line in str(answer).splitlines():
        print("\n".join(folded(line)) if sys.stdout.isatty() else line)
    return 0 if answer.ok else 1


def folded(line: str) -> list[str]:
    """A line of an answer in lines that the terminal has room for, those after the first indented.

    A file or a pipe has them whole, to be searched.
    """
    within = line[: len(line) - len(line.lstrip())] or "  "
    return textwrap.wrap(
        line, max(width(140), 20), subsequent_indent=within, break_on_hyphens=False,
        break_long_words=False,
    ) or [line]  # fmt: skip
