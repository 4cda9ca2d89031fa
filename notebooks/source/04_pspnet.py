# ---
# title: "PSPNet: dilation and the whole scene"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 3](03_fcn.ipynb)", convolution and batch norm in PyTorch]
# minutes_work: 70
# ---

# %% [markdown]
# Look at a single pixel and at a few around it, and you often cannot say what it is. The first example of this lesson's
# paper is a boat that a network takes for a car: it has the shape of a car, and the network did not see that it lies on
# water. People look at the whole scene. In 2016 Zhao, Shi, Qi, Wang and Jia made a network do the same: **PSPNet**, the
# Pyramid Scene Parsing Network. Its [backbone](glossary.ipynb#backbone) is a pretrained ResNet, whose map it keeps fine by
# *dilation*, and then it hands every pixel the averages of that map over large regions, up to the whole picture. This second step is
# [pyramid pooling](glossary.ipynb#pyramid-pooling).
#
# ## Objectives
#
# After this lesson you can
#
# - **read** the drawing of a ResNet, with its stages, blocks, shortcuts and [strides](glossary.ipynb#stride);
# - **say** which pixels a [dilated convolution](glossary.ipynb#dilated-convolution) reads, when a stack of them leaves
#   holes, and **trade** stride for dilation without touching a weight;
# - **tell** how far a network can see from how far it does see;
# - **build** the pyramid pooling module, and say which of its bins does what;
# - **judge** what the pyramid and the [auxiliary loss](glossary.ipynb#auxiliary-loss) bring, with a control that can prove
#   you wrong.
#
# ## The claim
#
# > Averages over large regions tell each pixel what the whole scene holds, so that things which look alike are told apart
# > by where they are.
#
# The paper measures it by the [intersection over union](glossary.ipynb#intersection-over-union) of every class and their
# mean, the [mean IoU](glossary.ipynb#mean-IoU). On ADE20K val it rises from 37.23 % to 41.68 % with pyramid pooling
# ([Zhao et al. 2017](https://arxiv.org/abs/1612.01105), §3.1, §3.2 and Table 1). We measure it on things that *only* the
# scene tells apart, and we need a control, because the pyramid also adds weights.

# %% fold="Import what the lesson needs"
import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from segtutor import models, plotting
from segtutor.claims.showing import card, show, show_curves
from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.plotting import colorize

plotting.use_course_style()
prepare = models.Preprocessing().normalize


def without_frames(axes):
    for axis in axes:
        axis.set_axis_off()


# %% [markdown]
# ## A riddle
#
# The scenes of this course hold bollards. In a harbor they are *mooring bollards*, in a street *street bollards*: two
# classes. But the generator draws both alike, and it draws everything around them alike, too, up to three tenths of the
# picture's height.
#
# Below are two pictures, A and B. One is a street and one a harbor, and of each you see only a window around one bollard.
# The slider widens the window.
#
# **Predict, then run.** Leave the slider at its left end. Which of the two is the harbor? Then move it: how far must you
# look to be sure?

# %% fold="Show two pictures through a window that can be widened"
pair = [
    Scenes("train", (360, 480), 60, kinds=(kind,), context=4.0, context_distance=0.3) for kind in ("street", "harbor")
]
street, harbor = (one.scene(5).image for one in pair)
boxes = [item.box for item in pair[0].scene(5).instances if item.label == SCENES.index("street bollard")]
x0, y0, x1, y1 = min(boxes, key=lambda box: abs(box[0] + box[2] - 420))  # the red one
row, column = (y0 + y1) // 2, (x0 + x1) // 2
far = (48, 72, 96, 120, 144, 168, 192, 480)
plotting.movable_window({"picture A": street, "picture B": harbor}, (row, column), far, "the bollard's middle")

# %% [markdown]
# <details><summary>Answer</summary>
#
# From the small windows nobody can tell. A is the street and B the harbor, but only what is above the pavement says so,
# and the window must reach there first.
#
# </details>
#
# The next cell asks the pixels how far that is.

# %%
differs = (street != harbor).any(axis=2)
rows, columns = differs.nonzero()
nearest = np.maximum(abs(rows - row), abs(columns - column)).min()
print(f"{differs.mean():.0%} of all pixels differ; "
      f"the nearest is {nearest} pixels from the middle of the bollard")  # fmt: skip

# %% [markdown]
# A network that sees less than this cannot tell the two apart, however well it is trained. So two questions come before
# pyramid pooling. How far does a network see? And how can it see far without losing its fine map? To answer them we
# need the network that PSPNet stands on.
#
# ## ResNet, the backbone
#
# A convolutional network gets better with more layers, up to a point. Beyond it, He, Zhang, Ren and Sun found in 2015, a
# plain stack of 56 layers has a higher error than one of 20, even on the pictures that it was *trained* on. The deeper
# network could do no worse, if only its additional layers learned to pass on what they get; but that is hard to learn.
# So they made passing on the default. In a [residual block](glossary.ipynb#residual-block) the layers compute only a
# *correction* to their input, which reaches the end of the block by a *shortcut*:
#
# $$ y = \mathrm{ReLU}\big(x + F(x)\big). $$
#
# If the block has nothing to add, $F$ can be zero. And in the backward pass the gradient gets past the block without
# being multiplied by any weight. In the figure, ResNet-50 is above, for a picture of 473 × 473 pixels, and one of its
# blocks below.

# %% alt="Above: ResNet-50 as a row of slabs: picture 3 by 473 by 473, stem of stride 4 with 64 channels of 119 by 119, stage 1 with 3 blocks, stride 4 and 256 channels, stage 2 with 4 blocks, stride 8 and 512 channels of 60 by 60, stage 3 with 6 blocks, stride 16 and 1024 channels of 30 by 30, stage 4 with 3 blocks, stride 32 and 2048 channels of 15 by 15. Below: a block: x of 256 channels goes through a 1 by 1 convolution to 64 channels, a 3 by 3 convolution, a 1 by 1 convolution back to 256, and is added to x itself, which comes along an orange line called shortcut; a ReLU follows." fold="Draw ResNet-50 and one of its blocks"
figure = plt.figure(figsize=(9, 4.1), layout="none")
above, below = figure.add_axes((0, 0.44, 1, 0.56)), figure.add_axes((0, 0, 1, 0.42))
with torch.device("meta"):  # shapes without numbers: no memory, no time
    classifier = torchvision.models.resnet50().eval()
