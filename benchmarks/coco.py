"""COCO mask AP against pycocotools and faster-coco-eval: time, memory, and whether the numbers agree.

    python benchmarks/coco.py [--rounds 5] [--iou-type segm] [--encoded]

The workload is drawn, not downloaded: 1000 images of 480 x 640 with the object sizes and counts of COCO, polygons as
ground truth (run lengths with --encoded), crowds as lists of run lengths, detections as compressed run lengths. Every
measurement is a fresh process with one thread; the rounds go through the evaluators in turn, so that a disturbance of
the machine hits them alike. Memory is the peak above the level before the call, which begins at the parsed JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from segtutor.metrics.coco import evaluate_coco
from segtutor.metrics.polygons import rasterize
from segtutor.metrics.rle_codec import write

HEIGHT, WIDTH = 480, 640
KEYS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def draw_workload(num_images: int = 1000, seed: int = 0, encoded: bool = False) -> tuple[dict, list[dict]]:
    """About 8 objects and 11 detections an image, 80 categories; the result of an imagined, middling detector."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, 81) ** 0.9
    frequency /= frequency.sum()
    objects, detections = [], []
    for image in range(1, num_images + 1):
        present = rng.choice(80, size=4, p=frequency)
        for _ in range(rng.poisson(7.9)):
            crowd = rng.random() < 0.02
            category = int(rng.choice(present))
            center, radius = rng.uniform(0, 1, 2) * [WIDTH, HEIGHT], float(np.exp(rng.normal(3.2, 1)))
            shape = _Shape(rng, center, min(radius, 250) * (2 if crowd else 1))
            objects.append(
                {"image_id": image, "category_id": category + 1, "iscrowd": int(crowd), "shape": shape.ring(32)}
            )
            if crowd:
                continue
            for _ in range(rng.choice(3, p=[0.22, 0.66, 0.12])):
                error = rng.gamma(1.5, 0.07)
                guess = category if rng.random() < 0.88 else int(rng.choice(80, p=frequency))
                detections.append(_guess(rng, image, guess, shape.moved(rng, error), 0.9 - error))
        for _ in range(rng.poisson(4.0)):
            center = rng.uniform(0, 1, 2) * [WIDTH, HEIGHT]
            shape = _Shape(rng, center, min(float(np.exp(rng.normal(3.1, 1))), 250))
            detections.append(_guess(rng, image, int(rng.choice(80, p=frequency)), shape, 0.3))
    annotations = _finish(objects, encoded)
    results = _finish(detections, encoded=True)
    for record in results:
        del record["area"], record["bbox"]
    images = [{"id": i, "height": HEIGHT, "width": WIDTH} for i in range(1, num_images + 1)]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    categories = [{"id": i, "name": f"category {i}"} for i in range(1, 81)]
    return {"images": images, "annotations": annotations, "categories": categories}, results


class _Shape:
    """A smooth closed curve: an ellipse with a few waves."""

    def __init__(self, rng: np.random.Generator, center: np.ndarray, radius: float) -> None:
        self.center, self.radius = center, radius
        self.stretch = np.exp(rng.normal(0, 0.35))
        self.waves = rng.normal(0, 0.25, 6) / np.arange(1, 7)
        self.phases = rng.uniform(0, 2 * np.pi, 6)

    def moved(self, rng: np.random.Generator, error: float) -> _Shape:
        other = _Shape(
            rng, self.center + rng.normal(0, error * self.radius, 2), self.radius * np.exp(rng.normal(0, error))
        )
        other.stretch, other.phases = self.stretch, self.phases
        other.waves = self.waves + rng.normal(0, error, 6) / np.arange(1, 7)
        return other

    def ring(self, num_points: int) -> np.ndarray:
        angle = np.linspace(0, 2 * np.pi, num_points, endpoint=False)[:, None]
        radius = 1 + (self.waves * np.cos(angle * np.arange(1, 7) + self.phases)).sum(axis=1)
        direction = np.concatenate([np.cos(angle) * self.stretch, np.sin(angle) / self.stretch], axis=1)
        points = self.center + self.radius * np.maximum(radius, 0.2)[:, None] * direction
        return np.clip(points, 0, [WIDTH, HEIGHT]).round(2)


def _guess(rng: np.random.Generator, image: int, category: int, shape: _Shape, certainty: float) -> dict[str, Any]:
    score = float(np.clip(rng.normal(certainty, 0.2), 0.05, 1).round(3))
    return {"image_id": image, "category_id": category + 1, "score": score, "shape": shape.ring(96)}


def _finish(records: list[dict[str, Any]], encoded: bool) -> list[dict[str, Any]]:
    """Draw the shapes, and write each down in the form that COCO gives it."""
    sizes = np.tile([HEIGHT, WIDTH], (len(records), 1))
    rings = [record["shape"].ravel().tolist() for record in records]
    runs = rasterize([[ring] for ring in rings], sizes)
    areas, boxes, texts = runs.areas().tolist(), runs.boxes().tolist(), write(runs)
    finished = []
    for number, record in enumerate(records):
        if record.get("iscrowd"):
            segmentation: Any = write(runs.select(np.array([number])), compressed=False)[0]
        else:
            segmentation = texts[number] if encoded else [rings[number]]
        fields = {key: value for key, value in record.items() if key != "shape"}
        finished.append({**fields, "segmentation": segmentation, "area": areas[number], "bbox": boxes[number]})
    return finished


