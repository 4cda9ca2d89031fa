# ---
# title: "A worked example: DeepLabV3 on a photograph"
# minutes_cpu: 1
# minutes_t4: 1
# download: none (44 MB if you want a published network)
# peak_ram: 1.5 GB
# prerequisites: ["[Lesson 0](00_start_here.ipynb)", tensors and modules of PyTorch]
# minutes_work: 75
# ---

# %% [markdown]
# You have a trained network and a picture. How do you get from one to the other: a class for every pixel, drawn in
# color, with the dog cut out of it? The first half of this lesson goes through it line by line, without helpers. The
# second half measures what the tutorials leave out: what each mistake costs, how to treat large pictures and batches,
# what flipping and rescaling bring, how sure the network is, and where it fails.
#
# ## Objectives
#
# After this lesson you can
#
# - **load** a pretrained network and say which classes and which data it knows,
# - **prepare** a photograph for it, and **read** its output: logits, labels, colors, one class alone,
# - **recognize** missing normalization, swapped channels and other silent mistakes by what they do to the score,
# - **choose** between the whole picture, a sliding window, several scales and the mirror image, by their cost and gain,
# - **find** where a network is unsure and where it is wrong.
#
# ## The claim
#
# Showing the network each picture at several scales and mirrored, and averaging the predictions, improves it without
# any training: on the VOC 2012 validation set from 78.51 % mean IoU to 79.45 % with scales and to 79.77 % with scales
# and flip ([Chen et al. 2017, DeepLabV3, §4.2](https://arxiv.org/abs/1706.05587); ResNet-101, output stride 8). We
# measure the same on Scenes below, and what it costs.

# %%
import contextlib
import os
import textwrap
import threading
import time
import urllib.request

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from skimage import data as photographs
from torchvision import transforms
from segtutor.bars import tqdm

from segtutor import models, resources
from segtutor.datasets import Scenes
from segtutor.inference import evaluate, evaluating, load_image, predict
from segtutor.labels import SCENES, VOC2012, voc_colormap
from segtutor.metrics import ConfusionMatrix
from segtutor.models.weights import find_weights
from segtutor.plotting import colorize, legend, show_errors, show_overlay

plt.rcParams.update({"figure.dpi": 72, "font.size": 9})
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Which weights?
#
# Two networks can play the main part here:
#
# - **published:** a DeepLabV3 with torchvision's weights. It learned from photographs of COCO and knows the 21 classes
#   of PASCAL VOC. The cell lists them: the small one comes first; the large one has 7 points more for five times the
#   download. The figures are torchvision's, on COCO's validation pictures (*not* VOC figures, see the pitfalls).
# - **course:** `deeplabv3_tiny`, which comes with the course. It learned from Scenes, our *drawn* pictures, on a
#   processor without a GPU, and knows nothing else.
#
# The cell takes the best published one that lies on this machine already; if there is none, the smallest, if its server
# answers within three seconds; else the course's. With `SEGTUTOR_OFFLINE=1` in the environment it is always the
# course's. The outputs that come with this notebook were made without a network, so with the course's.


# %%
choices = [one for one in models.published() if one.network.startswith("deeplabv3_") and one.weights == "torchvision"]
for one in choices:  # the smallest first
    print(f"{one.network:29} {one.bytes / 1e6:4.0f} MB{', here' if one.on_disk else ''}, {one.figure} ({one.protocol})")
here = [one for one in choices if one.on_disk]
PUBLISHED = (max(here, key=lambda one: one.score) if here else choices[0]).network  # or write a name yourself

# %% [markdown]
# Loading it asks the server first whether it answers, and falls back on the course's own weights.


