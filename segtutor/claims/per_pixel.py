"""A network of mask classification trained to give a class per pixel: its queries are then the classes' scores.

As many queries as classes are its classifiers: what is query k's mask elsewhere is the score of class k
(PerPixelBaseline+ of Cheng et al. 2021, §4.1). Decoder, weights and start are those of the network that gives masks.

Shapes: B images, K classes and queries, H W input.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.claims.claim import Values
from segtutor.claims.contact import Contact
from segtutor.claims.mask_training import BASE, LONG, MaskRecipe, PerfectClasses
from segtutor.claims.masks import SegmentPictures, components, label_map
from segtutor.inference import predict
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.panoptic import PanopticQuality
from segtutor.training import fit


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


class LabelPictures:
    """Pictures with segments as pictures with label maps: ``pictures[i]`` is (image, label map H x W int64).

    Args:
        pictures: With their segments; what is in none of them is void.
    """

    labels = SCENES

    def __init__(self, pictures: SegmentPictures) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, target = self.pictures[index]
        return image, label_map(target)


@dataclass(frozen=True)
class PixelRecipe:
    """The training of ``MaskRecipe`` with a class per pixel in place of masks; things are the connected regions.

    Attributes:
        recipe: Network, start, scenes, lengths and settings.
    """

    recipe: MaskRecipe = BASE

    def __call__(self, seed: int, short: bool) -> Values:
        """Of both lengths mean IoU, PQ of stuff, PQ of things and the training loss, as ``MaskRecipe`` names them."""
        recipe = self.recipe.shortened() if short else self.recipe
        model = PerPixel(recipe.build(seed))
        pictures, held_out = recipe.scenes()
        values: dict[str, float] = {}
        with tempfile.TemporaryDirectory() as folder:
            for when, steps in zip(("early", "late"), recipe.lengths, strict=True):
                with warnings.catch_warnings():  # another length is another schedule, but not at a constant rate
                    warnings.filterwarnings("ignore", "the run was to have")
                    config = recipe.config(steps, seed, Path(folder) / "run.pt")
                    losses = fit(model, LabelPictures(pictures), None, config, resume=True).losses[-50:]
                found = score_regions(model, held_out) | {"loss": sum(losses) / len(losses)}
                values |= {f"{when}_{name}": value for name, value in found.items()}
        # Its things are regions, whichever way they are asked for.
        return values | {f"{when}_PQ_things": values[f"{when}_components_PQ_things"] for when in ("early", "late")}

    def in_precision(self, precision: str) -> PixelRecipe:
        """The same, trained in this precision."""
        return replace(self, recipe=self.recipe.in_precision(precision))

    def shortened(self) -> PixelRecipe:
        """The version of a minute."""
        return replace(self, recipe=self.recipe.shortened())


@dataclass(frozen=True)
class PerfectRegions:
    """What a class per pixel could reach: the connected regions of the true label map. Nothing is trained."""

    def __call__(self, seed: int, short: bool) -> Values:
        """The scores of the last length; seeds do not matter."""
        found = PerfectClasses(LONG.val_count, LONG.border)(seed, short)
        regions = found["late_components_PQ_things"]
        return {**found, "early_mean_iou": float("nan"), "early_PQ_things": float("nan"), "late_PQ_things": regions}


def score_regions(model: nn.Module, pictures: SegmentPictures) -> dict[str, float]:
    """Scores of label maps and their regions, named as in ``score_masks``; "touching" and "alone" are of the regions.

    Args:
        model: Gives a class per pixel.
        pictures: With their segments.
    """
    by_components, contact, confusion = PanopticQuality(SCENES), Contact(), ConfusionMatrix(len(SCENES))
    labeled = LabelPictures(pictures)
    with evaluating(model):
        for index in range(len(pictures)):
            image, target = pictures[index]
            labels = predict(model, image)
            truth, regions = (target["segments"].numpy(), target["segments_info"]), components(labels.numpy())
            by_components.update(truth, regions)
            contact.update(truth, regions)
            confusion.update(labeled[index][1], labels)
    scores = by_components.scores()
    return {
        "PQ_stuff": scores.stuff.PQ,
        "components_PQ_things": scores.things.PQ,
        **contact.shares(),
        "mean_iou": confusion.mean_iou(),
    }
