"""The whole text of the errors and warnings of `qd.jit`, of its cache, and of export to C."""

import ctypes
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.codegen import engine
from qiudao.codegen.cache import ObjectCache
from qiudao.codegen.export import Signature, export
from qiudao.codegen.pool import new_lock, pool
from qiudao.core.avals import Aval
from qiudao.core.errors import DtypeError, GradientError, RuleError, ShapeError, TraceError

X = np.ones(3)
NUMBER = Aval((), np.dtype(np.float64))
TEXT = """
define void @program(ptr %args, ptr %arena) {
  ret void
}
"""


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def exported(folder, name="f", path="f.o", inputs=("x",), outputs=("y",), libraries=()):
    """Export one function of numbers."""
    signature = Signature("program", dict.fromkeys(inputs, NUMBER), dict.fromkeys(outputs, NUMBER))
    return export(TEXT, dict.fromkeys(libraries, 1), {name: signature}, folder / path)


MESSAGES = {
    # calls
    "an argument that is no key": (
        lambda folder: qd.jit(lambda x, seen: x)(X, {1}),
        DtypeError,
        "jit: an argument of type set is neither data nor hashable, so no program can be looked up "
        "for it; pass arrays, numbers or hashable values",
    ),
    "an array class with ways of its own": (
        lambda folder: qd.jit(np.sin)(np.ma.masked_array(X)),
        DtypeError,
        "jit: a MaskedArray does things its own way, which compiled code does not know; pass "
        "np.asarray(x)",
    ),
    "an integer beside integers too narrow for it": (
        lambda folder: qd.jit(lambda x: x + 300)(np.ones(3, np.uint8)),
        OverflowError,
        "add: the Python integer 300 is out of bounds for uint8, at file.py:N (`lambda folder: "
        "qd.jit(lambda x: x + 300)(np.ones(3, np.uint8)),`); convert the array to a wider dtype, "
        "x.astype(int)",
    ),
    "an array of the other byte order to be read later": (
        lambda folder: qd.jit(np.sin).bind(np.ones(3, ">f8"), out=np.zeros(3)),
        DtypeError,
        "bind: an argument is of dtype >f8, in the other byte order, and its memory is to be read "
        "at each call; pass x.astype(x.dtype.newbyteorder('='))",
    ),
    "a static name that is no parameter": (
        lambda folder: qd.jit(lambda x: x, static_argnames=["n"]),
        GradientError,
        "jit: static_argnames names 'n', which is no parameter; there are x",
    ),
    "a donated name that is no parameter": (
        lambda folder: qd.jit(lambda x: x, donate="y"),
        GradientError,
        "jit: donate names 'y', which is no parameter; there are x",
    ),
    "a donated position where no parameter is": (
        lambda folder: qd.jit(lambda x, y: x, donate=(0, 2)),
        GradientError,
        "jit: donate has position 2, where no parameter is; there are x, y",
    ),
    "an argument that is static and donated": (
        lambda folder: qd.jit(lambda x: x, static_argnames="x", donate=0),
        GradientError,
        "jit: 'x' is static and donated; donate arrays, which have memory to give",
    ),
    # threads
    "no threads": (
        lambda folder: qd.set_num_threads(0),
        ValueError,
        "set_num_threads: 0 is no number of threads; pass an integer from 1 to 256",
    ),
    "half a thread": (
        lambda folder: qd.set_num_threads(1.5),
        ValueError,
        "set_num_threads: 1.5 is no number of threads; pass an integer from 1 to 256",
    ),
    # export
    "a path of no kind": (
        lambda folder: exported(folder, path="f.txt"),
        ValueError,
        "export: 'f.txt' names no kind of file; end it in .dll, .dylib, .o, .obj, .so",
    ),
    "functions of this process": (
        lambda folder: exported(folder, libraries=("dgetrf", "cblas_dgemm")),
        RuleError,
        "export: the program calls functions that a C program does not have: cblas_dgemm, dgetrf; "
        "leave out the operations that need them",
    ),
    "no name in C": (
        lambda folder: exported(folder, inputs=("2x",)),
        ValueError,
        "export: '2x' is no name in C; use letters, digits and _",
    ),
    "a name that the program has": (
        lambda folder: exported(folder, name="program"),
        ValueError,
        "export: 'program' is the name of a function that the program itself has or calls; choose "
        "another",
    ),
    "an input and an output of one name": (
        lambda folder: exported(folder, inputs=("x", "y")),
        ValueError,
        "export: f has inputs and outputs of one name, y; rename one of each",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name, folder):
    act, error, text = MESSAGES[name]
    kind, found = raised(lambda: act(folder))
    assert issubclass(kind, error)
    assert found == text


def test_a_place_for_a_result_of_another_shape():
    pytest.importorskip("llvmlite")
    kind, found = raised(lambda: qd.jit(np.sin).into(X, out=np.zeros(2)))
    assert kind is ShapeError
    assert found == (
        "jit: a result of type f64[3] cannot be put into f64[2]; give an array of the same dtype "
        "and shape"
    )


def test_an_environment_that_asks_for_no_number_of_threads(monkeypatch):
    monkeypatch.setenv("QIUDAO_NUM_THREADS", "0")
    monkeypatch.setattr(pool, "count", 0)
    kind, found = raised(qd.get_num_threads)
    assert kind is ValueError
    assert found == (
        "QIUDAO_NUM_THREADS: '0' is no number of threads; set it to 1 to 256, or leave it out"
    )


def test_no_memory_for_a_lock(monkeypatch):
    monkeypatch.setattr(ctypes.pythonapi, "PyThread_allocate_lock", lambda: None)
    assert raised(new_lock) == (MemoryError, "set_num_threads: no memory for a lock")


def positive(x):
    return x[x > 0]


def test_a_mask_that_is_not_known():
    kind, found = raised(lambda: qd.jit(positive)(X))
    assert kind is TraceError
    assert found == (
        "getitem: x[mask] at file.py:N (`return x[x > 0]`) has as many elements as the mask has "
        "True, and what shape a traced program's arrays have cannot depend on values; keep all "
        "elements and put 0 where the mask is False, np.where(mask, x, 0), or select before the "
        "traced function"
    )


def eigenvalues(a):
    return np.linalg.eigvals(a)


def test_an_export_of_what_numpy_computes(folder):
    pytest.importorskip("llvmlite")
    kind, found = raised(lambda: qd.jit(eigenvalues).export(folder / "f.o", np.eye(3)))
    assert kind is RuleError
    assert found == (
        "export: NumPy computes a part of the program (eigvals at file.py:N "
        "(`return np.linalg.eigvals(a)`): eigvals has no native form for f64[3, 3]), which C does "
        "not have; leave that out"
    )


def test_llvmlite_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.delitem(sys.modules, "llvmlite.binding", raising=False)
    kind, found = raised(engine.load_llvm)
    assert kind is ModuleNotFoundError
    assert found == (
        "jit: compiling needs llvmlite, which is not installed; install it by "
        "`pip install 'qiudao[jit]'`"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such mode")
def test_a_cache_that_others_may_write(folder):
    folder.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="other users") as caught:
        assert not ObjectCache(folder).enabled
    assert str(caught[0].message) == (
        f"jit_cache: other users may write to {folder}, so no machine code is kept there; name a "
        "folder of your own in QIUDAO_CACHE_DIR"
    )


def test_no_c_compiler(folder, monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    kind, found = raised(lambda: exported(folder, path="f.so"))
    assert kind is FileNotFoundError
    assert found == (
        "export: no C compiler was found to link f.so; install one, or export an object file, f.o"
    )


def test_a_c_compiler_that_fails(folder, monkeypatch):
    pytest.importorskip("llvmlite")
    false = shutil.which("false")
    if false is None:
        pytest.skip("no program that fails")
    monkeypatch.setenv("CC", false)
    kind, found = raised(lambda: exported(folder, path="f.so"))
    assert kind is RuntimeError
    assert found == f"export: {false} could not link f.so: ; name another compiler in CC"


def test_a_mode_that_there_is_not(monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", "quick")
    kind, found = raised(lambda: qd.jit(np.sin)(X))
    assert kind is ValueError
    assert found == ("QIUDAO_JIT: 'quick' is no mode; set it to 'checked' or leave it out")
