# ---
# title: "DeepLab v3 and v3+: a better pyramid, a decoder, and all results"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 6a](06a_deeplab_v2.ipynb)", batch norm in PyTorch]
# minutes_work: 60
# ---

# %% [markdown]
# DeepLab v2 needed a field of pixels behind the network to get its outlines right. Its authors then asked what the
# network itself could do better. **DeepLab v3** (Chen, Papandreou, Schroff and Adam, 2017) is a long series of careful
# experiments on one question: how does a network see far on a fine map, with few [strides](glossary.ipynb#stride)? In
# the end its pyramid, a relative of PSPNet's [pyramid pooling](glossary.ipynb#pyramid-pooling), is so good that the
# field is dropped. **v3+** (Chen, Zhu, Papandreou, Schroff and Adam, 2018) gives the outlines back to the network,
# through a small decoder, and makes convolutions cheap.
#
# At the end of this lesson all semantic networks of the course so far run the same race, and you will see something
# that no table of a paper shows.
#
# ## Objectives
#
# After this lesson you can
#
# - **build** both networks of v3, the one that goes deeper and the one that looks in parallel;
# - **choose** rates that fit the map, and **say** what [image pooling](glossary.ipynb#image-pooling) and
#   [multi-grid](glossary.ipynb#multi-grid) are for;
# - **build** v3+'s decoder and its [separable convolution](glossary.ipynb#separable-convolution), and **count** what
#   the latter saves;
# - **tell** what an experiment says from what its budget of training says;
# - **compare** published results by their protocol: data, scales, split.
#
# ## The claim
#
# > A simple decoder that adds a fine map to the coarse, far-seeing one makes the [label map](glossary.ipynb#label-map)
# > better, above all along the outlines of things.
#
# On VOC 2012 val, the mean of the classes' [intersection over union](glossary.ipynb#intersection-over-union), the [mean
# IoU](glossary.ipynb#mean-IoU), rises from 77.21 % (v3) to 78.85 % (v3+), both with a ResNet-101 as
# [backbone](glossary.ipynb#backbone) at an [output stride](glossary.ipynb#output-stride) of 16 (its last map has one
# place for every 16 × 16 pixels) ([Chen et al. 2018](https://arxiv.org/abs/1802.02611), §4.1). Within the narrowest
# band along the outlines the gain is 4.8 points (§4.4). We measure both.

# %% fold="Import what the lesson needs"
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor import claims, models, plotting
from segtutor.claims.catalog import find
from segtutor.claims.results import recorded
from segtutor.claims.showing import card, run_short

plotting.use_course_style()


def count_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


# %% [markdown]
# ## Two ways to see farther
#
# A ResNet at output stride 16 has a last stage of three blocks. How can the network go on from there without making the
# map any coarser? v3 tries two ways, and keeps everything else equal.
#
# ### In a row: the cascade
#
# The first way is *deeper*. Copies of the last stage, which the paper calls block4 and the drawing layer4, follow each
# other, block5, block6 and block7, and each has twice the rate of the one before. Where an ordinary network would halve
# its map, this one doubles its rate.

# %% alt="The cascaded DeepLab v3 as a chain of slabs: picture, stem, four stages, then block5, block6 and block7 with rates 4, 8, 4, then 8, 16, 8, then 16, 32, 16, all 2048 by 33 by 33; scores, logits" fold="Draw the cascaded network"
with torch.device("meta"):
    cascaded = models.create("deeplabv3_cascaded_resnet101", num_classes=21).eval()
layout = plotting.deeplabv3_cascaded_layout(cascaded)
figure, axis = plt.subplots(figsize=(9, 2.6))
plotting.show_architecture(plotting.trace_shapes(cascaded, (513, 513)), layout, ax=axis)
plt.show()

# %% [markdown]
# Each copy has three [residual blocks](glossary.ipynb#residual-block) as the stage has, with a 3 × 3 convolution in
# each, and you may wonder about their rates in the drawing: 4, 8, 4 and not 4, 4, 4. That is *multi-grid*. v3
# multiplies the rate of a stage by *unit rates*, one for each of its three residual blocks: (1, 2, 1) in the cascade,
# and (1, 2, 4) in the last stage of the other network. What for? The figure shows what a place of the map reads through
# the last stage at output stride 16, whose rate is 2, and one layer of rate 1 in front of it. The darker a place, the
# more paths lead to it. (The titles list the rates themselves, with that 1 in front, and call the places pixels.)
#
# **Predict, then run.** Which unit rates see farthest, (1, 1, 1), (1, 2, 1) or (1, 2, 4)? And do holes open, as in
# lesson 4?

# %% fold="Draw which places a last stage reads, with three unit rates"
figures, texts, names = [], [], []
for units in ((1, 1, 1), (1, 2, 1), (1, 2, 4)):
    rates = (1, *(2 * unit for unit in units))
    figure, axis = plt.subplots(figsize=(4.4, 4.8))
    axis = plotting.show_reach(rates, side=33, ax=axis)
    figures.append(figure)
    texts.append(axis.get_title().replace("\n", " ") + ".")
    names.append(str(units))
plotting.movable_figures(figures, texts, "Unit rates", names)

# %% [markdown]
# <details><summary>Answer</summary>
#
# (1, 2, 4), with a field of 31 places against 15: nearly the whole map of 33. No holes open, because each rate is at
# most 1 plus twice the sum of those before it, the rule of lesson 4.
#
# </details>
#
# Note that unit rates are *multiplied by the rate of the stage*, and only in the 3 × 3 convolution of each block. Many
# ports do it differently, so look at the rates of the network that you use. (Without multi-grid, the first block keeps
# the rate of the stage before, as in lesson 4.)

# %%
for stride in (16, 8):
    for grid in ((), (1, 2, 4)):
        with torch.device("meta"):
            network = models.create("deeplabv3_resnet50", variant="paper",
                                    output_stride=stride, multi_grid=grid)  # fmt: skip
        rates = [block.conv2.dilation[0] for block in network.backbone.layer4]
        print(f"output stride {stride:2}, multi-grid {grid or 'none'!s:9}: last stage {rates}")

