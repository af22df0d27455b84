"""Numbers that are not finite, asked about once a result has turned out to hold one.

Nothing is done while all is well but to look at the results.  Where one is wrong, the computation
is gone through again to name the operation that made it; what does that stands above the layers
that ask, and is imported when it is needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .arriving import arrived
from .dispatch import Tracer
from .errors import GradientError
from .node import Node

LOCATOR = "qiudao.explaining.questions.anomalies"
KINDS = ("nan", "inf")


def known_check(name: str, check: str | None) -> str | None:
    """A user's `check=`, which is None, "nan" or "inf" (both NaN and infinity)."""
    if check is not None and check not in KINDS:
        raise GradientError(
            f"{name}: check={check!r} is not known; use 'nan', or 'inf' for infinities too"
        )
    return check


def is_wrong(values: Iterable[Any], check: str) -> bool:
    """Whether one of these values has a NaN, or with "inf" an infinity; symbols have neither."""
    waiting = list(values)
    while waiting:
        x = waiting.pop()
        if isinstance(x, Tracer) and x.level >= 0:
            waiting.extend(x.parts())
            continue
        a = arrived(x)
        if a.dtype.kind in "fc":
            fine = ~np.isnan(a) if check == "nan" else np.isfinite(a)
            if not bool(fine.all()):
                return True
    return False


def examine_function(
    name: str,
    check: str,
    values: Iterable[Any],
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
) -> None:
    """Raise `NonFiniteError` if these results of differentiating `f` are wrong."""
    if is_wrong(values, check):
        importlib.import_module(LOCATOR).raise_for_function(name, check, f, args, kwargs)


def examine_graph(
    name: str, check: str, values: Iterable[Any], seeds: Sequence[tuple[Node, Any]]
) -> None:
    """Raise `NonFiniteError` if these gradients, swept from `seeds`, are wrong."""
    if is_wrong(values, check):
        importlib.import_module(LOCATOR).raise_for_graph(name, check, seeds)
