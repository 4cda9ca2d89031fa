"""Answers to 5.12 to 5.15, and to what 5.1 and 5.8 ask beyond lesson 5, written from the statements alone."""

import copy
import math
import statistics

import numpy as np
import torch
from torch.nn import functional as F
from torchvision import ops

from tests.exercises.blind import Wrong
from tests.exercises.blind.answers05 import nms


# 5.1 cell_anchors(sizes, ratios): only some of the three mistakes repaired
def anchors(sizes, ratios, *, ratios_outside=True, area=True, whole=False):
    pairs = [(s, r) for r in ratios for s in sizes] if ratios_outside else [(s, r) for s in sizes for r in ratios]
    found = []
    for size, ratio in pairs:
        width, height = (size / ratio**0.5, size * ratio**0.5) if area else (size, size * ratio)
        row = [-width / 2, -height / 2, width / 2, height / 2]
        found.append([one // 1 for one in row] if whole else row)
    return np.array(found)


SIZES = ((7, 16), (0.5, 3.0))
W51 = [
    Wrong("order left", lambda s, r: anchors(s, r, ratios_outside=False), SIZES, "order"),
    Wrong("area left", lambda s, r: anchors(s, r, area=False), SIZES, "area"),
    Wrong("whole numbers left", lambda s, r: anchors(s, r, whole=True), SIZES, "rounded"),
    Wrong("nothing repaired but the order", lambda s, r: anchors(s, r, area=False, whole=True), SIZES, "area"),
    Wrong("area and order left", lambda s, r: anchors(s, r, area=False, ratios_outside=False), SIZES, "area"),
]
R51 = [("repaired", anchors), ("as a list of tuples", lambda s, r: [tuple(row) for row in anchors(s, r).tolist()])]

# 5.8 assign_levels(boxes, size, shorter, longer): what is new
SMALL = (np.array([[0.0, 0, 36, 36], [0, 0, 20, 17]]), (128, 160), 800, 1333)
PANORAMA = (np.array([[0.0, 0, 300, 300], [10, 10, 250, 500]]), (400, 1600), 800, 1200)
TALL = (np.array([[0.0, 0, 300, 300], [10, 10, 150, 500]]), (1600, 400), 800, 1200)


def levels(factor):
    def answer(boxes, size, shorter, longer):
        sides = (boxes[:, 2:] - boxes[:, :2]) * factor(size, shorter, longer)
        return np.floor(4 + np.log2(np.sqrt(sides.prod(1)) / 224)).clip(2, 5).astype(int)

    return answer


def resized_by_hand(boxes, size, shorter, longer):
    h, w = size
    factor = shorter / h if h < w else shorter / w
    if factor * max(h, w) > longer:
        factor = longer / max(h, w)
    x1, y1, x2, y2 = (boxes * factor).T
    area = (x2 - x1) * (y2 - y1)
    return [2 + sum(a >= (112 * 2**i) ** 2 for i in range(3)) for a in area]


def separate_sides(boxes, size, shorter, longer):
    factors = np.array([longer / size[1], shorter / size[0]])
    sides = (boxes[:, 2:] - boxes[:, :2]) * factors
    return np.floor(4 + np.log2(np.sqrt(sides.prod(1)) / 224)).clip(2, 5).astype(int)


W58 = [
    Wrong("as it is in the file", levels(lambda size, s, n: 1.0), SMALL, "scale"),
    Wrong("made smaller instead of larger", levels(lambda size, s, n: min(size) / s), SMALL, "scale"),
    Wrong("panorama not limited", levels(lambda size, s, n: s / min(size)), PANORAMA, "longer"),
    Wrong("height for shorter", levels(lambda size, s, n: min(s / size[0], n / size[1])), TALL, "longer"),
    Wrong("larger of both", levels(lambda size, s, n: max(s / min(size), n / max(size))), PANORAMA, "longer"),
    Wrong("two factors", separate_sides, (np.array([[10.0, 30, 210, 230]]), (800, 1000), 800, 1333), "longer"),
]
R58 = [
    ("min", levels(lambda size, s, n: min(s / min(size), n / max(size)))),
    ("by hand", resized_by_hand),
]

# 5.12 rpn_losses(logits, offsets, targets, matches, beta)
_RNG = np.random.default_rng(512)
MATCHES = np.array([0, -1, -2, 3, -1, 0, -2, -1, 1, -1])
ANCHORS = (_RNG.normal(0, 2, 10), _RNG.normal(0, 1, (10, 4)), _RNG.normal(0, 1, (10, 4)), MATCHES, 0.4)
SURE = (np.array([800.0, -800.0]), np.ones((2, 4)), np.zeros((2, 4)), np.array([-1, 0]), 1.0)
EMPTY = (np.ones(2), np.ones((2, 4)), np.zeros((2, 4)), np.array([-2, -2]), 1.0)


def losses_by_torch(logits, offsets, targets, matches, beta, *, box=F.smooth_l1_loss, per="all", keep=lambda m: m > -2):
    logits, offsets, targets = (torch.as_tensor(one, dtype=torch.float64) for one in (logits, offsets, targets))
    matches = torch.as_tensor(matches)
    used, own = keep(matches), matches >= 0
    if not bool((matches != -2).any()):
        return 0.0, 0.0
    first = F.binary_cross_entropy_with_logits(logits[used], own[used].double())
    if box is F.smooth_l1_loss:
        second = box(offsets[own], targets[own], reduction="sum", beta=beta)
    else:
        second = box(offsets[own], targets[own], reduction="sum")
    count = {"all": used.sum(), "own": own.sum().clamp(min=1), "numbers": 4 * used.sum()}[per]
    return first, second / count


def from_zero_missing(logits, offsets, targets, matches, beta):
    return losses_by_torch(logits, offsets, targets, np.where(matches == 0, -1, matches), beta)


def background_has_boxes(logits, offsets, targets, matches, beta):
    first, _ = losses_by_torch(logits, offsets, targets, matches, beta)
    used = matches > -2
    if not used.any():
        return 0.0, 0.0
    d = abs(offsets - targets)[used]
    return first, np.where(d < beta, d * d / (2 * beta), d - beta / 2).sum() / used.sum()


def jump_at_beta(logits, offsets, targets, matches, beta):
    first, _ = losses_by_torch(logits, offsets, targets, matches, beta)
    d = abs(offsets - targets)[matches >= 0]
    return first, np.where(d < beta, d * d / (2 * beta), d).sum() / max((matches > -2).sum(), 1)


def probabilities_first(logits, offsets, targets, matches, beta):
    used = matches > -2
    if not used.any():
        return 0.0, 0.0
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-logits[used]))
        t = matches[used] >= 0
        first = -np.where(t, np.log(p), np.log(1 - p)).mean()
    return first, losses_by_torch(logits, offsets, targets, matches, beta)[1]


