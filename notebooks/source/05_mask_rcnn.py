# ---
# title: "Mask R-CNN: objects, one by one"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", "[Lesson 3](03_fcn.ipynb)"]
# minutes_work: 120
# ---

# %% [markdown]
# A label map says *these pixels are sheep*. It does not say how many sheep. For that a network has to find objects one
# by one, name each of them and draw its outline: **instance segmentation**. In 2017 He, Gkioxari, Dollár and Girshick
# took the best detector of boxes, Faster R-CNN, and gave it a third, small branch that draws a mask: **Mask R-CNN**. As
# a single model it beat every earlier single model on all three tasks of the COCO challenge, the winners of 2016
# included.
#
# Its layers are ordinary. What is special is what happens between them, and there is a lot of it. In this lesson one
# picture goes through all of it, step by step, and you see every tensor on its way.
#
# ## Objectives
#
# After this lesson you can
#
# - **tell** R-CNN, Fast, Faster and Mask R-CNN apart by what is computed once and what once per region;
# - **follow** a picture through pyramid, anchors, proposals, RoIAlign, heads and pasting, and **find** the stage where
#   an object got lost;
# - **explain** RoIAlign, a sigmoid per class and the sum of five losses, and what each of them is worth;
# - **turn** instances into a semantic and a panoptic map, and **compute** its panoptic quality by hand;
# - **read** COCO's results for Mask R-CNN with their protocol, and **choose** an implementation.
#
# ## The claim
#
# > A small branch beside Faster R-CNN draws the masks of objects, if regions are pooled without rounding and the
# > classes do not compete for a pixel.
#
# On COCO minival, mask AP rises from 26.9 % to 30.3 % when RoIAlign replaces RoIPool (and from 23.6 to 30.9 at stride
# 32), and from 24.8 % to 30.3 % when a sigmoid per class replaces the softmax
# ([He et al. 2017](https://arxiv.org/abs/1703.06870), §3 and Table 2). Six more claims are measured on the way: about
# rounding, proposals, suppression, the pyramid, one mask for all classes, and learning boxes and masks together.

# %%
import dataclasses
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import HTML, Markdown
from matplotlib.patches import FancyBboxPatch
from scipy import ndimage
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision.ops import box_iou, roi_align, roi_pool

from segtutor import claims, inference, metrics, models, plotting, resources, training
from segtutor.datasets import Scenes
from segtutor.labels import SCENES

plt.rcParams.update({"figure.dpi": 72, "font.size": 9, "image.interpolation": "nearest"})
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#E69F00", "#009E73", "#999999"
H, W = 192, 240
WORLD = {"size": (H, W), "scale_range": 1.5, "crowd": 0.3, "thin": 0.5, "void_border": 0}  # near things, few poles
scenes = Scenes("val", count=20, target="instances", **WORLD)
image, target = scenes[12]


def lighter(image):
    """A light gray copy of a picture 3 x H x W, to draw on."""
    shade = 255 - 0.55 * (255 - image.float().mean(0, keepdim=True))
    return (shade / 16).round().mul(16).clamp(max=255).byte().expand(3, -1, -1)


pale = lighter(image)
VIEW = {"xlim": (32, W), "ylim": (H, 58)}  # the part of the picture with objects in it

# %% [markdown]
# ## What a label map cannot say
#
# The cheapest way from a label map to objects: every connected region of a class is an object. Give this method the
# best label map there is, the true one. It can still go wrong in two ways.
#
# **Predict, then run.** Which two? And what share of the objects in 20 scenes will be regions of their own?


# %%
def regions(label_map):
    """Connected regions of every thing class: a list of (class, mask)."""
    found = []
    for label in set(np.unique(label_map)) & SCENES.things:
        numbered, count = ndimage.label(label_map == label)
        found += [(label, numbered == number) for number in range(1, count + 1)]
    return found


whole = pieces = merged = objects = 0
for index in range(len(scenes)):
    scene = scenes.scene(index)
    parts = regions(scene.labels)
    objects += len(scene.instances)
    for label, mask in parts:
        inside = [item for item in scene.instances if item.label == label and (item.mask & mask).any()]
        merged += len(inside) if len(inside) > 1 else 0
    for item in scene.instances:
        of_item = sum(bool((mask & item.mask).any()) for label, mask in parts if label == item.label)
        pieces += of_item > 1
        whole += any(metrics.mask_iou(mask, item.mask) > 0.9 for label, mask in parts if label == item.label)
print(f"{objects} objects: {whole} are regions of their own, {merged} share a region with others of their class,")
print(f"{pieces} fall into several regions because something stands in front")

# %% [markdown]
# Objects of a class that touch become one, and an object behind a pole becomes two. No better label map can help. (The
# border of void that data sets draw around things would hide the first mistake, so these scenes have none. Networks do
# not draw one either.) In this scene both mistakes happen:

# %% alt="A flock of sheep by a lake, twice: left, colored by connected regions, nearly all sheep are one, and a sail behind leaves falls into many bits; right, colored by object, each sheep has its own color and the boat is one"
flock = Scenes("val", count=27, **WORLD).scene(26)
background = lighter(torch.from_numpy(flock.image).permute(2, 0, 1))
figure, axes = plt.subplots(1, 2, figsize=(6, 2), layout="constrained")
views = {
    "regions of the true label map": [mask for _, mask in regions(flock.labels)],
    "objects": [item.mask for item in flock.instances],
}
for axis, (title, masks) in zip(axes, views.items(), strict=True):
    plotting.show_instances(background, SCENES, masks=np.stack(masks), ax=axis)
    axis.set(ylim=(H, 66), title=f"{len(masks)} {title}")
plt.show()

# %% [markdown]
# ## Four networks
#
# The way to Mask R-CNN took four papers, all with Ross Girshick among the authors. Each one takes something that was
# done for every region and does it once. Blue: once per picture. Orange: once per region. Gray: outside of the network.

# %% alt="Four rows of boxes. R-CNN: selective search, 2000 crops, the whole network for each crop, class and box for each. Fast R-CNN: selective search, the network once, RoIPool, class and box for each region. Faster R-CNN: the network once, the RPN once, RoIPool, class and box for each of 300. Mask R-CNN: the network once, the RPN once, RoIAlign, class and box, then masks for each of 100."
COLORS = {"outside": GRAY, "once": BLUE, "region": ORANGE}
family = {
    "R-CNN (2014)": [
        ("outside", "selective\nsearch"), ("region", "2000 crops,\n227 × 227"), ("region", "backbone"),
        ("region", "class (SVM),\nbox"),
    ],
    "Fast R-CNN (2015)": [
        ("outside", "selective\nsearch"), ("once", "backbone"), ("region", "RoIPool\n× 2000"), ("region", "class, box"),
    ],
    "Faster R-CNN (2015)": [
        ("once", "backbone"), ("once", "proposal\nnetwork"), ("region", "RoIPool\n× 300"), ("region", "class, box"),
    ],
    "Mask R-CNN (2017)": [
        ("once", "backbone"), ("once", "proposal\nnetwork"), ("region", "RoIAlign\n× 300"), ("region", "class, box"),
        ("region", "mask\n× 100"),
    ],
}  # fmt: skip


def draw_rows(axes, rows, step=1.9):
    """One chain of boxes per axis; a box is (color, text)."""
    for axis, (title, chain) in zip(axes, rows.items(), strict=True):
        for column, (kind, text) in enumerate(chain):
            style = {"boxstyle": "round,pad=0.02,rounding_size=0.08", "facecolor": COLORS[kind], "edgecolor": "none"}
            axis.add_patch(FancyBboxPatch((column * step, 0), 1.4, 0.8, alpha=0.35, **style))
            axis.text(column * step + 0.7, 0.4, text, ha="center", va="center")
            if column:
                start, end = (column * step - step + 1.44, 0.4), (column * step - 0.04, 0.4)
                axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "black"})
        axis.set(xlim=(-0.1, 5 * step), ylim=(-0.1, 0.9), aspect="equal")
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_axis_off()


figure, axes = plt.subplots(4, 1, figsize=(8, 5), layout="constrained")
draw_rows(axes, family)
plt.show()

# %% [markdown]
# - **R-CNN** ([Girshick et al. 2014](https://arxiv.org/abs/1311.2524)): a program without a network, selective search,
#   cuts about 2000 regions out of the picture; a classification network runs on each.
# - **Fast R-CNN** ([Girshick 2015](https://arxiv.org/abs/1504.08083)): the network runs once, and the regions are cut
#   out of its *map*. That is the trick of the FCN (lesson 3) again. Class and box are learned together, with one loss.
# - **Faster R-CNN** ([Ren et al. 2015](https://arxiv.org/abs/1506.01497)): a small network on the same map proposes the
#   regions, and 300 good ones do what 2000 had to do.
# - **Mask R-CNN**: regions are cut out without rounding, and a third branch draws a mask.
#
# What does that save? We build the four arrangements from the same parts, those of the course's small network with one
# map of stride 16, and count. R-CNN's crops are squares of half the picture's height here; they have a fifth of its
# pixels, about as in the paper.
#
# **Predict, then run.** By which factor does Fast R-CNN need fewer operations than R-CNN? By which Faster than Fast?

