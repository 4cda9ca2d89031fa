"""Runs in the room: a submission's cells, then its answers on the grader's inputs; tells the grader what came out.

It judges nothing and holds no wanted result. Cells run in one process, in order; each answer is tried in a copy of that
process (a fork, where the system has one), so that an answer which ends its process, or fills its memory, costs this
one exercise.

    job.json --> cells --> for each exercise: a fork --> outcomes --> a line of JSON on the socket
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from segtutor.exercises import seeds
from segtutor.exercises.running import Outcome
from segtutor.grading import orphans, stand_ins
from segtutor.grading.transfer import MOST_BYTES, decode, encode, encode_outcome, read_line
from segtutor.grading.trying import tried

SLACK = 6
"""An exercise's process is ended after so many times its seconds, which count only where it computes."""


class Line:
    """The socket to the grader: a line of JSON each way."""

    def __init__(self, address: str) -> None:
        kind, *where = address.split(":")
        if kind == "port":  # where no socket can be inherited
            self._socket = socket.create_connection(("127.0.0.1", int(where[0])))
            self._socket.sendall(where[1].encode() + b"\n")
        else:
            self._socket = socket.socket(fileno=int(where[0]))
        self._received = b""

    def say(self, **message: Any) -> None:
        """Send a message."""
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def ask(self, **message: Any) -> Any:
        """Send a message and wait for the answer."""
        self.say(**message)
        while b"\n" not in self._received:
            part = self._socket.recv(1 << 16)
            if not part:
                raise EOFError("the grader is gone")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)


