"""The leaderboard as a figure: order, who is unbeaten, what stands at the edge, and that no text lies on another."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor.claims import find, recorded
from segtutor.claims.ranking import ranking, show_ranking, unbeaten


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_best_comes_first_with_the_mean_of_its_seeds():
    rows, results = ranking(), recorded(find("results.leaderboard"))
    assert [mean for _, mean, _, _ in rows] == sorted((mean for _, mean, _, _ in rows), reverse=True)
    assert {name for name, *_ in rows} == set(results.runs)
    name, mean, spread, cost = rows[0]
    seeds = [100 * run["mean_iou"] for run in results.runs[name]]
    assert mean == pytest.approx(np.mean(seeds))
    assert spread == pytest.approx((max(seeds) - min(seeds)) / 2)
    assert cost == results.runs[name][0]["gflops"]


def test_unbeaten_by_hand():
    """c is worse than b at the same cost; d is better than all; e is the cheapest."""
    rows = [("d", 60, 0, 3), ("b", 50, 0, 2), ("c", 49, 0, 2), ("e", 40, 0, 1)]
    assert unbeaten(rows) == {"d", "b", "e"}


def test_every_network_has_its_dots_and_the_field_is_not_stretched():
    figure = show_ranking()
    quality, price = figure.axes
    rows = ranking()
    assert [label.get_text() for label in quality.get_yticklabels()] == [name for name, *_ in rows]
    assert [bar.get_width() for bar in price.patches] == pytest.approx([cost for *_, cost in rows])
    arrows = [line for line in quality.lines if line.get_marker() == "<"]
    low, high = quality.get_xlim()
    assert high - low < 35
    assert len(arrows) == sum(mean < low for _, mean, _, _ in rows)


def test_no_text_on_another():
    figure = show_ranking()
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [text for axis in figure.axes for text in [*axis.texts, axis.xaxis.label]]
    texts += figure.axes[0].get_yticklabels()
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
