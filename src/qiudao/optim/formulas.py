"""The update formulas, each written once: arrays in, arrays out.

A formula takes a parameter `p`, its gradient `g`, a dict `s` of arrays of the same shape that it
remembers, and `t`, the number of this step counted from 1; it returns the new `p` and `s`.  The
optimisers call it with blocks of NumPy arrays, the rules with whatever array the user has, a
tracer of `qd.jit` included.  Numbers are those of torch's formulas, so steps can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.avals import Value

__all__ = ["adam", "adam_buffers", "rmsprop", "rmsprop_buffers", "sgd", "sgd_buffers"]

Arrays = dict[str, Value]
Options = Mapping[str, Any]
Moved = tuple[Value, Arrays]


def scalar(x: Any, p: Value) -> Any:
    """A number as a factor that keeps the dtype of `p`: Python's own numbers do by themselves."""
    return x if type(x) in (int, float) else x.astype(p.dtype)


def is_off(x: Any) -> bool:
    """Whether an option is known to be zero; a traced one may be anything."""
    return type(x) in (int, float) and x == 0


def sgd(
    p: Value,
    g: Value,
    s: Arrays,
    t: Any,
    *,
    lr: Any,
    momentum: Any,
    dampening: Any,
    weight_decay: Any,
    nesterov: bool,
    maximize: bool,
) -> Moved:
    """B = momentum b + (1 - dampening) g, and p - lr b; the first b is g itself."""
    g = directed(p, g, weight_decay, maximize)
    if is_off(momentum):
        return p - scalar(lr, p) * g, {}
    share = 1 - dampening * (t > 1)
    b = scalar(momentum, p) * s["momentum_buffer"] + scalar(share, p) * g
    move = g + scalar(momentum, p) * b if nesterov else b
    return p - scalar(lr, p) * move, {"momentum_buffer": b}


def sgd_buffers(options: Options) -> tuple[str, ...]:
    """What `sgd` remembers."""
    return () if is_off(options["momentum"]) else ("momentum_buffer",)


def adam(
    p: Value,
    g: Value,
    s: Arrays,
    t: Any,
    *,
    lr: Any,
    betas: tuple[Any, Any],
    eps: Any,
    weight_decay: Any,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> Moved:
    """M and v are running means of g and g^2, divided by 1 - beta^t for their start at zero:
    p - lr m / (sqrt(v) + eps).  Decay is added to g, or shrinks p by itself where decoupled.
    """
    b1, b2 = betas
    if decoupled_weight_decay:
        g = directed(p, g, 0, maximize)
        p = p if is_off(weight_decay) else p * scalar(1 - lr * weight_decay, p)
    else:
        g = directed(p, g, weight_decay, maximize)
    m = scalar(b1, p) * s["exp_avg"] + scalar(1 - b1, p) * g
    v = scalar(b2, p) * s["exp_avg_sq"] + scalar(1 - b2, p) * (g * g)
    kept = {"exp_avg": m, "exp_avg_sq": v}
    if amsgrad:
        v = kept["max_exp_avg_sq"] = np.maximum(s["max_exp_avg_sq"], v)
    root = np.sqrt(v) / scalar((1 - b2**t) ** 0.5, p) + scalar(eps, p)
    return p - scalar(lr / (1 - b1**t), p) * (m / root), kept


def adam_buffers(options: Options) -> tuple[str, ...]:
    """What `adam` remembers."""
    return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if options["amsgrad"] else ()))


def rmsprop(
    p: Value,
    g: Value,
    s: Arrays,
    t: Any,
    *,
    lr: Any,
    alpha: Any,
    eps: Any,
    weight_decay: Any,
    momentum: Any,
    centered: bool,
    maximize: bool,
) -> Moved:
    """V is a running mean of g^2 (less the squared mean of g where centred), and p moves by
    lr g / (sqrt(v) + eps), or by lr times a momentum of such terms.
    """
    g = directed(p, g, weight_decay, maximize)
    a, rest = scalar(alpha, p), scalar(1 - alpha, p)
    v = a * s["square_avg"] + rest * (g * g)
    kept = {"square_avg": v}
    if centered:
        mean = kept["grad_avg"] = a * s["grad_avg"] + rest * g
        v = v - mean * mean
    move = g / (np.sqrt(v) + scalar(eps, p))
    if not is_off(momentum):
        move = scalar(momentum, p) * s["momentum_buffer"] + move
        kept["momentum_buffer"] = move
    return p - scalar(lr, p) * move, kept


def rmsprop_buffers(options: Options) -> tuple[str, ...]:
    """What `rmsprop` remembers."""
    names = ["square_avg"]
    if options["centered"]:
        names.append("grad_avg")
    if not is_off(options["momentum"]):
        names.append("momentum_buffer")
    return tuple(names)


def directed(p: Value, g: Value, weight_decay: Any, maximize: bool) -> Value:
    """The gradient of what is minimised, with that of weight_decay |p|^2 / 2."""
    g = -g if maximize else g
    return g if is_off(weight_decay) else g + scalar(weight_decay, p) * p
