"""Puts a program into namespaces of its own (Linux): files can be read, not written, some not seen; no network.

`enter` does it to the process that calls it; ``python -I jail.py SPEC COMMAND...`` to a command. SPEC is a JSON object:
"room", the one folder that may be written, "at", where the program sees it, "hidden", folders and files that it sees
empty, "bytes" that may lie in the room, and "processes" that may run at a time; with more, all of it ends. Needs no
rights beyond a user's: the kernel gives them inside the new namespaces, and they are gone before the program begins. It
is the child of the first process of its namespace, so everything that it starts ends with it.

This file is run by its path and imports nothing of the course.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS, REMOUNT, BIND, PRIVATE, ALL = 1, 2, 4, 8, 32, 4096, 1 << 18, 1 << 14
KEPT_FLAGS = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1 << 10, "nodiratime": 1 << 11, "relatime": 1 << 21}
INSIDE_USER = 1000
NOT_POSSIBLE, TOO_MUCH = 97, 98
"""Exit status where the system does not give what is asked for; and where more than allowed was taken."""
MOST_FILES = 20_000
BETWEEN_LOOKS = 0.5
"""Seconds after which the first process looks again at what the others take."""

_libc = ctypes.CDLL(None, use_errno=True)


def main(spec: dict[str, Any], command: list[str]) -> None:
    """Run the command in the jail; ends with its exit status."""
    enter(spec)
    os.execv(command[0], command)


def enter(spec: dict[str, Any]) -> None:
    """Go on in the jail, as the child of the first process of its namespace and without any rights.

    The process that calls this waits for that child and ends with its exit status.

    Args:
        spec: As above.
    """
    user, group = os.getuid(), os.getgid()
    _demand(_libc.unshare(NEW_USER | NEW_MOUNTS | NEW_PROCESSES | NEW_NETWORK | NEW_IPC), "unshare")
    _write("/proc/self/setgroups", "deny")
    # Inside nobody is root, so that the command starts without the rights that made the namespaces.
    _write("/proc/self/uid_map", f"{INSIDE_USER} {user} 1")
    _write("/proc/self/gid_map", f"{INSIDE_USER} {group} 1")
    first = os.fork()
    if first:
        _, status = os.waitpid(first, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: whoever ends the parent ends all
    _furnish(spec["room"], spec["at"], spec["hidden"])
    child = os.fork()
    if not child:
        _give_up_rights()
        os.chdir(os.path.join(spec["at"], "work"))
        return
    _watch(child, spec)


def _watch(child: int, spec: dict[str, Any]) -> None:
    """What the first process of a namespace does: inherits the orphans, and ends, and all with it, where it must."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        if not pid:
            running = sum(name.isdigit() for name in os.listdir("/proc"))
            if running > spec["processes"] or _holds_more(spec["at"], spec["bytes"]):
                os._exit(TOO_MUCH)
            signal.sigtimedwait({signal.SIGCHLD}, BETWEEN_LOOKS)


def _holds_more(place: str, most: int) -> bool:
    """Whether a folder's files take more of the disk than so many bytes, or are more than MOST_FILES."""
    size = count = 0
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                size += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
            count += 1
            if size > most or count > MOST_FILES:
                return True
    return False


def _give_up_rights() -> None:
    """What makes namespaces could also undo them; a program that is executed loses these rights, a fork keeps them."""
    _demand(_libc.prctl(38, 1, 0, 0, 0), "prctl")  # PR_SET_NO_NEW_PRIVS
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _demand(_libc.capset(header, none), "capset")


def _furnish(room: str, at: str, hidden: list[str]) -> None:
    mount(None, "/", None, PRIVATE | ALL)
    mount(room, at, None, BIND)
    mount("proc", "/proc", "proc", NO_SETUID | NO_DEVICES | NO_PROGRAMS)
    if os.path.isdir("/dev/shm"):
        mount("tmpfs", "/dev/shm", "tmpfs", NO_SETUID | NO_DEVICES, "size=256m")
    for path in hidden:
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", NO_SETUID | NO_DEVICES | READ_ONLY, "size=4k")
        elif os.path.exists(path):
            mount("/dev/null", path, None, BIND)
    writable = {at, "/proc", "/dev/shm", *hidden}
    with open("/proc/self/mountinfo") as file:
        lines = [line.split() for line in file]
    for fields in lines:
        target = fields[4].encode().decode("unicode_escape")
        if target in writable or target.startswith("/proc/"):
            continue
        flags = sum(KEPT_FLAGS[word] for word in set(fields[5].split(",")) & KEPT_FLAGS.keys())
        mount(None, target, None, REMOUNT | BIND | READ_ONLY | flags)


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount something; ends the program where the system refuses."""
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _demand(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), f"mount on {target}")


def _demand(result: int, what: str) -> None:
    if result != 0:
        sys.stderr.write(f"{what}: {os.strerror(ctypes.get_errno())}\n")
        sys.stderr.flush()
        os._exit(NOT_POSSIBLE)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(NOT_POSSIBLE)
