"""Getting data sets: from a server here that breaks off, lies or is away, and from archives of one's own."""

import hashlib
import io
import json
import tarfile
import zipfile

import pytest

from segtutor import cli
from segtutor.datasets import download
from segtutor.fetch import DownloadError
from tests.fetch.server import Server, send, send_status

NAMES = [f"{number:04}" for number in range(30)]


def voc_like(path, names=NAMES):
    with tarfile.open(path, "w") as archive:

        def add(name, body):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))

        add("VOCdevkit/VOC2012/ImageSets/val.txt", "\n".join(names).encode())
        for name in names:
            add(f"VOCdevkit/VOC2012/JPEGImages/{name}.jpg", name.encode() * 3000)
    return path.read_bytes()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A catalog of one data set, and what its server should send."""
    body = voc_like(tmp_path / "served.tar")
    entry = {
        "title": "Tiny VOC",
        "license": "none",
        "page": "https://example.org",
        "files": [
            {
                "name": "tiny.tar",
                "url": "",
                "mirrors": [],
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "moves": {"VOCdevkit/VOC2012": "VOCdevkit/VOC2012"},
                "holds": [
                    {"path": "VOCdevkit/VOC2012/ImageSets/val.txt", "lines": 30},
                    {"path": "VOCdevkit/VOC2012/JPEGImages", "files": 30},
                ],
            }
        ],
    }
    monkeypatch.setattr(download, "catalog", lambda: {"tiny": entry})
    monkeypatch.setattr("segtutor.fetch.download.FIRST_WAIT", 0.0)
    return entry, body


def get(entry, server, root, **options):
    entry["files"][0]["url"] = server.url
    return download.get("tiny", root, progress=False, **options)


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_data_set_arrives_whole(tiny, tmp_path):
    entry, body = tiny
    root = tmp_path / "root"
    with Server(lambda handler, start: send(handler, body, start)) as server:
        assert get(entry, server, root) == root
        get(entry, server, root)
        assert len(server.ranges) == 1, "what is complete is not fetched again"
    assert download.state("tiny", root).word == "complete"
    assert (root / "VOCdevkit/VOC2012/JPEGImages/0003.jpg").read_bytes() == b"0003" * 3000
    assert len(tree(root)) == 31, "neither archive nor temporary files are left"


def test_a_broken_connection_goes_on_where_it_stopped(tiny, tmp_path):
    entry, body = tiny
    with Server(lambda handler, start: send(handler, body, start, None if start else 50_000)) as server:
        get(entry, server, tmp_path / "root")
        assert server.ranges == [None, "bytes=50000-"]
    assert download.state("tiny", tmp_path / "root").word == "complete"


def test_an_interrupted_download_is_told_and_resumed(tiny, tmp_path):
    entry, body = tiny
    root = tmp_path / "root"
    with Server(lambda handler, start: send(handler, body[:70_000], start, 70_000)) as server:
        entry["files"][0]["bytes"] = None
        with pytest.raises(DownloadError, match="damaged"):
            get(entry, server, root)
    (root / "archives").mkdir(parents=True, exist_ok=True)
    (root / "archives/tiny.tar.part").write_bytes(body[:70_000])
    found = download.state("tiny", root)
    assert found.word == "missing"
    assert found.details == ("tiny.tar.part: 70,000 bytes so far",)
    with Server(lambda handler, start: send(handler, body, start)) as server:
        get(entry, server, root)
        assert server.ranges == ["bytes=70000-"]


@pytest.mark.parametrize(("code", "told"), [(404, "404"), (503, "503")])
def test_a_server_that_refuses_leaves_nothing(tiny, tmp_path, code, told):
    entry, _ = tiny
    with (
        Server(lambda handler, start: send_status(handler, code)) as server,
        pytest.raises(DownloadError, match=told),
    ):
        get(entry, server, tmp_path / "root")
    assert not (tmp_path / "root/VOCdevkit").exists()


def test_a_damaged_archive_leaves_nothing(tiny, tmp_path):
    entry, body = tiny
    damaged = body[:1000] + b"?" + body[1001:]
    with (
        Server(lambda handler, start: send(handler, damaged, start)) as server,
        pytest.raises(DownloadError, match="SHA-256"),
    ):
        get(entry, server, tmp_path / "root")
    assert not (tmp_path / "root/VOCdevkit").exists()


def test_the_mirror_is_next(tiny, tmp_path):
    entry, body = tiny
    with (
        Server(lambda handler, start: send_status(handler, 404)) as gone,
        Server(lambda handler, start: send(handler, body, start)) as mirror,
    ):
        entry["files"][0]["mirrors"] = [mirror.url]
        get(entry, gone, tmp_path / "root")
    assert download.state("tiny", tmp_path / "root").word == "complete"


def test_an_archive_that_holds_something_else(tiny, tmp_path):
    entry, _ = tiny
    own = tmp_path / "tiny.tar"
    with tarfile.open(own, "w"):
        pass
    with pytest.raises(ValueError, match="does not hold VOCdevkit/VOC2012"):
        download.get("tiny", tmp_path / "root", archives=[own], progress=False)
    assert tree(tmp_path / "root") == []
    assert entry["title"] == "Tiny VOC"


def test_own_archives_are_used_and_kept(tiny, tmp_path):
    _, body = tiny
    own = tmp_path / "tiny.tar"
    own.write_bytes(body)
    download.get("tiny", tmp_path / "root", archives=[own], progress=False)
    assert own.exists()
    assert download.state("tiny", tmp_path / "root").word == "complete"
    with pytest.raises(ValueError, match=r"wants tiny\.tar"):
        download.get("tiny", tmp_path / "other", archives=[tmp_path / "served.tar"])


def test_missing_files_are_counted(tiny, tmp_path):
    _, body = tiny
    own = tmp_path / "tiny.tar"
    own.write_bytes(body)
    root = download.get("tiny", tmp_path / "root", archives=[own], progress=False)
    (root / "VOCdevkit/VOC2012/JPEGImages/0007.jpg").unlink()
    found = download.state("tiny", root)
    assert found.word == "incomplete"
    assert found.details == ("VOCdevkit/VOC2012/JPEGImages holds 29 files instead of 30",)
    download.get("tiny", root, archives=[own], progress=False)
    assert download.state("tiny", root).word == "complete", "a second get repairs"


def test_too_little_disk_is_noticed_before_the_first_byte(tiny, tmp_path):
    entry, body = tiny
    entry["files"][0]["bytes"] = 10**15
    with (
        Server(lambda handler, start: send(handler, body, start)) as server,
        pytest.raises(DownloadError, match=r"GB are free; free some space"),
    ):
        get(entry, server, tmp_path / "root")
    assert server.ranges == []


def test_archives_in_the_archive_are_unpacked_beside_it(tmp_path, monkeypatch):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("panoptic_val/000001.png", b"png")
        archive.writestr("__MACOSX/._000001.png", b"?")
    outer = tmp_path / "panoptic.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("annotations/panoptic_val.json", "{}")
        archive.writestr("annotations/panoptic_val.zip", inner.getvalue())
    file = {
        "name": "panoptic.zip", "url": None, "mirrors": [], "bytes": None, "sha256": None,
        "nested": ["annotations/panoptic_val.zip"],
        "moves": {"annotations": "coco/annotations"},
        "holds": [{"path": "coco/annotations/panoptic_val", "files": 1}],
    }  # fmt: skip
    entry = {"title": "Panoptic", "license": "none", "page": "https://example.org", "files": [file]}
    monkeypatch.setattr(download, "catalog", lambda: {"panoptic": entry})
    (tmp_path / "root/coco/annotations").mkdir(parents=True)
    (tmp_path / "root/coco/annotations/instances.json").write_text("{}")
    download.get("panoptic", tmp_path / "root", archives=[outer], progress=False)
    assert tree(tmp_path / "root/coco") == [
        "annotations/instances.json",
        "annotations/panoptic_val.json",
        "annotations/panoptic_val/000001.png",
    ]


def test_the_catalog_is_sound():
    for name, entry in download.catalog().items():
        assert entry["title"], name
        assert entry["license"], name
        for file in entry["files"]:
            assert file["url"] is None or file["url"].startswith("https://"), name
            assert file["sha256"] is None or len(file["sha256"]) == 64, name
            assert file["holds"], name
    assert download.catalog()["voc2012"]["files"][0]["holds"][0]["lines"] == 1464


def test_the_command_tells_size_and_license_before_it_asks(tiny, tmp_path, capsys, monkeypatch):
    entry, body = tiny
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert cli.main(["data", "get", "tiny", "--root", str(tmp_path / "root")]) == 1
    told = capsys.readouterr().out
    assert "Tiny VOC" in told
    assert "license: none" in told
    assert "nothing was fetched" in told
    with Server(lambda handler, start: send(handler, body, start)) as server:
        entry["files"][0]["url"] = server.url
        assert cli.main(["data", "get", "tiny", "--yes", "--root", str(tmp_path / "root")]) == 0
    assert cli.main(["data", "info", "--root", str(tmp_path / "root")]) == 0
    assert "complete   tiny" in capsys.readouterr().out


def test_nobody_to_ask(tiny, tmp_path, capsys):
    assert cli.main(["data", "get", "tiny", "--root", str(tmp_path / "root")]) == 2
    assert "--yes" in capsys.readouterr().err


def test_cityscapes_says_where_to_get_it(tmp_path, capsys):
    assert cli.main(["data", "get", "cityscapes", "--yes", "--root", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "account" in told
    assert "https://www.cityscapes-dataset.com" in told


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="voc2012"):
        download.get("voc", tmp_path)


def test_the_root_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_DATA", str(tmp_path))
    assert download.data_root() == tmp_path
    assert download.data_root("here").name == "here"
    monkeypatch.delenv("SEGTUTOR_DATA")
    assert download.data_root().name == "datasets"


def test_the_catalog_is_json_as_written():
    from segtutor import resources

    assert json.loads(resources.data("downloads.json").read_text(encoding="utf-8")) == download.catalog()
