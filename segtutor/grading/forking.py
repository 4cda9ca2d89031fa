"""The grader's side of `warm`: asks the process that is ready for a fork, and for that fork's end."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any


class WarmProcess:
    """The process that has imported what all submissions need, and forks itself for each: see `warm`.

    Args:
        place: Its folder.
        environment: What it finds in its environment.
    """

    def __init__(self, place: Path, environment: dict[str, str]) -> None:
        self._line, far = socket.socketpair()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "segtutor.grading.warm", str(far.fileno())],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(far.fileno(),),
                start_new_session=True,
            )

    def start(self, job: dict[str, Any], inherited: int) -> int:
        """Fork for a submission; the number of its process.

        Args:
            job: What `warm` must know of it.
            inherited: The file by which it reaches the grader.

        Raises:
            ValueError: If the process is gone.
        """
        text = json.dumps(job).encode()
        return self._asked(len(text).to_bytes(4, "big") + text, [inherited])

    def end(self, pid: int) -> None:
        """End a process that was forked, with all that it started."""
        with contextlib.suppress(ValueError):  # gone: what it forked ended with it
            self._asked(bytes(4) + pid.to_bytes(4, "big"), [])

    def close(self) -> None:
        """End it and all that it forked."""
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        self._process.kill()
        self._process.wait()

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def _asked(self, message: bytes, files: list[int]) -> int:
        try:
            sent = socket.send_fds(self._line, [message], files)
            self._line.sendall(message[sent:])
            answer = self._line.recv(4, socket.MSG_WAITALL)
        except OSError as error:
            raise ValueError(f"the process that starts submissions is gone: {error}") from None
        if len(answer) < 4:
            raise ValueError("the process that starts submissions is gone")
        return int.from_bytes(answer, "big")
