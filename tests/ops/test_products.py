import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree
from qiudao.core.dispatch import overrides
from qiudao.ops.einsum import layout
from qiudao.ops.products import CROSSED, MatMul


def real(*shape):
    return np.random.default_rng(len(shape) + sum(shape)).normal(size=shape)


def cplx(*shape):
    x = real(*shape)
    return x + 1j * np.cos(9 * x)


MATRICES = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((3,), (5, 3, 2)),
    ((4, 3), (3,)),
    ((2, 5, 4, 3), (3,)),
    ((4, 3), (3, 2)),
    ((5, 4, 3), (3, 2)),
    ((4, 3), (5, 3, 2)),
    ((4, 3), (3, 1)),
    ((6, 1, 4, 3), (5, 3, 2)),
    ((5, 4, 3), (6, 1, 3, 2)),
    ((1, 4, 3), (5, 3, 2)),
    ((0, 3), (3, 2)),
    ((4, 0), (0, 2)),
    ((2, 4, 0), (0, 2)),
]


@pytest.mark.parametrize("a, b", MATRICES)
def test_matmul(a, b):
    agree(np.matmul, real(*a), real(*b))
    agree(lambda x, y: x @ y, cplx(*a), real(*b))


@pytest.mark.parametrize("a, b", MATRICES[:6])
def test_matmul_to_second_order(a, b):
    assert qd.gradcheck(lambda x, y: (x @ y) ** 2, real(*a), real(*b), order=2)


@pytest.mark.parametrize(
    "a, b, text",
    [
        (
            (3,),
            (4,),
            r"matmul: f64\[3\] and f64\[4\] do not fit: the last .* must equal the only axis",
        ),
        ((2, 3), (2, 3), "the last axis of the first must equal the second-to-last axis"),
        ((2, 2, 3), (3, 3, 2), r"before the last two must broadcast, and \(2,\) and \(3,\) do not"),
        ((), (3,), "a 0-d operand has no axis to sum over"),
    ],
)
def test_matmul_says_what_does_not_fit(a, b, text):
    for f in (lambda x, y: x @ y, np.matmul, overrides[np.matmul]):
        with pytest.raises(ValueError, match=text):
            qd.vjp(f, real(*a), real(*b))


def test_matmul_with_a_number_is_refused():
    with pytest.raises(ValueError, match="0-d operand"):
        qd.tensor(real(2, 3, 3), requires_grad=True) @ 2.0


def test_matmul_with_axes():
    a, b = real(3, 5, 4), real(2, 4, 5)
    axes = [(0, 2), (1, 0), (2, 0)]
    agree(lambda x, y: np.matmul(x, y, axes=axes), a, b, batched=False)


def test_matmul_in_another_dtype():
    a, b = real(2, 3).astype("f4"), real(3, 2).astype("f4")
    agree(lambda x, y: np.matmul(x, y, dtype="f8"), a, b, batched=False)
    with pytest.raises(TypeError, match="matmul: complex128 does not cast to float64 by the rule"):
        qd.vjp(lambda x: np.matmul(x, x, dtype="f8"), cplx(2, 2))


def test_single_precision_stays_single():
    a, b = real(4, 3).astype("f4"), real(3, 2).astype("f4")
    products = (np.matmul, np.dot, np.vecmat, lambda x, y: np.tensordot(x, y, 1))
    for f in products:
        agree(f, a, b, tolerance=1e-5)


def count(monkeypatch, name):
    """The shapes that NumPy's function `name` is called with, from now on."""
    calls = []
    plain = getattr(np, name)

    def counted(*xs, **options):
        calls.append(tuple(np.shape(x) for x in xs))
        return plain(*xs, **options)

    monkeypatch.setattr(np, name, counted)
    return calls


@pytest.mark.parametrize(
    "axes, a, b, inner",
    [
        ((0, None), (9, 3), (3, 2), ((9, 3), (3, 2))),
        ((0, None), (9, 4, 3), (3, 2), ((36, 3), (3, 2))),
        ((0, None), (9, 4, 3), (3,), ((36, 3), (3,))),
        ((None, 0), (4, 3), (9, 3), ((9, 3), (3, 4))),
        ((None, 0), (4, 3), (9, 3, 1), ((9, 3), (3, 4))),
        ((None, 0), (3,), (9, 3), ((9, 3), (3,))),
    ],
)
def test_a_shared_operand_makes_the_batch_rows_of_one_product(monkeypatch, axes, a, b, inner):
    f = qd.vmap(lambda x, y: MatMul()(x, y), axes)
    calls = count(monkeypatch, "matmul")
    f(real(*a), real(*b))
    assert calls == [inner]


