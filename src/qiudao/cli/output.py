"""Standard output as it is found: its letters, its colours, and what befalls it.

A terminal may lack a sign, want no colours or not know its width; a file may be full, and who
reads a pipe may have gone.
"""

import codecs
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

__all__ = ["OutputError", "is_coloured", "output", "width"]

NEAREST = str.maketrans(
    {"─": "-", "━": "=", "│": "|", "▸": ">", "−": "-", "·": "*", "…": "~", "⟶": ">", "⟵": "<"}
)  # one letter for one, so that columns stay


class OutputError(Exception):
    """Standard output takes no more; `reader_left` where that is because nobody reads on."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the output: {error.strerror or error}")
        self.reader_left = isinstance(error, BrokenPipeError)


class Output:
    """A stream whose failures are told apart from those of the files that a command writes."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or raise `OutputError`."""
        with failures():
            return int(self.stream.write(text))

    def flush(self) -> None:
        """Flush, or raise `OutputError`."""
        with failures():
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def failures() -> Iterator[None]:
    """What the system says of standard output, as an error of our own."""
    try:
        yield
    except OSError as error:
        raise OutputError(error) from error


@contextmanager
def output() -> Iterator[None]:
    """Within the block all that is printed has arrived at its end, or raises `OutputError`."""
    codecs.register_error("nearest", nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nearest")
    # A terminal that does not know its width says 0, for which rich prints nothing.
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]
    if sys.stdout is None:  # closed by the shell, as by >&-
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            yield
        return
    printed = Output(sys.stdout)
    try:
        with redirect_stdout(printed):
            try:
                yield
            finally:
                printed.flush()
    except OutputError:
        discard(printed.stream)
        raise


def nearest(error: UnicodeError) -> tuple[str, int]:
    """For signs that an encoding lacks: those that look alike, `?` where there is none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].translate(NEAREST)
    return "".join(c if c.isascii() else "?" for c in lost), error.end


def discard(stream: Any) -> None:
    """Send what a stream still holds nowhere: Python would complain of it when it ends."""
    with suppress(OSError, ValueError):  # a stream without a file has nothing to complain of
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def is_coloured() -> bool:
    """Whether to print colours: to a terminal that knows them, unless NO_COLOR asks for none."""
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return sys.stdout.isatty() and not dumb and not os.environ.get("NO_COLOR")


def width(most: int) -> int:
    """The columns to print in: those of the terminal, 100 where there is none."""
    return min(shutil.get_terminal_size((100, 24)).columns, most)