W512 = [
    Wrong("per positive anchor", lambda *a: losses_by_torch(*a, per="own"), ANCHORS, "divisor"),
    Wrong("mean of the numbers", lambda *a: losses_by_torch(*a, per="numbers"), ANCHORS, "divisor"),
    Wrong("ignored ones are background", lambda *a: losses_by_torch(*a, keep=lambda m: m > -9), ANCHORS, "ignored"),
    Wrong("plain L1", lambda *a: losses_by_torch(*a, box=F.l1_loss), ANCHORS, "smooth"),
    Wrong("squares", lambda *a: losses_by_torch(*a, box=F.mse_loss), ANCHORS, "smooth"),
    Wrong("Huber", lambda *a: losses_by_torch(*a, box=lambda o, t, reduction: F.huber_loss(
        o, t, reduction=reduction, delta=a[4])), ANCHORS, "beta"),
    Wrong("beta 1", lambda lo, o, t, m, b: losses_by_torch(lo, o, t, m, 1.0), ANCHORS, "beta"),
    Wrong("object 0 is background", from_zero_missing, ANCHORS, "zero"),
    Wrong("background has boxes", background_has_boxes, ANCHORS, "positive"),
    Wrong("a step at beta", jump_at_beta, ANCHORS, "smooth"),
    Wrong("sigmoid, then log", probabilities_first, SURE, "large"),
    Wrong("boxes first", lambda *a: losses_by_torch(*a)[::-1], ANCHORS, "results"),
]  # fmt: skip


