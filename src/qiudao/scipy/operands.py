"""Arguments of SciPy's functions: which carry a derivative, and what SciPy is given of them."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval
from ..core.dispatch import Tracer, concrete
from ..core.errors import DetachError
from ..core.modes import Resumed
from ..core.trees import flatten
from ..ops.taking import take
from ..transforms.foreign import run_foreign

Function = Callable[..., Any]
PLAIN = {np.ndarray, np.float64, float, int, complex, bool, str, type(None)}  # never taken apart


def plain(value: Any) -> Any:
    """The numbers of a value that SciPy's own code is to go on with."""
    return np.asarray(concrete(value))


def array(value: Any) -> Any:
    """A value as an array: a tracer as it is, lists with tracers in them stacked."""
    if isinstance(value, Tracer):
        return value
    return np.stack([array(x) for x in value]) if depends(value) else np.asarray(value)


def plainly(f: Function) -> Function:
    """A function whose results are plain arrays, whatever it closes over."""

    @functools.wraps(f, updated=())
    def called(*args: Any, **kwargs: Any) -> Any:
        with Resumed(None):
            return plain(f(*args, **kwargs))

    return called


def solve(
    name: str,
    scipy: Callable[..., Any],
    operands: Any,
    like: Sequence[Aval],
) -> Any:
    """What `scipy(*operands)` gives, the tracers among the operands as plain arrays; a constant."""
    leaves, tree = flatten(operands)
    places = [k for k, x in enumerate(leaves) if isinstance(x, Tracer)]

    def call(*arrays: Any) -> Any:
        filled = list(leaves)
        for k, a in zip(places, arrays, strict=True):
            filled[k] = a
        return scipy(*tree.build(filled))

    if not places:
        return call()
    return run_foreign(name, call, like, *(leaves[k] for k in places))


def depends(*values: Any) -> bool:
    """Whether any of these is or holds a tracer, and so a derivative may be wanted."""
    return any(map(has_tracer, values))


def has_tracer(value: Any) -> bool:
    """Whether a value is a tracer or a nest with one in it."""
    if isinstance(value, Tracer):
        return True
    if type(value) in PLAIN:
        return False
    if type(value) in (list, tuple):
        return any(map(has_tracer, value))
    return any(isinstance(x, Tracer) for x in flatten(value)[0])


class Watched:
    """A function that remembers whether it has given a tracer: `moves`.

    A function may depend on what it closes over in some places only, so a probe at one would not
    tell.
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.moves = False

    def __call__(self, *args: Any) -> Any:
        found = self.f(*args)
        self.moves = self.moves or depends(found)
        return found


def as_number(f: Function) -> Function:
    """A function whose results are Python floats, whatever it closes over."""
    return lambda *args: float(plain(f(*args)))


def as_complex(f: Function) -> Function:
    """A function whose results are Python complex numbers, whatever it closes over."""
    return lambda *args: complex(plain(f(*args)))


def tupled(args: Any) -> tuple[Any, ...]:
    """SciPy's `args`: a tuple, or one argument alone."""
    return args if isinstance(args, tuple) else (args,)


def known(value: Any) -> Any:
    """The numbers of a value where they are at hand; None inside `qd.jit` and `qd.vmap`."""
    try:
        return plain(value)
    except DetachError:
        return None


def at(x: Any, places: Any, axis: int = 0) -> Any:
    """The elements of `x` at whole-numbered `places` along an axis; either may be a tracer."""
    return take(x, places, axis) if depends(x, places) else np.take(x, places, axis)


def stand_in(value: Any) -> Any:
    """Numbers for SciPy to check the shape of a value by: its own where they are at hand."""
    numbers = known(value)
    return np.zeros(np.shape(value)) if numbers is None else numbers


def rising(value: Any) -> Any:
    """As `stand_in`, for a value whose numbers must rise."""
    numbers = known(value)
    return np.arange(1.0 * np.size(value)) if numbers is None else numbers
