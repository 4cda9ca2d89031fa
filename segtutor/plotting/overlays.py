"""Label maps and instances, drawn over the picture they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from segtutor.labels import LabelSet


def _numpy(array: Any) -> np.ndarray:
    """A NumPy array of a torch tensor on any device, or of anything that NumPy takes."""
    return array.detach().cpu().numpy() if hasattr(array, "detach") else np.asarray(array)


def as_picture(image: Any) -> np.ndarray:
    """An image in any of the usual forms as H x W x 3 uint8.

    Args:
        image: 3 x H x W or H x W x 3 or H x W (gray); uint8, or float in 0...1. NumPy, torch or tv_tensors.

    Raises:
        ValueError: If it has another shape, or floats outside 0...1.
    """
    picture = _numpy(image)
    if picture.ndim == 3 and picture.shape[0] in (1, 3) and picture.shape[2] not in (1, 3):
        picture = picture.transpose(1, 2, 0)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[2] not in (1, 3):
        raise ValueError(
            f"an image must be 3 x H x W, H x W x 3 or H x W, but its shape is {_numpy(image).shape}; "
            "pass one image, not a batch"
        )
    if picture.dtype != np.uint8:
        low, high = float(picture.min(initial=0)), float(picture.max(initial=0))
        if not (np.issubdtype(picture.dtype, np.floating) and low >= -1e-3 and high <= 1 + 1e-3):
            raise ValueError(
                f"an image must be uint8 or float in 0...1, but it is {picture.dtype} in {low:.3g}...{high:.3g}; "
                "undo the normalization before drawing it"
            )
        picture = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def as_labels(labels: Any, label_set: LabelSet) -> np.ndarray:
    """A label map as H x W integers; every value is a class number or void.

    Raises:
        ValueError: If it is not two-dimensional, not whole numbers, or holds a value that means nothing.
    """
    values = _numpy(labels)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2:
        raise ValueError(
            f"a label map must be H x W, but its shape is {values.shape}; take the argmax over the classes"
        )
    if values.dtype != np.bool_ and not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"a label map must hold whole numbers, but it is {values.dtype}")
    values = values.astype(np.int64)
    strange = np.setdiff1d(np.unique(values), [*range(len(label_set)), label_set.ignore_index])
    if len(strange):
        raise ValueError(
            f"the label map holds {strange[:5].tolist()}, but {label_set.title} knows 0...{len(label_set) - 1} "
            f"and {label_set.ignore_index} for void"
        )
    return values


def colorize(labels: Any, label_set: LabelSet) -> np.ndarray:
    """A label map in the colors of its label set, H x W x 3 uint8; void is white.

    >>> from segtutor.labels import VOC2012
    >>> colorize(np.array([[0, 1, 255]]), VOC2012).tolist()
    [[[0, 0, 0], [128, 0, 0], [255, 255, 255]]]

    Raises:
        ValueError: If a value is neither a class number nor void.
    """
    values = as_labels(labels, label_set)
    colors = np.full((len(label_set) + 1, 3), 255, dtype=np.uint8)
    colors[:-1] = label_set.colors
    return colors[np.where(values == label_set.ignore_index, len(label_set), values)]


def _axes(ax: Any) -> Any:
    import matplotlib.pyplot as plt

    axes = plt.subplots()[1] if ax is None else ax
    axes.set_axis_off()
    return axes


def _alpha(alpha: float) -> float:
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be from 0 (only the image) to 1 (only the labels), but it is {alpha!r}")
    return alpha


def legend(ax: Any, numbers: Iterable[int], label_set: LabelSet, **options: Any) -> Any:
    """A legend beside the picture: name and color of these classes, void hatched.

    Args:
        ax: The matplotlib Axes.
        numbers: Class numbers, and the ignore index for void.
        label_set: Whose names and colors.
        options: For matplotlib's ``Axes.legend``.

    Raises:
        ValueError: If a number is no class.
    """
    from matplotlib.patches import Patch

    patches = []
    for number in sorted({int(number) for number in numbers}):
        if number == label_set.ignore_index:
            patches.append(Patch(facecolor="white", edgecolor="0.4", hatch="////", label="void"))
        elif 0 <= number < len(label_set):
            red, green, blue = label_set.colors[number]
            color = red / 255, green / 255, blue / 255
            patches.append(Patch(facecolor=color, edgecolor="0.4", linewidth=0.5, label=label_set.names[number]))
        else:
            raise ValueError(f"{label_set.title} has no class {number}; it knows 0...{len(label_set) - 1}")
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0, "frameon": False}
    return ax.legend(handles=patches, **{**place, **options})


def show_overlay(
    image: Any,
    labels: Any,
    label_set: LabelSet,
    ax: Any = None,
    alpha: float = 0.6,
    legend: bool = True,
    untinted: Iterable[int] = (),
) -> Any:
    """The image with its label map laid over it in color; void is hatched. Edges of the classes are drawn sharp.

    Args:
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        labels: H x W.
        label_set: Whose names and colors.
        ax: Where to draw; a new figure if None.
        alpha: How strong the colors are, 0...1.
        legend: Whether the classes that occur are named beside the picture.
        untinted: Classes that stay as they are in the picture and are not named, as the background.

    Returns:
        The matplotlib Axes.

    Raises:
        ValueError: If image and labels differ in size, or one of them is malformed.
    """
    picture, values = as_picture(image), as_labels(labels, label_set)
    if picture.shape[:2] != values.shape:
        raise ValueError(
            f"image and labels must have one size, but they are {picture.shape[:2]} and {values.shape}; "
            "resize the label map with nearest neighbor"
        )
    alpha = _alpha(alpha)
    axes = _axes(ax)
    left = np.isin(values, list(untinted))
    blended = np.round((1 - alpha) * picture + alpha * colorize(values, label_set)).astype(np.uint8)
    axes.imshow(np.where(left[..., None], picture, blended))
    void = values == label_set.ignore_index
    if void.any() and not void.all():
        axes.contourf(void, levels=[0.5, 1.5], colors="none", hatches=["/////"])
    if legend:
        _legend(axes, np.unique(values[~left]), label_set)
    return axes


_legend = legend  # show_overlay's switch bears the same name


def show_instances(
    image: Any,
    label_set: LabelSet,
    masks: Any = None,
    boxes: Any = None,
    labels: Any = None,
    scores: Any = None,
    ax: Any = None,
    alpha: float = 0.5,
) -> Any:
    """The image with its instances: every one has a color of its own, an outline, a box, its name and its score.

    Args:
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        label_set: Whose names.
        masks: R x H x W, bool or probabilities (drawn from 0.5 up); R x 1 x H x W as Mask R-CNN gives it, too.
        boxes: R x 4, x0 y0 x1 y1.
        labels: R class numbers.
        scores: R.
        ax: Where to draw; a new figure if None.
        alpha: How strong the colors are, 0...1.

    Returns:
        The matplotlib Axes.

    Raises:
        ValueError: If neither masks nor boxes are given, or the numbers of instances or the sizes differ.
    """
    picture = as_picture(image)
    alpha = _alpha(alpha)
    given = {
        name: _numpy(value)
        for name, value in (("masks", masks), ("boxes", boxes), ("labels", labels), ("scores", scores))
        if value is not None
    }
    if "masks" not in given and "boxes" not in given:
        raise ValueError("show_instances needs masks or boxes, but both are None")
    counts = {name: len(value) for name, value in given.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"masks, boxes, labels and scores must speak of the same instances, but there are {counts}")
    if "masks" in given:
        if given["masks"].ndim == 4 and given["masks"].shape[1] == 1:
            given["masks"] = given["masks"][:, 0]
        if given["masks"].ndim != 3 or (len(given["masks"]) and given["masks"].shape[1:] != picture.shape[:2]):
            raise ValueError(f"masks must be R x {picture.shape[0]} x {picture.shape[1]}, not {given['masks'].shape}")
        if given["masks"].dtype != np.bool_:
            given["masks"] = given["masks"] >= 0.5
    if "boxes" in given and len(given["boxes"]) and given["boxes"].shape[1:] != (4,):
        raise ValueError(f"boxes must be R x 4 (x0 y0 x1 y1), not {given['boxes'].shape}")
    if "labels" in given:
        outside = [int(n) for n in given["labels"] if not 0 <= int(n) < len(label_set)]
        if outside:
            raise ValueError(f"labels {outside} are not classes of {label_set.title}, 0...{len(label_set) - 1}")
    axes = _axes(ax)
    _draw_instances(axes, picture, label_set, given, next(iter(counts.values())), alpha)
    return axes


# Okabe and Ito's colors, told apart with every kind of color vision, without the black that dark pictures swallow.
INSTANCE_COLORS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip


def _draw_instances(
    axes: Any, picture: np.ndarray, label_set: LabelSet, given: dict[str, np.ndarray], count: int, alpha: float
) -> None:
    from matplotlib.patches import Rectangle

    canvas = picture.astype(np.float32)
    colors = [np.array(INSTANCE_COLORS[k % len(INSTANCE_COLORS)], dtype=np.float32) for k in range(count)]
    for k in range(count if "masks" in given else 0):
        mask = given["masks"][k]
        canvas[mask] = (1 - alpha) * canvas[mask] + alpha * colors[k]
    axes.imshow(np.round(canvas).astype(np.uint8))
    for k in range(count):
        color = colors[k] / 255
        corner = None
        if "masks" in given and given["masks"][k].any():
            mask = given["masks"][k]
            if not mask.all():
                axes.contour(mask, levels=[0.5], colors=[color], linewidths=1.2)
            rows, columns = np.nonzero(mask)
            corner = columns.min(), rows.min()
        if "boxes" in given:
            x0, y0, x1, y1 = (float(value) for value in given["boxes"][k])
            # A box's coordinates are continuous: pixel 0 reaches from 0 to 1, while imshow centers it on 0.
            axes.add_patch(
                Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, edgecolor=color, linewidth=1.5)
            )
            corner = x0, y0
        words = [label_set.names[int(given["labels"][k])]] if "labels" in given else []
        words += [f"{float(given['scores'][k]):.2f}"] if "scores" in given else []
        if words and corner is not None:
            style = {"facecolor": color, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
            axes.text(*corner, " ".join(words), fontsize=9, color="black", va="bottom", bbox=style, clip_on=True)


def show_gallery(
    images: Sequence[Any], titles: Sequence[str] | None = None, columns: int = 4, width: float = 3.0
) -> np.ndarray:
    """Images side by side.

    Args:
        images: Each 3 x H x W or H x W x 3, uint8 or float in 0...1.
        titles: One per image.
        columns: Images in a row.
        width: Of an image, in inches.

    Returns:
        The matplotlib Axes, rows x columns.

    Raises:
        ValueError: If there is no image, or not one title per image.
    """
    import matplotlib.pyplot as plt

    pictures = [as_picture(image) for image in images]
    if not pictures:
        raise ValueError("show_gallery needs at least one image, but there is none")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"give one title per image: there are {len(titles)} titles and {len(pictures)} images")
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, but it is {columns!r}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height = width * pictures[0].shape[0] / pictures[0].shape[1] + (0.3 if titles else 0.05)
    figure, grid = plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False)
    for k, axes in enumerate(grid.flat):
        axes.set_axis_off()
        if k < len(pictures):
            axes.imshow(pictures[k])
            if titles is not None:
                axes.set_title(titles[k], fontsize=10)
    figure.tight_layout(pad=0.3)
    return grid
