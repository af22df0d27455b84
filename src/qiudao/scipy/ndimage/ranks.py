"""Filters that choose one of the values in the window about each point."""

from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ..operands import array, depends
from .windows import centre, chosen, per_axis, refuse_output, windows


def selected(
    name: str, choose: Any, image: Any, size: Any, footprint: Any, mode: str, cval: Any,
    origin: Any, axes: Any,
) -> Any:  # fmt: skip
    """The value of the rank `choose(count)` among the sorted values of each window."""
    rank = np.ndim(image)
    ways = chosen(axes, rank)
    if footprint is None:
        footprint = np.ones([int(n) for n in per_axis(size, len(ways))], bool)
    footprint = np.asarray(footprint, bool)
    mask = np.reshape(footprint, expanded(footprint.shape, ways, rank, 1))
    origins = expanded(per_axis(origin, len(ways)), ways, rank, 0)
    seen = windows(name, image, mask.shape, centre(mask.shape, origins), mode, cval)
    seen = np.reshape(seen, (*np.shape(image), mask.size))[..., np.flatnonzero(mask)]
    return np.sort(seen, axis=-1)[..., choose(int(mask.sum()))]


def expanded(values: Any, ways: list[int], rank: int, rest: int) -> list[int]:
    """What is stated for some axes, and `rest` for the others."""
    found = [rest] * rank
    for d, v in zip(ways, values, strict=True):
        found[d] = int(v)
    return found


def rank_filter(
    input: Any,
    rank: int,
    size: Any = None,
    footprint: Any = None,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.rank_filter`: the value of this rank in the window about each point, from 0
    for the smallest; its derivative goes to the point that has it, in equal shares where several
    do.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: ndimage.rank_filter(x, 1, size=3)[1])(np.array([5.0, 2.0, 3.0]))
    array([0., 0., 1.])
    """
    if not depends(input, cval):
        return theirs.rank_filter(
            input, rank, size, footprint, output, mode, cval, origin, axes=axes
        )
    theirs.rank_filter(np.zeros(np.shape(input)), rank, size, footprint, axes=axes)
    refuse_output("rank_filter", output)
    return selected(
        "rank_filter", lambda count: rank % count, array(input) * 1.0, size, footprint, mode, cval,
        origin, axes,
    )  # fmt: skip


def percentile_filter(
    input: Any,
    percentile: float,
    size: Any = None,
    footprint: Any = None,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.percentile_filter`, as `rank_filter`: no mean of two values is taken."""
    if not depends(input, cval):
        return theirs.percentile_filter(
            input, percentile, size, footprint, output, mode, cval, origin, axes=axes
        )
    theirs.percentile_filter(np.zeros(np.shape(input)), percentile, size, footprint, axes=axes)
    refuse_output("percentile_filter", output)
    share = percentile + 100.0 if percentile < 0 else percentile
    return selected(
        "percentile_filter", lambda count: min(int(count * share / 100.0), count - 1),
        array(input) * 1.0, size, footprint, mode, cval, origin, axes,
    )  # fmt: skip


def of_rank(name: str, choose: Any, which: str) -> Any:
    """A filter that chooses the value of one rank."""
    scipy = getattr(theirs, name)

    def filtered(
        input: Any,
        size: Any = None,
        footprint: Any = None,
        output: Any = None,
        mode: str = "reflect",
        cval: Any = 0.0,
        origin: Any = 0,
        *,
        axes: Any = None,
    ) -> Any:
        if not depends(input, cval):
            return scipy(input, size, footprint, output, mode, cval, origin, axes=axes)
        scipy(np.zeros(np.shape(input)), size, footprint, axes=axes)
        refuse_output(name, output)
        image = array(input) * 1.0
        return selected(name, choose, image, size, footprint, mode, cval, origin, axes)

    filtered.__name__ = filtered.__qualname__ = name
    filtered.__doc__ = (
        f"`scipy.ndimage.{name}`: {which} of the window about each point; its derivative goes to "
        "the point that has it, in equal shares where several do."
    )
    return filtered


median_filter = of_rank("median_filter", lambda count: count // 2, "the middle value")
minimum_filter = of_rank("minimum_filter", lambda count: 0, "the smallest value")
maximum_filter = of_rank("maximum_filter", lambda count: -1, "the largest value")