shapes = plotting.trace_shapes(classifier, (473, 473))
plotting.show_architecture(shapes, plotting.resnet_layout(classifier), ax=above)
plotting.show_residual_block(ax=below)
plt.show()

# %% [markdown]
# The network begins with a *stem*, a 7 × 7 convolution and a pooling, each of stride 2. Then sixteen blocks follow in four
# *stages*. Within a stage all maps have the same size. The first block of stages 2, 3 and 4 has a stride of 2: it halves
# the height and width and doubles the channels. Its input can then not be added to its output as it is, so its shortcut
# gets a 1 × 1 convolution of the same stride. A last term: the stride of the final map, here 32, is the network's
# [output stride](glossary.ipynb#output-stride).
#
# Written out, a block is five lines. We hold them against two blocks of torchvision's ResNet-50: the second of stage 1,
# which keeps the size, and the first of stage 2, which halves it.


# %%
def block_by_hand(block, x):
    y = F.relu(block.bn1(block.conv1(x)))  # 1 x 1, to few channels
    y = F.relu(block.bn2(block.conv2(y)))  # 3 x 3, with the stride if there is one
    y = block.bn3(block.conv3(y))  # 1 x 1, to many channels again
    shortcut = x if block.downsample is None else block.downsample(x)
    return F.relu(y + shortcut)


torch.manual_seed(0)
resnet, x = torchvision.models.resnet50().eval(), torch.randn(1, 256, 15, 17)
with torch.no_grad():
    for block in (resnet.layer1[1], resnet.layer2[0]):
        assert torch.allclose(block_by_hand(block, x), block(x))
        print(tuple(x.shape), "->", tuple(block(x).shape))

# %% [markdown]
# Both agree with torchvision. The block has a narrow waist, the *bottleneck*: its only 3 × 3 convolution works on few
# channels, because a 1 × 1 convolution in front has reduced them. PSPNet will use the same trick, so we look at it
# closely.
#
# ### The 1 × 1 convolution
#
# You have met it in lesson 3, as the linear layer of a classifier that is applied everywhere. A 1 × 1 convolution reads
# one place and no neighbors. It takes the $C$ numbers that stand there, one per channel, and multiplies them by a matrix
# of $K \times C$ weights, the *same* matrix at every place:
#
# $$ y_p = W x_p + b. $$

# %% alt="A matrix of 3 rows and 6 columns of numbers, times a column of 6 numbers, the channels at one place, equals a column of 3 numbers" fold="Draw what happens at one place"
generator = np.random.default_rng(2)
W, channels = generator.integers(-2, 3, (3, 6)), generator.integers(0, 5, (6, 1))
figure, axis = plt.subplots(figsize=(6.4, 3))
panels = {"W, the same everywhere": W, "6 channels\nof a place": channels, "3 channels\nof that place": W @ channels}
for left, (title, array), sign in zip((0, 7.4, 9.8), panels.items(), ("×", "=", ""), strict=True):
    top = 3 - len(array) / 2
    axis.text(left + array.shape[1] / 2, top - 0.2, title, ha="center", va="bottom")
    axis.text(left + array.shape[1] + 0.7, 3, sign, ha="center", va="center", fontsize=16)
    for (i, j), number in np.ndenumerate(array):
        axis.add_patch(plt.Rectangle((left + j, top + i), 1, 1, facecolor="#DCEEFB", edgecolor="#0072B2"))
        axis.text(left + j + 0.5, top + i + 0.55, f"{number}".replace("-", "−"), ha="center", va="center", fontsize=11)
axis.set(xlim=(-0.2, 12), ylim=(6.2, -1.4), aspect="equal")
axis.set_axis_off()
plt.show()

# %% [markdown]
# So it mixes channels. It is used most to have fewer of them: the three numbers on the right stand for the six in the
# middle. Therefore it is also called a *projection*, or *channel-wise pooling* ([feature map](glossary.ipynb#feature-map) pooling): as pooling makes a
# map smaller in height and width and keeps what is salient, this makes it thinner, with weights that are learned. How
# much does a bottleneck save, beside a block of two ordinary 3 × 3 convolutions of 256 channels?

# %%
features, reduce = torch.randn(1, 256, 15, 17), nn.Conv2d(256, 64, kernel_size=1)
at_one_place = reduce.weight[:, :, 0, 0] @ features[0, :, 4, 9] + reduce.bias  # 64 x 256 times 256, + 64
assert torch.allclose(at_one_place, reduce(features)[0, :, 4, 9], atol=1e-5)

bottleneck = 256 * 64 + 64 * 64 * 3 * 3 + 64 * 256
plain = 2 * 256 * 256 * 3 * 3
print(f"{bottleneck:,} weights with the bottleneck, {plain:,} without: "
      f"{plain / bottleneck:.0f} times as many")  # fmt: skip

# %% [markdown]
# This is why a network with 50 layers is affordable at all.
#
# ## Dilated convolution
#
# Now to seeing far. A *dilated* (or *atrous*) convolution does not take its inputs side by side
# but $r$ places apart. Along a line, with a kernel of three weights,
#
# $$ y[p] = w_{-1}\, x[p - r] + w_0\, x[p] + w_1\, x[p + r]. $$
#
# The *rate* $r$ is the step from one weight to the next, so between two of them lie $r - 1$ places that are not read. One
# often reads that the rate is "the gap between two neurons": that is one too many. Rate 1 is the ordinary convolution.
#
# **Predict, then run.** The input is 1, 2, 4, 8, 16, 32, 64, and all three weights are 1. What is the output in the
# middle, where the 8 stands, at rate 1, 2 and 3? And how do weights and multiplications change?

