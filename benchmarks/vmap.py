"""What does batching a function written for one sample cost, against a loop and against by hand?

(1) A function and (2) its gradient over 100 and 1,000 samples: `vmap` of each library, a Python
loop, `np.vectorize`, and the same thing batched by hand in NumPy. (3) All n rows of the Jacobian of
W @ x, n = 100, as one batched vector-Jacobian product (`is_grads_batched`), and as a loop of n.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from alternate import Report, arguments
from peers import Array, Peer, check_agreement, load

BATCHES = (100, 1_000)
FEATURES, HIDDEN = 8, 16
ROWS = 100
Runs = dict[str, Callable[[], Any]]


def sample(x, w, xp=np):
    """One sample's energy: a small layer, its soft activations squared and summed."""
    return xp.sum(xp.tanh(w @ x) ** 2)


def batched_by_hand(samples: Array, w: Array) -> Array:
    return np.sum(np.tanh(samples @ w.T) ** 2, axis=-1)


def gradients_by_hand(samples: Array, w: Array) -> Array:
    active = np.tanh(samples @ w.T)
    return (2 * active * (1 - active**2)) @ w


def values(peer: Peer, samples: Array, w: Array) -> Runs:
    """The ways in which one library maps `sample` over the samples."""
    if peer.name == "qiudao":
        import qiudao as qd

        mapped = qd.vmap(lambda x: sample(x, w))
        return {"qiudao": lambda: mapped(samples)}
    transform, finish, xp, batch, weight = _transforms(peer, samples, w)
    mapped = transform.vmap(lambda x: sample(x, weight, xp))
    return {peer.name: lambda: finish(mapped(batch))}


def gradients(peer: Peer, samples: Array, w: Array) -> Runs:
    """The same for the gradient of `sample` with respect to each sample."""
    if peer.name == "qiudao":
        import qiudao as qd

        gradient = qd.grad(lambda x: sample(x, w))
        mapped = qd.vmap(gradient)
        return {
            "qiudao": lambda: mapped(samples),
            "qiudao, loop": lambda: np.stack([gradient(x) for x in samples]),
        }
    transform, finish, xp, batch, weight = _transforms(peer, samples, w)
    mapped = transform.vmap(transform.grad(lambda x: sample(x, weight, xp)))
    return {peer.name: lambda: finish(mapped(batch))}


def _transforms(peer: Peer, samples: Array, w: Array) -> tuple[Any, Callable, Any, Any, Any]:
    """Where a peer keeps `vmap` and `grad`, how it waits for a result, its namespace and arrays."""
    constant = peer.constant
    if peer.name == "torch":
        import torch

        return torch.func, lambda y: y, torch, constant(samples), constant(w)
    import jax

    return jax, jax.block_until_ready, peer.xp, constant(samples), constant(w)


def jacobian_rows(peer: Peer, w: Array, x: Array) -> Runs:
    """One batched product and a loop of products, for a library that has `is_grads_batched`."""
    if peer.name == "qiudao":
        import qiudao as qd

        leaf, grad = qd.tensor(x, requires_grad=True), qd.grad
    else:
        import torch

        leaf, grad = torch.from_numpy(x).requires_grad_(), torch.autograd.grad
    y = peer.constant(w) @ leaf
    rows = peer.constant(np.eye(len(w)))
    stack = peer.xp.stack

    def batched() -> Any:
        return grad(y, leaf, rows, retain_graph=True, is_grads_batched=True)[0]

    def loop() -> Any:
        return stack([grad(y, leaf, row, retain_graph=True)[0] for row in rows])

    return {peer.name: batched, f"{peer.name}, loop": loop}


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("vmap", __doc__, options)
    peers = load(("qiudao", "torch", "jax"), report)
    rng = np.random.default_rng(0)
    w = rng.normal(size=(HIDDEN, FEATURES)) / np.sqrt(FEATURES)
    for batch in BATCHES:
        samples = rng.normal(size=(batch, FEATURES))
        time_values(report, peers, samples, w)
        time_gradients(report, peers, samples, w)
    time_jacobian_rows(report, [peer for peer in peers if peer.name != "jax"], rng)
    report.finish()


def time_values(report: Report, peers: list[Peer], samples: Array, w: Array) -> None:
    vectorised = np.vectorize(sample, excluded={1}, signature="(n)->()")
    runs: Runs = {}
    for peer in peers:
        runs |= values(peer, samples, w)
    runs["NumPy, loop"] = lambda: np.stack([sample(x, w) for x in samples])
    runs["np.vectorize"] = lambda: vectorised(samples, w)
    runs["by hand"] = lambda: batched_by_hand(samples, w)
    _check_and_time(report, f"vmap(f), {len(samples)} samples", runs)


def time_gradients(report: Report, peers: list[Peer], samples: Array, w: Array) -> None:
    runs: Runs = {}
    for peer in peers:
        runs |= gradients(peer, samples, w)
    runs["by hand"] = lambda: gradients_by_hand(samples, w)
    _check_and_time(report, f"vmap(grad(f)), {len(samples)} samples", runs)


def time_jacobian_rows(report: Report, peers: list[Peer], rng: np.random.Generator) -> None:
    w, x = rng.normal(size=(ROWS, ROWS)), rng.normal(size=ROWS)
    runs: Runs = {}
    for peer in peers:
        runs |= jacobian_rows(peer, w, x)
    _check_and_time(report, f"W @ x, {ROWS} cotangents", runs)


def _check_and_time(report: Report, case: str, runs: Runs) -> None:
    if runs and report.wants(case):
        check_agreement(case, {name: [run()] for name, run in runs.items()}, 1e-9)
        report.time(case, runs, "us")


if __name__ == "__main__":
    main()
