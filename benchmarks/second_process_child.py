"""One compiled function in a process of its own: `python second_process_child.py CASE CLOCK`.

`second_process.py` reads the milliseconds that it prints.
"""

import importlib
import json
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time
from typing import Any

import numpy as np

now = process_time if sys.argv[2:] == ["processor"] else perf_counter
START = now()
import qiudao as qd  # noqa: E402  # timed

qd.jit  # noqa: B018  # imported when asked for
importlib.import_module("llvmlite.binding")
IMPORTED = now() - START

import double_pendulum  # noqa: E402
import recurrent  # noqa: E402


def polynomial(x):
    return np.sum((x * 2 + 1) ** 2)


def case(name: str) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A function to compile, and what it is called with."""
    if name == "ten operations":
        return qd.grad(polynomial), (np.ones(10),)
    if name == "recurrent cell":
        return qd.grad(recurrent.looped, (0, 1, 2)), recurrent.inputs()
    simulate = partial(double_pendulum.simulate, steps=double_pendulum.STEPS)
    return qd.grad(simulate, (0, 1)), (double_pendulum.STATE, double_pendulum.PARAMETERS)


def main() -> None:
    f, args = case(sys.argv[1])
    jitted = qd.jit(f)
    start = now()
    jitted.trace(jitted.read(args, {}))
    traced = now()
    jitted(*args)  # traces again, now with all that tracing imports there
    called = now()
    jitted.trace(jitted.read(args, {}))
    again = now() - called
    engine = sys.modules["qiudao.codegen.engine"]
    print(json.dumps({
        "import": 1e3 * IMPORTED,
        "trace": 1e3 * (traced - start),
        "the rest": 1e3 * max(called - traced - again, 0.0),
        "compiled": engine.statistics.compiled,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
