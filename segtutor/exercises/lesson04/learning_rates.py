"""Exercise 4.10: polynomial decay, for backbone and head."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.learning_rates_mistakes import MISTAKES

STUB = '''
def learning_rates(base, step, steps, power, head_factor, warmup):
    """Learning rates of backbone and head: base (1 - step / steps)^power, less in warm-up; `head_factor` times that."""
    raise NotImplementedError("Write learning_rates() here, then run this cell again.")
'''


def learning_rates(
    base: float, step: int, steps: int, power: float, head_factor: float, warmup: int
) -> tuple[float, float]:
    """Learning rates of backbone and head: base (1 - step / steps)^power, less in warm-up; `head_factor` times that."""
    rate = base * (1 - min(step, steps) / steps) ** power
    if step < warmup:
        rate *= (step + 1) / warmup
    return rate, head_factor * rate


def _with_maximum(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
    left = max(0.0, 1 - step / steps) ** power * min(1.0, (step + 1) / max(warmup, 1))
    return [base * left, base * head_factor * left]


def _with_a_branch(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
    if step >= steps:
        return 0, 0
    rising = (step + 1) / warmup if step < warmup else 1
    return tuple(factor * rising * base * ((steps - step) / steps) ** power for factor in (1, head_factor))


def _with_torch(base, step, steps, power, head_factor, warmup):  # type: ignore[no-untyped-def]
    import torch

    left = torch.tensor(1 - step / steps, dtype=torch.float64).clamp(min=0)
    rising = torch.linspace(0, 1, warmup + 1, dtype=torch.float64)[min(step + 1, warmup)] if warmup else 1.0
    return base * rising * left**power * torch.tensor([1.0, head_factor], dtype=torch.float64)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    steps = int(generator.integers(20, 3000))
    base, power = round(generator.uniform(1, 90), 2), float(generator.choice([0.5, 0.9, 1.0, 1.5, 2.0]))
    warmup = int(generator.choice([0, steps // 4, steps]))
    return base, int(generator.integers(0, steps)), steps, power, round(generator.uniform(0.3, 20), 1), warmup


EXERCISE = Exercise(
    id="4.10",
    title="Learning rates that begin low and end at 0",
    name="learning_rates",
    statement="""
PSPNet is trained with a learning rate that falls in every step, and with ten times as much for the new layers as for
the pretrained backbone:

$$\\mathrm{rate} = \\mathrm{base} \\cdot \\left(1 - \\frac{\\mathrm{step}}{\\mathrm{steps}}\\right)^{\\mathrm{power}}.$$

There is a trap: a loop that goes on for one step more gets a negative number to the power 0.9, and Python quietly makes
it **complex**. From step `steps` on the rate must be 0.

And a pretrained network may lose in the first steps what it knows, because the new head sends back nonsense. Therefore
both rates first **warm up**: in the first `warmup` steps the rate above is multiplied by 1, 2, 3, ... of `warmup`
parts, in the last of them by all. With `warmup` 0 there is none. The fall goes on meanwhile: it counts from the first
step.

