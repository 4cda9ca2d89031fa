"""The figures of DeepLab and Mask R-CNN show the shapes of a real pass, worked by hand where they can be."""

import matplotlib.pyplot as plt
import pytest
import torch

from segtutor import models
from segtutor.models.mask_rcnn.roi_heads import ConvolutionalHead
from segtutor.plotting import (
    deeplabv2_layout,
    deeplabv3_cascaded_layout,
    deeplabv3_layout,
    deeplabv3plus_layout,
    detector_shapes,
    mask_rcnn_layout,
    pspnet_layout,
    show_architecture,
    trace_shapes,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def drawn(name, layout, size=(128, 160), **options):
    """The figure of a network that needs no memory."""
    with torch.device("meta"):
        model = models.create(name, **options)
    return show_architecture(trace_shapes(model, size), layout(model))


def texts(axes):
    return [" ".join(text.get_text().split()) for text in axes.texts]


def assert_readable(axes):
    axes.figure.canvas.draw()
    extents = [(text.get_text(), text.get_window_extent().shrunk(0.96, 0.9)) for text in axes.texts if text.get_text()]
    for index, (words, extent) in enumerate(extents):
        assert axes.figure.bbox.contains(extent.x0, extent.y0), words
        assert axes.figure.bbox.contains(extent.x1, extent.y1), words
        assert [other for other, place in extents[index + 1 :] if extent.overlaps(place)] == [], words


def shapes_under(axes):
    """Shape by label, in order; a label that occurs again gets all of its shapes."""
    words = [text for text in axes.texts if text.get_fontweight() == "bold" or "×\n" in text.get_text()]
    found: dict[str, list[str]] = {}
    for label, shape in zip(words[::2], words[1::2], strict=True):
        found.setdefault(" ".join(label.get_text().split()), []).append(" ".join(shape.get_text().split()))
    return found


# 513 pixels at stride 8 are 65; every branch keeps the size.
def test_deeplabv2_by_hand():
    axes = drawn("deeplabv2_resnet101", deeplabv2_layout, (513, 513))
    shapes = shapes_under(axes)
    assert shapes["layer3 rate 2"] == ["1024 × 65 × 65"]
    assert shapes["layer4 rate 4"] == ["2048 × 65 × 65"]
    for rate in (6, 12, 18, 24):
        assert shapes[f"3×3, rate {rate}"] == ["21 × 65 × 65"]
    assert shapes["sum"] == ["21 × 65 × 65"]
    assert shapes["logits"] == ["21 × 513 × 513"]
    assert_readable(axes)


def test_deeplabv2_of_vgg16_has_fc6_and_fc7_in_every_branch():
    axes = drawn("deeplabv2_vgg16", deeplabv2_layout, (321, 321), head="aspp_l")
    shapes = shapes_under(axes)
    assert shapes["pool1"] == ["64 × 161 × 161"]
    assert shapes["pool3"] == ["256 × 41 × 41"]
    assert shapes["pool5"] == ["512 × 41 × 41"]
    assert [f"fc6, rate {rate}" in shapes for rate in (6, 12, 18, 24)] == [True] * 4
    assert shapes["fc7"] == ["1024 × 41 × 41"] * 4
    assert shapes["score"] == ["21 × 41 × 41"] * 4
    assert_readable(axes)
    assert "fc6, rate 12" in texts(drawn("deeplabv2_vgg16", deeplabv2_layout, (321, 321)))


def test_deeplabv2_at_three_scales():
    axes = drawn("deeplabv2_resnet101", deeplabv2_layout, (513, 513), multi_scale=True)
    shapes = shapes_under(axes)
    assert shapes["image × 0.75"] == ["3 × 385 × 385"]  # 8 k + 1
    assert shapes["image × 0.5"] == ["3 × 257 × 257"]
    assert shapes["sum"] == ["21 × 65 × 65", "21 × 49 × 49", "21 × 33 × 33"]
    assert shapes["maximum"] == ["21 × 65 × 65"]
    assert texts(axes).count("the same network") == 2
    assert_readable(axes)


def test_deeplabv3_by_hand():
    axes = drawn("deeplabv3_resnet101", deeplabv3_layout, (513, 513))
    shapes = shapes_under(axes)
    assert shapes["layer3 rate 1, 2"] == ["1024 × 65 × 65"]
    assert shapes["layer4 rate 2, 4"] == ["2048 × 65 × 65"]
    for label in ("1×1", "3×3, rate 12", "3×3, rate 24", "3×3, rate 36", "ASPP", "mixed"):
        assert shapes[label] == ["256 × 65 × 65"]
    assert shapes["mean"] == ["2048 × 1 × 1"]
    assert shapes["side by side"] == ["1280 × 65 × 65"]  # five times 256
    assert shapes["score"] == ["21 × 65 × 65"]
    assert_readable(axes)


def test_the_papers_deeplabv3_has_multi_grid_and_no_convolution_behind_the_aspp():
    axes = drawn("deeplabv3_resnet50", deeplabv3_layout, (513, 513), variant="paper")
    shapes = shapes_under(axes)
    assert shapes["layer4 rate 2, 4, 8"] == ["2048 × 33 × 33"]
    assert "layer3" in shapes
    assert "mixed" not in shapes
    assert "3×3, rate 18" in shapes
    assert_readable(axes)


def test_an_aspp_without_image_pooling_or_with_one_rate():
    shapes = shapes_under(drawn("deeplabv3_tiny", deeplabv3_layout, rates=(3,), image_pooling=False))
    assert shapes["side by side"] == ["128 × 16 × 20"]
    assert "3×3, rate 3" in shapes
    assert "mean" not in shapes


@pytest.mark.parametrize("name", ["deeplabv3_mobilenet_v2", "deeplabv3_mobilenet_v3_large"])
def test_mobile_backbones_show_what_they_return(name):
    axes = drawn(name, deeplabv3_layout, (513, 513))
    assert {"low", "aux", "out"} <= set(shapes_under(axes))
    assert_readable(axes)


def test_the_cascade_by_hand():
    axes = drawn("deeplabv3_cascaded_resnet50", deeplabv3_cascaded_layout, (513, 513))
    shapes = shapes_under(axes)
    labels = ["layer4 rate 2, 4, 2", "block5 rate 4, 8, 4", "block6 rate 8, 16, 8", "block7 rate 16, 32, 16"]
    assert [shapes[label] for label in labels] == [["2048 × 33 × 33"]] * 4
    assert_readable(axes)
    assert not [text for text in texts(drawn("deeplabv3_cascaded_tiny", deeplabv3_cascaded_layout, last_block=4))
                if "block" in text]  # fmt: skip


def test_deeplabv3plus_by_hand():
    axes = drawn("deeplabv3plus_resnet101", deeplabv3plus_layout, (513, 513))
    shapes = shapes_under(axes)
    assert shapes["layer1"] == ["256 × 129 × 129"]
    assert shapes["reduced"] == ["48 × 129 × 129"]
    assert shapes["ASPP"] == ["256 × 33 × 33"]
    assert shapes["side by side"] == ["1280 × 33 × 33", "304 × 129 × 129"]  # 304 = 256 + 48
    assert shapes["refined"] == ["256 × 129 × 129"] * 2
    assert shapes["score"] == ["21 × 129 × 129"]
    assert_readable(axes)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("convolutions", [1, 3])
def test_a_decoder_shows_each_of_its_convolutions(separable, convolutions):
    options = {"separable": separable, "decoder_convolutions": convolutions}
    shapes = shapes_under(drawn("deeplabv3plus_tiny", deeplabv3plus_layout, **options))
    assert shapes["refined"] == ["64 × 33 × 41"] * convolutions  # 128 x 160 is padded to 129 x 161
    assert [f"3×3, rate {rate}" in shapes for rate in (2, 4, 6)] == [True] * 3


def test_xceptions_finer_map_comes_from_inside_a_block():
    axes = drawn("deeplabv3plus_xception65", deeplabv3plus_layout, (513, 513))
    shapes = shapes_under(axes)
    assert shapes["entry 2"] == ["256 × 65 × 65"]
    assert shapes["inside entry 2"] == ["256 × 129 × 129"]
    assert shapes["middle 16"] == ["728 × 33 × 33"]
    assert shapes["exit 2 rate 2"] == ["2048 × 33 × 33"]
    assert_readable(axes)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("deeplabv2_tiny", deeplabv2_layout),
        ("deeplabv3_tiny", deeplabv3_layout),
        ("deeplabv3_cascaded_tiny", deeplabv3_cascaded_layout),
        ("deeplabv3plus_tiny", deeplabv3plus_layout),
    ],
)
def test_small_networks_also_on_small_axes(name, layout):
    assert_readable(drawn(name, layout))
    with torch.device("meta"):
        model = models.create(name)
    _, small = plt.subplots(figsize=(5, 4))
    assert_readable(show_architecture(trace_shapes(model, (128, 160)), layout(model), ax=small))


