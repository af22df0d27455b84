"""How the terms of a gradient that arrives along several paths become one: accumulation policies.

A sweep sums them as they arrive.  Where the user asks for another policy, the table of cotangents
keeps the terms of each node apart until the sweep takes them out.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arriving import lasting
from .avals import Value
from .dispatch import Tracer
from .errors import GradientError, ShapeError

Total = Callable[[Sequence[Value]], Value]


class Gather:
    """A policy, and the terms that it was given in the last sweep, by the number of their node."""

    def __init__(self, total: Total) -> None:
        self.total = total
        self.terms: dict[int, Sequence[Value]] = {}

    def table(self) -> dict[int, Value]:
        """A new table for the cotangents of a sweep."""
        self.terms = {}
        return Gathering(self)


class Terms(list[Any]):
    """Cotangents on their way to one node."""

    def __add__(self, term: Any) -> Terms:
        self.append(term)
        return self


class Gathering(dict[int, Any]):
    """A table of cotangents that keeps terms apart until they are taken out."""

    def __init__(self, gather: Gather) -> None:
        self.gather = gather

    def __setitem__(self, number: int, ct: Any) -> None:
        super().__setitem__(number, ct if isinstance(ct, Terms) else Terms([ct]))

    def pop(self, number: int) -> Value:  # type: ignore[override]
        terms = super().pop(number)
        self.gather.terms[number] = terms
        return terms[0] if len(terms) == 1 else self.gather.total(terms)


def gather_for(name: str, policy: Any) -> Gather | None:
    """The policy that `accumulate=` names; None for the sum, which needs none."""
    if policy == "sum":
        return None
    if policy == "separate":
        return Gather(plain_sum)
    if policy == "kahan":
        return Gather(compensated_sum)
    if callable(policy):
        return Gather(users(name, policy))
    raise GradientError(
        f"{name}: accumulate={policy!r} is unknown; use 'sum', 'kahan', 'separate' or a function "
        "of a list of terms"
    )


def plain_sum(terms: Sequence[Value]) -> Value:
    """The terms added in the order in which they arrived."""
    return functools.reduce(operator.add, terms)


def compensated_sum(terms: Sequence[Value]) -> Value:
    """The sum with what each addition rounds away added at the end (Neumaier 1974): its error does
    not grow with the number of terms.
    """
    if any(isinstance(t, Tracer) or not hasattr(t, "dtype") for t in terms):
        return plain_sum(terms)
    total = terms[0]
    lost = np.zeros_like(total)
    for term in terms[1:]:
        larger = np.abs(total) >= np.abs(term)
        summed = total + term
        lost = lost + np.where(larger, (total - summed) + term, (term - summed) + total)
        total = summed
    return np.where(np.isfinite(total), total + lost, total)[()]


def users(name: str, policy: Callable[..., Any]) -> Total:
    """The user's own policy, its answer checked."""

    def total(terms: Sequence[Value]) -> Value:
        if not hasattr(terms[0], "dtype"):
            return plain_sum(terms)
        answer = policy(list(map(lasting, terms)))  # which it may write into
        if np.shape(answer) != np.shape(terms[0]):
            raise ShapeError(
                f"{name}: accumulate returned shape {np.shape(answer)} for terms of shape "
                f"{np.shape(terms[0])}; both must be equal"
            )
        return lasting(answer)

    return total
