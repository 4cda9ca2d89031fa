# ---
# title: "Segment what I point at"
# minutes_cpu: 2
# minutes_t4: 2
# download: none
# peak_ram: 1.5 GB
# prerequisites: ["[Lesson 1](01_metrics.ipynb)", "[Lesson 8](08_transformers.ipynb), attention", "[Lesson 9](09_mask_classification.ipynb), masks from vectors"]
# minutes_work: 75
# ---

# %% [markdown]
# All networks of this course so far have a fixed list of classes. What is not on the list does not exist for them, and who
# wants to cut out a teapot needs pictures of teapots, with masks. In 2023 Alexander Kirillov and his colleagues published a
# network without classes. You point at something, with a click or a box, and it answers with a mask. They called it
# **Segment Anything**, SAM, and trained it on 1.1 billion masks; since then "segmentation" means this to many people.
#
# Two ideas carry it. A click does not say what it means, so the network gives **several answers** and says how good it
# thinks each one is. And the expensive part looks at the picture **once**, so that each click costs next to nothing. It
# costs so little that this page can do it: the decoder of the course's small SAM runs in the figure below, in your browser.
#
# ## Objectives
#
# After this lesson you can
#
# - **say** why one click needs several answers, and which of them learns;
# - **encode** a click as a vector by hand, half-pixel included, and say what a box and *no box* add;
# - **follow** a prompt through the two-way decoder, with the shapes that it meets, to a mask and a predicted [IoU](glossary.ipynb#intersection-over-union);
# - **measure** answers: threshold, IoU, the next click, clicks to 85 %;
# - **judge** what clicks are good for: labels, tracking, and what they do not give, a name.
#
# ## The claim
#
# > One click is ambiguous. A network that may give three answers, of which only the best learns, is better than one that
# > must give a single one, and it knows which of the three to show.
#
# In the paper, with a single click in the middle of an object, SAM's chosen mask was better than that of RITM, the best
# interactive network before it, on 16 of 23 data sets, and the best of its three masks on all of them
# ([Kirillov et al. 2023](https://arxiv.org/abs/2304.02643), §7.1).

# %% fold="Import what the lesson needs, and load the trained network"
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from scipy.ndimage import median_filter
from torch.utils.flop_counter import FlopCounterMode

from segtutor import inference, models, plotting
from segtutor.claims.masks import USUAL, segments
from segtutor.claims.showing import card
from segtutor.inference.clickable import clickable
from segtutor.inference.clicks import ambiguous_clicks, clear_clicks, iou_of, ious_by_clicks, next_click
from segtutor.models.attention import attend

plotting.use_course_style()
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
COLORS = ("#2b8fd0", ORANGE, GREEN)  # of the three answers, as in the figure that answers clicks
network = models.create("sam_tiny", weights="course").eval()
scenes = segments("val", 20, USUAL, (128, 160))
POINT = (19, 77)  # on the horse of scene 10


def truth_of(click):
    """The mask of the thing, that of all things of its class, and where pixels are known."""
    numbers = scenes[click.index][1]["segments"].numpy()
    return numbers == click.number, np.isin(numbers, [click.number, *click.others]), numbers != 0


def show(axis, image, mask=None, points=(), color=ORANGE, title=""):
    """A scene, the outline of a mask, and clicks: a disk for this, a cross for not this."""
    axis.imshow(image.permute(1, 2, 0))
    if mask is not None and mask.any():
        for shade, width in (("white", 3.2), (color, 1.8)):
            axis.contour(np.asarray(mask, dtype=float), [0.5], colors=shade, linewidths=width)
    for x, y, label in points:
        axis.plot(
            x, y, "o" if label else "X", color=GREEN if label else "#D55E00", markersize=8, markeredgecolor="white"
        )
    axis.set_title(title)
    axis.set_axis_off()


# %% [markdown]
# ## Click and see
#
# Four drawn scenes that the network has not seen in training. Click on a thing; three answers appear on the right. Each
# comes with the IoU that the network expects of it, and the one with the highest is drawn over the scene; a click on
# another answer shows that one. Then try *not this* beside the thing, a second click, or two corners of a box. The keys
# work, too: arrows move the last click, Enter sets another. No kernel is needed, and nothing is sent anywhere. (You see
# the scenes with twice as many pixels in each direction as the network, and without their noise.)

# %% fold="Make the figure that answers clicks"
TEXTS = (
    "A drawn meadow by a lake with two horses, a cat, a boat and an aeroplane",
    "A drawn meadow with two horses and a flock of sheep",
    "A drawn beach with people and birds under sunshades",
    "A drawn street with birds, a person and cars",
)
SHOWN = (13, 16, 6, 15)
larger = segments("val", 1 + max(SHOWN), USUAL, (256, 320))  # for the eye, and without their noise
clickable(
    network, [scenes[index][0] for index in SHOWN], TEXTS, [[(106, 75, 1)], [], [], []],
    drawn=[median_filter(larger[index][0].numpy(), (1, 3, 3)) for index in SHOWN],
)  # fmt: skip

