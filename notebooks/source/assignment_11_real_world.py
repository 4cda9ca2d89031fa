# ---
# title: Away from the data set, and five faults to find
# minutes_cpu: 4
# minutes_t4: 3
# download: none
# peak_ram: 1.5 GB
# prerequisites: ["[Lesson 11](../11_real_world.ipynb)", "[Lesson 1](../01_metrics.ipynb)", NumPy and PyTorch modules]
# minutes_work: 185
# ---

# %% [markdown]
# Eight tasks, 30 points. You bring a network through the night, ask how sure it may be and whether another one is really
# better, find out what fits into U-Net and where its loss looks hardest. Then you are a detective: six networks, five faults,
# and nothing to go by but their errors. The last task is an experiment of your own, and after it the course's final project
# begins.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Your functions get NumPy arrays, in 11.1 a network and tensors, and may use what you like: NumPy, PyTorch, SciPy or
#   plain loops. They may return arrays, lists or tensors.
# - `segtutor.progress(11)` shows how far you are in this assignment. It remembers across restarts.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import ndimage

import segtutor
from segtutor import models, plotting
from segtutor.analysis import image_matrices
from segtutor.claims.experiments.world.shift import in_weather
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix

plotting.use_course_style()
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
segtutor.progress(11)

# %% [markdown]
# ## Part A: through the night
#
# The course's small FCN-8s, which has learned by day, and 40 scenes that it has not seen, by day and at night. 64 others are
# there without labels.

# %%
network = models.create("fcn8s_tiny", num_classes=33, weights="course").eval()
scenes, others = draw(EVERYTHING, "val", 40, (96, 128)), draw(EVERYTHING, "test", 64, (96, 128))
labels = scenes.maps.long()
night, unlabeled = in_weather(scenes.images, "night", 0), in_weather(others.images, "night", 1)


def logits_of(model, images):
    with torch.no_grad():
        return torch.cat([model(model.preprocessing.normalize(part))["out"] for part in images.split(20)]).double()


def mean_iou(logits):
    matrix = ConfusionMatrix(len(SCENES))
    matrix.update(labels, logits.argmax(1))
    return matrix.mean_iou()


print(f"by day {mean_iou(logits_of(network, scenes.images)):.1%}, at night {mean_iou(logits_of(network, night)):.1%}")

# %% [markdown]
# ### 11.1 Statistics between day and night
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# At night the means and variances that batch norm keeps are wrong, but few pictures of the night make uncertain ones.
# Between the two stands a mixture (Schneider et al. 2020): what a layer has kept counts as if it came from `prior`
# further pictures. Write `reestimate(network, batches, prior)`. `network` is a `torch.nn.Module`; its batch norms are
# `torch.nn.BatchNorm2d`, wherever they are, and there may be dropout in it. `batches` are tensors B x C x H x W that go
# into the network as they are. `prior` is a whole number, 0 or more.
#
# - Afterwards each `running_mean` is the mean of the old one, with the weight `prior`, and of those of the batches, each
#   with its number of pictures as weight; likewise each `running_var`, of the variances as PyTorch records them. So with
#   a prior of 0 the old ones count nothing.
# - While the pictures pass, a batch norm divides by the statistics of the batch at hand, as in training. Dropout stays
#   off.
# - All else is as before afterwards: weights and biases, those of batch norm, too; each layer's `momentum`; and the mode,
#   `training`, of **every** module, since some came in one and some in the other.
#
# The network itself is changed; what you return is not looked at.
#
# <details><summary>The idea</summary>
#
# PyTorch records statistics by itself wherever a batch norm is in training mode. So the pictures need only pass through, and everything else must be kept from changing.
#
# </details>
# <details><summary>The way there</summary>
#
# Write down modes and momenta; put the network into evaluation mode and the batch norms alone into training mode; let the batches pass without gradients, and before each of them choose the momentum so that new and old have the weights that they should; put back what you wrote down.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.1")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.1 Statistics between day and night: ✓ passed (9 of 9 cases)`


