# ---
# title: "Mask classification: one network, three tasks"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", "[Lesson 5](05_mask_rcnn.ipynb)", "[Lesson 8](08_transformers.ipynb), attention"]
# minutes_work: 75
# ---

# %% [markdown]
# So far this course has had two kinds of networks. One gives every pixel a class, and cannot count. The other finds
# things one by one, through boxes and [proposals](glossary.ipynb#region-proposal), and has no word for the sky. For a picture in which everything is
# named *and* counted, lesson 5 needed both, and twenty lines that glue their answers together.
#
# In 2021 Cheng, Schwing and Kirillov asked a different question. Instead of *which class has this pixel?* their network
# answers *which masks are there, and which class has each of them?* A sheep is a mask with a class, and so is the sky.
# One network, trained with one loss, then solves [semantic](glossary.ipynb#semantic-segmentation),
# [instance](glossary.ipynb#instance-segmentation) and [panoptic](glossary.ipynb#panoptic-segmentation) segmentation.
# They called it **MaskFormer**; its successor of the same year, **Mask2Former**, was better than the best network *made
# for* each of the three tasks, and most of what leads the tables today descends from it.
#
# ## Objectives
#
# After this lesson you can
#
# - **say** what a set of masks can express that a [label map](glossary.ipynb#label-map) cannot, and turn one into the other;
# - **follow** an [object query](glossary.ipynb#object-query) from a vector to a mask with a class, and say what
#   [masked attention](glossary.ipynb#masked-attention) lets it see, by which rule, and what that brings;
# - **match** queries with objects on paper, and **compute** the losses that follow from it;
# - **read** one output as a label map, as instances and as a panoptic map, and **compute** its quality by hand.
#
# ## The claim
#
# > A query that looks only inside the mask it drew last learns faster, and better, than one that looks at the whole map.
#
# On COCO the [mAP](glossary.ipynb#average-precision) of the masks is 37.8 % without this *masked attention* and 43.7 % with
# it, and the [panoptic quality](glossary.ipynb#panoptic-quality) 47.1 and 51.9 %
# ([Cheng et al. 2022](https://arxiv.org/abs/2112.01527), §3.2 and Table 4a). Not one weight is added. We look at how it works,
# train the small network with and without it, and measure what goes wrong where a mask is empty. Four more experiments ask
# where masks tell apart what a label map joins, what matching is for, and how many classes it takes.

# %% fold="Import what the lesson needs, and load three trained networks"
import inspect
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from torch.nn import functional as F

from segtutor import inference, metrics, models, plotting
from segtutor.claims import card, find, recorded
from segtutor.claims.masks import SCENE, STUFF, components
from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.models.attention import attend, size_of
from segtutor.models.mask_classification import losses, matching, query_decoder

plotting.use_course_style()
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
network = models.create("mask2former_tiny", weights="course").eval()
semantic_net = models.create("deeplabv3_tiny", weights="course").eval()
detector = models.create("maskrcnn_tiny", weights="course").eval()


def world(size, target="panoptic"):
    """The scenes of this lesson: near things that touch, at any size."""
    return Scenes("val", size=size, count=60, target=target, crowd=1.0, **dict(SCENE))


small, large = world((96, 128)), world((240, 320))  # what the network sees, and the same drawn finer for us
NUMBER = 34
image, truth = small[NUMBER]
picture = torch.from_numpy(ndimage.median_filter(large[NUMBER][0].numpy(), (1, 5, 5)))  # without the noise, for us


def without_frames(axes):
    for axis in np.ravel(axes):
        axis.set_axis_off()


# %% [markdown]
# ## Two ways to answer
#
# Take a strip of eight pixels. Two sheep stand side by side on a meadow, and a network for label maps is right
# everywhere.
#
# **Predict, then run.** How many sheep does the label map hold?

# %%
label_strip = np.array([0, 0, 1, 1, 1, 1, 0, 0])  # 0 grass, 1 sheep
masks = np.array([
    [0, 0, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 1, 1, 0, 0],
    [1, 1, 0, 0, 0, 0, 1, 1],
])  # fmt: skip
classes = np.array([1, 1, 0])
print("sheep in the label map:", ndimage.label(label_strip == 1)[1])
print("sheep in the set of masks:", (classes == 1).sum())
print("the label map from the masks:", (classes[:, None] * masks).sum(0))

# %% [markdown]
# <details><summary>Answer</summary>
#
# One. Each pixel of the label map is right, and still there is no border between the two animals: nothing in it says that
# the third and the fourth pixel belong together and the fourth and the fifth do not.
#
# </details>
#
# The set of masks keeps the two apart. It also holds the label map, as the last line shows, so nothing is lost. There is
# no way back. That is why *a set of masks, each with one class* is the more general answer, and the idea is called
# [mask classification](glossary.ipynb#mask-classification).
#
# ## A mask from a vector
#
# How can a network answer with a *set*? It must not matter in which order the masks come, and their number differs from
# picture to picture. MaskFormer fixes a number $Q$ of answers that is always large enough, 100 in the paper and 32 in the
# small network here. An answer that is not needed says so: besides the $K$ classes there is one more, *no object*.
#
# Each answer begins as a learned vector, an **object query**. What it becomes on its way through the network we look at
# later. In the end it is a vector $q$ of $D$ numbers, and the network has another such vector $e_{xy}$ for every place
# of a fine map, the [pixel embeddings](glossary.ipynb#pixel-embedding). The mask of a query is how well the two agree,
# and its class is a linear layer:
#
# $$ m_{xy} = \sigma\big(q \cdot e_{xy}\big), \qquad p = \mathrm{softmax}(W q + b) \in \mathbb{R}^{K+1}. $$
#
# In two dimensions we can do it by hand. Below, the pixels of the meadow point up, and those of the two sheep point down,
# to the left and to the right.
#
# **Predict, then run.** The second query is (9, −4). Which pixels does it mark?

# %%
up, left, right = torch.tensor([0.0, 1.0]), torch.tensor([-1.0, -1.0]), torch.tensor([1.0, -1.0])
pixels = torch.stack([up, up, left, left, right, right, up, up])  # one vector per pixel of the strip
queries = torch.tensor([[-9.0, -4.0], [9.0, -4.0], [0.0, 9.0]])
logits = queries @ pixels.T
print(logits.sigmoid().round(decimals=2).numpy())

# %% [markdown]
# <details><summary>Answer</summary>
#
# The fifth and the sixth: there the product is 9 + 4 = 13, and σ(13) is nearly 1. At the pixels of the meadow it is −4,
# and at the other sheep −9 + 4 = −5. The two sheep stay apart because their *pixels* have different vectors, and
# nothing but the training makes them so.
#
# </details>
#
# Now the trained network. Its pixel embeddings have 64 numbers; the figure shows the three directions in which they differ most
# as red, green and blue. Beside it are the masks of three of its queries, with their classes.

