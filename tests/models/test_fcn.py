import copy
import itertools
import math
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.models import fcn
from segtutor.models.differences import as_markdown
from segtutor.models.layout_rules import rename
from segtutor.models.layouts import LAYOUTS
from segtutor.models.semantic import SemanticNetwork
from segtutor.training.optimizers import parameter_groups
from tests.models.geometry import center_of_gradient, make_linear
from tests.models.networks import on_meta

GOLDEN = Path(__file__).parent / "golden"
TINY = ["fcn32s_tiny", "fcn16s_tiny", "fcn8s_tiny"]
VGG = {32: "fcn32s_vgg16", 16: "fcn16s_vgg16", 8: "fcn8s_vgg16"}


def thin(stride, num_classes=3, widths=((1, 1), (1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)), hidden=2, **options):
    """VGG16's layers with few channels: the geometry of the real network at no cost."""
    options = {"learn_upsampling": "none", **options}
    return fcn._fcn_vgg(stride, num_classes, widths=widths, hidden=hidden, **options)


@pytest.mark.parametrize(
    ("name", "with_upsampling", "without"),
    [
        ("fcn32s_vgg16", 136_152_917, 134_346_581),
        ("fcn16s_vgg16", 134_815_994, 134_357_354),
        ("fcn8s_vgg16", 134_489_759, 134_362_751),  # the paper says 134 million
        ("fcn_resnet50", 32_957_013, 32_957_013),
    ],
)
def test_parameter_counts(name, with_upsampling, without):
    parameters = dict(on_meta(name).named_parameters())
    assert sum(value.numel() for value in parameters.values()) == with_upsampling
    assert sum(value.numel() for key, value in parameters.items() if not key.startswith("upscore.")) == without


def test_crop_offsets_are_those_of_the_paper():
    assert thin(32).offsets == {"image": 19}
    assert thin(16).offsets == {"pool4": 5, "image": 27}
    assert thin(8).offsets == {"pool4": 5, "pool3": 9, "image": 31}


@pytest.mark.parametrize(("stride", "upscored"), [(32, 544), (16, 560), (8, 568)])
def test_sizes_of_500_pixels(stride, upscored):
    network, sizes = on_meta(VGG[stride]), {}
    network.classifier[0].register_forward_hook(lambda module, inputs, output: sizes.update(fc6=output.shape[-2:]))
    network.upscore["image"].register_forward_hook(lambda module, inputs, output: sizes.update(up=output.shape[-2:]))
    assert network(torch.empty(1, 3, 500, 500, device="meta"))["out"].shape == (1, 21, 500, 500)
    assert sizes == {"fc6": (16, 16), "up": (upscored, upscored)}


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_any_size_comes_back_as_it_was(stride):
    network = thin(stride).to("meta").eval()
    for height in range(1, 601, 11):
        shape = network(torch.empty(1, 3, height, 601 - height, device="meta"))["out"].shape
        assert shape == (1, 3, height, 601 - height)
    for height in range(33, 131):  # each height with two widths; together they are all widths as well
        for width in {33 + height * step % 98 for step in (1, 5)}:
            assert network(torch.empty(1, 3, height, width, device="meta"))["out"].shape == (1, 3, height, width)


@pytest.mark.parametrize("name", TINY)
def test_any_size_comes_back_from_the_small_networks(name):
    network = models.create(name, num_classes=3).eval()
    with torch.inference_mode():
        for height in range(33, 66):
            width = 98 - height
            assert network(torch.zeros(1, 3, height, width))["out"].shape == (1, 3, height, width)


def fits(size, stride, rounding):
    """Whether the paper's crops lie inside the maps of an image side, by arithmetic."""
    sides = [size + 198]
    for _ in range(5):
        sides.append(rounding(sides[-1] / 2))
    side = sides[5] - 6
    enough = side >= 1
    for pool, finest, offset in ((4, 16, 5), (3, 8, 9)):
        if stride <= finest:
            side = 2 * side + 2
            enough = enough and offset + side <= sides[pool]
    return enough and {32: 19, 16: 27, 8: 31}[stride] + size <= stride * (side + 1)


