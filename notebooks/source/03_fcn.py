# ---
# title: Fully convolutional networks
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 2](02_data_sets.ipynb)", convolution and pooling in PyTorch]
# minutes_work: 110
# ---

# %% [markdown]
# A classifier says *there is a boat in this picture*. We want to know which pixels are the boat. In 2015 Long,
# Shelhamer and Darrell showed that a classifier needs no replacement for that, only a rewriting: its fully connected
# layers are convolutions already. (The idea is older: Matan et al. read strings of digits with it in 1992.) The
# network is trained end to end, from pixels to pixels. What comes out is a small, coarse map of scores. The rest of
# their paper, and most of this lesson, is about the way from that small map back to the pixels.
#
# ## Objectives
#
# After this lesson you can
#
# - **rewrite** a fully connected layer as a convolution, and say what that saves;
# - **compute** a transposed convolution in three ways, its output size and its crop, and **avoid** checkerboards;
# - **draw** FCN-32s, 16s and 8s with the size of every map, and **train** them stage by stage;
# - **write** the pixel-wise loss so that void pixels and batches without a label do no harm;
# - **read** published FCN results: which network, which data, which training.
#
# ## The claim
#
# > Adding the scores of finer layers makes the label map better, and above all finer.
#
# On 736 pictures of VOC 2011 val, mean IoU rises from 59.4 % (FCN-32s) to 62.4 % (16s) and 62.7 % (8s)
# ([Long et al. 2015](https://arxiv.org/abs/1411.4038), §4.2, Table 2). Below you train the three of them, and see the
# measurement with three seeds. Four more sentences of the paper are put to the test on the way.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from IPython.display import Markdown
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor import models, plotting, training
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.showing import card, run_short, show
from segtutor.labels import SCENES
from segtutor.plotting import colorize

plt.rcParams.update({"figure.dpi": 72, "font.size": 10})
ORANGE, BLUE = "#E69F00", "#0072B2"
train_pictures = draw(EVERYTHING, "train", 200, (96, 128))  # drawn scenes, 3 x 96 x 128 bytes each
val_pictures = draw(EVERYTHING, "val", 40, (96, 128))
prepare = models.Preprocessing().normalize

# %% [markdown]
# ## From classifier to FCN
#
# A fully connected layer behind a feature map of $C \times h \times w$ multiplies *all* of it with one row of weights
# per output and adds up. A convolution whose kernel is as large as the map does the same: it fits into the map at one
# place only. So the weights need no change but a new shape, $K \times (C h w) \to K \times C \times h \times w$.
#
# Here is a small classifier for patches of 22 × 22 pixels. Its weights are random: nothing in the argument depends on
# training. It has no padding, so every number of its output depends on the patch alone.

# %%
torch.manual_seed(0)
features = nn.Sequential(
    nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
)  # fmt: skip
connected = nn.Linear(16 * 4 * 4, 33)
classifier = nn.Sequential(features, nn.Flatten(), connected).eval()

as_convolution = nn.Conv2d(16, 33, kernel_size=4)
with torch.no_grad():
    as_convolution.weight.copy_(connected.weight.reshape(33, 16, 4, 4))
    as_convolution.bias.copy_(connected.bias)
fcn = nn.Sequential(features, as_convolution).eval()

patch = torch.randn(1, 3, 22, 22)
print("classifier:", tuple(classifier(patch).shape), "  convolutions:", tuple(fcn(patch).shape))
assert torch.allclose(classifier(patch), fcn(patch).flatten(1), atol=1e-6)

# %% [markdown]
# On a larger picture the classifier raises an error. The convolution does not: its kernel now fits at several places,
# and each place gives the scores of one patch. Two poolings by 2 make neighboring patches lie 4 pixels apart.
#
# **Predict, then run.** The scene has 96 × 128 pixels. How many patches of 22 × 22 are that, 4 pixels apart? How many
# times fewer operations does the convolutional version need for the same numbers?

# %%
scene = prepare(train_pictures[3][0])[None]
patches = scene.unfold(2, 22, 4).unfold(3, 22, 4)  # 1 x 3 x rows x columns x 22 x 22
rows, columns = patches.shape[2:4]
patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 22, 22)