# %% fold="Look at the pixel embeddings and three masks" alt="Five panels: the drawn scene with three white horses, a person and a boat by a lake; the pixel embeddings as coarse colored squares, in which sky, water, meadow, horses and boat differ; and three masks, of the boat, of all three horses and of the sky, each bright there and dark elsewhere."
with torch.inference_mode():
    batch = network.preprocessing.normalize(image)[None]
    maps, embeddings = network.pixel_decoder(network.backbone(batch))
    predictions = network.decoder(maps, embeddings)
found = inference.find_masks(network, image, size=(240, 320))
vectors = embeddings[0].flatten(1).T
colors = (vectors - vectors.mean(0)) @ torch.pca_lowrank(vectors, q=3, niter=8)[2]
colors = (colors / (2.2 * colors.std(0)) / 2 + 0.5).clamp(0, 1).unflatten(0, size_of(embeddings))
sure, labels = found.classes.softmax(-1)[:, :-1].max(-1)
surest = {int(labels[q]): q for q in sure.argsort().tolist()}  # of each class the surest query
things = sorted((q for label, q in surest.items() if label in SCENES.things), key=lambda q: -sure[q])[:2]
shown = [*things, max((q for label, q in surest.items() if label not in SCENES.things), key=lambda q: sure[q])]
figure, axes = plt.subplots(1, 5, figsize=(9, 1.7))
axes[0].imshow(picture.permute(1, 2, 0))
axes[0].set_title("the scene")
axes[1].imshow(colors, interpolation="nearest")
axes[1].set_title("pixel embeddings")
for axis, query in zip(axes[2:], shown, strict=True):
    axis.imshow(found.masks[query].sigmoid(), cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"{SCENES.names[labels[query]]}, {sure[query]:.0%}")
without_frames(axes)
plt.show()

# %% [markdown]
# The white pixels of a mask are those whose embedding agrees with the query. (The one of the horses marks all three: this
# network has not learned for long enough to keep them apart.) Here is the complete answer, all 32 queries:

# %% fold="Show all queries" alt="Thirty-two small masks in four rows, each with a class name; thirteen are gray and labeled no object. Five are named horse and show the same animals, some are empty, and sky, grass, water, tree and mountain have one each."
figure, axes = plt.subplots(4, 8, figsize=(9, 4.2))
everything = found.classes.softmax(-1).max(-1)
for query, axis in enumerate(axes.flat):
    label = int(everything.indices[query])
    named = label < len(SCENES)
    axis.imshow(found.masks[query].sigmoid(), cmap="gray", vmin=0, vmax=1, alpha=1.0 if named else 0.35)
    axis.set_title(SCENES.names[label] if named else "no object", color="black" if named else "#777777", fontsize=9)
without_frames(axes)
plt.show()
print(int((everything.indices < len(SCENES)).sum()), "of 32 queries name something;", end=" ")
print(len(truth["segments_info"]), "segments are in the scene")

# %% [markdown]
# Thirteen of them say *no object*. The others divide the scene among themselves, and nobody told them how: a query has no
# fixed class and no fixed place. But 19 answers for 11 segments are too many: after only 3,600 steps of training, some draw
# nothing, and several want the same horses. After a long training most say *no object*. How does the training know
# which of them is to blame?
#
# ## Matching
#
# Before every step of the training, each object of the picture is given to exactly one query, and it is done so that the
# *sum* of costs is as small as possible. Every query left over must say *no object*. This is
# [bipartite matching](glossary.ipynb#bipartite-matching), and Kuhn's *Hungarian algorithm* of 1955 finds the best one.
#
# Three queries, three objects, and a cost for each pair:

# %%
costs = np.array([
    [1, 2, 6],
    [2, 7, 9],
    [5, 6, 8],
])  # rows: queries, columns: objects  # fmt: skip

# %% [markdown]
# **Predict, then run.** You might take the cheapest pair of all, then the cheapest of what is left, and so on. What does
# this cost, and is there something better? Try all six assignments with the slider.


# %% fold="Move through all assignments of three queries to three objects"
def draw_assignment(chosen):
    """The table of costs with one cell of each row and column marked."""
    figure, axis = plt.subplots(figsize=(3.6, 2.3))
    axis.imshow(costs, cmap="Blues", vmin=-2, vmax=16)
    for row, column in itertools.product(range(3), range(3)):
        taken = chosen[row] == column
        axis.text(column, row, costs[row, column], ha="center", va="center", weight="bold" if taken else "normal")
        if taken:
            axis.add_patch(plt.Circle((column, row), 0.38, fill=False, color=ORANGE, linewidth=3))
    axis.set_xticks(range(3), ["left\nsheep", "right\nsheep", "grass"])
    axis.set_yticks(range(3), ["query 1", "query 2", "query 3"])
    axis.set_title(" + ".join(str(costs[row, column]) for row, column in enumerate(chosen)) + f" = {total(chosen)}")
    return figure


def total(chosen):
    return int(sum(costs[row, column] for row, column in enumerate(chosen)))


