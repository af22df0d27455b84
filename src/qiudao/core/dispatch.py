"""How a call finds its rule: the tracer base class, the table from NumPy's functions to ours."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

import numpy as np

from .avals import Dtype, Shape, Value, describe
from .errors import DetachError, RuleError
from .references import MEASURED, outside, references

if TYPE_CHECKING:
    from .primitive import Primitive

F = TypeVar("F", bound=Callable[..., Any])
K = TypeVar("K")

_CORE = os.path.dirname(os.path.abspath(__file__)) + os.sep

later: list[str] = []  # modules with rules, imported one after the other when one is missed
later_with: dict[str, str] = {}  # those for the functions of another library, once that is loaded


class Rules(dict[K, Callable[..., Any]]):
    """A table from what NumPy calls to what we do, which its first miss completes.

    What is in no table may still be found by `otherwise`.
    """

    otherwise: Callable[[K], Callable[..., Any] | None] | None = None

    def __missing__(self, key: K) -> Callable[..., Any]:
        with_others = [m for library, m in later_with.items() if library in sys.modules]
        for module in (*later, *with_others):
            importlib.import_module(module)
            if key in self:
                return self[key]
        found = self.otherwise(key) if self.otherwise is not None else None
        if found is None:
            raise KeyError(key)
        return found

    def find(self, key: K) -> Callable[..., Any] | None:
        """The rule for `key`, or None where there is none."""
        try:
            return self[key]
        except KeyError:
            return None


overrides: Rules[Callable[..., Any]] = Rules()
ufunc_methods: Rules[tuple[np.ufunc | None, str]] = Rules()
makers: Rules[Callable[..., Any]] = Rules()  # what `like=` dispatches, given that tracer first


def implements(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register a function of ours as what NumPy's `functions` do when they meet a tracer."""

    def register(ours: F) -> F:
        for function in functions:
            overrides[function] = ours
        return ours

    return register


def newer(name: str) -> list[Callable[..., Any]]:
    """NumPy's function of that name, for `implements`; none where this NumPy is too old for it."""
    return [getattr(np, name)] if hasattr(np, name) else []


def implements_method(ufunc: np.ufunc | None, method: str) -> Callable[[F], F]:
    """Register what a ufunc's method (`reduce`, `accumulate`, `outer`...) does on a tracer.

    With None it is for every ufunc that has a rule, and is given that ufunc first.
    """

    def register(ours: F) -> F:
        ufunc_methods[ufunc, method] = ours
        return ours

    return register


