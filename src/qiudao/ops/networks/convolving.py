"""Convolutions as functions of what a caller gives, which is checked first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Value, aval_of
from ...core.errors import ShapeError
from ..faces import array, whole
from .convolution import Convolution, ConvolutionByInput
from .windows import Windows, check_counts, each_axis, padding_of


def convolution(
    x: Any,
    kernel: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """The convolution (cross-correlation) of a batch with a kernel, over any axes of space.

        out[n, o, p] = sum over c, k of x[n, c, p stride + k dilation - before] kernel[o, c, k]

    `x` is (batch, channels, *space), `kernel` (outputs, channels / groups, *length), the result
    (batch, outputs, *windows).  `stride` and `dilation` are one number or one for each axis of
    space; `padding`, of zeros, is one number, one for each axis, a pair (before, after) for each,
    "valid" (none) or "same" (as many windows as x has elements, over the stride).  With `groups`,
    inputs and outputs fall into so many groups that do not see each other.

    Raises `ShapeError` where axes, channels or groups do not fit.

    >>> x = np.array([[[1.0, 2.0, 4.0, 8.0]]])
    >>> qd.convolution(x, np.array([[[1.0, -1.0]]]))
    array([[[-1., -2., -4.]]])
    >>> qd.grad(lambda k: np.sum(qd.convolution(x, k, padding=1)))(np.ones((1, 1, 3)))
    array([[[ 7., 15., 14.]]])
    """
    x, kernel = array(x), array(kernel)
    count = space_of("convolution", x, kernel)
    groups = groups_of("convolution", groups)
    if x.shape[1] != kernel.shape[1] * groups:
        raise ShapeError(
            f"convolution: x has {x.shape[1]} channels and the kernel {kernel.shape[1]} for each "
            f"of {groups} groups; x's channels must be the product, {kernel.shape[1] * groups}"
        )
    check_outputs("convolution", kernel, groups)
    sizes, length = tuple(x.shape[2:]), tuple(kernel.shape[2:])
    strides = each_axis("convolution", "stride", stride, count, 1)
    dilations = each_axis("convolution", "dilation", dilation, count, 1)
    paddings = padding_of("convolution", padding, sizes, length, strides, dilations)
    check_counts("convolution", sizes, Windows(length, strides, paddings, dilations))
    return Convolution(strides, paddings, dilations, groups)(x, kernel)


def transposed_convolution(
    x: Any,
    kernel: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    extra: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """The transpose of `convolution` with the same arguments, as a function of what that gives.

    Each element of `x` (batch, inputs, *space) adds the kernel (inputs, outputs / groups, *length),
    times itself, to the result (batch, outputs, *sizes) from the place p stride - before on.  Along
    an axis the size is (space - 1) stride + (length - 1) dilation + 1 - before - after + extra:
    several sizes give as many windows, and `extra` chooses among them; it is below the stride, or,
    as in torch, below the dilation.

    Raises `ShapeError` where axes, channels or groups do not fit.

    >>> x = np.array([[[1.0, 10.0]]])
    >>> qd.transposed_convolution(x, np.array([[[1.0, 2.0, 3.0]]]), stride=2)
    array([[[ 1.,  2., 13., 20., 30.]]])
    """
    name = "transposed_convolution"
    x, kernel = array(x), array(kernel)
    count = space_of(name, x, kernel)
    groups = groups_of(name, groups)
    if x.shape[1] != kernel.shape[0]:
        raise ShapeError(
            f"{name}: x has {x.shape[1]} channels and the kernel {kernel.shape[0]} along its first "
            "axis; they must be equal"
        )
    check_outputs(name, kernel, groups)
    space, length = tuple(x.shape[2:]), tuple(kernel.shape[2:])
    strides = each_axis(name, "stride", stride, count, 1)
    dilations = each_axis(name, "dilation", dilation, count, 1)
    extras = each_axis(name, "extra", extra, count, 0)
    if isinstance(padding, str):
        raise ShapeError(f"{name}: padding={padding!r}; it must be numbers here")
    paddings = padding_of(name, padding, space, length, strides, dilations)
    for e, s, d in zip(extras, strides, dilations, strict=True):
        if e >= max(s, d):
            raise ShapeError(
                f"{name}: extra={extra!r}; it must be below the stride {s} or the dilation {d}"
            )
    sizes = tuple(
        (n - 1) * s + (k - 1) * d + 1 - a - b + e
        for n, s, k, d, (a, b), e in zip(
            space, strides, length, dilations, paddings, extras, strict=True
        )
    )
    if any(n < 1 for n in sizes):
        raise ShapeError(f"{name}: padding={padding!r} leaves sizes {sizes}; pad less")
    beyond = tuple(e // s for e, s in zip(extras, strides, strict=True))
    if any(beyond):  # windows that sizes with so much extra have more than x, which add nothing
        x = np.pad(x, [(0, 0), (0, 0), *((0, n) for n in beyond)])
    return ConvolutionByInput(strides, paddings, dilations, groups, sizes)(x, kernel)


def space_of(name: str, x: Value, kernel: Value) -> int:
    """How many axes of space two operands have, which must be as many in both."""
    if x.ndim != kernel.ndim or x.ndim < 3:
        raise ShapeError(
            f"{name}: x is {aval_of(x)} and the kernel {aval_of(kernel)}; both need two axes "
            "(batch and channels; outputs and inputs) and then as many axes of space, one at least"
        )
    if 0 in kernel.shape[2:]:
        raise ShapeError(f"{name}: the kernel {aval_of(kernel)} is empty along an axis of space")
    return int(x.ndim) - 2


def groups_of(name: str, groups: Any) -> int:
    """A number of groups."""
    found = whole(groups)
    if found < 1:
        raise ShapeError(f"{name}: groups={groups}; it must be at least 1")
    return found


def check_outputs(name: str, kernel: Value, groups: int) -> None:
    """Raise unless the first axis of a kernel falls into groups."""
    if kernel.shape[0] % groups:
        raise ShapeError(
            f"{name}: the kernel's first axis has {kernel.shape[0]} channels, which do not fall "
            f"into {groups} equal groups"
        )