# %%
x = torch.tensor([[1.0, 2, 4, 8, 16, 32, 64]])
weights = torch.ones(1, 1, 3)
for rate in (1, 2, 3):
    y = F.conv1d(x, weights, padding=rate, dilation=rate)  # so many zeros at each end keep the length
    print(f"rate {rate}: {y[0, 3]:.0f} in the middle; the whole output {y[0].int().tolist()}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 4 + 8 + 16 = 28, then 2 + 8 + 32 = 42, then 1 + 8 + 64 = 73. There are three weights and three multiplications per
# output at every rate; beyond the ends, zeros are read.
#
# </details>
#
# In two dimensions the nine weights of a 3 × 3 kernel move apart in the same way. Dark are the pixels that are read,
# light the square that they span:

# %% alt="Three grids: the nine pixels that a three by three kernel reads at rates 1, 2 and 4; the square that they span grows from 3 to 5 to 9 pixels" fold="Draw the nine pixels at three rates"
figure, axis = plt.subplots(figsize=(8, 3.1))
plotting.show_dilation(rates=(1, 2, 4), ax=axis)
plt.show()

# %% [markdown]
# With nine weights the kernel spans 3, 5 or 9 pixels, at the same cost. So is a high rate always a good idea? Look at how
# much of the square is white.
#
# ## How far a network sees
#
# ### Can see
#
# The [receptive field](glossary.ipynb#receptive-field) is the square of input pixels that one value of a map *can*
# depend on. Without strides it is easy to count: each 3 × 3 layer reaches $r$ places further to both sides, so the field
# is $1 + 2 (r_1 + r_2 + \dots)$ pixels wide. Behind a stride of 2, every step counts twice. (In assignment 4 you write
# the general rule as a program.)
#
# But does a stack of layers read all pixels of its field? The figure has two 3 × 3 layers, the first with rate 1. Move
# the slider to change the rate of the second. The darker a pixel, the more paths lead to it; white pixels within the
# orange frame are never read.
#
# **Predict, then run.** From which rate on will there be holes?

# %% fold="Draw which pixels two layers read, for several rates of the second"
figures, texts, names = [], [], []
for rate in range(1, 6):
    figure, axis = plt.subplots(figsize=(4, 4.3))
    axis = plotting.show_reach((1, rate), side=15, ax=axis)
    figures.append(figure)
    texts.append(axis.get_title().replace("\n", " ") + ".")
    names.append(f"rate {rate}")
plotting.movable_figures(figures, texts, "Second layer", names)

# %% [markdown]
# <details><summary>Answer</summary>
#
# From rate 4 on. The first layer reads patches of 3 pixels without a hole. The second lays three of them beside each
# other, $r$ pixels apart (and three times three in two dimensions): at $r \le 3$ they touch or overlap, at 4 a stripe
# stays free.
#
# </details>
#
# Holes like these are called [gridding](glossary.ipynb#gridding). The answer holds for any number of layers. If the
# smaller rates sum up to $S$ and leave no hole, they read a patch of $2S + 1$ pixels, and the next rate may be at most
# that:
#
# > Put the rates in order of size. There are no holes exactly if each rate is at most 1 plus twice the sum of those before
# > it.
#
# The first rate must therefore be 1, a second one may be up to 3, a third up to 9. Rates 1, 2, 4, 8 are safe. Equal rates
# above 1 never are, and to have no common divisor is not enough: rates 2 and 3 miss the pixel 4 away, rates 1 and 4 the
# one 2 away. ("Going deeper" has the other half of the proof.)
#
# ### Does see
#
# A field without holes is still only a promise, since not every pixel in it counts alike: many paths lead to the pixels
# in the middle, few to those at the border. The gradient tells how much each pixel *does* move the output. Luo et al.
# (2016) call this the [effective receptive field](glossary.ipynb#effective-receptive-field). Here it is for three stacks
# of eight layers, with the same number of weights and the same resolution.

# %% alt="Three maps of a gradient in yellow and red on black, with the theoretical field as a dashed square. Eight convolutions of rate 1: a small blob that fills most of its square of 17 pixels. Rate 2: a larger blob made of separate dots in a square of 33 pixels. Rates 1, 2, 4, 8 twice: a wide blob without holes in the middle of a square of 61 pixels." fold="Draw the gradient of three stacks"
from segtutor.claims.experiments.pspnet.fields import stack

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5))
for axis, rates in zip(axes, ((1,) * 8, (2,) * 8, (1, 2, 4, 8) * 2), strict=True):
    torch.manual_seed(0)
    field = plotting.effective_receptive_field(stack(rates), torch.randn(32, 8, 95, 95))
    size = 1 + 2 * sum(rates)
    axis.imshow(np.sqrt(field[12:83, 12:83]), cmap="inferno")
    axis.add_patch(
        plt.Rectangle((35 - size / 2, 35 - size / 2), size, size, fill=False, color="white", ls="--", lw=1.5)
    )
    half = plotting.field_width(field, share=0.5, center=(47, 47))
    axis.set_title(
        f"rates {', '.join(map(str, rates[:4]))}, …: can see {size}\npixels, half of the gradient in {half:.0f}"
    )
without_frames(axes)
plt.show()

# %% [markdown]
# The stack in the middle has rate 2 eight times, and you see its holes: only every other row and column is read. The
# one on the right sees far and reads everything, but half of its gradient comes from the middle 31 of 61 pixels. The
# experiment behind the figure was repeated with three seeds, and it also asks whether training widens the field. [Lesson
# 0](00_start_here.ipynb) explains how to read such a [claim card](glossary.ipynb#claim-card).

# %%
card("pspnet.receptive_field")

# %% [markdown]
# Four expectations came true and one was reversed. Luo et al. saw the effective field *grow* in training; our backbone
# sees less after its training than before, with every seed. It learned another task than theirs, to name the classes of
# a drawn picture, but whether that is the reason we have not tested. A card has to say what came out.
#
# ## Dilation instead of stride
#
# Now the fine map. A ResNet ends at output stride 32: one place for 32 × 32 pixels. Why not simply leave out a stride?
# Because then all later kernels meet a map that is twice as fine. They see half as far, and what they have learned to
# look for lies twice as far apart. So they get rate 2: their weights again fall on the values that they were trained on.
# The new map contains the old one, and has new values in between.
#
# **Predict, then run.** A ResNet-50 with one set of random weights has output stride 16, and then 8 by dilation. From
# the finer map of stage 3 we take every other row and column. Is that the coarser map exactly, nearly, or not at all?
# And if already the *first* block of the stage has the new rate?

# %%
from segtutor.models.backbones import resnet50_backbone

