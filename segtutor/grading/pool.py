"""Several jobs at a time in processes of their own; one that takes its process with it costs no other its result."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import TypeVar

from segtutor.grading import orphans

T = TypeVar("T")
Job = tuple[Callable[..., T], tuple[object, ...]]


def done_by_processes(jobs: Sequence[Job[T]], count: int) -> Iterator[tuple[int, T | None, str]]:
    """The jobs' results as they are known: number of the job, result, and what stopped it if there is none.

    Where a process ends (the system had no memory left, or somebody killed it), nobody can say whose fault it was: all
    that were in work are done again, each alone, and who ends that process, too, has no result. The others go on.

    Args:
        jobs: Functions and their arguments, which can be sent to another process.
        count: Processes at a time.
    """
    todo = list(range(len(jobs)))
    while todo:
        suspects: list[int] = []
        for number, result, why in _in_one_pool(jobs, todo, count, suspects):
            todo.remove(number)
            yield number, result, why
        for number in suspects:
            todo.remove(number)
            alone: list[int] = []
            yield from _in_one_pool(jobs, [number], 1, alone)
            if alone:
                yield number, None, "its process ended, twice"


def _in_one_pool(
    jobs: Sequence[Job[T]], todo: Sequence[int], count: int, suspects: list[int]
) -> Iterator[tuple[int, T | None, str]]:
    """What is done until all is, or a process has ended; then those that were in work are added to the suspects."""
    context = multiprocessing.get_context("spawn")
    with _no_orphans_left(), ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_the_parent) as pool:
        waiting, pending = iter(list(todo)), dict[Future[T], int]()
        try:
            broken = False
            while True:
                while not broken and len(pending) < count and (number := next(waiting, None)) is not None:
                    function, arguments = jobs[number]
                    try:
                        pending[pool.submit(function, *arguments)] = number
                    except BrokenProcessPool:
                        broken = True
                if not pending:
                    return
                done = next(as_completed(pending))
                number = pending.pop(done)
                error = done.exception()
                if isinstance(error, BrokenProcessPool):
                    broken = True
                    suspects.append(number)
                elif error is not None:
                    yield number, None, f"{type(error).__name__}: {error}"
                else:
                    yield number, done.result(), ""
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _no_orphans_left() -> Iterator[None]:
    """Ends, at the end, what processes of the pool that were killed left to this one."""
    if os.name == "posix":
        resource_tracker.ensure_running()  # the one process that a pool starts and does not end
    others = orphans.children()
    try:
        yield
    finally:
        orphans.end_all_but(others)


def _end_with_the_parent() -> None:
    """A pool's process waits for work for ever where its parent was killed; this ends it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: int = parent.sentinel) -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
