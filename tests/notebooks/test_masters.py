"""Masters become notebooks: the same bytes each time, stubs for learners, nothing repeated by hand."""

from __future__ import annotations

import importlib.util
import json
from types import SimpleNamespace

import nbformat
import pytest

from notebooks import build
from notebooks.tools.masters import Course, MasterError, fill, raises_when_run, read_master
from tests.notebooks.course import FRONT, LESSON, make_course


def notebook(root, name):
    return nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)


def sources(root, name):
    return {cell.id: cell.source for cell in notebook(root, name).cells}


def test_the_same_master_gives_the_same_bytes(tmp_path):
    root = make_course(tmp_path)
    assert build.main([], root) == 0
    paths = sorted(root.glob("notebooks/**/*.ipynb"))
    assert [path.relative_to(root).as_posix() for path in paths] == [
        "notebooks/01_count.ipynb",
        "notebooks/assignments/01_count.ipynb",
        "notebooks/solutions/01_count.ipynb",
    ]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    assert build.main([], root) == 0
    assert [path.read_bytes() for path in paths] == before
    for data in before:
        nbformat.validate(json.loads(data))
        assert data.endswith(b"}\n")
        assert b"jupytext" not in data


def test_ids_outside_the_edited_section_stay(tmp_path):
    first = sources(build_into(tmp_path / "a", LESSON), "01_count")
    edited = LESSON.replace("# What is $x^2$?", "# What is $x^3$?\n\n# %% [markdown]\n# One cell more.")
    second = sources(build_into(tmp_path / "b", edited), "01_count")
    changed = {cell_id for cell_id in first if first[cell_id] != second.get(cell_id)}
    assert len(second) == len(first) + 1
    assert changed
    assert all("predict" in cell_id for cell_id in changed)


def build_into(root, lesson):
    make_course(root, lesson)
    assert build.main([], root) == 0
    return root


def test_equal_headings_have_different_ids(tmp_path):
    lesson = FRONT + "".join(f"# %% [markdown]\n# ## {heading}\n\n" for heading in ["Part", "Part", "Part 2", "Part"])
    ids = list(sources(build_into(tmp_path, lesson), "01_count"))
    assert len(set(ids)) == len(ids) == 6


def test_header_and_setup_come_from_front_matter_and_pyproject(tmp_path):
    root = build_into(tmp_path, LESSON.replace("# prerequisites", "# gpu: true\n# prerequisites", 1))
    lesson = notebook(root, "01_count")
    header, setup = lesson.cells[0].source, lesson.cells[1].source
    assert header.startswith("# Lesson 1: Counting pixels")
    assert "/github/segtutor/segtutor/blob/v0.1.0/notebooks/01_count.ipynb" in header
    assert "| 0.1 | 0.1 | none | 0.2 GB | Python |" in header
    assert "git+https://github.com/segtutor/segtutor@v0.1.0" in setup
    assert lesson.metadata.accelerator == "GPU"
    assert "accelerator" not in notebook(root, "assignments/01_count").metadata


def test_the_setup_cell_installs_on_colab_only_and_only_once(tmp_path, monkeypatch):
    setup = notebook(build_into(tmp_path, LESSON), "01_count").cells[1].source
    installed: list[str] = []
    setup = setup.replace("%pip install -q", "installed.append").replace('append "', 'append("')
    code = compile(setup.replace('"\n\nfrom', '")\n\nfrom'), "s", "exec")
    settled: list[int] = []
    monkeypatch.setattr("segtutor.compute.settle_threads", lambda: settled.append(1))
    for present, expected in [
        (set(), 0),
        ({"google"}, 0),
        ({"segtutor"}, 0),
        ({"google", "google.colab"}, 1),
        ({"google", "google.colab", "segtutor"}, 0),
        ({"google", "google.colab", "segtutor as a folder"}, 1),
    ]:
        installed.clear()
        monkeypatch.setattr("importlib.util.find_spec", lambda name, present=present: spec(name, present))
        exec(code, {"installed": installed})
        assert len(installed) == expected, present
    assert len(settled) == 6


def spec(name, present):
    """What Python finds of a name: nothing, a package with its file, or a folder that is only called so."""
    if name in present:
        return SimpleNamespace(origin=f"{name}/__init__.py")
    return SimpleNamespace(origin=None) if f"{name} as a folder" in present else None


def test_a_folder_that_is_called_as_the_course_has_no_origin(tmp_path, monkeypatch):
    (tmp_path / "a_clone" / "a_clone").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = importlib.util.find_spec("a_clone")
    assert found is not None
    assert found.origin is None


def test_outside_the_fences_assignment_and_solution_are_identical(tmp_path):
    root = build_into(tmp_path, LESSON)
    stubs, solved = sources(root, "assignments/01_count"), sources(root, "solutions/01_count")
    assert stubs.keys() < solved.keys()
    assert [solved[cell_id] for cell_id in solved.keys() - stubs.keys()] == ["Only the solution explains this."]
    differing = {cell_id for cell_id in stubs if stubs[cell_id] != solved[cell_id]} - {"01-header"}
    master = read_master(root / "notebooks" / "source" / "assignment_01_count.py")
    fenced = [cell.source for cell in master.cells if "BEGIN SOLUTION" in cell.source]
    assert len(differing) == len(fenced) == 3
    for source in fenced:
        kept = source[: source.index("# BEGIN SOLUTION")].split("# STUB")[0], source.split("# END SOLUTION")[1]
        for made in (stubs, solved):
            assert any(s.startswith(kept[0].rstrip()) and s.endswith(kept[1].rstrip()) for s in made.values())


