"""The test that every primitive gets for nothing, from its samples.

On operands drawn for a sample, `check_rule` holds against each other: the stated type and the
value; the value on arrays of any layout; tangents and differences of values; forward, reverse,
batched, eager and Taylor mode, nested to the order of the sample; each operand alone and all
together; broadcast operands and copies; single and double precision; the lanes that a mask reaches
and those that the derivative reads; and `vmap` over many examples, over none, and a loop.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.dispatch import Tracer
from ..core.errors import DetachError
from ..core.families import Elementwise
from ..core.node import Leaf
from ..core.primitive import Primitive, registry
from ..core.samples import Sample
from ..eager.gradients import grad
from ..eager.making import tensor
from ..ops import rarer  # noqa: F401  # so that the registry has every primitive
from ..ops.special import Special, Stepped
from ..transforms.batch import vmap
from ..transforms.forward import jvp
from ..transforms.reverse import vjp
from ..transforms.taylor import jet
from .elements import run_element

EXAMPLES = 3  # in a batch
ROUNDING = 1e-9  # between two ways to compute the same, relative to the largest element
STEP = 1e-4  # of differences
TRUNCATION = 1e-7  # of differences


class RuleCheckError(AssertionError):
    """A primitive's rule disagrees with its value."""


def every_sample() -> list[tuple[str, Primitive, Sample]]:
    """Each primitive in the registry with each of its samples, labelled.

    Those for SciPy's functions are among them where SciPy is installed.
    """
    if importlib.util.find_spec("scipy") is not None:
        importlib.import_module("qiudao.ops.special.families")
        scipy = importlib.import_module("qiudao.scipy")
        for module in scipy.MODULES:
            importlib.import_module(f"qiudao.scipy.{module}")
    found = []
    for cls in registry:
        if not cls.samples:
            if cls in (Special, Stepped):
                continue
            raise RuleCheckError(f"{cls.name}: a primitive must carry samples")
        for k, s in enumerate(cls.samples):
            found.append((f"{cls.name}-{k}", cls(**s.fields), s))
    return found


def draw(sample: Sample, rng: np.random.Generator) -> list[Any]:
    """Operands for a sample."""
    xs = [draw_one(aval, sample, rng) for aval in sample.avals]
    return [schur_form(xs[0]), *xs[1:]] if sample.kind == "schur" else xs


def draw_one(aval: Aval, sample: Sample, rng: np.random.Generator) -> Any:
    """One operand: of the stated type, and of the sample's kind."""
    low, high = sample.within
    shape = aval.shape
    if aval.dtype.kind == "b":
        return rng.random(shape) < 0.5
    if aval.dtype.kind == "i":
        if sample.kind == "index":
            limit = sample.avals[0].shape or (1,)
            return rng.integers(0, min(limit), shape)
        return rng.integers(int(low), int(high) + 1, shape)
    x = rng.uniform(low, high, shape)
    if sample.kind in ("distinct", "increasing"):
        count = max(x.size, 1)
        grid = np.linspace(low, high, count) + rng.uniform(-0.2, 0.2, count) * (high - low) / count
        x = np.reshape(grid if sample.kind == "increasing" else rng.permutation(grid), shape)
    if aval.dtype.kind == "c":
        x = x + 1j * rng.uniform(-0.5, 0.5, shape)
    if sample.kind == "regular" and len(shape) >= 2:
        x = x + 3 * max(abs(low), abs(high)) * np.eye(shape[-2], shape[-1])
    if sample.kind in ("symmetric", "definite") and len(shape) >= 2:
        x = x + np.conj(np.swapaxes(x, -1, -2))
        if sample.kind == "definite":
            x = x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(shape[-1])
    return np.asarray(x, aval.dtype)


def schur_form(x: Any) -> Any:
    """The upper triangle of x; a real one of three rows or more begins with a 2 by 2 block."""
    form = np.triu(x)
    if x.shape[-1] > 2 and x.dtype.kind != "c":
        form[..., 1, 0] = -0.5 * form[..., 0, 1]
        form[..., 1, 1] = form[..., 0, 0]
    return form


