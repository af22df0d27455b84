"""The array methods and operators that every tracer has, spelled as NumPy's functions.

Each goes through NumPy's own dispatch, so the rule is found in one table whoever asks.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .avals import Dtype, Shape, Value, describe
from .dispatch import Tracer, overrides, snapshot
from .errors import DetachError, GradientError
from .flat import Flat
from .modes import TAPE, modes
from .outliving import living
from .standard import StandardMethods
from .views import View

CONVERT = (
    "compute with NumPy functions (np.sin, not math.sin), fill an array made by np.zeros_like(x) "
    "or np.stack, or cut on purpose with .detach()"
)
READ = (
    "compute with the element itself, x[i] (which prints and formats as its number), or cut on "
    "purpose with qd.stop_gradient(x)"
)
UNCHANGED = ", or let qd.lift(f) run the function unchanged"  # what is traced is so already


class Memory:
    """An attribute that hands out an array's memory, which no tracer can without losing it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tracer: Any, owner: type) -> Any:
        raise AttributeError(
            f"{self.name}: a {owner.__name__.lower()} has no memory to show; to cut the gradient "
            f"on purpose take that of the array, x.detach().numpy().{self.name}"
        )


def in_place(ufunc: np.ufunc) -> Any:
    """`x += v` and its kin: numbers are replaced, arrays are written into."""

    def method(self: Any, other: Any) -> Any:
        return ufunc(self, other) if self.is_number() else ufunc(self, other, out=(self,))

    return method


def equality(ufunc: np.ufunc, otherwise: bool) -> Any:
    """`x == y` or `x != y`: with a text, which equals no number, as it is for NumPy's arrays."""

    def compared(self: Any, other: Any) -> Value:
        if isinstance(other, str | bytes):
            return self.constant(np.full(self.shape, otherwise)[()])
        return ufunc(self, other)

    return compared


