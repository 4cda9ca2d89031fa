# ---
# title: "DeepLab v2: holes, pyramids and a field of pixels"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 4](04_pspnet.ipynb)", softmax and logarithms]
# minutes_work: 75
# ---

# %% [markdown]
# A network that labels pixels has three troubles, says the paper of this lesson. Its map is coarse, because pooling and
# [strides](glossary.ipynb#stride) have thinned it out. Things come in all sizes, but a kernel has one. And what makes a
# classifier good, that it does not care where in its field a cat sits, makes outlines bad. **DeepLab v2** (Chen,
# Papandreou, Kokkinos, Murphy and Yuille; online in 2016, printed in 2018) answers each with a part of its own:
# *[atrous convolution](glossary.ipynb#dilated-convolution)* keeps the map fine, a *pyramid of rates* looks at several
# sizes at once, as PSPNet's [pyramid pooling](glossary.ipynb#pyramid-pooling) did, and a *[conditional random
# field](glossary.ipynb#conditional-random-field)* draws the outlines, with the colors of the picture as its guide.
#
# The first part you know from lesson 4 under another name. The third is new: it is not a layer and learns nothing, and
# it is the most beautiful piece of mathematics in this course. We begin it with three pixels.
#
# ## Objectives
#
# After this lesson you can
#
# - **write** an atrous convolution as an ordinary one, and **say** what it saves and what it does not;
# - **build** v2's pyramid of rates and its three scales, and **choose** rates by what they reach;
# - **write down** the energy of a labeling and **compute** it by hand;
# - **derive** a step of [mean field](glossary.ipynb#mean-field), and **run** it on a picture;
# - **say** when such a field repairs a [label map](glossary.ipynb#label-map) and when it harms it.
#
# ## The claim
#
# > A fully connected field of pixels behind the network sharpens the outlines that the coarse map has blurred; and the
# > better the network, the less there is left to repair.
#
# On PASCAL VOC 2012 val the mean of the classes' [intersection over union](glossary.ipynb#intersection-over-union), the
# [mean IoU](glossary.ipynb#mean-IoU), rises by 1.34 points behind a ResNet-101, from 76.35 to 77.69 %, and by 2.61
# points behind the weaker VGG16 ([Chen et al. 2018](https://arxiv.org/abs/1606.00915), §4.1).

# %% fold="Import what the lesson needs"
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown
from scipy.ndimage import median_filter
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor import models, plotting
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.showing import card, show
from segtutor.datasets import Scenes
from segtutor.inference import predict
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.plotting import colorize

plotting.use_course_style()
prepare = models.Preprocessing().normalize
pictures = draw(EVERYTHING, "val", 34, (128, 160))  # what the networks see, 3 x 128 x 160 bytes each
larger = Scenes("val", (256, 320), 34)  # the same scenes, to be looked at


# %% [markdown]
# ## Convolution with holes
#
# *À trous* is French for "with holes"; the word comes from a fast algorithm for wavelets. An *atrous convolution* and
# the dilated convolution of lesson 4 are the same thing. In one dimension, with a kernel $w$ of three weights and a
# rate $r$,
#
# $$ y[i] = w_{-1}\, x[i - r] + w_0\, x[i] + w_1\, x[i + r]. $$
#
# Here we look at it from another side. Move the slider: the weights 1, 2, −1 stay, and between them come zeros.
#
# **Predict, then run.** One output is marked. What does it become at rate 2? And how many multiplications does it
# take?

# %% fold="Draw an atrous convolution of a line, for several rates"
signal, kernel = [0, 1, 3, 2, 5, 4, 4, 1, 0, 2, 1], [1, 2, -1]
figures, texts, names = [], [], []
for rate in (1, 2, 3, 4):
    figure, axis = plt.subplots(figsize=(7.5, 2.9))
    plotting.show_atrous_line(signal, kernel, rate, position=5, ax=axis)
    parts = [f"{weight} · {signal[5 + rate * (k - 1)]}" for k, weight in enumerate(kernel)]
    result = plotting.atrous_line(signal, kernel, rate)[5]
    figures.append(figure)
    texts.append(f"Rate {rate}: {parts[0]} + {parts[1]} − {parts[2][1:]} = {result:g}.")
    names.append(f"rate {rate}")
plotting.movable_figures(figures, texts, "Rate", names)

# %% [markdown]
# <details><summary>Answer</summary>
#
# 1 · 2 + 2 · 4 − 1 · 1 = 9, with three multiplications at every rate: what is multiplied by zero need not be computed.
#
# </details>
#
# So an atrous convolution is an ordinary one whose kernel has been *stuffed* with $r - 1$ zeros between its weights.
# Does PyTorch agree?

# %%
x, w = torch.tensor([signal]).float(), torch.tensor([[kernel]]).float()
atrous = F.conv1d(x, w, padding=2, dilation=2)
stuffed = torch.tensor([[[1, 0, 2, 0, -1]]]).float()
ordinary = F.conv1d(x, stuffed, padding=2)
print("rate 2:            ", atrous[0].int().tolist())
print("stuffed with zeros:", ordinary[0].int().tolist())
assert torch.equal(atrous, ordinary)

# %% [markdown]
# It does. Why should one want that? Think of what a network with a stride does. It throws away every other value and
# convolves the rest. The next cell does just that, and holds the answers against those at rate 2.

# %%
thinned_out = F.conv1d(x[:, ::2], w, padding=1)  # stride 2 first, then the ordinary kernel
print("stride 2, then the kernel:", thinned_out[0].int().tolist())
print("rate 2, every other value:", atrous[0, ::2].int().tolist())
assert torch.equal(thinned_out, atrous[:, ::2])

# %% [markdown]
# The answers of the network with a stride are *among* those of the atrous convolution, exactly; between them lie the
# ones that it left out. In lesson 4 you saw the same for a whole ResNet. In two dimensions the coarse way has an answer
# for only a quarter of the pixels, and enlarging must make up the rest. Here is the paper's own illustration, a kernel
# that responds to vertical edges, on one of our scenes:

# %% alt="Three gray pictures of the same part of a scene with people, sheep, a duck and a bicycle: the scene; the edges found on the halved picture, enlarged, in coarse steps; those found at rate 2, at the same places but fine" fold="Find vertical edges in two ways"
gray = larger[5][0].float().mean(0)[None, None] / 255  # 1 x 1 x 256 x 320
edge = torch.tensor([[[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1.0]]]])
fine = F.conv2d(gray, edge, padding=2, dilation=2)
halved = F.conv2d(gray[..., ::2, ::2], edge, padding=1)
assert torch.allclose(fine[..., ::2, ::2], halved, atol=1e-6)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.0))
enlarged = F.interpolate(halved, scale_factor=2)
titles = ("scene", "halved, convolved, enlarged", "the same kernel at rate 2")
for axis, values, title in zip(axes, (gray, enlarged, fine), titles, strict=True):
    low, high = (0, 1) if values is gray else (-1.5, 1.5)
    axis.imshow(values[0, 0, 90:230, 30:200], cmap="gray", vmin=low, vmax=high)
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Both find the same edges, but the fine map has four answers where the coarse one has one.
#
# ### What it saves
#
# A kernel at rate 12 spans 25 × 25 pixels with nine weights; an ordinary kernel of that size has 625. So the field
# grows while weights and multiplications *per place* stay. The [card](glossary.ipynb#claim-card) checks it to the last
# digits.

# %%
card("deeplab.atrous")

# %% [markdown]
# Many texts say that atrous convolution gives a finer map "without more computation". That is true per place. But a map
# of half the stride has four times as many places.
#
# ## The output stride as a dial
#
# The [output stride](glossary.ipynb#output-stride) tells how many pixels lie between two places of the last map. In a
# DeepLab it is a dial: turn it down, and strides become rates, while the weights stay. The course has one trained
# DeepLab, the small `deeplabv3_tiny`; it learned at output stride 8 and then at 4. We turn its dial.


