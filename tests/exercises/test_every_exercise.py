"""Every exercise: its hand-worked values, its right answers, its wrong answers and the hint that each one gets."""

import ast
import dataclasses
import inspect
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import judge
from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import FROM_REFERENCE, Case
from segtutor.exercises.lesson01 import predictions as analysis
from segtutor.exercises.matrix import mutant_matrix, report_of_mistake

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"
ALL = list(exercises().values())
MISTAKES = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]
ALTERNATIVES = [(exercise, answer) for exercise in ALL for answer in exercise.alternatives]


def made_up_predictions():
    """Stands in for the network: void, an absent class, a small class that is mostly missed, pictures that differ."""
    generator = np.random.default_rng(0)
    targets, found = [], []
    for right in (0.98, 0.9, 0.75, 0.6):
        target = generator.choice([0, 1, 2, 4], p=[0.6, 0.25, 0.1, 0.05], size=(24, 30))
        guess = np.where(generator.random(target.shape) < right, target, generator.choice([0, 1, 2], size=target.shape))
        guess = np.where((target == 4) & (generator.random(target.shape) < 0.7), 1, guess)
        guess[0, :3] = 4
        targets.append(np.where(generator.random(target.shape) < 0.08, 255, target))
        found.append(guess)
    return targets, found, ("sky", "road", "tree", "boat", "pole"), 255


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    for exercise in ALL:
        if exercise.id == "1.11":
            monkeypatch.setitem(exercise.__dict__, "given", made_up_predictions)
            exercise.__dict__.pop("wanted", None)
    yield
    for exercise in ALL:
        if exercise.asks_for_values:
            exercise.__dict__.pop("wanted", None)


def answer_of(exercise, function):
    return function(*exercise.given()) if exercise.asks_for_values else function


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_reference_gives_the_hand_worked_values(exercise):
    by_hand = [case for case in exercise.cases if case.wanted is not FROM_REFERENCE]
    assert len(by_hand) >= 3 or exercise.asks_for_values
    for case in by_hand:
        with np.errstate(all="ignore"):
            found = exercise.prepared(exercise.reference)(*case.arguments)
            assert difference(found, case.wanted, 1e-12) is None, case.name


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_has_enough_wrong_and_right_answers(exercise):
    assert len(exercise.mistakes) >= 8
    assert len(exercise.alternatives) >= 3
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert len({hint.first for hint in exercise.hints.values()}) == len(exercise.hints)


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_reference_passes_in_time_and_leaves_the_inputs_alone(exercise):
    started = time.process_time()  # of the processor: other programs do not count
    report = judge(exercise, answer_of(exercise, exercise.reference), 0)
    assert report, report
    assert report.passed_cases == report.cases == len(exercise.cases)
    assert time.process_time() - started < max(2, exercise.seconds)


@pytest.mark.parametrize(("exercise", "answer"), ALTERNATIVES, ids=lambda one: getattr(one, "id", None) or one.__name__)
def test_right_answers_written_differently_pass(exercise, answer):
    report = judge(exercise, answer_of(exercise, answer), 0)
    assert report, report


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=lambda one: getattr(one, "id", None) or one.name)
def test_wrong_answers_get_the_hint_that_fits(exercise, mistake):
    once, again = (report_of_mistake(exercise, mistake, tries) for tries in (1, 2))
    assert once.state == "not yet", once
    assert once.hint == mistake.hint, once
    assert once.hints == (exercise.hints[mistake.hint].first,)
    assert again.hints == (exercise.hints[mistake.hint].first, exercise.hints[mistake.hint].second)
    assert 0 <= once.passed_cases < once.cases


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_every_hint_is_reachable(exercise):
    told = {mistake.hint for mistake in exercise.mistakes} | {case.hint for case in exercise.cases} | {"general"}
    assert set(exercise.hints) == told


def test_mutant_matrix_has_a_row_for_every_mistake_and_all_fit():
    rows = mutant_matrix().splitlines()[2:]
    assert len(rows) == len(MISTAKES)
    assert all(row.endswith("| yes |") for row in rows)


def test_mutant_matrix_shows_a_hint_that_does_not_fit():
    """Two mistakes that the cases cannot tell apart: the second one gets the hint of the first."""
    exercise = exercises()["1.1"]
    twins = (exercise.mistakes[0], dataclasses.replace(exercise.mistakes[0], name="twin", hint="dice"))
    rows = mutant_matrix([dataclasses.replace(exercise, mistakes=twins)]).splitlines()[2:]
    assert [row.endswith("| yes |") for row in rows] == [True, False]


