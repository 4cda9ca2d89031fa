"""The figure under a slider: every step is in the page as a sharp picture with its words, and the slider shows one."""

import base64
import io
import os
import re
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from segtutor.plotting import movable_figures


def steps(count=3):
    figures = []
    for number in range(count):
        figure, axis = plt.subplots(figsize=(3, 2))
        axis.imshow(np.full((4, 6), number), vmin=0, vmax=count)
        figures.append(figure)
    return figures


def made(count=3):
    texts = [f"Step <{number}>." for number in range(count)]
    return movable_figures(steps(count), texts, "Rate", [f"rate {number}" for number in range(count)])


def test_every_step_is_a_sharp_picture_with_its_words():
    before = plt.get_fignums()
    figure = made()
    assert figure.count == 3
    assert plt.get_fignums() == before, "the figures are closed"
    assert 'max="3"' in figure.html
    page = figure._repr_html_().replace("&amp;", "&")  # all steps but the first are in an attribute, before it
    found = sorted(re.findall(r'<img alt="([^"]*)" width="(\d+)" src="data:image/(\w+);base64,([^"]+)">', page))
    assert [(alt, width) for alt, width, _, _ in found] == [(f"Step &lt;{number}&gt;.", "288") for number in range(3)]
    for _, _, kind, data in found:
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        assert picture.size == (576, 384)
        assert picture.format.lower() == kind


def test_a_photograph_becomes_a_jpeg():
    figure, axis = plt.subplots(figsize=(3, 2))
    axis.imshow(np.random.default_rng(0).random((300, 450, 3)))
    assert "data:image/jpeg" in movable_figures([figure], ["Noise."], "Step", ["one"]).html


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="there are 2 figures, 1 texts and 2 names"):
        movable_figures(steps(2), ["one"], "Rate", ["a", "b"])
    with pytest.raises(ValueError, match="there are 0 figures"):
        movable_figures([], [], "Rate", [])
    plt.close("all")


def test_in_a_browser_the_slider_shows_one_step_and_its_name():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium found; CHROMIUM=/path/to/it names one")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(900_000)  # finds hangs
        page.set_content(f"<!doctype html><meta charset='utf-8'>{made().html}<hr>{made(2).html}")
        page.wait_for_function("document.querySelectorAll('.segtutor-steps[data-live]').length === 2")
        first, second = page.locator(".segtutor-steps").all()
        for step in (3, 1, 2):
            first.locator("input").fill(str(step))
            (text,) = [one.inner_text() for one in first.locator(".step p").all() if one.is_visible()]
            assert text == f"Step <{step - 1}>."
            assert first.locator("output").inner_text() == f"rate {step - 1}"
        assert second.locator("output").inner_text() == "rate 0"
        browser.close()
