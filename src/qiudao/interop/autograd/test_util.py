"""Derivatives checked against differences, as `autograd.test_util` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from ...core.errors import GradcheckError
from .running import pulled, pushed
from .spaces import vspace
from .wrap_util import get_name, unary_to_nary

__all__ = [
    "check_equivalent",
    "check_grads",
    "check_jvp",
    "check_vjp",
    "combo_check",
    "make_numerical_jvp",
    "scalar_close",
]

TOL = 1e-6
RTOL = 1e-6
EPS = 1e-6

Function = Callable[..., Any]


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers agree to 1e-6, absolutely or relative to their sum."""
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """V -> J v by central differences of step 1e-6."""
    x_space, y_space = vspace(x), vspace(f(x))

    def jvp(v: Any) -> Any:
        ahead = f(x_space.add(x, x_space.scalar_mul(v, EPS / 2)))
        behind = f(x_space.add(x, x_space.scalar_mul(v, -EPS / 2)))
        change = y_space.add(ahead, y_space.scalar_mul(behind, -1.0))
        return y_space.scalar_mul(change, 1.0 / EPS)

    return jvp


def check_vjp(f: Function, x: Any) -> None:
    """Compare the pullback with differences, along random directions."""
    vjp, y = pulled(f, x)
    x_space, y_space = vspace(x), vspace(y)
    x_v, y_v = x_space.randn(), y_space.randn()
    back = x_space.covector(vjp(y_space.covector(y_v)))
    if vspace(back) != x_space:
        raise GradcheckError(
            f"check_vjp: the cotangent of {get_name(f)} lies in {vspace(back)} and the argument in "
            f"{x_space}; both must be equal"
        )
    exact = x_space.inner_prod(x_v, back)
    numeric = y_space.inner_prod(y_v, make_numerical_jvp(f, x)(x_v))
    if not scalar_close(numeric, exact):
        raise GradcheckError(
            f"check_vjp: the derivative of {get_name(f)} at {x} is {exact} by its rule and "
            f"{numeric} by differences; correct the rule"
        )


def check_jvp(f: Function, x: Any) -> None:
    """Compare the pushforward with differences, along a random direction."""
    v = vspace(x).randn()
    check_equivalent(pushed(f, x)(v)[1], make_numerical_jvp(f, x)(v))


def check_equivalent(x: Any, y: Any) -> None:
    """Refuse values of different spaces, or that differ along a random direction."""
    space = vspace(x)
    if space != vspace(y):
        raise GradcheckError(
            f"check_equivalent: {space} and {vspace(y)} differ; both must be equal"
        )
    v = space.randn()
    if not scalar_close(space.inner_prod(x, v), space.inner_prod(y, v)):
        raise GradcheckError(f"check_equivalent: {x} and {y} differ; both must be equal")


def check_grads(
    fun: Function, argnum: Any = 0, modes: Sequence[str] = ("fwd", "rev"), order: int = 2
) -> Function:
    """A function of the arguments of `fun` that checks its derivatives there, to this order.

    `modes` are "fwd" and "rev".  Disagreement is a `GradcheckError`, an `AssertionError`.

    >>> from qiudao.interop.autograd.test_util import check_grads
    >>> check_grads(lambda x: x * np.sin(x), order=2)(1.0)
    """
    if not set(modes) <= {"fwd", "rev"}:
        raise ValueError(f'check_grads: modes={modes!r} must be of "fwd" and "rev"')
    return _check_grads(fun, argnum, modes, order)


@unary_to_nary
def _check_grads(f: Function, x: Any, modes: Sequence[str], order: int) -> None:
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            v = vspace(x).randn()
            _check_grads(lambda x, v: pushed(f, x)(v)[1], (0, 1), modes, order - 1)(x, v)
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            v = vspace(f(x)).randn()
            _check_grads(lambda x, v: pulled(f, x)[0](v), (0, 1), modes, order - 1)(x, v)


def combo_check(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """A function of lists of arguments that checks all combinations of them.

    The arguments after `fun` are those of `check_grads`.
    """

    def check_all(*choices: Any, **named: Any) -> None:
        keywords = [[(key, x) for x in xs] for key, xs in named.items()]
        for positional in product(*choices):
            for pairs in product(*keywords):
                check_grads(fun, *args, **kwargs)(*positional, **dict(pairs))

    return check_all
