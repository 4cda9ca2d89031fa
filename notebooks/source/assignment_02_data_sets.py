# ---
# title: Data sets, their formats and their traps
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 0.9 GB
# prerequisites: ["[Lesson 2](../02_data_sets.ipynb)", NumPy arrays and functions]
# minutes_work: 290
# ---

# %% [markdown]
# Thirteen tasks, 45 points. First you read the formats of the data sets by hand, without any library. Then you write
# the tests that a data loader must pass, and find with them what is wrong with ten loaders. They are the tests that
# most projects lack, and they will catch your own mistakes, too.
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
# - `segtutor.progress(2)` shows how far you are in this assignment. It remembers across restarts.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import segtutor
from segtutor import datasets

segtutor.plotting.use_course_style()
segtutor.progress(2)

# %% [markdown]
# ## Part A: formats by hand
#
# The cell below writes four drawn scenes in the layouts of VOC, COCO and Cityscapes, into a temporary folder: the very
# files that you would download, only smaller. Your functions will read them.

# %%
temporary = tempfile.TemporaryDirectory(prefix="segtutor_")  # goes when the kernel stops
folder = Path(temporary.name)
scenes = datasets.Scenes("train", size=(96, 128), count=4)
for layout in ("voc", "coco", "cityscapes"):
    datasets.export(scenes, folder / layout, layout=layout, singles=2)
    print(layout, "holds", sorted(path.name for path in (folder / layout).iterdir()))

# %% [markdown]
# ### 2.1 From colors to class numbers
#
# *2 points · about 10 minutes · difficulty 1 of 3*
#
# A mask that was opened as an RGB picture shows colors instead of class numbers. Write
# `colors_to_labels(colors, palette, void)`: `colors` is H x W x 3 `uint8`, row k of `palette` (K x 3 `uint8`) is the
# color of class k. The result is H x W: the number of the class whose color the pixel has, *exactly*. A color that is
# not in the palette, as VOC's border color (224, 224, 192), is void.
#
# <details><summary>The idea</summary>
#
# For each class, find the pixels whose three channels are those of its color, and write its number there.
#
# </details>
# <details><summary>The way there</summary>
#
# Begin with a map that is void everywhere, then go through the palette. Comparing the picture with one color gives three answers per pixel, and all three must be yes.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.1")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.1 From colors to class numbers: ✓ passed (9 of 9 cases)`


# %%
def colors_to_labels(colors, palette, void=255):
    """H x W x 3 colors -> H x W class numbers; row k of the palette is the color of class k, other colors are void."""
    # BEGIN SOLUTION
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette):
        labels[(colors == color).all(axis=2)] = number
    return labels
    # END SOLUTION


segtutor.check("2.1", colors_to_labels)
colors_to_labels = segtutor.use("2.1", colors_to_labels)

# %% [markdown]
# Your function on a real palette PNG that was opened the wrong way, as an RGB picture, beside the indices that
# were in the file all along:

# %%
path = sorted((folder / "voc").rglob("SegmentationClass/*.png"))[0]
indices = np.array(Image.open(path))
labels = colors_to_labels(np.array(Image.open(path).convert("RGB")), segtutor.labels.voc_colormap(21))
print("equal to the indices in the file:", np.array_equal(labels, indices))

# %% [markdown]
# ### 2.2 Decode a run-length code
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# COCO writes a crowd as `{"counts": [...], "size": [height, width]}`. The numbers are lengths of runs, in turn of 0
# (outside) and of 1 (inside); the first run is of 0 and may be empty. The pixels are numbered **down the columns**: the
# left column from top to bottom, then the next.
#
# Write `decode_rle(counts, height, width)`, which returns the boolean mask H x W.
#
# <details><summary>The idea</summary>
#
# Write the runs one after the other into a list of height x width pixels, then fold the list.
#
# </details>
# <details><summary>The way there</summary>
#
# The value alternates and begins with 0. Folding a list fills row by row, but your pixels run down the columns: fold it so that every column of the picture becomes a row, then exchange the two axes.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.2")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.2 Decode a run-length code: ✓ passed (10 of 10 cases)`


# %%
def decode_rle(counts, height, width):
    """Boolean mask of a run-length code: runs of 0 and 1 in turn, beginning with 0, down the columns."""
    # BEGIN SOLUTION
    pixels, value = [], False
    for run in counts:
        pixels += [value] * run
        value = not value
    return np.array(pixels, dtype=bool).reshape(width, height).T
    # END SOLUTION


segtutor.check("2.2", decode_rle)
decode_rle = segtutor.use("2.2", decode_rle)

# %% [markdown]
# Every crowd of the COCO export, decoded by you; the area in the JSON must be the number of pixels:

# %%
coco = json.loads((folder / "coco" / "annotations" / "instances_train2017.json").read_text())
crowds = [item for item in coco["annotations"] if item["iscrowd"]]
for item in crowds:
    area = int(np.sum(decode_rle(item["segmentation"]["counts"], *item["segmentation"]["size"])))
    print("image", item["image_id"], "crowd of category", item["category_id"], "area", area, "of", item["area"])

# %% [markdown]
# ### 2.3 Read a panoptic PNG
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# COCO's panoptic masks are RGB PNGs. The color of a pixel is the id of its segment,
#
# $$\mathrm{id} = R + 256\,G + 256^2 B,$$
#
# and a list of dictionaries in the JSON says for each `id` its class, `category_id`. Id 0 is void.
#
# Write `panoptic_labels(colors, segments, void)`: `colors` is H x W x 3 `uint8`, the result H x W holds the
# `category_id` of every pixel, and `void` where no listed segment is. Things, stuff and crowds all count.
#
# <details><summary>The idea</summary>
#
# First the ids, one number per pixel; then for each listed segment, write its category_id where its id is.
#
# </details>
# <details><summary>The way there</summary>
#
# 256 does not fit into uint8, so widen the type before you multiply. Begin with a map that is void everywhere and go through the segments, one after the other.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.3")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.3 Read a panoptic PNG: ✓ passed (13 of 13 cases)`


# %%
def panoptic_labels(colors, segments, void=255):
    """Class of every pixel: segment id = R + 256 G + 256^2 B, its class in `segments`; void where no segment is."""
    # BEGIN SOLUTION
    red, green, blue = np.moveaxis(colors.astype(np.int64), 2, 0)
    ids = red + 256 * green + 256**2 * blue
    labels = np.full(ids.shape, void)
    for segment in segments:
        labels[ids == segment["id"]] = segment["category_id"]
    return labels
    # END SOLUTION


segtutor.check("2.3", panoptic_labels)
panoptic_labels = segtutor.use("2.3", panoptic_labels)

# %% [markdown]
# ### 2.4 Write a panoptic PNG
#
# *2 points · about 8 minutes · difficulty 1 of 3*
#
# The way back: write `panoptic_colors(ids)`, which turns H x W segment ids, 0 ... 256³ - 1, into the H x W x 3 colors
# of a panoptic PNG. Each channel lies in 0 ... 255, and R + 256 G + 256² B is the id again.
#
# <details><summary>The idea</summary>
#
# These are the digits of the id in base 256, the lowest first.
#
# </details>
# <details><summary>The way there</summary>
#
# The remainder keeps the lowest digit, whole-number division drops it. Each channel is the remainder of the id after none, one or two digits were dropped; stack the three along a last axis.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.4")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.4 Write a panoptic PNG: ✓ passed (6 of 6 cases)`


# %%
def panoptic_colors(ids):
    """H x W segment ids below 256^3 -> H x W x 3 colors, with id = R + 256 G + 256^2 B."""
    # BEGIN SOLUTION
    red = ids % 256
    green = ids // 256 % 256
    blue = ids // 256**2
    return np.stack([red, green, blue], axis=2)
    # END SOLUTION


segtutor.check("2.4", panoptic_colors)
panoptic_colors = segtutor.use("2.4", panoptic_colors)

# %% [markdown]
# Both ways on a panoptic PNG of the export: the colors that you write must be those that you read.

