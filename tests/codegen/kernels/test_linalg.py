"""Linear algebra in machine code against NumPy's."""

import numpy as np
import pytest

from codegen.harness import Compiled
from qiudao.codegen.kernels import kernel_for
from qiudao.core.avals import Aval
from qiudao.ops.linalg.determinants import Cofactor, Det, SlogDet
from qiudao.ops.linalg.factorising import QR, Cholesky
from qiudao.ops.linalg.selfadjoint import Eigh, EigValsh
from qiudao.ops.linalg.singular import SVD, SingularValues
from qiudao.ops.linalg.solving import Inverse, Solve

RNG = np.random.default_rng(1)
DTYPES = ["f8", "f4", "c16", "c8"]


def draw(shape, dtype):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return np.asarray(x, dtype)


def definite(shape, dtype):
    x = draw(shape, dtype)
    return x @ np.conj(x.mT) + np.eye(shape[-1], dtype=dtype)


def signless(primitive, results):
    """Without the signs of vectors, which follow the rounding: another build of LAPACK, others."""
    match primitive, results:
        case SVD(full=False), (u, s, vh):
            return s, (u * s[..., None, :]) @ vh
        case SVD(full=True), (u, s, vh):
            return s, np.abs(u[..., : s.shape[-1]]), np.abs(vh[..., : s.shape[-1], :])
        case Eigh(), (w, v):
            return w, (v * w[..., None, :]) @ np.conj(v.mT)
    return results


def hold(jobs):
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in jobs]
    made.build()
    for number, (primitive, xs) in zip(numbers, jobs, strict=True):
        found = made.run(number)
        wanted = primitive.evaluate(*xs)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        assert len(found) == len(wanted)
        if found[0].dtype.char in "fF":
            found, wanted = (signless(primitive, xs) for xs in (found, wanted))
        for got, want in zip(found, wanted, strict=True):
            assert got.dtype == want.dtype
            rtol = 1e-4 if want.dtype.char in "fF" else 1e-12
            scale = max(1.0, np.max(np.abs(want), initial=0.0))
            where = f"{primitive} {[x.shape for x in xs]}"
            np.testing.assert_allclose(got, want, rtol=0, atol=10 * rtol * scale, err_msg=where)


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_square_matrices(dtype):
    jobs = []
    shapes = [(3, 3), (5, 4, 4), (2, 3, 20, 20)]
    if dtype == "f8":
        shapes += [(1, 1), (2, 2), (5, 5), (0, 0), (0, 3, 3)]
    for shape in shapes:
        a = draw(shape, dtype) + 3 * np.eye(shape[-1], dtype=dtype)
        d = definite(shape, dtype)
        jobs += [
            (Inverse(), [a]), (Det(), [a]), (SlogDet(), [a.mT]), (Cholesky(), [d]), (Eigh(), [d]),
            (EigValsh(), [d]), (Inverse(fill=True), [a.mT]),
        ]  # fmt: skip
        if shape[-1] in (1, 2, 3, 4):
            jobs += [(Cofactor(), [a])]
    jobs += [(Eigh("U"), [definite((6, 6), dtype)]), (Cholesky(), [draw((3, 3), dtype) * 0.1
              + 2 * np.eye(3, dtype=dtype)])]  # fmt: skip
    hold(jobs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_solutions(dtype):
    shapes = [
        ((3, 3), (3, 2)), ((2, 2, 2), (2, 1)), ((2, 2), (3, 2, 1)), ((4, 4), (4, 9)),
        ((7, 7), (7, 1)), ((3, 1, 9, 9), (2, 9, 4)), ((0, 0), (0, 2)), ((3, 3), (3, 0)),
    ]  # fmt: skip
    jobs = []
    for m, n in shapes:
        a, b = draw(m, dtype) + 3 * np.eye(m[-1], dtype=dtype), draw(n, dtype)
        jobs += [(Solve(), [a, b])]
        if dtype == "f8":
            jobs += [(Solve(), [a.mT, b])]
    hold(jobs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_any_matrices(dtype):
    jobs = []
    for shape in ((3, 3), (3, 2), (2, 3), (4, 20, 12), (12, 20), (1, 1), (0, 3), (3, 0)):
        a = draw(shape, dtype)
        jobs += [(QR(), [a]), (SVD(), [a]), (SingularValues(), [a])]
        if a.size:
            jobs += [(SVD(True), [a])]
    hold(jobs)


def test_integers_become_doubles():
    a = RNG.integers(-5, 6, (3, 3)) + 9 * np.eye(3, dtype=int)
    big = RNG.integers(-5, 6, (6, 6)) + 9 * np.eye(6, dtype=int)
    hold(
        [(p, [x]) for x in (a, big) for p in (Inverse(), Det(), SlogDet(), QR(), EigValsh(), SVD())]
        + [(Solve(), [a, np.arange(6).reshape(3, 2)])]
    )


@pytest.mark.parametrize("n", [3, 6])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_failures_are_those_of_numpy(n, dtype):
    ok, singular = np.eye(n, dtype=dtype), np.zeros((n, n), dtype)
    singular[0, 0] = 1
    stack = np.stack([ok, singular])
    jobs = [
        (Inverse(), [stack]), (Solve(), [stack, ok]), (Cholesky(), [np.stack([ok, -ok])]),
        (SVD(), [ok * np.nan]), (Eigh(), [ok * np.nan]),
    ]  # fmt: skip
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in jobs]
    made.build()
    for number, (primitive, xs) in zip(numbers, jobs, strict=True):
        with pytest.raises(np.linalg.LinAlgError) as wanted:
            primitive.evaluate(*xs)
        with pytest.raises(np.linalg.LinAlgError) as found:
            made.run(number)
        assert str(found.value) == str(wanted.value)


@pytest.mark.parametrize("n", [3, 6])
def test_not_a_number_is_no_failure_of_elimination(n):
    a = np.full((n, n), np.nan)
    made = Compiled()
    numbers = [made.add(primitive, a) for primitive in (Inverse(), Cholesky(), Det())]
    made.build()
    inverse, factor, determinant = (made.run(number)[0] for number in numbers)
    assert np.isnan(inverse).all()
    assert np.isnan(np.diagonal(factor)).all()
    assert np.isnan(determinant)


@pytest.mark.parametrize("n", [3, 6])
def test_singular_matrices_have_determinants(n):
    a = np.outer(np.arange(1.0, n + 1), np.ones(n))
    hold(
        [
            (Cofactor(), [a[:3, :3]]),
            (Det(), [a]),
            (Inverse(fill=True), [np.stack([np.eye(n), np.zeros((n, n))])]),
        ]
    )
    made = Compiled()
    number = made.add(SlogDet(), np.zeros((n, n)))
    assert [x.item() for x in made.build().run(number)] == [0.0, -np.inf]


def test_what_has_no_native_form():
    a = Aval((3, 3), np.dtype("f8"))
    assert kernel_for(Inverse("refused"), [a], [a]) is None
    half = Aval((3, 3), np.dtype("f2"))
    assert kernel_for(Det(), [half], [half]) is None
