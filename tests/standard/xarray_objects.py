"""What xarray does with a DataArray that holds our values."""

import numpy as np
import xarray as xr

X = np.random.default_rng(0).normal(size=(3, 4))
WEIGHTS = xr.DataArray([1.0, 2.0, 3.0], dims="t")

OF_ARRAY = {
    "arithmetic": lambda a: np.exp(a) * 2 + a.mean("t") - a**2,
    "sel": lambda a: a.sel(t=1) * a.isel(s=0).sum(),
    "where": lambda a: xr.where(a > 0, a, a * a) + a.where(a > 0, 0.0),
    "dot": lambda a: xr.dot(a, a) + a.T @ a,
    "std": lambda a: a.std() + a.var("t"),
    "max": lambda a: a.max("t") + a.min(),
    "median": lambda a: a.median("t"),
    "quantile": lambda a: a.quantile(0.3, "t"),
    "prod": lambda a: a.prod("s"),
    "cumsum": lambda a: a.cumsum("t"),
    "diff": lambda a: a.diff("t"),
    "clip": lambda a: a.clip(0, 1),
    "rolling": lambda a: a.rolling(t=2).mean().isel(t=slice(1, None)),
    "coarsen": lambda a: a.coarsen(s=2).mean(),
    "fillna": lambda a: a.shift(t=1).fillna(0.0) * a,
    "roll": lambda a: a.roll(t=1) * a,
    "pad": lambda a: a.pad(t=1, constant_values=0.0),
    "concat": lambda a: xr.concat([a, a * a], "t"),
    "stack": lambda a: a.stack(z=("t", "s")) ** 3,
    "transpose": lambda a: a.transpose("s", "t"),
    "sortby": lambda a: a.sortby("t", ascending=False),
    "integrate": lambda a: a.integrate("t"),
    "differentiate": lambda a: a.differentiate("t"),
    "groupby": lambda a: a.groupby("t").mean(),
    "weighted": lambda a: a.weighted(WEIGHTS).mean("t"),
    "apply_ufunc": lambda a: xr.apply_ufunc(np.tanh, a),
    "cov": lambda a: xr.cov(a.isel(s=0), a.isel(s=1)) + xr.corr(a.isel(s=2), a.isel(s=3)),
    "Dataset": lambda a: xr.Dataset({"a": a, "b": a * 2}).mean("t")["b"],
}


def on_data(f):
    """A function of a DataArray as one of the values that it holds."""

    def called(x):
        return f(xr.DataArray(x, dims=("t", "s"), coords={"t": [0, 1, 2]})).data

    return called


CASES = {name: (on_data(f), X) for name, f in OF_ARRAY.items()}
