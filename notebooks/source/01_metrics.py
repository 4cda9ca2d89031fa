# ---
# title: Metrics
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 0.9 GB
# prerequisites: ["[Lesson 0](00_start_here.ipynb)", NumPy arrays]
# minutes_work: 120
# ---

# %% [markdown]
# How good is a segmentation? One number is wanted, and there are a dozen of them. They do not agree: in this lesson
# three numbers crown three different models on the same pictures, and one and the same prediction gets two different
# "mean IoUs", both of them printed in papers. After it you can say what each number counts, compute it with three
# lines of NumPy, and see at once when somebody compares two that must not be compared.

# %% [markdown]
# ## Objectives
#
# After this lesson you can
#
# - compute IoU, Dice, the accuracies and the mean IoU from a confusion matrix, and say which pixels count nowhere;
# - show with numbers why pixel accuracy misleads, and why the same predictions have two mean IoUs;
# - turn scored detections into a precision-recall curve, and its area into AP at 5, 11 or 101 points, mAP and COCO's
#   AP;
# - choose the number that sees the error you care about: plain IoU, boundary IoU or panoptic quality;
# - read a table in a paper and name what has to be known before two of its numbers may be compared.

# %% [markdown]
# ## The claim
#
# > A metric that averages over **classes** keeps a model from shining by specializing: it cannot be good at a few classes,
# > weak at all others, and still get a high score.
#
# It is said of the mean average precision (mAP), and it is the reason why the PASCAL VOC challenge ranks by averages
# over its classes: AP averaged over 20 of them for detection, IoU averaged over 21 (with the background) for
# segmentation (Everingham et al., *The PASCAL Visual Object Classes Challenge: A Retrospective*, IJCV 2015, §2.4).
# At the end of the lesson a specialist and a generalist, built to find equally many objects, are scored both ways.

# %% [markdown]
# ## Something to score
#
# Metrics need predictions with real mistakes. Here is the simplest model that makes them: it cuts the space of
# colors and heights in the picture into cells, counts in 100 training scenes which class each cell holds, and predicts
# the most frequent one. It sees one pixel at a time, knows no shapes, and is trained in two seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from segtutor.bars import tqdm

from segtutor import metrics, plotting
from segtutor.datasets import Scenes

train, val = Scenes("train", (96, 120), count=100), Scenes("val", (96, 120), count=40)
names, VOID = train.labels.names, train.labels.ignore_index


def cells(image):
    """Number of each pixel's cell: 8 reds x 8 greens x 8 blues x 8 heights."""
    red, green, blue = np.asarray(image).astype(np.int64) // 32
    height = np.arange(red.shape[0])[:, None] * 8 // red.shape[0]
    return ((red * 8 + green) * 8 + blue) * 8 + height


seen = np.zeros((8**4, len(names)))  # how often each cell held each class
for image, target in tqdm(train, desc="training scenes"):
    target = np.asarray(target)
    valid = target != VOID
    np.add.at(seen, (cells(image)[valid], target[valid]), 1)

images, targets = zip(*val, strict=True)
targets = [np.asarray(target) for target in targets]
predictions = [seen.argmax(axis=1)[cells(image)] for image in images]
print(f"{len(targets)} scenes of {targets[0].shape} pixels, {len(names)} classes, void = {VOID}")

# %% [markdown]
# One scene, its truth, what the model predicts, and where that is wrong. Gray is **void**: a thin border around
# things that nobody can label well. It counts nowhere, whatever was predicted there.

# %% alt="Four panels of one drawn scene: the picture; its true labels; the predicted labels, noisy and with most small things missing; and a map of right (blue), wrong (wine red) and void (gray) pixels"
number = 7
figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), dpi=72, layout="constrained")
axes[0].imshow(np.asarray(images[number]).transpose(1, 2, 0))
for axis, labels, title in zip(axes[1:], (targets[number], predictions[number]), ("truth", "prediction"), strict=False):
    axis.imshow(plotting.colorize(labels, val.labels))
    axis.set_title(title)
axes[0].set_title("picture")
for axis in axes[:3]:
    axis.set_axis_off()
plotting.show_errors(targets[number], predictions[number], axes=axes[3])
plt.show()

# %% [markdown]
# ## One class: intersection over union
#
# For one class, let $X$ be the pixels predicted as this class and $Y$ those that truly are (the ground truth). Each
# pixel is one of four: found (true positive, TP), invented (false positive, FP), missed (false negative, FN), or
# rightly left alone (true negative, TN). The **intersection over union**, also called the Jaccard index, ignores the
# TN:
#
# $$\mathrm{IoU} = \frac{TP}{TP + FP + FN} = \frac{|X \cap Y|}{|X| + |Y| - |X \cap Y|}$$
#
# It lies between 0 and 1, and the two forms are one: $|X| = TP + FP$, $|Y| = TP + FN$, and $|X| + |Y|$ counts the
# intersection twice. Every formula of this lesson stands above the line that computes it.

# %%
target, prediction = targets[number], predictions[number]
grass = names.index("grass")
valid = target != VOID
X, Y = (prediction == grass) & valid, (target == grass) & valid

TP, FP, FN = (X & Y).sum(), (X & ~Y).sum(), (~X & Y).sum()
iou_by_outcomes = TP / (TP + FP + FN)
iou_by_sets = (X & Y).sum() / (X.sum() + Y.sum() - (X & Y).sum())

print(f"TP {TP}, FP {FP}, FN {FN}")
print(f"TP / (TP + FP + FN)                {iou_by_outcomes:.6f}")
print(f"|X and Y| / (|X| + |Y| - |X and Y|) {iou_by_sets:.6f}")
print(f"metrics.mask_iou(X, Y)             {metrics.mask_iou(X, Y):.6f}")

# %% [markdown]
# The same three kinds of pixels, drawn:

# %% alt="Map of one class: pixels found in blue, invented in orange, missed in wine red, void in gray"
axes = plotting.show_errors(target, prediction, class_index=grass)
axes.set_title(f"grass: IoU {iou_by_outcomes:.3f}")
axes.figure.set_dpi(72)
plt.show()

# %% [markdown]
# ### IoU of what?
#
# You will read "the higher the IoU, the better the predicted location of the *box*". IoU compares **sets**: boxes if
# the task is detection, masks if it is segmentation. They are different numbers for the same prediction.
#
# **Predict, then run.** A thin, upright figure is predicted four pixels too far to the right. Which IoU is lower,
# that of the masks or that of their boxes?

# %%
beach = Scenes("val", (180, 240), count=200, kinds=("beach",))
person = names.index("person")


def people(scene, least=150):
    """Masks of the persons that show at least so many pixels, the largest first."""
    masks = [item.mask for item in scene.instances if item.label == person]
    return sorted((mask for mask in masks if mask.sum() >= least), key=np.sum, reverse=True)


