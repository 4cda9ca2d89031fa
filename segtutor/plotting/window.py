"""Pictures seen through a window that a slider widens, alive without a kernel: how far must one look to be sure?"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from segtutor.plotting.overlays import as_picture
from segtutor.plotting.steps import MovableFigure, stepped_page

_JPEG_QUALITY = 88
_STYLE = """\
.segtutor-window .step div {display: flex; gap: 8px; flex-wrap: wrap}
.segtutor-window figure {margin: 0; flex: 1 1 300px; max-width: 27rem; text-align: center}
.segtutor-window .frame {background: #e1e1e1; display: block}
.segtutor-window .frame span {display: block; background-size: 100% 100%}
"""


def movable_window(
    pictures: Mapping[str, Any], center: tuple[int, int], reaches: Sequence[int], what: str = "the middle"
) -> MovableFigure:
    """Pictures side by side of which only a square window around one place is seen; the slider widens it.

    Every picture is in the page once; the window only clips it.

    Args:
        pictures: Name and picture, all of one size: H x W x 3 or 3 x H x W, uint8 or 0...1.
        center: Row and column of the place.
        reaches: Pixels from there to each side, step by step; the picture's border ends the window.
        what: What is at the place, for the line below.

    Raises:
        ValueError: If there is no picture or no step, or the pictures differ in size.
    """
    arrays = {name: as_picture(picture) for name, picture in pictures.items()}
    sizes = {array.shape[:2] for array in arrays.values()}
    if len(sizes) != 1 or not reaches:
        raise ValueError(f"pictures of one size and a step at least are needed, but {sizes} and {tuple(reaches)} came")
    ((height, width),) = sizes
    style, steps = _STYLE, []
    for number, array in enumerate(arrays.values()):
        style += f".segtutor-window .p{number} {{background-image: url(data:image/jpeg;base64,{_jpeg(array)})}}\n"
    for reach in reaches:
        top, left = (max(at - reach, 0) for at in center)
        bottom, right = (max(side - at - reach, 0) for at, side in zip(center, (height, width), strict=True))
        cut = f"{top / height:.2%} {right / width:.2%} {bottom / height:.2%} {left / width:.2%}"
        whole = max(top, left, bottom, right) == 0
        says = "The pictures as a whole." if whole else f"You see {reach} pixels to every side of {what}."
        shown = "".join(
            f"<figure><figcaption>{html.escape(name)}</figcaption><span class='frame' role='img' "
            f"aria-label='{html.escape(name)}: {html.escape(says)}'><span class='p{number}' "
            f"style='aspect-ratio: {width} / {height}; clip-path: inset({cut})'></span></span></figure>"
            for number, name in enumerate(arrays)
        )
        steps.append(f"<div>{shown}</div><p>{html.escape(says)}</p>")
    names = [f"{reach} pixels" if reach < max(height, width) else "everything" for reach in reaches]
    return MovableFigure(len(steps), stepped_page(steps, "You see", names, kind="window", style=style))


def _jpeg(array: Any) -> str:
    encoded = io.BytesIO()
    Image.fromarray(array).save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return base64.b64encode(encoded.getvalue()).decode("ascii")