Write `learning_rates(base, step, steps, power, head_factor, warmup)`, which returns the rate of the backbone and that
of the head, `head_factor` times as large. `step` counts the steps already taken, so the first one is 0; `power` is
larger than 0. Nothing is rounded.
""",
    stub=STUB,
    reference=learning_rates,
    drawn=_drawn,
    cases=(
        Case("the first step", (0.01, 0, 10, 0.9, 10, 0), (0.01, 0.1)),
        Case("half of it, a straight line", (0.5, 5, 10, 1, 10, 0), (0.25, 2.5)),
        Case("half of it, power 2", (0.5, 5, 10, 2, 10, 0), (0.125, 1.25)),
        Case("three quarters of it, power 0.5, head as the backbone", (0.5, 12, 16, 0.5, 1, 0), (0.25, 0.25)),
        Case("the last step but one, power 0.9", (0.01, 9, 10, 0.9, 10, 0), (0.01 * 0.1**0.9, 0.1 * 0.1**0.9)),
        Case("the end", (0.01, 10, 10, 0.9, 10, 0), (0, 0), "end"),
        Case("one step too many", (0.01, 11, 10, 0.9, 10, 0), (0, 0), "end"),
        Case("ten steps too many, power 2", (0.01, 20, 10, 2, 10, 0), (0, 0), "end"),
        Case("a base of 50, to see more digits", (50.0, 333, 1000, 0.9, 3, 0)),
        Case("the last step but one, power 1.5, the same base", (50.0, 999, 1000, 1.5, 200, 0)),
        Case("early in a long run", (2.0, 3, 5000, 0.9, 10, 0)),
        Case("a base of 0.7, a third of the way", (0.7, 333, 1000, 0.9, 1.3, 0)),
        Case("a run of one step", (8.0, 0, 1, 3, 0.5, 0), (8.0, 4.0)),
        Case("a head slower than the backbone", (90.0, 1, 7, 0.25, 0.1, 0)),
        Case("PSPNet on VOC, step 12 345 of 30 000", (0.01, 12345, 30000, 0.9, 10, 0)),
        Case("a head at 20 times the rate", (0.002, 7, 9, 0.9, 20, 0)),
        Case("the first of four warm-up steps", (0.8, 0, 10, 1, 10, 4), (0.2, 2.0), "warm-up"),
        Case("the third of four, power 1", (0.8, 2, 10, 1, 10, 4), (0.48, 4.8), "warm-up"),
        Case("the last of four", (0.8, 3, 10, 1, 0.5, 4), (0.56, 0.28), "warm-up"),
        Case("behind the warm-up", (0.8, 4, 10, 1, 10, 4), (0.48, 4.8), "warm-up"),
        Case("a warm-up of one step changes nothing", (0.8, 0, 10, 1, 10, 1), (0.8, 8.0), "warm-up"),
        Case("in a long warm-up, power 0.9", (50.0, 333, 1000, 0.9, 3, 500), hint="warm-up"),
        Case("a warm-up longer than the run", (50.0, 30, 40, 2, 3, 90), hint="warm-up"),
        Case("behind the end, still warming up", (50.0, 41, 40, 0.9, 3, 90), (0, 0), "end"),
    ),
    hints={
        "general": Hint(
            "The part of the run that is left, to the power, times the base rate; during warm-up times a share.",
            "Limit the step to `steps` first: then the base of the power runs from 1 to 0 and never below. The share "
            "of the warm-up belongs to the rate before the head's is made of it, and only while there is a warm-up.",
        ),
        "end": Hint(
            "From step `steps` on, both rates are exactly 0: not negative or complex, not rising again, no small rest.",
            "Limit the step to steps before you subtract; the power comes last.",
        ),
        "power": Hint(
            "The power is an argument, and belongs to what is left of the run, 1 - step / steps, and to nothing else.",
            "base * (1 - step / steps) ** power.",
        ),
        "steps": Hint(
            "The first step has number 0 and gets the full rate, and step / steps is a fraction.",
            "step / steps: without + 1 or - 1, and not //.",
        ),
        "head": Hint(
            "The head learns `head_factor` times as fast as the backbone, at every step; the backbone learns at the "
            "rate itself.",
            "return rate, head_factor * rate.",
        ),
        "left": Hint(
            "What counts is the part of the run that is *left*: 1 at the first step, 0 at the end.",
            "1 - step / steps.",
        ),
        "warm-up": Hint(
            "During warm-up both rates are multiplied by a share that grows by the same amount in every step: it "
            "begins with one part of `warmup`, is 1 in step warmup - 1, and stays 1. The fall is counted from step 0 "
            "all the while.",
            "The share is (step + 1) / warmup as long as step < warmup.",
        ),
        "exact": Hint("A rate has as many digits as it needs, small or large.", "No round(...), no limit from below."),
        "results": Hint(
            "There are two rates: first the backbone's, then the head's.", "return rate, head_factor * rate."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_maximum, _with_a_branch, _with_torch),
    points=3,
    minutes=15,
    difficulty=1,
    tolerance=1e-6,
)
