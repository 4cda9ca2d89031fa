"""What is drawn is what the detector computes with: anchors, boxes, and the points that RoIAlign reads."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from torchvision.ops import roi_align, roi_pool

from segtutor import models
from segtutor.models.mask_rcnn.anchors import pyramid_anchors
from segtutor.plotting import roi_pool_bins, roi_sample_points, show_anchors, show_boxes, show_roi_samples

GRAY = np.full((96, 128, 3), 128, dtype=np.uint8)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def detector():
    torch.manual_seed(0)
    return models.create("maskrcnn_tiny").eval()


def rectangles(axes, **wanted):
    """x0 y0 x1 y1 of the drawn rectangles with these properties."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    found = [patch for patch in found if all(getattr(patch, f"get_{key}")() == value for key, value in wanted.items())]
    return [(*patch.get_xy(), patch.get_x() + patch.get_width(), patch.get_y() + patch.get_height()) for patch in found]


def legend_words(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_anchors_by_hand(detector):
    detector.settings = replace(detector.settings, anchor_sizes=((8,), (16,), (32,), (64,)))
    axes = show_anchors(detector, GRAY, "P3", (2, 5))
    wide, high = 16 * 2**0.5, 16 / 2**0.5  # P3 has stride 8: the center is (40, 16)
    expected = [
        (40 - wide / 2, 16 - high / 2, 40 + wide / 2, 16 + high / 2),
        (32, 8, 48, 24),
        (40 - high / 2, 16 - wide / 2, 40 + high / 2, 16 + wide / 2),
    ]
    assert np.allclose(rectangles(axes), expected, atol=1e-4)
    assert legend_words(axes) == ["centers", "16 px, 1:2", "16 px, 1:1", "16 px, 2:1"]
    assert len({patch.get_edgecolor() for patch in axes.patches}) == 3
    (dots,) = axes.collections
    grid = [(x, y) for y in range(0, 96, 8) for x in range(0, 128, 8)]
    assert np.allclose(dots.get_offsets(), grid)
    assert tuple(axes.images[0].get_extent()) == (0, 128, 96, 0)


@pytest.mark.parametrize("level", ["P2", "P5"])
def test_anchors_are_those_of_the_network(detector, level):
    image = torch.rand(3, 90, 100, generator=torch.Generator().manual_seed(0))
    stages = detector.trace([image])
    index = list(stages.features).index(level)
    features = list(stages.features.values())
    anchors = pyramid_anchors(features, stages.strides, stages.padded_size, detector.settings)[index]
    h, w = features[index].shape[-2:]
    axes = show_anchors(detector, image, level)
    shown = anchors.reshape(h, w, -1, 4)[h // 2, w // 2]
    assert np.allclose(rectangles(axes), shown, atol=1e-4)
    assert len(axes.collections[0].get_offsets()) == h * w  # the padding to 96 x 128 has anchors, too
    right, left = axes.get_xlim()[::-1]
    assert left <= shown[:, 0].min() < shown[:, 2].max() <= right


def test_anchors_of_a_picture_that_is_resized_and_of_one_level():
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", fpn=False)
    sizes = len(model.settings.anchor_sizes[0])
    axes = show_anchors(model, GRAY, "C4")
    assert len(rectangles(axes)) == 3 * sizes
    styles = {(patch.get_edgecolor(), patch.get_linestyle()) for patch in axes.patches}
    assert len(styles) == 3 * sizes
    model.settings = replace(model.settings, short_side=48)
    axes = show_anchors(model, GRAY, "C4", (0, 0))
    assert tuple(axes.images[0].get_extent()) == (0, 64, 48, 0)


def test_unknown_levels_and_positions_are_refused(detector):
    with pytest.raises(ValueError, match="level must be one of P2, P3, P4, P5, but 'P6' came"):
        show_anchors(detector, GRAY, "P6")
    for position in ((12, 0), (0, 16), (-1, 0), (0.5, 0)):
        with pytest.raises(ValueError, match=r"row in 0\.\.\.11 and a column in 0\.\.\.15 of P3, but \("):
            show_anchors(detector, GRAY, "P3", position)
    with pytest.raises(ValueError, match="Mask R-CNN of the course, but Linear has no anchors"):
        show_anchors(torch.nn.Linear(1, 1), GRAY)


BOXES = [[5.0, 20.0, 40.0, 60.0], [50.0, 0.0, 90.0, 50.0], [100.0, 30.0, 127.0, 95.0], [0.0, 0.0, 128.0, 96.0]]


@pytest.mark.parametrize("boxes", [BOXES, torch.tensor(BOXES)])
def test_boxes_and_captions(boxes):
    axes = show_boxes(
        torch.from_numpy(GRAY.transpose(2, 0, 1).copy()),
        boxes,
        scores=torch.tensor([0.984, 0.5, 0.25, 0.1]),
        labels=torch.tensor([1, 2, 1, 2]),
        names={1: "car", 2: "dining table"},
    )
    assert rectangles(axes, fill=False) == [tuple(box) for box in BOXES]
    assert [text.get_text() for text in axes.texts] == [
        "car 0.98",
        "dining table 0.50",
        "car 0.25",
        "dining table 0.10",
    ]
    colors = [patch.get_edgecolor() for patch in axes.patches if not patch.get_fill()]
    assert colors[0] == colors[2] != colors[1] == colors[3]


def test_captions_lie_in_the_picture_beside_the_frames_and_apart():
    axes = show_boxes(GRAY, BOXES[:3], labels=[3, 12, 7], scores=[0.5] * 3)
    axes.figure.canvas.draw()
    grounds = rectangles(axes, fill=True)
    assert len(grounds) == 3
    for ground, box, text in zip(grounds, BOXES[:3], axes.texts, strict=True):
        x0, y0, x1, y1 = ground
        assert min(x0, y0) >= 0
        assert x1 <= 128
        assert y1 <= 96
        assert y1 < box[1] or y0 > box[1]  # over the frame's upper edge or under it
        extent = text.get_window_extent().transformed(axes.transData.inverted())
        assert x0 <= extent.x0
        assert extent.x1 <= x1
    apart = [
        a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        for i, a in enumerate(grounds)
        for b in grounds[i + 1 :]
    ]
    assert all(apart)


def test_captions_of_boxes_on_each_other_take_different_places():
    axes = show_boxes(GRAY, [[20, 30, 80, 70]] * 3, scores=[0.9, 0.8, 0.7])
    tops = [ground[1] for ground in rectangles(axes, fill=True)]
    assert len(set(tops)) == 3
    assert tops[0] < 30 < 70 < tops[1]
    assert 30 < tops[2] < 70


def test_colors_by_score_and_by_choice():
    def edges(**options):
        axes = show_boxes(GRAY, BOXES[:3], **options)
        return [patch.get_edgecolor() for patch in axes.patches if not patch.get_fill()]

    low, middle, high = edges(scores=[0.0, 0.5, 1.0])
    assert sum(low[:3]) < sum(middle[:3]) < sum(high[:3])
    assert edges(colors="black") == edges(colors=(0, 0, 0)) == [to_rgba("black")] * 3
    chosen = ["red", "blue", "white"]
    assert edges(colors=chosen, labels=[0, 0, 0]) == [to_rgba(color) for color in chosen]
    assert len(set(edges())) == 1


def test_no_box_is_no_error():
    for nothing in ([], torch.zeros(0, 4)):
        assert not list(show_boxes(GRAY, nothing, scores=[], labels=[]).patches)


def test_bad_boxes_are_refused():
    with pytest.raises(ValueError, match=r"boxes must be R x 4 .* but their shape is \(4,\)"):
        show_boxes(GRAY, BOXES[0])
    with pytest.raises(ValueError, match="one of the scores for each box: there are 1 and 4 boxes"):
        show_boxes(GRAY, BOXES, scores=[0.5])
    with pytest.raises(ValueError, match="one of the labels for each box: there are 1 and 4 boxes"):
        show_boxes(GRAY, BOXES, labels=[1])
    with pytest.raises(ValueError, match="one color, or one for each box: there are 2 and 4 boxes"):
        show_boxes(GRAY, BOXES, colors=["red", "blue"])
    with pytest.raises(ValueError, match=r"names must hold one for each label, but there is none for \[2, 5\]"):
        show_boxes(GRAY, BOXES, labels=[0, 5, 1, 2], names=["a", "b"])


def test_sample_points_by_hand():
    # 16 pixels from 8 on are 2 positions from 0.5 on: 2 bins of 1 position, with points at a quarter and three.
    points = roi_sample_points((8, 16, 24, 48), stride=8, bins=2)
    assert points.shape == (4, 4, 2)
    assert points[0, :, 0].tolist() == [0.75, 1.25, 1.75, 2.25]
    assert points[:, 0, 1].tolist() == [2.0, 3.0, 4.0, 5.0]
    assert (points[..., 0] == points[:1, :, 0]).all()
    axes = show_roi_samples(np.zeros((8, 6)), (8, 16, 24, 48), 8, bins=2)
    dots = axes.collections[-1]
    assert np.array_equal(dots.get_offsets(), points.reshape(-1, 2))
    assert rectangles(axes) == [(0.5, 1.5, 2.5, 5.5)]
    across = np.concatenate([lines.get_segments() for lines in axes.collections[:-1]])
    assert [[1.5, 1.5], [1.5, 5.5]] in across.tolist()  # the border between the two bins
    assert [[0.5, 3.5], [2.5, 3.5]] in across.tolist()


BOXES_OF_REGIONS = [(20.0, 13.0, 100.0, 90.0), (3.3, 40.2, 17.9, 44.0), (-30.0, -9.0, 60.0, 150.0)]


@pytest.mark.parametrize("box", BOXES_OF_REGIONS)
@pytest.mark.parametrize(("bins", "ratio"), [(7, 2), (3, 1), (2, 3)])
def test_sample_points_are_those_of_torchvision(box, bins, ratio):
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 14)))
    x, y = np.moveaxis(roi_sample_points(box, 8, bins, ratio), -1, 0)
    inside = (x >= -1) & (x <= 14) & (y >= -1) & (y <= 12)
    x, y = x.clip(0, 13), y.clip(0, 11)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = (x0 + 1).clip(max=13), (y0 + 1).clip(max=11)
    v, right, down = values.numpy(), x - x0, y - y0
    read = (v[y0, x0] * (1 - right) + v[y0, x1] * right) * (1 - down)
    read += (v[y1, x0] * (1 - right) + v[y1, x1] * right) * down
    means = (read * inside).reshape(bins, ratio, bins, ratio).mean(axis=(1, 3))
    expected = roi_align(values[None, None], torch.tensor([[0.0, *box]]).double(), bins, 1 / 8, ratio, aligned=True)
    assert np.allclose(means, expected[0, 0], atol=1e-10)


