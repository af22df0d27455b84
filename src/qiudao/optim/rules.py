"""Optimisers as pure functions: state and parameters in, state and parameters out.

    rule = qd.optim.adam(lr=1e-3)
    state = rule.init(params)
    params, state = rule.update(gradients, state, params)

Parameters are any nested container of arrays, and nothing is written in place, so an update can
stand within `qd.jit` (donate the old parameters and state), `qd.vmap`, `qd.scan` or `qd.grad`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.errors import DtypeError, GradientError, ShapeError
from ..core.trees import Tree, flatten, match
from . import formulas
from .options import checked

__all__ = ["Rule", "adam", "adamw", "rmsprop", "sgd"]

Rate = Any  # a number, a traced scalar, or a function of the number of steps done


@dataclass(frozen=True)
class Rule:
    """An update formula with its options; `sgd`, `adam`, `adamw` and `rmsprop` make one."""

    formula: Callable[..., formulas.Moved]
    buffers: tuple[str, ...]
    options: Mapping[str, Any]

    def init(self, params: Any) -> dict[str, Any]:
        """The state before the first step: `step`, and zeros shaped like `params` by name."""
        leaves, structure = flatten(params)
        for p, path in zip(leaves, structure.paths):
            real_float(p, f"params{path}")
        zeros = [np.zeros(np.shape(p), aval_of(p).dtype) for p in leaves]
        named = {name: structure.build([z.copy() for z in zeros]) for name in self.buffers}
        return {"step": np.float64(0.0), **named}

    def update(self, gradients: Any, state: Any, params: Any) -> tuple[Any, Any]:
        """The parameters and the state after one step along `gradients`.

        A gradient of None leaves its parameter and what is remembered of it as they are.
        """
        leaves, structure = flatten(params)
        slopes = gradients_of(structure, gradients, params)
        for name in ("step", *self.buffers):
            if not isinstance(state, Mapping) or name not in state:
                raise GradientError(
                    f"update: the state has no {name!r}; make it by init of this rule, and pass on "
                    "what update gave"
                )
        memory = {name: match(structure, state[name], "update") for name in self.buffers}
        t = state["step"] + 1
        options = dict(self.options)
        if callable(options["lr"]):
            options["lr"] = options["lr"](state["step"])
        moved: list[Value] = []
        for k, (p, g) in enumerate(zip(leaves, slopes)):
            if g is None:
                moved.append(p)
                continue
            old = {name: memory[name][k] for name in self.buffers}
            for what, x in (("a gradient", g), *old.items()):
                if np.shape(x) != np.shape(p):
                    raise ShapeError(
                        f"update: {what} has shape {np.shape(x)}, and its parameter "
                        f"params{structure.paths[k]} {np.shape(p)}; both must be equal"
                    )
            p = p if hasattr(p, "dtype") else np.float64(p)
            new, kept = self.formula(p, g, old, t, **options)
            moved.append(new)
            for name in self.buffers:
                memory[name][k] = kept[name]
        named = {name: structure.build(memory[name]) for name in self.buffers}
        return structure.build(moved), {"step": t, **named}


def gradients_of(structure: Tree, gradients: Any, params: Any) -> list[Any]:
    """The gradient of each parameter, or None where there is none."""
    slopes, _ = flatten(gradients, none_is_leaf=True)
    if not any(g is None for g in slopes):
        return match(structure, gradients, "update")
    _, whole = flatten(params, none_is_leaf=True)
    if whole.count != structure.count or len(slopes) != whole.count:
        return match(structure, gradients, "update")
    return slopes


def real_float(p: Value, where: str) -> None:
    """Refuse what a formula for real numbers would get wrong."""
    dtype = aval_of(p).dtype
    if dtype.kind != "f":
        raise DtypeError(
            f"init: {where} has dtype {dtype}, and the rules move real floats; give a complex "
            "parameter as its real and imaginary parts, or use the optimiser classes"
        )


def sgd(
    lr: Rate = 1e-3,
    momentum: Any = 0,
    dampening: Any = 0,
    weight_decay: Any = 0,
    nesterov: bool = False,
    *,
    maximize: bool = False,
) -> Rule:
    """Gradient descent: p - lr b, with b = momentum b + (1 - dampening) g.

    With `nesterov` the move is g + momentum b.  `lr` may be a function of the number of steps done
    (see `qd.optim.schedules`).  Raises `GradientError` for options out of range.

    >>> rule = qd.optim.sgd(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(2 * x, rule.init(x), x)
    >>> x
    array([ 0.8, -1.6])
    """
    options = {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    checked("sgd", options)
    return Rule(formulas.sgd, formulas.sgd_buffers(options), options)


def adam(
    lr: Rate = 1e-3,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 0,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> Rule:
    """Adam: p - lr m / (sqrt(v) + eps), with m and v the running means of g and of g^2.

    Both are corrected for their start at zero; `amsgrad` takes the largest v so far.  With
    `decoupled_weight_decay` p shrinks by 1 - lr weight_decay, else weight_decay p is added to g.

    >>> rule = qd.optim.adam(lr=0.1)
    >>> params = {"w": np.array([3.0, -4.0]), "b": np.array(2.0)}
    >>> state = rule.init(params)
    >>> def loss(params):
    ...     return np.sum(params["w"] ** 2) + params["b"] ** 2
    >>> step = qd.jit(lambda params, state: rule.update(qd.grad(loss)(params), state, params))
    >>> for _ in range(200):
    ...     params, state = step(params, state)
    >>> bool(loss(params) < 1e-5)
    True
    """
    options = {
        "lr": lr,
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "maximize": maximize,
        "decoupled_weight_decay": decoupled_weight_decay,
    }
    checked("adam", options)
    return Rule(formulas.adam, formulas.adam_buffers(options), options)


def adamw(
    lr: Rate = 1e-3,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 1e-2,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
) -> Rule:
    """Adam with decoupled weight decay: `adam(..., decoupled_weight_decay=True)`.

    >>> rule = qd.optim.adamw(lr=0.1, weight_decay=0.5)
    >>> x, _ = rule.update(np.zeros(1), rule.init(np.ones(1)), np.ones(1))
    >>> x
    array([0.95])
    """
    return adam(
        lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
    )


def rmsprop(
    lr: Rate = 1e-2,
    alpha: Any = 0.99,
    eps: Any = 1e-8,
    weight_decay: Any = 0,
    momentum: Any = 0,
    centered: bool = False,
    *,
    maximize: bool = False,
) -> Rule:
    """RMSprop: p - lr g / (sqrt(v) + eps), with v = alpha v + (1 - alpha) g^2.

    With `centered` the square of the mean gradient is taken from v; with `momentum` p moves by
    lr times b = momentum b + g / (sqrt(v) + eps).

    >>> rule = qd.optim.rmsprop(lr=0.1, alpha=0.0)
    >>> x, _ = rule.update(np.array([5.0]), rule.init(np.ones(1)), np.ones(1))
    >>> np.round(x, 6)
    array([0.9])
    """
    options = {
        "lr": lr,
        "alpha": alpha,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "centered": centered,
        "maximize": maximize,
    }
    checked("rmsprop", options)
    return Rule(formulas.rmsprop, formulas.rmsprop_buffers(options), options)