def implements_like(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register what NumPy's `functions` do with `like=` a tracer, which comes first."""

    def register(ours: F) -> F:
        for function in functions:
            makers[function] = ours
        return ours

    return register


class Tracer:
    """A stand-in for an array that sees the operations applied to it.

    The tracer with the highest level among the operands handles an operation, taking the others
    as constants.
    """

    __slots__ = ()
    __pandas_priority__ = 5000
    __hash__ = object.__hash__

    is_series: ClassVar[bool] = False  # whether it is a Taylor series, found term by term
    kept_from: ClassVar[str] = ""  # the transforms that make such values, where these end
    instead_of_keeping: ClassVar[str] = "return it from the function"

    level: float

    if TYPE_CHECKING:

        @property
        def shape(self) -> Shape: ...
        @property
        def dtype(self) -> Dtype: ...

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        """Apply `primitive` to `xs`, of which this tracer has the highest level."""
        raise NotImplementedError

    def concrete(self) -> Value:
        """The NumPy value underneath all levels, for reading only."""
        raise NotImplementedError

    def underlying(self) -> Value:
        """The array underneath all levels, whose memory layout tells views from copies."""
        return next(map(underlying, self.parts()), None)

    def constant(self, value: Value) -> Value:
        """A plain value as a constant on this tracer's level, which records writes into it."""
        return value

    def parts(self) -> tuple[Value, ...]:
        """The values, one level down, that this tracer stands for."""
        return ()

    def carries(self, later: bool = True) -> bool:
        """Whether a derivative would be lost with this value.

        It would be at once, or `later`: when a derivative of the program being traced is taken.
        """
        return any(isinstance(part, Tracer) and part.carries(later) for part in self.parts())

    def is_recorded(self) -> bool:
        """Whether a backward sweep may come to what is computed from this."""
        return any(isinstance(part, Tracer) and part.is_recorded() for part in self.parts())

    def unwrapped(self) -> Value:
        """The value one level down, if this only wraps it and nothing is lost; else this."""
        return self

    def holds_nan(self) -> bool:
        """Whether a NaN is here that no part shows."""
        return False

    def is_unseen(self) -> bool:
        """Whether the values are there only when they are asked for."""
        return False

    def bare(self) -> Value:
        """What a transform hands out for this: an array of another library as that library's."""
        return self

    def taken(self) -> Value:
        """What a transform takes that is given this: what nobody else writes into."""
        return self.snapshot()

    def if_constant(self) -> Value | None:
        """The value one level down where no derivative of this level is lost by taking it."""
        return None

    def snapshot(self) -> Value:
        """What this tracer stands for now: a tracer that later writes into this one leave alone."""
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Value:
        if method == "__call__":
            ours = overrides.find(ufunc)
            if ours is not None:
                if "out" in kwargs:
                    return _into(ours, ufunc, inputs, kwargs)
                return ours(*inputs, **kwargs)
        else:
            ours = ufunc_methods.find((ufunc, method))
            if ours is None and overrides.find(ufunc) is not None:
                general = ufunc_methods.find((None, method))
                ours = functools.partial(general, ufunc) if general is not None else None
            if ours is not None:
                if "out" in kwargs:
                    return _delivered(ufunc, kwargs.pop("out"), ours(*inputs, **kwargs))
                return ours(*inputs, **kwargs)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise RuleError(
            f"{name}: qiudao has no rule for this NumPy function; "
            "write it with functions that have one, or give it one with qd.custom_vjp"
        )

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Value:
        ours = overrides.find(function)
        if ours is not None:
            return ours(*args, **kwargs)
        maker = makers.find(function)
        if maker is not None:
            return maker(self, *args, **kwargs)
        module = getattr(function, "__module__", "numpy") or "numpy"
        raise RuleError(
            f"{module}.{function.__name__}: qiudao has no rule for this NumPy function; "
            "write it with functions that have one, or give it one with qd.custom_vjp"
        )

    def refuse(self, act: str, instead: str) -> NoReturn:
        """Refuse a conversion that would lose the gradient in silence."""
        raise DetachError(
            f"{act}: this {describe(self.shape, self.dtype)} carries a gradient, which the "
            f"conversion would cut in silence; {instead}"
        )


def _into(ours: Callable[..., Any], ufunc: np.ufunc, inputs: Any, kwargs: Any) -> Value:
    """`ufunc(..., out=targets)`, of which some may be None; where `where` fails they stay.

    A plain array cannot hold a gradient.  `n += t` may all the same rebind the name `n` to the
    result, where no other name holds the array.
    """
    targets = kwargs.pop("out")
    where = kwargs.pop("where", True)
    with np.errstate(all=None if where is True else "ignore"):
        result = ours(*inputs, **kwargs)
    if where is True:
        if len(targets) == 1 and rebinds(ufunc, targets[0], result, inputs):
            return overrides[np.ndarray.astype](result, targets[0].dtype)
        return _delivered(ufunc, targets, result)
    if any(target is None for target in targets):
        return ours(*inputs, where=where, **kwargs)  # which says that lanes would be undefined
    results = result if isinstance(result, tuple) else (result,)
    kept = tuple(
        overrides[np.where](where, y, snapshot(target))
        for y, target in zip(results, targets, strict=True)
    )
    return _delivered(ufunc, targets, kept if isinstance(result, tuple) else kept[0])


def rebinds(ufunc: np.ufunc, target: Any, result: Any, inputs: Any) -> bool:
    """Whether this is `n += t` of a plain array that no other name holds."""
    if isinstance(target, Tracer) or not isinstance(result, Tracer):
        return False
    if not inputs or target is not inputs[0] or target.base is not None:
        return False
    frame = outside(lambda file: file.startswith(_CORE) and file != MEASURED)
    if not references.are_of_one_name(target, inputs[-1], frame):
        return False
    check_output(ufunc.__name__, result, target)
    return True


def _delivered(ufunc: np.ufunc, targets: tuple[Any, ...], result: Any) -> Any:
    """The results of a ufunc, each written into its target if it has one."""
    if not isinstance(result, tuple):
        return _written(ufunc, targets[0], result)
    return tuple(_written(ufunc, *pair) for pair in zip(targets, result, strict=True))


def _written(ufunc: np.ufunc, target: Any, result: Any) -> Any:
    """One result, in its target, which NumPy lets be larger but not of another kind."""
    if target is None:
        return result
    if isinstance(result, Tracer) and not isinstance(target, Tracer):
        result.refuse(
            f"{ufunc.__name__} into a plain NumPy array",
            "take the result by itself (n = n + t, not n += t or out=n), or make the array a "
            "tensor, qd.tensor(n) or np.zeros_like(t)",
        )
        result = result.concrete()
    check_output(ufunc.__name__, result, target, grows=True)
    if isinstance(target, Tracer):
        target[...] = result  # type: ignore[index]
    else:
        np.copyto(target, result, casting="same_kind")
    return target


def check_output(name: str, result: Any, target: Any, grows: bool = False) -> None:
    """What NumPy asks of an output: the shape of the result, and a dtype of its kind.

    Where it `grows`, the result is repeated to a larger shape.
    """
    fits = np.shape(result) == target.shape
    if not fits and grows:
        shapes = (np.shape(result), target.shape)
        fits = len(shapes[0]) <= len(shapes[1]) and all(
            a in (1, b) for a, b in zip(shapes[0][::-1], shapes[1][::-1], strict=False)
        )
    if not fits:
        raise ValueError(
            f"{name}: an output of shape {target.shape} cannot take the broadcast shape "
            f"{result.shape}; write n = n + t instead of n += t"
        )
    if not np.can_cast(result.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"{name}: an output of dtype {target.dtype} cannot take a {result.dtype} result by "
            "the rule 'same_kind'; write n = n + t instead of n += t"
        )


def level_of(x: Value) -> float:
    """The level of a value: -1 for what is no tracer."""
    return x.level if isinstance(x, Tracer) else -1.0


def concrete(x: Value) -> Value:
    """The NumPy value underneath all tracers."""
    return x.concrete() if isinstance(x, Tracer) else x


OneOperand = dict[np.ufunc, Callable[[Any], Any]]
TwoOperands = dict[np.ufunc, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]]


def on_short_roads(one: OneOperand, two: TwoOperands) -> Any:
    """The method by which tracers of one kind answer NumPy's functions: on the short road where
    `one` or `two` operands have one (and its reflection), as every tracer does otherwise.
    """

    def answer(self: Tracer, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Value:
        if not kwargs and method == "__call__":
            if len(inputs) == 1:
                road = one.get(ufunc)
                if road is not None:
                    return road(self)
            else:
                roads = two.get(ufunc)
                if roads is not None:
                    first, second = inputs
                    return roads[0](first, second) if first is self else roads[1](self, first)
        return Tracer.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)

    return answer


def snapshot(x: Value) -> Value:
    """A value as it is now, whatever is written into a tracer later."""
    return x.snapshot() if isinstance(x, Tracer) else x


def examples(x: Value) -> Value:
    """The NumPy value underneath all tracers, of a batch those of all examples along leading axes;
    None where it is not known.
    """
    while isinstance(x, Tracer):
        x = next(iter(x.parts()), None)
    return x


def underlying(x: Value) -> Value:
    """The array underneath all tracers."""
    return x.underlying() if isinstance(x, Tracer) else x
