# ---
# title: "PSPNet: dilation and the whole scene"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 2 GB
# prerequisites: ["[Lesson 3](03_fcn.ipynb)", convolution and batch norm in PyTorch]
# minutes_work: 110
# ---

# %% [markdown]
# Look at a single pixel and at a few around it, and you often cannot say what it is. A car on the water is a boat; a
# wall with windows is a building, or, if it stands on rails, a train. People look at the whole scene, and in 2016 Zhao,
# Shi, Qi, Wang and Jia made a network do so: **PSPNet**, the Pyramid Scene Parsing Network. It keeps the map of a
# pretrained ResNet fine by **dilation**, and then gives every pixel the averages of the map over large regions, up to
# the whole picture: **pyramid pooling**.
#
# ## Objectives
#
# After this lesson you can
#
# - **write** a dilated convolution, and **trade** stride for dilation in a network without touching its weights;
# - **compute** the field of view of a network, and **see** how much of it is in use;
# - **build** the pyramid pooling module, and **say** which of its bins do what;
# - **use** 1 × 1 convolutions and an auxiliary loss, and **know** what they cost and bring;
# - **read** PSPNet's results with their protocol.
#
# ## The claim
#
# > Averages over large regions tell each pixel what the whole scene holds, so that things which look alike are told apart
# > by where they are.
#
# On ADE20K val, mean IoU rises from 37.23 % to 41.68 % with pyramid pooling
# ([Zhao et al. 2017](https://arxiv.org/abs/1612.01105), §3.1, §3.2 and Table 1). We measure it on things that *only*
# the scene tells apart. Four more claims follow: about fields of view, dilation, 1 × 1 convolutions and the auxiliary
# loss.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import HTML, Markdown
from torch import nn
from torch.nn import functional as F

from segtutor import claims, models, plotting
from segtutor.datasets import Scenes
from segtutor.labels import SCENES

plt.rcParams.update({"figure.dpi": 72, "font.size": 10})
prepare = models.Preprocessing().normalize

# %% [markdown]
# ## What only the scene tells
#
# The scenes of this course hold a riddle: bollards. In a harbor they are *mooring bollards*, in a street *street
# bollards*. The generator draws both alike, and all that surrounds them, too, up to a distance of almost a third of the
# picture's height. Below are the same place in a street and in a harbor, and what is around it.
#
# **Predict, then run.** Which of the two crops is from the harbor?

# %%
bollard = SCENES.select(["street bollard", "mooring bollard"])
pair = [
    Scenes("train", (96, 128), 60, kinds=(kind,), context=4.0, context_distance=0.3) for kind in ("street", "harbor")
]


def with_bollard(index):
    """The largest bollard of the street with this index, if it is large and does not touch the border."""
    boxes = [item.box for item in pair[0].scene(index).instances if item.label in bollard]
    boxes = [box for box in boxes if box[0] > 24 and box[2] < 104 and box[3] < 95 and box[3] - box[1] > 14]
    return max(boxes, key=lambda box: box[3] - box[1], default=None)


index = next(number for number in range(60) if with_bollard(number))
x0, y0, x1, y1 = with_bollard(index)
crop = slice(y0 - 22, y1 + 22), slice(x0 - 22, x1 + 22)
street, harbor = (one.scene(index).image for one in pair)
print("the two crops are the same, pixel for pixel:", np.array_equal(street[crop], harbor[crop]))

# %% [markdown]
# And where they are from:

# %% alt="Left two small crops of a bollard on a pavement that are the same; right the two scenes they come from, with the crop framed: above, a street with houses, below, a harbor with water"
figure, axes = plt.subplots(2, 2, figsize=(8, 4.6), width_ratios=(1, 1.7), layout="constrained")
for row, (kind, image) in enumerate({"a street": street, "a harbor": harbor}.items()):
    axes[row, 0].imshow(image[crop])
    axes[row, 0].set_title("crop " + "AB"[row])
    axes[row, 1].imshow(image)
    frame = plt.Rectangle((crop[1].start, crop[0].start), x1 - x0 + 44, y1 - y0 + 44, fill=False, color="#D55E00", lw=2)
    axes[row, 1].add_patch(frame)
    axes[row, 1].set_title(f"{'AB'[row]} is from {kind}")
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Nobody can tell from the crop. A network that sees no more than the crop cannot either, however well it is trained. So
# two questions come before pyramid pooling: how far does a network see, and how can it see far without losing its fine
# map?
#
# ## Dilated convolution
#
# A **dilated** (or *atrous*) convolution takes its inputs not side by side, but `rate` pixels apart:
#
# $$ y[p] = \sum_{k} w[k]\; x[p + r \cdot k], \qquad k \in \{-1, 0, 1\}^2 \text{ for a } 3 \times 3 \text{ kernel}. $$
#
# The rate $r$ is the *step* from one tap to the next, so between two taps lie $r - 1$ pixels that are not read; many
# texts, also the one that this course grew from, call it "the gap", which is one more than what lies between. Rate 1
# is the ordinary convolution. The number of weights and of multiplications is the same for all rates.

