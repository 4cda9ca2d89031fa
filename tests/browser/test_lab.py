"""JupyterLab as start.py opens it, in a browser: lessons run by "Run All Cells", a check turns when answered."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from tests.browser.conftest import LONG, ROOT

TOKEN = "seen"
OPENS = """
import sys
import start
class Environment:
    python, root = sys.executable, sys.argv[1]
sys.exit(start.open_lab(Environment, int(sys.argv[2]), False))
"""
READY = """() => { const w = window.jupyterapp.shell.currentWidget;
  return w && w.sessionContext && w.sessionContext.isReady && w.sessionContext.session?.kernel?.status === 'idle'; }"""
DONE = """() => { const w = window.jupyterapp.shell.currentWidget, cells = [...w.content.model.cells];
  const failed = cells.some(c => c.type === 'code'
    && [...Array(c.outputs.length).keys()].some(i => c.outputs.get(i).type === 'error'));
  return (failed || cells.every(c => c.type !== 'code' || c.executionCount !== null))
    && w.sessionContext.session.kernel.status === 'idle'; }"""
ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code')
  .flatMap(c => [...Array(c.outputs.length).keys()].map(i => c.outputs.get(i).toJSON()))
  .filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`)"""
ANSWER = """def iou(a, b):
    a, b = a > 0, b > 0
    union = (a | b).sum()
    return (a & b).sum() / union if union else float("nan")


segtutor.check("1.1", iou)"""


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """The address of a JupyterLab that start.py has opened on a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks", ignore=shutil.ignore_patterns("source", "__pycache__"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}
    variables = {**os.environ, **places, "PYTHONPATH": str(ROOT), "JUPYTER_TOKEN": TOKEN,
                 "SEGTUTOR_PROGRESS": str(home / "progress.json")}  # fmt: skip
    # start.py opens JupyterLab with no switch for us; the page config shows the app to the test.
    (home / "CONFIG").mkdir()
    (home / "CONFIG" / "jupyter_lab_config.py").write_text("c.LabApp.expose_app_in_browser = True\n")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
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
        page.goto(f"{lab}/lab/tree/notebooks/{name}.ipynb?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(READY)
        return page

    yield open_one
    for context in contexts:
        context.close()


def run_all(page):
    """As a learner does: the menu Run, Run All Cells."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator("[data-command='runmenu:run-all']").first.click()
    page.wait_for_function(DONE)


@pytest.mark.parametrize("name", ["00_start_here", "01_metrics", "07_worked_example"])
def test_a_lesson_runs(notebook, name):
    page = notebook(name)
    run_all(page)
    assert page.evaluate(ERRORS) == []
    for sign in ("Error displaying widget", "Loading widget..."):
        assert sign not in page.content()


def test_a_check_turns_when_an_answer_is_typed(notebook):
    page = notebook("assignments/01_metrics")
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    cell = page.locator(".jp-CodeCell").filter(has_text="def iou(a, b)").first
    for number in (0, 1):
        first = page.locator(".jp-CodeCell").nth(number)
        first.scroll_into_view_if_needed()
        first.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    report = cell.locator(".jp-OutputArea-output").first
    report.wait_for()
    before = report.inner_text()
    assert "✓" not in before
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(ANSWER)
    page.keyboard.press("Control+Enter")
    passed = cell.locator(".jp-OutputArea-output").filter(has_text="✓ passed")
    passed.first.wait_for()
    assert "1.1 IoU of two masks" in passed.first.inner_text()
