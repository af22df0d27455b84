"""Views and writes against NumPy itself: the same values under every name, the same memory."""

import numpy as np
import pytest
from hypothesis import given, settings

import qiudao as qd
from checking import close, leaf
from programs_of_writes import SHAPE, programs, run, total

X = np.linspace(0.4, 1.6, 12).reshape(SHAPE)
DX = np.cos(np.arange(12.0)).reshape(SHAPE)


def slope(program):
    """The derivative along DX, by a complex step through NumPy itself."""
    return np.imag(total(program, X + 1e-30j * DX)) / 1e-30


@settings(max_examples=120)
@given(programs)
def test_the_values_under_every_name_are_numpys(program):
    for found, wanted in zip(run(program, leaf(X)), run(program, X), strict=True):
        close(found, wanted)


@settings(max_examples=120)
@given(programs)
def test_the_gradient_is_exact(program):
    x = leaf(X)
    total(program, x).backward()
    np.testing.assert_allclose((x.grad.numpy() * DX).sum(), slope(program), rtol=1e-11)


@settings(max_examples=60)
@given(programs)
def test_forward_mode_agrees(program):
    y, dy = qd.jvp(lambda x: total(program, x), (X,), (DX,))
    np.testing.assert_allclose(y, total(program, X), rtol=1e-12)
    np.testing.assert_allclose(dy, slope(program), rtol=1e-11)


@settings(max_examples=60)
@given(programs)
def test_vmap_agrees(program):
    values = qd.vmap(lambda x: total(program, x))(np.stack([X, X[::-1]]))
    np.testing.assert_allclose(values, [total(program, X), total(program, X[::-1])], rtol=1e-11)


@settings(max_examples=30)
@given(programs)
def test_taylor_mode_and_second_order_agree(program):
    _, (first, second) = qd.jet(lambda x: total(program, x), (X,), ([DX, np.zeros(SHAPE)],))
    np.testing.assert_allclose(first, slope(program), rtol=1e-11)
    hv = qd.hvp(lambda x: total(program, x), X, DX)
    np.testing.assert_allclose((hv * DX).sum(), 2 * second, rtol=1e-9, atol=1e-9)


def base():
    x = leaf(np.arange(12.0).reshape(3, 4))
    return x, x * 1.0


def test_a_write_to_the_base_shows_in_a_view():
    _, y = base()
    v = y[1]
    y[1, 0] = 50.0
    close(v, [50.0, 5.0, 6.0, 7.0])


def test_a_write_to_a_view_shows_in_the_base_and_in_other_views():
    _, y = base()
    v, w = y[1], y[:, 0]
    v[0] = 50.0
    close(y[1, 0], 50.0)
    close(w, [0.0, 50.0, 8.0])


def test_a_write_to_a_view_of_a_view_of_a_view():
    x, y = base()
    y[1:].T[0][1:] = x[0, 3] * 10
    close(y[2, 0], 30.0)
    close(qd.grad(y.sum(), x)[0][0, 3], 11.0)


@pytest.mark.parametrize(
    "view",
    [
        lambda y: y.reshape(2, 6),
        lambda y: y.T,
        lambda y: np.flip(y, 0),
        lambda y: y[::-1, 1:],
        lambda y: y.ravel(),
        lambda y: np.swapaxes(y, 0, 1),
        lambda y: y[None, ..., None],
        lambda y: np.squeeze(y[None]),
        lambda y: np.rot90(y),
        lambda y: np.atleast_3d(y),
        lambda y: np.vsplit(y, 3)[1],
    ],
)
def test_a_write_through_a_view_goes_where_numpy_puts_it(view):
    data = np.arange(12.0).reshape(3, 4)
    x = leaf(data)
    y, n = x * 1.0, data * 1.0
    for a in (y, n):
        view(a)[0] = -1.0
    close(y, n)
    close(qd.grad(y.sum(), x)[0], (n != -1.0).astype(float))


def test_rows_of_an_iteration_are_views():
    x, y = base()
    for row in y:
        row[0] = 0.0
    close(y[:, 0], np.zeros(3))
    close(qd.grad(y.sum(), x)[0][:, 0], np.zeros(3))


def test_augmented_assignment_to_a_view():
    x, y = base()
    v = y[0]
    v += x[1] * 2
    v *= 3
    close(y[0], 3 * (np.arange(4.0) + 2 * np.arange(4.0, 8.0)))
    close(qd.grad(y[0].sum(), x)[0][1], np.full(4, 6.0))


def test_augmented_assignment_to_an_element():
    x, y = base()
    y[0, 1] += x[2, 2]
    close(y[0, 1], 11.0)
    close(qd.grad(y[0, 1], x)[0][2, 2], 1.0)


def test_where_numpy_copies_a_write_stays_in_the_copy():
    _, y = base()
    for copy in (y.flatten(), y.T.reshape(-1), y[[0, 1]], y[y > 3], y.copy(), y + 0):
        copy[...] = -1.0
    close(y, np.arange(12.0).reshape(3, 4))


