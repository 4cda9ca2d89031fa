"""Using a promptable network: a picture is looked at once, then every click is answered.

    picture --> longer side to the network's --> normalize --> pad --> embedding           (once)
    click (x, y) in the picture's pixels --> in the network's --> masks --> without padding --> picture's size

Shapes: H W the picture, N points, m masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as TF

from segtutor.inference.devices import device_of, dtype_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.models.sam import SegmentAnything
from segtutor.models.sam.network import at_input_size
from segtutor.models.wrappers import inner

THRESHOLD = 0.0
"""A pixel belongs to a mask if its logit is above this: a probability above one half."""


@dataclass(frozen=True)
class Answer:
    """What a prompt found.

    Attributes:
        logits: m x H x W.
        iou: The IoU that the network predicts for each, m.
        small: The same logits as the network gives them, m x h x w: a prompt for the next question.
    """

    logits: Tensor
    iou: Tensor
    small: Tensor

    @property
    def masks(self) -> Tensor:
        """The masks, m x H x W, True inside."""
        return self.logits > THRESHOLD

    @property
    def best(self) -> int:
        """Number of the mask that the network thinks best of."""
        return int(self.iou.argmax())


class Prompter:
    """A picture that was looked at, ready to be asked.

    Args:
        model: A promptable network; left as it was.
        image: Whatever ``load_image`` takes.

    Raises:
        ValueError: If the image makes no sense, or the network is not promptable.
    """

    def __init__(self, model: nn.Module, image: ImageSource) -> None:
        self.model = check_promptable(model)
        pixels = load_image(image)
        self.size = (pixels.shape[-2], pixels.shape[-1])
        self.inner_size = resized(self.size, self.model.side)
        if self.inner_size != self.size:
            pixels = TF.resize(pixels, list(self.inner_size), antialias=True)
        pixels = pixels.to(device_of(model)).to(dtype_of(model))
        images = pad(preprocessing_of(model).normalize(pixels)[None], self.model.side, self.model.stride)
        with evaluating(model):
            embedding = self.model.embed(images)
        self.embedding = embedding.clone()

    def ask(
        self,
        points: Sequence[Sequence[float]] = (),
        labels: Sequence[int] | None = None,
        box: Sequence[float] | None = None,
        mask: Tensor | None = None,
        several: bool | None = None,
    ) -> Answer:
        """Masks for a prompt.

        Args:
            points: N points (x, y): x to the right, y down, in pixels of the picture.
            labels: 1 this or 0 not this, one for each point; 1 for all if left out.
            box: x0 y0 x1 y1.
            mask: Logits h x w, as ``small`` of an earlier answer has them.
            several: Three masks; left out, for one point alone, which may mean several things.

        Returns:
            On the CPU.

        Raises:
            ValueError: If a point lies outside of the picture, or the prompt does not fit.
        """
        several = (len(points) == 1 and box is None and mask is None) if several is None else several
        places = self._moved(torch.tensor(np.asarray(points, dtype=np.float32).reshape(-1, 2)), "points")
        corners = None
        if box is not None:
            corners = self._moved(torch.tensor(np.asarray(box, dtype=np.float32).reshape(-1, 2)), "box").reshape(
                1, 1, 4
            )
        kinds = torch.tensor([1] * len(places) if labels is None else list(labels))
        with evaluating(self.model):
            device, dtype = self.embedding.device, self.embedding.dtype
            found = self.model.answer(
                self.embedding,
                places[None, None].to(device) if len(places) else None,
                kinds[None, None].to(device) if len(places) else None,
                None if corners is None else corners.to(device),
                None if mask is None else mask[None, None].to(device, dtype),
                several,
            )
            small = found["masks"].float()
            large = at_picture_size(at_input_size(small, self.model.stride)[0, 0], self.inner_size, self.size)
        return Answer(large.cpu().clone(), found["iou"][0, 0].float().cpu().clone(), small[0, 0].cpu().clone())

    def _moved(self, points: Tensor, name: str) -> Tensor:
        """Points of the picture in pixels of the network's input."""
        height, width = self.size
        if ((points < 0) | (points > points.new_tensor([width, height]))).any():
            raise ValueError(
                f"{name} must lie in the picture, x from 0 to {width} and y from 0 to {height}, but {points.tolist()} "
                "came: x, to the right, comes first"
            )
        return points * points.new_tensor([self.inner_size[1] / width, self.inner_size[0] / height])


def resized(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    """Height and width whose longer one is ``side``.

    >>> resized((600, 800), 1024), resized((75, 100), None)
    ((768, 1024), (75, 100))
    """
    if side is None:
        return size
    scale = side / max(size)
    return int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)


def pad(images: Tensor, side: int | None, stride: int) -> Tensor:
    """Grows normalized images B x 3 x H x W, on the right and below, to side x side, or to multiples of the stride."""
    height, width = images.shape[-2:]
    wanted = (side, side) if side else (height + -height % stride, width + -width % stride)
    return F.pad(images, (0, wanted[1] - width, 0, wanted[0] - height))


def at_picture_size(logits: Tensor, inner_size: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Logits m x H' x W' of the padded input to those of the picture.

    First the padding is cut off, then what is left is resized: the other way round, everything would shrink.

    Args:
        logits: m x H' x W'.
        inner_size: Height and width of the picture in there.
        size: Height and width of the picture.

    Returns:
        m x H x W.
    """
    logits = logits[..., : inner_size[0], : inner_size[1]]
    if inner_size == size:
        return logits
    return F.interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]


def check_promptable(model: nn.Module) -> SegmentAnything:
    """The network itself.

    Raises:
        ValueError: If it cannot be asked.
    """
    network: Any = inner(model)
    if not isinstance(network, SegmentAnything):
        raise ValueError(f"{type(network).__name__} takes no clicks: create a promptable network, as sam_tiny")
    return network
