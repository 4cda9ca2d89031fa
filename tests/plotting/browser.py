"""A real browser for figures that live in a page: a tool of the tests."""

import os
import shutil
from contextlib import contextmanager

import pytest


@contextmanager
def browser_page():
    """A page in a headless Chromium, if there is one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium found; CHROMIUM=/path/to/it names one")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser.new_page()
        finally:
            browser.close()