# %% [markdown]
# The recorded experiment adds what the gradient says, and what three blocks reach without a layer of rate 1 before
# them:

# %%
card("deeplab.grid_field")

# %% [markdown]
# So multi-grid widens the field, and it is not multi-grid that closes the holes: the layer of rate 1 does, and a real
# network has many of them in front. Is the wider field worth anything? In the paper, (1, 2, 4) is worth 1.2 points with
# the parallel network (75.36 to 76.58 %). On the course's small backbone, whose last stage has only two blocks, we
# tried (1, 2) against (1, 1):

# %%
card("deeplab.multi_grid")

# %% [markdown]
# Undecided: less than a point is lost, and the seeds spread as far. The poles, which are so thin that holes could miss
# them, tell us no more: their IoU is 9.7 % with (1, 1) and 8.0 % with (1, 2), and from seed to seed this difference
# varies by more than its own size.
#
# ### Side by side: the new pyramid
#
# The second way is *wider*. v3 takes up v2's [atrous spatial pyramid
# pooling](glossary.ipynb#atrous-spatial-pyramid-pooling) (ASPP), and it is another module, although the name is the
# same. Its branches give *maps* of 256 channels instead of scores. There are a 1 × 1 convolution, three 3 × 3 ones with
# rates, and a branch that looks at the whole picture, and each has batch norm and ReLU behind it. All are put **side by
# side** (in v2 they were added) and mixed by a 1 × 1 convolution; only then another 1 × 1 makes scores.

# %% alt="DeepLab v3 as a chain of slabs: picture, stem, four stages down to 2048 by 33 by 33, the last with rates 2, 4 and 8; five branches of 256 channels, a 1 by 1, three 3 by 3 with rates 6, 12 and 18, and the mean over the map; side by side 1280 channels, mixed to 256, scores of 21 classes, logits of the picture's size" fold="Draw the parallel network"
with torch.device("meta"):
    v3 = models.create("deeplabv3_resnet101", num_classes=21, variant="paper").eval()
figure, axis = plt.subplots(figsize=(9, 6.8))
plotting.show_architecture(plotting.trace_shapes(v3, (513, 513)), plotting.deeplabv3_layout(v3), ax=axis)
plt.show()
for name, network in (("cascaded", cascaded), ("parallel", v3)):
    print(f"{name}: {count_parameters(network) / 1e6:.1f} million parameters")

# %% [markdown]
# The parallel network has three tenths fewer parameters than the cascaded one. Written out, the pyramid is this:


# %%
def layer(inputs, outputs, side=1, rate=1):
    convolution = nn.Conv2d(inputs, outputs, side, padding=rate * (side // 2), dilation=rate, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Pyramid(nn.Module):
    def __init__(self, inputs, rates, channels=256):
        super().__init__()
        whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), *layer(inputs, channels))
        self.convs = nn.ModuleList([layer(inputs, channels),
                                    *(layer(inputs, channels, 3, r) for r in rates), whole])  # fmt: skip
        self.project = nn.Sequential(*layer((2 + len(rates)) * channels, channels), nn.Dropout(0.5))

    def forward(self, x):
        parts = [branch(x) for branch in self.convs]
        parts[-1] = parts[-1].expand_as(parts[0])  # the mean is the same at every place
        return self.project(torch.cat(parts, dim=1))


# %% [markdown]
# With the package's weights it must give the package's numbers, and it does:

# %%
from segtutor.models.aspp import ASPP

mine, theirs = Pyramid(32, (6, 12, 18), 16).eval(), ASPP(32, (6, 12, 18), 16).eval()
mine.load_state_dict(theirs.state_dict())
x = torch.randn(2, 32, 33, 33)
with torch.no_grad():
    assert torch.allclose(mine(x), theirs(x), atol=1e-6)
print(tuple(x.shape), "->", tuple(mine(x).shape), "in both")

# %% [markdown]
# ### A rate can be too large
#
# v2 had a fourth rate, 24. v3 found that it harms a little (76.46 % instead of 76.58). What goes wrong can be counted.
# A 3 × 3 kernel at rate $r$ reads nine places, but near the border of the map some of them lie outside, where there are
# only zeros.
#
# **Predict, then run.** The map has 65 × 65 places (a picture of 513 pixels at output stride 8). From which rate on is
# there *no* place at which all nine weights lie on the map? From which on does only the weight in the middle count,
# everywhere?

# %% alt="Left, three curves over the rate on a map of 65 by 65: the share of places with all nine weights falls to zero at rate 33; the share with four rises to its highest value there and falls again; the share with one reaches 100 percent at rate 65. Right, the map at rates 12, 24 and 48, each place colored by the number of its weights in use: a large middle with nine, a small one, and corners with four around a cross of fewer" fold="Count the weights that lie on the map, for every rate"
from segtutor.claims.experiments.deeplab.atrous import taps_in_use

rates = range(1, 66)
shares = 100 * np.array([taps_in_use(65, rate) for rate in rates])
figure, axes = plt.subplots(1, 4, figsize=(9, 2.7), width_ratios=(2.2, 1, 1, 1))
for taps, color, style in ((9, "black", "-"), (4, "#0072B2", "--"), (1, "#E69F00", "-.")):
    axes[0].plot(rates, shares[:, taps - 1], style, color=color, label=f"{taps} weight{'s' * (taps > 1)}")
axes[0].set(xlabel="rate", ylabel="places, %", xticks=(1, 12, 24, 36, 48, 65))
axes[0].legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1)
for axis, rate in zip(axes[1:], (12, 24, 48), strict=True):
    ones = torch.ones(1, 1, 65, 65)
    in_use = F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)[0, 0]
    drawn = axis.imshow(in_use, cmap="cividis", vmin=1, vmax=9)
    axis.set_title(f"rate {rate}")
    axis.set_axis_off()
