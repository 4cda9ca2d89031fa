"""--check and --execute on a small course: each way in which a committed notebook can lie is found."""

from __future__ import annotations

import base64
import io
import shutil

import nbformat
import numpy as np
import pytest
from PIL import Image

from notebooks import build
from notebooks.tools import outputs
from notebooks.tools.check import check
from notebooks.tools.execute import execute
from notebooks.tools.lint import lint
from notebooks.tools.masters import Course, read_master, to_text
from tests.notebooks.course import LESSON, make_course

LESSON_FILE = "notebooks/01_count.ipynb"
STUBS_FILE = "notebooks/assignments/01_count.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A course whose lesson was executed; one kernel for the whole module."""
    root = make_course(tmp_path_factory.mktemp("course"))
    assert build.main(["--execute"], root) == 0
    return root


@pytest.fixture
def root(executed, tmp_path):
    shutil.copytree(executed, tmp_path / "course")
    return tmp_path / "course"


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change([cell for cell in notebook.cells if cell.cell_type == "code"])
    path.write_text(to_text(notebook))


def found(root):
    findings = check(Course(root))
    assert len(findings) == 1, findings
    return findings[0]


def test_an_executed_lesson_is_in_order_and_clean(root, capsys):
    assert build.main(["--check"], root) == 0
    text = (root / LESSON_FILE).read_text()
    for unwanted in ['"stderr"', "widget", "iopub", "codemirror", "version"]:
        assert unwanted not in text, unwanted
    code = [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert code[2].outputs[0].metadata["image/png"].alt == "A straight line"
    assert code[3].outputs[0].text == "total 45\n"
    assert code[3].outputs[1].data == {"text/plain": "object"}


def test_generating_again_keeps_the_bytes_of_an_executed_lesson(root):
    before = (root / LESSON_FILE).read_bytes()
    assert build.main([], root) == 0
    assert (root / LESSON_FILE).read_bytes() == before


def test_stale_text_is_shown_as_a_diff(root, capsys):
    source = root / "notebooks/source/01_count.py"
    source.write_text(source.read_text().replace("Counting is enough.", "Counting suffices."))
    assert build.main(["--check"], root) == 1
    assert '+    "Counting suffices."' in capsys.readouterr().err
    assert build.main([], root) == 0
    assert build.main(["--check"], root) == 0


def test_a_broken_line_makes_no_output_stale_and_a_changed_one_does(root, capsys):
    source = root / "notebooks/source/01_count.py"
    text = source.read_text()
    broken = text.replace("plt.plot([0, 1])", "plt.plot(\n    [0, 1]  # the same line\n)  # fmt: skip")
    assert broken != text
    source.write_text(broken)
    assert build.main(["--check"], root) == 1
    assert build.main([], root) == 0
    assert build.main(["--check"], root) == 0
    assert any("the same line" in cell.source and cell.outputs for cell in nbformat.read(root / LESSON_FILE, 4).cells)
    source.write_text(broken.replace("[0, 1]", "[0, 2]"))
    assert build.main([], root) == 0
    assert build.main(["--check"], root) == 1
    source.write_text(broken.replace("[0, 1]  # the", "[0, 2]  # the").replace("the same", "another"))
    assert build.main([], root) == 0
    assert build.main(["--check"], root) == 1
    assert "not executed since its code changed" in capsys.readouterr().err


def test_outputs_of_older_code_are_found_even_after_generating(root):
    source = root / "notebooks/source/01_count.py"
    source.write_text(source.read_text().replace("range(10)", "range(11)"))
    assert build.main([], root) == 0
    assert "not executed since its code changed" in found(root)


def test_a_stray_and_a_missing_notebook(root):
    shutil.move(root / STUBS_FILE, root / "notebooks/assignments/02_old.ipynb")
    findings = check(Course(root))
    assert findings[0] == "notebooks/assignments/02_old.ipynb: no master makes this notebook"
    assert findings[1].startswith(f"{STUBS_FILE}: missing")


def stream(text):
    return nbformat.v4.new_output("stream", text=text)


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        (STUBS_FILE, stream("done\n"), "committed without outputs"),
        (LESSON_FILE, nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]), "shows an error"),
        (LESSON_FILE, stream("read from /home/ada/data.png\n"), "path of a machine: /home/ada"),
        (LESSON_FILE, stream("C:\\Users\\ada\n"), "path of a machine"),
        (LESSON_FILE, stream("x" * 2_010_000), "kB are more than 2000 kB"),
        (
            LESSON_FILE,
            nbformat.v4.new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}),
            "state of a widget",
        ),
    ],
)
def test_an_output_that_may_not_be_there(root, name, output, message):
    path = root / name

    def change(code):
        if name == LESSON_FILE:  # in place of another one, so that only its content is wrong
            output_index = 1 if output.output_type != "stream" else 0
            code[3].outputs[output_index] = output
        else:
            code[1].outputs.append(output)

    edit(path, change)
    assert message in found(root)


