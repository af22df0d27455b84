"""Every function that NumPy dispatches is classified, tried, and on the page that lists them.

A new NumPy cannot add one unseen: the functions are enumerated at run time.
"""

import json

import numpy as np
import pytest

from numpy_calls import CALLS
from numpy_coverage import PAGE, RESULTS, functions, page, standing, verdict
from ops.signatures import writers
from ops.test_signatures import CALLS as TRIED

FUNCTIONS = functions()
# What takes no array of numbers, or gives where and not how much: tried by name elsewhere.
INDICES = {
    "diag_indices_from", "ix_", "ravel_multi_index", "tril_indices_from", "triu_indices_from",
    "unravel_index", "may_share_memory", "shares_memory", "einsum_path", "iscomplexobj",
    "isrealobj", "empty_like", "mask_indices", "broadcast_shapes",
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_stands_somewhere(name):
    kind, _ = standing(name, FUNCTIONS[name])
    assert kind != "missing", (
        f"{name}: write a rule, or give the reason in ops/refusing.py why it has none"
    )


def test_every_function_is_tried_with_random_arguments():
    """Each but what makes arrays or is refused has a generator of calls in tests/ops/signatures."""
    names = {name.split()[0] for name in (*TRIED, *writers.CALLS)} | INDICES
    untried = [
        name
        for name, f in FUNCTIONS.items()
        if not isinstance(f, np.ufunc)
        and standing(name, f)[0] in ("rule", "constant", "re-run")
        and name not in names
    ]
    assert untried == []


@pytest.mark.parametrize("name", CALLS)
def test_the_gradient_of_the_listed_call_is_right(name):
    assert verdict("qiudao", CALLS[name]) == "right"


def test_the_page_is_as_the_code_is():
    text = PAGE.read_text(encoding="utf-8")
    results = json.loads(RESULTS.read_text())
    if f"NumPy {np.__version__} " in text:
        assert text == page(results), "run benchmarks/numpy_coverage.py"
    for name, f in FUNCTIONS.items():
        row = f"| `{name}` | {standing(name, f)[0]} |"
        assert row in text or f"| `{name}` |" not in text


def test_the_listed_verdicts_are_of_the_listed_calls():
    for result in json.loads(RESULTS.read_text()).values():
        assert set(result["verdicts"]) == set(CALLS)
