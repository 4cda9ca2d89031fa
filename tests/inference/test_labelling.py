"""Labels by clicks: what the page hands out, read back, written as a data set, checked, and trained on."""

import json
import re
from html import unescape

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.datasets import ImageFolder, check_folder
from segtutor.inference import Labelling
from segtutor.inference.clickable import decoder_arrays
from segtutor.inference.prompts import at_picture_size
from segtutor.models.sam.network import at_input_size
from segtutor.plotting.click_numbers import as_read, dequantized
from segtutor.plotting.labelling import NONE, labelling_figure, read_labels
from tests.plotting.browser import browser_page

CLASSES = ("ground", "it's <box>")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = models.create("sam_tiny").eval()
    read = as_read(decoder_arrays(model))  # the page's weights
    model.load_state_dict({name: torch.from_numpy(array) for name, array in read.items()}, strict=False)
    return model


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, size in enumerate([(61, 80), (64, 48), (48, 64)]):
        pixels = np.random.default_rng(number).integers(0, 255, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"p{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def text_of(**maps):
    """As the page writes it, by hand: letters of the classes, and lengths."""
    pictures = [{"name": name, "size": size, "runs": runs} for name, (size, runs) in maps.items()]
    return json.dumps({"segtutor": "labels", "classes": list(CLASSES), "pictures": pictures})


def test_runs_by_hand():
    classes, maps = read_labels(text_of(a=([2, 3], ".2A1B3"), b=([1, 36], "A10")))
    assert classes == list(CLASSES)
    assert maps["a"].tolist() == [[NONE, NONE, 0], [1, 1, 1]]
    assert maps["b"].tolist() == [[0] * 36]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "a text of all labels is wanted"),
        ('{"segtutor": "labels", "cla', "a text of all labels is wanted"),
        (text_of(a=([2, 3], ".2A1")), "'a' are 3 pixels of 2 x 3, or hold a class beyond the last"),
        (text_of(a=([1, 2], "C2")), "or hold a class beyond the last"),
    ],
)
def test_a_text_that_is_not_all_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_labels(text)


def test_labels_become_a_folder_that_is_read_and_gone_on_from(network, photos, tmp_path):
    tool = Labelling(network, photos, CLASSES)
    assert tool.names == ("p0", "p1", "p2")
    text = text_of(p0=([64, 80], f".{np.base_repr(2560, 36).lower()}B{np.base_repr(2560, 36).lower()}"))
    folder = tool.save(text, tmp_path / "labelled")
    data = ImageFolder(folder)
    assert len(data) == 1
    assert data.labels.names == CLASSES
    _, target = data[0]
    assert target.shape == (64, 80)
    assert (target[:32] == 255).all()
    assert (target[32:] == 1).all()
    assert check_folder(folder, progress=False).ok
    (tmp_path / "labels.json").write_text(text, encoding="utf-8")
    again = Labelling(network, photos, CLASSES, labels=tmp_path / "labels.json")
    waiting = unescape(re.search(r"data-figure='(.*?)'>", again._repr_html_(), re.DOTALL)[1])
    runs = json.loads(re.search(r"data-clicks='(.*?)'>", waiting)[1])["runs"]
    assert runs == [json.loads(text)["pictures"][0]["runs"].upper().replace("1Z4", "1z4"), "", ""]


