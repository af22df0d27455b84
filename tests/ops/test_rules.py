"""The registry is the test list: every primitive, on every sample that it carries."""

import pytest

import qiudao  # noqa: F401  (fills the registry)
from qiudao.core.primitive import registry
from qiudao.testing import check_rule, every_sample

SAMPLES = every_sample()


@pytest.mark.parametrize(
    "prim, sample", [(prim, sample) for _, prim, sample in SAMPLES], ids=[s[0] for s in SAMPLES]
)
def test_rule(prim, sample):
    check_rule(prim, sample)


def test_names_are_distinct():
    names = [cls.name for cls in registry]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("cls", registry, ids=lambda cls: cls.name)
def test_a_primitive_is_documented(cls):
    assert vars(cls).get("__doc__")
    assert not cls.__doc__.startswith(f"{cls.__name__}(")  # written by `dataclass`