# %%
def reestimate(network, batches, prior):
    """Give batch norm the statistics of `batches`, beside its own with the weight of `prior` pictures."""
    # BEGIN SOLUTION
    modes = [(module, module.training) for module in network.modules()]
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    seen = prior
    for batch in batches:
        seen += len(batch)
        for norm in norms:
            norm.train()
            norm.momentum = len(batch) / seen  # what was there before has the rest
        with torch.no_grad():
            network(batch)
    for module, mode in modes:
        module.training = mode
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    # END SOLUTION


segtutor.check("11.1", reestimate)
reestimate = segtutor.use("11.1", reestimate)

# %% [markdown]
# How many pictures is the day worth? Here is the network with new statistics of 4 or 64 pictures and with several priors: at
# night, and by day, where nothing has changed.

# %% alt="Mean IoU over the prior: at night the line of 4 pictures falls to nothing at a prior of 4, that of 64 pictures stays level up to 4 and falls to nothing at 64; by day the line of 4 pictures is level and rises a little"
priors = (0, 1, 4, 16, 64)
lines = {
    "4 pictures, at night": (unlabeled[:4], night, ORANGE, "o-"),
    "64 pictures, at night": (unlabeled, night, BLUE, "s-"),
    "4 pictures, by day": (others.images[:4], scenes.images, GREEN, "^--"),
}
figure, axis = plt.subplots(figsize=(6, 3))
for name, (own, asked, color, marker) in lines.items():
    found = []
    for prior in priors:
        model = copy.deepcopy(network)
        reestimate(model, network.preprocessing.normalize(own).split(16), prior)
        found.append(100 * mean_iou(logits_of(model, asked)))
    axis.plot([str(one) for one in priors], found, marker, color=color, label=name)
axis.set(xlabel="prior, in pictures", ylabel="mean IoU, %", ylim=(0, None))
axis.legend()
plt.show()
repaired = copy.deepcopy(network)
reestimate(repaired, network.preprocessing.normalize(unlabeled).split(16), 0)

# %% [markdown]
# By day a prior gives back what four pictures cost. At night it takes away what they have brought, and soon: the variances of
# the day are so much larger that even a small share of them outweighs the night's. A prior is for a shift that is small.

# %% [markdown]
# ### 11.2 The expected calibration error
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# Write `calibration_error(probabilities, target, bins, ignore)` for one picture: `probabilities` are K x H x W with the
# sum 1 at each pixel, `target` H x W. Pixels whose label is `ignore` count nowhere; others hold classes 0 to K − 1.
#
# The *confidence* of a pixel is the largest of its probabilities, its *answer* the class that has it (the first of
# equals). M = `bins` bins divide the confidence evenly: bin m, from 0, holds those above m / M and up to (m + 1) / M, the
# right edge included.
#
# Return the **ECE** and M gaps. The gap of a bin is the mean confidence of its pixels less the share of them whose answer
# is right; it is NaN where the bin is empty. The ECE is the mean of the gaps' amounts, each weighted with its bin's share
# of the pixels that count. Some pixel always counts.
#
# <details><summary>The idea</summary>
#
# Three numbers for each pixel that counts: its confidence, whether its answer is right, and its bin.
#
# </details>
# <details><summary>The way there</summary>
#
# Select the pixels that count first. Then, bin by bin, the mean of the confidences less the mean of the rights, and the bin's share of all those pixels.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.2")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.2 The expected calibration error: ✓ passed (8 of 8 cases)`


# %%
def calibration_error(probabilities, target, bins, ignore):
    """ECE, and the gap of each bin: mean confidence less share that is right, NaN where the bin is empty."""
    # BEGIN SOLUTION
    valid = target != ignore
    confidence = probabilities.max(axis=0)[valid]
    right = (probabilities.argmax(axis=0) == target)[valid]
    place = np.ceil(confidence * bins) - 1
    error, gaps = 0.0, np.full(bins, np.nan)
    for number in range(bins):
        inside = place == number
        if inside.any():
            gaps[number] = confidence[inside].mean() - right[inside].mean()
            error += inside.mean() * abs(gaps[number])
    return error, gaps
    # END SOLUTION


segtutor.check("11.2", calibration_error)
calibration_error = segtutor.use("11.2", calibration_error)

# %% [markdown]
# Is the network as sure as it may be? By day, at night as it is, and at night with its new statistics:

