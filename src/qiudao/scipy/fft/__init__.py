"""`qd.scipy.fft`: Fourier, cosine and sine transforms with derivatives."""

from .cosines import dct, dst, idct, idst
from .fourier import (
    fft,
    fft2,
    fftfreq,
    fftn,
    fftshift,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftfreq,
    rfftn,
)  # fmt: skip

__all__ = [
    "dct", "dst", "fft", "fft2", "fftfreq", "fftn", "fftshift", "idct", "idst", "ifft", "ifft2",
    "ifftn", "ifftshift", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip
