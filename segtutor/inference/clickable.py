"""From a promptable network and pictures to the figure that answers clicks in a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from segtutor.inference.prompts import Prompter, check_promptable
from segtutor.plotting.clicks import ClickFigure, ClickPicture, click_figure


def clickable(
    model: nn.Module,
    images: Sequence[Any],
    texts: Sequence[str],
    starts: Sequence[Sequence[tuple[int, int, int]]] | None = None,
) -> ClickFigure:
    """A figure whose clicks are answered by the network's decoder, in the page and without a kernel.

    The page reads embeddings and large weights in rounded steps, all else in 16 bits.

    Args:
        model: A promptable network that takes pictures as they are, as sam_tiny.
        images: Pictures whose height and width are multiples of the network's stride.
        texts: What is seen in each, in words.
        starts: Clicks that are there at first, (x, y, 1 this or 0 not this), for each picture.

    Raises:
        ValueError: If there is not one text for each picture, or the network resizes or pads a picture.
    """
    network = check_promptable(model)
    if len(images) != len(texts) or (starts is not None and len(starts) != len(images)):
        raise ValueError(f"every picture needs a text, but there are {len(images)} pictures and {len(texts)} texts")
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
        pictures.append(ClickPicture(pixels, prompter.embedding[0].float().cpu().numpy(), text, start))
    heads = network.mask_decoder.transformer.ask_map.heads
    return click_figure(pictures, decoder_arrays(model), heads)


def decoder_arrays(model: nn.Module) -> dict[str, np.ndarray]:
    """Arrays of prompt encoder and mask decoder by their names."""
    state = check_promptable(model).state_dict()
    parts = ("prompt_encoder.", "mask_decoder.")
    return {name: array.float().cpu().numpy() for name, array in state.items() if name.startswith(parts)}
