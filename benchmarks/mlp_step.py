"""What does a training step of a small network cost, in float32?

784-128-64-10 with relu, cross-entropy, gradient descent; batches of 64 and 512. A step takes the
weights and returns the new ones and the loss. torch updates its own weights, as its users do.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from alternate import Report, arguments
from objectives.asking import load_jax, load_torch, logsumexp
from peers import Array, check_agreement

WIDTHS = (784, 128, 64, 10)
BATCHES = (64, 512)
RATE = np.float32(1e-3)
Runs = dict[str, Callable[[], Any]]


def network(rng: np.random.Generator) -> list[Array]:
    """Weights and biases in turn."""
    made = []
    for before, after in pairwise(WIDTHS):
        made += [rng.normal(size=(before, after)) / np.sqrt(before), np.zeros(after)]
    return [x.astype(np.float32) for x in made]


def loss(weights, x, labels, xp=np):
    """The mean cross-entropy; `labels` are one-hot rows."""
    last = len(weights) - 2
    for i in range(0, last + 1, 2):
        x = x @ weights[i] + weights[i + 1]
        if i < last:
            x = xp.maximum(x, xp.zeros_like(x)) if xp is np else relu(x, xp)
    return (logsumexp(x, 1, xp) - (x * labels).sum(1)).mean()


def relu(x, xp):
    """A peer's own."""
    if hasattr(xp, "relu"):
        return xp.relu(x)
    import jax

    return jax.nn.relu(x)


def in_qiudao(weights: list[Array], x: Array, labels: Array) -> Runs:
    import qiudao as qd

    both = qd.value_and_grad(loss)

    def step(weights, x, labels):
        value, slopes = both(weights, x, labels)
        return value, [w - RATE * slope for w, slope in zip(weights, slopes)]

    runs: Runs = {"qiudao": lambda: step(weights, x, labels)}
    if hasattr(qd, "jit"):
        native = qd.jit(step)
        runs["qiudao.jit"] = lambda: native(weights, x, labels)
    return runs


def in_jax(weights: list[Array], x: Array, labels: Array) -> Runs:
    jax = load_jax()
    both = jax.value_and_grad(lambda *args: loss(*args, jax.numpy))

    def step(weights, x, labels):
        value, slopes = both(weights, x, labels)
        return value, [w - RATE * slope for w, slope in zip(weights, slopes)]

    native = jax.jit(step)
    args = jax.tree.map(jax.numpy.asarray, (weights, x, labels))
    return {"jax.jit": lambda: jax.block_until_ready(native(*args))}


def in_torch(weights: list[Array], x: Array, labels: Array) -> Runs:
    """The weights move with every call; so slowly that the work stays the same."""
    torch = load_torch()
    leaves = [torch.from_numpy(w.copy()).requires_grad_() for w in weights]
    optimiser = torch.optim.SGD(leaves, lr=float(RATE), foreach=True)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(labels.argmax(1))

    def step():
        optimiser.zero_grad()
        y = inputs
        for i in range(0, len(leaves), 2):
            y = torch.addmm(leaves[i + 1], y, leaves[i])
            y = torch.relu(y) if i + 2 < len(leaves) else y
        value = torch.nn.functional.cross_entropy(y, targets)
        value.backward()
        optimiser.step()
        return value.detach(), [leaf.detach() for leaf in leaves]

    return {"torch": step}


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("mlp_step", __doc__, options, reference="qiudao.jit")
    makers = {"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}
    for batch in BATCHES:
        case = f"batch of {batch}"
        if not report.wants(case):
            continue
        rng = np.random.default_rng(batch)
        x = rng.normal(size=(batch, WIDTHS[0])).astype(np.float32)
        labels = np.eye(WIDTHS[-1], dtype=np.float32)[rng.integers(0, WIDTHS[-1], batch)]
        runs = report.contenders(makers, network(rng), x, labels)
        answers = {name: run() for name, run in runs.items()}
        flat = {name: [value, *weights] for name, (value, weights) in answers.items()}
        check_agreement(case, flat, 1e-5)
        report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
