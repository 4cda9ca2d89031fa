# ---
# title: PSPNet, from dilation to pyramid pooling
# minutes_cpu: 3
# minutes_t4: 3
# download: none
# peak_ram: 1.0 GB
# prerequisites: ["[Lesson 4](../04_pspnet.ipynb)", PyTorch tensors and modules]
# minutes_work: 230
# ---

# %% [markdown]
# Eleven tasks, 40 points, and a project. You write the parts of PSPNet yourself: what dilation does to the field that a
# position sees, how a classifier becomes a network with a fine map, pooling over regions of any map, the pyramid
# itself, and the two tricks of its training. In the project your pyramid takes the place of the one in the course's
# PSPNet, and the logits must stay the same. The last task is an experiment of your own.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Maps come as NumPy arrays (B x C x H x W, `float32`), and `torch.as_tensor(x)` makes them tensors; of a tensor it makes
#   nothing new, so your functions also work inside a network. They may return arrays, lists or tensors.
# - `segtutor.progress(4)` shows how far you are in this assignment. It remembers across restarts.

# %%
import copy
import statistics
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import segtutor
from segtutor import compute, datasets, models

BLUE, ORANGE = "#0072B2", "#E69F00"
scenes = datasets.Scenes("val", size=(129, 161), count=10)  # 1 + a multiple of 8, as PSPNet likes it
picture = scenes[0][0].numpy().astype(np.float32) / 255  # 3 x 129 x 161, 0 to 1


def show_maps(maps, titles, **options):
    """One row of maps of any size, each in the shape of the picture."""
    _, axes = plt.subplots(1, len(maps), figsize=(min(2.6 * len(maps), 9), 2.4))
    for axis, values, title in zip(axes, maps, titles, strict=True):
        axis.imshow(values, cmap="gray", extent=(0, 161, 129, 0), **options)
        axis.set(xticks=[], yticks=[], title=title)
    plt.show()


segtutor.plotting.use_course_style()
segtutor.progress(4)

# %% [markdown]
# ## Part A: dilation
#
# A classifier may shrink the picture by 32; a segmentation network should not. Part A is about how to keep the map fine
# without losing sight of the whole.

# %% [markdown]
# ### 4.1 The receptive field
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# How many input pixels along one side can one position of the last map see? Follow the chain of layers from the picture
# on. Two numbers are enough: the **size** of the field, at first 1, and the **jump**, the distance in input pixels of two
# neighbors in the map, at first 1. A layer with kernel $k$, stride $s$ and dilation rate $r$ reads taps that are $r$
# positions apart, and a position is worth as many pixels as the jump *before* the layer:
#
# $$\mathrm{size} \leftarrow \mathrm{size} + (k - 1)\, r \cdot \mathrm{jump}, \qquad
# \mathrm{jump} \leftarrow \mathrm{jump} \cdot s.$$
#
# Write `receptive_field(layers)`: `layers` is a list of (kernel, stride, rate), the first layer first; pooling is a layer
# like any other. Return size and jump.
#
# <details><summary>The idea</summary>
#
# Go through the layers once, and keep two numbers: the size and the jump.
#
# </details>
# <details><summary>The way there</summary>
#
# Both numbers begin at 1 and change in every layer. Mind the order: the taps of a layer are as far apart as the jump was before it.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.1")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.1 The receptive field: ✓ passed (14 of 14 cases)`


# %%
def receptive_field(layers):
    """Receptive field in input pixels and distance of two neighbors; layers are (kernel, stride, rate), first first."""
    # BEGIN SOLUTION
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= stride
    return size, jump
    # END SOLUTION


segtutor.check("4.1", receptive_field)
receptive_field = segtutor.use("4.1", receptive_field)

# %% [markdown]
# The field of a ResNet-50 as it grows: the 7 x 7 and the pooling of the stem, then one 3 x 3 convolution in each block
# (the 1 x 1 convolutions see nothing new). Why do the last two stages, nine of the sixteen blocks, add almost four
# fifths of it?

# %%
BLOCKS = (3, 4, 6, 3)


def resnet50_layers(strides, rates):
    """(kernel, stride, rate) of the layers that widen the field; strides and rates of the four stages."""
    layers = [(7, 2, 1), (3, 2, 1)]
    for blocks, stride, rate in zip(BLOCKS, strides, rates, strict=True):
        layers += [(3, stride, rate), *[(3, 1, rate)] * (blocks - 1)]
    return layers


layers = resnet50_layers((1, 2, 2, 2), (1, 1, 1, 1))
for name, end in zip(("stem", "stage 1", "stage 2", "stage 3", "stage 4"), np.cumsum([2, *BLOCKS]), strict=True):
    size, jump = receptive_field(layers[:end])
    print(f"after {name:8} a position sees {size:3} pixels, and there is one every {jump:2} pixels")

