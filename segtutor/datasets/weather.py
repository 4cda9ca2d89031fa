"""Night and fog laid over a picture whose labels stay: a shift of which everything else is known.

They change colors only, so they fit any data set: ``Scenes("val", transforms=Fog())``, or photographs.
"""

from __future__ import annotations

from typing import Any

import PIL.Image
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

GAMMA = 2.2
"""Pixels are about the root of this degree of the light that fell on them."""


class _Weather(v2.Transform):
    """Changes the pictures of a sample, and nothing else of it."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A picture in its new light; all other parts as they came."""
        if isinstance(inpt, PIL.Image.Image):
            raise ValueError(
                f"{type(self).__name__} changes tensors, but a picture of Pillow came: wrap it, "
                "torchvision.tv_tensors.Image(...)"
            )
        if not (isinstance(inpt, tv_tensors.Image) or type(inpt) is Tensor):
            return inpt
        if inpt.ndim < 3 or inpt.shape[-3] != 3 or not (inpt.dtype == torch.uint8 or inpt.is_floating_point()):
            raise ValueError(
                f"{type(self).__name__} changes pictures 3 x H x W, uint8 or floating point in 0-1, but "
                f"{inpt.dtype} of the shape {tuple(inpt.shape)} came; convert the picture to RGB first"
            )
        whole = inpt.dtype == torch.uint8
        pixels = inpt.as_subclass(Tensor)
        changed = self.change(pixels.float() / 255 if whole else pixels).clamp(0, 1)
        changed = (changed * 255).round().to(torch.uint8) if whole else changed
        return tv_tensors.wrap(changed, like=inpt) if isinstance(inpt, tv_tensors.Image) else changed

    def change(self, pixels: Tensor) -> Tensor:
        """Pixels ... x 3 x H x W from 0 to 1 in their new light."""
        raise NotImplementedError


class Night(_Weather):
    """Little light, and bluer: what is left of it is drowned in the sensor's noise.

    The noise comes from PyTorch's generator, like the random numbers of every transform.

    Args:
        light: Share of the light that is left, above 0 and at most 1.
        noise: Standard deviation of the sensor's noise, as a share of the brightest light.
    """

    COLOR = (0.8, 0.9, 1.3)

    def __init__(self, light: float = 0.1, noise: float = 0.003) -> None:
        super().__init__()
        if not 0 < light <= 1:
            raise ValueError(f"light is {light!r}, but must be a share above 0 and at most 1, as 0.1")
        if not 0 <= noise <= 1:
            raise ValueError(f"noise is {noise!r}, but must be from 0 to 1, as 0.003")
        self.light, self.noise = light, noise

    def change(self, pixels: Tensor) -> Tensor:
        color = pixels.new_tensor(self.COLOR)[:, None, None]
        light = pixels**GAMMA * color * self.light
        light = light + self.noise * torch.randn_like(light)
        return light.clamp(0, 1) ** (1 / GAMMA)


class Fog(_Weather):
    """Everything fades into gray, the more the farther it is (Koschmieder 1924): c t + gray (1 - t).

    A picture does not tell distances. They are guessed from the height: the upper edge is far, the lower one near.

    Args:
        far: t at the upper edge, the share of its own color that is left there.
        near: t at the lower edge.
    """

    GRAY = 0.78

    def __init__(self, far: float = 0.2, near: float = 0.6) -> None:
        super().__init__()
        if not 0 <= far <= near <= 1:
            raise ValueError(f"far and near are {far!r} and {near!r}, but must be shares with 0 <= far <= near <= 1")
        self.far, self.near = far, near

    def change(self, pixels: Tensor) -> Tensor:
        left = torch.linspace(self.far, self.near, pixels.shape[-2], device=pixels.device, dtype=pixels.dtype)[:, None]
        return pixels * left + self.GRAY * (1 - left)