def losses_in_a_loop(logits, offsets, targets, matches, beta):
    first = second = count = 0
    for x, o, t, m in zip(logits, offsets, targets, matches, strict=True):
        if m == -2:
            continue
        count += 1
        first += np.logaddexp(0, -x if m >= 0 else x)
        if m >= 0:
            for d in np.abs(np.subtract(o, t)):
                second += 0.5 * d * d / beta if d < beta else d - 0.5 * beta
    return (first / count, second / count) if count else (0, 0)


R512 = [("PyTorch", losses_by_torch), ("a loop", losses_in_a_loop)]


# 5.13 stage_of_loss(truth, found, least_score, nms_iou)
def iou_with(box, boxes):
    given = torch.as_tensor(np.asarray(boxes, float).reshape(-1, 4))
    return ops.box_iou(torch.as_tensor(np.asarray(box, float))[None], given)[0].numpy()


def followed(truth, found, least, iou, *, same_class=True, among=None, all_masks=False, order=None, above=False):
    near = iou_with(truth["box"], found["boxes"])
    at = near > 0.5 if above else near >= 0.5
    right = at & ((found["labels"] == truth["label"]) | (not same_class))
    sure = found["scores"] >= least
    entering = sure if among is None else sure & among(at, right)
    ids = np.flatnonzero(entering)
    kept = ids[np.asarray(nms(*(found[k][ids] for k in ("boxes", "scores", "labels")), iou), dtype=int)]
    alive = np.isin(np.arange(len(sure)), kept) & right
    masks = found["mask_iou"][right if all_masks else alive]
    steps = {
        "proposals": (iou_with(truth["box"], found["proposals"]) >= 0.5).any(),
        "classification": right.any(), "threshold": (right & sure).any(), "suppression": alive.any(),
        "mask": (masks >= 0.5).any(),
    }  # fmt: skip
    for name in order or steps:
        if not steps[name]:
            return name
    return "found"


def scene(proposals, *candidates):
    boxes, labels, scores, masks = zip(*candidates, strict=True)
    return {
        "proposals": np.array(proposals, float).reshape(-1, 4), "boxes": np.array(boxes, float),
        "labels": np.array(labels), "scores": np.array(scores), "mask_iou": np.array(masks),
    }  # fmt: skip


CAT = {"box": np.array([0.0, 0, 20, 10]), "label": 2}
ON, HALF, BESIDE = (1.0, 0, 21, 10), (0.0, 0, 10, 10), (8.0, 0, 28, 10)
RIVAL = (CAT, scene([ON], ((4.0, 0, 24, 10), 2, 0.6, 0.9), (BESIDE, 2, 0.9, 0.1)), 0.5, 0.5)
DOG = (CAT, scene([ON], (ON, 5, 0.9, 0.9)), 0.5, 0.5)
FAINT = (CAT, scene([], (ON, 2, 0.1, 0.1)), 0.5, 0.5)
EQUAL = (CAT, scene([ON], (HALF, 2, 0.9, 0.9)), 0.5, 0.5)
REMOVED = (CAT, scene([ON], ((2.0, 0, 22, 10), 2, 0.8, 0.9), (ON, 2, 0.9, 0.2)), 0.5, 0.5)
W513 = [
    Wrong("class not compared", lambda *a: followed(*a, same_class=False), DOG, "class"),
    Wrong("suppression among the right ones", lambda *a: followed(*a, among=lambda at, right: right), RIVAL, "rivals"),
    Wrong("suppression at the object", lambda *a: followed(*a, among=lambda at, right: at), RIVAL, "rivals"),
    Wrong("proposals forgotten", lambda *a: followed(
        *a, order=("classification", "threshold", "suppression", "mask")), FAINT, "proposals"),
    Wrong("from the end", lambda *a: followed(
        *a, order=("mask", "suppression", "threshold", "classification", "proposals")), FAINT, "order"),
    Wrong("above one half", lambda *a: followed(*a, above=True), EQUAL, "half"),
    Wrong("masks of removed ones", lambda *a: followed(*a, all_masks=True), REMOVED, "own mask"),
    Wrong("best candidate's mask", lambda t, f, s, n: "mask" if len(f["scores"]) and followed(t, f, s, n) == "found"
          and f["mask_iou"][f["scores"].argmax()] < 0.5 else followed(t, f, s, n),
          (CAT, scene([ON], ((50.0, 0, 60, 10), 2, 0.9, 0.0), (ON, 2, 0.8, 0.9)), 0.5, 0.5), "own mask"),
    Wrong("numbers", lambda *a: ["proposals", "classification", "threshold", "suppression", "mask", "found"].index(
        followed(*a)), EQUAL, "words"),
]  # fmt: skip


