"""Numbers on the site's pages are those that were recorded."""

import argparse
import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

from segtutor.cli import COMMANDS

ROOT = Path(__file__).parents[1]


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
    assert f"{half:.1f} % after half of them" in page
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
    assert f"the two fifths give {two[0]:.1f} and {two[1]:.1f} %" in page


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
