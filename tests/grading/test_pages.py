"""The pages for learner and instructor say what is so, and nothing that only the grader may know."""

import json

import pytest

from segtutor import resources
from segtutor.exercises.catalog import find
from segtutor.exercises.varied import notebook_of
from segtutor.grading import class_report, feedback, own_words, tables
from segtutor.grading.conduct import Pair
from segtutor.grading.folder import Row
from segtutor.grading.notebooks import Handed
from segtutor.grading.points import Grade
from segtutor.grading.submissions import LeftOut, Submission
from segtutor.notebook_files import without_outputs

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
    named = [one.name for one in IOU.mistakes if one.hint == MISTAKE]
    assert iou.sentences == [(f"2 of 3, like “{named[0]}”", IOU.hints[MISTAKE].first)]
    assert (second.full, second.part, second.empty, second.other, second.mistakes) == (1, 1, 1, 1, ())


def test_the_class_page_names_mistakes_pairs_and_files():
    text = class_report.page(
        ROWS, [LeftOut("a<b>.zip", "broken")], [Pair("anna", "ben", ("1.6",), 0.95)], "limits & no more"
    )
    assert "Each ran with limits &amp; no more." in text
    assert "2 of 3, like " in text
    assert "a&lt;b&gt;.zip" in text
    assert "95 %" in text
    assert "<b>.zip" not in text
    assert "http" not in text
    assert "half of them have at least 60 % of the points" in text  # 3 of 5, 3.5 of 5, 0.5 of 5


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


def test_canvas_gets_its_own_number_where_a_file_name_has_it():
    rows = [
        Row("anna", "deep/smithanna_LATE_77_4567_01.ipynb", "1", (Grade("1.1", 1.5, 2),)),
        Row("12345", "b.ipynb", "1", (Grade("1.1", 2.0, 2),)),
        Row("u3", "c.ipynb", "1", (Grade("1.1", 0.0, 2),)),
    ]
    assert tables.for_canvas(rows, "1").splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,Assignment 1",
        "    Points Possible,,,,,2",
        "12345,12345,,,,2.0",
        "anna,77,,,,1.5",
        "u3,,u3,,,0.0",
    ]


def test_the_texts_of_a_variant_are_nobodys_own_words(tmp_path):
    secret = "words of a test"
    (path,) = (resources.folder("notebooks") / "assignments").glob("01_*.ipynb")
    cells = json.loads(notebook_of(without_outputs(path), secret, "1"))["cells"]
    texts = tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] != "code")
    one = Submission("anna", "anna.ipynb", tmp_path, "1", Handed((), (*texts, "mine"), ("1",)))
    assert own_words.written(one, secret) == ["mine"]
    assert len(own_words.written(one)) > 1


def test_own_words_are_collected_and_their_points_merged(tmp_path):
    released = own_words._given("1")
    handed = Handed((), (next(iter(released)), "  ", "My <answer>: the rare class."), ("1",))
    one = Submission("anna", "anna.ipynb", tmp_path, "1", handed)
    assert own_words.written(one) == ["My <answer>: the rare class."]
    assert "My &lt;answer&gt;" in own_words.page([one])
    assert own_words.page([]) == ""
    path = tmp_path / "points.csv"
    path.write_text("student;assignment;points;out_of;comment\nanna;01;3;4;well said\n")
    rows = own_words.merged(ROWS, own_words.read_points(path))
    assert [(row.points, row.out_of) for row in rows] == [(6.0, 9), (3.5, 9), (0.5, 9)], "the same most for everybody"
    assert rows[1].grades[-1].reason == "no points were given"
    assert own_words.merged(ROWS, {}) == ROWS
    assert "well said" in feedback.page(rows[0])
    assert len(class_report.tasks_of(rows)) == 2
    assert tables.as_csv(rows).splitlines()[0].endswith("late,words,1.1,1.6,note,reasons")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("student,points\nanna,3\n", "line 2: assignment is missing"),
        ("student,assignment,points,out_of\nanna,1,x,4\n", "line 2: no number"),
        ("student,assignment,points,out_of\nanna,1,5,4\n", "5 points are not between 0 and 4"),
        ("student,assignment,points,out_of\nanna,1,3,4\nanna,01,3,4\n", "line 3: 'anna' stands twice"),
        ("student,assignment,points,out_of\nzoe,1,3,4\n", "'zoe' has points for assignment 1 and handed in nothing"),
    ],
)
def test_points_that_fit_nobody_are_refused(tmp_path, text, says):
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(ValueError, match=says):
        own_words.merged(ROWS, own_words.read_points(tmp_path / "points.csv"))
