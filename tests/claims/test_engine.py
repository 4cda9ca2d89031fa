"""The data engine of lesson 10: labels by clicks, and what learns from them."""

from dataclasses import replace

import numpy as np
import torch

from segtutor.claims.experiments.prompts import engine


def test_variants_differ_in_the_labels_alone():
    drawn, five = engine.ENGINE.variants.values()
    assert replace(drawn, labels="clicks") == five


def test_labels_by_clicks_are_painted_from_large_to_small(monkeypatch):
    """A prompter that gives what is meant: the labels are the true ones where segments are large enough."""

    class Perfect:
        def __init__(self, numbers):
            self.numbers = numbers

        def ask(self, points, labels):
            x, y = points[0]
            mask = torch.from_numpy(self.numbers == self.numbers[y, x])[None]

            class Answer:
                masks = mask

            return Answer

    numbers = torch.full((20, 30), 1)
    numbers[2:12, 2:12], numbers[5:7, 5:7], numbers[0, 0] = 2, 3, 0
    info = [{"id": 1, "category_id": 4}, {"id": 2, "category_id": 9}, {"id": 3, "category_id": 9}]
    target = {"segments": numbers, "segments_info": info}
    labels, used = engine.clicked_labels(Perfect(numbers.numpy()), target, 5)
    assert used == 2  # four pixels are too few to be clicked on
    wanted = engine.true_labels(target)
    wanted[5:7, 5:7] = engine.VOID
    assert torch.equal(labels, wanted)
    assert wanted[0, 0] == engine.VOID


def test_an_engine_learns_from_what_it_is_given():
    values = replace(engine.Engine("drawn"), pictures=4, val_count=2, steps=1, precision="float32")(0, False)
    assert values["labels"] == 1.0
    assert np.isnan(values["clicks"])
    assert 0 <= values["mean_iou"] < 0.3
    assert all(measure.key in values for measure in engine.ENGINE.measures)
