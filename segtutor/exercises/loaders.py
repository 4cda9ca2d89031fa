"""Ten loaders with one common mistake each, and the right one: a small plain loader as people write it by hand.

It reads pictures and label PNGs of one folder (here kept in memory), augments them for training, and normalizes. None
of the ten mistakes raises an error by itself: each shows only in training numbers, or in a test written for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from segtutor.labels import SCENES, LabelSet, voc_colormap

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
VOID = 255

# Scenes in eight classes: enough for a network of a few layers to learn in a minute.
EIGHT = LabelSet(
    title="Scenes in eight classes",
    names=("background", "sky", "water", "ground", "building", "plants", "vehicle", "living"),
    # As in Scenes where a class is one of its classes, so that a sky is a sky.
    colors=(
        (0, 0, 0),
        (150, 205, 245),
        (45, 120, 200),
        (242, 218, 150),
        (226, 150, 100),
        (25, 105, 60),
        (213, 94, 0),
        (204, 121, 167),
    ),
    things=frozenset({6, 7}),
)
_MERGED = {
    "sky": ("sky",),
    "water": ("water",),
    "ground": ("road", "pavement", "grass", "sand"),
    "building": ("building",),
    "plants": ("tree", "mountain"),
    "vehicle": ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    "living": ("bird", "cat", "cow", "dog", "horse", "person", "sheep"),
}


@dataclass(frozen=True)
class File:
    """A picture and its label map as they lie on the disk: ``name``, H x W x 3 uint8, H x W uint8 with 255 for void."""

    name: str
    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Fault:
    """One mistake: the line as it was written, and as it should be."""

    name: str
    wrong: str
    right: str


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("bilinear mask", "mask.resize(size, Image.BILINEAR)", "mask.resize(size, Image.NEAREST)"),
        Fault(
            "unsynchronized flip",
            "if coin(): image = image[:, ::-1]\nif coin(): mask = mask[:, ::-1]",
            "if coin(): image, mask = image[:, ::-1], mask[:, ::-1]",
        ),
        Fault("void as background", "mask[mask == 255] = 0", "loss(..., ignore_index=255)"),
        Fault("BGR", "image = cv2.imread(path)", "image = cv2.imread(path)[..., ::-1]"),
        Fault("off-by-one class", "mask = mask - 1  # uint8: 0 becomes 255", "mask"),
        Fault("palette as gray", 'mask = Image.open(path).convert("L")', "mask = Image.open(path)  # mode P: indices"),
        Fault("train transforms on val", "val = Loader(files, train=True)", "val = Loader(files, train=False)"),
        Fault("crop drop", "image, mask = center_crop(image), center_crop(mask)  # in val", "image, mask"),
        Fault(
            "shuffled pairs",
            "images = sorted(images, key=number)\nmasks = sorted(masks)  # 1, 10, 11, 2, ...",
            "pairs = [(name + '.jpg', name + '.png') for name in names]",
        ),
        Fault("normalization twice", "image = normalize(normalize(image))", "image = normalize(image)"),
    )
}


class Loader:
    """``loader[i]`` is a normalized image, 3 x H x W float32, and a label map, H x W int64.

    For training, a picture is scaled, cropped (or padded, with void) and flipped at random, and the next time it is
    taken it comes out otherwise. For validation it comes as it lies on the disk.

    Args:
        files: Pictures with their label maps.
        train: Whether to augment.
        fault: One of ``FAULTS``, or None for the right loader.
        crop: Height and width of training crops; None takes the size of the picture.
        scale: Smallest and largest factor of the random scaling.
        seed: Of the augmentation.

    Raises:
        ValueError: If there is no such fault.
    """

    labels: LabelSet = EIGHT

    def __init__(
        self,
        files: Sequence[File],
        train: bool = False,
        fault: str | None = None,
        crop: tuple[int, int] | None = None,
        scale: tuple[float, float] = (0.75, 1.5),
        seed: int = 0,
    ) -> None:
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"there is no fault {fault!r}; there are {', '.join(FAULTS)}")
        self.files, self.train, self.crop, self.scale = list(files), train, crop, scale
        self._fault, self._random = fault, np.random.default_rng(seed)
        self._masks = self.files
        if fault == "shuffled pairs":
            self._masks = sorted(self.files, key=lambda file: file.name)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pixels, labels = self._read(index)
        if self.train or self._fault == "train transforms on val":
            pixels, labels = self._augmented(pixels, labels)
        elif self._fault == "crop drop":
            pixels, labels = _center(pixels), _center(labels)
        if self._fault == "void as background":
            labels = np.where(labels == VOID, 0, labels)
        image = normalized(pixels)
        if self._fault == "normalization twice":
            image = (image - MEAN[:, None, None]) / STD[:, None, None]
        return image, labels.astype(np.int64)

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pixels, labels = self.files[index].pixels, self._masks[index].labels
        if self._fault == "BGR":
            pixels = pixels[..., ::-1]
        if self._fault == "palette as gray":
            labels = np.asarray(as_palette_image(labels).convert("L"))
        if self._fault == "off-by-one class":
            labels = np.where(labels == VOID, VOID, labels - np.uint8(1))
        return pixels, labels

    def _augmented(self, pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = pixels.shape[:2]
        factor = self._random.uniform(*self.scale)
        size = round(width * factor), round(height * factor)
        blend = Image.Resampling.BILINEAR
        pick = blend if self._fault == "bilinear mask" else Image.Resampling.NEAREST
        pixels = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, blend))
        labels = np.asarray(Image.fromarray(labels).resize(size, pick))
        pixels, labels = self._cropped(pixels, labels, self.crop or (height, width))
        flip_image, flip_labels = self._random.random(2) < 0.5
        if self._fault != "unsynchronized flip":
            flip_labels = flip_image
        return pixels[:, ::-1] if flip_image else pixels, labels[:, ::-1] if flip_labels else labels

    def _cropped(self, pixels: np.ndarray, labels: np.ndarray, crop: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        below, right = (max(0, wanted - side) for wanted, side in zip(crop, labels.shape, strict=True))
        if below or right:
            padded = np.empty((labels.shape[0] + below, labels.shape[1] + right, 3), dtype=np.uint8)
            padded[:] = np.round(255 * MEAN)
            padded[: labels.shape[0], : labels.shape[1]] = pixels
            pixels, labels = padded, np.pad(labels, ((0, below), (0, right)), constant_values=VOID)
        top, left = (
            int(self._random.integers(side - wanted + 1)) for side, wanted in zip(labels.shape, crop, strict=True)
        )
        window = slice(top, top + crop[0]), slice(left, left + crop[1])
        return pixels[window], labels[window]


def normalized(pixels: np.ndarray) -> np.ndarray:
    """H x W x 3 uint8 -> 3 x H x W float32, ImageNet's mean subtracted, divided by its standard deviation."""
    image: np.ndarray = (pixels.astype(np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def denormalized(image: np.ndarray) -> np.ndarray:
    """The inverse: 3 x H x W float32 -> H x W x 3 uint8; what lies outside 0...255 is cut off."""
    pixels = 255 * (image.transpose(1, 2, 0) * STD + MEAN)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def as_palette_image(labels: np.ndarray) -> Image.Image:
    """A label map as a palette PNG holds it: mode P, indices, VOC's colors."""
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(voc_colormap().tobytes())
    return image


def scene_files(split: str, count: int, size: tuple[int, int] = (64, 80), seed: int = 0) -> list[File]:
    """Drawn scenes as files with the eight classes; they are numbered scene_1, scene_2, ..."""
    from segtutor.datasets import Scenes

    table = np.zeros(256, dtype=np.uint8)
    for number, name in enumerate(EIGHT.names):
        table[SCENES.select(_MERGED.get(name, ()))] = number
    table[SCENES.ignore_index] = VOID
    files = []
    for index, (image, labels) in enumerate(Scenes(split, size=size, count=count, seed=seed, scale_range=6.0), start=1):
        files.append(File(f"scene_{index}", image.numpy().transpose(1, 2, 0), table[labels.numpy()]))
    return files


def _center(array: np.ndarray) -> np.ndarray:
    """The middle three quarters of the height and of the width."""
    height, width = array.shape[:2]
    return array[height // 8 : height - height // 8, width // 8 : width - width // 8]
