"""The grader's side of a submission's run: starts the worker, answers what it asks, starts it again where it ended."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from segtutor.exercises import seeds
from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import Case, Exercise
from segtutor.exercises.running import Outcome
from segtutor.grading.by_port import connected_by_port
from segtutor.grading.lending import Lender
from segtutor.grading.room import Limits, Room
from segtutor.grading.runs import Run
from segtutor.grading.transfer import MOST_BYTES, decode_outcome, encode, read_line

MOST_STARTS = 12
BY_SOCKET = os.name == "posix"
"""Whether a program that is started takes over a socket; else it connects to a port of this machine."""
GRACE = 15.0
"""Seconds beyond a cell's own, before the process is ended that does not take an interruption."""
PATIENCE = 10.0
"""Seconds in which a worker that asked must take the answer."""


class Session:
    """One submission's run in a room: its cells, then each exercise on its own.

    The program at the other end is a stranger's, whatever it says. So the inputs of an exercise, hidden ones among
    them, are handed out when no cell runs any more, for one exercise at a time; its answer is the first one that comes,
    and until then nothing of the course's own answer to it is lent.

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
        self._tried: dict[str, list[Outcome]] = {}
        self._cells_done = False
        self._probed: str | None = None
        self._lender = Lender(limits.memory)

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
                self._lender.end()
                self.room.end()
            if time.monotonic() >= ends:
                self.run.given_up = True
                break
            if self._running is not None:
                (self.run.ended if self._running not in self.run.slow else self.run.slow).add(self._running)
            elif (open_one := self._probed or self._first_open()) is not None:
                self.run.outcomes[open_one] = [Outcome("died")] * len(self._cases(open_one))
            else:
                break
        return self.run

    def _cases(self, exercise_id: str) -> tuple[Case, ...]:
        """Public ones first."""
        return (*self.exercises[exercise_id].cases, *self.further.get(exercise_id, ()))

    def _first_open(self) -> str | None:
        return next((one for one in self.exercises if one not in self.run.outcomes), None)

    def _attempt(self, ends: float) -> bool:
        """One worker from its start to its end; whether it did all that was asked."""
        self._running = self._probed = None
        self._cells_done = False
        with self._connected(ends) as near:
            near.settimeout(PATIENCE)
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
        """What the cells may know of an exercise: its name, and the inputs that everybody knows."""
        values, around = exercise.asks_for_values, exercise.around
        if values:  # what surrounds values is a judgment, and made on this side
            around = None
        return {
            "id": exercise.id,
            "name": exercise.name,
            "keys": self._keys(exercise) if values else [],
            "around": None if around is None else [around.__module__, around.__qualname__],
            **self._inputs(exercise, exercise.cases),
        }

    def _inputs(self, exercise: Exercise, cases: Sequence[Case]) -> dict[str, Any]:
        return {
            "seconds": exercise.seconds * max(1.0, len(cases) / len(exercise.cases)),
            "arguments": [] if exercise.asks_for_values else [encode(case.arguments) for case in cases],
        }

    def _next(self) -> dict[str, Any] | None:
        """The exercise that is to be tried now, with all of its inputs; None after the last one."""
        self._cells_done = True
        self._probed = self._first_open()
        if self._probed is None:
            return None
        return {"id": self._probed, **self._inputs(self.exercises[self._probed], self._cases(self._probed))}

    def _hear(self, message: Any, near: socket.socket, ends: float) -> bool:
        """Act on a message of the worker; whether it was the last one."""
        match message:
            case {"cell": int(number), "state": str(state)} if not self._cells_done:
                if state == "begins":
                    self._running, self._cell_ends = number, time.monotonic() + self.limits.seconds_per_cell + GRACE
                    return False
                self._running, self._cell_ends = None, ends
                for name, numbers in (("failed", self.run.failed), ("slow", self.run.slow)):
                    numbers.discard(number)
                    if state == name:
                        numbers.add(number)
            case {"next": True} if self._running is None and self._probed is None:
                self._reply(near, self._next())
            case {"exercise": str(exercise_id), "outcomes": list(found)}:
                if exercise_id == self._probed:
                    self.run.outcomes[exercise_id] = self._decoded(exercise_id, found)
                    self._probed = None
            case {"passes": str(exercise_id), "outcomes": list(found)}:
                self._reply(near, exercise_id in self.exercises and self._passes(exercise_id, found))
            case {"borrows": str(exercise_id), "arguments": arguments}:
                self._reply(near, self._lent(exercise_id, arguments))
            case {"done": True}:
                return True
            case _:
                raise ValueError(f"a message of an unknown kind, {type(message).__name__}, or one at a wrong time")
        return False

    def _reply(self, near: socket.socket, content: Any) -> None:
        try:
            near.sendall(json.dumps(content).encode() + b"\n")
        except TimeoutError:
            raise ValueError("it asks and does not listen") from None
        except OSError:  # it is gone, which the next reading tells
            pass

    def _keys(self, exercise: Exercise) -> list[str]:
        """The keys of the values that are fetched."""
        return [case.name for case in exercise.cases] if exercise.around is None else list(exercise.keys)

    def _decoded(self, exercise_id: str, found: list[Any]) -> list[Outcome]:
        exercise = self.exercises[exercise_id]
        outcomes: list[Outcome] = []
        for one in found[: len(self._cases(exercise_id)) + 1]:
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
        self._tried[exercise_id] = outcomes
        return len(outcomes) >= len(exercise.cases) and all(
            outcome.kind == "returned" and difference(outcome.value, wanted, exercise.tolerance) is None
            for outcome, wanted in zip(outcomes, exercise.wanted, strict=False)
        )

    def _lent(self, exercise_id: str, arguments: Any) -> Any:
        """The course's result for arguments; None for a hidden case, or where that exercise is being tried."""
        exercise = self.exercises.get(exercise_id)
        if exercise is None:
            return None
        if exercise_id == self._probed:
            self.run.borrowed.add(exercise_id)
            return None
        if exercise.given is not None:
            self._fix(exercise)
            return encode(exercise.reference(*exercise.given()))
        if any(encode(case.arguments) == arguments for case in self.further.get(exercise_id, ())):
            return None
        if not self._cells_done:
            self.run.lent[exercise_id] += 1
        return self._lender.lend(exercise_id, arguments)

    def _fix(self, exercise: Exercise) -> None:
        """From now on the right values are known over there, so what was tried until now is the answer."""
        if exercise.id not in self.run.outcomes:
            nothing = [Outcome("empty")] * len(exercise.cases)
            self.run.outcomes[exercise.id] = self._tried.get(exercise.id, nothing)
            self.run.fixed.add(exercise.id)
