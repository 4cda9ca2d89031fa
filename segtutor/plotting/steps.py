"""One of several pictures under a slider, alive without a kernel.

Every step is drawn here; the script beside this file only shows one of them at a time. Where no script runs, a sentence
says what to do (``waking.py``), below the first step if that is a picture.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from segtutor.plotting.style import PAGE_DPI
from segtutor.plotting.waking import waking_page

_JPEG_QUALITY = 85


@dataclass(frozen=True, eq=False)
class MovableFigure:
    """What a notebook shows as the figure with the slider.

    Attributes:
        count: Number of steps.
        html: The whole figure, to be put into any page.
    """

    count: int
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Movable figure of {self.count} steps"


def movable_figures(figures: Sequence[Figure], texts: Sequence[str], label: str, names: Sequence[str]) -> MovableFigure:
    """A figure with a slider, made of figures of the same size; they are closed, so that they do not show up alone.

    Args:
        figures: One per step.
        texts: What is seen in each, in words: the line below it, and its text for those who do not see it.
        label: What the slider moves, "rate of the second layer".
        names: What stands beside the slider at each step, "rate 3".

    Raises:
        ValueError: If there is no figure, or not one text and one name for each.
    """
    if not figures or not len(figures) == len(texts) == len(names):
        raise ValueError(
            f"every figure needs a text and a name, but there are {len(figures)} figures, {len(texts)} texts and "
            f"{len(names)} names"
        )
    steps = []
    for figure, text in zip(figures, texts, strict=True):
        kind, data = _encoded(figure)
        width = round(figure.get_size_inches()[0] * PAGE_DPI)
        steps.append(
            f'<img alt="{html.escape(text)}" width="{width}" src="data:image/{kind};base64,{data}">'
            f"<p>{html.escape(text)}</p>"
        )
        plt.close(figure)
    return MovableFigure(len(steps), stepped_page(steps, label, names, first_stands=True))


def stepped_page(
    steps: Sequence[str],
    label: str,
    names: Sequence[str] = (),
    kind: str = "pictures",
    style: str = "",
    first_stands: bool = False,
) -> str:
    """The slider, the steps as HTML, and the script that shows one of them.

    Args:
        steps: Of each the HTML.
        label: What stands before the slider.
        names: What stands behind it at each step; "2 of 7" for none.
        kind: Added to the class, ``segtutor-kind``, so that ``style`` reaches this figure only.
        style: Rules of CSS.
        first_stands: Whether the first step is seen where no script runs; for steps made of pictures and text.
    """
    named = [f' data-name="{html.escape(name)}"' for name in names] or [""] * len(steps)
    frames = [f'<div class="step"{name}>{step}</div>' for name, step in zip(named, steps, strict=True)]
    standing, waiting = frames[:first_stands], frames[first_stands:]
    # JupyterLab would take the arrow keys for itself; the attribute leaves them to the slider.
    figure = f"""<style>
.segtutor-steps {{font: 14px/1.45 system-ui,sans-serif; color: inherit; max-width: 62rem}}
.segtutor-steps img,.segtutor-steps svg {{max-width: 100%; height: auto}}
.segtutor-steps img {{background: #fff}}
.segtutor-steps input {{width: 14rem; accent-color: #2b8fd0}}
{style}</style>
<label data-lm-suppress-shortcuts="true">{html.escape(label)}
<input type="range" min="1" max="{len(steps)}" step="1" value="1"> <output></output></label>
{"".join(waiting)}"""
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return waking_page(f"segtutor-steps segtutor-{kind}", figure, script, "".join(standing))


def _encoded(figure: Figure) -> tuple[str, str]:
    """The picture with two pixels for each of the page's: photographs as JPEG, lines and flat colors as PNG."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=2 * PAGE_DPI, facecolor="white")
    picture = Image.open(drawn).convert("RGB")
    jpeg, png = io.BytesIO(), io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    colors = picture.quantize(64) if picture.getcolors(4096) else picture
    colors.save(png, "PNG", optimize=True)
    kind, data = ("jpeg", jpeg) if jpeg.tell() < 0.7 * png.tell() else ("png", png)
    return kind, base64.b64encode(data.getvalue()).decode("ascii")