def moved(mask, right, down):
    """The mask, moved by whole pixels; what leaves the picture is lost."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    result[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = mask[
        max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
    ]
    return result


def box(mask):
    """The tight box around a mask, as a mask."""
    return np.outer(mask.any(axis=1), mask.any(axis=0))


scene = next(s for s in map(beach.scene, range(200)) if 7 <= len(people(s)) <= 8)
figure_mask = max(people(scene), key=lambda mask: mask.any(axis=1).sum() / mask.any(axis=0).sum())
shifted = moved(figure_mask, right=4, down=0)
print(f"IoU of the masks {metrics.mask_iou(figure_mask, shifted):.3f}")
print(f"IoU of the boxes {metrics.mask_iou(box(figure_mask), box(shifted)):.3f}")

# %% [markdown]
# <details><summary>Why?</summary>
#
# A box is filled. Shifting it loses a strip on one side and gains one on the other. A mask has legs, arms and gaps:
# each of its edges gains or loses such a strip. Masks are the stricter judges, and an "AP" of boxes must not be
# compared with one of masks.
#
# </details>

# %% [markdown]
# ## Dice, its twin
#
# Medical papers report the **Dice** coefficient, which is the F1 score under another name:
#
# $$\mathrm{Dice} = \frac{2\,TP}{2\,TP + FP + FN} = \frac{2\,|X \cap Y|}{|X| + |Y|}, \qquad
# D = \frac{2J}{1 + J}, \qquad J = \frac{D}{2 - D}$$
#
# with $J$ the IoU. For one pair of masks each follows from the other, so both rank any two predictions alike. Dice
# is never lower: when you compare papers, look which of the two they report.

# %%
dice = 2 * TP / (2 * TP + FP + FN)
precision, recall = TP / (TP + FP), TP / (TP + FN)
print(f"Dice {dice:.6f} = 2J / (1 + J) {2 * iou_by_sets / (1 + iou_by_sets):.6f}")
print(f"F1   {2 * precision * recall / (precision + recall):.6f} from precision and recall")
print(f"J    {iou_by_sets:.6f} = D / (2 - D)   {dice / (2 - dice):.6f}")

# %% [markdown]
# ## All classes: the confusion matrix
#
# Count, over **all** pixels of **all** pictures, how often class $i$ (row: truth) was predicted as class $j$
# (column). Call it $n_{ij}$. Void pixels of the truth are left out. Every score of this kind is a view of this one
# matrix, and two parts of a data set are joined by adding their matrices:
#
# $$\mathrm{IoU}_k = \frac{n_{kk}}{\sum_j n_{kj} + \sum_i n_{ik} - n_{kk}}, \qquad
# \mathrm{mIoU} = \frac{1}{K} \sum_{k=1}^{K} \mathrm{IoU}_k$$
#
# You will read that the mIoU is "the average between the IoU of the segmented *objects* over all the *images*". Not
# so: the average runs over the **classes**, and the IoU of a class is taken once, from the counts of the whole data
# set. No object and no picture has an IoU of its own in it.

# %%
K = len(names)
matrix = np.zeros((K, K), dtype=np.int64)
for target, prediction in zip(targets, predictions, strict=True):
    valid = target != VOID
    np.add.at(matrix, (target[valid], prediction[valid]), 1)

hits = np.diag(matrix)
union = matrix.sum(axis=1) + matrix.sum(axis=0) - hits
iou = hits[union > 0] / union[union > 0]  # a class that is nowhere has no IoU
print(f"by hand: mean of {iou.size} classes {iou.mean():.6f}")

confusion = metrics.ConfusionMatrix(num_classes=K, ignore_index=VOID)
for target, prediction in zip(targets, predictions, strict=True):
    confusion.update(target, prediction)
print(f"metrics.ConfusionMatrix:    {confusion.mean_iou():.6f}")

# %% [markdown]
# Which class drags the mean down? The bar chart says it, and the numbers behind the names, the share of the pixels,
# say why.

# %% alt="Bars of the IoU of each class, sorted: large surfaces such as sky and water are high, small things such as birds and cats near zero"
per_class = confusion.iou()
order = [k for k in np.argsort(-per_class) if not np.isnan(per_class[k])]
share = matrix.sum(axis=1) / matrix.sum()
figure, axes = plt.subplots(figsize=(9, 3.4), dpi=72, layout="constrained")
axes.bar(range(len(order)), per_class[order], color="#0072B2")
ticks = [f"{names[k]} {share[k]:.1%}" for k in order]
axes.set_xticks(range(len(order)), ticks, rotation=60, ha="right", fontsize=8)
axes.axhline(confusion.mean_iou(), color="#D55E00", linestyle="--", label="mean IoU")
axes.set(ylabel="IoU", ylim=(0, 1))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# **Your turn:** tasks 1.1 to 1.5 of the [assignment](assignments/01_metrics.ipynb) let you write all of this
# yourself, void and absent classes included.

# %% [markdown]
# ## The accuracy paradox
#
# The simplest score of all is the **pixel accuracy**, the share of pixels that are right. With it comes the mean of
# the accuracies of the classes (each the recall of its class; VOC scored by this in 2007):
#
# $$\mathrm{PA} = \frac{\sum_k n_{kk}}{\sum_{i,j} n_{ij}}, \qquad
# \mathrm{mPA} = \frac{1}{K}\sum_k \frac{n_{kk}}{\sum_j n_{kj}}$$
#
# To see what they reward, look at the pictures as VOC does: only things have classes, all else is background. How
# much is that? The statistics of 1000 scenes come with the course.

# %%
import json

from segtutor import resources
from segtutor.labels import VOC2012

statistics = json.loads(resources.data("scenes_statistics.json").read_text())["classes"]
shares = {name: entry["pixel_share"] for name, entry in statistics.items()}
total = sum(shares.values())
things = {name: part / total for name, part in shares.items() if name in VOC2012.names[1:]}
print(f"background as VOC has it: {1 - sum(things.values()):.1%} of the labeled pixels")
print("the rarest things:", {name: f"{part:.2%}" for name, part in sorted(things.items(), key=lambda x: x[1])[:4]})

# %% [markdown]
# Now three models on these labels, each trained in the same way:
#
# - **blank** says *background* everywhere and has never seen a thing;
# - **color** divides the counts of each cell by the square root of its class's frequency, so that rare classes get a
#   chance;
# - **spray** divides by the frequency itself: a cell goes to whatever is rare and might be there.
#
# **Predict, then run.** Which of the three has the highest pixel accuracy? Which the highest mean class accuracy?
# Which would you want to use?


# %%
def as_voc(labels):
    """Everything but things becomes background, number 0; void stays void."""
    return np.where((labels >= len(VOC2012)) & (labels != VOID), 0, labels)


def table(header, rows):
    """A table for the notebook."""
    head = "".join(f"<th style='text-align:left'>{cell}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    return HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


background = seen[:, :1] + seen[:, len(VOC2012) :].sum(axis=1, keepdims=True)
seen_voc = np.hstack([background, seen[:, 1 : len(VOC2012)]])
frequency = np.maximum(seen_voc.sum(axis=0), 1)
models = {
    "blank": np.zeros(len(seen_voc), dtype=np.int64),
    "color": (seen_voc / frequency**0.5).argmax(axis=1),
    "spray": (seen_voc / frequency).argmax(axis=1),
}
scores = {}
for name, answer in models.items():
    scores[name] = metrics.ConfusionMatrix(len(VOC2012), VOID)
    for image, target in zip(images, targets, strict=True):
        scores[name].update(as_voc(target), answer[cells(image)])
table(
    ["model", "pixel accuracy", "mean class accuracy", "mean IoU"],
    [
        [name, *(f"{v:.3f}" for v in (s.pixel_accuracy(), s.mean_class_accuracy(), s.mean_iou()))]
        for name, s in scores.items()
    ],
)

# %% [markdown]
# Three numbers, three winners. *Blank* beats *color* in pixel accuracy without finding anything: this is the
# **accuracy paradox**. Mean class accuracy falls for the opposite trick. It never looks at what was invented, so
# *spray*, which sprinkles rare classes over everything, comes out best. IoU has both mistakes in its denominator,
# and its mean over the classes cannot be lifted by the background alone: *blank* gets the IoU of the background
# divided by the number of classes that are there. That is why VOC went from the accuracy of 2007 to IoU in 2008.

# %% alt="The same scene three times as VOC labels: the truth with a few things on black, the color model with scattered blobs, the spray model covered with invented classes"
figure, axes = plt.subplots(1, 3, figsize=(10, 2.9), dpi=72, layout="constrained")
panels = {"truth": as_voc(targets[9])} | {m: models[m][cells(images[9])] for m in ("color", "spray")}
for axis, (title, labels) in zip(axes, panels.items(), strict=True):
    axis.imshow(plotting.colorize(labels, VOC2012))
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## One prediction, two mean IoUs
#
# Some libraries compute the mIoU of **each picture** and average those. The predictions of the first model, unchanged:
#
# **Predict, then run.** Will the mean over pictures be higher or lower than that over the data set?

# %%
table_of_images = metrics.iou_per_image(targets, predictions, num_classes=K, ignore_index=VOID)
each_image = np.nanmean(table_of_images, axis=1)
print(f"mIoU over the data set, {np.sum(union > 0)} classes:     {confusion.mean_iou():.3f}")
print(f"mean of the mIoU of {len(each_image)} pictures: {each_image.mean():.3f}")

# %% [markdown]
# Neither is wrong; they answer different questions. Per picture, a class that is invented somewhere scores 0 **in
# that picture**, however few pixels it has, and a small object that is missed weighs as much as a large one. Over
# the data set a few large regions decide. The gap can go either way: the *cars* example of a well-known library
# prints 0.680 per image and 0.830 over the data set for the same predictions. A small case where it goes the other
# way round: four pictures, the small object found in three, the large one missed in the fourth.

# %% alt="Dots: the mean IoU of each of 40 pictures, rising from the worst to the best; two lines mark their mean and the mIoU of the data set, which differ"
small_targets = [np.zeros((20, 20), dtype=np.int64) for _ in range(4)]
for small_target, side in zip(small_targets, (3, 3, 3, 15), strict=True):
    small_target[2 : 2 + side, 2 : 2 + side] = 1
small_predictions = [*small_targets[:3], np.zeros((20, 20), dtype=np.int64)]
small = metrics.ConfusionMatrix(2)
small.update(np.stack(small_targets), np.stack(small_predictions))
rows = metrics.iou_per_image(small_targets, small_predictions, 2)
print(f"four pictures: data set {small.mean_iou():.3f}, per picture {np.nanmean(rows, axis=1).mean():.3f}")

figure, axes = plt.subplots(figsize=(7, 2.8), dpi=72, layout="constrained")
axes.plot(np.sort(each_image), "o", color="#0072B2", label="each picture")
axes.axhline(each_image.mean(), color="#0072B2", linestyle=":", label="mean over pictures")
axes.axhline(confusion.mean_iou(), color="#D55E00", linestyle="--", label="data set")
axes.set(xlabel="pictures, sorted", ylabel="mean IoU")
axes.legend(frameon=False, fontsize=9)
plt.show()

# %% [markdown]
# Benchmarks (VOC, Cityscapes, ADE20K) use the data set. The view per picture is the better one for finding out
# *where* a model fails, as Csurka et al. argued in 2013. So write the definition beside the number: *mIoU (data set,
# mean over K classes, void ignored)*.
#
# ## Twelve edge cases
#
# Most "wrong" metrics are right ones with another convention. Each row below is computed now: a tiny case, the value
# by the policy of this course (which is that of the official evaluators), and the value by another convention that
# is in use.


# %%
def count(target, prediction, num_classes):
    """A confusion matrix of small label maps, written as lists."""
    confusion = metrics.ConfusionMatrix(num_classes)
    confusion.update(np.array(target), np.array(prediction))
    return confusion


def mean(values):
    return float(np.nanmean(values))


absent = count([0, 0, 1, 1], [0, 1, 1, 1], 3)
invented = count([0, 0, 0, 1], [0, 0, 2, 1], 3)
void = [0, 0, 1, 255, 255], [0, 0, 1, 1, 1]
empty = np.zeros((4, 4), dtype=bool)
missed = count([0, 0, 0, 1], [0, 0, 0, 0], 2)
pixel = np.zeros((10, 10), dtype=np.int64), np.zeros((10, 10), dtype=np.int64)
pixel[0][5, 5] = pixel[1][5, 6] = 1
pixel = count(*pixel, 2)
known = count([0, 0, 1, 1], [0, 1, 1, 1], 21)

cases = [
    ("absent class", "NaN, left out", absent.mean_iou(), "counts as 0", np.nan_to_num(absent.iou()).mean()),
    ("prediction of an absent class", "IoU 0, counts", invented.mean_iou(), "only classes of the truth",
     mean(invented.iou()[:2])),
    ("void in the truth", "left out", count(*void, 2).mean_iou(), "it is background",
     count([0, 0, 1, 0, 0], void[1], 2).mean_iou()),
    ("truth and prediction empty", "nothing to score", count(empty, empty, 2).iou()[1], "smoothed: 1 added to both",
     (1 + (empty & empty).sum()) / (1 + (empty | empty).sum())),
    ("empty prediction", "its precision is NaN", missed.precision()[1], "0 / 0 is 0", np.nan_to_num(missed.precision()[1])),
    ("one pixel, one beside it", "IoU of the object", pixel.iou()[1], "pixel accuracy", pixel.pixel_accuracy()),
    ("classes known, classes seen", "mean over the 2 seen", known.mean_iou(), "mean over the 21 known",
     np.nan_to_num(known.iou()).mean()),
]  # fmt: skip

# %% [markdown]
# The remaining five are about the order of summing and dividing: whoever divides first gives small groups a large say.

# %%
halves = [count([0, 0, 0, 1], [0, 0, 0, 0], 2), count([0, 1, 1, 1], [0, 1, 1, 1], 2)]
both = count([0, 0, 0, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1], 2)
uneven = count([0] * 90 + [1] * 10, [0] * 85 + [1] * 10 + [0] * 5, 2)
hit, all_of = np.diag(uneven.matrix), uneven.matrix.sum(axis=0) + uneven.matrix.sum(axis=1)
one, two = np.array([1.0, 0.2]), np.array([0.58, 0.58])  # IoU of two classes, by two models
dice_one, dice_two = 2 * one / (1 + one), 2 * two / (1 + two)
batches = [count(t, p, 3) for t, p in (([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 0]), ([2, 2], [1, 2]))]
joint = metrics.ConfusionMatrix(3)
for batch in batches:
    joint.merge(batch)

rest = [
    ("per picture, data set", "data set", both.mean_iou(), "mean of two pictures",
     mean([h.mean_iou() for h in halves])),
    ("micro, macro", "macro: mean of the classes", uneven.mean_iou(), "micro: all classes in one sum",
     hit.sum() / (all_of - hit).sum()),
    ("frequency weighted", "each class counts once", uneven.mean_iou(), "weighted by pixels",
     uneven.frequency_weighted_iou()),
    ("order of Dice and IoU", f"mIoU: A {one.mean():.3f}, B {two.mean():.3f}", "B" if two.mean() > one.mean() else "A",
     f"mean Dice: A {dice_one.mean():.3f}, B {dice_two.mean():.3f}", "B" if dice_two.mean() > dice_one.mean() else "A"),
    ("mean over batches", "one joint matrix", joint.mean_iou(), "mean of the batches' mIoU",
     mean([b.mean_iou() for b in batches])),
]  # fmt: skip


def shown(value):
    return value if isinstance(value, str) else f"{value:.3f}"


table(
    ["", "case", "this course", "value", "also in use", "value"],
    [(n, case, ours, shown(a), other, shown(b)) for n, (case, ours, a, other, b) in enumerate(cases + rest, 1)],
)

# %% [markdown]
# Two remarks. *Dice and IoU* rank two predictions of one mask alike (above), but not their **means**: Dice forgives
# a bad class more. And *micro* IoU is a disguised pixel accuracy $a$: with every pixel wrong once as FP and once as
# FN it is $a / (2 - a)$, paradox and all.

# %% [markdown]
# ## Detections: precision and recall
#
# A detector does not give one answer but a list of objects, each with a **score** for how sure it is. A detection is
# a *hit* (TP) if it overlaps an object of its class with enough IoU, and each object can be hit only once; a second
# detection of the same object is an FP, as is one that hits nothing. Objects that nobody hits are FN.
#
# $$P = \frac{TP}{TP + FP}, \qquad R = \frac{TP}{TP + FN}$$
#
# **Precision** tells how often we are right when we say something. **Recall** is the share of the objects that we
# find (what we miss is $1 - R$). A dozen detections of persons in one scene, made from the true masks by moving them
# about, with three pure inventions and two repeats:

# %%
objects = np.stack(people(scene)[:7])
moves = [  # object, moved right, moved down, score
    (0, 1, 0, 0.97), (1, 1, 1, 0.93), (2, 2, 1, 0.84), (1, 3, 2, 0.80), (3, 1, 1, 0.74), (4, 2, 1, 0.66),
    (3, 3, 1, 0.52), (5, 1, 2, 0.43), (6, 5, 2, 0.22),
]  # fmt: skip
places = [(0, 88, 100, 0.88), (2, 120, 50, 0.58), (5, 215, 160, 0.31)]  # object, new x, new y, score
made = [(moved(objects[number], right, down), score) for number, right, down, score in moves]
for number, x, y, score in places:
    center_y, center_x = np.argwhere(objects[number]).mean(axis=0).astype(int)
    made.append((moved(objects[number], x - center_x, y - center_y), score))
detections = np.stack([mask for mask, _ in made])
confidence = np.array([score for _, score in made])

overlaps = metrics.mask_iou(detections, objects)  # 12 detections x 7 objects
is_match = metrics.match_detections(confidence, overlaps, threshold=0.5)
for threshold in (0.9, 0.8, 0.5):
    passing = confidence >= threshold
    TP, FP = (is_match & passing).sum(), (~is_match & passing).sum()
    FN = len(objects) - TP
    print(f"score >= {threshold}: precision {TP / (TP + FP):.3f}, recall {TP / (TP + FN):.3f}")

# %% [markdown]
# A high threshold: when we say "person" we are right, but we miss many. A low one: we find most, and talk nonsense
# in between. A threshold is a choice of the application, not of the model. To judge the model, look at **all**
# thresholds: the **precision-recall curve**.
#
# ## The curve, and four ways to make it one number
#
# Walk down the list by falling score. After each detection there is a recall (x) and a precision (y). Recall never
# falls; precision goes up and down. The **average precision** (AP) is the area under this curve, after each point
# got the best precision still to come (the *envelope*):
#
# $$\hat P(r) = \max_{r' \ge r} P(r'), \qquad \mathrm{AP} = \sum_i (R_i - R_{i-1})\, \hat P(R_i)$$
#
# Usually it is read off at a few levels of recall instead: 11 (VOC 2007), 101 (COCO), sometimes 5:
#
# $$\mathrm{AP}_{N} = \frac{1}{N} \sum_{r \in \{0,\, 1/(N-1),\, \dots,\, 1\}} \hat P(r), \qquad
# \hat P(r) = 0 \text{ beyond the recall reached}$$

# %%
order = np.argsort(-confidence)
true_positives = np.cumsum(is_match[order])
precision = true_positives / np.arange(1, len(order) + 1)
recall = true_positives / len(objects)

envelope = np.maximum.accumulate(precision[::-1])[::-1]
area = np.sum(np.diff(recall, prepend=0) * envelope)
print(f"area        by hand {area:.6f}   metrics {metrics.average_precision(precision, recall, 'area'):.6f}")
for points in (5, 11, 101):
    levels = np.linspace(0, 1, points)
    values = [envelope[recall >= level].max(initial=0) for level in levels]
    package = metrics.average_precision(precision, recall, f"{points}point")
    print(f"{points:3} points  by hand {np.mean(values):.6f}   metrics {package:.6f}")

# %% [markdown]
# Four numbers for one list of detections, and all of them are called AP. The picture shows what each one measures.

# %% alt="Four panels with the same falling precision-recall curve and its staircase envelope: bars at 5 recall levels, at 11, at 101, and the whole area shaded, each with its AP in the title"
figure, axes = plt.subplots(1, 4, figsize=(14, 3.3), dpi=72, layout="constrained", sharey=True)
for axis, method in zip(axes, ("5point", "11point", "101point", "area"), strict=True):
    plotting.show_precision_recall(precision, recall, method, axes=axis)
plt.show()

# %% [markdown]
# ### Move it
#
# Two sliders: the score that a detection needs to pass, and the IoU that it needs to count as a hit. Objects bear
# letters, detections numbers; blue ones are hits, orange ones are false, and objects with a dashed yellow outline
# are missed.
#
# **Predict, then move.**
#
# 1. Lower the score from 1 to 0 and watch the ring run along the curve. When does it go straight down, when up and
#    to the right?
# 2. Raise the IoU from 0.5 to 0.7. Recall can only fall. Can precision rise?
# 3. Compare the two AP columns at score 0.6: why does a report that throws away low scores lose AP?

# %%
plotting.movable_precision_recall(scene.image, objects, detections, confidence)

# %% [markdown]
# The same, standing still, for pages that run no scripts: the matches at two IoU thresholds.

# %% alt="The beach scene twice with outlined detections, at IoU 0.5 and 0.75: hits in blue, false detections in orange, missed objects dashed yellow; beside each the precision-recall curve, lower at 0.75"
figure, axes = plt.subplots(2, 2, figsize=(10, 6.6), dpi=72, layout="constrained", width_ratios=(1.4, 1))
for (left, right), threshold in zip(axes, (0.5, 0.75), strict=True):
    found = metrics.match_detections(confidence, overlaps, threshold)
    left.imshow(scene.image)
    for mask, hit, score in zip(detections, found, confidence, strict=True):
        color = "#2b8fd0" if hit else "#d55e00"
        left.contour(mask, [0.5], colors=[color], linewidths=1.5)
        y, x = np.argwhere(mask).mean(axis=0)
        style = {"boxstyle": "round,pad=0.1", "facecolor": color, "edgecolor": "none"}
        left.text(x, y, f"{score:.2f}", color="white", fontsize=8, ha="center", bbox=style)
    for mask, overlap in zip(objects, overlaps.T, strict=True):
        if not (found & (overlap >= threshold)).any():
            left.contour(mask, [0.5], colors="#f0e442", linewidths=2.5, linestyles="--")
    left.set_axis_off()
    left.set_title(f"IoU at least {threshold}: {found.sum()} of {len(objects)} objects hit")
    curve = metrics.precision_recall_curve(confidence, found, len(objects))
    plotting.show_precision_recall(curve.precision, curve.recall, "area", axes=right)
plt.show()

# %% [markdown]
# <details><summary>The three answers</summary>
#
# 1. A false detection adds no recall: precision falls, the ring goes straight down. A hit adds recall and lifts
#    precision, unless that is 1 already.
# 2. A stricter IoU turns hits into false ones, so for the same list both can only fall or stay. (A stricter *score*
#    is another thing: it shortens the list.)
# 3. AP is measured over all recalls. Detections that are cut off cannot reach high recall, and what is not reached
#    counts as precision 0. For AP, submit everything; for use, choose a threshold.
#
# </details>
#
# **Your turn:** tasks 1.6 to 1.9 of the [assignment](assignments/01_metrics.ipynb): precision and recall, the curve,
# AP in two ways, the matching.

# %% [markdown]
# ### A trap in the eleven levels
#
# With 10 objects and 3 found, the recall is 3/10. Is the level 0.3 reached?

# %%
level = np.linspace(0, 1, 11)[3]
reached = 3 / 10
print(f"level 3 of 11 is {float(level)!r}; 3 / 10 reaches it: {bool(reached >= level)}")
three_of_ten = metrics.precision_recall_curve([0.9, 0.8, 0.7], [True, True, True], num_positives=10)
official = metrics.average_precision(three_of_ten.precision, three_of_ten.recall, "11point")
exact = metrics.average_precision(three_of_ten.precision, three_of_ten.recall, "11point", num_positives=10)
print(f"11-point AP, as the official evaluators compute it {official:.4f}; in whole numbers {exact:.4f}")

# %% [markdown]
# One of the eleven levels hangs on the last bit of a float. The course follows the official evaluators by default,
# since a number is there to be compared, and offers the exact one as an option.

# %% [markdown]
# ## mAP: the mean over classes
#
# AP belongs to one class (and to one IoU threshold). With $Q$ classes,
#
# $$\mathrm{mAP} = \frac{1}{Q} \sum_{q=1}^{Q} \mathrm{AvgP}(q)$$
#
# A class without objects has no AP and is left out. Beware of names: what VOC calls *mAP* (at IoU 0.5), COCO calls
# *AP50*, and COCO's *AP* is a mean over classes as well.
#
# To have detectors for several classes, here is a made one: it finds each object with a probability that depends on
# its class, gives a mask that is a little off, and invents some.

# %%
park = Scenes("val", (120, 160), count=60, seed=1)
scenes = [park.scene(index) for index in range(60)]
truth = [(n, item.label, item.mask) for n, s in enumerate(scenes) for item in s.instances if item.mask.sum() >= 40]
classes = sorted({label for _, label, _ in truth})


def detect(skill, generator, inventions=100, slip=1.0):
    """Detections (scene, class, mask, score): each object with its class's skill, and inventions."""
    found = []
    for n, label, mask in truth:
        if generator.random() < skill[label]:
            right, down = np.rint(generator.normal(0, slip, 2)).astype(int)
            found.append((n, label, moved(mask, right, down), generator.beta(4, 2)))
    for _ in range(inventions):
        _, label, mask = truth[generator.integers(len(truth))]
        n, right, down = generator.integers(60), *generator.integers(-60, 60, 2)
        found.append((n, label, moved(mask, right, down), generator.beta(2, 3)))
    return [entry for entry in found if entry[2].any()]


