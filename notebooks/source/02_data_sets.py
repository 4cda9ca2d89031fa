# ---
# title: Data sets
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 1.3 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", NumPy arrays]
# minutes_work: 65
# ---

# %% [markdown]
# A network learns what it is shown. Somebody has drawn what it is shown, somebody has packed it into files, and between
# these files and the network stands a *loader*, the program that reads them: often fifty lines that nobody tests. In this
# lesson you look at labels as people draw them, open files in the formats of four famous data sets with your own hands,
# and then meet ten loaders with one mistake each. Not one of them raises an error, and one reports a perfect score.
#
# ## Objectives
#
# After this lesson you can
#
# - **say** what VOC 2012, PASCAL-Context, COCO and Cityscapes ask for, how large they are, and how they are scored;
# - **open** their label files: PNGs with a [palette](glossary.ipynb#palette), `.mat`, polygons, run lengths, colors that are ids, ids and train ids;
# - **recognize** from the numbers of a training what is wrong with a loader, and know when the numbers cannot tell;
# - **count** what is in a data set, and **weigh** rare classes, knowing what that costs;
# - **notice** a split that leaks, and **bring in** a data set of your own.

# %% fold="Import what the lesson needs, set the style of the figures"
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import HTML, Markdown
from PIL import Image
from scipy.io import loadmat

from segtutor import datasets, plotting, training
from segtutor.datasets.exporting.names import match_names
from segtutor.datasets.photographs import agreement, draw
from segtutor.labels import CITYSCAPES, CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS, PHOTOGRAPHS, SCENES
from segtutor.labels import PASCAL_CONTEXT_59, PASCAL_CONTEXT_459
from segtutor.metrics import rle

plotting.use_course_style()
BLUE, ORANGE, GREEN = (plotting.style.COLORS[name] for name in ("blue", "orange", "green"))
temporary = tempfile.TemporaryDirectory(prefix="segtutor_")  # goes when the kernel stops
root = Path(temporary.name)


def without_frames(axes):
    """Pictures need no axes."""
    for ax in np.ravel(axes):
        ax.set_axis_off()


def legend_below(figure, numbers, labels):
    """The names of these classes under the figure; void is white here."""
    columns = int(figure.get_figwidth()) - 1
    place = {"loc": "outside lower center", "bbox_to_anchor": None, "ncols": columns}
    legend = plotting.legend(figure, numbers, labels, **place)
    for patch in legend.get_patches():
        patch.set_hatch(None)


# %% [markdown]
# ## Six photographs, labeled by hand
#
# Six photographs come with scikit-image, and anybody may use them. For this course we have drawn their
# [label maps](glossary.ipynb#label-map), so that we can look at real labels without a download. In the code they are the
# data set `album`, whose items are pairs of a picture and its label map.


# %% fold="Draw the six photographs under their labels" alt="Six photographs under their label maps in color, with white seams between the regions: the cat Chelsea; a cup with saucer and spoon on a table; an astronaut with a flag, a space shuttle and a helmet; a rocket between towers; a man with a camera on a tripod, with grass, sky and a building; and twenty-four coins. A patch at the cat's chin is white, too"
def tinted(picture, labels, label_set, strength=0.65):
    """The picture under its label map, void in white."""
    mixed = (1 - strength) * np.asarray(picture).transpose(1, 2, 0) + strength * plotting.colorize(labels, label_set)
    mixed[np.asarray(labels) == label_set.ignore_index] = 255
    return mixed.astype(np.uint8)


album = datasets.Photographs()
photo = {name: album[number] for number, name in enumerate(album.names)}  # name -> (picture, label map)
figure, axes = plt.subplots(2, 3, figsize=(6.3, 4.4))
for ax, (name, (picture, labels)) in zip(axes.flat, photo.items(), strict=True):
    ax.imshow(tinted(picture, labels, PHOTOGRAPHS), interpolation="antialiased")
    ax.set(title=name)
without_frames(axes)
legend_below(figure, np.concatenate([np.unique(labels) for _, labels in photo.values()]), PHOTOGRAPHS)
plt.show()

# %% [markdown]
# Each region is a polygon, drawn by hand, corner by corner, over the enlarged photograph; where regions overlap, the
# later one is painted over the earlier one, as the cup is over the saucer. The white seam is
# [void](glossary.ipynb#void): two pixels on either side of each outline that count in no training and in no score. The
# white patch at Chelsea's chin is void as well: the fur is blurred there, and nobody can tell what belongs to what.
#
# We call such labels *the truth*. How true are they? All six photographs were drawn a second time, without a look at the
# first labels, so we can score one truth against the other, by
# [intersection over union](glossary.ipynb#intersection-over-union).
#
# **Predict, then run.** About how well do two drawings of the same cup agree? And which of all these regions will agree
# worst? (You met one of them in lesson 1.)

# %% fold="Score the second drawing against the first" alt="Bars of the IoU between the two drawings for twenty regions. Most lie between 92 and 99 percent; the camera and the spoon are a little below 90, the building beneath the rocket is at 77, and the tripod is last with 53 percent"
rows = sorted(agreement(), key=lambda row: -row["iou"])
figure, ax = plt.subplots(figsize=(9, 3.4))
bars = ax.bar([f"{row['photograph']}: {row['class']}" for row in rows], [100 * row["iou"] for row in rows], color=BLUE)
ax.bar_label(bars, fmt="%.0f", fontsize=9)
ax.set(ylabel="IoU of the two drawings, %", ylim=(0, 110))
ax.set_xticks(range(len(rows)), [f"{row['photograph']}: {row['class']}" for row in rows], rotation=40, ha="right")
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The two cups agree to 95 %. The tripod comes last, with 53 %. Its legs are thin: in row 438, for example, they are 12,
# 11 and 17 pixels wide in the first drawing, and 16, 13 and 5 in the second. Among shapes like these a few pixels
# decide: two bars that are ten pixels wide, one of them moved aside by three pixels, have an IoU of 7/13, that is 54 %.
# The building beneath the rocket, next to last, is a different case. There the two drawings *decided* differently
# whether the trusses at the rocket's foot belong to it.
#
# </details>
#
# Keep these bars in mind when you read tables of results. A network that reaches 94 % on the cup and one that reaches
# 96 % are both about as close to the first drawing as the second drawing is. Which of the two is better, these labels
# cannot say.
#
# ## One picture, three answers
#
# [Lesson 0](00_start_here.ipynb#One-picture,-three-questions) told three tasks apart:
# [semantic segmentation](glossary.ipynb#semantic-segmentation),
# [instance segmentation](glossary.ipynb#instance-segmentation) and
# [panoptic segmentation](glossary.ipynb#panoptic-segmentation). A data set serves the tasks that its labels were drawn
# for. Ours were drawn for all three.
#
# **Predict, then run.** How many colors will the coins have in each of the three label maps? And what will the instance
# map of the man with the camera leave out?

# %% fold="Draw the coins and the cameraman in three ways" alt="Two rows of four pictures. The coins: photograph, semantic map with all coins yellow, instances in many colors, panoptic map in many colors. The man with the camera: photograph, semantic map, instances, where man, camera and tripod are colored and sky, grass and building are not, and the panoptic map, where all of them have colors and what is neither is white"
panoptic = datasets.Photographs("panoptic")


def segments_in_color(target):
    """Things in a color each, stuff in the color of its class; white is void."""
    canvas = np.full((*target["segments"].shape, 3), 255, dtype=np.uint8)
    things = 0
    for info in target["segments_info"]:
        color = PHOTOGRAPHS.colors[info["category_id"]]
        if info["isthing"]:
            color, things = plotting.overlays.INSTANCE_COLORS[things % 7], things + 1
        canvas[np.asarray(target["segments"]) == info["id"]] = color
    return canvas


figure, axes = plt.subplots(2, 4, figsize=(6.3, 3.4))
for row, name in zip(axes, ("coins", "camera"), strict=True):
    picture, labels = photo[name]
    objects = datasets.Photographs("instances")[album.names.index(name)][1]
    row[0].imshow(picture.permute(1, 2, 0), interpolation="antialiased")
    row[1].imshow(plotting.colorize(labels, PHOTOGRAPHS))
    plotting.show_instances(picture, PHOTOGRAPHS, objects["masks"], ax=row[2], alpha=0.8)
    row[3].imshow(segments_in_color(panoptic[album.names.index(name)][1]))
for ax, title in zip(axes[0], ("photograph", "semantic", "instances", "panoptic"), strict=True):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, np.union1d(photo["coins"][1], photo["camera"][1]), PHOTOGRAPHS)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# One color in the semantic map, since all of them are class "coin". The other two maps have a color for every coin
# (seven colors, used in turn). The instance map of the cameraman leaves out the
# [stuff](glossary.ipynb#things-and-stuff), sky, grass and building: stuff cannot be counted. The panoptic map holds
# both. It has no background, though. What is neither thing nor stuff, such as the cloth under the coins, is void, white
# in the figure.
#
# </details>
#
# In Python, the three answers for the coins look like this:

# %%
coins = album.names.index("coins")
semantic, instances = album[coins][1], datasets.Photographs("instances")[coins][1]
segments = datasets.Photographs("panoptic")[coins][1]
print("semantic: ", tuple(semantic.shape), "with the values", semantic.unique().tolist())
print("instances:", {key: tuple(instances[key].shape) for key in ("masks", "boxes", "labels")})
print("panoptic: ", tuple(segments["segments"].shape),
      "and a list; its first entry:", segments["segments_info"][0])  # fmt: skip

# %% [markdown]
# The semantic answer is one map of class numbers: background, coin (34 in our list) and void. The instances are a stack of
# 24 masks, one per coin, with boxes and class numbers. The panoptic answer is again *one* map, but of segment numbers, with
# a list that says for each segment which class it has, whether it is a thing, how many pixels it covers, and which box
# surrounds it. (What `iscrowd` means comes further below.)
#
# ## Four data sets, four vocabularies
#
# Most papers of this course measure themselves on four data sets, and each of these was made to ask something different:
#
# - **PASCAL VOC 2012** (Visual Object Classes) asks for objects of 20 classes in realistic scenes. It is a supervised
#   task: a training set of labeled photographs is given. Everything that is none of the 20 is *background*.
# - **PASCAL-Context** (2014) took the photographs of VOC 2010 and labeled the *whole* scene, with more than 400 names.
# - **COCO** (Common Objects in Context, 2014, in its splits of 2017) outlines 80 kinds of things one by one. Later
#   came stuff such as sky, wall and grass, which fills most of a picture (2017), and the panoptic task (2018).
# - **Cityscapes** (2016) shows the streets of 50 cities, seen from a car, for autonomous driving.
#
# How would each of them have labeled *our* photographs? `datasets.export` writes any data set of the course in the layout
# of a famous one, that is, with its folders, file names and formats. A class takes the number that the famous one has for
# it; a class that the famous one lacks becomes background or void there. Then the loader for the famous one reads the
# files. (If you have the real files on your disk, the same loaders read them.) PASCAL-Context is read with the 59 classes
# that it scores, and COCO from its panoptic files, which hold things and stuff.

# %%
for layout in ("voc", "pascal_context", "coco", "cityscapes"):
    datasets.export(album, root / layout, layout=layout, overwrite=True)
readers = {
    "VOC": datasets.VOCSegmentation(root / "voc"),
    "PASCAL-Context": datasets.PascalContext(root / "pascal_context", num_classes=59),
    "COCO": datasets.CocoSegmentation(root / "coco", source="panoptic"),
    "Cityscapes": datasets.Cityscapes(root / "cityscapes"),
}

# %% [markdown]
# **Predict, then run.** The cup stands on a saucer on a table. What will be left of this picture in the eyes of each data
# set? All label maps are shown in the colors from above; black is background, white is void.

# %% fold="Show two photographs as the four data sets would label them" alt="Two photographs and the label map that each data set would give them. The coffee: VOC has only the table, all else black within white outlines; PASCAL-Context table and cup, all else white; COCO table, cup and spoon, all else white; Cityscapes is all white. The cameraman: VOC has only the person, all else black within white outlines; PASCAL-Context, COCO and Cityscapes have person, sky, grass and building, with tripod, camera and the strip at the horizon white"
NUMBERS = {"coffee": 1, "camera": 4}


def in_our_numbers(labels, label_set):
    """Class numbers of a famous data set as those of the photographs, matched by name."""
    table = np.full(256, 255)
    for ours, name in match_names(PHOTOGRAPHS, label_set.names).items():
        table[label_set.index(name)] = ours
    return table[np.asarray(labels)]


figure, axes = plt.subplots(2, 5, figsize=(7, 3.3))
shown = set()
for row, (name, number) in zip(axes, NUMBERS.items(), strict=True):
    row[0].imshow(photo[name][0].permute(1, 2, 0), interpolation="antialiased")
    for ax, (title, reader) in zip(row[1:], readers.items(), strict=True):
        seen = in_our_numbers(reader[number][1], reader.labels)
        ax.imshow(plotting.colorize(seen, PHOTOGRAPHS))
        ax.set(title=title if number == 1 else "")
        ax.add_patch(plt.Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, edgecolor="0.6"))
        shown |= set(np.unique(seen).tolist())
without_frames(axes)
legend_below(figure, shown, PHOTOGRAPHS)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# VOC knows the table and nothing that stands on it; cup, saucer and spoon are background there. The scored list of
# PASCAL-Context adds the cup, that of COCO cup and spoon, and a saucer is on no list. For Cityscapes there is nothing here
# that a car should know: all is void.
#
# </details>
#
# The lower row is kinder to Cityscapes: like PASCAL-Context and COCO, it keeps person, sky, grass and building. VOC keeps the
# person alone.
#
# There is a difference between black and white. *Background* is a class, and a network that calls the saucer background
# is right; *void* is no class, and whatever a network says there does not count. So the same network on the same picture
# gets a different score from each data set, and results on different data sets cannot be compared.
#
# The table below says how large the data sets are and what they score (click on a name for its website). Each of them is
# divided into *splits*. A network learns from the split *train*; people compare and choose by the split *val*, for
# validation; and *test* is kept for the final score.

# %% fold="Make the table from data/datasets.json, where every number stands beside its source"
NAMES = ("voc2012", "pascal_context", "coco", "coco_stuff", "coco_panoptic", "cityscapes", "camvid", "ade20k")
lines = ["| data set | labeled pictures | classes | score |", "| --- | --- | --- | --- |"]
for fact in map(datasets.facts, NAMES):
    pictures = "<br>".join(f"{split['name']} {split['images']:,}" for split in fact["splits"])
    classes = "<br>".join(f"{part['count']} {part['what']}" for part in fact["classes"])
    metric = fact["metric"]["value"].partition(":")[0]
    lines.append(f"| [{fact['title']}]({fact['address']}), {fact['year']} | {pictures} | {classes} | {metric} |")
Markdown("\n".join(lines))

# %% [markdown]
# You need not learn the table by heart, but its rows answer most questions about the results in a paper. On which split
# was the number measured? Over how many classes, and is the background one of them? And which score is it:
# [mean IoU](glossary.ipynb#mean-IoU) for semantic labels, the AP of lesson 1 for objects, or
# [panoptic quality](glossary.ipynb#panoptic-quality) for both? The labels of VOC's, COCO's and Cityscapes' test
# pictures are secret; you send your answers to a server. Two words in the table are explained under *Going deeper*:
# *SBD*, a second source of labels for VOC's photographs, and *iIoU*. CamVid and ADE20K, in the last two rows, are a
# small and a large companion of the four: the course's guide to training on your own images uses CamVid, and newer
# papers report on ADE20K. (*SegNet*, in the row of CamVid, is a network; its paper returns under *Class weights*.)
#
# With torchvision, three of the data sets take a line each:
#
# ```python
# torchvision.datasets.VOCSegmentation(root, year="2012", image_set="train", download=True)
# torchvision.datasets.CocoDetection(root, annFile)      # needs pycocotools
# torchvision.datasets.Cityscapes(root, split="train", mode="fine", target_type="semantic")
# ```
#
# They hand you the files nearly as they are. The loaders of `segtutor.datasets` return tensors with 255 for void, know
# the names of the classes, and check what they read; `segtutor data get voc2012` on the command line fetches a data set
# and first tells you its size and license.
#
# ## Opening the files
#
# ### VOC: a picture that is a table of numbers
#
# Open a label file of VOC in any viewer, and it shows colors. In fact it has one channel, and a pixel holds the *number*
# of its class. The file also carries a *palette*, a list that tells the viewer which color to show for which number. We
# take Chelsea's file; a cat is number 8.
#
# **Predict, then run.** What do you get from this file when you open it as it is, as gray, and as RGB?

# %%
path = root / "voc/VOCdevkit/VOC2012/SegmentationClass/2012_000001.png"
file = Image.open(path)
print("as it is:      ", file.mode, np.unique(file).tolist())
print('convert("L"):  ', np.unique(file.convert("L")).tolist())
print('convert("RGB"):', np.unique(np.reshape(file.convert("RGB"), (-1, 3)), axis=0).tolist())
print("class 19 is:   ", datasets.VOCSegmentation(root / "voc").labels.names[19])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Opened as it is (mode P, for palette), it gives the numbers: background 0, cat 8, void 255. Opened as RGB, it gives the
# colors of the palette. Opened as gray, it gives the *brightness* of these colors: 0, 19 and 220. And 19 happens to be a
# class, too: the train.
#
# </details>
#
# So whoever opens this file as a gray picture, as many programs do, turns the cat into a train and does not notice:
# 19 is a perfectly good class number. Void has become 220, which nothing treats as void any more. Look at the edge of
# her ear:


# %% fold="Mark a place at the ear, enlarge it, write the numbers" alt="Left, one of Chelsea's ears with a small orange frame at its edge. Middle, the 8 by 10 pixels of the frame with the numbers in the file: 8 for the cat on the left, a slanted band of 255 for void, 0 for the background on the right. Right, the same pixels opened as gray: 19, in the color of trains, 220, which is no class, and 0"
def write_numbers(ax, values, label_set):
    """A small label map in its colors, with the number of every pixel; what is no class of the set is gray."""
    values = np.asarray(values)
    is_known = (values < len(label_set)) | (values == label_set.ignore_index)
    colors = plotting.colorize(np.where(is_known, values, 0), label_set)
    colors[~is_known] = 170
    ax.imshow(colors)
    for (row, column), number in np.ndenumerate(values):
        color = "black" if colors[row, column].mean() > 100 else "white"
        ax.text(column, row, number, ha="center", va="center", fontsize=9, color=color)


window = slice(52, 60), slice(368, 378)
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.75))
axes[0].imshow(photo["chelsea"][0].permute(1, 2, 0)[:96, 306:426], interpolation="antialiased")
axes[0].add_patch(plt.Rectangle((368 - 306, 52), 10, 8, fill=False, edgecolor=ORANGE, linewidth=2))
write_numbers(axes[1], np.asarray(file)[window], PHOTOGRAPHS)
write_numbers(axes[2], np.asarray(file.convert("L"))[window], PHOTOGRAPHS)
for ax, title in zip(axes, ("photograph", "numbers in the file", "opened as gray; 220 is no class"), strict=True):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, [0, 8, 19, 255], PHOTOGRAPHS)
plt.show()

# %% [markdown]
# The files of VOC all carry the same palette; its colors are computed from the bits of the number
# (`segtutor.labels.voc_colormap`). A second folder, `SegmentationObject`, has files of the same kind that number the
# objects instead of naming them.
#
# ### PASCAL-Context: 459 names, 59 of them scored
#
# The label files of PASCAL-Context come from MATLAB. Each holds a matrix `LabelMap` with the numbers 1 to 459, and 0 where
# nobody labeled anything. We read the cameraman's.

# %%
numbers = loadmat(root / "pascal_context/VOCdevkit/VOC2010/trainval/2010_000005.mat")["LabelMap"]
for number in np.unique(numbers[numbers > 0]):
    name = PASCAL_CONTEXT_459.names[number - 1]
    print(f"{number:3} {name:9} {'scored' if name in PASCAL_CONTEXT_59.names else 'void'}")

# %% [markdown]
# Camera and tripod have names in the long list, but they are not among the 59 most frequent classes of the short one, so
# they do not count. (*Unknown* is for what the annotators could not name; our export puts the background there.) Some
# papers add the background as a 60th class, and the authors' site offers an easier list of 33. So "mean IoU on
# PASCAL-Context" means little until you know which list it is about.
#
# ### COCO: outlines, runs and colors
#
# COCO keeps one JSON file per task. In the one for objects, each object is a dictionary; here is the spoon.

# %%
coco = json.loads((root / "coco/annotations/instances_train2017.json").read_text())
categories = {one["id"]: one["name"] for one in coco["categories"]}
spoon = next(one for one in coco["annotations"] if categories[one["category_id"]] == "spoon")
polygon = spoon["segmentation"][0]
print({**spoon, "segmentation": [[*polygon[:6], "...", f"{len(polygon)} numbers"]]})

# %% [markdown]
# `segmentation` is a list of **polygons** x, y, x, y, …, one for each visible part. `bbox` holds x, y, width and height, not
# two corners. (Polygons of real annotators have slanted edges; our export follows the edges of the pixels.)
#
# Which pixels belong to a polygon? Textbooks give the *even-odd rule*: send a ray from the center of the pixel to one side,
# and count how often it crosses the outline. If the count is odd, the pixel lies inside.

# %% fold="Draw three rays" alt="A block with a notch cut into it from below, and three rays to the left. The ray from a point in the left part crosses the outline once, the ray from a point in the notch twice, the ray from a point in the right part three times"
outline = np.array([(1, 1.5), (9, 1.5), (9, 5.7), (7.4, 5.7), (4.8, 2.6), (2.2, 5.7), (1, 5.7)])
figure, ax = plt.subplots(figsize=(4.6, 2.4))
ax.fill(*outline.T, facecolor="0.85", edgecolor="black", linewidth=1.5)
for (x, y), color, text, shift in (
    ((2.4, 2.7), BLUE, "1: inside", 5), ((4.8, 4.1), ORANGE, "2: outside", -15), ((8.2, 5.3), GREEN, "3: inside", 5),
):  # fmt: skip
    ax.annotate("", (-0.2, y), (x, y), arrowprops={"arrowstyle": "->", "color": color, "linewidth": 1.5})
    ax.plot(x, y, "o", color=color)
    ax.annotate(text, (x, y), (0, shift), textcoords="offset points", ha="center")
ax.set(xlim=(-0.5, 9.6), ylim=(6, 1.2), aspect="equal")
without_frames(ax)
plt.show()

# %% [markdown]
# One crossing and three crossings mean inside; two mean outside. The function below does this for all pixels at once. It
# visits one edge of the outline after the other, and `^=` turns inside into outside, or back, wherever the ray crosses it.