def test_what_cannot_be_labelled_or_saved_is_told(network, photos, tmp_path):
    tool = Labelling(network, photos, CLASSES)
    with pytest.raises(ValueError, match="no picture has a label yet"):
        tool.save(text_of(p1=([64, 48], f".{np.base_repr(3072, 36)}".lower())), tmp_path / "x")
    with pytest.raises(FileNotFoundError, match=r"there is no file 'labels\.json'"):
        tool.save("labels.json", tmp_path / "x")
    with pytest.raises(ValueError, match="the labels of 'p1' are 1 x 2, but it is 64 x 48 here"):
        tool.save(text_of(p1=([1, 2], "A2")), tmp_path / "x")
    with pytest.raises(ValueError, match="the labels of 'q' are 1 x 2, but there is no such picture here"):
        tool.save(text_of(q=([1, 2], "A2")), tmp_path / "x")
    with pytest.raises(ValueError, match=r"this tool has \['cup'\]"):
        Labelling(network, photos, ["cup"]).save(text_of(p1=([1, 2], "A2")), tmp_path / "x")
    with pytest.raises(ValueError, match="every class needs a name of its own"):
        Labelling(network, photos, ["cup", "cup"])
    with pytest.raises(ValueError, match="1 to 26 classes, but 0 came"):
        labelling_figure([], [], {}, {}, 4)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        Labelling(network, tmp_path / "nowhere", CLASSES)
    with pytest.raises(ValueError, match="holds no picture"):
        Labelling(network, (tmp_path / "empty").mkdir() or tmp_path / "empty", CLASSES)
    Image.new("RGB", (8, 8)).save(photos / "p0.jpg")
    with pytest.raises(ValueError, match="two pictures are called 'p0'"):
        Labelling(network, photos, CLASSES)
    assert not (tmp_path / "x").exists()


def mask_of(network, image, point):
    """What PyTorch answers to a click, from the numbers that the page reads."""
    images = network.preprocessing.normalize(torch.from_numpy(image).permute(2, 0, 1)[None])
    with torch.inference_mode():
        embedding = torch.from_numpy(dequantized(network.embed(images)[0].numpy(), 40))[None]
        answer = network.answer(embedding, torch.tensor([[[point]]], dtype=torch.float32))
    best = int(answer["iou"][0, 0].argmax())
    size = image.shape[:2]
    return at_picture_size(at_input_size(answer["masks"], network.stride)[0, 0], size, size)[best].numpy()


def test_in_a_browser_clicks_become_a_data_set_that_a_network_trains_on(network, photos, tmp_path, monkeypatch):
    tool = Labelling(network, photos, CLASSES)
    with browser_page() as page:
        page.set_default_timeout(900_000)  # finds hangs
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(f"<!doctype html><meta charset='utf-8'>{tool._repr_html_()}")
        root = page.locator(".segtutor-clicks[data-live]")
        boxes = root.locator(".labels .class")
        assert boxes.all_inner_texts() == list(CLASSES)
        boxes.nth(1).click()
        assert root.locator(".tells").inner_text().startswith("Click on something first")
        for number in range(3):
            root.locator(".pictures button").nth(number).click()
            root.locator(".stage").focus()
            page.keyboard.press("Enter")  # the cross begins in the middle
            boxes.nth(1).click()
            root.locator(".labels .rest").nth(0).click()
            assert root.locator(".tells").inner_text().startswith("0 % of this picture have no label yet")
        root.locator(".labels .undo").click()
        assert not root.locator(".tells").inner_text().startswith("0 %")
        root.locator(".labels .rest").nth(0).click()
        with page.expect_download() as saved:
            root.get_by_role("link", name="save all labels as a file").click()
        saved.value.save_as(tmp_path / "labels.json")
        text = root.locator(".labels textarea").input_value()
        assert not errors
    assert (tmp_path / "labels.json").read_text(encoding="utf-8") == text
    folder = tool.save(tmp_path / "labels.json", tmp_path / "labelled")
    data = ImageFolder(folder)
    assert len(data) == 3
    for path, (image, target) in zip(data.pairs, data, strict=True):
        assert path[0].name == path[1].name
        pixels = image.permute(1, 2, 0).numpy()
        height, width = pixels.shape[:2]
        logits = mask_of(network, pixels, (width // 2, height // 2))
        sure = np.abs(logits) > 1e-3
        np.testing.assert_array_equal((target.numpy() == 1)[sure], (logits > 0)[sure])
        assert set(np.unique(target)) <= {0, 1}
    monkeypatch.chdir(tmp_path)
    assert main(["data", "check", "labelled"]) == 0
    run = ["--steps", "2", "--batch-size", "2", "--device", "cpu", "--crop", "32x32"]
    assert main(["train", "--data", "labelled", "--out", "net.pt", *run]) == 0
    assert json.loads((tmp_path / "net.json").read_text())["labels"] == list(CLASSES)
