"""Maps of where a prediction is right and where it is wrong, in colors that every kind of color vision tells apart.

Blue, orange and wine red differ in lightness as well as in hue, so the maps also survive a gray print. Void is gray:
it counts nowhere.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from segtutor.metrics.arrays import integer_map, same_shape
from segtutor.metrics.boundary import boundary_band

TRUE_NEGATIVE, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, VOID, OUTSIDE = range(6)
ERROR_COLORS = np.array(
    [(243, 243, 243), (0, 114, 178), (230, 159, 0), (136, 34, 85), (140, 140, 140), (255, 255, 255)], dtype=np.uint8
)
_CLASS_NAMES = {
    TRUE_POSITIVE: "found (TP)",
    FALSE_POSITIVE: "invented (FP)",
    FALSE_NEGATIVE: "missed (FN)",
    VOID: "void",
}
_LABEL_NAMES = {TRUE_POSITIVE: "right", FALSE_NEGATIVE: "wrong", VOID: "void"}


def error_map(
    target: Any, prediction: Any, class_index: int | None = None, ignore_index: int | None = 255
) -> np.ndarray:
    """What each pixel is: TRUE_NEGATIVE, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE or VOID.

    Args:
        target: Label map H x W, integers or booleans; NumPy array or torch tensor.
        prediction: Label map of the same shape.
        class_index: Class that is looked for. None looks at all of them: a pixel is TRUE_POSITIVE if its label is
            right and FALSE_NEGATIVE if not.
        ignore_index: Value in the target that marks void.

    Returns:
        H x W uint8.

    Raises:
        ValueError: If the shapes differ or the labels are not integers.

    >>> error_map([[1, 1, 0, 0, 255]], [[1, 0, 1, 0, 1]], class_index=1).tolist()
    [[1, 3, 2, 0, 4]]
    """
    target, prediction = integer_map(target, "target"), integer_map(prediction, "prediction")
    same_shape(target, prediction, "target", "prediction")
    if target.ndim != 2:
        raise ValueError(f"one label map H x W can be drawn, but the shape is {target.shape}; choose one of the batch")
    if class_index is None:
        errors = np.where(target == prediction, TRUE_POSITIVE, FALSE_NEGATIVE)
    else:
        # 2 * predicted + true picks from: neither, missed, invented, found.
        outcomes = np.array([TRUE_NEGATIVE, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_POSITIVE])
        errors = outcomes[2 * (prediction == class_index) + (target == class_index)]
    if ignore_index is not None:
        errors[target == ignore_index] = VOID
    return errors.astype(np.uint8)


def show_errors(
    target: Any,
    prediction: Any,
    class_index: int | None = None,
    ignore_index: int | None = 255,
    band_width: int | None = None,
    axes: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draws where a prediction is right and wrong, with the share of the counted pixels in the legend.

    Args:
        target: Label map H x W.
        prediction: Label map of the same shape.
        class_index: Class whose hits, inventions and misses are shown; None shows right and wrong over all classes.
        ignore_index: Value in the target that marks void.
        band_width: Shows only the pixels within this distance of a label change in the target
            (``metrics.boundary_band``), the ones that ``metrics.boundary_band_iou`` counts; None shows all.
        axes: Where to draw; a new figure if None.
        title: Text above; None gives the IoU of the class, or the pixel accuracy.

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes differ or the labels are not integers.
    """
    errors = error_map(target, prediction, class_index, ignore_index)
    if band_width is not None:
        errors[~boundary_band(target, band_width)] = OUTSIDE
    if axes is None:
        _, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    axes.imshow(ERROR_COLORS[errors], interpolation="nearest")
    axes.set_axis_off()
    pixels = np.bincount(errors.ravel(), minlength=len(ERROR_COLORS))
    counted = int(pixels[:VOID].sum())
    names = _LABEL_NAMES if class_index is None else _CLASS_NAMES
    handles = []
    for outcome, name in names.items():
        share = f" {pixels[outcome] / counted:.1%}" if outcome != VOID and counted else ""
        color = ERROR_COLORS[outcome] / 255
        handles.append(Patch(facecolor=tuple(color), edgecolor="black", linewidth=0.5, label=name + share))
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=2, frameon=False)
    axes.set_title(_summary(pixels, counted, class_index, band_width) if title is None else title)
    return axes


def _summary(pixels: np.ndarray, counted: int, class_index: int | None, band_width: int | None) -> str:
    where = "" if band_width is None else f" within {band_width} px of a label change"
    hits = pixels[TRUE_POSITIVE]
    if class_index is None:
        return f"pixel accuracy {hits / counted:.3f}{where}" if counted else f"nothing to score{where}"
    union = hits + pixels[FALSE_POSITIVE] + pixels[FALSE_NEGATIVE]
    return f"class {class_index}: IoU {hits / union:.3f}{where}" if union else f"class {class_index}: absent{where}"
