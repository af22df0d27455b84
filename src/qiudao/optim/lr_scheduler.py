"""Schedules stepped beside an optimiser of the tape, with torch's names.

A scheduler sets `lr` in each group as a function of how often `step()` was called and of the rate
at the beginning.  Two on one optimiser do not multiply: the last to step decides; `SequentialLR`
puts one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.dispatch import concrete
from ..core.errors import GradientError
from . import schedules
from .optimizer import Optimizer
from .options import at_least
from .schedules import Schedule

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

Make = Callable[[float], Schedule]


class LRScheduler:
    """Base of the schedulers: `make` gives the schedule of a group from its first rate."""

    def __init__(self, optimizer: Optimizer, make: Make) -> None:
        self.optimizer = optimiser(type(self).__name__, optimizer)
        self.make = make
        self.last_epoch = 0
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", float(group["lr"]))
        self.apply()

    def apply(self) -> None:
        """Set the rates for the number of steps done."""
        for group in self.optimizer.param_groups:
            group["lr"] = float(self.make(group["initial_lr"])(self.last_epoch))

    def step(self) -> None:
        """Count one step, and set the rates of the next."""
        self.last_epoch += 1
        self.apply()

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on."""
        return {"last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.last_epoch = int(kept(state_dict, "last_epoch"))
        self.apply()


def optimiser(name: str, given: Any) -> Optimizer:
    """The optimiser that a scheduler was given."""
    if not isinstance(given, Optimizer):
        raise GradientError(
            f"{name}: the optimiser is a {type(given).__name__}; give one of qd.optim"
        )
    return given


def kept(state: Any, name: str) -> Any:
    """A part of a saved state."""
    if not isinstance(state, Mapping) or name not in state:
        raise GradientError(
            f"load_state_dict: the state of a scheduler has no {name!r}; give what state_dict() "
            "gave"
        )
    return state[name]


class LambdaLR(LRScheduler):
    """The first rate times `lr_lambda(t)`."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise GradientError(
                f"LambdaLR: lr_lambda is a {type(lr_lambda).__name__}; give one function of the "
                "number of steps"
            )
        super().__init__(optimizer, lambda lr: lambda t: lr * lr_lambda(t))


class StepLR(LRScheduler):
    """`schedules.steps`: times gamma after every `step_size` steps.

    >>> opt = qd.optim.SGD([qd.tensor(1.0, requires_grad=True)], lr=0.5)
    >>> scheduler = qd.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
    >>> for _ in range(2):
    ...     opt.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        at_least("StepLR", "step_size", step_size, 1)
        super().__init__(optimizer, lambda lr: schedules.steps(lr, step_size, gamma))


class MultiStepLR(LRScheduler):
    """`schedules.milestones`: times gamma at each of the milestones."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        super().__init__(optimizer, lambda lr: schedules.milestones(lr, milestones, gamma))


class ExponentialLR(LRScheduler):
    """`schedules.exponential`: times gamma at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer, lambda lr: schedules.exponential(lr, gamma))


class LinearLR(LRScheduler):
    """`schedules.warm_up`: from start_factor to end_factor times the rate, in a straight line."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        at_least("LinearLR", "total_iters", total_iters, 1)
        super().__init__(
            optimizer, lambda lr: schedules.warm_up(lr, total_iters, start_factor, end_factor)
        )


class CosineAnnealingLR(LRScheduler):
    """`schedules.cosine`: down to eta_min in T_max steps."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        at_least("CosineAnnealingLR", "T_max", T_max, 1)
        super().__init__(optimizer, lambda lr: schedules.cosine(lr, T_max, eta_min))


