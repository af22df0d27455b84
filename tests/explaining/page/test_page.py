"""The page in a real browser: playing, folding, searching, reading, on every kind of graph."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import qiudao as qd
from qiudao.explaining.page.html import embedded, page

pytestmark = pytest.mark.browser


def thrice(x):
    return np.sin(x) * x + x


def layer(h, w):
    return np.tanh(w @ h)


def network(x, ws):
    for w in ws:
        x = layer(x, w)
    return np.sum(x**2)


def long_loop(x):
    for k in range(2600):
        x = np.sin(x) + 0.01 * k
    return x


@pytest.fixture(scope="module")
def explained():
    return qd.explain(thrice, 1.2)


@pytest.fixture(scope="module")
def layered():
    rng = np.random.default_rng(0)
    return qd.explain(network, rng.normal(size=4), [rng.normal(size=(9, 4)), np.ones((2, 9))])


def boxes(shown):
    return [b.locator("text").all_text_contents() for b in shown.locator(".box").all()]


def costs(shown):
    return [
        row.locator("th, td").all_inner_texts() for row in shown.locator("#costs tbody tr").all()
    ]


def to_step(shown, number):
    shown.locator("#slider").evaluate(
        "(slider, n) => { slider.value = n; slider.dispatchEvent(new Event('input')); }", number
    )


def box(shown, title):
    return shown.locator(".box").filter(has=shown.locator(f"text.title:text-is('{title}')"))


def test_it_shows_values_gradients_and_slopes(show, explained):
    shown = show(explained)
    assert shown.title() == "thrice(x) · qiudao"
    words = shown.locator("#graph").text_content()
    assert "∂ 2.3669 = 1 + 0.932 + 0.4348" in words
    assert "0.3624" in words
    assert shown.locator(".box").count() == 4


def test_it_steps_forward_and_then_back(show, explained):
    shown = show(explained)
    shown.keyboard.press("Home")
    assert "nothing is computed yet" in shown.locator("#sentence").inner_text()
    assert shown.locator(".box.waiting").count() == 3
    shown.keyboard.press(".")
    assert "np.sin(x) is computed: 0.93204" in shown.locator("#sentence").inner_text()
    assert shown.locator(".box.waiting").count() == 2
    for _ in range(3):
        shown.keyboard.press(".")
    assert "The sweep starts" in shown.locator("#sentence").inner_text()
    gradients = []
    for _ in range(3):
        shown.keyboard.press(".")
        gradients.append(box(shown, "x").locator("text.gradient").text_content())
    assert gradients == ["∂ 1 + …", "∂ 1.932 = 1 + 0.932 + …", "∂ 2.3669 = 1 + 0.932 + 0.4348"]
    shown.keyboard.press(",")
    assert "term 2 of 3" in shown.locator("#sentence").inner_text()


def test_it_plays_to_the_end(show, explained):
    shown = show(explained)
    shown.locator("#play").click()
    assert shown.locator("#play").inner_text() == "pause"
    shown.locator("#play:text-is('play')").wait_for(timeout=20_000)
    assert shown.locator("#sentence").inner_text().startswith("Done:")


def test_the_panel_tells_the_sum_of_the_terms(show, explained):
    shown = show(explained)
    box(shown, "x").click()
    panel = shown.locator("#panel")
    assert "The sum of 3 terms" in panel.inner_text()
    assert panel.locator(".sum li").count() == 3
    panel.get_by_role("button", name="through np.sin(x) * x", exact=True).click()
    assert panel.locator("h2").inner_text() == "np.sin(x) * x"
    assert panel.locator("pre .here").inner_text().strip().endswith("return np.sin(x) * x + x")


def test_both_directions_on_one_graph(show, layered):
    shown = show(layered)
    assert costs(shown) == [
        ["forward mode", "58", "×", "6", "=", "348", "–"],
        ["reverse mode, the shorter way", "1", "×", "6", "=", "6", "6"],
    ]
    shown.get_by_role("radio", name="both").check()
    assert shown.locator("text.tangent").count() > 0
    assert shown.locator("text.gradient").count() > 0
    shown.get_by_role("radio", name="forward").check()
    assert shown.locator("text.gradient").count() == 0
    assert shown.locator("#direction option").count() == 8
    before = box(shown, "np.sum(x**2)").locator("text.tangent").text_content()
    shown.locator("#direction").select_option("1")
    assert box(shown, "np.sum(x**2)").locator("text.tangent").text_content() != before


def test_the_sum_of_arrays_grows_term_by_term(show):
    shown = show(qd.explain(lambda x: np.sum(np.sin(x) * x + x), np.array([0.5, 1.0])))
    box(shown, "x").click()
    shown.keyboard.press("Home")
    seen = []
    for _ in range(10):
        shown.keyboard.press(".")
        seen.append(box(shown, "x").locator("text.gradient").text_content())
    assert list(dict.fromkeys(filter(None, seen))) == [
        "∂ [1, 1] + …",
        "∂ [1.48, 1.84] + …",
        "∂ [1.92, 2.38]",
    ]
    to_step(shown, 7)
    panel = shown.locator("#panel")
    assert panel.locator(".sum li.now .number").inner_text() == "[1, 1]"
    assert "so far [1, 1] + …" in panel.inner_text()
    assert panel.locator(".sum li.coming").count() == 2
    to_step(shown, 8)
    assert panel.locator(".sum li.now .number").inner_text() == "[0.479, 0.841]"


def test_forward_mode_sweeps_on_while_reverse_mode_goes_back(show, layered):
    shown = show(layered)
    shown.get_by_role("radio", name="both").check()
    to_step(shown, 6)  # all is computed, and the first tangents with it
    assert [row[-1] for row in costs(shown)] == ["6", "0"]
    to_step(shown, 9)
    assert [row[-1] for row in costs(shown)] == ["9", "2"]
    told = shown.locator("#sentence").inner_text()
    assert told.startswith("Back through x**2: ")
    assert "Forward mode, sweep 2 of 58, along x[1]: the tangent of np.tanh(w @ h)" not in told
    assert "Forward mode, sweep 2 of 58, along x[1]: the tangent of w @ h is" in told
    assert shown.locator(".box.now").count() == 1
    assert shown.locator(".box.pushing").count() == 1
    to_step(shown, 40)
    told = shown.locator("#sentence").inner_text()
    assert told.startswith("Reverse mode is done. Forward mode, sweep 7 of 58")
    shown.keyboard.press("End")
    assert [row[-1] for row in costs(shown)] == ["48", "6"]  # eight directions are known


def test_each_output_has_a_sweep_of_its_own_length(show):
    shown = show(qd.explain(lambda x, y: (np.sin(x) * y, np.cos(y) + x, x * y), 1.0, 2.0))
    assert costs(shown) == [
        ["forward mode", "2", "×", "5", "=", "10", "–"],
        ["reverse mode, the shorter way", "3", "×", "1 to 2", "=", "5", "2"],
    ]


def test_groups_fold_and_unfold(show, layered):
    shown = show(layered)
    before = shown.locator(".box").count()
    shown.locator(".around text").filter(has_text="turn 2").click()
    assert shown.locator(".box.fold").count() == 1
    assert shown.locator(".box").count() < before
    shown.locator(".box.fold").click()
    assert shown.locator(".box").count() == before
    box(shown, "np.tanh(w @ h)").first.click()
    shown.keyboard.press("Escape")
    assert shown.locator(".box.fold").count() == 1
    shown.keyboard.press("Enter")
    assert shown.locator(".box.fold").count() == 0


def test_arrows_walk_along_the_edges(show, explained):
    shown = show(explained)
    box(shown, "np.sin(x)").click()
    shown.keyboard.press("ArrowDown")
    assert shown.locator("#panel h2").inner_text() == "np.sin(x) * x"
    shown.keyboard.press("ArrowUp")
    shown.keyboard.press("ArrowUp")
    assert shown.locator("#panel h2").inner_text() == "x"


def test_a_value_of_many_readers_is_named_where_it_is_read(show):
    def f(x, w):
        for _ in range(7):
            x = np.tanh(w * x)
        return x

    shown = show(qd.explain(f, 0.5, 0.8))
    assert shown.locator(".reference").count() == 6
    assert shown.locator(".edge").count() == 7 * 3
    shown.locator(".reference").first.click()
    assert shown.locator("#panel h2").inner_text() == "w"
    shown.locator("#panel .sum li").first.hover()
    assert shown.locator(".edge.now").count() == 1
    shown.locator("#panel h2").hover()
    assert shown.locator(".edge.now").count() == 0


def test_a_long_loop_shows_its_first_turn_and_folds_the_others(show):
    def f(x, w):
        for t in range(9):
            x = np.tanh(w * x) + x * x - t * np.sin(x)
        return x

    shown = show(qd.explain(f, 0.5, 0.8))
    titles = [rows[0] for rows in boxes(shown)]
    assert [f"t = {k}" for k in range(1, 9)] == [t for t in titles if t.startswith("t = ")]
    assert "np.tanh(w * x)" in titles
    assert [row for row in boxes(shown)[-1] if row.startswith("reads")] == ["reads w"]


def test_an_argument_of_many_parts_is_one_box(show):
    shown = show(qd.explain(lambda ps: sum(p * p for p in ps), [0.5 * k for k in range(40)]))
    folded = box(shown, "ps")
    assert "40 inputs" in folded.text_content()
    folded.click()
    assert box(shown, "ps[39]").count() == 1


def test_search_opens_what_hides_a_value(show):
    shown = show(qd.explain(long_loop, 0.5))
    shown.keyboard.press("/")
    shown.keyboard.type("np.sin(x) + 0.01")
    assert shown.locator("#found li").count() == 30
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Enter")
    assert shown.locator("#panel h2").inner_text() == "x = np.sin(x) + 0.01 * k"
    assert shown.locator(".box.chosen").count() == 1
    shown.keyboard.press("/")
    shown.keyboard.type("no such value")
    assert shown.locator("#found li").inner_text() == "nothing found"


def test_the_list_says_what_the_graph_shows(show, layered):
    shown = show(layered)
    shown.keyboard.press("l")
    assert not shown.locator("#graph").is_visible()
    rows = shown.locator("#outline .row:visible")
    assert rows.first.inner_text().split("\n")[0].startswith("x")
    assert "∂ [" in rows.first.inner_text()
    assert shown.locator("#outline summary").first.inner_text().startswith("for w in ws")
    last = rows.last
    assert last.inner_text().startswith("np.sum(x**2)")
    last.click()
    assert shown.locator("#panel h2").inner_text() == "np.sum(x**2)"
    assert last.get_attribute("aria-current") == "true"
    to_step(shown, 1)
    assert shown.locator("#outline .row.now").inner_text().startswith("w @ h")
    assert "∂" not in last.inner_text()
    shown.keyboard.press("l")
    assert shown.locator("#graph").is_visible()


def test_the_list_of_a_long_loop_is_made_when_it_is_opened(show):
    shown = show(qd.explain(long_loop, 0.5))
    shown.locator("#list").click()
    assert shown.locator("#outline .row").count() < 40
    shown.keyboard.press("/")
    shown.keyboard.type("0.01 * k")
    shown.keyboard.press("Enter")
    focused = shown.evaluate("document.activeElement.textContent")
    assert focused.startswith("x = np.sin(x) + 0.01 * k")


def test_the_work_for_thousands_of_values_is_in_proportion_to_them_and_a_step_takes_little(show):
    explained = qd.explain(long_loop, 0.5)
    count = len(explained.graph.vertices)
    assert count > 5000
    shown = show(explained)
    session = shown.context.new_cdp_session(shown)
    session.send("Profiler.enable")
    session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": True})
    shown.reload()
    shown.wait_for_selector("html[data-ready=yes]")
    assert count < blocks_run(session) < 100 * count
    assert shown.locator(".box").count() <= 41
    shown.keyboard.press("Home")
    shown.keyboard.press(".")
    assert "is computed" in shown.locator("#sentence").inner_text()
    assert 0 < blocks_run(session) < 2000


def blocks_run(session):
    """How often functions and blocks of the page's own code have run since this was last asked."""
    scripts = session.send("Profiler.takePreciseCoverage")["result"]
    functions = [f for s in scripts if s["url"].startswith("file:") for f in s["functions"]]
    return sum(block["count"] for f in functions for block in f["ranges"])


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_follow_the_system_and_the_button(show, explained, dark):
    shown = show(explained, dark=dark)
    paper = "getComputedStyle(document.body).backgroundColor"
    light, night = "rgb(253, 253, 252)", "rgb(20, 24, 29)"
    assert shown.evaluate(paper) == (night if dark else light)
    shown.locator("#theme").click()
    assert shown.evaluate(paper) == (light if dark else night)


