import hashlib
import random
import shutil
import ssl
import urllib.error
from collections import namedtuple

import pytest

from segtutor.fetch import DownloadError, cache_folder, download, fetch
from tests.fetch.server import Server, send, send_status

BODY = random.Random(7).randbytes(700_001)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(download, "LONGEST_WAIT", 0.02)


def get(url, to, **arguments):
    return fetch(url, to, progress=False, **{"timeout": 900.0, "attempts": 3, **arguments})


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_nothing_else_is_left(tmp_path):
    with Server(lambda handler, start: send(handler, BODY)) as server:
        path = get(server.url, tmp_path / "new" / "w.bin", sha256=SHA256, size=len(BODY))
    assert path.read_bytes() == BODY
    assert left_behind(path.parent) == ["w.bin"]


def test_what_is_there_and_whole_is_not_fetched_again(tmp_path):
    (tmp_path / "w.bin").write_bytes(BODY)
    with Server(lambda handler, start: send(handler, BODY)) as server:
        get(server.url, tmp_path / "w.bin", sha256=SHA256[:8])
        assert server.ranges == []
        (tmp_path / "w.bin").write_bytes(BODY[:-1] + b"x")
        get(server.url, tmp_path / "w.bin", sha256=SHA256[:8])
        assert len(server.ranges) == 1
    assert (tmp_path / "w.bin").read_bytes() == BODY


def test_a_broken_connection_is_resumed_where_it_stopped(tmp_path):
    def answer(handler, start):
        send(handler, BODY, start, stop=None if start else 300_000)

    with Server(answer) as server:
        path = get(server.url, tmp_path / "w.bin", sha256=SHA256)
        assert server.ranges == [None, "bytes=300000-"]
    assert path.read_bytes() == BODY


def test_the_next_call_goes_on_with_the_part(tmp_path):
    (tmp_path / "w.bin.part").write_bytes(BODY[:1234])
    with Server(lambda handler, start: send(handler, BODY, start)) as server:
        path = get(server.url, tmp_path / "w.bin", sha256=SHA256)
        assert server.ranges == ["bytes=1234-"]
    assert path.read_bytes() == BODY


def test_a_whole_part_that_only_lacks_its_name_is_taken(tmp_path):
    def answer(handler, start):
        send_status(handler, 416, Content_Range=f"bytes */{len(BODY)}")

    (tmp_path / "w.bin.part").write_bytes(BODY)
    with Server(answer) as server:
        path = get(server.url, tmp_path / "w.bin", sha256=SHA256)
    assert path.read_bytes() == BODY


def test_a_server_that_ignores_ranges_sends_everything_again(tmp_path):
    (tmp_path / "w.bin.part").write_bytes(BODY[:1234])
    with Server(lambda handler, start: send(handler, BODY)) as server:
        path = get(server.url, tmp_path / "w.bin", sha256=SHA256)
    assert path.read_bytes() == BODY


def test_a_stale_part_is_thrown_away_and_fetched_from_the_start(tmp_path):
    (tmp_path / "w.bin.part").write_bytes(b"?" * 1234)
    with Server(lambda handler, start: send(handler, BODY, start)) as server:
        path = get(server.url, tmp_path / "w.bin", sha256=SHA256)
        assert server.ranges == ["bytes=1234-", None]
    assert path.read_bytes() == BODY


def test_without_a_checksum_a_part_is_continued_only_if_the_server_knows_it_is_the_same(tmp_path):
    versions = iter(['"one"', '"one"'])

    def answer(handler, start):
        asked_if.append(handler.headers.get("If-Range"))  # before the answer: with it, the client may be done
        send(handler, BODY, start, stop=None if start else 1000, tag=next(versions))

    asked_if = []
    with Server(answer) as server:
        assert get(server.url, tmp_path / "w.bin").read_bytes() == BODY
        assert asked_if == [None, '"one"']
        assert left_behind(tmp_path) == ["w.bin"]

    (tmp_path / "v.bin.part").write_bytes(b"of unknown origin")
    with Server(lambda handler, start: send(handler, BODY, start)) as server:
        assert get(server.url, tmp_path / "v.bin").read_bytes() == BODY
        assert server.ranges == [None]


def test_a_stalled_server_is_given_up_and_says_so(tmp_path):
    def answer(handler, start):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        server.stop.wait(10)

    with Server(answer) as server, pytest.raises(DownloadError, match=r"nothing arrived for 0\.2 s, 2 attempts"):
        get(server.url, tmp_path / "w.bin", timeout=0.2, attempts=2)
    assert not (tmp_path / "w.bin").exists()


def test_a_server_that_always_truncates_leaves_a_part_and_no_file(tmp_path):
    with (
        Server(lambda handler, start: send(handler, BODY, 0, stop=5000)) as server,
        pytest.raises(DownloadError, match=r"broke off after 5000 of 700001 bytes.*is kept in"),
    ):
        get(server.url, tmp_path / "w.bin", sha256=SHA256)
    assert "w.bin" not in left_behind(tmp_path)


