"""The gallery is drawn from running code: its pictures are those that the code draws now."""

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def made(name):
    spec = importlib.util.spec_from_file_location(name, GALLERY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    made("make").write_pictures(folder)
    return folder


@pytest.mark.parametrize("name", sorted(p.stem for p in GALLERY.glob("*.svg")))
def test_pictures_are_what_is_drawn_now(fresh, name):
    """The words and the boxes; the last digit of a number may differ from machine to machine."""
    drawn, kept = (NUMBER.sub("#", (f / f"{name}.svg").read_text()) for f in (fresh, GALLERY))
    assert drawn == kept


def test_every_picture_is_shown_and_there():
    page = (GALLERY / "README.md").read_text()
    shown = re.findall(r"\]\(([\w-]+\.(?:svg|png))\)", page)
    assert all((GALLERY / name).is_file() for name in shown)
    assert {Path(name).stem.removesuffix("-dark") for name in shown} == set(
        made("examples").examples()
    )


def test_the_examples_of_the_page_run():
    failed, attempted = doctest.testfile(str(GALLERY / "README.md"), module_relative=False)
    assert attempted
    assert not failed
