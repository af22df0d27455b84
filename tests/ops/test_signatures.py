"""Random calls of everything that NumPy dispatches: values, dtypes, shapes, errors, gradients.

`QIUDAO_EXAMPLES` says how many calls of each function are tried.
"""

import inspect
import operator
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import qiudao as qd
from ops.signatures import numbers, reductions, shapes, ufuncs, writers
from ops.signatures.draws import Draws
from ops.signatures.holding import hold, hold_out
from ops.signatures.numbers import PREPARED
from ops.test_ufuncs import UFUNCS

CALLS = {**reductions.CALLS, **shapes.CALLS, **numbers.CALLS}

trying = settings(
    max_examples=int(os.environ.get("QIUDAO_EXAMPLES", 8)),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def called(name):
    """NumPy's function of a dotted name; what follows a space tells calls of one apart."""
    name = name.split()[0]
    return PREPARED.get(name.removeprefix("linalg.")) or operator.attrgetter(name)(np)


@pytest.mark.parametrize("name", CALLS)
def test_function(name):
    @trying
    @given(st.data())
    def every(data):
        args, options = CALLS[name](Draws(data))
        hold(called(name), args, options)

    every()


def takes_out(name):
    """Whether NumPy's function of that name has an `out=`."""
    try:
        return "out" in inspect.signature(called(name)).parameters
    except ValueError:  # written in C
        return False


@pytest.mark.parametrize("name", [n for n in CALLS if takes_out(n)])
def test_out(name):
    @trying
    @given(st.data())
    def every(data):
        args, options = CALLS[name](Draws(data))
        hold_out(called(name), args, options)

    every()


@pytest.mark.parametrize("name", writers.CALLS)
def test_writer(name):
    def written(x, *rest, **options):
        y = np.copy(x)
        called(name)(y, *rest, **options)
        return y

    @trying
    @given(st.data())
    def every(data):
        args, options = writers.CALLS[name](Draws(data))
        hold(written, args, options)

    every()


@pytest.mark.parametrize(
    "ufunc", [u for u in UFUNCS if u is not np.isnat], ids=lambda u: u.__name__
)
def test_ufunc(ufunc):
    @trying
    @given(st.data())
    def every(data):
        args, options = ufuncs.call(Draws(data), ufunc)
        hold(ufunc, args, options)

    every()


@pytest.mark.parametrize("method", ufuncs.METHODS)
@pytest.mark.parametrize(
    "ufunc",
    [u for u in UFUNCS if not u.signature and u.nin <= 2 and u is not np.isnat],
    ids=lambda u: u.__name__,
)
def test_method(ufunc, method):
    def written(x, *rest):
        y = np.copy(x)
        ufunc.at(y, *rest)
        return y

    @trying
    @given(st.data())
    def every(data):
        args, options = ufuncs.METHODS[method](Draws(data), ufunc)
        hold(written if method == "at" else getattr(ufunc, method), args, options)

    every()


def test_a_wrong_gradient_is_found():
    wrong = qd.custom_vjp(lambda x: x * x)
    wrong.defvjp(lambda x: (x * x, x), lambda x, ct: (ct * x,))
    with pytest.raises(AssertionError, match="gradient"):
        hold(wrong, (np.array([1.0, 2.0]),), {})