# %%


def dilated(x, weight, rate):
    """The sum above, tap by tap: B x C x H x W and K x C x 3 x 3 give B x K x H x W; zeros outside."""
    H, W = x.shape[-2:]
    padded = F.pad(x, (rate, rate, rate, rate))
    y = 0
    for i in range(3):
        for j in range(3):
            seen = padded[..., i * rate : i * rate + H, j * rate : j * rate + W]  # x[p + r k]
            y = y + torch.einsum("kc,bchw->bkhw", weight[:, :, i, j], seen)
    return y


torch.manual_seed(0)
x, weight = torch.randn(2, 4, 17, 19), torch.randn(5, 4, 3, 3)
for rate in (1, 2, 4):
    assert torch.allclose(dilated(x, weight, rate), F.conv2d(x, weight, padding=rate, dilation=rate), atol=1e-5)

stuffed = torch.zeros(5, 4, 5, 5)  # the same kernel with zeros between its taps
stuffed[..., ::2, ::2] = weight
assert torch.allclose(F.conv2d(x, stuffed, padding=2), dilated(x, weight, 2), atol=1e-5)
print("by taps, by PyTorch, and by a kernel stuffed with zeros: the same numbers")

# %% [markdown]
# The pixels that one output value reads, dark; light is the square that they span:

# %% alt="Three grids: the nine pixels that a three by three kernel reads at rates 1, 2 and 4; the square that they span grows from 3 to 5 to 9 pixels"
plotting.show_dilation(rates=(1, 2, 4))
plt.show()

# %% [markdown]
# ## How far a network sees
#
# The **field of view** (receptive field) of a layer is the square of input pixels that one of its values depends on.
# Each layer with kernel $k_i$, rate $r_i$ adds $(k_i - 1)\, r_i$ steps, and a step is as long as the product of all
# strides before:
#
# $$ \text{field} = 1 + \sum_i (k_i - 1)\, r_i \prod_{j < i} s_j. $$


# %%
def field_of_view(layers):
    """Side in pixels; layers are (kernel, stride, rate), first to last."""
    field, jump = 1, 1
    for kernel, stride, rate in layers:
        field += (kernel - 1) * rate * jump
        jump *= stride
    return field


def main_path(backbone):
    """The layers of a residual backbone that look beyond their own position; its shortcuts see less."""
    path = []
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
            path.append((layer.kernel_size[0], layer.stride[0], layer.dilation[0]))
        elif isinstance(layer, nn.MaxPool2d):
            path.append((layer.kernel_size, layer.stride, 1))
    return path


print("8 layers of rate 1:", field_of_view([(3, 1, 1)] * 8))
print("rates 1, 2, 4, 8, twice:", field_of_view([(3, 1, rate) for rate in (1, 2, 4, 8)] * 2))
for stride in (16, 8, 4):
    path = main_path(models.create("pspnet_tiny", output_stride=stride).backbone)
    assert field_of_view(path) == plotting.theoretical_receptive_field(path).size
    print(f"the course's backbone at output stride {stride:2}: {field_of_view(path)} pixels")
for name in ("pspnet_resnet50", "pspnet_resnet101"):
    with torch.device("meta"):  # shapes without numbers: no memory, no time
        path = main_path(models.create(name).backbone)
    print(f"the backbone of {name}: {field_of_view(path)} pixels")

