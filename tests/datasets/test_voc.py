import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from segtutor.datasets import Scenes, VOCSegmentation, export
from segtutor.datasets.transforms import train_transforms
from segtutor.labels import VOC2012
from tests.shared import shared_data

DEVKIT = "VOCdevkit/VOC2012"


def first_file(root, folder, ending):
    return sorted((root / DEVKIT / folder).glob(f"*{ending}"))[0]


class TestItems:
    def test_kinds_and_types(self, exported):
        image, target = VOCSegmentation(exported["voc"])[0]
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(target, tv_tensors.Mask)
        assert (image.dtype, target.dtype) == (torch.uint8, torch.int64)
        assert image.shape == (3, *target.shape)

    def test_objects_are_ready_for_a_detector(self, exported):
        data = VOCSegmentation(exported["voc"], target="instances")
        for index in range(len(data)):
            target = data[index][1]
            assert isinstance(target["boxes"], tv_tensors.BoundingBoxes)
            assert target["masks"].dtype == torch.bool
            assert target["boxes"].dtype == torch.float32
            assert (target["boxes"][:, 2:] > target["boxes"][:, :2]).all()
            assert (target["labels"] >= 1).all()

    def test_transforms_get_both_and_move_together(self, exported):
        data = VOCSegmentation(exported["voc"], transforms=train_transforms((48, 48)))
        image, target = data[0]
        assert (image.shape, target.shape) == ((3, 48, 48), (48, 48))
        assert isinstance(target, tv_tensors.Mask)

    def test_pickles_and_works_in_workers(self, exported):
        data = VOCSegmentation(exported["voc"])
        again = pickle.loads(pickle.dumps(data))
        assert torch.equal(data[1][1], again[1][1])
        loader = DataLoader(data, batch_size=2, num_workers=2, collate_fn=list)
        labels = [target for batch in loader for _, target in batch]
        assert len(labels) == len(data)
        assert all(torch.equal(data[i][1], target) for i, target in enumerate(labels))

    def test_a_gray_picture_becomes_rgb(self, copy_of):
        root = copy_of("voc")
        path = first_file(root, "JPEGImages", ".jpg")
        Image.open(path).convert("L").save(path)
        image, _ = VOCSegmentation(root)[0]
        assert image.shape[0] == 3
        assert torch.equal(image[0], image[1])


class TestTest:
    def test_an_exported_test_set(self, tmp_path):
        export(Scenes("test", size=(48, 64), count=2), tmp_path / "voc")
        data = VOCSegmentation(tmp_path / "voc", image_set="test")
        assert len(data) == 2
        assert (data.year, data.image_set) == ("2012", "test")
        assert data[1][1].shape == (48, 64)