def test_a_hint_that_is_not_declared_is_refused():
    with pytest.raises(ValueError, match="hints that it does not declare: no such hint"):
        dataclasses.replace(exercises()["1.1"], cases=(Case("x", hint="no such hint"),))


# Wrong answers that no declaration knows: written otherwise, or with two mistakes at once.
def dice_in_torch(a, b):
    import torch

    a, b = torch.from_numpy(a), torch.from_numpy(b)
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def recall_with_zero_for_empty(a, b):
    return float((a & b).sum() / a.sum()) if a.any() else 0.0


def confusion_transposed_by_loops(target, prediction, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes))
    for wanted, predicted in zip(target.ravel(), prediction.ravel(), strict=True):
        if wanted != ignore_index:
            matrix[predicted, wanted] += 1
    return matrix


def nan_as_zero_and_mean(matrix):
    iou = [matrix[k, k] / max(matrix[k].sum() + matrix[:, k].sum() - matrix[k, k], 1) for k in range(len(matrix))]
    return iou, sum(iou) / len(iou)


def curve_sorted_and_reversed(scores, is_match, num_positives):
    pairs = sorted(((score, number) for number, score in enumerate(scores) if is_match[number] >= 0), reverse=True)
    hits = np.cumsum([is_match[number] for _, number in pairs])
    return hits / np.arange(1, len(hits) + 1), hits / num_positives


def matches_first_of_equals(overlaps, threshold):
    left, hits = overlaps.copy(), []
    for row in left:
        best = int(row.argmax()) if row.size and row.max() >= threshold else -1
        hits.append(best)
        if best >= 0:
            left[:, best] = -1
    return hits


@pytest.mark.parametrize(
    ("exercise_id", "answer", "hint"),
    [
        ("1.1", dice_in_torch, "dice"),
        ("1.1", recall_with_zero_for_empty, "one mask"),
        ("1.2", confusion_transposed_by_loops, "axes"),
        ("1.3", nan_as_zero_and_mean, "absent"),
        ("1.7", curve_sorted_and_reversed, "ties"),
        ("1.9", matches_first_of_equals, "tie"),
    ],
)
def test_undeclared_wrong_answers_get_a_fitting_hint(exercise_id, answer, hint):
    report = judge(exercises()[exercise_id], answer, 1)
    assert report.state == "not yet"
    assert report.hint == hint