weights, image, found = resnet50_backbone().state_dict(), torch.randn(1, 3, 97, 97), {}
for name, options in {
    "stride 16": {"output_stride": 16},
    "stride 8, rate 2 from the second block on": {"output_stride": 8},
    "stride 8, rate 2 from the first block on": {"output_stride": 8, "first_block_rate": "same"},
}.items():
    backbone = resnet50_backbone(**options).eval()
    backbone.load_state_dict(weights)
    with torch.no_grad():
        found[name] = backbone(image)["aux"]  # the map after stage 3
    every_other = found[name][..., ::2, ::2] if "8" in name else found[name]
    off = (every_other - found["stride 16"]).abs().max() / found["stride 16"].abs().max()
    print(f"{name:41}: map of {found[name].shape[-1]:2} x {found[name].shape[-1]:2}, off by {off:.4%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Exactly, but for rounding, if the first block keeps its old rate: it still reads a map that no stride has thinned out.
# With the new rate in the first block the values are off by about a tenth of the largest.
#
# </details>
#
# torchvision and DeepLab keep the old rate in the first block. PSPNet's authors give the new rate to every block. Both
# can be trained, but weights of one are wrong in the other, although all names and shapes fit. In this package the choice
# is an option with a name, `first_block_rate`.
#
# Here is the ResNet-50 of PSPNet. Compare it with the classifier above: stages 3 and 4 keep the 60 × 60 places of stage
# 2, and their 3 × 3 convolutions have rates 2 and 4. (Its stem has three 3 × 3 convolutions instead of one 7 × 7.)

# %% alt="PSPNet's ResNet-50 as a row of slabs: picture 473 by 473, stem of stride 4 with 128 channels, stage 1 of stride 4, stages 2, 3 and 4 all of stride 8 with 60 by 60 places and 512, 1024 and 2048 channels; stage 3 has rate 2, stage 4 rate 4" fold="Draw PSPNet's backbone"
with torch.device("meta"):
    psp = models.create("pspnet_resnet50", num_classes=21).eval()
figure, axis = plt.subplots(figsize=(9, 2.4))
shapes = plotting.trace_shapes(psp.backbone, (473, 473))
plotting.show_architecture(shapes, plotting.resnet_layout(psp.backbone), ax=axis)
plt.show()

# %% [markdown]
# What does such a map look like? The course's small backbone has learned to classify drawn pictures. It runs here at three
# output strides, always with the same weights. Of its 128 channels the figure shows the one direction in which they vary
# most, called the first principal component.

# %% alt="A drawn scene and one component of the backbone's map at output strides 16, 8 and 4: the same pattern of light and dark regions, in coarse blocks at 16, finer at 8, and finest at 4, where narrow stripes lie over it" fold="Draw the map of the small backbone at three strides"
number = 5
scene = Scenes("val", (257, 321), 10)[number][0]
figure, axes = plt.subplots(1, 4, figsize=(9, 2.2))
axes[0].imshow(scene.permute(1, 2, 0))
axes[0].set_title("scene, 257 × 321")
direction, maps = None, {}
for axis, stride in zip(axes[1:], (16, 8, 4), strict=True):
    network = models.create("pspnet_tiny", output_stride=stride, weights="backbone", first_block_rate="previous").eval()
    with torch.no_grad():
        values = network.backbone(prepare(scene)[None])["out"][0]  # C x h x w
    if direction is None:
        centered = values.flatten(1) - values.flatten(1).mean(1, keepdim=True)
        direction = torch.linalg.svd(centered, full_matrices=False)[0][:, 0]
    maps[stride] = torch.einsum("c,chw->hw", direction, values)
    axis.imshow(maps[stride], cmap="cividis")
    axis.set_title(f"stride {stride}: {values.shape[1]} × {values.shape[2]}")
without_frames(axes)
plt.show()

# %% [markdown]
# The pattern stays, and its outlines get finer. (The stripes at stride 4 are gridding: these weights have learned at
# stride 16, and with rates 2 and 4 neighboring places are made from pixels that have little in common.)
#
# What is a finer map worth? The same network was trained at three output strides, with the same number of weights:

# %%
card("pspnet.dilation")

# %% [markdown]
# Each dot below is a seed. The two panels on the left are the gain, the one on the right the price.

# %% alt="Dots of three seeds at strides 16, 8 and 4. Mean IoU rises from 43 to 50 to 58 percent, mean IoU within two pixels of a label change from 29 to 36 to 45, and the memory kept for the gradient from 3 to 4 to 11 megabytes per picture." fold="Draw gain and price of the finer map"
show("pspnet.dilation", keys=["mean_iou", "band_iou", "megabytes"])
plt.show()

# %% [markdown]
# Every halving of the stride brings more than seven points of mean IoU. But the step from 8 to 4 takes two and a half
# times the memory and more than three times the operations. PSPNet stops at 8.
#
# %% [markdown]
# ## Pyramid pooling
#
# Dilation widens the field and keeps the map fine, but we have seen that a network uses the middle of its field most.
# PSPNet therefore takes a short cut to the whole picture. It divides the map into 1 × 1, 2 × 2, 3 × 3 and 6 × 6 regions,
# the *bins*, and averages over each. These are the *levels* of the pyramid, one for every scale. On the colors of the scene above they look
# like this:

# %% alt="The scene of the lake and its averages over 1, 4, 9 and 36 regions: one gray green; gray blue over olive; nine patches, blue at the upper corners and green in the middle and below; thirty-six patches in which sky, tree and lawn can be told" fold="Average the scene over its regions"
figure, axis = plt.subplots(figsize=(9, 1.75))
plotting.show_pyramid(scene, bins=(1, 2, 3, 6), ax=axis)
plt.show()

# %% [markdown]
# The network averages features, not colors. Here is the map of stride 8 from above, and what the four levels keep of it:

# %% alt="The feature map of 33 by 41 places from above and its averages over 1, 4, 9 and 36 regions: at 1 by 1 a single value, at 6 by 6 the light and dark regions can be made out again" fold="Average the feature map over its regions"
figure, axis = plt.subplots(figsize=(9, 1.75))
plotting.show_pyramid(maps[8], bins=(1, 2, 3, 6), cmap="cividis", ax=axis)
plt.show()

# %% [markdown]
# Small bins know roughly where something is, and the one large bin only knows that it is there.
#
# **Predict, then run.** All places of a map are shuffled. Which of the four levels stay as they were?

# %%
features = torch.randn(1, 16, 24, 30)
shuffled = features.flatten(2)[..., torch.randperm(24 * 30)].view_as(features)
for bins in (1, 2, 3, 6):
    before, after = (F.adaptive_avg_pool2d(one, bins) for one in (features, shuffled))
    print(f"{bins} x {bins}: changes by up to {(after - before).abs().max():.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Only the level of one bin. A mean over everything does not know where anything was; that is its strength, for *what kind
# of scene is this?*, and its limit.
#
# </details>
#
# Each level is now made thinner by a 1 × 1 convolution, to a quarter of the channels, and enlarged to the size of the
# map again by [bilinear interpolation](glossary.ipynb#bilinear-interpolation). Then the map and all levels are put side
# by side:
#
# $$ \text{PPM}(x) = \big[\,x,\; \uparrow g_1(\text{avg}_{1\times 1} x),\; \uparrow g_2(\text{avg}_{2\times 2} x),\;
# \uparrow g_3(\text{avg}_{3\times 3} x),\; \uparrow g_6(\text{avg}_{6\times 6} x)\,\big]. $$
#
# In ResNet's map every place has 2,048 numbers of its own. Beside them it now has 512 about the whole picture, 512 about
# the quarter in which it lies, and so on: the global context and the local one. As code:


# %%
class Pyramid(nn.Module):
    def __init__(self, channels, bins=(1, 2, 3, 6)):
        super().__init__()
        self.bins, quarter = bins, channels // len(bins)
        self.reduce = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, quarter, 1, bias=False), nn.BatchNorm2d(quarter), nn.ReLU())
            for _ in bins
        )  # fmt: skip

    def forward(self, x):
        parts = [x]
        for bins, reduce in zip(self.bins, self.reduce, strict=True):
            level = reduce(F.adaptive_avg_pool2d(x, bins))  # B x C/4 x bins x bins
            parts.append(F.interpolate(level, size=x.shape[-2:], mode="bilinear", align_corners=True))
        return torch.cat(parts, dim=1)  # B x 2C x h x w


