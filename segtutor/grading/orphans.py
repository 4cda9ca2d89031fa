"""Ends what a submission leaves running where the system makes no namespaces (Linux).

A process whose parent has ended becomes the child of the nearest one above it that takes orphans in. The grader does,
so whatever a submission starts stays below it, however it detaches itself, and is found when the session ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

SIGNAL_AT_PARENTS_END, TAKES_ORPHANS_IN = 1, 36
"""What Linux's `prctl` is asked for."""
PATIENCE = 5.0
"""Seconds after which the search for what starts itself anew ends."""


def take_orphans_in() -> bool:
    """Be the parent of all orphans below this process from now on; whether the system does that."""
    return sys.platform.startswith("linux") and ctypes.CDLL(None).prctl(TAKES_ORPHANS_IN, 1, 0, 0, 0) == 0


def end_with_the_parent() -> None:
    """Let the system end this process when the one that started it has ended."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(SIGNAL_AT_PARENTS_END, signal.SIGKILL, 0, 0, 0)


def parents() -> dict[int, int]:
    """The parent of every process; empty where the system does not tell."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # the name stands in brackets and may hold anything; after it come the state and the parent
            found[int(path.parent.name)] = int(path.read_bytes().rpartition(b")")[2].split()[1])
    return found


def children() -> frozenset[int]:
    """The children of this process."""
    own = os.getpid()
    return frozenset(pid for pid, parent in parents().items() if parent == own)


def end_all_but(spared: Iterable[int]) -> None:
    """End every process below this one, but for some children and what is below them.

    Args:
        spared: Children that may go on.
    """
    kept, ends = frozenset(spared), time.monotonic() + PATIENCE
    while (found := _below(os.getpid(), kept)) and time.monotonic() < ends:
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):  # the child of a child becomes ours, and is found in the next round
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.001)


def _below(pid: int, spared: frozenset[int]) -> list[int]:
    of = parents()
    found, todo = list[int](), [pid]
    while todo:
        above = todo.pop()
        new = [one for one, parent in of.items() if parent == above and one not in spared]
        found += new
        todo += new
    return found
