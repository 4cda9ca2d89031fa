# ---
# title: "When it meets the world"
# minutes_cpu: 3
# minutes_t4: 3
# download: "none needed; 3 MB through pip, once, for a photograph of nuclei"
# peak_ram: 1.8 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", "[Lesson 3](03_fcn.ipynb)", "batch norm and the softmax in PyTorch"]
# minutes_work: 90
# ---

# %% [markdown]
# A network is trained, scored and shipped. Then the sun goes down. Or the pictures come from another camera, or there
# are thirty labeled ones and not thirty thousand. What a paper's table does not tell, you meet in the first week with
# pictures of your own.
#
# This lesson takes one network of the course through that week. It breaks at night, and a few lines without a single
# label bring most of it back. You learn to ask whether it knows when it is wrong, what kind of errors it makes, and
# whether another network is really better. And since labels are what you will lack, the last part is about **U-Net**,
# which was made for thirty pictures and is one of the most used networks of all.
#
# ## Objectives
#
# After this lesson you can
#
# - **explain** what night and fog do to a network, and repair it from pictures without labels;
# - **measure** whether its confidence can be trusted, by hand and by diagram, and say what one number can correct;
# - **read** errors: which kind, where, what for what, and whether one network is better than another;
# - **build** U-Net from its drawing, with its sizes, its tiles and the weights of its gaps.
#
# ## The claim
#
# > Much of what a network loses when the pictures change comes back if batch norm takes its means and variances from
# > unlabeled pictures of the new kind. No weight changes.
#
# For the classification of pictures with noise, blur and weather, the *mean corruption error* of a ResNet-50 falls
# from 76.7 to 62.2 % ([Schneider et al. 2020](https://arxiv.org/abs/2006.16971)). Here it is about every pixel.

# %% fold="Import what the lesson needs, and load a trained network and scenes"
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import FancyArrowPatch, Rectangle
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn import functional as F

from segtutor import analysis, models, plotting
from segtutor.claims.cells import CellRecipe, draw_cells, find_cells, regions
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.showing import card
from segtutor.datasets import Scenes
from segtutor.datasets.weather import Fog, Night
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix, mask_iou
from segtutor.metrics.boundary import boundary_band
from segtutor.metrics.calibration import Calibration, entropy, fit_temperature, risk_coverage, with_temperature
from segtutor.plotting import colorize
from segtutor.plotting.steps import MovableFigure, stepped_page
from segtutor.training.gaps import apart, gap_weights

plotting.use_course_style()
BLUE, ORANGE, GREEN, RED, PINK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
network = models.create("fcn8s_tiny", num_classes=len(SCENES), weights="course").eval()
scenes = draw(EVERYTHING, "val", 40, (96, 128))  # with labels, to score on
others = draw(EVERYTHING, "test", 64, (96, 128))  # of the same kind; their labels are used once, further below
large = Scenes("val", (240, 320), count=40)  # the same scenes as the first, drawn larger to be looked at
WEATHERS = {"day": None, "night": Night(), "fog": Fog()}

# %% [markdown]
# A few helpers: pictures in another weather, what a network says of them, and its score.


# %% fold="Define weathers, probabilities and the score"
def in_weather(images, weather):
    """The same pictures in another weather; the noise of the night is the same on every run."""
    torch.manual_seed(0)
    change = WEATHERS[weather]
    return images if change is None else torch.stack([change(image) for image in images])


def probabilities(model, images):
    """N x 3 x H x W to N x K x H x W."""
    with torch.inference_mode():
        parts = [model(model.preprocessing.normalize(part))["out"].softmax(dim=1) for part in images.split(20)]
    return torch.cat(parts)


def mean_iou(given):
    """Of probabilities for the scenes."""
    matrix = ConfusionMatrix(len(SCENES))
    matrix.update(scenes.maps.long(), given.argmax(dim=1))
    return matrix.mean_iou()


def large_answer(given):
    """Probabilities K x h x w of a scene to a label map of the size in which scenes are shown."""
    return F.interpolate(given[None], (240, 320), mode="bilinear")[0].argmax(dim=0)


def without_frames(axes):
    for axis in np.ravel(axes):
        axis.set_axis_off()


# %% [markdown]
# ## The first night
#
# The network is the FCN-8s of [lesson 3](03_fcn.ipynb), trained by day. Forty scenes that it has not seen are drawn
# by day; then the same forty with a tenth of the light and some noise of the sensor; then in fog, which fades what is
# high up in the picture, since that is far away. The labels stay the same. You would have no trouble with any of
# them.
#
# **Predict, then run.** By day the mean [IoU](glossary.ipynb#intersection-over-union) ([mean
# IoU](glossary.ipynb#mean-IoU)) is nearly 60 %. How much is left at night?

# %%
answers = {weather: probabilities(network, in_weather(scenes.images, weather)) for weather in WEATHERS}
for weather, given in answers.items():
    confidence = given.max(dim=1).values.mean()
    print(f"{weather:6} mean IoU {mean_iou(given):6.1%}   "
          f"the network is sure to {confidence:.0%} on average")  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# Next to nothing. A constant answer, the same class everywhere, would do as well. And it does not know: its
# confidence, the probability that it gives to its own answer, is even higher at night than by day. A network that
# fails loudly can be caught. This one fails in a firm voice.
#
# </details>
#
# What does it answer?

# %% fold="Draw a scene by day and at night, and the answers" alt="Above, a drawn scene with sheep, a dog, a horse and a person by a lake, by day, dark at night, and the night brightened, in which all can be seen; below, the network's label map by day, which has the parts of the scene, at night, where nearly everything is bus, and the truth"
SHOWN = 16
figure, axes = plt.subplots(2, 3, figsize=(5.6, 3.9))
scene, labels = large[SHOWN]
night = in_weather(scene[None], "night")[0].permute(1, 2, 0)
bright = (night / night.float().quantile(0.99)).clamp(0, 1)
pictures = {"day": scene.permute(1, 2, 0), "night": night, "night, brightened": bright}
maps = {"answer by day": large_answer(answers["day"][SHOWN]), "answer at night": large_answer(answers["night"][SHOWN]),
        "truth": labels}  # fmt: skip
for row, shown in zip(axes, (pictures, {name: colorize(one, SCENES) for name, one in maps.items()}), strict=True):
    for axis, (name, picture) in zip(row, shown.items(), strict=True):
        axis.imshow(picture)
        axis.set_title(name)
without_frames(axes)
seen = set().union(*(one.unique().tolist() for one in maps.values()))
plotting.legend(figure, seen, SCENES, loc="outside lower center", bbox_to_anchor=None, ncol=5, columnspacing=0.8)
plt.show()

