"""A transformer of two layers learns to sort digits.

It sees eight digits and names, for each place of the result, the digit that belongs there.

    python examples/sorting.py [--jit]
"""

import argparse
from typing import Any

import numpy as np

import qiudao as qd
from fitting import fit, predictions

LENGTH, DIGITS, WIDTH, HEADS = 8, 10, 32, 4
STEPS, BATCH, RATE = 300, 64, 6e-3


class Block(qd.nn.Module):
    """Attention, then a network for each place, each added to what came in."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.before = qd.nn.LayerNorm(WIDTH, dtype=np.float32)
        self.attention = qd.nn.MultiheadAttention(WIDTH, HEADS, rng=rng, dtype=np.float32)
        self.between = qd.nn.LayerNorm(WIDTH, dtype=np.float32)
        self.wide = qd.nn.Linear(WIDTH, 2 * WIDTH, rng=rng, dtype=np.float32)
        self.narrow = qd.nn.Linear(2 * WIDTH, WIDTH, rng=rng, dtype=np.float32)

    def __call__(self, x: Any) -> Any:
        x = x + self.attention(self.before(x))
        return x + self.narrow(qd.nn.relu(self.wide(self.between(x))))


class Sorter(qd.nn.Module):
    """Digits (n, length) to scores (n, length, 10)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.digits = qd.nn.Embedding(DIGITS, WIDTH, rng=rng, dtype=np.float32)
        self.places = qd.nn.parameter(rng.normal(size=(LENGTH, WIDTH)), np.float32)
        self.blocks = [Block(rng), Block(rng)]
        self.norm = qd.nn.LayerNorm(WIDTH, dtype=np.float32)
        self.out = qd.nn.Linear(WIDTH, DIGITS, rng=rng, dtype=np.float32)

    def __call__(self, x: Any) -> Any:
        y = self.digits(x) + self.places
        for block in self.blocks:
            y = block(y)
        return self.out(self.norm(y))


def loss(model: Any, x: Any) -> Any:
    """The mean cross-entropy over all places."""
    return qd.nn.cross_entropy(model(x), np.sort(x, axis=1))


def main(jit: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train on fresh sequences; the share of digits in place in others, the losses, the model."""
    rng = np.random.default_rng(seed)
    batches = [(rng.integers(0, DIGITS, (BATCH, LENGTH)),) for _ in range(STEPS)]
    model, losses = fit(Sorter(rng), loss, batches, RATE, jit, "sorting")
    x = rng.integers(0, DIGITS, (500, LENGTH))
    right = predictions(model, x).argmax(-1) == np.sort(x, axis=1)
    return {"accuracy": right.mean(), "losses": losses, "model": model}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result = main(args.jit, args.seed)
    print(f"digits in their place {result['accuracy']:.1%}")
    x = np.array([[3, 1, 4, 1, 5, 9, 2, 6]])
    print(*x[0], "->", *predictions(result["model"], x)[0].argmax(-1))
