"""Solutions of differential equations as functions of time, step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..operands import depends, plain
from ..optimize.implicit import differentiable
from .steppers import Method, Slope, Step


class Path:
    """The steps that SciPy has made, made anew in differentiable operations from `start` on.

    `sol` is SciPy's solution.  The ends of the steps divide the span as SciPy's do, and move with
    its ends.  Called at a time, or a row of times, it gives the state there, of shape (n,) or (n,
    times), as SciPy's dense output does.
    """

    def __init__(self, sol: Any, method: Method, slope: Slope, start: Any, t_span: Any) -> None:
        a, b = (float(plain(t)) for t in t_span)
        width = t_span[1] - t_span[0]
        parts = sol.interpolants
        self.bare = np.array([parts[0].t_old, *(part.t for part in parts)]) if parts else sol.ts[:1]
        shares = (self.bare - a) / (b - a) if b != a else 0.0 * self.bare
        self.times = t_span[0] + width * shares
        self.direction = 1.0 if b >= a else -1.0
        self.steps: list[Step] = []
        self.ys = [start]
        for k in range(len(parts)):
            h = width * (shares[k + 1] - shares[k])
            self.steps.append(method(slope, self.times[k], self.ys[-1], h, sol))
            self.ys.append(self.steps[-1].y)
        self.end: Any = None  # the time at which an event has stopped it
        self.t_min, self.t_max = sol.t_min, sol.t_max
        self.ts = sol.ts

    def number(self, t: Any) -> int:
        """Which step a time lies in."""
        k = np.searchsorted(self.direction * self.bare, self.direction * float(plain(t))) - 1
        return int(np.clip(k, 0, len(self.steps) - 1))

    def within(self, k: int, t: Any) -> Any:
        """The state at a time, by the interpolant of step `k`."""
        return self.steps[k].within((t - self.times[k]) / (self.times[k + 1] - self.times[k]))

    def __call__(self, t: Any) -> Any:
        """The state at a time, or at each of several."""
        if np.ndim(t) == 0:
            return self.within(self.number(t), t)
        return np.stack([self(t[k]) for k in range(np.shape(t)[0])], axis=1)

    def stop(self, t: Any, y: Any) -> None:
        """End the path at a time within its last step."""
        self.end, self.ys[-1] = t, y

    def ends(self) -> tuple[Any, Any]:
        """The times at which the steps end, and the states there."""
        times = plain(self.times)
        if self.end is not None:
            times = np.append(times[:-1], plain(self.end))
            if depends(self.end):
                times = np.concatenate([times[:-1], np.reshape(self.end, (1,))])
        return times, np.stack(self.ys, axis=1)

    def chosen(self, wanted: Any) -> tuple[Any, Any]:
        """Those of the times asked for that the path comes to, and the states there."""
        last = self.bare[-1] if self.end is None else float(plain(self.end))
        reached = wanted[self.direction * wanted <= self.direction * last]
        if not reached.size:
            return reached, np.zeros((np.shape(self.ys[0])[0], 0))
        return reached, self(reached)


def crossing(path: Path, value: Callable[..., Any], t: float) -> tuple[Any, Any]:
    """The time of an event near `t`, and the state at it, with their derivatives."""
    k = path.number(t)
    moved = differentiable("solve_ivp", lambda s: value(s, path.within(k, s)), t)
    return moved, path.within(k, moved)
