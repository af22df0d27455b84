"""Linear algebra against NumPy (values, types, errors), torch (gradients) and known formulas.

Repeated and vanishing eigenvalues and singular values are in `test_linalg_repeated.py`.
"""

import itertools
import math

import numpy as np
import pytest

import qiudao as qd
from checking import close
from ops.agreement import agree
from qiudao.core.errors import NotDifferentiableError, ShapeError

L = np.linalg
RNG = np.random.default_rng(0)


def normal(*shape, kind="f", seed=0):
    """A random array: real, or complex for kind "c"."""
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "c" else x


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(*shape, kind="f", seed=0):
    x = normal(*shape, kind=kind, seed=seed)
    return x + adjoint(x)


def definite(*shape, kind="f", seed=0):
    x = normal(*shape, kind=kind, seed=seed)
    return x @ adjoint(x) + np.eye(shape[-1])


def regular(*shape, kind="f", seed=0):
    return normal(*shape, kind=kind, seed=seed) + 3 * np.eye(*shape[-2:])


def results(y):
    """One or several results, as plain arrays."""
    ys = y if isinstance(y, tuple | list) else (y,)
    return [v.detach().numpy() if isinstance(v, qd.Tensor) else np.asarray(v) for v in ys]


def same(f, *xs):
    """A function of tensors gives NumPy's values, types, shapes and container."""
    want = f(*xs)
    got = f(*(qd.tensor(x, requires_grad=True) for x in xs))
    if isinstance(want, tuple):
        assert type(got) is type(want)
    digits = 1e-4 if xs[0].dtype in (np.float32, np.complex64) else 1e-10
    for g, w in zip(results(got), results(want), strict=True):
        assert g.shape == w.shape
        assert g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=digits, atol=digits)


def differences(f, x, dx, h=1e-5):
    return (f(x + h * dx) - f(x - h * dx)) / (2 * h)


KINDS = ["f", "c"]
LEADS = [(), (2,), (2, 3)]
TYPES = {"f": [np.float64, np.float32], "c": [np.complex128, np.complex64]}


# Values


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("single", [0, 1])
def test_values(kind, lead, single):
    dtype = TYPES[kind][single]
    a = regular(*lead, 3, 3, kind=kind).astype(dtype)
    b = normal(*lead, 3, 2, kind=kind).astype(dtype)
    tall = normal(*lead, 4, 3, kind=kind).astype(dtype)
    s = hermitian(*lead, 3, 3, kind=kind).astype(dtype)
    d = definite(*lead, 3, 3, kind=kind).astype(dtype)
    same(L.solve, a, b)
    same(lambda x: L.solve(x, np.ones(3, dtype)), a)
    for f in (L.inv, L.det, L.slogdet, L.eig, L.eigvals):
        same(f, a)
    for n in (-3, -1, 0, 1, 2, 3, 5, 8):
        same(lambda x, n=n: L.matrix_power(x, n), a)
    for uplo in "LU":
        same(lambda x, u=uplo: L.eigh(x, u), s)
        same(lambda x, u=uplo: L.eigvalsh(x, u), s)
        same(lambda x, u=uplo: L.eigh(x, u), a)  # not symmetric: a triangle is read
        same(lambda x, u=uplo: L.eigvalsh(x, u), a)
    same(L.cholesky, d)
    same(lambda x: L.cholesky(x, upper=True), d)
    same(L.cholesky, np.tril(d))
    same(lambda x: L.cholesky(x, upper=True), np.triu(d))
    same(lambda x: L.svd(x, hermitian=True), s)
    same(lambda x: L.svd(x, hermitian=True, compute_uv=False), s)
    same(lambda x: L.pinv(x, hermitian=True), s)
    same(lambda x: L.matrix_rank(x, hermitian=True), s)
    for x in (a, tall, np.swapaxes(tall, -1, -2)):
        for mode in ("reduced", "complete", "r"):
            same(lambda z, m=mode: L.qr(z, m), x)
        for full in (True, False):
            same(lambda z, f=full: L.svd(z, f), x)
        same(lambda z: L.svd(z, compute_uv=False), x)
        same(L.svdvals, x)
        same(L.pinv, x)
        same(lambda z: L.pinv(z, 0.3), x)
        same(lambda z: L.pinv(z, rtol=None), x)
        same(lambda z: L.pinv(z, rtol=0.3), x)
        same(lambda z: L.pinv(z, np.full(z.shape[:-2], 0.3)), x)
        same(L.matrix_rank, x)
        same(lambda z: L.matrix_rank(z, 1.0), x)
        same(lambda z: L.matrix_rank(z, rtol=0.5), x)


