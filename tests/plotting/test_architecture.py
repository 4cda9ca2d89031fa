"""The drawn shapes are those of the network: FCN's and PSPNet's by hand, and names that do not exist are refused."""

import re
from functools import partial
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.patches import FancyArrowPatch
from torch import nn

from segtutor import models
from segtutor.plotting import (
    Arrow,
    Box,
    Layout,
    deeplabv2_layout,
    deeplabv3_cascaded_layout,
    deeplabv3_layout,
    deeplabv3plus_layout,
    fcn_layout,
    pspnet_layout,
    segformer_layout,
    show_architecture,
    trace_shapes,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def on_meta(name, **options):
    with torch.device("meta"):
        return models.create(name, **options)


def texts(axes):
    return [" ".join(text.get_text().split()) for text in axes.texts]


class Shared(nn.Module):
    """One head on two maps, given as a list."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 2, 3)

    def forward(self, images):
        fine = self.body(images)
        return [self.head(fine), {"coarse": self.head(fine[..., ::2, ::2])}]


def test_names_of_maps():
    assert trace_shapes(Shared(), torch.zeros(2, 3, 8, 12)) == {
        "input": (2, 3, 8, 12),
        "body:input": (2, 3, 8, 12),
        "body": (2, 4, 8, 12),
        "head:input": (2, 4, 8, 12),
        "head": (2, 2, 6, 10),
        "head#2:input": (2, 4, 4, 6),
        "head#2": (2, 2, 2, 4),
        "output[0]": (2, 2, 6, 10),
        "output[1][coarse]": (2, 2, 2, 4),
    }


def test_tracing_leaves_the_network_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(), nn.BatchNorm2d(4))
    model[3].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    trace_shapes(model, torch.ones(2, 3, 5, 5), training=True)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert [module.training for module in model] == [True, True, True, False]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_mask_rcnn_is_traced():
    shapes = trace_shapes(models.create("maskrcnn_tiny"), [torch.zeros(3, 96, 128)])
    assert shapes["input[0]"] == (3, 96, 128)
    levels = [shape for name, shape in shapes.items() if name.startswith("backbone[P")]
    assert len(levels) == 4
    assert len({shape[1] for shape in levels}) == 1
    assert all(coarse[-1] == -(-fine[-1] // 2) for fine, coarse in pairwise(levels))


# FCN on 500 x 500 pixels: padding 100 gives 698, five poolings that round up, 7 x 7 without padding, then 2 (n - 1) + 4
# twice and 8 (n - 1) + 16.
FCN8S = {
    "image": "3 × 500 × 500", "pool1": "64 × 349 × 349", "pool2": "128 × 175 × 175", "pool3": "256 × 88 × 88",
    "pool4": "512 × 44 × 44", "pool5": "512 × 22 × 22", "fc6": "4096 × 16 × 16", "fc7": "4096 × 16 × 16",
    "score": "21 × 16 × 16", "up pool4": "21 × 34 × 34", "score pool4": "21 × 44 × 44", "sum pool4": "21 × 34 × 34",
    "up pool3": "21 × 70 × 70", "score pool3": "21 × 88 × 88", "sum pool3": "21 × 70 × 70",
    "enlarged": "21 × 568 × 568", "logits": "21 × 500 × 500",
}  # fmt: skip


def test_fcn8s_by_hand():
    model = on_meta("fcn8s_vgg16")
    layout = fcn_layout(model)
    axes = show_architecture(trace_shapes(model, (500, 500)), layout, title="FCN-8s")
    assert [box.name for box in layout.boxes] == list(FCN8S)
    drawn = texts(axes)
    shapes = [text for text in drawn if text.count("×") == 2]
    assert shapes == list(FCN8S.values())
    assert drawn.count("crop") == 3  # both finer scores, and the border of the logits
    assert (drawn.count("×2"), drawn.count("×8"), drawn.count("7×7"), drawn.count("1×1")) == (2, 1, 1, 4)
    assert axes.get_title() == "FCN-8s"
    assert sum(isinstance(patch, FancyArrowPatch) for patch in axes.patches) == len(layout.arrows)


@pytest.mark.parametrize("name", ["fcn32s_vgg16", "fcn16s_vgg16", "fcn32s_tiny", "fcn16s_tiny", "fcn8s_tiny"])
def test_every_fcn_has_a_layout(name):
    model = on_meta(name, num_classes=5)
    drawn = texts(show_architecture(trace_shapes(model, (96, 130)), fcn_layout(model)))
    stride = int(name[3:].partition("s")[0])
    assert f"×{stride}" in drawn
    assert drawn.count("sum") == {32: 0, 16: 1, 8: 2}[stride]
    assert "5 × 96 × 130" in drawn


def test_pspnet_by_hand():
    model = on_meta("pspnet_resnet50")
    drawn = texts(show_architecture(trace_shapes(model, (473, 473)), pspnet_layout(model)))
    for count in (1, 2, 3, 6):
        assert f"{count}×{count} bins" in drawn
        assert f"2048 × {count} × {count}" in drawn
        assert f"512 × {count} × {count}" in drawn
    assert "4096 × 60 × 60" in drawn  # 2048 and four times 512
    assert drawn.count("21 × 473 × 473") == 1
    assert drawn.count("enlarge") == 5
    head = texts(show_architecture(trace_shapes(model, (473, 473)), pspnet_layout(model, head_only=True)))
    assert head.count("enlarge") == 5
    assert "3 × 473 × 473" not in head


def test_pspnet_with_auxiliary_head_and_without_pyramid():
    model = on_meta("pspnet_tiny", aux=True, num_classes=7)
    shapes = trace_shapes(model, torch.zeros(2, 3, 65, 97), training=True)
    drawn = texts(show_architecture(shapes, pspnet_layout(model, auxiliary=True)))
    assert drawn.count("7 × 65 × 97") == 2
    with pytest.raises(ValueError, match="leave head_only or auxiliary out"):
        pspnet_layout(model, auxiliary=True, head_only=True)
    bare = on_meta("pspnet_tiny", bins=())
    drawn = texts(show_architecture(trace_shapes(bare, (65, 97)), pspnet_layout(bare)))
    assert not [text for text in drawn if "bins" in text]


def overlaps(axes):
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent().shrunk(0.96, 0.9) for text in axes.texts if text.get_text()]
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]


@pytest.mark.parametrize(
    ("name", "layout", "size"),
    [
        ("fcn8s_vgg16", fcn_layout, (500, 500)),
        ("fcn8s_tiny", fcn_layout, (128, 160)),
        ("pspnet_resnet101", pspnet_layout, (713, 713)),
        ("pspnet_tiny", pspnet_layout, (97, 129)),
    ],
)
def test_no_text_lies_on_another_and_all_are_inside(name, layout, size):
    model = on_meta(name)
    shapes = trace_shapes(model, size)
    _, small = plt.subplots(figsize=(5, 4))
    for axes in (show_architecture(shapes, layout(model)), show_architecture(shapes, layout(model), ax=small)):
        assert overlaps(axes) == []
        inside = axes.figure.bbox
        for text in axes.texts:
            extent = text.get_window_extent()
            assert inside.contains(extent.x0, extent.y0)
            assert inside.contains(extent.x1, extent.y1)
    assert axes is small


def test_slabs_follow_the_shapes():
    shapes = {"a": (1, 3, 64, 64), "b": (1, 255, 16, 16)}
    layout = Layout((Box("a", "a", "first", 0), Box("b", "b", "second", 1)), (Arrow("a", "b", "step"),))
    axes = show_architecture(shapes, layout)
    fronts = [patch.get_xy() for patch in axes.patches if not isinstance(patch, FancyArrowPatch)][::3]
    (wide_a, high_a), (wide_b, high_b) = ((front.max(axis=0) - front.min(axis=0)) for front in fronts)
    assert high_a / high_b == pytest.approx(2)  # square root of 64 / 16
    assert (wide_b - 0.03) / (wide_a - 0.03) == pytest.approx(4)  # logarithm of 256 against that of 4
    assert texts(axes) == ["step", "first", "3 × 64 × 64", "second", "255 × 16 × 16"]


def test_unknown_names_are_refused_with_close_ones():
    shapes = trace_shapes(on_meta("fcn8s_tiny"), (64, 64))
    with pytest.raises(ValueError, match=r"no map 'pool4'; close ones are backbone\[pool4\]"):
        show_architecture(shapes, Layout((Box("a", "pool4", "", 0),), ()))
    with pytest.raises(ValueError, match=r"no map 'clasifier\.0'; close ones are classifier\.0"):
        show_architecture(shapes, Layout((Box("a", "clasifier.0", "", 0),), ()))
    with pytest.raises(ValueError, match=r"no box 'imag'; boxes are \['image'\]"):
        show_architecture(shapes, Layout((Box("image", "input", "", 0),), (Arrow("image", "imag"),)))
    with pytest.raises(ValueError, match=r"must show a map B x C x h x w, but 'x' is \(1, 2\)"):
        show_architecture({"x": (1, 2)}, Layout((Box("a", "x", "", 0),), ()))
    with pytest.raises(ValueError, match="PSPNet has no module 'score'"):
        fcn_layout(on_meta("pspnet_tiny"))
    with pytest.raises(ValueError, match=r"FCN has no module 'classifier\.0\.levels'"):
        pspnet_layout(on_meta("fcn8s_tiny"))
    with pytest.raises(ValueError, match="'aux_classifier'"):
        pspnet_layout(on_meta("pspnet_tiny"), auxiliary=True)


PAGE = 9.0  # inches of a figure that fills the column


@pytest.mark.parametrize(
    ("name", "layout", "size", "options"),
    [
        ("fcn8s_vgg16", fcn_layout, (500, 500), {}),
        ("pspnet_resnet50", partial(pspnet_layout, head_only=True), (473, 473), {}),
        ("deeplabv2_resnet101", deeplabv2_layout, (513, 513), {}),
        ("deeplabv3_cascaded_resnet101", deeplabv3_cascaded_layout, (513, 513), {}),
        ("deeplabv3_resnet101", deeplabv3_layout, (513, 513), {"variant": "paper"}),
        ("deeplabv3plus_resnet101", deeplabv3plus_layout, (513, 513), {}),
        ("segformer_b0", segformer_layout, (512, 512), {"num_classes": 19}),
    ],
)
def test_the_drawings_of_the_lessons_fit_the_column_with_letters_of_nine_points(name, layout, size, options):
    model = on_meta(name, **options)
    axes = show_architecture(trace_shapes(model, size), layout(model))
    assert axes.figure.get_size_inches()[0] <= PAGE
    assert min(text.get_fontsize() for text in axes.texts) == pytest.approx(9.0)
    assert overlaps(axes) == []


@pytest.mark.parametrize("lesson", ["03_fcn", "04_pspnet", "05_mask_rcnn", "06a_deeplab_v2", "06b_deeplab_v3",
                                    "08_transformers"])  # fmt: skip
def test_lessons_give_their_drawings_the_whole_column(lesson):
    text = (Path(__file__).parents[2] / "notebooks" / "source" / f"{lesson}.py").read_text(encoding="utf-8")
    drawings = re.findall(r"figsize=\((.+?), .+?\)(?=[^#]*?show_architecture)", text)
    assert drawings
    assert {float(width) for width in drawings} == {PAGE}
