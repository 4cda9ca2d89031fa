"""The wheel: everything that a lesson needs travels in it, and importing it is light."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    (path,) = folder.glob("segtutor-*-py3-none-any.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Folder with the installed wheel, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, text=True)
    return folder


def run_python(code: str, folder: Path, cwd: Path) -> str:
    """Output of a program that finds segtutor in ``folder`` only."""
    variables = {**os.environ, "PYTHONPATH": str(folder)}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_the_wheel_holds_what_git_holds_but_for_what_only_authors_need(wheel):
    listing = subprocess.run(
        ["git", "ls-files", "-z", "segtutor", "data", "notebooks"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    tracked = [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    tracked = [name for name in tracked if not name.startswith("notebooks/") or name.endswith(".ipynb")]
    expected = {name if name.startswith("segtutor/") else f"segtutor/{name}" for name in tracked}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in expected if not name.endswith(".gitkeep")} - names == set()
    assert {name for name in names if name.startswith("segtutor/notebooks/")} <= expected, "masters hold solutions"


def test_its_notebooks_have_no_outputs(wheel):
    archive, found = zipfile.ZipFile(wheel), 0
    for name in archive.namelist():
        if name.endswith(".ipynb"):
            cells = json.loads(archive.read(name))["cells"]
            found += 1
            assert not [cell for cell in cells if cell.get("outputs")], name
    assert found == sum(
        len(list((ROOT / "notebooks" / one).glob("*.ipynb"))) for one in ("", "assignments", "solutions")
    )


def test_the_wheel_holds_nothing_of_the_day(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if "__pycache__" in name or ".ipynb_checkpoints" in name] == []


def test_installed_in_an_empty_folder_it_finds_its_files(installed, tmp_path):
    code = (
        "import segtutor; from segtutor import resources\n"
        "print(segtutor.__file__); print(resources.folder('data')); print(resources.folder('notebooks'))"
    )
    module, data, notebooks = run_python(code, installed, tmp_path).splitlines()
    assert Path(module) == installed / "segtutor" / "__init__.py"
    assert Path(data) == installed / "segtutor" / "data"
    assert Path(notebooks) == installed / "segtutor" / "notebooks"
    assert {path.name for path in (ROOT / "data").glob("*.json")} <= {path.name for path in Path(data).iterdir()}


def test_the_installed_course_copies_its_lessons(installed, tmp_path):
    code = "import sys; from segtutor.cli import main; sys.exit(main(['lab', 'mine', '--copy-only']))"
    said = run_python(code, installed, tmp_path)
    copied = {path.name for path in (tmp_path / "mine").glob("*.ipynb")}
    assert copied == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert f"mine: {len(list((tmp_path / 'mine').rglob('*.ipynb')))} files written" in said


def test_importing_is_light(tmp_path):
    """Whoever asks for --help, or reads a label list, does not wait for PyTorch."""
    code = (
        "import sys, segtutor, segtutor.cli, segtutor.labels, segtutor.metrics, segtutor.analysis\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'scipy', 'sklearn', 'skimage'} & set(sys.modules)))"
    )
    assert run_python(code, ROOT, tmp_path) == "[]"
    assert run_python("import sys, segtutor; print('numpy' in sys.modules)", ROOT, tmp_path) == "False"


def test_version_is_said_once():
    import tomllib

    import segtutor

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert segtutor.__version__ == project["version"]
