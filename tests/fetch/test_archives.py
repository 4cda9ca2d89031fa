import io
import stat
import tarfile
import zipfile

import pytest

from segtutor.fetch import unpack

FILES = {"VOC/a.txt": b"first", "VOC/deep/b.txt": b"second" * 1000}


def tar(path, members=FILES, mode="w:gz", **special):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in special.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path, members=FILES, attributes=0):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes << 16
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_files_come_out_as_they_went_in(tmp_path, mode):
    archive = zipped(tmp_path / "data") if mode == "zip" else tar(tmp_path / "data", mode=mode)
    folder = unpack(archive, tmp_path / "out", progress=False)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:\\out.txt", "..\\out.txt"])
@pytest.mark.parametrize("kind", [tar, zipped])
def test_paths_that_lead_out_are_refused(tmp_path, kind, name):
    archive = kind(tmp_path / "data", {"good.txt": b"", name: b"bad"})
    with pytest.raises(ValueError, match="leads out of its folder"):
        unpack(archive, tmp_path / "out", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = tar(tmp_path / "data", {"link": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(ValueError, match="link or device"):
        unpack(archive, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_links_in_a_zip_are_refused(tmp_path):
    archive = zipped(tmp_path / "data", {"link": b"/etc/passwd"}, attributes=stat.S_IFLNK | 0o777)
    with pytest.raises(ValueError, match="link or device"):
        unpack(archive, tmp_path / "out", progress=False)


@pytest.mark.parametrize("kind", [tar, zipped])
@pytest.mark.parametrize("keep", [0.5, 0.0])
def test_a_damaged_archive_leaves_nothing(tmp_path, kind, keep):
    archive = kind(tmp_path / "data", {"a.bin": bytes(range(256)) * 400, "b.bin": b"z" * 9999})
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match="damaged"):
        unpack(archive, tmp_path / "out", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_name_that_comes_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "data", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("same.txt"), io.BytesIO())
    with pytest.raises(ValueError, match="twice"):
        unpack(tmp_path / "data", tmp_path / "out", progress=False)


def test_a_full_folder_is_not_touched(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="there already"):
        unpack(tar(tmp_path / "data"), tmp_path / "out", progress=False)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
