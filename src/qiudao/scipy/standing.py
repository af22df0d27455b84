"""What `qd.lift` calls in place of SciPy's own functions."""

import functools
import importlib
import operator
from collections.abc import Callable
from typing import Any

from . import MODULES


def find(f: Any) -> Callable[..., Any] | None:
    """Our function for SciPy's `f`, however that was imported; None where there is none."""
    name = getattr(f, "__name__", None)
    if name is None and type(f).__module__.startswith("scipy.stats"):
        distribution: Callable[..., Any] | None = distribution_of(f)
        return distribution
    of = getattr(f, "__self__", None)
    if of is not None and type(of).__module__.startswith("scipy.stats"):
        return method_of_distribution(of, f.__name__)
    if of is not None and type(of).__module__.startswith("scipy.sparse"):
        return method_of_sparse(of, f.__name__)
    parts = (getattr(f, "__module__", None) or "").split(".")
    if name is None or len(parts) < 2 or parts[1] not in MODULES:
        return None
    inner = ".".join(parts[1:3])
    where = inner if inner in ("sparse.linalg", "spatial.distance") else parts[1]
    try:
        ours = importlib.import_module(f"{__package__}.{where}")
    except ModuleNotFoundError:
        return None
    theirs = importlib.import_module(f"scipy.{where}")
    found: Callable[..., Any] | None = getattr(ours, name, None)
    return found if getattr(theirs, name, None) is f else None


def distribution_of(theirs: Any) -> Any:
    """Our distribution for one of SciPy's; None where there is none."""
    ours = importlib.import_module(f"{__package__}.stats")
    kind = getattr(theirs, "name", type(theirs).__name__.removesuffix("_gen"))
    return getattr(ours, kind, None)


def method_of_distribution(of: Any, name: str) -> Callable[..., Any] | None:
    """A method of one of SciPy's distributions as our distribution has it."""
    found = None if hasattr(of, "dist") else distribution_of(of)
    method: Callable[..., Any] | None = getattr(found, name, None)
    return method


def method_of_sparse(of: Any, name: str) -> Callable[..., Any] | None:
    """The product of one of SciPy's sparse matrices as a function of ours."""
    if name != "dot":
        return None
    arrays = importlib.import_module(f"{__package__}.sparse.arrays")
    return functools.partial(operator.matmul, arrays.Operand(of))


def seen(S: Any) -> Any:
    """One of SciPy's sparse matrices as an operand of `@` that sees tensors."""
    return importlib.import_module(f"{__package__}.sparse.arrays").Operand(S)
