"""What code must not do is seen in its structure; what two submissions share is reported."""

import pytest

from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.solutions import code_of
from segtutor.grading.conduct import alike, answers, forbidden, is_the_solution
from segtutor.grading.folder import given_to

LONG = find("1.10")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("from segtutor.exercises.catalog import find\niou = find('1.1').reference", "imports find"),
        ("import segtutor.exercises.catalog as c\niou = c.find('1.1').reference", "imports segtutor's exercises"),
        ("import segtutor\niou = segtutor.exercises.catalog.exercises()['1.1'].reference", ".reference"),
        ("iou = segtutor.use('1.1', None)\niou.stands_in_for = 3\nx = iou.stands_in_for", "stands_in_for"),
        ("import importlib\nm = importlib.import_module('segtutor.exercises.lesson01.iou')", "reaches into"),
        ("from segtutor.exercises.lesson01.iou import iou", "imports iou"),
        ("from segtutor.grading.stand_ins import Asker", "imports Asker"),
        ("def f():\n    from segtutor.exercises.lesson01 import EXERCISES\n    return EXERCISES", "imports EXERCISES"),
    ],
)
def test_ways_to_the_solution(source, says):
    assert says in forbidden([source], given_to("1"))


@pytest.mark.parametrize(
    "source",
    [
        "from segtutor.exercises.lesson01 import scene_predictions",
        "import segtutor\nsegtutor.check('1.1', iou)",
        "text = 'see segtutor.exercises. and its .reference'",
        "# stands_in_for, segtutor.exercises.lesson01.iou",
        "paper.reference.title = 'FCN'",
        "this is no Python (",
        "%matplotlib inline\n!pip list\nx = 1",
    ],
)
def test_what_anybody_may_write(source):
    assert forbidden([source], given_to("1")) == ""


@pytest.mark.parametrize("lesson", sorted({one.lesson for one in exercises().values()}, key=int))
def test_no_assignment_and_no_solved_notebook_breaks_a_rule(lesson):
    import nbformat

    from segtutor.resources import folder

    for kind in ("assignments", "solutions"):
        for path in (folder("notebooks") / kind).glob(f"{int(lesson):02d}_*.ipynb"):
            cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
            assert forbidden(cells, given_to(lesson)) == ""


def test_the_published_solution_to_the_letter_and_one_that_is_ones_own():
    code = code_of(LONG)
    assert is_the_solution(answers([code], [LONG])[LONG.id], LONG)
    with_words = code.replace('"""', '"""Mine. ', 1)
    assert is_the_solution(answers([f"# mine\n{with_words}"], [LONG])[LONG.id], LONG)
    own = code + "    "
    renamed = own.replace("scores", "confidences")
    assert renamed != own
    assert not is_the_solution(answers([renamed], [LONG])[LONG.id], LONG)
    short = find("1.1")
    assert not is_the_solution(answers([code_of(short)], [short])[short.id], short), "everybody writes this"


def test_two_that_are_alike_are_reported_whatever_they_call_things():
    code = code_of(LONG)
    renamed = code.replace("scores", "s").replace("# ", "# my ")
    other = f"def {LONG.name}(*inputs):\n" + "\n".join(f"    value_{i} = inputs[{i}] ** {i}" for i in range(30))
    read = {name: answers([text], [LONG]) for name, text in {"a": code, "b": renamed, "c": other, "d": ""}.items()}
    (pair,) = alike(read)
    assert (pair.one, pair.other, pair.exercises) == ("a", "b", (LONG.id,))
    assert pair.share == 1.0
