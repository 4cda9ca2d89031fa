"""Whether two results are the same, how they differ, and how a result is shown in a line or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

LONGEST_LINE = 100
MOST_ELEMENTS_SHOWN = 60
MOST_CHARACTERS_SHOWN = 200
MOST_ELEMENTS_READ = 1_000_000
"""A larger array is shown by its shape alone, so that no answer makes a check slow."""


@runtime_checkable
class Requirement(Protocol):
    """Stands for a wanted result where many are right: its text says what is asked for."""

    def missed_by(self, got: Any) -> str | None:
        """What a result lacks, in words; None if it is right."""


def plain(value: Any) -> Any:
    """A tensor as an array, whatever its layout and precision; everything else as it is."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        if hasattr(value, "to_dense") and str(value.layout) != "torch.strided":
            value = value.to_dense()
        if str(value.dtype) == "torch.bfloat16":  # NumPy has no such type
            value = value.float()
        return value.resolve_conj().resolve_neg().numpy()
    return value


def difference(got: Any, wanted: Any, tolerance: float) -> str | None:
    """How a result differs from the wanted one, in words; None if they are the same.

    Number types do not matter (a list of int equals an array of float), NaN equals NaN, floats may differ by the
    tolerance, and an array with one element counts as a number.

    >>> difference([1, 2], np.array([1.0, 2.0]), 1e-6) is None
    True
    >>> difference([1, 2], np.array([1.0, 3.0]), 1e-6)
    'differs at [1]: got 2, wanted 3'
    """
    got = plain(got)
    if got is None and wanted is None:  # two answers that both leave something out are alike
        return None
    if isinstance(wanted, Requirement):
        return wanted.missed_by(got)
    if isinstance(wanted, str):
        same_text = isinstance(got, str) and len(got) < 1000 and got.strip().lower() == wanted.strip().lower()
        return None if same_text else f"got {show(got)}"
    if isinstance(wanted, dict):
        return _dictionaries_differ(got, wanted, tolerance)
    if isinstance(wanted, tuple):
        return _tuples_differ(got, wanted, tolerance)
    return _numbers_differ(got, np.asarray(wanted), tolerance)


def _dictionaries_differ(got: Any, wanted: dict[Any, Any], tolerance: float) -> str | None:
    if not isinstance(got, dict):
        return f"a dictionary with {', '.join(map(str, wanted))} is wanted, {kind(got)} came"
    for key in wanted:
        if key not in got:
            return f"{key!r} is missing"
        found = difference(got[key], wanted[key], tolerance)
        if found:
            return f"{key}: {found}"
    return None


def _tuples_differ(got: Any, wanted: tuple[Any, ...], tolerance: float) -> str | None:
    if not isinstance(got, (tuple, list)) and not (isinstance(got, np.ndarray) and got.ndim):
        return f"{len(wanted)} results are wanted, {kind(got)} came"
    if len(got) != len(wanted):
        return f"{len(wanted)} results are wanted, {len(got)} came"
    for number, (one, right) in enumerate(zip(got, wanted, strict=True), start=1):
        found = difference(one, right, tolerance)
        if found:
            return f"result {number} {found}"
    return None


def _numbers_differ(got: Any, wanted: np.ndarray, tolerance: float) -> str | None:
    if isinstance(got, (list, tuple)):
        if _length_differs(got, wanted):
            return f"{_array_or_number(wanted)} is wanted, {kind(got)} came"
        got = [plain(one) for one in got]
    elif isinstance(got, (str, bytes, dict, set, frozenset)):
        return f"{_array_or_number(wanted)} is wanted, {kind(got)} came"
    try:
        values = np.asarray(got)
    except ValueError:
        return f"{_array_or_number(wanted)} is wanted, a list of unequal rows came"
    if values.size == 1 and wanted.ndim == 0:
        values = values.reshape(())
    if values.shape == (0,) and wanted.size == 0:
        values = values.reshape(wanted.shape)  # an empty list cannot say how many columns its rows would have
    if values.shape == wanted.shape and values.dtype.kind in "Oc":
        values = _as_real_numbers(values)
    if values.dtype.kind not in "biufOc":
        return f"{_array_or_number(wanted)} is wanted, {kind(got)} came"
    if values.shape != wanted.shape:
        return f"shape {values.shape} came, {_array_or_number(wanted)} is wanted"
    if values.dtype.kind in "Oc":
        strange = next((one for one in values.flat if not _is_real(one)), None)
        return f"numbers are wanted, {kind(strange)} came: {show(strange)}"
    if wanted.dtype.kind in "biu" and values.dtype.kind in "biu":
        equal = np.asarray(values.astype(object) == wanted.astype(object), dtype=bool)
    else:
        allowed = 0.0 if wanted.dtype.kind in "biu" else tolerance
        equal = np.isclose(values.astype(float), wanted.astype(float), rtol=allowed, atol=allowed, equal_nan=True)
    if equal.all():
        return None
    if wanted.ndim == 0:
        return f"got {show(values)}, wanted {show(wanted)}"
    place = tuple(int(index) for index in np.argwhere(~equal)[0])
    where = ", ".join(map(str, place))
    return f"differs at [{where}]: got {show(values[place])}, wanted {show(wanted[place])}"


def _length_differs(got: Sequence[Any], wanted: np.ndarray) -> bool:
    """Whether a list is of another length than wanted, seen before millions of numbers become an array."""
    if len(got) != (wanted.shape[0] if wanted.ndim else 1):
        return len(got) > MOST_ELEMENTS_SHOWN
    return wanted.ndim > 1 and any(isinstance(row, (list, tuple)) and _length_differs(row, wanted[0]) for row in got)


def _is_real(value: Any) -> bool:
    """Whether a Python object is a number without an imaginary part: int, Fraction, Decimal, NumPy's, 2+0j."""
    try:
        return complex(value).imag == 0 and not isinstance(value, str)
    except (TypeError, ValueError):
        return False


def _as_real_numbers(values: np.ndarray) -> np.ndarray:
    """Objects and complex numbers as the plain numbers that they are; as they came if one is none."""
    if values.dtype.kind == "c":
        return values.real if not values.imag.any() else values
    if not all(_is_real(one) for one in values.flat):
        return values
    whole = all(isinstance(one, (bool, int, np.bool_, np.integer)) and abs(int(one)) < 2**63 for one in values.flat)
    numbers = [int(one) if whole else float(complex(one).real) for one in values.flat]
    return np.array(numbers).reshape(values.shape)


def _array_or_number(wanted: np.ndarray) -> str:
    return "one number" if wanted.ndim == 0 else f"shape {wanted.shape}"


def kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "None"
    if callable(value):
        return "a function"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    if isinstance(value, (complex, np.complexfloating)):
        return "a complex number"
    if isinstance(value, (bool, int, float, np.number, np.ndarray)):
        return "one number"
    article = "an" if type(value).__name__[:1].lower() in "aeiou" else "a"
    return f"{article} {type(value).__name__}"


def show(value: Any) -> str:
    """A value in a line or a small block of text; a big array by its shape, type and range."""
    value = plain(value)
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size > MOST_ELEMENTS_SHOWN:
            if value.size > MOST_ELEMENTS_READ:
                return f"array of shape {value.shape}, {value.dtype}"
            spread = "" if value.dtype.kind not in "biuf" else f", values {show(value.min())} to {show(value.max())}"
            return f"array of shape {value.shape}, {value.dtype}{spread}"
        if value.size == 0:
            return f"array of shape {value.shape}"
        numbers = value.astype(int) if value.dtype.kind == "b" else value
        return np.array2string(numbers, precision=4, separator=", ", max_line_width=LONGEST_LINE)
    if isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        return f"{float(value):.6g}"
    if isinstance(value, np.ndarray | np.generic):
        return str(value.item())
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        if len(value) > MOST_ELEMENTS_SHOWN:
            return f"{type(value).__name__} of {len(value)}"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{show(key)}: {show(one)}" for key, one in value.items()) + "}"
        parts = [show(one) for one in value]
        inside = ", ".join(parts)
        longest = max(map(len, parts), default=0)
        if "\n" in inside or (len(inside) > LONGEST_LINE and longest > 30):  # one below the other, not cut in a word
            inside = ",\n ".join(part.replace("\n", "\n ") for part in parts)
        return (
            f"[{inside}]" if isinstance(value, list) else f"({inside})" if isinstance(value, tuple) else f"{{{inside}}}"
        )
    if isinstance(value, (str, bytes)):
        value = value[: MOST_CHARACTERS_SHOWN + 1]
    try:
        text = repr(value)
    except Exception:  # the answer's own class may break here
        text = kind(value)
    return text if len(text) <= MOST_CHARACTERS_SHOWN else text[: MOST_CHARACTERS_SHOWN - 3] + "..."
