"""Hand-written C for a benchmark: built by the system's compiler, called through ctypes."""

import ctypes
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from alternate import Report

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fPIC")
NATIVE = Path(__file__).parent / "objectives" / "native"
ALIGNMENT = 64  # bytes: a line of the cache, and the widest vector


class NoCompilerError(ImportError):
    """There is no gcc here: a contender in C is left out, as a library that is not installed."""


def widest() -> list[str]:
    """Vectors as wide as the processor has: gcc may choose narrower ones, of older mathematics."""
    cpu = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpu.exists():
        return []
    return [f"-mprefer-vector-width={512 if ' avx512f ' in cpu.read_text() else 256}"]


def mathematics() -> list[str]:
    """Glibc's functions of vectors, where it has them, and of numbers."""
    return [f"-l{name}" for name in ("mvec", "m") if find_library(name)]


def compiled_file(path: Path) -> ctypes.CDLL:
    """The library compiled from a file of C. Raises NoCompilerError.

    It is linked without -ffast-math: with it, loading the library would have the whole process
    flush denormal numbers, every other contender's as well.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("C: no gcc")
    with tempfile.TemporaryDirectory() as folder:
        code, library = str(Path(folder) / "code.o"), str(Path(folder) / "code.so")
        subprocess.run([compiler, *FLAGS, *widest(), "-c", "-o", code, str(path)], check=True)
        subprocess.run([compiler, "-shared", "-o", library, code, *mathematics()], check=True)
        return ctypes.CDLL(library)


def build(source: str, report: Report) -> ctypes.CDLL | None:
    """The library compiled from `source`; None, and a note, where there is no compiler."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code.c"
        code.write_text(source)
        try:
            return compiled_file(code)
        except NoCompilerError:
            report.note("C: no gcc, left out.")
            return None


@cache
def native(objective: str) -> ctypes.CDLL:
    """The derivatives of objectives/native/<objective>.c, compiled once. Raises NoCompilerError."""
    return compiled_file(NATIVE / f"{objective}.c")


def aligned(count: int) -> np.ndarray:
    """`count` doubles, zero, from a multiple of `ALIGNMENT` bytes on."""
    raw = np.zeros(count + ALIGNMENT // 8)
    return raw[-raw.ctypes.data % ALIGNMENT // 8 :][:count]


def converted(arg: Any) -> Any:
    """An argument as C takes it: an array as a pointer, an integer as a long, a float a double."""
    if isinstance(arg, np.ndarray):
        if not arg.flags.c_contiguous:
            raise ValueError(f"C: an array {arg.shape} is not row by row; np.ascontiguousarray(a)")
        return arg.ctypes.data_as(ctypes.c_void_p)  # a pointer that keeps its array alive
    return ctypes.c_double(arg) if isinstance(arg, float) else ctypes.c_long(arg)


def call(function: Any, *args: Any) -> Callable[[], float]:
    """A call of a C function that returns a double."""
    function.restype = ctypes.c_double
    given = [converted(arg) for arg in args]
    return lambda: function(*given)


def filling(outs: tuple[np.ndarray, ...], function: Any, *args: Any) -> Callable[[], Any]:
    """A call of a C function that fills `outs`, its last arguments, which are what it gives."""
    function.restype = None
    given = [converted(arg) for arg in (*args, *outs)]

    def run() -> tuple[np.ndarray, ...]:
        function(*given)
        return outs

    return run
