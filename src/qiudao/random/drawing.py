"""What all draws share: the generator, the shape, the precision, and the refusal under a trace."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..core.avals import Dtype, Value, is_inexact
from ..core.errors import DtypeError, ShapeError, TraceError
from ..core.modes import modes
from ..ops.faces import known, operand

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
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise DtypeError(
        f"{name}: rng is {given_as(rng)}; give np.random.default_rng(seed), or the seed, a whole "
        "number >= 0"
    )


def given_as(rng: Any) -> str:
    """What was given in place of a generator."""
    return repr(rng) if isinstance(rng, int | float) else f"a {type(rng).__name__}"


def check_scale(name: str, what: str, scale: Any) -> None:
    """Refuse a negative scale, where it is known: its draws would be those of no distribution."""
    plain = known(scale)
    if plain is not None and np.any(plain < 0):
        raise ValueError(f"{name}: {what} is negative, {np.min(plain):g}; give 0 or more")


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
    try:
        own = np.broadcast_shapes(*map(np.shape, values))
    except ValueError:
        shapes = ", ".join(str(np.shape(x)) for x in values)
        raise ShapeError(
            f"{name}: parameters of shapes {shapes} do not broadcast; give one for each draw"
        ) from None
    if shape is None:
        return own
    wanted = sizes_of(name, shape)
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


def sizes_of(name: str, shape: Any) -> tuple[int, ...]:
    """A shape as asked for: one whole number, or several."""
    listed = shape if isinstance(shape, tuple | list) else (shape,)
    try:
        sizes = tuple(map(operator.index, listed))
    except TypeError:
        sizes = (-1,)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"{name}: shape={shape!r}; it must be whole numbers, at least 0")
    return sizes
