"""Is an exact gradient worth its import, for one small curve fit in a process that starts cold?

Each contender fits the same five-parameter peak with SciPy in a fresh process
(`curve_fit_child.py`); what counts is the wall time of the whole process, imports included. SciPy's
own finite differences are the contender to beat. Each library appears in its quickest form.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np

from alternate import Report, Samples, arguments
from curve_fit_child import TRUTH

CHILD = Path(__file__).with_name("curve_fit_child.py")
SOLVERS = ("least_squares", "curve_fit", "minimize")
WITH_BYTECODE = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
LIBRARIES = ("qiudao", "autograd", "jax", "torch")


def main() -> None:
    options = arguments(__doc__, rounds=4)
    report = Report("curve_fit", __doc__, options)
    wanted = [library for library in LIBRARIES if library not in options.without]
    missing = [library for library in wanted if find_spec(library) is None]
    for library in missing:
        report.note(f"{library}: not installed, left out.")
    contenders = [library for library in wanted if library not in missing]
    contenders.append("finite differences")
    for solver in SOLVERS:
        if report.wants(solver):
            report.add(solver, time_processes(contenders, solver, options.rounds), "ms")
    report.finish()


def time_processes(contenders: list[str], solver: str, rounds: int) -> dict[str, Samples]:
    """Run every contender's process in turn, once unmeasured and then `rounds` times."""
    order = list(contenders)
    samples: dict[str, list[float]] = {name: [] for name in order}
    for name in order:
        check_fit(name, run(name, solver)[1])  # also compiles to bytecode, as an installation does
    for _ in range(rounds):
        for name in order:
            samples[name].append(run(name, solver)[0])
        order.append(order.pop(0))
    return {name: Samples(tuple(taken)) for name, taken in samples.items()}


def run(name: str, solver: str) -> tuple[float, list[float]]:
    command = [sys.executable, str(CHILD), name, solver]
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=WITH_BYTECODE)
    taken = perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{name}, {solver}: the process failed\n{done.stderr}")
    return taken, json.loads(done.stdout)


def check_fit(name: str, parameters: list[float]) -> None:
    if not np.allclose(parameters, TRUTH, rtol=0.05, atol=0.02):
        raise ArithmeticError(f"{name}: fitted {parameters}, not {TRUTH}")


if __name__ == "__main__":
    main()
