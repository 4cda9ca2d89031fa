"""Reading data sets, and checking them: against json.load, pycocotools and torchvision, which check nothing.

    python benchmarks/readers.py                   all but the last table
    python benchmarks/readers.py --whole           the check of a file as large as COCO's instances_train2017.json

The files are drawn, not downloaded: annotations as in `benchmarks/coco.py`, and noise as pictures. What torchvision
gives is turned into the same tensors as ours, the label maps as numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import compare  # isort: skip  # first, since it sets the number of threads

import numpy as np
import torch
from coco import draw_workload
from PIL import Image
from pycocotools.coco import COCO
from torchvision import datasets
from torchvision.transforms.v2 import functional as F

from segtutor.datasets import CocoInstances, VOCSegmentation
from segtutor.datasets.check_coco import check_annotations
from segtutor.datasets.checker import Checker
from segtutor.datasets.coco_json import read_coco
from segtutor.labels import voc_colormap
from segtutor.metrics.coco_masks import draw

# What COCO's train2017 has.
IMAGES, ANNOTATIONS = 118_287, 860_001
AT_ONCE = 4096


def write_objects(path: Path, images: int, annotations: int) -> None:
    """An annotation file of that many pictures; the objects of a thousand drawn ones, again and again."""
    truth, _ = draw_workload(1000)
    texts: list[list[str]] = [[] for _ in range(1000)]
    for item in (item for item in truth["annotations"] if item["area"]):
        rest = {key: value for key, value in item.items() if key not in ("id", "image_id")}
        texts[item["image_id"] - 1].append(json.dumps(rest)[1:])
    with path.open("w", encoding="utf-8") as file:
        entries = [{"id": i, "file_name": f"{i:012}.jpg", "height": 480, "width": 640} for i in range(1, images + 1)]
        categories = [{"id": i, "name": f"category {i}"} for i in range(1, 81)]
        file.write(f'{{"images": {json.dumps(entries)}, "categories": {json.dumps(categories)}, "annotations": [')
        number = 0
        for image in range(1, images + 1):
            for text in texts[(image - 1) % 1000][: annotations - number]:
                number += 1
                file.write(f'{", " if number > 1 else ""}{{"id": {number}, "image_id": {image}, {text}')
        file.write("]}")


def write_segments(path: Path, images: int) -> None:
    """A panoptic file of eleven segments a picture."""
    rng = np.random.default_rng(0)
    categories = [{"id": i, "name": f"category {i}", "isthing": int(i <= 80)} for i in range(1, 134)]
    entries = [{"id": i, "file_name": f"{i:012}.jpg", "height": 480, "width": 640} for i in range(1, images + 1)]
    annotations = [
        {"image_id": i, "file_name": f"{i:012}.png", "segments_info": [
            {"id": number, "category_id": category, "iscrowd": 0, "bbox": box, "area": area}
            for number, category, box, area in zip(
                (rng.choice((1 << 24) - 1, 11, replace=False) + 1).tolist(), rng.integers(1, 134, 11).tolist(),
                rng.integers(1, 240, (11, 4)).tolist(), rng.integers(1, 57600, 11).tolist(), strict=True)
        ]} for i in range(1, images + 1)
    ]  # fmt: skip
    path.write_text(json.dumps({"images": entries, "annotations": annotations, "categories": categories}), "utf-8")


def write_pictures(root: Path, images: int = 24) -> None:
    """VOC's and COCO's folders of the same noise: VOC's with classes, COCO's with the objects of `write_objects`."""
    rng, kit = np.random.default_rng(0), root / "VOCdevkit/VOC2012"
    for folder in (kit / "JPEGImages", kit / "SegmentationClass", kit / "ImageSets/Segmentation", root / "train2017"):
        folder.mkdir(parents=True)
    names = [f"{number:012}" for number in range(1, images + 1)]
    (kit / "ImageSets/Segmentation/train.txt").write_text("\n".join(names), encoding="utf-8")
    for name in names:
        noise = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        noise.resize((500, 375)).save(kit / f"JPEGImages/{name}.jpg")
        noise.resize((640, 480)).save(root / f"train2017/{name}.jpg")
        mask = Image.fromarray(rng.integers(0, 21, (12, 16), dtype=np.uint8)).resize((500, 375), 0).convert("P")
        mask.putpalette(voc_colormap().tobytes())
        mask.save(kit / f"SegmentationClass/{name}.png")


def of_voc(root: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Every item of a folder of VOC, ours and torchvision's."""
    ours, theirs = VOCSegmentation(root), datasets.VOCSegmentation(str(root), image_set="train")

    def read_theirs() -> list[Any]:
        return [(F.pil_to_tensor(image), F.pil_to_tensor(mask)[0].long()) for image, mask in theirs]

    pairs = zip(read_theirs(), ours, strict=True)
    assert all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in pairs)
    return lambda: list(ours), read_theirs