def match(found, threshold=0.5):
    """Per class: scores, hits and number of objects, as metrics.mean_average_precision takes them."""
    scores, hits = {label: [] for label in classes}, {label: [] for label in classes}
    for n in range(60):
        for label in classes:
            masks = [mask for m, other, mask, _ in found if (m, other) == (n, label)]
            if masks:
                values = [score for m, other, _, score in found if (m, other) == (n, label)]
                there = [mask for m, other, mask in truth if (m, other) == (n, label)]
                overlap = metrics.mask_iou(np.stack(masks), np.stack(there)) if there else np.zeros((len(masks), 0))
                scores[label] += values
                hits[label] += metrics.match_detections(values, overlap, threshold).tolist()
    return scores, hits, {label: sum(other == label for _, other, _ in truth) for label in classes}


# %% [markdown]
# The mAP by hand, the formula above, and by the package:

# %%
generalist = detect(dict.fromkeys(classes, 0.6), np.random.default_rng(0))
scores_of, hits_of, positives = match(generalist)
ap = {}
for label in classes:
    curve = metrics.precision_recall_curve(scores_of[label], hits_of[label], positives[label])
    ap[label] = metrics.average_precision(curve.precision, curve.recall)
print({names[label]: round(value, 3) for label, value in ap.items()})
print(f"by hand {sum(ap.values()) / len(ap):.6f}")
print(f"metrics {metrics.mean_average_precision(scores_of, hits_of, positives).mean:.6f}")

