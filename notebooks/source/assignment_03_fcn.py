# ---
# title: The parts of FCN
# minutes_cpu: 1
# minutes_t4: 1
# download: none
# peak_ram: 1 GB
# prerequisites: ["[Lesson 3](../03_fcn.ipynb)", NumPy arrays and functions]
# minutes_work: 200
# ---

# %% [markdown]
# Nine tasks, 30 points: all that FCN adds to a classifier, written by you in NumPy, and at the end a whole FCN-8s put
# together from your parts that gives the package's numbers.
#
# How it works:
#
# - Replace the line `raise NotImplementedError(...)` in each task and run its cell. `segtutor.check` then shows how
#   your function did: the score and, if something is wrong, the first case that fails, with what came and what was
#   wanted, and what seems to have gone wrong. From the second try on it also says how to repair it.
# - Stuck? Three things fold out below each task: the idea, the way there, and how to see a solution, which counts as
#   used. Or go on: `segtutor.use`, which stands behind the check, hands on *your* function where it passes, and the
#   course's own where it does not yet; a note says so.
# - Your functions get NumPy arrays and may use what you like: NumPy, PyTorch or plain loops.
# - `segtutor.progress(3)` shows how far you are in this assignment. It remembers across restarts.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn import functional as F

import segtutor
from segtutor import datasets, models
from segtutor.models.upsampling import BilinearUpsampling, add_where_they_overlap

segtutor.progress(3)

# %% [markdown]
# ## Part A: from classifier to coarse map

# %% [markdown]
# ### 3.1 A fully connected layer as a convolution
#
# *2 points · about 10 minutes · difficulty 1 of 3*
#
# A linear layer follows a map of C x side x side that was flattened: channel by channel, each channel row by row. Its
# weights are K x (C · side · side). Write `as_convolution(weight, channels, side)`, which gives the kernel
# K x C x side x side of the convolution that computes the same. Only the shape changes, no number.
#
# <details><summary>The idea</summary>
#
# The flattened map goes through the channels first, then through the rows. The weights lie in that order.
#
# </details>
# <details><summary>The way there</summary>
#
# A reshape reads the numbers with the last axis running fastest and writes them in the same way. Is this the order in which the flattened map was read? Then nothing has to be moved.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.1")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.1 A fully connected layer as a convolution: ✓ passed (5 of 5 cases)`


# %%
def as_convolution(weight, channels, side):
    """K x (C side side) weights of a linear layer -> the K x C x side x side kernel of the same layer."""
    # BEGIN SOLUTION
    return weight.reshape(len(weight), channels, side, side)
    # END SOLUTION


segtutor.check("3.1", as_convolution)
as_convolution = segtutor.use("3.1", as_convolution)

# %% [markdown]
# Your kernel in a convolution, beside the linear layer that it comes from. On the map that the layer was made for both
# give the same; on a larger map only the convolution has an answer, one per position.

# %%
torch.manual_seed(0)
linear = torch.nn.Linear(8 * 4 * 4, 5)
kernel = torch.as_tensor(as_convolution(linear.weight.detach().numpy(), 8, 4))
small, large = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 9, 12)
one = F.conv2d(small, kernel, linear.bias)
print("largest difference:", (one.flatten(1) - linear(small.flatten(1))).abs().max().item())
print("on a 9 x 12 map:", tuple(F.conv2d(large, kernel, linear.bias).shape))

# %% [markdown]
# ## Part B: back to the pixels

# %% [markdown]
# ### 3.2 The size of a transposed convolution
#
# *2 points · about 10 minutes · difficulty 1 of 3*
#
# Input pixel $i$ writes its kernel to the output from position $s\,i$ on. Of what comes out, a border of `padding`
# pixels is cut off at *each* side. Write `transposed_size(size, kernel, stride, padding)`: the number of output pixels
# along one side.
#
# <details><summary>The idea</summary>
#
# Where does the last input pixel write? From s (size - 1) on, and its kernel is k long.
#
# </details>
# <details><summary>The way there</summary>
#
# Where does the kernel of the last pixel end? That is the length of all that comes out. Then take the border off, and mind how many sides it has.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.2")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.2 The size of a transposed convolution: ✓ passed (12 of 12 cases)`


