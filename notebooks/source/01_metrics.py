# ---
# title: Metrics
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 1 GB
# prerequisites: ["[Lesson 0](00_start_here.ipynb)", NumPy arrays]
# minutes_work: 65
# ---

# %% [markdown]
# How can we tell whether a predicted segmentation is good? We hold it against the *ground truth*, a
# [label map](glossary.ipynb#label-map) that people have drawn, and boil the comparison down to one number. The trouble
# is that there are a dozen such numbers, and they do not agree. In this lesson one and the same prediction gets two
# different scores under one name, both of them printed in papers, and three models are each declared the best on the
# same pictures. When you have worked through it, you will know what every number counts, what it cannot see, and when
# two of them must not be compared.
#
# ## Two photographs, two predictions
#
# We need predictions with real mistakes. Here is about the simplest way to make them: 60 random pixels of a photograph
# get their true class, and every other pixel takes the class of the one among the 60 that is most like it in color and
# place. (Looking up 60 answers would be cheating in any contest. Here we only want mistakes to measure.)


# %% fold="Prepare: imports, the style of the figures, photographs with their label maps, and the simple predictions"
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy import ndimage
from scipy.spatial import cKDTree

from segtutor import metrics, plotting
from segtutor.claims.claim import uncertainty
from segtutor.datasets import Photographs, Scenes
from segtutor.labels import PHOTOGRAPHS, SCENES
from segtutor.plotting import StripCase, colorize
from segtutor.plotting.errors import ERROR_COLORS
from segtutor.tables import render

plotting.use_course_style()
BLUE, ORANGE, GREEN, RED = (plotting.style.COLORS[name] for name in ("blue", "orange", "green", "red"))
VOID = 255
photographs = Photographs()
photo = {name: photographs[index][0] for index, name in enumerate(photographs.names)}
truth = {name: np.asarray(photographs[index][1]) for index, name in enumerate(photographs.names)}


def fill_in(image, labels, known=60):
    """Each pixel takes the class of the known pixel that is most like it in color and place."""
    height, width = labels.shape
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    features = np.stack([*np.asarray(image) / 255, rows, columns], axis=-1).reshape(-1, 5)
    labeled = np.flatnonzero(labels.ravel() != VOID)
    shown = np.random.default_rng(0).choice(labeled, known, replace=False)
    nearest = cKDTree(features[shown]).query(features)[1]
    return labels.ravel()[shown][nearest].reshape(height, width)


predicted = {name: fill_in(photo[name], truth[name]) for name in ("coffee", "camera")}

# %% [markdown]
# The white lines in the true maps below, hatched in their legends, are [void](glossary.ipynb#void): two pixels on
# either side of an outline, where nobody could label well. They count nowhere, whatever was predicted there.
#
# **Predict, then run.** Which of the two predictions below is the better one: that of the coffee, or that of the
# photographer? Decide by eye.

# %% fold="Draw both photographs, their true label maps and the predictions" alt="Two rows of three pictures. Above a cup of coffee on a saucer, its true map of table, cup, saucer, spoon and background, and a prediction in which cup and saucer are there, the dark shadow in the cup is called table, and the spoon has become a scattered patch. Below a photographer with his camera on a tripod, the true map, and a prediction with person, sky and grass in clean large areas, a thin scrawl instead of the tripod, no building, and little of the black strip at the horizon"
figure, axes = plt.subplots(2, 3, figsize=(6.8, 4), height_ratios=(400 / 600, 1), layout="compressed")
for row, name in zip(axes, ("coffee", "camera"), strict=True):
    row[0].imshow(photo[name].permute(1, 2, 0))
    row[1].imshow(colorize(truth[name], PHOTOGRAPHS))
    row[2].imshow(colorize(predicted[name], PHOTOGRAPHS))
    plotting.legend(row[2], np.unique(truth[name]), PHOTOGRAPHS)
for axis, title in zip(axes[0], ("photograph", "truth", "prediction"), strict=True):
    axis.set_title(title)
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# It depends on whom you ask, as the next cell shows. If most of the picture should be right, the photographer wins: the
# large areas are nearly perfect. If everything in the picture should be found, the coffee wins: it is ragged in many
# places, but all of its five classes are there, while the tall building behind the photographer is lost altogether.
#
# </details>

# %%
for name in ("coffee", "camera"):
    confusion = metrics.ConfusionMatrix(len(PHOTOGRAPHS), ignore_index=VOID)
    confusion.update(truth[name], predicted[name])
    print(f"{name:7} {confusion.pixel_accuracy():.1%} of the pixels are right, "
          f"mean IoU {confusion.mean_iou():.3f}")  # fmt: skip

# %% [markdown]
# The second number is the mean, over the classes, of the [intersection over
# union](glossary.ipynb#intersection-over-union) from lesson 0, and it is called [mean IoU](glossary.ipynb#mean-IoU).
# The photographer (`camera`) has more right pixels, and a *far* lower mean IoU. Both numbers are correct, and they say
# opposite things.
#
# ## Objectives
#
# After this lesson you can
#
# - **compute** IoU, [Dice](glossary.ipynb#Dice-coefficient), [precision](glossary.ipynb#precision) and
#   [recall](glossary.ipynb#recall) from three counts, and the mean IoU of a data set from its
#   [confusion matrix](glossary.ipynb#confusion-matrix);
# - **show** why the share of right pixels misleads, and why the same predictions have two mean IoUs;
# - **turn** detections (the objects that a network reports, each with a score) into a [precision-recall
#   curve](glossary.ipynb#precision-recall-curve), and the curve into one number, the [average
#   precision](glossary.ipynb#average-precision);
# - **choose** the number that sees the error you care about: plain IoU, [boundary IoU](glossary.ipynb#boundary-IoU) or
#   [panoptic quality](glossary.ipynb#panoptic-quality);
# - **read** a table in a paper, and say what must be known before two of its numbers may be compared.
#
# ## One class: three counts
#
# We begin with a single class, the cup. Let $X$ be the pixels that are predicted as cup, and $Y$ those that truly are.
# Leaving void aside, a pixel has one of four fates: it is found (a [true positive](glossary.ipynb#true-positive), TP),
# invented (false positive, FP), missed (false negative, FN), or rightly left alone (true negative, TN).

# %%
cup = PHOTOGRAPHS.index("cup")
known = truth["coffee"] != VOID
X = (predicted["coffee"] == cup) & known
Y = (truth["coffee"] == cup) & known
outcome = plotting.error_map(truth["coffee"], predicted["coffee"], class_index=cup)  # 1: TP, 2: FP, 3: FN
TP, FP, FN = (int(np.sum(outcome == number)) for number in (1, 2, 3))
print(f"TP {TP}, FP {FP}, FN {FN}; IoU {metrics.mask_iou(X, Y):.3f}")

# %% [markdown]
# Intersection over union, also called the *Jaccard index*, can be written with these counts:
#
# $$\mathrm{IoU} = \frac{|X \cap Y|}{|X \cup Y|} = \frac{|X \cap Y|}{|X| + |Y| - |X \cap Y|} = \frac{TP}{TP + FP + FN}$$
#
# All forms say the same, since $|X| = TP + FP$ and $|Y| = TP + FN$, and their sum counts the intersection twice. Take
# a calculator and check: with the counts above the last form gives the IoU that the package prints. It lies between 0
# and 1, and it ignores the TN on purpose: a picture has plenty of pixels that are rightly not called cup, and they
# would make every prediction look good.
#
# The same three counts make three other scores that you will meet all the time:
#
# $$\text{precision} = \frac{TP}{TP + FP}, \qquad \text{recall} = \frac{TP}{TP + FN}, \qquad
# \mathrm{Dice} = \mathrm{F1} = \frac{2\,TP}{2\,TP + FP + FN}$$
#
# **Precision** tells how often we are right when we say "cup". **Recall** tells how much of the cup we find; the share
# that we miss is one minus recall. **Dice**, the favorite of medical papers, is the harmonic mean of the two and bears
# the name F1 elsewhere. In the figure each bar is one of the four fractions: blue divided by the whole bar. (The
# percentages in the legend are shares of all pixels outside void.)

# %% fold="Draw the three kinds of pixels, and four fractions of their counts" alt="Left, the map of the cup: blue where it was found, orange specks on table, saucer and spoon where it was invented, wine red in the shadow inside it, at its foot and at its handle where it was missed. Right, four bars made of the same colors: IoU is blue over blue, orange and wine red; precision leaves out the wine red, recall the orange, and Dice counts the blue twice"
figure, axes = plt.subplots(1, 2, figsize=(9, 3.1), width_ratios=(1, 1.2))
plotting.show_errors(truth["coffee"], predicted["coffee"], class_index=cup, axes=axes[0], title="cup")
colors = {"TP": ERROR_COLORS[1] / 255, "FP": ERROR_COLORS[2] / 255,
          "FN": ERROR_COLORS[3] / 255}  # fmt: skip
counts = {"TP": TP, "FP": FP, "FN": FN}
fractions = {"IoU": "TP FP FN", "precision": "TP FP", "recall": "TP FN", "Dice = F1": "TP TP FP FN"}
for height, parts in enumerate(fractions.values()):
    left = 0
    for part in parts.split():
        axes[1].barh(height, counts[part], left=left, color=colors[part], edgecolor="white", height=0.6)
        left += counts[part]
    value = counts["TP"] * parts.count("TP") / left
    axes[1].text(left + 1500, height, f"{value:.3f}", va="center", weight="bold")
axes[1].set_yticks(range(4), fractions)
axes[1].invert_yaxis()
axes[1].set(xlabel="pixels", xlim=(0, 1.2 * left))
plt.show()

# %% [markdown]
# Precision and recall each forget one kind of mistake. IoU and Dice see both, but Dice counts the blue twice and is
# therefore milder. For one pair of masks each of the two follows from the other, so they rank any two predictions in
# the same order. Still, when you compare two papers, look at which of them is reported: a Dice of 0.9 is an IoU of
# only 0.82. (How one follows from the other is a task of the [assignment](assignments/01_metrics.ipynb).)
#
# ## How strict is IoU?
#
# What is a good IoU, 0.5 or 0.9? That depends on the shape. A mistake of the same width weighs little in a broad shape
# and much in a thin one.
#
# **Predict, then run.** The masks of a cat, a coin and a tripod are moved by *four pixels* to the right, in
# photographs that are 384 to 512 pixels wide. What IoU is left of each? (The coin is shown enlarged.)


