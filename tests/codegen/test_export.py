import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from qiudao.codegen.export import Signature, export
from qiudao.core.avals import Aval
from qiudao.core.errors import RuleError

pytest.importorskip("llvmlite")

CC = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler")


def aval(*shape, dtype="f8"):
    return Aval(shape, np.dtype(dtype))


# y = scale * sin(x) + table, by way of the arena
TEXT = """
@table = private constant [3 x double] [double 10.0, double 20.0, double 30.0]
declare double @sin(double)
define void @program(ptr %args, ptr %arena) nounwind {
entry:
  %x = load ptr, ptr %args
  %p1 = getelementptr ptr, ptr %args, i64 1
  %scale = load ptr, ptr %p1
  %p2 = getelementptr ptr, ptr %args, i64 2
  %y = load ptr, ptr %p2
  %s = load double, ptr %scale
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %n, %body ]
  %a = getelementptr double, ptr %x, i64 %i
  %m = getelementptr double, ptr %arena, i64 %i
  %b = getelementptr double, ptr %y, i64 %i
  %t = getelementptr double, ptr @table, i64 %i
  %v = load double, ptr %a
  %w = call double @sin(double %v)
  store double %w, ptr %m
  %r = load double, ptr %m
  %q = fmul double %r, %s
  %c = load double, ptr %t
  %o = fadd double %q, %c
  store double %o, ptr %b
  %n = add i64 %i, 1
  %e = icmp eq i64 %n, 3
  br i1 %e, label %end, label %body
end:
  ret void
}"""

MAIN = r"""
#include <stdio.h>
#include "waves.h"

int main(void)
{
    const double x[3] = {0.5, 1.0, 1.5}, scale = 2.0;
    double y[3];
    int failed = waves(x, &scale, y);
    printf("%d %.17g %.17g %.17g\n", failed, y[0], y[1], y[2]);
    return 0;
}
"""


def waves(arena_bytes=24):
    inputs = {"x": aval(3), "scale": aval()}
    return {"waves": Signature("program", inputs, {"y": aval(3)}, arena_bytes)}


EXPECTED = 2 * np.sin([0.5, 1.0, 1.5]) + [10.0, 20.0, 30.0]


