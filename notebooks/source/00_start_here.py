# ---
# title: Start here
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 1.1 GB
# prerequisites: [Python, NumPy arrays]
# minutes_work: 75
# ---

# %% [markdown]
# Welcome. In this course you build the networks that give every pixel of a picture a name, you measure them, and you
# check the claims of the papers yourself. This first lesson needs no network at all. It shows what segmentation is, how
# the course works, and how far people came with color, clustering and graphs before networks learned features. You will
# run those older methods, score them, and see exactly where they stop.

# %% [markdown]
# ## Objectives
#
# After this lesson you can
#
# - **tell apart** semantic, instance and panoptic segmentation on one and the same picture;
# - **read** a label map: class numbers, palette, void;
# - **run** color thresholds, K-means, spectral clustering, watershed, GraphCut and GrabCut, and **say** what each was
#   told;
# - **score** a mask by intersection over union, and **compare** methods on the same objects with the same help;
# - **explain** why a method that sees only color and contrast cannot name things.

# %% [markdown]
# ## The claim
#
# > Iterating the minimum cut lets the user do much less for a result of a given quality: a box instead of careful
# > scribbles.
#
# In our words, from Rother, Kolmogorov and Blake, *"GrabCut": Interactive Foreground Extraction using Iterated Graph
# Cuts*, SIGGRAPH 2004 (abstract and §3). The paper argues it with example pictures. We will count: how many brush
# strokes does GraphCut need to equal GrabCut with a box?

# %% [markdown]
# Everything comes from three kinds of packages: NumPy and Matplotlib; scikit-image, scikit-learn and SciPy for the
# classical tools; and `segtutor`, the course's own package.

# %%
import time
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage
from skimage import color, data, draw, filters, morphology, segmentation, transform
from sklearn.cluster import KMeans, SpectralClustering
from threadpoolctl import threadpool_limits

from segtutor import classical, plotting
from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix

threadpool_limits(1)  # all problems here are small: more threads would only wait for each other
plt.rcParams.update({"figure.dpi": 64, "font.size": 11, "axes.titlesize": "medium"})

# %% [markdown]
# ## One picture, three questions
#
# *Segmentation* divides a picture into regions that mean something. What "something" is depends on the question:
#
# | | every pixel gets | countable? | what it cannot say |
# |---|---|---|---|
# | **semantic** | a class: road, sky, bicycle, … | no | where one bicycle ends and the next begins |
# | **instance** | things only: a mask, a class and a number for each | yes | what the rest of the picture is |
# | **panoptic** | a class, and for things also a number | yes | nothing is left out; a pixel has just one owner |
#
# *Things* can be counted (car, person, bicycle), *stuff* cannot (sky, road, water). This course uses drawn pictures,
# `Scenes`, beside real ones: they need no download, there is no end of them, and their labels are perfect, because the
# program that drew them knows what it drew.
#
# **Predict, then run.** Two bicycles overlap in the picture below. How many regions do they make in each of the three
# maps?

# %% tags=["hide-input"] alt="A street: the picture, its semantic classes, its instances, its panoptic segments"
street = Scenes("val", size=(192, 240), kinds=("street",)).scene(2)


def panoptic_picture(scene):
    """Stuff in the color of its class, every thing in a color of its own."""
    picture = plotting.colorize(scene.labels, SCENES)
    for k, thing in enumerate(scene.instances):
        picture[thing.mask] = plotting.overlays.INSTANCE_COLORS[k % 7]
    picture[scene.labels == SCENES.ignore_index] = 255
    return picture


figure, axes = plt.subplots(2, 2, figsize=(7.4, 4.3), layout="constrained")
axes[0, 0].imshow(street.image)
plotting.show_overlay(street.image, street.labels, SCENES, ax=axes[0, 1], alpha=0.8, legend=False)
plotting.show_instances(street.image, SCENES, ax=axes[1, 0],
                        masks=np.stack([thing.mask for thing in street.instances]))  # fmt: skip
axes[1, 1].imshow(panoptic_picture(street))
for thing in street.instances:
    if thing.mask.sum() > 500:
        right, top = thing.box[2], thing.box[1]
        style = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
        axes[1, 1].text(right, top, SCENES.names[thing.label], ha="right", va="bottom", fontsize=8, bbox=style)
for ax, name in zip(axes.flat, ("picture", "semantic", "instance", "panoptic"), strict=True):
    ax.set_title(name)
    ax.set_axis_off()
names = plotting.legend(axes[0, 1], np.unique(street.labels), SCENES)
figure.legend(handles=names.legend_handles, loc="outside right center", frameon=False)
names.remove()
plt.show()

# %% [markdown]
# In the semantic map the bicycles are **one** region of one color; nothing in it says that there are two. The instance
# map holds **two** masks, and says nothing about road, sky and houses. The panoptic map has both: two bicycles *and* a
# name for everything behind them. Lessons 3, 4 and 6 are about semantic, lesson 5 about instance segmentation; lesson 1
# has the metric for all three.

# %% [markdown]
# ## A label map is a picture made of numbers
#
# A semantic label map is an array of the picture's height and width. Its entries are *class numbers*, and they mean
# nothing without the list of names that belongs to them, the *label set*. Three facts to remember:
#
# - The numbers are names, not quantities. Class 7 (car) is not "more" than class 6 (bus), and the mean of bus and bird
#   is not boat. This is why a label map must never be resized with interpolation (lesson 2).
# - Colors exist for our eyes only. The *palette* says which color each number is drawn in.
# - 255 is *void*: pixels at the border of things where even a person would hesitate. They count in no loss and in no
#   score.
#
# **Predict, then run.** Which values do you expect at the edge between a tire and the pavement?

# %% alt="Enlarged pixels and their class numbers: 2 bicycle, 255 void around it, 24 pavement"
rows, columns = slice(154, 163), slice(76, 88)
crop = street.labels[rows, columns]
figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.8), layout="constrained")
axes[0].imshow(street.image[rows, columns])
axes[1].imshow(plotting.colorize(crop, SCENES))
for (row, column), number in np.ndenumerate(crop):
    dark = number != 255 and np.mean(SCENES.colors[number]) < 120
    axes[1].text(column, row, number, ha="center", va="center", fontsize=9, color="white" if dark else "black")
for ax, name in zip(axes, ("the picture, enlarged", "its label map"), strict=True):
    ax.set_title(name)
    ax.set_axis_off()
plt.show()

for number, pixels in zip(*np.unique(crop, return_counts=True), strict=True):
    print(f"{number:4d}  {'void' if number == 255 else SCENES.names[number]:10s} {pixels:4d} pixels")

