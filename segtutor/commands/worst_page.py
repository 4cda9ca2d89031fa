"""A page of the pictures on which a network did worst: one file that needs no network and tells its pictures in words.

It is written again whenever another picture belongs on it, so that a run that stops leaves what it found.
"""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.files import prove_writable, replacing
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
        score: What the pictures are sorted by, 0 to 1.
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
        count: How many pictures are kept.
        measure: What the score of a picture is called.
        note: What the scores and the colors mean.
    """

    def __init__(self, path: Path, title: str, count: int, measure: str, note: str) -> None:
        self.path, self.title, self.count, self.measure, self.note = path, title, count, measure, note
        self.entries: list[Entry] = []

    def wants(self, score: float) -> bool:
        """Whether a picture of this score is among the worst so far."""
        return len(self.entries) < self.count or score < self.entries[-1].score

    def add(self, entry: Entry) -> None:
        """Keeps a picture if it is among the worst so far, and writes the page."""
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
            f"<p class='small'>{html.escape(self.note)}</p>",
        ]
        for rank, entry in enumerate(self.entries, start=1):
            figures = "".join(
                f"<figure><img src='{source}' alt='{html.escape(text, quote=True)}'>"
                f"<figcaption>{html.escape(caption)}</figcaption></figure>"
                for caption, text, source in entry.views
            )
            parts.append(
                f"<section><h3>{rank}. {html.escape(entry.name)}: {100 * entry.score:.1f} % {self.measure}</h3>"
                f"<p>{html.escape(entry.sentence)}</p><div class='views'>{figures}</div></section>"
            )
        text = "\n".join([*parts, "</body></html>\n"])
        with replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def label_views(
    name: str, sentence: str, picture: np.ndarray, target: np.ndarray, found: np.ndarray, labels: LabelSet
) -> tuple[tuple[str, str, str], ...]:
    """A picture, its labels, the predicted ones and the errors.

    Args:
        name: What it is called.
        sentence: What went wrong.
        picture: H x W x 3 uint8.
        target: Labels H x W.
        found: What was predicted, H x W.
        labels: The classes.
    """
    from segtutor.plotting import colorize

    there, predicted = (_named(numbers, labels) for numbers in (target, found))
    void = target == labels.ignore_index
    gray = np.repeat(picture.mean(axis=2, keepdims=True) / 2 + 96, 3, axis=2)
    wrong = np.where(((target != found) & ~void)[..., None], WRONG, gray).astype(np.uint8)
    share = float(((target != found) & ~void).sum()) / max(1.0, float((~void).sum()))
    return (
        ("picture", f"The picture {name}.", data_address(picture, smooth=True)),
        ("labels", f"Its labels: {there}.", data_address(colorize(target, labels))),
        ("prediction", f"What the network found: {predicted}.", data_address(colorize(found, labels))),
        ("errors in red", f"{100 * share:.1f} % of its pixels are wrong. {sentence}", data_address(wrong)),
    )


def _named(numbers: np.ndarray, labels: LabelSet) -> str:
    """Classes by their share of the pixels, the largest first."""
    counts = np.bincount(numbers.ravel(), minlength=256)[: len(labels)]
    order = [number for number in np.argsort(-counts) if counts[number]]
    return ", ".join(f"{labels.names[number]} {100 * counts[number] / numbers.size:.0f} %" for number in order)


def report_files(folder: Path) -> dict[str, Path]:
    """The files of a report, all of which can be written; the folder is made.

    Raises:
        ValueError: If the folder is a file.
        OSError: If one cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file, but must be a folder: name another one")
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in ("pictures.csv", "worst.html", "classes.csv", "scores.json")}
    for path in paths.values():
        prove_writable(path)
    return paths


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


def write_classes(path: Path, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Write a line for each class as CSV; what has no value, "-" on the page, stays empty."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["class", *columns])
        writer.writerows([name, *("" if value == "-" else value for value in values)] for name, values in rows)


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


def data_address(pixels: np.ndarray, smooth: bool = False) -> str:
    """A picture inside the page: a photograph as JPEG, a drawing of few colors as PNG."""
    image, stream = Image.fromarray(pixels), io.BytesIO()
    if image.width > WIDEST:
        size = (WIDEST, max(1, round(image.height * WIDEST / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
    image.save(stream, "JPEG" if smooth else "PNG", quality=85)
    return f"data:image/{'jpeg' if smooth else 'png'};base64,{base64.b64encode(stream.getvalue()).decode()}"
