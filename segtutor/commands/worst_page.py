"""A page of the pictures on which a network did worst: one file that needs no network and tells its pictures in words.

It is written again whenever another picture belongs on it, so that a run that stops leaves what it found.
"""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.files import replacing
from segtutor.labels import LabelSet

WIDEST = 480  # pixels of a picture on the page
WRONG = np.array([214, 39, 40])

STYLE = """
body { font-family: system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5; }
.views { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem; }
figure { margin: 0; } figure img { width: 100%; height: auto; border: 1px solid #999; }
figcaption, .small { font-size: .9rem; } section { border-top: 1px solid #999; margin-top: 1.5rem; }
table { border-collapse: collapse; } th, td { padding: .15rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child { text-align: left; font-weight: normal; } thead th { font-weight: bold; }
.swatch { display: inline-block; width: .9em; height: .9em; border: 1px solid #555; margin-right: .4em; }
"""


@dataclass(frozen=True)
class Entry:
    """A picture of the page.

    Attributes:
        score: Its mean IoU.
        name: What it is called.
        sentence: What went wrong.
        views: Captions, alternative texts and pictures.
    """

    score: float
    name: str
    sentence: str
    views: tuple[tuple[str, str, str], ...]


class WorstPage:
    """The worst pictures so far, and the page of them.

    Args:
        path: The HTML file.
        title: Its heading.
        labels: The classes.
        count: How many pictures are kept.
    """

    def __init__(self, path: Path, title: str, labels: LabelSet, count: int) -> None:
        self.path, self.title, self.labels, self.count = path, title, labels, count
        self.entries: list[Entry] = []

    def offer(
        self, score: float, name: str, matrix: np.ndarray, picture: np.ndarray, target: np.ndarray, found: np.ndarray
    ) -> None:
        """Keeps a picture if it is among the worst so far, and writes the page.

        Args:
            score: Its mean IoU.
            name: What it is called.
            matrix: Its confusion matrix.
            picture: H x W x 3 uint8.
            target: Labels H x W.
            found: What was predicted, H x W.
        """
        if len(self.entries) == self.count and score >= self.entries[-1].score:
            return
        sentence = describe(matrix, self.labels)
        entry = Entry(score, name, sentence, self._views(name, sentence, picture, target, found))
        self.entries = sorted([*self.entries, entry], key=lambda one: one.score)[: self.count]
        self.write()

    def write(self, table: str = "", summary: str = "") -> None:
        """Writes the page.

        Args:
            table: HTML of the scores class by class; without it the evaluation is not at its end.
            summary: Its last line.
        """
        parts = [
            f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{html.escape(self.title)}</title>",
            f"<meta name='viewport' content='width=device-width, initial-scale=1'><style>{STYLE}</style></head><body>",
            f"<h1>{html.escape(self.title)}</h1>",
            f"<p>{html.escape(summary or 'The evaluation has not come to its end.')}</p>{table}",
            f"<h2>The {len(self.entries)} worst pictures</h2>",
            "<p class='small'>By the mean IoU of each picture alone, over the classes that it shows or that were found "
            "in it. Void, which counts nowhere, is white.</p>",
        ]
        for rank, entry in enumerate(self.entries, start=1):
            figures = "".join(
                f"<figure><img src='{source}' alt='{html.escape(text, quote=True)}'>"
                f"<figcaption>{html.escape(caption)}</figcaption></figure>"
                for caption, text, source in entry.views
            )
            parts.append(
                f"<section><h3>{rank}. {html.escape(entry.name)}: {100 * entry.score:.1f} % mean IoU</h3>"
                f"<p>{html.escape(entry.sentence)}</p><div class='views'>{figures}</div></section>"
            )
        text = "\n".join([*parts, "</body></html>\n"])
        with replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _views(
        self, name: str, sentence: str, picture: np.ndarray, target: np.ndarray, found: np.ndarray
    ) -> tuple[tuple[str, str, str], ...]:
        from segtutor.plotting import colorize

        there, predicted = (self._named(labels) for labels in (target, found))
        void = target == self.labels.ignore_index
        gray = np.repeat(picture.mean(axis=2, keepdims=True) / 2 + 96, 3, axis=2)
        wrong = np.where(((target != found) & ~void)[..., None], WRONG, gray).astype(np.uint8)
        share = float(((target != found) & ~void).sum()) / max(1.0, float((~void).sum()))
        return (
            ("picture", f"The picture {name}.", _data(picture, smooth=True)),
            ("labels", f"Its labels: {there}.", _data(colorize(target, self.labels))),
            ("prediction", f"What the network found: {predicted}.", _data(colorize(found, self.labels))),
            ("errors in red", f"{100 * share:.1f} % of its pixels are wrong. {sentence}", _data(wrong)),
        )

    def _named(self, labels: np.ndarray) -> str:
        """Classes by their share of the pixels, the largest first."""
        counts = np.bincount(labels.ravel(), minlength=256)[: len(self.labels)]
        order = [number for number in np.argsort(-counts) if counts[number]]
        return ", ".join(f"{self.labels.names[number]} {100 * counts[number] / labels.size:.0f} %" for number in order)


def describe(matrix: np.ndarray, labels: LabelSet) -> str:
    """The largest confusions of a picture, in words."""
    errors, total = matrix - np.diag(np.diag(matrix)), max(1, int(matrix.sum()))
    parts = []
    for code in np.argsort(-errors, axis=None)[:3]:
        one, other = divmod(int(code), len(matrix))
        if errors[one, other]:
            share = 100 * errors[one, other] / total
            parts.append(
                f"{share:.1f} % of the pixels are {labels.names[one]} and were taken for {labels.names[other]}"
            )
    return "; ".join(parts) + "." if parts else "Every pixel is right."


def class_table(columns: list[str], rows: list[tuple[str, list[str]]], labels: LabelSet) -> str:
    """The scores class by class, in HTML."""
    head = "".join(f"<th scope='col'>{html.escape(column)}</th>" for column in ("class", *columns))
    colors = dict(zip(labels.names, labels.colors, strict=True))
    body = "".join(
        f"<tr><th scope='row'><span class='swatch' style='background:rgb{colors[name]}'></span>{html.escape(name)}</th>"
        + "".join(f"<td>{value}</td>" for value in values)
        + "</tr>"
        for name, values in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _data(pixels: np.ndarray, smooth: bool = False) -> str:
    """A picture inside the page: a photograph as JPEG, a drawing of few colors as PNG."""
    image, stream = Image.fromarray(pixels), io.BytesIO()
    if image.width > WIDEST:
        size = (WIDEST, max(1, round(image.height * WIDEST / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
    image.save(stream, "JPEG" if smooth else "PNG", quality=85)
    return f"data:image/{'jpeg' if smooth else 'png'};base64,{base64.b64encode(stream.getvalue()).decode()}"