# %%
answers = {
    "by day": logits_of(network, scenes.images),
    "at night": logits_of(network, night),
    "at night, new statistics": logits_of(repaired, night),
}
for name, logits in answers.items():
    # One large picture of all: classes, pictures times rows, columns.
    together = logits.softmax(1).transpose(0, 1).flatten(1, 2).numpy()
    error, gaps = calibration_error(together, labels.flatten(0, 1).numpy(), 10, 255)
    listed = " ".join(f"{100 * one:+.0f}" if np.isfinite(one) else "-" for one in np.asarray(gaps, dtype=float))
    print(f"{name:26} ECE {100 * float(error):4.1f} %, gaps of the ten bins in points: {listed}")

# %% [markdown]
# By day the network is a little too modest: all gaps are below 0. At night it is wrong and sure of it, by some 40 points and more,
# and the surer, the worse. With the statistics of the night it is as honest as by day.

# %% [markdown]
# ### 11.3 A temperature
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# A network that is too sure, or too modest, can be made honest by one number, without any change of its answers: its
# logits are divided by a temperature T before the softmax. Write `best_temperature(logits, target, ignore)`: `logits`
# are K x H x W, `target` H x W with classes from 0 to K − 1. Pixels whose label is `ignore` count nowhere. T minimizes
# the mean negative log likelihood of the labels,
#
# $$ L(T) = \frac1N \sum_i \Big( \log \sum_k e^{z_{ki} / T} - z_{y_i i} / T \Big). $$
#
# Return T and L(T), each to three digits at least. The best T lies between 0.05 and 50, and there is only one minimum.
# Logits reach from −60 to 60.
#
# <details><summary>The idea</summary>
#
# L is a function of one number, so its least value can be searched for in any way that gets close enough.
#
# </details>
# <details><summary>The way there</summary>
#
# Write L(T) for the pixels that count. Try temperatures that grow by a factor, then closer ones around the best, again and again; or halve an interval by the sign of the slope.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.3")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.3 A temperature: ✓ passed (9 of 9 cases)`


# %%
def best_temperature(logits, target, ignore):
    """The T for which softmax(logits / T) gives the labels the least mean negative log likelihood, and that mean."""
    # BEGIN SOLUTION
    valid = target != ignore
    scores = logits[:, valid] - logits[:, valid].max(axis=0)
    own = scores[target[valid], np.arange(valid.sum())]
    low, high = 1 / 50, 1 / 0.05  # of b = 1 / T, in which the loss is convex
    for _ in range(60):
        b = (low + high) / 2
        weights = np.exp(b * scores)
        slope = ((weights * scores).sum(axis=0) / weights.sum(axis=0) - own).mean()
        low, high = (b, high) if slope < 0 else (low, b)
    return 1 / b, float((np.log(np.exp(b * scores).sum(axis=0)) - b * own).mean())
    # END SOLUTION


segtutor.check("11.3", best_temperature)
best_temperature = segtutor.use("11.3", best_temperature)

# %% [markdown]
# Three temperatures, fitted to every fourth pixel of the first 20 scenes; the ECE is that of the other 20.

# %%
for name, logits in answers.items():
    held_out = logits[:20, :, ::4, ::4].transpose(0, 1).flatten(1, 2).numpy()
    temperature, _ = best_temperature(held_out, labels[:20, ::4, ::4].flatten(0, 1).numpy(), 255)
    row = []
    for divisor in (1.0, float(temperature)):
        rest = (logits[20:] / divisor).softmax(1).transpose(0, 1).flatten(1, 2).numpy()
        row.append(float(calibration_error(rest, labels[20:].flatten(0, 1).numpy(), 10, 255)[0]))
    print(f"{name:26} T = {float(temperature):5.2f}: ECE {row[0]:.1%} -> {row[1]:.1%}")

# %% [markdown]
# At night a temperature far above 1 makes the network admit that it knows nothing, and it is as wrong as before. With new
# statistics there is nearly nothing left for a temperature to do.

# %% [markdown]
# ## Part B: better, or lucky?

