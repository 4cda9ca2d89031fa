# ---
# title: The parts of FCN
# minutes_cpu: 2
# minutes_t4: 1
# download: none
# peak_ram: 1 GB
# prerequisites: ["[Lesson 3](../03_fcn.ipynb)", NumPy arrays and functions]
# minutes_work: 250
# ---

# %% [markdown]
# Eleven tasks, 42 points: all that FCN adds to a classifier, written by you in NumPy; an FCN-8s in PyTorch, from the
# first layer on and trained by you; a table to be read with care. At the end your NumPy parts are put together to a whole
# FCN-8s that gives the package's numbers. The tasks go on where lesson 3 ended: none asks for what stands there.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Your functions get NumPy arrays and may use what you like: NumPy, PyTorch or plain loops. Task 3.10 is about PyTorch.
# - `segtutor.progress(3)` shows how far you are in this assignment. It remembers across restarts.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import segtutor
from segtutor import datasets, models, plotting, training
from segtutor.exercises.lesson03.fcn8s_questions import draw, train_once, trained
from segtutor.labels import SCENES
from segtutor.models.upsampling import BilinearUpsampling, add_where_they_overlap
from segtutor.plotting import colorize

plotting.use_course_style()
segtutor.progress(3)

# %% [markdown]
# ## Part A: from classifier to coarse map

# %% [markdown]
# ### 3.1 A fully connected layer as a convolution
#
# *2 points · about 15 minutes · difficulty 2 of 3*
#
# For a layer of PyTorch one reshape is enough, as lesson 3 has shown. You want to use a classifier that was trained in
# TensorFlow. There a map is H x W x C, and it is flattened as it lies in memory: row by row, in a row pixel by pixel, and
# of each pixel all channels one after the other. The layer has one row of weights per *input* and one column per output,
# (H · W · C) x K. The map need not be square.
#
# Write `as_convolution(weight, height, width)`, which gives the kernel K x C x H x W with which PyTorch's convolution
# computes the same on maps C x H x W. No number changes; each finds its new place.
#
# <details><summary>The idea</summary>
#
# Give each index of the weights its own axis, in the order in which they run; then put the axes in order.
#
# </details>
# <details><summary>The way there</summary>
#
# The slowest index of the weights is the row, the fastest the output. One reshape makes four axes of two, and one transpose moves outputs and channels to the front.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.1")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.1 A fully connected layer as a convolution: ✓ passed (6 of 6 cases)`


# %%
def as_convolution(weight, height, width):
    """(H W C) x K weights of a layer that read H x W x C -> the K x C x H x W kernel of the same layer."""
    # BEGIN SOLUTION
    inputs, outputs = weight.shape
    by_place = weight.reshape(height, width, inputs // (height * width), outputs)
    return by_place.transpose(3, 2, 0, 1)
    # END SOLUTION


segtutor.check("3.1", as_convolution)
as_convolution = segtutor.use("3.1", as_convolution)

# %% [markdown]
# Your kernel in a convolution, beside a layer that reads maps as TensorFlow flattens them. On the map that the layer was
# made for both give the same; on a larger map only the convolution has an answer, one per position.

# %%
torch.manual_seed(0)
weight, small, large = torch.randn(4 * 6 * 8, 5), torch.randn(1, 8, 4, 6), torch.randn(1, 8, 9, 12)
kernel = torch.as_tensor(np.array(as_convolution(weight.numpy(), 4, 6)))
flattened = small.permute(0, 2, 3, 1).flatten(1)  # H x W x C, as it lies in memory
print("largest difference:", (F.conv2d(small, kernel).flatten(1) - flattened @ weight).abs().max().item())
print("on a 9 x 12 map:", tuple(F.conv2d(large, kernel).shape))

# %% [markdown]
# ## Part B: back to the pixels

# %% [markdown]
# ### 3.2 What the way back lacks
#
# *2 points · about 8 minutes · difficulty 1 of 3*
#
# A convolution takes a side of $n$ pixels to $m$. A transposed convolution with the same kernel, stride and padding makes
# $s\,(m - 1) + k - 2p$ pixels of them, by lesson 3. Is that $n$ again? Not always: sides of 5 and of 6 become 2 with a
# kernel of 3 and stride 2, and 2 can become only one of them. PyTorch's transposed layer therefore has an argument
# `output_padding`: so many rows and columns more, at the end.
#
# Write `output_padding(size, kernel, stride, padding)`: the number with which a side of `size` pixels comes back as it
# was. The convolution rounds down, as PyTorch does, and its kernel fits into the padded side.
#
# <details><summary>The idea</summary>
#
# Go down, go back, and compare with where you began.
#
# </details>
# <details><summary>The way there</summary>
#
# Two formulas, one after the other: the size that the convolution makes, then the size that the transposed one makes of that. What is missing is a difference.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.2")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.2 What the way back lacks: ✓ passed (14 of 14 cases)`


# %%
def output_padding(size, kernel, stride, padding):
    """Rows that a transposed convolution must add so that a side of `size` pixels comes back."""
    # BEGIN SOLUTION
    reduced = (size + 2 * padding - kernel) // stride + 1
    back = stride * (reduced - 1) + kernel - 2 * padding
    return size - back
    # END SOLUTION


segtutor.check("3.2", output_padding)
output_padding = segtutor.use("3.2", output_padding)

# %% [markdown]
# Down and up again in PyTorch with your number, for all sizes, kernels and strides up to 6 and paddings up to 2:

# %%
wrong = 0
for size, kernel, stride, padding in itertools.product(range(1, 7), range(1, 7), range(1, 7), range(3)):
    if kernel <= size + 2 * padding:
        missing = int(output_padding(size, kernel, stride, padding))
        down = torch.nn.Conv1d(1, 1, kernel, stride, padding)
        up = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding, output_padding=missing)
        wrong += up(down(torch.zeros(1, 1, size))).shape[-1] != size
