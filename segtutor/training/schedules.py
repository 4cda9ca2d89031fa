"""The learning rate as a pure function of the step: linear warm-up, then polynomial decay (DeepLab v2 §4.1)."""

from __future__ import annotations


def polynomial(step: int, steps: int, power: float = 0.9, warmup_steps: int = 0) -> float:
    """Factor, 0 to 1, by which the base learning rate is multiplied in a step.

    ``(1 - step / steps) ** power`` per iteration, not per epoch. During the first ``warmup_steps`` steps the factor is
    also multiplied by a ramp that reaches 1 at the end of the warm-up. The step is clamped to ``0 ... steps``: past the
    end, ``1 - step / steps`` is negative, and Python's ``**`` would quietly return a complex number.

    Args:
        step: Steps already taken, so that the first step of a run has number 0.
        steps: Steps of the whole run, at least 1.
        power: Exponent; 1 is a straight line, 0 a constant rate.
        warmup_steps: Length of the ramp, 0 for none.

    Returns:
        A real number; 0 at ``step >= steps`` unless ``power`` is 0.

    Raises:
        ValueError: If ``steps`` is below 1, or ``warmup_steps`` or ``power`` is negative.

    >>> [round(0.01 * polynomial(step, 10), 6) for step in (0, 1, 9, 10, 11)]
    [0.01, 0.009095, 0.001259, 0.0, 0.0]
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}, but a run has at least 1")
    if warmup_steps < 0 or power < 0:
        raise ValueError(f"warmup_steps ({warmup_steps}) and power ({power}) must not be negative")
    step = min(max(step, 0), steps)
    ramp = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    return ramp * (1 - step / steps) ** power
