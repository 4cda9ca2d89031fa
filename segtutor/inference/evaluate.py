"""The score of a network on a data set: one confusion matrix over all of it, at each picture's own size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from tqdm.auto import tqdm

from segtutor.inference.predict import evaluating, predict
from segtutor.metrics import ConfusionMatrix


@dataclass(frozen=True)
class Evaluation:
    """What ``evaluate`` found.

    Attributes:
        names: The data set's classes.
        confusion: All the counts; every other score comes from it.
        images: Number of pictures.
    """

    names: tuple[str, ...]
    confusion: ConfusionMatrix
    images: int

    @property
    def iou(self) -> dict[str, float]:
        """IoU per class name; NaN for a class that is in neither labels nor predictions."""
        return dict(zip(self.names, self.confusion.iou().tolist(), strict=True))

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that are in labels or predictions; ``classes_counted`` says how many."""
        return self.confusion.mean_iou()

    @property
    def classes_counted(self) -> int:
        """Number of classes in ``mean_iou``."""
        return int(np.isfinite(self.confusion.iou()).sum())

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels that are right, void left out."""
        return self.confusion.pixel_accuracy()

    def __str__(self) -> str:
        width = max(map(len, self.names))
        lines = [f"{name:{width}}  {100 * iou:6.2f}" for name, iou in self.iou.items() if np.isfinite(iou)]
        absent = len(self.names) - self.classes_counted
        lines.append(
            f"mean IoU {100 * self.mean_iou:.2f} % over {self.classes_counted} classes"
            + (f" ({absent} absent, not counted)" if absent else "")
            + f", pixel accuracy {100 * self.pixel_accuracy:.2f} %, {self.images} images"
        )
        return "\n".join(lines)


def evaluate(
    model: nn.Module,
    dataset: Any,
    *,
    window: tuple[int, int] | None = None,
    overlap: float = 1 / 3,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    num_workers: int = 0,
    progress: bool = True,
) -> Evaluation:
    """Score a network on a data set. The model is left as it was: mode, running statistics and device.

    Nothing is resized or cropped: a figure measured on resized labels is not comparable to a published one.

    Args:
        model: Semantic network with as many classes as the data set.
        dataset: ``dataset[i]`` is (image, label map), ``dataset.labels`` a LabelSet.
        window: See ``predict``, as for the next three.
        overlap: Share of a window in common with the next.
        scales: Sizes at which each picture is shown.
        flip: Also show each picture mirrored.
        num_workers: Processes that load pictures.
        progress: Show a progress bar.

    Raises:
        ValueError: If the data set is empty or has no ``labels``, if the network has another number of classes, or if
            a label map does not fit its image.
    """
    views = {"window": window, "overlap": overlap, "scales": scales, "flip": flip}
    confusion = count(model, dataset, range(len(dataset)), views, num_workers, progress)
    return Evaluation(tuple(dataset.labels.names), confusion, len(dataset))


def count(
    model: nn.Module, dataset: Any, indices: Iterable[int], views: dict[str, Any], num_workers: int, progress: bool
) -> ConfusionMatrix:
    """Confusion matrix of some of the pictures of a data set; one process's share of an evaluation."""
    labels = label_set(dataset)
    indices = list(indices)
    if len(dataset) == 0:
        raise ValueError("the data set to evaluate on is empty")
    loader = DataLoader(
        Subset(dataset, indices),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        generator=torch.Generator(),  # else the loader would draw from the caller's
    )
    confusion = ConfusionMatrix(len(labels), labels.ignore_index)
    with evaluating(model):
        for index, (image, target) in zip(
            indices, tqdm(loader, "evaluate", leave=False, unit="image", disable=not progress), strict=True
        ):
            prediction, probabilities = predict(model, image, return_probabilities=True, **views)
            if len(probabilities) != len(labels):
                raise ValueError(
                    f"the network has {len(probabilities)} classes, but {labels.title} has {len(labels)}: create it "
                    f"with num_classes={len(labels)}, or load the weights that belong to this data set"
                )
            if tuple(target.shape) != tuple(prediction.shape):
                raise ValueError(
                    f"picture {index} is {tuple(prediction.shape)} (height, width), but its labels are "
                    f"{tuple(target.shape)}"
                )
            confusion.update(target, prediction)
    return confusion


def label_set(dataset: Any) -> Any:
    """The data set's LabelSet.

    Raises:
        ValueError: If it has none.
    """
    labels = getattr(dataset, "labels", None)
    if labels is None or not hasattr(labels, "ignore_index"):
        raise ValueError(
            f"{type(dataset).__name__} does not say what its labels mean: give it an attribute labels, a LabelSet"
        )
    return labels


def _as_it_is(sample: Any) -> Any:
    return sample