# %%
panoptic = json.loads((folder / "coco" / "annotations" / "panoptic_train2017.json").read_text())
entry = panoptic["annotations"][0]
colors = np.array(Image.open(folder / "coco" / "annotations" / "panoptic_train2017" / entry["file_name"]))
ids = panoptic_labels(colors, [{**item, "category_id": item["id"]} for item in entry["segments_info"]], void=0)
print("the way there and back:", np.array_equal(panoptic_colors(ids), colors))
names = {item["id"]: item["name"] for item in panoptic["categories"]}
labels = np.asarray(panoptic_labels(colors, entry["segments_info"], void=0))
print("in this picture:", ", ".join(names[number] for number in np.unique(labels).tolist() if number))

# %% [markdown]
# ### 2.5 Cityscapes: from ids to training ids
#
# *3 points · about 10 minutes · difficulty 1 of 3*
#
# Cityscapes' `labelIds` PNGs hold the ids -1 and 0 ... 33, of which only 19 are trained and scored. Write
# `to_train_ids(ids, train_id_of, void)`: `train_id_of` is a dictionary id → training id of the classes that count.
# Every other id is void, also one that Cityscapes does not have, as 34 or 300. In the original files -1 (license plate)
# does not fit into `uint8`; here `ids` is signed, and -1 may occur.
#
# <details><summary>The idea</summary>
#
# Start with a map that is void everywhere, and write each training id where its id is.
#
# </details>
# <details><summary>The way there</summary>
#
# Go through the dictionary, not through the pixels. Compare with the ids that came, never with the map that you are writing: a training id may be the id of another class.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.5")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.5 Cityscapes: from ids to training ids: ✓ passed (12 of 12 cases)`


# %%
def to_train_ids(ids, train_id_of, void=255):
    """H x W ids -> H x W training ids; ids without a training id, and those nobody knows, are void."""
    # BEGIN SOLUTION
    labels = np.full(ids.shape, void)
    for number, train_id in train_id_of.items():
        labels[ids == number] = train_id
    return labels
    # END SOLUTION


segtutor.check("2.5", to_train_ids)
to_train_ids = segtutor.use("2.5", to_train_ids)

# %% [markdown]
# Your function on a Cityscapes file, beside the course's loader:

# %%
table = segtutor.labels.CITYSCAPES_TRAIN_IDS
train_id_of = {number: int(table[number]) for number in range(34) if table[number] != 255}
path = sorted((folder / "cityscapes").rglob("*_labelIds.png"))[0]
_, target = datasets.Cityscapes(folder / "cityscapes")[0]
found = to_train_ids(np.array(Image.open(path)).astype(int), train_id_of)
print("equal to the loader's labels:", np.array_equal(found, target.numpy()))

# %% [markdown]
# ## Part B: what a data set is made of
#
# Frequent and rare classes, and videos cut into frames.

# %% [markdown]
# ### 2.6 Class weights by median frequency
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# A loss that counts all pixels alike learns road and sky and forgets the bicycle. SegNet and many others weight class
# $k$ with
#
# $$w_k = \frac{\mathrm{median}_j(f_j)}{f_k}, \qquad
# f_k = \frac{\text{pixels of class } k}{\text{pixels of all pictures in which class } k \text{ occurs}}$$
#
# (Eigen and Fergus 2015). Write `median_frequency_weights(label_maps, num_classes, void)` for a list of
# label maps, which may differ in size. Void pixels count nowhere, neither above nor below. A class that is in no
# picture gets the weight 0 and does not enter the median.
#
# <details><summary>The idea</summary>
#
# Two counts per class: its pixels, and the valid pixels of the pictures that show it. Their ratio is f.
#
# </details>
# <details><summary>The way there</summary>
#
# Keep two arrays of K numbers and go through the pictures once. To the first add the counts of the picture; to the second add the number of its valid pixels, but only for the classes that it shows. Divide and take the median over the classes that occurred.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.6")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.6 Class weights by median frequency: ✓ passed (12 of 12 cases)`


