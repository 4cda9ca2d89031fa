"""Our networks against torchvision's, with its state dict key for key."""

import pytest
import torch
import torchvision

from segtutor import models

TOLERANCE = {"rtol": 0, "atol": 1e-5}


def peer(name, aux, seed=0):
    """torchvision's network with random weights, and batch norms that are not the identity."""
    torch.manual_seed(seed)
    network = getattr(torchvision.models.segmentation, name)(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=aux
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.0)
            module.bias.data.normal_(0, 0.1)
    return network.eval()


@pytest.mark.parametrize(
    "name",
    [
        "deeplabv3_resnet50",
        pytest.param("deeplabv3_resnet101", marks=pytest.mark.slow),
        "deeplabv3_mobilenet_v3_large",
        "fcn_resnet50",
        "fcn_resnet101",
    ],
)
def test_logits_agree_with_torchvision(name):
    theirs = peer(name, aux=True)
    ours = models.create(name, aux=True)
    report = models.load_weights(ours, theirs.state_dict(), layout="torchvision")
    assert set(report.loaded) == set(theirs.state_dict())
    assert not report.dropped
    assert not report.untouched
    ours.eval()
    for shape in [(1, 3, 65, 97), (2, 3, 129, 129)]:
        images = torch.randn(shape, generator=torch.Generator().manual_seed(shape[0]))
        with torch.inference_mode():
            expected, got = theirs(images), ours(images)
        assert expected["out"].abs().max() > 0.1  # the comparison is not one of zeros
        torch.testing.assert_close(got["out"], expected["out"], **TOLERANCE)
        assert set(got) == {"out"}


def test_aux_logits_agree_with_torchvision_in_training_mode():
    theirs = peer("deeplabv3_mobilenet_v3_large", aux=True)
    ours = models.create("deeplabv3_mobilenet_v3_large", aux=True)
    models.load_weights(ours, theirs.state_dict())
    ours.train()
    for module in ours.modules():  # training mode of the network alone: dropout and batch norm as in evaluation
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.Dropout):
            module.eval()
    images = torch.randn(2, 3, 65, 97)
    with torch.no_grad():
        torch.testing.assert_close(ours(images)["aux"], theirs(images)["aux"], **TOLERANCE)


@pytest.mark.parametrize(
    ("name", "aux", "count"),
    [  # torchvision's weight records, and counted without the auxiliary head
        ("deeplabv3_resnet50", True, 42_004_074),
        ("deeplabv3_resnet50", False, 39_638_869),
        ("deeplabv3_resnet101", True, 60_996_202),
        ("deeplabv3_resnet101", False, 58_630_997),
        ("deeplabv3_mobilenet_v3_large", True, 11_029_328),
        ("fcn_resnet50", True, 35_322_218),
        ("fcn_resnet101", True, 54_314_346),
    ],
)
def test_parameter_counts(name, aux, count):
    with torch.device("meta"):
        network = models.create(name, aux=aux)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("replaced", [[False, False, True], [False, True, True]])
def test_features_agree_at_both_output_strides(replaced):
    from segtutor.models.backbones import ResNetBackbone

    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=replaced).eval()
    plain = torchvision.models.resnet50(weights=None)
    plain.load_state_dict(theirs.state_dict())
    ours = ResNetBackbone(plain, output_stride=16 if sum(replaced) == 1 else 8).eval()
    images = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        features = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images))))
        for stage in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4):
            features = stage(features)
        torch.testing.assert_close(ours(images)["out"], features, **TOLERANCE)


def test_the_same_rate_in_every_block_changes_the_output_but_not_the_keys():
    theirs = peer("deeplabv3_resnet50", aux=False)
    same = models.create("deeplabv3_resnet50", first_block_rate="same")
    models.load_weights(same, theirs.state_dict())
    # The same network made from torchvision's by hand.
    theirs.backbone.layer3[0].conv2.dilation = theirs.backbone.layer3[0].conv2.padding = (2, 2)
    theirs.backbone.layer4[0].conv2.dilation = theirs.backbone.layer4[0].conv2.padding = (4, 4)
    images = torch.randn(1, 3, 65, 65)
    with torch.inference_mode():
        torch.testing.assert_close(same.eval()(images)["out"], theirs(images)["out"], **TOLERANCE)
        previous = models.create("deeplabv3_resnet50").eval()
        models.load_weights(previous, theirs.state_dict())
        assert (previous(images)["out"] - theirs(images)["out"]).abs().max() > 1e-3
