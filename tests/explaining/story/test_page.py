"""The page in a real browser: no network, no complaints, nothing cut off, in every window."""

import numpy as np
import pytest

import qiudao as qd
from explaining.story.functions import B, W, X, network, recurrent, thrice

pytestmark = pytest.mark.browser


def hostile(a_name_that_is_much_longer_than_a_telephone_is_wide, p):
    return a_name_that_is_much_longer_than_a_telephone_is_wide * p["</style><script>alert(1)//"]


def long_expression(x, w):
    return np.sum(np.log(1 + np.exp(w @ x))) / x.size + 0.5 * (np.sum(w**2) + np.sum(x**2 + x**4))


STORIES = {
    "thrice": lambda: qd.story(thrice, 1.2),
    "network": lambda: qd.story(network, X, W, B),
    "recurrent": lambda: qd.story(recurrent, 0.3, 0.9),
    "hostile": lambda: qd.story(hostile, 1.5, {"</style><script>alert(1)//": 2.0}),
    "long": lambda: qd.story(long_expression, X, W),
    "infinite": lambda: qd.story(np.sqrt, 0.0),
}


@pytest.fixture
def show(browser, tmp_path):
    """Opens a story; what the page complains of, or asks of a network, fails the test."""
    contexts, complaints, requests = [], [], []

    def open_page(told, width, dark=False):
        path = tmp_path / "story.html"
        told.save(path)
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            offline=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("file:")] == []


@pytest.mark.parametrize("width", [360, 900, 1600])
@pytest.mark.parametrize("name", STORIES)
def test_nothing_stands_out_of_the_window(show, name, width):
    page = show(STORIES[name](), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").inner_text().startswith("The derivative of")


@pytest.mark.parametrize("width", [360, 390, 900, 1180])
@pytest.mark.parametrize("name", ["thrice", "network", "long"])
def test_no_column_of_a_table_is_hidden_behind_its_edge(show, name, width):
    page = show(STORIES[name](), width)
    hidden = page.locator(".wide:has(table)").evaluate_all(
        "all => all.map(e => e.scrollWidth - e.clientWidth)"
    )
    assert max(hidden) <= 0


@pytest.mark.parametrize("width", [360, 390, 900])
def test_no_name_runs_into_what_stands_beside_it(show, width):
    for told in (STORIES["hostile"](), qd.story(lambda height: height * height, 1.5)):
        page = show(told, width)
        names = page.locator(".chain th").evaluate_all(
            "all => all.map(e => [e.scrollWidth, e.clientWidth, e.textContent])"
        )
        assert names
        assert [name for name in names if name[0] > name[1]] == []


LUMINANCE = """e => {
  const part = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const of = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
  const style = getComputedStyle(e);
  const ink = of(e.closest('svg') ? style.fill : style.color);
  const paper = of(getComputedStyle(document.body).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_word_can_be_read(show, dark):
    page = show(STORIES["recurrent"](), 900, dark)
    for kind in ("h1", "td", "th", ".note", ".words", "small", "svg text", "dd"):
        ratios = page.locator(kind).evaluate_all(f"all => all.map({LUMINANCE})")
        assert ratios, kind
        assert min(ratios) >= 4.5, kind  # WCAG AA


def test_words_in_the_picture_do_not_cover_each_other(show):
    for name in ("thrice", "network"):
        for width in (360, 900):
            page = show(STORIES[name](), width)
            boxes = page.locator("svg text").evaluate_all(
                "all => all.map(e => { const b = e.getBBox();"
                " return [b.x, b.y, b.x + b.width, b.y + b.height, e.textContent]; })"
            )
            for k, a in enumerate(boxes):
                for b in boxes[k + 1 :]:
                    apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                    assert apart, (name, width, a[4], b[4])


def test_headings_and_rows_are_named_for_screen_readers(show):
    page = show(STORIES["thrice"](), 900)
    assert page.locator("thead th[scope=col]").count() == 6
    assert page.locator("tbody tr").count() == page.locator("tbody th[scope=row]").count()
    assert page.locator("svg[role=img]").get_attribute("aria-label").startswith("errors of the")
    assert page.locator(".bar").first.get_attribute("title") == "adjoint of v3"
