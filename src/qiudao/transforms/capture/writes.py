"""Reading and writing elements, `+=` and `out=`, where plain arrays meet traced values.

A plain array cannot hold what is not known.  Where the code names it and nothing else does, the
name is bound anew to a recording array with the same elements; else the write is refused.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeGuard

import numpy as np

from ...core.avals import Value
from ...core.dispatch import Tracer, snapshot
from ...core.references import lenders, outside, owning
from ...core.source import caller, is_ours, line_of
from ...core.views import View
from ..trace import Symbol
from .masks import Selected, Whole, selects
from .outcomes import INNER, CaptureError, OutsideWriteError, end_trial
from .places import Contents, is_container
from .scopes import WRITERS
from .sharing import row
from .state import (
    check_write,
    is_fresh,
    is_numeric,
    is_part,
    ours,
    region,
    regions,
    root,
    touch,
    unknown,
)

IN_PLACE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "Add": (operator.iadd, operator.add), "Sub": (operator.isub, operator.sub),
    "Mult": (operator.imul, operator.mul), "Div": (operator.itruediv, operator.truediv),
    "FloorDiv": (operator.ifloordiv, operator.floordiv), "Mod": (operator.imod, operator.mod),
    "Pow": (operator.ipow, operator.pow), "MatMult": (operator.imatmul, operator.matmul),
    "BitAnd": (operator.iand, operator.and_), "BitOr": (operator.ior, operator.or_),
    "BitXor": (operator.ixor, operator.xor), "LShift": (operator.ilshift, operator.lshift),
    "RShift": (operator.irshift, operator.rshift),
}  # fmt: skip


SHARED = (
    "a traced value is written into a plain array that other names hold too",
    "make the array from a traced one, np.zeros_like(x), or copy it first, z = z.copy()",
)


def refuse_here(reason: str, instead: str) -> NoReturn:
    """Refuse what the user's line asks for."""
    raise CaptureError(f"capture: {line_of(*caller())}: {reason}; {instead}")


def traced_in(x: Any) -> Tracer | None:
    """The tracer of the highest level in a value, an index or a list; None where there is none."""
    if isinstance(x, Tracer):
        return x
    if isinstance(x, slice):
        return traced_in((x.start, x.stop, x.step))
    found = None
    if isinstance(x, tuple | list):
        for each in map(traced_in, x):
            if each is not None and (found is None or each.level > found.level):
                found = each
    return found


