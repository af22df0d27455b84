"""`torch.autograd`."""

from collections.abc import Callable
from typing import Any

import qiudao as qd

from ...core.dispatch import Tracer
from ...core.errors import GradientError
from . import function, functional

Function = qd.Function
backward = qd.backward
detect_anomaly = qd.detect_anomaly
enable_grad = qd.enable_grad
forward_ad = qd.forward_ad
grad = qd.grad
graph = qd.graph
inference_mode = qd.inference_mode
no_grad = qd.no_grad
set_grad_enabled = qd.set_grad_enabled

__all__ = [
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """`qd.gradcheck` of `func(*inputs)`, by the inputs that require grad, by the modes that are
    asked for, and as closely as `qd.gradcheck` where no `atol` and `rtol` are given.  The options
    from `nondet_tol` on are about how torch computes, and change nothing.

    >>> import qiudao.interop.torch_style as torch
    >>> x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3.0)
    >>> torch.autograd.gradcheck(lambda x, w: x * x * w, (x, w))
    True
    """
    modes = ["forward"] * check_forward_ad + ["reverse"] * check_backward_ad
    return checked(qd.gradcheck, func, inputs, modes, eps, atol, rtol, raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    gen_non_contig_grad_outputs: bool = False,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`qd.gradgradcheck` of `func(*inputs)`, as `gradcheck` is `qd.gradcheck`: by reverse mode over
    reverse, and by forward mode too if asked for.  The cotangents are drawn, whatever
    `grad_outputs` are, and the options from `check_rev_over_rev` on change nothing.
    """
    modes = ["forward"] * check_fwd_over_rev + ["reverse"]
    return checked(qd.gradgradcheck, func, inputs, modes, eps, atol, rtol, raise_exception)


def checked(
    check: Callable[..., bool],
    func: Callable[..., Any],
    inputs: Any,
    modes: list[str],
    eps: float | None,
    atol: float | None,
    rtol: float | None,
    raise_exception: bool,
) -> bool:
    """A check by the inputs that require grad, with the others as constants."""
    args = list(inputs) if isinstance(inputs, tuple | list) else [inputs]
    moving = [k for k, x in enumerate(args) if isinstance(x, qd.Tensor) and x.requires_grad]
    if not moving:
        raise GradientError(
            "gradcheck: no input requires grad, and derivatives are taken by those that do; make "
            "it with requires_grad=True"
        )

    def of_these(*values: Any) -> Any:
        full = list(args)
        for k, x in zip(moving, values, strict=True):
            is_tensor = isinstance(x, qd.Tensor)
            full[k] = x if is_tensor else qd.tensor(x, requires_grad=not isinstance(x, Tracer))
        return func(*full)

    return check(
        of_these,
        *(args[k] for k in moving),
        modes=modes,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
    )
