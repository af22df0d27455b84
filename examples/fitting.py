"""The training loop of the examples, on the tape or compiled."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

import qiudao as qd


def fit(
    model: Any, loss: Callable[..., Any], batches: Sequence[Any], lr: float, jit: bool, title: str
) -> tuple[Any, list[float]]:
    """The model after one step of Adam for each batch, and the losses before the steps.

    `loss(model, *batch)` is a number.  The rate falls from `lr` to zero along half a cosine.  With
    `jit` a step is one compiled function from the model and the optimiser's state to new ones.
    """
    steps = compiled if jit else on_the_tape
    rate = qd.optim.schedules.cosine(lr, len(batches))
    losses = []
    trained = model
    for moved, value in steps(model, loss, watched(batches, title), rate):
        losses.append(value)
        trained = moved
    return trained, losses


def on_the_tape(model, loss, batches, rate):
    opt = qd.optim.Adam(model.parameters(), lr=rate(0))
    scheduler = qd.optim.lr_scheduler.LambdaLR(opt, lambda t: rate(t) / rate(0))
    for batch in batches:
        opt.zero_grad()
        value = loss(model, *batch)
        value.backward()
        opt.step()
        scheduler.step()
        yield model, float(value.detach())


def compiled(model, loss, batches, rate):
    rule = qd.optim.adam(lr=rate)
    model = model.arrays()
    state = rule.init(model)

    @qd.jit
    def step(model, state, *batch):
        value, slopes = qd.value_and_grad(loss)(model, *batch)
        return value, *rule.update(slopes, state, model)

    for batch in batches:
        value, model, state = step(model, state, *batch)
        yield model, float(value)


def predictions(model: Any, x: Any) -> Any:
    """The model's output for `x`, as an array."""
    with qd.no_grad():
        y = model(x)
    return np.asarray(y.detach() if isinstance(y, qd.Tensor) else y)


def watched(batches: Sequence[Any], title: str) -> Any:
    """The batches, with a bar of rich's where rich is installed and someone looks on."""
    if find_spec("rich") is None:
        return batches
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(batches, title, console=console, disable=not console.is_terminal, transient=True)
