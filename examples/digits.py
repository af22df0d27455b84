"""Handwritten digits of 8 x 8 pixels read by a small convolutional network.

python examples/digits.py [--jit] [--choose]
"""

import argparse
from typing import Any

import numpy as np

import qiudao as qd
from fitting import fit, predictions
from qiudao.tour.digits import CLASSES, SIDE, Digits, load_digits, split

BATCH, SMOOTHING = 64, 0.1
EPOCHS, RATE = 30, 6e-3  # the best of `choose`


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


def batches(images: Any, labels: Any, epochs: int, rng: np.random.Generator) -> list[Any]:
    """Shuffled batches of one size, epoch by epoch; what does not fill a batch waits a round."""
    found = []
    for _ in range(epochs):
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


def pictures(digits: Digits) -> Any:
    """The images as the network takes them."""
    return digits.images.reshape(-1, 1, SIDE, SIDE).astype(np.float32)


def trained(
    train: Digits, unseen: Digits, epochs: int, rate: float, jit: bool, rng: np.random.Generator
) -> dict[str, Any]:
    """Train on one part; the accuracy on another, the losses and the model."""
    made = batches(pictures(train), train.labels, epochs, rng)
    model, losses = fit(network(rng), loss, made, rate, jit, "digits")
    right = predictions(model, pictures(unseen)).argmax(1) == unseen.labels
    return {"accuracy": right.mean(), "losses": losses, "model": model}


def main(jit: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train on four fifths; the accuracy on the rest, the losses and the model."""
    rng = np.random.default_rng(seed)
    train, test = split(load_digits(), 0.2, rng)
    return trained(train, test, EPOCHS, RATE, jit, rng)


def choose(jit: bool = False, seed: int = 0) -> dict[tuple[int, float], float]:
    """What EPOCHS and RATE were chosen by: the accuracy of each pair on a validation part.

    That part is a quarter of the four fifths; the test part is not looked at.
    """
    found = {}
    for epochs in (10, 20, 30):
        for rate in (1e-3, 3e-3, 6e-3):
            rng = np.random.default_rng(seed)
            rest, _ = split(load_digits(), 0.2, rng)
            train, validation = split(rest, 0.25, rng)
            result = trained(train, validation, epochs, rate, jit, rng)
            found[epochs, rate] = float(result["accuracy"])
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--choose", action="store_true", help="try epochs and rates instead")
    args = parser.parse_args()
    if args.choose:
        for (epochs, rate), accuracy in choose(args.jit, args.seed).items():
            print(f"{epochs} epochs at {rate:g}: accuracy on the validation part {accuracy:.1%}")
    else:
        result = main(args.jit, args.seed)
        print(f"accuracy on unseen digits {result['accuracy']:.1%}")