# %% [markdown]
# ### 4.2 A dilated convolution by hand
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# A dilated convolution has the weights of an ordinary one, but its taps lie `rate` positions apart, with nothing in
# between. For a kernel of $k \times k$ weights ($k$ odd, its middle at $m = (k - 1)/2$),
#
# $$\mathrm{result}[i, j] = \sum_{a, b} \mathrm{kernel}[a, b] \cdot
# \mathrm{values}[i + (a - m)\,\mathrm{rate},\; j + (b - m)\,\mathrm{rate}],$$
#
# and what lies beyond the border counts as 0. So the result has the size of the map; for 3 x 3 this is the padding that
# equals the rate. Rate 1 is the ordinary convolution. As in every network, the kernel is not flipped.
#
# Write `dilated_convolution(values, kernel, rate)` for one channel, `values` H x W, both `float32`. Write the loops, or
# put zeros into the kernel. `F.conv2d` does it in one line, which is good for comparing.
#
# <details><summary>The idea</summary>
#
# Move the whole map once per tap, multiply it by the weight of the tap, and add up.
#
# </details>
# <details><summary>The way there</summary>
#
# Give the map a border of zeros so wide that no tap leaves it. Then each tap reads a window of the size of the map. Where does the window of tap (0, 0) begin, and how far is the next one moved?
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.2")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.2 A dilated convolution by hand: ✓ passed (10 of 10 cases)`


