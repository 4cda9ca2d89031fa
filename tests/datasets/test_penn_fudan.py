"""Penn-Fudan's folder as it is published: numbers in the masks are people."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from segtutor.cli import main
from segtutor.datasets import PennFudan, check_folder
from segtutor.datasets.found import find_data
from tests.shared import shared_data

PEOPLE = np.zeros((40, 48), np.uint8)
PEOPLE[10:30, 4:12], PEOPLE[12:36, 20:30] = 1, 3  # a number may be missing


@pytest.fixture
def published(tmp_path):
    """Five pictures in the folders of the archive; the last one without people."""
    base = tmp_path / "PennFudanPed"
    for name in ("PNGImages", "PedMasks", "Annotation"):
        (base / name).mkdir(parents=True)
    for number in range(5):
        name = f"FudanPed{number:05d}"
        picture = np.random.default_rng(number).integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(picture).save(base / "PNGImages" / f"{name}.png")
        Image.fromarray(PEOPLE * (number < 4)).save(base / "PedMasks" / f"{name}_mask.png")
        (base / "Annotation" / f"{name}.txt").write_text("# Compatible with PASCAL Annotation Version 1.00\n")
    (base / "added-object-list.txt").write_text("FudanPed00001.txt 1\n")
    return base


class TestPennFudan:
    def test_every_number_is_a_person(self, published):
        data = PennFudan(published)
        image, target = data[0]
        assert len(data) == 5
        assert image.shape == (3, 40, 48)
        assert target["labels"].tolist() == [1, 1]
        assert target["boxes"].tolist() == [[4, 10, 12, 30], [20, 12, 30, 36]]
        assert target["area"].tolist() == [160, 240]
        assert target["masks"].numpy()[1].sum() == 240
        assert data.labels.names == ("background", "person")
        assert target["image_id"] == 0

    def test_a_street_without_people(self, published):
        _, target = PennFudan(published)[4]
        assert target["boxes"].shape == (0, 4)
        assert target["masks"].shape == (0, 40, 48)

    def test_label_maps(self, published):
        _, target = PennFudan(published, target="semantic")[0]
        assert np.array_equal(target.numpy(), PEOPLE > 0)

    def test_the_folder_above_will_do_and_workers_can_have_it(self, published):
        data = pickle.loads(pickle.dumps(PennFudan(published.parent)))
        assert data.pairs[0] == (
            published / "PNGImages/FudanPed00000.png", published / "PedMasks/FudanPed00000_mask.png"
        )  # fmt: skip
        assert repr(data) == f"PennFudan({str(published.parent)!r}, target='instances', 5 pictures)"

    def test_what_is_no_such_folder(self, tmp_path, published):
        with pytest.raises(FileNotFoundError, match=r"there is no Penn-Fudan in .*PNGImages or Images and PedMasks"):
            PennFudan(tmp_path / "PennFudanPed/Annotation")
        with pytest.raises(ValueError, match="target must be one of instances, semantic"):
            PennFudan(published, target="boxes")
        for mask in (published / "PedMasks").iterdir():
            mask.unlink()
        with pytest.raises(ValueError, match=r"has a mask NAME_mask\.png"):
            PennFudan(published)


class TestFound:
    @pytest.mark.parametrize("inside", [False, True])
    def test_the_checker_knows_it(self, published, inside):
        report = check_folder(published.parent if inside else published)
        assert (report.layout, report.checked, report.rows) == ("Penn-Fudan", 10, ())

    def test_what_is_wrong_is_found(self, published):
        Image.fromarray(PEOPLE[:30]).save(published / "PedMasks/FudanPed00001_mask.png")
        (published / "PedMasks/FudanPed00002_mask.png").write_bytes(b"\x89PNG")
        (published / "PNGImages/FudanPed00003.png").unlink()
        kinds = {(row.path.name, row.kind) for row in check_folder(published).rows}
        assert kinds == {
            ("FudanPed00001_mask.png", "size"), ("FudanPed00002_mask.png", "unreadable"),
            ("FudanPed00003_mask.png", "alone"),
        }  # fmt: skip

    @pytest.mark.parametrize("target", ["instances", "semantic"])
    def test_a_fifth_is_set_aside(self, published, target):
        found = find_data(published, target)
        assert (found.layout, len(found.train), len(found.val)) == ("Penn-Fudan", 4, 1)

    def test_the_recipe_trains_on_it(self, published, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        words = ["--steps", "1", "--batch-size", "2", "--warmup-steps", "0", "--device", "cpu", "--out", "net.pt"]
        assert main(["train", "--recipe", "penn_fudan_small", "--data", str(published), *words]) == 0
        assert "Penn-Fudan; all pictures, a fifth set aside" in capsys.readouterr().out
        record = json.loads((tmp_path / "net.json").read_text())
        assert record["labels"] == ["background", "person"]
        assert record["data"] == "PennFudanPed (Penn-Fudan, 4 pictures)"
        assert -1 <= record["masks"]["AP"] <= 1


@pytest.mark.shared_data
def test_the_real_folder():
    data = PennFudan(shared_data("penn_fudan"))
    assert len(data) == 158
    people = [len(data[index][1]["labels"]) for index in range(0, 158, 10)]
    assert all(people)
    for index in range(0, 158, 10):
        boxes = data[index][1]["boxes"]
        assert (boxes[:, 2:] > boxes[:, :2]).all()
