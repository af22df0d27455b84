"""Hold qiudao's derivatives of a function against differences of its values.

Everything is compared as one matrix: a row for each real coordinate of the results, a column for
each of the arguments (a complex element has two).  Forward mode gives it column by column,
reverse mode row by row, and differences column by column.  For the second order the same is done
to the function that either mode makes of the first: x, dx -> J dx, or x, ct -> J' ct.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import is_inexact
from ..core.dispatch import concrete
from ..core.errors import DtypeError, GradcheckError, GradientError
from ..core.trees import flatten
from ..transforms.forward import jvp
from ..transforms.reverse import vjp
from .coordinates import Coordinates
from .differences import Line, check_order, differentiate
from .steps import Array, resolution

MODES = ("forward", "reverse")
REAL = int | float | np.integer | np.floating
SIDE = 1000  # the rows and the columns that are compared at most
Function = Callable[..., list[Any]]


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = MODES,
    rtol: Any = None,
    atol: Any = None,
    eps: Any = None,
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """Whether qiudao's derivatives of `f` at `args` agree with differences of its values.

    Every float or complex leaf of the arguments and of the result takes part, in any pytree; other
    arguments are constants.  All derivatives up to `order` are compared, for all combinations of
    `modes`: with order 2 also "forward over reverse" and so on.  The function must give the same
    result each time, and the same on plain arrays as when it is differentiated.

    A derivative may be off by `atol` + `rtol` times its size, each eps^(3/8) of the dtype if not
    given (1e-6 in double, 3e-3 in single precision; `atol` in proportion where values and slopes
    all stay below 1, down to 2e-11 in double precision, which may be what larger numbers left where
    they cancelled: scale a smaller function up, or give `atol`), and by some of what the difference
    itself may be off.  `eps` is the first step of the differences.  Of more than 1000 elements, as
    many are drawn with `seed`, which draws the directions for higher orders too.

    A disagreement raises `GradcheckError`, which names the worst element, or gives False when
    `raise_exception` is False.

    >>> qd.gradcheck(lambda x, p: p["a"] * np.sin(x), np.ones(3), {"a": 2.0}, order=2)
    True
    """
    if not callable(f):
        raise GradientError(f"gradcheck: {type(f).__name__} is no function; give one to check")
    if not isinstance(modes, str | Iterable):
        raise GradientError(
            f"gradcheck: modes={modes!r}; it must be 'forward', 'reverse' or a list of them"
        )
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    if not modes:
        raise GradientError("gradcheck: modes is empty, so nothing would be compared; leave it out")
    for name, allowed in (("rtol", rtol), ("atol", atol)):
        if allowed is not None and not (isinstance(allowed, REAL) and allowed >= 0):
            raise GradientError(
                f"gradcheck: {name}={allowed!r} is no size of a difference; give a number >= 0"
            )
    for mode in modes:
        if mode not in MODES:
            raise GradientError(
                f"gradcheck: mode {mode!r} is unknown; choose from 'forward' and 'reverse'"
            )
    if eps is not None and not (isinstance(eps, REAL) and 0 < eps < np.inf):
        raise GradientError(
            f"gradcheck: eps={eps!r} is no step of a difference; give a number > 0, or leave it out"
        )
    check_order("gradcheck", order)
    task = Task(modes, rtol, atol, None if eps is None else float(eps), np.random.default_rng(seed))
    run = Arguments(f, args)
    try:
        task.check(run, run.inputs, run.results(), order, ())
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    f: Callable[..., Any],
    *args: Any,
    modes: Sequence[str] = MODES,
    rtol: float | None = None,
    atol: float | None = None,
    eps: float | None = None,
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """`gradcheck` of the first and second derivatives.

    >>> qd.gradgradcheck(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    True
    """
    return gradcheck(
        f,
        *args,
        order=2,
        modes=modes,
        rtol=rtol,
        atol=atol,
        eps=eps,
        raise_exception=raise_exception,
        seed=seed,
    )


class Arguments:
    """A function as one of the float and complex leaves of its arguments, giving a list of those
    of its result.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f = f
        leaves, self.tree = flatten(args)
        self.leaves = [concrete(x) for x in leaves]
        self.moving = [i for i, x in enumerate(self.leaves) if differentiable(x)]
        if not self.moving:
            raise DtypeError(
                "gradcheck: no argument is float or complex, so there is nothing to differentiate "
                f"by: {', '.join(type(x).__name__ for x in leaves) or 'none was given'}; convert "
                "with .astype(float)"
            )
        paths = self.tree.paths
        self.inputs = Coordinates(
            [self.leaves[i] for i in self.moving], [f"argument{paths[i]}" for i in self.moving]
        )
        self.names: list[str] = []

    def __call__(self, *values: Any) -> list[Any]:
        full = list(self.leaves)
        for i, v in zip(self.moving, values, strict=True):
            full[i] = v
        outs, tree = flatten(self.f(*self.tree.build(full)))
        chosen = [k for k, y in enumerate(outs) if differentiable(y)]
        self.names = [f"result{tree.paths[k]}" for k in chosen]
        return [y if hasattr(y, "dtype") else np.asarray(y) for y in (outs[k] for k in chosen)]

    def results(self) -> list[str]:
        """The names of the results, for which the function is called."""
        evaluate(self, self.inputs.values)
        if not self.names:
            raise DtypeError(
                "gradcheck: the function gave no float or complex result, so there is nothing to "
                "differentiate; return one"
            )
        return self.names


def differentiable(x: Any) -> bool:
    """Whether a leaf is a float or complex value."""
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return is_inexact(dtype)


def evaluate(f: Function, values: Sequence[Array]) -> list[Array]:
    """Plain results at copies of plain values."""
    with np.errstate(all="ignore"):
        return [np.asarray(concrete(y)) for y in f(*(np.array(v)[()] for v in values))]


class Matrices(NamedTuple):
    """The differences, and how far each may be off; the same columns of every mode's matrix."""

    value: Array
    error: Array
    allowed: Array


class Task(NamedTuple):
    """What to compare, and how closely."""

    modes: tuple[str, ...]
    rtol: float | None
    atol: float | None
    eps: float | None
    rng: np.random.Generator

    def check(
        self,
        f: Function,
        inputs: Coordinates,
        results: list[str],
        order: int,
        over: tuple[str, ...],
    ) -> None:
        """Compare the derivatives of `f`, which is itself what the modes `over` made."""
        here = evaluate(f, inputs.values)
        outputs = Coordinates(here, results)
        same_values(
            outputs,
            evaluate(f, inputs.values),
            f"gradcheck: {over_text(over)}called again, the function gives",
            "the first time; fix its random numbers, and let it keep no state",
        )
        columns = self.chosen(len(inputs))
        rows = self.chosen(len(outputs))
        numeric = self.numeric(f, inputs, outputs, rows, columns)
        for mode in self.modes:
            label = over_text((mode, *over))
            take = by_columns if mode == "forward" else by_rows
            found = take(f, inputs, outputs, rows, columns, label)
            compare(found, numeric, inputs, outputs, rows, columns, label)
        if order == 1:
            return
        for mode in self.modes:
            made, points, names = self.derived(f, inputs, outputs, mode)
            self.check(made, points, names, order - 1, (mode, *over))

    def chosen(self, count: int) -> Array:
        """The coordinates that are compared: all, or some of many."""
        if count <= SIDE:
            return np.arange(count)
        return np.sort(self.rng.choice(count, SIDE, replace=False))

    def numeric(
        self, f: Function, inputs: Coordinates, outputs: Coordinates, rows: Array, columns: Array
    ) -> Matrices:
        """The matrix by extrapolated differences."""
        here = outputs.flat(outputs.values)
        eps = max((resolution(v.dtype) for v in outputs.values), default=0.0)
        values, errors = [], []
        for k in map(int, columns):

            def phi(t: Array, k: int = k) -> Array:
                return outputs.flat(evaluate(f, inputs.put(k, t)))

            line = Line(f"gradcheck: {inputs.name(k)}", phi, inputs.get(k), here, eps)
            line.advice = "pass a smaller eps=, or check at a point inside the domain"
            found = differentiate(line, "richardson", self.eps, 1)
            values.append(found.value[rows])
            errors.append(found.error[rows])
        value = np.stack(values, -1) if values else np.zeros((len(rows), 0))
        error = np.stack(errors, -1) if errors else np.zeros((len(rows), 0))
        grain = np.maximum.outer(outputs.grain()[rows], inputs.grain()[columns])
        default = grain**0.375
        largest = np.max(np.abs(value), initial=0.0)
        # Of a function that is small everywhere a small derivative is no rounding, unless it is
        # what large values leave where they cancel.
        size = min(1.0, max(largest, np.max(np.abs(here), initial=0.0)))
        atol = np.clip(size * default, np.minimum(1e5 * grain, default), default)
        allowed = (atol if self.atol is None else self.atol) + np.abs(value) * (
            default if self.rtol is None else self.rtol
        )
        # What the difference may be off counts, but a bad difference must not excuse everything;
        # nor can a small element be better than the rounding of its large neighbours.
        allowed = allowed + np.minimum(8 * error, 100 * allowed) + 100 * grain * largest
        return Matrices(value, error, allowed)

    def derived(
        self, f: Function, inputs: Coordinates, outputs: Coordinates, mode: str
    ) -> tuple[Function, Coordinates, list[str]]:
        """What a mode makes of `f`: a function of its arguments and of directions."""
        count = len(inputs.values)
        if mode == "forward":
            directions = [self.draw(v) for v in inputs.values]
            names = [f"direction of {n}" for n in inputs.names]
            results = [f"tangent of {n}" for n in outputs.names]

            def made(*xs: Any) -> list[Any]:
                return list(jvp(f, xs[:count], xs[count:])[1])

        else:
            directions = [self.draw(v) for v in outputs.values]
            names = [f"cotangent of {n}" for n in outputs.names]
            results = [f"gradient of {n}" for n in inputs.names]

            def made(*xs: Any) -> list[Any]:
                return list(vjp(f, *xs[:count])[1](list(xs[count:])))

        points = Coordinates([*inputs.values, *directions], [*inputs.names, *names])
        return made, points, results

    def draw(self, like: Array) -> Array:
        """A random direction."""
        drawn = self.rng.uniform(-1, 1, like.shape)
        if like.dtype.kind == "c":
            drawn = drawn + 1j * self.rng.uniform(-1, 1, like.shape)
        return np.asarray(drawn, like.dtype)


def by_columns(
    f: Function, inputs: Coordinates, outputs: Coordinates, rows: Array, columns: Array, label: str
) -> Array:
    """The matrix by forward mode."""
    matrix = np.zeros((len(rows), len(columns)))
    for c, k in enumerate(map(int, columns)):
        y, dy = jvp(f, scalars(inputs.values), scalars(inputs.unit(k)))
        if c == 0:
            same_run(outputs, y, label)
            same_dtypes(outputs, dy, label, "a tangent")
        matrix[:, c] = outputs.flat(dy)[rows]
    return matrix


def by_rows(
    f: Function, inputs: Coordinates, outputs: Coordinates, rows: Array, columns: Array, label: str
) -> Array:
    """The matrix by reverse mode."""
    matrix = np.zeros((len(rows), len(columns)))
    y, pullback = vjp(f, *scalars(inputs.values))
    same_run(outputs, y, label)
    for r, k in enumerate(map(int, rows)):
        pulled = pullback(list(scalars(outputs.unit(k))))
        if r == 0:
            same_dtypes(inputs, pulled, label, "a gradient")
        matrix[r] = inputs.flat(pulled)[columns]
    return matrix


def scalars(arrays: Sequence[Array]) -> tuple[Array, ...]:
    """Arrays without axes as NumPy scalars."""
    return tuple(a[()] for a in arrays)


def compare(
    found: Array,
    numeric: Matrices,
    inputs: Coordinates,
    outputs: Coordinates,
    rows: Array,
    columns: Array,
    label: str,
) -> None:
    """Raise for the element that is off by the largest multiple of what is allowed."""
    with np.errstate(all="ignore"):
        excess = np.abs(found - numeric.value) / numeric.allowed
    bad = ~(excess <= 1)
    if not np.any(bad):
        return
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    r, c = np.unravel_index(worst, excess.shape)
    value, error, allowed = (m[r, c] for m in numeric)
    what = f"d {outputs.name(int(rows[r]))} / d {inputs.name(int(columns[c]))}"
    others = (
        f"; {np.count_nonzero(bad)} of {bad.size} elements disagree, this one most"
        if bad.size > 1
        else ""
    )
    advice = (
        "differences are unsure here: is there a kink or a jump?"
        if error > allowed / 10
        else "look at the rules used between the two, or pass rtol= and atol= if this is rounding"
    )
    raise GradcheckError(
        f"gradcheck: {label}{what} = {found[r, c]:.8g}, and differences of the values give "
        f"{value:.8g} ± {error:.1g}: off by {abs(found[r, c] - value):.2g}, where {allowed:.1g} "
        f"is allowed{others}; {advice}"
    )


def over_text(modes: tuple[str, ...]) -> str:
    """The modes, the last applied first: `forward over reverse mode: `."""
    return f"{' over '.join(modes)} mode: " if modes else ""


def same_run(outputs: Coordinates, y: Sequence[Any], label: str) -> None:
    """A run that is differentiated computes the values of a plain one."""
    same_values(
        outputs,
        y,
        f"gradcheck: {label}the function gives",
        "on plain arrays; it must not branch on whether it is differentiated",
    )


def same_values(outputs: Coordinates, y: Sequence[Any], before: str, after: str) -> None:
    """Refuse values that differ by more than rounding."""
    want, got = outputs.flat(outputs.values), outputs.flat([*map(concrete, y)])
    allowed = 100 * outputs.grain() * np.max(np.abs(want), initial=0.0)
    off = ~((np.abs(want - got) <= allowed) | (want == got) | (np.isnan(want) & np.isnan(got)))
    if np.any(off):
        k = int(np.argmax(off))
        raise GradcheckError(
            f"{before} {outputs.name(k)} = {got[k]:.8g}, and {want[k]:.8g} {after}"
        )


def same_dtypes(space: Coordinates, found: Sequence[Any], label: str, what: str) -> None:
    """A derivative has the dtype of its value."""
    for v, g, name in zip(space.values, found, space.names, strict=True):
        if np.result_type(g) != v.dtype:
            raise GradcheckError(
                f"gradcheck: {label}{what} of {name} is {np.result_type(g)}, and its value "
                f"{v.dtype}; a rule must keep the dtype"
            )
