"""From NumPy's lenient calls to strict primitives: operands, keywords, axes."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.arriving import arrived, check_class
from ..core.avals import Value
from ..core.dispatch import Tracer, concrete, implements_method, overrides, underlying
from ..core.errors import DetachError, DtypeError, RuleError, ShapeError
from ..core.modes import modes
from ..core.primitive import Primitive

Function = Callable[..., Any]
_NUMBERS = (float, int, complex)
_PLAIN = (np.ndarray, np.generic, float, int, complex)


def operand(x: Any) -> Value:
    """An operand as a primitive takes it: arrays, scalars and tracers pass, lists become arrays."""
    if isinstance(x, Tracer) or type(x) is np.ndarray:
        return x
    if isinstance(x, _PLAIN):
        check_class(x)
        return x
    if isinstance(x, list | tuple) and holds_tracer(x):
        return np.stack([operand(e) for e in x])
    if isinstance(x, numbers.Rational):
        return float(x)  # a fraction, of which NumPy would make an object
    value = arrived(x)
    if hasattr(x, "tocoo") and isinstance(value, np.ndarray) and value.dtype.kind == "O":
        raise DtypeError(
            f"{type(x).__name__}: a sparse matrix is no operand beside a tensor; use "
            "qd.scipy.sparse.matmul(S, x), make it a qd.scipy.sparse.csr_array, or take S.toarray()"
        )
    return value


def holds_tracer(x: Any) -> bool:
    """Whether a value is a tracer, or a list with one in it, at any depth."""
    if isinstance(x, list | tuple):
        return any(map(holds_tracer, x))
    return isinstance(x, Tracer)


def array(x: Any) -> Value:
    """An operand that has axes: Python scalars become arrays too."""
    if isinstance(x, Tracer):
        return x
    return np.asarray(x) if isinstance(x, _NUMBERS) else operand(x)


def face(primitive: Primitive, *functions: Any) -> Primitive:
    """Let NumPy's elementwise `functions` find `primitive`."""
    meets(*functions)(primitive)
    return primitive


def meets(*functions: Any) -> Callable[[Function], Function]:
    """Let NumPy's elementwise `functions` find ours, with the keywords that a ufunc takes."""
    name = functions[0].__name__

    def register(ours: Function) -> Function:
        def call(
            *xs: Any,
            where: Any = True,
            dtype: Any = None,
            casting: str = "same_kind",
            order: str = "K",
            subok: bool = True,
            signature: Any = None,
            sig: Any = None,
        ) -> Value:
            if where is not True:
                raise RuleError(
                    f"{name}: where= leaves the other lanes undefined; "
                    f"write np.where(mask, np.{name}(x), otherwise), or give out= a tensor too"
                )
            signature = sig if signature is None else signature
            given = map(operand, xs)
            if dtype is None and signature is None and casting == "same_kind":
                return ours(*given)
            return in_dtypes(functions[0], ours, tuple(given), dtype, casting, signature)

        call.__name__ = name
        for function in functions:
            overrides[function] = call
        return ours

    return register


def in_dtypes(
    ufunc: Any, ours: Function, xs: tuple[Value, ...], dtype: Any, casting: str, signature: Any
) -> Value:
    """`ours(*xs)` in the dtypes that NumPy would compute it in, which may refuse them."""
    if dtype is not None and signature is None:
        signature = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
    kinds = tuple(type(x) if isinstance(x, _NUMBERS) else x.dtype for x in xs)
    options = {} if signature is None else {"signature": signature}
    loop = ufunc.resolve_dtypes(kinds + (None,) * ufunc.nout, casting=casting, **options)
    cast = overrides[np.ndarray.astype]
    result = ours(*(cast(array(x), kind) for x, kind in zip(xs, loop, strict=False)))
    made, wanted = (result if isinstance(result, tuple) else (result,)), loop[ufunc.nin :]
    made = tuple(
        y if y.dtype == kind else cast(y, kind) for y, kind in zip(made, wanted, strict=True)
    )
    return made if isinstance(result, tuple) else made[0]


@implements_method(None, "outer")
def outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Value:
    """`ufunc.outer(a, b)`: each element of `a` with each of `b`."""
    first, second = array(a), array(b)
    return ufunc(np.reshape(first, (*first.shape, *(1,) * second.ndim)), second, **options)


def whole(value: Any) -> int:
    """An integer argument, from any integer type."""
    return operator.index(value)


def delivered(name: str, result: Value, out: Any) -> Value:
    """A result, written into the tensor that the call gave as `out=` (None: none)."""
    if out is None:
        return result
    if not isinstance(out, Tracer):
        if not isinstance(result, Tracer):  # no gradient to lose: a mask, a count
            np.copyto(out, result, casting="same_kind")
            return out
        raise DetachError(
            f"{name}: out= is a plain NumPy array, and writing the result into it would cut the "
            "gradient in silence; take the returned value, or make the target np.zeros_like(t)"
        )
    out[...] = result  # type: ignore[index]
    return out


def known(x: Value) -> Value | None:
    """The plain value of an operand, or None where it differs between the examples of a batch."""
    try:
        return concrete(x)
    except DetachError:
        return None


def seen(x: Value) -> Value | None:
    """The array underneath all levels, of a batch with all its examples; None of a traced value."""
    recording = modes.recording
    return None if recording is not None and recording.is_symbolic(x) else underlying(x)


def from_end(axis: Any, ndim: int, name: str) -> int:
    """An axis counted from the end, so that a leading batch axis leaves it right."""
    k = whole(axis)
    if not -ndim <= k < ndim:
        raise np.exceptions.AxisError(k, ndim, name)
    return k - ndim if k >= 0 else k


def with_axis(x: Value) -> Value:
    """An operand with an axis at least: some functions take a number along its axis 0 or -1."""
    return x if x.ndim else np.reshape(x, (1,))


def axes_from_end(axis: Any, ndim: int, name: str, strict: bool = False) -> tuple[int, ...]:
    """A NumPy `axis` argument (None: all) as distinct axes from the end, sorted.

    Unless `strict`, a number may be reduced along its axis 0 or -1, as ufuncs allow.
    """
    if axis is None:
        return tuple(range(-ndim, 0))
    given: Iterable[Any] = axis if isinstance(axis, tuple | list) else (axis,)
    if ndim == 0 and not strict and given == (axis,) and whole(axis) in (0, -1):
        return ()
    axes = tuple(sorted(from_end(a, ndim, name) for a in given))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{name}: axis={axis} names an axis twice; name each once")
    return axes
