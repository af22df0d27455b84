"""What does the gradient of a simulation in a plain Python loop cost, and when is it ready?

A double pendulum, four states, followed by 1,000 steps of Runge and Kutta's fourth order; the
gradient of the last position's square by the four states at the start and four parameters (two
lengths, two masses). Every contender but jax has the plain `for`; jax has `lax.scan`. "first
call" rows are the time until the first gradient is there, compilation and tracing included.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from alternate import CLOCKS, Report, Samples, arguments
from objectives.asking import load_jax, load_torch
from peers import check_agreement

STEPS, MANY_STEPS, TICK = 1_000, 100_000, 0.005
GRAVITY = 9.81
STATE = np.array([1.0, 0.5, 0.0, 0.2])  # two angles and their velocities
PARAMETERS = np.array([1.0, 0.8, 1.0, 1.5])
Runs = dict[str, Callable[[], Any]]


def slope(state, parameters, xp=np):
    """Newton's law for the two angles and their velocities."""
    a, b, va, vb = state[0], state[1], state[2], state[3]
    la, lb, ma, mb = parameters[0], parameters[1], parameters[2], parameters[3]
    sin, cos = xp.sin(a - b), xp.cos(a - b)
    total = ma + mb
    spread = ma + mb * sin * sin
    push_a = mb * la * va * va * cos + mb * lb * vb * vb
    acceleration_a = (
        mb * GRAVITY * xp.sin(b) * cos - sin * push_a - total * GRAVITY * xp.sin(a)
    ) / (la * spread)
    acceleration_b = (
        total * (la * va * va * sin - GRAVITY * xp.sin(b) + GRAVITY * xp.sin(a) * cos)
        + mb * lb * vb * vb * sin * cos
    ) / (lb * spread)
    return xp.stack([va, vb, acceleration_a, acceleration_b])


def step(state, parameters, h, xp=np):
    k1 = slope(state, parameters, xp)
    k2 = slope(state + h / 2 * k1, parameters, xp)
    k3 = slope(state + h / 2 * k2, parameters, xp)
    k4 = slope(state + h * k3, parameters, xp)
    return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def end(state, parameters, xp=np):
    """The square of the lower mass's height and distance, from its two angles."""
    x = parameters[0] * xp.sin(state[0]) + parameters[1] * xp.sin(state[1])
    y = parameters[0] * xp.cos(state[0]) + parameters[1] * xp.cos(state[1])
    return x * x + 2 * y


def simulate(state, parameters, steps=STEPS, xp=np):
    for _ in range(steps):
        state = step(state, parameters, TICK, xp)
    return end(state, parameters, xp)


def in_qiudao(steps: int) -> Runs:
    import qiudao as qd

    gradient = qd.grad(partial(simulate, steps=steps), (0, 1))
    runs: Runs = {"qiudao": lambda: gradient(STATE, PARAMETERS)}
    if hasattr(qd, "jit"):
        native = qd.jit(gradient)
        runs["qiudao.jit"] = lambda: native(STATE, PARAMETERS)
    return runs


def in_jax(steps: int) -> Runs:
    jax = load_jax()
    xp = jax.numpy

    def scanned(state, parameters):
        last, _ = jax.lax.scan(
            lambda s, _: (step(s, parameters, TICK, xp), None), state, length=steps
        )
        return end(last, parameters, xp)

    native = jax.jit(jax.grad(scanned, (0, 1)))
    state, parameters = xp.asarray(STATE), xp.asarray(PARAMETERS)
    return {"jax.jit": lambda: jax.block_until_ready(native(state, parameters))}


def in_torch(steps: int) -> Runs:
    torch = load_torch()
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in (STATE, PARAMETERS)]
    return {"torch": lambda: torch.autograd.grad(simulate(*leaves, steps, torch), leaves)}


def main() -> None:
    options = arguments(__doc__, rounds=5)
    os.environ["QIUDAO_CACHE"] = "0"  # the first call finds nothing on disk
    report = Report("double_pendulum", __doc__, options, reference="qiudao.jit")
    makers = {"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}
    runs = report.contenders(makers, STEPS)
    first_calls(STEPS, runs, report)
    report.time(f"gradient, {STEPS:,} steps", runs, "ms")
    many = report.contenders(makers, MANY_STEPS)
    first_calls(MANY_STEPS, {name: run for name, run in many.items() if "jit" in name}, report)
    report.finish()


def first_calls(steps: int, runs: Runs, report: Report) -> None:
    """Time each contender's first call; few steps must agree, many are chaotic."""
    now, ready, answers = CLOCKS[report.options.clock], {}, {}
    for name, run in runs.items():
        start = now()
        answers[name] = run()
        ready[name] = Samples((now() - start,))
    if steps == STEPS:
        check_agreement("double pendulum", answers, 1e-6)
    if ready:
        report.add(f"first call, {steps:,} steps", ready, "ms")


if __name__ == "__main__":
    main()