ways = sorted(itertools.permutations(range(3)))
things_named = ("the left sheep", "the right sheep", "the grass")
texts = [
    ", ".join(f"query {row + 1} gets {things_named[column]}" for row, column in enumerate(way)) + f": {total(way)}."
    for way in ways
]
plotting.movable_figures(
    [draw_assignment(way) for way in ways], texts, "Assignment", [f"{n} of 6" for n in range(1, 7)]
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The cheapest pair of all is query 1 with the left sheep, for 1. Of what is left, query 3 with the right sheep is the
# cheapest, for 6, and then query 2 has to take the grass for 9: the sum is 16. The best is 2 + 2 + 8 = 12. There query 1
# takes the right sheep and leaves its favorite to query 2, which needs it more.
#
# </details>
#
# SciPy knows the Hungarian algorithm, and finds the best of the six without trying them all:

# %%
rows, columns = linear_sum_assignment(costs)
pairs = [(int(row) + 1, int(column) + 1) for row, column in zip(rows, columns, strict=True)]
print("query and object:", pairs, "sum", costs[rows, columns].sum())

# %% [markdown]
# What is a cost made of? A pair is cheap if the query believes in the object's class, and if the two masks agree. How
# well they agree is measured twice: by the [cross entropy](glossary.ipynb#cross-entropy) of the pixels, and by one minus the
# [Dice coefficient](glossary.ipynb#Dice-coefficient), which does not care how large an object is:
#
# $$ C(q, o) = -2\, p_q(c_o) + 5\, \mathrm{CE}(m_q, m_o) + 5\, \big(1 - \mathrm{Dice}(m_q, m_o)\big). $$
#
# A perfect pair costs −2, and nothing is cheaper. For the scene above, the package's function gives the table of all 32 queries and all segments of the truth:

# %%
objects = matching.objects_of_segments(truth["segments"], truth["segments_info"])
classes, masks = predictions[-1][0][0], predictions[-1][1][0]
torch.manual_seed(0)
table = matching.costs(classes, masks, objects, matching.LossSettings(points=1024))
queries_taken, objects_given = linear_sum_assignment(table.numpy())
least = table[queries_taken, objects_given].sum()
print(f"{table.shape[0]} queries x {table.shape[1]} objects; the best assignment costs {least:.1f}")

# %% [markdown]
# Eleven perfect pairs would cost −22. The whole table at a glance, with the assignment in circles; now dark is cheap:

# %% fold="Draw the table of costs and the assignment" alt="A table of colors with 32 columns for the queries and one row for each of 11 objects. One orange circle in each row lies, for sky, water, grass, tree and mountain, on the only dark cell; in the rows of boat, person, bird and horses several are dark."
figure, axis = plt.subplots(figsize=(9, 3.4))
drawn = axis.imshow(table.T, cmap="Blues_r", aspect="auto", vmax=25)
axis.plot(queries_taken, objects_given, "o", markersize=10, markerfacecolor="none", color=ORANGE, markeredgewidth=2.5)
axis.set_yticks(range(len(objects.labels)), [SCENES.names[label] for label in objects.labels])
axis.set(xlabel="query", title="dark is cheap; a circle is a pair of the assignment")
figure.colorbar(drawn, ax=axis, label="cost, white: 25 and more", extend="max")
plt.show()

# %% [markdown]
# Sky, water, grass, tree and mountain have one query each that is far cheaper than all others: the network has settled who
# answers for them. For the things there are several candidates. Matching is the reason why the
# network counts: if two queries draw the same horse, only one of them is matched, and the other is told to say *no object*.
#
# ## The loss
#
# Once the pairs are known, three terms are added, with the weights 2, 5 and 5 of the costs. The class of *every* query is
# compared; those left over should have said *no object*. The masks of the *matched* queries are compared by cross entropy and by
# Dice. Why by both? Take a small thing, 4 of 100 pixels, and a mask that has missed it completely.
#
# **Predict, then run.** The mask says 0.02 everywhere. Which of the two losses complains?

# %%
wanted = torch.zeros(100)
wanted[:4] = 1
probability = torch.full((100,), 0.02)
cross_entropy = F.binary_cross_entropy(probability, wanted)
dice = 1 - (2 * (probability * wanted).sum() + 1) / (probability.sum() + wanted.sum() + 1)
print(f"cross entropy {cross_entropy:.3f}, for a mask that says 0.5 everywhere {np.log(2):.3f};", end=" ")
print(f"Dice loss {dice:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Cross entropy hardly does: 96 of 100 pixels are right, and the mean is what counts. The Dice loss asks how much of the
# *object* was found, and at 0.83 it is close to its worst, 1.
#
# </details>
#
# (The two "+ 1" in the code keep the fraction from being 0 / 0 where nothing is wanted and nothing found.)
#
# Two more details. Here 21 of 32 queries are unmatched, so *no object* would drown the
# classes; in the weighted mean over the queries it counts a tenth. And Mask2Former compares masks at **points** instead of at all pixels, 12,544 for a large
# picture: three quarters of them are taken where the mask is least sure, near [logit](glossary.ipynb#logit) 0, and one quarter anywhere.

# %% fold="Choose points for the mask of the first thing" alt="Left, the soft mask of the boat. Right, the same with points: most of the orange ones lie on its outline, inside it and in the dark meadow below, the blue ones are spread over the picture."
torch.manual_seed(0)
place = int(np.flatnonzero(queries_taken == things[0])[0]) if things[0] in queries_taken else 0
query, one = int(queries_taken[place]), int(objects_given[place])
chosen = matching.Objects(objects.labels[one : one + 1], objects.masks[one : one + 1], objects.void)
points = losses.uncertain_points(masks[query : query + 1], chosen, 200, matching.LossSettings())[0]
figure, axes = plt.subplots(1, 2, figsize=(6, 2.2))
for axis in axes:
    axis.imshow(found.masks[query].sigmoid(), cmap="gray", vmin=0, vmax=1, extent=(0, 1, 1, 0), aspect=0.75)
axes[1].plot(*points[:150].T, ".", color=ORANGE, markersize=5, label="unsure")
axes[1].plot(*points[150:].T, ".", color=BLUE, markersize=5, label="anywhere")
axes[1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
axes[0].set_title(f"the mask of a {SCENES.names[chosen.labels[0]]}")
axes[1].set_title("200 points of the loss")
without_frames(axes)
plt.show()

# %% [markdown]
# The orange points are the least sure of three times as many, drawn at random: the work goes where the question is open.
#
# ## MaskFormer and Mask2Former
#
# What comes before the products $q \cdot e_{xy}$? First a [backbone](glossary.ipynb#backbone), which may be
# any. Then a **pixel decoder**, which makes the fine map of embeddings. And a **query decoder**, in which the queries
# read a map of the picture by attention, and talk to each other, layer after layer. Both networks have these three parts.
# (*Linear* are the two layers of lesson 8's block; *deformable* is explained below.)


# %% fold="Draw both networks" alt="Two rows of boxes, alike from picture and ResNet-50 to pixel embeddings, mask and class. MaskFormer has a feature pyramid, and six layers in which queries attend to each other and to the whole deepest map. Mask2Former has six deformable layers, and nine in which queries attend inside their masks, to strides 32, 16, 8 in turn, then to each other; an arrow leads from the masks back to the attention."
def boxes(axis, y, names, color, xs):
    for x, name in zip(xs, names, strict=True):
        axis.text(x, y, name, ha="center", va="center", fontsize=9.5,
                  bbox={"boxstyle": "round,pad=0.45", "facecolor": color, "edgecolor": "none"})  # fmt: skip


def arrow(axis, start, end, **style):
    axis.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "#444444", "linewidth": 1.4, **style})


figure, axis = plt.subplots(figsize=(9, 4.6))
GRAYISH, BLUISH, ORANGISH = "#E4E4E4", "#CFE3F1", "#FBE3B5"
for top, title, decoder, reading, layer in (
    (3.3, "MaskFormer", "feature pyramid", "the deepest map", "among each other · whole map · linear\n6 times"),
    (
        1.1,
        "Mask2Former",
        "6 deformable layers",
        "strides 32, 16, 8",
        "inside the mask · among each other · linear\n9 times",
    ),
):
    axis.text(-0.75, top + 0.42, title, fontsize=11, weight="bold")
    boxes(axis, top, ["picture", "ResNet-50"], GRAYISH, (-0.3, 1.1))
    boxes(axis, top, [decoder, "pixel\nembeddings"], BLUISH, (3.0, 5.2))
    boxes(axis, top - 0.95, ["queries", layer, "class"], ORANGISH, (0.5, 3.6, 7.2))
    boxes(axis, top, ["mask"], ORANGISH, (7.2,))
    for start, end in (((0.1, top), (0.5, top)), ((1.65, top), (2.2, top)), ((3.85, top), (4.65, top)),
                       ((5.75, top), (6.85, top)), ((0.95, top - 0.95), (1.95, top - 0.95)),
                       ((5.25, top - 0.95), (6.85, top - 0.95)), ((5.25, top - 0.8), (6.95, top - 0.2))):  # fmt: skip
        arrow(axis, start, end)
    start = 1.1 if title == "MaskFormer" else 3.0
    arrow(axis, (start, top - 0.22), (2.6 if start == 1.1 else 3.0, top - 0.66))
    axis.text(3.12 if start == 3.0 else 1.25, top - 0.48, reading, fontsize=9, color="#444444",
              ha="left" if start == 3.0 else "right")  # fmt: skip
arrow(axis, (7.35, 0.83), (4.6, -0.17), connectionstyle="arc3,rad=-0.25", color=PINK, linewidth=2)
axis.text(7.15, 0.35, "where to look next", color=PINK, fontsize=9)
axis.set(xlim=(-0.9, 8.6), ylim=(-0.4, 4.0))
without_frames(axis)
plt.show()

# %% [markdown]
# The pink arrow is the claim of this lesson. The rest of the figure in numbers: how many weights has each part? (They are
# exactly those of the published networks for COCO's 133 classes.)

# %%
for name in ("maskformer_resnet50", "mask2former_resnet50"):
    with torch.device("meta"):  # shapes without numbers
        large_network = models.create(name, num_classes=133)
    children = large_network.named_children()
    parts = {part: sum(p.numel() for p in module.parameters()) for part, module in children}
    told = " + ".join(f"{part} {count:,}" for part, count in parts.items())
    print(f"{name:21} {sum(parts.values()):10,} = {told}")

# %% [markdown]
# More than half of either is backbone. What Mask2Former adds is three more layers of the query decoder.
#
# ### Masked attention
#
# In MaskFormer a query attends to the whole map, as everything in [lesson 8](08_transformers.ipynb) did. It may take long
# until a query that stands for one dog learns to leave the rest of the picture alone. Mask2Former does not wait. After
# every layer each query draws its mask, and in the next layer it sees **only the places inside**:
#
# $$ A = \mathrm{softmax}\Big(\frac{q k^\top}{\sqrt{d}} + M\Big)\, v, \qquad M_{xy} = \begin{cases}
# 0 & \text{where the last mask is above } \tfrac12 \\ -\infty & \text{elsewhere.} \end{cases} $$
#
# In code it is one line, and one rule more:

# %%
print(inspect.getsource(query_decoder.where_to_look).split('"""')[-1].rstrip())

# %% [markdown]
# `True` means *may look*. The second line is the rule: a query that has drawn nothing may look
# everywhere. Is it needed?
#
# **Predict, then run.** What is the softmax of a row in which everything is $-\infty$?

# %%
query, keys = torch.randn(1, 4), torch.randn(6, 4)
nowhere = torch.zeros(1, 6, dtype=torch.bool)
answer, weights = attend(query, keys, keys, nowhere)
print("weights", weights.tolist())
print("with the rule", attend(query, keys, keys, torch.ones_like(nowhere))[0].isfinite().all().item())

# %% [markdown]
# <details><summary>Answer</summary>
#
# Every term is $e^{-\infty} = 0$, so each weight is 0 / 0: not a number. One such query is enough, since the queries then
# talk to each other and all of them, and with the next step all weights of the network, become NaN.
#
# </details>
#
# The paper does not mention the rule; it stands in the authors' code, and people who wrote the network from the paper met the
# NaN. How often is a mask empty? In a network that has not learned anything yet:

# %%
card("masks.empty")

# %% [markdown]
# 2.7 % of the masks are empty (unfold the numbers). Now watch the trained network look. Move from layer to layer: bright
# is where the query may look, and the white line is
# the mask that it draws afterwards.


# %% fold="Follow one query through the layers"
def layer_figure(number, query):
    """Where a query may look in a layer, and the mask that it draws after it."""
    figure, axis = plt.subplots(figsize=(3.1, 2.45))
    axis.imshow(picture.permute(1, 2, 0), extent=(0, 128, 96, 0))
    size = size_of(maps[number % len(maps)])
    allowed = query_decoder.where_to_look(predictions[number][1], size)[0, query].view(size).float()
    shade = np.zeros((*size, 4))
    shade[..., 3] = 0.78 * (1 - allowed.numpy())
    axis.imshow(shade, extent=(0, 128, 96, 0), interpolation="nearest")
    after = F.interpolate(predictions[number + 1][1], (240, 320), mode="bilinear")[0, query]
    axis.contour(np.linspace(0.2, 127.8, 320), np.linspace(0.2, 95.8, 240), after, [0], colors="white", linewidths=2)
    chance = predictions[number + 1][0][0, query].softmax(-1)
    best = int(chance.argmax())
    name = SCENES.names[best] if best < len(SCENES) else "no object"
    axis.set_title(f"layer {number + 1}, {size[0]} × {size[1]}: {name}, {chance.max():.0%}")
    without_frames(axis)
    return figure


def layer_text(number, query):
    size = size_of(maps[number % len(maps)])
    seen = query_decoder.where_to_look(predictions[number][1], size)[0, query].view(1, 1, *size).float()
    drawn = predictions[number + 1][1][0, query] > 0
    inside = F.interpolate(seen, drawn.shape)[0, 0][drawn].mean()
    return (
        f"Layer {number + 1}: the query sees {seen.mean():.0%} of its map, and so {inside:.0%} of what it then draws."
    )


layers = range(len(network.decoder.layers))
texts = [layer_text(number, things[0]) for number in layers]
plotting.movable_figures(
    [layer_figure(number, things[0]) for number in layers], texts, "Layer", [str(n + 1) for n in layers]
)

# %% [markdown]
# Before the first layer the query has drawn little: it may look at one end of the boat, and at a horse that is none of its
# business. That is enough: its mask is the boat from the first layer on, and from the second on it looks where its mask is.
# (The small network has four layers, which look at two maps in turn.)
#
# What does it bring? Without it, and with the same number of weights, the authors' network loses 5.9 points of mask mAP, 4.8
# of panoptic quality and on ADE20K 1.7 of [mIoU](glossary.ipynb#mean-IoU) (Table 4a). The small network was trained both
# ways, from the same weights, on the same scenes of streets and parks, and scored twice on its way:

# %%
card("masks.masked_attention")

# %% [markdown]
# After 450 steps, masked attention is ahead: PQ is 39.6 % with it and 36.5 without, every seed gains two points or more,
# and the card confirms it. (This line was added when the others had come out; the paper gives PQ.) For things alone, and
# for the label map, every seed gains, too, but the gains differ so much that three seeds cannot decide. One word of the
# claim does not hold here: *faster*. After 150 steps both are level, and one seed of three is ahead. In the first steps
# the masks are poor, and where they lead, the attention has to follow; whether that is the reason, we have not tested. The
# switch, if you want to try: `create("mask2former_tiny", masked=False)`.
#
# ### Deformable attention
#
# Sharp outlines need fine maps, and attention between all places of a fine map is expensive: at [stride](glossary.ipynb#stride) 8 a picture of
# 1,024 × 1,024 has 16,384 places and 268 million pairs. The pixel decoder of Mask2Former therefore lets every place
# look at only **four places per map and head**, and learns *which*: one linear layer turns its vector into offsets,
# another one into weights. The values there are read between the pixels, by
# [bilinear interpolation](glossary.ipynb#bilinear-interpolation), so that a gradient tells each offset where to move.
# This is [deformable attention](glossary.ipynb#deformable-attention) (Zhu et al. 2020), often shipped as a CUDA kernel; in plain
# PyTorch it is `grid_sample` and a weighted sum:

# %%
source = inspect.getsource(type(network.pixel_decoder.layers[0].attention).forward).split('"""')[-1]
print(source.rstrip())

# %% [markdown]
# And where does it look? Two places of the scene, in the first of the two layers:


# %% fold="Draw where two places look" alt="The scene with two crosses. Thin lines lead from each of them to dots of two colors, one for each map, in different sizes: where that place looks, and how much the value there counts."
with torch.inference_mode():
    tokens, positions, sizes = network.pixel_decoder.tokens(network.backbone(batch))
    places, weights = network.pixel_decoder.layers[0].attention.look(tokens + positions, sizes)
figure, axis = plt.subplots(figsize=(5, 3.5))
axis.imshow(picture.permute(1, 2, 0), extent=(0, 1, 1, 0), aspect=0.75)
for row, column in ((4, 4), (7, 11)):
    index = sizes[0][0] * sizes[0][1] + row * sizes[1][1] + column  # of the finer map
    middle = (column + 0.5) / sizes[1][1], (row + 0.5) / sizes[1][0]
    for level, color in enumerate((PINK, ORANGE)):
        x, y = places[0, index, :, level].flatten(0, 1).T.tolist()
        axis.plot([[middle[0]] * len(x), x], [[middle[1]] * len(y), y], color=color, linewidth=0.8)
        axis.scatter(x, y, s=15 + 500 * weights[0, index, :, level].flatten(), color=color, edgecolor="white", zorder=3)
    axis.plot(*middle, "x", color="black", markersize=13, markeredgewidth=6)
    axis.plot(*middle, "x", color="white", markersize=11, markeredgewidth=3)
axis.scatter([], [], color=PINK, label="on the map of stride 16")
axis.scatter([], [], color=ORANGE, label="on the map of stride 8")
axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2)
axis.set(xlim=(0, 1), ylim=(1, 0))
without_frames(axis)
plt.show()

