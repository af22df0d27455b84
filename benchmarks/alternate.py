"""Timing contenders alternately: the loop, the machine, the table and the JSON of every benchmark.

Machines drift: clocks change, neighbours wake up. So contenders take turns inside one run, round
after round, in an order that rotates, and a ratio is the median over rounds of one contender's
time against the reference's time *in the same round*. Absolute times belong to the machine that
is named beside them; ratios are what to compare.
"""

import argparse
import datetime
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from time import perf_counter, process_time

Run = Callable[[], object]
CLOCKS = {"wall": perf_counter, "processor": process_time}  # the latter on a machine that is shared
RESULTS = Path(__file__).parent / "results"
REFERENCE = "qiudao"
UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "B": 1.0, "MB": 1e-6}
LIBRARIES = ("qiudao", "numpy", "scipy", "torch", "jax", "autograd", "casadi")
ONE_THREAD = {
    "JAX_PLATFORMS": "cpu",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",  # XLA sizes its pool by this
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PJRT_NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


@dataclass(frozen=True, slots=True)
class Samples:
    """What one contender took in each round, in seconds (or bytes) a call."""

    samples: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.samples)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def against(self, reference: "Samples") -> float:
        """How many times the reference's time this one takes, paired round by round."""
        pairs = zip(self.samples, reference.samples)
        return statistics.median(mine / other for mine, other in pairs)


def alternate(
    contenders: Mapping[str, Run], rounds: int = 9, seconds: float = 0.01, clock: str = "wall"
) -> dict[str, Samples]:
    """Time every contender once a round, each for about `seconds`, after an uncounted warm-up.

    The garbage collector stays on, as it is for a user. What the imports left behind is frozen
    first, so that no library pays for another's modules, and each turn starts collected, so that
    none pays for its predecessor's garbage.
    """
    now = CLOCKS[clock]
    calls = {name: _calls_within(seconds, run, now) for name, run in contenders.items()}
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for name in order:
                gc.collect()
                samples[name].append(_time(contenders[name], calls[name], now))
            order.append(order.pop(0))
    finally:
        gc.unfreeze()
    return {name: Samples(tuple(taken)) for name, taken in samples.items()}


def _time(run: Run, calls: int, now: Callable[[], float]) -> float:
    start = now()
    for _ in repeat(None, calls):
        run()
    return (now() - start) / calls


def _calls_within(seconds: float, run: Run, now: Callable[[], float]) -> int:
    run()  # caches, compilation
    return max(1, round(seconds / max(min(_time(run, 1, now) for _ in range(2)), 1e-9)))