@pytest.mark.parametrize(("stride", "failures"), [(32, 459), (16, 169), (8, 25)])
def test_rounding_down_would_leave_too_little(stride, failures):
    """Why the pools round up."""
    assert sum(not fits(size, stride, math.floor) for size in range(1, 1200)) == failures
    assert all(fits(size, stride, math.ceil) for size in range(1, 1200))


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_a_pixels_gradient_is_centered_on_it(stride):
    network = make_linear(thin(stride))
    for pixel in [(290, 300), (303, 311), (316, 289)]:
        assert center_of_gradient(network, (620, 610), pixel) == pytest.approx(pixel, abs=1e-3)


@pytest.mark.parametrize("name", TINY)
def test_a_pixels_gradient_is_centered_on_it_in_the_small_networks(name):
    network = make_linear(models.create(name, num_classes=2))
    for pixel in [(160, 170), (183, 191)]:
        assert center_of_gradient(network, (340, 351), pixel) == pytest.approx(pixel, abs=1e-3)


@pytest.mark.parametrize("name", TINY)
def test_scores_of_the_small_networks_reach_the_border(name):
    """The same score everywhere on the map is the same logit on every pixel, the last row and column included."""
    network = models.create(name, num_classes=2).eval()
    nn.init.ones_(network.classifier[-1].bias)
    for size in [(64, 96), (65, 97), (33, 62), (100, 131)]:
        logits = network(torch.zeros(1, 3, *size))["out"]
        torch.testing.assert_close(logits, torch.ones(1, 2, *size))


