"""How fast are the derivatives that the AD benchmarks ADBench and GradBench ask for?

Every objective of both, at the published sizes, its derivative by each library in its best form,
by hand in NumPy and by hand in C, one thread. "primal" rows are the objective alone: gradient over
primal. `QIUDAO_ADBENCH` (or --data) names the folder of ADBench's files; what needs them is left
out without.

    python benchmarks/adbench.py --objective gmm ba --quick
"""

import argparse
import os
from collections.abc import Callable
from functools import partial
from importlib import import_module
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from alternate import Report, Samples, alternate, arguments
from objectives import data
from objectives.asking import Ways
from peers import as_numpy

GRADBENCH = ["lse", "llsq", "ode", "kmeans", "det", "saddle", "particle"]
OBJECTIVES = [*GRADBENCH, "gmm", "ba", "ht", "lstm"]
LIBRARIES = ("qiudao", "jax", "torch", "casadi", "c")  # not every objective has the last two
TOLERANCE = 1e-6
PRIMAL = "primal"
PATIENCE = 5  # limits: what a first call may take, and be called again


def options_here(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--objective", nargs="+", choices=OBJECTIVES, default=OBJECTIVES, metavar="NAME")
    add("--size", metavar="TEXT", help="sizes whose name holds TEXT, as in --size n=1000,d=8")
    add("--quick", action="store_true", help="the first size of each objective; not kept")
    add("--slow", action="store_true", help="also contenders that take a minute a call")
    add("--limit", type=float, default=1.0, help="seconds: slower ones run once (%(default)s)")
    add("--data", metavar="FOLDER", help="the folder of ADBench's files")


def named(objective: str, size: dict[str, Any]) -> str:
    return f"{objective} " + ",".join(f"{key}={value}" for key, value in size.items())


def ways(module: ModuleType, given: Any, report: Report) -> Ways:
    """Every contender's way to the derivative."""
    makers = {library: getattr(module, f"in_{library}", None) for library in LIBRARIES}
    written = {library: make for library, make in makers.items() if make is not None}
    found = report.contenders(written, given)
    found["by hand"] = partial(module.by_hand, given)
    slow = () if report.options.slow else getattr(module, "SLOW", ())
    return {name: run for name, run in found.items() if name not in slow}


def flat(answer: Any) -> np.ndarray:
    parts = [answer] if hasattr(answer, "shape") else answer
    return np.concatenate([as_numpy(part).ravel() for part in parts])


def checked(case: str, runs: Ways, report: Report) -> dict[str, float]:
    """How long each contender's second call takes, of those whose answer is that by hand."""
    expected = flat(runs["by hand"]())
    scale = np.abs(expected).max() or 1.0
    seconds = {}
    for name, run in runs.items():
        try:
            start = perf_counter()
            answer = flat(run())
            ready = perf_counter() - start
            if ready < PATIENCE * report.options.limit or ".jit" in name:
                start = perf_counter()
                run()
                seconds[name] = perf_counter() - start
            else:
                seconds[name] = ready
        except Exception as error:  # a contender's failure is a finding: it is noted
            report.note(f"{case}: {name} fails: {type(error).__name__}: {str(error)[:300]}")
            continue
        if PRIMAL in name:
            continue
        worst = np.abs(answer - expected).max() if answer.shape == expected.shape else np.inf
        if not worst <= TOLERANCE * scale:
            report.note(f"{case}: {name} is wrong by {worst:.3g} at a scale of {scale:.3g}")
            del seconds[name]
    return seconds


def measure(case: str, runs: Ways, report: Report) -> None:
    """Time alternately what is quick; what is slow was timed once."""
    seconds = checked(case, runs, report)
    limit = report.options.limit
    quick = {name: runs[name] for name, taken in seconds.items() if taken <= limit}
    taken = alternate(quick, report.options.rounds, report.options.seconds)
    once = {name: Samples((slow,)) for name, slow in seconds.items() if name not in quick}
    if once:
        report.note(f"{case}: timed once: {', '.join(once)}")
    report.add(case, taken | once, "us")


def primal(module: ModuleType, given: Any) -> Callable[[], Any] | None:
    """The objective in NumPy, where it is one function of arrays."""
    objective = getattr(module, "objective", None)
    if objective is None:
        return None
    return lambda: given.bind(objective)(*given.all)


def main() -> None:
    options = arguments(__doc__, rounds=7, more=options_here)
    if options.data:
        os.environ[data.VARIABLE] = options.data
    report = Report("adbench", __doc__, options, reference="qiudao.jit")
    report.partial |= options.quick or bool(options.size) or options.objective != OBJECTIVES
    for objective in options.objective:
        module = import_module(f"objectives.{objective}")
        for size in module.SIZES[:1] if options.quick else module.SIZES:
            case = named(objective, size)
            if not report.wants(case) or (options.size and options.size not in case):
                continue
            try:
                given = module.inputs(**size)
            except data.MissingDataError as error:
                report.note(str(error))
                continue
            runs = ways(module, given, report)
            plain = primal(module, given)
            if plain is not None:
                runs["NumPy primal"] = plain
            measure(case, runs, report)
    report.finish()


if __name__ == "__main__":
    main()
