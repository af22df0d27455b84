"""Derivatives that the user states: `custom_vjp` and `custom_jvp`, each deriving the other mode."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of
from ..core.complexes import conjugated
from ..core.dispatch import Tracer
from ..core.errors import GradientError, ShapeError, TreeError
from ..core.modes import new_level
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.slot import Slot
from ..core.sweep import sweep, unmasked
from ..core.trees import Tree, flatten
from .batch import vmap

Flat = Callable[..., Any]


class Custom(Primitive):
    """A call of a function with rules of its own, on the flat list of its array operands.

    `compute(*xs)` gives a tuple of results; `back(xs, cts)` the cotangents of the operands, or
    `ahead(xs, dxs)` the tangents of the results: whichever is None is derived from the other.
    """

    keeps_out = False

    def __init__(self, label: str, compute: Flat, back: Flat | None, ahead: Flat | None) -> None:
        self.name = label  # type: ignore[misc]
        self.compute = compute
        self.back = back
        self.ahead = ahead

    def __repr__(self) -> str:
        return self.name

    def evaluate(self, *xs: Value) -> Value:
        return self.compute(*xs)

    def shape(self, *avals: Aval) -> Any:
        zeros = [np.zeros(a.shape, a.dtype) for a in avals]
        return tuple(map(aval_of, self.compute(*zeros)))

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        if self.back is None:
            level = new_level()
            slots = [Slot(tuple(np.shape(x)), x.dtype, level) for x in xs]
            lines = self.ahead(xs, slots)  # type: ignore[misc]
            found = sweep(
                [
                    (line.node, c)
                    for line, c in zip(lines, ct, strict=True)
                    if isinstance(line, Slot) and c is not None
                ],
                wanted={s.node for s in slots},
                product=unmasked(product),
            )
            return [found.get(s.node) for s in slots]
        whole = [
            np.zeros(np.shape(y), y.dtype) if c is None else c
            for c, y in zip(ct, self.results(xs, ct), strict=True)
        ]
        found_back: Terms = self.back(xs, whole)
        return found_back

    def results(self, xs: Values, ct: Sequence[Any]) -> Sequence[Value]:
        """The results, needed only for the shapes of cotangents that did not arrive."""
        return ct if all(c is not None for c in ct) else self.compute(*xs)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        if self.ahead is not None:
            whole = [
                np.zeros(np.shape(x), x.dtype) if dx is None else dx
                for x, dx in zip(xs, dxs, strict=True)
            ]
            return tuple(self.ahead(xs, whole))
        level = new_level()
        slots = [Slot(tuple(np.shape(y)), y.dtype, level) for y in out]
        lines = self.back(xs, slots)  # type: ignore[misc]
        found = sweep(
            [
                (line.node, dx)
                for line, dx in zip(lines, dxs, strict=True)
                if isinstance(line, Slot) and dx is not None
            ],
            wanted={s.node for s in slots},
        )
        return tuple(
            found.get(s.node, np.zeros(s.shape, s.dtype)) for s in slots
        )

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        axes = tuple(0 if m else None for m in mapped)
        back, ahead = self.back, self.ahead
        batched = Custom(
            self.name,
            vmap(self.compute, axes),
            None if back is None else batched_rule(back, axes, size),
            None if ahead is None else batched_rule(ahead, axes, size),
        )
        return batched(*xs)


def batched_rule(rule: Flat, axes: tuple[int | None, ...], size: int) -> Flat:
    """A rule of one example as a rule of many; what is passed back is batched throughout."""

    def many(xs: Values, others: Values) -> Any:
        ready = [0 if len(np.shape(o)) and np.shape(o)[0] == size else None for o in others]
        return vmap(lambda a, b: tuple(rule(a, b)), (list(axes), ready))(list(xs), list(others))

    return many


class CustomFunction:
    """A function with a derivative rule of its own; made by `custom_vjp` or `custom_jvp`."""

    def __init__(self, f: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        self.f = f
        self.fixed = tuple(nondiff_argnums)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.jvp_rule: Callable[..., Any] | None = None
        self.signature = inspect.signature(f)
        functools.update_wrapper(self, f)

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> CustomFunction:
        """State reverse mode: `fwd(*args)` gives (result, residuals), and `bwd(residuals, ct)` a
        tuple with the cotangent of each argument, None for zero.
        """
        self.fwd, self.bwd = fwd, bwd
        return self

    def defjvp(self, rule: Callable[..., Any]) -> CustomFunction:
        """State forward mode: `rule(primals, tangents)` gives (result, tangent of the result)."""
        self.jvp_rule = rule
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.bwd is None and self.jvp_rule is None:
            raise GradientError(
                f"{self.name}: this function has no rule yet; give it one with defvjp or defjvp"
            )
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        args = bound.args
        call = Call(self, args)
        if not any(isinstance(x, Tracer) for x in call.operands):
            return self.f(*args)
        outs = call.primitive(*call.operands)
        return call.out_tree.build(outs)

    @property
    def name(self) -> str:
        return getattr(self.f, "__name__", "custom function")


class Call:
    """One call of a custom function: its array operands apart from everything else."""

    def __init__(self, rule: CustomFunction, args: tuple[Any, ...]) -> None:
        self.rule = rule
        fixed = {n % len(args) for n in rule.fixed}
        self.static = {n: args[n] for n in fixed}
        moving = tuple(a for n, a in enumerate(args) if n not in fixed)
        leaves, self.tree = flatten(moving)
        self.leaves = leaves
        self.places = [k for k, x in enumerate(leaves) if is_array(x)]
        self.operands = [
            x if hasattr(x, "dtype") else np.asarray(x)[()]
            for x in (leaves[k] for k in self.places)
        ]
        self.out_tree: Tree = self.tree
        self.primitive = Custom(
            rule.name,
            self.compute,
            self.back if rule.bwd is not None else None,
            self.ahead if rule.jvp_rule is not None else None,
        )

    def arguments(self, xs: Values) -> tuple[Any, ...]:
        """The moving arguments with these operands in place."""
        leaves = list(self.leaves)
        for k, x in zip(self.places, xs, strict=True):
            leaves[k] = x
        built: tuple[Any, ...] = self.tree.build(leaves)
        return built

    def merged(self, moving: tuple[Any, ...]) -> list[Any]:
        """All arguments, the fixed ones in their places."""
        rest = iter(moving)
        count = len(self.static) + len(moving)
        return [self.static[n] if n in self.static else next(rest) for n in range(count)]

    def compute(self, *xs: Value) -> tuple[Value, ...]:
        outs, self.out_tree = flatten(self.rule.f(*self.merged(self.arguments(xs))))
        return tuple(y if hasattr(y, "dtype") else np.asarray(y)[()] for y in outs)

    def back(self, xs: Values, cts: Values) -> list[Value | None]:
        """The user's `bwd`, its answer checked and flattened."""
        rule = self.rule
        moving = self.arguments(xs)
        _, residuals = rule.fwd(*self.merged(moving))  # type: ignore[misc]
        ct = self.out_tree.build([conjugated(c) for c in cts])
        static = [self.static[n] for n in sorted(self.static)]
        answer = rule.bwd(*static, residuals, ct)  # type: ignore[misc]
        if not isinstance(answer, tuple | list) or len(answer) != len(moving):
            got = f"{len(answer)} entries" if isinstance(answer, tuple | list) else (
                type(answer).__name__
            )
            raise TreeError(
                f"{rule.name}: its backward rule returned {got} for {len(moving)} arguments; "
                "return a tuple with one cotangent each, None for zero"
            )
        flat: list[Value | None] = []
        for n, (argument, ct_in) in enumerate(zip(moving, answer, strict=True)):
            flat.extend(self.flat_answer(n, argument, ct_in))
        chosen = [flat[k] for k in self.places]
        return [None if c is None else conjugated(c) for c in chosen]

    def flat_answer(self, n: int, argument: Any, ct: Any) -> list[Value | None]:
        """The cotangent of one argument as a list over its leaves."""
        leaves, tree = flatten(argument)
        if ct is None:
            return [None] * len(leaves)
        found, ct_tree = flatten(ct, none_is_leaf=True)
        if len(found) != len(leaves):
            raise TreeError(
                f"{self.rule.name}: the cotangent of argument {n} is {ct_tree} and the argument "
                f"{tree}; both must be nested alike"
            )
        for x, c, path in zip(leaves, found, tree.paths, strict=True):
            if c is not None and np.shape(c) != np.shape(x):
                raise ShapeError(
                    f"{self.rule.name}: the cotangent of argument {n}{path} has shape "
                    f"{np.shape(c)} and the argument {np.shape(x)}; both must be equal"
                )
        return [c if c is None or hasattr(c, "dtype") else np.asarray(c) for c in found]

    def ahead(self, xs: Values, dxs: Values) -> list[Value]:
        """The user's forward rule, its answer flattened."""
        changes: list[Any] = [None] * len(self.leaves)
        for k, dx in zip(self.places, dxs, strict=True):
            changes[k] = dx
        tangents = self.tree.build([0.0 if c is None else c for c in changes])
        static = [self.static[n] for n in sorted(self.static)]
        pair = self.rule.jvp_rule(*static, self.arguments(xs), tangents)  # type: ignore[misc]
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TreeError(
                f"{self.rule.name}: its forward rule must return (result, tangent of the result)"
            )
        return flatten(pair[1])[0]