# %% [markdown]
# Is it right? The package has its own. With the same weights both must give the same numbers.

# %%
from segtutor.models.pspnet import PyramidPooling

mine, theirs = Pyramid(16), PyramidPooling(16)
for own, level in zip(mine.reduce, theirs.levels, strict=True):  # the package's level begins by pooling
    own.load_state_dict({f"{int(key[0]) - 1}{key[1:]}": value
                         for key, value in level.state_dict().items()})  # fmt: skip
x = torch.randn(2, 16, 13, 17)
assert torch.allclose(mine(x), theirs(x), atol=1e-6)
print(tuple(x.shape), "->", tuple(mine(x).shape), "in both")

# %% [markdown]
# The figure is drawn from the real network behind the backbone. A 3 × 3 convolution mixes the 4,096 channels to 512, a
# 1 × 1 convolution gives the scores of the classes, and these are enlarged to the picture.

# %% alt="The head of PSPNet: the last map of the backbone, 2048 by 60 by 60, goes to four pooled levels of 1, 2, 3 and 6 bins, each reduced by a 1 by 1 convolution to 512 channels and enlarged; side by side with the map they are 4096 by 60 by 60; a 3 by 3 convolution mixes them to 512, a 1 by 1 gives scores of 21 classes, enlarged to logits of 473 by 473" fold="Draw the head of PSPNet"
figure, axis = plt.subplots(figsize=(9, 5.5))
shapes = plotting.trace_shapes(psp, (473, 473))
plotting.show_architecture(shapes, plotting.pspnet_layout(psp, head_only=True), ax=axis)
plt.show()

# %% [markdown]
# ### What the 1 × 1 convolutions are worth
#
# Without them the four levels would add four times 2,048 channels and outweigh the map; and the 3 × 3 convolution behind
# would read 10,240 channels instead of 4,096. What does it cost to cut them to a quarter?

# %%
card("pspnet.reduction")

# %% [markdown]
# Nothing here. The network with fewer channels is smaller and faster, and after the same number of steps it is not worse;
# in the paper it is better, too (41.68 % against 41.07).
#
# ## The claim, measured
#
# Back to the riddle. In the pictures of the experiment, 96 × 128 pixels, street and harbor are alike up to 29 pixels
# from a bollard. We need a network that does not look so far by itself, or there would be nothing left to help with. So
# we take the last stage out of the small backbone and call the rest *near-sighted*. How far do both see on a scene?

# %% alt="A drawn scene in pale gray, twice, with an orange spot of gradient. Near-sighted: a small spot, within a blue square of 53 pixels and a dashed box of 71 pixels that it can see. Complete: the gradient is spread over most of the picture, 95 percent of it within a blue square of 100 pixels; the dashed box is the whole picture." fold="Draw how far the near-sighted and the complete backbone see"
network = models.create("pspnet_tiny", weights="backbone").eval()
scenes = Scenes("val", (97, 129), 8)
images = torch.stack([prepare(scenes[number][0]) for number in range(8)])
drawn_larger = Scenes("val", (4 * 97, 4 * 129), 8)[6][0]  # what the network sees is four times coarser
figure, axes = plt.subplots(1, 2, figsize=(9, 4.3))
for axis, (title, layer) in zip(axes, {"near-sighted": "aux", "complete": "out"}.items(), strict=True):
    plotting.show_receptive_field(
        network, images, (6, 8), layer=f"backbone[{layer}]", picture=drawn_larger, title=title, ax=axis
    )
plt.show()

# %% [markdown]
# The near-sighted backbone can see 71 pixels, 35 to each side, which would be enough. But 95 % of what moves its output
# lies within 53 pixels, 26 to each side. The 3 × 3 convolution of the head reaches one place of 8 pixels farther, so that
# only a little of what lies beyond 29 pixels arrives.
#
# Two variants of it learn in the next cell, one without levels and one with the pyramid: 120 steps on 200 streets and
# harbors with many bollards, from the course's pretrained backbone.
#
# **Predict, then run.** A network that finds every bollard but cannot tell the two kinds apart must guess. About what
# [IoU](glossary.ipynb#intersection-over-union) does it reach for them? And with pyramid pooling?

# %%
from segtutor.claims.catalog import find
from segtutor.claims.pictures import BOLLARDS, draw
from segtutor.claims.scoring import score
from segtutor.claims.training import train

experiment, trained = find("pspnet.pyramid").variants, {}
for name in ("near-sighted, no levels", "near-sighted, bins 1, 2, 3, 6"):
    trained[name], _ = train(experiment[name].shortened(), seed=0)
    found = score(trained[name], draw(BOLLARDS, "val", 40, (96, 128)))
    print(f"{name:30} IoU of the bollards {found['bollard_iou']:.0%}, "
          f"of all classes {found['mean_iou']:.0%}")  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# At most a third. If half of the bollards get the wrong name, each class finds half of its pixels (TP = ½), misses half