print("sizes that do not come back:", wrong)

# %% [markdown]
# ### 3.3 Zeros between the pixels
#
# *3 points · about 20 minutes · difficulty 2 of 3*
#
# The second way of lesson 3 put zeros between the pixels and $k - 1$ zeros around them. There the transposed convolution
# had no padding. Now it has: its result is to be smaller by `padding` pixels at each side, *without* computing the larger
# one first. So another border belongs around the pixels.
#
# Write `stuff(values, kernel, stride, padding)` for one channel, h x w floats: the input over which an ordinary
# convolution of stride 1, without padding of its own and with a turned kernel of side `kernel`, gives exactly what
# PyTorch's transposed convolution gives for `values` with this stride and padding. The padding may be larger than
# $k - 1$. What does a border of less than nothing mean?
#
# <details><summary>The idea</summary>
#
# Zeros between the pixels first. Then ask how far the turned kernel may reach over the edge.
#
# </details>
# <details><summary>The way there</summary>
#
# Without padding the kernel first touches a pixel with its last weight alone: kernel - 1 zeros. Each pixel of padding takes one position away at either end, and a zero with it; where no zeros are left, a row of the map.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.3")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.3 Zeros between the pixels: ✓ passed (9 of 9 cases)`


# %%
def stuff(values, kernel, stride, padding):
    """The h x w map with zeros in it, over which a convolution of stride 1 gives the transposed one's result."""
    # BEGIN SOLUTION
    h, w = values.shape
    spread = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    spread[::stride, ::stride] = values
    border = kernel - 1 - padding
    if border < 0:
        return spread[-border:border, -border:border]
    return np.pad(spread, border)
    # END SOLUTION


segtutor.check("3.3", stuff)
stuff = segtutor.use("3.3", stuff)

# %% [markdown]
# The example of the lesson, 2 x 2 with a kernel of 3 and stride 2, stuffed by you for a padding of 0, 1 and 2:

# %%
for padding in (0, 1, 2):
    print(f"padding {padding}")
    print(np.asarray(stuff(np.array([[1.0, 2.0], [3.0, 4.0]]), 3, 2, padding)).astype(int))

# %% [markdown]
# ### 3.4 Transposed convolution of many channels
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# Lesson 3 let *one* channel write into one output. A layer has many: `values` is C x h x w, and `kernel` is
# C x D x k x k, **inputs first**, as PyTorch keeps the weights of a transposed convolution (an ordinary one has its
# outputs first). Every input pixel now writes into each of the D outputs; what it writes into output d is the sum over
# its channels c, each times the kernel from c to d. The products are *added* from row $s\,i$ and column $s\,j$ on, and
# no kernel is turned.
#
# Write `transposed_convolution(values, kernel, stride)`, D x (s (h - 1) + k) x (s (w - 1) + k), with NumPy.
#
# <details><summary>The idea</summary>
#
# Each input pixel is a vector of C numbers. Together with the kernel it makes D small pictures, which are added to the output.
#
# </details>
# <details><summary>The way there</summary>
#
# Two loops over the pixels. Sum over the channels first, by a product of the vector with the first axis of the kernel; what is left has an output axis and the two of the window. Windows overlap, so add.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.4")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.4 Transposed convolution of many channels: ✓ passed (11 of 11 cases)`