# %% [markdown]
# The backbone's field hardly depends on its output stride: what a stride gave to the later layers, the rate gives them
# now. (It is not quite the same, since the first block of a stage has two 3 × 3 convolutions, of which the stride
# thinned out only what the second one sees.) That is the trick of the next section.
#
# And the fields of PSPNet's own backbones are larger than the 473 × 473 pixels of its pictures. So why pool?
#
# Because the field is a promise. Not every pixel in it counts alike: those in the middle reach the output on many more
# paths. The **effective** field is what the gradient says: how much does each input pixel move the output in the
# middle? Here are three stacks of eight layers, with the same number of weights and the same resolution.

# %% alt="Three maps of a gradient, from eight convolutions of rate 1, of rate 2, and of rates 1, 2, 4, 8 twice: a small blob; a larger one with a grid of holes; a wide one without holes. Dashed squares show the theoretical fields of 17, 33 and 61 pixels."
from segtutor.claims.experiments.pspnet.fields import stack

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for axis, rates in zip(axes, ((1,) * 8, (2,) * 8, (1, 2, 4, 8) * 2), strict=True):
    torch.manual_seed(0)
    field = plotting.effective_receptive_field(stack(rates), torch.randn(32, 8, 95, 95))
    size = field_of_view([(3, 1, rate) for rate in rates])
    axis.imshow(np.sqrt(field[12:83, 12:83]), cmap="magma")
    axis.add_patch(plt.Rectangle((35 - size / 2, 35 - size / 2), size, size, fill=False, color="white", ls="--"))
    half = plotting.field_width(field, share=0.5, center=(47, 47))
    axis.set_title(f"rates {', '.join(map(str, rates[:4]))}, ...\nfield {size}, half of it within {half:.0f}")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# In the middle picture you see **gridding**: with equal rates, many pixels of the field are never read. Rates that
# grow, without a common divisor, close the holes. The recorded measurement (three seeds; PSPNet §3.1 makes the point
# that the field in use is smaller than the field in theory, after Zhou et al. 2015):

# %%
claims.card("pspnet.receptive_field")

# %% [markdown]
# One expectation failed. Luo et al. (2016) saw the effective field *grow* in training; here the trained backbone looks
# at *less* than the random one, with every seed. Its task may be the reason: to say whether a picture shows a bird, a
# classifier looks at the bird. A network that needs the surroundings may learn otherwise. A card has to say what came
# out.
#
# ## Dilation instead of stride
#
# A ResNet ends at stride 32: one value for 32 × 32 pixels. Why not just leave a stride out? Then the next layers'
# kernels would meet a map that is twice as fine, see half as far, and find nothing that they have learned. So they get
# rate 2: their taps again lie on the values that they were trained on. Now the old map is contained in the new one, and
# between its values there are new ones.
#
# **Predict, then run.** The same random weights in a ResNet-50 with output stride 16 and 8. Take every second row and
# column of the finer map of `layer3`: is it the coarser map exactly, nearly, or not at all? And if already the *first*
# block of the stage gets the new rate?

# %%
coarse_net = models.create("fcn_resnet50", num_classes=21).backbone.eval()
from segtutor.models.backbones import resnet50_backbone

image = torch.randn(1, 3, 97, 97)
found = {}
for name, options in {
    "stride 16": {"output_stride": 16},
    "stride 8": {"output_stride": 8},
    "stride 8, new rate from the first block on": {"output_stride": 8, "first_block_rate": "same"},
}.items():
    backbone = resnet50_backbone(**options).eval()
    backbone.load_state_dict(coarse_net.state_dict())
    with torch.no_grad():
        found[name] = backbone(image)["aux"]  # the map after layer3
    print(f"{name:43} layer3: {tuple(found[name].shape[1:])}")
for name in list(found)[1:]:
    difference = (found[name][..., ::2, ::2] - found["stride 16"]).abs().max() / found["stride 16"].abs().max()
    print(f"every second value of «{name}»: off by {100 * difference:.4f} % of the largest value")

# %% [markdown]
# Exactly, but for rounding. The first block of the stage still reads the map that no stride has thinned out, so it keeps
# the *previous* rate: so do torchvision and DeepLab. PSPNet's authors give the new rate to every block; both can be
# trained, but weights of the one are wrong in the other, although all keys and shapes fit. Here it is an option with a
# name, `first_block_rate`.
#
# Do not forget the 1 × 1 convolution in the shortcut: it has a stride of its own to lose.
#
# What the map of the course's backbone looks like at three output strides, with the same weights. (Its blocks have two
# 3 × 3 convolutions, and in the first block of a stage the first would need the old rate, the second the new one. So no
# setting contains the old map exactly here.)

