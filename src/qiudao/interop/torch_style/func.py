"""`torch.func`."""

from collections.abc import Callable
from typing import Any

import qiudao as qd

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "vjp",
    "vmap",
]

functional_call = qd.nn.functional_call
hessian = qd.hessian
jacrev = qd.jacrev
jvp = qd.jvp
linearize = qd.linearize
vjp = qd.vjp


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the gradient of `func`; with `has_aux`, (gradient, aux)."""
    derived: Callable[..., Any] = qd.grad(func, argnums, has_aux)
    return derived


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives (gradient, value) of `func`, in this order; with `has_aux` the value
    is (value, aux).

    >>> import qiudao.interop.torch_style as torch
    >>> torch.func.grad_and_value(lambda x: x * x)(3.0)
    (np.float64(6.0), np.float64(9.0))
    """
    both = qd.value_and_grad(func, argnums, has_aux)

    def derived(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, gradient = both(*args, **kwargs)
        return gradient, value

    return derived


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func`, by forward mode."""
    return qd.jacfwd(func, argnums, has_aux, chunk_size=chunk_size)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`func` for each entry along a dimension of its arguments, computed in one go."""
    return qd.vmap(func, in_dims, out_dims, chunk_size=chunk_size)
