"""Still pictures and text: what they show, that nothing overlaps, that hostile words stay words."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd
from qiudao.explaining.layout import arrange, rising
from qiudao.explaining.outline import outline

SNAPSHOTS = Path(__file__).parent / "snapshots"


def thrice(x):
    return np.sin(x) * x + x


def layer(h, w):
    return np.tanh(w @ h)


def network(x, ws):
    for w in ws:
        x = layer(x, w)
    return np.sum(x**2)


def long_loop(x):
    for _ in range(400):
        x = np.sin(x) + 0.01
    return x


def texts_of(svg):
    return [e.text for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_picture_says_values_gradients_and_slopes():
    words = texts_of(qd.explain(thrice, 1.2).svg())
    assert "np.sin(x)*x" not in words  # the user's own spacing is kept
    assert "np.sin(x) * x" in words
    assert "∂ 2.3669 = 1 + 0.932 + 0.4348" in words
    assert "0.3624" in words  # the slope of sin at 1.2


@pytest.mark.parametrize("f, args", [
    (thrice, (1.2,)),
    (network, (np.ones(3), [np.eye(3), np.ones((2, 3))])),
    (long_loop, (0.5,)),
])  # fmt: skip
def test_boxes_do_not_overlap(f, args):
    root = ET.fromstring(qd.explain(f, *args).svg(most=80))
    boxes = [
        [float(e.get(k)) for k in ("x", "y", "width", "height")]
        for e in root.iter("{http://www.w3.org/2000/svg}rect")
        if "box" in e.get("class").split()
    ]
    assert boxes
    for k, (x, y, w, h) in enumerate(boxes):
        for u, v, p, q in boxes[:k]:
            assert x >= u + p or u >= x + w or y >= v + q or v >= y + h


def test_long_loops_are_ranges_of_turns_and_pictures_small():
    shown = qd.explain(long_loop, 0.5)
    assert len(outline(shown.graph).boxes) <= 40
    words = texts_of(shown.svg())
    assert "turn 1 to turn 100" in words


def test_long_straight_runs_are_groups_of_lines(tmp_path, monkeypatch):
    lines = [f"    x{k + 1} = np.sin(x{k})" for k in range(500)]
    source = "\n".join(["import numpy as np", "def straight(x0):", *lines, "    return x500", ""])
    (tmp_path / "straight_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    from straight_module import straight

    graph = qd.explain(straight, 0.5).graph
    assert len(outline(graph).boxes) <= 40
    titles = [g.title for g in graph.groups]
    assert titles[0] == "lines 3 to 32"
    assert {g.kind for g in graph.groups} == {"lines"}


def test_hostile_words_stay_words():
    names = {"</script><img src=x onerror=alert(1)>": 1.0, 'a "quoted" & <b>': 2.0}

    def f(p):
        return sum(v * v for v in p.values())

    shown = qd.explain(f, names)
    root = ET.fromstring(shown.svg())
    assert not list(root.iter("{http://www.w3.org/2000/svg}img"))
    assert '\\"quoted\\"' in shown.dot()
    assert "</script>" in json.dumps(shown.json())
    assert "</script>" in shown.text(width=140)


@pytest.mark.parametrize("name, f, args", [
    ("thrice", thrice, (1.2,)),
    ("network", network, (np.array([1.0, -1.0]), [np.eye(2), np.array([[0.5, 0.25]])])),
    ("long_loop", long_loop, (0.5,)),
])  # fmt: skip
def test_text_is_as_reviewed(name, f, args):
    pytest.importorskip("rich")
    made = qd.explain(f, *args).text(width=90).replace("test_pictures.py", "here.py")
    made = "\n".join(
        line[:86].rstrip() if "here.py" in line else line for line in made.splitlines()
    )
    path = SNAPSHOTS / f"{name}.txt"
    assert made + "\n" == path.read_text(encoding="utf-8")


def test_dot_has_a_cluster_for_an_open_group():
    made = qd.explain(network, np.ones(3), [np.eye(3)]).dot()
    assert 'label="for w in ws"' in made
    assert made.count("{") == made.count("}")


def test_files_by_their_endings(tmp_path):
    shown = qd.explain(thrice, 1.2)
    for ending in ("svg", "dot", "txt", "json"):
        shown.save(tmp_path / f"g.{ending}")
        assert (tmp_path / f"g.{ending}").stat().st_size > 100
    with pytest.raises(ValueError, match="ending"):
        shown.save(tmp_path / "g.pdf")


def test_text_without_rich_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    with pytest.raises(ImportError, match=r"qiudao\[cli\]"):
        qd.explain(thrice, 1.2).text()


def test_rising_is_the_nearest_that_never_falls():
    assert rising([3.0, 1.0, 2.0, 5.0]) == [2.0, 2.0, 2.0, 5.0]


def test_layers_follow_the_edges():
    layout = arrange([(40, 20)] * 4, [(0, 1), (1, 2), (0, 2), (3, 2)])
    ys = [y for _, y in layout.middles]
    assert ys[0] < ys[1] < ys[2]
    assert ys[3] == ys[1]  # just above its reader