class Strided(nn.Module):
    """Three 3 x 3 convolutions of stride 2: the sampling of a ResNet of output stride 8."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*[nn.Conv2d(3, 3, 3, stride=2, padding=1) for _ in range(3)])

    def forward(self, images):
        return {"out": self.layers(images)}


def test_torchvisions_fcn_is_three_and_a_half_pixels_off():
    network = make_linear(SemanticNetwork(Strided(), nn.Sequential(nn.Conv2d(3, 2, 1)), output_stride=8))
    row, column = center_of_gradient(network, (64, 96), (30, 45))
    assert (30 - row, 45 - column) == pytest.approx((3.5, 3.5), abs=1e-6)


@pytest.mark.parametrize("name", ["fcn32s_vgg16", *TINY])
def test_scores_begin_at_zero(name):
    network = thin(8) if name in VGG.values() else models.create(name, num_classes=3)
    assert not network.eval()(torch.randn(2, 3, 40, 50))["out"].any()


def randomize_scores(network, seed):
    torch.manual_seed(seed)
    for layer in (network.classifier[-1], *network.score.values()):
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    return network.eval()


WIDER = ((2, 2), (3, 3), (4, 4, 4), (5, 5, 5), (5, 5, 5))


def test_stages_begin_where_the_last_one_ended():
    torch.manual_seed(0)
    stages = [
        randomize_scores(thin(32, widths=WIDER, hidden=8), 1),
        *[thin(s, widths=WIDER, hidden=8) for s in (16, 8)],
    ]
    images = torch.randn(1, 3, 96, 120)
    for coarser, finer in itertools.pairwise(stages):
        finer.eval()
        copied = fcn.initialize_from(finer, coarser)
        own, theirs = finer.state_dict(), coarser.state_dict()
        assert all(torch.equal(own[key], theirs[key]) for key in copied)
        assert theirs.keys() - copied == {"upscore.image.weight"}
        new_skip = list(finer.score)[-1]
        assert not own[f"score.{new_skip}.weight"].any()
        with torch.inference_mode():
            before, after = coarser(images)["out"], finer(images)["out"]
        # Two steps of interpolation flatten a peak that one step keeps; besides that nothing has changed.
        assert (before - after).abs().mean() < 0.05 * before.std()
        assert (before.argmax(1) == after.argmax(1)).float().mean() > 0.95
        randomize_scores(finer, 2)
        with torch.inference_mode():
            assert (before - finer(images)["out"]).abs().mean() > 0.2 * before.std()


def test_stages_that_do_not_follow_are_refused():
    tiny = {name: models.create(name, num_classes=3) for name in TINY}
    fcn.initialize_from(tiny["fcn8s_tiny"], tiny["fcn16s_tiny"])
    for model, coarser in (
        ("fcn8s_tiny", "fcn32s_tiny"),
        ("fcn16s_tiny", "fcn8s_tiny"),
        ("fcn32s_tiny", "fcn32s_tiny"),
    ):
        with pytest.raises(ValueError, match="one more than the second: 32s before 16s before 8s"):
            fcn.initialize_from(tiny[model], tiny[coarser])
    before = copy.deepcopy(tiny["fcn16s_tiny"].state_dict())
    for other in (thin(32), models.create("fcn32s_tiny", num_classes=4)):
        with pytest.raises(ValueError, match="the networks differ in"):
            fcn.initialize_from(tiny["fcn16s_tiny"], other)
    assert all(torch.equal(value, before[key]) for key, value in tiny["fcn16s_tiny"].state_dict().items())


def test_at_once_scales_the_skips():
    torch.manual_seed(0)
    plain = randomize_scores(thin(8, widths=WIDER), 1)
    scaled = thin(8, widths=WIDER, scales=fcn.AT_ONCE_SCALES).eval()
    state = plain.state_dict()
    state["score.pool4.weight"] = state["score.pool4.weight"] * 100
    state["score.pool3.weight"] = state["score.pool3.weight"] * 10_000
    scaled.load_state_dict(state)
    images = torch.randn(1, 3, 70, 80)
    with torch.inference_mode():
        torch.testing.assert_close(scaled(images)["out"], plain(images)["out"], rtol=1e-4, atol=1e-4)
    assert on_meta("fcn8s_vgg16", at_once=True).scales == {"pool4": 0.01, "pool3": 0.0001}
    assert on_meta("fcn8s_vgg16").scales == {}


@pytest.mark.parametrize(
    ("learn", "learned"), [("none", set()), ("inner", {"pool4", "pool3"}), ("all", {"pool4", "pool3", "image"})]
)
def test_fixed_upsampling_is_in_no_optimizer(learn, learned):
    network = models.create("fcn8s_tiny", num_classes=3, learn_upsampling=learn)
    held = {id(p) for group in parameter_groups(network, 5e-4) for p in group["params"]}
    assert {name for name, layer in network.upscore.items() if id(layer.weight) in held} == learned
    others = [p for key, p in network.named_parameters() if not key.startswith("upscore.")]
    assert held == {id(p) for p in others} | {id(network.upscore[name].weight) for name in learned}
    with pytest.raises(ValueError, match="'none', 'inner' or 'all', but 'some' came"):
        models.create("fcn8s_tiny", learn_upsampling="some")


@pytest.mark.parametrize("name", [*TINY, "vgg"])
def test_one_step_reaches_every_parameter_that_is_trained(name):
    torch.manual_seed(0)
    network = thin(8, widths=WIDER, learn_upsampling="inner") if name == "vgg" else models.create(name, num_classes=3)
    randomize_scores(network, 0).train()
    logits = network(torch.randn(2, 3, 64, 70))["out"]
    F.cross_entropy(logits, torch.randint(0, 3, (2, 64, 70))).backward()
    for key, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
        else:
            assert parameter.grad is None, key


def test_tiny_is_small_and_learns():
    torch.manual_seed(0)
    network = models.create("fcn8s_tiny", num_classes=3)
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_300_000
    labels = torch.zeros(2, 48, 64, dtype=torch.int64)
    labels[:, :24] = 1
    labels[:, :, 40:] = 2
    images = torch.randn(2, 3, 1, 1) + F.one_hot(labels, 3).permute(0, 3, 1, 2)
    optimizer = torch.optim.AdamW((p for p in network.parameters() if p.requires_grad), lr=3e-3)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(network(images)["out"], labels).backward()
        optimizer.step()
    assert (network(images)["out"].argmax(1) == labels).float().mean() > 0.9


# --- weights of others ---


def test_vgg16s_classifier_becomes_convolutions():
    """torchvision's VGG16 on 224 x 224 and our fc6 and fc7 on the same 7 x 7 map give the same 4096 numbers."""
    with torch.device("meta"):
        theirs, network = torchvision.models.vgg16(), models.create("fcn32s_vgg16")
    torch.manual_seed(0)
    for module in (theirs.to_empty(device="cpu").eval(), network.to_empty(device="cpu").eval()):
        for parameter in module.parameters():
            parameter.data.zero_()
    for parameter in theirs.parameters():
        parameter.data.uniform_(-1, 1).mul_(0.2 if parameter.ndim == 1 else parameter[0].numel() ** -0.5)
    report = models.load_weights(network, theirs.state_dict(), layout="torchvision_vgg16")
    assert len(report.loaded) == 2 * 15
    assert report.dropped == ("classifier.6.bias", "classifier.6.weight")
    assert report.untouched == ("classifier.6.bias", "classifier.6.weight", "upscore.image.weight")
    features = torch.rand(1, 512, 7, 7)
    with torch.inference_mode():
        expected = theirs.classifier[:5](features.flatten(1))
        got = network.classifier[:5](features)
        assert expected.std() > 1e-2
        torch.testing.assert_close(got[..., 0, 0], expected, rtol=0, atol=1e-5)
        # The convolutions below agree as well, once the image is padded as theirs.
        network.backbone[0].padding = (1, 1)
        images = torch.randn(1, 3, 64, 96)
        torch.testing.assert_close(network.backbone(images)["pool5"], theirs.features(images), rtol=0, atol=1e-5)
    state = theirs.state_dict()
    state["classifier.0.weight"] = torch.full((4096, 25088), math.nan)
    with pytest.raises(ValueError, match="it holds features only; take the file of the whole VGG16"):
        models.load_weights(network, state, layout="torchvision_vgg16")