def _segtutor(truth: dict, results: list[dict], iou_type: str) -> list[float]:
    return list(evaluate_coco(truth, results, iou_type).values())  # type: ignore[arg-type]


def _pycocotools(truth: dict, results: list[dict], iou_type: str) -> list[float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(results), iou_type)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats.tolist()


def _faster_coco_eval(truth: dict, results: list[dict], iou_type: str) -> list[float]:
    from faster_coco_eval import COCO, COCOeval_faster

    coco = COCO(truth)
    evaluation = COCOeval_faster(
        coco,
        coco.loadRes(results),
        iou_type,
        rle_iou_max_workers=1,
        boundary_cpu_count=1,
        print_function=lambda *_: None,
    )
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(value) for value in evaluation.stats[:12]]


EVALUATORS: dict[str, Callable[[dict, list[dict], str], list[float]]] = {
    "pycocotools": _pycocotools,
    "faster-coco-eval": _faster_coco_eval,
    "segtutor": _segtutor,
}


def measure_here(evaluator: str, workload: str, iou_type: str) -> None:
    """Evaluate once in this process and print seconds, peak megabytes above the start, and the twelve numbers."""
    truth, results = json.loads(Path(workload).read_text(encoding="utf-8"))
    evaluate = EVALUATORS[evaluator]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluate(*draw_workload(num_images=3), iou_type)  # imports, and first calls of library functions
        before = _peak_megabytes(reset=True)
        start, processor = time.perf_counter(), time.process_time()
        numbers = evaluate(truth, results, iou_type)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
    peak = _peak_megabytes() - before
    print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": peak, "numbers": numbers}))


def _peak_megabytes(reset: bool = False) -> float:
    """Peak of resident memory; ``reset`` begins anew from the present level, where the system can."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="COCO mask AP: time and memory against the official evaluator")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--iou-type", choices=["segm", "bbox", "boundary"], default="segm")
    parser.add_argument("--encoded", action="store_true", help="ground truth as compressed run lengths")
    parser.add_argument("--child", nargs=2, metavar=("EVALUATOR", "WORKLOAD"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure_here(*arguments.child, arguments.iou_type)
        return

    truth, results = draw_workload(arguments.images, encoded=arguments.encoded)
    crowds = sum(annotation["iscrowd"] for annotation in truth["annotations"])
    print(f"{arguments.images} images {HEIGHT}x{WIDTH}, {len(truth['annotations'])} objects ({crowds} crowds), "
          f"{len(results)} detections, 80 categories, {arguments.iou_type}, "
          f"{'run lengths' if arguments.encoded else 'polygons'}, {arguments.rounds} rounds")  # fmt: skip
    names = [name for name in EVALUATORS if arguments.iou_type != "boundary" or name != "pycocotools"]
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / "workload.json"
        workload.write_text(json.dumps([truth, results]), encoding="utf-8")
        del truth, results
        one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        for _ in range(arguments.rounds):
            for name in names:
                command = [sys.executable, __file__, "--iou-type", arguments.iou_type, "--child", name, str(workload)]
                done = subprocess.run(command, env={**os.environ, **one_thread}, stdout=subprocess.PIPE, check=True)
                measured[name].append(json.loads(done.stdout.decode().splitlines()[-1]))
    _report(measured, names)


def _report(measured: dict[str, list[dict[str, Any]]], names: list[str]) -> None:
    """Medians, whose ratios are taken within a round; and the least processor seconds of all rounds."""
    yardstick = measured[names[0]][0]["numbers"]
    least = {name: min(run["processor"] for run in measured[name]) for name in names}
    print(f"| evaluator | s (median; least to most) | x {names[0]} | least processor s | x | peak MB | x | AP "
          "| equal to the last bit, of 12 |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        seconds = [run["seconds"] for run in measured[name]]
        megabytes = [run["megabytes"] for run in measured[name]]
        numbers = measured[name][0]["numbers"]
        equal = sum(a == b for a, b in zip(numbers, yardstick, strict=True))
        print(f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) "
              f"| {_ratio(measured, name, names[0], 'seconds'):.3f} | {least[name]:.2f} "
              f"| {least[name] / least[names[0]]:.3f} | {statistics.median(megabytes):.0f} "
              f"| {_ratio(measured, name, names[0], 'megabytes'):.2f} | {numbers[0]:.6f} | {equal} |")  # fmt: skip
    print(f"segtutor / faster-coco-eval: {_ratio(measured, 'segtutor', 'faster-coco-eval', 'seconds'):.3f} of the time")


def _ratio(measured: dict[str, list[dict[str, Any]]], name: str, peer: str, quantity: str) -> float:
    return statistics.median(
        ours[quantity] / theirs[quantity] for ours, theirs in zip(measured[name], measured[peer], strict=True)
    )


if __name__ == "__main__":
    main()
