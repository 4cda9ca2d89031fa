"""Using a detector: a picture in, its objects out.

Shapes: H W the picture, R detections.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from segtutor.inference.devices import dtype_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.inference.predict import evaluating
from segtutor.inference.samples import label_set


def detect(model: nn.Module, image: ImageSource, *, score_threshold: float | None = None) -> dict[str, Tensor]:
    """The objects of a picture. The model may be in any mode and on any device, and is left as it was.

    Args:
        model: A detector.
        image: Whatever ``load_image`` takes.
        score_threshold: Leave out detections that are less certain than this; the network's own threshold holds too.

    Returns:
        On the CPU, best first: boxes R x 4 in pixels of the picture, labels R, scores R, and masks R x H x W bool
        unless the network draws none.

    Raises:
        ValueError: If the image makes no sense, or the network is no detector.
    """
    if score_threshold is not None and not 0 <= score_threshold <= 1:
        raise ValueError(f"score_threshold must be from 0 to 1, but {score_threshold} came")
    check_detector(model)
    pixels = load_image(image)
    with evaluating(model):
        (found,) = model([pixels.to(dtype_of(model))])
    # Copied outside of inference mode: what it made may enter no computation that wants a gradient.
    found = {name: values.cpu().clone() for name, values in found.items()}
    found = {name: values.float() if values.is_floating_point() else values for name, values in found.items()}
    if score_threshold is not None:
        kept = found["scores"] >= score_threshold
        found = {name: values[kept] for name, values in found.items()}
    return found


def check_detector(model: nn.Module) -> None:
    """Refuses what is no detector of segtutor."""
    if not hasattr(model, "num_classes") or not hasattr(model, "roi_heads"):
        raise ValueError(
            f"{type(model).__name__} is no detector: create one whose name begins with maskrcnn, or use the functions "
            "for semantic networks, fit, predict and evaluate"
        )


def check_classes(model: nn.Module, dataset: Any) -> None:
    """Refuses a detector with another number of classes than the data set has."""
    check_detector(model)
    labels = label_set(dataset)
    if model.num_classes != len(labels):
        raise ValueError(
            f"the network has {model.num_classes} classes, but {labels.title} has {len(labels)}, background included: "
            f"create it with num_classes={len(labels)}, or load the weights that belong to this data set"
        )


def draws_masks(model: nn.Module) -> bool:
    """Whether a detector has a mask branch."""
    heads: Any = model.roi_heads
    return heads.mask_head is not None
