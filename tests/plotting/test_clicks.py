"""The figure that answers clicks: its decoder against PyTorch, under node, and what the page holds."""

import base64
import copy
import io
import json
import re
import shutil
import subprocess
import zlib
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models, plotting
from segtutor.claims.masks import USUAL, segments
from segtutor.inference.clickable import clickable, decoder_arrays
from segtutor.inference.clicks import clear_clicks
from segtutor.plotting.click_numbers import (
    EMBEDDING_STEP,
    FINE_STEP,
    PIXEL_STEP,
    WEIGHT_STEP,
    as_read,
    as_text,
    dequantized,
    levels_of,
    packed,
    packed_embedding,
    quantized,
    share_of,
    surprises,
)
from segtutor.plotting.clicks import ClickPicture, beside, click_figure
from tests.plotting.browser import browser_page

SCRIPTS = Path(plotting.__file__).parent
HEADS, CHANNELS = 4, 40
# As in a page, but node has no need to wait for inflated bytes; several questions, so that it starts once.
RUN = """
const maskDecoder = require(process.argv[1]);
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bytes = (text) => Uint8Array.from(require("zlib").inflateSync(maskDecoder.fromLetters(text)));
const network = maskDecoder.create(maskDecoder.unpack(bytes(asked.weights)), asked.heads);
const embedding = maskDecoder.embedding(bytes(asked.embedding), ...asked.places, network.channels);
console.log(JSON.stringify(asked.questions.map(([points, box]) => {
  const {masks, iou} = network.answer(embedding, ...asked.places, asked.size, points, box);
  return {masks: masks.map((mask) => [...mask]), iou};
})));
"""


@pytest.fixture(scope="module")
def network():
    """Untrained, with arrays that all do something."""
    torch.manual_seed(0)
    model = models.create("sam_tiny").eval()
    for part in (model.prompt_encoder, model.mask_decoder):
        for name, parameter in part.named_parameters():
            if parameter.ndim == 1:
                parameter.data.add_(torch.randn_like(parameter) * 0.2)
            elif "project" in name or "vectors" in name:
                parameter.data.mul_(2)
    torch.nn.init.normal_(model.neck.fine.tell.weight)  # it begins with nothing
    return model


@pytest.fixture(scope="module")
def page_reads(network):
    """The network with the weights that the page reads."""
    return with_read_weights(network)


