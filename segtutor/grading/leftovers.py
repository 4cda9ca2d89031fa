"""Temporary folders that carry their grader's number: what a grader that was killed left behind is removed by the next.

They hold what was handed in, which later submissions must not see.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

_NAMED = re.compile(r"segtutor-(?:grade|unpacked)-([0-9a-f]{8})-(\d+)-")


def temporary_folder(kind: str) -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone after its use, and after the next grading if this one is killed.

    Args:
        kind: "grade", for rooms, or "unpacked", for archives.
    """
    return tempfile.TemporaryDirectory(prefix=f"segtutor-{kind}-{_here()}-{os.getpid()}-", ignore_cleanup_errors=True)


def of_other_graders() -> list[Path]:
    """The folders of graders that are at work, or may be; those of graders that have ended are removed."""
    found = []
    for path in sorted(Path(tempfile.gettempdir()).glob("segtutor-*")):
        named = _NAMED.match(path.name)
        if named is None or (named[1] == _here() and int(named[2]) == os.getpid()):
            continue
        if named[1] != _here() or _runs(int(named[2])):
            found.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return found


@cache
def _here() -> str:
    """Of this machine and its numbers of processes: a container has others, and may share the temporary folder."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def _runs(pid: int) -> bool:
    if os.name != "posix":  # no way to ask that does not end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, and is somebody else's
        pass
    return True
