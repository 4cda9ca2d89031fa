# ---
# title: "Mask R-CNN: objects, one by one"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", "[Lesson 3](03_fcn.ipynb)", "[Lesson 4](04_pspnet.ipynb)"]
# minutes_work: 90
# ---

# %% [markdown]
# A [label map](glossary.ipynb#label-map) says *these pixels are sheep*. It does not say how many sheep. For that, a
# network has to find the objects one by one, name each of them and draw its outline. This is [instance
# segmentation](glossary.ipynb#instance-segmentation). In 2017 He, Gkioxari, Dollár and Girshick took the best
# detector of boxes, Faster R-CNN, and gave it one more small branch that draws a mask for each box. They called it
# **Mask R-CNN**, and as a single model it beat every earlier single model on all three tasks of the COCO challenge
# (masks, boxes, joints of people).
#
# Its layers are ordinary. What is special happens between them, and there is a lot of it. So in this lesson one picture
# goes through the whole network, and you look at every step. We follow one person in it from the first guess to the
# finished mask, and we find out why two cats get lost on the way.
#
# ## Objectives
#
# After this lesson you can
#
# - **tell** R-CNN, Fast, Faster and Mask R-CNN apart by what is computed once and what once per region;
# - **follow** a picture through pyramid, [anchors](glossary.ipynb#anchor), [proposals](glossary.ipynb#region-proposal),
#   [RoIAlign](glossary.ipynb#RoIAlign), heads and pasting, and **find** the stage where an object got lost;
# - **explain** what RoIAlign, a sigmoid per class and the five losses are for, and what the first two are worth;
# - **turn** instances into a panoptic map, and **compute** its [panoptic quality](glossary.ipynb#panoptic-quality) by
#   hand.
#
# ## The claim
#
# > A small branch beside Faster R-CNN draws the masks of objects, if regions are pooled without rounding and the
# > classes do not compete for a pixel.
#
# The paper measures mask AP, which is the AP of lesson 1 by the [IoU](glossary.ipynb#intersection-over-union) of masks.
# On COCO it is 26.9 % with the older way of pooling regions, which rounds, and 30.3 % without rounding. It is 24.8 %
# where classes compete, and 30.3 % where they do not ([He et al. 2017](https://arxiv.org/abs/1703.06870), §3 and Table
# 2). We measure both on drawn scenes, and seven more claims on the way.

# %% fold="Import what the lesson needs, and draw the scenes"
import json
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown
from matplotlib.patches import FancyBboxPatch
from scipy import ndimage
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision.ops import box_iou, nms, roi_align, roi_pool

from segtutor import inference, metrics, models, plotting, resources
from segtutor.claims.showing import card
from segtutor.datasets import Scenes
from segtutor.labels import SCENES

