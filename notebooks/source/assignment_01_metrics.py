# ---
# title: Metrics, from IoU to COCO's AP
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 0.9 GB
# prerequisites: ["[Lesson 1](../01_metrics.ipynb)", NumPy arrays and functions]
# minutes_work: 270
# ---

# %% [markdown]
# Thirteen tasks, 55 points. You write the metrics of lesson 1 yourself, from the IoU of two masks to the AP that COCO
# reports, look with them at the predictions of a real network, and end with the outlines and the segments that the
# mean IoU does not see.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Your functions get NumPy arrays and may use what you like: NumPy, PyTorch or plain loops.
# - `segtutor.progress(1)` shows how far you are in this assignment. It remembers across restarts.

# %%
import numpy as np
import matplotlib.pyplot as plt

import segtutor

segtutor.plotting.use_course_style()
segtutor.progress(1)

# %% [markdown]
# ## Part A: label maps
#
# From two masks to a whole data set.

# %% [markdown]
# ### 1.1 IoU of two masks
#
# *2 points · about 15 minutes · difficulty 1 of 3*
#
# Write `iou(a, b)` for two masks of the same size:
#
# $$\mathrm{IoU}(a, b) = \frac{|a \cap b|}{|a \cup b|}$$
#
# Masks come as files and libraries give them: as booleans, as 0 and 1, or as 0 and 255, and `a` need not be of the same
# kind as `b`. What is not 0 belongs to the mask. If both masks are empty there is nothing to score: return `np.nan`. If
# only one is empty, the IoU is 0.
#
# <details><summary>The idea</summary>
#
# Count the pixels that are in both masks, and those that are in at least one. IoU is their ratio.
#
# </details>
# <details><summary>The way there</summary>
#
# Two boolean arrays combine pixel by pixel, with and, with or; count the pixels of each result. Before you divide, ask whether there is anything to divide by.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.1")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.1 IoU of two masks: ✓ passed (14 of 14 cases)`


# %%
def iou(a, b):
    """Intersection over union of two masks H x W, in which 0 is outside; NaN if both are empty."""
    # BEGIN SOLUTION
    intersection = np.logical_and(a, b).sum()
    union = np.logical_or(a, b).sum()
    return intersection / union if union > 0 else np.nan
    # END SOLUTION


segtutor.check("1.1", iou)

# %% [markdown]
# ### 1.2 Confusion matrix with void
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# Write `confusion_matrix(target, prediction, num_classes, ignore_index)`. Entry `[i, j]` of the K x K result counts
# the pixels whose class is `i` in the target and `j` in the prediction. Pixels whose *target* is `ignore_index` are
# void: they count nowhere, whatever was predicted there. The prediction itself holds only 0 ... K-1.
#
# Label maps read from a PNG are `uint8`: your function should not mind.
#
# <details><summary>The idea</summary>
#
# Keep the pixels whose target is not void, then count each pair (target class, predicted class).
#
# </details>
# <details><summary>The way there</summary>
#
# A boolean array picks the pixels that count, out of both maps alike. A loop over the pairs will do. Without a loop, turn each pair into one number, its place in the matrix read row by row, and count those numbers; uint8 is too small for them.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.2")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.2 Confusion matrix with void: ✓ passed (12 of 12 cases)`


# %%
def confusion_matrix(target, prediction, num_classes, ignore_index):
    """K x K counts: row = class in the target, column = class predicted; pixels void in the target are left out."""
    # BEGIN SOLUTION
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    valid = target != ignore_index
    for wanted, predicted in zip(target[valid], prediction[valid], strict=True):
        matrix[wanted, predicted] += 1
    return matrix
    # END SOLUTION


segtutor.check("1.2", confusion_matrix)

# %% [markdown]
# ### 1.3 IoU per class and its mean
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Write `class_iou(matrix)` for a confusion matrix (rows: target). It returns two things: the IoU of each class,
#
# $$\mathrm{IoU}_k = \frac{n_{kk}}{\sum_j n_{kj} + \sum_i n_{ik} - n_{kk}},$$
#
# and their mean (mIoU). A class that is neither in the target nor in the prediction has the IoU `np.nan` and does not
# enter the mean. A class that is only predicted has the IoU 0, and it does. If there is no class at all, the mean is
# `np.nan`, too.
#
# Some networks may also answer "I do not know". Their matrix has K rows and **more than K columns**: from column K on it
# counts the pixels whose answer is none of the classes. Such a pixel is missed by its true class like any other wrong
# one, but no class is blamed for having invented it. The result has K values in any case.
#
# <details><summary>The idea</summary>
#
# For each class: right pixels are on the diagonal, its row holds the target's pixels, its column the predicted ones.
#
# </details>
# <details><summary>The way there</summary>
#
# Three arrays of length K give all unions at once: the diagonal, the sums of the rows, the sums of the columns. Divide only where the union is not 0, and take the mean over those classes.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.3")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.3 IoU per class and its mean: ✓ passed (13 of 13 cases)`


