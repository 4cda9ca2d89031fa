# ---
# title: Data sets
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 1.2 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", NumPy arrays]
# minutes_work: 120
# ---

# %% [markdown]
# A segmentation network is only as good as the numbers it is fed, and between the file on the disk and the network
# there is a loader: fifty lines that nobody tests. In this lesson you open the files of the four famous data sets
# with your own hands, count what is in them, and then watch ten loaders with one mistake each. Not one of them raises
# an error. One reports a mean IoU of 100 %.
#
# Nothing is downloaded: the course draws its own scenes and writes them in the exact layout of VOC, PASCAL-Context,
# COCO and Cityscapes. The code that reads these files here reads the real ones on your disk.

# %% [markdown]
# ## Objectives
#
# After this lesson you can
#
# - name the splits, classes, metric and license of VOC 2012, PASCAL-Context, COCO and Cityscapes, and say which
#   figures in blog posts are wrong;
# - decode their label files by hand: palette PNG, polygon, run-length code, panoptic ids, ids and train ids;
# - measure class frequencies, object sizes, positions and co-occurrence, and turn frequencies into class weights;
# - recognize a leaking split, and say by how much it flatters;
# - tell from training numbers, and with a test, what is wrong with a loader, and bring in a data set of your own.

# %% [markdown]
# ## The claim
#
# > Weighting the classes of the loss by **median frequency** raises the mean accuracy over the classes; the pixel accuracy
# > is highest without it, because most pixels of a street are sky, road and building.
#
# So say Badrinarayanan, Kendall and Cipolla of their ablation on CamVid (*SegNet*, TPAMI 2017, analysis of the decoder
# variants, Table 1). It is a sentence about data, not about networks, so it should hold for a small network and for
# drawn scenes. After the statistics it is measured with three seeds.

# %% [markdown]
# ## Four data sets, and what is said about them
#
# The table is read from `data/datasets.json`, where every number stands beside its source. `datasets.facts("voc2012")`
# gives you one entry with its sources.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import HTML
from PIL import Image

from segtutor import datasets, plotting
from segtutor.datasets import about
from segtutor.labels import voc_colormap

FAMOUS = ["voc2012", "pascal_context", "coco", "coco_panoptic", "cityscapes", "camvid", "ade20k"]
HTML(datasets.facts_table(FAMOUS, format="html"))

# %% [markdown]
# The tutorial that this course grew from gave other figures, and half of the tutorials on the web still do. Usually a
# number of another task was copied: the 11,000 pictures of VOC carry boxes, not masks.

# %%
HTML(about.corrections_table(format="html"))

# %% [markdown]
# Three of them come with torchvision, in one line each:
#
# ```python
# torchvision.datasets.VOCSegmentation(root, year="2012", image_set="train", download=True)
# torchvision.datasets.CocoDetection(root, annFile)      # needs pycocotools
# torchvision.datasets.Cityscapes(root, split="train", mode="fine", target_type="semantic")
# ```
#
# They hand you Pillow images and leave void, ids and objects to you. The loaders of `segtutor.datasets` build on them:
# they return tensors with 255 for void, know their class names, and check what they read. `segtutor data get voc2012`
# on the command line fetches the real thing and tells you the size and the license first; Cityscapes asks you to log
# in on its own site.

# %% [markdown]
# ## One picture, four layouts
#
# `datasets.export` writes any data set of the course as a true VOCdevkit, COCO, Cityscapes or PASCAL-Context tree. The
# classes keep their meaning, not their number: our `pavement` is Cityscapes' `sidewalk`, id 8; a class that the target
# does not know becomes what it would make of it.

# %%
temporary = tempfile.TemporaryDirectory(prefix="segtutor_")  # goes when the kernel stops
root = Path(temporary.name)
scenes = datasets.Scenes("train", size=(96, 128), count=100)
for layout, count in {"voc": 20, "pascal_context": 4, "coco": 100, "cityscapes": 4}.items():
    datasets.export(scenes, root / layout, layout=layout, count=count, singles=3)
    files = sorted(path for path in (root / layout).rglob("*") if path.is_file())
    print(f"{layout}: {len(files)} files")
    shown = {}
    for path in files:
        shown.setdefault(path.relative_to(root / layout).parent.as_posix(), path.name)
    for folder, name in shown.items():
        print(f"    {folder}/{name}")

# %% [markdown]
# ## VOC: a palette PNG
#
# A label file of VOC looks colorful in every viewer, and yet it has one channel: each pixel holds the *number* of its
# class, and the file carries a table, the palette, that says in which color to show each number.
#
# **Predict, then run.** What do you get from the same file if you open it as it is, with `.convert("L")`, and with
# `.convert("RGB")`?

# %%
path = sorted((root / "voc").rglob("SegmentationClass/*.png"))[1]
file = Image.open(path)
indices = np.array(file)
palette = np.array(file.getpalette()).reshape(-1, 3)

print("mode", file.mode, "shape", indices.shape, "values", np.unique(indices))
print('convert("L")    values', np.unique(np.array(file.convert("L"))))
print('convert("RGB")  shape ', np.array(file.convert("RGB")).shape)
for number in np.unique(indices):
    print(f"    {number:3} is shown in the color {palette[number]}")

# %% [markdown]
# The gray values are brightnesses of colors; as class numbers they are nonsense. The colors themselves are no data
# either: they follow from the bits of the number (`voc_colormap`), the same for everybody. Opened by the course's
# loader (and by torchvision's), the numbers are the same as in your own hands:

