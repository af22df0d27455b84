"""What does a call through a bridge to torch or jax cost, beside the bare function?

The least processor time of many short runs, contenders in turns, printed as a table.  Needs torch
and jax; `JAX_ENABLE_X64` is set here, before jax is imported.
"""

import os
from collections.abc import Callable
from typing import Any

os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu", OPENBLAS_NUM_THREADS="1")

from time import process_time

import jax
import jax.numpy as jnp
import numpy as np
import torch

import qiudao as qd
from qiudao.interop.jax import as_jax, from_jax
from qiudao.interop.torch import as_torch, from_torch

ROUNDS, CALLS = 150, 5
Runs = dict[str, Callable[[], Any]]


def least(runs: Runs) -> dict[str, float]:
    """Microseconds of a call, the least of all rounds."""
    for run in runs.values():
        run(), run()
    found = dict.fromkeys(runs, np.inf)
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = process_time()
            for _ in range(CALLS):
                run()
            found[name] = min(found[name], (process_time() - start) / CALLS * 1e6)
    return found


def ours(x):
    return np.sum(np.sin(x) * x)


def in_torch(x):
    return torch.sum(torch.sin(x) * x)


def in_jax(x):
    return jnp.sum(jnp.sin(x) * x)


class ByHand(torch.autograd.Function):
    """`ours` as one writes it for torch by hand, once differentiable, not for `torch.func`."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(np.asarray(ours(x.detach().numpy())))

    @staticmethod
    def backward(ctx, ct):
        x = ctx.saved_tensors[0].detach().numpy()
        return ct * torch.from_numpy(np.cos(x) * x + np.sin(x))


def called_back(x):
    """`ours` as one writes it for jax by hand, without a derivative."""
    return jax.pure_callback(lambda a: ours(np.asarray(a)), jax.ShapeDtypeStruct((), x.dtype), x)


def rows() -> dict[str, Runs]:
    """What is compared, a table row each."""
    x = np.linspace(0, 1, 10)
    t, j = torch.from_numpy(x), jnp.asarray(x)
    leaf = t.clone().requires_grad_()

    def of_leaf(f):
        return lambda: torch.autograd.grad(f(leaf), leaf)

    def waited(f):
        return lambda: f(j).block_until_ready()

    bridge, compiled = as_torch(ours), as_torch(ours, jit=True)
    crossed = as_jax(ours)
    g, h = from_torch(in_torch), from_jax(in_jax)
    return {
        "value, into torch": {
            "NumPy, bare": lambda: ours(x),
            "a Function by hand": lambda: ByHand.apply(t),
            "`as_torch`": lambda: bridge(t),
            "`as_torch(jit=True)`": lambda: compiled(t),
        },
        "gradient, into torch": {
            "`qd.grad`, bare": lambda: qd.grad(ours)(x),
            "a Function by hand": of_leaf(ByHand.apply),
            "`as_torch`": of_leaf(bridge),
            "`as_torch(jit=True)`": of_leaf(compiled),
        },
        "value, into jax": {
            "NumPy, bare": lambda: ours(x),
            "a `pure_callback` by hand in `jax.jit`": waited(jax.jit(called_back)),
            "`as_jax`": waited(crossed),
            "`as_jax` in `jax.jit`": waited(jax.jit(crossed)),
        },
        "gradient, into jax": {
            "`qd.grad`, bare": lambda: qd.grad(ours)(x),
            "`as_jax`": waited(jax.grad(crossed)),
            "`as_jax` in `jax.jit`": waited(jax.jit(jax.grad(crossed))),
        },
        "value, into ours": {
            "torch, bare": lambda: in_torch(t),
            "`from_torch`": lambda: g(x),
            "`jax.jit`, bare": waited(jax.jit(in_jax)),
            "`from_jax`": lambda: h(x),
        },
        "gradient, into ours": {
            "torch, bare": of_leaf(in_torch),
            "`from_torch`": lambda: qd.grad(g)(x),
            "`jax.jit`, bare": waited(jax.jit(jax.grad(in_jax))),
            "`from_jax`": lambda: qd.grad(h)(x),
        },
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("| | bare and bridged |\n|---|---|")
    for title, runs in rows().items():
        told = [f"{name} {us:.0f}" for name, us in least(runs).items()]
        print(f"| {title} | {', '.join(told)} |")
