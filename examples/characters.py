"""An LSTM learns a short story letter by letter, and goes on with a line of it.

python examples/characters.py [--jit]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import qiudao as qd
from fitting import fit, predictions

TEXT = (Path(__file__).parent / "characters.txt").read_text(encoding="utf-8")
LETTERS = sorted(set(TEXT))
LENGTH, HIDDEN = 32, 64
STEPS, BATCH, RATE = 250, 32, 2e-2


class Writer(qd.nn.Module):
    """Letters (n, time) as numbers to scores of the next letter (n, time, letters)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.letters = qd.nn.Embedding(len(LETTERS), 16, rng=rng, dtype=np.float32)
        self.memory = qd.nn.LSTM(16, HIDDEN, rng=rng, dtype=np.float32)
        self.out = qd.nn.Linear(HIDDEN, len(LETTERS), rng=rng, dtype=np.float32)

    def __call__(self, x: Any) -> Any:
        states, _ = self.memory(self.letters(x))
        return self.out(states)


def loss(model: Any, x: Any, following: Any) -> Any:
    """The mean cross-entropy of the next letter."""
    return qd.nn.cross_entropy(model(x), following)


def numbers(text: str) -> Any:
    """Each letter's place in the alphabet of the text."""
    return np.array([LETTERS.index(letter) for letter in text])


def continued(model: Any, text: str, count: int) -> str:
    """The text with the likeliest letters after it."""
    for _ in range(count):
        scores = predictions(model, numbers(text)[None])
        text += LETTERS[scores[0, -1].argmax()]
    return text


def main(jit: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train; the losses, the model, and a line that it wrote."""
    rng = np.random.default_rng(seed)
    story = numbers(TEXT)
    batches = []
    for _ in range(STEPS):
        starts = rng.integers(0, len(story) - LENGTH, BATCH)[:, None]
        places = starts + np.arange(LENGTH)
        batches.append((story[places], story[places + 1]))
    model, losses = fit(Writer(rng), loss, batches, RATE, jit, "characters")
    return {"losses": losses, "model": model, "line": continued(model, "one from the n", 40)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result = main(args.jit, args.seed)
    print(f"loss {result['losses'][0]:.2f} -> {result['losses'][-1]:.2f}")
    print(result["line"])
