"""Activations: functions of each element, or of each row."""

from __future__ import annotations

import functools
import importlib
import math
from typing import Any

import numpy as np

from ..ops.faces import from_end
from ..ops.logsums import logistic
from ..ops.networks.entropy import Relu
from ..ops.reducing import LogSumExp, Share
from .parts import as_array

RELU = Relu()


def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0, as networks have it (`np.maximum(x, 0)` has 1/2 there).

    >>> qd.nn.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> float(qd.grad(qd.nn.relu)(0.0))
    0.0
    """
    return RELU(as_array(x))


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """X where it is positive, slope x elsewhere, with derivative `slope` at 0.

    >>> qd.nn.leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    x = as_array(x)
    return np.where(x > 0, x, slope * x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """X where it is positive, alpha (eˣ - 1) elsewhere.

    >>> qd.nn.elu(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """
    x = as_array(x)
    low = np.where(x > 0, np.zeros((), x.dtype), x)  # the other branch overflows otherwise
    return np.where(x > 0, x, alpha * np.expm1(low))


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), which overflows nowhere.

    >>> qd.nn.sigmoid(np.array([-1000.0, 0.0]))
    array([0. , 0.5])
    """
    return logistic(as_array(x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, `np.tanh`.

    >>> qd.nn.tanh(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    return np.tanh(x)


def silu(x: Any) -> Any:
    """X sigmoid(x), also called swish.

    >>> qd.nn.silu(np.array([-1000.0, 0.0]))
    array([-0.,  0.])
    """
    x = as_array(x)
    return x * logistic(x)


def softplus(x: Any) -> Any:
    """log(1 + eˣ), which overflows nowhere.

    >>> qd.nn.softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    x = as_array(x)
    return np.logaddexp(x, np.zeros((), x.dtype))


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / Σ exp(x) over `axis`; the largest is taken out first, so nothing overflows.

    >>> qd.nn.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    x = as_array(x)
    return Share((from_end(axis, x.ndim, "softmax"),))(x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """X - log Σ exp(x) over `axis`: the logarithm of the softmax without its rounding to 0.

    >>> qd.nn.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    x = as_array(x)
    return x - LogSumExp((from_end(axis, x.ndim, "log_softmax"),), keepdims=True)(x)


@functools.cache
def special() -> Any:
    """SciPy's special functions, imported when one is first wanted."""
    return importlib.import_module("scipy.special")


def gelu(x: Any, approximate: bool | str = False) -> Any:
    """X Φ(x), Φ the normal distribution function; needs SciPy.

    With `approximate` (True, or "tanh" as in torch), x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), as
    GPT-2 has it, without SciPy.

    >>> qd.nn.gelu(np.array([-1.0, 1.0]))
    array([-0.15865525,  0.84134475])
    >>> qd.nn.gelu(np.array([-1.0, 1.0]), approximate=True)
    array([-0.15880801,  0.84119199])
    """
    x = as_array(x)
    if approximate not in (True, False, "tanh", "none"):
        raise ValueError(
            f"gelu: approximate={approximate!r} is unknown; use True or False, or torch's 'tanh' "
            "or 'none'"
        )
    if approximate in (False, "none"):
        return x * special().ndtr(x)
    near = np.clip(x, -30.0, 30.0)  # beyond, tanh is 1 to the last digit, and a cube may overflow
    inner = near + 0.044715 * near * near * near
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * inner))
