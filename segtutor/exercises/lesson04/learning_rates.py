"""Exercise 4.10: polynomial decay, for backbone and head."""

from __future__ import annotations

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.learning_rates_mistakes import MISTAKES

STUB = '''
def learning_rates(base, step, steps, power, head_factor):
    """Learning rates of backbone and head in a step: base (1 - step / steps)^power, and `head_factor` times as much."""
    raise NotImplementedError("Write learning_rates() here, then run this cell again.")
'''


def learning_rates(base: float, step: int, steps: int, power: float, head_factor: float) -> tuple[float, float]:
    """Learning rates of backbone and head in a step: base (1 - step / steps)^power, and `head_factor` times as much."""
    rate = base * (1 - min(step, steps) / steps) ** power
    return rate, head_factor * rate


def _with_maximum(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    left = max(0.0, 1 - step / steps)
    return [base * left**power, base * head_factor * left**power]


def _with_a_branch(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    if step >= steps:
        return 0, 0
    return tuple(factor * base * ((steps - step) / steps) ** power for factor in (1, head_factor))


def _with_torch(base, step, steps, power, head_factor):  # type: ignore[no-untyped-def]
    import torch

    left = torch.tensor(1 - step / steps, dtype=torch.float64).clamp(min=0)
    return base * left**power * torch.tensor([1.0, head_factor], dtype=torch.float64)


EXERCISE = Exercise(
    id="4.10",
    title="Learning rates that end at 0",
    name="learning_rates",
    statement="""
PSPNet is trained with a learning rate that falls in every step, and with ten times as much for the new layers as for
the pretrained backbone:

$$\\mathrm{rate} = \\mathrm{base} \\cdot \\left(1 - \\frac{\\mathrm{step}}{\\mathrm{steps}}\\right)^{\\mathrm{power}}.$$

There is a trap: a loop that goes on for one step more gets a negative number to the power 0.9, and Python quietly makes
it **complex**. From step `steps` on the rate must be 0.

Write `learning_rates(base, step, steps, power, head_factor)`, which returns the rate of the backbone and that of the
head, `head_factor` times as large. `step` counts the steps already taken, so the first one is 0; `power` is larger than
0. Nothing is rounded.
""",
    stub=STUB,
    reference=learning_rates,
    cases=(
        Case("the first step", (0.01, 0, 10, 0.9, 10), (0.01, 0.1)),
        Case("half of it, a straight line", (0.5, 5, 10, 1, 10), (0.25, 2.5)),
        Case("half of it, power 2", (0.5, 5, 10, 2, 10), (0.125, 1.25)),
        Case("three quarters of it, power 0.5, head as the backbone", (0.5, 12, 16, 0.5, 1), (0.25, 0.25)),
        Case("the last step but one, power 0.9", (0.01, 9, 10, 0.9, 10), (0.01 * 0.1**0.9, 0.1 * 0.1**0.9)),
        Case("the end", (0.01, 10, 10, 0.9, 10), (0, 0), "end"),
        Case("one step too many", (0.01, 11, 10, 0.9, 10), (0, 0), "end"),
        Case("ten steps too many, power 2", (0.01, 20, 10, 2, 10), (0, 0), "end"),
        Case("a base of 50, to see more digits", (50.0, 333, 1000, 0.9, 3)),
        Case("the last step but one, power 1.5, the same base", (50.0, 999, 1000, 1.5, 200)),
        Case("early in a long run", (2.0, 3, 5000, 0.9, 10)),
        Case("a base of 0.7, a third of the way", (0.7, 333, 1000, 0.9, 1.3)),
        Case("a run of one step", (8.0, 0, 1, 3, 0.5), (8.0, 4.0)),
        Case("a head slower than the backbone", (90.0, 1, 7, 0.25, 0.1)),
        Case("PSPNet on VOC, step 12 345 of 30 000", (0.01, 12345, 30000, 0.9, 10)),
        Case("a head at 20 times the rate", (0.002, 7, 9, 0.9, 20)),
    ),
    hints={
        "general": Hint(
            "The part of the run that is left, to the power, times the base rate. Limit the step to `steps` first.",
            "With a limited step, the base of the power runs from 1 at the first step to 0 and never below. One rate "
            "is computed, the other is a multiple of it.",
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
        "exact": Hint("A rate has as many digits as it needs, small or large.", "No round(...), no limit from below."),
        "results": Hint(
            "There are two rates: first the backbone's, then the head's.", "return rate, head_factor * rate."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_maximum, _with_a_branch, _with_torch),
    points=2,
    minutes=8,
    difficulty=1,
    tolerance=1e-6,
)
