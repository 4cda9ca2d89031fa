"""The movable curve: what its table holds, checked against the COCO evaluator, and what a browser makes of it."""

import json
import re
from html import unescape

import numpy as np
import pytest

from segtutor import metrics
from segtutor.plotting.interactive import METHODS, curve_states, movable_precision_recall
from tests.plotting.browser import browser_page

SIZE = 60, 80


def square(top, left, side):
    mask = np.zeros(SIZE, dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


@pytest.fixture(scope="module")
def case():
    """Four objects; hits of every quality, a duplicate, a false one and one that two objects compete for."""
    objects = [square(2, 2, 12), square(2, 30, 12), square(2, 38, 12), square(40, 10, 10)]
    detections = [
        square(2, 2, 12), square(3, 2, 12), square(2, 32, 12), square(4, 34, 12), square(40, 60, 9), square(41, 13, 10),
        square(30, 30, 5), square(2, 40, 11),
    ]  # fmt: skip
    scores = np.array([0.9, 0.85, 0.5, 0.8, 0.7, 0.3, 0.95, 0.5])
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    return image, np.stack(objects), np.stack(detections), scores


def official(case, threshold):
    """Matches in the order of falling score, by the evaluator that equals COCO's to the last bit."""
    _, objects, detections, scores = case
    order = np.argsort(-scores, kind="stable")
    truth = {
        "images": [{"id": 1, "height": SIZE[0], "width": SIZE[1]}],
        "categories": [{"id": 1, "name": "square"}],
        "annotations": [
            {"id": 1 + k, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": int(mask.sum()),
             "bbox": metrics.rle.to_box(metrics.rle.encode(mask)).tolist(), "segmentation": metrics.rle.encode(mask)}
            for k, mask in enumerate(objects)
        ],
    }  # fmt: skip
    results = [
        {"image_id": 1, "category_id": 1, "score": scores[k], "segmentation": metrics.rle.encode(detections[k])}
        for k in order
    ]
    return metrics.coco_curves(truth, results, iou_thresholds=[threshold])


def test_two_detections_of_one_object_by_hand():
    (state,) = curve_states([0.9, 0.8, 0.7], np.array([[0.6, 0.0], [0.7, 0.1], [0.0, 0.5]]), [0.5])
    assert state["iou"] == "0.50"
    assert state["matched"] == [0, -1, 1]
    assert state["precision"] == [1, 1, 0.5, 0.6667]
    assert state["recall"] == [0, 0.5, 0.5, 1]
    assert state["envelope"] == [1, 1, 0.6667, 0.6667]
    # Envelope 1 up to recall .5, then 2/3: 5 points (1+1+1+2/3+2/3)/5, 11 points (6+5*2/3)/11, 101 (51+50*2/3)/101.
    assert state["passing"] == [
        [0, "undefined (0 of 0)", "0.000", ["0.000", "0.000", "0.000", "0.000"]],
        [1, "1.000", "0.500", ["0.600", "0.545", "0.505", "0.500"]],
        [1, "0.500", "0.500", ["0.600", "0.545", "0.505", "0.500"]],
        [2, "0.667", "1.000", ["0.867", "0.848", "0.835", "0.833"]],
    ]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.55, 0.75, 0.95])
def test_matches_and_ap_are_those_of_the_coco_evaluator(case, threshold):
    _, objects, detections, scores = case
    order = np.argsort(-scores, kind="stable")
    (state,) = curve_states(scores[order], metrics.mask_iou(detections[order], objects), [threshold])
    curves = official(case, threshold)
    assert state["matched"] == curves.matched[0].tolist()
    assert state["passing"][-1][3][METHODS.index("101point")] == f"{curves.summary()['AP']:.3f}"


def test_every_state_is_that_of_the_metrics(case):
    image, objects, detections, scores = case
    figure = movable_precision_recall(image, objects, detections, scores)
    order = np.argsort(-scores, kind="stable")
    assert figure.scores == scores[order].tolist()
    overlaps = metrics.mask_iou(detections[order], objects)
    for state in figure.states:
        is_match = metrics.match_detections(scores[order], overlaps, float(state["iou"]))
        assert [object_ >= 0 for object_ in state["matched"]] == is_match.tolist()
        hit = [object_ for object_ in state["matched"] if object_ >= 0]
        assert len(set(hit)) == len(hit)
        for passing, (hits, precision, recall, values) in enumerate(state["passing"][1:], start=1):
            curve = metrics.precision_recall_curve(scores[order][:passing], is_match[:passing], len(objects))
            assert hits == is_match[:passing].sum()
            assert (precision, recall) == (f"{curve.precision[-1]:.3f}", f"{curve.recall[-1]:.3f}")
            wanted = [metrics.average_precision(curve.precision, curve.recall, method) for method in METHODS]
            assert values == [f"{value:.3f}" for value in wanted]
        for method, points in state["levels"].items():
            heights = np.append(state["envelope"], 0)[points]
            assert f"{heights.mean():.3f}" == state["passing"][-1][3][METHODS.index(method)]


def test_the_page_holds_the_table_and_asks_nobody(case):
    figure = movable_precision_recall(*case)
    page = unescape(figure._repr_html_())  # the figure waits in an attribute
    assert len(page) < 60_000
    packed = re.search(r"data-curve='(.*?)'>", page, re.DOTALL)[1]
    assert json.loads(packed)["states"] == figure.states
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?:|@import|url\(", page)
    assert "8 detections" in repr(figure)
    assert page.count('class="object"') == 4
    assert page.count('class="detection"') == 8


def test_the_outline_runs_along_the_pixels_of_the_mask(case):
    path = re.search(
        r'class="object"><path transform="scale\(.5\)" d="M(\d+) (\d+)l([^"]*)z"', movable_precision_recall(*case).html
    )
    steps = np.array(path[3].split(), dtype=int).reshape(-1, 2)
    x, y = (np.vstack([[int(path[1]), int(path[2])], steps]).cumsum(axis=0) / 2).T
    assert (x.min(), x.max(), y.min(), y.max()) == (2, 14, 2, 14)  # the first object: 12 pixels from (2, 2) on
    assert (x[0], y[0]) == (x[-1], y[-1])
    area = abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    assert area == 12 * 12 - 4 * 0.125  # half a pixel is cut off at each corner: a triangle of 1/8


def test_no_name_stands_on_another_one(case):
    image, objects, detections, scores = case
    twice = movable_precision_recall(image, objects, np.stack([detections[0]] * 3), scores[:3]).html
    for page in (movable_precision_recall(*case).html, twice):
        places = re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="middle">(?:\d|[A-Z])</text></g>', page)
        assert len(places) in (12, 7)
        places = np.array(places, dtype=int)
        apart = np.abs(places[:, None] - places).max(axis=2) + 99 * np.eye(len(places))
        assert apart.min() >= 8, "nine, and a rounding"


def test_an_empty_mask_and_no_detection_can_be_shown(case):
    image, objects, detections, scores = case
    empty = np.concatenate([detections, np.zeros((1, *SIZE), dtype=bool)])
    assert movable_precision_recall(image, objects, empty, [*scores, 0.1]).states[0]["matched"][-1] == -1
    nothing = movable_precision_recall(image, objects, detections[:0], scores[:0])
    assert nothing.states[0]["passing"] == [[0, "undefined (0 of 0)", "0.000", ["0.000"] * 4]]


def test_the_case_is_not_changed_and_order_does_not_matter(case):
    image, objects, detections, scores = case
    before = [array.copy() for array in case]
    page = movable_precision_recall(image, objects, detections, scores).html
    assert all((array == old).all() for array, old in zip(case, before, strict=True))
    distinct = scores + np.arange(8) / 1000  # equal scores keep their order, so only distinct ones can be shuffled
    shuffled = np.random.default_rng(1).permutation(8)
    first = movable_precision_recall(image, objects, detections, distinct).html
    assert first == movable_precision_recall(image, objects, detections[shuffled], distinct[shuffled]).html
    assert first != page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [0.5]}, "one score"),
        ({"scores": [1.5] * 8}, "0...1"),
        ({"scores": [float("nan")] * 8}, "0...1"),
        ({"objects": np.ones((2, 5, 5), dtype=bool)}, "as large as the image"),
        ({"detections": np.ones((8, 5, 5), dtype=bool)}, "as large as the image"),
        ({"objects": np.zeros((0, *SIZE), dtype=bool)}, "at least one object"),
        ({"start": (0.5, 0.51)}, "start must be"),
        ({"start": (-0.5, 0.5)}, "start must be"),
    ],
)
def test_wrong_arguments_are_named(case, change, message):
    arguments = dict(zip(("image", "objects", "detections", "scores"), case, strict=True)) | change
    with pytest.raises(ValueError, match=re.escape(message)):
        movable_precision_recall(**arguments)