def test_rounded_bins_by_hand():
    # 20 to 50 pixels at stride 16 are 1.25 to 3.125, rounded 1 and 3: three positions, 1.5 to a bin.
    rounded = roi_pool_bins((20, 20, 50, 50), 16, (8, 8), bins=2)
    assert rounded[0].tolist() == [[1, 1, 3, 3], [2, 1, 4, 3]]
    axes = show_roi_samples(torch.zeros(8, 8), (20, 20, 50, 50), 16, bins=2, pooling="pool")
    *bins, box = rectangles(axes)
    assert box == (0.75, 0.75, 2.625, 2.625)
    assert np.allclose(bins[0], (0.6, 0.6, 2.4, 2.4))  # positions 1 and 2, a tenth smaller on each side
    assert len(bins) == 4


@pytest.mark.parametrize("box", [*BOXES_OF_REGIONS, (4.0, 12.0, 20.0, 36.0)])
@pytest.mark.parametrize("bins", [7, 2])
def test_rounded_bins_are_those_of_torchvision(box, bins):
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 14)).astype(np.float32))
    rounded = roi_pool_bins(box, 8, (12, 14), bins)
    largest = [
        [float(values[y0:y1, x0:x1].max()) if y1 > y0 and x1 > x0 else 0.0 for x0, y0, x1, y1 in row] for row in rounded
    ]
    expected = roi_pool(values[None, None], torch.tensor([[0.0, *box]]), bins, 1 / 8)
    assert np.array_equal(np.array(largest, dtype=np.float32), expected[0, 0])


def test_bad_regions_are_refused():
    values = np.zeros((4, 4))
    with pytest.raises(ValueError, match=r"one channel h x w, but its shape is \(1, 4, 4\)"):
        show_roi_samples(values[None], (0, 0, 8, 8), 8)
    with pytest.raises(ValueError, match="pooling must be 'align' or 'pool', but 'max' came"):
        show_roi_samples(values, (0, 0, 8, 8), 8, pooling="max")
    with pytest.raises(ValueError, match=r"x0 < x1 and y0 < y1, but \[8\.0, 0\.0, 8\.0, 8\.0\] came"):
        show_roi_samples(values, (8, 0, 8, 8), 8)
    with pytest.raises(ValueError, match="stride must be positive and bins at least 1, but 0 and 7 came"):
        roi_sample_points((0, 0, 8, 8), 0)
    with pytest.raises(ValueError, match="stride must be positive and bins at least 1, but 8 and 0 came"):
        roi_pool_bins((0, 0, 8, 8), 8, (4, 4), bins=0)
    with pytest.raises(ValueError, match="ratio must be a whole number of at least 1"):
        roi_sample_points((0, 0, 8, 8), 8, ratio=0)