# (FN = ½), and gets as many from the other class (FP = ½): ½ / (½ + ½ + ½) = ⅓. With the pyramid it is far more, after
# so few steps already.
#
# </details>
#
# Here is what the two see in a street and in a harbor. The scenes and the truth are drawn larger than the 96 × 128 pixels
# that the networks were given.

# %% alt="A street and a harbor, each with the label maps of both networks and the truth. Without levels the bollards are a patchwork of pink, for street bollards, and orange, for mooring bollards. With the pyramid those of the street are pink throughout and those of the harbor orange. Apart from that the two maps are much alike." fold="Draw the label maps of both"
larger = Scenes("val", (240, 320), 40, **dict(BOLLARDS.options))
small, rows = draw(BOLLARDS, "val", 40, (96, 128)), (18, 14)
figure, axes = plt.subplots(2, 4, figsize=(9, 4.3))
seen = set()
for row, index in zip(axes, rows, strict=True):
    row[0].imshow(larger[index][0].permute(1, 2, 0))
    for axis, network in zip(row[1:3], trained.values(), strict=True):
        with torch.no_grad():
            labels = network.eval()(prepare(small[index][0])[None])["out"][0].argmax(0)
        axis.imshow(colorize(labels, SCENES))
        seen |= set(labels.unique().tolist())
    row[3].imshow(colorize(larger[index][1], SCENES))
    seen |= set(larger[index][1].unique().tolist())
    without_frames(row)
for axis, title in zip(axes[0], ("scene", "no levels", "with the pyramid", "truth"), strict=True):
    axis.set_title(title)
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=6)
plt.show()

# %% [markdown]
# Both networks find the bollards, and both draw them as blobs. But without levels each is a patchwork of the two classes,
# pink and orange. With the pyramid those of the street are pink and those of the harbor orange, as in the truth.
#
# Now the whole experiment: 400 steps from random weights on 2,000 scenes, seven variants, three seeds each. Two variants
# are controls. *Levels not pooled* has all the weights of the pyramid and leaves out only the averaging. *Far-sighted*
# is the complete backbone, whose field of 199 pixels is larger than the picture.

# %%
card("pspnet.pyramid")

# %% [markdown]
# As a picture, with a dot for every seed:

# %% alt="Dots of three seeds for seven variants. IoU of the bollards is near 30 percent for the near-sighted network without levels, with levels that are not pooled and with bin 6 alone, and near 80 percent with bin 1, with all bins, and for both far-sighted variants. Mean IoU lies between 48 and 54 percent; the near-sighted network gains about 5 points by the pyramid, the far-sighted one loses about 1." fold="Draw every seed of the seven variants"
show("pspnet.pyramid", keys=["bollard_iou", "mean_iou"])
plt.show()

# %% [markdown]
# Read it slowly; it is the heart of the lesson.
#
# - Without a look at the scene the bollards stay below a third, as for somebody who guesses: 29 %.
# - The pyramid lifts them to 81 %. It is not the weights: with the same weights and nothing averaged it is 29 % again.
# - *Bin 1 alone* brings nearly all of it, 80 %, and *bin 6 alone* nearly nothing, 32 %. Its regions are a sixth of the
#   picture, 16 pixels high, less than the 29 pixels at which the scenes begin to differ. For *what kind of scene is this?*
#   the whole picture is the right region.
# - Over all classes the near-sighted network gains five points.
# - The far-sighted backbone tells the bollards apart by itself: 80 % without any level. Whether the pyramid then still
#   helps, three seeds cannot decide for the bollards, and over all classes the network with the pyramid has about a point
#   *less*.
#
# So pyramid pooling does what its authors say, where the network does not see the whole scene by itself. In the paper
# it helps a ResNet-50 by more than four points, although that network's field of view, 479 pixels, covers the crops of 473.
# Its effective field may well be smaller; on photographs we have not measured it.
#
# ## The auxiliary loss
#
# One more part of PSPNet is about training. A loss at the end of the network reaches the early layers on a long way. So
# a second, small head sits in the middle, behind stage 3, with a loss of its own, and the network learns from the sum of
# both losses of the pixels,
#
# $$ L = L_\text{main} + 0.4\, L_\text{aux}. $$
#
# When the network is used, nobody asks this head. Its loss is called *auxiliary*. (In the small network, which has three
# stages, the head sits behind the second.)

# %%
network = models.create("pspnet_tiny", num_classes=33, aux=True)
images = torch.randn(2, 3, 96, 128)
print("training:  ", {name: tuple(logits.shape) for name, logits in network.train()(images).items()})
print("evaluation:", {name: tuple(logits.shape) for name, logits in network.eval()(images).items()})

# %% [markdown]
# `training.fit` adds the second loss by itself where it finds such a head. Does it help? The lines are means of three
# seeds, the bands reach from the lowest to the highest.

# %% alt="Mean IoU during training, with and without the auxiliary loss: both curves rise together from about 25 to about 51 percent; the one with the loss is slightly higher all along, and the bands overlap until near the end" fold="Draw the two curves"
figure, axis = plt.subplots(figsize=(6.5, 3.2))
show_curves("pspnet.auxiliary", ax=axis)
plt.show()

# %% [markdown]
# And the three seeds at two moments, as a card:

# %%
card("pspnet.auxiliary")

