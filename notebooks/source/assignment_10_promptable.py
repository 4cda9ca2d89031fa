# ---
# title: Clicks, from tokens to a data set of your own
# minutes_cpu: 4
# minutes_t4: 3
# download: none
# peak_ram: 1.0 GB
# prerequisites: ["[Lesson 10](../10_promptable.ipynb)", "[Lesson 1](../01_metrics.ipynb)", NumPy arrays and functions]
# minutes_work: 200
# ---

# %% [markdown]
# Six tasks, 24 points, and a project. You write what stands between a click and a mask: the tokens of a prompt, the shapes
# that they meet, the loss that lets only the best of three answers learn, the score, and the next click. In the project you
# label twenty pictures of your own by clicks and train a network on them. The last task is an experiment of your own.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Your functions get NumPy arrays and may use what you like: NumPy, PyTorch (`torch.from_numpy`), SciPy or plain loops.
#   They may return arrays, lists or tensors.
# - `segtutor.progress(10)` shows how far you are in this assignment. It remembers across restarts.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from scipy import ndimage

import segtutor
from segtutor import inference, models, plotting
from segtutor.claims.masks import USUAL, segments
from segtutor.datasets import ImageFolder, check_folder
from segtutor.inference.clicks import clear_clicks

plotting.use_course_style()
BLUE, ORANGE = "#0072B2", "#E69F00"
segtutor.progress(10)

# %% [markdown]
# ## Part A: what the decoder reads
#
# All parts look at the same drawn scenes through the course's small SAM. `click` is the middle of the largest thing that
# is the only one of its class in the first twenty scenes.

# %%
network = models.create("sam_tiny", weights="course").eval()
scenes = segments("val", 20, USUAL, (128, 160))


def target_of(one):
    """The mask of the thing that was clicked on, and where pixels are known."""
    numbers = scenes[one.index][1]["segments"].numpy()
    return numbers == one.number, numbers != 0


clicks = clear_clicks(scenes)
click = max(clicks, key=lambda one: target_of(one)[0].sum())
image = scenes[click.index][0]
prompter = inference.Prompter(network, image)
print(f"{len(clicks)} clear clicks; the one of this assignment is in scene {click.index}, at (x, y) = {click.point}")

# %% [markdown]
# ### 10.1 A click becomes numbers
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Write `prompt_tokens(points, labels, box, size, frequencies, kinds, no_point)`, SAM's prompt encoder for points and
# boxes. `points` are N x 2, each (x, y) in whole pixels, and `labels` are N numbers, 1 for *this* and 0 for *not this*.
# `box` is None or x0, y0, x1, y1. `size` is the picture's (height, width). There is at least one point or a box.
#
# 1. A point means the *middle* of its pixel: add one half to x and y, then divide by width and height. Corners of a box
#    are treated in the same way.
# 2. Map these from 0 ... 1 to −1 ... 1. The angles are 2π times the product with `frequencies`, which is 2 x E / 2: the
#    first row belongs to x, the second to y. The code has E numbers, all sines and then all cosines.
# 3. To each code add the row of `kinds`, 4 x E, that belongs to its kind: 0 *not this*, 1 *this*, 2 upper left corner,
#    3 lower right corner.
# 4. If there is **no** box, one more token follows behind the points, which is `no_point` and has no code of a place.
#
# Return the tokens, points first: (N + 1) x E without a box, (N + 2) x E with one.
#
# <details><summary>The idea</summary>
#
# Everything is a place and a kind: points bring both, a box is two places of kinds 2 and 3.
#
# </details>
# <details><summary>The way there</summary>
#
# Put the points and the two corners under each other, and their kinds, too. Then one formula makes all codes, and picking rows of `kinds` by number makes what is added.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.1")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>
#
# **Expected:** `10.1 A click becomes numbers: ✓ passed (9 of 9 cases)`


# %%
def prompt_tokens(points, labels, box, size, frequencies, kinds, no_point):
    """Tokens of N points and, if `box` is not None, of its two corners; without a box one token that says so."""
    # BEGIN SOLUTION
    height, width = size
    corners = np.zeros((0, 2)) if box is None else np.reshape(box, (2, 2))
    places = (np.concatenate([points, corners]) + 0.5) / [width, height]
    angles = 2 * np.pi * (2 * places - 1) @ frequencies
    codes = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    tokens = codes + kinds[[*labels, *[2, 3][: len(corners)]]]
    return tokens if box is not None else np.concatenate([tokens, no_point[None]])
    # END SOLUTION


