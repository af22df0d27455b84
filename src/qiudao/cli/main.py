"""The command `qiudao`: reads the arguments, runs one command, turns mistakes into exit codes.

    0   done (for `check`: the gradient is right)
    1   `check`: the gradient is wrong
    2   what was asked cannot be done; one line on stderr says why
    130 stopped with Ctrl-C

A mistake of ours, not of the person's, is not caught: its traceback is the report we need.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from qiudao.cli import check, explain, grad, story, tour, why
from qiudao.cli.errors import CommandError

__all__ = ["main"]

OK, WRONG_USE, INTERRUPTED = 0, 2, 130


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line, as all of ours are."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(WRONG_USE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    never_fail_on_letters()
    # A terminal that does not know its width says 0, for which rich prints nothing.
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]
    parser = build_parser()
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked = parser.parse_args(shield_leading_minus(words))
    if asked.command is None:
        parser.print_help()
        return OK
    try:
        return int(asked.run(asked))
    except CommandError as error:
        return complain(asked.command, str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> Parser:
    """The arguments of every command."""
    parser = Parser(
        prog="qiudao",
        description="Automatic differentiation for people who write NumPy.",
        epilog="Each command has its own help: qiudao tour --help",
    )
    parser.add_argument("--version", action="version", version=f"qiudao {installed_version()}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    for command in (tour, grad, check, explain, story, why):
        summary = (command.__doc__ or "").partition("\n")[0].partition(": ")[2].rstrip(".")
        sub = commands.add_parser(
            command.NAME,
            help=summary,
            description=command.DESCRIPTION,
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return parser


def shield_leading_minus(words: list[str]) -> list[str]:
    """Let `qiudao grad "-x**2"` through: argparse takes a word with a space for a value."""
    if words[:1] not in ([grad.NAME], [explain.NAME], [story.NAME], [why.NAME]):
        return words
    return [f" {w}" if w.startswith("-") and w[1:2] not in ("-", "h") else w for w in words]


def installed_version() -> str:
    """The version that pip knows, or a word that says there is none."""
    try:
        return version("qiudao")
    except PackageNotFoundError:
        return "(not installed)"


def never_fail_on_letters() -> None:
    """Print `?` for a sign that the terminal's encoding lacks, rather than stop on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def complain(command: str, message: str) -> int:
    """Say on stderr, in one line, why a command could not run."""
    print(f"qiudao {command}: {message}", file=sys.stderr)
    return WRONG_USE