# %% [markdown]
# The third picture is the one at night, multiplied by a number: all things are there. Such a change between the
# pictures of the training and those of the world is a [distribution shift](glossary.ipynb#distribution-shift).
# Nothing is wrong with the network's weights, and what it needs is still in the picture.
#
# ## What broke
#
# Behind each convolution stands batch norm. It is meant to give every channel the mean 0 and the spread 1 before the
# next layer reads it:
#
# $$ y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta. $$
#
# In training, $\mu$ and $\sigma^2$ are those of the batch. In evaluation they are **stored** numbers, averages over
# the training, and so over daylight. Left: the values of one channel in front of the first batch norm, with the
# stored mean and one standard deviation to either side. Right: how large the spread is behind each batch norm of the
# network, before γ and β. It should be 1.

# %% fold="Look into batch norm by day, at night and in fog" alt="Left, three histograms of a channel's values: that of the day is broad and centered in the gray band of the stored mean and deviation, those of night and fog are narrow and lie beside it. Right, a line for each weather over the batch norms from first to last: the day stays near 1, night and fog stay below it"
norms = {name: module for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}


def inputs_of_norms(images):
    """By its name, what comes into each batch norm."""
    seen = {}
    hooks = [
        module.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given[0]}))
        for name, module in norms.items()
    ]
    probabilities(network, images)
    for hook in hooks:
        hook.remove()
    return seen


inputs = {weather: inputs_of_norms(in_weather(scenes.images[:8], weather)) for weather in WEATHERS}
first = next(iter(norms))
stored, spread = norms[first].running_mean, norms[first].running_var.sqrt()
channel = int(((inputs["night"][first].mean((0, 2, 3)) - stored).abs() / spread).argmax())
figure, (left, right_axis) = plt.subplots(1, 2, figsize=(5.8, 2.1))
middle, one = float(stored[channel]), float(spread[channel])
left.axvspan(middle - one, middle + one, color="#DDDDDD", label="stored")
left.axvline(middle, color="#555555", linewidth=1)
for (weather, values), color, style in zip(inputs.items(), (ORANGE, BLUE, GREEN), ("-", "--", ":"), strict=True):
    left.hist(values[first][:, channel].flatten(), bins=np.linspace(middle - 3 * one, middle + 3 * one, 36), density=True,
              histtype="step", color=color, linestyle=style, linewidth=2, label=weather)  # fmt: skip
    spreads = [
        float(((x.std((0, 2, 3))) / (norms[name].running_var + 1e-5).sqrt()).mean()) for name, x in values.items()
    ]
    right_axis.plot(
        range(1, len(spreads) + 1), spreads, color=color, linestyle=style, marker="o", markersize=4, label=weather
    )
left.set(xlabel="value in front of the first batch norm", yticks=[])
right_axis.set(xlabel="batch norm, from first to last", ylabel="spread behind it", ylim=(0, 1.4))
right_axis.axhline(1, color="#777777", linewidth=1)
left.legend(frameon=False)
right_axis.legend(frameon=False, ncols=3, columnspacing=0.8, handlelength=1.6)
plt.show()

# %% [markdown]
# At night the values are shifted and squeezed: light and dark differ less. Batch norm goes on to subtract the mean of
# *daylight* and to divide by *its* spread. So what comes out is neither around 0 nor of spread 1, the next layer
# reads numbers that it has never seen, and so does the next.
#
# ## A repair without labels
#
# If only the stored numbers are wrong, then take new ones. All that this needs is pictures of the night, and nobody
# has to label them: run them through the network once, and let every batch norm note the mean and the variance that
# it meets.


# %%
def reestimated(model, images):
    model = copy.deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over all batches
            layer.train()
    with torch.no_grad():
        for batch in images.split(16):
            model(model.preprocessing.normalize(batch))
    return model.eval()


# %% [markdown]
# The pictures are 64 *other* scenes. **Predict, then run.** No weight learns anything, and it takes a second. How
# much of the mean IoU does it bring back?

