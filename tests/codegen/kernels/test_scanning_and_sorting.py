"""Scans, sorting, searching and convolving: dtypes, NaN, ties, long and empty lanes."""

import numpy as np
import pytest

from codegen.harness import Compiled
from qiudao.codegen.kernels import kernel_for
from qiudao.core.avals import aval_of
from qiudao.ops.convolving import Convolve
from qiudao.ops.scanning import (
    CumLogSumExp,
    CumMax,
    CumMin,
    CumProd,
    CumSum,
    CumTruth,
    Recurrence,
    SumBetween,
)
from qiudao.ops.sorting import ArgSort, Level, Runs, SearchSorted, Sort

RNG = np.random.default_rng(3)
NAN = np.array([3.0, np.nan, -1.0, np.inf, -np.inf, np.nan, 2.0, -1.0])
INTS = RNG.integers(-3, 4, (4, 50))


def hold(jobs, rtol=0.0):
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in jobs]
    made.build()
    for number, (primitive, xs) in zip(numbers, jobs, strict=True):
        (got,) = made.run(number)
        with np.errstate(all="ignore"):
            want = np.asarray(primitive.evaluate(*xs))
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol, err_msg=str(primitive))


def test_scans_are_exact():
    hold(
        [
            (p, [x])
            for x in (INTS, INTS.astype("u1"), INTS > 0, NAN, INTS[:, :0], INTS[:0] * 0.5)
            for p in (CumSum(), CumSum(reverse=True), CumProd(), CumMax(), CumMin())
        ]
        + [(p, [INTS * 0.7]) for p in (CumSum(-2), CumProd(-2), CumMax(-2), CumMin(-2))]
        + [(CumTruth(f), [INTS > 0]) for f in ("logical_and", "logical_or", "logical_xor")]
    )


def test_scans_with_rounding():
    ends = np.array([-np.inf, -np.inf, 3.0, 3.0, -5.0, np.inf, np.inf, 1.0])
    jobs = [
        (CumLogSumExp(), [ends]), (CumLogSumExp(), [NAN[2:]]), (CumLogSumExp(-2), [INTS * 1.0]),
        (Recurrence(), [INTS * 0.1, INTS * 1.0]), (Recurrence(-2, True), [INTS * 0.1, INTS * 1j]),
        (SumBetween((0, 20, 10, 49)), [INTS * 0.1]), (SumBetween((1, 0), -2), [INTS]),
    ]  # fmt: skip
    hold(jobs, 1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 17, 100])
def test_sorting(n):
    x = RNG.integers(0, 20, (2, n)) * 0.5
    nans = np.where(x > 8, np.nan, x)
    forms = (x, nans, x.astype("f4"), x.astype(int), x.astype("u1") - 5, x > 4)
    jobs = [(Sort(), [y]) for y in forms] + [(ArgSort(kind="stable"), [y]) for y in forms]
    if n:
        tall = np.ascontiguousarray(x.T)
        jobs += [(Sort(-2), [tall]), (ArgSort(-2, "stable"), [tall])]
    hold(jobs)


def test_searching_and_runs():
    lane = np.sort(RNG.integers(0, 9, 20)) * 1.0
    sought = np.array([-1.0, 0, 3, 3.5, 8, 9, np.nan, np.inf])
    lanes = np.sort(RNG.integers(0, 9, (2, 7)), -1)
    jobs = []
    for side in ("left", "right"):
        jobs += [
            (SearchSorted(side), [lane, sought]),
            (SearchSorted(side), [np.append(lane, [np.nan, np.nan]), sought]),
            (SearchSorted(side), [lanes, np.tile(np.arange(-1, 10), (2, 1))]),
            (SearchSorted(side), [lane[:0], sought]),
            (SearchSorted(side), [lane.astype(int), sought.reshape(2, 4)]),
        ]
    jobs += [(Runs(), [np.sort(INTS)]), (Runs(), [NAN]), (Runs(), [INTS[:, :0]])]
    hold(jobs)
    labels = np.sort(INTS)
    hold([(Level(), [INTS * 0.3, labels]), (Level(), [INTS * 0.3j, labels])], 1e-12)


def test_convolutions():
    a, b = RNG.standard_normal(30), RNG.standard_normal(7)
    jobs = [
        (Convolve((0,), (36,)), [a, b]), (Convolve((3,), (30,)), [b, a]),
        (Convolve((-3,), (50,)), [a, b * 1j]), (Convolve((0,), (36,)), [INTS[0, :30], INTS[1, :7]]),
        (Convolve((1, 0), (5, 6)), [a.reshape(5, 6), b[:4].reshape(2, 2)]),
        (Convolve((0,), (0,)), [a, b]), (Convolve((90,), (3,)), [a, b]),
    ]  # fmt: skip
    hold(jobs, 1e-12)


def test_what_numpy_does_sooner_or_alone():
    long, plane = np.zeros(5000), np.zeros(3, complex)
    for primitive, x in ((Sort(), long), (Sort(), plane), (CumMax(), plane)):
        assert kernel_for(primitive, [aval_of(x)], [aval_of(x)]) is None
