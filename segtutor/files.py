"""Writing a file so that an interruption leaves the old one, or none, and never half of a new one.

And so that no work is lost: the place is tried before the work, and where it fails after it, another one is found.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to: renamed to it at the end of the block, removed after an error.

    The temporary name keeps the ending, from which some writers take the format.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "answer.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("42")
    ...     target.exists()
    False
    >>> target.read_text()
    '42'
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def prove_writable(path: str | Path, trial: Callable[[Path], None] | None = None) -> None:
    """Writes beside ``path`` and takes it away again, so that a place that cannot be written shows before the work.

    Args:
        path: The file that will be written; one that is there stays as it is.
        trial: Writes what will be written, to the path that it is given, which shows a full disk, too. None: one byte.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If ``path`` is a folder or a device.
        OSError: If nothing, or not so much, can be written there.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name the file to write in it, as {path / 'NAME'}")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is a device, not a file: name a file to write")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write {path.name} in: make it, or name another place")
    temporary = path.with_name(f".{os.getpid()}.trial.{path.name}")
    try:
        if trial is None:
            temporary.write_bytes(b"?")
        else:
            trial(temporary)
    except OSError as error:
        raise type(error)(
            f"{path} cannot be written ({error.strerror or error}): make room or get the right to write there, or name "
            "another place; nothing has been begun"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_or_rescue(path: str | Path, write: Callable[[Path], Any]) -> Path:
    """Writes a file; where its place has vanished or is full after the work, it is written to another one.

    Tried are the current folder, the one for temporary files, and the home of the user. Standard error says where the
    file is.

    Args:
        path: Where it shall be.
        write: Writes it to the path that it is given, which has the same ending.

    Returns:
        Where it is.

    Raises:
        OSError: The first one, if none of the places takes it.
    """
    path = Path(path)
    try:
        with replacing(path) as temporary:
            write(temporary)
        return path
    except OSError as error:
        for folder in (Path.cwd(), Path(tempfile.gettempdir()), Path.home()):
            other = _unused(folder / f"rescued_{path.name}")
            try:
                with replacing(other) as temporary:
                    write(temporary)
            except OSError:
                continue
            print(
                f"{path} could not be written ({error.strerror or error}); it was saved as {other} instead",
                file=sys.stderr,
                flush=True,
            )
            return other
        raise


def _unused(path: Path) -> Path:
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return candidate
