"""The container's recipe names what is there: Docker itself is not at hand where the tests run."""

import re
import shlex
import tomllib
from pathlib import Path

from segtutor.cli import COMMANDS

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "docs" / "grading.Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STEPS = [
    line.split(maxsplit=1) for line in RECIPE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")
]


def test_the_recipe_installs_what_grading_needs():
    words = ["FROM", "WORKDIR", *["COPY"] * 4, "RUN", "FROM", "ARG", "COPY", "COPY", "RUN", "USER", "WORKDIR", "ENV"]
    assert [word for word, _ in STEPS] == [*words, "ENTRYPOINT"]
    python = set(re.findall(r"python:3\.(\d+)", RECIPE))
    assert len(python) == 1
    assert int(python.pop()) >= int(re.search(r"3\.(\d+)", PROJECT["project"]["requires-python"])[1])
    assert "lab" in PROJECT["project"]["optional-dependencies"]
    assert '[lab]"' in RECIPE
    program, command = re.findall(r'"(\w+)"', STEPS[-1][1])
    assert program in PROJECT["project"]["scripts"]
    assert command in COMMANDS


def test_the_first_stage_has_all_that_the_wheel_is_built_from_and_the_last_one_no_folder_of_the_course():
    first, last = RECIPE.split("FROM ")[1:]
    copied = [name for line in first.splitlines() if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    needed = {"pyproject.toml", "hatch_build.py", "segtutor", "notebooks", PROJECT["project"]["readme"]}
    needed |= set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    assert needed <= set(copied)
    assert re.findall(r"^COPY (.*)$", last, re.MULTILINE) == [
        "--from=built /wheel /wheel",
        "requirements-lock.txt /wheel/",
    ]
    assert "rm -r /wheel" in last
    assert last.index("USER grader") > last.index("useradd")


def test_the_page_runs_the_container_without_a_network_and_with_arguments_that_grade_knows():
    import argparse

    from segtutor.commands import grade

    (block,) = re.findall(r"docker build.*?```", PAGE, re.DOTALL)
    words = shlex.split(block.removesuffix("```").replace("\\\n", " "))
    assert words[words.index("--network") + 1] == "none"
    assert {"--read-only", "--cap-drop", "--pids-limit", "--memory", "no-new-privileges"} <= set(words)
    # Without these the kernel refuses namespaces, and a new /proc, inside a container.
    assert {"seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"} <= set(words)
    assert [word for word in words if word.endswith(":ro")] == ["$PWD/submissions:/in:ro", "$PWD/private:/private:ro"]
    parser = argparse.ArgumentParser()
    grade.configure(parser)
    last = len(words) - 1 - words[::-1].index("grade")
    given = parser.parse_args(words[last + 1 :])
    assert (given.assignment, str(given.hidden), str(given.out)) == (["03"], "/private/03", "/out")
