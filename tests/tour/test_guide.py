import io
import re

import pytest

pytest.importorskip("rich")
pytest.importorskip("matplotlib")

from rich.console import Console

from qiudao.tour.guide import Guide, take_tour

PICTURES = ("chain.html", "limits.png", "training.png", "digits.png")


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour")
    console = Console(file=io.StringIO(), width=80)
    take_tour(folder, console)
    return folder, console.file.getvalue()


def test_it_shows_what_the_sweeps_find(tour):
    _, text = tour
    assert re.search(r"reverse sweep +14 +none +1", text)
    assert re.search(r"reverse sweep +66,060,288,000 +none +3", text)
    assert re.search(r"limit +66,060,290,527.34 +3.8e-08 +6", text)
    assert re.search(r"1,000 +1,001 .* 1,000 .* 1 ", text)


def test_it_shows_the_three_terms_and_their_sum(tour):
    _, text = tour
    assert re.search(r"the y of -4·y +-4 +-524,288,000", text)
    assert re.search(r"sum of the three +36 +4,718,592,000", text)


def test_it_reads_at_least_96_digits_of_100(tour):
    _, text = tour
    (share,) = re.findall(r"([\d.]+)% of the held-out digits", text)
    assert float(share) >= 96.0


def test_it_takes_less_than_a_minute(tour):
    _, text = tour
    (seconds,) = re.findall(r"Done in ([\d.]+) s", text)
    assert float(seconds) < 60


def test_it_writes_its_pictures_and_names_their_folder(tour):
    folder, text = tour
    assert sorted(p.name for p in folder.iterdir()) == sorted(PICTURES)
    for name in PICTURES:
        assert name in text
        start = b"<!doctype html>" if name.endswith("html") else b"\x89PNG"
        assert (folder / name).read_bytes().startswith(start)
    assert str(folder) in text.replace("\n", "").replace(" ", "")


def test_nothing_is_cut_off_at_80_columns(tour):
    _, text = tour
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_narrow_terminal_loses_no_numbers(tmp_path):
    console = Console(file=io.StringIO(), width=40)
    Guide(console, tmp_path).one_value_three_uses()
    assert "+2,621,440,000" in console.file.getvalue()
    assert "…" not in console.file.getvalue()