def test_the_gradient_of_shared_weights_is_one_product():
    x, w = real(5, 4, 3), real(3, 2)
    y, pull = qd.vjp(lambda w: x @ w, w)
    (g,) = pull(np.ones_like(y))
    np.testing.assert_allclose(g, np.einsum("rik,ric->kc", x, np.ones_like(y)))
    plan = layout("drk,drc->kc", (5, 4, 3), (5, 4, 2))
    assert plan.left(x).shape == (3, 20)
    assert plan.right(y).shape == (20, 2)
    assert np.shares_memory(plan.left(x), x)  # transposed for BLAS, not copied


@pytest.mark.parametrize(
    "a, b",
    [
        ((), (3, 2)),
        ((3,), ()),
        ((3,), (3,)),
        ((4, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 4, 3), (3, 5)),
        ((2, 4, 3), (5, 3, 2)),
    ],
)
def test_dot(a, b):
    agree(np.dot, real(*a), cplx(*b))


def test_dot_by_method_and_into_a_tensor():
    a, b = real(4, 3), real(3, 2)
    agree(lambda x: x.dot(b), a)
    t = qd.tensor(a, requires_grad=True)
    out = np.zeros_like(t @ b)
    assert np.dot(t, b, out=out) is out
    np.testing.assert_allclose(out.detach().numpy(), a @ b)
    with pytest.raises(TypeError, match="dot: out= is a plain NumPy array"):
        np.dot(t, b, out=np.zeros((4, 2)))


@pytest.mark.parametrize(
    "f, a, b, text",
    [
        (np.dot, (3,), (4,), "dot: .* axis -1 of the first has length 3 and axis -1 of the .* 4"),
        (np.dot, (2, 3), (4, 5), "dot: .* axis -2 of the second 4"),
        (np.inner, (3,), (2, 4), "inner: .* axis -1 of the second 4"),
        (np.vdot, (3,), (2, 4), "vdot: .* has length 3 and axis -1 of the second 8"),
        (np.vecdot, (3,), (2, 4), "vecdot: "),
        (np.vecdot, (), (3,), r"vecdot: f64\[\] has too few axes, 1 are needed"),
        (np.matvec, (3,), (3,), r"matvec: f64\[3\] has too few axes, 2 are needed"),
        (np.tensordot, (2, 3), (3, 2), "tensordot: .* do not fit over axes"),
        (lambda x, y: np.tensordot(x, y, 3), (2, 3), (2, 3), "tensordot: axes=3"),
        (np.linalg.outer, (2, 3), (2,), "outer: .* must both be 1-d"),
        (np.cross, (4,), (3,), "cross: vectors of 4 and 3 elements; each must have (2 or )?3"),
        (np.linalg.cross, (2,), (2,), "cross: vectors of 2 and 2 elements; both must have 3"),
    ],
)
def test_what_does_not_fit_is_said(f, a, b, text):
    with pytest.raises(ValueError, match=text):
        qd.vjp(f, real(*a), real(*b))


@pytest.mark.parametrize("a, b", [((3,), (3,)), ((2, 3), (3, 2)), ((), ())])
def test_vdot_conjugates_the_first(a, b):
    agree(np.vdot, real(*a), real(*b))
    agree(np.vdot, cplx(*a), cplx(*b))


def test_gradients_of_vdot_are_torchs_convention():
    a, b = cplx(3), cplx(3)
    ga, gb = qd.grad(lambda a, b: np.real(np.vdot(a, b)), (0, 1))(a, b)
    np.testing.assert_allclose(ga, b)
    np.testing.assert_allclose(gb, a)


@pytest.mark.parametrize(
    "a, b", [((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 4, 3), (5, 3))]
)
def test_inner(a, b):
    agree(np.inner, cplx(*a), real(*b))


@pytest.mark.parametrize("a, b", [((), (3,)), ((3,), (2,)), ((2, 3), (2, 2))])
def test_outer(a, b):
    agree(np.outer, real(*a), cplx(*b))


def test_the_linalg_names():
    a, b = real(2, 3), real(3, 4)
    agree(np.linalg.matmul, a, b)
    agree(np.linalg.outer, a[0], b[0])
    agree(np.linalg.tensordot, real(2, 3, 4), real(3, 4, 2))
    agree(lambda x, y: np.linalg.tensordot(x, y, axes=1), a, b)
    agree(lambda x, y: np.linalg.vecdot(x, y, axis=0), cplx(3, 2), cplx(3, 2))
    agree(np.linalg.cross, real(2, 3), real(3))


AXES = [
    ((2, 3, 4), (3, 4, 5), 2),
    ((2, 3), (4, 5), 0),
    ((2, 3), (3, 5), 1),
    ((2, 3, 4), (4, 2, 3), ((0, 2), (1, 0))),
    ((2, 3, 4), (4, 2, 3), ([-3, 2], [1, -3])),
    ((2, 3), (3, 5), (1, 0)),
    ((2, 3), (3, 5), (-1, -2)),
    ((2, 3), (2, 3), ((0, 1), (0, 1))),
    ((2, 3), (2, 3), 2),
    ((0, 3), (3, 2), 1),
    ((2, 0), (0, 2), 1),
]


