"""Every way to take a derivative inside every other, in either order, gives the same number."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, plain


def recorded(x):
    """`x` as a tensor of the tape: itself if it is one, else a new leaf."""
    is_recorded = isinstance(x, qd.Tensor) and x.requires_grad
    return x * 1.0 if is_recorded else qd.tensor(x, requires_grad=True)


def by_tape(f):
    def slope(x):
        t = recorded(x)
        return qd.grad(f(t), t, create_graph=True)[0]

    return slope


def by_backward(f):
    def slope(x):
        t = recorded(x)
        f(t).backward(create_graph=True, inputs=t)
        return t.grad

    return slope


DERIVATIVES = {
    "grad": qd.grad,
    "value_and_grad": lambda f: lambda x: qd.value_and_grad(f)(x)[1],
    "vjp": lambda f: lambda x: qd.vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: qd.jvp(f, (x,), (1.0,))[1],
    "jacfwd": qd.jacfwd,
    "jacrev": qd.jacrev,
    "jacobian": qd.jacobian,
    "linearize": lambda f: lambda x: qd.linearize(f, x)[1](1.0),
    "jet": lambda f: lambda x: qd.jet(f, (x,), ([1.0],))[1][0],
    "tape": by_tape,
    "backward": by_backward,
}


def by_rule(f):
    """`f` with a reverse rule of its own."""
    ruled = qd.custom_vjp(lambda x: f(x))
    ruled.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * qd.grad(f)(x),))
    return ruled


def by_forward_rule(f):
    """`f` with a forward rule of its own."""
    ruled = qd.custom_jvp(lambda x: f(x))
    ruled.defjvp(lambda xs, dxs: qd.jvp(f, xs, dxs))
    return ruled


IDENTITIES = {
    "vmap": lambda f: lambda x: qd.vmap(f)(np.stack([x, x + 1.0]))[0],
    "shared vmap": lambda f: lambda x: qd.vmap(lambda _, t: f(t), (0, None))(np.ones(2), x)[1],
    "checkpoint": qd.checkpoint,
    "custom_vjp": by_rule,
    "custom_jvp": by_forward_rule,
}


def smooth(x):
    return np.sin(x) * np.exp(0.3 * x) / (1 + x * x)


def looping(x):
    y = x
    for k in range(3):
        y = np.tanh(y) * x + 0.1 * k
    return y if y > 0 else -y


def writing(x):
    buffer = np.zeros_like(np.stack([x, x, x]))
    buffer[0] = x
    for k in range(2):
        buffer[k + 1] = np.sin(buffer[k]) * x
    view = buffer[1:]
    view *= x
    return buffer.sum()


FUNCTIONS = {"smooth": smooth, "looping": looping, "writing": writing}
AT = 0.7


def derivative(f, order, x=AT):
    """A derivative by Taylor coefficients through complex numbers on a small circle."""
    n, radius = 32, 0.05
    points = x + radius * np.exp(2j * np.pi * np.arange(n) / n)
    values = np.array([f(p) for p in points])
    coefficients = np.fft.fft(values) / n
    return (coefficients[order] / radius**order).real * [1, 1, 2, 6][order]


def smooth_derivative(name, order):
    f = FUNCTIONS[name]
    if name == "looping":  # the branch looks at the sign; both sides are smooth near AT
        return derivative(lambda x: looping_complex(x), order)
    return derivative(f, order)


def looping_complex(x):
    y = x
    for k in range(3):
        y = np.tanh(y) * x + 0.1 * k
    return y


@pytest.mark.parametrize("outer", DERIVATIVES)
@pytest.mark.parametrize("inner", DERIVATIVES)
def test_second_derivatives(outer, inner):
    for name, f in FUNCTIONS.items():
        found = DERIVATIVES[outer](DERIVATIVES[inner](f))(AT)
        close(found, smooth_derivative(name, 2), rtol=1e-9, atol=1e-9)


FIVE = ["grad", "jvp", "linearize", "jet", "tape"]


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("inner", FIVE)
@pytest.mark.parametrize("outer", FIVE)
def test_second_derivatives_with_a_transform_that_changes_nothing(outer, inner, identity):
    wanted = smooth_derivative("smooth", 2)
    outer, inner, same = DERIVATIVES[outer], DERIVATIVES[inner], IDENTITIES[identity]
    close(outer(inner(same(smooth)))(AT), wanted, rtol=1e-9)
    close(outer(same(inner(smooth)))(AT), wanted, rtol=1e-9)
    close(same(outer(inner(smooth)))(AT), wanted, rtol=1e-9)


@pytest.mark.parametrize("first", FIVE)
@pytest.mark.parametrize("second", FIVE)
@pytest.mark.parametrize("third", FIVE)
def test_third_derivatives(first, second, third):
    found = DERIVATIVES[third](DERIVATIVES[second](DERIVATIVES[first](smooth)))(AT)
    close(found, smooth_derivative("smooth", 3), rtol=1e-8)


@pytest.mark.parametrize("one", IDENTITIES)
@pytest.mark.parametrize("other", IDENTITIES)
def test_transforms_that_change_nothing_nest(one, other):
    found = qd.grad(IDENTITIES[one](IDENTITIES[other](smooth)))(AT)
    close(found, smooth_derivative("smooth", 1), rtol=1e-9)


def vector_function(x):
    y = np.sin(x[0] * x[1]) * x
    return np.stack([y.sum(), (x * x).prod(), x[2] * np.exp(x[0])])


def scalar_function(x):
    return (vector_function(x) ** 2).sum()


JACOBIANS = {"jacfwd": qd.jacfwd, "jacrev": qd.jacrev, "jacobian": qd.jacobian}
POINT = np.array([0.4, 1.1, -0.6])


@pytest.mark.parametrize("outer", JACOBIANS)
@pytest.mark.parametrize("inner", [*JACOBIANS, "grad"])
def test_hessians(outer, inner):
    gradient = qd.grad(scalar_function) if inner == "grad" else JACOBIANS[inner](scalar_function)
    close(JACOBIANS[outer](gradient)(POINT), qd.hessian(scalar_function)(POINT), rtol=1e-10)


@pytest.mark.parametrize("outer", JACOBIANS)
@pytest.mark.parametrize("inner", JACOBIANS)
def test_second_derivatives_of_a_vector(outer, inner):
    found = JACOBIANS[outer](JACOBIANS[inner](vector_function))(POINT)
    assert found.shape == (3, 3, 3)
    close(found, np.swapaxes(found, 1, 2), rtol=1e-10)
    steps = 1e-6 * np.eye(3)
    rows = [
        (qd.jacrev(vector_function)(POINT + s) - qd.jacrev(vector_function)(POINT - s)) / 2e-6
        for s in steps
    ]
    np.testing.assert_allclose(found, np.moveaxis(np.array(rows), 0, -1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("inner", ["grad", "hessian", "jacfwd", "jacrev"])
def test_vmap_of_derivatives_is_a_loop(inner):
    f = getattr(qd, inner)(scalar_function)
    points = POINT + np.arange(4.0)[:, None] * 0.1
    close(qd.vmap(f)(points), np.stack([f(p) for p in points]), rtol=1e-10)


@pytest.mark.parametrize("chunk_size", [1, 2, 3])
def test_vmap_of_vmap_of_grad_in_chunks(chunk_size):
    points = np.linspace(0.1, 1, 24).reshape(4, 2, 3)
    found = qd.vmap(qd.vmap(qd.grad(scalar_function)), chunk_size=chunk_size)(points)
    wanted = np.array([[qd.grad(scalar_function)(p) for p in row] for row in points])
    close(found, wanted, rtol=1e-10)


def test_grad_of_a_sum_over_vmap():
    points = POINT + np.arange(4.0)[:, None] * 0.1
    found = qd.grad(lambda p: qd.vmap(scalar_function)(p).sum())(points)
    close(found, qd.vmap(qd.grad(scalar_function))(points), rtol=1e-10)


def test_linearize_of_vmap_and_vmap_of_its_derivative():
    points = POINT + np.arange(4.0)[:, None] * 0.1
    _, push = qd.linearize(qd.vmap(scalar_function), points)
    directions = np.stack([np.ones((4, 3)), np.eye(4, 3)])
    wanted = np.stack([qd.jvp(qd.vmap(scalar_function), (points,), (d,))[1] for d in directions])
    close(qd.vmap(push)(directions), wanted, rtol=1e-10)


def test_a_pullback_may_be_mapped_pushed_and_pulled():
    _y, pull = qd.vjp(vector_function, POINT)
    rows = qd.vmap(lambda ct: pull(ct)[0])(np.eye(3))
    close(rows, qd.jacfwd(vector_function)(POINT), rtol=1e-12)
    _, back = qd.jvp(lambda ct: pull(ct)[0], (np.ones(3),), (np.eye(3)[1],))
    close(back, rows[1], rtol=1e-12)
    close(qd.grad(lambda ct: pull(ct)[0].sum())(np.ones(3)), rows.sum(1), rtol=1e-12)


def test_linear_transpose_composes():
    a = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 4.0]])
    transposed = qd.linear_transpose(lambda x: a @ x, np.zeros(3))
    again = qd.linear_transpose(lambda ct: transposed(ct)[0], np.zeros(2))
    close(again(np.eye(3)[1])[0], a[:, 1])
    close(qd.vmap(lambda ct: transposed(ct)[0])(np.eye(2)), a)
    close(qd.grad(lambda ct: transposed(ct)[0].sum())(np.ones(2)), a.sum(1))
    close(qd.jvp(lambda ct: transposed(ct)[0], (np.ones(2),), (np.eye(2)[0],))[1], a[0])


def test_a_transposed_function_may_close_over_what_is_differentiated():
    def f(scale):
        transposed = qd.linear_transpose(lambda x: scale * x, np.zeros(2))
        return transposed(np.array([1.0, 2.0]))[0].sum()

    close(qd.grad(f)(5.0), 3.0)


def test_jet_of_grad_and_grad_of_jet():
    _, coefficients = qd.jet(qd.grad(smooth), (AT,), ([1.0, 0.0],))
    close(coefficients[1] * 2, smooth_derivative("smooth", 3), rtol=1e-8)
    found = qd.grad(lambda x: qd.jet(smooth, (x,), ([1.0, 0.0],))[1][1] * 2)(AT)
    close(found, smooth_derivative("smooth", 3), rtol=1e-8)


def test_a_gradient_step_inside_a_gradient():
    def loss(w, x):
        return (np.tanh(w * x) ** 2).sum()

    def after_a_step(w, x):
        return loss(w - 0.1 * qd.grad(loss)(w, x), x)

    w, x = np.array([0.5, -0.3]), np.array([1.0, 2.0])
    h = 1e-6
    wanted = [
        (after_a_step(w + h * e, x) - after_a_step(w - h * e, x)) / (2 * h) for e in np.eye(2)
    ]
    np.testing.assert_allclose(plain(qd.grad(after_a_step)(w, x)), wanted, rtol=1e-7)
