"""Which query answers for which object: the assignment with the least total cost (Hungarian matching).

Carion et al. 2020 (DETR), §3.1; costs at random points: Cheng et al. 2021 (arXiv 2112.01527), §3.3.

Shapes: Q queries, T objects of one picture, K classes, H' W' masks, H W objects' masks, P points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class LossSettings:
    """Weights of cost and loss, and where masks are compared (Mask2Former §4.2; MaskFormer §4.1 and appendix A).

    Attributes:
        classes: Weight of the class.
        mask: Weight of the cross entropy of the mask.
        dice: Weight of the Dice loss of the mask.
        no_object: Weight of "no object" among the classes.
        points: P; None compares all pixels, as MaskFormer does.
        focal: Weigh the cross entropy of a pixel by how wrong it is (Lin et al. 2017, alpha 0.25, gamma 2).
        oversampling: How many times as many points are drawn to choose uncertain ones from.
        important: Share of the points of the loss that are uncertain ones.
        fixed: No matching: query k answers for all of class k, as one mask (MaskFormer Table 4).
    """

    classes: float = 2.0
    mask: float = 5.0
    dice: float = 5.0
    no_object: float = 0.1
    points: int | None = 112 * 112
    focal: bool = False
    oversampling: int = 3
    important: float = 0.75
    fixed: bool = False


@dataclass(frozen=True)
class Objects:
    """What there is in one picture.

    Attributes:
        labels: Class of each object, T int64, 0 to K - 1.
        masks: T x H x W, True or False; a class of stuff is one object.
        void: H x W, True where nobody knows: those pixels count neither for nor against a mask. None if there are none.
    """

    labels: Tensor
    masks: Tensor
    void: Tensor | None = None

    def __post_init__(self) -> None:
        if self.masks.dtype != torch.bool or self.masks.ndim != 3:
            raise ValueError(
                f"masks must be T x H x W of True and False, but {tuple(self.masks.shape)} of {self.masks.dtype} came; "
                "masks of 0 and 255 would make the loss negative: compare them with 0"
            )
        if self.labels.shape != self.masks.shape[:1]:
            raise ValueError(f"there are {len(self.masks)} masks, but labels {tuple(self.labels.shape)} came")

    def to(self, device: torch.device) -> Objects:
        """The same on a device."""
        void = None if self.void is None else self.void.to(device)
        return Objects(self.labels.to(device), self.masks.to(device), void)


def objects_of(labels: Tensor, ignore_index: int = 255) -> Objects:
    """The objects of a label map: one per class that is in it, as semantic segmentation asks.

    Args:
        labels: H x W.
        ignore_index: Void.
    """
    present = [int(label) for label in labels.unique() if label != ignore_index]
    masks = [labels == label for label in present]
    return Objects(
        torch.tensor(present, dtype=torch.int64, device=labels.device),
        torch.stack(masks) if masks else labels.new_zeros((0, *labels.shape), dtype=torch.bool),
        labels == ignore_index,
    )


def objects_of_segments(segments: Tensor, info: Sequence[Mapping[str, Any]]) -> Objects:
    """The objects of a panoptic map: every thing, and every class of stuff.

    Args:
        segments: H x W, the number of the segment at each pixel, 0 for void.
        info: For each segment its "id" and its "category_id"; crowds, which are many things in one, count as void.
    """
    single = [one for one in info if not one.get("iscrowd", 0)]
    masks = [segments == one["id"] for one in single]
    stacked = torch.stack(masks) if masks else segments.new_zeros((0, *segments.shape), dtype=torch.bool)
    labels = torch.tensor([one["category_id"] for one in single], dtype=torch.int64, device=segments.device)
    return Objects(labels, stacked, ~stacked.any(dim=0))


def merged_by_class(objects: Objects) -> Objects:
    """One object per class: what a query that stands for the class must cover."""
    present = objects.labels.unique()
    masks = [objects.masks[objects.labels == label].any(dim=0) for label in present]
    return Objects(present, torch.stack(masks) if masks else objects.masks, objects.void)


def at_points(maps: Tensor, points: Tensor) -> Tensor:
    """Values of maps at points, bilinear between the pixels' centers.

    Args:
        maps: R x H x W.
        points: R x P x 2 or 1 x P x 2, (x, y) from 0 to 1 over the picture.

    Returns:
        R x P.
    """
    points = points.expand(len(maps), -1, -1)
    return F.grid_sample(maps[:, None].float(), 2 * points[:, :, None] - 1, align_corners=False)[:, 0, :, 0]


def known(objects: Objects, points: Tensor) -> Tensor:
    """1 at points that no void pixel has a part in, else 0: as many rows as ``points`` has, times P."""
    if objects.void is None:
        return points.new_ones(points.shape[:2])
    flat = at_points(objects.void[None], points.reshape(1, -1, 2))  # one map, all points at once
    return (flat == 0).to(points.dtype).view(points.shape[:2])


def costs(classes: Tensor, masks: Tensor, objects: Objects, settings: LossSettings) -> Tensor:
    """What each pair of query and object would cost; all masks are compared at the same random points.

    Args:
        classes: Logits Q x (K + 1).
        masks: Logits Q x H' x W'.
        objects: T of them.
        settings: Weights and number of points.

    Returns:
        Q x T.
    """
    logits, wanted, weight = _where_compared(masks, objects, settings)  # Q x P, T x P, 1 x P
    count = weight.sum().clamp_min(1)
    inside = (entropy_inside(logits, settings) * weight) @ wanted.T
    outside = (entropy_outside(logits, settings) * weight) @ (1 - wanted).T
    probabilities = logits.sigmoid() * weight
    both = probabilities.sum(1)[:, None] + (wanted * weight).sum(1)
    dice = 1 - (2 * probabilities @ wanted.T + 1) / (both + 1)
    chance = classes.softmax(dim=-1)[:, objects.labels]
    return settings.mask * (inside + outside) / count + settings.dice * dice - settings.classes * chance


def _where_compared(masks: Tensor, objects: Objects, settings: LossSettings) -> tuple[Tensor, Tensor, Tensor]:
    """Masks, objects and what is known, at random points, or at all pixels of the masks."""
    if settings.points is not None:
        points = torch.rand(1, settings.points, 2, device=masks.device)
        return at_points(masks, points), at_points(objects.masks, points), known(objects, points)
    size = masks.shape[-2:]
    wanted = F.interpolate(objects.masks[None].float(), size)[0].flatten(1)
    if objects.void is None:
        return masks.flatten(1), wanted, wanted.new_ones(1, wanted.shape[1])
    void = F.interpolate(objects.void[None, None].float(), size)[0].flatten(1)
    return masks.flatten(1), wanted, 1 - void


def entropy_inside(logits: Tensor, settings: LossSettings) -> Tensor:
    """Cross entropy of pixels of the object, log(1 + e^-x); focal: a quarter of it, less the surer the mask is."""
    entropy = F.softplus(-logits)
    return 0.25 * logits.sigmoid().neg().add(1) ** 2 * entropy if settings.focal else entropy


def entropy_outside(logits: Tensor, settings: LossSettings) -> Tensor:
    """Cross entropy of all other pixels, log(1 + e^x)."""
    entropy = F.softplus(logits)
    return 0.75 * logits.sigmoid() ** 2 * entropy if settings.focal else entropy


@torch.no_grad()
def match(classes: Tensor, masks: Tensor, objects: Objects, settings: LossSettings) -> tuple[Tensor, Tensor]:
    """The assignment of objects to queries with the least total cost.

    Args:
        classes: Logits Q x (K + 1).
        masks: Logits Q x H' x W'.
        objects: T of them.
        settings: Weights and number of points; with ``fixed``, query k gets the object of class k.

    Returns:
        Numbers of queries and of their objects, as many as the smaller of Q and T.

    Raises:
        ValueError: If a cost is not a number: the network has diverged.
        ImportError: Without SciPy.
    """
    if settings.fixed:
        return objects.labels, torch.arange(len(objects.labels), device=masks.device)
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise ImportError("matching masks with objects needs SciPy: pip install scipy") from None
    table = costs(classes.float(), masks.float(), objects, settings)
    if not table.isfinite().all():
        raise ValueError("the costs of the matching are not finite: the network has diverged; lower the learning rate")
    queries, found = linear_sum_assignment(table.cpu().numpy())
    return torch.as_tensor(queries, device=masks.device), torch.as_tensor(found, device=masks.device)