@pytest.mark.parametrize("a, b, axes", AXES)
def test_tensordot(a, b, axes):
    agree(lambda x, y: np.tensordot(x, y, axes), cplx(*a), real(*b))


@pytest.mark.parametrize(
    "a, b", [((), (2,)), ((2,), (3,)), ((2, 3), (4, 2)), ((2,), (3, 2)), ((2, 1, 3), (2, 2))]
)
def test_kron(a, b):
    agree(np.kron, cplx(*a), real(*b))


@pytest.mark.parametrize(
    "a, b, axes",
    [
        ((3,), (3,), {}),
        ((2, 3), (3,), {}),
        ((4, 1, 3), (2, 3), {}),
        ((3, 2), (3, 2), {"axis": 0}),
        ((3, 2), (4, 2, 3), {"axisa": 0}),
        ((2, 3, 4), (2, 4, 3), {"axisa": 1, "axisb": 2, "axisc": 0}),
    ],
)
def test_cross(a, b, axes):
    agree(lambda x, y: np.cross(x, y, **axes), real(*a), cplx(*b))


@pytest.mark.skipif(2 not in CROSSED, reason="NumPy 2.5 takes no plane vectors, nor do we")
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")
@pytest.mark.parametrize(
    "a, b, axes",
    [((2,), (2,), {}), ((2,), (3,), {}), ((4, 3), (2,), {}), ((2, 4), (2, 4), {"axis": 0})],
)
def test_cross_of_plane_vectors(a, b, axes):
    agree(lambda x, y: np.cross(x, y, **axes), real(*a), real(*b))


@pytest.mark.parametrize(
    "f, a, b",
    [
        (np.vecdot, (3,), (3,)),
        (np.vecdot, (2, 3), (3,)),
        (np.vecdot, (4, 1, 3), (2, 3)),
        (np.matvec, (2, 3), (3,)),
        (np.matvec, (2, 3), (5, 3)),
        (np.matvec, (4, 1, 2, 3), (5, 3)),
        (np.vecmat, (2,), (2, 3)),
        (np.vecmat, (5, 2), (2, 3)),
        (np.vecmat, (5, 2), (4, 1, 2, 3)),
    ],
)
def test_vectors_and_matrices(f, a, b):
    agree(f, real(*a), real(*b))
    agree(f, cplx(*a), cplx(*b))


def test_vectors_and_matrices_along_other_axes():
    a, b = cplx(3, 4), cplx(3, 4)
    agree(lambda x, y: np.vecdot(x, y, axis=0), a, b)
    agree(lambda x, y: np.vecdot(x, y, axis=0, keepdims=True), a, b)
    agree(lambda x, y: np.vecdot(x, y, axes=[0, -2]), a, b)
    agree(lambda x, y: np.matvec(x, y, axes=[(0, 1), 0, 0]), cplx(3, 4, 2), cplx(4, 2))
    agree(lambda x, y: np.vecmat(x, y, axes=[0, (0, 1), -1]), cplx(3, 2), cplx(3, 4, 2))


@given(st.integers(1, 3), st.integers(1, 3), st.data())
def test_matmul_over_shapes(m, n, data):
    sizes = st.integers(1, 3)
    k = data.draw(sizes)
    lead = data.draw(st.lists(sizes, max_size=2))
    part = lead[data.draw(st.integers(0, len(lead))) :]
    part = [1 if data.draw(st.booleans()) else s for s in part]
    first = [*lead, m, k] if n > 1 else [k]
    second = [*part, k, n]
    if data.draw(st.booleans()) and n > 1:
        first, second = [*part, m, k], [*lead, k, n]
    agree(np.matmul, real(*first), cplx(*second))


def test_rows_that_a_mask_drops_contribute_nothing():
    X = np.array([[1.0, 2], [np.nan, 3], [np.inf, 1], [4, 5]])
    y = np.arange(4.0)
    valid = np.array([True, False, False, True])

    def loss(w, X, y):
        r = X @ w - y
        return np.sum(np.where(valid, r * r, 0.0)) if len(y) == 4 else np.sum(r * r)

    w = np.array([0.5, 0.3])
    with np.errstate(invalid="ignore"):
        got = qd.grad(loss)(w, X, y), qd.hessian(loss)(w, X, y)
    want = qd.grad(loss)(w, X[valid], y[valid]), qd.hessian(loss)(w, X[valid], y[valid])
    np.testing.assert_allclose(got[0], want[0])
    np.testing.assert_allclose(got[1], want[1])


@pytest.mark.peer
def test_gradients_against_torch():
    torch = pytest.importorskip("torch")
    a, b = cplx(5, 4, 3), cplx(3, 2)

    def f(a, b):
        return abs((a @ b) ** 2).sum()

    ours = qd.grad(f, (0, 1))(a, b)
    theirs = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    f(*theirs).backward()
    for g, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-10)
