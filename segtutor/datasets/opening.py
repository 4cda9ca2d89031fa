"""Opening image files: found under the names that people write, one picture in each, upright, with errors that name it.

Files are found in either Unicode form of their name, with either slash, and with an ending in either case.
"""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError

ENDINGS = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
# Pictures that are not read: they are told, so that none is left out in silence.
OTHER_ENDINGS = frozenset({".heic", ".heif", ".avif", ".jp2", ".dng", ".cr2", ".nef", ".raw", ".psd", ".svg"})
_SAME_ENDING = {".jpeg": ".jpg", ".jfif": ".jpg", ".tiff": ".tif"}
# Formats of which a file may hold several pictures. A camera's MPO is one picture with a preview beside it.
_WITH_PAGES = ("TIFF", "GIF", "PNG", "WEBP")
_SUBFILE_TYPE = 254  # TIFF's tag; its bits 1 and 4 mark a smaller copy and a transparency mask of another page
ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
RAW_MODE = "raw mode"  # the key in Image.info under which `open_file` keeps how the pixels are stored


class FileError(ValueError):
    """Something is wrong with a file.

    Attributes:
        path: The file.
        kind: One or two words, the same for the same trouble; `check_folder` sorts by them.
        also: What else is wrong with the item that was read, in a file that is not to be blamed for this.
    """

    def __init__(self, message: str, path: Path | str = "", kind: str = "value") -> None:
        super().__init__(message)
        self.path, self.kind = Path(path), kind
        self.also: tuple[Exception, ...] = ()


class MissingFile(FileNotFoundError):
    """There is no such file; the attributes are those of `FileError`."""

    def __init__(self, message: str, path: Path | str = "", kind: str = "missing") -> None:
        super().__init__(message)
        self.path, self.kind = Path(path), kind
        self.also: tuple[Exception, ...] = ()


def same_name(name: str) -> str:
    """One form of a file's name: composed letters, and one ending for .JPG, .jpeg and .jpg."""
    stem, ending = os.path.splitext(unicodedata.normalize("NFC", name))
    lower = ending.lower()
    return stem + _SAME_ENDING.get(lower, lower if lower in ENDINGS else ending)


def is_hidden(path: Path | os.DirEntry[str]) -> bool:
    """Whether a file browser or an editor has left it here: .DS_Store, ._a.png, .ipynb_checkpoints, __MACOSX."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def locate(path: Path) -> Path | None:
    """The file that a name means, or None: the file itself, or the only one whose name has the same `same_name`."""
    if path.is_file():
        return path
    base, names = Path(str(path).replace("\\", "/")), []
    while not base.is_dir() and base != base.parent:
        names.append(base.name)
        base = base.parent
    for name in reversed(names):
        found = _names_in(str(base), os.stat(base).st_mtime_ns).get(same_name(name), ()) if base.is_dir() else ()
        if len(found) != 1:
            return None
        base = base / found[0]
    return base if base.is_file() else None


def picture_of(folder: Path, name: str) -> Path:
    """The picture of a name: ``name.jpg``, or where that is missing the only file of this name with another ending."""
    usual = folder / f"{name}.jpg"
    if locate(usual) is not None:
        return usual
    found = {locate(folder / f"{name}{ending}") for ending in ENDINGS} - {None}
    return next(iter(found)) or usual if len(found) == 1 else usual


@lru_cache(maxsize=16)
def _names_in(folder: str, changed: int) -> dict[str, list[str]]:
    """`same_name`: the names in a folder that have it; ``changed`` makes a changed folder be read again."""
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        found.setdefault(same_name(name), []).append(name)
    return found


def open_file(path: Path | str) -> Image.Image:
    """Open and decode an image file as it is stored; ``info[RAW_MODE]`` says how.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it may not be read.
        ValueError: If it is not an image, only part of one, more than one, or one beyond Pillow's limit.
    """
    path = Path(path)
    found = locate(path)
    if found is None:
        shown = repr(str(path)) if str(path) != str(path).strip() else path  # a space at the end cannot be seen
        nowhere = ": it is a link to a file that is not there" if path.is_symlink() else ""
        raise MissingFile(f"{shown} is missing{nowhere}", path)
    try:
        with Image.open(found) as image:
            pages = _pages(image) if image.format in _WITH_PAGES else 1
            image.info[RAW_MODE] = _raw_mode(image)
            if pages == 1:
                name = image.filename
                if image.format == "TIFF":
                    # Pillow maps an uncompressed file with a name into memory, and then takes the height of one that is
                    # to be turned for its width: without a name it reads it.
                    image.filename = ""
                image.load()  # decodes, so that a truncated file shows here and not later in a worker
                image.filename = name
    except UnidentifiedImageError:
        raise FileError(
            f"{path} is not an image that Pillow can read ({found.stat().st_size} bytes{_what_it_is(found)})",
            path,
            "unreadable",
        ) from None
    except (Image.DecompressionBombError, MemoryError) as error:
        raise FileError(
            f"{path} is too large a picture ({str(error) or 'not enough memory'}): cut it into tiles, or, if you trust "
            "the file, set PIL.Image.MAX_IMAGE_PIXELS = None before it is read",
            path,
            "too large",
        ) from error
    except Exception as error:  # Pillow's readers raise a dozen types for a damaged file
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, with the file's name in it
            raise
        raise FileError(
            f"{path} cannot be decoded ({error}): it is truncated or damaged, get it again", path, "unreadable"
        ) from error
    if pages > 1:
        raise FileError(
            f"{path} holds {pages} pages or frames, and which of them is meant nobody says: save each as a file",
            path,
            "pages",
        )
    return image


def _what_it_is(path: Path) -> str:
    """What a file that is no image often is, by its beginning."""
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "; a pointer of Git LFS, get the file itself with git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "; a web page, so the download failed"
    return "; a photograph in HEIC, save it as JPEG" if b"ftyphei" in start or b"ftypmif1" in start else ""


def _raw_mode(image: Image.Image) -> str:
    """How a file that is not decoded yet stores its pixels, in Pillow's words: "L;4" is gray of 4 bits."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else None
    parts = arguments if isinstance(arguments, tuple) else (arguments,)
    return next((part for part in parts if isinstance(part, str)), image.mode)


def _pages(image: Image.Image) -> int:
    """How many pictures a file holds, smaller copies and masks of a TIFF's pages not counted."""
    count = int(getattr(image, "n_frames", 1))
    if count == 1 or image.format != "TIFF":
        return count
    own = 0
    for page in range(count):
        image.seek(page)
        own += not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & 5  # type: ignore[attr-defined]
    image.seek(0)
    return max(own, 1)


def orientation(image: Image.Image) -> int:
    """EXIF orientation; 1 is upright, as is what has none or none that exists; 5 to 8 exchange width and height."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF says nothing, and Pillow raises many types for it
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says; itself if it says nothing, which saves a copy."""
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)