# %% fold="Move three masks by four pixels and draw what that does" alt="Three error maps. The cat is blue almost everywhere, with a hairline of wine red at the left and of orange at the right. The coin has a wine red crescent on its left and an orange one on its right. The tripod's legs are only partly blue, with a wine red strip on one side and an orange one on the other side of each leg"
def moved(mask, right, down=0):
    """The mask, moved by whole pixels; what leaves the picture is lost."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    result[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = mask[
        max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
    ]
    return result


coin_picture = Photographs(target="panoptic")[photographs.names.index("coins")][1]
coins = np.asarray(coin_picture["segments"])  # the number of each coin, 0 elsewhere
shapes = {"cat": truth["chelsea"] == PHOTOGRAPHS.index("cat"), "coin": coins == 3,
          "tripod": truth["camera"] == PHOTOGRAPHS.index("tripod")}  # fmt: skip
windows = {"cat": np.s_[:, :], "coin": np.s_[20:80, 115:200], "tripod": np.s_[250:, 170:430]}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), width_ratios=(1.5, 1.42, 1))
for axis, (name, mask) in zip(axes, shapes.items(), strict=True):
    wrong = plotting.error_map(mask, moved(mask, right=4), class_index=1, ignore_index=None)
    axis.imshow(ERROR_COLORS[wrong][windows[name]])
    axis.set_title(f"{name}: IoU {metrics.mask_iou(mask, moved(mask, right=4)):.2f}")
    axis.set_axis_off()
names = {"found (TP)": 1, "invented (FP)": 2, "missed (FN)": 3}
patches = [Patch(color=ERROR_COLORS[k] / 255, label=name) for name, k in names.items()]
figure.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The cat keeps 0.98, the coin 0.79, the tripod 0.42. What counts is the width of the slip compared with the width of
# the shape: four pixels are nothing to the cat, a tenth of the coin, and most of a leg.
#
# </details>
#
# Keep this picture in mind when a table says that a network is bad at bicycles or poles. Part of it is the network,
# and part of it is the ruler. The truth has the same problem: the tripod was drawn twice for this course, and the two
# drawings agree with an IoU of only 0.53 (`docs/photographs.md` in the repository lists all classes).
#
# ### IoU of what?
#
# You will read that the higher the IoU, the better the *box* around an object is placed. That is true, but IoU
# compares any two areas: boxes if the task is detection, masks if it is segmentation.
#
# **Predict, then run.** For the moved tripod, which IoU is higher, that of the masks or that of the boxes around them?


# %%
def box(mask):
    """The tight box around a mask, as a mask."""
    return np.outer(mask.any(axis=1), mask.any(axis=0))


tripod = shapes["tripod"]
shifted = moved(tripod, right=4)
print(f"IoU of the masks {metrics.mask_iou(tripod, shifted):.3f}")
print(f"IoU of the boxes {metrics.mask_iou(box(tripod), box(shifted)):.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# That of the boxes, by far. A box is filled, so the shift costs it one strip on the left and one on the right. The
# mask loses and gains such a strip at every leg.
#
# </details>
#
# The same shift, seen by both:

# %% fold="Draw the moved masks and the moved boxes" alt="Left, the moved tripod: each leg has a wine red strip on its left and an orange one on its right. Right, the box around it, blue all over but for one narrow strip of each color at its left and right side; the outline of the tripod is drawn in it"
figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="compressed")
window = windows["tripod"]
for axis, (one, other), title in zip(
    axes, ((tripod, shifted), (box(tripod), box(shifted))), ("masks", "boxes"), strict=True
):
    axis.imshow(ERROR_COLORS[plotting.error_map(one, other, 1, None)][window])
    axis.set_title(f"{title}: IoU {metrics.mask_iou(one, other):.2f}")
    axis.set_axis_off()
axes[1].contour(tripod[window], [0.5], colors="white", linewidths=1)
figure.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %% [markdown]
# So for a thin shape the mask is by far the stricter judge, and a score of boxes must not be compared with a score of
# masks.
#
# ## All classes: the confusion matrix
#
# Now all classes at once. We count how often class $i$ was predicted as class $j$, call the count $n_{ij}$, and write
# it into row $i$ and column $j$. Void pixels of the truth are left out. This table is the **confusion matrix**, and
# all scores of [semantic segmentation](glossary.ipynb#semantic-segmentation) can be read off it.
#
# **Predict, then run.** In the matrix of the photographer, which row will have the most pixels off the diagonal, that
# is, which class loses the most? And which class will have the lowest IoU?

# %% fold="Draw the confusion matrix of the photographer" alt="A matrix of seven by seven counts. The diagonal is dark for person, sky and grass. The row of building holds nearly all of its thousand pixels in the column of the sky. The row and the column of the tripod are framed. At the right the IoU of each class: near 0.9 for person, sky and grass, near 0.2 or less for background, tripod and camera, 0 for building"
confusion = metrics.ConfusionMatrix(len(PHOTOGRAPHS), ignore_index=VOID)
confusion.update(truth["camera"], predicted["camera"])
here = [k for k, value in enumerate(confusion.iou()) if not np.isnan(value)]
small = confusion.matrix[np.ix_(here, here)]
figure, axis = plt.subplots(figsize=(9, 3.9))
axis.imshow(small**0.5, cmap="Blues", aspect="auto")
for (row, column), count in np.ndenumerate(small):
    axis.text(column, row, f"{count:,}", ha="center", va="center", color="white" if count > 2e4 else "black")
for k, row in zip(here, range(len(here)), strict=True):
    axis.text(len(here) - 0.3, row, f"IoU {confusion.iou()[k]:.3f}", va="center")
place = here.index(PHOTOGRAPHS.index("tripod"))
for corner, width, height in (((-0.5, place - 0.5), len(here), 1), ((place - 0.5, -0.5), 1, len(here))):
    axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=RED, linewidth=2.5, clip_on=False))
labels = [PHOTOGRAPHS.names[k] for k in here]
axis.set_xticks(range(len(here)), labels)
axis.set_yticks(range(len(here)), labels)
axis.set(xlabel="predicted class", ylabel="true class")
axis.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The background, that is the dark strip at the horizon, loses the most: of its 11,468 pixels only 335 are found, and
# nearly all others are called grass, person, sky or camera. The lowest IoU is that of the building. Nearly all of its
# 1,053 pixels are called sky, and nothing was called building.
#
# </details>
#
# The **IoU of a class** compares its place on the diagonal with everything in its row (what is truly of this class) and
# its column (what was called so). For the tripod these are the two frames: 1,268 pixels stand where they cross, 5,493
# in the row and 1,429 in the column, so its IoU is 1,268 / (5,493 + 1,429 − 1,268) = 0.224. The **mean IoU** is the
# mean over the $K$ classes:
#
# $$\mathrm{IoU}_k = \frac{n_{kk}}{\sum_j n_{kj} + \sum_i n_{ik} - n_{kk}}, \qquad
# \mathrm{mIoU} = \frac{1}{K} \sum_{k=1}^{K} \mathrm{IoU}_k$$
#
# Here lies the secret of the two photographs. Person, sky and grass fill 92 % of the photographer, so they decide how
# many pixels are right; but they are only three classes of seven, and the other four pull the mean down.
#
# ### A whole data set
#
# For many pictures the counts are simply added. The matrix of a data set is the sum of the matrices of its pictures,
# and only then is anything divided. The IoU of a class is therefore taken *once*, over the pixels of all test pictures
# together, and the mean runs over classes. No IoU of a single picture or of a single object enters it. The segmentation
# challenges of PASCAL VOC, PASCAL-Context and Cityscapes, which lesson 2 presents, are ranked by this number. COCO, a
# large collection of everyday photographs, measures its [stuff](glossary.ipynb#things-and-stuff) by mean IoU and its
# objects by another score, AP, to which we come below.
#
# The trick with 60 known pixels does not help with a new picture, so here is a model that can be trained. It describes
# a pixel by four things, each in eight steps: how red, how green and how blue it is, and how high up in the picture it
# lies. That makes 8⁴ = 4,096 cells. In 100 drawn training scenes of 96 × 120 pixels the model counts how often each
# cell holds each class, and then it predicts the most frequent one. It sees one pixel at a time and knows nothing of
# shapes.


# %% fold="Train the simplest model on 100 scenes, predict 40 others, show one" alt="A drawn street with a pink bus, a red car, people, a cat and bollards; its true map; and the prediction. There sky, tree and pavement are right, the windows of the bus are called bus and much of its pink body boat, and people, cat and bollards are mosaics of many classes"
train, val = Scenes("train", (96, 120), count=100), Scenes("val", (96, 120), count=40)


def cells(image):
    """Number of each pixel's cell: 8 reds x 8 greens x 8 blues x 8 heights."""
    red, green, blue = np.asarray(image).astype(np.int64) // 32
    height = np.arange(red.shape[0])[:, None] * 8 // red.shape[0]
    return ((red * 8 + green) * 8 + blue) * 8 + height


seen = np.zeros((8**4, len(SCENES)))  # how often each cell held each class
for image, target in train:
    target = np.asarray(target)
    np.add.at(seen, (cells(image)[target != VOID], target[target != VOID]), 1)
images, targets = zip(*val, strict=True)
targets = [np.asarray(target) for target in targets]
predictions = [seen.argmax(axis=1)[cells(image)] for image in images]

large = Scenes("val", (288, 360), count=40)  # the same scenes, drawn larger to be looked at
large_image, large_target = large[27]
figure, axes = plt.subplots(1, 3, figsize=(7.4, 3), layout="compressed")
axes[0].imshow(large_image.permute(1, 2, 0))
axes[1].imshow(colorize(large_target, SCENES))
axes[2].imshow(colorize(predictions[27], SCENES))
for axis, title in zip(axes, ("scene", "truth", "prediction"), strict=True):
    axis.set_title(title)
    axis.set_axis_off()
share = np.bincount(predictions[27].ravel(), minlength=len(SCENES)) / predictions[27].size
named = np.union1d(np.unique(large_target), np.flatnonzero(share > 0.01))  # those with fewer pixels stay unnamed
names = plotting.legend(axes[0], named, SCENES)
figure.legend(handles=names.legend_handles, loc="outside lower center", ncols=5, frameon=False)
names.remove()
plt.show()

