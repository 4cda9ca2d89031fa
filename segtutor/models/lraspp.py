"""Lite R-ASPP: the small head of MobileNetV3, for a processor.

Howard et al.: Searching for MobileNetV3, ICCV 2019 (arXiv 1905.02244), §6.4 and Fig. 10.

                          +- 1x1, batch norm, ReLU -----+
    stride 16 ------------+                             x --> upsample --> 1x1 --+
                          +- mean, 1x1, sigmoid --------+                        + --> upsample --> logits
    stride 8  ---------------------------------------------------------> 1x1 ----+

Shapes: B images, C channels, K classes, H W input, h w the map at stride 8.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.backbones import mobilenet_v3_large_backbone
from segtutor.models.differences import Difference
from segtutor.models.semantic import SemanticNetwork

WIDTH = 128


class LRASPPHead(nn.Module):
    """The two branches and their sum.

    Args:
        low_channels: C of the map at stride 8.
        high_channels: C of the map at stride 16.
        num_classes: K.
        channels: Of the branch at stride 16.
    """

    def __init__(self, low_channels: int, high_channels: int, num_classes: int, channels: int = WIDTH) -> None:
        super().__init__()
        self.cbr = nn.Sequential(nn.Conv2d(high_channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        # differs: the paper averages windows of 49 x 49 with a stride of 16 x 20, so its gate varies over the picture.
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, channels, 1, bias=False), nn.Sigmoid()
        )
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(channels, num_classes, 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Maps at strides 8 and 16 -> logits B x K x h x w at stride 8."""
        gated = self.cbr(high) * self.scale(high)
        gated = F.interpolate(gated, (low.shape[-2], low.shape[-1]), mode="bilinear", align_corners=False)
        logits: Tensor = self.low_classifier(low) + self.high_classifier(gated)
        return logits


class LRASPP(SemanticNetwork):
    """Backbone, Lite R-ASPP, upsampling: see `SemanticNetwork`."""

    def _score(self, features: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.classifier(features["aux"], features["out"])  # strides 8 and 16
        return logits

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.classifier.high_classifier.out_channels)  # type: ignore[union-attr, arg-type]

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose output is one channel per class."""
        return ("classifier.low_classifier", "classifier.high_classifier")


def lraspp_mobilenet_v3_large(num_classes: int = 21) -> LRASPP:
    """Lite R-ASPP on MobileNetV3-Large at output stride 16, exactly torchvision's network.

    Args:
        num_classes: K.
    """
    backbone = mobilenet_v3_large_backbone()
    head = LRASPPHead(backbone.channels["aux"], backbone.channels["out"], num_classes)
    return LRASPP(backbone, head, output_stride=16)


# The authors' own code was not compared.
DIFFERENCES = (
    Difference("pooling of the gate", "49 x 49, stride 16 x 20", "-", "whole map", "whole map"),
    Difference("width of the branch at stride 16", "128", "-", "128", "128"),
    Difference("last stage", "half the channels", "-", "all channels, dilated", "all channels, dilated"),
)