# %% [markdown]
# What did you see? A click on one horse may give this horse, or both. A second click, *this* or *not this*, leaves a
# single answer. Small things are hard: the network looks at the scene through a map of which each place is eight pixels
# wide, with a finer one of four pixels to help, and its masks have half the height and width of the picture. And where you click matters: move a click with the
# arrow keys, and the answer changes with it.
#
# ## One click, several meanings
#
# You click on the left one of two sheep. Did you mean this sheep, or the sheep? Or its head? The click does not say, and
# no network can know. What does a network learn that must give **one** answer?
#
# Take a strip of eight pixels and a click on the third one. Half of the people who click there mean two pixels, the other
# half six. The network gives each pixel a probability, and the [cross entropy](glossary.ipynb#cross-entropy) is lowest if the
# probability is the share of people who want the pixel inside.
#
# **Predict, then run.** Which mask does that give, at a probability of one half?

# %%
small = np.array([0, 0, 1, 1, 0, 0, 0, 0])  # what half of the people mean
large = np.array([0, 1, 1, 1, 1, 1, 1, 0])  # what the others mean
one_answer = (small + large) / 2
print("probabilities:", one_answer)
for share in (0.45, 0.55):
    mask = share * small + (1 - share) * large > 0.5
    print(f"{share:.0%} mean the small one: IoU",
          *(f"{iou_of(mask, one, np.ones(8)):.2f}" for one in (small, large)))  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# None: four pixels have exactly one half. If a few more people mean the small one, the mask is the small one, and whoever
# meant the large one gets an IoU of 0.33; and the other way round. A network that is unsure of the shares gives something
# between the two that nobody meant.
#
# </details>
#
# With three answers there is no quarrel. SAM compares each of them with what was meant, **and only the best one learns**.
# The loss of a prompt is the smallest of the three:
#
# $$ L = \min_{k = 1, 2, 3} \big(20\, F(m_k, y) + D(m_k, y)\big), $$
#
# with $m_k$ the three masks, $y$ what was meant, $D$ one minus the [Dice coefficient](glossary.ipynb#Dice-coefficient), and $F$ the
# [focal loss](glossary.ipynb#focal-loss), a cross entropy in which pixels that are nearly right hardly count. (The 20 is the
# authors' choice; the course's small network learned with 2, which brought it off the ground in half the time.) An answer
# that is good for small things by chance gets the small things to learn from, and becomes better at them. That is the whole
# trick; nobody tells the three what they are for.
#
# On the strip, for two answers, in code:

# %%
# logits of two answers
answers = torch.tensor([[-3.0, -1, 3, 3, -1, -1, -3, -3], [-3, 2, 3, 3, 2, 2, 2, -3]])
for name, meant in (("small", small), ("large", large)):
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        answers, torch.tensor(meant, dtype=torch.float32).expand(2, 8), reduction="none"
    ).mean(1)
    print(f"the {name} one was meant: losses {losses.numpy().round(2)}, "
          f"so answer {int(losses.argmin())} learns")  # fmt: skip

# %% [markdown]
# (Here with the cross entropy, to keep it short; the two answers are numbered from 0.) Each answer has found its meaning,
# and is never told about the other one.
#
# Now we ask the trained network about things that are not alone in their class, so that a click may mean one of them or
# all. A `Prompter` looks at a scene once, and `ask` gives its three masks for a click. Which of them is the best for the
# one thing, and which for the whole class?

# %% fold="Ask about every ambiguous click in twenty scenes" alt="Two bar charts with a bar for each of the three answers: how often each is the best one for the clicked thing, and how often for all things of its class; the tallest bars of the two charts are different answers"
best_for = np.zeros((2, 3), dtype=int)
for click in ambiguous_clicks(scenes):
    own, whole, known = truth_of(click)
    masks = inference.Prompter(network, scenes[click.index][0]).ask([click.point]).masks.numpy()
    for row, meant in enumerate((own, whole)):
        best_for[row, np.argmax([iou_of(mask, meant, known) for mask in masks])] += 1
figure, axes = plt.subplots(1, 2, figsize=(7, 2.4), sharey=True)
for axis, counts, title in zip(
    axes, best_for, ("best for the clicked thing", "best for all of its class"), strict=True
):
    axis.bar(["answer 1", "answer 2", "answer 3"], counts, color=COLORS)
    axis.set_title(title)
axes[0].set_ylabel("clicks")
plt.show()
print(f"{best_for[0].sum()} clicks")

# %% [markdown]
# The answers have divided the work among themselves: the one that is mostly best for a thing is not the one that is mostly
# best for its class.
#
# Is it the three answers that help, or only that three tries are better than one? Three *networks* with one answer each
# try three times, too. Small networks were trained for 600 steps in each of the three ways:

# %%
card("prompts.three_masks")

