import ctypes
import gc
import math
import pickle
import sys
import threading
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest

from qiudao.codegen import engine, entry, reserve
from qiudao.codegen.code import Code, Module, memory_type
from qiudao.core.avals import Aval

pytest.importorskip("llvmlite")

F64 = np.dtype(np.float64)


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QIUDAO_CACHE_DIR", str(tmp_path_factory.mktemp("cache") / "objects"))
        yield


def aval(*shape, dtype=F64, weak=None):
    return Aval(shape, np.dtype(dtype), weak)


def doubling(module, pairs, through_arena=False):
    """A program that writes twice each input to the output of the same number (bools: as is)."""
    code = Code(module)
    for k, each in enumerate(pairs):
        source, target = (
            code.op(f"load ptr, ptr {code.op(f'getelementptr ptr, ptr %args, i64 {at}')}")
            for at in (k, k + len(pairs))
        )
        type_ = memory_type(each.dtype)
        count = each.size * (2 if each.dtype.kind == "c" else 1)
        op = {"b": "or", "i": "add", "f": "fadd", "c": "fadd"}[each.dtype.kind]
        steps = ((source, "%arena"), ("%arena", target)) if through_arena else ((source, target),)
        for step, (origin, place) in enumerate(steps):
            with code.loop(count) as i:
                at = code.op(f"getelementptr {type_}, ptr {origin}, i64 {i}")
                value = code.op(f"load {type_}, ptr {at}")
                if step == 0:
                    value = code.op(f"{op} {type_} {value}, {value}")
                at = code.op(f"getelementptr {type_}, ptr {place}, i64 {i}")
                code.do(f"store {type_} {value}, ptr {at}")
    code.do("ret void")
    module.define("@program", code.function("@program(ptr %args, ptr %arena)"))


def build(*pairs, level="full", through_arena=False, **options):
    """A builtin that doubles each argument."""
    module = Module()
    doubling(module, pairs, through_arena)
    outputs = [each._replace(weak=None) for each in pairs]
    entry.make_entry(
        module, "entry", "program", pairs, outputs, attributes=engine.attributes(), **options
    )
    native = engine.compile(str(module), module.libraries, ["entry"], level=level)
    return entry.python_callable(native.address("entry"), "double", "Twice.", native)


@pytest.fixture(scope="module")
def vector():
    return build(aval(3))


@pytest.fixture(scope="module")
def vector_into():
    return build(aval(3), into=True)


@pytest.fixture(scope="module")
def scalar():
    return build(aval())


X = np.array([1.0, 2.0, 3.0])


def test_this_python_is_supported():
    assert entry.is_supported()


@pytest.mark.parametrize("level", engine.LEVELS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "c8", "c16", "?", "i1"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0, 3), (1, 1, 1, 1, 2)])
def test_every_dtype_and_rank(level, dtype, shape):
    x = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    out = build(aval(*shape, dtype=dtype), level=level)(x)
    assert type(out) is (np.ndarray if shape else np.dtype(dtype).type)
    assert out.dtype == x.dtype
    assert out.shape == shape
    assert np.array_equal(out, x + x)


def test_an_output_owns_its_memory_and_is_writeable(vector):
    out = vector(X)
    assert out.flags.owndata
    assert out.flags.writeable
    assert out.flags.c_contiguous
    out[:] = 0.0
    assert np.array_equal(vector(X), 2 * X)


def test_several_outputs_come_in_a_tuple():
    f = build(aval(2), aval(), aval(1, 3))
    a, b, c = f(np.ones(2), 4.0, np.ones((1, 3)))
    assert np.array_equal(a, [2.0, 2.0])
    assert b == 8.0
    assert np.array_equal(c, [[2.0, 2.0, 2.0]])


def test_one_output_in_a_tuple_where_so_wished():
    (out,) = build(aval(3), lone=False)(X)
    assert np.array_equal(out, 2 * X)


def test_a_program_without_inputs_or_outputs():
    assert build()() == ()
    assert build(into=True)() is None
    assert build()(1) is NotImplemented


def test_many_arguments():
    f = build(*[aval(2)] * 40, aval())
    *outs, last = f(*[np.full(2, float(k)) for k in range(40)], 2.0)
    assert [out[1] for out in outs] == [2.0 * k for k in range(40)]
    assert last == 4.0


class Sub(np.ndarray):
    pass