def test_what_is_too_large_for_the_window_begins_at_a_size_that_can_be_read(show, layered):
    shown = show(layered, width=390, height=800)
    scale = "new DOMMatrix(getComputedStyle(document.getElementById('canvas')).transform).a"
    assert shown.evaluate(scale) >= 0.75
    shown.locator("#fit").click()
    assert shown.evaluate(scale) < 0.75
    graph, canvas = (shown.locator(name).bounding_box() for name in ("#graph", "#canvas"))
    assert canvas["y"] >= graph["y"]
    assert canvas["y"] + canvas["height"] <= graph["y"] + graph["height"]


def test_dragging_moves_the_graph_and_selects_nothing(show, explained):
    shown = show(explained)
    before = box(shown, "x").bounding_box()
    x, y = round(before["x"]) + 10, round(before["y"]) + 10
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + 60, y + 32, steps=4)
    shown.mouse.up()
    after = box(shown, "x").bounding_box()
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (60, 32)
    assert shown.locator(".box.chosen").count() == 0
    shown.mouse.wheel(0, -300)
    assert box(shown, "x").bounding_box()["width"] > 1.3 * before["width"]
    shown.keyboard.press("0")
    assert box(shown, "x").bounding_box() == before


def test_the_keys_are_told_and_the_keyboard_keeps_its_place(show, explained):
    shown = show(explained)
    shown.keyboard.press("?")
    assert shown.get_by_role("dialog").is_visible()
    shown.keyboard.press("Escape")
    assert not shown.get_by_role("dialog").is_visible()
    box(shown, "x").click()
    link = shown.locator("#panel .sum button").first
    link.focus()
    shown.keyboard.press(",")
    assert link.evaluate("each => each === document.activeElement")
    shown.keyboard.press("Escape")
    assert shown.locator(".box.chosen").count() == 0


