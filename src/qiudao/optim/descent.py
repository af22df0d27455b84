"""SGD, Adam, AdamW and RMSprop for the parameters of the tape, with torch's names and defaults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import formulas
from .optimizer import Optimizer

__all__ = ["Adam", "AdamW", "RMSprop", "SGD"]


class SGD(Optimizer):
    """Gradient descent with momentum: p - lr b, where b = momentum b + (1 - dampening) g.

    With `nesterov` the move is g + momentum b; `weight_decay` times p is added to g first.

    >>> x = qd.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = qd.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     opt.zero_grad()
    ...     (x * x).sum().backward()
    ...     opt.step()
    >>> x
    tensor([ 0.46, -0.92], requires_grad=True)
    """

    formula = staticmethod(formulas.sgd)
    buffers = staticmethod(formulas.sgd_buffers)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )


class Adam(Optimizer):
    """Adam: p - lr m / (sqrt(v) + eps), m and v the corrected running means of g and of g^2.

    `amsgrad` takes the largest v so far.  `weight_decay` times p is added to g, or, with
    `decoupled_weight_decay`, p shrinks by lr weight_decay p instead.

    >>> x = qd.tensor([3.0, -0.5], requires_grad=True)
    >>> opt = qd.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> opt.step()
    >>> x  # the first step is lr long in each coordinate
    tensor([ 2.9, -0.4], requires_grad=True)
    """

    formula = staticmethod(formulas.adam)
    buffers = staticmethod(formulas.adam_buffers)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: p shrinks by lr weight_decay p in each step.

    >>> x = qd.tensor([1.0], requires_grad=True)
    >>> opt = qd.optim.AdamW([x], lr=0.1, weight_decay=0.5)
    >>> (0 * x).sum().backward()
    >>> opt.step()
    >>> x
    tensor([0.95], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )


class RMSprop(Optimizer):
    """RMSprop: p - lr g / (sqrt(v) + eps), with v = alpha v + (1 - alpha) g^2.

    With `centered` the square of the mean gradient is taken from v; with `momentum` p moves by
    lr b, where b = momentum b + g / (sqrt(v) + eps).

    >>> x = qd.tensor([1.0], requires_grad=True)
    >>> opt = qd.optim.RMSprop([x], lr=0.1, alpha=0.0)
    >>> (x * x).sum().backward()
    >>> opt.step()
    >>> x
    tensor([0.9], requires_grad=True)
    """

    formula = staticmethod(formulas.rmsprop)
    buffers = staticmethod(formulas.rmsprop_buffers)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )
