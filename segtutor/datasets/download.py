"""Real data sets on the learner's disk: what can be fetched, fetching it, and whether it is whole.

address --> archives/NAME (resumed, checked) --> a temporary folder --> its place below the data root, by one rename

Where the files lie, how large they are and what they must hold stands in ``data/downloads.json``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segtutor import resources
from segtutor.fetch import DownloadError, fetch, unpack

# Photographs hardly shrink in an archive, label images do: twice the archive is room enough for both together.
ROOM_PER_ARCHIVE_BYTE = 2.2


@dataclass(frozen=True)
class State:
    """What there is of a data set.

    Attributes:
        name: Its name for ``segtutor data get``.
        title: What it is.
        word: "complete", "incomplete" or "missing".
        details: What is missing or has another size, in sentences.
    """

    name: str
    title: str
    word: str
    details: tuple[str, ...] = ()


def data_root(root: str | Path | None = None) -> Path:
    """Folder of the real data sets: the one given, else ``SEGTUTOR_DATA``, else ``datasets`` here."""
    return Path(root or os.environ.get("SEGTUTOR_DATA") or "datasets").expanduser()


def catalog() -> dict[str, Any]:
    """Everything that can be fetched, by name."""
    return dict(json.loads(resources.data("downloads.json").read_text(encoding="utf-8")))


def download_bytes(name: str) -> int | None:
    """Size of a data set's archives; None where the source does not tell it beforehand."""
    sizes = [file["bytes"] for file in _entry(name)["files"]]
    return None if None in sizes else sum(sizes)


def get(
    name: str,
    root: str | Path | None = None,
    archives: Sequence[str | Path] = (),
    keep_archives: bool = False,
    progress: bool = True,
) -> Path:
    """Fetches a data set and unpacks it below the data root, unless it is there.

    An interruption loses nothing: the next call goes on with the archive where it stopped. A folder appears at its
    place only when all of it is unpacked.

    Args:
        name: One of ``catalog()``.
        root: Data root, see ``data_root``.
        archives: Archives that you have already, by the names the source gives them. Cityscapes, which wants a login,
            is only had this way.
        keep_archives: Keep the fetched archives after unpacking.
        progress: Show bars.

    Returns:
        The data root.

    Raises:
        ValueError: If there is no such data set, or an archive does not belong to it or is damaged.
        OSError: If it could not be fetched (``DownloadError``), or there is no room.
    """
    entry, place = _entry(name), data_root(root)
    if state(name, place).word == "complete":
        return place
    given = _given(name, entry, archives)
    store = place / "archives"
    _check_room(entry, place, given, store)
    for file in entry["files"]:
        if not _troubles(place, file):
            continue
        archive = given.get(file["name"])
        if archive is None:
            if file["url"] is None:
                raise ValueError(
                    f"{entry['title']} cannot be fetched without an account: get {file['name']} from {entry['page']} "
                    f"and call this again with the file (segtutor data get {name} --archive {file['name']})"
                )
            archive = fetch(
                file["url"], store / file["name"], file["sha256"], file["bytes"], file["mirrors"], progress=progress
            )
        _unpack(archive, file, place, progress)
        if file["name"] not in given and not keep_archives:
            archive.unlink()
    found = state(name, place)
    if found.word != "complete":
        raise ValueError(f"{entry['title']} is unpacked but not whole: {'; '.join(found.details)}")
    return place


def state(name: str, root: str | Path | None = None) -> State:
    """Whether a data set is there and whole, by its lists and the number of its files."""
    entry, place = _entry(name), data_root(root)
    troubles = [trouble for file in entry["files"] for trouble in _troubles(place, file)]
    if not troubles:
        return State(name, entry["title"], "complete")
    if not any((place / want["path"]).exists() for file in entry["files"] for want in file["holds"]):
        parts = [f"{p.name}: {p.stat().st_size:,} bytes so far" for p in _parts(entry, place)]
        return State(name, entry["title"], "missing", tuple(parts))
    return State(name, entry["title"], "incomplete", tuple(troubles))