# %%
def class_iou(matrix):
    """IoU of each of the K classes, NaN where one is nowhere, and the mean of the others; K rows, K or more columns."""
    # BEGIN SOLUTION
    right = np.diag(matrix)
    union = matrix.sum(axis=1) + matrix.sum(axis=0)[: len(matrix)] - right
    seen = union > 0
    iou = np.full(len(matrix), np.nan)
    iou[seen] = right[seen] / union[seen]
    return iou, iou[seen].mean() if seen.any() else np.nan
    # END SOLUTION


segtutor.check("1.3", class_iou)

# %% [markdown]
# ### 1.4 Mean Dice from IoU
#
# *2 points · about 15 minutes · difficulty 1 of 3*
#
# Dice and IoU of the same two masks are tied together. With $J$ the IoU and $D$ the Dice coefficient
# $2|a \cap b| / (|a| + |b|)$, express $D$ by $J$ (paper and pencil: write both with $|a \cap b|$ and $|a \cup b|$).
#
# Then write `mean_dice(iou)`: given the IoU of each class (NaN for an absent one), the mean Dice over the classes
# that exist; `np.nan` if none does. Leave the array `iou` as it is. One of the cases shows that the mean Dice does *not*
# follow from the mean IoU.
#
# <details><summary>The idea</summary>
#
# With I and U for intersection and union, |a| + |b| is U + I. Divide numerator and denominator of Dice by U.
#
# </details>
# <details><summary>The way there</summary>
#
# What is left is a formula in J alone. Apply it class by class, and only then take the mean over the classes that exist.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.4")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.4 Mean Dice from IoU: ✓ passed (9 of 9 cases)`


# %%
def mean_dice(iou):
    """Mean Dice, from the IoU of each class; NaN marks an absent class, which is left out."""
    # BEGIN SOLUTION
    dice = 2 * iou / (1 + iou)
    return np.nanmean(dice)
    # END SOLUTION


segtutor.check("1.4", mean_dice)

# %% [markdown]
# ### 1.5 mIoU over a data set, and without a picture
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# The benchmarks count all pictures together before anything is divided: one IoU per class for the whole data set, then
# the mean over the classes that exist (`np.nan` if none does). Which pictures pull it down? No picture has a share of its
# own in this number, but you can ask what the number would be without it.
#
# Write `dataset_mean_iou(targets, predictions, num_classes, ignore_index)` for two lists of at least two label maps.
# Return two things: the mIoU of all pictures together, and an array with one number for each picture, the mIoU of the
# data set *without* this picture. The pictures may have different sizes. Use `confusion_matrix` and `class_iou` from
# above.
#
# <details><summary>The idea</summary>
#
# Add up the confusion matrices of all pictures, and divide only at the end. What can be added can be subtracted, too.
#
# </details>
# <details><summary>The way there</summary>
#
# Keep the matrix of each picture in a list. Their sum is the matrix of the data set; the sum less one of them is the matrix of the data set without that picture. You have a function that turns a matrix into a mean.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.5")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.5 mIoU over a data set, and without a picture: ✓ passed (11 of 11 cases)`

# %%
confusion_matrix = segtutor.use("1.2", confusion_matrix)
class_iou = segtutor.use("1.3", class_iou)


def dataset_mean_iou(targets, predictions, num_classes, ignore_index):
    """Mean IoU over all pictures of a data set together, and an array: the same without each of its N pictures."""
    # BEGIN SOLUTION
    matrices = [
        confusion_matrix(target, prediction, num_classes, ignore_index)
        for target, prediction in zip(targets, predictions, strict=True)
    ]
    total = np.sum(matrices, axis=0)
    without = [class_iou(total - matrix)[1] for matrix in matrices]
    return class_iou(total)[1], np.array(without)
    # END SOLUTION


