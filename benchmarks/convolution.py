"""What do convolutions and pools over channels cost, in float32, forward and with both gradients?

A layer is timed with a given cotangent: the result, and the gradients by image and kernel. The
last case is a training step of a small network on digits, without its optimiser: two convolutions
with relu and pooling, and a linear layer.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from alternate import Report, arguments
from objectives.asking import load_jax, load_torch, logsumexp
from peers import Array, check_agreement

Runs = dict[str, Callable[[], Any]]


class Layer(NamedTuple):
    """The shapes of images and kernel, and how windows move."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    padding: int
    stride: int = 1
    groups: int = 1

    @property
    def space(self) -> int:
        return len(self.x) - 2

    @property
    def options(self) -> dict[str, int]:
        return {"padding": self.padding, "stride": self.stride, "groups": self.groups}

    def arrays(self) -> list[Array]:
        """An image batch, a kernel and a cotangent."""
        import qiudao as qd

        rng = np.random.default_rng(0)
        x, kernel = (rng.normal(size=s).astype(np.float32) for s in (self.x, self.kernel))
        shape = qd.convolution(x, kernel, **self.options).shape
        return [x, kernel, rng.normal(size=shape).astype(np.float32)]

    def __str__(self) -> str:
        text = f"{'x'.join(map(str, self.x))} by {'x'.join(map(str, self.kernel))}"
        text += f", stride {self.stride}" if self.stride > 1 else ""
        return text + (f", {self.groups} groups" if self.groups > 1 else "")


LAYERS = [
    Layer((32, 1, 28, 28), (16, 1, 3, 3), 1),
    Layer((64, 16, 14, 14), (32, 16, 3, 3), 1),
    Layer((8, 64, 32, 32), (64, 64, 3, 3), 1),
    Layer((32, 64, 7, 7), (128, 64, 3, 3), 1),
    Layer((16, 32, 32, 32), (64, 32, 3, 3), 1, stride=2),
    Layer((32, 64, 14, 14), (64, 64, 1, 1), 0),
    Layer((16, 64, 16, 16), (64, 1, 3, 3), 1, groups=64),
    Layer((32, 64, 128), (64, 64, 3), 1),
    Layer((16, 1, 1000), (32, 1, 16), 0, stride=4),
]
POOLED = (64, 32, 14, 14)
BATCH = 64


# One layer


def both(convolve: Callable[..., Any], vjp: Callable[..., Any]) -> Callable[..., Any]:
    """The result and both gradients."""

    def run(x, kernel, ct):
        out, pullback = vjp(convolve, x, kernel)
        return (out, *pullback(ct))

    return run


def layer_in_qiudao(layer: Layer, arrays: list[Array], backward: bool) -> Runs:
    import qiudao as qd

    def convolve(x, kernel):
        return qd.convolution(x, kernel, **layer.options)

    f, args = (both(convolve, qd.vjp), arrays) if backward else (convolve, arrays[:2])
    native = qd.jit(f)
    return {"qiudao": lambda: f(*args), "qiudao.jit": lambda: native(*args)}


def layer_in_jax(layer: Layer, arrays: list[Array], backward: bool) -> Runs:
    jax = load_jax()
    letters = "HW"[: layer.space]

    def convolve(x, kernel):
        return jax.lax.conv_general_dilated(
            x, kernel, (layer.stride,) * layer.space, ((layer.padding,) * 2,) * layer.space,
            dimension_numbers=("NC" + letters, "OI" + letters, "NC" + letters),
            feature_group_count=layer.groups,
        )  # fmt: skip

    native = jax.jit(both(convolve, jax.vjp) if backward else convolve)
    args = [jax.numpy.asarray(a) for a in (arrays if backward else arrays[:2])]
    return {"jax.jit": lambda: jax.block_until_ready(native(*args))}


def layer_in_torch(layer: Layer, arrays: list[Array], backward: bool) -> Runs:
    torch = load_torch()
    convolve = getattr(torch.nn.functional, f"conv{layer.space}d")
    x, kernel, ct = map(torch.from_numpy, arrays)
    leaves = [x.requires_grad_(), kernel.requires_grad_()] if backward else [x, kernel]

    def run():
        out = convolve(*leaves, **layer.options)
        return (out.detach(), *torch.autograd.grad(out, leaves, ct)) if backward else out

    return {"torch": run}


# A pool


def pool_in_qiudao(name: str, x: Array, ct: Array) -> Runs:
    import qiudao as qd

    pool = {"max": qd.max_pool, "avg": qd.avg_pool}[name]

    def run(x, ct):
        out, pullback = qd.vjp(lambda x: pool(x, 2), x)
        return out, *pullback(ct)

    native = qd.jit(run)
    return {"qiudao": lambda: run(x, ct), "qiudao.jit": lambda: native(x, ct)}


def pool_in_jax(name: str, x: Array, ct: Array) -> Runs:
    jax = load_jax()
    sizes = (1, 1, 2, 2)

    def pool(x):
        if name == "max":
            return jax.lax.reduce_window(x, -np.inf, jax.lax.max, sizes, sizes, "VALID")
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, sizes, sizes, "VALID") / 4

    def run(x, ct):
        out, pullback = jax.vjp(pool, x)
        return out, *pullback(ct)

    native = jax.jit(run)
    args = jax.numpy.asarray(x), jax.numpy.asarray(ct)
    return {"jax.jit": lambda: jax.block_until_ready(native(*args))}