# %%
def transposed_size(size, kernel, stride, padding):
    """Side of the output of a transposed convolution."""
    # BEGIN SOLUTION
    return stride * (size - 1) + kernel - 2 * padding
    # END SOLUTION


segtutor.check("3.2", transposed_size)
transposed_size = segtutor.use("3.2", transposed_size)

# %% [markdown]
# Your formula beside PyTorch, for all sizes, kernels and strides up to 6 and paddings up to 2:

# %%
wrong = 0
for size, kernel, stride, padding in itertools.product(range(1, 7), range(1, 7), range(1, 7), range(3)):
    if 2 * padding < stride * (size - 1) + kernel:
        layer = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding)
        wrong += layer(torch.zeros(1, 1, size)).shape[-1] != transposed_size(size, kernel, stride, padding)
print("sizes that differ from PyTorch's:", wrong)

# %% [markdown]
# ### 3.3 Zeros between the pixels
#
# *3 points · about 15 minutes · difficulty 2 of 3*
#
# A transposed convolution of stride $s$ is an ordinary convolution of stride 1 over an input that was *stuffed*: between
# neighboring pixels, $s - 1$ zeros; around all, a border of zeros. Write `stuff(values, stride, border)` for one channel,
# h x w, of floats. After the last pixel come no zeros but those of the border.
#
# <details><summary>The idea</summary>
#
# First an array of zeros that is large enough, then the values at every stride-th place, then the border.
#
# </details>
# <details><summary>The way there</summary>
#
# How many rows lie between the first and the last pixel, both counted in? A slice with a step reaches exactly the places of the old pixels, so one assignment fills them all. For the border there is a function of NumPy.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.3")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.3 Zeros between the pixels: ✓ passed (7 of 7 cases)`


# %%
def stuff(values, stride, border):
    """Puts stride - 1 zeros between the neighbors of an h x w map, and a border of zeros around it."""
    # BEGIN SOLUTION
    h, w = values.shape
    spread = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    spread[::stride, ::stride] = values
    return np.pad(spread, border)
    # END SOLUTION


segtutor.check("3.3", stuff)
stuff = segtutor.use("3.3", stuff)

# %% [markdown]
# The tutorial's example, stuffed by you: 2 x 2 becomes 7 x 7 for a 3 x 3 kernel and stride 2.

# %%
print(np.asarray(stuff(np.array([[1.0, 2.0], [3.0, 4.0]]), 2, 2)).astype(int))

# %% [markdown]
# ### 3.4 Transposed convolution by scattering
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# Write `transposed_convolution(values, kernel, stride)` for one channel, h x w and k x k floats: every input
# value multiplies the whole kernel, and the product is *added* to the output, from row $s\,i$ and column $s\,j$ on. The
# 2 x 2 input with a 3 x 3 kernel and stride 2 becomes 5 x 5. The kernel is not turned.
#
# <details><summary>The idea</summary>
#
# Begin with zeros of the output's size. Two loops over the input; each adds value * kernel to one window.
#
# </details>
# <details><summary>The way there</summary>
#
# The output ends where the kernel of the last pixel ends. The window of a pixel begins at stride times its row and column and is as large as the kernel. Windows overlap, so add to what is already there.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.4")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.4 Transposed convolution by scattering: ✓ passed (7 of 7 cases)`


# %%
def transposed_convolution(values, kernel, stride):
    """Scatters h x w values, each times the k x k kernel: (stride (h - 1) + k) x (stride (w - 1) + k)."""
    # BEGIN SOLUTION
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            output[stride * i : stride * i + k, stride * j : stride * j + k] += values[i, j] * kernel
    return output
    # END SOLUTION


segtutor.check("3.4", transposed_convolution)
transposed_convolution = segtutor.use("3.4", transposed_convolution)

# %% [markdown]
# Three ways, one result: your scattering, your stuffing with an ordinary convolution, and PyTorch.