# %%
repaired = {"day": answers["day"]}
for weather in ("night", "fog"):
    own = reestimated(network, in_weather(others.images, weather))
    repaired[weather] = probabilities(own, in_weather(scenes.images, weather))
    print(f"{weather:6} mean IoU {mean_iou(answers[weather]):5.1%} -> {mean_iou(repaired[weather]):5.1%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Most of it. What is still missing is probably what the weather has really taken: at night there is noise, and 256
# steps of gray can no longer tell all dark shades apart.
#
# </details>
#
# In the package the same is `segtutor.training.statistics.reestimate_statistics`. Now with three trained networks and
# a hundred scenes, as a [claim card](glossary.ipynb#claim-card). [ECE](glossary.ipynb#expected-calibration-error) is
# the error of the confidence, to which we come in a moment:

# %%
card("world.batch_norm")

# %% [markdown]
# At night the mean IoU rises from 0.5 to 46.4 %, and in fog from 8.5 to 48.2 %. By day it was 57.4. (These are means
# over three networks and a hundred scenes, so they differ a little from the numbers of the forty above.)
#
# ### When it harms
#
# The card has two rows that should make you careful. If the 64 pictures show **beaches only**, then the mean of a
# channel is that of sand and sky, and whatever is not sand stands out less. By day, where nothing was wrong, that
# costs 9 points. If **each picture** takes its own statistics, as happens when a network is left in training mode
# with a batch of one, it costs 21: a meadow then has as much green as a street has, namely a mean of 0.
#
# **Predict, then run.** Which layers of a network with [group or layer norm](08_transformers.ipynb), say a SegFormer,
# would you re-estimate?

# %%
for name in ("fcn8s_tiny", "segformer_tiny", "unet"):
    with torch.device("meta"):
        kinds = [type(module).__name__ for module in models.create(name).modules()
                 if "Norm" in type(module).__name__]  # fmt: skip
    print(f"{name:15}", {kind: kinds.count(kind) for kind in sorted(set(kinds))} or "no norm at all")

# %% [markdown]
# <details><summary>Answer</summary>
#
# None of the layer norms: they store nothing, and take their numbers from each picture anew. Where they do have a
# batch norm, as in SegFormer's decoder, that one can be repaired. U-Net as published has no norm, and nothing to
# re-estimate.
#
# </details>
#
# ### A dusk that nobody drew
#
# Our night is a formula, and so is our fog. CamVid ([lesson 2](02_data_sets.ipynb)) has four drives through Cambridge,
# and one of them was filmed at dusk. DeepLab v3, whose body knows ImageNet, learns on the 305 frames of daylight. It is
# scored on 62 frames at dusk, and on 86 of another street by day. Batch norm may look at *earlier* frames of the same
# drive, without labels: at all of them; at four; or at small windows of them that show hardly anything but road.
#
# (There is no picture here: CamVid's license allows personal and research use, and lets nobody pass its frames on. If
# you have it in SegNet's form, `segtutor reproduce world.dusk` runs this in some ten minutes.)
#
# **Predict, then run.** Which of the three help at dusk, and what do they do by day?

# %%
card("world.dusk")

# %% [markdown]
# <details><summary>Answer</summary>
#
# None of them. At dusk the mean IoU falls from 29.8 to 26.1 % with the earlier frames, and to 15.1 with road alone. By
# day, where the light is that of the training, it falls from 37.2 to 31.9.
#
# </details>
#
# The repair of our drawn night is **reversed** on these photographs. Is it the method? No: with the statistics of 61
# frames of the training, from several streets, the first network has 37.3 % by day, where it had 36.9 (seed 0 alone,
# beside the card). So it is the frames. Those of one drive are like our beaches, all of one street; and this dusk, at
# which the network still found much, had less to give back than such statistics take.
#
# ## Is it as sure as it should be?
#
# At night the network was nearly always wrong and nearly always sure. Confidence is worth something only if it says
# how often the answer is right: of all pixels with 80 %, 80 of 100 should be. Such a network is *calibrated*. To
# measure it, sort the pixels into bins by their confidence, and compare in each bin the mean confidence with the
# share that is right. The mean gap, weighted by the pixels of the bins, is the **expected calibration error**, ECE
# ([Guo et al. 2017](https://arxiv.org/abs/1706.04599)):
#
# $$ \text{ECE} = \sum_m \frac{|B_m|}{N}\,\big|\,\text{conf}(B_m) - \text{acc}(B_m)\,\big|. $$
#
# **Predict, then run.** Ten pixels in three bins. Work out the ECE by hand: four times 0.95 with three right, four
# times 0.75 with two right, twice 0.55 with one right.

# %%
confidence = np.array([0.95] * 4 + [0.75] * 4 + [0.55] * 2)
right = np.array([1, 1, 1, 0, 1, 1, 0, 0, 1, 0])
error = 0.0
for value in (0.95, 0.75, 0.55):
    inside = confidence == value
    gap = abs(confidence[inside].mean() - right[inside].mean())
    error += inside.sum() / len(right) * gap
    print(f"{inside.sum()} pixels: confidence {value:.2f}, "
          f"right {right[inside].mean():.2f}, gap {gap:.2f}")  # fmt: skip
print(f"ECE {error:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 0.4 · 0.20 + 0.4 · 0.25 + 0.2 · 0.05 = 0.19. Had there been an eleventh pixel, with 0.95 on a
# [void](glossary.ipynb#void) label, and had somebody counted it as wrong, the ECE would be 0.26: the network did
# nothing wrong, it was asked about a pixel that has no answer. Void is left out of this, as of every score.
#
# </details>
#
# The bins themselves, drawn, are the *reliability diagram* that you know from [lesson 7](07_worked_example.ipynb).
# Move the slider from the day to the night, to the night with new statistics, and then to those with a
# [temperature](glossary.ipynb#temperature), which the next section is about. Gray is where the pixels are, blue the
# share that is right, orange the gap:


# %% fold="Make the figure of reliability diagrams" alt="A reliability diagram under a slider: by day the points lie a little above the diagonal, at night near zero, with new statistics near the diagonal again"
def calibration_of(given, temperature=1.0):
    """Counted at every second pixel, which is enough."""
    counted = Calibration(len(SCENES))
    for one, labels in zip(given, scenes.maps.long(), strict=True):
        counted.update(labels[::2, ::2], with_temperature(one[:, ::2, ::2], temperature))
    return counted


def diagram(counted, words):
    """A reliability diagram as a small drawing of lines."""
    marks = []
    for number, (sure, right) in enumerate(zip(*counted.reliability(), strict=True)):
        share = 200 * counted.counts[number] / counted.pixels
        marks.append(f'<path d="M{44 + 20 * number} 210v{-share:.0f}h14v{share:.0f}" fill="#c8c8c8"/>')
        if sure == sure:  # the bin holds a pixel
            x, low, high = 40 + 300 * sure, 210 - 200 * sure, 210 - 200 * right
            marks.append(f'<path d="M{x:.0f} {low:.0f}V{high:.0f}" stroke="{ORANGE}" stroke-width="3"/>')
            marks.append(f'<circle cx="{x:.0f}" cy="{high:.0f}" r="4" fill="{BLUE}"/>')
    words_of = (
        (40, 226, "0"),
        (330, 226, "1"),
        (150, 240, "confidence"),
        (28, 16, "1"),
        (28, 212, "0"),
        (44, 12, words),
    )
    texts = "".join(f'<text x="{x}" y="{y}" font-size="12" fill="#222">{text}</text>' for x, y, text in words_of)
    frame = '<path d="M40 16V210H342M40 210L340 10" stroke="#777" fill="none"/>'
    return (f'<svg role="img" aria-label="Reliability diagram. {words}" viewBox="0 0 350 246" width="440" '
            f'style="background:#fff;max-width:100%">{"".join(marks)}{frame}{texts}</svg>')  # fmt: skip


cases = [("day", answers["day"], 1), ("night", answers["night"], 1), ("night, new statistics", repaired["night"], 1)]
cases += [(f"night, T = {temperature}", answers["night"], temperature) for temperature in (2, 4, 8, 16)]
drawn = []
for name, given, temperature in cases:
    counted = calibration_of(given, temperature)
    drawn.append(diagram(counted, f"{name}: ECE {counted.ece():.1%}"))
MovableFigure(len(drawn), stepped_page(drawn, "shown", [name for name, *_ in cases]))

# %% [markdown]
# By day the gaps are small, and the network is rather too modest. At night most pixels have a confidence near 1, and
# hardly any of them is right. New statistics repair both at once: with the mean IoU, the honesty came back.
#
# All classes share that one number. It can be asked of each class, too: are pixels of this class as often as its own
# probability says? By day:

# %%
by_class = calibration_of(answers["day"]).class_ece()
for index in np.argsort(-by_class)[:4]:
    print(f"{SCENES.names[index]:13} {by_class[index]:.2%}")
print(f"{'middle class':13} {np.median(by_class):.2%}")

# %% [markdown]
# Classes with many pixels lead, since pixels are counted. A rare class has an error near 0 because nearly all its
# probabilities are near 0; do not take that for honesty.
#
# ### One number more
#
# Can honesty be had alone? Divide all [logits](glossary.ipynb#logit) by a number $T$, the temperature, before the
# softmax: $p = \mathrm{softmax}(z / T)$. Above 1 it makes the network more modest, as the last steps of the figure
# show. $T$ is fitted to a few labeled pictures, so that the [cross entropy](glossary.ipynb#cross-entropy) is lowest.
#
# **Predict, then run.** The best temperature, from 32 scenes of the night with labels: what does it do to the ECE,
# and what to the mean IoU?

# %%
labeled = probabilities(network, in_weather(others.images[:32], "night"))[..., ::4, ::4]
temperature = fit_temperature(
    others.maps[:32, ::4, ::4].long(),
    labeled.transpose(0, 1).clamp_min(1e-30).log(),
)
cooled = torch.stack([torch.from_numpy(with_temperature(one, temperature)) for one in answers["night"]])
print(f"temperature {temperature:.1f}")
for name, given in (
    ("as it was", answers["night"]),
    ("with it", cooled),
    ("new statistics", repaired["night"]),
):
    print(f"{name:15} ECE {calibration_of(given).ece():6.1%}   mean IoU {mean_iou(given):6.1%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The ECE falls, and the mean IoU stays exactly as it was: dividing all logits of a pixel by the same number does not
# change which one is the largest. The network has learned to say that it knows nothing. That is worth something, and
# it is no repair. One number for all pixels cannot make right what differs from pixel to pixel.
#
# </details>
#
# ### Ask several
#
# A network is what it is by chance, too: by the random numbers that it began with, and the order of its pictures. Train
# three from different random numbers and take the mean of their probabilities, and you have an
# *ensemble*. Where the three agree, the mean is as sure as they are; where they differ, it is
# more modest. Cheaper is to leave *dropout* on. It silences other numbers in each pass, so that one network gives
# several answers ([Gal and Ghahramani 2016](https://arxiv.org/abs/1506.02142)).
#
# **Predict, then run.** Three passes each: three networks, or three times one with dropout. Which mean gives the true
# class more probability (the lower cross entropy), and which is more honest (the lower ECE)? By day, and at night?

# %%
card("world.ensemble")

# %% [markdown]
# <details><summary>Answer</summary>
#
# By day the three networks give the true class more: their cross entropy is 0.600, that of dropout 0.618, hardly less
# than the 0.619 of one pass. (Dropout stands only behind this network's deepest map, and the three answers are nearly
# the same.) The ECE goes the other way, 7.7 % against 6.9, which is **reversed**: by day these networks are too modest
# already, and a mean is more modest still. With a temperature for each, the three remain ahead, 0.560 against 0.587.
# At night and in fog the seeds differ too much to tell.
#
# </details>
#
# ### Leave the rest to a person
#
# An honest network can do one thing that a dishonest one cannot: be silent. Keep only the surest pixels. The share
# that is kept is the *coverage*, the share of wrong ones among them the *risk*. If confidence is worth anything, the
# risk falls with the coverage:

# %% fold="Draw risk against coverage" alt="Three curves of the share of wrong pixels against the share of pixels that is answered: by day it rises from near 0 to a seventh, at night with new statistics to a fifth, and at night with the old statistics it lies near 1 all along"
curves, known = {}, scenes.maps != SCENES.ignore_index
cases = (
    ("night", answers["night"], RED, "--"),
    ("night, new statistics", repaired["night"], GREEN, "-."),
    ("day", answers["day"], BLUE, "-"),
)
figure, axis = plt.subplots(figsize=(6.2, 2.6))
for name, given, color, style in cases:
    sure, answer = given.max(dim=1)
    coverage, risk = curves[name] = risk_coverage(sure[known], (answer == scenes.maps)[known])
    at = np.linspace(0.02, 1, 50)
    axis.plot(100 * at, 100 * np.interp(at, coverage, risk), style, color=color, linewidth=2.5, label=name)
axis.set(
    xlabel="pixels that are answered, the surest first, %", ylabel="of these wrong, %", xlim=(0, 100), ylim=(0, 103)
)
axis.legend(loc="center left", bbox_to_anchor=(0.02, 0.62), frameon=False, handlelength=3)
plt.show()
for name, (coverage, risk) in curves.items():
    print(
        f"{name:22} wrong: {risk[-1]:.1%} of all pixels, {risk[np.searchsorted(coverage, 0.8)]:.1%} of the surest 80 %"
    )

# %% [markdown]
# By day, the fifth of pixels that are least sure holds two thirds of the errors, and after the repair more than half
# of them; a person who looks only there finds them quickly. At night, with the old statistics, silence does not help,
# since the surest pixels are as wrong as the others.
#
# Where are the unsure pixels? The *entropy* of the probabilities, divided by the largest that it can be, is 0 where
# one class has everything and 1 where all classes are alike:

# %% fold="Draw where the network is undecided" alt="A dark map of the scene by the lake, with a color bar: it is bright along the edges of its regions, and brightest at the person and the dog"
undecided = F.interpolate(torch.from_numpy(entropy(answers["day"][SHOWN]))[None, None], (240, 320), mode="bilinear")[
    0, 0
]
figure, axis = plt.subplots(figsize=(4.4, 2.6))
drawn = axis.imshow((undecided * 12).round() / 12, cmap="magma", vmin=0, vmax=0.6)  # in steps, as the lines of a map
figure.colorbar(drawn, ax=axis, label="entropy")
axis.set_axis_off()
plt.show()
near = np.stack([boundary_band(labels.numpy(), 2) for labels in scenes.maps])
every = np.stack([entropy(given) for given in answers["day"]])
print(f"mean entropy within two pixels of a label change {every[near].mean():.2f}, elsewhere {every[~near].mean():.2f}")

# %% [markdown]
# Edges glow. There two answers really are nearly as good. What glows in the middle of a region is more interesting: a
# thing that the network cannot name.
#
# ## Which errors are they?
#
# A mean IoU of 58 % says how much is wrong, and not what. Before you change a network, look. Every wrong pixel is
# wrong in one of three ways (Bernhard et al., WACV 2024): at a **boundary**, where the outline runs beside the true
# one; in the **extent**, where a region was found but is too large or too small; or as a whole **segment** that is
# nowhere in the other map. The three sum to all errors:

# %% fold="Split the errors of three cases" alt="Three stacked bars that each reach 100 percent, for day, night with new statistics and night: by day boundary and extent errors are most; at night with the old statistics nearly all are errors of whole segments"
splits = {}
for name, given in (("day", answers["day"]), ("night, new statistics", repaired["night"]), ("night", answers["night"])):
    splits[name] = analysis.ErrorSplit(len(SCENES))
    for labels, found in zip(scenes.maps[:20].numpy(), given[:20].argmax(dim=1).numpy(), strict=True):
        splits[name].update(labels, found)
figure, axis = plt.subplots(figsize=(6.2, 1.9))
for row, (name, split) in enumerate(splits.items()):
    start = 0.0
    for (kind, (share, _)), color in zip(split.shares().items(), ("#56B4E9", ORANGE, "#882255"), strict=True):
        axis.barh(row, 100 * share, left=start, color=color, label=kind if row == 0 else None)
        if share > 0.05:
            axis.text(
                start + 50 * share,
                row,
                f"{share:.0%}",
                ha="center",
                va="center",
                color="white" if kind == "segment" else "black",
            )
        start += 100 * share
    print(f"{name:22} {split.wrong:7,} wrong pixels; the shares sum to {start:.0f} %")
axis.set(yticks=range(3), yticklabels=list(splits), xlabel="share of the wrong pixels, %", xlim=(0, 100))
axis.invert_yaxis()
axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
plt.show()

# %% [markdown]
# Each asks for another remedy. Boundary errors ask for a finer [stride](glossary.ipynb#stride), a decoder or a [skip
# connection](glossary.ipynb#skip-connection); whole segments, for more [context](04_pspnet.ipynb), more data of those
# classes, or, as at night, for another look at the input. (`segtutor evaluate --errors` prints this for any network
# and data set.)
#
# What was taken for what? The entries of the [confusion matrix](glossary.ipynb#confusion-matrix) beside its diagonal,
# sorted:

# %%
matrix = ConfusionMatrix(len(SCENES))
matrix.update(scenes.maps.long(), answers["day"].argmax(dim=1))
for flow in analysis.confusion_flow(matrix.matrix, SCENES.names, count=5):
    print(flow)

# %% [markdown]
# No pair holds more than a twentieth of the errors. The first four are neighbors, sky and what stands in front of it,
# or a boat and its water: outlines that are drawn too far out. The fifth is of another kind: nearly a tenth of all
# pixels of people is taken for horses. Two classes that nobody needs apart can be merged; two that matter want
# pictures that show their difference.
#
# **Where** are they, and at **what size**? The same mean IoU, once by the distance to where labels change, and once
# by the side of a region, the root of its area, both in pixels:

# %%
by = {
    "pixels to a label change": analysis.IouByDistance(len(SCENES)),
    "side of a region": analysis.IouBySize(len(SCENES)),
}
for labels, found in zip(scenes.maps.numpy(), answers["day"].argmax(dim=1).numpy(), strict=True):
    for counted in by.values():
        counted.update(labels, found)
for name, counted in by.items():
    print(f"{name:25}", "  ".join(f"{where}: {score:.0%}" for where, score in counted.mean_iou().items()))

# %% [markdown]
# Right at a change of label the mean IoU is 37 %, eight pixels away from any it is 84; and regions with a side
# below 8 pixels reach 15 %. The network is not "58 % good": it is good in the middle of large regions.
#
# Which pictures should you look at? Not simply those with the lowest score: a picture with one tiny thing has it
# quickly. Better ask which picture **harms** the score of the data set most, by leaving it out:

# %% fold="Draw the picture that harms most" alt="A drawn scene; its truth; the network's answer; and a map of its errors in three colors for boundary, extent and segment"
matrices = analysis.image_matrices(list(scenes.maps.numpy()), list(answers["day"].argmax(dim=1).numpy()), len(SCENES))
(worst, points), *_ = analysis.worst_images(matrices, by="harm")
picture, truth = large[worst]
found, answer = large_answer(answers["day"][worst]), answers["day"][worst].argmax(dim=0)
figure, axes = plt.subplots(2, 2, figsize=(5.8, 5.0))
axes[0, 0].imshow(picture.permute(1, 2, 0))
axes[0, 1].imshow(colorize(truth, SCENES))
axes[1, 0].imshow(colorize(found, SCENES))
plotting.show_error_kinds(scenes.maps[worst].numpy(), answer.numpy(), axes=axes[1, 1])
axes[1, 1].legend_.set(bbox_to_anchor=(0.5, -0.02))
for axis, title in zip(axes.flat, (f"scene {worst}", "truth", "answer", "errors"), strict=True):
    axis.set_title(title)
without_frames(axes)
plotting.legend(figure, set(found.unique().tolist()) | set(truth.unique().tolist()), SCENES,
                loc="outside lower center", bbox_to_anchor=None, ncol=6, columnspacing=0.8)  # fmt: skip
plt.show()
print(f"without this picture the mean IoU of the other 39 is {100 * points:.1f} points higher")

# %% [markdown]
# One picture of forty, and it moves the mean by as much as many a paper's improvement. The people and the bus are
# there, as blobs; of the aeroplane, the tree and the poles nothing was found.
#
# ### Is B better than A?
#
# Then how sure can you be that one network is better than another? Draw forty pictures out of the forty, with
# replacement, so that some come twice and others not at all; score both networks on them; repeat two thousand times.
# The middle 95 % of the differences is an interval, the [bootstrap](glossary.ipynb#bootstrap) (Efron 1979). If it
# holds 0, these pictures do not tell.
#
# Two candidates might be better than our FCN-8s: the course's DeepLab v3, and the FCN-8s itself with new statistics
# of *daylight*. **Predict, then run.** For which of them are ten pictures enough? And forty?

# %%
deeplab = models.create("deeplabv3_tiny", num_classes=len(SCENES), weights="course").eval()
candidates = {"DeepLab v3": deeplab, "new statistics": reestimated(network, others.images)}
for name, model in candidates.items():
    found = list(probabilities(model, scenes.images).argmax(dim=1).numpy())
    of_candidate = analysis.image_matrices(list(scenes.maps.numpy()), found, len(SCENES))
    for count in (10, 40):
        result = analysis.compare(of_candidate[:count], matrices[:count])
        verdict = "decided" if result.decided else "undecided"
        points, low, high = (100 * one for one in (result.value, result.low, result.high))
        print(f"{name:15} {count} pictures: {points:+5.1f}, from {low:+.1f} to {high:+.1f}, {verdict}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# DeepLab v3 is so much better that ten pictures show it. A point or less is another matter: the interval narrows only
# with the root of the number of pictures, so a tenth of the difference asks for a hundred times as many. And what an
# interval over pictures never knows is what another *seed* of the training would have given. That is why every card
# of this course has three.
#
# </details>
#
# ## U-Net, made for thirty pictures
#
# Now to the labels. In 2015 Olaf Ronneberger, Philipp Fischer and Thomas Brox had thirty labeled pictures of nerve
# tissue, taken through an electron microscope, and outlined its cells better than everybody before ([arXiv
# 1505.04597](https://arxiv.org/abs/1505.04597)). Their network goes down, as a classifier does, and up again, and at
# each level hands its map across. Drawn, it is a U:

# %% fold="Draw U-Net, with the sizes of its maps" alt="U-Net as published: on the left five levels down, of 572, 284, 140, 68 and 32 pixels in, with 64 to 1024 channels; on the right four levels up, to 388 pixels; gray arrows lead across from left to right, where the map is cropped"
figure, axis = plt.subplots(figsize=(9, 3.9))
names = {RED: "max pooling, 2 × 2", PINK: "transposed convolution, 2 × 2", "#777777": "skip connection"}


def box(x, level, width, size, color):
    axis.add_patch(Rectangle((x, -level), 0.75, 0.5, facecolor=color, alpha=0.25, edgecolor=color))
    axis.text(x + 0.375, 0.25 - level, f"{width}\n{size} → {size - 4}", ha="center", va="center", fontsize=9)


def arrow(start, end, color):
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=color, linewidth=1.8))


widths, sizes = (64, 128, 256, 512, 1024), [572]
for level, width in enumerate(widths):  # down, on the left
    box(0.95 * level, level, width, sizes[level], BLUE)
    if level < 4:
        arrow((0.95 * level + 0.4, -level - 0.02), (0.95 * level + 1.2, -level - 0.48), RED)
        sizes.append((sizes[level] - 4) // 2)
side = sizes[4] - 4
for level in range(3, -1, -1):  # and up, on the right
    x, side = 8.35 - 0.95 * level, 2 * side
    box(x, level, widths[level], side, GREEN)
    arrow((0.95 * level + 0.78, 0.25 - level), (x - 0.03, 0.25 - level), "#777777")
    axis.text((x + 0.95 * level + 0.75) / 2, 0.31 - level, f"crop {sizes[level] - 4} to {side}", ha="center", va="bottom",
              fontsize=9)  # fmt: skip
    arrow((x - 0.6, -level - 0.48) if level < 3 else (4.58, -3.75), (x + 0.3, -level - 0.02), PINK)
    side -= 4
for color, name in names.items():
    axis.plot([], [], color=color, label=name)
axis.legend(loc="lower right", frameon=False)
axis.text(9.2, 0.25, "1 × 1", va="center", fontsize=9)
axis.set(xlim=(-0.1, 9.6), ylim=(-4.2, 0.7))
axis.set_axis_off()
plt.show()
print("out:", side, "pixels;", "lost on each side:", (572 - side) // 2)

# %% [markdown]
# In each box stand the channels, and the size before and after two 3 × 3 convolutions. They have **no padding**, so
# each of them takes a pixel from every side: 572 pixels go in, and 388 come out. The map of the way down is larger
# than that of the way up, and its middle is cut out. FCN *added* scores of the classes; U-Net *concatenates* the maps
# themselves, and learns what to do with both.
#
# ### Count it
#
# A convolution from $i$ to $o$ channels with a kernel of $k \times k$ has $i\,o\,k^2$ weights and $o$ biases. That is
# all one needs:


# %%
def convolution(i, o, k):
    return i * o * k * k + o


widths = (64, 128, 256, 512, 1024)
total = sum(convolution(i, o, 3) + convolution(o, o, 3)
            for i, o in zip((1, *widths), widths, strict=False))  # fmt: skip
for below, here in zip(widths[:0:-1], widths[-2::-1], strict=True):  # the way up, the deepest first
    total += convolution(below, here, 2) + convolution(2 * here, here, 3) + convolution(here, here, 3)
total += convolution(64, 2, 1)
with torch.device("meta"):
    ours = sum(p.numel() for p in models.create("unet", num_classes=2).parameters())
print(f"by formula, 1 channel in, 2 classes out: {total:,}; the course's, with 3 channels in: {ours:,}")

# %% [markdown]
# 31,030,658 parameters for gray pictures; two more channels in cost 2 · 64 · 9 = 1,152 weights more.
#
# **Predict, then run.** Which sizes fit? Every map that is pooled must have an even side, or pixels are lost, and the
# two ways no longer meet. Does 256 × 256 fit, the size that everybody takes?


# %%
def size_out(side, levels=5):
    for _ in range(levels - 1):
        side -= 4
        if side % 2 or side <= 0:
            return None
        side //= 2
    for _ in range(levels - 1):
        side = 2 * (side - 4)
    return side - 4 if side > 4 else None


print({side: size_out(side) for side in (256, 512, 572)})
print("all that fit up to 300:", [side for side in range(1, 301) if size_out(side)])

# %% [markdown]
# <details><summary>Answer</summary>
#
# No. 256 becomes 252 and 126, then 122 and 61, then 57, and 57 cannot be halved. The sides that fit are 16 apart.
# Most of the code that is around therefore pads every convolution with zeros, and so do the course's small networks.
# That is convenient. But near the border such a network sees zeros that are no part of any picture.
#
# </details>
#
# ### Tiles that agree
#
# Without padding, a pixel's answer depends on what the network has *seen*, and on nothing else. So a picture that is
# too large for the memory can be cut into tiles that overlap in what goes in and touch in what comes out, the
# [overlap-tile](glossary.ipynb#overlap-tile) strategy of the paper. Beyond the picture's border it is continued by
# its mirror image.
#
# **Predict, then run.** A tile is moved by 8 pixels, and by 4. Is the answer for the shared pixels the same as that
# of the whole picture?

# %%
torch.manual_seed(0)
small = models.create("unet_tiny", num_classes=2, padded=False).eval()
picture = torch.rand(1, 3, 148, 148)
with torch.inference_mode():
    whole = small.valid(picture)
    for move in (8, 4):
        tile = small.valid(picture[..., move : move + 124, move : move + 124])
        same = whole[..., move : move + tile.shape[-1], move : move + tile.shape[-1]]
        print(f"moved by {move}: largest difference {(tile - same).abs().max():.1e} "
              f"of {whole.abs().max():.1f}")  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# Moved by 8, it is the same but for rounding. Moved by 4 it is not: this network halves three times, so its poolings
# begin anew every 8 pixels, and a tile must begin where a pooling does. In a network that pads with zeros, tiles
# disagree near all their borders, wherever they begin.
#
# </details>
#
# ### The gaps between cells
#
# To count cells, it must be seen where one ends. Where two of them touch, the paper draws a gap of background between
# them, one or two pixels wide. In a mean over all pixels these few hardly count, so the loss gives them more weight:
#
# $$ w(x) = 1 + w_0 \exp\Big(-\frac{(d_1(x) + d_2(x))^2}{2\sigma^2}\Big), $$
#
# where $d_1$ and $d_2$ are the distances to the nearest and the second nearest cell, and $w_0 = 10$. (The paper also
# balances the classes; that is left out here.) On drawn cells:

# %% fold="Draw cells, the mask with gaps, and the weights" alt="Three squares: drawn gray cells that touch; a white mask of them with thin black gaps; a map of weights that is bright in the gaps between cells and dark elsewhere"
cell = draw_cells("val", 4)[1]
figure, axes = plt.subplots(1, 3, figsize=(6.2, 2.1))
axes[0].imshow(cell.picture, cmap="gray", vmin=0, vmax=1)
axes[0].set_title("picture")
axes[1].imshow(apart(cell.things), cmap="gray")
axes[1].set_title("what is learned")
drawn = axes[2].imshow(gap_weights(cell.things, sigma=2.0), cmap="magma")
axes[2].set_title("weight in the loss")
figure.colorbar(drawn, ax=axes[2])
without_frames(axes)
plt.show()

# %% [markdown]
# Now train two small U-Nets on eight such pictures, with and without these weights, and let them find the cells of a
# new one. This takes half a minute.

# %% fold="Train with and without the weights of the gaps" alt="Three squares with cells in many colors: the truth; what was found with all pixels alike, where several cells have run together into one; and what was found with the weights, where nearly all are apart"
found = {"truth": cell.things}
for name, gaps in (("all pixels alike", False), ("gaps weigh more", True)):
    recipe = CellRecipe(gaps=gaps, steps=100)
    found[name] = find_cells(recipe.train(draw_cells("train", recipe.train_count), seed=0), cell.picture)
figure, axes = plt.subplots(1, 3, figsize=(6.2, 2.3))
palette = np.array(
    [(34, 34, 34), (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0)]
)
for axis, (name, numbers) in zip(axes, found.items(), strict=True):
    axis.imshow(palette[np.where(numbers > 0, 1 + numbers % 6, 0)])
    axis.set_title(f"{name}: {len(np.unique(numbers)) - 1}")
without_frames(axes)
plt.show()

# %% [markdown]
# Each region has one color, and the number above says how many there are. Cells that touch are found as one without
# the weights. Three seeds, sixty new pictures and more steps:

# %%
card("world.gap_weights")

# %% [markdown]
# Without the weights 10.7 % of the cells lie in one region with another, with them 0.4. All three seeds say so, but
# so differently (5.3 to 13.5 % without the weights) that the rule calls it undecided. And there is a price: the
# foreground's IoU falls from 93.2 to 91.2 %.
#
# ### What joins the two ways
#
# And the skips? Without any of them, with sums, and with concatenation:

# %%
card("world.unet_skips")

# %% [markdown]
# Without skips the [F1](glossary.ipynb#Dice-coefficient) is 84.5 % instead of 99.8, and the foreground's IoU 69.5
# instead of 91.2: the cells are there, and their outlines are not. A sum has 99.8 % with fewer weights.
#
# ### Bend the pictures
#
# And how can thirty pictures be enough? The authors bend them, as on a rubber sheet: in each training step a grid of
# 3 × 3 points is moved by random lengths, and the picture and its mask with it. That is [elastic
# deformation](glossary.ipynb#elastic-deformation). Cells bend in life, too, so a bent picture is one that could have
# been taken. With eight pictures to learn from:

# %%
card("world.elastic")

# %% [markdown]
# Bending lowers the share of merged cells from 4.5 to 0.4 %, and the F1 rises from 98.2 to 99.8. The second line is
# **reversed**: the foreground's IoU is lower with bent pictures, as it was with the weights of the gaps. Of the pixels
# that the network with both misses, 86 % lie within two pixels of such a gap, where only 30 % of the foreground is: it
# draws the gaps too wide. Remember that such cells are easy: with these eight pictures, a network that sees them as
# they are finds nearly all.
#
# All of this together, on a **real** photograph through a microscope, with 125 nuclei that people have outlined: bent
# pictures, weights of the gaps, crops of 96 × 96. U-Net learns on its left half, and looks for nuclei on its right one.
# A threshold between light and dark ([lesson 0b](00b_classical.ipynb)), which learns nothing, does the same. (The
# photograph comes in a package of pip and is looked for on your machine only; the course fetches nothing unasked.)

# %%
from segtutor.claims.experiments.world.nuclei import HalfAPhotograph, otsu
from segtutor.datasets.nuclei import nuclei, on_disk

if on_disk():
    left, right = nuclei().halves()
    unet = HalfAPhotograph().train([left], seed=0)
    guesses = {
        "threshold": regions(right.picture > otsu(right.picture)),
        "U-Net": find_cells(unet, right.picture),
    }
else:
    print("no photograph here; `segtutor reproduce world.nuclei --short` fetches it; "
          "then run this cell again")  # fmt: skip

# %% [markdown]
# A nucleus is found if one region has an [IoU](glossary.ipynb#intersection-over-union) above 0.5 with it. Regions and
# nuclei that are matched so are outlined in blue, all others in orange.
#
# **Predict, then run.** Which of the two finds more, and what will the other do wrong?

# %% fold="Outline what matches and what does not" alt="Four upright strips of a photograph of bright, oval nuclei on dark ground. The left half, from which U-Net learned. The right half with the nuclei that people outlined, nearly all in blue. The right half with the regions of the threshold, many of them in orange, each around several nuclei that touch. The right half with U-Net's regions, nearly all in blue"


def outlined(axis, numbers, others):
    """Draws the regions' outlines; returns how many there are, and how many of them match one of the others."""
    masks, theirs = ([given == number for number in np.unique(given[given > 0])] for given in (numbers, others))
    matched = (mask_iou(np.stack(masks), np.stack(theirs)) > 0.5).any(axis=1)
    for mask, hit in zip(masks, matched, strict=True):
        axis.contour(mask, [0.5], colors="#56B4E9" if hit else ORANGE, linewidths=1.1 if hit else 1.8)
    return len(masks), int(matched.sum())


if on_disk():
    figure, axes = plt.subplots(1, 4, figsize=(5.6, 3.2))
    for axis, half in zip(
        axes, (left, right, right, right), strict=True
    ):  # its grain is smoothed here, for the eye only
        axis.imshow(gaussian_filter(half.picture, 1.5), cmap="gray", vmin=0, vmax=0.9, interpolation="bilinear")
    true, _ = outlined(axes[1], right.things, guesses["U-Net"])
    axes[0].set_title("learned from")
    axes[1].set_title(f"people: {true}")
    for axis, (name, guess) in zip(axes[2:], guesses.items(), strict=True):
        found, matched = outlined(axis, guess, right.things)
        axis.set_title(f"{name}: {matched} of {true}")
        print(
            f"{name:9} {found} regions, {matched} of them match one of {true} nuclei: F1 {2 * matched / (found + true):.1%}"
        )
    without_frames(axes)
    plt.show()

# %% [markdown]
# <details><summary>Answer</summary>
#
# U-Net finds 50 of 57, the threshold 34. Where nuclei touch, the threshold makes one region of them, which has too
# little in common with either; a few times U-Net does so, too. And around what is very bright, the threshold takes the
# glow for nucleus.
#
# </details>
#
# (The photograph was taken for the Data Science Bowl 2018, [Caicedo et al.
# 2019](https://doi.org/10.1038/s41592-019-0612-7). It comes in the package StarDist, and is shown here under its
# license, BSD-3-Clause, © 2018 Uwe Schmidt, Martin Weigert.) With three seeds:

# %%
card("world.nuclei")

# %% [markdown]
# Half a photograph is enough for an F1 of 92.0 %, where the threshold has 65.4. But all of these nuclei lay under one
# microscope. Others would be a shift again.
#
# ## When labels are few, or wrong
#
# Three thoughts that everybody has in this situation. To ask about them often, only one linear layer is trained on
# the course's [backbone](glossary.ipynb#backbone), which takes seconds.
#
# **Are some wrong labels a catastrophe?** A share of all regions of the training is labeled as another class. And
# half of the layer's training pictures are looked at by a layer that learned from the other half: where it is sure of
# another class, the label is *suspected* (Northcutt et al. 2021; `segtutor.analysis.LabelModel`).

# %%
card("world.label_noise")

# %% [markdown]
# With a fifth of wrong labels the mean IoU falls from 44.2 to 37.2 %, with two fifths to 29.9. And the suspects are
# **reversed**: 91 % of the wrong regions are among the suspects, but of the suspects only 25 % are wrong. All others
# are the layer's own errors, since there is no other reason to disagree with a right label. A layer with a mean IoU
# of 40 % raises many false alarms; before you look through the suspects of a network, look at its score.
#
# **Which pictures should be labeled next?** In [active learning](glossary.ipynb#active-learning) the network chooses:
# those whose entropy is largest.

# %%
card("world.active")

# %% [markdown]
# 39.9 % against 39.7: nothing is decided. Here any picture is as good as the one that is asked for. Every drawn scene
# has many classes in it, so this is no data set in which one could miss much; where a class is in one picture of a
# thousand, ask again.
#
# **Can the network label pictures itself?** Its sure answers to pictures without labels become
# [pseudo-labels](glossary.ipynb#pseudo-label), which it has to give again when the colors are shaken and a square is
# hidden (FixMatch). Thirty labeled pictures, 270 without labels:

# %%
card("world.own_answers")

# %% [markdown]
# **Reversed**: 39.2 % with the thirty labels, and 37.3 with the sure answers, too; each seed loses. The usual
# explanation is that a network learns its own mistakes. Look at the last column: of the sure pixels only 3 to 5 % are
# wrong. And the third row, for which an oracle has taken out all that were wrong, is hardly better. So mistakes are
# *not* the reason here. The fourth row has it: learned on the very pictures they were given to, the same sure answers
# cost next to nothing, 39.0 %. What harms is that they are learned on *changed* pictures. FixMatch trains the whole
# network, which can learn to see through the change; our backbone is frozen and gives a picture in other colors other
# features, so probably the one layer pays on ordinary pictures for what it learns on those.
#
# ## Summary
#
# - A shift of the input can leave nothing of a network, while its confidence stays high.
# - Batch norm's stored means and variances are part of what breaks. New ones come from pictures without labels; they must show what
#   will come, not one kind of place and not one picture. Where the shift is small they can cost more than they bring.
# - ECE compares confidence with the share that is right; void counts nowhere. A temperature makes a network honest, never better.
# - Errors are of boundary, extent or segment, and sum to 100 %. Look at what is taken for what, and at the pictures that harm most.
# - A difference between two networks has an interval over pictures, and another doubt over seeds.
# - U-Net: no padding, crop, concatenate; tiles agree where poolings begin; gaps weigh more; pictures are bent.
# - Wrong labels cost, and suspects are as good as the network that names them. Neither asking for the least sure pictures
#   nor learning one's own sure answers paid here, and mistakes among these were not the reason.
#
# ## Self-test
#
# 1. Your network is fine in evaluation on the training machine, and bad on the robot, whose camera is darker. What do you try first, and what do you need for it?
# 2. Somebody re-estimates the statistics with `model.train()` and one picture at a time. What goes wrong?
# 3. A network has an ECE of 0 and a mean IoU of 2 %. How can that be?
# 4. 90 % of the errors of a network are boundary errors. Will more training pictures help?
# 5. A 3 × 3 convolution without padding, twice, on 68 pixels, then a pooling. How large is the map?
#
# <details><summary>Answers</summary>
#
# 1. New statistics of batch norm, from some dozens of the robot's pictures, of all places where it goes. No labels.
# 2. Two things. Dropout is on; and each picture gets statistics of its own, so that a meadow, green all over, looks as a
#    gray picture does.
# 3. It says of everything that it hardly knows, and it is right in that. Being calibrated and being good are different.
# 4. Hardly. The regions are found. A finer stride or a decoder will help, unless the labels' own outlines are no better.
# 5. 64 pixels after the convolutions, 32 after the pooling.
#
# </details>
#
# In the [assignment](assignments/11_real_world.ipynb) you write the statistics, the ECE, the temperature, the
# bootstrap, U-Net's sizes and the weights of its gaps, tell five faulty networks apart by their errors, and begin the
# final project.
#
# ## Reading
#
# - [Schneider et al. 2020](https://arxiv.org/abs/2006.16971): Figure 1, how the error falls with the number of unlabeled pictures.
# - [Guo et al. 2017](https://arxiv.org/abs/1706.04599): Figure 1, why deeper networks are surer than they should be; §4.2 the temperature.
# - [Ronneberger, Fischer, Brox 2015](https://arxiv.org/abs/1505.04597): eight pages; in Figure 2 look at the tiles, in Figure 3 at the weights.
# - Bernhard et al., *What's Outside the Intersection?*, WACV 2024: how the three kinds of errors are told apart, and what
#   networks of the same mean IoU do differently.
#
# ## Going deeper
#
# **Pitfalls**, each with the place where somebody met it:
#
# | what goes wrong | what to do | seen in |
# |---|---|---|
# | `momentum=0.1` when statistics are taken anew: the old ones still count | `momentum=None`, a plain mean | documentation of PyTorch's batch norm |
# | 3 × 3 convolutions are padded "as in U-Net" | the paper's are not: 572 → 388 | [Machine-Learning-Collection #103](https://github.com/aladdinpersson/Machine-Learning-Collection/issues/103) |
# | the map is handed across after the pooling | before it, at full size | [pytorch-semseg #1](https://github.com/meetps/pytorch-semseg/issues/1) |
# | the way up is padded on one side only: answers bleed at the border | pad both sides, or take sizes that fit | [Pytorch-UNet #334](https://github.com/milesial/Pytorch-UNet/issues/334) |
# | 256 × 256 goes into an unpadded U-Net | ask which sizes fit | [pytorch-semseg #43](https://github.com/meetps/pytorch-semseg/issues/43) |
# | the ECE counts void | leave void out first | the hand-worked example above |
# | dropout at test time by `model.train()`: batch norm trains, too | switch on dropout alone | the second question of the self-test |
#
# **What the authors measured.** With 35 labeled pictures (PhC-U373) U-Net's mean IoU was 92.0 %, and the second best
# had 83; with 20 (DIC-HeLa) 77.6 and 46 (U-Net, Table 2). On the thirty pictures of nerve tissue its warping error
# was 0.000353.
#
# **What this lesson leaves out.** Weights that go on learning from the new pictures themselves (*test-time training*),
# and other ways to several answers, as the last steps of one training. `Night()` and `Fog()` take photographs, too: try
# them on your own, with the network of [lesson 7](07_worked_example.ipynb).
#
# **What differs.** Where the paper, the authors' network and this course disagree about U-Net:

# %% fold="Show U-Net's differences as a table"
from IPython.display import Markdown

from segtutor.models.differences import as_markdown
from segtutor.models.unet import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))
