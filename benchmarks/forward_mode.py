"""What does carrying a tangent forward cost per operation?

One Jacobian-vector product through chains of 1,000 operations, on 0-d, 10-element and 1,000-element
float64 arrays. torch appears twice: `torch.func.jvp`, and dual tensors (`forward_ad`) without its
function transforms. "plain" is the chain itself in NumPy, with no tangent.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from alternate import Report, arguments
from chains import CHAINS, SHAPES, Chain, Shape, describe
from peers import NUMPY, Array, Peer, Program, check_agreement, load

LENGTH = 1_000


def products(peer: Peer, f: Program, x: Array, v: Array) -> dict[str, Callable[[], Any]]:
    """The ways in which one library makes (f(x), f'(x) v), prepared for timing."""
    if peer.name == "qiudao":
        import qiudao as qd

        return {"qiudao": lambda: qd.jvp(f, (x,), (v,))}
    if peer.name == "torch":
        return _torch_products(f, x, v)
    if peer.name == "autograd":
        import autograd

        product = autograd.make_jvp(f)
        return {"autograd": lambda: product(x)(v)}
    import jax

    primal, tangent = jax.numpy.asarray(x), jax.numpy.asarray(v)
    compiled = jax.jit(lambda x, v: jax.jvp(f, (x,), (v,)))
    return {
        "jax": lambda: jax.block_until_ready(jax.jvp(f, (primal,), (tangent,))),
        "jax.jit": lambda: jax.block_until_ready(compiled(primal, tangent)),
    }


def _torch_products(f: Program, x: Array, v: Array) -> dict[str, Callable[[], Any]]:
    import torch
    from torch.autograd import forward_ad

    primal, tangent = torch.from_numpy(x), torch.from_numpy(v)

    def dual() -> Any:
        with forward_ad.dual_level():
            return tuple(forward_ad.unpack_dual(f(forward_ad.make_dual(primal, tangent))))

    return {"torch.func": lambda: torch.func.jvp(f, (primal,), (tangent,)), "torch duals": dual}


def time_chain(report: Report, peers: list[Peer], chain: Chain, shape: Shape) -> None:
    case = f"{chain.name}; {describe(shape)}"
    if not report.wants(case):
        return
    (x,) = chain.start(shape)
    v = np.ones(shape)
    runs: dict[str, Callable[[], Any]] = {}
    for peer in peers:
        runs |= products(peer, chain.build(peer, shape, LENGTH), x, v)
    check_agreement(case, {name: [run()[1]] for name, run in runs.items()}, 1e-9)
    plain = chain.build(NUMPY, shape, LENGTH)
    runs["plain"] = lambda: plain(x)
    report.time(case, runs, "us", per=LENGTH)


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("forward_mode", __doc__, options)
    peers = load(("qiudao", "torch", "autograd", "jax"), report)
    for chain in CHAINS:
        if chain.leaves == 1:
            for shape in SHAPES:
                time_chain(report, peers, chain, shape)
    report.finish()


if __name__ == "__main__":
    main()
