"""Calling a model with other parameters than its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import ShapeError, TreeError
from .module import Module
from .parts import shaped
from .state import places


def functional_call(
    module: Module,
    values: Mapping[str, Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """`module(*args, **kwargs)` with these values, by dotted path, in place of its parameters and
    buffers; those that are not named stay its own, and `module` is left as it is.

    What the call writes into buffers, such as running means, is lost.  Raises `TreeError` for a
    path that the model has not, `ShapeError` for a value of another shape.

    >>> model = qd.nn.Linear(2, 1, rng=0)
    >>> weights = {"weight": np.ones((1, 2)), "bias": np.zeros(1)}
    >>> loss = lambda w: qd.nn.functional_call(model, w, np.array([1.0, 2.0])).sum()
    >>> qd.grad(loss)(weights)
    {'weight': array([[1., 2.]]), 'bias': array([1.])}
    """
    found = {path: value for path, _, _, value in places(module)}
    name = type(module).__name__
    for path, value in values.items():
        if path not in found:
            raise TreeError(
                f"functional_call: {name} has no {path}; it has {', '.join(found) or 'none'}"
            )
        if np.shape(value) != tuple(found[path].shape):
            raise ShapeError(
                f"functional_call: {path} has shape {np.shape(value)} and in {name} "
                f"{tuple(found[path].shape)}; both must be equal"
            )
    instead = {id(found[path]): shaped(value) for path, value in values.items()}
    called = module.mapped(lambda x: instead.get(id(x), x))
    given = args if isinstance(args, tuple) else (args,)
    return called(*given, **(kwargs or {}))