segtutor.check("1.5", dataset_mean_iou)

# %% [markdown]
# #### The two means, on the same predictions
#
# A network finds the small object in three of four pictures perfectly and misses the large one. **Predict, then
# run:** which mean is higher, the one per image or the one over the data set? Would the order change if the missed
# object were the small one? And which picture, left out, changes the mean over the data set most?

# %%
dataset_mean_iou = segtutor.use("1.5", dataset_mean_iou)

targets = [np.zeros((20, 20), dtype=int) for _ in range(4)]
for target, side in zip(targets, (3, 3, 3, 15), strict=True):
    target[2 : 2 + side, 2 : 2 + side] = 1
predictions = [target.copy() for target in targets]
predictions[3][:] = 0

per_image = [class_iou(confusion_matrix(t, p, 2, 255))[1] for t, p in zip(targets, predictions, strict=True)]
print("mIoU per image:   ", np.round(per_image, 3), "mean", round(float(np.mean(per_image)), 3))
together, without = dataset_mean_iou(targets, predictions, 2, 255)
print("mIoU over the set:", round(float(together), 3), "without each picture", np.round(without, 3))

# %% [markdown]
# ## Part B: detections
#
# From one threshold to a curve, and from the curve to one number.

# %% [markdown]
# ### 1.6 Precision and recall at a threshold
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# A detector found some objects. `scores` says how sure it is of each detection, `is_match` whether the detection hit
# an object (each object is hit at most once), and `num_positives` how many objects there are, found or not. Write
# `precision_recall(scores, is_match, num_positives, threshold)`: keep the detections with `score >= threshold` and
# return
#
# $$\mathrm{precision} = \frac{TP}{TP + FP}, \qquad \mathrm{recall} = \frac{TP}{TP + FN}.$$
#
# Where a ratio is 0/0 (nothing kept, or no objects), return `np.nan` for it.
#
# <details><summary>The idea</summary>
#
# TP: kept detections that hit. FP: kept ones that did not. FN: objects that no kept detection hit.
#
# </details>
# <details><summary>The way there</summary>
#
# Everything follows from the detections that are kept: how many they are, and how many of them hit. One of the two divisors does not depend on the threshold at all.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.6")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.6 Precision and recall at a threshold: ✓ passed (12 of 12 cases)`


# %%
def precision_recall(scores, is_match, num_positives, threshold):
    """Precision and recall of the detections whose score is at least the threshold; 0/0 is NaN."""
    # BEGIN SOLUTION
    kept = scores >= threshold
    hits, detections = is_match[kept].sum(), kept.sum()
    precision = hits / detections if detections > 0 else np.nan
    recall = hits / num_positives if num_positives > 0 else np.nan
    return precision, recall
    # END SOLUTION


segtutor.check("1.6", precision_recall)

# %% [markdown]
# ### 1.7 The precision-recall curve
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# Lower the threshold step by step and precision and recall trace a curve. Benchmarks know a third kind of detection
# beside hits and misses: one that found an object which is left out of the score, because VOC marks it as *difficult* or
# COCO as a crowd. It is neither praised nor blamed: the curve is the same as if it had never been made.
#
# Write `pr_curve(scores, is_match, num_positives)`. `is_match` holds 1 for a hit, 0 for a miss and -1 for a detection
# that counts as nothing, or, where there are none of those, booleans. Sort the detections by falling score, those with
# equal scores in the order in which they came, and return two arrays, the precision and the recall after the first
# detection that counts, after the second, and so on. `num_positives` is the number of objects that count, at least one.
#
# <details><summary>The idea</summary>
#
# After sorting, the number of hits so far is a cumulative sum, once the detections that count as nothing are gone.
#
# </details>
# <details><summary>The way there</summary>
#
# Take those out of both arrays first. Then the place in the sorted list is the number of detections so far. Sort by the negative scores and ask for a stable sort, which leaves equal ones in their order. One sum serves both results, with two different divisors.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.7")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.7 The precision-recall curve: ✓ passed (13 of 13 cases)`


# %%
def pr_curve(scores, is_match, num_positives):
    """Precision and recall after each detection that counts, by falling score; equal scores keep their order."""
    # BEGIN SOLUTION
    counts = is_match >= 0
    scores, is_match = scores[counts], is_match[counts]
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_match[order])
    detections = np.arange(1, len(scores) + 1)
    return hits / detections, hits / num_positives
    # END SOLUTION


