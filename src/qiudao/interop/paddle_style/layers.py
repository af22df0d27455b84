"""`paddle.autograd.PyLayer`."""

from typing import Any

import qiudao as qd

from ...core.trees import flatten


class PyLayer(qd.Function):
    """An operation with a derivative of its own, as paddle has it: static methods
    `forward(ctx, *args, **kwargs)` and `backward(ctx, *cotangents)`, which returns a cotangent for
    each argument that is a tensor.

    >>> from qiudao.interop.paddle_style.autograd import PyLayer
    >>> class Scaled(PyLayer):
    ...     @staticmethod
    ...     def forward(ctx, x, factor):
    ...         ctx.factor = factor
    ...         return x * factor
    ...     @staticmethod
    ...     def backward(ctx, ct):
    ...         return ct * ctx.factor
    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> Scaled.apply(x, 3).backward()
    >>> x.grad
    tensor(3.)
    """

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward`; the rules of `qd.Function.apply` hold."""
        is_tensor = [has_tensor(a) for a in (*args, *kwargs.values())]

        def backward(ctx: Any, *cts: Any) -> Any:
            answer = cls.backward(ctx, *cts)  # type: ignore[misc]
            found = list(answer) if isinstance(answer, tuple | list) else [answer]
            if len(found) != sum(is_tensor):
                return tuple(found)  # which `qd.Function` refuses, with the counts
            rest = iter(found)
            return tuple(next(rest) if t else None for t in is_tensor)

        rules = {"backward": staticmethod(backward), "apply": qd.Function.__dict__["apply"]}
        return type(cls.__name__, (cls,), rules).apply(*args, **kwargs)  # type: ignore[attr-defined]


def has_tensor(x: Any) -> bool:
    """Whether an argument is a tensor, or a container with one."""
    return any(hasattr(leaf, "process") for leaf in flatten(x)[0])
