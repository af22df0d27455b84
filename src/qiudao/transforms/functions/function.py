"""`qd.Function`: an operation with derivative rules of its own, written as torch's users do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.errors import GradientError
from ...core.signatures import signature
from .call import Call


class Function:
    """An operation with a derivative of its own: subclass it, and call `apply`.

    - `forward(ctx, *args, **kwargs)` computes the result (any pytree), unrecorded; or
      `forward(*args, **kwargs)` beside `setup_context(ctx, inputs, output)`.
    - `backward(ctx, *cotangents)`, one for each result, returns a cotangent for each argument that
      was passed, in order (nested as the argument is), None for zero.
    - `jvp(ctx, *tangents)`, one for each argument, returns the tangent of each result.  Either
      mode is derived from the other where only one is stated.
    - `vmap(info, in_dims, *args)` returns (results, out_dims); derived where it is not stated.

    All are static methods.  `ctx` is a `Context`: `save_for_backward`, `saved_tensors`,
    `needs_input_grad`, `mark_non_differentiable`, `mark_dirty`, `set_materialize_grads`.

    The rules may be differentiated again.  What was saved of inputs and results then has its place
    in the graph; for anything else that was saved, `forward` is run again, recorded.  Where it
    cannot be, `GradientError` says so.  Works on the tape and under every transform.

    >>> class Exp(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         y = np.exp(x)
    ...         ctx.save_for_backward(y)
    ...         return y
    ...     @staticmethod
    ...     def backward(ctx, ct):
    ...         (y,) = ctx.saved_tensors
    ...         return ct * y
    >>> x = qd.tensor(0.0, requires_grad=True)
    >>> Exp.apply(x).backward()
    >>> x.grad
    tensor(1.)
    """

    forward: Callable[..., Any]
    setup_context: Callable[..., None] | None = None
    backward: Callable[..., Any] | None = None
    jvp: Callable[..., Any] | None = None
    vmap: Callable[..., Any] | None = None

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward` for these arguments, differentiated by the rules of the class.

        Raises `GradientError` without a derivative rule, and for inputs that `forward` writes to
        without `ctx.mark_dirty`; `TreeError` and `ShapeError` later, for answers of the rules that
        do not fit.
        """
        if not hasattr(cls, "forward"):
            raise GradientError(
                f"{cls.__name__}.apply: the class has no forward; define it as a static method, "
                "forward(ctx, x)"
            )
        if cls.backward is None and cls.jvp is None:
            raise GradientError(
                f"{cls.__name__}.apply: the class has no derivative rule; define backward or jvp "
                "as a static method"
            )
        return Call(cls, *arranged(cls, args, kwargs)).run()


def arranged(
    cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments in the order of `forward`'s parameters, where it tells them."""
    if not kwargs:
        return args, kwargs
    first = () if cls.setup_context is not None else (None,)
    bound = signature(cls.forward).bind(*first, *args, **kwargs)
    return bound.args[len(first) :], bound.kwargs
