"""What the metrics accept: NumPy arrays, anything that converts to one, and torch tensors on any device."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

# What a picture of Pillow may be to be read as numbers: one channel of indices, gray values or bits.
_PICTURES_OF_NUMBERS = ("1", "L", "P", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor, without importing torch: where torch was never imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_picture(value: Any) -> bool:
    """Whether ``value`` is a picture of Pillow, without importing Pillow."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def to_numpy(value: Any) -> np.ndarray:
    """``value`` as an array; a CPU tensor shares its memory, one on another device is copied.

    bfloat16 and the floats of 8 bits, which NumPy does not have, become float32, which holds all of their values.

    Raises:
        ValueError: If it is a picture of colors, or no array at all.
    """
    if is_tensor(value):
        return _from_tensor(value)
    if is_picture(value) and value.mode not in _PICTURES_OF_NUMBERS:
        raise ValueError(
            f"a picture of Pillow must have one channel of numbers (mode {', '.join(_PICTURES_OF_NUMBERS[:5])}), but "
            f"this one has the mode {value.mode!r}; open the label file itself, and do not convert it to colors"
        )
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(
            f"a masked array hides {np.ma.count_masked(value)} of its {value.size} values, which would count all the "
            "same: put the number of void in their place, array.filled(255)"
        )
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"this is no array of numbers: {shorten(value)} ({error})") from error
    # A list of tensors that NumPy cannot take one by one: they want a gradient, or lie on another device.
    parts = [to_numpy(part) for part in value]
    if len({part.shape for part in parts}) > 1:
        raise ValueError(f"the parts of a list must have one shape, but they have {shorten([p.shape for p in parts])}")
    return np.stack(parts)


def _from_tensor(tensor: Any) -> np.ndarray:
    if tensor.is_meta:
        raise ValueError(f"a tensor of the shape {tuple(tensor.shape)} lies on the device 'meta', so it has no values")
    tensor = tensor.detach().cpu()
    if str(tensor.layout) != "torch.strided":  # sparse, in one of five ways
        tensor = tensor.to_dense()
    try:
        return tensor.numpy()
    except (TypeError, RuntimeError):
        return tensor.resolve_conj().resolve_neg().float().numpy()


def num_axes(value: Any) -> int:
    """Number of axes of what `to_numpy` takes."""
    return int(value.ndim) if hasattr(value, "ndim") else to_numpy(value).ndim


def shorten(value: Any, quote: bool = True) -> str:
    """``repr(value)`` for an error message, cut off where it gets long."""
    text = repr(value) if quote else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def integer_map(value: Any, name: str) -> np.ndarray:
    """``value`` as an array of whole numbers; booleans become 0 and 1.

    Raises:
        ValueError: If it holds anything but integers or booleans.
    """
    array = to_numpy(value)
    if array.dtype == bool:
        return array.astype(np.uint8)  # not a view: True is 255 in the arrays that Pillow makes of its bits
    if not np.issubdtype(array.dtype, np.integer):
        kind = value.dtype if is_tensor(value) else array.dtype
        raise ValueError(f"{name} must hold whole numbers (integers or booleans), but its dtype is {kind}; "
                         "take the argmax of scores, or convert the labels to integers")  # fmt: skip
    return array


def boolean_masks(value: Any, name: str) -> np.ndarray:
    """``value`` as booleans. Integers are taken if they are all 0 or 1.

    Raises:
        ValueError: If it holds floats, or a number that is neither 0 nor 1.
    """
    array = to_numpy(value)
    if array.dtype == bool:
        return array
    if array.dtype.kind == "f":
        kind = value.dtype if is_tensor(value) else array.dtype
        raise ValueError(
            f"{name} must be a mask of 0 and 1, but its dtype is {kind}; of probabilities compare it with a threshold, "
            f"{name} > 0.5"
        )
    array = integer_map(value if is_tensor(value) else array, name)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{name} must be a mask of 0 and 1, but holds values from {array.min()} to {array.max()}; "
            "compare it with the label or the threshold that you mean"
        )
    return array.astype(bool)


def same_shape(first: Any, second: Any, first_name: str, second_name: str) -> None:
    """Raises ValueError with both shapes if they differ."""
    shapes = tuple(first.shape), tuple(second.shape)
    if shapes[0] != shapes[1]:
        without_ones = [tuple(side for side in shape if side != 1) for shape in shapes]
        advice = "scale the prediction to the target's size"
        for one, other, name in ((*shapes, first_name), (*shapes[::-1], second_name)):
            for axis in (1, len(one) - 1) if len(one) == 4 else ():
                if one[:axis] + one[axis + 1 :] == other:
                    advice = f"of one channel a class take the strongest, {name}.argmax({axis})"
        if without_ones[0] == without_ones[1]:
            longer, shape = max(zip((first_name, second_name), shapes, strict=True), key=lambda pair: len(pair[1]))
            advice = f"take the axis of length 1 away, {longer}.squeeze({_channel(shape)})"
        raise ValueError(
            f"{first_name} and {second_name} must have the same shape, but they have {shapes[0]} and {shapes[1]}; "
            f"{advice}"
        )


def squeeze_hint(shape: tuple[int, ...]) -> str:
    """What to do about an axis of length 1 that does not belong there; nothing if there is none."""
    return f"; take the axis of length 1 away with squeeze({_channel(shape)})" if 1 in shape else ""


def _channel(shape: tuple[int, ...]) -> int:
    """The axis of length 1 that is too many: that of channels, B x 1 x H x W, before a batch of one picture."""
    return 1 if len(shape) == 4 and shape[1] == 1 else shape.index(1)


def boolean_at(array: np.ndarray, given: Callable[[np.ndarray], Iterable[Any]]) -> int | None:
    """The first place of numbers where a boolean was given, which beside numbers counts as 0 or 1; or None.

    Args:
        array: N numbers that lists were converted to.
        given: what stood in the lists at some places.
    """
    suspects = np.flatnonzero((array == 0) | (array == 1))
    for at, value in zip(suspects.tolist(), given(suspects), strict=True):
        if isinstance(value, (bool, np.bool_)):
            return int(at)
    return None


def describe_values(values: np.ndarray, counts: np.ndarray) -> str:
    """``value 7 (2 pixels), value 9 (1 pixel)``, the first five of them."""
    parts = [
        f"value {int(value)} ({int(count)} pixel{'s' if count != 1 else ''})"
        for value, count in zip(values[:5], counts[:5], strict=True)
    ]
    return ", ".join(parts) + (f" and {len(values) - 5} other values" if len(values) > 5 else "")
