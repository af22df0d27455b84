"""`qiudao grad`: the value and the partial derivatives of one expression at one point."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import qiudao as qd
from qiudao.cli.errors import CommandError
from qiudao.cli.expression import Expression, parse
from qiudao.cli.optional import load

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "grad"
DESCRIPTION = """The value of an expression and its derivative by each variable, exactly.

Names of functions are NumPy's (sin, exp, log, sum, where ...), with or without `np.`;
pi and e are known. Every value is a float64 number or array. The result must be one
real number: wrap an array in sum(...)."""
EXAMPLES = """examples:
  qiudao grad "3*x**2 - 4*x + 5" --at x=3
  qiudao grad "sum(sin(x) * y)" --at x=pi/2 --at "y=[1, 2]" """

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """A value and the partial derivative by each variable, in the order they were given."""

    value: float
    partials: dict[str, FloatArray]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao grad`."""
    parser.add_argument("expression", help='for example "3*x**2 - 4*x + 5"')
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="where to take the derivative, once for each variable: x=3, y=[1,2], t=pi/4",
    )


def run(asked: argparse.Namespace) -> int:
    """Print the value and each partial derivative."""
    expression = parse(asked.expression)
    point = read_point(asked.at)
    answer = differentiate(expression, point)
    load("qiudao.cli.screen").show_answer(expression.text, point, answer.value, answer.partials)
    return 0


def read_point(assignments: list[str]) -> dict[str, FloatArray]:
    """Read `x=3`, `y=[1,2]` ... into float64 arrays by name."""
    point: dict[str, FloatArray] = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and value and name.isidentifier()):
            raise CommandError(f"--at {text}: expected NAME=VALUE, as in --at x=3")
        if name in point:
            raise CommandError(f"--at {text}: {name} was given before; give each variable once")
        point[name] = read_value(text, value)
    return point


def read_value(assignment: str, text: str) -> FloatArray:
    """Read the right-hand side of one `--at`: numbers, lists of numbers, arithmetic on them."""
    value = parse(text)
    if value.names:
        raise CommandError(f"--at {assignment}: {value.names[0]} is not a number")
    number = np.asarray(value({}))
    if number.dtype == bool or np.iscomplexobj(number):
        raise CommandError(f"--at {assignment}: expected real numbers, got {number.dtype}")
    return number.astype(np.float64)


def differentiate(expression: Expression, point: Mapping[str, FloatArray]) -> Answer:
    """Sweep once from the value back to every variable."""
    if not expression.names:
        raise CommandError(f"{expression.text!r} has no variable to differentiate by")
    for name in expression.names:
        if name not in point:
            raise CommandError(f"no value for {name}; add --at {name}=...")
    for name in point:
        if name not in expression.names:
            raise CommandError(f"--at {name}=...: {expression.text!r} has no variable {name}")
    variables = {name: qd.tensor(point[name], requires_grad=True) for name in expression.names}
    with np.errstate(all="ignore"):  # an infinite slope is an answer, and is printed as one
        result = expression(variables)
        require_differentiable(expression.text, result)
        # floor(x) and its like are flat wherever they can be
        if not getattr(result, "requires_grad", False):
            return Answer(float(result), {name: np.zeros_like(x) for name, x in point.items()})
        slopes = qd.grad(result, variables, unused="zero")
    return Answer(result.item(), {name: slopes[name].numpy() for name in point})


def require_differentiable(text: str, result: Any) -> None:
    """Refuse what has no gradient: an array, a boolean, an integer, a complex number."""
    if np.ndim(result) > 0:
        raise CommandError(
            f"{text!r} has shape {np.shape(result)}; a gradient needs one number, as in sum({text})"
        )
    dtype = getattr(result, "dtype", np.dtype(type(result)))
    if not np.issubdtype(dtype, np.floating):
        raise CommandError(f"{text!r} is {dtype}; only a real number has a gradient")
