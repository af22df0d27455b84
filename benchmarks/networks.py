"""What does a training step of the networks of examples/ cost, in float32?

Forward, loss, backward and a step of Adam: eagerly against torch's, compiled against torch.compile
and jax.jit.
Every library does its own network's step again and again on one batch; times are the least of many.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from alternate import Report, arguments

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import characters
import digits
import moons
import qiudao as qd
import sorting

RATE = 1e-4
Runs = dict[str, Callable[[], Any]]


def in_qiudao(make: Any, loss: Any, batch: Any) -> Runs:
    """The step on the tape, and compiled."""
    model = make()
    opt = qd.optim.Adam(model.parameters(), lr=RATE)

    def step() -> Any:
        opt.zero_grad()
        value = loss(model, *batch)
        value.backward()
        opt.step()
        return value

    rule = qd.optim.adam(lr=RATE)

    @qd.jit
    def native(model: Any, state: Any, *batch: Any) -> Any:
        value, slopes = qd.value_and_grad(loss)(model, *batch)
        return value, *rule.update(slopes, state, model)

    arrays = make().arrays()
    state = rule.init(arrays)
    return {"qiudao": step, "qiudao.jit": lambda: native(arrays, state, *batch)}


def in_torch(name: str, make: Any, batch: Any) -> Runs:
    """Torch's network of that name."""
    import networks_in_torch

    return networks_in_torch.in_torch(name, batch, RATE)


def in_jax(name: str, make: Any, batch: Any) -> Runs:
    """Jax's network of that name, with our weights."""
    import networks_in_jax

    return networks_in_jax.in_jax(name, make().state_dict(), batch, RATE)


def agreeing(name: str, runs: Runs) -> None:
    """Raise where the losses of equal weights differ: then the figures would compare nothing."""
    found = {run: float(runs[run]()[0]) for run in ("qiudao.jit", "jax.jit") if run in runs}
    if len(found) == 2 and not np.allclose(*found.values(), rtol=1e-4):
        raise ValueError(f"{name}: the losses differ, {found}")


def cases(rng: np.random.Generator) -> dict[str, Any]:
    """Name: our network, our loss, a batch."""
    points, labels = moons.moons(moons.POINTS, 0.1, rng)
    images = rng.normal(size=(64, 1, 8, 8)).astype(np.float32)
    text = rng.integers(0, len(characters.LETTERS), (2, characters.BATCH, characters.LENGTH))
    numbers = rng.integers(0, 10, (sorting.BATCH, sorting.LENGTH))
    single = (points.astype(np.float32), labels.astype(np.float32))
    return {
        "moons": (
            lambda: moons.network(np.random.default_rng(0)).astype(np.float32),
            moons.loss,
            single,
        ),
        "digits": (
            lambda: digits.network(np.random.default_rng(0)),
            digits.loss,
            (images, rng.integers(0, 10, 64)),
        ),
        "characters": (
            lambda: characters.Writer(np.random.default_rng(0)),
            characters.loss,
            (text[0], text[1]),
        ),
        "sorting": (
            lambda: sorting.Sorter(np.random.default_rng(0)),
            sorting.loss,
            (numbers,),
        ),
    }


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("networks", __doc__, options, reference="qiudao")
    for name, (make, loss, batch) in cases(np.random.default_rng(0)).items():
        if report.wants(name):
            runs = in_qiudao(make, loss, batch)
            runs |= report.contenders({"torch": in_torch, "jax": in_jax}, name, make, batch)
            agreeing(name, runs)
            report.time(name, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
