"""What this process may use of the machine: processors and memory, which a container or a cluster can limit."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path
from typing import Any


def usable_processors() -> int:
    """Processors that this process may use, which a container or a cluster can limit."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def memory() -> tuple[float | None, float | None]:
    """Bytes of memory that this process may use, and of these the available ones; None where unknown."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError):
        return None, None
    available = None
    table = Path("/proc/meminfo")
    if table.exists() and (match := re.search(r"MemAvailable:\s+(\d+) kB", table.read_text())):
        available = float(match[1]) * 1024
    # A container's limit lies below the machine's memory, and going over it ends the kernel without a word.
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        allowed = float(limit.read_text())
        if allowed < total:
            total = allowed
            available = min(available or allowed, allowed - float(used.read_text()))
    except (OSError, ValueError):
        pass
    return total, available


def _windows_memory() -> tuple[float | None, float | None]:
    class Status(ctypes.Structure):
        # MEMORYSTATUSEX of the Windows API.
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "available", "page", "page_free", "virtual")),
            ("virtual_free", ctypes.c_uint64),
            ("extended", ctypes.c_uint64),
        )

    status: Any = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
        return None, None
    return float(status.total), float(status.available)