# %% [markdown]
# It paints large areas well, recognizes the windows of the bus but calls much of its pink body a boat, and makes a
# mosaic of everything small. (The legend leaves out classes that are not in the truth and have less than one percent of
# the prediction.) This is its mean IoU over the 40 scenes:

# %%
data_set = metrics.ConfusionMatrix(len(SCENES), ignore_index=VOID)
for target, prediction in zip(targets, predictions, strict=True):
    data_set.update(target, prediction)  # adds the counts of this picture
per_class = data_set.iou()
print(f"mean IoU over {np.sum(~np.isnan(per_class))} classes: {data_set.mean_iou():.3f}")

# %% [markdown]
# Which classes drag the mean down? The names below carry the share of the pixels that each class has.
#
# **Predict, then run.** Will the classes with the most pixels have the highest IoU?

# %% fold="Draw the IoU of every class" alt="Bars of the IoU of 24 classes, falling from sky with 0.82, grass, pavement, sand, tree and water to birds, aeroplanes, street bollards and bicycles near zero. Road, with 2 % of the pixels, stands before bus with 6 %. A dashed line marks the mean at 0.23"
order = [k for k in np.argsort(-per_class) if not np.isnan(per_class[k])]
share = data_set.matrix.sum(axis=1) / data_set.matrix.sum()
figure, axis = plt.subplots(figsize=(9, 3.5))
axis.bar(range(len(order)), per_class[order], color=BLUE)
ticks = [f"{SCENES.names[k]} {share[k]:.1%}" for k in order]
axis.set_xticks(range(len(order)), ticks, rotation=60, ha="right", rotation_mode="anchor")
axis.axhline(data_set.mean_iou(), color=RED, linestyle="--", label="mean IoU")
axis.set(ylabel="IoU", ylim=(0, 1))
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# By and large, but not always: the bus has nearly three times as many pixels as the road, and a lower IoU. A likely
# reason: roads look much alike from scene to scene, while buses come in all colors, and color and height are all that
# this model sees.
#
# </details>
#
# **Your turn:** the first part of the [assignment](assignments/01_metrics.ipynb) lets you write such scores yourself.
#
# ## The accuracy paradox
#
# The simplest score of all is the [pixel accuracy](glossary.ipynb#pixel-accuracy), the share of pixels that are right.
# Its sister is the mean of the classes' accuracies, each of which is the recall of its class:
#
# $$\mathrm{PA} = \frac{\sum_k n_{kk}}{\sum_{i,j} n_{ij}}, \qquad
# \mathrm{mPA} = \frac{1}{K}\sum_k \frac{n_{kk}}{\sum_j n_{kj}}$$
#
# To see what they reward, we look at the scenes as PASCAL VOC does: only things have classes, and all else is
# background. Three models compete.
#
# - **Blank** answers *background* everywhere and has never seen a thing.
# - **Color** is our model, leaning a little toward the rare classes: it divides the counts of each cell by the square
#   root of how frequent the class is.
# - **Spray** divides by the frequency itself, so that a cell goes to whatever is rare and might be there.
#
# **Predict, then run.** Which of the three has the highest pixel accuracy, which the highest mean class accuracy, and
# which would you want to use?


# %% fold="Let blank, color and spray compete on the 40 scenes"
def show_table(columns, rows):
    """A table below the cell."""
    return HTML(render(columns, rows, "html"))


def as_voc(labels):
    """All but VOC's things becomes background, number 0; void stays void."""
    return np.where((labels > 20) & (labels != VOID), 0, labels)


seen_voc = np.hstack([seen[:, :1] + seen[:, 21:].sum(axis=1, keepdims=True), seen[:, 1:21]])
frequency = np.maximum(seen_voc.sum(axis=0), 1)
answers = {"blank": np.zeros(len(seen_voc), dtype=np.int64), "color": (seen_voc / frequency**0.5).argmax(axis=1),
           "spray": (seen_voc / frequency).argmax(axis=1)}  # fmt: skip
rows = []
for name, answer in answers.items():
    score = metrics.ConfusionMatrix(21, VOID)
    for image, target in zip(images, targets, strict=True):
        score.update(as_voc(target), answer[cells(image)])
    values = score.pixel_accuracy(), score.mean_class_accuracy(), score.mean_iou()
    rows.append([name, *(f"{value:.3f}" for value in values)])
show_table(["model", "pixel accuracy", "mean class accuracy", "mean IoU"], rows)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Every score crowns another model: *blank* has the highest pixel accuracy, *spray* the highest mean class accuracy, and
# *color* the highest mean IoU. Which of them you would want to use is easier to say once you see their answers, in the
# next picture (that of *blank* would be all black).
#
# </details>

# %% fold="Draw one scene with the answers of color and spray" alt="A beach scene as three maps: the truth, where people, a boat and a dog stand out from black background; color, where parts of them are found among scattered wrong pixels; and spray, where a band of aeroplane, one of bus and one of horse run across the picture, with dogs strewn below them"
figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.5), layout="compressed")
panels = {"truth": as_voc(np.asarray(large[9][1]))}
panels |= {name: answers[name][cells(images[9])] for name in ("color", "spray")}
for axis, (title, labels) in zip(axes, panels.items(), strict=True):
    axis.imshow(colorize(labels, SCENES))
    axis.set_title(title)
    axis.set_axis_off()
named = np.unique(np.concatenate([labels.ravel() for labels in panels.values()]))
names = plotting.legend(axes[0], named, SCENES)
figure.legend(handles=names.legend_handles, loc="outside lower center", ncols=6, frameon=False)
names.remove()
plt.show()

# %% [markdown]
# None of the three is good, but if you had to use one, it would hardly be *blank* or *spray*: *color* at least finds the
# boat and leaves most of the background alone.
#
# Yet *blank* beats *color* in pixel accuracy without finding anything. This is the **accuracy paradox**: background
# fills four fifths of these maps, and whoever says nothing else is right there. The mean class accuracy falls for the
# opposite trick. It never looks at what was invented, so *spray*, which sprinkles rare classes over everything, comes
# out best. IoU has both mistakes in its denominator, and the mean over the classes cannot be lifted by the background
# alone. That is why VOC, which scored by mean class accuracy in 2007, has used the mean IoU since 2008.
#
# ## One prediction, two mean IoUs
#
# Some libraries compute the mean IoU of *each picture*, over the classes in its truth or its prediction, and average
# those. Take the predictions that scored 0.230 above, by our first model and with all classes of the scenes, unchanged.
#
# **Predict, then run.** Will the mean over pictures be higher or lower than this value of the data set?

