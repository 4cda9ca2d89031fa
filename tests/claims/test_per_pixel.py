"""A class per pixel by the network that gives masks: the same training, and things that are connected regions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from segtutor.claims.mask_training import BASE
from segtutor.claims.per_pixel import LabelPictures, PerfectRegions, PixelRecipe, score_regions
from segtutor.labels import SCENES
from segtutor.models import Preprocessing

SKY, DOG = SCENES.index("sky"), SCENES.index("dog")


class OnePicture:
    """Two dogs side by side below the sky; the upper left corner is void."""

    def __init__(self):
        self.segments = torch.tensor([[0, 1, 1, 1, 1, 1, 1, 1]] * 4 + [[2, 2, 2, 2, 3, 3, 3, 3]] * 4)
        self.info = [{"id": 1, "category_id": SKY}, {"id": 2, "category_id": DOG}, {"id": 3, "category_id": DOG}]

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return torch.zeros(3, 8, 8, dtype=torch.uint8), {"segments": self.segments, "segments_info": self.info}


class Knows(nn.Module):
    """Gives every pixel its true class."""

    def __init__(self, labels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.labels = labels
        self.preprocessing = Preprocessing()

    def forward(self, images):
        known = self.labels.where(self.labels != SCENES.ignore_index, torch.tensor(SKY))
        return {"out": nn.functional.one_hot(known, len(SCENES)).movedim(-1, 0)[None].float() + self.weight}


def test_segments_as_a_label_map():
    _, labels = LabelPictures(OnePicture())[0]
    assert labels[0].tolist() == [SCENES.ignore_index] + [SKY] * 7
    assert labels[4].tolist() == [DOG] * 8


def test_two_things_that_touch_are_one_region():
    """Of two dogs, the one region has an IoU of one half with each and matches neither: no thing is found."""
    pictures = OnePicture()
    found = score_regions(Knows(LabelPictures(pictures)[0][1]), pictures)
    assert np.isnan(found.pop("alone"))
    assert found == {"PQ_stuff": 1.0, "components_PQ_things": 0.0, "touching": 0.0, "mean_iou": 1.0}


def test_the_true_label_map_joins_what_touches():
    """On scenes of the claim: no label map, however good, has all things as regions of their own."""
    found = PerfectRegions()(0, True)
    assert 0 < found["late_PQ_things"] < 1
    assert found["late_PQ_things"] == found["late_components_PQ_things"]
    assert found["late_touching"] < found["late_alone"]
    assert found["late_mean_iou"] == found["late_PQ_stuff"] == 1


def test_it_is_the_training_of_the_masks_and_comes_out_again():
    recipe = PixelRecipe(replace(BASE, lengths=(1, 2), train_count=8, val_count=2)).in_precision("float32")
    values = recipe(0, False)
    again = recipe(0, False)
    assert values == pytest.approx(again, nan_ok=True, abs=0)
    assert all(values[f"{when}_PQ_things"] == values[f"{when}_components_PQ_things"] for when in ("early", "late"))
    assert np.isfinite(values["early_loss"])
    assert PixelRecipe().recipe == BASE
    assert PixelRecipe().shortened().recipe.steps == BASE.shortened().steps
    with pytest.raises(ValueError, match="precision"):
        PixelRecipe().in_precision("half")(0, True)