# %% [markdown]
# On ambiguous clicks, three answers meet the thing with an IoU of 45.6 %, three networks with 37.7, and a single answer
# with 29.3. All four expectations are confirmed: a part of the gain does come from trying three times, and the other part
# only from one network whose answers share the work. A caution: these runs are long enough to see who is ahead, and not
# to the end. After 250 steps one of three networks with a single answer still answered next to nothing.
#
# ## Which of the three to show
#
# Three answers are of use only if somebody chooses. SAM has a second output for that, the
# [IoU head](glossary.ipynb#IoU-head): a number for each answer, which learns to be the IoU that the answer turns out to
# have. In training that IoU is known. Later nobody knows it, and the number is used to choose.
#
# **Predict, then run.** On clicks that leave no doubt, things that are alone in their class: how much lower is the IoU of
# the answer that the network chooses than that of the best of its three?

# %%
scored = []
for click in clear_clicks(scenes):
    own, _, known = truth_of(click)
    answer = inference.Prompter(network, scenes[click.index][0]).ask([click.point])
    ious = [iou_of(mask, own, known) for mask in answer.masks.numpy()]
    scored.append((max(ious), ious[answer.best], float(answer.iou.max())))
oracle, chosen, predicted = np.array(scored).T
print(f"{len(scored)} clicks; best of three {oracle.mean():.2f}, chosen {chosen.mean():.2f}")
print(f"the best one was chosen for {np.mean(oracle == chosen):.0%} of the clicks")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It cannot be higher, since the best is among the three. The difference is what a wrong choice costs. That is the
# difference between the claim's two numbers, too: the *oracle*, who sees the truth and takes the best of the three, beats
# RITM on all 23 data sets, and the choice of the IoU head on 16. When you click yourself, you are the oracle: the figure
# above lets you take another answer.
#
# </details>
#
# And does the predicted number mean what it says?

# %% fold="Compare predicted with real IoU" alt="A chart of the real over the predicted IoU of the chosen answer: 23 points scatter around the diagonal, more of them above it than below; three lie at a real IoU of nearly 1, and one near 0, though 0.37 was predicted for it"
figure, axis = plt.subplots(figsize=(3.6, 3.4))
axis.plot(predicted.clip(0, 1), chosen, "o", color=BLUE, markersize=6, alpha=0.8, clip_on=False)
axis.plot([0, 1], [0, 1], color="#777777", linewidth=1)
axis.set(xlabel="predicted IoU", ylabel="real IoU", xlim=(0, 1), ylim=(0, 1), aspect="equal")
plt.show()

# %% [markdown]
# Points above the diagonal are masks that are better than the network thinks, points below it are worse. Twenty scenes
# are few, so read it as a picture of how such a head is judged. More scenes, three draws of them, give this card:

# %%
card("prompts.iou_head")

# %% [markdown]
# On clear clicks the head is worth a lot against a choice by lot: 63.5 % against 52.9. Always the same answer would have 59.9;
# the head does better with each of the three seeds, but three seeds do not decide it. And 7.3 points are still to be had
# from a better choice. On ambiguous clicks it is hardly better than always the same, and no wonder: which meaning was
# meant, nobody told it.
#
# And why does the best of three answers stop where it does? The network was tested on 200 scenes, with 255 clear clicks; there
# the best of three has 68 %. Two measurements say where the rest is lost. On scenes that it *has* learned from it
# reaches 72 %, so more pictures would bring little. And true masks, told by one number for each 4 × 4 pixels, which is
# as finely as this network looks, would have 82 %. That is the price of a network that fits into a page.
#
# ## Once for a picture, once for a click
#
# SAM's image encoder is a vision transformer as in [lesson 8](08_transformers.ipynb), with two economies: most of its blocks
# let a [token](glossary.ipynb#token) look only at a window of 14 × 14 neighbors, and at the end two convolutions, the
# *neck*, reduce the map to 256 channels. That map is the **image embedding**. All prompts of a picture share it.
#
# **Predict, then run.** Of all multiplications of SAM with its smallest [backbone](glossary.ipynb#backbone), which share
# belongs to a click?

# %%
with torch.device("meta"):  # shapes only: nothing is stored and nothing is computed
    sam = models.create("sam_vit_b").eval().requires_grad_(False)
    picture, click = torch.zeros(1, 3, 1024, 1024), torch.zeros(1, 1, 1, 2)
    with FlopCounterMode(display=False) as once:
        embedding = sam.embed(picture)
    with FlopCounterMode(display=False) as each:
        sam.answer(embedding, click)
for name, counter in (("once for the picture", once), ("once for each click", each)):
    print(f"{name:21} {counter.get_total_flops() / 2e9:8.2f} billion multiplications")
print("share of a click: "
      f"{each.get_total_flops() / (once.get_total_flops() + each.get_total_flops()):.2%}")  # fmt: skip

