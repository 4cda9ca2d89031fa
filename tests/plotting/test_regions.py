"""The dragged box shows what torchvision's two kernels give, and says what changed."""

import html
import re

import numpy as np
import pytest
import torch
from torchvision.ops import nms, roi_align, roi_pool

from segtutor import plotting
from segtutor.plotting.regions import region_maxima, region_means
from segtutor.plotting.suppression import suppress

RAMP = np.arange(25.0).reshape(5, 5)


def test_pooling_by_hand():
    assert region_means(RAMP, (1, 1, 3, 3), 1, 2).tolist() == [[6, 7], [11, 12]]
    # Both corners are rounded, and the last position belongs to the region: rows and columns 1 to 3.
    assert region_maxima(RAMP, (1, 1, 3, 3), 1, 1).tolist() == [[18]]
    assert region_maxima(RAMP, (1.4, 1.4, 3.4, 3.4), 1, 1).tolist() == [[18]]
    assert region_maxima(RAMP, (1.6, 1.4, 3.4, 3.4), 1, 1).tolist() == [[18]]
    assert region_maxima(RAMP, (1.6, 1.4, 3.6, 3.4), 1, 1).tolist() == [[19]]


@pytest.mark.parametrize("bins", [1, 2, 3, 7])
def test_pooling_agrees_with_torchvision(bins):
    generator = np.random.default_rng(bins)
    features = generator.normal(size=(8, 6)).astype(np.float32)
    maps = torch.from_numpy(features)[None, None]
    for _ in range(20):
        x0, y0 = generator.uniform(0, 40, 2)
        box = (x0, y0, x0 + generator.uniform(3, 50), y0 + generator.uniform(3, 80))
        regions = torch.tensor([[0.0, *box]], dtype=torch.float32)
        assert np.allclose(region_maxima(features, box, 16, bins), roi_pool(maps, regions, bins, 1 / 16)[0, 0])
        theirs = roi_align(maps, regions, bins, 1 / 16, sampling_ratio=2, aligned=True)[0, 0]
        assert np.allclose(region_means(features, box, 16, bins), theirs, atol=1e-5)


def test_every_step_holds_its_numbers_and_says_what_changed():
    features = np.random.default_rng(0).normal(size=(5, 4))
    moved = plotting.movable_region(features, (4, 4, 20, 30), range(5), stride=8, bins=2)
    assert len(moved.pooled) == len(moved.aligned) == 5
    frames = re.findall(r"<svg.*?</svg><p>.*?</p>", html.unescape(moved.html), re.DOTALL)
    for step, frame in enumerate(frames):
        shown = [float(text.replace("\u2212", "-")) for text in re.findall(r'middle">(\W?\d+\.\d+)</text>', frame)]
        expected = [*moved.pooled[step].ravel(), *moved.aligned[step].ravel()]
        assert shown == pytest.approx(expected, abs=0.0051)
        if step:
            changes = [
                int((~np.isclose(now[step], now[step - 1])).sum()) or "none" for now in (moved.pooled, moved.aligned)
            ]
            assert f"{changes[0]} of RoIPool's and {changes[1]} of RoIAlign's 4 numbers changed" in frame
            assert frame.count('class="number changed"') == sum(change for change in changes if change != "none")


@pytest.mark.parametrize(
    ("values", "box", "shifts", "words"),
    [
        (np.zeros((1, 5, 5)), (0, 0, 8, 8), (0,), "h x w"),
        (RAMP, (0, 0, 8, 8), (), "one shift"),
        (RAMP, (30, 0, 39, 8), (0, 2), "stay on the map"),
        (RAMP, (-1, 0, 8, 8), (0,), "stay on the map"),
    ],
)
def test_wrong_input_is_refused(values, box, shifts, words):
    with pytest.raises(ValueError, match=words):
        plotting.movable_region(values, box, shifts, stride=8)


def test_suppression_by_hand_and_as_torchvision_does_it():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [0, 5, 10, 15], [20, 0, 30, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    assert suppress(boxes, scores, 0.8) == [0, 1, 2, 3]  # 80 of 100 pixels: not more than the threshold
    assert suppress(boxes, scores, 0.5) == [0, 2, 3]
    assert suppress(boxes, scores, 0.3) == [0, 3]
    generator = torch.Generator().manual_seed(0)
    low = 60 * torch.rand(50, 2, generator=generator)
    many = torch.cat([low, low + 5 + 40 * torch.rand(50, 2, generator=generator)], dim=1)
    certain = torch.rand(50, generator=generator)
    for threshold in (0.1, 0.3, 0.5, 0.9, 1.0):
        assert suppress(many, certain, threshold) == nms(many, certain, threshold).tolist()


def test_every_threshold_is_a_step_with_the_boxes_that_stay():
    boxes, scores = [[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]], [0.9, 0.8, 0.6]
    picture = np.zeros((40, 80, 3), dtype=np.uint8)
    moved = plotting.movable_suppression(picture, boxes, scores, (0.5, 1.0), size=(20, 40), says=("A.", "B."))
    assert "2 of 3 boxes stay (yellow). A." in moved.html
    assert "3 of 3 boxes stay (yellow). B." in moved.html
    first, second = re.findall(r"<svg.*?</svg>", moved.html, re.DOTALL)
    assert (first.count('class="kept"'), first.count('class="gone"')) == (2, 1)
    assert (second.count('class="kept"'), second.count('class="gone"')) == (3, 0)
    assert re.findall(r">(0\.\d\d)<", first) == ["0.90", "0.60"]
    tags = [float(y) for y in re.findall(r'class="tag" x="0.0" y="([\d.]+)"', second)]
    assert len(tags) == 2
    assert abs(tags[1] - tags[0]) > 5
    with pytest.raises(ValueError, match="sentence per threshold"):
        plotting.movable_suppression(picture, boxes, scores, (0.5, 1.0), size=(20, 40), says=("A.",))
