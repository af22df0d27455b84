"""What `qd.source` says of what it cannot print."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.avals import Aval
from qiudao.core.errors import GradientError, RuleError
from qiudao.core.primitive import Primitive


class Unspelled(Primitive):
    """Gives its operand, and NumPy has no word for it."""

    name = "unspelled"

    def shape(self, *avals):
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs):
        return xs[0]


def test_a_primitive_without_spelling():
    def f(x):
        return Unspelled()(x)

    assert raised(lambda: qd.source(f)(np.ones(2))) == (
        RuleError,
        "source: the primitive unspelled at file.py:N (`return Unspelled()(x)`) has no spelling "
        "in NumPy; register one with qiudao.explaining.source.table.spells",
    )


@pytest.mark.parametrize("transform", [qd.grad, lambda f: lambda y: qd.jvp(f, (y,), (1.0,))])
def test_within_a_transform(transform):
    def outer(y):
        return qd.source(lambda x: x * y)(1.0).run(1.0)

    assert raised(lambda: transform(outer)(2.0)) == (
        GradientError,
        "source: the function reads a tracer of a transform that is under way; call it outside of "
        "the transform",
    )


def test_a_tensor_as_an_argument():
    x = qd.tensor([1.0], requires_grad=True)
    assert raised(lambda: qd.source(np.sin)(x)) == (
        GradientError,
        "source: an argument is a tracer or a tensor; pass plain arrays, x.detach().numpy()",
    )
