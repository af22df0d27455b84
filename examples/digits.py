"""Handwritten digits of 8 x 8 pixels read by a small convolutional network.

python examples/digits.py [--jit]
"""

import argparse
from typing import Any

import numpy as np

import qiudao as qd
from fitting import fit, predictions
from qiudao.tour.digits import CLASSES, SIDE, load_digits, split

EPOCHS, BATCH, RATE, SMOOTHING = 30, 64, 3e-3, 0.1


def network(rng: np.random.Generator) -> Any:
    """Images (n, 1, 8, 8) to scores (n, 10)."""
    return qd.nn.Sequential(
        qd.nn.Conv2d(1, 16, 3, padding=1, rng=rng, dtype=np.float32),
        qd.nn.relu,
        qd.nn.Conv2d(16, 32, 3, padding=1, rng=rng, dtype=np.float32),
        qd.nn.relu,
        qd.nn.MaxPool(2),
        flat,
        qd.nn.Linear(512, 64, rng=rng, dtype=np.float32),
        qd.nn.relu,
        qd.nn.Linear(64, CLASSES, rng=rng, dtype=np.float32),
    )


def flat(x: Any) -> Any:
    """Each image's numbers in a row."""
    return x.reshape(x.shape[0], -1)


def loss(model: Any, images: Any, labels: Any) -> Any:
    """The mean cross-entropy of a batch, with a tenth of each label spread over all digits."""
    return qd.nn.cross_entropy(model(images), labels, label_smoothing=SMOOTHING)


def batches(images: Any, labels: Any, rng: np.random.Generator) -> list[Any]:
    """Shuffled batches of one size, epoch by epoch; what does not fill a batch waits a round."""
    found = []
    for _ in range(EPOCHS):
        order = rng.permutation(len(labels))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            some = order[start : start + BATCH]
            found.append((moved(images[some], rng), labels[some]))
    return found


def moved(images: Any, rng: np.random.Generator) -> Any:
    """Each image moved by up to a pixel each way: a digit stays what it is."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows, columns = rng.integers(0, 3, (2, len(images), 1, 1)) + np.arange(SIDE)
    return padded[np.arange(len(images))[:, None, None], 0, rows.swapaxes(1, 2), columns][:, None]


def main(jit: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train on four fifths; the accuracy on the rest, the losses and the model."""
    rng = np.random.default_rng(seed)
    train, test = split(load_digits(), 0.2, rng)
    images, unseen = (d.images.reshape(-1, 1, SIDE, SIDE).astype(np.float32) for d in (train, test))
    made = batches(images, train.labels, rng)
    model, losses = fit(network(rng), loss, made, RATE, jit, "digits")
    right = predictions(model, unseen).argmax(1) == test.labels
    return {"accuracy": right.mean(), "losses": losses, "model": model}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result = main(args.jit, args.seed)
    print(f"accuracy on unseen digits {result['accuracy']:.1%}")
