"""EfficientNet-Lite0: a small classifier of ImageNet, and the map of class scores that it becomes without its pooling.

Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019 (arXiv 1905.11946). "Lite"
is the authors' variant for phones: no squeeze-and-excitation, ReLU6 in place of swish, stem and head of fixed width.

    images --> stem --> 16 MBConv blocks --> head --+-- mean over positions --> linear --> logits, one per class
              stride 2     stride 32        1x1     +-- linear at each position -------> score map, one per class

The mean and the linear layer commute, so the logits are the mean of the score map: a classifier is a segmenter that
never was asked where (FCN §3.1).

Shapes: B images, K classes, H W input, h w the map at stride 32: h = ceil(H / 32).
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

from segtutor.models.differences import Difference
from segtutor.models.inputs import LITE_MEAN, LITE_STD, Preprocessing, check_images

# Table 1 of the paper without stem and head: expansion, kernel, stride, channels, blocks.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM, HEAD = 32, 1280
STRIDE = 32
STOCHASTIC_DEPTH = 0.2  # of the last block; it grows with the depth (§5.2)


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's padding: ceil(H / stride) positions, what is missing in equal parts on both sides.

    Of an odd number of missing pixels, one more lies on the right and below. At stride 1 it is the usual padding.
    """

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        top, bottom = _missing(height, self.kernel_size[0], self.stride[0])
        left, right = _missing(width, self.kernel_size[1], self.stride[1])
        return super().forward(F.pad(features, (left, right, top, bottom)))


def _missing(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels to add before and behind one side.

    >>> _missing(224, kernel=3, stride=2), _missing(225, kernel=3, stride=2), _missing(7, kernel=5, stride=1)
    ((0, 1), (1, 1), (2, 2))
    """
    missing = max(0, (math.ceil(length / stride) - 1) * stride + kernel - length)
    return missing // 2, missing - missing // 2


def _layer(in_channels: int, channels: int, kernel: int, stride: int = 1, depthwise: bool = False) -> list[nn.Module]:
    """Convolution and batch norm; TensorFlow's constants in PyTorch's terms."""
    groups = in_channels if depthwise else 1
    convolution = SameConv2d(in_channels, channels, kernel, stride, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)]


class MBConv(nn.Module):
    """Inverted bottleneck (§4): 1 x 1 to more channels, depthwise k x k, 1 x 1 to few, and a shortcut where it fits.

    Args:
        in_channels: C_in.
        channels: C_out.
        expansion: The depthwise convolution has ``expansion * in_channels`` channels.
        kernel: k.
        stride: Of the depthwise convolution.
        depth_drop: Probability that the whole block is left out, per image, in training.
    """

    def __init__(
        self, in_channels: int, channels: int, expansion: int, kernel: int, stride: int, depth_drop: float = 0.0
    ) -> None:
        super().__init__()
        wide = expansion * in_channels
        self.expand = nn.Sequential(*_layer(in_channels, wide, 1), nn.ReLU6()) if expansion > 1 else nn.Identity()
        self.depthwise = nn.Sequential(*_layer(wide, wide, kernel, stride, depthwise=True), nn.ReLU6())
        self.project = nn.Sequential(*_layer(wide, channels, 1))
        self.shortcut = stride == 1 and in_channels == channels
        self.drop = StochasticDepth(depth_drop, "row")

    def forward(self, features: Tensor) -> Tensor:
        """B x C_in x h x w -> B x C_out x ceil(h / stride) x ceil(w / stride)."""
        residual: Tensor = self.project(self.depthwise(self.expand(features)))
        return features + self.drop(residual) if self.shortcut else residual


class EfficientNetLite(nn.Module):
    """Stem, MBConv blocks, head, classifier.

    Args:
        num_classes: K.
        dropout: In front of the classifier.
    """

    def __init__(self, num_classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.stem = nn.Sequential(*_layer(3, STEM, 3, stride=2), nn.ReLU6())
        self.blocks = nn.Sequential()
        width, total = STEM, sum(stage[-1] for stage in STAGES)
        for expansion, kernel, stride, channels, count in STAGES:
            for number in range(count):
                drop = STOCHASTIC_DEPTH * len(self.blocks) / total
                self.blocks.append(MBConv(width, channels, expansion, kernel, 1 if number else stride, drop))
                width = channels
        self.head = nn.Sequential(*_layer(width, HEAD, 1), nn.ReLU6())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(HEAD, num_classes)
        self.preprocessing = Preprocessing(LITE_MEAN, LITE_STD)

    def features(self, images: Tensor) -> Tensor:
        """B x 3 x H x W -> B x 1280 x h x w."""
        check_images(self, images, smallest=STRIDE, stride=STRIDE)
        features: Tensor = self.head(self.blocks(self.stem(images)))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits B x K of images B x 3 x H x W of any size; trained at 224 x 224."""
        logits: Tensor = self.classifier(self.dropout(self.features(images).mean(dim=(-2, -1))))
        return logits

    def score_map(self, images: Tensor) -> Tensor:
        """Logits B x K x h x w: the classifier as a 1 x 1 convolution. `forward` gives their mean over h and w."""
        weight = self.classifier.weight[:, :, None, None]  # K x 1280 x 1 x 1
        return F.conv2d(self.features(images), weight, self.classifier.bias)

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose output is one channel per class."""
        return ("classifier",)


def efficientnet_lite0(num_classes: int = 1000) -> EfficientNetLite:
    """EfficientNet-Lite0: 4,652,008 parameters with the 1,000 classes of ImageNet.

    Args:
        num_classes: K.
    """
    return EfficientNetLite(num_classes)


# Paper: EfficientNet-B0. Reference: the authors' TensorFlow code of Lite0. torchvision: its efficientnet_b0.
DIFFERENCES = (
    Difference("squeeze-and-excitation", "yes", "none", "yes", "none"),
    Difference("nonlinearity", "swish", "ReLU6", "swish", "ReLU6"),
    Difference(
        "padding at stride 2, even size", "none told", "0 before, 1 behind", "1 on both sides", "0 before, 1 behind"
    ),
    Difference("batch norm epsilon", "none told", "0.001", "0.00001", "0.001"),
    Difference("pixels", "none told", "(x - 127) / 128", "ImageNet's mean and deviation", "(x - 127) / 128"),
    Difference("stochastic depth", "0.2", "0.2", "0.2", "0.2"),
)
