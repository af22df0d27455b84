"""Every NumPy ufunc of numbers has a rule or is a declared constant, and so have their methods."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.dispatch import overrides
from qiudao.core.families import Elementwise
from qiudao.core.primitive import registry
from qiudao.testing.elements import NumpyElement, named

NUMBERS = set("?bhilqBHILQefdgFDG")  # the type codes of booleans, integers, floats and complex


def of_numbers(ufunc):
    """Whether a ufunc takes numbers, by the types that its loops are written for."""
    return any(set(types.split("->")[0]) <= NUMBERS for types in ufunc.types)


UFUNCS = sorted(
    (u for u in np.testing.overrides.get_overridable_numpy_ufuncs()
     if not u.__name__.startswith("_") and (of_numbers(u) or u is np.isnat)),
    key=lambda u: u.__name__,
)  # fmt: skip
TABLED = [u for u in UFUNCS if not u.signature]


def operands(ufunc):
    """Operands that `ufunc` takes, floats where it takes them."""
    rng = np.random.default_rng(0)
    start = 1.0 if ufunc is np.arccosh else 0.0
    for code in "dq":
        for types in ufunc.types:
            wanted = types.split("->")[0]
            if wanted[0] == code and set(wanted) <= set("dqil"):
                return [
                    rng.uniform(start + 0.2, start + 0.8, 3) if c == "d" else rng.integers(1, 4, 3)
                    for c in wanted
                ]
    raise LookupError(ufunc.__name__)


def test_the_enumeration_sees_the_ufuncs():
    names = {u.__name__ for u in UFUNCS}
    assert {"add", "hypot", "frexp", "clip", "isnat", "bitwise_and", "matmul"} <= names
    assert "str_len" not in names


def each(ufuncs):
    """A test for each of these ufuncs."""
    return pytest.mark.parametrize("ufunc", ufuncs, ids=lambda u: u.__name__)


@each(UFUNCS)
def test_every_ufunc_has_a_rule_or_is_constant(ufunc):
    assert ufunc in overrides, f"{ufunc.__name__}: add a rule, or declare it in ops/rounding.py"


@each([u for u in TABLED if u is not np.isnat])
def test_value_and_dtype_are_numpys(ufunc):
    xs = operands(ufunc)
    expected = ufunc(*xs)
    tensors = [qd.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    batched = qd.vmap(lambda *rows: ufunc(*rows))(*xs)
    for got in (ufunc(*tensors), batched):
        for g, want in zip(*map(several, (got, expected)), strict=True):
            g = g.detach().numpy() if isinstance(g, qd.Tensor) else g
            assert g.dtype == want.dtype
            np.testing.assert_allclose(g, want, rtol=1e-15)


def several(y):
    return y if isinstance(y, tuple) else (y,)


@each([u for u in TABLED if any(t[0] == "f" for t in u.types)])
def test_single_precision_stays(ufunc):
    xs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in operands(ufunc)]
    if not any(x.dtype.kind == "f" for x in xs):
        return
    wanted = [y.dtype for y in several(ufunc(*xs))]
    tensors = [qd.tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in xs]
    got = several(ufunc(*tensors))
    assert [y.dtype for y in got] == wanted
    y = got[0]
    if isinstance(y, qd.Tensor) and y.requires_grad:
        y.backward(np.ones(3, y.dtype))
        for t in tensors:
            if isinstance(t, qd.Tensor) and t.grad is not None:
                assert t.grad.dtype == np.float32


@each([u for u in TABLED if u.nin == 2])
def test_outer(ufunc):
    a, b = operands(ufunc)
    b = b[:2]
    if a.dtype.kind != "f":
        got = qd.vmap(lambda a: ufunc.outer(a, b))(np.stack([a, a]))
        expected = np.stack([ufunc.outer(a, b)] * 2)
    else:
        got, expected = ufunc.outer(qd.tensor(a, requires_grad=True), b), ufunc.outer(a, b)
    for g, want in zip(*map(several, (got, expected)), strict=True):
        g = g.detach().numpy() if isinstance(g, qd.Tensor) else g
        np.testing.assert_allclose(g, want)


def test_outer_differentiates():
    a, b = np.array([1.0, 2.0]), np.array([[3.0, 5.0, 7.0]])
    gradient = qd.grad(lambda a: np.sum(np.arctan2.outer(a, b)))(a)
    np.testing.assert_allclose(gradient, np.sum(b / (a[:, None, None] ** 2 + b**2), axis=(1, 2)))
    assert np.hypot.outer(qd.tensor(a), b).shape == (2, 1, 3)


def test_out_goes_into_a_tensor_only():
    x = qd.tensor([1.0, 4.0], requires_grad=True)
    target = np.zeros_like(x)
    assert np.sqrt(x, out=target) is target
    np.testing.assert_allclose(qd.grad(np.sum(target), [x])[0].numpy(), [0.5, 0.25])
    with pytest.raises(TypeError, match="sqrt"):
        np.sqrt(x, out=np.zeros(2))


def test_where_is_refused_with_the_spelling_that_works():
    with pytest.raises(NotImplementedError, match=r"np\.where\(mask, np\.log\(x\), otherwise\)"):
        np.log(qd.tensor([1.0, 2.0], requires_grad=True), where=np.array([True, False]))


def test_dtype_computes_in_that_precision():
    a, b = np.float32([0.1, 0.7]), np.float32([0.3, 0.9])
    got = np.add(qd.tensor(a, requires_grad=True), b, dtype=np.float64)
    np.testing.assert_array_equal(got.detach().numpy(), np.add(a, b, dtype=np.float64))
    assert np.add(qd.tensor(a), b, dtype=np.float64).dtype == np.float64


ELEMENTWISE = [c for c in registry if issubclass(c, Elementwise)]


@pytest.mark.parametrize("cls", ELEMENTWISE, ids=lambda c: c.name)
def test_scalar_code_calls_known_functions(cls):
    """That it gives the right values is for the generated rule test."""
    calls = []

    class Spy(NumpyElement):
        def call(self, name, *xs):
            calls.append(name)
            return super().call(name, *xs)

    for s in cls.samples:
        prim = cls(**s.fields)
        xs = [np.ones((), a.dtype)[()] for a in s.avals]
        with np.errstate(all="ignore"):
            result = prim.element(Spy(), *xs)
        assert result is NotImplemented or np.shape(result) == ()
    assert all(callable(named(name)) for name in calls)


def test_scalar_code_of_an_unknown_name_is_refused():
    with pytest.raises(LookupError, match="no_such"):
        NumpyElement().call("no_such", 1.0)