def limit(memory: int, file_bytes: int, seconds: int) -> None:
    """Limits that neither this process nor its children can lift: memory, size of files, processor time, no cores.

    Where the machine has no memory left, the system ends these first, and not the grader.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 512),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # some systems know a limit and refuse to set it
            resource.setrlimit(kind, (most, most))


class Submission:
    """A notebook while it runs.

    Args:
        job: What the grader wrote: "cells", "skipped" numbers of cells, "seconds" for a cell, "variant" of the course,
            "exercises" with their id, name, keys, arguments, seconds and around.
        line: To the grader.
    """

    def __init__(self, job: dict[str, Any], line: Line) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.job, self.line = job, line
        self.exercises = {one["id"]: one for one in job["exercises"]}
        self.probing = ""
        self.shell = InteractiveShell.instance()
        setattr(self.shell, "ask_exit", lambda: None)  # noqa: B010  # exit() asks a kernel to end, and there is none
        # IPython keeps all that a cell prints for its history; a cell that prints without end would fill the memory.
        setattr(self.shell, "_tee", lambda channel: contextlib.nullcontext())  # noqa: B010
        stand_ins.Asker.passes, stand_ins.Asker.call = staticmethod(self.passes), staticmethod(self.borrowed)

    def run_cells(self) -> None:
        """Every cell that is not skipped; each is told before and after, so that the one that ends it all is known."""
        for number, source in enumerate(self.job["cells"]):
            if number in self.job["skipped"]:
                continue
            self.line.say(cell=number, state="begins")
            self.line.say(cell=number, state=self._run_cell(source))

    def _run_cell(self, source: str) -> str:
        try:
            with _interrupted_after(self.job["seconds"]):
                result = self.shell.run_cell(source, store_history=False)
        except KeyboardInterrupt:
            return "slow"
        except BaseException:
            return "failed"
        error = result.error_before_exec or result.error_in_exec
        return "ran" if error is None else "slow" if isinstance(error, KeyboardInterrupt) else "failed"

    def probe_all(self) -> None:
        """Each exercise on its inputs, which the grader hands out one exercise at a time."""
        while (asked := self.line.ask(next=True)) is not None:
            exercise_id = asked["id"]
            self.exercises[exercise_id] |= asked
            self.line.say(exercise=exercise_id, outcomes=self.outcomes(exercise_id, self._answer(exercise_id)))

    def _answer(self, exercise_id: str) -> Any:
        """What the notebook calls by the exercise's name; else, or if several tasks share it, what was checked last."""
        exercise, checked = self.exercises[exercise_id], stand_ins.latest.get(exercise_id)
        named = stand_ins.own(self.shell.user_ns.get(exercise["name"]))
        if exercise["keys"]:
            named_fits = isinstance(named, dict) and bool(named.keys() & set(exercise["keys"]))
            return named if named_fits or checked is None else checked
        return checked if named is None else named

    def passes(self, exercise_id: str, answer: Any) -> bool:
        """Whether the grader takes an answer; asked in the middle of a notebook, by `use`."""
        if exercise_id not in self.exercises or self.probing:
            return True
        return bool(self.line.ask(passes=exercise_id, outcomes=self.outcomes(exercise_id, answer)))

    def borrowed(self, exercise_id: str, arguments: tuple[Any, ...]) -> Any:
        """The course's result, from the grader.

        Raises:
            LookupError: If there is none for these arguments.
        """
        reply = self.line.ask(borrows=exercise_id, arguments=encode(arguments))
        if reply is None:
            raise LookupError(f"the course's own answer to {exercise_id} is not to be had here")
        return decode(reply)

    def outcomes(self, exercise_id: str, answer: Any) -> list[dict[str, Any]]:
        """What an answer gives, from a process of its own."""
        exercise = self.exercises[exercise_id]
        count = len(exercise["keys"] or exercise["arguments"])
        if not hasattr(os, "fork"):
            return tried(exercise, answer)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                os.close(reading)
                os.setpgid(0, 0)
                self.probing = exercise_id
                text = json.dumps(tried(exercise, answer)).encode()
                for start in range(0, len(text), 1 << 16):
                    os.write(writing, text[start : start + (1 << 16)])
            os._exit(0)
        os.close(writing)
        text, in_time = _read(reading, SLACK * exercise["seconds"] + 10)
        for ended in (lambda: os.killpg(child, signal.SIGKILL), lambda: os.kill(child, signal.SIGKILL)):
            with contextlib.suppress(OSError):
                ended()
        _, status = os.waitpid(child, 0)
        try:
            found = read_line(text)
        except ValueError:
            found = None
        if not isinstance(found, list):
            kind = "died" if in_time else "slow"
            message = "" if os.WIFEXITED(status) else signal.Signals(os.WTERMSIG(status)).name
            found = [encode_outcome(Outcome(kind, message=message))] * count  # type: ignore[arg-type]
        return found


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raises KeyboardInterrupt in what takes longer, again and again where it is caught."""
    if not hasattr(signal, "setitimer"):
        timer = threading.Timer(seconds, _thread.interrupt_main)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        return
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _read(pipe: int, seconds: float) -> tuple[bytes, bool]:
    """What comes through a pipe until it is closed, at most so much and so long; and whether it was closed in time."""
    ends, size = time.monotonic() + seconds, 0
    parts: list[bytes] = []
    try:
        while size <= MOST_BYTES:
            left = ends - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                return b"".join(parts), False
            part = os.read(pipe, 1 << 16)
            if not part:
                break
            parts.append(part)
            size += len(part)
        return b"".join(parts), True
    finally:
        os.close(pipe)


def main(address: str, path: str) -> None:
    """Read the job, do it, and end without what a submission may have left to be done at the end.

    Args:
        address: Where the grader is: "socket:NUMBER" or "port:NUMBER:TOKEN".
        path: The job's file.
    """
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    os.unlink(path)
    orphans.end_with_the_parent()
    limit(job["memory"], job["file_bytes"], job["processor_seconds"])
    seeds.choose(job["variant"])
    line = Line(address)
    submission = Submission(job, line)
    submission.run_cells()
    threading.excepthook = lambda _: None
    submission.probe_all()
    line.say(done=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
