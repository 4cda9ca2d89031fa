"""Where the prediction of a pixel looks: a tool of the tests."""

import torch
from torch import nn


def make_linear(network):
    """Turns a network into a positive linear map that keeps its geometry: the mean instead of the largest value, every
    weight of a convolution the same, batch norm the identity. Transposed convolutions stay as they are."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            parent = network.get_submodule(name.rpartition(".")[0])
            pool = nn.AvgPool2d(
                module.kernel_size, module.stride, module.padding, module.ceil_mode, count_include_pad=True
            )
            setattr(parent, name.rpartition(".")[2], pool)
        elif isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network.double().eval()


def center_of_gradient(network, size, pixel):
    """Center of mass of the gradient of one pixel's logit with respect to the image: row and column.

    The image must be so large that the gradient has died out at its border, or the center would be that of the rest.
    """
    image = torch.ones(1, 3, *size, dtype=torch.float64, requires_grad=True)
    network(image)["out"][0, 0, pixel[0], pixel[1]].backward()
    weight = image.grad.abs().sum(dim=(0, 1))
    border = torch.cat([weight[0], weight[-1], weight[:, 0], weight[:, -1]])
    assert weight.sum() > 0
    assert border.sum() < 1e-6 * weight.sum()
    rows, columns = torch.arange(size[0], dtype=torch.float64), torch.arange(size[1], dtype=torch.float64)
    return ((weight.sum(1) @ rows) / weight.sum()).item(), ((weight.sum(0) @ columns) / weight.sum()).item()
