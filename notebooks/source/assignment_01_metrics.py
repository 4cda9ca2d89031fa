# ---
# title: Metrics, from IoU to COCO's AP
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 0.9 GB
# prerequisites: ["[Lesson 1](../01_metrics.ipynb)", NumPy arrays and functions]
# minutes_work: 200
# ---

# %% [markdown]
# Eleven tasks, 47 points. You write the metrics of lesson 1 yourself, from the IoU of two masks to the AP that COCO
# reports, and end with the predictions of a real network.
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

segtutor.progress(1)

# %% [markdown]
# ## Part A: label maps
#
# From two masks to a whole data set.

# %% [markdown]
# ### 1.1 IoU of two masks
#
# *2 points · about 5 minutes · difficulty 1 of 3*
#
# Write `iou(a, b)` for two boolean masks of the same size:
#
# $$\mathrm{IoU}(a, b) = \frac{|a \cap b|}{|a \cup b|}$$
#
# If both masks are empty there is nothing to score: return `np.nan`. If only one is empty, the IoU is 0.
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
# **Expected:** `1.1 IoU of two masks: ✓ passed (11 of 11 cases)`


# %%
def iou(a, b):
    """Intersection over union of two boolean masks H x W; NaN if both are empty."""
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
# *4 points · about 10 minutes · difficulty 2 of 3*
#
# Write `class_iou(matrix)` for a confusion matrix (rows: target). It returns two things: the IoU of each class,
#
# $$\mathrm{IoU}_k = \frac{n_{kk}}{\sum_j n_{kj} + \sum_i n_{ik} - n_{kk}},$$
#
# and their mean (mIoU). A class that is neither in the target nor in the prediction has the IoU `np.nan` and does not
# enter the mean. A class that is only predicted has the IoU 0, and it does. If there is no class at all, the mean is
# `np.nan`, too.
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
# **Expected:** `1.3 IoU per class and its mean: ✓ passed (11 of 11 cases)`


# %%
def class_iou(matrix):
    """IoU of each class of a K x K confusion matrix (NaN where a class is nowhere), and the mean of the others."""
    # BEGIN SOLUTION
    right = np.diag(matrix)
    union = matrix.sum(axis=1) + matrix.sum(axis=0) - right
    seen = union > 0
    iou = np.full(len(matrix), np.nan)
    iou[seen] = right[seen] / union[seen]
    return iou, iou[seen].mean() if seen.any() else np.nan
    # END SOLUTION


segtutor.check("1.3", class_iou)

# %% [markdown]
# ### 1.4 Mean Dice from IoU
#
# *2 points · about 10 minutes · difficulty 1 of 3*
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
# ### 1.5 mIoU over a data set
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# Write `dataset_mean_iou(targets, predictions, num_classes, ignore_index)` for two lists of label maps. The
# benchmarks count all pictures together before anything is divided: one IoU per class for the whole data set, then
# the mean over the classes that exist (`np.nan` if none does). The pictures may have different sizes. Use
# `confusion_matrix` and `class_iou` from above.
#
# <details><summary>The idea</summary>
#
# Add up the confusion matrices of all pictures. Divide only once, at the end.
#
# </details>
# <details><summary>The way there</summary>
#
# Start with a K x K matrix of zeros and add the counts of one picture after the other. When all are in, one matrix is left, and you have a function for that.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.5")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.5 mIoU over a data set: ✓ passed (11 of 11 cases)`

# %%
confusion_matrix = segtutor.use("1.2", confusion_matrix)
class_iou = segtutor.use("1.3", class_iou)


def dataset_mean_iou(targets, predictions, num_classes, ignore_index):
    """Mean IoU over all pictures of a data set together; lists of label maps, each of its own size."""
    # BEGIN SOLUTION
    total = np.zeros((num_classes, num_classes), dtype=np.int64)
    for target, prediction in zip(targets, predictions, strict=True):
        total += confusion_matrix(target, prediction, num_classes, ignore_index)
    _, mean = class_iou(total)
    return mean
    # END SOLUTION


segtutor.check("1.5", dataset_mean_iou)