# %% [markdown]
# <details><summary>Answer</summary>
#
# Less than a hundredth. So the encoder may be as large as one likes, if it runs on a server, and the decoder answers in a
# browser. The same division makes the figure of this lesson possible: Python has computed the embeddings of four scenes,
# 80 numbers for each of 16 × 20 places, rounded so far that a scene takes 17 kB, and a page of JavaScript does the rest.
#
# </details>
#
# ## A click becomes numbers
#
# The decoder reads vectors of as many channels as the embedding has, E for short: 256 in SAM, 40 in the small one. A click
# is two numbers and a kind (*this* or *not this*), so it must become such a vector, a [prompt token](glossary.ipynb#prompt-token). Its place is encoded by sines and cosines of **random
# directions**. With the point $(x, y)$ in a picture of width $W$ and height $H$:
#
# $$ u = \Big(2\,\frac{x + \frac12}{W} - 1,\; 2\,\frac{y + \frac12}{H} - 1\Big), \qquad
# c = \big(\sin(2\pi\, u G),\; \cos(2\pi\, u G)\big). $$
#
# $G$ is a 2 × E/2 matrix that was drawn once and never learns: each of its columns is a direction in the picture, and the
# angle says how far the point lies along it. The half is there because pixel 0 is a square from 0 to 1, and a click means
# its middle. By hand, for a picture of 2 × 2 pixels and two directions, one to the right and one down:

# %%
G = np.array([[0.25, 0.0], [0.0, 0.25]])


def code(x, y, width, height):
    place = np.array([2 * (x + 0.5) / width - 1, 2 * (y + 0.5) / height - 1])
    angles = 2 * np.pi * place @ G
    return np.concatenate([np.sin(angles), np.cos(angles)])


print("upper left:", code(0, 0, 2, 2).round(3), " lower right:", code(1, 1, 2, 2).round(3))

# %% [markdown]
# The upper left pixel has $u = (-\frac12, -\frac12)$. Times ¼ and 2π, that is an angle of −π/4 for both directions, whose
# sine is −0.707 and whose cosine is 0.707. To this code of the place the code of the kind is added: one learned vector each
# for *this*, *not this*, and the two corners of a box.
#
# Every place of the embedding has a code by the same matrix, too. That is what makes a click find its place: two codes are
# alike where two places are close. The maps below show the product of a click's code with that of each place, divided by
# 20, so that it is 1 where both are the same (20 sines and 20 cosines, whose squares add up to 20).

# %% fold="Compare the code of a click with those of all places" alt="Three panels: a drawn scene with a click; a map of 16 by 20 squares that is bright at the click and falls off around it; and the same for a click elsewhere, bright there"
encoder = network.prompt_encoder
with torch.inference_mode():
    grid = encoder.grid((16, 20))[0]
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.5))
    show(axes[0], scenes[10][0], points=[(*POINT, 1)], title="a click")
    for axis, point in zip(axes[1:], (POINT, (120, 30)), strict=True):
        own_code = encoder.code((torch.tensor(point) + 0.5) / torch.tensor([160.0, 128.0]))
        alike = torch.einsum("c,chw->hw", own_code, grid) / 20
        axis.imshow(alike, cmap="viridis", vmin=-1, vmax=1, extent=(-0.5, 159.5, 127.5, -0.5))
        axis.plot(*point, "o", color=ORANGE, markersize=8, markeredgecolor="white")
        axis.set_title(f"codes like that of {point}")
        axis.set_axis_off()
plt.show()

# %% [markdown]
# One bright spot lies at each click. Elsewhere the random waves partly cancel, and what is left is much dimmer.
#
# **Predict, then run.** How many tokens are a click, two clicks, a box, and a click with a box?


# %%
def tokens_of(points=None, box=None):
    labels = None if points is None else torch.ones(1, 1, len(points))
    points = None if points is None else torch.tensor(points)[None, None]
    return encoder((128, 160), points, labels, None if box is None else torch.tensor(box)[None, None])


one, two, box = [[19.0, 77.0]], [[19.0, 77.0], [60.0, 80.0]], [0.0, 28.0, 80.0, 127.0]
for name, prompt in (
    ("a click", (one,)),
    ("two", (two,)),
    ("a box", (None, box)),
    ("a click and a box", (one, box)),
):
    print(f"{name:18} {tuple(tokens_of(*prompt).shape)}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Two, three, two and three (the third number of each shape). A box is its two corners. And if there is **no** box, one more token says so: the decoder was
# trained with it, and without it a click is something that it has never seen. It is easily forgotten when a decoder is
# exported, and the masks that follow are merely a little worse, which nobody notices.
#
# </details>
#
# A third kind of prompt is a mask, for instance the last answer. It is no token: three convolutions make a map of it that
# is added to the embedding. Where no mask is given, one learned vector is added everywhere.
#
# ## Tokens and map ask each other
#
# Now the [mask decoder](glossary.ipynb#mask-decoder). Before the tokens of the prompt stand five of its own: one for the
# predicted IoU, and four for masks, the three answers and a single one for prompts that leave no doubt. So with a click,
# which is two tokens, the decoder reads seven, and the map of our scenes is 16 × 20 = 320 places. Two blocks of *two-way
# attention* let them exchange what they know. One of them is drawn here, with four heads; *weights 4 × 7 × 320* means that
# in each head each of seven tokens spreads its attention over 320 places:

# %% fold="Draw a block of two-way attention" alt="A drawing with seven tokens above and 320 places of the map below. Four steps from left to right: the tokens ask each other, then they ask the map, then two linear layers, then the map asks the tokens; arrows lead from who answers to who asks, and each step names its weights, 4 x 7 x 7, 4 x 7 x 320 and 4 x 320 x 7"
figure, axis = plt.subplots(figsize=(9, 3.1))
steps = (
    (1.2, "1. tokens ask\neach other", "weights 4 × 7 × 7"),
    (4.0, "2. tokens ask\nthe map", "weights 4 × 7 × 320"),
    (6.6, "3. two linear\nlayers", "40 → 80 → 40"),
    (9.2, "4. the map asks\nthe tokens", "weights 4 × 320 × 7"),
)
for y, text, color in ((2.6, "7 tokens × 40", BLUE), (0.0, "320 places × 40", GREEN)):
    axis.add_patch(
        FancyBboxPatch((-1.6, y), 12.4, 0.55, boxstyle="round,pad=0.05", facecolor=color, alpha=0.18, edgecolor=color)
    )
    axis.text(-1.45, y + 0.27, text, va="center", color="black")
for x, title, weights in steps:
    axis.text(x, 4.05, title, ha="center", va="center", weight="bold")
    axis.text(x, 1.62, weights, ha="center", va="center", fontsize=10)
arrows = (((1.0, 3.2), (1.6, 3.2), "arc3,rad=-0.9"), ((4.0, 0.6), (4.0, 1.35), None), ((4.0, 1.9), (4.0, 2.55), None),
          ((9.2, 2.55), (9.2, 1.9), None), ((9.2, 1.35), (9.2, 0.6), None))  # fmt: skip
for start, end, bend in arrows:
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16, color=ORANGE, linewidth=2.2,
                                   connectionstyle=bend or "arc3"))  # fmt: skip