# %%
def course_network(stride):
    rates = tuple(16 // stride * rate for rate in (1, 2, 3))  # the head's rates must follow the stride
    return models.create("deeplabv3_tiny", num_classes=33, weights="course",
                         output_stride=stride, rates=rates).eval()  # fmt: skip


def operations(network):
    """Billions of operations for a picture of 128 x 160."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, 128, 160))
    return counter.get_total_flops() / 1e9


# %% [markdown]
# **Predict, then run.** By which factor do the operations grow from stride 8 to stride 4? And which step costs more
# quality, the one from 4 to 8 or the one from 8 to 16?

# %%
found = {}
for stride in (16, 8, 4):
    network, scores = course_network(stride), ConfusionMatrix(33)
    found[stride] = [predict(network, pictures[i][0], return_probabilities=True) for i in range(20)]
    for i, (labels, _) in enumerate(found[stride]):
        scores.update(pictures[i][1], labels)
    print(
        f"stride {stride:2}: map of {128 // stride} x {160 // stride}, "
        f"{operations(network):.2f} billion operations, mean IoU {scores.mean_iou():.1%}"
    )

# %% [markdown]
# <details><summary>Answer</summary>
#
# By about 3.6: the last stage and the head have four times as many places; only the layers before them cost the same as
# before. And the step from 8 to 16 costs far more than the one from 4 to 8.
#
# </details>
#
# One of the 20 scenes, drawn larger than the networks saw it, and without the noise:


# %% alt="A lake scene with people, sheep, a dog and a bicycle, its true labels, and three label maps by the same weights. Output stride 16: blobs, all people are one patch. Stride 8: whole things with soft outlines. Stride 4: people and dog stand apart with clearer outlines; the bicycle is still a patch, with a few holes" fold="Draw the label maps at three strides"
def draw_maps(axes, scene, maps):
    """The large scene without its noise, then label maps by title; returns the classes seen."""
    axes[0].imshow(median_filter(larger[scene][0].numpy(), (1, 3, 3)).transpose(1, 2, 0))
    axes[0].set_title("scene")
    for axis, (title, labels) in zip(axes[1:], maps.items(), strict=True):
        axis.imshow(colorize(labels, SCENES))
        axis.set_title(title)
    for axis in axes:
        axis.set_axis_off()
    return np.unique(np.concatenate([np.unique(labels) for labels in maps.values()]))


figure, axes = plt.subplots(2, 3, figsize=(7.6, 4.35))
panels = [*axes[0, :2], *axes[1]]
seen = draw_maps(panels, 5, {"truth": larger[5][1]} | {f"stride {stride}": found[stride][5][0] for stride in found})
plotting.legend(axes[0, 2], seen, SCENES, loc="center", bbox_to_anchor=(0.5, 0.5), ncol=2)
axes[0, 2].set_axis_off()
plt.show()

# %% [markdown]
# The coarser the map, the less is left of what is thin. But two things are mixed here: the map is coarser, *and* these
# weights never learned at stride 16. In the recorded experiment each stride has a training of its own, and the number
# of weights is the same.

# %%
card("deeplab.output_stride")

# %% [markdown]
# A finer map is worth much, and it is paid for in memory and time. The paper's compromise is stride 8.
#
# ## Several rates at once
#
# How should a network look at a fine map? A 3 × 3 convolution at rate $r$ on a map of stride $s$ reads pixels that lie
# $r \cdot s$ apart, so the rate sets how much context it compares. v2's first head, called *LargeFOV* for its large
# field of view, has one rate, 12. But a person in front fills the picture, while one at the horizon takes up twenty
# pixels. The paper's second head therefore has four branches with the rates 6, 12, 18 and 24. It is called [atrous
# spatial pyramid pooling](glossary.ipynb#atrous-spatial-pyramid-pooling), ASPP. Here is what its four kernels compare
# for *one* place, on a map of stride 8. Instead of the picture you see its true labels, so that you can name what lies
# under each dot.

# %% alt="The true label map of a lake scene of 385 by 513 pixels, with a legend of its classes. Around a white dot on a person's chest lie eight dots in each of four colors, each eight on a square: at rate 6 the square holds the person from head to waist, at rate 12 also a neighbor and half of the bicycle, at rate 18 three people, the bicycle and half of the tree, and at rate 24 nearly the whole height of the picture; its lowest dots lie below the border" fold="Draw what four rates compare"
labels = Scenes("val", (385, 513), 6)[5][1]
figure, axis = plt.subplots(figsize=(8, 5))
plotting.show_taps(colorize(labels, SCENES), (205, 270), (6, 12, 18, 24), stride=8, ax=axis)
plotting.legend(figure, np.unique(labels), SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=6)
plt.show()

# %% [markdown]
# Between the dots nothing is lost, because each place of the map has a wide field of its own. Behind a ResNet-101 with
# 2,048 channels each branch is a single 3 × 3 convolution that goes straight to the scores of the classes, and the four
# scores are **added**:
#
# $$ s(x) = \sum_{r \in \{6, 12, 18, 24\}} \text{conv}_{3\times3,\,r}(x). $$

# %% alt="DeepLab v2 as a chain of slabs: picture 3 by 513 by 513, stem, four stages of which the last two have rates 2 and 4, down to 2048 by 65 by 65; four branches of rates 6, 12, 18 and 24 that each give 21 by 65 by 65; their sum; logits of the picture's size" fold="Draw DeepLab v2 on ResNet-101"
with torch.device("meta"):
    v2 = models.create("deeplabv2_resnet101", num_classes=21).eval()
figure, axis = plt.subplots(figsize=(9, 4.4))
plotting.show_architecture(plotting.trace_shapes(v2, (513, 513)), plotting.deeplabv2_layout(v2), ax=axis)
plt.show()

# %% [markdown]
# The sum lets every branch vote. There is a second pyramid around it: v2 shows the *picture* in three sizes, 1, 0.75
# and 0.5, to the same network. The scores of all three are enlarged to one size, and for each place and class the
# **largest** counts. In the smaller picture a large thing fits into a field that was too small for it. Here are both
# pyramids in a few lines; the [logits](glossary.ipynb#logit) must be the package's:


# %%
def scores_of(network, images):
    features = network.backbone(images)["out"]
    return sum(branch(features) for branch in network.classifier)  # the branches' scores are added


def largest_of_scales(network, images, sizes):
    scores = [scores_of(network, F.interpolate(images, size, mode="bilinear", align_corners=True))
              for size in sizes]  # fmt: skip
    same = [F.interpolate(s, scores[0].shape[-2:], mode="bilinear", align_corners=True) for s in scores]
    return torch.stack(same).amax(dim=0)  # for each place and class the largest


torch.manual_seed(0)
network = models.create("deeplabv2_tiny", num_classes=33, multi_scale=True).eval()
images = prepare(pictures[0][0])[None, :, :97, :129]
with torch.no_grad():
    largest = largest_of_scales(network, images, [(97, 129), (73, 97), (49, 65)])  # 1 + a multiple of 8
    logits = F.interpolate(largest, (97, 129), mode="bilinear", align_corners=True)
    assert torch.allclose(logits, network(images)["out"], atol=1e-6)

# %% [markdown]
# The assertion holds, so these lines are the package's network.
#
# ### Is it the several rates that help?
#
# Four branches have more weights than one, so a fair test gives *one* rate as many branches. The card has two controls,
# three times a small rate and three times a large one (our small network has three branches), and scores small and
# large things apart.

# %%
card("deeplab.aspp")

# %% [markdown]
# Each dot below is a seed, each bar a mean.

# %% alt="Dots of three seeds for the rates 2, 2, 2, the rates 6, 6, 6 and the rates 2, 4, 6, in three panels: mean IoU, pixels of small things right, pixels of large things right. The three groups overlap or lie close to each other in every panel" fold="Draw every seed of the three pyramids"
show("deeplab.aspp", keys=["mean_iou", "small", "large"])
plt.show()

# %% [markdown]
# The card decides nothing. The three pyramids lie within two points of each other, and the seeds spread as far. After
# 400 steps from random weights, on pictures of 96 × 128, the paper's order (75.54 % with one rate, 76.35 % with four)
# does not show. Lesson 6b comes back to what so short a training can tell, and what it cannot.
#
# So we test the argument by itself. Lesson 4's near-sighted [backbone](glossary.ipynb#backbone) and its bollards are
# back: two kinds that look alike, and only from a given distance on does the scene around tell which is which. The
# backbone stays as it is. A small head behind it learns a single question, *which kind of bollard is this?*, and
# whoever guesses is right half of the time. The rows of the table are heads (a single rate has three branches, too),
# the columns distances in pixels, in pictures of two sizes.
#
# **Predict, then run.** On a map of stride 8, rate 4 compares places that lie 32 pixels apart. For which of the six
# columns will a head of rate 4 be good enough?

# %% alt="A table of percentages as a heat map, eight heads by six distances. 1 by 1 alone: 49 to 61. Rate 2: 84 at 10 pixels, down to 50. Rate 4: 97, 97, 88, then 64 to 50 in large pictures. Rate 8: 88 to 96, then 88, 83, 66. Rates 2, 4, 8: 99 to 100, then 88, 83, 65. Rate 1 and image pooling, and 2, 4, 8 in a row: 95 and more everywhere" fold="Draw how often eight heads are right, by distance"
from segtutor.claims.figures import show_table

show_table("deeplab.distance", 50, 100)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# For the small pictures: it is right 88 to 97 % of the time. In the large ones, where everything lies twice as far, it
# is right in 64 % at best, and guesses at 58 pixels. (19 pixels occur twice, but in large pictures the bollards are
# twice as large, too.)
#
# </details>
#
# Now the paper's argument can be seen. Go down the single rates: the farther away what matters, the larger the best
# rate. And rates 2, 4 and 8 *together* serve every column about as well as the best single rate does, or better. Only
# in the last column, where the scene tells nothing within 58 pixels and the largest rate reaches 64, do they often
# fail, too. (The last two rows belong to lesson 6b.) The card has all numbers:

# %%
card("deeplab.distance")

# %% [markdown]
# Its first sentence is reversed: at 10 pixels rate 8 is right more often than rate 2, and the best single rate is 4,
# between them.
#
# ### Training it: the poly schedule
#
# v2 also changed how the learning rate falls. A *step* schedule divides it by ten now and then. The **poly** schedule
# lets it fall at every iteration $t$ of $T$, by the factor $(1 - t / T)^{0.9}$:

# %% alt="The learning rate as a share of the first one against the share of training that is over: a staircase that falls to a tenth and a hundredth, and a nearly straight line from 1 to 0" fold="Draw both schedules"
from segtutor.training.schedules import polynomial

t = np.arange(0, 1001)
figure, axis = plt.subplots(figsize=(6, 2.6))
axis.plot(t / 10, np.where(t < 500, 1, np.where(t < 800, 0.1, 0.01)), color="#E69F00", label="steps")
axis.plot(t / 10, [polynomial(step, 1000) for step in t], color="#0072B2", label="poly")
axis.set(xlabel="share of the training, %", ylabel="learning rate, share of the first")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The paper measures it with VGG16 on VOC val: 62.25 % with steps, 63.42 % with poly, and 65.88 % with poly, batches of
# 10 and 20,000 iterations. Many networks use it to this day, as do the trainings of this course.
#
# ## The network is coarse, the picture is not
#
# What is wrong with the label map of our network? At stride 8 it has 16 × 20 places, so outlines are guessed. And this
# is the price of something good: pooling and strides make a classifier *indifferent* to small shifts, and whoever does
# not care exactly where a thing is cannot draw its outline. But the outline is there, in the picture that the network
# was given: where one thing ends, the color mostly changes.
#
# A *conditional random field* (CRF) brings the picture in *after* the network. It is a probability for whole
# *labelings*: $P(x)$ says how likely it is that all pixels *together* have the labels $x$. *Conditional* means that the
# picture is given. It does not say how likely the picture is, only how likely labels are *for it*; statisticians call
# that a discriminative model. CRFs became known for sequences, such as the words of a sentence, where the label of a
# word depends on its neighbors. We do the same with pixels, and start with three.
#
# ### Three pixels
#
# Three pixels lie in a row. The first two are dark gray, the third is green. There are two labels, *post* and *meadow*,
# and the network has said how probable it finds *post*: 0.9, 0.4 and 0.1. Taken alone, pixel 2 is meadow. But it has
# nearly the color of pixel 1, and that one is surely a post.
#
# Now we write down what a labeling *costs*. First, each pixel $i$ pays for its own label $k$, the more, the smaller the
# network's probability $p_i(k)$ is. This is its [unary](glossary.ipynb#unary) cost:
#
# $$ U_i(k) = -\log p_i(k). $$
#
# Second, each *pair* of pixels pays if its two labels differ, and nothing if they agree, whichever labels these are.
# That rule is the [Potts model](glossary.ipynb#Potts-model). How much a pair pays is its weight $K_{ij}$, large if the
# two look as if they belonged together. Here we choose 2 for the two gray pixels, and 0.2 and 0.1 for the others.

# %% alt="Left, pixels 1, 2 and 3, two dark gray and one green, with the costs of post, 0.11, 0.92 and 2.30, and of meadow, 2.30, 0.51 and 0.11. Arcs join them: a thick one of weight 2 between 1 and 2, thin ones of 0.2 between 2 and 3 and of 0.1 between 1 and 3" fold="Draw the three pixels, their costs and their links"
p = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]])  # the network's probabilities of post and meadow
U = -p.log()
K = torch.tensor([[0, 2, 0.1], [2, 0, 0.2], [0.1, 0.2, 0]])
figure, axis = plt.subplots(figsize=(6, 3.4))
plotting.show_random_field(["#444444", "#505050", "#4f8f3f"], U, K, ("post", "meadow"), axis)
plt.show()

# %% [markdown]
# The *energy* of a labeling $x$ is all of it together, as in the [graph cuts](glossary.ipynb#graph-cut) of
# [lesson 0b](00b_classical.ipynb):
#
# $$ E(x) = \sum_i U_i(x_i) \; + \sum_{i < j} K_{ij}\,[x_i \neq x_j], $$
#
# where the bracket is 1 if the labels differ, else 0. It also gives a probability: the less a labeling costs, the more
# probable it is, $P(x) = e^{-E(x)} / Z$, where $Z$ is the sum of $e^{-E}$ over all labelings.
#
# **Predict, then run.** Compute two energies by hand, from the numbers in the drawing: that of *post, meadow, meadow*,
# the network's own labels, and that of *post, post, meadow*. Which of the eight labelings is the cheapest?

# %% alt="Eight bars of energy, each of a blue part for the pixels and an orange part for the pairs, the cheapest on top: post post meadow 1.43, post meadow meadow 2.82, meadow meadow meadow 2.92, post post post 3.32, then four above 5, with meadow post post last, 7.62" fold="Compute the energy of all eight labelings"
figure, axis = plt.subplots(figsize=(6.5, 3.4))
plotting.show_labelings(U, K, ("post", "meadow"), ax=axis)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# *Post, meadow, meadow*: the pixels pay 0.11 + 0.51 + 0.11 = 0.72 (with all digits), the pairs (1, 2) and (1, 3) differ
# and pay 2 + 0.1; together 2.82. *Post, post, meadow*: 0.11 + 0.92 + 0.11 = 1.13 and 0.1 + 0.2, together 1.43. It is
# the cheapest.
#
# </details>
#
# The pixels alone would choose the second row, which has the shortest blue bar. The field chooses the first: pixel 2
# gives up 0.41 of its own, and saves 1.8 with its pairs.
#
# ### Too many labelings
#
# Eight labelings can be tried. A picture of 2,000 pixels and 33 classes has $33^{2000}$ of them. So we ask for less.
# Instead of the probability of every *combination* we look for a table $Q$ with one distribution per *pixel*: $Q_i(k)$
# says how sure we are that pixel $i$ has label $k$. As a distribution of labelings it treats the pixels as if they were
# independent, $Q(x) = \prod_i Q_i(x_i)$. Of all such products we want the one that is most similar to $P$. This is
# called *mean field*: a pixel no longer sees the labels of the others, only their average.
#
# What does "most similar" mean? That the *Kullback-Leibler divergence* $\sum_x Q(x) \log \frac{Q(x)}{P(x)}$ is
# smallest, which is zero only if both are equal. Put in $P = e^{-E} / Z$, and it becomes
#
# $$ \underbrace{\sum_x Q(x)\, E(x)}_{\text{mean energy}} \; - \;
# \underbrace{\Big(-\sum_x Q(x) \log Q(x)\Big)}_{\text{entropy of } Q} \; + \; \log Z. $$
#
# $\log Z$ does not depend on $Q$, so we may forget it. The rest is the [free energy](glossary.ipynb#free-energy)
# $F(Q)$: it is low if $Q$ prefers cheap labelings, and if it does not pretend to be surer than it must. (Physicists
# have the name: energy minus entropy.)
#
# ### One step, derived
#
# We change the distribution of *one* pixel $i$ and hold all others. In the mean energy, a pair pays if its labels
# differ, and under $Q$ pixel $j$ differs from label $k$ with probability $1 - Q_j(k)$. So the part of $F$ in which
# pixel $i$ occurs is
#
# $$ \sum_k Q_i(k) \Big( \underbrace{U_i(k) + \sum_{j \ne i} K_{ij}\, \big(1 - Q_j(k)\big)}_{\text{what label } k
# \text{ costs pixel } i} + \log Q_i(k) \Big). $$
#
# Call the cost $c_k$. Which distribution makes $\sum_k Q_i(k)\,(c_k + \log Q_i(k))$ smallest? With $c_k = -\log
# e^{-c_k}$ it becomes $\sum_k Q_i(k) \log \frac{Q_i(k)}{e^{-c_k}}$. Divide $e^{-c_k}$ by its sum over all labels, which
# adds only a constant, and this is a divergence again, smallest if $Q_i(k)$ equals the quotient: the softmax of $-c_k$.
# The part $\sum_j K_{ij}$ is the same for all labels, so softmax does not see it:
#
# $$ Q_i(k) \leftarrow \underset{k}{\text{softmax}} \Big( -U_i(k) + \sum_{j \ne i} K_{ij}\, Q_j(k) \Big). $$
#
# That is the whole algorithm. Every pixel asks how sure the others are of each label, weighs each of them by how much
# they have in common, adds what the network said, and takes a softmax. We begin with the network's probabilities and do
# it for all three pixels at once. For pixel 2 by hand: *post* gets $-0.92 + 2 \cdot 0.9 + 0.2 \cdot 0.1 = 0.90$,
# *meadow* $-0.51 + 2 \cdot 0.1 + 0.2 \cdot 0.9 = -0.13$, and the softmax of the two is 0.74 for *post*.

# %%
Q = p
for step in range(6):
    print(f"after {step} steps: probability of post", [round(value, 2) for value in Q[:, 0].tolist()])
    Q = torch.softmax(-U + K @ Q, dim=1)

# %% [markdown]
# After one step pixel 2 is a post with 0.74, as we computed, and after a few more hardly anything changes. How good is
# the approximation? For three pixels we can ask the exact field, by adding up the probabilities of all labelings in
# which a pixel is a post.

# %%
energies = {labels: alone + pairs for labels, alone, pairs in plotting.labelings(U, K)}
P = {labels: np.exp(-energy) for labels, energy in energies.items()}
exact = [sum(P[labels] for labels in P if labels[i] == 0) / sum(P.values()) for i in range(3)]
print("exactly:    probability of post", [round(float(value), 2) for value in exact])

# %% [markdown]
# Mean field gives the same labels and is surer of them than it should be. That is typical: a pixel listens to the
# average of the others and does not hear that they, too, may be wrong together with it.
#
# ## Every pixel with every other
#
# Now a picture. Krähenbühl and Koltun (2011) had the idea to link *every* pixel with *every* other one, so that a color
# can carry a label far. It is called the dense, or fully connected, CRF. The weights $K_{ij}$ come from two bells,
#
# $$ K_{ij} = w_1 \exp\Big(-\frac{|s_i - s_j|^2}{2\sigma_\alpha^2} - \frac{|I_i - I_j|^2}{2\sigma_\beta^2}\Big)
# + w_2 \exp\Big(-\frac{|s_i - s_j|^2}{2\sigma_\gamma^2}\Big), $$
#
# with the places $s$ and the colors $I$ of the two. The first is large if they are near *and* alike in color; the
# second if they are just very near, and it smooths away single pixels. Each pixel has a sum of all its bells; the bell
# of two pixels is divided by the square roots of both sums, so that pixels with many neighbors of their color do not
# outvote all others. On a crop of 40 × 50 pixels we can write down all of it: 2,000 pixels, and a matrix of 2,000 ×
# 2,000. ("Going deeper" tells where the five numbers come from.)

# %%
SETTINGS = {
    "bilateral_weight": 5, "bilateral_sigma_xy": 24, "bilateral_sigma_rgb": 6,
    "gaussian_weight": 1, "gaussian_sigma": 1,
}  # fmt: skip


def bell(features):  # N x D, in units of their sigmas, to N x N
    k = torch.exp(-0.5 * torch.cdist(features, features) ** 2)
    return k / torch.sqrt(k.sum(0)[:, None] * k.sum(1)[None])


window = (slice(66, 106), slice(28, 78))
crop, truth = pictures[1][0][:, *window], pictures[1][1][window]
rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(50.0), indexing="ij")
place = torch.stack([columns, rows], -1).flatten(0, 1)  # N x 2
color = crop.permute(1, 2, 0).flatten(0, 1).float()  # N x 3
K = 5 * bell(torch.cat([place / 24, color / 6], 1)) + 1 * bell(place / 1)

# %% [markdown]
# What does one pixel's row of this matrix look like? We ask a pixel of the bicycle, and one of the stones.

# %% alt="Left, a crop of a scene: the front of a bicycle on a pavement, with an orange dot on the tire and a blue one on the stones. Middle, the weights of the orange pixel: bright spots along the tires. Right, the weights of the blue pixel: a small glow around it and dim specks all over the stones, none on the bicycle" fold="Draw two rows of the matrix as pictures"
figure, axes = plt.subplots(1, 3, figsize=(9, 2.7))
axes[0].imshow(crop.permute(1, 2, 0))
axes[0].set_title("crop")
asked = {"weights of the orange pixel": (27, 30, "#E69F00"), "weights of the blue pixel": (17, 18, "#56B4E9")}
for axis, (title, (row, column, dot)) in zip(axes[1:], asked.items(), strict=True):
    weights = K[row * 50 + column].clone()
    weights[row * 50 + column] = 0  # its own is by far the largest
    axis.imshow(weights.reshape(40, 50).sqrt(), cmap="inferno")
    axis.set_title(title)
    for one in (axis, axes[0]):
        one.plot(column, row, "o", color=dot, markersize=7, markeredgecolor="white")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# So this is who has a say. (The figure draws the square root of the weights, so that small ones show.) The pixel of the
# tire hears the tires, even those far away; the pixel of the stones hears stones of its shade all around, but not the
# bicycle. Now we can compute the energy of some labelings of the crop. The network is ours at output stride 8.

# %%
p = found[8][1][1][:, *window]  # 33 x 40 x 50, the network's softmax
U = -p.flatten(1).T.clamp(1e-5, 1).log()  # N x 33


def energy(x):  # N labels; each pair is met twice in the matrix, hence the half
    own = U[torch.arange(len(x)), x].sum()
    return own + 0.5 * (K * (x[:, None] != x[None])).sum()


network_labels = U.argmin(1)
pavement = torch.full_like(network_labels, SCENES.index("pavement"))
print(f"the network's labels: {energy(network_labels):.0f}")
print(f"pavement everywhere:  {energy(pavement):.0f}")

# %% [markdown]
# Pavement everywhere is cheaper than what the network says! No pair pays then, and that saves a little more than the
# pixels of the bicycle lose. Does the field want the bicycle to vanish? Let us see where mean field goes. Each step is
# one line, the one that we derived, with one difference: the pixel's own vote, the diagonal of $K$, stays in the sum,
# as in the authors' code.

# %%
Q, steps = torch.softmax(-U, dim=1), []
for _ in range(11):
    steps.append(Q)
    Q = torch.softmax(-U + K @ Q, dim=1)

ours = steps[10].T.reshape(p.shape)
assert torch.allclose(ours, models.dense_crf(p, crop, iterations=10, method="exact", **SETTINGS),
                      atol=1e-4)  # fmt: skip
print(f"after ten steps:      {energy(steps[10].argmax(1)):.0f}")

# %% [markdown]
# There is a labeling that is much cheaper still, and mean field has found it. Move the slider to see how.

# %% fold="Draw the label map and the probability of bicycle after each step"
figures, texts, names = [], [], []
bicycle, shown = SCENES.index("bicycle"), (0, 1, 2, 3, 4, 6, 10)
seen = torch.stack([steps[number].argmax(1) for number in shown]).unique().tolist()
for number in shown:
    labels = steps[number].argmax(1).reshape(40, 50)
    right = (labels == truth)[truth != 255].float().mean()
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.7))
    panels = {"crop": crop.permute(1, 2, 0), "labels": colorize(labels, SCENES)}
    for axis, (title, picture) in zip(axes, panels.items(), strict=False):
        axis.imshow(picture)
        axis.set_title(title)
    axes[2].imshow(steps[number][:, bicycle].reshape(40, 50), cmap="cividis", vmin=0, vmax=1)
    axes[2].set_title("probability of bicycle, dark 0 to yellow 1")
    for axis in axes:
        axis.set_axis_off()
    plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=len(seen))
    figures.append(figure)
    texts.append(f"Energy of the labels {energy(steps[number].argmax(1)):.0f}; {right:.1%} of the pixels are right.")
    names.append(f"{number}")
plotting.movable_figures(figures, texts, "Mean-field steps", names)

# %% [markdown]
# The network knew that there is a bicycle; the picture knows where. Step by step the label creeps along the color of
# the frame, and the stones between its tubes become pavement again. So the low energy was worth looking for. Is the
# truth cheapest?

# %%
# the thin void outline as pavement
filled = torch.where(truth == 255, pavement.reshape(40, 50), truth).flatten()
print(f"the true labels:      {energy(filled):.0f}")

# %% [markdown]
# Not quite: the true labels cost more than those of mean field. The energy only knows colors and what the network said,
# and what is cheapest by it is not the truth but a good guess. Remember that number when the field goes wrong, below.
#
# ### Does every step lower the free energy?
#
# Our derivation changed one pixel and held the others. But we moved all at once. And we kept the diagonal of $K$, so we
# minimize another function than $F$. Look at the pairs' mean energy: it is a constant minus $\tfrac12 \sum_{i \neq j}
# \sum_k K_{ij}\, Q_i(k)\, Q_j(k)$. With the diagonal, $i = j$ is in that sum, too, and each pixel adds $-\tfrac12
# K_{ii} \sum_k Q_i(k)^2$. If all $Q$ are 0 or 1, this is only another constant. Otherwise it is a reward for being
# sure. Call the function with it $\tilde F$, and draw both, step by step.


# %% alt="Two curves over ten mean-field steps, the free energy without the diagonal and the one with it. Both fall from about 2000 to below 1300, most in the first three steps, and are flat from step 7 on" fold="Compute both functions after each step"
def free_energies(q):
    own, entropy = (q * U).sum(), -torch.special.xlogy(q, q).sum()
    with_diagonal = 0.5 * (K.sum() - (q * (K @ q)).sum())  # the constant so that both agree where Q is hard
    others = K - torch.diag(K.diag())
    without = 0.5 * (others.sum() - (q * (others @ q)).sum())
    return float(own + without - entropy), float(own + with_diagonal - entropy)


both = np.array([free_energies(q) for q in steps])
figure, axis = plt.subplots(figsize=(6, 2.8))
axis.plot(both[:, 0], "o-", color="#E69F00", label="$F$, without the diagonal")
axis.plot(both[:, 1], "s-", color="#0072B2", label=r"$\tilde F$, with it")
axis.set(xlabel="mean-field step", ylabel="free energy", xticks=range(11))
axis.legend(frameon=False)
plt.show()
print(f"F:  step 8 {both[8, 0]:.2f}, step 10 {both[10, 0]:.2f}")
print(f"F~: step 8 {both[8, 1]:.2f}, step 10 {both[10, 1]:.2f}")

# %% [markdown]
# Both fall, but look at the printed digits: between the steps 8 and 10, $F$ *rises* by a trifle, while $\tilde F$ goes
# on falling. And it must: the matrix with its diagonal is *positive semidefinite* (no eigenvalue is negative), and then
# a step of all pixels at once can never raise $\tilde F$ (Krähenbühl and Koltun 2013). Without the diagonal that
# promise is lost.
#
# ### From a crop to a picture
#
# A picture of 128 × 160 pixels has 210 million pairs, one of 500 × 375 has 17.6 billion. The trick that made the dense
# CRF famous is that $KQ$ is a *filter*, a blur in the five dimensions of place and color, and blurs can be computed
# coarsely: spread the values on the corners of a grid, blur along the grid, and read them off again. The grid is called
# the *permutohedral lattice*, and its time grows with the number of pixels, not of pairs. The price is that all values
# are rounded to the lattice. In the package that is `models.dense_crf(probabilities, image)`.
#
# ## Where it helps, and where it harms
#
# **Predict, then run.** The second scene has a lamp post at the left border, a few pixels wide, in front of trees and a
# meadow. The network has seen it, but draws it a few pixels beside its place. What will the CRF do? (The third scene is
# seen at output stride 16, the others at 8.)

# %% alt="Three scenes, each with the network's labels, the labels after the CRF, and a map of changes. First row: outlines of boat, horse and sheep are repaired, in blue. Second: horizon and aeroplane are repaired, but the lamp post at the left, which the network had drawn, is gone. Third, at output stride 16: the pavement at the lower border, in orange, has become water" fold="Refine three scenes"
coarse = predict(course_network(16), pictures[33][0], return_probabilities=True)
cases = {16: ("it helps", *found[8][16]), 7: ("where is the post?", *found[8][7]), 33: ("it harms", *coarse)}
figure, axes = plt.subplots(3, 4, figsize=(9, 6.6))
seen = set()
for row, (scene, (title, before, probabilities)) in zip(axes, cases.items(), strict=True):
    image, target = pictures[scene]
    after = models.dense_crf(probabilities, image, iterations=5, **SETTINGS).argmax(0)
    seen |= set(draw_maps(row[:3], scene, {"network": before, "with the CRF": after}).tolist())
    row[0].set_title(title)
    plotting.show_changes(target, before, after, row[3])
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=7, columnspacing=1)
figure.legend(handles=plotting.change_patches(), loc="outside upper right", ncol=3, frameon=False)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# It wipes the post out. Where the network drew it, the colors are those of sky, trees and meadow, so these vote it
# away. And where it truly stands, the network gave it a probability of only 0.24 on average: nearly nobody votes for
# it.
#
# </details>
#
# All three come from the same rule. Where the network was undecided along an outline, color decides, and is right. The
# *share* of right pixels rises in the second scene, too, and yet the post is gone: what is thin counts little. In the
# harbor, the network had found two thirds of the pavement, but it was surer of the last third, which it called water.
# All of the pavement has one color, so it votes as one, and on the whole it says water. (The water has no part in this:
# we painted it pure blue, and nothing changed.) A CRF spreads what a region says on the whole. It does not know better.
#
# ## The claim, measured
#
# The recorded experiment puts the same CRF behind five networks: three output strides, one with a decoder (a fine map
# added at the end; lesson 6b), and the course's checkpoint, which is the best of them.

# %%
card("deeplab.crf")

# %% [markdown]
# The gain over all pixels, next to changes of label, and on thin things, each seed a dot:

# %% alt="Dots of three seeds for five networks: gain of the CRF in mean IoU, within two pixels of a label change, and in the share of thin pixels that are right. All gains in mean IoU are above zero; on thin things the course checkpoint is below zero" fold="Draw the gain of the CRF behind five networks"
show("deeplab.crf", keys=["mean_iou_gain", "band_iou_gain", "thin_gain"])
plt.show()

# %% [markdown]
# The CRF helps every network, by 5 to 7 points over all pixels. That part of the claim is confirmed. But "the better
# the network, the less there is left" is not what we see: whether the finest map gains less than the coarsest stays
# undecided, next to changes of label it gains *more*, and the checkpoint, the best network of all, gains most. Behind
# the checkpoint we also see the price: thin things lose.
#
# What may flatter the CRF here? Drawn scenes have flat colors and crisp edges, and that is what its color bell believes
# in. Photographs have noise, blur and shadows. So that was tested: the network keeps what it said about the clean
# pictures, and only the CRF gets disturbed ones. (Noise is given by its standard deviation, of the 255 steps of
# brightness; shadows take a share of the light.)
#
# **Predict, then run.** How much of the gain is left at a noise of 20?

# %%
card("deeplab.crf_noise")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Of 6.4 points 2.5 are left.
#
# </details>
#
# So the CRF depends on what it can see, and more disturbance takes more of its gain:

# %% alt="Dots of three seeds for nine kinds of pictures: the gain of the CRF in mean IoU and within two pixels of a label change. As drawn 6.4 points and nearly 10; noise of 5, 10 and 20 leaves 5.6, 4.4 and 2.5; a blur of 2 pixels leaves 1.6; shadows leave 5.6 and 4.5; noise, blur and shadow together leave 0.9" fold="Draw the gain on disturbed pictures"
show("deeplab.crf_noise", keys=["mean_iou_gain", "band_iou_gain"])
plt.show()

# %% [markdown]
# That drawn pictures flatter the CRF was our guess, and the test bears it out. With noise, blur and shadow together 0.9
# points are left; and if the network, too, sees pictures disturbed like that, the CRF takes a point away. v2's gain on
# photographs, 1.34 points, is far from the 6.4 of pictures as drawn.
#
# ### Why its successors dropped it
#
# A CRF is a second program behind the network, with five settings that must be tuned on pictures with labels; v2 used
# 100 of VOC's val set. It is not trained with the network (later works did that: see Zheng et al. 2015 below). And it
# takes its time. v3, the subject of [lesson 6b](06b_deeplab_v3.ipynb), reaches more without it. Where you have a
# trained network, pictures with crisp edges, and no time to train again, it is still worth a try.
#
# ## Summary
#
# - An atrous convolution is an ordinary one with $r - 1$ zeros between its weights. Its answers contain those of the
#   network with a stride. It is free per place; a finer map has more places.
# - v2's ASPP adds the scores of several rates; a rate of $r$ at stride $s$ compares pixels $r \cdot s$ apart. Around
#   it, the largest score of three picture sizes counts.
# - A labeling's energy is what the pixels pay for their labels (unary) plus what pairs pay for different ones (Potts).
#   Its probability is $e^{-E} / Z$.
# - Mean field looks for independent pixels whose free energy, mean energy minus entropy, is lowest. One step is
#   $\text{softmax}(-U + KQ)$.
# - A dense CRF links all pixels, by place and color. It repairs outlines where color tells them, wipes out what is
#   thin, and spreads what a region says on the whole, right or wrong.
#
# In [assignment 6](assignments/06_deeplab.ipynb) you write these parts yourself, together with those of
# [lesson 6b](06b_deeplab_v3.ipynb).
#
# ## Self-test
#
# 1. A kernel of 5 weights has rate 3. How long is the stuffed kernel? Which values of a line does it read?
# 2. A network of output stride 16 is set to 8. What happens to the rates of its head, to the number of weights, and to
#    the operations of the head?
# 3. On a map of stride 8, how far from the middle does a 3 × 3 kernel at rate 18 read, in pixels?
# 4. Three pixels of the same color lie in a row. The network says A, B, A, each with probability 0.6 of two labels.
#    Which labeling is cheapest if the pair weights are large? And if they are zero?
# 5. The free energy has two parts. What would mean field do without the entropy?
# 6. Why may a lower energy be worse in IoU?
#
# <details><summary>Answers</summary>
#
# 1. 3 · 4 + 1 = 13 long; it reads the values at −6, −3, 0, 3 and 6.
# 2. The rates double, the weights stay, and there are four times as many places, so four times the operations.
# 3. 8 · 18 = 144 pixels, to each side.
# 4. A, A, A: B in the middle makes two pairs pay, and giving it up costs only log(0.6 / 0.4). With weights of zero A,
#    B, A, the network's own.
# 5. It would put all of a pixel's probability on the label that is cheapest now; softmax would become argmax.
# 6. The energy knows colors and the network's opinion, not the truth: the true labels of our crop cost more than those
#    that mean field found.
#
# </details>
#
# ## Reading
#
# - [DeepLab v2](https://arxiv.org/abs/1606.00915): §3.1 has our line and our edge kernel, §3.3 the CRF, §4.1 what each
#   part adds. Figure 10 compares the outlines of VGG16 with CRF and ResNet-101 without.
# - [Krähenbühl and Koltun 2011](https://arxiv.org/abs/1210.5644): the dense CRF. Look for why a message is a filter.
#   Their paper of 2013, *Parameter learning and convergent inference for dense random fields*, has the proof about the
#   diagonal.
# - [Zheng et al. 2015, *CRF as RNN*](https://arxiv.org/abs/1502.03240): mean field as layers, trained with the network.
# - [Conditional Random Fields, Stanford University (by Daphne Koller)](https://www.youtube.com/watch?v=rc3YDj5GiVM):
#   why labels are modeled *given* the picture.
# - [DeepLab: Semantic Image Segmentation (How it works)](https://www.youtube.com/watch?v=b6jhopSMit8): what each of
#   v2's three parts repairs.

# %% [markdown]
# ## Going deeper
#
# ### All pixels at once can oscillate
#
# Two pixels have no opinion of their own, and a strong link. One begins as A with 0.9, the other as B with 0.9. Without
# the diagonal each takes over what the other says, again and again; with it, they meet.

# %% fold="Two pixels that swap opinions"
for own_vote in (0.0, 3.0):
    links, Q = torch.tensor([[own_vote, 3.0], [3.0, own_vote]]), torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    history = [Q[:, 0].tolist()]
    for _ in range(4):
        Q = torch.softmax(links @ Q, dim=1)
        history.append(Q[:, 0].tolist())
    print(f"diagonal {own_vote:g}:", "  ".join(f"({a:.2f}, {b:.2f})" for a, b in history))
    print("   eigenvalues of the matrix:", torch.linalg.eigvalsh(links).tolist())

# %% [markdown]
# The matrix with zeros on its diagonal has a negative eigenvalue: it is not positive semidefinite, and all pixels
# moving at once can run in a circle. (One pixel after the other, $F$ falls in every step, whatever the diagonal.)
#
# ### Whose settings?
#
# | | $w_1$ | $\sigma_\alpha$ | $\sigma_\beta$ | $w_2$ | $\sigma_\gamma$ |
# |---|---|---|---|---|---|
# | v2's paper, §4.1.1: searched on 100 pictures | 3 to 6 | 30 to 100 | 3 to 6 | 3 | 3 |
# | the authors' published script | 5 | 50 | 3 | 3 | 3 |
# | a well-known PyTorch port | 4 | 67 | 3 | 3 | 1 |
# | `models.dense_crf`, unless told otherwise | 4 | 67 | 3 | 3 | 3 |
# | this lesson and its experiment, tuned on 30 training scenes | 5 | 24 | 6 | 1 | 1 |
#
# The paper does ten mean-field steps.
#
# ### Three heads on VGG16
#
# v2 cuts VGG's fc6 from 7 × 7 × 4,096 to 3 × 3 × 1,024 with holes. Most of FCN's 134 million parameters were there.
# *ASPP-S* has small rates, *ASPP-L* large ones; with VGG16 each branch has an fc6, fc7 and scores of its own.

# %% fold="Count the parameters of the three heads"
for head, rates in (("largefov", "12"), ("aspp_s", "2, 4, 8, 12"), ("aspp_l", "6, 12, 18, 24")):
    with torch.device("meta"):
        network = models.create("deeplabv2_vgg16", num_classes=21, head=head)
    print(f"{head:8} rates {rates:13}: {sum(one.numel() for one in network.parameters()) / 1e6:.1f} million parameters")

# %% [markdown]
# ### The training of the paper
#
# Batch norm stays frozen as ImageNet left it; the learning rate is $2.5 \cdot 10^{-4}$, ten times that in the new
# layers, with momentum 0.9; ten pictures at a time, in crops of 321 pixels, scaled by 0.5 to 1.5. The labels are shrunk
# to the map (v3 found later that enlarging the [logits](glossary.ipynb#logit) instead is worth 1.2 points). What the
# loss is, only the authors' files tell: the sum of one for each scale and one for the maximum.
#
# ### Published results
#
# The ladder of the paper with ResNet-101 and VGG16 on VOC 2012 val, rung by rung, and its other results. On Cityscapes
# (fine labels only, in overlapping crops) the CRF gave 0.4 of the 71.4 % on val.

# %% fold="List the published results of DeepLab v2"
from segtutor.claims import published_table

ladder, results = (published_table("DeepLab v2", "markdown", kind=kind) for kind in ("ablation", "paper"))
Markdown(f"{ladder}\n\n{results}")

# %% [markdown]
# ### Published weights
#
# This needs a file of a PyTorch port, converted from the authors' Caffe weights:
#
# ```python
# model = models.create("deeplabv2_resnet101", num_classes=21, multi_scale=True, align_corners=False)
# print(models.load_weights(model, "deeplabv2_resnet101_msc-vocaug-20000.pth", layout="kazuto_deeplabv2"))
# ```
#
# ### Pitfalls
#
# - **Logits, or a normalized picture, given to the CRF.** It takes probabilities, and colors from 0 to 255. In many
#   packages nothing complains; NaN in, NaN out ([pydensecrf#38](https://github.com/lucasb-eyer/pydensecrf/issues/38)).
# - **Height and width exchanged** in the CRF's call
#   ([tensorflow-deeplab-resnet#69](https://github.com/DrSleep/tensorflow-deeplab-resnet/issues/69)): the shape fits,
#   the labels do not.
# - **The CRF's package does not install** ([pydensecrf#123](https://github.com/lucasb-eyer/pydensecrf/issues/123)).
#   Ours needs nothing but PyTorch.
# - **CRF settings of VOC on other pictures.** Noise, size and sharpness differ; tune on training pictures, not on those
#   that you report.
# - **Another output stride, the same rates.** The weights load, but the output changes
#   ([vision#7956](https://github.com/pytorch/vision/issues/7956)).
# - **`align_corners` mixed within a network** makes a shift, and 0.1 to 0.2 points of difference
#   ([deeplab-pytorch#37](https://github.com/kazuto1011/deeplab-pytorch/issues/37)).
# - **ASPP as one module.** In v2 scores are added, in v3 maps are put side by side: the same name, two layers.
# - **Nonsense as input.** The package says what is wrong:

# %% fold="Feed six kinds of nonsense"
logits, image = torch.randn(33, 20, 30), torch.zeros(3, 20, 30, dtype=torch.uint8)
attempts = {
    "head": lambda: models.create("deeplabv2_vgg16", head="aspp"),
    "rates": lambda: models.create("deeplabv2_tiny", rates=()),
    "logits": lambda: models.dense_crf(logits, image),
    "normalized image": lambda: models.dense_crf(logits.softmax(0), image / 255),
    "height and width": lambda: models.dense_crf(logits.softmax(0).mT, image),
    "sigma": lambda: models.dense_crf(logits.softmax(0), image, gaussian_sigma=0),
}
for words, attempt in attempts.items():
    try:
        attempt()
    except ValueError as error:
        print(f"{words}: {error}")