def with_read_weights(network):
    model = copy.deepcopy(network)
    read = {name: torch.from_numpy(array) for name, array in as_read(decoder_arrays(network)).items()}
    model.load_state_dict(read, strict=False)
    return model


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def under_node(network, embedding, size, questions):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node found, which runs the page's script outside of a page")
    asked = {
        "weights": as_text(packed(decoder_arrays(network))), "heads": HEADS, "places": embedding.shape[1:],
        "size": size, "embedding": as_text(packed_embedding(embedding, CHANNELS)), "questions": questions,
    }  # fmt: skip
    command = [node, "-e", RUN, str(SCRIPTS / "mask_decoder.js")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


QUESTIONS = [
    ([[20, 30, 1]], None),
    ([[0, 0, 0]], None),
    ([[20, 30, 1], [60, 5, 0]], None),
    ([[20, 30, 1], [60, 5, 0], [33, 47, 1]], None),
    ([], [3, 4, 50, 40]),
    ([[20, 30, 0]], [3, 4, 50, 40]),
]


def test_the_pages_decoder_is_pytorchs(network, page_reads, image):
    embedding = embedding_of(network, image)
    answers = under_node(network, embedding, image.shape[:2], QUESTIONS)
    for question, answer in zip(QUESTIONS, answers, strict=True):
        expect(answer, page_reads, embedding, *question)


def expect(answer, page_reads, embedding, points, box):
    """The page's answer is that of PyTorch on what the page reads."""
    places = torch.tensor(points, dtype=torch.float32).reshape(1, 1, -1, 3)
    with torch.inference_mode():
        expected = page_reads.answer(
            torch.from_numpy(dequantized(embedding, CHANNELS))[None],
            places[..., :2] if points else None,
            places[..., 2].long() if points else None,
            None if box is None else torch.tensor(box, dtype=torch.float32).reshape(1, 1, 4),
            several=len(points) == 1 and box is None,
        )
    masks, iou = expected["masks"][0, 0], expected["iou"][0, 0]
    assert masks.std() > 0.1
    got = torch.tensor(answer["masks"]).reshape(masks.shape)
    torch.testing.assert_close(got, masks, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(torch.tensor(answer["iou"]), iou, atol=1e-4, rtol=1e-4)


def embedding_of(network, image):
    images = network.preprocessing.normalize(torch.from_numpy(image).permute(2, 0, 1)[None])
    with torch.inference_mode():
        return network.embed(images)[0].numpy()


def test_16_bits_are_read_as_numpy_writes_them():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node found, which runs the page's script outside of a page")
    numbers = np.array([0, -0.0, 1, -2.5, 65504, 6e-8, 6.1e-5, 0.1, -3.14159], dtype="<f2")
    code = "console.log(JSON.stringify([...require(process.argv[1]).halves(JSON.parse(process.argv[2]))]))"
    bits = json.dumps(numbers.view("<u2").tolist())
    command = [node, "-e", code, str(SCRIPTS / "mask_decoder.js"), bits]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == numbers.astype(np.float64).tolist()


def test_a_channels_step_follows_its_spread():
    embedding = np.array([[[1.0, -2.0, 0.5, 0.5]], [[0.0, 0.0, 0.0, 0.0]], [[1.0, -2.0, 0.5, 0.5]]], dtype=np.float32)
    levels, steps = quantized(embedding, channels=2)
    spread = embedding[0].std()  # the third channel is of the finer map
    np.testing.assert_allclose(steps.astype(float), [EMBEDDING_STEP * spread, 1e-6, FINE_STEP * spread], rtol=0.05)
    assert levels[0, 0].tolist() == np.rint(embedding[0, 0] / np.float32(steps[0])).tolist()
    assert levels[1, 0].tolist() == [0] * 4
    error = np.abs(dequantized(embedding, 2) - embedding).max(axis=(1, 2))
    assert (error <= 0.5 * steps.astype(float) + 1e-7).all()


def test_what_neighbors_foretell_is_taken_away():
    # Each pixel by hand: nothing, then the left one, the one above; the middle one of left, above and their sum without
    # the one between.
    levels = np.array([[[5, 6, 6], [7, 8, 3], [-128, 127, 0]]], dtype=np.int8)
    foretold = np.array([[0, 5, 6], [5, 7, 8], [7, -127, 122]])
    np.testing.assert_array_equal(surprises(levels)[0], (levels[0] - foretold).astype(np.int8))


def test_one_large_number_still_has_a_level():
    rows = np.zeros((1, 10_000), dtype=np.float32)
    rows[0, 3] = 5
    levels, steps = levels_of(rows, 0.1, "a row")
    assert levels[0, 3] == 127
    np.testing.assert_allclose(steps.astype(float), [5 / 127], rtol=1e-3)


def test_large_weights_have_levels_and_a_step_for_each_row():
    weight = np.random.default_rng(0).normal(size=(20, 20)).astype(np.float32) * np.arange(1, 21)[:, None]
    small = np.full((3, 4), 1 / 3, dtype=np.float32)
    decoder = {"large": weight, "small": small, "prompt_encoder.mask.0.weight": weight}
    read = as_read(decoder)
    error = np.abs(read["large"] - weight).max(axis=1) / weight.std(axis=1) / WEIGHT_STEP
    assert (error <= 0.501).all()
    assert (error > 0.33).all()  # and no more levels than the step asks for
    np.testing.assert_allclose(read["small"], small, rtol=1e-3)
    header, _, arrays = packed(decoder).partition(b"\n")
    assert json.loads(header) == [["large", 400, 20], ["small", 12, 0]]
    assert len(arrays) == 20 * 2 + 12 * 2 + 400
    np.testing.assert_array_equal(np.frombuffer(arrays[40:64], "<f2"), small.ravel().astype("<f2"))
    assert share_of("mask_decoder.transformer.blocks.1.ask_tokens.value.weight") == PIXEL_STEP
    assert share_of("mask_decoder.transformer.blocks.1.ask_map.value.weight") == WEIGHT_STEP


def test_rounding_changes_few_masks():
    model = models.create("sam_tiny", weights="course").eval()
    reads = with_read_weights(model)
    pictures = segments("val", 6, USUAL, (128, 160))
    overlaps = []
    for click in clear_clicks(pictures):
        embedding = embedding_of(model, pictures[click.index][0].permute(1, 2, 0).numpy())
        point = torch.tensor(click.point, dtype=torch.float32).reshape(1, 1, 1, 2)
        with torch.inference_mode():
            answer = model.answer(torch.from_numpy(embedding)[None], point)
            other = reads.answer(torch.from_numpy(dequantized(embedding, CHANNELS))[None], point)
        chosen = int(answer["iou"].argmax())
        one, two = (masks["masks"][0, 0, chosen] > 0 for masks in (answer, other))
        overlaps.append(float((one & two).sum() / (one | two).sum()))
    assert len(overlaps) >= 5
    assert 0.98 < np.mean(overlaps) < 1


def test_scripts_travel_without_comments():
    script = beside("clicks.js")
    assert not re.search(r"\n\s*(//|\n)", script)
    assert script.startswith("(() => {\nconst FINE = 3;")


def test_the_page_holds_what_the_network_needs_and_asks_nobody(network, image):
    figure = clickable(network, [image, image], ["noise", "the same > noise"], [[(5, 6, 1)], []])
    page = figure._repr_html_()
    waiting = unescape(re.search(r"data-figure='(.*?)'>", page, re.DOTALL)[1])
    data = json.loads(re.search(r"data-clicks='(.*?)'>", waiting)[1])
    assert [scene["start"] for scene in data["scenes"]] == [[[5, 6, 1]], []]
    assert data["heads"] == HEADS
    content = inflated(data["scenes"][0]["embedding"])
    assert len(content) == 80 * (2 + 6 * 8)
    header, _, arrays = inflated(data["weights"]).partition(b"\n")
    sizes = [2 * rows + length if rows else 2 * length for _, length, rows in json.loads(header)]
    assert sum(sizes) == len(arrays)
    assert not any(name.startswith("prompt_encoder.mask.") for name, _, _ in json.loads(header))
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?:|@import|url\(", page)
    assert 'alt="the same &gt; noise"' in waiting
    assert repr(figure) == "Figure that answers clicks on 2 pictures"
    assert len(page) < 200_000


def test_a_picture_with_more_pixels_is_shown_and_clicks_keep_theirs(network, image):
    figure = clickable(network, [image], ["noise"], drawn=[image.repeat(2, axis=0).repeat(2, axis=1)])
    waiting = unescape(re.search(r"data-figure='(.*?)'>", figure.html, re.DOTALL)[1])
    shown = Image.open(io.BytesIO(base64.b64decode(re.search(r"data:image/webp;base64,([^\"]+)", waiting)[1])))
    assert shown.size == (2 * image.shape[1], 2 * image.shape[0])
    data = json.loads(re.search(r"data-clicks='(.*?)'>", waiting)[1])
    assert tuple(data["scenes"][0]["size"]) == image.shape[:2]


def inflated(text):
    """The bytes behind the page's letters."""
    page_letters, letters = ",./:[]", "&<>$`~"
    return zlib.decompress(base64.b85decode(text.translate(str.maketrans(page_letters, letters))))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 4097])
def test_letters_mean_nothing_in_a_page_and_become_the_same_bytes(length):
    content = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    text = as_text(content)
    assert not set(text) & set("&<>$`~'\"\\ ")
    assert inflated(text) == content
    assert len(text) <= 1.25 * (length + 16) + 1
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node found, which runs the page's script outside of a page")
    code = "console.log(JSON.stringify([...require(process.argv[1]).fromLetters(process.argv[2])]))"
    done = subprocess.run(
        [node, "-e", code, str(SCRIPTS / "mask_decoder.js"), text], capture_output=True, text=True, check=True
    )
    assert zlib.decompress(bytes(json.loads(done.stdout))) == content


def test_wrong_arguments_are_named(network, image):
    arrays = decoder_arrays(network)
    with pytest.raises(ValueError, match="at least one picture"):
        click_figure([], arrays, HEADS)
    with pytest.raises(ValueError, match=r"embeddings of 40 or 80 x h x w, but picture 0 has \(32, 4, 4\)"):
        click_figure([ClickPicture(image, np.zeros((32, 4, 4), dtype=np.float32), "")], arrays, HEADS)
    with pytest.raises(ValueError, match="1 pictures and 0 texts"):
        clickable(network, [image], [])
    with pytest.raises(ValueError, match="picture 0 is 47 x 64, which the network would resize or pad"):
        clickable(network, [image[:47]], ["noise"])
    with pytest.raises(ValueError, match="there are 1 pictures, but 0 are drawn"):
        clickable(network, [image], ["noise"], drawn=[])
    for wrong in (image[:24], image.repeat(2, axis=0)):
        with pytest.raises(
            ValueError, match=r"picture 0 is 48 x 64; drawn it must be a whole number .* it is (24|96) x"
        ):
            clickable(network, [image], ["noise"], drawn=[wrong])
    with pytest.raises(ValueError, match="iou_token holds numbers that 16 bits do not"):
        packed({"mask_decoder.iou_token": np.full((1, 40), 1e6)})


def test_in_a_browser_clicks_and_keys_are_answered(network, page_reads, image):
    figure = clickable(network, [image, image[::-1]], ["noise", "noise upside down"], [[(20, 30, 1)], []])
    with browser_page() as page:
        page.set_default_timeout(900_000)  # finds hangs
        errors, requests = [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(f"<!doctype html><meta charset='utf-8'>{figure.html}<hr>{figure.html}")
        page.wait_for_function("document.querySelectorAll('.segtutor-clicks[data-live]').length === 2")
        first, second = page.locator(".segtutor-clicks").all()
        untouched = second.inner_text()
        says = first.locator(".says")
        assert says.inner_text().startswith("1 click: three answers")
        assert first.locator(".answers button:visible").count() == 3
        assert first.locator(".answers").inner_text().startswith("Answer 1\n")
        answers = [text.split("IoU ")[1] for text in first.locator(".answers button").all_inner_texts()]
        prompter_says = network_says(network, page_reads, image, [[20, 30, 1]])
        assert answers == [f"{min(max(value, 0), 1):.2f}" for value in prompter_says]

        # Keys: the cross moves, Enter sets a click, arrows take it along, Backspace takes it back.
        stage = first.locator(".stage")
        stage.focus()
        first.evaluate("root => root.addEventListener('answer', ({detail}) => root.answer = {"
                       "masks: detail.masks.map((mask) => [...mask]), iou: detail.iou})")  # fmt: skip
        page.keyboard.press("Shift+ArrowRight")
        embedding = embedding_of(network, image)
        expect(first.evaluate("root => root.answer"), page_reads, embedding, [[28, 30, 1]], None)
        page.keyboard.press("Enter")
        assert says.inner_text().startswith("2 clicks: one answer")
        assert first.locator(".answers button:visible").inner_text().startswith("The single answer\n")
        before = first.locator(".stage circle").nth(1).get_attribute("cx")
        page.keyboard.press("ArrowRight")
        assert float(first.locator(".stage circle").nth(1).get_attribute("cx")) == float(before) + 1
        page.keyboard.press("Backspace")
        assert says.inner_text().startswith("1 click: three answers")

        # Not this, and a box by two corners.
        first.get_by_label("not this").check()
        stage.click(position={"x": 40, "y": 40})
        assert first.locator(".stage path.not").count() == 1
        first.get_by_role("button", name="clear").click()
        assert says.inner_text().startswith("Click on something")
        first.get_by_label("corner of a box").check()
        stage.click(position={"x": 20, "y": 20})
        assert "set the opposite one" in says.inner_text()
        stage.click(position={"x": 90, "y": 80})
        assert says.inner_text().startswith("a box: one answer")

        assert second.inner_text() == untouched
        assert not errors
        assert not [url for url in requests if not url.startswith(("data:", "about:"))]


def network_says(network, page_reads, image, points):
    embedding = torch.from_numpy(dequantized(embedding_of(network, image), CHANNELS))[None]
    places = torch.tensor(points, dtype=torch.float32).reshape(1, 1, -1, 3)
    with torch.inference_mode():
        return page_reads.answer(embedding, places[..., :2], places[..., 2].long())["iou"][0, 0].tolist()
