"""Functions whose derivatives their user states, as `autograd.extend` has them.

`primitive(f)` makes `f` opaque: it is called with plain NumPy values only, and its derivative is
what `defvjp` or `defjvp` said.  Whichever of the two is missing is derived from the other, and
`vmap` runs such a function example by example.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np

import qiudao as qd

from ...core.avals import Aval, Value, aval_of
from ...core.complexes import conjugated
from ...core.dispatch import Tracer, overrides
from ...core.errors import RuleError
from ...core.primitive import Parents, Primitive, Product, Terms, Values
from ...core.sweep import fit
from ...core.trees import LONE, Tree, flatten
from ...transforms.one_by_one import one_by_one

Function = Callable[..., Any]


class Rules:
    """What is known of one function: its cotangents, its tangents, whether it is a constant."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.vjps: Function | None = None  # (argnums, ans, args, kwargs) -> g -> cotangents
        self.jvps: Function | None = None  # (argnums, gs, ans, args, kwargs) -> tangent
        self.constant = False


class Registered(Primitive):
    """One call of such a function, on the tracers among its positional arguments."""

    def __init__(self, f: Function, rules: Rules, args: Sequence[Any], kwargs: Any) -> None:
        self.f = f
        self.rules = rules
        self.name = rules.name  # type: ignore[misc]
        self.kwargs = kwargs
        self.args = list(args)
        self.leaves: list[Any] = []
        self.traced: list[tuple[int, Tree, list[int], list[Any]]] = []
        self.out_tree: Tree | None = None  # of several results; None: one result
        for n, argument in enumerate(args):
            if isinstance(argument, Tracer):
                self.traced.append((n, LONE, [0], [argument]))
                self.leaves.append(argument)
            elif holds_tracer(argument):
                leaves, tree = flatten(argument)
                places = [k for k, x in enumerate(leaves) if isinstance(x, Tracer)]
                self.traced.append((n, tree, places, leaves))
                self.leaves += [leaves[k] for k in places]

    def arguments(self, xs: Values) -> list[Any]:
        """The positional arguments with these values of the operands."""
        args, given = list(self.args), iter(xs)
        for n, tree, places, leaves in self.traced:
            if tree is LONE:
                args[n] = next(given)
                continue
            filled = list(leaves)
            for k in places:
                filled[k] = next(given)
            args[n] = tree.build(filled)
        return args

    def evaluate(self, *xs: Value) -> Value:
        return self.flat(self.f(*self.arguments(xs), **self.kwargs))

    def flat(self, answer: Any) -> Value:
        """What the function returned as one array, or as a tuple of them."""
        if isinstance(answer, list | tuple | dict):
            leaves, self.out_tree = flatten(answer)
            return tuple(as_value(y) for y in leaves)
        return as_value(answer)

    def nested(self, out: Value) -> Any:
        """The results as the function nests them."""
        return out if self.out_tree is None else self.out_tree.build(out)

    def shape(self, *avals: Aval) -> Any:
        with np.errstate(all="ignore"):
            out = self.evaluate(*(np.ones(a.shape, a.dtype)[()] for a in avals))
        return tuple(map(aval_of, out)) if isinstance(out, tuple) else aval_of(out)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if self.rules.vjps is None:
            return self.transposed(ct, out, xs, product)
        wanted, start = [], 0
        for n, _, places, _ in self.traced:
            if any(p is not None for p in parents[start : start + len(places)]):
                wanted.append(n)
            start += len(places)
        return self.cotangents(tuple(wanted), ct, out, xs)

    def cotangents(self, argnums: tuple[int, ...], ct: Value, out: Value, xs: Values) -> Terms:
        """By the user's rule: a term for each operand in the arguments `argnums`."""
        if self.rules.vjps is None:
            raise RuleError(
                f"VJP of {self.name} wrt argnums {argnums} not defined; state it with defvjp"
            )
        if isinstance(out, tuple):
            ct = self.nested([zeros_like(y) if c is None else c for c, y in zip(ct, out)])
        answer = self.nested(out)
        rule = self.rules.vjps(argnums, answer, tuple(self.arguments(xs)), self.kwargs)
        found = dict(zip(argnums, rule(ct)))
        terms: list[Value | None] = []
        for n, tree, places, _ in self.traced:
            if found.get(n) is None:
                terms += [None] * len(places)
            elif tree is LONE:
                terms.append(as_value(found[n]))
            else:
                parts = flatten(found[n])[0]
                terms += [as_value(parts[k]) for k in places]
        return terms

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        if self.rules.jvps is None:
            return self.turned(out, xs, dxs)
        argnums, tangents, start = [], [], 0
        for n, tree, places, leaves in self.traced:
            mine = dxs[start : start + len(places)]
            if any(dx is not None for dx in mine):
                whole = [zeros_like(x) for x in leaves]
                for k, dx in zip(places, mine):
                    whole[k] = whole[k] if dx is None else dx
                argnums.append(n)
                tangents.append(tree.build(whole))
            start += len(places)
        args = tuple(self.arguments(xs))
        change = self.rules.jvps(argnums, tangents, self.nested(out), args, self.kwargs)
        return tuple(flatten(change)[0]) if isinstance(out, tuple) else as_value(change)

    def turned(self, out: Value, xs: Values, dxs: Terms) -> Value:
        """The tangent from the rule for cotangents, which is linear in them: its transpose."""
        outs = out if isinstance(out, tuple) else (out,)
        argnums = tuple(n for n, _, _, _ in self.traced)
        alive: list[int] = []

        def line(*cts: Value) -> list[Value]:
            terms = self.cotangents(argnums, cts if isinstance(out, tuple) else cts[0], out, xs)
            pairs = enumerate(zip(terms, dxs, strict=True))
            alive[:] = [k for k, (y, dx) in pairs if y is not None and dx is not None]
            return [fit(terms[k], xs[k]) for k in alive]

        pull = transpose_of(line, outs)
        changes = pull([dxs[k] for k in alive])
        return changes if isinstance(out, tuple) else changes[0]

    def transposed(self, ct: Value, out: Value, xs: Values, product: Product) -> Terms:
        """The cotangents from the rule for tangents, which is linear in them: its transpose."""
        if self.rules.jvps is None:
            argnums = tuple(n for n, _, _, _ in self.traced)
            return self.cotangents(argnums, ct, out, xs)  # which says that there is no rule
        outs = out if isinstance(out, tuple) else (out,)
        cts = ct if isinstance(out, tuple) else (ct,)

        def line(*dxs: Value) -> list[Value]:
            change = self.push(out, xs, dxs, product)
            changes = change if isinstance(change, tuple) else (change,)
            return [fit(each, y) for each, y in zip(changes, outs)]

        whole = [zeros_like(y) if c is None else c for c, y in zip(cts, outs)]
        terms: Terms = transpose_of(line, xs)(whole)
        return terms

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        return one_by_one(self, size, mapped, xs)


