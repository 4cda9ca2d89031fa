"""Typical wrong answers to exercise 4.4, from strides to dilation."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _stages(  # type: ignore[no-untyped-def]
    strides, output_stride, too_large=lambda total, own, wanted: total * own > wanted, grow=lambda rate, own: rate * own
):
    """The stages with the switches of the mistakes; as it stands, the right ones."""
    kept, rates, total, rate = [], [], 1, 1
    for own in strides:
        if too_large(total, own, output_stride):
            rate, own = grow(rate, own), 1
        total *= own
        kept.append(own)
        rates.append(rate)
    return kept, rates


def _rate_only_where_removed(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    removed = [new != old for new, old in zip(kept, strides, strict=True)]
    return kept, [rate if gone else 1 for rate, gone in zip(rates, removed, strict=True)]


def _late(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    return kept, [1, *rates[:-1]]


def _strides_kept(strides, output_stride):  # type: ignore[no-untyped-def]
    return list(strides), _stages(strides, output_stride)[1]


def _rates_of_kept_strides(strides, output_stride):  # type: ignore[no-untyped-def]
    """Rates grow with every stride, also with those that stay."""
    return _stages(strides, output_stride)[0], np.cumprod(strides)


def _every_stage_after(strides, output_stride):  # type: ignore[no-untyped-def]
    """Every stage after the cut doubles the rate, whether it had a stride or not."""
    kept, rates, total, rate = [], [], 1, 1
    for own in strides:
        if total >= output_stride and (rate > 1 or total * own > output_stride):
            rate, own = 2 * rate, 1
        total *= own
        kept.append(own)
        rates.append(rate)
    return kept, rates


def _strides_from_the_end(strides, output_stride):  # type: ignore[no-untyped-def]
    """The first strides are removed instead of the last ones."""
    kept, rates = _stages(list(strides)[::-1], output_stride)
    return kept[::-1], rates[::-1]


def _in_part(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates, total, rate = [], [], 1, 1
    for own in strides:
        keep = max(min(own, output_stride // total), 1)
        rate *= own // keep
        total *= keep
        kept.append(keep)
        rates.append(rate)
    return kept, rates


def _limited_to_the_rest(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, _ = _in_part(strides, output_stride)
    return kept, _stages(strides, output_stride)[1]


def _sum_of_strides(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates, total, rate = [], [], 0, 1
    for own in strides:
        total += own
        if total > output_stride:
            rate, own = rate * own, 1
        kept.append(own)
        rates.append(rate)
    return kept, rates


def _from_the_second(strides, output_stride):  # type: ignore[no-untyped-def]
    """The first stage always keeps its stride and does not count."""
    kept, rates = _stages(strides[1:], output_stride)
    return [strides[0], *kept], [1, *rates]


def _last_rate_for_all(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    return kept, [rates[-1] if rate > 1 else 1 for rate in rates]


def _whole_factor(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    factor = max(int(np.prod(strides)) // output_stride, 1)
    return kept, [factor if rate > 1 else 1 for rate in rates]


def _own_alone(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, _ = _stages(strides, output_stride)
    return kept, [old // new for old, new in zip(strides, kept, strict=True)]


def _ends_at_ones(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates, total, rate = [], [], 1, 1
    for own in strides:
        if total * own > output_stride:
            rate, own = rate * own, 1
        else:
            rate = 1
        total *= own
        kept.append(own)
        rates.append(rate)
    return kept, rates


def _written_into_the_strides(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    for number, stride in enumerate(kept):
        strides[number] = stride
    return strides, rates


def _removed_to_0(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates = _stages(strides, output_stride)
    return [new if new == old else 0 for new, old in zip(kept, strides, strict=True)], rates


def _stages_exchanged(strides, output_stride):  # type: ignore[no-untyped-def]
    """What goes beyond keeps its stride, and what fits is dilated."""
    kept, rates, rate = [], [], 1
    for old, new in zip(strides, _stages(strides, output_stride)[0], strict=True):
        rate *= new
        kept.append(old // new)
        rates.append(rate)
    return kept, rates


def _from_the_ratio(strides, output_stride):  # type: ignore[no-untyped-def]
    return _stages(strides, output_stride)[0], np.maximum(np.cumprod(strides) // output_stride, 1)


def _budget(strides, output_stride):  # type: ignore[no-untyped-def]
    kept, rates, left, rate = [], [], output_stride, 1
    for own in strides:
        if own < left:
            left //= own
        else:
            rate, own = rate * own, 1
        kept.append(own)
        rates.append(rate)
    return kept, rates


MISTAKES = (
    Mistake("cut at equality", lambda s, o: _stages(s, o, lambda t, own, w: t * own >= w and own > 1), "limit"),
    Mistake("cut too late", lambda s, o: _stages(s, o, lambda t, own, w: t > w), "limit"),
    Mistake("rate always 2", lambda s, o: _stages(s, o, grow=lambda r, own: 2), "product"),
    Mistake("rate doubles", lambda s, o: _stages(s, o, grow=lambda r, own: 2 * r), "product"),
    Mistake("rate plus the stride", lambda s, o: _stages(s, o, grow=lambda r, own: r + own - (r == 1)), "product"),
    Mistake("rate plus one", lambda s, o: _stages(s, o, grow=lambda r, own: r + 1), "product"),
    Mistake("rate of the stage before", _late, "own"),
    Mistake("only where a stride went", _rate_only_where_removed, "carried"),
    Mistake("every later stage doubles", _every_stage_after, "carried"),
    Mistake("strides kept", _strides_kept, "removed"),
    Mistake("rates from all strides", _rates_of_kept_strides, "removed"),
    Mistake("first strides removed", _strides_from_the_end, "end"),
    Mistake("exchanged", lambda s, o: _stages(s, o)[::-1], "results"),
    Mistake("product before the stage reached", lambda s, o: _stages(s, o, lambda t, own, w: t >= w), "beyond"),
    Mistake("stride removed in part", _in_part, "beyond"),
    Mistake("limited to the rest", _limited_to_the_rest, "beyond"),
    Mistake("one stride too many stays", lambda s, o: _stages(s, o, lambda t, own, w: t * own > 2 * w), "limit"),
    Mistake("half the limit", lambda s, o: _stages(s, o, lambda t, own, w: 2 * t * own > w and own > 1), "limit"),
    Mistake("own stride against the limit", lambda s, o: _stages(s, o, lambda t, own, w: own > w), "limit"),
    Mistake("sum of the strides", _sum_of_strides, "limit"),
    Mistake("number of stages", lambda s, o: _stages(s, o, lambda t, own, w: t > 1 and own > 1), "limit"),
    Mistake("all strides removed", lambda s, o: _stages(s, o, lambda t, own, w: True), "limit"),
    Mistake("no stride removed", lambda s, o: (list(s), [1] * len(s)), "limit"),
    Mistake("the stem counts from 1", lambda s, o: _from_the_second(s, o), "limit"),
    Mistake("own stride as rate", lambda s, o: _stages(s, o, grow=lambda r, own: own), "product"),
    Mistake(
        "own stride as rate, no stride kept", lambda s, o: _stages(s, o, grow=lambda r, own: max(own, r)), "product"
    ),
    Mistake("rates added", lambda s, o: _stages(s, o, grow=lambda r, own: r + own), "product"),
    Mistake("rate squared", lambda s, o: _stages(s, o, grow=lambda r, own: (r * own) ** 2), "product"),
    Mistake("last rate for all dilated", _last_rate_for_all, "product"),
    Mistake("whole factor for all", lambda s, o: _whole_factor(s, o), "product"),
    Mistake("all rates 1", lambda s, o: (_stages(s, o)[0], [1] * len(s)), "own"),
    Mistake("rate of the own stride alone", lambda s, o: _own_alone(s, o), "carried"),
    Mistake("first block's rate", lambda s, o: _late(s, o), "own"),
    Mistake("rate ends at a stage without stride", lambda s, o: _ends_at_ones(s, o), "carried"),
    Mistake("stride and rate exchanged", lambda s, o: _stages_exchanged(s, o), "removed"),
    Mistake(
        "rate is the new product",
        lambda s, o: (_stages(s, o)[0], np.cumprod(_stages(s, o)[0])),
        "removed",
    ),
    Mistake("removed stride 0", _removed_to_0, "removed"),
    Mistake("written into the strides", _written_into_the_strides, "copy"),
    Mistake("pairs", lambda s, o: list(zip(*_stages(s, o), strict=True)), "results"),
    Mistake("rates alone", lambda s, o: _stages(s, o)[1], "results"),
    Mistake("strides alone", lambda s, o: _stages(s, o)[0], "results"),
    Mistake("one list after the other", lambda s, o: [*_stages(s, o)[0], *_stages(s, o)[1]], "results"),
    Mistake("last stage first", lambda s, o: tuple(one[::-1] for one in _stages(s, o)), "results"),
    Mistake("last rate alone", lambda s, o: (_stages(s, o)[0], _stages(s, o)[1][-1]), "results"),
    Mistake(
        "rates cumulated",
        lambda s, o: (_stages(s, o)[0], list(np.cumprod(_stages(s, o)[1]))),
        "product",
    ),
    Mistake(
        "strides cumulated",
        lambda s, o: (list(np.cumprod(_stages(s, o)[0])), _stages(s, o)[1]),
        "removed",
    ),
    Mistake("rate from the ratio", _from_the_ratio, "product"),
    Mistake("a dictionary", lambda s, o: dict(zip(("strides", "rates"), _stages(s, o), strict=True)), "results"),
    Mistake(
        "rate of the stage after", lambda s, o: (_stages(s, o)[0], [*_stages(s, o)[1][1:], _stages(s, o)[1][-1]]), "own"
    ),
    Mistake("budget not reached", _budget, "limit"),
    Mistake("rate at most 2", lambda s, o: (_stages(s, o)[0], np.minimum(_stages(s, o)[1], 2)), "product"),
    Mistake("rate at most 4", lambda s, o: (_stages(s, o)[0], np.minimum(_stages(s, o)[1], 4)), "product"),
)