class OneCycleLR(LRScheduler):
    """`schedules.one_cycle`: up to max_lr and down.

    Momentum (or the first beta) goes the other way, from max_momentum to base_momentum and back,
    unless `cycle_momentum` is False.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        heights = (max_momentum, base_momentum, max_momentum, max_momentum)
        self.total_steps = total_steps
        self.momentum = (
            schedules.phases(total_steps, pct_start, three_phase, anneal_strategy, heights)
            if cycle_momentum
            else None
        )
        rate = schedules.one_cycle(
            max_lr,
            total_steps,
            pct_start=pct_start,
            anneal=anneal_strategy,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
            three_phase=three_phase,
        )
        super().__init__(optimizer, lambda lr: rate)

    def apply(self) -> None:
        if self.last_epoch > self.total_steps:
            raise GradientError(
                f"OneCycleLR: step {self.last_epoch} is past the {self.total_steps} steps of the "
                "cycle; make it with a larger total_steps"
            )
        super().apply()
        if self.momentum is None:
            return
        now = float(self.momentum(self.last_epoch))
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (now, group["betas"][1])
            else:
                group["momentum"] = now


class SequentialLR(LRScheduler):
    """One scheduler after another: the next begins at each of the milestones."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        for each in schedulers:
            if not isinstance(each, LRScheduler):
                raise GradientError(
                    f"SequentialLR: a scheduler is a {type(each).__name__}, which has no rate by "
                    "the number of steps; give others of this module"
                )
            if isinstance(each, OneCycleLR) and each.momentum is not None:
                raise GradientError(
                    "SequentialLR: a OneCycleLR moves the momentum too, which a sequence of rates "
                    "leaves as it is; make it with cycle_momentum=False"
                )
        super().__init__(
            optimizer,
            lambda lr: schedules.sequence([s.make(lr) for s in schedulers], milestones),
        )


class ReduceLROnPlateau:
    """Times `factor` once a measured value has not improved for more than `patience` steps.

    `step(value)` is called with what is to fall (mode "min") or to rise ("max"); a change counts
    from `threshold` on, relative ("rel") or absolute ("abs").  After a reduction `cooldown` steps
    count as good.  A rate does not fall below `min_lr`, nor by less than `eps`.

    >>> opt = qd.optim.SGD([qd.tensor(1.0, requires_grad=True)], lr=0.5)
    >>> scheduler = qd.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        for what, count in (("patience", patience), ("cooldown", cooldown)):
            at_least("ReduceLROnPlateau", what, count, 0)
        for what, size in (("factor", factor), ("min_lr", min_lr), ("threshold", threshold)):
            at_least("ReduceLROnPlateau", what, size, 0)
        if not factor < 1:
            raise GradientError(
                f"ReduceLROnPlateau: factor={factor} does not reduce; give one below 1"
            )
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise GradientError(
                f"ReduceLROnPlateau: mode={mode!r} with threshold_mode={threshold_mode!r} is "
                "unknown; use 'min' or 'max', and 'rel' or 'abs'"
            )
        self.optimizer = optimiser("ReduceLROnPlateau", optimizer)
        self.sign = 1.0 if mode == "min" else -1.0
        self.factor, self.patience, self.threshold = factor, patience, threshold
        self.relative = threshold_mode == "rel"
        self.cooldown, self.min_lr, self.eps = cooldown, min_lr, eps
        self.best, self.bad, self.resting = np.inf * self.sign, 0, 0

    def step(self, metrics: Any) -> None:
        """Take note of a value, and reduce the rates where it is time to."""
        value = float(concrete(metrics))  # of a loss too, which may carry a gradient
        if self.improves(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.resting > 0:
            self.resting -= 1
            self.bad = 0
        if self.bad > self.patience:
            self.resting, self.bad = self.cooldown, 0
            for group in self.optimizer.param_groups:
                reduced = max(group["lr"] * self.factor, self.min_lr)
                if group["lr"] - reduced > self.eps:
                    group["lr"] = reduced

    def improves(self, value: float) -> bool:
        """Whether a value is better than the best so far by the threshold."""
        if not np.isfinite(self.best):
            return value * self.sign < self.best * self.sign
        margin = self.threshold * (self.best if self.relative else 1.0)
        return value * self.sign < (self.best - self.sign * margin) * self.sign

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on."""
        return {"best": self.best, "bad": self.bad, "resting": self.resting}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.best = float(kept(state_dict, "best"))
        self.bad, self.resting = int(kept(state_dict, "bad")), int(kept(state_dict, "resting"))
