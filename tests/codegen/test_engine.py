import ctypes
import math
import subprocess
import sys
import threading

import numpy as np
import pytest

from qiudao.codegen import engine
from qiudao.codegen.engine import LEVELS

pytest.importorskip("llvmlite")

UNARY = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
POINTERS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QIUDAO_CACHE_DIR", str(tmp_path / "cache"))


def square(factor):
    return f"""
define double @f(double %x) {engine.attributes()} {{
  %y = fmul double %x, %x
  %z = fmul double %y, {factor}
  ret double %z
}}"""


def calling(name):
    return f"""
declare double @{name}(double)
define double @f(double %x) {engine.attributes()} {{
  %y = call double @{name}(double %x)
  ret double %y
}}"""


@pytest.mark.parametrize("level", engine.LEVELS)
def test_a_function_computes(level):
    native = engine.compile(square("3.0"), {}, ["f"], level=level)
    assert UNARY(native.address("f"))(2.0) == 12.0


def test_code_is_compiled_once_and_then_loaded():
    before = (engine.statistics.compiled, engine.statistics.loaded)
    natives = [engine.compile(square("5.0"), {}, ["f"]) for _ in range(3)]
    assert [UNARY(each.address("f"))(2.0) for each in natives] == [20.0] * 3
    assert engine.statistics.compiled - before[0] == 1
    assert engine.statistics.loaded - before[1] == 2


def test_levels_are_kept_apart():
    before = engine.statistics.compiled
    for level in engine.LEVELS:
        engine.compile(square("7.0"), {}, ["f"], level=level)
    assert engine.statistics.compiled - before == len(engine.LEVELS)


def test_an_outside_function_is_bound_anew_when_the_object_is_loaded():
    plus, minus = UNARY(lambda x: x + 1), UNARY(lambda x: x - 1)
    before = engine.statistics.compiled
    results = []
    for function in (plus, minus):
        address = ctypes.cast(function, ctypes.c_void_p).value
        native = engine.compile(calling("outside"), {"outside": address}, ["f"])
        results.append(UNARY(native.address("f"))(2.0))
    assert results == [3.0, 1.0]
    assert engine.statistics.compiled - before == 1


def test_an_outside_object_and_a_constant_are_reached():
    value = ctypes.c_double(4.0)
    text = f"""
@outside = external global double
@table = private constant [2 x double] [double 3.0, double 5.0]
define double @f(double %x) {engine.attributes()} {{
  %a = load double, ptr @outside
  %b = load volatile double, ptr @table
  %c = fadd double %a, %b
  ret double %c
}}"""
    native = engine.compile(text, {"outside": ctypes.addressof(value)}, ["f"])
    assert UNARY(native.address("f"))(0.0) == 7.0
    value.value = 10.0
    assert UNARY(native.address("f"))(0.0) == 13.0


@pytest.mark.parametrize("level", ["middle", "full"])
def test_a_loop_is_vectorised(level):
    text = f"""
define void @f(ptr noalias %x, ptr noalias %y) {engine.attributes()} {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %n, %body ]
  %p = getelementptr inbounds double, ptr %x, i64 %i
  %q = getelementptr inbounds double, ptr %y, i64 %i
  %v = load double, ptr %p
  %w = fmul double %v, %v
  store double %w, ptr %q
  %n = add nuw nsw i64 %i, 1
  %e = icmp eq i64 %n, 1000
  br i1 %e, label %end, label %body
end:
  ret void
}}"""
    tool = engine.compiler()
    x, y = np.arange(1000.0), np.zeros(1000)
    native = engine.compile(text, {}, ["f"], level=level)
    POINTERS(native.address("f"))(x.ctypes.data, y.ctypes.data)
    assert np.array_equal(y, x * x)
    optimised = tool.optimise(text, level, tool.machine(engine.LEVELS[level].emission))
    assert "x double>" in str(optimised)


def test_a_long_straight_line_is_quick_and_right_at_the_quick_level():
    x, y = np.full(2, 0.5), np.zeros(1)
    lines, value = [], "%x0"
    for k in range(3000):
        lines.append(f"  %s{k} = fmul double {value}, {value}")
        lines.append(f"  %t{k} = fadd double %s{k}, %x1")
        value = f"%t{k}"
        if k % (engine.BLOCK // 2) == 0:
            lines += [f"  br label %b{k}", f"b{k}:"]
    text = "\n".join(
        (
            f"define void @f(ptr %x, ptr %y) {engine.attributes()} {{",
            "  %x0 = load double, ptr %x",
            "  %p1 = getelementptr double, ptr %x, i64 1",
            "  %x1 = load double, ptr %p1",
            *lines,
            f"  store double {value}, ptr %y",
            "  ret void",
            "}",
        )
    )
    x[1] = -0.3
    native = engine.compile(text, {}, ["f"], level="quick")
    POINTERS(native.address("f"))(x.ctypes.data, y.ctypes.data)
    expected = 0.5
    for _ in range(3000):
        expected = expected * expected - 0.3
    assert math.isclose(y[0], expected, rel_tol=1e-12)


def test_wrong_text_is_refused():
    with pytest.raises(RuntimeError, match="expected"):
        engine.compile("define nothing", {}, [])
    with pytest.raises(RuntimeError, match="dominate"):
        engine.compile(
            "define i32 @f() {\n  %b = add i32 %a, 1\n  %a = add i32 1, 1\n  ret i32 %b\n}",
            {},
            ["f"],
        )


def test_threads_compile_at_once():
    results = {}

    def work(k):
        native = engine.compile(square(f"{k}.0"), {}, ["f"])
        results[k] = UNARY(native.address("f"))(2.0)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(20, 28)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: 4.0 * k for k in range(20, 28)}


PROGRAM = """
from qiudao.codegen import engine
native = engine.compile({text!r}, {{}}, ["f"])
print(engine.statistics)
"""


def test_a_second_process_pays_no_compiling():
    program = PROGRAM.format(text=square("11.0"))
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert printed == ["Statistics(compiled=1, loaded=0)", "Statistics(compiled=0, loaded=1)"]


def test_without_llvmlite_the_message_names_the_extra():
    program = """
import sys
sys.modules["llvmlite"] = None
from qiudao.codegen import engine
try:
    engine.compile("", {}, [])
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'qiudao[jit]'" in done.stdout


def test_code_goes_when_its_owner_does():
    first = engine.compile(square("13.0"), {}, ["f"])
    del first
    again = engine.compile(square("13.0"), {}, ["f"])
    assert UNARY(again.address("f"))(1.0) == 13.0


@pytest.mark.parametrize("wide", [False, True])
def test_functions_carry_the_width_of_vectors_where_there_are_wide_ones(monkeypatch, wide):
    monkeypatch.setattr(engine.compiler(), "has_wide_vectors", wide)
    assert engine.attributes() == "nounwind" + ' "prefer-vector-width"="512"' * wide
    native = engine.compile(square("17.0"), {}, ["f"])
    assert UNARY(native.address("f"))(1.0) == 17.0


def test_no_level_has_a_pass_that_may_end_the_process():
    for level in LEVELS.values():
        assert isinstance(level.passes, int) or "new_gvn" not in level.passes