@pytest.mark.parametrize("ord", [None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norms(ord, keepdims):
    for kind in KINDS:
        x = normal(2, 3, 4, kind=kind)
        for axis in ((-2, -1), (-1, -2), (0, 1), (2, 0), (1, 0)):
            agree(lambda z, a=axis: L.norm(z, ord, a, keepdims), x, tolerance=1e-8)
        if ord is not None:
            agree(lambda z: L.matrix_norm(z, keepdims=keepdims, ord=ord), x, tolerance=1e-8)
            agree(lambda z: L.norm(z, ord, keepdims=keepdims), x[0], tolerance=1e-8)


@pytest.mark.parametrize("ord", [None, 0, 1, -1, 2, -2, 3, 4, 2.5, 0.5, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norms(ord, keepdims):
    for kind in KINDS:
        x = normal(2, 3, 4, kind=kind)
        for axis in (-1, 0, 1):
            agree(lambda z, a=axis: L.norm(z, ord, a, keepdims), x)
        agree(lambda z: L.norm(z, ord, keepdims=keepdims), x[0, 0])
        if ord is None:
            agree(lambda z: L.norm(z, keepdims=keepdims), x)
        else:
            agree(lambda z: L.vector_norm(z, keepdims=keepdims, ord=ord), x)
            agree(lambda z: L.vector_norm(z, axis=(0, -1), keepdims=keepdims, ord=ord), x)


@pytest.mark.parametrize("ord", [0, 1, -1, 2, 3, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_norms_of_integers_are_floats(ord, dtype):
    x = np.array([[1, 2, 3], [200, 1, 100]]).astype(dtype)
    for f in (
        lambda x: L.norm(x, ord, axis=-1),
        lambda x: L.vector_norm(x, ord=ord),
        *([lambda x: L.norm(x, ord), lambda x: L.matrix_norm(x, ord=ord)] if ord % 3 else []),
    ):
        found, expected = f(qd.tensor(x)).numpy(), f(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("p", [None, 2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf], ids=str)
def test_condition_numbers(p):
    for kind in KINDS:
        agree(lambda z: L.cond(z, p), regular(2, 3, 3, kind=kind), tolerance=1e-8, batched=False)
    if p != "nuc":  # where NumPy's own fails to converge
        same(lambda z: L.cond(z, p), np.zeros((3, 3)))
    if p in (None, 2, -2):
        agree(lambda z: L.cond(z, p), normal(4, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_products_of_several(kind):
    a, b, c = (normal(*s, kind=kind) for s in ((4, 3), (3, 5), (5, 2)))
    agree(lambda *xs: L.multi_dot(xs), a, b)
    agree(lambda *xs: L.multi_dot(xs), a, b, c)
    agree(lambda *xs: L.multi_dot(xs), a[0], b, c)
    agree(lambda *xs: L.multi_dot(xs), a, b, c[:, 0])
    agree(lambda *xs: L.multi_dot(xs), a[0], b, c, c.T, b.T, a.T[:, 1])
    agree(lambda *xs: L.multi_dot(xs), a[0], b, c[:, 0])


def test_a_chain_is_multiplied_in_the_cheapest_order():
    from qiudao.ops.linalg.solving import cheapest

    splits = cheapest([30, 35, 15, 5, 10, 20, 25])  # Cormen et al., 15.2: ((0 (1 2)) ((3 4) 5))
    assert splits[0, 5] == 2
    assert splits[0, 2] == 0
    assert splits[3, 5] == 4


@pytest.mark.parametrize("kind", KINDS)
def test_tensor_equations(kind):
    agree(L.tensorsolve, normal(2, 3, 6, kind=kind), normal(2, 3, kind=kind), batched=False)
    agree(L.tensorsolve, normal(6, 2, 3, kind=kind), normal(6, kind=kind), batched=False)
    a = normal(2, 6, 3, kind=kind)
    agree(lambda a, b: L.tensorsolve(a, b, axes=(0, 2)), a, normal(6, kind=kind), batched=False)
    agree(L.tensorinv, normal(2, 3, 3, 2, kind=kind), batched=False)
    agree(lambda a: L.tensorinv(a, 1), normal(6, 2, 3, kind=kind), batched=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
@pytest.mark.parametrize("rcond", [None, -1, 0.6])
def test_least_squares(kind, shape, rcond):
    a = normal(*shape, kind=kind)
    for b in (normal(shape[0], kind=kind), normal(shape[0], 2, kind=kind)):
        same(lambda a, b: L.lstsq(a, b, rcond), a, b)
        agree(lambda a, b: L.lstsq(a, b, rcond)[0], a, b, batched=False)
        agree(lambda a, b: L.lstsq(a, b, rcond)[3] + 0 * np.abs(b[0]).sum(), a, b, batched=False)
        if rcond is None and shape == (4, 3):
            agree(lambda a, b: L.lstsq(a, b)[1], a, b)


def test_least_squares_in_a_batch():
    a, b = normal(5, 4, 3), normal(5, 4)
    x, residuals, rank, s = qd.vmap(L.lstsq)(a, b)
    for k in range(5):
        for got, want in zip((x[k], residuals[k], rank[k], s[k]), L.lstsq(a[k], b[k]), strict=True):
            np.testing.assert_allclose(got, want)


def test_one_matrix_with_many_right_sides_in_a_batch():
    a, b = regular(3, 3), normal(5, 3)
    np.testing.assert_allclose(qd.vmap(L.solve, (None, 0))(a, b), L.solve(a, b.T).T)
    np.testing.assert_allclose(
        qd.vmap(qd.vmap(L.solve, (None, 0)), (0, None))(np.stack([a, 2 * a]), b),
        np.stack([L.solve(a, b.T).T, L.solve(2 * a, b.T).T]),
    )


@pytest.mark.parametrize(
    "f", [L.inv, L.det, L.slogdet, L.eigh, L.eigvalsh, L.cholesky, L.eig, L.eigvals, L.svd, L.qr,
          L.svdvals, L.pinv],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_nothing_to_do(f):
    same(f, np.zeros((0, 2, 2)))
    if f is not L.eig:
        same(f, np.zeros((0, 0)))
    x = np.zeros((0, 2, 2))
    y, pull = qd.vjp(f, x)
    (g,) = pull(type(y)(*map(np.zeros_like, y)) if isinstance(y, tuple) else np.zeros_like(y))
    assert g.shape == x.shape


# Errors


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda x: L.inv(np.zeros_like(x) * x), L.LinAlgError, "Singular matrix"),
        (lambda x: L.solve(x, np.ones(2)), ValueError, "solve"),
        (lambda x: L.solve(x, 1.0), ShapeError, "the right side is 0-d"),
        (lambda x: L.cholesky(-x), L.LinAlgError, "positive definite"),
        (lambda x: L.cholesky(x[:2]), ShapeError, "cholesky: f64[2, 3] is no square matrix"),
        (lambda x: L.eigh(x[0]), ShapeError, "eigh: f64[3] is no square matrix"),
        (lambda x: L.eigh(x, "X"), ValueError, "UPLO='X' is no triangle"),
        (lambda x: L.qr(x, "full"), ValueError, "qr: mode='full'; choose"),
        (lambda x: L.pinv(x, 0.1, rtol=0.1), ValueError, "rcond and rtol mean the same"),
        (lambda x: L.matrix_rank(x, 0.1, rtol=0.1), ValueError, "exclude each other"),
        (lambda x: L.matrix_power(x, 0.5), TypeError, "integer"),
        (lambda x: L.matrix_power(x[:2], 2), ShapeError, "no square matrix"),
        (lambda x: L.norm(x, 3), ValueError, "norm: ord=3 is no norm of a matrix"),
        (lambda x: L.norm(x, "fro", 0), ValueError, "norm: ord='fro' is no norm of a vector"),
        (lambda x: L.norm(x, 2, (0, 0)), ValueError, "names an axis twice"),
        (lambda x: L.norm(x[None], 2), ValueError, "norm: 3 axes; a vector has one"),
        (lambda x: L.cond(x[:2], 1), ShapeError, "cond: f64[2, 3] is no square matrix"),
        (lambda x: L.cond(x[:0]), L.LinAlgError, "holds no matrix"),
        (lambda x: L.lstsq(x, np.ones(2)), ShapeError, "lstsq: f64[3, 3] and f64[2] do not fit"),
        (lambda x: L.multi_dot([x]), ValueError, "multi_dot: 1 arrays; give at least two"),
        (lambda x: L.multi_dot([x, x[0], x]), ShapeError, "multi_dot: array 1 is f64[3]"),
        (lambda x: L.tensorsolve(x, np.ones((2, 2))), ShapeError, "tensorsolve: f64[3, 3]"),
        (lambda x: L.tensorinv(x, 0), ValueError, "tensorinv: ind=0 must be positive"),
    ],
)
def test_refused(call, error, text):
    with pytest.raises(error) as caught:
        call(qd.tensor(definite(3, 3), requires_grad=True))
    assert text in str(caught.value)


# Derivatives against torch, to second order

SQUARE = [(3, 3), (2, 3, 3)]
ANY = [(3, 3), (4, 3), (3, 5), (2, 3, 2)]
CASES = [
    ("inv", regular, SQUARE, L.inv, lambda t, x: t.linalg.inv(x)),
    ("det", normal, SQUARE, L.det, lambda t, x: t.linalg.det(x)),
    ("log det", regular, SQUARE, lambda x: L.slogdet(x)[1], lambda t, x: t.linalg.slogdet(x)[1]),
    ("sign det", regular, SQUARE, lambda x: L.slogdet(x)[0], lambda t, x: t.linalg.slogdet(x)[0]),
    ("pinv", normal, ANY, L.pinv, lambda t, x: t.linalg.pinv(x)),
    ("Q", normal, ANY[:3], lambda x: L.qr(x)[0], lambda t, x: t.linalg.qr(x)[0]),
    ("R", normal, ANY[:3], lambda x: L.qr(x)[1], lambda t, x: t.linalg.qr(x)[1]),
    ("svdvals", normal, ANY, L.svdvals, lambda t, x: t.linalg.svdvals(x)),
    (
        "|U|", normal, ANY, lambda x: np.abs(L.svd(x, False)[0]),
        lambda t, x: t.linalg.svd(x, False)[0].abs(),
    ),
    (
        "|V|", normal, ANY, lambda x: np.abs(L.svd(x, False)[2]),
        lambda t, x: t.linalg.svd(x, False)[2].abs(),
    ),
    ("nuclear", normal, ANY, lambda x: L.norm(x, "nuc", (-2, -1)),
     lambda t, x: t.linalg.matrix_norm(x, "nuc")),
    ("spectral", normal, ANY, lambda x: L.norm(x, 2, (-2, -1)),
     lambda t, x: t.linalg.matrix_norm(x, 2)),
    ("eigvalsh", hermitian, SQUARE, L.eigvalsh, lambda t, x: t.linalg.eigvalsh(x)),
    (
        "|eigh|", hermitian, SQUARE, lambda x: np.abs(L.eigh(x)[1]),
        lambda t, x: t.linalg.eigh(x)[1].abs(),
    ),
    ("|eigvals|", normal, SQUARE, lambda x: np.abs(L.eigvals(x)),
     lambda t, x: t.linalg.eigvals(x).abs()),
    ("|eig|", normal, SQUARE, lambda x: np.abs(L.eig(x)[1]),
     lambda t, x: t.linalg.eig(x)[1].abs()),
    ("power", normal, SQUARE, lambda x: L.matrix_power(x, 5),
     lambda t, x: t.linalg.matrix_power(x, 5)),
    ("inverse power", regular, SQUARE, lambda x: L.matrix_power(x, -2),
     lambda t, x: t.linalg.matrix_power(x, -2)),
    ("condition", regular, SQUARE, L.cond, lambda t, x: t.linalg.cond(x)),
    ("3-norm", normal, SQUARE, lambda x: L.norm(x, 3, -1),
     lambda t, x: t.linalg.vector_norm(x, 3, -1)),
]  # fmt: skip


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_torch(case, kind):
    torch = pytest.importorskip("torch")
    name, draw, shapes, f, g = case
    if name == "sign det" and kind == "f":
        pytest.skip("the sign of a real determinant is constant")
    for shape in shapes:
        x, dx = draw(*shape, kind=kind), normal(*shape, kind=kind, seed=1)
        t = torch.tensor(x, requires_grad=True)
        y = g(torch, t)
        ct = normal(*y.shape, kind="c" if y.is_complex() else "f", seed=2)
        (want,) = torch.autograd.grad(y, t, torch.tensor(ct), create_graph=True)
        (want2,) = torch.autograd.grad(want, t, torch.tensor(dx))
        pulled = lambda z, ct=ct: qd.vjp(f, z)[1](ct)[0]
        np.testing.assert_allclose(pulled(x), want.detach().numpy(), rtol=1e-7, atol=1e-8)
        (got2,) = qd.vjp(pulled, x)[1](dx)
        np.testing.assert_allclose(got2, want2.resolve_conj().numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.peer
def test_torch_cholesky():
    torch = pytest.importorskip("torch")
    for kind in KINDS:
        x = definite(2, 3, 3, kind=kind)
        ct = np.tril(normal(2, 3, 3, kind=kind))
        ct = np.where(np.eye(3), ct.real, ct)  # as the diagonal of the factor is real
        for upper in (False, True):
            t = torch.tensor(x, requires_grad=True)
            c = adjoint(ct) if upper else ct
            torch.linalg.cholesky(t, upper=upper).backward(torch.tensor(c))
            (got,) = qd.vjp(lambda z, u=upper: L.cholesky(z, upper=u), x)[1](c)
            want = t.grad.numpy()  # whose skew part says nothing of a Hermitian operand
            np.testing.assert_allclose(got, (want + adjoint(want)) / 2, atol=1e-12)


@pytest.mark.peer
def test_jax_third_order():
    jax = pytest.importorskip("jax")
    jnp = pytest.importorskip("jax.numpy")
    x, s = regular(3, 3), hermitian(3, 3)
    mix = normal(3, 3, seed=5)
    mix = mix + mix.T
    for f, z in [
        (lambda m, a: m.sum(m.linalg.inv(a) ** 2), x),
        (lambda m, a: m.sum(m.exp(m.linalg.eigvalsh((a + a.T) / 2)) ** 2), s),
    ]:
        g = lambda t, m=np, f=f, z=z: f(m, z + t * mix)
        want = jax.grad(jax.grad(jax.grad(lambda t, g=g: g(t, jnp))))(0.1)
        assert np.isclose(qd.grad(qd.grad(qd.grad(g)))(0.1), want, rtol=1e-6)
        third = qd.jet(g, (0.1,), ([1.0, 0.0, 0.0],))[1][2] * 6
        assert np.isclose(third, want, rtol=1e-6)


# Determinants


def polynomial(a):
    """The determinant by its definition."""
    n = a.shape[-1]
    total = 0.0
    for p in itertools.permutations(range(n)):
        sign = np.linalg.det(np.eye(n)[list(p)])
        total = total + sign * math.prod((a[i, p[i]] for i in range(1, n)), start=a[0, p[0]])
    return total


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_determinant_of_every_rank_to_third_order(rank, kind):
    a = normal(4, rank, kind=kind) @ normal(rank, 4, kind=kind, seed=1)
    d1, d2, d3 = (normal(4, 4, kind=kind, seed=k) for k in (2, 3, 4))

    def third(f):
        first = lambda z: qd.jvp(f, (z,), (d1,))[1]
        second = lambda z: qd.jvp(first, (z,), (d2,))[1]
        return [f(a), first(a), second(a), qd.jvp(second, (a,), (d3,))[1]]

    np.testing.assert_allclose(third(L.det), third(polynomial), rtol=1e-11, atol=1e-12)
    if kind == "f":
        gradient = lambda f: qd.vjp(lambda z: qd.vjp(qd.grad(f), z)[1](d1)[0], a)[1](d2)[0]
        np.testing.assert_allclose(gradient(L.det), gradient(polynomial), rtol=1e-11, atol=1e-11)


def test_determinant_at_zero_and_at_a_diagonal_is_exact():
    np.testing.assert_array_equal(qd.grad(L.det)(np.zeros((3, 3))), np.zeros((3, 3)))
    np.testing.assert_array_equal(qd.grad(L.det)(np.zeros((1, 1))), [[1.0]])
    g = qd.grad(L.det)(np.diag([2.0, 0.0, 5.0]))
    np.testing.assert_allclose(g, np.diag([0.0, 10.0, 0.0]), atol=1e-15)
    h = qd.hessian(L.det)(np.zeros((2, 2)))
    np.testing.assert_allclose(h[0, 0], [[0, 0], [0, 1]], atol=1e-15)
    np.testing.assert_allclose(h[0, 1], [[0, 0], [-1, 0]], atol=1e-15)


def test_determinant_nearly_singular_keeps_its_digits():
    a = np.diag([1.0, 1e-5, 1e-12])
    g = qd.grad(L.det)(a)
    np.testing.assert_allclose(np.diag(g), [1e-17, 1e-12, 1e-5], rtol=1e-12)


def test_determinant_in_batches_of_any_rank():
    stack = np.stack([np.eye(3), np.diag([1.0, 2.0, 0.0]), np.zeros((3, 3))])
    g = qd.grad(lambda z: np.sum(L.det(z)))(stack)
    np.testing.assert_allclose(g, [np.eye(3), np.diag([0, 0, 2.0]), np.zeros((3, 3))], atol=1e-15)
    np.testing.assert_allclose(qd.vmap(qd.grad(L.det))(stack), g, atol=1e-15)


def test_log_determinant():
    a = regular(3, 3)
    np.testing.assert_allclose(qd.grad(lambda z: L.slogdet(z)[1])(a), L.inv(a).T)
    with np.errstate(all="ignore"):
        pole = qd.grad(lambda z: L.slogdet(z)[1])(np.diag([2.0, 0.0]))
    np.testing.assert_array_equal(pole, [[0, 0], [0, np.inf]])


def test_log_determinant_of_a_dropped_lane():
    stack = np.stack([np.eye(2) * 2, np.zeros((2, 2))])

    def f(z):
        return np.sum(np.where(L.det(z) > 0, L.slogdet(z)[1], 0.0))

    np.testing.assert_array_equal(qd.grad(f)(stack), [np.eye(2) / 2, np.zeros((2, 2))])


# Factors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 4), (2, 4, 3)])
def test_complete_qr_is_lapacks(kind, shape):
    x, dx = normal(*shape, kind=kind), normal(*shape, kind=kind, seed=1)
    for part in (0, 1):
        f = lambda z, part=part: L.qr(z, "complete")[part]
        np.testing.assert_allclose(
            qd.jvp(f, (x,), (dx,))[1], differences(f, x, dx), rtol=1e-6, atol=1e-7
        )
        agree(f, x, batched=False)


def test_qr_of_dependent_columns_is_refused():
    x = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(NotDifferentiableError, match=r"qr: .* linearly dependent columns"):
        qd.vjp(lambda z: L.qr(z)[0], x)[1](np.ones((3, 2)))


def test_triangles():
    """Where the operand is symmetric the gradient is; where it is a triangle, of the triangle."""
    s = definite(3, 3)
    for f, lower, upper in (
        (lambda z: np.sum(np.sin(L.cholesky(z))), True, False),
        (lambda z: np.sum(np.sin(L.cholesky(z, upper=True))), False, True),
        (lambda z: np.sum(np.sin(L.eigvalsh(z))), True, False),
        (lambda z: np.sum(np.sin(L.eigvalsh(z, "U"))), False, True),
        (lambda z: np.sum(np.sin(L.eigh(z).eigenvalues)), True, False),
        (lambda z: np.sum(np.abs(L.eigh(z, "u").eigenvectors)), False, True),
    ):
        g = qd.grad(f)(s)
        np.testing.assert_allclose(g, g.T, atol=1e-12)
        half = np.tril(s) if lower else np.triu(s)
        h = qd.grad(f)(half)
        want = np.tril(g, -1) if lower else np.triu(g, 1)
        np.testing.assert_allclose(h, 2 * want + np.diag(np.diag(g)), atol=1e-12)
        assert upper is not lower
        for i, j in itertools.product(range(3), repeat=2):
            unit = np.zeros((3, 3))
            unit[i, j] = 1
            assert np.isclose(h[i, j], differences(f, half, unit), atol=1e-7)


def test_a_factor_gives_back_its_matrix():
    a = definite(3, 3, kind="c")
    identity = lambda z: L.cholesky(z) @ adjoint(L.cholesky(z))
    d = hermitian(3, 3, kind="c", seed=1)
    np.testing.assert_allclose(qd.jvp(identity, (a,), (d,))[1], d, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_full_singular_vectors(shape):
    """The vectors that complete a basis: their projector is the complement of the others'."""
    for kind in KINDS:
        x, k = normal(*shape, kind=kind), min(shape)
        c = hermitian(max(shape), max(shape), kind=kind, seed=1)

        def loss(z, part, first, k=k, c=c):
            u, _, vh = L.svd(z)
            v = u if part == 0 else adjoint(vh)
            v = v[:, :k] if first else v[:, k:]
            n = v.shape[0]
            return np.real(np.sum(c[:n, :n] * (v @ adjoint(v))))

        for part in (0, 1):
            inside = qd.grad(lambda z, p=part: loss(z, p, True))(x)
            outside = qd.grad(lambda z, p=part: loss(z, p, False))(x)
            np.testing.assert_allclose(inside, -outside, atol=1e-12)
            dx = normal(*shape, kind=kind, seed=2)
            for first in (True, False):
                f = lambda z, p=part, first=first: loss(z, p, first)
                want = differences(f, x, dx)
                assert np.isclose(qd.jvp(f, (x,), (dx,))[1], want, rtol=1e-6, atol=1e-8)
                assert np.isclose(np.sum(np.real(np.conj(qd.grad(f)(x)) * dx)), want, rtol=1e-6,
                                  atol=1e-8)  # fmt: skip


def test_the_basis_of_a_complement_is_refused():
    with pytest.raises(NotDifferentiableError, match=r"svd: .*basis of its singular vectors"):
        qd.grad(lambda z: L.svd(z)[0][0, 3])(normal(4, 2))


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.real(L.eigh(z + adjoint(z))[1][1, 0]),
        lambda z: np.real(L.svd(z)[0][1, 1]),
        lambda z: np.real(L.svd(z)[2][1, 1]),
    ],
)
def test_the_phase_of_a_complex_vector_is_refused(f):
    with pytest.raises(NotDifferentiableError, match="depends on the phase of complex"):
        qd.grad(f)(normal(3, 3, kind="c"))


def test_the_phase_of_general_eigenvectors_is_lapacks():
    for kind in KINDS:
        x, dx = normal(3, 3, kind=kind), normal(3, 3, kind=kind, seed=1)
        for part in (0, 1):
            f = lambda z, part=part: L.eig(z)[part] + 0j
            tangent = qd.jvp(f, (x,), (dx,))[1]
            np.testing.assert_allclose(tangent, differences(f, x, dx), rtol=1e-6, atol=1e-7)


def test_eigenvalues_are_real_where_numpys_are():
    a = np.array([[2.0, 1.0], [0.0, 3.0]])
    assert qd.grad(lambda z: np.real(L.eigvals(z)[0]))(a).dtype == np.float64
    w, v = L.eig(qd.tensor(a, requires_grad=True))
    assert w.dtype == v.dtype == L.eig(a)[0].dtype  # NumPy 2.5 gives all a complex type
    assert L.eigvals(qd.tensor(a)).dtype == L.eigvals(a).dtype
    assert qd.vmap(L.eigvals)(a[None]).dtype == np.complex128  # the examples might differ


def test_pseudo_inverse_keeps_the_rank():
    """Along matrices of equal rank, from the defining equations."""
    u, v = normal(4, 2), normal(2, 3, seed=1)
    du, dv = normal(4, 2, seed=2), normal(2, 3, seed=3)
    f = lambda t: L.pinv((u + t * du) @ (v + t * dv))
    _, got = qd.jvp(f, (0.0,), (1.0,))
    np.testing.assert_allclose(got, differences(f, 0.0, 1.0), rtol=1e-6, atol=1e-7)
    second = qd.jet(f, (0.0,), ([1.0, 0.0],))[1][1] * 2
    want = (f(1e-4) - 2 * f(0.0) + f(-1e-4)) / 1e-8
    np.testing.assert_allclose(second, want, rtol=1e-4, atol=1e-4)


def test_singular_values_by_eigenvalues():
    """`hermitian=True` gives the derivatives that any matrix gives, for symmetric directions."""
    a, d = hermitian(3, 3), hermitian(3, 3, seed=1)
    for f in (
        lambda z, h: L.svd(z, compute_uv=False, hermitian=h),
        lambda z, h: np.abs(L.svd(z, hermitian=h).U),
        lambda z, h: np.abs(L.svd(z, hermitian=h).Vh),
        lambda z, h: L.pinv(z, hermitian=h) if h else L.pinv(z),
    ):
        got = qd.jvp(lambda z, f=f: f(z, True), (a,), (d,))[1]
        want = qd.jvp(lambda z, f=f: f(z, False), (a,), (d,))[1]
        np.testing.assert_allclose(got, want, atol=1e-12)
        agree(lambda z, f=f: f(z, True), a)


LINEAR = [
    (L.inv, regular), (L.slogdet, regular), (L.cholesky, definite), (L.qr, regular),
    (lambda z: L.qr(z[:, :2], "complete"), regular), (L.eigh, hermitian), (L.eigvalsh, hermitian),
    (L.svd, normal), (lambda z: L.svd(z[:2]), normal), (L.svdvals, normal), (L.pinv, normal),
    (L.eig, normal), (L.eigvals, normal), (L.cond, regular), (lambda z: L.norm(z, "nuc"), normal),
    (lambda z: L.lstsq(z, z[0])[0], normal),
    (qd.grad(lambda z: np.sum(L.svdvals(z) ** 3)), normal),
    (qd.grad(lambda z: np.sum(L.eigvalsh(z) ** 3)), hermitian),
]  # fmt: skip


@pytest.mark.parametrize("case", LINEAR, ids=lambda case: getattr(case[0], "__name__", ""))
def test_linearised_once(case):
    f, draw = case
    x, dx = draw(3, 3), hermitian(3, 3, seed=1)
    y, df = qd.linearize(f, x)
    want = qd.jvp(f, (x,), (dx,))[1]
    for got, w in zip(results(df(dx)), results(want), strict=True):
        np.testing.assert_allclose(got, w, atol=1e-12)
    assert type(df(dx)) is type(y)


# Norms at their kinks


@pytest.mark.parametrize("ord", [1, 2, 3, 2.5, 1.5, 0.5, 4, np.inf, -np.inf, -1, 0])
def test_vector_norm_of_zeros(ord):
    f = lambda z: L.norm(z, ord)
    for x in (np.zeros(3), np.zeros(3, complex)):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(qd.grad(f)(x), np.zeros(3))
            assert qd.jvp(f, (x,), (np.ones_like(x),))[1] == 0


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf], ids=str)
def test_matrix_norm_of_zeros(ord):
    f = lambda z: L.norm(z, ord)
    np.testing.assert_array_equal(qd.grad(f)(np.zeros((3, 2))), np.zeros((3, 2)))
    assert qd.jvp(f, (np.zeros((3, 2)),), (np.ones((3, 2)),))[1] == 0


def test_elements_that_are_zero():
    x = np.array([3.0, 0.0, -4.0])
    for p in (1, 1.5, 2, 2.5, 3, 4, 6):
        f = lambda z, p=p: L.norm(z, p)
        want = np.sign(x) * (np.abs(x) / f(x)) ** (p - 1)
        np.testing.assert_allclose(qd.grad(f)(x), want)
    h = qd.hessian(lambda z: L.norm(z, 2))(x)
    np.testing.assert_allclose(h, (np.eye(3) - np.outer(x, x) / 25) / 5, atol=1e-16)
    fourth = lambda z: np.sum(z**4) ** 0.25
    orders = [qd.grad, qd.hessian]
    orders += [lambda f: qd.jacfwd(qd.hessian(f)), lambda f: qd.jacfwd(qd.jacfwd(qd.hessian(f)))]
    for order in orders:
        want = order(fourth)(x)
        np.testing.assert_allclose(order(lambda z: L.norm(z, 4))(x), want, rtol=1e-10, atol=1e-12)


def test_extremes_share():
    np.testing.assert_array_equal(
        qd.grad(lambda z: L.norm(z, np.inf))(np.array([2.0, -2.0, 1.0])), [0.5, -0.5, 0.0]
    )
    np.testing.assert_array_equal(
        qd.grad(lambda z: L.norm(z, 1))(np.array([[1.0, -1.0], [1.0, 1.0]])),
        [[0.5, -0.5], [0.5, 0.5]],
    )


def test_distance_is_safe_in_a_batch_with_a_zero():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    g = qd.grad(lambda z: np.sum(L.norm(z, axis=-1)))(x)
    np.testing.assert_array_equal(g, [[0.6, 0.8], [0.0, 0.0]])


# Precision and eager use


def test_float32_throughout():
    a = definite(3, 3).astype(np.float32)
    for f in (L.inv, L.det, L.cholesky, L.eigvalsh, L.svdvals, L.pinv, L.norm, L.cond):
        y, pull = qd.vjp(f, a)
        assert y.dtype == np.float32
        assert pull(np.ones_like(y))[0].dtype == np.float32
    for f in (L.eigh, L.svd, L.qr, L.slogdet):
        y, pull = qd.vjp(lambda z, f=f: f(z)[0] ** 2 if f is not L.slogdet else f(z)[1], a)
        assert pull(np.ones_like(y))[0].dtype == np.float32


def test_tensors_and_their_gradients_twice():
    t = qd.tensor(definite(3, 3), requires_grad=True)
    w, v = L.eigh(t)
    u, s, vh = L.svd(t)
    loss = np.sum(w * s) + np.sum(np.abs(v)) + np.sum((u * s) @ vh)
    (g,) = qd.grad(loss, [t], create_graph=True)
    (h,) = qd.grad(np.sum(g * g), [t])
    f = lambda z: np.sum(L.eigh(z)[0] * L.svd(z)[1]) + np.sum(np.abs(L.eigh(z)[1])) + np.sum(z)
    x = t.detach().numpy()
    np.testing.assert_allclose(g.detach().numpy(), qd.grad(f)(x), atol=1e-10)
    want = qd.grad(lambda z: np.sum(qd.grad(f)(z) ** 2))(x)
    np.testing.assert_allclose(h.numpy(), want, atol=1e-8)


def test_named_results():
    t = qd.tensor(definite(3, 3), requires_grad=True)
    assert L.eigh(t)._fields == ("eigenvalues", "eigenvectors")
    assert L.svd(t)._fields == ("U", "S", "Vh")
    assert L.qr(t).Q.shape == (3, 3)
    assert L.slogdet(t).logabsdet.shape == ()


def test_eigenvectors_of_a_complex_matrix_with_real_eigenvalues_stay_complex():
    a = np.array([[2.0, 1j], [-1j, 2.0]])
    w, v = L.eig(qd.tensor(a))
    assert w.dtype == v.dtype == L.eigvals(qd.tensor(a)).dtype == np.complex128
    np.testing.assert_allclose(a @ v.numpy(), v.numpy() * w.numpy(), atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_gradient_of_a_determinant_of_what_is_not_finite():
    """It is NaN, and those of the other matrices of the batch are not."""
    a = np.stack([np.eye(2), np.eye(2), np.zeros((2, 2))])
    a[1, 0, 0] = np.nan
    g = qd.grad(lambda a: np.sum(np.linalg.det(a)))(a)
    assert np.isnan(g[1]).any()
    close(g[[0, 2]], [np.eye(2), np.zeros((2, 2))])
    h = qd.grad(lambda a: np.sum(np.cos(qd.grad(lambda a: np.sum(np.linalg.det(a)))(a))))(a)
    assert np.isnan(h[1]).any()
    assert np.isfinite(h[[0, 2]]).all()
