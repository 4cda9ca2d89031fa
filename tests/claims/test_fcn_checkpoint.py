"""The FCN-8s of lesson 3 that learned for 400 steps: what stands beside it is what it scores."""

import json

import pytest

from segtutor import models, resources
from segtutor.claims.catalog import find
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.results import recorded
from segtutor.claims.scoring import score
from segtutor.claims.training import SIZE


@pytest.fixture(scope="module")
def record():
    return json.loads(resources.data("checkpoints", "fcn8s_tiny.json").read_text())


def test_the_checkpoint_scores_what_its_record_says(record):
    network = models.create("fcn8s_tiny", num_classes=33, weights="course").eval()
    found = score(network, draw(EVERYTHING, "val", 40, SIZE))
    assert found["mean_iou"] == pytest.approx(record["mean_iou_of_the_first_40"], abs=0.003)


def test_it_is_the_network_of_the_claim_cards(record):
    first_seed = recorded(find("fcn.pretraining")).runs["pretrained"][0]
    assert record["mean_iou"] == pytest.approx(first_seed["mean_iou"], abs=0.003)


def test_the_file_stays_small():
    assert resources.data("checkpoints", "fcn8s_tiny.pt").stat().st_size <= 4_000_000
