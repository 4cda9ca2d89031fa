# ---
# title: DeepLab, from holes in the kernel to the dense CRF
# minutes_cpu: 3
# minutes_t4: 3
# download: none
# peak_ram: 1.1 GB
# prerequisites: ["[Lessons 6a](../06a_deeplab_v2.ipynb)", "[6b](../06b_deeplab_v3.ipynb)", "[Lesson 1](../01_metrics.ipynb)", "[Lesson 2](../02_data_sets.ipynb)", PyTorch tensors and modules]
# minutes_work: 290
# ---

# %% [markdown]
# Fifteen tasks, 47 points, and a project. You write the parts of three DeepLabs: atrous convolution and the rates that
# belong to it, the ASPP of version 3, the separable convolution and the decoder of version 3+, the score fusion and the
# dense conditional random field (CRF) of version 2. In the project your ASPP takes the place of the one in a trained
# network, and your CRF tries to improve what that network says. At the end it is about choices: rates for a map, which
# published figures to believe, and an experiment of your own.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Maps and weights come as NumPy arrays (`float32`, weights as `nn.Conv2d` holds them), and `torch.as_tensor(x)` makes
#   them tensors; of a tensor it makes nothing new, so your functions also work inside a network. They may return
#   arrays, lists or tensors.
# - `segtutor.progress(6)` shows how far you are in this assignment. It remembers across restarts.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import segtutor
from segtutor import datasets, models

BLUE, ORANGE = "#0072B2", "#E69F00"
scenes = datasets.Scenes("val", size=(129, 161), count=10)  # 1 + a multiple of 16, for aligned corners
picture = scenes[0][0].numpy().astype(np.float32) / 255  # 3 x 129 x 161, 0 to 1
gray = picture.mean(axis=0, keepdims=True)[None]  # 1 x 1 x 129 x 161


def show_maps(maps, titles, **options):
    """One row of maps of any size, each in the shape of the picture."""
    _, axes = plt.subplots(1, len(maps), figsize=(min(2.6 * len(maps), 9), 2.4))
    for axis, values, title in zip(axes, maps, titles, strict=True):
        axis.imshow(values, cmap="gray", extent=(0, 161, 129, 0), **options)
        axis.set(xticks=[], yticks=[], title=title)
    plt.show()


segtutor.plotting.use_course_style()
segtutor.progress(6)

# %% [markdown]
# ## Part A: atrous convolution

# %% [markdown]
# ### 6.1 Atrous convolution by stuffing the kernel
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# "Trous" are holes. A kernel with holes is a larger kernel with zeros in it: at rate $r$ there are $r - 1$ zeros between
# two neighboring weights (or *taps*), so $k$ taps in a row become $r\,(k - 1) + 1$ numbers. With that kernel, an
# ordinary convolution is the atrous one.
#
# Write `atrous_convolution(features, weight, bias, rate)` for a whole layer: `features` is B x C x H x W, `weight`
# K x C x k x k with odd k, `bias` holds K numbers. Stuff every one of the K x C kernels and convolve, with as many zeros
# around the map as keep its size: for 3 x 3 the padding equals the rate. It must also work at rate 1 and for a
# 1 x 1 kernel, because 6.5 needs both. (`F.conv2d(..., dilation=rate)` does the same without the zeros, and faster: good
# for comparing.)
#
# <details><summary>The idea</summary>
#
# Begin with a large enough kernel of zeros, and write the weights into every rate-th row and column.
#
# </details>
# <details><summary>The way there</summary>
#
# Row a of the kernel becomes row a times the rate; how large is the new kernel then? A slice with a step reaches exactly the places of the old weights. The padding that keeps the size is half of the new kernel, rounded down.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.1")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.1 Atrous convolution by stuffing the kernel: ✓ passed (8 of 8 cases)`