# %% [markdown]
# ## COCO's AP
#
# An IoU of 0.5 is generous: a mask may be wrong by half its size. COCO (Lin et al., 2014) averages over ten
# IoU thresholds as well, 0.50, 0.55, ..., 0.95, with 101 recall levels each, and reports besides how AP depends on the
# objects' size (small: up to 32² pixels, large: from 96²) and how much is found at all (AR, with at most 1, 10 or
# 100 detections a picture). `metrics.evaluate_coco` reads the official JSON and agrees with the official
# evaluator to the last bit. Our detections, written as COCO wants them:

# %%
ground_truth = {
    "images": [{"id": n, "height": 120, "width": 160} for n in range(60)],
    "categories": [{"id": label, "name": names[label]} for label in classes],
    "annotations": [
        {
            "id": identity, "image_id": n, "category_id": label, "iscrowd": 0, "area": int(mask.sum()),
            "bbox": metrics.rle.to_box(metrics.rle.encode(mask)).tolist(), "segmentation": metrics.rle.encode(mask),
        }
        for identity, (n, label, mask) in enumerate(truth, start=1)
    ],
}  # fmt: skip
results = [
    {"image_id": n, "category_id": label, "score": float(score), "segmentation": metrics.rle.encode(mask)}
    for n, label, mask, score in generalist
]
summary = metrics.evaluate_coco(ground_truth, results)
print({name: round(value, 3) for name, value in summary.items()})
print("large objects in the set:", sum(int(mask.sum() >= 96**2) for *_, mask in truth))

