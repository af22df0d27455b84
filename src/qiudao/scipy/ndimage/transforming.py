"""Images shifted, zoomed, rotated and mapped by a matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scipy import ndimage as theirs
from scipy import special

from ...core.errors import GradientError
from ..operands import array, depends, known
from .between import admitted, like, prepared, sampled, taken
from .windows import per_axis


def affine_transform(
    input: Any,
    matrix: Any,
    offset: Any = 0.0,
    output_shape: Any = None,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.affine_transform`, with derivatives in the image, the `matrix`, the `offset`
    and `cval`: the value at o is that of the image at matrix o + offset, as `map_coordinates` has
    it.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([0.0, 1.0, 4.0, 9.0])
    >>> f = lambda s: ndimage.affine_transform(x, np.ones(1), s, order=1)[1]
    >>> qd.grad(f)(0.5)
    np.float64(3.0)
    """
    if not depends(input, matrix, offset, cval):
        return theirs.affine_transform(
            input, matrix, offset, output_shape, output, order, mode, cval, prefilter
        )
    image, matrix = admitted("affine_transform", input, order, mode, output), array(matrix)
    rank = np.ndim(image)
    theirs.affine_transform(np.zeros((1,) * rank), numbers_of(matrix), 0.0, order=0)
    if np.ndim(matrix) == 2 and np.shape(matrix)[1] == rank + 1:
        matrix, offset = matrix[:rank, :rank], matrix[:rank, rank]
    offsets = per_axis(offset, rank)
    sizes = np.shape(image) if output_shape is None else tuple(output_shape)
    if np.ndim(matrix) == 1:
        rows = [(np.arange(n) + offsets[d] / matrix[d]) * matrix[d] for d, n in enumerate(sizes)]
        return axis_by_axis(image, rows, order, mode, cval, prefilter)
    grid = np.indices(sizes)
    places = []
    for d in range(rank):
        place: Any = offsets[d]
        for k in range(len(sizes)):
            place = place + grid[k] * matrix[d, k]
        places.append(place)
    return taken(image, places, order, mode, cval, prefilter)


def numbers_of(matrix: Any) -> Any:
    """The numbers of a matrix for SciPy to check; the identity where they are not at hand."""
    numbers = known(matrix)
    if numbers is not None:
        return numbers
    return np.ones(np.shape(matrix)) if np.ndim(matrix) == 1 else np.eye(*np.shape(matrix))


def axis_by_axis(
    image: Any, rows: Sequence[Any], order: int, mode: str, cval: Any, prefilter: bool
) -> Any:
    """The image at a row of places along each axis."""
    found, pad = prepared(image, range(np.ndim(image)), order, mode, cval, prefilter)
    for d, row in enumerate(rows):
        lanes = np.moveaxis(found, d, 0)
        found = np.moveaxis(sampled(lanes, [row], order, mode, cval, pad), 0, d)
    return like(image, found)


def shift(
    input: Any,
    shift: Any,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.shift`, with derivatives in the image, the `shift` and `cval`.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([0.0, 1.0, 4.0, 9.0])
    >>> float(qd.grad(lambda s: ndimage.shift(x, s, order=1)[2])(0.5))
    -3.0
    """
    if not depends(input, shift, cval):
        return theirs.shift(input, shift, output, order, mode, cval, prefilter)
    image = admitted("shift", input, order, mode, output)
    by = per_axis(shift, np.ndim(image))
    rows = [np.arange(n) - s for n, s in zip(np.shape(image), by, strict=True)]
    return axis_by_axis(image, rows, order, mode, cval, prefilter)


def zoom(
    input: Any,
    zoom: Any,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
    *,
    grid_mode: bool = False,
) -> Any:
    """`scipy.ndimage.zoom`, with derivatives in the image and `cval`; `zoom` only says how many
    points the result has, and has no derivative.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: ndimage.zoom(x, 1.5, order=1)[1])(np.array([1.0, 2.0, 4.0]))
    array([0.33333333, 0.66666667, 0.        ])
    """
    if depends(zoom):
        raise GradientError(
            "zoom: the zoom factor gives the number of points of the result, and has no "
            "derivative; use affine_transform, whose matrix has one"
        )
    if not depends(input, cval):
        return theirs.zoom(input, zoom, output, order, mode, cval, prefilter, grid_mode=grid_mode)
    image = admitted("zoom", input, order, mode, output)
    factors = per_axis(zoom, np.ndim(image))
    if all(f == 1 for f in factors) and prefilter:
        return image * 1.0
    rows = []
    for n, f in zip(np.shape(image), factors, strict=True):
        m = round(n * f)
        wide, points = (n, m) if grid_mode else (n - 1, m - 1)
        step = wide / points if points else 1.0
        row = np.arange(m)
        rows.append((row + 0.5) * step - 0.5 if grid_mode else row * step)
    return axis_by_axis(image, rows, order, mode, cval, prefilter)


def rotate(
    input: Any,
    angle: Any,
    axes: Any = (1, 0),
    reshape: bool = True,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.rotate`, by degrees, with derivatives in the image, the `angle` and `cval`.

    With `reshape` the size of the result hangs on the angle, which must be known: in `qd.jit` and
    `qd.vmap` over the angle, `reshape=False` is needed.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> f = lambda a: ndimage.rotate(x, a, reshape=False, order=1, mode="nearest")[0, 0]
    >>> qd.grad(f)(10.0).round(4)
    np.float64(0.0101)
    """
    if not depends(input, angle, cval):
        return theirs.rotate(input, angle, axes, reshape, output, order, mode, cval, prefilter)
    image = admitted("rotate", input, order, mode, output)
    numbers = known(angle)
    if reshape and numbers is None:
        raise GradientError(
            "rotate: with reshape=True the size of the result hangs on the angle, whose value is "
            "not known in qd.jit and qd.vmap; give reshape=False"
        )
    rank = np.ndim(image)
    theirs.rotate(np.zeros((1,) * rank), 0.0, axes, False, order=0)  # which checks the axes
    first, second = sorted(int(d) % rank for d in axes)
    plane = np.moveaxis(image, (first, second), (0, 1))
    sizes = np.array(np.shape(plane)[:2])
    c, s = special.cosdg(angle), special.sindg(angle)
    made = sizes
    if reshape:
        cosine, sine = special.cosdg(float(numbers)), special.sindg(float(numbers))
        y, x = sizes
        corners = np.array([[cosine, sine], [-sine, cosine]]) @ [[0, 0, y, y], [0, x, 0, x]]
        made = (np.ptp(corners, axis=1) + 0.5).astype(int)
    grid = np.indices(tuple(made))
    half, middle = (made - 1) / 2, (sizes - 1) / 2
    down = middle[0] - (c * half[0] + s * half[1]) + grid[0] * c + grid[1] * s
    across = middle[1] - (-s * half[0] + c * half[1]) + grid[0] * -s + grid[1] * c
    found = taken(plane, [down, across], order, mode, cval, prefilter)
    return np.moveaxis(found, (0, 1), (first, second))
