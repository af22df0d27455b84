"""`qd.scipy.signal`: convolutions, linear filters and spectra with derivatives."""

from .convolutions import convolve, correlate, fftconvolve
from .filters import lfilter, lfilter_zi, sosfilt, sosfilt_zi
from .smoothing import detrend, savgol_filter
from .spectra import hilbert, periodogram, resample, welch
from .zero_phase import filtfilt, sosfiltfilt

__all__ = [
    "convolve",
    "correlate",
    "detrend",
    "fftconvolve",
    "filtfilt",
    "hilbert",
    "lfilter",
    "lfilter_zi",
    "periodogram",
    "resample",
    "savgol_filter",
    "sosfilt",
    "sosfilt_zi",
    "sosfiltfilt",
    "welch",
]