# %%
def dilated_convolution(values, kernel, rate):
    """H x W map -> H x W: the k x k kernel (k odd) with its taps `rate` positions apart, zeros beyond the border."""
    # BEGIN SOLUTION
    height, width = values.shape
    padded = np.pad(values, rate * (len(kernel) // 2))
    result = np.zeros((height, width))
    for row, weights in enumerate(kernel):
        for column, weight in enumerate(weights):
            top, left = row * rate, column * rate
            result += weight * padded[top : top + height, left : left + width]
    return result
    # END SOLUTION


segtutor.check("4.2", dilated_convolution)
dilated_convolution = segtutor.use("4.2", dilated_convolution)

# %% [markdown]
# Nine weights, three rates. The kernel subtracts the left from the right side, so it reacts to edges. At rate 1 these
# are the fine ones; at rate 8 the same nine weights compare what lies 16 pixels apart. The bright margins come from the
# zeros beyond the border: the larger the rate, the more positions read them.

# %% alt="A gray scene and its horizontal differences at rates 1, 3 and 8: thin outlines become wider and doubled as the rate grows"
edges = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32)
gray = picture.mean(axis=0)
filtered = [abs(np.asarray(dilated_convolution(gray, edges, rate))) for rate in (1, 3, 8)]
show_maps([gray, *filtered], ("the picture, gray", "rate 1", "rate 3", "rate 8"), vmin=0, vmax=1)

# %% [markdown]
# ### 4.3 Gridding: the pixels that nobody reads
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# A position of the last map reads three positions of the map before, each of those reads three, and so on down to the
# picture. With dilation these paths can miss pixels that lie well inside the receptive field. That is *gridding*.
#
# Look at one dimension: each layer is a 3-tap convolution, and `rates` holds the layers' rates. From a position a path
# goes, in each layer, one of three steps: −rate, 0 or +rate. Write `count_paths(rates)`, which returns the number of
# paths from one output position to each of the 2 · sum(rates) + 1 pixels from −sum(rates) to +sum(rates), from left to
# right. Pixels that no path reaches get 0. Without layers there is one path, to the position itself. There are up to a
# dozen layers, and the paths must be counted exactly.
#
# <details><summary>The idea</summary>
#
# Begin with one path at the output position itself. Each layer sends every path to three places.
#
# </details>
# <details><summary>The way there</summary>
#
# Keep one number per pixel, in an array that is long enough from the start. After a layer, each pixel has the paths of three old pixels: its own, and those one rate to the left and to the right. np.roll moves an array, and whole numbers stay exact.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.3")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.3 Gridding: the pixels that nobody reads: ✓ passed (15 of 15 cases)`


# %%
def count_paths(rates):
    """Ways from an output position to each pixel, -sum(rates) to sum(rates), through 3-tap layers of these rates."""
    # BEGIN SOLUTION
    reach = sum(rates)
    paths = np.zeros(2 * reach + 1, dtype=int)
    paths[reach] = 1
    for rate in rates:
        paths = np.roll(paths, -rate) + paths + np.roll(paths, rate)
    return paths
    # END SOLUTION


segtutor.check("4.3", count_paths)
count_paths = segtutor.use("4.3", count_paths)

# %% [markdown]
# Three layers with the rates 2, 2, 2 and with 1, 2, 3 have the same field of 13 pixels and the same weights. Which
# pixels does a position hear of?

# %% alt="Bars of the number of paths to 13 pixels: with rates 2, 2, 2 every other pixel is never read, with rates 1, 2, 3 all are"
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
for axis, rates in zip(axes, ((2, 2, 2), (1, 2, 3)), strict=True):
    paths = np.asarray(count_paths(rates))
    pixels = np.arange(len(paths)) - len(paths) // 2
    axis.bar(pixels, paths, color=BLUE, width=0.7)
    axis.plot(pixels[paths == 0], 0.15 + 0 * pixels[paths == 0], "x", color="black", label="never read")
    axis.set(title=f"rates {rates}", xlabel="pixel, from the position", xticks=pixels[::2])
axes[0].set_ylabel("paths")
axes[0].legend()
plt.show()

# %% [markdown]
# ### 4.4 From strides to dilation
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# A ResNet-50 shrinks the picture by 32: its stem by 4, its four stages by 1, 2, 2, 2. PSPNet wants a map that is finer,
# with the *same* pretrained weights. So the stages that would go beyond the wanted output stride give up their stride.
# Their kernels then meet a map that is denser than the one they were trained on, and their taps must move apart by the
# factor that is no longer there: by their own stride and by all that were removed before.
#
# Write `dilated_stages(strides, output_stride)`: `strides` holds the strides of the stages, powers of 2. From the first
# stage on, a stage keeps its stride as long as the product of the strides does not exceed `output_stride`; else its
# stride becomes 1, as a whole. (After the first stage that is too much, no stage fits in again: that holds for all lists
# here.) Return two lists, the new strides and the rate of each stage. A stage reads at the rate that results from its own
# removed stride, too; a later stage without a stride keeps that rate.
#
# (That is how the authors of PSPNet do it: the rate holds for all blocks of a stage, `first_block_rate="same"`.
# torchvision lets the first block keep the rate of the stage before.)
#
# <details><summary>The idea</summary>
#
# Go through the stages with two numbers: the stride so far, and the rate so far. Each stride multiplies one of them.
#
# </details>
# <details><summary>The way there</summary>
#
# Ask at each stage whether its stride still fits: what would the product be? If it is too much, the stage gives its stride to the rate, for itself and for all that follow. Note both numbers after each stage.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.4")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.4 From strides to dilation: ✓ passed (14 of 14 cases)`


# %%
def dilated_stages(strides, output_stride):
    """New strides and dilation rates of the stages, so that the network keeps to `output_stride`; rates start at 1."""
    # BEGIN SOLUTION
    kept, rates = [], []
    total, rate = 1, 1
    for stride in strides:
        if total * stride > output_stride:
            rate *= stride
            stride = 1
        total *= stride
        kept.append(stride)
        rates.append(rate)
    return kept, rates
    # END SOLUTION


segtutor.check("4.4", dilated_stages)
dilated_stages = segtutor.use("4.4", dilated_stages)

# %% [markdown]
# Both functions together: ResNet-50 at three output strides, always with the same weights. The last line removes the
# strides and forgets the dilation. (With the authors' rates the field even grows a little; if the first block of a
# stage keeps the rate of the stage before, it stays at 427 exactly.)

# %%
for output_stride in (32, 16, 8):
    strides, rates = dilated_stages((4, 1, 2, 2, 2), output_stride)
    size, jump = receptive_field(resnet50_layers(strides[1:], rates[1:]))
    print(f"output stride {output_stride:2}: rates {[int(rate) for rate in rates[1:]]}, a position sees {size} pixels")
size, jump = receptive_field(resnet50_layers((1, 2, 1, 1), (1, 1, 1, 1)))
print(f"output stride  {jump}, but not dilated: a position sees {size} pixels")

# %% [markdown]
# ## Part B: the pyramid

# %% [markdown]
# ### 4.5 Adaptive average pooling
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Pyramid pooling divides a map of *any* size into n x n regions. With rows 0 ... H − 1, region i reaches from row
#
# $$\lfloor i H / n \rfloor \quad \text{up to, but without, row} \quad \lceil (i + 1) H / n \rceil,$$
#
# and in the same way for the columns. Where n does not divide H, neighbors share a row, and no row is left out; where
# n is larger than H, rows serve more than once. Each region becomes the mean of its values.
#
# Write `adaptive_average_pool(x, bins)`: `x` is B x C x H x W, `bins` is n, the result B x C x n x n. `x` comes as an
# array; `torch.as_tensor(x)` makes it a tensor. `F.adaptive_avg_pool2d` is what you rebuild here.
#
# <details><summary>The idea</summary>
#
# Two loops over the regions; each takes the mean of one slice over rows and columns.
#
# </details>
# <details><summary>The way there</summary>
#
# The limits of a region follow from i, n and the side alone. Whole-number division rounds down; to round up with it, divide the negative number and turn the sign again. Take the mean over rows and columns together.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.5")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.5 Adaptive average pooling: ✓ passed (10 of 10 cases)`


# %%
def adaptive_average_pool(x, bins):
    """B x C x H x W -> B x C x bins x bins: means over regions that cover the map, whatever its size."""
    # BEGIN SOLUTION
    x = torch.as_tensor(x)
    batch, channels, height, width = x.shape
    pooled = x.new_zeros(batch, channels, bins, bins)
    for row in range(bins):
        top, bottom = row * height // bins, -(-(row + 1) * height // bins)  # -(-a // b) rounds up
        for column in range(bins):
            left, right = column * width // bins, -(-(column + 1) * width // bins)
            pooled[:, :, row, column] = x[:, :, top:bottom, left:right].mean(dim=(2, 3))
    return pooled
    # END SOLUTION


segtutor.check("4.5", adaptive_average_pool)
adaptive_average_pool = segtutor.use("4.5", adaptive_average_pool)

# %% [markdown]
# The picture itself, pooled to the four grids of PSPNet. This is what the levels know before they are upsampled: bin 1
# the mean color of the scene, bin 6 roughly where it is bright.

# %% alt="A drawn scene and its means over 1, 4, 9 and 36 regions, as colored squares that get finer"
pooled = [np.asarray(adaptive_average_pool(picture[None], bins))[0].transpose(1, 2, 0) for bins in (1, 2, 3, 6)]
show_maps([picture.transpose(1, 2, 0), *pooled], ("the picture", "1 x 1", "2 x 2", "3 x 3", "6 x 6"))

# %% [markdown]
# ### 4.6 A convolution and its batch norm in one
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# In PSPNet a batch norm stands behind every convolution. When the network is used, it computes nothing but
#
# $$y_k = \gamma_k\,\frac{x_k - \mu_k}{\sqrt{\sigma_k^2 + \varepsilon}} + \beta_k$$
#
# for each channel $k$ of the convolution's result, with stored numbers. A convolution and its batch norm are therefore
# *one* convolution, with another weight and another bias. Work them out, on paper first: put into $x_k$ what the
# convolution gives. Runtimes for phones do this to every network, and you do it to the pyramid in the project below.
#
# Write `fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon)`. `weight` is K x C x k x k, as `nn.Conv2d`
# holds it; `bias` holds K numbers, or is `None` where the convolution has none. `gamma`, `beta`, `mean` and `variance`
# ($\sigma^2$) hold K numbers each. Return the new weight, K x C x k x k, and the new bias, K numbers.
#
# <details><summary>The idea</summary>
#
# Batch norm is a factor and a shift for each channel of the result. A factor can move into the weights.
#
# </details>
# <details><summary>The way there</summary>
#
# First one factor per output channel. All weights of that channel get it, and so does whatever is added before the norm: the old bias less the mean. What is added after the norm stays.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.6")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.6 A convolution and its batch norm in one: ✓ passed (10 of 10 cases)`


# %%
def fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon):
    """Weight (K x C x k x k) and bias (K) of the one convolution that does what a convolution and its batch norm do."""
    # BEGIN SOLUTION
    scale = gamma / np.sqrt(variance + epsilon)
    shift = -mean if bias is None else bias - mean
    return scale[:, None, None, None] * weight, scale * shift + beta
    # END SOLUTION