def test_another_network_is_refused():
    with torch.device("meta"):
        pspnet, fcn = models.create("pspnet_tiny"), models.create("fcn8s_tiny")
    with pytest.raises(ValueError, match="draws networks with 'scales', but PSPNet has none; take its own layout"):
        deeplabv2_layout(pspnet)
    with pytest.raises(ValueError, match=r"no module 'classifier\.0\.convs'"):
        deeplabv3_layout(pspnet)
    with pytest.raises(ValueError, match=r"no module 'aspp\.convs'"):
        deeplabv3plus_layout(fcn)
    with pytest.raises(ValueError, match="no module 'roi_heads'"):
        mask_rcnn_layout(fcn)
    assert pspnet_layout(pspnet).boxes  # it has one of its own


def detector_figure(**options):
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", **options)
    shapes = detector_shapes(model, (128, 160))
    return model, shapes, show_architecture(shapes, mask_rcnn_layout(model))


def test_mask_rcnn_by_hand():
    model, _, axes = detector_figure()
    shapes = shapes_under(axes)
    assert shapes["image"] == ["3 × 128 × 160"]
    assert [shapes[f"C{level}"] for level in (2, 3, 4)] == [["48 × 32 × 40"], ["96 × 16 × 20"], ["128 × 8 × 10"]]
    assert [shapes[f"P{level}"] for level in (2, 3, 4, 5)] == [
        ["64 × 32 × 40"], ["64 × 16 × 20"], ["64 × 8 × 10"], ["64 × 4 × 5"],
    ]  # fmt: skip
    assert shapes["object?"] == ["3 × 32 × 40"]  # an anchor of each ratio at every position
    assert shapes["moves"] == ["12 × 32 × 40"]  # four numbers for each
    assert shapes["RoIAlign"] == ["64 × 7 × 7", "64 × 14 × 14"]
    assert shapes["fc6"] == shapes["fc7"] == ["192 × 1 × 1"]
    assert shapes["classes"] == ["21 × 1 × 1"]
    assert shapes["boxes"] == ["84 × 1 × 1"]
    assert shapes["enlarged"] == ["64 × 28 × 28"]
    assert shapes["masks"] == ["21 × 28 × 28"]
    assert axes.figure.get_size_inches()[0] <= 9.01  # inches of a column, so that letters have their nine points
    stages = model.trace(torch.zeros(1, 3, 128, 160))
    for level, features in stages.features.items():
        assert shapes[level] == ["{} × {} × {}".format(*features.shape[1:])]
    assert_readable(axes)