def test_a_lost_output_is_found(root):
    edit(root / LESSON_FILE, lambda code: code[2].outputs.clear())
    assert "3 outputs were made, 2 are left" in found(root)


@pytest.mark.parametrize(
    "change",
    [
        lambda code: code[1].update(source="x = 1"),
        lambda code: code[1].update(id="other"),
        lambda code: code[1].metadata.update(tags=["mine"]),
    ],
    ids=["source", "id", "metadata"],
)
def test_an_edit_of_the_notebook_itself_is_found(root, change):
    edit(root / STUBS_FILE, change)
    assert "differs from what its master gives" in found(root)


def test_what_is_no_notebook_is_a_finding(root):
    (root / STUBS_FILE).write_text("<<<<<<< HEAD")
    assert "not a valid notebook" in found(root)


def test_a_lesson_with_trouble_keeps_its_file_and_names_the_cell(root):
    before = (root / LESSON_FILE).read_bytes()
    source = root / "notebooks/source/01_count.py"
    source.write_text(source.read_text().replace("total = sum", "total = undefined"))
    course = Course(root)
    troubles = execute(course.masters(), course)
    assert len(troubles) == 1
    assert "cell 01-objectives-01 failed" in troubles[0]
    assert "NameError" in troubles[0]
    assert (root / LESSON_FILE).read_bytes() == before


def lesson_with(*made):
    cell = nbformat.v4.new_code_cell("f()", outputs=list(made), id="c")
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: x\n"),
            "c writes to stderr: FutureWarning",
        ),
        (stream("saved in /tmp/abc\n"), "c shows a path of this machine: /tmp/abc"),
        (nbformat.v4.new_output("stream", text="é" * 1_010_000), "largest: c 2020 kB"),
    ],
)
def test_what_may_not_be_committed_is_refused_with_the_cell(output, message):
    with pytest.raises(ValueError, match=message):
        outputs.clean(lesson_with(output))


def test_cleaning_joins_streams_and_drops_addresses_widgets_and_progress():
    widget = nbformat.v4.new_output(
        "display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"}
    )
    bar = nbformat.v4.new_output(
        "stream", name="stderr", text="\r  0%|   | 0/9\r100%|███| 9/9 [00:01<00:00,  8.5it/s]\n"
    )
    notebook = lesson_with(stream("a\n"), bar, stream("b\rc\n"), widget, stream("<f at 0x7f0011223344> 50% | 3\n"))
    outputs.clean(notebook)
    assert [output.text for output in notebook.cells[0].outputs] == ["a\nc\n<f> 50% | 3\n"]


@pytest.mark.parametrize(
    "text", ["https://x.org/home/ada", "a/home/b", "homes /rooted", "ratio 1/2", "data:;base64,/tmp/ab"]
)
def test_what_only_resembles_a_path_passes(text):
    assert outputs.machine_paths([stream(text)]) == []


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=float)


def test_figures_become_smaller_and_stay_faithful():
    ramp = np.linspace(0, 255, 200).astype(np.uint8)
    chart = np.stack(
        [np.tile(ramp, (150, 1)), np.full((150, 200), 200, np.uint8), np.tile(ramp[::-1], (150, 1))], axis=-1
    )
    few = outputs.smaller_png(png(chart), 40.0)
    assert len(few) < len(png(chart))
    assert np.mean((pixels(few) - chart) ** 2) <= 255**2 / 10**4