CAFFE_GROUPS = ("1_1 1_2", "2_1 2_2", "3_1 3_2 3_3", "4_1 4_2 4_3", "5_1 5_2 5_3")
CAFFE_UPSCORES = {32: ("upscore",), 16: ("upscore2", "upscore16"), 8: ("upscore2", "upscore_pool4", "upscore8")}


def caffe_state(network, stride):
    """The arrays of a network of ours under the names of the Caffe copies, by a list and not by the table."""
    convolutions = [layer for layer in network.backbone if isinstance(layer, nn.Conv2d)]
    layers = dict(zip([f"conv{n}" for group in CAFFE_GROUPS for n in group.split()], convolutions, strict=True))
    layers.update(fc6=network.classifier[0], fc7=network.classifier[3], score_fr=network.classifier[6])
    layers.update({f"score_{name}": layer for name, layer in network.score.items()})
    layers.update(zip(CAFFE_UPSCORES[stride], network.upscore.values(), strict=True))
    return {f"{name}.{key}": value for name, layer in layers.items() for key, value in layer.state_dict().items()}


def caffe_forward(state, pixels, stride):
    """The Caffe network written down a second time: BGR bytes minus the mean, its own crops as numbers."""
    mean = torch.tensor([104.007, 116.669, 122.679])[:, None, None]
    x, pools = pixels.flip(0).float()[None] - mean, {}
    for group, names in enumerate(CAFFE_GROUPS, start=1):
        for n in names.split():
            padding = 100 if n == "1_1" else 1
            x = F.conv2d(x, state[f"conv{n}.weight"], state[f"conv{n}.bias"], padding=padding).relu()
        x = pools[group] = F.max_pool2d(x, 2, 2, ceil_mode=True)
    for name in ("fc6", "fc7"):
        x = F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"]).relu()
    x = F.conv2d(x, state["score_fr.weight"], state["score_fr.bias"])
    for name, skip, pool, offset in (("upscore2", "score_pool4", 4, 5), ("upscore_pool4", "score_pool3", 3, 9)):
        if name in CAFFE_UPSCORES[stride]:
            x = F.conv_transpose2d(x, state[f"{name}.weight"], stride=2)
            score = F.conv2d(pools[pool], state[f"{skip}.weight"], state[f"{skip}.bias"])
            x = x + score[..., offset : offset + x.shape[2], offset : offset + x.shape[3]]
    crop = {32: 19, 16: 27, 8: 31}[stride]
    x = F.conv_transpose2d(x, state[f"{CAFFE_UPSCORES[stride][-1]}.weight"], stride=stride)
    return x[..., crop : crop + pixels.shape[1], crop : crop + pixels.shape[2]]


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_caffe_networks_give_the_same_logits(stride):
    torch.manual_seed(stride)
    state = caffe_state(randomize_scores(thin(stride, widths=WIDER, hidden=6), 3), stride)
    state = {key: value * 0.1 if key == "conv1_1.weight" else value for key, value in state.items()}
    network = thin(stride, widths=WIDER, hidden=6).eval()
    report = models.load_weights(network, state)
    assert report.layout == "caffe_fcn"
    assert not report.dropped
    assert not report.untouched
    for size in [(65, 97), (50, 33)]:
        pixels = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
        expected = caffe_forward(state, pixels, stride)
        with torch.inference_mode():
            got = network(network.preprocessing.normalize(pixels)[None])["out"]
        assert expected.std() > 0.1
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_caffe_keys_and_shapes_of_the_full_networks(stride):
    lines = (GOLDEN / f"caffe_fcn{stride}s.txt").read_text(encoding="utf-8").splitlines()
    state = {}
    for line in lines:
        key, *shape = line.split()
        state[key] = torch.empty([int(side) for side in shape], device="meta")
    renamed, dropped = rename(state, LAYOUTS["caffe_fcn"], "caffe_fcn")
    own = on_meta(VGG[stride]).state_dict()
    assert not dropped
    assert {key: value.shape for key, value in renamed.items()} == {key: value.shape for key, value in own.items()}


