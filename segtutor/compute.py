"""How this machine computes best: the kind of its processor, the precision to train in, the number of threads.

Lessons, claims and commands ask here and decide nothing by themselves, so that a number in a record and the time in a
table can be traced to one choice. PyTorch is imported only where it is asked.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PRECISIONS = ("auto", "float32", "bfloat16")
"""What may be asked for; "auto" is decided by ``choose_precision``."""
UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "sve_bf16": "SVE BF16", "bf16": "NEON BF16"}
"""Units that multiply bfloat16 numbers, by their names in PyTorch and in Linux, the fastest first."""
VECTORS = {"avx512_f": "AVX-512", "avx512f": "AVX-512", "avx2": "AVX2", "sve": "SVE", "neon": "NEON", "asimd": "NEON"}
"""Sets of vector instructions, the widest first."""
WITH_UNITS = ("AMX", "BF16", "FP16", "AVX10", "DEFAULT", "ALL")
"""Words in oneDNN's names of the sets of instructions that have such units."""


@dataclass(frozen=True)
class Processor:
    """A kind of processor, as far as it decides how fast a network runs.

    Attributes:
        architecture: "x86-64", "arm64" or the system's own word.
        vectors: Its widest vector instructions; empty where unknown.
        units: What it multiplies bfloat16 numbers with, as far as PyTorch can use it; empty for nothing.
        limit: The set of instructions to which the environment limits oneDNN; empty for none.
    """

    architecture: str
    vectors: str = ""
    units: str = ""
    limit: str = ""

    def __str__(self) -> str:
        vectors = f" with {self.vectors}" if self.vectors else ""
        units = f"with bfloat16 units ({self.units})" if self.units else "without bfloat16 units"
        limit = f", limited to {self.limit} by ONEDNN_MAX_CPU_ISA" if self.limit else ""
        return f"{self.architecture}{vectors}, {units}{limit}"


def processor() -> Processor:
    """This machine's processor."""
    name = platform.machine().lower()
    architecture = {"amd64": "x86-64", "x86_64": "x86-64", "aarch64": "arm64"}.get(name, name or "unknown")
    features = _features()
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    allowed = not limit or any(word in limit for word in WITH_UNITS)
    vectors = next((words for feature, words in VECTORS.items() if feature in features), "")
    units = next((words for feature, words in UNITS.items() if feature in features), "")
    return Processor(architecture, vectors, units if allowed and _reaches_units() else "", limit)


@lru_cache(maxsize=1)
def _features() -> frozenset[str]:
    """What the processor can do, as PyTorch says it, else as Linux says it."""
    try:
        import torch

        capabilities: Mapping[str, Any] = torch.cpu.get_capabilities()  # type: ignore[attr-defined,unused-ignore]
        return frozenset(name for name, value in capabilities.items() if value is True)
    except (ImportError, OSError, AttributeError):  # no PyTorch, a broken one, one that does not tell
        pass
    try:
        table = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = [line.partition(":") for line in table.splitlines()]
    return frozenset(next((words.split() for key, _, words in lines if key.strip() in ("flags", "Features")), []))


def _reaches_units() -> bool:
    """Whether this PyTorch has oneDNN, through which alone it reaches such units."""
    try:
        import torch

        return bool(torch.backends.mkldnn.is_available())
    except (ImportError, OSError):
        return True


@dataclass(frozen=True)
class Precision:
    """The precision to train in.

    Attributes:
        name: "float32" or "bfloat16".
        reason: Why, to be read after "because".
    """

    name: str
    reason: str


def choose_precision(device: Any = "cpu") -> Precision:
    """The precision in which a device trains fastest, as far as it can be told from what the device is.

    Training looks again on a processor: ``segtutor.training`` times a step in both, see
    ``TrainingConfig.measure_precision``.

    Args:
        device: A PyTorch device or its name.
    """
    kind = str(device).partition(":")[0]
    if kind == "cpu":
        found = processor()
        if found.units:
            return Precision("bfloat16", f"the processor has units for bfloat16 ({found.units})")
        return Precision("float32", "the processor has no units for bfloat16")
    if kind == "cuda":
        import torch

        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Precision("bfloat16", "the GPU has units for bfloat16")
        return Precision("float32", "the GPU has no units for bfloat16")
    return Precision("float32", f"bfloat16 has not been tried on {kind}")


@dataclass(frozen=True)
class Threads:
    """A number of threads.

    Attributes:
        count: At least 1.
        reason: Why, to be read after "because".
    """

    count: int
    reason: str


def choose_threads() -> Threads:
    """As many threads as there are cores that nothing else uses.

    The threads of one operation wait for each other by spinning. If another program takes the core of one of them,
    the others spin until it is back: a training step on two threads beside a busy program takes 16 to 20 times as
    long as on one.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdigit() and int(asked):
        return Threads(int(asked), "OMP_NUM_THREADS says so")
    cores, busy = usable_cores(), _load()
    idle = int((os.cpu_count() or 1) - busy + 0.5)
    count = max(1, min(cores, idle))
    have = f"{cores} core{'s' if cores > 1 else ''} can be used"
    if count < cores:
        return Threads(count, f"{have}, but the machine is busy (its load is {busy:.1f})")
    return Threads(count, have)


def usable_cores() -> int:
    """Physical cores that this process may use: a container, a cluster or ``taskset`` can allow it a few of them."""
    affinity = getattr(os, "sched_getaffinity", None)
    if affinity is None:  # macOS and Windows; two of Intel's processors are mostly one core
        count = os.cpu_count() or 1
        return count if platform.machine().lower() in ("arm64", "aarch64") else max(1, count // 2)
    cores = set()
    for number in affinity(0):
        try:
            siblings = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list").read_text()
        except OSError:
            siblings = str(number)
        cores.add(siblings.strip())
    return max(1, min(len(cores), int(_quota())))


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Processors whose time a container may use; infinity without a limit."""
    try:
        if (root / "cpu.max").exists():
            limit, period = (root / "cpu.max").read_text().split()
        else:
            limit, period = ((root / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return max(1.0, float(limit) / float(period)) if limit.strip() not in ("max", "-1") else float(sys.maxsize)
    except (OSError, ValueError):
        return float(sys.maxsize)


def _load() -> float:
    """How many processors were busy in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


@lru_cache(maxsize=1)
def settle_threads() -> int:
    """Makes this process compute with the number of threads of ``choose_threads``, from now on; returns it.

    Decided once: later, the machine's load would be this process's own. If PyTorch is not loaded yet, the number waits
    for it in OMP_NUM_THREADS.
    """
    count = choose_threads().count
    if "torch" in sys.modules:
        set_threads(count)
    else:
        os.environ["OMP_NUM_THREADS"] = str(count)
    return count


def set_threads(count: int) -> None:
    """Makes this process compute with so many threads."""
    import torch

    torch.set_num_threads(count)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside, PyTorch computes with so many threads: with one, the same sums come in the same order everywhere."""
    import torch

    before = torch.get_num_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


def summary() -> str:
    """Kind of processor, precision and threads in one line."""
    count = choose_threads().count
    return f"{processor()}: {choose_precision().name}, {count} thread{'s' if count > 1 else ''}"