# %% [markdown]
# Read the parts with the counts: with so few large objects, APl is a matter of luck. What stands behind the first
# number: AP falls as the threshold rises, and COCO's AP is the mean of ten such values. Here it is once more by
# hand, with nothing but the functions of this lesson.

# %% alt="AP against the IoU threshold from 0.5 to 0.95: a falling curve, ten dots, and a dashed line at their mean, which is COCO's AP"
thresholds = np.linspace(0.5, 0.95, 10)
by_hand = []
for threshold in thresholds:
    by_hand.append(metrics.mean_average_precision(*match(generalist, threshold), method="101point").mean)
print(f"AP by hand {np.mean(by_hand):.12f}\n  package  {summary['AP']:.12f}")

figure, axes = plt.subplots(figsize=(6, 3), dpi=72, layout="constrained")
axes.plot(thresholds, by_hand, "o-", color="#0072B2", label="mean AP over classes")
axes.axhline(summary["AP"], color="#D55E00", linestyle="--", label="COCO's AP: mean of the ten")
axes.set(xlabel="IoU threshold", ylabel="AP", ylim=(0, 1))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# **Your turn:** task 1.10 of the [assignment](assignments/01_metrics.ipynb) is this AP, from nothing.

# %% [markdown]
# ## What IoU does not see: outlines
#
# The area of an object grows with the square of its size, its outline only linearly. So a sloppy outline hardly
# costs a large object anything. **Boundary IoU** (Cheng et al., 2021) compares only the pixels of each mask within a
# distance $d$ of its own outline ($X_d$, $Y_d$; $d$ is 2 % of the image diagonal):
#
# $$\text{Boundary IoU} = \frac{|(X_d \cap X) \cap (Y_d \cap Y)|}{|(X_d \cap X) \cup (Y_d \cap Y)|}$$
#
# **Predict, then run.** Two predictions of one large object have the same IoU: one is too thin all around, the other
# is exact but has a bite taken out. Which one does boundary IoU prefer?

