import pytest
from hypothesis import given
from hypothesis import strategies as st

from segtutor.texts import read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_endings(tmp_path, encoding, ending):
    path = tmp_path / "list.txt"
    path.write_bytes(f"first{ending}second{ending}".encode(encoding))
    assert read_text(path) == "first\nsecond\n"


@given(
    text=st.text(
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff", include_characters="\n\t")
    ),
    encoding=st.sampled_from(["utf-8-sig", "utf-16"]),
)
def test_any_text_with_a_mark(tmp_path_factory, text, encoding):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(text.encode(encoding, errors="ignore"))
    assert read_text(path) == text.encode("utf-8", errors="ignore").decode("utf-8")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Straße".encode("cp1252"), r"a\.txt is not a text in UTF-8 \(byte 4 is 0xdf\): save it again as UTF-8"),
        (b"\xff\xfea", r"a\.txt is not a text in UTF-16-LE"),
        (b"x\0\0y", r"a\.txt holds zero bytes"),
        (b"cat\ndog\x07\n", r"a\.txt holds the control character '\\x07', so it is not a text"),
        (b"\x00\x01", r"a\.txt holds the control character '\\x01'"),  # in UTF-16 a sign of its own
    ],
)
def test_what_is_no_text(tmp_path, data, message):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_text(tmp_path / "a.txt")


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.txt"):
        read_text(tmp_path / "a.txt")
    with pytest.raises(OSError, match=tmp_path.name):
        read_text(tmp_path)


def test_the_end_of_a_file_of_dos(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"cat\r\ndog\r\n\x1a")
    assert read_text(tmp_path / "a.txt") == "cat\ndog\n"
