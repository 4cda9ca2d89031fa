"""Using a network of mask classification: one pass, and three tasks from the same classes and masks.

    picture -> normalize -> network -> Q classes, Q masks at the picture's size --+--> semantic: a label map
                                                                                 +--> instances: masks with scores
                                                                                 +--> panoptic: a map of segments

Shapes: Q queries, K classes, H W the picture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.bars import tqdm
from segtutor.inference.devices import device_of, dtype_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.inference.samples import label_set, read_item
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.panoptic import PanopticQuality, PanopticScores
from segtutor.models.mask_classification.outputs import Segment, instances, panoptic, semantic_scores
from segtutor.models.wrappers import inner


@dataclass(frozen=True)
class FoundMasks:
    """What the network says of one picture.

    Attributes:
        classes: Logits Q x (K + 1), the last column "no object".
        masks: Logits Q x H x W.
    """

    classes: Tensor
    masks: Tensor

    def semantic(self) -> Tensor:
        """The class of each pixel, H x W int64."""
        return semantic_scores(self.classes[None], self.masks[None])[0].argmax(0)

    def instances(self, things: Collection[int] | None = None, count: int = 100) -> dict[str, Tensor]:
        """Objects with scores, best first: see `segtutor.models.mask_classification.outputs.instances`."""
        return instances(self.classes, self.masks, things, count)

    def panoptic(
        self, stuff: Collection[int] = (), threshold: float = 0.8, overlap: float = 0.8
    ) -> tuple[Tensor, list[Segment]]:
        """A map of segments and what they are: see `segtutor.models.mask_classification.outputs.panoptic`."""
        return panoptic(self.classes, self.masks, stuff, threshold, overlap)


@dataclass(frozen=True)
class PanopticEvaluation:
    """What `evaluate_panoptic` found.

    Attributes:
        scores: PQ, SQ and RQ of all classes, of things, of stuff, and of each class.
        mean_iou: Of the label maps from the same output.
        images: Number of pictures.
    """

    scores: PanopticScores
    mean_iou: float
    images: int


def find_masks(model: nn.Module, image: ImageSource, size: tuple[int, int] | None = None) -> FoundMasks:
    """Classes and masks of a picture. The model may be in any mode and on any device, and is left as it was.

    Args:
        model: A network of mask classification.
        image: Whatever ``load_image`` takes.
        size: Height and width of the masks, where they shall have others than the picture.

    Returns:
        On the CPU.

    Raises:
        ValueError: If the image makes no sense, or the network is none of mask classification.
    """
    check_mask_classifier(model)
    pixels = load_image(image)
    with evaluating(model):
        output = model(preprocessing_of(model).normalize(pixels.to(device_of(model)).to(dtype_of(model)))[None])
        shape = tuple(size or pixels.shape[-2:])
        large = F.interpolate(output["masks"].float(), shape, mode="bilinear", align_corners=False)
    # Copied outside of inference mode: what it made may enter no computation that wants a gradient.
    return FoundMasks(output["classes"][0].float().cpu().clone(), large[0].cpu().clone())


def evaluate_panoptic(
    model: nn.Module, dataset: Any, *, threshold: float = 0.8, progress: bool = True
) -> PanopticEvaluation:
    """Panoptic quality and mean IoU on a data set.

    Args:
        model: A network of mask classification.
        dataset: ``dataset[i]`` is an image and a dict of segments H x W and segments_info; ``dataset.labels`` a
            LabelSet whose numbers are the category ids.
        threshold: Least probability of a query's class.
        progress: Show a bar.

    Raises:
        ValueError: If network and data set do not fit together.
    """
    check_mask_classifier(model, dataset)
    if len(dataset) == 0:
        raise ValueError("the data set is empty")
    numbers = tqdm(range(len(dataset)), desc="evaluate", unit="image", disable=not progress)
    quality, confusion = count_panoptic(model, dataset, numbers, threshold)
    return PanopticEvaluation(quality.scores(), confusion.mean_iou(), len(dataset))


def count_panoptic(
    model: nn.Module, dataset: Any, indices: Iterable[int], threshold: float = 0.8
) -> tuple[PanopticQuality, ConfusionMatrix]:
    """Hits, misses and inventions, and pixels by true and found class, of some pictures."""
    labels = label_set(dataset)
    quality, confusion = PanopticQuality(labels), ConfusionMatrix(len(labels), labels.ignore_index)
    stuff = set(range(len(labels))) - set(labels.things)
    for index in indices:
        image, target = read_item(dataset, index)
        segments = torch.as_tensor(target["segments"]).as_subclass(Tensor)
        found = find_masks(model, image)
        numbers, listed = found.panoptic(stuff, threshold)
        info = [{"id": one.id, "category_id": one.label} for one in listed]
        quality.update((segments.numpy(), target["segments_info"]), (numbers.numpy(), info))
        confusion.update(_label_map(segments, target["segments_info"], labels.ignore_index), found.semantic())
    return quality, confusion


def check_mask_classifier(model: nn.Module, dataset: Any | None = None) -> None:
    """Refuses networks that give no masks with classes, and one whose classes are not the data set's.

    Raises:
        ValueError: If it is one.
    """
    network = inner(model)
    if not hasattr(network, "loss_of_objects"):
        raise ValueError(
            f"{type(network).__name__} is no network of mask classification: create one, as mask2former_tiny"
        )
    if dataset is not None and network.num_classes != len(label_set(dataset)):
        labels = label_set(dataset)
        raise ValueError(
            f"the network has {network.num_classes} classes, but {labels.title} has {len(labels)}: create it with "
            f"num_classes={len(labels)}"
        )


def _label_map(segments: Tensor, info: Iterable[Any], ignore_index: int) -> Tensor:
    """The class of each pixel of a map of segments."""
    labels = torch.full_like(segments, ignore_index)
    for one in info:
        labels[segments == one["id"]] = one["category_id"]
    return labels
