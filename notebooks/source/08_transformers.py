# ---
# title: "Transformers and frozen features"
# minutes_cpu: 3
# minutes_t4: 2
# download: "none needed; 8 MB through pip, once, for features learned from photographs"
# peak_ram: 3 GB
# prerequisites: ["[Lesson 4](04_pspnet.ipynb)", "[Lesson 6b](06b_deeplab_v3.ipynb)", matrix products in PyTorch]
# minutes_work: 75
# ---

# %% [markdown]
# Convolutions look at neighbors. To know what lies far away, the networks of lessons 4 and 6 dilate, pool and stack,
# and still we saw them use only the middle of their field. In 2020 Dosovitskiy and colleagues cut a picture into
# patches and let *every patch look at every other one*, in every layer. Since then most leading networks of this field
# have such a [backbone](glossary.ipynb#backbone), a **transformer**. In this lesson you compute by hand what it does,
# see what it costs, and measure a claim of **SegFormer**, the transformer that was made for segmentation. Then comes
# what changed the practice even more: features that a network has learned *elsewhere*, which nobody touches again, and
# on top of them a single linear layer.
#
# ## Objectives
#
# After this lesson you can
#
# - **compute** attention on paper, and write it with several heads;
# - **say** what a patch sees of the picture, what that costs, and how a smaller map of keys makes it affordable;
# - **explain** how a network that sees a set of patches learns where they are, and what happens on larger pictures;
# - **segment** with one linear layer on features that are frozen, from sixteen labeled pictures;
# - **judge** when that is enough, and which mistakes make it look worse than it is.
#
# ## The claims
#
# > A transformer needs no table of positions: with 3 × 3 convolutions between its layers it is better, and loses less on
# > pictures of another size than those it was trained on.
#
# On whole pictures of Cityscapes, after training on crops, the table costs 3.3 points of
# mean [intersection over union](glossary.ipynb#intersection-over-union), or
# [mean IoU](glossary.ipynb#mean-IoU), and the convolutions 0.7
# ([Xie et al. 2021](https://arxiv.org/abs/2105.15203), §4.2, Table 1c).
#
# > Features that were learned without a single [label map](glossary.ipynb#label-map) are good enough for a linear layer to segment with.
#
# A linear layer on the frozen features of DINOv2's ViT-L reaches 47.7 % on ADE20K
# ([Oquab et al. 2023](https://arxiv.org/abs/2304.07193), §7.4, Table 10). The PSPNet of lesson 4, of which every weight
# was trained for the task, has 41.7 %.

# %% fold="Import what the lesson needs, and draw scenes to learn from"
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models, plotting, training
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.showing import card, show
from segtutor.datasets import Photographs, Scenes
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.models.attention import Attention
from segtutor.plotting import colorize

plotting.use_course_style()
train_pictures = draw(EVERYTHING, "train", 200, (96, 128))  # drawn scenes, 3 x 96 x 128 bytes each
large_scenes = Scenes("val", size=(192, 256), count=40)
photographs = Photographs()
prepare = models.Preprocessing().normalize


def without_frames(axes):
    for axis in np.ravel(axes):
        axis.set_axis_off()


# %% [markdown]
# ## Attention on four patches
#
# Lesson 4 began with a boat that a network took for a car, because it did not see the water. Let us cut such a picture
# into four patches: sky, boat, and twice water. The patch with the boat may now *ask* the others. Its question is a
# vector of four numbers, the *query*: how much does it want to know about sky, water, hull, land? Every patch holds up
# a vector of the same length that says what it is, its *key*. And every patch has something to hand over, its *value*;
# here two numbers, how wet it is and how bright.
#
# How well a key answers the question is measured by their scalar product, divided by the root of the length $d = 4$.
# The softmax turns the four answers into weights that sum to 1, and with these weights the values are averaged:
#
# $$ \text{attention}(q, K, V) = \mathrm{softmax}\Big(\frac{q K^\top}{\sqrt{d}}\Big)\, V. $$
#
# The root is there because the products of long vectors are large, and after a softmax of large numbers a single weight
# is nearly 1 and nothing else is heard.
#
# **Predict, then run.** The boat asks with $q = (0, 2, 0, 2)$: is there water, is there land? You have a calculator:
# $e^2 \approx 7.4$. What does it take from each patch, and how wet does it believe its surroundings to be?

# %%
patches = ["sky", "boat", "water", "water"]
query = torch.tensor([0.0, 2, 0, 2])  # about sky, water, hull, land
keys = torch.tensor([[2.0, 0, 0, 0], [0, 0, 2, 0], [0, 2, 0, 0], [0, 2, 0, 0]])
values = torch.tensor([[0.0, 1], [0, 0], [1, 0], [1, 0]])  # wet, bright

answers = keys @ query / 4**0.5
weights = answers.exp() / answers.exp().sum()
taken = weights @ values
for patch, answer, weight in zip(patches, answers, weights, strict=True):
    print(f"{patch:5} answers {answer:.0f}, weight {weight:.2f}")
print(f"the boat takes: wet {taken[0]:.2f}, bright {taken[1]:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The answers are 0, 0, 2, 2, so their exponentials are 1, 1, 7.4, 7.4, of sum 16.8. Water gets 0.44 twice, sky and boat
# 0.06 each. The boat learns that its surroundings are 88 % wet. On a road, the two lower patches would have answered
# just as well, since the question was about land, too. But their values would have said: not wet. The key decides *who*
# is heard, the value *what* is said.
#
# </details>
#
# As a picture, with arrows as wide as the weights:

# %% alt="Four squares, two by two: sky and boat above, water twice below. Thick arrows labeled 0.44 lead from both waters to the boat, a thin one labeled 0.06 from the sky. Below each name stands its key." fold="Draw the four patches"
figure, axis = plt.subplots(figsize=(6.4, 3.6))
spots = [(0, 1), (1.5, 1), (0, 0), (1.5, 0)]
fills = ["#CFE8F7", "#F3D9B8", "#9CC7E0", "#9CC7E0"]
for name, key, weight, (x, y), fill in zip(patches, keys.int().tolist(), weights, spots, fills, strict=True):
    axis.add_patch(plt.Rectangle((x, y), 0.8, 0.7, facecolor=fill, edgecolor="black"))
    axis.text(x + 0.4, y + 0.46, name, ha="center", weight="bold")
    axis.text(x + 0.4, y + 0.16, f"key {tuple(key)}", ha="center", fontsize=9)
    if name != "boat":
        start, end = {(0, 1): ((0.82, 1.35), (1.48, 1.35)), (0, 0): ((0.82, 0.6), (1.48, 1.05))}.get(
            (x, y), ((1.9, 0.72), (1.9, 0.98))
        )
        axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 12 * weight, "color": "#D55E00"})
        shift = {(0, 1): (-0.1, 0.1), (0, 0): (-0.25, 0.12)}.get((x, y), (0.07, 0))
        spot = [(a + b) / 2 + by for a, b, by in zip(start, end, shift, strict=True)]
        axis.text(*spot, f"{weight:.2f}", va="center")
