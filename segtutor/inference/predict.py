"""From a picture of any size to the class of each of its pixels, at the picture's own size.

    picture -> normalize -> [scales, flip] -> [sliding window] -> pad -> network -> softmax -> average -> argmax

Shapes: K classes, H W the picture, h w the picture at one scale.

What is averaged, over windows, scales and the mirror image alike, is the *probability* (DeepLab v3 §4.3, PSPNet §5.3),
not the logit: a logit has no common scale from one view to the next. Where only one view is taken, the two give the
same labels.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, overload

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.inference.devices import device_of, dtype_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.models.inputs import Preprocessing
from segtutor.models.wrappers import attribute_of, inner


@overload
def predict(
    model: nn.Module,
    image: ImageSource,
    *,
    window: tuple[int, int] | int | None = ...,
    overlap: float = ...,
    scales: Sequence[float] | float = ...,
    flip: bool = ...,
    return_probabilities: Literal[False] = ...,
) -> Tensor: ...


@overload
def predict(
    model: nn.Module,
    image: ImageSource,
    *,
    window: tuple[int, int] | int | None = ...,
    overlap: float = ...,
    scales: Sequence[float] | float = ...,
    flip: bool = ...,
    return_probabilities: Literal[True],
) -> tuple[Tensor, Tensor]: ...


def predict(
    model: nn.Module,
    image: ImageSource,
    *,
    window: tuple[int, int] | int | None = None,
    overlap: float = 1 / 3,
    scales: Sequence[float] | float = (1.0,),
    flip: bool = False,
    return_probabilities: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Class of each pixel of a picture. The model may be in any mode and on any device, and is left as it was.

    Args:
        model: Semantic network; its ``preprocessing`` says how it wants its input.
        image: Whatever ``load_image`` takes.
        window: Height and width of a sliding window, or one number for both; None shows the network the whole picture.
        overlap: Share of a window that it has in common with the next, from 0 up to but not including 1.
        scales: The picture is shown at each of these sizes, relative to its own.
        flip: The picture is also shown mirrored, at each scale.
        return_probabilities: Also return the averaged probabilities.

    Returns:
        Labels H x W int64 on the CPU, H and W those of the picture; with ``return_probabilities`` a pair of them and
        the probabilities K x H x W float32.

    Raises:
        ValueError: If the image, the window, the overlap or the scales make no sense.
    """
    sides = (int(window), int(window)) if isinstance(window, int | np.integer) else window
    sizes = (float(scales),) if isinstance(scales, int | float | np.number) else tuple(scales)
    _check(sides, overlap, sizes)
    check_semantic(model)
    pixels = load_image(image)
    with evaluating(model):
        average = _mean_probabilities(model, pixels, sides, overlap, sizes, flip)
    # Copied outside of inference mode: what it made may enter no computation that wants a gradient.
    labels = average.argmax(dim=0).cpu()
    return (labels, average.cpu().clone()) if return_probabilities else labels


def check_semantic(model: nn.Module) -> None:
    """Refuses a detector, which gives objects and no label map.

    Raises:
        ValueError: If it is one.
    """
    if hasattr(inner(model), "roi_heads"):
        raise ValueError(
            f"{type(inner(model)).__name__} is a detector, which finds objects and gives no label map: use detect, "
            "evaluate_detector and fit_detector, or create a semantic network, as deeplabv3_tiny"
        )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients inside; after it, each module is in the mode in which it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def _mean_probabilities(
    model: nn.Module,
    pixels: Tensor,
    window: tuple[int, int] | None,
    overlap: float,
    scales: Sequence[float],
    flip: bool,
) -> Tensor:
    """K x H x W: the mean over the views, each brought back to the picture's size and orientation."""
    height, width = pixels.shape[-2:]
    picture = preprocessing_of(model).normalize(pixels.to(device_of(model)).float())[None]  # 1 x 3 x H x W
    total, views = torch.zeros(()), 0
    for scale in scales:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        view = _resize(picture, size)  # 1 x 3 x h x w
        for mirrored in (False, True) if flip else (False,):
            probabilities = _view_probabilities(model, view.flip(-1) if mirrored else view, window, overlap)
            probabilities = probabilities.flip(-1) if mirrored else probabilities
            total = _resize(probabilities, (height, width)) + total.to(probabilities.device)  # 1 x K x H x W
            views += 1
    return (total / views)[0]