# %%
def median_frequency_weights(label_maps, num_classes, void=255):
    """K weights: median of the frequencies / frequency of the class; 0 for a class that is nowhere."""
    # BEGIN SOLUTION
    pixels, around = np.zeros(num_classes), np.zeros(num_classes)
    for labels in label_maps:
        counts = np.bincount(labels[labels != void], minlength=num_classes)
        pixels += counts
        around[counts > 0] += counts.sum()
    present = pixels > 0
    frequency = pixels[present] / around[present]
    weights = np.zeros(num_classes)
    weights[present] = np.median(frequency) / frequency
    return weights
    # END SOLUTION


segtutor.check("2.6", median_frequency_weights)
median_frequency_weights = segtutor.use("2.6", median_frequency_weights)

# %% [markdown]
# The weights of the scenes' classes, from the rarest to the most frequent:

# %%
many = datasets.Scenes("train", size=(64, 80), count=40)
weights = np.asarray(median_frequency_weights([many[i][1].numpy() for i in range(40)], 33))
for number in np.argsort(-weights):
    if weights[number] > 0:
        print(f"{many.labels.names[number]:18} {weights[number]:6.2f}")

# %% [markdown]
# ### 2.7 A split that does not leak
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# Frames of one video look alike. If some of them are in training and others in validation, the score says how well the
# network remembers. Write `validation_frames(sequences, share)`: `sequences` names the video of every frame (frames of
# a video need not stand together). Whole videos become validation, the **shortest first** (of equal ones, the first by
# name), until **at least** the share of all *frames* is reached. Return one True (validation) or False (training) per
# frame.
#
# <details><summary>The idea</summary>
#
# Sort the names of the videos by (number of frames, name) and take them one by one until there is enough.
#
# </details>
# <details><summary>The way there</summary>
#
# A key to sort by can be a pair: the second entry decides among equals. Add up frames, not videos, and ask whether there are enough before you take the next one. At the end answer, for every frame, whether its video was taken.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.7")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.7 A split that does not leak: ✓ passed (12 of 12 cases)`


# %%
def validation_frames(sequences, share):
    """One True or False per frame: whole sequences, the shortest first, until at least this share is validation."""
    # BEGIN SOLUTION
    names = sorted(set(sequences), key=lambda name: (sequences.count(name), name))
    chosen: set[str] = set()
    frames = 0
    for name in names:
        if frames >= share * len(sequences):
            break
        chosen.add(name)
        frames += sequences.count(name)
    return [name in chosen for name in sequences]
    # END SOLUTION


segtutor.check("2.7", validation_frames)

# %% [markdown]
# ## Part C: the tests of a loader
#
# A loader can be wrong in ways that no error message tells. Five tests catch all ten faults of lesson 2. Each gets
# what lies in the files and what the loader made of it.

# %% [markdown]
# ### 2.8 Test: no label is invented
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# Halfway between sky (1) and building (4) lies ground... if somebody blends labels. Write
# `invented_labels(stored, loaded, void)`: two lists of label maps, one as they lie in the files, one as a loader gave
# them (scaled, cropped, flipped; so the sizes may differ). Return the labels that came out for a picture whose *own*
# file does not hold them, each once, rising. `void` may be new: cropping pads with it. A right loader gives `[]`.
#
# This test catches the bilinear mask and the palette that was read as gray.
#
# <details><summary>The idea</summary>
#
# Compare sets: labels that came out, minus those in the file, minus void.
#
# </details>
# <details><summary>The way there</summary>
#
# Stay with one picture and its own file at a time: a label may be at home in another file. Sets can be subtracted; collect what remains in one set and sort it at the end.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.8")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.8 Test: no label is invented: ✓ passed (13 of 13 cases)`


# %%
def invented_labels(stored, loaded, void=255):
    """Labels that came out of the loader for a picture in whose file they are not, rising; void may be new."""
    # BEGIN SOLUTION
    invented: set[int] = set()
    for in_file, from_loader in zip(stored, loaded, strict=True):
        invented |= set(np.unique(from_loader).tolist()) - set(np.unique(in_file).tolist()) - {void}
    return sorted(invented)
    # END SOLUTION


