"""A COCO file as JSON, and its three lists of records."""

from __future__ import annotations

import contextlib
import gc
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from segtutor.metrics.arrays import shorten

SECTIONS = ("images", "annotations", "categories")


def read_json(path: Path | str | os.PathLike[str]) -> Any:
    """Parse a JSON file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is not JSON, for one because a download broke off.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        with uncollected():
            return json.loads(content)
    except FileNotFoundError:
        raise FileNotFoundError(f"the annotation file {path} is missing") from None
    except RecursionError as error:
        raise ValueError(f"{path} is not valid JSON for COCO: its lists lie in one another too deeply") from error
    except UnicodeDecodeError as error:
        advice = "unpack it first" if error.object[:2] in (b"\x1f\x8b", b"PK") else "save it again as UTF-8"
        raise ValueError(
            f"{path} is not valid JSON: it is no text in UTF-8 (byte {error.start} is {error.object[error.start]:#x}); "
            f"{advice}"
        ) from error
    except ValueError as error:  # of the syntax, of the encoding, of a number with too many digits
        beginning = path.read_bytes()[:40]
        advice = "it may be a broken download"
        if beginning.startswith(b"version https://git-lfs"):
            advice = "it is a pointer of Git LFS, get the file itself with git lfs pull"
        elif not beginning.strip():
            advice = "it is empty"
        raise ValueError(f"{path} is not valid JSON ({error}): {advice}") from error


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile: many new records take it long, and there is none.

    Afterwards they count as old objects, or the next small thing that is made would have all of them looked through.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # what somebody else has frozen stays so
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def records_in(content: Mapping[str, Any], key: str) -> list[Any]:
    """One of the three lists; some published data sets have an object there, with the ids as its keys.

    Raises:
        ValueError: If it is missing, or something else.
    """
    if key not in content:
        others = shorten(", ".join(map(str, content)), quote=False) or "nothing"
        raise ValueError(
            f"has no {key!r}, only {others}: the list {key} is missing; is it an annotation file of COCO? That is an "
            f"object with the lists {', '.join(SECTIONS)}"
        )
    records = content[key]
    if isinstance(records, Mapping) and all(isinstance(record, Mapping) for record in records.values()):
        return list(records.values())
    if not isinstance(records, (list, tuple)):
        raise ValueError(f"has under {key!r} no list of records, but {shorten(records)} ({type(records).__name__})")
    return list(records)