def _view_probabilities(model: nn.Module, view: Tensor, window: tuple[int, int] | None, overlap: float) -> Tensor:
    """1 x K x h x w of one view 1 x 3 x h x w, whole or as the mean over the windows that cover each pixel."""
    height, width = view.shape[-2:]
    if window is None or (window[0] >= height and window[1] >= width):
        return _network_probabilities(model, view)
    total: Tensor | None = None
    counts = view.new_zeros(1, 1, height, width)
    for top in window_starts(height, window[0], overlap):
        for left in window_starts(width, window[1], overlap):
            part = (..., slice(top, top + window[0]), slice(left, left + window[1]))
            probabilities = _network_probabilities(model, view[part])
            if total is None:
                total = probabilities.new_zeros(1, probabilities.shape[1], height, width)
            total[part] += probabilities
            counts[part] += 1
    assert total is not None
    return total / counts


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """First pixels of the windows along one side. The last is shifted back so as to end with the picture.

    >>> window_starts(length=10, window=4, overlap=0.25)
    [0, 3, 6]
    >>> window_starts(length=9, window=4, overlap=0.25)
    [0, 3, 5]
    >>> window_starts(length=3, window=4, overlap=0.25)
    [0]
    """
    stride = max(1, round(window * (1 - overlap)))
    last = max(0, length - window)
    return [*range(0, last, stride), last]


def _network_probabilities(model: nn.Module, inputs: Tensor) -> Tensor:
    """1 x K x h x w of normalized inputs 1 x 3 x h x w, padded right and below to a size that suits the network."""
    height, width = inputs.shape[-2:]
    inputs = preprocessing_of(model, tell=False).pad(inputs)
    smallest = attribute_of(model, "output_stride") or 1
    # After normalization 0 is the mean color.
    inputs = F.pad(inputs, (0, max(0, smallest - inputs.shape[-1]), 0, max(0, smallest - inputs.shape[-2])))
    output = model(inputs.to(dtype_of(model)))
    logits = output["out"] if isinstance(output, dict) else output
    if logits.ndim != 4:
        raise ValueError(
            f"predict needs a network that gives B x K x h x w, but {type(model).__name__} gave {tuple(logits.shape)}; "
            "inference.classify is for classifiers"
        )
    if logits.shape[1] == 1:
        raise ValueError(
            f"{type(model).__name__} has one map, and of one class no pixel can choose: inference.salient reads it"
        )
    if logits.shape[-2:] != inputs.shape[-2:]:
        logits = F.interpolate(logits, inputs.shape[-2:], mode="bilinear", align_corners=False)
    return logits[..., :height, :width].float().softmax(dim=1)


def preprocessing_of(model: nn.Module, tell: bool = True) -> Preprocessing:
    """What the model says about its input, or the one network inside of it.

    If nothing says it, it is ImageNet's mean and standard deviation, and a warning tells so.
    """
    preprocessing = attribute_of(model, "preprocessing")
    if isinstance(preprocessing, Preprocessing):
        return preprocessing
    if tell:
        warnings.warn(
            f"{type(inner(model)).__name__} does not say how it wants its pictures: ImageNet's mean and deviation are "
            "taken. If it wants others, set model.preprocessing = segtutor.models.Preprocessing(mean=..., std=...)",
            stacklevel=2,
        )
    return Preprocessing()


def _resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    if images.shape[-2:] == size:
        return images
    shrinks = size[0] < images.shape[-2]
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=shrinks)


def _check(window: tuple[int, int] | None, overlap: float, scales: Sequence[float]) -> None:
    if window is not None and (len(window) != 2 or min(window) < 1 or any(side != int(side) for side in window)):
        raise ValueError(f"window is {window}, but must be (height, width), both at least 1")
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap is {overlap}, but must be from 0 up to but not including 1")
    if not scales or not all(0 < scale < math.inf for scale in scales):
        raise ValueError(f"scales are {tuple(scales)}, but must be one or more numbers above 0")
