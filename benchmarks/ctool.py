"""Hand-written C for a benchmark: built by the system's compiler, called through ctypes."""

import ctypes
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from alternate import Report

FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")


def widest() -> list[str]:
    """Vectors as wide as the processor has: gcc may choose narrower ones, of older mathematics."""
    cpu = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpu.exists():
        return []
    return [f"-mprefer-vector-width={512 if ' avx512f ' in cpu.read_text() else 256}"]


def build(source: str, report: Report) -> ctypes.CDLL | None:
    """The library compiled from `source`; None, and a note, where there is no compiler."""
    compiler = shutil.which("gcc")
    if compiler is None:
        report.note("C: no gcc, left out.")
        return None
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder) / "code.c", Path(folder) / "code.so"
        code.write_text(source)
        command = [compiler, *FLAGS, *widest(), "-o", str(library), str(code), "-lmvec", "-lm"]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(library))


def call(function: Any, *args: Any) -> Callable[[], float]:
    """A call of a C function that returns a double; arrays go as pointers, integers as longs."""
    function.restype = ctypes.c_double
    converted = [
        # `data_as` gives a pointer that keeps its array alive
        arg.ctypes.data_as(ctypes.c_void_p) if isinstance(arg, np.ndarray) else ctypes.c_long(arg)
        for arg in args
    ]
    return lambda: function(*converted)