# %%
assert np.array_equal(palette, voc_colormap())
voc = datasets.VOCSegmentation(root / "voc", image_set="train")
image, labels = voc[1]
assert np.array_equal(labels.numpy(), indices)
print(f"{len(voc)} pictures, {len(voc.labels)} classes; the loader gives the same {indices.size:,} numbers")

# %% [markdown]
# The value 255 is **void**: a border around each object that the annotators did not want to decide. It counts in no
# loss and in no metric. Below it is hatched; and one object is not one class: the files of `SegmentationObject` count
# the objects, those of `SegmentationClass` name them.

# %% alt="Three panels of one drawn scene: its classes laid over it with a hatched void border around every object, the palette PNG of the classes, and the PNG of the objects in which every object has its own color"
figure, axes = plt.subplots(1, 3, figsize=(12, 3), dpi=72, layout="constrained")
plotting.show_overlay(image, labels, voc.labels, ax=axes[0])
axes[1].imshow(palette[indices].astype(np.uint8))
axes[2].imshow(np.array(Image.open(str(path).replace("Class", "Object")).convert("RGB")))
for axis, title in zip(axes, ("overlay, void hatched", "SegmentationClass", "SegmentationObject"), strict=True):
    axis.set_title(title)
    axis.set_axis_off()
plt.show()
void = np.mean([(voc[i][1] == 255).float().mean().item() for i in range(len(voc))])
print(f"void is {100 * void:.1f} % of the pixels")

# %% [markdown]
# ## PASCAL-Context: 459 names, 59 of them scored
#
# The authors' files are MATLAB's: one matrix `LabelMap` with the numbers 1 ... 459, 0 where nobody labeled. The
# benchmark uses the 59 most frequent names, some papers 60 with the background. "mIoU on PASCAL-Context" means little
# until you know which.

# %%
from scipy.io import loadmat

from segtutor.labels import PASCAL_CONTEXT_59, PASCAL_CONTEXT_459
from segtutor.labels.pascal_context import SCORED_NAME_IN_ALL

path = sorted((root / "pascal_context").rglob("trainval/*.mat"))[0]
numbers = loadmat(path)["LabelMap"].astype(int)  # 1 ... 459
by_hand = np.full(numbers.shape, 255)
for scored, name in enumerate(PASCAL_CONTEXT_59.names):
    name_in_all = SCORED_NAME_IN_ALL.get(name, name)  # a few names differ between the lists
    by_hand[numbers == PASCAL_CONTEXT_459.index(name_in_all) + 1] = scored

context = datasets.PascalContext(root / "pascal_context", num_classes=59, source="mat")
assert np.array_equal(context[0][1].numpy(), by_hand)
for number in np.unique(numbers):
    name = PASCAL_CONTEXT_459.names[number - 1] if number else "(nobody labeled it)"
    row = np.unique(by_hand[numbers == number])[0]
    print(f"{number:3} {name:20} -> {row if row != 255 else 'void in the 59'}")

# %% [markdown]
# ## COCO: polygons, run lengths, panoptic ids
#
# COCO has one JSON per task. An object is a list of **polygons** (x, y, x, y, ...), one for each visible part. A pixel
# belongs to it if a ray from the pixel's center crosses the outline an odd number of times. A **crowd** (`iscrowd`: 1,
# a group that nobody wanted to outline one by one) is a **run-length code**: lengths of runs of 0 and 1 in turn, *down
# the columns*.

# %%
coco = json.loads((root / "coco" / "annotations" / "instances_train2017.json").read_text())


