"""A room for one submission: its own home, its own temporary folder, limits, and where the system offers it a jail."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segtutor.exercises.exercise import GRADING
from segtutor.grading import jail, leftovers, orphans
from segtutor.grading.forking import WarmProcess
from segtutor.resources import PACKAGE

JAIL = "its own processes, no network, files read-only, other submissions and answers hidden"
LIMITS = "limits on memory, time and files only; whatever it starts ends with it"
LIMITS_WITHOUT_PROC = "limits on memory, time and files only; what detaches itself from it goes on"
NOTHING = "no limits: this system has none that could be set"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV", "TZ")
"""Of the grader's environment; the rest may hold tokens and passwords."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        seconds_per_cell: A cell that takes longer is interrupted; the next ones run.
        seconds: After that the whole notebook is given up.
        memory: Bytes that a process may ask for.
        file_bytes: The largest file that may be written.
        room_bytes: What may lie in its folders together, where the system makes jails.
        processes: How many may run at a time, there.
    """

    seconds_per_cell: float = 60
    seconds: float = 600
    memory: int = 4 * 2**30
    file_bytes: int = 256 * 2**20
    room_bytes: int = 2 * 2**30
    processes: int = 256


@dataclass(frozen=True)
class House:
    """Where all rooms of one grading are.

    Attributes:
        root: A temporary folder.
        course: The package without answers.
        hidden: What no submission may see.
        jailed: Whether the system makes jails.
    """

    root: Path
    course: Path
    hidden: tuple[Path, ...] = ()
    jailed: bool = True

    @property
    def in_force(self) -> str:
        """How far submissions are kept apart, in words."""
        if self.jailed:
            return JAIL
        if os.name != "posix":
            return NOTHING
        return LIMITS if sys.platform.startswith("linux") else LIMITS_WITHOUT_PROC


@dataclass
class Room:
    """One submission's place.

    Attributes:
        house: The house it is in.
        place: Its folder; "work" in it is where the notebook runs.
        limits: What may be used in it.
        files: What lies in its folder "work" from the beginning, by name.
        others: Children of the grader that have nothing to do with it.
    """

    house: House
    place: Path
    limits: Limits = field(default_factory=Limits)
    files: Mapping[str, Path] = field(default_factory=dict)
    others: frozenset[int] = frozenset()
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _forked: list[int] = field(default_factory=list)

    @property
    def work(self) -> Path:
        """Where the notebook runs."""
        return self.place / "work"

    def start(self, job: dict[str, Any], address: str, inherited: tuple[int, ...] = ()) -> None:
        """The worker on a job, in a room as it was before anybody was in it.

        Args:
            job: What it is to do.
            address: Where it reaches the grader: "socket:NUMBER" or "port:NUMBER:TOKEN".
            inherited: Numbers of the files that it takes over.
        """
        self.furnish()
        (self.place / "job.json").write_text(json.dumps(job), encoding="utf-8")
        seen_at = self.house.root / "room" if self.house.jailed else self.place
        hidden = [str(path) for path in (self.house.root / "rooms", *self.house.hidden)]
        spec = spec_of(self.place, seen_at, hidden, self.limits)
        if self.house.jailed and len(inherited) == 1:
            started = {
                "spec": spec,
                "job": str(seen_at / "job.json"),
                "environment": environment(self.house, seen_at),
            }
            self._forked.append(warm_process(self.house).start(started, inherited[0]))
            return
        command = [sys.executable, "-P", "-m", "segtutor.grading.worker", address, str(seen_at / "job.json")]
        if self.house.jailed:
            command = [sys.executable, "-I", str(Path(jail.__file__)), json.dumps(spec), *command]
        process = subprocess.Popen(
            command,
            cwd=self.work,
            env=environment(self.house, seen_at),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=inherited,
            start_new_session=True,
        )
        self._running.append(process)

    def furnish(self) -> None:
        """Empty folders, and the files that were handed in."""
        shutil.rmtree(self.place, ignore_errors=True)
        for name in ("home", "tmp", "work"):
            (self.place / name).mkdir(parents=True, exist_ok=True)
        for name, path in self.files.items():
            shutil.copyfile(path, self.work / name)

    def end(self) -> None:
        """Ends every process that was started here, also those that a submission started itself."""
        for process in self._running:
            for group in (lambda one=process: os.killpg(one.pid, signal.SIGKILL), process.kill):
                with contextlib.suppress(OSError):
                    group()
            process.wait()
        self._running.clear()
        for pid in self._forked:
            warm_process(self.house).end(pid)
        self._forked.clear()
        if not self.house.jailed:
            orphans.end_all_but(self.others)


def spec_of(place: Path, seen_at: Path, hidden: Sequence[str], limits: Limits) -> dict[str, Any]:
    """What `jail` must know of a room."""
    taken = {"bytes": limits.room_bytes, "processes": limits.processes}
    return {"room": str(place), "at": str(seen_at), "hidden": list(hidden), **taken}


def environment(house: House, place: Path) -> dict[str, str]:
    """What a program in a room finds in its environment.

    Args:
        house: Whose package it runs with.
        place: Where it sees its room.
    """
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    folders = {"HOME": "home", "USERPROFILE": "home", "TMPDIR": "tmp", "TEMP": "tmp", "TMP": "tmp"}
    folders |= {"IPYTHONDIR": "home", "JUPYTER_CONFIG_DIR": "home", "JUPYTER_DATA_DIR": "home"}
    folders |= {"MPLCONFIGDIR": "home", "XDG_CACHE_HOME": "home", "XDG_CONFIG_HOME": "home"}
    return (
        kept
        | {name: str(place / inside) for name, inside in folders.items()}
        | {
            "PYTHONPATH": str(house.course),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "SEGTUTOR_PROGRESS": "off",
            GRADING: "on",
        }
    )


@contextmanager
def open_house(hidden: Sequence[Path] = (), jailed: bool | None = None) -> Iterator[House]:
    """A temporary house with the course without answers in it.

    Args:
        hidden: Folders and files that submissions must not see: their own originals, hidden cases.
        jailed: Whether to use jails; None where the system makes them.
    """
    from segtutor.grading.course import build_course

    others = leftovers.of_other_graders()
    with leftovers.temporary_folder("grade") as folder:
        root = Path(folder).resolve()
        for name in ("rooms", "room"):
            (root / name).mkdir()
        course = build_course(root / "course")
        house = House(root, course, tuple(path.resolve() for path in (*hidden, *others, *_answers()) if path.exists()))
        possible = can_jail(house) if jailed is None else jailed
        house = House(root, course, house.hidden, possible)
        if not possible:
            orphans.take_orphans_in()
        try:
            yield house
        finally:
            close_warm_process(house)


_warm: dict[Path, WarmProcess] = {}


def warm_process(house: House) -> WarmProcess:
    """This grader's warm process in a house; a new one if there is none, or it has ended."""
    known = _warm.get(house.root)
    if known is None or known.gone:
        place = house.root / f"warm-{os.getpid()}-{secrets.token_hex(4)}"
        for name in ("home", "tmp"):
            (place / name).mkdir(parents=True)
        known = _warm[house.root] = WarmProcess(place, environment(house, place))
    return known