# %% [markdown]
# Each cross is a place of the finer map; a line leads to each place that it looks at, and a larger dot counts more. They
# begin as a ring, the same for every place, and the training pulls them apart.
#
# ## One output, three tasks
#
# All that is left is to read the output. It is the same for all tasks: 32 queries, each with a mask and the probabilities
# of its class.
#
# - **Semantic.** A pixel belongs to a class as much as the masks of that class say. Leave *no object* out, multiply each
#   query's class probabilities with its mask, and add: $s_c(x, y) = \sum_q p_q(c)\, m_q(x, y)$.
# - **Instances.** Each query with its best class; its score is the probability of the class times the mean of its mask
#   inside.
# - **Panoptic.** Only queries that are sure of their class take part, those above 0.8. Each pixel goes to the one with
#   the largest product of probability and mask. A query that wins less than 80 % of its own mask is dropped, and
#   [stuff](glossary.ipynb#things-and-stuff) of one class becomes one segment.

# %%
probabilities = found.classes.softmax(-1)[:, :-1]  # Q x K: "no object" is left out after the softmax
scores = torch.einsum("qk,qhw->khw", probabilities, found.masks.sigmoid())
label_map = scores.argmax(0)
assert torch.equal(label_map, found.semantic())
instances = found.instances(SCENES.things)
kept = instances["scores"] > 0.5
segments, listed = found.panoptic(STUFF)
seen = len(label_map.unique())
print(f"{seen} classes, {int(kept.sum())} things with a score above 0.5, {len(listed)} segments")