# %% [markdown]
# ### 11.4 Better, or lucky with the pictures?
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Two networks were scored on the same N pictures. Had other pictures been chosen, would the same one have been better?
# Write `bootstrap_difference(first, second, drawn, confidence)`. `first` and `second` are N x K x K, a confusion matrix
# for each picture, rows the true class. `drawn` is S x N: each row is a data set of N pictures, drawn with replacement;
# a number may occur several times, and then its picture counts as often.
#
# The score is the **mean IoU of a data set**: the matrices of its pictures are added up, and then the IoU of each class
# is taken; classes with neither labels nor predictions in it are left out of the mean.
#
# Return three numbers: the difference of the scores on all N pictures, first less second, and the lower and upper end of
# its interval. For each drawn data set take the difference, with the **same pictures for both networks**. The interval
# holds the share `confidence` of the S differences, with equal tails on both sides; `np.quantile` finds the ends.
#
# <details><summary>The idea</summary>
#
# One function is enough: the mean IoU of the pictures with these numbers. All else is calling it.
#
# </details>
# <details><summary>The way there</summary>
#
# For each row of `drawn` select both networks' matrices with the same numbers, score both, subtract. The interval comes from the sorted differences.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.4")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.4 Better, or lucky with the pictures?: ✓ passed (8 of 8 cases)`


# %%
def bootstrap_difference(first, second, drawn, confidence):
    """Difference of two mean IoUs, first less second, and both ends of its interval over the `drawn` data sets."""
    # BEGIN SOLUTION

    def mean_iou(matrices: np.ndarray) -> float:
        matrix = matrices.sum(axis=0)
        hits = matrix.diagonal()
        union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
        return float((hits[union > 0] / union[union > 0]).mean())

    differences = [mean_iou(first[pictures]) - mean_iou(second[pictures]) for pictures in drawn]
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    return mean_iou(first) - mean_iou(second), float(low), float(high)
    # END SOLUTION


segtutor.check("11.4", bootstrap_difference)
bootstrap_difference = segtutor.use("11.4", bootstrap_difference)

# %% [markdown]
# Two networks of the course by day, on the same 40 scenes, and on the first ten of them.

# %%
rival = models.create("deeplabv3_tiny", num_classes=33, weights="course").eval()
first, second = (
    image_matrices(list(labels), list(logits_of(model, scenes.images).argmax(1)), len(SCENES))
    for model in (rival, network)
)
random = np.random.default_rng(0)
for count in (40, 10):
    drawn = random.integers(0, count, (1000, count))
    value, low, high = (float(one) for one in bootstrap_difference(first[:count], second[:count], drawn, 0.95))
    print(
        f"{count} pictures: DeepLab v3 less FCN-8s {100 * value:+.1f} points, 95 % from {100 * low:+.1f} to {100 * high:+.1f}"
    )

# %% [markdown]
# The difference is so large that ten pictures decide it. A difference of two or three points would be lost in an interval
# that is that wide, and so is many an improvement that is reported on one small set.

# %% [markdown]
# ## Part C: U-Net

# %% [markdown]
# ### 11.5 What fits into U-Net
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# A U-Net of square pictures, on `levels` levels. Each level has `convolutions` convolutions of 3 x 3 pixels **without
# padding** on its way down, and as many on its way up; the deepest has them once. (The published one has five levels and
# two.) Between levels a 2 x 2 pooling halves the map, which must have an even side, and on the way up a 2 x 2 transposed
# convolution doubles it. There the map from the way down, as it was before the pooling, joins it, cropped evenly to the
# same side. A last 1 x 1 convolution changes no size.
#
# Write `unet_sizes(least, levels, convolutions)`. Return three things:
#
# 1. the smallest side of a picture, `least` or more, with which every pooled map has an even side and the output has at
#    least one pixel;
# 2. the side of the output;
# 3. a list of `levels` − 1 numbers, how many pixels each skip loses on **each** of its four sides, the deepest first.
#
# <details><summary>The idea</summary>
#
# Begin at the bottom: any side of the deepest map can be, and from it all others follow, on both ways.
#
# </details>
# <details><summary>The way there</summary>
#
# Try the sides 1, 2, 3, ... of the deepest map after its convolutions. A level higher the map before the pooling was twice what came in below, and the map on the way up is twice what went out; then add, or take away, what the convolutions cost. Stop at the first picture that is large enough.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.5")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.5 What fits into U-Net: ✓ passed (10 of 10 cases)`