segtutor.check("10.1", prompt_tokens)
prompt_tokens = segtutor.use("10.1", prompt_tokens)

# %% [markdown]
# Your function with the network's own numbers. Every place of the map has a code, too; where do codes of places resemble
# that of the click?

# %% alt="Two panels: a drawn scene with an orange point on a thing, and a coarse map of squares that is brightest at the same point and falls off around it, with weak ripples farther away"
encoder = network.prompt_encoder
frequencies = encoder.frequencies.double().numpy()
kinds = torch.cat([*encoder.kinds]).detach().double().numpy()
none = encoder.no_point[0].detach().double().numpy()
given = (np.array([click.point]), np.array([1]), None, (128, 160), frequencies, kinds, none)
code = np.asarray(prompt_tokens(*given))[0] - kinds[1]
places = encoder.grid((16, 20))[0].double().numpy()
alike = np.einsum("c,chw->hw", code, places) / 20  # 20 sines and 20 cosines: 1 where both are the same
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
axes[0].imshow(image.permute(1, 2, 0))
axes[1].imshow(alike, cmap="viridis", extent=(-0.5, 159.5, 127.5, -0.5), vmin=-1, vmax=1)
for axis, title in zip(axes, ("the click", "how much each place's code resembles it"), strict=True):
    axis.plot(*click.point, "o", color=ORANGE, markersize=9, markeredgecolor="white")
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Nothing here was learned: sines of random directions suffice to say *here*, and the brighter a place, the easier attention
# finds it.

# %% [markdown]
# ### 10.2 Shapes of the two-way block
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# One picture of `size` (height, width), whose encoder has the given `stride`, and one prompt of `clicks` points, with a
# `box` (True or False), go through SAM's mask decoder. The embedding has E = `channels`. In the attention among tokens
# the queries have E numbers; in both attentions between tokens and map they have `inner` ones. All are split among
# `heads`.
#
# Write `two_way_shapes(size, stride, clicks, box, channels, inner, heads)`. Return six shapes, in this order:
#
# 1. all tokens, N x E: one for the IoU, one for each of the four masks (the single one and the three), and the prompt as
#    in 10.1. A prompt without points and without a box has no token at all;
# 2. the weights where tokens ask each other;
# 3. the queries where the tokens ask the map, split among the heads;
# 4. the weights where the tokens ask the map;
# 5. the weights where the map asks the tokens;
# 6. all mask logits that the decoder makes, four times as fine as the embedding.
#
# From the second to the fifth the heads stand first, then who asks. Height and width are multiples of the stride.
#
# <details><summary>The idea</summary>
#
# Two numbers decide all: N tokens and M places of the embedding.
#
# </details>
# <details><summary>The way there</summary>
#
# Count the tokens by their kinds first. Weights have the heads, those who ask, and those who answer; a head's queries have its share of the channels.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.2")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>
#
# **Expected:** `10.2 Shapes of the two-way block: ✓ passed (7 of 7 cases)`