# %% [markdown]
# Here are the three readings, and below what lesson 5 had: one network for the label map, another for the things. (Each
# instance has a color of its own, which says nothing of its class; what is white in a panoptic map is nobody's.)


# %% fold="Show the scene three ways, by one network and by two" alt="Two rows. Above, by one network: label map, things in different colors, and a panoptic map in which one mask lies over three horses. Below: the label map of DeepLab v3, the things of Mask R-CNN, and the true panoptic map."
def painted(numbers, listed):
    """The class colors of a panoptic map, with black lines between segments."""
    labels = np.full(numbers.shape, SCENES.ignore_index)
    for one in listed:
        labels[numbers == one["id"]] = one["category_id"]
    colors = plotting.colorize(labels, SCENES)
    inner = np.zeros(numbers.shape, dtype=bool)
    inner[1:] |= (numbers[1:] != numbers[:-1]) & (numbers[1:] > 0) & (numbers[:-1] > 0)
    inner[:, 1:] |= (numbers[:, 1:] != numbers[:, :-1]) & (numbers[:, 1:] > 0) & (numbers[:, :-1] > 0)
    colors[inner] = 0
    return colors


mine = (segments.numpy(), [{"id": one.id, "category_id": one.label} for one in listed])
of_two = inference.predict(semantic_net, world((120, 160))[NUMBER][0])
boxes_found = inference.detect(detector, world((180, 240))[NUMBER][0], score_threshold=0.5)
fine = large[NUMBER][1]
figure, axes = plt.subplots(2, 3, figsize=(9, 4.4))
pale = (picture.float().mean(0, keepdim=True) * 0.5 + 127).byte().expand(3, -1, -1)
axes[0, 0].imshow(plotting.colorize(label_map.numpy(), SCENES))
plotting.show_instances(pale, SCENES, masks=instances["masks"][kept].numpy(), ax=axes[0, 1])
axes[0, 2].imshow(painted(*mine))
axes[1, 0].imshow(plotting.colorize(of_two.numpy(), SCENES), interpolation="nearest")
larger = F.interpolate(boxes_found["masks"][:, None].float(), (240, 320))[:, 0] > 0.5
plotting.show_instances(pale, SCENES, masks=larger.numpy(), ax=axes[1, 1])
axes[1, 2].imshow(painted(fine["segments"].numpy(), fine["segments_info"]))
counted = (f"the same: {int(kept.sum())} instances", f"Mask R-CNN: {len(larger)} instances")
titles = ("one network: semantic", counted[0], "the same: panoptic", "DeepLab v3", counted[1], "truth")
for axis, title in zip(axes.flat, titles, strict=True):
    axis.set_title(title)