axis.set(xlim=(-1.8, 11), ylim=(-0.3, 4.5))
axis.set_axis_off()
plt.show()

# %% [markdown]
# An arrow leads from who answers to who asks. The fourth step is what a usual decoder has not: the **map changes, too**.
# Each place hears what the prompt is about, and after two blocks the places of the clicked thing differ from all others.
# In each step the tokens get the values added that they had at the very beginning, and the places of the map their codes,
# so that *where* is never forgotten.
#
# Where does the token of the click look in the trained network? Each of four heads has a row of 320 weights.

# %% fold="Look where the token of a click looks" alt="Four dark maps of 16 by 20 squares for the four heads of the first block, the click marked in each: in some a few squares beside the click are bright, in others squares farther away"
prompter = inference.Prompter(network, scenes[10][0])
with torch.inference_mode():
    prompt = tokens_of([[19.0, 77.0]])[0]
    own = torch.cat([network.mask_decoder.iou_token, network.mask_decoder.mask_tokens])
    first = torch.cat([own, prompt[0]])[None]
    codes = grid.flatten(1).T[None]
    places = (prompter.embedding[:, :40] + encoder.dense(None)[0]).flatten(2).transpose(1, 2)
    block = network.mask_decoder.transformer.blocks[0]
    asking = block.norm1(block.attention(first)) + first
    heads = [layer(one).unflatten(-1, (4, 10)).transpose(1, 2) for layer, one in
             ((block.ask_map.query, asking), (block.ask_map.key, places + codes), (block.ask_map.value, places))]  # fmt: skip
    _, weights = attend(*heads)
figure, axes = plt.subplots(1, 4, figsize=(9, 2.0))
for head, axis in enumerate(axes):
    axis.imshow(weights[0, head, 5].view(16, 20), cmap="magma", extent=(-0.5, 159.5, 127.5, -0.5))
    axis.plot(*POINT, "o", color="#56B4E9", markersize=7, markeredgecolor="white")
    axis.set_title(f"head {head + 1}")
    axis.set_axis_off()
plt.show()
print("weights:", tuple(weights.shape), "images, heads, tokens, places")

# %% [markdown]
# The heads share the work: some look close to the click, and others elsewhere. (In this small network all attention between
# tokens and map *begins* with the same matrix for questions and answers, so that what has the same code asks for each other
# from the first step on. SAM had eleven million pictures to learn that from.)
#
# ### From tokens to masks
#
# After the two blocks the map is enlarged four times, and each mask token goes through three linear layers. The mask is
# the product of that vector with the vector of each pixel, as in [lesson 9](09_mask_classification.ipynb). The token of the
# IoU becomes four numbers, one for each mask. Mask 0 and its number are the single answer, masks 1 to 3 and their numbers
# the three answers to a lone click. (Small things get help in the small network: half of the 80 numbers of a place are a
# map with four times as many places, which is added after the first enlargement. SAM 2 does the same; SAM does not.)
#
# The product is a [logit](glossary.ipynb#logit). A pixel is inside if the logit is above **0**, a probability of one half.
#
# **Predict, then run.** Somebody takes the logits for probabilities and cuts them at 0.5. What happens to the masks?

# %%
answer = prompter.ask([POINT])
logits = answer.logits[answer.best]
for threshold in (0.0, 0.5):
    print(f"cut at {threshold}: {int((logits > threshold).sum()):5} pixels")
