"""The container's recipe names what is there: Docker itself is not at hand where the tests run."""

import re
import shlex
import tomllib
from pathlib import Path

from segtutor.cli import COMMANDS

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "docs" / "grading.Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


def test_the_recipe_installs_what_grading_needs():
    lines = [line for line in RECIPE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    steps = [line.split(maxsplit=1) for line in lines]
    assert [word for word, _ in steps] == ["FROM", "WORKDIR", "COPY", "RUN", "USER", "WORKDIR", "ENTRYPOINT"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = re.search(r"python:3\.(\d+)", RECIPE)
    assert python is not None
    assert int(python[1]) >= int(re.search(r"3\.(\d+)", project["requires-python"])[1])
    assert "lab" in project["optional-dependencies"]
    assert "[lab]" in RECIPE
    assert (ROOT / "requirements-lock.txt").is_file()
    program, command = re.findall(r'"(\w+)"', steps[-1][1])
    assert program in project["scripts"]
    assert command in COMMANDS


def test_the_page_runs_the_container_without_a_network_and_with_arguments_that_grade_knows():
    import argparse

    from segtutor.commands import grade

    (block,) = re.findall(r"docker build.*?```", PAGE, re.DOTALL)
    words = shlex.split(block.removesuffix("```").replace("\\\n", " "))
    assert words[words.index("--network") + 1] == "none"
    parser = argparse.ArgumentParser()
    grade.configure(parser)
    last = len(words) - 1 - words[::-1].index("grade")
    given = parser.parse_args(words[last + 1 :])
    assert (given.assignment, str(given.hidden), str(given.out)) == (["03"], "/private/03", "/out")