segtutor.check("4.6", fold_batch_norm)
fold_batch_norm = segtutor.use("4.6", fold_batch_norm)

# %% [markdown]
# Your one layer beside PyTorch's two, with random weights and statistics, on the picture:

# %%
torch.manual_seed(0)
convolution, norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8, eps=1e-3)
with torch.no_grad():
    for numbers in (norm.weight, norm.bias, norm.running_mean):
        numbers.normal_()
    norm.running_var.uniform_(0.5, 2)
    two = norm.eval()(convolution(torch.as_tensor(picture)[None]))
    parts = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    weight, bias = fold_batch_norm(convolution.weight.numpy(), None, *(part.numpy() for part in parts), norm.eps)
    one = F.conv2d(torch.as_tensor(picture)[None], torch.as_tensor(weight), torch.as_tensor(bias), padding=1)
print(f"largest value {float(two.abs().max()):.2f}, largest difference {float((one - two).abs().max()):.0e}")

# %% [markdown]
# ### 4.7 How wide may the levels be?
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# Lesson 4 counted the weights of a bottleneck. Now turn the question around, as somebody does who builds a network for a
# phone: the pyramid may cost so many multiplications and no more. How many channels K may each of its levels have?
#
# The map has `channels` = C channels and `height` x `width` positions. For each number n of `bins` a level is pooled to
# n x n regions, and a 1 x 1 convolution makes K channels of C there, **before** it is upsampled. Then the map and all
# levels are concatenated, and a 3 x 3 convolution with padding makes `out_channels` of them at every position. Count the
# multiplications of these convolutions for one picture, one per weight and position of the result. Pooling, upsampling
# and biases cost nothing here; the zeros of the padding count like other values.
#
# Write `widest_levels(channels, bins, out_channels, height, width, budget)`: the largest whole number K for which the
# multiplications are at most `budget`. K = 0 means that there is room for the 3 x 3 convolution on the map alone, and if
# not even that fits, return -1. There is at least one level. All numbers are whole and may be very large: the answer must
# be exact.
#
# <details><summary>The idea</summary>
#
# Write down what K channels cost. It is a straight line in K: a part that is there without any level, and the same amount for each channel more.
#
# </details>
# <details><summary>The way there</summary>
#
# What does one channel more cost in a level, and what in the 3 x 3 convolution, which reads it as well? Add that up over the levels. How often does it fit into what the map leaves of the budget?
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.7")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.7 How wide may the levels be?: ✓ passed (14 of 14 cases)`