without_frames(axes)
plotting.legend(axes[0, 2], np.unique(np.concatenate([label_map.ravel(), of_two.ravel()])), SCENES, fontsize=9)
plt.show()

# %% [markdown]
# The label map of the one network is close to that of the specialist, and better at the boat, where DeepLab sees horses.
# Boat and person are things of their own, too. But the panoptic map has two horses for three: one of its masks lies
# over all three animals, and the other is a scrap between them. Among the eight instances boat, person and horses come
# twice, since this reading removes no doubles, and a cloud passes for an aeroplane. Mask R-CNN finds three horses, though
# two of its masks overlap, and the bird as well.
#
# ### Panoptic quality by hand
#
# [Lesson 1](01_metrics.ipynb) defined the panoptic quality: segments of the same class match if their
# [intersection over union](glossary.ipynb#intersection-over-union) is above one half, and
#
# $$ PQ = \frac{\sum_{\text{matches}} \mathrm{IoU}}{TP + \frac12 FP + \frac12 FN}. $$
#
# One matrix product gives all intersections of what was found with what is there. (The denominator is half of all
# segments, found and true: each match is in both.)

# %%
there = torch.stack([fine["segments"] == one["id"] for one in fine["segments_info"]]).flatten(1).float()
mine_masks = torch.stack([segments == one.id for one in listed]).flatten(1).float()
mine_masks = mine_masks * there.any(0)  # void does not count
shared = mine_masks @ there.T
iou = shared / (mine_masks.sum(1)[:, None] + there.sum(1) - shared)
wanted_labels = torch.tensor([one["category_id"] for one in fine["segments_info"]])
found_labels = torch.tensor([one.label for one in listed])
matched = (iou > 0.5) & (found_labels[:, None] == wanted_labels)
print(f"{len(listed)} segments found, {len(wanted_labels)} are there, {int(matched.sum())} pairs match")

# %% [markdown]
# Class by class, with the package's own measure as a witness:

# %%
official = metrics.panoptic_quality((fine["segments"].numpy(), fine["segments_info"]), mine, SCENES)
for label in torch.cat([found_labels, wanted_labels]).unique().tolist():
    ours, theirs = found_labels == label, wanted_labels == label
    hits, all_of_both = int(matched[ours].sum()), int(ours.sum() + theirs.sum())
    quality = float(iou[matched & ours[:, None]].sum()) / (all_of_both / 2)  # TP + FP / 2 + FN / 2
    assert np.isclose(quality, official.per_class[label].PQ, atol=1e-6)
    print(f"{SCENES.names[label]:10} found {int(ours.sum())}, there {int(theirs.sum())},", end=" ")
    print(f"matched {hits}: PQ {quality:.2f}")
print(f"mean of the classes {official.overall.PQ:.1%}")

# %% [markdown]
# The boat, the person and all stuff match. The mask over three horses has an IoU above one half with none of them, the
# scrap neither, and the bird is missed.
#
# And on thirty scenes, compared with the two networks of lesson 5? Lesson 5's rule lays the things of Mask R-CNN over
# the label map of DeepLab v3. The last row takes the one network's label map, and counts each connected region of a
# thing's class as one thing.


# %% fold="Score one network and two on thirty scenes"
def joined(pixels_semantic, pixels_detector, size):
    """Lesson 5's rule: things by falling score where there is room, stuff from the label map."""
    labels = inference.predict(semantic_net, pixels_semantic)
    labels = F.interpolate(labels[None, None].float(), size)[0, 0].long().numpy()
    numbers, info = np.zeros(size, dtype=np.int64), []
    found = inference.detect(detector, pixels_detector, score_threshold=0.5)
    for mask, label in zip(found["masks"], found["labels"].tolist(), strict=True):
        mask = F.interpolate(mask[None, None].float(), size)[0, 0].numpy() > 0.5
        free = mask & (numbers == 0)
        if free.sum() > 0.5 * mask.sum():
            info.append({"id": len(info) + 1, "category_id": label})
            numbers[free] = len(info)
    for label in np.unique(labels):
        rest = (labels == label) & (numbers == 0)
        if label not in SCENES.things and rest.sum() > 20:
            info.append({"id": len(info) + 1, "category_id": int(label)})
            numbers[rest] = len(info)
    return numbers, info


truths, answers = [], {"one network": [], "two networks": [], "its label map, by regions": []}
middle, larger_set = world((120, 160)), world((180, 240))
for index in range(30):
    pixels, target = small[index]
    truths.append((target["segments"].numpy(), target["segments_info"]))
    one = inference.find_masks(network, pixels)
    numbers, listed_here = one.panoptic(STUFF)
    answers["one network"].append((numbers.numpy(), [{"id": s.id, "category_id": s.label} for s in listed_here]))
    answers["its label map, by regions"].append(components(one.semantic().numpy()))
    answers["two networks"].append(joined(middle[index][0], larger_set[index][0], (96, 128)))
print(f"{'':26} PQ   things   stuff")
for name, given in answers.items():
    scores = metrics.panoptic_quality(truths, given, SCENES)
    print(f"{name:25} {scores.overall.PQ:5.1%}  {scores.things.PQ:5.1%}  {scores.stuff.PQ:5.1%}")

# %% [markdown]
# Two networks win, by 55 to 51 %: in things they are far ahead, in stuff the one network is. They were trained for 5,000
# steps together, backbones and all, and see larger pictures; the one network had 3,600 steps, on DeepLab's backbone, which stayed as
# it was. On these scenes its masks do not even beat the regions of its own label map; but thirty are few, and below we
# take two hundred. The scene shows *how* one network serves three tasks; to do so *better* took its authors 50 passes over
# COCO.
#
# ## Where it counts
#
# Where nothing touches, the connected regions of a label map *are* the things, and no masks are needed. So the same
# output of the same network was read both ways on three kinds of scenes: with no companions of things (others that touch
# or cover them), with as many as in training, and with twice as many. Queries count as sure above 0.5 here, not 0.8. The
# seeds are three sets of 200 unseen scenes of each kind. And these scenes have no [void](glossary.ipynb#void) around their things: a pixel of void
# between two that touch would part them in the truth, and which of its pixels are theirs would not count.
#
# **Predict, then run.** Of the things in crowds that touch another one of their class, how many will regions find?