plotting.use_course_style()
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#E69F00", "#009E73", "#999999"
H, W = 192, 240  # of the pictures that the networks see; figures show the same scenes drawn larger
WORLD = {"scale_range": 1.5, "crowd": 0.3, "thin": 0.5, "void_border": 0}  # near things, few poles
scenes = Scenes("val", (H, W), 20, target="instances", **WORLD)
image, target = scenes[12]
sharp = Scenes("val", (2 * H, 2 * W), 20, target="instances", **WORLD)[12][0]  # the same scene, drawn larger
gray = plotting.pale(Scenes("val", (3 * H // 2, 3 * W // 2), 20, target="instances", **WORLD)[12][0])
VIEW = (34, 58, W, H)  # x0, y0, x1, y1 of the part with objects in it
person = SCENES.index("person")


def show_gray(axis, view=VIEW):
    """The pale picture on an axis whose unit is a pixel of the network's picture."""
    axis.imshow(gray, extent=(0, W, H, 0))
    axis.set(xlim=(view[0], view[2]), ylim=(view[3], view[1]), aspect="equal")
    axis.set_axis_off()


# %% [markdown]
# ## What a label map cannot say
#
# The cheapest way from a label map to objects takes every connected region of a class as one object. Give this method
# the best label map there is, the true one. It can still go wrong in two ways.
#
# **Predict, then run.** Which two? And what share of the objects in 20 scenes will be regions of their own?


# %%
def regions(label_map):
    """Connected regions of every class of things: a list of (class, mask)."""
    found = []
    for label in set(np.unique(label_map)) & SCENES.things:
        numbered, count = ndimage.label(label_map == label)
        found += [(label, numbered == number) for number in range(1, count + 1)]
    return found


whole = objects = 0
for index in range(len(scenes)):
    scene = scenes.scene(index)
    parts = regions(scene.labels)
    objects += len(scene.instances)
    for item in scene.instances:
        whole += any(metrics.mask_iou(m, item.mask) > 0.9 for label, m in parts if label == item.label)
print(f"{whole} of {objects} objects are regions of their own")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Objects of one class that touch become one region, and an object behind a pole becomes two. Not quite half of the
# objects come out whole, although the label map is perfect. No better label map can help.
#
# </details>
#
# (Data sets draw a border of [void](glossary.ipynb#void) around things, which would hide the first mistake. Networks
# draw no such border, so these scenes have none.) Here is a scene in which both mistakes happen:

# %% fold="Draw a flock by regions and by objects" alt="A flock of sheep by a lake, twice: left, colored by connected regions, all five sheep have one color and a sail behind them falls into many bits; right, colored by object, each sheep has its own color and the boat is one"
flock, larger = (Scenes("val", size, 27, **WORLD).scene(26) for size in ((H, W), (2 * H, 2 * W)))
background = plotting.pale(larger.image)
figure, axes = plt.subplots(1, 2, figsize=(9, 2.9))
views = {
    "regions of the true label map": [mask for _, mask in regions(flock.labels)],
    "objects": [item.mask for item in flock.instances],
}
for axis, (title, masks) in zip(axes, views.items(), strict=True):
    twice = np.stack(masks).repeat(2, axis=1).repeat(2, axis=2)
    plotting.show_instances(background, SCENES, masks=twice, ax=axis)
    axis.set(ylim=(2 * H, 2 * 66), title=f"{len(masks)} {title}")
plt.show()

# %% [markdown]
# The five sheep are one region, and the boat, partly hidden, is 22 regions. The last two are one cat, of which two bits
# show between the legs of the sheep.
#
# ## Four networks
#
# The way to Mask R-CNN took four papers, all with Ross Girshick among the authors. The first step does once what was
# done for every region, the second brings the search into the network, the third adds masks. In the figure, blue is
# done once per picture, orange once per region, and gray outside of the network. (RoI stands for *region of
# interest*. [RoIPool](glossary.ipynb#RoIPool) and RoIAlign cut a region out of a map; how, you will see below.)

# %% fold="Draw the family" alt="Four rows of boxes. R-CNN: selective search, 2,000 crops, the whole network for each crop, class and box for each. Fast R-CNN: selective search, the network once, RoIPool, class and box for each region. Faster R-CNN: the network once, the proposal network once, RoIPool, class and box for each of 300. Mask R-CNN: the network once, the proposal network once, RoIAlign, class and box, then masks for each of 100."
COLORS = {"outside": GRAY, "once": BLUE, "region": ORANGE}
family = {
    "R-CNN (2014)": [
        ("outside", "selective\nsearch"), ("region", "2,000 crops,\n227 × 227"), ("region", "backbone"),
        ("region", "class (SVM),\nbox"),
    ],
    "Fast R-CNN (2015)": [
        ("outside", "selective\nsearch"), ("once", "backbone"), ("region", "RoIPool\n× 2,000"), ("region", "class, box"),
    ],
    "Faster R-CNN (2015)": [
        ("once", "backbone"), ("once", "proposal\nnetwork"), ("region", "RoIPool\n× 300"), ("region", "class, box"),
    ],
    "Mask R-CNN (2017)": [
        ("once", "backbone"), ("once", "proposal\nnetwork"), ("region", "RoIAlign"), ("region", "class, box"),
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


figure, axes = plt.subplots(4, 1, figsize=(8.4, 5))
draw_rows(axes, family)
plt.show()

# %% [markdown]
# - **R-CNN** ([Girshick et al. 2014](https://arxiv.org/abs/1311.2524)): a program without a network, selective search,
#   cuts about 2,000 regions out of the picture, and a classification network runs on each of them. Linear classifiers
#   (SVMs) then name them.
# - **Fast R-CNN** ([Girshick 2015](https://arxiv.org/abs/1504.08083)): the network runs once, and the regions are cut
#   out of its [feature map](glossary.ipynb#feature-map). That is the trick of the FCN (lesson 3) again. Class and box
#   are learned together, with one loss.
# - **Faster R-CNN** ([Ren et al. 2015](https://arxiv.org/abs/1506.01497)): a small network on the same map proposes the
#   regions, and 300 good ones do what 2,000 had to do.
# - **Mask R-CNN**: regions are cut out without rounding, and one more branch draws a mask.
#
# What does that save? The next cell builds the four arrangements from the parts of the course's small network, with one
# map of [stride](glossary.ipynb#stride) 16, and counts operations. R-CNN's crops are squares of half the picture's
# height here; they have a fifth of its pixels, about as in the paper.
#
# **Predict, then run.** By which factor does Fast R-CNN need fewer operations than R-CNN? By which Faster than Fast?

# %% fold="Count operations and milliseconds of the four"
from segtutor.models.mask_rcnn.roi_pooling import pool_regions
from segtutor.models.mask_rcnn.stages import Stages

parts = models.create("maskrcnn_tiny", num_classes=33, fpn=False).eval()
heads, picture = parts.roi_heads, torch.zeros(1, 3, H, W)


@torch.no_grad()
def cost(run, times=1.0):
    """Billions of operations and milliseconds of `times` runs; the best of three runs is measured."""
    with FlopCounterMode(display=False) as counter:
        run()
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return times * np.array([counter.get_total_flops() / 1e9, 1000 * min(took)])


with torch.no_grad():
    one_map = parts.backbone(picture)
boxes, pooled = torch.tensor([[10.0, 10.0, 74.0, 74.0]]).repeat(100, 1), torch.zeros(100, 64, 7, 7)
backbone = cost(lambda: parts.backbone(picture))
crops = cost(lambda: parts.backbone(torch.zeros(20, 3, H // 2, H // 2)), times=100)  # 20 measured, 2000 meant
search = cost(lambda: parts.rpn(Stages(picture, [(H, W)], one_map, (16,)), parts.settings))
pooling = cost(lambda: pool_regions(list(one_map.values()), (16,), [boxes], 7, parts.settings))  # of 100 regions
branch = cost(lambda: heads.box_predictor(heads.box_head(pooled)))
masks = cost(lambda: heads.mask_predictor(heads.mask_head(torch.zeros(100, 64, 14, 14))))
masks += cost(lambda: pool_regions(list(one_map.values()), (16,), [boxes], 14, parts.settings))
costs = {
    "R-CNN": crops + 20 * branch, "Fast R-CNN": backbone + 20 * (pooling + branch),
    "Faster R-CNN": backbone + search + 3 * (pooling + branch),
    "Mask R-CNN": backbone + search + 3 * (pooling + branch) + masks,
}  # fmt: skip
lines = ["| | operations, billions | milliseconds here |", "|---|---:|---:|"]
lines += [f"| {name} | {operations:.2f} | {took:,.0f} |" for name, (operations, took) in costs.items()]
Markdown("\n".join(lines))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Fast R-CNN needs about a hundredth of R-CNN's operations, because crops overlap and R-CNN computes the same pixels
# again and again. From Fast to Faster it is a factor of 2.8, which comes from the number of regions, 300 in place of
# 2,000. In the papers, with large networks on a GPU of their year, a picture took 47 s with R-CNN (without the search),
# 1.8 s with Fast R-CNN, of which 1.5 s were the search, and 0.2 s with Faster R-CNN.
#
# </details>
#
# Of the four, the last two are what you would use today: Faster R-CNN where boxes are enough, Mask R-CNN where you need
# outlines. The first two are there to understand them.
#
# After the first saving, what is done per region dominates. The mask branch costs most per region. Therefore it runs
# only on the final detections, at most 100. Beside our small [backbone](glossary.ipynb#backbone) it is the most
# expensive part of all; beside the paper's large one it adds about 20 % (§3.1).
#
# ## The network
#
# All parts of the course's small Mask R-CNN and the sizes of their maps, drawn from the real network:

# %% fold="Draw the network" alt="The small Mask R-CNN as slabs with their shapes: picture 3 by 192 by 256, maps C2 to C4 of the body, sums and pyramid maps P2 to P5 of 64 channels, RPN with object scores and moves; RoIAlign to 7 by 7, two layers of 192, classes and boxes; RoIAlign to 14 by 14, convolved, enlarged, masks of 28 by 28 for 33 classes"
model = models.create("maskrcnn_tiny", num_classes=33, weights="course").eval()
figure, axis = plt.subplots(figsize=(9, 6.2))
plotting.show_architecture(plotting.detector_shapes(model, [image]), plotting.mask_rcnn_layout(model), ax=axis)
plt.show()

# %% [markdown]
# You will meet every part of this drawing. On the left is the *body*, which is another word for the backbone, with
# its pyramid of maps. In the middle the region proposal network (RPN) says where objects may be. On the right are the
# two *heads*: the box branch above names and moves a region, the mask branch below draws in it.
#
# ## One picture, all stages
#
# This is our picture. The network has never seen it; it was trained on other scenes. Look at the two people who
# overlap, and at the dog with two cats behind it.

# %% fold="Show the picture and its true boxes" alt="A park scene with trees, lawn and a path. Three people stand in front, the two on the left so close that one hides part of the other. At the right border a large dark dog stands in front of two cats, a black one behind its back and a white one behind its chest, cut off by the border. All six have a box with their class."
figure, axis = plt.subplots(figsize=(8.4, 5.5))
names = [SCENES.names[label] for label in target["labels"]]
palette = ["#56B4E9" if name == "cat" else "#E69F00" if name == "dog" else "#F0E442" for name in names]
plotting.show_boxes(
    sharp, target["boxes"], labels=target["labels"], names=SCENES.names, colors=palette, size=(H, W), view=VIEW, ax=axis
)
plt.show()

# %% [markdown]
# `model.trace` runs the network as in evaluation and keeps everything in between. One object we follow all the way: the
# person on the right, who has the largest mask. The next cell reads the network backwards. Which detection became this
# person? From which region did it come? And from which of the network's standard boxes, the *anchors*, did that region
# come?

# %%
from segtutor.models.mask_rcnn.box_coding import clip_boxes, decode_boxes, encode_boxes

stages = model.trace([image])
largest = int((target["area"] * (target["labels"] == person)).argmax())
true_box = target["boxes"][largest]
detection = int(box_iou(stages.detected_boxes[0], true_box[None])[:, 0].argmax())
final_box, label = stages.detected_boxes[0][detection], int(stages.detected_labels[0][detection])
proposal = int((stages.refined_boxes[0][:, label] - final_box).abs().sum(dim=1).argmin())
region = stages.proposals[0].boxes[proposal]
anchors, offsets = torch.cat(stages.anchors), torch.cat(stages.anchor_offsets, dim=1)[0]
anchor = int((clip_boxes(decode_boxes(offsets, anchors), (H, W)) - region).abs().sum(dim=1).argmin())

boxes = {"anchor": anchors[anchor], "proposal": region, "detection": final_box, "truth": true_box}
for words, box in boxes.items():
    iou = box_iou(box[None], true_box[None]).item()
    print(f"{words:10}", " ".join(f"{value:6.1f}" for value in box), f"  IoU with the truth {iou:.2f}")

# %% [markdown]
# From line to line the box gets better. Each of these steps is a part of the network, and we now go through them from
# the beginning.
#
# Before the first layer the picture is normalized and padded to sides that 32 divides, here from 240 to 256 columns;
# a large network also resizes it to a short side of 800 pixels. All of this happens inside the network, which takes
# pictures as they come.
#
# ### Features: the pyramid
#
# Deep maps know what a thing is, shallow ones where it is. In lesson 3, [skip
# connections](glossary.ipynb#skip-connection) added the scores of both. A [feature
# pyramid](glossary.ipynb#feature-pyramid) (FPN, [Lin et al. 2017](https://arxiv.org/abs/1612.03144)) does so with
# features and keeps the result at every level. Each map $C_k$ of the body goes through a 1 × 1 convolution; the coarser
# level is enlarged by repeating each value and is added; and a 3 × 3 convolution smooths the sum:
#
# $$ P_k = \text{conv}_{3 \times 3}(M_k), \qquad M_k = \text{conv}_{1 \times 1}(C_k) + \uparrow_2 M_{k+1}. $$

# %%
with torch.no_grad():
    body_maps = model.backbone.body(stages.images)  # C2, C3, C4 at strides 4, 8, 16
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
# The lines by hand give the network's own maps. The name tells the stride: P3 has stride $2^3 = 8$. (In the large
# networks the body goes on to stride 32, so their levels are P2 to P6.) As in lesson 4, the figure shows the one
# direction in which the channels of each level vary most:

# %% fold="Draw the first principal component of each level" alt="The first principal component of the pyramid levels P2 to P5: fine outlines of the people on P2, people as columns on P3, people and dog as spots on P4, a few bright cells on P5"
figure, axes = plt.subplots(1, 4, figsize=(9, 2.1))
for axis, (name, features) in zip(axes, stages.features.items(), strict=True):
    centered = features[0].flatten(1) - features[0].mean((1, 2))[:, None]  # channels x positions
    component = torch.linalg.svd(centered, full_matrices=False)[0][:, 0]
    values = torch.einsum("c,chw->hw", component, features[0])
    axis.imshow(values, cmap="cividis")
    axis.set_title(f"{name}: {values.shape[0]} × {values.shape[1]}")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# On P2 you can see single legs; on P5 a person is a bright cell or two.
#
# ### Anchors
#
# A convolution has as many outputs as its map has positions. It cannot say "there is a box from here to there", but it
# can answer a question about a box that is given. [Anchors](glossary.ipynb#anchor) are such boxes: three shapes at
# every position of every level, with one size $s$ per level, 32 to 512 pixels in the paper and less in the small
# network. With the ratio $r = h / w$ of height to width:
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

sizes_of_levels = model.settings.anchor_sizes
for name, of_level, sizes in zip(stages.features, stages.anchors, sizes_of_levels, strict=True):
    print(f"{name}: {len(of_level):5,} anchors of {sizes[0]} pixels")
print(f"{len(anchors):,} in all, for {len(target['boxes'])} objects")

# %% [markdown]
# Here are the positions of P3 and the three anchors at one of them:

# %% fold="Draw the anchors of one position" alt="The park scene in pale gray with a grid of dots every eight pixels, and at one position three boxes, one wide, one square, one high"
figure, axis = plt.subplots(figsize=(7.4, 3.6))
plotting.show_anchors(model, plotting.pale(image), level="P3", position=(17, 19), ax=axis)
show_gray(axis)
plt.show()

# %% [markdown]
# In training, every anchor gets an answer to learn. With an IoU of at least 0.7 with an object it is *positive*,
# below 0.3 it is *background*, and in between it is ignored. For each object its best anchor is positive too, however
# small their IoU; otherwise no anchor would learn to find small and odd things.
#
# **Predict, then run.** How many of all these anchors reach 0.7? How many of the six objects have such an anchor?

# %%
from segtutor.models.mask_rcnn.matching import match

overlap = box_iou(target["boxes"], anchors)  # objects x anchors
strict = match(overlap, positive_iou=0.7, negative_iou=0.3)
matched = match(overlap, positive_iou=0.7, negative_iou=0.3, force_best=True)
good, better = strict[strict >= 0], matched[matched >= 0]
print(f"anchors that reach 0.7: {len(good)}, for {len(good.unique())} of the objects")
print(f"with the best of each object: {len(better)}, for {len(better.unique())} objects")
print(f"ignored: {(matched == -2).sum()}, background: {(matched == -1).sum()}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A single one, for one of the cats: an anchor must hit place, size and shape at once. Only the rule about the best
# anchor gives every object something that learns to find it. (Some tie: hence nine for six objects.)
#
# </details>
#
# Almost everything is background. The loss is therefore computed on a sample, 128 anchors here (256 in the paper), at
# most half of them positive.
#
# ### Objectness
#
# The *region proposal network* (RPN) is a 3 × 3 convolution and two 1 × 1 convolutions, the same for all levels. For
# each anchor it gives the probability that it holds an object, whatever its class, and four numbers that move it. The
# probability comes from a [logit](glossary.ipynb#logit) $x$ by the *sigmoid*, $\sigma(x) = 1 / (1 + e^{-x})$, the
# softmax for a single yes or no. The figure shows the probability of the best of the three anchors at each position.

# %% fold="Draw the best probability at each position" alt="Four maps of probabilities over the gray scene, for P2 to P5: nearly dark on P2, a few spots on P3, bright at people and animals on P4 and in broad cells on P5"
figure, axes = plt.subplots(1, 4, figsize=(9, 1.9))
for axis, (name, features), logits, stride in zip(
    axes, stages.features.items(), stages.objectness, stages.strides, strict=True
):
    h, w = features.shape[-2:]
    best = logits[0].reshape(h, w, 3).sigmoid().amax(dim=2)
    show_gray(axis)
    edge = -stride / 2  # a position lies at a multiple of the stride, in the middle of what is painted for it
    extent = (edge, edge + w * stride, edge + h * stride, edge)
    drawn = axis.imshow(best, cmap="magma", vmin=0, vmax=1, alpha=0.6, extent=extent)
    axis.set(xlim=(VIEW[0], VIEW[2]), ylim=(VIEW[3], VIEW[1]), title=name)
figure.colorbar(drawn, ax=axes, label="objectness", shrink=0.8)
plt.show()

# %% [markdown]
# Each level answers for things of its own size: the people and the dog are found on the coarse levels.
#
# ### Offsets
#
# The four numbers that move an anchor are relative to it, so that the same number means the same for small and large
# ones:
#
# $$ x = x_a + d_x w_a, \quad y = y_a + d_y h_a, \quad w = w_a e^{d_w}, \quad h = h_a e^{d_h}, $$
#
# where $x, y$ is a box's center, $w, h$ its size, and $a$ stands for the anchor. Here is the anchor of our person,
# and where its offsets lead:

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
# The offsets make the anchor narrower and shorter and shift it. What comes out is the proposal that you know from
# above.
#
# ### Proposals and suppression
#
# The best anchors of each level (200 here, 1,000 in the paper) are moved by their offsets and cut at the border. Many
# are near copies of each other. [Non-maximum suppression](glossary.ipynb#non-maximum-suppression) (NMS) goes through
# them by falling score and removes every box that has an IoU of more than a threshold, here 0.7, with a better one
# that stays. The best of those that are left are the [proposals](glossary.ipynb#region-proposal). Here are the 25
# best before and after:

# %% fold="Draw the best boxes before and after suppression" alt="The park scene twice in pale gray: left, 25 boxes lie nearly on top of each other around a few objects; right, after suppression, 25 boxes spread over the objects, their parts and groups of them"
before, after = stages.proposals_before_nms[0], stages.proposals[0]
figure, axes = plt.subplots(1, 2, figsize=(9, 2.9))
for axis, found, title in zip(axes, (before, after), ("before", "after"), strict=True):
    order = found.scores.argsort(descending=True)[:25]
    plotting.show_boxes(gray, found.boxes[order], colors=BLUE, size=(H, W), view=VIEW, ax=axis)
    axis.set_title(f"{title} suppression: the best 25 of {len(found.boxes)}")
plt.show()

# %% [markdown]
# On the right fewer boxes repeat each other. Proposals have no class. Their one job is to miss nothing: an object
# that no proposal covers is lost for good. So what counts is [recall](glossary.ipynb#recall), the share of objects
# that some proposal covers with an IoU of at least 0.5.

# %%
coverage = box_iou(target["boxes"], after.boxes)  # objects x proposals, best first
for count in (5, 10, 20, 50, 100):
    covered = (coverage[:, :count].amax(dim=1) >= 0.5).sum()
    print(f"the first {count:3} proposals cover {covered} of {len(coverage)} objects")

# %% [markdown]
# Here twenty proposals suffice, and even both cats are covered.
#
# In Faster R-CNN (§4.1), 300 proposals of the RPN did as well as 2,000 of selective search. Our card says what 10, 100
# and 1000 proposals contain over 200 scenes, and what suppression has to do with it. A threshold of 1.0 means that
# there is none.

# %%
card("maskrcnn.proposals")

# %% [markdown]
# A hundred proposals contain 77 % of the objects, a little less than the 80 % that we had expected of them; a
# thousand contain 92 %. Suppression helps where proposals are few, by two or three points. Among a thousand
# there is room for all the copies.
#
# At the end of the network there is a second suppression, among the detections of one class. Its threshold is a choice
# between two mistakes, and you can make both of them here. The boxes are all regions that the network takes for a
# person with a probability of more than one half. Yellow boxes stay, with their score; dashed ones were removed.
#
# **Predict, then run.** There are three people. From which threshold on does the network report somebody twice? And
# below which does it lose somebody?

# %% fold="Draw what stays for ten thresholds"
scores, places = stages.class_scores[0][:, person], stages.refined_boxes[0][:, person]
sure = scores > 0.5
thresholds = tuple(round(0.1 * step, 1) for step in range(1, 11))
people = target["boxes"][target["labels"] == person]
says = []
for threshold in thresholds:
    kept = nms(places[sure], scores[sure], threshold)
    hits = box_iou(people, places[sure][kept]) >= 0.5
    extra = len(kept) - int(hits.any(dim=1).sum())
    says.append(f"They cover {int(hits.any(dim=1).sum())} of the 3 people. Boxes too many: {extra}.")
plotting.movable_suppression(
    sharp, places[sure], scores[sure], thresholds, size=(H, W), view=(34, 66, 184, H), says=says
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# At 0.1 one of the two people on the left is gone: their true boxes overlap by an IoU of 0.20, so the better one
# removes the other. From 0.2 to 0.4 there are exactly three boxes. At 0.5, the usual threshold, a narrow box between
# the two survives as a fourth person; from 0.6 on real people are reported twice.
#
# </details>
#
# So two real objects can overlap, and a low threshold removes one of them; a high one leaves copies, and every copy is
# a false alarm. What does that do to AP? The paper's main results were made with 0.3, those of its appendix B with 0.5,
# which has become usual. The card compares both, 0.7, and no suppression at all:

# %%
card("maskrcnn.nms")

# %% [markdown]
# Too mild a suppression costs: a threshold of 0.7 loses against 0.5, and without any, AP50 falls by a third, from 28 %
# to 19 %. Too strict a one costs nothing that can be seen here.
#
# ### The level of a region
#
# From which map should a region be cut? A small one from a fine map and a large one from a coarse map, so that each
# covers about the same number of positions (FPN, Eq. 1):
#
# $$ k = \Big\lfloor 4 + \log_2 \frac{\sqrt{w h}}{224} \Big\rfloor, $$
#
# limited to the levels there are. 224 is the size of ImageNet's pictures. The small network puts 112 in its place,
# because its pictures are small.

# %%
from segtutor.models.mask_rcnn.roi_pooling import assign_levels

widths, heights = (after.boxes[:, 2:] - after.boxes[:, :2]).T
sides, canonical = (widths * heights).sqrt(), model.settings.canonical_size
k = (4 + torch.log2(sides / canonical)).floor().clamp(2, 4).to(torch.int64)
assert torch.equal(k - 2, assign_levels(after.boxes, (4, 8, 16), canonical_size=canonical))
assert torch.equal(k - 2, stages.roi_levels[0])
for level in (2, 3, 4):
    of_level = sides[k == level]
    span = f", with sides of {of_level.min():.0f} to {of_level.max():.0f} pixels" if len(of_level) else ""
    print(f"P{level}: {len(of_level):3} regions{span}")

# %% [markdown]
# P4 would serve regions of more than 112 pixels, and no proposal of this picture is so large.
#
# What is the pyramid worth? Its opponent on the card has one map of stride 16, with anchors of all sizes on it. In the
# folded numbers AP is listed by the size of the objects. Before you look, say where you expect the gain.

# %%
card("maskrcnn.fpn")

# %% [markdown]
# All three seeds favor the pyramid, by one to two and a half points, but they differ so much that the card calls it
# undecided. They agree best in the middle, for things of 16 to 40 pixels. Above that size one map of stride 16 is as
# good, and below it neither network draws masks that count, after 300 steps. (The network that we look at had 1,200.)
#
# ### RoIAlign
#
# The heads want 7 × 7 or 14 × 14 numbers per channel, whatever the size of the region. There are two ways to get them.
#
# RoIPool, of Fast R-CNN, rounds the region to whole positions of the map, divides it into bins,
# rounds these again, and takes the maximum of each. RoIAlign, of Mask R-CNN, rounds nothing: in
# each bin it takes 2 × 2 points, reads the map at each of them by
# [bilinear interpolation](glossary.ipynb#bilinear-interpolation), and averages.
#
# Below, both cut the box of our person out of the map of stride 16, into 3 × 3 bins. (The network would take P3 and 7 ×
# 7 bins; on the coarse map and with nine numbers you can see every one.) The orange frame is the box as it truly lies.
# Drag it to the right with the slider, two pixels at a time.
#
# **Predict, then run.** Over 16 pixels, how often will RoIPool's nine numbers change? And RoIAlign's?

# %% fold="Drag a box over a map, pooled in both ways"
channel = int(stages.features["P4"][0].flatten(1).std(dim=1).argmax())
window = stages.features["P4"][0, channel, 4:12, 7:13]  # rows 4 to 11, columns 7 to 12
corner = torch.tensor([7.0, 4.0, 7.0, 4.0]) * 16
plotting.movable_region(window, (region - corner).tolist(), range(0, 17, 2), stride=16, bins=3)

# %% [markdown]
# <details><summary>Answer</summary>
#
# RoIAlign's numbers change with each of the eight steps. RoIPool's change only twice, where an edge of the box passes
# the middle between two positions, and then in a jump. Most of the time it gives the same answer for boxes that are
# not the same.
#
# </details>
#
# For a class, says the paper (§3), this hardly matters. For a mask it does: its pixels should lie where the object's
# lie. The next figure moves the box in steps of a quarter of a pixel and shows by how much the numbers of all 64
# channels in 7 × 7 bins change, in percent of their length as a vector at the start:

# %% fold="Draw how much the pooled numbers change" alt="Change of the pooled numbers over a shift of the region by 0 to 16 pixels: RoIAlign rises steadily; RoIPool stays at zero for several pixels, jumps, stays, and jumps again"
shifts = torch.arange(0, 16.25, 0.25)
boxes = torch.stack([torch.cat([torch.zeros(1), region + shift * torch.tensor([1.0, 0, 1, 0])]) for shift in shifts])
outputs = {
    "RoIPool": roi_pool(stages.features["P4"], boxes, 7, 1 / 16),
    "RoIAlign": roi_align(stages.features["P4"], boxes, 7, 1 / 16, sampling_ratio=2, aligned=True),
}
figure, axis = plt.subplots(figsize=(7, 2.8))
for (words, pooled), color, marker in zip(outputs.items(), (ORANGE, BLUE), "so", strict=True):
    change = (pooled - pooled[:1]).flatten(1).norm(dim=1) / pooled[0].norm()
    axis.plot(shifts, 100 * change, color=color, marker=marker, markersize=3, label=words)
axis.set(xlabel="shift of the region in pixels", ylabel="change, %")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# RoIPool waits and jumps, RoIAlign follows. One detail of RoIAlign took years to get right. The value of row $i$ and
# column $j$ stands in the *middle* of its cell, at $(j + \frac12, i + \frac12)$. So half a position has to be
# subtracted from a point's coordinates before the interpolation. torchvision's `roi_align` does so only with
# `aligned=True`, which is not its default, since its published weights were trained without. A ramp shows the shift.
# The box from (1, 1) to (3, 3) covers four cells exactly, with the values 6, 7, 11 and 12:

# %%
ramp = torch.arange(25.0).reshape(5, 5)  # the value at row i, column j is 5 i + j
inside = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])  # picture 0, box (1, 1) to (3, 3)

points = [(1.25, 1.25), (1.75, 1.25), (1.25, 1.75), (1.75, 1.75)]  # 2 x 2 in the first of 2 x 2 bins
by_hand = np.mean([5 * (y - 0.5) + (x - 0.5) for x, y in points])  # bilinear is exact on a ramp
aligned, shifted = (
    roi_align(ramp[None, None], inside, 2, sampling_ratio=2, aligned=how)[0, 0] for how in (True, False)
)
assert by_hand == aligned[0, 0] == 6
print(f"by hand {by_hand}; aligned {aligned.flatten().tolist()}, without {shifted.flatten().tolist()}")

# %% [markdown]
# Without that half, each value is 3 too large: 2.5 for half a row, 0.5 for half a column. How much does rounding cost?
# First without any training. The map of this card holds each position's own coordinate, so that the right answer is
# known, and a box moves over it in 32 small steps:

# %%
card("maskrcnn.quantization")

# %% [markdown]
# To 32 different boxes RoIPool gives 2.7 different answers on average, and it is off by up to 8 pixels, two positions
# of this map. RoIAlign is exact.
#
# And with trained networks?

# %%
card("maskrcnn.roi_align")

# %% [markdown]
# The masks gain, and the card confirms it: rounding hurts where pixels count. For boxes, and for masks at the strict
# threshold, three seeds cannot decide. In the paper the gain is largest at the strict threshold (3.4 points of AP, 5.1
# of AP75); few of these young networks' masks reach an IoU of 0.75 at all.
#
# A pyramid makes it easy for RoIPool: small things are cut from a fine map, where half a position is two pixels. The
# paper's own comparison is made on one coarse map, of stride 16 or 32, on which half a position is 8 or 16 pixels. So
# we did that, too, without a pyramid and on easier scenes. But RoIPool differs from RoIAlign in a second way: it takes
# maxima, where RoIAlign takes means. A control tells the two apart: its region is rounded as in RoIPool, and then it
# takes means as RoIAlign does.

# %%
card("maskrcnn.one_map")

# %% [markdown]
# With every seed RoIAlign is ahead on both maps, by masks and by boxes. At stride 16 the masks go from 10.8 to 12.5 %,
# at stride 32 from 6.4 to 8.4 %: a sixth more on the finer map and a third more on the coarser one. In the paper, too,
# the coarser map gains more. For masks the gains of the three seeds spread too far for the card to confirm them; for
# boxes at stride 32 it does. The control, at stride 32, gives the clearest answer: with the region rounded and means
# taken, 6.1 % are left, no more than RoIPool has. So what costs is the rounding, not the maxima. (Two things are not as
# in the paper. At the strict threshold of 0.75 the masks of the finer map do not gain but lose about a point. And the
# paper's coarser map, with RoIAlign, is no worse than the finer one, 30.9 against 30.3 %, while ours is far behind.)
#
# ### Class and box
#
# The box branch flattens the 7 × 7 × 64 numbers of a region. Two layers follow, fc6 and fc7 in the drawing (of 192
# numbers; 1024 in the paper), and two outputs: 33 scores, one of them for *background*, and 33 × 4 offsets, since each
# class may move the box in its own way. For our person:

# %% fold="Draw the class probabilities and the boxes of our person" alt="Left, bars of the five largest class probabilities of the proposal, person with nearly 1 and four near 0; right, the person in the middle of the scene with three boxes: the proposal in black is too narrow, the refined one in orange and the true one in blue nearly agree"
scores = stages.class_scores[0][proposal]
top = scores.topk(5)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), width_ratios=(1, 1.1))
names = ["background" if number == 0 else SCENES.names[number] for number in top.indices]
axes[0].barh(names[::-1], top.values.flip(0), color=BLUE)
axes[0].set(xlim=(0, 1), xlabel="probability")
show_gray(axes[1], (110, 70, 200, H))
for words, box, color in (("proposal", region, "black"), ("refined", final_box, ORANGE), ("truth", true_box, BLUE)):
    x1, y1, x2, y2 = box.tolist()
    iou = box_iou(box[None], true_box[None]).item()
    words = words if words == "truth" else f"{words}, IoU {iou:.2f}"
    axes[1].add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, linewidth=2, label=words))
axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %% [markdown]
# There is no doubt about the class, and the refined box is the better one. Every pair of region and class with a
# probability of more than 0.05 is a candidate; NMS within each class removes near copies, and the best 100 are
# detections. So low a threshold is right for AP, which wants many candidates with honest scores; for looking at the
# result, take 0.5. How many are left at each step?

# %%
candidates = int((stages.class_scores[0][:, 1:] > 0.05).sum())
detected = stages.detected_scores[0]
print(f"{len(after.boxes)} proposals, {candidates} pairs of region and class above 0.05")
print(f"{len(detected)} detections after suppression, {(detected > 0.5).sum()} of them above 0.5")

# %% [markdown]
# From 60 candidates suppression leaves twelve, and five of these are sure enough to be looked at.
#
# ### Masks
#
# The mask branch looks again, at the *refined* box this time and with 14 × 14 bins. It is an FCN for one region: two
# convolutions (four in the paper), a [transposed convolution](glossary.ipynb#transposed-convolution) of stride 2 that
# doubles the size to 28 × 28 (lesson 3; the paper says *deconvolution*, which it is not), and a 1 × 1 convolution to
# one mask for each class. The class is decided already, by the box branch. So the mask of that class is taken, and a
# sigmoid makes probabilities of it.

# %%
from segtutor.models.mask_rcnn.roi_pooling import pool_regions

maps = list(stages.features.values())[: model.backbone.pooled_levels]
with torch.no_grad():
    pooled, _ = pool_regions(maps, stages.strides[:3], stages.detected_boxes, 14, model.settings)
    logits = model.roi_heads.mask_predictor(model.roi_heads.mask_head(pooled))  # R x 33 x 28 x 28
chosen = logits[torch.arange(len(logits)), stages.detected_labels[0]].sigmoid()
assert torch.allclose(chosen, stages.mask_probabilities[0], atol=1e-4)
print("regions", tuple(pooled.shape), "-> masks", tuple(logits.shape), end=" ")
print("-> of the detected class", tuple(chosen.shape))

# %% [markdown]
# The upper row shows the masks of the eight surest detections, each in the frame of its box; the lower row, our
# person's mask and what seven *other* classes would draw for the same region:

# %% fold="Draw masks of detections, and of other classes" alt="Above, eight square masks of 28 by 28, the first of people and a dog, all stretched to squares, some of the later ones blurred. Below, masks of eight classes for one region: that of person has a person's shape; boat, car and bus show the same shape with noise, the other classes faint traces"
figure, axes = plt.subplots(2, 8, figsize=(9, 2.7))
for axis, mask, number in zip(axes[0], chosen, stages.detected_labels[0], strict=False):
    axis.imshow(mask, cmap="cividis", vmin=0, vmax=1)
    axis.set_title(SCENES.names[number])
shown = ["person", "dog", "bird", "cat", "horse", "boat", "car", "bus"]
for axis, words in zip(axes[1], shown, strict=True):
    axis.imshow(logits[detection, SCENES.index(words)].sigmoid(), cmap="cividis", vmin=0, vmax=1)
    axis.set_title(words)
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Where the class is the true one, the mask is sharp. Channels of other classes were never trained on people; some
# show the checkerboard to which transposed convolutions tend (lesson 3). It does no harm, because nobody asks them:
# the classes do not compete. In an FCN, a softmax makes every pixel choose one of all classes. Here each class has
# its own sigmoid, and only the mask of the true class is trained, so the mask branch need not decide again what the
# thing is. The paper calls this decoupling essential. Is it, here?

# %%
card("maskrcnn.sigmoid")

# %% [markdown]
# It is, with every seed and nearly as clearly as in the paper: 4.8 points of mask AP here, 5.5 there.
#
# If the class is decided elsewhere, are 33 masks needed? One for all classes might do. In the paper it nearly does
# (29.7 % against 30.3 %):

# %%
card("maskrcnn.agnostic")

# %% [markdown]
# It does here, too. Now look at the *boxes* of the three networks, in the folded numbers of the last two cards: box
# AP is 20.3 % with the softmax, 18.6 % with a sigmoid per class, and 21.5 % with one mask for all classes. So the
# sigmoid's gain is one of masks only; its boxes come last, and behind those of the single mask by 2.3 to 3.4 points
# in every seed. The number of masks alone is not the reason, since the softmax has 33, too; we have tested no other.
# The paper does not report these boxes.
#
# ### Pasting
#
# The 28 × 28 probabilities go back into the picture. At the center of each pixel inside the box, the mask is
# interpolated, and what reaches 0.5 belongs to the object. Half a pixel decides here again. A mask of ones in the box
# from 10 to 20 must give 10 × 10 pixels:

# %%
from segtutor.models.mask_rcnn.paste import paste_masks

ones, ten = torch.ones(1, 28, 28), torch.tensor([[10.0, 10.0, 20.0, 20.0]])
print("at the pixels' centers:", int(paste_masks(ones, ten, (30, 30)).sum()), "pixels;", end=" ")
print("as torchvision does it:", int(paste_masks(ones, ten, (30, 30), legacy=True).sum()))

row, column = int(final_box[[1, 3]].mean()), int(final_box[[0, 2]].mean())  # one pixel, in the middle
x1, y1, x2, y2 = final_box
v, u = (row + 0.5 - y1) / (y2 - y1) * 28 - 0.5, (column + 0.5 - x1) / (x2 - x1) * 28 - 0.5
i, j = int(v), int(u)
around = chosen[detection, i : i + 2, j : j + 2]
weights = torch.outer(torch.tensor([1 - (v - i), v - i]), torch.tensor([1 - (u - j), u - j]))
probability = (weights * around).sum()
print(f"pixel ({row}, {column}) lies at ({v:.2f}, {u:.2f}) of the mask, probability {probability:.2f}")
assert (probability >= 0.5) == stages.detections[0]["masks"][detection, row, column]

# %% [markdown]
# (torchvision widens the box to whole pixels and by one more.) The pixel by hand agrees. This is the whole way of one
# mask:

# %% fold="Draw the way of one mask" alt="Three pictures: the 28 by 28 mask of the person; the same stretched over its box in the scene; the mask after the threshold as an orange outline on the scene, close to the person's true outline in dashed blue"
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4))
axes[0].imshow(chosen[detection], cmap="cividis", vmin=0, vmax=1)
axes[0].set_title("28 × 28, in the box's frame")
show_gray(axes[1])
axes[1].imshow(chosen[detection], cmap="cividis", vmin=0, vmax=1, extent=(x1, x2, y2, y1), alpha=0.8)
axes[1].set_title("stretched over the box")
pasted = stages.detections[0]["masks"][detection]
iou = metrics.mask_iou(pasted, target["masks"][largest])
show_gray(axes[2])
centers = np.arange(W) + 0.5, np.arange(H) + 0.5
axes[2].contour(*centers, pasted, levels=[0.5], colors=[ORANGE])
axes[2].contour(*centers, target["masks"][largest], levels=[0.5], colors=[BLUE], linestyles="--")
axes[2].set_title(f"pasted (orange), truth (blue)\nIoU {float(iou):.2f}")
for axis in axes[1:]:
    axis.set(xlim=(110, 200), ylim=(H, 70))
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# And these are all detections above 0.5. A found and a true object that match share a color; black ones match nothing.

# %% fold="Draw what was found beside the truth" alt="The park scene twice. Left the detections: three people in three colors, a black fourth one too many between two of them, and the dog. Right the true objects: the same three people and the dog in the same colors, and two cats in black."
found = inference.detect(model, image, score_threshold=0.5)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.3))
colors = plotting.matched_colors(found["masks"], target["masks"])
for axis, title in zip(axes, ("found", "truth"), strict=True):
    show_gray(axis)
    axis.set_title(title)
