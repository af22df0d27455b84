"""Writes the gallery: a picture of each example, and a screenshot of its page where Chromium is.

`python docs/gallery/make.py [folder]`
"""

import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import qiudao as qd

HERE = Path(__file__).parent
SIZE = {"width": 1180, "height": 720}  # of a screenshot
sys.path.insert(0, str(HERE))
examples = importlib.import_module("examples").examples


def write_pictures(folder):
    """An SVG of each example."""
    for name, (f, args) in examples().items():
        qd.explain(f, *args).save(Path(folder) / f"{name}.svg")


def write_screenshots(folder, chromium):
    """A screenshot of each page, light; of one also dark, and half-way through the sweep."""
    sync_playwright = importlib.import_module("playwright.sync_api").sync_playwright
    with sync_playwright() as p, tempfile.TemporaryDirectory() as pages:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (f, args) in examples().items():
            path = Path(pages) / f"{name}.html"
            qd.explain(f, *args).save(path)
            for scheme in ("light", "dark") if name == "thrice" else ("light",):
                page = browser.new_page(viewport=SIZE, color_scheme=scheme)
                page.goto(path.as_uri())
                page.wait_for_selector("html[data-ready=yes]")
                if name == "thrice":
                    page.keyboard.press("Home")
                    for _ in range(6):
                        page.keyboard.press(".")
                    page.locator(".box").first.click()
                page.wait_for_timeout(300)
                ending = "" if scheme == "light" else "-dark"
                page.screenshot(path=Path(folder) / f"{name}{ending}.png")
                page.close()
        write_story(folder, browser, Path(pages) / "story.html")
        browser.close()


def write_story(folder, browser, path):
    """The story of one derivative, light and dark: docs/story.md shows it."""
    f, args = examples()["thrice"]
    qd.story(f, *args).save(path)
    for scheme, ending in (("light", ""), ("dark", "-dark")):
        page = browser.new_page(viewport={"width": 900, "height": 720}, color_scheme=scheme)
        page.goto(path.as_uri())
        page.screenshot(path=Path(folder) / f"story{ending}.png", full_page=True)
        page.close()


def main():
    """Write into the folder given, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write_pictures(folder)
    chromium = os.environ.get("QIUDAO_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("no chromium: the screenshots are left as they are\n")
    else:
        write_screenshots(folder, chromium)


if __name__ == "__main__":
    main()
