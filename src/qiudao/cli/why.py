"""`qiudao why`: why a gradient is zero, missing, not finite or extreme."""

import argparse

import qiudao as qd
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
    print(answer)
    return 0 if answer.ok else 1
