"""Exercise 5.15: an experiment of one's own with what stands behind a trained Mask R-CNN."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import example, exercise
from segtutor.exercises.later import torch

PICTURES = 20
OPTIONS = {"score_threshold": 0.05, "nms_iou": 0.5, "detections": 100, "mask_threshold": 0.5}


@lru_cache(maxsize=4)
def _pictures(seed: int) -> list[Any]:
    """Twenty pictures of their own for every seed, which nobody has looked at in the assignment."""
    from segtutor.exercises.lesson05.candidates import candidate_pictures

    return candidate_pictures(count=PICTURES, first=1000 + PICTURES * seed)


def _run(options: Mapping[str, Any], seed: int) -> dict[str, float]:
    from segtutor.exercises.lesson05.candidates import coco_results, ground_truth
    from segtutor.metrics import evaluate_coco
    from segtutor.models.mask_rcnn.matching import suppress

    found = []
    for picture in _pictures(seed):
        sure = np.flatnonzero(picture.scores > options["score_threshold"])
        boxes, scores, labels = (torch.from_numpy(one[sure]) for one in (picture.boxes, picture.scores, picture.labels))
        kept = sure[suppress(boxes, scores, labels, options["nms_iou"]).numpy()]
        found += coco_results(picture, kept[: int(options["detections"])], options["mask_threshold"])
    scores = evaluate_coco(ground_truth(_pictures(seed)), found)
    return {"AP": scores["AP"], "AP50": scores["AP50"], "AP75": scores["AP75"], "AR": scores["AR100"]}


LABORATORY = Laboratory(
    name="mask_rcnn",
    options=OPTIONS,
    measures=(
        percent("AP", "AP of the masks"),
        percent("AP50", "AP at an IoU of 0.5"),
        percent("AP75", "AP at an IoU of 0.75"),
        percent("AR", "recall of at most 100 detections"),
    ),
    run=_run,
    same=f"the course's maskrcnn_tiny; a seed stands for {PICTURES} other unseen scenes",
    file="experiment_05.json",
)

EXAMPLE = example(
    (0.15, 0.20, 0.17),
    (0.27, 0.30, 0.28),
    changes="nms_iou",
    values=(1.0, 0.5),
    measure="AP",
    margin=0.03,
)
"""By hand: gains .12, .10, .11 with mean .11 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""

experiment_with_mask_rcnn = partial(run_experiment, LABORATORY)
"""Run a declared experiment behind the trained Mask R-CNN, on three draws of scenes, and show its card."""

EXERCISE = exercise(
    id="5.15",
    laboratory=LABORATORY,
    statement="""
In the project you have turned one setting and looked for the best value, on the pictures that you reported. Now put an
expectation to the test, on pictures that you have not seen. Declare **one** change of a setting behind the network,
what you expect of which number, and by how much at least. The network stays as it is; what the three seeds change are
the pictures, 20 others for each. The cell below lists the settings and the measures. The run takes less than four
minutes on one core, shows the card, and keeps the record in `experiment_05.json`. **Hand this file in with the
notebook**, as `NAME.experiment_05.json` where many notebooks `NAME.ipynb` lie in one folder.
""",
    example=EXAMPLE,
    points=5,
    minutes=35,
)
