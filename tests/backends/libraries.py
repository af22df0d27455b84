"""The libraries whose arrays are tried, and how to get at their numbers."""

import importlib

import numpy as np
import pytest

NAMES = ("array_api_strict", "dask.array", "torch", "jax.numpy")


def params(names=NAMES):
    """Test parameters: torch and jax are peers, which may be absent."""
    return [
        pytest.param(n, marks=pytest.mark.peer) if n.startswith(("torch", "jax")) else n
        for n in names
    ]


class Dealer:
    """Makes arrays of one library, and NumPy's of them again."""

    def __init__(self, name):
        self.name = name
        self.xp = pytest.importorskip(name)
        if name == "jax.numpy":
            importlib.import_module("jax").config.update("jax_enable_x64", True)

    def array(self, x):
        """A foreign array; one of dask has several chunks along each axis."""
        x = np.asarray(x)
        if self.name == "dask.array":
            return self.xp.from_array(x, chunks=tuple(max(1, n - n // 3) for n in x.shape))
        if self.name == "torch":
            return self.xp.tensor(x.copy())  # which takes no memory that must not be written to
        return self.xp.asarray(x)

    def numbers(self, xs):
        """The numbers of what must be foreign arrays; lazy ones are computed in one go."""
        for x in xs:
            root = type(x).__module__.partition(".")[0]
            assert root in (self.name.partition(".")[0], "jaxlib"), type(x)
        if self.name == "dask.array":
            return importlib.import_module("dask").compute(*xs, scheduler="synchronous")
        return [self.numpy(x) for x in xs]

    def numpy(self, x):
        """The numbers of one array."""
        if self.name == "array_api_strict":
            return np.from_dlpack(x) if x.dtype != self.xp.bool else np.array(x._array)
        return np.asarray(x)