figure.colorbar(drawn, ax=axes[3], label="weights in use", ticks=(1, 2, 3, 4, 6, 9))
plt.show()
print("no place with nine from rate", next(r for r in rates if shares[r - 1, 8] == 0))
print("one weight everywhere from rate", next(r for r in rates if shares[r - 1, 0] == 100))

# %% [markdown]
# <details><summary>Answer</summary>
#
# From rate 33 on: the two outer weights lie 66 places apart and no longer fit on the map at once. From rate 65 on, the
# 3 × 3 convolution has become a 1 × 1 with nine times the weights.
#
# </details>
#
# Rate 36, a branch of v3 at output stride 8, uses fewer than four of its nine weights on average. The rule that
# follows: **choose rates for the map**, not from a table. On the map of 12 × 16 places of the small scenes below, rate
# 18 would leave only the middle weight and rate 12 one and a half on average; our networks have 2, 4 and 6.

# %%
card("deeplab.rates")

# %% [markdown]
# ### Image pooling
#
# If large rates see nothing, let one branch look at everything. *Image pooling* is the **mean** over the whole map, one
# vector, given to every place. You know it from lesson 4: it is bin 1 of PSPNet's pyramid, and it told mooring bollards
# from street bollards for a near-sighted network. In v3's paper it brings 0.6 points (76.58 to 77.21 %).
#
# **Predict, then run.** Our map has 12 × 16 places, and the largest of the three rates is 6, that is 48 pixels to each
# side. Will image pooling help here?

# %%
card("deeplab.image_pooling")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No. All three seeds *lose*, between one and nearly three points, though they spread so much that the card stays
# undecided. The paper of v3+ has such a case, too: on Cityscapes it is better *without* image pooling, 79.14 % against
# 78.79.
#
# </details>
#
# Where would it help, then? Where what matters lies beyond all rates. Lesson 6a had a table of distances: how often
# does a small head behind a near-sighted backbone know which kind of bollard it sees, if the scene tells it only from
# so many pixels on? Look at it again, now at the last two rows.

# %% alt="A table of percentages as a heat map, eight heads by six distances from 10 to 58 pixels. The single rates and the three rates side by side are dark in the last column, 49 to 66 percent. Rate 1 and image pooling, and the rates 2, 4, 8 in a row, are bright in every column, 95 and more" fold="Draw how often eight heads are right, by distance"
claims.show_table("deeplab.distance", 50, 100)
plt.show()

# %% [markdown]
# In the last column the scene tells nothing within 58 pixels, and the largest rate reaches 64: no rate is right in more
# than two cases of three, and three rates side by side are no better. A head of rate 1, which by itself reaches
# nowhere, knows it in 98 % of all cases as soon as it gets image pooling. And so do the rates 2, 4 and 8 *in a row*:
# their steps add up, as in the cascade. So both ways of v3 reach what is beyond every single rate. In the pictures of
# the card above, 96 × 128, little lies beyond a rate that reaches 48 pixels to each side.
#
# ### Batch norm
#
# v2 left the batch norm of its ResNet as ImageNet had made it, and put none into its pyramid. v3 trains it. That needs
# batches of 16 pictures, and these need maps that are not too large, which is why v3 trains at output stride 16 and
# only later goes to 8, with batch norm frozen. What does batch norm in the pyramid do for the training? Two networks
# learn in the next cell, for 120 steps on 200 scenes.

# %%
run_short("deeplab.batch_norm", progress=False)

# %% [markdown]
# One seed decides nothing, but it shows how such an experiment runs. The recorded one, with three seeds:

# %%
card("deeplab.batch_norm")

# %% [markdown]
# Confirmed: 43.9 % without, 49.2 % with. The paper's gain is smaller, 1.3 points, but it compares batch norm that
# learns with batch norm that is left as it was. We compare it with none at all.
#
# ### In a row or side by side?
#
# The paper's answer is clear: the parallel network is better *and* smaller, 77.21 % against 76.66. We asked the same of
# the small backbone, whose last stage has two blocks.

# %%
card("deeplab.cascaded")

# %% [markdown]
# One sentence is reversed: the parallel network ends two points and a half *below* the one with two more blocks. And
# further blocks did not help, though the seeds spread too much to be sure. Whoever reads only this card concludes that
# v3's pyramid is useless. So let us look at one more number, the loss on the *training* scenes in the last steps:

# %%
results = recorded(find("deeplab.cascaded"))
for variant in results.runs:
    loss, iou = (results.mean_and_spread(variant, key)[0] for key in ("loss", "mean_iou"))
    print(f"{variant:9} training loss {loss:.2f}, mean IoU on new scenes {iou:.1%}")

# %% [markdown]
# The network with the pyramid has not even learned its *training* scenes as well as the bare backbone (block4): 0.87
# against 0.69. That is called underfitting. All four have learned for 400 steps of eight scenes, 1.6 passes over the
# 2,000 scenes, and from random weights. The paper trains for 30,000 steps with 16 pictures, from a backbone that
# ImageNet has taught. So this is what the card says: **at this budget**, the bare backbone is ahead and the pyramid
# behind. It does not say who would win in the end.
#
# So let us ask that, too. Now the same parts stand behind the course's *pretrained* backbone, on scenes of 64 × 96.
# Each network has one long training, whose *learning* rate stays constant, and is scored several times on the way. The
# figure shows how far each one is above or below the bare backbone (“backbone alone”), with the uncertainty of three
# seeds, and beside it the training losses. A third network takes part, which the next section builds: a pyramid at
# stride 16 with a *decoder*. It needs about as many operations as the bare backbone at stride 8 (6 % more).