# --- what does not fit ---


@pytest.mark.parametrize(
    ("name", "images", "message"),
    [
        ("fcn8s_tiny", torch.zeros(2, 3, 31, 64), "at least 32 x 32 pixels, but 31 x 64 came"),
        ("fcn8s_tiny", torch.zeros(2, 1, 64, 64), "must have 3 channels, but 1 came"),
        ("fcn8s_tiny", torch.zeros(2, 3, 64, 64, dtype=torch.uint8), r"preprocessing\.normalize"),
        ("fcn8s_tiny", torch.zeros(3, 64, 64), r"images\[None\]"),
        ("fcn_resnet50", torch.zeros(1, 3, 8, 7), "at least 8 x 8 pixels"),
        ("fcn_resnet50", torch.zeros(1, 3, 8, 8), "a batch of one image of 8 x 8 pixels cannot train this network"),
    ],
)
def test_images_that_do_not_fit_are_refused(name, images, message):
    network = models.create(name, num_classes=3).train()
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ValueError, match=message):
        network(images)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_one_image_trains_where_batch_norm_has_enough_to_see():
    for name in TINY:
        network = models.create(name, num_classes=3).train()
        assert network(torch.randn(1, 3, 32, 32))["out"].shape == (1, 3, 32, 32)
    assert thin(8).train()(torch.randn(1, 3, 1, 1))["out"].shape == (1, 3, 1, 1)


