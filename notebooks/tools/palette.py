"""One natural palette for label maps, and a legend beside each: what the code of lessons and assignments draws them in.

Scenes have one palette in all pictures, in which a sky is blue and grass is green. Three things would break that, and
each can be seen in the code: a label map of Scenes that is drawn in VOC's palette, where what has no name in VOC turns
black; a label set of the course whose sky has another color than that of Scenes; a label map that goes through one of
matplotlib's lists of colors. What a figure shows then follows from the code, since a lesson's outputs are bound to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from notebooks.tools.masters import Master, cell_ids, plain_python
from segtutor.exercises import loaders
from segtutor.labels import PHOTOGRAPHS, SCENES

OWN = {"SCENES": SCENES, "PHOTOGRAPHS": PHOTOGRAPHS, "EIGHT": loaders.EIGHT}
"""The label sets that the course has made: a class that two of them have is drawn in one color."""
SUBJECT = {"VOC2012": {"02", "07"}, "CITYSCAPES": {"02"}}
"""Label sets whose palette others have published, and the lessons that are about them: lesson 2 opens their files,
lesson 7 draws what a network for VOC says about photographs."""
VOC_COLORS = {"voc_colormap", "voc_colors"}
LISTS_OF_COLORS = {
    "Accent", "Dark2", "Paired", "Pastel1", "Pastel2", "Set1", "Set2", "Set3", "tab10", "tab20", "tab20b", "tab20c",
    "nipy_spectral", "gist_ncar", "prism", "flag", "jet", "hsv", "rainbow",
}  # fmt: skip
"""Color maps of matplotlib without an order that an eye sees: good for names alone, and names have their own colors."""
DRAWING = {"colorize": 1, "show_overlay": 2, "legend": 2}
"""Functions of ``segtutor.plotting`` that color a label map, and the position of their label set."""
NAMING = {"legend", "text", "annotate", "set_text", "show_overlay"}
"""Calls after which a reader knows what a color stands for."""


def check_palette(master: Master) -> list[str]:
    """Label maps of a lesson or assignment that have another palette than Scenes', or that nobody can read."""
    findings, helpers = [], {}
    for cell_id, cell in zip(cell_ids(master), master.cells, strict=True):
        if cell.cell_type != "code":
            continue
        tree = ast.parse(plain_python(cell.source))
        helpers |= {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        found = [*wrong_sets(tree, master), *lists_of_colors(tree), *unnamed(tree, helpers)]
        findings += [f"cell {cell_id} {text}" for text in dict.fromkeys(found)]
    return findings


def own_colors() -> list[str]:
    """Classes of the course's own label sets that bear another color than in Scenes."""
    scenes = dict(zip(SCENES.names, SCENES.colors, strict=True))
    return [f"{words}: {name} is {color}, and in Scenes {scenes[name]}; a class has one color in all pictures"
            for words, label_set in OWN.items() for name, color in zip(label_set.names, label_set.colors, strict=True)
            if scenes.get(name, color) != color]  # fmt: skip


def wrong_sets(tree: ast.AST, master: Master) -> Iterator[str]:
    """Drawings in the palette of a data set that this lesson is not about."""
    for words in sets_drawn(tree):
        if words in SUBJECT and master.number not in SUBJECT[words]:
            yield (f"draws a label map in the palette of {words}, which lessons {', '.join(sorted(SUBJECT[words]))} "
                   "are about; draw Scenes in SCENES")  # fmt: skip
    if master.number not in SUBJECT["VOC2012"] and any(name in VOC_COLORS for name in names(tree)):
        yield "takes VOC's rule for colors, which lessons 02, 07 are about; draw Scenes in SCENES"


def sets_drawn(tree: ast.AST) -> Iterator[str]:
    """The label sets, by name, in whose colors something is drawn."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in DRAWING:
            position = DRAWING[called(node)]
            given = node.args[position : position + 1] + [k.value for k in node.keywords if k.arg == "label_set"]
            yield from (last_name(one) for one in given)
        elif isinstance(node, ast.Attribute) and node.attr in ("palette", "colors"):
            yield last_name(node.value)


def lists_of_colors(tree: ast.AST) -> Iterator[str]:
    """Calls with one of matplotlib's unordered color maps."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "cmap":
            name = node.value.value if isinstance(node.value, ast.Constant) else last_name(node.value)
            if str(name).removesuffix("_r") in LISTS_OF_COLORS:
                yield f"draws in matplotlib's {name}; a label map has the palette of its classes: plotting.colorize"


def unnamed(tree: ast.Module, helpers: dict[str, ast.FunctionDef]) -> Iterator[str]:
    """Whether a cell draws label maps without a legend and without names on them."""
    calls = {called(node) for node in reached(tree, helpers) if isinstance(node, ast.Call)}
    if "colorize" in calls and "imshow" in calls and not calls & NAMING:
        yield "draws a label map without a legend of its classes or names at its regions: plotting.legend"


def reached(tree: ast.Module, helpers: dict[str, ast.FunctionDef]) -> Iterator[ast.AST]:
    """What a cell runs: its own lines, and those of the functions of this notebook that they call."""
    pending: list[ast.AST] = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    seen: set[str] = set()
    while pending:
        for node in ast.walk(pending.pop()):
            yield node
            if isinstance(node, ast.Call) and (name := called(node)) in helpers and name not in seen:
                seen.add(name)
                pending.append(helpers[name])


def called(call: ast.Call) -> str:
    """The last name of what is called: ``colorize`` of ``plotting.colorize(...)``."""
    return last_name(call.func)


def last_name(node: Any) -> str:
    """The name, or the attribute, that an expression ends with; empty for any other expression."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def names(tree: ast.AST) -> Iterator[str]:
    """All names that the code uses."""
    return (last_name(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))
