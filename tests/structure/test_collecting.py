"""Importing qiudao does not make Python's collector go through everybody's objects."""

from structure.source import run_python

# A process in which a full collection is due, as after importing SciPy's solvers.
DUE = """
import gc
import numpy as np

gc.set_threshold(700, 1, 1)
kept = [[] for _ in range(10_000)]
before = gc.get_stats()[2]["collections"]
"""


def test_an_import_sets_off_no_full_collection_and_leaves_none_due():
    run_python(
        DUE
        + """
import qiudao as qd

assert gc.isenabled()
assert gc.get_stats()[2]["collections"] == before
assert gc.get_count()[0] < 100
"""
    )


def test_a_name_imported_when_asked_for_sets_off_none_either():
    run_python(
        DUE
        + """
import qiudao as qd

qd.jit
assert gc.isenabled()
assert gc.get_stats()[2]["collections"] == before
"""
    )


def test_a_collector_that_was_off_stays_off():
    run_python("import gc; gc.disable(); import qiudao as qd; qd.jit; assert not gc.isenabled()")


def test_the_collector_is_on_again_after_an_import_that_fails():
    run_python(
        """
import gc, sys
import qiudao as qd

sys.modules["qiudao.nn"] = None  # importing it now raises ImportError
try:
    qd.nn
except ImportError:
    assert gc.isenabled()
else:
    raise SystemExit("it was imported")
"""
    )