# %% alt="Left, the gap in mean IoU to the bare backbone after 150, 400, 1,200 and 3,600 steps. The ASPP is first 5.7 points below it, then 2.6, 1.0 and 0.4; the ASPP at stride 16 with a decoder is first 0.8 below it, then 3.3, 5.7 and 6.9 above. Right, three falling training losses: after 150 steps the bare backbone's is the lowest with 1.13, after 1,200 steps the decoder's with 0.48" fold="Draw the gap against the steps"
claims.show_gaps("deeplab.steps", "backbone alone")
plt.show()

# %% [markdown]
# The gap of the pyramid closes. It is 5.7 points after 150 steps, 2.6 after 400, 1.0 after 1,200, and 0.4 after 3,600;
# three seeds cannot tell the last two from zero. Its training loss, at first 1.41 against 1.13, comes down to nearly
# the bare backbone's. So the pyramid had indeed not learned enough. But it has not overtaken the bare backbone, either.
# The pyramid with a decoder has. After 150 steps the seeds still disagree, after 400 it is ahead, and its lead grows
# from 3.3 points there to 5.7 after 1,200 steps and 6.9 after 3,600. In the end it has 73.4 % against 66.5, for hardly
# more operations.

# %%
card("deeplab.steps")

# %% [markdown]
# Which of two networks is better depends on where you stop. Whoever compares should look at how the gap *develops*, not
# at one point of it. (Between the two cards not only the number of steps differs, but also the start, the size of the
# scenes and the course of the learning rate. These runs do not tell which of them made the gap smaller.)
#
# ## Version 3+: a decoder
#
# v3 enlarges its scores by 8 or 16 in one go; an outline can only be as good as that. **v3+** takes the 256 channels
# behind the pyramid, enlarges them to stride 4, and puts the map of stride 4 beside them, which the backbone has
# computed anyway. Two 3 × 3 convolutions mix both. Such a part that brings a coarse map back to fine places is called a
# *decoder*, and what comes before it the *encoder*. (The [skips](glossary.ipynb#skip-connection) of FCN in lesson 3
# *added scores*; here *maps* are put side by side, before there are any scores.)

# %% alt="DeepLab v3+ as a chain of slabs: on the left the encoder rises from layer1 to 2048 by 33 by 33; beside it the five branches of the pyramid, mixed to 256 by 33 by 33; in the row below, the map of layer1 with 256 by 129 by 129 is reduced to 48 channels, put side by side with the enlarged map of the pyramid to 304 channels, refined by two 3 by 3 convolutions; scores, logits" fold="Draw v3+"
with torch.device("meta"):
    plus = models.create("deeplabv3plus_resnet101", num_classes=21).eval()
figure, axis = plt.subplots(figsize=(9, 7.7))
plotting.show_architecture(plotting.trace_shapes(plus, (513, 513)), plotting.deeplabv3plus_layout(plus), ax=axis)
plt.show()

# %% [markdown]
# Why is the fine map cut to 48 channels? It has 256, as many as the coarse one, and the decoder should ask it *where*,
# not *what*. The paper tried 8 to 64: 77.61 % with 8, 78.21 with 48, 77.94 with 64. The forward pass is four lines,
# here beside the package's.


# %%
def decode(network, features):
    low = network.reduce(features["low"])  # 1 x 1, stride 4, few channels
    far_seeing = network.aspp(features["out"])  # stride 16
    enlarged = F.interpolate(far_seeing, low.shape[-2:], mode="bilinear", align_corners=True)
    return network.classifier(torch.cat([enlarged, low], dim=1))  # 3 x 3, 3 x 3, 1 x 1


small = models.create("deeplabv3plus_tiny", num_classes=33, output_stride=16,
                      rates=(1, 2, 3), low_channels=48).eval()  # fmt: skip
images = torch.randn(1, 3, 97, 129)
with torch.no_grad():
    scores = decode(small, small.backbone(images))
    logits = F.interpolate(scores, images.shape[-2:], mode="bilinear", align_corners=True)
    assert torch.allclose(logits, small(images)["out"], atol=1e-6)
print("scores", tuple(scores.shape), "-> logits", tuple(logits.shape))

# %% [markdown]
# ### The claim, measured
#
# The experiment compares a network without a decoder with three that have one, which take 16, 32 and 48 channels of the
# fine map.
#
# **Predict, then run.** Where will the gain be: everywhere, or only along outlines? And how far does it reach, in
# pixels?

# %% alt="Gain of the decoder over the network without it in four groups of pixels by their distance to the next change of label, a dot per seed and a line through the means: about 11 points at 1 pixel, highest at 2 to 3 pixels, about 5.5 at 4 to 7, hardly any farther away" fold="Draw the decoder's gain by the distance to the next change of label"
results = recorded(find("deeplab.decoder"))
groups = {"within_1": "1", "within_3": "2–3", "within_7": "4–7", "beyond": "farther"}
pairs = zip(results.runs["48 channels"], results.runs["no decoder"], strict=True)
gains = 100 * np.array([[better[group] - plain[group] for group in groups] for better, plain in pairs])
figure, axis = plt.subplots(figsize=(6, 3.2))
axis.plot(gains.T, "o", color="#0072B2", alpha=0.7)
axis.plot(gains.mean(0), color="black", lw=2)
for place, column in enumerate(gains.T):
    axis.text(place, column.max() + 0.7, f"{column.mean():+.1f}".replace("-", "−"), ha="center", va="bottom")
axis.axhline(0, color="gray", lw=1)
axis.set_xticks(range(4), groups.values())
axis.set(xlabel="distance to the next change of label, pixels", ylabel="points more that are right", xlim=(-0.4, 3.4))
axis.margins(y=0.15)
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Along outlines, by far: most at two and three pixels, some up to seven, next to nothing farther away, where there was
# little to gain.
#
# </details>

# %%
card("deeplab.decoder")

