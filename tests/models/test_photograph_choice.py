"""Which network a photograph gets: every order of what is there, what is agreed to, and what cannot be had."""

import builtins

import pytest
import torch

from segtutor import models
from segtutor.fetch import DownloadError
from segtutor.labels import VOC2012
from segtutor.models import weight_catalog
from segtutor.models.photograph_choice import asked, for_photographs, own_folder, own_weights, with_classes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a note of what was fetched: nothing leaves this machine."""
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path))
    fetched = []
    monkeypatch.setattr(weight_catalog, "obtain", lambda entry: fetched.append(entry["models"][0]))
    return fetched


def lay(one):
    one.path.parent.mkdir(parents=True, exist_ok=True)
    one.path.write_bytes(b"x")


def cutter():
    return next(one for one in models.published("u2netp") if one.weights == "pip")


def never(one):
    raise AssertionError(f"asked for {one.network}")


def test_with_nothing_there_and_nothing_wanted_it_is_the_courses_network_and_nothing_is_fetched(cache):
    questions = []
    choice = for_photographs(lambda one: questions.append(one.network))
    assert (choice.network, choice.weights, choice.gives) == ("deeplabv3_tiny", "course", "scenes")
    assert questions == ["lraspp_mobilenet_v3_large", "u2netp"]  # the smallest of 21 classes first, then the cut-out
    assert cache == []
    models.create(choice.network, weights=choice.weights)


def test_what_is_agreed_to_is_fetched(cache):
    assert for_photographs(lambda one: True).network == "lraspp_mobilenet_v3_large"
    assert cache == ["lraspp_mobilenet_v3_large"]
    choice = for_photographs(lambda one: one.network == "u2netp")
    assert (choice.network, choice.weights, choice.gives) == ("u2netp", "pip", "cut-out")


def test_of_several_on_disk_the_best_is_taken_without_a_question():
    names = [one.network for one in with_classes()]
    assert names[:2] == ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"]
    for one in with_classes()[:2]:
        lay(one)
    choice = for_photographs(never)
    assert (choice.network, choice.weights, choice.gives) == ("deeplabv3_mobilenet_v3_large", "torchvision", "classes")


def test_a_cut_out_on_disk_does_not_hide_the_offer_of_classes():
    lay(cutter())
    questions = []
    assert for_photographs(lambda one: questions.append(one.network)).network == "u2netp"
    assert questions == ["lraspp_mobilenet_v3_large"]


def test_why_something_cannot_be_had_is_said_and_the_next_is_offered(monkeypatch, capsys):
    def fails(entry):
        raise DownloadError("the proxy says 407")

    monkeypatch.setattr(weight_catalog, "obtain", fails)
    assert for_photographs(lambda one: True).gives == "scenes"
    assert capsys.readouterr().out.count("It could not be fetched: the proxy says 407") == 2


def test_a_file_of_ones_own_comes_first_with_its_classes():
    lay(with_classes()[0])
    own_folder().mkdir(parents=True)
    network = models.create("deeplabv3_tiny", num_classes=21)
    models.save_weights(network, own_folder() / "mine.pt", labels=VOC2012.names, data="my holidays")
    detector = models.create("maskrcnn_tiny", num_classes=21)
    models.save_weights(detector, own_folder() / "boxes.pt", labels=VOC2012.names)  # gives no label map
    models.save_weights(models.create("fcn8s_tiny", num_classes=2), own_folder() / "cells.pt", labels=["no", "cell"])
    (own_folder() / "notes.txt").write_text("no weights")
    choice = for_photographs(never)
    assert (choice.network, choice.weights, choice.gives) == ("deeplabv3_tiny", own_folder() / "mine.pt", "classes")
    assert choice.origin == "a file of your own (mine.pt), learned from my holidays"
    loaded = models.create(choice.network, weights=choice.weights)
    assert loaded.class_names == VOC2012.names
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in network.state_dict().items())


def test_a_file_that_does_not_say_its_network_is_refused_with_a_remedy():
    own_folder().mkdir(parents=True)
    torch.save({"weight": torch.zeros(2)}, own_folder() / "strange.pt")
    with pytest.raises(ValueError, match=r"strange.pt does not say of which network it is: write it with"):
        own_weights()


@pytest.mark.parametrize(("typed", "yes"), [("y", True), (" YES ", True), ("", False), ("n", False), ("x", False)])
def test_a_person_hears_size_license_and_source_before_the_question(typed, yes, monkeypatch, capsys):
    told = []
    monkeypatch.setattr(builtins, "input", lambda prompt: told.append(capsys.readouterr().out + prompt) or typed)
    assert asked(with_classes()[0]) is yes
    for part in ("13 MB from download.pytorch.org", "license: none stated", "source: https://", "mean IoU 57.9 %", "?"):
        assert part in told[0]


@pytest.mark.parametrize("error", [EOFError, NotImplementedError])
def test_where_nobody_can_answer_nothing_is_fetched(error, monkeypatch, capsys, cache):
    def nobody(prompt):
        raise error

    monkeypatch.setattr(builtins, "input", nobody)
    assert for_photographs().gives == "scenes"
    assert cache == []
    assert "nobody here to say yes" in capsys.readouterr().out


def test_every_network_of_classes_is_one_of_the_table():
    for one in with_classes():
        assert weight_catalog.entry_of(one)["classes"] == "background and the 20 of PASCAL VOC"
