"""`qd.forward_ad`: forward mode on values rather than functions, as torch has it; levels nest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Value
from ..core.complexes import check_real
from ..core.dispatch import Tracer
from ..core.errors import GradientError, ShapeError
from ..core.modes import modes, new_level, running
from ..core.outliving import living
from ..core.sweep import fit
from .dual import Dual
from .entering import entering
from .reverse import as_primal


class dual_level:
    """A block in which values carry tangents.  Blocks nest, which gives mixed second derivatives.

    >>> with qd.forward_ad.dual_level():
    ...     x = qd.forward_ad.make_dual(3.0, 1.0)
    ...     qd.forward_ad.unpack_dual(x * x)
    UnpackedDual(primal=np.float64(9.0), tangent=np.float64(6.0))
    """

    def __enter__(self) -> float:
        return enter_dual_level()

    def __exit__(self, *error: object) -> None:
        exit_dual_level()


def enter_dual_level() -> float:
    """Begin a level, and return it; `dual_level` ends it by itself."""
    level = new_level()
    running.add(level)
    modes.dual_levels = (*modes.dual_levels, level)
    return level


def exit_dual_level(*, level: float | None = None) -> None:
    """End the innermost level, which is `level` where that is given; raises `GradientError`."""
    if not modes.dual_levels or level not in (None, modes.dual_levels[-1]):
        raise GradientError(
            f"exit_dual_level: the innermost open level is {innermost()}; end levels in the "
            "opposite order, best by `with qd.forward_ad.dual_level():`"
        )
    *rest, ended = modes.dual_levels
    modes.dual_levels = tuple(rest)
    running.discard(ended)


def innermost() -> float | None:
    """The innermost open level."""
    return modes.dual_levels[-1] if modes.dual_levels else None


def known_level(level: float | None, name: str) -> float:
    """An open level, the innermost where none is named."""
    chosen = innermost() if level is None else level
    if chosen is None or chosen not in modes.dual_levels:
        raise GradientError(
            f"{name}: level {chosen} is not open; work within `with qd.forward_ad.dual_level():`"
        )
    return chosen


def make_dual(x: Any, tangent: Any, *, level: float | None = None) -> Any:
    """`x` with a tangent of its shape, in an open level (the innermost).

    What is computed from it carries J times the tangent.  Raises `GradientError` outside of a
    level, `ShapeError` and `DtypeError`.
    """
    chosen = known_level(level, "make_dual")
    primal = as_primal(x, "make_dual")
    change = tangent if isinstance(tangent, Tracer) else np.asarray(tangent)
    if np.shape(change) != np.shape(primal):
        raise ShapeError(
            f"make_dual: the tangent has shape {np.shape(change)} and the value "
            f"{np.shape(primal)}; both must be equal"
        )
    check_real("make_dual: the tangent", change, primal)
    (primal, change), _ = entering([primal, fit(change, primal)])
    return Dual(primal, change, chosen)


class UnpackedDual(NamedTuple):
    """A value and the tangent that it carries, None where it carries none."""

    primal: Value
    tangent: Value | None


def unpack_dual(x: Any, *, level: float | None = None) -> UnpackedDual:
    """The value and the tangent of `x` in an open level (the innermost).

    Raises `GradientError` outside of a level.
    """
    chosen = known_level(level, "unpack_dual")
    if isinstance(x, Dual) and x.level == chosen:
        return UnpackedDual(living(x.primal), living(x.tangent))
    return UnpackedDual(living(x), None)
