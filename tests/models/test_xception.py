import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor.models.xception import DIFFERENCES, EPS, XceptionBackbone, XceptionBlock
from tests.models.networks import randomize_norms


@functools.cache
def on_meta(**options):
    with torch.device("meta"):
        return XceptionBackbone(**options).eval()


def test_parameter_counts():
    count = {blocks: sum(p.numel() for p in on_meta(middle_blocks=blocks).parameters()) for blocks in (8, 16)}
    assert count == {8: 24_920_560, 16: 37_867_312}
    assert count[16] + 2048 * 1000 + 1000 == 39_916_312  # with ImageNet's classifier
    assert sum(p.numel() for p in on_meta(relu="after").parameters()) == count[16]


@pytest.mark.parametrize(
    ("output_stride", "strides", "rates"),
    [
        (16, [2, 2, 2, *[1] * 16, 1, 1], [1, 1, 1, *[1] * 16, 1, 2]),
        (8, [2, 2, 1, *[1] * 16, 1, 1], [1, 1, 1, *[2] * 16, 2, 4]),
    ],
)
def test_strides_become_rates(output_stride, strides, rates):
    backbone = on_meta(output_stride=output_stride)
    blocks = [*backbone.entry, *backbone.middle, *backbone.exit]
    assert len(blocks) == 3 + 16 + 2
    for block, stride, rate in zip(blocks, strides, rates, strict=True):
        # No multi-grid: one rate in a block. The stride is in the third convolution alone.
        assert [layer.depthwise.dilation for layer in block.layers] == [(rate, rate)] * 3
        assert [layer.depthwise.padding for layer in block.layers] == [(rate, rate)] * 3
        assert [layer.depthwise.stride[0] for layer in block.layers] == [1, 1, stride]
        assert all(layer.pointwise.stride == (1, 1) for layer in block.layers)
        if isinstance(block.shortcut, nn.Sequential):
            assert block.shortcut[0].stride == (stride, stride)
    assert [layer.stride[0] for layer in backbone.stem if isinstance(layer, nn.Conv2d)] == [2, 1]


def test_widths_and_shortcuts():
    backbone = on_meta()
    widths = [[layer.pointwise.out_channels for layer in block.layers] for block in (*backbone.entry, *backbone.exit)]
    assert widths == [[128] * 3, [256] * 3, [728] * 3, [728, 1024, 1024], [1536, 1536, 2048]]
    assert {layer.pointwise.out_channels for block in backbone.middle for layer in block.layers} == {728}
    convolved = [*backbone.entry, backbone.exit[0]]
    assert all(tuple(block.shortcut[0].kernel_size) == (1, 1) for block in convolved)
    assert all(isinstance(block.shortcut, nn.Identity) for block in backbone.middle)
    assert backbone.exit[1].shortcut is None
    assert not [module for module in backbone.modules() if isinstance(module, nn.MaxPool2d)]
    assert {module.eps for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)} == {EPS} == {1e-3}


def test_relu_stands_where_it_was_asked_for():
    released, paper = on_meta(), on_meta(relu="after")
    plain = [nn.Conv2d, nn.BatchNorm2d] * 2
    active = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2
    kinds = [
        [[type(layer) for layer in unit] for block in (*b.entry, *b.middle, *b.exit) for unit in block.layers]
        for b in (released, paper)
    ]
    assert kinds[0] == [plain] * (20 * 3) + [active] * 3  # only the last block has it inside
    assert kinds[1] == [active] * (21 * 3)