# %% [markdown]
# ## How this course works
#
# **Lessons** (this is one) are to be run cell by cell. Where you read **Predict, then run**, decide on an answer first;
# being wrong is when you learn most. **Assignments** are yours to write. There, three functions go with you:
#
# ```python
# segtutor.check("1.1", iou)        # runs your function on many cases: score, first failing case, a hint
# iou = segtutor.use("1.1", iou)    # your function if it passes, the course's if not: nobody gets stuck
# segtutor.progress()               # how far you are; it remembers across restarts
# ```
#
# What comes:
#
# | lesson | subject |
# |---|---|
# | **0** | what segmentation is; classical methods (you are here) |
# | **1** | performance metrics: IoU, precision and recall, AP, mAP, panoptic quality |
# | **2** | data sets: PASCAL VOC, PASCAL-Context, COCO, Cityscapes, and how loaders break |
# | **3** | fully convolutional networks (FCN), transposed convolution, skips |
# | **4** | pyramid scene parsing (PSPNet), dilation, context |
# | **5** | Mask R-CNN and the R-CNN family |
# | **6** | DeepLab v2, v3, v3+: atrous convolution, ASPP, CRF |
# | **7** | a worked example with DeepLab, on your own photographs; videos and credits |
#
# Each lesson begins with a claim from a paper and measures it in front of you. If a claim does not show on our data,
# the lesson says so.

# %% [markdown]
# ## One ruler for all: intersection over union
#
# $$\mathrm{IoU} = \frac{|X \cap Y|}{|X \cup Y|}$$
#
# $X$ is the predicted mask, $Y$ the true one. 1 is perfect, 0 means that they do not touch. Lesson 1 takes this ruler
# apart; here one line of code is enough. Void pixels are left out of both masks.


# %%
def iou(truth, prediction, void=False):
    """Intersection over union of two boolean masks, without the void pixels."""
    return (truth & prediction & ~void).sum() / ((truth | prediction) & ~void).sum()


example = np.zeros((4, 6), dtype=bool)
example[:, :4] = True
print(f"shifted by one of four columns: IoU = {iou(example, np.roll(example, 1, axis=1)):.2f}")

# %% [markdown]
# ## Color thresholds
#
# The oldest idea: grass is green, so take all green pixels. A *range* is a lower and an upper bound for each of three
# numbers, six numbers in all. The question is which three numbers describe a color:
#
# - **RGB**: as the camera stores it. Brightness is mixed into all three.
# - **HSV**: hue (an angle), saturation, value. Hue ignores brightness, so a shadow should matter less.
# - **Lab**: lightness, green-red, blue-yellow, spaced as people perceive differences.
#
# To be fair, all three are fitted by the same rule: from labeled *training* scenes, cut off the same percentage of a
# class's pixels at both ends of each number; that percentage, too, is chosen on training scenes.
# Hue is an angle: red is at 0 and at 1. We turn the circle so that the class sits in the middle, or red would be cut in
# two.


# %%
def to_space(image, space):
    """Colors in 0...1 of an RGB image, H x W x 3."""
    image = classical.as_float(image)
    if space == "HSV":
        return color.rgb2hsv(image)
    return image if space == "RGB" else color.rgb2lab(image) / (100, 200, 200) + (0, 0.5, 0.5)


@dataclass
class ColorRange:
    """Six numbers, and for HSV the hue that is turned to 0.5."""

    low: np.ndarray
    high: np.ndarray
    turn: float = 0.0

    def __call__(self, colors):
        turned = (colors + np.array([self.turn, 0, 0])) % 1 if self.turn else colors
        return ((turned >= self.low) & (turned <= self.high)).all(axis=-1)


def fit_range(pixels, space, percent):
    """The range of N x 3 pixels of a class, without ``percent`` at either end of each number."""
    turn = 0.0
    if space == "HSV":
        mean_hue = np.angle(np.exp(2j * np.pi * pixels[:, 0]).mean()) / (2 * np.pi)
        turn = float((0.5 - mean_hue) % 1)
        pixels = (pixels + np.array([turn, 0, 0])) % 1
    low, high = np.percentile(pixels, (percent, 100 - percent), axis=0)
    return ColorRange(low, high, turn)


# %% [markdown]
# **Predict, then run.** Which classes are easy? Which space wins, and by how much? Note your order of RGB, HSV and Lab.

# %%
STUFF = SCENES.select(["sky", "water", "road", "pavement", "grass", "sand", "tree", "building"])
SPACES = ("RGB", "HSV", "Lab")


def pooled_pixels(split, count):
    """Pixels of many scenes as lists: colors in each space, and labels without void."""
    scenes = [Scenes(split, size=(96, 120)).scene(index) for index in range(count)]
    keep = [scene.labels != 255 for scene in scenes]
    pools = {
        space: np.concatenate([to_space(s.image, space)[k] for s, k in zip(scenes, keep, strict=True)])
        for space in SPACES
    }
    return pools, np.concatenate([s.labels[k] for s, k in zip(scenes, keep, strict=True)])


def range_scores(space, percent, pools, labels):
    """IoU of each class on pooled pixels, with ranges fitted on the training pixels."""
    return [
        iou(labels == number, fit_range(train_pools[space][train_labels == number], space, percent)(pools[space]))
        for number in STUFF
    ]


train_pools, train_labels = pooled_pixels("train", 40)
val_pools, val_labels = pooled_pixels("val", 40)
stuff_scores, percents = {}, {}
for space in SPACES:
    percents[space] = max(
        (2, 5, 10, 15, 20), key=lambda p, s=space: np.mean(range_scores(s, p, train_pools, train_labels))
    )
    stuff_scores[space] = range_scores(space, percents[space], val_pools, val_labels)
    print(f"{space}: {percents[space]:2d} % cut off, mean IoU on new scenes {np.mean(stuff_scores[space]):.3f}")

# %% [markdown]
# The same numbers by class:

# %% alt="Bars of the IoU of eight kinds of stuff by color range in RGB, HSV and Lab; no class is far above 0.6"
figure, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
for k, (space, shade) in enumerate(zip(SPACES, ("#0072B2", "#E69F00", "#009E73"), strict=True)):
    axes.bar(np.arange(len(STUFF)) + 0.27 * (k - 1), stuff_scores[space], width=0.25, color=shade, label=space)
axes.set_xticks(range(len(STUFF)), [SCENES.names[number] for number in STUFF])
axes.set(ylabel="IoU on new scenes", ylim=(0, 1))
axes.legend(frameon=False, ncols=3)
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Grass has a color of its own; road and pavement do not, and a building may have any. HSV is ahead on average, by
# little. No choice of space repairs the real trouble: the scenes are lit by noon, by evening and through clouds, and
# gray is the color of asphalt, stone, walls and clouds alike.

