"""Transforms: values are SciPy's, derivatives exact."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

theirs = pytest.importorskip("scipy.fft")
fft = qd.scipy.fft
PLANE = np.cos(np.arange(20.0)).reshape(4, 5)

OPTIONS = {
    "fft": [{}, {"n": 7, "axis": 0, "norm": "ortho"}],
    "ifft": [{}, {"n": 3, "norm": "forward"}],
    "rfft": [{}, {"n": 6}],
    "irfft": [{}, {"n": 6, "axis": 0}],
    "hfft": [{}, {"n": 6, "norm": "ortho"}],
    "ihfft": [{}, {"n": 6}],
    "fft2": [{}, {"norm": "ortho"}],
    "ifft2": [{}],
    "rfft2": [{}, {"s": (3, 4)}],
    "irfft2": [{}],
    "fftn": [{}, {"s": (7,)}, {"axes": (0,)}],
    "ifftn": [{}],
    "rfftn": [{}, {"s": (6,)}],
    "irfftn": [{}],
    "fftshift": [{}, {"axes": 1}],
    "ifftshift": [{}],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_fourier(name):
    ours, their = getattr(fft, name), getattr(theirs, name)
    for options in OPTIONS[name]:
        expected = their(PLANE, **options)
        assert np.array_equal(ours(PLANE, **options), expected)
        close(ours(leaf(PLANE), **options).detach(), expected)

        def f(x, options=options):
            return np.sum(np.abs(ours(x, **options) + 0.3) ** 2)

        assert qd.gradcheck(f, PLANE)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
def test_cosines(name, kind):
    ours, their = getattr(fft, name), getattr(theirs, name)
    for options in [{}, {"norm": "ortho", "axis": 0}, {"n": 7, "norm": "forward"}, {"n": 3}]:
        expected = their(PLANE, kind, **options)
        assert np.array_equal(ours(PLANE, kind, **options), expected)
        close(ours(leaf(PLANE), kind, **options).detach(), expected)

    def f(x):
        return np.sum(ours(x, kind, axis=0) ** 3)

    assert qd.gradgradcheck(f, PLANE[:, :2])
