"""How each source names its arrays: one explicit table per source, from its names to ours."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD, LITE_MEAN, LITE_STD
from segtutor.models.layout_names import (
    LITE_LAYERS,
    flat_inverted_residual,
    lite_block,
    u2net_by_name,
    u2net_by_number,
    u2net_side,
)
from segtutor.models.layout_rules import Layout, Rule, State, rule_for, some
from segtutor.models.layouts_transformers import TRANSFORMER_LAYOUTS


def _swap_halves(weight: Tensor) -> Tensor:
    """Exchanges the two halves of the input channels: the source concatenates its two branches the other way round."""
    first, second = weight.chunk(2, dim=1)
    return torch.cat([second, first], dim=1)


def _low_level_last(weight: Tensor) -> Tensor:
    """Moves the low-level map's 48 input channels behind the encoder's 256: the source concatenates them first."""
    return torch.cat([weight[:, 48:], weight[:, :48]], dim=1)


def _flip_channels(weight: Tensor) -> Tensor:
    """Exchanges blue and red of the first convolution: the source reads BGR."""
    return weight.flip(1)


def _as_convolution(weight: Tensor) -> Tensor:
    """A fully connected layer of VGG16 as the convolution that it is: over 7 x 7 positions, or over one."""
    if weight.isnan().any():
        raise ValueError(
            "the file's classifier is not a number: it holds features only; take the file of the whole VGG16"
        )
    side = 7 if weight.shape[1] > weight.shape[0] else 1
    return weight.reshape(weight.shape[0], -1, side, side)


def _mask_layer(match: re.Match[str]) -> str:
    """Our name of a convolution of the mask head, where older files count from 1."""
    return f"roi_heads.mask_head.{int(match.group(1)) - 1}.0.{match.group(2)}"


def _msra_block(match: re.Match[str]) -> str:
    """Our name of a residual block's array, where the source counts stages from 2 and blocks from 1."""
    stage, block, part, kind, array = match.groups()
    number = {"reduce": 1, "conv3x3": 2, "increase": 3}.get(part)
    layer = f"{kind}{number}" if number else f"downsample.{('conv', 'bn').index(kind)}"
    return f"backbone.layer{int(stage) - 1}.{int(block) - 1}.{layer}.{array}"


_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_LITE = (LITE_MEAN, LITE_STD)
# Bytes minus Caffe's mean color and nothing else, said for RGB in 0-1.
_CAFFE = ((122.679 / 255, 116.669 / 255, 104.007 / 255), (1 / 255, 1 / 255, 1 / 255))
# The same of a port that rounds the mean differently.
_CAFFE_PORT = ((122.675 / 255, 116.669 / 255, 104.008 / 255), _CAFFE[1])
# Number of each convolution of VGG16 among torchvision's layers, pools and ReLUs counted.
_VGG16_CONVOLUTIONS = {
    "conv1_1": 0, "conv1_2": 2, "conv2_1": 5, "conv2_2": 7, "conv3_1": 10, "conv3_2": 12, "conv3_3": 14,
    "conv4_1": 17, "conv4_2": 19, "conv4_3": 21, "conv5_1": 24, "conv5_2": 26, "conv5_3": 28,
}  # fmt: skip
# torchvision's Mask R-CNN, under today's names and those of files from before 2022, whose convolutions were not yet in
# blocks.
_MASK_RCNN = (
    Rule(r"backbone\.fpn\.(inner|layer)_blocks\.(\d)\.(weight|bias)", r"backbone.fpn.\1_blocks.\2.0.\3"),
    Rule(r"rpn\.head\.conv\.(weight|bias)", r"rpn.head.conv.0.0.\1"),
    Rule(r"roi_heads\.mask_head\.mask_fcn(\d)\.(weight|bias)", _mask_layer),
    Rule(r"((backbone\.(body|fpn)|rpn\.head|roi_heads)\..+)", r"\1"),
)

# What Mask2Former and SAM have behind a backbone.
_TRAINED_HEADS = ("pixel_decoder", "decoder", "neck", "prompt_encoder", "mask_decoder")