def _entry(name: str) -> dict[str, Any]:
    known = catalog()
    if name not in known:
        raise ValueError(f"there is no data set {name!r} to get; there are {', '.join(known)}")
    return dict(known[name])


def _given(name: str, entry: dict[str, Any], archives: Sequence[str | Path]) -> dict[str, Path]:
    wanted = {file["name"] for file in entry["files"]}
    given = {}
    for archive in map(Path, archives):
        if archive.name not in wanted:
            raise ValueError(f"{archive} is no archive of {name}; it wants {', '.join(sorted(wanted))}")
        if not archive.is_file():
            raise ValueError(f"{archive} does not exist")
        given[archive.name] = archive
    return given


def _check_room(entry: dict[str, Any], place: Path, given: dict[str, Path], store: Path) -> None:
    """Room for what is still to come, before the first byte is fetched."""
    needed = 0.0
    for file in entry["files"]:
        size = file["bytes"] or 0
        there = given.get(file["name"]) or store / file["name"]
        arrived = size if there.is_file() else sum(p.stat().st_size for p in _parts({"files": [file]}, place))
        needed += ROOM_PER_ARCHIVE_BYTE * size - arrived
    nearest = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(nearest).free
    if needed > free:
        raise DownloadError(
            f"{entry['title']} needs about {needed / 1e9:.1f} GB on the disk of {place}, but {free / 1e9:.1f} GB are "
            "free; free some space, or set SEGTUTOR_DATA to a folder on another disk"
        )


def _parts(entry: dict[str, Any], place: Path) -> list[Path]:
    found = [place / "archives" / f"{file['name']}.part" for file in entry["files"]]
    return [part for part in found if part.is_file()]


def _unpack(archive: Path, file: dict[str, Any], place: Path, progress: bool) -> None:
    """Into a temporary folder of the same disk, then each part to its place by a rename."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".unpacking-") as temporary:
        unpacked = unpack(archive, Path(temporary) / "archive", progress=progress)
        for inner in file.get("nested", ()):
            if (unpacked / inner).is_file():
                _unpack_nested(unpacked / inner, Path(temporary) / "nested", progress)
        for source, target in file["moves"].items():
            if not (unpacked / source).exists():
                raise ValueError(f"{archive} does not hold {source}: is it the archive that its name says?")
            _move(unpacked / source, place / target)


def _unpack_nested(archive: Path, scratch: Path, progress: bool) -> None:
    """COCO packs its label PNGs once more: beside the archive, in a folder of the archive's name."""
    folder = archive.with_suffix("")
    unpack(archive, scratch, progress=progress)
    os.replace(scratch / folder.name if (scratch / folder.name).is_dir() else scratch, folder)
    shutil.rmtree(scratch, ignore_errors=True)
    archive.unlink()


def _move(source: Path, target: Path) -> None:
    """Puts a folder at its place; one that is there already takes the files that it lacks."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        return
    for child in sorted(source.iterdir()):
        if child.is_dir():
            _move(child, target / child.name)
        else:
            os.replace(child, target / child.name)


def _troubles(place: Path, file: dict[str, Any]) -> list[str]:
    """What the unpacked archive should have put below the data root and did not."""
    return [trouble for want in file["holds"] if (trouble := _trouble(place, want))]


def _trouble(place: Path, want: dict[str, Any]) -> str | None:
    path = place / want["path"]
    if not path.exists():
        return f"{want['path']} is missing"
    if "lines" in want:
        lines = len(path.read_text(encoding="utf-8").split())
        return None if lines == want["lines"] else f"{want['path']} lists {lines} names instead of {want['lines']}"
    if not path.is_dir():
        return None
    files = sum(len([name for name in names if not name.startswith(".")]) for _, _, names in os.walk(path))
    if "files" in want and files != want["files"]:
        return f"{want['path']} holds {files} files instead of {want['files']}"
    if "at_least" in want and files < want["at_least"]:
        return f"{want['path']} holds {files} files, fewer than {want['at_least']}"
    return None