# %% [markdown]
# The network with the auxiliary loss ends about a point higher, as in the paper (35.82 % without, 37.23 % with). Whether
# it also learns *faster* three seeds cannot decide: they differ by more than the gain. Our network has five residual
# blocks where theirs has sixteen.
#
# ## Summary
#
# - A residual block adds a correction to its input. A ResNet has four stages of such blocks; the stride of its last map is
#   its output stride.
# - A 1 × 1 convolution multiplies the channels of each place by one matrix. It makes maps thinner, and here that cost
#   nothing.
# - A dilated convolution reads places $r$ apart: a larger field, the same weights. Put in order of size, the rates
#   leave no holes exactly if each is at most 1 plus twice the sum of those before it.
# - Leave out a stride and give the later layers the rate: the finer map contains the old one exactly. Each halving of the
#   stride brought more than seven points, and cost memory and time.
# - What a network *can* see is a promise; the gradient says what it *does* see, and that is less.
# - Pyramid pooling puts averages over the picture and its parts beside every place. For the bollards one bin does the
#   work, from 29 % to 80 %. Where the backbone sees the whole picture by itself, there was nothing left to gain.
#
# In [assignment 4](assignments/04_pspnet.ipynb) you build the parts yourself, check by check.
# [Lesson 5](05_mask_rcnn.ipynb) leaves [label maps](glossary.ipynb#label-map) for single objects; [lesson 6a](06a_deeplab_v2.ipynb) comes back to dilation
# with DeepLab.
#
# ## Self-test
#
# 1. Three 3 × 3 convolutions have rates 1, 2, 4 and no stride. How large is the field? And behind a 3 × 3 layer of
#    stride 2?
# 2. Which pixels of a line do two layers of three weights read, at rates 2 and 2? At 1 and 2? Which of the two satisfies
#    the rule?
# 3. You take the stride out of stage 4 and forget the dilation. The network runs. What goes wrong?
# 4. Why does the control with levels that are not pooled belong in the experiment?
# 5. A PSPNet has learned from crops of 473 pixels and is shown a picture of 1,024 × 2,048. What happens to bin 1?
#
# <details><summary>Answers</summary>
#
# 1. 1 + 2 (1 + 2 + 4) = 15. Behind the layer of stride 2 each step counts twice: 3 + 2 · 2 (1 + 2 + 4) = 31.
# 2. Rates 2, 2: −4, −2, 0, 2, 4, every other one. Rates 1, 2: all from −3 to 3. The second: 1 ≤ 1 and 2 ≤ 1 + 2 · 1.
# 3. Its kernels see half as far as in training and meet values between those that they have learned from.
# 4. The pyramid also adds weights. If these brought the gain, the control would have it.
# 5. It averages over nine times the area that it has learned from, and may hold what never came together in a crop. Show
#    it windows of the training size instead.
#
# </details>
#
# ## Reading
#
# - [Zhao et al. 2017](https://arxiv.org/abs/1612.01105): Figure 2 is our riddle in photographs; §3.2 and Table 1 are the
#   pyramid and its bins, §4 and Table 2 the auxiliary loss.
# - [He et al. 2016](https://arxiv.org/abs/1512.03385), *Deep residual learning*: Figure 1 is the 56 layers that are worse
#   than 20; Figure 5 the bottleneck.
# - [Yu and Koltun 2016](https://arxiv.org/abs/1511.07122): dilation as a way to keep resolution; Figure 1.
# - [Luo et al. 2016](https://arxiv.org/abs/1701.04128): the effective field. Look at what changes in training.
# - [Wang et al. 2018](https://arxiv.org/abs/1702.08502), §3.2: gridding, and rates that avoid it.
# - [Lin, Chen and Yan 2014, *Network in Network*](https://arxiv.org/abs/1312.4400): where 1 × 1 convolutions come from;
#   [Brownlee, *A gentle introduction to 1 × 1
#   convolutions*](https://machinelearningmastery.com/introduction-to-1x1-convolutions-to-reduce-the-complexity-of-convolutional-neural-networks/)
#   is a tutorial on them.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo): where
#   resolution is lost and won back, and at what price.

# %% [markdown]
# ## Going deeper
#
# ### Why the rule about holes is exact
#
# A stack of layers with rates $r_1 \le r_2 \le \dots$ reads the places $\sum_i c_i r_i$ with every $c_i$ one of −1, 0, 1.
# Its field reaches as far as the sum of all rates to either side. Count from the left end of the field: place $d$ is
# read if $d = \sum_i c'_i r_i$ with every $c'_i = c_i + 1$ one of 0, 1, 2. Suppose that $r_k > 2S + 1$, where $S$ is the sum of
# the smaller rates. With these alone one gets at most to $2S$, and with any larger rate at least to $r_k$. So $2S + 1$ is
# missed, and there is a hole. The tests of the package try the rule on all lists of up to four rates from 1 to 12.
#
# ### Bins that do not divide the map, and why 473
#
# `adaptive_avg_pool2d` cuts a side of $h$ places into $n$ bins from $\lfloor i h / n \rfloor$ to $\lceil (i + 1) h / n
# \rceil$; where $n$ does not divide $h$, neighbors share a row. The authors' Caffe network has fixed windows instead, of
# 60, 30, 20 and 10 places for its map of 60 × 60, so it can only be shown crops of 473 × 473.
#
# Why 473? Convolutions of stride 2 with padding 1 lay their values on pixels 0, 2, 4, …; at stride 8 on 0, 8, 16, …, 472.
# With 473 = 8 · 59 + 1 pixels the first of the 60 values lies on the first pixel and the last on the last, and bilinear
# interpolation with *aligned corners* puts every value back onto its pixel. Other sizes are padded to the next such size
# by our network, and the [logits](glossary.ipynb#logit) are cropped:

# %% fold="Show pictures of three sizes to the small network"
network = models.create("pspnet_tiny", num_classes=33).eval()
with torch.no_grad():
    for side in (96, 97, 100):
        made = plotting.trace_shapes(network, (side, side + 32))
        size = tuple(network(torch.zeros(1, 3, side, side + 32))["out"].shape[-2:])
        print(f"picture {side:3} x {side + 32}: map {made['backbone[out]'][-2:]}, logits {size}")

# %% [markdown]
# ### How far the large backbones can see


# %% fold="Count the fields of five backbones"
def layers_of(backbone):
    """(kernel, stride, rate) of the layers that look beyond their own place; the shortcuts see less."""
    layers = []
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
            layers.append((layer.kernel_size[0], layer.stride[0], layer.dilation[0]))
        elif isinstance(layer, nn.MaxPool2d):
            layers.append((layer.kernel_size, layer.stride, 1))
    return layers


for name, stride in (("tiny", 16), ("tiny", 8), ("tiny", 4), ("resnet50", 8), ("resnet101", 8)):
    with torch.device("meta"):
        options = {"output_stride": stride} if name == "tiny" else {}
        backbone = models.create(f"pspnet_{name}", **options).backbone
    size = plotting.theoretical_receptive_field(layers_of(backbone)).size
    print(f"pspnet_{name:10} at output stride {stride:2}: {size:4} pixels")

# %% [markdown]
# The field hardly depends on the output stride: what a stride gave to the later layers, the rate gives them now. It is
# not quite the same, because where a block has two 3 × 3 convolutions, as in the small backbone, the stride thinned out
# only what the second one sees.
#
# ### The training of the paper
#
# SGD with momentum 0.9 and weight decay $10^{-4}$; batch 16, with batch norm synchronized over the GPUs, since a batch of
# two per GPU would make poor statistics; pictures mirrored, scaled by 0.5 to 2, turned by up to 10° and, for ADE20K and
# VOC, blurred (§5.1). From the authors' code, not from the paper, are the crops of 473 pixels (Cityscapes: 713) and a
# rate that is ten times as high for the new layers. The base rate is 0.01 and falls at every iteration $t$ of $T$ by the
# “poly” rule, $(1 - t / T)^{0.9}$. One iteration past $T$ the base of this power is negative, and Python returns a
# complex number without a word:

