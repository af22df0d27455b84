"""No primitive goes without the checks of the rule suite: found at run time, wherever it stands.

What carries a program or a user's function has no fields to make a sample from; it is taken from
a small function that uses it, and goes through the same checks.
"""

import importlib
import pkgutil

import numpy as np
import pytest

import qiudao as qd
from qiudao.compiling.compiled import Compiled
from qiudao.core.avals import Aval
from qiudao.core.families import Elementwise
from qiudao.core.primitive import Primitive, registry
from qiudao.core.program import operands_of
from qiudao.core.samples import sample
from qiudao.interop.autograd import extend
from qiudao.interop.autograd.registered import Registered
from qiudao.ops.control import Scan, Switch, While
from qiudao.testing import every_sample
from qiudao.testing.rules import (
    OF_DERIVATIVES,
    OF_VALUES,
    Case,
    check_identity,
    check_single,
    draw,
)
from qiudao.transforms.custom import Call, Custom
from qiudao.transforms.foreign import Foreign
from qiudao.transforms.functions.call import Applied

OPTIONAL = {"jax", "paddle", "torch", "matplotlib", "rich", "safetensors", "llvmlite", "scipy"}

ELSEWHERE = {
    "qiudao.core.parts.Part": "one of several results: tried with each primitive that has several",
    "qiudao.ops.control.Rows": "made by the compiler after all derivatives: tests/passes",
    "qiudao.transforms.checkpoint.Recompute": "of one tape only: tests/transforms",
    "qiudao.explaining.source.idioms.Plain": "in printed text only: tests/explaining/source",
    "qiudao.explaining.source.idioms.SolveVector": "in printed text only: tests/explaining/source",
    "qiudao.interop.foreign.Call": "runs another library: tests/interop, by its own gradcheck",
    "qiudao.interop.foreign.Tangent": "runs another library: tests/interop, by its own gradcheck",
    "qiudao.ops.special.base.Numeric": "a family, whose members say what to compute",
    "qiudao.scipy.linalg.refusing.Refusing": "a family, whose members say what is refused",
}


# What carries functions


def traced(f, kind, *types, **how):
    """The primitive of a kind that a function uses, with a sample of the function's operands."""
    given = sample(*types, **how)
    program = qd.trace(f)(*draw(given, np.random.default_rng(0)))
    (found,) = (e for e in program.equations if isinstance(e.primitive, kind))
    assert set(operands_of(found)) == set(program.inputs)
    order = [program.inputs.index(x) for x in operands_of(found)]
    return found.primitive, given._replace(types=tuple(types[k] for k in order))


def scan(reverse):
    def f(x, w, c):
        return qd.scan(lambda c, a: (np.sin(c) * a + w, c * a), c, x, reverse=reverse)

    return traced(f, Scan, "f64[3]", "f64[2]", "f64[2]")


def loop():
    def f(x, k):
        return qd.while_loop(lambda c: c < 5, lambda c: c * k, x)

    return traced(f, While, "f64[]", "f64[]", within=(1.4, 2.0))


def switch():
    def f(i, x):
        return qd.switch(i, [np.sin, np.square], x)

    return traced(f, Switch, "i64[]", "f64[3]", within=(0.0, 1.0))


def cube_by_cotangents():
    f = qd.custom_vjp(lambda x: x**3)
    f.defvjp(lambda x: (x**3, x), lambda x, ct: (3 * x**2 * ct,))
    return Call.of(f, (np.ones(3),))[0].primitive(), sample("f64[3]")


def cube_by_tangents():
    f = qd.custom_jvp(lambda x: x**3)
    f.defjvp(lambda xs, dxs: (xs[0] ** 3, 3 * xs[0] ** 2 * dxs[0]))
    return Call.of(f, (np.ones(3),))[0].primitive(), sample("f64[3]")


class Cube(qd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * ct


def registered():
    f = extend.primitive(lambda x: x * x * x)
    extend.defvjp(f, lambda ans, x: lambda g: g * 3 * x**2)
    return traced(f, Registered, "f64[3]")


def foreign():
    like = [Aval((3,), np.dtype(np.float64)), Aval((3,), np.dtype(np.int64))]
    return Foreign("sorted", lambda x: (np.sort(x), np.argsort(x)), *like), sample("f64[3]")


def compiled():
    def make():
        return qd.trace(lambda x, y: (np.sin(x) @ y, x * x))(np.ones((2, 2)), np.ones(2))

    return Compiled(make(), make), sample("f64[2,2]", "f64[2]", order=2)


CARRYING = {
    "scan": (Scan, lambda: scan(False)),
    "scan in reverse": (Scan, lambda: scan(True)),
    "while": (While, loop),
    "switch": (Switch, switch),
    "custom_vjp": (Custom, cube_by_cotangents),
    "custom_jvp": (Custom, cube_by_tangents),
    "Function": (Applied, lambda: traced(Cube.apply, Applied, "f64[3]")),
    "autograd.extend": (Registered, registered),
    "foreign": (Foreign, foreign),
    "jit": (Compiled, compiled),
}
CHECKS = [
    check
    for check in (*OF_VALUES, *OF_DERIVATIVES)
    if check not in (check_identity, check_single)  # a program is itself alone, and of fixed types
]


@pytest.mark.parametrize("name", CARRYING)
def test_what_carries_functions(name):
    kind, make = CARRYING[name]
    if kind is Compiled:
        pytest.importorskip("llvmlite")
    primitive, given = make()
    assert type(primitive) is kind
    case = Case(primitive, given, draw(given, np.random.default_rng(0)))
    for check in CHECKS:
        if case.differs or check in OF_VALUES:
            check(case)


# That nothing is left out


def import_all():
    """Import every module but those whose library is not installed."""
    for module in pkgutil.walk_packages(qd.__path__, "qiudao.", onerror=lambda name: None):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name.partition(".")[0] not in OPTIONAL:
                    raise


def kinds_of(cls):
    """Our subclasses of a class, and theirs."""
    for each in cls.__subclasses__():
        if each.__module__.startswith("qiudao."):
            yield each
        yield from kinds_of(each)


def is_family(cls):
    """Whether it only says what others have in common, and computes nothing."""
    if cls.evaluate is Elementwise.evaluate:
        computes = hasattr(cls, "ufunc")
    else:
        computes = cls.evaluate is not Primitive.evaluate
    return not computes and any(kinds_of(cls))


def test_every_primitive_has_samples():
    pytest.importorskip("scipy")
    import_all()
    every_sample()  # which raises where one in the registry has none
    tried = {*registry, *(kind for kind, _ in CARRYING.values())}
    left = {
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in kinds_of(Primitive)
        if cls not in tried and not is_family(cls)
    }
    assert left == set(ELSEWHERE)
