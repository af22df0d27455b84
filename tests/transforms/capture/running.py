"""How these tests run a function: traced once, and the program run on values."""

import numpy as np

from checking import same
from qiudao.core.avals import aval_of
from qiudao.core.program import check
from qiudao.transforms.capture import captured
from qiudao.transforms.trace import traced


def compiled(f, *like):
    """`f` captured and traced on the types of `like`, as a function of plain values."""
    avals = [aval_of(np.asarray(x)) for x in like]
    made = traced(captured(f), avals, lambda xs: (xs, {}))
    assert made.captured == ()
    check(made.program)
    return lambda *xs: made(*map(np.asarray, xs))


def agree(f, *inputs):
    """Hold that `f` traced once gives on each of several inputs what Python gives."""
    inputs = [x if isinstance(x, tuple) else (x,) for x in inputs]
    run = compiled(f, *inputs[0])
    for xs in inputs:
        same(run(*xs), f(*xs))
