"""The first stop: one derivative four ways.

The example is the study that this project grew from: three functions in a chain, F(Z(Y(x))) at
x = 3. By hand, with y = 20 and z = 320:

    dF/dx = F'(z) Z'(y) Y'(x) = 4·320³ · (2·20 - 4) · (6·3 - 4) = 131072000 · 36 · 14
"""

import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import qiudao as qd

__all__ = [
    "Answer",
    "CHAIN",
    "CHAIN_EXACT",
    "Cost",
    "Counted",
    "POLYNOMIAL_EXACT",
    "START",
    "STEP",
    "StepError",
    "Sweeps",
    "chain",
    "compare_ways",
    "cost_of_gradient",
    "errors_by_step",
    "smooth_maximum",
    "sweep_both_ways",
]

Value: TypeAlias = Any  # a float, an array or a Tensor: the same line serves all
Function: TypeAlias = Callable[[Value], Value]
FloatArray: TypeAlias = NDArray[np.float64]


def Y(x: Value) -> Value:
    """The polynomial that the study starts from."""
    return 3 * x**2 - 4 * x + 5


def Z(y: Value) -> Value:
    """The second function of the chain. It uses `y` three times: see `reuse`."""
    return y * y - 4 * y


def F(z: Value) -> Value:
    """The last function of the chain."""
    return z**4 - 5


def chain(x: Value) -> Value:
    """The three of them, one after the other."""
    return F(Z(Y(x)))


CHAIN = (Y, Z, F)
START = 3.0
POLYNOMIAL_EXACT = 14.0
CHAIN_EXACT = 66_060_288_000.0
STEP = 1e-8  # the study's step: the square root of float64's precision, a usual choice


class Counted:
    """A function that counts its evaluations."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, x: Value) -> Value:
        """Evaluate, and count."""
        self.calls += 1
        return self.function(x)


@dataclass(frozen=True)
class Answer:
    """A derivative, how far it is from the truth, and what it cost."""

    way: str
    direction: str
    value: float
    error: float  # relative
    evaluations: int  # of the functions in the chain, all together


def compare_ways(functions: Sequence[Function], x: float, exact: float) -> list[Answer]:
    """The derivative of a chain of functions at `x`, by limits and by sweeps."""
    ways: list[tuple[str, str, Callable[[Sequence[Function], float], float]]] = [
        ("limit", "two points", by_limit),
        ("chained limits", "link by link", by_chained_limits),
        ("forward sweep", "x to result", by_forward_sweep),
        ("reverse sweep", "result to x", by_reverse_sweep),
    ]
    answers = []
    for way, direction, differentiate in ways:
        counted = [Counted(function) for function in functions]
        value = differentiate(counted, x)
        calls = sum(function.calls for function in counted)
        answers.append(Answer(way, direction, value, abs(value / exact - 1), calls))
    return answers


def by_limit(functions: Sequence[Function], x: float, step: float = STEP) -> float:
    """(f(x + h) - f(x)) / h, for the whole chain f."""
    return float((run(functions, x + step) - run(functions, x)) / step)


def by_chained_limits(functions: Sequence[Function], x: float, step: float = STEP) -> float:
    """The same quotient for each function of the chain, at its own input; then their product."""
    slope = 1.0
    for function in functions:
        y = function(x)
        slope *= (function(x + step) - y) / step
        x = y
    return slope


def by_forward_sweep(functions: Sequence[Function], x: float) -> float:
    """Carry dx = 1 along with the values."""
    _, slope = qd.jvp(lambda x: run(functions, x), (x,), (1.0,))
    return float(slope)


def by_reverse_sweep(functions: Sequence[Function], x: float) -> float:
    """Carry dF = 1 back along the recorded operations."""
    start = qd.tensor(x, requires_grad=True)
    (slope,) = qd.grad(run(functions, start), start)
    return float(slope)


def run(functions: Sequence[Function], x: Value) -> Value:
    """The value of the chain."""
    for function in functions:
        x = function(x)
    return x


@dataclass(frozen=True)
class Sweeps:
    """What each sweep carries at x and after each function of the chain."""

    values: list[float]
    forward: list[float]  # d(this)/dx, known from left to right
    reverse: list[float]  # d(result)/d(this), known from right to left


def sweep_both_ways(functions: Sequence[Function], x: float) -> Sweeps:
    """Both sweeps a function at a time, to see what they carry on the way."""
    values, forward = [x], [1.0]
    pulls = []
    for function in functions:
        _, slope = qd.jvp(function, (values[-1],), (forward[-1],))
        value, pull = qd.vjp(function, values[-1])
        values.append(float(value))
        forward.append(float(slope))
        pulls.append(pull)
    reverse = [1.0]
    for pull in reversed(pulls):
        (slope,) = pull(reverse[0])
        reverse.insert(0, float(slope))
    return Sweeps(values, forward, reverse)


@dataclass(frozen=True)
class StepError:
    """The relative error of a limit at one step: of the one-sided and of the two-sided quotient."""

    step: float
    one_sided: float
    two_sided: float


def errors_by_step(
    functions: Sequence[Function], x: float, exact: float, steps: Sequence[float]
) -> list[StepError]:
    """How a limit's error falls with the step, then rises as the subtraction eats the digits."""

    def quotient(left: float, right: float) -> float:
        return float((run(functions, right) - run(functions, left)) / (right - left))

    return [
        StepError(
            step,
            abs(by_limit(functions, x, step) / exact - 1),
            abs(quotient(x - step, x + step) / exact - 1),
        )
        for step in steps
    ]


def smooth_maximum(x: Value) -> Value:
    """The logarithm of Σ exp(sin xᵢ): many inputs, one output, as every loss function has."""
    return np.log(np.sum(np.exp(np.sin(x))))


@dataclass(frozen=True)
class Cost:
    """What a whole gradient costs one way: evaluations of the function, and time."""

    way: str
    inputs: int
    evaluations: int
    seconds: float
    gradient: FloatArray


def cost_of_gradient(inputs: int) -> list[Cost]:
    """The gradient of `smooth_maximum` by limits, by forward sweeps and by one reverse sweep."""
    x = np.linspace(0.0, 3.0, inputs)
    directions = np.eye(inputs)

    def limits(f: Function) -> FloatArray:
        here = f(x)
        return np.array([(f(x + STEP * d) - here) / STEP for d in directions])

    def forward(f: Function) -> FloatArray:
        return np.array([float(qd.jvp(f, (x,), (d,))[1]) for d in directions])

    def reverse(f: Function) -> FloatArray:
        return np.asarray(qd.grad(f)(x))

    costs = []
    for way, differentiate in (("limits", limits), ("forward", forward), ("reverse", reverse)):
        counted = Counted(smooth_maximum)
        gradient = differentiate(counted)
        seconds = min(timeit.repeat(partial(differentiate, smooth_maximum), number=1, repeat=3))
        costs.append(Cost(way, inputs, counted.calls, seconds, gradient))
    return costs