segtutor.check("2.8", invented_labels)
invented_labels = segtutor.use("2.8", invented_labels)

# %% [markdown]
# ### 2.9 Test: what the numbers of pixels tell
#
# *5 points · about 35 minutes · difficulty 3 of 3*
#
# A *validation* loader must give every labeled pixel of the files, once, as it is. Count how often each label occurs in
# all of `stored` together and in all of `loaded` together (the number of maps may differ), and return the **first** of
# these verdicts that holds:
#
# | verdict | if |
# | --- | --- |
# | `"ok"` | every label occurs as often as in the files (where, does not matter) |
# | `"pixels dropped"` | there are fewer pixels in all |
# | `"void lost"` | the files have void pixels, and not one came out |
# | `"shifted by one"` | void set to 0 times on both sides, each label k came out as often as k + 1 is in the files |
# | `"changed"` | else |
#
# This test catches the crop in validation, void as background, and the off-by-one class. (In a shift by one, class 0
# becomes void; so there may be more void than before.)
#
# <details><summary>The idea</summary>
#
# Two histograms over all pictures, one of the files and one of the loader; then the questions in turn.
#
# </details>
# <details><summary>The way there</summary>
#
# Give both histograms the same fixed length, so that they can be compared entry by entry. Ask in the order of the table and return at the first yes. For the shift, empty the place of void in both and compare one histogram with the other, moved by one place.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.9")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.9 Test: what the numbers of pixels tell: ✓ passed (27 of 27 cases)`


# %%
def counts_verdict(stored, loaded, void=255):
    """What a validation loader did to the labels, from counts alone: "ok", "pixels dropped", ..."""
    # BEGIN SOLUTION
    before = np.bincount(np.concatenate([one.ravel() for one in stored]), minlength=257)
    after = np.bincount(np.concatenate([one.ravel() for one in loaded]), minlength=257)
    if (before == after).all():
        return "ok"
    if after.sum() < before.sum():
        return "pixels dropped"
    if before[void] > 0 and after[void] == 0:
        return "void lost"
    before[void] = after[void] = 0
    if (after[:-1] == before[1:]).all():
        return "shifted by one"
    return "changed"
    # END SOLUTION


segtutor.check("2.9", counts_verdict)
counts_verdict = segtutor.use("2.9", counts_verdict)

# %% [markdown]
# ### 2.10 Test: image and labels move together
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# To see whether a loader moves image and labels together, feed it a *probe*: a picture that is painted from its own
# label map, gray value = 30 x label. Whatever the loader does, gray = 30 x label must still hold
# afterwards.
#
# Write `moved_together(images, labels)`: two lists of H x W arrays that came out of a loader which flips at random (but
# does not scale). Both hold whole numbers, gray values 0 ... 240 and labels 0 ... 8. For each probe return `"together"`
# if it holds at every pixel, exactly; else `"mirrored"` if it holds after the labels are flipped left to right; else
# `"another picture"`. A probe that is its own mirror image is together.
#
# This test catches the unsynchronized flip and the shuffled pairs.
#
# <details><summary>The idea</summary>
#
# For each pair ask whether gray is 30 x label everywhere. If not, ask the same of the mirrored labels.
#
# </details>
# <details><summary>The way there</summary>
#
# A comparison gives one truth value per pixel, and all must be true. Ask the plain question first, so that a probe that is its own mirror image is together; only then turn the labels around.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.10")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.10 Test: image and labels move together: ✓ passed (18 of 18 cases)`


# %%
def moved_together(images, labels):
    """One word per probe: "together", "mirrored" or "another picture"."""
    # BEGIN SOLUTION
    words = []
    for image, own in zip(images, labels, strict=True):
        if (image == 30 * own).all():
            words.append("together")
        elif (image == 30 * own[:, ::-1]).all():
            words.append("mirrored")
        else:
            words.append("another picture")
    return words
    # END SOLUTION


segtutor.check("2.10", moved_together)
moved_together = segtutor.use("2.10", moved_together)

