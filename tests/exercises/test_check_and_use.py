"""What a learner can hand to check and use: nothing of it raises, and each answer says what to do."""

import html
import os
import re
import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import segtutor
from segtutor.exercises import checking, running
from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.checking import judge
from segtutor.exercises.comparison import difference, show
from segtutor.exercises.lesson01.iou import iou
from segtutor.exercises.report import Report


def union_twice(a, b):
    return (a & b).sum() / (a.sum() + b.sum())


def stub(a, b):
    """A stub."""
    raise NotImplementedError


def only_docstring(a, b):
    """Nothing yet."""


def only_dots(a, b): ...


def no_return(a, b):
    total = (a & b).sum()
    total += 1


def divides(a, b):
    nothing = 0
    return a.sum() / int(nothing) if nothing else 1 / nothing


def endless(a, b):
    while True:
        pass


def endless_and_greedy(a, b):
    while True:
        try:
            sum(range(10))
        except:  # noqa: E722
            b = a
    return b


def sleeps(a, b):
    time.sleep(60)


def recurses(a, b):
    return recurses(a, b)


def leaves(a, b):
    sys.exit(3)


def writes(a, b):
    a[:] = False
    return iou(a, b)


def prints(a, b):
    print("size", a.size)
    return 0.123


def floods(a, b):
    for _ in range(10_000):
        print("x" * 100)
    return 0.123