# %% alt="A drawn scene and the first principal component of the backbone's map at output strides 16, 8 and 4: the same pattern of light and dark regions, coarse blocks at 16, finer shapes at 8, finest and with narrow stripes at 4"
scene = prepare(Scenes("val", (129, 161), 10)[5][0])[None]
figure, axes = plt.subplots(1, 4, figsize=(11, 2.5), layout="constrained")
axes[0].imshow(Scenes("val", (129, 161), 10)[5][0].permute(1, 2, 0))
axes[0].set_title("scene, 129 × 161")
direction, maps = None, {}
for axis, stride in zip(axes[1:], (16, 8, 4), strict=True):
    network = models.create("pspnet_tiny", output_stride=stride, weights="backbone", first_block_rate="previous").eval()
    with torch.no_grad():
        values = network.backbone(scene)["out"][0]  # C x h x w
    if direction is None:
        centered = values.flatten(1) - values.flatten(1).mean(1, keepdim=True)
        direction = torch.linalg.svd(centered, full_matrices=False)[0][:, 0]
    maps[stride] = torch.einsum("c,chw->hw", direction, values)
    axis.imshow(maps[stride], cmap="cividis")
    axis.set_title(f"stride {stride}: {values.shape[1]} × {values.shape[2]}")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# The stripes at stride 4 are gridding again: with rates 2 and 4, neighboring values are made from pixels that have
# little in common. (These weights have learned at stride 16.)
#
# What is it worth? The same network with the same number of weights, trained at three output strides:

# %%
claims.card("pspnet.dilation")

# %% [markdown]
# Gain and cost side by side:

# %% alt="Dots for three seeds: mean IoU and IoU near label changes rise from stride 16 to 8 to 4, and so does the memory kept for the gradient"
claims.show("pspnet.dilation", keys=["mean_iou", "band_iou", "megabytes"])
plt.show()

# %% [markdown]
# Every halving of the stride helps, most near boundaries and on thin things, and every halving costs operations and
# memory. PSPNet stops at stride 8.
#
# ## Pyramid pooling
#
# Dilation widens the field, but the effective field stays small. PSPNet therefore takes a short cut to the whole
# picture. The map $x$ is averaged over 1 × 1, 2 × 2, 3 × 3 and 6 × 6 regions, the **bins**. Here they are, on a scene:

# %% alt="A drawn scene and its averages over 1, 4, 9 and 36 regions as blocks of color"
plotting.show_pyramid(np.asarray(harbor), bins=(1, 2, 3, 6))
plt.show()

# %% [markdown]
# In the network it is not colors that are averaged but features. The map of stride 8 from above (its first component),
# and what the four levels keep of it:

# %% alt="The feature map of 17 by 21 positions from above and its averages over 1, 4, 9 and 36 regions: at 1 a single value, at 6 by 6 the dark bands can be made out again"
plotting.show_pyramid(maps[8], bins=(1, 2, 3, 6))
plt.show()

# %% [markdown]
# Each level is a small map. It goes through a 1 × 1 convolution that cuts its channels to a quarter, batch norm and
# ReLU, is enlarged to the size of $x$ again, and all are put side by side:
#
# $$ \text{PPM}(x) = \big[\,x,\; \uparrow g_1(\text{avg}_{1\times 1} x),\; \uparrow g_2(\text{avg}_{2\times 2} x),\;
# \uparrow g_3(\text{avg}_{3\times 3} x),\; \uparrow g_6(\text{avg}_{6\times 6} x)\,\big]. $$
#
# So every position has, beside its own 2048 numbers, 512 about the whole picture, 512 about its quarter of it, and so
# on. Written out:


# %%
class Pyramid(nn.Module):
    """B x C x h x w to B x 2C x h x w: the map, then its averages over 1, 4, 9 and 36 regions."""

    def __init__(self, channels, bins=(1, 2, 3, 6)):
        super().__init__()
        self.bins = bins
        quarter = channels // len(bins)
        self.reduce = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, quarter, 1, bias=False), nn.BatchNorm2d(quarter), nn.ReLU()) for _ in bins
        )

    def forward(self, x):
        parts = [x]
        for bins, reduce in zip(self.bins, self.reduce, strict=True):
            pooled = F.adaptive_avg_pool2d(x, bins)  # B x C x bins x bins
            parts.append(F.interpolate(reduce(pooled), size=x.shape[-2:], mode="bilinear", align_corners=True))
        return torch.cat(parts, dim=1)


