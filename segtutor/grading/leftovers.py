"""Temporary folders that carry their grader's number: what a grader that was killed left behind is removed by the next.

They hold what was handed in, which later submissions must not see.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_NAMED = re.compile(r"segtutor-(?:grade|unpacked)-(\d+)-")


def temporary_folder(kind: str) -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone after its use, and after the next grading if this one is killed.

    Args:
        kind: "grade", for rooms, or "unpacked", for archives.
    """
    return tempfile.TemporaryDirectory(prefix=f"segtutor-{kind}-{os.getpid()}-", ignore_cleanup_errors=True)


def of_other_graders() -> list[Path]:
    """The folders of graders that are at work; those of graders that have ended are removed."""
    found = []
    for path in sorted(Path(tempfile.gettempdir()).glob("segtutor-*")):
        named = _NAMED.match(path.name)
        if named is None or int(named[1]) == os.getpid():
            continue
        if _runs(int(named[1])):
            found.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return found


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