def test_references_agree_with_the_package():
    from segtutor import metrics
    from segtutor.exercises.lesson01.inputs import random_label_maps

    reference = {one.id: one.reference for one in ALL}
    for seed in range(10):
        target, prediction = random_label_maps(seed, (15, 20), 6)
        counted = metrics.ConfusionMatrix(6)
        counted.update(target, prediction)
        matrix = reference["1.2"](target, prediction, 6, 255)
        np.testing.assert_array_equal(matrix, np.asarray(counted.matrix))
        iou, mean = reference["1.3"](matrix)
        np.testing.assert_allclose(iou, np.asarray(counted.iou()), rtol=1e-12)
        assert mean == pytest.approx(counted.mean_iou(), rel=1e-12)
        assert reference["1.4"](iou) == pytest.approx(np.nanmean(np.asarray(counted.dice())), rel=1e-12)
        scores, is_match = np.random.default_rng(seed).random((2, 40)).round(1)
        is_match = is_match > 0.5
        precision, recall = reference["1.7"](scores, is_match, 31)  # 31: no recall but 1 is exactly a level
        curve = metrics.precision_recall_curve(scores, is_match, 31, ties="order")
        for method in ("area", "11point"):
            ours = reference["1.8"](precision, recall, method)
            assert ours == pytest.approx(metrics.average_precision(curve.precision, curve.recall, method), rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_coco_ap_agrees_with_the_official_evaluator(seed, capsys):
    coco_api = pytest.importorskip("pycocotools.coco")
    evaluator = pytest.importorskip("pycocotools.cocoeval")
    generator = np.random.default_rng(seed)
    truth = {"info": {}, "images": [], "annotations": [], "categories": [{"id": 1, "name": "boat"}]}
    found, scores, overlaps = [], [], []
    for image_id in range(1, 13):
        objects = generator.uniform(20, 80, (generator.integers(0, 5), 4)).round()
        kept = objects[generator.random(len(objects)) < 0.8]
        boxes = np.concatenate([kept + generator.normal(0, 4, kept.shape), generator.uniform(20, 80, (2, 4))]).round(1)
        confidence = generator.random(len(boxes)).round(1)  # with ties
        truth["images"].append({"id": image_id, "width": 200, "height": 200})
        for box in objects.tolist():
            entry = {"id": len(truth["annotations"]) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0}
            truth["annotations"].append(entry | {"bbox": box, "area": box[2] * box[3]})
        for box, score in zip(boxes.tolist(), confidence.tolist(), strict=True):
            found.append({"image_id": image_id, "category_id": 1, "bbox": box, "score": score})
        scores.append(confidence)
        overlaps.append(box_iou(boxes, objects))
    official = coco_api.COCO()
    official.dataset = truth
    official.createIndex()
    run = evaluator.COCOeval(official, official.loadRes(found), "bbox")
    run.evaluate()
    run.accumulate()
    run.summarize()
    assert exercises()["1.10"].reference(scores, overlaps) == pytest.approx(run.stats[0], abs=1e-9)


def box_iou(a, b):
    """IoU of boxes x, y, width, height."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    return both / (a[:, None, 2:].prod(axis=2) + b[None, :, 2:].prod(axis=2) - both)


def test_analysis_by_hand():
    targets = [np.array([[0, 0, 0, 1]]), np.array([[0, 1, 2, 255]])]
    found = [np.array([[0, 0, 0, 0]]), np.array([[0, 1, 1, 2]])]
    answers = analysis.answers(targets, found, ("sky", "road", "pole"), 255)
    assert answers["pixel_accuracy"] == pytest.approx(5 / 7)
    assert answers["mean_iou"] == pytest.approx((4 / 5 + 1 / 3 + 0) / 3)
    assert answers["mean_iou_per_image"] == pytest.approx(((3 / 4 + 0) / 2 + (1 + 1 / 2 + 0) / 3) / 2)
    assert answers["constant_accuracy"] == pytest.approx(4 / 7)
    assert (answers["worst_class"], answers["taken_by"], answers["why"]) == ("pole", "road", "b")


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_the_notebook_says_what_is_declared(exercise):
    """The master's text, stub and solution are those of the declaration."""
    jupytext = pytest.importorskip("jupytext")
    (master,) = SOURCES.glob(f"assignment_{int(exercise.lesson):02d}_*.py")
    cells = jupytext.reads(master.read_text(encoding="utf-8"), fmt="py:percent").cells
    assert any(cell.cell_type == "markdown" and exercise.markdown in cell.source for cell in cells)
    checks = f'segtutor.check("{exercise.id}", {exercise.name})'
    code = [cell for cell in cells if cell.cell_type == "code"]
    (cell,) = [cell for cell in code if checks in cell.source]
    if exercise.asks_for_values:
        stub = [line.strip().removeprefix("# STUB: ") for line in cell.source.splitlines() if "# STUB: " in line]
        assert "\n".join(stub) == exercise.stub.strip()
        assert f"# BEGIN SOLUTION\n{exercise.solution.strip()}\n# END SOLUTION" in cell.source
        return
    *head, task = exercise.stub.strip().splitlines()
    assert task == f'    raise NotImplementedError("Write {exercise.name}() here, then run this cell again.")'
    (cell,) = [cell for cell in code if "\n".join([*head, "    # BEGIN SOLUTION"]) in cell.source]
    solved = next(one for one in ast.parse(cell.source).body if isinstance(one, ast.FunctionDef))
    declared = ast.parse(textwrap.dedent(inspect.getsource(exercise.reference))).body[0]
    assert [ast.dump(step) for step in solved.body[1:]] == [ast.dump(step) for step in declared.body[1:]]
    assert ast.get_docstring(solved) == ast.get_docstring(declared)
    assert [one.arg for one in solved.args.args] == list(exercise.parameters)


@pytest.fixture
def real_predictions():
    try:
        return analysis.scene_predictions()
    except ValueError as error:  # a checkout whose checkpoint was not made yet
        pytest.skip(str(error))


def test_the_real_predictions_have_one_clear_answer_to_each_question(real_predictions):
    targets, predictions, names, ignore_index = real_predictions
    answers = analysis.answers(*real_predictions)
    assert answers["mean_iou"] + 0.02 < answers["pixel_accuracy"], "else the question why has another answer"
    assert abs(answers["mean_iou"] - answers["mean_iou_per_image"]) > 0.005, "else the two means cannot be told apart"
    assert answers["constant_accuracy"] < answers["pixel_accuracy"], "else the network learned nothing"
    matrix = sum(
        exercises()["1.2"].reference(target, one, len(names), ignore_index)
        for target, one in zip(targets, predictions, strict=True)
    )
    iou, _ = exercises()["1.3"].reference(matrix)
    present = np.sort(iou[matrix.sum(axis=1) > 0])
    assert present[1] > present[0], "else two classes are the worst"
    worst = names.index(answers["worst_class"])
    taken = np.sort(np.delete(matrix[worst], worst))
    assert taken[-1] > taken[-2], "else two classes take the most pixels"