from segtutor.models.pspnet import PyramidPooling

ours, theirs = Pyramid(16), PyramidPooling(16)
for mine, level in zip(ours.reduce, theirs.levels, strict=True):  # the package's level begins with the pooling
    mine.load_state_dict({f"{int(key[0]) - 1}{key[1:]}": value for key, value in level.state_dict().items()})
values = torch.randn(2, 16, 13, 17)
assert torch.allclose(ours(values), theirs(values), atol=1e-6)
print("yours and segtutor.models.pspnet.PyramidPooling:", tuple(values.shape), "->", tuple(theirs(values).shape))

# %% [markdown]
# `adaptive_avg_pool2d` cuts a side of $h$ into bins from $\lfloor i h / n \rfloor$ to $\lceil (i + 1) h / n \rceil$;
# where $n$ does not divide $h$, neighbors share a row. The authors' Caffe network has fixed windows instead (60, 30, 20
# and 10 for its 60 × 60 map), so it can only be shown crops of 473 × 473.
#
# The whole network, drawn from the real one (on the device `meta`, without a single number):

# %% alt="PSPNet as a chain of slabs with their shapes: image 3 by 473 by 473, stem, four stages down to 2048 by 60 by 60, four pooled levels of 1, 2, 3 and 6 bins reduced to 512 channels, side by side 4096 by 60 by 60, a 3 by 3 convolution to 512, scores of 21 classes, logits of the picture's size"
with torch.device("meta"):
    psp = models.create("pspnet_resnet50", num_classes=21).eval()
shapes = plotting.trace_shapes(psp, (473, 473))
plotting.show_architecture(shapes, plotting.pspnet_layout(psp))
plt.show()

# %% [markdown]
# Why 473? Stride-2 convolutions with padding 1 lay their values on pixels 0, 2, 4, ...: at stride 8 on 0, 8, 16, ...,
# 472. With 473 = 8 · 59 + 1 pixels, the first of the 60 values lies on the first pixel and the last on the last, and
# bilinear enlargement with **aligned corners** puts every value back onto its pixel. For other sizes our network pads
# the picture to the next such size, and crops the logits.

# %%
network = models.create("pspnet_tiny", num_classes=33).eval()
with torch.no_grad():
    for side in (96, 97, 100):
        made = plotting.trace_shapes(network, (side, side + 32))
        size = tuple(network(torch.zeros(1, 3, side, side + 32))["out"].shape[-2:])
        print(f"picture {side:3} x {side + 32}: map {made['backbone[out]'][-2:]}, logits {size}")

# %% [markdown]
# ## The claim, measured
#
# Now to the bollards. The scenes differ only from 29 pixels on (0.3 of 96), so the experiment needs a network that does
# not look that far by itself: the backbone loses its last stage. How far does it look then, and how far the complete one?
# (Eight scenes, the pretrained weights; the side of the square that holds a share of the gradient.)

# %%
network = models.create("pspnet_tiny", weights="backbone").eval()
scenes = Scenes("val", (97, 129), 8)
images = torch.stack([prepare(scenes[number][0]) for number in range(8)])
for words, layer in {"near-sighted": "backbone[aux]", "far-sighted": "backbone[out]"}.items():
    field = plotting.effective_receptive_field(network, images, layer=layer)
    half, most = (plotting.field_width(field, share, center=(48, 64)) for share in (0.5, 0.95))
    print(f"{words}: half of the gradient within {half:.0f} pixels, 95 % within {most:.0f}")

# %% [markdown]
# In theory the near-sighted field is 71 pixels, and 87 with the 3 × 3 convolution of the head, which would be enough: 43
# to each side. In use it is less: nearly all within 26. Pictures are streets and harbors only, with many bollards. Two variants run now, short:
# 120 steps on 200 scenes, from the course's pretrained backbone, one seed.
#
# **Predict, then run.** A network that finds bollards but cannot tell the two kinds apart would guess. About what IoU
# does it reach? And with pyramid pooling?

