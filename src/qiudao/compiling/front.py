"""`qd.jit`: a function that is traced and compiled when it meets arguments of new types."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..codegen.build import export_program
from ..core.anomalies import examine_function, known_check
from ..core.avals import Aval, Value, aval_of
from ..core.dispatch import Tracer
from ..core.errors import GradientError, RuleError, ShapeError
from ..core.modes import modes
from ..core.program import Program
from ..core.trees import Tree, flatten, match, orders
from ..ops.control import CapacityError
from ..passes.roll import roll
from ..transforms import control as control  # gives loops their derivatives
from ..transforms.capture import captured
from ..transforms.entering import check_unchanged, entering
from ..transforms.trace import Traced, is_symbolic, traced
from .arguments import Call, Static, check_order, gathered, is_scattered, read_call
from .compiled import Compiled, loops_of, masked, plain, with_masks
from .donating import Donations
from .parameters import check_names, donated_names, parameters_of
from .report import Lowered

EXACT = (int, bool, str)  # static values of these types are the same where they are equal


class Version(NamedTuple):
    """The program for arguments of some types."""

    compiled: Compiled
    captured: tuple[Tracer, ...]
    tree: Tree
    donations: Donations | None = None

    def __call__(self, arrays: Sequence[Any]) -> Any:
        return self.tree.build(self.compiled(*arrays, *self.captured))


class Jitted:
    """A compiled function; made by `jit`."""

    def __init__(
        self,
        f: Callable[..., Any],
        static: frozenset[str],
        capture: bool,
        donate: Sequence[str | int] = (),
    ) -> None:
        self.f = f
        self.static = static
        self.capture = capture
        self.donate = donated_names(f, donate, static)
        self.versions: dict[Any, Version] = {}
        self.lock = threading.RLock()
        self.parameters = parameters_of(f) if static or self.donate else ()
        check_names(f, static)
        self.quick: tuple[Callable[..., Any], Callable[[Any], Any] | None] = (nothing, None)
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            fast, build = self.quick
            try:
                found = fast(*args)
                if found is NotImplemented and any(map(is_scattered, args)):
                    found = fast(*map(gathered, args))
            except CapacityError:  # the long way makes room for the steps of loops
                found = NotImplemented
            if found is not NotImplemented and build is not None:
                found = build(found)
            if found is not NotImplemented:
                return found
        return self.call(args, kwargs)

    def __reduce__(self) -> Any:
        """By name where the function is found by it; else by what is compiled, to be done anew."""
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        path = getattr(self, "__qualname__", "")
        for part in path.split("."):
            found = getattr(found, part, None)
        return path if found is self else (Jitted, (self.f, self.static, self.capture, self.donate))

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The long way: look the program up, or make it."""
        if modes.recording is not None and modes.recording.looks_inside:
            return self.f(*args, **kwargs)  # explained, operation by operation
        call = self.read(args, kwargs)
        if any(map(is_symbolic, call.leaves)):
            return self.within(*args, **kwargs)  # its equations become part of the trace
        version, call = self.version_for(call)
        if version.donations is not None and not any(isinstance(x, Tracer) for x in call.leaves):
            found = version.donations(call.arrays)
            if found is not None:
                return version.tree.build(found)
        result = version(call.arrays)
        if not kwargs and not version.captured and version.donations is None:
            self.remember(version, call)
        return result

    def remember(self, version: Version, call: Call) -> None:
        """Let the next call with such arguments go straight to the machine code."""
        whole = version.compiled.executable.whole
        lone = version.tree.count == 1 and version.tree.kind is None
        if whole is None or any(isinstance(x, Tracer) for x in call.leaves):
            return
        fast = whole.direct
        if len(call.places) != len(call.leaves):
            static = call.static
            if not all(map(is_quickly_known, static.values())):
                return
            fast = functools.partial(with_static, static, call.places, fast)
        if call.tree.kind is not tuple:
            fast = functools.partial(nested, call.tree, call.order, fast)
        build: Callable[[Any], Any] | None = version.tree.build
        if lone or (version.tree.kind is tuple and not whole.lone):
            build = None
        elif whole.lone:
            build = functools.partial(boxed, version.tree)
        if version.compiled.selects:
            build = functools.partial(self.unless_nan, version)
        self.quick = fast, build

    def unless_nan(self, version: Version, found: tuple[Any, ...]) -> Any:
        """The result, where no NaN is in it; else NotImplemented, for the long way."""
        return NotImplemented if found[-1] else version.tree.build(found[:-1])

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """The arguments of a call, the arrays apart from the static ones."""
        return read_call(args, kwargs, self.parameters, self.static)

    def version_for(self, call: Call) -> tuple[Version, Call]:
        """The program for a call, and the call with its arrays as they were before the function was
        traced, which may have overwritten them.
        """
        if call.key in self.versions:
            return self.version(call), call
        kept, guards = entering(call.arrays)
        version = self.version(call)
        if guards:
            check_unchanged("jit", guards)
        return version, call.with_arrays(map(unless_overwritten, call.arrays, kept))

    def version(self, call: Call) -> Version:
        """The program for these arguments, made when they are first met."""
        with self.lock:
            found = self.versions.get(call.key)
            if found is None:
                made: list[Traced] = []
                kept = call.without_arrays()

                def make() -> Program:
                    made.append(self.trace(kept))
                    return made[-1].program

                compiled = with_masks(make)
                found = Version(compiled, made[0].captured, made[0].tree)
                if self.donate and not made[0].captured:
                    donated = self.donated(call, bool(call.key[4]))
                    found = found._replace(donations=Donations(compiled, donated))
                if not made[0].captured:
                    self.versions[call.key] = found
            return found

    def donated(self, call: Call, named: bool) -> list[int]:
        """Which of the arrays of a call belong to donated arguments."""
        numbered = call.tree.build(range(len(call.leaves)))
        args, kwargs = numbered if named else (numbered, {})
        given = {**dict(zip(self.parameters, args)), **kwargs}
        leaves = {k for name in self.donate if name in given for k in flatten(given[name])[0]}
        return [n for n, place in enumerate(call.places) if place in leaves]

    def within(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function within a trace, its decisions captured or not as it was made, whoever
        calls it.
        """
        f, before = self.f, modes.capture
        f, modes.capture = (captured(f), captured) if self.capture else (f, None)
        try:
            return f(*args, **kwargs)
        finally:
            modes.capture = before

    def trace(self, call: Call) -> Traced:
        """The function as a program."""
        avals = [Aval(*each) for each in call.key[2]]
        named = call.key[4]

        def build(symbols: list[Any]) -> Any:
            leaves = [x.value if isinstance(x, Static) else x for x in call.leaves]
            for k, symbol in zip(call.places, symbols, strict=True):
                leaves[k] = symbol
            filled = call.tree.build(leaves)
            return filled if named else (filled, {})

        made = traced(self.within, avals, build)
        return made._replace(program=roll(made.program))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """What becomes of a call: the program, each pass, the native segments, the fallbacks."""
        call = self.read(args, kwargs)
        return Lowered(self.trace(call).program, self.donated(call, bool(kwargs)))

    def into(self, *args: Any, out: Any) -> None:
        """Call, and put the results into arrays of your own: nothing is allocated.

        `out` is nested as the result is.  Its arrays have the dtypes and shapes of the results, are
        contiguous, and overlap no argument.
        """
        self.bind(*args, out=out)()

    def bind(self, *args: Any, out: Any) -> Callable[[], None]:
        """A call of given arrays with the results put into given arrays, to be made many times.

        The arrays are read and written each time that the returned function is called.
        """
        check_order(args)
        call = self.read(args, {})
        version = self.version(call)
        compiled, arrays = version.compiled, call.arrays
        targets = match(version.tree, out, "jit")
        whole = compiled.executable.whole
        if whole is not None and not version.captured and not any(loops_of(compiled.program)):
            flag = np.zeros((), bool)
            written = [*targets, flag] if compiled.selects else targets
            ready = functools.partial(whole.into, *arrays, *written)
            if ready() is not NotImplemented:
                if not compiled.selects:
                    return ready
                bound = Selecting(ready, flag, compiled, arrays, targets)
                bound.again()
                return bound
        for target, aval in zip(targets, compiled.program.results, strict=True):
            if np.shape(target) != aval.shape or getattr(target, "dtype", None) != aval.dtype:
                raise ShapeError(
                    f"jit: a result of type {aval} cannot be put into {aval_of(target)}; give an "
                    "array of the same dtype and shape"
                )

        def fill() -> None:
            fill_with(compiled(*arrays, *version.captured), targets)

        return fill

    def export(
        self,
        path: str | os.PathLike[str],
        *args: Any,
        ir: bool = False,
        symbol: str | None = None,
        **kwargs: Any,
    ) -> list[Path]:
        """Write the program for arguments like these as machine code for C: no Python in it.

        `path` ends in `.o` (an object file) or `.so`, `.dylib`, `.dll` (a shared library, linked by
        the system's C compiler).  A header goes beside it, and with `ir` LLVM's text.  The C
        function is called `symbol`, or as this function (a lambda is `function`); a derivative has
        its function's name.  Its parameters are pointers to the arrays, named as in the program,
        and to the results, `result0` and on; the header says what it returns where something
        fails.  Derivatives that drop lanes (`np.where`) carry masks.  Returns the files written.
        Raises `RuleError` for what a C program cannot have: operations that NumPy or BLAS computes.
        """
        call = self.read(args, kwargs)

        def make() -> Program:
            return self.trace(call).program

        program, selects = plain(make)
        lowered = Lowered(masked(make) if selects else program)
        if lowered.fallbacks:
            raise RuleError(
                f"export: NumPy computes a part of the program ({lowered.fallbacks[0]}), which C "
                "does not have; leave that out"
            )
        name = getattr(self.f, "__name__", "")
        named = symbol or (name if name.isidentifier() else "function")
        return export_program(lowered.optimised, named, path, ir)


def unless_overwritten(x: Value, before: Value) -> Value:
    """An array, which may be donated, or its values of before where it has others by now."""
    if isinstance(x, np.ndarray) and np.array_equal(x, before, equal_nan=x.dtype.kind in "fc"):
        return x
    return before


def fill_with(results: Iterable[Value], targets: Iterable[Value]) -> None:
    """Put results into arrays."""
    for target, result in zip(targets, results, strict=True):
        np.copyto(target, result)


class Selecting:
    """Code without masks, and where it says by its flag that it wants them, code with them."""

    __slots__ = ("arrays", "compiled", "flag", "ready", "targets")

    def __init__(
        self,
        ready: Callable[[], Any],
        flag: Value,
        compiled: Compiled,
        arrays: Sequence[Value],
        targets: Sequence[Value],
    ) -> None:
        self.ready = ready
        self.flag = flag
        self.compiled = compiled
        self.arrays = arrays
        self.targets = targets

    def __call__(self) -> None:
        self.ready()
        self.again()

    def again(self) -> None:
        """Put in the results with masks, if they are wanted."""
        if self.flag:
            fill_with(self.compiled.masked.evaluate(*self.arrays), self.targets)


class Checked(Jitted):
    """A compiled function whose results are looked through for numbers that are not finite."""

    def __init__(
        self, f: Callable[..., Any], static: frozenset[str], capture: bool, check: str
    ) -> None:
        super().__init__(f, static, capture)
        self.check = check

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = super().__call__(*args, **kwargs)
        examine_function("jit", self.check, flatten(result)[0], self.f, args, kwargs)
        return result


def boxed(tree: Tree, only: Any) -> Any:
    """A single result in its container."""
    return tree.build([only])


def nested(tree: Tree, order: tuple[Any, ...], direct: Callable[..., Any], *args: Any) -> Any:
    """The results for arguments of a known structure, nested; NotImplemented for others."""
    leaves = tree.take(args)
    if leaves is None or (order and order != orders(args)):
        return NotImplemented
    return direct(*leaves)


def with_static(
    static: Mapping[int, Any], places: Sequence[int], direct: Callable[..., Any], *leaves: Any
) -> Any:
    """The results for leaves of which some have known values; NotImplemented for others."""
    if len(leaves) != len(static) + len(places):
        return NotImplemented
    for k, x in static.items():
        found = leaves[k]
        if found is not x and (type(x) not in EXACT or type(found) is not type(x) or found != x):
            return NotImplemented
    return direct(*[leaves[k] for k in places])


def is_quickly_known(x: Any) -> bool:
    """Whether a static value is the same for as long as it is equal and of the same type."""
    return type(x) in EXACT or getattr(type(x), "__hash__", None) is object.__hash__


def nothing(*args: Any) -> Any:
    """Stands for machine code that is not there yet."""
    return NotImplemented


def jit(
    f: Callable[..., Any] | None = None,
    *,
    static_argnames: str | Sequence[str] = (),
    donate: str | int | Sequence[str | int] = (),
    capture: bool = True,
    check: str | None = None,
) -> Any:
    """`f`, traced once for each new combination of argument types, and run as machine code.

    Arrays, NumPy scalars, floats and complex numbers are data: the program is made for their
    shapes and dtypes.  Everything else (integers, strings, functions, None), and the arguments
    named by `static_argnames`, is static: the program is made for its value, which must be
    hashable.  Arrays that `f` closes over are read when it is traced, once.

    Results may be written into the arrays of arguments that `donate` gives away, by the names or
    positions of parameters: where that is possible, the result of the same shape and dtype is that
    very array.  After the call a donated array is of no use but as that result.

    With `check="nan"` a NaN in a result raises `NonFiniteError`, which names the operation that
    made it; with "inf" an infinity too.  It costs a look at the results; donating excludes it.

    Branches and loops of Python's on traced values become part of the program, from the source of
    the function and of the user's functions that it calls (`capture`); without, or where that
    cannot be, they raise `TraceError`, which shows `qd.cond` and its kin.  The result composes with
    every transform, both ways.  A decorator too.

    >>> @jit
    ... def f(x):
    ...     return np.sum(np.exp(-x * x))
    >>> f(np.zeros(3))
    np.float64(3.0)
    """
    if f is None:
        return functools.partial(
            jit, static_argnames=static_argnames, donate=donate, capture=capture, check=check
        )
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    given = (donate,) if isinstance(donate, str | int) else donate
    if known_check("jit", check) is None:
        return Jitted(f, frozenset(names), capture, given)
    if given != ():
        raise GradientError(
            "jit: check= runs the function once more on its arguments, which donate= lets the "
            "first run write over; use one of them"
        )
    return Checked(f, frozenset(names), capture, str(check))