figure.draw_without_rendering()  # so that captions know how large the axes will be
for axis, things, of_things in zip(axes, (found, target), colors, strict=True):
    plotting.show_objects(gray, things, SCENES.names, colors=of_things, view=VIEW, ax=axis)
plt.show()

# %% [markdown]
# ### Where did the cats get lost?
#
# An object must pass three stages: a proposal has to cover it, the box branch has to give that proposal the right
# class, and suppression has to leave it. So ask each of them.
#
# **Predict, then run.** Which stage lost the two cats?

# %%
best_iou, best = box_iou(target["boxes"], after.boxes).max(dim=1)  # over the proposals
words = ("background", *SCENES.names[1:])
print("object    best proposal   its class and score", end="    ")
print("score of the right class   best detection of that class")
for number, label in enumerate(target["labels"]):
    scores = stages.class_scores[0][best[number]]
    right = stages.detected_labels[0] == label
    overlaps = box_iou(target["boxes"], stages.detected_boxes[0][right])[number]
    print(f"{words[label]:9} IoU {best_iou[number]:.2f}", end="        ")
    print(f"{words[scores.argmax()]:10} {scores.max():.2f}", end=" ")
    print(f"{scores[label]:19.2f} {'':18} IoU {overlaps.max():.2f}, ", end="")
    print(f"score {stages.detected_scores[0][right][overlaps.argmax()]:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The second. Both cats have a proposal that covers them well enough (IoU 0.58 and 0.67), but the box branch takes
# both for background with a probability of 0.89 and gives *cat* only 0.05 and 0.01. What is left of both in the end
# is a single detection, with a score of 0.07.
#
# </details>
#
# The other mistake, the fourth person, you know from the slider: its box overlaps those of both real people by less
# than half, so suppression left it.
#
# ## Five losses
#
# The network is trained on the plain sum of five losses, two of the RPN and three of the heads:
#
# $$ L = \underbrace{L_\text{object} + L_\text{anchor}}_{\text{RPN}} + \underbrace{L_\text{class} +
# L_\text{box} + L_\text{mask}}_{\text{heads}}. $$
#
# - $L_\text{object}$ asks whether an anchor holds an object. It is a
#   [cross entropy](glossary.ipynb#cross-entropy) with only two classes, yes and no, called
#   [binary cross-entropy](glossary.ipynb#binary-cross-entropy), over the sampled anchors.
# - $L_\text{anchor}$ is about the four offsets of positive anchors, $L_\text{box}$ about those of regions with an
#   object. Both are [smooth L1](glossary.ipynb#smooth-L1) of each difference $d$: the parabola $d^2 / 2$ where $|d| <
#   1$, and beyond the line $|d| - \frac12$, so that a wild outlier does not rule the gradient. (In $L_\text{anchor}$
#   the parabola ends at 1/9 already.)
# - $L_\text{class}$ is the cross entropy over the sampled regions, at most a quarter of them objects (0.4 in the small
#   network).
# - $L_\text{mask}$ is the binary cross-entropy again, over the pixels of regions with an object, and only in the
#   channel of the *true* class. Its target is the object as seen through the **proposal**, which may cut it off.
#
# Here is the mask loss in three lines, and the proof that other channels learn nothing from it:

# %%
from segtutor.models.mask_rcnn.mask_head import mask_loss, mask_targets

torch.manual_seed(0)
cut_off = true_box + torch.tensor([8.0, 0, 8, 0])  # a region that cuts the person off
wanted = mask_targets(
    target["masks"], torch.stack([true_box, cut_off]), torch.tensor([largest] * 2), 28, model.settings
)
raw, labels = torch.randn(2, 33, 28, 28, requires_grad=True), torch.tensor([person, person])

x = raw[torch.arange(2), labels]  # the channel of the true class
by_hand = (F.softplus(x) - wanted * x).mean()  # -t log s(x) - (1 - t) log(1 - s(x)), without overflow
assert torch.allclose(by_hand, mask_loss(raw, wanted, labels, model.settings), atol=1e-6)
by_hand.backward()
moved = raw.grad[0].flatten(1).any(dim=1).nonzero()
print("channels with a gradient:", [SCENES.names[number] for number in moved])
whole, half = wanted.mean(dim=(1, 2))
print(f"share of the target that is person: {whole:.2f}, through the shifted box {half:.2f}")

# %% [markdown]
# **Predict, then run.** What are the five losses of our picture, for a network whose heads are still random and for
# the trained one? Two of the ten numbers you can know beforehand: the class is one of 33, and an anchor holds an
# object or not.

# %% fold="Compute the five losses of our picture, before and after training"
NAMES = {
    "object": "loss_objectness", "anchor": "loss_rpn_box_reg", "class": "loss_classifier", "box": "loss_box_reg",
    "mask": "loss_mask",
}  # fmt: skip


def losses_of(network):
    """The five losses of the picture, their names as in the formula; batch norm keeps its statistics."""
    network.eval()
    network.training = True  # the network itself computes losses, its layers stay as in evaluation
    torch.manual_seed(0)  # which anchors and regions are sampled is random
    with torch.no_grad():
        losses = network([image], [target])
    network.eval()
    return {name: float(losses[key]) for name, key in NAMES.items()}


torch.manual_seed(0)
fresh = models.create("maskrcnn_tiny", num_classes=33)
models.load_weights(fresh, resources.data("checkpoints/deeplabv3_tiny.pt"), layout="segtutor_tiny_body")
lines = ["| | " + " | ".join(f"$L_\\text{{{name}}}$" for name in NAMES) + " | sum $L$ |", "|---|" + "---:|" * 6]
for words, network in (("heads still random", fresh), ("trained", model)):
    values = list(losses_of(network).values())
    lines.append(f"| {words} | " + " | ".join(f"{value:.2f}" for value in (*values, sum(values))) + " |")
Markdown("\n".join(lines))

# %% [markdown]
# <details><summary>Answer</summary>
#
# A network without any idea gives each class 1/33, and $L_\text{class} = \ln 33 \approx 3.50$. Likewise an undecided
# answer to yes or no costs $\ln 2 \approx 0.69$, as in $L_\text{object}$. (The random mask head is not undecided. It is
# wrong with some confidence, and pays more.)
#
# </details>
#
# Four losses fall, and $L_\text{box}$ *rises*, from 0.00 to 0.35. Nothing is wrong with it. The true boxes are always
# added to the proposals; with a random RPN these six are the only regions with an object among the 32 of the sample,
# and they need not be moved at all. The trained RPN has found more, twelve in all, and each of them has something to
# learn. So do not be alarmed if a box loss does not fall in a training of your own. Read a detector's progress in its
# AP.
#
# "The model tries to solve complementary tasks leading to better performances on each individual task": so it is often
# put. In the paper, box AP is 38.2 % with the mask branch and 37.3 % without (ResNet-101-FPN, Table 3). And here?

# %%
card("maskrcnn.multi_task")

# %% [markdown]
# Two seeds gain a little with masks, the third loses more than both gain. Where seeds differ by more than the effect
# that one looks for, three of them cannot decide.
#
# ## How good is it?
#
# The course comes with two trained networks of this kind, and their numbers must not be mixed. The **crowd** network,
# which you have followed, learned from scenes like ours: things overlap and hide each other. The **single** network
# learned from easier scenes, smaller and with single things. Each has a record of 200 scenes of *its own* kind. Below
# it stands what each reaches on the 20 scenes of this lesson. AP50 asks for a rough overlap, an IoU of 0.5; AP is
# COCO's mean over thresholds from 0.5 to 0.95 (lesson 1).

# %% fold="List the scores of both networks"
single_file = resources.data("checkpoints", "maskrcnn_tiny_near.pt")
single = models.create("maskrcnn_tiny", weights=single_file)
files = {"crowd": resources.data("checkpoints", "maskrcnn_tiny.json"), "single": single_file.with_suffix(".json")}
lines = ["| network | scored on | box AP50 | mask AP50 | mask AP |", "|---|---|---:|---:|---:|"]
measured = {}
for name, network in (("crowd", model), ("single", single)):
    record = json.loads(files[name].read_text(encoding="utf-8"))
    measured[name] = inference.evaluate_detector(network, scenes, progress=False)
    here = {"boxes": measured[name].boxes, "masks": measured[name].masks}
    for pictures, values in ((f"200 {name} scenes, its own kind", record), ("the 20 scenes of this lesson", here)):
        numbers = (values["boxes"]["AP50"], values["masks"]["AP50"], values["masks"]["AP"])
        lines.append(f"| {name} | {pictures} | " + " | ".join(f"{value:.1%}" for value in numbers) + " |")
Markdown("\n".join(lines))

# %% [markdown]
# On the *same* 20 scenes the crowd network is far ahead; it has learned from scenes like these. The two rows of 200
# scenes cannot be compared at all, since they are about different pictures; that the single network has the higher
# mask AP50 there, 60.1 % against 52.0 %, says nothing about the networks. And each network's own two rows differ
# because they are about different pictures, too, and 20 of them are few.
#
# In every row the boxes are far ahead of the masks. The classes of the crowd network on our 20 scenes say more (in %,
# by masks):

# %%
print(measured["crowd"])

# %% [markdown]
# People are found, with an AP50 of 99 %. Their AP, the mean up to a threshold of 0.95, is only 54 %, so their outlines
# are not exact. Of the bicycles not one mask counts. The finest map has a stride of 4 pixels, and legs, tails and the
# tubes of a bicycle are hardly wider than that.
#
# ### Train one yourself
#
# The single network took five minutes of two cores, on easier scenes: near things without companions, no bollards
# (whose two kinds differ only in their far surroundings, as in lesson 4) and smaller pictures. The first two stages
# of the body stay frozen. From the course's folder, on Linux or macOS:
#
# ```bash
# torchrun --nproc-per-node 2 -m segtutor.cli train --model maskrcnn_tiny --option frozen_stages=2 \
#     --option mask_threshold=0.4 --weights data/checkpoints/deeplabv3_tiny.pt --layout segtutor_tiny_body \
#     --data scenes --size 160x192 --scene scale_range=1.5 --scene crowd=0 --scene thin=0 --scene context=0 \
#     --train-count 1500 --val-count 200 --steps 1100 --batch-size 8 --learning-rate 0.0025 --weight-decay 0.01 \
#     --warmup-steps 100 --precision auto --half --out my_maskrcnn.pt
# ```
#
# Two processes share the work, four pictures each, because the many small operations of a detector gain little from a
# second thread. The masks' threshold is 0.4 because the network is less sure of thin things.
#
# ## From instances to a panoptic map
#
# Detections overlap and leave holes. A panoptic map gives each pixel exactly one segment ([panoptic
# segmentation](glossary.ipynb#panoptic-segmentation)): a *thing* with a number of its own, or
# [stuff](glossary.ipynb#things-and-stuff) such as sky and road, which is not counted. The usual recipe takes instances
# in the order of their scores. Each gets the pixels that are still free, and is dropped if less than half of it is
# left. Then stuff from a semantic network, here the DeepLab v3 of lesson 6b, fills what is free. What that network
# calls a thing but no instance claims stays void.


# %%
def panoptic(instances, label_map):
    """Segment ids H x W and their list, from (class, mask) by falling score and a map for the stuff."""
    segments, info = np.zeros(label_map.shape, dtype=int), []
    for label, mask in instances:
        free = mask & (segments == 0)
        if free.sum() > 0.5 * mask.sum():
            info.append({"id": len(info) + 1, "category_id": int(label)})
            segments[free] = len(info)
    for label in set(np.unique(label_map)) & (SCENES.stuff | {0}):  # 0 is all that has no name
        free = (label_map == label) & (segments == 0)
        if free.sum() >= 64:  # smaller patches are noise
            info.append({"id": len(info) + 1, "category_id": int(label)})
            segments[free] = len(info)
    return segments, info


# %% [markdown]
# Instances and a semantic map make the panoptic one. Colors are those of the classes; black lines separate segments.


# %% fold="Draw instances, the semantic map, the panoptic map and the truth" alt="Four label maps of the park scene: the instances alone on white, three people and a dog with black outlines; the semantic network, where two people are one blob and the dog is mixed with cat; the panoptic map, where people are apart and white void is left around them; the true panoptic map"
def instances_of(image, least=0.5):
    """(class, mask) by falling score."""
    found = inference.detect(model, image, score_threshold=least)
    return [(int(label), mask.numpy()) for label, mask in zip(found["labels"], found["masks"], strict=True)]


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


truth_set = Scenes("val", (H, W), 20, target="panoptic", **WORLD)
true_segments, true_info = truth_set[12][1]["segments"].numpy(), truth_set[12][1]["segments_info"]
semantic_net = models.create("deeplabv3_tiny", num_classes=33, weights="course").eval()
label_map = inference.predict(semantic_net, image, scales=(0.5,)).numpy()  # things as small as in its own training
segments, info = panoptic(instances_of(image), label_map)
views = {
    "instances": painted(*panoptic(instances_of(image), np.full_like(label_map, SCENES.ignore_index))),
    "semantic network": plotting.colorize(label_map, SCENES),
    "panoptic": painted(segments, info), "truth": painted(true_segments, true_info),
}  # fmt: skip
figure, axes = plt.subplots(1, 4, figsize=(9, 2.5))
for axis, (title, colors) in zip(axes, views.items(), strict=True):
    axis.imshow(colors)
    axis.set_title(title)
    axis.set_axis_off()
seen = set(np.unique(label_map)) | {segment["category_id"] for segment in (*info, *true_info)}
plotting.legend(figure, seen | {SCENES.ignore_index}, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=7)
plt.show()

# %% [markdown]
# In the panoptic map the fourth person is gone, since too little of that mask was still free.
#
# ### PQ by hand
#
# Panoptic quality counts, for each class, the segments that match (TP: same class, IoU above 0.5; at most one can),
# those that are missed (FN) and those that are invented (FP). Its factors are the quality of *segmentation* (SQ) and
# of *recognition* (RQ):
#
# $$ PQ = \frac{\sum_{\text{matches}} IoU}{TP + \frac12 FP + \frac12 FN} = \underbrace{\frac{\sum IoU}{TP}}_{SQ} \cdot
# \underbrace{\frac{TP}{TP + \frac12 FP + \frac12 FN}}_{RQ}. $$

# %%
official = metrics.panoptic_quality((true_segments, true_info), (segments, info), SCENES)
for words in ("person", "dog", "cat"):
    number = SCENES.index(words)
    ours = [segments == one["id"] for one in info if one["category_id"] == number]
    theirs = [true_segments == one["id"] for one in true_info if one["category_id"] == number]
    iou = np.array([float(metrics.mask_iou(a, b)) for a in ours for b in theirs])
    matches = iou[iou > 0.5]
    missed, invented = len(theirs) - len(matches), len(ours) - len(matches)
    quality = matches.sum() / (len(matches) + invented / 2 + missed / 2)
    assert np.isclose(official.per_class[number].PQ, quality)
    print(f"{words:7} {len(matches)} matches with a sum of IoU of {matches.sum():.2f}, ", end="")
    print(f"{missed} missed, {invented} invented: PQ {quality:.2f}")

# %% [markdown]
# The three people match and the two cats are missed, so *cat* has a PQ of 0.
#
# Now we score the baseline of the beginning, connected regions, and Mask R-CNN on twelve scenes.
#
# **Predict, then run.** The first row may even use the *true* label map for its regions. Does Mask R-CNN beat it?

# %% fold="Score connected regions and Mask R-CNN by panoptic quality"
ways = {"regions of the true label map": [], "regions of the semantic network": [], "Mask R-CNN": []}
truths = []
for index in range(12):
    pixels, true_map = truth_set[index]
    truths.append((true_map["segments"].numpy(), true_map["segments_info"]))
    true_labels, predicted = scenes.scene(index).labels, inference.predict(semantic_net, pixels, scales=(0.5,)).numpy()
    ways["regions of the true label map"].append(panoptic(regions(true_labels), true_labels))
    ways["regions of the semantic network"].append(panoptic(regions(predicted), predicted))
    ways["Mask R-CNN"].append(panoptic(instances_of(pixels), predicted))
lines = ["| twelve scenes | PQ of things | SQ | RQ | PQ of stuff |", "|---|---:|---:|---:|---:|"]
for words, predictions in ways.items():
    scores = metrics.panoptic_quality(truths, predictions, SCENES)
    numbers = (scores.things.PQ, scores.things.SQ, scores.things.RQ, scores.stuff.PQ)
    lines.append(f"| {words} | " + " | ".join(f"{value:.1%}" for value in numbers) + " |")
Markdown("\n".join(lines))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Not in PQ, since the outlines of the true map are perfect (SQ). But RQ says how many things are found without
# inventing others, and there Mask R-CNN comes close to the regions of a *perfect* label map. Regions of a label map
# that a network made are seldom an object: every bit of a wrong class is an invention.
#
# </details>
#
# ## Summary
#
# - A label map does not count. Connected regions merge what touches and split what is covered.
# - From R-CNN to Mask R-CNN, what was done for each region is done once, and what is left is done for fewer regions.
# - Anchors are questions, the RPN answers them. Suppression removes copies, and what no proposal covers is lost.
# - RoIAlign rounds nothing. Half a pixel matters twice, in RoIAlign and in pasting.
# - The class is decided by the box branch. Each class has its own mask of 28 × 28, in the frame of the refined box.
# - Five losses are added up. Read the progress in AP, and say on which pictures.
# - Instances by falling score and stuff from a semantic network make a panoptic map; PQ = SQ · RQ.
#
# In [assignment 5](assignments/05_mask_rcnn.ipynb) you write the geometry yourself. [Lesson 6a](06a_deeplab_v2.ipynb)
# comes back to [semantic segmentation](glossary.ipynb#semantic-segmentation) with DeepLab.
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
# ## Reading
#
# - [He et al. 2017](https://arxiv.org/abs/1703.06870): Figure 3 is RoIAlign, Figure 4 the heads; Table 2 has all
#   ablations, each with one thing changed. Note what stays.
# - [Ren et al. 2015](https://arxiv.org/abs/1506.01497): §3.1 and Figure 3, the RPN; Table 5, where the time goes.
# - [Lin et al. 2017](https://arxiv.org/abs/1612.03144): Figure 1 compares four pyramids; Eq. 1 is the level of a
#   region.
# - [Kirillov et al. 2019](https://arxiv.org/abs/1801.00868): panoptic segmentation; §4 defines PQ, and Figure 2 shows a
#   match.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo). Look for:
#   what each member of the R-CNN family shares between regions.

# %% [markdown]
# ## Going deeper
#
# ### The heads of the paper
#
# The paper has two variants of the heads (its Figure 4). **C4** has no pyramid: regions are cut from one map of
# stride 16, and the last stage of the ResNet, `res5`, runs on every region. **FPN** cuts from a pyramid and has light
# heads; it is better and faster, and everybody uses it today, this course included.
#
# | | what is cut out | then | gives |
# |---|---|---|---|
# | C4, class and box | 7 × 7 × 1024 | `res5` to 7 × 7 × 2048, its mean | classes and boxes |
# | C4, mask | the same | transposed convolution to 14 × 14 × 256 | masks of 14 × 14, one per class |
# | FPN, class and box | 7 × 7 × 256 | two layers of 1024 | classes and boxes |
# | FPN, mask | 14 × 14 × 256 | four 3 × 3 convolutions, transposed convolution to 28 × 28 × 256 | masks of 28 × 28, one per class |
#
# ### How the paper trained
#
# The paper trained by SGD with momentum 0.9, weight decay $10^{-4}$ and 16 pictures on 8 GPUs, at a learning rate of
# 0.02, which is divided by 10 after 120,000 of 160,000 steps. Batch norm is frozen, because two pictures per GPU are
# too few for statistics. For the main results the RPN was trained separately and its proposals were kept (§3.1). All
# parts together, as here, is in appendix B, and is better by 0.6 points of mask AP and 1.2 of box AP. The time of 195
# ms per picture (§4.4) belongs to ResNet-101-FPN with 1,000 proposals; 300 proposals are used with C4.
#
# ### Published results
#
# One often reads: *37.1 % AP on the 2016 COCO segmentation challenge and 41.8 % on the 2017 one*. Both numbers are
# real, and neither is what it sounds like. **37.1** is mask AP on *test-dev*, of ResNeXt-101 with FPN, a single model;
# the paper compares it with the winner of 2016. **41.8** is on *minival* (the pictures of val2017), of ResNeXt-152 with
# non-local blocks, trained on 5000 classes of ImageNet before, and tested at several scales and mirrored: the
# foundation of the entry of 2017, which was an ensemble.

# %% fold="Draw published mask AP" alt="Mask AP of six Mask R-CNNs on COCO. On test-dev 33.1, 35.7 and 37.1 for ResNet-101-C4, ResNet-101-FPN and ResNeXt-101-FPN; on minival 33.6, 36.7 and 41.8 for ResNet-50-FPN, ResNeXt-101-FPN and ResNeXt-152-FPN, the last tested at several scales and with more training data"
from segtutor import claims

claims.show_published("COCO")
plt.show()

# %% [markdown]
# These are the ablations behind this lesson's claims, and what code bases reach. Mind the 41.8 of torchvision's
# second version: that it equals the paper's is chance.

# %% fold="List ablations and code bases"
lines = ["| mask AP, % | backbone | what | source |", "|---:|---|---|---|"]
for result in claims.published("Mask R-CNN"):
    if result.kind in ("ablation", "code base") and result.metric == "mask AP":
        what = result.note or result.test_time
        lines.append(f"| {result.value} | {result.backbone} | {what} | {result.short_source}, {result.place} |")
Markdown("\n".join(lines))

# %% [markdown]
# Paper, reference code, torchvision and ours differ:

# %% fold="Show the differences as a table"
from segtutor.models.differences import as_markdown
from segtutor.models.mask_rcnn import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# These are the numbers of parameters; 91 is COCO's number of classes with gaps and background:

# %% fold="Count the parameters"
for name in ("maskrcnn_tiny", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "maskrcnn_resnext101_fpn"):
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in models.create(name, num_classes=91).parameters())
    print(f"{name:26} {count:>11,}")

