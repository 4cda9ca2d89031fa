"""Reading pictures and label PNGs, with errors that name the file and say what to do.

A label PNG holds class numbers: one channel of 8 or 16 bits, or palette indices. Opened as a picture it would give
colors. Pictures are turned as their EXIF orientation says, and always RGB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

from segtutor.datasets.opening import RAW_MODE, FileError, MissingFile, open_file, orientation, upright
from segtutor.datasets.ranges import to_bytes
from segtutor.labels import LabelSet

LOSSY = ("JPEG", "MPO", "JPEG2000")
_LOSSY_ENDINGS = (".jpg", ".jpeg", ".jfif")
_LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")  # ways to compress the pixels of a TIFF
# Numbers of classes begin below, and those of known data sets (182 of COCO) end below.
_DARKEST_SHADE, _LIGHTEST_SHADE = 32, 200
# Pillow stretches gray of 2 and 4 bits to 0...255.
_STRETCHED = {"2": 85, "4": 17}


def to_rgb(image: Image.Image, turn: bool = True) -> np.ndarray:
    """H x W x 3 uint8, upright unless ``turn`` is off. Alpha is dropped; deeper pictures: `segtutor.datasets.ranges`.

    Raises:
        ValueError: If a picture of more than 8 bits has another range, or its colors cannot be converted.
    """
    name = getattr(image, "filename", "") or "the picture"
    image = upright(image) if turn else image
    if image.mode == "RGB":
        pixels = _planes(image)
    elif image.mode == "F" or image.mode.startswith("I"):  # convert("RGB") would cut values off at 255
        return np.repeat(to_bytes(np.asarray(image), name)[..., None], 3, axis=2)
    else:
        try:
            pixels = _planes(image.convert("RGB"))
        except ValueError as error:
            raise FileError(
                f"{name} has the mode {image.mode}, which has no colors ({error}): save it as RGB", name, "colors"
            ) from error
    # Of 16 bits a channel Pillow gives the upper eight; nothing in them means 12 bits or fewer in the file.
    if ";16" in image.info.get(RAW_MODE, "") and pixels.max(initial=0) < 16:
        raise FileError(
            f"{name} has 16 bits a channel, but all values lie below 4096 of 65535, as good as black: scale them, or "
            "save the picture with 8 bits",
            name,
            "range",
        )
    return pixels


def _planes(image: Image.Image) -> np.ndarray:
    """An RGB picture as H x W x 3 uint8 that lies in memory as 3 x H x W, the order of tensors."""
    # Pillow takes one channel out of its four bytes a pixel in a third of the time that turning the axes takes.
    planes = np.empty((3, image.height, image.width), np.uint8)
    for plane, channel in zip(planes, "RGB", strict=True):
        plane[:] = np.frombuffer(image.tobytes("raw", channel), np.uint8).reshape(plane.shape)
    return planes.transpose(1, 2, 0)


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
    """The numbers in a label image as the file holds them, H x W, uint8 or int32.

    Raises:
        ValueError: If it holds colors or floats instead of numbers, has transparent pixels, or was saved as JPEG, which
            blends neighboring numbers.
    """
    if image.format in LOSSY or Path(path).suffix.lower() in _LOSSY_ENDINGS:
        raise FileError(
            f"{path} is a label map saved as JPEG, which blends neighboring numbers: save it as PNG", path, "JPEG mask"
        )
    if image.format == "TIFF" and image.info.get("compression") in _LOSSY_TIFF:
        raise FileError(
            f"{path} is a TIFF whose pixels are compressed as {image.info['compression']!r}, which blends neighboring "
            "numbers: save it as PNG",
            path,
            "JPEG mask",
        )
    raw = str(image.info.get(RAW_MODE, image.mode))
    if image.mode == "F":
        values = np.asarray(image)
        raise FileError(
            f"{path} holds floats from {values.min():.6g} to {values.max():.6g}, not class numbers: save class numbers "
            "as integers, in a PNG of 8 or 16 bits",
            path,
        )
    if image.mode == "LA" and ";16" not in raw:
        image = opaque(image, path).getchannel("L")
    if (image.mode not in ("P", "L", "1") and not image.mode.startswith("I")) or raw.startswith("LA;16"):
        raise FileError(
            f"{path} holds colors (mode {image.mode}), not class numbers: save palette indices or class numbers as "
            "a PNG of one channel, or read it with ImageFolder and a mapping from colors to classes",
            path,
            "colors",
        )
    if re.fullmatch(r"L;\d?IR?", raw):
        raise FileError(f"{path} is a TIFF in which 0 is white, so its numbers are inverted: save it as PNG", path)
    numbers = np.array(upright(image))
    stretched = re.fullmatch(r"L;([24])R?", raw)
    if stretched:
        numbers //= _STRETCHED[stretched[1]]
    return numbers if numbers.dtype == np.uint8 else numbers.astype(np.uint8 if image.mode == "1" else np.int32)


def opaque(image: Image.Image, path: Path | str) -> Image.Image:
    """A mask with an alpha channel, if no pixel of it is transparent.

    Raises:
        ValueError: If one is: what the file holds below it is left to chance.
    """
    lowest, _ = image.getchannel("A").getextrema()
    if int(lowest) < 255:  # type: ignore[arg-type]
        raise FileError(
            f"{path} has transparent pixels (mode {image.mode}, alpha down to {lowest}), and which class they are "
            "nobody says: save the mask without transparency, those pixels in the color or number of their class",
            path,
            "alpha",
        )
    return image


def read_indices(path: Path | str) -> np.ndarray:
    """The numbers in a label file, H x W, uint8 or int32 (16-bit PNG)."""
    return to_indices(open_file(path), path)


def read_pair(
    image_path: Path | str,
    mask_path: Path | str,
    read_labels: Callable[[Path], np.ndarray] = read_indices,
    read_picture: Callable[[Path], tuple[np.ndarray, int]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A picture, H x W x 3 uint8, and its label map, H x W; both are tried, so that one error does not hide another.

    Args:
        image_path: The picture.
        mask_path: The label file.
        read_labels: What makes a label map of its path.
        read_picture: What makes pixels and an EXIF orientation of a path, `read_upright` if None.

    Raises:
        FileNotFoundError: If one is missing.
        ValueError: If one cannot be read, or their sizes differ.
    """
    found: list[Any] = []
    errors: list[Exception] = []
    for read, path in ((read_picture or read_upright, image_path), (read_labels, mask_path)):
        try:
            found.append(read(Path(path)))
        except (OSError, ValueError) as error:
            errors.append(error)
    if errors:
        if isinstance(errors[0], FileError | MissingFile):
            errors[0].also = tuple(errors[1:])
        raise errors[0]
    (pixels, turned), labels = found
    check_same_size(image_path, pixels.shape[:2], mask_path, labels.shape[:2], turned)
    return pixels, labels


