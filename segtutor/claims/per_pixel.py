"""A network of mask classification trained to give a class per pixel: its queries are then the classes' scores.

As many queries as classes are its classifiers: what is query k's mask elsewhere is the score of class k
(PerPixelBaseline+ of Cheng et al. 2021, §4.1). Decoder, weights and start are those of the network that gives masks.

Shapes: B images, K classes and queries, H W input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PerPixel(nn.Module):
    """A network of mask classification whose query k gives the scores of class k, pixel by pixel.

    Args:
        network: With as many queries as classes.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = network.preprocessing

    def forward(self, images: Tensor) -> dict[str, Any]:
        """Scores.

        Args:
            images: B x 3 x H x W.

        Returns:
            "out": logits B x K x H x W; "layers": the same of every layer, since each is trained.
        """
        layers = [
            F.interpolate(masks.float(), images.shape[-2:], mode="bilinear", align_corners=False)
            for _, masks in self.network.predictions(images)
        ]
        return {"out": layers[-1], "layers": layers}

    def loss_of_labels(self, output: Mapping[str, Any], labels: Tensor, ignore_index: int) -> Tensor:
        """Cross entropy of the pixels, summed over the layers as the masks' loss is."""
        losses = [F.cross_entropy(logits, labels, ignore_index=ignore_index) for logits in output["layers"]]
        return torch.stack(losses).sum()