# %%
def widest_levels(channels, bins, out_channels, height, width, budget):
    """The most channels per level for which levels and the 3 x 3 behind them stay in the budget; -1 if none does."""
    # BEGIN SOLUTION
    behind = 9 * out_channels * height * width  # for each channel that the 3 x 3 reads
    if channels * behind > budget:
        return -1
    each = sum(channels * count * count + behind for count in bins)
    return (budget - channels * behind) // each
    # END SOLUTION


segtutor.check("4.7", widest_levels)
widest_levels = segtutor.use("4.7", widest_levels)

# %% [markdown]
# PSPNet's map has 60 x 60 positions and 2,048 channels, and its levels have 512. What would other budgets allow? And why
# does it hardly matter how many regions the levels have?

# %%
of_paper = 9 * (2048 + 4 * 512) * 512 * 60 * 60 + 2048 * 512 * (1 + 4 + 9 + 36)
print(f"PSPNet's pyramid and the 3 x 3 behind it: {of_paper / 1e9:.1f} billion multiplications")
for share in (1.0, 0.75, 0.6, 0.5):
    budget = int(share * of_paper)
    widths = [int(widest_levels(2048, bins, 512, 60, 60, budget)) for bins in ((1, 2, 3, 6), (1, 1, 1, 1), (1,))]
    print(
        f"{share:4.0%} of it: {widths[0]:3} channels; with one region in each level {widths[1]:3}, with bin 1 alone {widths[2]}"
    )

# %% [markdown]
# ### 4.8 Pyramid pooling of a padded map
#
# *5 points · about 30 minutes · difficulty 3 of 3*
#
# Now the module that gave PSPNet its name, with something that lesson 4 left out. Pictures of a batch differ in size, and
# those that are too small are padded at the bottom and on the right. What was padded is no part of the scene, and must
# not get into its averages: only the first `valid` = (rows, columns) of the map belong to the picture.
#
# For each number n of `bins`, a level is made from the map `x` (B x C x H x W):
#
# 1. pool the valid part to n x n regions, with `adaptive_average_pool` of 4.5;
# 2. a 1 x 1 convolution with the level's `weight` (K x C) and `bias` (K), and ReLU;
# 3. upsample to rows x columns, bilinearly and **with aligned corners**:
#    `F.interpolate(..., mode="bilinear", align_corners=True)`;
# 4. make it H x W: on the padding the level is 0.
#
# The result is the map itself, padding and all, then the levels in the order of `bins`, concatenated along the channels.
# (The batch norm of the levels is in weight and bias already, thanks to 4.6.)
#
# Write `pyramid_pooling(x, bins, weights, biases, valid)`; `weights` and `biases` hold one array for each level, all for
# the same number K of channels. Without any level the result is the map.
#
# <details><summary>The idea</summary>
#
# Start a list with the whole map. Every level sees the valid part alone, and gets its padding back at the end.
#
# </details>
# <details><summary>The way there</summary>
#
# The steps are a line each, and each goes on with what the line before made. Upsample to the valid size, and only then add zeros below and behind: how many rows and columns are missing?
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.8")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.8 Pyramid pooling of a padded map: ✓ passed (13 of 13 cases)`


# %%
def pyramid_pooling(x, bins, weights, biases, valid):
    """The map B x C x H x W, and for each of `bins` a level of its valid part: pool, 1 x 1, ReLU, upsample, pad."""
    # BEGIN SOLUTION
    x = torch.as_tensor(x)
    rows, columns = valid
    below, behind = x.shape[-2] - rows, x.shape[-1] - columns
    levels = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = torch.as_tensor(adaptive_average_pool(x[:, :, :rows, :columns], count))
        reduced = torch.relu(F.conv2d(pooled, torch.as_tensor(weight)[:, :, None, None], torch.as_tensor(bias)))
        level = F.interpolate(reduced, size=(rows, columns), mode="bilinear", align_corners=True)
        levels.append(F.pad(level, (0, behind, 0, below)))
    return torch.cat(levels, dim=1)
    # END SOLUTION


segtutor.check("4.8", pyramid_pooling)
pyramid_pooling = segtutor.use("4.8", pyramid_pooling)

# %% [markdown]
# Your pyramid on the three channels of the picture, every level cut to one channel, its brightness. The picture was
# padded to the right and below with black. Above, the pyramid takes the padding for a part of the scene; below, it knows
# better. Which level is harmed most?

