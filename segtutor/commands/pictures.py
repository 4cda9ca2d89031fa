"""The pictures that somebody names: files, wildcards, folders, the frames of a video; each with a name of its own.

words --> files, checked before any work --> pictures, read one at a time
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

VIDEOS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"})
HEIF_ENDINGS = frozenset({".heic", ".heif"})  # telephones' photographs, which the package pillow-heif reads
ANIMATIONS = frozenset({".gif", ".webp", ".png"})  # files that may hold several pictures, one after the other
RESULT_OF = "segtutor result of"  # the text in a PNG that says whose result it is


@dataclass(frozen=True)
class Picture:
    """A picture to be segmented.

    Attributes:
        path: Its file.
        image: What ``load_image`` takes: the file, or a frame H x W x 3 uint8.
        number: Of the frame, from 1; None for the whole of a file.
    """

    path: Path
    image: Path | np.ndarray
    number: int | None = None

    def __str__(self) -> str:
        return str(self.path) if self.number is None else f"{self.path}, frame {self.number}"

    @property
    def stem(self) -> str:
        """What its results' names begin with."""
        return self.path.stem if self.number is None else f"{self.path.stem}_{self.number:05d}"

    @property
    def key(self) -> str:
        """The same for the same picture, and for no other."""
        return hashlib.sha256(f"{self.path.resolve()}\n{self.number}".encode()).hexdigest()[:16]


def find_files(words: Sequence[str]) -> list[Path]:
    """The files that are meant, in order, each once.

    Args:
        words: Files, folders (whose pictures are meant, not those of folders in it), or names with * and ?, which not
            every shell replaces by files.

    Raises:
        ValueError: If one is an address, or holds no picture.
        FileNotFoundError: If one does not exist.
    """
    files: dict[Path, Path] = {}
    for word in words:
        for path in _files_of(word):
            files.setdefault(path.resolve(), path)
    return list(files.values())


def _files_of(word: str) -> list[Path]:
    if "://" in word:
        raise ValueError(
            f"{word} is an address, and segment reads files only: save the picture first, then name its file"
        )
    path = Path(word)
    if path.is_dir():
        found = [one for one in sorted(path.iterdir()) if one.is_file() and _is_picture(one) and not _is_result(one)]
        if not found:
            raise ValueError(f"{path} holds no picture that could be segmented; its own folders are not looked into")
        return found
    if path.exists() or not any(letter in word for letter in "*?["):
        from segtutor.datasets.opening import locate

        there = locate(path)
        if there is None:
            raise FileNotFoundError(f"there is no file {path}")
        return [there]
    matching = [Path(one) for one in sorted(glob.glob(word, recursive=True))]
    found = [one for one in matching if one.is_file() and _is_picture(one) and not _is_result(one)]
    if not found:
        raise FileNotFoundError(f"no picture has a name like {word}")
    return found


def _is_picture(path: Path) -> bool:
    from segtutor.datasets.opening import ENDINGS, is_hidden

    return not is_hidden(path) and path.suffix.lower() in ENDINGS | HEIF_ENDINGS | VIDEOS


def _is_result(path: Path) -> bool:
    return path.suffix.lower() == ".png" and owner_of(path) is not None


def owner_of(path: Path) -> str | None:
    """The key of the picture whose result a PNG is; None if it is nobody's."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.info.get(RESULT_OF)
    except (OSError, UnidentifiedImageError):
        return None


def read_pictures(path: Path, every: int = 1) -> Iterator[Picture]:
    """The picture of a file; of a video or an animation its frames, one after the other.

    Args:
        path: The file.
        every: Of frames, take the first of each so many.

    Raises:
        ValueError: If it cannot be read; the message says what is missing.
    """
    ending = path.suffix.lower()
    if ending in VIDEOS:
        frames = _video_frames(path)
    elif ending in ANIMATIONS and _is_animated(path):
        frames = _animation_frames(path)
    else:
        if ending in HEIF_ENDINGS:
            _learn_heif(path)
        yield Picture(path, path)
        return
    for number, frame in enumerate(frames, start=1):
        if (number - 1) % every == 0:
            yield Picture(path, frame, number)


def _learn_heif(path: Path) -> None:
    """Lets Pillow read HEIC, if the package for it is there."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise ValueError(
            f"{path} is a HEIC photograph, which Pillow cannot read by itself: pip install pillow-heif, then try "
            "again; or save it as JPEG (a telephone's settings call it 'most compatible')"
        ) from None
    register_heif_opener()


def has_frames(path: Path) -> bool:
    """Whether a file is a video or an animation."""
    return path.suffix.lower() in VIDEOS or (path.suffix.lower() in ANIMATIONS and _is_animated(path))


def _is_animated(path: Path) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (OSError, UnidentifiedImageError):
        return False  # whoever reads it as a picture says what is wrong


def _animation_frames(path: Path) -> Iterator[np.ndarray]:
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            yield np.asarray(frame.convert("RGB"))


def _video_frames(path: Path) -> Iterator[np.ndarray]:
    """Frames H x W x 3, through PyAV or OpenCV, whichever is there."""
    reader = video_reader()
    if reader is None:
        raise ValueError(
            f"{path} is a video, and there is nothing here that reads videos: pip install av (or "
            "opencv-python-headless), then try again; or save its frames as pictures"
        )
    return _frames_of_av(reader, path) if reader.__name__ == "av" else _frames_of_opencv(reader, path)


def video_reader() -> Any:
    """The module that reads videos, None if there is none."""
    import importlib

    for name in ("av", "cv2"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _frames_of_av(av: Any, path: Path) -> Iterator[np.ndarray]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no moving picture")
            for frame in container.decode(video=0):
                pixels = frame.to_ndarray(format="rgb24")
                # Telephones store frames as the sensor lies, and the angle beside them.
                yield np.rot90(pixels, round(getattr(frame, "rotation", 0) / 90))
    except av.error.FFmpegError as error:
        raise ValueError(f"{path} cannot be read as a video ({error.strerror})") from error


def _frames_of_opencv(cv2: Any, path: Path) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise ValueError(f"{path} cannot be read as a video")
        while True:
            there, frame = video.read()
            if not there:
                return
            yield frame[..., ::-1].copy()  # OpenCV's channels are blue, green, red
    finally:
        video.release()
