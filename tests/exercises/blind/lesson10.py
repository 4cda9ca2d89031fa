"""Answers to 10.1 to 10.6, each way of thinking in code of its own: what a learner writes, and what else they write."""

from __future__ import annotations

import copy
import math
import statistics

import numpy as np
import torch
from scipy import ndimage, special
from torch.nn import functional as F

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(101)


# 10.1 prompt_tokens(points, labels, box, size, frequencies, kinds, no_point)
def _prompted(count, box):
    points = _RNG.integers(0, 30, (count, 2))
    corners = (3, 5, 40, 20) if box else None
    return points, _RNG.integers(0, 2, count), corners, (32, 48), *(_RNG.normal(size=s) for s in ((2, 3), (4, 6), 6))


CLICKS, BOXED, BOX = _prompted(3, False), _prompted(2, True), _prompted(0, True)


def tokens(points, labels, box, size, frequencies, kinds, no_point, *, place=None, wave=None, kind=None, end=None):
    rows = [(float(x), float(y), int(label)) for (x, y), label in zip(points, labels, strict=True)]
    if box is not None:
        rows += [(box[0], box[1], 2), (box[2], box[3], 3)]
    place = place or (lambda x, y, h, w: ((x + 0.5) / w, (y + 0.5) / h))
    wave = wave or (lambda angles: np.r_[np.sin(angles), np.cos(angles)])
    out = []
    for x, y, number in rows:
        u, v = place(x, y, *size)
        angles = 2 * np.pi * ((2 * u - 1) * frequencies[0] + (2 * v - 1) * frequencies[1])
        out.append(wave(angles) + (kinds[number] if kind is None else kind(kinds, number)))
    if end is None:
        return np.array(out + ([no_point] if box is None else []))
    return np.array(end(out, no_point, box))


def _tokens(name, shown_by, about, **change):
    return Wrong(name, lambda *given: tokens(*given, **change), shown_by, about)


def corners_as_they_are(points, labels, box, *rest):
    moved = None if box is None else np.asarray(box) - 0.5
    return tokens(points, labels, moved, *rest)


def one_token_for_the_box(points, labels, box, *rest):
    found = tokens(points, labels, box, *rest)
    return found if box is None else np.vstack([found[:-2], found[-2:].sum(axis=0)])


def code_under_no_point(points, labels, box, size, frequencies, kinds, no_point):
    """A padding point at (0, 0) that gets a code as any other."""
    if box is not None:
        return tokens(points, labels, box, size, frequencies, kinds, no_point)
    extended = np.vstack([kinds, no_point])
    return tokens(np.vstack([points, [[0, 0]]]), [*labels, 4], (0, 0, 0, 0), size, frequencies, extended, no_point)[:-2]


def angles_without_the_turn(points, labels, box, size, frequencies, kinds, no_point):
    return tokens(points, labels, box, size, frequencies / (2 * np.pi), kinds, no_point)


W101 = [
    _tokens("row first", CLICKS, "order", place=lambda x, y, h, w: ((y + 0.5) / h, (x + 0.5) / w)),
    _tokens("sides in the order of size", CLICKS, "order", place=lambda x, y, h, w: ((x + 0.5) / h, (y + 0.5) / w)),
    _tokens("corners of pixels", CLICKS, "half", place=lambda x, y, h, w: (x / w, y / h)),
    _tokens("one pixel less", CLICKS, "half", place=lambda x, y, h, w: (x / (w - 1), y / (h - 1))),
    _tokens("half a pixel after the division", CLICKS, "half", place=lambda x, y, h, w: (x / w + 0.5, y / h + 0.5)),
    Wrong("corners of a box as they are", corners_as_they_are, BOX, "half"),
    _tokens("never below 0", CLICKS, "range", place=lambda x, y, h, w: ((x + w + 0.5) / w / 2, (y + h + 0.5) / h / 2)),
    Wrong("no turn", angles_without_the_turn, CLICKS, "range"),
    _tokens("cosine, sine", CLICKS, "sines", wave=lambda a: np.r_[np.cos(a), np.sin(a)]),
    _tokens("pair by pair", CLICKS, "sines", wave=lambda a: np.stack([np.sin(a), np.cos(a)], 1).ravel()),
    _tokens("padding forgotten", CLICKS, "padding", end=lambda out, none, box: out),
    _tokens("padding always", BOXED, "padding", end=lambda out, none, box: [*out, none]),
    _tokens("padding first", CLICKS, "padding", end=lambda out, none, box: [none, *out] if box is None else out),
    Wrong("padding with a place", code_under_no_point, CLICKS, "padding"),
    _tokens("this is 0", CLICKS, "kinds", kind=lambda kinds, n: kinds[1 - n] if n < 2 else kinds[n]),
    _tokens("kinds forgotten", CLICKS, "kinds", kind=lambda kinds, n: 0 * kinds[n]),
    _tokens("multiplied by the kind", CLICKS, "kinds", kind=lambda kinds, n: kinds.sum(0)),
    _tokens("lower right first", BOX, "box", kind=lambda kinds, n: kinds[5 - n] if n > 1 else kinds[n]),
    _tokens("corners are positive clicks", BOX, "box", kind=lambda kinds, n: kinds[min(n, 1)]),
    Wrong("the box in one token", one_token_for_the_box, BOX, "box"),
]


