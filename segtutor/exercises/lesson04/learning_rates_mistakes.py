"""Typical wrong answers to exercise 4.10, learning rates that end at 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segtutor.exercises.exercise import Mistake


def _rates(  # type: ignore[no-untyped-def]
    base, step, steps, power, head_factor, *, left=lambda step, steps: max(0.0, 1 - step / steps), floor=0.0
):
    """The rates with the switches of the mistakes; as it stands, the right ones."""
    rate = max(base * left(step, steps) ** power, floor)
    return rate, head_factor * rate


def _not_limited(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate = base * np.float64(1 - step / steps) ** power  # NaN, where Python's own numbers give a complex one
    return rate, head_factor * rate


def _one_minus_power(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate = base * (1 - (min(step, steps) / steps) ** power)
    return rate, head_factor * rate


def _power_of_all(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate = (base * max(0.0, 1 - step / steps)) ** power
    return rate, head_factor * rate


def _head(combine):  # type: ignore[no-untyped-def]
    def wrong(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
        rate, _ = _rates(base, step, steps, power, head_factor)
        return combine(rate, head_factor)

    return wrong


def _plain(rate, head_factor):  # type: ignore[no-untyped-def]
    return rate, head_factor * rate


def _complex(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate = base * complex(1 - step / steps) ** power if step > steps else base * (1 - step / steps) ** power
    return rate, head_factor * rate


def _after_the_end(base, step, steps, power, head_factor, *, rate):  # type: ignore[no-untyped-def]
    if step < steps:
        return _rates(base, step, steps, power, head_factor)
    return _plain(rate(base, power), head_factor)


def _head_goes_on(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate, _ = _rates(base, step, steps, power, head_factor)
    return rate, head_factor * base * abs(1 - step / steps) ** power


def _power_for_the_backbone(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate, _ = _rates(base, step, steps, power, head_factor)
    return rate, head_factor * base * max(0.0, 1 - step / steps)


def _power_for_the_head(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    rate, _ = _rates(base, step, steps, power, head_factor)
    return rate, (head_factor * base * max(0.0, 1 - step / steps)) ** power


def _warmed_by_itself(base, step, steps, power, head_factor, *, share):  # type: ignore[no-untyped-def]
    rate, _ = _rates(base, step, steps, power, head_factor)
    return _plain(rate * min(1.0, (step + 1) / max(share * steps, 1)), head_factor)


def _with_warm_up(wrong):  # type: ignore[no-untyped-def]
    """An answer that knows no warm-up, with a right one around it."""

    def answer(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
        found = wrong(base, step, steps, power, head_factor)
        share = (step + 1) / warmup if step < warmup else 1.0
        return tuple(share * one for one in found) if isinstance(found, tuple) else share * found

    return answer


def _share(share):  # type: ignore[no-untyped-def]
    """The right rates, with another share during warm-up."""

    def wrong(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
        rate, _ = _rates(base, step, steps, power, head_factor)
        return _plain(rate * share(step, warmup, steps), head_factor)

    return wrong


def _fall_after_the_warm_up(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
    if step < warmup:
        return _plain(base * (step + 1) / warmup * (step < steps), head_factor)
    left = max(0.0, 1 - (step - warmup) / max(steps - warmup, 1)) if step < steps else 0.0
    return _plain(base * left**power, head_factor)


def _one_of_them(head):  # type: ignore[no-untyped-def]
    def wrong(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
        rate, of_head = _rates(base, step, steps, power, head_factor)
        share = (step + 1) / warmup if step < warmup else 1.0
        return (rate, share * of_head) if head else (share * rate, of_head)

    return wrong


def _constant_meanwhile(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
    """In warm-up the base rate rises, and the fall begins where it would have been."""
    if step < min(warmup, steps):
        return _plain(base * (step + 1) / warmup, head_factor)
    return _rates(base, step, steps, power, head_factor)


_WITHOUT_WARM_UP = (
    Mistake("not limited", _not_limited, "end"),
    Mistake("absolute value", lambda *a: _rates(*a, left=lambda s, n: abs(1 - s / n)), "end"),
    Mistake("a floor", lambda *a: _rates(*a, floor=1e-4), "end"),
    Mistake("begins again", lambda *a: _rates(*a, left=lambda s, n: 1 - s % n / n), "end"),
    Mistake("power ignored", lambda b, s, n, p, h: _rates(b, s, n, 1, h), "power"),
    Mistake("power always 0.9", lambda b, s, n, p, h: _rates(b, s, n, 0.9, h), "power"),
    Mistake("power of the part that is over", _one_minus_power, "power"),
    Mistake("power of the base rate, too", _power_of_all, "power"),
    Mistake("counted from 1", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - (s + 1) / n)), "steps"),
    Mistake("steps - 1", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - s / (n - 1))), "steps"),
    Mistake("whole division", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - s // n)), "steps"),
    Mistake("same rate", _head(lambda rate, factor: (rate, rate)), "head"),
    Mistake("slow backbone", _head(lambda rate, factor: (rate / factor, rate)), "head"),
    Mistake("factor 10 always", _head(lambda rate, factor: (rate, 10 * rate)), "head"),
    Mistake("exchanged", _head(lambda rate, factor: (factor * rate, rate)), "head"),
    Mistake("real part", lambda *a: tuple(one.real for one in _complex(*a)), "end"),
    Mistake("size of the complex number", lambda *a: tuple(abs(one) for one in _complex(*a)), "end"),
    Mistake("base rate after the end", lambda *a: _after_the_end(*a, rate=lambda base, power: base), "end"),
    Mistake("minus the base rate after the end", lambda *a: _after_the_end(*a, rate=lambda base, power: -base), "end"),
    Mistake("a hundredth after the end", lambda *a: _after_the_end(*a, rate=lambda base, power: base / 100), "end"),
    Mistake("not a number after the end", lambda *a: _after_the_end(*a, rate=lambda base, power: np.nan), "end"),
    Mistake("limited to steps - 1", lambda *a: _rates(*a, left=lambda s, n: 1 - min(s, n - 1) / n), "end"),
    Mistake("a floor of 1e-6", lambda *a: _rates(*a, floor=1e-6), "end"),
    Mistake("a floor of 1e-8", lambda *a: _rates(*a, floor=1e-8), "end"),
    Mistake("a floor of 1e-3", lambda *a: _rates(*a, floor=1e-3), "end"),
    Mistake("at least a part in a million", lambda *a: _rates(*a, left=lambda s, n: max(1 - s / n, 1e-6)), "end"),
    Mistake("at least a part in a thousand", lambda *a: _rates(*a, left=lambda s, n: max(1 - s / n, 1e-3)), "end"),
    Mistake("the head goes on", _head_goes_on, "end"),
    Mistake(
        "the backbone ends alone", lambda *a: (_rates(*a)[0], a[4] * _after_the_end(*a, rate=lambda b, p: b)[0]), "end"
    ),
    Mistake("power ignored for the head", _power_for_the_backbone, "power"),
    Mistake("power for the head and its factor", _power_for_the_head, "power"),
    Mistake("multiplied by the power", lambda b, s, n, p, h: _plain(b * max(0.0, 1 - s / n) * p, h), "power"),
    Mistake("divided by the power", lambda b, s, n, p, h: _plain(b * max(0.0, 1 - s / n) / p, h), "power"),
    Mistake("1 / power", lambda b, s, n, p, h: _rates(b, s, n, 1 / p, h), "power"),
    Mistake("power always 2", lambda b, s, n, p, h: _rates(b, s, n, 2, h), "power"),
    Mistake("power less one", lambda b, s, n, p, h: _rates(b, s, n, max(p - 1, 0.1), h), "power"),
    Mistake("power a little off", lambda b, s, n, p, h: _rates(b, s, n, p + 0.006, h), "power"),
    Mistake("power of the steps", lambda b, s, n, p, h: _plain(b * max(0.0, 1 - s**p / n), h), "power"),
    Mistake("power of both steps", lambda b, s, n, p, h: _plain(b * max(0.0, 1 - s**p / n**p), h), "power"),
    Mistake("base to the power", lambda b, s, n, p, h: _plain(b**p * max(0.0, 1 - s / n), h), "power"),
    Mistake("base to the power, too", lambda b, s, n, p, h: _plain((b * max(0.0, 1 - s / n)) ** p, h), "power"),
    Mistake("exponential", lambda b, s, n, p, h: _plain(b * np.exp(-p * s / n) * (s < n), h), "left"),
    Mistake("exponential of the power", lambda b, s, n, p, h: _plain(b * p ** (s / n) * (s < n), h), "left"),
    Mistake("half every tenth", lambda b, s, n, p, h: _plain(b * 0.5 ** (10 * s // n) * (s < n), h), "left"),
    Mistake("cosine", lambda b, s, n, p, h: _plain(b * (1 + np.cos(np.pi * min(s / n, 1))) / 2, h), "left"),
    Mistake("part that is over", lambda *a: _rates(*a, left=lambda s, n: min(s / n, 1)), "left"),
    Mistake("part that is over, 0 at the end", lambda *a: _rates(*a, left=lambda s, n: s / n * (s < n)), "left"),
    Mistake("steps over step", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - n / s) if s else 1.0), "left"),
    Mistake("1 / (1 + step)", lambda *a: _rates(*a, left=lambda s, n: (s < n) / (1 + s)), "left"),
    Mistake("steps left, not their part", lambda *a: _rates(*a, left=lambda s, n: max(0, n - s)), "left"),
    Mistake(
        "counted from 1, as part", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - max(s - 1, 0) / n)), "steps"
    ),
    Mistake("steps + 1", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - s / (n + 1))), "steps"),
    Mistake("steps + 1, 0 at the end", lambda *a: _rates(*a, left=lambda s, n: (1 - s / (n + 1)) * (s < n)), "steps"),
    Mistake("steps - 1, at least 1", lambda *a: _rates(*a, left=lambda s, n: max(0.0, 1 - s / max(n - 1, 1))), "steps"),
    Mistake("factor added", _head(lambda rate, factor: (rate, rate + factor)), "head"),
    Mistake("divided by the factor", _head(lambda rate, factor: (rate, rate / factor)), "head"),
    Mistake("factor for both", _head(lambda rate, factor: (factor * rate, factor * rate)), "head"),
    Mistake("factor squared", _head(lambda rate, factor: (rate, factor * factor * rate)), "head"),
    Mistake("constant head", lambda b, s, n, p, h: (_rates(b, s, n, p, h)[0], h * b), "head"),
    Mistake("the factor alone", _head(lambda rate, factor: (rate, factor)), "head"),
    Mistake("backbone alone", _head(lambda rate, factor: rate), "results"),
    Mistake("head alone", _head(lambda rate, factor: factor * rate), "results"),
    Mistake("sum of both", _head(lambda rate, factor: rate + factor * rate), "results"),
    Mistake("three digits", lambda *a: tuple(round(one, 3) for one in _rates(*a)), "exact"),
    Mistake("four digits", lambda *a: tuple(round(one, 4) for one in _rates(*a)), "exact"),
    Mistake("five digits", lambda *a: tuple(round(one, 5) for one in _rates(*a)), "exact"),
    Mistake(
        "part rounded to two digits", lambda *a: _rates(*a, left=lambda s, n: round(max(0.0, 1 - s / n), 2)), "exact"
    ),
    Mistake("half precision", lambda *a: tuple(float(np.float16(one)) for one in _rates(*a)), "exact"),
    Mistake("warm-up of a tenth", lambda *a: _warmed_by_itself(*a, share=0.1), "left"),
    Mistake("warm-up of a hundredth", lambda *a: _warmed_by_itself(*a, share=0.01), "left"),
    Mistake("a tenth every third", lambda b, s, n, p, h: _plain(b * 0.1 ** (3 * s // n) * (s < n), h), "left"),
    Mistake("in percent", lambda *a: _rates(*a, left=lambda s, n: max(100 - 100 * s / n, 0)), "left"),
    Mistake(
        "head with the base added",
        lambda b, s, n, p, h: (_rates(b, s, n, p, h)[0], _rates(b, s, n, p, h)[0] + (h - 1) * b),
        "head",
    ),
)

MISTAKES = (
    *(replace(one, answer=_with_warm_up(one.answer)) for one in _WITHOUT_WARM_UP),
    Mistake("no warm-up", _share(lambda step, warmup, steps: 1.0), "warm-up"),
    Mistake("divided by no warm-up", _share(lambda s, w, n: min((s + 1) / w, 1.0)), "warm-up"),
    Mistake("begins at 0", _share(lambda s, w, n: s / w if s < w else 1.0), "warm-up"),
    Mistake("parts of warmup + 1", _share(lambda s, w, n: (s + 1) / (w + 1) if s < w else 1.0), "warm-up"),
    Mistake("one step longer", _share(lambda s, w, n: (s + 1) / (w + 1) if s <= w else 1.0), "warm-up"),
    Mistake("rises on and on", _share(lambda s, w, n: (s + 1) / w if w else 1.0), "warm-up"),
    Mistake("shrinks", _share(lambda s, w, n: 1 - s / w if s < w else 1.0), "warm-up"),
    Mistake("share of the steps", _share(lambda s, w, n: (s + 1) / n if s < w else 1.0), "warm-up"),
    Mistake("one part all the time", _share(lambda s, w, n: 1 / w if s < w else 1.0), "warm-up"),
    Mistake("nothing during warm-up", _share(lambda s, w, n: float(s >= w)), "warm-up"),
    Mistake("squared", _share(lambda s, w, n: ((s + 1) / w) ** 2 if s < w else 1.0), "warm-up"),
    Mistake("falls after the warm-up", _fall_after_the_warm_up, "warm-up"),
    Mistake("no fall during warm-up", _constant_meanwhile, "warm-up"),
    Mistake("the head alone warms up", _one_of_them(head=True), "warm-up"),
    Mistake("the backbone alone warms up", _one_of_them(head=False), "warm-up"),
)