# %% alt="A large object's mask twice: too thin all around, and exact with a round bite at one corner. Both have the same IoU, the second a much higher boundary IoU"
street = Scenes("val", (180, 240), count=12, kinds=("street",))
large = max((item.mask for index in range(12) for item in street.scene(index).instances), key=np.sum)


def eroded(mask, pixels):
    """The mask without everything within so many pixels of its outline."""
    return mask & ~metrics.mask_boundary(mask, pixels) if pixels else mask


thin = eroded(large, 2)
bitten = large.copy()
rows, columns = np.nonzero(large)
missing = int(large.sum() - thin.sum())
by_distance = np.hypot(rows - rows.min(), columns - columns.min())
nearest = np.argsort(by_distance, kind="stable")[:missing]  # the corner, as many pixels as the thin one lacks
bitten[rows[nearest], columns[nearest]] = False

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), dpi=72, layout="constrained")
for axis, mask, title in zip(axes, (thin, bitten), ("too thin", "bitten"), strict=True):
    scored = metrics.mask_iou(mask, large), metrics.boundary_iou(mask, large)
    text = f"{title}: IoU {scored[0]:.3f}, boundary IoU {scored[1]:.3f}"
    plotting.show_errors(large, mask, class_index=1, axes=axis, title=text)
plt.show()

# %% [markdown]
# The distance computed by hand, and how the two scores react to an outline that is wrong by more and more pixels,
# for a large and for a small object:

# %% alt="IoU and boundary IoU against the error of the outline in pixels. For the large object IoU falls slowly and boundary IoU fast; for the small object both fall fast together"
d = max(1, round(0.02 * np.hypot(*large.shape)))
X_d, Y_d = metrics.mask_boundary(thin, d), metrics.mask_boundary(large, d)
print(f"d = {d} pixels; by hand {(X_d & Y_d).sum() / (X_d | Y_d).sum():.6f}, "
      f"metrics {metrics.boundary_iou(thin, large):.6f}")  # fmt: skip

figure, axes = plt.subplots(1, 2, figsize=(9, 2.9), dpi=72, layout="constrained", sharey=True)
for axis, mask, title in zip(axes, (large, objects[-1]), ("large object", "small object"), strict=True):
    errors = range(6)
    worse = [eroded(mask, pixels) for pixels in errors]
    plain = [metrics.mask_iou(other, mask) for other in worse]
    outline = [metrics.boundary_iou(other, mask) for other in worse]
    axis.plot(errors, plain, "o-", color="#0072B2", label="IoU")
    axis.plot(errors, outline, "s--", color="#D55E00", label="boundary IoU")
    axis.set(xlabel="outline wrong by, pixels", ylim=(0, 1.03), title=f"{title}: {mask.sum()} pixels")