def tokens_by_matrices(points, labels, box, size, frequencies, kinds, no_point):
    points = torch.as_tensor(np.asarray(points, dtype=float)).reshape(-1, 2)
    one_hot = F.one_hot(torch.as_tensor(np.asarray(labels, dtype=int)), 4).double().reshape(-1, 4)
    if box is not None:
        points = torch.cat([points, torch.tensor(np.asarray(box, dtype=float)).reshape(2, 2)])
        one_hot = torch.cat([one_hot, torch.eye(4, dtype=torch.float64)[2:]])
    wide = torch.diag(torch.tensor([2 / size[1], 2 / size[0]], dtype=torch.float64))
    turns = (points @ wide + torch.tensor([1 / size[1] - 1, 1 / size[0] - 1])) @ torch.as_tensor(frequencies)
    found = torch.hstack([(2 * torch.pi * turns).sin(), (2 * torch.pi * turns).cos()])
    found = found + one_hot @ torch.as_tensor(kinds)
    return found if box is not None else torch.vstack([found, torch.as_tensor(no_point)])


R101 = [("row by row", tokens), ("matrices", tokens_by_matrices)]


# 10.2 two_way_shapes(size, stride, clicks, box, channels, inner, heads)
ONE, WITH_BOX, EMPTY = (
    ((64, 80), 8, 1, False, 24, 12, 3),
    ((64, 80), 8, 2, True, 24, 12, 3),
    ((64, 80), 8, 0, False, 24, 12, 3),
)