axis.text(2.4, 1.35, "asks (0, 2, 0, 2),\ntakes: wet 0.88", va="center")
axis.set(xlim=(-0.05, 3.3), ylim=(-0.05, 1.75), aspect="equal")
axis.set_axis_off()
plt.show()

# %% [markdown]
# PyTorch has this formula as one function. Does it say the same?

# %%
fast = F.scaled_dot_product_attention(query[None], keys, values)[0]
assert torch.allclose(fast, taken)
print("by hand", taken.tolist(), "  by PyTorch", fast.tolist())

# %% [markdown]
# It does, but for rounding. In a network nobody writes queries and keys by hand. A patch comes as a vector of $C$
# numbers, called a [token](glossary.ipynb#token), and three learned linear layers make its query, its key and its
# value. *All* tokens ask at the same time. This is [self-attention](glossary.ipynb#self-attention). And since one
# question is not enough, the $C$ numbers are split among several *heads*, which ask independently; a last linear layer
# mixes what they have brought:


# %%
def attention_by_hand(layer, tokens):  # B x N x C
    B, N, C = tokens.shape
    heads = [one(tokens).view(B, N, layer.heads, -1).transpose(1, 2)
             for one in (layer.query, layer.key, layer.value)]  # fmt: skip
    q, k, v = heads  # each B x heads x N x d
    answers = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5  # B x heads x N x N
    taken = answers.softmax(dim=-1) @ v
    return layer.project(taken.transpose(1, 2).reshape(B, N, C))


torch.manual_seed(0)
layer, tokens = Attention(channels=24, heads=3), torch.randn(2, 12, 24)
with torch.no_grad():
    assert torch.allclose(attention_by_hand(layer, tokens), layer(tokens), atol=1e-6)
    print(tuple(tokens.shape), "->", tuple(layer(tokens).shape), "in both")

# %% [markdown]
# It agrees with the package's layer, which calls PyTorch's function. Note the line of the answers: they are
# $N \times N$ numbers for each head. We shall come back to them.
#
# ## A picture as a row of tokens
#
# Where do the vectors come from? The Vision Transformer, ViT, cuts the picture into patches of 16 × 16 pixels, writes
# the 768 numbers of a patch in a row and multiplies them by one matrix, the same for all patches. It is called the
# [patch embedding](glossary.ipynb#patch-embedding). Here are the patches of a scene:

# %% alt="A drawn scene cut into twelve rows of sixteen square patches with white gaps between them; single patches show only a bit of pavement, sky or house" fold="Cut a scene into patches"
scene, truth = large_scenes[8]
drawn_larger, _ = Scenes("val", size=(384, 512), count=40)[8]  # the same scene, each pixel of it as 2 x 2
padded = np.full((12, 36, 16, 36, 3), 255, dtype=np.uint8)
padded[:, 2:34, :, 2:34] = drawn_larger.permute(1, 2, 0).reshape(12, 32, 16, 32, 3).numpy()
figure, axis = plt.subplots(figsize=(4.6, 3.5))
axis.imshow(padded.reshape(12 * 36, 16 * 36, 3))
without_frames(axis)
plt.show()

# %% [markdown]
# Twelve rows of sixteen make 192 tokens.
#
# **Predict, then run.** You know a layer from lesson 3 that multiplies every patch by the same matrix. Which one, and
# with which [stride](glossary.ipynb#stride)?

# %%
images, P, C = prepare(scene)[None], 16, 384
convolution = nn.Conv2d(3, C, kernel_size=P, stride=P)

rows = F.unfold(images, kernel_size=P, stride=P).transpose(1, 2)  # B x 192 x 768: each patch in a row
by_matrix = rows @ convolution.weight.reshape(C, -1).T + convolution.bias
by_convolution = convolution(images).flatten(2).transpose(1, 2)
assert torch.allclose(by_matrix, by_convolution, atol=1e-4)
print("patches in rows", tuple(rows.shape), "-> tokens", tuple(by_matrix.shape))

# %% [markdown]
# <details><summary>Answer</summary>
#
# A convolution whose stride is as large as its kernel. So even ViT begins with a convolution. SegFormer lets the
# patches overlap: kernel 7, stride 4 at the beginning, so that what lies on the border between two patches is not cut
# apart.
#
# </details>
#
# ## What a token sees
#
# A transformer repeats one block again and again: attention, and behind it two linear layers with a nonlinearity, which
# work on each token by itself. Both are corrections that are added to their input, as in a
# [residual block](glossary.ipynb#residual-block), and before each of them the numbers of every token are brought to
# mean 0 and standard deviation 1 (*layer norm*). A token *can* see the whole picture after the very first block. Does
# it? We train the course's small SegFormer, with its three *stages* of strides 4, 8 and 16, for 200 steps (about half a
# minute), and ask the gradient, as in lesson 4.

# %%
torch.manual_seed(0)
segformer = models.create("segformer_tiny", num_classes=len(SCENES))
fresh = models.create("segformer_tiny", num_classes=len(SCENES))
config = training.TrainingConfig(
    steps=200, batch_size=8, learning_rate=2e-3, warmup_steps=20, weight_decay=0.01,
    device="cpu", progress=False,
)  # fmt: skip
record = training.fit(segformer, train_pictures, None, config)
print(f"loss {np.mean(record.losses[:10]):.2f} at first, {np.mean(record.losses[-10:]):.2f} at the end")