def test_another_number_of_classes_is_said_and_can_be_asked_for():
    torch.manual_seed(0)
    source = randomize_scores(models.create("fcn8s_tiny", num_classes=5), 0)
    network = models.create("fcn8s_tiny", num_classes=3)
    with pytest.raises(ValueError, match=r"classifier\.8\.weight \(5, 256, 1, 1\) for \(3, 256, 1, 1\).*replace_head"):
        models.load_weights(network, source.state_dict())
    report = models.load_weights(network, source.state_dict(), replace_head=True)
    layers = {"classifier.8", "score.pool4", "score.pool3", "upscore.pool4", "upscore.pool3", "upscore.image"}
    assert {key.rpartition(".")[0] for key in report.untouched} == layers == set(network.final_layers())
    assert network.num_classes == 3
    with pytest.raises(ValueError, match=r"the file lacks score\.pool3"):
        models.load_weights(network, models.create("fcn16s_tiny", num_classes=3).state_dict())


# --- the table of differences ---


def measured():
    network = on_meta("fcn8s_vgg16")
    modules = list(network.modules())
    pools = {module.ceil_mode for module in modules if isinstance(module, nn.MaxPool2d)}
    learned = [name for name, layer in network.upscore.items() if layer.weight.requires_grad]
    dropouts = [module for module in modules if isinstance(module, nn.Dropout)]
    scorers = [network.classifier[-1], *thin(8).score.values(), thin(8).classifier[-1]]
    zero = not any(parameter.any() for layer in scorers[1:] for parameter in layer.parameters())
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in network.backbone)
    center = center_of_gradient(make_linear(thin(8)), (600, 600), (300, 300))
    return {
        "backbone": f"VGG{convolutions + 3}",
        "padding of the first convolution": str(network.backbone[0].padding[0]),
        "pooling rounds sizes": {True: "up", False: "down"}[pools.pop()],
        "deepest map's stride": f"{network.backbone.grids['pool5'].stride:.0f}",
        "skips": ", ".join(network.score),
        "crop offsets": ", ".join(map(str, network.offsets.values())),
        "upsampling": "transposed convolutions"
        if all(isinstance(layer, nn.ConvTranspose2d) for layer in network.upscore.values())
        else "resize",
        "learned upsampling": ", ".join(learned) or "none",
        "score layers begin": "zero" if zero else "random",
        "dropout": ", ".join(str(module.p) for module in dropouts),
        "batch norm": "yes" if any(isinstance(module, nn.BatchNorm2d) for module in modules) else "no",
        "auxiliary head": "no" if network.aux_classifier is None else "yes",
        "input": "RGB, mean and std" if network.preprocessing == models.Preprocessing() else "other",
        "prediction is off the pixel by": f"{abs(center[0] - 300):.0f}",
    }


def test_the_table_of_differences_tells_the_truth_about_our_network():
    assert {row.detail: row.ours for row in fcn.DIFFERENCES} == measured()
    assert as_markdown(fcn.DIFFERENCES).count("\n") == len(fcn.DIFFERENCES) + 1


def test_the_table_of_differences_tells_the_truth_about_torchvisions():
    with torch.device("meta"):
        theirs = torchvision.models.segmentation.fcn_resnet50(
            weights=None, weights_backbone=None, num_classes=21, aux_loss=True
        )
    table = {row.detail: row.torchvision for row in fcn.DIFFERENCES}
    assert table["padding of the first convolution"] == str(theirs.backbone.conv1.padding[0])
    assert table["dropout"] == str(theirs.classifier[3].p)
    assert table["auxiliary head"] == "yes"
    assert theirs.aux_classifier is not None
    assert theirs.backbone.maxpool.ceil_mode is False
    assert theirs.backbone(torch.empty(1, 3, 64, 64, device="meta"))["out"].shape[-1] == 64 / int(
        table["deepest map's stride"]
    )