def test_stubs_of_the_three_kinds(tmp_path):
    root = build_into(tmp_path, LESSON)
    cells = [cell for cell in notebook(root, "assignments/01_count").cells[2:] if cell.cell_type == "code"]
    assert 'raise NotImplementedError("Write count() here' in cells[0].source
    assert cells[1].source.splitlines()[1:3] == [
        "    set_pixels = ...  # count them",
        "    return set_pixels / len(mask)",
    ]
    assert [cell.metadata.get("tags") for cell in cells] == [None, None, ["raises-exception"]]
    text = "\n".join(cell.source for cell in notebook(root, "solutions/01_count").cells)
    assert "SOLUTION" not in text
    assert "STUB" not in text
    assert "return count(mask) / len(mask)" in text


def test_indented_stub_lines_keep_their_indentation():
    stub = "    # STUB: for row in x:\n    # STUB:     pass\n"
    source = f"def f(x):\n{stub}    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION"
    assert fill(source, solved=False) == "def f(x):\n    for row in x:\n        pass"


def test_only_code_that_raises_at_once_is_tagged():
    assert raises_when_run("if True:\n    raise NotImplementedError")
    assert not raises_when_run("%pip list\ndef f():\n    raise NotImplementedError")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("01_count.py", "# %%\nx = 1\n", "front matter"),
        (
            "01_count.py",
            FRONT.replace("# download: none\n", "# downlod: none\n"),
            r"lacks \['download'\].*\['downlod'\]",
        ),
        ("Count.py", LESSON, "NN_name"),
        ("01_count.py", FRONT + "# %%\n# BEGIN SOLUTION\n# END SOLUTION\n", "belong in an assignment"),
        ("assignment_01_count.py", FRONT + "# %%\n# BEGIN SOLUTION\nx = 1\n", "do not pair"),
    ],
)
def test_a_bad_master_is_refused_by_name(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(MasterError, match=message) as caught:
        read_master(path)
    assert name in str(caught.value)


def test_selection_by_number_stem_and_master(tmp_path):
    course = Course(make_course(tmp_path))
    assert [m.path.stem for m in course.select(["01"])] == ["01_count", "assignment_01_count"]
    assert [m.path.stem for m in course.select(["assignment_01_count"])] == ["assignment_01_count"]
    assert build.main(["02"], course.root) == 2


def test_the_address_is_rewritten_everywhere_from_one_command(tmp_path):
    root = make_course(tmp_path)
    (root / "README.md").write_text(
        "git clone https://github.com/segtutor/segtutor.git [Colab](https://colab.research.google.com/github/segtutor/"
        "segtutor/blob/x) https://github.com/segtutor/segtutor-data https://segtutor.github.io/segtutor/start.html"
    )
    assert build.main([], root) == 0
    assert build.main(["--address", "https://github.com/school/course.git"], root) == 0
    assert Course(root).repository == "https://github.com/school/course"
    texts = [path.read_text() for path in [*root.glob("notebooks/**/*.ipynb"), root / "pyproject.toml"]]
    assert all("school/course" in text and "segtutor/segtutor" not in text for text in texts)
    readme = (root / "README.md").read_text()
    assert readme.count("school/course") == 2
    assert "segtutor/segtutor-data" in readme
    assert readme.endswith(" https://school.github.io/course/start.html")


@pytest.mark.parametrize("address", ["github.com/a/b", "https://github.com/a", "https://github.com/a/b/c", "x"])
def test_a_bad_address_changes_nothing(tmp_path, address):
    root = make_course(tmp_path)
    before = (root / "pyproject.toml").read_text()
    assert build.main(["--address", address], root) == 2
    assert (root / "pyproject.toml").read_text() == before


def test_an_assignment_has_no_outputs_and_a_lesson_keeps_those_of_unchanged_code(tmp_path):
    root = build_into(tmp_path, LESSON)
    path = root / "notebooks" / "01_count.ipynb"
    lesson = nbformat.read(path, as_version=4)
    code = [cell for cell in lesson.cells if cell.cell_type == "code"]
    for cell in code:
        cell.outputs = [nbformat.v4.new_output("stream", text="seen\n")]
    nbformat.write(lesson, path)
    source = root / "notebooks" / "source" / "01_count.py"
    source.write_text(source.read_text().replace("plt.plot([0, 1])", "plt.plot([0, 2])"))
    assert build.main([], root) == 0
    kept = [len(cell.outputs) for cell in notebook(root, "01_count").cells if cell.cell_type == "code"]
    assert kept == [1, 1, 0, 1]


def test_a_new_alt_text_reaches_the_kept_figure(tmp_path):
    root = build_into(tmp_path, LESSON)
    path = root / "notebooks" / "01_count.ipynb"
    lesson = nbformat.read(path, as_version=4)
    plot = next(cell for cell in lesson.cells if "plt.plot" in cell.source)
    old = {"image/png": {"alt": "A straight line", "width": 90}}
    plot.outputs = [nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"}, metadata=old)]
    nbformat.write(lesson, path)
    source = root / "notebooks" / "source" / "01_count.py"
    source.write_text(source.read_text().replace("A straight line", "A line that rises"))
    assert build.main([], root) == 0
    (output,) = next(cell for cell in notebook(root, "01_count").cells if "plt.plot" in cell.source).outputs
    assert output.metadata == {"image/png": {"alt": "A line that rises", "width": 90}}