# %%
claim = claims.find("pspnet.pyramid")
for variant in ("near-sighted, no levels", "near-sighted, bins 1, 2, 3, 6"):
    values = claim.variants[variant](0, True)
    print(
        f"{variant:30} bollards {100 * values['bollard_iou']:.0f} % IoU, all classes {100 * values['mean_iou']:.0f} %"
    )

# %% [markdown]
# And the whole experiment, seven variants with three seeds each. Two of them are controls: *levels not pooled* has all
# the weights of pyramid pooling and leaves out the averaging alone; the *far-sighted* backbone is the complete one, and
# its field of 199 pixels is larger than the picture.

# %%
claims.card("pspnet.pyramid")

# %% [markdown]
# The same as a picture, every dot a seed:

# %% alt="Dots for three seeds and seven variants. IoU of the bollards is near 30 percent for the near-sighted network without levels, with levels that are not pooled and with bin 6 alone, and near 80 percent with bin 1, with all bins, and for the far-sighted backbone. Mean IoU differs by a few points in the same way, except that the far-sighted one is not better with levels."
claims.show("pspnet.pyramid", keys=["bollard_iou", "mean_iou"])
plt.show()

# %% [markdown]
# Read it slowly, it is the heart of the lesson:
#
# - Without a look at the scene, IoU is below 30 %: a bollard that is found is given the wrong name half of the time,
#   and a wrong name counts twice, as missing in one class and as false in the other.
# - With the pyramid it is 81 %. Weights alone bring nothing: not pooled, they leave it at 29 %.
# - **Bin 1** alone brings nearly all of it, bin 6 nearly nothing: a sixth of the picture's height is less than the
#   distance at which the scene begins to differ. For *what kind of scene is this?* the whole picture is the right bin.
# - Over all classes the gain is about 5 points for the near-sighted network.
# - The far-sighted backbone tells the bollards apart by itself. The pyramid then brings less than a point for them, and
#   over all classes it is even about a point *worse*, after 400 steps at this scale. Our pictures are small: 29 pixels
#   from a bollard, it sees enough. In the paper's pictures of 473 pixels, what tells is farther away, and although the
#   field in theory covers them too (479 pixels, see above), the field in use need not.
#
# ## 1 × 1 convolution
#
# A 1 × 1 convolution looks at one position only. It takes the vector of $C$ channels and multiplies it with a $K \times
# C$ matrix, the same at every position:

# %%
x = torch.randn(2, 64, 9, 11)
layer = nn.Conv2d(64, 16, kernel_size=1)
by_matrix = torch.einsum("kc,bchw->bkhw", layer.weight[:, :, 0, 0], x) + layer.bias[:, None, None]
assert torch.allclose(by_matrix, layer(x), atol=1e-6)
weights = {side: nn.Conv2d(2048, 512, side, bias=False).weight.numel() for side in (1, 3)}
print(f"2048 to 512 channels: {weights[1]:,} weights as 1 x 1, {weights[3]:,} as 3 x 3")

# %% [markdown]
# It mixes channels and looks nowhere else, so it is also called a *projection*, or *pooling over channels*: the fewest
# numbers that keep what the next layer needs, learned rather than averaged. In PSPNet it keeps the levels from
# outweighing the map: four levels of 2048 channels would make 10,240 in all instead of 4096, and the 3 × 3 convolution
# behind them two and a half times as large. What does the cut cost?

# %%
claims.card("pspnet.reduction")

# %% [markdown]
# Nothing: the network with fewer channels is even better after the same number of steps, as in the paper (41.68 %
# against 41.07).
#
# ## The auxiliary loss
#
# The gradient reaches early layers on a long way. PSPNet puts a second, small head in the middle of the network (after
# `layer3`; in the small one after its second stage), with a loss of its own:
#
# $$ L = L_\text{main} + 0.4\, L_\text{aux}. $$
#
# It exists for training only: in evaluation nobody computes it, and a file with its weights loads into a network
# without it.

# %%
network = models.create("pspnet_tiny", num_classes=33, aux=True)
images, labels = torch.randn(2, 3, 96, 128), torch.randint(0, 33, (2, 96, 128))
outputs = network.train()(images)
main, auxiliary = (F.cross_entropy(outputs[name], labels, ignore_index=255) for name in ("out", "aux"))
print(f"training:   {', '.join(outputs)}; loss {main:.3f} + 0.4 x {auxiliary:.3f} = {main + 0.4 * auxiliary:.3f}")
print("evaluation:", ", ".join(network.eval()(images)))
plain = models.create("pspnet_tiny", num_classes=33)
print(f"into a network without it: {models.load_weights(plain, network.state_dict())}")