# %%
# pictures x classes
table = metrics.iou_per_image(targets, predictions, num_classes=len(SCENES), ignore_index=VOID)
each_picture = np.nanmean(table, axis=1)  # NaN: neither there nor predicted
print(f"mean IoU of the data set       {data_set.mean_iou():.3f}")
print(f"mean of the pictures' mean IoU {each_picture.mean():.3f}")
phantoms = [np.setdiff1d(found, target).size for target, found in zip(targets, predictions, strict=True)]
print(f"classes in a picture that were predicted but are not there, on average: {np.mean(phantoms):.1f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Lower. Our model sprinkles its pictures with classes that are not there, more than ten in each on average. However few
# pixels such a class gets, it scores 0 in that picture; over the data set they are a small addition to one column of
# the matrix.
#
# </details>
#
# The gap can go the other way, too. Suppose that four pictures show one object each, and that the three small ones are
# found and the large one is missed. The left half of the figure draws them, and the right half shows our 40 scenes one
# by one:

# %% fold="Draw four small pictures and both means" alt="Left, four pairs of small squares, truth above prediction: three with a small blue square that is found, one with a large blue square that is missed. Right, dots for the mean IoU of 40 scenes, rising from 0.04 to 0.23; a dotted line at their mean 0.149 and a dashed line at the value of the data set, 0.230, above it"
toy_targets = np.zeros((4, 20, 20), dtype=np.int64)
for toy, side in zip(toy_targets, (3, 3, 3, 15), strict=True):
    toy[2 : 2 + side, 2 : 2 + side] = 1
toy_predictions = toy_targets.copy()
toy_predictions[3] = 0
toy = metrics.ConfusionMatrix(2)
toy.update(toy_targets, toy_predictions)
toy_mean = np.nanmean(metrics.iou_per_image(toy_targets, toy_predictions, 2), axis=1).mean()

figure = plt.figure(figsize=(9, 2.9))
left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
axes = left.subplots(2, 4)
for row, (name, labels) in zip(axes, {"truth": toy_targets, "prediction": toy_predictions}.items(), strict=True):
    for axis, small in zip(row, labels, strict=True):
        axis.imshow(small, cmap=ListedColormap(["#D9D9D9", BLUE]))
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    row[0].set_ylabel(name)
left.suptitle(f"mean of the pictures {toy_mean:.3f}, data set {toy.mean_iou():.3f}", fontsize=10)
axis = right.subplots()
axis.plot(np.sort(each_picture), "o", color=BLUE, markersize=4, label="each scene")
axis.axhline(each_picture.mean(), color=BLUE, linestyle=":", label="mean over scenes")
axis.axhline(data_set.mean_iou(), color=RED, linestyle="--", label="data set")
axis.set(xlabel="scenes, sorted", ylabel="mean IoU", ylim=(0, 0.25))
axis.legend(frameon=False, loc="lower right")
right.suptitle(f"mean of the scenes {each_picture.mean():.3f}, data set {data_set.mean_iou():.3f}", fontsize=10)
plt.show()

# %% [markdown]
# Per picture, three of four are perfect. Over the data set, the one large object that was missed has most of the pixels
# of its class. Neither mean is wrong; they answer different questions. The benchmarks use the data set. The mean per
# picture is the better one for finding out *where* a model fails ([Csurka et al.
# 2013](https://doi.org/10.5244/C.27.32)). So write the definition beside the number: *mean IoU over the data set, mean
# over K classes, void left out*. It matters: a public contest once [changed from one to the
# other](https://discourse.aicrowd.com/t/update-in-segmentation-scoring-metrics/8383) while it was running, and all
# submissions had to be scored again.
#
# ## Twelve edge cases
#
# Most "wrong" metrics are right ones under another convention. The package follows the official evaluators. Here is
# what it says about a class that occurs nowhere:

# %%
absent = metrics.ConfusionMatrix(num_classes=3)
absent.update(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
print(absent.iou(), "mean", round(absent.mean_iou(), 3))

# %% [markdown]
# Class 2 has nothing to be scored on, so its IoU is NaN, "not a number", and the mean leaves it out. Below are a few
# pixels of truth and prediction for each of twelve such decisions. The bold value is that of the course, the other one
# is in use elsewhere. The first six are about *what counts at all*. (In case 4, "smoothed" means that 1 is added above
# and below the fraction bar, so that nothing is ever divided by zero.)


# %% fold="Six cases of what counts, computed and drawn as strips" alt="Six cases, each with strips of numbered pixels for truth and prediction and two values. Absent class: 0.583 left out, 0.389 as zero. Predicted but not there: 0.556 against 0.833. Void in the truth: 1.000 left out, 0.417 as background. Nothing to find and nothing found: NaN against 1.000. Nothing predicted: precision NaN against 0.000. Classes known and classes seen: 0.583 over two, 0.056 over 21"
def count(target, prediction, num_classes):
    """A confusion matrix of two strips."""
    matrix = metrics.ConfusionMatrix(num_classes)
    matrix.update(np.array(target), np.array(prediction))
    return matrix


def strips(target, prediction):
    return {"truth": target, "prediction": prediction}


def as_zero(values):
    return float(np.nan_to_num(values).mean())


plain, invented = strips([0, 0, 1, 1], [0, 1, 1, 1]), strips([0, 0, 0, 1], [0, 0, 2, 1])
hazy, empty = strips([0, 0, 1, VOID, VOID], [0, 0, 1, 1, 1]), strips([0, 0, 0, 0], [0, 0, 0, 0])
silent = strips([0, 0, 0, 1], [0, 0, 0, 0])
three, missed = count(*plain.values(), 3), count(*silent.values(), 2)
ghost, nothing = count(*invented.values(), 3), count(*empty.values(), 2)
background, many = count([0, 0, 1, 0, 0], hazy["prediction"], 2), count(*plain.values(), 21)
plotting.show_strips([
    StripCase("1. A class of three that occurs nowhere: the mean IoU", plain,
              {"left out": three.mean_iou(), "counts as 0": as_zero(three.iou())}),
    StripCase("2. A class that is only predicted: the mean IoU", invented,
              {"IoU 0, and it counts": ghost.mean_iou(), "mean over the classes of the truth": ghost.iou()[:2].mean()}),
    StripCase("3. Void in the truth (hatched): the mean IoU", hazy,
              {"left out": count(*hazy.values(), 2).mean_iou(), "taken for background": background.mean_iou()}),
    StripCase("4. Nothing to find and nothing found: the IoU of class 1", empty,
              {"nothing to score": nothing.iou()[1], "smoothed: (0 + 1) / (0 + 1)": (0 + 1) / (0 + 1)}),
    StripCase("5. Nothing predicted: the precision of class 1", silent,
              {"0 / 0 is nothing to score": missed.precision()[1], "0 / 0 is 0": as_zero(missed.precision()[1:])}),
    StripCase("6. 21 classes known, two seen: the mean IoU", plain,
              {"mean over the two": many.mean_iou(), "mean over all 21": as_zero(many.iou())}),
])  # fmt: skip
plt.show()

# %% [markdown]
# Look at case 6: one and the same prediction scores 0.583 or 0.056, and all that differs is whether the 19 classes that
# occur nowhere count as 0.
#
# The other six are about *what is added before anything is divided*. Whoever divides first gives small groups a large
# say.


# %% fold="Compute six cases of the order of adding and dividing"
def dice_of(matrix):
    hits, rows_and_columns = np.diag(matrix.matrix), matrix.matrix.sum(axis=0) + matrix.matrix.sum(axis=1)
    return float(np.mean(2 * hits / rows_and_columns))


def glued(pairs):
    """Strips of two pictures with a gap between them."""
    return strips(*([*first, None, *second] for first, second in zip(*pairs, strict=True)))


def together_and_apart(pairs, num_classes):
    """Mean IoU of the sum of two matrices, and the mean of their mean IoUs."""
    first, second = (count(*pair, num_classes) for pair in pairs)
    apart = (first.mean_iou() + second.mean_iou()) / 2
    first.merge(second)
    return first.mean_iou(), apart


beside = strips([0] * 9 + [1] + [0] * 10, [0] * 10 + [1] + [0] * 9)
uneven = strips([0] * 18 + [1] * 2, [0] * 17 + [1] * 2 + [0])
pictures = [([0, 0, 0, 1], [0, 0, 0, 0]), ([0, 1, 1, 1], [0, 1, 1, 1])]
batches = [([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 0]), ([2, 2], [1, 2])]
rivals = {"truth": [0] * 2 + [1] * 8, "A": [1] * 10, "B": [0] * 7 + [1] * 3}
one, two = count(*beside.values(), 2), count(*uneven.values(), 2)
a, b = (count(rivals["truth"], rivals[name], 2) for name in "AB")
micro = np.diag(two.matrix).sum() / (2 * two.matrix.sum() - np.diag(two.matrix).sum())
of_pictures, of_batches = together_and_apart(pictures, 2), together_and_apart(batches, 3)

# %% [markdown]
# Some of these strips are longer, since it takes a frequent and a rare class to tell the conventions apart. (A *batch*,
# in case 12, is a handful of pictures that are processed together.)

# %% fold="Draw the six cases of adding and dividing as strips" alt="Six cases as strips. The only pixel of class 1, predicted one place too far to the right: IoU 0.000, pixel accuracy 0.900. Two pictures: data set 0.775, mean of pictures 0.688. Macro 0.614 against micro 0.818. Classes alike 0.614 against weighted by pixels 0.839. Two predictions A and B: by mean IoU A wins, by mean Dice B. Two batches: one matrix 0.611, mean of the batches 0.486"
better = ["A" if ours > theirs else "B" for ours, theirs in ((a.mean_iou(), b.mean_iou()), (dice_of(a), dice_of(b)))]
plotting.show_strips([
    StripCase("7. The only pixel of class 1 is predicted one place too far to the right", beside,
              {"IoU of class 1": one.iou()[1], "pixel accuracy": one.pixel_accuracy()}),
    StripCase("8. Two pictures: the mean IoU", glued(pictures),
              dict(zip(("over the data set", "mean of the pictures"), of_pictures, strict=True))),
    StripCase("9. Macro and micro: one IoU for all classes", uneven,
              {"macro: mean of the classes": two.mean_iou(), "micro: counts of all classes added": micro}),
    StripCase("10. Rare and frequent classes: the mean IoU", uneven,
              {"each class counts once": two.mean_iou(), "weighted by pixels": two.frequency_weighted_iou()}),
    StripCase("11. Which of two predictions is better, A or B?", rivals,
              {f"by mean IoU: A {a.mean_iou():.3f}, B {b.mean_iou():.3f}": better[0],
               f"by mean Dice: A {dice_of(a):.3f}, B {dice_of(b):.3f}": better[1]}),
    StripCase("12. Two batches, the second one smaller: the mean IoU", glued(batches),
              dict(zip(("one matrix", "mean of the batches"), of_batches, strict=True))),
])  # fmt: skip
plt.show()

# %% [markdown]
# Two of them deserve a second look. In case 11, Dice and IoU rank any two predictions of *one* mask alike, as we saw,
# but not their **means** over classes: Dice forgives a bad class more. And the *micro* IoU of case 9 is the pixel
# accuracy in disguise. Every wrong pixel is an FP of one class and an FN of another, so with the accuracy $a$ it is
# $a / (2 - a)$, paradox and all.

# %% [markdown]
# ## Detections: a list with scores
#
# So far every pixel got one class. A *detector* gives a list of objects instead, each with a mask (or a box) and a
# **score** that says how sure it is. Which of its detections count as right? The rule is: take them by falling score;
# each may hit one object of its class that is still free and overlaps with enough IoU, say 0.5. Such a hit is a TP. A
# second detection of the same object is an FP, as is one that hits nothing, and the objects that nobody has hit are
# FN.
#
# Below are twelve detections of seven people on a beach. We made them by moving the true masks a little; three are pure
# inventions, two are repetitions, and one has slipped too far.


# %% fold="Make twelve detections of seven people, and draw them with their scores" alt="A drawn beach in light gray, with outlines. Six people have a blue outline with scores from 0.97 to 0.43. Six outlines are orange: three where nobody is, with 0.88, 0.58 and 0.31, a second one around each of two people, with 0.80 and 0.52, and one beside a small figure half hidden in a group, 0.22, which is outlined in dashed yellow"
beach = Scenes("val", (240, 320), count=17, kinds=("beach",)).scene(16)
person = SCENES.index("person")
people = [thing.mask for thing in beach.instances if thing.label == person and thing.mask.sum() > 260]
people = np.stack(sorted(people, key=np.sum, reverse=True)[:7])
moves = [  # person, moved right, moved down, score
    (0, 1, 0, 0.97), (1, 2, 1, 0.93), (2, 3, 1, 0.84), (1, 4, 3, 0.80), (3, 1, 1, 0.74), (4, 2, 1, 0.66),
    (3, 4, 1, 0.52), (5, 1, 2, 0.43), (6, 4, 2, 0.22),
]  # fmt: skip
inventions = [(0, 117, 133, 0.88), (2, 160, 67, 0.58), (5, 287, 213, 0.31)]  # shape of a person, new x and y, score
made = [(moved(people[number], right, down), score) for number, right, down, score in moves]
for number, x, y, score in inventions:
    center_y, center_x = np.argwhere(people[number]).mean(axis=0).astype(int)
    made.append((moved(people[number], x - center_x, y - center_y), score))
detections, scores = np.stack([mask for mask, _ in made]), np.array([score for _, score in made])


def show_detections(axis, hits, overlaps, least_iou):
    """Outlines of the detections, blue for hits and orange for others; dashed yellow for people that are missed."""
    axis.imshow(beach.image.mean(axis=2), cmap="gray", vmin=-80, vmax=255)  # light gray: outlines stand out
    for mask, hit, score in zip(detections, hits, scores, strict=True):
        color = "#2b8fd0" if hit else "#d55e00"
        axis.contour(mask, [0.5], colors=[color], linewidths=1.8)
        (top, _), (bottom, _), (_, x) = (part(np.argwhere(mask), axis=0) for part in (np.min, np.max, np.mean))
        y, side = (top - 4, "bottom") if hit else (min(bottom + 4, 228), "top")  # hits above, others below
        style = {"boxstyle": "round,pad=0.12", "facecolor": color, "edgecolor": "none"}
        axis.text(x, y, f"{score:.2f}", color="white", fontsize=9, ha="center", va=side, bbox=style)
    for mask, overlap in zip(people, overlaps.T, strict=True):
        if not (hits & (overlap >= least_iou)).any():
            axis.contour(mask, [0.5], colors="#f0e442", linewidths=2.5, linestyles="--")
    axis.set_axis_off()


styles = {"hit (TP)": ("#2b8fd0", "-"), "false (FP)": ("#d55e00", "-"), "missed (FN)": ("#f0e442", "--")}
lines = [Line2D([], [], label=name, color=color, linestyle=kind) for name, (color, kind) in styles.items()]
overlaps = metrics.mask_iou(detections, people)
figure, axis = plt.subplots(figsize=(5.6, 4.6))
show_detections(axis, metrics.match_detections(scores, overlaps, 0.5), overlaps, 0.5)
figure.legend(handles=lines, loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %% [markdown]
# Blue outlines are hits, orange ones are FP, and the person with the dashed yellow outline is missed. In practice one
# keeps only the detections above a **threshold** of the score.
#
# **Predict, then run.** The threshold goes down from 0.9 to 0.8 and to 0.5. What happens to precision, and what to
# recall?

# %%
overlaps = metrics.mask_iou(detections, people)  # 12 x 7
hits = metrics.match_detections(scores, overlaps, threshold=0.5)  # 0.5 is the least IoU of a hit
precision, recall, lowest = metrics.precision_recall_curve(scores, hits, num_positives=len(people))
for threshold in (0.9, 0.8, 0.5):
    last = np.flatnonzero(lowest >= threshold)[-1]  # the last detection that passes
    print(f"score at least {threshold}: precision {precision[last]:.3f}, recall {recall[last]:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Precision falls from 1 to 0.6 and on to 0.556, while recall rises from 0.286 to 0.429 and 0.714.
#
# </details>
#
# With a high threshold the detector is right whenever it speaks, but misses most of the people: high precision, low
# recall. With a low threshold it finds most of them, and talks nonsense in between: low precision, high
# recall. Where to put the threshold is a choice of the *application*. A model should be judged at **all** thresholds.
#
# ## The curve, and its area
#
# So walk down the list by falling score, and after each detection mark a point: recall to the right, precision upwards.
# This is the **precision-recall curve**. A hit moves the point to the right and, unless precision is 1 already, up; a
# false detection moves it straight down. The **average precision**, AP, is the area under this curve, after its dips
# have been filled: at each recall $r$ we take the best precision that any recall of at least $r$ still reaches. This is
# the *envelope* $\hat P$. With $R_i$ for the recall after the $i$-th detection, and $R_0 = 0$,
#
# $$\hat P(r) = \max_{r' \ge r} P(r'), \qquad \mathrm{AP} = \sum_i (R_i - R_{i-1})\, \hat P(R_i)$$
#
# Instead of the exact area one often reads the envelope at $N$ levels of recall and takes the mean: 11 levels (VOC
# before 2010), 101 (COCO), or sometimes only 5. Beyond the largest recall that was reached, $\hat P$ is 0.
#
# $$\mathrm{AP}_{N} = \frac{1}{N} \sum_{r \in \{0,\, 1/(N-1),\, \dots,\, 1\}} \hat P(r)$$
#
# **Predict, then run.** For the same twelve detections, how far apart will the four numbers be?

# %%
methods = ("area", "5point", "11point", "101point")
for method in methods:
    print(f"{method:9} {metrics.average_precision(precision, recall, method):.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Up to 2.4 hundredths, from 0.658 to 0.683. That sounds like little, but in lesson 3 you will meet a published
# improvement, of the mean IoU, of 0.003.
#
# </details>
#
# Four numbers for one list of detections, and each of them is called AP. The picture shows what each one measures.

# %% fold="Draw the curve, its envelope, and what each AP measures" alt="Four panels with the same blue zigzag curve and its dashed orange staircase, which ends at recall 0.86. The whole area under the staircase is shaded; then bars at 5 and at 11 levels of recall, missing beyond a recall of 0.86; then 101 dots along the staircase and, beyond its end, at zero. The titles give AP 0.6827, 0.6629, 0.6584 and 0.6793"
figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey=True)
for axis, method in zip(axes.flat, methods, strict=True):
    plotting.show_precision_recall(precision, recall, method, axes=axis)
for axis in axes[0]:
    axis.set_xlabel("")
for axis in axes[:, 1]:
    axis.set_ylabel("")
plt.show()

# %% [markdown]
# ### Move it
#
# Now move the curve yourself. There are two sliders: the score that a detection needs in order to pass, and the IoU
# that it needs in order to count as a hit. People have letters, detections have numbers. Blue detections are hits,
# orange ones are false, and people with a dashed yellow outline are missed.
#
# **Predict, then move.**
#
# 1. Lower the score from 1 to 0 and watch the ring run along the curve. When does it go straight down, and when to the
#    right?
# 2. Raise the IoU from 0.5 to 0.7. Recall can only fall. Can precision rise?
# 3. Compare the two columns of AP at a score of 0.6. Why does a list without its low scores lose AP?

# %%
plotting.movable_precision_recall(beach.image, people, detections, scores)

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. A false detection adds no recall, so precision falls and the ring goes straight down. A hit adds recall and lifts
#    precision, unless that is 1 already: the ring goes to the right, and usually up.
# 2. No. A stricter IoU turns hits into false ones, so for the same list both can only fall or stay. (A stricter
#    *score* is another matter: it shortens the list.)
# 3. AP is taken over all recalls. A list that has been cut off cannot reach the high ones, and what is not reached
#    counts as precision 0. For AP, hand in everything; for use, choose a threshold.
#
# </details>
#
# The figure below stands still. It shows the curve of the same twelve detections at the two ends of the second
# question.

# %% fold="Draw the curve at an IoU of 0.5 and of 0.7" alt="Two precision-recall curves with their staircase envelopes. At an IoU of 0.5 the envelope falls from 1 to 0.6 and ends at a recall of 0.86; AP is 0.683. At 0.7 it falls to 0.5 and ends at 0.71; AP is 0.560"
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for axis, least_iou in zip(axes, (0.5, 0.7), strict=True):
    strict_hits = metrics.match_detections(scores, overlaps, least_iou)
    curve = metrics.precision_recall_curve(scores, strict_hits, len(people))
    plotting.show_precision_recall(curve.precision, curve.recall, "area", axes=axis)
    value = metrics.average_precision(curve.precision, curve.recall)
    axis.set_title(f"IoU at least {least_iou}: {strict_hits.sum()} of {len(people)} people hit, AP {value:.3f}")
axes[1].set_ylabel("")
plt.show()

# %% [markdown]
# With the stricter IoU one person more is missed. The curve ends earlier, its later steps lie lower, and both cost area.
#
# ## mAP: the mean over classes
#
# An AP belongs to one class. With $Q$ classes, the **mean average precision** is
#
# $$\mathrm{mAP} = \frac{1}{Q} \sum_{q=1}^{Q} \mathrm{AP}(q)$$
#
# (some authors write AvgP for AP). A class without objects has no AP and is left out. Beware of names: what VOC calls
# mAP, at an IoU of 0.5, COCO calls *AP50*, and what COCO calls *AP* is a mean over classes as well.
#
# To have detections of many classes, we build a detector that is equally good at all of them. It finds each object of
# 60 scenes with a probability of 0.6, lets the mask slip by about a pixel in each direction, and adds 100 inventions.


# %% fold="Prepare: 60 scenes, a detector with a given skill for each class, and the matching of all its detections"
park = Scenes("val", (120, 160), count=60, seed=1)
scenes = [park.scene(index) for index in range(60)]
things = [(n, item.label, item.mask) for n, s in enumerate(scenes) for item in s.instances if item.mask.sum() >= 40]
classes = sorted({label for _, label, _ in things})
there = {label: sum(other == label for _, other, _ in things) for label in classes}


def detect(skill, seed, inventions=100, slip=1.0):
    """Detections (scene, class, mask, score): each object with its class's skill, and inventions."""
    generator, found = np.random.default_rng(seed), []
    for n, label, mask in things:
        if generator.random() < skill[label]:
            right, down = np.rint(generator.normal(0, slip, 2)).astype(int)
            found.append((n, label, moved(mask, right, down), generator.beta(4, 2)))
    for _ in range(inventions):
        _, label, mask = things[generator.integers(len(things))]
        n, right, down = generator.integers(60), *generator.integers(-60, 60, 2)
        found.append((n, label, moved(mask, right, down), generator.beta(2, 3)))
    return [entry for entry in found if entry[2].any()]


def match(found, least_iou=0.5):
    """Scores and hits of each class."""
    scores, hits = {label: [] for label in classes}, {label: [] for label in classes}
    for n in range(60):
        for label in classes:
            masks = [mask for m, other, mask, _ in found if (m, other) == (n, label)]
            if masks:
                values = [score for m, other, _, score in found if (m, other) == (n, label)]
                objects = [mask for m, other, mask in things if (m, other) == (n, label)]
                ious = metrics.mask_iou(np.stack(masks), np.stack(objects)) if objects else np.zeros((len(masks), 0))
                scores[label] += values
                hits[label] += metrics.match_detections(values, ious, least_iou).tolist()
    return scores, hits


# %% [markdown]
# **Predict, then run.** The detector finds 60 % of the objects of every class. Will the AP of all classes be about the
# same?

# %%
found = detect(skill=dict.fromkeys(classes, 0.6), seed=0)
class_scores, class_hits = match(found)  # lists of each class
mean_ap = metrics.mean_average_precision(class_scores, class_hits, there)
print(*(f"{SCENES.names[label]:16} {value:.3f}" for label, value in mean_ap.per_class.items()), sep="\n")
print(f"mAP              {mean_ap.mean:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Not at all: the bicycle gets 0.018, although the detector finds bicycles as often as cars. A bicycle is thin all
# over, and at this size a slip of a single pixel leaves an IoU of about 0.4. That is below 0.5, so most of the
# bicycles that were found count as an FP, and once more as an FN.
#
# </details>
#
# So an AP near zero need not mean that a detector is blind. It may see every bicycle and fail the ruler, as the tripod
# did above. Before you blame a network, look at how far its masks are off. Here is a bicycle that was drawn for these
# scenes, next to a car, both moved by one pixel (blue is found, orange invented, wine red missed, as before):

# %% fold="Move a bicycle and a car by one pixel" alt="A bicycle, enlarged to its pixels, and its moved mask, where thin blue lines are left between wine red and orange ones: IoU 0.41. A car and its moved mask, blue but for a rim on either side: IoU 0.92"
figure, axes = plt.subplots(1, 4, figsize=(9, 2.3))
for pair, name, pick in zip((axes[:2], axes[2:]), ("bicycle", "car"), (6, 1), strict=True):
    n, _, mask = [one for one in things if one[1] == SCENES.index(name)][pick]
    rows, columns = np.nonzero(mask)
    window = np.s_[max(0, rows.min() - 3) : rows.max() + 4, max(0, columns.min() - 3) : columns.max() + 4]
    wrong = plotting.error_map(mask, moved(mask, right=1), class_index=1, ignore_index=None)
    pair[0].imshow(scenes[n].image[window])
    pair[1].imshow(ERROR_COLORS[wrong][window])
    pair[0].set_title(name)
    pair[1].set_title(f"moved: IoU {metrics.mask_iou(mask, moved(mask, right=1)):.2f}")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## COCO's AP
#
# An IoU of 0.5 is generous to large objects and strict with thin ones. COCO ([Lin et al.
# 2014](https://arxiv.org/abs/1405.0312)) does not choose one threshold: its AP is the mean over ten thresholds, 0.50,
# 0.55 and so on up to 0.95, with 101 levels of recall each. It also reports the AP at a single threshold (AP50, AP75),
# the AP by the size of the objects (APs: below 32² pixels, APl: above 96², APm: in between), and the recall that is
# reached with at most 1, 10 or 100 detections a picture (AR1, AR10, AR100; ARs, ARm and ARl by size).
# `metrics.evaluate_coco` reads the official format and agrees with the official evaluator to the last bit. The next
# cell writes our detections in that format.

# %% fold="Write truth and detections as COCO's JSON has them"
annotations = [
    {
        "id": identity, "image_id": n, "category_id": label, "iscrowd": 0, "area": int(mask.sum()),
        "bbox": metrics.rle.to_box(metrics.rle.encode(mask)).tolist(), "segmentation": metrics.rle.encode(mask),
    }
    for identity, (n, label, mask) in enumerate(things, start=1)
]  # fmt: skip
ground_truth = {
    "images": [{"id": n, "height": 120, "width": 160} for n in range(60)],
    "categories": [{"id": label, "name": SCENES.names[label]} for label in classes],
    "annotations": annotations,
}
results = [
    {"image_id": n, "category_id": label, "score": float(score), "segmentation": metrics.rle.encode(mask)}
    for n, label, mask, score in found
]

# %% [markdown]
# **Predict, then run.** At an IoU of 0.5 our detector has an mAP of 0.468. Where will the mean over the ten thresholds
# lie?

# %%
summary = metrics.evaluate_coco(ground_truth, results)
print({name: round(value, 3) for name, value in summary.items()})
sizes = np.array([mask.sum() for *_, mask in things])
print("objects:", len(sizes), "of them small:", np.sum(sizes < 32**2), "large:", np.sum(sizes > 96**2))

# %% [markdown]
# <details><summary>Answer</summary>
#
# At 0.223, less than half: many masks that slip by a pixel or two pass at 0.5 and fail at 0.75 and above.
#
# </details>
#
# Read the parts together with the counts: APl is about one single object here, so it is a matter of luck. (AP50
# differs in the third decimal from our mAP, since COCO reads 101 levels and we took the area.) In the figure, each dot
# is the mAP at one threshold, and COCO's AP is the mean of the ten.

# %% fold="Compute mAP at ten IoU thresholds, draw it" alt="Ten dots that fall from 0.47 at IoU 0.5 to nearly 0 at 0.95, and a dashed line at their mean, 0.223, which is COCO's AP"
thresholds = np.linspace(0.5, 0.95, 10)
at = [metrics.mean_average_precision(*match(found, least), there, method="101point").mean for least in thresholds]
figure, axis = plt.subplots(figsize=(7, 3))
axis.plot(thresholds, at, "o-", color=BLUE, label="mAP, 101 levels")
axis.axhline(np.mean(at), color=RED, linestyle="--", label=f"mean of the ten: {np.mean(at):.3f}")
axis.set(xlabel="IoU that a hit needs", ylabel="mAP", ylim=(0, 0.6))
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# A threshold of 0.95 forgives almost nothing, and even this detector, whose masks have the perfect shape, has hardly
# anything left there.
#
# **Your turn:** the second part of the [assignment](assignments/01_metrics.ipynb) is about detections.
#
# ## A claim, tested
#
# > The mAP keeps a model from shining by extreme specialization: it cannot be good at a few classes, weak at all
# > others, and still get a high score.
#
# This is the reason given for ranking by means over classes, as PASCAL VOC does for detection (AP over 20 classes) and
# for segmentation (IoU over 21, with the background; [Everingham et al.
# 2015](https://doi.org/10.1007/s11263-014-0733-5)). We test it with two detectors that are built to find *equally many
# objects*. The **specialist** finds nearly all objects of the three most frequent classes and hardly any other. The
# **generalist** finds the same share of every class. Both slip and invent alike. Each is scored twice: by mAP, and as
# if there were only one class "object", with all detections in one list.
#
# **Predict, then run.** Who wins which contest?

# %% fold="Run both detectors with five seeds, score them both ways"
by_number = sorted(classes, key=lambda label: -there[label])
common = by_number[:3]
special = {label: 0.95 if label in common else 0.05 for label in classes}
general = dict.fromkeys(classes, sum(there[label] * special[label] for label in classes) / len(things))
measured = {"specialist": [], "generalist": []}
for seed in range(5):
    for name, skill in (("specialist", special), ("generalist", general)):
        each_scores, each_hits = match(detect(skill, seed))
        in_one_list = [np.concatenate([part[label] for label in classes]) for part in (each_scores, each_hits)]
        curve = metrics.precision_recall_curve(in_one_list[0], in_one_list[1].astype(bool), len(things))
        pooled = metrics.average_precision(curve.precision, curve.recall)
        mean_ap = metrics.mean_average_precision(each_scores, each_hits, there)
        measured[name].append((in_one_list[1].sum(), pooled, mean_ap.mean, mean_ap.per_class))
rows = []
for name, runs in measured.items():
    hit, pooled, mean_ap = (np.mean([run[k] for run in runs]) for k in range(3))
    rows.append([name, f"{hit:.0f}", f"{pooled:.3f}", f"{mean_ap:.3f}"])
show_table(["mean of 5 seeds", "objects hit", "AP, all classes in one list", "mAP"], rows)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Both hit about as many objects, 224 and 213. In one list the specialist looks a little better, 0.418 against 0.383. By
# mAP the generalist is twice as good, 0.399 against 0.194.
#
# </details>
#
# Is that more than luck? We take the gain of the generalist over the specialist for each seed, and apply the rule of
# the [claim cards](glossary.ipynb#claim-card) from lesson 0: an effect is decided if its mean exceeds its uncertainty.

# %%
for k, name in ((1, "AP in one list"), (2, "mAP")):
    pairs = zip(measured["generalist"], measured["specialist"], strict=True)
    gains = [ours[k] - theirs[k] for ours, theirs in pairs]
    mean, doubt = np.mean(gains), uncertainty(gains)
    verdict = (
        "undecided" if abs(mean) <= doubt
        else "the generalist is ahead" if mean > 0 else "the specialist is ahead"
    )  # fmt: skip
    print(f"{name:15} gain of the generalist {mean:+.3f} ± {doubt:.3f}: {verdict}")

# %% [markdown]
# So the claim is **confirmed** here: a high mAP is out of reach for the specialist. In one list the two cannot be told
# apart; the mean over classes puts them far apart. The reason is arithmetic: with 13 classes, each can add at most one
# thirteenth to the mean, however many objects it has. The accuracy paradox was the same story in pixels. The next
# figure tells it class by class; each dot is one seed, and the number of objects stands behind the name.

# %% fold="Draw the AP of every class for both detectors" alt="Bars of AP for 13 classes, from person with 115 objects to aeroplane with 6. The specialist reaches 0.6 to 0.75 on person, boat and bird and hardly anything elsewhere. The generalist lies between 0.3 and 0.55 on every class but the bicycle, which has 0.07. Black dots for the seeds scatter around the bars"
figure, axis = plt.subplots(figsize=(9, 3.4))
for offset, (name, color) in enumerate((("specialist", RED), ("generalist", BLUE))):
    values = np.array([[run[3][label] for label in by_number] for run in measured[name]])  # seeds x classes
    places = np.arange(len(by_number)) + 0.4 * offset
    axis.bar(places, values.mean(axis=0), 0.36, color=color, alpha=0.75, label=f"{name}: mAP {values.mean():.3f}")
    axis.plot(np.tile(places, (len(values), 1)), values, ".", color="black", markersize=4)
ticks = [f"{SCENES.names[label]} ({there[label]})" for label in by_number]
axis.set_xticks(np.arange(len(ticks)) + 0.2, ticks, rotation=45, ha="right", rotation_mode="anchor")
axis.set(ylabel="AP", ylim=(0, 1))
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The other side of the coin is that a class with 6 objects weighs as much in the mean as one with 115. You might
# expect the rare classes to be the ones whose AP jumps from seed to seed. The dots do not bear that out: of the
# generalist's classes it is the bird, with 47 objects, that jumps furthest, from 0.17 to 0.53, while the aeroplane,
# with 6, stays between 0.28 and 0.33.
#
# ## What IoU does not see: outlines
#
# The area of an object grows with the square of its size, its outline only with its size. So a sloppy outline hardly
# costs a large object anything. Look at two imperfect predictions of the cup in the photograph. They lack equally many
# pixels, so they have the same IoU.
#
# **Predict, then run.** One is three pixels too thin all around, the other is exact but has lost its handle. Which one
# does a score for outlines prefer?


# %% fold="Make the two predictions and draw what they found and missed" alt="The shape of the cup twice, in blue. Left, a thin wine red rim all around is missing. Right, the handle at the lower left is wine red and everything else is exact. Both titles say IoU 0.934; boundary IoU is 0.648 on the left and 0.772 on the right"
def thinner(mask, pixels):
    """The mask without the pixels at most so far from its outline."""
    return mask & ~metrics.mask_boundary(mask, pixels) if pixels else mask


cup_mask = truth["coffee"] == cup
thin = thinner(cup_mask, 3)
rows, columns = np.nonzero(cup_mask)
tip = np.argmin(columns - rows)  # the pixel furthest to the lower left
nearest = np.argsort(np.hypot(rows - rows[tip], columns - columns[tip]), kind="stable")
bitten, lost = cup_mask.copy(), nearest[: cup_mask.sum() - thin.sum()]
bitten[rows[lost], columns[lost]] = False


figure, axes = plt.subplots(1, 2, figsize=(7, 3.7), layout="compressed")
part = np.s_[:320, 150:430]  # of the photograph
for axis, mask, title in zip(axes, (thin, bitten), ("too thin", "without handle"), strict=True):
    axis.imshow(ERROR_COLORS[plotting.error_map(cup_mask, mask, class_index=1, ignore_index=None)][part])
    axis.set_axis_off()
    scored = metrics.mask_iou(mask, cup_mask), metrics.boundary_iou(mask, cup_mask)
    axis.set_title(f"{title}\nIoU {scored[0]:.3f}, boundary IoU {scored[1]:.3f}")
figure.legend(handles=[patches[0], patches[2]], loc="outside lower center", ncols=2, frameon=False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The one without a handle: most of its outline is exact. Whether that is the better prediction is for you to decide; a
# robot that is to grasp the cup would disagree.
#
# </details>
#
# The score in the titles is the **boundary IoU** ([Cheng et al. 2021](https://arxiv.org/abs/2103.16562)). It looks only
# at a band inside each mask: $X_d$ holds the pixels of the picture within a distance $d$ of the outline of $X$, and
# $Y_d$ those of $Y$; $d$ is 2 % of the diagonal of the picture, here 14 pixels.
#
# $$\text{Boundary IoU} = \frac{|(X_d \cap X) \cap (Y_d \cap Y)|}{|(X_d \cap X) \cup (Y_d \cap Y)|}$$
#
# Here are the band of the true cup, that of the prediction that is too thin, and the two laid over each other:

# %% fold="Draw the two bands and how they overlap" alt="Three outlines of the cup. The band of the truth, 14 pixels wide, lies just inside the outline; that of the thin prediction is as wide and three pixels further in; over each other they are blue where they overlap, with a thin wine red rim outside that only the truth has, and an orange one inside that only the prediction has"
d = metrics.boundary_distance(*cup_mask.shape)
band, thin_band = metrics.mask_boundary(cup_mask, d), metrics.mask_boundary(thin, d)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.3))
for axis, outcome in zip(axes, (3 * band, 2 * thin_band, plotting.error_map(band, thin_band, 1, None)), strict=True):
    axis.imshow(ERROR_COLORS[outcome][part])
    axis.contour(cup_mask[part], [0.5], colors="black", linewidths=0.8)
    axis.set_axis_off()
for axis, title in zip(axes, ("band of the truth", "band of the prediction", "both: IoU of the bands"), strict=True):
    axis.set_title(title)
words = {"in both": 1, "only the prediction's": 2, "only the truth's": 3}
handles = [Patch(color=ERROR_COLORS[k] / 255, label=name) for name, k in words.items()]
figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
plt.show()
print(f"d = {d} pixels; IoU of the bands {metrics.mask_iou(thin_band, band):.3f}, "
      f"boundary IoU {metrics.boundary_iou(thin, cup_mask):.3f}")  # fmt: skip

# %% [markdown]
# Three pixels of 14 are a fifth of the band, and the score notices them. How do both scores react as the outline gets
# worse, for the cup and for the small spoon?

# %% fold="Draw IoU and boundary IoU against the error of the outline" alt="Two panels. For the cup, IoU falls slowly from 1 to 0.79 at ten pixels while boundary IoU falls to 0.17. For the spoon both fall fast, IoU to 0.37 and boundary IoU to 0.14"
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for axis, mask, name in zip(
    axes, (cup_mask, truth["coffee"] == PHOTOGRAPHS.index("spoon")), ("cup", "spoon"), strict=True
):
    errors = range(0, 11, 2)
    worse = [thinner(mask, pixels) for pixels in errors]
    axis.plot(errors, [metrics.mask_iou(other, mask) for other in worse], "o-", color=BLUE, label="IoU")
    axis.plot(errors, [metrics.boundary_iou(other, mask) for other in worse], "s--", color=RED, label="boundary IoU")
    axis.set(xlabel="too thin by, pixels", ylim=(0, 1.03), title=f"{name}: {mask.sum():,} pixels")
axes[0].set_ylabel("score")
axes[0].legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# For the cup, IoU loses a fifth at ten pixels, and boundary IoU more than four fifths. The spoon is so small that it
# nearly *is* its own boundary, and there both scores react. Boundary IoU alone would be fooled by a hollow mask (a ring
# that is just as wide as the band looks to it like the full disk), so evaluators take the smaller of the two (here:
# `evaluate_coco(..., iou_type="boundary")`). And since $d$ depends on the whole picture, do not crop or pad before you
# score.
#
# ## Panoptic quality
#
# [Panoptic segmentation](glossary.ipynb#panoptic-segmentation) gives every pixel a class, and every thing an identity.
# Its score ([Kirillov et al. 2019](https://arxiv.org/abs/1801.00868)) first matches the segments of truth and
# prediction: two of them match if they have the same class and an IoU *above* 0.5. Since the segments of a map do not
# overlap, none can have two such partners. Then, for each class,
#
# $$\mathrm{PQ} = \underbrace{\frac{\sum_{TP} \mathrm{IoU}}{|TP|}}_{\text{SQ: how well}} \times
# \underbrace{\frac{|TP|}{|TP| + \frac12 |FP| + \frac12 |FN|}}_{\text{RQ: how many}}$$
#
# where TP are the matched pairs, FP the segments that exist only in the prediction, and FN those that exist only in the
# truth. SQ is the *segmentation quality*, RQ the *recognition quality*, which is the F1 of the segments. The number
# that papers report is the mean of PQ over the classes.
#
# Let us score a real method on a photograph with 24 coins: every connected region that is brighter than a threshold is
# called a coin. The light comes from the upper left, and some of the coins are dark. Everything outside the coins is
# void in this map, and the official rule is lenient there: it takes void pixels off before it compares two segments, and
# a false segment that lies mostly on void is *excused*, so that it counts nowhere.
#
# **Predict, then run.** What goes wrong at a low threshold, and what at a high one?


# %% fold="Find coins at two thresholds, match them with the truth, draw the result" alt="Left, 24 coins on a dark ground that is brighter at the upper left. Middle, threshold 80: the upper left is one pale region, in which eight coins are outlined in wine red; the other 16 are blue. The title counts TP 16, FP 0, FN 8 and six excused. Right, threshold 140: 21 coins are blue, some with holes and orange specks; three are outlined in wine red and hold orange pieces. TP 21, FP 18, FN 3 and one excused"
def find_coins(least):
    """Numbered regions brighter than this; holes are filled, and specks below 20 pixels left out."""
    regions, _ = ndimage.label(ndimage.binary_fill_holes(np.asarray(photo["coins"])[0] > least))
    return np.where(np.bincount(regions.ravel())[regions] >= 20, regions, 0)


PALE = (250, 222, 160)  # of regions that are excused


def show_matches(axis, found):
    """Matched regions blue, false ones orange, excused ones pale, missed coins in wine red outlines; their counts."""
    segments, guesses = (np.unique(one)[1:] for one in (coins, found))
    masks = [np.stack([one == k for k in numbers]) for one, numbers in ((found, guesses), (coins, segments))]
    pairs = metrics.mask_iou(*masks) > 0.5  # regions x coins
    matched, hit = pairs.any(axis=1), pairs.any(axis=0)
    excused = ~matched & np.array([(coins[mask] == 0).mean() > 0.5 for mask in masks[0]])
    canvas = ERROR_COLORS[np.where(np.isin(found, guesses[matched]), 1, np.where(found > 0, 2, 0))]
    canvas[np.isin(found, guesses[excused])] = PALE
    axis.imshow(canvas)
    for k in segments[~hit]:
        axis.contour(coins == k, [0.5], colors=[ERROR_COLORS[3] / 255], linewidths=2.5)
    return matched.sum(), (~matched & ~excused).sum(), (~hit).sum(), excused.sum()


figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="compressed")
axes[0].imshow(np.asarray(photo["coins"]).transpose(1, 2, 0))
axes[0].set_title("photograph\nwith 24 coins")
for axis, least in zip(axes[1:], (80, 140), strict=True):
    tp, fp, fn, excused = show_matches(axis, find_coins(least))
    axis.set_title(f"threshold {least}:\nTP {tp}, FP {fp}, FN {fn}; {excused} excused")
for axis in axes:
    axis.set_axis_off()
words = {"matched (TP)": 1, "false (FP)": 2, "missed (FN)": 3}
handles = [Patch(color=ERROR_COLORS[k] / 255, label=name) for name, k in words.items()]
handles.append(Patch(color=np.divide(PALE, 255), label="false, but mostly on void: excused"))
figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# At 80 the bright part of the background is above the threshold. It melts into one region with eight coins, which are
# missed. The region itself and five specks at the edges find no partner, but all six lie mostly on void, so they are
# excused. At 140 three dark coins fall to pieces: three misses, and 18 false pieces here and on other coins. One more
# piece is excused.
#
# </details>
#
# The package computes the score from two maps of numbered segments and a list of their classes:

# %%
coin = PHOTOGRAPHS.index("coin")
for least in (80, 110, 140):
    found_coins = find_coins(least)
    listed = [{"id": int(number), "category_id": coin} for number in np.unique(found_coins)[1:]]
    quality = metrics.panoptic_quality(
        (coins, coin_picture["segments_info"]),
        (found_coins, listed),
        PHOTOGRAPHS,
    )
    score = quality.per_class[coin]
    print(f"threshold {least}: SQ {score.SQ:.3f} x RQ {score.RQ:.3f} = PQ {score.PQ:.3f}")

# %% [markdown]
# Take a calculator again. With the counts above the pictures, RQ is 16 / (16 + 8/2) = 0.800 at 80 and
# 21 / (21 + 18/2 + 3/2) = 0.667 at 140, as printed.
#
# SQ and RQ tell the two failures apart. At 80, whatever is matched fits almost perfectly, and RQ alone pays for the
# eight coins. At 140 the matched coins have holes and frayed edges as well, so SQ falls, too. A coin that was found
# badly costs *twice*, as a miss and as a false region. At 110 the old method finds all 24.
# (Where there are several classes, the mean of PQ is not the product of the means of SQ and RQ.)
#
# ## Three pitfalls that matter
#
# Many things can go wrong between a prediction and its number. Three of them have spoiled so many results that you
# should check for them first.
#
# **1. The background as void.** Someone does not want the background to count, and passes its class as the one to be
# ignored. Then all pixels where the truth is background are void, and with them every pixel of the background on which
# something was *invented*. Hardly an FP is left, and the IoU of the other classes silently turns into something like
# their recall (with a single class, into exactly that). It is a misuse of the option, and it has been reported as a bug
# of libraries more than once ([mmsegmentation 2655](https://github.com/open-mmlab/mmsegmentation/issues/2655),
# [evaluate 421](https://github.com/huggingface/evaluate/issues/421)).
#
# **Predict, then run.** By how much does this lift the mean IoU of *spray*, the model that invents most? (This time the
# mean is over the things alone; 0.086 in the table above had the background in it.)


# %%
def mean_over_things(ignored):
    """Mean IoU of spray over VOC's things, when this number of the truth is ignored; the mean recall."""
    score = metrics.ConfusionMatrix(21, ignore_index=ignored)
    for image, target in zip(images, targets, strict=True):
        score.update(np.where(target == VOID, ignored, as_voc(target)), answers["spray"][cells(image)])
    return np.nanmean(score.iou()[1:]), np.nanmean(score.recall()[1:])


print(f"void ignored:       mean IoU of the things {mean_over_things(VOID)[0]:.3f}")
print(f"background ignored: mean IoU of the things {mean_over_things(0)[0]:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# From 0.064 to 0.152: it more than doubles, and the model is still the same.
#
# </details>
#
# **2. Dividing too early.** The mean IoU of a data set is not the mean over pictures, batches or machines. Keep one
# matrix of whole numbers, add everything to it, and divide once, at the end.
#
# **3. Comparing what has two definitions.** Before you compare two numbers, ask: over the data set or per picture?
# Which classes, and is the background one of them? Boxes or masks? AP at which IoU, with which levels of recall? Were
# the maps scored at the size of the labels? If one answer is missing, the comparison is worth nothing.
#
# ## Summary
#
# | You want to know | Use | It does not see |
# | --- | --- | --- |
# | how well classes cover their pixels | mean IoU over the data set | single pictures, outlines, objects |
# | in which pictures a model fails | mean IoU per picture | the balance of the data set |
# | how well objects are found | AP, with the curve | which threshold to use |
# | the same over classes, sizes and strictness | COCO's AP and its parts | why a model fails |
# | whether outlines are right | boundary IoU | small errors far from outlines |
# | things and stuff at once | PQ, with SQ and RQ | near misses below an IoU of 0.5 |
# | the share of pixels that are right | pixel accuracy, never alone | rare classes |
#
# - IoU is TP / (TP + FP + FN). The same slip costs a thin shape far more than a broad one.
# - Mean IoU: one matrix for the whole data set, one IoU per class, then the mean over the classes that occur. Void
#   counts nowhere.
# - AP is the area under the envelope of precision over recall; 5, 11, 101 levels and the exact area differ. mAP is its
#   mean over classes.
# - A number without its definition cannot be compared.
#
# ## Self-test
#
# 1. A class fills 1 % of the pixels. A model never predicts it and is perfect otherwise. What are its pixel accuracy
#    and, with 10 classes, its mean IoU, about?
# 2. Model A has a mean IoU of 0.61 "per image", model B one of 0.66 "over the data set". Which is better?
# 3. Two masks have 300 pixels each and share 200. What are IoU, precision and Dice?
# 4. A detector reports each object twice, with equal masks and falling scores. What happens to recall and to AP?
# 5. Why can a COCO AP of 0.4 belong to a better detector than a VOC mAP of 0.7?
# 6. All outlines of a map of large lakes are wrong by three pixels. Which number tells?
# 7. A prediction melts two coins into one region. What does that cost in PQ?
#
# <details><summary>Answers</summary>
#
# 1. About 0.99, and about (9 · 1 + 0) / 10 = 0.9; a little less, since its pixels were given to other classes as FP.
# 2. Nobody can say, as these are two definitions. Score both in one way.
# 3. The union has 300 + 300 − 200 = 400 pixels: IoU 0.5, precision 200 / 300 = 0.667, Dice 400 / 600 = 0.667.
# 4. Recall stays. Each second report is an FP; where it comes before other hits it lowers precision there, and so AP.
# 5. COCO's is a mean over ten thresholds up to 0.95; VOC's is taken at an IoU of 0.5. Compare AP50 with it.
# 6. Boundary IoU, or the IoU in a band around the outlines (`metrics.boundary_band_iou`).
# 7. Two coins are missed and one region is false: 2 FN and 1 FP, unless the region overlaps one of the coins by more
#    than half; then it is that coin's match, with a low IoU, and only the other one is missed.
#
# </details>
#
# ## Reading
#
# - Everingham et al., [The PASCAL VOC Challenge](https://doi.org/10.1007/s11263-009-0275-4) (IJCV 2010) and [A
#   Retrospective](https://doi.org/10.1007/s11263-014-0733-5) (2015). Look for the definitions of AP, in §4, and at how
#   they changed from one year to the next.
# - Csurka et al., [What is a good evaluation measure for semantic segmentation?](https://doi.org/10.5244/C.27.32)
#   (BMVC 2013): the case for scores per picture and for outlines.
# - Cheng et al., [Boundary IoU](https://arxiv.org/abs/2103.16562) (CVPR 2021). Look at Figure 1: what plain IoU lets
#   pass.
# - Kirillov et al., [Panoptic Segmentation](https://arxiv.org/abs/1801.00868) (CVPR 2019), §4: why a match above 0.5
#   is unique.
# - Maier-Hein et al., [Metrics Reloaded](https://arxiv.org/abs/2206.01653) (2024): how to choose a metric for a task,
#   with a catalog of traps.
# - Video: Stanford CS231n, lecture 11, *Detection and Segmentation*. Watch where it switches from pixels to objects,
#   and which score each part uses.
# - The [assignment](assignments/01_metrics.ipynb) of this lesson, and then [lesson 2](02_data_sets.ipynb): where the
#   label maps come from.
#
# ## Going deeper
#
# **A trap in the eleven levels.** With 10 objects of which 3 are found, the recall is 3/10. Does it reach the level
# 0.3?

# %%
level = np.linspace(0, 1, 11)[3]
print(f"level 3 of 11 is {float(level)!r}; 3 / 10 reaches it: {bool(level <= 3 / 10)}")
three_of_ten = metrics.precision_recall_curve([0.9, 0.8, 0.7], [True, True, True], num_positives=10)
official = metrics.average_precision(three_of_ten.precision, three_of_ten.recall, "11point")
exact = metrics.average_precision(three_of_ten.precision, three_of_ten.recall, "11point", num_positives=10)
print(f"11-point AP as the official evaluators compute it {official:.4f}; in whole numbers {exact:.4f}")

# %% [markdown]
# It does not, because the computer's level 0.3 is a trace larger than 3/10: one of the eleven levels hangs on the last
# bit of a number. The package follows the official evaluators by default, since a score is there to be compared, and
# offers the exact one as an option.
#
# **More pitfalls, with the threads where people met them.**
#
# - *Absent classes as 0* (or as 1) in the mean of a picture or a batch: [torchmetrics
#   2866](https://github.com/Lightning-AI/torchmetrics/issues/2866), [lightning
#   3097](https://github.com/Lightning-AI/pytorch-lightning/issues/3097).
# - *Two definitions under one name*, and the discussion that follows: [mmsegmentation
#   2594](https://github.com/open-mmlab/mmsegmentation/issues/2594).
# - *Void in the prediction* has no meaning. Some tools drop such pixels, some count them into a wrong place of the
#   matrix without a word ([cityscapesScripts 66](https://github.com/mcordts/cityscapesScripts/issues/66)). This
#   package refuses them.
# - *Sums in float32*: 100 pictures with 500,001 pixels of a class each do not fit, since beyond 2²⁴ = 16,777,216 this
#   format skips whole numbers. Count in integers.
# - *The AP of a library that sees only detections*: scikit-learn's `average_precision_score` cannot know the objects
#   that nobody detected, and takes the last recall for 1 ([scikit-learn
#   30147](https://github.com/scikit-learn/scikit-learn/issues/30147)).
# - *COCO's small print*: an annotation with the number 0 counts as unmatched ([cocoapi
#   332](https://github.com/cocodataset/cocoapi/issues/332)), −1 means "no objects here"
#   ([55](https://github.com/cocodataset/cocoapi/issues/55)), and a precision of 1 up to recall 2/3 gives an AP of
#   67/101 ([683](https://github.com/cocodataset/cocoapi/issues/683)).
# - *PQ and void*: an object that the prediction leaves void is missed for the authors' evaluator and dropped by
#   another library, so that one picture scores 0 or 1.
# - *Resized maps*: score at the size of the labels, and never resize labels bilinearly, because that invents classes.
#
# **Other measures.** Wang et al., [Revisiting Evaluation Metrics for Semantic
# Segmentation](https://arxiv.org/abs/2310.19252) (2023), measure many models by finer kinds of mean IoU than the
# benchmarks use. The IoU in a band around the labels' borders, known as the trimap, is in DeepLab v2 (§4.1.2, Fig. 10)
# and in `metrics.boundary_band_iou`.
