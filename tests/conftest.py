"""What every test shares: a quiet, headless, repeatable setting.

Hypothesis draws the same examples each time; `pytest --hypothesis-profile=search` draws new ones.
"""

import os

# One thread, told before NumPy loads BLAS: on small matrices its threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

import qiudao.ops.rarer  # noqa: F401  # a test that goes through the rules goes through all
from qiudao.compiling import kept

os.environ.setdefault("MPLBACKEND", "Agg")  # no window
os.environ.setdefault("JAX_ENABLE_X64", "1")  # an oracle must be as precise as we are
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# No deadline: the first call of a compiled function compiles.
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def compiled_anew():
    """Every test's programs go through the passes, though another test compiled the same ones."""
    recalled, kept.recalled = kept.recalled, lambda name: None
    yield
    kept.recalled = recalled
