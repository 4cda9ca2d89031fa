"""How fast Scenes draws on one core, and what it draws: pixels per class, scenes per class.

python benchmarks/scenes.py                  prints images per second and the table
python benchmarks/scenes.py --write          also writes data/scenes_statistics.json
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from segtutor.datasets import Scenes
from segtutor.labels import SCENES

TARGET = Path(__file__).resolve().parents[1] / "data" / "scenes_statistics.json"


def measure_speed(count: int) -> tuple[float, float]:
    """Images per second of processor time of this process, mean over ``count`` and best batch of 25."""
    dataset = Scenes("train", count=count + 10)
    for index in range(10):
        dataset[count + index]
    seconds = []
    for first in range(0, count, 25):
        start = time.process_time()
        for index in range(first, min(first + 25, count)):
            dataset[index]
        seconds.append((time.process_time() - start) / (min(first + 25, count) - first))
    return 1 / float(np.mean(seconds)), 1 / min(seconds)


def measure_labels(count: int) -> dict[str, object]:
    """Share of pixels (void apart), and share of scenes that show the class, for every class."""
    dataset = Scenes("train", count=count)
    pixels, scenes = np.zeros(256, dtype=np.int64), np.zeros(256, dtype=np.int64)
    for index in range(count):
        found = np.bincount(dataset[index][1].numpy().ravel(), minlength=256)
        pixels += found
        scenes += found > 0
    known = pixels[:255].sum()
    return {
        "count": count,
        "size": list(dataset.size),
        "void_share": round(float(pixels[255] / pixels.sum()), 5),
        "classes": {
            SCENES.names[number]: {
                "pixel_share": round(float(pixels[number] / known), 5),
                "scene_share": round(float(scenes[number] / count), 4),
            }
            for number in np.flatnonzero(pixels[:255])
        },
    }


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="scenes to count labels in")
    parser.add_argument("--speed-count", type=int, default=200, help="scenes to time")
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    arguments = parser.parse_args()
    mean, best = measure_speed(arguments.speed_count)
    print(f"128 x 160, one core: {mean:.0f} images/s on average, {best:.0f} images/s in the best batch of 25")
    statistics = measure_labels(arguments.count)
    print(f"{'class':>16}  pixels   scenes   ({arguments.count} scenes; void {statistics['void_share']:.2%})")
    for name, share in statistics["classes"].items():  # type: ignore[attr-defined]
        print(f"{name:>16}  {share['pixel_share']:6.2%}   {share['scene_share']:6.1%}")
    if arguments.write:
        statistics = {"command": f"python benchmarks/scenes.py --count {arguments.count} --write", **statistics}
        scratch = TARGET.with_suffix(".tmp")
        scratch.write_text(json.dumps(statistics, indent=1) + "\n")
        os.replace(scratch, TARGET)


if __name__ == "__main__":
    main()