def from_polygon(polygon, height, width):
    """Even-odd rule: count how many edges lie to the left of each pixel's center."""
    corners = np.array(polygon).reshape(-1, 2)
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.zeros((height, width), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if y0 != y1:
            inside ^= crosses & (x > x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside


def from_runs(counts, height, width):
    """Runs of 0 and 1 in turn; reshape in Fortran's order goes down the columns."""
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape((height, width), order="F").astype(bool)


def mask_of(item, height, width):
    shape = item["segmentation"]
    if item["iscrowd"]:
        return from_runs(shape["counts"], *shape["size"])
    return np.any([from_polygon(polygon, height, width) for polygon in shape], axis=0)


objects = datasets.CocoInstances(root / "coco", crowd=True)
picture_id = next(item["image_id"] for item in coco["annotations"] if item["iscrowd"])
index = [entry["id"] for entry in coco["images"]].index(picture_id)
of_picture = [item for item in coco["annotations"] if item["image_id"] == picture_id]
by_hand = np.array([mask_of(item, 96, 128) for item in of_picture])
assert np.array_equal(by_hand, objects[index][1]["masks"].numpy())
print(f"{len(of_picture)} annotations, drawn by hand and by the loader: the same masks")

# %% [markdown]
# A **panoptic** label file is an RGB PNG whose color is a segment's id, $R + 256\,G + 256^2 B$; the JSON says for each
# id which class it is and whether it is a thing. Every pixel has one id: things and stuff in one picture.
#
# **Predict, then run.** A tensor of bytes, `green * 256`: what is the largest value you can get?

# %%
panoptic = json.loads((root / "coco" / "annotations" / "panoptic_train2017.json").read_text())
entry = next(item for item in panoptic["annotations"] if item["image_id"] == picture_id)
colors = np.array(Image.open(root / "coco" / "annotations" / "panoptic_train2017" / entry["file_name"]))
wrapped = torch.from_numpy(colors)[..., 1] * 256  # still uint8 (NumPy 2 raises OverflowError)
print("largest value of 256 x green in uint8:", wrapped.max().item())

red, green, blue = np.moveaxis(colors.astype(np.int64), 2, 0)
ids = red + 256 * green + 256**2 * blue
segments = datasets.CocoPanoptic(root / "coco")[index][1]
assert np.array_equal(ids, segments["segments"].numpy())
category = {item["id"]: item for item in panoptic["categories"]}
for item in entry["segments_info"][:8]:
    kind = "thing" if category[item["category_id"]]["isthing"] else "stuff"
    print(f"id {item['id']:8}  {kind}  {category[item['category_id']]['name']:24} {(ids == item['id']).sum():5} pixels")

# %% [markdown]
# All three, drawn. In the middle the crowd is the object without corners.

# %% alt="Three panels of one drawn scene: polygons outlining single objects, the mask of a crowd decoded from a run-length code, and the panoptic segments in random colors"
figure, axes = plt.subplots(1, 3, figsize=(12, 3.1), dpi=72, layout="constrained")
axes[0].imshow(np.asarray(objects[index][0]).transpose(1, 2, 0))
for item in of_picture:
    for polygon in [] if item["iscrowd"] else item["segmentation"]:
        axes[0].fill(*np.array(polygon).reshape(-1, 2).T - 0.5, fill=False, color="yellow", linewidth=1.2)
axes[1].imshow(by_hand[[item["iscrowd"] for item in of_picture].index(1)], cmap="gray")
axes[2].imshow(np.random.default_rng(0).permutation(256)[(ids * 7919) % 256], cmap="nipy_spectral")
for axis, title in zip(axes, ("polygons", "a crowd, from run lengths", "panoptic segments"), strict=True):
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## Cityscapes: ids are not train ids
#
# The files hold 34 **ids** (`labelIds`). Of these 19 are trained and scored, under new numbers, the **train ids**; the
# rest is void. Feed the ids to a network with 19 classes and it crashes, if you are lucky. In `instanceIds` a value of
# 1000 or more is `id * 1000 + number of the object`; below that it is a plain id.

# %%
from segtutor.labels import CITYSCAPES, CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS

path = sorted((root / "cityscapes").rglob("*_labelIds.png"))[0]
ids = np.array(Image.open(path))
by_hand = np.full(ids.shape, 255)
for number, train_id in enumerate(CITYSCAPES_TRAIN_IDS):
    by_hand[ids == number] = train_id

streets = datasets.Cityscapes(root / "cityscapes")
assert np.array_equal(streets[0][1].numpy(), by_hand)
for number in np.unique(ids):
    train_id = CITYSCAPES_TRAIN_IDS[number]
    scored = f"train id {train_id:2} {CITYSCAPES.names[train_id]}" if train_id != 255 else "void"
    print(f"id {number:2} {CITYSCAPES_IDS.names[number]:12} -> {scored}")
values = np.unique(np.array(Image.open(str(path).replace("labelIds", "instanceIds"))))
print("objects:", [f"{CITYSCAPES_IDS.names[value // 1000]} {value % 1000}" for value in values if value >= 1000])

# %% [markdown]
# ## What is in a data set
#
# Before you train, count. Four questions, one pass over the exported COCO (its 133 classes of things and stuff; drawn
# scenes show about 20 of them): how many pixels has each class, in how many pictures is it, where in the picture does
# it lie, and which classes come together?


# %%
def count(dataset, limit=100, grid=(24, 32)):
    """Pixels per class and picture (N x K), and where each class lies (K x 24 x 32)."""
    classes = len(dataset.labels)
    pixels, places = [], np.zeros((classes, *grid))
    for number in range(min(limit, len(dataset))):
        labels = dataset[number][1].numpy()
        pixels.append(np.bincount(labels[labels != dataset.labels.ignore_index], minlength=classes)[:classes])
        rows = np.arange(grid[0]) * labels.shape[0] // grid[0]
        columns = np.arange(grid[1]) * labels.shape[1] // grid[1]
        small = labels[rows][:, columns]
        places += small == np.arange(classes)[:, None, None]
    return np.array(pixels), places / len(pixels)


everything = datasets.CocoSegmentation(root / "coco", source="panoptic")
pixels, places = count(everything)
names = np.array(everything.labels.names)
share = pixels.sum(axis=0) / pixels.sum()
order = np.argsort(-share)[: (share > 0).sum()]
print(f"{len(order)} classes; the first three hold {100 * share[order[:3]].sum():.0f} % of the pixels,")
print(f"the last ten together {100 * share[order[-10:]].sum():.1f} %")

# %% [markdown]
# Frequencies fall by a factor of more than a hundred: the axis is logarithmic. And "frequent" has two meanings. A bus
# is in few pictures, but large; a cat is in more of them, and tiny. Half of all objects cover about one percent of
# the picture or less.

# %% alt="Left: bars of the share of pixels of each class on a logarithmic axis, falling from a fifth for sky to below a thousandth for airplane, with dots for the share of pictures. Right: histogram of object sizes on a logarithmic axis, most objects covering less than one percent of the picture"
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.6), dpi=72, layout="constrained")
short = [name.replace("-other", "").replace("-merged", "") for name in names[order]]
left.bar(short, 100 * share[order], color="tab:blue", label="of all pixels")
left.plot(short, 100 * (pixels > 0).mean(axis=0)[order], "o", color="tab:orange", label="of all pictures")
left.set_yscale("log")
left.set_ylabel("%")
left.tick_params(axis="x", rotation=90)
left.legend()
areas = np.array([item["area"] for item in coco["annotations"] if not item["iscrowd"]]) / (96 * 128)
right.hist(100 * areas, bins=np.logspace(-2, 2, 33), color="tab:blue")
right.set_xscale("log")
right.set_xlabel("object's share of the picture in %")
right.set_ylabel("objects")
plt.show()

