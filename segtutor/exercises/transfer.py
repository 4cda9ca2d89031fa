"""Values as JSON, so that grading reads what an answer gave without unpickling anything a submission made."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.comparison import plain
from segtutor.exercises.running import Outcome

MOST_ELEMENTS = 1_000_000


def encode(value: Any) -> Any:
    """A value as something that JSON can hold; what has no place there becomes its type's name.

    >>> decode(encode((1, np.array([0.5, np.nan]))))
    (1, array([0.5, nan]))
    """
    value = plain(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf" and value.size <= MOST_ELEMENTS:
        return {"array": value.tolist(), "dtype": str(value.dtype), "shape": list(value.shape)}
    if isinstance(value, tuple | list):
        return {type(value).__name__ if type(value) in (tuple, list) else "list": [encode(one) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(one)] for key, one in value.items()]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"plain": value}
    return {"other": type(value).__name__}


def decode(content: Any) -> Any:
    """The value that `encode` was given.

    Raises:
        ValueError: If it is not something that `encode` makes.
    """
    match content:
        case {"array": values, "dtype": dtype, "shape": shape}:
            return np.array(values, dtype=dtype).reshape(shape)
        case {"tuple": values}:
            return tuple(decode(one) for one in values)
        case {"list": values}:
            return [decode(one) for one in values]
        case {"dict": pairs}:
            return {decode(key): decode(one) for key, one in pairs}
        case {"plain": value}:
            return value
        case {"other": name}:
            return f"<{name}>"
    raise ValueError(f"not an encoded value: {str(content)[:80]}")


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """An outcome as something that JSON can hold."""
    return {
        "kind": outcome.kind,
        "value": encode(outcome.value),
        "error": outcome.error,
        "message": outcome.message,
        "line": outcome.line,
        "position": outcome.position,
    }


def decode_outcome(content: Any) -> Outcome:
    """The outcome that `encode_outcome` was given.

    Raises:
        ValueError: If it is not one.
    """
    if not isinstance(content, dict) or content.get("kind") not in ("returned", "raised", "empty", "slow", "changed"):
        raise ValueError("not an encoded outcome")
    return Outcome(
        content["kind"],
        decode(content["value"]),
        str(content["error"]),
        str(content["message"]),
        str(content["line"]),
        int(content["position"]),
    )
