"""The form of a lesson as far as tools see it: folded code, answered predictions, terms, minutes, sharp figures."""

import base64
import io
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image

from notebooks.tools import glossary, lint, minutes
from notebooks.tools.execute import environment
from notebooks.tools.masters import Course, read_master
from notebooks.tools.outputs import blurred_figures, shrink

FRONT = """\
# ---
# title: A lesson
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 1 GB
# prerequisites: []
# minutes_work: {minutes}
# ---

"""
ANSWERED = """\
# %% [markdown]
# **Predict, then run.** What is 1 + 1?

# %%
print(1 + 1)

# %% [markdown]
# <details><summary>Answer</summary>Two.</details>
"""


def master(folder, text, name="20_lesson", told=30):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(FRONT.format(minutes=told) + text, encoding="utf-8")
    return read_master(path)


def test_a_folded_cell_is_folded_in_jupyterlab_colab_and_on_the_site(tmp_path):
    course = Course(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "1"\n[project.urls]\nRepository = "https://github.com/a/b"\n', encoding="utf-8"
    )
    lesson = master(
        tmp_path / "notebooks" / "source", '# %% [markdown]\n# A map.\n\n# %% fold="Draw the map"\ndraw()\n'
    )
    ((_, notebook),) = lesson.products(course).items()
    cell = notebook.cells[-1]
    assert cell.source == "# @title Draw the map\ndraw()"
    assert cell.metadata["jupyter"]["source_hidden"] is True
    assert cell.metadata["cellView"] == "form"
    assert "hide-input" in cell.metadata["tags"]
    assert cell.metadata["mystnb"]["code_prompt_show"] == "Draw the map"
    nbformat.validate(notebook)


def test_long_cells_must_be_folded(tmp_path):
    code = "\n".join(f"a{number} = {number}" for number in range(16))
    seen = master(tmp_path, f"# %% [markdown]\n# Text.\n\n# %%\n{code}\n")
    folded = master(tmp_path, f'# %% [markdown]\n# Text.\n\n# %% fold="Prepare"\n{code}\n')
    assert lint.visible_findings(seen.cells[1])
    assert lint.visible_findings(folded.cells[1]) == []


def test_a_visible_line_that_a_window_does_not_hold_is_found():
    wide = nbformat.v4.new_code_cell("x = 1\n" + f"y = {'1' * lint.VISIBLE_WIDTH}")
    assert [f"has a line of {lint.VISIBLE_WIDTH + 4} characters" in text for text in lint.wide_lines(wide)] == [True]
    wide.metadata["fold"] = "Draw the map"
    assert lint.wide_lines(wide) == []
    assert lint.wide_lines(nbformat.v4.new_code_cell("x" * lint.VISIBLE_WIDTH)) == []


@pytest.mark.parametrize("name", ["20_lesson", "assignment_20_lesson"])
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("plotting.use_course_style()\nplt.subplots(figsize=(9, 3))", None),
        ("print(1)", None),
        ("plt.subplots(figsize=(9, 3))", "matplotlib's style"),
        ("plotting.use_course_style()\nplt.subplots(1, 2, figsize=(9, 3), dpi=72)", "sets the dpi"),
        ("plotting.use_course_style()\nplt.figure(figsize=(11, 3))", "11 inches"),
    ],
)
def test_figures_are_drawn_sharply_and_not_wider_than_the_column(tmp_path, name, code, says):
    found = lint.blurring(master(tmp_path, f"# %% [markdown]\n# Text.\n\n# %%\n{code}\n", name=name))
    assert found == [] if says is None else len(found) == 1 and says in found[0], found


def test_predictions_are_answered_right_behind_the_output(tmp_path):
    assert lint.unanswered(master(tmp_path, ANSWERED)) == []
    for broken in (ANSWERED.replace("<details><summary>Answer</summary>", ""), ANSWERED.split("# <details>")[0]):
        assert len(lint.unanswered(master(tmp_path, broken))) == 1


def test_minutes_are_honest(tmp_path):
    text = "# %% [markdown]\n# " + " ".join(["word"] * 1300) + "\n\n# %%\n" + "\n".join(["a = 1"] * 16) + "\n"
    appendix = "\n# %% [markdown]\n# ## Going deeper\n#\n# " + " ".join(["word"] * 1300) + "\n"
    assert minutes.estimate(master(tmp_path, text)) == 13, "ten for the words, two for the code, one for the run"
    assert minutes.estimate(master(tmp_path, text + appendix)) == 13
    assert minutes.check_minutes(master(tmp_path, text, told=13)) == []
    assert "about 13 minutes" in minutes.check_minutes(master(tmp_path, text, told=12))[0]
    assert "split it" in minutes.check_minutes(master(tmp_path, text, told=101))[0]


@pytest.fixture
def course(tmp_path):
    source = tmp_path / "notebooks" / "source"
    source.mkdir(parents=True)
    (source / "glossary.toml").write_text(
        '[[term]]\nname = "intersection over union"\nalso = ["IoU"]\nlesson = "01"\ntext = "Common by all."\n'
        '[[term]]\nname = "stride"\nlesson = "03"\ntext = "How far a kernel moves."\n',
        encoding="utf-8",
    )
    return Course(tmp_path)


