"""Makes the course's own network for exercise 3.10: trains the solution and writes its weights and what they score.

python -m segtutor.exercises.lesson03.make_fcn8s --out data/checkpoints
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

from segtutor import compute
from segtutor.exercises.lesson03.fcn8s import build_fcn8s, train_fcn8s
from segtutor.exercises.lesson03.fcn8s_questions import draw, mean_iou, save
from segtutor.models.weight_files import round_to_half

SCENES = 400
NAME = "assignment_fcn8s"


def main() -> None:
    """Train, save in 16 bits, score."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and their record")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    compute.settle_threads()
    pictures = draw("train", SCENES)
    torch.manual_seed(arguments.seed)
    network = build_fcn8s()
    started = time.process_time()
    train_fcn8s(network, pictures)
    seconds = time.process_time() - started
    round_to_half(network)
    record = {
        "what": f"the solution of exercise 3.10, trained on {SCENES} scenes",
        "command": f"python -m segtutor.exercises.lesson03.make_fcn8s --seed {arguments.seed}",
        "mean_iou_of_16": mean_iou(network, 16),
        "mean_iou_of_64": mean_iou(network, 64),
        "seconds_of_the_processor": round(seconds),
    }
    save(network.half(), arguments.out / f"{NAME}.safetensors")
    (arguments.out / f"{NAME}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(record)


if __name__ == "__main__":
    main()
