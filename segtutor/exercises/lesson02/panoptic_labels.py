"""Exercise 2.3: a panoptic PNG and its JSON as a label map."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def panoptic_labels(colors, segments, void=255):
    """Class of every pixel: segment id = R + 256 G + 256^2 B, its class in `segments`; void where no segment is."""
    raise NotImplementedError("Write panoptic_labels() here, then run this cell again.")
'''


def panoptic_labels(colors: np.ndarray, segments: list[dict[str, Any]], void: int = 255) -> np.ndarray:
    """Class of every pixel: segment id = R + 256 G + 256^2 B, its class in `segments`; void where no segment is."""
    red, green, blue = np.moveaxis(colors.astype(np.int64), 2, 0)
    ids = red + 256 * green + 256**2 * blue
    labels = np.full(ids.shape, void)
    for segment in segments:
        labels[ids == segment["id"]] = segment["category_id"]
    return labels


def _ids(colors, factors=(1, 256, 65536)):  # type: ignore[no-untyped-def]
    return (colors.astype(np.int64) * np.array(factors)).sum(axis=2)


def _look_up(ids, segments, void, default=None):  # type: ignore[no-untyped-def]
    class_of = {one["id"]: one["category_id"] for one in segments}
    other = void if default is None else default
    return np.vectorize(lambda number: class_of.get(int(number), other), otypes=[int])(ids)


def _dictionary(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors), segments, void)


def _encoded_back(colors, segments, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(colors.shape[:2], void)
    for one in segments:
        color = [one["id"] % 256, one["id"] // 256 % 256, one["id"] // 65536]
        labels[(colors == color).all(axis=2)] = one["category_id"]
    return labels


def _with_torch(colors, segments, void=255):  # type: ignore[no-untyped-def]
    import torch

    ids = (torch.from_numpy(colors).long() * torch.tensor([1, 256, 65536])).sum(2)
    labels = torch.full_like(ids, void)
    for one in segments:
        labels[ids == one["id"]] = one["category_id"]
    return labels


def _overflowing(colors, segments, void=255):  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"):
        ids = colors[..., 0] + colors[..., 1] * 16 * 16 + colors[..., 2] * 16
    return _look_up(ids, segments, void)


def _wrapped(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors) % 256, segments, void)


def _in_turn(colors, segments, void=255):  # type: ignore[no-untyped-def]
    labels = _ids(colors)
    for one in segments:
        labels[labels == one["id"]] = one["category_id"]
    return np.where(_ids(colors) == 0, void, labels)


def _only_things(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors), [one for one in segments if one["isthing"]], void)


def _without_crowds(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors), [one for one in segments if not one["iscrowd"]], void)


def _numbered(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors), [one | {"category_id": k} for k, one in enumerate(segments)], void)


def _in_turn_rest_void(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return np.where(np.isin(_ids(colors), [one["id"] for one in segments]), _in_turn(colors, segments, void), void)


def _ids_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(colors, segments, void=255):  # type: ignore[no-untyped-def]
        with np.errstate(all="ignore"):
            factors = np.array([1, 256, 65536]).astype(dtype)
            red, green, blue = np.moveaxis(colors.astype(dtype) * factors, 2, 0)
            ids = red + green + blue
        return _look_up(np.nan_to_num(ids, posinf=-1), segments, void)

    return wrong


def _strict(colors, segments, void=255):  # type: ignore[no-untyped-def]
    class_of = {one["id"]: one["category_id"] for one in segments} | {0: void}
    return np.array([[class_of[number] for number in row] for row in _ids(colors).tolist()])


def _unlisted_kept(colors, segments, void=255):  # type: ignore[no-untyped-def]
    ids = _ids(colors)
    known = np.isin(ids, [0, *(one["id"] for one in segments)])
    return np.where(known, panoptic_labels(colors, segments, void), ids)


def _falsy(colors, segments, void=255):  # type: ignore[no-untyped-def]
    return _look_up(_ids(colors), [one for one in segments if one["category_id"]], void)


def _colors(ids: list[list[int]]) -> np.ndarray:
    numbers = np.array(ids)
    return np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], axis=2).astype(np.uint8)


def _segment(number: int, category: int, thing: int = 1, crowd: int = 0) -> dict[str, int]:
    return {"id": number, "category_id": category, "isthing": thing, "iscrowd": crowd}


def _random_case(seed: int) -> tuple[np.ndarray, list[dict[str, int]], int]:
    generator = seeded(seed)
    ids = generator.integers(1, 1 << 24, 12)
    segments = [
        _segment(int(number), int(generator.integers(1, 200)), int(k % 3 > 0), int(k == 4))
        for k, number in enumerate(ids)
    ]
    return _colors(np.append(ids, 0)[generator.integers(13, size=(11, 17))].tolist()), segments, 255


EXERCISE = Exercise(
    id="2.3",
    title="Read a panoptic PNG",
    name="panoptic_labels",
    statement=r"""