# %% alt="Two rows of gray maps: a scene with a black margin on the right and below, and its means over 1, 4 and 36 regions. Above, the margin darkens every level, and bin 6 has dark regions along it; below, the levels are as bright as the scene, and black only on the margin"
weights = [np.array([[0.3, 0.6, 0.1]], dtype=np.float32)] * 3
margin = np.pad(picture[None], ((0, 0), (0, 0), (0, 48), (0, 64)))
figure, axes = plt.subplots(2, 4, figsize=(9, 4.4))
for row, valid in zip(axes, (margin.shape[2:], picture.shape[1:]), strict=True):
    levels = np.asarray(pyramid_pooling(margin, (1, 2, 6), weights, [np.zeros(1, dtype=np.float32)] * 3, valid))[0, 3:]
    for axis, values in zip(row, (margin[0].mean(axis=0), *levels), strict=True):
        axis.imshow(values, cmap="gray", vmin=0, vmax=0.9)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel("padding pooled" if valid == margin.shape[2:] else "left out")
for axis, title in zip(axes[0], ("padded picture", "bin 1", "bin 2", "bin 6"), strict=True):
    axis.set_title(title)
plt.show()

# %% [markdown]
# ## Part C: training

# %% [markdown]
# ### 4.9 The auxiliary loss
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# PSPNet has a second, small head in the middle of the backbone. In training its loss counts too, with weight 0.4; it
# brings a gradient to the early layers by a shorter way. When the network is used, the head is not asked.
#
# Write `total_loss(logits, labels, training, weight)`. `logits` is a dictionary as the networks of the course return it:
# `"out"` holds B x K x H x W, and `"aux"`, **if it is there**, the same for the auxiliary head. `labels` is B x H x W
# with 255 for void. Each loss is the cross entropy, the mean over the pixels that are not void;
#
# $$L = L_\mathrm{out} + \mathrm{weight} \cdot L_\mathrm{aux} \quad \text{in training,} \qquad
# L = L_\mathrm{out} \quad \text{else.}$$
#
# The logits come as arrays or, as in the cell below, as tensors of a network; `torch.as_tensor` takes both and makes
# tensors for `F.cross_entropy`. Stay in PyTorch and return a tensor: your loss is differentiated, below and in the check.
#
# <details><summary>The idea</summary>
#
# Compute the main loss; add the weighted auxiliary loss only if both conditions hold: training, and there is such a head.
#
# </details>
# <details><summary>The way there</summary>
#
# The condition has two parts, and both must hold. F.cross_entropy can be told which label is void. Stay with tensors from the beginning to the end: a Python number has no gradient.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.9")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.9 The auxiliary loss: ✓ passed (14 of 14 cases)`


# %%
def total_loss(logits, labels, training, weight):
    """Cross entropy of logits["out"], plus in training `weight` times that of logits["aux"], if there is one."""
    # BEGIN SOLUTION
    labels = torch.as_tensor(labels)
    loss = F.cross_entropy(torch.as_tensor(logits["out"]), labels, ignore_index=255)
    if training and "aux" in logits:
        loss = loss + weight * F.cross_entropy(torch.as_tensor(logits["aux"]), labels, ignore_index=255)
    return loss
    # END SOLUTION


segtutor.check("4.9", total_loss)
total_loss = segtutor.use("4.9", total_loss)

# %% [markdown]
# What the second loss does to a network at its very first step: the size of the gradient of the backbone's stages, with
# weight 0 and with 0.4. The head sits behind `layer2`. Which stages should feel it, and which should not? (In a single
# step the two gradients may add up or partly cancel. Whether learning gets faster shows only over many steps; the
# lesson measures it.)

# %%
torch.manual_seed(0)
network = models.create("pspnet_tiny", num_classes=len(scenes.labels), aux=True).train()
network.classifier[4].p = network.aux_classifier[3].p = 0.0  # without dropout, so that only the weight differs
images = network.preprocessing.normalize(torch.stack([scenes[index][0] for index in range(4)]))
labels = torch.stack([torch.as_tensor(scenes[index][1]) for index in range(4)])
for weight in (0.0, 0.4):
    network.zero_grad()
    total_loss(network(images), labels, True, weight).backward()
    sizes = {}
    for name in ("stem", "layer1", "layer2", "layer3"):
        gradients = [one.grad.flatten() for one in getattr(network.backbone, name).parameters()]
        sizes[name] = float(torch.cat(gradients).norm())
    print(f"weight {weight}:", ", ".join(f"{name} {size:.2f}" for name, size in sizes.items()))

# %% [markdown]
# ### 4.10 Learning rates that begin low and end at 0
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# PSPNet is trained with a learning rate that falls in every step, and with ten times as much for the new layers as for
# the pretrained backbone:
#
# $$\mathrm{rate} = \mathrm{base} \cdot \left(1 - \frac{\mathrm{step}}{\mathrm{steps}}\right)^{\mathrm{power}}.$$
#
# There is a trap: a loop that goes on for one step more gets a negative number to the power 0.9, and Python quietly makes
# it **complex**. From step `steps` on the rate must be 0.
#
# And a pretrained network may lose in the first steps what it knows, because the new head sends back nonsense. Therefore
# both rates first **warm up**: in the first `warmup` steps the rate above is multiplied by 1, 2, 3, ... of `warmup`
# parts, in the last of them by all. With `warmup` 0 there is none. The fall goes on meanwhile: it counts from the first
# step.
#
# Write `learning_rates(base, step, steps, power, head_factor, warmup)`, which returns the rate of the backbone and that
# of the head, `head_factor` times as large. `step` counts the steps already taken, so the first one is 0; `power` is
# larger than 0. Nothing is rounded.
#
# <details><summary>The idea</summary>
#
# The part of the run that is left, to the power, times the base rate; during warm-up times a share.
#
# </details>
# <details><summary>The way there</summary>
#
# Limit the step to `steps` first: then the base of the power runs from 1 to 0 and never below. The share of the warm-up belongs to the rate before the head's is made of it, and only while there is a warm-up.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("4.10")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>
#
# **Expected:** `4.10 Learning rates that begin low and end at 0: ✓ passed (24 of 24 cases)`


