"""What does a training step of the networks of examples/ cost, in float32?

Forward, loss, backward and a step of Adam: eagerly against torch's, compiled against torch.compile.
Every library does its own network's step again and again on one batch; times are the least of many.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from alternate import Report, arguments

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import torch
from torch import nn

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


def in_torch(model: Any, loss: Any, batch: Any) -> Runs:
    """The step eagerly, and with forward, loss and backward compiled."""
    given = [torch.from_numpy(np.ascontiguousarray(x)) for x in batch]
    runs: Runs = {}
    for name, f in (("torch", loss), ("torch.compile", torch.compile(loss))):
        opt = torch.optim.Adam(model.parameters(), lr=RATE)

        def step(f: Any = f, opt: Any = opt) -> Any:
            opt.zero_grad()
            value = f(model, *given)
            value.backward()
            opt.step()
            return value

        runs[name] = step
    return runs


def moons_in_torch() -> Any:
    return nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )


def moons_loss(model: Any, points: Any, labels: Any) -> Any:
    margins = torch.relu(1.0 - labels * model(points)[:, 0])
    return margins.mean() + moons.DECAY * sum((p**2).sum() for p in model.parameters())


def digits_in_torch() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def digits_loss(model: Any, x: Any, y: Any) -> Any:
    return nn.functional.cross_entropy(model(x), y, label_smoothing=digits.SMOOTHING)


class WriterInTorch(nn.Module):
    """The LSTM of examples/characters.py."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(len(characters.LETTERS), 16)
        self.memory = nn.LSTM(16, characters.HIDDEN, batch_first=True)
        self.out = nn.Linear(characters.HIDDEN, len(characters.LETTERS))

    def forward(self, x: Any) -> Any:
        return self.out(self.memory(self.letters(x))[0])


class SorterInTorch(nn.Module):
    """The transformer of examples/sorting.py."""

    def __init__(self) -> None:
        super().__init__()
        width = sorting.WIDTH
        self.digits = nn.Embedding(sorting.DIGITS, width)
        self.places = nn.Parameter(torch.randn(sorting.LENGTH, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, sorting.HEADS, 2 * width, 0.0, batch_first=True, norm_first=True
            )
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, sorting.DIGITS)

    def forward(self, x: Any) -> Any:
        y = self.digits(x) + self.places
        for block in self.blocks:
            y = block(y)
        return self.out(self.norm(y))


def letters_loss(model: Any, x: Any, following: Any) -> Any:
    return nn.functional.cross_entropy(model(x).transpose(1, 2), following)


def sorting_loss(model: Any, x: Any) -> Any:
    return nn.functional.cross_entropy(model(x).transpose(1, 2), torch.sort(x, dim=1).values)


def cases(rng: np.random.Generator) -> dict[str, Any]:
    """Name: our network, our loss, torch's network, torch's loss, a batch."""
    points, labels = moons.moons(moons.POINTS, 0.1, rng)
    images = rng.normal(size=(64, 1, 8, 8)).astype(np.float32)
    text = rng.integers(0, len(characters.LETTERS), (2, characters.BATCH, characters.LENGTH))
    numbers = rng.integers(0, 10, (sorting.BATCH, sorting.LENGTH))
    single = (points.astype(np.float32), labels.astype(np.float32))
    return {
        "moons": (
            lambda: moons.network(np.random.default_rng(0)).astype(np.float32),
            moons.loss,
            moons_in_torch(),
            moons_loss,
            single,
        ),
        "digits": (
            lambda: digits.network(np.random.default_rng(0)),
            digits.loss,
            digits_in_torch(),
            digits_loss,
            (images, rng.integers(0, 10, 64)),
        ),
        "characters": (
            lambda: characters.Writer(np.random.default_rng(0)),
            characters.loss,
            WriterInTorch(),
            letters_loss,
            (text[0], text[1]),
        ),
        "sorting": (
            lambda: sorting.Sorter(np.random.default_rng(0)),
            sorting.loss,
            SorterInTorch(),
            sorting_loss,
            (numbers,),
        ),
    }


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("networks", __doc__, options, reference="qiudao")
    torch.set_num_threads(1)
    for name, (make, loss, peer, peer_loss, batch) in cases(np.random.default_rng(0)).items():
        if report.wants(name):
            runs = in_qiudao(make, loss, batch) | in_torch(peer, peer_loss, batch)
            for run in runs.values():
                run()
            report.time(name, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
