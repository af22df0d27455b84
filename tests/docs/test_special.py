"""The table of special functions in docs/special.md is what the rules say."""

import pytest

pytest.importorskip("scipy")
from docs import special_table


def test_the_table_is_todays():
    text = special_table.PAGE.read_text(encoding="utf-8")
    assert special_table.written(text) == text, "run python tests/docs/special_table.py"