# %%
def learning_rates(base, step, steps, power, head_factor, warmup):
    """Learning rates of backbone and head: base (1 - step / steps)^power, less in warm-up; `head_factor` times that."""
    # BEGIN SOLUTION
    rate = base * (1 - min(step, steps) / steps) ** power
    if step < warmup:
        rate *= (step + 1) / warmup
    return rate, head_factor * rate
    # END SOLUTION


segtutor.check("4.10", learning_rates)
learning_rates = segtutor.use("4.10", learning_rates)

# %% [markdown]
# The rates of a run of 1000 steps with 100 steps of warm-up, drawn 100 steps too far. A head that starts from random
# weights may learn ten times as fast as a backbone that was trained before.

# %% alt="Two curves over 1100 steps that rise for 100 steps and then fall, head ten times as high as backbone, both 0 from step 1000 on"
steps = np.arange(0, 1101, 10)
rates = np.array([learning_rates(0.01, int(step), 1000, 0.9, 10, 100) for step in steps], dtype=float)
figure, axis = plt.subplots(figsize=(6, 3.2))
axis.plot(steps, rates[:, 1], "--", color=ORANGE, linewidth=2, label="head")
axis.plot(steps, rates[:, 0], color=BLUE, linewidth=2, label="backbone")
axis.axvline(1000, color="black", linewidth=1, linestyle=":")
axis.set(xlabel="step", ylabel="learning rate")
axis.legend()
plt.show()

# %% [markdown]
# ## Part D: a project. Your pyramid in the course's network
#
# `model` below is the course's small PSPNet. Four passes in training mode give its batch normalization real statistics,
# and factors and shifts are drawn at random, as if it had been trained. `model.classifier[0]` is its pyramid: four
# levels, each a sequence of pooling, a 1 x 1 convolution without bias, batch normalization, ReLU.

# %%
torch.manual_seed(0)
model = models.create("pspnet_tiny", num_classes=len(scenes.labels))
with torch.no_grad():
    for _ in range(4):
        model.train()(images)
    for layer in model.classifier[0].modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.normal_()
model.eval()
print(model.classifier[0].levels[3])

# %% [markdown]
# ### Step 1: build the module
#
# `folded` makes one convolution of a level's convolution and batch norm, with your `fold_batch_norm`. Write
# `OwnPyramid.forward` with your `pyramid_pooling`; here no map is padded. As it stands, it runs, but wrongly.


# %%
def folded(level):
    """Weight (K x C) and bias (K) of a level's 1 x 1 convolution and the batch norm behind it, as one convolution."""
    _, convolution, norm, _ = level
    numbers = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    weight, bias = fold_batch_norm(
        convolution.weight.detach().numpy(), None, *(one.detach().numpy() for one in numbers), norm.eps
    )
    return torch.as_tensor(weight, dtype=torch.float32)[:, :, 0, 0], torch.as_tensor(bias, dtype=torch.float32)


class OwnPyramid(nn.Module):
    """Pyramid pooling from the functions of this assignment, with the weights of the course's module."""

    def __init__(self, pyramid, bins):
        super().__init__()
        self.bins = bins
        self.weights, self.biases = zip(*(folded(level) for level in pyramid.levels), strict=True)

    def forward(self, features):
        # STUB: return torch.cat([features, features], dim=1)  # enough channels, but no pyramid
        # BEGIN SOLUTION
        whole = features.shape[-2:]
        found = pyramid_pooling(features, self.bins, self.weights, self.biases, whole)
        return torch.as_tensor(found, dtype=features.dtype)
        # END SOLUTION


# %% [markdown]
# ### Step 2: the same logits
#
# Your module takes the place of the course's in a copy of the network. All other layers are the same, so the logits
# must be, up to the rounding of single precision: a largest difference of about a millionth.

# %%
own = copy.deepcopy(model)
own.classifier[0] = OwnPyramid(model.classifier[0], (1, 2, 3, 6))
with torch.no_grad():
    theirs, mine = model(images)["out"], own(images)["out"]
print("largest logit:", f"{float(theirs.abs().max()):.2f}")
print("largest difference:", f"{float((theirs - mine).abs().max()):.1e}")
print("pixels with the same class:", f"{float((theirs.argmax(1) == mine.argmax(1)).float().mean()):.2%}")