# %% [markdown]
# Where things are: sky above, ground below. A network learns this for free, and it will lean on it where the picture
# is unclear. Turn the camera, and the map turns against you.

# %% alt="Six heat maps: sky fills the upper part of the picture, water, boats and buildings a band at the horizon, cars and persons the middle and lower part"
shown = [
    number for number in order if names[number].split("-")[0] in {"sky", "water", "building", "person", "car", "boat"}
]
figure, axes = plt.subplots(1, 6, figsize=(12, 1.9), dpi=72, layout="constrained")
for axis, number in zip(axes, shown[:6], strict=True):
    axis.imshow(places[number], cmap="magma", vmin=0)
    axis.set_title(names[number].replace("-other", "").replace("-merged", ""), fontsize=10)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Which classes come together: given that the class of the row is in a picture, how often is that of the column? Boats
# without water are rare; a network that has never seen one will not believe it. Lesson 4 builds on this.

# %% alt="Matrix of co-occurrence: row boat is bright at water, row car at road and pavement, row sheep at grass"
often = [number for number in order if (pixels[:, number] > 0).sum() >= 8]
present = (pixels[:, often] > 0).astype(float)
together = present.T @ present / present.sum(axis=0)[:, None]
figure, axis = plt.subplots(figsize=(6.4, 5.2), dpi=72, layout="constrained")
drawn = axis.imshow(together, cmap="viridis", vmin=0, vmax=1)
words = [names[number].replace("-other", "").replace("-merged", "") for number in often]
axis.set_xticks(range(len(often)), words, rotation=90)
axis.set_yticks(range(len(often)), words)
axis.set_title("P(column in the picture | row in the picture)")
figure.colorbar(drawn)
plt.show()

# %% [markdown]
# ### The same for the real VOC
#
# Nothing above is tied to drawn scenes. If VOC 2012 lies below the folder that `SEGTUTOR_DATA` names (`segtutor data
# get voc2012` puts it there), this cell counts its first 200 training pictures and draws the same four figures.


# %%
def show_statistics(labeled, objects, limit=200):
    """Frequencies, object sizes, positions and co-occurrence of a data set, in one row."""
    pixels, places = count(labeled, limit)
    words, share = np.array(labeled.labels.names), pixels.sum(axis=0) / pixels.sum()
    order = np.argsort(-share)[: (share > 0).sum()]
    _, axes = plt.subplots(1, 4, figsize=(15, 3.8), dpi=72, layout="constrained")
    axes[0].bar(words[order], 100 * share[order], color="#0072B2")
    axes[0].set(yscale="log", ylabel="% of all pixels")
    areas = [
        float(area) / target["masks"][0].numel()
        for target in (objects[number][1] for number in range(min(limit, len(objects))))
        for area in target["area"]
    ]
    axes[1].hist(100 * np.array(areas), bins=np.logspace(-2, 2, 33), color="#0072B2")
    axes[1].set(xscale="log", xlabel="object's share of the picture in %", ylabel="objects")
    axes[2].imshow(places[order[1]], cmap="magma", vmin=0)
    axes[2].set(title=f"where {words[order[1]]} lies", xticks=[], yticks=[])
    present = (pixels[:, order] > 0).astype(float)
    axes[3].imshow(present.T @ present / present.sum(axis=0)[:, None], vmin=0, vmax=1)
    axes[3].set(title="P(column | row)", xticks=range(len(order)), yticks=range(len(order)))
    axes[3].set_yticklabels(words[order], fontsize=7)
    axes[3].set_xticklabels(words[order], fontsize=7)
    for axis in (axes[0], axes[3]):
        axis.tick_params(axis="x", rotation=90)
    plt.show()


try:
    from segtutor.datasets.download import data_root

    show_statistics(*(datasets.VOCSegmentation(data_root(), target=kind) for kind in ("semantic", "instances")))
except OSError:
    print("No real VOC with masks of objects on this computer: segtutor data get voc2012 fetches it (2 GB).")

# %% [markdown]
# ## Class weights
#
# The loss sums over pixels, so a class with a hundred times the pixels pulls a hundred times as hard. Weights in the
# cross entropy change that. Three formulas are common; $n_k$ pixels of class $k$, $N$ in all, $f_k$ the share of class
# $k$ *in the pictures that show it*, $m_k$ the number of those pictures:
#
# | name | weight of class $k$ | source |
# | --- | --- | --- |
# | inverse frequency | $N / n_k$ | folklore |
# | median frequency | $\mathrm{median}_j(f_j) / f_k$ | Eigen and Fergus, ICCV 2015, §4; SegNet |
# | effective number | $(1 - \beta) / (1 - \beta^{m_k})$ | Cui et al., CVPR 2019, eq. 4 |
#
# In the last one, $1 + \beta + \beta^2 + \dots$ counts the samples of a class, each worth a little less than the one
# before, because it shows less that is new. Made for pictures with one class, it is used here with $m_k$; for pixels,
# of which there are millions, it would do nothing.

# %%
seen = share > 0
in_pictures = (pixels > 0).sum(axis=0)
around = np.array([pixels[pixels[:, k] > 0].sum() for k in range(len(names))])

inverse = pixels.sum() / pixels.sum(axis=0)[seen]
frequency = pixels.sum(axis=0)[seen] / around[seen]
median = np.median(frequency) / frequency
beta = 0.99
effective = (1 - beta) / (1 - beta ** in_pictures[seen])