class Case:
    """A primitive on drawn operands; called, it is a function of the operands that can move."""

    def __init__(self, prim: Primitive, sample: Sample, xs: Sequence[Any], seed: int = 0) -> None:
        self.prim = prim
        self.name = repr(prim)
        self.sample = sample
        self.xs = list(xs)
        self.rng = np.random.default_rng(seed)
        self.moving = [i for i, x in enumerate(xs) if x.dtype.kind in "fc" and i not in sample.held]
        self.inputs = tuple(xs[i] for i in self.moving)

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        full = list(self.xs)
        for i, x in zip(self.moving, inputs, strict=True):
            full[i] = x
        return parts(self.prim(*full))

    @property
    def differs(self) -> bool:
        """Whether there is anything to differentiate."""
        return bool(self.moving and not self.prim.is_constant and self(*self.inputs))

    def again(self, xs: Sequence[Any]) -> Case:
        """The same primitive on other operands."""
        return Case(self.prim, self.sample, xs)

    def draw(self) -> list[Any]:
        """Other operands of the sample."""
        return draw(self.sample, self.rng)

    def along(self, inputs: Sequence[Any] | None = None) -> tuple[Any, ...]:
        """A random direction for the operands that can move; a Schur form keeps its zeros."""
        xs = self.inputs if inputs is None else inputs
        dxs = [random_like(x, self.rng) for x in xs]
        if self.sample.kind != "schur":
            return tuple(dxs)
        return tuple(np.where(x == 0, x, dx) for x, dx in zip(xs, dxs, strict=True))

    def weights(self) -> tuple[Any, ...]:
        """A random cotangent for the results."""
        return tuple(random_like(y, self.rng) for y in self(*self.inputs))

    def close(self, what: str, got: Any, want: Any, tolerance: float = ROUNDING) -> None:
        """Raise unless values agree, one by one, relative to the largest element of each."""
        if not isinstance(want, tuple | list):
            got, want = (got,), (want,)
        if len(got) != len(want):
            raise RuleCheckError(f"{self.name}: {what}: {len(got)} values against {len(want)}")
        for g, w in zip(got, want, strict=True):
            close(f"{self.name}: {what}", g, w, tolerance)


def check_rule(prim: Primitive, sample: Sample, seed: int = 0) -> None:
    """Raise `RuleCheckError` unless every rule of `prim` agrees with its value on the sample."""
    case = Case(prim, sample, draw(sample, np.random.default_rng(seed)), seed)
    with np.errstate(all="ignore"):  # differences may step over the end of a domain
        for check in OF_VALUES:
            check(case)
        if case.differs:
            for check in OF_DERIVATIVES:
                check(case)


def parts(y: Any) -> tuple[Any, ...]:
    """A result as a tuple of results that are differentiated."""
    ys = y if isinstance(y, tuple) else (y,)
    return tuple(v for v in ys if np.result_type(v).kind in "fc")


# Of values


def check_identity(case: Case) -> None:
    """Equal fields make equal primitives, which hash and print alike."""
    prim = case.prim
    twin = type(prim)(**case.sample.fields)
    if prim != twin or hash(prim) != hash(twin) or repr(prim) != repr(twin):
        raise RuleCheckError(f"{case.name}: two of equal fields are not equal: a field is no value")


def check_shape(case: Case) -> None:
    """The stated type is the type of the value, for arrays and for numbers in their place."""
    stated(case, case.xs)
    for i, x in enumerate(case.xs):
        if np.shape(x) == ():
            others = [*case.xs[:i], *case.xs[i + 1 :]]
            for number in (x[()], x.item()) if others else (x[()],):
                stated(case, [*case.xs[:i], number, *case.xs[i + 1 :]])


def stated(case: Case, xs: Sequence[Any]) -> None:
    """The stated type is the type of the value."""
    out = case.prim(*xs)
    aval = case.prim.shape(*map(aval_of, xs))
    pairs = zip(out, aval, strict=True) if isinstance(out, tuple) else [(out, aval)]
    for y, a in pairs:
        if (np.shape(y), np.result_type(y)) != (a.shape, a.dtype):
            given = ", ".join(map(str, map(aval_of, xs)))
            raise RuleCheckError(f"{case.name}: states {a} for {given} and gives {aval_of(y)}")