class Float(float):
    pass


class Scalar64(np.float64):
    pass


def unaligned():
    data = np.zeros(8 * 3 + 1, np.uint8)[1:].view(np.float64)
    assert not data.flags.aligned
    return data


REFUSED = {
    "a list": [1.0, 2.0, 3.0],
    "None": None,
    "a float": 1.0,
    "a string": "abc",
    "a type": float,
    "float32": X.astype("f4"),
    "int64": np.arange(3),
    "complex": X + 0j,
    "bool": X > 1,
    "objects": np.array([1.0, None, "x"], object),
    "times": np.zeros(3, "M8[s]"),
    "records": np.zeros(3, [("a", "f8")]),
    "the other byte order": X.astype(">f8"),
    "every other element": np.arange(6.0)[::2],
    "backwards": X[::-1],
    "spread": np.broadcast_to(1.0, (3,)),
    "shorter": X[:2],
    "longer": np.ones(4),
    "empty": np.ones(0),
    "of another rank": np.ones((3, 1)),
    "without axes": np.array(1.0),
    "a subclass": X.view(Sub),
    "masked": np.ma.array(X),
    "a matrix of memory": memoryview(X),
    "not aligned": unaligned(),
    "a NumPy scalar": np.float64(1.0),
}


@pytest.mark.parametrize("level", engine.LEVELS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_expected_goes_the_long_way(level, kind):
    f = build(aval(3), level=level)
    assert f(REFUSED[kind]) is NotImplemented
    into = build(aval(3), level=level, into=True)
    assert into(REFUSED[kind], np.zeros(3)) is NotImplemented


def test_the_number_of_arguments(vector, vector_into):
    for arguments in ((), (X, X), (X,) * 9):
        assert vector(*arguments) is NotImplemented
    for arguments in ((), (X,), (X, X, X)):
        assert vector_into(*arguments) is NotImplemented
    with pytest.raises(TypeError, match="keyword"):
        vector(x=X)


def test_columns_first_is_not_rows_first():
    f = build(aval(2, 3))
    x = np.arange(6.0).reshape(2, 3)
    assert f(np.asfortranarray(x)) is NotImplemented
    assert np.array_equal(f(x), 2 * x)


def test_a_dtype_made_anew_is_the_same_dtype(vector):
    x = pickle.loads(pickle.dumps(X))
    x = x.view(np.dtype("f8", copy=True))
    assert x.dtype is not X.dtype
    assert np.array_equal(vector(x), 2 * X)


def test_read_only_inputs_are_welcome(vector):
    x = X.copy()
    x.flags.writeable = False
    assert np.array_equal(vector(x), 2 * X)


@pytest.mark.parametrize("x", [3.0, np.float64(3.0), np.array(3.0)])
def test_what_is_a_scalar(scalar, x):
    out = scalar(x)
    assert type(out) is np.float64
    assert out == 6.0


@pytest.mark.parametrize(
    "x",
    [
        3,
        True,
        3j,
        Float(3.0),
        Scalar64(3.0),
        np.float32(3.0),
        np.int64(3),
        np.bool(True),
        np.array(3),
        np.array([3.0]),
        np.array(3.0, ">f8"),
        np.array(3.0).view(Sub),
        None,
        "3",
    ],
    ids=lambda x: f"{type(x).__name__}",
)
def test_what_is_no_float64_scalar(scalar, x):
    assert scalar(x) is NotImplemented


@pytest.mark.parametrize("x", [np.float32(3.0), np.int64(3), np.complex64(3j), np.bool(True)])
def test_numpy_scalars_of_other_dtypes(x):
    f = build(aval(dtype=x.dtype))
    out = f(x)
    assert type(out) is type(x)
    assert out == x + x
    assert f(np.array(x)) == x + x
    assert f(3.0) is NotImplemented


def test_a_complex_number():
    f = build(aval(dtype="c16"))
    assert f(1 + 2j) == 2 + 4j
    assert f(np.complex128(1 + 2j)) == 2 + 4j
    assert f(1.0) is NotImplemented


@pytest.mark.parametrize(
    "kind, good, bad",
    [
        (float, 1.5, (1, True, np.float64(1.0), np.array(1.0), Float(1.0))),
        (int, -(2**62), (1.0, True, np.int64(1), 2**63, -(2**80), np.array(1))),
        (bool, True, (1, 1.0, np.bool(True), np.array(True))),
        (complex, 1j, (1, 1.0, np.complex128(1j))),
    ],
)
def test_a_weak_input_takes_its_python_scalar_only(kind, good, bad):
    f = build(aval(dtype=np.dtype(kind), weak=kind))
    assert f(good) == good + good if kind is not bool else f(good)
    for x in bad:
        assert f(x) is NotImplemented


def test_false_is_not_true():
    f = build(aval(dtype=bool, weak=bool))
    assert [bool(f(x)) for x in (False, True)] == [False, True]


def test_into(vector_into):
    out = np.zeros(3)
    assert vector_into(X, out) is None
    assert np.array_equal(out, 2 * X)


def read_only():
    out = np.zeros(3)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.zeros(3, "f4"),
        np.zeros(4),
        np.zeros((3, 1)),
        np.zeros(6)[::2],
        np.zeros(3).view(Sub),
        np.zeros(3, ">f8"),
        read_only(),
        unaligned(),
        1.0,
        None,
        X,
    ],
    ids=range(11),
)
def test_into_refuses(vector_into, out):
    before = np.array(out, copy=True)
    assert vector_into(X, out) is NotImplemented
    assert np.array_equal(out, before)


