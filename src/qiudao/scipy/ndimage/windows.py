"""The windows of an image about its points, with what a mode says lies beyond the image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...core.errors import GradientError
from ..operands import depends

PADS: dict[str, Any] = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}  # SciPy's names of what lies beyond an image, and NumPy's


def windows(
    name: str, image: Any, shape: Sequence[int], middle: Sequence[int], mode: str, cval: Any
) -> Any:
    """The windows of a shape of which the point `middle` lies on each point of the image: an array
    of the axes of the image and then those of the window.
    """
    if mode not in PADS:
        raise GradientError(f"{name}: mode={mode!r} is not known; use one of {', '.join(PADS)}")
    widths = [(c, n - 1 - c) for n, c in zip(shape, middle, strict=True)]
    return sliding_window_view(padded(image, widths, mode, cval), tuple(shape))


def padded(image: Any, widths: Sequence[tuple[int, int]], mode: str, cval: Any) -> Any:
    """The image with so many points before and after it along each axis, as a mode has them."""
    if PADS[mode] != "constant":
        return np.pad(image, widths, mode=PADS[mode])
    if depends(cval):
        return np.pad(image - cval, widths) + cval
    return np.pad(image, widths, mode="constant", constant_values=cval)


def centre(shape: Sequence[int], origin: Any) -> list[int]:
    """Where in a window the point of the result stands, along each axis."""
    origins = np.broadcast_to(origin, len(shape))
    return [n // 2 + int(o) for n, o in zip(shape, origins, strict=True)]


def per_axis(value: Any, count: int) -> list[Any]:
    """What is stated for each axis, or once for all."""
    is_row = isinstance(value, list | tuple) or np.ndim(value) == 1
    return [value[k] for k in range(count)] if is_row else [value] * count


def chosen(axes: Any, rank: int) -> list[int]:
    """The axes that a filter goes along, from the front."""
    return [int(d) % rank for d in (range(rank) if axes is None else np.atleast_1d(axes))]


def refuse_output(name: str, output: Any) -> None:
    """Refuse `output`, through which no derivative passes."""
    if output is not None:
        raise GradientError(
            f"{name}: derivatives with output= are not known; take the result as it is returned"
        )


def along(
    name: str, image: Any, weights: Any, axis: int, mode: str, cval: Any, origin: int = 0
) -> Any:
    """The sums of the weights times the windows along one axis."""
    shape = [1] * np.ndim(image)
    shape[axis] = np.shape(weights)[0]
    seen = windows(name, image, shape, centre(shape, [origin * (n > 1) for n in shape]), mode, cval)
    return np.tensordot(seen, np.reshape(weights, shape), np.ndim(image))