# %% [markdown]
# The decoder helps, confirmed: 41.4 % without it, 53.0 % with it. Far from outlines it brings 0.3 points on average;
# whether that is really less than two, three seeds leave undecided, by a hair. The number of channels matters in the
# same direction as in the paper, and more: 48 channels are three points better than 16.
#
# ### Atrous separable convolution
#
# A full 3 × 3 convolution does two things at once: it looks around, and it mixes channels. A *separable convolution*
# does them one after the other. The *depthwise* 3 × 3 filters each channel by itself, at a rate if you like; then it is
# called atrous separable. The *pointwise* 1 × 1 mixes. With $C$ channels in and $C'$ out, a place costs
#
# $$ \underbrace{9\,C\,C'}_{\text{full}} \qquad \text{or} \qquad \underbrace{9\,C}_{\text{depthwise}} +
# \underbrace{C\,C'}_{\text{pointwise}} $$
#
# multiplications, and there are as many weights.
#
# **Predict, then run.** From 256 channels to 256: how many times fewer is that?


# %%
def separable(inputs, outputs, rate):
    depthwise = nn.Conv2d(inputs, inputs, 3, padding=rate, dilation=rate, groups=inputs, bias=False)
    pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
    norms = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
    return nn.Sequential(depthwise, norms[0], nn.ReLU(), pointwise, norms[1], nn.ReLU())


def weights(network):  # of the convolutions
    return sum(parameter.numel() for parameter in network.parameters() if parameter.ndim == 4)


for C, out in ((256, 256), (2048, 256), (304, 256)):
    full, cheap = weights(nn.Conv2d(C, out, 3, bias=False)), weights(separable(C, out, 6))
    assert (full, cheap) == (9 * C * out, 9 * C + C * out)
    print(f"{C:4} to {out}: full {full:9,}, separable {cheap:7,}, {full / cheap:.1f} times fewer")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 8.7 times: 9 · 256 · 256 = 589,824 against 9 · 256 + 256 · 256 = 67,840. The ratio is $9C' / (9 + C')$, whatever $C$:
# with many channels out it comes close to nine, the size of the kernel, because nearly all of the work is the mixing.
#
# </details>
#
# Does the package's layer agree?

# %%
from segtutor.models.separable import AtrousSeparableConv

mine, theirs = separable(256, 256, 6).eval(), AtrousSeparableConv(256, 256, rate=6).eval()
mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values(), strict=True)))
x = torch.randn(1, 256, 33, 33)
with torch.no_grad():
    assert torch.allclose(mine(x), theirs(x), atol=1e-5)

# %% [markdown]
# It does. In the pyramid and the decoder of a whole v3+, it saves this much:

# %%
for name in ("deeplabv3plus_resnet101", "deeplabv3plus_xception65"):
    for kind in (False, True):
        with torch.device("meta"):
            network = models.create(name, num_classes=21, separable=kind).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 513, 513, device="meta"))
        operations = counter.get_total_flops() / 1e9
        words = f"{name}, {'separable' if kind else 'full'}"
        print(f"{words:35} {count_parameters(network) / 1e6:.1f} million parameters, "
              f"{operations:.0f} billion operations")  # fmt: skip

# %% [markdown]
# That is about a quarter of the parameters and more than a third of the operations. The paper gives up 0.14 points for
# it (79.93 % with full convolutions, 79.79 with separable ones). And ours?

# %%
card("deeplab.separable")

# %% [markdown]
# Parameters, operations and time shrink, as promised. But mean IoU falls from 53.0 to 48.7 %, with every seed, where
# the paper loses 0.14 points. (The card allowed two points and stays undecided, since the seeds spread.) And one thing
# no formula tells: the *memory* kept for the gradient grows, from 4.6 to 6.0 MB per picture, because each separable
# layer leaves twice as many maps behind.
#
# The training loss is higher, too, 0.90 against 0.80. Is it the short training again? Let us ask that of all three parts
# whose cards have disappointed us: two more blocks, multi-grid, and separable convolutions. As above, all start from the
# pretrained backbone, and each is compared with the same network without the part.

# %% alt="Left, three gaps in mean IoU after 150, 400 and 1,200 steps. Two more blocks rise from 1.8 points below the bare backbone to 1.1 and 0.5 below; unit rates 1, 2 stay on the line of 1, 1; the separable decoder stays 3.1, 2.7 and 3.0 points below the full one. Right, falling training losses, each with that of its base dashed: those of the rates lie on each other, that of the separable decoder above its base throughout, and that of two more blocks first above and at 1,200 steps below its base" fold="Draw the gaps of three parts against the steps"
claims.show_gaps(
    "deeplab.parts",
    {
        "two more blocks": "backbone alone",
        "unit rates 1, 2": "unit rates 1, 1",
        "decoder, separable": "ASPP at stride 16 and decoder",
    },
)
plt.show()

# %% [markdown]
# The three parts give three answers. **Two more blocks** come nearer, from 1.8 points behind to 1.1 and 0.5, but after
# 1,200 steps they are still behind with every seed. By then their training loss is the *lower* one, 0.51 against 0.54: so
# what is left is no underfitting any more. **Multi-grid** makes no difference at any length, for the poles neither (22.7
# against 22.3 %). The paper's stage has three blocks and rates up to 4; are two blocks with rates 1 and 2 too few to
# show it? The next section tests that. **Separable convolutions** stay three points behind from beginning to end, and their training loss stays the
# higher one. So it is not the short training. They have fewer weights to learn with, and our layers are four times as
# narrow as the paper's; whether that is the reason, we have not tested.

# %%
card("deeplab.parts")

# %% [markdown]
# ### Multi-grid with three blocks
#
# Were two blocks too few? So the last stage gets a third one, with random weights, and may have the paper's unit rates,
# 1, 2, 4. Only the 1 × 1 of the classes stands behind it, so that nothing else looks far. Beside it run 1, 1, 1, and a
# third variant, 2, 2, 2, whose field is nearly as wide as that of 1, 2, 4, but full of holes. Each block has two 3 × 3
# convolutions, and the rate of the stage is 2. This is what the six of them read by themselves:

# %% alt="Three maps of 61 by 61 places with the field as an orange frame and the places that are read in blue. Unit rates 1, 1, 1: every other row and column of a small square of 25 places. 2, 2, 2: only every fourth row and column of a square of 49. 1, 2, 4: every other row and column of a square of 57" fold="Draw what a stage of three blocks reads, with three unit rates"
figure, axes = plt.subplots(1, 3, figsize=(9, 3.5))
for axis, units in zip(axes, ((1, 1, 1), (2, 2, 2), (1, 2, 4)), strict=True):
    rates = [2 * unit for unit in units for _ in range(2)]
    plotting.show_reach(rates, side=61, ax=axis)
    axis.grid(False, which="minor")
    field = axis.get_title().split(": ")[1]  # how large it is, and which share is read
    axis.set_title(f"unit rates {', '.join(map(str, units))}:\n{field}", fontsize=10)
plt.show()

# %% [markdown]
# **Predict, then run.** A pole is a pixel or two wide. If holes hurt what is thin, which of the three has the lowest IoU
# of poles? And is the wide field of 1, 2, 4 worth anything?

# %%
card("deeplab.three_blocks")

# %% [markdown]
# <details><summary>Answer</summary>
#
# If holes hurt the poles, 2, 2, 2 should have the lowest IoU. It does not: 23.3 %, against 22.4 with 1, 1, 1.
#
# </details>
#
# All four lines are undecided. After 1,200 steps the mean IoU is 61.3 % with 1, 1, 1, 61.8 with 2, 2, 2 and 61.9 with 1,
# 2, 4. The last is ahead of the first with every seed, by 0.3 to 1.2 points, as in the paper, but the seeds differ as
# much. So it was not for want of a third block that multi-grid showed so little. And the poles do not miss the places
# that 2, 2, 2 leaves out, thirteen of fourteen. The stages in front have rate 1 and have read everything around a place
# before this stage begins; whether that is the reason, we have not tested.
#
# ### Xception
#
# v3+'s best backbone is made entirely of separable convolutions: 65 layers without any pooling. Its strides stand
# inside separable convolutions, so that any of them can become a rate. With a ResNet-101 the decoder reaches 78.85 % on
# VOC val, with Xception-65 79.93. It is `models.create("deeplabv3plus_xception65")`.

# %% [markdown]
# ## Results
#
# ### On equal terms
#
# The best results of the papers share neither backbone nor data nor tests. So we ran the race ourselves: every semantic
# network of lessons 3, 4, 6a and 6b on the same small backbone, on the same scenes, with the same number of steps,
# three seeds each. Six networks of later lessons run along, two from [lesson 8](08_transformers.ipynb), three from
# [lesson 9](09_mask_classification.ipynb) and one from [lesson 11](11_real_world.ipynb); you need not know them yet. The
# bars are the range of the seeds; the farther to the upper left, the better. (A triangle at the lower edge is a network
# that lies below the figure, with its number.)

# %% alt="Twenty-three named points, mean IoU against billions of operations per picture. At the top right, at 1.5 billion, the bare backbone at stride 4 with 60.1 percent; below it at 2 billion PSPNet and DeepLab v3 at stride 4; at the top left, at 0.3 billion, FCN-8s from pretrained weights with 57.5; in the middle the networks of stride 8 between 49 and 54; farthest to the left SegFormer with 47.7; at the lower left those of stride 16, FCN-16s, ViT and Mask2Former near 42; triangles at the lower edge, below the figure, for FCN-32s 27.5, MaskFormer 30.9, EoMT 31.8 and U-Net 33.8" fold="Draw the leaderboard"
claims.show_leaderboard()
plt.show()

# %% [markdown]
# The winner has no head at all. With 60.1 %, the bare backbone at stride 4 comes first, with nothing but a 1 × 1
# convolution behind it; PSPNet at stride 4 follows, then FCN-8s from pretrained weights, the only network that did not
# begin at random. What separates the networks of lessons 3 to 6 here is how fine their map is, and what they start from.
# At stride 8 and at stride 4, the bare backbone is ahead of every head. The decoder of v3+ pays: on an encoder of stride 16, with a
# quarter of the operations, it comes within three points of v3 at stride 4.
#
# Here, too, the caution applies that you have already met: this is a ranking after 400 steps. The course's own DeepLab
# v3, trained for 3,800 steps on larger scenes, has 79 % in lesson 6a. Who would be first after a training as long as
# that, and on larger pictures, this race does not say; the figure of the gaps says that it need not be the bare
# backbone.
#
# What came after these networks is drawn in purple. SegFormer, a transformer, has 47.7 % for 0.25 billion operations,
# fewer than any other network needs. The others end below FCN-8s: ViT, the plainest transformer, at 41.8 %, and the
# three that give masks with classes at 42.2 (Mask2Former), 31.8 (EoMT) and 30.9 % (MaskFormer). So does lesson 11's
# U-Net, with 33.8.
#
# **Do not rank families of networks by these points.** After 400 steps from random weights these networks have hardly
# begun to learn. U-Net has the finest map of all, one place for every pixel; but the loss on its *training* scenes is
# still 1.40, where PSPNet's is 0.79. A network of masks must first settle which of its answers is for which object,
# and one and the same MaskFormer ends anywhere from 25.0 to 36.8 %, depending on the seed. The authors of SegFormer,
# MaskFormer and Mask2Former begin with pretrained encoders and train for 160,000 steps. A point tells how far a network
# comes in 400 steps, and not how far it can come.

# %%
card("results.leaderboard")

# %% [markdown]
# So the papers' order does not show after 400 steps: v3 is even behind v2, and only at the boundaries is it certain
# that v3+ beats v3.
#
# These comparisons were made at equal *stride*. But a head costs operations, and so does a finer map. A second fair
# question is therefore: what else could the *same operations* have bought? In the figure above, compare points that
# stand one above the other; the next card does so for the parts of DeepLab:

# %%
card("deeplab.equal_operations")

