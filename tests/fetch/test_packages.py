"""Files out of packages, with the real pip and wheels that are made here."""

import hashlib
import sys
import tempfile
import zipfile

import pytest

from segtutor.fetch import DownloadError, IndexUnreachable, packages, read_from_package
from segtutor.fetch.packages import read_files_from_package
from tests.packages import only_from, write_wheel

CONTENT = b"numbers" * 1000
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder in which pip looks for wheels; and no other file may stay in the folder for temporary ones."""
    only_from(monkeypatch, tmp_path / "index")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    yield tmp_path / "index"
    assert list((tmp_path / "scratch").iterdir()) == []


def read(member="it/weights.bin", sha256=SHA256, size=SIZE, requirement="it==1.0", **more):
    return read_from_package(requirement, member, sha256, size, **more)


@pytest.mark.parametrize("limits", ["", "<3.0"])
def test_a_file_is_read_and_nothing_installed_whatever_pythons_its_code_is_for(index, limits):
    write_wheel(index, "it", {"it/weights.bin": CONTENT, "it/__init__.py": "raise SystemExit"}, limits=limits)
    assert read() == CONTENT
    assert "it" not in sys.modules


def test_several_files_come_in_one_download_and_each_is_checked(index):
    write_wheel(index, "it", {"it/weights.bin": CONTENT, "it/more.bin": b"more"})
    known = {"it/weights.bin": (SHA256, SIZE), "it/more.bin": (hashlib.sha256(b"more").hexdigest(), 4)}
    assert read_files_from_package("it==1.0", known) == {"it/weights.bin": CONTENT, "it/more.bin": b"more"}
    with pytest.raises(DownloadError, match="more"):
        read_files_from_package("it==1.0", {**known, "it/more.bin": (SHA256, 4)})


def test_an_environment_is_not_required_for_a_mere_download(index, monkeypatch):
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    write_wheel(index, "it", {"it/weights.bin": CONTENT})
    assert read() == CONTENT


def test_another_file_than_the_known_one_is_not_used(index):
    write_wheel(index, "it", {"it/weights.bin": CONTENT[:-1] + b"!"})
    with pytest.raises(DownloadError, match=r"it/weights\.bin in it-1\.0.* is not the file that segtutor knows"):
        read()
    with pytest.raises(DownloadError, match=r"holds no it/other\.bin"):
        read("it/other.bin")


def test_no_more_is_read_than_there_should_be(index, monkeypatch):
    write_wheel(index, "it", {"it/weights.bin": CONTENT * 50})
    asked = []
    real = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda file, count=-1: asked.append(count) or real(file, count))
    with pytest.raises(DownloadError, match="not the file"):
        read()
    assert asked == [len(CONTENT) + 1]


def test_a_damaged_wheel_is_one(index):
    path = write_wheel(index, "it", {"it/weights.bin": CONTENT})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DownloadError, match="arrived damaged"):
        packages._read_member(path, "it/weights.bin", SHA256, SIZE)


def test_what_the_index_does_not_have(index):
    index.mkdir()
    with pytest.raises(DownloadError, match="the package index that pip uses does not have it") as caught:
        read()
    assert not isinstance(caught.value, IndexUnreachable)


def test_an_index_that_cannot_be_reached_is_told_within_seconds(index, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(IndexUnreachable, match=r"it==1\.0 could not be fetched.*HTTPS_PROXY"):
        read()


def test_pip_is_stopped_when_it_takes_too_long(index):
    with pytest.raises(IndexUnreachable, match="nothing came of it"):
        read(longest=0.01)


def test_a_python_without_pip_makes_one_for_the_moment(index, monkeypatch):
    write_wheel(index, "it", {"it/weights.bin": CONTENT})
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(packages.sys, "executable", "/not/used")
    assert read() == CONTENT

    def broken(folder, with_pip):
        raise OSError("no ensurepip")

    monkeypatch.setattr(packages.venv, "create", broken)
    with pytest.raises(DownloadError, match="this Python has no pip"):
        read()


def test_a_python_that_lost_its_pip(index, monkeypatch, tmp_path):
    launcher = tmp_path / "python"
    launcher.write_text("#!/bin/sh\necho /usr/bin/python: No module named pip >&2\nexit 1\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(packages.sys, "executable", str(launcher))
    with pytest.raises(DownloadError, match="this Python has no pip; make it with  python -m ensurepip"):
        read()
    monkeypatch.setattr(packages.sys, "executable", str(tmp_path / "gone"))
    with pytest.raises(DownloadError, match="pip cannot be started"):
        read()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'", "its certificate is not trusted"),
        ("ProxyError('Cannot connect to proxy.'\nERROR: No matching distribution found for it", "could not be reached"),
        ("ERROR: HTTP error 503 while getting it", "could not be reached"),
        ("ERROR: something new", "pip said: ERROR: something new"),
        ("", "pip said: exit status 3"),
    ],
)
def test_reasons(said, expected):
    assert expected in packages.explain(said, 3)
