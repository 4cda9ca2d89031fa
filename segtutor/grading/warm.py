"""Imports what every submission needs, once, and forks itself for each: a process that is young, and ready at once.

    the grader --> a job and a socket --> a fork --> its jail --> the worker

It holds the course without answers, and nothing of any submission: each fork begins with what it was before the first
one. The grader's line is closed in every fork before the first cell runs. When the line ends, so does this process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
from typing import Any

from segtutor import compute
from segtutor.grading import jail, worker

NEEDED = (
    "IPython.core.interactiveshell", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "numpy", "scipy.ndimage",
    "scipy.optimize", "torch", "torch.nn.functional", "torchvision.ops", "torchvision.transforms.v2", "segtutor",
    "segtutor.datasets", "segtutor.inference", "segtutor.metrics", "segtutor.models", "segtutor.plotting",
    "segtutor.training", "segtutor.exercises.loaders",
)  # fmt: skip
"""What the assignments import; what is missing here is imported by the submission itself."""


def main(number: int) -> None:
    """Serve one grader until it hangs up.

    Args:
        number: Of the socket to it.
    """
    for name in NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    compute.set_threads(1)
    gc.collect()
    gc.freeze()  # what is collected never again is copied for no fork
    line = socket.socket(fileno=number)
    started: set[int] = set()
    while True:
        head, files, _, _ = socket.recv_fds(line, 4, 1)
        if len(head) < 4:
            break
        size = int.from_bytes(head, "big")
        if size:
            started.add(pid := _forked(json.loads(_read(line, size)), line, files[0]))
            line.sendall(pid.to_bytes(4, "big"))
        else:
            pid = int.from_bytes(_read(line, 4), "big")
            if pid in started:
                _end(pid)
                started.discard(pid)
            line.sendall(bytes(4))
    for pid in started:
        _end(pid)


def _read(line: socket.socket, size: int) -> bytes:
    return line.recv(size, socket.MSG_WAITALL)


def _end(pid: int) -> None:
    """End a process and its session, and forget it."""
    for ended in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            ended(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(pid, 0)


def _forked(job: dict[str, Any], line: socket.socket, inherited: int) -> int:
    """Fork for a submission; the child's number, in the child it never returns."""
    pid = os.fork()
    if pid:
        os.close(inherited)
        return pid
    try:
        os.setsid()
        line.detach()
        os.closerange(3, inherited)
        os.closerange(inherited + 1, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(job["environment"])
        tempfile.tempdir = None
        jail.enter(job["spec"])
        worker.main(f"socket:{inherited}", job["job"])
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