def test_shapes_of_a_detector_are_those_traced_but_for_vectors():
    model, shapes, _ = detector_figure()
    traced = trace_shapes(model, (128, 160))
    assert list(shapes) == list(traced)
    changed = {name for name, shape in shapes.items() if shape != traced[name]}
    assert "roi_heads.box_head.fc6" in changed
    assert all(name.startswith("roi_heads.box_") for name in changed)
    assert all(shapes[name] == (*traced[name], 1, 1) for name in changed)
    regions = len(model.trace(torch.zeros(1, 3, 128, 160)).proposals[0].boxes)
    assert shapes["roi_heads.box_head.fc7"] == (regions, 192, 1, 1)


def test_mask_rcnn_without_pyramid_or_masks_and_with_the_older_pooling():
    _, _, axes = detector_figure(fpn=False, roi_pooling="pool")
    shapes = shapes_under(axes)
    assert shapes["reduced"] == ["64 × 8 × 10"]
    assert shapes["object?"] == ["12 × 8 × 10"]  # four sizes of three ratios
    assert "RoIPool" in shapes
    assert_readable(axes)
    _, _, axes = detector_figure(mask_branch=False)
    assert "masks" not in shapes_under(axes)
    assert_readable(axes)


def test_a_box_head_of_convolutions():
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny")
    model.roi_heads.box_head = ConvolutionalHead(64, hidden=192)
    axes = show_architecture(detector_shapes(model, (64, 64)), mask_rcnn_layout(model))
    shapes = shapes_under(axes)
    assert shapes["convolved"] == ["64 × 7 × 7", "64 × 14 × 14"]
    assert shapes["fc"] == ["192 × 1 × 1"]
    assert shapes["P5"] == ["64 × 2 × 2"]
    assert "4 × 3×3" in texts(axes)
    assert_readable(axes)
