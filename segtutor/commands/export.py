"""``segtutor export NETWORK``: a network as ONNX, or in PyTorch's own format for graphs, for other programs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from segtutor.commands.options import add_class_count, create_network
from segtutor.files import prove_writable


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    from segtutor.inference.export import ENDINGS

    parser.add_argument("model", metavar="NETWORK", help="name of a semantic network, as deeplabv3_tiny")
    parser.add_argument("--weights", help="torchvision, pip, course, or a file (default: random ones)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="of the network, as output_stride=8; repeat"
    )
    add_class_count(parser)
    parser.add_argument("--format", choices=tuple(ENDINGS), help="default: that of --out's ending, else onnx")
    parser.add_argument("--out", type=Path, help="the file to write (default: NETWORK.onnx or NETWORK.pt2)")
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="the graph takes RGB from 0 to 1, and normalizes it (default: it takes normalized pictures)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export, compare, and say how the file is used."""
    from segtutor.inference.export import ENDINGS, SIDES, check_packages, export
    from segtutor.inference.predict import preprocessing_of

    ending = "" if arguments.out is None else arguments.out.suffix.lower()
    of_ending = {value: key for key, value in ENDINGS.items()}
    kind = arguments.format or of_ending.get(ending, "onnx")
    out = arguments.out or Path(f"{arguments.model}{ENDINGS[kind]}")
    if out.suffix.lower() != ENDINGS[kind]:
        raise ValueError(f"--out {out}: a file of the format {kind} ends in {ENDINGS[kind]}")
    check_packages(kind)
    prove_writable(out)
    arguments.device = "cpu"
    model = create_network(arguments, arguments.num_classes, arguments.weights)
    start = time.perf_counter()
    difference = export(model, out, kind, arguments.pictures)
    wanted = preprocessing_of(model)
    print(f"network  {arguments.model}, {model.num_classes} classes")
    if arguments.weights is None:
        print("weights  random: nothing was learned; --weights names some")
    print(
        f"written  {out}, {out.stat().st_size / 1e6:.1f} MB, in {time.perf_counter() - start:.0f} s\n"
        f"takes    images: B x 3 x H x W, H and W from {SIDES[0]} to {SIDES[1]}, RGB from 0 to 1"
        + ("" if arguments.pictures else f", minus {wanted.mean}, divided by {wanted.std}")
        + f"\ngives    logits: B x {model.num_classes} x H x W\n"
        f"checked  at two sizes that the exporter did not see: the largest difference is {difference:.1e}"
    )
    return 0
