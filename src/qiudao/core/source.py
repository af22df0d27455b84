"""The user's source line behind an operation: two pointers when recorded, text when asked for."""

from __future__ import annotations

import bisect
import functools
import linecache
import os
import sys
from types import CodeType, FrameType
from typing import NamedTuple

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
TOUR = PACKAGE + "tour" + os.sep  # whose functions are written as a user's would be
_NUMPY = os.sep + "numpy" + os.sep


class Line(NamedTuple):
    """A line of the user's program."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        shown = f"{os.path.basename(self.file)}:{self.number}"
        return f"{shown} (`{self.text}`)" if self.text else shown


known_files: dict[str, bool] = {}  # whether a source file belongs to qiudao or NumPy


def is_ours(file: str) -> bool:
    """Whether a source file belongs to qiudao or NumPy rather than to the user."""
    known = known_files.get(file)
    if known is not None:
        return known
    within = file.startswith(PACKAGE) and not file.startswith(TOUR)
    return known_files.setdefault(file, within or _NUMPY in file)


def caller() -> tuple[CodeType, int]:
    """The code object and instruction offset of the nearest frame outside qiudao and NumPy."""
    return users(sys._getframe(2))


def here() -> str:
    """The user's line that is running, as messages name it: where it says what it asks for."""
    return str(line_of(*users(sys._getframe(1))))


def users(frame: FrameType) -> tuple[CodeType, int]:
    """The code object and instruction offset of this frame, or the nearest one that is not ours."""
    known = known_files.get
    while True:
        code = frame.f_code
        file = code.co_filename
        ours = known(file)
        if ours is None:
            ours = is_ours(file)
        if not ours or frame.f_back is None:
            return code, frame.f_lasti
        frame = frame.f_back


def line_of(code: CodeType, offset: int) -> Line:
    """The source line of an instruction."""
    starts, numbers = _numbers(code)
    k = bisect.bisect_right(starts, offset) - 1
    number = numbers[k] if k >= 0 else code.co_firstlineno
    return Line(code.co_filename, number, linecache.getline(code.co_filename, number).strip())


@functools.lru_cache(maxsize=64)
def _numbers(code: CodeType) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where the lines of a code object begin, and their numbers; its first line where it has none.

    A long function has thousands, and each of its operations may ask.
    """
    spans = [(start, line or code.co_firstlineno) for start, _, line in code.co_lines()]
    return tuple(start for start, _ in spans), tuple(line for _, line in spans)
