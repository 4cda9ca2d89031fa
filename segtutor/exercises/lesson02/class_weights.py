"""Exercise 2.6: class weights by median frequency."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map, random_label_maps

STUB = '''
def median_frequency_weights(label_maps, num_classes, void=255):
    """K weights: median of the frequencies / frequency of the class; 0 for a class that is nowhere."""
    raise NotImplementedError("Write median_frequency_weights() here, then run this cell again.")
'''


def median_frequency_weights(label_maps: list[np.ndarray], num_classes: int, void: int = 255) -> np.ndarray:
    """K weights: median of the frequencies / frequency of the class; 0 for a class that is nowhere."""
    pixels, around = np.zeros(num_classes), np.zeros(num_classes)
    for labels in label_maps:
        counts = np.bincount(labels[labels != void], minlength=num_classes)
        pixels += counts
        around[counts > 0] += counts.sum()
    present = pixels > 0
    frequency = pixels[present] / around[present]
    weights = np.zeros(num_classes)
    weights[present] = np.median(frequency) / frequency
    return weights


def _frequencies(label_maps, num_classes, void, all_pixels=False, all_images=False):  # type: ignore[no-untyped-def]
    frequency = np.full(num_classes, np.nan)
    for number in range(num_classes):
        having = [one for one in label_maps if all_images or (one == number).any()]
        below = sum(one.size if all_pixels else (one != void).sum() for one in having)
        own = sum((one == number).sum() for one in having)
        if own and number != void:
            frequency[number] = own / below
    return frequency


def _class_by_class(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    frequency = _frequencies(label_maps, num_classes, void)
    return np.nan_to_num(np.nanmedian(frequency) / frequency)


def _with_one_hot(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    counts = np.array([[int(((one == k) & (one != void)).sum()) for k in range(num_classes)] for one in label_maps])
    below = (counts.sum(axis=1, keepdims=True) * (counts > 0)).sum(axis=0)
    frequency = counts.sum(axis=0)[below > 0] / below[below > 0]
    weights = np.zeros(num_classes)
    weights[below > 0] = np.median(frequency) / frequency
    return weights


def _with_torch(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    import torch

    pixels = torch.zeros(num_classes, dtype=torch.float64)
    around = torch.zeros_like(pixels)
    for labels in label_maps:
        valid = torch.from_numpy(labels).long().flatten()
        counts = torch.bincount(valid[valid != void], minlength=num_classes).double()
        pixels += counts
        around += (counts > 0) * counts.sum()
    frequency = (pixels / around).numpy()
    return np.nan_to_num(np.nanmedian(frequency) / frequency)


def _weights(frequency, middle=np.nanmedian):  # type: ignore[no-untyped-def]
    return np.nan_to_num(middle(frequency) / frequency)


def _inverse_frequency(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    return np.nan_to_num(1 / _frequencies(label_maps, num_classes, void))


def _median_with_absent(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    frequency = np.nan_to_num(_frequencies(label_maps, num_classes, void))
    return np.divide(np.median(frequency), frequency, out=np.zeros(num_classes), where=frequency > 0)


def _absent_infinite(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    frequency = _frequencies(label_maps, num_classes, void)
    return np.nanmedian(frequency) / np.nan_to_num(frequency)


def _absent_one(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    return np.nan_to_num(_class_by_class(label_maps, num_classes, void), nan=1) + np.isnan(
        _frequencies(label_maps, num_classes, void)
    )


def _mean_of_images(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
    shares = [[(one == k).sum() / (one != void).sum() or np.nan for k in range(num_classes)] for one in label_maps]
    return _weights(np.nanmean(np.array(shares, dtype=float), axis=0))


def _lower(frequency):  # type: ignore[no-untyped-def]
    known = np.sort(frequency[~np.isnan(frequency)])
    return known[(len(known) - 1) // 2]


def _marked(label_maps, num_classes, void, mark):  # type: ignore[no-untyped-def]
    weights = _class_by_class(label_maps, num_classes, void)
    return np.where(weights == 0, mark, weights)


def _counted_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(label_maps, num_classes, void=255):  # type: ignore[no-untyped-def]
        pixels, around = np.zeros(num_classes, dtype=dtype), np.zeros(num_classes, dtype=dtype)
        for labels in label_maps:
            counts = np.bincount(labels[labels != void], minlength=num_classes).astype(dtype)
            pixels += counts
            around[counts > 0] += counts.sum(dtype=dtype)
        frequency = np.where(pixels > 0, pixels / around, np.nan)
        return np.nan_to_num(np.nanmedian(frequency) / frequency)

    return wrong


_RANDOM = [random_label_maps(seed, shape, 5, void=0.15)[0] for seed, shape in enumerate([(9, 14), (12, 8), (20, 20)])]
_RARE = [
    np.where(one == 4, 0, one) if seed != 1 else one for seed, one in enumerate(_RANDOM)
]  # class 4 in one picture only

_LARGE = [np.repeat([0, 1, 2], [35_000, 700, 300]).astype(np.uint8).reshape(180, 200), label_map("0122 2222")]

EXERCISE = Exercise(
    id="2.6",
    title="Class weights by median frequency",
    name="median_frequency_weights",
    statement=r"""
A loss that counts all pixels alike learns road and sky and forgets the bicycle. SegNet and many others weight class
$k$ with

$$w_k = \frac{\mathrm{median}_j(f_j)}{f_k}, \qquad
f_k = \frac{\text{pixels of class } k}{\text{pixels of all pictures in which class } k \text{ occurs}}$$

(Eigen and Fergus 2015). Write `median_frequency_weights(label_maps, num_classes, void)` for a list of
label maps, which may differ in size. Void pixels count nowhere, neither above nor below. A class that is in no
picture gets the weight 0 and does not enter the median.
""",
    stub=STUB,
    reference=median_frequency_weights,
    cases=(
        # f = 6/8, 2/8: median 1/2
        Case("one picture", ([label_map("0000 0011")], 2, 255), np.array([2 / 3, 2.0])),
        Case("three pictures of different sizes", (_RANDOM, 5, 255)),
        # f = 6/10, 3/10, 1/10: median 3/10
        Case("three classes in one picture", ([label_map("00000 01112")], 3, 255), np.array([1 / 2, 1, 3])),
        # f = 1/1, 3/4, 1/4: median 3/4
        Case("a picture of one pixel", ([label_map("0"), label_map("1112")], 3, 255), np.array([3 / 4, 1, 3])),
        # f = 5/8, 1/4, 2/4: median 1/2
        Case(
            "classes that are in one of two pictures",
            ([label_map("0001"), label_map("0022")], 3, 255),
            np.array([0.8, 2.0, 1.0]),
            "occurs",
        ),
        # f = 3/6, 3/4: median 5/8
        Case("void", ([label_map("00vv"), label_map("0111")], 2, 255), np.array([5 / 4, 5 / 6]), "void"),
        Case("a class is nowhere", ([label_map("0000 0022")], 3, 255), np.array([2 / 3, 0.0, 2.0]), "absent"),
        Case(
            "void is 9 here",
            ([label_map("00vv", void=9), label_map("0111")], 2, 9),
            np.array([5 / 4, 5 / 6]),
            "void",
        ),
        Case("a rare class", (_RARE, 6, 255), hint="occurs"),
        # f = 3/4, 1/4 of the pixels that are not class 0: median 1/2
        Case("void is class 0 here", ([label_map("0111 0002")], 3, 0), np.array([0, 2 / 3, 2.0]), "void"),
        Case("one picture is all void", ([label_map("vv"), label_map("0001")], 2, 255), np.array([2 / 3, 2.0]), "void"),
        Case("a picture of 36,000 pixels", (_LARGE, 3, 255), hint="large"),
    ),
    hints={
        "general": Hint(
            "Two counts per class: its pixels, and the valid pixels of the pictures that show it. Their ratio is f.",
            "Keep two arrays of K numbers and go through the pictures once. To the first add the counts of the "
            "picture; to the second add the number of its valid pixels, but only for the classes that it shows. "
            "Divide and take the median over the classes that occurred.",
        ),
        "occurs": Hint(
            "Look at classes that are in few pictures: below stand only the pictures in which the class occurs. Else a "
            "class that is large but in few pictures would pass for rare.",
            "around[counts > 0] += counts.sum(), picture by picture.",
        ),
        "void": Hint(
            "Look at void pixels: they count nowhere, neither as a class nor in the number of pixels of a picture; and "
            "which number is void is an argument.",
            "valid = labels[labels != void]; use valid.size, not labels.size.",
        ),
        "absent": Hint(
            "Look at a class that is nowhere: it gets the weight 0, and is left out of the median.",
            "present = pixels > 0; compute frequency and median over present only.",
        ),
        "median": Hint(
            "The numerator is the median of the frequencies: not 1, and not their mean.",
            "np.median(frequency) / frequency.",
        ),
        "upside down": Hint(
            "Frequent classes get large weights here: the ratio is upside down.",
            "median / frequency.",
        ),
        "even": Hint(
            "This is the lower or the upper of the two middle frequencies. The median of an even number is their mean.",
            "np.median, or statistics.median.",
        ),
        "scaled": Hint(
            "The weights are changed once more: scaled, limited or bent.",
            "Return median / frequency as it is.",
        ),
        "large": Hint(
            "Look at large pictures: counts exceed 255 and 32,767, more than 8 or 16 bits hold.",
            "np.zeros(num_classes), or dtype=np.int64.",
        ),
        "one picture": Hint("Only one of the pictures counts.", "Loop over all of label_maps, and add."),
        "pictures": Hint(
            "This averages shares over pictures. The counts are added up first, and divided once.",
            "Add pixels and around over all pictures; divide after the loop.",
        ),
    },
    mistakes=(
        Mistake("all pictures below", lambda m, k, v=255: _weights(_frequencies(m, k, v, all_images=True)), "occurs"),
        Mistake("void counted below", lambda m, k, v=255: _weights(_frequencies(m, k, v, all_pixels=True)), "void"),
        Mistake("void always 255", lambda m, k, v=255: _class_by_class(m, k, 255), "void"),
        Mistake("inverse frequency", _inverse_frequency, "median"),
        Mistake("mean frequency", lambda m, k, v=255: _weights(_frequencies(m, k, v), np.nanmean), "median"),
        Mistake("absent classes in the median", _median_with_absent, "absent"),
        Mistake("absent class infinite", _absent_infinite, "absent"),
        Mistake("absent class 1", _absent_one, "absent"),
        Mistake(
            "upside down",
            lambda m, k, v=255: np.nan_to_num(_frequencies(m, k, v) / np.nanmedian(_frequencies(m, k, v))),
            "upside down",
        ),
        Mistake("mean over pictures", _mean_of_images, "pictures"),
        Mistake("first picture only", lambda m, k, v=255: _class_by_class(m[:1], k, v), "one picture"),
        Mistake("last picture only", lambda m, k, v=255: _class_by_class(m[-1:], k, v), "one picture"),
        Mistake(
            "void as class 0", lambda m, k, v=255: _class_by_class([np.where(x == v, 0, x) for x in m], k, -1), "void"
        ),
        Mistake(
            "void is what exceeds K",
            lambda m, k, v=255: _class_by_class([np.where(x < k, x, 255) for x in m], k),
            "void",
        ),
        Mistake("largest frequency", lambda m, k, v=255: _weights(_frequencies(m, k, v), np.nanmax), "median"),
        Mistake("lower median", lambda m, k, v=255: _weights(_frequencies(m, k, v), _lower), "even"),
        Mistake("upper median", lambda m, k, v=255: _weights(_frequencies(m, k, v), lambda f: -_lower(-f)), "even"),
        Mistake("square root", lambda *inputs: np.sqrt(_class_by_class(*inputs)), "scaled"),
        Mistake("at most 1", lambda *inputs: np.minimum(_class_by_class(*inputs), 1), "scaled"),
        Mistake("sum 1", lambda *inputs: _class_by_class(*inputs) / _class_by_class(*inputs).sum(), "scaled"),
        Mistake("mean 1", lambda *inputs: _class_by_class(*inputs) / _class_by_class(*inputs).mean(), "scaled"),
        Mistake("largest 1", lambda *inputs: _class_by_class(*inputs) / _class_by_class(*inputs).max(), "scaled"),
        Mistake("absent class NaN", lambda m, k, v=255: _marked(m, k, v, np.nan), "absent"),
        Mistake(
            "only existing classes", lambda *inputs: _class_by_class(*inputs)[_class_by_class(*inputs) > 0], "absent"
        ),
        Mistake("frequencies", lambda m, k, v=255: np.nan_to_num(_frequencies(m, k, v)), "median"),
        Mistake("counts in 8 bits", _counted_in(np.uint8), "large"),
        Mistake("counts in 16 bits", _counted_in(np.int16), "large"),
    ),
    alternatives=(_class_by_class, _with_one_hot, _with_torch),
    points=4,
    minutes=25,
    difficulty=2,
)
