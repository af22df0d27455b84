"""`qiudao tour`: derivatives, sums and a small network, on real data, in under a minute."""

import argparse
from pathlib import Path

from qiudao.cli.errors import CommandError

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
    from rich.console import Console  # optional libraries: only this command may ask for them

    from qiudao.tour.guide import take_tour

    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        take_tour(Console(highlight=False), asked.out)
    except OSError as error:
        raise CommandError(
            f"cannot write to {asked.out}: {error.strerror}; name another folder with --out"
        ) from error
    return 0