def seen(x: Any) -> Any:
    """An operand of `@`, as it is."""
    return x


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`; a plain array takes a traced index."""
    if isinstance(x, np.ndarray | Tracer) and traced_in(index) is not None:
        return row(x, index)
    if type(x) in (list, tuple) and unknown(index):
        refuse_here(
            f"a {type(x).__name__} is indexed by a value that is not known while tracing",
            "make it an array, np.stack(...), whose elements can be read by a traced index",
        )
    if isinstance(x, dict):
        check_key(x, index)
    return x[index]


def check_key(x: Any, key: Any) -> None:
    """Refuse to look a traced value up in a dictionary, but by the very one that is its key."""
    if unknown(key) and key not in x:
        refuse_here(
            f"a {type(x).__name__} is looked up by a value that is not known while tracing",
            "put its values into an array, which can be read by a traced index, or choose with "
            "np.select or qd.switch",
        )


def looking_up(get: Any) -> Callable[..., Any]:
    """The method `get` of a dictionary, which has no traced keys."""

    def called(key: Any, *default: Any) -> Any:
        check_key(get.__self__, key)
        return get(key, *default)

    return called


def holders(x: Any) -> int:
    """How many references there are to an array, beside those of running constructs: its names'
    and as many more as the way here takes, which `measure` finds.
    """
    return sys.getrefcount(x) - ours(x) + lenders(x, outside(is_ours))


@owning
def setitem(value: Any, x: Any, index: Any, text: str) -> Any:
    """`x[index] = value`, and what the name of x then stands for."""
    if isinstance(value, Whole):
        index, value = ..., value.array
    check_write(x)
    if type(x) is np.ndarray:
        tracer = traced_in((value, index))
        if tracer is None and x.flags.writeable:
            x[index] = value
            return x
        shared = holders(x) > lone.count
        turned = turn(x, tracer, shared)
        if turned is not None:
            x = turned
        elif not x.flags.writeable:
            refuse_lent(x)
    elif isinstance(x, Tracer):
        tracer = traced_in((value, index))
        if tracer is not None and tracer.level > x.level:
            shared = isinstance(x, View) or holders(x) > lone.count
            x = raised(x, tracer, shared)
        elif is_fresh(x) and holders(x) <= lone.count:
            x = regions.stack[-1].recorder(x)
    write_element(x, index, value, text)
    return x


def raised(x: Tracer, tracer: Tracer, shared: bool) -> Value:
    """An array of an outer transform as one of the transform whose value is written into it."""
    here = region()
    if shared and here is not None and root(x).level < here.level:
        raise OutsideWriteError(str(line_of(*caller())), root(x))
    if shared:
        refuse_here(*INNER)
    return tracer.constant(snapshot(x))


def is_inner(tracer: Tracer | None, x: Any) -> TypeGuard[Tracer]:
    """Whether a value is of a transform within the trace that an array is a symbol of."""
    return isinstance(x, Symbol) and tracer is not None and tracer.level > x.level


def turn(x: Any, tracer: Tracer | None, shared: bool) -> Value | None:
    """The recording array that takes the place of one that cannot hold what is written into it:
    a plain one, or a symbol of a trace around the transform that a value is of; None where it can.
    """
    if is_inner(tracer, x):
        return raised(x, tracer, shared or isinstance(x, View))
    if type(x) is not np.ndarray:
        return None
    here = region()
    lent = here is not None and id(x) in here.lent
    if lent and here is not None:
        shared = id(x) in here.shared
    elif tracer is None:
        return None
    else:
        shared = shared or is_part(x)
    if shared:
        refuse_here(*SHARED)
    if here is not None and (tracer is None or tracer.level < here.level):
        return here.recorder(x)
    return None if tracer is None else tracer.constant(x)


def write_element(x: Any, index: Any, value: Any, text: str) -> None:
    """`x[index] = value` for what can take it."""
    check_write(x)
    here = region()
    if regions.trials and not isinstance(x, Tracer | np.ndarray):
        refuse_here(f"a {type(x).__name__} is written into", "write into an array")
    if is_container(x):
        touch(Contents(x, text))
    if here is not None and isinstance(x, Tracer) and root(x).level < here.level:
        raise OutsideWriteError(str(line_of(*caller())), root(x))
    is_array = isinstance(x, Tracer | np.ndarray)
    if is_array and isinstance(value, list | tuple) and traced_in(value) is not None:
        value = stack(value)
    x[index] = value


def store(value: Any, x: Any, index: Any, text: str) -> None:
    """`x[index] = value` where x is no variable of the function."""
    if isinstance(value, Whole):
        index, value = ..., value.array
    if type(x) is np.ndarray:
        here = region()
        if traced_in((value, index)) is not None or (here is not None and id(x) in here.lent):
            refuse_here(
                f"a traced value is written into the plain array `{text}`, which is no variable of "
                "the function",
                "write into an array made in the function by np.zeros, or return the new value",
            )
        if here is not None:
            refuse_here(
                f"`{text}` is written into under a condition that is not known while tracing",
                "write into a variable of the function, or return the new value",
            )
    write_element(x, index, value, text)


@owning
def inplace(operation: str, x: Any, value: Any, owned: bool) -> Any:
    """`x += value` and its kin: in place for arrays, as Python does."""
    in_place, plain = IN_PLACE[operation]
    if regions.trials and not is_numeric(x):
        refuse_here(f"a {type(x).__name__} is added to", "write into an array")
    if is_container(x):
        touch(Contents(x, type(x).__name__))
    check_write(x)
    if isinstance(x, Tracer):
        if not x.shape and unknown(x) and not isinstance(x, View):
            return plain(x, value)  # a number, which does not change in place
        if owned and is_fresh(x) and holders(x) <= lone.count:
            return plain(x, value)
        here = region()
        if is_inner(tracer := traced_in(value), x):
            shared = not owned or holders(x) > lone.count
            return in_place(turn(x, tracer, shared), value)
        if here is not None and x.level < here.level:
            write_element(x, ..., plain(x, value), "")
            return x
        return in_place(x, value)
    if type(x) is np.ndarray:
        tracer = traced_in(value)
        if tracer is not None or not x.flags.writeable:
            if tracer is not None and x.ndim == 0:
                return plain(x, value)
            shared = not owned or holders(x) > lone.count
            turned = turn(x, tracer, shared)
            if turned is not None:
                return in_place(turned, value)
            refuse_lent(x)
    return in_place(x, value)


def refuse_lent(x: Any) -> None:
    """Refuse to write into a view, made in a piece, of a plain array from outside."""
    for each in regions.stack:
        for held in each.lent.values():
            if x.base is not None and (held is x.base or held.base is x.base):
                refuse_here(*SHARED)


def part(x: Any, index: Any) -> Any:
    """`x[index]`, to be written again by `renewed`."""
    return Selected(x, index) if selects(x, index) else getitem(x, index)


def renewed(operation: str, x: Any, value: Any) -> Any:
    """An element or a part of an array after `x += value`, which is then written there."""
    if isinstance(x, Selected):
        whole = x.after(IN_PLACE[operation][1], value)
        if whole is not None:
            return whole
        x = getitem(x.whole, x.mask)  # which says what is wrong
    tracer = traced_in(value)
    if type(x) is np.ndarray and (tracer is not None or not x.flags.writeable):
        x = x.copy()
    elif is_inner(tracer, x):
        x = tracer.constant(snapshot(x))  # it is written into the array after
    return inplace(operation, x, value, True)


def into(f: Any) -> Callable[..., tuple[Any, Any]]:
    """`f(..., out=z)` as a function that gives the result and what z then stands for."""

    def called(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        out = kwargs.pop("out", None)  # a reference of its own, as all that is gathered has
        check_write(out)
        if isinstance(out, np.ndarray | Symbol) and from_numpy(f):
            tracer = traced_in((*args, *kwargs.values()))
            shared = holders(out) > lone.out
            turned = turn(out, tracer, shared)
            if turned is not None:
                f(*args, out=turned, **kwargs)
                return turned, turned
        return f(*args, out=out, **kwargs), out

    return called


def within(f: Any, instead: Any) -> Callable[..., tuple[Any, Any]]:
    """`f(z, ...)`, which writes into z, as a function that also gives what z then stands for.

    `instead` is called in place of `f` where that is no such function of NumPy's after all.
    """

    def called(*given: Any, **kwargs: Any) -> tuple[Any, Any]:
        target, *args = given
        if is_writer(f):
            check_write(target)
        if isinstance(target, np.ndarray | Symbol) and is_writer(f):
            tracer = traced_in((*args, *kwargs.values()))
            shared = holders(target) > lone.first
            turned = turn(target, tracer, shared)
            if turned is not None:
                f(turned, *args, **kwargs)
                return None, turned
        return instead(target, *args, **kwargs), target

    return called


def itself(method: str, call: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """A method that may write into its array, as a function of that which also gives what it then
    stands for.
    """

    def called(*given: Any, **kwargs: Any) -> tuple[Any, Any]:
        target, *args = given
        if not isinstance(target, np.ndarray | Tracer):
            return call(getattr(target, method))(*args, **kwargs), target
        if regions.trials:
            end_trial(f"{method} writes into an array")
        check_write(target)
        tracer = traced_in((*args, *kwargs.values()))
        shared = holders(target) > lone.first
        turned = turn(target, tracer, shared)
        if turned is None and type(target) is np.ndarray and not target.flags.writeable:
            refuse_lent(target)
        target = target if turned is None else turned
        getattr(target, method)(*args, **kwargs)
        return None, target

    return called


def is_writer(f: Any) -> bool:
    """Whether a function is one of NumPy's that write into their first argument."""
    if getattr(f, "__name__", "") not in WRITERS:
        return False
    return isinstance(getattr(f, "__self__", None), np.ufunc) or from_numpy(f)


def from_numpy(f: Any) -> bool:
    """Whether a function is one of NumPy's, which give back what they write into."""
    return isinstance(f, np.ufunc) or (getattr(f, "__module__", None) or "").startswith("numpy")


def stack(values: Any) -> Value:
    """Nested lists of numbers and tracers as one array."""
    rows: list[Any] = []
    for v in values:
        row = stack(v) if isinstance(v, list | tuple) else v
        rows.append(row if isinstance(row, Tracer) else np.asarray(row))
    return np.stack(rows)


class Lone:
    """How many references a write finds to an array that one name holds: it is measured."""

    def __init__(self) -> None:
        self.count = 0
        self.out = 0
        self.first = 0


lone = Lone()


@owning
def count_references(value: Any, x: Any, index: Any) -> int:
    """What `setitem` finds."""
    return holders(x)


def measure() -> None:
    """Find the counts for a variable."""
    alone = np.zeros(1)

    def called(*args: Any, **kwargs: Any) -> int:
        out = kwargs.pop("out")
        return holders(out)

    def first(*given: Any) -> int:
        target, *_ = given
        return holders(target)

    lone.count = count_references(0, alone, 0)
    lone.out = called(0, out=alone)
    lone.first = first(alone, 0)


measure()
