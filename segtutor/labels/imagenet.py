"""The 1,000 classes of ImageNet's challenge, by name; torchvision carries the list with its weights.

They are no `LabelSet`: a classifier names whole pictures, and there are no colors for so many.
"""

from __future__ import annotations

import difflib
from functools import cache


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Names of the classes; the place in the list is the number.

    >>> imagenet_classes()[285], len(imagenet_classes())
    ('Egyptian cat', 1000)
    """
    from torchvision.models import MobileNet_V2_Weights

    return tuple(MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"])


def imagenet_class(name: str) -> int:
    """Number of a class. Small and capital letters matter only where two names differ in nothing else.

    Raises:
        ValueError: If there is none of this name, or two ("Cardigan" is a dog, "cardigan" a jacket).

    >>> imagenet_class("espresso")
    967
    """
    names = [known.lower() for known in imagenet_classes()]
    if name in imagenet_classes():
        return imagenet_classes().index(name)
    numbers = [number for number, known in enumerate(names) if known == name.lower()]
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        raise ValueError(f"ImageNet has {len(numbers)} classes {name!r}: give one of the numbers {numbers} instead")
    near = difflib.get_close_matches(name.lower(), names, n=3)
    hint = f"; did you mean {' or '.join(repr(imagenet_classes()[names.index(one)]) for one in near)}?" if near else ""
    raise ValueError(f"ImageNet has no class {name!r}{hint or '; labels.imagenet_classes() lists all 1,000'}")