# %% [markdown]
# `training.fit` adds it by itself, with `auxiliary_weight=0.4`, when the network has the head.

# %% alt="Mean IoU during training, with and without the auxiliary loss: the two curves rise together; with it, the curve lies slightly higher all along, and the bands of the seeds overlap until near the end"
axes = claims.show_curves("pspnet.auxiliary")
axes.set_title("auxiliary loss")
plt.show()
claims.card("pspnet.auxiliary")

# %% [markdown]
# The network with the auxiliary loss ends a little better, by about a point, as in the paper (35.82 % to 37.23).
# Whether it also learns *faster* three seeds cannot decide: they differ by more than the gain. Our network has five
# residual blocks where theirs has sixteen, so there was less of a way to shorten.
#
# ## How it was trained
#
# SGD with momentum 0.9 and weight decay 10⁻⁴; base rate 0.01, and ten times that for the new layers; batch 16, with
# batch norm synchronized over the GPUs; crops of 473 (Cityscapes: 713), mirrored, scaled by 0.5 to 2, turned by up
# to 10° and (not for Cityscapes) blurred. The rate falls per *iteration*, by the "poly" rule
#
# $$ \text{rate}(t) = \text{base} \cdot (1 - t / T)^{0.9}. $$
#
# Mind the end. One iteration past $T$ the base of the power is negative, and Python returns a complex number without a
# word:

# %%
from segtutor.training.optimizers import parameter_groups
from segtutor.training.schedules import polynomial

print("naive, step 11 of 10:", 0.01 * (1 - 11 / 10) ** 0.9)
print("ours:", [round(0.01 * polynomial(step, 10), 6) for step in (0, 1, 5, 9, 10, 11)])
for group in parameter_groups(models.create("pspnet_tiny"), weight_decay=1e-4, head_factor=10):
    count = sum(parameter.numel() for parameter in group["params"])
    print(f"{count:9,} parameters: rate x {group['factor']:2g}, weight decay {group['weight_decay']:g}")

# %% [markdown]
# ## Published results
#
# The tutorial that this course grew from says: *85.4 % mean IoU on the PASCAL VOC 2012 challenge*. That is right, and
# needs three additions: on the **test** set, with **COCO** as additional training data, and with pictures shown at
# **several scales** and mirrored.

# %%
HTML(claims.published_table("PSPNet"))

# %% [markdown]
# Numbers of later code are not comparable without their recipe either; with `kind="code base"` the same function lists
# some. How the paper, the authors' PyTorch code and ours differ in detail:

# %%
from segtutor.models.differences import as_markdown
from segtutor.models.pspnet import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))

# %% [markdown]
# Parameters with 21 classes, counted on `meta`; training has the auxiliary head, evaluation has not.

# %%
for name in ("pspnet_resnet50", "pspnet_resnet101"):
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in models.create(name, aux=aux).parameters()) for aux in (True, False)]
    print(f"{name}: {sizes[0]:,} in training, {sizes[1]:,} in evaluation")

# %% [markdown]
# ## Published weights
#
# Not run here: it needs a file that the authors of semseg publish. Their names are translated on loading, the deep stem
# is the default:
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
# ## Bad input
#
# Bin 1 leaves one value per channel and picture. Batch norm wants a variance over the batch, and of one value there is
# none: in training, PSPNet cannot take a batch of one, which is what the last batch of an epoch often is.

# %%
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