def pool_in_torch(name: str, x: Array, ct: Array) -> Runs:
    torch = load_torch()
    pool = getattr(torch.nn.functional, f"{name}_pool2d")
    leaf, given = torch.from_numpy(x).requires_grad_(), torch.from_numpy(ct)

    def run():
        out = pool(leaf, 2)
        return out.detach(), *torch.autograd.grad(out, leaf, given)

    return {"torch": run}


# A network


def network(rng: np.random.Generator) -> list[Array]:
    """Kernels and weights, each with its bias."""
    shapes = [(16, 1, 3, 3), (1, 16, 1, 1), (32, 16, 3, 3), (1, 32, 1, 1), (1568, 10), (10,)]
    scales = [3, 9, 12, 9, 40, 9]
    return [
        (rng.normal(size=s) / n).astype(np.float32) for s, n in zip(shapes, scales, strict=True)
    ]


def step_in_qiudao(weights: list[Array], x: Array, labels: Array) -> Runs:
    import qiudao as qd

    def loss(weights, x, labels):
        first, one, second, two, last, three = weights
        x = qd.max_pool(np.maximum(qd.convolution(x, first, padding=1) + one, np.float32(0)), 2)
        x = qd.max_pool(np.maximum(qd.convolution(x, second, padding=1) + two, np.float32(0)), 2)
        x = x.reshape(len(x), -1) @ last + three
        return (logsumexp(x, 1) - (x * labels).sum(1)).mean()

    step = qd.value_and_grad(loss)
    native = qd.jit(step)
    return {
        "qiudao": lambda: step(weights, x, labels),
        "qiudao.jit": lambda: native(weights, x, labels),
    }


def step_in_jax(weights: list[Array], x: Array, labels: Array) -> Runs:
    jax = load_jax()
    same = {"dimension_numbers": ("NCHW", "OIHW", "NCHW")}
    sizes = (1, 1, 2, 2)

    def layer(x, kernel, bias):
        x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", **same)
        x = jax.nn.relu(x + bias)
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, sizes, sizes, "VALID")

    def loss(weights, x, labels):
        first, one, second, two, last, three = weights
        x = layer(layer(x, first, one), second, two)
        x = x.reshape(len(x), -1) @ last + three
        return (jax.nn.logsumexp(x, 1) - (x * labels).sum(1)).mean()

    native = jax.jit(jax.value_and_grad(loss))
    args = jax.tree.map(jax.numpy.asarray, (weights, x, labels))
    return {"jax.jit": lambda: jax.block_until_ready(native(*args))}


def step_in_torch(weights: list[Array], x: Array, labels: Array) -> Runs:
    torch = load_torch()
    leaves = [torch.from_numpy(w.copy()).requires_grad_() for w in weights]
    inputs, targets = torch.from_numpy(x), torch.from_numpy(labels.argmax(1))
    functional = torch.nn.functional

    def step():
        first, one, second, two, last, three = leaves
        x = functional.conv2d(inputs, first, one.reshape(-1), padding=1)
        x = functional.max_pool2d(torch.relu(x), 2)
        x = functional.conv2d(x, second, two.reshape(-1), padding=1)
        x = functional.max_pool2d(torch.relu(x), 2)
        x = torch.addmm(three, x.flatten(1), last)
        value = functional.cross_entropy(x, targets)
        return value.detach(), list(torch.autograd.grad(value, leaves))

    return {"torch": step}


def main() -> None:
    options = arguments(__doc__, rounds=9)
    report = Report("convolution", __doc__, options, reference="qiudao.jit")
    big = np.ones((512, 512), np.float32)
    big @ big  # the first products of a process are slow in OpenBLAS until one was large
    makers = {"qiudao": layer_in_qiudao, "jax": layer_in_jax, "torch": layer_in_torch}
    for layer in LAYERS:
        for backward in (False, True):
            case = f"{layer}, {'with gradients' if backward else 'forward'}"
            if report.wants(case):
                runs = report.contenders(makers, layer, layer.arrays(), backward)
                check_agreement(case, {name: run() for name, run in runs.items()}, 1e-4)
                report.time(case, runs, "us")
    rng = np.random.default_rng(0)
    x = rng.normal(size=POOLED).astype(np.float32)
    ct = rng.normal(size=(*POOLED[:2], 7, 7)).astype(np.float32)
    pools = {"qiudao": pool_in_qiudao, "jax": pool_in_jax, "torch": pool_in_torch}
    for name in ("max", "avg"):
        case = f"{name} pool 2x2 of {'x'.join(map(str, POOLED))}, with gradient"
        if report.wants(case):
            runs = report.contenders(pools, name, x, ct)
            check_agreement(case, {n: run() for n, run in runs.items()}, 1e-5)
            report.time(case, runs, "us")
    case = f"network on digits, batch of {BATCH}, loss and gradients"
    if report.wants(case):
        images = rng.normal(size=(BATCH, 1, 28, 28)).astype(np.float32)
        labels = np.eye(10, dtype=np.float32)[rng.integers(0, 10, BATCH)]
        steps = {"qiudao": step_in_qiudao, "jax": step_in_jax, "torch": step_in_torch}
        runs = report.contenders(steps, network(rng), images, labels)
        answers = {name: run() for name, run in runs.items()}
        flat = {name: [value, *slopes] for name, (value, slopes) in answers.items()}
        check_agreement(case, flat, 1e-4)
        report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