# %%
from segtutor.models.mask_rcnn.roi_pooling import pool_regions
from segtutor.models.mask_rcnn.stages import Stages

parts = models.create("maskrcnn_tiny", num_classes=33, fpn=False).eval()
heads, picture = parts.roi_heads, torch.zeros(1, 3, H, W)


def cost(run, times=1.0, repeats=3):
    """Billions of operations and milliseconds of `times` runs; one run is measured."""
    took = []
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    with torch.no_grad():
        for _ in range(repeats):
            begun = time.perf_counter()
            run()
            took.append(time.perf_counter() - begun)
    return times * np.array([counter.get_total_flops() / 1e9, 1000 * min(took)])


with torch.no_grad():
    feature_map = parts.backbone(picture)
boxes, pooled = torch.tensor([[10.0, 10.0, 74.0, 74.0]]).repeat(100, 1), torch.zeros(100, 64, 7, 7)
backbone = cost(lambda: parts.backbone(picture))
crops = cost(lambda: parts.backbone(torch.zeros(20, 3, H // 2, H // 2)), times=100)  # 20 measured, 2000 meant
proposals = cost(lambda: parts.rpn(Stages(picture, [(H, W)], feature_map, (16,)), parts.settings))
pooling = cost(lambda: pool_regions(list(feature_map.values()), (16,), [boxes], 7, parts.settings))  # of 100 regions
box_branch = cost(lambda: heads.box_predictor(heads.box_head(pooled)))
mask_branch = cost(lambda: heads.mask_predictor(heads.mask_head(torch.zeros(100, 64, 14, 14))))
mask_branch += cost(lambda: pool_regions(list(feature_map.values()), (16,), [boxes], 14, parts.settings))

# %% [markdown]
# The last column is what the papers measured, on a GPU of their year and with large networks (Fast R-CNN §1.1 and
# Faster R-CNN Table 5 with VGG16; Mask R-CNN §4.4 with ResNet-101-FPN).

# %%
rows = {
    "R-CNN": ("2000, small", 2000, crops + 20 * box_branch, "47 s + search"),
    "Fast R-CNN": ("1", 2000, backbone + 20 * (pooling + box_branch), "1.8 s, 1.5 s of it search"),
    "Faster R-CNN": ("1", 300, backbone + proposals + 3 * (pooling + box_branch), "0.2 s"),
    "Mask R-CNN": ("1", 300, backbone + proposals + 3 * (pooling + box_branch) + mask_branch, "0.2 s"),
}
lines = [
    "| | backbone passes | regions | operations, billions | ms here | in the papers |",
    "|---|---:|---:|---:|---:|---:|",
]
for name, (passes, count, (operations, took), paper) in rows.items():
    lines.append(f"| {name} | {passes} | {count} | {operations:.2f} | {took:,.0f} | {paper} |")
Markdown("\n".join(lines))

# %% [markdown]
# (Operations are those of convolutions and matrices, a multiplication and an addition counted as two. R-CNN's time is
# measured with 20 crops, the branches' with 100 regions, and multiplied. Selective search is not run here.)
#
# The backbone of R-CNN sees overlapping crops, so most of what it computes it has computed already. After that saving,
# what is done per region dominates, and so the number of regions does. The mask branch is dear per region, therefore it
# runs on the final detections only, at most 100. Beside our tiny backbone it is the dearest part of all; beside the
# paper's large one it adds about 20 % (§3.1).
#
# ## The network
#
# All parts and their maps, drawn from the real small network:

# %% alt="The small Mask R-CNN as slabs with their shapes: picture 3 by 192 by 256, maps C2 to C4 of the body, sums and pyramid maps P2 to P5 of 64 channels, RPN with object scores and moves; RoIAlign to 7 by 7, two layers of 192, classes and boxes; RoIAlign to 14 by 14, convolved, enlarged, masks of 28 by 28 for 33 classes"
model = models.create("maskrcnn_tiny", num_classes=33, weights="course").eval()
plotting.show_architecture(plotting.detector_shapes(model, [image]), plotting.mask_rcnn_layout(model))
plt.show()

# %% [markdown]
# The paper has two variants of the heads (its Figure 4). **C4** has no pyramid: regions are cut from one map of stride
# 16, and the last stage of the ResNet, `res5`, runs on every region. **FPN** cuts from a pyramid and has light heads;
# it is better and faster, and it is what everybody uses today, this course included.

# %% alt="Two rows of boxes with shapes. C4: a region of 7 by 7 by 1024, res5 to 7 by 7 by 2048, then either the mean and class and box, or a deconvolution to 14 by 14 by 256 and masks of 14 by 14 by 80. FPN: 7 by 7 by 256, two layers of 1024, class and box; and beside it 14 by 14 by 256, four convolutions, deconvolution to 28 by 28 by 256, masks of 28 by 28 by 80."
variants = {
    "C4, class and box": [
        ("region", "region\n7 × 7 × 1024"), ("region", "res5\n7 × 7 × 2048"), ("region", "mean\n2048"),
        ("region", "class, box"),
    ],
    "C4, mask: goes on from res5": [
        ("region", "region\n7 × 7 × 1024"), ("region", "res5\n7 × 7 × 2048"), ("region", "deconvolution\n14 × 14 × 256"),
        ("region", "masks\n14 × 14 × 80"),
    ],
    "FPN, class and box": [
        ("region", "region\n7 × 7 × 256"), ("region", "layer\n1024"), ("region", "layer\n1024"),
        ("region", "class, box"),
    ],
    "FPN, mask: a region and a branch of its own": [
        ("region", "region\n14 × 14 × 256"), ("region", "4 × (3 × 3)\n14 × 14 × 256"),
        ("region", "deconvolution\n28 × 28 × 256"), ("region", "masks\n28 × 28 × 80"),
    ],
}  # fmt: skip
figure, axes = plt.subplots(4, 1, figsize=(8, 5), layout="constrained")
draw_rows(axes, variants)
plt.show()

# %% [markdown]
# ## One picture, all stages
#
# `model.trace` runs the network as in evaluation and keeps everything in between. Our picture is a park, with two
# people who overlap and a dog between two cats. The network has never seen it; it was trained on other scenes.

# %% alt="A park scene with three people, two of whom overlap, and a dog with a cat before and a cat behind it, and the boxes of all six"
stages = model.trace([image])
figure, axis = plt.subplots(figsize=(3.0, 2.0), layout="constrained")
plotting.show_boxes(image, target["boxes"], labels=target["labels"], names=SCENES.names, ax=axis)
axis.set(**VIEW)
plt.show()
print("kept:", ", ".join(field.name for field in dataclasses.fields(stages)))

# %% [markdown]
# One object we follow all the way: the person with the largest mask. Read backwards: which detection became this
# person, from which proposal did it come, and from which anchor the proposal?

# %%
from segtutor.models.mask_rcnn.box_coding import clip_boxes, decode_boxes, encode_boxes

person = SCENES.index("person")
largest = int((target["area"] * (target["labels"] == person)).argmax())
true_box = target["boxes"][largest]
detection = int(box_iou(stages.detected_boxes[0], true_box[None])[:, 0].argmax())
final_box, label = stages.detected_boxes[0][detection], int(stages.detected_labels[0][detection])
proposal = int((stages.refined_boxes[0][:, label] - final_box).abs().sum(dim=1).argmin())
region = stages.proposals[0].boxes[proposal]
anchors, offsets = torch.cat(stages.anchors), torch.cat(stages.anchor_offsets, dim=1)[0]
anchor = int((clip_boxes(decode_boxes(offsets, anchors), (H, W)) - region).abs().sum(dim=1).argmin())

follow = {"anchor": anchors[anchor], "proposal": region, "refined": final_box, "truth": true_box}
for words, box in follow.items():
    iou = box_iou(box[None], true_box[None]).item()
    print(f"{words:8}", " ".join(f"{value:6.1f}" for value in box), f"  IoU with the truth {iou:.2f}")

# %% [markdown]
# The picture is normalized and padded to sides that 32 divides, here from 240 to 256 columns; a large network also
# resizes it to a short side of 800 pixels. All of this happens inside the network: it takes pictures as they come, in
# 0...1 or as bytes. Do not normalize twice.
#
# ### Features: the pyramid
#
# Deep maps know what a thing is, shallow ones where it is. A **feature pyramid** (FPN, [Lin et al.
# 2017](https://arxiv.org/abs/1612.03144)) hands the knowledge down: each map of the body goes through a 1 × 1
# convolution (lateral), the coarser level is enlarged by nearest neighbor and added, and a 3 × 3 convolution smooths
# the sum:
#
# $$ P_k = \text{conv}_{3 \times 3}(M_k), \qquad M_k = \text{conv}_{1 \times 1}(C_k) + \uparrow_2 M_{k+1}. $$

# %%
with torch.no_grad():
    body_maps = model.backbone.body(stages.images)  # strides 4, 8, 16
    fpn = model.backbone.fpn
    sums = [lateral(c) for lateral, c in zip(fpn.inner_blocks, body_maps, strict=True)]  # conv 1x1
    for level in (1, 0):
        coarser = F.interpolate(sums[level + 1], size=sums[level].shape[-2:], mode="nearest")
        sums[level] = sums[level] + coarser
    levels = [smooth(m) for smooth, m in zip(fpn.layer_blocks, sums, strict=True)]  # conv 3x3
    levels.append(levels[-1][..., ::2, ::2])  # the last level only carries the largest anchors

for ours, (name, theirs) in zip(levels, stages.features.items(), strict=True):
    assert torch.allclose(ours, theirs, atol=1e-4)
    print(f"{name}: {tuple(theirs.shape[1:])}")

# %% [markdown]
# The name tells the stride: P3 has stride $2^3 = 8$. (In the large networks the body goes on to stride 32, so their
# levels are P2 to P6.) The first principal component of each level:

# %% alt="The first principal component of the pyramid levels P2 to P5: on P3 the people are dark columns, on P4 people and dog dark spots, on P5, with six by eight positions, bright ones"
figure, axes = plt.subplots(1, 4, figsize=(9, 2.1), layout="constrained")
for axis, (name, features) in zip(axes, stages.features.items(), strict=True):
    centered = features[0].flatten(1) - features[0].mean((1, 2))[:, None]  # channels x positions
    component = torch.linalg.svd(centered, full_matrices=False)[0][:, 0]
    values = torch.einsum("c,chw->hw", component, features[0])
    axis.imshow(values, cmap="cividis")
    axis.set_title(f"{name}: {values.shape[0]} × {values.shape[1]}")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ### Anchors
#
# A convolution cannot say "there is a box"; it can say something about a box that is given. **Anchors** are such boxes:
# three shapes at every position of every level, with one size per level, $s = 32$ to $512$ pixels in the paper and
# less in the small network. With the ratio $r = h / w$:
#
# $$ w = s / \sqrt{r}, \qquad h = s \sqrt{r}, \qquad \text{so that } w h = s^2. $$

# %%
from segtutor.models.mask_rcnn.anchors import cell_anchors, grid_anchors

size, ratios = model.settings.anchor_sizes[1][0], np.array([0.5, 1.0, 2.0])
widths, heights = size / np.sqrt(ratios), size * np.sqrt(ratios)
by_hand = np.stack([-widths, -heights, widths, heights], axis=1) / 2
cell = cell_anchors((size,), tuple(ratios))
assert np.allclose(by_hand, cell)
h, w = stages.features["P3"].shape[-2:]
assert torch.equal(grid_anchors(cell, (h, w), (8, 8)), stages.anchors[1])  # P3: every 8 pixels

for name, of_level, sizes in zip(stages.features, stages.anchors, model.settings.anchor_sizes, strict=True):
    print(f"{name}: {len(of_level):4} anchors of {sizes[0]} pixels")
print(f"{len(anchors)} in all, for {len(target['boxes'])} objects")

# %% [markdown]
# The positions of P3, and the three anchors at one of them:

# %% alt="The park scene with a grid of dots every eight pixels, and at one position three boxes, one wide, one square, one high"
figure, axis = plt.subplots(figsize=(5.4, 2.4), layout="constrained")
plotting.show_anchors(model, pale, level="P3", position=(17, 19), ax=axis)
axis.set(**VIEW)
plt.show()

# %% [markdown]
# In training, every anchor gets an answer to learn. With an IoU of at least 0.7 with an object it is *positive*, below
# 0.3 it is *background*, in between it is ignored. For each object its best anchor is positive too, however small their
# IoU, or small and odd things would never be learned.
#
# **Predict, then run.** How many of all these anchors reach 0.7? How many of the objects have such an anchor?

# %%
from segtutor.models.mask_rcnn.matching import match

overlap = box_iou(target["boxes"], anchors)  # objects x anchors
strict = match(overlap, positive_iou=0.7, negative_iou=0.3)
matched = match(overlap, positive_iou=0.7, negative_iou=0.3, force_best=True)
print(f"{(strict >= 0).sum()} anchors reach 0.7, for {len(strict[strict >= 0].unique())} of the objects;")
print(f"with the best of each object: {(matched >= 0).sum()}, for {len(matched[matched >= 0].unique())} objects")
print(f"ignored: {(matched == -2).sum()}, background: {(matched == -1).sum()}")

# %% [markdown]
# Almost everything is background. The loss is therefore computed on a sample, 128 anchors here (256 in the paper), at
# most half of them positive.
#
# ### Objectness
#
# The **region proposal network** (RPN) is a 3 × 3 convolution and two 1 × 1 convolutions, the same for all levels. For
# each anchor it gives the probability that it holds an object, whatever its class, and four numbers that move it. The
# probability of the best of the three anchors at each position:

# %% alt="Four maps of probabilities over the gray scene, for P2 to P5: nearly dark on P2, a few spots on P3, bright at people and animals on P4 and in broad cells on P5"
figure, axes = plt.subplots(1, 4, figsize=(9, 1.7), layout="constrained")
for axis, (name, features), logits, stride in zip(
    axes, stages.features.items(), stages.objectness, stages.strides, strict=True
):
    h, w = features.shape[-2:]
    best = logits[0].reshape(h, w, 3).sigmoid().amax(dim=2)
    axis.imshow(pale.permute(1, 2, 0), extent=(0, W, H, 0))
    edge = -stride / 2  # a position lies at a multiple of the stride, in the middle of what is painted for it
    extent = (edge, edge + w * stride, edge + h * stride, edge)
    drawn = axis.imshow(best, cmap="magma", vmin=0, vmax=1, alpha=0.6, extent=extent)
    axis.set(**VIEW, title=name)
    axis.set_axis_off()
figure.colorbar(drawn, ax=axes, label="objectness")
plt.show()

# %% [markdown]
# ### Offsets
#
# The four numbers are relative to the anchor, so that the same number means the same for small and large ones:
#
# $$ x = x_a + d_x w_a, \quad y = y_a + d_y h_a, \quad w = w_a e^{d_w}, \quad h = h_a e^{d_h}, $$
#
# where $x, y$ are centers. The anchor of our person, and where its offsets lead:

# %%
x1, y1, x2, y2 = anchors[anchor]
dx, dy, dw, dh = offsets[anchor]
x, y = (x1 + x2) / 2 + dx * (x2 - x1), (y1 + y2) / 2 + dy * (y2 - y1)
w, h = (x2 - x1) * torch.exp(dw), (y2 - y1) * torch.exp(dh)
moved = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
assert torch.allclose(moved, decode_boxes(offsets[anchor], anchors[anchor]), atol=1e-3)
assert torch.allclose(encode_boxes(moved[None], anchors[anchor][None])[0], offsets[anchor], atol=1e-4)

print("offsets:", " ".join(f"{value:6.2f}" for value in offsets[anchor]))
for words, box in (("anchor", anchors[anchor]), ("moved", moved)):
    print(f"{words:7}", " ".join(f"{value:6.1f}" for value in box))

# %% [markdown]
# ### Proposals, before and after suppression
#
# The best anchors of each level (some hundred here, 1000 in the paper) are moved by their offsets and cut at the
# border. Many are near copies of each other. **Non-maximum suppression** (NMS) goes through them by falling score and
# removes every box that has an IoU of more than 0.7 with a better one of the same level; the best that are left, 1000
# in the paper, are the *proposals*. Here the 25 best before and after:

# %% alt="The park scene twice: left, 25 boxes lie nearly on top of each other around a few objects; right, after suppression, 25 boxes spread over many objects and parts of them"
before, after = stages.proposals_before_nms[0], stages.proposals[0]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.7), layout="constrained")
for axis, found, title in zip(axes, (before, after), ("before", "after"), strict=True):
    order = found.scores.argsort(descending=True)[:25]
    plotting.show_boxes(pale, found.boxes[order], colors=BLUE, ax=axis)
    axis.set(**VIEW, title=f"{title} suppression: best 25 of {len(found.boxes)}")
plt.show()

# %% [markdown]
# Proposals have no class. Their one job: to miss nothing. An object that no proposal covers is lost for good, so what
# counts is **recall**, the share of objects that some proposal covers with an IoU of at least 0.5:

# %%
coverage = box_iou(target["boxes"], after.boxes)  # objects x proposals, best first
for count in (5, 10, 20, 50, 100):
    covered = (coverage[:, :count].amax(dim=1) >= 0.5).sum()
    print(f"the first {count:3} proposals cover {covered} of {len(coverage)} objects")

# %% [markdown]
# In Faster R-CNN (§4.1), 300 proposals of the RPN did as well as 2000 of selective search. The card says what 10, 100
# and 1000 proposals contain, and what suppression has to do with it. Without suppression (1.0), what would you expect
# of the first 10?

# %%
claims.card("maskrcnn.proposals")

# %% [markdown]
# A hundred proposals contain 77 % of the objects, not the 80 that we expected of them: these networks learned for 300
# steps, and a tenth of the things have a side below 12 pixels. A thousand contain 92 %. Suppression helps where proposals
# are few, by two or three points; among a thousand there is room for all the copies.
#
# At the end of the network there is a second suppression, among the detections of a class. How strict should it be? Two
# real objects can overlap, too: a low threshold removes one of them, a high one leaves copies, and every copy is a
# false alarm. Compare the neighbors of 0.5, and what happens without any:

# %%
claims.card("maskrcnn.nms")

# %% [markdown]
# Too mild a suppression costs, and none at all costs a third of AP50: every copy is a false alarm. Too strict a one
# costs nothing that shows here, although 14 % of these scenes' objects overlap another of their class by an IoU of more
# than 0.3, and one of such a pair goes.
#
# ### The level of a region
#
# From which map should a region be cut? A small one from a fine map, a large one from a coarse map, so that each covers
# about as many positions (FPN, Eq. 1):
#
# $$ k = \Big\lfloor 4 + \log_2 \frac{\sqrt{w h}}{224} \Big\rfloor, $$
#
# limited to the levels there are. 224 is the size of ImageNet's pictures; the small network puts a smaller number in
# its place, because its pictures are small.

# %%
from segtutor.models.mask_rcnn.roi_pooling import assign_levels

widths, heights = (after.boxes[:, 2:] - after.boxes[:, :2]).T
canonical = model.settings.canonical_size
k = (4 + torch.log2((widths * heights).sqrt() / canonical)).floor().clamp(2, 4).to(torch.int64)
assert torch.equal(k - 2, assign_levels(after.boxes, (4, 8, 16), canonical_size=canonical))
assert torch.equal(k - 2, stages.roi_levels[0])
for level in (2, 3, 4):
    sides = (widths * heights).sqrt()[k == level]
    span = f"sides of {sides.min():.0f} to {sides.max():.0f} pixels" if len(sides) else ""
    print(f"P{level}: {len(sides):3} regions {span}")

# %% [markdown]
# What is the pyramid worth? Its opponent has one map of stride 16, with anchors of all sizes on it. AP is listed by the
# size of the objects: before you look, say where you expect the gain.

# %%
claims.card("maskrcnn.fpn")

# %% [markdown]
# All three seeds favor the pyramid, by one to two points and a half, but they spread so much that the card calls it
# undecided. Where they agree best is the middle, at 16 to 40 pixels. Above, one map of stride 16 is as good; below,
# neither network draws a mask that counts after 300 steps. (The shipped network had 1200.)
#
# ### RoIAlign
#
# The heads want 7 × 7 (or 14 × 14) numbers per channel, whatever the size of the region. **RoIPool**, of Fast R-CNN,
# rounds the region to whole positions of the map, divides it into bins, rounds these again, and takes the maximum of
# each. **RoIAlign** rounds nothing: in each bin it takes 2 × 2 points, interpolates the map at each of them, and
# averages. Here is the proposal of our person and the map it is cut from:

# %%
level = int(stages.roi_levels[0][proposal])
name, stride = list(stages.features)[level], stages.strides[level]
values = stages.features[name][0]  # channels x h x w
x1, y1, x2, y2 = (region / stride).tolist()
print(f"cut from {name} at stride {stride}: columns {x1:.2f} to {x2:.2f}, rows {y1:.2f} to {y2:.2f} of the map")

# %% [markdown]
# One channel of that map around the region. Left, RoIPool's bins: all borders lie on the grid, so the frame they fill
# is not the region. Right, RoIAlign's bins with their sample points.

# %% alt="The same part of a feature map as gray cells, twice. Left RoIPool: the bins follow the borders of the cells and are of unequal size; right RoIAlign: forty-nine equal bins, each with four points, exactly in the region"
channel = int(values.flatten(1).std(dim=1).argmax())
figure, axes = plt.subplots(1, 2, figsize=(7, 5), layout="constrained")
for axis, pooling_name in zip(axes, ("pool", "align"), strict=True):
    plotting.show_roi_samples(values[channel], region.tolist(), stride, bins=7, pooling=pooling_name, ax=axis)
    axis.set(xlim=(x1 - 3, x2 + 2), ylim=(y2 + 2, y1 - 3), title="RoI" + pooling_name.capitalize())
plt.show()

# %% [markdown]
# Where exactly does a position's value stand? In the middle of its cell, at $(j + \frac12, i + \frac12)$. So half a
# position has to be subtracted from a point's coordinates before the interpolation. torchvision's `roi_align` does so
# only with `aligned=True`, which is not its default, since its published weights were trained without. A ramp shows the
# shift. The box from (1, 1) to (3, 3) covers four cells exactly, with the values 6, 7, 11 and 12:

# %%
ramp = torch.arange(25.0).reshape(5, 5)  # the value at row i, column j is 5 i + j
inside = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])  # picture 0, box (1, 1) to (3, 3)

