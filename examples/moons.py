"""Two half-moons told apart by a network of 2-16-16-1, as in micrograd's demo.

python examples/moons.py [--jit] [--picture moons.png]
"""

import argparse
from typing import Any

import numpy as np

import qiudao as qd
from fitting import fit, predictions

POINTS, STEPS, DECAY = 100, 200, 1e-4


def moons(count: int, noise: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Points on two half-circles that reach into each other, and +1 or -1 for each."""
    half = count // 2
    angle = np.linspace(0.0, np.pi, half)
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    lower = np.stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    points = np.concatenate([upper, lower]) + noise * rng.normal(size=(2 * half, 2))
    return points, np.repeat([-1.0, 1.0], half)


def network(rng: np.random.Generator) -> Any:
    """Points (n, 2) to scores (n, 1): positive for the lower moon."""
    return qd.nn.Sequential(
        qd.nn.Linear(2, 16, rng=rng),
        qd.nn.relu,
        qd.nn.Linear(16, 16, rng=rng),
        qd.nn.relu,
        qd.nn.Linear(16, 1, rng=rng),
    )


def loss(model: Any, points: Any, labels: Any) -> Any:
    """The mean margin loss max(0, 1 - label score), and a little of the squared weights."""
    margins = qd.nn.relu(1.0 - labels * model(points)[:, 0])
    weights = sum((p**2).sum() for p in model.parameters())
    return margins.mean() + DECAY * weights


def main(jit: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train; the accuracy, the losses, the model and the data."""
    rng = np.random.default_rng(seed)
    points, labels = moons(POINTS, 0.1, rng)
    batches = [(points, labels)] * STEPS
    model, losses = fit(network(rng), loss, batches, 0.05, jit, "moons")
    right = np.sign(predictions(model, points)[:, 0]) == labels
    return {
        "accuracy": right.mean(),
        "losses": losses,
        "model": model,
        "points": points,
        "labels": labels,
    }


def picture(result: dict[str, Any], path: str) -> None:
    """The plane coloured by the network's decision, with the points on it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    points, labels = result["points"], result["labels"]
    (left, bottom), (right, top) = points.min(0) - 0.75, points.max(0) + 0.75
    across, up = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    scores = predictions(result["model"], np.stack([across.ravel(), up.ravel()], 1))
    fig, ax = plt.subplots(figsize=(6, 5), layout="constrained")
    sides = scores.reshape(across.shape) > 0
    ax.contourf(across, up, sides, levels=1, colors=["#9ecae1", "#fdd0a2"])
    ax.scatter(*points.T, c=labels, cmap="coolwarm", edgecolors="black", s=36)
    ax.set(xlabel="x", ylabel="y", title=f"accuracy {result['accuracy']:.0%}")
    ax.set_aspect("equal")
    fig.savefig(path, dpi=120)
    plt.close(fig)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", help="write the decision boundary to this file")
    args = parser.parse_args()
    result = main(args.jit, args.seed)
    print(f"accuracy {result['accuracy']:.1%}, last loss {result['losses'][-1]:.4f}")
    if args.picture:
        picture(result, args.picture)
