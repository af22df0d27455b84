"""The namespace against array_api_strict: every name that it has, on arguments drawn at random."""

import functools
import warnings

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
import qiudao.numpy as xp
from checking import close, leaf

from .calls import CALLS, VALUES_ARE_FREE
from .drawing import ALL, Dtype

NOT_OF_THE_STANDARD = {
    "ArrayAPIStrictFlags", "Device", "__version__", "get_array_api_strict_flags",
    "reset_array_api_strict_flags", "set_array_api_strict_flags",
}  # fmt: skip
CONSTANTS = {"e", "inf", "nan", "pi", "newaxis", "__array_api_version__"}
NAMESPACES = {"fft", "linalg", "__array_namespace_info__"}


def functions_of(module):
    """The names of the functions that an extension of array_api_strict's has."""
    return [
        name
        for name, found in vars(module).items()
        if callable(found)
        and getattr(found, "__module__", "").startswith("array_api_strict")
        and hasattr(getattr(np, module.__name__.rpartition("_")[2]), name)
        and not isinstance(found, type)
    ]


TOP = [name for name in strict.__all__ if name not in NOT_OF_THE_STANDARD]
NAMES = [
    *TOP,
    *(f"linalg.{name}" for name in functions_of(strict.linalg)),
    *(f"fft.{name}" for name in functions_of(strict.fft)),
]
FUNCTIONS = [n for n in NAMES if n not in CONSTANTS | NAMESPACES | set(ALL)]


def found_in(namespace, name):
    """A name of a namespace, through its extensions."""
    return functools.reduce(getattr, name.split("."), namespace)


def given_to(namespace, x):
    """Arguments with the arrays and dtypes of a namespace in place of NumPy's."""
    if isinstance(x, np.ndarray):
        return namespace.asarray(x.copy())
    if isinstance(x, Dtype):
        return getattr(namespace, x.name)
    if isinstance(x, list):
        return [given_to(namespace, part) for part in x]
    return x


def result(namespace, name, call):
    """What a function of a namespace gives for a call."""
    args = [given_to(namespace, x) for x in call.args]
    options = {key: given_to(namespace, x) for key, x in call.options.items()}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found_in(namespace, name)(*args, **options)


def hold(ours, theirs, values=True):
    """Hold that two results agree in kind, shape, dtype and value."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        assert getattr(ours, "_fields", None) == getattr(theirs, "_fields", None)
        for one, other in zip(ours, theirs, strict=True):
            hold(one, other, values)
    elif isinstance(theirs, type(strict.ones(1))):
        assert isinstance(ours, qd.Tensor)
        assert ours.__array_namespace__() is xp
        wanted = np.asarray(theirs)
        assert (ours.shape, ours.dtype) == (wanted.shape, wanted.dtype)
        if values:
            close_in_dtype(ours.numpy(), wanted)
    elif isinstance(theirs, type(strict.float32)):
        assert ours == getattr(xp, str(theirs).rpartition(".")[2])
    else:
        assert ours == theirs
        assert type(ours) is type(theirs)


def close_in_dtype(found, wanted):
    """Hold two arrays of one dtype together, to a few roundings of it."""
    if wanted.dtype.kind in "fc":
        rounding = np.finfo(wanted.dtype).eps
        np.testing.assert_allclose(found, wanted, rtol=1e3 * rounding, atol=1e3 * rounding)
    else:
        np.testing.assert_array_equal(found, wanted)


def test_nothing_of_the_standard_is_missing():
    assert [name for name in TOP if not hasattr(xp, name)] == []
    for extension in ("linalg", "fft"):
        known = functions_of(getattr(strict, extension))
        assert len(known) > 10
        assert [name for name in known if not hasattr(getattr(xp, extension), name)] == []


def test_every_function_is_called():
    assert sorted(CALLS) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_agrees_with_strict(name, data):
    call = data.draw(CALLS[name])
    ours, theirs = result(xp, name, call), result(strict, name, call)
    if name in ("finfo", "iinfo"):
        names = ("bits", "max", "min") if name == "iinfo" else ("bits", "eps", "max", "min")
        ours, theirs = ([getattr(found, n) for n in names] for found in (ours, theirs))
    hold(ours, theirs, values=name not in VALUES_ARE_FREE)


def test_constants_and_dtypes():
    for name in CONSTANTS - {"nan", "__array_api_version__"}:
        assert getattr(xp, name) == getattr(strict, name)
    assert np.isnan(xp.nan)
    for name in ALL:
        assert getattr(xp, name) == np.dtype(name)


def test_inspection():
    ours, theirs = xp.__array_namespace_info__(), strict.__array_namespace_info__()
    assert ours.capabilities() == theirs.capabilities()
    for kind in (None, "integral", "real floating", ("bool", "complex floating")):
        assert ours.dtypes(kind=kind).keys() == theirs.dtypes(kind=kind).keys()
    defaults = ours.default_dtypes()
    for kind, dtype in theirs.default_dtypes().items():
        assert defaults[kind] == getattr(xp, str(dtype).rpartition(".")[2])


X = np.array([[0.5, 1.5], [2.25, 0.75]])
DIFFERENTIABLE = {
    "sum": lambda m, x: m.sum(x, axis=0),
    "mean": lambda m, x: m.mean(x * x, axis=1),
    "exp": lambda m, x: m.exp(x),
    "divide": lambda m, x: m.divide(x, x + 1.0),
    "where": lambda m, x: m.where(x > 1.0, x * x, m.sqrt(x)),
    "clip": lambda m, x: m.clip(x * x, 0.3, 3.0),
    "concat": lambda m, x: m.concat([x, x * x], axis=1),
    "matmul": lambda m, x: m.matmul(x, m.matrix_transpose(x)),
    "tensordot": lambda m, x: m.tensordot(x, x, axes=1),
    "cumulative_prod": lambda m, x: m.cumulative_prod(x, axis=1),
    "take": lambda m, x: m.take(x * x, m.asarray([1, 0, 1]), axis=0),
    "max": lambda m, x: m.max(x, axis=1),
    "linalg.inv": lambda m, x: m.linalg.inv(x),
    "linalg.det": lambda m, x: m.linalg.det(x),
    "linalg.svdvals": lambda m, x: m.linalg.svdvals(x),
    "fft.rfft": lambda m, x: m.abs(m.fft.rfft(x)),
    "logaddexp": lambda m, x: m.logaddexp(x, 2.0 * x),
    "sort": lambda m, x: m.sort(x, axis=1) * m.asarray([1.0, 2.0]),
    "stack": lambda m, x: m.stack(list(m.unstack(x)), axis=-1),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_those_of_numpys_names(name):
    f = DIFFERENTIABLE[name]
    close(qd.jacrev(functools.partial(f, xp))(X), qd.jacrev(functools.partial(f, np))(X))
    close(qd.jacfwd(functools.partial(f, xp))(X), qd.jacfwd(functools.partial(f, np))(X))
    x, y = leaf(X), leaf(X)
    (ours,), (numpys,) = qd.grad(xp.sum(f(xp, x)), x), qd.grad(np.sum(f(np, y)), y)
    assert type(ours) is qd.Tensor
    close(ours, numpys)
