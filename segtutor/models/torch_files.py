"""Files of ``torch.save``: written whole and read back once, and read without running code from them.

PyTorch's reader with ``weights_only`` makes tensors, numbers and containers, and besides only what stands in a list.
The list here is what well-known training programs keep beside the weights: numbers of NumPy, arguments, paths.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segtutor.files import replacing

_scalar = np._core.multiarray.scalar  # type: ignore[attr-defined]
_reconstruct = np._core.multiarray._reconstruct  # type: ignore[attr-defined]

# Harmless: they hold numbers and texts, and making one of them runs nothing of the file. NumPy has moved its own, so
# that files from before 2.0 name them otherwise.
_SAFE: list[Any] = [
    argparse.Namespace,
    (_scalar, "numpy._core.multiarray.scalar"),
    (_scalar, "numpy.core.multiarray.scalar"),
    (_reconstruct, "numpy._core.multiarray._reconstruct"),
    (_reconstruct, "numpy.core.multiarray._reconstruct"),
    np.ndarray,
    np.dtype,
    *{type(np.dtype(kind)) for kind in np.typecodes["All"] if kind not in "OV"},
    pathlib.PurePosixPath,
    pathlib.PosixPath if os.name == "posix" else (pathlib.PurePosixPath, "pathlib.PosixPath"),
    (pathlib.PureWindowsPath, "pathlib.WindowsPath") if os.name == "posix" else pathlib.WindowsPath,
]


def read_torch(path: str | Path) -> Any:
    """What stands in a file of ``torch.save``, tensors on the CPU, without running code from it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something else than plain values, or is damaged; the message says which of the two.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with torch.serialization.safe_globals(_SAFE):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (PermissionError, MemoryError):
        raise
    except Exception as error:  # A damaged file makes the reader fail in any way, down to an IndexError.
        foreign = re.search(r"(?:GLOBAL|Unsupported global: GLOBAL) ([\w.]+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and foreign:
            raise ValueError(
                f"{path} is not a plain file of weights: it holds objects of {foreign.group(1)}, whose loading would "
                "run code; where it was made, export the state dict alone, torch.save(model.state_dict(), path)"
            ) from None
        raise ValueError(
            f"{path} cannot be read as a file of PyTorch{_reason(error)}: it is damaged, cut off, or another kind of "
            "file; fetch it again, or take an earlier one"
        ) from None


def _reason(error: Exception) -> str:
    """What PyTorch's reader found, in parentheses, without its advice to read the file in a way that runs code."""
    text = str(error).partition("WeightsUnpickler error:")[2] or str(error)
    found = text.strip().split("\n")[0].split(". ")[0]
    return f" ({found[:150]})" if " " in found else ""


def write_torch(content: Any, path: str | Path) -> None:
    """``torch.save`` to a file that is there whole, and can be read, or not at all.

    Raises:
        OSError: If the place does not take it.
        ValueError: If what was written could not be read again.
    """
    with replacing(path) as temporary:
        save_torch(content, temporary)


def save_torch(content: Any, path: Path) -> None:
    """``torch.save``, then the file is read once: nothing is kept that cannot be opened again."""
    try:
        with open(path, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
    except RuntimeError as error:  # PyTorch's writer says so of a full disk
        cause = error.__context__
        raise cause if isinstance(cause, OSError) else OSError(str(error).splitlines()[0]) from error
    with torch.serialization.safe_globals(_SAFE), zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            raise OSError(f"what was written to {path.parent} came back changed ({damaged}): is the disk failing?")
        try:
            # Mapped, not copied: this asks only whether the reader accepts what is there.
            torch.load(path, map_location="cpu", weights_only=True, mmap=os.name != "nt")
        except pickle.UnpicklingError as error:
            raise ValueError(f"this could be written, but not read again: {str(error).splitlines()[0]}") from error