def read_upright(path: Path) -> tuple[np.ndarray, int]:
    """A picture, H x W x 3 uint8, and the EXIF orientation that it was turned by."""
    picture = open_file(path)
    return to_rgb(picture), orientation(picture)


def check_same_size(
    image_path: Path | str, image_size: tuple[int, ...], mask_path: Path | str, mask_size: tuple[int, ...], turned: int
) -> None:
    """Raise ValueError if a mask has another size than its picture; ``turned`` is the picture's EXIF orientation."""
    if tuple(image_size) == tuple(mask_size):
        return
    reason = "they must have one size, pixel for pixel"
    exchanged = tuple(image_size) == tuple(mask_size)[::-1]
    if exchanged and turned >= 5:
        reason = (
            f"the picture has EXIF orientation {turned}, and the mask was drawn on the unturned pixels: turn the mask, "
            "or save the picture without this tag"
        )
    elif exchanged:
        reason = "height and width are exchanged: one of the two was turned and the other not; turn the mask"
    raise FileError(
        f"{mask_path} is {mask_size[0]} x {mask_size[1]} pixels (height x width), but its picture {image_path} is "
        f"{image_size[0]} x {image_size[1]}: {reason}",
        mask_path,
        "size",
    )


def unknown_values(labels: np.ndarray, known: Iterable[int]) -> np.ndarray:
    """The values in a label map that are not among the known ones, rising."""
    return _others(values_in(labels), known)