def test_into_refuses_what_overlaps(vector_into):
    base = np.arange(6.0)
    for k in range(6 - 3 + 1):
        expected = NotImplemented if k < 3 else None
        assert vector_into(base[:3], base[k : k + 3]) is expected
        assert vector_into(base[k : k + 3], base[:3]) is expected
    two = build(aval(2), aval(3), into=True)
    x, y = np.ones(2), np.ones(3)
    assert two(x, y, base[:2], base[2:5]) is None
    assert np.array_equal(base[:5], [2.0] * 5)
    assert two(x, y, base[:2], base[1:4]) is NotImplemented
    assert two(x, y, base[3:5], base[1:4]) is NotImplemented
    assert two(x, base[:3], base[3:5], y) is None
    assert two(x, base[:3], base[2:4], y) is NotImplemented


def test_into_an_array_without_axes():
    f = build(aval(), into=True)
    out = np.array(0.0)
    assert f(3.0, out) is None
    assert out == 6.0
    assert f(3.0, np.float64(0.0)) is NotImplemented
    assert f(3.0, 0.0) is NotImplemented


@pytest.mark.parametrize("size", [10, entry.ON_STACK // 8, entry.ON_STACK // 8 + 1, 100_000])
@pytest.mark.parametrize("release", [False, True])
def test_the_arena(size, release):
    f = build(aval(size), arena_bytes=8 * size, through_arena=True, release=release)
    x = np.arange(float(size))
    for _ in range(3):
        assert np.array_equal(f(x), 2 * x)


def test_calls_leave_their_arena_to_each_other():
    small, large, larger = (4 * entry.ON_STACK, 8 * entry.ON_STACK, reserve.MOST + 8)
    for bytes_, left in ((larger, 0), (small, small), (large, large), (small, large)):
        f = build(aval(10), arena_bytes=bytes_, through_arena=True)
        for _ in range(2):
            assert np.array_equal(f(np.ones(10)), 2 * np.ones(10))
            held = reserve.kept()
            assert held == (left + 2 * reserve.ALIGNMENT if left else 0)


def flags_of_memory_at(address):
    """What Linux keeps about the memory around an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        head = line.split()[0]
        if not head.endswith(":"):
            first, end = (int(number, 16) for number in head.split("-"))
            inside = first <= address < end
        elif inside and head == "VmFlags:":
            return line.split()[1:]
    raise LookupError(address)


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="a system without huge pages"
)
def test_a_large_arena_is_in_huge_pages():
    f = build(aval(10), arena_bytes=reserve.MOST - 4 * reserve.PAGE, through_arena=True)
    assert np.array_equal(f(np.ones(10)), 2 * np.ones(10))
    piece = ctypes.c_void_p.from_address(reserve.address_of_place()).value
    assert "hg" in flags_of_memory_at(piece + reserve.HUGE)


def test_arenas_of_calls_at_once():
    """Each call has memory of its own, and what is left over is one piece."""
    size = 40_000
    f = build(aval(size), arena_bytes=8 * size, through_arena=True, release=True)

    def call(number):
        x = np.full(size, float(number))
        wrong.extend(number for _ in range(50) if not np.array_equal(f(x), 2 * x))

    wrong = []
    threads = [threading.Thread(target=call, args=(k,)) for k in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    assert reserve.kept() >= 8 * size


@pytest.mark.parametrize("arena_bytes", [100, 10 * entry.ON_STACK])
def test_the_arena_is_aligned(arena_bytes):
    module = Module()
    text = """define void @program(ptr %args, ptr %arena) {
  %out = load ptr, ptr %args
  %at = ptrtoint ptr %arena to i64
  store i64 %at, ptr %out
  ret void
}"""
    module.define("@program", text)
    entry.make_entry(module, "entry", "program", [], [aval(dtype="i8")], arena_bytes)
    native = engine.compile(str(module), module.libraries, ["entry"])
    f = entry.python_callable(native.address("entry"), code=native)
    assert all(f() % entry.ALIGNMENT == 0 for _ in range(10))


@pytest.mark.parametrize("into", [False, True])
def test_memory_that_is_not_there(into):
    f = build(aval(3), arena_bytes=2**62, into=into)
    arguments = (X, np.zeros(3)) if into else (X,)
    references = sys.getrefcount(F64)
    for _ in range(100):
        with pytest.raises(MemoryError):
            f(*arguments)
    assert abs(sys.getrefcount(F64) - references) < 50


def test_an_output_that_cannot_be_made_gives_up_the_others():
    module = Module()
    module.define("@program", "define void @program(ptr %args, ptr %arena) {\n  ret void\n}")
    entry.make_entry(module, "entry", "program", [], [aval(1000), aval(2**58)])
    native = engine.compile(str(module), module.libraries, ["entry"])
    f = entry.python_callable(native.address("entry"), code=native)
    references = sys.getrefcount(F64)  # of which each array holds one
    for _ in range(100):
        with pytest.raises(MemoryError):
            f()
    assert abs(sys.getrefcount(F64) - references) < 50


def failing(into=False, **options):
    """A program that writes its input's first element to its status, whose output is twice it."""
    module = Module()
    code = Code(module)
    source, target, status = (
        code.op(f"load ptr, ptr {code.op(f'getelementptr ptr, ptr %args, i64 {k}')}")
        for k in range(3)
    )
    first = code.op(f"load i64, ptr {source}")
    code.do(f"store i64 {first}, ptr {status}")
    for k, word in enumerate((7, 1, 3), 1):
        code.do(f"store i64 {word}, ptr {code.op(f'getelementptr i64, ptr {status}, i64 {k}')}")
    code.do(f"store i64 {code.op(f'add i64 {first}, {first}')}, ptr {target}")
    code.do("ret void")
    module.define("@program", code.function("@program(ptr %args, ptr %arena)"))
    one = aval(1, dtype="i8")
    entry.make_entry(module, "entry", "program", [one], [one], fails=True, into=into, **options)
    native = engine.compile(str(module), module.libraries, ["entry"])
    return entry.python_callable(native.address("entry"), code=native)


@pytest.mark.parametrize("options", [{}, {"release": True}, {"arena_bytes": 10 * entry.ON_STACK}])
@pytest.mark.parametrize("into", [False, True])
def test_what_a_program_reports_is_raised(into, options):
    f = failing(into, **options)
    out = np.zeros(1, np.int64)
    rest = (out,) if into else ()
    found = f(np.array([0]), *rest)
    assert np.array_equal(out if into else found, [0])
    references = sys.getrefcount(np.dtype(np.int64))
    for _ in range(100):
        with pytest.raises(IndexError, match=r"^index 7 is out of bounds for axis 1 with size 3$"):
            f(np.array([5]), *rest)
    assert abs(sys.getrefcount(np.dtype(np.int64)) - references) < 50
    assert f(np.array([1.5]), *rest) is NotImplemented


def test_a_program_at_an_address():
    def write(args, arena):
        ctypes.cast(args, ctypes.POINTER(ctypes.POINTER(ctypes.c_double)))[0][0] = 7.0

    program = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(write)
    for release in (False, True):
        module = Module()
        address = ctypes.cast(program, ctypes.c_void_p).value
        entry.make_entry(module, "entry", "program", [], [aval()], address=address, release=release)
        native = engine.compile(str(module), module.libraries, ["entry"])
        assert entry.python_callable(native.address("entry"), code=native)() == 7.0


def test_nothing_leaks():
    both = build(aval(100), aval())
    into = build(aval(100), into=True)
    large = build(aval(100), arena_bytes=10 * entry.ON_STACK)
    x, out, number = np.ones(100), np.zeros(100), np.float64(2.0)
    watched = (x, out, number, 1.5, F64, np.ndarray, np.float64, float)
    bad = np.ones(99)

    def work(times):
        for _ in range(times):
            both(x, number)
            both(x, 1.5)
            both(bad, 1.5)
            into(x, out)
            into(x, bad)
            into(x, x)
            large(x)

    work(10)
    gc.collect()
    before = [sys.getrefcount(each) for each in watched]
    tracemalloc.start()
    try:
        work(10)
        start = tracemalloc.get_traced_memory()[0]
        work(2000)
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    after = [sys.getrefcount(each) for each in watched]
    assert grown < 2000
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 10


def test_none_and_notimplemented_keep_their_references(vector, vector_into):
    out = np.zeros(3)
    before = sys.getrefcount(None), sys.getrefcount(NotImplemented)
    for _ in range(1000):
        vector_into(X, out)
        vector(3)
    after = sys.getrefcount(None), sys.getrefcount(NotImplemented)
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 100


@pytest.mark.parametrize("release", [False, True])
def test_threads(release):
    f = build(aval(500), arena_bytes=10 * entry.ON_STACK, through_arena=True, release=release)
    wrong = []

    def work(seed):
        x = np.random.default_rng(seed).normal(size=500)
        wrong.extend(k for k in range(300) if not np.array_equal(f(x), 2 * x))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("release", [False, True])
def test_other_threads_run_only_where_the_lock_is_released(release):
    """The program says that it runs, and waits for the answer of a thread that needs the lock."""
    text = """define void @program(ptr %args, ptr %arena) {
entry:
  %asked = load ptr, ptr %args
  %answered = getelementptr i64, ptr %asked, i64 1
  %second = getelementptr ptr, ptr %args, i64 1
  %out = load ptr, ptr %second
  store atomic volatile i64 1, ptr %asked monotonic, align 8
  br label %wait
wait:
  %k = phi i64 [ 0, %entry ], [ %n, %wait ]
  %n = add i64 %k, 1
  %seen = load atomic volatile i64, ptr %answered monotonic, align 8
  %set = icmp ne i64 %seen, 0
  %late = icmp sge i64 %n, ROUNDS
  %stop = or i1 %set, %late
  br i1 %stop, label %done, label %wait
done:
  store i64 %seen, ptr %out
  ret void
}"""
    module = Module()
    rounds = 50_000_000_000 if release else 50_000_000
    module.define("@program", text.replace("ROUNDS", str(rounds)))
    flags, out = aval(2, dtype="i8"), aval(dtype="i8")
    entry.make_entry(module, "entry", "program", [flags], [out], release=release)
    native = engine.compile(str(module), module.libraries, ["entry"])
    f = entry.python_callable(native.address("entry"), code=native)
    shared = np.zeros(2, np.int64)

    def answer():
        while not shared[0]:
            pass
        shared[1] = 1

    thread = threading.Thread(target=answer)
    thread.start()
    seen = f(shared)
    thread.join()
    assert seen == release


def test_the_builtin_keeps_its_code_alive():
    module = Module()
    doubling(module, [aval(3)])
    entry.make_entry(module, "entry", "program", [aval(3)], [aval(3)])
    native = engine.compile(str(module), module.libraries, ["entry"])
    f = entry.python_callable(native.address("entry"), "double", "Twice.", native)
    gone = weakref.ref(native)
    del native
    gc.collect()
    assert gone() is not None
    assert np.array_equal(f(X), 2 * X)
    assert (f.__name__, f.__doc__) == ("double", "Twice.")
    del f
    gc.collect()
    assert gone() is None


def test_the_text_holds_no_address_of_this_process():
    module = Module()
    doubling(module, [aval(3), aval()])
    entry.make_entry(module, "entry", "program", [aval(3), aval()], [aval(3), aval()])
    text = str(module)
    assert module.libraries
    for name, address in module.libraries.items():
        assert f"@{name}" in text
        assert str(address) not in text
        assert f"{address:x}" not in text.lower()
