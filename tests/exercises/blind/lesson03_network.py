"""Answers to the last two tasks of lesson 3: networks of one's own, trained or not, and readings of a table."""

import torch
from torch import nn
from torch.nn import functional as F

from segtutor.exercises.lesson03.fcn8s import build_fcn8s
from segtutor.exercises.lesson03.fcn8s_mistakes import own_weights
from tests.exercises.blind import Wrong

SIZES, ODD, SCORE = ("size", 1, 96, 128), ("size", 2, 75, 101), ("score", 16, 96, 128)


class Small(nn.Module):
    """Strided convolutions instead of poolings; a student's first version."""

    def __init__(self, classes=33, skips=True):
        super().__init__()
        steps = ((3, 8), (8, 16), (16, 24), (24, 32), (32, 40))
        self.steps = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in steps)
        self.scores = nn.ModuleList(nn.Conv2d(b, classes, 1) for _, b in steps[2:])
        self.skips = skips

    def maps(self, images):
        found = []
        for step in self.steps:
            images = F.relu(step(images))
            found.append(images)
        return found[2:]

    def forward(self, images):
        maps = self.maps(images)
        scores = self.scores[2](maps[2])
        for number in (1, 0) if self.skips else ():
            scores = F.interpolate(scores, maps[number].shape[-2:], mode="bilinear") + self.scores[number](maps[number])
        return F.interpolate(scores, images.shape[-2:], mode="bilinear")


