"""EoMT: the published counts, the transformers library's network, both sources' names, masks between blocks."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from segtutor import models
from segtutor.models.mask_classification import eomt
from segtutor.models.mask_classification.losses import mask_classification_loss
from segtutor.models.mask_classification.matching import LossSettings, objects_of
from tests.models.mask_classification.peers import eomt_in_authors_names, hubs_eomt
from tests.models.networks import on_meta, share_right, two_pictures

transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize(("name", "wanted"), [("small", 23_975_942), ("base", 93_663_110), ("large", 316_695_686)])
def test_parameter_counts(name, wanted):
    network = on_meta(f"eomt_{name}", num_classes=133)
    assert sum(parameter.numel() for parameter in network.parameters()) == wanted


def small(size=96):
    """Ours for the peer's pictures: the table of positions has the peer's size."""
    network = models.create("eomt_small", num_classes=5, queries=7).eval()
    network.backbone.positions = torch.nn.Parameter(torch.zeros(1, (size // 16) ** 2, 384))
    return network


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("names", [dict, eomt_in_authors_names])
def test_every_sources_names_give_the_peers_output(names, share):
    for size in (96, 64):
        theirs, ours = hubs_eomt(transformers, size=size), small(size)
        theirs.attn_mask_probs.fill_(share)  # 0: no mask between the blocks, as after the training; 1: all masked
        report = models.load_weights(ours, names(theirs.state_dict()))
        assert report.layout == ("hub_eomt" if names is dict else "eomt")
        assert not report.untouched
        assert (ours.mask_share == share).all()
        images = torch.randn(2, 3, size, size)
        with torch.inference_mode():
            expected, got = theirs(pixel_values=images), ours(images)
        assert expected.masks_queries_logits.std() > 0.1
        torch.testing.assert_close(got["classes"], expected.class_queries_logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(got["masks"], expected.masks_queries_logits, atol=1e-4, rtol=1e-4)


def test_who_may_look_where():
    """True is "may", and only the queries' view of the patches is narrowed: everybody else sees all."""
    network = models.create("eomt_tiny", num_classes=3, queries=2)
    masks = torch.full((1, 2, 4, 4), -1.0)
    masks[0, 0, :2, :2] = 1.0  # the first of the four patches
    allowed = network._allowed(masks, (2, 2), 2 + 1 + 4, torch.tensor(1.0))[0]
    assert allowed[0].tolist() == [True, True, True, True, False, False, False]
    assert allowed[1].tolist() == [True, True, True, False, False, False, False]  # an empty mask: nothing to be rescued
    assert allowed[2:].all()
    assert network._allowed(masks, (2, 2), 7, torch.tensor(0.0)).all()


def test_annealing_ends_without_masks():
    network = models.create("eomt_tiny", num_classes=3)
    shares = []
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        network.anneal(progress)
        shares.append(network.mask_share.tolist())
    assert shares[0] == [1, 1]
    assert shares[-1] == [0, 0]
    assert all(first <= second for first, second in shares)  # the first block gives up first
    for one, two in itertools.pairwise(shares):
        assert all(later <= sooner for sooner, later in zip(one, two, strict=True))
    with pytest.raises(ValueError, match="progress must be from 0 to 1, but 2 came"):
        network.anneal(2)


def test_other_sizes_and_whole_patches():
    network = models.create("eomt_tiny", num_classes=3).eval()
    with torch.inference_mode():
        assert network(torch.randn(1, 3, 64, 96))["masks"].shape == (1, 20, 16, 24)
        assert network(torch.randn(1, 3, 64, 96))["out"].shape == (1, 3, 64, 96)
        picture = torch.randn(1, 3, 61, 90)
        output = network(picture)
        assert output["out"].shape == (1, 3, 61, 90)
        torch.testing.assert_close(output["out"], network(F.pad(picture, (0, 6, 0, 3)))["out"][..., :61, :90])
    with pytest.raises(ValueError, match=r"to train, .* whole patches of 8 pixels high and wide, but 63 x 96 came"):
        network.train()(torch.randn(1, 3, 63, 96))


def test_a_few_steps_learn_a_picture():
    torch.manual_seed(0)
    network = models.create("eomt_tiny", num_classes=3, queries=6)
    images, labels = two_pictures()
    objects = [objects_of(one) for one in labels]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for step in range(40):
        output = network(images)
        assert len(output["layers"]) == 2
        loss = sum(mask_classification_loss(output, objects, LossSettings(points=256)).values())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            silent = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.abs().sum()]
            assert silent == []
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.6 * losses[0]
    assert share_right(network, images, labels) > 0.95


def test_differences_hold():
    ours = {row.detail: row.ours for row in eomt.DIFFERENCES}
    assert ours["blocks with queries in S, B, L"] == "3, 3, 4"
    assert [len(on_meta(f"eomt_{name}").mask_share) for name in ("small", "base", "large")] == [3, 3, 4]
