"""Every figure of a lesson has words of its own for those who do not see it: pictures, movable figures, drawings."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LEAST = 40
"""Letters: "Two pictures of a cat before a wall." says less than one wants to know."""


def outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            yield cell, output


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_picture_is_described(path):
    for cell, output in outputs(path):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                words = output["metadata"][kind]["alt"]
                assert words == cell["metadata"]["mystnb"]["image"]["alt"], cell["id"]
                assert len(words) >= LEAST, (cell["id"], words)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_pictures_and_drawings_inside_a_movable_figure_are_described(path):
    for cell, output in outputs(path):
        page = "".join(output.get("data", {}).get("text/html", []))
        for picture in re.findall(r"<img\b[^>]*>", page):
            if "src=" not in picture:  # the figure's script gives it picture and words; a browser sees both
                continue
            words = re.search(r"""\balt=(?:"([^"]*)"|'([^']*)')""", picture)
            assert words is not None, cell["id"]
            assert len(unescape(words[1] or words[2] or "")) >= 20, (cell["id"], words[0])
        for drawing in re.findall(r"<svg\b[^>]*>", page):
            hidden = 'aria-hidden="true"' in drawing
            assert hidden or re.search(r"""role=["']img["'].*aria-label=["'].{20,}["']""", drawing), cell["id"]