@pytest.mark.parametrize(
    ("number", "text", "says"),
    [
        ("01", "The [IoU](glossary.ipynb#intersection-over-union) is a ratio. IoU again.", None),
        ("01", "The IoU is a ratio.", "has no link"),
        ("01", "The `IoU` in code and in $IoU$.", None),
        ("01", "Strides come later.", "which lesson 03 introduces"),
        ("03", "A [*stride*](glossary.ipynb#stride) of two.", None),
        ("03", "*Intersection over union* and [IoU](glossary.ipynb#intersection-over-union).", "has no link"),
        ("02", "Striding is no term, and a [stride of text](other.md) is: no.", "which lesson 03 introduces"),
    ],
)
def test_terms(course, number, text, says):
    lesson = master(course.notebooks / "source", f"# %% [markdown]\n# {text}\n", f"{number}_lesson")
    found = glossary.check_terms(course, [lesson])
    assert (found == []) if says is None else (len(found) == 1 and says in found[0]), found


def test_the_glossary_page_has_an_entry_per_term_and_is_kept_up_to_date(course):
    text = "\n".join(cell.source for cell in glossary.glossary_notebook(course).cells)
    assert "## intersection over union" in text
    assert "(also: IoU)" in text
    assert "run python notebooks/build.py" in glossary.check_glossary(course)[0]


def picture(width, height, noise, page=None):
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[10:20] = 0
    if noise:
        pixels[:] = np.random.default_rng(0).integers(0, 256, pixels.shape) // 4 + np.arange(width)[None, :, None] // 12
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    metadata = {} if page is None else {"image/png": {"width": page, "height": height // 2, "alt": "a text"}}
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": "<Figure>"}
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata)


def test_figures_have_two_pixels_for_each_of_the_page():
    assert blurred_figures([picture(1728, 200, False, 864)]) == []
    assert blurred_figures([picture(800, 200, False, 400)]) == []
    assert len(blurred_figures([picture(864, 200, False)])) == 1
    assert len(blurred_figures([picture(1100, 200, False, 864)])) == 1


def test_scenes_become_jpeg_and_drawings_stay_png():
    cell = nbformat.v4.new_code_cell("show()", outputs=[picture(1300, 300, True, 650), picture(1300, 300, False, 650)])
    assert shrink(nbformat.v4.new_notebook(cells=[cell]), limit=10**9) == []
    scene, drawing = cell.outputs
    assert "image/jpeg" in scene.data
    assert "image/png" not in scene.data
    assert scene.metadata["image/jpeg"]["alt"] == "a text"
    assert "image/png" in drawing.data
    assert blurred_figures(cell.outputs) == []


def test_the_course_style_makes_sharp_figures_in_a_kernel(tmp_path):
    from nbclient import NotebookClient

    code = "from segtutor import plotting\nimport matplotlib.pyplot as plt\nplotting.use_course_style()"
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("plt.plot([1, 2]); plt.show()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environment(tmp_path))
    (output,) = notebook.cells[1].outputs
    assert blurred_figures([output]) == []
    assert 800 < output.metadata["image/png"]["width"] < 960, "nine inches of 96 pixels, and a margin"


def test_the_style_needs_no_notebook():
    code = "from segtutor import plotting; plotting.use_course_style(); import sys; assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


TASK = """\
# %% [markdown]
# ### 9.1 A task
#
# *2 points · about {told} minutes · difficulty 2 of 3*
#
# {words}
#
# <details><summary>The idea</summary>
#
# Words that do not count.
#
# </details>
"""


@pytest.mark.parametrize(
    ("lines", "extra", "minutes_wanted"),
    [(1, "", 10), (2, "", 15), (6, "", 15), (6, '[tries]\n"9.1" = 3\n', 20), (1, '[run]\n"9.1" = 20\n', 30)],
)
def test_a_tasks_minutes_follow_from_words_lines_and_tries(tmp_path, lines, extra, minutes_wanted):
    """130 words are one minute, thinking takes five, a line one, a try two; above ten in steps of five."""
    (tmp_path / "written.toml").write_text(f'[lines]\n"9.1" = {lines}\n{extra}', encoding="utf-8")
    for told in (minutes_wanted, minutes_wanted + 5, minutes_wanted - 1):
        text = TASK.format(told=told, words=" ".join(["word"] * 260))
        findings = minutes.check_task_minutes(master(tmp_path, text, "assignment_09_x", minutes_wanted))
        assert bool(findings) == (told != minutes_wanted), findings
    short = master(tmp_path, TASK.format(told=minutes_wanted, words="word " * 260), "assignment_09_x", 5)
    assert "minutes_work is 5" in minutes.check_task_minutes(short)[0]


def test_a_task_that_nobody_has_written_is_found(tmp_path):
    (tmp_path / "written.toml").write_text("[lines]\n", encoding="utf-8")
    text = TASK.format(told=10, words="word")
    assert minutes.check_task_minutes(master(tmp_path, text, "assignment_09_x")) == [
        "written.toml has no lines for task 9.1"
    ]


def test_the_words_of_a_formula_stand_in_one_line(tmp_path):
    whole, broken = (rf"$$ \begin{{cases}} 0 & \text{{where it{end}is}} \end{{cases}} $$" for end in (" ", "\n"))
    assert lint.markdown_findings(whole, Course(tmp_path)) == []
    (finding,) = lint.markdown_findings(broken, Course(tmp_path))
    assert "breaks a line between the words of a formula" in finding
