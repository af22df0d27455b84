"""Small dtypes compiled and traced: NumPy's dtype and value of every ufunc, operator and number."""

import operator

import numpy as np
import pytest

import qiudao as qd

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of divisions by zero

VALUES = {
    "?": [True, False, True], "b": [3, -2, 127], "B": [3, 200, 255], "h": [3, -2, 300],
    "H": [3, 2, 60000], "e": [1.5, -2.0, 3.0], "f": [1.5, -2.0, 0.5],
}  # fmt: skip
ARRAYS = {d: np.array(v, d) for d, v in VALUES.items()}
OTHERS = {d: np.array([v[1], v[0], 1], d) for d, v in VALUES.items()}
SKIPPED = {"isnat", "matmul", "vecdot", "matvec", "vecmat"}
UFUNCS = sorted(
    name for name in dir(np)
    if isinstance(getattr(np, name), np.ufunc) and getattr(np, name).nin <= 2
    and name not in SKIPPED
)  # fmt: skip
LOOSE = {"e": 2e-3, "f": 1e-5, "d": 1e-12, "F": 1e-5, "D": 1e-12}


def results(f, *args):
    """What NumPy gives, as a list; None where it refuses."""
    try:
        with np.errstate(all="ignore"):
            found = f(*args)
    except (TypeError, ValueError, OverflowError):
        return None
    return list(found) if isinstance(found, tuple) else [found]


def agree(found, wanted):
    assert found.dtype == wanted.dtype
    tolerance = LOOSE.get(wanted.dtype.char, 0)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def pairs(ufunc):
    if ufunc.nin == 1:
        return [(a,) for a in ARRAYS.values()]
    return [(a, b) for a in ARRAYS.values() for b in OTHERS.values()]


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc_of_every_pair(name):
    """In one program; what NumPy refuses is refused, too."""
    ufunc = getattr(np, name)
    wanted = [(args, results(ufunc, *args)) for args in pairs(ufunc)]
    known = [args for args, each in wanted if each is not None]

    def every(operands):
        found = [ufunc(*args) for args in operands]
        return [y for each in found for y in (each if isinstance(each, tuple) else (each,))]

    exact = [y for _, each in wanted if each is not None for y in each]
    for run in (qd.jit(every), lambda xs: qd.trace(every)(xs)(*(x for args in xs for x in args))):
        for found, y in zip(run(known), exact, strict=True):
            agree(found, y)
    for args, each in wanted:
        if each is None:
            with pytest.raises((TypeError, ValueError)):
                qd.jit(lambda args: ufunc(*args))(args)


OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.lshift, operator.and_, operator.lt, operator.ge, operator.eq,
]  # fmt: skip
NUMBERS = [True, 0, 2, 3, -1, 300, 2**40, 2.5, 1j, np.int8(2), np.float32(2), np.bool_(True)]


@pytest.mark.parametrize("f", OPERATORS)
@pytest.mark.parametrize("dtype", [*VALUES, "L"])
def test_an_operator_beside_a_number(f, dtype):
    x = ARRAYS.get(dtype, np.array([1, 2, 3], dtype))
    applied = [(lambda x, n=n: f(x, n)) for n in NUMBERS]
    applied += [(lambda x, n=n: f(n, x)) for n in NUMBERS]
    exact = [results(apply, x) for apply in applied]
    known = [apply for apply, y in zip(applied, exact, strict=True) if y is not None]
    found = qd.jit(lambda x: [apply(x) for apply in known])(x)
    for apply, compiled, y in zip(known, found, filter(None, exact), strict=True):
        agree(compiled, y[0])
        agree(np.asarray(apply(qd.tensor(x)).numpy()), y[0])
    for apply, y in zip(applied, exact, strict=True):
        if y is None:
            with pytest.raises((TypeError, ValueError, OverflowError)):
                qd.jit(apply)(x)


def test_bounds_of_clip_that_the_dtype_does_not_hold():
    x = ARRAYS["B"]
    agree(qd.jit(lambda x: np.clip(x, -1, 300))(x), x)
    agree(qd.jit(lambda x: np.clip(x, -1, 100))(x), np.clip(x, 0, 100))


def test_a_complex_power_of_a_known_complex_exponent():
    x = np.array([2.0, -3.0])
    for exponent in (1j, 2 + 1j, 3 + 0j):
        agree(qd.jit(lambda x, e=exponent: x**e)(x), x**exponent)


@pytest.mark.parametrize("dtype", ["e", "g"])
def test_what_only_passes_through(dtype):
    x = np.array([1.0, 2.0], dtype)
    agree(qd.jit(lambda x: x * 1)(x), x)
    agree(qd.jit(lambda x: qd.scan(lambda c, _: (c, None), x, length=3)[0])(x), x)
    first, second = qd.jit(lambda x: (x, np.sin(x.astype(float))))(x)
    agree(first, x)
    agree(second, np.sin(x.astype(float)))


# The other byte order: results are in this machine's, whatever comes

SWAPPED = np.array([1.0, 2.0, 3.0]).astype(np.dtype(float).newbyteorder())


def norm(x):
    return x @ x


@pytest.mark.parametrize("f", [norm, np.sum, lambda x: x[0] * 1.0, lambda x: np.sum(np.sin(x))])
def test_derivatives_at_an_array_of_the_other_byte_order(f):
    plain = SWAPPED.astype(float)
    exact = qd.grad(f)(plain)
    for g in (qd.grad(f), qd.grad(qd.jit(f)), qd.jit(qd.grad(f)),
              lambda x: qd.vmap(qd.jit(qd.grad(f)))(x[None])[0],
              lambda x: qd.vjp(f, x)[1](1.0)[0]):  # fmt: skip
        agree(g(SWAPPED), exact)
    t = qd.tensor(SWAPPED, requires_grad=True)
    f(t).backward()
    agree(t.grad.numpy(), exact)
    agree(qd.jit(qd.hessian(f))(SWAPPED), qd.hessian(f)(plain))
    agree(qd.hessian(qd.jit(f))(SWAPPED), qd.hessian(f)(plain))


def test_a_function_that_computes_nothing_of_it():
    agree(qd.jit(lambda x: x)(SWAPPED), SWAPPED.astype(float))
    agree(qd.jit(lambda x: x[::2])(SWAPPED), SWAPPED.astype(float)[::2])
    constant, total = qd.jit(lambda x: (SWAPPED, x + SWAPPED))(np.ones(3))
    np.testing.assert_array_equal(constant, SWAPPED)
    agree(total, 1 + SWAPPED.astype(float))
