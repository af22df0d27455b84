"""`qd.jit`: a function that is traced and compiled when it meets arguments of new types."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..codegen.build import export_program
from ..core.anomalies import examine_function, known_check
from ..core.arriving import is_foreign
from ..core.avals import Aval, aval_of
from ..core.dispatch import Tracer
from ..core.errors import DtypeError, GradientError, RuleError, ShapeError
from ..core.modes import modes
from ..core.program import Program
from ..core.trees import Tree, flatten, match
from ..ops.control import CapacityError
from ..passes.roll import roll
from ..transforms import control as control  # gives loops their derivatives
from ..transforms.capture import captured
from ..transforms.trace import Traced, is_symbolic, traced
from .compiled import Compiled, loops_of, with_masks
from .donating import Donations
from .report import Lowered

PLAIN = {np.ndarray, np.float64, np.float32, np.int64}  # arrays, whoever looks at them


class Call(NamedTuple):
    """One call: its arrays apart from everything that the program is made for."""

    leaves: list[Any]
    places: tuple[int, ...]  # of the arrays among the leaves
    tree: Tree
    key: Any

    @property
    def arrays(self) -> list[Any]:
        return [self.leaves[k] for k in self.places]

    def without_arrays(self) -> Call:
        """What a program is made for, which must not keep the arrays of one call alive."""
        leaves = list(self.leaves)
        for k in self.places:
            leaves[k] = None
        return self._replace(leaves=leaves)


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
            return self.f(*args, **kwargs)  # within a trace: its equations become part of it
        version = self.version(call)
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
        if whole is None or len(call.places) != len(call.leaves):
            return
        if any(isinstance(x, Tracer) for x in call.leaves):
            return
        flat = call.tree.kind is tuple
        fast = whole.direct if flat else functools.partial(nested, call.tree, whole.direct)
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
        fixed: list[tuple[str, Any]] = []
        if self.static:
            named = dict(zip(self.parameters, args))
            fixed = [(k, v) for k, v in (*named.items(), *kwargs.items()) if k in self.static]
            args = tuple(
                Static(a) if k < len(self.parameters) and self.parameters[k] in self.static else a
                for k, a in enumerate(args)
            )
            kwargs = {k: Static(v) if k in self.static else v for k, v in kwargs.items()}
        leaves, tree = flatten(args) if not kwargs else flatten((args, kwargs))
        if not fixed and PLAIN.issuperset(map(type, leaves)):  # as most calls have it
            every = tuple(range(len(leaves)))
            types = tuple([(x.shape, x.dtype) for x in leaves])
            return Call(leaves, every, tree, (tree, every, types, (), bool(kwargs)))
        leaves = with_numbers(leaves)
        places = tuple(k for k, x in enumerate(leaves) if is_array(x))
        for k in places:
            check_class(leaves[k])
        types = tuple((x.shape, x.dtype) for x in [aval_of(leaves[k]) for k in places])
        others = () if len(places) == len(leaves) else without(leaves, places)
        key = (tree, places, types, tuple(map(hashable, others)), bool(kwargs), *fixed)
        return Call(leaves, places, tree, key)

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

        f = self.f
        before = modes.capture
        if self.capture:
            f, modes.capture = captured(f), captured
        try:
            made = traced(f, avals, build)
        finally:
            modes.capture = before
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
        call = self.read(args, {})
        version = self.version(call)
        targets = match(version.tree, out, "jit")
        whole = version.compiled.executable.whole
        arrays = call.arrays
        again = version.compiled.selects or any(True for _ in loops_of(version.compiled.program))
        if whole is not None and not version.captured and not again:
            ready = functools.partial(whole.into, *arrays, *targets)
            if ready() is not NotImplemented:
                return ready
        for target, aval in zip(targets, version.compiled.program.results, strict=True):
            if np.shape(target) != aval.shape or getattr(target, "dtype", None) != aval.dtype:
                raise ShapeError(
                    f"jit: a result of type {aval} cannot be put into {aval_of(target)}; give an "
                    "array of the same dtype and shape"
                )

        def fill() -> None:
            results = version.compiled(*arrays, *version.captured)
            for target, result in zip(targets, results, strict=True):
                np.copyto(target, result)

        return fill

    def export(
        self, path: str | os.PathLike[str], *args: Any, ir: bool = False, **kwargs: Any
    ) -> list[Path]:
        """Write the program for arguments like these as machine code for C: no Python in it.

        `path` ends in `.o` (an object file) or `.so`, `.dylib`, `.dll` (a shared library, linked by
        the system's C compiler).  A header goes beside it, and with `ir` LLVM's text.  The C
        function has this function's name; its parameters are pointers to the arrays, named as in
        the program, and to the results, `result0` and on.  Returns the files written.  Raises
        `RuleError` for what a C program cannot have: operations that NumPy or BLAS computes.
        """
        lowered = self.lower(*args, **kwargs)
        if lowered.fallbacks:
            raise RuleError(
                f"export: NumPy computes a part of the program ({lowered.fallbacks[0]}), which C "
                "does not have; leave that out"
            )
        name = getattr(self.f, "__name__", "program")
        return export_program(lowered.optimised, name if name.isidentifier() else "program",
                              path, ir)  # fmt: skip


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


class Static:
    """A value that the program is made for."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def with_numbers(leaves: list[Any]) -> list[Any]:
    """The leaves with Python's floats and complex numbers in the precision of the arrays.

    A program has no numbers that widen nothing, as Python's are to NumPy: theirs is the widest
    precision among the arrays, and double where there are none.
    """
    if not any(type(x) in (float, complex) for x in leaves):
        return leaves
    kinds = [x.dtype for x in leaves if getattr(x, "dtype", None) is not None and x.shape]
    wide = np.result_type(*(d for d in kinds if d.kind in "fc"), np.float16)
    real = np.empty(0, wide).real.dtype if wide != np.float16 else np.dtype(np.float64)
    both = np.result_type(real, np.complex64)
    return [
        real.type(x) if type(x) is float else both.type(x) if type(x) is complex else x
        for x in leaves
    ]


def without(leaves: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...]:
    """The leaves in all other places."""
    taken = set(places)
    return tuple(x for k, x in enumerate(leaves) if k not in taken)


def boxed(tree: Tree, only: Any) -> Any:
    """A single result in its container."""
    return tree.build([only])


def is_scattered(x: Any) -> bool:
    """Whether an argument is an array whose elements do not lie row by row."""
    return type(x) is np.ndarray and not x.flags.c_contiguous


def gathered(x: Any) -> Any:
    """An argument with its elements row by row."""
    return np.ascontiguousarray(x) if is_scattered(x) else x


def is_array(x: Any) -> bool:
    """Whether a leaf is data, rather than a value that the program is made for."""
    return isinstance(x, np.ndarray | np.generic | Tracer) or type(x) in (float, complex)


def check_class(x: Any) -> None:
    """Raise where an array is of a class that does things its own way."""
    if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, np.memmap):
        raise DtypeError(
            f"jit: a {type(x).__name__} does things its own way, which compiled code does not "
            "know; pass np.asarray(x)"
        )