def with_python_lists(truth, found, least_score, nms_iou):
    """Suppression written out once more, candidate by candidate."""
    if not any(iou >= 0.5 for iou in iou_with(truth["box"], found["proposals"])):
        return "proposals"
    rows = sorted(
        zip(found["scores"], found["boxes"].tolist(), found["labels"], found["mask_iou"], strict=True),
        key=lambda row: -row[0],
    )
    mine = [row for row in rows if row[2] == truth["label"] and iou_with(truth["box"], [row[1]])[0] >= 0.5]
    if not mine:
        return "classification"
    if all(row[0] < least_score for row in mine):
        return "threshold"
    survivors = []
    for row in rows:
        rivals = [one for one in survivors if one[2] == row[2] and iou_with(row[1], [one[1]])[0] > nms_iou]
        if row[0] >= least_score and not rivals:
            survivors.append(row)
    alive = [row for row in survivors if any(row is one for one in mine)]
    if not alive:
        return "suppression"
    return "found" if max(row[3] for row in alive) >= 0.5 else "mask"


R513 = [("step by step", followed), ("lists", with_python_lists)]


# 5.14 panoptic_map(masks, labels, scores, semantic, stuff, least_score, least_visible)
def joined(
    masks, labels, scores, semantic, stuff, least_score, least_visible, *, best_first=True, whole=False, blocks=False,
    keep_things=False, share=True, by_input=False, above=False,
):  # fmt: skip
    classes = np.array(semantic, dtype=int)
    if not keep_things:
        classes[~np.isin(classes, list(stuff))] = 255
    segments, taken, count = np.zeros(classes.shape, int), np.zeros(classes.shape, bool), 0
    for i in sorted(range(len(scores)), key=lambda i: -scores[i] if best_first else scores[i]):
        if scores[i] < least_score or (above and scores[i] == least_score):
            continue
        free = masks[i] & ~taken
        enough = free.sum() >= least_visible * masks[i].sum() if share else free.any()
        if blocks:
            taken |= masks[i]
        if not enough or not free.any():
            continue
        count += 1
        place = masks[i] if whole else free
        classes[place], segments[place] = labels[i], i + 1 if by_input else count
        taken |= place
    return classes, segments


def strips(*texts):
    return np.array([[[letter == "x" for letter in text]] for text in texts])


ROAD = np.array([[1, 1, 1, 1, 1, 1, 9, 0]])
THREE = (
    strips("xxxx....", "..xxx...", "....xx.."), np.array([9, 8, 9]), np.array([0.9, 0.8, 0.7]), ROAD, (0, 1), 0.5, 0.5,
)  # fmt: skip
TWO = (strips("xxxx....", "..xxxx.."), np.array([9, 8]), np.array([0.6, 0.8]), ROAD, (0, 1), 0.5, 0.5)
JUST = (strips("xx......"), np.array([9]), np.array([0.5]), ROAD, (0, 1), 0.5, 0.5)
W514 = [
    Wrong("worst first", lambda *a: joined(*a, best_first=False), TWO, "order"),
    Wrong("later ones on top", lambda *a: joined(*a, whole=True), TWO, "order"),
    Wrong("hidden ones keep their pixels", lambda *a: joined(*a, blocks=True), (
        strips("xxxx....", "..xxx...", "....xx.."), np.array([9, 8, 9]), np.array([0.9, 0.8, 0.7]), ROAD, (0, 1), 0.5,
        0.6), "takes nothing"),
    Wrong("things of the label map", lambda *a: joined(*a, keep_things=True), TWO, "void"),
    Wrong("anything visible stays", lambda *a: joined(*a, share=False), THREE, "visible"),
    Wrong("numbers of the input", lambda *a: joined(*a, by_input=True), TWO, "numbers"),
    Wrong("above the least score", lambda *a: joined(*a, above=True), JUST, "equal"),
    Wrong("segments first", lambda *a: joined(*a)[::-1], TWO, "results"),
    Wrong("classes only", lambda *a: joined(*a)[0], TWO, "results"),
    Wrong("void is 0", lambda *a: (lambda c, s: (np.where(c == 255, 0, c), s))(*joined(*a)), TWO, "void"),
]  # fmt: skip


