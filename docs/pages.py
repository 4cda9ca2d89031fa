"""The parts of the site's pages that are made from the course itself: results, differences, data sets, a live figure.

A page asks for them with a mark, ``<!-- results -->``; ``docs/build.py`` fills it in.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import course_map
import overview
import teaching

from segtutor import claims
from segtutor.claims.claim import Verdict
from segtutor.models import differences as differences_module
from segtutor.remedies import REMEDIES

ROOT = Path(__file__).resolve().parents[1]
TITLES = {
    ("mask_rcnn.variants", "DIFFERENCES"): "Mask R-CNN",
    ("mask_classification.variants", "DIFFERENCES"): "Mask2Former",
    ("mask_classification.variants", "MASKFORMER_DIFFERENCES"): "MaskFormer",
    ("deeplabv3", "DIFFERENCES"): "DeepLab v3",
    ("deeplabv3_cascaded", "DIFFERENCES"): "DeepLab v3, cascaded",
    ("deeplabv3plus", "DIFFERENCES"): "DeepLab v3+",
    ("sam.variants", "DIFFERENCES"): "SAM",
    ("xception", "DIFFERENCES"): "Modified aligned Xception",
}
"""Of tables that stand beside others, or in a module whose first words are no title."""
SILENT = ("none told", "not told", "-")
"""What stands in a table where a paper says nothing."""
VERDICTS: tuple[Verdict, ...] = ("confirmed", "reversed", "undecided")


def results() -> str:
    """A table of all recorded claims, then each with its verdicts; its numbers are folded."""
    cards = overview.recorded()
    lines = ["| claim | lesson | " + " | ".join(VERDICTS) + " |", "|---|---|" + "---:|" * len(VERDICTS)]
    for card in cards:
        counts = Counter(verdict for verdict, _, _ in card.verdicts())
        numbers = " | ".join(str(counts[verdict]) if counts[verdict] else " " for verdict in VERDICTS)
        name = card.claim.name
        lines.append(f"| [{card.claim.title}](#{anchor(name)}) | {lesson_of(name)} | {numbers} |")
    return "\n".join([*lines, "", *(one_result(card) for card in cards)])


def one_result(card: claims.Card) -> str:
    """The section of a claim."""
    claim = card.claim
    lines = [f"({anchor(claim.name)})=", "", f"## {claim.title}", "", f"{claim.sentence} *({claim.source})*", ""]
    lines += [f"- {badge(verdict)} {expected} {outcome}" for verdict, expected, outcome in card.verdicts()]
    titles, *rows = card.rows()
    lines += ["", "<details><summary>The experiment and all numbers</summary>", ""]
    lines += [f"Changes: {claim.changes}. Stays: {claim.same}. In the paper: {claim.paper}.", ""]
    lines += [f"| {' | '.join([titles[0] or 'variant', *titles[1:]])} |", f"|---|{'---:|' * (len(titles) - 1)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    lines += ["", f"{card.provenance}.", "", "</details>", ""]
    return "\n".join(lines)


def anchor(name: str) -> str:
    """The address of a claim on its page."""
    return name.replace(".", "-").replace("_", "-")


def badge(verdict: Verdict) -> str:
    """A verdict in its color."""
    return f'<span class="verdict {verdict}">{verdict}</span>'


def lesson_of(name: str) -> str:
    """A link to the lesson that shows or tells the claim: its own lesson, not one that looks back at it."""
    claim = re.escape(name)
    told = re.compile(rf'(?:card|show|run_short|show_table)\(\s*"{claim}"|segtutor reproduce {claim}`')
    shown = [
        path
        for path in sorted((ROOT / "notebooks" / "source").glob("[0-9]*.py"))
        if told.search(path.read_text(encoding="utf-8"))
    ]
    chosen = shown[-1] if name.startswith("results.") else shown[0] if shown else None
    if chosen is None:
        return " "
    return f"[{chosen.stem.split('_')[0].lstrip('0') or '0'}](notebooks/{chosen.stem}.ipynb)"


def differences() -> str:
    """For each network whose code is held against its paper: the sources, and the table."""
    parts = []
    for path in sorted((ROOT / "segtutor" / "models").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"((?:^# [^\n]*\n)*)^(\w*DIFFERENCES) = \(", text, re.MULTILINE):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            rows = [marked(row) for row in getattr(importlib.import_module(module), found[2])]
            about = " ".join(line.removeprefix("# ") for line in found[1].splitlines())
            first = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].rstrip(".")
            title = TITLES.get((module.removeprefix("segtutor.models."), found[2]), first.split(":")[0])
            parts += [f"## {title}", "", f"{about} Code: `{module}`.".strip(), "",
                      differences_module.as_markdown(rows), ""]  # fmt: skip
    return "\n".join(parts)


def marked(row: differences_module.Difference) -> differences_module.Difference:
    """The row with our choice in bold where it is not what the paper says."""
    differs = row.paper not in (*SILENT, row.ours)
    return replace(row, ours=f"**{row.ours}**") if differs else row


def data_sets() -> str:
    """The facts of each data set, every one with its source."""
    content = json.loads((ROOT / "data" / "datasets.json").read_text(encoding="utf-8"))
    parts = []
    for one in content.values():
        year = "" if str(one["year"]) in one["title"] else f", {one['year']}"
        parts += [f"## {one['title']}{year}", "", f"{one['paper']}. [Its site]({one['address']})", "",
                  "| what | | source |", "|---|---|---|"]  # fmt: skip
        parts += [f"| classes, {item['what']} | {item['count']} | {item['source']} |" for item in one["classes"]]
        parts += [f"| {item['name']} | {images(item['images'])}; {item['labels']} | {item['source']} |"
                  for item in one["splits"]]  # fmt: skip
        parts += [
            f"| {name} | {one[name]['value']} | {one[name]['source']} |" for name in ("size", "metric", "license")
        ]
        parts += [f"| void | {one['void']} | |"] if one["void"] else []
        parts += [f"| here | `segtutor.datasets.{one['loader']}` | |"] if one["loader"] else []
        parts += ["", *(f"- {correction(item)}" for item in one["corrections"]), ""]
    return "\n".join(parts)


def images(count: int | None) -> str:
    """A number of pictures."""
    return "number not stated" if count is None else f"{count:,} pictures"


def correction(item: str | dict[str, str]) -> str:
    """A wrong figure that circulates, with the right one."""
    return item if isinstance(item, str) else "; ".join(f"{name}: {value}" for name, value in item.items())


def questions() -> str:
    """Each trouble that ``segtutor doctor`` knows, as a question with its remedy."""
    parts = []
    for one in REMEDIES.values():
        words = one.text.format_map(one.example).split("  ")  # two spaces stand around a command
        text = " ".join(f"`{part}`" if index % 2 else part for index, part in enumerate(words)).replace(
            '"python"', "python"
        )
        parts += [f"### {one.question}", "", f"{text[0].upper()}{text[1:]}.", "",
                  f"*(`segtutor doctor`, line {one.subject})*", ""]  # fmt: skip
    return "\n".join(parts)


CLICKED = (48, 15, 4, 61, 2, 22, 25, 16)
"""The unseen scenes of the first page's figure; in the first one a click on the horse stands already."""