def test_a_small_patch_keeps_its_color_among_thousands_and_white_stays_white():
    rows, columns = np.mgrid[:300, :400]
    drawing = np.stack([rows * 255 // 300, columns * 255 // 400, (rows + columns) * 255 // 700], axis=-1)
    drawing = drawing.astype(np.uint8)
    drawing[20:40, 30:50] = (1, 250, 77)  # 400 pixels, a third of a percent
    drawing[:, :10] = 255
    few = outputs.few_colors(Image.fromarray(drawing), 30.0)
    assert few.mode == "P"
    seen = np.asarray(few.convert("RGB"))
    assert (seen[20:40, 30:50] == (1, 250, 77)).all()
    assert (seen[:, :10] == 255).all()
    assert 10 * np.log10(255**2 / np.mean((seen.astype(float) - drawing) ** 2)) >= 30


def test_a_palette_is_as_short_as_faithfulness_lets_it_be():
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (40, 1, 3)))
    lengths = [len(outputs.few_colors(ramp, decibels).getcolors()) for decibels in (38.0, 44.0, 50.0)]
    assert lengths[0] <= 32 < lengths[1] <= 64 < lengths[2] <= 128
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    assert outputs.few_colors(Image.fromarray(noise), 40.0) is None


def test_flicker_between_like_colors_goes_and_nothing_else_moves():
    random = np.random.default_rng(0)
    flicker = np.full((60, 80, 3), 100, dtype=np.uint8)
    flicker[random.random((60, 80)) < 0.3] = 108
    flicker[20:40, 30:31] = (200, 30, 30)  # a line of one pixel
    flicker[50, 60] = 0  # a dot
    image = Image.fromarray(flicker).quantize(4)
    calm = outputs.calm(image, image, 33.0)
    before, after = (np.asarray(one.convert("RGB")).astype(int) for one in (image, calm))
    assert len(outputs.encode(calm)) < 0.7 * len(outputs.encode(image))
    assert np.sqrt(((after - before) ** 2).mean(axis=2)).max() <= outputs.SHIFT
    kept = (before[..., 0] == 200) | (before[..., 0] == 0)
    assert kept.sum() == 21
    assert (after[kept] == before[kept]).all()
    assert outputs.calm(image, image, 60.0) is image, "that much may not change"


def test_pictures_in_a_page_become_smaller_too():
    random = np.random.default_rng(0)
    grain = Image.fromarray(np.where(random.random((60, 80, 1)) < 0.3, 108, [[[100] * 3]]).astype(np.uint8)).quantize(4)
    data = base64.b64encode(outputs.encode(grain)).decode()
    page = f'<img alt="A" src="data:image/png;base64,{data}"><p>B</p>'
    small = outputs.smaller_page(page, 33.0)
    assert len(small) < 0.7 * len(page)
    assert small.startswith('<img alt="A" src="data:image/png;base64,')
    assert small.endswith('"><p>B</p>')
    shown = np.abs(pixels(small.split("base64,")[1].split('"')[0]) - np.asarray(grain.convert("RGB")).astype(float))
    assert shown.max() <= outputs.SHIFT


def test_noise_is_not_quantized_below_the_asked_faithfulness():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(pixels(outputs.smaller_png(png(noise), 40.0)), noise)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## Going deeper", "## More", "no heading with “going deeper”"),
        ("# ## Predict, then run", "# ## Run", "asks for no prediction"),
        ("# - Count.\n", "", "three to five"),
        ("# - Count.\n", "# - Count.\n# - Draw.\n# - Read.\n# - Write.\n", "three to five"),
        ("<details><summary>Answer</summary>Yes.</details>", "Yes.", "not folded"),
        ("</details>", "", "<details> that does not close"),
        ("$x^2$", "$x^2", "formula that does not close"),
        ("$x^2$", "`$x`", None),
        ("assignments/01_count.ipynb", "assignments/09_none.ipynb", "links to assignments/09_none.ipynb"),
        ("# Printed:\n", "# ![](a.png)\n", "without an alternative text"),
        ("# %% [markdown]\n# Printed:\n", "", "code without a sentence"),
        ("plt.show()", "plt.show()\nplt.show()", "several figures"),
        ("plt.show()", "plt.show()" + "\nx = 1" * 40, "42 lines of code"),
        ("# ## Summary\n", "", "no heading with “summary”"),
        ("# ## Pitfalls", "# ## Reading\n# ## Pitfalls", None),
    ],
)  # fmt: skip
def test_the_house_style(tmp_path, old, new, message):
    root = make_course(tmp_path, LESSON)
    path = root / "notebooks/source/01_count.py"
    assert lint(read_master(path), Course(root)) == []
    path.write_text(LESSON.replace(old, new))
    findings = lint(read_master(path), Course(root))
    if message is None:
        assert findings == []
    else:
        assert any(message in text and "source/01_count.py" in text for text in findings), findings
