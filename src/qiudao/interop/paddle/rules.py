"""paddle's operations written in NumPy, for derivatives of every order by our rules.

Each is named, and takes its arguments, as in `paddle._C_ops`; what is below it is a function of
arrays that gives as many results as paddle does.  They give derivatives only: values are paddle's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import qiudao as qd
from scipy import special

Axis = int | Sequence[int] | None


def axes(axis: Any) -> Any:
    """Paddle's axis as NumPy's: an empty list is all axes."""
    if isinstance(axis, list | tuple):
        return tuple(axis) or None
    return axis


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), also where exp(-x) overflows."""
    return np.exp(-np.logaddexp(0.0, -x))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta x)) / beta, and x beyond the threshold."""
    return np.where(beta * x > threshold, x, np.logaddexp(0.0, beta * x) / beta)


def mish(x: Any, threshold: float = 20.0) -> Any:
    """X tanh(log(1 + exp(x)))."""
    return x * np.tanh(np.logaddexp(0.0, x))


def silu(x: Any) -> Any:
    """X / (1 + exp(-x))."""
    return x * sigmoid(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """X times the normal distribution's probability below it."""
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + special.erf(x / math.sqrt(2)))


def relu(x: Any) -> Any:
    """The larger of x and 0; the derivative at 0 is 0."""
    return np.where(x > 0, x, 0.0)


def leaky_relu(x: Any, negative_slope: float = 0.02) -> Any:
    """x, and a multiple of it where it is not positive."""
    return np.where(x > 0, x, negative_slope * x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x, and alpha (exp(x) - 1) where it is not positive."""
    return np.where(x > 0, x, alpha * np.expm1(x))


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x, and alpha (exp(x / alpha) - 1) where it is not positive."""
    return np.where(x > 0, x, alpha * np.expm1(x / alpha))


def selu(x: Any, scale: float, alpha: float) -> Any:
    """`elu` with a scale."""
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) over its sum along an axis."""
    return np.exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`."""
    return x - logsumexp(x, axis, keepdim=True)


def logsumexp(x: Any, axis: Axis = None, keepdim: bool = False, reduce_all: bool = False) -> Any:
    """log(sum(exp(x)))."""
    over = None if reduce_all else axes(axis)
    top = qd.stop_gradient(np.max(x, axis=over, keepdims=True))
    found = np.log(np.sum(np.exp(x - top), axis=over, keepdims=True)) + top
    return found if keepdim else np.squeeze(found, over)


def prod(x: Any, dims: Axis = None, keep_dim: bool = False, reduce_all: bool = False) -> Any:
    """The product of elements."""
    return np.prod(x, axis=None if reduce_all else axes(dims), keepdims=keep_dim)


def largest(x: Any, axis: Axis = None, keepdim: bool = False) -> Any:
    """The largest element; elements that tie share the derivative."""
    return np.max(x, axis=axes(axis), keepdims=keepdim)


def smallest(x: Any, axis: Axis = None, keepdim: bool = False) -> Any:
    """The smallest element; elements that tie share the derivative."""
    return np.min(x, axis=axes(axis), keepdims=keepdim)


def mean(x: Any, axis: Axis = None, keepdim: bool = False) -> Any:
    """The mean of elements."""
    return np.mean(x, axis=axes(axis), keepdims=keepdim)


def p_norm(
    x: Any,
    porder: float = 2.0,
    axis: int = -1,
    epsilon: float = 1e-12,
    keepdim: bool = False,
    asvector: bool = False,
) -> Any:
    """(sum |x|^p)^(1/p), of all elements as one vector where `asvector` says so."""
    if asvector:
        found = np.linalg.norm(np.reshape(x, (-1,)), porder)
        return np.reshape(found, (1,) * np.ndim(x)) if keepdim else found
    return np.linalg.norm(x, porder, axis=axis, keepdims=keepdim)


def frobenius_norm(
    x: Any, axis: Axis = None, keepdim: bool = False, reduce_all: bool = False
) -> Any:
    """The root of the sum of squares."""
    chosen = None if reduce_all else axes(axis)
    return np.sqrt(np.sum(np.square(x), axis=chosen, keepdims=keepdim))


def cumsum(
    x: Any, axis: int = -1, flatten: bool = False, exclusive: bool = False, reverse: bool = False
) -> Any:
    """Running sums."""
    x, axis = (np.reshape(x, (-1,)), 0) if flatten else (x, axis)
    return running(np.cumsum, x, axis, exclusive, reverse, 0.0)


def cumprod(x: Any, dim: int, exclusive: bool = False, reverse: bool = False) -> Any:
    """Running products."""
    return running(np.cumprod, x, dim, exclusive, reverse, 1.0)


def logcumsumexp(
    x: Any, axis: int = -1, flatten: bool = False, exclusive: bool = False, reverse: bool = False
) -> Any:
    """Running log(sum(exp(x)))."""
    x, axis = (np.reshape(x, (-1,)), 0) if flatten else (x, axis)
    return running(np.logaddexp.accumulate, x, axis, exclusive, reverse, -np.inf)


def running(
    along: Callable[..., Any], x: Any, axis: int, exclusive: bool, reverse: bool, start: float
) -> Any:
    """A running sum or product, backwards or without the element itself where asked."""
    x = np.flip(x, axis) if reverse else x
    if exclusive:
        x = np.moveaxis(x, axis, 0)
        x = np.moveaxis(np.concatenate([np.full(x[:1].shape, start, x.dtype), x[:-1]]), 0, axis)
    found = along(x, axis=axis)
    return np.flip(found, axis) if reverse else found


