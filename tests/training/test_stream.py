from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from segtutor.training.stream import SampleStream, batches, seeded


class Numbered:
    """Picture i is filled with i; label maps hold the column, so that a mirror image shows."""

    def __init__(self, count=5, size=(4, 6), noisy=False):
        self.count, self.size, self.noisy = count, size, noisy

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = torch.full((3, *self.size), index, dtype=torch.uint8)
        if self.noisy:
            image[0, 0, 0] = int(torch.randint(256, ()))
            image[1, 0, 0] = random.randrange(256)
            image[2, 0, 0] = np.random.randint(256)  # noqa: NPY002 (what users write)
        return image, torch.arange(self.size[1]).expand(self.size)


def stream(dataset, seed=0, flip=False, crop=None):
    return SampleStream(dataset, seed, flip, crop, 255, (0.4, 0.5, 0.6))


def test_each_epoch_visits_each_sample_once_in_another_order():
    samples = stream(Numbered(20))
    epochs = [[samples.index_at(epoch * 20 + i) for i in range(20)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs[0] == [stream(Numbered(20)).index_at(i) for i in range(20)]
    assert epochs[0] != [stream(Numbered(20), seed=1).index_at(i) for i in range(20)]


def test_every_batch_is_full_even_if_the_set_is_odd():
    sizes = [len(images) for images, _ in batches(stream(Numbered(5)), 4, range(6))]
    assert sizes == [4] * 6


def test_neither_workers_nor_the_first_step_change_a_batch():
    samples = stream(Numbered(7, noisy=True), flip=True, crop=(3, 3))
    alone = list(batches(samples, 2, range(6)))
    helped = list(batches(samples, 2, range(6), num_workers=2))
    resumed = list(batches(stream(Numbered(7, noisy=True), flip=True, crop=(3, 3)), 2, range(3, 6)))
    for one, other in [*zip(alone, helped, strict=True), *zip(alone[3:], resumed, strict=True)]:
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    assert len(torch.unique(torch.cat([images[:, :, 0, 0] for images, _ in alone]))) > 7  # the noise is not constant


def test_processes_share_each_batch_without_overlap():
    samples = stream(Numbered(12))
    whole = [images[:, 0, 0, 0].tolist() for images, _ in batches(samples, 6, range(4))]
    parts = [
        [images[:, 0, 0, 0].tolist() for images, _ in batches(samples, 6, range(4), rank=rank, world_size=3)]
        for rank in range(3)
    ]
    assert whole == [a + b + c for a, b, c in zip(*parts, strict=True)]


def test_half_of_the_samples_are_mirrored_image_and_labels_alike():
    class Matching(Numbered):
        def __getitem__(self, index):
            labels = super().__getitem__(index)[1]
            return labels.expand(3, *self.size).to(torch.uint8), labels

    samples = [stream(Matching(), flip=True)[i] for i in range(200)]
    mirrored = [bool(labels[0, 0] == 5) for _, labels in samples]
    assert 70 < sum(mirrored) < 130
    assert all(torch.equal(image[0].long(), labels) for image, labels in samples)


def test_crops_stay_inside_and_padding_is_mean_color_and_void():
    assert stream(Numbered(size=(9, 8)), crop=(4, 5))[0][1].max() <= 7
    lefts = {int(stream(Numbered(size=(9, 8)), crop=(4, 5))[i][1][0, 0]) for i in range(60)}
    assert lefts == {0, 1, 2, 3}
    image, labels = stream(Numbered(1, size=(2, 6)), crop=(4, 4))[0]
    assert image.shape == (3, 4, 4)
    assert torch.equal(labels[2:], torch.full((2, 4), 255))
    assert image[:, 3, 0].tolist() == [102, 127, 153]


def test_pictures_of_several_sizes_need_a_crop():
    class Mixed(Numbered):
        def __getitem__(self, index):
            self.size = (4 + index, 6)
            return super().__getitem__(index)

    with pytest.raises(ValueError, match="set crop"):
        next(iter(batches(stream(Mixed()), 2, range(1))))
    images, _ = next(iter(batches(stream(Mixed(), crop=(3, 3)), 4, range(1))))
    assert images.shape == (4, 3, 3, 3)


def test_seeding_leaves_the_callers_generators_alone():
    for generators in (torch.random, random, np.random):
        state = generators.getstate if generators is random else generators.get_rng_state if (
            generators is torch.random) else generators.get_state  # fmt: skip
        before = str(state())
        with seeded(3, 1):
            first = (torch.rand(()).item(), random.random(), np.random.rand())  # noqa: NPY002
        with seeded(3, 1):
            assert first == (torch.rand(()).item(), random.random(), np.random.rand())  # noqa: NPY002
        assert str(state()) == before


def test_an_empty_set_is_refused():
    with pytest.raises(ValueError, match="empty"):
        stream(Numbered(0))
