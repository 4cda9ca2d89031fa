"""The grader's side of a submission's run: starts the worker, answers what it asks, starts it again where it ended."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segtutor.exercises import seeds
from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import Case, Exercise
from segtutor.exercises.running import Outcome, call
from segtutor.grading.room import Limits, Room
from segtutor.grading.transfer import MOST_BYTES, decode, decode_outcome, encode, read_line

MOST_STARTS = 12
BY_SOCKET = os.name == "posix"
"""Whether a program that is started takes over a socket; else it connects to a port of this machine."""
GRACE = 15.0
"""Seconds beyond a cell's own, before the process is ended that does not take an interruption."""


@dataclass
class Run:
    """What came back.

    Attributes:
        outcomes: Of each exercise's cases, public ones first.
        failed: Numbers of cells that raised an error.
        slow: Numbers of cells that took too long.
        ended: Numbers of cells in which the process ended.
        borrowed: Exercises whose answer asked for the course's own.
        given_up: Whether the time of the whole notebook was over.
        trouble: What else went wrong.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    slow: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    borrowed: set[str] = field(default_factory=set)
    given_up: bool = False
    trouble: str = ""

    def note(self, limits: Limits) -> str:
        """The run in a few words; empty if nothing was remarkable."""
        parts = [
            f"{len(self.failed)} cells failed" if self.failed else "",
            f"{len(self.slow)} cells took longer than {limits.seconds_per_cell:g} seconds" if self.slow else "",
            f"{len(self.ended)} cells ended the process" if self.ended else "",
            f"given up after {limits.seconds:g} seconds" if self.given_up else "",
            self.trouble,
        ]
        return "; ".join(part for part in parts if part)


def connected_by_port(start: Callable[[str], Any], ends: float) -> socket.socket:
    """A socket to a program that connects to a port of this machine and says a token first.

    Args:
        start: Starts it with the address.
        ends: When to give up, by the monotonic clock.

    Raises:
        ValueError: If it does not come.
    """
    token = secrets.token_hex(16)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(max(1.0, min(60.0, ends - time.monotonic())))
        start(f"port:{server.getsockname()[1]}:{token}")
        try:
            near, _ = server.accept()
            near.settimeout(10.0)
            said = near.recv(len(token) + 1, socket.MSG_WAITALL)
        except OSError as error:
            raise ValueError(f"the worker did not start: {error}") from None
        if said != token.encode() + b"\n":
            near.close()
            raise ValueError("somebody else than the worker called")
        near.settimeout(None)
        return near


class Session:
    """One submission's run in a room.

    Args:
        cells: Source of its code cells.
        asked: The exercises that it is graded in.
        further: Hidden cases by exercise.
        room: Where it runs.
        limits: What it may use.
    """

    def __init__(
        self,
        cells: Sequence[str],
        asked: Sequence[Exercise],
        further: Mapping[str, tuple[Case, ...]],
        room: Room,
        limits: Limits,
    ) -> None:
        self.cells, self.room, self.limits = list(cells), room, limits
        self.exercises = {one.id: one for one in asked}
        self.further = further
        self.run = Run()
        self._running: int | None = None
        self._cell_ends = 0.0

    def finish(self) -> Run:
        """Run it, as often as needed, and say what came back."""
        ends = time.monotonic() + self.limits.seconds
        for _ in range(MOST_STARTS):
            try:
                if self._attempt(ends):
                    break
            except ValueError as error:  # a message that no worker of ours would send
                self.run.trouble = f"what came back is no answer: {error}"
                break
            finally:
                self.room.end()
            if time.monotonic() >= ends:
                self.run.given_up = True
                break
            if self._running is not None:
                (self.run.ended if self._running not in self.run.slow else self.run.slow).add(self._running)
            elif (open_one := self._first_open()) is not None:
                count = len(self.exercises[open_one].cases) + len(self.further.get(open_one, ()))
                self.run.outcomes[open_one] = [Outcome("died")] * count
            else:
                break
        return self.run

    def _first_open(self) -> str | None:
        return next((one for one in self.exercises if one not in self.run.outcomes), None)

    def _attempt(self, ends: float) -> bool:
        """One worker from its start to its end; whether it did all that was asked."""
        self._running = None
        with self._connected(ends) as near:
            self._cell_ends = ends
            received = bytearray()
            while True:
                left = min(ends, self._cell_ends) - time.monotonic()
                if left <= 0 or not select.select([near], [], [], left)[0]:
                    if self._running is not None:
                        self.run.slow.add(self._running)
                    return False
                try:
                    part = near.recv(1 << 18)
                except OSError:
                    part = b""
                if not part:
                    return False
                received += part
                if len(received) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES >> 20} MB in one line")
                while (at := received.find(b"\n")) >= 0:
                    line = bytes(received[:at])
                    del received[: at + 1]
                    if self._hear(read_line(line), near, ends):
                        return True

    def _connected(self, ends: float) -> socket.socket:
        """A socket to a worker that was just started."""
        if BY_SOCKET:
            near, far = socket.socketpair()
            with far:
                self.room.start(self._job(), f"socket:{far.fileno()}", (far.fileno(),))
            return near
        return connected_by_port(lambda address: self.room.start(self._job(), address), ends)

    def _job(self) -> dict[str, Any]:
        return {
            "cells": self.cells,
            "skipped": sorted(self.run.slow | self.run.ended),
            "seconds": self.limits.seconds_per_cell,
            "variant": seeds.chosen(),
            "memory": self.limits.memory,
            "file_bytes": self.limits.file_bytes,
            "processor_seconds": int(self.limits.seconds) + 60,
            "exercises": [self._asked(one) for one in self.exercises.values() if one.id not in self.run.outcomes],
        }

    def _asked(self, exercise: Exercise) -> dict[str, Any]:
        """What the worker must know of an exercise: inputs and names, and no wanted result."""
        values, around = exercise.asks_for_values, exercise.around
        if values:  # what surrounds values is a judgment, and made on this side
            around = None
        cases = (*exercise.cases, *self.further.get(exercise.id, ()))
        return {
            "id": exercise.id,
            "name": exercise.name,
            "seconds": exercise.seconds * max(1.0, len(cases) / len(exercise.cases)),
            "keys": self._keys(exercise) if values else [],
            "arguments": [] if values else [encode(case.arguments) for case in cases],
            "around": None if around is None else [around.__module__, around.__qualname__],
        }

    def _hear(self, message: Any, near: socket.socket, ends: float) -> bool:
        """Act on a message of the worker; whether it was the last one."""
        match message:
            case {"cell": int(number), "state": "begins"}:
                self._running, self._cell_ends = number, time.monotonic() + self.limits.seconds_per_cell + GRACE
            case {"cell": int(number), "state": str(state)}:
                self._running, self._cell_ends = None, ends
                for name, numbers in (("failed", self.run.failed), ("slow", self.run.slow)):
                    numbers.discard(number)
                    if state == name:
                        numbers.add(number)
            case {"exercise": str(exercise_id), "outcomes": list(found)}:
                if exercise_id in self.exercises:
                    self.run.outcomes[exercise_id] = self._decoded(exercise_id, found)
            case {"passes": str(exercise_id), "outcomes": list(found)}:
                self._reply(near, exercise_id in self.exercises and self._passes(exercise_id, found))
            case {"borrows": str(exercise_id), "arguments": arguments, "probing": str(probing)}:
                self._reply(near, self._lent(exercise_id, arguments, probing))
            case {"done": True}:
                return True
            case _:
                raise ValueError(f"a message of an unknown kind, {type(message).__name__}")
        return False

    def _reply(self, near: socket.socket, content: Any) -> None:
        with contextlib.suppress(OSError):
            near.sendall(json.dumps(content).encode() + b"\n")

    def _keys(self, exercise: Exercise) -> list[str]:
        """The keys of the values that are fetched."""
        return [case.name for case in exercise.cases] if exercise.around is None else list(exercise.keys)

    def _decoded(self, exercise_id: str, found: list[Any]) -> list[Outcome]:
        exercise = self.exercises[exercise_id]
        count = len(exercise.cases) + len(self.further.get(exercise_id, ()))
        outcomes: list[Outcome] = []
        for one in found[: count + 1]:
            try:
                outcomes.append(decode_outcome(one))
            except ValueError as error:
                outcomes.append(Outcome("raised", error="Unreadable", message=str(error)))
        return self._judged(exercise, outcomes)

    def _judged(self, exercise: Exercise, outcomes: list[Outcome]) -> list[Outcome]:
        """One outcome per case, where the cases are about what is made of the values that came back."""
        if not exercise.asks_for_values or exercise.around is None:
            return outcomes
        if any(outcome.kind not in ("returned", "empty") for outcome in outcomes):
            return [next(one for one in outcomes if one.kind not in ("returned", "empty"))] * len(exercise.cases)
        keys = self._keys(exercise)
        values = {key: one.value for key, one in zip(keys, outcomes, strict=False) if one.kind == "returned"}
        found = exercise.by_case(values)
        return [
            Outcome("empty") if found.get(case.name) is None else Outcome("returned", found[case.name])
            for case in exercise.cases
        ]

    def _passes(self, exercise_id: str, found: list[Any]) -> bool:
        """Whether the public cases come out right, as a check in the notebook would say."""
        exercise, outcomes = self.exercises[exercise_id], self._decoded(exercise_id, found)
        return len(outcomes) >= len(exercise.cases) and all(
            outcome.kind == "returned" and difference(outcome.value, wanted, exercise.tolerance) is None
            for outcome, wanted in zip(outcomes, exercise.wanted, strict=False)
        )

    def _lent(self, exercise_id: str, arguments: Any, probing: str) -> Any:
        """The course's result for arguments; None for an exercise whose own answer is being tried, or a hidden case."""
        exercise = self.exercises.get(exercise_id)
        if exercise is None:
            return None
        if probing == exercise_id:
            self.run.borrowed.add(exercise_id)
            return None
        if exercise.given is not None:
            return encode(exercise.reference(*exercise.given()))
        given = decode(arguments)
        hidden = self.further.get(exercise_id, ())
        if not isinstance(given, tuple) or any(encode(case.arguments) == arguments for case in hidden):
            return None
        outcome = call(exercise.reference, given, exercise.seconds)
        return encode(outcome.value) if outcome.kind == "returned" else None