# %%
def transposed_convolution(values, kernel, stride):
    """C x h x w values times the C x D x k x k kernel: D x (stride (h - 1) + k) x (stride (w - 1) + k)."""
    # BEGIN SOLUTION
    (_, h, w), k = values.shape, kernel.shape[-1]
    output = np.zeros((kernel.shape[1], stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            window = np.tensordot(values[:, i, j], kernel, axes=1)
            output[:, stride * i : stride * i + k, stride * j : stride * j + k] += window
    return output
    # END SOLUTION


segtutor.check("3.4", transposed_convolution)
transposed_convolution = segtutor.use("3.4", transposed_convolution)

# %% [markdown]
# Three ways, one result: your scattering, your stuffing of each channel with an ordinary convolution, and PyTorch.

# %%
generator = np.random.default_rng(0)
values, kernel = generator.normal(size=(3, 4, 5)), generator.normal(size=(3, 2, 4, 4))
scattered = np.asarray(transposed_convolution(values, kernel, 3))
padded = torch.as_tensor(np.stack([stuff(channel, 4, 3, 0) for channel in values]))
turned = torch.as_tensor(kernel[..., ::-1, ::-1].swapaxes(0, 1).copy())  # an ordinary kernel has its outputs first
stuffed = F.conv2d(padded[None], turned)[0].numpy()
theirs = F.conv_transpose2d(torch.as_tensor(values)[None], torch.as_tensor(kernel), stride=3)[0].numpy()
print("size", scattered.shape)
print(f"largest difference: {abs(scattered - stuffed).max():.1e} and {abs(scattered - theirs).max():.1e}")

# %% [markdown]
# ### 3.5 Bilinear weights, with three mistakes
#
# *4 points · about 20 minutes · difficulty 2 of 3*
#
# An enlarging layer that starts with the right weights interpolates: its kernel is a pyramid, the product of a triangle
# down and the same triangle across. For a factor $f$ the triangle is 1 in its middle and falls in straight lines to both
# sides, by $1 / f$ per pixel. The sizes that fit are $2f - 1$, with the middle on a pixel, and $2f$, with the middle
# between two pixels. The weights go from class to class, K x K x size x size.
#
# Somebody has written this:
#
# ```python
# def bilinear_weight(num_classes, size):
#     factor = size // 2
#     distance = np.abs(np.arange(size) - size / 2)
#     triangle = 1 - distance / factor
#     weight = np.zeros((num_classes, num_classes, size, size))
#     weight[:] = np.outer(triangle, triangle)
#     return weight
# ```
#
# It runs, and no error is raised. But with size 4 every map comes out shifted by half a pixel, with size 3 a constant map
# comes out uneven, and with two classes each gets the scores of the other as well. **There are three mistakes in it.**
# Find them, and write `bilinear_weight(num_classes, size)` as it should be.
#
# <details><summary>The idea</summary>
#
# Work the triangle out by hand for the sizes 3 and 4, and compare each line with what it should give. Then ask between which classes the kernel stands.
#
# </details>
# <details><summary>The way there</summary>
#
# Sizes 3 and 4 both belong to the factor 2. The middle of the places 0 to size - 1 is the mean of the two at the ends. A class must be enlarged without hearing of the others.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.5")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.5 Bilinear weights, with three mistakes: ✓ passed (7 of 7 cases)`


# %%
def bilinear_weight(num_classes, size):
    """K x K x size x size: the bilinear kernel from each class to itself, zeros from class to class."""
    # BEGIN SOLUTION
    factor = (size + 1) // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    for k in range(num_classes):
        weight[k, k] = np.outer(triangle, triangle)
    return weight
    # END SOLUTION


segtutor.check("3.5", bilinear_weight)
bilinear_weight = segtutor.use("3.5", bilinear_weight)

# %% [markdown]
# A coarse map of random colors, enlarged by 8 with your weights of size 16. Between the pixels, interpolation makes
# straight ramps; at the border, where the kernel finds no neighbor, it fades to black:

# %% alt="Left a map of 3 by 4 colored squares; right the same enlarged by 8, with smooth transitions and darker edges where the kernel reaches over the border"
coarse = np.random.default_rng(1).random((3, 3, 4))
enlarged = np.asarray(transposed_convolution(coarse, np.asarray(bilinear_weight(3, 16)), 8))
figure, axes = plt.subplots(1, 2, figsize=(7, 2.6))
for axis, shown, title in zip(axes, (coarse, enlarged), ("3 × 4", "enlarged by 8: 32 × 40"), strict=True):
    axis.imshow(np.clip(shown.transpose(1, 2, 0), 0, 1))
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ### 3.6 A skip
#
# *5 points · about 20 minutes · difficulty 3 of 3*
#
# The step from FCN-32s to 16s, and from 16s to 8s. Write `fuse(coarse, fine, offset)`: enlarge the coarse scores
# (K x h x w) by 2, each class by itself, with the bilinear kernel of size 4 and stride 2; nothing is cut off them. Of
# the finer scores (K x H x W) take what begins at row and column `offset`. Return the sum where the two overlap, from
# the upper left corner on. Your `transposed_convolution` and `bilinear_weight` are at hand.
#
# <details><summary>The idea</summary>
#
# Three steps: enlarge each class, cut `offset` rows and columns off the fine map, add the overlap.
#
# </details>
# <details><summary>The way there</summary>
#
# Your two functions do the enlarging, all classes at once. After the cut the maps may differ in size: what they share is the smaller height and the smaller width, counted from the upper left corner.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.6")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.6 A skip: ✓ passed (7 of 7 cases)`


# %%
def fuse(coarse, fine, offset):
    """K x h x w scores enlarged by 2, plus K x H x W finer scores from row and column `offset` on."""
    # BEGIN SOLUTION
    enlarged = transposed_convolution(coarse, bilinear_weight(len(coarse), 4), 2)
    cropped = fine[:, offset:, offset:]
    height = min(enlarged.shape[1], cropped.shape[1])
    width = min(enlarged.shape[2], cropped.shape[2])
    return enlarged[:, :height, :width] + cropped[:, :height, :width]
    # END SOLUTION


segtutor.check("3.6", fuse)
fuse = segtutor.use("3.6", fuse)

# %% [markdown]
# Your skip beside the package's layers, on random scores of the sizes that FCN-16s meets for a 500 x 500 picture: 16 and
# 44, offset 5.

# %%
generator = np.random.default_rng(0)
coarse, fine = generator.normal(size=(3, 16, 16)), generator.normal(size=(3, 44, 44))
layer = BilinearUpsampling(3, 2, 4).double()
theirs = add_where_they_overlap(layer(torch.as_tensor(coarse)[None]), torch.as_tensor(fine)[None], 5)[0]
mine = np.asarray(fuse(coarse, fine, 5))
print(mine.shape, "largest difference:", abs(mine - theirs.numpy()).max())

# %% [markdown]
# ## Part C: learning from pixels

# %% [markdown]
# ### 3.7 The pixel-wise loss
#
# *5 points · about 20 minutes · difficulty 2 of 3*
#
# Write `pixel_loss(logits, labels, ignore)` for one picture, `logits` K x H x W and `labels` H x W:
#
# $$ L = \frac{1}{|V|} \sum_{p \in V} \Big( \log \sum_k e^{z_k(p)} - z_{y(p)}(p) \Big), \qquad
# V = \{p : y(p) \ne \text{ignore}\}. $$
#
# Void pixels count in neither the sum nor its divisor. `ignore` may be any whole number: 255, -1, or one of the classes.
# Without any valid pixel the loss is 0. Logits may be large: 1000 and -1000 must not overflow, beside pixels whose logits
# are around 0.
#
# <details><summary>The idea</summary>
#
# Take the valid pixels out first: K x N scores and N labels. Then log-sum-exp over K, less the own score.
#
# </details>
# <details><summary>The way there</summary>
#
# Subtract from the scores of each pixel their own largest, not that of the whole map: the loss stays the same and nothing overflows. The own score is picked by two arrays of numbers, one class and one place per pixel.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.7")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.7 The pixel-wise loss: ✓ passed (11 of 11 cases)`


# %%
def pixel_loss(logits, labels, ignore):
    """Mean cross entropy of K x H x W logits over the pixels whose label, H x W, is not `ignore`; 0 if none is left."""
    # BEGIN SOLUTION
    valid = labels != ignore
    if not valid.any():
        return 0.0
    scores = logits[:, valid]
    scores = scores - scores.max(axis=0)
    own = scores[labels[valid], np.arange(scores.shape[1])]
    return float((np.log(np.exp(scores).sum(axis=0)) - own).mean())
    # END SOLUTION


segtutor.check("3.7", pixel_loss)
pixel_loss = segtutor.use("3.7", pixel_loss)

# %% [markdown]
# Your loss on a drawn scene, for a network that has learned nothing yet: with 33 classes, ln 33 = 3.50.

# %%
image, labels = datasets.Scenes("train", size=(96, 128), count=1)[0]
network = models.create("fcn8s_tiny", num_classes=33).eval()
with torch.no_grad():
    logits = network(network.preprocessing.normalize(image)[None])["out"]
print(f"yours {pixel_loss(logits[0].double().numpy(), labels.numpy(), 255):.4f}, ", end="")
print(f"PyTorch's {F.cross_entropy(logits, labels[None], ignore_index=255).item():.4f}")

# %% [markdown]
# ## Part D: what goes wrong in silence
#
# Maps that turn out a pixel too small, and kernels that favor some pixels.

# %% [markdown]
# ### 3.8 The size of a map
#
# *3 points · about 15 minutes · difficulty 1 of 3*
#
# How large is the map at the end of a network? A layer puts `padding` pixels on *each* side and then moves its kernel by
# `stride` pixels as often as it fits:
#
# $$n' = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1.$$
#
# If the division leaves a remainder, the last pixels are not read. Pooling in Caffe, and so in FCN, rounds **up**
# instead: one more window, part of which lies outside. (If all of it lies in the padding, Caffe drops it; here it
# counts.) Write `map_size(size, layers)`: `layers` is a list of (kernel, stride, padding, up), the first layer first;
# `up` is True where the layer rounds up. Each layer takes what the one before it gives. In the check every kernel fits
# into its map; where one does not, the formula gives 0 or less, which means that there is no map.
#
# <details><summary>The idea</summary>
#
# A loop over the layers that puts the new size in the place of the old one, with a division that rounds.
#
# </details>
# <details><summary>The way there</summary>
#
# How much room does the kernel have to move, once the padding is there? Whole-number division rounds down. To round up with it, divide the negative number and turn the sign again.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.8")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.8 The size of a map: ✓ passed (18 of 18 cases)`


# %%
def map_size(size, layers):
    """Side of the last map; layers are (kernel, stride, padding, up), the first one first."""
    # BEGIN SOLUTION
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        steps = -(-room // stride) if up else room // stride
        size = steps + 1
    return size
    # END SOLUTION


segtutor.check("3.8", map_size)
map_size = segtutor.use("3.8", map_size)

# %% [markdown]
# Down with your formula and up with that of the lesson. FCN-32s enlarges its last map by 32 with a kernel of 64 and crops
# from pixel 19 on. For how many sides of a picture is there no map at all, or too little left after the crop? Lesson 3 has
# counted the same with the halvings written out.


# %%
def fcn32s_layers(up):
    """The convolutions and poolings of FCN-32s on VGG16, up to fc6."""
    groups = [[(3, 1, 1, False)] * count + [(2, 2, 0, up)] for count in (2, 2, 3, 3, 3)]
    layers = [layer for group in groups for layer in group] + [(7, 1, 0, False)]
    return [(3, 1, 100, False), *layers[1:]]


for up in (True, False):
    scores = {side: map_size(side, fcn32s_layers(up)) for side in range(1, 1200)}
    failing = [side for side, n in scores.items() if n < 1 or 32 * (n - 1) + 64 < side + 19]
    print(f"poolings rounded {'up' if up else 'down'}: {len(failing)} of the sides 1 ... 1199 fail")

# %% [markdown]
# ### 3.9 Who writes where
#
# *2 points · about 10 minutes · difficulty 1 of 3*
#
# A transposed convolution does not write everywhere equally often. In one dimension, input pixel $i$ writes to the
# `kernel` output pixels from $s\,i$ on. Write `count_writers(size, kernel, stride)`: for each of the
# $s\,(\text{size} - 1) + \text{kernel}$ output pixels, how many input pixels write to it. Where the kernel is shorter
# than the stride, some get nothing: 0.
#
# <details><summary>The idea</summary>
#
# Zeros as long as the output; each input pixel adds 1 to its window.
#
# </details>
# <details><summary>The way there</summary>
#
# Which stretch of the output belongs to input pixel i? A slice takes the whole stretch at once. Stretches may overlap, so add to what is there.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.9")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.9 Who writes where: ✓ passed (10 of 10 cases)`


# %%
def count_writers(size, kernel, stride):
    """How many of `size` input pixels write to each of the stride (size - 1) + kernel output pixels."""
    # BEGIN SOLUTION
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] += 1
    return counts
    # END SOLUTION


segtutor.check("3.9", count_writers)
count_writers = segtutor.use("3.9", count_writers)

# %% [markdown]
# In the plane the counts of rows and columns are multiplied, and there is the checkerboard: with kernel 3 and stride 2,
# pixels inside have 1, 2 or 4 writers. With kernel 4, a multiple of the stride, all inside have 4.

# %% alt="Two grids of numbers, the writers of each output pixel. Left, kernel 3: ones, twos and fours alternate like a checkerboard. Right, kernel 4: four everywhere but at the border, where it is two, and one in the corners"
figure, axes = plt.subplots(1, 2, figsize=(7, 3.4))
for axis, kernel in zip(axes, (3, 4), strict=True):
    counts = np.asarray(count_writers(4, kernel, 2)).astype(int)
    board = np.outer(counts, counts)
    axis.imshow(board, cmap="cividis", vmin=0, vmax=4)
    for (row, column), number in np.ndenumerate(board):
        axis.text(column, row, str(number), ha="center", va="center", color="black" if number > 2 else "white")
    axis.set_title(f"kernel {kernel}, stride 2")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## Part E: a network of your own
#
# The scenes to learn from, drawn once:

# %%
pictures = draw("train", 400)
print(tuple(pictures.images.shape), pictures.images.dtype, tuple(pictures.maps.shape))

# %% [markdown]
# ### 3.10 An FCN-8s of your own, trained
#
# *8 points · about 65 minutes · difficulty 3 of 3*
#
# In lesson 3 the FCN stood on a backbone that came with the course and had been trained before. Here every layer is
# yours, and it begins with random weights. Write two functions.
#
# `build_fcn8s()` returns an `nn.Module` for the 33 classes of Scenes, made of the layers of `torch.nn`. It takes
# normalized pictures B x 3 x H x W, **of any height and width**, and returns one tensor of logits, B x 33 x H x W. Its
# maps are halved down to strides 8, 16 and 32; a convolution scores each of the three, and the scores are enlarged and
# added from the deepest to the finest, as in the paper. A few convolutions with batch norm before each halving are
# enough: nobody needs VGG16's 134 million parameters here. Should a pooling round up or down, and what follows for the
# sizes that you add?
#
# `train_fcn8s(network, pictures)` trains it: `pictures.images` are the 400 scenes of the cell above as bytes,
# N x 3 x 96 x 128, and `pictures.maps` their label maps, N x 96 x 128, with 255 for void. It returns nothing.
# `models.Preprocessing().normalize` makes of bytes what your network gets. You choose the optimizer, the learning rate
# and the number of steps; **four minutes** on two cores are the limit that you should set yourself.
#
# The cell after it trains once and writes what was learned to `fcn8s.safetensors`, beside the notebook. **Hand this file
# in with the notebook**, as `NAME.fcn8s.safetensors` where many notebooks `NAME.ipynb` lie in one folder. The check loads
# it, trains nothing, and lets your network segment 16 scenes of the split *test*. It asks for a mean IoU of 15, 20, 25,
# 30 and 35 %. The solution trains for 300 steps, forty seconds of one core, and reached 47 to 50 % with five seeds.
#
# <details><summary>The idea</summary>
#
# Five halvings make strides 2 to 32. Keep the maps behind the third, fourth and fifth, and score each with a convolution of 1 x 1.
#
# </details>
# <details><summary>The way there</summary>
#
# Build it from the deepest map upward: enlarge by 2, cut to the size of the next finer map, add that map's scores; after the last sum enlarge by 8 and cut to the picture. Only then train.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.10")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.10 An FCN-8s of your own, trained: ✓ passed (10 of 10 cases)`


# %%
def build_fcn8s():
    """An FCN-8s with random weights: normalized pictures B x 3 x H x W -> logits B x 33 x H x W, for any H and W."""
    # BEGIN SOLUTION
    classes = 33

    def group(channels, outputs, convolutions):
        layers = []
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            channels = outputs
        return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))

    def enlarge(scores, factor, like):
        scores = F.interpolate(scores, scale_factor=factor, mode="bilinear")
        return scores[..., : like.shape[-2], : like.shape[-1]]

    class FCN8s(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool3 = nn.Sequential(group(3, 16, 1), group(16, 32, 1), group(32, 48, 2))
            self.pool4, self.pool5 = group(48, 96, 2), group(96, 128, 2)
            self.score3, self.score4, self.score5 = (nn.Conv2d(channels, classes, 1) for channels in (48, 96, 128))

        def forward(self, images):
            pool3 = self.pool3(images)
            pool4 = self.pool4(pool3)
            scores = enlarge(self.score5(self.pool5(pool4)), 2, pool4) + self.score4(pool4)
            scores = enlarge(scores, 2, pool3) + self.score3(pool3)
            return enlarge(scores, 8, images)

    return FCN8s()
    # END SOLUTION


# %% [markdown]
# And its training. Print the loss now and then, or you will wait in the dark.


# %%
def train_fcn8s(network, pictures):
    """Trains the network on pictures.images, N x 3 x H x W bytes, and pictures.maps, N x H x W with 255 for void."""
    # BEGIN SOLUTION
    steps = 300
    weights = torch.tensor(training.balanced_class_weights(pictures))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    network.train()
    for _ in range(steps):
        chosen = torch.randint(len(pictures), (8,))
        images, maps = models.Preprocessing().normalize(pictures.images[chosen]), pictures.maps[chosen].long()
        if torch.rand(()) < 0.5:
            images, maps = images.flip(-1), maps.flip(-1)
        loss = F.cross_entropy(network(images), maps, weights, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
    # END SOLUTION


# %% [markdown]
# Training happens here, once; then the check loads the file.

# %%
train_once(build_fcn8s, train_fcn8s, pictures)
segtutor.check("3.10", build_fcn8s)
build_fcn8s = segtutor.use("3.10", build_fcn8s)

# %% [markdown]
# What your network sees in three scenes that it has never met. They are shown larger than the 96 x 128 pixels that it
# was given.

# %% alt="Three drawn scenes in rows: the scene, the label map that the network finds, and the truth"
network, seen = trained(build_fcn8s), set()
large, small = (datasets.Scenes("test", size=size, count=3) for size in ((240, 320), (96, 128)))
figure, axes = plt.subplots(3, 3, figsize=(7, 6.2))
for number, row in enumerate(axes):
    with torch.no_grad():
        found = network(models.Preprocessing().normalize(small[number][0])[None])[0].argmax(0)
    drawn, target = large[number]
    for axis, shown in zip(
        row, (drawn.permute(1, 2, 0), colorize(found, SCENES), colorize(target, SCENES)), strict=True
    ):
        axis.imshow(shown)
        axis.set_axis_off()
    seen |= {*found.unique().tolist(), *target.unique().tolist()}
for axis, title in zip(axes[0], ("scene", "found", "truth"), strict=True):
    axis.set_title(title)
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=4)
plt.show()

# %% [markdown]
# ### 3.11 Which two rows may be compared?
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# Nine published figures, with what each of them depends on. All networks started from ImageNet; those on VGG16 learned
# from SBD's 8,498 pictures. Two rows tell what **one thing** is worth only if they differ in that thing and in no other
# column (the source may differ). Everything else that differs is mixed into the difference of their figures.
#
# |  | backbone | network | training | scored on | at test time | mean IoU, % | source |
# | --- | --- | --- | --- | --- | --- | --- | --- |
# | A | VGG16 | FCN-32s | 20 pictures a step, momentum 0.9 | VOC 2011 val, the 736 outside SBD's training set | one scale | 59.4 | Long et al. 2015, Table 2 |
# | B | VGG16 | FCN-16s | 20 pictures a step, momentum 0.9 | VOC 2011 val, the 736 outside SBD's training set | one scale | 62.4 | Long et al. 2015, Table 2 |
# | C | VGG16 | FCN-8s | 20 pictures a step, momentum 0.9 | VOC 2011 val, the 736 outside SBD's training set | one scale | 62.7 | Long et al. 2015, Table 2 |
# | D | VGG16 | FCN-8s | 20 pictures a step, momentum 0.9 | VOC 2012 test | one scale | 62.2 | Long et al. 2015, abstract |
# | E | VGG16 | FCN-32s | “heavy”: 1 picture a step, momentum 0.99 | VOC 2011 val, the 736 outside SBD's training set | one scale | 63.6 | the authors' release of 2016 |
# | F | VGG16 | FCN-8s | “heavy”: 1 picture a step, momentum 0.99 | VOC 2011 val, the 736 outside SBD's training set | one scale | 65.5 | the authors' release of 2016 |
# | G | VGG16 | FCN-8s | “heavy”: 1 picture a step, momentum 0.99 | VOC 2012 test | one scale | 67.2 | Shelhamer et al. 2017 |
# | H | ResNet-101, dilated | FCN, no skips | mmsegmentation's | VOC 2012 val, all 1,449 | one scale | 71.16 | mmsegmentation, model zoo |
# | I | ResNet-101, dilated | FCN, no skips | mmsegmentation's | VOC 2012 val, all 1,449 | several scales, mirrored | 73.57 | mmsegmentation, model zoo |
#
# Fill in `answers`. A pair is two letters in the order of the table, `"AB"`; where there is no such pair, `"none"`.
#
# - `"skips"`: which pair tells what **both** skips together are worth, with the training of 2015?
# - `"heavy training"`: which pair tells what the heavy training is worth for FCN-8s, on the 736 pictures?
# - `"several scales"`: which pair tells what it brings to show the picture at several scales?
# - `"backbone"`: which pair tells what a ResNet-101 in the place of VGG16 is worth?
# - `"points of the skips"` and `"points after heavy training"`: how many points are both skips worth on the 736
#   pictures, with the training of 2015 and with the heavy one?
# - `"62.7 and 62.2"`: the same authors give both figures for FCN-8s in the same year. What follows? **a**: the second
#   training went a little worse. **b**: nothing about the network, since other pictures were scored. **c**: half a point
#   is what chance makes between two trainings. **d**: the test server computes another mean IoU.
#
# <details><summary>The idea</summary>
#
# Take the column that the question is about, and look for two rows that agree in all the others.
#
# </details>
# <details><summary>The way there</summary>
#
# Go from column to column: backbone, network, training, pictures, test time. One difference is an answer, two are none.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.11")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.11 Which two rows may be compared?: ✓ passed (7 of 7 cases)`

# %%
# STUB: answers = {
# STUB:     "skips": None,  # two letters in the order of the table, or "none"
# STUB:     "heavy training": None,  # two letters, or "none"
# STUB:     "several scales": None,  # two letters, or "none"
# STUB:     "backbone": None,  # two letters, or "none"
# STUB:     "points of the skips": None,  # a number
# STUB:     "points after heavy training": None,  # a number
# STUB:     "62.7 and 62.2": None,  # "a", "b", "c" or "d"
# STUB: }
# BEGIN SOLUTION
answers = {
    "skips": "AC",
    "heavy training": "CF",
    "several scales": "HI",
    "backbone": "none",
    "points of the skips": 62.7 - 59.4,
    "points after heavy training": 65.5 - 63.6,
    "62.7 and 62.2": "b",
}
# END SOLUTION

segtutor.check("3.11", answers)
answers = segtutor.use("3.11", answers)

# %% [markdown]
# With the heavy training the skips are worth a little more than half of what they were worth before. A sentence such as
# "two skips bring 3 points" is one about a training, too. It is hard to see in a table, and easy to forget in a
# conclusion.

# %% [markdown]
# ## Project: FCN-8s from your parts
#
# The course's small FCN-8s does in three layers what you have written: scores of `pool5` are enlarged by 2 and added to
# the scores of `pool4`, the sum is enlarged by 2 and added to those of `pool3`, and that is enlarged by 8. Its maps lie
# *on* the picture's pixels, not between them, so its bilinear kernels have the odd sizes 3, 3 and 15, and it is the
# *enlarged* map that begins too early: its first 1, 1 and 7 rows and columns are cut off. The cell below takes the maps
# from the network and does the rest with your `transposed_convolution` and `bilinear_weight`.
#
# **Your turn, no check:** run it, then change one thing (a kernel of size 4, an offset of 0, no skip from `pool3`) and see
# by how much the logits differ, and where in the picture.

# %%
torch.manual_seed(0)
network = models.create("fcn8s_tiny", num_classes=33, weights="backbone").double().eval()
for layer in (network.classifier[-1], *network.score.values()):
    torch.nn.init.normal_(layer.weight, std=0.1)  # they begin at zero, and zeros would hide every mistake
picture = network.preprocessing.normalize(image)[None].double()
found = {}
handles = [network.classifier.register_forward_hook(lambda module, given, made: found.update(deep=made[0].numpy()))]
for name, layer in network.score.items():
    handles.append(
        layer.register_forward_hook(lambda module, given, made, name=name: found.update({name: made[0].numpy()}))
    )
with torch.no_grad():
    theirs = network(picture)["out"][0].numpy()
for handle in handles:
    handle.remove()


def enlarge(scores, size, factor):
    """Each class by itself, with your kernel of this size."""
    return np.asarray(transposed_convolution(scores, np.asarray(bilinear_weight(len(scores), size)), factor))


def add(coarse, fine, offset):
    """The skip, where the enlarged map begins `offset` pixels before the fine one."""
    coarse = coarse[:, offset:, offset:]
    height, width = (min(coarse.shape[axis], fine.shape[axis]) for axis in (1, 2))
    return coarse[:, :height, :width] + fine[:, :height, :width]


scores = add(enlarge(found["deep"], 3, 2), found["pool4"], 1)
scores = add(enlarge(scores, 3, 2), found["pool3"], 1)
mine = enlarge(scores, 15, 8)[:, 7 : 7 + 96, 7 : 7 + 128]
print(f"largest logit {abs(theirs).max():.2f}, largest difference {abs(mine - theirs).max():.1e}")

# %% [markdown]
# How far you are:

# %%
segtutor.progress(3)
