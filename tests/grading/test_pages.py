"""The pages for learner and instructor say what is so, and nothing that only the grader may know."""

from segtutor.exercises.catalog import find
from segtutor.grading import class_report, feedback
from segtutor.grading.conduct import Pair
from segtutor.grading.folder import Row
from segtutor.grading.points import Grade
from segtutor.grading.submissions import LeftOut

IOU = find("1.1")
MISTAKE = next(one.hint for one in IOU.mistakes if one.hint != "general")


def row(student, *grades):
    return Row(student, f"{student}.ipynb", "1", grades)


ROWS = [
    row("anna", Grade("1.1", 2.0, 2), Grade("1.6", 1.0, 3, "5 of 9 cases; wrong result: x <y>", "x <y>")),
    row("ben", Grade("1.1", 0.5, 2, "7 of 16", "two", MISTAKE), Grade("1.6", 3.0, 3)),
    row("cleo & co", Grade("1.1", 0.5, 2, "7 of 16", "two", MISTAKE), Grade("1.6", 0.0, 3, "f is missing or empty")),
]


def test_tasks_are_counted_by_hand():
    iou, second = class_report.tasks_of(ROWS)
    assert (iou.handed_in, iou.full, iou.part, iou.empty, iou.other) == (3, 1, 2, 0, 0)
    assert iou.mistakes == ((MISTAKE, 2),)
    assert iou.sentences == [f"2 of 3: {IOU.hints[MISTAKE].first}"]
    assert (second.full, second.part, second.empty, second.other, second.mistakes) == (1, 1, 1, 1, ())


def test_the_class_page_names_mistakes_pairs_and_files():
    text = class_report.page(ROWS, [LeftOut("a<b>.zip", "broken")], [Pair("anna", "ben", ("1.6",), 0.95)])
    assert "2 of 3: " in text
    assert "a&lt;b&gt;.zip" in text
    assert "95 %" in text
    assert "<b>.zip" not in text
    assert "http" not in text
    assert "half of them have 60 % of the points or more" in text  # 3 of 5, 3.5 of 5, 0.5 of 5


def test_a_class_of_nobody_has_a_page_too():
    assert "0 submissions." in class_report.page([], [], [])


def test_feedback_shows_points_the_first_public_case_and_a_hint():
    text = feedback.page(ROWS[0])
    assert "3 of 5 points" in text
    assert "x &lt;y&gt;" in text
    assert "all right" in text
    assert IOU.hints[MISTAKE].first.split("`")[0][:20].replace("'", "&#x27;") in feedback.page(ROWS[1])


def test_learners_never_share_a_page():
    names = [feedback.file_name(row(student)) for student in ("Anna Smith", "Anna_Smith", "张伟", "李娜", "a/b", "a b")]
    assert len(set(names)) == len(names)
    assert all("/" not in name for name in names)