# %% [markdown]
# #### The two means, on the same predictions
#
# A network finds the small object in three of four pictures perfectly and misses the large one. **Predict, then
# run:** which mean is higher, the one per image or the one over the data set? Would the order change if the missed
# object were the small one?

# %%
dataset_mean_iou = segtutor.use("1.5", dataset_mean_iou)

targets = [np.zeros((20, 20), dtype=int) for _ in range(4)]
for target, side in zip(targets, (3, 3, 3, 15), strict=True):
    target[2 : 2 + side, 2 : 2 + side] = 1
predictions = [target.copy() for target in targets]
predictions[3][:] = 0

per_image = [class_iou(confusion_matrix(t, p, 2, 255))[1] for t, p in zip(targets, predictions, strict=True)]
print("mIoU per image:   ", np.round(per_image, 3), "mean", round(float(np.mean(per_image)), 3))
print("mIoU over the set:", round(float(dataset_mean_iou(targets, predictions, 2, 255)), 3))

# %% [markdown]
# ## Part B: detections
#
# From one threshold to a curve, and from the curve to one number.

# %% [markdown]
# ### 1.6 Precision and recall at a threshold
#
# *3 points · about 10 minutes · difficulty 1 of 3*
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
# Lower the threshold step by step and precision and recall trace a curve. Write `pr_curve(scores, is_match,
# num_positives)`: sort the detections by falling score, those with equal scores in the order in which they came, and
# return two arrays, the precision and the recall after the first detection, after the second, and so on. There is at
# least one object.
#
# <details><summary>The idea</summary>
#
# After sorting, the number of hits so far is a cumulative sum of is_match.
#
# </details>
# <details><summary>The way there</summary>
#
# The place in the sorted list is the number of detections so far. Sort by the negative scores and ask for a stable sort, which leaves equal ones in their order. One sum serves both arrays, with two different divisors.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("1.7")` shows one. It counts as used: `segtutor.progress(1)` then says "solution seen".
#
# </details>
#
# **Expected:** `1.7 The precision-recall curve: ✓ passed (9 of 9 cases)`


# %%
def pr_curve(scores, is_match, num_positives):
    """Precision and recall after each detection, by falling score; equal scores keep their order."""
    # BEGIN SOLUTION
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_match[order])
    detections = np.arange(1, len(scores) + 1)
    return hits / detections, hits / num_positives
    # END SOLUTION


segtutor.check("1.7", pr_curve)

# %% [markdown]
# ### 1.8 Average precision, two ways
#
# *5 points · about 25 minutes · difficulty 3 of 3*
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
# Twelve detections of ten objects. The envelope fills the dips from the right; both AP are heights under it.

# %% alt="A falling zigzag precision-recall curve that ends at recall 0.7, below its staircase-shaped envelope"
pr_curve = segtutor.use("1.7", pr_curve)
average_precision = segtutor.use("1.8", average_precision)

scores = np.linspace(0.95, 0.4, 12)
is_match = np.array([1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1], dtype=bool)
precision, recall = pr_curve(scores, is_match, 10)
envelope = np.maximum.accumulate(np.asarray(precision)[::-1])[::-1]

plt.figure(figsize=(5, 3.2), dpi=80)
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
# *7 points · about 40 minutes · difficulty 3 of 3*
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
from segtutor import metrics

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
# four of them.

# %% alt="Four drawn scenes in three rows: the picture, the labels, and the labels that the network predicts"
from segtutor import datasets, plotting
from segtutor.exercises.lesson01 import scene_predictions

targets, predictions, names, ignore_index = scene_predictions()

scenes = datasets.Scenes("val", count=len(targets))
figure, axes = plt.subplots(3, 4, figsize=(10, 6), dpi=72, layout="constrained")
for column in range(4):
    image, _ = scenes[column]
    axes[0, column].imshow(image.permute(1, 2, 0))
    axes[1, column].imshow(plotting.colorize(targets[column], scenes.labels))
    axes[2, column].imshow(plotting.colorize(predictions[column], scenes.labels))
for axis, title in zip(axes[:, 0], ("picture", "target", "prediction"), strict=True):
    axis.set_ylabel(title)
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
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
# ## How far you are

# %%
segtutor.progress(1)
