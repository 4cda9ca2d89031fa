"""What may stand in a tracked file: no address of a package registry, no path of a machine, nothing too large."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from notebooks.tools.outputs import LIMIT

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 2**20
# Written in two parts each, so that this file does not find itself.
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "anaconda" + ".org/", "conda." + "anaconda")
# Home folders and mounts of whoever executed a lesson, which its output shows when it prints a file's path.
HOMES = ("/home/", "/Users/", r"C:\\\\?Users\\\\?")
# "ada" is who tests invent, and single letters.
PERSON = r"(?!ada\b|USER\b)\w{2,}"
MACHINE_PATH = re.compile("|".join(["/roo" + "t/", "/work" + "/", *(f"{x}{PERSON}" for x in HOMES)]))
TEXT = {
    ".py",
    ".ipynb",
    ".md",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    ".json",
    ".cff",
    ".cfg",
    ".csv",
    ".svg",
    ".html",
    ".css",
    "",
}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """A file's text; of a notebook without its pictures, whose base64 can spell anything."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = re.sub(r'"image/\w+": "[^"]*"', "", text)
    return text


def occurrences(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in tracked()
        if path.suffix in TEXT
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (match := pattern.search(line))
    ]


def test_the_list_is_whole():
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    assert {"start.py", "pyproject.toml", "README.md", "LICENSE", ".ci/run", "segtutor/cli.py"} <= names
    assert not names & {"uv.lock", "pylock.toml"}


def test_no_registry_is_named():
    assert occurrences(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


def test_no_path_of_a_machine():
    assert occurrences(MACHINE_PATH) == []


def test_the_patterns_find_what_they_are_for():
    for start in ("/roo" + "t/", "/home/", "/Users/", "C:\\Users\\", "C:\\\\Users\\\\"):
        assert MACHINE_PATH.search(start + "bo" + "b/x"), start
    for harmless in ("../shared/data", "https://github.com/x", "/home/ada/x", "C:\\Users\\ada"):
        assert not MACHINE_PATH.search(harmless), harmless


@pytest.mark.parametrize(("folder", "limit"), [("data", 25_000_000), ("", 80_000_000)])
def test_size_of_folders(folder, limit):
    total = sum(path.stat().st_size for path in tracked() if (ROOT / folder) in path.parents)
    assert total <= limit


def test_size_of_notebooks():
    sizes = {path.name: path.stat().st_size for path in tracked() if path.suffix == ".ipynb"}
    assert {name: size for name, size in sizes.items() if size > LIMIT} == {}


def test_assignments_have_no_outputs():
    for path in tracked():
        if path.suffix == ".ipynb" and path.parent.name == "assignments":
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            assert not any(cell.get("outputs") for cell in cells), path.name


class TestLock:
    LINES = (ROOT / "requirements-lock.txt").read_text(encoding="utf-8").splitlines()
    LINE = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^;]+)?")

    def test_every_line_is_a_name_and_a_public_version(self):
        """No addresses, no local version tags (+cpu), no extras, which a constraint file may not have."""
        assert [line for line in self.LINES if not self.LINE.fullmatch(line)] == []

    def test_it_covers_what_pyproject_asks_for(self):
        import tomllib

        from packaging.requirements import Requirement

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        locked: dict[str, list[str]] = {}
        for line in self.LINES:
            name, version = line.split(" ;")[0].strip().split("==")
            locked.setdefault(name, []).append(version)
        for text in [*project["dependencies"], *extras["lab"], *extras["test"], *extras["docs"]]:
            wanted = Requirement(text)
            assert wanted.name in locked, f"{wanted.name} is not locked: CONTRIBUTING.md says how to lock again"
            assert all(wanted.specifier.contains(version) for version in locked[wanted.name]), text

    def test_lower_bounds_only(self):
        """An upper bound would change what Colab has preinstalled."""
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for text in [*project["dependencies"], *project["optional-dependencies"]["lab"]]:
            assert re.fullmatch(r"[a-z-]+>=[\d.]+", text), text

    def test_nothing_newer_than_colab(self):
        """What Colab preinstalls (googlecolab/backend-info, 2026-08-19) satisfies every lower bound."""
        import tomllib

        from packaging.requirements import Requirement

        colab = {
            "torch": "2.11.0",
            "torchvision": "0.26.0",
            "numpy": "2.0.2",
            "matplotlib": "3.10.0",
            "pillow": "11.3.0",
            "scipy": "1.16.3",
            "scikit-learn": "1.6.1",
            "scikit-image": "0.25.2",
            "ipywidgets": "7.7.1",
            "tqdm": "4.67.3",
        }
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        wanted = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["lab"]]]
        for requirement in wanted:
            # Colab is itself what JupyterLab is elsewhere; safetensors depends on nothing and changes no version.
            if requirement.name not in ("jupyterlab", "safetensors"):
                assert requirement.specifier.contains(colab[requirement.name]), requirement


def test_conda_environment_agrees_with_pyproject():
    import tomllib

    import yaml
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["channels"] == ["conda-forge"]
    *specs, pip = conda["dependencies"]
    assert pip == {"pip": ["-e .[lab]"]}
    wanted = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["lab"]]]
    names = {"torch": "pytorch"}
    expected = {f"{names.get(item.name, item.name)}{item.specifier}" for item in wanted}
    assert set(specs) == expected | {f"python{project['requires-python']}", "pip"}


def test_ci_runs_what_the_readme_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 start.py test" in readme
    assert script.splitlines()[-1] == "python3 start.py test"
