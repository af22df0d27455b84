"""SciPy, scikit-learn and xarray on our values: each function of the tables, value by value.

The page `docs/array-standard.md` names the functions of the tables, no more and no fewer.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "array-standard.md"
TABLES = {"scipy_functions": "scipy", "scikit_learn": "sklearn", "xarray_objects": "xarray"}


def verdicts(table):
    """What each function of a table did, in a process where SciPy lets other arrays in."""
    ran = subprocess.run(
        [sys.executable, HERE / "verdicts.py", table],
        check=False, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("table", TABLES)
def test_values_and_derivatives_pass_through(table):
    if importlib.util.find_spec(TABLES[table]) is None:
        pytest.skip(f"{TABLES[table]} is not installed")
    found = verdicts(table)
    assert {name: verdict for name, verdict in found.items() if verdict != "right"} == {}
    listed = re.search(rf"<!-- {table} -->\n(.*?)\n\n", PAGE.read_text(), re.DOTALL)
    assert set(found) == set(re.findall(r"`([^`]+)`", listed[1]))
