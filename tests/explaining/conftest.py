"""A browser for pages: Chromium, driven by Playwright, with the network shut."""

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("QIUDAO_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium: install one, or name it in QIUDAO_CHROMIUM")
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()