def check_layout(case: Case) -> None:
    """Operands may have any strides, and are never written to."""
    out = case.prim(*case.xs)
    case.close("operands with gaps", case.prim(*map(scattered, case.xs)), out)


def scattered(x: Any) -> Any:
    """The same elements, read-only and with gaps in memory; numbers run backwards there.

    Indices do not: NumPy writes where an index repeats in the order of memory.
    """
    wide = np.zeros((*x.shape, 2), x.dtype)
    backwards = x.ndim and x.dtype.kind in "fc"
    view = wide[..., ::-1, 0] if backwards else wide[..., 0]
    view[...] = x
    view.flags.writeable = False
    return view


def check_constant(case: Case) -> None:
    """No derivative passes a constant primitive, and what is plain comes without a tracer."""
    if not case.prim.is_constant or not case.moving:
        return
    seen: list[Any] = []

    def f(*inputs: Any) -> Any:
        full = list(case.xs)
        for i, x in zip(case.moving, inputs, strict=True):
            full[i] = x
        seen.append(case.prim(*full))
        return sum(np.sum(x) for x in inputs)

    vjp(f, *case.inputs)
    jvp(f, case.inputs, case.along())
    tracers = [y for y in seen if isinstance(y, Tracer)]
    if any(case.prim.is_plain or y.carries() for y in tracers):
        raise RuleCheckError(f"{case.name}: is constant, and its result still carries a derivative")


def check_batch(case: Case) -> None:
    """`vmap` over all operands, over each alone, and over none of many, equals a loop."""
    rows = [case.draw() for _ in range(EXAMPLES)]
    stacked = [np.stack(column) for column in zip(*rows, strict=True)]
    count = len(case.xs)
    patterns = {(True,) * count, *(tuple(j == i for j in range(count)) for i in range(count))}
    for mapped in sorted(patterns):
        operands = [s if m else x for s, x, m in zip(stacked, case.xs, mapped, strict=True)]
        axes = tuple(0 if m else None for m in mapped)
        try:
            together = vmap(case.prim, axes)(*operands)
        except DetachError:  # a mask that selects differs from example to example: refused
            continue
        each = [
            case.prim(*(o[k] if m else o for o, m in zip(operands, mapped, strict=True)))
            for k in range(EXAMPLES)
        ]
        case.close(f"vmap{axes} against a loop", together, stack(each))
        last = [np.moveaxis(o, 0, -1) if m else o for o, m in zip(operands, mapped, strict=True)]
        again = vmap(case.prim, tuple(-1 if m else None for m in mapped), -1)(*last)
        moved = [np.moveaxis(y, -1, 0) for y in (again if isinstance(again, tuple) else (again,))]
        case.close(f"vmap{axes} over the last axis", moved, list(as_tuple(stack(each))))
        none = vmap(case.prim, axes)(*(o[:0] if m else o for o, m in zip(operands, mapped)))
        case.close(f"vmap{axes} of no examples", none, stack(each, 0))


def stack(rows: list[Any], count: int | None = None) -> Any:
    """The results of a loop as those of one call, or the first `count`."""
    if isinstance(rows[0], tuple):
        return tuple(np.stack(column)[:count] for column in zip(*rows, strict=True))
    return np.stack(rows)[:count]


def as_tuple(y: Any) -> tuple[Any, ...]:
    """One result as a tuple of one."""
    return y if isinstance(y, tuple) else (y,)


def check_broadcast(case: Case) -> None:
    """An elementwise primitive on operands that broadcast, on numbers and on nothing."""
    for part, whole in broadcasts(case):
        case.close("broadcast operands", part.prim(*part.xs), whole.prim(*whole.xs))