points = [(1.25, 1.25), (1.75, 1.25), (1.25, 1.75), (1.75, 1.75)]  # 2 x 2 in the first of 2 x 2 bins
by_hand = np.mean([5 * (y - 0.5) + (x - 0.5) for x, y in points])  # bilinear is exact on a ramp
aligned, shifted = (
    roi_align(ramp[None, None], inside, 2, sampling_ratio=2, aligned=aligned)[0, 0] for aligned in (True, False)
)
assert by_hand == aligned[0, 0] == 6
print(f"by hand {by_hand}; aligned {aligned.flatten().tolist()}, without {shifted.flatten().tolist()}")

# %% [markdown]
# **Predict, then run.** We take the map of stride 16 and move the region to the right, by a quarter of a pixel at a
# time up to 16 pixels. How do RoIPool's numbers change, how RoIAlign's?

# %% alt="Change of the pooled numbers over a shift of the region by 0 to 16 pixels: RoIAlign rises steadily; RoIPool stays at zero for several pixels, jumps, stays, and jumps again"
shifts = torch.arange(0, 16.25, 0.25)
boxes = torch.stack([torch.cat([torch.zeros(1), region + shift * torch.tensor([1.0, 0, 1, 0])]) for shift in shifts])
outputs = {
    "RoIPool": roi_pool(stages.features["P4"], boxes, 7, 1 / 16),
    "RoIAlign": roi_align(stages.features["P4"], boxes, 7, 1 / 16, sampling_ratio=2, aligned=True),
}
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for (words, pooled), color, marker in zip(outputs.items(), (ORANGE, BLUE), "so", strict=True):
    change = (pooled - pooled[:1]).flatten(1).norm(dim=1) / pooled[0].norm()
    axis.plot(shifts, 100 * change, color=color, marker=marker, markersize=3, label=words)
