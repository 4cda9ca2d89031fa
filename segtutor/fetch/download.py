"""Files from the network, and archives unpacked: whole and checked at their place, or not there at all.

address --> FILE.part (resumed where it stopped) --> size and checksum --> FILE
archive --> temporary folder (plain files and folders only) --> FOLDER
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segtutor.bars import tqdm

CHUNK = 1 << 18
FIRST_WAIT = 0.5  # seconds before the second attempt; each further one waits twice as long
LONGEST_WAIT = 30.0
DISK_MARGIN = 32 * 2**20
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadError(OSError):
    """A file could not be fetched; the message says why and what to do."""


class _Transient(Exception):
    """An attempt failed in a way that another attempt may mend."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Final(Exception):
    """An attempt failed in a way that this address will not mend."""


def cache_folder() -> Path:
    """Where downloads are kept: ``SEGTUTOR_CACHE`` if set, else the platform's folder for caches."""
    named = os.environ.get("SEGTUTOR_CACHE")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "segtutor"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "segtutor"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "segtutor"


def fetch(
    url: str,
    to: str | Path,
    sha256: str | None = None,
    size: int | None = None,
    mirrors: Sequence[str] = (),
    progress: bool = True,
    timeout: float = 30.0,
    attempts: int = 4,
) -> Path:
    """Downloads a file unless it is there already.

    What has arrived stays in ``FILE.part`` after a break, and the next call goes on from there.

    Args:
        url: Address, https (http only on this machine itself).
        to: The file to be. If it exists with the right size and checksum, nothing is fetched.
        sha256: Checksum in hexadecimal, whole or its first 8 or more digits, as in the names of torch's weights.
        size: Bytes, if known.
        mirrors: Further addresses of the same file, tried in turn.
        progress: Show a bar.
        timeout: Seconds without a byte after which an attempt counts as stalled.
        attempts: Tries per address in a row that bring nothing new, before the next address.

    Returns:
        The path of the file.

    Raises:
        DownloadError: If no address gave the file: offline, missing, damaged, or no room on the disk. Nothing is at the
            target then, or what was there before.
        ValueError: If an address or the checksum is not one.
    """
    to = Path(to)
    addresses = [url, *mirrors]
    for address in addresses:
        _check_address(address)
    if sha256 is not None:
        sha256 = sha256.lower()
        if not 8 <= len(sha256) <= 64 or set(sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256 must be 8 to 64 hexadecimal digits, but {sha256!r} came")
    if to.is_file() and _damage(to, sha256, size) is None:
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    if size is not None:
        check_room(part, size - (part.stat().st_size if part.exists() else 0))

    reasons = []
    for address in addresses:
        try:
            _fetch_from(address, part, sha256, size, progress, timeout, attempts)
        except _Final as error:
            reasons.append(f"{address}: {error}")
            continue
        os.replace(part, to)
        _tag_file(part).unlink(missing_ok=True)
        return to
    kept = f" What has arrived is kept in {part} and will be continued." if part.exists() else ""
    raise DownloadError(f"{to.name} could not be fetched. {'; '.join(reasons)}.{kept}")


def _fetch_from(
    address: str, part: Path, sha256: str | None, size: int | None, progress: bool, timeout: float, attempts: int
) -> None:
    """Tries one address until the part is whole and undamaged."""
    failures, furthest, was_damaged = 0, _length(part), False
    while True:
        try:
            _attempt(address, part, sha256 is not None, size, progress, timeout)
            damage = _damage(part, sha256, size)
            if damage is None:
                return
            part.unlink()
            if was_damaged:
                raise _Final(f"the file is damaged or was changed ({damage})")
            was_damaged, furthest = True, 0  # Perhaps an old part was to blame: once more from the start.
        except _Transient as error:
            if _length(part) > furthest:
                failures, furthest = 0, _length(part)
            failures += 1
            if failures >= attempts:
                raise _Final(f"{error}, {attempts} attempts in a row; try again later") from None
            wait = FIRST_WAIT * 2 ** (failures - 1) if error.wait is None else error.wait
            time.sleep(min(wait, LONGEST_WAIT))


def _attempt(address: str, part: Path, checked: bool, size: int | None, progress: bool, timeout: float) -> None:
    """One request, appended to the part; returns when the server has sent everything."""
    tag_file = _tag_file(part)
    tag = tag_file.read_text(encoding="utf-8") if tag_file.exists() else ""
    # A part is continued only if the whole can be checked, or the server can tell that the file is still the same.
    start = _length(part) if checked or tag else 0
    headers = {"User-Agent": "segtutor", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag:
            headers["If-Range"] = tag
    try:
        with _open(urllib.request.Request(address, headers=headers), timeout) as response:
            continued = response.status == 206 and _range_start(response) == start
            if response.status == 206 and not continued:
                part.unlink(missing_ok=True)
                raise _Transient("the server sent another range than asked for")
            if not continued:
                start = 0
            length = response.headers.get("Content-Length")
            total = start + int(length) if length and length.isdigit() else None
            if size is not None and total is not None and total != size:
                raise _Final(f"the server's file has {total} bytes, not the expected {size}")
            if total is not None:
                check_room(part, total - start)
            tag_file.write_text(_validator(response), encoding="utf-8")
            with (
                open(part, "ab" if continued else "wb") as file,
                tqdm(
                    desc=part.stem, total=total, initial=start, unit="B", unit_scale=True, unit_divisor=1024,
                    disable=not progress,
                ) as bar,
            ):  # fmt: skip
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
            if total is not None and _length(part) < total:
                raise _Transient(f"the connection broke off after {_length(part)} of {total} bytes")
    except urllib.error.HTTPError as error:
        _explain_status(error, part)
    except urllib.error.URLError as error:
        _explain_failure(error.reason if isinstance(error.reason, Exception) else error, timeout)
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        _explain_failure(error, timeout)


def _explain_status(error: urllib.error.HTTPError, part: Path) -> None:
    status = f"the server answered {error.code} {error.reason}"
    if error.code == 416:
        if str(error.headers.get("Content-Range", "")).endswith(f"/{_length(part)}"):
            return  # The part is already the whole file.
        part.unlink(missing_ok=True)
        raise _Transient("the part on disk did not fit the server's file") from None
    if error.code in RETRIED_STATUS:
        after = error.headers.get("Retry-After", "")
        raise _Transient(status, wait=float(after) if after.isdigit() else None) from None
    if error.code in (404, 410):
        raise _Final(f"{status}: the file is not there (any more); see the source's page for its new address") from None
    raise _Final(status) from None


def _explain_failure(error: Exception, timeout: float) -> None:
    if isinstance(error, TimeoutError):
        raise _Transient(f"nothing arrived for {timeout:g} s") from None
    if isinstance(error, socket.gaierror):
        raise _Final("its name was not found; is this computer online?") from None
    if isinstance(error, ssl.SSLCertVerificationError):
        raise _Final(
            f"its certificate is not trusted ({error.verify_message}), as behind a school's proxy; ask for its "
            "certificate file and name it in the environment variable SSL_CERT_FILE"
        ) from None
    if isinstance(error, ConnectionRefusedError):
        raise _Transient("the connection was refused") from None
    raise _Transient(f"the connection failed ({error or type(error).__name__})") from None


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that `fetch` itself would take."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            _check_address(newurl)
        except ValueError as error:
            raise _Final(f"it leads on to an address that is refused: {error}") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request, timeout: float) -> Any:
    handlers: list[urllib.request.BaseHandler] = [_CheckedRedirects()]
    if _is_this_machine(request.full_url):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)


