"""The public surface is explicit: `__all__` is sorted, complete, importable and documented."""

import inspect
from types import ModuleType

import pytest

from structure.source import load, modules, packages


def listed(module: ModuleType) -> set[str]:
    """The names in a module's `__all__`; one that exposes nothing needs none."""
    return set(getattr(module, "__all__", ()))


def exposed(module: ModuleType) -> set[str]:
    """The public names in a module that are our own functions, classes and objects."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and str(getattr(value, "__module__", "")).partition(".")[0] == "qiudao"
    }


def documented(value: object) -> bool:
    """Whether a value has a docstring of its own; that of its class does for a plain object.

    Names handed on from Python or NumPy have theirs.
    """
    if not inspect.isclass(value) or not value.__module__.startswith("qiudao"):
        return bool(inspect.getdoc(value))
    doc = vars(value).get("__doc__") or ""
    return bool(doc) and not doc.startswith(f"{value.__name__}(")  # written by `dataclass`


@pytest.mark.parametrize("name", modules())
def test_all_is_sorted_and_every_name_in_it_exists(name):
    module = load(name)
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(set(names))
    assert [each for each in names if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", packages())
def test_a_package_lists_all_that_it_exposes(name):
    package = load(name)
    assert sorted(exposed(package) - listed(package)) == []


@pytest.mark.parametrize("name", packages())
def test_every_listed_name_is_documented(name):
    package = load(name)
    assert documented(package)
    names = sorted(listed(package))
    assert [each for each in names if not documented(getattr(package, each))] == []
