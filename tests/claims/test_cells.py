"""U-Net's claims: what changes and what stays, drawn cells and their scores, without the trainings."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from segtutor.claims import cells, find
from segtutor.claims.cells import CellRecipe, draw_cells


@pytest.mark.parametrize(
    ("name", "changed"),
    [("unet_skips", "skip"), ("gap_weights", "gaps"), ("elastic", "elastic")],
)
def test_variants_of_u_net_differ_in_one_setting(name, changed):
    recipes = list(find(f"world.{name}").variants.values())
    for field in fields(recipes[0]):
        assert (len({getattr(recipe, field.name) for recipe in recipes}) > 1) == (field.name == changed)


def test_drawn_cells_touch_and_are_the_same_on_every_run():
    first, second = draw_cells("train", 3), draw_cells("val", 3)
    assert not np.array_equal(first[0].picture, second[0].picture)
    draw_cells.cache_clear()
    np.testing.assert_array_equal(draw_cells("train", 3)[1].picture, first[1].picture)
    touching = 0
    for one in first:
        assert 0 <= one.picture.min() <= one.picture.max() <= 1
        pairs = np.stack([one.things[:, 1:], one.things[:, :-1]])
        touching += ((pairs.min(axis=0) > 0) & (pairs[0] != pairs[1])).any()
    assert touching == 3


def test_seeds_give_all_variants_the_same_crops(monkeypatch):
    pictures = draw_cells("train", 4)
    plain = CellRecipe(elastic=False)
    for one, other in ((plain, replace(plain, gaps=False)), (plain, replace(plain, skip="none"))):
        batches = []
        for recipe in (one, other):
            torch.manual_seed(5)
            batches.append(recipe.batch(pictures))
        assert torch.equal(batches[0][0], batches[1][0])
        assert torch.equal(batches[0][1], batches[1][1])
    assert (batches[0][2] > 1).any()
    torch.manual_seed(5)
    assert (replace(plain, gaps=False).batch(pictures)[2] == 1).all()


def test_scores_of_perfect_and_of_merged_cells():
    drawn = draw_cells("val", 2)
    truths = [one.things for one in drawn]
    perfect = cells.score(truths, [cells.regions(cells.apart(things)) for things in truths])
    merged = cells.score(truths, [cells.regions(things > 0) for things in truths])
    assert perfect["f1"] > 0.9
    assert perfect["merged"] < 0.1
    assert merged["f1"] < perfect["f1"] - 0.2
    assert merged["merged"] > perfect["merged"] + 0.2
    assert merged["iou"] < perfect["iou"]


def test_cells_are_learned():
    values = replace(CellRecipe(), steps=2, val_count=2, train_count=2, batch_size=2).in_precision("float32")(0, False)
    assert set(values) == {"f1", "pq", "merged", "iou"}
