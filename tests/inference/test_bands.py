"""Bands of rows put together are the whole, and with windows no more than a few rows of K maps are held."""

from __future__ import annotations

import pytest
import torch

from segtutor.inference.bands import BAND, finished_rows, mean_bands, resize, window_starts


def network(images):
    """Probabilities that depend on place and picture: of 3 classes."""
    columns = torch.linspace(-1, 1, images.shape[-1]).expand_as(images[:, :1])
    rows = torch.linspace(-1, 1, images.shape[-2])[:, None].expand_as(images[:, :1])
    return torch.cat([images[:, :1] * 3, columns, rows + images[:, 1:2]], dim=1).softmax(dim=1)


def simple(picture, window, overlap, scales, flip):
    """The same mean with everything held at once."""
    height, width = picture.shape[-2:]
    views = []
    for scale in scales:
        view = resize(picture, (round(height * scale), round(width * scale)))
        for mirrored in (False, True) if flip else (False,):
            shown = view.flip(-1) if mirrored else view
            total, count = torch.zeros_like(view), torch.zeros_like(view[:, :1])
            for top in window_starts(view.shape[-2], window[0], overlap):
                for left in window_starts(view.shape[-1], window[1], overlap):
                    part = (..., slice(top, top + window[0]), slice(left, left + window[1]))
                    total[part] += network(shown[part])
                    count[part] += 1
            mean = total / count
            views.append(resize(mean.flip(-1) if mirrored else mean, (height, width)))
    return torch.stack(views).mean(dim=0)[0]


@pytest.mark.parametrize("overlap", [0.0, 1 / 3, 0.9])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0, 1.3)])
@pytest.mark.parametrize("window", [(50, 40), (33, 400), (400, 33), (500, 500)])
def test_bands_put_together_are_the_mean_over_all_windows(overlap, flip, scales, window):
    picture = torch.rand(1, 3, 2 * BAND + 30, 110, generator=torch.Generator().manual_seed(0))
    bands = list(mean_bands(network, picture, window, overlap, scales, flip))
    assert [band.shape[1] for band in bands] == [BAND, BAND, 30]
    torch.testing.assert_close(torch.cat(bands, dim=1), simple(picture, window, overlap, scales, flip))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scales", [(1.0,), (0.4,), (0.5, 1.0, 1.3)])
def test_without_windows_each_view_is_seen_at_once(flip, scales):
    picture = torch.rand(1, 3, 2 * BAND + 30, 110, generator=torch.Generator().manual_seed(0))
    together = torch.cat(list(mean_bands(network, picture, None, 1 / 3, scales, flip)), dim=1)
    torch.testing.assert_close(together, simple(picture, (500, 500), 1 / 3, scales, flip))


def test_a_single_view_is_the_same_to_the_last_bit():
    picture = torch.rand(1, 3, 150, 90, generator=torch.Generator().manual_seed(0))
    together = torch.cat(list(finished_rows(network, picture, (64, 32), 1 / 3)), dim=2)
    assert torch.equal(together[0], simple(picture, (64, 32), 1 / 3, (1.0,), False))
    (whole,) = mean_bands(network, picture, None, 0, (1.0,), False)
    assert torch.equal(whole, network(picture)[0])


def test_windows_bound_what_is_held():
    """The rows that come are finished before the windows below are looked at."""
    picture, asked = torch.rand(1, 3, 1000, 60), []

    def counted(images):
        asked.append(images.shape)
        return network(images)

    rows, reached = mean_bands(counted, picture, (100, 60), 0.0, (1.0, 0.5), True), []
    for _ in rows:
        reached.append(len(asked))
    windows = 2 * (10 + 5)
    assert reached[-1] == windows
    assert reached[0] <= 4  # one row of windows for each of the four views
    assert reached == sorted(reached)