def close_warm_process(house: House) -> None:
    """End this grader's warm process in a house, if there is one."""
    known = _warm.pop(house.root, None)
    if known is not None:
        known.close()


def _answers() -> list[Path]:
    """Where the course itself lies with its answers."""
    places = [PACKAGE / "exercises"]
    for folder in (PACKAGE, PACKAGE.parent):
        places += [folder / "notebooks", folder / "data" / "checkpoints" / "assignment_fcn8s.safetensors"]
    if (PACKAGE.parent / "tests").is_dir() and (PACKAGE.parent / "pyproject.toml").is_file():
        places += [PACKAGE.parent / "tests", PACKAGE.parent / ".git"]
    return places


@contextmanager
def open_room(
    house: House, number: int, limits: Limits | None = None, files: Mapping[str, Path] | None = None
) -> Iterator[Room]:
    """A room in the house; whatever is in it, and whatever still runs in it, is gone afterwards.

    Args:
        house: Where it is.
        number: Which one.
        limits: What may be used in it.
        files: What lies in it from the beginning, by name.
    """
    place = house.root / "rooms" / f"{number:05d}"
    room = Room(house, place, limits or Limits(), files or {}, orphans.children())
    room.furnish()
    if not house.jailed:
        orphans.take_orphans_in()  # this may be a process of its own
    try:
        yield room
    finally:
        room.end()
        shutil.rmtree(place, ignore_errors=True)


def can_jail(house: House) -> bool:
    """Whether this system puts a program into namespaces of its own, tried with one that does nothing."""
    if not sys.platform.startswith("linux"):
        return False
    with open_room(house, 0) as room:
        spec = json.dumps(spec_of(room.place, house.root / "room", (), Limits()))
        command = [sys.executable, "-I", str(Path(jail.__file__)), spec, sys.executable, "-c", "pass"]
        try:
            return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False