class TestTrainaug:
    def test_reads_the_added_folder_and_either_name_of_the_list(self, copy_of):
        root = copy_of("voc")
        base = root / DEVKIT
        (base / "SegmentationClass").rename(base / "SegmentationClassAug")
        names = (base / "ImageSets/Segmentation/val.txt").read_text().split()
        # As the real list, without a newline at its end.
        (base / "ImageSets/Segmentation/train_aug.txt").write_text("\n".join(names))
        data = VOCSegmentation(root, image_set="trainaug")
        assert data.names == names
        assert "SegmentationClassAug" in data.targets[0]
        assert data[2][1].shape == data[2][0].shape[1:]

    def test_says_what_is_missing(self, exported):
        with pytest.raises(FileNotFoundError, match=r"trainaug.txt is missing.*there are train, trainval, val"):
            VOCSegmentation(exported["voc"], image_set="trainaug")

    def test_has_no_objects(self, exported):
        with pytest.raises(ValueError, match="no objects"):
            VOCSegmentation(exported["voc"], image_set="trainaug", target="instances")


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"year": "1999"}, "year must be one of"),
            ({"image_set": "all"}, "image_set"),
            ({"target": "boxes"}, "target"),
        ],
    )
    def test_arguments(self, exported, arguments, message):
        with pytest.raises(ValueError, match=message):
            VOCSegmentation(exported["voc"], **arguments)

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"no VOC 2011 in .*TrainVal"):
            VOCSegmentation(tmp_path, year="2011")

    def test_empty_list_and_a_name_twice(self, copy_of):
        path = (root := copy_of("voc")) / DEVKIT / "ImageSets/Segmentation/train.txt"
        path.write_text("\n")
        with pytest.raises(ValueError, match=r"train\.txt lists no image"):
            VOCSegmentation(root)
        path.write_text("2012_000001\n2012_000002\n2012_000001\n")
        with pytest.raises(ValueError, match="more than once: 2012_000001"):
            VOCSegmentation(root)

    def test_missing_mask_and_missing_picture(self, copy_of):
        root = copy_of("voc")
        mask, picture = first_file(root, "SegmentationClass", ".png"), first_file(root, "JPEGImages", ".jpg")
        mask.unlink()
        with pytest.raises(FileNotFoundError, match=f"{mask.name} is missing"):
            VOCSegmentation(root)[0]
        picture.unlink()
        with pytest.raises(FileNotFoundError, match=f"{picture.name} is missing"):
            VOCSegmentation(root)[0]

    @pytest.mark.parametrize(("folder", "ending"), [("JPEGImages", ".jpg"), ("SegmentationClass", ".png")])
    def test_truncated(self, copy_of, folder, ending):
        path = first_file(root := copy_of("voc"), folder, ending)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ValueError, match=rf"{path.name} cannot be decoded .*truncated"):
            VOCSegmentation(root)[0]

    def test_not_an_image(self, copy_of):
        path = first_file(root := copy_of("voc"), "JPEGImages", ".jpg")
        path.write_text("<html>404 Not Found</html>")
        with pytest.raises(ValueError, match=rf"{path.name} is not an image"):
            VOCSegmentation(root)[0]

    def test_mask_of_another_size(self, copy_of):
        path = first_file(root := copy_of("voc"), "SegmentationClass", ".png")
        Image.open(path).resize((40, 64), Image.Resampling.NEAREST).save(path)
        with pytest.raises(ValueError, match=rf"{path.name} is 64 x 40 pixels .* is 64 x 80"):
            VOCSegmentation(root)[0]

    def test_label_outside_the_label_set(self, copy_of):
        path = first_file(root := copy_of("voc"), "SegmentationClass", ".png")
        mask = Image.open(path)
        values = np.array(mask)
        values[3, 7] = 21
        changed = Image.fromarray(values)
        changed.putpalette(mask.getpalette())
        changed.save(path)
        message = rf"{path.name} holds the value 21 \(the first at row 3, column 7\).*0\.\.\.20 and 255"
        with pytest.raises(ValueError, match=message):
            VOCSegmentation(root)[0]

    def test_a_mask_in_colors(self, copy_of):
        path = first_file(root := copy_of("voc"), "SegmentationClass", ".png")
        Image.open(path).convert("RGB").save(path)
        with pytest.raises(ValueError, match=rf"{path.name} holds colors \(mode RGB\)"):
            VOCSegmentation(root)[0]

    def test_a_mask_of_16_bits_is_read_as_it_is(self, copy_of):
        root = copy_of("voc")
        path = first_file(root, "SegmentationClass", ".png")
        wanted = np.array(Image.open(path))
        Image.fromarray(wanted.astype(np.uint16)).save(path)
        assert np.array_equal(VOCSegmentation(root)[0][1].numpy(), wanted)

    def test_object_without_a_class(self, copy_of):
        path = first_file(root := copy_of("voc"), "SegmentationObject", ".png")
        Image.fromarray(np.full((64, 80), 9, dtype=np.uint8)).save(path)
        classes = root / DEVKIT / "SegmentationClass" / path.name
        Image.fromarray(np.zeros((64, 80), dtype=np.uint8)).save(classes)
        with pytest.raises(ValueError, match=rf"{path.name}: object 9 lies on no pixel of a class"):
            VOCSegmentation(root, target="instances")[0]

    @pytest.mark.parametrize("orientation", [3, 6, 8])
    def test_exif_rotation(self, copy_of, orientation):
        root = copy_of("voc")
        path = first_file(root, "JPEGImages", ".jpg")
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture = Image.open(path)
        upright = np.asarray(picture.convert("RGB"))
        picture.save(path, exif=exif, quality=95)
        if orientation == 3:  # upside down: the size alone does not tell
            image, _ = VOCSegmentation(root)[0]
            turned = np.rot90(upright, 2).transpose(2, 0, 1)
            assert np.abs(image.numpy().astype(int) - upright.transpose(2, 0, 1)).mean() > 20
            assert np.abs(image.numpy().astype(int) - turned.astype(int)).mean() < 6
            return
        with pytest.raises(
            ValueError, match=rf"EXIF orientation {orientation}, and the mask was drawn on the unturned"
        ):
            VOCSegmentation(root)[0]
        mask = first_file(root, "SegmentationClass", ".png")
        turn = Image.Transpose.ROTATE_270 if orientation == 6 else Image.Transpose.ROTATE_90
        Image.open(mask).transpose(turn).save(mask)
        image, target = VOCSegmentation(root)[0]
        assert image.shape == (3, 80, 64)
        assert target.shape == (80, 64)

    def test_path_beyond_ascii(self, copy_of, tmp_path):
        root = copy_of("voc").rename(tmp_path / "Бильде 図 été")
        image, _ = VOCSegmentation(root)[0]
        assert image.shape == (3, 64, 80)


@pytest.mark.shared_data
class TestRealFiles:
    def test_counts_and_values(self):
        root = shared_data("voc2012_animals")
        assert [len(VOCSegmentation(root, image_set=name)) for name in ("train", "val", "trainval")] == [437, 384, 821]
        data = VOCSegmentation(root, image_set="val")
        seen = set()
        for index in range(0, len(data), 24):
            image, target = data[index]
            assert image.shape[1:] == target.shape
            assert max(target.shape) <= 500
            assert (target == 255).any(), "every mask of these has a void border"
            seen |= set(target.unique().tolist())
        assert seen <= {*range(21), 255}
        assert {0, VOC2012.index("cat"), VOC2012.index("dog"), 255} <= seen

    def test_palette_of_real_masks_is_our_color_map(self):
        root = shared_data("voc2012_animals")
        data = VOCSegmentation(root, image_set="val")
        mask = Image.open(data.targets[0])
        colors = np.asarray(mask.convert("RGB"))
        assert np.array_equal(VOC2012.palette[np.asarray(mask)][np.asarray(mask) < 21], colors[np.asarray(mask) < 21])
        assert (colors[np.asarray(mask) == 255] == (224, 224, 192)).all()

    def test_trainaug_list(self):
        from segtutor.datasets.lists import read_list

        names = read_list(shared_data("lists", "voc2012_trainaug.txt"))
        assert len(names) == 10582
        root = shared_data("voc2012_animals", "VOCdevkit", "VOC2012", "ImageSets", "Segmentation")
        assert set(read_list(root / "train.txt")) <= set(names)
        assert not set(read_list(root / "val.txt")) & set(names)
