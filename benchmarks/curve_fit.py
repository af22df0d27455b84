"""Is an exact gradient worth its import, for one curve fit in a process that starts cold?

Each contender fits the same five-parameter peak with SciPy in a fresh process
(`curve_fit_child.py`), to few, many and very many measurements; what counts is the time of the
whole process, imports included: by the wall, or by `--clock processor`. SciPy's own finite
differences are the contender to beat. "qiudao.jit" compiles in each process anew; "kept" has the
machine code on disk, as from the second process on. Each library appears in its quickest form.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from alternate import Report, Samples, arguments
from curve_fit_child import TRUTH

CHILD = Path(__file__).with_name("curve_fit_child.py")
SOLVERS = ("least_squares", "curve_fit", "minimize")
POINTS = (400, 20_000, 200_000, 1_000_000)
CONTENDERS = ("qiudao", "qiudao.jit", "qiudao.jit, kept", "autograd", "jax", "torch")
KEPT = "kept"  # what ends the name of who finds machine code on disk
SLOW = [("torch", points) for points in POINTS[1:]]  # 4 s for its import, and Jacobians by rows
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Done(NamedTuple):
    """What a process took, in seconds, and what it answered."""

    taken: float
    parameters: list[float]
    evaluations: int
    derivatives: int


def options_here(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--points", type=int, nargs="+", default=POINTS, help="measurements")


def main() -> None:
    options = arguments(__doc__, rounds=4, more=options_here)
    report = Report("curve_fit", __doc__, options)
    wanted = [name for name in CONTENDERS if name not in options.without]
    missing = {name for name in wanted if find_spec(name.split(".")[0]) is None}
    for name in sorted(missing):
        report.note(f"{name}: not installed, left out.")
    for points in options.points:
        for solver in SOLVERS:
            case = f"{solver} {points}"
            if not report.wants(case):
                continue
            contenders = [
                name for name in wanted if name not in missing and (name, points) not in SLOW
            ]
            contenders.append("finite differences")
            report.add(case, time_processes(contenders, solver, points, report), "ms")
    report.finish()


def time_processes(
    contenders: list[str], solver: str, points: int, report: Report
) -> dict[str, Samples]:
    """Run every contender's process in turn, once unmeasured and then as many times as rounds."""
    order = list(contenders)
    samples: dict[str, list[float]] = {name: [] for name in order}
    with tempfile.TemporaryDirectory() as kept:

        def run(name: str) -> Done:
            if name.endswith(KEPT):
                return run_process(name, solver, points, kept, report.options.clock)
            with tempfile.TemporaryDirectory() as empty:
                return run_process(name, solver, points, empty, report.options.clock)

        for name in order:
            done = run(name)  # also compiles to bytecode, as an installation does
            check_fit(name, done.parameters)
            report.note(
                f"{solver} {points}: {name} takes {done.evaluations} evaluations, "
                f"{done.derivatives} derivatives"
            )
        for _ in range(report.options.rounds):
            for name in order:
                samples[name].append(run(name).taken)
            order.append(order.pop(0))
    return {name: Samples(tuple(taken)) for name, taken in samples.items()}


def run_process(name: str, solver: str, points: int, cache: str, clock: str) -> Done:
    command = [sys.executable, str(CHILD), name, solver, str(points)]
    environment = ENVIRONMENT | {"QIUDAO_CACHE_DIR": cache}
    start, used = perf_counter(), processor_time_of_children()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    taken = perf_counter() - start
    if clock == "processor":
        taken = processor_time_of_children() - used
    if done.returncode:
        raise RuntimeError(f"{name}, {solver}: the process failed\n{done.stderr}")
    return Done(taken, *json.loads(done.stdout))


def processor_time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check_fit(name: str, parameters: list[float]) -> None:
    if not np.allclose(parameters, TRUTH, rtol=0.05, atol=0.02):
        raise ArithmeticError(f"{name}: fitted {parameters}, not {TRUTH}")


if __name__ == "__main__":
    main()