# %%
card("masks.touching")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Few, but some: 7.7 %. Where one of two covers most of the region, the region has an IoU above one half with it.
#
# </details>
#
# Masks find 11.0 % of what touches there, more with every set of scenes: *confirmed* (a line that was added when the network
# had been trained for longer), and for the reason that was expected. Of the things in crowds that touch nothing of their
# class, regions find more, 38.4 % against 27.4. So it depends on the scenes which of
# the two comes out ahead. Without companions regions are no worse, with the usual number masks are better, by 24.8 to 23.2 %
# of PQ; in crowds, where everything is small and half covered, the scenes differ too much to say.
#
# Those were regions of a label map that came along with masks. What if the same network spends all its training on the
# label map? That is the fair control: decoder, start, scenes and steps stay, but query $k$ now stands for class $k$, what
# was its mask is the score of that class, and the loss is the cross entropy of the pixels. Its things are the connected
# regions of what it says. Half of the things in these scenes touch another one of their class.
#
# **Predict, then run.** Both were scored twice, after 450 steps and after 3,000. Which of the two finds things better,
# early and late?

# %%
card("masks.pixels")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Early the class per pixel, with every seed: its PQ of things is 19.4 %, that of masks 16.6. Late it is the other way
# round, by 26.6 to 26.0: masks need the time.
#
# </details>
#
# By a little, but with every seed, masks find things better in the end: *confirmed*, by a hair. The last two columns say how. Masks
# find more of the things that touch, 18.2 % against 15.1, which three seeds leave *undecided*, by a hair as well. Of the
# others they find fewer, 41.0 against 58.5, and their label map is three points worse: both *reversed*. So if nothing
# touches, take a label map and its regions. The last row is no network: the regions of the *true* label map. They find
# 33.1 % of what touches; a label map that is right everywhere gets no further, and a set of masks that is right finds all.
# (Compare numbers within a card only: the next one has other scenes, with void between the things.)
#
# And matching, does it matter? MaskFormer's authors tried without: with 150 queries for 150 classes, query $k$ answers for
# class $k$. On ADE20K the mean IoU is then 43.7 %, and 44.2 % with matching (their Table 4b). For a
# *label map* it hardly matters who answers for whom. But a query per class has one mask for all sheep, so it cannot count
# them: matching is what makes a network of this kind an instance network. So we expected little difference by the label
# map and a large one by things. The small network was trained without matching as well (in the package it is
# `create("mask2former_tiny", queries=33, fixed=True)`), and the last row of this card is no network at all, but the best
# that one mask for each class could do:

# %%
card("masks.matching")

# %% [markdown]
# One line is reversed. Fixed queries are at least as good for the label map, that is confirmed, but they are ahead by things, too,
# in every seed: 20.6 % against 18.9. The last row is the test of the reason. Somebody who draws every class without a
# mistake and cannot count has 55.9 %; so it is not counting that decides at 20 %, but finding things at all. And a fixed
# query finds them sooner, since it is told from the first step what to look for: after 150 steps PQ is 32.6 % with fixed
# queries and 24.9 with matched ones. Read as one mask for each class, no network gets beyond
# 55.9 % on these scenes; matched queries can.
#
# ### Against a class per pixel
#
# For *label maps*, too, MaskFormer's authors compared their network with the same one that gives a class per pixel, as
# we did above for things. Masks were no better on the 19 classes of Cityscapes, 2.6 points of mean IoU better on the 150
# of ADE20K, and 3.5 on a version of it with 847: they say that the gain grows with the number of classes. Scenes has 33.
# We merged them to 16, with cats, birds and dogs as one class of small animals, and to 8, and trained the small
# MaskFormer both ways on each.
#
# **Predict, then run.** Will masks gain, and with how many classes most?

# %% fold="Draw the gain against the number of classes" alt="Gain of masks in points of mean IoU against 8, 16 and 33 classes, a dot for each of three seeds, side by side. With matched queries it falls from about minus 3 over minus 10 to minus 16. Orange dots, with fixed queries, lie above zero at 33 classes, between 2 and 6. Green dots, after 1,200 steps, lie between minus 1 and minus 2 with 8 classes, and at about minus 6 with 33."
kinds = {"": (BLUE, "matched queries, 200 steps"), "fixed": (ORANGE, "a query for each class, 200 steps"),
         "1,200 steps": (GREEN, "matched queries, 1,200 steps")}  # fmt: skip
figure, axis = plt.subplots(figsize=(7, 3.2))
for variant, runs in recorded(find("masks.classes")).runs.items():
    color, label = kinds[variant.partition(", ")[2]]
    beside = [int(variant.split()[0]) + 0.35 * seed for seed in (-1, 0, 1)]
    axis.plot(beside, [100 * run["gain"] for run in runs], "o", color=color, label=label if "33" in variant else None)
axis.axhline(0, color="black", linewidth=1)
axis.set(xlabel="classes", ylabel="gain of masks, points", xticks=(8, 16, 33))
axis.legend(loc="lower center", bbox_to_anchor=(0.6, 0))
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Here they lose, on average the more, the more classes there are: 3.1 points with 8, 10.2 with 16, 16.5 with 33. That is the
# opposite of what the paper says. But look at the orange dots, and at the green ones.
#
# </details>

# %%
card("masks.classes")

# %% [markdown]
# The first two lines are *reversed*, so we looked for the reason. Their loss says that masks have hardly begun to
# learn after 200 steps: it is 11.1 with 33 classes, and will be 4.5 after 1,200. Is it the masks, or the matching, which must first settle who answers for whom, and takes the
# longer the more classes there are? The row "fixed" keeps the masks and leaves the matching out: query $k$ answers for
# class $k$. Now masks have 38.9 % instead of 18.0 with all 33 classes, which the card confirms. They are ahead of a class
# per pixel with every seed, by 2.3 to 5.5 points; three seeds that differ so much leave that undecided, by a hair. So it
# is the matching that costs so much here, and not the masks.
#
# And masks lose most at the beginning. After 1,200 steps masks are 6.3 points behind with 33 classes instead of 16.5, and 1.3
# with 8 instead of 3.1. That is less with every seed, though with 33 classes they differ too much for the card to decide. With many
# classes they still lose more than with few (*reversed*, again). Whether they come out ahead in the end, as the authors' do
# after 160,000 steps, these trainings do not say.
#
# Few steps were also what [lesson 6b's race](06b_deeplab_v3.ipynb) allowed. There, after 400 steps from random weights, the
# label maps of the small Mask2Former have a mean IoU of 42.2 %, those of FCN-8s, for three quarters of the operations,
# 49.6. MaskFormer has 30.9 % there, and EoMT, which comes next, 31.8; from seed to seed each of them varies by
# 11.8 and 5.9 points. They have hardly begun to learn, and which of the three is the better network, 400 steps do
# not say.
#
# ## EoMT: let the transformer do it
#
# MaskFormer needs a pixel decoder and a query decoder on top of its backbone. If the backbone is a vision transformer as
# in lesson 8, all its [tokens](glossary.ipynb#token) talk to each other anyway. Kerssies and his colleagues put the queries among them: the last
# few blocks of a plain ViT see patches *and* queries. That is the whole network, and its forward pass is short enough to
# be read here:

# %%
from segtutor.models.mask_classification.eomt import EncoderMaskTransformer

source = inspect.getsource(EncoderMaskTransformer.predictions)
print(source.replace("    def", "def").replace("\n    ", "\n"))

# %% [markdown]
# No extra attention is needed: queries and patches are rows of the same tokens. Masked attention is there, too, in
# training (`mask_share`). But its share falls to 0 block by block, so that a trained network draws no masks on the way, and that makes
# it fast.

# %% fold="Put the published networks side by side" alt="A chart of panoptic quality on COCO over millions of parameters: Mask2Former R50 at 44 million and 51.9, EoMT small at 24 million and 44.7, base at 94 million and 50.6, large at 317 million and 56.0."
published = {"Mask2Former, R50": ("mask2former_resnet50", 51.9), "EoMT-S": ("eomt_small", 44.7),
             "EoMT-B": ("eomt_base", 50.6), "EoMT-L": ("eomt_large", 56.0)}  # fmt: skip
figure, axis = plt.subplots(figsize=(6, 3))
for name, (key, quality) in published.items():
    with torch.device("meta"):
        size = sum(p.numel() for p in models.create(key, num_classes=133).parameters()) / 1e6
    color = ORANGE if key.startswith("mask2") else BLUE
    axis.plot(size, quality, "o", color=color, markersize=9)
    axis.annotate(f"{name} ({size:.0f} M)", (size, quality), xytext=(9, -4), textcoords="offset points")
axis.set(xlabel="parameters, millions", ylabel="PQ on COCO val2017, %", xlim=(0, 420), ylim=(43, 58))
plt.show()

# %% [markdown]
# The qualities are those that the authors published (see "Reading"), the sizes those of the course's networks. EoMT
# pays with size for what it saves in parts, and it depends on pretraining: its backbone is DINOv2, trained on 142 million
# pictures. In return it is fast: the large one handles 128 pictures of 640 × 640 a second on an H100, up to four times
# as many, say its authors, as the same transformer with adapter and decoders.
#
# ## Summary
#
# - A set of masks with a class each can express all three tasks; a label map cannot part things of one class that touch.
# - Masks pay where things touch and the training is long; where nothing touches, regions of a label map do as well.
# - A query becomes a class by a linear layer, and a mask by its product with every pixel's embedding.
# - Before each step, the Hungarian algorithm gives each object to one query; the others learn to say *no object*.
# - Masked attention lets a query look inside its last mask, and everywhere if that is empty.
# - Semantic: add class times mask, without *no object*. Panoptic: the sure queries compete for the pixels.
# - EoMT puts the queries into the last blocks of a plain ViT, and needs no decoders.
#
# ## Self-test
#
# 1. Can two queries be matched with the same object? What happens to the one that also drew it?
# 2. You double the weights of *all* classes in the class loss, *no object* included. What changes?
# 3. A query is 60 % sure that it sees a dog. Does it take part in the label map? In the panoptic map?
# 4. Why does masked attention add no weights?
#
# <details><summary>Answers</summary>
#
# 1. No. The second one gets *no object* as its wanted class, and its mask gets no loss at all.
# 2. Nothing: the class loss is a weighted *mean*, divided by the sum of the weights.
# 3. In the label map with 0.6 of its mask; in the panoptic map not, at the authors' threshold of 0.8.
# 4. It only decides which places the softmax may give weight to.
#
# </details>
#
# The [assignment](assignments/09_mask_classification.ipynb) lets you write the costs, the loss and the three
# readings yourself. In [lesson 10](10_promptable.ipynb) the queries come from you: you click, and a mask is the answer.
#
# ## Reading
#
# - [Cheng, Schwing, Kirillov 2021](https://arxiv.org/abs/2107.06278), MaskFormer: Figure 2 is the network; in Table 4 look for what fixed
#   matching costs, and in Table 2 at how the gain grows with the number of classes.
# - [Cheng et al. 2022](https://arxiv.org/abs/2112.01527), Mask2Former: §3.2 for masked attention, Table 4 for what each part brings. Its model
#   zoo has the 51.9 % of the figure above.
# - [Carion et al. 2020](https://arxiv.org/abs/2005.12872), DETR: where queries and matching come from, with boxes in place of masks.
# - [Kerssies et al. 2025](https://arxiv.org/abs/2503.19108), EoMT: Figure 1 takes Mask2Former apart, piece by piece.
#
# ## Going deeper
#
# **Pitfalls**, each of which is a test of this course:
#
# | what goes wrong | what to do | seen in |
# |---|---|---|
# | pixels under [void](glossary.ipynb#void) change the loss, because the setting for it is never read | weigh points by whether they are known | [transformers #42936](https://github.com/huggingface/transformers/issues/42936) |
# | masks hold 0 and 255: the loss becomes negative | compare with 0 first | [transformers #27224](https://github.com/huggingface/transformers/issues/27224) |
# | losses of 60 to 100 look like a mistake | they are sums over ten layers | [Transformers-Tutorials #299](https://github.com/NielsRogge/Transformers-Tutorials/issues/299) |
# | an empty mask gives NaN | look everywhere instead | [Mask2Former #125](https://github.com/facebookresearch/Mask2Former/issues/125) |
# | arguments of the instance reading that nobody uses | read the code before you tune them | [transformers #44900](https://github.com/huggingface/transformers/issues/44900) |
# | a panoptic map at 0.5 and one at 0.8 are compared | say the threshold | defaults of the two code bases |
# | "True" means "may look" in one code base and "may not" in another | test it on four tokens | EoMT's two code bases |
#
# **What differs.** Where paper, authors' code and this course disagree about Mask2Former:

# %% fold="Show Mask2Former's differences as a table"
from IPython.display import Markdown

from segtutor.models.differences import as_markdown
from segtutor.models.mask_classification import eomt, variants

Markdown(as_markdown(variants.DIFFERENCES))

# %% [markdown]
# About MaskFormer:

# %% fold="Show the differences of MaskFormer"
Markdown(as_markdown(variants.MASKFORMER_DIFFERENCES))

# %% [markdown]
# And about EoMT:

# %% fold="Show the differences of EoMT"
Markdown(as_markdown(eomt.DIFFERENCES))