# %% [markdown]
# The loss has fallen to about a quarter. Now we ask three networks at the middle of their encoder's last map: lesson
# 4's pretrained ResNet, and the SegFormer before and after training.

# %% alt="The same harbor scene in pale gray, three times, with orange gradient. Small ResNet, trained: a cloud around the middle, half of it in a blue square of 48 pixels. Small SegFormer, random: a block of about 30 pixels within a paler one of 60, half of it within 23. Small SegFormer, trained: densest near the middle, with a pale veil over the whole picture up to its borders; half of it in a square of 51 pixels." fold="Draw the effective fields of three encoders"
images = torch.stack([prepare(Scenes("val", (97, 129), 8)[number][0]) for number in range(8)])
resnet = models.create("pspnet_tiny", weights="backbone", output_stride=16).eval()
drawn_larger = Scenes("val", (4 * 97, 4 * 129), 8)[6][0]  # what the networks see is four times coarser
asked = {"small ResNet, trained": (resnet, "backbone[out]"), "small SegFormer, random": (fresh, "backbone[stage3]")}
asked["small SegFormer, trained"] = (segformer, "backbone[stage3]")
figure, axes = plt.subplots(1, 3, figsize=(9, 3.1))
for axis, (title, (network, map_name)) in zip(axes, asked.items(), strict=True):
    plotting.show_receptive_field(
        network, images, (3, 4), layer=map_name, share=0.5, box=False, picture=drawn_larger, title=title, ax=axis,
    )  # fmt: skip
plt.show()

# %% [markdown]
# The picture is 97 pixels high. The untrained SegFormer *can* see everything and hardly does: half of its gradient comes
# from a square of 23 pixels. After 200 steps the square has 51 pixels, hardly more than the ResNet's 48; but where the
# ResNet's gradient fades toward the borders, a veil now lies over the whole picture. Training has taught the SegFormer
# to look far, while in lesson 4 it made the ResNet's field narrower. This is one run, so an observation and no claim.
#
# The weights themselves say even more: of the trained network's last block we can ask what *one* token takes from each
# of the others, head by head. The blue frame is the token that asks; the deeper the orange, the more it takes from
# there.

# %% alt="A street scene in pale gray, eight times; above a patch of the pavement asks, below one of a car, four heads each. Nearly all the orange lies in a few places that both share: windows of the white house at the left, the roof beside it, the right border at the car, and in heads 3 of both and 4 of the car the upper border of the sky." fold="Draw what one token takes, head by head"
picture = large_scenes[8][0]
with torch.no_grad():
    tokens, size = prepare(picture)[None], None
    for stage in segformer.eval().backbone.stages[:2]:
        tokens = stage(tokens)
    last = segformer.backbone.stages[2]
    tokens, size = last.embed(tokens)
    tokens = last.blocks[0](tokens, size)
    weights = last.blocks[1].attention.weights(last.blocks[1].norm1(tokens))[0]  # heads x N x N
drawn_larger, _ = Scenes("val", size=(384, 512), count=40)[8]
figure, axes = plt.subplots(2, 4, figsize=(7.4, 3.1))
for row, (words, asking) in zip(axes, {"pavement": (9, 5), "car": (4, 14)}.items(), strict=True):
    place = (32 * asking[0] + 16, 32 * asking[1] + 16)
    for head, axis in enumerate(row):
        taken = weights[head, asking[0] * size[1] + asking[1]]
        plotting.show_attention(taken, size, place, drawn_larger, title=f"{words} asks, head {head + 1}", ax=axis)
plt.show()

# %% [markdown]
# Nobody has told the heads what to look for. Both tokens take from the same few places, mostly far from themselves: the
# houses at the left, a roof, the upper border of the sky, the car at the right border. Attention is not an explanation
# of the network, though. It tells where a block *takes* from, not what it makes of it, and what it takes has already
# been mixed in the blocks before.
#
# ## Where is it?
#
# Nowhere does the formula say where a token lies.
#
# **Predict, then run.** The twelve tokens of a small map go through a layer of attention, once in their order and once
# shuffled. What is different?

# %%
tokens, order = torch.randn(1, 12, 24), torch.randperm(12)
with torch.no_grad():
    before, after = layer(tokens), layer(tokens[:, order])
