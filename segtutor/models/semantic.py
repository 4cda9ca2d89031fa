"""What the semantic networks share: backbone, head, logits at input size, and an auxiliary head for training.

    images --> backbone --+-- features["out"] --> classifier ------> upsample --> logits["out"]
                          +-- features["aux"] --> aux_classifier --> upsample --> logits["aux"]   (training only)

Shapes: B images, C channels, K classes, H W input, h w feature map.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.inputs import Preprocessing, check_images
from segtutor.models.sizes import crop
from segtutor.models.upsampling import pad_onto_grid


class SemanticNetwork(nn.Module):
    """Backbone, classifier and bilinear upsampling.

    Args:
        backbone: Maps images to a dict of feature maps with the keys "low", "aux" and "out"; ``channels`` tells their
            widths.
        classifier: Maps ``features["out"]`` (B x C x h x w) to logits B x K x h x w.
        aux_classifier: The same for ``features["aux"]``; used in training mode only.
        output_stride: Input size over size of the deepest feature map; also the least height and width of an image.
        preprocessing: What the weights expect of an image.
        align_corners: How maps and logits are upsampled. One constant per network: mixing the two shifts the
            prediction. With aligned corners, pictures are padded so that the map's pixels lie on theirs from border to
            border.
    """

    def __init__(
        self,
        backbone: nn.Module,
        classifier: nn.Module,
        aux_classifier: nn.Module | None = None,
        *,
        output_stride: int,
        preprocessing: Preprocessing | None = None,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier
        self.output_stride = output_stride
        self.preprocessing = preprocessing or Preprocessing()
        self.align_corners = align_corners

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits.

        Args:
            images: B x 3 x H x W, as ``preprocessing`` makes them.

        Returns:
            "out": logits B x K x H x W; in training mode also "aux", of the same shape, if built with it.

        Raises:
            ValueError: If the images do not fit; nothing has changed then.
        """
        stride = 0 if self.align_corners else self.output_stride  # the padding below leaves more than one pixel
        check_images(self, images, smallest=self.output_stride, stride=stride)
        H, W = images.shape[-2:]
        if self.align_corners:
            images = pad_onto_grid(images, self.output_stride)
        size = (images.shape[-2], images.shape[-1])
        features = self.backbone(images)
        scores = {"out": self._score(features)}
        if self.training and self.aux_classifier is not None:
            scores["aux"] = self.aux_classifier(features["aux"])
        return {name: crop(self._upsample(value, size), (H, W)) for name, value in scores.items()}

    def _score(self, features: dict[str, Tensor]) -> Tensor:
        """Logits B x K x h x w."""
        scores: Tensor = self.classifier(features["out"])
        return scores

    def _upsample(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        # To a size, never by a factor: H need not be a multiple of the stride.
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=self.align_corners)

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.classifier[-1].out_channels)  # type: ignore[index]

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose output is one channel per class: what fine-tuning to other classes replaces."""
        heads = {"classifier": self.classifier, "aux_classifier": self.aux_classifier}
        return tuple(f"{name}.{len(head) - 1}" for name, head in heads.items() if head is not None)  # type: ignore[arg-type]


class FCNHead(nn.Sequential):
    """3 x 3 convolution to a quarter of the channels, dropout, 1 x 1 convolution to the classes."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__(
            nn.Conv2d(channels, channels // 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels // 4),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(channels // 4, num_classes, 1),
        )