figure, axis = plt.subplots(figsize=(9, 3.2), dpi=72, layout="constrained")
rank = np.argsort(-share[seen])
for weights, name in ((inverse, "inverse frequency"), (median, "median frequency"), (effective, "effective number")):
    axis.plot(short, (weights / (weights * share[seen]).sum())[rank], "o-", label=name)
axis.set_yscale("log")
axis.set_ylabel("weight (mean over pixels 1)")
axis.tick_params(axis="x", rotation=90)
axis.legend()
plt.show()
spread = {"inverse": inverse, "median": median, "effective": effective}
print(", ".join(f"{name}: largest / smallest {weights.max() / weights.min():.0f}" for name, weights in spread.items()))

# %% [markdown]
# Inverse frequency lets one pixel of an airplane weigh as much as hundreds of sky, and an error of the annotator there
# just as much. Median frequency is milder where a class is rare because it is in few pictures. `segtutor.training`
# takes weights as `TrainingConfig(class_weights=...)`; its `balanced_class_weights` uses the root of the inverse.
#
# ## The claim, measured
#
# One small network (five convolutions), scenes in eight classes, 120 steps. Only the weights change: same pictures,
# initial weights, order of the batches and steps, and three seeds.
#
# **Predict, then run.** Which of the three scores rises with the weights: pixel accuracy, mean class accuracy, mIoU?


# %%
from segtutor import compute, training
from segtutor.exercises.lesson02.class_weights import median_frequency_weights
from segtutor.exercises.loaders import EIGHT, scene_files
from segtutor.exercises.symptoms import network
from segtutor.inference import evaluate


class Scenes8:
    """A data set is whatever has a length, items (image, label map), and labels."""

    labels = EIGHT

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        file = self.files[index]
        image = torch.from_numpy(file.pixels.transpose(2, 0, 1).copy())
        return image, torch.from_numpy(file.labels.astype(np.int64))


compute.set_threads(1)  # for networks this small, threads only wait for each other
train8, val8 = Scenes8(scene_files("train", 120)), Scenes8(scene_files("val", 40))
weights8 = tuple(median_frequency_weights([file.labels for file in train8.files], len(EIGHT)))
scores = {None: [], weights8: []}
for seed in range(3):
    for class_weights, found in scores.items():
        torch.manual_seed(seed)
        model = network()
        config = training.TrainingConfig(
            steps=120, learning_rate=3e-3, class_weights=class_weights, seed=seed, device="cpu", progress=False
        )
        training.fit(model, train8, None, config)
        matrix = evaluate(model, val8, progress=False).confusion
        found.append((matrix.pixel_accuracy(), matrix.mean_class_accuracy(), matrix.mean_iou()))
print("seeds 0, 1, 2: done")

# %% [markdown]
# The card. The spread is half of the range over the seeds.

# %% alt="Bars of pixel accuracy, mean class accuracy and mean IoU without and with median frequency weights, with the three seeds as dots"
plain, weighted = (100 * np.array(found) for found in scores.values())
figure, axis = plt.subplots(figsize=(7, 3), dpi=72, layout="constrained")
for shift, values, name, color in (
    (-0.2, plain, "all pixels alike", "#0072B2"),
    (0.2, weighted, "median frequency", "#E69F00"),
):
    axis.bar(np.arange(3) + shift, values.mean(axis=0), 0.36, label=name, color=color)
    axis.plot(np.arange(3) + shift, values.T, "k.", markersize=5)
axis.set_xticks(range(3), ("pixel accuracy", "mean class accuracy", "mean IoU"))
axis.set_ylabel("%")
axis.legend(loc="upper right")
plt.show()
for name, values in zip(("pixel accuracy", "mean class accuracy", "mean IoU"), (weighted - plain).T, strict=True):
    print(f"{name:20} {values.mean():+5.1f} points, spread {np.ptp(values) / 2:.1f}")
both = (weighted - plain).mean(axis=0)
holds = both[1] > 0 > both[0]
print("verdict: the claim", "holds here" if holds else "does not show here", "in both parts" if holds else "")

# %% [markdown]
# The paper's experiment is the same in kind (CamVid, SegNet and its variants, both weightings); its numbers cannot be
# compared with ours, only the signs. There, too, the mean IoU is lower without weights. That need not be so: the mean
# IoU charges the false alarms that weights buy, and after a long training it may fall. Weights are a choice between
# errors, and no free lunch.

# %% [markdown]
# ## Joint transforms
#
# A picture that is flipped needs labels that are flipped. `segtutor.datasets.transforms` moves image, label map, boxes
# and instance masks with **one** draw of the random numbers; labels are picked (nearest pixel), never blended; what
# comes in from outside is void, and in the image the mean color.

# %% alt="The drawn scene and five random training views of it: scaled, cropped, flipped and rotated, with boxes that follow the objects and plain gray where the picture ends"
from segtutor.datasets.transforms import Transformed, resize_nearest, train_transforms

things = datasets.Scenes("train", size=(96, 128), count=40, target="instances")
views = Transformed(things, train_transforms((96, 128), degrees=10, jitter=0.3))
torch.manual_seed(1)
figure, axes = plt.subplots(2, 3, figsize=(8.4, 4.3), dpi=72, layout="constrained")
for number, axis in enumerate(axes.flat):
    picture, target = things[21] if number == 0 else views[21]
    plotting.show_instances(picture, things.labels, target["masks"], target["boxes"], ax=axis, alpha=0.35)
    axis.set_title("as it is" if number == 0 else f"training view {number}", fontsize=10)
plt.show()