def with_an_owner_map(masks, labels, scores, semantic, stuff, least_score, least_visible):
    """The best mask of each pixel first; masks that show too little are struck off until none is left."""
    alive = [i for i in np.argsort(-np.asarray(scores)) if scores[i] >= least_score]
    kept = []
    for i in alive:
        above = np.any([masks[j] for j in kept], axis=0) if kept else np.zeros(semantic.shape, bool)
        if masks[i].any() and (masks[i] & ~above).sum() >= least_visible * masks[i].sum():
            kept.append(i)
    owner = np.full(semantic.shape, -1)
    for place in reversed(range(len(kept))):
        owner[masks[kept[place]]] = place
    names = np.array([labels[i] for i in kept] + [0])
    ground = np.where(np.isin(semantic, stuff), semantic, 255)
    return torch.as_tensor(np.where(owner >= 0, names[owner], ground)), torch.as_tensor(owner + 1)


R514 = [("a loop", joined), ("owners", with_an_owner_map)]

# 5.15 an experiment of one's own
FOUND = {
    "declaration": {
        "changes": "mask_threshold", "first": 0.5, "second": 0.9, "measure": "AP75", "expects": "lower", "margin": 0.05,
    },
    "seeds": [0, 1, 2],
    "first": [{"AP75": 0.30}, {"AP75": 0.36}, {"AP75": 0.27}],
    "second": [{"AP75": 0.21}, {"AP75": 0.22}, {"AP75": 0.24}],
}  # fmt: skip
GAINS = [0.09, 0.14, 0.03]
GAIN, SPREAD = statistics.fmean(GAINS), statistics.stdev(GAINS)
DOUBT = 4.303 * SPREAD / math.sqrt(3)


def read_off(**change):
    right = {"declaration": FOUND["declaration"], "record": FOUND, "gain": GAIN, "doubt": DOUBT}
    return lambda: {**right, "verdict": "undecided", "least": 0.05 + DOUBT, **change}


def declared(**change):
    def answer():
        found = copy.deepcopy(read_off()())
        found["declaration"] = {**found["declaration"], **change}
        found["record"]["declaration"] = found["declaration"]
        return found

    return answer


W515 = [
    Wrong("no option", declared(changes="backbone"), (), "change"),
    Wrong("the same value", declared(second=0.5), (), "change"),
    Wrong("a set of measures", declared(measure=["AP", "AP50"]), (), "measure"),
    Wrong("worse", declared(expects="worse"), (), "measure"),
    Wrong("a negative margin", declared(margin=-0.05), (), "margin"),
    Wrong("a word for a margin", declared(margin="large"), (), "margin"),
    Wrong("second minus first, though lower is expected", read_off(gain=-GAIN), (), "gain"),
    Wrong("the largest gain", read_off(gain=0.14), (), "gain"),
    Wrong("half the range", read_off(doubt=0.055), (), "doubt"),
    Wrong("without t", read_off(doubt=SPREAD / math.sqrt(3)), (), "doubt"),
    Wrong("confirmed, since all gains are positive", read_off(verdict="confirmed"), (), "verdict"),
    Wrong("reversed", read_off(verdict="reversed"), (), "verdict"),
    Wrong("the doubt", read_off(least=DOUBT), (), "least"),
]
R515 = [("undecided", read_off()), ("rounded", read_off(gain=0.087, doubt=round(DOUBT, 3)))]

WRONG = {"5.1": W51, "5.8": W58, "5.12": W512, "5.13": W513, "5.14": W514, "5.15": W515}
RIGHT = {"5.1": R51, "5.8": R58, "5.12": R512, "5.13": R513, "5.14": R514, "5.15": R515}
