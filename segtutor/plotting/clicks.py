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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtutor.plotting.click_numbers import as_text, packed, packed_embedding
from segtutor.plotting.overlays import as_picture
from segtutor.plotting.waking import waking_page

_QUALITY = 85


@dataclass(frozen=True, eq=False)
class ClickPicture:
    """A picture to click on.

    Attributes:
        image: H x W x 3 or 3 x H x W.
        embedding: E x h x w.
        text: What is seen, in words.
        start: Clicks that are there at first, (x, y, 1 this or 0 not this).
        drawn: The same picture with more pixels, which is shown in its place; clicks are told in pixels of ``image``.
    """

    image: Any
    embedding: np.ndarray
    text: str
    start: tuple[tuple[int, int, int], ...] = ()
    drawn: Any = None


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
        scenes.append({
            "size": as_picture(one.image).shape[:2],
            "places": one.embedding.shape[1:],
            "embedding": as_text(packed_embedding(one.embedding, channels)),
            "start": one.start,
        })  # fmt: skip
    more = addition or Addition({}, "", "", "")
    data = {"heads": heads, "weights": as_text(packed(decoder)), "scenes": scenes, **more.data}
    # An apostrophe in a class's name would end the attribute that the text stands in.
    text = json.dumps(data, separators=(",", ":")).replace("'", "\\u0027")
    return ClickFigure(len(pictures), _page(pictures, text, more))


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
<img alt="{html.escape(pictures[0].text)}"><canvas aria-hidden="true"></canvas><svg aria-hidden="true"></svg></div>
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
    shown = picture.image if picture.drawn is None else picture.drawn
    Image.fromarray(as_picture(shown)).save(buffer, "WEBP", quality=_QUALITY, method=6)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(picture.text)}" src="data:image/webp;base64,{encoded}">'


def beside(name: str) -> str:
    """A script or a style that stands beside this file, without indentation and lines of comments."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^\s*(?://.*\n)?", "", text)
