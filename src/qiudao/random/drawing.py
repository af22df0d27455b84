"""What all draws share: the generator, the shape, the precision, and the refusal under a trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Dtype, Value, is_inexact
from ..core.errors import DtypeError, ShapeError, TraceError
from ..core.modes import modes
from ..ops.faces import operand

Generator = np.random.Generator


def generator(name: str, rng: Any) -> Generator:
    """NumPy's generator, from one or from a whole number as its seed."""
    if modes.tracing:
        raise TraceError(
            f"{name}: a draw inside a traced function would be the same numbers in every call; "
            "draw outside and pass the draws as an argument: z = rng.standard_normal(n), and "
            "loc + scale * z inside (for a gamma, qd.random.implicit_gamma(draws, a))"
        )
    if isinstance(rng, Generator):
        return rng
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        return np.random.default_rng(int(rng))
    raise DtypeError(
        f"{name}: rng is a {type(rng).__name__}; give np.random.default_rng(seed), or the seed"
    )


def parameters(name: str, *values: Any) -> tuple[Value, ...]:
    """Parameters as real values; Python's numbers stay, as they have no precision of their own."""
    made = tuple(map(operand, values))
    for x in made:
        if np.result_type(x).kind not in "fiub":
            raise DtypeError(
                f"{name}: a parameter is {np.result_type(x)}; parameters must be real numbers"
            )
    return made


def precision(*values: Value) -> Dtype:
    """The dtype of draws: that of the parameters that are arrays of floats, else double."""
    kinds = [x.dtype for x in values if hasattr(x, "dtype") and is_inexact(x.dtype)]
    return np.result_type(*kinds) if kinds else np.dtype(np.float64)


def shape_of(name: str, shape: Any, *values: Value) -> tuple[int, ...]:
    """The shape of the draws: as asked, or that to which the parameters broadcast."""
    own = np.broadcast_shapes(*map(np.shape, values))
    if shape is None:
        return own
    wanted = (int(shape),) if isinstance(shape, int | np.integer) else tuple(map(int, shape))
    try:
        fits = np.broadcast_shapes(own, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: draws of shape {wanted} for parameters that broadcast to {own}; the shape "
            "must contain that of the parameters"
        )
    return wanted