def of_coco(root: Path, path: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Every item of a folder of COCO, ours and torchvision's with the masks that pycocotools draws."""
    ours = CocoInstances(root, annotations=path, crowd=True)
    theirs = quietly(datasets.CocoDetection, root / "train2017", path)

    def read_theirs() -> list[Any]:
        return [
            (F.pil_to_tensor(image), np.stack([theirs.coco.annToMask(item) for item in items]) if items else None)
            for image, items in theirs
        ]

    for (image, masks), (our_image, target) in zip(read_theirs(), ours, strict=True):
        assert torch.equal(image, our_image)
        assert masks is None or np.array_equal(masks, target["masks"])
    return lambda: list(ours), read_theirs


def quietly(make: Callable[..., Any], *paths: Path) -> Any:
    """What pycocotools makes, which talks meanwhile."""
    with contextlib.redirect_stdout(io.StringIO()):
        return make(*map(str, paths))


def check(path: Path) -> None:
    """What `check_folder` does with an annotation file, but for the pictures that it names."""
    checker = Checker(path.parent)
    check_annotations(checker, path)
    errors = [row for row in checker.rows if row.is_error]
    assert not errors, errors[:3]


def draw_all(path: Path) -> Callable[[], None]:
    """Draws the masks of a file that was parsed before, and nothing else."""
    items = json.loads(path.read_bytes())["annotations"]
    parts = [item["segmentation"] for item in items]

    def run() -> None:
        for begin in range(0, len(parts), AT_ONCE):
            some = parts[begin : begin + AT_ONCE]
            draw(some, np.tile([480, 640], (len(some), 1)), str)

    return run


def load(path: Path) -> Any:
    """`json.load`, as people call it."""
    with path.open(encoding="utf-8") as file:
        return json.load(file)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--whole", action="store_true", help="only the check of a file as large as COCO's")
    parser.add_argument("--file", type=Path, help="where that file is kept for another time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if arguments.whole:
            whole = arguments.file or root / "whole.json"
            if not whole.exists():
                write_objects(whole, IMAGES, ANNOTATIONS)
            tell_check(whole, arguments.rounds)
            return
        objects, segments = root / "objects.json", root / "segments.json"
        write_objects(objects, 1000, 1 << 30)
        write_segments(segments, 1000)
        write_pictures(root)
        few = root / "few.json"
        write_objects(few, 24, 1 << 30)
        packages, rounds = ("numpy", "torch", "torchvision", "pillow", "pycocotools"), arguments.rounds
        title = "A file of 1000 pictures and {} {}, {:.0f} MB"
        contenders = {"ours": lambda: read_coco(objects), "json.load": lambda: load(objects)}
        contenders["pycocotools.COCO"] = lambda: quietly(COCO, objects)
        size = objects.stat().st_size / 1e6
        compare(title.format(7953, "objects", size), contenders, [*contenders][1:], rounds, packages)
        contenders = {"ours": lambda: read_coco(segments), "json.load": lambda: load(segments)}
        size = segments.stat().st_size / 1e6
        compare(title.format(11000, "panoptic segments", size), contenders, ["json.load"], rounds, packages)
        for what, (ours, theirs), peer in (
            ("VOC: 24 pictures of 375 x 500 and their classes", of_voc(root), "torchvision"),
            ("COCO: 24 pictures of 480 x 640 and their masks", of_coco(root, few), "torchvision with pycocotools"),
        ):
            compare(what, {"ours": ours, peer: theirs}, [peer], rounds, packages)
        tell_check(objects, rounds)


def tell_check(path: Path, rounds: int) -> None:
    """The table of the check."""
    content = load(path)
    title = f"The check of {len(content['images'])} pictures' JSON with {len(content['annotations'])} objects"
    del content
    both = "2 x json.load, and drawing"
    drawing = draw_all(path)

    def twice_and_draw() -> None:
        load(path)
        load(path)
        drawing()

    contenders = {"ours": lambda: check(path), both: twice_and_draw, "json.load": lambda: load(path)}
    compare(title, contenders, [both, "json.load"], rounds, ("numpy",))


if __name__ == "__main__":
    main()