def counted(network, images):
    """Output, and operations: a multiplication and an addition count as two."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = network(images)
    return output, counter.get_total_flops()


one_by_one, operations_patches = counted(classifier, patches)
at_once, operations_fcn = counted(fcn, scene)
print(f"{rows} x {columns} = {len(patches)} patches; the map of the FCN is {tuple(at_once.shape)}")
print(f"patch by patch: {operations_patches / 1e6:6.0f} million operations")
print(f"at once:        {operations_fcn / 1e6:6.0f} million, {operations_patches / operations_fcn:.1f} times fewer")
assert torch.allclose(one_by_one.T.reshape(1, 33, rows, columns), at_once, atol=1e-5)

# %% [markdown]
# The same 513 answers, to the rounding. Patches overlap, and where they do, the convolutions of the first layers are
# the same for all of them: the FCN computes them once. Long et al. measured it with AlexNet: 1.2 ms for one patch of
# 227 × 227, 22 ms for a 10 × 10 map from a picture of 500 × 500, five times less than 100 patches (§3.1).
#
# One thing is seldom told. With *padding*, the numbers are no longer the same: a patch alone has zeros around it, a
# patch within a picture has its neighbors. The FCN's answer is the better one, but it is another.
#
# ### VGG16
#
# The real thing: FCN takes VGG16, which ends in three fully connected layers. The device `meta` builds a network that
# has shapes but no numbers, so the 138 million parameters cost nothing here.

# %%
with torch.device("meta"):
    vgg = torchvision.models.vgg16()
    fcn8s = models.create("fcn8s_vgg16", num_classes=21).eval()
    fcn32s = models.create("fcn32s_vgg16", num_classes=21).eval()

for old, new in ((0, 0), (3, 3)):
    before, after = vgg.classifier[old].weight, fcn8s.classifier[new].weight
    assert before.reshape(after.shape).shape == after.shape
    print(f"fc{6 + old // 3}: {' x '.join(map(str, before.shape)):13} -> {' x '.join(map(str, after.shape))}")
print(f"fc8: {' x '.join(map(str, vgg.classifier[6].weight.shape)):13} -> dropped; score: 21 x 4096 x 1 x 1, new")

with torch.device("meta"):
    _, one_patch = counted(vgg.eval(), torch.empty(1, 3, 224, 224))
    whole, operations = counted(fcn32s, torch.empty(1, 3, 500, 500))
cells = plotting.trace_shapes(fcn32s, (500, 500))["classifier.6"][-2:]
patchwise = one_patch * cells[0] * cells[1]
print(f"a picture of 500 x 500: {cells[0]} x {cells[1]} answers, {operations / 1e9:.0f} billion operations;")
print(f"patch by patch {patchwise / 1e9:.0f} billion, {patchwise / operations:.0f} times more")

# %% [markdown]
# ### A heat map from a classifier
#
# Does such a map *mean* something? The course ships a backbone that learned from whole pictures which classes they
# show, and has never seen a label map: only yes or no. We put a new linear layer behind it, on the mean of its map
# (*global average pooling*), and fit that layer on 200 scenes. The mean of a linear layer is the linear layer of the
# mean; so applied at every place, as a 1 × 1 convolution, it must give the same answer on average:
#
# $$ w^\top \Big(\frac{1}{hw}\sum_{i,j} x_{ij}\Big) + b = \frac{1}{hw}\sum_{i,j} \big(w^\top x_{ij} + b\big). $$

# %%
backbone = models.create("fcn8s_tiny", num_classes=33, weights="backbone").backbone.eval()


@torch.no_grad()
def maps_of(images):
    """The map of stride 16, B x 128 x h x w."""
    return backbone(prepare(images))["pool4"]


means = torch.cat([maps_of(part).mean((2, 3)) for part in train_pictures.images.split(50)])
shown = F.one_hot(train_pictures.maps.long().flatten(1).clamp(max=33), 34)[..., :33].float().mean(1) > 0.005
center, spread = means.mean(0), means.std(0) + 1e-3
linear = nn.Linear(128, 33)
optimizer = torch.optim.AdamW(linear.parameters(), lr=0.02, weight_decay=0.3)
for _ in range(200):
    loss = F.binary_cross_entropy_with_logits(linear((means - center) / spread), shown.float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

score = nn.Conv2d(128, 33, 1).requires_grad_(False)  # the same layer, with the standardization folded into it
score.weight.copy_((linear.weight / spread)[..., None, None])
score.bias.copy_(linear.bias - linear.weight @ (center / spread))
example = maps_of(val_pictures.images[:1])
with torch.no_grad():
    assert torch.allclose(score(example).mean((2, 3)), linear((example.mean((2, 3)) - center) / spread), atol=1e-3)
print("map of one scene:", tuple(score(example).shape), "- its mean is the classifier's answer")

# %% [markdown]
# Now a larger picture, four scenes in one, which the classifier could not take as it was.

# %% alt="A picture made of four scenes, and the heat maps of sheep, bicycle and person laid over it: orange blobs lie on most things of the class, but they are much larger than the things and some lie elsewhere."
four = [val_pictures[index] for index in (16, 8, 5, 15)]
large = torch.cat([torch.cat([image for image, _ in four[i : i + 2]], 2) for i in (0, 2)], 1)
large_labels = torch.cat([torch.cat([labels for _, labels in four[i : i + 2]], 1) for i in (0, 2)], 0)
with torch.no_grad():
    heat = F.interpolate(score(maps_of(large[None])), large.shape[-2:], mode="bilinear", align_corners=True)[0]
figure, axes = plt.subplots(1, 4, figsize=(12, 2.7), layout="constrained")
axes[0].imshow(large.permute(1, 2, 0))
axes[0].set_title("four scenes in one picture")
for axis, name in zip(axes[1:], ("sheep", "bicycle", "person"), strict=True):
    number = SCENES.index(name)
    axis.imshow(large.permute(1, 2, 0).float().mean(2), cmap="gray", vmin=-100)
    limit = heat[number].abs().max()
    axis.imshow(heat[number], cmap="PuOr_r", vmin=-limit, vmax=limit, alpha=0.65)
    axis.contour(large_labels == number, levels=[0.5], colors="black", linewidths=1.2)
    axis.set_title(f"{name}: orange for, violet against")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# The black lines are the true outlines. How good is this over all validation scenes? Take a pixel of the class and
# another pixel of the same scene: how often is the first the warmer one? By chance it would be 50 %.

# %%
with torch.no_grad():
    heat = F.interpolate(score(maps_of(val_pictures.images)), (96, 128), mode="bilinear", align_corners=True)
for name in ("sheep", "bicycle", "person", "building", "road", "grass"):
    number, found = SCENES.index(name), []
    for one, labels in zip(heat[:, number], val_pictures.maps, strict=True):
        inside, outside = one[labels == number].sort().values, one[labels != number]
        if len(inside) > 60:  # pixels
            warmer = len(inside) - torch.searchsorted(inside, outside)
            found.append((warmer.float().mean() / len(inside)).item())
    print(f"{name:9} {100 * np.mean(found):3.0f} %, mean of {len(found)} scenes")

# %% [markdown]
# Nobody told the network *where*, and yet it knows for most things. Heat maps of this kind are known as *class
# activation maps* (Zhou et al. 2016). They are coarse; and for road and grass they are of no use, as the classifier may
# as well recognize a street by its houses. Learning from label maps repairs the second. The coarseness is our subject
# from here on.
#
# ## Any size
#
# A convolution does not ask how large its input is. The short version of this claim runs here, now: ten random picture
# sizes for two networks with the same backbone.

# %%
run_short("fcn.any_size", progress=False)

# %% [markdown]
# (The fully connected one fails with `RuntimeError: mat1 and mat2 shapes cannot be multiplied`. It takes those few
# sizes that happen to give a map of its size.) With all three seeds and 60 sizes the verdict is the same:

# %%
for verdict, expected, outcome in card("fcn.any_size").verdicts():
    print(f"{verdict}: {expected} {outcome}")

# %% [markdown]
# There is one catch: fc6 is a 7 × 7 convolution without padding, so its map must be at least 7 × 7. That is why FCN
# pads the *picture*, by the famous 100 pixels in the very first convolution. And sizes that cannot be halved are
# rounded **up**, as Caffe's pooling does. Does the rounding matter? We follow the sizes of FCN-32s by hand, for both
# roundings, and ask whether the enlarged map is long enough to be cropped to the picture.


# %%
def fcn32s_sizes(side, halve):
    """Side of pool5, of the scores, and of the enlarged scores, from that of the picture."""
    side = side + 2 * 100 - 2  # 3 x 3 with padding 100; the other 3 x 3 keep the size
    for _ in range(5):
        side = halve(side)
    return side, side - 6, 32 * (side - 6 - 1) + 64


def up(n):
    return (n + 1) // 2


def down(n):
    return n // 2


for side in (1, 224, 500):
    by_hand = fcn32s_sizes(side, up)
    shapes = plotting.trace_shapes(fcn32s, (side, side))
    assert by_hand == tuple(shapes[name][-1] for name in ("backbone[pool5]", "classifier.6", "upscore.image"))
    print(f"picture {side:3}: pool5 {by_hand[0]:2}, scores {by_hand[1]:2}, enlarged {by_hand[2]:3}")
for words, halve in (("up", up), ("down", down)):
    sizes = {side: fcn32s_sizes(side, halve) for side in range(1, 1200)}
    short = sum(scores < 1 or enlarged < side + 19 for side, (_, scores, enlarged) in sizes.items())
    print(f"rounded {words:4}: {short} of the sides 1 ... 1199 leave no map, or one too short for the crop at 19")

# %% [markdown]
# ## Transposed convolution
#
# The scores are coarse, so they must be enlarged. FCN does it with a layer that has many names: *transposed
# convolution*, *up-convolution*, *fractionally strided convolution*, and, wrongly, *deconvolution*. Three views of it,
# on the classic example: a 2 × 2 input, a 3 × 3 kernel, a 5 × 5 output.
#
# **First view: a convolution of a stuffed input.** A convolution of stride $f$ moves the kernel by $f$ pixels from one
# output to the next. To enlarge by $f$, it should move by $1/f$ of an input pixel: a *fractional stride*. There is
# nothing at such places, so zeros are put there: $f - 1$ between the pixels, and $k - 1$ around them. Then an ordinary
# convolution of stride 1 runs over it (its kernel turned by 180°).

# %% alt="The numbers of a transposed convolution: 2 by 2 input, the 7 by 7 input stuffed and padded with zeros, the turned 3 by 3 kernel, and the 5 by 5 output. One window and the output value it gives are framed."
values = np.array([[1.0, 2.0], [3.0, 4.0]])
kernel = np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])
figure, axis = plt.subplots(figsize=(11, 4), layout="constrained")
plotting.show_transposed_convolution(values, kernel, stride=2, highlight=(2, 2), ax=axis)
plt.show()

# %% [markdown]
# **Second view: scatter.** Every input value multiplies the whole kernel and is added to the output, from its corner
# $f i,\, f j$ on. No zeros, no turning: this is how it is computed in fact.
#
# **Third view: the transposed matrix.** A convolution is linear, so it is a matrix $C$. One of stride 2 takes 5 × 5 to
# 2 × 2: $C$ has 4 rows and 25 columns. Its transpose $C^\top$ takes 2 × 2 to 5 × 5. That is all the name says. The
# backward pass of a convolution multiplies with $C^\top$, too: a transposed convolution is a convolution run backward.


# %%
def by_stuffing(values, kernel, stride):
    h, w = values.shape
    border = len(kernel) - 1
    stuffed = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    stuffed[::stride, ::stride] = values
    padded = np.pad(stuffed, border)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel[::-1, ::-1]).sum((2, 3))


def by_scattering(values, kernel, stride):
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            output[stride * i : stride * i + k, stride * j : stride * j + k] += values[i, j] * kernel
    return output


def by_matrix(values, kernel, stride):
    side = stride * (len(values) - 1) + len(kernel)
    pixels = torch.eye(side * side).reshape(-1, 1, side, side)  # column by column: what becomes of one pixel
    C = F.conv2d(pixels, torch.tensor(kernel, dtype=torch.float32)[None, None], stride=stride).flatten(1).T.numpy()
    print("C is", C.shape[0], "x", C.shape[1])
    return (C.T @ values.flatten()).reshape(side, side)


layer = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
layer.weight.data = torch.tensor(kernel, dtype=torch.float32)[None, None]
by_pytorch = layer(torch.tensor(values, dtype=torch.float32)[None, None])[0, 0].detach().numpy()
for way in (by_stuffing, by_scattering, by_matrix):
    assert np.allclose(way(values, kernel, 2), by_pytorch)
assert np.allclose(plotting.transposed_convolution(values, kernel, stride=2).output, by_pytorch)
print(by_pytorch)

# %% [markdown]
# The size follows from the scatter: the last of $h$ kernels begins at $s(h-1)$ and is $k$ long; padding $p$ *cuts* $p$
# from each side, as it is the padding of the convolution that is run backward:
#
# $$ H = s\,(h - 1) + k - 2p. $$
#
# Here, $2 \cdot 1 + 3 = 5$. A convolution of stride 2 takes 5 *and* 6 pixels to 2, so the way back is ambiguous:
# `output_padding=1` asks for the 6. It adds a row and a column at the end, and is no means to shift or to crop.

# %%
size = lambda h, k, s, p: s * (h - 1) + k - 2 * p  # noqa: E731
for h, k, s, p in ((2, 3, 2, 0), (16, 64, 32, 0), (16, 4, 2, 1), (7, 5, 3, 2)):
    got = F.conv_transpose2d(torch.ones(1, 1, h, h), torch.ones(1, 1, k, k), stride=s, padding=p).shape[-1]
    assert got == size(h, k, s, p)
    print(f"h = {h:2}, k = {k:2}, s = {s:2}, p = {p}: H = {got}")

# %% [markdown]
# With random inputs and kernels, three seeds (the paper gives no numbers; the last column returns below):

# %%
card("fcn.transposed")

# %% [markdown]
# ### Why not "deconvolution"?
#
# Deconvolution is a word with a meaning: it *undoes* a convolution, $C^{-1}C x = x$. A transposed convolution does not:
# $C^\top C$ is not the identity. On a circle, convolution is multiplication in Fourier space, $\hat k \hat x$; the
# transpose multiplies with the conjugate $\overline{\hat k}$, true deconvolution divides by $\hat k$.
#
# **Predict, then run.** A picture is blurred. Will the transposed convolution with the same kernel make it sharper?

# %% alt="Four panels: a gray scene; the same blurred; blurred even more by the transposed convolution; and the original again by true deconvolution."
original = train_pictures[3][0].double().mean(0).numpy() / 255
triangle = np.array([1.0, 2.0, 3.2, 2.0, 1.0])
blur = np.zeros(original.shape)
blur[:5, :5] = np.outer(triangle, triangle) / triangle.sum() ** 2
spectrum = np.fft.fft2(np.roll(blur, (-2, -2), (0, 1)))


def filtered(picture, factor):
    return np.fft.ifft2(np.fft.fft2(picture) * factor).real


blurred = filtered(original, spectrum)
transposed, inverse = filtered(blurred, spectrum.conj()), filtered(blurred, 1 / spectrum)
other = np.random.default_rng(0).random(original.shape)
# what makes it the transpose: <C x, y> = <x, C' y> for every x and y
assert np.isclose((blurred * other).sum(), (original * filtered(other, spectrum.conj())).sum())
figure, axes = plt.subplots(1, 4, figsize=(12, 2.6), layout="constrained")
panels = {"picture x": original, "convolved, C x": blurred, "transposed, CᵀC x": transposed, "inverse, C⁻¹C x": inverse}
for axis, (title, picture) in zip(axes, panels.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"{title}\noff by {np.abs(picture - original).mean():.3f}")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# It is blurred twice. What the transpose gives back is the *shape* of the input, not its values.
#
# ## Bilinear from the start
#
# A learned upsampling needs first weights, and random ones are a poor start. FCN begins with the kernel that makes the
# layer a bilinear interpolation. With $f = \lceil k/2 \rceil$ and the middle $c = (k-1)/2$,
#
# $$ w_{ij} = \Big(1 - \frac{|i - c|}{f}\Big)\Big(1 - \frac{|j - c|}{f}\Big), \qquad 0 \le i, j < k. $$


# %%
def bilinear(k):
    f, c = (k + 1) // 2, (k - 1) / 2
    triangle = 1 - (torch.arange(k) - c).abs() / f
    return torch.outer(triangle, triangle)


from segtutor.models.upsampling import BilinearUpsampling, Grid, bilinear_kernel

for k in (3, 4, 16, 64):
    assert torch.allclose(bilinear(k), bilinear_kernel(k))
print("one row of k = 4:", (bilinear(4)[1] / 0.75).tolist())

upsampling = BilinearUpsampling(3, factor=2, kernel_size=4)  # three classes
print("\nsums of the kernels from class (row) to class (column):")
print(upsampling.weight.detach().sum((2, 3)))

coarse = torch.rand(1, 3, 5, 6)
enlarged = upsampling(coarse)[..., 1:-1, 1:-1]
interpolated = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
inside = (..., slice(1, -1), slice(1, -1))
assert torch.allclose(enlarged[inside], interpolated[inside], atol=1e-6)
constant = upsampling(torch.ones(1, 3, 5, 6))[0, 0, 5]
print("\na constant 1, enlarged, one row:", constant.tolist())

# %% [markdown]
# Two things to see. The kernels connect each class with itself **only**: the matrix of sums is diagonal. And a constant
# stays a constant, but not at the border, where fewer kernels overlap. FCN crops the border away.
#
# Does the upsampling learn after that? In the paper all but the last do; in the authors' code none does, and they saw
# no significant difference. `models.create("fcn8s_vgg16", learn_upsampling="none" | "inner" | "all")` leaves it to
# you.
#
# **Predict, then run.** A port fills *all* class pairs with the bilinear kernel instead of the diagonal. What does the
# label map look like?

# %%
scores = torch.randn(1, 21, 8, 8, generator=torch.Generator().manual_seed(0))
everywhere = bilinear(4).expand(21, 21, 4, 4)
diagonal = BilinearUpsampling(21, 2, 4).weight
for words, weight in (("diagonal", diagonal), ("all pairs", everywhere)):
    logits = F.conv_transpose2d(scores, weight, stride=2)
    spread = (logits.amax(1) - logits.amin(1)).mean().item()
    print(f"{words:9}: {len(logits.argmax(1).unique()):2} classes in the label map; largest - smallest {spread:.2f}")

# %% [markdown]
# With all pairs each class gets the sum over all classes: they are equal, and which one wins is a matter of rounding.
#
# ## Checkerboards
#
# Let every kernel be all ones and the input constant: then the output counts how many kernels reach a pixel. If the
# stride does not divide the kernel's side, that differs from pixel to pixel, in a checkerboard (Odena, Dumoulin and
# Olah, [2016](https://distill.pub/2016/deconv-checkerboard/)). The last column of the card above has measured it.
#
# But it is not the whole story. With *random* weights, an even reach is not enough, as different weights reach
# neighboring pixels. What must be equal are the **sums of weights** that reach each kind of pixel. The bilinear
# kernel has equal sums even with $k = 3$ and stride 2. And does training remove the pattern? Two transposed
# convolutions learn to enlarge pictures four times, from random weights, with $k = 3$ and $k = 4$; beside them, the
# remedy of Odena et al.: enlarge by interpolation, then convolve.


# %%
def enlarger(kind, seed):
    """16 channels, twice enlarged by 2: "k = 3", "k = 4" or "resize"."""
    torch.manual_seed(seed)

    def double(channels):
        if kind == "resize":
            larger = nn.Upsample(scale_factor=2, mode="nearest")
            return nn.Sequential(larger, nn.Conv2d(16, channels, 3, padding=1))
        k = int(kind[-1])
        return nn.ConvTranspose2d(16, channels, k, stride=2, padding=1, output_padding=k % 2)

    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), double(16), nn.ReLU(), double(3))


def flat(network):
    """What becomes of a constant gray, away from the borders; a good network gives a constant."""
    with torch.no_grad():
        return network(torch.full((1, 3, 20, 20), 0.6))[0, 0, 24:-24, 24:-24]


large_parts = train_pictures.images[..., :64, :64].float() / 255
outputs, unevenness = {}, {}
for kind in ("k = 3", "k = 4", "resize"):
    for seed in range(3):
        network = enlarger(kind, seed)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        outputs.setdefault((kind, "random"), flat(network))
        unevenness.setdefault((kind, "random"), []).append(flat(network).std().item())
        for _ in range(150):
            batch = large_parts[torch.randint(len(large_parts), (8,))]
            loss = F.mse_loss(network(F.avg_pool2d(batch, 4)), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        outputs.setdefault((kind, "trained"), flat(network))
        unevenness.setdefault((kind, "trained"), []).append(flat(network).std().item())

# %% [markdown]
# The first row shows the reach of all-ones kernels. The other two show what the networks make of a constant gray: the
# deviation from its mean, blue below and orange above, on a scale of its own for each row.

# %% alt="Three by three panels. All-ones kernels: a checkerboard for kernel 3, none for kernel 4 and resizing. Random weights: strong patterns for both kernels, none for resizing. After training: weak patterns for both kernels, none for resizing."
figure, axes = plt.subplots(3, 3, figsize=(8, 7.6), layout="constrained")
for column, kind in enumerate(("k = 3", "k = 4", "resize")):
    if kind == "resize":
        reach = torch.ones(32, 32)
    else:
        k = int(kind[-1])
        reach = F.conv_transpose2d(torch.ones(1, 1, 20, 20), torch.ones(1, 1, k, k), stride=2)[0, 0, 4:36, 4:36]
    shown = {"all ones": reach, "random": outputs[kind, "random"], "trained": outputs[kind, "trained"]}
    for row, (words, pattern) in enumerate(shown.items()):
        pattern = pattern[:16, :16] - pattern.mean()
        limit = {"all ones": 2.0, "random": 0.1, "trained": 0.03}[words]
        axes[row, column].imshow(pattern, cmap="PuOr_r", vmin=-limit, vmax=limit)
        text = f"{words}, {kind}"
        if words != "all ones":
            text += f"\nstd {np.mean(unevenness[kind, words]):.4f} (3 seeds)"
        axes[row, column].set_title(text)
        axes[row, column].set_xticks([])
        axes[row, column].set_yticks([])
plt.show()

# %% [markdown]
# With random weights a kernel of 4 is hardly better than one of 3: an even reach is not enough. Training makes both
# patterns weaker, and the scale of the last row is three times finer, but neither is gone. Only enlarging by
# interpolation cannot have one, since every output pixel is made with the same weights. FCN's bilinear start has equal
# sums as well; if the upsampling learns, it can lose them.
#
# ## Skips
#
# The scores of the deepest map know *what*, on a grid of 32 pixels. Maps of earlier layers know *where*, on grids of 16
# and 8, but each of their places has seen less of the picture. FCN scores them, too, with a 1 × 1 convolution each, and
# adds:
#
# $$ s_{16} = \mathrm{up}_2(s_{32}) + W_4\, \mathrm{pool4}, \qquad
#    s_8 = \mathrm{up}_2(s_{16}) + W_3\, \mathrm{pool3}, \qquad \text{logits} = \mathrm{up}_8(s_8). $$
#
# This is FCN-8s, drawn from the real network with a picture of 500 × 500.

# %% alt="Architecture of FCN-8s on VGG16: above, the picture, pool1 to pool5, fc6, fc7 and score; below, in two steps, the enlarged scores are added to those of pool4 and pool3, cropped where sizes differ; at last enlarged by 8 and cropped to 500 by 500."
plotting.show_architecture(plotting.trace_shapes(fcn8s, (500, 500)), plotting.fcn_layout(fcn8s))
plt.show()

# %% [markdown]
# The forward pass is as short as the formula. This is the package's, with the names of the paper; run on a network
# with numbers in it, it gives what the package gives.

# %%
from segtutor.models.upsampling import add_where_they_overlap


def forward(model, images):
    H, W = images.shape[-2:]
    maps = model.backbone(images)
    scores = model.classifier(maps["pool5"])
    for name in ("pool4", "pool3"):
        scores = add_where_they_overlap(model.upscore[name](scores), model.score[name](maps[name]), model.offsets[name])
    crop = model.offsets["image"]
    return model.upscore["image"](scores)[..., crop : crop + H, crop : crop + W]


torch.manual_seed(0)
trial = models.create("fcn8s_tiny", num_classes=33).eval()
for layer in (trial.classifier[-1], *trial.score.values()):
    nn.init.normal_(layer.weight)  # they begin at zero, which would prove nothing
with torch.no_grad():
    assert torch.equal(forward(trial, scene), trial(scene)["out"])
print("the same logits:", tuple(trial(scene)["out"].shape))

# %% [markdown]
# ### Where do 5, 9 and 31 come from?
#
# Ports copy the crop offsets of the authors' files, and many copy them wrongly. They need not be copied: follow where
# pixel 0 of each map lies in the picture. A layer with kernel $k$, stride $s$ and padding $p$ takes a map whose pixel 0
# lies at $a$, with $d$ picture pixels from one to the next, to
#
# $$ a' = a + d\Big(\frac{k-1}{2} - p\Big), \qquad d' = d\,s; \qquad
#    \text{transposed:}\quad d' = \frac{d}{s}, \quad a' = a - d'\,\frac{k-1}{2}. $$

# %%
grid, grids = Grid(), {}
for group, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
    for number in range(convolutions):
        grid = grid.convolution(3, padding=100 if group == 1 and number == 0 else 1)
    grid = grids[f"pool{group}"] = grid.convolution(2, stride=2)
scores = grid.convolution(7)  # fc6, no padding
print(f"scores: every {scores.stride:.0f} pixels, the first at {scores.start}")
offsets = {"32s, picture": -Grid().offset_of(scores.transposed(64, 32))}
for name, kernel, title in (("pool4", 32, "16s"), ("pool3", 16, "8s")):
    enlarged = scores.transposed(4, 2)
    offsets[f"{title}, {name}"] = grids[name].offset_of(enlarged)
    scores = enlarged  # cropping the finer map to it leaves its pixel 0 where it is
    offsets[f"{title}, picture"] = -Grid().offset_of(scores.transposed(kernel, kernel // 2))
print(offsets)
assert fcn32s.offsets == {"image": offsets["32s, picture"]}
assert fcn8s.offsets == {"pool4": 5, "pool3": 9, "image": offsets["8s, picture"]}

# %% [markdown]
# An offset that is off by one moves every prediction by 8 pixels (pool3) or 16 (pool4), and no error is raised.
#
# ## Training, stage by stage
#
# The authors train FCN-32s first; FCN-16s starts where it ended, FCN-8s where that ended. The score layer of a new
# skip begins at **zero**, so that a new skip changes nothing at first (§4.2 and §4.3). `initialize_from` does it:

# %%
from segtutor.models.fcn import initialize_from

torch.manual_seed(0)
small32 = models.create("fcn32s_tiny", num_classes=33, weights="backbone").eval()
nn.init.normal_(small32.classifier[-1].weight, std=0.1)
small16 = models.create("fcn16s_tiny", num_classes=33).eval()
copied = initialize_from(small16, small32)
with torch.no_grad():
    before, after = small32(scene)["out"], small16(scene)["out"]
print(len(copied), "arrays copied; logits differ by at most", f"{(before - after).abs().max():.3f},")
print(f"the largest logit is {before.abs().max():.2f}")

# %% [markdown]
# Enlarging by 2 and then by 16 is the same as enlarging by 32, where the pixels of all maps lie on pixels of the
# picture, as in the small network. With the even kernels of VGG16 it comes out somewhat smoother. Now the three
# stages for real, on 200 scenes, from the course's pretrained backbone: 60 steps, 60 and 100 (the paper's network had
# 100,000 for each stage). This takes half a minute to a minute.
#
# **Predict, then run.** Which will gain more from stage to stage: the pixels near a boundary or those inside of
# regions?

# %%
from segtutor.claims.training import score as scores_of

weights = training.balanced_class_weights(train_pictures)
stages, measured = {}, {}
coarser = None
for name, steps in (("fcn32s_tiny", 60), ("fcn16s_tiny", 60), ("fcn8s_tiny", 100)):
    torch.manual_seed(0)
    model = models.create(name, num_classes=33, weights="backbone")
    if coarser is not None:
        initialize_from(model, coarser)
    config = training.TrainingConfig(
        steps=steps, batch_size=8, learning_rate=2e-3, warmup_steps=5, weight_decay=0.01, class_weights=weights,
        precision="bfloat16", device="cpu", progress=False,
    )  # fmt: skip
    training.fit(model, train_pictures, None, config)
    title = f"FCN-{name[3:].removesuffix('_tiny')}"
    stages[title], measured[title] = model.eval(), scores_of(model, val_pictures)
    coarser = model

print("on 40 scenes     mean IoU   within 2 px of a change   elsewhere   thin things")
for title, one in measured.items():
    columns = [f"{100 * one[key]:.1f} %" for key in ("mean_iou", "band_iou", "inner_iou", "thin")]
    print(f"{title:14} {columns[0]:>10} {columns[1]:>25} {columns[2]:>11} {columns[3]:>13}")

# %% [markdown]
# Everything gains. In points the inside of regions gains most, in proportion the boundaries and above all the thin
# things do: hardly any pixel of them was right with FCN-32s. This is what it looks like:

# %% alt="Two validation scenes with the label maps of the three stages and the truth. FCN-32s shows only large regions with smooth borders; 16s adds a blob where a person and a dog are; 8s separates the dog, though its outlines are still rough."
from segtutor.inference import predict

figure, axes = plt.subplots(2, 5, figsize=(12, 4), layout="constrained")
for row, index in zip(axes, (8, 24), strict=True):
    image, target = val_pictures[index]
    row[0].imshow(image.permute(1, 2, 0))
    row[0].set_title("scene")
    for axis, (title, model) in zip(row[1:4], stages.items(), strict=True):
        axis.imshow(colorize(predict(model, image), SCENES), interpolation="nearest")
        axis.set_title(title)
    row[4].imshow(colorize(target, SCENES), interpolation="nearest")
    row[4].set_title("truth")
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ### What each skip adds
#
# Everything behind the score layers is linear: enlarge, crop, add. So the logits of FCN-8s are a sum of three maps, one
# from each depth, and we can look at each of them alone: set the other score layers to zero.

# %% alt="Above: scene, label map from the deepest scores alone, with pool4 added, with pool3 added, truth. Below, for one class: what pool5, pool4 and pool3 add to its logit, and their sum; the deep part is positive over the whole lower half, pool4 is negative nearly everywhere but around person and dog, pool3 is small, and the sum is positive at person and dog."
final, (image, target) = stages["FCN-8s"], val_pictures[24]
places = {"pool5": final.classifier[-1], **final.score}


@torch.no_grad()
def part(*kept):
    """Logits, with only these score layers left."""
    network = copy.deepcopy(final)
    for name, layer in {"pool5": network.classifier[-1], **network.score}.items():
        if name not in kept:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network(prepare(image)[None])["out"][0]


alone = {name: part(name) for name in places}
total = part(*places)
assert torch.allclose(sum(alone.values()), total, atol=1e-3)
steps = {"pool5 alone": alone["pool5"], "+ pool4": alone["pool5"] + alone["pool4"], "+ pool3": total}
number = SCENES.index("person")
figure, axes = plt.subplots(2, 5, figsize=(12, 4), layout="constrained")
axes[0, 0].imshow(image.permute(1, 2, 0))
axes[0, 0].set_title("scene")
axes[0, 4].imshow(colorize(target, SCENES), interpolation="nearest")
axes[0, 4].set_title("truth")
for axis, (title, logits) in zip(axes[0, 1:4], steps.items(), strict=True):
    right = (logits.argmax(0) == target)[target != 255].float().mean()
    axis.imshow(colorize(logits.argmax(0), SCENES), interpolation="nearest")
    axis.set_title(f"{title}: {right:.0%} right")
for axis, (title, logits) in zip(axes[1, 1:], {**alone, "sum": total}.items(), strict=True):
    drawn = axis.imshow(logits[number], cmap="PuOr_r", vmin=-5, vmax=5)
    axis.set_title(f"{SCENES.names[number]}, {title}")
figure.colorbar(drawn, ax=axes[1, 4], label="logit")
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# The deepest scores know that a person is likely on the ground, and little more. pool4 takes that back wherever nothing
# is to be seen, and pool3 adds at the person, but also at the dog: training was short. Note the sizes: the finer the map,
# the less it adds. The finer maps correct; they do not decide.
#
# ### The claim, measured
#
# Training by stages mixes two causes: each stage has a new skip *and* was trained for longer. The claim card separates
# them. All three networks learn from a random start, for the same number of steps, on the same 2,000 scenes in the same
# order; only the skips differ.

# %%
card("fcn.skips")

# %% [markdown]
# Each dot is a seed, each bar a mean.

# %% alt="Dots of three seeds for FCN-32s, 16s and 8s in three panels: overall mean IoU, mean IoU within two pixels of a label change, and share of thin pixels that are right. In all three the networks with more skips are clearly better."
show("fcn.skips", keys=["mean_iou", "band_iou", "thin"])
plt.show()

# %% [markdown]
# All four expectations hold with every seed. Near label changes the score doubles, and the share of thin pixels that
# are right is more than three times as large. So far the sentence shows, and much more clearly than in the paper: the
# whole step from 32s to 8s is 22 points here, 3.3 points there. One reason is the picture: a cell of 32 pixels is a
# third of the height of our scenes, but a tenth or less of a VOC picture. The other is the start: a deep path that
# begins with random weights learns slowly, and a skip is also a short way for the gradient.
#
# And *above all finer*? In proportion, yes: the score near changes grows by a factor of 2.1, elsewhere by 1.8. In
# points, no: elsewhere gains 27, the boundaries 19. At this size the skips repair whole things, and not their
# outlines only.
#
# You can run it yourself: `segtutor reproduce fcn.skips --short` on the command line takes a minute or two.
#
# ## Pixel-wise loss
#
# Every pixel is a classification of its own. With logits $z_{pk}$ and labels $y_p$, over the set $V$ of pixels that are
# not void,
#
# $$ L = -\frac{1}{|V|} \sum_{p \in V} \log \frac{e^{z_{p y_p}}}{\sum_k e^{z_{pk}}}. $$
#
# **Predict, then run.** Three classes, all logits 0, four pixels of which three are void. What is the loss? What is it
# if the sum is divided by *all* pixels? And what if all four are void?

# %%
from segtutor.training.losses import cross_entropy

logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
labels = torch.tensor([[[1, 255], [255, 255]]])


def by_hand(logits, labels):
    valid = labels != 255
    log_probability = logits.log_softmax(1).movedim(1, -1)[valid]  # N x K
    return -log_probability[torch.arange(len(log_probability)), labels[valid]].mean()


assert torch.isclose(by_hand(logits, labels), cross_entropy(logits, labels))
per_pixel = F.cross_entropy(logits, labels, ignore_index=255, reduction="none")
print(f"over the valid pixel {cross_entropy(logits, labels):.4f} = ln 3; over all four {per_pixel.mean():.4f}")

void = torch.full_like(labels, 255)
print("all void: PyTorch", F.cross_entropy(logits, void, ignore_index=255).item(), end="; ")
loss = cross_entropy(logits, void)
loss.backward()
print("ours", loss.item(), "with a gradient of", logits.grad.abs().max().item())
try:
    cross_entropy(torch.zeros(1, 21, 2, 2), torch.full((1, 2, 2), 24))
except ValueError as error:
    print("label 24 of 21 classes:", error)

# %% [markdown]
# One NaN is enough to ruin all weights. A batch of small crops, all void, does come.
#
# **Mean or sum?** The authors' Caffe code *sums* over the pixels of a picture and learns from one picture at a time
# with a learning rate of $10^{-10}$ (32s), $10^{-12}$ (16s) and $10^{-14}$ (8s), and a momentum of 0.99. A sum over a
# picture of 500 × 500 is 250,000 times the mean; a mean with the same rate would not learn at all. The CVPR text has
# another recipe: 20 pictures at a time, momentum 0.9, rate $10^{-4}$. Do not mix them.
#
# **Whole pictures or patches?** Training on a whole picture is training on all its patches at once. Picking some of the
# patches at random is the same as leaving out pixels of the loss at random (§3.4). The paper found no clear effect on
# convergence, and more time per step (§4.3).
#
# ## All layers, and a good start
#
# Two more sentences of the paper, each with a card. First: is it necessary to train the backbone as well?

# %%
card("fcn.end_to_end")

# %% [markdown]
# It shows, with every seed. The frozen network keeps 84 % of the full score. The paper says 70 % (its Table 2 has
# 45.4 % against 59.4 %), but there only the very last layer learned; here fc6 and fc7 learn as well.
#
# Second: is the pretrained backbone worth anything? The paper calls training from scratch not feasible.

# %%
card("fcn.pretraining")

# %% [markdown]
# The pretrained start is better with every seed, by 7.8 points. The random one is not hopeless: drawn scenes are
# simple, and batch norm, which VGG16 did not have, makes a random start trainable. Note the conditions: the backbone
# has seen 6,000 scenes of the same kind as those of the task, with yes and no for each class; ImageNet is further
# away from VOC. Whether the gap closes with longer training, this experiment does not say.
#
# ## Published results
#
# The tutorial from which this course grew says: *62.2 % mean IoU on PASCAL VOC 2012*. That is right, of one network on
# one set. "FCN has 62 %" can mean many things:
#
# | network | mean IoU | on | trained, source |
# |---|---|---|---|
# | FCN-32s, only the last layer learns | 45.4 % | VOC 2011 val, 736 pictures | CVPR 2015, Table 2 |
# | FCN-32s | 59.4 % | the same | CVPR 2015, Table 2 |
# | FCN-16s | 62.4 % | the same | CVPR 2015, Table 2 |
# | FCN-8s | 62.7 % | the same | CVPR 2015, Table 2 |
# | FCN-8s | **62.2 %** | VOC 2012 **test** | CVPR 2015, abstract |
# | FCN-32s / 16s / 8s, trained longer ("heavy") | 63.6 / 65.0 / 65.5 % | VOC 2011 val, 736 pictures | the authors' released weights |
# | FCN-8s, trained longer | **67.2 %** | VOC 2012 test | PAMI text |
# | FCN-8s | 37.8 % | PASCAL-Context, 59 classes | as quoted in DeepLabV2, Table 6 |
# | FCN-8s | 65.3 % | Cityscapes | as quoted in DeepLabV2, Table 8 |
# | `fcn_resnet50` / `101` of torchvision | 60.5 / 63.7 % | COCO val 2017, VOC's classes | torchvision; **another network** |
#
# All of them start from ImageNet. The 736 pictures are those of VOC 2011 val that are not in SBD's training set: SBD
# has labels for most of VOC val, and a network that has trained on them must not be scored on them. The last row is a
# dilated ResNet with a small head and no skips at all.
#
# ## Why the code differs from the paper
#
# Four sources, four networks. Each row is held against the code by the tests.

# %%
from segtutor.models.differences import as_markdown
from segtutor.models.fcn import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# The number of parameters tells ports apart. Without the fixed upsampling it should be the paper's 134 million:

# %%
for stride in (32, 16, 8):
    with torch.device("meta"):
        network = models.create(f"fcn{stride}s_vgg16", num_classes=21)
    everything = sum(p.numel() for p in network.parameters())
    learned = sum(p.numel() for p in network.parameters() if p.requires_grad)
    print(f"FCN-{stride}s: {everything:,} with upsampling, {learned:,} that learn")

# %% [markdown]
# ## Bad input
#
# A network that is fed nonsense should say so in a sentence that tells you what to do.

# %%
network = models.create("fcn8s_tiny", num_classes=33)
bad = {
    "too small": torch.rand(1, 3, 20, 40),
    "four channels": torch.rand(1, 4, 96, 128),
    "channels last": torch.rand(1, 96, 128, 3),
    "bytes": torch.zeros(1, 3, 96, 128, dtype=torch.uint8),
    "no batch dimension": torch.rand(3, 96, 128),
}
for words, images in bad.items():
    try:
        network(images)
    except ValueError as error:
        print(f"{words}: {error}")
network.train()
print("one picture, in training:", tuple(network(torch.rand(1, 3, 96, 128))["out"].shape), "is fine")

# %% [markdown]
# A batch of one is fine here: FCN has no layer that pools a picture to one value. PSPNet and DeepLabV3 have, and refuse
# it ([lesson 4](04_pspnet.ipynb)).
#
# ## Published weights
#
# Not run here, as it needs files of half a gigabyte. The backbone of ImageNet (fc6 and fc7 are reshaped on loading,
# as above):
#
# ```python
# model = models.create("fcn8s_vgg16", num_classes=21, weights="imagenet")
# ```
#
# A PyTorch copy of the authors' Caffe weights, whose arrays are called `conv1_1`, ..., `fc6`, `score_fr`, `upscore2`:
#
# ```python
# model = models.create("fcn8s_vgg16", num_classes=21)
# print(models.load_weights(model, "fcn8s_from_caffe.pth", layout="caffe_fcn"))
# ```
#
# The loader renames them, exchanges blue and red in the first convolution (Caffe reads BGR) and sets
# `model.preprocessing` to the 0-255 values minus their mean, so that you feed RGB as always. torchvision's network of
# the same name, which is another: `models.create("fcn_resnet50", weights="torchvision")`.
#
# ## Pitfalls
#
# - **The mean over void pixels, too.** The loss is too small, most so where labels are scarce
#   ([mmsegmentation#886](https://github.com/open-mmlab/mmsegmentation/issues/886)).
# - **A batch without a label is 0/0**
#   ([mmsegmentation#1388](https://github.com/open-mmlab/mmsegmentation/issues/1388)).
# - **Pooling rounded down, or a copied crop offset.** As measured above: 459 of 1199 sizes fail, or everything is
#   shifted. The authors' own
#   [net.py and surgery.py](https://github.com/shelhamer/fcn.berkeleyvision.org) have the right ones.
# - **The bilinear kernel for all class pairs.** The label map is noise. Only the diagonal.
# - **Upsampling that is fixed, but in the optimizer.** Its gradient is off, but weight decay shrinks it all the same.
#   Here it has `requires_grad=False`.
# - **`align_corners` mixed within a network.** It shifts the prediction by a fraction of a cell
#   ([vision#1708](https://github.com/pytorch/vision/issues/1708)).
# - **Enlarged by a factor instead of to a size.** For sides that are no multiple of 32 the output has another size than
#   the input; crop, or give the size.
# - **Padding the label with 0.** Where a crop is larger than the picture, the network learns background
#   ([pytorch-deeplab-xception#50](https://github.com/jfzhang95/pytorch-deeplab-xception/issues/50)).
# - **A Caffe learning rate for ImageNet weights of torchvision.** Other input range, other loss, other rate.
# - **Features-only VGG weights.** `VGG16_Weights.IMAGENET1K_FEATURES` holds NaN in the classifier, which would become
#   fc6 and fc7. Our loader refuses it.
# - **32s, 16s and 8s compared while sharing layers that were trained in turn**, as in a
#   [well-known Keras example](https://keras.io/examples/vision/fully_convolutional_network/): then the comparison
#   also measures who came last.
#
# ## Summary
#
# - A fully connected layer is a convolution as large as its input. A classifier so rewritten takes any size and answers
#   everywhere, for a fraction of the cost of patches.
# - A transposed convolution multiplies with $C^\top$: stuffed zeros, scatter and matrix give the same numbers.
#   $H = s(h-1) + k - 2p$. It undoes nothing.
# - Start upsampling bilinear, on the diagonal; equal sums of weights at all pixels prevent checkerboards.
# - Skips add the scores of finer maps. They must be cropped so that pixels lie on each other, and begin at zero.
# - The loss is cross entropy per pixel, over the pixels that are not void, and 0 if there are none.
# - Name network, data and training when you quote a result.
#
# In [assignment 3](assignments/03_fcn.ipynb) you write the parts of FCN yourself. [Lesson 4](04_pspnet.ipynb)
# goes the other way: do not lose the resolution in the first place.
#
# ## Self-test
#
# 1. A classifier ends in a 512 × 7 × 7 map, then `Linear(25088, 4096)`, then `Linear(4096, 1000)`. Give the two
#    kernels. What is the size of the output for a map of 20 × 30?
# 2. Input 3 × 3, kernel 4, stride 2, padding 1. How large is the output of the transposed convolution?
# 3. Kernel 5, stride 2: is the reach even? Can the output of a constant be a constant all the same?
# 4. Why do the score layers of the skips begin at zero, and why can the deepest not have zero in *all* of its layers?
# 5. You move from a loss that sums over pixels to one that averages. What happens to the learning rate?
#
# <details><summary>Answers</summary>
#
# 1. 4096 × 512 × 7 × 7 and 1000 × 4096 × 1 × 1. The first leaves 14 × 24, the second keeps it: 1000 × 14 × 24.
# 2. $2 \cdot 2 + 4 - 2 = 6$: 6 × 6, twice the input. Kernel 4, stride 2, padding 1 always doubles.
# 3. No: along a line, 3 kernels reach every other pixel and 2 the rest. Yes, if the sums of the weights are equal:
#    $w_0 + w_2 + w_4 = w_1 + w_3$.
# 4. A new skip then changes nothing, and training goes on from where the coarser network ended. A single zero layer
#    gets a gradient, since its input is not zero; two zero layers in a row get none, ever.
# 5. The gradient is smaller by the number of valid pixels; so the rate must be larger by that factor.
#
# </details>
#
# ## Reading and videos
#
# - [Long, Shelhamer and Darrell 2015](https://arxiv.org/abs/1411.4038). §3.1 and §3.3 are this lesson; read §3.2
#   (shift-and-stitch) with lesson 4 in mind: it leads to dilation. Table 2 and Figure 4 are the claim.
# - [The longer version, PAMI](https://arxiv.org/abs/1605.06211): what "heavy" training is, and how much the
#   network uses of an object and of what surrounds it.
# - [Dumoulin and Visin, *A guide to convolution arithmetic*](https://arxiv.org/abs/1603.07285): chapter 4, animations
#   of every case of size, stride and padding.
# - [Odena, Dumoulin and Olah, *Deconvolution and checkerboard
#   artifacts*](https://distill.pub/2016/deconv-checkerboard/): move the sliders for kernel and stride.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo), the first
#   half hour. Look for: why patches are wasteful; unpooling beside transposed convolution; the 1D example as a matrix.
#   The video does not replace the lesson.
#
# The example of 2 × 2 and 5 × 5 and the order of the subjects are those of the tutorial by Tal Daniel, see the
# credits in [lesson 7](07_worked_example.ipynb).
