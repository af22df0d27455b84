"""The networks of examples/ in torch, and their training steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import characters
import digits
import moons
import sorting

Runs = dict[str, Callable[[], Any]]


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


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[..., Any]]] = {
    "moons": (moons_in_torch, moons_loss),
    "digits": (digits_in_torch, digits_loss),
    "characters": (WriterInTorch, letters_loss),
    "sorting": (SorterInTorch, sorting_loss),
}


def in_torch(name: str, batch: Any, rate: float) -> Runs:
    """The step eagerly, and with forward, loss and backward compiled."""
    torch.set_num_threads(1)
    make, loss = NETWORKS[name]
    model = make()
    given = [torch.from_numpy(np.ascontiguousarray(x)) for x in batch]
    runs: Runs = {}
    for label, f in (("torch", loss), ("torch.compile", torch.compile(loss))):
        opt = torch.optim.Adam(model.parameters(), lr=rate)

        def step(f: Any = f, opt: Any = opt) -> Any:
            opt.zero_grad()
            value = f(model, *given)
            value.backward()
            opt.step()
            return value

        runs[label] = step
    return runs
