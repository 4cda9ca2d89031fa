"""No transposed convolution of any network runs in 16 bits: on some processors that is a hundred times slower."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from segtutor import models

TINY = [name for name in models.available() if name.endswith("_tiny")]


class Watch(TorchDispatchMode):
    """Notes the type of everything that a transposed convolution is computed from, backward passes included."""

    def __init__(self):
        super().__init__()
        self.types = set()

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        if function is torch.ops.aten.convolution.default and arguments[6]:
            self.types |= {arguments[0].dtype, arguments[1].dtype}
        if function is torch.ops.aten.convolution_backward.default and arguments[7]:
            self.types |= {arguments[0].dtype, arguments[1].dtype, arguments[2].dtype}
        return function(*arguments, **(options or {}))


def step(model):
    """Forward and backward, with objects for a detector."""
    if model.config.name.startswith("maskrcnn"):
        masks = torch.zeros(1, 96, 96, dtype=torch.uint8)
        masks[:, 20:70, 20:70] = 1
        target = {"boxes": torch.tensor([[20.0, 20, 70, 70]]), "labels": torch.tensor([1]), "masks": masks}
        losses = model([torch.rand(3, 96, 96)], [target])
        return sum(losses.values())
    if hasattr(model, "loss_of_labels"):
        output = model(torch.rand(2, 3, 96, 96))
        return model.loss_of_labels(output, torch.randint(0, 3, (2, 96, 96)), 255)
    return sum(value.float().square().mean() for value in model(torch.rand(2, 3, 96, 96)).values())


@pytest.mark.parametrize("name", TINY)
def test_no_transposed_convolution_runs_in_16_bits(name):
    torch.manual_seed(0)
    options = {"learn_upsampling": "all"} if name.startswith("fcn") else {}
    model = models.create(name, num_classes=1 if name.startswith("sam") else 3, **options).train()
    with Watch() as watch:
        with torch.autocast("cpu", torch.bfloat16):
            loss = step(model)
        loss.backward()
    there = any(isinstance(module, nn.ConvTranspose2d) for module in model.modules())
    assert watch.types == ({torch.float32} if there else set())


def test_every_transposed_convolution_of_every_network_is_the_guarded_one():
    from segtutor.models.upsampling import TransposedConvolution

    with torch.device("meta"):
        for name in models.available():
            for module in models.create(name).modules():
                if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
                    assert isinstance(module, TransposedConvolution), name