axis.set(xlabel="shift of the region in pixels", ylabel="change, %")
axis.legend(frameon=False)
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# RoIPool cannot tell boxes apart that differ by less than a position; and where it answers, it answers in jumps. For a
# class that hardly matters. For a mask it does: its pixels are to lie where the object's are.
#
# The claim, computed exactly and run now, with one seed. The map holds each position's own coordinate, so that the
# right answer is known, and a box moves over it in 32 small steps:

# %%
claims.run_short("maskrcnn.quantization", progress=False)

# %% [markdown]
# And with trained networks and three seeds. Compare AP50, where a rough overlap is enough, with AP75:

# %%
claims.card("maskrcnn.roi_align")

# %% [markdown]
# The masks gain, and the card confirms it: rounding hurts where pixels count. For boxes, and for masks at the strict
# threshold, three seeds cannot decide. In the paper the gain is largest there (3.4 points of AP, 5.1 of AP75); few of
# these young networks' masks reach 0.75 at all.
#
# ### Class and box
#
# The box branch flattens the 7 × 7 × 64 numbers, two layers follow (of 192 numbers; 1024 in the paper), and two
# outputs: 33 scores, one of them for *background*, and 33 × 4 offsets, since each class may move the box in its own
# way. Our person:

# %% alt="Left, bars of the five largest class probabilities of the proposal, person with nearly 1 and four near 0; right, the person in the middle of the scene with three boxes: the proposal in white is too narrow, the refined one in orange and the true one in blue nearly agree"
scores = stages.class_scores[0][proposal]
top = scores.topk(5)
figure, axes = plt.subplots(1, 2, figsize=(7, 2.4), width_ratios=(1, 1.3), layout="constrained")
names = ["background" if number == 0 else SCENES.names[number] for number in top.indices]
axes[0].barh(names[::-1], top.values.flip(0), color=BLUE)
axes[0].set(xlim=(0, 1), xlabel="probability")
axes[0].spines[["top", "right"]].set_visible(False)
axes[1].imshow(image.permute(1, 2, 0), extent=(0, W, H, 0))
for words, box, color in (("proposal", region, "white"), ("refined", final_box, ORANGE), ("truth", true_box, BLUE)):
    x1, y1, x2, y2 = box.tolist()
    iou = box_iou(box[None], true_box[None]).item()
    words = words if words == "truth" else f"{words}, IoU {iou:.2f}"
    axes[1].add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, linewidth=2, label=words))
axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1), facecolor="0.6")
axes[1].set(xlim=(110, 200), ylim=(H, 70))
axes[1].set_axis_off()
plt.show()

# %% [markdown]
# Every pair of region and class with a probability of more than 0.05 is a candidate; NMS within each class removes near
# copies (IoU over 0.5), and the best 100 are detections. The low threshold is right for AP, which wants many candidates
# with honest scores; for looking at, take 0.5. How many are left at each step:

# %%
candidates = stages.class_scores[0][:, 1:] > 0.05
print(f"{len(after.boxes)} proposals, {int(candidates.sum())} pairs of region and class above 0.05")
print(
    f"{len(stages.detected_boxes[0])} detections after suppression, {(stages.detected_scores[0] > 0.5).sum()} above 0.5"
)

# %% [markdown]
# ### Masks
#
# The mask branch looks again, at the *refined* box this time and with 14 × 14 bins: convolutions, a deconvolution that
# doubles the size (lesson 3), a 1 × 1 convolution to one mask of 28 × 28 for each class. It is an FCN for one region.
# The class is decided already, by the box branch; the mask of that class is taken, and a sigmoid makes probabilities of
# it.

# %%
maps = list(stages.features.values())[: model.backbone.pooled_levels]
with torch.no_grad():
    pooled, _ = pool_regions(maps, stages.strides[:3], stages.detected_boxes, 14, model.settings)
    logits = model.roi_heads.mask_predictor(model.roi_heads.mask_head(pooled))  # R x 33 x 28 x 28
chosen = logits[torch.arange(len(logits)), stages.detected_labels[0]].sigmoid()
assert torch.allclose(chosen, stages.mask_probabilities[0], atol=1e-4)
print("regions", tuple(pooled.shape), "-> masks", tuple(logits.shape), "-> of the detected class", tuple(chosen.shape))

# %% [markdown]
# The eight surest detections, each in the frame of its box, whatever shape that has. Below, the masks that *other*
# classes would draw for our person:

# %% alt="Above, eight square masks of 28 by 28, the first of people and a dog, all stretched to squares, the last blurred. Below, masks of eight classes for one region: that of person has a person's shape; boat, car and bus show the same shape with noise, the other classes faint traces"
figure, axes = plt.subplots(2, 8, figsize=(6.4, 2.2), layout="constrained")
for axis, mask, number in zip(axes[0], chosen, stages.detected_labels[0], strict=False):
    axis.imshow(mask, cmap="cividis", vmin=0, vmax=1)
    axis.set_title(SCENES.names[number], fontsize=8)
shown = ["person", "dog", "bird", "cat", "horse", "boat", "car", "bus"]
for axis, words in zip(axes[1], shown, strict=True):
    axis.imshow(logits[detection, SCENES.index(words)].sigmoid(), cmap="cividis", vmin=0, vmax=1)
    axis.set_title(words, fontsize=8)
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# The classes do not compete. In an FCN, a softmax makes every pixel choose one of all classes; here each class has its
# own sigmoid, and only the mask of the true class is trained. The paper calls this decoupling of mask and class
# essential. Does it show here? Look at the difference, and whether it is larger than the spread of the seeds:

# %%
claims.card("maskrcnn.sigmoid")

# %% [markdown]
# It does, with every seed and nearly as clearly as in the paper: 4.8 points here, 5.5 there. The boxes do not gain.
#
# If the class is decided elsewhere, are 33 masks needed? One for all classes might do. In the paper it nearly does
# (29.7 % against 30.3 %):

# %%
claims.card("maskrcnn.agnostic")

# %% [markdown]
# It does here, too: one mask is even a little better. With few training steps, what all classes share is learned
# sooner.
#
# ### Pasting
#
# The 28 × 28 probabilities go back into the picture: at the center of each pixel inside the box, the mask is
# interpolated, and what reaches 0.5 belongs to the object. Half a pixel decides here again. A mask of ones in the box
# from 10 to 20 must give 10 × 10 pixels:

# %%
from segtutor.models.mask_rcnn.paste import paste_masks

ones, ten = torch.ones(1, 28, 28), torch.tensor([[10.0, 10.0, 20.0, 20.0]])
print("at the pixels' centers:", int(paste_masks(ones, ten, (30, 30)).sum()), "pixels")
print(
    "box widened to whole pixels and one more, as torchvision does:",
    int(paste_masks(ones, ten, (30, 30), legacy=True).sum()),
)

row, column = int(final_box[[1, 3]].mean()), int(final_box[[0, 2]].mean())  # one pixel by hand, in the middle
x1, y1, x2, y2 = final_box
v, u = (row + 0.5 - y1) / (y2 - y1) * 28 - 0.5, (column + 0.5 - x1) / (x2 - x1) * 28 - 0.5
i, j = int(v), int(u)
corner = chosen[detection, i : i + 2, j : j + 2]
weights = torch.outer(torch.tensor([1 - (v - i), v - i]), torch.tensor([1 - (u - j), u - j]))
probability = (weights * corner).sum()
print(f"pixel ({row}, {column}) lies at ({v:.2f}, {u:.2f}) of the mask, probability {probability:.2f}")
assert (probability >= 0.5) == stages.detections[0]["masks"][detection, row, column]

# %% [markdown]
# The whole way of one mask, and at the end what the network returns, beside the truth:

# %% alt="Three pictures: the 28 by 28 mask of the person; the same stretched over its box in the scene; the mask after the threshold as an outline on the scene, close to the person's true outline"
figure, axes = plt.subplots(1, 3, figsize=(7, 2.5), layout="constrained")
axes[0].imshow(chosen[detection], cmap="cividis", vmin=0, vmax=1)
axes[0].set_title("28 × 28, in the box's frame")
axes[1].imshow(pale.permute(1, 2, 0), extent=(0, W, H, 0))
axes[1].imshow(chosen[detection], cmap="cividis", vmin=0, vmax=1, extent=(x1, x2, y2, y1), alpha=0.8)
axes[1].set_title("stretched over the box")
pasted = stages.detections[0]["masks"][detection]
iou = metrics.mask_iou(pasted, target["masks"][largest])
axes[2].imshow(image.permute(1, 2, 0))
axes[2].contour(pasted, levels=[0.5], colors=[ORANGE])
axes[2].contour(target["masks"][largest], levels=[0.5], colors=[BLUE], linestyles="--")
axes[2].set_title(f"pasted (orange), truth (blue)\nIoU {float(iou):.2f}")
for axis in axes[1:]:
    axis.set(xlim=(110, 200), ylim=(H, 70))
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# All detections above 0.5:

# %% alt="The park scene twice: left the detections: three people, a fourth one too many between two of them, and the dog; right the true objects, which are three people, the dog and two cats"
found = inference.detect(model, image, score_threshold=0.5)
figure, axes = plt.subplots(1, 2, figsize=(6.8, 2.5), layout="constrained")
plotting.show_instances(pale, SCENES, found["masks"], found["boxes"], found["labels"], found["scores"], ax=axes[0])
plotting.show_instances(pale, SCENES, target["masks"], target["boxes"], target["labels"], ax=axes[1])
for axis, title in zip(axes, ("found", "truth"), strict=True):
    axis.set(**VIEW, title=title)
plt.show()

# %% [markdown]
# What is missing here, where was it lost? Ask each stage: is there a proposal over the object, does a class score rise,
# did suppression remove it?

