"""`qiudao tour`: derivatives, sums and a small network, on real data, in under a minute."""

import argparse
from pathlib import Path

from qiudao.cli.errors import CommandError
from qiudao.cli.optional import load

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "tour"
DESCRIPTION = "One derivative four ways, a value used three times, and a network that reads digits."
EXAMPLES = """examples:
  qiudao tour
  qiudao tour --out pictures"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao tour`."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("qiudao-tour"),
        metavar="FOLDER",
        help="where the pictures go (default: ./qiudao-tour)",
    )


def run(asked: argparse.Namespace) -> int:
    """Take the tour."""
    guide = load("qiudao.tour.guide")
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        guide.take_tour(asked.out)
    except OSError as error:
        raise CommandError(
            f"cannot write to {asked.out}: {error.strerror}; name another folder with --out"
        ) from error
    return 0