@pytest.mark.parametrize("output_stride", [8, 16])
def test_maps_have_the_size_that_the_output_stride_says(output_stride):
    backbone = on_meta(output_stride=output_stride, middle_blocks=2)
    for height, width in ((65, 1), (70, 33)):
        features = backbone(torch.empty(1, 3, height, width, device="meta"))
        assert features["out"].shape == (1, 2048, -(-height // output_stride), -(-width // output_stride))
        assert features["low"].shape == (1, 256, -(-height // 4), -(-width // 4))
        assert features["aux"].shape[1] == backbone.channels["aux"]


def norm(features, layer):
    return F.batch_norm(features, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=1e-3)


@pytest.mark.parametrize("relu", ["before", "after"])
@pytest.mark.parametrize("shortcut", ["convolution", "identity", "none"])
def test_a_block_agrees_with_its_description(relu, shortcut):
    """Written out with functions: ReLU before each separable convolution, or after each of its halves."""
    torch.manual_seed(0)
    stride = 1 if shortcut == "identity" else 2
    block = XceptionBlock(6, (4, 5, 6), stride=stride, rate=2, shortcut=shortcut, relu=relu).eval()
    randomize_norms(block)
    features = torch.randn(2, 6, 11, 12)
    x, seen = features, []
    for index, layer in enumerate(block.layers):
        if relu == "before":
            x = x.clamp(min=0)
        step = stride if index == 2 else 1
        x = F.conv2d(x, layer.depthwise.weight, stride=step, padding=2, dilation=2, groups=x.shape[1])
        x = norm(x, layer.depthwise_norm)
        if relu == "after":
            x = x.clamp(min=0)
        x = norm(F.conv2d(x, layer.pointwise.weight), layer.pointwise_norm)
        if relu == "after":
            x = x.clamp(min=0)
        seen.append(x)
    if shortcut == "convolution":
        x = x + norm(F.conv2d(features, block.shortcut[0].weight, stride=stride), block.shortcut[1])
    elif shortcut == "identity":
        x = x + features
    with torch.inference_mode():
        out, second = block(features)
    torch.testing.assert_close(out, x, rtol=0, atol=1e-5)
    torch.testing.assert_close(second, seen[1], rtol=0, atol=1e-5)
    assert (second.min() < 0) == (relu == "before")
    assert out.shape[-2:] == ((11, 12) if stride == 1 else (6, 6))


def test_one_step_of_training_reaches_every_parameter():
    torch.manual_seed(0)
    backbone = XceptionBackbone(middle_blocks=1)
    features = backbone(torch.randn(2, 3, 33, 33))
    (features["out"].square().mean() + features["low"].square().mean()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in backbone.parameters())
    assert (features["low"] < 0).any()  # the low-level map is taken before the next ReLU
    assert (features["out"] >= 0).all()


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="output_stride must be 8 or 16, but 32 came"):
        XceptionBackbone(output_stride=32)
    with pytest.raises(ValueError, match="relu must be 'before' or 'after', but 'between' came"):
        XceptionBackbone(relu="between")


def test_the_table_of_differences_is_that_of_the_code():
    backbone, paper = on_meta(), on_meta(relu="after")

    def places(network):
        blocks = [*network.entry, *network.middle, *network.exit]
        inside = [any(isinstance(layer, nn.ReLU) for unit in block.layers for layer in unit) for block in blocks]
        before = [block.relu_before for block in blocks]
        words = {
            (True,) * 21: "everywhere",
            (False,) * 20 + (True,): "in the last block",
            (True,) * 20 + (False,): "all but the last block",
            (False,) * 21: "no",
        }
        return words[tuple(inside)], words[tuple(before)]

    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    rates = [{unit.depthwise.dilation for unit in block.layers} for block in (*backbone.middle, *backbone.exit)]
    inside, before = places(backbone)
    measured = {
        "ReLU inside a separable convolution": inside,
        "ReLU before a separable convolution": before,
        "middle blocks": str(len(backbone.middle)),
        "max-pooling": "yes" if any(isinstance(module, nn.MaxPool2d) for module in backbone.modules()) else "no",
        "multi-grid": "no" if all(len(rate) == 1 for rate in rates) else "yes",
        "batch norm epsilon": str({norm.eps for norm in norms}.pop()),
        "batch norm momentum": str({norm.momentum for norm in norms}.pop()),
    }
    assert {row.detail: row.ours for row in DIFFERENCES} == measured
    assert tuple(row.paper for row in DIFFERENCES[:2]) == places(paper)