def broadcasts(case: Case) -> Iterator[tuple[Case, Case]]:
    """The operands of an elementwise primitive cut so that they broadcast, and made whole again."""
    if not isinstance(case.prim, Elementwise):
        return
    shape = np.broadcast_shapes(*(x.shape for x in case.xs))
    full = [np.broadcast_to(x, shape) for x in case.xs]
    choices = [[x[(0,) * x.ndim] if i == k else x for i, x in enumerate(full)]
               for k in range(len(full))]  # fmt: skip
    if shape:
        choices.append([x[..., :0] for x in full])
    if shape and len(full) > 1:
        cuts: list[Any] = [(..., slice(1)), slice(1), 0]
        choices += [
            [x[cut] if i == k else x for i, x in enumerate(full)]
            for cut in cuts
            for k in range(len(full))
        ]
    for xs in choices:
        whole = [np.array(x) for x in np.broadcast_arrays(*xs)]
        yield case.again([np.array(x) for x in xs]), case.again(whole)


def check_element(case: Case) -> None:
    """The scalar code of an elementwise primitive gives its value, in its type."""
    if not isinstance(case.prim, Elementwise):
        return
    got = run_element(case.prim, case.xs)
    if got is not None:
        want = np.asarray(case.prim(*case.xs))
        if got.dtype != want.dtype:
            raise RuleCheckError(f"{case.name}: scalar code gives {got.dtype}, not {want.dtype}")
        case.close("scalar code against the value", got, want)


# Of derivatives


def check_derivative(case: Case) -> None:
    """Tangents against differences, and the adjoint identity; then the same for the pullback."""
    onward(case, case, case.sample.order, 1)


def onward(case: Case, f: Callable[..., Any], order: int, level: int) -> None:
    """Check the derivative of `f`, which is the primitive's pullback taken `level` - 1 times."""
    dxs = case.along()
    _, dy = jvp(f, case.inputs, dxs)
    case.close(f"tangent of order {level} against differences", dy,
               difference(f, case.inputs, dxs), TRUNCATION * 10 ** (level - 1))  # fmt: skip
    cts = adjoint(case, dxs, dy, f"order {level}", f)
    if level < order:

        def pulled(*inputs: Any) -> Any:
            return vjp(f, *inputs)[1](cts)

        onward(case, pulled, order, level + 1)


def adjoint(
    case: Case,
    dxs: Any,
    dy: Any,
    where: str,
    f: Callable[..., Any] | None = None,
    tolerance: float = 1e-8,
) -> tuple[Any, ...]:
    """The identity <ct, J dx> = <J' ct, dx>, and the types of both; gives the cotangents."""
    y, pullback = vjp(case if f is None else f, *case.inputs)
    cts = tuple(random_like(v, case.rng) for v in y)
    gs = pullback(cts)
    for g, x in [*zip(gs, case.inputs, strict=True), *zip(dy, y, strict=True)]:
        if (np.shape(g), np.result_type(g)) != (np.shape(x), np.result_type(x)):
            raise RuleCheckError(f"{case.name}: a derivative {aval_of(g)} at a value {aval_of(x)}")
    case.close(f"adjoint identity, {where}", inner(gs, dxs), inner(cts, dy), tolerance)
    return cts


def check_alone(case: Case) -> None:
    """The derivative by one operand is the same whether or not the others have one too."""
    cts, dxs = case.weights(), case.along()
    gs = vjp(case, *case.inputs)[1](cts)
    dys = []
    for i, x in enumerate(case.inputs):

        def f(z: Any, i: int = i) -> Any:
            return case(*case.inputs[:i], z, *case.inputs[i + 1 :])

        case.close(f"gradient by operand {i} alone", vjp(f, x)[1](cts), (gs[i],))
        dys.append(jvp(f, (x,), (dxs[i],))[1])
    total = tuple(sum(column) for column in zip(*dys, strict=True))
    case.close("tangents by each operand alone", total, jvp(case, case.inputs, dxs)[1])