# %% [markdown]
# ### 2.11 Test: the pixels arrive as the network expects them
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# A network wants RGB, normalized once: $(x / 255 - \mathrm{mean}) / \mathrm{std}$, channel by channel. Write
# `pixels_verdict(pixels, image, mean, std)`: `pixels` is H x W x 3 `uint8` RGB as in the file, `image` the 3 x H x W
# floats that a validation loader made of it, `mean` and `std` have three numbers. Return the **first** that explains
# every value up to 0.001 (so no value is more than that off):
#
# - `"right"`,
# - `"BGR"`: red and blue were exchanged, then all was normalized as if it were RGB,
# - `"normalized twice"`: normalized, and the result once more,
# - `"not normalized"`: only divided by 255,
# - `"other"`, an image of another size among them.
#
# <details><summary>The idea</summary>
#
# Compute what each explanation would give, and compare it with what came.
#
# </details>
# <details><summary>The way there</summary>
#
# Make one expected image per verdict, in the order of the list, and bring its axes into the order of `image`. Compare the shapes first; then the largest absolute difference decides.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.11")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.11 Test: the pixels arrive as the network expects them: ✓ passed (27 of 27 cases)`


# %%
def pixels_verdict(pixels, image, mean, std):
    """What a validation loader made of the pixels: "right", "BGR", "normalized twice", "not normalized", "other"."""
    # BEGIN SOLUTION
    unit = pixels / 255
    right = (unit - mean) / std
    expected = {
        "right": right,
        "BGR": (unit[..., ::-1] - mean) / std,
        "normalized twice": (right - mean) / std,
        "not normalized": unit,
    }
    for verdict, values in expected.items():
        wanted = values.transpose(2, 0, 1)
        if image.shape == wanted.shape and np.abs(image - wanted).max() <= 1e-3:
            return verdict
    return "other"
    # END SOLUTION


segtutor.check("2.11", pixels_verdict)
pixels_verdict = segtutor.use("2.11", pixels_verdict)

# %% [markdown]
# ### 2.12 Test: validation is repeatable
#
# *2 points · about 15 minutes · difficulty 1 of 3*
#
# A validation set that comes out otherwise each time makes every score a lottery ticket. Write
# `is_repeatable(first, second)`: two lists of `(image, labels)`, the items of a loader in two passes. Return True if
# both passes gave the same number of items and the items are equal, images and labels, in order, to the last value.
#
# This test catches train transforms on the validation set.
#
# <details><summary>The idea</summary>
#
# Go through both passes side by side; the first difference decides.
#
# </details>
# <details><summary>The way there</summary>
#
# Two passes of different length differ, and zip alone would not notice. Two arrays are equal if their shapes and all values are; NumPy has one function that asks for both.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.12")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.12 Test: validation is repeatable: ✓ passed (22 of 22 cases)`


# %%
def is_repeatable(first, second):
    """Whether two passes over a loader gave the same images and labels, in the same order, to the last value."""
    # BEGIN SOLUTION
    if len(first) != len(second):
        return False
    for (image, labels), (image_again, labels_again) in zip(first, second, strict=True):
        if not np.array_equal(image, image_again) or not np.array_equal(labels, labels_again):
            return False
    return True
    # END SOLUTION


segtutor.check("2.12", is_repeatable)
is_repeatable = segtutor.use("2.12", is_repeatable)

# %% [markdown]
# ## Part D: eleven loaders
#
# Now your tests go to work. The cell below makes the files on which you try the loaders.

# %% alt="A painted picture of noisy rectangles with its label map, and a gray probe with its label map"
from segtutor.exercises.lesson02 import open_loader
from segtutor.exercises.lesson02.inputs import painted_files, probe_files
from segtutor.exercises.loaders import EIGHT, MEAN, STD

painted, probes = painted_files(7), probe_files(7)
stored = [file.labels for file in painted]


def all_of(loader):
    """One pass: the list of all (image, labels)."""
    return [loader[index] for index in range(len(loader))]


figure, axes = plt.subplots(1, 4, figsize=(9, 2.6))
for row, files in enumerate((painted, probes)):
    axes[2 * row].imshow(files[0].pixels)
    axes[2 * row + 1].imshow(segtutor.plotting.colorize(files[0].labels, EIGHT))
