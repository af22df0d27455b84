"""How each library spells "run this" and "differentiate this", so that all time the same program.

A program is a function of leaves that calls `peer.xp.sin` and the like. `forward` and `gradient`
prepare the leaves once and return what is timed: a call without arguments that runs the program,
recorded as that library records when a gradient is wanted, and one that also sweeps back and
returns the gradients.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import scalars
from alternate import Report

Array = np.ndarray
Program = Callable[..., Any]
Prepare = Callable[[Program, Sequence[Array]], Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Peer:
    """One library: its namespace, its constants, its two ways to run a program."""

    name: str
    xp: ModuleType
    constant: Callable[[Array], Any]
    forward: Prepare
    gradient: Prepare
    takes_numpy: bool = True  # plain arrays as operands, in the middle of a program


def _qiudao() -> Peer:
    import qiudao as qd

    def prepare(f: Program, leaves: Sequence[Array]) -> tuple[list[Any], Callable[[], Any]]:
        tensors = [qd.tensor(leaf, requires_grad=True) for leaf in leaves]
        return tensors, lambda: f(*tensors)

    return _tape("qiudao", np, qd.tensor, prepare)


def _torch() -> Peer:
    import torch

    torch.set_num_threads(1)

    def prepare(f: Program, leaves: Sequence[Array]) -> tuple[list[Any], Callable[[], Any]]:
        tensors = [torch.from_numpy(leaf.copy()).requires_grad_() for leaf in leaves]
        return tensors, lambda: f(*tensors)

    return _tape("torch", torch, torch.from_numpy, prepare)


def _scalars() -> Peer:
    def prepare(f: Program, leaves: Sequence[Array]) -> tuple[list[Any], Callable[[], Any]]:
        values = [scalars.Value(float(leaf)) for leaf in leaves]
        return values, lambda: f(*values)

    return _tape("scalars", scalars, lambda constant: scalars.Value(float(constant)), prepare, 0.0)


def _tape(
    name: str,
    xp: ModuleType,
    constant: Callable[[Array], Any],
    prepare: Callable[[Program, Sequence[Array]], tuple[list[Any], Callable[[], Any]]],
    no_gradient: float | None = None,
) -> Peer:
    """A library whose leaves hold their own gradient, filled by `backward()`."""

    def gradient(f: Program, leaves: Sequence[Array]) -> Callable[[], list[Any]]:
        tensors, run = prepare(f, leaves)

        def sweep() -> list[Any]:
            for tensor in tensors:
                tensor.grad = no_gradient
            run().backward()
            return [tensor.grad for tensor in tensors]

        return sweep

    def forward(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        return prepare(f, leaves)[1]

    return Peer(name, xp, constant, forward, gradient, takes_numpy=xp is np)


def _autograd() -> Peer:
    import autograd
    import autograd.numpy

    def which(leaves: Sequence[Array]) -> int | tuple[int, ...]:
        return 0 if len(leaves) == 1 else tuple(range(len(leaves)))

    def forward(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        record = autograd.make_vjp(f, which(leaves))
        return lambda: record(*leaves)[1]

    def gradient(f: Program, leaves: Sequence[Array]) -> Callable[[], Sequence[Any]]:
        sweep = autograd.grad(f, which(leaves))
        if len(leaves) == 1:
            return lambda: (sweep(leaves[0]),)
        return lambda: sweep(*leaves)

    return Peer("autograd", autograd.numpy, np.asarray, forward, gradient)


def _jax() -> Peer:
    jax = _configured_jax()

    def forward(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        arrays = [jax.numpy.asarray(leaf) for leaf in leaves]
        return lambda: jax.block_until_ready(jax.vjp(f, *arrays)[0])

    def gradient(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        arrays = [jax.numpy.asarray(leaf) for leaf in leaves]
        sweep = jax.grad(f, tuple(range(len(arrays))))
        return lambda: jax.block_until_ready(sweep(*arrays))

    return Peer("jax", jax.numpy, jax.numpy.asarray, forward, gradient)


def _jax_jit() -> Peer:
    jax = _configured_jax()

    def forward(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        arrays = [jax.numpy.asarray(leaf) for leaf in leaves]
        compiled = jax.jit(f)
        return lambda: jax.block_until_ready(compiled(*arrays))

    def gradient(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
        arrays = [jax.numpy.asarray(leaf) for leaf in leaves]
        compiled = jax.jit(jax.grad(f, tuple(range(len(arrays)))))
        return lambda: jax.block_until_ready(compiled(*arrays))

    return Peer("jax.jit", jax.numpy, jax.numpy.asarray, forward, gradient)


def _configured_jax() -> ModuleType:
    import jax
    import jax.numpy

    jax.config.update("jax_enable_x64", True)
    return jax


def _plain(f: Program, leaves: Sequence[Array]) -> Callable[[], Any]:
    return lambda: f(*leaves)


NUMPY = Peer("numpy", np, np.asarray, _plain, _plain)  # no derivative: the floor
PEERS = {
    "qiudao": _qiudao,
    "torch": _torch,
    "autograd": _autograd,
    "jax": _jax,
    "jax.jit": _jax_jit,
    "scalars": _scalars,
}


def load(names: Iterable[str], report: Report) -> list[Peer]:
    """The named peers that are wanted and installed; the report notes those not installed."""
    found = []
    for name in names:
        if name in report.options.without:
            continue
        try:
            found.append(PEERS[name]())
        except ImportError:
            report.note(f"{name}: not installed, left out.")
    return found


def as_numpy(value: Any) -> Array:
    """A gradient of any library as a NumPy array."""
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def check_agreement(case: str, answers: dict[str, Any], tolerance: float) -> None:
    """Refuse to time contenders that do not compute the same arrays."""
    flat = {
        name: np.concatenate([as_numpy(part).ravel() for part in answer])
        for name, answer in answers.items()
    }
    first, expected = next(iter(flat.items()))
    scale = np.abs(expected).max()
    for name, got in flat.items():
        if not np.allclose(got, expected, rtol=tolerance, atol=tolerance * scale):
            worst = np.abs(got - expected).max()
            raise ArithmeticError(
                f"{case}: {name} and {first} differ by {worst:.3g} at a scale of {scale:.3g}"
            )
