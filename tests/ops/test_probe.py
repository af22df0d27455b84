"""The public probe: plain snippets are differentiated rightly, or refused, and none in silence."""

import json

import pytest

pytest.importorskip("scipy")

from numpy_coverage import PROBE
from probe.run import run
from probe.snippets import SNIPPETS

ASKED = {"isinstance(x, np.ndarray) * x[0]"}  # a tensor is none, unless lifted


def by_verdict(result, *wanted):
    return {
        snippet
        for verdicts in result["verdicts"].values()
        for snippet, verdict in verdicts.items()
        if verdict in wanted
    }


def test_there_are_enough_and_no_two_alike():
    every = [snippet for snippets in SNIPPETS.values() for snippet in snippets]
    assert len(every) == len(set(every)) >= 200


@pytest.mark.parametrize("library", ["qiudao", "qiudao lift"])
def test_nothing_is_wrong_in_silence(library):
    result = run(library)
    assert by_verdict(result, "wrong") <= (ASKED if library == "qiudao" else set())
    listed = json.loads(PROBE.read_text())[library]
    lost = by_verdict(listed, "right") - by_verdict(result, "right")
    assert lost == set(), "these were right when results/probe.json was written"


def test_the_listed_results_are_of_these_snippets():
    for result in json.loads(PROBE.read_text()).values():
        assert {f: set(v) for f, v in result["verdicts"].items()} == {
            f: set(s) for f, s in SNIPPETS.items()
        }
