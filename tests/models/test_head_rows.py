"""Fine-tuning keeps the last layers' rows of the classes that both networks know by the same name."""

import torch

from segtutor import models
from segtutor.models.head_rows import rows_by_name

THEIRS = ("background", "cat", "person")
OURS = ("background", "person", "tree", "car")


def test_rows_move_to_the_place_of_their_name_by_hand():
    arrays = {"score.bias": torch.tensor([10.0, 11.0, 12.0]), "box.bias": torch.arange(6.0)}  # two rows a class
    own = {"score.bias": torch.zeros(4), "box.bias": torch.full((8,), -1.0)}
    mixed, kept = rows_by_name(own, arrays, own, THEIRS, OURS)
    assert mixed["score.bias"].tolist() == [10.0, 12.0, 0.0, 0.0]
    assert mixed["box.bias"].tolist() == [0.0, 1.0, 4.0, 5.0, -1.0, -1.0, -1.0, -1.0]
    assert kept == ("background", "person")
    assert own["score.bias"].tolist() == [0.0] * 4


def test_what_has_no_rows_of_classes_or_other_columns_is_left():
    own = {"a": torch.zeros(5), "b": torch.zeros(4, 2), "c": torch.zeros(8), "d": torch.tensor(0.0)}
    arrays = {"a": torch.ones(3), "b": torch.ones(3, 7), "c": torch.ones(3), "d": torch.ones(3)}
    assert rows_by_name(own, arrays, own, THEIRS, OURS) == ({}, ())


def test_a_name_that_stands_twice_says_nothing():
    own, arrays = {"bias": torch.zeros(2)}, {"bias": torch.ones(3)}
    mixed, kept = rows_by_name(own, arrays, own, ("person", "person", "sky"), ("person", "sky"))
    assert (mixed["bias"].tolist(), kept) == ([0.0, 1.0], ("sky",))


def test_the_small_detector_keeps_what_it_knows_of_people():
    names = ("background", "person")
    source = models.create("maskrcnn_tiny", weights="course")
    place = source.class_names.index("person")
    torch.manual_seed(0)
    tuned = models.create("maskrcnn_tiny", num_classes=2, weights="course", replace_head=True, classes=names)
    assert tuned.load_report.kept_classes == names
    assert "rows of background, person kept" in str(tuned.load_report)
    before, after = source.state_dict(), tuned.state_dict()
    boxes = "roi_heads.box_predictor.bbox_pred.weight"
    assert torch.equal(after[boxes][4:8], before[boxes][4 * place : 4 * place + 4])
    masks = "roi_heads.mask_predictor.mask_fcn_logits.bias"
    assert after[masks].tolist() == [before[masks][0], before[masks][place]]


def test_without_the_names_the_last_layers_are_new():
    tuned = models.create("maskrcnn_tiny", num_classes=2, weights="course", replace_head=True)
    assert tuned.load_report.kept_classes == ()
    assert len(tuned.load_report.untouched) == 6
