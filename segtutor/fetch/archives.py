"""Archives unpacked: all of it or nothing.

archive --> temporary folder (plain files and folders only) --> FOLDER
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from segtutor.bars import tqdm
from segtutor.fetch.download import CHUNK, check_room


def unpack(archive: str | Path, to: str | Path, progress: bool = True) -> Path:
    """Unpacks a tar or zip archive into a new folder: all of it or nothing.

    Only plain files and folders inside the target are written; the archive's owners and permissions are left out.

    Args:
        archive: .tar (also compressed with gzip, bzip2, xz) or .zip.
        to: The folder to be.
        progress: Show a bar.

    Returns:
        The path of the folder.

    Raises:
        ValueError: If the archive is damaged, or holds paths that lead out of the folder, links or devices.
        FileExistsError: If the folder is there and not empty.
        DownloadError: If there is no room on the disk.
    """
    archive, to = Path(archive), Path(to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise FileExistsError(f"{to} is there already; remove it, or choose another folder")
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=to.parent, prefix=f".{to.name}-"))
    try:
        _unpack_into(archive, temporary, progress)
        temporary.chmod(0o755)
        if to.exists():
            to.rmdir()
        os.replace(temporary, to)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise ValueError(f"{archive} is damaged or not an archive ({error}); fetch it again") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return to


def _unpack_into(archive: Path, folder: Path, progress: bool) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _write_members(archive, folder, _zip_members(opened, archive), progress)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            _write_members(archive, folder, _tar_members(opened_tar, archive), progress)
    else:
        raise ValueError(f"{archive} is neither a tar nor a zip archive, or it is damaged; fetch it again")


Member = tuple[str, int, bool, Any]  # name, bytes, is a folder, what opens it


def _zip_members(opened: zipfile.ZipFile, archive: Path) -> Iterator[Member]:
    for member in opened.infolist():
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ValueError(f"{archive} holds a link or device ({member.filename}); it is not unpacked")
        yield member.filename, member.file_size, member.is_dir(), lambda member=member: opened.open(member)


def _tar_members(opened: tarfile.TarFile, archive: Path) -> Iterator[Member]:
    for member in opened:
        if not (member.isfile() or member.isdir()):
            raise ValueError(f"{archive} holds a link or device ({member.name}); it is not unpacked")
        yield member.name, member.size, member.isdir(), lambda member=member: opened.extractfile(member)


def _write_members(archive: Path, folder: Path, members: Iterator[Member], progress: bool) -> None:
    with tqdm(desc=f"unpacking {archive.name}", unit="B", unit_scale=True, disable=not progress) as bar:
        for name, size, is_folder, open_member in members:
            target = folder / _inside(name, archive)
            if is_folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            check_room(target if target.parent.is_dir() else folder / target.name, size)
            target.parent.mkdir(parents=True, exist_ok=True)
            source: IO[bytes]
            with open_member() as source, _create(target, name, archive) as file:
                shutil.copyfileobj(source, file, CHUNK)
            bar.update(size)


def _create(target: Path, name: str, archive: Path) -> IO[bytes]:
    try:
        return open(target, "xb")
    except FileExistsError:
        raise ValueError(f"{archive} holds {name} twice; it is not unpacked") from None


def _inside(name: str, archive: Path) -> PurePosixPath:
    """The member's path, refused if it leads out of the folder on any system."""
    path = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if not name or path.is_absolute() or windows.drive or windows.root or ".." in (*path.parts, *windows.parts):
        raise ValueError(f"{archive} holds a path that leads out of its folder ({name!r}); it is not unpacked")
    return path
