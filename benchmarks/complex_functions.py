"""How quick are functions of complex numbers, compiled, beside NumPy's, torch's and jax's?

exp, log, sqrt, sin, tanh, arcsin, arctan of 4,096 numbers, and z^z
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from alternate import Report, arguments
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

SIZE = 4096
NAMES = ("exp", "log", "sqrt", "sin", "tanh", "arcsin", "arctan", "z ** z")
WITHIN = {np.complex128: 1e-11, np.complex64: 1e-3}
Runs = dict[str, Callable[[], Any]]


def function(name: str, xp: Any) -> Callable[[Any], Any]:
    """A library's function of that name."""
    return (lambda z: z**z) if name == "z ** z" else getattr(xp, name)


def in_qiudao(name: str, z: Array) -> Runs:
    import qiudao as qd

    return {"qiudao.jit": partial(qd.jit(function(name, np)), z)}


def in_jax(name: str, z: Array) -> Runs:
    jax = load_jax()
    f = jax.jit(function(name, jax.numpy))
    given = jax.numpy.asarray(z)
    return {"jax.jit": lambda: jax.block_until_ready(f(given))}


def in_torch(name: str, z: Array) -> Runs:
    torch = load_torch()
    return {"torch": partial(function(name, torch), torch.from_numpy(z))}


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("complex_functions", __doc__, options, reference="qiudao.jit")
    for dtype, tolerance in WITHIN.items():
        parts = np.random.default_rng(0).normal(size=(SIZE, 2))
        z = (parts @ [1, 1j]).astype(dtype)
        for name in NAMES:
            case = f"{name}, {dtype.__name__}"
            if not report.wants(case):
                continue
            contenders = {"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}
            runs = report.contenders(contenders, name, z)
            runs["NumPy"] = partial(function(name, np), z)
            check_agreement(case, {who: run() for who, run in runs.items()}, tolerance)
            report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
