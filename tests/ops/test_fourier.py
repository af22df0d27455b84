import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree

NORMS = [None, "backward", "ortho", "forward"]


def real(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)[::-1]


LINES = [np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft]
NAMES = [f.__name__ for f in LINES]
TAKES_REAL = (np.fft.rfft, np.fft.ihfft, np.fft.rfft2, np.fft.rfftn)


def operands(f, *shape):
    return [real(*shape)] if f in TAKES_REAL else [real(*shape), cplx(*shape)]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 2, 3, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("f", LINES, ids=NAMES)
def test_a_line(f, n, norm):
    for x in operands(f, 5):
        agree(lambda x: f(x, n, norm=norm), x, batched=norm is None)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("f", LINES, ids=NAMES)
def test_along_an_axis(f, axis):
    for x in operands(f, 4, 3):
        agree(lambda x: f(x, axis=axis), x)
        agree(lambda x: f(x, 5, axis, "ortho"), x)


SEVERAL = [np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn]
PLANES = [np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2]
WHERE = [
    {},
    {"axes": (0, 1)},
    {"axes": (2, 0)},
    {"axes": (-1,)},
    {"s": (5, 2), "axes": (0, 2)},
    {"s": (2, 6), "axes": (1, -1)},
    {"s": (-1, 5), "axes": (0, 1)},
    {"s": (4, -1), "axes": (0, 1)},
]


@pytest.mark.parametrize("where", WHERE, ids=str)
@pytest.mark.parametrize("f", SEVERAL + PLANES, ids=lambda f: f.__name__)
def test_several_axes(f, where):
    for x in operands(f, 3, 4, 2):
        agree(lambda x: f(x, **where), x, batched=where == {"axes": (2, 0)})
        agree(lambda x: f(x, norm="ortho", **where), x, batched=False)


@pytest.mark.filterwarnings("ignore:`axes` should not be `None`:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Passing an array containing `None`:DeprecationWarning")
@pytest.mark.parametrize("f", SEVERAL, ids=lambda f: f.__name__)
def test_what_numpy_still_takes(f):
    for x in operands(f, 3, 4):
        agree(lambda x: f(x, (2, 5)), x)
        agree(lambda x: f(x, (None, 5), (0, 1)), x)
        agree(lambda x: f(x, axes=(0, 0)), x)


def test_an_axis_of_no_transform():
    agree(lambda x: np.fft.fftn(x, axes=()), cplx(2, 3))


def test_shifts():
    for f in (np.fft.fftshift, np.fft.ifftshift):
        agree(f, real(5))
        agree(f, cplx(4, 3))
        agree(lambda x, f=f: f(x, axes=0), real(4, 3))
        agree(lambda x, f=f: f(x, axes=(-1, 0)), real(4, 3))


@pytest.mark.parametrize("f", LINES + SEVERAL, ids=lambda f: f.__name__)
def test_single_precision_stays_single(f):
    for x in operands(f, 4, 3):
        x = x.astype("c8" if x.dtype.kind == "c" else "f4")
        agree(f, x, tolerance=1e-5)


@given(st.integers(1, 7), st.integers(1, 8), st.sampled_from(NORMS), st.sampled_from(LINES))
def test_any_length(size, n, norm, f):
    for x in operands(f, size):
        agree(lambda x: f(x, n, norm=norm), x, batched=False)


@pytest.mark.parametrize("n", [4, 5])
def test_the_imaginary_parts_that_irfft_ignores_have_no_gradient(n):
    g = qd.grad(lambda z: np.sum(np.fft.irfft(z, n) ** 2))(cplx(3))
    assert g[0].imag == 0
    assert (g[-1].imag == 0) == (n == 4)
    assert g[1].imag != 0


def test_an_energy_has_the_gradient_that_parseval_says():
    x = real(6)
    g = qd.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(x)
    np.testing.assert_allclose(g, 2 * 6 * x)


@pytest.mark.parametrize("f", [np.fft.rfft, np.fft.irfft, np.fft.fft2, np.fft.hfft])
def test_derivatives_to_third_order(f):
    x = real(2, 4)
    assert qd.gradcheck(lambda x: np.sum(np.abs(f(x)) ** 2 * x[0, 0]), x, order=3)


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda x: np.fft.fft(x, 0), "fft: 0 points; a transform needs at least one"),
        (lambda x: np.fft.irfft(x[:1]), "irfft: 0 points"),
        (lambda x: np.fft.fft(x, norm="unit"), "fft: norm='unit'; it must be \"backward\""),
        (lambda x: np.fft.fftn(x, (2,), (0, 0)), r"fftn: s=\(2,\) gives 1 sizes for 2 axes"),
        (lambda x: np.fft.rfftn(x, axes=()), "rfftn: there is no axis to transform"),
        (lambda x: np.fft.fft(x, axis=1), "axis 1 is out of bounds"),
    ],
)
def test_what_is_wrong_is_said(f, text):
    with pytest.raises(ValueError, match=text):
        qd.vjp(f, real(4))


def test_complex_lines_are_no_real_ones():
    with pytest.raises(TypeError, match=r"rfft: c128\[4\] is complex; use fft"):
        qd.vjp(np.fft.rfft, cplx(4))


def test_lines_that_a_mask_drops_contribute_nothing():
    z = np.array([[1.0, 2.0], [0.0, 1.0]])
    g = qd.grad(lambda z: np.sum(np.where([[True], [False]], np.fft.fft(np.sqrt(z)).real, 0)))(z)
    np.testing.assert_allclose(g, [[1.0, 0.0], [0.0, 0.0]])


@pytest.mark.peer
def test_gradients_against_torch():
    torch = pytest.importorskip("torch")
    x = real(3, 5)

    def f(fft, x):
        y = fft.irfft(fft.rfft(x, n=6) ** 2, n=7) + fft.hfft(fft.ihfft(x, n=7), n=7)
        return (abs(fft.fft2(y)) ** 2).sum()

    ours = qd.grad(lambda x: f(np.fft, x))(x)
    t = torch.tensor(x, requires_grad=True)
    f(torch.fft, t).backward()
    np.testing.assert_allclose(ours, t.grad.numpy(), rtol=1e-10)
