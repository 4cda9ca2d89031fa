"""What a reader sees of a movable figure in a notebook that JupyterLab does not trust yet, and once it does."""

import base64
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor import plotting
from segtutor.plotting.waking import STILL, waking_page

LESSONS = Path(__file__).parents[2] / "notebooks"
SILENT = ("script", "style", "textarea", "option")


class Sanitized(HTMLParser):
    """Tags and texts that are left when scripts, styles and drawings are taken out as JupyterLab's sanitizer does.

    It drops the tags and attributes that it does not know and keeps the text between them; of ``SILENT`` it drops the
    text, too (sanitize-html's ``nonTextTags``).
    """

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.images, self.silent = [], [], [], 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.silent += tag in SILENT
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        self.silent -= tag in SILENT

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def curve():
    masks = np.zeros((2, 30, 40), dtype=bool)
    masks[0, 2:9, 3:12] = masks[1, 12:25, 20:35] = True
    return plotting.movable_precision_recall(np.zeros((30, 40, 3), dtype=np.uint8), masks, masks, [0.9, 0.4])


def scatter():
    return plotting.movable_scatter([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])


def region():
    return plotting.movable_region(np.arange(30.0).reshape(5, 6), (4, 4, 20, 30), range(3), stride=8, bins=2)


def suppression():
    picture = np.zeros((20, 40, 3), dtype=np.uint8)
    return plotting.movable_suppression(picture, [[1, 1, 9, 9], [2, 2, 9, 9]], [0.9, 0.5], (0.1, 0.9), size=(20, 40))


def window():
    return plotting.movable_window({"A": np.zeros((20, 30, 3), dtype=np.uint8)}, (4, 5), (3, 9))


def pictures():
    figures = [plt.subplots(figsize=(1, 1))[0] for _ in range(3)]
    return plotting.movable_figures(figures, ["It's <one> & only.", "Two.", "Three."], "Step", ["a", "b", "c"])


@pytest.mark.parametrize("make", [curve, scatter, region, suppression, window])
def test_an_untrusted_notebook_shows_one_sentence_and_nothing_else(make):
    seen = Sanitized(make()._repr_html_())
    assert seen.texts == [STILL]
    assert set(seen.tags) == {"div", "p", "script"}


def test_of_pictures_the_first_stands_there_with_its_words():
    seen = Sanitized(pictures().html)
    assert seen.texts == ["It's <one> & only.", STILL]
    assert [image["alt"] for image in seen.images] == ["It's <one> & only."]
    assert base64.b64decode(seen.images[0]["src"].partition("base64,")[2])
    assert "input" not in seen.tags


@pytest.mark.parametrize("make", [curve, scatter, region, suppression, window, pictures])
def test_the_attribute_holds_the_figure_as_it_was_written(make):
    page = make()._repr_html_()
    (element,) = (one for one in re.findall(r"<div class=\"segtutor-[^>]*?data-figure='[^']*'>", page))
    figure = Sanitized("")
    figure.handle_starttag = lambda tag, attrs: figure.tags.append(dict(attrs).get("data-figure"))
    figure.feed(element)
    assert figure.tags[0].startswith("<style>")
    assert page.count("data-figure") == 1, "the figure itself has no such attribute"


@pytest.mark.parametrize("path", sorted(LESSONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_committed_lessons_have_no_other_movable_figures(path):
    pages = [
        "".join(output["data"]["text/html"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if "<script" in "".join(output.get("data", {}).get("text/html", ""))
    ]
    for page in pages:
        assert set(Sanitized(page).tags) <= {"div", "p", "script", "img"}
        assert Sanitized(page).texts[-1] == STILL


def test_quotes_and_ampersands_come_back():
    page = waking_page("x", "<p title='a'>b &amp; c</p>", "")
    (found,) = re.findall(r"data-figure='([^']*)'", page)
    assert found == "<p title=&#39;a&#39;>b &amp;amp; c</p>"


def test_in_a_browser_a_figure_wakes_wherever_and_whenever_its_script_runs():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium found; CHROMIUM=/path/to/it names one")
    # What JupyterLab does when it comes to trust an output: the page once more, its scripts made anew.
    trust = """html => { document.body.innerHTML = html; for (const old of document.querySelectorAll("script")) {
        const made = document.createElement("script"); made.textContent = old.textContent; old.replaceWith(made); } }"""
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(900_000)  # finds hangs
        for make in (curve, scatter, region, suppression, window, pictures):
            whole = make().html
            page.set_content(
                f"<!doctype html><meta charset='utf-8'>{re.sub('<script>.*</script>', '', whole, flags=re.S)}"
            )
            assert STILL in page.inner_text("body")
            assert page.locator("input").count() == 0
            page.evaluate(trust, whole + whole)
            assert STILL not in page.inner_text("body")
            assert page.locator("[data-live]").count() == 2
            assert page.locator("input[type=range]").first.is_visible()
            assert page.locator(".step:visible").count() == (0 if make is curve else 2)
        browser.close()
