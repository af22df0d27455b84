"""The trainings of `examples/` reach what they are to reach, on the tape and compiled."""

import numpy as np
import pytest

import characters
import digits
import moons
import sorting

compiled = pytest.mark.parametrize("jit", [False, True], ids=["tape", "jit"])


@compiled
def test_moons(jit, tmp_path):
    result = moons.main(jit)
    assert result["accuracy"] == 1.0
    if not jit:
        pytest.importorskip("matplotlib")
        moons.picture(result, tmp_path / "moons.png")
        assert (tmp_path / "moons.png").stat().st_size > 10_000


@compiled
def test_digits(jit):
    assert digits.main(jit)["accuracy"] >= 0.985


@compiled
def test_sorting(jit):
    assert sorting.main(jit)["accuracy"] > 0.98


@compiled
def test_characters(jit):
    result = characters.main(jit)
    assert result["losses"][0] > 3.0
    assert np.mean(result["losses"][-20:]) < 0.35
    assert result["line"].startswith("one from the north, one from the south")