for ax, title in zip(axes, ("painted: picture", "its labels", "probe: picture", "its labels"), strict=True):
    ax.set_title(title, fontsize=9)
    ax.set_axis_off()
numbers = [*range(8), EIGHT.ignore_index]
segtutor.plotting.legend(figure, numbers, EIGHT, loc="outside lower center", bbox_to_anchor=None, ncols=9)
plt.show()

# %% [markdown]
# ### 2.13 Ten broken loaders and a right one
#
# *6 points · about 55 minutes · difficulty 3 of 3*
#
# Eleven loaders, A to K. Ten have one fault each, one is right. Find out with the five tests that you wrote, and fill in
# `answers`: letter → one of "bilinear mask", "unsynchronized flip", "void as background", "BGR", "off-by-one class", "palette as gray", "train transforms on val", "crop drop", "shuffled pairs", "normalization twice", "none".
#
# `open_loader(letter, files, train)` opens a loader on files of your choice: `painted` (small pictures with all classes
# and void) or `probes` (gray value = 30 x label). With `train=True` it scales, crops and flips; `scale=(1, 1)` leaves
# only the flip. For two passes go twice over the *same* opened loader: one that is opened anew begins with the same
# random numbers again.
#
# The images that a loader gives are **normalized**, 3 x H x W floats, as `pixels_verdict` expects them with `MEAN` and
# `STD` from the cell above. `moved_together` wants gray values: take one channel, undo the normalization with that
# channel's mean and deviation, and round to whole numbers.
#
# <details><summary>The idea</summary>
#
# Let each of the five tests run on all eleven loaders and print a table. Most tests speak for themselves.
#
# </details>
# <details><summary>The way there</summary>
#
# Begin with what shows without training: pixels and repeatability, then the counts. What still looks right is tested in training, first for labels that were invented, then, on the probes, for labels that moved.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("2.13")` shows one. It counts as used: `segtutor.progress(2)` then says "solution seen".
#
# </details>
#
# **Expected:** `2.13 Ten broken loaders and a right one: ✓ passed (11 of 11 cases)`


# %%
# STUB: answers = {
# STUB:     "A": None, "B": None, "C": None, "D": None,
# STUB:     "E": None, "F": None, "G": None, "H": None,
# STUB:     "I": None, "J": None, "K": None,
# STUB: }
# BEGIN SOLUTION
def explain(letter):
    val = open_loader(letter, painted)
    first, second = all_of(val), all_of(val)
    pixels = pixels_verdict(painted[0].pixels, first[0][0], MEAN, STD)
    if not is_repeatable(first, second):
        return "train transforms on val"
    if pixels in ("BGR", "normalized twice"):
        return {"BGR": "BGR", "normalized twice": "normalization twice"}[pixels]
    counts = counts_verdict(stored, [labels for _, labels in first])
    if counts == "pixels dropped":
        return "crop drop"
    if counts == "shifted by one":
        return "off-by-one class"
    if counts == "void lost":
        return "palette as gray" if invented_labels(stored, [one for _, one in first]) else "void as background"
    flipping = all_of(open_loader(letter, probes, train=True, scale=(1, 1)))
    gray = [np.round(255 * (image[0] * STD[0] + MEAN[0])).astype(int) for image, _ in flipping]
    moved = moved_together(gray, [labels for _, labels in flipping])
    if "another picture" in moved:
        return "shuffled pairs"
    if "mirrored" in moved:
        return "unsynchronized flip"
    scaled = [labels for _, labels in all_of(open_loader(letter, painted, train=True))]
    return "bilinear mask" if invented_labels(stored, scaled) else "none"


answers = {letter: explain(letter) for letter in "ABCDEFGHIJK"}
# END SOLUTION

segtutor.check("2.13", answers)

# %% [markdown]
# Keep the five functions. Put them into the tests of your next project, with your own loader in place of these eleven:
# each costs a second, and the faults they catch cost weeks.

# %% [markdown]
# ## How far you are

# %%
segtutor.progress(2)
