"""What a part of DeepLab costs in operations, what it gains at equal stride, and what else they could have bought."""

from __future__ import annotations

from dataclasses import dataclass

from segtutor.claims.claim import Claim
from segtutor.claims.experiments.deeplab.v2 import OUTPUT_STRIDE, PYRAMID
from segtutor.claims.experiments.deeplab.v3 import BATCH_NORM, CASCADED, IMAGE_POOLING, MULTI_GRID
from segtutor.claims.experiments.deeplab.v3plus import DECODER, SEPARABLE
from segtutor.claims.experiments.leaderboard import LEADERBOARD
from segtutor.claims.results import Results, recorded
from segtutor.tables import render


@dataclass(frozen=True)
class Comparison:
    """A network with a part and without it.

    Attributes:
        part: What it is called in the table.
        claim: The claim whose card compares the two, at equal stride.
        without: That claim's variant without the part.
        with_it: The one with it.
        instead: A row of the leaderboard that has about as many operations as the latter. None where the part costs
            none: at equal stride, such a comparison is at equal operations, too.
    """

    part: str
    claim: Claim
    without: str
    with_it: str
    instead: str | None


COMPARISONS = (
    Comparison("stride 8, not 16", OUTPUT_STRIDE, "stride 16", "stride 8", "DeepLab v3+, stride 16"),
    Comparison("stride 4, not 8", OUTPUT_STRIDE, "stride 8", "stride 4", "backbone alone, stride 4"),
    Comparison("pyramid", CASCADED, "block4", "parallel", "DeepLab v3+, stride 16"),
    Comparison("several rates, not one", PYRAMID, "rates 2, 2, 2", "rates 2, 4, 6", None),
    Comparison("image pooling", IMAGE_POOLING, "without", "with", None),
    Comparison("batch norm in the pyramid", BATCH_NORM, "without", "with", None),
    Comparison("one more block", CASCADED, "block4", "block5", "DeepLab v3+, stride 8"),
    Comparison("two more blocks", CASCADED, "block4", "block6", "DeepLab v3+, stride 8"),
    Comparison("multi-grid", MULTI_GRID, "1, 1", "1, 2", None),
    Comparison("decoder", DECODER, "no decoder", "48 channels", "backbone alone"),
    Comparison("separable convolutions", SEPARABLE, "full", "separable", "DeepLab v3, stride 16"),
)
_TITLES = ("part", "operations, billions", "gain at equal stride", "for as many operations", "gain over that")


def spent_table(format: str = "markdown") -> str:
    """Every comparison at equal stride and at equal operations, in points of mean IoU, from the recorded results.

    Args:
        format: "markdown" or "html".
    """
    return render(_TITLES, [_row(one) for one in COMPARISONS], format)


def _row(one: Comparison) -> list[str]:
    results, board = recorded(one.claim), recorded(LEADERBOARD)
    before, after = (_mean(results, variant, "gflops") for variant in (one.without, one.with_it))
    score = _mean(results, one.with_it, "mean_iou")
    gain = over = score - _mean(results, one.without, "mean_iou")
    instead = "the same comparison"
    if one.instead is not None:
        over = score - _mean(board, one.instead, "mean_iou")
        instead = f"{one.instead} ({_mean(board, one.instead, 'gflops'):.2f})"
    return [one.part, f"{before:.2f} → {after:.2f}", _points(gain), instead, _points(over)]


def _mean(results: Results, variant: str, key: str) -> float:
    return results.mean_and_spread(variant, key)[0]


def _points(gain: float) -> str:
    return f"{100 * gain:+.1f}".replace("-", "−")