# %%
def atrous_convolution(features, weight, bias, rate):
    """B x C x H x W -> B x K x H x W: an ordinary convolution, its kernel stuffed with rate - 1 zeros between taps."""
    # BEGIN SOLUTION
    features, weight, bias = (torch.as_tensor(one) for one in (features, weight, bias))
    side = rate * (weight.shape[-1] - 1) + 1
    stuffed = weight.new_zeros(*weight.shape[:2], side, side)
    stuffed[:, :, ::rate, ::rate] = weight
    return F.conv2d(features, stuffed, bias, padding=side // 2)
    # END SOLUTION


segtutor.check("6.1", atrous_convolution)
atrous_convolution = segtutor.use("6.1", atrous_convolution)

# %% [markdown]
# Your layer with a kernel that subtracts the left neighbor from the right one. At a larger rate the neighbors lie
# farther away, so the edges become wider, and the number of weights stays nine. Below the figure: the difference from
# PyTorch's own dilation, which should be zero but for rounding.

# %% alt="Three gray maps of one scene: thin vertical edges at rate 1, wider ones at rate 3, doubled outlines at rate 9"
kernel = np.array([[[[0, 0, 0], [-1, 0, 1], [0, 0, 0]]]], dtype=np.float32)
no_bias = np.zeros(1, dtype=np.float32)
rates = (1, 3, 9)
edges = [np.asarray(atrous_convolution(gray, kernel, no_bias, rate)) for rate in rates]
show_maps([one[0, 0] for one in edges], [f"rate {rate}" for rate in rates], vmin=-0.5, vmax=0.5)
for rate, found in zip(rates, edges, strict=True):
    peer = F.conv2d(*map(torch.as_tensor, (gray, kernel)), padding=rate, dilation=rate).numpy()
    print(f"rate {rate}: largest difference from PyTorch's dilation {abs(found - peer).max():.0e}")

# %% [markdown]
# ### 6.2 Rates for another output stride
#
# *2 points · about 15 minutes · difficulty 1 of 3*
#
# You have weights that were trained at one output stride, and want to use them at another: at a finer one for better
# outlines, or at a coarser one for speed. The same kernels then meet a map that is denser or thinner. To read the same
# places *in the picture*, all rates must be multiplied by one factor. (So DeepLab v3, section 3.3, was trained at stride
# 16 with the rates 6, 12 and 18 and tested at stride 8.)
#
# Write `deeplab_rates(branches, stage, multi_grid, trained_stride, output_stride)`. `branches` are the rates of the
# ASPP's 3 x 3 branches at `trained_stride`; `stage` is the rate of the ResNet's last stage there, and each of its blocks
# multiplies it by its unit of `multi_grid`. Return two lists, the rates at `output_stride`: of the branches, and of the
# blocks. Strides are powers of 2.
#
# If a single one of these rates is not a whole number, the weights cannot be used at that stride. In a package you would
# raise a `ValueError`; the check compares results, so return the text `"error"` here.
#
# <details><summary>The idea</summary>
#
# A rate times the stride is a distance in pixels of the picture, and this distance is to stay.
#
# </details>
# <details><summary>The way there</summary>
#
# One factor for all rates, from the two strides. Work with the distances themselves: dividing them by the new stride shows at once whether a rate is whole.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.2")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.2 Rates for another output stride: ✓ passed (14 of 14 cases)`


# %%
def deeplab_rates(branches, stage, multi_grid, trained_stride, output_stride):
    """Rates of the ASPP branches and of the last stage's blocks at another output stride; "error" if none fit."""
    # BEGIN SOLUTION
    reaches = [rate * trained_stride for rate in (*branches, *(stage * unit for unit in multi_grid))]
    if any(reach % output_stride for reach in reaches):
        return "error"
    rates = [reach // output_stride for reach in reaches]
    return rates[: len(branches)], rates[len(branches) :]
    # END SOLUTION


segtutor.check("6.2", deeplab_rates)
deeplab_rates = segtutor.use("6.2", deeplab_rates)

# %% [markdown]
# Your rates beside those in the course's DeepLab v3, built as the paper has it on the device "meta", where no weights
# take up memory:

# %%
for output_stride in (16, 8):
    with torch.device("meta"):
        network = models.create("deeplabv3_resnet50", variant="paper", output_stride=output_stride)
    branches = [branch[0].dilation[0] for branch in network.classifier[0].convs[1:4]]
    blocks = [block.conv2.dilation[0] for block in network.backbone.layer4]
    yours = [np.asarray(rates).tolist() for rates in deeplab_rates((6, 12, 18), 2, (1, 2, 4), 16, output_stride)]
    print(f"output stride {output_stride:2}: yours {yours}, the network's {[branches, blocks]}")

# %% [markdown]
# ### 6.3 A rate that is too large
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# A 3 x 3 kernel at rate $r$ reads at distances $-r$, $0$, $r$ in both directions. Near the border some of its nine taps
# fall outside the map, on the zeros of the padding. The larger the rate, the more, until only the middle tap is left:
# then the expensive 3 x 3 convolution is a 1 x 1. This is why DeepLab v3 added image pooling (section 3.3 and figure 4).
#
# Write `valid_taps(height, width, rate)` for a map of `height` x `width` positions. A tap is valid if it lies on the map.
# Return three numbers from 0 to 1: the share of the nine taps that is valid, averaged over all positions; the share of
# the positions at which all nine are valid; and the share at which only the middle is.
#
# <details><summary>The idea</summary>
#
# Count the valid taps of every position, H x W numbers. Along one side a position has one, two or three; the number of the kernel is the product of both.
#
# </details>
# <details><summary>The way there</summary>
#
# Ask for one side first: how many of the three places, one rate before, here, and one rate behind, lie on the map? An outer product then has the number of every position, and the three answers are three questions to it.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.3")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.3 A rate that is too large: ✓ passed (13 of 13 cases)`


# %%
def valid_taps(height, width, rate):
    """Mean share of a 3 x 3 kernel's taps on the map; share of positions with all nine; share with only the middle."""
    # BEGIN SOLUTION
    down = [sum(0 <= row + step < height for step in (-rate, 0, rate)) for row in range(height)]
    across = [sum(0 <= column + step < width for step in (-rate, 0, rate)) for column in range(width)]
    taps = np.outer(down, across)
    return float(taps.mean()) / 9, float((taps == 9).mean()), float((taps == 1).mean())
    # END SOLUTION


segtutor.check("6.3", valid_taps)
valid_taps = segtutor.use("6.3", valid_taps)

# %% [markdown]
# Your numbers on a map of 65 x 65, which are 513 pixels at output stride 8: the paper's figure 4, drawn by you. How much
# of the 3 x 3 kernels with the rates 12, 24 and 36 is left?

# %% alt="Curves over the rate from 1 to 65 on a map of 65 x 65: the mean share of valid taps falls from 1 to a ninth, the share of positions with all nine taps reaches 0 at rate 33, the share with only the middle tap rises from there to 1"
all_rates = np.arange(1, 66)
shares = np.array([valid_taps(65, 65, int(rate)) for rate in all_rates])
_, axis = plt.subplots(figsize=(6, 3.2))
styles = (("black", "-", "taps on the map, mean"), (BLUE, "--", "all nine taps"), (ORANGE, ":", "only the middle tap"))
for values, (color, style, name) in zip(shares.T, styles, strict=True):
    axis.plot(all_rates, values, color=color, linestyle=style, linewidth=2.5, label=name)
axis.set(xlabel="rate", ylabel="share", xlim=(1, 65), ylim=(0, 1.02), xticks=(1, 12, 24, 36, 48, 60))
axis.legend(loc="upper center", bbox_to_anchor=(0.56, 1))
plt.show()
for rate in (12, 24, 36):
    print(f"rate {rate}: {shares[rate - 1, 0]:.0%} of the taps are on the map")

# %% [markdown]
# ## Part B: the ASPP of DeepLab v3

# %% [markdown]
# ### 6.4 Image pooling
#
# *2 points · about 10 minutes · difficulty 1 of 3*
#
# The branch that helps where large rates fail: one look at the whole picture. Take the mean over the map, one number per
# picture and channel; then a 1 x 1 convolution with `weight` (K x C x 1 x 1) and `bias` (K); then ReLU; and give the
# result to every position of the map.
#
# Write `image_pooling(features, weight, bias)`, which makes B x K x H x W of B x C x H x W. (The paper upsamples the one
# position bilinearly. From one position that is a copy.)
#
# <details><summary>The idea</summary>
#
# Keep the two dimensions of the map at size 1 until the end; then spread them over H x W.
#
# </details>
# <details><summary>The way there</summary>
#
# The mean of PyTorch can keep the dimensions that it averages. A map of 1 x 1 goes through F.conv2d as any other, and a tensor can be expanded to a larger size without being copied.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.4")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.4 Image pooling: ✓ passed (9 of 9 cases)`


# %%
def image_pooling(features, weight, bias):
    """B x C x H x W -> B x K x H x W: mean over the whole map, 1 x 1 convolution, ReLU, the same at every position."""
    # BEGIN SOLUTION
    features, weight, bias = (torch.as_tensor(one) for one in (features, weight, bias))
    pooled = features.mean(dim=(2, 3), keepdim=True)
    reduced = torch.relu(F.conv2d(pooled, weight, bias))
    return reduced.expand(-1, -1, *features.shape[-2:])
    # END SOLUTION


segtutor.check("6.4", image_pooling)
image_pooling = segtutor.use("6.4", image_pooling)

# %% [markdown]
# Your branch beside that of the course's trained network. In it, batch normalization stands between convolution and ReLU.
# In evaluation this is $y = \gamma\,(x - \mu) / \sqrt{\sigma^2 + \varepsilon} + \beta$ for each channel, with stored
# numbers, so convolution and normalization are together one convolution with bias. `folded` works out its weight and
# bias; the project needs it again.


# %%
def folded(convolution, norm):
    """Weight (K x C x k x k) and bias (K) of a convolution without bias and the batch norm behind it."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight, bias = scale[:, None, None, None] * convolution.weight, norm.bias - scale * norm.running_mean
    return weight.detach(), bias.detach()


trained = models.create("deeplabv3_tiny", num_classes=len(scenes.labels), weights="course").eval()
images = torch.stack([trained.preprocessing.normalize(torch.as_tensor(scenes[number][0])) for number in range(3)])
pooling = trained.classifier[0].convs[4]  # average pooling, 1 x 1 convolution, batch norm, ReLU
with torch.no_grad():
    features = trained.backbone(images)["out"]
    theirs = pooling(features)
    yours = torch.as_tensor(image_pooling(features, *folded(pooling[1], pooling[2])))
print("map of the backbone", tuple(features.shape), "-> image pooling", tuple(yours.shape))
print(f"largest value {float(theirs.max()):.2f}, largest difference {float((yours - theirs).abs().max()):.0e}")

# %% [markdown]
# ### 6.5 Atrous spatial pyramid pooling, branch by branch
#
# *5 points · about 25 minutes · difficulty 3 of 3*
#
# Now the module of DeepLab v3 (section 3.3), with a switch that lesson 6b's has not: which of its branches do the work?
# To find out, one takes a *trained* network, silences one branch, and sees what is lost. From the same map `features`
# (B x C x H x W) the module makes, in this order:
#
# 1. a 1 x 1 convolution,
# 2. for each rate of `rates` a 3 x 3 convolution at that rate, with padding so that H x W stays,
# 3. image pooling,
#
# each followed by ReLU. `without` lists the numbers of the branches that are silent, counted from 0 in this order: after
# ReLU such a branch gives **0 at every position**, and keeps its channels, because the projection expects them. The
# branches are concatenated along the channels, and a last 1 x 1 convolution, the *projection*, again with ReLU, makes one
# map of them.
#
# Write `aspp(features, rates, weights, biases, project_weight, project_bias, without)` with your `atrous_convolution` and
# `image_pooling`. `weights` and `biases` hold one entry per branch in the order above, so there are two more than rates.
# All weights are as `nn.Conv2d` holds them. (The network has a batch normalization between convolution and ReLU; in a
# trained network it can be folded into weight and bias, as the project below does.)
#
# <details><summary>The idea</summary>
#
# Collect the branches in a list, all from the same map. The first is an atrous convolution at rate 1 with a 1 x 1 kernel.
#
# </details>
# <details><summary>The way there</summary>
#
# All branches but the last are the same step with another rate, so one loop serves them; which rate has the first? Image pooling brings its own ReLU, your atrous convolution does not. The projection is a 1 x 1 convolution again.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.5")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.5 Atrous spatial pyramid pooling, branch by branch: ✓ passed (14 of 14 cases)`


# %%
def aspp(features, rates, weights, biases, project_weight, project_bias, without):
    """1 x 1, a 3 x 3 for each of `rates`, image pooling, without some of them; concatenated; 1 x 1 projection."""
    # BEGIN SOLUTION
    branches = []
    for weight, bias, rate in zip(weights[:-1], biases[:-1], (1, *rates), strict=True):
        branches.append(torch.relu(torch.as_tensor(atrous_convolution(features, weight, bias, rate))))
    branches.append(torch.as_tensor(image_pooling(features, weights[-1], biases[-1])))
    for number in without:
        branches[number] = torch.zeros_like(branches[number])
    fused = atrous_convolution(torch.cat(branches, dim=1), project_weight, project_bias, 1)
    return torch.relu(torch.as_tensor(fused))
    # END SOLUTION


segtutor.check("6.5", aspp)
aspp = segtutor.use("6.5", aspp)

# %% [markdown]
# What does one position tell the others? A map with a single 1 in its middle, and weights that are all 1, show it. Each
# dark point reads the middle through one of the branches; the gray around it is image pooling, whose weight is made
# large here so that you can see it. On a map of 41 x 41, compare small rates with those of output stride 16.

# %% alt="Two maps of 41 x 41 on gray ground: with the rates 1, 2, 3 dark points crowd around the middle; with the rates 6, 12, 18 three squares of eight dark points each reach almost to the border"
point = np.zeros((1, 1, 41, 41), dtype=np.float32)
point[0, 0, 20, 20] = 1
ones, threes = np.ones((1, 1, 1, 1), dtype=np.float32), np.ones((1, 1, 3, 3), dtype=np.float32)
layers = [ones, threes, threes, threes, ones * 0.3 * point.size]
projection = np.ones((1, 5, 1, 1), dtype=np.float32)
_, axes = plt.subplots(1, 2, figsize=(6, 3.2))
for axis, rates in zip(axes, ((1, 2, 3), (6, 12, 18)), strict=True):
    answer = np.asarray(aspp(point, rates, layers, [no_bias] * 5, projection, no_bias, ()))[0, 0]
    axis.imshow(answer, cmap="gray_r", vmin=0, vmax=1.3)
    axis.set(xticks=[], yticks=[], title=f"rates {rates[0]}, {rates[1]}, {rates[2]}")
plt.show()

# %% [markdown]
# ## Part C: version 3+, and version 2

# %% [markdown]
# ### 6.6 Atrous separable convolution with a multiplier
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# DeepLab v3+ replaces the full 3 x 3 convolutions of its ASPP and decoder by two cheap ones (section 3.1). In lesson 6b
# each channel had *one* kernel. Some networks give it several: the *depthwise* convolution then makes m channels of every
# channel, each with a kernel of its own that reads this one channel at the rate; the *pointwise* convolution, a 1 x 1,
# mixes all of them. A bias and ReLU follow each of the two. (Batch norm is folded into biases and weights again.)
#
# Write `separable_convolution(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate)`. `features` is
# B x C x H x W, `depthwise` (m · C) x 1 x k x k with odd k: first the m kernels of channel 0, then those of channel 1,
# and so on, as `nn.Conv2d(C, m * C, k, groups=C)` holds them. Its biases are m · C numbers, `pointwise` is K x (m · C) x
# 1 x 1. The result is B x K x H x W. You find m by comparing the shapes; often it is 1.
#
# <details><summary>The idea</summary>
#
# Two convolutions, each followed by ReLU. In the first, no channel sees another one.
#
# </details>
# <details><summary>The way there</summary>
#
# F.conv2d has an argument for groups: how many must there be so that each channel is alone, however many kernels it has? The padding that keeps the size grows with the rate. The second convolution is an ordinary one, on what the first ReLU left.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.6")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.6 Atrous separable convolution with a multiplier: ✓ passed (11 of 11 cases)`


# %%
def separable_convolution(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):
    """Some kernels of k x k per channel at a rate, ReLU, then a 1 x 1 convolution across all that they give, ReLU."""
    # BEGIN SOLUTION
    features, depthwise, depthwise_bias = (torch.as_tensor(one) for one in (features, depthwise, depthwise_bias))
    margin = rate * (depthwise.shape[-1] // 2)
    filtered = F.conv2d(features, depthwise, depthwise_bias, padding=margin, dilation=rate, groups=features.shape[1])
    mixed = F.conv2d(torch.relu(filtered), torch.as_tensor(pointwise), torch.as_tensor(pointwise_bias))
    return torch.relu(mixed)
    # END SOLUTION


segtutor.check("6.6", separable_convolution)
separable_convolution = segtutor.use("6.6", separable_convolution)

# %% [markdown]
# Your block beside the course's, `AtrousSeparableConv`, with random weights and statistics, at the rate 6:

# %%
from segtutor.models.separable import AtrousSeparableConv

torch.manual_seed(0)
block = AtrousSeparableConv(64, 32, rate=6).eval()
with torch.no_grad():
    for layer in (block.depthwise_norm, block.pointwise_norm):
        layer.running_mean.normal_()
        layer.running_var.uniform_(0.5, 2)
    values = torch.randn(1, 64, 20, 25)
    parts = (*folded(block.depthwise, block.depthwise_norm), *folded(block.pointwise, block.pointwise_norm))
    theirs, yours = block(values), torch.as_tensor(separable_convolution(values, *parts, 6))
print(f"largest value {float(theirs.max()):.2f}, largest difference {float((yours - theirs).abs().max()):.0e}")

# %% [markdown]
# ### 6.7 Which layers to make separable
#
# *3 points · about 25 minutes · difficulty 2 of 3*
#
# A separable convolution is cheaper, but something may be lost with it. So you make separable as few layers as possible:
# just as many as it takes to stay in a budget of multiply-adds.
#
# `layers` is a list of (inputs C, outputs K, kernel k, height, width), where height x width are the positions of the
# layer's result. A full convolution has C · K · k² weights; the separable one has k² for each input channel (depthwise),
# and one for each pair of channels (pointwise). Biases do not count. Each weight is used once at every position, in both
# forms, and the zeros of the padding count like other values: that is the number of multiply-adds.
#
# Write `layers_to_replace(layers, budget)`, which returns the numbers of the layers (from 0, rising) that become
# separable, so that all layers together cost **at most** `budget` and **as few layers as possible** are replaced; of
# several choices of the same size take the one with the lowest cost. If the budget holds already, nothing is replaced:
# return `[]`. If it cannot be held, return the text `"error"`. Mind layers for which the separable form is not cheaper at
# all. No two layers save the same; the numbers are whole, and may be very large.
#
# <details><summary>The idea</summary>
#
# Fewest layers: begin with the one whose replacement saves most, and stop as soon as the budget holds.
#
# </details>
# <details><summary>The way there</summary>
#
# Two numbers for each layer: what the full form costs, and what is saved. Go through the layers by falling savings; a saving that is 0 or negative helps nobody. Only at the end put the numbers into order.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.7")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.7 Which layers to make separable: ✓ passed (17 of 17 cases)`


# %%
def layers_to_replace(layers, budget):
    """Numbers of the fewest layers that must become separable to stay in the budget, rising; "error" if all do not."""
    # BEGIN SOLUTION
    total, savings = 0, []
    for inputs, outputs, kernel, height, width in layers:
        full = inputs * outputs * kernel**2
        total += full * height * width
        savings.append((full - inputs * kernel**2 - inputs * outputs) * height * width)
    chosen = []
    for number in sorted(range(len(layers)), key=lambda number: -savings[number]):
        if total <= budget:
            break
        total -= savings[number]
        chosen.append(number)
    return sorted(chosen) if total <= budget else "error"
    # END SOLUTION


segtutor.check("6.7", layers_to_replace)
layers_to_replace = segtutor.use("6.7", layers_to_replace)

# %% [markdown]
# The large layers of DeepLab v3+ on a ResNet and 513 x 513 pixels. Which of them would you make separable first, if the
# network must become cheaper? And how far can it go at all?

# %%
large = {
    "ASPP, 1 x 1": (2048, 256, 1, 33, 33),
    "ASPP, rate 6": (2048, 256, 3, 33, 33),
    "ASPP, rate 12, a little smaller": (2048, 250, 3, 33, 33),
    "ASPP, rate 18, smaller still": (2048, 240, 3, 33, 33),
    "decoder, first 3 x 3": (304, 256, 3, 129, 129),
    "decoder, second 3 x 3": (256, 256, 3, 129, 129),
}
whole = sum(c * k * kernel**2 * height * width for c, k, kernel, height, width in large.values())
print(f"all of them full: {whole / 1e9:.1f} billion multiply-adds")
for share in (0.8, 0.5, 0.25, 0.1):
    chosen = layers_to_replace(list(large.values()), int(share * whole))
    names = chosen if isinstance(chosen, str) else "; ".join(list(large)[int(number)] for number in chosen)
    print(f"{share:4.0%} of it: {names}")

# %% [markdown]
# ### 6.8 The fusion in the decoder
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# The encoder of DeepLab v3+ (backbone and ASPP) gives a coarse map at stride 16, rich in meaning. Its decoder (section
# 3.1) takes the boundaries from a *low-level* map at stride 4. First a 1 x 1 convolution with ReLU reduces the low-level
# map to few channels (48 in the paper), so that it does not outweigh the encoder. Then the encoder's map is upsampled to
# the size of the low-level one, and both are concatenated: the encoder's channels first.
#
# Write `fuse_with_low_level(encoded, low, weight, bias)`: `encoded` is B x C x h x w, `low` B x D x H x W, `weight`
# L x D x 1 x 1, `bias` holds L numbers; the result is B x (C + L) x H x W. Upsample bilinearly **with aligned corners**,
# as the authors' code and the course's network do, and to the *size* of the low-level map: it need not be four times as
# large (513 pixels give 33 and 129 positions).
#
# <details><summary>The idea</summary>
#
# Three steps: reduce the low-level map, enlarge the encoder's map, put the two together.
#
# </details>
# <details><summary>The way there</summary>
#
# Only the low-level map is convolved and gets the ReLU; only the encoder's map is resized, to the last two dimensions of the other. Mind the order in which they are put together.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.8")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.8 The fusion in the decoder: ✓ passed (8 of 8 cases)`


# %%
def fuse_with_low_level(encoded, low, weight, bias):
    """The encoder's map, upsampled to the low-level one, and then the low-level map, reduced by a 1 x 1 with ReLU."""
    # BEGIN SOLUTION
    encoded, low, weight, bias = (torch.as_tensor(one) for one in (encoded, low, weight, bias))
    reduced = torch.relu(F.conv2d(low, weight, bias))
    enlarged = F.interpolate(encoded, size=low.shape[-2:], mode="bilinear", align_corners=True)
    return torch.cat([enlarged, reduced], dim=1)
    # END SOLUTION


segtutor.check("6.8", fuse_with_low_level)
fuse_with_low_level = segtutor.use("6.8", fuse_with_low_level)

# %% [markdown]
# Why aligned corners? The strided layers of the network compute their maps at the pixels 0, 16, 32, ... of 129 x 161 and
# at 0, 4, 8, ... With aligned corners the upsampled map has these values at exactly these places. Here the scene itself
# stands for both maps: every 16th and every 4th pixel.

# %% alt="A scene in gray three times: 9 x 11 large pixels, the same smoothly enlarged to 33 x 41, and the sharper low-level map of 33 x 41 pixels"
coarse, fine = gray[:, :, ::16, ::16], picture[None, :, ::4, ::4]
to_gray = np.full((1, 3, 1, 1), 1 / 3, dtype=np.float32)
joined = np.asarray(fuse_with_low_level(coarse, fine, to_gray, no_bias))
show_maps([coarse[0, 0], *joined[0]], ["encoder, 9 x 11", "upsampled, 33 x 41", "low-level, 33 x 41"], vmin=0, vmax=1)
shifted = F.interpolate(torch.as_tensor(coarse), size=(33, 41), mode="bilinear", align_corners=False).numpy()
for name, values in (("aligned", joined[:, :1]), ("not aligned", shifted)):
    print(f"{name}: largest difference at every fourth place {abs(values[:, :, ::4, ::4] - coarse).max():.2f}")

# %% [markdown]
# ### 6.9 Sums and maxima: the fusion of DeepLab v2
#
# *2 points · about 15 minutes · difficulty 2 of 3*
#
# The older ASPP, of DeepLab v2, does not concatenate: each branch scores the K classes by itself, and the scores of the
# branches are **added** (figure 7). In addition, the network may look at the picture at several scales (1, 0.75, 0.5);
# of their scores the **largest** counts, for each pixel and each class by itself (section 4.1.2).
#
# Write `fuse_scores(scores)`. `scores` is a list with one array per scale, the full picture first. Each array is
# R x B x K x h x w, one B x K x h x w for each of R branches; h and w differ from scale to scale. Add up the branches,
# resize each scale bilinearly with aligned corners to the h x w of the first, and take the largest: B x K x h x w.
#
# <details><summary>The idea</summary>
#
# Per scale first: add up the branches, then resize. Only then compare the scales.
#
# </details>
# <details><summary>The way there</summary>
#
# The branches are the first axis of each array. When all scales have the size of the first one, stack them along a new axis and take the largest along it.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.9")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.9 Sums and maxima: the fusion of DeepLab v2: ✓ passed (9 of 9 cases)`


# %%
def fuse_scores(scores):
    """Scores per scale, each R x B x K x h x w: the sum over the R branches, the largest over the scales."""
    # BEGIN SOLUTION
    summed = [torch.as_tensor(branches).sum(dim=0) for branches in scores]
    size = summed[0].shape[-2:]
    resized = [F.interpolate(one, size=size, mode="bilinear", align_corners=True) for one in summed]
    return torch.stack(resized).amax(dim=0)
    # END SOLUTION


segtutor.check("6.9", fuse_scores)
fuse_scores = segtutor.use("6.9", fuse_scores)

# %% [markdown]
# Your fusion in the course's DeepLab v2 (with random weights): the scene at three scales, four branches each. Enlarged
# to the picture, your scores must be the network's logits.

# %%
torch.manual_seed(0)
second = models.create("deeplabv2_tiny", num_classes=len(scenes.labels), multi_scale=True).eval()
with torch.no_grad():
    scores = []
    for size in ((129, 161), (97, 121), (65, 81)):  # the scales 1, 0.75 and 0.5 of 128 x 160, plus 1
        scaled = F.interpolate(images[:1], size=size, mode="bilinear", align_corners=True)
        found = second.backbone(scaled)["out"]
        scores.append(torch.stack([branch(found) for branch in second.classifier]))
    yours = F.interpolate(torch.as_tensor(fuse_scores(scores)), size=(129, 161), mode="bilinear", align_corners=True)
    theirs = second(images[:1])["out"]
print("scores of a branch at each scale:", ", ".join(str(tuple(one.shape[-2:])) for one in scores))
print(f"largest score {float(theirs.max()):.3f}, largest difference {float((yours - theirs).abs().max()):.0e}")

# %% [markdown]
# ## Part D: the dense CRF
#
# The picture, not the network, knows where exactly an object ends. The dense CRF of DeepLab v1 and v2 brings it in
# afterwards. You compare all pixels with all, which works for small crops (24 x 32 pixels already give 589,824 numbers);
# `models.dense_crf` filters whole pictures instead. Plain loops over the pairs pass the checks, but would take minutes
# in the project: let NumPy or PyTorch work on all pairs at once.

# %% [markdown]
# ### 6.10 Unary energies
#
# *2 points · about 8 minutes · difficulty 1 of 3*
#
# The dense CRF of DeepLab v1 and v2 begins with what the network says about each pixel by itself. An improbable class
# costs energy: $U_{ik} = -\log p_{ik}$ for pixel $i$ and class $k$. A probability of 0 would cost infinitely much and
# could never be corrected, so every probability below a floor counts as the floor.
#
# Write `unary_energies(probabilities, floor)`: `probabilities` is K x H x W, the result N x K with N = H W, one row per
# pixel, the pixels row by row (first the upper row of the picture from left to right).
#
# <details><summary>The idea</summary>
#
# First one row per pixel, then the floor, then the logarithm.
#
# </details>
# <details><summary>The way there</summary>
#
# Fold the two axes of the picture into one, which keeps the order of the pixels, and bring the axis of the classes to the end. The floor comes before the logarithm, which never meets a 0 then.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.10")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.10 Unary energies: ✓ passed (7 of 7 cases)`


# %%
def unary_energies(probabilities, floor):
    """K x H x W probabilities -> N x K energies -log p, one row per pixel, row by row; p is at least `floor`."""
    # BEGIN SOLUTION
    per_pixel = probabilities.reshape(len(probabilities), -1).T
    return -np.log(np.maximum(per_pixel, floor))
    # END SOLUTION


segtutor.check("6.10", unary_energies)
unary_energies = segtutor.use("6.10", unary_energies)

# %% [markdown]
# The energies of the pixel at which the trained network is least decided: how much dearer is the second best class, and
# how dear may a class become at all?

# %%
with torch.no_grad():
    probabilities = trained(images)["out"].softmax(dim=1).double().numpy()  # 3 x K x 129 x 161
energies = np.asarray(unary_energies(probabilities[0], 1e-5))
one = energies[probabilities[0].max(axis=0).argmin()]
for number in np.argsort(one)[:3]:
    print(f"{scenes.labels.names[number]:18} {one[number]:6.3f}")
print(f"{'the dearest':18} {one.max():6.3f}")

# %% [markdown]
# ### 6.11 The kernels of the dense CRF, with three mistakes
#
# *4 points · about 25 minutes · difficulty 3 of 3*
#
# In the dense CRF every pixel is tied to every other. How strongly, says a Gaussian of their distance. For two pixels
# $i$, $j$ at the places $x$ (row and column) with the colors $c$ (three channels of 0 to 255),
#
# $$k_{ij} = \exp\left(-\frac{|x_i - x_j|^2}{2\,\sigma_{xy}^2}
# - \frac{|c_i - c_j|^2}{2\,\sigma_{rgb}^2}\right)$$
#
# is the *bilateral* kernel. Without its second term it is the *Gaussian* kernel. A pixel at the border or of a rare
# color has few partners. To make pixels comparable, the authors' code normalizes symmetrically: with the row sums
# $d_i = \sum_j k_{ij}$,
#
# $$\tilde k_{ij} = k_{ij} / \sqrt{d_i\, d_j}.$$
#
# The pixel itself, $k_{ii} = 1$, **is in the sum**, as in the authors' code and by default in
# `models.dense_crf` (the paper's formula leaves it out).
#
# Somebody has written this:
#
# ```python
# def pair_kernel(image, sigma_xy, sigma_rgb):
#     features = np.indices(image.shape[:2]).reshape(2, -1).T / sigma_xy
#     if sigma_rgb is not None:
#         features = np.concatenate([features, image.reshape(-1, 3) / sigma_rgb], axis=1)
#     distances = np.abs(features[:, None] - features[None]).sum(axis=2) ** 2
#     kernel = np.exp(-distances)
#     return kernel / kernel.sum(axis=1, keepdims=True)
# ```
#
# It runs. But a diagonal neighbor is tied as weakly as one two pixels away; with a sigma of 3 everything looks as one
# would expect it of 2.1; and pixel $i$ does not hear of $j$ what $j$ hears of $i$, although the kernel is to be
# symmetric. **There are three mistakes in it.** Find them, and write `pair_kernel(image, sigma_xy, sigma_rgb)` as it
# should be: `image` is H x W x 3 `uint8`, and the result N x N with N = H W, the pixels row by row. If `sigma_rgb` is
# `None`, it is the Gaussian kernel.
#
# <details><summary>The idea</summary>
#
# Hold each of the three complaints against the formulas: which distance is in the exponent, what else stands below it, and by what is a number of the kernel divided?
#
# </details>
# <details><summary>The way there</summary>
#
# With every feature divided by its sigma, the exponent is minus half a sum of squares, whichever kernel it is. An additional axis gives all pairs of pixels. Normalize with the row sums of both pixels of a pair, one along the rows and one along the columns.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.11")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.11 The kernels of the dense CRF, with three mistakes: ✓ passed (12 of 12 cases)`


# %%
def pair_kernel(image, sigma_xy, sigma_rgb):
    """N x N kernel of an H x W x 3 picture, its rows normalized symmetrically; Gaussian if sigma_rgb is None."""
    # BEGIN SOLUTION
    height, width = image.shape[:2]
    places = np.indices((height, width)).reshape(2, -1).T / sigma_xy
    features = places
    if sigma_rgb is not None:
        features = np.concatenate([places, image.reshape(-1, 3).astype(float) / sigma_rgb], axis=1)
    distances = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    kernel = np.exp(-distances / 2)
    root = np.sqrt(kernel.sum(axis=1))
    return kernel / (root[:, None] * root[None, :])
    # END SOLUTION


segtutor.check("6.11", pair_kernel)
pair_kernel = segtutor.use("6.11", pair_kernel)

# %% [markdown]
# One row of each kernel, folded back into the crop: how strongly the pixel in the middle, marked by a cross, is tied to
# each other pixel. The bilateral kernel stops where the color changes. With a color sigma of 3, as on VOC, that is
# already so in the noise of a drawn scene; 13 tolerates it.

# %% alt="A crop of a scene with a cross in the middle; the Gaussian kernel as a round dark spot around the cross; the bilateral kernel with color sigma 3 dark on a few pixels near the cross; with 13 dark on the upright part of the building that it stands on, and gray on two squares of a similar color"
CROP = (24, 32)
image = scenes[8][0].numpy().transpose(1, 2, 0)[24:48, 112:144]
middle = 12 * 32 + 16
rows = [np.asarray(pair_kernel(image, *sigmas))[middle].reshape(CROP) for sigmas in ((3, None), (67, 3), (67, 13))]
titles = ("crop", "Gaussian, 3", "bilateral, 67 and 3", "bilateral, 67 and 13")
_, axes = plt.subplots(1, 4, figsize=(9, 2.2))
for axis, values, title in zip(axes, (image, *rows), titles, strict=True):
    axis.imshow(values, cmap="gray_r")
    axis.plot(16, 12, "+", color=ORANGE, markersize=10, markeredgewidth=2)
    axis.set(xticks=[], yticks=[], title=title)
plt.show()

# %% [markdown]
# ### 6.12 One mean-field step, with classes that go together
#
# *4 points · about 15 minutes · difficulty 2 of 3*
#
# Mean-field inference replaces the CRF by independent pixels with the probabilities $Q$ (N x K) and improves all of
# them at once, again and again. In one step every pixel $i$ hears from all pixels $j$ how probable they find each class,
# weighted by the kernels $\tilde K_m$ of 6.11. In lesson 6a all pairs of unequal classes cost the same, the *Potts*
# model. But a rider beside a horse is no accident, and a horse beside a sofa is. So here a matrix says what classes cost
# beside each other: $\mu_{lk}$ is the cost of class $k$ for a pixel whose neighbor has class $l$, and
#
# $$Q_{ik} \leftarrow \frac{1}{Z_i} \exp\Big(-U_{ik} - \sum_m w_m \sum_j \tilde k^{(m)}_{ij} \sum_l Q_{jl}\,
# \mu_{lk}\Big),$$
#
# where $Z_i$ makes the K numbers of pixel $i$ add up to 1: that is a softmax over the classes. The sums over $j$ and $l$
# are matrix products, and the pixel itself is among the $j$. The matrix need not be symmetric, and may have numbers on
# its diagonal and below 0. With 0 on the diagonal and 1 elsewhere it is the Potts model again.
#
# Write `mean_field_step(probabilities, unary, kernels, weights, compatibility)`: `probabilities` is the present $Q$ and
# `unary` is $U$, both N x K; `kernels` is a list of N x N matrices (any number of them; without a kernel nothing is
# heard, and $Q$ is the softmax of $-U$), `weights` has one number for each, `compatibility` is $\mu$, K x K. Return the
# new $Q$. All pixels change at once: each hears the old $Q$.
#
# <details><summary>The idea</summary>
#
# Inside the exponential stands a sum: minus the unary energies, minus what is heard through each kernel. The rest is a softmax.
#
# </details>
# <details><summary>The way there</summary>
#
# Collect the sum first: what a pixel hears are probabilities of its neighbors' classes, and the matrix turns them into costs of its own; every message reads the old probabilities. The softmax goes over the classes, so each row adds up to 1, and to subtract a row's largest value before exp changes nothing but keeps it from overflowing.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.12")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.12 One mean-field step, with classes that go together: ✓ passed (15 of 15 cases)`


# %%
def mean_field_step(probabilities, unary, kernels, weights, compatibility):
    """New N x K probabilities: softmax of minus the unary energies and minus the weighted costs of the neighbors."""
    # BEGIN SOLUTION
    total = -unary
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total - weight * (kernel @ probabilities @ compatibility)
    powers = np.exp(total - total.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    # END SOLUTION


segtutor.check("6.12", mean_field_step)
mean_field_step = segtutor.use("6.12", mean_field_step)

# %% [markdown]
# Three pixels in a row, two classes. The middle one is undecided with a tendency to the second class, its neighbors are
# sure of the first. Step by step they win it over:

# %%
network_says = np.array([[[0.95, 0.45, 0.95]], [[0.05, 0.55, 0.05]]])  # 2 x 1 x 3
energies = np.asarray(unary_energies(network_says, 1e-5))
smooth = np.asarray(pair_kernel(np.zeros((1, 3, 3), dtype=np.uint8), 1.0, None))
current = np.exp(-energies)
for step in range(4):
    print(f"after {step} steps the middle pixel has the first class with probability {current[1, 0]:.3f}")
    current = np.asarray(mean_field_step(current, energies, [smooth], [3.0], 1 - np.eye(2)))

# %% [markdown]
# The same three pixels, where the two classes go together: what the second class costs beside the first is lowered from 1
# to 0 and below. From which cost on does the middle pixel keep its own opinion?

# %%
for cost in (1.0, 0.5, 0.2, 0.0, -0.5):
    current = np.exp(-energies)
    for _ in range(10):
        together = np.array([[0.0, cost], [1.0, 0.0]])
        current = np.asarray(mean_field_step(current, energies, [smooth], [3.0], together))
    print(f"cost {cost:4}: the middle pixel has the second class with probability {current[1, 1]:.3f}")

# %% [markdown]
# ## Project: your ASPP and your CRF behind a trained network
#
# *About 25 minutes. There is no check here: you see for yourself whether it works.*
#
# ### Step 1: your ASPP in the trained network
#
# The course's `deeplabv3_tiny` was trained on 12,000 drawn scenes. Its `classifier[0]` is the ASPP. Its first four
# branches are sequences of convolution, batch norm and ReLU, the fifth you know from 6.4, and `project` begins with
# convolution and batch norm, too. The constructor of `OwnASPP` folds all of them. Write `forward` with your `aspp`. As
# it stands, it runs, but it makes nothing of the map.


# %%
class OwnASPP(nn.Module):
    """The ASPP from the functions of this assignment, with the weights of the course's module."""

    def __init__(self, module):
        super().__init__()
        *convolutions, pooling = module.convs
        self.rates = [branch[0].dilation[0] for branch in convolutions[1:]]
        layers = [folded(branch[0], branch[1]) for branch in convolutions] + [folded(pooling[1], pooling[2])]
        self.weights, self.biases = [weight for weight, _ in layers], [bias for _, bias in layers]
        self.projection = folded(module.project[0], module.project[1])
        self.without = ()  # numbers of silent branches

    def forward(self, features):
        # STUB: return torch.zeros(len(features), len(self.projection[0]), *features.shape[-2:])
        # BEGIN SOLUTION
        fused = aspp(features, self.rates, self.weights, self.biases, *self.projection, self.without)
        return torch.as_tensor(fused, dtype=features.dtype)
        # END SOLUTION


own = copy.deepcopy(trained)
own.classifier[0] = OwnASPP(trained.classifier[0])
print("rates of the trained branches:", own.classifier[0].rates)

# %% [markdown]
# Three scenes of the validation set through both networks. The logits may differ by rounding, the labels should not.

# %%
with torch.no_grad():
    theirs, mine = trained(images)["out"], own(images)["out"]
print(f"largest logit {float(theirs.abs().max()):.1f}, largest difference {float((theirs - mine).abs().max()):.0e}")
for number, same in enumerate((theirs.argmax(1) == mine.argmax(1)).float().mean(dim=(1, 2))):
    print(f"scene {number}: {float(same):.2%} of the pixels have the same label")

# %% [markdown]
# Which branch does the work? Silence one after the other, and all but one, in your copy of the trained network, and score it
# on five scenes. **Predict, then run:** which branch is missed most? And does this tell how good a network would be
# that had been *trained* without it?

# %%
from segtutor import metrics


def mean_iou_of(network):
    """Mean IoU on five scenes, in percent."""
    matrix = metrics.ConfusionMatrix(len(scenes.labels))
    with torch.no_grad():
        for number in range(5):
            scene, target = scenes[number]
            logits = network(network.preprocessing.normalize(torch.as_tensor(scene))[None])["out"]
            matrix.update(target, logits[0].argmax(0))
    return 100 * matrix.mean_iou()


names = ["1 x 1", *(f"rate {rate}" for rate in own.classifier[0].rates), "image pooling"]
print(f"all branches: {mean_iou_of(own):.1f} %")
for number, name in enumerate(names):
    scores = []
    for silent in ((number,), tuple(set(range(len(names))) - {number})):
        own.classifier[0].without = silent
        scores.append(mean_iou_of(own))
    print(f"{name:13} silent: {scores[0]:4.1f} %; alone: {scores[1]:4.1f} %")
own.classifier[0].without = ()

# %% [markdown]
# <details><summary>Which, and why?</summary>
#
# The 1 x 1 branch and image pooling are missed most: without either the mean IoU falls from 58.5 % to about 50. The rates
# 8 and 12 are missed least, 2.9 and 0.9 points. Alone no branch is worth much, since the layers behind have learned to
# hear all of them. And that is why this does not tell what a network would reach that was trained without a branch: it
# could learn to put the others to use. To know, one has to train it, as the cards of lesson 6b do.
#
# </details>

# %% [markdown]
# ### Step 2: ten mean-field steps
#
# Write `refined(probabilities, image)` for a crop: `probabilities` is K x 24 x 32, `image` 24 x 32 x 3. Work out the
# unary energies (floor 1e-5) and two kernels, the Gaussian with sigma 3 and weight 3 and the bilateral with sigmas 67
# and 3 and weight 4: what `models.dense_crf` does unless told otherwise, and near what DeepLab v2 does on VOC. Begin with
# the network's probabilities, do ten steps, and return K x 24 x 32 again. As it stands, nothing changes.


# %%
def refined(probabilities, image):
    """K x 24 x 32 probabilities after ten mean-field steps."""
    # STUB: return probabilities
    # BEGIN SOLUTION
    energies = np.asarray(unary_energies(probabilities, 1e-5))
    kernels = [np.asarray(pair_kernel(image, 3, None)), np.asarray(pair_kernel(image, 67, 3))]
    current = probabilities.reshape(len(probabilities), -1).T
    for _ in range(10):
        current = np.asarray(mean_field_step(current, energies, kernels, [3, 4], 1 - np.eye(len(probabilities))))
    return current.T.reshape(probabilities.shape)
    # END SOLUTION


# %% [markdown]
# Two crops of validation scenes, before and after. White pixels are right, orange ones are wrong; the titles say the
# pixel accuracy in the crop. Below: how far your result is from `models.dense_crf` with the same settings.

# %% alt="Two rows, one per crop: the picture, its labels, the wrong pixels before and after the CRF; in the first row fewer pixels are wrong afterwards, in the second row more"
CROPS = ((8, 24, 112), (9, 64, 96))  # scene, first row, first column
small = datasets.Scenes("val", size=(128, 160), count=10)  # the size that the network was trained on
figure, axes = plt.subplots(2, 4, figsize=(9, 4.4))
present = set()
for row, (number, top, left) in zip(axes, CROPS, strict=True):
    scene, target = small[number]
    with torch.no_grad():
        found = own(own.preprocessing.normalize(torch.as_tensor(scene))[None])["out"].softmax(dim=1)
    window = np.s_[top : top + 24, left : left + 32]
    before = found[0].double().numpy()[(slice(None), *window)]
    image, labels = scene.numpy().transpose(1, 2, 0)[window], target.numpy()[window]
    after = refined(before, image)
    row[0].imshow(image)
    row[1].imshow(segtutor.plotting.colorize(labels, scenes.labels))
    row[0].set_title(f"scene {number}")
    row[1].set_title("labels")
    present |= set(np.unique(labels).tolist())
    valid = labels != scenes.labels.ignore_index
    for axis, name, values in zip(row[2:], ("network", "with CRF"), (before, after), strict=True):
        wrong = (values.argmax(axis=0) != labels) & valid
        axis.imshow(np.where(wrong[..., None], (230, 159, 0), (255, 255, 255)))
        axis.set_title(f"{name}: {1 - wrong.sum() / valid.sum():.1%} right")
    peer = models.dense_crf(before, image, method="exact")
    print(f"scene {number}: largest difference from models.dense_crf {abs(after - peer).max():.0e}")
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
place = {"loc": "outside lower center", "bbox_to_anchor": None, "ncols": 8}
segtutor.plotting.legend(figure, present, scenes.labels, **place)
plt.show()

# %% [markdown]
# The CRF need not help. It knows nothing of classes, only that near pixels of one color belong together. Where that is
# so and the network was undecided at the boundary, it repairs; where an object is thin or has the colors of its ground,
# the larger neighbor swallows it. DeepLab v3 left it out.
#
# Now report in three or four sentences: what changed in each of the two crops, which objects grew and which shrank, and
# why. Then change one weight or one sigma, say what you expect, and see.

# %% [markdown]
# *Your text.*

# %% [markdown] tags=["solution"]
# *One possible report.* In scene 8 the network takes a strip of the building for the bus: 118 pixels of bus, where 59
# are right. The CRF gives the strip back to the building (65 pixels of bus are left), because it has the wall's color,
# and the accuracy rises from 90.9 % to 98.0 %. In scene 9 the dog has nearly the color of the sand. The network gives
# it 169 pixels of 231; the CRF leaves 121, and the sand grows from 366 to 432 pixels, so the accuracy falls from 86.3 %
# to 81.0 %. I expected that a color sigma of 13 in place of 3 makes this worse, since then even more of the dog counts as
# sand: it falls to 62.8 %, while scene 8 hardly changes (97.5 %).

# %% [markdown]
# ## Part E: choices

# %% [markdown]
# ### 6.13 Rates that fit a map
#
# *2 points · about 20 minutes · difficulty 2 of 3*
#
# The rates 6, 12 and 18 belong to a map of 33 x 33 positions. On the map of your own pictures they may be far too large,
# as 6.3 has shown, and then the ASPP reads zeros. So turn 6.3 around: how large may a rate be?
#
# Write `choose_rates(height, width, shares)` for a map of `height` x `width` positions. For each number s of `shares`
# find the **largest** rate at which the share of the nine taps that is on the map, averaged over all positions (the first
# result of `valid_taps`), is still **at least** s; if it is less at rate 1 already, the answer is 0. Return one whole
# number per share. The shares come in any order and are above 1/9: so much is on the map at every rate.
#
# <details><summary>The idea</summary>
#
# The larger the rate, the fewer taps are on the map. Go up from rate 1 as long as enough of them are.
#
# </details>
# <details><summary>The way there</summary>
#
# For each share by itself: count the rates that leave enough. Up to which rate must you look? From the longer side on, only the middle tap is left.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.13")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.13 Rates that fit a map: ✓ passed (12 of 12 cases)`


# %%
def choose_rates(height, width, shares):
    """For each share the largest rate at which so much of a 3 x 3 kernel is on the map, on average; 0 for none."""
    # BEGIN SOLUTION
    rates = []
    for share in shares:
        rate = 0
        while valid_taps(height, width, rate + 1)[0] >= share:
            rate += 1
        rates.append(rate)
    return rates
    # END SOLUTION


segtutor.check("6.13", choose_rates)
choose_rates = segtutor.use("6.13", choose_rates)

# %% [markdown]
# DeepLab's own rates leave so much of a kernel on its map of 33 x 33. Which rates leave as much on other maps?

# %%
shares = [float(valid_taps(33, 33, rate)[0]) for rate in (6, 12, 18)]
print("rates 6, 12 and 18 on 33 x 33:", ", ".join(f"{share:.0%}" for share in shares))
for name, height, width in (
    ("513 x 513 at stride 8", 65, 65),
    ("a scene of 96 x 128 at stride 8", 12, 16),
    ("a scene of 240 x 320 at stride 16", 15, 20),
    ("Cityscapes, 1024 x 2048 at stride 16", 64, 128),
):
    print(f"{name:37} map {height:3} x {width:3}: rates {[int(rate) for rate in choose_rates(height, width, shares)]}")

# %% [markdown]
# ### 6.14 When to believe a result
#
# *3 points · about 25 minutes · difficulty 2 of 3*
#
# Ten published figures, with what each of them depends on: the weights that training started from, the pictures that were
# scored, the output stride **at test time**, and the scales at which each picture was shown. As in 3.11, two rows tell
# what **one thing** is worth only if they differ in that thing and in no other column; the source may differ.
#
# |   | network | backbone | started from | scored on | test stride | scales | mean IoU, % | source |
# | --- | --- | --- | --- | --- | --- | --- | --- | --- |
# | A | DeepLab v3 | ResNet-101 | ImageNet | VOC 2012 val | 16 | one | 77.21 | DeepLab v3's paper |
# | B | DeepLab v3 | ResNet-101 | ImageNet | VOC 2012 val | 8 | one | 78.51 | DeepLab v3's paper |
# | C | DeepLab v3 | ResNet-101 | ImageNet | VOC 2012 val | 8 | 0.5 to 1.75, mirrored | 79.77 | DeepLab v3's paper |
# | D | DeepLab v3 | ResNet-101 | ImageNet, COCO | VOC 2012 val | 8 | 0.5 to 1.75, mirrored | 82.7 | DeepLab v3's paper |
# | E | DeepLab v3 | ResNet-101 | ImageNet, COCO | VOC 2012 test | 8 | 0.5 to 1.75, mirrored | 85.7 | DeepLab v3's paper |
# | F | DeepLab v3+ | Xception-65 | ImageNet, COCO | VOC 2012 val | 16 | one | 82.2 | the authors' model zoo |
# | G | DeepLab v3+ | Xception-65 | ImageNet, COCO | VOC 2012 val | 8 | 0.5 to 1.75, mirrored | 83.58 | the authors' model zoo |
# | H | DeepLab v3+ | Xception-65 | ImageNet, COCO | VOC 2012 test | 8 | 0.5 to 1.75, mirrored | 87.8 | the authors' model zoo |
# | I | DeepLab v3 | ResNet-101 | ImageNet | Cityscapes val | 16 | one | 77.23 | DeepLab v3's paper |
# | J | DeepLab v3 | ResNet-101 | ImageNet | Cityscapes val | 8 | one | 77.82 | DeepLab v3's paper |
#
# Fill in `answers`. A pair is two letters in the order of the table, `"AB"`; where there is no such pair, `"none"`.
#
# - `"stride on VOC"` and `"stride on Cityscapes"`: which pair tells what the finer output stride brings, at one scale?
# - `"scales"`: which pair tells what it brings to show each picture at several scales?
# - `"COCO"`: which pair tells what it brings to start from COCO, too?
# - `"decoder"`: which pair tells what the decoder is worth, in which v3+ goes beyond v3?
# - `"points of the stride, VOC"` and `"points of the stride, Cityscapes"`: how many points is the finer stride worth?
# - `"differences of E and H"`: in how many columns do E and H differ, figure and source left out?
# - `"82.7 and 85.7"`: D and E are by the same authors and in the same paper. What explains the three points? **a**: the
#   network of E is better. **b**: three points are what chance makes. **c**: nothing is known of the network, since other
#   pictures were scored. **d**: the test pictures are easier for every network by three points.
# - `"to believe"`: somebody has trained your network once with and once without a new module, and writes: "It brings 0.4
#   points." Trained three times with other seeds, your network alone reached 71.6, 72.3 and 72.1 %. What do you write?
#   **a**: the module helps, since 0.4 is above 0. **b**: nothing can be said; chance alone makes differences as large,
#   and each of the two should be trained with several seeds. **c**: the module does harm. **d**: the module helps, since
#   the authors would not have published it else.
#
# <details><summary>The idea</summary>
#
# Go through the columns, not through the figures: a pair is fair if exactly one column differs.
#
# </details>
# <details><summary>The way there</summary>
#
# For each question find the column that may differ, and cover it with a finger: all others must be equal. If no two rows are left, nobody has measured it.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("6.14")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>
#
# **Expected:** `6.14 When to believe a result: ✓ passed (10 of 10 cases)`

# %%
# STUB: answers = {
# STUB:     "stride on VOC": None,  # two letters in the order of the table, or "none"
# STUB:     "stride on Cityscapes": None,  # two letters, or "none"
# STUB:     "scales": None,  # two letters, or "none"
# STUB:     "COCO": None,  # two letters, or "none"
# STUB:     "decoder": None,  # two letters, or "none"
# STUB:     "points of the stride, VOC": None,  # a number
# STUB:     "points of the stride, Cityscapes": None,  # a number
# STUB:     "differences of E and H": None,  # a number: in how many columns they differ, but for figure and source
# STUB:     "82.7 and 85.7": None,  # "a", "b", "c" or "d"
# STUB:     "to believe": None,  # "a", "b", "c" or "d"
# STUB: }
# BEGIN SOLUTION
answers = {
    "stride on VOC": "AB",
    "stride on Cityscapes": "IJ",
    "scales": "BC",
    "COCO": "CD",
    "decoder": "none",  # E and H, or D and G, differ in the backbone as well
    "points of the stride, VOC": 78.51 - 77.21,
    "points of the stride, Cityscapes": 77.82 - 77.23,
    "differences of E and H": 2,  # network and backbone
    "82.7 and 85.7": "c",
    "to believe": "b",
}
# END SOLUTION

segtutor.check("6.14", answers)

# %% [markdown]
# ### 6.15 An experiment of your own
#
# *5 points · about 35 minutes · difficulty 2 of 3*
#
# After other people's figures, one of your own. Declare an experiment with the small DeepLab v3: **one** thing changes,
# and you say beforehand what you expect and by how much at least. Perhaps you have a suspicion from 6.3 and 6.13, or from
# a card of the lessons that said *undecided*. The cell below lists the options and the measures. The run trains two
# networks with three seeds each, one or two minutes with the usual 60 steps and less than four on one core, shows the
# card, and keeps the record in `experiment_06.json`. **Hand this file in with the notebook**, as
# `NAME.experiment_06.json` where many notebooks `NAME.ipynb` lie in one folder.
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
# `segtutor.solution("6.15")` shows one. It counts as used: `segtutor.progress(6)` then says "solution seen".
#
# </details>

# %% [markdown]
# What may change, with its usual value, and what is measured:

# %%
from segtutor.exercises.lesson06 import LABORATORY, experiment_with_deeplab

for option, usual in LABORATORY.options.items():
    print(f"{option:14} usually {usual!r}")
print("scenes: 'all' or 'bollards'; start: 'backbone' or 'random'; class_weights: 'root', 'median frequency' or 'none'")
print("measures:", ", ".join(f"{one.key} ({one.title.removesuffix(', %')})" for one in LABORATORY.measures))

# %% [markdown]
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
    "changes": "image_pooling",
    "first": False,
    "second": True,
    "stays": {"scenes": "bollards"},
    "measure": "bollard_iou",
    "expects": "higher",
    "margin": 0.02,
}
# END SOLUTION

# %% [markdown]
# The run, once the declaration stands. A second time it only reads what came out.

# %%
record = None
if LABORATORY.trouble(declaration) is None:
    record = experiment_with_deeplab(declaration)
else:
    print(LABORATORY.trouble(declaration)[1])

# %% [markdown]
# Now read the record.
#
# **Expected:** `6.15 An experiment of your own: ✓ passed (9 of 9 cases)`

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

segtutor.check("6.15", answers)

# %% [markdown]
# Two sentences for your teacher: what would you claim now, and which run would you add first?

# %% [markdown]
# *Your text.*

# %% [markdown]
# ## How far you are

# %%
segtutor.progress(6)