def is_array(x: Any) -> bool:
    """Whether an argument's leaf is a number or an array of floats."""
    if isinstance(x, bool | str | bytes):
        return False
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float | complex) if dtype is None else dtype.kind in "fc"


def custom_vjp(
    f: Callable[..., Any] | None = None, *, nondiff_argnums: Sequence[int] = ()
) -> Any:
    """Give a function a reverse rule of its own (and with `defjvp` a forward one too).

    Forward mode, `vmap` and higher orders are derived from it: `bwd` must be linear in the
    cotangent, and is itself differentiated for second derivatives.  Arguments may be any pytrees
    and may be passed by keyword; those in `nondiff_argnums` are handed to the rules first, as they
    are.

    >>> @custom_vjp
    ... def clipped(x):
    ...     return x * 1.0
    >>> _ = clipped.defvjp(lambda x: (x * 1.0, None), lambda _, ct: (np.clip(ct, -1, 1),))
    >>> qd.grad(lambda x: 5.0 * clipped(x))(2.0)
    np.float64(1.0)
    """
    if f is None:
        return lambda g: CustomFunction(g, nondiff_argnums)
    return CustomFunction(f, nondiff_argnums)


def custom_jvp(
    f: Callable[..., Any] | None = None, *, nondiff_argnums: Sequence[int] = ()
) -> Any:
    """Give a function a forward rule of its own (and with `defvjp` a reverse one too).

    Reverse mode, `vmap` and higher orders are derived from it: the rule must be linear in the
    tangents.

    >>> @custom_jvp
    ... def cube(x):
    ...     return x**3
    >>> _ = cube.defjvp(lambda xs, dxs: (cube(xs[0]), 3 * xs[0] ** 2 * dxs[0]))
    >>> qd.grad(cube)(2.0)
    np.float64(12.0)
    """
    return custom_vjp(f, nondiff_argnums=nondiff_argnums)
