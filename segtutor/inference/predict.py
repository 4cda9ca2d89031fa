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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar, overload

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.inference.bands import mean_bands
from segtutor.inference.devices import device_of, dtype_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.models.inputs import Preprocessing
from segtutor.models.wrappers import attribute_of, inner

T = TypeVar("T")


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
    views = as_views(window, overlap, scales, flip)
    if not return_probabilities:
        return torch.cat(take_bands(model, load_image(image), lambda band: band.argmax(dim=0).cpu(), **views))
    # Put together outside of inference mode: what it made may enter no computation that wants a gradient.
    probabilities = torch.cat(take_bands(model, load_image(image), Tensor.cpu, **views), dim=1)
    return probabilities.argmax(dim=0), probabilities


def take_bands(
    model: nn.Module,
    pixels: Tensor,
    take: Callable[[Tensor], T],
    *,
    window: tuple[int, int] | None = None,
    overlap: float = 1 / 3,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
) -> list[T]:
    """What is wanted of the probabilities, band by band from the top of the picture: K maps need not be held.

    Args:
        model: Semantic network.
        pixels: 3 x H x W from 0 to 1.
        take: Gets K x rows x W each time.
        window: See ``predict``, as for the next three.
        overlap: Share of a window in common with the next.
        scales: Sizes at which the picture is shown.
        flip: Also show it mirrored.
    """
    check_semantic(model)
    network = partial(_network_probabilities, model)
    with evaluating(model):
        picture = preprocessing_of(model).normalize(pixels.to(device_of(model)).float())[None]  # 1 x 3 x H x W
        return [take(band) for band in mean_bands(network, picture, window, overlap, scales, flip)]


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


def as_views(
    window: tuple[int, int] | int | None = None,
    overlap: float = 1 / 3,
    scales: Sequence[float] | float = (1.0,),
    flip: bool = False,
) -> dict[str, Any]:
    """The views of a picture as ``take_bands`` wants them.

    Raises:
        ValueError: If one makes no sense.
    """
    sides = (int(window), int(window)) if isinstance(window, int | np.integer) else window
    sizes = (float(scales),) if isinstance(scales, int | float | np.number) else tuple(scales)
    if sides is not None and (len(sides) != 2 or min(sides) < 1 or any(side != int(side) for side in sides)):
        raise ValueError(f"window is {sides}, but must be (height, width), both at least 1")
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap is {overlap}, but must be from 0 up to but not including 1")
    if not sizes or not all(0 < scale < math.inf for scale in sizes):
        raise ValueError(f"scales are {sizes}, but must be one or more numbers above 0")
    return {"window": sides, "overlap": overlap, "scales": sizes, "flip": flip}