# %% [markdown]
# Now v3+ looks good. For 0.3 billion operations, decoder and separable convolutions reach 48.7 %, while v3 at stride 16
# reaches 41.4. For half a billion, the pyramid at stride 16 with a decoder reaches 53.0 %, the pyramid at stride 8 only
# 49.2. So even after so few steps, the decoder is a cheaper way to a fine map than a smaller stride, which is what its
# authors argue. But the bare backbone has 54.3 % for as many operations; the card cannot tell it apart from the network
# with the decoder. And if there is more to spend, the bare backbone's finer map is the best buy: for 1.5 billion it has
# 60.1 %, while the pyramid at stride 4 has 55.8 for 1.9. More blocks (“cascaded”) have 51.7 % for 1.0, and thus less
# than the bare backbone at stride 8, at twice its price.
#
# The same two questions for every part of the two lessons, in points of mean IoU. The third column is the answer of the
# part's own card; the last compares the network *with* the part with the one in the fourth column, which has about as
# many operations:

# %% fold="List every part at equal stride and at equal operations"
from segtutor.claims.experiments.deeplab.spent import spent_table

Markdown(spent_table())

# %% [markdown]
# Four parts cost hardly anything: for them, both questions are one. A finer map gains much at equal stride, and each
# time there is a cheaper network that does better. The decoder gains most, 11.6 points; the bare backbone at stride 8,
# which is what else its price buys, is 1.3 points ahead of it, and three seeds cannot tell the two apart. Separable
# convolutions lose 4.3 points, but are 7.3 ahead of v3 at stride 16, which is as cheap. (FCN-8s is, too, and has
# 49.6 %.) All of it holds for 400 steps from random weights.
#
# ### As published
#
# Now the papers' own numbers, on VOC 2012. **Compare only what is comparable**: within one band (test or val), between
# marks of one shape (how it was tested) and one color (what it had learned from). Backbones differ, too.

# %% alt="Published mean IoU on PASCAL VOC 2012 in two bands. Test set: FCN-8s 62.2 and 67.2, PSPNet 82.6 and 85.4, DeepLab v2 79.7, v3 85.7 and 86.9, v3+ 87.8 and 89.0. Val set: v2 76.35 and 77.69, v3 from 77.21 to 82.7, cascaded 76.66 and 79.35, v3+ from 78.85 to 84.56. Shapes tell single scale, several scales and CRF; colors tell ImageNet only, more public data, and JFT-300M" fold="Draw the published results on VOC 2012"
claims.show_published("PASCAL VOC 2012")
plt.show()

# %% [markdown]
# “DeepLab v3 has 86.9 %” and “v3+ has 89.0 %” are right, with three additions: on the *test* set, with pictures at
# several scales and mirrored, and after learning from JFT-300M, 300 million pictures that only Google has. What others
# can reach is 85.7 % and 87.8 %. Those pictures are worth 1.2 points in both papers; the decoder, on val, is worth 1.6.
#
# And much of v3's gain over v2 is not architecture at all. With crops of 321 pixels, as v2 had them, instead of 513, v3
# has 67.22 % on val, ten points less; with batches of 4 instead of 16 it has 64.43 %. “Going deeper” has the whole
# table.
#
# ### And after DeepLab?
#
# What became of these ideas?
#
# - **SegFormer** ([Xie et al. 2021](https://arxiv.org/abs/2105.15203)) puts a transformer in the place of the backbone.
#   Attention sees the whole picture, so pyramids of rates are no longer needed. A light decoder that puts fine and
#   coarse maps side by side stayed. [Lesson 8](08_transformers.ipynb) takes it apart.
# - **Mask2Former** ([Cheng et al. 2022](https://arxiv.org/abs/2112.01527)) predicts a set of masks, each with one
#   class, instead of a class per pixel; one network then does semantic, instance and [panoptic
#   segmentation](glossary.ipynb#panoptic-segmentation). Its masks are made on a fine map to which coarser ones were
#   added: a decoder again. [Lesson 9](09_mask_classification.ipynb) follows a query from a vector to a mask.
# - **Segment Anything** ([Kirillov et al. 2023](https://arxiv.org/abs/2304.02643)) segments what a click or a box
#   points at, and knows no names of classes. Encoder and decoder stayed, the first heavy and run once, the second
#   light.
#
# ## Summary
#
# - v3 sees far in two ways: in a row, with copies of the last stage at rates that double; or side by side, with v3's
#   pyramid, whose branches are maps with batch norm and not scores.
# - Multi-grid gives the blocks of a stage different rates and widens the field.
# - A rate near the size of the map leaves a 1 × 1. Choose rates for the map; let image pooling see the rest.
# - v3+'s decoder asks a fine map *where*. It gains along outlines and hardly anywhere else.
# - A separable convolution looks around per channel and then mixes: $9C + CC'$ instead of $9CC'$.
# - A comparison holds for its budget of training: see how the gap develops with the steps. A published number needs its
#   split, scales, data and backbone.
#
# In [assignment 6](assignments/06_deeplab.ipynb) you write all of these parts yourself.
# [Lesson 7](07_worked_example.ipynb) takes a trained DeepLab to photographs, yours included.
#
# ## Self-test
#
# 1. A network of output stride 16 with multi-grid (1, 2, 4) is set to output stride 8. Which rates have the three
#    blocks of its last stage, and which the three branches of its pyramid?
# 2. On a map of 33 × 33 places: at how many places does a 3 × 3 kernel at rate 18 use all nine weights? At how many
#    four?
# 3. What does image pooling tell a place that no rate can? What can it not tell?
# 4. How many weights has a separable 3 × 3 from 728 to 728 channels, and how many a full one (without batch norm)?
# 5. In an experiment, network A is two points better than B after 400 steps from random weights. What would you look at
#    before you call A the better network?
# 6. “Network X has 86.9 %, network Y 85.7 %, so X is better.” What do you ask?
#
# <details><summary>Answers</summary>
#
# 1. The stage's rate becomes 4: 4, 8, 16. The pyramid's double, too: 12, 24, 36.
# 2. Nine at none, since 33 − 2 · 18 < 0. Along a line, 3 places (15, 16, 17) have one weight on the map and the other
#    30 have two: 30 · 30 = 900 places use four.
# 3. What the whole picture holds, however far away. Not where it is.
# 4. 9 · 728 + 728² = 536,536 and 9 · 728² = 4,769,856.
# 5. At the training losses (does B still underfit?), at the gap after more steps, from pretrained weights, and at the
#    operations of both.
# 6. Test or val? At how many scales? Trained on what besides (these two are one network, v3, with and without
#    JFT-300M)? Which backbone, which output stride?
#
# </details>
#
# ## Reading
#
# - [DeepLab v3](https://arxiv.org/abs/1706.05587): Figure 4 and §3.3 are our count of weights; §4 and appendix A are a
#   model of honest ablation. Look for how much of the gain is training.
# - [DeepLab v3+](https://arxiv.org/abs/1802.02611): §4.1 on the decoder, §4.4 on outlines. Look for how narrow the band
#   is in which the decoder wins.
# - [Chollet 2017, *Xception*](https://arxiv.org/abs/1610.02357): separable convolutions taken to the end.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo): the price of
#   resolution.

