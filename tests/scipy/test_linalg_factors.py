"""Factors of matrices of every shape: SciPy's values, and derivatives or the reason why not."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from directions import agrees, differentiates, parts
from qiudao.core.errors import NotDifferentiableError

theirs = pytest.importorskip("scipy.linalg")
linalg = qd.scipy.linalg
SHAPES = {"square": (3, 3), "tall": (4, 2), "wide": (2, 4)}


def normal(*shape, kind="f", seed=0):
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "c" else x


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def projector(q):
    return q @ adjoint(q)


def squares(result):
    return tuple(np.abs(x) ** 2 for x in result)


FACTORS = {
    "lu": lambda m, a: m.lu(a),
    "lu, order": lambda m, a: m.lu(a, p_indices=True),
    "lu, permuted": lambda m, a: m.lu(a, permute_l=True),
    "lu_factor": lambda m, a: m.lu_factor(a),
    "qr": lambda m, a: m.qr(a),
    "qr, economic": lambda m, a: m.qr(a, mode="economic"),
    "qr, r": lambda m, a: m.qr(a, mode="r"),
    "qr, raw": lambda m, a: m.qr(a, mode="raw"),
    "qr, pivoting": lambda m, a: m.qr(a, pivoting=True),
    "qr, pivoting, economic": lambda m, a: m.qr(a, mode="economic", pivoting=True),
    "polar": lambda m, a: m.polar(a),
    "polar, left": lambda m, a: m.polar(a, side="left"),
}


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FACTORS)
def test_factors(name, shape, kind):
    f, a = FACTORS[name], normal(*SHAPES[shape], kind=kind)
    agrees(lambda a: f(linalg, a), f(theirs, a), a)
    assert type(f(linalg, a)) is type(f(theirs, a))


SQUARE = {
    "hessenberg": lambda m, a: m.hessenberg(a),
    "hessenberg with q": lambda m, a: m.hessenberg(a, calc_q=True),
    "schur, complex": lambda m, a: squares(m.schur(a, output="complex")),
    "schur, sorted": lambda m, a: squares(m.schur(a, output="complex", sort="lhp")[:2]),
}


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("name", SQUARE)
def test_factors_of_squares(name, kind):
    f, a = SQUARE[name], normal(4, 4, kind=kind)
    agrees(lambda a: f(linalg, a), f(theirs, a), a)


STEADY = [0, 1, 2, 4]  # near these LAPACK's choice of signs and order does not change


@pytest.mark.parametrize("seed", STEADY)
def test_real_schur_forms(seed):
    """With pairs of complex eigenvalues in different places, and without."""
    a = normal(5, 5, seed=seed)
    agrees(linalg.schur, theirs.schur(a), a, tolerance=1e-5)


def test_the_places_of_pairs_differ():
    pairs = {tuple(np.diagonal(theirs.schur(normal(5, 5, seed=k))[0], -1) != 0) for k in STEADY}
    assert len(pairs) > 1


def test_schur_in_batches_and_compiled():
    many = normal(2, 3, 3)
    triangles = lambda a: linalg.schur(a)[0]
    slopes = qd.jacobian(triangles)
    close(qd.vmap(slopes)(many)[1], slopes(many[1]), rtol=1e-9, atol=1e-9)
    close(qd.jit(slopes)(many[0]), slopes(many[0]), rtol=1e-9, atol=1e-9)
    along = qd.linearize(triangles, many[0])[1](many[1])
    close(along, qd.jvp(triangles, (many[0],), (many[1],))[1], rtol=1e-9, atol=1e-9)
    close(qd.jvp(triangles, (many,), (many,))[1], triangles(many), rtol=1e-9, atol=1e-9)


def test_schur_says_how_many_were_asked_first():
    a = qd.tensor(normal(4, 4), requires_grad=True)
    assert linalg.schur(a, sort="rhp")[2] == theirs.schur(normal(4, 4), sort="rhp")[2]


def with_eigenvalues(*w):
    v = normal(len(w), len(w)) + 2 * np.eye(len(w))
    return v @ np.diag(w) @ np.linalg.inv(v)


def test_schur_where_eigenvalues_coincide():
    a, c, d = with_eigenvalues(1.0, 1.0, 1.0, 3.0), normal(4, 4, seed=3), normal(4, 4, seed=5)
    trace = lambda a: np.trace(linalg.schur(a)[0])
    close(qd.grad(trace)(a), np.eye(4), atol=1e-9)
    with pytest.raises(NotDifferentiableError, match=APART):
        qd.vjp(qd.grad(trace), a)[1](d)

    def onto_the_threefold(a):
        _, Z, count = linalg.schur(a, sort=lambda re, im: re < 2)
        return np.sum(c * projector(Z[:, : int(count)]))

    h = 1e-5
    central = (onto_the_threefold(a + h * d) - onto_the_threefold(a - h * d)) / (2 * h)
    assert np.isclose(np.sum(qd.grad(onto_the_threefold)(a) * d), central, rtol=1e-7)


APART = r"schur: .* how the Schur form takes it apart"
REFUSED = {
    "triangle": lambda a: linalg.schur(a)[0][0, 3],
    "matrix": lambda a: np.sum(normal(*a.shape) * back(*linalg.schur(a))),
    "square": lambda a: np.sum(normal(*a.shape) * back(*linalg.schur(a)) ** 2),
    "vector": lambda a: np.sum(linalg.schur(a)[1][:, 1] ** 3),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("w", [(1.0, 1.0, 1.0, 3.0), (1.0, 3.0, 1.0, 2.0)], ids=str)
def test_what_schur_takes_apart_is_refused_and_never_wrong(name, w):
    with pytest.raises(NotDifferentiableError, match=f"{APART}|eig: .* uses it together"):
        qd.grad(REFUSED[name])(with_eigenvalues(*w))


def test_a_form_that_a_direction_splits():
    with pytest.raises(NotDifferentiableError, match="schur: the value 1 occurs 2 times"):
        qd.jvp(linalg.schur, (np.eye(2),), (normal(2, 2),))
    jordan = np.array([[1.0, 1.0], [0.0, 1.0]])
    for f in (lambda a: np.sum(linalg.schur(a)[0] ** 2), lambda a: linalg.schur(a)[0][0, 0] ** 2):
        with pytest.raises(NotDifferentiableError, match=APART):
            qd.grad(f)(jordan)
    symmetric = lambda a: np.sum(np.diagonal(linalg.schur(a)[0]) ** 2)
    close(qd.grad(symmetric)(2 * np.eye(3)), 4 * np.eye(3))
    with pytest.raises(NotDifferentiableError, match=APART):
        qd.grad(symmetric)(jordan)
    with pytest.raises(NotDifferentiableError, match=APART):
        qd.hvp(symmetric, 2 * np.eye(3), normal(3, 3))


def back(T, Z):
    return Z @ T @ adjoint(Z)


def test_what_schur_leaves_free():
    z = normal(3, 3, kind="c")
    with pytest.raises(NotDifferentiableError, match=r"schur: .* phase of complex Schur vectors"):
        qd.grad(lambda z: np.real(linalg.schur(z)[1][0, 0]))(z)
    turn = np.array([[1.0, -2.0], [2.0, 1.0]])
    with pytest.raises(NotDifferentiableError, match=r"schur: a pair of .* a block \[\[a, b\]"):
        qd.jacobian(lambda a: linalg.schur(a)[1])(turn)
    pair = lambda a: np.sum(np.sin(np.real(linalg.schur(a, "complex")[0].diagonal())))
    differentiates(pair, turn)


@pytest.mark.parametrize("trans", [0, 1, 2])
@pytest.mark.parametrize("columns", [(), (2,)])
def test_solutions_from_factors(trans, columns):
    a, b = normal(3, 3, kind="c"), normal(3, *columns)
    f = lambda m, a, b: m.lu_solve(m.lu_factor(a), b, trans=trans)
    agrees(lambda a, b: f(linalg, a, b), f(theirs, a, b), a, b)


def test_factors_in_batches():
    many, b = normal(2, 3, 3), normal(3)
    solve = lambda a: linalg.lu_solve(linalg.lu_factor(a), b)
    close(qd.vmap(solve)(many), np.linalg.solve(many, np.stack([b, b])[..., None])[..., 0])
    agrees(linalg.lu, theirs.lu(many), many)
    close(qd.jit(qd.jacobian(solve))(many[0]), qd.jacobian(solve)(many[0]), rtol=1e-10)
    product = qd.vmap(lambda a: linalg.lu(a)[0] @ linalg.lu(a)[1] @ linalg.lu(a)[2])
    close(product(many), many)


def test_a_last_pivot_of_zero_does_no_harm():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    with pytest.warns(theirs.LinAlgWarning):  # SciPy's own
        found = qd.grad(lambda a: linalg.lu(a)[2][1, 1])(a)
    close(found, [[-2.0, 1.0], [1.0, -0.5]])
    with (
        pytest.warns(theirs.LinAlgWarning),
        pytest.raises(NotDifferentiableError, match="lu: the matrix, or its part"),
    ):
        qd.grad(lambda a: linalg.lu(a)[2][2, 2])(np.ones((3, 3)))


@pytest.mark.parametrize("kind", ["f", "c"])
def test_polar_factors_where_singular_values_coincide(kind):
    q = np.linalg.qr(normal(3, 3, kind=kind))[0]
    f = lambda m, a: m.polar(a)
    agrees(lambda a: f(linalg, a), f(theirs, 2 * q), 2 * q)
    low = normal(3, 2) @ normal(2, 3)
    with pytest.raises(NotDifferentiableError, match="polar: the matrix has linearly dependent"):
        qd.grad(lambda a: np.sum(linalg.polar(a)[1]))(low)
    with pytest.raises(NotDifferentiableError, match="polar: the matrix has linearly dependent"):
        qd.jvp(lambda a: linalg.polar(a)[0], (low,), (low,))


@pytest.mark.parametrize("kind", ["f", "c"])
def test_null_spaces_and_ranges(kind):
    wide, tall = normal(2, 4, kind=kind), normal(4, 2, kind=kind)
    f = lambda m, a: projector(m.null_space(a))
    agrees(lambda a: f(linalg, a), f(theirs, wide), wide)
    agrees(lambda a, b: f(linalg, a @ b), f(theirs, tall @ wide), tall, wide)  # of rank 2
    g = lambda m, a: projector(m.orth(a))
    agrees(lambda a: g(linalg, a), g(theirs, tall), tall)


def test_a_basis_that_the_matrix_determines():
    tall = normal(4, 2)
    agrees(linalg.orth, theirs.orth(tall), tall)
    with pytest.raises(
        NotDifferentiableError, match="null_space: the result depends on the choice"
    ):
        qd.jacrev(linalg.null_space)(normal(2, 4))
    with pytest.raises(NotDifferentiableError, match="null_space: the direction changes the rank"):
        qd.jvp(linalg.null_space, (normal(3, 1) @ normal(1, 3),), (normal(3, 3),))
    with pytest.raises(NotDifferentiableError, match="basis of its singular vectors"):
        qd.jacrev(linalg.orth)(np.eye(4)[:, :2])


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("shape", SHAPES)
def test_full_singular_vectors(shape, kind):
    a = normal(*SHAPES[shape], kind=kind)

    def f(m, a):
        u, s, vh = m.svd(a)
        k = len(s)
        inner = u[:, :k] * s, s, projector(u[:, k:]), projector(adjoint(vh[k:]))
        return inner[0] @ vh[:k], *inner[1:]

    agrees(lambda a: f(linalg, a), f(theirs, a), a)


@pytest.mark.parametrize("name", [*FACTORS, *SQUARE])
def test_single_precision_stays(name):
    f, a = (FACTORS | SQUARE)[name], normal(3, 3).astype(np.float32)
    found, wanted = f(linalg, qd.tensor(a, requires_grad=True)), f(theirs, a)
    for one, other in zip(parts(found), parts(wanted), strict=True):
        assert one.dtype == other.dtype
