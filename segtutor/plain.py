"""Values that every reader of a file understands: numbers, texts, truth values, None, lists and dicts of them."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import enum
import os
from collections.abc import Mapping
from typing import Any


def plain(value: Any, name: str = "the value") -> Any:
    """A value without the types of NumPy, PyTorch and the rest, so that a file that holds it can be read anywhere.

    A file in which one NumPy number stands can be written, but not opened again by a reader that runs no code. Numbers,
    arrays and tensors become Python's, paths and dates texts, sets sorted lists, dataclasses dicts.

    Args:
        value: What came.
        name: What an error calls it.

    Raises:
        ValueError: If it is something else: a function, a network, a file.

    >>> import numpy as np
    >>> plain({"rate": np.float32(0.5), "sizes": (np.int64(2), 3)})
    {'rate': 0.5, 'sizes': (2, 3)}
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value, name)
    if isinstance(value, os.PathLike):
        return plain(os.fspath(value), name)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if hasattr(value, "tolist") and hasattr(value, "shape"):  # an array or a tensor, or one number of theirs
        return plain(value.tolist(), name)
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, argparse.Namespace):
        value = vars(value)
    if isinstance(value, Mapping):
        return {plain(key, f"a key of {name}"): plain(item, f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, tuple | list):
        items = [plain(item, f"{name}[{number}]") for number, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, set | frozenset):
        return sorted(plain(item, f"an element of {name}") for item in value)
    raise ValueError(
        f"{name} is {_short(value)}, of type {type(value).__name__}, which cannot be kept in a file: give numbers, "
        "texts, lists or dicts of them"
    )


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