# %%
def unet_sizes(least, levels, convolutions):
    """The smallest side of at least `least` that fits, the side of the output, and what each skip is cropped by."""
    # BEGIN SOLUTION
    deepest, lost = 0, 2 * convolutions
    while True:
        deepest += 1
        before, after = deepest + lost, deepest  # a level's side before it goes down, and after it came up
        crops = []
        for _ in range(levels - 1):
            before, after = 2 * before, 2 * after
            crops.append((before - after) // 2)
            before, after = before + lost, after - lost
        if before >= least and after >= 1:
            return before, after, crops
    # END SOLUTION


segtutor.check("11.5", unet_sizes)
unet_sizes = segtutor.use("11.5", unet_sizes)

# %% [markdown]
# What the published network makes of sizes that people like to take:

# %%
for least in (128, 256, 512, 572):
    side, output, crops = unet_sizes(least, 5, 2)
    share = (int(output) / int(side)) ** 2
    print(f"at least {least}: {side} -> {output}, crops {list(crops)}; labels for {share:.0%} of what it sees")

# %% [markdown]
# A small picture is mostly border: the network sees it and says nothing about it. This is why tiles should be large, and why
# most people pad instead.

# %% [markdown]
# ### 11.6 The weight of a gap
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# Where two cells nearly touch, a few pixels of background decide whether one thing is found or two. U-Net's loss raises
# them. Write `gap_weights(cells, w0, sigma)`: `cells` is H x W, 0 is background, other numbers are cells. A number is one
# cell, whatever touches it, and whether or not it hangs together; numbers may be missing between others. Return what is
# added to the weight of each pixel, H x W:
#
# $$ w_0 \exp\!\Big( -\frac{(d_1 + d_2)^2}{2 \sigma^2} \Big) $$
#
# in the background, with d₁ and d₂ the distances to the nearest cell and to the second nearest; 0 inside cells. The
# distance of a pixel to a cell is that of the centers of the pixel and of the cell's closest one, by Pythagoras. If there
# are fewer than two cells, nothing is added anywhere.
#
# <details><summary>The idea</summary>
#
# Each pixel needs two distances, to two different cells. A map of distances for each cell is a good start.
#
# </details>
# <details><summary>The way there</summary>
#
# For each number the distance of every pixel to it (scipy.ndimage has a function); of all these maps take at each pixel the least and the second least; then the formula, in the background only.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.6")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.6 The weight of a gap: ✓ passed (9 of 9 cases)`


# %%
def gap_weights(cells, w0, sigma):
    """How much the loss of each pixel of background is raised because two cells are close to it; 0 inside cells."""
    # BEGIN SOLUTION
    numbers = np.unique(cells[cells > 0])
    if len(numbers) < 2:
        return np.zeros(cells.shape)
    distances = np.sort([ndimage.distance_transform_edt(cells != number) for number in numbers], axis=0)
    weights = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return np.where(cells == 0, weights, 0)
    # END SOLUTION


segtutor.check("11.6", gap_weights)
gap_weights = segtutor.use("11.6", gap_weights)

# %% [markdown]
# Seven cells with narrow gaps, and what a wrong pixel costs with a small and a large sigma.

# %% alt="Three panels: seven white discs on black, most of them nearly touching another; then the added weights, faint in the narrowest gaps only with sigma 3, and in bright broad bands between all neighbors with sigma 5"
rows, columns = np.mgrid[:60, :90]
drawn = np.zeros((60, 90), dtype=int)
middles = ((14, 16, 9), (17, 36, 9), (38, 27, 10), (40, 52, 12), (16, 60, 10), (30, 76, 8), (50, 80, 6))
for number, (y, x, radius) in enumerate(middles, start=1):
    drawn[np.hypot(rows - y, columns - x) < radius] = number
figure, axes = plt.subplots(1, 3, figsize=(9, 2.3))
axes[0].imshow(np.where(drawn > 0, 1, 0), cmap="gray")
axes[0].set_title("seven cells")
for axis, sigma in zip(axes[1:], (3.0, 5.0), strict=True):
    shown = axis.imshow(np.asarray(gap_weights(drawn, 10.0, sigma)), cmap="magma", vmin=0, vmax=10)
    axis.set_title(f"added weight, sigma {sigma:g}")
figure.colorbar(shown, ax=axes, shrink=0.8)
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# With a small sigma only the narrowest gaps are lifted. With a large one the whole background between neighbors is, and the
# paper's 5 pixels are meant for pictures of 512.

# %% [markdown]
# ## Part D: five faults
#
# Here are the reports. What is drawn and printed is all that is known.

# %% alt="Six confusion matrices, A to F, eight classes each, rows are the truth: some have a bright diagonal, one of them with an empty column; in two nearly everything is given to a few classes"
from segtutor.exercises.lesson11 import six_reports

reports = six_reports()
figure, axes = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
for axis, (letter, one) in zip(axes.flat, reports.items(), strict=True):
    shares = one["confusion"] / one["confusion"].sum(axis=1, keepdims=True)
    axis.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    axis.set_xticks(range(8), one["classes"], rotation=90, fontsize=8)
    axis.set_yticks(range(8), one["classes"] if axis in axes[:, 0] else [], fontsize=8)
    axis.set_title(f"network {letter}")
plt.show()

# %% [markdown]
# And what the matrices do not show, IoU in percent:

# %%
print("network   new   val   night   best move right, down   boundary, extent, segment")
for letter, one in reports.items():
    day, val, dark = (
        100 * one[key].mean() if key != "right" else 100 * one[key][4] for key in ("right", "val", "night")
    )
    moves = [int(np.argmax(one[key])) - 4 for key in ("right", "down")]
    kinds = ", ".join(f"{share:.0%}" for share in one["kinds"])
    print(f"{letter:8} {day:5.1f} {val:5.1f} {dark:7.1f}   {moves[0]:+9d} {moves[1]:+12d}      {kinds}")

# %% [markdown]
# ### 11.7 Five faults and none
#
# *5 points · about 30 minutes · difficulty 3 of 3*
#
# Six networks of one kind, five convolutions each, were trained on drawn scenes with eight classes. Five have one fault
# each, planted where they learn or where they are used, and one has none. You get neither code nor weights nor pictures:
# only a `report` on each network's errors, a dictionary with
#
# - `classes`: the names of the K classes;
# - `confusion`: K x K pixels of 10,000 on new pictures, which nobody trained or chose anything on; rows are the truth;
# - `val`, `night`: K numbers each, the IoU of each class on the validation set, and on the new pictures **at night**,
#   which no network has trained on;
# - `right`, `down`: 9 numbers each, the mean IoU on the new pictures after all answers were moved by −4, −3, ..., 4
#   pixels to the right, and by as many down;
# - `kinds`: which shares of the wrong pixels are boundary, extent and segment errors.
#
# Write `diagnose(report)`, which returns one of six texts: `"shifted labels"` (all labels of the training lay some pixels
# off), `"statistics of another domain"` (its batch norms have means and variances of other pictures),
# `"normalized twice"` (where it is used), `"a class merged"` (in the labels of its training one class had the number of
# another), `"trained on val"`, or `"none"`. It is tried on networks that you have not seen, trained with other seeds;
# their classes may come in another order. So ask for what a fault *must* do to a report.
#
# <details><summary>The idea</summary>
#
# Say for each fault beforehand which numbers it must move, and which it cannot. Then look at the reports.
#
# </details>
# <details><summary>The way there</summary>
#
# Compare pairs: new pictures with the validation set, day with night, an answer where it lies with one that is moved, and what each class gets with what it should get. Ask first for what spoils everything.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("11.7")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>
#
# **Expected:** `11.7 Five faults and none: ✓ passed (12 of 12 cases)`


# %%
def diagnose(report):
    """The fault of the network that a report is about, one of six words, from its errors alone."""
    # BEGIN SOLUTION
    matrix = report["confusion"]
    hits, given = matrix.diagonal(), matrix.sum(axis=0)
    new = (hits / (given + matrix.sum(axis=1) - hits)).mean()
    if report["night"].mean() > new:
        return "statistics of another domain"
    if new < 0.3:
        return "normalized twice"
    if (given == 0).any():
        return "a class merged"
    if max(report["right"].max(), report["down"].max()) > report["down"][4] + 0.02:
        return "shifted labels"
    if report["val"].mean() > new + 0.1:
        return "trained on val"
    return "none"
    # END SOLUTION


segtutor.check("11.7", diagnose)
diagnose = segtutor.use("11.7", diagnose)

# %% [markdown]
# Your verdicts on the six, and now write beside each which figures told you: two or three sentences a network, as you would
# send them to a colleague whose training you have never seen.

# %%
for letter, one in reports.items():
    print(letter, diagnose(one))

# %% [markdown]
# *Your text.*

# %% [markdown] tags=["solution"]
# *What a good answer holds.* For each network the figure that only its fault explains. Better at night than by day: nothing
# but statistics of dark pictures does that. Low everywhere, at night as well: its input is not what it has learned from, and
# zeros of single classes mean nothing then. An empty column in an otherwise good matrix: a class that no label of the
# training had, and its row says which class it went to. All good, but better after a move of some pixels: labels that lay
# off. Far better on the validation set than on new pictures, though both were drawn alike: it has seen that set. And the last one
# is well, which is a finding, too: its few points between two sets are what pictures differ by. The kinds of errors help least:
# whole segments are wrong in several of them.

# %% [markdown]
# ## Part E: an experiment

# %% [markdown]
# ### 11.8 An experiment of your own
#
# *5 points · about 35 minutes · difficulty 2 of 3*
#
# The last experiment of the course is yours again. A small network learns by day and is scored twice, by day and at
# night. Declare **one** thing that changes, and say beforehand what you expect and by how much at least. Perhaps you
# want to know how few labeled pictures are enough, what unlabeled ones bring at night, or whether a temperature that was
# fitted by day still holds in the dark. The cell below lists the options and the measures. The run trains two networks
# with three seeds each, takes one to three minutes of a core, shows the card, and keeps the record in
# `experiment_11.json`. **Hand this file in with the notebook**, as `NAME.experiment_11.json` where many notebooks
# `NAME.ipynb` lie in one folder.
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
# `segtutor.solution("11.8")` shows one. It counts as used: `segtutor.progress(11)` then says "solution seen".
#
# </details>

# %% [markdown]
# What may change, with its usual value, and what is measured:

# %%
from segtutor.exercises.lesson11 import LABORATORY, experiment_at_night

for option, usual in LABORATORY.options.items():
    print(f"{option:14} usually {usual!r}")
print("measures:", ", ".join(f"{one.key} ({one.title.removesuffix(', %')})" for one in LABORATORY.measures))

# %% [markdown]
# `model` is `"fcn8s_tiny"`, `"pspnet_tiny"` or `"deeplabv3_tiny"`; `pictures` with labels, of the day, are 8 to 400;
# `start` is `"backbone"` or `"random"`; `class_weights` are `"root"`, `"median frequency"` or `"none"`; there may be up to 120
# `steps`. `unlabeled` says how many pictures of the night, 2 to 64, batch norm takes its statistics from before it is asked at
# night, and 0 that it keeps those of the training. `temperature` says whether the logits are divided by a number that is fitted
# to 16 labeled pictures of the day.
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
    "changes": "unlabeled",
    "first": 0,
    "second": 32,
    "stays": {},
    "measure": "night_mean_iou",
    "expects": "higher",
    "margin": 0.05,
}
# END SOLUTION

# %% [markdown]
# The run, once the declaration stands. A second time it only reads what came out.

# %%
record = None
if LABORATORY.trouble(declaration) is None:
    record = experiment_at_night(declaration)
else:
    print(LABORATORY.trouble(declaration)[1])

# %% [markdown]
# Now read the record.
#
# **Expected:** `11.8 An experiment of your own: ✓ passed (9 of 9 cases)`

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

segtutor.check("11.8", answers)

# %% [markdown]
# Two sentences for your teacher: what would you claim now, and what would you run next?

# %% [markdown]
# *Your text.*

# %% [markdown]
# ## How far you are
#
# What comes now is yours alone: the final project asks for your own pictures, your own network, and one claim that could have
# failed. It stands on the course's site under *The final project* (`docs/final_project.md` in the repository). And whoever
# learns without a teacher can write down what was reached, in a terminal:
#
# ```
# segtutor progress --certificate "Your Name" --notebooks assignments --out certificate.html
# ```

# %%
segtutor.progress(11)
