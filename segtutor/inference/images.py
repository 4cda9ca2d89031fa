"""From whatever holds a picture to one form: RGB, 3 x H x W float32 from 0 to 1 (H W the picture)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segtutor.datasets.files import to_rgb
from segtutor.datasets.opening import open_file, orientation, upright
from segtutor.datasets.ranges import white_of

ImageSource = str | PathLike[str] | Image.Image | np.ndarray | Tensor


def load_image(source: ImageSource) -> Tensor:
    """A picture as RGB, 3 x H x W float32 from 0 to 1, on the CPU unless a tensor on another device came.

    Gray values are repeated in the three channels, palettes are looked up, an alpha channel is dropped. A *file* is
    turned as its EXIF orientation says; a PIL image, an array or a tensor is taken as it is.

    Args:
        source: Path; PIL image; array H x W or H x W x (1, 3, 4); tensor H x W or (1, 3, 4) x H x W. They hold uint8
            or bool; floats from 0 to 1; or 16 bits, 0...65535, of which one value at least lies above the lowest 12
            bits (see `segtutor.datasets.ranges`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not an image, or the shape, type or range of the values is another.
    """
    if isinstance(source, str | PathLike):
        return _from_pil(_open(Path(source)))
    if isinstance(source, Image.Image):
        return _from_pil(source)
    if isinstance(source, np.ndarray):
        array = source[..., None] if source.ndim == 2 else source
        if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
            raise ValueError(f"an image array is H x W or H x W x (1, 3 or 4), but this one is {source.shape}")
        return _to_rgb(torch.from_numpy(np.require(array, requirements=["C", "W"])).permute(2, 0, 1))
    if isinstance(source, Tensor):
        tensor = source.as_subclass(Tensor).detach()
        tensor = tensor[None] if tensor.ndim == 2 else tensor
        if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
            raise ValueError(f"an image tensor is H x W or (1, 3 or 4) x H x W, but this one is {tuple(source.shape)}")
        return _to_rgb(tensor)
    raise ValueError(f"an image is a path, a PIL image, a NumPy array or a tensor, not {type(source).__name__}")


def _open(path: Path) -> Image.Image:
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name one image file")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    image = open_file(path)
    name = image.filename  # type: ignore[attr-defined]
    if orientation(image) != 1:
        image = upright(image)
        image.filename = name  # type: ignore[attr-defined]
    return image


def _from_pil(image: Image.Image) -> Tensor:
    if image.width == 0 or image.height == 0:
        raise ValueError(f"the image is empty ({image.width} x {image.height} pixels)")
    if image.mode == "F" or image.mode.startswith("I"):  # convert("RGB") would cut these off at 255
        values = np.asarray(image)
        name = getattr(image, "filename", "") or "the image"
        is_float = white_of(values, name) == 1
        return load_image(values.clip(0, 1) if is_float else values.astype(np.uint16))
    return load_image(to_rgb(image, turn=False))


def _to_rgb(image: Tensor) -> Tensor:
    """(1, 3, 4) x H x W of any allowed type -> 3 x H x W float32."""
    if image.numel() == 0:
        raise ValueError(f"the image is empty (its shape is {tuple(image.shape)})")
    image = image[:3]
    if image.dtype == torch.bool:
        image = image.float()
    elif image.dtype == torch.uint8:
        image = image.float() / 255
    elif image.dtype == torch.uint16:
        image = image.float() / white_of(image.cpu().numpy(), "the image")
    elif image.is_floating_point():
        image = image.float()
        low, high = float(image.min()), float(image.max())
        if not (low >= -1e-4 and high <= 1 + 1e-4):  # also catches NaN
            raise ValueError(
                f"float images run from 0 to 1, but this one from {low:.4g} to {high:.4g}: divide by 255 if it holds "
                "bytes, and do not normalize it (the network's own normalization is applied here)"
            )
    else:
        raise ValueError(f"images hold uint8, uint16 or floats from 0 to 1, not {image.dtype}")
    return image.expand(3, -1, -1)
