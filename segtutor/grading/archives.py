"""Archives as platforms and learners pack them, unpacked without harm: no file outside its folder, none without end."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path, PurePosixPath

MOST_UNPACKED = 2 * 2**30
"""Bytes that come out of one archive, those in it together."""
MOST_FILES = 20_000


def unpack(archive: Path, target: Path, allowed: list[int]) -> str:
    """The files of an archive, none of them outside the target, and no more than a class hands in.

    Args:
        archive: The file.
        target: An empty folder for what it holds.
        allowed: How many bytes may still come out, counted down here.

    Returns:
        What went wrong; empty if nothing did.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES:
                return f"the archive holds {len(entries):,} files, more than {MOST_FILES:,}"
            for entry in entries:
                told = PurePosixPath(entry.filename.replace("\\", "/"))
                parts = [part for part in told.parts if part not in ("/", "..")]
                allowed[0] -= entry.file_size
                if allowed[0] < 0:
                    return f"unpacked it has more than {MOST_UNPACKED >> 30} GB"
                if not parts or ":" in parts[0]:
                    continue
                place = target.joinpath(*parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, place.open("wb") as file:
                    while part := source.read(1 << 20):
                        file.write(part)
                written = time.mktime((*entry.date_time, 0, 0, -1))
                os.utime(place, (written, written))
    except Exception as error:  # each way to pack has errors of its own, and none may stop a class
        return f"not an archive that can be unpacked: {str(error)[:100]}"
    return ""