# %% [markdown]
# ### Step 3: what do the bins cost?
#
# `median_ms` times a call on one thread: once to warm up, then the median of `repeats` calls. Fill in `measured`: for
# networks with the bins (), (1,), (1, 2, 3, 6) and (6,), measure the pyramid alone and the whole network; then your own
# pyramid. Before you run it, write down what you expect: which is more expensive, the pyramid, or the 3 x 3 convolution
# behind it that gets twice as many channels?


# %%
def median_ms(call, repeats=15):
    """Milliseconds of one call: the median of some, on one thread."""
    seconds = []
    with torch.no_grad(), compute.threads(1):
        call()
        for _ in range(repeats):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


image = images[:1]
with torch.no_grad():
    features = model.backbone(image)["out"]  # 1 x 128 x 17 x 21

# %% [markdown]
# The table: what is measured, and its milliseconds. A row holds the pyramid alone, the head with it (`classifier`), and
# the whole network.

# %%
measured = {}
# STUB: measured["bins (1, 2, 3, 6)"] = (
# STUB:     median_ms(lambda: model.classifier[0](features)),
# STUB:     median_ms(lambda: model.classifier(features)),
# STUB:     median_ms(lambda: model(image)),
# STUB: )
# BEGIN SOLUTION
networks = {
    f"bins {bins}": models.create("pspnet_tiny", len(scenes.labels), bins=bins).eval()
    for bins in ((), (1,), (6,), (1, 2, 3, 6))
}
for name, network in {**networks, "own pyramid": own}.items():
    measured[name] = (
        median_ms(lambda network=network: network.classifier[0](features)),
        median_ms(lambda network=network: network.classifier(features)),
        median_ms(lambda network=network: network(image)),
    )
# END SOLUTION
print(f"{'':20} pyramid    head  network")
for name, row in measured.items():
    print(f"{name:20}", " ".join(f"{milliseconds:7.2f}" for milliseconds in row), "ms")

# %% [markdown]
# Now report in three or four sentences: what the pyramid costs by itself and as a share of the network; where the cost
# of having it really arises, and how 4.7 predicts it; how your version compares with the course's, and why; and how far
# you trust the numbers (repeat the cell, and see what changes).

# %% [markdown]
# *Your text.*

# %% [markdown] tags=["solution"]
# *One possible report* (one thread of a server's processor, two runs). The pyramid with four levels takes 0.4 ms of a
# network of about 20 ms, so 2 %. With it the head takes 3.1 to 3.2 ms instead of about 1.2, and most of that is the 3 x
# 3 convolution behind it: it reads 256 channels instead of 128, which by 4.7 doubles its multiplications. This is so
# for one level as for four, because the levels share the width. My version takes 1.3 ms, three times as long: it goes
# through 1 + 4 + 9 + 36 = 50 regions in Python, where the course's module pools a level in one call. From run to run
# the time of a whole network changed by up to 3 ms, which is more than the pyramid itself costs. So I trust the first
# two columns as an order of size, and the third column not at all for comparing bins.

# %% [markdown]
# ## Part E: an experiment of your own

# %% [markdown]
# ### 4.11 An experiment of your own
#
# *5 points · about 35 minutes · difficulty 2 of 3*
#
# You have read claim cards; now make one. Declare an experiment with the small PSPNet: **one** thing changes, and you say
# beforehand what you expect and by how much at least. The cell below lists the options, with their usual values, and the
# measures. Write your declaration into the cell after it and run that: it trains two networks with three seeds each,
# shows the card, and keeps the record in `experiment_04.json`. **Hand this file in with the notebook**, as
# `NAME.experiment_04.json` where many notebooks `NAME.ipynb` lie in one folder. Stay below four minutes on one core: the
# usual 60 steps take between one and two. (If you change the declaration, it is run anew.)
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
# `segtutor.solution("4.11")` shows one. It counts as used: `segtutor.progress(4)` then says "solution seen".
#
# </details>

# %% [markdown]
# What may change, with its usual value, and what is measured:

# %%
from segtutor.exercises.lesson04 import LABORATORY, experiment_with_pspnet

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
    "changes": "output_stride",
    "first": 16,
    "second": 8,
    "stays": {},
    "measure": "mean_iou",
    "expects": "higher",
    "margin": 0.01,
}
# END SOLUTION

# %% [markdown]
# The run, once the declaration stands. A second time it only reads what came out.

# %%
record = None
if LABORATORY.trouble(declaration) is None:
    record = experiment_with_pspnet(declaration)
else:
    print(LABORATORY.trouble(declaration)[1])

# %% [markdown]
# Now read the record.
#
# **Expected:** `4.11 An experiment of your own: ✓ passed (9 of 9 cases)`

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

segtutor.check("4.11", answers)

# %% [markdown]
# Two sentences for your teacher: what would you claim now, and what would you do with ten times as many minutes?

# %% [markdown]
# *Your text.*

# %% [markdown]
# ## How far you are

# %%
segtutor.progress(4)