print(f"a logit of 0.5 is a probability of {torch.tensor(0.5).sigmoid():.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# They shrink: pixels with a probability between 0.500 and 0.622 are lost, which are those at the edge. The mask looks
# right and is a bit too small. A large library shipped this until 2026, and it took an issue with a measurement to find it.
#
# </details>
#
# ## More clicks
#
# A second click is one token more, and now the single mask answers: with two clicks there is hardly a doubt left. How good
# does a thing become, click by click? To measure it, one needs a rule for where the next click goes, and everybody uses
# the same: **into the middle of the largest error**, the pixel farthest from its edge, as *this* if something was missed, and
# as *not this* if too much was found.

# %% fold="Click into the largest error, five times" alt="A drawn scene five times with one click more each time, green disks and red crosses, and the outline of the answer, with its IoU above"
clear = clear_clicks(scenes)
click = next(one for one in clear if one.point == POINT and one.index == 10)
own, _, known = truth_of(click)
points, values = [(*click.point, 1)], []
figure, axes = plt.subplots(1, 5, figsize=(9, 1.9))
for axis in axes:
    answer = prompter.ask([one[:2] for one in points], [one[2] for one in points])
    mask = answer.masks[answer.best].numpy()
    values.append(iou_of(mask, own, known))
    show(axis, scenes[10][0], mask, points, title=f"IoU {values[-1]:.2f}")
    further = next_click(mask, own, known)
    if further is None:
        break
    points.append((*further[0], further[1]))
plt.show()

# %% [markdown]
# Each disk or cross is put where the outline before was most wrong. It helps, but not always: the third click makes the
# mask a little worse, since the network answers anew each time, and the fourth brings in the tail. By the same rule, here
# are all clear clicks of the twenty scenes, a thin line for each thing:

# %% fold="Draw the IoU over the clicks" alt="A chart of the mean IoU over one to eight clicks: a rising line, with thin lines for single things around it"
curves = np.array([
    ious_by_clicks(inference.Prompter(network, scenes[one.index][0]), truth_of(one)[0], truth_of(one)[2], 8)
    for one in clear
])  # fmt: skip
figure, axis = plt.subplots(figsize=(5, 2.8))
axis.plot(range(1, 9), curves.T, color="#999999", linewidth=0.8, alpha=0.6)
axis.plot(range(1, 9), curves.mean(0), "o-", color=BLUE, linewidth=3, label="mean")
axis.axhline(0.85, color=ORANGE, linewidth=1.5, label="85 %")
axis.set(xlabel="clicks", ylabel="IoU", ylim=(0, 1))
axis.legend(loc="lower right")
plt.show()
print(f"{len(curves)} things; reached 85 % within 8 clicks: {int((curves.max(1) >= 0.85).sum())}")

# %% [markdown]
# The mean rises with the first four clicks and not after them, and about half of the things, 12 of 23, reach the orange
# line.
#
# The number that such a chart ends in is *NoC@85*, the mean **n**umber **o**f **c**licks to an IoU of 85 %, with a limit
# for things that never reach it. Read a table of it with care: the limit counts as a number, so a network that fails
# wholly on a third of the things looks like one that needs a few clicks more on all of them.
#
# [Lesson 0b](00b_classical.ipynb) cut things out by [GrabCut](glossary.ipynb#GrabCut), which knows nothing but the colors
# of this one picture. The card compares both on the same ten things with the same rule for clicks, for three draws of ten:

# %%
card("prompts.clicks")

# %% [markdown]
# The **first** click shows what a network knows: an IoU of 66 % against 18 for GrabCut. But it knows no more than it has
# learned. After ten clicks it has 77 %, while GrabCut with a box and clicks has 87: colors can be corrected to the last
# pixel, and a small network trained with two clicks at most cannot. (The authors' SAM has seen 1.1 billion masks and up to
# eleven clicks on each.) It is decided that the network needs fewer clicks to 85 % than GrabCut with clicks, 5.6 against
# 8.7; against the 5.9 of GrabCut with a box nothing is decided. And the price is decided: 4.8 milliseconds for a later
# click against 306.
#
# For such a curve to rise, the network must have been *trained* with second clicks. SAM is asked up to eleven times for
# each target in training; each further click goes to a random place where its own last answer was wrong, and that
# answer's logits come along as a mask. So it learns from its **own** errors, and not from errors that nobody makes.
#
# Does it matter where the second click of the training goes? Small networks were trained for 250 steps in both ways, and
# then got five clicks on each clear thing:

# %%
card("prompts.own_errors")

# %% [markdown]
# Those that learned from their own errors gain 14.1 points of IoU from the second click to the fifth, the others 3.8. They
# gain more with each of the three seeds, and yet nothing is decided: with one seed the network with clicks anywhere is
# worse after five clicks than after one, and among three seeds one such run makes the doubt larger than the difference.
# After the first click both are alike.
#
# ## A data engine
#
# Where do 1.1 billion masks come from? Not from people alone. The authors went three rounds with their own network:
#
# 1. People click, with the network's help, and polish the masks. The network is trained on them, and again, six times. A
#    mask took 34 seconds in the beginning and 14 in the end.
# 2. The network marks what it is sure of, and people add what it has missed, so that masks become more varied.
# 3. Nobody clicks any more. A grid of 32 × 32 points asks, three answers each; what is sure and stable is kept, and
#    duplicates are removed by [non-maximum suppression](glossary.ipynb#non-maximum-suppression). 99.1 % of the masks
#    are from this round.
#
# The circle is called a [data engine](glossary.ipynb#data-engine): the network makes the labels that make the network.
# *Sure* is the predicted IoU. *Stable* means that the mask hardly changes if the threshold moves:


# %%
def stability(logits, offset=1.0):
    """IoU of a mask cut a little tighter with the same cut a little looser."""
    return float((logits > offset).sum() / (logits > -offset).sum().clamp_min(1))


for name, point in (("on the horse", POINT), ("in the sand", (110, 118))):
    answer = prompter.ask([point])
    values = [stability(one) for one in answer.logits]
    print(f"{name:13} predicted {answer.iou.numpy().round(2)}, stable {np.round(values, 2)}")

# %% [markdown]
# Both numbers need no truth, and each catches what the other lets through.
#
# Are labels by clicks good enough to learn from? For the card, the course's small SAM labelled fifty new scenes, with at
# most five clicks on each segment, and a DeepLab learned from these labels; another one learned from the true ones:

# %%
card("prompts.engine")

# %% [markdown]
# With about 46 clicks on a picture, the labels are not as good as was expected, though three seeds do not decide it: their
# [mean IoU](glossary.ipynb#mean-IoU) with the true ones is 75.7 %, not 80. The network that learned from them loses hardly
# anything by it: 48.8 % on new scenes against 49.4 from true labels, 99 % of that. It is decided that the loss stays below
# five points.
#
# You can be the first round yourself: the [assignment](assignments/10_promptable.ipynb) has a tool that turns clicks in a
# page into a folder of masks, and `segtutor train` reads it.
#
# ## Video
#
# A video is many pictures in which things move. SAM 2 ([Ravi et al. 2024](https://arxiv.org/abs/2408.00714)) clicks once, in
# the first one, and finds the thing in all others. What must it remember? The naive way needs no memory: take the answer
# of the last picture as a prompt for the next. That works until the thing disappears behind another one for a moment.
# Then there is no answer, and nothing to go on from.
#
# How much does a memory bring? The course's SAM has none, but a rule can stand in for it. Without a memory, one clicks at the
# same place in every frame. With the last mask, one clicks into its middle. With the first frame, one clicks where the map
# looks most like the thing did there. The card is about eight drawn frames, in which a thing moves, and another passes
# before it in the fifth and the sixth:

# %%
card("prompts.memory")

# %% [markdown]
# After the thing was hidden, the click that remembers nothing has lost it (6.5 %). Both memories find more of it with each of the
# three seeds (15.9 and 20.1 %), and neither finds much; between the two nothing is decided. By rules that nobody trained, a click does not last for eight
# frames.
#
# SAM 2 therefore *learns* what to remember. It keeps a **memory**: the maps of the last six pictures and of the first one,
# each mixed with the mask that was found there. Before the decoder is asked, the new picture's map attends to all of them, in the way in which tokens and map ask
# each other above. The first picture never leaves the memory, so a thing that comes back is recognized. One more output
# says whether the thing is there at all. With a picture as a video of length one it is SAM again, and with a faster
# encoder.
#
# The weights are public in four sizes. Of those of release 2.1 the smallest, with 38.9 million parameters, does 47 pictures
# a second on an A100, and the largest, with 224.4 million, 24. On the authors' own test videos, SA-V, they reach 76.5 and
# 79.5 % (J&F, the mean of a measure of regions and one of contours).
#
# ## Names
#
# SAM gives masks without names. Much of what is asked about it in its forum is this: where is the class? There is none. Two
# ways lead to names, and you should be able to read what is published about them.
#
# **Open vocabulary.** CLIP was trained on pictures and their captions; it can say how well a text fits a *picture*.
# MaskCLIP ([Zhou et al. 2022](https://arxiv.org/abs/2112.01071)) asks it about each *place*: without any training, take the
# values of the last attention and compare them with the texts "a photo of a sheep", "a photo of grass". A network trained
# on such answers, MaskCLIP+, reaches a mean IoU of 86.1 % on classes of PASCAL VOC that no mask
# had shown, where the best before had 35.6 %; on COCO-Stuff these numbers are 54.7 and 30.3 %.
#
# What do such numbers say, and what not? They say that a text can take the place of a list of classes. They do not say that
# the network knows *any* class: the classes of a benchmark resemble those of the training captions, and two papers of
# 2025 measure how much of the score comes from that ([OpenBench](https://arxiv.org/abs/2506.16058),
# [What holds back open-vocabulary segmentation?](https://arxiv.org/abs/2508.04211)). A table without the words that were
# asked for cannot be repeated: "background", synonyms and templates move it by points.
#
# **Concepts.** SAM 3, of November 2025, is asked with a short phrase, "yellow school bus", and marks everything that it
# fits. On its authors' own benchmark of such phrases it reaches 53.9 where a person reaches 72.8 and the best network
# before it 24.6 (cgF1, a measure of finding and outlining together). Those numbers are from the authors' own pages, and
# the benchmark is theirs; read them as a promise to be checked.
#
# ## SAM in three sizes
#
# The paper's three sizes have the same prompt encoder and the same decoder, number for number. The course's networks are
# the authors', key for key in both layouts of weights that are around; these are their parameters, and those of the tiny
# one:

# %%
rows = []
for name in ("sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_tiny"):
    with torch.device("meta"):
        built = models.create(name)
    parts = (built.backbone, built.neck), (built.prompt_encoder,), (built.mask_decoder,)
    rows.append((name, *(sum(p.numel() for part in one for p in part.parameters()) for one in parts)))
print(f"{'':10} {'image encoder':>14} {'prompts':>8} {'decoder':>10} {'all':>12}")
for name, *counts in rows:
    print(f"{name:10} {counts[0]:14,} {counts[1]:8,} {counts[2]:10,} {sum(counts):12,}")

# %% [markdown]
# The decoder has 4 million parameters, beside up to 637 million in the encoder. (Who counts in the `transformers`
# library finds 256 more: it counts the random directions, which never learn.) The tiny one stands on the backbone of the
# course's DeepLab v3, which stays as it is; the file of the checkpoint holds only what learned to be asked.
#
# ## Summary
#
# - A click is ambiguous. Three answers are given, only the best one learns, and so they divide the meanings among themselves.
# - The IoU head says how good each answer seems, and chooses; an oracle chooses better.
# - The encoder sees a picture once; a click costs less than a hundredth of it.
# - A click is a token: sines and cosines of random directions at the middle of its pixel, and the code of its kind. A box is two,
#   and *no box* is one.
# - Tokens ask the map, and the map asks the tokens; then a vector of each mask token times each pixel is a logit, cut at 0.
# - Further clicks go into the largest error, in training as in measuring.
# - Masks by clicks make labels, and labels make a better network. A name is not part of a mask.
#
# ## Self-test
#
# 1. Why is the mean of the three answers' losses no good loss?
# 2. You click at (x, y) = (10, 3), and the answer is a thing at row 10. What went wrong?
# 3. A mask comes out of a PNG file with 0 and 255, and the loss is −100,000. Why?
# 4. A prompt has two clicks. How many tokens does the decoder read, and how many answers does it give?
# 5. Two networks need 6.1 and 7.0 clicks to 85 %, with a limit of 10. What else must you ask?
#
# <details><summary>Answers</summary>
#
# 1. Then each answer would have to fit every meaning, and all three would become the same compromise.
# 2. x and y were swapped: x is the column.
# 3. The target must be 0 and 1. With 255 as a target, the cross entropy has no lower bound: compare with 0 first.
# 4. Eight: five of its own, two clicks, and the one that says *no box*. It gives the single answer.
# 5. How many things never reached 85 %, since each of them counts as 10.
#
# </details>
#
# In the [assignment](assignments/10_promptable.ipynb) you write the tokens, the shapes, the loss, the score and the next
# click, label pictures of your own by clicks, and run an experiment of your own.
#
# ## Reading
#
# - [Kirillov et al. 2023](https://arxiv.org/abs/2304.02643), Segment Anything: Figure 3 is the idea of ambiguity, Figure 14
#   the decoder, §4 the data engine; in Figure 9 look at how far the oracle is from the choice.
# - [Ravi et al. 2024](https://arxiv.org/abs/2408.00714), SAM 2: Figure 3 for the memory.
# - [Sofiiuk, Petrov, Konushin 2021](https://arxiv.org/abs/2102.06583), RITM: how clicks are simulated in training, and how
#   they are counted.
# - [Tancik et al. 2020](https://arxiv.org/abs/2006.10739): why sines of random directions make a place readable.
#
# ## Going deeper
#
# **Pitfalls**, each of which is a test of this course:
#
# | what goes wrong | what to do | seen in |
# |---|---|---|
# | logits are cut at 0.5: masks are eroded | cut at 0 | [ultralytics #25378](https://github.com/ultralytics/ultralytics/issues/25378) |
# | points are given as (row, column) | x, to the right, comes first | [rembg #459](https://github.com/danielgatis/rembg/issues/459) |
# | half a pixel is missing: clicks land a little to the upper left | add it before dividing | the authors' prompt encoder |
# | height and width are swapped, or masks resized with their padding: everything shrinks | crop the padding, then resize | [segment-anything #753](https://github.com/facebookresearch/segment-anything/issues/753), [sam-hq #141](https://github.com/SysCV/sam-hq/issues/141) |
# | token 0 is taken for one of the three answers | 0 is the single one, 1 to 3 are the three; cut the IoU alike | the authors' mask decoder |
# | masks are 0 and 255: the loss falls below −100,000 | compare with 0 first | [Transformers-Tutorials #409](https://github.com/NielsRogge/Transformers-Tutorials/issues/409) |
# | the token that says *no box* stands beside a box, too | only without a box | the authors' prompt encoder |
#
# **What differs.** Where paper, authors' code and this course disagree:

# %% fold="Show SAM's differences as a table"
from IPython.display import Markdown

from segtutor.models.differences import as_markdown
from segtutor.models.sam import DIFFERENCES

Markdown(as_markdown(DIFFERENCES))
