"""Gradients, Jacobians and their products, as HIPS autograd names and means them."""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd

from ...core.dispatch import Tracer
from ...core.errors import QiudaoError
from ...core.signatures import signature
from .running import (
    capturable,
    conjugate,
    differentiable,
    level_of,
    pulled,
    pushed,
    warn_if_independent,
)
from .spaces import vspace
from .wrap_util import check_argnum, chosen, get_name, unary_to_nary, wrap_nary_f

__all__ = [
    "checkpoint",
    "deriv",
    "egrad",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]

Function = Callable[..., Any]
Unary = Callable[[Any], Any]


def make_vjp(fun: Function, argnum: Any = 0) -> Function:
    """A function of the arguments of `fun` that gives (pullback, value).

    The pullback maps a cotangent of the value to that of the argument `argnum`, g -> g^T J.

    >>> from qiudao.interop.autograd import make_vjp
    >>> vjp, value = make_vjp(np.sin)(0.0)
    >>> float(value), float(vjp(2.0))
    (0.0, 2.0)
    """
    return _make_vjp(fun, argnum)


@unary_to_nary
def _make_vjp(fun: Unary, x: Any) -> Any:
    return pulled(fun, x)


def make_jvp(fun: Function, argnum: Any = 0) -> Function:
    """A function of the arguments of `fun` that gives its pushforward, v -> (value, J v).

    >>> from qiudao.interop.autograd import make_jvp
    >>> value, change = make_jvp(np.exp)(0.0)(3.0)
    >>> float(value), float(change)
    (1.0, 3.0)
    """
    return _make_jvp(fun, argnum)


@unary_to_nary
def _make_jvp(fun: Unary, x: Any) -> Any:
    return pushed(fun, x)


def scalar_result(fun: Function, argnum: Any, name: str) -> Function:
    """`fun`, its result brought to a scalar or refused."""

    def scalar(*args: Any, **kwargs: Any) -> Any:
        y = capturable(fun)(*args, **kwargs)
        level = level_of(chosen(args, argnum))
        if not isinstance(y, Tracer) or y.level != level or not y.carries():
            if not isinstance(y, Tracer | np.ndarray | np.generic | float):
                raise TypeError(
                    f"{name}: only real scalar-output functions have a gradient, and this one "
                    f"returned {type(y).__name__}; return a float"
                )
            warn_if_independent(y, level)
        elif y.shape == () and y.dtype.kind == "f":
            return y
        if np.shape(y) != () or np.iscomplexobj(y):
            if np.size(y) != 1 or np.iscomplexobj(y):
                raise TypeError(
                    f"{name} only applies to real scalar-output functions, and this one returned "
                    f"shape {np.shape(y)} of {y.dtype}. "
                    "Try jacobian, elementwise_grad or holomorphic_grad."
                )
            return np.reshape(y, ())
        return y

    return scalar


def grad(fun: Function, argnum: Any = 0) -> Function:
    """The gradient of a function with one real result, in the argument number `argnum`.

    The gradient mirrors that argument: an array, a number, or a tuple, list or dict of them; with
    several numbers it is a tuple.  For complex z = x + iy it is df/dx - i df/dy.

    >>> from qiudao.interop.autograd import grad
    >>> grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    both = gradients(fun, argnum, "Grad", fun)

    @wrap_nary_f(fun, grad, argnum)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(fun: Function, argnum: Any = 0) -> Function:
    """The value of a function with one real result, and its gradient: (value, gradient).

    >>> from qiudao.interop.autograd import value_and_grad
    >>> value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    both = gradients(fun, argnum, "value_and_grad", fun)

    @wrap_nary_f(fun, value_and_grad, argnum)
    def with_value(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)

    return with_value


