"""Numbers on the site's pages are those that were recorded."""

import argparse
import importlib
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from segtutor.cli import COMMANDS
from segtutor.remedies import REMEDIES

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))
teaching, overview, course_map, pages, search_order = (
    importlib.import_module(name) for name in ("teaching", "overview", "course_map", "pages", "search_order")
)


def test_the_page_on_own_images_tells_what_camvid_gave():
    page = (ROOT / "docs" / "train_your_own.md").read_text(encoding="utf-8")
    record = json.loads((ROOT / "data" / "results" / "training_camvid.json").read_text(encoding="utf-8"))
    for point in record["learning_curve"]:
        assert f"| {point['step']} | {100 * point['val_mean_iou']:.1f} |" in page
    assert f"**{100 * record['test']['mean_iou']:.1f} % mean IoU" in page
    assert f"({100 * record['test']['pixel_accuracy']:.1f} % of the pixels" in page.replace("\n", " ")
    assert f"After {record['seconds'] / 60:.0f} minutes" in page
    for name in ("Road", "Sky", "Car", "Pole"):
        assert (
            f"{100 * record['test']['iou'][name]:.0f} %" in page
            or f"{100 * record['test']['iou'][name]:.0f} and" in page
        )


def test_the_page_on_own_images_tells_what_the_animals_gave():
    page = (ROOT / "docs" / "train_your_own.md").read_text(encoding="utf-8").replace("\n", " ")
    record = json.loads((ROOT / "data" / "results" / "training_voc_animals.json").read_text(encoding="utf-8"))
    half, end = (100 * point["val_mean_iou"] for point in record["learning_curve"])
    assert f"it has {end:.1f} % mean IoU over the {record['val']['classes_counted']} classes" in page
    assert f"{half:.1f} % after half of the steps" in page
    iou = {name: f"{100 * value:.0f}" for name, value in record["val"]["iou"].items()}
    assert f"Cats are at {iou['cat']} %, dogs at {iou['dog']} %, people at {iou['person']} %" in page
    assert iou["chair"] == iou["sofa"] == "0"
    assert f"{record['val']['images']} validation pictures" in page


def test_the_page_on_own_images_tells_what_the_pedestrians_gave():
    page = (ROOT / "docs" / "train_your_own.md").read_text(encoding="utf-8").replace("\n", " ")
    whole = json.loads((ROOT / "data" / "results" / "training_penn_fudan.json").read_text(encoding="utf-8"))
    record = whole["val"]
    masks, boxes = (100 * record[kind]["AP50"] for kind in ("masks", "boxes"))
    assert f"a mask AP50 of {masks:.1f} % and a box AP50 of {boxes:.1f} % on the {record['images']} pictures" in page
    _, anew, fifth, fifth_anew = whole["other_runs"]
    masks, boxes = (100 * fifth[kind]["AP50"] for kind in ("masks", "boxes"))
    assert f"has a mask AP50 of {masks:.1f} % and a box AP50 of {boxes:.1f} %" in page
    two = [100 * one["masks"]["AP50"] for one in (anew, fifth_anew)]
    assert f"the one fifth gives {two[0]:.1f} and the other {two[1]:.1f} %" in page
    assert two[0] > 100 * record["masks"]["AP50"]
    assert two[1] < 100 * fifth["masks"]["AP50"]