COCO's panoptic masks are RGB PNGs. The color of a pixel is the id of its segment,

$$\mathrm{id} = R + 256\,G + 256^2 B,$$

and a list of dictionaries in the JSON says for each `id` its class, `category_id`. Id 0 is void.

Write `panoptic_labels(colors, segments, void)`: `colors` is H x W x 3 `uint8`, the result H x W holds the
`category_id` of every pixel, and `void` where no listed segment is. Things, stuff and crowds all count.
""",
    stub=STUB,
    reference=panoptic_labels,
    cases=(
        Case(
            "two segments with small ids",
            (_colors([[7, 7, 9]]), [_segment(7, 1), _segment(9, 2)], 255),
            np.array([[1, 1, 2]]),
        ),
        Case("random ids of 24 bits", _random_case(0)),
        Case("other random ids", _random_case(1)),
        Case(
            "id 3 + 256 * 2",
            (_colors([[515, 3]]), [_segment(515, 17), _segment(3, 44)], 255),
            np.array([[17, 44]]),
            "overflow",
        ),
        Case(
            "ids 65536, 256 and 1",
            (_colors([[1, 256], [65536, 256]]), [_segment(65536, 5), _segment(256, 6), _segment(1, 7)], 255),
            np.array([[7, 6], [5, 6]]),
            "order",
        ),
        Case("id 0", (_colors([[0, 4]]), [_segment(4, 62)], 255), np.array([[255, 62]]), "void"),
        Case("void is 0 here", (_colors([[0, 4]]), [_segment(4, 62)], 0), np.array([[0, 62]]), "void"),
        Case(
            "a class number that is also an id",
            (_colors([[1, 2, 3]]), [_segment(1, 2), _segment(2, 3), _segment(3, 1)], 255),
            np.array([[2, 3, 1]]),
            "in turn",
        ),
        Case(
            "two segments of a class, stuff, and a crowd",
            (
                _colors([[10, 20], [30, 40]]),
                [_segment(10, 1), _segment(20, 1), _segment(30, 184, 0), _segment(40, 1, 1, 1)],
                255,
            ),
            np.array([[1, 1], [184, 1]]),
            "all segments",
        ),
        Case(
            "ids that are not listed",
            (_colors([[4, 5], [70000, 256]]), [_segment(4, 62)], 255),
            np.array([[62, 255], [255, 255]]),
            "unlisted",
        ),
        Case(
            "ids 65536 and 65535",
            (_colors([[65536, 65535]]), [_segment(65536, 8), _segment(65535, 9)], 255),
            np.array([[8, 9]]),
            "blue",
        ),
        Case(
            "ids 255, 510 and 4097",
            (_colors([[255, 510, 4097, 4096]]), [_segment(510, 3), _segment(255, 2), _segment(4097, 4)], 255),
            np.array([[2, 3, 4, 255]]),
            "overflow",
        ),
        Case(
            "classes 0 and 300",
            (_colors([[1, 2, 3]]), [_segment(1, 300), _segment(2, 0)], 65535),
            np.array([[300, 0, 65535]]),
            "classes",
        ),
    ),
    hints={
        "general": Hint(
            "First the ids, one number per pixel; then for each listed segment, write its category_id where its id is.",
            "256 does not fit into uint8, so widen the type before you multiply. Begin with a map that is void "
            "everywhere and go through the segments, one after the other.",
        ),
        "overflow": Hint(
            "Look at ids above 255: bytes cannot hold 256. 256 times green wraps around to 0, or NumPy raises an "
            "OverflowError.",
            "colors.astype(np.int64) before you multiply.",
        ),
        "order": Hint(
            "Look at the factors of the channels: red counts 1, green 256, blue 65536.",
            "ids = R + 256 * G + 256 ** 2 * B with R = colors[..., 0].",
        ),
        "blue": Hint(
            "Look at ids above 65,535: blue counts 256² = 65,536, and 16 bits do not hold that.",
            "colors.astype(np.int64); ids = R + 256 * G + 65536 * B.",
        ),
        "void": Hint(
            "Look at pixels of id 0: they are void, and which number that is, is an argument.",
            "Start from np.full(ids.shape, void).",
        ),
        "in turn": Hint(
            "Look at class numbers that are also ids: one that was just written must not be taken for an id later.",
            "Read from `ids` and write to another array.",
        ),
        "all segments": Hint(
            "Look at which segments count: all that are listed, stuff and crowds as well.",
            "Loop over all of `segments`, without a condition on isthing or iscrowd.",
        ),
        "unlisted": Hint(
            "Look at ids that are not in the list: their pixels are void. They are neither an error nor a class.",
            "Start from np.full(ids.shape, void), and write only where a listed segment is.",
        ),
        "classes": Hint(
            "Look at classes 0 and 300: 0 is a class like any other, and 300 does not fit into uint8.",
            "class_of.get(id, void), not: class_of.get(id) or void; and no small dtype.",
        ),
        "category": Hint(
            "The class is what stands under category_id: neither the segment's id nor its place in the list.",
            "segment['category_id'].",
        ),
    },
    mistakes=(
        Mistake("uint8 arithmetic", _overflowing, "overflow"),
        Mistake(
            "uint8 times 256",
            lambda c, s, v=255: _look_up(c[..., 0] + 256 * c[..., 1] + 65536 * c[..., 2], s, v),
            "overflow",
        ),
        Mistake("only red", lambda c, s, v=255: _look_up(c[..., 0], s, v), "overflow"),
        Mistake("BGR", lambda c, s, v=255: _look_up(_ids(c, (65536, 256, 1)), s, v), "order"),
        Mistake("factor 255", lambda c, s, v=255: _look_up(_ids(c, (1, 255, 255**2)), s, v), "order"),
        Mistake("void always 255", lambda c, s, v=255: _look_up(_ids(c), s, 255), "void"),
        Mistake("void is 0", lambda c, s, v=255: _look_up(_ids(c), s, 0, 0), "void"),
        Mistake("overwritten in place", _in_turn, "in turn"),
        Mistake("overwritten in place, the rest void", _in_turn_rest_void, "in turn"),
        Mistake("ids in 16 bits", _ids_in(np.int16), "blue"),
        Mistake("ids in unsigned 16 bits", _ids_in(np.uint16), "blue"),
        Mistake("ids in half precision", _ids_in(np.float16), "overflow"),
        Mistake("red and green only", lambda c, s, v=255: _look_up(_ids(c, (1, 256, 0)), s, v), "blue"),
        Mistake("blue by 512", lambda c, s, v=255: _look_up(_ids(c, (1, 256, 512)), s, v), "blue"),
        Mistake("green and blue exchanged", lambda c, s, v=255: _look_up(_ids(c, (1, 65536, 256)), s, v), "order"),
        Mistake("sum of the channels", lambda c, s, v=255: _look_up(_ids(c, (1, 1, 1)), s, v), "order"),
        Mistake("unlisted ids raise", _strict, "unlisted"),
        Mistake("unlisted ids kept", _unlisted_kept, "unlisted"),
        Mistake("first segment only", lambda c, s, v=255: _look_up(_ids(c), s[:1], v), "all segments"),
        Mistake("last segment only", lambda c, s, v=255: _look_up(_ids(c), s[-1:], v), "all segments"),
        Mistake("class 0 is void", _falsy, "classes"),
        Mistake("labels in 8 bits", lambda c, s, v=255: panoptic_labels(c, s, v).astype(np.uint8), "classes"),
        Mistake("void 0 is 255", lambda c, s, v=255: panoptic_labels(c, s, v or 255), "void"),
        Mistake(
            "only stuff",
            lambda c, s, v=255: _look_up(_ids(c), [one for one in s if not one["isthing"]], v),
            "all segments",
        ),
        Mistake("counted from 1", lambda c, s, v=255: _numbered(c, [s[0], *s], v), "category"),
        Mistake("only things", _only_things, "all segments"),
        Mistake("without crowds", _without_crowds, "all segments"),
        Mistake(
            "classes from 0",
            lambda c, s, v=255: _look_up(_ids(c), [x | {"category_id": x["category_id"] - 1} for x in s], v),
            "category",
        ),
        Mistake(
            "ids numbered",
            lambda c, s, v=255: np.unique(_ids(c), return_inverse=True)[1].reshape(c.shape[:2]),
            "category",
        ),
        Mistake("ids returned", lambda c, s, v=255: np.where(_ids(c) == 0, v, _ids(c)), "category"),
        Mistake("place in the list", _numbered, "category"),
    ),
    alternatives=(_dictionary, _encoded_back, _with_torch),
    points=3,
    minutes=20,
    difficulty=2,
)