# %% [markdown]
# ## K-means: let the colors group themselves
#
# K-means needs no labels: it looks for $K$ centers so that every pixel is near one of them. It gives *regions*, not
# classes; region 3 has no name. Adding the position to the color keeps regions together:
# each pixel becomes five numbers, $(L, a, b, \lambda y, \lambda x)$.


# %%
def kmeans_regions(image, count, position=0.0):
    """Region numbers H x W from color, and from the position if it has a weight."""
    colors = to_space(image, "Lab")
    height, width, _ = colors.shape
    y, x = np.mgrid[:height, :width] / height
    features = np.dstack([colors, position * y, position * x]).reshape(height * width, 5)
    return KMeans(count, n_init=1, random_state=0).fit_predict(features).reshape(height, width)


# %% [markdown]
# ## Spectral clustering: cut a graph into parts
#
# K-means asks whether two pixels have like colors. Spectral clustering asks whether a *chain* of like neighbors leads
# from one to the other. The picture is a graph whose links are strong between similar neighbors, and one looks for $K$
# parts with few and weak links between them, each part being large (*normalized cut*; Shi and Malik, 2000). That needs
# eigenvectors of a matrix with one row per node, so the nodes here are not pixels but some 200 *superpixels*, small
# patches of one color.


# %%
def spectral_regions(image, count, superpixels=200):
    """Region numbers H x W: normalized cut of a graph of superpixels."""
    patches = segmentation.slic(image, superpixels, compactness=10, start_label=0)
    nodes = patches.max() + 1
    colors = to_space(image, "Lab")
    means = np.stack([ndimage.mean(colors[..., c], patches, range(nodes)) for c in range(3)], axis=1)
    linked = np.zeros((nodes, nodes), dtype=bool)
    for a, b in ((patches[:, :-1], patches[:, 1:]), (patches[:-1], patches[1:])):
        linked[a, b] = linked[b, a] = True
    difference = ((means[:, None] - means) ** 2).sum(axis=2)
    # A very weak link between all of them keeps the graph in one piece.
    affinity = np.where(linked, np.exp(-difference / (2 * 0.05**2)), 0) + 1e-5
    clustering = SpectralClustering(count, affinity="precomputed", assign_labels="cluster_qr", random_state=0)
    return clustering.fit_predict(affinity)[patches]


# %% [markdown]
# **Predict, then run.** Eight regions each. Which of the three will keep the sky in one piece? Which will mix it with
# the sea?

# %% alt="A beach scene in eight regions: by color alone, by color and position, and by spectral clustering"
beach = Scenes("val", size=(144, 180), kinds=("beach",)).scene(0)
divisions = {
    "K-means, color": kmeans_regions(beach.image, 8),
    "K-means with position": kmeans_regions(beach.image, 8, position=0.5),
    "spectral clustering": spectral_regions(beach.image, 8),
}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.1), layout="constrained")
axes[0].imshow(beach.image)
axes[0].set_title("picture")
for ax, (name, regions) in zip(axes[1:], divisions.items(), strict=True):
    mean_colors = color.label2rgb(regions, beach.image, kind="avg", bg_label=-1)
    ax.imshow(segmentation.mark_boundaries(mean_colors, regions, color=(1, 1, 1), mode="inner"))
    ax.set_title(name)
for ax in axes:
    ax.set_axis_off()
plt.show()

# %% [markdown]
# By color alone the sky shares its regions with the sea, and the sand falls into crumbs: it is textured, and K-means
# sees one pixel at a time. Position glues the crumbs together, but cuts the sand where nothing is. Spectral
# clustering keeps the sea apart from the sky and loses the people: small parts are what a normalized cut avoids.
#
# How good can such regions be? Regions have no names, so we let the *truth* name each of them: a region gets the class
# that most of its pixels have. No real system knows that. The score is a **ceiling**: even a perfect namer could not do
# better with these regions. Mean IoU here is over all classes and all scenes together, void left out.

# %%
few_scenes = [Scenes("val", size=(96, 120)).scene(index) for index in range(20)]
COUNTS = (4, 8, 16, 32)


def ceiling(divide):
    """Mean IoU over the scenes when the truth names every region."""
    matrix = ConfusionMatrix(len(SCENES))
    for scene in few_scenes:
        regions, named = divide(scene.image), np.zeros(scene.labels.shape, dtype=np.int64)
        for region in np.unique(regions):
            names = scene.labels[(regions == region) & (scene.labels != 255)]
            named[regions == region] = np.bincount(names).argmax() if names.size else 0
        matrix.update(scene.labels, named)
    return matrix.mean_iou()


ceilings = {
    "K-means, color": [ceiling(lambda image, n=n: kmeans_regions(image, n)) for n in COUNTS],
    "K-means with position": [ceiling(lambda image, n=n: kmeans_regions(image, n, 0.5)) for n in COUNTS],
    "spectral clustering": [ceiling(lambda image, n=n: spectral_regions(image, n)) for n in COUNTS],
}

# %% [markdown]
# More regions must help, since the truth names them. The question is how fast.

# %% alt="The ceiling of the mean IoU rises with the number of regions for all three ways of dividing"
figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for (name, values), marker, shade in zip(ceilings.items(), "osD", ("#0072B2", "#E69F00", "#009E73"), strict=True):
    axes.plot(COUNTS, values, marker=marker, color=shade, label=name)
axes.set_xscale("log", base=2)
axes.set_xticks(COUNTS, COUNTS)
axes.set(xlabel="number of regions", ylabel="mean IoU, named by the truth", ylim=(0, 0.8))
axes.legend(frameon=False, loc="upper left")
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Even with a perfect namer, a few regions of like color are far from the label map: a red car and a red bus fall
# together, a shirt and its trousers apart. That is the first lesson about classical segmentation: **regions of one
# color are not objects.** From here on we help: a user points at *one* object, and the method only has to find its
# outline.

# %% [markdown]
# ## The task from now on: cut out one object
#
# A user draws a **box** around an object. The method works in a window around the box and must say which pixels
# belong to the object; all know that nothing outside the box does. Some methods also get a **scribble**: a thin line
# along the middle of the object. Our user is simulated from the truth, so that it is the same for all.
#
# Per scene we take its largest object that is whole, of moderate size and hardly hidden.


# %% tags=["hide-input"]
KINDS = ("street", "harbor", "park", "beach", "lake")


@dataclass
class Case:
    """One object to cut out: a window of a scene, and what a user would draw in it."""

    image: np.ndarray  # H x W x 3 uint8
    truth: np.ndarray  # H x W bool
    void: np.ndarray  # H x W bool
    box: np.ndarray  # H x W bool, true inside
    scribble: np.ndarray  # H x W bool
    label: int