def printed_commands():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in re.findall(r"```[^\n]*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("segtutor "):
                    yield pytest.param(line, id=f"{page.stem}: {line}")


@pytest.mark.parametrize("line", list(printed_commands()))
def test_every_command_on_a_page_is_one(line):
    name, *words = shlex.split(line, comments=True)[1:]
    assert name in COMMANDS
    parser = argparse.ArgumentParser()
    module = importlib.import_module(f"segtutor.commands.{name}")
    module.configure(parser)
    if hasattr(module, "prepare"):
        module.prepare(parser, words)
    parser.parse_args(words)  # leaves the test where an argument is unknown


class TestMadePages:
    """The pages that are made from the course itself."""

    def test_every_page_is_filled(self):
        for path in (ROOT / "docs").glob("*.md"):
            text = teaching.fill(path.read_text(encoding="utf-8"), pages.MAKERS)
            # What ``docs/overview.py`` fills stays marked in the file, to be filled again.
            assert set(re.findall(r"<!-- /?([\w-]+) -->", text)) <= {"lesson-table"}, path.name
            assert text.count("<!--") == text.count("lesson-table -->"), path.name

    def test_results_hold_every_recorded_claim_with_its_verdicts(self):
        text = pages.results()
        for card in overview.recorded():
            section = text.split(f"## {card.claim.title}\n")[1].split("\n## ")[0]
            assert re.findall(r'class="verdict (\w+)"', section) == [verdict for verdict, _, _ in card.verdicts()]
            assert all(outcome in section for _, _, outcome in card.verdicts())
            assert card.provenance in section
        rows = [line.split("|")[3:6] for line in text.splitlines() if line.startswith("| [")]
        for verdict, column in zip(pages.VERDICTS, zip(*rows, strict=True), strict=True):
            assert sum(int(cell) for cell in column if cell.strip()) == overview.numbers().verdicts[verdict]

    def test_differences_hold_every_row_of_every_network(self):
        text = pages.differences()
        found = 0
        for path in (ROOT / "segtutor" / "models").rglob("*.py"):
            for name in re.findall(r"^(\w*DIFFERENCES) = \(", path.read_text(encoding="utf-8"), re.MULTILINE):
                module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                assert all(f"| {row.detail} | {row.paper} |" in text for row in getattr(module, name))
                found += 1
        titles = re.findall(r"^## (.*)", text, re.MULTILINE)
        assert len(titles) == len(set(titles)) == found > 10

    def test_each_remedy_of_the_doctor_answers_a_question(self):
        text = pages.questions()
        for one in REMEDIES.values():
            assert f"### {one.question}\n" in text
            assert "{" not in text
        used = set(re.findall(r'remedy\("([\w ]+)"', (ROOT / "segtutor" / "doctor.py").read_text(encoding="utf-8")))
        assert used == set(REMEDIES)
        assert "`segtutor data get voc2012`." in text

    def test_the_map_has_every_lesson_and_every_arrow(self):
        drawn = course_map.drawing()
        assert drawn.count("<a href=") == len(course_map.stems()) == len(teaching.lessons())
        near = course_map.direct(course_map.before())
        assert drawn.count("<path") == sum(map(len, near.values()))
        assert near["03"] == {"02"}
        assert near["05"] == {"04"}  # its header asks for lessons 1 and 3 as well, which lesson 4 asks for, too
        assert near["09"] == {"05", "08"}

    def test_boxes_of_the_map_lie_apart(self):
        boxes = re.findall(r'<rect x="(-?\d+)" y="(-?\d+)"', course_map.drawing())
        for index, (x, y) in enumerate(boxes):
            for other_x, other_y in boxes[:index]:
                apart = abs(int(x) - int(other_x)) >= course_map.WIDE, abs(int(y) - int(other_y)) >= course_map.HIGH
                assert any(apart)


def test_a_search_puts_the_lesson_first_that_says_the_word_most_often():
    script = (ROOT / "docs" / "_static" / "scorer.js").read_text(encoding="utf-8")
    table = json.loads(re.search(r"const MOST_OFTEN = (\{.*\});", search_order.scorer(script))[1])
    assert table["atrous"] == "notebooks/06a_deeplab_v2"
    assert table["roialign"] == "notebooks/05_mask_rcnn"
    assert table["dice"] == "notebooks/01_metrics"
    with pytest.raises(ValueError, match="which the table takes the place of"):
        search_order.scorer("var Scorer = {};")


def test_every_picture_of_a_page_has_words():
    for path in (ROOT / "docs").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"```\{(?:image|figure)\}[^`]*```", text)
        assert all(re.search(r":alt: .{40,}", block) for block in blocks), path.name
        assert all(len(words) >= 40 for words in re.findall(r"!\[([^\]]*)\]", text)), path.name