# %%
def answers(address, seconds=3.0):
    """Whether a server answers in time. A thread asks, as looking up its name can take long."""
    outcome = []

    def ask():
        with contextlib.suppress(Exception):  # whatever the trouble is, it does not answer
            request = urllib.request.Request(address, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            outcome.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(outcome)


def load_network():
    """A trained network, the classes it knows, and what its weights are."""
    source = find_weights(PUBLISHED, "torchvision")
    allowed = not (os.environ.get("SEGTUTOR_OFFLINE") or os.environ.get("CI"))
    if allowed and (source.path.is_file() or answers(source.published["url"])):
        try:
            network = models.create(PUBLISHED, weights="torchvision")
            return network, VOC2012, "published by torchvision, learned from COCO photographs"
        except OSError as error:
            print(f"no published weights: {error}")
    network = models.create("deeplabv3_tiny", weights="course")
    return network, SCENES, "the course's own, learned from drawn Scenes"


model, labels, origin = load_network()
print("network:", model.config.name)
print("weights:", origin)
print("classes:", len(labels), f"({labels.title})")

# %% [markdown]
# Never skip those three lines in your own work. A network with other weights runs just as well and says nothing.
#
# The measurements of the second half need pictures with true labels, and those we have for Scenes. They always use the
# course's network, whichever plays the main part. What the file says about itself (it was trained in two
# steps, first at output stride 8, then on at 4):

# %%
course = models.create("deeplabv3_tiny", weights="course").to(device).eval()
checkpoint = resources.data("checkpoints", "deeplabv3_tiny.pt")
notes = torch.load(checkpoint, weights_only=True)["notes"]
for key in ("data", "mean_iou", "scored_on"):
    print(f"{key:9} {notes[key]}")
for record in (notes["started_from"], notes):
    print(textwrap.fill(f"command   {record['command']}", 96, subsequent_indent=" " * 10))
parameters = sum(parameter.numel() for parameter in course.parameters())
print(f"{'size':9} {parameters / 1e6:.2f} million parameters, output stride {course.output_stride}")

# %% [markdown]
# ## Inference mode, two switches
#
# `model.eval()` switches *layers*: batch norm uses the statistics collected in training instead of those of the
# present batch, and dropout passes everything. `torch.inference_mode()` (or the older `torch.no_grad()`) switches
# *bookkeeping*: nothing is kept for a backward pass. They are independent, and you need both.
#
# **Predict, then run.** Two pictures go through the network twice in training mode and twice in evaluation mode. In
# which of the cases do the two passes agree? And what does training mode do to the weights file you would save now?

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
# In training mode even a *look* changes the running statistics, without any optimizer. And a single picture cannot go
# through at all: behind the image pooling there is one value per channel, which has no variance (the network says so
# itself; plain torchvision raises *Expected more than 1 value per channel*).

# %%
# put in inference mode
model = model.to(device).eval()
print(sum(module.training for module in model.modules()), "layers are in training mode")

# %% [markdown]
# ## The picture
#
# With the published network: Chelsea, the cat of scikit-image. With the course's: a scene from the test split, which it
# has never seen, picked because there are dogs and a person in it. It is a PIL image in both cases, as if it came from
# a file (`Image.open(filename)`).

# %%
is_course = labels is SCENES
if is_course:
    parks = Scenes("test", size=(128, 160), kinds=("street", "park", "beach", "lake"))
    image_tensor, truth = parks[89]
    input_image = Image.fromarray(image_tensor.permute(1, 2, 0).numpy())
else:
    input_image, truth = Image.fromarray(photographs.chelsea()), None
print(input_image.size, input_image.mode)
input_image.resize((240, 240 * input_image.height // input_image.width))

# %% [markdown]
# ## Preprocessing
#
# A network has seen numbers of one kind only. All of torchvision's are fed like this, and the course's too:
#
# 1. mini-batches of RGB images of shape $(N, 3, H, W)$, channels in the order red, green, blue;
# 2. bytes 0...255 become floats in $[0, 1]$ (`ToTensor` does both);
# 3. each channel $c$ is normalized, $\hat x_c = (x_c - \mu_c) / \sigma_c$, with $\mu = (0.485, 0.456, 0.406)$ and
#    $\sigma = (0.229, 0.224, 0.225)$, the mean and standard deviation over the pictures of ImageNet.
#
# Why these? Weights are fitted to inputs around 0 with a spread around 1: biases and batch norm statistics hold for
# them only. The exact values matter little, but *the same as in training* matters much. They belong to the weights,
# not to the task: the original FCN wants BGR in 0...255 minus a mean, TensorFlow's DeepLab wants $[-1, 1]$. That is
# why our networks carry theirs as `model.preprocessing`.
#
# $H$ and $W$ are often said to be at least 224. That is a habit of ImageNet classifiers; a fully convolutional network
# takes any size, but objects must appear about as large as in training (we measure that below).

# %%
# define the pre-processing steps
# image->tensor, normalization
preprocess = transforms.Compose(
    [
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)

# perform pre-processing
input_tensor = preprocess(input_image)
input_batch = input_tensor.unsqueeze(0)  # create a mini-batch of size 1 as expected by the model
input_batch = input_batch.to(device)

pixels = np.asarray(input_image)
print(f"picture: {pixels.shape} {pixels.dtype}, {pixels.min()} to {pixels.max()}")
print(f"batch:   {tuple(input_batch.shape)}, {input_batch.min():.2f} to {input_batch.max():.2f}")
print(model.preprocessing)
expected = model.preprocessing.normalize(load_image(input_image))
assert torch.allclose(input_tensor, expected, atol=1e-6)

# %% [markdown]
# ## The forward pass
#
# The network returns a dictionary. `out` holds one number per class and pixel, at the size of the input: **logits**,
# that is, scores before the softmax, negative or positive.

# %%
# forward pass
with torch.inference_mode():
    output = model(input_batch)["out"][0]  # first image in batch
output_predictions = output.argmax(0)
print("output shape: ", output.shape)
print("output_predictions shape: ", output_predictions.shape)

# %% [markdown]
# Many tutorials, the one this course grew from among them, call these numbers "unnormalized probabilities". That is
# almost right: $p_k = e^{z_k} / \sum_j e^{z_j}$, so it is $e^{z_k}$ that is an unnormalized probability, and the logit
# $z_k$ its logarithm. The argmax does not care, because the exponential is increasing. Whoever averages or sets a
# threshold must.

# %%
probabilities = output.softmax(0)
print(f"logits from {output.min():.1f} to {output.max():.1f}")
print(f"probabilities of a pixel sum to {probabilities[:, 0, 0].sum():.4f}")
print("same labels:", torch.equal(probabilities.argmax(0), output_predictions))

# %% [markdown]
# **And `aux`?** It is often described as "auxiliary loss values per pixel". It holds no loss: it is a second set of
# *logits*, of the same shape, from a small head on an earlier stage of the backbone. In training, its cross entropy is
# added with a small weight (0.4 in PSPNet, 0.5 in torchvision's recipe), so that the early stages get a direct
# gradient. Afterwards it is of no use. Ours appears in training mode only; torchvision's networks return it in
# evaluation too, if they were built with it.

# %%
with_aux = models.create("deeplabv3_tiny", num_classes=21, aux=True)
with torch.inference_mode():
    for mode in (True, False):
        outputs = with_aux.train(mode)(torch.zeros(2, 3, 128, 160))
        shapes = {name: tuple(logits.shape) for name, logits in outputs.items()}
        print("training:  " if mode else "evaluation:", shapes)

# %% [markdown]
# ## Colors
#
# A label map is an array of small numbers; as a gray picture it is nearly black. A **palette** gives each number a
# color. The tutorial's rule multiplies the class number with three large numbers and takes the rest modulo 255. VOC's
# rule spreads the *bits* of the number over red, green and blue, the lowest bits to the highest of the color.
#
# **Predict, then run.** $2^{25}-1$, $2^{15}-1$ and $2^{21}-1$ leave the remainders 1, 127 and 31 modulo 255. So what
# are the colors of boat (4), dog (12) and tvmonitor (20) by the first rule? Would you tell them apart?

# %% alt="The label map in two palettes: by the modulo rule many classes look alike, by VOC's bits they differ."
# create a color palette, selecting a color for each class
palette = torch.tensor([2**25 - 1, 2**15 - 1, 2**21 - 1])
colors = torch.arange(len(labels))[:, None] * palette
colors = (colors % 255).numpy().astype("uint8")

rules = {"(2²⁵−1, 2¹⁵−1, 2²¹−1) mod 255": colors, "VOC's bits": voc_colormap(len(labels))}
figure, axes = plt.subplots(2, 2, figsize=(8.5, 4.0), height_ratios=[8, 1], layout="constrained")
for column, (rule, table) in enumerate(rules.items()):
    # plot the semantic segmentation predictions, each class in its color
    r = Image.fromarray(output_predictions.byte().cpu().numpy()).resize(input_image.size, Image.NEAREST)
    r.putpalette(table.tobytes())
    axes[0, column].imshow(r.convert("RGB"), interpolation="nearest")
    axes[0, column].set_title(rule)
    axes[0, column].set_axis_off()
    axes[1, column].imshow(table[None], aspect="auto")
    axes[1, column].set_yticks([])
    axes[1, column].set_xticks(range(0, len(labels), 4))
    gaps = np.abs(table[:, None].astype(int) - table).sum(axis=2)
    first, second = np.argwhere(gaps == gaps[~np.eye(len(table), dtype=bool)].min())[0]
    print(f"{rule}: 4 {table[4].tolist()}, 12 {table[12].tolist()}, 20 {table[20].tolist()};", end=" ")
    print(f"closest pair {first} {table[first].tolist()} and {second} {table[second].tolist()}")
plt.show()

# %% [markdown]
# By the modulo rule, adding 8 to the number changes the color by (8, −4, −7), next to nothing: it knows about eight
# colors. VOC's closest pair is three times as far apart.
#
# One word in that cell is ours: `Image.NEAREST`. The tutorial's line resizes the label map with Pillow's default
# filter, which for numbers is bicubic. At equal sizes nothing happens. At any other size it *computes between class
# numbers*, as if between cat (8) and dog (12) there were a chair (9):

# %%
tiny_map = Image.fromarray(np.array([[8, 8, 12, 12]], dtype=np.uint8))
print("bicubic:", np.unique(tiny_map.resize((16, 1))))
print("nearest:", np.unique(tiny_map.resize((16, 1), Image.NEAREST)))

# %% [markdown]
# ## Which classes?
#
# The list of the tutorial has no background, so that number 1 is its first entry. Ours comes from the label set, whose
# position *is* the number. With 0 to 20 both are VOC's; the course's network knows further numbers behind them.

# %%
names = labels.names[1:21]
print([f"{i + 1}: {names[i]}" for i in range(len(names))])
if len(labels) > 21:
    print([f"{i}: {labels.names[i]}" for i in range(21, len(labels))])

# %% [markdown]
# What labels were recognized here?

# %%
found, counts = np.unique(output_predictions.cpu().numpy(), return_counts=True)
print(found)
for number, count in sorted(zip(found, counts, strict=True), key=lambda pair: -pair[1]):
    print(f"{number:3} {labels.names[number]:16} {100 * count / counts.sum():5.1f} % of the pixels")

# %% [markdown]
# `plotting.show_overlay` draws the labels over the picture, `plotting.legend` names them. If we know the truth, we set
# it beside. Hatched is void: it counts nowhere.

# %% alt="The picture with its predicted classes in color, and beside it the true classes."
panels = {"prediction": output_predictions} | ({"truth": truth} if truth is not None else {})
size = (4.4 * len(panels), 3.0)
figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, layout="constrained")
for axis, (title, map_) in zip(axes[0], panels.items(), strict=True):
    show_overlay(pixels, map_, labels, ax=axis, legend=False)
    axis.set_title(title)
shown = np.unique(np.concatenate([np.ravel(map_.cpu()) for map_ in panels.values()]))
legend(axes[0, -1], shown, labels)
plt.show()

# %% [markdown]
# ## Only the dog
#
# A mask is a comparison: 1 where the label is the wanted one. Multiplied with the picture it blackens everything else.
# `torch.isin` takes several classes at once.

# %% alt="The picture with all but the dog blackened, and with all but dog and person blackened."
# create a mask
mask = torch.zeros_like(output_predictions).float().to(device)
if is_course:
    mask[output_predictions == 12] = 1  # 12 is dog
else:
    mask[output_predictions == 8] = 1  # 8 is cat, as there is no dog in Chelsea's picture
masked_img = input_image * mask.unsqueeze(2).byte().cpu().numpy()

wanted = torch.tensor(labels.select(["cat", "dog", "person"]), device=device)
several = torch.isin(output_predictions, wanted)
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.3), layout="constrained")
axes[0].imshow(masked_img)
axes[0].set_title("dog" if is_course else "cat")
axes[1].imshow(pixels * several.unsqueeze(2).byte().cpu().numpy())
axes[1].set_title("cat, dog and person")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %% [markdown]
# That was the whole example. The course's own functions do the same, in any size and without a forgotten step:
# `predict(model, picture)` gives the labels. A test that they agree with what we did by hand:

# %%
by_function = predict(model, input_image)
agreement = (by_function == output_predictions.cpu()).float().mean()
print(f"{100 * agreement:.2f} % of the pixels have the same label")

# %% [markdown]
# ## Your own photograph
#
# Write the path of a PNG or JPEG file into `PHOTO`. (On Colab, upload it with the folder icon on the left.)
# `load_image` turns it as the camera says (EXIF), looks up palettes, drops transparency and repeats gray.
#
# Without a path the cell takes three photographs from scikit-image. With the published network, expect a cat, an
# astronaut and a cup on a table. With the course's network, **predict first**: it learned from drawings only.

# %% alt="A cat, an astronaut and a coffee cup, each with the predicted classes in color over it."
PHOTO = None  # "holiday.jpg"
LONGEST = 160 if is_course else 520  # about the size of the pictures that the network learned from

if PHOTO is not None:
    examples = {PHOTO: load_image(PHOTO)}
else:
    three = {"chelsea": photographs.chelsea, "astronaut": photographs.astronaut, "coffee": photographs.coffee}
    examples = {name: load_image(photograph()) for name, photograph in three.items()}

_, confidence = predict(model, input_image, return_probabilities=True)
print(f"for comparison, the picture above: mean confidence {confidence.amax(0).mean():.2f}")
figure, axes = plt.subplots(1, len(examples), figsize=(8, 2.8), squeeze=False, layout="constrained")
for axis, (name, photo) in zip(axes[0], examples.items(), strict=True):
    height, width = photo.shape[1:]
    factor = min(1.0, LONGEST / max(height, width))
    size = round(height * factor), round(width * factor)
    small = transforms.functional.resize(photo, size, antialias=True)
    prediction, confidence = predict(model, small, return_probabilities=True)
    show_overlay(small, prediction, labels, ax=axis, legend=False)
    axis.set_title(name)
    main = np.bincount(prediction.ravel(), minlength=len(labels)).argsort()[::-1][:3]
    print(f"{name:10} mostly {', '.join(labels.names[k] for k in main)};", end=" ")
    print(f"mean confidence {confidence.amax(0).mean():.2f}")
plt.show()

# %% [markdown]
# If you see nonsense, it is the network of the course, and the nonsense is the lesson: between drawings and photographs
# lies a **domain gap**. The **confidence** (the largest probability of a pixel, averaged) is lower than on a scene, but
# nowhere near the 1/33 of somebody who does not know. A network always answers, and it answers with the classes it has.
# It is as good as its training data are like *your* pictures, whatever its mean IoU elsewhere.
#
# From a terminal, the same is one command. It prints which weights it uses and writes the overlay to a file:
#
# ```
# segtutor segment holiday.jpg                                                   # the best whose weights are there
# segtutor segment holiday.jpg --model deeplabv3_resnet101 --weights torchvision --out overlay.png
# segtutor segment holiday.jpg --scales 0.75,1,1.25 --flip --labels-out labels.png
# ```
#
# ## What goes wrong without a message
#
# From here on we measure, with the course's network and validation pictures of Scenes, drawn once and kept.


# %%
class Kept:
    """Some pictures of a data set with their labels, drawn once."""

    def __init__(self, dataset):
        self.labels = dataset.labels
        self.samples = [dataset[index] for index in range(len(dataset))]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


pictures = Kept(Scenes("val", count=40))
reference = evaluate(course, pictures, progress=False)
print(f"mean IoU {100 * reference.mean_iou:.1f} % over {reference.classes_counted} classes,", end=" ")
print(f"pixel accuracy {100 * reference.pixel_accuracy:.1f} %, {len(pictures)} pictures of 128 x 160")
assert reference.mean_iou > 0.6, "these are not the weights that the course was checked with"

# %% [markdown]
# Now the same pictures, prepared wrongly. **Predict, then run.** Order these by the harm they do: no normalization,
# normalization twice, bytes instead of floats, BGR instead of RGB, the numbers of another network ($x/127.5 - 1$), and
# a photograph lying on its side because nobody read its EXIF tag.


# %% alt="Mean IoU for the right preparation and six wrong ones; every wrong one loses."
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
    scores[name] = score(course, pictures, *steps)
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
values = [100 * confusion.mean_iou() for confusion in scores.values()]
bars = axis.barh(list(scores), values, color=["#0072b2"] + ["#e69f00"] * (len(scores) - 1))
axis.bar_label(bars, fmt="%.1f", padding=3)
axis.invert_yaxis()
axis.set_xlabel("mean IoU (%)")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# None of them raises an error, and all of them give a picture with colored regions in it:

# %% alt="Label maps of one scene: prepared rightly, as BGR, with other numbers, and without normalization."
some = ("right", "BGR", "x / 127.5 − 1", "not normalized, [0, 1]")
example = pictures[20][0].float() / 255
figure, axes = plt.subplots(1, len(some), figsize=(11, 2.4), layout="constrained")
for axis, name in zip(axes, some, strict=True):
    with evaluating(course):
        prediction = course(preparations[name][0](example)[None].to(device))["out"][0].argmax(0)
    axis.imshow(colorize(prediction, SCENES), interpolation="nearest")
    axis.set_title(name)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# The mild mistakes are the dangerous ones: a network with swapped channels looks like one that was not trained long
# enough. (Our `preprocessing` refuses values outside 0...1, so that bytes as floats and a second normalization
# cannot happen by accident.)
#
# ## Pictures of several sizes in one batch
#
# A batch is one tensor, so its pictures must be of one size:

# %%
sizes = [(128, 160), (96, 128), (112, 112)]
drawn = [Scenes("val", size=size, count=16) for size in sizes]
inputs = [course.preprocessing.normalize(scenes[0][0]).to(device) for scenes in drawn]
try:
    torch.stack(inputs)
except RuntimeError as error:
    print(error)

# %% [markdown]
# There are three ways out. One by one is always right. **Padding** to the largest size keeps the scale of the objects,
# but the network sees the margin: border effects, and the image pooling averages over it. Pad *after* normalization
# with 0, which is the mean color, on the right and below, and crop the logits. **Resizing** all to one size changes
# the scale and shape of the objects, and the logits must be resized back.
#
# **Predict, then run.** Which of the two, padding or resizing, changes more labels compared with one by one? We take
# 16 batches of three pictures.

# %%
HEIGHT, WIDTH = np.max(sizes, axis=0)
pad, resize = torch.nn.functional.pad, torch.nn.functional.interpolate
changed, right = np.zeros((2, len(sizes))), np.zeros((3, len(sizes)))
for index in range(16):
    samples = [scenes[index] for scenes in drawn]
    inputs = [course.preprocessing.normalize(image).to(device) for image, _ in samples]
    margins = [(0, WIDTH - w, 0, HEIGHT - h) for h, w in sizes]
    with evaluating(course):
        alone = [course(x[None])["out"][0].argmax(0) for x in inputs]
        batch = [pad(x, margin) for x, margin in zip(inputs, margins, strict=True)]
        padded = course(torch.stack(batch))["out"]
        same = [resize(x[None], (HEIGHT, WIDTH), mode="bilinear", antialias=True) for x in inputs]
        resized = course(torch.cat(same))["out"]
    for k, (h, w) in enumerate(sizes):
        cropped = padded[k, :, :h, :w].argmax(0)
        back = resize(resized[k : k + 1], (h, w), mode="bilinear")[0].argmax(0)
        changed[:, k] += [(other != alone[k]).float().mean().item() for other in (cropped, back)]
        target, valid = samples[k][1].to(device), samples[k][1].to(device) != 255
        right[:, k] += [(p == target)[valid].float().mean().item() for p in (alone[k], cropped, back)]
for k, size in enumerate(sizes):
    print(f"{size}: padding changes {100 * changed[0, k] / 16:4.1f} % of the labels,", end=" ")
    print(f"resizing {100 * changed[1, k] / 16:4.1f} %;  pixel accuracy:", end=" ")
    print("alone {:.1f}, padded {:.1f}, resized {:.1f} %".format(*(100 * right[:, k] / 16)))

# %% [markdown]
# The first picture already has the common size and is left alone by both. Resizing changes more labels, and here mostly
# for the better, because it enlarges the two smaller pictures to the size of training. With other sizes it would be for
# the worse: it is the scale that acts, as the section on large pictures shows. To score a network, do as
# `inference.evaluate` does: one picture at a time, at its own size. Batches are for training, where a random crop makes
# all sizes equal anyway.
#
# ## Speed and memory
#
# Twice the height and width is four times the pixels. For memory, two numbers matter: the **logits** at full size,
# with a float for every class and pixel, and, if you forget `inference_mode`, every **intermediate result**, which is
# then kept for a backward pass that never comes. PyTorch tells what it keeps, if asked politely:


# %%
def kept_for_backward(network, batch):
    """Bytes that a forward pass with gradients would keep for the backward pass, weights left out."""
    weights = {parameter.data_ptr() for parameter in network.parameters()}
    kept = {}

    def note(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = network(batch)  # while it lives, no address is given out twice
    del result
    return sum(kept.values())


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
# Memory grows with the pixels, exactly; time nearly so. A photograph of 12 megapixels would need 1.6 GB for 33 classes
# of logits alone, and its softmax as much again. On a GPU, `torch.cuda.max_memory_allocated()` tells the true peak.
#
# ## Large pictures: whole, windows, or smaller?
#
# A **sliding window** cuts a large picture into overlapping pieces and averages the probabilities where they overlap.
# Memory then depends on the window only. But each window sees only itself: no far surroundings, and large objects in
# pieces. The alternative is to show the picture *smaller*.
#
# We draw the same scenes at twice the height and width, so that everything in them is twice as large in pixels as in
# training. **Predict, then run.** Put in order: whole picture, window of 128 × 160, half the size, and half the size
# together with full size.

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
# For this network the *scale* decides: it has learned how large a person is, in pixels. So a window is no remedy for a
# picture that is larger than those of training; it saves memory, and it repeats the wrong scale with less context. Use
# windows when the pictures are large *and* the objects in them have the size that the network knows, as in aerial
# photographs or in Cityscapes, where networks learn from crops at full resolution.
#
# ## The claim, measured
#
# Scales and flip on Scenes. Three *worlds* (three seeds of the validation split, 20 pictures each) take the place of
# three seeds of a training, which we have only one of here. The gain is taken world by world, on the same pictures.
#
# Each picture is shown in six *views* and each view's probabilities are kept, so that all combinations come from the
# same six passes. The network sees 6.2 times the pixels of the plain picture for it.

# %%
SCALES = (0.75, 1.0, 1.25)
views = {
    "plain": [(1.0, False)],
    "flip": [(1.0, False), (1.0, True)],
    "scales 0.75, 1, 1.25": [(scale, False) for scale in SCALES],
    "scales and flip": [(scale, mirrored) for scale in SCALES for mirrored in (False, True)],
}


def look(image, scale, mirrored):
    """Probabilities K x H x W of one view, brought back to the picture's size and orientation."""
    shown = image.flip(-1) if mirrored else image
    _, probabilities = predict(course, shown, scales=(scale,), return_probabilities=True)
    return probabilities.flip(-1) if mirrored else probabilities


worlds = [Kept(Scenes("val", count=20, seed=seed)) for seed in range(3)]
table = np.zeros((len(views), len(worlds)))
for column, world in enumerate(tqdm(worlds, leave=False)):
    confusions = {name: ConfusionMatrix(len(SCENES)) for name in views}
    for image, target in world.samples:
        seen = {view: look(image, *view) for view in views["scales and flip"]}
        for name, chosen in views.items():
            mean = sum(seen[view] for view in chosen) / len(chosen)
            confusions[name].update(target, mean.argmax(0))
    table[:, column] = [100 * confusion.mean_iou() for confusion in confusions.values()]

print(f"{'':22} world 0  world 1  world 2   gain over plain      pixels through the network")
for (name, chosen), row in zip(views.items(), table, strict=True):
    gain, cost = row - table[0], sum(scale**2 for scale, _ in chosen)
    spread = "" if name == "plain" else f"{gain.mean():+.2f} ± {gain.std(ddof=1):.2f} points"
    print(f"{name:22} {row[0]:7.2f}  {row[1]:7.2f}  {row[2]:7.2f}   {spread:21} {cost:4.1f} x")

# %% [markdown]
# In one line, it is `predict(model, picture, scales=SCALES, flip=True)`:

# %%
by_function = predict(course, image, scales=SCALES, flip=True)
print(f"{100 * (by_function == mean.argmax(0)).float().mean():.2f} % of the labels agree")

# %% [markdown]
# The same as a picture, with the paper's gains beside ours (its protocol: VOC 2012 val, ResNet-101 at output stride 8,
# scales from 0.5 to 1.75):

# %% alt="Gain in mean IoU by flip, scales and both; a dot for each world, and the paper." tags=["hide-input"]
paper = {"scales 0.75, 1, 1.25": 79.45 - 78.51, "scales and flip": 79.77 - 78.51}
figure, axis = plt.subplots(figsize=(7.5, 2.6), layout="constrained")
for position, name in enumerate(list(views)[1:]):
    gains = table[position + 1] - table[0]
    label = "Scenes, one world" if position == 0 else None
    axis.plot(gains, [position] * 3, "o", color="#0072b2", label=label)
    axis.plot(gains.mean(), position, "|", color="#0072b2", markersize=22, markeredgewidth=2.5)
    if name in paper:
        label = "the paper, VOC" if position == 1 else None
        axis.plot(paper[name], position, "D", color="#e69f00", label=label)
axis.axvline(0, color="0.6", linewidth=1)
axis.set_yticks(range(3), list(views)[1:])
axis.set_ylim(2.6, -0.6)
axis.set_xlabel("gain in mean IoU (percentage points)")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

# %% [markdown]
# **Verdict.** The claim shows: scales gain, scales with flip gain more, in each of the three worlds and by about as much
# as in the paper. It is not the paper's experiment (another network, drawn pictures, one training, three scales), so
# the agreement in size is partly luck. And mind the rate of exchange: one or two points for several times the work.
# Worth it for the last line of a results table, seldom in a product; and a score *with* it must never be compared with
# one *without*.
#
# What is averaged are probabilities, not logits: logits have no common scale from one view to the next. And the
# prediction for the mirror image must be mirrored back (the last line of `look`), or you average two different
# pictures.
#
# ## How sure is it?
#
# The largest probability of a pixel is its **confidence**; the **entropy** $-\sum_k p_k \log p_k$ also notices whether
# the rest is spread over one rival or over all. Both draw the same map in most pictures: bright along borders and on
# small things.

# %% alt="A scene, its errors, its confidence and its entropy; borders and small objects are unsure."
image, target = pictures[20]
prediction, probabilities = predict(course, image, return_probabilities=True)
confidence = probabilities.amax(0)
entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum(0)

figure, axes = plt.subplots(1, 4, figsize=(9.8, 2.3), layout="constrained")
axes[0].imshow(image.permute(1, 2, 0))
axes[0].set_title("scene")
show_errors(target, prediction, axes=axes[1])
for axis, map_, title in ((axes[2], confidence, "confidence"), (axes[3], entropy, "entropy (nats)")):
    drawn_map = axis.imshow(map_, cmap="magma", vmin=0)
    figure.colorbar(drawn_map, ax=axis, shrink=0.7)
    axis.set_title(title)
for axis in (axes[0], axes[2], axes[3]):
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Is a confidence of 0.8 right in 80 % of the cases? Such a network is called **calibrated**. We sort all pixels of the
# 40 validation pictures into ten bins by confidence and look up how many are right. The mean distance from the
# diagonal, weighted with the number of pixels, is the *expected calibration error* (Guo et al. 2017).
#
# **Predict, then run.** Will the curve lie above or below the diagonal?

# %% alt="Share of right pixels per bin of confidence; accuracy if only the most confident pixels are kept."
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
kept = np.linspace(0.05, 1, 60)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
axes[0].plot([0, 1], [0, 1], color="0.6", linewidth=1)
axes[0].plot(mean_sure, mean_right, "o-", color="#0072b2")
axes[0].set(xlabel="confidence", ylabel="share that is right")
axes[0].set_title(f"calibration error {calibration_error:.3f}")
last = (kept * len(order)).astype(int) - 1
axes[1].plot(100 * kept, 100 * accuracy_of_surest[last], color="#0072b2")
axes[1].set(xlabel="most confident pixels kept (%)", ylabel="pixel accuracy (%)")
axes[1].set_title("leaving out the unsure")
left = 1 - right.mean(), 1 - accuracy_of_surest[int(0.8 * len(order)) - 1]
print(f"errors: {100 * left[0]:.1f} % of all pixels, {100 * left[1]:.1f} % of the surest four fifths")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# On pictures of its own kind this small network is close to calibrated. Large networks, trained until they hardly make
# a mistake on their training data, usually lie below the diagonal: they are too sure (Guo et al. 2017). And nothing of
# this holds outside the training data, as the photographs have shown. The right panel is what confidence is good for:
# leave the least sure fifth of the pixels to a person, and most of the errors go with it.
#
# ## Where it fails
#
# A mean hides what you would see at once. So: look at the worst pictures and the worst classes, always, before you
# believe a score.

# %% alt="The three validation scenes with the lowest pixel accuracy: picture, prediction, truth, errors."
accuracy = []
for prediction, (_, target) in zip(predictions, pictures.samples, strict=True):
    accuracy.append((prediction == target)[target != 255].float().mean().item())
worst = np.argsort(accuracy)[:3]
figure, axes = plt.subplots(3, 4, figsize=(8, 5.2), layout="constrained")
for row, index in zip(axes, worst, strict=True):
    image, target = pictures[int(index)]
    row[0].imshow(image.permute(1, 2, 0))
    row[1].imshow(colorize(predictions[index], SCENES), interpolation="nearest")
    row[2].imshow(colorize(target, SCENES), interpolation="nearest")
    title = f"picture {index}, right {100 * accuracy[index]:.0f} %"
    show_errors(target, predictions[index], axes=row[3], title=title)
    row[3].get_legend().remove()
    for axis, title in zip(row[:3], ("scene", "prediction", "truth"), strict=True):
        axis.set_title(title)
        axis.set_axis_off()
plt.show()

# %% [markdown]
# The classes next. Two kinds are hard for known reasons. **Thin** things (poles, bicycles) are smaller than a cell of
# the feature map: at output stride 8 a pole two pixels wide is a quarter of a cell, at 4 a half. **Context-only**
# classes look the same and are told apart by what is far away: in Scenes the same drawn bollard is a *mooring bollard*
# in a harbor and a *street bollard* in a street.

# %% alt="IoU of each class, lowest first; thin and context-only classes in color." tags=["hide-input"]
ious = {name: 100 * iou for name, iou in reference.iou.items() if np.isfinite(iou)}
ranked = sorted(ious, key=ious.get)
kinds = {
    "thin": ("#e69f00", {"pole", "bicycle"}),
    "context-only": ("#882255", {"mooring bollard", "street bollard"}),
}
tints = [next((tint for tint, group in kinds.values() if name in group), "#0072b2") for name in ranked]
figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
axis.bar(ranked, [ious[name] for name in ranked], color=tints)
axis.tick_params(axis="x", rotation=60)
plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
axis.set_ylabel("IoU (%)")
axis.spines[["top", "right"]].set_visible(False)
for kind, (tint, _) in kinds.items():
    axis.bar(0, 0, color=tint, label=kind)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The confusion matrix says *with what* a class is confused: its row where the pixels of the class go, its column where
# the pixels that are called so come from.

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
# the network draws it too fat: that is what happens to thin things. If the two bollards were taken for each other, the
# context would be missing; lesson 4 is about how a network gets it. The rest is small things on large ground.
#
# ## Other networks, other places
#
# - **torchvision**, from which our published weights come. In its own words, the first line of the tutorial is today
#   `torchvision.models.segmentation.deeplabv3_resnet101(weights="DEFAULT")`; `pretrained=True` is deprecated since
#   version 0.13.
# - **PyTorch Hub**: `torch.hub.load("pytorch/vision:v0.5.0", "deeplabv3_resnet101", pretrained=True)` is the tutorial's
#   line. It downloads the *code* of that GitHub repository at that tag and runs it. So pin a tag, as the line does, and
#   load only from people you trust. [pytorch.org/hub](https://pytorch.org/hub/) lists many networks for many tasks.
# - **GitHub**, for what the hub does not have: DeepLabV3+ with VOC and Cityscapes weights in
#   [VainF/DeepLabV3Plus-Pytorch](https://github.com/VainF/DeepLabV3Plus-Pytorch), many architectures in
#   [segmentation_models.pytorch](https://github.com/qubvel-org/segmentation_models.pytorch),
#   [mmsegmentation](https://github.com/open-mmlab/mmsegmentation) and
#   [Detectron2](https://github.com/facebookresearch/detectron2) (its weights are CC BY-SA 3.0).
# - **In this course**: `models.available()` lists the networks, and `models.load_weights` reads files of several of
#   these projects.
#
# Three questions before you trust a file: which *classes*, in which order? Which *data*, with which license? Which
# *preprocessing*? Weights carry the terms of the data they were trained on.
#
# ## Pitfalls
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
# - **Void counted as a class.** With background as the ignore index, IoU turns into recall
#   ([evaluate#421](https://github.com/huggingface/evaluate/issues/421)).
# - **Mean IoU averaged picture by picture.** Another number under the same name
#   ([segmentation_models#247](https://github.com/qubvel/segmentation_models/issues/247)).
# - **The last window sticks out, or overlaps are not counted.** Seams and wrong borders;
#   [semseg](https://github.com/hszhao/semseg) shows how to shift it back and divide by the counts.
# - **A new library version: it runs, and the results are rubbish**
#   ([detectron2#5443](https://github.com/facebookresearch/detectron2/issues/5443)). Keep one picture with its known
#   score, and look at it after each update.
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
#    labels? void left out? one confusion matrix over all pictures?).
# 3. Smaller: the network has seen persons of a few hundred pixels, and a window would show it a sleeve.
# 4. Logits of the auxiliary head. In training only, added to the loss with a small weight.
# 5. After normalization, 0 is the mean color, which the network takes as neutral; before it, 0 is black. Labels of
#    padding must not count, and 255 is void; 0 would say "background" and be learned.
#
# </details>
#
# ## Reading and videos
#
# Papers: [DeepLabV3](https://arxiv.org/abs/1706.05587), §4.2, for how it is tested;
# [Guo et al. 2017](https://arxiv.org/abs/1706.04599) on calibration. Code:
# [torchvision's segmentation reference](https://github.com/pytorch/vision/tree/main/references/segmentation), whose
# `presets.py` and `train.py` show exactly how the published weights were trained and scored.
#
# **Warning:** these videos do not replace the lectures and lessons. Use them for a better understanding of the written
# material, not as an alternative to it.
#
# - **(Deep) semantic segmentation:**
#   [Stanford CS231n, Lecture 11: Detection and Segmentation](https://www.youtube.com/watch?v=nDPWywWRIRo). Look for:
#   why classifying every patch on its own is wasteful; downsampling and upsampling inside one network; the transposed
#   convolution; then the way from R-CNN to Mask R-CNN, which is lesson 5.
# - **Conditional random fields:**
#   [Conditional Random Fields, Stanford University (by Daphne Koller)](https://www.youtube.com/watch?v=rc3YDj5GiVM),
#   12 minutes. Look for: why we model the labels *given* the picture and need no model of the picture itself; the
#   normalizing constant that depends on the picture; logistic regression as a small CRF.
# - **DeepLabV2:**
#   [DeepLab: Semantic Image Segmentation (How it works)](https://www.youtube.com/watch?v=b6jhopSMit8). Look for: where
#   atrous convolution keeps the resolution, what the pyramid adds, what the CRF repairs at the borders; and compare
#   with what lesson 6 measures.
#
# ## Credits
#
# This lesson follows, line by line, the worked example of the tutorial on deep semantic segmentation of the course
# *EE 046746 Computer Vision* (Spring 2021) by Tal Daniel. That tutorial credits
#
# - [Deep Semantic Segmentation of Natural and Medical Images: A Review](https://arxiv.org/abs/1910.07655), Taghanaki
#   et al., 2019
# - [Review of Deep Learning Algorithms for Image Semantic Segmentation](https://medium.com/@arthur_ouaknine/review-of-deep-learning-algorithms-for-image-semantic-segmentation-509a600f7b57),
#   Arthur Ouaknine
# - [Semantic Segmentation with Deep Learning](https://towardsdatascience.com/semantic-segmentation-with-deep-learning-a-guide-and-code-e52fc8958823),
#   George Seif
# - Icons from [Icons8](https://icons8.com)
#
# The photographs come with scikit-image: *Chelsea* by Stéfan van der Walt (CC0), the astronaut Eileen Collins by NASA
# (public domain), *coffee* by Rachel Michetti (CC0).