# %%
generator = np.random.default_rng(0)
values, kernel = generator.normal(size=(4, 5)), generator.normal(size=(4, 4))
scattered = np.asarray(transposed_convolution(values, kernel, 3))
padded = torch.as_tensor(np.asarray(stuff(values, 3, 3)))
stuffed = F.conv2d(padded[None, None], torch.as_tensor(kernel[::-1, ::-1].copy())[None, None])[0, 0].numpy()
theirs = F.conv_transpose2d(torch.as_tensor(values)[None, None], torch.as_tensor(kernel)[None, None], stride=3)[0, 0]
print("size", scattered.shape, "by formula", [transposed_size(side, 4, 3, 0) for side in values.shape])
print(f"largest difference: {abs(scattered - stuffed).max():.1e} and {abs(scattered - theirs.numpy()).max():.1e}")

# %% [markdown]
# ### 3.5 Bilinear weights
#
# *4 points · about 25 minutes · difficulty 2 of 3*
#
# Upsampling starts as bilinear interpolation. Its kernel is the outer product of a triangle with itself,
#
# $$ t_i = 1 - \frac{|i - c|}{f}, \qquad f = \left\lfloor \frac{\text{size} + 1}{2} \right\rfloor, \qquad
# c = \frac{\text{size} - 1}{2}. $$
#
# Write `bilinear_weight(num_classes, size)`, K x K x size x size: this kernel from class $k$ to class $k$, and zeros from
# one class to another, so that scores of different classes do not mix.
#
# <details><summary>The idea</summary>
#
# One triangle makes one kernel, and this kernel stands wherever a class meets itself.
#
# </details>
# <details><summary>The way there</summary>
#
# Compute the three formulas of the text for all i at once. Begin with zeros for all pairs of classes, and fill in only the pairs of a class with itself.
#
# </details>
# <details><summary>Show me a solution</summary>
#
# `segtutor.solution("3.5")` shows one. It counts as used: `segtutor.progress(3)` then says "solution seen".
#
# </details>
#
# **Expected:** `3.5 Bilinear weights: ✓ passed (7 of 7 cases)`


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
kernel = np.asarray(bilinear_weight(1, 16))[0, 0]
enlarged = np.stack([transposed_convolution(channel, kernel, 8) for channel in coarse])
figure, axes = plt.subplots(1, 2, figsize=(7, 2.6), dpi=72, layout="constrained")
for axis, shown, title in zip(axes, (coarse, enlarged), ("3 × 4", "enlarged by 8: 32 × 40"), strict=True):
    axis.imshow(np.clip(shown.transpose(1, 2, 0), 0, 1))
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ### 3.6 A skip
#
# *5 points · about 30 minutes · difficulty 3 of 3*
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
# Your two functions do the enlarging; the kernel is that of a single class. After the cut the maps may differ in size: what they share is the smaller height and the smaller width, counted from the upper left corner.
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
    kernel = bilinear_weight(1, 4)[0, 0]
    enlarged = np.stack([transposed_convolution(scores, kernel, 2) for scores in coarse])
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
# *5 points · about 30 minutes · difficulty 2 of 3*
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
# Your two formulas together, 3.8 down and 3.2 up. FCN-32s enlarges its last map by 32 with a kernel of 64 and crops from
# pixel 19 on. For how many sides of a picture is there no map at all, or too little left after the crop? Lesson 3 has
# counted the same with the halvings written out.


# %%
def fcn32s_layers(up):
    """The convolutions and poolings of FCN-32s on VGG16, up to fc6."""
    groups = [[(3, 1, 1, False)] * count + [(2, 2, 0, up)] for count in (2, 2, 3, 3, 3)]
    layers = [layer for group in groups for layer in group] + [(7, 1, 0, False)]
    return [(3, 1, 100, False), *layers[1:]]


for up in (True, False):
    scores = {side: map_size(side, fcn32s_layers(up)) for side in range(1, 1200)}
    failing = [side for side, n in scores.items() if n < 1 or transposed_size(n, 64, 32, 0) < side + 19]
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
figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), dpi=72, layout="constrained")
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
    kernel = np.asarray(bilinear_weight(1, size))[0, 0]
    return np.stack([transposed_convolution(one, kernel, factor) for one in scores])


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
