"""``segtutor data``: get real data sets, see what is there, find what is broken in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from segtutor.datasets import download


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    get = actions.add_parser("get", help="fetch a data set and unpack it")
    get.add_argument("names", nargs="+", metavar="NAME", help=f"one or more of {', '.join(download.catalog())}")
    get.add_argument("--yes", action="store_true", help="do not ask before a download")
    get.add_argument("--archive", type=Path, action="append", default=[], help="an archive that you have already")
    get.add_argument("--keep-archives", action="store_true", help="keep the archives after unpacking")
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


def _agreed() -> bool:
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
