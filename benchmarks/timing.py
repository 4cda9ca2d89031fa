"""Compares ways to do one thing: same data, one thread, interleaved rounds, ratios against a peer.

Two ratios are printed. The median of the ratios within a round is of the clock: a slow moment of the machine hits both
sides, and where other jobs run all the time it is too uncertain. The ratio of the least processor times leaves out
what others did; it is the one to read on a machine with other work.

Import this before NumPy or torch: it limits their thread pools, which read the environment when they start.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


def versions(packages: tuple[str, ...]) -> str:
    """Date and versions, for a table's caption."""
    listed = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return f"{date.today()}, Python {platform.python_version()}, {listed}"


def compare(
    title: str,
    contenders: dict[str, Callable[[], Any]],
    peers: list[str],
    rounds: int = 5,
    packages: tuple[str, ...] = (),
) -> dict[str, float]:
    """Times each contender once per round, in turn, after one round that does not count, and prints a table.

    Args:
        title: What is computed, on which data.
        contenders: Name to a function without arguments; the first one is ours.
        peers: Names that ours is compared with.
        rounds: Rounds that count; the ratio is the median of the ratios within a round, so that a slow moment of the
            machine hits both sides.
        packages: Installed packages whose versions are printed.

    Returns:
        For each peer, ours / peer.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    ours = next(iter(contenders))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    least = dict.fromkeys(contenders, float("inf"))
    for number in range(rounds + 1):
        for name, run in contenders.items():
            start, processor = time.perf_counter(), time.process_time()
            run()
            processor = time.process_time() - processor
            if number:
                seconds[name].append(time.perf_counter() - start)
                least[name] = min(least[name], processor)
    ratios = {
        peer: statistics.median(a / b for a, b in zip(seconds[ours], seconds[peer], strict=True)) for peer in peers
    }
    print(f"### {title}\n\n{versions(packages)}; one thread, "
          f"medians of {rounds} interleaved rounds\n")  # fmt: skip
    print(f"| | seconds | {ours} / this | least processor seconds | {ours} / this |\n| --- | --- | --- | --- | --- |")
    for name, values in seconds.items():
        shares = (f"{ratios[name]:.3f}", f"{least[ours] / least[name]:.3f}") if name in ratios else ("", "")
        print(f"| {name} | {statistics.median(values):.4f} | {shares[0]} | {least[name]:.4f} | {shares[1]} |")
    print()
    return ratios
