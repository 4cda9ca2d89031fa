"""Sentences of lesson 10 against the recorded results and the committed run."""

import json
import re
from html import unescape

import nbformat
import numpy as np

from tests.notebooks.lesson import NOTEBOOKS, mean, printed_by, seeds, verdicts, words_of

WORDS, PRINTED = words_of("10"), printed_by("10")


def test_the_figure_that_answers_clicks():
    notebook = nbformat.read(NOTEBOOKS / "10_promptable.ipynb", 4)
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", []) if "data" in one]
    page = next(html for one in outputs if "segtutor-clicks" in (html := one["data"].get("text/html", "")))
    scenes = json.loads(re.search(r"data-clicks='(.*?)'>", unescape(page))[1])["scenes"]
    sizes = [len(one["embedding"]) for one in scenes]
    assert f"rounded so far that a scene takes {sum(sizes) / len(sizes) / 1000:.0f} kB" in WORDS
    assert len(scenes) == 4
    assert len(page) < 250_000


def test_three_answers():
    claim = "prompts.three_masks"
    three, networks, one = (
        mean(claim, variant, "object") for variant in ("three answers", "three networks with one", "one answer")
    )
    assert f"IoU of {three:.1f} %, three networks with {networks:.1f}, and a single answer with {one:.1f}" in WORDS
    assert set(verdicts(claim).values()) == {"confirmed"}


def test_the_iou_head():
    claim = "prompts.iou_head"
    head, chance, same = (
        mean(claim, variant, "clear") for variant in ("the IoU head's", "at random", "always the same")
    )
    assert (
        f"against a choice by lot: {head:.1f} % against {chance:.1f}. Always the same answer would have {same:.1f}"
        in WORDS
    )
    pairs = zip(*(seeds(claim, variant, "clear") for variant in ("the IoU head's", "always the same")), strict=True)
    assert all(one > other for one, other in pairs)  # with each of the three seeds
    assert f"And {mean(claim, 'the best', 'clear') - head:.1f} points are still to be had" in WORDS
    assert list(verdicts(claim).values())[:3] == ["confirmed", "undecided", "undecided"]


def test_what_holds_one_click_back():
    record = json.loads((NOTEBOOKS.parent / "data" / "checkpoints" / "sam_tiny.json").read_text())
    clear, limits = record["scores_of_200_pictures"]["clear"], record["limits"]
    assert (
        f"with {clear['clicks']} clear clicks; there the best of three has {100 * clear['oracle_iou']:.0f} %" in WORDS
    )
    assert f"learned from it reaches {100 * limits['scenes_of_the_training']['oracle_iou']:.0f} %" in WORDS
    assert f"would have {100 * limits['true_masks_told_by_4_x_4_pixels']['iou']:.0f} %" in WORDS


def test_clicks():
    claim = "prompts.clicks"
    first, tenth = "after_1", "after_10"
    assert f"{mean(claim, 'sam_tiny', first):.0f} % against {mean(claim, 'GrabCut, clicks', first):.0f}" in WORDS
    assert f"it has {mean(claim, 'sam_tiny', tenth):.0f} %, while GrabCut with a box and clicks has " in WORDS
    assert f"has {mean(claim, 'GrabCut, box and clicks', tenth):.0f}: colors can be corrected" in WORDS
    cost = {name: mean(claim, name, "ms_later") / 100 for name in ("sam_tiny", "GrabCut, clicks")}
    assert f"{cost['sam_tiny']:.1f} milliseconds for a later click against {cost['GrabCut, clicks']:.0f}" in WORDS
    assert list(verdicts(claim).values()) == ["confirmed", "undecided", "confirmed", "confirmed"]
    needed = {name: f"{mean(claim, name, 'clicks') / 100:.1f}" for name in
              ("sam_tiny", "GrabCut, clicks", "GrabCut, box and clicks")}  # fmt: skip
    assert f"than GrabCut with clicks, {needed['sam_tiny']} against {needed['GrabCut, clicks']}; against the" in WORDS
    assert f"against the {needed['GrabCut, box and clicks']} of GrabCut with a box nothing is decided" in WORDS


def test_own_errors():
    claim = "prompts.own_errors"
    own, anywhere = (seeds(claim, variant, "gain") for variant in ("on own errors", "clicks anywhere"))
    assert f"gain {np.mean(own):.1f} points of IoU from the second click to the fifth, the others" in WORDS
    assert f"the others {np.mean(anywhere):.1f}. They gain more with each of the three seeds" in WORDS
    assert all(one > other for one, other in zip(own, anywhere, strict=True))
    assert sorted(one > 0 for one in anywhere) == [False, True, True]
    assert set(verdicts(claim).values()) == {"undecided"}
    first = [mean(claim, variant, "after_1") for variant in ("on own errors", "clicks anywhere")]
    assert abs(first[0] - first[1]) < 0.5  # alike after the first click


def test_the_data_engine():
    claim = "prompts.engine"
    clicked, drawn = (mean(claim, variant) for variant in ("five clicks", "drawn by hand"))
    labels, clicks = (mean(claim, "five clicks", key) for key in ("labels", "clicks"))
    assert f"With about {clicks / 100:.0f} clicks on a picture" in WORDS
    assert f"their mean IoU with the true ones is {labels:.1f} %, not 80" in WORDS
    share = f"{100 * clicked / drawn:.0f} % of that"
    assert f"{clicked:.1f} % on new scenes against {drawn:.1f} from true labels, {share}" in WORDS
    assert list(verdicts(claim).values()) == ["confirmed", "undecided"]


def test_eight_frames():
    claim = "prompts.memory"
    memories = ("no memory", "the last mask", "the first frame")
    nothing, last, first = (mean(claim, variant, "after") for variant in memories)
    assert f"has lost it ({nothing:.1f} %). Both memories find more of it with each of the three seeds" in WORDS
    assert f"three seeds ({last:.1f} and {first:.1f} %)" in WORDS
    each = [seeds(claim, variant, "after") for variant in memories]
    assert all(nothing < min(others) for nothing, *others in zip(*each, strict=True))
    assert list(verdicts(claim).values())[1] == "undecided"


def test_what_a_click_costs():
    share = float(re.search(r"share of a click: ([\d.]+)%", PRINTED)[1])
    assert 0 < share < 1
    assert "Less than a hundredth." in WORDS


def test_counts_and_choices():
    oracle, chosen = map(float, re.search(r"best of three ([\d.]+), chosen ([\d.]+)", PRINTED).groups())
    assert oracle >= chosen
    things, reached = re.search(r"(\d+) things; reached 85 % within 8 clicks: (\d+)", PRINTED).groups()
    assert f"about half of the things, {reached} of {things}, reach the orange line" in WORDS
    assert "sam_vit_b      89,670,912    6,220  4,058,340   93,735,472" in PRINTED