def argsort(
    x: Any, axis: int = -1, descending: bool = False, stable: bool = False
) -> tuple[Any, Any]:
    """The elements in order; their places carry no derivative."""
    found = np.sort(x, axis=axis)
    return np.flip(found, axis) if descending else found, 0


def topk(
    x: Any, k: int = 1, axis: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Any, Any]:
    """The first k elements in order; their places carry no derivative."""
    ordered, _ = argsort(x, axis, descending=largest)
    return np.moveaxis(np.moveaxis(ordered, axis, 0)[:k], 0, axis), 0


def power(x: Any, y: Any) -> Any:
    """X to the power y."""
    return np.power(x, y)


def clip(x: Any, min: Any = -math.inf, max: Any = math.inf) -> Any:
    """X between two bounds; the derivative at a bound is 1/2."""
    return np.clip(x, min, max)


def layer_norm(
    x: Any, scale: Any = None, bias: Any = None, epsilon: float = 1e-5, begin_norm_axis: int = 1
) -> Any:
    """X less its mean over its deviation, scaled and moved."""
    over = tuple(range(begin_norm_axis, np.ndim(x)))
    shape = x.shape[begin_norm_axis:]
    centred = x - np.mean(x, over, keepdims=True)
    found = centred / np.sqrt(np.mean(np.square(centred), over, keepdims=True) + epsilon)
    found = found if scale is None else found * np.reshape(scale, shape)
    return found if bias is None else found + np.reshape(bias, shape)


def cross_entropy_with_softmax(
    logits: Any,
    label: Any,
    soft_label: bool = False,
    use_softmax: bool = True,
    numeric_stable_mode: bool = True,
    ignore_index: int = -100,
    axis: int = -1,
) -> tuple[Any, Any]:
    """The softmax, and less the logarithm of it at the label."""
    logs = log_softmax(logits, axis) if use_softmax else np.log(logits)
    if soft_label:
        return np.exp(logs), -np.sum(label * logs, axis=axis, keepdims=True)
    counted = label != ignore_index
    places = np.where(counted, label, 0)
    return np.exp(logs), -np.take_along_axis(logs, places, axis) * counted


def sigmoid_cross_entropy_with_logits(
    x: Any, label: Any, pos_weight: Any = None, normalize: bool = False, ignore_index: int = -100
) -> Any:
    """Less the logarithm of the probability of a label of 0 or 1."""
    weight = 1.0 if pos_weight is None else pos_weight  # paddle has weighed labels into it
    counted = label != ignore_index
    found = np.where(counted, (1.0 - label) * x + weight * np.logaddexp(0.0, -x), 0.0)
    return found / np.maximum(np.sum(counted), 1) if normalize else found


def cholesky(x: Any, upper: bool = False) -> Any:
    """L with L L^T = x, or its transpose."""
    found = np.linalg.cholesky(np.swapaxes(x, -1, -2) if upper else x)
    return np.swapaxes(found, -1, -2) if upper else found


def solve(x: Any, y: Any) -> Any:
    """The solution of x z = y."""
    if np.ndim(y) == 1:
        return np.linalg.solve(x, y[:, None])[..., 0]
    return np.linalg.solve(x, y)


def slogdet(x: Any) -> Any:
    """The sign and the logarithm of the size of the determinant."""
    return np.stack(np.linalg.slogdet(x))


def eigvalsh(x: Any, uplo: Any = "L", is_test: bool = False) -> tuple[Any, Any]:
    """The eigenvalues; the vectors that paddle gives beside them carry no derivative."""
    return np.linalg.eigvalsh(x, uplo), np.zeros(x.shape)


RULES: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "argsort": argsort,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "amax": largest,
    "amin": smallest,
    "celu": celu,
    "cholesky": cholesky,
    "clip": clip,
    "cos": np.cos,
    "cosh": np.cosh,
    "cross_entropy_with_softmax": cross_entropy_with_softmax,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "det": np.linalg.det,
    "digamma": special.digamma,
    "eigvalsh": eigvalsh,
    "elu": elu,
    "erf": special.erf,
    "erfinv": special.erfinv,
    "exp": np.exp,
    "expm1": np.expm1,
    "frobenius_norm": frobenius_norm,
    "gelu": gelu,
    "inverse": np.linalg.inv,
    "layer_norm": layer_norm,
    "leaky_relu": leaky_relu,
    "lgamma": special.gammaln,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "log_softmax": log_softmax,
    "logcumsumexp": logcumsumexp,
    "logsigmoid": lambda x: -np.logaddexp(0.0, -x),
    "logsumexp": logsumexp,
    "max": largest,
    "maximum": np.maximum,
    "mean": mean,
    "mean_all": np.mean,
    "min": smallest,
    "minimum": np.minimum,
    "mish": mish,
    "p_norm": p_norm,
    "pow": power,
    "prod": prod,
    "reciprocal": lambda x: 1.0 / x,
    "relu": relu,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "selu": selu,
    "sigmoid": sigmoid,
    "sigmoid_cross_entropy_with_logits": sigmoid_cross_entropy_with_logits,
    "silu": silu,
    "sin": np.sin,
    "sinh": np.sinh,
    "slogdet": slogdet,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "solve": solve,
    "sqrt": np.sqrt,
    "square": np.square,
    "swish": silu,
    "tan": np.tan,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "topk": topk,
}
