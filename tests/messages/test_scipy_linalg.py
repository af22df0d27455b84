"""The text of the errors of `qd.scipy.linalg` and `qd.scipy.sparse`."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import DtypeError, GradientError, NotDifferentiableError

pytest.importorskip("scipy")
import scipy.sparse

linalg, sparse = qd.scipy.linalg, qd.scipy.sparse
EYE = np.eye(2)
S = scipy.sparse.csr_array(np.diag([1.0, 2.0, 4.0]))
V = S.tocoo().data


def of(f):
    return lambda: qd.grad(lambda a: np.sum(np.real(f(a))))(EYE)


MESSAGES = [
    (
        "a mode of qr",
        of(lambda a: linalg.qr(a, mode="all")[0]),
        ValueError,
        "qr: mode='all'; choose 'full', 'economic', 'r' or 'raw'",
    ),
    (
        "pivots of a stack",
        of(lambda a: linalg.qr(np.stack([a, a]), pivoting=True)[0]),
        GradientError,
        "qr: derivatives with pivoting=True are known for one matrix; use qd.vmap for more",
    ),
    (
        "factors of a stack",
        of(lambda a: linalg.lu_solve((np.stack([a, a]), np.zeros((2, 2), int)), np.ones(2))),
        GradientError,
        "lu_solve: derivatives are known for the factors of one matrix; use qd.vmap for more",
    ),
    (
        "a side of polar",
        of(lambda a: linalg.polar(a, side="up")[0]),
        ValueError,
        "polar: side='up'; choose 'right' or 'left'",
    ),
    (
        "dependent rows",
        lambda: qd.grad(lambda a: np.sum(linalg.polar(a)[1]))(np.ones((2, 2))),
        NotDifferentiableError,
        "polar: the matrix has linearly dependent rows or columns, where the factors have no "
        "derivative, as |x| has none at 0; add a small multiple of the identity",
    ),
    (
        "the null space of a stack",
        of(lambda a: linalg.null_space(np.stack([a, a]))),
        GradientError,
        "null_space: derivatives are known for one matrix; use a Python loop over more",
    ),
    (
        "a basis",
        lambda: qd.grad(lambda a: linalg.null_space(a)[0, 0])(np.array([[1.0, 2.0, 3.0]])),
        NotDifferentiableError,
        "null_space: the result depends on the choice of the basis, which the matrix leaves free; "
        "use what does not, as the projector N @ N.conj().T",
    ),
    (
        "another rank",
        lambda: qd.jvp(linalg.null_space, (np.ones((2, 2)),), (EYE,)),
        NotDifferentiableError,
        "null_space: the direction changes the rank of the matrix, where the null space jumps; "
        "the derivative exists along directions that keep the rank",
    ),
    (
        "a form of schur",
        of(lambda a: linalg.schur(a, output="big")[0]),
        ValueError,
        "schur: output='big'; choose 'real' or 'complex'",
    ),
    (
        "eigenvalues that coincide",
        lambda: qd.jvp(linalg.schur, (EYE,), (np.ones((2, 2)),)),
        NotDifferentiableError,
        "schur: the value 1 occurs 2 times, and the result depends on how the Schur form takes it "
        "apart, which has no derivative there; use what does not: np.trace, np.linalg.eigvals, the "
        "projector onto all columns of that value, or a matrix function (funm, expm, sqrtm)",
    ),
    (
        "a phase",
        lambda: qd.grad(lambda z: np.real(linalg.schur(z)[1][0, 0]))(
            np.array([[1.0, 2.0], [3.0j, 4.0]])
        ),
        NotDifferentiableError,
        "schur: the result depends on the phase of complex Schur vectors, which the matrix leaves "
        "free; make it independent of the phase: take np.abs, or a product of a vector with its "
        "conjugate",
    ),
    (
        "a block that turns",
        lambda: qd.grad(lambda a: linalg.schur(a)[1][0, 0] + linalg.schur(a)[1][0, 1])(
            np.array([[1.0, -2.0], [2.0, 1.0]])
        ),
        NotDifferentiableError,
        "schur: a pair of complex eigenvalues has a block [[a, b], [-b, a]], whose vectors the "
        "matrix leaves free to turn, and the result depends on them; use output='complex', the "
        "projector onto both, or a function of the eigenvalues",
    ),
    (
        "a singular root",
        lambda: qd.grad(lambda a: np.sum(linalg.funm(a, np.sqrt)))(0 * EYE),
        NotDifferentiableError,
        "funm: the function is singular at an eigenvalue, or so near that its Taylor series does "
        "not converge, and has to be analytic there; shift the matrix away from it",
    ),
    (
        "an estimate",
        of(lambda a: linalg.funm(a, np.exp, disp=False)[0]),
        GradientError,
        "funm: the estimate of the error that disp=False asks for has no derivative; leave it "
        "out, or estimate it from the plain matrix",
    ),
    (
        "a function that carries one",
        lambda: qd.grad(lambda p: np.sum(linalg.funm(p * EYE, lambda w: w**p)))(2.0),
        GradientError,
        "funm: the function reads a value that carries a derivative, which is not known; take "
        "V f(w) V^-1 with w, V = np.linalg.eig(A)",
    ),
    (
        "left eigenvectors",
        of(lambda a: linalg.eig(a, left=True)[0]),
        GradientError,
        "eig: derivatives are known of the right eigenvectors of one matrix; for left ones take "
        "np.linalg.inv of the right ones, for two matrices eig(solve(b, a))",
    ),
    (
        "homogeneous eigenvalues",
        of(lambda a: linalg.eigvals(a, homogeneous_eigvals=True)),
        GradientError,
        "eigvals: homogeneous_eigvals has no derivative here; take the quotients, which eigvals "
        "gives without it",
    ),
    (
        "a matrix of right sides",
        lambda: qd.grad(lambda b: np.sum(sparse.linalg.cg(S, b)[0]))(np.ones((3, 1))),
        GradientError,
        "cg: derivatives are known for a vector b and a plain x0, on which the solution does not "
        "depend; reshape b, and cut x0 with qd.stop_gradient",
    ),
    (
        "too few iterations",
        lambda: qd.grad(lambda b: np.sum(sparse.linalg.cg(S, b, maxiter=1)[0] ** 2))(np.ones(3)),
        GradientError,
        "cg: the system of a derivative is not solved to the tolerance (info=1); raise maxiter=, "
        "give a preconditioner M=, or raise rtol=",
    ),
    (
        "a complex matrix",
        lambda: qd.grad(lambda v: sparse.linalg.eigsh(S, 1, data=v)[0][0])(V + 0j),
        DtypeError,
        "eigsh: derivatives are known for real matrices, and this one is complex; use "
        "np.linalg.eigh or np.linalg.svd of the dense matrix",
    ),
    (
        "another problem",
        lambda: qd.grad(lambda v: sparse.linalg.eigsh(S, 1, S, data=v)[0][0])(V),
        GradientError,
        "eigsh: derivatives with M= are not known; leave it out, and solve the standard problem",
    ),
    (
        "a matrix that moves",
        lambda: qd.grad(lambda a: np.sum(sparse.linalg.expm_multiply(a, np.ones(2))))(EYE),
        GradientError,
        "expm_multiply: derivatives are known in B, for one time; for those in the matrix use "
        "qd.scipy.linalg.expm, and multiply A for other times",
    ),
    (
        "elements of a sparse array",
        lambda: qd.grad(lambda x: (sparse.csr_array(EYE) * x).sum())(np.ones(2)),
        GradientError,
        "multiply: a sparse array cannot hold elements that carry a derivative; multiply "
        "S.toarray(), or hand over the values with data= to qd.scipy.sparse.matmul",
    ),
    (
        "SciPy's own",
        lambda: qd.grad(lambda x: (x @ scipy.sparse.csr_array(EYE)).sum())(np.ones(2)),
        DtypeError,
        "csr_array: a sparse matrix is no operand beside a tensor; use qd.scipy.sparse.matmul(S, "
        "x), make it a qd.scipy.sparse.csr_array, or take S.toarray()",
    ),
]


@pytest.mark.parametrize("act, kind, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, kind, text):
    assert raised(act) == (kind, text)


def test_a_value_that_is_not_simple():
    D = scipy.sparse.diags_array([1.0, 5.0, 5.0]).tocsc()
    f = lambda v: sparse.linalg.eigsh(D, 1, data=v, v0=np.ones(3))[0][0]
    assert raised(lambda: qd.grad(f)(D.tocoo().data)) == (
        NotDifferentiableError,
        "eigsh: the value 5 is not simple, or too close to another, and its vector is not "
        "determined; ask for fewer values, or use np.linalg.eigvalsh or np.linalg.svdvals of the "
        "dense matrix, whose symmetric functions are differentiated there",
    )


@pytest.mark.filterwarnings("ignore::Warning")
def test_singular_matrices():
    assert raised(of(lambda a: linalg.sqrtm(a * 0))) == (
        NotDifferentiableError,
        "sqrtm: the matrix is singular, and the function has no derivative at the eigenvalue 0; "
        "add a small multiple of the identity",
    )
    assert raised(of(lambda a: linalg.lu(a * 0)[2])) == (
        NotDifferentiableError,
        "lu: the matrix, or its part that is eliminated, is singular, where the factors have no "
        "derivative; add a small multiple of the identity, or use what does not need them",
    )
