"""MaskFormer: the published counts, the transformers library's network and losses, both sources' names."""

import pytest
import torch

from segtutor import models
from segtutor.models.mask_classification import variants
from segtutor.models.mask_classification.losses import mask_classification_loss, mask_terms
from segtutor.models.mask_classification.matching import Objects, costs, objects_of
from tests.models.mask_classification.peers import hubs_maskformer, maskformer_in_authors_names
from tests.models.networks import on_meta, share_right, two_pictures

transformers = pytest.importorskip("transformers")
LOSS = variants.MASKFORMER_LOSS


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("classes", "wanted"), [(150, 41_307_863), (133, 41_303_494)])
def test_parameter_counts(classes, wanted):
    assert count(on_meta("maskformer_resnet50", num_classes=classes)) == wanted


@pytest.mark.parametrize("names", [dict, maskformer_in_authors_names])
def test_every_sources_names_give_the_peers_output(names):
    theirs = hubs_maskformer(transformers)
    ours = models.create("maskformer_resnet50", num_classes=5).eval()
    report = models.load_weights(ours, names(theirs.state_dict()))
    assert report.layout == ("hub_maskformer" if names is dict else "maskformer")
    assert not report.untouched
    assert set(report.dropped) == {"criterion.empty_weight"}
    for batch, size in [(2, (64, 96)), (1, (75, 133))]:
        images = torch.randn(batch, 3, *size)
        with torch.inference_mode():
            expected, got = theirs(pixel_values=images), ours(images)
        assert expected.masks_queries_logits.std() > 0.01
        torch.testing.assert_close(got["classes"], expected.class_queries_logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(got["masks"], expected.masks_queries_logits, atol=1e-4, rtol=1e-4)


def test_the_authors_names_are_the_ones_told():
    state = maskformer_in_authors_names(hubs_maskformer(transformers).state_dict())
    head, queries = "sem_seg_head.pixel_decoder", "sem_seg_head.predictor"
    shapes = {
        "backbone.stem.conv1.weight": (64, 3, 7, 7),
        "backbone.res5.2.conv3.norm.weight": (2048,),
        f"{head}.adapter_1.weight": (256, 256, 1, 1),  # the finest stage
        f"{head}.adapter_3.weight": (256, 1024, 1, 1),
        f"{head}.layer_1.norm.weight": (256,),
        f"{head}.layer_4.weight": (256, 2048, 3, 3),
        f"{head}.mask_features.bias": (256,),
        f"{queries}.query_embed.weight": (100, 256),
        f"{queries}.input_proj.weight": (256, 2048, 1, 1),
        f"{queries}.transformer.decoder.layers.5.multihead_attn.in_proj_weight": (768, 256),
        f"{queries}.transformer.decoder.layers.0.self_attn.out_proj.bias": (256,),
        f"{queries}.transformer.decoder.layers.0.linear1.weight": (2048, 256),
        f"{queries}.transformer.decoder.layers.0.norm3.weight": (256,),
        f"{queries}.transformer.decoder.norm.weight": (256,),
        f"{queries}.class_embed.weight": (6, 256),
        f"{queries}.mask_embed.layers.2.weight": (256, 256),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


def scene(queries=5, objects=3, classes=4, size=(12, 16)):
    generator = torch.Generator().manual_seed(7)
    masks = torch.rand(objects, *size, generator=generator) > 0.6
    return (
        torch.randn(queries, classes + 1, generator=generator),
        3 * torch.randn(queries, *size, generator=generator),
        Objects(torch.randint(0, classes, (objects,), generator=generator), masks),
    )


def test_costs_agree_with_the_transformers_library():
    hub = pytest.importorskip("transformers.models.maskformer.modeling_maskformer")
    classes, masks, objects = scene()
    logits, wanted = masks.flatten(1), objects.masks.flatten(1).float()
    theirs = 20 * hub.pair_wise_sigmoid_focal_loss(logits, wanted) + hub.pair_wise_dice_loss(logits, wanted)
    theirs -= classes.softmax(-1)[:, objects.labels]
    torch.testing.assert_close(costs(classes, masks, objects, LOSS), theirs)


def test_terms_agree_with_the_transformers_library():
    hub = pytest.importorskip("transformers.models.maskformer.modeling_maskformer")
    _, masks, objects = scene(queries=3)
    entropy, dice = mask_terms(masks, objects, LOSS)
    logits, wanted = masks.flatten(1), objects.masks.flatten(1).float()
    torch.testing.assert_close(entropy, hub.sigmoid_focal_loss(logits, wanted, 1))
    torch.testing.assert_close(dice, hub.dice_loss(logits, wanted, 1))


def test_void_counts_for_nothing():
    classes, masks, objects = scene()
    void = torch.zeros(12, 16, dtype=torch.bool)
    void[:, :5] = True
    objects = Objects(objects.labels, objects.masks & ~void, void)
    changed = masks.clone()
    changed[:, :, :5] = 50 * torch.randn(5, 12, 5)
    for one, other in zip(mask_terms(masks[:3], objects, LOSS), mask_terms(changed[:3], objects, LOSS), strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(costs(classes, masks, objects, LOSS), costs(classes, changed, objects, LOSS))


def test_training_output_has_every_layer():
    assert len(on_meta("maskformer_resnet50").decoder.layers) == 6  # terms of the loss
    output = models.create("maskformer_tiny", num_classes=3)(torch.randn(2, 3, 64, 80))
    assert len(output["layers"]) == 3
    assert output["masks"].shape == (2, 20, 16, 20)


def test_a_few_steps_learn_a_picture():
    torch.manual_seed(0)
    network = models.create("maskformer_tiny", num_classes=3, queries=6)
    images, labels = two_pictures()
    objects = [objects_of(one) for one in labels]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = []
    for step in range(60):
        loss = sum(mask_classification_loss(network(images), objects, LOSS).values())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            # Queries begin as zeros: in the first layer all values are alike, and nobody needs to be asked.
            silent = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.abs().sum()]
            assert all("layers.0.attention" in name or name.endswith("key.bias") for name in silent)
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.4 * losses[0]
    assert share_right(network, images, labels) > 0.95


def test_differences_hold():
    ours = {row.detail: row.ours for row in variants.MASKFORMER_DIFFERENCES}
    assert ours["loss terms"] == "6 layers"
    network = on_meta("maskformer_resnet50")
    assert ours["dropout"] == str(network.decoder.layers[0].dropout.p)
