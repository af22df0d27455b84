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