def test_nothing_moves_for_who_wants_less_motion(show, explained):
    shown = show(explained)
    duration = "getComputedStyle(document.querySelector('.box')).transitionDuration"
    assert shown.evaluate(duration) == "0.12s"
    shown.emulate_media(reduced_motion="reduce")
    assert shown.evaluate(duration) == "0s"


def test_a_stage_of_a_compiled_function_has_no_modes(show):
    compiled = qd.explain(qd.jit(lambda x: np.sum(np.tanh(x) * x)), np.ones((3, 2)))
    shown = show(compiled.stages["traced"])
    assert not shown.locator("#modes").is_visible()
    assert shown.locator("#costs tr").count() == 0
    assert "No derivative was taken." in shown.locator("#panel").inner_text()


def test_on_a_phone_nothing_is_cut_off(show, layered):
    shown = show(layered, width=390, height=800)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#search", "#play", "#slider", "#theme", "#panel"):
        place = shown.locator(name).bounding_box()
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= 390


def test_hostile_words_stay_words(show):
    names = {
        "</script><script>alert(1)</script>": 1.0,
        "<img src=x onerror=alert(1)>": 2.0,
        "quote \" ' ` & \u2028 {{data}}": 3.0,
    }

    def f(p):
        return sum(v * v for v in p.values())

    shown = show(qd.explain(f, names))
    assert shown.locator("img").count() == 0
    assert shown.locator("script").count() == 3
    for title in ["p['</script><script>alert(1)</script>']", "p['<img src=x onerror=alert(1)>']"]:
        assert title in shown.locator("#panel").inner_text()


