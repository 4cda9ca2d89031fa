"""From a promptable network and pictures to the figure that answers clicks in a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from segtutor.inference.prompts import Prompter, check_promptable
from segtutor.plotting.clicks import ClickFigure, ClickPicture, click_figure
from segtutor.plotting.overlays import as_picture


def clickable(
    model: nn.Module,
    images: Sequence[Any],
    texts: Sequence[str],
    starts: Sequence[Sequence[tuple[int, int, int]]] | None = None,
    drawn: Sequence[Any] | None = None,
) -> ClickFigure:
    """A figure whose clicks are answered by the network's decoder, in the page and without a kernel.

    The page reads embeddings and large weights in rounded steps, all else in 16 bits.

    Args:
        model: A promptable network that takes pictures as they are, as sam_tiny.
        images: Pictures whose height and width are multiples of the network's stride.
        texts: What is seen in each, in words.
        starts: Clicks that are there at first, (x, y, 1 this or 0 not this), for each picture.
        drawn: The same pictures a whole number of times as large, which are shown: the network may be happy with fewer
            pixels than a reader.

    Raises:
        ValueError: If there is not one text for each picture, the network resizes or pads a picture, or a drawn one is
            not as large as that.
    """
    network = check_promptable(model)
    if len(images) != len(texts) or (starts is not None and len(starts) != len(images)):
        raise ValueError(f"every picture needs a text, but there are {len(images)} pictures and {len(texts)} texts")
    if drawn is not None and len(drawn) != len(images):
        raise ValueError(f"there are {len(images)} pictures, but {len(drawn)} are drawn to be shown")
    pictures = []
    for number, (image, text) in enumerate(zip(images, texts, strict=True)):
        prompter = Prompter(model, image)
        height, width = prompter.size
        if prompter.inner_size != prompter.size or height % network.stride or width % network.stride:
            raise ValueError(
                f"picture {number} is {height} x {width}, which the network would resize or pad: give it one whose "
                f"sides are multiples of {network.stride}, to a network without a side of its own"
            )
        pixels = image.numpy() if hasattr(image, "numpy") else image
        start = () if starts is None else tuple(starts[number])
        shown = None if drawn is None else as_picture(drawn[number])
        times = 0 if shown is None else shown.shape[0] // height
        if shown is not None and (not times or shown.shape[:2] != (times * height, times * width)):
            raise ValueError(
                f"picture {number} is {height} x {width}; drawn it must be a whole number of times as large, but it is "
                f"{shown.shape[0]} x {shown.shape[1]}"
            )
        pictures.append(ClickPicture(pixels, prompter.embedding[0].float().cpu().numpy(), text, start, shown))
    heads = network.mask_decoder.transformer.ask_map.heads
    return click_figure(pictures, decoder_arrays(model), heads)


def decoder_arrays(model: nn.Module) -> dict[str, np.ndarray]:
    """Arrays of prompt encoder and mask decoder by their names."""
    state = check_promptable(model).state_dict()
    parts = ("prompt_encoder.", "mask_decoder.")
    return {name: array.float().cpu().numpy() for name, array in state.items() if name.startswith(parts)}