print("largest difference, token by token:", f"{(after - before[:, order]).abs().max():.1e}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nothing, but for rounding: each token takes exactly what it took before, wherever it stands now. Attention sees a
# *set*. If you cut a picture apart and shuffle the pieces, it does not notice.
#
# </details>
#
# So somebody must tell it. ViT has a *table of positions*: one learned vector for each place, which is added to the
# token that stands there. (One vector more is for the *class token*, which stands in front, belongs to no patch, and is
# what a classifier reads.) But a table has the size of the training pictures. For others it is enlarged like a picture,
# by interpolation:

# %%
vit = models.create("vit_tiny", num_classes=len(SCENES)).backbone
table = vit.positions[:, 1:]  # without the class token's vector
grid = table.transpose(1, 2).reshape(1, 128, 8, 8)
larger = F.interpolate(grid, size=(12, 16), mode="bicubic")
print("learned for", tuple(grid.shape[2:]), "patches, resized for", tuple(larger.shape[2:]))

# %% [markdown]
# SegFormer does without. The two linear layers of a block are called its *feed-forward network*, FFN, and between them
# SegFormer has a depthwise 3 × 3 convolution, which works on every channel by itself. The whole is
# [Mix-FFN](glossary.ipynb#Mix-FFN):


# %%
def mix_ffn(mlp, tokens, size):  # B x N x C, and the map's h, w
    tokens = mlp.expand(tokens)  # to 4 C channels
    features = tokens.transpose(1, 2).unflatten(2, size)  # as a map
    features = mlp.depthwise(features)
    return mlp.contract(F.gelu(features.flatten(2).transpose(1, 2)))


mlp, tokens = fresh.backbone.stages[0].blocks[0].mlp, torch.randn(1, 6 * 8, 32)
with torch.no_grad():
    assert torch.allclose(mix_ffn(mlp, tokens, (6, 8)), mlp(tokens, (6, 8)), atol=1e-6)
print("the same as the package's")

# %% [markdown]
# What has that to do with positions? A convolution reads zeros beyond the border. So a token at the border gets another
# result than one in the middle, even where the picture is the same everywhere, and block by block that news travels
# inward. You can see it on a picture of one single color: all that differs between two places of its map is what the
# network knows of where they are.

# %% alt="Six maps, yellow where they differ from their middle by a tenth or more. With Mix-FFN a band along all four borders, yellow above and at the left, becomes wider from stage 1 to stage 3, where it is up to two tokens wide. Without positions there is a yellow line one token wide above and at the left, and nothing else." fold="Show a picture of one color to networks with and without Mix-FFN"
from segtutor.claims.experiments.transformers.positions import Crops

figure = plt.figure(figsize=(9, 3.7))
one_color = torch.tensor([0.9, -0.2, 0.4])[None, :, None, None].expand(1, 3, 192, 256)
axes = figure.subplots(2, 3)
for row, (words, places) in zip(axes, {"Mix-FFN": "mix-ffn", "no positions": "none"}.items(), strict=True):
    torch.manual_seed(0)
    encoder = Crops(places).build().eval().backbone
    with torch.no_grad():
        maps = encoder(one_color)
    for axis, (name, values) in zip(row, maps.items(), strict=True):
        middle = values[..., values.shape[2] // 2, values.shape[3] // 2][..., None, None]
        shown = axis.imshow(((values - middle).norm(dim=1) / middle.norm(dim=1))[0], cmap="cividis", vmin=0, vmax=0.1)
        axis.set_title(f"{words}, {name[:-1]} {name[-1]}")
without_frames(axes)
figure.colorbar(shown, ax=axes, label="differs from\nthe middle by", shrink=0.8)
plt.show()

# %% [markdown]
# With Mix-FFN the network feels the border on all four sides, and farther inside from stage to stage. The lower row,
# without positions, is not quite blind either: the patch embeddings overlap, and the first window of each row and
# column hangs out over the border. But that news stays in the outermost tokens.
#
# ## The claim, measured: a table, or convolutions
#
# Now we can test the first claim, and, thanks to a coincidence, cleanly: at our size the table and the convolutions
# have the same number of weights to the last one, 17,920. The networks learn from crops of 64 × 80 pixels and are then
# shown scenes of 192 × 240, three times as high and wide: once window by window, each as large as a crop, and once as a
# whole, with the table interpolated. A third network is the control. It has neither.

# %%
card("transformers.positions")

# %% [markdown]
# A dot for every seed:

# %% alt="Dots of three seeds. Mean IoU by windows: Mix-FFN 23.2 to 26.0 percent, table of positions 20.4 to 22.1, neither 20.5 to 21.4. Of whole scenes: Mix-FFN 23.4 to 25.8, table 17.9 to 19.7, neither 18.6 to 19.4." fold="Draw every seed"
show("transformers.positions", keys=["windows", "whole"])
plt.show()

# %% [markdown]
# Mix-FFN is the better network, by windows by three points and on whole scenes by six, and here the card is sure. The
# table loses two points on whole scenes in the mean, and the paper saw such a loss, too; with three seeds the card
# leaves it undecided. But the control, which has nothing to interpolate, loses as much in the mean, so the
# interpolation need not be the reason here. Nor do three seeds show that the table is better than nothing; perhaps
# because the crops are cut out anywhere, so that the place in a crop says little about what is to be seen. Then it is
# hardly the knowledge of places that makes Mix-FFN better, either. Mix-FFN is also a 3 × 3 convolution in every block,
# a look at the neighbors; to tell the two apart one would have to give its convolutions another padding, which we have
# not tried. Whether Mix-FFN *loses less* from windows to whole scenes, three seeds do not decide: it gained 0.3 points,
# give or take one.
#
# ## What it costs to look everywhere
#
# The answers are a number for each *pair* of tokens. With patches of 4 × 4, which a segmentation needs if it is not to
# lose thin things, a picture of 512 × 512 has 16,384 tokens.
#
# **Predict, then run.** How many pairs are these, and how much memory do they take in one head, at 4 bytes each?

# %%
side = 512 // 4
pairs = (side * side) ** 2
print(f"{side * side:,} tokens, {pairs:,} pairs, {pairs * 4 / 1e9:.2f} GB")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 268 million pairs, more than a gigabyte, for one head of one block and one picture. Twice the side means sixteen times
# as many.
#
# </details>
#
# ViT therefore keeps to patches of 16 pixels, 256 times fewer pairs, and ends with a coarse map. SegFormer keeps the
# fine map and lets every token ask, but *whom* it asks is thinned out: before keys and values are made, a convolution
# of kernel and stride $R$ turns $R \times R$ tokens into one. The answers are then $N \times N/R^2$.

# %%
from segtutor.models.mix_transformer import EfficientAttention

layer, tokens = EfficientAttention(channels=32, heads=1, reduction=8), torch.randn(1, 64 * 64, 32)
with torch.no_grad():
    context = layer.context(tokens, (64, 64))
    print("asking", tuple(tokens.shape), "  answering", tuple(context.shape),
          "  out", tuple(layer(tokens, context).shape))  # fmt: skip

# %% [markdown]
# 4,096 tokens ask, and only 64 answer. Here are the operations of one such layer on pictures of growing size (both axes
# are logarithmic):

# %% alt="Four rising lines on logarithmic axes, operations in billions against the side of the picture from 128 to 1,024 pixels. At 1,024 pixels they end at 550.3 without a reduction, 137.9 at R = 2, 34.8 at R = 4 and 9.0 at R = 8. The line of R = 8 is less steep at the left." fold="Count the operations of one layer of attention"
from torch.utils.flop_counter import FlopCounterMode


def operations(reduction, side):
    with torch.device("meta"):  # shapes without numbers: nothing is computed, and all is counted
        layer, tokens = EfficientAttention(32, 1, reduction), torch.zeros(1, (side // 4) ** 2, 32)
        with FlopCounterMode(display=False) as counter:
            layer(tokens, layer.context(tokens, (side // 4, side // 4)))
    return counter.get_total_flops() / 1e9


sides = (128, 256, 512, 1024)
figure, axis = plt.subplots(figsize=(6.5, 3.4))
for reduction, marker in ((1, "o"), (2, "s"), (4, "D"), (8, "^")):
    counts = [operations(reduction, side) for side in sides]
    axis.plot(sides, counts, marker=marker, label=f"R = {reduction}")
    axis.annotate(f"{counts[-1]:,.1f}", (sides[-1], counts[-1]), xytext=(8, -3), textcoords="offset points")
axis.set(
    xscale="log", yscale="log", xlabel="side of the picture, pixels", ylabel="operations, billions", xlim=(115, 1400)
)
axis.set_xticks(sides, sides)
axis.minorticks_off()
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Without a reduction the line climbs by a factor of sixteen from one size to the next: the pairs dominate. With $R = 8$
# a picture of 1,024 × 1,024 takes 9 billion operations instead of 550, and the line rises more gently at first, because
# there the linear layers and the reducing convolution, which grow only as the tokens do, are most of the work.
#
# ## SegFormer
#
# The whole network now has few parts left. Its encoder, the Mix Transformer, makes four maps like a ResNet, at strides
# 4, 8, 16 and 32. The deeper a stage, the fewer its tokens and the smaller its $R$: 8, 4, 2, 1. And the decoder is the
# simplest of this course. A linear layer brings every map to the same channels, the coarser ones are enlarged, all four
# are put side by side, and two 1 × 1 convolutions make the scores. This is B0, the smallest of six:

# %% alt="SegFormer-B0 as slabs. Above: the picture of 512 by 512 and four stages of 32 by 128 by 128, 64 by 64 by 64, 160 by 32 by 32 and 256 by 16 by 16. Below each stage a linear layer to 256 channels; the three coarser ones are enlarged, and all four stand side by side with 1024 channels at 128 by 128. A 1 by 1 convolution mixes them to 256, another gives scores of 19 classes, enlarged to logits of 512 by 512." fold="Draw SegFormer-B0"
with torch.device("meta"):
    b0 = models.create("segformer_b0", num_classes=19).eval()
figure, axis = plt.subplots(figsize=(9, 6.2))
plotting.show_architecture(plotting.trace_shapes(b0, (512, 512)), plotting.segformer_layout(b0), ax=axis)
plt.show()

# %% [markdown]
# No pyramid, no rates, no 3 × 3 convolution in the decoder: after the encoder, only the enlarging still mixes a place
# with its neighbors. The authors say that this is enough *because* the encoder has seen everything already, and that
# behind a convolutional encoder it would not be.
#
# This fits what you have seen. In lesson 4 a ResNet of two stages, without a pyramid behind it, could not tell two
# bollards apart whose only difference lay far away; and above, the gradient of the trained SegFormer comes from all
# over the picture. But fitting is not proof. A test puts the same decoder behind either encoder. The authors did so
# (Table 1d: with encoders of convolutions the decoder is worse). We did it with lesson 4's bollards, which nothing
# nearer than 29 pixels tells apart:

# %%
card("transformers.decoder")

# %% [markdown]
# The bollards decide it. With the decoder behind two stages of the ResNet their IoU is 30.0 %, behind two stages of the
# transformer, with fewer weights, 73.6. And it is the reach that counts, not the kind of layer: the ResNet's third
# stage, which sees farther, lifts it to 78.0. Two things came out otherwise. Half of the transformer's gradient lies in
# a square of 24 pixels, no more than the ResNet's 27: what it knows from afar, it knows from the other half, and a
# field measured at one half does not show that. And over all classes the transformer is behind, with 44.0 against
# 47.9 %. Why, we have not tested.
#
# And beside the networks of lessons 3 to 6? In [lesson 6b's race](06b_deeplab_v3.ipynb) over all scenes, with 400 steps
# from random weights, SegFormer has 47.7 % for the fewest operations of all, and the plain ViT of this lesson 41.8 %. The
# bare convolutional backbone has 54.3.
#
# ## Features that were learned elsewhere
#
# Everything so far was trained for its task. The second claim says that this is not needed. Let a large network look at
# millions of photographs without any label map; then *freeze* it, which means that no weight of it changes any more;
# and train a linear layer on its [feature map](glossary.ipynb#feature-map). This is called a [linear
# probe](glossary.ipynb#linear-probe), and it measures what the features already know.
#
# The networks that made this famous, DINO and its successors, are ViTs of 22 million weights and more, which a course
# should not make you download. But pip brings a small one: the body of **MobileNetV2**, 1.8 million weights, which
# learned in 2018 to name the 1.2 million photographs of ImageNet. It is a convolutional network and had labels, though
# only one for each picture. The method is the same. Beside it stands the same body with random weights: what *it* can
# do as well owes nothing to the learning.

# %%
from segtutor.claims.experiments.transformers import frozen

bodies = {"random": frozen.body("random")}
try:
    bodies["ImageNet"] = frozen.body("ImageNet")
except OSError:
    print("ImageNet's weights cannot be fetched now. Other random ones take their place: "
          "what the text says of them")  # fmt: skip
    print("can then not be seen.")
    bodies["ImageNet"] = frozen.body("random", seed=1)
print(f"{sum(p.numel() for p in bodies['ImageNet'].parameters()):,} weights, none of which will change")

# %% [markdown]
# ### Features as colors
#
# What does a map of 96 channels look like? We take the three directions in which all its places vary most, the first
# principal components, and show them as red, green and blue. Places of the same color have similar features. (A map
# has 24 × 36 places here; between them the colors are interpolated.)

# %% alt="Above: a cat, a cup, an astronaut and a rocket between towers. In the middle, features of the random body as colored noise in which the cup is just a reddish patch. Below, features of the ImageNet body: the eyes of the cat, cup and saucer, head and shoulders of the astronaut, and rocket and towers can be recognized, with outlines in green." fold="Color the features of four photographs"


def features_of(body, picture, side=448, layers=(17,)):
    """C x h x w; each place's vector has length 1, the shorter side of the picture this many pixels."""
    factor = side / min(picture.shape[-2:])
    size = [round(length * factor) for length in picture.shape[-2:]]
    pixels = F.interpolate(picture[None].float() / 255, size, mode="bicubic", antialias=True).clamp(0, 1)
    maps = list(frozen.maps_of(body, prepare(pixels), layers).values())
    maps = [F.interpolate(one, maps[0].shape[-2:], mode="bilinear") for one in maps]
    return F.normalize(torch.cat(maps, dim=1)[0], dim=0)


shown = [photographs[photographs.names.index(name)][0] for name in ("chelsea", "coffee", "astronaut", "rocket")]
shown = [picture[:, : round(picture.shape[2] / 1.5)] for picture in shown]  # all 3 : 2
figure, axes = plt.subplots(3, 4, figsize=(6.9, 3.7))
for axis, picture in zip(axes[0], shown, strict=True):
    axis.imshow(F.interpolate(picture[None].float() / 255, (288, 432), mode="area")[0].permute(1, 2, 0))
for row, (name, body) in zip(axes[1:], bodies.items(), strict=True):
    maps = torch.stack([features_of(body, picture, 384, (13,))[:, :24, :36] for picture in shown])
    vectors = maps.permute(0, 2, 3, 1) - maps.mean((0, 2, 3))  # 4 x h x w x C
    torch.manual_seed(0)
    colors = vectors @ torch.pca_lowrank(vectors.flatten(0, 2), center=False)[2][:, :3]
    low, high = (torch.quantile(colors.flatten(0, 2), share, dim=0) for share in (0.02, 0.98))
    for axis, one in zip(row, ((colors - low) / (high - low)).clamp(0, 1), strict=True):
        axis.imshow(one, interpolation="bicubic")
    row[0].text(-0.06, 0.5, name, rotation=90, va="center", ha="right", transform=row[0].transAxes)
without_frames(axes)
plt.show()

# %% [markdown]
# Of the random features little can be made out: noise, a shade of the cup, and the padding at the border. ImageNet's
# features draw the eyes of the cat, the cup and its saucer, head and collar of the astronaut, the rocket and the towers
# beside it. Outlines have a color of their own, a green, in all four photographs. All this comes from names of whole
# pictures; nobody has ever shown this network an outline.
#
# ### Neighbors instead of training
#
# If similar things have similar features, one needs no training at all. This course has label maps of six photographs,
# outlined by hand. Mark three places in each region of a photograph; every other place takes the label of the marked
# one whose features are most similar to its own:


# %%
def spread_labels(features, labels, generator):  # C x h x w and h x w; returns h x w
    flat, truth = features.flatten(1), labels.flatten()
    marked = []
    for number in truth[truth != 255].unique():
        places = (truth == number).nonzero()[:, 0]
        marked.append(places[torch.randperm(len(places), generator=generator)[:3]])
    marked = torch.cat(marked)
    similar = flat[:, marked].T @ flat  # cosines, since all vectors have length 1
    return truth[marked][similar.argmax(dim=0)].view_as(labels)


# %% [markdown]
# **Predict, then run.** Three kinds of features: ImageNet's, random ones, and simply the color at each place. All six
# photographs are marked ten times. Which kind is best, which is worst?


# %% fold="Measure three kinds of features"
def colors_of(picture, size):
    small = F.interpolate(picture[None].float() / 255, size, mode="area")[0] - 0.5
    return F.normalize(torch.cat([small, torch.full((1, *size), 0.5)]), dim=0)


for kind in ("ImageNet", "random", "colors"):
    made = []
    for picture, labels in photographs:
        features = features_of(bodies.get(kind, bodies["ImageNet"]), picture, layers=(13, 17))
        size = tuple(features.shape[1:])
        small = F.interpolate(labels[None, None].float(), size, mode="nearest-exact")[0, 0].long()
        made.append((colors_of(picture, size) if kind == "colors" else features, small))
    draws = []
    for number in range(10):
        scores, generator = [], torch.Generator().manual_seed(number)
        for features, small in made:
            matrix = ConfusionMatrix(len(photographs.labels))
            matrix.update(small, spread_labels(features, small, generator))
            scores.append(matrix.mean_iou())
        draws.append(np.mean(scores))
    print(f"{kind:9} mean IoU {np.mean(draws):.0%}; the ten draws lie between {min(draws):.0%} and {max(draws):.0%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# ImageNet's, with 57 % mean IoU, and random features are worst, with 28 %: the plain colors do better, with 46 %. A
# random network is no neutral beginning; it mixes up what the colors had told apart.
#
# </details>
#
# ### One linear layer
#
# Now with sixteen labeled scenes, and a linear layer that learns. It reads four blocks of the body side by side, 472
# channels, and in front of it stands a batch norm, because the numbers in different blocks differ widely in size. The
# features are computed once, since nothing will change them.

# %%
labeled, tested = draw(EVERYTHING, "train", 40, (128, 160)), draw(EVERYTHING, "val", 40, (128, 160))


def stacked(body, pictures):  # B x 472 x 32 x 40
    maps = frozen.maps_of(body, prepare(pictures)).values()
    return torch.cat([F.interpolate(one, (32, 40), mode="bilinear") for one in maps], dim=1)


def probe(features, labels, steps=120):
    head = nn.Sequential(nn.BatchNorm2d(472), nn.Conv2d(472, len(SCENES), kernel_size=1))
    optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3)
    for _ in range(steps):
        batch = torch.randint(len(features), (8,))
        logits = F.interpolate(head(features[batch]), labels.shape[1:], mode="bilinear")
        loss = F.cross_entropy(logits, labels[batch], ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return head.eval()


# %% [markdown]
# **Predict, then run.** Both bodies get such a layer. How many points of mean IoU lie between them?

# %%
truth, answers = tested.maps.long(), {}
for name, body in bodies.items():
    torch.manual_seed(0)
    head = probe(stacked(body, labeled.images[:16]).clone(), labeled.maps[:16].long())
    matrix, answers[name] = ConfusionMatrix(len(SCENES)), []
    for picture, target in zip(tested.images, truth, strict=True):
        with torch.no_grad():
            logits = F.interpolate(head(stacked(body, picture[None])), (128, 160), mode="bilinear")
        answers[name].append(logits[0].argmax(0))
        matrix.update(target, answers[name][-1])
    print(f"{name:9} mean IoU {matrix.mean_iou():.1%} after sixteen labeled scenes")

# %% [markdown]
# <details><summary>Answer</summary>
#
# More than twenty: the same layer has 8.1 % on random features and 30.7 % on ImageNet's. The sixteen scenes, the
# architecture and the number of weights that learn are the same.
#
# </details>
#
# This is what the two draw:

# %% alt="Three scenes, a bus on a street, a street with two people and bollards, and a harbor with a sailing boat, each with two label maps and the truth. Random: sky and part of the pavement are right, the rest is a patchwork of trees, grass, boats and water. ImageNet: sky, pavement, buildings, the boat's sail and the people are in place as blobs; the bus is mostly called car, much of the road pavement, some water grass, and all bollards mooring bollards." fold="Draw the label maps of both"
chosen, seen = (8, 15, 21), set()
large = Scenes("val", size=(240, 300), count=40)
figure, axes = plt.subplots(3, 4, figsize=(7, 5))
for row, number in zip(axes, chosen, strict=True):
    row[0].imshow(large[number][0].permute(1, 2, 0))
    for axis, name in zip(row[1:3], bodies, strict=True):
        axis.imshow(colorize(answers[name][number], SCENES))
        seen |= set(answers[name][number].unique().tolist())
    row[3].imshow(colorize(large[number][1], SCENES))
    seen |= set(large[number][1].unique().tolist())
for axis, title in zip(axes[0], ("scene", *bodies, "truth"), strict=True):
    axis.set_title(title)
without_frames(axes)
plotting.legend(figure, seen - {255}, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=5)
plt.show()

# %% [markdown]
# With ImageNet's features, sky, pavement, buildings, people and the sail are where they should be, after sixteen
# examples. They are blobs, perhaps because most of the channels come from a map of stride 16. The bus is mostly taken
# for a car, much of the road for pavement, water at the right for grass, and both street bollards for mooring bollards.
# On random features hardly more than the sky and parts of the pavement are right.
#
# The whole experiment, with three seeds, 16 and 300 labeled scenes:

# %%
card("transformers.frozen")

# %% [markdown]
# The card is sure of all three. With ImageNet's features, sixteen labeled scenes are worth more than twice as much as
# three hundred with random ones. And mind what this network had learned from: photographs, each with one name. It had
# never seen a drawn scene or a label map.
#
# Our layer reads four blocks side by side. Would one have been enough? And does it need the batch norm?

# %%
card("transformers.probe")

# %% [markdown]
# The last block is not the one to read. At the same stride of 16, block 13 is worth 40.6 %, the last one, block 17, only
# 25.1, and early blocks still less, although their maps are finer. All four together have 53.3 %, far more than the best
# of them alone. And the batch norm brings 1.3 points, with every seed. Whoever compares networks by such a layer should
# therefore say what the layer read.
#
# What the card does not say is that freezing is *better* than training all weights. With many labels it need not be.
# The case for it is another one: few labels, little time, one set of features for many tasks, and a score that measures
# the features and nothing else.
#
# ## Summary
#
# - Attention is an average of values, weighted by how well keys answer a query: softmax of scalar products over the
#   root of their length.
# - A patch embedding is a convolution whose stride is as large as its kernel.
# - A token can see everything from the first block on. What it does see, the gradient and the weights tell.
# - Attention sees a set. A table of positions or the padding of convolutions tells where things are.
# - All pairs of tokens cost the fourth power of the picture's side; a map of keys that is $R$ times smaller divides that
#   by $R^2$.
# - Frozen features and a linear layer need few labels. Random features are no neutral beginning: plain colors beat them.
#
# In [assignment 8](assignments/08_transformers.ipynb) you build the parts yourself, up to a linear probe that must
# reach a given score with sixteen labels. In [lesson 9](09_mask_classification.ipynb) it is no longer patches alone that
# ask: queries join them, each of which draws a mask.
#
# ## Self-test
#
# 1. Three keys answer a query with 0, 0 and ln 2, already divided by the root. What are the weights?
# 2. A picture of 224 × 224 is cut into patches of 16, then into patches of 8. How many tokens are there, and how many
#    times as many pairs?
# 3. Why does a network with Mix-FFN need no resizing for larger pictures, and one with a table does?
# 4. A stage has 64 × 64 tokens and $R = 4$. How many numbers are the answers of one head?
# 5. Somebody reports 33 % for a linear probe whose paper has 44 %. Name three things to look at first.
#
# <details><summary>Answers</summary>
#
# 1. The exponentials are 1, 1, 2: weights ¼, ¼, ½.
# 2. 14² = 196 and 28² = 784 tokens: 4 times as many, 16 times as many pairs.
# 3. The kernel of a convolution is the same at all places; a table has one entry for each place of the training size.
# 4. 4,096 tokens ask 16 × 16 = 256: 1,048,576 numbers instead of 16.8 million.
# 5. Whether the final norm of the backbone was applied, whether batch norm stands before the linear layer, and how large the
#    pictures and masks were, also whether [logits](glossary.ipynb#logit) or labels were enlarged ("Going deeper").
#
# </details>
#
# ## Reading
#
# - [Vaswani et al. 2017](https://arxiv.org/abs/1706.03762), §3.2: the formula, and why it divides by the root.
# - [Dosovitskiy et al. 2020](https://arxiv.org/abs/2010.11929), *An image is worth 16 × 16 words*: Figure 1 is the
#   network, Figure 7 shows what its positions have learned and how far its heads look.
# - [Xie et al. 2021](https://arxiv.org/abs/2105.15203), *SegFormer*: Figure 3 is the [effective field](glossary.ipynb#effective-receptive-field), Table 1 the
#   experiments that you saw here.
# - [Islam, Jia and Bruce 2020](https://arxiv.org/abs/2001.08248), *How much position information do convolutional neural
#   networks encode?*: the zeros beyond the border.
# - [Oquab et al. 2023](https://arxiv.org/abs/2304.07193), *DINOv2*: §7.4 is the linear probe; look at the pictures of
#   principal components in Figure 1.
# - [Darcet et al. 2023](https://arxiv.org/abs/2309.16588): why attention maps of large ViTs have bright spots where
#   nothing is, and registers against them.

# %% [markdown]
# ## Going deeper
#
# ### Published linear probes
#
# Frozen features, batch norm and one linear layer, mean IoU; "+ms" has four layers, larger pictures and several scales
# ([Oquab et al. 2023](https://arxiv.org/abs/2304.07193), Table 10; ViT-L has the 47.7 from above):
#
# | features | ADE20K, linear / +ms | Cityscapes | VOC 2012 |
# |---|---|---|---|
# | DINOv2 ViT-S/14 | 44.3 / 47.2 | 66.6 / 77.1 | 81.1 / 82.6 |
# | DINOv2 ViT-B/14 | 47.3 / 51.3 | 69.4 / 80.0 | 82.5 / 84.9 |
# | DINOv2 ViT-g/14 | 49.0 / 53.0 | 71.3 / 81.0 | 83.0 / 86.2 |
# | OpenCLIP ViT-G/14, linear | 39.3 | | |
# | MAE ViT-H/14, linear | 33.3 | | |
# | DINO ViT-B/8, linear | 31.8 | | |
#
# DINOv3, with seven billion weights, is at 55.9 on ADE20K
# ([dinov3#300](https://github.com/facebookresearch/dinov3/issues/300)). Its authors saw that the features of single
# patches get *worse* in very long training, while those of whole pictures still improve, and added a loss that holds
# the similarities between patches where they were (*Gram anchoring*).
#
# ### Why others do not reach these numbers
#
# - **Without the final norm, or without batch norm.** People measured 33 instead of 44 % on ADE20K
#   ([dinov2#385](https://github.com/facebookresearch/dinov2/issues/385)) and 73.8 instead of 82.5 on VOC
#   ([dinov2#517](https://github.com/facebookresearch/dinov2/issues/517)). The tokens of the last block go through the
#   backbone's last norm first; the package's ViT does so.
# - **Masks shrunk to 100 pixels before they are compared**: 41.8 against 47.7, for the same network
#   ([Franca#2](https://github.com/valeoai/Franca/issues/2)).
# - **Labels enlarged instead of logits** ([dinov2#47](https://github.com/facebookresearch/dinov2/issues/47)).
# - **Registers counted as patches.** Behind the class token there may be four tokens that belong to no place. The map
#   begins behind them.
# - **Sides that are no multiple of the patch.** 14 does not divide 512. The package pads on the right and below.
# - **The mask went through `ToTensor`**, which divides by 255: class 7 becomes 0.027, and as a whole number 0.
# - **Positions interpolated in another way**: DINOv2's code adds 0.1 to the size and enlarges by the factor that
#   results, others to the size itself; networks with registers smooth in doing so, those without do not.
#
# ### The networks of the package
#
# Six SegFormers and the ViTs, as published:

# %% fold="Count the parameters"
print("SegFormer with 150 classes, and its encoder")
for number in range(6):
    with torch.device("meta"):
        network = models.create(f"segformer_b{number}", num_classes=150)
    whole, encoder = (sum(p.numel() for p in one.parameters()) for one in (network, network.backbone))
    print(f"  B{number}: {whole:11,} {encoder:11,}")
for name in ("vit_small_16", "vit_base_16", "vit_large_16", "dinov2_vits14", "dinov2_vitb14", "dinov2_vitl14"):
    with torch.device("meta"):
        encoder = models.create(name).backbone
    print(f"{name:14}{sum(p.numel() for p in encoder.parameters()):12,}")

# %% [markdown]
# Where SegFormer's paper, the authors' code and ours differ:

# %% fold="Show SegFormer's differences as a table"
from IPython.display import Markdown

from segtutor.models import segformer as segformer_module
from segtutor.models import vit as vit_module
from segtutor.models.differences import as_markdown

Markdown(as_markdown(segformer_module.DIFFERENCES))

# %% [markdown]
# And of ViT and DINOv2:

# %% fold="Show the differences of ViT and DINOv2"
Markdown(as_markdown(vit_module.DIFFERENCES))

# %% [markdown]
# ### Published weights
#
# Files of SegFormer's authors, of the Hugging Face hub and of OpenMMLab are recognized by their names:
#
# ```python
# model = models.create("segformer_b0", num_classes=150)
# print(models.load_weights(model, "segformer.b0.512x512.ade.160k.pth"))
# backbone = models.create("dinov2_vits14", num_classes=21)
# print(models.load_weights(backbone, "dinov2_vits14_pretrain.pth"))
# ```
#
# Read their licenses: SegFormer's weights are for research and evaluation, not for commercial use.
#
# ### Pitfalls
#
# - **Keys and values in one matrix.** The authors' file has them fused; the first half are the keys. Swapped, they run as
#   well, and the scores are wrong.
# - **The order of the concatenation** in the decoder is stage 4, 3, 2, 1. In another order all shapes still fit.
# - **ADE20K's 0 means "no label".** Hugging Face's processor subtracts 1 and turns 0 into 255 only with `do_reduce_labels`
#   ([transformers#35402](https://github.com/huggingface/transformers/issues/35402)).
# - **15 % with a batch of eight** ([mmsegmentation#1569](https://github.com/open-mmlab/mmsegmentation/issues/1569)): the
#   published rate is for sixteen pictures, and for pretrained encoders. The package's default falls with the batch, from
#   0.001 at sixteen to 0.0007 at eight.
# - **Sizes in the test.** The reported numbers were made with pictures whose sides were brought to multiples of 32, which
#   alone gives half a point to a point
#   ([mmsegmentation#2435](https://github.com/open-mmlab/mmsegmentation/issues/2435)).
# - **A picture smaller than the reduction.** The first stage divides by 4, its keys by 8 more: below 32 pixels nothing
#   would be left to ask. The package says so.
# - **Operations counted on a CPU.** PyTorch's counter does not know the CPU's fused attention and leaves it out: count
#   on the `meta` device, as above.
# - **Nonsense as input.** The package says what is wrong:

# %% fold="Feed five kinds of nonsense"
attempts = {
    "too small": lambda: models.create("segformer_b0").eval()(torch.zeros(1, 3, 31, 64)),
    "heads": lambda: Attention(24, heads=5),
    "positions": lambda: models.create("segformer_tiny", position="sine"),
    "layers": lambda: models.create("vit_tiny", layers=(7,)),
    "registers": lambda: models.create("dinov2_vits14", registers=3),
}
for words, attempt in attempts.items():
    try:
        attempt()
    except ValueError as error:
        print(f"{words}: {error}")