# %%
coverage = box_iou(target["boxes"], after.boxes)
final = box_iou(target["boxes"], stages.detected_boxes[0])
print("object       best proposal   its class score   best detection of its class")
for number, words in enumerate(SCENES.names[label] for label in target["labels"]):
    near = int(coverage[number].argmax())
    right = stages.detected_labels[0] == target["labels"][number]
    overlaps = final[number][right]
    best = (
        f"IoU {overlaps.max():.2f}, score {stages.detected_scores[0][right][overlaps.argmax()]:.2f}"
        if right.any()
        else "none"
    )
    score = stages.class_scores[0][near, target["labels"][number]]
    print(f"{words:12} IoU {coverage[number, near]:9.2f} {score:17.2f}   {best}")

# %% [markdown]
# Both cats have a proposal, but no class: the box branch took them for part of the dog or for background. They were
# lost in the second stage. And the pair of people is counted as three: the box of the third overlaps those of the
# others by less than half, so suppression left it.
#
# ## Five losses
#
# The network is trained in one piece, by the plain sum
#
# $$ L = \underbrace{L_\text{objectness} + L_\text{anchor box}}_{\text{RPN}} + \underbrace{L_\text{class} +
# L_\text{box} + L_\text{mask}}_{\text{heads}}. $$
#
# - Objectness: binary cross-entropy over the sampled anchors.
# - Class: cross-entropy over the sampled regions, at most a quarter of them objects (0.4 in the small network).
# - Both box losses: *smooth L1* of the offsets, of positives only: a parabola near 0, beyond it a line, so that a wild
#   outlier does not rule the gradient.
# - Mask: binary cross-entropy, mean over the pixels of positive regions, in the channel of the *true* class only. The
#   target is the object as seen through the **proposal**, which may cut it off.
#
# The mask loss in three lines, and the proof that other channels learn nothing:

# %%
from segtutor.models.mask_rcnn.mask_head import mask_loss, mask_targets

torch.manual_seed(0)
masks, places = target["masks"], torch.tensor([largest, largest])
shifted_boxes = torch.stack([true_box, true_box + torch.tensor([8.0, 0, 8, 0])])  # the second cuts the person off
wanted = mask_targets(masks, shifted_boxes, places, 28, model.settings)  # R x 28 x 28
raw, labels = torch.randn(2, 33, 28, 28, requires_grad=True), target["labels"][places]

x = raw[torch.arange(2), labels]  # the channel of the true class
by_hand = (F.softplus(x) - wanted * x).mean()  # -t log s(x) - (1 - t) log(1 - s(x)), without overflow
assert torch.allclose(by_hand, mask_loss(raw, wanted, labels, model.settings), atol=1e-6)
by_hand.backward()
print("channels with a gradient:", [SCENES.names[number] for number in raw.grad[0].flatten(1).any(dim=1).nonzero()])
print(f"share of the target that is person: {wanted[0].mean():.2f}, through the shifted box {wanted[1].mean():.2f}")

# %% [markdown]
# Now live: a fresh network, whose body comes from a semantic network that knows these scenes, learns from 24 of them. A
# few steps only, for half a minute; the shipped network began in the same way and had many more.

# %%
torch.manual_seed(0)
fresh = models.create("maskrcnn_tiny", num_classes=33)
pretrained = resources.data("checkpoints/deeplabv3_tiny.pt")  # the semantic network of lesson 6
models.load_weights(fresh, pretrained, layout="segtutor_tiny_body")
lessons = training.InMemory(Scenes("train", count=24, target="instances", **WORLD))  # each scene is drawn once
config = training.TrainingConfig(
    steps=24, batch_size=2, learning_rate=1e-3, warmup_steps=5, weight_decay=0.01, precision="auto",
    device="cpu", progress=False,
)  # fmt: skip
record = training.fit_detector(fresh, lessons, None, config)

# %% [markdown]
# The curves are smoothed over five steps.