def _others(values: np.ndarray, known: Iterable[int]) -> np.ndarray:
    allowed = frozenset(known)
    return np.array([value for value in values.tolist() if value not in allowed], values.dtype)


def check_values(labels: np.ndarray, label_set: LabelSet, path: Path | str, white_is_void: bool = False) -> None:
    """Raise ValueError if a label map holds a value that is neither a class number nor void.

    A file of nothing but 0 and 255 is refused too, unless ``white_is_void``: most such files are black-and-white masks
    in which 255 is the object.
    """
    highest = int(labels.max(initial=0))
    if highest < len(label_set) and int(labels.min(initial=0)) >= 0:
        return
    values = values_in(labels)
    wrong = _others(values, (*range(len(label_set)), label_set.ignore_index))
    if wrong.size:
        row, column = np.argwhere(labels == wrong[0])[0]
        raise FileError(
            f"{path} holds {describe(wrong)} (the first at row {row}, column {column}), but {label_set.title} has the "
            f"numbers 0...{len(label_set) - 1} and {label_set.ignore_index} for void",
            path,
        )
    if not white_is_void and label_set.ignore_index == 255:
        refuse_black_and_white(values, path)


def refuse_black_and_white(values: np.ndarray, path: Path | str) -> None:
    """Raise ValueError if the values of a mask are 255 and perhaps 0, and no other."""
    if values.size and values[-1] == 255 and (values.size == 1 or (values.size == 2 and values[0] == 0)):
        only = "255" if values.size == 1 else "0 and 255"
        raise FileError(
            f"{path} holds only {only}. In a black-and-white mask 255 is the object, but among class numbers it is "
            "void, which counts nowhere. Say which it is in a classes.csv for ImageFolder: the lines name,index / "
            "background,0 / object,255 or, if it is void, name,index / background,0 / void,255",
            path,
            "0 and 255",
        )


def refuse_shades(values: Sequence[int], title: str) -> None:
    """Raise ValueError if the values of gray masks beside 255 are shades of gray rather than numbers of classes.

    Numbers of classes begin at 0 or 1. A trimap has 0, 128 and 255; smoothed edges have values close to 255.
    """
    numbers = [value for value in values if 0 < value < 256]
    if not numbers or (numbers[0] < _DARKEST_SHADE and numbers[-1] < _LIGHTEST_SHADE):
        return
    shown = describe(np.array([*values, 255])).removeprefix("the values ")
    raise FileError(
        f"the masks of {title} hold {shown}: these look like shades of gray, in which 255 is the object, and not like "
        "numbers of classes, among which it would be void. Say what they mean in a classes.csv: for a trimap the lines "
        "name,index / background,0 / void,128 / object,255; for edges that were smoothed, save the masks without "
        "smoothing",
        title,
        "0 and 255",
    )


def values_in(labels: np.ndarray) -> np.ndarray:
    """The values in a label map, rising."""
    flat = labels.ravel()
    # Labels come in long runs: the last pixel of each run has every value, and there are few of them to look at.
    ends = np.append(flat[:-1][flat[1:] != flat[:-1]], flat[-1:])
    # Counting is ten times as fast as sorting, for the 8 bits that most label files have.
    return np.flatnonzero(np.bincount(ends)) if ends.dtype == np.uint8 else np.unique(ends)


def describe(values: np.ndarray) -> str:
    """The first few values in words, ``the values 21, 22, 23 and 4 more``."""
    shown = ", ".join(str(int(value)) for value in values[:5])
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"the value{'s' if len(values) > 1 else ''} {shown}{more}"


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raise ValueError if an option is not one of those that exist."""
    if value not in tuple(allowed):
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, but it is {value!r}")