def test_astype_of_the_same_dtype_is_a_copy():
    _, y = base()
    z = y.astype(float)
    z[...] = -1.0
    close(y, np.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(
    "view",
    [
        lambda y: np.broadcast_to(y, (2, 3, 4)),
        lambda y: np.diagonal(y),
        lambda y: y.diagonal(),
        lambda y: np.diag(y),
    ],
    ids=["broadcast_to", "diagonal", "method", "diag"],
)
def test_what_numpy_makes_read_only_cannot_be_written(view):
    _, y = base()
    with pytest.raises(ValueError, match="read-only"):
        view(y)[0] = 1.0


def test_parts_of_a_complex_array_are_views():
    z = leaf([1 + 2j, 3 - 1j])
    y = z * 1
    y.real[0] = 10.0
    y.imag[1] = 7.0
    close(y, [10 + 2j, 3 + 7j])
    (g,) = qd.grad((np.real(y) + np.imag(y)).sum(), z)
    close(g, [1j, 1.0])


def test_parts_of_a_complex_array_may_be_set():
    z, x = np.array([1 + 2j, 3 - 1j]), np.array([0.5, -2.0])

    def parts(z, x):
        y = z * 1
        y.real = x * x
        y.imag = np.abs(z)
        return y

    want = (x * x) + 1j * np.abs(z)
    np.testing.assert_allclose(qd.vjp(parts, z, x)[0], want)
    assert qd.gradcheck(parts, z, x, order=2)
    y = leaf(x) * 1
    y.real = 4.0
    close(y.numpy() if not y.requires_grad else y.detach().numpy(), [4.0, 4.0])
    with pytest.raises(TypeError, match="imag: a float64 array has no imaginary part to set"):
        y.imag = 1.0


def test_a_read_only_part_of_a_real_array_is_the_array():
    _, y = base()
    y.real[0, 0] = -5.0
    close(y[0, 0], -5.0)


def test_a_deep_chain_of_views():
    x = leaf(np.arange(4.0))
    y = x * 1.0
    v = y
    for _ in range(3000):
        v = v[::-1]
    v[0] = 9.0
    y += 1
    close(v, [10.0, 2.0, 3.0, 4.0])
    close(qd.grad(v.sum(), x)[0], [0.0, 1.0, 1.0, 1.0])


def test_a_view_that_is_made_a_leaf_follows_no_more():
    x = qd.tensor(np.zeros(3))
    v = x[1:].requires_grad_()
    x[...] = 5.0
    close(v, [0.0, 0.0])
    close(qd.grad((v * 2).sum(), v)[0], [2.0, 2.0])


def test_a_view_that_is_detached_in_place_follows_no_more():
    _, y = base()
    v = y[0].detach_()
    y[...] = 5.0
    close(v, np.arange(4.0))
    assert not v.requires_grad


def test_a_view_of_a_vector_under_vmap_is_a_number_as_in_numpy():
    def f(x):
        y = x * 1.0
        a = y[0]
        y[0] = 9.0
        return a

    close(qd.vmap(f)(np.array([[1.0, 2.0], [3.0, 4.0]])), [1.0, 3.0])


ALIKE = {
    "roll by nothing": lambda v: np.roll(v, 0),
    "roll all round": lambda v: np.roll(v, v.shape[0], 0),
    "pad by nothing": lambda v: np.pad(v, 0, mode="edge"),
    "tile once": lambda v: np.tile(v, 1),
    "resize to the same": lambda v: np.resize(v, v.shape),
    "ravel": np.ravel,
    "ravel of every other": lambda v: np.ravel(v[::2]),
    "ravel backwards": lambda v: v[::-1].ravel(),
    "ravel in Fortran's order": lambda v: v.ravel("F"),
    "ravel as it lies": lambda v: v[::-1].ravel("K"),
    "reshape of every other": lambda v: v[::2].reshape(-1),
    "meshgrid": lambda v: np.meshgrid(v[0], v[0])[0],
    "sparse meshgrid": lambda v: np.meshgrid(v[0], v[0], sparse=True)[1],
    "choose": lambda v: np.choose(np.zeros(v.shape, int), [v]),
    "fftshift of one": lambda v: np.fft.fftshift(v[:1], 0),
    "turned by nothing": lambda v: np.rot90(v, 0),
    "turned all round": lambda v: np.rot90(v, 4),
    "turned": np.rot90,
    "conj": lambda v: v.conj(),
    "np.conj": np.conj,
    "plus": lambda v: +v,
    "real": lambda v: v.real,
    "repeat once": lambda v: np.repeat(v, 1, 0),
    "concatenate one": lambda v: np.concatenate([v]),
    "delete nothing": lambda v: np.delete(v, [], 0),
    "sum over no axes": lambda v: np.sum(v, axis=()),
    "where it is true": lambda v: np.where(True, v, 0.0),
    "triu with all": lambda v: np.triu(v, -9),
    "einsum of the same": lambda v: np.einsum("ij->ij", v),
    "astype": lambda v: v.astype(v.dtype),
    "astype without a copy": lambda v: v.astype(v.dtype, copy=False),
    "transpose": np.transpose,
    "flip": np.flip,
    "squeeze": np.squeeze,
    "all of it": lambda v: v[...],
    "by a mask": lambda v: v[np.ones(len(v), bool)],
    "by numbers": lambda v: v[list(range(len(v)))],
    "contiguous": lambda v: np.ascontiguousarray(v, like=v),
    "Fortran's order": lambda v: np.asfortranarray(v, like=v),
}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", ALIKE)
def test_what_shares_memory_in_numpy_does_here_and_nothing_else(name, transposed):
    def written(base):
        v = base.T if transposed else base
        before, through = ALIKE[name](v), ALIKE[name](v)
        through[...] = 7.0
        between = 1 * base
        base[...] = -1.0
        return before, between

    data = np.arange(1.0, 10.0).reshape(3, 3)
    for base in (qd.tensor(data), leaf(data) * 1):
        for found, wanted in zip(written(base), written(data.copy()), strict=True):
            close(found, wanted)
