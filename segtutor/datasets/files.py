"""Reading pictures and label PNGs, with errors that name the file and say what to do.

A label PNG holds class numbers: one channel of 8 or 16 bits, or palette indices. Opened as a picture it would give
colors. Pictures are turned as their EXIF orientation says, and always RGB.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torchvision import tv_tensors

from segtutor.labels import LabelSet

ORIENTATION = 0x0112  # the EXIF tag


def open_file(path: Path | str) -> Image.Image:
    """Open and decode an image file as it is stored.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an image, or only part of one.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    try:
        with Image.open(path) as image:
            image.load()  # decodes, so that a truncated file shows here and not later in a worker
            return image
    except UnidentifiedImageError:
        raise ValueError(f"{path} is not an image that Pillow can read ({path.stat().st_size} bytes)") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be decoded ({error}): it is truncated or damaged, get it again") from error


def orientation(image: Image.Image) -> int:
    """EXIF orientation; 1 is upright, 5 to 8 exchange width and height."""
    return int(image.getexif().get(ORIENTATION, 1))


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says; itself if it says nothing, which saves a copy."""
    return image if orientation(image) == 1 else ImageOps.exif_transpose(image)


def to_rgb(image: Image.Image, turn: bool = True) -> np.ndarray:
    """H x W x 3 uint8, upright unless ``turn`` is off. 16-bit gray values are divided by 257, alpha is dropped."""
    image = upright(image) if turn else image
    if image.mode.startswith("I"):  # convert("RGB") would cut values off at 255
        gray = (np.asarray(image).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def as_image(pixels: np.ndarray) -> tv_tensors.Image:
    """H x W x 3 uint8 -> tv_tensors.Image, 3 x H x W uint8."""
    return tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))


def as_mask(labels: np.ndarray) -> tv_tensors.Mask:
    """H x W integers -> tv_tensors.Mask, H x W int64."""
    return tv_tensors.Mask(torch.from_numpy(labels.astype(np.int64)))


def read_image(path: Path | str) -> tv_tensors.Image:
    """A picture as 3 x H x W uint8, upright and RGB."""
    return as_image(to_rgb(open_file(path)))


def to_indices(image: Image.Image, path: Path | str) -> np.ndarray:
    """The numbers in a label image, H x W, uint8 or int32.

    Raises:
        ValueError: If it holds colors instead of numbers, or was saved as JPEG, which blends neighboring numbers.
    """
    if image.format == "JPEG" or Path(path).suffix.lower() in (".jpg", ".jpeg"):
        raise ValueError(f"{path} is a label map saved as JPEG, which blends neighboring numbers: save it as PNG")
    if image.mode not in ("P", "L", "1") and not image.mode.startswith("I"):
        raise ValueError(
            f"{path} holds colors (mode {image.mode}), not class numbers: save palette indices or class numbers as "
            "a PNG of one channel, or read it with ImageFolder and a mapping from colors to classes"
        )
    numbers = np.array(upright(image))
    return numbers if numbers.dtype == np.uint8 else numbers.astype(np.uint8 if image.mode == "1" else np.int32)


def read_indices(path: Path | str) -> np.ndarray:
    """The numbers in a label file, H x W, uint8 or int32 (16-bit PNG)."""
    return to_indices(open_file(path), path)


def read_pair(image_path: Path | str, mask_path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """A picture, H x W x 3 uint8, and its label map, H x W.

    Raises:
        FileNotFoundError: If one is missing.
        ValueError: If one cannot be read, or their sizes differ.
    """
    picture = open_file(image_path)
    pixels, labels = to_rgb(picture), read_indices(mask_path)
    check_same_size(image_path, pixels.shape[:2], mask_path, labels.shape[:2], orientation(picture))
    return pixels, labels


def check_same_size(
    image_path: Path | str, image_size: tuple[int, ...], mask_path: Path | str, mask_size: tuple[int, ...], turned: int
) -> None:
    """Raise ValueError if a mask has another size than its picture; ``turned`` is the picture's EXIF orientation."""
    if tuple(image_size) == tuple(mask_size):
        return
    reason = "they must have one size, pixel for pixel"
    if turned >= 5 and tuple(image_size) == tuple(mask_size)[::-1]:
        reason = (
            f"the picture has EXIF orientation {turned}, and the mask was drawn on the unturned pixels: turn the mask, "
            "or save the picture without this tag"
        )
    raise ValueError(
        f"{mask_path} is {mask_size[0]} x {mask_size[1]} pixels (height x width), but its picture {image_path} is "
        f"{image_size[0]} x {image_size[1]}: {reason}"
    )


def unknown_values(labels: np.ndarray, known: Iterable[int]) -> np.ndarray:
    """The values in a label map that are not among the known ones, rising."""
    # Counting is ten times as fast as sorting, for the 8 bits that most label files have.
    values = np.flatnonzero(np.bincount(labels.ravel())) if labels.dtype == np.uint8 else np.unique(labels)
    return values[~np.isin(values, list(known))]


def check_values(labels: np.ndarray, label_set: LabelSet, path: Path | str) -> None:
    """Raise ValueError if a label map holds a value that is neither a class number nor void."""
    highest = int(labels.max(initial=0))
    if highest < len(label_set) and int(labels.min(initial=0)) >= 0:
        return
    wrong = unknown_values(labels, [*range(len(label_set)), label_set.ignore_index])
    if wrong.size:
        row, column = np.argwhere(labels == wrong[0])[0]
        raise ValueError(
            f"{path} holds {describe(wrong)} (the first at row {row}, column {column}), but {label_set.title} has the "
            f"numbers 0...{len(label_set) - 1} and {label_set.ignore_index} for void"
        )


def describe(values: np.ndarray) -> str:
    """The first few values in words, ``the values 21, 22, 23 and 4 more``."""
    shown = ", ".join(str(int(value)) for value in values[:5])
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"the value{'s' if len(values) > 1 else ''} {shown}{more}"


def read_list(path: Path | str) -> list[str]:
    """The names in an image set file, one a line; what follows the first word of a line is another file's business.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, or a name stands in it twice.
    """
    path = Path(path)
    if not path.is_file():
        near = sorted(item.stem for item in path.parent.glob("*.txt")) if path.parent.is_dir() else []
        there = f"; in {path.parent} there are {', '.join(near)}" if near else ""
        raise FileNotFoundError(f"the list of images {path} is missing{there}")
    names = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not names:
        raise ValueError(f"{path} lists no image")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{path} lists {len(twice)} image(s) more than once: {', '.join(twice[:5])}")
    return names


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raise ValueError if an option is not one of those that exist."""
    if value not in tuple(allowed):
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, but it is {value!r}")
