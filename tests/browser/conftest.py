"""A browser, and the built site behind a server: for whoever sets SEGTUTOR_BROWSER, and not for ``start.py test``.

pip install playwright
python docs/build.py
SEGTUTOR_BROWSER=1 python -m pytest tests/browser
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "docs" / "html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
AXE = "axe-core@4.10.3"
LONG = 900_000
"""Milliseconds; finds hangs."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing."""

    def log_message(self, *words):
        pass


@pytest.fixture(scope="session")
def browser():
    """Chromium of the system or of playwright; skips where nobody asked for it or it is missing."""
    if not os.environ.get("SEGTUTOR_BROWSER"):
        pytest.skip("a browser is asked for with SEGTUTOR_BROWSER=1")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser; pip has it")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as started:
        try:
            one = started.chromium.launch(executable_path=os.environ.get("CHROMIUM", path), args=FLAGS)
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield one
        one.close()


@pytest.fixture(scope="session")
def site(browser):
    """The address of the built site."""
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: python docs/build.py")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The script that looks for barriers, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, which has axe-core")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, check=False)
    if packed.returncode:
        pytest.skip("npm's registry cannot be reached, and axe-core is there")
    shutil.unpack_archive(folder / packed.stdout.strip().splitlines()[-1], folder)
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def open_page(browser, site):
    """Opens a page of the site; gives it with what went wrong on it, a list that fills while it lives."""
    contexts = []

    def open_one(name, scheme="light", width=1280, height=900, scale=1):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale,
            is_mobile=width < 500,
        )  # fmt: skip
        contexts.append(context)
        page, wrong = context.new_page(), []
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("response", lambda answer: wrong.append(f"{answer.status}: {answer.url}")
                if answer.status >= 400 and not answer.url.endswith("favicon.ico") else None)  # fmt: skip
        page.on("request", lambda request: wrong.append(f"asks another server: {request.url}")
                if request.url.startswith("http") and not request.url.startswith(site) else None)  # fmt: skip
        answer = page.goto(site + name, wait_until="load")
        assert answer.ok, f"the site has no page {name}"
        return page, wrong

    yield open_one
    for context in contexts:
        context.close()
