"""The networks of examples/ in plain jax.numpy, and their compiled training steps.

Parameters are a dictionary of arrays by the dotted paths of our own models, whose weights they take
over; so the losses must agree.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

import characters
import digits
import moons
import sorting

Weights = dict[str, Any]
Runs = dict[str, Callable[[], Any]]
B1, B2, EPS = 0.9, 0.999, 1e-8


def linear(w: Weights, name: str, x: Any) -> Any:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def cross_entropy(scores: Any, labels: Any, smoothing: float = 0.0) -> Any:
    logs = jax.nn.log_softmax(scores)
    chosen = jnp.take_along_axis(logs, labels[..., None], -1)[..., 0]
    return -((1.0 - smoothing) * chosen + smoothing * logs.mean(-1)).mean()


def moons_loss(w: Weights, points: Any, labels: Any) -> Any:
    x = points
    for name in ("layers.0", "layers.2"):
        x = jax.nn.relu(linear(w, name, x))
    margins = jax.nn.relu(1.0 - labels * linear(w, "layers.4", x)[:, 0])
    return margins.mean() + moons.DECAY * sum((p**2).sum() for p in w.values())


def convolved(w: Weights, name: str, x: Any) -> Any:
    y = lax.conv_general_dilated(x, w[f"{name}.weight"], (1, 1), ((1, 1), (1, 1)))
    return y + w[f"{name}.bias"][:, None, None]


def digits_loss(w: Weights, x: Any, labels: Any) -> Any:
    for name in ("layers.0", "layers.2"):
        x = jax.nn.relu(convolved(w, name, x))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = jax.nn.relu(linear(w, "layers.6", x.reshape(len(x), -1)))
    return cross_entropy(linear(w, "layers.8", x), labels, digits.SMOOTHING)


def letters_loss(w: Weights, x: Any, following: Any) -> Any:
    given = jnp.swapaxes(w["letters.weight"][x], 0, 1) @ w["memory.weight_ih"].T
    given = given + (w["memory.bias_ih"] + w["memory.bias_hh"])
    turned = w["memory.weight_hh"].T

    def step(state: Any, from_input: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(from_input + h @ turned, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((len(x), characters.HIDDEN), given.dtype)
    _, states = lax.scan(step, (zeros, zeros), given)
    return cross_entropy(linear(w, "out", jnp.swapaxes(states, 0, 1)), following)


def normed(w: Weights, name: str, x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    y = centred / jnp.sqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
    return y * w[f"{name}.weight"] + w[f"{name}.bias"]


def attended(w: Weights, name: str, x: Any) -> Any:
    n, length, width = x.shape

    def parted(part: str) -> Any:
        y = linear(w, f"{name}.{part}", x)
        return jnp.swapaxes(y.reshape(n, length, sorting.HEADS, -1), 1, 2)

    q, k, v = map(parted, ("query", "key", "value"))
    scores = q @ jnp.swapaxes(k, -1, -2) * (1.0 / math.sqrt(q.shape[-1]))
    read = jax.nn.softmax(scores) @ v
    return linear(w, f"{name}.out", jnp.swapaxes(read, 1, 2).reshape(n, length, width))


def sorting_loss(w: Weights, x: Any) -> Any:
    y = w["digits.weight"][x] + w["places"]
    for k in range(2):
        name = f"blocks.{k}"
        y = y + attended(w, f"{name}.attention", normed(w, f"{name}.before", y))
        wide = jax.nn.relu(linear(w, f"{name}.wide", normed(w, f"{name}.between", y)))
        y = y + linear(w, f"{name}.narrow", wide)
    return cross_entropy(linear(w, "out", normed(w, "norm", y)), jnp.sort(x, 1))


LOSSES: dict[str, Callable[..., Any]] = {
    "moons": moons_loss,
    "digits": digits_loss,
    "characters": letters_loss,
    "sorting": sorting_loss,
}


def in_jax(name: str, weights: Weights, batch: Any, rate: float) -> Runs:
    """The whole step as one compiled function; a call gives the loss first."""
    both = jax.value_and_grad(LOSSES[name])

    @jax.jit
    def step(w: Weights, m: Weights, v: Weights, t: Any, *batch: Any) -> Any:
        value, slopes = both(w, *batch)
        m = {k: B1 * m[k] + (1.0 - B1) * g for k, g in slopes.items()}
        v = {k: B2 * v[k] + (1.0 - B2) * g * g for k, g in slopes.items()}
        first, second = 1.0 - B1**t, jnp.sqrt(1.0 - B2**t)
        moved = {k: p - rate / first * m[k] / (jnp.sqrt(v[k]) / second + EPS) for k, p in w.items()}
        return value, moved, m, v, t + 1.0

    w = {k: jnp.asarray(x) for k, x in weights.items()}
    zeros = {k: jnp.zeros_like(x) for k, x in w.items()}
    args = (w, zeros, zeros, jnp.float32(1.0), *map(jnp.asarray, batch))
    return {"jax.jit": lambda: jax.block_until_ready(step(*args))}
