"""Reading text files as people have them: UTF-8 or UTF-16, with or without a byte order mark, with any line endings."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

# UTF-32's mark of little-endian files begins with that of UTF-16, so it stands before it.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Signs that no text has, beside tabs and the ends of lines and pages; programs of DOS end a file with \x1a.
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_PLAIN = bytes(range(32, 127)) + b"\t\n\v\f\r"


def read_text(path: Path | str) -> str:
    r"""The text of a file: without its byte order mark, each line ended by ``\n`` alone.

    Raises:
        OSError: If it cannot be opened, FileNotFoundError if it is not there.
        ValueError: If it is in none of the encodings UTF-8, UTF-16 and UTF-32, or holds control characters.
    """
    data = Path(path).read_bytes()
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", _without_mark(data)))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start + len(mark)
        raise ValueError(
            f"{path} is not a text in {encoding.upper()} (byte {at} is {data[at]:#04x}): save it again as UTF-8"
        ) from None
    text = text.removesuffix("\x1a")
    # Most texts are plain, which bytes tell in a twentieth of the time.
    control = _CONTROL.search(text) if not text.isascii() or text.encode().translate(None, _PLAIN) else None
    if control:
        what = "zero bytes" if control[0] == "\0" else f"the control character {control[0]!r}"
        raise ValueError(f"{path} holds {what}, so it is not a text: save it again as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_mark(data: bytes) -> str:
    """UTF-16 if every other byte of the beginning is zero, as it is in Latin letters; else UTF-8."""
    even, odd = data[:64:2], data[1:64:2]
    if len(data) % 2:
        return "utf-8"
    if odd and even and not any(odd) and all(even):
        return "utf-16-le"
    if odd and even and not any(even) and all(odd):
        return "utf-16-be"
    return "utf-8"
