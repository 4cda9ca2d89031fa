"""The figures of claims show every variant once, with the numbers of the results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor import claims
from segtutor.claims import Card, Claim, Results
from segtutor.claims.claim import Measure, percent
from segtutor.claims.networks import NETWORKS


def _claim(variants: dict[str, list[dict]], *measures: Measure) -> Card:
    claim = Claim("x.y", "T", "S", "P", "n", "c", "s", dict.fromkeys(variants), measures, ())
    return Card(claim, Results("x.y", variants, (0, 1, 2)))


def test_the_leaderboard_names_each_network_once_and_no_name_covers_another():
    ax = claims.show_leaderboard()
    ax.figure.canvas.draw()
    texts = [text for text in ax.texts if text.get_text()]
    assert [text.get_text().split(":")[0] for text in texts] == [row.name for row in NETWORKS]
    boxes = [text.get_window_extent() for text in texts]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number]), texts[number]
        assert ax.bbox.x0 <= box.x0, texts[number]
        assert box.x1 <= ax.bbox.x1, texts[number]
    plt.close(ax.figure)


def test_a_network_below_the_axis_stands_at_its_edge_with_its_number():
    ax = claims.show_leaderboard(lowest=38)
    assert ax.get_ylim()[0] == 38
    mean = claims.recorded(claims.find("results.leaderboard")).mean_and_spread("FCN-32s", "mean_iou")[0]
    assert f"FCN-32s: {100 * mean:.1f} %, below" in [text.get_text() for text in ax.texts]
    plt.close(ax.figure)


def test_a_table_as_a_heat_map():
    card = _claim({"a": [{"p": 0.5, "q": 1.0}] * 3, "b": [{"p": 0.75, "q": 0.6}] * 3}, percent("p", "near"),
                  percent("q", "far away"))  # fmt: skip
    ax = claims.show_table(card, 50, 100)
    assert ax.images[0].get_array().tolist() == [[50, 100], [75, 60]]
    assert [text.get_text() for text in ax.texts] == ["50.0", "100.0", "75.0", "60.0"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["near", "far away"]
    plt.close(ax.figure)


def test_a_measure_that_not_all_variants_have_is_left_out_of_the_heat_map():
    card = _claim({"a": [{"p": 0.5, "q": float("nan")}] * 3, "b": [{"p": 0.75, "q": 0.6}] * 3}, percent("p", "near"),
                  percent("q", "far"))  # fmt: skip
    ax = claims.show_table(card, 50, 100)
    assert ax.images[0].get_array().tolist() == [[50], [75]]
    plt.close(ax.figure)
    ax = claims.show_table(card, 50, 100, keys=["q", "p"])
    assert ax.images[0].get_array()[1].tolist() == [60, 75]
    plt.close(ax.figure)


def test_gaps_are_differences_of_runs_with_one_seed():
    def run(first: float, last: float) -> dict:
        return {"mean_iou": last, "curve": [[10, first], [30, last]], "losses": [[10, 2.0], [30, 1.0]]}

    runs = {
        "base": [run(0.1, 0.3), run(0.2, 0.4), run(0.3, 0.5)],
        "net": [run(0.0, 0.35), run(0.1, 0.45), run(0.2, 0.55)],
    }
    card = _claim(runs, percent("mean_iou", "mean IoU"))
    figure = claims.show_gaps(card, "base")
    line = figure.axes[0].containers[0].lines[0]
    assert np.allclose(line.get_ydata(), [-10, 5])
    assert np.allclose(line.get_xdata(), [10, 30])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["base", "net"]
    plt.close(figure)
    for one in runs["net"]:  # scored less often, it ends earlier
        one["curve"], one["losses"] = one["curve"][:1], one["losses"][:1]
    figure = claims.show_gaps(card, "base")
    assert np.allclose(figure.axes[0].containers[0].lines[0].get_ydata(), [-10])
    plt.close(figure)
    runs["third"], runs["its base"] = runs["base"], [run(0.0, 0.1), run(0.1, 0.2), run(0.2, 0.3)]
    figure = claims.show_gaps(card, {"net": "base", "third": "its base"})
    gaps = [bars.lines[0].get_ydata() for bars in figure.axes[0].containers]
    assert np.allclose(gaps[0], [-10])
    assert np.allclose(gaps[1], [10, 20])
    assert [len(line.get_xdata()) for line in figure.axes[1].lines] == [1, 1, 2, 2]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["net, against base", "third, against its base"]
    plt.close(figure)
    with pytest.raises(ValueError, match=r"has base, net, third, its base, and deeplab.steps"):
        claims.show_gaps(card, "other")
    with pytest.raises(ValueError, match="must be scored at several lengths"):
        claims.show_gaps("deeplab.decoder", "no decoder")
