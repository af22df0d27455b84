"""A compiled derivative called from C, with no Python."""

import shutil
import subprocess

import numpy as np
import pytest

import qiudao as qd

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

MAIN = """
#include <stdio.h>
#include "slope.h"
int main(void) {
    double x[4] = {0.5, 1.0, 1.5, 2.0}, g[4];
    int failed = slope(x, g);
    for (int k = 0; k < 4; k++) printf("%.17g\\n", g[k]);
    return failed;
}
"""


def test_a_gradient_in_c(tmp_path):
    def slope(x):
        return qd.grad(lambda y: np.sum(np.exp(y) * np.sin(y)) / (1 + y @ y))(x)

    x = np.array([0.5, 1.0, 1.5, 2.0])
    written = qd.jit(slope).export(tmp_path / "slope.o", x, ir=True)
    assert [f.name for f in written] == ["slope.o", "slope.h", "slope.ll"]
    (tmp_path / "main.c").write_text(MAIN)
    subprocess.run(
        ["cc", "main.c", "slope.o", "-lm", "-o", "main"], cwd=tmp_path, check=True, timeout=60
    )
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    np.testing.assert_allclose([float(v) for v in done.stdout.split()], slope(x), rtol=1e-13)


def test_a_lambda_has_a_name_in_c(tmp_path):
    written = qd.jit(lambda x: np.sin(x)).export(tmp_path / "sine.o", np.ones(3))
    assert "function(" in written[1].read_text()


def in_c(folder, calls):
    """What a C program prints that includes `f.h`."""
    text = '#include <stdio.h>\n#include "f.h"\nint main(void) {' + calls + " return 0; }"
    (folder / "main.c").write_text(text)
    subprocess.run(["cc", "main.c", "f.o", "-lm", "-o", "main"], cwd=folder, check=True, timeout=60)
    done = subprocess.run([folder / "main"], capture_output=True, text=True, timeout=60)
    return done.stdout.split()


def root(a):
    x = 1.0
    while abs(x * x - a) > 1e-10 * a:
        x = 0.5 * (x + a / x)
    return x


def test_c_is_told_that_a_loop_took_more_steps_than_there_is_room_for(tmp_path):
    written = qd.jit(qd.grad(root)).export(tmp_path / "f.o", 2.0, symbol="slope")
    assert "7 if a loop took more steps" in written[1].read_text()
    calls = """
        double a = 2.0, far = 1e60, g = 0;
        printf("%d ", slope(&a, &g)); printf("%.9g ", g); printf("%d", slope(&far, &g));"""
    assert in_c(tmp_path, calls) == ["0", "0.353553391", "7"]


def test_c_is_told_of_a_singular_matrix(tmp_path):
    def solved(a, b):
        return np.linalg.solve(a, b)

    qd.jit(solved).export(tmp_path / "f.o", np.eye(2), np.ones(2))
    calls = """
        double a[4] = {1, 2, 2, 4}, b[2] = {1, 1}, x[2];
        printf("%d ", solved(a, b, x)); a[3] = 5;
        printf("%d ", solved(a, b, x)); printf("%g", x[1]);"""
    assert in_c(tmp_path, calls) == ["2", "0", "-1"]


def test_a_derivative_that_drops_lanes_carries_masks_in_c(tmp_path):
    slope = qd.grad(lambda x: np.sum(np.where(x > 0, np.log(x), x)))
    qd.jit(slope).export(tmp_path / "f.o", np.ones(2), symbol="slope")
    calls = """
        double x[2] = {0, 2}, g[2];
        slope(x, g); printf("%g %g", g[0], g[1]);"""
    assert in_c(tmp_path, calls) == ["1", "0.5"]


def test_what_c_does_not_have_is_refused(tmp_path):
    f = qd.jit(lambda x: np.fft.fft(x).real)
    with pytest.raises(NotImplementedError, match="export: NumPy computes a part of the program"):
        f.export(tmp_path / "f.o", np.ones(4))
    g = qd.jit(lambda a: np.linalg.svd(a, compute_uv=False))
    with pytest.raises(NotImplementedError, match="functions that a C program does not have"):
        g.export(tmp_path / "g.o", np.ones((20, 20)))


def test_names_that_are_no_parameters():
    with pytest.raises(RuntimeError, match="static_argnames names 'm', which is no parameter"):
        qd.jit(lambda x, n: x * n, static_argnames="m")
