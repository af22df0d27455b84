"""Running sums, products and extremes against NumPy, and their derivatives at zeros and ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from checking import close, leaf
from ops.agreement import agree
from qiudao.ops.scanning import Recurrence, recur

rng = np.random.default_rng(11)


@st.composite
def scans(draw):
    """An array with zeros and ties, and an axis of it (or None)."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=1, max_size=3)))
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    return rng.integers(-2, 3, shape).astype(float), axis


FUNCTIONS = ["cumsum", "cumprod", "nancumsum", "nancumprod"]
UFUNCS = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp]


@pytest.mark.parametrize("name", FUNCTIONS)
@given(scans())
@settings(max_examples=15)
def test_functions(name, scan):
    x, axis = scan
    agree(lambda x: getattr(np, name)(x, axis), x)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
@given(scans())
@settings(max_examples=15)
def test_accumulate(ufunc, scan):
    x, axis = scan
    agree(lambda x: ufunc.accumulate(x, axis=axis or 0), x)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("options", [{}, {"include_initial": True}, {"dtype": "f4"}])
def test_array_standard_spelling(name, options):
    f = getattr(np, name)
    agree(lambda x: f(x, axis=1, **options), rng.normal(size=(2, 3)), tolerance=1e-6)
    agree(lambda x: f(x, **options), rng.normal(size=3), tolerance=1e-6)
    agree(lambda x: f(x, **options), np.array(3.0), tolerance=1e-6)
    with pytest.raises(ValueError, match=f"{name}: an array of 2 axes needs axis="):
        f(leaf(np.eye(2)))


@pytest.mark.parametrize("name", FUNCTIONS[:2])
def test_dtypes(name):
    f = getattr(np, name)
    agree(lambda x: f(x, dtype="c16"), rng.normal(size=3), batched=False)
    agree(f, rng.normal(size=3) + 1j)
    agree(f, rng.normal(size=3).astype("f4"), tolerance=1e-5)
    whole = rng.integers(0, 5, (2, 3), dtype=np.int8)
    found = qd.vmap(f)(whole)
    np.testing.assert_array_equal(found, f(whole, axis=1))
    assert found.dtype == f(whole, axis=1).dtype


@pytest.mark.parametrize("ufunc", [np.logical_and, np.logical_or, np.logical_xor])
def test_logical_accumulate(ufunc):
    x = rng.integers(0, 2, (3, 4)).astype(float)
    np.testing.assert_array_equal(ufunc.accumulate(leaf(x), axis=1), ufunc.accumulate(x, axis=1))
    np.testing.assert_array_equal(qd.vmap(ufunc.accumulate)(x), ufunc.accumulate(x, axis=1))


@pytest.mark.parametrize("indices", [[0], [0, 2, 4], [3, 1, 1, 4], [4, 0], [2, 2, 2]])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_add_reduceat(indices, axis):
    agree(lambda x: np.add.reduceat(x, indices, axis), rng.normal(size=(5, 5)))


def test_add_reduceat_refuses_indices_outside():
    with pytest.raises(IndexError, match=r"add.reduceat: indices \(0, 3\) must lie in \[0, 3\)"):
        np.add.reduceat(leaf(np.ones(3)), [0, 3])


@pytest.mark.parametrize("x", [[2.0, 0, 3, 0, 4], [0, 0, 0], [1e-320, 0.5, 1e300], [5.0]])
def test_cumprod_where_it_meets_zeros(x):
    x = np.array(x, float)
    n = x.size

    def product(gone, k):
        return np.prod([x[j] for j in range(k + 1) if j not in gone])

    first = [[product({i}, k) if i <= k else 0.0 for i in range(n)] for k in range(n)]
    second = np.zeros((n, n, n))
    for k, i, j in np.ndindex(n, n, n):
        if i != j and max(i, j) <= k:
            second[k, i, j] = product({i, j}, k)
    for jacobian in (qd.jacfwd, qd.jacrev):
        np.testing.assert_allclose(jacobian(np.cumprod)(x), first, rtol=1e-14, atol=1e-320)
        np.testing.assert_allclose(
            jacobian(qd.jacrev(np.cumprod))(x), second, rtol=1e-14, atol=1e-320
        )


