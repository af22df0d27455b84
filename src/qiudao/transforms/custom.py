"""Derivatives that the user states: `custom_vjp` and `custom_jvp`, each deriving the other mode."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..core.arriving import lasting
from ..core.avals import Aval, Value, aval_of
from ..core.complexes import conjugated
from ..core.dispatch import Tracer, level_of
from ..core.errors import GradientError, ShapeError, TreeError
from ..core.living import Guarded, Live, MayLoop
from ..core.modes import modes, new_level
from ..core.node import next_number
from ..core.primitive import Parents, Product, Terms, Values
from ..core.signatures import signature
from ..core.slot import Slot
from ..core.sweep import sweep, unmasked
from ..core.trees import Tree, flatten
from ..tape.backward import check_guards
from ..tape.guard import is_same
from ..tape.reaching import boundary
from ..tape.tensor import Tensor
from .batch import vmap
from .held import slots_like
from .results import apart, copied

Flat = Callable[..., Any]
Argnums = int | Sequence[int]


class Custom(MayLoop):
    """A call of a function with rules of its own, on the flat list of its array operands.

    `compute(*xs)` gives a tuple of results; `back(xs, cts)` the cotangents of the operands, or
    `ahead(xs, dxs)` the tangents of the results: whichever is None is derived from the other.
    """

    keeps_out = False

    def __init__(
        self,
        label: str,
        compute: Flat,
        back: Flat | None,
        ahead: Flat | None,
        let_go: Callable[[], None] | None = None,
    ) -> None:
        self.name = label  # type: ignore[misc]
        self.compute = compute
        self.back = back
        self.ahead = ahead
        self.let_go = let_go  # of what was kept beside operands and results

    def __repr__(self) -> str:
        return self.name

    def evaluate(self, *xs: Value) -> Value:
        return self.compute(*xs)

    def expand(self, *xs: Value) -> Any:
        return self.compute(*xs)

    def shape(self, *avals: Aval) -> Any:
        if modes.recording is not None:
            stated = modes.recording.types_of(self.compute, avals)
            if stated is not None:
                return stated
        zeros = [np.zeros(a.shape, a.dtype) for a in avals]  # where it asks for values
        with np.errstate(all="ignore"):
            return tuple(map(aval_of, self.compute(*zeros)))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if self.back is None:
            level = new_level()
            slots = slots_like(xs, level)
            lines = self.ahead(xs, slots)  # type: ignore[misc]
            found = sweep(
                [
                    (line.node, c)
                    for line, c in zip(lines, ct, strict=True)
                    if isinstance(line, Slot) and c is not None
                ],
                wanted={s.node for s in slots},
                product=unmasked(product),
                after=check_guards,
            )
            return [found.get(s.node) for s in slots]
        whole = [
            np.zeros(np.shape(y), y.dtype) if c is None else c
            for c, y in zip(ct, self.results(xs, ct), strict=True)
        ]
        found_back: Terms = self.back(xs, whole)
        return found_back

    def freed(self) -> None:
        if self.let_go is not None:
            self.let_go()

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
        slots = slots_like(out, level)
        lines = self.back(xs, slots)  # type: ignore[misc]
        found = sweep(
            [
                (line.node, dx)
                for line, dx in zip(lines, dxs, strict=True)
                if isinstance(line, Slot) and dx is not None
            ],
            wanted={s.node for s in slots},
            after=check_guards,
        )
        return tuple(found.get(s.node, np.zeros(s.shape, s.dtype)) for s in slots)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        axes = tuple(0 if m else None for m in mapped)
        back, ahead = self.back, self.ahead
        batched = Custom(
            self.name,
            vmap(self.compute, axes),
            None if back is None else batched_rule(back, axes, None),
            None if ahead is None else batched_rule(ahead, axes, axes),
        )
        return batched(*xs)

    def guarded(self, live: Any, xs: Sequence[Any]) -> Guarded | None:
        back, ahead = self.back, self.ahead
        made = Custom(
            self.name,
            guarded_compute(self.compute),
            None if back is None else guarded_back(back),
            None if ahead is None else guarded_ahead(ahead),
            self.let_go,
        )
        return made, (live, *xs)


Axes = tuple[int | None, ...]


def batched_rule(rule: Flat, axes: Axes, others_axes: Axes | None) -> Flat:
    """A rule of one example as a rule of many.

    Tangents are batched as their operands are, cotangents all (None): so is every result.
    """

    def many(xs: Values, others: Values) -> Any:
        ready = [0] * len(others) if others_axes is None else list(others_axes)
        return vmap(lambda a, b: tuple(rule(a, b)), (list(axes), ready))(list(xs), list(others))

    return many


def guarded_compute(compute: Flat) -> Flat:
    """A function that is told in front whether its example takes part (`core/living.py`)."""

    def run(live: Value, *xs: Value) -> Any:
        with Live(live):
            return compute(*xs)

    return run


def guarded_back(back: Flat) -> Flat:
    """The reverse rule of such a function, which has no cotangents where it takes no part."""

    def run(xs: Values, cts: Values) -> Terms:
        live = xs[0]
        with Live(live):
            found = back(xs[1:], cts)
        return [None, *(None if g is None else np.where(live, g, 0) for g in found)]

    return run


def guarded_ahead(ahead: Flat) -> Flat:
    """The forward rule of such a function."""

    def run(xs: Values, dxs: Values) -> Any:
        with Live(xs[0]):
            return ahead(xs[1:], dxs[1:])

    return run


class Forwarding(threading.local):
    """The rules whose `fwd` is running to give a value.

    A `fwd` that calls its own function means the function itself: were its value found by `fwd`
    again, where it is batched or traced, that would have no end.
    """

    def __init__(self) -> None:
        self.rules: tuple[CustomFunction, ...] = ()

    @contextmanager
    def of(self, rule: CustomFunction) -> Iterator[None]:
        """While the `fwd` of `rule` runs."""
        self.rules = (*self.rules, rule)
        try:
            yield
        finally:
            self.rules = self.rules[:-1]


forwarding = Forwarding()


class CustomFunction:
    """A function with a derivative rule of its own; made by `custom_vjp` or `custom_jvp`."""

    def __init__(self, f: Callable[..., Any], nondiff_argnums: Argnums = ()) -> None:
        self.f = f
        if isinstance(nondiff_argnums, int):
            nondiff_argnums = (nondiff_argnums,)
        self.fixed = tuple(nondiff_argnums)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.jvp_rule: Callable[..., Any] | None = None
        self.signature = signature_of(f)
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

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.bwd is None and self.jvp_rule is None:
            raise GradientError(
                f"{self.name}: this function has no rule yet; give it one with defvjp or defjvp"
            )
        if self.signature is not None:
            bound = self.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        call, operands = Call.of(self, args)
        level = max(map(level_of, operands), default=-1.0)
        if level < 0:
            return self.f(*args)
        outs = call.primitive()(*operands)
        below = [part for y in outs if isinstance(y, Tracer) for part in y.parts()[:1]]
        if any(level_of(part) >= level for part in below):
            raise GradientError(
                f"{self.name}: this function reads a value from outside that carries a gradient, "
                "which its rule does not know of; pass it as an argument"
            )
        return call.out_tree.build(outs)

    @property
    def name(self) -> str:
        return getattr(self.f, "__name__", "custom function")


def signature_of(f: Callable[..., Any]) -> inspect.Signature | None:
    """The parameters of a function, all of which a call may pass by position."""
    try:
        found = signature(f)
    except (TypeError, ValueError):
        return None
    for parameter in found.parameters.values():
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
            raise GradientError(
                f"{getattr(f, '__name__', 'custom function')}: the parameter {parameter.name!r} "
                "can be passed by keyword only, and rules take arguments by position; make it "
                "one that may be passed by position"
            )
    return found


class Call:
    """One call of a custom function: its array operands apart from everything else."""

    def __init__(
        self, rule: CustomFunction, static: dict[int, Any], leaves: list[Any], tree: Tree
    ) -> None:
        self.rule = rule
        self.static = static  # the arguments handed on as they are, by number
        self.places = [k for k, x in enumerate(leaves) if is_array(x)]
        self.leaves = [None if k in self.places else x for k, x in enumerate(leaves)]
        self.tree = tree
        self.out_tree: Tree = tree
        self.kept: tuple[Values, Any] | None = None  # operands, and the residuals of `fwd` there

    @staticmethod
    def of(rule: CustomFunction, args: tuple[Any, ...]) -> tuple[Call, list[Value]]:
        """A call with these arguments, and its operands."""
        for n in rule.fixed:
            if not -len(args) <= n < len(args):
                raise GradientError(
                    f"{rule.name}: nondiff_argnums names argument {n}, and the call has "
                    f"{len(args)}; name those that there are, from 0"
                )
        static = {n % len(args): args[n] for n in rule.fixed}
        for n, x in static.items():
            if any(isinstance(leaf, Tracer) and leaf.carries() for leaf in flatten(x)[0]):
                raise GradientError(
                    f"{rule.name}: argument {n} is in nondiff_argnums and carries a gradient; "
                    "take it out of nondiff_argnums, or cut it with qd.stop_gradient"
                )
        leaves, tree = flatten(tuple(a for n, a in enumerate(args) if n not in static))
        call = Call(rule, static, leaves, tree)
        operands = [leaves[k] for k in call.places]
        return call, [x if hasattr(x, "dtype") else np.asarray(x)[()] for x in operands]

    def primitive(self) -> Custom:
        """The operation that this call is, on its operands."""
        return Custom(
            self.rule.name,
            self.compute,
            self.back if self.rule.bwd is not None else None,
            self.ahead if self.rule.jvp_rule is not None else None,
            self.let_go,
        )

    def let_go(self) -> None:
        """Forget the residuals, which a later sweep would find by running `fwd` again."""
        self.kept = None

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
        """The results; by `fwd` where there is one, whose residuals are kept for `back`."""
        arguments = self.merged(self.arguments(copied(xs)))
        start = next_number()
        if self.rule.fwd is None or self.rule in forwarding.rules:
            result = self.rule.f(*arguments)
        else:
            with forwarding.of(self.rule):
                result, residuals = self.forward(arguments)
            self.kept = xs, residuals
        outs, self.out_tree = flatten(result)
        return tuple(lasting(without_own_tape(y, start)) for y in outs)

    def forward(self, arguments: list[Any]) -> tuple[Any, Any]:
        """The user's `fwd`, its answer checked."""
        answer = self.rule.fwd(*arguments)  # type: ignore[misc]
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TreeError(
                f"{self.rule.name}: its forward function must return (result, residuals), and it "
                f"returned {type(answer).__name__}"
            )
        return answer

    def residuals(self, xs: Values) -> Any:
        """What `fwd` keeps for `bwd`: from the call itself, or recorded anew for a derivative."""
        if self.kept is not None and all(map(unchanged, xs, self.kept[0])):
            leaves, tree = flatten(self.kept[1])
            return tree.build(map(apart, leaves))  # a later sweep reads them too
        return self.forward(self.merged(self.arguments(copied(xs))))[1]

    def back(self, xs: Values, cts: Values) -> list[Value | None]:
        """The user's `bwd`, its answer checked and flattened."""
        rule = self.rule
        moving = self.arguments(xs)
        residuals = self.residuals(xs)
        ct = self.out_tree.build(copied(map(conjugated, cts)))  # which the rule may write into
        static = [self.static[n] for n in sorted(self.static)]
        answer = rule.bwd(*static, residuals, ct)  # type: ignore[misc]
        if not isinstance(answer, tuple | list) or len(answer) != len(moving):
            got = (
                f"{len(answer)} entries"
                if isinstance(answer, tuple | list)
                else (type(answer).__name__)
            )
            raise TreeError(
                f"{rule.name}: its backward rule returned {got} for {len(moving)} arguments; "
                "return a tuple with the cotangent of each, None for zero"
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
        return [None if c is None else lasting(c) for c in found]

    def ahead(self, xs: Values, dxs: Values) -> list[Value]:
        """The user's forward rule, its answer flattened."""
        changes: list[Any] = [None] * len(self.leaves)
        for k, dx in zip(self.places, copied(dxs), strict=True):
            changes[k] = dx
        tangents = self.tree.build([0.0 if c is None else c for c in changes])
        static = [self.static[n] for n in sorted(self.static)]
        arguments = self.arguments(copied(xs))
        pair = self.rule.jvp_rule(*static, arguments, tangents)  # type: ignore[misc]
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TreeError(
                f"{self.rule.name}: its forward rule must return (result, tangent of the result), "
                f"and it returned {type(pair).__name__}"
            )
        outs, out_tree = flatten(pair[0])
        lines, tree = flatten(pair[1])
        if tree != out_tree:
            raise TreeError(
                f"{self.rule.name}: its forward rule returned the tangent {tree} of the result "
                f"{out_tree}; both must be nested alike"
            )
        for y, line, path in zip(outs, lines, out_tree.paths, strict=True):
            if np.shape(line) != np.shape(y):
                raise ShapeError(
                    f"{self.rule.name}: the tangent of result{path} has shape {np.shape(line)} "
                    f"and the result {np.shape(y)}; both must be equal"
                )
        return list(map(lasting, lines))


def without_own_tape(y: Any, start: int, level: float = -1.0) -> Any:
    """A result without a record, above `level`, that begins inside the call."""
    while (
        isinstance(y, Tensor)
        and y.level > level
        and (y.node is None or not boundary([y.node], start))
    ):
        y = y.value
    return y


def unchanged(x: Value, earlier: Value) -> bool:
    """Whether an operand is what it was when the residuals were computed."""
    if x is earlier:
        return True
    return isinstance(x, np.ndarray) and isinstance(earlier, np.ndarray) and is_same(x, earlier)


def is_array(x: Any) -> bool:
    """Whether an argument's leaf is a number or an array of floats, or a tracer."""
    if isinstance(x, Tracer):
        return True
    if isinstance(x, bool | str | bytes):
        return False
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float | complex) if dtype is None else dtype.kind in "fc"


def custom_vjp(
    f: Callable[..., Any] | None = None, *, nondiff_argnums: int | Sequence[int] = ()
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
    f: Callable[..., Any] | None = None, *, nondiff_argnums: int | Sequence[int] = ()
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