def make_case(image, truth, void, label):
    """The window around an object, with a box one pixel wider than it and a line along its middle."""
    rows, columns = np.flatnonzero(truth.any(axis=1)), np.flatnonzero(truth.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = np.zeros_like(truth)
    box[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = True
    y, x = (bottom - top) // 3 + 4, (right - left) // 3 + 4
    window = slice(max(top - y, 0), bottom + y), slice(max(left - x, 0), right + x)
    depth = ndimage.distance_transform_edt(truth)
    scribble = morphology.skeletonize(truth) & (depth >= 0.5 * depth.max())
    return Case(image[window], truth[window], void[window], box[window], scribble[window], label)


# %% [markdown]
# That was one object. The next function goes through the scenes of a kind and takes those that have a suitable one.


# %% tags=["hide-input"]
def find_cases(split, kind, count, world=0):
    """The first scenes of a kind that have a suitable object. Every kind has seeds of its own."""
    seed = 10 * world + KINDS.index(kind)
    scenes, cases, index = Scenes(split, size=(144, 180), kinds=(kind,), seed=seed), [], 0
    while len(cases) < count:
        scene = scenes.scene(index)
        height, width = scene.labels.shape
        suitable = [
            thing for thing in scene.instances
            if min(thing.box[:2]) > 1 and thing.box[2] < width - 1 and thing.box[3] < height - 1
            and 0.01 <= thing.mask.mean() <= 0.2 and thing.mask.sum() >= 0.8 * thing.full_mask.sum()
        ]  # fmt: skip
        if suitable:
            thing = max(suitable, key=lambda item: item.mask.sum())
            void = (scene.labels == 255) & ~thing.mask
            cases.append(make_case(scene.image, thing.mask, void, thing.label))
        index += 1
    return cases


# %% [markdown]
# Eight objects for each of the five kinds of scene to be tested on, and fifteen others, from training scenes, to choose
# parameters with. Six of them, with box and scribble:

# %% alt="Six objects from drawn scenes, each with a white box and an orange scribble along its middle"
test_cases = {kind: find_cases("val", kind, 8) for kind in KINDS}
tuning_cases = [case for kind in KINDS for case in find_cases("train", kind, 3)]


def draw_hints(ax, case):
    """The window with the user's box and scribble."""
    ax.imshow(case.image)
    ax.contour(case.box, levels=[0.5], colors="white", linewidths=1.5)
    row, column = np.nonzero(case.scribble)
    ax.plot(column, row, ".", color="#E69F00", markersize=3)
    ax.set_axis_off()


figure, axes = plt.subplots(1, 6, figsize=(9, 2.1), layout="constrained")
for ax, case in zip(axes, [test_cases[kind][0] for kind in KINDS] + [test_cases["harbor"][1]], strict=True):
    draw_hints(ax, case)
    ax.set_title(SCENES.names[case.label])
plt.show()

# %% [markdown]
# The score of a method is the IoU of its mask inside the box, averaged over objects. Two rivals that do nothing at all
# keep us honest: the **whole box**, and the **ellipse** that fits into it.


# %%
def score(case, mask):
    """IoU of a mask, clipped to the box, as every method may do."""
    return iou(case.truth, mask & case.box, case.void)


def whole_box(case):
    """All of the box."""
    return case.box


def ellipse(case):
    """The ellipse that touches the four sides of the box."""
    rows, columns = np.nonzero(case.box)
    (top, bottom), (left, right) = (rows.min(), rows.max()), (columns.min(), columns.max())
    y, x = np.mgrid[: case.box.shape[0], : case.box.shape[1]]
    return ((2 * y - top - bottom) / (bottom - top)) ** 2 + ((2 * x - left - right) / (right - left)) ** 2 <= 1


every_test = [case for cases in test_cases.values() for case in cases]
for rival in (whole_box, ellipse):
    print(f"{rival.__name__:10s} mean IoU {np.mean([score(case, rival(case)) for case in every_test]):.3f}")

# %% [markdown]
# ## Thresholds and clusters, with a box
#
# What we have can use a box, too. The **color range** of the class is fitted on training scenes as above (so it must be
# told the class). For the **clusters** a simple rule decides: a region belongs to the object if a large enough share
# of it lies inside the box.


# %%
def color_range(case, space, percent):
    """Pixels in the color range of the object's class; the whole box if training scenes hardly show that class."""
    pixels = train_pools[space][train_labels == case.label]
    if len(pixels) < 50:
        return case.box
    return fit_range(pixels, space, percent)(to_space(case.image, space))


def mostly_inside(regions, case, share):
    """The regions of which at least this share lies inside the box."""
    return (ndimage.mean(case.box, regions, np.arange(regions.max() + 1)) >= share)[regions]


def kmeans_box(case, count, share):
    """K-means on color, and the rule."""
    return mostly_inside(kmeans_regions(case.image, count), case, share)


def spectral_box(case, count, share):
    """Spectral clustering, and the rule."""
    return mostly_inside(spectral_regions(case.image, count), case, share)


# %% [markdown]
# ## Watershed: flood the picture
#
# Take the *gradient* (how fast the color changes) as a landscape: flat surfaces are valleys, outlines are ridges. Let
# water rise from springs in the valleys; where two waters meet, build a dam. The dams are the segmentation.
#
# If every local minimum is a spring, noise makes hundreds of lakes. The cure is to choose the springs: with
# *markers*, here the scribble for the object and all outside the box for the background.


# %%
def watershed(case, smooth):
    """Flood the gradient from the scribble and from outside the box."""
    markers = np.where(case.scribble, 2, np.where(case.box, 0, 1))
    return segmentation.watershed(landscape(case.image, smooth), markers) == 2


def landscape(image, smooth):
    """Strength of the color edges after smoothing with a Gaussian of this width."""
    blurred = filters.gaussian(to_space(image, "Lab"), smooth, channel_axis=2)
    return np.hypot(filters.sobel_h(blurred[..., 0]), filters.sobel_v(blurred[..., 0])) + sum(
        np.hypot(filters.sobel_h(blurred[..., c]), filters.sobel_v(blurred[..., c])) for c in (1, 2)
    )


# %% [markdown]
# **Predict, then run.** How many lakes will there be without markers, in a window of some hundred pixels a side: ten, a
# hundred, a thousand?

# %% alt="A cut-out: user hints, gradient landscape, hundreds of lakes without markers, and the mask with markers"
shown = test_cases["park"][0]
slopes = landscape(shown.image, smooth=1)
lakes = segmentation.watershed(slopes)
figure, axes = plt.subplots(1, 4, figsize=(7.2, 3.0), layout="constrained")
draw_hints(axes[0], shown)
axes[1].imshow(slopes, cmap="gray")
axes[2].imshow(np.array(plotting.overlays.INSTANCE_COLORS)[lakes % 7])
mask = watershed(shown, smooth=1)
axes[3].imshow(np.where((mask & shown.box)[..., None], shown.image, 255))
names = ("hints", "landscape", f"no markers: {lakes.max()} lakes", f"markers: IoU {score(shown, mask):.2f}")
for ax, name in zip(axes, names, strict=True):
    ax.set_title(name)
    ax.set_axis_off()
plt.show()

# %% [markdown]
# Markers turn a useless method into a useful one. Look at where the outline is wrong: the water runs over wherever a
# ridge has a gap, and it stops at strong edges *inside* the object.

# %% [markdown]
# ## GraphCut: the best of all masks
#
# Boykov and Jolly (2001) write down what a good mask is, as a cost, and then find the mask of *least* cost among all
# $2^{HW}$ of them. Let $\alpha_p$ be 1 for object and 0 for background, and $z_p$ the color of pixel $p$:
#
# $$E(\alpha) = \sum_p D_p(\alpha_p) + \sum_{(p,q)} w_{pq}\,[\alpha_p \neq \alpha_q],
# \qquad w_{pq} = \frac{\gamma}{\mathrm{dist}(p,q)}\, e^{-\beta\,|z_p - z_q|^2}$$
#
# - $D_p$, the *unary* term: how badly the color of $p$ fits the object (or the background). The fit comes from two
#   color models, learned from the scribble and from outside the box.
# - $w_{pq}$, the *pairwise* term: what it costs to separate two neighbors. It is small where the colors differ, so an
#   outline is cheap along edges.
#
# In our code the lines are `contrast_links` ($w$), `ColorModel.cost` ($D$), `energy` ($E$) and `minimum_cut`, all in
# `segtutor/classical.py`. The trick: such an $E$ is the capacity of a cut in a graph, and minimum cuts are found
# exactly in far less than a second. Is that true? Nine pixels have only 512 masks, so let us try them all.

# %%
random = np.random.default_rng(0)
links = classical.contrast_links(random.random((3, 3, 3)), strength=2.0)
as_object, as_background = random.normal(size=(2, 3, 3))
all_masks = [np.array([number >> bit & 1 for bit in range(9)], dtype=bool).reshape(3, 3) for number in range(512)]
energies = [classical.energy(mask, as_object, as_background, links) for mask in all_masks]
cut = classical.minimum_cut(as_object, as_background, links)
print(f"cheapest of 512 masks: {min(energies):.4f}")
print(f"minimum cut:           {classical.energy(cut, as_object, as_background, links):.4f}")

# %% [markdown]
# The cut is the optimum. So if the result is bad, it is not for want of a better search: the *cost* is wrong.
#
# The strength $\gamma$ balances the two terms. The hints below are those of the watershed. **Predict, then run.**
# What does $\gamma = 0$ do? And a very large one?


# %% alt="GraphCut of a person with link strengths 0, 5 and 500: speckled, smooth, outline only"
def graphcut(case, strength, components=5):
    """Scribble and outside of the box give the color models; one cut."""
    return classical.graph_cut(case.image, case.scribble, ~case.box, strength, components)


figure, axes = plt.subplots(1, 3, figsize=(6, 3), layout="constrained")
for ax, strength in zip(axes, (0, 5, 500), strict=True):
    mask = graphcut(shown, strength) & shown.box
    ax.imshow(np.where(mask[..., None], shown.image, 255))
    ax.set_title(f"γ = {strength}: IoU {score(shown, mask):.2f}")
    ax.set_axis_off()
plt.show()

# %% [markdown]
# At $\gamma = 0$ every pixel is judged alone by its color: speckles. With links they vanish. At a huge $\gamma$ the
# colors count for nothing, and only the hints and the cheapest outline between them are left, much as in a watershed.
#
# Notice what is missing: the head. The scribble did not touch it, so its colors are unknown to the object's model. A
# user would add a stroke there. GrabCut wants to spare us that.

# %% [markdown]
# ## GrabCut: learn the colors from the result, and again
#
# Start with nothing but the box: outside is background, inside is *perhaps* object. Then take turns:
#
# 1. learn the two color models, mixtures of five Gaussians each, from the present mask and its complement;
# 2. cut; the mask gets better, so its colors do, too; back to 1.
#
# Each step can only lower the same energy, so it must come to rest. **Predict, then run.** After how many turns?


# %% alt="GrabCut on a sheep, which improves, and a person, who gets worse, while the energy falls in both"
def grabcut(case, strength, scribble=False):
    """Box alone, or box and scribble."""
    return classical.grab_cut(case.image, case.box, case.scribble if scribble else None, strength=strength)


figure, axes = plt.subplots(2, 5, figsize=(8.4, 4.2), layout="constrained")
for row, case in zip(axes, (test_cases["lake"][3], test_cases["beach"][0]), strict=True):
    result = grabcut(case, strength=5)
    row[0].imshow(case.image)
    row[0].contour(case.box, levels=[0.5], colors="white", linewidths=1.5)
    row[0].set_title("picture and box")
    for ax, index in zip(row[1:], (0, 1, len(result.masks) - 1), strict=False):
        mask = result.masks[index]
        ax.imshow(np.where(mask[..., None], case.image, 255))
        ax.set_title(f"pass {index + 1}: IoU {score(case, mask):.2f}")
    for ax in row[:4]:
        ax.set_axis_off()
    row[4].plot(range(1, len(result.energies) + 1), np.array(result.energies) / 1000, "o-", color="#0072B2")
    row[4].set_xlabel("pass")
    row[4].set_title("energy / 1000")
    row[4].xaxis.get_major_locator().set_params(integer=True)
plt.show()

# %% [markdown]
# The energy falls from pass to pass, steeply at first, in both rows, as it must. The sheep gets better. The person gets
# *worse*: a lower energy is not a better mask, only a mask that agrees better with its own color models.

# %% [markdown]
# ## A fair contest
#
# Every method may choose its parameters on the fifteen training objects, by the same rule: try a short list, keep the
# best. The test objects are not touched meanwhile.


# %%
def combinations(**lists):
    """Every choice of one value from each list."""
    choices = [{}]
    for name, values in lists.items():
        choices = [{**choice, name: value} for choice in choices for value in values]
    return choices


METHODS = {  # row of the table: how to run it, and what may be chosen
    "whole box": (whole_box, [{}]),
    "ellipse": (ellipse, [{}]),
    "color range | + class": (color_range, combinations(space=SPACES, percent=(0.5, 2, 5))),
    "K-means": (kmeans_box, combinations(count=(8, 16, 32), share=(0.3, 0.5, 0.7))),
    "spectral": (spectral_box, combinations(count=(12, 24, 48), share=(0.7, 0.9))),
    "watershed | + scribble": (watershed, combinations(smooth=(0, 0.5, 1))),
    "GraphCut | + scribble": (graphcut, combinations(strength=(2, 5, 50, 500), components=(1, 5))),
    "GrabCut": (lambda case, strength: grabcut(case, strength).mask, combinations(strength=(2, 5, 15, 50))),
    "GrabCut | + scribble": (
        lambda case, strength: grabcut(case, strength, scribble=True).mask,
        combinations(strength=(2, 5, 15)),
    ),
}


def mean_score(run, options, cases):
    """Mean IoU over objects."""
    return np.mean([score(case, run(case, **options)) for case in cases])


chosen = {}
for name, (run, choices) in METHODS.items():
    best = max(choices, key=lambda options, run=run: mean_score(run, options, tuning_cases)) if choices[1:] else {}
    chosen[name] = best
    if best:
        print(f"{name:23s}", ", ".join(f"{key} = {value}" for key, value in best.items()))

# %% [markdown]
# Note GrabCut's strength: the paper uses $\gamma = 50$ for large photographs. Our windows are small and grainy, and
# the training objects prefer less. Forty test objects now, with what each method was told beside the box.
#
# **Predict, then run.** Which method wins with the box alone? In which kind of scene is it easiest?

# %%
contest = {}  # IoU of every object, kinds x objects
print("milliseconds per object:")
for name, (run, _) in METHODS.items():
    start = time.perf_counter()
    contest[name] = np.array([[score(case, run(case, **chosen[name])) for case in test_cases[kind]] for kind in KINDS])
    print(f"  {name:23s}{1000 * (time.perf_counter() - start) / contest[name].size:6.0f}")

# %% [markdown]
# Mean IoU, rows by what the user gave: first the box alone, then the box and something else.

# %% alt="Table of mean IoU: methods by kind of scene; GrabCut with box and scribble is best, color ranges are worst"
table = np.array([[*scores.mean(axis=1), scores.mean()] for scores in contest.values()])
order = sorted(range(len(table)), key=lambda i: ("|" in list(METHODS)[i], table[i, -1]))
figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
axes.imshow(table[order], cmap="cividis", vmin=0.2, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(table[order]):
    axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if value < 0.65 else "black",
              weight="bold" if column == len(KINDS) else "normal")  # fmt: skip
axes.set_xticks(range(len(KINDS) + 1), [*KINDS, "mean"])
axes.set_yticks(range(len(order)), [list(METHODS)[i].replace(" | ", " ") for i in order])
axes.axhline(sum("|" not in name for name in METHODS) - 0.5, color="white", linewidth=4)
axes.axvline(len(KINDS) - 0.5, color="white", linewidth=4)
axes.tick_params(length=0, top=True, labeltop=True, labelbottom=False)
plt.show()

# %% [markdown]
# Read it line by line; the numbers are those of our run.
#
# - **Compare with the box.** A bus fills its box, so doing nothing already has 0.68 in the street. Only what a method
#   adds to the first two rows is its own merit.
# - **The color range is told the class and still loses to the ellipse.** Cars and clothes come in all colors, so the
#   best it could do on the training objects was to exclude hardly anything.
# - **GraphCut with a thin scribble is no better than K-means.** Its cut is optimal, but it knows only the colors that
#   the line has touched.
# - **GrabCut with the box alone beats every rival that gets a scribble, too.** It finds the missing colors itself. A
#   scribble on top adds a little. It also costs several cuts: tens of milliseconds for one, some hundred for all.
# - **Kinds differ.** The harbor is easiest for GrabCut, since the water behind a boat has colors of its own. The
#   beach is hardest: people in front of people, skin and fur in the color of sand.

# %% [markdown]
# ## Where each one fails
#
# Averages hide reasons. For four methods, the object on which each did worst; the white line is the truth.

# %% alt="The worst result of four methods: each takes in surroundings of like color or loses parts of the object"
figure, axes = plt.subplots(2, 4, figsize=(7.6, 4.4), layout="constrained")
for (top, bottom), name in zip(
    axes.T, ("K-means", "watershed | + scribble", "GraphCut | + scribble", "GrabCut"), strict=True
):
    case = every_test[contest[name].argmin()]
    mask = METHODS[name][0](case, **chosen[name]) & case.box
    top.imshow(case.image)
    bottom.imshow(np.where(mask[..., None], case.image, 90))
    bottom.contour(case.truth, levels=[0.5], colors="white", linewidths=1.2)
    top.set_title(f"{name.split(' |')[0]}: {SCENES.names[case.label]}")
    bottom.set_title(f"IoU {score(case, mask):.2f}")
for ax in axes.flat:
    ax.set_axis_off()
plt.show()

# %% [markdown]
# - *K-means* keeps each color that lives mostly inside the box: also the clothes of the person who stands behind.
# - The *watershed* cannot leave the ring of a wheel: what strong edges enclose stays with its marker, pavement or not.
# - *GraphCut* knows the colors under its line, here those of a bus's windows, and finds just the windows.
# - *GrabCut* sees the other people's skin and trousers outside the box and concludes that they are background here,
#   too. Only the green shirt is unlike all others.
#
# Mostly one cause: **the same color on both sides of the outline**, or many colors within it.

# %% [markdown]
# ## Real photographs
#
# Drawn pictures are fair to count with, but are they like photographs? Two photographs come with scikit-image: a cup of
# coffee (Rachel Michetti, CC0) and the astronaut Eileen Collins (NASA, public domain). They have no ground truth, so we
# drew one for this lesson: the polygons below, corner by corner, $(x, y)$ in pixels. All parameters stay as chosen on
# drawn scenes.

# %% tags=["hide-input"]
CUP = [
    (77, 220), (80, 190), (92, 155), (115, 120), (145, 90), (178, 70), (185, 52), (205, 35), (235, 22), (275, 17),
    (320, 20), (355, 32), (385, 52), (398, 70), (412, 67), (422, 72), (423, 85), (415, 105), (440, 125), (462, 155),
    (475, 190), (480, 225), (475, 260), (460, 295), (435, 330), (400, 358), (355, 380), (300, 388), (255, 385),
    (210, 372), (165, 348), (125, 315), (97, 275), (82, 245),
]  # fmt: skip
ASTRONAUT = [  # with her suit, without the helmet in front of it
    (153, 95), (157, 65), (172, 42), (195, 25), (220, 16), (250, 15), (275, 25), (293, 45), (301, 70), (301, 95),
    (294, 115), (284, 130), (272, 137), (266, 155), (258, 178), (280, 190), (297, 215), (305, 238), (303, 250),
    (325, 258), (342, 275), (352, 300), (358, 325), (361, 345), (340, 365), (318, 385), (300, 410), (286, 440),
    (279, 470), (278, 511), (40, 511), (28, 475), (22, 430), (24, 380), (27, 345), (37, 310), (50, 280), (62, 258),
    (80, 240), (100, 222), (114, 207), (112, 190), (125, 170), (140, 155), (165, 148), (183, 149), (182, 140),
    (172, 125), (160, 115),
]  # fmt: skip


def photo_case(photo, polygon, width):
    """A photograph, reduced to a width, with our polygon as its truth."""
    factor = width / photo.shape[1]
    size = round(photo.shape[0] * factor), width
    small = transform.resize(photo, size, anti_aliasing=True)
    x, y = np.array(polygon).T
    truth = draw.polygon2mask(size, np.column_stack([(y + 0.5) * factor - 0.5, (x + 0.5) * factor - 0.5]))
    return make_case((255 * small).round().astype(np.uint8), truth, np.zeros(size, dtype=bool), label=-1)


photos = [photo_case(data.coffee(), CUP, 180), photo_case(data.astronaut(), ASTRONAUT, 160)]

# %% [markdown]
# **Predict, then run.** One cup is red on red-brown wood. The astronaut's suit is as red as the flag behind it, and her
# collar is as black as the helmet before it. Which photograph is easier?

# %% alt="Two photographs, a coffee cup and an astronaut, cut out by five methods, with the IoU of each"
names = ("K-means", "watershed | + scribble", "GraphCut | + scribble", "GrabCut", "GrabCut | + scribble")
figure, axes = plt.subplots(2, 6, figsize=(9.6, 3.5), layout="constrained")
for row, case in zip(axes, photos, strict=True):
    draw_hints(row[0], case)
    for ax, name in zip(row[1:], names, strict=True):
        mask = METHODS[name][0](case, **chosen[name]) & case.box
        ax.imshow(np.where(mask[..., None], case.image, 255))
        ax.set_title("\n".join([*name.split(" | "), f"IoU {score(case, mask):.2f}"]), fontsize=10)
        ax.set_axis_off()
plt.show()

# %% [markdown]
# The cup goes well with GrabCut: red lacquer and red-brown wood are apart for a mixture of five Gaussians. The
# astronaut does not: the flag's red stripe and the suit are one color, and the black collar is given to the
# background. The watershed, which looks at edges only, is ahead there. So on *one* photograph the ranking of forty
# objects can turn around, and a figure with one beautiful example (every paper has one) proves little.

# %% [markdown]
# ## The claim, measured
#
# *Iterating spares the user work.* To count work, we let a tireless user help GraphCut with one **click** after the
# other, a small disc: always in the middle of the largest mistake, on the object if something is missing, on the
# background if something is too much. GrabCut gets no click. Both get the box, and each has the parameters that were
# best for it on training objects. To see what the *iterating* does, we also score GrabCut after its first pass. Three
# worlds (seeds) of fifteen new objects each.


# %%
def clicked_graphcut(case, clicks, strength, components):
    """IoU of GraphCut after each click at the deepest point of the largest mistake."""
    marks = {True: np.zeros_like(case.box), False: ~case.box}
    y, x = np.mgrid[: case.box.shape[0], : case.box.shape[1]]
    mask, scores = np.zeros_like(case.box), []
    for _ in range(clicks):
        mistakes = {True: case.truth & ~mask, False: mask & ~case.truth & ~case.void}
        depth = {kind: ndimage.distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1] for kind, area in mistakes.items()}
        kind = bool(depth[True].max() >= depth[False].max())
        row, column = np.unravel_index(depth[kind].argmax(), mask.shape)
        disc = (y - row) ** 2 + (x - column) ** 2 <= 2**2
        marks[kind] |= disc & (case.truth == kind) & case.box
        mask = classical.graph_cut(case.image, marks[True], marks[False], strength, components) & case.box
        scores.append(score(case, mask))
    return scores


CLICKS = 8
clicked, first_pass, iterated = [], [], []  # mean IoU, one entry per world
for world in (1, 2, 3):
    objects = [case for kind in KINDS for case in find_cases("val", kind, 3, world)]
    runs = [grabcut(case, **chosen["GrabCut"]) for case in objects]
    first_pass.append(np.mean([score(case, run.masks[0]) for case, run in zip(objects, runs, strict=True)]))
    iterated.append(np.mean([score(case, run.mask) for case, run in zip(objects, runs, strict=True)]))
    options = chosen["GraphCut | + scribble"]
    clicked.append(np.mean([clicked_graphcut(case, CLICKS, **options) for case in objects], axis=0))
clicked = np.array(clicked)

# %% [markdown]
# The points are means over the three worlds; bars and bands reach from the worst world to the best.

# %% alt="GraphCut's mean IoU rises with clicks; GrabCut with only a box is a horizontal line that it crosses late"
figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
mean, numbers = clicked.mean(axis=0), np.arange(1, CLICKS + 1)
spread = np.abs(np.stack([clicked.min(axis=0), clicked.max(axis=0)]) - mean)
axes.errorbar(numbers, mean, spread, fmt="o-", color="#0072B2", capsize=4, label="GraphCut: box and clicks")
for values, style, name in ((iterated, "-", "GrabCut: box, iterated"), (first_pass, "--", "GrabCut: box, first pass")):
    axes.axhline(np.mean(values), linestyle=style, color="#D55E00", label=name)
axes.axhspan(min(iterated), max(iterated), color="#D55E00", alpha=0.15, linewidth=0)
axes.set(xlabel="clicks", ylabel="mean IoU", ylim=(0.3, 1))
axes.legend(frameon=False, loc="lower right")
axes.spines[["top", "right"]].set_visible(False)
plt.show()

enough = np.flatnonzero(mean >= np.mean(iterated))
for name, values in (("first pass", first_pass), ("iterated", iterated)):
    print(f"GrabCut, box only, {name:10s}: mean IoU {np.mean(values):.3f}, worlds", *np.round(values, 3))
print("clicks that GraphCut needs for as much:", numbers[enough[0]] if enough.size else f"more than {CLICKS}")

# %% [markdown]
# | | |
# |---|---|
# | **claim** | iterated cuts spare the user work (Rother et al., 2004) |
# | **compared** | same objects, same boxes: GraphCut with clicks; GrabCut after one pass; after all passes |
# | **ours** | iterating adds about 0.03 IoU; the box alone is worth about three perfect clicks in GraphCut |
# | **the paper's** | example pictures, with the strokes of a real user, and no such number |
#
# **Verdict: it holds, with two limits.** A box does save clicks. But most of the gain is there after the first pass:
# learning the colors from *all* of the box does more than iterating. And a user who is willing to click four times gets
# *better* masks from GraphCut than GrabCut finds alone.
#
# Our user is too good (she always sees her largest mistake), so three clicks are an under-estimate of the work saved.
# And nothing forbids both: GrabCut followed by a few strokes is what the paper proposes in the end.

# %% [markdown]
# ## One patch, two names
#
# One last picture. Both bollards below are drawn by the same code. One stands in a street: a *street bollard*. One
# stands in a harbor, where ships are tied to it: a *mooring bollard*. They are two classes of `Scenes`.
#
# **Predict, then run.** By how much do the two patches differ?

# %% alt="A street and a harbor with the same bollard, and both bollards enlarged: the patches are equal"
pair = {kind: Scenes("val", size=(192, 240), kinds=(kind,)).scene(10) for kind in ("street", "harbor")}
rows, columns = slice(130, 192), slice(88, 136)
figure, axes = plt.subplots(1, 4, figsize=(7.8, 2.2), width_ratios=(2, 1, 2, 1), layout="constrained")
for (whole, part), (kind, scene) in zip(axes.reshape(2, 2), pair.items(), strict=True):
    whole.imshow(scene.image)
    whole.add_patch(plt.Rectangle((columns.start, rows.start), 48, 61, fill=False, edgecolor="white", linewidth=2))
    part.imshow(scene.image[rows, columns])
    whole.set_title(kind)
    part.set_title(SCENES.names[int(scene.labels[165, 112])])
for ax in axes:
    ax.set_axis_off()
plt.show()

patches = [scene.image[rows, columns].astype(int) for scene in pair.values()]
print("largest difference between the two patches:", np.abs(patches[0] - patches[1]).max())

# %% [markdown]
# Not by one gray value. No threshold, no cluster and no cut inside this patch can ever tell the two apart: what
# decides is far away in the picture, houses or ships. And this is no trick of drawn scenes. A patch of white may be
# cloud, snow or a wall; people know from all the rest.
#
# So what is missing is not a cleverer cost for colors. It is
#
# - **features** that say "wheel", "water", "leg" and not just "gray": they must be *learned* from examples;
# - **context**: each decision must see far beyond its own patch;
# - **names**: the output must be classes, for all pixels, without a user.
#
# A network that is trained on label maps has all three. Lesson 3 builds the first one. The old ideas do not vanish,
# though: in lesson 6 the energy of this lesson returns, with links between *all* pixels, to sharpen a network's output.
# Before that, lesson 1 makes sure that we can measure what we build.

# %% [markdown]
# ## Pitfalls
#
# - **Hue is a circle.** A range of hues around red must wrap around 0. Tools also disagree on the scale: scikit-image
#   has hue in 0…1, OpenCV stores 0…179 in 8 bits
#   ([OpenCV: color conversions](https://docs.opencv.org/4.x/de/d25/imgproc_color_conversions.html)).
# - **BGR.** OpenCV reads files as blue-green-red. Thresholds then select orange for blue, silently; the color-space
#   tutorial under Reading shows such a picture.
# - **A watershed without markers** returns its noise; OpenCV's own tutorial warns of it. Smooth, and choose markers.
# - **A box too tight, or a background that is not seen outside it**: GrabCut learns the background from outside the
#   box only. What occurs only inside counts as object (Rother et al., 2004, §3.2, and let the user correct it with
#   strokes).
# - **Ceilings are not results.** Clusters that the truth has named are scored far too well for any real use.
# - **Tuning on the test pictures.** Nine methods with a handful of parameters each find some lucky setting on 40
#   objects. Choose on training pictures, report on others.
# - **One example proves nothing.** Any method here wins on some object. Look at means, spread *and* at the failures.

# %% [markdown]
# ## Summary
#
# - Semantic: a class per pixel. Instance: a mask per thing. Panoptic: both, each pixel with one owner.
# - A label map holds class numbers; the palette is for eyes; 255 is void.
# - Color ranges are quick and need to be told the class; hue helps against light, nothing helps against like colors.
# - K-means and spectral clustering make regions without names; regions of one color are not objects.
# - Watershed floods a gradient from markers. GraphCut finds the cheapest of all masks exactly. GrabCut learns the
#   colors by turns and needs only a box.
# - All of them see color and contrast. None can name what it found, or tell two equal patches apart by what is far
#   away.

# %% [markdown]
# ## Self-test
#
# 1. A picture shows three sheep, two of them touching, on grass. How many regions has its semantic, its instance, its
#    panoptic map?
# 2. Someone resizes a label map with bilinear interpolation. Between bus (6) and car (7) nothing bad seems to happen.
#    And between background (0) and person (15)?
# 3. A range in RGB works at noon and fails in the evening. Which space would you try, and which trap waits there?
# 4. A minimum cut is the exact optimum of its energy. Why is GraphCut's result not always right?
# 5. GrabCut's energy never rises from pass to pass. Does that mean that the IoU never falls?
#
# <details><summary>Answers</summary>
#
# 1. Semantic: two classes (the touching sheep form one region, the third another, but all carry one number). Instance:
#    three masks, and the grass is not in it. Panoptic: four segments, three sheep and the grass.
# 2. Half-way values such as 7 or 8 appear along the edge: suddenly there are cars and cats around the person.
# 3. HSV: hue changes less with the light. Hue is an angle (red sits at both ends), and it is meaningless for grays.
# 4. Because the *energy* is only our idea of a good mask: the colors may be alike, a hint may miss a color, and the
#    shortest outline may cut off thin parts.
# 5. No. The energy knows nothing of the truth. If the models drift to wrong colors, each pass makes it lower and the
#    mask worse; the GrabCut figure prints both, look again.
#
# </details>

# %% [markdown]
# ## Reading
#
# - R. Stone, [Image Segmentation Using Color Spaces in OpenCV +
#   Python](https://realpython.com/python-opencv-color-spaces/) (Real Python). Look at the 3-D scatter plots of the
#   same pixels in RGB and in HSV: you *see* why one range works better.
# - [Image Segmentation with Watershed Algorithm](https://docs.opencv.org/4.x/d3/db4/tutorial_py_watershed.html)
#   (OpenCV). Look at how the distance transform makes sure markers for coins that touch.
# - Y. Boykov, M.-P. Jolly, *Interactive Graph Cuts for Optimal Boundary & Region Segmentation of Objects in N-D
#   Images*, ICCV 2001. Look for the table of link weights: it is `minimum_cut`, line by line.
# - C. Rother, V. Kolmogorov, A. Blake, *"GrabCut"*, ACM Transactions on Graphics 23(3), 2004. Look at figure 3, the
#   algorithm, and find each of its lines in `segtutor/classical.py`.
# - J. Shi, J. Malik, *Normalized Cuts and Image Segmentation*, PAMI 22(8), 2000. Look at why the plain minimum cut
#   prefers to cut off single pixels.
# - L. Vincent, P. Soille, *Watersheds in Digital Spaces*, PAMI 13(6), 1991. Look at the pictures of flooding.
# - R. Szeliski, [Computer Vision: Algorithms and Applications](https://szeliski.org/Book/), 2nd edition, the section on
#   segmentation. Look at how the methods of this lesson hang together.
