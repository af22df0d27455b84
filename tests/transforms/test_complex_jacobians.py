"""Jacobians of complex functions: holomorphic ones, complex results of real inputs, and neither."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError

X = np.array([1.0, 2.0])
Z = np.array([1.0 + 2.0j, 0.5j])


@pytest.mark.parametrize(
    "f, x",
    [
        (lambda x: np.exp(1j * x) * x[0], X),
        (lambda z: z**2 * z[0], Z),
        (lambda z: np.exp(z), Z),
    ],
)
def test_both_directions_agree_with_differences(f, x):
    numeric = np.stack([(f(x + h) - f(x - h)) / 2e-6 for h in 1e-6 * np.eye(2)], axis=-1)
    np.testing.assert_allclose(qd.jacfwd(f)(x), numeric, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(qd.jacrev(f)(x), qd.jacfwd(f)(x), rtol=1e-14, atol=1e-14)


def test_real_and_complex_inputs_together():
    f = lambda x, z: (x * z, z * z)
    forward, reverse = (jac(f, (0, 1))(X, Z) for jac in (qd.jacfwd, qd.jacrev))
    for row, other in zip(forward, reverse, strict=True):
        for a, b in zip(row, other, strict=True):
            np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("jac", [qd.jacfwd, qd.jacrev, qd.jacobian])
def test_a_real_result_of_a_complex_input_is_refused(jac):
    with pytest.raises(GradientError, match="no Jacobian over the complex numbers; use qd"):
        jac(np.abs)(3.0 + 4.0j)
