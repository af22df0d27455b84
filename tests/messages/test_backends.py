"""The whole text of what arrays of other libraries raise."""

import sys

import array_api_strict as strict
import dask.array as da
import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.backends import libraries
from qiudao.core.errors import DetachError, DtypeError, RuleError, ShapeError

S = strict.asarray([1.0, 2.0, 3.0])
T = qd.tensor(S, requires_grad=True)
LAZY = qd.tensor(da.arange(4.0, chunks=2), requires_grad=True)
ORDER = np.argsort(qd.tensor(S))  # an array of the library, which is an index
INSTEAD = "write it with functions of the array standard, or convert to NumPy first"

RAISED = [
    (
        lambda: T.numpy(),
        DetachError,
        "numpy(): this f64[3] carries a gradient, which the conversion would cut in silence; "
        "write x.detach().numpy()",
    ),
    (
        lambda: T.array(),
        DetachError,
        "array(): this f64[3] carries a gradient, which the conversion would cut in silence; "
        "write x.detach().array()",
    ),
    (
        lambda: T.detach().numpy(),
        DetachError,
        "numpy(): this f64[3] is an array of array_api_strict, which is never converted to NumPy "
        "in silence; take the library's own array, x.detach().array(), and convert that (for "
        "dask: .compute())",
    ),
    (
        lambda: np.asarray(LAZY.detach()),
        DetachError,
        "np.asarray: this f64[4] is an array of dask.array, which is never converted to NumPy "
        "in silence; take the library's own array, x.detach().array(), and convert that (for "
        "dask: .compute())",
    ),
    (
        lambda: T * LAZY[:3],
        RuleError,
        "multiply: the operands are arrays of array_api_strict and dask.array; convert them to "
        "one library first (from_dlpack)",
    ),
    (
        lambda: qd.jit(np.sin)(S),
        DtypeError,
        "jit: an argument is a array_api_strict._array_object Array, and machine code works on "
        "the memory of NumPy's arrays only; call the function without jit, or pass a NumPy array",
    ),
    (
        lambda: qd.jit(np.sin)(T),
        DtypeError,
        "jit: an argument is an array of array_api_strict, and machine code works on the memory "
        "of NumPy's arrays only; call it without jit, or pass a NumPy array",
    ),
    (
        lambda: qd.tensor(da.from_array(np.ones(3))[da.from_array(np.ones(3)) > 0]),
        ShapeError,
        "dask.array: an array of unknown shape (nan,) cannot be recorded, for rules read shapes; "
        "compute its chunk sizes first (x.compute_chunk_sizes())",
    ),
    (
        lambda: qd.tensor(S).astype(np.float16),
        DtypeError,
        "array_api_strict: the array standard has no dtype float16; convert to one of bool, int8, "
        "int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, complex64, "
        "complex128",
    ),
    (
        lambda: T.detach().item(),
        ValueError,
        "item: an array of shape (3,) is more than one number; index it first",
    ),
    (
        lambda: T[T > 1.0],
        DetachError,
        "np.asarray: this bool[3] is an array of array_api_strict, which is never converted to "
        "NumPy in silence; take the library's own array, x.detach().array(), and convert that "
        "(for dask: .compute())",
    ),
    (
        lambda: np.partition(T, 1),
        RuleError,
        f"numpy.partition: array_api_strict has no such function for our rule to call; {INSTEAD}",
    ),
    (
        lambda: np.maximum.accumulate(T),
        RuleError,
        "maximum.accumulate: array_api_strict has no such function for our rule to call; "
        f"{INSTEAD}",
    ),
    (
        lambda: np.sum(
            np.sort(qd.tensor(strict.asarray([1.0, 1.0]), requires_grad=True))
        ).backward(),
        RuleError,
        "sort: array_api_strict has no such function for our rule to call (the derivative among "
        f"equal elements); {INSTEAD}",
    ),
    (
        lambda: np.sum(T[ORDER]).backward(),
        RuleError,
        "scatter: array_api_strict has no such function for our rule to call (to add at an index "
        f"that is itself one of its arrays); {INSTEAD}",
    ),
    (
        lambda: (T * 1.0).__setitem__(ORDER, 1.0),
        RuleError,
        "setitem: array_api_strict has no such function for our rule to call (an index that is "
        f"itself one of its arrays); {INSTEAD}",
    ),
    (
        lambda: np.round(T, 2),
        RuleError,
        "round: array_api_strict has no such function for our rule to call (to decimals=2); "
        f"{INSTEAD}",
    ),
    (
        lambda: np.linalg.eig(qd.tensor(strict.eye(2))),
        RuleError,
        f"numpy.linalg.eig: array_api_strict has no such function for our rule to call; {INSTEAD}",
    ),
    (
        lambda: np.linalg.cholesky(qd.tensor(da.eye(2, chunks=2) * (1 + 0j))),
        RuleError,
        "linalg.cholesky: dask.array has no such function for our rule to call (of complex "
        f"matrices: it forgets to conjugate); {INSTEAD}",
    ),
    (
        lambda: np.fft.fft(LAZY),
        RuleError,
        "fft: dask.array refuses (Dask array only supports taking an FFT along an axis that \n"
        "has a single chunk. An FFT operation was tried on axis -1 \nwhich has chunks (2, 2). "
        f"To change the array's chunks use dask.Array.rechunk.); {INSTEAD}",
    ),
    (
        lambda: T[np.array([5])],
        IndexError,
        "getitem: an index is out of bounds for an axis of 3 elements",
    ),
    (
        lambda: T[5],
        IndexError,
        "getitem: index 5 is out of bounds for an axis of 3 elements",
    ),
]


@pytest.mark.parametrize("act, kind, text", RAISED, ids=[r[2].partition(":")[0] for r in RAISED])
def test_message(act, kind, text):
    assert raised(act) == (kind, text)


def test_array_api_compat_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    libraries.compat.cache_clear()
    assert raised(lambda: qd.tensor(S)) == (
        ImportError,
        "backends: arrays of other libraries need array-api-compat; "
        "pip install 'qiudao[standard]', or convert to NumPy first",
    )


class Odd:
    """An array of a dtype that no rule knows."""

    dtype = "float8"


def test_a_dtype_that_no_rule_knows():
    assert raised(lambda: libraries.library_of(S).dtype_of(Odd)) == (
        DtypeError,
        "array_api_strict: an array of dtype float8 is none that rules know; convert it to one of "
        "bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, "
        "complex64, complex128",
    )
