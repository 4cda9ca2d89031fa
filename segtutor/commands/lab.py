"""``segtutor lab``: put the lessons into a folder of the learner's, and open JupyterLab on the first."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from segtutor import resources
from segtutor.notebook_files import without_outputs

FIRST_LESSON = "00_start_here.ipynb"
DEFAULT_FOLDER = "segtutor-course"
# Beside the lessons lie their masters and the tools that build them: not for learners.
NOT_FOR_LEARNERS = {"source", "tools", "__pycache__", ".ipynb_checkpoints"}
SOLUTIONS = "solutions"
MANIFEST = Path(".segtutor", "copied.json")


@dataclass
class Copies:
    """What happened to each file, as paths relative to the folder."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help=f"where the lessons go (default: {DEFAULT_FOLDER} here; in a checkout of the course, in its folder)",
    )
    parser.add_argument("--copy-only", action="store_true", help="copy the lessons, do not start JupyterLab")
    parser.add_argument(
        "--without-solutions", action="store_true", help="copy no solved assignments: for a class that is graded"
    )
    parser.add_argument("--no-browser", action="store_true", help="print JupyterLab's address, open no window")
    parser.add_argument("--port", type=int, default=8888, help="JupyterLab's port; when busy, the next free one")


def run(arguments: argparse.Namespace) -> int:
    """Copy the lessons where that is needed, then run JupyterLab until it is stopped."""
    lessons = resources.folder("notebooks")
    in_a_checkout = lessons.parent != resources.PACKAGE
    folder = arguments.folder or (lessons.parent if in_a_checkout else Path()) / DEFAULT_FOLDER
    if folder.resolve() == lessons.resolve():
        print(f"The lessons are already in {folder}")
    else:
        report(copy_lessons(lessons, folder, not arguments.without_solutions), folder)
    if arguments.copy_only:
        return 0
    if importlib.util.find_spec("jupyterlab") is None:
        raise ValueError(
            f'JupyterLab is not installed: install it with  "{sys.executable}" -m pip install jupyterlab  '
            "and run the same command again"
        )
    command = [sys.executable, "-m", "jupyterlab", FIRST_LESSON, f"--ServerApp.port={arguments.port}"]
    if arguments.no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    print(f"Opening JupyterLab on {folder / FIRST_LESSON}. Stop it with Ctrl-C in this window.", flush=True)
    return wait(subprocess.Popen(command, cwd=folder))


def wait(process: subprocess.Popen[bytes]) -> int:
    """Exit status of JupyterLab, which gets Ctrl-C itself and asks whether to stop."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def copy_lessons(lessons: Path, folder: Path, solutions: bool = True) -> Copies:
    """Copy the lessons into ``folder`` without their outputs; a file that the learner changed is left as it is.

    Who is asked to predict an answer must not read it below the cell: the site shows the outputs.

    A manifest in the folder holds the digest of each file as it was copied, so that after an update of the course
    the files that nobody touched are renewed and all others are kept.

    Args:
        lessons: The course's notebooks.
        folder: The learner's.
        solutions: Whether the solved assignments are copied, too.

    Raises:
        ValueError: If ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; name a folder for the lessons, it is made when it is missing")
    left_out = NOT_FOR_LEARNERS if solutions else NOT_FOR_LEARNERS | {SOLUTIONS}
    copied = _read_manifest(folder)
    copies = Copies()
    for source in sorted(lessons.rglob("*")):
        relative = source.relative_to(lessons)
        if not source.is_file() or source.suffix == ".py" or relative.name.startswith("."):
            continue
        if left_out & set(relative.parts):
            continue
        content = without_outputs(source) if source.suffix == ".ipynb" else source.read_bytes()
        name, target, wanted = relative.as_posix(), folder / relative, hashlib.sha256(content).hexdigest()
        present = _digest(target) if target.is_file() else None
        if present not in (None, wanted, copied.get(name)):
            copies.kept.append(name)
            continue
        if present == wanted:
            copies.unchanged.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            part.write_bytes(content)
            os.replace(part, target)
            copies.written.append(name)
        copied[name] = wanted
    _write_manifest(folder, copied)
    return copies


def report(copies: Copies, folder: Path) -> None:
    """Say what was copied, and name each file that was kept."""
    print(f"{folder}: {len(copies.written)} files written, {len(copies.unchanged)} already there")
    for name in copies.kept:
        print(f"  kept, because you changed it: {name}  (delete or rename it to get the course's version)")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_manifest(folder: Path, copied: dict[str, str]) -> None:
    path = folder / MANIFEST
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(copied, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(part, path)
