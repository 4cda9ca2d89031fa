"""Values as JSON, so that grading reads what an answer gave without unpickling anything a submission made.

What comes back was written by a stranger's program. Only a few types are read, sizes are limited before anything is
built from them, and whatever else stands there is a ValueError that belongs to this one submission.
"""

from __future__ import annotations

import base64
import contextlib
import decimal
import json
import math
import numbers
from typing import Any

import numpy as np

from segtutor.exercises.comparison import plain
from segtutor.exercises.running import Outcome

MOST_ELEMENTS = 1_000_000
"""Of all arrays of one answer together."""
MOST_TEXT = 10_000
MOST_PARTS = 200_000
MOST_BYTES = 32 * 2**20
"""Of the line in which the outcomes of one exercise come back."""
DTYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
}  # fmt: skip
KINDS = ("returned", "raised", "empty", "slow", "changed", "died")


def encode(value: Any) -> Any:
    """A value as something that JSON can hold; what has no place there, or is too large, becomes its type's name.

    >>> decode(encode((1, np.array([0.5, np.nan]))))
    (1, array([0.5, nan]))
    """
    try:
        return _encode(value, 0, _Budget())
    except ValueError as error:
        return {"other": f"{type(value).__name__[:100]}: {error}"}


def _encode(value: Any, depth: int, budget: _Budget) -> Any:
    if depth > 20:
        return {"other": "something nested too deeply"}
    budget.take()
    value = plain(value)
    if isinstance(value, (np.ndarray, np.generic)):
        other = value.dtype.kind == "O" or (value.dtype.kind == "f" and value.dtype.name not in DTYPES)
        if other and value.size <= MOST_ELEMENTS:  # fractions, and floats of other widths
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                value = np.asarray(value).astype(np.float64)
        if value.dtype.name in DTYPES and value.size <= MOST_ELEMENTS:
            ordered = np.asarray(value).astype(value.dtype.newbyteorder("<"))
            text = base64.b64encode(ordered.tobytes()).decode("ascii")
            return {"array": text, "dtype": value.dtype.name, "shape": list(value.shape)}
        return {"other": f"{type(value).__name__} of {value.size} {value.dtype}"}
    if isinstance(value, tuple | list):
        if len(value) > MOST_PARTS:
            return {"other": f"{type(value).__name__} of {len(value)}"}
        return {"tuple" if isinstance(value, tuple) else "list": [_encode(one, depth + 1, budget) for one in value]}
    if isinstance(value, dict):
        if len(value) > MOST_PARTS:
            return {"other": f"dict of {len(value)}"}
        return {
            "dict": [[_encode(key, depth + 1, budget), _encode(one, depth + 1, budget)] for key, one in value.items()]
        }
    if value is None or isinstance(value, bool | float):
        return {"plain": value}
    if isinstance(value, int):
        return {"plain": int(value)} if value.bit_length() <= 1024 else {"other": "int of many digits"}
    if isinstance(value, numbers.Real | decimal.Decimal):  # a fraction is as right as a float
        with contextlib.suppress(OverflowError, ValueError):
            return {"plain": float(value)}
    if isinstance(value, str):
        return {"plain": str(value)} if len(value) <= MOST_TEXT else {"other": f"str of {len(value)} characters"}
    return {"other": type(value).__name__[:100]}


class _Budget:
    """What may still be built of one answer."""

    def __init__(self) -> None:
        self.elements, self.parts = MOST_ELEMENTS, MOST_PARTS

    def take(self, elements: int = 0, parts: int = 1) -> None:
        self.elements -= elements
        self.parts -= parts
        if self.elements < 0 or self.parts < 0:
            raise ValueError(f"more than {MOST_ELEMENTS:,} numbers or {MOST_PARTS:,} parts came back")


def decode(content: Any) -> Any:
    """The value that `encode` was given.

    Raises:
        ValueError: If it is not something that `encode` makes, or too large.
    """
    try:
        return _decode(content, _Budget())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decode(content: Any, budget: _Budget) -> Any:
    budget.take()
    match content:
        case {"array": values, "dtype": str(dtype), "shape": list(shape)}:
            return _array(values, dtype, shape, budget)
        case {"tuple": list(values)}:
            return tuple(_decode(one, budget) for one in values)
        case {"list": list(values)}:
            return [_decode(one, budget) for one in values]
        case {"dict": list(pairs)}:
            found = {}
            for pair in pairs:
                if not isinstance(pair, list) or len(pair) != 2:
                    raise ValueError("a dictionary is a list of pairs")
                key = _decode(pair[0], budget)
                try:
                    found[key] = _decode(pair[1], budget)
                except TypeError:
                    raise ValueError(f"a {type(key).__name__} is no key of a dictionary") from None
            return found
        case {"plain": None | bool() | float() | int() as value}:
            return value
        case {"plain": str(text)} if len(text) <= MOST_TEXT:
            return text
        case {"other": str(name)}:
            return f"<{name[:200]}>"
    raise ValueError(f"not an encoded value: {type(content).__name__}")


def _array(text: Any, dtype: str, shape: list[Any], budget: _Budget) -> np.ndarray:
    if dtype not in DTYPES:
        raise ValueError(f"an array of {dtype[:40]!r} came back; allowed are {', '.join(sorted(DTYPES))}")
    if len(shape) > 16 or not all(type(side) is int and 0 <= side <= MOST_ELEMENTS for side in shape):
        raise ValueError("an array's shape is a list of at most 16 whole numbers")
    size = math.prod(shape)
    budget.take(math.prod(max(1, side) for side in shape))
    kind = np.dtype(dtype).newbyteorder("<")
    if not isinstance(text, str) or len(text) != 4 * -(-size * kind.itemsize // 3):
        raise ValueError(f"an array of shape {shape} has {size} numbers of {dtype}, and something else came")
    try:
        flat = np.frombuffer(base64.b64decode(text, validate=True), kind, size)
    except ValueError as error:
        raise ValueError(f"these are no numbers of {dtype}: {error}") from None
    if dtype == "bool":  # a byte above 1 is no truth value
        flat = flat.view(np.uint8) != 0
    return flat.astype(dtype).reshape(shape)


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """An outcome as something that JSON can hold."""
    return {
        "kind": outcome.kind,
        "value": encode(outcome.value),
        "error": outcome.error[:100],
        "message": outcome.message[:500],
        "line": outcome.line[:300],
        "position": outcome.position,
    }


def decode_outcome(content: Any) -> Outcome:
    """The outcome that `encode_outcome` was given.

    Raises:
        ValueError: If it is not one.
    """
    if not isinstance(content, dict) or content.get("kind") not in KINDS:
        raise ValueError("not an encoded outcome")
    texts = [content.get(name) for name in ("error", "message", "line")]
    position = content.get("position")
    if not all(isinstance(text, str) for text in texts) or type(position) is not int:
        raise ValueError("not an encoded outcome")
    error, message, line = (str(text)[:500] for text in texts)
    return Outcome(content["kind"], decode(content.get("value")), error, message, line, position)


def read_line(line: bytes) -> Any:
    """What a line of JSON holds.

    Raises:
        ValueError: If it is none, too long, or nested too deeply.
    """
    if len(line) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES >> 20} MB came back")
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not a line of text") from None
