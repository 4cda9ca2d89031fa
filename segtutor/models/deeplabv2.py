"""DeepLab v2: a classifier made dense by atrous convolution, its scores summed over several fields of view.

Chen, Papandreou, Kokkinos, Murphy, Yuille: DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous
Convolution, and Fully Connected CRFs, 2018 ("v2"). The CRF is `segtutor.models.dense_crf`, applied afterwards.

                          +- 3x3, rate  6 (VGG: fc6), fc7, fc8 -+
    images --> backbone --+- 3x3, rate 12 ----------------------+-- sum --> upsample --> logits
               (stride 8) +- 3x3, rate 18 ----------------------+
                          +- 3x3, rate 24 ----------------------+

Shapes: B images, C channels, K classes, H W input, h w feature map at stride 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.backbones import FirstBlockRate, ResNetBackbone, TinyResNet
from segtutor.models.differences import Difference
from segtutor.models.inputs import check_images
from segtutor.models.semantic import SemanticNetwork
from segtutor.models.sizes import RoundingUpMaxPool2d, crop, smaller
from segtutor.models.upsampling import pad_onto_grid
from segtutor.models.vgg import VGG16_WIDTHS, initialize_for_relu

VGGHead = Literal["largefov", "aspp_s", "aspp_l"]

RATES = (6, 12, 18, 24)  # ASPP-L, and the ASPP of the ResNet
VGG_HEAD_RATES = {"largefov": (12,), "aspp_s": (2, 4, 8, 12), "aspp_l": RATES}  # v2 §4.1.2, Table 3
MULTI_SCALE = (1.0, 0.75, 0.5)  # v2 §4.1.2


class DilatedVGG16(nn.Sequential):
    """VGG16's convolutions at stride 8, numbered as torchvision numbers them: ImageNet weights fit.

    pool4 and pool5 lost their stride, so conv5 has rate 2. All pools are 3 x 3 with padding 1: their maps then lie on
    pixels 0, 8, 16, ... of the image.
    """

    channels = {"out": 512}  # noqa: RUF012

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        in_channels = 3
        for group, widths in enumerate(VGG16_WIDTHS, start=1):
            rate = 2 if group == 5 else 1
            for width in widths:
                layers += [nn.Conv2d(in_channels, width, 3, padding=rate, dilation=rate), nn.ReLU(inplace=True)]
                in_channels = width
            layers.append(RoundingUpMaxPool2d(3, stride=2 if group < 4 else 1, padding=1))
        super().__init__(*layers)
        initialize_for_relu(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature map "out"."""
        return {"out": super().forward(images)}


class MSRAResNet(ResNetBackbone):
    """A residual network as its authors published it: the stride is in the first 1 x 1, and pooling rounds sizes up.

    torchvision strides in the 3 x 3. Its weights fit here too, but compute something else.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.maxpool = RoundingUpMaxPool2d(3, stride=2, padding=1)
        for stage in (self.layer2, self.layer3, self.layer4):
            block: Any = stage[0]
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)


class SummedScores(nn.ModuleList):
    """Branches that each score the classes from their own field of view; the scores are added (v2 Fig. 7)."""

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to B x K x h x w."""
        first, *others = [branch(features) for branch in self]
        return sum(others, start=first)


