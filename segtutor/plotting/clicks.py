"""A figure that answers clicks, alive without a kernel: a promptable network's decoder runs in the page itself.

Python looks at the pictures; what it saw, the embeddings, and the decoder's weights travel in the figure. The scripts
beside this file do per click what ``segtutor.models.sam`` does: ``mask_decoder.js`` computes, ``clicks.js`` draws.
Where no script runs, a sentence says what to do (``waking.py``).

Shapes: H W a picture, E channels of its embedding h x w, with a finer map 2E.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtutor.plotting.overlays import as_picture
from segtutor.plotting.waking import waking_page

_QUALITY = 65
_LARGE = 400
"""Entries from which a weight is kept in levels."""
EMBEDDING_STEP, WEIGHT_STEP = 0.1, 0.06
"""One level, in standard deviations of a channel of an embedding or of a row of a weight: what the masks bear."""


@dataclass(frozen=True, eq=False)
class ClickPicture:
    """A picture to click on.

    Attributes:
        image: H x W x 3 or 3 x H x W.
        embedding: E x h x w.
        text: What is seen, in words.
        start: Clicks that are there at first, (x, y, 1 this or 0 not this).
    """

    image: Any
    embedding: np.ndarray
    text: str
    start: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class ClickFigure:
    """What a notebook shows as the figure.

    Attributes:
        count: Number of pictures.
        html: The whole figure, to be put into any page.
    """

    count: int
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Figure that answers clicks on {self.count} pictures"


@dataclass(frozen=True)
class Addition:
    """What another figure adds to this one.

    Attributes:
        data: Joins what the scripts read.
        figure: HTML below the answers.
        style: Style sheet.
        script: Runs before that of this figure.
    """

    data: Mapping[str, Any]
    figure: str
    style: str
    script: str


def click_figure(
    pictures: Sequence[ClickPicture], decoder: Mapping[str, np.ndarray], heads: int, addition: Addition | None = None
) -> ClickFigure:
    """The figure.

    Args:
        pictures: What can be clicked on, one at a time.
        decoder: Arrays of prompt encoder and mask decoder by their names in a ``SegmentAnything``.
        heads: Of each attention in the decoder.
        addition: What another figure makes of it.

    Raises:
        ValueError: If there is no picture, an embedding has other channels than the decoder, or a weight is none that
            16 bits hold.
    """
    if not pictures:
        raise ValueError("there must be at least one picture to click on")
    channels = decoder["mask_decoder.iou_token"].shape[1]
    scenes = []
    for number, one in enumerate(pictures):
        if one.embedding.ndim != 3 or len(one.embedding) not in (channels, 2 * channels):
            raise ValueError(
                f"the decoder reads embeddings of {channels} or {2 * channels} x h x w, but picture {number} has "
                f"{one.embedding.shape}"
            )
        levels, steps = quantized(one.embedding)
        scenes.append({
            "size": as_picture(one.image).shape[:2],
            "places": one.embedding.shape[1:],
            "embedding": as_text(steps.tobytes() + levels.tobytes()),
            "start": one.start,
        })  # fmt: skip
    more = addition or Addition({}, "", "", "")
    data = {"heads": heads, "weights": as_text(packed(decoder)), "scenes": scenes, **more.data}
    # An apostrophe in a class's name would end the attribute that the text stands in.
    text = json.dumps(data, separators=(",", ":")).replace("'", "\\u0027")
    return ClickFigure(len(pictures), _page(pictures, text, more))


def as_text(content: bytes) -> str:
    """Bytes made small and written as letters."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def levels_of(rows: np.ndarray, share: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as whole multiples of a step that each row has for itself.

    The rarer large levels are, the smaller ``as_text`` makes them; so a step follows how much a row varies, and only
    where 8 bits would not do, its largest number.

    Args:
        rows: R x n.
        share: Of a row's standard deviation, the step.
        name: Of what is told, for the error.

    Returns:
        Levels R x n from -127 to 127, and R steps in 16 bits.

    Raises:
        ValueError: If a step is larger than 16 bits hold.
    """
    rows = np.asarray(rows, dtype=np.float32)
    smallest = np.abs(rows).max(axis=1) / 127
    steps = in_half(name, np.maximum(np.maximum(share * rows.std(axis=1), smallest), 1e-6))
    levels = np.rint(rows / steps[:, None].astype(np.float32))
    return np.clip(levels, -127, 127).astype(np.int8), steps


def quantized(embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An embedding in levels: E x h x w to E x hw, and E steps; see `levels_of`."""
    return levels_of(embedding.reshape(len(embedding), -1), EMBEDDING_STEP, "an embedding")