def check_nesting(case: Case) -> None:
    """The second derivative along two directions is one number, however the modes are nested."""
    if case.sample.order < 2:
        return
    xs, first, second, cts = case.inputs, case.along(), case.along(), case.weights()

    def forward(*z: Any) -> Any:
        return jvp(case, z, first)[1]

    def reverse(*z: Any) -> Any:
        return vjp(case, *z)[1](cts)

    want = inner(cts, jvp(forward, xs, second)[1])
    for name, got in (
        ("forward over reverse", inner(first, jvp(reverse, xs, second)[1])),
        ("reverse over forward", inner(second, vjp(forward, *xs)[1](cts))),
        ("reverse over reverse", inner(second, vjp(reverse, *xs)[1](first))),
    ):
        case.close(f"{name} against forward over forward", got, want, 1e-8)
    # both are linear in the direction that they are given, and say so when differentiated by it
    case.close(
        "the derivative of the tangent by its direction",
        jvp(lambda *d: jvp(case, xs, d)[1], first, second)[1],
        jvp(case, xs, second)[1],
    )
    case.close(
        "the derivative of the pullback by its cotangent",
        vjp(lambda *c: vjp(case, *xs)[1](c), *cts)[1](second),
        jvp(case, xs, second)[1],
    )


def check_layout_of_derivatives(case: Case) -> None:
    """Tangents and cotangents may have any strides, and are never written to."""
    dxs, cts = case.along(), case.weights()
    far = jvp(case, tuple(map(scattered, case.inputs)), tuple(map(scattered, dxs)))[1]
    case.close("a tangent with gaps", far, jvp(case, case.inputs, dxs)[1])
    pullback = vjp(case, *case.inputs)[1]
    case.close("a cotangent with gaps", pullback(tuple(map(scattered, cts))), pullback(cts))


def check_broadcast_derivatives(case: Case) -> None:
    """The derivative by an operand that broadcasts sums over its copies."""
    for part, whole in broadcasts(case):
        dxs = part.along()
        wide = tuple(np.broadcast_to(d, whole.xs[0].shape) for d in dxs)
        dy = jvp(part, part.inputs, dxs)[1]
        case.close("tangent of broadcast operands", dy, jvp(whole, whole.inputs, wide)[1])
        adjoint(part, dxs, dy, "broadcast operands")


def check_batched_derivative(case: Case) -> None:
    """Batches of derivatives and derivatives of batches equal a loop."""
    drawn = [case.draw() for _ in range(EXAMPLES)]
    rows = [tuple(xs[i] for i in case.moving) for xs in drawn]
    count = len(case.moving)
    patterns = {(True,) * count, *(tuple(j == i for j in range(count)) for i in range(count))}
    for mapped in sorted(patterns):
        axes = tuple(0 if m else None for m in mapped)
        points = [
            tuple(r if m else x for r, x, m in zip(row, case.inputs, mapped, strict=True))
            for row in rows
        ]
        xs = tuple(np.stack(c) if m else c[0] for c, m in zip(zip(*points), mapped, strict=True))
        dxs = case.along(xs)
        dps = [tuple(d[k] if m else d for d, m in zip(dxs, mapped)) for k in range(EXAMPLES)]
        batched = vmap(case, axes)
        ys, pullback = vjp(batched, *xs)
        cts = tuple(random_like(y, case.rng) for y in ys)
        ck = [tuple(c[k] for c in cts) for k in range(EXAMPLES)]
        gs = [vjp(case, *p)[1](c) for p, c in zip(points, ck, strict=True)]
        tangents = stack([jvp(case, p, d)[1] for p, d in zip(points, dps, strict=True)])
        where = f"of vmap{axes} against a loop"
        case.close(f"tangent {where}", jvp(batched, xs, dxs)[1], tangents)
        case.close(
            f"vmap{axes} of the tangent against a loop",
            vmap(lambda x, d: jvp(case, x, d)[1], (axes, axes))(xs, dxs),
            tangents,
        )
        pulled = vmap(lambda x, c: vjp(case, *x)[1](c), (axes, 0))(xs, cts)
        case.close(f"vmap{axes} of the pullback against a loop", pulled, stack(gs))
        summed = tuple(g if m else np.sum(g, 0) for g, m in zip(stack(gs), mapped, strict=True))
        case.close(f"pullback {where}", pullback(cts), summed)


