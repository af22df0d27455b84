"""Projects that depend on HIPS autograd give the same numbers on us, unchanged."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
EXAMPLES = {
    "lifelines: three AFT regressions": "lifelines",
    "autograd-gamma: eight functions": "autograd_gamma",
}

pytestmark = pytest.mark.projects


def numbers(name, library):
    command = [sys.executable, BENCHMARKS / "autograd_projects_child.py", name, library, "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["numbers"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_numbers(name):
    if importlib.util.find_spec(EXAMPLES[name]) is None:
        pytest.skip(f"{EXAMPLES[name]} is not installed")
    np.testing.assert_allclose(
        numbers(name, "qiudao"), numbers(name, "autograd"), rtol=1e-6, atol=1e-8
    )
