"""Graphs for other programs give the network's logits, at sizes that the exporter did not see."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import predict
from segtutor.inference.export import Exported, _trace, export
from segtutor.models.deeplabv2 import DeepLabV2
from segtutor.models.inputs import Preprocessing
from segtutor.models.pspnet import RegionPooling
from segtutor.models.sizes import RoundingUpMaxPool2d, bicubic, crop
from segtutor.models.upsampling import BilinearUpsampling, pad_onto_grid

# One of each kind of size that a network computes: the large ones are made of the same parts.
TINY = {
    "deeplabv3_tiny": {},
    "deeplabv3_cascaded_tiny": {},
    "deeplabv3plus_tiny": {},
    "deeplabv2_tiny": {"multi_scale": True},
    "pspnet_tiny": {},
    "fcn16s_tiny": {},
    "segformer_tiny": {},
    "maskformer_tiny": {},
    "mask2former_tiny": {},
    "vit_tiny": {},
    "unet_tiny": {},
}
OTHERS = {
    "deeplabv3_tiny": {"variant": "paper"},
    "deeplabv2_tiny": {"multi_scale": True, "align_corners": False},
    "pspnet_tiny": {"align_corners": False},
    "fcn8s_tiny": {"learn_upsampling": "all"},
    "fcn32s_tiny": {},
    "lraspp_mobilenet_v3_large": {},
    "deeplabv3_mobilenet_v2": {},
    "deeplabv2_vgg16": {"head": "aspp_s"},
    "fcn16s_vgg16": {},
    "u2netp": {},
    "unet_tiny": {"padded": False},
}


def lively(name, **options):
    """A network whose fresh batch norms and zero scores do something."""
    torch.manual_seed(0)
    network = models.create(name, 1 if name == "u2netp" else 3, **options).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    for name in network.final_layers():
        layer = network.get_submodule(name)
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.05)
    return network


@pytest.mark.parametrize("name", TINY)
def test_one_graph_serves_all_sizes(name):
    network = lively(name, **TINY[name])
    graph = _trace(Exported(network).eval()).module()
    for size in ((1, 3, 64, 71), (3, 3, 130, 66)):
        images = torch.rand(size)
        with torch.no_grad():
            torch.testing.assert_close(graph(images), network(images)["out"], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_so_do_the_other_networks_and_options(name):
    network = lively(name, **OTHERS[name])
    graph = _trace(Exported(network).eval()).module()
    images = torch.rand(1, 3, 130, 66)
    with torch.no_grad():
        wanted = network(images)["out"]
        torch.testing.assert_close(graph(images), wanted, rtol=1e-5, atol=1e-5 * max(1, float(wanted.abs().max())))


@pytest.mark.parametrize("name", ["pspnet_tiny", "fcn32s_tiny"])
def test_onnx_says_the_same_and_knows_how_its_input_is_made(name, tmp_path):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = lively(name).train()
    network.class_names = ("sky", "road", "tree")
    assert export(network, tmp_path / "net.onnx") <= 1e-4
    assert network.training
    file = onnx.load(tmp_path / "net.onnx")
    notes = {entry.key: entry.value for entry in file.metadata_props}
    assert json.loads(notes["classes"]) == ["sky", "road", "tree"]
    assert json.loads(notes["mean"]) == list(Preprocessing().mean)
    open_sizes = [size.dim_param for size in file.graph.input[0].type.tensor_type.shape.dim]
    assert open_sizes == ["batch", "", "height", "width"]
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    images = torch.rand(2, 3, 67, 121)
    with torch.no_grad():
        wanted = network.eval()(images)["out"]
    (found,) = session.run(None, {"images": images.numpy()})
    assert np.abs(found - wanted.numpy()).max() <= 1e-4


@pytest.mark.parametrize("padded", [True, False])
def test_a_u_net_as_onnx_says_the_same_at_two_sizes(padded, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = lively("unet_tiny", padded=padded)
    assert export(network, tmp_path / "net.onnx") <= 1e-5
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    for size in ((1, 3, 40, 52), (2, 3, 67, 33)):
        images = torch.rand(size)
        with torch.no_grad():
            wanted = network(images)["out"].numpy()
        (found,) = session.run(None, {"images": images.numpy()})
        assert found.shape == wanted.shape == (size[0], 3, *size[2:])
        assert np.abs(found - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


def test_a_graph_of_pictures_normalizes_and_pads_as_predict_does(tmp_path):
    network = lively("deeplabv3_tiny")
    network.preprocessing = Preprocessing((0.5,) * 3, (0.25,) * 3, multiple=32, remainder=1, smallest=97)
    assert export(network, tmp_path / "net.pt2", "torch", pictures=True) <= 1e-4
    picture = torch.rand(3, 70, 110)
    logits = torch.export.load(tmp_path / "net.pt2").module()(picture[None])
    _, probabilities = predict(network, picture, return_probabilities=True)
    torch.testing.assert_close(logits.softmax(dim=1)[0], probabilities, rtol=0, atol=1e-5)


class OfEvenWidth(nn.Module):
    """A network of somebody's that is right for some sizes only."""

    preprocessing = Preprocessing()

    def final_layers(self):
        return ()

    def forward(self, images):
        if images.shape[-1] % 2:
            return {"out": images}
        return {"out": images + 1}


