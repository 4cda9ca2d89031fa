"""What ``segtutor evaluate`` writes: every picture as it comes, the worst of them on a page, the scores at the end."""

from __future__ import annotations

import base64
import csv
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.commands.detector_page import COLORS, DetectorReport
from segtutor.commands.worst_page import describe
from segtutor.datasets import ImageFolder
from segtutor.inference import evaluate, evaluate_detector
from segtutor.labels import SCENES, LabelSet
from segtutor.metrics import boundary_iou

NAMES = ["background", "cat", "dog"]


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(line.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Six pictures of two sizes with masks, and a network of their classes."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "own" / part / "val").mkdir(parents=True)
        (tmp_path / "own" / part / "train").mkdir(parents=True)
    for number in range(6):
        size = (40, 52) if number % 2 else (36, 64)
        target = np.kron(random.integers(0, 3, (size[0] // 4, size[1] // 4)), np.ones((4, 4))).astype(np.uint8)
        target[:3] = 255
        picture = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        for part in ("val", "train"):
            Image.fromarray(picture).save(tmp_path / "own" / "images" / part / f"p{number}.png")
            Image.fromarray(target).save(tmp_path / "own" / "masks" / part / f"p{number}.png")
    (tmp_path / "own" / "classes.txt").write_text("\n".join(NAMES))
    torch.manual_seed(0)
    models.save_weights(models.create("deeplabv3_tiny", num_classes=3), "net.pt", labels=NAMES)
    return tmp_path


class Page(HTMLParser):
    """Pictures and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.addresses = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "img":
            self.pictures.append(values)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        assert tag not in ("script", "link")


def test_errors_are_told_apart_and_add_up(folder, capsys):
    assert segtutor("evaluate --weights net.pt --data own --errors --out report --device cpu") == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("% of errors", "missed", "invented", "boundary", "extent", "segment"))
    assert " taken for " in said
    shares = json.loads((folder / "report" / "scores.json").read_text(encoding="utf-8"))["errors"]
    for side in ("missed", "invented"):
        assert sum(one[side] for one in shares.values()) == pytest.approx(1)


def test_the_report_says_what_evaluate_found(folder, capsys):
    assert segtutor("evaluate --weights net.pt --data own --boundary --flip --out report --worst 2 --device cpu") == 0
    said = capsys.readouterr().out
    model = models.create("deeplabv3_tiny", weights="net.pt")
    dataset = ImageFolder(folder / "own", split="val")
    seen = []
    score = evaluate(model, dataset, flip=True, boundary=True, each=seen.append, progress=False)
    assert [one.index for one in seen] == list(range(6))
    assert all(one.prediction.shape == one.target.shape == one.image.shape[1:] for one in seen)

    with (folder / "report" / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, one in zip(rows, seen, strict=True):
        assert float(row["mean IoU"]) == pytest.approx(one.confusion.mean_iou(), abs=1e-4)
        assert f"p{one.index}.png" in row["picture"]
    with (folder / "report" / "classes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert float(row["IoU in %"]) == pytest.approx(100 * score.iou[row["class"]], abs=0.006)
    written = json.loads((folder / "report" / "scores.json").read_text(encoding="utf-8"))
    assert written["mean_iou"] == pytest.approx(score.mean_iou)
    assert written["mean_boundary_iou"] == pytest.approx(score.outlines.mean_boundary_iou())
    assert f"mean boundary IoU {100 * score.outlines.mean_boundary_iou():.2f} %" in said
    for text in ("at their own size, shown as they are and mirrored", "precision", "boundary IoU"):
        assert text in said

    text = (folder / "report" / "worst.html").read_text(encoding="utf-8")
    page = Page(text)
    worst = sorted(seen, key=lambda one: one.confusion.mean_iou())[:2]
    assert text.index(f"p{worst[0].index}.png") < text.index(f"p{worst[1].index}.png")
    assert len(page.pictures) == 2 * 4
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert all(len(picture["alt"]) > 10 for picture in page.pictures)
    drawn = [
        np.array(Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2]))))
        for picture in page.pictures
    ]
    wrong = (worst[0].target != worst[0].prediction) & (worst[0].target != 255)
    assert np.array_equal((drawn[3] == [214, 39, 40]).all(axis=2), wrong.numpy())
    share = 100 * float(wrong.sum()) / float((worst[0].target != 255).sum())
    assert f"{share:.1f} % of its pixels are wrong" in page.pictures[3]["alt"]


def test_a_picture_that_cannot_be_scored_leaves_what_was_found_before(folder, capsys):
    (folder / "own" / "images" / "val" / "p4.png").write_bytes(b"damaged")
    assert segtutor("evaluate --weights net.pt --data own --out report --device cpu") == 2
    said = capsys.readouterr().err
    assert "p4.png" in said
    if (folder / "report").exists():  # found by a look before the work, or on the way
        assert "4 pictures were scored before" in said
        assert len((folder / "report" / "pictures.csv").read_text(encoding="utf-8").splitlines()) == 5
        assert "not come to its end" in (folder / "report" / "worst.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--weights net.pt --data own --out net.pt", "must be a folder"),
        ("--weights net.pt --data own --scales 0", "scales are"),
        ("--model maskrcnn_tiny --boundary", "maskrcnn_tiny is a detector"),
    ],
)
def test_mistakes_get_one_sentence(folder, capsys, line, message):
    before = sorted(folder.iterdir())
    assert segtutor(f"evaluate {line}") == 2
    assert message in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_outlines_are_summed_over_the_data_set():
    from segtutor.inference.outlines import OutlineScores

    target, found = (np.zeros((30, 40), np.int64) for _ in range(2))
    target[5:20, 5:20], found[6:20, 5:22] = 1, 1
    scores = OutlineScores(3, 255)
    scores.update(target, found)
    expected = [boundary_iou(target == number, found == number) for number in (0, 1)]
    assert scores.boundary_iou()[:2] == pytest.approx(expected)
    assert np.isnan(scores.boundary_iou()[2])
    scores.update(target, target)  # an outline that is right counts as much again
    assert np.all(scores.boundary_iou()[:2] > expected)
    void = np.full_like(target, 255)
    before = scores.boundary_iou()
    scores.update(void, found)
    np.testing.assert_array_equal(scores.boundary_iou(), before)


def test_the_largest_confusions_are_told_in_words():
    matrix = np.zeros((len(SCENES), len(SCENES)), np.int64)
    assert describe(matrix, SCENES) == "Every pixel is right."
    cat, dog = SCENES.names.index("cat"), SCENES.names.index("dog")
    matrix[cat, dog], matrix[cat, cat], matrix[0, 0] = 10, 20, 70
    assert describe(matrix, SCENES) == "10.0 % of the pixels are cat and were taken for dog."


def square(x, y, side, size=(40, 60)):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[y : y + side, x : x + side] = True
    return mask


def as_parts(rows, scores=None):
    """Boxes, labels, masks and maybe scores of rows (x, y, side, label)."""
    parts = {
        "boxes": torch.tensor([[x, y, x + side, y + side] for x, y, side, _ in rows], dtype=torch.float32).reshape(
            -1, 4
        ),
        "labels": torch.tensor([label for *_, label in rows], dtype=torch.int64),
        "masks": torch.stack([square(x, y, side) for x, y, side, _ in rows]) if rows else torch.zeros(0, 40, 60).bool(),
    }
    return parts if scores is None else {**parts, "scores": torch.tensor(scores)}


class Pictures(torch.utils.data.Dataset):
    """Gray pictures with the objects of some rows."""

    labels = LabelSet("d", ("background", "cat", "dog"), ((0, 0, 0), (9, 9, 9), (99, 9, 9)))

    def __init__(self, targets):
        self.targets = targets

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return torch.full((3, 40, 60), 0.5), self.targets[index]


def test_a_detectors_report_counts_found_missed_and_false_by_hand(tmp_path, monkeypatch):
    """Two cats, a dog and a crowd: the first cat is found well, the second too small, the dog taken for a cat."""
    objects = [(2, 2, 10, 1), (20, 2, 10, 1), (40, 2, 10, 2), (2, 20, 20, 2)]
    target = {**as_parts(objects), "iscrowd": torch.tensor([0, 0, 0, 1])}
    # A cat in the crowd of dogs is false, a dog there counts nowhere; the dog of score .4 is not looked at.
    rows = [(3, 2, 10, 1), (20, 2, 5, 1), (40, 2, 10, 1), (4, 22, 5, 2), (10, 25, 5, 1), (40, 2, 10, 2)]
    first = as_parts(rows, [0.9, 0.9, 0.8, 0.7, 0.6, 0.4])
    nothing, missed = as_parts([], []), as_parts([(5, 5, 8, 2)])
    answers = iter([first, nothing, nothing])
    monkeypatch.setattr("segtutor.inference.detect_scores.detect", lambda model, image: next(answers))
    dataset = Pictures([target, as_parts([]), missed])
    report = DetectorReport(tmp_path / "report", "title", dataset, worst=2)
    model = models.create("maskrcnn_tiny", num_classes=3)
    score = evaluate_detector(model, dataset, progress=False, each=report)

    with report.paths["pictures.csv"].open(encoding="utf-8", newline="") as file:
        rows = [list(row.values())[1:] for row in csv.DictReader(file)]
    assert rows == [[f"{2 / (2 + 2 + 3):.4f}", "1", "2", "3"], ["", "0", "0", "0"], ["0.0000", "0", "1", "0"]]
    text = report.paths["worst.html"].read_text(encoding="utf-8")
    assert "not come to its end" in text
    report.finish(score)
    text = report.paths["worst.html"].read_text(encoding="utf-8")
    page = Page(text)
    assert text.index("0.0 % F1") < text.index("28.6 % F1")
    assert len(page.pictures) == 2 * 3  # the picture without objects and detections has no F1
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert page.pictures[4]["alt"] == "Objects: 1 found (1 cat), 2 missed (1 cat, 1 dog), 1 crowd (1 dog)."
    assert page.pictures[5]["alt"] == "Detections: 1 found (1 cat), 3 false (3 cat), 1 crowd (1 dog)."
    objects_drawn, found_drawn = (
        np.array(Image.open(io.BytesIO(base64.b64decode(page.pictures[at]["src"].partition(",")[2])))) for at in (4, 5)
    )
    assert objects_drawn.shape == (40, 60, 3)
    for drawn, (x, y), word in (
        (objects_drawn, (2, 2), "found"),
        (objects_drawn, (20, 2), "missed"),
        (objects_drawn, (2, 20), "crowd"),
        (found_drawn, (3, 2), "found"),
        (found_drawn, (20, 2), "false"),
    ):
        assert tuple(drawn[y, x].tolist()) == COLORS[word]
    scores = json.loads(report.paths["scores.json"].read_text(encoding="utf-8"))
    assert scores["objects"] == 5
    assert scores["masks"]["AP50"] == pytest.approx(score.masks["AP50"], abs=1e-4)


def test_evaluate_writes_the_report_of_a_detector(folder, capsys):
    line = "evaluate --model maskrcnn_tiny --count 3 --size 64x96 --device cpu --out report --worst 1"
    assert segtutor(line) == 0
    assert "pictures.csv" in capsys.readouterr().out
    with (folder / "report" / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = json.loads((folder / "report" / "scores.json").read_text(encoding="utf-8"))
    assert sum(int(row["found"]) + int(row["missed"]) for row in rows) == scores["objects"]
    assert len(Page((folder / "report" / "worst.html").read_text(encoding="utf-8")).pictures) == 3
