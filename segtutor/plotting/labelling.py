"""The figure that answers clicks as a tool: an answer becomes the label of a class, and all labels leave as one text.

No kernel takes part, so the figure works alike in JupyterLab, VS Code and Colab; what a reader has labelled comes back
as a text, pasted or as a file, which ``segtutor.inference.labelling`` reads.

    answer to a click --> kept as a class --> label maps in the page --> runs of equal pixels --> text
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segtutor.labels import Color
from segtutor.plotting.clicks import Addition, ClickFigure, ClickPicture, beside, click_figure

NONE = 255
"""No label."""
MOST_CLASSES = 26
"""As many as there are letters."""
_RUN = re.compile(r"([.A-Z])([0-9a-z]+)")


def labelling_figure(
    pictures: Sequence[ClickPicture],
    names: Sequence[str],
    classes: Mapping[str, Color],
    decoder: Mapping[str, np.ndarray],
    heads: int,
    before: Mapping[str, np.ndarray] | None = None,
) -> ClickFigure:
    """The tool.

    Args:
        pictures: What is to be labelled.
        names: Of the pictures, as they come back.
        classes: Name and color of each class, in the order of their numbers.
        decoder: See ``click_figure``.
        heads: See ``click_figure``.
        before: Label maps that are there already, by the pictures' names.

    Raises:
        ValueError: If there is no class, or there are more than letters.
    """
    if not 1 <= len(classes) <= MOST_CLASSES:
        raise ValueError(f"there must be 1 to {MOST_CLASSES} classes, but {len(classes)} came: {list(classes)}")
    told = [{"name": name, "color": color} for name, color in classes.items()]
    buttons = "".join(
        f'<button type="button" class="class" style="--color: rgb{tuple(color)}">{html.escape(name)}</button>'
        for name, color in classes.items()
    )
    rest = "".join(f'<button type="button" class="rest">{html.escape(name)}</button>' for name in classes)
    figure = f"""<div class="labels">
<div>Keep the mask that is shown as: {buttons}<button type="button" class="undo">undo</button></div>
<div>All that has no label yet is: {rest}</div>
<p class="tells" aria-live="polite"></p>
<div><button type="button" class="copy">copy all labels</button>
<a download="labels.json" href="data:application/json,">save all labels as a file</a></div>
<textarea readonly aria-label="All labels, as text"></textarea>
</div>
"""
    maps = before or {}
    runs = [_runs(maps[name]) if name in maps else "" for name in names]
    data = {"classes": told, "names": list(names), "runs": runs}
    return click_figure(
        pictures, decoder, heads, Addition(data, figure, beside("labelling.css"), beside("labelling.js"))
    )


def read_labels(text: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """What the tool hands out.

    Args:
        text: All of it.

    Returns:
        The names of the classes, and of each picture its label map, H x W uint8, `NONE` where there is no label.

    Raises:
        ValueError: If the text is not the tool's, or not all of it.
    """
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("segtutor") != "labels":
        raise ValueError(
            f'a text of all labels is wanted, which begins with {{"segtutor", but {text[:40]!r} came: press “copy all '
            "labels” below the figure, and paste all of it"
        )
    return content["classes"], {one["name"]: _map(one, len(content["classes"])) for one in content["pictures"]}


def _runs(labels: np.ndarray) -> str:
    """Runs of equal pixels, row by row, as the page writes them.

    >>> _runs(np.array([[255, 255, 0], [0, 0, 1]]))
    '.2A3B1'
    """
    flat = labels.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=-1))
    lengths = np.diff(np.append(starts, flat.size))
    letters = ["." if value == NONE else chr(ord("A") + value) for value in flat[starts].tolist()]
    pairs = zip(letters, lengths.tolist(), strict=True)
    return "".join(letter + np.base_repr(length, 36).lower() for letter, length in pairs)


def _map(picture: Mapping[str, Any], count: int) -> np.ndarray:
    """A label map from its runs."""
    found = _RUN.findall(picture["runs"])
    values = np.array([NONE if letter == "." else ord(letter) - ord("A") for letter, _ in found], dtype=np.int64)
    lengths = np.array([int(length, 36) for _, length in found], dtype=np.int64)
    height, width = picture["size"]
    if lengths.sum() != height * width or ((values >= count) & (values != NONE)).any():
        raise ValueError(
            f"the labels of {picture['name']!r} are {lengths.sum()} pixels of {height} x {width}, or hold a class "
            "beyond the last: the text was changed or cut; copy it again"
        )
    return np.repeat(values, lengths).reshape(height, width).astype(np.uint8)