segtutor.check("1.7", pr_curve)

# %% [markdown]
# ### 1.8 Average precision, two ways
#
# *5 points · about 30 minutes · difficulty 3 of 3*
#
# One number for the curve. Write `average_precision(precision, recall, method)` for a curve as `pr_curve` returns it,
# perhaps thinned out: points may be missing, but the recall never falls. Both methods use the *envelope*: at recall $r$
# the height is the best precision at any recall of at least $r$, $\hat p(r) = \max_{r' \ge r} p(r')$, and 0 beyond the
# last recall reached.
#
# - `"area"` (PASCAL VOC since 2010): the exact area under the envelope, from recall 0 on. It is a sum of rectangles.
# - `"11point"` (PASCAL VOC 2007): the mean of $\hat p$ at $r = 0, 0.1, \dots, 1$. Take the levels as
#   `np.arange(11) / 10`: a recall equal to a level reaches it, and `np.linspace(0, 1, 11)` makes 0.3 a little too large.
#
# A curve without points has AP 0.
#
# <details><summary>The idea</summary>
#
# First the envelope: go through the precisions from the right and keep the largest so far.
#
# </details>
# <details><summary>The way there</summary>
#
# A running maximum from the right: turn the array around, accumulate, turn it back. For the area every point counts with its step in recall, the first with the step from 0. For the eleven points take, at each level, the best precision among the points that reach it.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.8")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.8 Average precision, two ways: ✓ passed (15 of 15 cases)`


# %%
def average_precision(precision, recall, method):
    """AP of a curve, under its envelope: "area" is the exact area, "11point" the mean at recall 0, 0.1, ... 1."""
    # BEGIN SOLUTION
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if method == "area":
        width = np.diff(recall, prepend=0.0)
        return float((width * envelope).sum())
    heights = []
    for level in np.arange(11) / 10:
        reached = recall >= level
        heights.append(precision[reached].max() if reached.any() else 0.0)
    return float(np.mean(heights))
    # END SOLUTION


segtutor.check("1.8", average_precision)

# %% [markdown]
# #### The curve and its envelope
#
# Twelve detections of ten objects. The envelope fills the dips from the right. One AP is the area under it, the other
# the mean of its heights at eleven levels of recall.

# %% alt="A falling zigzag precision-recall curve that ends at recall 0.7, below its staircase-shaped envelope"
from segtutor import metrics

pr_curve = segtutor.use("1.7", pr_curve)
average_precision = segtutor.use("1.8", average_precision)

scores = np.linspace(0.95, 0.4, 12)
is_match = np.array([1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1], dtype=bool)
precision, recall = pr_curve(scores, is_match, 10)
envelope = metrics.precision_envelope(precision)

plt.figure(figsize=(5, 3.2))
plt.plot(recall, precision, "o-", label="curve")
plt.step(np.append(0, recall), np.append(envelope[0], envelope), "--", label="envelope")
plt.xlabel("recall")
plt.ylabel("precision")
plt.xlim(0, 1)
plt.ylim(0, 1.05)
area, eleven = (average_precision(precision, recall, method) for method in ("area", "11point"))
plt.title(f"AP as area {area:.3f}, at 11 points {eleven:.3f}")
plt.legend()
plt.show()

# %% [markdown]
# ## Part C: the AP that papers report
#
# What counts as a hit, and the mean over ten definitions of it.

# %% [markdown]
# ### 1.9 Match detections to objects
#
# *5 points · about 25 minutes · difficulty 3 of 3*
#
# Which detections are hits? Write `match_detections(overlaps, threshold)` with COCO's rule. `overlaps[d, g]` is the
# IoU of detection `d` with object `g`; the detections are already sorted by falling score. Each detection in turn
# takes the *free* object with the largest IoU, provided that the IoU is at least the threshold (equal is enough), and
# the object is taken from then on. Between objects with equal IoU the later one wins. Return for each detection the
# number of its object, or -1. There may be no detections, or no objects.
#
# <details><summary>The idea</summary>
#
# One loop over the detections; in it, look among the objects that are still free for the largest IoU.
#
# </details>
# <details><summary>The way there</summary>
#
# Note which objects are still free. Go through them in order and remember the best so far; the threshold is the first value to beat. When two objects tie, the later one must replace the earlier one: which comparison does that?
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.9")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.9 Match detections to objects: ✓ passed (15 of 15 cases)`