@needs_cc
@pytest.mark.parametrize("suffix", [".o", ".so"])
@pytest.mark.parametrize("arena_bytes", [24, 10**6])
@pytest.mark.parametrize("level", ["quick", "straight", "full"])
def test_a_c_program_calls_it(tmp_path, suffix, arena_bytes, level):
    target = tmp_path / f"waves{suffix}"
    files = export(TEXT, {}, waves(arena_bytes), target, level=level)
    assert files == [target, tmp_path / "waves.h"]
    (tmp_path / "main.c").write_text(MAIN)
    command = [CC, "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "main", "main.c", target.name]
    subprocess.run([*command, "-lm", f"-Wl,-rpath,{tmp_path}"], cwd=tmp_path, check=True)
    printed = subprocess.run(
        [str(tmp_path / "main")], capture_output=True, text=True, check=True
    ).stdout.split()
    assert printed[0] == "0"
    np.testing.assert_allclose(np.array(printed[1:], float), EXPECTED, rtol=1e-15)


@needs_cc
def test_python_calls_the_shared_library(tmp_path):
    target = tmp_path / "waves.so"
    export(TEXT, {}, waves(), target)
    library = ctypes.CDLL(str(target))
    x, scale, y = np.array([0.5, 1.0, 1.5]), np.array(2.0), np.zeros(3)
    assert library.waves(*(ctypes.c_void_p(each.ctypes.data) for each in (x, scale, y))) == 0
    np.testing.assert_allclose(y, EXPECTED, rtol=1e-15)
    assert not hasattr(library, "program")  # C sees the functions that were asked for, no others


@needs_cc
def test_a_library_for_any_processor_of_the_kind(tmp_path):
    target = tmp_path / "waves.so"
    export(TEXT, {}, waves(), target, cpu="generic")
    y = np.zeros(3)
    inputs = np.array([0.5, 1.0, 1.5]), np.array(2.0)
    ctypes.CDLL(str(target)).waves(*(ctypes.c_void_p(a.ctypes.data) for a in (*inputs, y)))
    np.testing.assert_allclose(y, EXPECTED, rtol=1e-15)
    assert "for the processor generic" in target.with_suffix(".h").read_text()


def test_the_header_says_what_each_argument_is(tmp_path):
    signatures = {
        "first": Signature(
            "program", {"x": aval(2, 3), "n": aval(dtype="i4")}, {"z": aval(4, dtype="c16")}
        ),
        "second": Signature("program", {}, {"mask": aval(5, dtype="?")}),
    }
    export(TEXT, {}, signatures, tmp_path / "two.o")
    text = (tmp_path / "two.h").read_text()
    assert " * in  x: f64[2, 3]\n * in  n: i32[]\n" in text
    assert " * out z: c128[4], as pairs: real part, imaginary part\n" in text
    assert "int first(const double *x, const int32_t *n, double *z);" in text
    assert "int second(uint8_t *mask);" in text
    assert "#ifndef QIUDAO_TWO_H" in text


@needs_cc
def test_the_header_may_be_included_twice(tmp_path):
    export(TEXT, {}, waves(), tmp_path / "waves.o")
    (tmp_path / "twice.c").write_text('#include "waves.h"\n#include "waves.h"\n')
    subprocess.run([CC, "-Werror", "-c", "twice.c"], cwd=tmp_path, check=True)


def test_the_text_on_request(tmp_path):
    files = export(TEXT, {}, waves(), tmp_path / "waves.o", ir=True)
    assert files[2] == tmp_path / "waves.ll"
    text = files[2].read_text()
    assert "define void @program" in text
    assert "define i32 @waves(ptr %arg.x, ptr %arg.scale, ptr %arg.y)" in text
    assert str(tmp_path) not in text


def test_functions_of_this_process_are_refused(tmp_path):
    with pytest.raises(RuleError, match=r"^export: .* cblas_dgemm, dgetrf; leave out"):
        export(TEXT, {"dgetrf": 1, "cblas_dgemm": 2}, waves(), tmp_path / "waves.o")
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_no_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^export: 'waves.txt' names no kind of file; end it in"):
        export(TEXT, {}, waves(), tmp_path / "waves.txt")


@pytest.mark.parametrize("name", ["2x", "x y", "x-y", "", "double"])
def test_names_must_be_names_in_c(tmp_path, name):
    signature = Signature("program", {name: aval(3), "scale": aval()}, {"y": aval(3)})
    with pytest.raises(ValueError, match=r"^export: '.*' is no name in C"):
        export(TEXT, {}, {"waves": signature}, tmp_path / "waves.o")
    signature = Signature("program", {"x": aval(3), "y": aval()}, {"y": aval(3)})
    with pytest.raises(ValueError, match=r"^export: waves has inputs and outputs of one name, y"):
        export(TEXT, {}, {"waves": signature}, tmp_path / "waves.o")


@pytest.mark.parametrize("name", ["sin", "program"])
def test_names_that_the_program_has_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=rf"^export: '{name}' is the name of a function"):
        export(TEXT, {}, {name: waves()["waves"]}, tmp_path / "waves.o")


def test_without_a_c_compiler_an_object_is_advised(tmp_path, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"^export: no C compiler .* waves\.o$"):
        export(TEXT, {}, waves(), tmp_path / "waves.so")
    export(TEXT, {}, waves(), tmp_path / "waves.o")


def test_a_compiler_that_fails_is_quoted(tmp_path, monkeypatch):
    false = shutil.which("false")
    if false is None:
        pytest.skip("no program that fails")
    monkeypatch.setenv("CC", false)
    with pytest.raises(RuntimeError, match=r"^export: .*false could not link waves\.so"):
        export(TEXT, {}, waves(), tmp_path / "waves.so")
