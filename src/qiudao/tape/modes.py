"""Turning recording off and on: context managers that are decorators too, for this thread only."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self, overload

from ..core.anomalies import known_check
from ..core.errors import GradientError
from ..core.modes import TAPE, modes, new_level

Function = Callable[..., Any]


class Switch:
    """Recording on or off, for a `with` block or a whole function.

    One object may be entered again while it is in force, and may serve several threads.
    """

    recording: bool

    def __enter__(self) -> None:
        modes.outer.append(modes.floor)
        modes.floor = floor_for(self.recording)
        modes.switched = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.floor = modes.outer.pop()

    def __call__(self, f: Function) -> Function:
        """`f` with recording on or off inside; for a generator or an `async def`, in its own code
        only, and not in what runs while it waits.
        """
        alike = enable_grad if self.recording else no_grad
        return within(type(self) if isinstance(self, Fixed) else alike, f)


Enter = Callable[[], Any]  # gives a context manager


def within(enter: Enter, f: Function) -> Function:
    """`f` with its own code in the context that `enter` gives, and not what runs while a generator
    or a coroutine waits.
    """
    refuse_to_decorate(enter, f)

    @functools.wraps(f)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with enter():
            return f(*args, **kwargs)

    @functools.wraps(f)
    def generated(*args: Any, **kwargs: Any) -> Any:
        return steps(f(*args, **kwargs), enter)

    @functools.wraps(f)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await Awaited(f(*args, **kwargs), enter)

    if inspect.iscoroutinefunction(f):
        return awaited
    return generated if inspect.isgeneratorfunction(f) else plain


def refuse_to_decorate(enter: Enter, f: Any) -> None:
    """Refuse what a context around its call would not reach into."""
    if inspect.isasyncgenfunction(f):
        kind = "an async generator"
    elif isinstance(f, type):
        kind = "a class"
    elif not callable(f):
        kind = f"a {type(f).__name__}"
    else:
        return
    raise GradientError(
        f"{getattr(enter, '__name__', 'detect_anomaly')}: {getattr(f, '__name__', repr(f))} is "
        f"{kind} and cannot be decorated, as functions can; use a `with` block within"
    )


class Awaited:
    """A coroutine with its own code in the context that `enter` gives."""

    def __init__(self, coroutine: Any, enter: Enter) -> None:
        self.coroutine = coroutine
        self.enter = enter

    def __await__(self) -> Generator[Any, Any, Any]:
        return steps(self.coroutine.__await__(), self.enter)


def floor_for(recording: bool) -> float:
    """The level from which on tensors record; `inference_mode` is not to be lifted from inside."""
    return TAPE if recording and not modes.inference else new_level()


def steps(generator: Generator[Any, Any, Any], enter: Enter) -> Generator[Any, Any, Any]:
    """A generator whose own code runs in a context, and the code between its steps does not."""
    resume: Callable[[], Any] = functools.partial(next, generator)
    while True:
        try:
            with enter():
                value = resume()
        except StopIteration as stop:
            return stop.value
        try:
            resume = functools.partial(generator.send, (yield value))
        except GeneratorExit:
            with enter():  # what it does at its end is its own code too
                generator.close()
            raise
        except BaseException as error:
            resume = functools.partial(generator.throw, error)


class Fixed(Switch):
    """A switch that needs no argument, and so decorates with or without parentheses."""

    @overload
    def __new__(cls) -> Self: ...
    @overload
    def __new__(cls, f: Function) -> Function: ...  # type: ignore[misc]  # it decorates too
    def __new__(cls, f: Function | None = None) -> Any:
        switch = super().__new__(cls)
        return switch if f is None else switch(f)


class no_grad(Fixed):
    """Within, operations on tensors that exist are not recorded; gradients of functions
    (`qd.grad(f)`) taken inside are unaffected.  A decorator too.

    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> with qd.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    recording = False


class enable_grad(Fixed):
    """Within, operations are recorded, also inside a `no_grad` block.  A decorator too."""

    recording = True


class set_grad_enabled(Switch):
    """Turn recording on or off: at once when called, and as a context manager until the end of
    its block; as a decorator, inside the function only.
    """

    def __init__(self, mode: bool) -> None:
        self.recording = bool(mode)
        self._before = modes.floor
        modes.floor = floor_for(self.recording)
        modes.switched = True

    def __enter__(self) -> None:
        modes.outer.append(self._before)

    def __call__(self, f: Function) -> Function:
        modes.floor = self._before
        return super().__call__(f)


class inference_mode(Fixed):
    """As `no_grad`, and not to be lifted: `enable_grad` within has no effect.  A decorator too.

    What is computed within is a constant ever after, and may be used anywhere: nothing is shared
    with the graph that a later use could break.  `inference_mode(False)` changes nothing.

    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> with qd.inference_mode(), qd.enable_grad():
    ...     y = x * x
    >>> y.requires_grad, y.is_inference()
    (False, True)
    """

    recording = False

    def __new__(cls, mode: Any = True) -> Any:
        """A switch, or the function `mode` with recording off inside."""
        if not callable(mode):
            return Switch.__new__(cls) if mode else contextlib.nullcontext()
        return super().__new__(cls, mode)

    def __enter__(self) -> None:
        super().__enter__()
        modes.inference += 1

    def __exit__(self, *error: Any) -> None:
        modes.inference -= 1
        super().__exit__(*error)


def is_inference_mode_enabled() -> bool:
    """Whether this thread is within `inference_mode`."""
    return modes.inference > 0


def is_grad_enabled() -> bool:
    """Whether operations on tensors are recorded in this thread now."""
    return modes.floor <= TAPE


class detect_anomaly:
    """Within, every gradient by `backward`, `qd.grad` or `qd.value_and_grad` is looked through for
    NaN (with `check="inf"` for infinities too), and one raises `NonFiniteError`: the operation that
    made the first, forward or backward, the user's line, the operands and what to do.  What is
    compiled is looked at where `qd.jit` is given `check`.  For this thread; a decorator too.

    >>> with qd.detect_anomaly():
    ...     qd.grad(lambda x: x * 2)(1.0)
    np.float64(2.0)
    """

    def __init__(self, check: str = "nan") -> None:
        known_check("detect_anomaly", check)
        self.check = check
        self.before: list[str | None] = []

    def __enter__(self) -> None:
        self.before.append(modes.check)
        modes.check = self.check

    def __exit__(self, *error: object) -> None:
        modes.check = self.before.pop()

    def __call__(self, f: Function) -> Function:
        """`f` with its gradients looked through."""
        return within(functools.partial(detect_anomaly, self.check), f)