def clicks() -> str:
    """The figure that answers clicks, as it stands in lesson 10, with eight scenes."""
    from scipy.ndimage import median_filter

    from segtutor.claims.masks import SCENE, USUAL
    from segtutor.datasets import Scenes
    from segtutor.inference.clickable import clickable
    from segtutor.labels import SCENES
    from segtutor.models import create

    scenes, larger = (
        Scenes("val", size=size, count=1 + max(CLICKED), target="panoptic", crowd=USUAL, **dict(SCENE))
        for size in ((128, 160), (512, 640))  # for the network; for the eye, and without their noise
    )
    images, texts = [], []
    for number in CLICKED:
        image, target = scenes[number]
        names = dict.fromkeys(SCENES.names[one["category_id"]] for one in target["segments_info"])
        images.append(image)
        texts.append(f"A drawn scene with {', '.join(name for name in names if name != 'background')}")
    starts = [[(54, 71, 1)], *[[]] * (len(images) - 1)]
    shown = [median_filter(larger[number][0].numpy(), (1, 5, 5)) for number in CLICKED]
    figure = clickable(create("sam_tiny", weights="course"), images, texts, starts, shown)
    return f"````{{raw}} html\n{figure.html}\n````"


MAKERS: dict[str, Callable[[], str]] = {
    **teaching.MAKERS,
    "results": results,
    "differences": differences,
    "data_sets": data_sets,
    "questions": questions,
    "map": course_map.drawing,
    "lessons": course_map.table,
    "numbers": overview.numbers_text,
    "card": overview.card_text,
    "clicks": clicks,
}