# %% [markdown]
# `training.fit` never hands out an odd last batch: its stream goes on with the next epoch. And the mistake that no error
# catches: floats from 0 to 255 that were never normalized run through without a word
# ([lesson 7](07_worked_example.ipynb) measures what that costs).
#
# ## Pitfalls
#
# - **A batch of one in training**: `Expected more than 1 value per channel`
#   ([vision#2151](https://github.com/pytorch/vision/issues/2151) and several more). Drop the odd last batch, or freeze
#   batch norm.
# - **Dilated, but the stride kept in the shortcut**: the two branches no longer fit, or, padded to fit, lie on other
#   pixels.
# - **Weights of one `first_block_rate` in a network with the other**: all keys fit, all numbers are wrong.
# - **`align_corners` mixed within a network**: levels with one, logits with the other
#   ([vision#1708](https://github.com/pytorch/vision/issues/1708),
#   [VainF#19](https://github.com/VainF/DeepLabV3Plus-Pytorch/issues/19)). One constant per network.
# - **Enlarging by a factor of 8**: for sides that are no multiple of 8 the output has another size. Enlarge to a size.
# - **Called PSPNet, but another network**: segmentation_models.pytorch leaves out batch norm at bin 1, fuses with a 1 × 1
#   convolution and cuts the encoder short. That can be a good choice; the paper's numbers are not its numbers.
# - **Whole pictures for a network that learned from crops**: the bins are then of another size than in training. The
#   authors test with sliding crops of the training size.
# - **The auxiliary head demanded in evaluation**: a file without it does not load, or the output has a key too many.
# - **poly per epoch, or past the end**: see above.
# - **The rate of eight GPUs on one**: fine-tuning a published network at the paper's rate with a small batch destroys
#   it ([vision#1538](https://github.com/pytorch/vision/issues/1538),
#   [vision#4292](https://github.com/pytorch/vision/issues/4292)). `TrainingConfig` scales its default with the batch.
#
# ## Summary
#
# - A dilated convolution reads every $r$-th pixel: a larger field, the same weights, the same resolution. Equal rates
#   leave holes.
# - Leave out a stride, give the later layers the rate: the old map is contained in the finer one, exactly.
# - A field of view is a promise; the gradient says what is in use, and that is far less.
# - Pyramid pooling puts the averages over the whole picture and its parts beside every position. For our bollards, bin 1
#   does the work: 29 % to 80 % IoU.
# - 1 × 1 convolutions cut channels at no loss here; the auxiliary loss helps a little.
# - Where the backbone already sees the whole picture, the pyramid has little to add. Know your field of view.
#
# In [assignment 4](assignments/04_pspnet.ipynb) you build all of it yourself, check by check.
# [Lesson 5](05_mask_rcnn.ipynb) leaves label maps for single objects; [lesson 6](06_deeplab.ipynb) comes back to dilation
# with DeepLab.
#
# ## Self-test
#
# 1. Three 3 × 3 convolutions with rates 1, 2, 4 and no stride. How large is the field? And after a stride-2 layer with
#    kernel 3 in front?
# 2. Which input pixels of a line does a stack of two 3-tap convolutions with rates 2 and 2 read? With 1 and 2?
# 3. You take the stride out of `layer4`, but forget the dilation. The network runs. What goes wrong?
# 4. Why does the control with levels that are not pooled belong in the experiment?
# 5. A PSPNet is trained on crops of 473 and shown a picture of 1024 × 2048. What happens to bin 1?
#
# <details><summary>Answers</summary>
#
# 1. 1 + 2 (1 + 2 + 4) = 15. With the layer in front: 3 + 2 · 2 (1 + 2 + 4) = 31.
# 2. Rates 2, 2: -4, -2, 0, 2, 4, every second one. Rates 1, 2: all from -3 to 3.
# 3. Its kernels see half as far as in training and meet values between those they have learned from.
# 4. The pyramid also adds weights. If these brought the gain, the control would have it.
# 5. It averages over nine times the area that it has learned from, and may hold what never came together in a crop.
#    Slide a window of the training size.
#
# </details>
#
# ## Reading and videos
#
# - [Zhao et al. 2017](https://arxiv.org/abs/1612.01105): Figure 2 is the riddle of the bollards in photographs; Table 1
#   the bins; §3.3 and Table 2 the auxiliary loss.
# - [Yu and Koltun 2016](https://arxiv.org/abs/1511.07122): dilation as a way to keep resolution; Figure 1.
# - [Luo et al. 2016](https://arxiv.org/abs/1701.04128): the effective field. Look at what changes in training.
# - [Wang et al. 2018](https://arxiv.org/abs/1702.08502), §3.2: gridding, and rates that avoid it.
# - [Lin, Chen and Yan 2014, *Network in Network*](https://arxiv.org/abs/1312.4400): where 1 × 1 convolutions come from.
# - [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo). Look for:
#   where the resolution is lost and won back, and at what price. The video does not replace the lesson.
