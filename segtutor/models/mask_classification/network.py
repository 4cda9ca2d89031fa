"""Networks of mask classification: a set of masks, each with one class, whatever made them.

    images --> backbone --> pixel decoder --> maps, pixel embeddings --> query decoder --> Q classes, Q masks

Shapes: B images, Q queries, K classes, H W input, H' W' the masks' size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.inputs import Preprocessing, check_images
from segtutor.models.mask_classification.losses import mask_classification_loss
from segtutor.models.mask_classification.matching import LossSettings, Objects, objects_of
from segtutor.models.mask_classification.outputs import semantic_scores
from segtutor.models.mask_classification.query_decoder import Prediction


class MaskNetwork(nn.Module):
    """What all networks of mask classification share: output, loss, classes.

    Args:
        stride: Least height and width of an image.
        settings: Of the loss.
    """

    def __init__(self, stride: int, settings: LossSettings) -> None:
        super().__init__()
        self.output_stride = stride
        self.settings = settings
        self.preprocessing = Preprocessing()

    def forward(self, images: Tensor) -> dict[str, Any]:
        """Classes and masks.

        Args:
            images: B x 3 x H x W, as ``preprocessing`` makes them.

        Returns:
            "classes": logits B x Q x (K + 1), the last column "no object"; "masks": logits B x Q x H' x W'. In training
            mode also "layers", the pairs of all layers before the last, coarse to fine, whose losses are added; in
            evaluation also "out", logarithms of each pixel's class scores B x K x H x W.

        Raises:
            ValueError: If the images do not fit.
        """
        check_images(self, images, smallest=self.output_stride, stride=self.output_stride)
        *layers, (classes, masks) = self.predictions(images)
        if self.training:
            return {"classes": classes, "masks": masks, "layers": layers}
        large = F.interpolate(masks, images.shape[-2:], mode="bilinear", align_corners=False)
        scores = semantic_scores(classes, large)
        return {"classes": classes, "masks": masks, "out": scores.clamp_min(torch.finfo(scores.dtype).tiny).log()}

    def predictions(self, images: Tensor) -> list[Prediction]:
        """Classes and masks of all layers, the network's last."""
        raise NotImplementedError

    def loss_of_labels(self, output: Mapping[str, Any], labels: Tensor, ignore_index: int) -> Tensor:
        """The paper's loss for semantic segmentation: every class in a picture is one object.

        Args:
            output: Of this network in training mode.
            labels: B x H x W.
            ignore_index: Void.

        Raises:
            ValueError: If a label is none of the K classes.
        """
        present = labels[labels != ignore_index]
        if present.numel() and not 0 <= int(present.min()) <= int(present.max()) < self.num_classes:
            raise ValueError(
                f"labels must be 0 to {self.num_classes - 1} or {ignore_index}, but there are some from "
                f"{int(present.min())} to {int(present.max())}: create the network with the data's number of classes"
            )
        objects = [objects_of(one, ignore_index) for one in labels]
        return torch.stack(list(self.loss_of_objects(output, objects).values())).sum()

    def loss_of_objects(self, output: Mapping[str, Any], objects: Sequence[Objects]) -> dict[str, Tensor]:
        """The paper's loss where things are told from each other: "classes", "mask" and "dice".

        Args:
            output: Of this network in training mode.
            objects: What there is in each picture.
        """
        return mask_classification_loss(output, objects, self.settings)

    @property
    def num_classes(self) -> int:
        """Number of classes K, "no object" not counted."""
        return int(self.get_submodule(self.final_layers()[0]).out_features) - 1  # type: ignore[arg-type]

    def final_layers(self) -> tuple[str, ...]:
        """Name of the layer whose output is one number per class."""
        raise NotImplementedError


class MaskClassifier(MaskNetwork):
    """MaskFormer and Mask2Former: backbone, pixel decoder, query decoder.

    Args:
        backbone: Maps images to a list of maps, finest first, the finest at stride 4.
        pixel_decoder: Maps these to the maps that the queries read, and pixel embeddings.
        decoder: Maps those to classes and masks, layer by layer.
        stride: Of the coarsest map.
        settings: Of the loss; Mask2Former's if left out.
    """

    def __init__(
        self,
        backbone: nn.Module,
        pixel_decoder: nn.Module,
        decoder: nn.Module,
        stride: int,
        settings: LossSettings | None = None,
    ) -> None:
        super().__init__(stride, settings or LossSettings())
        self.backbone = backbone
        self.pixel_decoder = pixel_decoder
        self.decoder = decoder

    def predictions(self, images: Tensor) -> list[Prediction]:
        """Classes and masks of all layers, the network's last."""
        maps, pixels = self.pixel_decoder(self.backbone(images))
        found: list[Prediction] = self.decoder(maps, pixels)
        return found

    def final_layers(self) -> tuple[str, ...]:
        """Name of the layer whose output is one number per class."""
        return ("decoder.classes",)
