"""Training: Adam, the loop over the digits, and a check that the gradient it follows is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

import qiudao as qd
from qiudao.tour.digits import Digits
from qiudao.tour.network import Value, cross_entropy, probabilities, scores

__all__ = ["Adam", "EPOCHS", "Epoch", "ReadDigit", "SlopeCheck", "check_slope", "read", "train"]

FloatArray: TypeAlias = NDArray[np.float64]

EPOCHS = 40
BATCH = 32
RATE = 3e-3
NOISE = 0.2  # of full ink, fresh in every epoch: no pixel can be learnt by heart


class Adam:
    """Steps against the mean gradient, in units of its usual size (Kingma and Ba, 2015)."""

    def __init__(self, weights: Sequence[qd.Tensor]) -> None:
        self.weights = weights
        self.steps = 0
        self.means = [np.zeros(w.shape) for w in weights]
        self.squares = [np.zeros(w.shape) for w in weights]

    def step(self, rate: float, keep_mean: float = 0.9, keep_square: float = 0.999) -> None:
        """Move every weight once, and forget its gradient."""
        self.steps += 1
        mean_share = 1 - keep_mean**self.steps  # both averages start at 0, and are small at first
        square_share = 1 - keep_square**self.steps
        with qd.no_grad():
            for weight, mean, square in zip(self.weights, self.means, self.squares):
                if weight.grad is None:
                    continue
                gradient = weight.grad.numpy()
                mean += (1 - keep_mean) * (gradient - mean)
                square += (1 - keep_square) * (gradient**2 - square)
                weight -= rate * (mean / mean_share) / (np.sqrt(square / square_share) + 1e-8)
                weight.zero_grad()


@dataclass(frozen=True)
class Epoch:
    """Once through all training digits: the loss of each batch, then the share read rightly."""

    number: int
    losses: list[float]
    train_accuracy: float
    test_accuracy: float


def train(
    weights: Sequence[qd.Tensor],
    training: Digits,
    test: Digits,
    rng: np.random.Generator,
    epochs: int = EPOCHS,
) -> Iterator[Epoch]:
    """Train in place, an epoch at a time. The test digits are read, never learnt from."""
    optimiser = Adam(weights)
    batches = len(training) // BATCH
    for number in range(1, epochs + 1):
        order = rng.permutation(len(training))
        losses = []
        for places in np.array_split(order, batches):
            batch = training.take(places)
            noisy = batch.images + NOISE * rng.normal(size=batch.images.shape)
            loss = cross_entropy(scores(noisy, weights), batch.labels)
            loss.backward()
            optimiser.step(RATE * (1 - optimiser.steps / (epochs * batches)))  # ever smaller steps
            losses.append(loss.item())
        bare = [w.detach().numpy() for w in weights]
        yield Epoch(number, losses, accuracy(training, bare), accuracy(test, bare))


def accuracy(digits: Digits, weights: Sequence[FloatArray]) -> float:
    """The share of digits that the network reads rightly."""
    read = probabilities(digits.images, weights).argmax(axis=1)
    return float(np.mean(read == digits.labels))


@dataclass(frozen=True)
class ReadDigit:
    """A digit, and what the network took it for."""

    image: FloatArray
    label: int
    reading: int
    chance: float  # how sure the network is, from 0 to 1

    @property
    def right(self) -> bool:
        """Whether the network read what was meant."""
        return self.reading == self.label


def read(digits: Digits, weights: Sequence[FloatArray]) -> list[ReadDigit]:
    """Let the network read every digit."""
    return [
        ReadDigit(image, int(label), int(row.argmax()), float(row.max()))
        for image, label, row in zip(
            digits.images, digits.labels, probabilities(digits.images, weights)
        )
    ]


@dataclass(frozen=True)
class SlopeCheck:
    """The slope of the loss along one direction through all weights at once, three ways."""

    reverse: float  # the reverse sweep's gradient, times the direction
    forward: float  # one forward sweep along the direction
    limit: float  # a two-sided limit along the direction
    weights: int  # how many weights the direction moves


def check_slope(
    weights: Sequence[FloatArray], digits: Digits, rng: np.random.Generator
) -> SlopeCheck:
    """A random direction moves every weight, so one wrong entry of the gradient would show."""
    direction = [rng.normal(size=w.shape) for w in weights]

    def loss(*weights: Value) -> Value:
        return cross_entropy(scores(digits.images, weights), digits.labels)

    def loss_after(step: float) -> float:
        return float(loss(*(qd.tensor(w + step * d) for w, d in zip(weights, direction))))

    gradient = qd.grad(loss, argnums=tuple(range(len(weights))))(*weights)
    _, slope = qd.jvp(loss, tuple(weights), tuple(direction))
    step = 1e-6
    return SlopeCheck(
        reverse=sum(float(np.sum(np.asarray(g) * d)) for g, d in zip(gradient, direction)),
        forward=float(slope),
        limit=(loss_after(step) - loss_after(-step)) / (2 * step),
        weights=sum(w.size for w in weights),
    )
