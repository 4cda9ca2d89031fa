"""Where results go: beside each other under names of their own, and never over the result of another picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from segtutor.commands.pictures import RESULT_OF, Picture, owner_of
from segtutor.files import prove_writable, replacing


class Results:
    """Names of the files to write, found before the work.

    Args:
        given: --out or --labels-out: a file, for a single picture; or a folder, made if it is not there; None for the
            current folder.
        option: How the argument is called.
        single: Whether there is one picture only.
        only_png: Whether other formats would spoil the result.

    Raises:
        ValueError: If there are several pictures and one file, or the file's ending is unknown.
        OSError: If nothing can be written there.
    """

    def __init__(self, given: Path | None, option: str, single: bool, only_png: bool = False) -> None:
        self.file: Path | None = None
        self.folder = Path(".")
        if given is None:
            return
        if given.is_dir() or not given.suffix:
            self.folder = given
            given.mkdir(parents=True, exist_ok=True)
            prove_writable(given / "result.png")
            return
        if not single:
            raise ValueError(
                f"{option} {given} is one file, but there are several pictures: name a folder, as "
                f"{given.with_suffix('')}"
            )
        if only_png and given.suffix.lower() != ".png":
            raise ValueError(f"{option} must be a .png, not {given.name}: other formats alter the labels")
        Image.init()
        known = sorted(ending for ending, kind in Image.EXTENSION.items() if kind in Image.SAVE)
        if given.suffix.lower() not in known:
            raise ValueError(
                f"{option} {given}: nobody knows the ending {given.suffix!r}; take .png, .jpg, .webp or .tif"
            )
        prove_writable(given)
        self.file = given

    def place(self, picture: Picture, kind: str) -> Path:
        """The file for a result; a file that is there belongs to the same picture, or is named by the user.

        Args:
            picture: Whose result it is.
            kind: "overlay", "cutout" or "labels".
        """
        if self.file is not None:
            return self.file
        folder = self.folder / f"{picture.path.stem}_frames" if picture.number is not None else self.folder
        folder.mkdir(parents=True, exist_ok=True)
        path, number = folder / f"{picture.stem}_{kind}.png", 1
        while path.exists() and owner_of(path) != picture.key:
            number += 1
            path = folder / f"{picture.stem}_{number}_{kind}.png"
        return path


def save(image: Image.Image, path: Path, picture: Picture) -> None:
    """Writes a result, whole or not at all; a PNG says whose it is."""
    info = PngInfo()
    info.add_text(RESULT_OF, picture.key)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".png":
            image.save(temporary, pnginfo=info)
        else:
            image.save(temporary)