# %%
def match_detections(overlaps, threshold):
    """Number of the object that each detection hits, -1 for none; overlaps is D x G, detections by falling score."""
    # BEGIN SOLUTION
    num_detections, num_objects = overlaps.shape
    hit = np.full(num_detections, -1)
    free = np.ones(num_objects, dtype=bool)
    for detection in range(num_detections):
        best = threshold
        for number in range(num_objects):
            if free[number] and overlaps[detection, number] >= best:
                best, hit[detection] = overlaps[detection, number], number
        if hit[detection] >= 0:
            free[hit[detection]] = False
    return hit
    # END SOLUTION


segtutor.check("1.9", match_detections)

# %% [markdown]
# ### 1.10 AP as COCO reports it
#
# *7 points · about 30 minutes · difficulty 3 of 3*
#
# The number that detection and instance segmentation papers report. Write `coco_ap(scores, overlaps)` for one class;
# both arguments are lists with one entry per image: the scores of its D detections (in any order) and the D x G IoU
# with its G objects. For each of the ten IoU thresholds 0.5, 0.55, ... 0.95:
#
# 1. in each image, sort the detections by falling score and match them (`match_detections`);
# 2. put the detections of all images together and draw one curve (`pr_curve`) for *all* objects;
# 3. take the mean of the envelope at the 101 recall levels `np.linspace(0, 1, 101)`, 0 where the curve does not reach.
#
# AP is the mean over the thresholds, NaN if there is no object at all. Write the thresholds as
# `np.linspace(0.5, 0.95, 10)`. (Crowds, object sizes and the limit of 100 detections are left out here; the package's
# `segtutor.metrics.evaluate_coco` has them.)
#
# <details><summary>The idea</summary>
#
# Per threshold one list of scores and one list of hits, of all images together; then one curve and its AP.
#
# </details>
# <details><summary>The way there</summary>
#
# Sort each image once; that order serves all thresholds. For each threshold collect the hits of all images, in the same order as the scores, and draw one curve. The height at a level is the envelope at the first point that reaches it, and 0 if none does.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.10")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.10 AP as COCO reports it: ✓ passed (13 of 13 cases)`

# %%
pr_curve = segtutor.use("1.7", pr_curve)
match_detections = segtutor.use("1.9", match_detections)


def coco_ap(scores, overlaps):
    """AP of one class, mean over the IoU thresholds 0.5, 0.55, ... 0.95; per image D scores and D x G overlaps."""
    # BEGIN SOLUTION
    num_positives = sum(overlap.shape[1] for overlap in overlaps)
    if num_positives == 0:
        return np.nan
    orders = [np.argsort(-score, kind="stable") for score in scores]
    all_scores = np.concatenate([score[order] for score, order in zip(scores, orders, strict=True)])
    precisions = []
    for threshold in np.linspace(0.5, 0.95, 10):
        hits = [match_detections(overlap[order], threshold) for overlap, order in zip(overlaps, orders, strict=True)]
        precision, recall = pr_curve(all_scores, np.concatenate(hits) >= 0, num_positives)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        precisions.append(envelope[np.searchsorted(recall, np.linspace(0, 1, 101))].mean())
    return float(np.mean(precisions))
    # END SOLUTION


segtutor.check("1.10", coco_ap)

# %% [markdown]
# #### Your number beside the package's
#
# The same detections, written as COCO results and scored by `segtutor.metrics.evaluate_coco`, which agrees with the
# official evaluator to the last digit.

# %%
coco_ap = segtutor.use("1.10", coco_ap)