# %% alt="Five panels, one per loss, over 24 steps: objectness, class and mask loss fall; the two box losses jump up and down, and the one of the heads rises"
figure, axes = plt.subplots(1, 5, figsize=(10, 2.1), layout="constrained")
for axis, (name, losses) in zip(axes, record.losses.items(), strict=True):
    axis.plot(losses, color=GRAY, linewidth=0.8)
    axis.plot(
        np.arange(2, len(losses) - 2), np.convolve(losses, np.full(5, 0.2), mode="valid"), color=BLUE, linewidth=2
    )
    axis.set(title=name, xlabel="step", ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Do not be alarmed by a box loss that does not fall, or rises. It counts positives only, divided by all samples: as the
# RPN gets better there are more good proposals, hence more positives. Read a detector's progress in its AP.
#
# How the shipped network was trained, from its record:

# %%
import json

notes = json.loads(resources.data("checkpoints/maskrcnn_tiny.json").read_text(encoding="utf-8"))
for key in ("data", "steps", "batch_size", "learning_rate", "scored_on", "seconds", "date"):
    print(f"{key:14} {notes[key]}")
for kind in ("boxes", "masks"):
    print(f"{kind:14} " + ", ".join(f"{key} {100 * notes[kind][key]:.1f} %" for key in ("AP", "AP50", "AP75")))

# %% [markdown]
# Do you want to train one of use in five minutes? Easier scenes help most: near things without companions, no bollards
# (only the far surroundings tell the two kinds apart, and a region does not show those), smaller pictures; stem and
# first stage stay frozen. The many small operations of a detector gain little from a second thread, so two processes
# share the work, four pictures each. From the course's folder, in one line:
#
# ```
# torchrun --nproc-per-node 2 -m segtutor.cli train --model maskrcnn_tiny --option frozen_stages=2
#     --option mask_threshold=0.4 --weights data/checkpoints/deeplabv3_tiny.pt --layout segtutor_tiny_body --data scenes
#     --size 160x192 --scene scale_range=1.5 --scene crowd=0 --scene thin=0 --scene context=0 --train-count 1500
#     --val-count 200 --steps 1100 --batch-size 8 --learning-rate 0.0025 --weight-decay 0.01 --warmup-steps 100
#     --precision auto --half --out my_maskrcnn.pt
# ```
#
# The course has this network, too. Its record, and what it finds in a scene that it never saw:

# %% alt="A near scene twice. Found: two people, a dog, a cat and a bicycle whose mask is only some of its tubes. Truth: the same, and two more dogs"
near_file = resources.data("checkpoints", "maskrcnn_tiny_near.pt")
near_notes = json.loads(near_file.with_suffix(".json").read_text(encoding="utf-8"))
print(near_notes["scored_on"], f"{near_notes['seconds']} seconds", sep="\n")
print(f"AP50 of boxes {near_notes['boxes']['AP50']:.1%}, of masks {near_notes['masks']['AP50']:.1%}")

near_model = models.create("maskrcnn_tiny", weights=near_file)
near_scenes = Scenes("val", size=(160, 192), count=13, target="instances", scale_range=1.5, crowd=0, thin=0, context=0)
near_image, near_target = near_scenes[12]
near_found = inference.detect(near_model, near_image, score_threshold=0.5)
figure, axes = plt.subplots(1, 2, figsize=(6.8, 2.9), layout="constrained")
for axis, title, things in ((axes[0], "found", near_found), (axes[1], "truth", near_target)):
    plotting.show_instances(
        lighter(near_image), SCENES, things["masks"], things["boxes"], things["labels"], things.get("scores"), ax=axis
    )
    axis.set(title=title)
plt.show()

# %% [markdown]
# Boxes are well ahead of masks, and the bicycle shows why: its box is found, but its tubes are narrower than a position
# of the finest map, and masks of bicycles count as right in next to no scene. The threshold of masks is 0.4 because the
# network is less sure of thin things; that is worth about one point. Runs of other lengths and batches took 280 to 340
# seconds and ended between 59 and 61 %, so expect a point more or less. And this network is no bargain: in the crowded
# scenes of this lesson its masks reach an AP50 of 47 %, those of the one above, which learned from such scenes, 62 %.
#
# The paper: SGD with momentum 0.9 and weight decay 10⁻⁴, 16 pictures on 8 GPUs, rate 0.02, divided by 10 after 120,000
# of 160,000 steps; batch norm frozen, because two pictures per GPU are too few for statistics.
#
# "The model tries to solve complementary tasks leading to better performances on each individual task", says the
# tutorial that this course grew from. In the paper, box AP is 38.2 % with the mask branch and 37.3 % without
# (ResNet-101-FPN, Table 3). And here? The card compares the boxes of networks with and without the mask branch:

# %%
claims.card("maskrcnn.multi_task")

# %% [markdown]
# Undecided: two seeds gain a little with masks, the third loses more than both gain. Where seeds differ by more than
# the effect that one looks for (0.9 points in the paper), three of them cannot decide it.
#
# ## Evaluation
#
# COCO's protocol (lesson 1): detections are matched to objects of their class by falling score; AP is the area under
# precision over recall, averaged over classes and over IoU thresholds from 0.5 to 0.95. **Mask AP** takes the IoU of
# masks, **box AP** that of boxes. Twenty scenes:

# %%
score = inference.evaluate_detector(model, scenes, progress=False)
print(score)

# %% [markdown]
# Compare AP50 and AP75, boxes and masks: where the first is far above the second, objects are found, but their outlines
# are not exact. Our finest map has stride 4, and legs and tails are not wider. And compare the classes: which are rare,
# which thin? COCO's limits of small and large (32² and 96² pixels) would be of little use on pictures as small as ours;
# `area_ranges` sets others.
#
# ## From instances to a panoptic map
#
# The detections overlap and leave holes. A **panoptic** map gives each pixel exactly one segment: a *thing* with a
# number of its own, or *stuff* (sky, road, ...), which is not counted. The usual recipe takes instances in the order of
# their scores; each gets the pixels that are still free, and is dropped if less than half of it is left. Then stuff
# from a semantic network, here lesson 6's, fills what is free. What that network calls a thing but no instance claims
# stays void.


# %%
STUFF = SCENES.stuff | {0}  # 0 is all that has no name


def panoptic(instances, label_map):
    """Segment ids H x W and their list, from (class, mask) by falling score and a label map for the stuff."""
    segments, info = np.zeros(label_map.shape, dtype=int), []

    def add(mask, label):
        info.append({"id": len(info) + 1, "category_id": int(label)})
        segments[mask] = len(info)

    for label, mask in instances:
        free = mask & (segments == 0)
        if free.sum() > 0.5 * mask.sum():
            add(free, label)
    for label in np.unique(label_map):
        free = (label_map == label) & (segments == 0)
        if label in STUFF and free.sum() >= 64:  # smaller patches are noise
            add(free, label)
    return segments, info


def instances_of(image, least=0.5):
    """(class, mask) by falling score."""
    found = inference.detect(model, image, score_threshold=least)
    return [(int(label), mask.numpy()) for label, mask in zip(found["labels"], found["masks"], strict=True)]


semantic_net = models.create("deeplabv3_tiny", num_classes=33, weights="course").eval()
label_map = inference.predict(semantic_net, image, scales=(0.5,)).numpy()  # things as small as in its own training
segments, info = panoptic(instances_of(image), label_map)
print(len(info), "segments:", ", ".join(SCENES.names[segment["category_id"]] for segment in info))

# %% [markdown]
# The way from instances over semantic to panoptic. Colors are those of the classes, black lines separate segments. The
# fourth person is gone: too little of that mask was still free.

# %% alt="Four label maps of the park scene: the instances alone on white, three people and a dog with black outlines; the semantic network, where two people are one blob and the dog is mixed with cat; the panoptic map, where people are apart and white void is left around them; the true panoptic map"
truth_set = Scenes("val", count=20, target="panoptic", **WORLD)
truth = truth_set[12][1]


def painted(segments, info):
    """The class colors of a panoptic map, with black lines between segments."""
    classes = np.full(segments.shape, SCENES.ignore_index)
    for segment in info:
        classes[segments == segment["id"]] = segment["category_id"]
    colors = plotting.colorize(classes, SCENES)
    edges = (segments != np.roll(segments, 1, axis=0)) | (segments != np.roll(segments, 1, axis=1))
    edges[0], edges[:, 0] = False, False
    colors[edges] = 0
    return colors


true_segments = truth["segments"].numpy()
views = {
    "instances": painted(*panoptic(instances_of(image), np.full_like(label_map, SCENES.ignore_index))),
    "semantic network": plotting.colorize(label_map, SCENES),
    "panoptic": painted(segments, info),
    "truth": painted(true_segments, truth["segments_info"]),
}
figure, axes = plt.subplots(1, 4, figsize=(10, 2.3), layout="constrained")
for axis, (title, colors) in zip(axes, views.items(), strict=True):
    axis.imshow(colors, interpolation="nearest")
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ### PQ by hand
#
# Panoptic quality counts, for each class, segments that match (same class, IoU above 0.5; at most one can), that are
# missed and that are invented:
#
# $$ PQ = \frac{\sum_{\text{matches}} IoU}{TP + \frac12 FP + \frac12 FN} = \underbrace{\frac{\sum IoU}{TP}}_{SQ} \cdot
# \underbrace{\frac{TP}{TP + \frac12 FP + \frac12 FN}}_{RQ}. $$

# %%
official = metrics.panoptic_quality((true_segments, truth["segments_info"]), (segments, info), SCENES)
for words in ("person", "dog", "cat"):
    number = SCENES.index(words)
    ours = [segments == one["id"] for one in info if one["category_id"] == number]
    theirs = [true_segments == one["id"] for one in truth["segments_info"] if one["category_id"] == number]
    iou = np.array([float(metrics.mask_iou(a, b)) for a in ours for b in theirs])
    matches = iou[iou > 0.5]
    missed, invented = len(theirs) - len(matches), len(ours) - len(matches)
    quality = matches.sum() / (len(matches) + invented / 2 + missed / 2)
    assert np.isclose(official.per_class[number].PQ, quality)
    print(f"{words:7} {len(matches)} matches with a sum of IoU of {matches.sum():.2f}, {missed} missed, ", end="")
    print(f"{invented} invented: PQ {quality:.2f}")

# %% [markdown]
# Now the baseline of the beginning, connected regions, against Mask R-CNN, both with the same stuff. The first row gets
# the *true* label map: even then touching things are lost. Twelve scenes:

# %%
ways = {"regions of the true label map": [], "regions of the semantic network": [], "Mask R-CNN": []}
truths = []
alone, overwritten = metrics.ConfusionMatrix(33), metrics.ConfusionMatrix(33)
for index in range(12):
    pixels, true_map = truth_set[index]
    truths.append((true_map["segments"].numpy(), true_map["segments_info"]))
    true_labels, predicted = scenes.scene(index).labels, inference.predict(semantic_net, pixels, scales=(0.5,)).numpy()
    instances = instances_of(pixels)
    ways["regions of the true label map"].append(panoptic(regions(true_labels), true_labels))
    ways["regions of the semantic network"].append(panoptic(regions(predicted), predicted))
    ways["Mask R-CNN"].append(panoptic(instances, predicted))
    alone.update(true_labels, predicted)
    for label, mask in reversed(instances):  # the best last, on top
        predicted[mask] = label
    overwritten.update(true_labels, predicted)
print(f"{'':33} PQ   things   stuff     (things: SQ     RQ)")
for words, predictions in ways.items():
    scores = metrics.panoptic_quality(truths, predictions, SCENES)
    numbers = (scores.overall.PQ, scores.things.PQ, scores.stuff.PQ, scores.things.SQ, scores.things.RQ)
    print(f"{words:31}" + "{:6.1%} {:8.1%} {:7.1%} {:12.1%} {:7.1%}".format(*numbers))

# %% [markdown]
# SQ says how exact the outlines of matched things are, RQ how many are found without inventing others. Connected
# regions of a *predicted* label map are hardly ever an object: every bit of a wrong class is an invention. Mask R-CNN
# comes close to the regions of the true map in RQ, and its outlines are what it lacks. Can the instances also make the
# *semantic* map better? The label map of the semantic network, and the same with the instances painted over it:

# %%
things = sorted(SCENES.things)
for words, matrix in {"semantic network": alone, "with instances on top": overwritten}.items():
    print(f"{words:22} mean IoU of things {np.nanmean(np.asarray(matrix.iou())[things]):.1%}")

# %% [markdown]
# A little. (The semantic network learned from other scenes, with smaller things, so it is not at its best here.)
#
# ## Published results
#
# The tutorial that this course grew from says: *37.1 % AP on the 2016 COCO segmentation challenge and 41.8 % on the
# 2017 one*. Both numbers are real, and neither is what it sounds like. **37.1** is mask AP on *test-dev*, of
# ResNeXt-101 with FPN, a single model; the paper compares it with the winner of 2016. **41.8** is on *minival* (the
# pictures of val2017), of ResNeXt-152 with non-local blocks, trained on 5000 classes of ImageNet before, and tested at
# several scales and mirrored: the foundation of the entry of 2017, which was an ensemble.

# %% alt="Mask AP of six Mask R-CNN on COCO. On test-dev 33.1, 35.7 and 37.1 for ResNet-101-C4, ResNet-101-FPN and ResNeXt-101-FPN; on minival 33.6, 36.7 and 41.8 for ResNet-50-FPN, ResNeXt-101-FPN and ResNeXt-152-FPN, the last tested at several scales and with more training data"
claims.show_published("COCO")
plt.show()

# %% [markdown]
# The ablations behind the claims of this lesson, and what code bases reach. Mind the 41.8 of torchvision's second
# version: it is equal to the paper's by chance.

# %%
HTML("".join(claims.published_table("Mask R-CNN", kind=kind) for kind in ("ablation", "code base")))

# %% [markdown]
# How paper, reference code, torchvision and ours differ:

# %%
from segtutor.models.differences import as_markdown
from segtutor.models.mask_rcnn import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# Parameters, counted on `meta`; 91 is COCO's number of classes with gaps and background:

# %%
for name in ("maskrcnn_tiny", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "maskrcnn_resnext101_fpn"):
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in models.create(name, num_classes=91).parameters())
    print(f"{name:26} {count:>11,}")