def test_a_network_that_asks_for_the_size_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match=r"torch.export cannot follow OfEvenWidth for all sizes \("):
        export(OfEvenWidth(), tmp_path / "net.pt2", "torch")
    assert not (tmp_path / "net.pt2").exists()


def test_an_encoder_of_queries_is_exported_as_far_as_its_masks_are_given_up():
    network = lively("eomt_tiny")
    images = torch.rand(1, 3, 70, 66)
    for progress, masking in ((0.0, [True, True]), (1.0, [False, False])):
        network.anneal(progress)
        graph = _trace(Exported(network).eval()).module()
        assert network.masking == masking
        with torch.no_grad():
            torch.testing.assert_close(graph(images), network(images)["out"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (5, 19), (13, 8), (3, 40)])
def test_bicubic_steps_for_exporters_are_pytorchs(size, monkeypatch):
    maps = torch.rand(1, 2, 8, 8)
    wanted = F.interpolate(maps, size, mode="bicubic")
    monkeypatch.setattr("segtutor.models.sizes.exporting", lambda: True)
    torch.testing.assert_close(bicubic(maps, size, antialias=False), wanted, rtol=0, atol=1e-5)


def test_what_has_no_label_map_or_differs_is_not_written(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="is a detector"):
        export(models.create("maskrcnn_tiny", 3), tmp_path / "net.pt2", "torch")
    with pytest.raises(ValueError, match="must be onnx or torch"):
        export(lively("deeplabv3_tiny"), tmp_path / "net.pt2", "tflite")
    monkeypatch.setattr("segtutor.inference.export._read_torch", lambda path: lambda images: torch.zeros(1))
    with pytest.raises(ValueError, match="differ by"):
        export(lively("deeplabv3_tiny"), tmp_path / "net.pt2", "torch")
    assert not list(tmp_path.iterdir())


def test_the_steps_for_exporters_compute_what_pytorch_does(monkeypatch):
    coarse, size = torch.rand(2, 3, 13, 22, dtype=torch.float64), (11, 9)
    upsampling = BilinearUpsampling(3, 4, 8)
    steps = {
        "crop": lambda: crop(coarse, size, 2),
        "up": lambda: RoundingUpMaxPool2d(2, 2)(coarse),
        "up3": lambda: RoundingUpMaxPool2d(3, 2, 1)(coarse),
        "up1": lambda: RoundingUpMaxPool2d(3, 1, 1)(coarse),
        "regions": lambda: RegionPooling(6)(coarse),
        "bilinear": lambda: upsampling(coarse.float()),
    }
    usual = {name: step() for name, step in steps.items()}
    assert torch.equal(usual["up3"], F.max_pool2d(coarse, 3, 2, 1, ceil_mode=True))
    for module in ("sizes", "pspnet", "upsampling"):
        monkeypatch.setattr(f"segtutor.models.{module}.exporting", lambda: True)
    for name, step in steps.items():
        torch.testing.assert_close(step(), usual[name], rtol=0, atol=1e-6 if name == "bilinear" else 1e-12)


def test_a_pool_whose_last_window_could_lie_outside_is_refused():
    with pytest.raises(ValueError, match="beyond the map"):
        RoundingUpMaxPool2d(2, stride=2, padding=1)


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_sizes_in_whole_numbers_are_those_of_the_remainder_and_of_round(stride):
    for side in range(1, 200):
        padded = pad_onto_grid(torch.zeros(1, 1, side, 1), stride).shape[2]
        assert padded == side + (1 - side) % stride
    network = DeepLabV2(nn.Identity(), nn.Sequential(), output_stride=stride)
    for scale in (0.75, 0.5):
        for steps in range(2, 200):
            side = steps * stride + 1
            network.align_corners = True
            assert network._shrunk_side(side, scale) == round((side - 1) * scale / stride) * stride + 1
            network.align_corners = False
            assert network._shrunk_side(side, scale) == int(side * scale)
