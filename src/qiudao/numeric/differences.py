"""Four ways to a derivative from values alone: forward, central, complex step and Richardson.

Each sees a function along a `Line`, a real coordinate that moves while all else stays.  The
coordinate is one number, with a value of any shape, or an array whose elements move together,
with a value of the same shape that depends on them element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.dispatch import concrete
from ..core.errors import DtypeError, GradientError, NotDifferentiableError
from .steps import Array, best_step, representable, resolution, scale_of

REACH = 0.1459  # the first step of Richardson, in scales of x: no even part of a period
CLOSER = 64  # how much smaller the step is by which Richardson tries what it found
UNEVEN = 0.73  # a part that no grid of values shares
SEVERAL = 8  # how many roundings a value may have gone through


@dataclass(frozen=True)
class Estimate:
    """A numerical derivative with what is known of it.

    `error` estimates the size of the error of each element of `value`, `step` is the step taken
    for it, and `evaluations` counts the calls of the function.
    """

    value: Any
    error: Any
    step: Any
    evaluations: int


class Quotient(NamedTuple):
    """A difference divided by its step, and how much of it may be rounding."""

    value: Array
    noise: Array


class Line:
    """A function of one real coordinate, at a point; its calls are counted.

    `phi` maps the coordinate to a value, `at` is the coordinate of the point, `here` the value
    there if it is known, and `eps` the resolution of the values if it is coarser than their dtype
    shows.  Errors speak for `name` and end with `advice`.
    """

    advice = (
        'choose a smaller step, or step to one side with method="forward" (downwards if step < 0)'
    )

    def __init__(
        self,
        name: str,
        phi: Callable[[Array], Any],
        at: Array,
        here: Array | None = None,
        eps: float = 0.0,
    ) -> None:
        self.name = name
        self.phi = phi
        self.at = np.asarray(at)
        self.calls = 0
        self.here = self(self.at) if here is None else self.widened(here)
        self.eps = max(eps, resolution(self.at.dtype, self.given))
        bad = ~np.isfinite(self.here)
        if np.any(bad):
            raise NotDifferentiableError(
                f"{name}: the function gives {first(self.here, bad)} at x = {first(self.at, bad)}; "
                "choose a point where it is finite"
            )

    def __call__(self, t: Array) -> Array:
        """The value where the coordinate is `t`, in at least double precision."""
        self.calls += 1
        with np.errstate(all="ignore"):  # a step may leave the domain, which is looked for later
            return self.widened(concrete(self.phi(np.array(t)[()])))

    def widened(self, y: Any) -> Array:
        """A value in the dtype that differences are computed in."""
        y = np.asarray(y)
        self.given = y.dtype
        return y.astype(np.result_type(y.dtype, np.float64))

    def nearest(self, h: Array) -> Array:
        """The step nearest to h that the coordinate can take, 0 if that is too small."""
        return representable(self.at, np.asarray(h, self.at.dtype))

    def asked(self, h: Array) -> Array:
        """The step nearest to one that the user asked for, which must move the coordinate."""
        taken = self.nearest(h)
        if not np.all(taken):
            lost = first(self.at, taken == 0)
            raise GradientError(
                f"{self.name}: step={first(h, taken == 0):.2g} is too small to move x = {lost}; "
                f"take more than {np.spacing(np.abs(lost)):.2g}, or leave it out"
            )
        return taken


def differentiate(line: Line, method: str, step: Any, order: int, sure: bool = True) -> Estimate:
    """The derivative of this order along a line; `sure` has the error estimated at any cost."""
    estimate = METHODS[method](line, step, order, sure)
    bad = ~np.isfinite(estimate.value)
    if np.any(bad):
        raise NotDifferentiableError(
            f"{line.name}: the function is not finite near x = {first(line.at, bad)}, where "
            f"method={method!r} stepped by {first(estimate.step, bad):.2g}; {line.advice}"
        )
    rounding = resolution(line.given) * np.abs(estimate.value)
    return Estimate(estimate.value, estimate.error + rounding, estimate.step, line.calls)


def checked(
    name: str, f: Any, method: Any, step: Any, order: Any, shape: tuple[int, ...] = ()
) -> None:
    """Refuse options that mean nothing; a step is one number, or one for each of some `shape`."""
    if not callable(f):
        raise GradientError(f"{name}: {type(f).__name__} is no function; give one of plain values")
    if not isinstance(method, str) or method not in METHODS:
        raise GradientError(
            f"{name}: method={method!r} is unknown; use 'forward', 'central', 'complex' or "
            "'richardson'"
        )
    check_order(name, order)
    if step is None:
        return
    sizes = np.asarray(step)
    if sizes.dtype.kind not in "iuf" or sizes.shape not in ((), shape):
        raise GradientError(
            f"{name}: step={step!r} is not {'one number' if not shape else f'of shape {shape}'}; "
            "give one number, or leave it out"
        )
    if not (np.all(np.isfinite(sizes)) and np.all(sizes)):
        raise GradientError(
            f"{name}: step={step!r} leads nowhere; give a finite number other than 0, or leave it "
            "out"
        )


def check_order(name: str, order: Any) -> None:
    """Refuse what is no order of a derivative."""
    if not isinstance(order, int | np.integer) or order < 1:
        raise GradientError(f"{name}: order={order!r} is no order of a derivative; use 1, 2, ...")


def quotient(
    line: Line, h: Array, order: int, symmetric: bool, eps: Array | None = None
) -> Quotient:
    """The n-th difference over the n-th power of its step.

    Symmetric, with the points x + (n - 2k) h, its error is a series in h^2; else, with the points
    x + k h, in h.  Rounding is taken to change each value by a unit in its last place, and by
    what such a change of x would do, for functions that round their argument before all else.
    `eps` is that unit, if it is coarser than the line's.
    """
    eps = line.eps if eps is None else eps
    total: Array = 0.0
    noise: Array = 0.0
    for k in range(order + 1):
        weight = (-1) ** k * math.comb(order, k)
        reach = order - 2 * k if symmetric else order - k
        value = line(line.at + reach * h) if reach else line.here
        total = total + weight * value
        noise = noise + eps * abs(weight) * np.abs(value)
    width = (2 * h if symmetric else h).astype(np.result_type(noise))
    with np.errstate(all="ignore"):
        value = total / width**order  # NaN if no step was taken
        inside = eps * np.abs(line.at) * np.abs(value * width ** (order - 1))
        return Quotient(value, (noise + inside) / np.abs(width**order))


def forward(line: Line, step: Any, order: int, sure: bool) -> Estimate:
    """One-sided differences."""
    return one(line, step, order, False, sure)


def central(line: Line, step: Any, order: int, sure: bool) -> Estimate:
    """Symmetric differences."""
    return one(line, step, order, True, sure)


def one(line: Line, step: Any, order: int, symmetric: bool, sure: bool) -> Estimate:
    """One difference; a second one, with twice the step, tells the error."""
    own = best_step(line.at, order, symmetric)
    h = line.nearest(own) if step is None else line.asked(step)
    value, noise = quotient(line, h, order, symmetric)
    error = np.full(np.shape(value), np.nan)
    if sure:
        wider, _ = quotient(line, 2 * h, order, symmetric)
        error = np.abs(value - wider) / (3 if symmetric else 1) + noise
    return Estimate(value, error, h, line.calls)


def complex_step(line: Line, step: Any, order: int, sure: bool) -> Estimate:
    """Im f(x + ih) / h, which subtracts nothing and so loses nothing, however small h is
    (Squire and Trapp, SIAM Review 40, 1998).

    It holds for analytic functions of a real x.  Derivatives beyond the first are extrapolated
    differences of this one.
    """
    if np.iscomplexobj(line.here):
        raise DtypeError(
            f"{line.name}: the function is complex, and a complex step must be its only complex "
            'part; use method="richardson"'
        )
    smallest = max(1e-20, float(np.finfo(line.at.dtype).tiny))
    tiny = scale_of(line.at) * line.at.dtype.type(smallest if step is None else step)

    def slope(t: Array) -> Array:
        y = np.asarray(line.phi(t + 1j * tiny))
        if y.dtype.kind != "c":
            raise dropped(line.name, y.dtype)
        return y.imag / tiny

    inner = Line(line.name, slope, line.at)
    line.calls += inner.calls
    if order == 1:
        return Estimate(inner.here, line.eps * np.abs(inner.here), tiny, line.calls)
    found = richardson(inner, None, order - 1, sure)
    line.calls += inner.calls - 1
    return found


def dropped(name: str, dtype: Any) -> DtypeError:
    """The error for a function that is not analytic."""
    return DtypeError(
        f"{name}: the function gives {dtype} at a complex x and so drops the imaginary part (as "
        'abs, real and casts do), which a complex step reads; use method="richardson"'
    )


def richardson(line: Line, step: Any, order: int, sure: bool) -> Estimate:
    """Central differences over ever smaller steps, extrapolated to none.

    The first step is a fair part of max(|x|, 1).  If that leads to nothing good (the function
    changes on another scale, or ends between x and x + h) a part of min(|x|, 1) is tried.
    """
    if step is not None:
        return sounded(line, line.asked(step), order).estimate
    far = scale_of(line.at)
    found, noise, _ = sounded(line, REACH * far, order)
    near = np.where(line.at == 0, far, np.minimum(np.abs(line.at), 1))
    close = np.where(found.value == 0, 8 * noise, np.sqrt(line.eps) * np.abs(found.value))
    good = found.error <= close
    if np.all(good | (near == far)):
        return found
    other = sounded(line, REACH * near, order).estimate
    better = ~good & ~(relative(other) >= relative(found))
    return either(better, other, found, line.calls)


def either(lanes: Array, one: Estimate, other: Estimate, calls: int) -> Estimate:
    """One estimate in these lanes, the other in the rest."""
    return Estimate(
        np.where(lanes, one.value, other.value),
        np.where(lanes, one.error, other.error),
        np.where(lanes, one.step, other.step),
        calls,
    )


def relative(found: Estimate) -> Array:
    """The error as a part of the value."""
    with np.errstate(all="ignore"):
        return found.error / np.abs(found.value)


class Entry(NamedTuple):
    """The best entry of a table, the rounding in it, and how far its plain difference bends off."""

    estimate: Estimate
    noise: Array
    bend: Array

    def but(self, lanes: Array, other: Entry, calls: int) -> Entry:
        """This, but in these lanes another."""
        return Entry(
            either(lanes, other.estimate, self.estimate, calls),
            np.where(lanes, other.noise, self.noise),
            np.where(lanes, other.bend, self.bend),
        )


def sounded(line: Line, start: Array, order: int) -> Entry:
    """The best entry of the table of steps from `start`.

    Entries agree by chance, too, where values are coarser than their dtype shows (computed in
    single precision, rounded, cancelled or noisy), or where the function changes between the steps.
    Differences over much smaller steps are then further off than rounding explains.  If they agree
    with each other, the table begins there; else how far they are off tells how coarse the values
    are.
    """
    found = ladder(line, start, order, line.eps)
    best = found.estimate
    if not np.size(best.value):
        return found
    closer = line.nearest((best.step if np.ndim(line.at) else np.min(best.step)) / CLOSER)
    tiny, rounding = quotient(line, closer, order, True)
    with np.errstate(all="ignore"):
        off = np.abs(tiny - best.value) - 2 * best.error - found.bend / CLOSER
        coarser = off / rounding
    coarse = (coarser > SEVERAL) & np.isfinite(coarser)
    if not np.any(coarse):
        return found
    tinier, rounding = quotient(line, line.nearest(closer * UNEVEN), order, True)
    if np.all(~coarse | (np.abs(tinier - tiny) <= SEVERAL * rounding)):
        again = ladder(line, closer, order, line.eps)
    else:
        again = ladder(line, start, order, line.eps * np.where(coarse, coarser, 1.0))
    return found.but(coarse, again, line.calls)


def ladder(line: Line, start: Array, order: int, eps: Array) -> Entry:
    """Romberg's table over halved steps; each element takes the entry with the least error.

    Row k has the step start / 2^k, and column j an error of order h^(2j + 2).  An entry's error is
    how far it is from both entries that it was made from (Ridders, Advances in Engineering
    Software 4, 1982), and no less than the rounding in its difference, of values with a unit `eps`
    in their last place.  When rounding alone exceeds the least error so far, smaller steps cannot
    help.
    """
    value: Array = np.nan
    error: Array = np.inf
    step: Array = start
    lost: Array = np.inf
    bend: Array = np.inf
    above: list[Array] = []
    for k in range(int(-math.log2(line.eps) / 2)):
        h = line.nearest(start / 2**k)
        entry, noise = quotient(line, h, order, True, eps)
        row = [entry]
        for j, upper in enumerate(above):
            with np.errstate(all="ignore"):
                entry = row[j] + (row[j] - upper) / (4 ** (j + 1) - 1)
                spread = np.maximum(np.abs(entry - row[j]), np.abs(entry - upper))
            row.append(entry)
            spread = np.maximum(spread, noise)
            better = spread < error
            value = np.where(better, entry, value)
            error = np.where(better, spread, error)
            step = np.where(better, h, step)
            lost = np.where(better, noise, lost)
            bend = np.where(better, np.abs(row[0] - entry), bend)
        above = row
        if k > 1 and np.all((noise >= error) & np.isfinite(error)):
            break
    return Entry(Estimate(value, error, step, line.calls), lost, bend)


def first(x: Array, chosen: Array) -> Any:
    """The first element of `x` among the chosen lanes."""
    return np.broadcast_to(x, np.shape(chosen))[chosen].flat[0]


METHODS: dict[str, Callable[[Line, Any, int, bool], Estimate]] = {
    "forward": forward,
    "central": central,
    "complex": complex_step,
    "richardson": richardson,
}