def score_layer(in_channels: int, num_classes: int, kernel_size: int = 1, rate: int = 1) -> nn.Conv2d:
    """Convolution to the classes; random weights of standard deviation 0.01, biases zero."""
    layer = nn.Conv2d(in_channels, num_classes, kernel_size, padding=kernel_size // 2 * rate, dilation=rate)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def vgg_branch(num_classes: int, rate: int) -> nn.Sequential:
    """fc6, fc7 and fc8 of VGG16 as convolutions: 3 x 3 with holes, 1 x 1, 1 x 1, with 1024 channels (v2 §4.1)."""
    hidden = nn.Sequential(
        nn.Conv2d(512, 1024, 3, padding=rate, dilation=rate),  # fc6
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Conv2d(1024, 1024, 1),  # fc7
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
    )
    initialize_for_relu(hidden)
    return nn.Sequential(*hidden, score_layer(1024, num_classes))  # fc8


class DeepLabV2(SemanticNetwork):
    """Backbone, summed scores, upsampling; the picture may be seen at several scales (MSC).

    Args:
        backbone: Maps images to a dict with the feature map "out".
        classifier: The branches.
        output_stride: Of the map.
        scales: At which the picture is seen, 1 first. Of the scores the largest counts, pixel by pixel and class by
            class (v2 §4.1.2).
        align_corners: How pictures and scores are resized. If so, pictures are padded so that it is exact.
    """

    classifier: SummedScores

    def __init__(
        self,
        backbone: nn.Module,
        classifier: SummedScores,
        *,
        output_stride: int = 8,
        scales: Sequence[float] = (1.0,),
        align_corners: bool = True,
    ) -> None:
        super().__init__(backbone, classifier, output_stride=output_stride, align_corners=align_corners)
        self.scales = tuple(scales)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits B x K x H x W.

        Returns:
            "out"; in training with several scales also "scale 1", "scale 0.75", ... : each has its own loss, and the
            losses are added (the authors' training files; the paper does not say).
        """
        smallest = int(self.output_stride / min(self.scales))
        # Padded below, even the smallest picture leaves a map of more than one pixel.
        check_images(self, images, smallest=smallest, stride=0 if self.align_corners else smallest)
        H, W = images.shape[-2:]
        if self.align_corners:
            images = pad_onto_grid(images, self.output_stride)
        padded = images.shape[-2:]
        scores = [self.classifier(self.backbone(self._shrink(images, scale))["out"]) for scale in self.scales]
        h, w = scores[0].shape[-2:]
        scores = [self._upsample(score, (h, w)) for score in scores]
        logits = {"out": torch.stack(scores).amax(dim=0)}
        if self.training and len(scores) > 1:
            logits.update({f"scale {scale:g}": score for scale, score in zip(self.scales, scores, strict=True)})
        return {name: crop(self._upsample(value, (padded[0], padded[1])), (H, W)) for name, value in logits.items()}

    def _shrink(self, images: Tensor, scale: float) -> Tensor:
        if scale == 1:
            return images
        size = [self._shrunk_side(side, scale) for side in images.shape[-2:]]
        return F.interpolate(images, size=size, mode="bilinear", align_corners=self.align_corners)

    def _shrunk_side(self, side: int, scale: float) -> int:
        share = Fraction(str(scale))  # in whole numbers, so that exporters can follow
        if not self.align_corners:
            return side * share.numerator // share.denominator
        # The nearest side on which the pixels of the map lie from border to border; halves go to the even number.
        half = share.denominator * self.output_stride
        doubled = 2 * (side - 1) * share.numerator + half
        steps, is_tie = doubled // (2 * half), 1 - smaller(doubled % (2 * half), 1)
        return (steps - is_tie * (steps % 2)) * self.output_stride + 1

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.get_submodule(self.final_layers()[0]).out_channels)  # type: ignore[arg-type]

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose output is one channel per class, one in each branch."""
        return tuple(
            f"classifier.{index}.{len(branch) - 1}" if isinstance(branch, nn.Sequential) else f"classifier.{index}"
            for index, branch in enumerate(self.classifier)
        )


def deeplabv2_vgg16(
    num_classes: int = 21, *, head: VGGHead = "largefov", multi_scale: bool = False, align_corners: bool = True
) -> DeepLabV2:
    """DeepLab v2 on VGG16. ImageNet weights fill the convolutions.

    Args:
        num_classes: K.
        head: "largefov" (one branch, rate 12), "aspp_s" (rates 2, 4, 8, 12) or "aspp_l" (6, 12, 18, 24).
        multi_scale: Show the picture at scales 1, 0.75 and 0.5, and take the largest scores.
        align_corners: How scores are upsampled; True is exact here, see `DeepLabV2`.
    """
    if head not in VGG_HEAD_RATES:
        raise ValueError(f"head must be one of {', '.join(VGG_HEAD_RATES)}, but {head!r} came")
    return DeepLabV2(
        DilatedVGG16(),
        SummedScores(vgg_branch(num_classes, rate) for rate in VGG_HEAD_RATES[head]),
        scales=MULTI_SCALE if multi_scale else (1.0,),
        align_corners=align_corners,
    )


def deeplabv2_resnet101(
    num_classes: int = 21,
    *,
    multi_scale: bool = False,
    rates: Sequence[int] = RATES,
    first_block_rate: FirstBlockRate = "same",
    align_corners: bool = True,
) -> DeepLabV2:
    """DeepLab v2 on the authors' ResNet-101: four 3 x 3 convolutions straight to the classes, summed.

    Args:
        num_classes: K.
        multi_scale: Show the picture at scales 1, 0.75 and 0.5, and take the largest scores.
        rates: Of the branches.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
        align_corners: How scores are upsampled; the PyTorch port whose weights load (layout "kazuto_deeplabv2") needs
            False.
    """
    backbone = MSRAResNet(torchvision.models.resnet101(weights=None), first_block_rate=first_block_rate)
    return DeepLabV2(
        backbone,
        _atrous_scores(backbone.channels["out"], num_classes, rates),
        scales=MULTI_SCALE if multi_scale else (1.0,),
        align_corners=align_corners,
    )


def deeplabv2_tiny(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    multi_scale: bool = False,
    rates: Sequence[int] = (2, 4, 6, 8),
    first_block_rate: FirstBlockRate = "same",
    align_corners: bool = True,
) -> DeepLabV2:
    """DeepLab v2 on the course's small backbone: trains on a processor in minutes.

    differs: batch norm is trained, the stride is in the 3 x 3, and the rates are small, as the pictures are.

    Args:
        num_classes: K.
        output_stride: 4, 8 or 16.
        multi_scale: Show the picture at scales 1, 0.75 and 0.5, and take the largest scores.
        rates: Of the branches; one rate is LargeFOV.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
        align_corners: How scores are upsampled; True is exact here, see `DeepLabV2`.
    """
    backbone = TinyResNet(output_stride, first_block_rate)
    return DeepLabV2(
        backbone,
        _atrous_scores(backbone.channels["out"], num_classes, rates),
        output_stride=output_stride,
        scales=MULTI_SCALE if multi_scale else (1.0,),
        align_corners=align_corners,
    )


def _atrous_scores(in_channels: int, num_classes: int, rates: Sequence[int]) -> SummedScores:
    if not rates or any(rate < 1 for rate in rates):
        raise ValueError(f"rates must be one or more whole numbers of at least 1, as (6, 12, 18, 24); {rates} came")
    return SummedScores(score_layer(in_channels, num_classes, kernel_size=3, rate=rate) for rate in rates)


# Paper: arXiv 1606.00915. Reference: the PyTorch port of the authors' Caffe networks. Ours: deeplabv2_resnet101.
DIFFERENCES = (
    Difference("backbone", "ResNet-101", "ResNet-101", "-", "ResNet-101"),
    Difference("stride of a stage is in", "first 1 x 1", "first 1 x 1", "-", "first 1 x 1"),
    Difference("max-pooling rounds sizes", "up", "up", "-", "up"),
    Difference("rates of layer3", "2 in every block", "2 in every block", "-", "2 in every block"),
    Difference("rates of layer4", "4 in every block", "4 in every block", "-", "4 in every block"),
    Difference("rates of the ASPP", "6, 12, 18, 24", "6, 12, 18, 24", "-", "6, 12, 18, 24"),
    Difference("branches", "3 x 3 to the classes, summed", "3 x 3 to the classes, summed", "-",
               "3 x 3 to the classes, summed"),
    Difference("batch norm or image pooling in the ASPP", "no", "no", "-", "no"),
    Difference("scales of the picture", "1, 0.75, 0.5", "1, 0.75, 0.5", "-", "1; 1, 0.75, 0.5 with multi_scale=True"),
    Difference("fusion of the scales", "maximum", "maximum", "-", "maximum"),
    Difference("upsampling", "bilinear, aligned corners", "bilinear", "-", "bilinear, aligned corners"),
    Difference("input", "BGR 0-255 minus mean", "BGR 0-255 minus mean", "-", "RGB, mean and std"),
)  # fmt: skip