def shapes(size, stride, clicks, box, channels, inner, heads, *, own=5, prompt=None, places=None, part=None, turn=None):
    asked = clicks + 2 * box if box else clicks + bool(clicks)
    n = own + (asked if prompt is None else prompt(clicks, box))
    h, w = (side // stride for side in size)
    m = h * w if places is None else places(size, h, w)
    found = [(n, channels), (heads, n, n), (heads, n, inner // heads), (heads, n, m), (heads, m, n), (4, 4 * h, 4 * w)]
    if part is not None:
        found[2] = (heads, n, part(channels, inner, heads))
    return found if turn is None else turn(found)


def _shaped(name, shown_by, about, **change):
    return Wrong(name, lambda *given: shapes(*given, **change), shown_by, about)


W102 = [
    _shaped("one token for all masks", ONE, "own", own=2),
    _shaped("no single mask", ONE, "own", own=4),
    _shaped("clicks only", ONE, "padding", prompt=lambda clicks, box: clicks + 2 * box),
    _shaped("padding is there anyway", WITH_BOX, "box", prompt=lambda c, box: c + 2 * box + (c > 0)),
    _shaped("the box takes the padding's place", WITH_BOX, "box", prompt=lambda c, box: c + (c > 0 or box)),
    _shaped("padding for nothing", EMPTY, "nothing", prompt=lambda clicks, box: clicks + 1 + box),
    _shaped("answering first", ONE, "direction", turn=lambda s: [*s[:3], s[4], s[3], s[5]]),
    _shaped("the map asks like the tokens", ONE, "direction", turn=lambda s: [*s[:4], s[3], s[5]]),
    _shaped("not shared", ONE, "heads", part=lambda channels, inner, heads: inner),
    _shaped("of E", ONE, "heads", part=lambda channels, inner, heads: channels // heads),
    _shaped("all pixels", ONE, "places", places=lambda size, h, w: size[0] * size[1]),
    _shaped("places as fine as masks", ONE, "places", places=lambda size, h, w: 16 * h * w),
    _shaped("masks not finer", ONE, "places", turn=lambda s: [*s[:5], (4, s[5][1] // 4, s[5][2] // 4)]),
    _shaped("width first", ONE, "places", turn=lambda s: [*s[:5], (4, s[5][2], s[5][1])]),
]


def shapes_from_products(size, stride, clicks, box, channels, inner, heads):
    tokens = torch.empty(5 + clicks + (2 if box else min(clicks, 1)), channels)
    grid = torch.empty(size[0] // stride, size[1] // stride)
    queries = torch.empty(len(tokens), inner).view(len(tokens), heads, -1).transpose(0, 1)
    keys = torch.empty(heads, queries.shape[2], grid.numel())
    asks = queries @ keys
    masks = torch.empty(4, *(4 * side for side in grid.shape))
    among = torch.empty(heads, len(tokens), len(tokens))
    return tuple(tuple(one.shape) for one in (tokens, among, queries, asks, asks.mT, masks))


R102 = [("counting", shapes), ("from products", shapes_from_products)]


# 10.3 best_of_three(logits, targets)
def _asked(prompts, masks, pixels):
    targets = (_RNG.random((prompts, pixels)) < 0.5).astype(float)
    targets[:, 0] = 1
    return _RNG.normal(0, 2, (prompts, masks, pixels)), targets


SEVERAL, ALONE = _asked(5, 3, 6), _asked(1, 3, 6)


def least(logits, targets, *, focal=None, dice=None, weigh=(20, 1), read=None):
    y = np.repeat(targets[:, None], logits.shape[1], axis=1)
    toward = np.where(y > 0, logits, -logits)
    entropy, missing = np.logaddexp(0, -toward), special.expit(-toward)
    p = special.expit(logits)
    f = (missing**2 * entropy).mean(-1) if focal is None else focal(missing, entropy, y)
    d = 1 - (2 * (p * y).sum(-1) + 1) / (p.sum(-1) + y.sum(-1) + 1) if dice is None else dice(p, y)
    table = weigh[0] * f + weigh[1] * d
    return (table.argmin(1), table.min(1).mean()) if read is None else read(table, f, d)


def _least(name, shown_by, about, **change):
    return Wrong(name, lambda *given: least(*given, **change), shown_by, about)


def mean_then_least(table, f, d):
    best = table.mean(0).argmin()
    return [best] * len(table), table.mean(0)[best]


def by(number):
    """The best by one term, and its whole loss."""

    def read(table, f, d):
        best = (f, d)[number].argmin(1)
        return best, table[np.arange(len(table)), best].mean()

    return read


W103 = [
    _least("mean, then least", SEVERAL, "prompt", read=mean_then_least),
    _least("one best of all", SEVERAL, "prompt", read=lambda t, f, d: (t.argmin(1), t.min())),
    _least("sum of the prompts", SEVERAL, "prompt", read=lambda t, f, d: (t.argmin(1), t.min(1).sum())),
    _least("all masks", SEVERAL, "best", read=lambda t, f, d: (t.argmin(1), t.mean())),
    _least("the largest", SEVERAL, "best", read=lambda t, f, d: (t.argmax(1), t.max(1).mean())),
    _least("best of Dice", ALONE, "best", read=by(1)),
    _least("both least apart", SEVERAL, "best", read=lambda t, f, d: (t.argmin(1), (20 * f.min(1) + d.min(1)).mean())),
    _least("equal weights", SEVERAL, "weights", weigh=(1, 1)),
    _least("20 for Dice", SEVERAL, "weights", weigh=(1, 20)),
    _least("2 for focal", SEVERAL, "weights", weigh=(2, 1)),
    _least("plain cross entropy", SEVERAL, "focal", focal=lambda m, e, y: e.mean(-1)),
    _least("exponent 1", SEVERAL, "focal", focal=lambda m, e, y: (m * e).mean(-1)),
    _least("what is right weighs", SEVERAL, "focal", focal=lambda m, e, y: ((1 - m) ** 2 * e).mean(-1)),
    _least("added up", SEVERAL, "focal", focal=lambda m, e, y: (m**2 * e).sum(-1)),
    _least("inside alone", SEVERAL, "focal", focal=lambda m, e, y: (y * m**2 * e).mean(-1)),
    _least("no 1 in Dice", SEVERAL, "dice", dice=lambda p, y: 1 - 2 * (p * y).sum(-1) / (p.sum(-1) + y.sum(-1))),
    _least("squares in Dice", SEVERAL, "dice",
           dice=lambda p, y: 1 - (2 * (p * y).sum(-1) + 1) / ((p**2).sum(-1) + y.sum(-1) + 1)),
    _least("Dice, not its loss", SEVERAL, "dice",
           dice=lambda p, y: (2 * (p * y).sum(-1) + 1) / (p.sum(-1) + y.sum(-1) + 1)),
    _least("only the loss", SEVERAL, "results", read=lambda t, f, d: t.min(1).mean()),
    _least("loss first", SEVERAL, "results", read=lambda t, f, d: (t.min(1).mean(), t.argmin(1))),
    _least("counted from 1", SEVERAL, "results", read=lambda t, f, d: (t.argmin(1) + 1, t.min(1).mean())),
]  # fmt: skip


def least_in_pytorch(logits, targets):
    best, losses = [], []
    for masks, target in zip(torch.as_tensor(logits).double(), torch.as_tensor(targets).double(), strict=True):
        here = []
        for mask in masks:
            each = F.binary_cross_entropy_with_logits(mask, target, reduction="none")
            p = mask.sigmoid()
            focal = ((-(-each).exp() + 1) ** 2 * each).mean()
            here.append(20 * focal + 1 - (2 * p @ target + 1) / (p.sum() + target.sum() + 1))
        losses.append(torch.stack(here).amin())
        best.append(int(torch.stack(here).argmin()))
    return torch.tensor(best), torch.stack(losses).mean()


R103 = [("NumPy", least), ("PyTorch, mask by mask", least_in_pytorch)]


# 10.4 logit_iou(logits, target, known)
SCORED = (
    np.array([[[0.2, -0.2, 1.4, 0.0], [3.0, 0.3, -2.0, 0.7]], [[-1.0, 0.4, 2.0, 1.0], [0.1, -3.0, 0.6, -0.5]]]),
    np.array([[255, 0, 255, 0], [255, 255, 0, 255]]),
    np.array([[True, True, True, True], [True, False, True, False]]),
)
NOTHING = (np.full((2, 2, 2), -1.0), np.array([[0, 0], [0, 255]]), np.array([[True, True], [True, False]]))


def scored(logits, target, known, *, cut=None, want=None, union=None, weight=None, end=None, nothing=1.0):
    values = []
    for one in logits:
        found = one > 0 if cut is None else cut(one)
        wanted = target > 0 if want is None else want(target)
        counts = known if weight is None else weight(known)
        both = (found * wanted)[counts].sum()
        all_ = (found | (wanted > 0))[counts].sum() if union is None else union(found, wanted, counts)
        values.append(both / all_ if all_ else nothing)
    return np.array(values) if end is None else end(values)


def _scored(name, about, shown_by=SCORED, **change):
    return Wrong(name, lambda *given: scored(*given, **change), shown_by, about)


W104 = [
    _scored("above one half", "threshold", cut=lambda z: z > 0.5),
    _scored("at least 0", "threshold", cut=lambda z: z >= 0),
    _scored("sigmoid of the sigmoid", "threshold", cut=lambda z: special.expit(special.expit(z)) > 0.5),
    _scored("rounded logits", "threshold", cut=lambda z: z.round() > 0),
    _scored("any probability", "threshold", cut=lambda z: special.expit(z) > 0),
    _scored("True is 1", "file", want=lambda t: t == 1),
    _scored("255 as a number", "file", want=lambda t: t),
    _scored("white is outside", "file", want=lambda t: t == 0),
    _scored("void counts", "void", weight=np.ones_like),
    _scored("void is in the union", "void", union=lambda f, w, k: (f | w).sum()),
    _scored("void of the found is in the union", "void", union=lambda f, w, k: (f | (w & k)).sum()),
    _scored("nothing is wrong", "empty", NOTHING, nothing=0.0),
    _scored("nothing is no number", "empty", NOTHING, nothing=math.nan),
    _scored("by what is wanted", "measure", union=lambda f, w, k: w[k].sum()),
    _scored("by what was found", "measure", union=lambda f, w, k: f[k].sum()),
    _scored("by both added", "measure", union=lambda f, w, k: f[k].sum() + w[k].sum()),
    _scored("Dice", "measure", union=lambda f, w, k: (f[k].sum() + w[k].sum()) / 2),
    _scored("by all known pixels", "measure", union=lambda f, w, k: k.sum()),
    _scored("their mean", "each", end=np.mean),
    _scored("the best of them", "each", end=max),
]


def scored_by_lesson_1(logits, target, known):
    """IoU from Dice, which is from counts."""
    found, wanted = logits[:, known] > 0, target[known] == 255
    total = found.sum(1) + wanted.sum()
    dice = np.divide(2.0 * (found & wanted).sum(1), total, out=np.ones(len(found)), where=total > 0)
    return dice / (2 - dice)


R104 = [("answer by answer", scored), ("through Dice", scored_by_lesson_1)]


# 10.5 next_click(logits, target, known)
def _pictured(*rows):
    letters = np.array([list(row) for row in rows])
    return np.where(np.isin(letters, list("#+?")), 0.3, -0.3), np.isin(letters, list("#-")), letters != "?"


MISSED = _pictured("......", ".----.", ".----.", ".----.", "......", "++++..")
TOO_MUCH = _pictured("+++++.", "+++++.", "+++++.", "......", ".--...")
TWO_KINDS = _pictured("---+++", "------", "...+++", "......", "-------"[:6], "--....")
CORNERS = _pictured("---...", "---...", "...---", "...---", "......", "++++++", "+.....")
RING = _pictured("+++++++", "+.....+", "+.....+", "+.....+", "+++++++")
VOID = _pictured("????..", "????..", "......", "...-..")
FINE = _pictured("##..", "##..")
DEEP = _pictured("+++....", "+++....", "+++....", ".......", "-------", "---....")


def clicked(logits, target, known, *, cut=0.0, kinds=None, regions=None, rank=None, middle=None, end=None, none=None):
    found = logits > cut
    errors = [(target & ~found & known, 1), (found & ~target & known, 0)]
    errors = errors if kinds is None else kinds(found, target, known)
    pieces = []
    for wrong, label in errors:
        numbers, count = (regions or ndimage.label)(wrong)
        pieces += [(numbers == number + 1, label) for number in range(count)]
    if not pieces:
        return none
    region, label = max(pieces, key=lambda piece: (rank or np.sum)(piece[0]))
    framed = np.zeros(np.add(region.shape, 2), dtype=bool)
    framed[1:-1, 1:-1] = region
    y, x = (middle or deepest)(framed)
    return (x - 1, y - 1, label) if end is None else end(x - 1, y - 1, label)


def deepest(framed):
    depth = ndimage.distance_transform_edt(framed)
    return [int(one) for one in np.argwhere(depth == depth.max())[0]]


def last_of_the_deepest(framed):
    depth = ndimage.distance_transform_edt(framed)
    return [int(one) for one in np.argwhere(depth == depth.max())[-1]]


def center(framed):
    return [int(one + 0.5) for one in ndimage.center_of_mass(framed)]


def middle_of_the_box(framed):
    return [(span.start + span.stop) // 2 for span in ndimage.find_objects(framed.astype(int))[0]]


def without_the_border(framed):
    region = framed[1:-1, 1:-1]
    depth = ndimage.distance_transform_edt(region)
    return [int(one) + 1 for one in np.argwhere(depth == depth.max())[0]]


def largest_depth(region):
    return ndimage.distance_transform_edt(np.pad(region, 1)).max()


def with_corners(wrong):
    return ndimage.label(wrong, structure=np.ones((3, 3)))


def in_one_piece(wrong):
    return wrong.astype(int), int(wrong.any())


def any_error(logits, target, known):
    x, y, _ = clicked(logits, target, known, kinds=lambda f, t, k: [((f != t) & k, 1)]) or (0, 0, 0)
    return (x, y, int(target[y, x])) if ((logits > 0) != target)[known].any() else None


def _clicked(name, about, shown_by, **change):
    return Wrong(name, lambda *given: clicked(*given, **change), shown_by, about)


W105 = [
    _clicked("y, x", "order", _pictured("...--"), end=lambda x, y, label: (y, x, label)),
    _clicked("0 for missed", "label", MISSED, end=lambda x, y, label: (x, y, 1 - label)),
    _clicked("1 always", "label", TOO_MUCH, end=lambda x, y, label: (x, y, 1)),
    _clicked("deepest region", "largest", DEEP, rank=largest_depth),
    _clicked("first region", "largest", _pictured("-.---"), rank=lambda region: 0),
    _clicked("smallest region", "largest", MISSED, rank=lambda region: -region.sum()),
    _clicked("widest region", "largest", _pictured("....", "----", "....", "+++.", "+++."),
             rank=lambda region: region.any(0).sum()),
    _clicked("no regions", "largest", _pictured("--.--", "--.--", ".....", "+++++", "....."), regions=in_one_piece),
    Wrong("any error", any_error, TWO_KINDS, "kinds"),
    _clicked("corners join", "sides", CORNERS, regions=with_corners),
    _clicked("center of gravity", "middle", RING, middle=center),
    _clicked("middle of the box", "middle", RING, middle=middle_of_the_box),
    _clicked("last of the deepest", "middle", MISSED, middle=last_of_the_deepest),
    _clicked("first pixel", "middle", MISSED, middle=lambda framed: np.argwhere(framed)[0].tolist()),
    _clicked("border forgotten", "border", TOO_MUCH, middle=without_the_border),
    _clicked("void is wrong, too", "void", VOID, kinds=lambda f, t, k: [(t & ~f, 1), (f & ~t, 0)]),
    _clicked("a corner if all is right", "none", FINE, none=(0, 0, 1)),
    _clicked("a word if all is right", "none", FINE, none="nothing"),
    _clicked("at 0.5", "threshold", TOO_MUCH, cut=0.5),
]  # fmt: skip


def clicked_by_peeling(logits, target, known):
    """Distances to all pixels outside; regions with scikit-image's way of thinking: one number per kind."""
    state = np.where(known & (target != (logits > 0)), 1 + target.astype(int), 0)
    best, count = np.zeros(state.shape, dtype=bool), 0
    for kind in (1, 2):
        numbers, found = ndimage.label(state == kind)
        sizes = ndimage.sum_labels(np.ones(state.shape), numbers, range(1, found + 1))
        if found and max(sizes) > count:
            count, best = max(sizes), numbers == 1 + int(np.argmax(sizes))
    if not count:
        return None
    outside = np.argwhere(~np.pad(best, 1)) - 1
    inside = np.argwhere(best)
    distances = [np.min(np.hypot(*(outside - place).T)) for place in inside]
    y, x = inside[int(np.argmax(np.round(distances, 9)))]
    return x, y, state[y, x] - 1


R105 = [("SciPy", clicked), ("distances to all", clicked_by_peeling)]


# 10.6 an experiment of one's own
FOUND = {
    "declaration": {
        "changes": "several", "first": True, "second": False,
        "measure": "object_iou", "expects": "lower", "margin": 0.02,
    },
    "seeds": [0, 1, 2],
    "first": [{"object_iou": 0.41}, {"object_iou": 0.40}, {"object_iou": 0.43}],
    "second": [{"object_iou": 0.30}, {"object_iou": 0.31}, {"object_iou": 0.31}],
}  # fmt: skip
GAINS = [0.11, 0.09, 0.12]
GAIN, SPREAD = statistics.fmean(GAINS), statistics.stdev(GAINS)
DOUBT = 4.303 * SPREAD / math.sqrt(3)


def read_off(**change):
    right = {"declaration": FOUND["declaration"], "record": FOUND, "gain": GAIN, "doubt": DOUBT}
    return lambda: {**right, "verdict": "confirmed", "least": 0.02 + DOUBT, **change}


def declared(**change):
    def answer():
        found = copy.deepcopy(read_off()())
        found["declaration"] = {**found["declaration"], **change}
        found["record"]["declaration"] = found["declaration"]
        return found

    return answer


W106 = [
    Wrong("no option", declared(changes="masks"), (), "change"),
    Wrong("the same value", declared(second=True), (), "change"),
    Wrong("two options", declared(stays={"several": False}), (), "change"),
    Wrong("a measure that does not exist", declared(measure="IoU"), (), "measure"),
    Wrong("smaller", declared(expects="smaller"), (), "measure"),
    Wrong("no margin", declared(margin=0), (), "margin"),
    Wrong("margin in points", declared(margin=2), (), "margin"),
    Wrong("second minus first, though lower is expected", read_off(gain=-GAIN), (), "gain"),
    Wrong("in points", read_off(gain=100 * GAIN), (), "gain"),
    Wrong("the spread", read_off(doubt=SPREAD), (), "doubt"),
    Wrong("two standard errors", read_off(doubt=1.96 * SPREAD / math.sqrt(3)), (), "doubt"),
    Wrong("undecided", read_off(verdict="undecided"), (), "verdict"),
    Wrong("the gain", read_off(least=GAIN), (), "least"),
]
R106 = [("as the rule says", read_off()), ("rounded", read_off(gain=0.107, doubt=round(DOUBT, 3)))]

WRONG = {"10.1": W101, "10.2": W102, "10.3": W103, "10.4": W104, "10.5": W105, "10.6": W106}
RIGHT = {"10.1": R101, "10.2": R102, "10.3": R103, "10.4": R104, "10.5": R105, "10.6": R106}
