"""Derivatives from values: of functions of one number, scalars and arrays of many numbers.

The function is called on plain NumPy values only and need not be differentiable by qiudao, so
these are numbers to check against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.avals import aval_of, is_inexact
from ..core.dispatch import Tracer, concrete
from ..core.errors import DtypeError, NotDifferentiableError, ShapeError
from ..core.trees import Tree, flatten
from .coordinates import Coordinates
from .differences import Estimate, Line, checked, differentiate, dropped, first
from .steps import Array, resolution


def derivative(
    f: Callable[[Any], Any],
    x: Any,
    *,
    method: str = "richardson",
    step: Any = None,
    order: int = 1,
    full: bool = False,
) -> Any:
    """The derivative of `f` at `x` by differences; `order` 2 for the second, and so on.

    `f` acts on each element of an array alone, or maps one number to a value of any shape.

    Methods: "forward" and "central" differences, with the step that suits the dtype; "complex",
    a complex step, exact to rounding for analytic `f` of real x; and "richardson", central
    differences extrapolated to no step, which is accurate to about 12 digits and the default.
    `step` replaces the (first) step chosen; a negative one makes "forward" step down.

    For complex x, an analytic `f` gives its complex derivative, and a real `f` the gradient
    df/dx + i df/dy.  Any other is refused.

    With `full` an `Estimate` comes back: value, error, step and evaluations.

    >>> float(qd.numeric.derivative(np.sin, 0.0))
    1.0
    >>> qd.numeric.derivative(np.exp, np.array([0.0, 1.0]), method="complex")
    array([1.        , 2.71828183])
    >>> found = qd.numeric.derivative(np.log, 2.0, order=2, full=True)
    >>> float(abs(found.value + 0.25)) < 1e-9, float(found.error) < 1e-8
    (True, True)
    """
    name = "derivative"
    z = value_of(x, name)
    checked(name, f, method, step, order, z.shape)
    sure = full or z.dtype.kind == "c"

    def phi(t: Array) -> Array:
        y = plain(f(t), name)
        if np.ndim(t) and np.shape(y) != np.shape(t):
            raise ShapeError(
                f"{name}: the function maps shape {np.shape(t)} to shape {np.shape(y)}, and must "
                "act on each element alone; use gradient for one number of many, or jacobian"
            )
        return y

    def along(path: Callable[[Array], Array], at: Array) -> tuple[Estimate, Any]:
        line = Line(name, path, at)
        return differentiate(line, method, step, order, sure), line.given

    if z.dtype.kind != "c":
        found, given = along(phi, z)
    else:
        real_steps_only(name, method)
        across, given = along(lambda t: phi(t + 1j * z.imag), z.real)
        up, _ = along(lambda t: phi(z.real + 1j * t), z.imag)
        if given.kind == "c":
            found = holomorphic(name, across, up, order)
        elif order == 1:
            found, given = joined(across, up), z.dtype
        else:
            raise NotDifferentiableError(
                f"{name}: the function is real at a complex x, so its derivative of order {order} "
                "is no one number; take derivatives in x.real and x.imag apart"
            )
    return finished(found, given if is_inexact(given) else z.dtype, full)


def gradient(
    f: Callable[[Any], Any],
    x: Any,
    *,
    method: str = "richardson",
    step: Any = None,
    full: bool = False,
) -> Any:
    """The gradient of a real scalar function of an array, or of any pytree, by differences.

    It has the structure and the dtypes of `x`.  For a complex element z = x + iy it holds
    df/dx + i df/dy, as `qd.grad` does.  `f` is called several times for each element; `method`,
    `step` and `full` are those of `derivative`.

    >>> qd.numeric.gradient(lambda x: np.sum(x**2), np.array([1.0, 2.0]))
    array([2., 4.])
    >>> g = qd.numeric.gradient(lambda p: p["a"] * p["b"], {"a": 2.0, "b": 5.0})
    >>> round(float(g["a"]), 9), round(float(g["b"]), 9)
    (5.0, 2.0)
    """
    found = Columns("gradient", f, x, method, step)
    y: Any = found.outputs[0] if found.outputs else None
    if len(found.outputs) != 1 or np.shape(y):
        what = f"shape {np.shape(y)}" if len(found.outputs) == 1 else f"{len(found.outputs)} values"
        raise ShapeError(
            f"gradient: the function must return a scalar, and it returned {what}; reduce it "
            "(np.sum), or use jacobian"
        )
    if np.iscomplexobj(y):
        raise DtypeError(
            "gradient: the function returned a complex number, which has no gradient; return a "
            "real one (np.real, np.abs), or use jacobian"
        )
    found.differentiate(full)
    blocks = []
    for i in range(len(found.inputs.values)):
        across, up = found.block(i, 0)
        blocks.append(across if up is None else joined(across, up))
    dtypes = [v.dtype for v in found.inputs.values]
    return found.assembled([blocks], [dtypes], full, lambda rows: found.tree.build(rows[0]))


def jacobian(
    f: Callable[[Any], Any],
    x: Any,
    *,
    method: str = "richardson",
    step: Any = None,
    full: bool = False,
) -> Any:
    """The Jacobian of `f` at `x` by differences: entry [i..., j...] is d f[i...] / d x[j...].

    `x` and the result may be pytrees; a tree of results then holds trees of arguments, as with
    `qd.jacobian`.  With respect to complex elements `f` must be analytic.  `method`, `step` and
    `full` are those of `derivative`.

    >>> qd.numeric.jacobian(lambda x: x[:1] * x, np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    name = "jacobian"
    found = Columns(name, f, x, method, step)
    found.differentiate(full)
    rows, dtypes = [], []
    for o, y in enumerate(found.outputs):
        row, kinds = [], []
        for i, v in enumerate(found.inputs.values):
            across, up = found.block(i, o)
            row.append(across if up is None else holomorphic(name, across, up, 1))
            kinds.append(y.dtype if is_inexact(y.dtype) else v.dtype)
        rows.append(row)
        dtypes.append(kinds)
    return found.assembled(
        rows, dtypes, full, lambda rows: found.out_tree.build([found.tree.build(r) for r in rows])
    )


class Columns:
    """The derivatives of all outputs of a function along each real coordinate of its argument."""

    def __init__(self, name: str, f: Callable[[Any], Any], x: Any, method: str, step: Any) -> None:
        checked(name, f, method, step, 1)
        self.name, self.f, self.method, self.step = name, f, method, step
        leaves, self.tree = flatten(x)
        paths = self.tree.paths
        values = [value_of(v, name, p) for v, p in zip(leaves, paths, strict=True)]
        self.is_complex = any(v.dtype.kind == "c" for v in values)
        if self.is_complex:
            real_steps_only(name, method)
        self.inputs = Coordinates(values, paths)
        self.outputs, self.out_tree = self.evaluate([v.copy()[()] for v in values])
        self.calls = 1
        self.estimates: list[Estimate] = []

    def evaluate(self, values: list[Array]) -> tuple[list[Array], Tree]:
        """The leaves of the result as plain arrays, and their structure."""
        ys, tree = flatten(self.f(self.tree.build(values)))
        return [plain(y, self.name) for y in ys], tree

    def differentiate(self, sure: bool) -> None:
        """Find all the columns; `sure` has their errors estimated."""
        here = join(self.outputs)
        for k in range(len(self.inputs)):

            def phi(t: Array, k: int = k) -> Array:
                return self.beside(self.inputs.put(k, t), np.iscomplexobj(t))

            line = Line(f"{self.name}: x{self.inputs.name(k)}", phi, self.inputs.get(k), here)
            found = differentiate(line, self.method, self.step, 1, sure or self.is_complex)
            self.estimates.append(found)
            self.calls += line.calls

    def beside(self, values: list[Array], by_complex_step: bool) -> Array:
        """All results at a point beside x, as one vector."""
        ys, tree = self.evaluate(values)
        shapes, before = [np.shape(y) for y in ys], [np.shape(y) for y in self.outputs]
        if tree != self.out_tree or shapes != before:
            raise ShapeError(
                f"{self.name}: the function returns shapes {before} at x and {shapes} beside it; "
                "the shape of the result must not depend on the values"
            )
        if by_complex_step:
            for y in ys:
                if y.dtype.kind != "c":
                    raise dropped(self.name, y.dtype)
        return join(ys)

    def block(self, i: int, o: int) -> tuple[Estimate, Estimate | None]:
        """The derivatives of output o along the real parts of input i and, if it is complex, along
        the imaginary parts.
        """
        start = sum(self.inputs.sizes[:i])
        v = self.inputs.values[i]
        across = self.piece(o, start, v.shape)
        return across, self.piece(o, start + v.size, v.shape) if v.dtype.kind == "c" else None

    def piece(self, o: int, start: int, shape: tuple[int, ...]) -> Estimate:
        """A run of columns cut to one output, with the output's axes first."""
        y = self.outputs[o]
        before = sum(v.size for v in self.outputs[:o])
        count = int(np.prod(shape, dtype=int))
        chosen = self.estimates[start : start + count]

        def stacked(field: str) -> Array:
            columns = [
                np.broadcast_to(getattr(e, field), (sum(v.size for v in self.outputs),))
                for e in chosen
            ]
            whole = np.stack(columns, -1) if columns else np.zeros((before + y.size, 0))
            return whole[before : before + y.size].reshape((*y.shape, *shape))

        return Estimate(stacked("value"), stacked("error"), stacked("step"), self.calls)

    def assembled(
        self,
        rows: list[list[Estimate]],
        dtypes: list[list[Any]],
        full: bool,
        build: Callable[[list[list[Array]]], Any],
    ) -> Any:
        """The blocks in the trees that were asked for."""
        done = [
            [finished(e, d, True) for e, d in zip(row, kinds, strict=True)]
            for row, kinds in zip(rows, dtypes, strict=True)
        ]
        value = build([[e.value for e in row] for row in done])
        if not full:
            return value
        error = build([[e.error for e in row] for row in done])
        step = build([[e.step for e in row] for row in done])
        return Estimate(value, error, step, self.calls)


def value_of(x: Any, name: str, path: str = "") -> Array:
    """A point to differentiate at, as a plain NumPy array."""
    if isinstance(x, Tracer):
        x.refuse(name, "differences are plain numbers: pass x.detach(), or use qd.grad")
        x = x.concrete()
    z = np.asarray(float(x) if type(x) is int else x)
    if z.dtype.kind not in "fc":
        what = aval_of(z) if z.dtype.kind in "iub" else f"{type(x).__name__} {x!r}"
        raise DtypeError(
            f"{name}: x{path} is {what}, and differences need float or complex values; convert "
            "it with .astype(float)"
        )
    return z


def plain(y: Any, name: str) -> Array:
    """A result of the function as a plain NumPy array."""
    value = np.asarray(concrete(y))
    if value.dtype.kind not in "fciub":
        raise DtypeError(
            f"{name}: the function returned {type(y).__name__}, and must return numbers; return "
            "arrays, or use jacobian for a container of them"
        )
    return value


def join(ys: list[Array]) -> Array:
    """All results as one vector."""
    return np.concatenate([np.ravel(y) for y in ys]) if ys else np.zeros(0)


def real_steps_only(name: str, method: str) -> None:
    """Refuse a complex step from a complex point."""
    if method == "complex":
        raise DtypeError(
            f"{name}: x is complex, and a complex step must be its only complex part; use "
            'method="richardson"'
        )


def joined(across: Estimate, up: Estimate) -> Estimate:
    """The gradient df/dx + i df/dy of a real function of x + iy."""
    return Estimate(
        across.value + 1j * up.value,
        np.hypot(across.error, up.error),
        across.step,
        across.evaluations + up.evaluations,
    )


def holomorphic(name: str, across: Estimate, up: Estimate, order: int) -> Estimate:
    """The complex derivative, where the one along y is i^n times the one along x."""
    turned = up.value * (-1j) ** order
    rounding = np.sqrt(resolution(across.step.dtype)) * np.abs(across.value)
    apart = np.abs(across.value - turned) > 10 * (across.error + up.error) + rounding
    if np.any(apart):
        raise NotDifferentiableError(
            f"{name}: the function is not analytic: along the real axis it changes by "
            f"{first(across.value, apart):.6g}, and along the imaginary axis by i times "
            f"{first(turned, apart):.6g}; take derivatives in x.real and x.imag apart"
        )
    return replace(across, evaluations=across.evaluations + up.evaluations)


def finished(found: Estimate, dtype: Any, full: bool) -> Any:
    """An estimate in the dtype of the function, or its value alone."""
    value = found.value if dtype.kind == "c" else found.value.real
    value = np.asarray(value).astype(dtype)[()]
    if not full:
        return value
    return replace(
        found, value=value, error=np.asarray(found.error)[()], step=np.asarray(found.step)[()]
    )
