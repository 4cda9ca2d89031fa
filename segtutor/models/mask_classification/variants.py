"""The networks by name: the paper's, and one that trains on a processor."""

from __future__ import annotations

from typing import Any

import torchvision

from segtutor.models.differences import Difference
from segtutor.models.mask_classification.maskformer import PyramidPixelDecoder, StandardQueryDecoder
from segtutor.models.mask_classification.matching import LossSettings
from segtutor.models.mask_classification.network import MaskClassifier
from segtutor.models.mask_classification.pixel_decoder import PixelDecoder
from segtutor.models.mask_classification.query_decoder import QueryDecoder
from segtutor.models.mask_rcnn.fpn import ResNetBody, TinyBody

MASKFORMER_LOSS = LossSettings(classes=1.0, mask=20.0, dice=1.0, points=None, focal=True)
"""MaskFormer §4.1: focal loss on all pixels."""


def maskformer_resnet50(num_classes: int = 21, *, queries: int = 100) -> MaskClassifier:
    """MaskFormer on ResNet-50.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
    """
    body: Any = ResNetBody(torchvision.models.resnet50(weights=None))
    pixel_decoder = PyramidPixelDecoder(body.channels, 256)
    decoder = StandardQueryDecoder(num_classes, body.channels[-1], 256, queries, layers=6, heads=8, hidden=2048)
    return MaskClassifier(body, pixel_decoder, decoder, stride=32, settings=MASKFORMER_LOSS)


def maskformer_tiny(num_classes: int = 21, *, queries: int = 20) -> MaskClassifier:
    """MaskFormer with every part of the large one on the course's small backbone, strides 4, 8, 16.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
    """
    body: Any = TinyBody()
    decoder = StandardQueryDecoder(num_classes, body.channels[-1], 64, queries, layers=4, heads=4, hidden=128)
    return MaskClassifier(body, PyramidPixelDecoder(body.channels, 64), decoder, stride=16, settings=MASKFORMER_LOSS)


def mask2former_resnet50(num_classes: int = 21, *, queries: int = 100, masked: bool = True) -> MaskClassifier:
    """Mask2Former on ResNet-50.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
        masked: Masked attention; False lets every query see the whole map.
    """
    body: Any = ResNetBody(torchvision.models.resnet50(weights=None))
    pixel_decoder = PixelDecoder(body.channels, 256, layers=6, heads=8, hidden=1024)
    decoder = QueryDecoder(num_classes, 256, queries, layers=9, heads=8, hidden=2048, levels=3, masked=masked)
    return MaskClassifier(body, pixel_decoder, decoder, stride=32)


def mask2former_tiny(
    num_classes: int = 21, *, queries: int = 20, masked: bool = True, frozen_stages: int = 0, fixed: bool = False
) -> MaskClassifier:
    """Mask2Former with every part of the large one on the course's small backbone, strides 4, 8, 16.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
        masked: Masked attention; False lets every query see the whole map.
        frozen_stages: The backbone's stem and first stages do not learn: 0 none, 1 the stem, to 4 all.
        fixed: Train query k for all of class k, without matching; needs as many queries as classes.

    Raises:
        ValueError: If there are fewer queries than classes to be trained for.
    """
    if fixed and queries < num_classes:
        raise ValueError(f"with fixed=True each of {num_classes} classes needs a query, but queries={queries!r} came")
    body: Any = TinyBody(frozen_stages)
    pixel_decoder = PixelDecoder(body.channels, 64, layers=2, heads=4, hidden=128)
    decoder = QueryDecoder(num_classes, 64, queries, layers=4, heads=4, hidden=128, levels=2, masked=masked)
    # Its masks are small: 512 points of them say what 12,544 say of large ones, in a tenth of the time.
    return MaskClassifier(body, pixel_decoder, decoder, stride=16, settings=LossSettings(points=512, fixed=fixed))


# Paper: arXiv 2112.01527. Reference: the authors' PyTorch code. torchvision has none. Ours: mask2former_resnet50.
DIFFERENCES = (
    Difference("order in a layer", "masked, self, linear", "masked, self, linear", "-", "masked, self, linear"),
    Difference("a query whose mask is empty", "none told", "sees the whole map", "-", "sees the whole map"),
    Difference("loss terms", "9 layers", "9 layers and before the first", "-", "9 layers and before the first"),
    Difference("void in the losses", "none told", "in no mask", "-", "left out"),
    Difference("least score in panoptic", "none told", "0.8", "-", "0.8"),
    Difference("least score in the transformers library", "-", "0.5 by default", "-", "0.8"),
    Difference("pixels won with less than one half", "none told", "to nobody", "-", "to nobody"),
    Difference("such pixels in the transformers library", "-", "to the winner", "-", "to nobody"),
    Difference("dropout", "0", "0", "-", "0"),
)

# Paper: arXiv 2107.06278. Reference: the authors' PyTorch code. torchvision has none. Ours: maskformer_resnet50.
MASKFORMER_DIFFERENCES = (
    Difference("order in a layer", "self, cross, linear", "self, cross, linear", "-", "self, cross, linear"),
    Difference("loss terms", "6 layers", "6 layers", "-", "6 layers"),
    Difference("norm between layers in the transformers library", "-", "with auxiliary losses", "-", "never"),
    Difference("loss of a mask", "focal and Dice, all pixels", "focal and Dice, all pixels", "-",
               "focal and Dice, all pixels"),
    Difference("void in that loss", "none told", "in no mask", "-", "left out"),
    Difference("dropout", "0.1", "0.1", "-", "0.1"),
)  # fmt: skip
