"""qiudao (求导): automatic differentiation for people who write NumPy."""

import importlib
from typing import TYPE_CHECKING, Any

from .core import collecting, memory

memory.keep_freed()

with collecting.put_off():
    from .eager.gradients import grad
    from .eager.making import tensor
    from .ops.stopping import stop_gradient
    from .tape.backward import backward
    from .tape.modes import (
        detect_anomaly,
        enable_grad,
        inference_mode,
        is_grad_enabled,
        is_inference_mode_enabled,
        no_grad,
        set_grad_enabled,
    )
    from .tape.tensor import Tensor
    from .transforms.batch import vmap
    from .transforms.derived import hessian, hvp, jacfwd, jacobian, jacrev, value_and_grad
    from .transforms.forward import jvp
    from .transforms.reverse import vjp

if TYPE_CHECKING:
    from . import nn, numeric, optim, random
    from .codegen.cache import jit_cache
    from .codegen.pool import get_num_threads, set_num_threads
    from .compiling.front import jit
    from .compiling.tracing import trace
    from .eager.files import load, save
    from .explaining.branching.report import branches
    from .explaining.explained import explain
    from .explaining.profiling import profile
    from .explaining.questions.contributions import contributions
    from .explaining.questions.saved import saved
    from .explaining.questions.why import why
    from .explaining.rounding import rounding
    from .explaining.source.source import source
    from .explaining.story.story import story
    from .numeric.check import gradcheck, gradgradcheck
    from .ops.networks.convolving import convolution, transposed_convolution
    from .ops.networks.pooling import avg_pool, max_pool
    from .tape import graph
    from .transforms import forward_ad
    from .transforms.checkpoint import checkpoint
    from .transforms.control import (
        associative_scan,
        cond,
        fori_loop,
        map,
        scan,
        switch,
        while_loop,
    )
    from .transforms.custom import custom_jvp, custom_vjp
    from .transforms.functions.function import Function
    from .transforms.lifting.lift import lift
    from .transforms.linear import linear_transpose, linearize
    from .transforms.taylor import jet

__all__ = [
    "Function",
    "Tensor",
    "associative_scan",
    "avg_pool",
    "backward",
    "branches",
    "checkpoint",
    "cond",
    "contributions",
    "convolution",
    "custom_jvp",
    "custom_vjp",
    "detect_anomaly",
    "enable_grad",
    "explain",
    "fori_loop",
    "forward_ad",
    "get_num_threads",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "hessian",
    "hvp",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jit",
    "jit_cache",
    "jvp",
    "lift",
    "linear_transpose",
    "linearize",
    "load",
    "map",
    "max_pool",
    "nn",
    "no_grad",
    "numeric",
    "numpy",
    "optim",
    "profile",
    "random",
    "rounding",
    "save",
    "saved",
    "scan",
    "scipy",
    "set_grad_enabled",
    "set_num_threads",
    "source",
    "stop_gradient",
    "story",
    "switch",
    "tensor",
    "trace",
    "transposed_convolution",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
    "why",
]

# Where the names are that many programs do without: each is imported when it is asked for.
_later = {
    "avg_pool": "ops.networks.pooling",
    "branches": "explaining.branching.report",
    "contributions": "explaining.questions.contributions",
    "checkpoint": "transforms.checkpoint",
    "convolution": "ops.networks.convolving",
    "custom_jvp": "transforms.custom",
    "custom_vjp": "transforms.custom",
    "Function": "transforms.functions.function",
    "explain": "explaining.explained",
    "get_num_threads": "codegen.pool",
    "gradcheck": "numeric.check",
    "gradgradcheck": "numeric.check",
    "forward_ad": "transforms.forward_ad",
    "graph": "tape.graph",
    "jet": "transforms.taylor",
    "jit": "compiling.front",
    "jit_cache": "codegen.cache",
    "lift": "transforms.lifting.lift",
    "linear_transpose": "transforms.linear",
    "linearize": "transforms.linear",
    "load": "eager.files",
    "max_pool": "ops.networks.pooling",
    "nn": "nn",
    "numeric": "numeric",
    "numpy": "numpy",
    "optim": "optim",
    "random": "random",
    "profile": "explaining.profiling",
    "rounding": "explaining.rounding",
    "scipy": "scipy",
    "save": "eager.files",
    "saved": "explaining.questions.saved",
    "set_num_threads": "codegen.pool",
    "story": "explaining.story.story",
    "source": "explaining.source.source",
    "trace": "compiling.tracing",
    "transposed_convolution": "ops.networks.convolving",
    "why": "explaining.questions.why",
    **dict.fromkeys(
        ("associative_scan", "cond", "fori_loop", "map", "scan", "switch", "while_loop"),
        "transforms.control",
    ),
}


def __getattr__(name: str) -> Any:
    """A name of `__all__` that is not here yet."""
    if name not in _later:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with collecting.put_off():
        module = importlib.import_module(f"{__name__}.{_later[name]}")
    found = globals()[name] = getattr(module, name, module)
    return found


def _explain(self: Tensor, **names: Any) -> Any:
    """`qd.explain` of this tensor: what led to it, and the gradients; keywords name tensors."""
    return __getattr__("explain")(self, **names)


def _why(self: Tensor, inputs: Any = None) -> Any:
    """`qd.why` of this output: about the gradients of `inputs`, or of all leaves behind it."""
    return __getattr__("why")(self, inputs)


# What is above the tape comes when it is asked for.
Tensor.explain = _explain  # type: ignore[attr-defined]
Tensor.why = _why  # type: ignore[attr-defined]


def __dir__() -> list[str]:
    """What completion offers: the names that are here and those to come."""
    return sorted({*globals(), *__all__})