class WithDropout(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = build_fcn8s()

    def forward(self, images):
        return self.inner(F.dropout(images, 0.2))


def with_its_file(make):
    """An answer with a file that fits it, whatever it has learned."""

    def answer():
        return make()

    answer.weights = lambda: make().state_dict()
    return answer


def with_the_courses_file(make):
    def answer():
        return make()

    answer.weights = own_weights
    return answer


def changed(forward):
    """The course's network with another forward; ``forward(old, images)``."""

    def make():
        network = build_fcn8s()
        old = network.forward
        network.forward = lambda images: forward(old, images)
        return network

    return with_the_courses_file(make)


def one_size(old, images):
    return old(F.interpolate(images, (96, 128)))


def at_a_quarter(old, images):
    return F.avg_pool2d(old(images), 4)


def with_softmax_maps(old, images):
    return old(images).softmax(1).argmax(1, keepdim=True)


def list_of_pictures(old, images):
    return list(old(images))


def with_features(old, images):
    return {"logits": old(images), "images": images}


def squeezed(old, images):
    return old(images).squeeze(0)


def columns_before_rows(old, images):
    return old(images).transpose(2, 3)


def one_class_too_many():
    return Small(34)


def as_in_voc():
    return Small(21)


def without_skips():
    return Small(skips=False)


def mean_over_the_batch(old, images):
    return old(images - images.mean(0, keepdim=True))


def no_brackets():
    return Small


def the_lessons_backbone():
    from segtutor import models

    network = Small()
    network.backbone = models.create("fcn8s_tiny", num_classes=33).backbone
    return network


def torchvisions_backbone():
    import torchvision

    network = Small()
    network.backbone = torchvision.models.mobilenet_v3_small(weights=None).features
    return network


def forgot_to_train():
    raise FileNotFoundError("there is no file fcn8s.safetensors beside the notebook: train the network first")


def not_trained():
    return Small()


not_trained.weights = forgot_to_train


def other_file():
    return Small()


other_file.weights = own_weights


def blue_first(old, images):
    return old(images.flip(1)).roll(1, 1)


def upside_down(old, images):
    return old(images.flip(2))


class Renamed(nn.Module):
    """The course's network inside another one, as a student who wraps things has it."""

    def __init__(self):
        super().__init__()
        self.inside = nn.ModuleList([build_fcn8s()])

    def forward(self, images):
        return self.inside[0](images)


def wrapped():
    return Renamed()


wrapped.weights = lambda: {f"inside.0.{name}": value for name, value in own_weights().items()}


def in_double():
    return build_fcn8s()


in_double.weights = lambda: {
    name: value.double() if value.is_floating_point() else value for name, value in own_weights().items()
}


def padded_before(old, images):
    height, width = images.shape[-2:]
    return old(F.pad(images, (0, -width % 32, 0, -height % 32), mode="replicate"))[..., :height, :width]


def left(**changed):
    """The right answers with some changed; the keys are those of the task with _ for blanks."""
    right = {
        "skips": "AC",
        "heavy training": "CF",
        "several scales": "HI",
        "backbone": "none",
        "points of the skips": 3.3,
        "points after heavy training": 1.9,
        "62.7 and 62.2": "b",
    }
    return lambda table: right | {name.replace("_", " "): value for name, value in changed.items()}


WRONG = {
    "3.10": [
        Wrong("brought to one size", changed(one_size), ODD, "size"),
        Wrong("a quarter as large", changed(at_a_quarter), SIZES, "size"),
        Wrong("classes instead of logits", changed(with_softmax_maps), SIZES, "logits"),
        Wrong("a list of pictures", changed(list_of_pictures), SIZES, "logits"),
        Wrong("a dictionary with features", changed(with_features), SIZES, "logits"),
        Wrong("batch squeezed away", changed(squeezed), SIZES, "batch"),
        Wrong("columns before rows", changed(columns_before_rows), SIZES, "axes"),
        Wrong("34 classes, not trained", with_its_file(one_class_too_many), SIZES, "classes"),
        Wrong("21 classes, not trained", with_its_file(as_in_voc), SIZES, "classes"),
        Wrong("no skips, not trained", with_its_file(without_skips), ("strides",), "skips"),
        Wrong("less the batch's mean", changed(mean_over_the_batch), ("alike", 2, 64, 64), "alike"),
        Wrong("dropout on the picture", with_its_file(WithDropout), ("alike", 2, 64, 64), "alike"),
        Wrong("no parentheses", with_its_file(no_brackets), SIZES, "object"),
        Wrong("the lesson's backbone", with_its_file(the_lessons_backbone), ("own",), "own"),
        Wrong("torchvision's backbone", with_its_file(torchvisions_backbone), ("own",), "own"),
        Wrong("not trained", not_trained, SCORE, "missing"),
        Wrong("another network's file", other_file, SCORE, "file"),
        Wrong("never learned", with_its_file(Small), SCORE, "score"),
        Wrong("other classes' numbers", changed(blue_first), SCORE, "score"),
        Wrong("pictures upside down", changed(upside_down), SCORE, "score"),
    ],
    "3.11": [
        Wrong("32s and 16s", left(skips="AB"), (), "one skip"),
        Wrong("16s and 8s", left(skips="bc"), (), "one skip"),
        Wrong("32s and the best 8s", left(skips="AF"), (), "training too"),
        Wrong("32s and the test set", left(skips="AD"), (), "pictures too"),
        Wrong("heavy on the test set", left(heavy_training="DG"), (), "test set"),
        Wrong("val and test", left(heavy_training="CG"), (), "pictures too"),
        Wrong("first and last", left(heavy_training="AF"), (), "network too"),
        Wrong("no scales", left(several_scales="none"), (), "scales"),
        Wrong("ResNet and FCN-8s", left(backbone="CH"), (), "backbone"),
        Wrong("ResNet and the heavy FCN-8s", left(backbone="FH"), (), "backbone"),
        Wrong("skips in percent", left(points_of_the_skips=100 * 3.3 / 59.4), (), "points"),
        Wrong("as shares", left(points_of_the_skips=0.033, points_after_heavy_training=0.019), (), "relative"),
        Wrong("turned around", left(points_of_the_skips=-3.3, points_after_heavy_training=-1.9), (), "sign"),
        Wrong("both trainings in one", left(points_after_heavy_training=6.1), (), "training too"),
        Wrong("written FC", left(skips="CA", heavy_training="FC", several_scales="IH"), (), "form"),
        Wrong("written with a dash", left(skips="A-C", heavy_training="C-F", several_scales="H-I"), (), "form"),
        Wrong("chance", lambda table: left()(table) | {"62.7 and 62.2": "c"}, (), "pictures"),
        Wrong("worse", lambda table: left()(table) | {"62.7 and 62.2": "A"}, (), "pictures"),
    ],
}
RIGHT = {
    "3.10": [
        ("wrapped", wrapped),
        ("in double precision", in_double),
        ("padded to 32 before", changed(padded_before)),
        ("logits times two", changed(lambda old, images: 2 * old(images))),
    ],
    "3.11": [
        ("small letters", left(skips="ac", backbone="NONE")),
        ("tensors", left(points_of_the_skips=torch.tensor(3.3), points_after_heavy_training=torch.tensor(1.9))),
        ("not rounded", left(points_of_the_skips=62.7 - 59.4, points_after_heavy_training=65.5 - 63.6)),
    ],
}
NAMES = {"3.11": {"points": ("relative",)}}
