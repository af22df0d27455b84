"""How each library is asked for the gradient of an objective, and what the objectives share."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from ctool import FLAGS, mathematics, widest

Array = np.ndarray
Ways = dict[str, Callable[[], Any]]  # what is timed, by the contender's name


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an objective is differentiated by, the arrays that it also takes, and its keywords."""

    by: tuple[Array, ...]
    data: tuple[Array, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Array, ...]:
        return self.by + self.data

    @property
    def argnums(self) -> tuple[int, ...]:
        return tuple(range(len(self.by)))

    def bind(self, objective: Callable[..., Any], **keywords: Any) -> Callable[..., Any]:
        """The objective as a function of arrays alone."""
        keywords = {**self.settings, **keywords}
        return partial(objective, **keywords) if keywords else objective


def logsumexp(x, axis, xp=np):
    """log(sum(exp(x))) along an axis, by the library's own function where it has one."""
    if hasattr(xp, "logsumexp"):
        return xp.logsumexp(x, axis)
    if xp is not np:
        import jax

        return jax.nn.logsumexp(x, axis)
    top = np.max(x, axis, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis)) + np.squeeze(top, axis)


def load_jax() -> ModuleType:
    """jax, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def load_torch() -> ModuleType:
    """torch, on one thread."""
    import torch

    torch.set_num_threads(1)
    return torch


def load_casadi() -> ModuleType:
    """Casadi."""
    import casadi

    return casadi


def compiled(name: str, f: Callable[..., Any], args: Sequence[Any]) -> Ways:
    """`f` through `qd.jit`, where this qiudao has a compiler."""
    import qiudao as qd

    if not hasattr(qd, "jit"):
        return {}
    native = qd.jit(f)
    return {name: lambda: native(*args)}


def bound(name: str, f: Callable[..., Any], args: Sequence[Any]) -> Ways:
    """`f`, of a tuple of results, through `qd.jit`: with arrays given for them beforehand."""
    import qiudao as qd

    native = qd.jit(f)
    out = tuple(map(np.empty_like, native(*args)))
    run = native.bind(*args, out=out)
    return {name: lambda: (run(), out)[1]}


def gradient_in_qiudao(objective: Callable[..., Any], inputs: Inputs) -> Ways:
    """The gradient, eager and compiled; the compiled objective too, to compare it with."""
    import qiudao as qd

    gradient = qd.grad(objective, inputs.argnums)
    ways: Ways = {"qiudao": lambda: gradient(*inputs.all)}
    return (
        ways
        | compiled("qiudao.jit", gradient, inputs.all)
        | compiled("qiudao.jit primal", objective, inputs.all)
    )


def gradient_in_jax(objective: Callable[..., Any], inputs: Inputs, name: str = "jax.jit") -> Ways:
    """The compiled gradient of an objective that is written for jax."""
    jax = load_jax()
    return jitted_by_jax(jax.grad(objective, inputs.argnums), inputs.all, name)


def jitted_by_jax(f: Callable[..., Any], args: Sequence[Any], name: str = "jax.jit") -> Ways:
    """`f` through `jax.jit`, its arguments converted beforehand."""
    jax = load_jax()
    arrays = [jax.numpy.asarray(arg) for arg in args]
    native = jax.jit(f)
    return {name: lambda: jax.block_until_ready(native(*arrays))}


def gradient_in_torch(objective: Callable[..., Any], inputs: Inputs) -> Ways:
    """The eager gradient of an objective that is written for torch."""
    torch = load_torch()
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in inputs.by]
    data = [torch.from_numpy(x) for x in inputs.data]
    return {"torch": lambda: torch.autograd.grad(objective(*leaves, *data), leaves)}


def through_casadi(
    function: Any, args: Sequence[Array], shapes: Sequence[tuple[int, ...]], form: str = ""
) -> Ways:
    """A `casadi.Function` by its virtual machine, and by what gcc makes of it where there is one.

    It reads and fills arrays in place. Its matrices are column by column: transposes of ours.
    `form` ends the names of both.
    """
    ways = {f"CasADi{form}": buffered(function, args, shapes)}
    if shutil.which("gcc") is None:
        return ways
    casadi = load_casadi()
    symbols = function.mx_in()
    with tempfile.TemporaryDirectory() as folder:  # gone before casadi would clean it up
        shell = {
            "compiler": "gcc",
            "flags": [*FLAGS, *widest()],
            "linker_flags": mathematics(),
            "directory": f"{folder}/",
            "cleanup": False,
        }
        options = {"jit": True, "compiler": "shell", "jit_options": shell, "jit_cleanup": False}
        native = casadi.Function("native", symbols, function.call(symbols), options)
        ways[f"CasADi + gcc{form}"] = buffered(native, args, shapes)
    return ways


def buffered(function: Any, args: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> Any:
    """A call that gives new contents to the same arrays, of these shapes."""
    outs = tuple(np.empty(shape) for shape in shapes)
    buffer, trigger = function.buffer()
    for i, arg in enumerate(args):
        buffer.set_arg(i, memoryview(arg))
    for i, out in enumerate(outs):
        buffer.set_res(i, memoryview(out))

    def run(kept: tuple[Any, ...] = (buffer, args)) -> tuple[Array, ...]:
        trigger()
        return outs

    return run
