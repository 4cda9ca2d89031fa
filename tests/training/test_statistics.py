"""Batch norm's statistics anew: by hand, exact sums, and a network that is otherwise left as it was."""

import copy

import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.models.inputs import Preprocessing
from segtutor.training import reestimate_statistics


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.preprocessing = Preprocessing(mean=(0.0,) * 3, std=(1.0,) * 3)
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images):
        return self.norm(self.dropout(images))


def pictures(count=5):
    return torch.rand((count, 3, 4, 6), generator=torch.Generator().manual_seed(0))


def test_one_batch_by_hand_and_dropout_stays_off():
    model, images = Norm().train(), pictures()
    assert reestimate_statistics(model, images, batch_size=8) == 1
    torch.testing.assert_close(model.norm.running_mean, images.mean((0, 2, 3)))
    torch.testing.assert_close(model.norm.running_var, images.var((0, 2, 3)))
    assert model.dropout.training


def test_batches_weigh_by_their_pictures():
    model, images = Norm().eval(), pictures(5)
    reestimate_statistics(model, images, batch_size=2)  # 3 and 2
    torch.testing.assert_close(model.norm.running_mean, images.mean((0, 2, 3)))
    variance = (3 * images[:3].var((0, 2, 3)) + 2 * images[3:].var((0, 2, 3))) / 5
    torch.testing.assert_close(model.norm.running_var, variance)
    assert not model.norm.training


def test_no_weight_mode_or_momentum_changes_and_labels_are_not_needed():
    model = models.create("fcn8s_tiny", num_classes=33).eval()
    model.dropout_of_a_test = nn.Dropout().train()
    before, modes = copy.deepcopy(dict(model.named_parameters())), [one.training for one in model.modules()]
    momenta = [one.momentum for one in model.modules() if isinstance(one, nn.BatchNorm2d)]
    scenes = Scenes("train", size=(64, 64), count=4)
    count = reestimate_statistics(model, scenes)
    assert count == len(momenta) > 5
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())
    assert [one.training for one in model.modules()] == modes
    assert [one.momentum for one in model.modules() if isinstance(one, nn.BatchNorm2d)] == momenta
    other = models.create("fcn8s_tiny", num_classes=33).eval()
    other.load_state_dict(model.state_dict())
    reestimate_statistics(other, [scenes[index][0] for index in range(4)])
    for name, value in model.named_buffers():
        if value.is_floating_point():  # how many batches there were is counted on
            torch.testing.assert_close(value, dict(other.named_buffers())[name])


def test_the_old_statistics_do_not_matter_and_an_error_leaves_them():
    one, other, images = Norm(), Norm(), pictures()
    other.norm.running_mean.fill_(9.0)
    for model in (one, other):
        reestimate_statistics(model, images)
    torch.testing.assert_close(one.norm.running_mean, other.norm.running_mean)
    with pytest.raises(ValueError, match="0-1"):
        reestimate_statistics(other, [images[0], images[1], 5 + images[2], images[3]], batch_size=2)
    torch.testing.assert_close(one.norm.running_mean, other.norm.running_mean)
    assert other.norm.momentum == 0.1


def test_bad_input():
    with pytest.raises(ValueError, match="no batch norm"):
        reestimate_statistics(nn.Conv2d(3, 2, 1), pictures())
    with pytest.raises(ValueError, match="1 pictures"):
        reestimate_statistics(Norm(), pictures(1))
    with pytest.raises(ValueError, match="batch_size is 1"):
        reestimate_statistics(Norm(), pictures(), batch_size=1)
    with pytest.raises(ValueError, match="one size"):
        reestimate_statistics(Norm(), [torch.zeros(3, 4, 4), torch.zeros(3, 4, 5)])
