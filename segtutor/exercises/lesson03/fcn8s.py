# mypy: disable-error-code="no-untyped-def, misc, name-defined"
"""Exercise 3.10: an FCN-8s of one's own, trained on scenes and judged by what it finds in others.

build_fcn8s() --> a network with random weights --+
train_fcn8s(...) --> fcn8s.safetensors -----------+--> label maps of 16 scenes --> mean IoU

The check builds the network and loads the file, which is only read: nothing is trained and nothing unpickled. The
course's own weights are made by ``python -m segtutor.exercises.lesson03.make_fcn8s``.
"""

from __future__ import annotations

from typing import Any

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, models, nn, torch, training
from segtutor.exercises.lesson03.fcn8s_mistakes import MISTAKES, own_weights
from segtutor.exercises.lesson03.fcn8s_questions import SIZE, STRIDES, WEIGHTS, Score, asked

STUB = '''
def build_fcn8s():
    """An FCN-8s with random weights: normalized pictures B x 3 x H x W -> logits B x 33 x H x W, for any H and W."""
    raise NotImplementedError("Write build_fcn8s() here, then run this cell again.")
'''


def build_fcn8s() -> Any:
    """An FCN-8s with random weights: normalized pictures B x 3 x H x W -> logits B x 33 x H x W, for any H and W."""
    classes = 33

    def group(channels, outputs, convolutions):
        layers = []
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            channels = outputs
        return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))

    def enlarge(scores, factor, like):
        scores = F.interpolate(scores, scale_factor=factor, mode="bilinear")
        return scores[..., : like.shape[-2], : like.shape[-1]]

    class FCN8s(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool3 = nn.Sequential(group(3, 16, 1), group(16, 32, 1), group(32, 48, 2))
            self.pool4, self.pool5 = group(48, 96, 2), group(96, 128, 2)
            self.score3, self.score4, self.score5 = (nn.Conv2d(channels, classes, 1) for channels in (48, 96, 128))

        def forward(self, images):
            pool3 = self.pool3(images)
            pool4 = self.pool4(pool3)
            scores = enlarge(self.score5(self.pool5(pool4)), 2, pool4) + self.score4(pool4)
            scores = enlarge(scores, 2, pool3) + self.score3(pool3)
            return enlarge(scores, 8, images)

    return FCN8s()


def train_fcn8s(network: Any, pictures: Any) -> None:
    """Trains the network on pictures.images, N x 3 x H x W bytes, and pictures.maps, N x H x W with 255 for void."""
    steps = 300
    weights = torch.tensor(training.balanced_class_weights(pictures))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    network.train()
    for _ in range(steps):
        chosen = torch.randint(len(pictures), (8,))
        images, maps = models.Preprocessing().normalize(pictures.images[chosen]), pictures.maps[chosen].long()
        if torch.rand(()) < 0.5:
            images, maps = images.flip(-1), maps.flip(-1)
        loss = F.cross_entropy(network(images), maps, weights, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()


build_fcn8s.weights = own_weights  # type: ignore[attr-defined]


def _enlarged_to_the_size(scores, like):
    return F.interpolate(scores, like.shape[-2:], mode="bilinear")


def _to_the_next_size():
    network = build_fcn8s()

    def forward(images):
        pool3 = network.pool3(images)
        pool4 = network.pool4(pool3)
        scores = _enlarged_to_the_size(network.score5(network.pool5(pool4)), pool4) + network.score4(pool4)
        scores = _enlarged_to_the_size(scores, pool3) + network.score3(pool3)
        return _enlarged_to_the_size(scores, images)

    network.forward = forward
    return network


def _added_at_the_end():
    network = build_fcn8s()

    def forward(images):
        pool3 = network.pool3(images)
        pool4 = network.pool4(pool3)
        scored = network.score3(pool3), network.score4(pool4), network.score5(network.pool5(pool4))
        return sum(_enlarged_to_the_size(scores, images) for scores in scored)

    network.forward = forward
    return network


def _with_transposed_convolutions():
    network = build_fcn8s()

    def enlarged(scores, factor, like):
        triangle = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor
        kernel = (triangle[:, None] * triangle).expand(33, 1, -1, -1)
        scores = F.conv_transpose2d(scores, kernel, stride=factor, padding=factor // 2, groups=33)
        return scores[..., : like.shape[-2], : like.shape[-1]]

    def forward(images):
        pool3 = network.pool3(images)
        pool4 = network.pool4(pool3)
        scores = enlarged(network.score5(network.pool5(pool4)), 2, pool4) + network.score4(pool4)
        return enlarged(enlarged(scores, 2, pool3) + network.score3(pool3), 8, images)

    network.forward = forward
    return network


for _answer in (_to_the_next_size, _added_at_the_end, _with_transposed_convolutions):
    _answer.weights = own_weights  # type: ignore[attr-defined]

EXERCISE = Exercise(
    id="3.10",
    title="An FCN-8s of your own, trained",
    name="build_fcn8s",
    statement="""
In lesson 3 the FCN stood on a backbone that came with the course and had been trained before. Here every layer is
yours, and it begins with random weights. Write two functions.

`build_fcn8s()` returns an `nn.Module` for the 33 classes of Scenes, made of the layers of `torch.nn`. It takes
normalized pictures B x 3 x H x W, **of any height and width**, and returns one tensor of logits, B x 33 x H x W. Its
maps are halved down to strides 8, 16 and 32; a convolution scores each of the three, and the scores are enlarged and
added from the deepest to the finest, as in the paper. A few convolutions with batch norm before each halving are
enough: nobody needs VGG16's 134 million parameters here. Should a pooling round up or down, and what follows for the
sizes that you add?

`train_fcn8s(network, pictures)` trains it: `pictures.images` are the 400 scenes of the cell above as bytes,
N x 3 x 96 x 128, and `pictures.maps` their label maps, N x 96 x 128, with 255 for void. It returns nothing.
`models.Preprocessing().normalize` makes of bytes what your network gets. You choose the optimizer, the learning rate
and the number of steps; **four minutes** on two cores are the limit that you should set yourself.

The cell after it trains once and writes what was learned to `fcn8s.safetensors`, beside the notebook. **Hand this file
in with the notebook**, as `NAME.fcn8s.safetensors` where many notebooks `NAME.ipynb` lie in one folder. The check loads
it, trains nothing, and lets your network segment 16 scenes of the split *test*. It asks for a mean IoU of 15, 20, 25,
30 and 35 %. The solution trains for 300 steps, forty seconds of one core, and reached 47 to 50 % with five seeds.
""",
    stub=STUB,
    reference=build_fcn8s,
    cases=(
        Case("logits of a scene of 96 x 128", ("size", 1, 96, 128), (1, 33, 96, 128), "size"),
        Case("two pictures of 75 x 101", ("size", 2, 75, 101), (2, 33, 75, 101), "odd"),
        Case("strides of the maps that are scored", ("strides",), STRIDES, "skips"),
        Case("layers from collections of finished networks", ("own",), 0, "own"),
        Case("a picture alone and in a batch: the same logits", ("alike", 2, 64, 64), True, "alike"),
        *(
            Case(
                f"what it has learned: mean IoU of {percent} %", ("score", 16, *SIZE), Score(16, percent / 100), "score"
            )
            for percent in (15, 20, 25, 30, 35)
        ),
    ),
    hints={
        "general": Hint(
            "Five halvings make strides 2 to 32. Keep the maps behind the third, fourth and fifth, and score each with "
            "a convolution of 1 x 1.",
            "Build it from the deepest map upward: enlarge by 2, cut to the size of the next finer map, add that map's "
            "scores; after the last sum enlarge by 8 and cut to the picture. Only then train.",
        ),
        "size": Hint(
            "There must be one vector of logits for every pixel of the picture that was given, whatever its size.",
            "Enlarge the last scores by 8, or to the picture's own size: images.shape[-2:], never fixed numbers.",
        ),
        "odd": Hint(
            "75 and 101 cannot be halved five times without a remainder, so an enlarged map and the finer one differ "
            "by a row or a column.",
            "Let the poolings round up (ceil_mode=True) and cut the enlarged map to the size of the finer one.",
        ),
        "batch": Hint(
            "All pictures of the batch are answered, and the first axis stays theirs, even if there is only one.",
            "No index and no squeeze on the first axis.",
        ),
        "axes": Hint(
            "The axes are picture, class, row, column, in this order.",
            "Return the logits as the convolutions give them: no permute and no transpose.",
        ),
        "logits": Hint(
            "One tensor of logits is wanted, for the loss and for the check: no label maps, no dictionary, no tuple.",
            "forward returns the enlarged scores themselves; whoever wants a label map takes argmax(1) outside.",
        ),
        "classes": Hint(
            "Scenes has 33 classes, counted from 0; void is none of them.",
            "Each layer that scores has 33 outputs, and nothing else decides the number of channels of the logits.",
        ),
        "skips": Hint(
            "An FCN-8s scores three maps: those of stride 8, 16 and 32. Here at least one of them is not scored by a "
            "convolution of 33 outputs, or has another stride.",
            "One nn.Conv2d with 33 outputs for each of the three maps, and each of them used in forward.",
        ),
        "object": Hint(
            "build_fcn8s() gives the network itself, ready to be called with pictures.",
            "return FCN8s(), with parentheses: the object, not the class or a function.",
        ),
        "own": Hint(
            "The layers are yours to put together: no backbone from segtutor.models or torchvision.models.",
            "Write the five groups with nn.Conv2d, nn.BatchNorm2d, nn.ReLU and nn.MaxPool2d.",
        ),
        "alike": Hint(
            "After training, a picture's logits depend on nothing but the picture: not on the others, not on chance.",
            "nn.Dropout and nn.BatchNorm2d as layers stop by themselves in evaluation mode; functions such as "
            "F.dropout, and means over the batch, do not.",
        ),
        "missing": Hint(
            "The network stands; what is missing is the training. The check looks for the file that the training cell "
            "writes beside the notebook.",
            "Write train_fcn8s, and run the training cell; then run the check again.",
        ),
        "file": Hint(
            "fcn8s.safetensors belongs to another network than build_fcn8s() returns now.",
            "Run the training cell again: it trains anew where the file does not fit.",
        ),
        "score": Hint(
            "The file fits, but what the network finds is not good enough yet. Look at the loss while it trains: from "
            "ln 33 = 3.5 it should fall below 1.",
            "Usual reasons: pictures that were not normalized; void that was not ignored; no class weights, so that "
            "rare classes are never found; too few steps, or a rate that does not become smaller toward the end.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_to_the_next_size, _added_at_the_end, _with_transposed_convolutions),
    points=8,
    minutes=65,
    difficulty=3,
    seconds=6.0,
    files=(WEIGHTS,),
    around=asked,
)
