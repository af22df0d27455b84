"""L-BFGS: steps along a direction made from the last gradients, with a line search if wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ..core.dispatch import concrete
from ..core.errors import DtypeError, GradientError
from ..tape.modes import enable_grad
from .optimizer import Closure, Optimizer
from .options import at_least
from .packs import refuse_tracers
from .wolfe import Trial, strong_wolfe

__all__ = ["LBFGS"]

Array = np.ndarray[Any, Any]
CURVED = 1e-10  # a pair of changes with less curvature is not remembered


class LBFGS(Optimizer):
    """Limited-memory BFGS with torch's names, defaults and stopping rules.

    A step makes up to `max_iter` iterations, and calls the closure up to `max_eval` times (5/4 of
    `max_iter` unless given).  The direction is -H g, H an estimate of the inverse Hessian from the
    last `history_size` changes of the parameters and gradients.  `line_search_fn` is None (the
    step is `lr` long in units of the direction) or "strong_wolfe".

    >>> x = qd.tensor([-1.5, 2.0], requires_grad=True)
    >>> opt = qd.optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=60)
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(2):
    ...     _ = opt.step(closure)
    >>> bool(np.abs(x.detach() - 1).max() < 1e-3)
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise GradientError(
                f"LBFGS: line_search_fn={line_search_fn!r} is unknown; use 'strong_wolfe' or None"
            )
        for what, count in (("max_iter", max_iter), ("history_size", history_size)):
            at_least("LBFGS", what, count, 1, is_whole=True)
        if max_eval is not None:
            at_least("LBFGS", "max_eval", max_eval, 1, is_whole=True)
        at_least("LBFGS", "tolerance_grad", tolerance_grad, 0)
        at_least("LBFGS", "tolerance_change", tolerance_change, 0)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        self.memory: dict[str, Any] = {"func_evals": 0, "n_iter": 0}

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """The one group there is."""
        if self.param_groups:
            raise GradientError(
                "LBFGS: there can be one group of parameters only, for all move along one "
                "direction; pass them in one list"
            )
        super().add_param_group(group)
        self.params = self.param_groups[0]["params"]
        dtypes = {p.dtype for p in self.params}
        if len(dtypes) > 1 or next(iter(dtypes)).kind != "f":
            listed = ", ".join(sorted(map(str, dtypes)))
            raise DtypeError(
                f"LBFGS: the parameters have dtypes {listed}, and all must have the same real "
                "float dtype; convert them"
            )
        self.edges = list(accumulate((p.size for p in self.params), initial=0))

    def values(self) -> Array:
        """All parameters end to end."""
        found = [p.value for p in self.params]
        refuse_tracers(found)
        return np.concatenate([x.ravel() for x in found])

    def gradient(self) -> Array:
        """All gradients end to end; zeros where there is none."""
        found = [np.zeros_like(p.value) if p.grad is None else p.grad.value for p in self.params]
        refuse_tracers(found)
        return np.concatenate([x.ravel() for x in found]).astype(self.params[0].dtype, copy=False)

    def move_to(self, x: Array) -> None:
        """Give the parameters these values."""
        for p, (a, b) in zip(self.params, pairwise(self.edges)):
            p.value = x[a:b].reshape(p.shape)[()] if not p.shape else x[a:b].reshape(p.shape)
            p.version += 1

    def step(self, closure: Closure | None = None) -> Any:
        """Iterate, calling `closure` for the loss and its gradients; returns its first result."""
        if closure is None:
            raise GradientError(
                "LBFGS: step() needs a closure, for it asks for the loss several times; pass a "
                "function that zeroes the gradients, computes the loss, calls backward and "
                "returns the loss"
            )
        self.check_closure(closure)
        calls = 0
        results: list[Any] = []

        def at(x: Array) -> tuple[float, Array]:
            nonlocal calls
            calls += 1
            self.move_to(x)
            with enable_grad():
                results.append(closure())
            loss = concrete(results[-1])
            if loss is None or np.size(loss) != 1:
                raise GradientError(
                    f"LBFGS: the closure returned {'nothing' if loss is None else 'an array'}; it "
                    "must return the loss, which is one number"
                )
            return float(np.reshape(loss, ())), self.gradient()

        self.iterate(at, self.values(), lambda: calls)
        self.memory["func_evals"] += calls
        return results[0]

    def iterate(
        self, at: Callable[[Array], tuple[float, Array]], x: Array, calls: Callable[[], int]
    ) -> None:
        """The iterations of one step from `x`, where `at` gives loss and gradient of a point."""
        options, memory = self.param_groups[0], self.memory
        tolerance, most = options["tolerance_change"], options["max_eval"]
        loss, g = at(x)
        if np.abs(g).max() <= options["tolerance_grad"]:
            return
        for k in range(1, options["max_iter"] + 1):
            memory["n_iter"] += 1
            d = self.direction(g, options["history_size"])
            memory["previous"], before = g, loss
            first = memory["n_iter"] == 1
            t = float(options["lr"]) * (min(1.0, 1.0 / float(np.abs(g).sum())) if first else 1.0)
            slope = float(g @ d)
            memory["d"], memory["t"] = d, t
            if slope > -tolerance:
                return
            if options["line_search_fn"] == "strong_wolfe":
                found, _ = strong_wolfe(
                    lambda t, x=x, d=d: trial(at, x, t, d),  # type: ignore[misc]
                    Trial(0.0, loss, g, slope),
                    t,
                    float(np.abs(d).max()),
                    1e-9,
                    most - calls(),
                )
                loss, g, t = found.loss, found.gradient, found.t
                memory["t"] = t
                x = x + t * d
                self.move_to(x)
            else:
                x = x + t * d
                if k == options["max_iter"]:
                    self.move_to(x)
                    return
                loss, g = at(x)
            if calls() >= most or np.abs(g).max() <= options["tolerance_grad"]:
                return
            if np.abs(t * d).max() <= tolerance or abs(loss - before) < tolerance:
                return

    def direction(self, g: Array, history: int) -> Array:
        """-H g by the two loops over the remembered changes (s of x, y of g)."""
        memory = self.memory
        if memory["n_iter"] == 1:
            memory["changes"], memory["scale"] = [], 1.0
            return -g
        s, y = memory["t"] * memory["d"], g - memory["previous"]
        curved = float(y @ s)
        changes = memory["changes"]
        if curved > CURVED:
            if len(changes) == history:
                del changes[0]
            changes.append((s, y, 1.0 / curved))
            memory["scale"] = curved / float(y @ y)
        q: Array = -g
        shares = []
        for s, y, inverse in reversed(changes):
            share = float(s @ q) * inverse
            shares.append(share)
            q = q - share * y
        q = memory["scale"] * q
        for (s, y, inverse), share in zip(changes, reversed(shares)):
            q = q + (share - float(y @ q) * inverse) * s
        return q

    def state_dict(self) -> dict[str, Any]:
        """The options and a copy of what the iterations remember."""
        memory = {**self.memory, "changes": list(self.memory.get("changes", []))}
        return {**super().state_dict(), "state": {0: memory}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        super().load_state_dict({**state_dict, "state": {}})
        self.memory = dict(state_dict["state"][0])
        self.memory["changes"] = list(self.memory.get("changes", []))


def trial(at: Callable[[Array], tuple[float, Array]], x: Array, t: float, d: Array) -> Trial:
    """The loss and its slope at x + t d."""
    loss, g = at(x + t * d)
    return Trial(t, loss, g, float(g @ d))
