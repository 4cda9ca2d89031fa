"""Weights that others have published and segtutor can fetch: what there is, on whose terms, and what it costs.

Two sources: addresses of files (torchvision's), and packages of the Python package index, which pip fetches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from segtutor import resources
from segtutor.fetch import cache_folder, fetch
from segtutor.models.package_weights import fetch_from_package, kept_file


@dataclass(frozen=True)
class Published:
    """Weights for a network.

    Attributes:
        network: Name for `create`.
        weights: What to pass as its ``weights``: "torchvision" (the whole network), "imagenet" (its backbone) or "pip".
        bytes: Size of the download.
        parameters: Numbers that were trained.
        classes: What they tell apart.
        license: Terms.
        score: The number that ranks them, in percent; None where the source gives none.
        figure: The same in words, as "mean IoU 57.9 %".
        protocol: What the figure was measured on.
        source: Where they come from.
        path: Where they are kept.
    """

    network: str
    weights: str
    bytes: int
    parameters: int
    classes: str
    license: str
    score: float | None
    figure: str
    protocol: str
    source: str
    path: Path

    @property
    def on_disk(self) -> bool:
        """Whether they were fetched already, so that `create` needs no network."""
        return self.path.is_file()

    def __str__(self) -> str:
        there = "on disk" if self.on_disk else f"{megabytes(self.bytes)} to fetch"
        score = f"{self.figure} ({self.protocol})" if self.protocol else self.figure
        return f"{self.network}, weights={self.weights!r}: {self.classes}; {score}; {there}; license: {self.license}"


def published(network: str | None = None) -> list[Published]:
    """What exists for a network, or for all of them; nothing is fetched.

    Args:
        network: A name of `available`; None for all.

    Returns:
        The smallest download first.

    Raises:
        ValueError: If there is no such network.

    >>> for found in published("lraspp_mobilenet_v3_large"):
    ...     print(found.weights, found.figure, "on", found.protocol)
    torchvision mean IoU 57.9 % on COCO val2017, the 20 VOC classes and background
    imagenet top-1 accuracy 74.042 % on ImageNet-1k val
    """
    from segtutor.models import available

    if network is not None and network not in available():
        raise ValueError(f"there is no network {network!r}; there are {', '.join(available())}")
    found = [
        _published(entry, model)
        for entry in (*published_weights(), *package_table())
        for model in entry["models"]
        if network in (None, model)
    ]
    return sorted(found, key=lambda one: (one.bytes, one.network))


def _published(entry: Mapping[str, Any], network: str) -> Published:
    metric = dict(entry["metric"])
    protocol = metric.pop("measured on", "")
    name, score = next(iter(metric.items()), ("", None))
    return Published(
        network=network,
        weights=entry["kind"],
        bytes=download_bytes(entry),
        parameters=entry["parameters"],
        classes=entry["classes"],
        license=entry["license"],
        score=score,
        figure="no figure given" if score is None else f"{name.removesuffix(' %')} {score} %",
        protocol=protocol,
        source=entry["source"],
        path=place(entry),
    )


def published_weights() -> list[dict[str, Any]]:
    """The table of published files: name, models, address, checksum, size, score, source."""
    return _tables()["weights"]


def package_table() -> list[dict[str, Any]]:
    """The table of packages that hold weights: name, models, NAME==VERSION, the file in it, checksum, size, source."""
    return _tables()["pip"]


def entry_of(one: Published) -> dict[str, Any]:
    """The table's line of what `published` gave."""
    for entry in (*published_weights(), *package_table()):
        if entry["kind"] == one.weights and one.network in entry["models"]:
            return entry
    raise ValueError(f"there are no {one.weights} weights for {one.network}")


def _tables() -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = json.loads(resources.data("weights.json").read_text(encoding="utf-8"))
    return tables


def place(entry: Mapping[str, Any]) -> Path:
    """Where an entry's file is kept, there or not."""
    if entry["kind"] == "pip":
        return kept_file(entry)
    return cache_folder() / "weights" / str(entry["url"]).rsplit("/", 1)[-1]


def download_bytes(entry: Mapping[str, Any]) -> int:
    """Size of the download: of a package, with what else is in it."""
    return int(entry["download_bytes" if entry["kind"] == "pip" else "bytes"])


def told(entry: Mapping[str, Any]) -> str:
    """What somebody should know before a download: what, how much, from where, on whose terms."""
    if entry["kind"] == "pip":
        origin = f"package {entry['package']}, which pip fetches"
    else:
        origin = str(urlsplit(entry["url"]).hostname)
    return (
        f"{entry['name']}: {megabytes(download_bytes(entry))} from {origin}\n"
        f"  license: {entry['license']}\n  source: {entry['source']}"
    )


def obtain(entry: Mapping[str, Any]) -> Path:
    """The entry's file, fetched if it is not there.

    Raises:
        DownloadError: If it cannot be had; the message says why and what to do.
    """
    if entry["kind"] == "pip":
        return fetch_from_package(entry)
    return fetch(entry["url"], place(entry), sha256=entry["sha256_prefix"])


def announce(entry: Mapping[str, Any], path: Path) -> None:
    """Prints what will be downloaded, unless the file is there."""
    if not path.is_file():
        print(f"{told(entry)}\n  kept in {path.parent}", flush=True)


def megabytes(count: int) -> str:
    """A size in words.

    >>> megabytes(4_248_229), megabytes(44_355_813)
    ('4.2 MB', '44 MB')
    """
    return f"{count / 1e6:.1f} MB" if count < 9.95e6 else f"{count / 1e6:.0f} MB"