def test_a_damaged_file_is_refused_after_one_more_try(tmp_path):
    damaged = BODY[:-1] + bytes([BODY[-1] ^ 1])
    with (
        Server(lambda handler, start: send(handler, damaged)) as server,
        pytest.raises(DownloadError, match=f"SHA-256 begins with .*expected {SHA256[:8]}"),
    ):
        get(server.url, tmp_path / "w.bin", sha256=SHA256[:8])
    assert len(server.ranges) == 2
    assert "w.bin" not in left_behind(tmp_path)
    assert "w.bin.part" not in left_behind(tmp_path)


def test_an_error_keeps_the_file_that_was_there(tmp_path):
    (tmp_path / "w.bin").write_bytes(b"the old one")
    with Server(lambda handler, start: send_status(handler, 404)) as server, pytest.raises(DownloadError):
        get(server.url, tmp_path / "w.bin", sha256=SHA256)
    assert (tmp_path / "w.bin").read_bytes() == b"the old one"


def test_a_missing_file_is_not_asked_for_twice_and_the_mirror_is_next(tmp_path):
    with (
        Server(lambda handler, start: send_status(handler, 404)) as gone,
        Server(lambda handler, start: send(handler, BODY)) as mirror,
    ):
        path = get(gone.url, tmp_path / "w.bin", sha256=SHA256, mirrors=[mirror.url])
        assert (len(gone.ranges), len(mirror.ranges)) == (1, 1)
        assert path.read_bytes() == BODY
        with pytest.raises(DownloadError, match="404 Not Found: the file is not there"):
            get(gone.url, tmp_path / "v.bin")


def test_a_busy_server_is_asked_again(tmp_path):
    def answer(handler, start):
        if len(server.ranges) < 3:
            send_status(handler, 503, Retry_After="1")
        else:
            send(handler, BODY)

    with Server(answer) as server:
        assert get(server.url, tmp_path / "w.bin", sha256=SHA256).read_bytes() == BODY
    with (
        Server(lambda handler, start: send_status(handler, 503)) as server,
        pytest.raises(DownloadError, match="503 Service Unavailable, 3 attempts"),
    ):
        get(server.url, tmp_path / "v.bin")


def test_offline_is_said_at_once(tmp_path):
    with pytest.raises(DownloadError, match="is this computer online"):
        get("https://nowhere.invalid/w.bin", tmp_path / "w.bin")
    assert left_behind(tmp_path) == []


def test_a_refused_connection_names_the_address(tmp_path):
    with Server(lambda handler, start: None) as server:
        url = server.url
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1.*the connection was refused"):
        get(url, tmp_path / "w.bin", attempts=2)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://example.org/w", "ftp://example.org/w", "w.bin"])
def test_only_https_is_fetched(tmp_path, url):
    with pytest.raises(ValueError, match="only https"):
        get(url, tmp_path / "w.bin")


def test_a_redirect_to_a_refused_address_is_not_followed(tmp_path):
    with (
        Server(lambda handler, start: send_status(handler, 302, Location="http://example.org/w")) as server,
        pytest.raises(DownloadError, match="leads on to an address that is refused"),
    ):
        get(server.url, tmp_path / "w.bin")


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 2**20))
    with Server(lambda handler, start: send(handler, BODY)) as server:
        for size in (len(BODY), None):
            with pytest.raises(DownloadError, match="has room for 1 MiB"):
                get(server.url, tmp_path / "w.bin", size=size)
    assert not (tmp_path / "w.bin.part").exists()


def test_another_size_than_promised_is_refused(tmp_path):
    with (
        Server(lambda handler, start: send(handler, BODY)) as server,
        pytest.raises(DownloadError, match="has 700001 bytes, not the expected 700000"),
    ):
        get(server.url, tmp_path / "w.bin", size=700_000)


@pytest.mark.parametrize("checksum", ["abc", "xyzxyzxyz", "0" * 65])
def test_a_checksum_is_checked_itself(tmp_path, checksum):
    with pytest.raises(ValueError, match="8 to 64 hexadecimal"):
        get("https://nowhere.invalid/w", tmp_path / "w.bin", sha256=checksum)


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SEGTUTOR_CACHE")
    assert cache_folder().name == "segtutor"


def test_a_certificate_that_is_not_trusted_is_told_at_once(monkeypatch, tmp_path):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate in certificate chain"
    asked = []

    def refuse(request, timeout):
        asked.append(request)
        raise urllib.error.URLError(error)

    monkeypatch.setattr(download, "_open", refuse)
    with pytest.raises(DownloadError, match=r"self-signed certificate.*SSL_CERT_FILE"):
        fetch("https://example.org/a.pth", tmp_path / "a.pth", progress=False)
    assert len(asked) == 1  # another attempt would not mend it
