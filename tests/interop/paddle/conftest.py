"""These tests run where paddle is installed, and only there."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if "interop/paddle" in item.path.as_posix():
            item.add_marker(pytest.mark.paddle)


@pytest.fixture
def tensor():
    """Makes a double tensor that a gradient flows to."""
    paddle = pytest.importorskip("paddle")
    return lambda values: paddle.to_tensor(values, dtype="float64", stop_gradient=False)