def gradients(fun: Function, argnum: Any, name: str, of: Function) -> Function:
    """`qd.value_and_grad` with this library's checks and conventions."""
    check_argnum(argnum)
    numbers = (argnum,) if isinstance(argnum, int) else tuple(argnum)
    both = qd.value_and_grad(scalar_result(fun, argnum, name), argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        ready = list(args)
        for n in numbers:
            ready[n] = differentiable(args[n])
        value, gradient = both(*ready, **kwargs)
        return value, gradient if type(gradient) is np.ndarray and gradient.dtype.kind == "f" else (
            conjugate(gradient)
        )

    return value_and_gradient


def elementwise_grad(fun: Function, argnum: Any = 0) -> Function:
    """The sums of the columns of the Jacobian; its diagonal, for a function of each element.

    >>> from qiudao.interop.autograd import elementwise_grad
    >>> elementwise_grad(np.exp)(np.zeros(2))
    array([1., 1.])
    """
    return _elementwise_grad(fun, argnum)


egrad = elementwise_grad


@unary_to_nary
def _elementwise_grad(fun: Unary, x: Any) -> Any:
    vjp, value = pulled(fun, x)
    if isinstance(value, np.ndarray | np.generic | Tracer) and value.dtype.kind == "f":
        return vjp(np.ones(value.shape, value.dtype)[()])
    space = vspace(value)
    if space.iscomplex:
        raise TypeError(
            "elementwise_grad only applies to real-output functions, and this one returned "
            f"{space.dtype}; take np.real of it, or use holomorphic_grad"
        )
    return vjp(space.ones())


def deriv(fun: Function, argnum: Any = 0) -> Function:
    """The derivative along ones, by forward mode: of a function of a number, its derivative.

    >>> from qiudao.interop.autograd import deriv
    >>> float(deriv(np.sin)(0.0))
    1.0
    """
    return _deriv(fun, argnum)


@unary_to_nary
def _deriv(fun: Unary, x: Any) -> Any:
    return pushed(fun, x)(vspace(x).ones())[1]


def jacobian(fun: Function, argnum: Any = 0) -> Function:
    """The Jacobian of a function of arrays: entry [i..., j...] is d out[i...] / d x[j...].

    All rows are pulled at once; where a rule of the user's cannot take a batch, one by one.

    >>> from qiudao.interop.autograd import jacobian
    >>> jacobian(lambda x: x[:1] * x)(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    return _jacobian(fun, argnum)


@unary_to_nary
def _jacobian(fun: Unary, x: Any) -> Any:
    vjp, value = pulled(fun, x)
    shape = (*np.shape(value), *np.shape(x))
    if np.iscomplexobj(value):
        raise TypeError(
            "jacobian only applies to real-output functions, and this one returned "
            f"{value.dtype}; take np.real and np.imag of it, one after the other"
        )
    return np.reshape(rows(vjp, value), shape)


def rows(vjp: Unary, value: Any) -> Any:
    """The pullback of each unit vector, stacked."""
    size = int(np.size(value))
    dtype = value.dtype if hasattr(value, "dtype") else np.result_type(value)
    units = np.eye(size, dtype=dtype).reshape((size, *np.shape(value)))
    if size > 1:
        try:
            return qd.vmap(vjp)(units)
        except (QiudaoError, TypeError, ValueError, IndexError):
            pass  # from a rule that is written for one example: the loop raises what is wrong
    return np.stack([vjp(unit) for unit in units])


def holomorphic_grad(fun: Function, argnum: Any = 0) -> Function:
    """The complex derivative of a holomorphic function.

    >>> from qiudao.interop.autograd import holomorphic_grad
    >>> complex(holomorphic_grad(lambda z: z**2)(1.0 + 2.0j))
    (2+4j)
    """
    return _holomorphic_grad(fun, argnum)


@unary_to_nary
def _holomorphic_grad(fun: Unary, x: Any) -> Any:
    if not vspace(x).iscomplex:
        warnings.warn("Input to holomorphic_grad is not complex", stacklevel=3)
    return grad(lambda z: np.real(fun(z)))(x)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient in the argument of this name, which the caller passes by position.

    >>> from qiudao.interop.autograd import grad_named
    >>> float(grad_named(lambda x, y: x * y**2, "y")(1.0, 3.0))
    6.0
    """
    names = inspect.getfullargspec(fun).args
    if argname not in names:
        raise ValueError(
            f"grad_named: {get_name(fun)} has no argument {argname!r}; it has {', '.join(names)}"
        )
    return grad(fun, names.index(argname))


def hessian(fun: Function, argnum: Any = 0) -> Function:
    """The Hessian: second derivatives, entry [..., j..., k...].

    >>> from qiudao.interop.autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return _hessian(fun, argnum)


@unary_to_nary
def _hessian(fun: Unary, x: Any) -> Any:
    return jacobian(jacobian(fun))(x)


def make_hvp(fun: Function, argnum: Any = 0) -> Function:
    """A function of the arguments of `fun` that gives (v -> H v, gradient).

    >>> from qiudao.interop.autograd import make_hvp
    >>> hvp, gradient = make_hvp(lambda x: np.sum(x**3))(np.ones(2))
    >>> hvp(np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return _make_hvp(fun, argnum)


@unary_to_nary
def _make_hvp(fun: Unary, x: Any) -> Any:
    return pulled(grad(fun), x)


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """A function of (*args, v) that gives the Hessian times `v`, which is shaped like the argument.

    >>> from qiudao.interop.autograd import hessian_vector_product
    >>> hessian_vector_product(lambda x: np.sum(x**3))(np.ones(2), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    gradient = grad(fun, argnum)

    def vector_dot_grad(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        return np.tensordot(gradient(*given, **kwargs), vector, np.ndim(vector))

    return grad(vector_dot_grad, argnum)


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """A function of (*args, v) that gives v^T J, `v` contracted with the leading axes of J.

    >>> from qiudao.interop.autograd import tensor_jacobian_product
    >>> tensor_jacobian_product(np.exp)(np.zeros(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """

    def vector_dot_fun(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        return np.tensordot(vector, fun(*given, **kwargs), axes=np.ndim(vector))

    return jacobian(vector_dot_fun, argnum)


vector_jacobian_product = tensor_jacobian_product


def make_jvp_reversemode(fun: Function, argnum: Any = 0) -> Function:
    """The pushforward v -> J v from reverse mode alone, as the pullback of the pullback.

    >>> from qiudao.interop.autograd.differential_operators import make_jvp_reversemode
    >>> make_jvp_reversemode(np.exp)(np.zeros(2))(np.array([1.0, 2.0]))
    array([1., 2.])
    """
    return _make_jvp_reversemode(fun, argnum)


@unary_to_nary
def _make_jvp_reversemode(fun: Unary, x: Any) -> Any:
    vjp, value = pulled(fun, x)
    return pulled(vjp, vspace(value).zeros())[0]


def half_square(x: Any) -> Any:
    """Half the sum of squares along the last axis."""
    return np.sum(x**2, axis=-1) / 2


def make_ggnvp(f: Function, g: Function = half_square, f_argnum: Any = 0) -> Function:
    """The product of the generalised Gauss-Newton matrix of g(f(x)) with a vector, J^T H J v.

    J is the Jacobian of `f` and H the Hessian of `g` at f(x).

    >>> from qiudao.interop.autograd import make_ggnvp
    >>> make_ggnvp(lambda x: 2.0 * x)(np.ones(2))(np.array([1.0, 0.0]))
    array([4., 0.])
    """

    @unary_to_nary
    def at(fun: Unary, x: Any) -> Any:
        vjp, value = pulled(fun, x)
        hvp, gradient = pulled(grad(g), value)
        jvp, _ = pulled(vjp, vspace(gradient).zeros())
        return lambda v: vjp(hvp(jvp(v)))

    return at(f, f_argnum)


def grad_and_aux(fun: Function, argnum: Any = 0) -> Function:
    """For a function that returns (scalar, anything): the gradient of the first, and the second.

    >>> from qiudao.interop.autograd import grad_and_aux
    >>> grad_and_aux(lambda x: (x**2, "extra"))(3.0)
    (np.float64(6.0), 'extra')
    """
    return _grad_and_aux(fun, argnum)


@unary_to_nary
def _grad_and_aux(fun: Unary, x: Any) -> Any:
    gradient, aux = qd.grad(fun, has_aux=True)(differentiable(x))
    return conjugate(gradient), aux


def multigrad_dict(fun: Function) -> Function:
    """The gradients in all arguments at once, by name, the defaults included.

    >>> from qiudao.interop.autograd import multigrad_dict
    >>> {k: float(g) for k, g in multigrad_dict(lambda x, y=2.0: x * y)(3.0).items()}
    {'x': 2.0, 'y': 3.0}
    """
    takes = signature(fun)

    def gradients_of(*args: Any, **kwargs: Any) -> Any:
        bound = takes.bind(*args, **kwargs)
        bound.apply_defaults()

        def with_arguments(values: dict[str, Any]) -> Any:
            call = inspect.BoundArguments(takes, OrderedDict(values))
            return fun(*call.args, **call.kwargs)

        found = grad(with_arguments)(dict(bound.arguments))
        return OrderedDict((name, found[name]) for name in bound.arguments)

    return gradients_of


def checkpoint(fun: Function) -> Function:
    """`fun`, whose intermediate values are dropped and computed again for the gradient.

    >>> from qiudao.interop.autograd import checkpoint, grad
    >>> float(grad(checkpoint(lambda x: np.sin(np.sin(x))))(0.0))
    1.0
    """
    kept: Function = qd.checkpoint(fun)
    return kept
