"""The text of every error of `qd.Function`."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import DetachError, GradientError, ShapeError, TreeError


def doubled(ctx, x):
    return x * 2


def made(**rules):
    """A function class with these rules, and otherwise those of doubling."""
    rules = {"forward": doubled, "backward": lambda ctx, ct: ct * 2, **rules}
    return type(
        "Mine", (qd.Function,), {k: staticmethod(v) if v else None for k, v in rules.items()}
    )


def swept(**rules):
    """Act: the gradient through such a class."""
    return lambda: made(**rules).apply(leaf([1.0, 2.0])).sum().backward()


def dirty_constant(ctx, x):
    y = x * 2
    ctx.mark_dirty(y)
    return y


def dirty_lost(ctx, x):
    x += 1
    ctx.mark_dirty(x)
    return x * 1


def dirty(ctx, x, y):
    x += y
    ctx.mark_dirty(x)
    return x


def foreign(ctx, x):
    slope = np.cos(x.numpy())
    ctx.save_for_backward(slope)
    return np.sin(x)


def written(ctx, x):
    x[0] = 3.0
    return x * 2


def twice_differentiated():
    Mine = made(forward=foreign, backward=lambda ctx, ct: ct * ctx.saved_tensors[0])
    x = leaf([1.0, 2.0])
    qd.grad(Mine.apply(x).sum(), x, create_graph=True)


def batched(answer):
    return lambda: qd.vmap(made(vmap=lambda info, in_dims, x: answer(x)).apply)(np.ones(3))


def pushed(jvp):
    return lambda: qd.jvp(made(jvp=jvp).apply, (np.ones(2),), (np.ones(2),))


MESSAGES = [
    (
        "no forward",
        lambda: type("Mine", (qd.Function,), {}).apply(1.0),
        GradientError,
        "Mine.apply: the class has no forward; define it as a static method, forward(ctx, x)",
    ),
    (
        "no rule",
        lambda: made(backward=None).apply(1.0),
        GradientError,
        "Mine.apply: the class has no derivative rule; define backward or jvp as a static method",
    ),
    (
        "undeclared write",
        swept(forward=written),
        GradientError,
        "Mine: forward wrote into argument 0, which the caller would not see; call "
        "ctx.mark_dirty(x) and return x, or write into a copy",
    ),
    (
        "dirty, and no input",
        swept(forward=dirty_constant),
        GradientError,
        "Mine: ctx.mark_dirty takes inputs that forward writes to and returns, and got a value "
        "that is no input; return x itself",
    ),
    (
        "dirty, and not returned",
        lambda: made(forward=dirty_lost).apply(leaf([1.0, 2.0]) * 1),
        GradientError,
        "Mine: ctx.mark_dirty takes inputs that forward writes to and returns, and got a value "
        "that is not returned; return x itself",
    ),
    (
        "dirty plain array",
        lambda: made(forward=dirty).apply(np.ones(2), leaf([1.0, 2.0])),
        DetachError,
        "Mine writes into a plain array: this f64[2] carries a gradient, which the conversion "
        "would cut in silence; pass it as a tensor, qd.tensor(x)",
    ),
    (
        "count",
        swept(backward=lambda ctx, ct: (ct, ct)),
        TreeError,
        "Mine: backward returned 2 cotangents and apply was given 1 arguments; return one for "
        "each, None for zero",
    ),
    (
        "structure",
        lambda: (
            made(forward=lambda ctx, t: t["a"] * 2, backward=lambda ctx, ct: ct)
            .apply({"a": leaf(1.0), "b": leaf(1.0)})
            .backward()
        ),
        TreeError,
        "Mine: backward returned the cotangent * for argument 0['a'], which is nested as "
        "{'a': *, 'b': *}; both must be nested alike",
    ),
    (
        "shape",
        lambda: (
            made(forward=lambda ctx, t: t["a"] * 2, backward=lambda ctx, ct: {"a": np.ones(3)})
            .apply({"a": leaf([1.0, 2.0])})
            .sum()
            .backward()
        ),
        ShapeError,
        "Mine: backward returned a cotangent of shape (3,) for argument 0['a'] of shape (2,); "
        "both must be equal",
    ),
    (
        "second derivative of foreign code",
        twice_differentiated,
        GradientError,
        "Mine: forward saved a value that is neither an input nor a result, and cannot be run "
        "again to differentiate it, since it leaves the graph (numpy(): this f64[2] carries a "
        "gradient, which the conversion would cut in silence; write x.detach().numpy()); save "
        "inputs and results only, and compute from them in backward",
    ),
    (
        "jvp structure",
        pushed(lambda ctx, dx: (dx, dx)),
        TreeError,
        "Mine: jvp returned the tangent (*, *) of a result nested as *; both must be nested alike",
    ),
    (
        "jvp shape",
        pushed(lambda ctx, dx: dx[0]),
        ShapeError,
        "Mine: jvp returned a tangent of shape () for result of shape (2,); both must be equal",
    ),
    (
        "vmap answer",
        batched(lambda x: x),
        TreeError,
        "Mine: vmap must return (results, out_dims), and it returned ndarray",
    ),
    (
        "vmap dims",
        batched(lambda x: ((x, x, x), (0, 0))),
        TreeError,
        "Mine: vmap returned 3 results and 2 out_dims; give one for each, None for a result "
        "without a batch axis",
    ),
]


@pytest.mark.parametrize("act, kind, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, kind, text):
    assert raised(act) == (kind, text)
