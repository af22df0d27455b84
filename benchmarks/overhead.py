"""What does recording and sweeping an operation cost, when the arithmetic is next to nothing?

Chains of 1,000 operations on 0-d, 10-element and 1,000-element float64 arrays, forward as recorded
for a gradient (for jax: `jax.vjp`; for jax.jit: the compiled forward, which records nothing) and
forward with backward; then one step (forward, loss, backward) of two multilayer perceptrons.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from alternate import Report, arguments
from chains import CHAINS, SHAPES, Chain, Shape, describe
from peers import PEERS, Array, Peer, Program, check_agreement, load

LENGTH = 1_000


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("overhead", __doc__, options)
    peers = load(PEERS, report)
    for chain in CHAINS:
        for shape in SHAPES:
            time_chain(report, peers, chain, shape)
    small = 2, 16, 16, 1
    large = 784, 128, 64, 10
    time_network(report, peers, small, 100, np.dtype(np.float64))
    time_network(report, peers, large, 64, np.dtype(np.float32))
    time_network(report, peers, large, 64, np.dtype(np.float64))
    report.finish()


def time_chain(report: Report, peers: Sequence[Peer], chain: Chain, shape: Shape) -> None:
    """Time one chain on one shape, forward and with backward."""
    leaves = chain.start(shape)
    fit = [peer for peer in peers if not shape or peer.name != "scalars"]
    programs = {peer: chain.build(peer, shape, LENGTH) for peer in fit}
    for mode in ("forward", "gradient"):
        case = f"{chain.name}; {describe(shape)}; {mode}"
        if not report.wants(case):
            continue
        runs = {
            peer.name: getattr(peer, mode)(program, leaves) for peer, program in programs.items()
        }
        if mode == "gradient":
            check_agreement(case, {name: run() for name, run in runs.items()}, 1e-9)
        report.time(case, runs, "us", per=LENGTH)


def time_network(
    report: Report, peers: Sequence[Peer], widths: tuple[int, ...], batch: int, dtype: np.dtype
) -> None:
    """Time one training step's forward, loss and backward."""
    case = f"MLP {'-'.join(map(str, widths))}, batch {batch}, {dtype}; gradient"
    if not report.wants(case):
        return
    rng = np.random.default_rng(0)
    data = rng.normal(size=(batch, widths[0])).astype(dtype)
    if widths[-1] == 1:
        labels = np.sign(data[:, :1] * data[:, 1:2])
    else:
        labels = np.eye(widths[-1], dtype=dtype)[rng.integers(widths[-1], size=batch)]
    parameters: list[Array] = []
    for rows, columns in pairwise(widths):
        parameters.append((rng.normal(size=(rows, columns)) / np.sqrt(rows)).astype(dtype))
        parameters.append(np.zeros(columns, dtype))
    runs = {
        peer.name: peer.gradient(network(peer, data, labels), parameters)
        for peer in peers
        if peer.name != "scalars"
    }
    check_agreement(
        case, {name: run() for name, run in runs.items()}, 1e-9 if dtype.itemsize == 8 else 1e-3
    )
    report.time(case, runs, "us")


def network(peer: Peer, data: Array, labels: Array) -> Program:
    """Loss of a perceptron, tanh then relu: squares for one output, cross-entropy for several."""
    xp, x, y = peer.xp, peer.constant(data), peer.constant(labels)
    batch, outputs = labels.shape

    def relu(z):
        return xp.relu(z) if hasattr(xp, "relu") else xp.maximum(z, 0.0)

    def loss(w1, b1, w2, b2, w3, b3):
        z = relu(xp.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3
        if outputs == 1:
            return xp.mean((z - y) ** 2)
        logarithms = z - xp.log(xp.sum(xp.exp(z), axis=1, keepdims=True))
        return -xp.sum(y * logarithms) / batch

    return loss


if __name__ == "__main__":
    main()