LAYOUTS: dict[str, Layout] = {
    # Our own names. Where torchvision has the network, they are torchvision's.
    "segtutor": Layout((Rule(r"(.+)", r"\1"),)),
    # The same backbone of a trained network, whose head stays behind.
    "course_stages": Layout(
        (Rule(r"(backbone\..+)", r"\1"), Rule(r"(classifier|aux_classifier|reduce|aspp)\..+", None)), part="backbone."
    ),
    # A trained head, whose backbone is in another file.
    "course_head": Layout(
        (Rule(rf"((?:{'|'.join(_TRAINED_HEADS)})\..+)", r"\1"),), part=tuple(f"{name}." for name in _TRAINED_HEADS)
    ),
    "course_backbone": Layout((Rule(r"(backbone\..+)", r"\1"),), part="backbone."),
    # The MIT-licensed PyTorch port of DeepLabV3 and DeepLabV3+. They stand before torchvision's, which fits all keys.
    "vainf_deeplabv3plus": Layout(
        (
            Rule(r"(backbone\.(conv1|bn1|layer[1-4])\..+)", r"\1"),
            Rule(r"classifier\.(aspp\..+)", r"\1"),
            Rule(r"classifier\.project\.([01]\..+)", r"reduce.\1"),
            Rule(r"classifier\.classifier\.0\.weight", r"classifier.0.weight", _low_level_last),
            Rule(r"classifier\.classifier\.([13]\.[a-z_]+)", r"classifier.\1"),
        ),
        normalization=_IMAGENET,
    ),
    "vainf_deeplabv3": Layout(
        (
            Rule(r"(backbone\.(conv1|bn1|layer[1-4])\..+)", r"\1"),
            Rule(r"classifier\.classifier\.(.+)", r"classifier.\1"),
        ),
        normalization=_IMAGENET,
    ),
    "torchvision_maskrcnn": Layout(_MASK_RCNN, normalization=_IMAGENET),
    "torchvision": Layout(
        (*_MASK_RCNN, Rule(r"((backbone|classifier|aux_classifier)\..+)", r"\1")), normalization=_IMAGENET
    ),
    # The same ResNet below a feature pyramid.
    "torchvision_resnet_fpn": Layout(
        (Rule(r"((conv1|bn1|layer[1-4])\..+)", r"backbone.body.\1"), Rule(r"fc\..+", None)), "backbone.body.", _IMAGENET
    ),
    # The course's small residual network, trained in one of its semantic networks, below a feature pyramid.
    "segtutor_tiny_body": Layout(
        (
            Rule(r"backbone\.((stem|layer[1-3])\..+)", r"backbone.body.\1"),
            Rule(r"(classifier|aux_classifier|reduce|aspp)\..+", None),
        ),
        "backbone.body.",
    ),
    "torchvision_resnet": Layout(
        (Rule(r"((conv1|bn1|layer[1-4])\..+)", r"backbone.\1"), Rule(r"fc\..+", None)), "backbone.", _IMAGENET
    ),
    "torchvision_mobilenet_v2": Layout(
        (
            Rule(r"features\.18\..+", None),  # 1 x 1 to 1280 channels, for the classifier
            Rule(r"features\.(.+)", r"backbone.\1"),
            Rule(r"classifier\..+", None),
        ),
        "backbone.",
        _IMAGENET,
        any_size=True,
    ),
    "torchvision_mobilenet_v3_large": Layout(
        (Rule(r"features\.(.+)", r"backbone.\1"), Rule(r"classifier\..+", None)), "backbone.", _IMAGENET
    ),
    # The classifier's first two layers become fc6 and fc7 of an FCN; the scores stay.
    "torchvision_vgg16": Layout(
        (
            Rule(r"features\.(\d+\.(weight|bias))", r"backbone.\1"),
            Rule(r"(classifier\.[03]\.weight)", r"\1", _as_convolution),
            Rule(r"(classifier\.[03]\.bias)", r"\1"),
            Rule(r"classifier\.6\..+", None),
        ),
        ("backbone.", "classifier.0.", "classifier.3."),
        _IMAGENET,
    ),
    # Its convolutions alone, for networks whose fc6 and fc7 are smaller.
    "torchvision_vgg16_convolutions": Layout(
        (Rule(r"features\.(\d+\.(weight|bias))", r"backbone.\1"), Rule(r"classifier\.[036]\..+", None)),
        "backbone.",
        _IMAGENET,
    ),
    # The MIT-licensed PyTorch port of the authors' DeepLab v2, in its older and its newer names.
    "kazuto_deeplabv2": Layout(
        (
            Rule(r"base\.layer1\.conv1\.conv\.weight", r"backbone.conv1.weight", _flip_channels),
            Rule(r"base\.layer1\.conv1\.bn\.(.+)", r"backbone.bn1.\1"),
            Rule(
                r"base\.layer([2-5])\.block(\d+)\.(reduce|conv3x3|increase|shortcut|proj)\.(conv|bn)\.(.+)", _msra_block
            ),
            Rule(r"base\.aspp\.(?:stages\.)?c(\d)\.(.+)", r"classifier.\1.\2"),
        ),
        normalization=_CAFFE_PORT,
    ),
    # PyTorch copies of the authors' Caffe networks of FCN.
    "caffe_fcn": Layout(
        (
            Rule(r"conv1_1\.weight", r"backbone.0.weight", _flip_channels),
            *[Rule(rf"{name}\.(.+)", rf"backbone.{number}.\1") for name, number in _VGG16_CONVOLUTIONS.items()],
            Rule(r"fc6\.(.+)", r"classifier.0.\1"),
            Rule(r"fc7\.(.+)", r"classifier.3.\1"),
            Rule(r"score_fr\.(.+)", r"classifier.6.\1"),
            Rule(r"score_(pool[34])\.(.+)", r"score.\1.\2"),
            Rule(r"upscore2\.weight", r"upscore.pool4.weight"),
            Rule(r"upscore_pool4\.weight", r"upscore.pool3.weight"),
            Rule(r"upscore(8|16)?\.weight", r"upscore.image.weight"),
        ),
        normalization=_CAFFE,
    ),
    # The authors' PyTorch code of PSPNet.
    "semseg_pspnet": Layout(
        (
            Rule(r"layer0\.([01346])\.(.+)", r"backbone.conv1.\1.\2"),
            Rule(r"layer0\.7\.(.+)", r"backbone.bn1.\1"),
            Rule(r"(layer[1-4]\..+)", r"backbone.\1"),
            Rule(r"ppm\.features\.(\d)\.([12])\.(.+)", r"classifier.0.levels.\1.\2.\3"),
            Rule(r"cls\.0\.(.+)", r"classifier.1.\1"),
            Rule(r"cls\.1\.(.+)", r"classifier.2.\1"),
            Rule(r"cls\.4\.(.+)", r"classifier.5.\1"),
            Rule(r"aux\.([014])\.(.+)", r"aux_classifier.\1.\2"),
        ),
        normalization=_IMAGENET,
    ),
    # An older PyTorch copy of MobileNetV2, without its classifier.
    "flat_mobilenet_v2": Layout(
        (
            Rule(r"features\.18\..+", None),  # 1 x 1 to 1280 channels, for the classifier
            Rule(r"features\.(0\..+)", r"backbone.\1"),
            Rule(r"features\.(\d+)\.conv\.(\d)\.(.+)", flat_inverted_residual),
        ),
        "backbone.",
        _IMAGENET,
        any_size=True,
    ),
    # U²-Net: an ONNX file, whose convolutions took in their batch norms and lost their names; and the authors' code.
    "onnx_u2net": Layout(
        (
            Rule(r"conv(\d+)\.(weight|bias)", u2net_by_number),
            Rule(r"side(\d)\.(weight|bias)", u2net_side),
            Rule(r"outconv\.(weight|bias)", r"fuse.\1"),
        ),
        normalization=_IMAGENET,
    ),
    "u2net": Layout(
        (
            Rule(r"stage(\d)(d?)\.rebnconv(in|\d)(d?)\.(conv|bn)_s1\.(.+)", u2net_by_name),
            Rule(r"side(\d)\.(weight|bias)", u2net_side),
            Rule(r"outconv\.(weight|bias)", r"fuse.\1"),
        ),
        normalization=_IMAGENET,
    ),
    "efficientnet_lite": Layout(
        (
            Rule(r"_conv_stem\.(.+)", r"stem.0.\1"),
            Rule(r"_bn0\.(.+)", r"stem.1.\1"),
            Rule(rf"_blocks\.(\d+)\._({'|'.join(LITE_LAYERS)})\.(.+)", lite_block),
            Rule(r"_conv_head\.(.+)", r"head.0.\1"),
            Rule(r"_bn1\.(.+)", r"head.1.\1"),
            Rule(r"_fc\.(.+)", r"classifier.\1"),
        ),
        normalization=_LITE,
    ),
    # TensorFlow Lite's deeplabv3_mnv2_pascal, arrays under short names; it concatenates (pooling, 1 x 1).
    "tflite_mobilenet_v2": Layout(
        (
            Rule(r"f\.(.+)", r"backbone.\1"),
            Rule(r"aspp0\.([01])\.(.+)", r"classifier.0.convs.0.\1.\2"),
            Rule(r"pool\.0\.(.+)", r"classifier.0.convs.1.1.\1"),
            Rule(r"pool\.1\.(.+)", r"classifier.0.convs.1.2.\1"),
            Rule(r"proj\.0\.weight", r"classifier.0.project.0.weight", _swap_halves),
            Rule(r"proj\.1\.(.+)", r"classifier.0.project.1.\1"),
            Rule(r"cls\.(.+)", r"classifier.1.\1"),
        ),
        normalization=_HALF,
    ),
    **TRANSFORMER_LAYOUTS,
}


def find_layout(own: set[str], state: State) -> str:
    """The first layout that has a rule for every key of the file; ``own`` are the network's keys."""
    fitting = [
        name
        for name, layout in LAYOUTS.items()
        if name != "segtutor" and all(rule_for(key, layout) is not None for key in state)
    ]
    whole = [name for name in fitting if not LAYOUTS[name].part]
    if whole:
        return whole[0]
    if 2 * len(own & state.keys()) > len(state):
        return "segtutor"
    if fitting:
        named = " or ".join(f"layout={name!r}" for name in fitting)
        raise ValueError(f"these are the weights of a classifier; to load them into the backbone alone, pass {named}")
    raise ValueError(f"no layout fits keys such as {some(list(state))}; known layouts: {', '.join(LAYOUTS)}")
