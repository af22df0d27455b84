"""Translated: an array of another library that answers NumPy's functions by the array standard's.

Only `evaluate` of a primitive meets it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .elementwise import elementwise, is_array
from .functions import functions, reductions, running
from .hosted import Hosted
from .indices import take_basic


class ForeignConversionError(TypeError):
    """A rule wants the numbers of a foreign array as a NumPy array."""


class Translated(Hosted):
    """An array of another library with NumPy's shape, dtype, operators, methods and functions."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        options = {k: v for k, v in options.items() if v is not None and v is not np._NoValue}
        if method == "__call__":
            if "out" in options and inputs[0] is options["out"][0]:  # a += b, by a new array
                target = inputs[0]
                if not isinstance(target, Translated):
                    raise ForeignConversionError
                del options["out"]
                target.array = self.__array_ufunc__(ufunc, method, *inputs, **options).array
                return target
            ours = elementwise.get(ufunc) or self.library.own(ufunc)
            if ours is None or options:
                raise self.library.lacks(ufunc.__name__)
            return self.answer(computed(ufunc, ours, self, inputs))
        table = {"reduce": reductions, "accumulate": running}.get(method, {})
        if ufunc not in table:
            raise self.library.lacks(f"{ufunc.__name__}.{method}")
        return self.answer(
            table[ufunc](self.library, self.foreign(inputs[0]), *inputs[1:], **options)
        )

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        ours = functions.get(function)
        if ours is None:
            module = getattr(function, "__module__", None) or "numpy"
            raise self.library.lacks(f"{module}.{function.__name__}")
        named = {k: self.foreign(v) for k, v in kwargs.items() if v is not np._NoValue}
        return self.answer(ours(self.library, *map(self.foreign, args), **named))

    def foreign(self, x: Any) -> Any:
        """An argument as the library takes it."""
        if isinstance(x, Translated):
            return x.array
        if isinstance(x, np.ndarray | np.generic):
            return self.library.constant(x, self.array)
        if isinstance(x, tuple | list) and type(x) in (tuple, list):
            return type(x)(map(self.foreign, x))
        return x

    def answer(self, out: Any) -> Any:
        """What the library gave, translated again."""
        if isinstance(out, tuple):
            return tuple(map(self.answer, out))
        is_foreign = is_array(out) and not isinstance(out, np.ndarray | np.generic)
        return Translated(out, self.library) if is_foreign else out

    def __getitem__(self, index: Any) -> Any:
        parts = index if type(index) is tuple else (index,)
        if any(isinstance(part, Translated | np.ndarray | list) for part in parts):
            raise self.library.lacks("getitem", "an index with arrays")
        return Translated(take_basic(self.library, self.array, parts), self.library)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise ForeignConversionError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise ForeignConversionError

    def astype(self, dtype: Any, *rest: Any, **options: Any) -> Translated:
        return Translated(self.library.cast(self.array, np.dtype(dtype)), self.library)


def computed(ufunc: np.ufunc, ours: Any, like: Translated, inputs: tuple[Any, ...]) -> Any:
    """`ours` of operands in the dtypes that NumPy would compute in."""
    kinds = tuple(
        type(x)
        if type(x) in (int, float, complex)
        else np.dtype(bool)
        if type(x) is bool
        else x.dtype
        for x in inputs
    )
    loop = ufunc.resolve_dtypes(kinds + (None,) * ufunc.nout)
    library = like.library
    given = [
        library.cast(x.array, kind)
        if isinstance(x, Translated)
        else library.constant(x, like.array, kind)
        for x, kind in zip(inputs, loop, strict=False)
    ]
    out = ours(library, *given)
    if isinstance(out, tuple):
        return tuple(library.cast(y, k) for y, k in zip(out, loop[ufunc.nin :], strict=True))
    return library.cast(out, loop[-1])