def test_in_a_browser_the_figure_moves_and_says_what_python_says(case):
    figure = movable_precision_recall(*case)
    with browser_page() as page:
        page.set_default_timeout(900_000)  # finds hangs
        errors, requests = [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(f"<!doctype html><meta charset='utf-8'>{figure.html}<hr>{figure.html}")
        page.wait_for_function("document.querySelectorAll('.segtutor-curve[data-live]').length === 2")
        first, second = page.locator(".segtutor-curve").all()
        untouched = second.inner_text()
        for score, position in ((0.5, 4), (0.0, 0), (0.86, 4), (1.0, 4), (0.3, 13), (0.8, 9)):
            first.locator(".score").fill(str(score))
            first.locator(".iou").fill(str(position))
            state = figure.states[position]
            passing = sum(value >= score for value in figure.scores)
            hits, precision, recall, values = state["passing"][passing]
            assert first.locator(".says").inner_text() == (
                f"{passing} of 8 detections pass: {hits} hit an object, {passing - hits} do not; "
                f"{4 - hits} of 4 objects are missed. Precision {precision}, recall {recall}."
            )
            table = [
                [cell.strip() for cell in row.split("\t")] for row in first.locator(".ap tbody tr").all_inner_texts()
            ]
            assert [row[1] for row in table] == state["passing"][-1][3]
            assert [row[2] for row in table] == values
            kinds = ["hit" if k >= 0 else "false" for k in state["matched"][:passing]] + ["below"] * (8 - passing)
            drawn = [item.get_attribute("class").split()[1] for item in first.locator(".detection").all()]
            assert drawn == kinds
            assert first.locator(".object.missed").count() == 4 - hits
        assert second.inner_text() == untouched

        # Each slider is known by its label, and the keyboard moves it.
        for number, (label, value) in enumerate((("Score at least", "0.81"), ("IoU at least", "0.80"))):
            first.get_by_label(label).focus()
            page.keyboard.press("ArrowRight")
            assert first.locator("output").nth(number).inner_text() == value

        # JupyterLab and pages that turn with the arrow keys leave those of the sliders alone.
        assert (
            first.get_by_label("IoU at least").locator("xpath=ancestor::*[@data-lm-suppress-shortcuts='true']").count()
        )
        page.evaluate("document.addEventListener('keydown', () => document.body.dataset.heard = 'yes')")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.body.dataset.heard") is None

        # A cell that is run again leaves the figures of the others as they are.
        said = first.locator(".says").inner_text()
        page.evaluate(
            "html => document.body.append(document.createRange().createContextualFragment(html))", figure.html
        )
        assert page.locator(".segtutor-curve[data-live]").count() == 3
        assert first.locator(".says").inner_text() == said
        assert page.locator(".segtutor-curve").nth(2).inner_text() == untouched
        assert not errors
        assert not [url for url in requests if not url.startswith(("data:", "about:"))]