# %% [markdown]
# What blending does: shrink a label map with the filter that is right for pictures.
#
# **Predict, then run.** Sky is 1, plants are 5. Which classes will appear on the border between them?

# %%
labels8 = torch.from_numpy(train8.files[3].labels)
size = (40, 50)
picked = resize_nearest(labels8, size)
blended = torch.nn.functional.interpolate(labels8[None, None].float(), size, mode="bilinear")[0, 0].round().long()
new = sorted(set(blended.unique().tolist()) - set(labels8.unique().tolist()))
print("in the file       ", labels8.unique().tolist())
print("nearest           ", picked.unique().tolist())
print("new with bilinear ", new[:8], f"and {len(new) - 8} more")
print("of these, classes:", [EIGHT.names[number] for number in new if number < len(EIGHT)])

# %% [markdown]
# ## Splits and leakage
#
# CamVid is five videos, cut into 367 / 101 / 233 frames. Its validation set is *one* sequence (0016E5), every second
# frame, and the training set has other frames of that sequence. So CamVid's validation score is too good, and papers
# report test. How much does such a leak flatter? We film our scenes: a camera moves over each, the light changes a
# little. Even frames are training. Validation is either the odd frames of the same videos, or frames of other videos.


# %%
def film(split, videos, frames=8):
    """Videos: crops that drift over a larger drawing, with noise and changing light."""
    found = []
    for number, file in enumerate(scene_files(split, videos, size=(80, 104), seed=7)):
        noise = np.random.default_rng(number)
        for t in range(frames):
            window = slice(t, t + 64), slice(3 * t, 3 * t + 80)
            light = 1 + 0.06 * noise.standard_normal()
            pixels = file.pixels[window] * light + noise.normal(0, 4, (64, 80, 3))
            found.append(type(file)(f"{file.name}/{t}", np.clip(pixels, 0, 255).astype(np.uint8), file.labels[window]))
    return found


filmed, others = film("train", 16), film("val", 16)
leaky, honest = [], []
for seed in range(2):
    torch.manual_seed(seed)
    model = network(width=32)
    config = training.TrainingConfig(steps=250, learning_rate=3e-3, seed=seed, device="cpu", progress=False)
    training.fit(model, Scenes8(filmed[::2]), None, config)
    leaky.append(100 * evaluate(model, Scenes8(filmed[1::2]), progress=False).mean_iou)
    honest.append(100 * evaluate(model, Scenes8(others[1::2]), progress=False).mean_iou)
for seed, (a, b) in enumerate(zip(leaky, honest, strict=True)):
    print(f"seed {seed}: mean IoU on odd frames of the same videos {a:.1f} %, on other videos {b:.1f} %")
print(f"the leak is worth {np.mean(leaky) - np.mean(honest):.1f} points")

# %% [markdown]
# Nothing is wrong with the code: no frame is in both sets. Split by whatever makes pictures alike: video, city,
# patient, photographer, day.

# %% alt="Frames 0, 1 and 7 of one drawn video, nearly the same, and a frame of another video"
figure, axes = plt.subplots(1, 4, figsize=(8.4, 1.9), dpi=72, layout="constrained")
for axis, frame, title in zip(
    axes,
    (filmed[16], filmed[17], filmed[23], others[17]),
    ("training, frame 0", "validation, frame 1", "validation, frame 7", "another video"),
    strict=True,
):
    axis.imshow(frame.pixels)
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## Ten broken loaders
#
# Here is the heart of the lesson. A plain loader of fifty lines (`segtutor/exercises/loaders.py`) reads pictures and
# palette PNGs, scales, crops, flips and normalizes. Ten versions of it have one mistake each, each of which has been
# shipped by somebody:
#
# | mistake | wrong | right |
# | --- | --- | --- |
# | bilinear mask | `mask.resize(size, BILINEAR)` | `mask.resize(size, NEAREST)` |
# | unsynchronized flip | image and mask each toss a coin | one coin for both |
# | void as background | `mask[mask == 255] = 0` | `ignore_index=255` in loss and metric |
# | BGR | `cv2.imread(path)` | `cv2.imread(path)[..., ::-1]` |
# | off-by-one class | `mask - 1` | `mask` |
# | palette as gray | `Image.open(path).convert("L")` | `Image.open(path)` |
# | train transforms on val | `Loader(val_files, train=True)` | `train=False` |
# | crop drop | validation on the center crop | on the whole picture |
# | shuffled pairs | images by number, masks by text: 1, 10, 11, 2 | pairs by name |
# | normalization twice | in the loader and in the network | once |
#
# The same small network was trained with each, three seeds (`python -m segtutor.exercises.symptoms --write`, about
# three minutes). **Reported** is the mean IoU that the broken pipeline prints about itself, since its validation
# loader has the same mistake. **True** is the same network on the right validation loader, as in the real world.
#
# **Predict, then run.** Below the mistakes are numbered, in another order. Which is which? Write down your guesses
# before you go on: the loss, the classes counted and the pixels scored are your clues.

# %%
from segtutor.exercises.loaders import FAULTS, Loader
from segtutor.exercises.symptoms import recorded, symptoms

COLUMNS = ("loss", "reported", "reported again", "pixel accuracy", "classes", "pixels scored", "true")
KEYS = ("loss", "reported", "reported_again", "accuracy", "classes", "pixels", "true")


