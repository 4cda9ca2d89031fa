"""Exercise 10.1: a prompt of points and a box becomes tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson10.inputs import prompt
from segtutor.exercises.lesson10.prompt_tokens_mistakes import MISTAKES

STUB = '''
def prompt_tokens(points, labels, box, size, frequencies, kinds, no_point):
    """Tokens of N points and, if `box` is not None, of its two corners; without a box one token that says so."""
    raise NotImplementedError("Write prompt_tokens() here, then run this cell again.")
'''


def prompt_tokens(
    points: np.ndarray,
    labels: np.ndarray,
    box: np.ndarray | None,
    size: tuple[int, int],
    frequencies: np.ndarray,
    kinds: np.ndarray,
    no_point: np.ndarray,
) -> np.ndarray:
    """Tokens of N points and, if `box` is not None, of its two corners; without a box one token that says so."""
    height, width = size
    corners = np.zeros((0, 2)) if box is None else np.reshape(box, (2, 2))
    places = (np.concatenate([points, corners]) + 0.5) / [width, height]
    angles = 2 * np.pi * (2 * places - 1) @ frequencies
    codes = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    tokens = codes + kinds[[*labels, *[2, 3][: len(corners)]]]
    return tokens if box is not None else np.concatenate([tokens, no_point[None]])


def _point_by_point(points, labels, box, size, frequencies, kinds, no_point):  # type: ignore[no-untyped-def]
    height, width = size
    asked = [(x, y, label) for (x, y), label in zip(points, labels, strict=True)]
    if box is not None:
        asked += [(box[0], box[1], 2), (box[2], box[3], 3)]
    tokens = []
    for x, y, kind in asked:
        u, v = (2 * x + 1) / width - 1, (2 * y + 1) / height - 1
        angle = 2 * np.pi * (u * frequencies[0] + v * frequencies[1])
        tokens.append(np.hstack([np.sin(angle), np.cos(angle)]) + kinds[kind])
    return np.array(tokens if box is not None else [*tokens, no_point])


def _with_torch(points, labels, box, size, frequencies, kinds, no_point):  # type: ignore[no-untyped-def]
    import torch

    places = torch.as_tensor(points, dtype=torch.float64)
    numbers = torch.as_tensor(labels, dtype=torch.int64)
    if box is not None:
        places = torch.cat([places, torch.as_tensor(box, dtype=torch.float64).view(2, 2)])
        numbers = torch.cat([numbers, torch.tensor([2, 3])])
    places = (places + 0.5) / torch.tensor([size[1], size[0]])
    angles = (4 * torch.pi * places - 2 * torch.pi) @ torch.as_tensor(frequencies)
    tokens = torch.cat([angles.sin(), angles.cos()], dim=1) + torch.as_tensor(kinds)[numbers]
    return tokens if box is not None else torch.cat([tokens, torch.as_tensor(no_point)[None]])


def _with_complex_numbers(points, labels, box, size, frequencies, kinds, no_point):  # type: ignore[no-untyped-def]
    rows, numbers = [*points], [*labels]
    if box is not None:
        rows, numbers = [*rows, box[:2], box[2:]], [*numbers, 2, 3]
    turns = [(2 * (np.asarray(row) + 0.5) / (size[1], size[0]) - 1) @ frequencies for row in rows]
    waves = np.exp(2j * np.pi * np.array(turns))
    tokens = np.hstack([waves.imag, waves.real]) + np.stack([kinds[number] for number in numbers])
    return tokens if box is not None else np.vstack([tokens, no_point])


# One direction to the right and one down, so that angles can be worked out by hand; kinds that tell themselves.
_BY_HAND = {"frequencies": np.array([[0.25, 0.0], [0.0, 0.25]]), "no_point": np.full(4, 9.0)}
_KINDS = np.array([[0.0] * 4, [10.0] * 4, [20.0] * 4, [30.0] * 4])


def _given(points: Any, labels: Any, box: Any, size: tuple[int, int]) -> tuple[Any, ...]:
    corners = None if box is None else np.array(box)
    points = np.array(points, dtype=int).reshape(-1, 2)
    return points, np.array(labels, dtype=int), corners, size, _BY_HAND["frequencies"], _KINDS, _BY_HAND["no_point"]


_ROOT = np.sqrt(0.5)
EXERCISE = Exercise(
    id="10.1",
    title="A click becomes numbers",
    name="prompt_tokens",
    statement="""
