"""Opens pages in the browser."""

import pytest


@pytest.fixture
def show(browser, tmp_path):
    """Opens an explained graph: gives the page, which fails the test if anything complains."""
    contexts, complaints, requests = [], [], []

    def open_page(explained, width=1200, height=800, dark=False):
        path = tmp_path / "explained.html"
        explained.save(path)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            offline=True,
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