def hashable(x: Any) -> Any:
    """A static leaf as a part of a key."""
    value = x.value if isinstance(x, Static) else x
    if is_foreign(value):
        raise DtypeError(
            f"jit: an argument is a {type(value).__module__} {type(value).__name__}, and machine "
            "code works on the memory of NumPy's arrays only; call the function without jit, or "
            "pass a NumPy array"
        )
    try:
        hash(value)
    except TypeError:
        raise DtypeError(
            f"jit: an argument of type {type(value).__name__} is neither data nor hashable, so no "
            "program can be looked up for it; pass arrays, numbers or hashable values"
        ) from None
    return type(x), type(value), x


def parameters_of(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that may be passed by position."""
    return tuple(
        p.name
        for p in inspect.signature(f).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    )


def check_names(f: Callable[..., Any], static: frozenset[str]) -> None:
    """Refuse names that are no parameters."""
    if not static:
        return
    parameters = inspect.signature(f).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in sorted(static - set(parameters)):
        raise GradientError(
            f"jit: static_argnames names {name!r}, which is no parameter; there are "
            f"{', '.join(parameters)}"
        )


def donated_names(
    f: Callable[..., Any], donate: Sequence[str | int], static: frozenset[str]
) -> tuple[str, ...]:
    """The names of the donated parameters, which are given by name or by position."""
    if not donate:
        return ()
    parameters = parameters_of(f)
    listed = ", ".join(parameters)
    names: list[str] = []
    for each in donate:
        if type(each) is int:
            if not 0 <= each < len(parameters):
                raise GradientError(
                    f"jit: donate has position {each}, where no parameter is; there are {listed}"
                )
            each = parameters[each]
        if each not in inspect.signature(f).parameters:
            raise GradientError(
                f"jit: donate names {each!r}, which is no parameter; there are {listed}"
            )
        if each in static:
            raise GradientError(
                f"jit: {each!r} is static and donated; donate arrays, which have memory to give"
            )
        names.append(each)  # type: ignore[arg-type]
    return tuple(names)


def nested(tree: Tree, direct: Callable[..., Any], *args: Any) -> Any:
    """The results for arguments of a known structure, nested; NotImplemented for others."""
    leaves = tree.take(args)
    return NotImplemented if leaves is None else direct(*leaves)


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
