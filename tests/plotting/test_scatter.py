"""The scatter under the slider: its numbers against PyTorch, its steps against the definition, and its page."""

import os
import re
import shutil

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.plotting import movable_scatter

VALUES = np.array([[1.0, 2.0], [3.0, 4.0]])
KERNEL = np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize(("shape", "kernel", "stride"), [((2, 2), (3, 3), 2), ((3, 2), (4, 2), 3), ((1, 3), (2, 5), 1)])
def test_the_last_step_is_pytorchs_transposed_convolution(shape, kernel, stride):
    generator = np.random.default_rng(0)
    values, weights = generator.normal(size=shape), generator.normal(size=kernel)
    tensors = [torch.from_numpy(array)[None, None] for array in (values, weights)]
    theirs = F.conv_transpose2d(*tensors, stride=stride)[0, 0].numpy()
    steps = movable_scatter(values, weights, stride).outputs
    assert len(steps) == values.size
    np.testing.assert_allclose(steps[-1], theirs, atol=1e-12)


def test_each_step_adds_one_kernel_by_hand():
    first, second, *_ = movable_scatter(VALUES, KERNEL).outputs
    assert first.tolist() == np.pad(KERNEL, ((0, 2), (0, 2))).tolist()
    assert (second - first).tolist() == np.pad(2 * KERNEL, ((0, 2), (2, 0))).tolist()


def test_the_page_holds_every_step_with_its_numbers_and_its_sentence():
    figure = movable_scatter(VALUES, KERNEL)
    frames = figure._repr_html_().split('<div class="step">')[1:]
    assert len(frames) == 4
    assert 'max="4"' in figure.html
    for frame, output in zip(frames, figure.outputs, strict=True):
        numbers = [float(text) for text in re.findall(r'middle">([-\d.e]+)</text>', frame)]
        assert numbers[4 + 9 :] == output.flatten().tolist()
    assert "row 1, column 0 holds 3. 3 times the kernel is added to the output from row 2, column 0 on" in frames[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(([1, 2], KERNEL), "values"), ((VALUES, np.zeros((0, 3))), "kernel"), ((VALUES, KERNEL, 0), "0")],
)
def test_what_is_no_transposed_convolution_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        movable_scatter(*arguments)


def test_in_a_browser_the_slider_shows_one_step_at_a_time():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium found; CHROMIUM=/path/to/it names one")
    figure = movable_scatter(VALUES, KERNEL)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(900_000)  # finds hangs
        page.set_content(f"<!doctype html><meta charset='utf-8'>{figure.html}<hr>{figure.html}")
        page.wait_for_function("document.querySelectorAll('.segtutor-scatter[data-live]').length === 2")
        first, second = page.locator(".segtutor-scatter").all()
        for step in (3, 1, 4):
            first.locator("input").fill(str(step))
            (text,) = [one.inner_text() for one in first.locator(".step p").all() if one.is_visible()]
            assert text.startswith(f"Step {step} of 4: ")
            assert first.locator("output").inner_text() == f"{step} of 4"
        assert second.locator("output").inner_text() == "1 of 4"
        browser.close()