def power_by(power: Any) -> Any:
    """The method of `x ** y`, which refuses the third argument of Python's `pow`.

    It squares for 2: of an array of bools as NumPy does, to 8 bits.
    """

    def raised(self: Any, other: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise TypeError(
                "pow: a modulus is for Python's whole numbers; write (x ** y) % modulus for arrays"
            )
        if type(other) is int and other == 2 and self.dtype.kind == "b" and self.shape:
            return np.square(self)
        return power(self, other)

    return raised


class ArrayMethods(StandardMethods, NDArrayOperatorsMixin):
    """Operators, properties and methods of an array, for tracers."""

    __slots__ = ()
    __hash__ = object.__hash__
    __pow__ = power_by(NDArrayOperatorsMixin.__pow__)
    __eq__ = equality(np.equal, False)
    __ne__ = equality(np.not_equal, True)

    if TYPE_CHECKING:  # what the tracer beside it has

        def __array_ufunc__(
            self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
        ) -> Value: ...
        @property
        def shape(self) -> Shape: ...
        @property
        def dtype(self) -> Dtype: ...

        level: float

        def concrete(self) -> Any: ...
        def parts(self) -> tuple[Value, ...]: ...
        def refuse(self, act: str, instead: str) -> Any: ...

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The steps in memory, in bytes, of an array of this shape without gaps."""
        steps = [self.itemsize]
        for n in self.shape[:0:-1]:
            steps.append(steps[-1] * n)
        return tuple(steps[: self.ndim][::-1])

    @property
    def T(self) -> Value:
        return np.transpose(self)

    @property
    def mT(self) -> Value:
        return np.matrix_transpose(self)

    @property
    def real(self) -> Value:
        return np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        part = np.real(self) if self.dtype.kind == "c" else self
        part[...] = value

    @property
    def imag(self) -> Value:
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise TypeError(f"imag: a {self.dtype} array has no imaginary part to set")
        np.imag(self)[...] = value

    @property
    def flat(self) -> Flat:
        return Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        Flat(self)[:] = value

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __getitem__(self, index: Any) -> Value:
        return overrides[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.overwrite(overrides[operator.setitem](self, index, value))

    def overwrite(self, new: Value) -> None:
        """Move this handle on to `new`, which has its shape."""
        raise NotImplementedError

    def is_number(self) -> bool:
        """Whether a transform's user holds a number here, which `x += v` does not change in place.

        NumPy's functions give numbers, not arrays, where no axes are left: after `t = s; s += v`
        the name t has the old number.  On the tape tensors are written into, as in torch.
        """
        if self.shape or self.level <= TAPE or isinstance(self, View):
            return False
        inner: Any = self
        while isinstance(inner, Tracer) and (parts := inner.parts()):
            inner = parts[0]
        return not (isinstance(inner, np.ndarray) and inner.ndim == 0)

    def same_level(self, new: Value) -> Value:
        """`new`, to be written into this tracer; one of an inner transform has no place here."""
        if modes.recording is not None:
            modes.recording.check_write(self)
        while isinstance(new, Tracer):
            if new.level == self.level:
                return new
            wrapped, new = new, new.unwrapped()
            if new is wrapped:
                break
        raise GradientError(
            "setitem: a value of an inner transform cannot be written into an array of an outer "
            "one; make the target from the value, np.zeros_like(x), or use np.stack"
        )

    def __bool__(self) -> bool:
        return bool(self.concrete())

    def __float__(self) -> float:
        return float(self._convert("float(x)"))

    def __int__(self) -> int:
        return int(self._convert("int(x)"))

    def __complex__(self) -> complex:
        return complex(self._convert("complex(x)"))

    def __index__(self) -> int:
        return operator.index(self._convert("using x as an index"))

    def as_integer_ratio(self) -> tuple[int, int]:
        """As a float's: what the statistics module computes with."""
        return float(self._convert("x.as_integer_ratio(), as in statistics")).as_integer_ratio()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        instead = (
            "for an array of several use np.stack([a, b]), to fill one start from "
            "np.zeros_like(x), for n.dot(x) write np.dot(n, x), for S @ x with a sparse S "
            "qd.scipy.sparse.matmul(S, x), or cut on purpose with .detach()"
        )
        value = self._convert("conversion to a plain NumPy array", instead)
        if copy is not False:  # values never change, and graphs have kept this one
            return np.array(value, dtype=dtype)
        shared = np.array(value, dtype=dtype, copy=False).view()
        shared.flags.writeable = False
        return shared

    def _convert(self, act: str, instead: str = CONVERT) -> Any:
        living(self)
        self.refuse(act, instead if modes.tracing else instead + UNCHANGED)
        return self.concrete()

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()} {describe(self.shape, self.dtype)}"

    def __round__(self, ndigits: int | None = None) -> Value:
        """As `round` of NumPy's numbers: whole without `ndigits`, which is no integer here."""
        return np.round(self, ndigits or 0)

    def printed(self) -> Value | None:
        """The value to print, or None where there is no one value, as in a batch."""
        try:
            return self.concrete()
        except DetachError:
            return None

    def __format__(self, spec: str) -> str:
        return format(self.concrete(), spec) if spec else str(self)

    def item(self, *args: Any) -> Any:
        """The Python number of a one-element array.

        On the tape reading it ends the derivative there, as in torch; in a transform, whose
        user sees no tensors and would not expect that, it raises `DetachError`.
        """
        return self.read("x.item()").item(*args)

    def tolist(self) -> Any:
        """Nested lists of Python numbers, on the same terms as `item`."""
        return self.read("x.tolist()").tolist()

    def read(self, act: str) -> Any:
        """The array for a user who takes numbers out by `act`, unless a transform loses by it."""
        if TAPE < self.level <= modes.inside and self.level.is_integer():
            self.refuse(act, READ if modes.tracing else READ + UNCHANGED)
        for part in self.parts():
            if isinstance(part, ArrayMethods):
                part.read(act)
        value = self.concrete()
        return value if isinstance(value, Tracer) else np.asarray(value)

    data = Memory()
    resize = Memory()
    tobytes = Memory()
    view = Memory()

    __iadd__ = in_place(np.add)
    __isub__ = in_place(np.subtract)
    __imul__ = in_place(np.multiply)
    __itruediv__ = in_place(np.divide)
    __ifloordiv__ = in_place(np.floor_divide)
    __imod__ = in_place(np.remainder)
    __ipow__ = in_place(np.power)

    # Reductions.  What a method does not name is handed on to NumPy's function of that name, which
    # has the same parameters in the same order: `rest` and `options`.

    def sum(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.sum(self, axis, *rest, **options)

    def prod(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.prod(self, axis, *rest, **options)

    def mean(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.mean(self, axis, *rest, **options)

    def var(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.var(self, axis, *rest, **options)

    def std(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.std(self, axis, *rest, **options)

    def max(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.max(self, axis, *rest, **options)

    def min(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.min(self, axis, *rest, **options)

    def argmax(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.argmax(self, axis, *rest, **options)

    def argmin(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.argmin(self, axis, *rest, **options)

    def all(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.all(self, axis, *rest, **options)

    def any(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.any(self, axis, *rest, **options)

    def cumsum(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.cumsum(self, axis, *rest, **options)

    def cumprod(self, axis: Any = None, *rest: Any, **options: Any) -> Value:
        return np.cumprod(self, axis, *rest, **options)

    def trace(
        self, offset: int = 0, axis1: int = 0, axis2: int = 1, *rest: Any, **options: Any
    ) -> Value:
        return np.trace(self, offset, axis1, axis2, *rest, **options)

    # Shape

    def reshape(self, *shape: Any, order: Any = "C", **options: Any) -> Value:
        wanted = shape[0] if len(shape) == 1 else shape
        return np.reshape(self, wanted, order=order, **options)

    def ravel(self, order: Any = "C") -> Value:
        return np.ravel(self, order=order)

    def flatten(self, order: Any = "C") -> Value:
        return np.copy(np.ravel(self, order=order))

    def transpose(self, *axes: Any) -> Value:
        order = axes[0] if len(axes) == 1 else axes or None
        return np.transpose(self, order)

    def swapaxes(self, axis1: int, axis2: int) -> Value:
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Value:
        return np.squeeze(self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Value:
        return np.repeat(self, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
        return np.diagonal(self, offset, axis1, axis2)

    # Elements

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def take(
        self, indices: Any, axis: int | None = None, out: Any = None, mode: Any = "raise"
    ) -> Value:
        return np.take(self, indices, axis, out, mode)

    def choose(self, choices: Any, out: Any = None, mode: Any = "raise") -> Value:
        return np.choose(self, choices, out, mode)

    def clip(self, min: Any = None, max: Any = None, *rest: Any, **options: Any) -> Value:
        return np.clip(self, min, max, *rest, **options)

    def round(self, decimals: int = 0, out: Any = None) -> Value:
        return np.round(self, decimals, out)

    def argsort(self, axis: int | None = -1, *rest: Any, **options: Any) -> Value:
        return np.argsort(self, axis, *rest, **options)

    def argpartition(self, kth: Any, axis: int | None = -1, *rest: Any, **options: Any) -> Value:
        return np.argpartition(self, kth, axis, *rest, **options)

    def sort(self, axis: int = -1, *rest: Any, **options: Any) -> None:
        """Sort in place along an axis."""
        self[...] = np.sort(self, axis, *rest, **options)

    def partition(self, kth: Any, axis: int = -1, *rest: Any, **options: Any) -> None:
        """Partition in place along an axis."""
        self[...] = np.partition(self, kth, axis, *rest, **options)

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        """Write into the flat array at `indices`."""
        np.put(self, indices, values, mode)  # type: ignore[arg-type]

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Value:
        return np.compress(condition, self, axis, out)

    def searchsorted(self, v: Any, side: Any = "left", sorter: Any = None) -> Value:
        return np.searchsorted(self, v, side, sorter)

    def nonzero(self) -> Value:
        return np.nonzero(self)

    def dot(self, b: Any, out: Any = None) -> Value:
        return np.dot(self, b, out)

    def conj(self) -> Value:
        return np.conj(self) if self.dtype.kind == "c" else self  # NumPy's method makes no copy

    def conjugate(self) -> Value:
        return self.conj()

    def copy(self, order: Any = "C") -> Value:
        return np.copy(self)

    def clone(self) -> Value:
        """A copy that stays in the graph: torch's name."""
        return np.copy(self)

    def astype(
        self,
        dtype: Any,
        order: Any = "K",
        casting: Any = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> Value:
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"astype: casting {self.dtype} to {np.dtype(dtype)} is not {casting!r}")
        cast = overrides[np.ndarray.astype](self, dtype)
        return snapshot(cast) if copy and cast is self else cast

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def fill(self, value: Any) -> None:
        """Write one value everywhere."""
        self[...] = value