axes[0].legend(frameon=False)
plt.show()

# %% [markdown]
# A small object *is* its own boundary: there both agree. Boundary IoU alone would be fooled by a hollow mask, so
# evaluators take the smaller one of the two (`evaluate_coco(..., iou_type="boundary")`). And $d$ depends on the
# whole image: do not crop or pad before scoring.

# %% [markdown]
# ## Panoptic quality
#
# Panoptic segmentation gives every pixel a class and every thing an identity. Its score (Kirillov et al., 2019)
# first matches segments: one class, IoU above 0.5 (then at most one partner is possible). Per class,
#
# $$\mathrm{PQ} = \underbrace{\frac{\sum_{TP} \mathrm{IoU}}{|TP|}}_{\text{SQ: how well}} \times
# \underbrace{\frac{|TP|}{|TP| + \frac12 |FP| + \frac12 |FN|}}_{\text{RQ: how many (F1)}}$$
#
# and the mean over classes is the number reported. By hand, on one scene whose prediction forgets a thing, moves two
# others, and fills the holes with what surrounds them:

# %%
panoptic = Scenes("val", (120, 160), count=20, target="panoptic", void_border=0)
_, annotation = panoptic[14]
segments, info = np.asarray(annotation["segments"]), annotation["segments_info"]
things_here = [entry for entry in info if entry["isthing"] and entry["area"] >= 60]
forgotten, *slipped = [entry["id"] for entry in things_here[-3:]]

guess = segments.copy()
surroundings = np.bincount(segments[segments != forgotten]).argmax()
guess[segments == forgotten] = surroundings
for identity, distance in zip(slipped, (2, 9), strict=True):
    guess[guess == identity] = surroundings
    guess[moved(segments == identity, distance, 0)] = identity
guess_info = [entry for entry in info if (guess == entry["id"]).any()]

outcomes = {}  # class: sum of IoU, TP, FP, FN
for entry in info:
    outcome = outcomes.setdefault(entry["category_id"], [0.0, 0, 0, 0])
    one, other = segments == entry["id"], guess == entry["id"]  # an id keeps its class here
    overlap = (one & other).sum() / (one | other).sum()
    if overlap > 0.5:
        outcome[0] += overlap
        outcome[1] += 1
    else:
        outcome[2] += int(other.any())
        outcome[3] += 1

# %% [markdown]
# PQ, SQ and RQ of each class and their means, beside the package's:

# %%
lines, means = [], []
quality = metrics.panoptic_quality((segments, info), (guess, guess_info), val.labels)
for label, (overlap_sum, tp, fp, fn) in sorted(outcomes.items()):
    sq, rq = (overlap_sum / tp if tp else 0.0), tp / (tp + fp / 2 + fn / 2)
    means.append(sq * rq)
    package = quality.per_class[label].PQ
    lines.append([names[label], tp, fp, fn, f"{sq:.3f}", f"{rq:.3f}", f"{sq * rq:.3f}", f"{package:.3f}"])
lines.append(["mean", "", "", "", "", "", f"{np.mean(means):.3f}", f"{quality.overall.PQ:.3f}"])
table(["class", "TP", "FP", "FN", "SQ", "RQ", "PQ = SQ × RQ", "metrics"], lines)

# %% [markdown]
# Three mistakes, three fates: what was forgotten is one FN; what slipped by two pixels stays a match with a lower
# SQ; what slipped too far costs **twice**, as FP and as FN. Note that the mean PQ is not the product of the mean SQ
# and the mean RQ.

# %% [markdown]
# ## The claim, measured
#
# Two detectors on the 60 scenes, built to find **equally many objects**. The *specialist* finds nearly all objects
# of the three most frequent classes and hardly any other; the *generalist* finds the same share of every class. Both
# slip and invent alike. We score them once as if there were only one class ("object": all detections in one list),
# and once by mAP.
#
# **Predict, then run.** Who wins which?

# %%
by_number = sorted(classes, key=lambda label: -positives[label])
common = by_number[:3]
skill_special = {label: 0.95 if label in common else 0.05 for label in classes}
expected = sum(positives[label] * skill_special[label] for label in classes)
skill_general = dict.fromkeys(classes, expected / sum(positives.values()))
print("the specialist knows:", ", ".join(names[label] for label in common))

measured = {"specialist": [], "generalist": []}
for seed in range(3):
    for name, skill in (("specialist", skill_special), ("generalist", skill_general)):
        scores_of, hits_of, positives = match(detect(skill, np.random.default_rng(seed)))
        curve = metrics.precision_recall_curve(
            np.concatenate([scores_of[label] for label in classes]),
            np.concatenate([np.array(hits_of[label], dtype=bool) for label in classes]),
            sum(positives.values()),
        )
        hits = sum(sum(values) for values in hits_of.values())
        pooled = metrics.average_precision(curve.precision, curve.recall)
        measured[name].append((hits, pooled, metrics.mean_average_precision(scores_of, hits_of, positives).mean))


def spread(values):
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


table(
    ["3 seeds", "objects hit", "AP, all classes in one list", "mAP"],
    [
        [name, f"{np.mean([r[0] for r in runs]):.0f}", spread([r[1] for r in runs]), spread([r[2] for r in runs])]
        for name, runs in measured.items()
    ],
)

# %% [markdown]
# The two find about the same number of objects, and in one list the specialist looks no worse. The mean over classes
# puts them far apart: **the claim holds**, and the reason is arithmetic. In the mean over $Q$ classes each class can
# add at most $1/Q$, however many objects it has. The other side of the coin: a class with five objects weighs as
# much as one with a hundred, so the mAP of rare classes is noisy (look at the spread). The paradox of pixel accuracy
# above was the same story in pixels. Class by class, for the first seed:

# %% alt="Bars of AP per class for the specialist and the generalist: the specialist is near 0.9 on three classes and near zero elsewhere, the generalist is level over all classes"
figure, axes = plt.subplots(figsize=(9, 3.2), dpi=72, layout="constrained")
for offset, (name, skill, color) in enumerate(
    (("specialist", skill_special, "#D55E00"), ("generalist", skill_general, "#0072B2"))
):
    mean_ap = metrics.mean_average_precision(*match(detect(skill, np.random.default_rng(0))))
    values = [mean_ap.per_class[label] for label in by_number]
    axes.bar(np.arange(len(values)) + 0.4 * offset, values, 0.38, color=color, label=f"{name}: mAP {mean_ap.mean:.3f}")