def dequantized(embedding: np.ndarray) -> np.ndarray:
    """What the figure reads: the embedding after `quantized`, E x h x w."""
    levels, steps = quantized(embedding)
    return (levels * steps[:, None].astype(np.float32)).reshape(embedding.shape)


def packed(decoder: Mapping[str, np.ndarray]) -> bytes:
    """Weights one after the other: large ones as levels behind the steps of their rows, others in 16 bits.

    Returns:
        A line of JSON, which tells of each array its name, its length and how many rows have a step, 0 for an array in
        16 bits; then the arrays.

    Raises:
        ValueError: If a weight is larger than 16 bits hold.
    """
    parts, arrays = [], []
    for name, array in decoder.items():
        if name.startswith("prompt_encoder.mask."):
            continue
        rows = rows_of(array)
        if rows:
            levels, steps = levels_of(array.reshape(rows, -1), WEIGHT_STEP, name)
            parts += [steps.tobytes(), levels.tobytes()]
        else:
            parts.append(in_half(name, array).tobytes())
        arrays.append((name, int(array.size), rows))
    return json.dumps(arrays, separators=(",", ":")).encode() + b"\n" + b"".join(parts)


def rows_of(array: np.ndarray) -> int:
    """How many rows of a weight are kept as levels, each with a step; 0 where 16 bits are worth their place."""
    return len(array) if array.ndim > 1 and array.size >= _LARGE else 0


def in_half(name: str, array: np.ndarray) -> np.ndarray:
    """Numbers in 16 bits.

    Raises:
        ValueError: If one is larger than they hold.
    """
    with np.errstate(over="ignore"):
        half = np.asarray(array, dtype=np.float32).astype("<f2")
    if not np.isfinite(half).all():
        raise ValueError(f"{name} holds numbers that 16 bits do not: round the weights or scale them")
    return half


def as_read(decoder: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The decoder's arrays as the page reads them, as levels and in 16 bits."""
    read = {}
    for name, array in decoder.items():
        rows = 0 if name.startswith("prompt_encoder.mask.") else rows_of(array)
        if rows:
            levels, steps = levels_of(array.reshape(rows, -1), WEIGHT_STEP, name)
            read[name] = (levels * steps[:, None].astype(np.float32)).reshape(array.shape)
        else:
            read[name] = in_half(name, array).astype(np.float32)
    return read


def _page(pictures: Sequence[ClickPicture], data: str, more: Addition) -> str:
    choices = "".join(
        f'<button type="button" aria-pressed="{str(not number).lower()}">{_image(one)}</button>'
        for number, one in enumerate(pictures)
    )
    answers = "".join(
        f'<button type="button" aria-pressed="false" hidden><canvas aria-hidden="true"></canvas>'
        f"<span>Answer {number}<br><span></span></span></button>"
        for number in (1, 2, 3)
    )
    modes = "".join(
        f'<label><input type="radio" name="mode"{" checked" if value == "this" else ""} value="{value}"> {text}</label>'
        for value, text in (("this", "this"), ("not", "not this"), ("box", "corner of a box"))
    )
    # JupyterLab would take the keys for itself; the attribute leaves them to the figure.
    figure = f"""<style>{beside("clicks.css")}{more.style}</style>
<div data-lm-suppress-shortcuts="true">
<div class="pictures">{choices}</div>
<form class="modes" onsubmit="return false">A click means: {modes}</form>
<div class="parts" data-clicks='{data}'>
<div class="stage" tabindex="0" role="application" aria-label="The picture; arrow keys move the cross, Enter clicks">
<img alt=""><canvas aria-hidden="true"></canvas><svg aria-hidden="true"></svg></div>
<div class="side">
<div class="answers">{answers}</div>
<button type="button" class="back">take back</button> <button type="button" class="clear">clear</button>
<p class="keys">Keys, once the picture has the focus: arrows move the last click (with Shift by 8 pixels), Enter sets
another one, Backspace takes it back.</p>
</div></div>
<p class="says" aria-live="polite"></p>
{more.figure}</div>"""
    # Inside a function, so that a second figure on the page may declare the same names.
    script = f"(() => {{\n{beside('mask_decoder.js')}{more.script}{beside('clicks.js')}}})();"
    return waking_page("segtutor-clicks", figure, script)


def _image(picture: ClickPicture) -> str:
    buffer = io.BytesIO()
    Image.fromarray(as_picture(picture.image)).save(buffer, "WEBP", quality=_QUALITY, method=6)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(picture.text)}" src="data:image/webp;base64,{encoded}">'


def beside(name: str) -> str:
    """A script or a style that stands beside this file, without indentation and lines of comments."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^\s*(?://.*\n)?", "", text)