def _check_address(address: str) -> None:
    scheme = urllib.parse.urlsplit(address).scheme
    if scheme != "https" and not (scheme == "http" and _is_this_machine(address)):
        raise ValueError(f"only https addresses are fetched, but {address!r} came; copy local files by hand")


def _is_this_machine(address: str) -> bool:
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _validator(response: Any) -> str:
    """What identifies the server's version of the file: a strong entity tag, or the date of its last change."""
    tag = str(response.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _range_start(response: Any) -> int | None:
    unit, _, rest = str(response.headers.get("Content-Range", "")).partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _damage(path: Path, sha256: str | None, size: int | None) -> str | None:
    """What is wrong with a file, None if nothing is."""
    if size is not None and path.stat().st_size != size:
        return f"{path.stat().st_size} bytes instead of {size}"
    if sha256 is not None:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(sha256):
            return f"its SHA-256 begins with {digest[: len(sha256)]}, expected {sha256}"
    return None


def check_room(path: Path, needed: int) -> None:
    """Raises `DownloadError` if the disk that ``path`` lies on has no room for ``needed`` more bytes."""
    free = shutil.disk_usage(path.parent).free
    if needed + DISK_MARGIN > free:
        raise DownloadError(
            f"{path.parent} has room for {free / 2**20:.0f} MiB, but {path.name.removesuffix('.part')} needs "
            f"{needed / 2**20:.0f} MiB more; free some space, or set SEGTUTOR_CACHE to a folder on another disk"
        )
