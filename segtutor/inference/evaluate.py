"""The score of a network on a data set: one confusion matrix over all of it, at each picture's own size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from segtutor.bars import tqdm
from segtutor.inference.images import load_image
from segtutor.inference.outlines import OutlineScores
from segtutor.inference.predict import as_views, check_semantic, evaluating, take_bands
from segtutor.inference.samples import check_sendable, difference_of_classes, in_one_sentence, label_set, read_labeled
from segtutor.metrics import ConfusionMatrix
from segtutor.models.wrappers import class_names_of


@dataclass(frozen=True)
class Scored:
    """One picture of a data set, as it was scored.

    Attributes:
        index: Its number in the data set.
        image: 3 x H x W.
        target: Labels H x W.
        prediction: Labels H x W.
        confusion: Counts of this picture alone.
    """

    index: int
    image: Tensor
    target: Tensor
    prediction: Tensor
    confusion: ConfusionMatrix


@dataclass(frozen=True)
class Evaluation:
    """What ``evaluate`` found.

    Attributes:
        names: The data set's classes.
        confusion: All the counts; every other score comes from it.
        images: Number of pictures.
        outlines: Scores at outlines, where they were asked for.
    """

    names: tuple[str, ...]
    confusion: ConfusionMatrix
    images: int
    outlines: OutlineScores | None = None

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
    boundary: bool = False,
    each: Callable[[Scored], None] | None = None,
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
        boundary: Also score outlines.
        each: Gets each picture as soon as it is scored.
        num_workers: Processes that load pictures.
        progress: Show a progress bar.

    Raises:
        ValueError: If the data set is empty or has no ``labels``, if the network has another number of classes, or if
            a label map does not fit its image.
    """
    views = {"window": window, "overlap": overlap, "scales": scales, "flip": flip}
    labels = label_set(dataset)
    check_classes_known(model, labels)
    outlines = OutlineScores(len(labels), labels.ignore_index) if boundary else None

    def look_at(scored: Scored) -> None:
        if outlines is not None:
            outlines.update(scored.target.numpy(), scored.prediction.numpy())
        if each is not None:
            each(scored)

    confusion = count(model, dataset, range(len(dataset)), views, num_workers, progress, look_at)
    tell_of_one_class(confusion, labels)
    return Evaluation(tuple(labels.names), confusion, len(dataset), outlines)


def count(
    model: nn.Module,
    dataset: Any,
    indices: Iterable[int],
    views: dict[str, Any],
    num_workers: int,
    progress: bool,
    each: Callable[[Scored], None] | None = None,
) -> ConfusionMatrix:
    """Confusion matrix of some of the pictures of a data set; one process's share of an evaluation."""
    labels = label_set(dataset)
    indices = list(indices)
    if len(dataset) == 0:
        raise ValueError("the data set to evaluate on is empty")
    check_semantic(model)
    views = as_views(**views)
    check_sendable(dataset, num_workers)
    loader = DataLoader(
        _Checked(dataset, indices, len(labels), labels.ignore_index),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        generator=torch.Generator(),  # else the loader would draw from the caller's
    )
    confusion = ConfusionMatrix(len(labels), labels.ignore_index)
    with evaluating(model):
        try:
            pictures = tqdm(loader, "evaluate", leave=False, unit="image", disable=not progress, total=len(indices))
            for index, (image, target) in zip(indices, pictures, strict=True):
                bands = take_bands(
                    model, load_image(image), lambda band: (len(band), band.argmax(dim=0).cpu()), **views
                )
                if bands[0][0] != len(labels):
                    raise ValueError(
                        f"the network has {bands[0][0]} classes, but {labels.title} has {len(labels)}: create "
                        f"it with num_classes={len(labels)}, or load the weights that belong to this data set"
                    )
                prediction = torch.cat([part for _, part in bands])
                own = ConfusionMatrix(len(labels), labels.ignore_index)
                own.update(target, prediction)
                confusion.merge(own)
                if each is not None:
                    each(Scored(index, image, target, prediction, own))
        except (ValueError, OSError) as error:
            raise in_one_sentence(error) from error.__cause__
    return confusion


class _Checked(Dataset[tuple[Tensor, Tensor]]):
    """Some items of a data set, each checked where it is read."""

    def __init__(self, dataset: Any, indices: list[int], num_classes: int, ignore_index: int) -> None:
        self.dataset, self.indices = dataset, indices
        self.num_classes, self.ignore_index = num_classes, ignore_index

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        return read_labeled(self.dataset, self.indices[number], self.num_classes, self.ignore_index)


def check_classes_known(model: nn.Module, labels: Any) -> None:
    """Refuses to score a network on classes that its weights call otherwise: every number would be nonsense.

    Raises:
        ValueError: If as many classes are known by other names, or in another order.
    """
    names = class_names_of(model)
    if names is None or len(names) != len(labels):
        return
    difference = difference_of_classes(names, labels.names)
    if difference:
        raise ValueError(
            f"the network's classes are not those of {labels.title}, though as many ({difference}): load the weights "
            "that belong to this data set; or, if the numbers mean the same after all, set model.class_names = None"
        )


def tell_of_one_class(confusion: ConfusionMatrix, labels: Any) -> None:
    """Warns of a score that cannot be bad: there is one class in the labels, or none."""
    there = np.flatnonzero(confusion.matrix.sum(axis=1))
    if len(there) < 2:
        what = f"is {labels.names[there[0]]!r}" if len(there) else "is void"
        warnings.warn(
            f"every labeled pixel that was scored {what}: this score says nothing. Look at the masks: were they read "
            "as the numbers that the table of classes names?",
            stacklevel=3,
        )


def _as_it_is(sample: Any) -> Any:
    return sample
