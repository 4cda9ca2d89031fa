"""The classes of a COCO file: the official label set, or one made of someone's own categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from PIL import ImageColor

from segtutor.datasets.coco_json import CocoFile
from segtutor.labels import Color, LabelSet, voc_colors
from segtutor.metrics.arrays import shorten


def label_set_of(
    file: CocoFile, official: LabelSet, ids: Sequence[int], background: bool
) -> tuple[LabelSet, dict[Any, int]]:
    """Label set of a file, and the class number of each category id.

    The official label set where every category of the file has its id and name; for someone's own categories one made
    from the file, with "background" first if ``background``. Categories that share a name, or are called "background"
    too, keep it with their id behind it.

    Raises:
        ValueError: If a category of a panoptic file does not say whether it is a thing, or a color is none.
    """
    known = {category: official.names[number] for number, category in enumerate(ids)}
    if all(known.get(category) == item["name"] for category, item in file.categories.items()):
        return official, {category: number for number, category in enumerate(ids) if category in file.categories}
    first = int(background)
    numbers = {category: number for number, category in enumerate(file.categories, start=first)}
    colors: list[Color] = [(0, 0, 0)] * first
    for drawn, (category, item) in zip(voc_colors(len(numbers) + 1)[1:], file.categories.items(), strict=True):
        name = f"{file.path}: category {item['name']!r} (id {category!r})"
        colors.append(color_of(item.get("color"), name) or drawn)
        if not background and "isthing" not in item:
            raise ValueError(
                f"{name} has no 'isthing'; in a panoptic file each category has 1 there for things that are counted, "
                "or 0 for stuff"
            )
    return (
        LabelSet(
            title=file.path.stem,
            names=(*(["background"] * first), *_different_names(file, background)),
            colors=tuple(colors),
            things=frozenset(numbers[c] for c, item in file.categories.items() if item.get("isthing", 1)),
            ignore_index=max(255, len(numbers) + first),
        ),
        numbers,
    )


def _different_names(file: CocoFile, background: bool) -> list[str]:
    names = {category: item["name"] for category, item in file.categories.items()}
    count = Counter([*names.values(), *(["background"] * background)])
    taken = {name for name in count if count[name] == 1} | ({"background"} if background else set())
    for category, name in names.items():
        if count[name] > 1:
            names[category] = f"{name} ({category})"
            while names[category] in taken:
                names[category] += "'"
            taken.add(names[category])
    return list(names.values())


def color_of(value: Any, name: str) -> Color | None:
    """A color as tools write it: [red, green, blue] with or without alpha, "#7b01ce", "red"; None if there is none.

    Raises:
        ValueError: If it is something else; ``name`` says whose it is.
    """
    if value is None or (isinstance(value, (list, tuple, str)) and not value):
        return None
    channels: Sequence[Any] = ()
    if isinstance(value, str):
        try:
            channels = ImageColor.getrgb(value if not _is_hex(value) else f"#{value}")
        except ValueError:
            channels = ()
    elif isinstance(value, (list, tuple)):
        channels = value
    if len(channels) in (3, 4) and all(type(c) in (int, float) and 0 <= c <= 255 and c == int(c) for c in channels):
        red, green, blue = (int(channel) for channel in channels[:3])
        return red, green, blue
    raise ValueError(
        f"{name} has the color {shorten(value)}; a color is [red, green, blue] in 0...255, or a text such as '#7b01ce'"
    )


def _is_hex(text: str) -> bool:
    return len(text) in (3, 6, 8) and all(letter in "0123456789abcdefABCDEF" for letter in text)