# %%
def even_odd(corners, height, width):
    """Count how many edges of the outline lie to the left of each pixel's center."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inside = np.zeros((height, width), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x > x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside


# %% [markdown]
# COCO's own program does something else: it rounds the outline to fifths of a pixel and then decides column by column.
# We draw one and the same polygon in both ways: the tripod, in a photograph a quarter as wide and a quarter as high, where
# it is as small as many of COCO's objects.
#
# **Predict, then run.** By how many pixels of about 500 will the two masks differ?

# %%
region = next(one for one in album.entries[4]["regions"] if one["class"] == "tripod")
corners = np.reshape(region["polygon"], (-1, 2)) / 4
textbook = even_odd(corners, 128, 128)
official = rle.decode(rle.from_polygons([corners.ravel().tolist()], 128, 128))
differ = (textbook != official).sum()
print(f"{textbook.sum()} and {official.sum()} pixels, {differ} of them differ")
print(f"IoU of the two masks: {(textbook & official).sum() / (textbook | official).sum():.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# By fifteen. The same polygon, drawn by two correct programs, agrees with itself to only 97 %.
#
# </details>
#
# The left panel of the next figure shows where the fifteen are: all of them lie along the outline. On large objects this is
# nothing. On small ones it moves scores, and so a score on COCO is computed with COCO's rule, which the loaders of the
# course follow to the last pixel.
#
# Polygons are clumsy where a mask has holes, or where an object is a whole crowd. Then COCO writes a
# [run-length code](glossary.ipynb#run-length-encoding): the lengths of the runs of 0 and 1 in turn, *down the columns*,
# beginning with the zeros.
#
# **Predict, then run.** Write down the code of this small mask, in which # is 1 and a dot is 0:
#
# ```text
# . . . . # .
# . # # # # .
# . # # # # .
# . . . . . .
# ```

# %% fold="Draw the tripod in both ways, the small mask and the coins as COCO would keep them" alt="Three panels. The tripod's mask with its polygon, on which fifteen pixels along the outline are orange or blue. A grid of 4 by 6 pixels, in which an arrow runs down the columns; the rows 1 and 2 of the columns 1 to 4 and the top of column 4 are filled. The coins, twelve of them each tinted singly and the other twelve hatched together as one mask"
tiny = np.zeros((4, 6), dtype=bool)
tiny[1:3, 1:5] = tiny[0, 4] = True
figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.9), width_ratios=(0.95, 1, 1.1))
canvas = np.where(textbook[..., None] & official[..., None], np.uint8(150), np.uint8(255)).repeat(3, axis=2)
canvas[textbook & ~official], canvas[official & ~textbook] = (230, 159, 0), (0, 114, 178)
axes[0].imshow(canvas)
axes[0].plot(*np.vstack([corners, corners[:1]]).T - 0.5, color="black", linewidth=0.6)
axes[0].set(xlim=(54, 115), ylim=(127.5, 56), title="orange: textbook, blue: COCO")
axes[1].imshow(tiny, cmap="Blues", vmin=0, vmax=2)
for column in range(6):
    axes[1].annotate("", (column, 3.4), (column, -0.4), arrowprops={"arrowstyle": "->", "color": "0.3"})
axes[1].tick_params(length=0)
axes[1].set_xticks(np.arange(-0.5, 6), [])
axes[1].set_yticks(np.arange(-0.5, 4), [])
axes[1].grid(color="0.7")
axes[1].set(title="read down the columns")
picture, objects = datasets.Photographs("instances")[5]
by_size = objects["masks"][objects["area"].argsort(descending=True)]
singles, crowd = by_size[:12].numpy(), by_size[12:].any(dim=0).numpy()
plotting.show_instances(picture, PHOTOGRAPHS, singles, ax=axes[2], alpha=0.6)
axes[2].contourf(crowd, levels=[0.5, 1.5], colors=["white"], alpha=0.5, hatches=["////"])
axes[2].set(title="twelve objects and a crowd")
without_frames(axes[[0, 2]])
plt.show()
print("the small mask:", rle.encode(tiny, compressed=False)["counts"])
print(f"the crowd of coins: {len(rle.encode(crowd, compressed=False)['counts'])} numbers for {crowd.size:,} pixels")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It is 5, 2, 2, 2, 2, 2, 1, 3, 5. There are five zeros first (the first column and the top of the second), two ones, two
# zeros, two ones, two zeros, two ones, then only one zero, then three ones because the top of that column is set, and five
# zeros to the end. The middle panel shows the mask with the direction of reading.
#
# </details>
#
# The right panel shows what the code is for. COCO's annotators outlined ten to fifteen objects of a class one by one, and
# all the others together as one [crowd region](glossary.ipynb#crowd-region), marked `iscrowd: 1`; here it is hatched, and
# 883 numbers stand for its 116,352 pixels. A detector is neither rewarded nor punished for what it finds in there, and
# nobody trains on a crowd as if it were one object.
#
# A **panoptic** label file, finally, is an RGB picture whose *colors are numbers*: red + 256 · green + 256² · blue is the
# id of a segment. The JSON file beside it says what each id is.
#
# **Predict, then run.** You multiply the green channel by 256 without changing its type, a byte. What is the largest
# value that you get?

# %%
colors = np.array(Image.open(root / "coco/annotations/panoptic_train2017/000000000005.png"))
green = torch.from_numpy(colors)[..., 1]  # bytes, 0 ... 255
print("largest value of 256 x green:", (256 * green).max().item())
target = datasets.CocoPanoptic(root / "coco")[4][1]
for one in target["segments_info"]:
    kind, name = "thing" if one["isthing"] else "stuff", readers["COCO"].labels.names[one["category_id"]]
    print(f"id {one['id']:8}  {kind}  {name:22} {one['area']:6} pixels")
print(f"id        0  void {(target['segments'] == 0).sum().item():30} pixels")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It is 0. A byte keeps only the remainder after division by 256, and PyTorch raises no error (NumPy 2 does raise one).
# Convert to a wider type first. With the bug, all ids that differ only in green and blue become one.
#
# </details>
#
# Every pixel has one id, and id 0 is void. In our export, void holds the outlines and everything that COCO has no name for:
# camera, tripod, and the strip behind the meadow that our label map calls background. Look at the file, and you see at once
# that its colors are numbers in disguise:

# %% fold="Show the file as a viewer does, and as it is meant" alt="Left, the panoptic file of the cameraman as a viewer shows it, with a red sky, a yellow meadow, an olive man, an orange tower and black void. Right, the same segments in the colors of their classes, with camera, tripod and outlines white"
figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.5))
meant = in_our_numbers(readers["COCO"][4][1], readers["COCO"].labels)
axes[0].imshow(colors)
axes[1].imshow(plotting.colorize(meant, PHOTOGRAPHS))
for ax, title in zip(axes, ("as a viewer shows it", "what it means"), strict=True):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, np.unique(meant), PHOTOGRAPHS)
plt.show()

# %% [markdown]
# ### Cityscapes: ids are not train ids
#
# Cityscapes is about streets, so we export a drawn one. A label file of Cityscapes holds the **ids** of 34 classes. Only 19
# of these classes are trained and scored, and they have a second number for that, the **train id**; all others become void.

# %%
street = datasets.Scenes("val", size=(240, 320), kinds=("street",), count=11)
datasets.export(street, root / "street", layout="cityscapes", overwrite=True)
path = sorted((root / "street").rglob("*_000011_*_labelIds.png"))[0]
ids = np.array(Image.open(path))
for number in np.unique(ids):
    train_id = CITYSCAPES_TRAIN_IDS[number]
    print(f"id {number:2} {CITYSCAPES_IDS.names[number]:12} train id",
          "-" if train_id == 255 else train_id)  # fmt: skip
objects = np.unique(Image.open(str(path).replace("labelIds", "instanceIds")))
print("objects:", objects[objects >= 1000].tolist())

# %% [markdown]
# The bollards, which Cityscapes does not know, have become *dynamic*, and the outlines *unlabeled*. The last line comes
# from another file, `instanceIds`. A value of 1000 or more means id · 1000 + number of the object, counted from 0: 26002 is
# the third car. A value below 1000 is a plain id.

# %% fold="Draw the street, its ids, and its train ids" alt="A drawn street with people, cars, a bus and bicycles; the file of ids, nearly black as a viewer shows it; and the train ids in Cityscapes' colors, where the bollards and the outlines are white"
figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.7))
train_ids = datasets.Cityscapes(root / "street", split="val")[10][1]
axes[0].imshow(street[10][0].permute(1, 2, 0))
axes[1].imshow(ids, cmap="gray", vmin=0, vmax=255)
axes[2].imshow(plotting.colorize(train_ids, CITYSCAPES))
for ax, title in zip(axes, ("picture", "labelIds in a viewer", "train ids"), strict=True):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, train_ids.unique().tolist(), CITYSCAPES)
plt.show()

# %% [markdown]
# In a viewer the file of ids is nearly black, since 33 is dark on a scale to 255. If you feed the ids to a network with 19
# classes, it crashes at the first id of 19 or more, and that is the lucky case. With 34 classes it trains, and its score
# cannot be compared with anybody's.
#
# ## From the file to the network
#
# Between file and network three things happen to a picture. First it is read. Then, for training only, it is changed at
# random, so that the network never sees quite the same picture twice: it is cropped, scaled, mirrored, turned or tinted.
# This is called [augmentation](glossary.ipynb#augmentation), and whatever moves the picture must move its label map in the
# same way. Last comes the [normalization](glossary.ipynb#normalization), $(x / 255 - \text{mean}) / \text{deviation}$ for
# each color channel. Mean and standard deviation are those of the pictures that the network learned from first, mostly
# those of ImageNet, a large collection of photographs; so the network gets numbers of the size that it is used to.

# %% fold="Draw three training views of the coffee" alt="The labeled coffee photograph as it is and three training views of it: the first mirrored, the second in duller colors, both a little enlarged; the third enlarged until the cup's handle fills it, and greener. The colored regions have moved with the picture"
from segtutor.datasets.transforms import Transformed, resize_nearest, train_transforms

views = Transformed(album, train_transforms((300, 400), scale=(0.5, 1.5), degrees=10, jitter=0.3))
torch.manual_seed(1)
figure, axes = plt.subplots(1, 4, figsize=(8, 2), width_ratios=(1.125, 1, 1, 1))
titles = "as it is", "view 1: mirrored", "view 2: duller colors", "view 3: larger, greener"
for ax, title in zip(axes, titles, strict=True):
    view = views[1] if ax is not axes[0] else photo["coffee"]
    ax.imshow(tinted(*view, PHOTOGRAPHS, 0.5), interpolation="antialiased")
    ax.set(title=title)
without_frames(axes)
legend_below(figure, np.unique(photo["coffee"][1]), PHOTOGRAPHS)
plt.show()

# %% [markdown]
# Picture and labels share *one* draw of the random numbers. Where a view reaches beyond the picture (none of these three
# does), the picture is filled with the mean color and the label map with void.
#
# One step treats the two differently. A picture may be scaled with a filter that blends neighboring pixels, such as the
# *bilinear* one. A label map may not; there, each new pixel must pick the number of the *nearest* old one. The next
# cell halves Chelsea's label map (drawn without a void border this time) in both ways. Halving by blending gives each
# new pixel the mean of two by two old ones.
#
# **Predict, then run.** Background is 0 and the cat is 8. Which classes will stand around the cat when the numbers are
# blended?

# %%
labels = torch.from_numpy(draw(album.entries[0], border=0)[0][:200, :450])  # without chin and void
half = labels.shape[0] // 2, labels.shape[1] // 2
picked = resize_nearest(labels, half)
blended = torch.nn.functional.interpolate(
    labels[None, None].float(), half, mode="bilinear",
)[0, 0].round().long()  # fmt: skip
print("in the file:", labels.unique().tolist(), " picked:", picked.unique().tolist())
for number in set(blended.unique().tolist()) - {0, 8}:
    print(f"new when blended: {number} ({PHOTOGRAPHS.names[number]}), {(blended == number).sum()} pixels")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Every class whose number can be the mean of four numbers that are 0 or 8: these are 2, 4 and 6. Bicycle, boat and bus now
# stand around the cat, and nobody labeled them.
#
# </details>
#
# Here is the ear once more, before and after:

# %% fold="Enlarge the ear before and after halving" alt="Three times the same place at the ear. Left, 20 by 28 pixels of the file: the cat, 8, above a slanted edge, and the background, 0, below it. Middle, halved by picking, 10 by 14 pixels: 8 and 0 only. Right, halved by blending: between 8 and 0 runs a rim of 2, 4 and 6, with gaps, in the colors of bicycle, boat and bus"
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8))
axes[0].imshow(plotting.colorize(labels[52:72, 354:382], PHOTOGRAPHS))
axes[0].text(7, 5, "8", color="white", fontsize=14)
axes[0].text(21, 16, "0", color="white", fontsize=14)
write_numbers(axes[1], picked[26:36, 177:191], PHOTOGRAPHS)
write_numbers(axes[2], blended[26:36, 177:191], PHOTOGRAPHS)
for ax, title in zip(
    axes, ("in the file: 20 × 28 pixels", "halved by picking: 10 × 14", "halved by blending: 10 × 14"), strict=True
):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, [0, 2, 4, 6, 8], PHOTOGRAPHS)
plt.show()

# %% [markdown]
# The rim is one pixel wide and has gaps, and no error was raised. Remember it for what comes now.
#
# ## Ten broken loaders
#
# This is the heart of the lesson. A plain loader of fifty lines (`segtutor/exercises/loaders.py`) reads pictures and
# palette PNGs, scales, crops, mirrors and normalizes. (A *mask* is a label map in the language of programs.)
# Ten versions of it have one mistake each, and somebody has shipped each of them:
#
# | mistake | wrong | right |
# | --- | --- | --- |
# | bilinear mask | `mask.resize(size, BILINEAR)` | `mask.resize(size, NEAREST)` |
# | unsynchronized flip | image and mask each toss a coin | one coin for both |
# | void as background | `mask[mask == 255] = 0` | leave 255 out of loss and score |
# | BGR | `cv2.imread(path)` | `cv2.imread(path)[..., ::-1]` |
# | off-by-one class | `mask - 1` | `mask` |
# | palette as gray | `Image.open(path).convert("L")` | `Image.open(path)` |
# | train transforms on val | `Loader(val_files, train=True)` | `train=False` |
# | crop drop | validation on the middle of each picture | on the whole picture |
# | shuffled pairs | images by number, masks by text: 1, 10, 11, 2 | pairs by name |
# | normalization twice | in the loader and in the network | once |
#
# (OpenCV's `imread` gives the channels in the order blue, green, red. Labels are bytes, and in bytes 0 − 1 is 255.) The same
# small network was trained with each loader, on 200 drawn scenes in eight classes and with three seeds. For each loader you
# see
#
# - the **loss** at the end of the training, the number that training makes small, and the **reported** mean IoU that the
#   broken program prints about itself: its validation loader has the same mistake. **Again** is the mean IoU of the same
#   network, scored a second time;
# - the [**pixel accuracy**](glossary.ipynb#pixel-accuracy), the number of **classes** that the mean is taken over, and the
#   share of the labeled **pixels** that were **scored**.
#
# All numbers are means over the seeds, in percent except for loss and classes; ± is half the range over the three seeds.
#
# **Predict, then run.** Below, the mistakes are numbered, in another order. Which is which? Write down your guesses before
# you go on. You can find seven of the ten: ask of each mistake what it does to the labels, and what it does to validation.
# The other three hardly differ in any of these numbers from the right loader, nor from one another; knowing *which* three
# they must be is the eighth point.

# %% fold="Show the numbers of eleven loaders, without names"
from segtutor.exercises.loaders import EIGHT, FAULTS, Loader, denormalized, scene_files
from segtutor.exercises.symptoms import network, recorded, symptoms

COLUMNS = {
    "loss": "loss", "reported": "reported", "reported_again": "again", "accuracy": "pixel accuracy",
    "classes": "classes", "pixels": "pixels scored", "true": "true mean IoU",
}  # fmt: skip


def table_of_loaders(titles, telling=None, keys=tuple(COLUMNS)):
    """A row per loader, percent but for loss and classes; ``telling`` names the cells to be marked."""
    found, lines = recorded(), []
    for title, fault in titles.items():
        cells = ""
        for key in keys:
            value, spread = found[fault][key]
            text = {"loss": f"{value:.2f}", "classes": f"{value:.0f}"}.get(key, f"{100 * value:.1f}")
            text += f" ± {100 * spread:.1f}" if key in ("reported", "true") else ""
            marked = key in (telling or {}).get(fault, ())
            cells += f"<td style='{'background:#E69F00;color:black' if marked else ''}'>{text}</td>"
        lines.append(f"<tr><th style='text-align:left'>{title}</th>{cells}</tr>")
    head = "".join(f"<th>{column}</th>" for column in ("loader", *(COLUMNS[key] for key in keys)))
    return HTML(f"<table><tr>{head}</tr>{''.join(lines)}</table>")


shuffled = np.random.default_rng(4).permutation(list(FAULTS)).tolist()
table_of_loaders(
    {"right loader": "right loader"} | {str(number): fault for number, fault in enumerate(shuffled, start=1)},
    keys=[key for key in COLUMNS if key != "true"],
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# 1 unsynchronized flip, 3 crop drop, 4 void as background, 6 shuffled pairs, 7 train transforms on val, 8 off-by-one
# class, 10 palette as gray. The three that cannot be told apart are 2 bilinear mask, 5 normalization twice and 9 BGR.
#
# </details>
#
# Here are the names, and a new last column: the **true** mean IoU of the same network when the right loader feeds it. The
# cells that give a mistake away are marked.

# %% fold="Show the names, the true scores, and the numbers that give a mistake away"
TELLING = {
    "unsynchronized flip": ("loss", "reported"), "crop drop": ("pixels",), "void as background": ("pixels",),
    "shuffled pairs": ("loss", "reported", "accuracy"), "train transforms on val": ("reported_again", "pixels"),
    "off-by-one class": ("classes", "pixels"), "palette as gray": ("loss", "reported", "classes", "pixels"),
}  # fmt: skip
table_of_loaders(
    {"right loader": "right loader"} | {f"{number}: {fault}": fault for number, fault in enumerate(shuffled, start=1)},
    TELLING,
)

# %% [markdown]
# Read it row by row; there are four kinds of trouble.
#
# - **Too good to be true.** *Palette as gray* reports 100 %. Nearly all labels have become numbers that no class has;
#   somebody has silenced the error "target out of bounds" by calling them void, and only the background is left. One
#   class counted and 3 % of the pixels scored give it away. *Off-by-one class* reports nearly ten points **more** than the
#   right loader: the background became 255, which is void, and left the mean, and it was the hardest class (in a run of the
#   right loader with seed 0 its IoU is 0). Seven classes instead of eight give the mistake away. The true score is almost
#   0, because every answer is one off.
# - **The network is spoiled, and one sees it.** *Shuffled pairs* can only learn where things usually are, and so its
#   loss stays high. With the *unsynchronized flip*, about every other label map is mirrored against its picture, and the
#   loss stays higher than that of the right loader.
# - **The network is right, the ruler is not.** *Crop drop* and *train transforms on val* score little more than half of the
#   pixels, and the second gives a different number each time. Their training is that of the right loader, and so is their
#   true score. *Void as background* scores 108 % of the labeled pixels: the borders were counted. Its true score differs
#   from the right loader's by less than the seeds do.
# - **Nothing to be seen.** *BGR* and *normalization twice* agree with themselves: training and validation are wrong in
#   the same way. The harm comes on the day when the network meets right pictures, and then most of the score is gone: 14 %
#   and 9 % are left of 47 %. With the *bilinear mask* the difference is smaller than that between seeds, in the true score,
#   too. No number in this table finds these three.
#
# You need not believe the table. Let us train two of them live, with one seed each:

# %%
files8, val_files8 = scene_files("train", 200), scene_files("val", 40)
for fault in ("palette as gray", "BGR"):
    live = symptoms(fault, files8, val_files8, seed=0)
    print(f"{fault:16} loss {live.loss:.2f}, reported {100 * live.reported:.1f} %, "
          f"true {100 * live.true:.1f} %")  # fmt: skip

# %% [markdown]
# One look at what a loader hands out is worth more than all these numbers. Here is what all eleven make of one and the
# same scene, drawn larger. Nine of the pairs are training views, in which the scene is a little smaller than its frame:
# the gray margin and its void labels belong there. *Crop drop* and *train transforms on val* do harm in validation
# only, so theirs are validation pictures. Labels whose number belongs to no class are red.
#
# **Predict, then run.** In how many of the ten pairs can you *see* the mistake?

# %% fold="Draw what each loader gives" alt="Eleven pairs of a drawn scene and its label map. Seen at once: a label map that is mirrored against its picture, one of another scene, one that is red nearly everywhere, exchanged colors in the picture, wrong colors of all classes, black borders instead of white ones, a picture of far too strong contrast, and thin red rims around everything. The crop and the training view in validation look like good training views"
large = scene_files("train", 30, size=(256, 320))
RED = (230, 0, 0)
figure, axes = plt.subplots(4, 6, figsize=(7.6, 5.6))
without_frames(axes)
for number, fault in enumerate((None, *FAULTS)):
    in_training = fault not in ("crop drop", "train transforms on val")
    picture, labels = Loader(large, train=in_training, fault=fault, seed=12)[13]
    row, column = 2 * (number // 6), number % 6
    axes[row, column].imshow(denormalized(picture), interpolation="antialiased")
    axes[row, column].set_title(
        (fault or "right loader")
        .replace("transforms on", "transforms\non")
        .replace("unsynchronized ", "unsynchronized\n"),
        fontsize=9,
    )
    canvas = EIGHT.palette[labels]
    canvas[(labels >= len(EIGHT)) & (labels != EIGHT.ignore_index)] = RED
    axes[row + 1, column].imshow(canvas)
    axes[row + 1, column].set_axis_on()
    axes[row + 1, column].set(xticks=[], yticks=[])
    axes[row + 1, column].spines[:].set(visible=True, color="0.6")
legend_below(figure, [*range(8), EIGHT.ignore_index], EIGHT)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# In eight. *Crop drop* and *train transforms on val* give good pictures with good labels, only in the wrong place: you
# have to know that these two are validation pictures, which should be whole, neither cropped nor with a gray margin.
#
# </details>
#
# So look before you train, at twenty items and at their label maps in color; and since nobody looks twice, write tests. In
# [assignment 2](assignments/02_data_sets.ipynb) you write five that catch all ten mistakes.
#
# ## What is in a data set
#
# Before you train, count. We count 200 drawn scenes; for any other data set the four questions are the same. How many
# pixels does each class have, and in how many pictures does it appear? How large are the objects? Where in the picture do
# they lie? Which classes appear together? The first figure answers the first two. The axes in percent
# are logarithmic: from one label to the next, the numbers grow tenfold.
#
# **Predict, then run.** Which of these is in *more* pictures: the bus, or the bird?

# %% fold="Count pixels, pictures, sizes, places and pairs; draw the first two" alt="Left, bars in the colors of the classes: the share of all pixels on a logarithmic axis, from about 20 percent for the sky down to a tenth of a percent for the aeroplane, with dots for the share of pictures that show the class. Right, a histogram of object sizes on a logarithmic axis with its middle near one percent of the picture"
from segtutor.claims.pictures import EVERYTHING, draw as draw_scenes

scenes = draw_scenes(EVERYTHING, "val", 200, (96, 128))  # kept in memory with what the scores of the claims need
pixels = np.stack([np.bincount(one.ravel(), minlength=256)[: len(SCENES)] for one in scenes.maps.numpy()])
share, in_pictures = pixels.sum(axis=0) / pixels.sum(), (pixels > 0).mean(axis=0)
order = [number for number in np.argsort(-share) if share[number] > 0]
names = [SCENES.names[number] for number in order]
sizes = np.concatenate([np.unique(one[one > 0]) for one in scenes.sides]) ** 2 / (96 * 128)

figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.5), width_ratios=(2.4, 1))
left.bar(names, 100 * share[order], color=np.array(SCENES.colors)[order] / 255, edgecolor="0.4", linewidth=0.5)
left.plot(names, 100 * in_pictures[order], "o", color="black", markersize=4)
left.set(yscale="log", ylabel="%", xlim=(-0.7, len(order) - 0.3),
         title="bars: share of the pixels; dots: share of the pictures that show it")  # fmt: skip
left.set_xticks(range(len(names)), names, rotation=90)
right.hist(100 * sizes, bins=np.logspace(-2, 2, 25), color=BLUE)
right.set(xscale="log", xlabel="object's share of its picture, %", ylabel="objects")
plt.show()
print(f"the first three classes hold {100 * share[order[:3]].sum():.0f} % of the pixels, "
      f"the last ten {100 * share[order[-10:]].sum():.1f} %")  # fmt: skip
for name in ("bus", "bird"):
    number = SCENES.index(name)
    print(f"{name}: {100 * share[number]:.1f} % of the pixels, in {100 * in_pictures[number]:.0f} % of the pictures")
print(f"half of all objects cover less than {100 * np.median(sizes):.1f} % of their picture")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The bird, and by far, although the bus has more than three times its pixels.
#
# </details>
#
# From the first class to the last, the share of the pixels falls by a factor of more than a hundred. Real data sets are not
# even, either: in CamVid's 367 training frames road, building and sky hold three quarters of the labeled pixels, and
# bicyclists 0.3 %.
#
# Where do things lie? Each map below adds up the label maps of all pictures for one class; the brighter a place, the more
# often the class is there.

# %% fold="Draw where six classes lie" alt="Six maps of the picture's area. The sky fills the upper part, buildings a band above the middle, water a band in the middle and lower part, cars and persons blurred areas in the middle and below, grass the lower part"
figure, axes = plt.subplots(1, 6, figsize=(9, 1.6))
for ax, name in zip(axes, ("sky", "building", "water", "car", "person", "grass"), strict=True):
    ax.imshow((scenes.maps == SCENES.index(name)).float().mean(0), cmap="magma", vmin=0)
    ax.set(title=name)
without_frames(axes)
plt.show()

# %% [markdown]
# A network can learn these maps for free, and may lean on them where a picture is unclear: what is above is sky. Turn the
# camera upside down, and the habit turns against it.
#
# The last question is which classes appear together. The next matrix tells how often a picture that shows the class of the
# row also shows the class of the column.
#
# **Predict, then run.** Which entry is larger, that in the row of sheep and the column of grass, or that in the row of
# grass and the column of sheep?

# %% fold="Draw which classes come together" alt="A square matrix of classes. In the row of sheep the cell of grass is yellow; in the row of grass the cell of sheep is only half as bright. The column of sky is yellow everywhere, and the rows of road and car look the same"
present = (pixels[:, order] > 0).astype(float)
together = present.T @ present / present.sum(axis=0)[:, None]
figure, ax = plt.subplots(figsize=(6.6, 5.6))
drawn = ax.imshow(100 * together, cmap="cividis", vmin=0, vmax=100)
ax.set_xticks(range(len(names)), names, rotation=90)
ax.set_yticks(range(len(names)), names)
ax.set(xlabel="is there, too", ylabel="a picture that shows")
figure.colorbar(drawn, shrink=0.8, label="% of the pictures that show the row's class")
plt.show()
sheep, grass = names.index("sheep"), names.index("grass")
print(f"grass in pictures with a sheep: {100 * together[sheep, grass]:.0f} %")
print(f"a sheep in pictures with grass: {100 * together[grass, sheep]:.0f} %")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The one in the row of sheep: all pictures with a sheep also show grass, while nearly half of the pictures with grass show
# no sheep.
#
# </details>
#
# A network that has never seen a sheep on a road may not believe it when there is one. Lesson 4 turns this idea, that the
# surroundings tell what a thing is, into an architecture.
#
# ## Class weights
#
# The loss of a training is a mean over pixels. So a class with a hundred times as many pixels pulls a hundred times as
# hard, and the thin pole may be given up for a slightly better sky. Weights can change that: the pixels of class $k$ count
# $w_k$ times. Three formulas are common. Let $n_k$ be the number of pixels of the class and $N$ that of all pixels, $f_k$
# the share that the class has of the pixels *of those pictures that show it*, and $m_k$ the number of those pictures:
#
# | name | weight of class $k$ | source |
# | --- | --- | --- |
# | inverse frequency | $N / n_k$ | folklore |
# | median frequency | $\mathrm{median}_j(f_j) / f_k$ | [Eigen and Fergus 2015](https://arxiv.org/abs/1411.4734); SegNet |
# | effective number | $(1 - \beta) / (1 - \beta^{m_k})$ | [Cui et al. 2019](https://arxiv.org/abs/1901.05555), eq. 6 |
#
# The last one comes from a thought about repetition. Each further sample of a class shows a little less that is new:
# $\beta$ times as much as the one before. So $m$ samples are worth
# $1 + \beta + \dots + \beta^{m-1} = (1 - \beta^m) / (1 - \beta)$ new ones. It was made for pictures with one class each. We
# count pictures here, too, with $\beta = 0.99$: if $m$ were the number of pixels, thousands and more, then $\beta^m$ would be
# practically 0 for every class, and all weights equal. In the figure, each kind of weight is scaled so that its mean over
# the pixels is 1.
#
# **Predict, then run.** Which formula is the boldest, and which the mildest?

# %% fold="Compute the three kinds of weights and draw them" alt="Three lines over the classes from the most frequent to the rarest, on a logarithmic axis. Inverse frequency rises steadily, from about 0.2 to almost 40; median frequency rises less, and up and down on the way; effective number stays between 0.6 and 3"
pictures_with = (pixels > 0).sum(axis=0)[order]
weights = {
    "inverse frequency": 1 / share[order],
    "median frequency": np.array(training.median_frequency_weights(scenes))[order],
    "effective number, β = 0.99": (1 - 0.99) / (1 - 0.99**pictures_with),
}
figure, ax = plt.subplots(figsize=(7.6, 3.3))
for (name, values), marker in zip(weights.items(), "osD", strict=True):
    values = values / (values * share[order]).sum()  # so that the mean over the pixels is 1
    ax.plot(names, values, marker=marker, markersize=4, linewidth=1, label=name)
    print(f"{name}: the largest weight is {values.max() / values.min():.0f} times the smallest")
ax.set(yscale="log", ylabel="weight (mean over the pixels: 1)", xlim=(-0.5, len(names) - 0.5))
ax.set_xticks(range(len(names)), names, rotation=90)
ax.legend(frameon=False, loc="upper left")
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Inverse frequency is the boldest: one pixel of an aeroplane weighs as much as 173 of the sky, and so does a slip of the
# annotator's hand there. Median frequency is milder where a class is rare only because few pictures show it: a bus weighs
# *less* than an average pixel there, for in its own pictures it is large. The effective number is the mildest.
#
# </details>
#
# ### The claim, measured
#
# Do weights help? Badrinarayanan, Kendall and Cipolla say of their network SegNet, on CamVid: weighting by median
# frequency raises the mean class accuracy (the share of right pixels in each class, averaged over the classes) and the
# mean IoU, while the pixel accuracy is highest without weights, because most pixels of a street are sky, road and
# building. That is a sentence about data, so it should hold for another network and for drawn scenes.
#
# We trained one network with and without the weights, with all else alike and with three seeds. (It is called FCN-8s, and
# lesson 3 builds it.) [Lesson 0](00_start_here.ipynb#How-to-read-a-claim-card) explains how to read the
# [claim card](glossary.ipynb#claim-card).

# %%
from segtutor.claims.showing import card, show

card("data.class_weights")

# %% [markdown]
# Where do these points come from? To find out, we split the classes into those with at least 1 % of the pixels, called
# *frequent* in the figure, and the *rare* ones.

# %% fold="Draw three scores of every seed" alt="Three panels with a dot per seed and a bar for the mean, all pixels alike above, median frequency below. Pixel accuracy is a little lower with weights, the accuracy of frequent classes a little higher, and the accuracy of rare classes three times as high. Each panel has a scale of its own"
show("data.class_weights", ["pixel_accuracy", "frequent_accuracy", "rare_accuracy"])
plt.show()

# %% [markdown]
# Most of the points come from the rare classes: with the weights their accuracy is 48 % on average, against 16 % without.
# The price is small and real: one and a half points of all pixels, and nearly the same in every seed. Since the mean over
# the frequent *classes* rose as well, the lost pixels must lie among the larger of them.
#
# So all three parts of the claim are confirmed here, for a short training on drawn scenes. It need not be so everywhere:
# weights can also buy false alarms, and these lower the IoU of a rare class. Weights are a choice between errors.
#
# `TrainingConfig(class_weights=...)` takes any weights. `training.balanced_class_weights`, which the course uses, takes
# the square root of the inverse frequency as a compromise.
#
# ## A leak without a copied file
#
# Training and validation must not share pictures. That is easy to check, and not enough. CamVid was cut from films: its
# validation set is every second frame of a stretch of *one* film, and the training set has other frames of this film. Its
# test set shares a film with training, too. By how much does such a leak flatter the score? We film our scenes: a camera
# moves slowly over each, and the light flickers. Even frames are for training. For validation we take the odd frames, once
# of the *same* films and once of *other* films.
#
# We first need a data set that holds such frames. For the course, a data set is whatever has a length, items (picture,
# label map), and a list of classes:


# %%
class Scenes8:
    labels = EIGHT

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        file = self.files[index]
        image = torch.from_numpy(file.pixels.transpose(2, 0, 1).copy())
        return image, torch.from_numpy(file.labels.astype(np.int64))


# %% [markdown]
# Now we make the films:


# %% fold="Film 16 scenes for training and 16 others" alt="Three frames of drawn films: frames 0 and 1 of one film look nearly the same, a frame of another film does not"
def film(split, count, frames=8, enlarged=1, grain=4):
    """Crops that drift over a larger drawing, with noise and changing light."""
    found = []
    height, width = 64 * enlarged, 80 * enlarged
    for number, file in enumerate(scene_files(split, count, size=(80 * enlarged, 104 * enlarged), seed=7)):
        noise = np.random.default_rng(number)
        for t in range(frames):
            window = slice(t * enlarged, t * enlarged + height), slice(3 * t * enlarged, 3 * t * enlarged + width)
            light = 1 + 0.06 * noise.standard_normal()
            pixels = file.pixels[window] * light + noise.normal(0, grain, (height, width, 3))
            found.append(type(file)(f"{file.name}/{t}", np.clip(pixels, 0, 255).astype(np.uint8), file.labels[window]))
    return found


filmed, others = film("train", 16), film("val", 16)
one, another = film("train", 3, enlarged=4, grain=0), film("val", 3, enlarged=4, grain=0)
shown = {"training: frame 0": one[16], "validation: frame 1": one[17], "another film": another[17]}
figure, axes = plt.subplots(1, 3, figsize=(5.2, 1.6))
for ax, (title, frame) in zip(axes, shown.items(), strict=True):
    ax.imshow(frame.pixels, interpolation="bilinear")
    ax.set(title=title)
without_frames(axes)
plt.show()

# %% [markdown]
# **Predict, then run.** By how many points will the mean IoU on the odd frames of the same films exceed that on other
# films?

# %%
from segtutor.inference import evaluate

for seed in range(2):
    torch.manual_seed(seed)
    model = network(width=32)
    config = training.TrainingConfig(
        steps=250, learning_rate=3e-3, seed=seed, device="cpu", progress=False,
    )  # fmt: skip
    training.fit(model, Scenes8(filmed[::2]), None, config)
    same, other = (evaluate(model, Scenes8(frames[1::2]), progress=False) for frames in (filmed, others))
    print(f"seed {seed}: same films {100 * same.mean_iou:.1f} %, other films {100 * other.mean_iou:.1f} %")

# %% [markdown]
# <details><summary>Answer</summary>
#
# By 33 to 35 points: it is about 79 % instead of 45 %.
#
# </details>
#
# Nothing is wrong with the code, and no frame is in both sets. Still, the score on the same films is three quarters
# higher than that on films that the network has never seen. So split by whatever makes pictures alike: film, city,
# patient, photographer, day. Cityscapes gives each city as a whole to one of its splits.
#
# ## Your own data set in ten minutes
#
# What you need is a folder `images`, a folder `masks` with files of the same names, and a table `classes.csv` that says
# what the masks mean. The masks may hold class numbers, palette indices or colors. Since we do not have your pictures, the
# next cell makes such a folder from 120 drawn scenes, with masks in colors, as drawing programs save them, and prints the
# table.

# %% fold="Make a folder of pictures and masks, as if they were yours"
mine = root / "my pictures"
for folder in ("images", "masks"):
    (mine / folder).mkdir(parents=True, exist_ok=True)
for file in files8[:120]:
    Image.fromarray(file.pixels).save(mine / "images" / f"{file.name}.jpg", quality=95)
    Image.fromarray(EIGHT.palette[file.labels]).save(mine / "masks" / f"{file.name}.png")
rows = [f"{name},{red} {green} {blue}" for name, (red, green, blue) in zip(EIGHT.names, EIGHT.colors, strict=True)]
(mine / "classes.csv").write_text("\n".join(["name,color", *rows, "void,255 255 255"]) + "\n")
print((mine / "classes.csv").read_text())

# %% [markdown]
# With your own pictures you begin here:

# %%
own = datasets.ImageFolder(mine)
print(own.report())

# %% [markdown]
# Read the report before you train: pairs, files without a partner, sizes, and the share of each class. On the command
# line, `segtutor data check FOLDER` also looks for damaged files, masks of another size, unknown values and a dozen other
# surprises, and names the files. Then look at some pictures, and train. The network is a small DeepLab v3, which lesson 6
# builds; it begins with a part that has already learned to classify drawn pictures. We score it on 40 scenes that are not
# in the folder.

# %%
from segtutor import inference, models

torch.manual_seed(0)
model = models.create("deeplabv3_tiny", num_classes=len(own.labels), weights="backbone")
config = training.TrainingConfig(
    steps=100, batch_size=8, crop=(64, 80), class_weights=training.balanced_class_weights(own),
    device="cpu", progress=False,
)  # fmt: skip
result = training.fit(model, own, None, config)
print(f"loss {np.mean(result.losses[:10]):.2f} -> {np.mean(result.losses[-10:]):.2f}")
print(evaluate(model, Scenes8(val_files8), progress=False))

# %% [markdown]
# The loss has nearly halved, and the mean IoU on the new scenes is 49 %. The last test is your eyes:

# %% fold="Lay truth and answer over a new scene" alt="A drawn beach with people, sailing boats and a dog; its true labels; and the answer of the network: sky, water and ground are in place, the three people in front are one large blob, of the boats only a sliver is left, and dog, bird, hills, poles and two more people are missing"
new = scene_files("val", 10, size=(256, 320))[9]
found = inference.predict(model, new.pixels, scales=(64 / 256,))
figure, axes = plt.subplots(1, 3, figsize=(7, 2.5))
axes[0].imshow(new.pixels, interpolation="antialiased")
axes[1].imshow(plotting.colorize(new.labels, EIGHT))
axes[2].imshow(plotting.colorize(found, EIGHT))
for ax, title in zip(axes, ("a new scene", "truth", "after 100 steps"), strict=True):
    ax.set(title=title)
without_frames(axes)
legend_below(figure, np.union1d(new.labels, found), EIGHT)
plt.show()

# %% [markdown]
# After a hundred steps, sky, water and ground are in place. The three people in front have become one blob, and of the
# boats only an orange sliver is left; dog, bird, hills, poles and the two people farther off are missing. That is a start,
# and it shows that folder, table and loader work together. For pictures that matter, use `segtutor train --data FOLDER`;
# the page *Train on your own images* of the site goes through it with real photographs.
#
# ## Summary
#
# - Labels are drawn by hand. Two drawings of one cup agree to 95 %, of a thin tripod to 53 %.
# - Each data set has its own list of classes. What is not on the list is background, which counts, or void, which does not.
# - Label files are numbers in disguise: palette indices, ids in base 256, run lengths down the columns, polygons.
# - Pick labels, never blend them, and move them with their picture.
# - A wrong loader is silent, and its score may even rise. Look at what it hands out, and write tests.
# - A few classes hold most pixels; weights help the rare ones, at the price of some pixels of the largest.
# - Split by source. A leak needs no copied file.
#
# ## Self-test
#
# 1. You open a VOC mask and see the values 0, 38 and 220. What happened?
# 2. A panoptic PNG has a pixel of color (3, 2, 0). Which segment is it?
# 3. Your validation mean IoU is 97 % after the network has seen each training picture once. Name three things to look at
#    before you celebrate.
# 4. Why does BGR not show in the validation score, and when does it show?
# 5. Training and validation have no file in common. Can the score still be flattered?
# 6. Two networks reach 71 % on VOC and 45 % on PASCAL-Context. Is the first one better?
#
# <details><summary>Answers</summary>
#
# 1. It was converted to gray: 38 is the brightness of (128, 0, 0), class 1, aeroplane, and 220 that of the void color
#    (224, 224, 192). Open it without `convert`.
# 2. Segment 3 + 256 · 2 + 65536 · 0 = 515.
# 3. How many classes are in the mean; how many pixels were scored; what the label maps of the loader look like.
#    (Then: does training contain frames of the same source?)
# 4. Training and validation are wrong in the same way, so the network is used to it. It shows when weights trained
#    elsewhere are loaded, or when right pictures come in.
# 5. Yes: frames of one film, tiles of one slide, pictures of one patient.
# 6. Nobody can say. The classes differ, and so does what counts as background or void. Compare on one data set, one split,
#    one list of classes.
#
# </details>
#
# ## Reading
#
# - Everingham et al., [The PASCAL Visual Object Classes Challenge: A
#   Retrospective](https://link.springer.com/article/10.1007/s11263-014-0733-5), IJCV 2015. Look for how the labels were
#   made, and what void is for.
# - Mottaghi et al., [The Role of Context for Object Detection and Semantic Segmentation in the
#   Wild](https://cs.stanford.edu/~roozbeh/pascal-context/), CVPR 2014. Look at how 59 classes were chosen of 459.
# - Lin et al., [Microsoft COCO](https://arxiv.org/abs/1405.0312), ECCV 2014. Look at the pipeline of annotation, and at
#   crowds. For the other half of the pixels, Caesar et al., [COCO-Stuff](https://arxiv.org/abs/1612.03716), CVPR 2018,
#   and Kirillov et al., [Panoptic Segmentation](https://arxiv.org/abs/1801.00868), CVPR 2019, where the same
#   pictures were labeled twice, too.
# - Cordts et al., [The Cityscapes Dataset](https://arxiv.org/abs/1604.01685), CVPR 2016. Look at the appendix, with the
#   definition of every class.
# - Badrinarayanan, Kendall and Cipolla, [SegNet](https://arxiv.org/abs/1511.00561), TPAMI 2017. Look at Table 1, with and
#   without weights.
# - Torralba and Efros, [Unbiased Look at Dataset
#   Bias](https://people.csail.mit.edu/torralba/publications/datasets_cvpr11.pdf), CVPR 2011. Can you name the data set
#   from one picture?
# - Zhou et al., [Scene Parsing through ADE20K Dataset](https://ade20k.csail.mit.edu/), CVPR 2017: 150 classes, the usual
#   benchmark today.

# %% [markdown]
# ## Going deeper
#
# ### More about the four
#
# - **VOC.** Its test server tells two competitions apart: *comp5* for networks trained on VOC's data alone, *comp6* for
#   all others. Most papers train on *trainaug*, 10,582 pictures, to which Hariharan et al. (SBD, 2011) gave labels; they
#   have no void border, so the mixture treats borders in two ways. Lists of other lengths go around, and some overlap
#   with val; check by intersecting sets.
# - **PASCAL-Context.** It has 4,998 pictures for training and 5,105 for validation, and papers report on the latter. By
#   the authors' count there are 9,637 test pictures; nobody outside has their labels.
# - **COCO.** The ids of the 80 classes run from 1 to 90, with gaps. 123,287 pictures of train and val are labeled. The
#   annotations are CC BY 4.0; each photograph has a license of its own.
# - **Cityscapes.** 5,000 pictures from 27 of the cities are labeled finely, 2,975 for training, 500 for validation and
#   1,525 for the test; 20,000 from the other 23 are labeled coarsely. 30 classes are defined and 19 scored. Beside the
#   mean IoU there is *iIoU*: large objects dominate the IoU of cars and people, so there each pixel of an object is
#   weighted with the mean size of its class over the size of the object.
# - **CamVid.** 367, 101 and 233 frames from four films, of 11 classes; the film 0016E5 is in training and in validation,
#   the film 0001TP in training and in the test.
#
# `datasets.sources_table(name)` prints every number with its source; for example:

# %% fold="Show the sources of the numbers about Cityscapes"
HTML(datasets.sources_table("cityscapes", format="html"))

# %% [markdown]
# ### Where the photographs come from
#
# chelsea by Stéfan van der Walt (CC0), coffee by Rachel Michetti (CC0), astronaut by NASA (public domain), rocket by
# SpaceX (public domain), camera by Lav Varshney (CC0), coins from the Brooklyn Museum (no known copyright
# restrictions). The page *Six labeled photographs* of the site tells how they were drawn. Six pictures are a
# demonstration and no benchmark.
#
# ### Pitfalls
#
# - **A mask saved as JPEG** blends neighboring classes, and the harm cannot be undone. Masks are PNG. Our loaders refuse
#   label maps in JPEG.
# - **Resizing labels with the picture's filter.** An official TensorFlow tutorial did so until December 2022
#   ([tensorflow/docs#2159](https://github.com/tensorflow/docs/issues/2159)).
# - **Padding labels with 0.** 0 is the background, so the network learns that the outside is background
#   ([pytorch-deeplab-xception#50](https://github.com/jfzhang95/pytorch-deeplab-xception/issues/50)). Pad labels with 255
#   and pictures with the mean.
# - **Opening label maps with OpenCV or as RGB.** That gives colors instead of numbers. If a mask looks black in a viewer,
#   it is probably right ([segmentation_keras#33](https://github.com/nicolov/segmentation_keras/issues/33)).
# - **Zero that is no background.** ADE20K's files and COCO's stuff maps say 0 for "nobody labeled it"; their classes
#   begin at 1.
# - **Mean and deviation of another network.** Weights and normalization belong together. `segtutor` keeps them together
#   in `model.preprocessing`, and refuses pictures that were normalized before.
# - **A link from yesterday.** A much used mirror of VOC was offline for months from September 2025 on
#   ([vision#9271](https://github.com/pytorch/vision/issues/9271)). Keep checksums and mirrors.
#
# ### The ten loaders
#
# `python -m segtutor.exercises.symptoms --write` makes the table again, in some minutes. The loop is ordinary code on
# purpose: `training.fit` would refuse some of these loaders.
#
# Next: [assignment 2](assignments/02_data_sets.ipynb), then lesson 3, in which a classifier learns to label every pixel.