# %%
def two_way_shapes(size, stride, clicks, box, channels, inner, heads):
    """Six shapes that a prompt meets in the mask decoder, each a tuple of whole numbers."""
    # BEGIN SOLUTION
    h, w = size[0] // stride, size[1] // stride
    tokens = 1 + 4 + clicks + (2 if box else 1 if clicks else 0)  # IoU, masks, clicks, corners or "no box"
    return (
        (tokens, channels),
        (heads, tokens, tokens),
        (heads, tokens, inner // heads),
        (heads, tokens, h * w),
        (heads, h * w, tokens),
        (4, 4 * h, 4 * w),
    )
    # END SOLUTION


segtutor.check("10.2", two_way_shapes)
two_way_shapes = segtutor.use("10.2", two_way_shapes)

# %% [markdown]
# The same shapes for SAM itself. How many numbers are the weights of one block, and how many were they if places asked
# each other as well?

# %%
shapes = two_way_shapes((1024, 1024), 16, 1, False, 256, 128, 8)
for name, shape in zip(("tokens", "among tokens", "queries", "ask the map", "map asks", "masks"), shapes, strict=True):
    print(f"{name:14}", " x ".join(map(str, shape)))
weights = sum(int(np.prod(shapes[number])) for number in (1, 3, 4))
print(f"weights of a block: {weights:,}; 4,096 places among each other: {8 * 4096**2:,}")

# %% [markdown]
# Seven tokens stand between the prompt and 4,096 places, and that is why a click is cheap.
#
# ## Part B: what it learns from

# %% [markdown]
# ### 10.3 The best of three learns
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# A click may mean several things, and SAM answers with m masks. In training only **one** thing was meant, and only the
# mask that comes closest to it shall learn. Write `best_of_three(logits, targets)`. `logits` are R x m x P: R prompts,
# m masks each, P pixels. `targets` are R x P of 0 and 1. The loss of a mask is
#
# $$ L = 20\, F + D, \qquad F = \frac1P \sum_i (1 - t_i)^2 (-\log t_i), \qquad
# D = 1 - \frac{2 \sum_i p_i y_i + 1}{\sum_i p_i + \sum_i y_i + 1}. $$
#
# p is the sigmoid of the logits, y the target, and t the probability of what is true: p inside, 1 − p outside. F is the
# *focal loss*: a pixel that is nearly right hardly counts.
#
# Return R whole numbers, which mask has the least loss for each prompt (from 0; the first of equals), and the mean of
# these R least losses. Logits reach from −60 to 60.
#
# <details><summary>The idea</summary>
#
# A table of R x m losses first; then one choice for each row.
#
# </details>
# <details><summary>The way there</summary>
#
# Focal loss: a mean over the pixels. Dice: sums over the pixels. Add them with their weights, take the least of each row, and only then the mean over the prompts.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.3")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>
#
# **Expected:** `10.3 The best of three learns: ✓ passed (12 of 12 cases)`


# %%
def best_of_three(logits, targets):
    """R numbers of the best masks, and the mean of their losses; logits R x m x P, targets R x P of 0 and 1."""
    # BEGIN SOLUTION
    wanted = targets[:, None]
    entropy = np.logaddexp(0, logits) - logits * wanted  # -log of the probability of what is true
    focal = ((1 - np.exp(-entropy)) ** 2 * entropy).mean(axis=2)
    inside = 1 / (1 + np.exp(-logits))
    dice = 1 - (2 * (inside * wanted).sum(axis=2) + 1) / (inside.sum(axis=2) + wanted.sum(axis=2) + 1)
    losses = 20 * focal + dice
    return losses.argmin(axis=1), float(losses.min(axis=1).mean())
    # END SOLUTION


segtutor.check("10.3", best_of_three)
best_of_three = segtutor.use("10.3", best_of_three)

# %% [markdown]
# Who learns from the click above? It gets three answers, and the target is the thing.

# %%
answer = prompter.ask([click.point])
target, known = target_of(click)
logits = answer.logits.double().numpy()
best, loss = best_of_three(logits[:, known][None], target[known][None].astype(float))
print("the answer that would learn:", int(np.asarray(best)[0]), f"with a loss of {float(loss):.3f}")
print("predicted IoU:", answer.iou.numpy().round(2), "so the network chooses", answer.best)

# %% [markdown]
# ### 10.4 IoU of a map of logits
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# Write `logit_iou(logits, target, known)`, which scores m answers to a click at once. `logits` are m x H x W, as the
# network gives them. `target` is a mask as it comes out of a PNG: H x W whole numbers, 0 outside and 255 inside. `known`
# is H x W, True where a pixel counts; void counts nowhere.
#
# A pixel is inside an answer if its logit is **above 0**. Return m numbers, the IoU of each answer with the target. If
# neither holds a known pixel, they agree, and the IoU is 1.
#
# <details><summary>The idea</summary>
#
# Three masks of True and False: found, wanted, known. The rest is counting.
#
# </details>
# <details><summary>The way there</summary>
#
# Inside both and known, divided by inside either and known; one quotient for each answer.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.4")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>
#
# **Expected:** `10.4 IoU of a map of logits: ✓ passed (8 of 8 cases)`


# %%
def logit_iou(logits, target, known):
    """IoU, m numbers, of maps of logits m x H x W with the `target` of 0 and 255, where pixels are `known`."""
    # BEGIN SOLUTION
    found, wanted = (logits > 0) & known, (target > 0) & known
    common = (found & wanted).sum(axis=(1, 2))
    either = (found | wanted).sum(axis=(1, 2))
    return np.where(either > 0, common / np.maximum(either, 1), 1.0)
    # END SOLUTION


segtutor.check("10.4", logit_iou)
logit_iou = segtutor.use("10.4", logit_iou)

# %% [markdown]
# Twenty scenes, one click on each thing: how good is the mask that the network chooses, and how good is the best of the
# three? The number below each is a mean.

# %% alt="A chart of the chosen answer's IoU over that of the best of three: most points lie on the diagonal, some below it"
chosen, oracle = [], []
for one in clicks:
    wanted, counts = target_of(one)
    found = inference.Prompter(network, scenes[one.index][0]).ask([one.point])
    values = np.asarray(logit_iou(found.logits.double().numpy(), 255 * wanted.astype(int), counts))
    chosen.append(values[found.best])
    oracle.append(values.max())
figure, axis = plt.subplots(figsize=(4, 3.4))
axis.plot(oracle, chosen, "o", color=BLUE, markersize=5)
axis.plot([0, 1], [0, 1], color="#999999", linewidth=1)
axis.set(xlabel=f"best of three ({np.mean(oracle):.2f})", ylabel=f"chosen ({np.mean(chosen):.2f})", aspect="equal")
plt.show()

# %% [markdown]
# Points on the diagonal were chosen well. Those below it lost what the three masks had won, because the IoU head believed
# in another one.
#
# ## Part C: more than one click

# %% [markdown]
# ### 10.5 The next click
#
# *5 points · about 30 minutes · difficulty 3 of 3*
#
# Clicks are simulated to measure how many an object takes: each goes where a person would put it, into the middle of the
# largest error. Write `next_click(logits, target, known)`. All three are H x W: logits of the last answer (above 0 is
# inside), the target of True and False, and where pixels count.
#
# - An error is a known pixel that is missed (in the target, not found) or too much (found, not in the target). Errors of
#   one kind that touch by their *sides* form a region; missed and too much never join.
# - Take the region with the most pixels. In the check no two largest ones are of the same size.
# - Its middle is the pixel with the largest distance to the nearest pixel outside the region, measured as the crow
#   flies from center to center. What lies beyond the picture is outside. Of several, take the first in reading order.
#
# Return (x, y, label): whole numbers, with label 1 if the click says *this, too* and 0 if it says *not this*. Return
# None where nothing is wrong. `ndimage` is SciPy's.
#
# <details><summary>The idea</summary>
#
# Three steps: two masks of errors, their connected regions, and the deepest pixel of the largest one.
#
# </details>
# <details><summary>The way there</summary>
#
# Two functions of ndimage do the geometry: label numbers the regions of one kind, and distance_transform_edt gives every pixel's distance to the nearest False; a frame of False makes the border count as outside.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.5")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>
#
# **Expected:** `10.5 The next click: ✓ passed (17 of 17 cases)`


# %%
def next_click(logits, target, known):
    """(x, y, label) of a click in the middle of the largest error, or None where nothing is wrong."""
    # BEGIN SOLUTION
    found = logits > 0
    best = None
    for label, wrong in ((1, target & ~found & known), (0, found & ~target & known)):
        regions, count = ndimage.label(wrong)
        for number in range(1, count + 1):
            region = regions == number
            if best is None or region.sum() > best[0].sum():
                best = region, label
    if best is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(best[0], 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y), best[1]
    # END SOLUTION


segtutor.check("10.5", next_click)
next_click = segtutor.use("10.5", next_click)

# %% [markdown]
# Now your function plays the person. Each further click goes into the largest error of the answer before.

# %% alt="The same scene five times with one click more each time, blue points on the thing and red crosses beside it, and an orange outline of the answer; above each stands its IoU"
points, labels, scores = [click.point], [1], []
figure, axes = plt.subplots(1, 5, figsize=(9, 1.9))
for axis in axes:
    found = prompter.ask(points, labels)
    mask = found.logits[found.best].double().numpy()
    scores.append(float(np.asarray(logit_iou(mask[None], 255 * target.astype(int), known))[0]))
    axis.imshow(image.permute(1, 2, 0))
    axis.contour(mask > 0, [0.5], colors=ORANGE, linewidths=2)
    for (x, y), label in zip(points, labels, strict=True):
        axis.plot(
            x, y, "o" if label else "X", color=BLUE if label else "#D55E00", markeredgecolor="white", markersize=7
        )
    axis.set_title(f"IoU {scores[-1]:.2f}")
    axis.set_axis_off()
    further = next_click(mask, target, known)
    if further is None:
        break
    x, y, label = np.asarray(further).tolist()
    points.append((x, y))
    labels.append(label)
plt.show()

# %% [markdown]
# A click need not help: the single mask that answers two clicks and more is another one than the three that answer the
# first.
#
# ## Part D: twenty pictures of your own
#
# A project without a check. Take about twenty photographs of two or three kinds of things, and put them into the folder
# `my_pictures` beside this notebook. Until you have, three drawn scenes stand there. Write the names of your classes, the
# background first.

# %%
folder = Path("my_pictures")
if not folder.is_dir():
    folder.mkdir()
    for number in range(3):
        Image.fromarray(scenes[number][0].permute(1, 2, 0).numpy()).save(folder / f"scene_{number}.png")
tool = inference.Labelling(network, folder, ["background", "person", "animal"])
tool

# %% [markdown]
# Click on a thing until its mask is right, then keep it as its class. What is left at the end is the background, by one
# button. The small network has seen drawn scenes only, so photographs take it more clicks, negative ones and boxes among
# them. Note the minutes. All happens in the page and nothing is sent anywhere; so nothing is kept either, and you take the labels along
# yourself: copy them between the quotation marks below, or give the path of the file that you saved. To go on another day,
# give `labels=` the same text when you make the tool.

# %%
labels_by_clicks = ""  # the copied text, or the path of labels.json
if labels_by_clicks:
    tool.save(labels_by_clicks, "my_labels")
    print(check_folder("my_labels", progress=False))
    print(ImageFolder("my_labels").report())
else:
    print("nothing is labelled yet")

# %% [markdown]
# `my_labels` now holds `images`, `masks` and `classes.json`, the layout of [lesson 7](../07_worked_example.ipynb). Train
# on it, in a terminal, or here with a `!` before the line:
#
# ```
# segtutor train --data my_labels --model deeplabv3_tiny --weights backbone --steps 200 --batch-size 4 --crop 96x96 --out mine.pt
# ```
#
# A fifth of the pictures is set aside to score on. Report in four or five sentences: how many minutes and clicks a picture
# took; what the mean IoU is and on how many pictures; which class is the worst, and whether the labels or the network are
# to blame; and what you would label next.

# %% [markdown]
# *Your text.*

# %% [markdown] tags=["solution"]
# *What a good report holds.* Minutes and clicks for a picture, counted and not guessed. The mean IoU together with the
# number of pictures behind it; with four of them one thing more or less moves it by points, so it is no ground for a claim.
# The worst class, with one of its pictures looked at beside its label: if the label is wider than the thing, the labels
# are to blame, since a place of the map is eight pixels wide; if the label is right, the network. And as the next step more
# pictures of what goes wrong, or the same ones labelled again at a larger `side`, but not both at once.

# %% [markdown]
# ## Part E: an experiment

# %% [markdown]
# ### 10.6 An experiment of your own
#
# *5 points · about 40 minutes · difficulty 2 of 3*
#
# Now an experiment of your own. Declare what changes in the training of the small SAM: **one** thing, and say beforehand
# what you expect and by how much at least. Perhaps you want to know what the three masks are worth, or clicks into the
# network's own errors, or how often a whole class should be meant. The cell below lists the options and the measures. The
# run trains two networks with three seeds each for 40 steps, which go on from the course's checkpoint; it takes a few
# minutes of one core, shows the card, and keeps the record in `experiment_10.json`. **Hand this file in with the
# notebook**, as `NAME.experiment_10.json` where many notebooks `NAME.ipynb` lie in one folder.
#
# What is graded is not what came out, but whether it was a test and whether you read it rightly. From the record, by the
# rule of the claim cards, with the gain of a seed = the number of the second setting minus that of the first, **with the
# same seed** (the other way round if you expect a lower one), fill in, as shares or to three decimals:
#
# - `gain`: the mean of the three gains;
# - `doubt`: how uncertain it is, $t\,s / \sqrt 3$, where $s$ is the standard deviation of the three gains (divided by
#   $n - 1 = 2$) and $t = 4.303$ leaves 2.5 % on either side;
# - `verdict`: `"confirmed"` if even gain − doubt is above the margin, `"reversed"` if even gain + doubt is below 0, else
#   `"undecided"`;
# - `least`: how large a mean gain these three seeds would have needed to confirm the expectation.
#
# <details><summary>The idea</summary>
#
# A test is a sentence that could turn out wrong. Change one option, and say before you run it which number you expect to rise or fall, and by how much at least.
#
# </details>
# <details><summary>The way there</summary>
#
# Choose an effect that a lesson or a card makes likely, so that three seeds can show it; take as margin half of what you expect. After the run form the three differences first: mean and doubt are about them.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("10.6")` shows one. It counts as used: `segtutor.progress(10)` then says "solution seen".
#
# </details>

# %% [markdown]
# What may change, with its usual value, and what is measured:

# %%
from segtutor.exercises.lesson10 import LABORATORY, experiment_with_sam

for option, usual in LABORATORY.options.items():
    print(f"{option:12} usually {usual!r}")
print("measures:", ", ".join(f"{one.key} ({one.title.removesuffix(', %')})" for one in LABORATORY.measures))

# %% [markdown]
# `several` says whether the first click is answered by three masks; `rounds` how often a prompt is answered in training,
# with one more click each time; `own_errors` whether these clicks go where the last answer was wrong, or anywhere;
# `region` how often all of a class is meant; `box` how often a prompt begins with a box; `start` is `"course"` or
# `"backbone"`, which has learned nothing of clicks yet; and there may be up to 120 `steps`.
#
# Your declaration. Write it before you run the cell after it; as it stands, it is none.

# %%
# STUB: declaration = {
# STUB:     "changes": None,  # the name of one option
# STUB:     "first": None,  # its value in the first setting
# STUB:     "second": None,  # its value in the second setting
# STUB:     "stays": {},  # other options that are not to have their usual values, the same in both settings
# STUB:     "measure": None,  # the key of one measure
# STUB:     "expects": None,  # "higher" or "lower", of the second setting
# STUB:     "margin": None,  # by how much more than nothing, as a share
# STUB: }
# BEGIN SOLUTION
declaration = {
    "changes": "start",
    "first": "backbone",
    "second": "course",
    "stays": {},
    "measure": "oracle_iou",
    "expects": "higher",
    "margin": 0.1,
}
# END SOLUTION

# %% [markdown]
# The run, once the declaration stands. A second time it only reads what came out.

# %%
record = None
if LABORATORY.trouble(declaration) is None:
    record = experiment_with_sam(declaration)
else:
    print(LABORATORY.trouble(declaration)[1])

# %% [markdown]
# Now read the record.
#
# **Expected:** `10.6 An experiment of your own: ✓ passed (9 of 9 cases)`

# %%
# STUB: answers = {
# STUB:     "declaration": declaration,
# STUB:     "record": record,
# STUB:     "gain": None,  # a number
# STUB:     "doubt": None,  # a number
# STUB:     "verdict": None,  # "confirmed", "reversed" or "undecided"
# STUB:     "least": None,  # a number
# STUB: }
# BEGIN SOLUTION
sign = 1 if declaration["expects"] == "higher" else -1
first, second = (np.array([run[declaration["measure"]] for run in record[which]]) for which in ("first", "second"))
gains = sign * (second - first)
gain, doubt = gains.mean(), 4.303 * gains.std(ddof=1) / np.sqrt(3)
margin = declaration["margin"]
answers = {
    "declaration": declaration,
    "record": record,
    "gain": gain,
    "doubt": doubt,
    "verdict": "confirmed" if gain - doubt > margin else "reversed" if gain + doubt < 0 else "undecided",
    "least": margin + doubt,
}
# END SOLUTION

segtutor.check("10.6", answers)

# %% [markdown]
# Two sentences for your teacher: what would you claim now, and what would you run next?

# %% [markdown]
# *Your text.*

# %% [markdown]
# ## How far you are

# %%
segtutor.progress(10)
