"""Exercise 11.5: the sizes that an unpadded U-Net takes, and what is cropped off its skips."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson11.unet_sizes_answers import by_trying, with_a_formula, with_convolutions
from segtutor.exercises.lesson11.unet_sizes_mistakes import MISTAKES

STUB = '''
def unet_sizes(least, levels, convolutions):
    """The smallest side of at least `least` that fits, the side of the output, and what each skip is cropped by."""
    raise NotImplementedError("Write unet_sizes() here, then run this cell again.")
'''


def unet_sizes(least: int, levels: int, convolutions: int) -> tuple[int, int, list[int]]:
    """The smallest side of at least `least` that fits, the side of the output, and what each skip is cropped by."""
    deepest, lost = 0, 2 * convolutions
    while True:
        deepest += 1
        before, after = deepest + lost, deepest  # a level's side before it goes down, and after it came up
        crops = []
        for _ in range(levels - 1):
            before, after = 2 * before, 2 * after
            crops.append((before - after) // 2)
            before, after = before + lost, after - lost
        if before >= least and after >= 1:
            return before, after, crops


def _drawn(generator: np.random.Generator) -> tuple[object, ...]:
    """Further inputs for the variants of the course."""
    return int(generator.integers(20, 250)), int(generator.integers(2, 6)), int(generator.integers(1, 4))


EXERCISE = Exercise(
    id="11.5",
    title="What fits into U-Net",
    name="unet_sizes",
    statement="""
A U-Net of square pictures, on `levels` levels. Each level has `convolutions` convolutions of 3 x 3 pixels **without
padding** on its way down, and as many on its way up; the deepest has them once. (The published one has five levels and
two.) Between levels a 2 x 2 pooling halves the map, which must have an even side, and on the way up a 2 x 2 transposed
convolution doubles it. There the map from the way down, as it was before the pooling, joins it, cropped evenly to the
same side. A last 1 x 1 convolution changes no size.

Write `unet_sizes(least, levels, convolutions)`. Return three things:

1. the smallest side of a picture, `least` or more, with which every pooled map has an even side and the output has at
   least one pixel;
2. the side of the output;
3. a list of `levels` − 1 numbers, how many pixels each skip loses on **each** of its four sides, the deepest first.
""",
    stub=STUB,
    reference=unet_sizes,
    drawn=_drawn,
    cases=(
        Case("the published network", (572, 5, 2), (572, 388, [4, 16, 40, 88]), "convolutions"),
        Case("573 is too much", (573, 5, 2), (588, 404, [4, 16, 40, 88]), "even"),
        Case("two levels", (20, 2, 2), (20, 4, [4]), "crops"),
        Case("one convolution each", (10, 2, 1), (10, 2, [2]), "convolutions"),
        Case("nothing is pooled", (9, 1, 2), (9, 5, []), "levels"),
        Case("one pixel is left", (1, 1, 1), (3, 1, []), "output"),
        Case("too small to leave a pixel", (1, 2, 2), (18, 2, [4]), "output"),
        Case("three levels", (100, 3, 2), hint="levels"),
        Case("the smallest of five", (1, 5, 2), hint="output"),
        Case("256 on four levels, three convolutions", (256, 4, 3), hint="even"),
    ),
    hints={
        "general": Hint(
            "Begin at the bottom: any side of the deepest map can be, and from it all others follow, on both ways.",
            "Try the sides 1, 2, 3, ... of the deepest map after its convolutions. A level higher the map before the "
            "pooling was twice what came in below, and the map on the way up is twice what went out; then add, or take "
            "away, what the convolutions cost. Stop at the first picture that is large enough.",
        ),
        "convolutions": Hint(
            "A 3 x 3 convolution without padding takes a pixel from each end of a side: two of them make it 4 shorter.",
            "On every level, on the way down and on the way up, and once at the deepest.",
        ),
        "even": Hint(
            "Each map that is pooled must have an even side; a pooling that drops a row moves everything behind it.",
            "Go to the next larger picture until all sides fit.",
        ),
        "levels": Hint(
            "Between L levels lie L − 1 poolings.", "With one level nothing is pooled and nothing is cropped."
        ),
        "crops": Hint(
            "The skip is the map before the pooling; what it has more than the map on the way up goes off on both "
            "sides alike.",
            "(side of the skip − side of the doubled map) / 2, before the convolutions on the way up.",
        ),
        "order": Hint("The deepest skip comes first, which is cropped least.", "In the order of the way up."),
        "output": Hint(
            "The output must have a pixel at least, and it is what the last convolutions leave.",
            "Pictures whose maps vanish on the way do not fit, even if every pooling does.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(by_trying, with_a_formula, with_convolutions),
    points=3,
    minutes=20,
    difficulty=2,
    seconds=4,
)