# %% [markdown]
# ## Implementations
#
# For work on photographs, start from published weights. Not run here, they are downloaded (170 MB):
#
# ```python
# model = models.create("maskrcnn_resnet50_fpn", weights="torchvision")   # sets compat="torchvision" by itself
# found = inference.detect(model, "photograph.jpg", score_threshold=0.5)
# ```
#
# **[Detectron2](https://github.com/facebookresearch/detectron2)** is the reference, by the authors' group. The tutorial
# says that all four networks of the family are in it; exactly, it has Fast R-CNN (with proposals from a file), Faster
# R-CNN and Mask R-CNN, but not the R-CNN of 2014, which nobody needs any more. What it adds to what you saw here: a
# model zoo (under CC BY-SA 3.0), cascades of heads, keypoints, panoptic FPN, PointRend's finer masks, rotated boxes,
# training on many GPUs, and configuration for all of it. There is a [demo on
# Colab](https://colab.research.google.com/drive/16jcaJoc6bCFAQ96jDe2HwtXj7BMD_-m5). It has to be compiled for your
# version of PyTorch, which is where most questions about it come from. torchvision's Mask R-CNN comes with
# torchvision, and this course's loads its weights.
#
# ## Bad input
#
# What the network refuses, before anything has changed, and which picture and box it names:

# %%
mask = torch.zeros(1, H, W, dtype=torch.bool)
mask[:, 10:40, 10:40] = True
good = {"boxes": torch.tensor([[10.0, 10, 40, 40]]), "labels": torch.tensor([1]), "masks": mask}
attempts = {
    "swapped corners": {**good, "boxes": torch.tensor([[40.0, 10, 10, 40]])},
    "no area": {**good, "boxes": torch.tensor([[10.0, 10, 10, 40]])},
    "label 0": {**good, "labels": torch.tensor([0])},
    "label 40": {**good, "labels": torch.tensor([40])},
    "masks forgotten": {key: value for key, value in good.items() if key != "masks"},
    "mask of another size": {**good, "masks": mask[..., ::2, ::2]},
    "mask of another object": {**good, "masks": mask.flip(2)},
}
fresh.train()
for words, wrong in attempts.items():
    try:
        fresh([torch.zeros(3, H, W)] * 2, [good, wrong])
    except ValueError as error:
        print(f"{words}: {error}")
empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": mask[:0]}
losses = fresh([torch.zeros(3, H, W)], [empty])
print("a picture without objects is no error:", {name: round(float(loss.detach()), 2) for name, loss in losses.items()})

# %% [markdown]
# ## Pitfalls
#
# - **Boxes without area or with swapped corners**: the loss becomes NaN, often much later
#   ([vision#997](https://github.com/pytorch/vision/issues/997),
#   [vision#2235](https://github.com/pytorch/vision/issues/2235) and several more; newer versions raise an error).
# - **A picture without objects given as one box of zeros**: NaN again
#   ([vision#2144](https://github.com/pytorch/vision/issues/2144)). Give an empty 0 × 4 array.
# - **Labels that begin at 0, or `num_classes` without the background**: class 0 *is* the background, and the first
#   class is never found. Detectron2 counts the other way: its K classes begin at 0.
# - **Normalized twice**: these networks normalize by themselves.
# - **RoIAlign without the half pixel** ([vision#1871](https://github.com/pytorch/vision/issues/1871)): everything is
#   off by half a position, at stride 32 by 16 pixels. But weights that were trained so must be used so.
# - **Masks pasted a pixel too wide** ([vision#5845](https://github.com/pytorch/vision/issues/5845)): 144 pixels in
#   place of 100, see above. Small objects suffer most.
# - **The mask's target taken from the object's box, not the proposal**: the branch then learns to answer for a box that
#   it is never shown.
# - **The best proposals chosen over the batch, not per picture**
#   ([Detectron#459](https://github.com/facebookresearch/Detectron/issues/459)): a picture's result depends on its
#   neighbors.
# - **Anchors rounded to whole pixels** ([Detectron#227](https://github.com/facebookresearch/Detectron/issues/227)).
# - **NMS across classes**: the rider removes the horse. And a high score threshold before AP is measured: it cuts the
#   curve short, and AP falls although nothing got worse.
# - **AP that is not COCO's**: box AP quoted as mask AP, or a mean of AP per picture. The example notebooks of a popular
#   implementation average the AP of ten pictures. -1 means that there was nothing to find
#   ([cocoapi#594](https://github.com/cocodataset/cocoapi/issues/594)).
# - **Old code that no longer runs, or runs green with nonsense boxes**: matterport's Mask R-CNN stayed on TensorFlow 1
#   ([#2684](https://github.com/matterport/Mask_RCNN/issues/2684),
#   [#2909](https://github.com/matterport/Mask_RCNN/issues/2909)).
#
# ## Summary
#
# - A label map does not count. Connected regions merge what touches and split what is covered.
# - From R-CNN to Mask R-CNN, what was done for each region is done once, and what is left is done for fewer regions.
# - Anchors are questions, the RPN answers them; suppression removes copies; what no proposal covers is lost.
# - RoIAlign rounds nothing. Half a pixel matters three times: in anchors, in RoIAlign, in pasting.
# - The class is decided by the box branch; each class has its own mask, 28 × 28, in the frame of the refined box.
# - Five losses are added up. Read the progress in AP.
# - Instances by falling score and stuff from a semantic network make a panoptic map; PQ = SQ · RQ.
#
# In [assignment 5](assignments/05_mask_rcnn.ipynb) you write all the geometry yourself: anchors, matching, offsets,
# suppression, RoIAlign and pasting, each checked at once. [Lesson 6a](06a_deeplab_v2.ipynb) comes back to semantic
# segmentation with DeepLab.
#
# ## Self-test
#
# 1. A picture of 800 × 1024 pixels, FPN with P2 to P6, three ratios, one size per level. How many anchors?
# 2. An object's best anchor has an IoU of 0.2. What does this anchor learn, and why?
# 3. A region of 56 × 224 pixels: from which level is it cut (canonical size 224)?
# 4. Why does the mask branch look at refined boxes in evaluation, but at proposals in training?
# 5. Two overlapping horses, IoU of their boxes 0.6, one detection each. What does NMS at 0.5 do? At 0.7?
# 6. Of four cars, three are found with IoU 0.8, 0.7 and 0.6; one is missed, and a tree is called a car. PQ of *car*?
#
# <details><summary>Answers</summary>
#
# 1. Positions: 200 · 256 + 100 · 128 + 50 · 64 + 25 · 32 + 13 · 16 = 68,208; three each: 204,624.
# 2. It is positive, as the best of its object. Otherwise nothing would learn to find this object.
# 3. The root of 56 · 224 is 112; 4 + log₂ 0.5 = 3: P3.
# 4. In training, boxes refined by an untrained branch are no help, and proposals come in all qualities, so the branch
#    sees more. In evaluation the refined box is the better one, and there are fewer.
# 5. At 0.5 the horse with the lower score is removed. At 0.7 both stay, and with them more copies.
# 6. (0.8 + 0.7 + 0.6) / (3 + 0.5 + 0.5) = 0.525.
#
# </details>
#
# ## Reading and videos
#
# - [He et al. 2017](https://arxiv.org/abs/1703.06870): Figure 3 is RoIAlign, Figure 4 the heads; Table 2 has all
#   ablations, each with one thing changed. Note what stays.
# - [Ren et al. 2015](https://arxiv.org/abs/1506.01497): §3.1 and Figure 3, the RPN; Table 5, where the time goes.
# - [Lin et al. 2017](https://arxiv.org/abs/1612.03144): Figure 1 compares four pyramids; Eq. 1 is the level of a
#   region.
# - [Kirillov et al. 2019](https://arxiv.org/abs/1801.00868): panoptic segmentation; §4 defines PQ, and Figure 2 shows a
#   match.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo). Look for:
#   what each member of the R-CNN family shares between regions. The video does not replace the lesson.
