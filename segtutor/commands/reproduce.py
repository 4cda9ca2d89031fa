"""``segtutor reproduce``: run the experiment of a claim again, and say whether it comes out as recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

from segtutor.compute import PRECISIONS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="as fcn.skips; none lists them all")
    parser.add_argument("--short", action="store_true", help="the version of a minute that the lesson runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds (default: the claim's own)")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="in which networks are trained; the recorded command names the recorded one (default: what suits the "
        "processor, see segtutor doctor)",
    )
    parser.add_argument("--memory", type=Path, metavar="FOLDER", help="keep finished runs here, and go on from them")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the results here, one JSON file per claim")


def run(arguments: argparse.Namespace) -> int:
    """Run, write, print the card."""
    from segtutor import claims

    if not arguments.claims:
        for name in claims.available():
            print(f"{name:24} {claims.find(name).title}")
        return 0
    asked = [claims.find(name) for name in arguments.claims]
    if arguments.out is not None and not arguments.out.is_dir():
        raise FileNotFoundError(f"there is no folder {arguments.out} to write results in")
    for claim in asked:
        results = claims.reproduce(
            claim, arguments.seeds, short=arguments.short, memory=arguments.memory, precision=arguments.precision
        )
        path = None if arguments.out is None else arguments.out / claims.file_of(claim.name)
        if path is not None:
            claims.write(results, path)  # before anything that may fail: it may have taken hours
        print(claims.Card(claim, results))
        if path is not None:
            print(f"results  {path}")
    return 0