def test_a_reader_of_screens_hears_values_and_steps(show, explained):
    shown = show(explained)
    assert box(shown, "x").get_attribute("aria-label") == (
        "input, x, value 1.2, gradient 2.3669 = 1 + 0.932 + 0.4348"
    )
    assert shown.locator("#sentence").get_attribute("aria-live") == "polite"
    assert shown.locator(".box[tabindex='0']").count() == 1


def test_the_view_can_be_saved(show, explained, tmp_path):
    shown = show(explained)
    with shown.expect_download() as waiting:
        shown.locator("#export").click()
    path = tmp_path / "saved.svg"
    waiting.value.save_as(path)
    root = ET.parse(path).getroot()
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "np.sin(x) * x" in texts


def test_values_that_are_not_numbers(show):
    def f(x):
        return np.sum(np.where(x > 0, np.log(x), 1 / x))

    shown = show(qd.explain(f, np.array([0.0, 1.0])))
    box(shown, "np.log(x)").click()
    assert "-inf" in shown.locator("#panel").inner_text()


def test_complex_numbers_have_few_digits(show):
    shown = show(qd.explain(lambda z: np.sum(np.abs(z * z)), np.array([1 + 2j, 1 / 3 - 1j])))
    assert "[1+2j, 0.333-1j]" in box(shown, "z").text_content()
    box(shown, "z").click()
    assert "0.333333-1j" in shown.locator("#panel").inner_text()


def test_slopes_of_arrays_stand_on_the_edges(show):
    shown = show(qd.explain(lambda x: np.sum(np.exp(x) * 2), np.array([0.0, 1.0])))
    words = shown.locator(".edge text").all_text_contents()
    assert "[1, 2.72]" in words
    assert "2" in words


def test_large_arrays_have_a_range_and_a_picture(show):
    w = np.linspace(-1, 1, 2400).reshape(40, 60)
    shown = show(qd.explain(lambda w: np.sum(np.tanh(w)), w))
    box(shown, "w").click()
    assert "from -1 to 1" in shown.locator("#panel").inner_text()
    assert shown.locator("#panel img.heat").count() == 2


def test_a_tape_is_shown_too(show):
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    shown = show((np.sin(x) * x).sum().explain())
    assert "∂ [1.38, 0.077]" in shown.locator("#graph").text_content()


def test_a_notebook_gets_a_frame(explained):
    made = explained._repr_html_()
    assert made.startswith("<iframe srcdoc=")
    assert "<script" not in made


def test_the_page_needs_no_network_and_names_its_library():
    made = page(qd.explain(thrice, 1.0).json())
    assert "http://" not in made.replace("http://www.w3.org/", "")
    assert "https://" not in made
    assert "Chris Pettitt" in made  # the licence of the layout library


def test_json_cannot_end_its_element():
    assert "</" not in embedded({"title": "</script>"})