ticks = [f"{names[label]} ({positives[label]})" for label in by_number]
axes.set_xticks(np.arange(len(ticks)) + 0.2, ticks, rotation=45, ha="right", fontsize=8)
axes.set(ylabel="AP", ylim=(0, 1))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Pitfalls
#
# - **Ignoring the background.** With the background as `ignore_index`, the pixels where a thing was invented are
#   void: no FP is left, and IoU becomes recall. Reported as a bug more than once ([mmsegmentation
#   2655](https://github.com/open-mmlab/mmsegmentation/issues/2655), [evaluate
#   421](https://github.com/huggingface/evaluate/issues/421)); the next cell shows it.
# - **Absent classes as 0** (or as 1) in the mean of a picture or a batch
#   ([torchmetrics 2866](https://github.com/Lightning-AI/torchmetrics/issues/2866),
#   [lightning 3097](https://github.com/Lightning-AI/pytorch-lightning/issues/3097)).
# - **Two definitions, one name.** Means per picture and over the data set are mixed up between papers and libraries
#   ([segmentation_models.pytorch 733](https://github.com/qubvel-org/segmentation_models.pytorch/issues/733)).
# - **Means of batches.** The mIoU of a data set is not the mean over batches. Add matrices; with several processes,
#   too.
# - **Void in the prediction** has no meaning. Some tools drop such pixels, some count them into a wrong cell without
#   a word ([cityscapesScripts 66](https://github.com/mcordts/cityscapesScripts/issues/66)). Here it is refused.
# - **Sums in float32.** 100 pictures with 500001 pixels of a class each do not fit: count in integers.
# - **"AP" of a library that takes only detections.** scikit-learn's `average_precision_score` cannot know the
#   objects that nobody detected and takes the last recall for 1 ([scikit-learn
#   30147](https://github.com/scikit-learn/scikit-learn/issues/30147)).
# - **COCO's small print:** the annotation id 0 counts as unmatched ([cocoapi
#   332](https://github.com/cocodataset/cocoapi/issues/332)), −1 means "no objects here"
#   ([55](https://github.com/cocodataset/cocoapi/issues/55)), and a precision of 1 up to recall 2/3 gives an AP of
#   67/101 ([683](https://github.com/cocodataset/cocoapi/issues/683)).
# - **PQ and void:** an object that the prediction leaves void is missed for the authors' evaluator, and dropped by
#   another library: 0 or 1 for one picture.
# - **Scoring resized maps.** Score at the size of the labels, and never resize labels bilinearly: that invents
#   classes.

# %%
target = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
prediction = np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 0])  # four invented, one missed
honest, blind = metrics.ConfusionMatrix(2), metrics.ConfusionMatrix(2, ignore_index=0)
honest.update(target, prediction)
blind.update(target, prediction)
print(f"IoU of class 1: {honest.iou()[1]:.3f}; background ignored: {blind.iou()[1]:.3f}; "
      f"recall: {honest.recall()[1]:.3f}")  # fmt: skip

# %% [markdown]
# ## Summary
#
# | You want to know | Use | It does not see |
# | --- | --- | --- |
# | how well classes cover their pixels | mIoU over the data set | single pictures, outlines, objects |
# | in which pictures a model fails | mIoU per picture | the data set's balance |
# | how well objects are found | AP, with the curve | which threshold to use |
# | the same over classes, sizes and strictness | COCO's AP and its parts | why |
# | whether outlines are right | boundary IoU | small errors far from outlines |
# | things and stuff at once | PQ, with SQ and RQ | near misses below 0.5 |
# | share of pixels that are right | pixel accuracy, never alone | rare classes |
#
# - IoU = TP / (TP + FP + FN); Dice = 2 IoU / (1 + IoU) for one pair, not for means.
# - mIoU: one matrix of the whole data set, one IoU per class, then the mean over the classes that occur. Void counts
#   nowhere.
# - AP is the area under the envelope of precision over recall; 5, 11, 101 points and the area differ. mAP is its
#   mean over classes.
# - A number without its definition (over what? which classes? which IoU? which points?) cannot be compared.

# %% [markdown]
# ## Self-test
#
# 1. A class fills 1 % of the pixels; a model never predicts it and is perfect otherwise. What are its pixel accuracy
#    and its mIoU with 10 classes, about?
# 2. Model A has mIoU 0.61 "per image", model B 0.66 "over the data set". Which is better?
# 3. IoU 0.5: what is Dice? Dice 0.9: what is the IoU?
# 4. A detector reports each object twice, with equal masks and falling scores. What happens to recall and to AP?
# 5. Why can a COCO AP of 0.4 belong to a better detector than a VOC mAP of 0.7?
# 6. All outlines of a segmentation of large lakes are wrong by three pixels. Which number tells?
#
# <details><summary>Answers</summary>
#
# 1. About 0.99, and about (9 × 1 + 0) / 10 = 0.9 (a little less: its pixels were given to other classes, as FP).
# 2. Nobody can say: two definitions. Score both in one way.
# 3. 2 · 0.5 / 1.5 = 2/3; 0.9 / (2 − 0.9) = 0.818.
# 4. Recall stays. Each second report is an FP; where it comes before other hits, it lowers precision there, and so AP.
# 5. COCO's is a mean over ten thresholds up to 0.95 on masks or boxes of 80 classes; VOC's is at IoU 0.5. Compare
#    AP50 with it.
# 6. Boundary IoU, or the IoU in a band around the outlines (`metrics.boundary_band_iou`).
#
# </details>

# %% [markdown]
# ## Reading and exercises
#
# - The [assignment](assignments/01_metrics.ipynb): eleven tasks, from the IoU of two masks to COCO's AP and the
#   predictions of a real network.
# - Everingham et al., [The PASCAL VOC Challenge](https://doi.org/10.1007/s11263-009-0275-4) (IJCV 2010) and *A
#   Retrospective* (2015): look for the definitions of AP, in §4, and how they changed from one year to the next.
# - Lin et al., [Microsoft COCO](https://arxiv.org/abs/1405.0312) (2014): why objects in context need masks, and sizes.
# - Csurka et al., *What is a good evaluation measure for semantic segmentation?* (BMVC 2013): the case for scores
#   per image and for contours.
# - Wang et al., [Revisiting Evaluation Metrics for Semantic Segmentation](https://arxiv.org/abs/2310.19252) (2023):
#   fine-grained mIoUs, measured on many models.
# - Cheng et al., [Boundary IoU](https://arxiv.org/abs/2103.16562) (2021): Figure 1, what plain IoU lets pass.
# - Kirillov et al., [Panoptic Segmentation](https://arxiv.org/abs/1801.00868) (2019): §4, and why a match above 0.5
#   is unique.
# - Maier-Hein et al., [Metrics Reloaded](https://arxiv.org/abs/2206.01653) (2024): how to choose a metric for a
#   task, with a catalog of traps.
# - Video: Stanford CS231n, lecture 11, *Detection and Segmentation*: watch where the lecture switches from pixels to
#   objects, and which score each part uses.
#
# Next: lesson 2, where the label maps come from.