def transpose_of(line: Function, operands: Values) -> Function:
    """The transpose of a function that is linear in its operands, without conjugates."""
    _, pullback = qd.vjp(line, *map(zeros_like, operands))

    def pull(cts: Sequence[Value]) -> Any:
        return tuple(map(conjugated, pullback(list(map(conjugated, map(as_value, cts))))))

    return pull


def as_value(y: Any) -> Value:
    """A result or a cotangent as an array, a NumPy scalar or a tracer."""
    return y if hasattr(y, "dtype") else np.asarray(y)[()]


def zeros_like(x: Any) -> Value:
    """Zeros in the shape of a value."""
    return np.zeros(np.shape(x), x.dtype if hasattr(x, "dtype") else np.result_type(x))


def holds_tracer(x: Any) -> bool:
    """Whether a value is a tracer, or a container with one."""
    if isinstance(x, Tracer):
        return True
    if isinstance(x, list | tuple):
        return any(map(holds_tracer, x))
    return isinstance(x, dict) and any(map(holds_tracer, x.values()))


def primitive(f: Function) -> Function:
    """`f` as one operation, whose derivative `defvjp` or `defjvp` states.

    `f` is called with plain values only.  Derivatives are taken in the positional arguments,
    which may be containers; `f` may return an array, a number or a container of them.

    >>> from qiudao.interop.autograd.extend import defvjp, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x * x * x
    >>> defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
    >>> qd.grad(cube)(2.0)
    np.float64(12.0)
    """
    rules = Rules(getattr(f, "__name__", str(f)))

    def applied(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if isinstance(a, Tracer) or (type(a) in (list, tuple, dict) and holds_tracer(a)):
                break
        else:
            return f(*args, **kwargs)
        if rules.constant:
            return f(*map(plain, args), **kwargs)
        call = Registered(f, rules, args, kwargs)
        return call.nested(call(*call.leaves))

    functools.update_wrapper(applied, f, assigned=("__name__", "__doc__", "__module__"))
    applied.rules = rules  # type: ignore[attr-defined]
    applied.fun = f  # type: ignore[attr-defined]
    return applied


def plain(x: Any) -> Any:
    """A value without tracers, within containers too."""
    if isinstance(x, Tracer):
        return x.concrete()
    if isinstance(x, list | tuple | dict) and holds_tracer(x):
        leaves, tree = flatten(x)
        return tree.build(
            [leaf.concrete() if isinstance(leaf, Tracer) else leaf for leaf in leaves]
        )
    return x


def rules_of(fun: Function, name: str) -> Rules:
    """The rules of a function that `primitive` made.

    What is stated for a function of NumPy's or SciPy's that has a rule of ours is left unread:
    libraries state for those what HIPS autograd lacks, and ours hold in every mode and order.
    """
    found = getattr(fun, "rules", None)
    if not isinstance(found, Rules):
        if overrides.find(getattr(fun, "__wrapped__", fun)) is not None:
            return Rules(name_of(fun))
        raise TypeError(
            f"{name}: {name_of(fun)} was not made by primitive, and has no rule of qiudao's "
            "either; wrap the function with primitive first"
        )
    return found


def name_of(fun: Any) -> str:
    """What messages call a function."""
    return str(getattr(fun, "__name__", fun))


def defvjp_argnums(fun: Function, vjpmaker: Function) -> None:
    """State cotangents: `vjpmaker(argnums, ans, args, kwargs)(g)` gives one for each argument."""
    rules_of(fun, "defvjp_argnums").vjps = vjpmaker


def defvjp_argnum(fun: Function, vjpmaker: Function) -> None:
    """State cotangents one argument at a time: `vjpmaker(argnum, ans, args, kwargs)(g)`."""

    def vjps(argnums: Sequence[int], *call: Any) -> Function:
        rules = [vjpmaker(argnum, *call) for argnum in argnums]
        return lambda g: [rule(g) for rule in rules]

    defvjp_argnums(fun, vjps)


def defvjp(
    fun: Function, *vjpmakers: Function | None, argnums: Iterable[int] | None = None
) -> None:
    """State cotangents: `vjpmakers[k](ans, *args, **kwargs)(g)` is that of argument k.

    With `argnums` they are for those arguments; None stands for a zero.  For complex values `g`
    and the answer are paired without a conjugate, as HIPS autograd has them.
    """
    makers = dict(zip(count() if argnums is None else argnums, vjpmakers))
    check_rules("VJP", fun, makers.values())

    def vjps(argnums: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Function:
        known(fun, "VJP", argnums, makers)
        chosen = [makers[n] for n in argnums]
        rules = [None if m is None else m(ans, *args, **kwargs) for m in chosen]
        return lambda g: [None if rule is None else rule(g) for rule in rules]

    defvjp_argnums(fun, vjps)


def check_rules(what: str, fun: Any, rules: Iterable[Any]) -> None:
    """Refuse what is neither a function nor None (nor, for tangents, "same")."""
    for rule in rules:
        if not (rule is None or callable(rule) or (what == "JVP" and rule == "same")):
            raise TypeError(
                f"{what} of {name_of(fun)}: a rule must be a function or None, and this is {rule!r}"
            )


def known(fun: Any, what: str, argnums: Sequence[int], rules: dict[int, Any]) -> None:
    """Refuse a derivative in an argument that has no rule."""
    missing = tuple(n for n in argnums if n not in rules)
    if missing:
        raise RuleError(
            f"{what} of {name_of(fun)} wrt argnums {missing} not defined; state it with "
            f"{'defvjp' if what == 'VJP' else 'defjvp'}"
        )


def defjvp_argnums(fun: Function, jvpmaker: Function) -> None:
    """State the tangent: `jvpmaker(argnums, gs, ans, args, kwargs)` for all arguments at once."""
    rules_of(fun, "defjvp_argnums").jvps = jvpmaker


def defjvp_argnum(fun: Function, jvpmaker: Function) -> None:
    """State tangents one argument at a time: `jvpmaker(argnum, g, ans, args, kwargs)`."""

    def jvps(argnums: Sequence[int], gs: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        return sum_trees([jvpmaker(n, g, ans, args, kwargs) for n, g in zip(argnums, gs)])

    defjvp_argnums(fun, jvps)


def defjvp(
    fun: Function, *jvpfuns: Function | str | None, argnums: Iterable[int] | None = None
) -> None:
    """State tangents: `jvpfuns[k](g, ans, *args, **kwargs)` is the change per change of argument k.

    "same" says that the function is linear in that argument, and None that it does not depend
    on it.
    """
    rules: dict[int, Any] = dict(zip(count() if argnums is None else argnums, jvpfuns))
    check_rules("JVP", fun, rules.values())

    def jvp(n: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        known(fun, "JVP", (n,), rules)
        if rules[n] is None:
            leaves, tree = flatten(ans)
            return tree.build([zeros_like(y) for y in leaves])
        if rules[n] == "same":
            return fun(*args[:n], g, *args[n + 1 :], **kwargs)
        return rules[n](g, ans, *args, **kwargs)

    defjvp_argnum(fun, jvp)


def def_linear(fun: Function) -> None:
    """Say that a function is linear in each of its arguments."""
    defjvp_argnum(fun, lambda n, g, ans, args, kwargs: fun(*args[:n], g, *args[n + 1 :], **kwargs))


def sum_trees(terms: Sequence[Any]) -> Any:
    """The sum of equal containers, leaf by leaf."""
    if len(terms) == 1:
        return terms[0]
    columns = [flatten(term)[0] for term in terms]
    return flatten(terms[0])[1].build([sum(column[1:], column[0]) for column in zip(*columns)])
