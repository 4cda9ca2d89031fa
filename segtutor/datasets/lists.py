"""Lists of images as VOC, SBD, SegNet and annotation tools write them: names, or paths, one image a line."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from segtutor.datasets.opening import ENDINGS, FileError, MissingFile, is_hidden
from segtutor.texts import read_text

# The folders of a VOCdevkit: what follows one of them in a path is the image's name.
_FOLDERS = re.compile(r".*(?:JPEGImages|SegmentationClass\w*|SegmentationObject)/")
_DRIVE = re.compile("[A-Za-z]:")
# Where none of these signs is in a list, every line is a name and nothing else.
_MORE_THAN_NAMES = re.compile(r"[^\S\n]|[\\/.]")


def text_files(folder: Path) -> list[Path]:
    """The lists in a folder, by name."""
    return sorted(path for path in folder.glob("*.txt") if not is_hidden(path)) if folder.is_dir() else []


def read_list(path: Path | str, pictures: Path | None = None) -> list[str]:
    """The names in an image set file: without path and ending, in the order of the file.

    A line is a name, which may hold spaces; or a path, as tools write them; or one of these and, after a space, its
    mask or a flag, as SBD's and VOC's own lists have them.

    Args:
        path: The list.
        pictures: The folder of the pictures, which decides what a line with spaces or slashes means; without it, the
            last part of a path is the name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, no text, or a name stands in it twice.
    """
    names = names_in(path, pictures)
    if not names:
        raise FileError(f"{path} lists no image", path, "empty")
    if len(set(names)) != len(names):
        twice = twice_in(names)
        raise FileError(f"{path} lists {len(twice)} image(s) more than once: {', '.join(twice[:5])}", path, "twice")
    return names


def names_in(path: Path | str, pictures: Path | None = None) -> list[str]:
    """`read_list`, of a file that may be empty or have names twice."""
    try:
        text = read_text(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        folder = Path(path).parent
        near = ", ".join(item.stem for item in text_files(folder))
        there = f"; in {folder} there are {near}" if near else ""
        raise MissingFile(f"the list of images {path} is missing{there}", path) from None
    if not _MORE_THAN_NAMES.search(text):
        return unicodedata.normalize("NFC", text).split()
    known, names = _Stems(pictures), []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            name = unicodedata.normalize("NFC", _name(line.strip(), known))
            if name in ("", ".", ".."):
                raise FileError(
                    f"{path}, line {number}: the name of an image should stand here, not {line!r}", path, "list"
                )
            names.append(name)
    return names


def naming(error: MissingFile, path: Path, name: str) -> MissingFile:
    """The error about a file that a list names, with the list and the name in it."""
    return MissingFile(f"{error}; the list {path} names {name!r}", error.path, error.kind)


class _Stems:
    """The names of a folder's files without ending, read when first asked for."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._of: dict[str, set[str]] = {}

    def __contains__(self, name: str) -> bool:
        if self.folder is None:
            return False
        place, stem = os.path.split(name)
        if place not in self._of:
            folder = self.folder / place
            files = os.listdir(folder) if ".." not in place and folder.is_dir() else []
            self._of[place] = {_plain(file) for file in files}
        return unicodedata.normalize("NFC", stem) in self._of[place]


def _plain(name: str) -> str:
    """A file name, composed, without the ending of an image."""
    stem, ending = os.path.splitext(unicodedata.normalize("NFC", name))
    return stem if ending.lower() in ENDINGS else stem + ending


def _name(line: str, known: _Stems) -> str:
    """The name in a line: the whole of it, or its first part, by which of them there is a picture."""
    if not _MORE_THAN_NAMES.search(line):
        return line
    wholes = [line, *(line[: match.start()] for match in reversed(list(re.finditer(r"\s+", line))))]
    candidates = [name for whole in wholes for name in _without_path(whole)]
    first, *rest = line.split()
    is_first = all(re.fullmatch(r"[+-]?\d|\S*[\\/]\S*", word) for word in rest)
    return next((name for name in candidates if name in known), _without_path(first if is_first else line)[-1])


def _without_path(text: str) -> list[str]:
    """What a path may name: what follows a folder of VOC, the path below the folder of pictures, the last part."""
    slashed = text.replace("\\", "/").strip()
    place, _, last = slashed.rpartition("/")
    below = _FOLDERS.match(slashed)
    if below:
        place = slashed[below.end() :].rpartition("/")[0]
    relative = str(PurePosixPath(place, _plain(last)))
    names = [relative] if not PurePosixPath(relative).is_absolute() and ":" not in place else []
    return [*names, _plain(last)] if not below or not place else names


def twice_in(names: Iterable[str]) -> list[str]:
    """Names that stand more than once, sorted."""
    seen: set[str] = set()
    found: set[str] = set()
    for name in names:
        (found if name in seen else seen).add(name)
    return sorted(found)


def read_pairs(root: Path, path: Path) -> list[tuple[Path, Path]]:
    """Pictures and masks of a list of SegNet's form, a pair on a line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, no text, or a line is no pair.
    """
    if not path.is_file():
        raise MissingFile(f"the list of frames {path} is missing", path)
    text, pairs = read_text(path), []
    has_slashes_alone = "\\" not in text and ":" not in text
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2:  # a tab between names with spaces
            words = [half.strip() for half in line.strip().split("\t") if half.strip()]
        if len(words) != 2:
            raise FileError(
                f"{path}, line {number}: a picture and its mask should stand here, but it is {line!r}", path, "list"
            )
        picture, mask = words
        is_relative = has_slashes_alone and picture[0] != "/" and mask[0] != "/"
        pairs.append((root / picture, root / mask) if is_relative else (_below(root, picture), _below(root, mask)))
    if not pairs:
        raise FileError(f"{path} lists no frame", path, "empty")
    return pairs


def _below(root: Path, word: str) -> Path:
    """A path of a list below its folder; of an absolute one, which is another machine's, the last two parts."""
    slashed = word.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed):
        slashed = "/".join([part for part in slashed.split("/") if part][-2:])
    return root / slashed