def check_eager(case: Case) -> None:
    """`backward` over tensors gives what the pullback gives, and so does `grad`, twice."""
    leaves = [tensor(x, requires_grad=True) for x in case.inputs]
    cts, first = case.weights(), case.along()
    want = vjp(case, *case.inputs)[1](cts)
    ys = case(*leaves)
    gs = grad(list(ys), leaves, list(cts), retain_graph=True, unused="zero", create_graph=True)
    case.close("grad of tensors against the pullback", [g.detach().numpy() for g in gs], want)
    for y, ct in zip(ys, cts, strict=True):
        if y.requires_grad:
            y.backward(ct, retain_graph=True)
    found = [np.zeros_like(x) if t.grad is None else t.grad.detach().numpy()
             for t, x in zip(leaves, case.inputs, strict=True)]  # fmt: skip
    case.close("backward against the pullback", found, want)
    if case.sample.order > 1 and any(g.requires_grad for g in gs):
        twice = [(g, d) for g, d in zip(gs, first, strict=True) if g.requires_grad]
        got = grad([g for g, _ in twice], leaves, [d for _, d in twice], unused="zero")
        want = vjp(lambda *z: vjp(case, *z)[1](cts), *case.inputs)[1](first)
        case.close("grad of grad of tensors", [g.detach().numpy() for g in got], want, 1e-8)


def check_taylor(case: Case) -> None:
    """Taylor coefficients along a curve are derivatives along it over factorials."""
    order = case.sample.order
    series = list(zip(*(case.along() for _ in range(order)), strict=True))
    _, found = jet(case, case.inputs, series)

    def along(t: Any) -> Any:
        return case(*(x + sum(c * t ** (k + 1) for k, c in enumerate(cs))
                      for x, cs in zip(case.inputs, series, strict=True)))  # fmt: skip

    f = along
    for k in range(order):

        def f(t: Any, g: Any = f) -> Any:
            return jvp(g, (t,), (1.0,))[1]

        want = tuple(y / math.factorial(k + 1) for y in f(0.0))
        case.close(f"Taylor coefficient {k + 1} against nested tangents", found[k], want, 1e-8)


def check_linear(case: Case) -> None:
    """The sets of operands that the primitive claims to be linear in together, up to a constant
    that the others make.
    """
    for size in range(1, min(len(case.moving), 3) + 1):
        for chosen in itertools.combinations(case.moving, size):
            if not case.prim.is_linear(set(chosen)):
                continue

            def f(zs: Any, chosen: Any = chosen) -> Any:
                full = list(case.xs)
                for i, z in zip(chosen, zs, strict=True):
                    full[i] = z
                return parts(case.prim(*full))

            u, v = ([random_like(case.xs[i], case.rng) for i in chosen] for _ in range(2))
            both = f([a - 2 * b for a, b in zip(u, v, strict=True)])
            none = f([np.zeros_like(a) for a in u])
            want = tuple(a - 2 * (b - c) for a, b, c in zip(f(u), f(v), none, strict=True))
            case.close(f"linear in operands {chosen}", both, want)


def check_reach(case: Case) -> None:
    """A lane that an unmasked lane of a result depends on is not reported as dropped."""
    prim, xs = case.prim, case.xs
    out = prim(*xs)
    parents = [Leaf(x.shape, x.dtype) if i in case.moving else None for i, x in enumerate(xs)]
    masks = [
        case.rng.random(np.shape(y)) < 0.5 if np.result_type(y).kind in "fc" else None
        for y in as_tuple(out)
    ]
    alive = tuple(masks) if isinstance(out, tuple) else masks[0]
    kept = prim.keep(xs, parents)
    reached = prim.reach(alive, out if prim.keeps_out else None, kept, parents)
    ys, pullback = vjp(case, *case.inputs)
    for part, mask in enumerate(m for m in masks if m is not None):
        for lane in map(tuple, np.argwhere(mask)):
            cts = tuple(np.zeros(np.shape(y), np.result_type(y)) for y in ys)
            cts[part][lane] = 1
            for i, g in zip(case.moving, pullback(cts), strict=True):
                lanes = reached[i]
                if lanes is not None and np.any((g != 0) & ~np.asarray(lanes)):
                    raise RuleCheckError(
                        f"{case.name}: lane {tuple(map(int, lane))} of the result depends on "
                        f"lanes of operand {i} that `reach` leaves out"
                    )