def box_iou(a, b):
    """IoU of boxes x, y, width, height: D x 4 and G x 4 to D x G."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    return both / (a[:, None, 2:].prod(axis=2) + b[None, :, 2:].prod(axis=2) - both)


generator = np.random.default_rng(0)
truth = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "boat"}]}
results, scores, overlaps = [], [], []
for image_id in range(1, 31):
    objects = generator.uniform(20, 80, (4, 4)).round()
    found = objects[generator.random(4) < 0.8]
    boxes = np.concatenate([found + generator.normal(0, 3, found.shape), generator.uniform(20, 80, (2, 4))]).round(1)
    confidence = generator.random(len(boxes)).round(3)
    truth["images"].append({"id": image_id, "width": 200, "height": 200})
    for box in objects.tolist():
        entry = {"id": len(truth["annotations"]) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0}
        truth["annotations"].append(entry | {"bbox": box, "area": box[2] * box[3]})
    for box, score in zip(boxes.tolist(), confidence.tolist(), strict=True):
        results.append({"image_id": image_id, "category_id": 1, "bbox": box, "score": score})
    scores.append(confidence)
    overlaps.append(box_iou(boxes, objects))

print(f"yours:   {coco_ap(scores, overlaps):.12f}")
print(f"package: {metrics.evaluate_coco(truth, results, iou_type='bbox')['AP']:.12f}")

# %% [markdown]
# ## Part D: a real network
#
# DeepLabv3, small enough for this course, on scenes that it was not trained on. The pictures show what it makes of
# four of them; the scenes are drawn twice as large as the 128 x 160 pixels that it gets.

# %% alt="Four drawn scenes in three rows: the picture, the labels, and the labels that the network predicts"
from segtutor import datasets, plotting
from segtutor.exercises.lesson01 import scene_predictions

targets, predictions, names, ignore_index = scene_predictions()

scenes = datasets.Scenes("val", size=(256, 320), count=len(targets))  # the same scenes, drawn larger to be looked at
figure, axes = plt.subplots(3, 4, figsize=(9, 6.8))
for column in range(4):
    image, _ = scenes[column]
    axes[0, column].imshow(image.permute(1, 2, 0))
    axes[1, column].imshow(plotting.colorize(targets[column], scenes.labels))
    axes[2, column].imshow(plotting.colorize(predictions[column], scenes.labels))
for axis, title in zip(axes[:, 0], ("picture", "target", "prediction"), strict=True):
    axis.set_ylabel(title)
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
present = np.union1d(targets[:4], predictions[:4])
plotting.legend(figure, present, scenes.labels, loc="outside lower center", bbox_to_anchor=None, ncols=8)
plt.show()

# %% [markdown]
# ### 1.11 What do the numbers say?
#
# *7 points · about 30 minutes · difficulty 2 of 3*
#
# The cell above has run the course's DeepLabv3 on 20 scenes that it was not trained on. `targets` and `predictions`
# are lists of label maps, `names` the classes, `ignore_index` the value of void. Find out with your own functions and
# fill in `answers`; round numbers to three decimals.
#
# - `pixel_accuracy`: share of the non-void pixels that are right, all pictures together.
# - `mean_iou`: mIoU over all pictures together.
# - `mean_iou_per_image`: the mean over the pictures of each picture's own mIoU.
# - `constant_accuracy`: pixel accuracy of a "network" that always predicts the most frequent class of the targets.
# - `worst_class`: name of the class with the lowest IoU, among those that are in the targets.
# - `taken_by`: most of the pixels of the worst class that are missed are taken for which class?
# - `why`: why is the pixel accuracy higher than the mIoU here? **a**: mIoU counts void pixels, pixel accuracy does
#   not. **b**: large, easy classes fill most of the pixels, while each class counts the same in the mIoU. **c**: the
#   pixel accuracy is measured per picture, the mIoU over the data set.
#
# <details><summary>The idea</summary>
#
# Add up the confusion matrices of all pictures; every answer but one can be read off that sum.
#
# </details>
# <details><summary>The way there</summary>
#
# Right pixels: the diagonal. Frequency of a class: its row sum. Where its pixels went: its row.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.11")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.11 What do the numbers say?: ✓ passed (7 of 7 cases)`

# %%
# STUB: answers = {
# STUB:     "pixel_accuracy": None,  # a number
# STUB:     "mean_iou": None,  # a number, over all pictures together
# STUB:     "mean_iou_per_image": None,  # a number
# STUB:     "constant_accuracy": None,  # a number
# STUB:     "worst_class": None,  # a name
# STUB:     "taken_by": None,  # a name
# STUB:     "why": None,  # "a", "b" or "c"
# STUB: }
# BEGIN SOLUTION
total = sum(confusion_matrix(t, p, len(names), ignore_index) for t, p in zip(targets, predictions, strict=True))
iou_of_class, mean = class_iou(total)
per_image = [
    class_iou(confusion_matrix(t, p, len(names), ignore_index))[1] for t, p in zip(targets, predictions, strict=True)
]
in_target = total.sum(axis=1)
worst = int(np.nanargmin(np.where(in_target > 0, iou_of_class, np.nan)))
missed = total[worst].copy()
missed[worst] = 0
answers = {
    "pixel_accuracy": round(float(np.trace(total) / total.sum()), 3),
    "mean_iou": round(float(mean), 3),
    "mean_iou_per_image": round(float(np.mean(per_image)), 3),
    "constant_accuracy": round(float(in_target.max() / total.sum()), 3),
    "worst_class": names[worst],
    "taken_by": names[int(missed.argmax())],
    "why": "b",
}
# END SOLUTION

segtutor.check("1.11", answers)

# %% [markdown]
# The numbers, and what to make of them: which class would you work on first, and which number would you report?
# Write two or three sentences into the cell below; your teacher may ask for them.

# %% [markdown]
# *Your text.*

# %% [markdown]
# ## Part E: outlines and segments
#
# Two numbers for what a mean IoU does not see: whether outlines are right, and whether each object was found.

# %% [markdown]
# ### 1.12 Boundary IoU
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Plain IoU hardly notices a sloppy outline: a large object is mostly inside. Boundary IoU scores the outlines alone.
#
# The **boundary** of a mask holds those of *its own* pixels from which some pixel outside the mask is at most `distance`
# rows **and** at most `distance` columns away, so that diagonal neighbors are one away. Beyond the edge of the picture
# nothing belongs to a mask: where it touches the edge, the edge is its outline. Holes have an outline, too.
#
# Write `boundary_iou(a, b, distance)` for two boolean masks of the same size: the IoU of the boundary of `a` with the
# boundary of `b`, or `np.nan` if both masks are empty. Your `iou` is at hand.
#
# <details><summary>The idea</summary>
#
# First find the boundary of each mask, as a mask of its own. Then you know how to score two masks.
#
# </details>
# <details><summary>The way there</summary>
#
# A pixel is inside, and no boundary, if its whole neighborhood belongs to the mask. Move the mask by every step of the neighborhood and combine the moved ones with and: inside is what is set in all of them. A border of False around the mask takes care of the edge.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.12")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.12 Boundary IoU: ✓ passed (14 of 14 cases)`

# %%
iou = segtutor.use("1.1", iou)


def boundary_iou(a, b, distance):
    """IoU of the boundaries of two masks: their own pixels at most `distance` rows and columns from the outside."""
    # BEGIN SOLUTION
    boundaries = []
    for own in (a, b):
        height, width = own.shape
        padded = np.pad(own, distance)
        inner = own.copy()
        for down in range(2 * distance + 1):
            for right in range(2 * distance + 1):
                inner &= padded[down : down + height, right : right + width]
        boundaries.append(own & ~inner)
    return iou(boundaries[0], boundaries[1])
    # END SOLUTION


segtutor.check("1.12", boundary_iou)

# %% [markdown]
# #### What each of the two sees
#
# A large and a small disc, each predicted with an outline that is wrong by one, two and three pixels all around.
# **Predict, then run:** of which disc do the two scores say nearly the same?

# %%
boundary_iou = segtutor.use("1.12", boundary_iou)

rows, columns = np.mgrid[:120, :120]
from_the_middle = np.hypot(rows - 60, columns - 60)
for radius in (50, 7):
    disc = from_the_middle < radius
    for error in (1, 2, 3):
        smaller = from_the_middle < radius - error
        scores = f"IoU {iou(disc, smaller):.3f}, boundary IoU {boundary_iou(disc, smaller, 4):.3f}"
        print(f"radius {radius}, outline wrong by {error}: {scores}")

# %% [markdown]
# <details><summary>Which, and why?</summary>
#
# Of the small one. It is hardly wider than the two boundaries together, so nearly all its pixels *are* boundary, and
# both scores count the same pixels. Of the large one plain IoU counts mostly the inside, where nothing is wrong: it
# stays high while the boundary IoU falls.
#
# </details>

# %% [markdown]
# #### A meadow, drawn on squared paper
#
# The next task needs no program. Left is the truth, right a prediction: 8 rows of 12 squares. Each letter is one cow,
# the six dark squares are void, and all the rest is grass.

# %% fold="Draw the true and the predicted segments on squared paper" alt="Two grids of 8 rows and 12 columns. Truth: A fills four rows of three squares on the left, B two rows of four to its right, C two rows of two right below A; six squares in the lower right corner are dark, the rest is green. Prediction: P fills four rows of four squares where A is, Q two rows of two on the left half of B, R two rows of two beside the place of C, S two rows of two farther right, T two rows of two in the lower right corner; the rest is green"
from segtutor.exercises.lesson01 import drawn_segments

truth, prediction = drawn_segments()
figure, axes = plt.subplots(1, 2, figsize=(9, 4))
for axis, letters, cow, title in zip(
    axes, (truth, prediction), ("#56B4E9", "#E69F00"), ("truth", "prediction"), strict=True
):
    for (row, column), letter in np.ndenumerate(letters):
        color = {".": "#D9EAD3", "v": "#555555"}.get(letter, cow)
        axis.add_patch(plt.Rectangle((column, row), 1, 1, facecolor=color, edgecolor="white", linewidth=1))
        if letter not in ".v":
            axis.text(column + 0.5, row + 0.5, letter, ha="center", va="center", fontsize=12)
    axis.set(xlim=(0, 12), ylim=(8, 0), xticks=[], yticks=[], aspect="equal", title=title)
plt.show()

# %% [markdown]
# ### 1.13 Panoptic quality by hand
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# No program this time: count squares in the drawing above, and fill in `answers` with whole numbers and fractions
# (`5 / 8` is fine) or three decimals. A, B and C are the true cows, P to T the predicted ones. All else is one segment of
# grass, but for the six squares of void.
#
# Two segments of one class **match** if their IoU is *above* 0.5. Void squares count in no union. A predicted segment
# without a partner is a false positive, unless more than half of it lies on void: then it is dropped. With TP, FP and FN
# counted for each class by itself,
#
# $$\mathrm{SQ} = \frac{\sum_{TP} \mathrm{IoU}}{TP}, \qquad
# \mathrm{RQ} = \frac{TP}{TP + \tfrac12 FP + \tfrac12 FN}, \qquad
# \mathrm{PQ} = \mathrm{SQ} \cdot \mathrm{RQ}.$$
#
# - `tp`, `fp`, `fn`, `sq`, `rq`, `pq_cow`: of the class cow.
# - `pq_grass`: PQ of the class grass, which has one true and one predicted segment.
# - `pq`: the number that is reported, the mean of PQ over the two classes.
# - `pq_cow_one_more`: PQ of the class cow if segment Q had **one** square more, the next one of cow B to the right in the
#   upper row.
#
# <details><summary>The idea</summary>
#
# Go through the true cows one after the other: which predicted segment shares squares with it, and is the IoU of the two above 0.5?
#
# </details>
# <details><summary>The way there</summary>
#
# Note for each pair that overlaps how many squares both have and how many at least one has. Who has no partner is missed or invented, if not dropped. For the grass, count the squares of both pictures and take off what one of them calls something else.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.13")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.13 Panoptic quality by hand: ✓ passed (9 of 9 cases)`

# %%
# STUB: answers = {
# STUB:     "tp": None,  # cows: matched pairs
# STUB:     "fp": None,  # cows: predicted segments without a partner
# STUB:     "fn": None,  # cows: true segments without a partner
# STUB:     "sq": None,  # cows
# STUB:     "rq": None,  # cows
# STUB:     "pq_cow": None,
# STUB:     "pq_grass": None,
# STUB:     "pq": None,
# STUB:     "pq_cow_one_more": None,
# STUB: }
# BEGIN SOLUTION
answers = {
    "tp": 1,  # A and P
    "fp": 3,  # Q, R and S; T lies on void
    "fn": 2,  # B, whose IoU with Q is 4 / 8 and not above it, and C
    "sq": 12 / 16,
    "rq": 1 / (1 + 3 / 2 + 2 / 2),
    "pq_cow": 12 / 16 * 2 / 7,
    "pq_grass": 54 / (66 + 62 - 54),  # one matched pair, so PQ is its IoU; two more predicted squares lie on void
    "pq": (12 / 16 * 2 / 7 + 54 / 74) / 2,
    "pq_cow_one_more": (12 / 16 + 5 / 8) / (2 + 2 / 2 + 1 / 2),  # B and Q match: one FP and one FN less
}
# END SOLUTION

segtutor.check("1.13", answers)

# %% [markdown]
# Put `pq_cow` beside `pq_cow_one_more`. One square turned a miss and an invention into a match, and nearly doubled the
# PQ of the cows; that is the price of a score that first decides whether a segment was found at all.

# %% [markdown]
# ## How far you are

# %%
segtutor.progress(1)
