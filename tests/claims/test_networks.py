"""The table of networks: complete, on one budget, and the same network wherever it appears."""

import pytest

from segtutor import models
from segtutor.claims import find
from segtutor.claims.figures import FAMILY_COLORS
from segtutor.claims.networks import BUDGET, NETWORKS, Budget, network
from segtutor.claims.training import Recipe, build


def test_a_rows_run_by_hand():
    assert network("FCN-8s, pretrained").recipe() == Recipe("fcn8s_tiny", (), start="backbone", steps=400)
    wide = network("DeepLab v3, stride 16")
    assert wide.recipe().options == (("variant", "paper"), ("output_stride", 16), ("rates", (1, 2, 3)))
    changed = wide.recipe(rates=(2, 2, 2), image_pooling=False)  # in place of its own; added
    assert changed.options == (
        ("variant", "paper"), ("output_stride", 16), ("rates", (2, 2, 2)), ("image_pooling", False),
    )  # fmt: skip
    masks = network("Mask2Former").recipe()  # a loss of its own, and its own settings
    assert (masks.class_weights, masks.learning_rate, masks.gradient_clip) == ("none", 1e-3, 1.0)
    assert str(Budget(1200, 2000)) == (
        "data (2,000 scenes of 96 x 128), order, batch 8, AdamW, poly schedule, 1,200 steps, class weights"
    )


OTHER_TASKS = {"maskrcnn_tiny", "sam_tiny"}
"""They find objects, or what a click points at, and give no label map."""


def test_every_small_network_of_the_lessons_that_gives_a_label_map_is_in_the_table():
    small = {name for name in models.available() if name.endswith("_tiny")} - OTHER_TASKS
    assert {row.model for row in NETWORKS} == small
    assert len({row.name for row in NETWORKS}) == len(NETWORKS)
    assert len({row.recipe() for row in NETWORKS}) == len(NETWORKS), "two rows are one network"
    assert {row.budget for row in NETWORKS} == {BUDGET}, "the leaderboard compares on equal terms"


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
def test_a_row_can_be_built(row):
    assert build(row.recipe(), seed=0).training
    assert row.family in FAMILY_COLORS


@pytest.mark.parametrize(
    ("claim", "variant", "name"),
    [
        ("fcn.skips", "FCN-16s", "FCN-16s"),
        ("fcn.pretraining", "pretrained", "FCN-8s, pretrained"),
        ("pspnet.dilation", "stride 4", "PSPNet, stride 4"),
        ("pspnet.reduction", "cut to a quarter", "PSPNet"),
        ("deeplab.output_stride", "stride 16", "DeepLab v3, stride 16"),
        ("deeplab.cascaded", "block4", "backbone alone"),
        ("deeplab.cascaded", "block6", "DeepLab v3, cascaded"),
        ("deeplab.separable", "separable", "DeepLab v3+, separable"),
    ],
)
def test_a_claims_network_is_the_tables(claim, variant, name):
    """Then both are one run, and their recorded numbers are the same."""
    assert find(claim).variants[variant] == network(name).recipe()


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no network 'PSPNet, stride 2' in the table; there are FCN-32s; FCN-16s;"):
        network("PSPNet, stride 2")
