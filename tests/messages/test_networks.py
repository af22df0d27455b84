"""What convolutions and pools say when their arguments do not fit."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import ShapeError

X, KERNEL, ACROSS = np.ones((2, 4, 8)), np.ones((6, 2, 3)), np.ones((4, 2, 3))


def convolve(x=X, kernel=KERNEL, **options):
    return qd.convolution(x, kernel, **{"groups": 2, **options})


def spread(x=X, kernel=ACROSS, **options):
    return qd.transposed_convolution(x, kernel, **options)


TEXTS = [
    (
        lambda: convolve(X[0]),
        "convolution: x is f64[4, 8] and the kernel f64[6, 2, 3]; both need two axes (batch "
        "and channels; outputs and inputs) and then as many axes of space, one at least",
    ),
    (
        lambda: convolve(kernel=KERNEL[..., :0]),
        "convolution: the kernel f64[6, 2, 0] is empty along an axis of space",
    ),
    (
        lambda: convolve(groups=0),
        "convolution: groups=0; it must be at least 1",
    ),
    (
        lambda: convolve(groups=1),
        "convolution: x has 4 channels and the kernel 2 for each of 1 groups; x's channels "
        "must be the product, 2",
    ),
    (
        lambda: convolve(kernel=KERNEL[:5]),
        "convolution: the kernel's first axis has 5 channels, which do not fall into 2 equal "
        "groups",
    ),
    (
        lambda: convolve(stride=(1, 2)),
        "convolution: stride=(1, 2) has 2 entries, and there are 1 axes of space; give one "
        "number, or one for each axis",
    ),
    (
        lambda: convolve(dilation=0),
        "convolution: dilation=0; it must be at least 1 along each axis",
    ),
    (
        lambda: convolve(padding="full"),
        'convolution: padding=\'full\'; it must be "same", "valid" or numbers',
    ),
    (
        lambda: convolve(padding=[(1, 1), (0, 1)]),
        "convolution: padding=[(1, 1), (0, 1)] has 2 entries, and there are 1 axes of space; "
        "give one number, or a number or a pair (before, after) for each axis",
    ),
    (
        lambda: convolve(padding=[(1, 2, 3)]),
        "convolution: padding=[(1, 2, 3)] has an entry of 3 numbers; give a number or a pair "
        "(before, after) for each axis",
    ),
    (
        lambda: convolve(padding=-1),
        "convolution: padding=-1; it must be at least 0 along each axis",
    ),
    (
        lambda: convolve(dilation=4),
        "convolution: an axis of 8 elements with padding (0, 0) has no room for a window of "
        "3 elements at dilation 4; pad more, or take a smaller window",
    ),
    (
        lambda: spread(kernel=KERNEL),
        "transposed_convolution: x has 4 channels and the kernel 6 along its first axis; "
        "they must be equal",
    ),
    (
        lambda: spread(padding="same"),
        "transposed_convolution: padding='same'; it must be numbers here",
    ),
    (
        lambda: spread(stride=2, extra=2),
        "transposed_convolution: extra=2; it must be below the stride 2 or the dilation 1",
    ),
    (
        lambda: spread(padding=5),
        "transposed_convolution: padding=5 leaves sizes (0,); pad less",
    ),
    (
        lambda: qd.max_pool(X[0], 2),
        "max_pool: x is f64[4, 8]; it needs two axes, batch and channels, and then one of "
        "space at least",
    ),
    (
        lambda: qd.avg_pool(X, 2, padding=2),
        "avg_pool: padding=2 could fill a window of 2 elements at dilation 1; pad by at most "
        "half of it",
    ),
]


@pytest.mark.parametrize("act, text", TEXTS, ids=[text for _, text in TEXTS])
def test_what_is_wrong_is_said(act, text):
    assert raised(act) == (ShapeError, text)