def show(names_of_rows):
    """A table: one row per loader, percent except for loss and classes."""
    found, lines = recorded(), []
    for title, fault in names_of_rows.items():
        cells = []
        for key in KEYS:
            value, spread = found[fault][key]
            if key == "true" and title.isdigit():
                cells.append("?")
            else:
                cells.append({"loss": f"{value:.2f}", "classes": f"{value:.0f}"}.get(key, f"{100 * value:.1f}"))
            if key in ("reported", "true") and cells[-1] != "?":
                cells[-1] += f" ± {100 * spread:.1f}"
        lines.append(f"<tr><th>{title}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{column}</th>" for column in ("loader", *COLUMNS))
    return HTML(f"<table><tr>{head}</tr>{''.join(lines)}</table>")


shuffled = np.random.default_rng(4).permutation(list(FAULTS)).tolist()
show({"right loader": "right loader"} | {str(number): fault for number, fault in enumerate(shuffled, start=1)})

# %% [markdown]
# And with their names:

# %%
show({"right loader": "right loader"} | {f"{n}: {fault}": fault for n, fault in enumerate(shuffled, start=1)})

# %% [markdown]
# Read it line by line:
#
# - **Too good**: *palette as gray* reports 100 %. Nearly all labels became numbers that no class has; somebody
#   silenced the error "target out of bounds" by making them void, and only the background is left. One class counted,
#   3 % of the pixels scored: those two columns give it away. *Off-by-one* is better than the right loader: the
#   hardest class, the background, became void. Its true score is nearly 0.
# - **Invisible in its own numbers**: *BGR*, *off-by-one* and *normalization twice* report what the right loader
#   reports, since training and validation agree in the mistake. The harm comes the day the network meets right data.
# - **Visible**: *shuffled pairs* (the loss stays high: the network can only learn where things usually are),
#   *unsynchronized flip* (loss too high, score lower).
# - **A wrong ruler, not a wrong network**: *crop drop*, *train transforms on val*. The network is the right one, the
#   number is not; and the second changes from pass to pass. *Void as background* scores 108 % of the labeled pixels:
#   the borders were counted. Its true score lies within the spread of the right loader's.
# - **Not to be seen at all**: *bilinear mask*. The difference to the right loader is smaller than the spread of the
#   seeds. Only a test finds it.
#
# Two of them live, so that you believe it. One seed, about five seconds each:

# %%
files8, val_files8 = scene_files("train", 200), val8.files
for fault in ("palette as gray", "BGR"):
    live = symptoms(fault, files8, val_files8, seed=0)
    print(f"{fault:16} loss {live.loss:.2f}, reported {100 * live.reported:.1f} %, true {100 * live.true:.1f} %")

# %% [markdown]
# What the loaders give, side by side. The first pair is a training view of the right loader; can you see the mistake in
# all others? (In one you cannot: it is a good training view, only in the wrong place.)

# %% alt="Eleven pairs of picture and label map: the right loader and ten broken ones, with blended borders, mirrored or foreign labels, exchanged colors, shifted classes, black void, and a picture that is too dark or too contrasty"
from segtutor.exercises.loaders import denormalized

figure, axes = plt.subplots(4, 6, figsize=(10.5, 5.7), dpi=72, layout="constrained")
for axis in axes.flat:
    axis.set_axis_off()