# %% [markdown]
# ## Going deeper
#
# ### What made v3 better, in its own table


# %% fold="List the ablations of v3"
Markdown(claims.published_table("DeepLab v3", "markdown", kind="ablation"))

# %% [markdown]
# Labels shrunk to the size of the map, instead of [logits](glossary.ipynb#logit) enlarged, cost 1.2 points: thin things
# are not in them any more. The 85.7 % on the test set also need pictures with hard classes repeated, and a last
# training on train and val at output stride 8; training at 8 from the start, with the small batches that fit, is worse
# (74.45 %).
#
# ### All results of the DeepLabs

# %% fold="List the results of v3 and v3+"
names = ("DeepLab v3", "DeepLab v3+")
Markdown("\n\n".join(claims.published_table(name, "markdown") for name in names))

# %% [markdown]
# The gain of the decoder shrinks where the map is finer: from stride 16 to 8, v3 rises from 77.21 to 78.51 %, and v3+
# from 78.85 to 79.35 %, so that half of the 1.6 points is left. Separable
# convolutions save the paper 33 to 41 % of the multiplications of the whole network.

# %% alt="Published mean IoU on Cityscapes in two bands, test and val, for FCN-8s, PSPNet, DeepLab v2, v3 and v3+; shapes tell single scale, several scales and CRF; colors tell ImageNet only and more public data" fold="Draw the published results on Cityscapes"
claims.show_published("Cityscapes")
plt.show()

# %% [markdown]
# ### Why the code differs from the papers
#
# The paper, the authors' code, torchvision's network, and ours: v3 first.

# %% fold="Show the differences of v3"
from segtutor.models.deeplabv3 import DIFFERENCES
from segtutor.models.differences import as_markdown

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# And v3+, which torchvision does not have:

# %% fold="Show the differences of v3+"
from segtutor.models.deeplabv3plus import DIFFERENCES as PLUS_DIFFERENCES

Markdown(as_markdown(PLUS_DIFFERENCES))

# %% [markdown]
# ### Published weights
#
# Not run here, as they are large files. torchvision's DeepLabV3 (output stride 8, no multi-grid, a 3 × 3 behind the
# pyramid; trained on COCO pictures with VOC's classes) is the network of the [worked example](07_worked_example.ipynb):
#
# ```python
# model = models.create("deeplabv3_resnet101", weights="torchvision")
# ```
#
# v3+ of a PyTorch port, whose decoder has one 3 × 3:
#
# ```python
# model = models.create("deeplabv3plus_resnet101", num_classes=21, variant="port")
# print(models.load_weights(model, "best_deeplabv3plus_resnet101_voc_os16.pth", layout="vainf_deeplabv3plus"))
# ```
#
# ### Pitfalls
#
# - **Multi-grid left out**: [VainF#29](https://github.com/VainF/DeepLabV3Plus-Pytorch/issues/29),
#   [jfzhang95#177](https://github.com/jfzhang95/pytorch-deeplab-xception/issues/177). Or not multiplied by the rate of
#   the stage ([YudeWang#19](https://github.com/YudeWang/deeplabv3plus-pytorch/issues/19)), or put on the 1 × 1
#   convolutions inside one block ([eveningdong#13](https://github.com/eveningdong/DeepLabV3-Tensorflow/issues/13)).
# - **A batch of one in training.** Image pooling leaves one value per channel
#   ([vision#2151](https://github.com/pytorch/vision/issues/2151),
#   [jfzhang95#41](https://github.com/jfzhang95/pytorch-deeplab-xception/issues/41)).
# - **Batch norm's momentum taken over.** TensorFlow's decay 0.9997 is PyTorch's momentum 0.0003, not 0.9997.
# - **A separable convolution without the batch norm in the middle, a decoder with one 3 × 3.** Common in ports; fine
#   networks, but not the paper's, and its numbers are not theirs.
# - **Labels shrunk to the map** instead of logits enlarged.
# - **torchvision's 67.4 % read as a VOC score.** It is on COCO pictures
#   ([vision#1538](https://github.com/pytorch/vision/issues/1538)).
# - **Nonsense as input.** The package says what is wrong:

# %% fold="Feed four kinds of nonsense"
network = models.create("deeplabv3_tiny", num_classes=33).train()
attempts = {
    "a batch of one, in training": lambda: network(torch.zeros(1, 3, 96, 128)),
    "output stride": lambda: models.create("deeplabv3_resnet50", output_stride=4),
    "no channels": lambda: models.create("deeplabv3plus_tiny", low_channels=0),
    "unit rates": lambda: models.create("deeplabv3_resnet50", variant="paper", multi_grid=(1, 2)),
}
for words, attempt in attempts.items():
    try:
        attempt()
    except ValueError as error:
        print(f"{words}: {error}")
