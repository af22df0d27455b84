"""Derivatives of derivatives on the tape, to third order and beyond, and complex gradients."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def nested(f, x, order):
    """The derivatives of order 1 to `order` of a function of one number, by repeated sweeps."""
    t = leaf(x)
    found, y = [], f(t)
    for _ in range(order):
        (y,) = qd.grad(y, t, create_graph=True)
        found.append(float(y.detach()))
    return found


@pytest.mark.parametrize(
    "f, wanted",
    [
        (np.sin, [np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)]),
        (np.exp, [np.exp(0.7)] * 4),
        (np.log, [1 / 0.7, -1 / 0.7**2, 2 / 0.7**3, -6 / 0.7**4]),
        (lambda x: x**3, [3 * 0.49, 6 * 0.7, 6.0, 0.0]),
        (lambda x: x * x * x, [3 * 0.49, 6 * 0.7, 6.0, 0.0]),
        (lambda x: 1 / x, [-1 / 0.7**2, 2 / 0.7**3, -6 / 0.7**4, 24 / 0.7**5]),
        (lambda x: 3 * x, [3.0, 0.0, 0.0, 0.0]),
        (lambda x: np.exp(np.sin(x)) / np.exp(np.sin(x)), [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_derivatives_to_fourth_order(f, wanted):
    np.testing.assert_allclose(nested(f, 0.7, 4), wanted, rtol=1e-11, atol=1e-11)


def test_a_gradient_penalty():
    w, x = leaf([0.5, -1.0]), leaf([1.0, 2.0])
    y = np.tanh(w @ x)
    (gx,) = qd.grad(y, x, create_graph=True)
    penalty = (gx * gx).sum()
    penalty.backward()
    dot = 0.5 - 2.0
    s, v = 1 - np.tanh(dot) ** 2, np.array([0.5, -1.0])
    wanted = 2 * s**2 * v - 4 * np.tanh(dot) * s**2 * (v @ v) * np.array([1.0, 2.0])
    close(w.grad, wanted)


def test_mixed_second_derivatives_agree():
    x, y = leaf(0.4), leaf(1.3)
    z = np.sin(x * y) * x
    gx, gy = qd.grad(z, [x, y], create_graph=True)
    close(qd.grad(gx, y, retain_graph=True)[0], qd.grad(gy, x)[0])


def test_a_hessian_by_rows():
    x = leaf([0.4, 1.3])
    (g,) = qd.grad(np.sin(x[0] * x[1]), x, create_graph=True)
    rows = [qd.grad(g[k], x, retain_graph=True)[0].numpy() for k in range(2)]
    p = 0.4 * 1.3
    cross = np.cos(p) - p * np.sin(p)
    close(np.stack(rows), [[-(1.3**2) * np.sin(p), cross], [cross, -(0.4**2) * np.sin(p)]])


def test_through_a_write_at_second_order():
    x = leaf([0.4, 1.3])
    y = x * x
    y[0] = np.sin(y[1])
    (g,) = qd.grad((y**2).sum(), x, create_graph=True)
    (second,) = qd.grad(g.sum(), x)

    def total(a):
        return np.sin(a**2) ** 2 + a**4

    h = 1e-4
    wanted = (total(1.3 + h) - 2 * total(1.3) + total(1.3 - h)) / h**2
    close(second, [0.0, wanted], rtol=1e-6, atol=1e-6)


# Complex values: the gradient is steepest ascent, as in torch


def test_the_gradient_of_a_squared_modulus():
    z = leaf(3 + 4j)
    (np.abs(z) ** 2).backward()
    close(z.grad, 6 + 8j)


def test_a_step_against_the_gradient_descends():
    z = leaf(3 + 4j)
    loss = np.abs(z - (1 - 2j)) ** 2
    (g,) = qd.grad(loss, z)
    step = z.detach() - 0.1 * g
    assert np.abs(step.item() - (1 - 2j)) < np.abs(3 + 4j - (1 - 2j))


def test_real_and_imaginary_parts():
    z = leaf(3 + 4j)
    close(qd.grad(np.real(z), z)[0], 1.0 + 0j)
    close(qd.grad(np.imag(z), z)[0], 1j)
    close(qd.grad(z.real * z.imag, z)[0], 4 + 3j)


def test_a_holomorphic_function_gives_the_conjugate_of_its_derivative():
    z = leaf(0.3 + 0.4j)
    (g,) = qd.grad(np.sin(z), z, 1.0 + 0j)
    close(g, np.conj(np.cos(0.3 + 0.4j)))


def test_a_real_input_of_a_complex_computation_has_a_real_gradient():
    x = leaf(0.5)
    z = x * np.exp(1j * x)
    (g,) = qd.grad(np.real(z), x)
    assert g.dtype == np.float64
    close(g, np.cos(0.5) - 0.5 * np.sin(0.5))


def test_a_complex_second_derivative():
    z = leaf(3 + 4j)
    (g,) = qd.grad(np.abs(z) ** 4, z, create_graph=True)
    close(g, 4 * 25 * (3 + 4j))
    (second,) = qd.grad(np.real(g), z)  # d/dx and d/dy of 4 |z|^2 x
    close(second, 4 * 25 + 8 * 9 + 1j * (8 * 3 * 4))


def test_complex64_stays_complex64():
    z = leaf(np.complex64(3 + 4j))
    assert qd.grad(np.real(z * z), z)[0].dtype == np.complex64
