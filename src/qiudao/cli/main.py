"""The command `qiudao`: reads the arguments, runs one command, turns mistakes into exit codes.

    0   done (for `check`: the gradient is right)
    1   `check`: the gradient is wrong
    2   what was asked cannot be done; one line on stderr says why
    130 stopped with Ctrl-C
    141 whoever read the output left, as `head` does

A mistake of ours, not of the person's, is not caught: its traceback is the report we need.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from qiudao.cli import check, explain, grad, story, tour, why
from qiudao.cli.errors import CommandError
from qiudao.cli.output import OutputError, output

__all__ = ["main"]

COMMANDS = (tour, grad, check, explain, story, why)
NAMES = [command.NAME for command in COMMANDS]
OK, WRONG_USE, INTERRUPTED, READER_LEFT = 0, 2, 130, 141


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line, as all of ours are."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(WRONG_USE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((w for w in words if w in NAMES), "")
    try:
        with output():
            return run(words)
    except CommandError as error:
        return complain(command, str(error))
    except OutputError as error:
        return READER_LEFT if error.reader_left else complain(command, str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def run(words: list[str]) -> int:
    """Run the command that the words ask for."""
    parser = build_parser()
    asked = parser.parse_args(shield_leading_minus(words))
    if asked.command is None:
        parser.print_help()
        return OK
    return int(asked.run(asked))


def build_parser() -> Parser:
    """The arguments of every command."""
    parser = Parser(
        prog="qiudao",
        description="Automatic differentiation for people who write NumPy.",
        epilog="Each command has its own help: qiudao tour --help",
    )
    parser.add_argument("--version", action="version", version=f"qiudao {installed_version()}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    for command in COMMANDS:
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
    options = ("-", "-h")  # `-h*2` is an expression
    return [
        f" {w}" if w.startswith("-") and not w.startswith("--") and w not in options else w
        for w in words
    ]


def installed_version() -> str:
    """The version that pip knows, or a word that says there is none."""
    try:
        return version("qiudao")
    except PackageNotFoundError:
        return "(not installed)"


def complain(command: str, message: str) -> int:
    """Say on stderr, in one line, why a command could not run."""
    with suppress(OSError):  # nobody is there to be told
        print(f"{f'qiudao {command}'.strip()}: {message}", file=sys.stderr, flush=True)
    return WRONG_USE