# %% [markdown]
# ### Implementations
#
# For work on photographs, start from published weights. These lines are not run here, since they download 170 MB:
#
# ```python
# model = models.create("maskrcnn_resnet50_fpn", weights="torchvision")   # sets compat="torchvision" by itself
# found = inference.detect(model, "photograph.jpg", score_threshold=0.5)
# ```
#
# **[Detectron2](https://github.com/facebookresearch/detectron2)** is the reference, by the authors' group. It has
# Fast R-CNN (with proposals from a file), Faster R-CNN and Mask R-CNN, but not the R-CNN of 2014. What it adds to
# what you saw here: a model zoo (under CC BY-SA 3.0), cascades of heads, keypoints, panoptic FPN, PointRend's finer
# masks, rotated boxes and training on many GPUs. There is a [demo on
# Colab](https://colab.research.google.com/drive/16jcaJoc6bCFAQ96jDe2HwtXj7BMD_-m5). Detectron2 has to be compiled for
# your version of PyTorch, and many questions about it come from there. torchvision has a Mask R-CNN, too, and this
# course's loads its weights.
#
# ### Bad input
#
# The network refuses wrong targets before anything has changed, and names the picture and the box:

# %% fold="Hand the network seven wrong targets and an empty one"
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
# ### Pitfalls
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
# - **AP that is not COCO's**: box AP quoted as mask AP, or a mean of AP per picture, as in a popular implementation's
#   examples. -1 means that there was nothing to find
#   ([cocoapi#594](https://github.com/cocodataset/cocoapi/issues/594)).
# - **Old code that no longer runs, or runs and gives nonsense boxes**: matterport's Mask R-CNN stayed on TensorFlow 1
#   ([#2684](https://github.com/matterport/Mask_RCNN/issues/2684),
#   [#2909](https://github.com/matterport/Mask_RCNN/issues/2909)).
