"""What the claims of lesson 9 measure: components by hand, both readings of one output, short runs that are alike."""

import numpy as np
import pytest
import torch

from segtutor.claims.experiments.mask_classification import EMPTY
from segtutor.claims.masks import SegmentPictures, components, panoptic_of, score_masks
from segtutor.datasets import Scenes
from segtutor.inference import FoundMasks
from segtutor.labels import SCENES

SHEEP, SKY = SCENES.index("sheep"), SCENES.index("sky")


def test_components_by_hand():
    labels = np.array([[SKY, SKY, SKY, SKY, SKY], [SHEEP, SHEEP, SKY, SHEEP, SHEEP], [SHEEP, SHEEP, SKY, SHEEP, SKY]])
    numbers, info = components(labels, smallest=3)
    assert [one["category_id"] for one in info] == [SHEEP, SHEEP, SKY]
    assert len(np.unique(numbers[labels == SHEEP])) == 2
    assert len(np.unique(numbers[labels == SKY])) == 1
    few, listed = components(labels, smallest=4)
    assert [one["category_id"] for one in listed].count(SHEEP) == 1
    assert (few[1:, 3] == 0).all()


def test_pictures_are_the_data_sets():
    data = Scenes("val", size=(48, 64), count=2, target="panoptic")
    kept = SegmentPictures(data)
    for index in range(2):
        image, target = data[index]
        assert torch.equal(kept[index][0], image)
        assert torch.equal(kept[index][1]["segments"], target["segments"])
        assert kept[index][1]["segments_info"] == target["segments_info"]


def test_both_readings_of_a_perfect_answer():
    """Masks that are the truth: by masks everything is found, by regions two sheep that touch are one."""

    class Oracle:
        labels = SCENES

        def __len__(self):
            return 1

        def __getitem__(self, index):
            numbers = torch.tensor(
                [[3] * 8, [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 2, 2, 2, 2]]
            )
            info = [{"id": 1, "category_id": SHEEP}, {"id": 2, "category_id": SHEEP}, {"id": 3, "category_id": SKY}]
            return torch.zeros(3, 4, 8, dtype=torch.uint8), {"segments": numbers, "segments_info": info}

    _, target = Oracle()[0]
    classes = torch.full((3, len(SCENES) + 1), -20.0)
    for row, one in enumerate(target["segments_info"]):
        classes[row, one["category_id"]] = 20.0
    masks = torch.stack([torch.where(target["segments"] == one["id"], 20.0, -20.0) for one in target["segments_info"]])
    found = FoundMasks(classes, masks)
    numbers, listed = panoptic_of(found)
    assert len(listed) == 3
    assert len(components(found.semantic().numpy(), smallest=1)[1]) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segtutor.claims.masks.find_masks", lambda model, image: found)
        scores = score_masks(torch.nn.Identity(), Oracle())
    assert scores["PQ_things"] == scores["PQ"] == scores["mean_iou"] == 1
    assert scores["touching"] == 1
    assert np.isnan(scores["alone"])
    assert scores["components_PQ_things"] == 0  # one region of 24 pixels, half of it another sheep: IoU 0.5 is no match
    assert numbers.shape == (4, 8)


@pytest.mark.parametrize("rule", [True, False])
def test_empty_masks_are_counted(rule):
    values = EMPTY.variants["with the rule" if rule else "without the rule"](0, True)
    assert 0 < values["empty"] < 1
    assert values["no_number"] == (0 if rule else values["empty"])
    assert values["of_empty"] == (0 if rule else 1)