class Report:
    """The rows of one benchmark, printed as a Markdown table and kept in results/<name>.json."""

    def __init__(
        self, name: str, question: str, options: argparse.Namespace, reference: str = REFERENCE
    ):
        self.name = name
        self.question = question
        self.options = options
        self.reference = reference
        self.partial = bool(options.only)
        self.rows: list[dict[str, object]] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep a line that the reader of the figures needs, once."""
        if text not in self.notes:
            self.notes.append(text)
            print(text, file=sys.stderr)

    def wants(self, case: str) -> bool:
        """Whether the options let this case in."""
        return self.options.only is None or self.options.only in case

    def contenders(
        self, makers: Mapping[str, Callable[..., Mapping[str, Run]]], *args: object
    ) -> dict[str, Run]:
        """What each maker gives of `args`, but for what is left out or not installed."""
        without = self.options.without
        found: dict[str, Run] = {}
        for library, make in makers.items():
            if library in without:
                continue
            try:
                found |= make(*args)
            except ImportError:
                self.note(f"{library}: not installed, left out.")
        return {name: run for name, run in found.items() if name not in without}

    def time(self, case: str, contenders: Mapping[str, Run], unit: str, per: int = 1) -> None:
        """Time the contenders of one case; add its row, in `unit` for each of `per` operations."""
        options = self.options
        taken = alternate(contenders, options.rounds, options.seconds, options.clock)
        self.add(case, taken, unit, per)

    def add(self, case: str, taken: Mapping[str, Samples], unit: str, per: int = 1) -> None:
        """Add a row; its ratios are against the reference, or qiudao, or the first."""
        scale = UNITS[unit] / per
        reference = next(
            taken[name] for name in (self.reference, REFERENCE, *taken) if name in taken
        )
        contenders = {
            name: {
                "min": _digits(samples.best * scale),
                "median": _digits(samples.median * scale),
                "ratio": _digits(samples.against(reference)),
            }
            for name, samples in taken.items()
        }
        unit += "/op" if per > 1 else ""
        self.rows.append({"case": case, "unit": unit, "contenders": contenders})
        medians = ", ".join(f"{name} {cell['median']}" for name, cell in contenders.items())
        print(f"{case} [{unit}]: {medians}", file=sys.stderr)

    def finish(self) -> None:
        """Print the table; keep the results unless the run was a partial one."""
        facts = {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "versions": versions(),
            "threads": self.options.threads or "as the libraries choose",
            "rounds": self.options.rounds,
            "clock": self.options.clock,
            "notes": self.notes,
        }
        print(f"\n{self.question}\n{_table(self.rows)}\n")
        named = " or else ".join(dict.fromkeys([self.reference, REFERENCE]))
        print(f"A cell is: min (median), and the median ratio to {named}, or else to the first.")
        for name, fact in facts.items():
            print(f"{name}: {fact}")
        if self.partial:
            print("A partial run: not kept.")
            return
        RESULTS.mkdir(exist_ok=True)
        result = {"name": self.name, "question": self.question, **facts, "rows": self.rows}
        (RESULTS / f"{self.name}.json").write_text(json.dumps(result, indent=1) + "\n")


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["contenders"]))
    lines = [["case", "unit", *names]]
    for row in rows:
        cells = (row["contenders"].get(name) for name in names)
        lines.append([row["case"], row["unit"], *(_cell(cell) for cell in cells)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([text.ljust(width) for text, width in zip(line, widths)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _cell(cell: Mapping[str, float] | None) -> str:
    if cell is None:
        return "-"
    return f"{_figure(cell['min'])} ({_figure(cell['median'])}) {_figure(cell['ratio'])}x"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def machine() -> dict[str, object]:
    """The processor and how many cores of it we may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in pairs}
    if "model name" not in fields:
        return platform.processor()
    return f"{fields['model name']}, family {fields['cpu family']} model {fields['model']}"


def versions() -> dict[str, str]:
    """The version of Python and of each library that is installed."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            if find_spec(library) is not None:
                found[library] = "source tree"
    return found


def arguments(
    question: str | None,
    rounds: int = 9,
    seconds: float = 0.01,
    threads: int = 1,
    more: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
) -> argparse.Namespace:
    """The options every benchmark takes, and `more`; the program starts anew where that sets the
    threads.
    """
    parser = argparse.ArgumentParser(description=question)
    add = parser.add_argument
    add("--without", nargs="+", default=[], metavar="NAME", help="contenders to leave out")
    add("--only", metavar="TEXT", help="cases whose name holds TEXT; results are not kept")
    add("--rounds", type=int, default=rounds, help="turns of each contender (%(default)s)")
    add("--seconds", type=float, default=seconds, help="length of a turn (%(default)s)")
    add("--clock", choices=CLOCKS, default="wall", help="what to time by (%(default)s)")
    add("--threads", type=int, choices=(0, 1), default=threads, help="0: as libraries choose")
    more(parser)
    options = parser.parse_args()
    if options.threads == 1 and not ONE_THREAD.items() <= os.environ.items():
        command = [sys.executable, *sys.orig_argv[1:]]
        restarted = subprocess.run(command, env=os.environ | ONE_THREAD, check=False)
        raise SystemExit(restarted.returncode)
    return options
