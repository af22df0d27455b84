"""Calls of the functions that reduce or accumulate along axes."""

import numpy as np


def reduction(d, where=False, initial=False, dtype=False, **more):
    """An array and the keywords that reductions share."""
    x = d.array()
    choices = {"axis": lambda: d.axis(x.ndim), "keepdims": d.flag}
    if where:
        choices["where"] = lambda: d.mask(x.shape)
    if initial:
        choices["initial"] = lambda: d.pick(0.5, 2, -1.0)
    if dtype:
        choices["dtype"] = lambda: d.pick("f8", "f4", "c16", "i8")
    return (x,), d.options(**choices, **more)


def sums(d):
    return reduction(d, where=True, initial=True, dtype=True)


def extremes(d):
    return reduction(d, where=True, initial=True)


def means(d):
    return reduction(d, where=True, dtype=True)


def spreads(d):
    return reduction(d, where=True, dtype=True, ddof=lambda: d.pick(0, 1))


def truths(d):
    return reduction(d, where=True)


def bare(d):
    return reduction(d)


def searches(d):
    x = d.array()
    return (x,), d.options(axis=lambda: d.axis(x.ndim, tuples=False), keepdims=d.flag)


def counts(d):
    return reduction(d)


def running(d):
    x = d.array()
    return (x,), d.options(
        axis=lambda: d.axis(x.ndim, tuples=False), dtype=lambda: d.pick("f8", "f4", "c16")
    )


def standard_running(d):
    x = d.array()
    return (x,), d.options(
        axis=lambda: d.axis(x.ndim, tuples=False),
        include_initial=d.flag,
        dtype=lambda: d.pick("f8", "c16"),
    )


def holes(d, call):
    """The same, with NaN among the elements."""
    (x,), options = call(d)
    if x.dtype.kind in "fc" and x.size > 1:
        x = np.where(d.rng.random(x.shape) > 0.7, np.nan, x).astype(x.dtype)
    return (x,), options


def medians(d):
    x = d.real()
    return (x,), d.options(axis=lambda: d.axis(x.ndim), keepdims=d.flag)


METHODS = [
    "linear", "lower", "higher", "nearest", "midpoint", "hazen", "inverted_cdf", "weibull",
    "median_unbiased", "averaged_inverted_cdf", "closest_observation",
]  # fmt: skip


def quantiles(d, scale=1.0, nan=False):
    x = d.real((5,), (3, 4), (2, 3, 2))
    grid = [] if nan else [np.array([[0.21, 0.9], [0.5, 1.0]])]  # NumPy mixes up its axes there
    q = d.pick(0.3, np.array([0.1, 0.55]), 0.0, 1, *grid)
    q = q * scale if scale != 1 else q
    return (x, q), d.options(
        axis=lambda: d.axis(x.ndim), keepdims=d.flag, method=lambda: d.pick(*METHODS)
    )


def weighted_quantiles(d, scale=1.0):
    x = d.floats((5,), (3, 4))
    q = d.pick(0.3, np.array([0.1, 0.55])) * scale
    axis = d.pick(None, 0, -1)
    shape = x.shape if axis is None or d.flag() else (x.shape[axis],)
    weights = d.values(shape, "f8", 0.1, 2.0)
    return (x, q), {"axis": axis, "weights": weights, "method": "inverted_cdf"}


def averages(d):
    x = d.array()
    axis = d.axis(x.ndim, tuples=False)
    options = d.options(
        weights=lambda: d.floats(x.shape, x.shape[-1:], low=0.2), keepdims=d.flag,
        returned=d.flag,
    )  # fmt: skip
    return (x,), {"axis": axis, **options}


def traces(d):
    x = d.array((3, 3), (2, 3), (2, 3, 3), (3,))
    return (x,), d.options(
        offset=lambda: d.pick(0, 1, -1), axis1=lambda: d.pick(0, 1),
        axis2=lambda: d.pick(1, -1), dtype=lambda: d.pick("f8", "c16"),
    )  # fmt: skip


CALLS = {
    "sum": sums, "prod": sums, "max": extremes, "min": extremes, "amax": extremes,
    "amin": extremes, "mean": means, "var": spreads, "std": spreads, "all": truths,
    "any": truths, "ptp": bare, "argmax": searches, "argmin": searches,
    "count_nonzero": counts, "cumsum": running, "cumprod": running,
    "cumulative_sum": standard_running, "cumulative_prod": standard_running,
    "nansum": lambda d: holes(d, sums), "nanprod": lambda d: holes(d, sums),
    "nanmax": lambda d: holes(d, extremes), "nanmin": lambda d: holes(d, extremes),
    "nanmean": lambda d: holes(d, means), "nanvar": lambda d: holes(d, spreads),
    "nanstd": lambda d: holes(d, spreads), "nancumsum": lambda d: holes(d, running),
    "nancumprod": lambda d: holes(d, running), "nanargmax": lambda d: holes(d, searches),
    "nanargmin": lambda d: holes(d, searches), "median": medians,
    "nanmedian": lambda d: holes(d, medians), "quantile": quantiles,
    "percentile": lambda d: quantiles(d, 100.0), "nanquantile": lambda d: quantiles(d, nan=True),
    "nanpercentile": lambda d: quantiles(d, 100.0, nan=True), "average": averages, "trace": traces,
    "quantile weighted": weighted_quantiles,
    "percentile weighted": lambda d: weighted_quantiles(d, 100.0),
}  # fmt: skip