for number, fault in enumerate((None, *FAULTS)):
    train_time = fault not in ("crop drop", "train transforms on val")
    picture, labels = Loader(files8, train=train_time, fault=fault, seed=12)[13]
    row, column = 2 * (number // 6), number % 6
    axes[row, column].imshow(denormalized(picture))
    axes[row, column].set_title(fault or "right loader", fontsize=10)
    axes[row + 1, column].imshow(EIGHT.palette[labels])
plt.show()

# %% [markdown]
# In [assignment 2](assignments/02_data_sets.ipynb) you write the five tests that catch all ten, and name the mistakes
# of eleven anonymous loaders with them. The package's own loaders pass the same tests.
#
# ## Your own data set in ten minutes
#
# A folder `images`, a folder `masks` with files of the same names, and a table that says what the masks mean. The
# masks may hold class numbers, palette indices or colors. Here we make such a folder, with masks painted in colors as
# drawing programs save them; with your own pictures you begin at `ImageFolder`.

# %%
mine = root / "my pictures"
(mine / "images").mkdir(parents=True)
(mine / "masks").mkdir()
for file in train8.files:
    Image.fromarray(file.pixels).save(mine / "images" / f"{file.name}.jpg", quality=95)
    Image.fromarray(EIGHT.palette[file.labels]).save(mine / "masks" / f"{file.name}.png")
rows = [f"{name},{r} {g} {b}" for name, (r, g, b) in zip(EIGHT.names, EIGHT.colors, strict=True)]
(mine / "classes.csv").write_text("\n".join(["name,color", *rows, "void,255 255 255"]) + "\n")

own = datasets.ImageFolder(mine)
print(own.report())

# %% [markdown]
# Read the report before you train: pairs, files without a partner, sizes, and the share of each class. On the command
# line, `segtutor data check FOLDER` looks for truncated files, masks of another size, unknown values and a dozen other
# surprises, and names the files. Then look at some pictures, and train:

# %%
from segtutor import inference, models

torch.manual_seed(0)
model = models.create("deeplabv3_tiny", num_classes=len(own.labels))
config = training.TrainingConfig(
    steps=100,
    batch_size=8,
    crop=(64, 80),
    class_weights=training.balanced_class_weights(own),
    device="cpu",
    progress=False,
)
result = training.fit(model, own, None, config)
print(f"loss {np.mean(result.losses[:10]):.2f} -> {np.mean(result.losses[-10:]):.2f}")
print(inference.evaluate(model, val8, progress=False))

# %% [markdown]
# The overlay is the last test, and the one with the best eyes:

# %% alt="A new drawn scene with its true labels and with the labels that the network predicts: sky, water and ground are found, most of the boats are not"
figure, axes = plt.subplots(1, 2, figsize=(10, 3), dpi=72, layout="constrained")
image, labels = val8[29]
found = inference.predict(model, image)
for axis, drawn in zip(axes, (labels, found), strict=True):
    plotting.show_overlay(image, drawn, own.labels, ax=axis, legend=False)
plotting.legend(axes[1], np.union1d(labels, found), own.labels)
axes[0].set_title("truth")
axes[1].set_title("after 100 steps")
plt.show()

# %% [markdown]
# ## Pitfalls
#
# - **A mask saved as JPEG** blends neighboring classes; the harm cannot be undone. Masks are PNG. Our loaders refuse
#   label maps in JPEG.
# - **Resizing labels with the picture's filter**: an official TensorFlow tutorial did so until December 2022
#   (tensorflow/docs#2159), and semseg's training script resizes labels bilinearly when its zoom factor is not 8.
# - **Padding labels with 0**: 0 is the background, so the network learns that the outside is background
#   (jfzhang95/pytorch-deeplab-xception#50). Pad labels with 255, images with the mean.
# - **Opening label maps with OpenCV or as RGB**: colors instead of numbers. If a mask looks black in a viewer, it is
#   probably right (nicolov/segmentation_keras#33).
# - **Cityscapes: training on `labelIds`**: use train ids, and map back before you submit. PASCAL-Context: 59 or 60?
# - **COCO's category ids have gaps** (1 ... 90 for 80 classes) and its semantic maps say 0 for "nobody labeled it".
# - **Other trainaug lists of VOC overlap with val.** The one with 10,582 names does not. Check by intersecting sets.
# - **SBD's masks have no void border**, VOC's have: the mixture trainaug treats borders in two ways.
# - **`pixels / 255` twice, or mean and deviation of another network**: weights and normalization belong together.
#   `segtutor` keeps them together in `model.preprocessing` and refuses images that were normalized before.
# - **A link from yesterday**: VOC's host was down for weeks in 2025 (pytorch/vision#9271). Keep checksums and mirrors.

# %% [markdown]
# ## Summary
#
# - Every number about a data set belongs to a task and a split. VOC 2012 has 1,464 / 1,449 / 1,456 pictures with masks,
#   PASCAL-Context 4,998 / 5,105, Cityscapes 2,975 / 500 / 1,525 fine ones and 20,000 coarse ones.
# - Label files are numbers in disguise: palette indices, ids in base 256, run lengths down the columns, polygons. 255
#   (or 0, or -1) is void and counts nowhere.
# - A few classes hold most pixels. Weights move the errors from the rare to the frequent classes.
# - Split by source. A leak needs no duplicate file.
# - A wrong loader is silent. Look at what it gives, compare with the files, and keep the five tests.

# %% [markdown]
# ## Self-test
#
# 1. You open a VOC mask and see the values 0, 38 and 220. What happened?
# 2. A panoptic PNG has a pixel of color (3, 2, 0). Which segment is it?
# 3. Your validation mean IoU is 97 % after one epoch. Name three things to look at before you celebrate.
# 4. Why does BGR not show in the validation score, and when does it?
# 5. Training and validation have no file in common. Can the score still leak?
# 6. With class weights the mean class accuracy rose and the mean IoU fell. How can that be?
#
# <details><summary>Answers</summary>
#
# 1. It was converted to gray: 38 is the brightness of (128, 0, 0), 220 that of the void color (224, 224, 192). Open it
#    without `convert`.
# 2. 3 + 256 x 2 + 65536 x 0 = 515.
# 3. How many classes are in the mean; how many pixels were scored; what the label maps of the loader look like.
#    (Then: does training contain frames of the same source?)
# 4. Training and validation are wrong in the same way, so the network is used to it. It shows when weights trained
#    elsewhere are loaded, or when right pictures come in.
# 5. Yes: frames of one video, tiles of one slide, pictures of one patient.
# 6. The network calls more pixels rare. Recall of the rare classes rises, which the mean class accuracy counts; the
#    false alarms stand in the denominator of the IoU.
#
# </details>

# %% [markdown]
# ## Reading
#
# - Everingham et al., *The PASCAL Visual Object Classes Challenge: A Retrospective*, IJCV 2015: look for how the labels
#   were made, and what void is for.
# - Mottaghi et al., *The Role of Context for Object Detection and Semantic Segmentation in the Wild*, CVPR 2014: the
#   list of classes, and how 59 were chosen.
# - Lin et al., *Microsoft COCO: Common Objects in Context*, ECCV 2014: the pipeline of annotation, and crowds. Caesar et
#   al., *COCO-Stuff*, CVPR 2018, for the other half of the pixels. Kirillov et al., *Panoptic Segmentation*, CVPR 2019.
# - Cordts et al., *The Cityscapes Dataset for Semantic Urban Scene Understanding*, CVPR 2016: the appendix with the
#   definition of every class.
# - Badrinarayanan, Kendall and Cipolla, *SegNet*, TPAMI 2017: the ablation with and without class weights.
# - Cui et al., *Class-Balanced Loss Based on Effective Number of Samples*, CVPR 2019.
# - Torralba and Efros, *Unbiased Look at Dataset Bias*, CVPR 2011: can you name the data set from one picture?
# - Zhou et al., *Scene Parsing through ADE20K Dataset*, CVPR 2017: 150 classes, the usual benchmark today.
#
# Next: [assignment 2](assignments/02_data_sets.ipynb), then lesson 3, in which a classifier learns to label every
# pixel.