def check_single(case: Case) -> None:
    """Single precision in gives single precision out, of nearly the same value."""
    halves = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}
    if not all(x.dtype in halves for x in case.inputs):
        return
    single = case.again([x.astype(halves.get(x.dtype, x.dtype)) for x in case.xs])
    stated(single, single.xs)
    cts, dxs = case.weights(), case.along()
    low_cts, low_dxs = (tuple(x.astype(halves[x.dtype]) for x in t) for t in (cts, dxs))
    y, pullback = vjp(single, *single.inputs)
    results = {halves[v.dtype] for v in case(*case.inputs)}
    widened = np.result_type(*single.xs)  # float32 with integer operands is float64 in NumPy
    for v in y:
        chosen = hasattr(case.prim, "to") or case.prim.is_double
        if v.dtype not in (*results, widened) and not chosen:
            raise RuleCheckError(f"{case.name}: single precision operands give {v.dtype}")
    case.close("value in single precision", y, case(*case.inputs), 1e-2)
    dy = jvp(single, single.inputs, low_dxs)[1]
    case.close("tangent in single precision", dy, jvp(case, case.inputs, dxs)[1], 1e-2)
    gs = pullback(tuple(c.astype(v.dtype) for c, v in zip(low_cts, y, strict=True)))
    case.close("gradient in single precision", gs, vjp(case, *case.inputs)[1](cts), 1e-2)
    adjoint(single, low_dxs, dy, "single precision", tolerance=1e-3)


OF_VALUES = (
    check_identity,
    check_shape,
    check_layout,
    check_constant,
    check_batch,
    check_broadcast,
    check_element,
)
OF_DERIVATIVES = (
    check_derivative,
    check_alone,
    check_nesting,
    check_layout_of_derivatives,
    check_broadcast_derivatives,
    check_batched_derivative,
    check_eager,
    check_taylor,
    check_linear,
    check_reach,
    check_single,
)


def difference(f: Any, inputs: Sequence[Any], directions: Sequence[Any]) -> tuple[Any, ...]:
    """The directional derivative by central differences, extrapolated once."""

    def central(h: float) -> list[Any]:
        up = f(*(x + h * d for x, d in zip(inputs, directions, strict=True)))
        down = f(*(x - h * d for x, d in zip(inputs, directions, strict=True)))
        return [(a - b) / (2 * h) for a, b in zip(up, down, strict=True)]

    return tuple((4 * b - a) / 3 for a, b in zip(central(2 * STEP), central(STEP), strict=True))


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """A random direction of the shape and dtype of `x`."""
    d = rng.uniform(-1, 1, np.shape(x))
    if np.result_type(x).kind == "c":
        d = d + 1j * rng.uniform(-1, 1, np.shape(x))
    return np.asarray(d, np.result_type(x))


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real inner product that pairs public gradients with tangents."""
    return float(sum(np.sum(np.real(np.conj(u) * v)) for u, v in zip(a, b, strict=True)))


def close(what: str, got: Any, want: Any, tolerance: float) -> None:
    """Raise unless two values agree, relative to their size."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        raise RuleCheckError(f"{what}: shape {got.shape} against {want.shape}")
    if got.size == 0:
        return
    if got.dtype.kind in "biu":
        if not np.array_equal(got, want):
            raise RuleCheckError(f"{what}: {got} against {want}")
        return
    error = np.max(np.abs(got - want))
    scale = max(1.0, float(np.max(np.abs(want))))
    if not error <= tolerance * scale:
        raise RuleCheckError(f"{what}: {got} against {want}, error {error:.2g}")


def names() -> Iterator[str]:
    """The names of all primitives."""
    return (cls.name for cls in registry)