# %% fold="Compute the poly rule past its end, and the rates of backbone and head"
from segtutor.training.optimizers import parameter_groups
from segtutor.training.schedules import polynomial

print("step 11 of 10, as it is often written:", 0.01 * (1 - 11 / 10) ** 0.9)
print(
    "in the package, steps 0, 1, 5, 9, 10, 11:",
    [round(0.01 * polynomial(step, 10), 6) for step in (0, 1, 5, 9, 10, 11)],
)
for group in parameter_groups(models.create("pspnet_tiny"), weight_decay=1e-4, head_factor=10):
    count = sum(parameter.numel() for parameter in group["params"])
    print(f"{count:9,} parameters: rate x {group['factor']:2g}, weight decay {group['weight_decay']:g}")

# %% [markdown]
# The paper also compares *average* with *maximum* pooling in the levels (averaging is better, Table 1), and deeper
# backbones up to ResNet-269 (each is better than the one before, Table 3).
#
# ### Published results
#
# PSPNet came first in the ImageNet scene parsing challenge of 2016, and then on VOC 2012 and Cityscapes. “It has 85.4 %
# mean IoU on VOC 2012” is right with three additions: on the *test* set, after training on COCO, too,
# and with pictures shown at several scales and mirrored.

# %% fold="List the published results of PSPNet"
from IPython.display import Markdown

from segtutor.claims import published

lines = ["| mean IoU | data set | backbone | trained on besides | at test time | source |", "|---|---|---|---|---|---|"]
for result in published("PSPNet"):
    if result.kind == "paper" or result.source.startswith("semseg"):
        besides, test = ", ".join(result.training_data), result.test_time
        lines.append(
            f"| {result.value} % | {result.dataset}, {result.split} | {result.backbone} | {besides} | {test} | "
            f"{result.short_source}, {result.place} |"
        )
Markdown("\n".join(lines))

# %% [markdown]
# How the paper, the authors' PyTorch code and ours differ in detail, and how many parameters there are with 21 classes:

# %% fold="Show the differences as a table"
from segtutor.models.differences import as_markdown
from segtutor.models.pspnet import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# Training has the auxiliary head, evaluation has not.

# %% fold="Count the parameters"
for name in ("pspnet_resnet50", "pspnet_resnet101"):
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in models.create(name, aux=aux).parameters()) for aux in (True, False)]
    print(f"{name}: {sizes[0]:,} in training, {sizes[1]:,} in evaluation")

# %% [markdown]
# ### Published weights
#
# This needs a file that the authors of semseg publish. Their names are translated on loading; the deep stem, three 3 × 3
# convolutions instead of the 7 × 7, is the default:
#
# ```python
# model = models.create("pspnet_resnet50", num_classes=21, aux=True)
# print(models.load_weights(model, "train_epoch_50.pth", layout="semseg_pspnet"))
# ```
#
# ImageNet weights of torchvision begin with one 7 × 7 convolution, so they need `stem="7x7"`:
#
# ```python
# model = models.create("pspnet_resnet50", num_classes=21, stem="7x7", weights="imagenet")
# ```
#
# ### Pitfalls
#
# - **A batch of one in training.** Bin 1 leaves one value per channel and picture, and of one value there is no variance:
#   `Expected more than 1 value per channel` ([vision#2151](https://github.com/pytorch/vision/issues/2151)). The last
#   batch of an epoch often is one: drop it, or freeze batch norm. `training.fit` never hands out such a batch.
# - **Dilated, but the stride kept in the shortcut.** The two ways no longer fit or, padded to fit, lie on other pixels.
# - **Weights of one `first_block_rate` in a network with the other.** All keys fit, all numbers are wrong.
# - **`align_corners` mixed within a network**: levels with one, logits with the other
#   ([vision#1708](https://github.com/pytorch/vision/issues/1708),
#   [VainF#19](https://github.com/VainF/DeepLabV3Plus-Pytorch/issues/19)). One constant per network.
# - **Enlarged by a factor of 8.** For sides that are no multiple of 8 the output has another size. Enlarge to a size.
# - **Called PSPNet, but another network.** segmentation_models.pytorch leaves out batch norm at bin 1, fuses with a 1 × 1
#   convolution and cuts the encoder short. That can be a good choice; the paper's numbers are not its numbers.
# - **Whole pictures for a network that learned from crops.** The bins are then of another size than in training. The
#   authors test with sliding crops of the training size.
# - **The auxiliary head demanded in evaluation.** A file without it does not load, or the output has a key too many.
# - **The rate of eight GPUs on one.** Fine-tuning a published network at the paper's rate with a small batch destroys it
#   ([vision#1538](https://github.com/pytorch/vision/issues/1538),
#   [vision#4292](https://github.com/pytorch/vision/issues/4292)). `TrainingConfig` scales its default with the batch.
# - **Floats from 0 to 255 that were never normalized** run through without a word.
#   [Lesson 7](07_worked_example.ipynb) measures what that costs.
# - **Nonsense as input.** The package says what is wrong:

# %% fold="Feed eight kinds of nonsense"
from segtutor.training.losses import cross_entropy

network = models.create("pspnet_tiny", num_classes=33).train()
attempts = {
    "a batch of one": lambda: network(torch.zeros(1, 3, 96, 128)),
    "too small": lambda: network(torch.zeros(2, 3, 6, 40)),
    "gray": lambda: network(torch.zeros(2, 1, 96, 128)),
    "bytes": lambda: network(torch.zeros(2, 3, 96, 128, dtype=torch.uint8)),
    "labels": lambda: cross_entropy(torch.zeros(2, 5, 8, 8), torch.full((2, 8, 8), 7)),
    "bins": lambda: models.create("pspnet_tiny", bins=(1, 2.5)),
    "stride": lambda: models.create("pspnet_tiny", output_stride=32),
    "other classes": lambda: models.load_weights(models.create("pspnet_tiny", num_classes=5), network.state_dict()),
}
for words, attempt in attempts.items():
    try:
        attempt()
    except ValueError as error:
        print(f"{words}: {error}")
