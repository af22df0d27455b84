"""How long until straight-line code of many scalar operations is ready to run?

A function of four scalars whose body is n operations, all different, none repeating: tracing and
compiling its gradient, to the end of the first call, with nothing on disk. jax compiles longer than
half a minute beyond 1,000 operations, and sits out unless --slow. What takes longer than two
seconds is timed once.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from alternate import CLOCKS, Report, Samples, arguments
from objectives.asking import load_jax

SIZES = (100, 1_000, 5_000, 20_000)
LARGEST_FOR_JAX = 1_000
LONG = 2.0  # seconds from which once is enough
START = np.array([0.1, 0.4, 0.5, 0.9])
Run = Callable[[], Any]
Ready = Callable[[int], Run]


def straight_line(size: int) -> Callable[[Any, Any], Any]:
    """A function of `size` operations, drawn at random; the values stay near one."""
    rng = np.random.default_rng(size)
    choices = rng.integers(0, 6, size=size // 2)
    partners = rng.integers(1, 5, size=size // 2)
    constants = rng.uniform(0.3, 0.7, size=size // 2)

    def f(x, xp=np):
        values = [x[0], x[1], x[2], x[3]]
        for choice, partner, constant in zip(choices, partners, constants):
            last, other = values[-1], values[-partner]
            if choice == 0:
                found = xp.sin(last) + constant
            elif choice == 1:
                found = xp.cos(last * other)
            elif choice == 2:
                found = xp.exp(-(last * last))
            elif choice == 3:
                found = last * constant + other
            elif choice == 4:
                found = xp.tanh(last - other)
            else:
                found = other / (1.5 + last * last)
            values.append(found)
        return values[-1]

    return f


def ready_in_qiudao(size: int) -> Run:
    import qiudao as qd

    f = straight_line(size)
    return lambda: qd.jit(qd.grad(f))(START)


def eager_in_qiudao(size: int) -> Run:
    import qiudao as qd

    f = straight_line(size)
    return lambda: qd.grad(f)(START)


def ready_in_jax(size: int) -> Run:
    jax = load_jax()
    f = straight_line(size)
    x = jax.numpy.asarray(START)
    return lambda: jax.block_until_ready(jax.jit(jax.grad(lambda x: f(x, jax.numpy)))(x))


def contenders(report: Report) -> dict[str, Ready]:
    """Each a function from the number of operations to what is timed, which compiles afresh."""
    import qiudao as qd

    found: dict[str, Ready] = {"qiudao": eager_in_qiudao}
    if hasattr(qd, "jit"):
        found["qiudao.jit"] = ready_in_qiudao
    try:
        load_jax()
        found["jax.jit"] = ready_in_jax
    except ImportError:
        report.note("jax: not installed, left out.")
    without = {*report.options.without}
    return {name: run for name, run in found.items() if not {name, name.split(".")[0]} & without}


def options_here(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slow", action="store_true", help="jax at every size")


def main() -> None:
    options = arguments(__doc__, rounds=3, more=options_here)
    os.environ["QIUDAO_CACHE"] = "0"
    now = CLOCKS[options.clock]
    report = Report("compile_time", __doc__, options, reference="qiudao.jit")
    found = contenders(report)
    for ready in found.values():
        ready(SIZES[0])()  # what a process pays once: imports, the compiler's own start
    for size in SIZES:
        case = f"{size:,} operations"
        if not report.wants(case):
            continue
        entered = {
            name: ready
            for name, ready in found.items()
            if name != "jax.jit" or options.slow or size <= LARGEST_FOR_JAX
        }
        taken: dict[str, list[float]] = {name: [] for name in entered}
        for _ in range(options.rounds):
            for name, ready in entered.items():
                if not taken[name] or taken[name][0] < LONG:
                    run = ready(size)
                    start = now()
                    run()
                    taken[name].append(now() - start)
        report.add(case, {name: Samples(tuple(t)) for name, t in taken.items()}, "ms")
    report.finish()


if __name__ == "__main__":
    main()
