"""Panoptic quality of 20 maps 512 x 1024, against the steps of panopticapi. Run: ``python benchmarks/panoptic.py``.

panopticapi could not be installed by name, so its evaluation is written out here from its definition: the maps it reads
from PNG, the pair codes in 64 bits, the loops over dictionaries. Reading the PNG is part of what it does, since it
knows no other input, and is shown with and without; ours reads as the loader CocoPanoptic does.
"""

from __future__ import annotations

from timing import compare  # isort: skip  # first, since it sets the number of threads

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from segtutor.datasets.targets import segment_ids_of
from segtutor.metrics import PanopticQuality

IMAGES, HEIGHT, WIDTH, SHIFT = 20, 512, 1024, 256**3
CATEGORIES = [{"id": number, "isthing": number > 10} for number in range(1, 31)]
Panoptic = tuple[np.ndarray, list[dict]]


def panoptic_image(random: np.random.Generator) -> tuple[Panoptic, Panoptic]:
    """Stuff in bands with wavy borders, things as ellipses, a crowd, void; and a prediction that is a bit off."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    sides = []
    shapes = [(*random.uniform(0, (HEIGHT, WIDTH)), *random.uniform(8, 90, 2)) for _ in range(25)]
    classes = random.permutation(10)[:6].tolist() + random.integers(10, 30, 25).tolist()
    for shift in (0.0, 4.0):
        canvas = ((y + 15 * np.sin((x + shift) / 40)) * 6 / (HEIGHT + 40)).astype(np.int64).clip(0, 5) + 1
        for number, (cy, cx, a, b) in enumerate(shapes, start=7):
            canvas[((y - cy - shift) / a) ** 2 + ((x - cx) / b) ** 2 < 1] = number
        canvas[:20, : 300 + int(20 * shift)] = 0
        ids = np.concatenate([[0], random.permutation(np.unique(random.integers(1, SHIFT, 64)))[:31]])
        present = np.flatnonzero(np.bincount(canvas.ravel(), minlength=32))
        info = [
            {"id": int(ids[n]), "category_id": classes[n - 1] + 1, "iscrowd": int(n == 9 and not shift)}
            for n in present[present > 0]
        ]
        sides.append((ids[canvas], info))
    return sides[0], sides[1]


def as_png(ids: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def from_png(data: bytes) -> np.ndarray:
    color = np.array(Image.open(io.BytesIO(data)), dtype=np.uint32)
    return color[..., 0] + 256 * color[..., 1] + 65536 * color[..., 2]


def read_ours(data: bytes) -> np.ndarray:
    return segment_ids_of(Image.open(io.BytesIO(data)))


def by_panopticapi(images: list[tuple[Panoptic, Panoptic]]) -> dict[int, list[float]]:
    """Per category: hits, inventions, misses, summed IoU."""
    stat = {category["id"]: [0, 0, 0, 0.0] for category in CATEGORIES}
    for (truth_map, truth_info), (predicted_map, predicted_info) in images:
        truth = {info["id"]: dict(info) for info in truth_info}
        predicted = {info["id"]: dict(info) for info in predicted_info}
        for segments, ids in ((truth, truth_map), (predicted, predicted_map)):
            for label, count in zip(*np.unique(ids, return_counts=True), strict=True):
                if label != 0:
                    segments[label]["area"] = count
        codes = truth_map.astype(np.uint64) * SHIFT + predicted_map.astype(np.uint64)
        shared = {}
        for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
            shared[code // SHIFT, code % SHIFT] = count
        hit_truth, hit_prediction = set(), set()
        for (t, p), intersection in shared.items():
            if t not in truth or p not in predicted or truth[t]["iscrowd"]:
                continue
            if truth[t]["category_id"] != predicted[p]["category_id"]:
                continue
            union = truth[t]["area"] + predicted[p]["area"] - intersection - shared.get((0, p), 0)
            if intersection / union > 0.5:
                stat[truth[t]["category_id"]][0] += 1
                stat[truth[t]["category_id"]][3] += intersection / union
                hit_truth.add(t)
                hit_prediction.add(p)
        crowd_of = {}
        for t, info in truth.items():
            if t in hit_truth:
                continue
            if info["iscrowd"]:
                crowd_of[info["category_id"]] = t
            else:
                stat[info["category_id"]][2] += 1
        for p, info in predicted.items():
            if p in hit_prediction:
                continue
            excused = shared.get((0, p), 0)
            if info["category_id"] in crowd_of:
                excused += shared.get((crowd_of[info["category_id"]], p), 0)
            if excused / info["area"] <= 0.5:
                stat[info["category_id"]][1] += 1
    return stat


def ours(images: list[tuple[Panoptic, Panoptic]]) -> PanopticQuality:
    quality = PanopticQuality(CATEGORIES)
    for truth, prediction in images:
        quality.update(truth, prediction)
    return quality


def main() -> None:
    random = np.random.default_rng(0)
    images = [panoptic_image(random) for _ in range(IMAGES)]
    pngs = [tuple((as_png(ids), info) for ids, info in pair) for pair in images]

    def read(decode: Callable[[bytes], np.ndarray]) -> list[tuple[Panoptic, Panoptic]]:
        return [tuple((decode(data), info) for data, info in pair) for pair in pngs]

    quality, expected = ours(images), by_panopticapi(images)
    assert quality.true_positives.tolist() == [row[0] for row in expected.values()]
    assert quality.false_positives.tolist() == [row[1] for row in expected.values()]
    assert quality.false_negatives.tolist() == [row[2] for row in expected.values()]
    assert np.allclose(quality.iou_sums, [row[3] for row in expected.values()], rtol=0, atol=1e-12)
    print(f"PQ {quality.scores().overall.PQ:.4f}, {sum(len(truth[1]) for truth, _ in images)} segments\n")
    compare(
        f"Panoptic quality of {IMAGES} maps {HEIGHT} x {WIDTH}",
        {
            "ours": lambda: ours(images),
            "panopticapi's steps, without reading PNG": lambda: by_panopticapi(images),
        },
        ["panopticapi's steps, without reading PNG"],
        rounds=15,
        packages=("numpy", "pillow"),
    )
    compare(
        "The same with reading PNG",
        {
            "ours, with reading PNG": lambda: ours(read(read_ours)),
            "panopticapi's steps, with reading PNG": lambda: by_panopticapi(read(from_png)),
        },
        ["panopticapi's steps, with reading PNG"],
        rounds=7,
        packages=("numpy", "pillow"),
    )


if __name__ == "__main__":
    main()