def test_running_extremes_share_ties():
    x = np.array([1.0, 1, 0, 3, 3, 2, 3])
    want = np.zeros((7, 7))
    want[0, 0] = 1
    want[1:3, :2] = 1 / 2
    want[3, 3] = 1
    want[4:6, 3:5] = 1 / 2
    want[6, [3, 4, 6]] = 1 / 3
    for jacobian in (qd.jacfwd, qd.jacrev):
        close(jacobian(np.maximum.accumulate)(x), want)
        close(jacobian(np.minimum.accumulate)(-x), want)
    close(qd.vmap(qd.jacrev(np.maximum.accumulate))(np.stack([x, x])), np.stack([want, want]))


def test_running_extremes_pass_over_what_they_did_not_choose():
    f = lambda x: np.maximum.accumulate(np.sqrt(x))[-1]
    close(qd.grad(f)(np.array([4.0, 0.0])), np.array([0.25, 0.0]))


def test_running_logaddexp():
    x = np.array([-np.inf, 1.0, -np.inf, 900.0])
    jacobian = qd.jacrev(np.logaddexp.accumulate)(x)
    close(jacobian, np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    assert np.isfinite(qd.jacrev(np.logaddexp.accumulate)(np.full(3, -np.inf))).all()
    assert qd.gradcheck(np.logaddexp.accumulate, rng.normal(size=4), order=2)


# The recurrence


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("lanes", [1, 3, 40])
def test_recurrence_by_pairs_is_the_one_by_steps(n, lanes):
    a, b = rng.normal(size=(n, lanes)), rng.normal(size=(n, lanes))
    t, want = np.zeros(lanes), []
    for k in range(n):
        t = a[k] * t + b[k]
        want.append(t)
    np.testing.assert_allclose(
        recur(a, b.copy()), np.reshape(want, (n, lanes)), rtol=1e-9, atol=1e-9
    )


def test_recurrence_whose_products_overflow():
    a = np.tile([1e200, 1e-200], 60)
    b = np.zeros(120)
    b[0] = 1.0
    want = np.tile([1.0, 1e-200], 60)
    np.testing.assert_allclose(recur(a, b.copy()), want)


@pytest.mark.parametrize("reverse", [False, True])
def test_long_recurrence(reverse):
    a, b = rng.uniform(-1, 1, (2, 100)), rng.normal(size=(2, 100))
    f = lambda a, b: Recurrence(reverse=reverse)(a, b)
    for k, jacobian in ((0, qd.jacfwd), (1, qd.jacrev)):
        found = jacobian(lambda a, b: f(a, b).sum(), argnums=k)(a, b)
        close(found, qd.grad(lambda a, b: f(a, b).sum(), argnums=k)(a, b), rtol=1e-10)
    assert qd.gradcheck(f, a[:, :5], b[:, :5], order=2)


def test_a_recurrence_forgets_at_a_zero():
    """What came before a factor of zero is not read, so an infinite slope there does no harm."""
    f = lambda x: Recurrence()(np.array([1.0, 0.0]), np.sqrt(x))[1]
    close(qd.grad(f)(np.array([0.0, 4.0])), np.array([0.0, 0.25]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.bool_, np.float32])
@pytest.mark.parametrize(
    "total",
    [
        lambda x, dtype: np.sum(x, dtype=dtype),
        lambda x, dtype: np.prod(x, dtype=dtype),
        lambda x, dtype: np.cumsum(x, dtype=dtype),
        lambda x, dtype: np.cumulative_prod(x, dtype=dtype),
        lambda x, dtype: np.add.accumulate(x, dtype=dtype),
        lambda x, dtype: np.add.reduceat(x, [0, 1], dtype=dtype),
    ],
)
def test_totals_have_the_dtype_asked_for(total, dtype):
    x = np.array([200, 100, 3], np.uint8)
    ours, numpys = total(qd.tensor(x), dtype), total(x, dtype)
    assert ours.dtype == numpys.dtype == dtype
    assert ours.tolist() == numpys.tolist()