Write `prompt_tokens(points, labels, box, size, frequencies, kinds, no_point)`, SAM's prompt encoder for points and
boxes. `points` are N x 2, each (x, y) in whole pixels, and `labels` are N numbers, 1 for *this* and 0 for *not this*.
`box` is None or x0, y0, x1, y1. `size` is the picture's (height, width). There is at least one point or a box.

1. A point means the *middle* of its pixel: add one half to x and y, then divide by width and height. Corners of a box
   are treated in the same way.
2. Map these from 0 ... 1 to −1 ... 1. The angles are 2π times the product with `frequencies`, which is 2 x E / 2: the
   first row belongs to x, the second to y. The code has E numbers, all sines and then all cosines.
3. To each code add the row of `kinds`, 4 x E, that belongs to its kind: 0 *not this*, 1 *this*, 2 upper left corner,
   3 lower right corner.
4. If there is **no** box, one more token follows behind the points, which is `no_point` and has no code of a place.

Return the tokens, points first: (N + 1) x E without a box, (N + 2) x E with one.
""",
    stub=STUB,
    reference=prompt_tokens,
    cases=(
        # size 2 x 2, pixel (0, 0): 0.25 -> -0.5; angle 2π · -0.5 / 4 = -π / 4
        Case(
            "a click into the upper left pixel of 2 x 2",
            _given([[0, 0]], [1], None, (2, 2)),
            np.array([[10 - _ROOT, 10 - _ROOT, 10 + _ROOT, 10 + _ROOT], [9.0] * 4]),
        ),
        # size 1 x 3, pixel (1, 0) is the middle: angle 0
        Case(
            "the middle of 1 x 3, not this",
            _given([[1, 0]], [0], None, (1, 3)),
            np.array([[0.0, 0.0, 1.0, 1.0], [9.0] * 4]),
        ),
        # size 1 x 2, x: pixel 1 -> 0.75 -> 0.5 -> π / 4, y: 0
        Case(
            "the right one of two pixels",
            _given([[1, 0]], [1], None, (1, 2)),
            np.array([[10 + _ROOT, 10.0, 10 + _ROOT, 11.0], [9.0] * 4]),
            "order",
        ),
        Case(
            "a box and no point",
            _given([], [], [0, 0, 1, 0], (1, 2)),
            np.array([[20 - _ROOT, 20.0, 20 + _ROOT, 21.0], [30 + _ROOT, 30.0, 30 + _ROOT, 31.0]]),
            "box",
        ),
        Case("one click", prompt(0, 1, False, (96, 128))),
        Case("five clicks", prompt(1, 5, False, (40, 30))),
        Case("a box alone", prompt(2, 0, True, (64, 48)), hint="box"),
        Case("three clicks and a box", prompt(3, 3, True, (50, 70)), hint="box"),
        Case("a picture of 1,024 x 1,024", prompt(4, 2, False, (1024, 1024), channels=8)),
    ),
    hints={
        "general": Hint(
            "Everything is a place and a kind: points bring both, a box is two places of kinds 2 and 3.",
            "Put the points and the two corners under each other, and their kinds, too. Then one formula makes all "
            "codes, and picking rows of `kinds` by number makes what is added.",
        ),
        "order": Hint(
            "Points are (x, y), sizes are (height, width): x belongs to the width.",
            "Divide by [width, height], and let the first row of `frequencies` meet x.",
        ),
        "half": Hint(
            "A pixel is a square, and the click means its middle.",
            "Add one half to x and y before you divide; to the corners of a box as well.",
        ),
        "range": Hint(
            "The places run from −1 to 1 before they meet the frequencies, and a whole turn is 2π.",
            "Twice the place less 1, times 2π, times the frequencies.",
        ),
        "sines": Hint("The order within a code is all sines, then all cosines.", "Two halves, one after the other."),
        "padding": Hint(
            "Without a box one token more follows, and it is `no_point` alone; with a box there is none.",
            "Append it after the codes and the kinds are done, and only where box is None.",
        ),
        "kinds": Hint(
            "Each code gets the row of `kinds` of its own kind: 0 not this, 1 this.",
            "The label is the number of the row.",
        ),
        "box": Hint(
            "A box is two points of two *different* kinds, 2 and then 3, behind the other points.",
            "(x0, y0) of kind 2, (x1, y1) of kind 3, encoded as any point.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_point_by_point, _with_torch, _with_complex_numbers),
    points=4,
    minutes=20,
    difficulty=2,
)  # fmt: skip
