"""Making arrays like others, and asking about them without computing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, concrete, implements
from .faces import operand


def like(x: Value, value: Any) -> Value:
    """A constant that records what is written into it, as a sibling of `x`."""
    return x.constant(value) if isinstance(x, Tracer) else value


def chosen(a: Any, dtype: Any, shape: Any) -> tuple[Any, Any]:
    """The dtype and shape of a `*_like` call."""
    return dtype or a.dtype, a.shape if shape is None else shape


@implements(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True,
               shape: Any = None, *, device: Any = None) -> Value:  # fmt: skip
    """Zeros of the shape and dtype of `a`, which record what is written into them."""
    dtype, shape = chosen(a, dtype, shape)
    return like(a, np.zeros(shape, dtype))


@implements(np.empty_like)
def empty_like(prototype: Any, dtype: Any = None, order: str = "K", subok: bool = True,
               shape: Any = None, *, device: Any = None) -> Value:  # fmt: skip
    """As `zeros_like`."""
    return zeros_like(prototype, dtype, order, subok, shape)


@implements(np.ones_like)
def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True,
              shape: Any = None, *, device: Any = None) -> Value:  # fmt: skip
    """Ones of the shape and dtype of `a`, which record what is written into them."""
    dtype, shape = chosen(a, dtype, shape)
    return like(a, np.ones(shape, dtype))


@implements(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
              shape: Any = None, *, device: Any = None) -> Value:  # fmt: skip
    """`fill_value`, which may carry a gradient, broadcast to the shape of `a`."""
    dtype, shape = chosen(a, dtype, shape)
    fill = operand(fill_value)
    if not isinstance(fill, Tracer):
        return like(a, np.full(shape, fill, dtype))
    return np.copy(np.broadcast_to(fill.astype(dtype), shape))  # type: ignore[attr-defined]


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    """The lengths of the axes."""
    return tuple(operand(a).shape)


@implements(np.ndim)
def ndim(a: Any) -> int:
    """The number of axes."""
    return len(operand(a).shape)


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    """The number of elements, all or along an axis."""
    x = operand(a)
    return int(x.size) if axis is None else int(x.shape[axis])


def bare(x: Any) -> Any:
    """What NumPy needs to know of the dtype of an argument."""
    return x.dtype if isinstance(x, Tracer) else x


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype that an operation on these would have."""
    return np.result_type(*map(bare, arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether a cast between dtypes is allowed."""
    return np.can_cast(bare(from_), to, casting)


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex."""
    return bool(bare(x).kind == "c")


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def shown(function: Any) -> Any:
    """A function that reads values only to show or compare them."""

    def read(*args: Any, **kwargs: Any) -> Any:
        return function(*map(concrete, args), **kwargs)

    implements(function)(read)
    return read


for _reader in (
    np.array_equal, np.array_equiv, np.allclose,
    np.may_share_memory, np.shares_memory,
):  # fmt: skip
    shown(_reader)


def printed(function: Any) -> None:
    """A function that shows an array, of which a 0-d one must stay an array."""

    def show(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(np.asarray(concrete(a)), *args, **kwargs)

    implements(function)(show)


for _printer in (np.array2string, np.array_repr, np.array_str):
    printed(_printer)


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write `src` into a tensor; into a plain array it would lose the gradient."""
    if not isinstance(dst, Tracer):
        for x in (src, where):
            if isinstance(x, Tracer):
                x.refuse(
                    "copyto into a plain NumPy array",
                    "make the target from the source, np.zeros_like(t), or write "
                    "np.broadcast_to(t, shape) instead of np.full_like(n, t)",
                )
        np.copyto(dst, concrete(src), casting, concrete(where))
        return
    src = operand(src)
    given = np.result_type(bare(src))
    if not np.can_cast(given, dst.dtype, casting):
        raise TypeError(
            f"copyto: {given} does not cast to {dst.dtype} by the rule {casting!r}; give another "
            "casting="
        )
    overwritten: Any = dst
    overwritten[...] = src if where is True else np.where(where, src, overwritten)
