"""Labels by clicks: a folder of your own pictures becomes a figure, and what comes back a data set to train on.

    folder of pictures --> Labelling --> clicks in the page --> text --> save --> images/, masks/, classes.json

The layout is the one that ``ImageFolder``, ``segtutor data check`` and ``segtutor train`` read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import nn

from segtutor.datasets.opening import ENDINGS, is_hidden
from segtutor.inference.clickable import decoder_arrays
from segtutor.inference.images import load_image
from segtutor.inference.prompts import Prompter, check_promptable
from segtutor.labels import Color, voc_colors
from segtutor.plotting.clicks import ClickFigure, ClickPicture
from segtutor.plotting.labelling import NONE, labelling_figure, read_labels

COLORS: tuple[Color, ...] = ((230, 159, 0), (0, 114, 178), (204, 121, 167), (240, 228, 66), (0, 158, 115), (213, 94, 0))
"""Of the first classes; color-blind readers tell them apart."""


class Labelling:
    """A tool to label pictures with, which a notebook shows.

    Args:
        model: A promptable network that takes pictures as they are, as sam_tiny.
        pictures: A folder of them.
        classes: Their names, in the order of their numbers.
        side: Larger pictures are made so many pixels long, and labelled at that size.
        labels: All labels of an earlier session, to go on from: the tool's text, or the path of its file.

    Attributes:
        names: Of the pictures.
        figure: The tool.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there is no picture, two have one name, or the earlier labels are of other classes.
    """

    def __init__(
        self,
        model: nn.Module,
        pictures: str | Path,
        classes: Sequence[str],
        side: int = 192,
        labels: str | Path | None = None,
    ) -> None:
        network = check_promptable(model)
        self.classes = tuple(classes)
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"every class needs a name of its own, but {self.classes} came")
        paths = picture_paths(Path(pictures))
        self.names = tuple(path.stem for path in paths)
        self._images = {path.stem: _small(path, side, network.stride) for path in paths}
        # The network is happy with fewer pixels than a person.
        larger = {path.stem: _twice(path, self._images[path.stem].shape) for path in paths}
        shown = []
        for name, image in self._images.items():
            embedding = Prompter(model, image).embedding[0].float().cpu().numpy()
            shown.append(ClickPicture(image, embedding, f"the picture {name}", drawn=larger[name]))
        self.figure: ClickFigure = labelling_figure(
            shown,
            self.names,
            dict(zip(self.classes, self._colors(), strict=True)),
            decoder_arrays(model),
            network.mask_decoder.transformer.ask_map.heads,
            None if labels is None else self._maps(labels),
        )

    def _repr_html_(self) -> str:
        return self.figure.html

    def __repr__(self) -> str:
        return f"Tool to label {len(self.names)} pictures with {', '.join(self.classes)} by clicks"

    def save(self, labels: str | Path, folder: str | Path) -> Path:
        """Write what was labelled as a data set.

        Args:
            labels: All labels: the tool's text, or the path of its file.
            folder: Gets ``images``, ``masks`` and ``classes.json``; masks of an earlier session are written over.
                Pixels without a label are void, 255, and pictures without any label are left out.

        Returns:
            The folder.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the text is not all of the tool's, or no picture has a label.
        """
        maps = {name: found for name, found in self._maps(labels).items() if (found != NONE).any()}
        if not maps:
            raise ValueError("no picture has a label yet: click, and keep a mask as one of the classes")
        folder = Path(folder)
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        palette = np.zeros((256, 3), dtype=np.uint8)
        palette[: len(self.classes)] = self._colors()
        palette[NONE] = voc_colors(NONE + 1)[NONE]  # by its own color, void is told from white
        for name, found in maps.items():
            Image.fromarray(self._images[name]).save(folder / "images" / f"{name}.png")
            mask = Image.fromarray(found, mode="P")
            mask.putpalette(palette.tobytes())
            mask.save(folder / "masks" / f"{name}.png")
        rows = [{"name": name, "index": number} for number, name in enumerate(self.classes)]
        (folder / "classes.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        return folder

    def _colors(self) -> list[Color]:
        further = voc_colors(len(self.classes) + 1)[1:]
        return [*COLORS, *further[len(COLORS) :]][: len(self.classes)]

    def _maps(self, labels: str | Path) -> dict[str, np.ndarray]:
        """Label maps of this tool's pictures."""
        text = str(labels)
        if not text.lstrip().startswith("{"):
            path = Path(text.strip()).expanduser()
            if not path.is_file():
                raise FileNotFoundError(
                    f"there is no file {str(path)!r}: give the text that “copy all labels” copies, or the path of the "
                    "file that “save all labels as a file” saved"
                )
            text = path.read_text(encoding="utf-8")
        classes, maps = read_labels(text)
        if tuple(classes) != self.classes:
            raise ValueError(f"the labels are of the classes {classes}, but this tool has {list(self.classes)}")
        for name, found in maps.items():
            wanted = self._images[name].shape[:2] if name in self._images else None
            if found.shape != wanted:
                raise ValueError(
                    f"the labels of {name!r} are {found.shape[0]} x {found.shape[1]}, but "
                    + ("there is no such picture here" if wanted is None else f"it is {wanted[0]} x {wanted[1]} here")
                    + ": give the folder and the side that it was labelled with"
                )
        return maps


def picture_paths(folder: Path) -> list[Path]:
    """The pictures of a folder, by name.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there is no picture, or two have one name.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not is_hidden(p))
    if not paths:
        raise ValueError(f"{os.fspath(folder)!r} holds no picture: put some JPEG or PNG files there")
    names = [path.stem for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two pictures are called {twice[0]!r}, but their masks would be one file: rename one of them")
    return paths


def _small(path: Path, side: int, stride: int) -> np.ndarray:
    """A picture, H x W x 3 uint8, at most about ``side`` pixels long; both sides multiples of the stride."""
    pixels = (load_image(path) * 255).round().byte().permute(1, 2, 0).numpy()
    scale = min(side / max(pixels.shape[:2]), 1)
    height, width = (max(round(scale * length / stride), 1) * stride for length in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _twice(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The picture at twice the height and width of its smaller one, for the eye."""
    pixels = (load_image(path) * 255).round().byte().permute(1, 2, 0).numpy()
    return np.asarray(Image.fromarray(pixels).resize((2 * shape[1], 2 * shape[0]), Image.Resampling.LANCZOS))