class Strange:
    """Breaks whoever looks at it."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("empty", [None, ..., stub, only_docstring, only_dots])
def test_empty_answers(empty):
    report = segtutor.check("1.1", empty)
    assert report.state == "empty"
    assert not report
    assert "still empty" in repr(report)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (0.5, 'check("1.1", iou)'),
        ("iou", "Hand over the function itself"),
        (np.zeros(3), "an array of shape (3,) came"),
        (lambda a: 1.0, "must take 2 arguments: a, b"),
        (no_return, "returns None"),
        (divides, "ZeroDivisionError: division by zero, line"),
        (divides, "return a.sum() / int(nothing)"),
        (recurses, "RecursionError"),
        (leaves, "SystemExit: 3"),
        (writes, "changes its argument a"),
        (lambda a, b: "0.3", "Got"),
        (lambda a, b: np.zeros((2, 2)), "Got"),
        (lambda a, b: [[1], [2, 3]], "Got"),
    ],
)
def test_unusable_answers_are_told_in_a_sentence(answer, says):
    report = segtutor.check("1.1", answer)
    assert report.state == "not yet"
    assert says in repr(report)
    assert "Traceback" not in repr(report)


@pytest.mark.parametrize("where", ["main thread", "other thread"])
@pytest.mark.parametrize("answer", [endless, endless_and_greedy])
def test_endless_loops_time_out(answer, where):
    if where == "other thread" and answer is endless_and_greedy:
        pytest.skip("a bare except can outlast the trace function; the main thread's timer has the answer to it")
    found = []
    # In the main thread its own time only: what other tests have left running is no part of it.
    clock = time.thread_time if where == "main thread" else time.process_time
    started = clock()
    if where == "main thread":
        found.append(segtutor.check("1.1", answer))
    else:
        thread = threading.Thread(target=lambda: found.append(segtutor.check("1.1", answer)), daemon=True)
        thread.start()
        thread.join(900)
    assert found
    assert "No result after" in repr(found[0])
    assert clock() - started < 10  # 1.5 of the processor's time, however long others keep it


def test_sleep_is_interrupted_and_the_timer_is_given_back():
    signal = pytest.importorskip("signal")
    before = signal.getsignal(signal.SIGALRM)
    assert "No result after" in repr(segtutor.check("1.1", sleeps))
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_tracer_is_given_back(monkeypatch):
    monkeypatch.delattr(running.signal, "setitimer")
    before = sys.gettrace()
    assert segtutor.check("1.1", iou)
    assert "No result after" in repr(segtutor.check("1.1", endless))
    assert sys.gettrace() is before


def test_strange_values_do_not_raise():
    for value in (Strange(), object(), {"a": 1}, {1, 2}, [Strange()], 1j, np.array(["a"]), b"x", lambda: 0, [None]):
        report = segtutor.check("1.1", lambda a, b, value=value: value)
        assert not report
        assert report.state in ("not yet", "broken")
        assert repr(report)
        assert report._repr_html_()


def test_unknown_exercises_and_swapped_arguments():
    for wrong in ("9.9", None, [], "", object()):
        report = segtutor.check(wrong, iou)
        assert report.state == "unknown"
        assert "1.10" in report.message
    for number in (4.10, 1, np.float64(1.1)):
        report = segtutor.check(number, iou)
        assert report.state == "unknown"
        assert "quotation marks" in report.message
    assert segtutor.check(iou, "1.1")
    assert segtutor.check(" 1.1 ", iou)
    with pytest.raises(ValueError, match=r"no exercise '9.9'"):
        segtutor.use("9.9", iou)


def test_failing_case_is_shown_with_input_got_and_wanted():
    text = repr(segtutor.check("1.1", union_twice))
    assert "not yet (4 of 14 cases)" in text
    assert "Case:   one pixel" in text, "of the cases that fail, the smallest"
    assert "a:      [[0, 1]]" in text
    assert "Got:    0.5" in text
    assert "Wanted: 1" in text


def test_second_hint_comes_with_the_second_try():
    first, second = segtutor.check("1.1", union_twice), segtutor.check("1.1", union_twice)
    assert len(first.hints) == 1
    assert len(second.hints) == 2
    assert "np.logical_or" in second.hints[1]


def test_html_escapes_what_the_learner_wrote():
    report = segtutor.check("1.1", lambda a, b: "<script>alert(1)</script>")
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()


def test_prints_are_shown_once_and_never_flood(capsys):
    report = segtutor.check("1.1", prints)
    assert "size 2" in repr(report)
    captured = capsys.readouterr()
    assert captured.out == f"{report!r}\n", "outside a notebook the report is printed, and nothing else"
    report = segtutor.check("1.1", floods)
    assert len(repr(report)) < 2500
    assert capsys.readouterr().err == ""


def test_an_interactive_python_echoes_the_report_itself(capsys, monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert segtutor.check("1.1", iou)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ([0] * 10**6, "a list"),
        ([[0] * 1000] * 1000, "a list"),
        (np.broadcast_to(0.0, (10**5, 10**5)), "shape (100000, 100000)"),
        ({number: number for number in range(10**5)}, "a dict"),
        ("x" * 10**7, "a str"),
    ],
    ids=["list", "list of lists", "broadcast", "dict", "text"],
)
def test_a_huge_result_is_refused_by_its_shape(value, what):
    started = time.process_time()
    report = judge(find("1.2"), lambda target, prediction, num_classes, ignore_index: value, 0)
    assert time.process_time() - started < 3, "some hundredths of a second on an idle machine"
    assert not report
    assert what in report.message
    assert len(repr(report)) < 3000


def test_waiting_for_a_busy_processor_hardly_counts(monkeypatch):
    now, computed = [100.0], [5.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(running.time, "thread_time", lambda: computed[0])
    clock = running.Clock()
    now[0], computed[0] = 104.0, 6.0  # a quarter of the processor
    assert clock.used == 1.0
    now[0], computed[0] = 110.0, 6.0  # a tenth: as if it had waited a fifth of the time
    assert clock.used == 2.0
    now[0], computed[0] = 110.0, 5.1  # asleep
    assert clock.used == 10.0


def test_the_advice_on_copies_fits_the_argument():
    def writes_into_the_first(*arguments):
        first = arguments[0]
        if isinstance(first, list):
            first[0] += 1
        else:
            first["out"] += 1

    lists = checking._copied("maps", [np.zeros(2), np.zeros(3)])
    assert "copy.deepcopy(maps)" in lists
    assert checking._copied("sizes", [1, 2, 3]) == "sizes = list(sizes)"
    assert checking._copied("mask", np.zeros(2)) == "mask = mask.copy()"
    torch = pytest.importorskip("torch")
    assert checking._copied("mask", torch.zeros(2)) == "mask = mask.clone()"
    assert "deepcopy" in checking._copied("logits", {"out": np.zeros(2)})
    outcome = running.call(writes_into_the_first, ([np.zeros(2)],), 1.0)
    assert outcome.kind == "changed"


def test_warnings_of_an_answer_stay_inside(recwarn):
    segtutor.check("1.1", lambda a, b: np.nanmean(np.array([np.nan])))
    assert not recwarn.list


def test_use_gives_the_learners_function_back_if_it_passes(capsys):
    def mine(a, b):
        return iou(a, b)

    assert segtutor.use("1.1", mine) is mine
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [None, stub, union_twice, endless, 3])
def test_use_falls_back_with_a_note(answer, capsys):
    function = segtutor.use("1.1", answer)
    assert "not solved yet" in capsys.readouterr().out
    assert function(np.ones((2, 2), bool), np.ones((2, 2), bool)) == 1
    assert function(a=np.ones((2, 2), bool), b=np.zeros((2, 2), bool)) == 0


def test_a_borrowed_solution_does_not_pass():
    borrowed = segtutor.use("1.1", union_twice)
    assert segtutor.check("1.1", borrowed).hint == "union"
    assert segtutor.check("1.1", segtutor.use("1.1", borrowed)).hint == "union"
    assert segtutor.check("1.1", segtutor.use("1.1", None)).state == "empty"


def test_the_course_own_fault_is_told_and_does_not_raise(monkeypatch):
    monkeypatch.setattr(checking, "judge", lambda *_: 1 / 0)
    report = segtutor.check("1.1", iou)
    assert report.state == "broken"
    assert "Please report" in repr(report)


def test_a_first_import_inside_the_answer_does_not_count(tmp_path):
    """Torch takes longer to import than a check may take; interrupted halfway it would be unusable."""
    script = tmp_path / "script.py"
    script.write_text(
        "import segtutor\n"
        "def iou(a, b):\n"
        "    import slow_package\n"
        "    a, b = a > 0, b > 0\n"
        "    return (a & b).sum() / (a | b).sum()\n"
        "segtutor.check('1.1', iou)\n"
    )
    (tmp_path / "slow_package.py").write_text("import time\ntime.sleep(2)\n")
    environment = os.environ | {"SEGTUTOR_PROGRESS": "off", "PYTHONPATH": os.pathsep.join([str(tmp_path), os.getcwd()])}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    assert "passed" in done.stdout, done.stderr


def test_checking_needs_no_torch_and_no_notebook_packages():
    code = (
        "import sys, segtutor, numpy as np\n"
        "assert segtutor.check('1.1', lambda a, b: np.logical_and(a, b).sum() / np.logical_or(a, b).sum())\n"
        "loaded = {'torch', 'IPython', 'ipywidgets', 'nbclient', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"SEGTUTOR_PROGRESS": "off"}, check=True)


def test_comparison_of_values():
    assert difference([1, 2, 3], np.array([1.0, 2.0, 3.0]), 1e-6) is None
    assert difference(np.array([True, False]), np.array([1, 0]), 1e-6) is None
    assert difference(np.array([0.5]), 0.5, 1e-6) is None
    assert difference(float("nan"), np.nan, 1e-6) is None
    assert difference(0.0, np.nan, 1e-6)
    assert difference(np.float32(1 / 3), 1 / 3, 1e-5) is None
    assert difference(1_000_001, np.array(1_000_000), 1e-5), "counts must be equal, whatever the tolerance"
    assert difference(1_000_000.0, np.array(1_000_000), 1e-5) is None
    assert difference([1, 2], (1, 2), 1e-6) is None
    assert "2 results are wanted" in difference(1.0, (1, 2), 1e-6)
    assert (
        difference(np.array([[Fraction(1, 2), Decimal("1"), 2]], dtype=object), np.array([[0.5, 1, 2]]), 1e-6) is None
    )
    assert difference([Fraction(1, 3)], np.array([1 / 3]), 1e-6) is None
    assert "differs at [1]" in difference(np.array([3, 2**70], dtype=object), np.array([3, 4]), 1e-6)
    assert difference(np.array([1 + 0j, 2]), np.array([1, 2]), 1e-6) is None
    assert "a complex number came" in difference(np.array([1j, 2]), np.array([1, 2]), 1e-6)
    assert difference(np.array([None, 2]), np.array([1, 2]), 1e-6) == "numbers are wanted, None came: None"
    assert "shape (3,) came" in difference([1, 2, 3], np.zeros(2), 1e-6)
    assert "differs at [1, 0]" in difference([[1, 2], [3, 4]], np.array([[1, 2], [0, 4]]), 1e-6)
    assert difference({"a": 1}, {"a": 1, "b": 2}, 1e-6) == "'b' is missing"
    assert difference(np.uint8(200), np.array(200), 0) is None


def test_show_is_short():
    assert show(np.zeros((100, 100))) == "array of shape (100, 100), float64, values 0 to 0"
    assert show((1, np.array([0.5, np.nan]))) == "(1, [0.5, nan])"
    assert len(show("x" * 1000)) == 200


def test_catalog():
    assert list(exercises())[:2] == ["1.1", "1.2"]
    assert find("1.2").name == "confusion_matrix"
    assert sum(one.lesson == "1" for one in exercises().values()) >= 8


def test_tensors_as_arguments_are_copied_and_watched():
    torch = pytest.importorskip("torch")

    def doubles_in_place(values):
        values *= 2
        return values

    given = torch.ones(3)
    outcome = running.call(doubles_in_place, (given,), 1.0)
    assert (outcome.kind, outcome.position) == ("changed", 0)
    assert given.tolist() == [1, 1, 1]
    outcome = running.call(lambda values: 2 * values, (given,), 1.0)
    assert outcome.kind == "returned"
    assert outcome.value.tolist() == [2, 2, 2]


def test_tensors_of_every_kind_are_results():
    torch = pytest.importorskip("torch")
    wanted = np.array([[1.0, 0.0], [0.0, 2.0]])
    right = torch.tensor(wanted)
    for one in (right.bfloat16(), right.half(), right.to_sparse(), right.to_sparse_csr(), right.int(), right + 0j):
        assert difference(one, wanted, 1e-6) is None
    assert difference(right.clone().requires_grad_(), wanted, 1e-6) is None
    assert difference([right[0].bfloat16(), right[1].bfloat16()], wanted, 1e-6) is None
    assert difference(2 * right.bfloat16(), wanted, 1e-6) == "differs at [0, 0]: got 2, wanted 1"


@pytest.mark.parametrize("where", ["main thread", "other thread"])
def test_an_import_is_never_interrupted(tmp_path, monkeypatch, where):
    """An answer may call a helper of its own that imports something large."""
    (tmp_path / "very_slow_package.py").write_text(
        "import time\nfor _ in range(40):\n    time.sleep(0.05)\nready = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "very_slow_package", raising=False)
    outcomes = []

    def answer():
        return __import__("very_slow_package").ready

    thread = threading.Thread(target=lambda: outcomes.append(running.call(answer, (), 0.3)))
    if where == "other thread":
        thread.start()
        thread.join()
    else:
        thread.run()
    assert outcomes[0].kind == "returned", outcomes
    assert outcomes[0].value == 1


def test_a_hint_shows_its_stress_where_it_can_be_drawn_and_no_asterisks_where_it_cannot():
    stress = re.compile(r"(?<![\w*])\*([a-z][^*]*[a-z?])\*(?![\w*])")
    stressed = 0
    for exercise in exercises().values():
        for hint in exercise.hints.values():
            report = Report(exercise.id, "not yet", hints=(hint.first, hint.second))
            wanted = [words for one in report.hints for words in stress.findall(re.sub(r"`[^`]+`", "``", one))]
            drawn = re.findall(r"<em>(.+?)</em>", report._repr_html_())
            assert [html.unescape(words) for words in drawn] == wanted, exercise.id
            assert not stress.search(re.sub(r"`[^`]+`", "``", repr(report))), exercise.id
            stressed += len(wanted)
    assert stressed > 20


def test_code_in_a_hint_keeps_its_asterisks():
    report = Report("1", "not yet", hints=("Sum *before* you divide: `f(*rows, *columns)`.", "a * b * c"))
    told = "Worth a look: Sum before you divide: `f(*rows, *columns)`."
    assert repr(report).splitlines()[1:] == [f"  {told}", "  One step further: a * b * c"]
    assert "Sum <em>before</em> you divide: <code>f(*rows, *columns)</code>." in report._repr_html_()


def test_a_mistake_is_named_before_all_is_filled_in():
    report = segtutor.check("3.11", {"skips": "CA"})
    assert (report.hint, report.named) == ("form", True)
    assert segtutor.check("3.11", {"skips": "AB"}).hint == "one skip"


def test_a_word_that_the_statement_does_not_have():
    filled_in = {"A": "void as background", "B": "bilinear masks"}
    assert segtutor.check("2.13", filled_in).hint == "words"
    assert segtutor.check("2.13", filled_in | {"B": "crop drop"}).hint != "words"


def test_a_list_of_arrays_is_shown_one_under_the_other():
    assert show([np.eye(2, dtype=int)] * 2) == "[[[1, 0],\n  [0, 1]],\n [[1, 0],\n  [0, 1]]]"
    lines = show([np.zeros((24, 32), dtype=np.uint8)] * 4).split("\n")
    assert len(lines) == 4
    assert all("array of shape (24, 32), uint8" in line for line in lines)
    assert "\n" not in show(list(range(50)))


def test_the_line_that_raised_stands_by_itself():
    page = segtutor.check("1.1", divides)._repr_html_()
    assert "ZeroDivisionError: division by zero<br>line " in page
    assert "<code>return a.sum() / int(nothing) if nothing else 1 / nothing</code>" in page
