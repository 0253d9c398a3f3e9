"""Text that PostgreSQL can hold for any bytes that a contract calls a string, and the way back.

A Solidity ``string`` is any bytes. PostgreSQL's ``text`` takes valid UTF-8 without NUL. So a byte that is not part of
a well-formed UTF-8 sequence, a NUL, and each of the three bytes of a character U+F700 to U+F7FF becomes the character
U+F700 + byte; all else is verbatim. Well-formed sequences never overlap, so which bytes are replaced is unambiguous,
and because the characters that stand for bytes are themselves always replaced, the way back is unambiguous as well.

``text_bytes`` (and ``event.text_bytes(text)`` in SQL, which has to give the same): go through the characters; one from
U+F700 to U+F7FF gives the single byte ``code point - 0xF700``, every other one its UTF-8 bytes.
"""

from __future__ import annotations

import re

FIRST_STAND_IN = 0xF700
"""The character for byte 0; the 256 characters from here stand for bytes (a private use area of Unicode)."""

_NEEDS_STAND_IN = re.compile(rb"\x00|\xef[\x9c-\x9f][\x80-\xbf]")
_STAND_IN = re.compile("([\uf700-\uf7ff]+)")
_ESCAPED = {
    0: chr(FIRST_STAND_IN),
    # Python's surrogateescape gives U+DC80 to U+DCFF for the bytes 0x80 to 0xFF that are not well-formed.
    **{0xDC00 + byte: chr(FIRST_STAND_IN + byte) for byte in range(0x80, 0x100)},
    **{
        code: "".join(chr(FIRST_STAND_IN + byte) for byte in chr(code).encode())
        for code in range(FIRST_STAND_IN, FIRST_STAND_IN + 0x100)
    },
}


def text_of_bytes(value: bytes) -> str:
    """The text that is stored for the bytes of a ``string``."""
    if value.isascii():
        text = value.decode("ascii")
        return text if "\x00" not in text else text.translate(_ESCAPED)
    if _NEEDS_STAND_IN.search(value) is None:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            pass  # the bytes that are not well-formed are escaped below
    return value.decode("utf-8", "surrogateescape").translate(_ESCAPED)


def text_bytes(text: str) -> bytes:
    """The bytes that ``text_of_bytes`` made ``text`` from."""
    pieces = _STAND_IN.split(text)
    return b"".join(
        bytes(ord(one) - FIRST_STAND_IN for one in piece) if place % 2 else piece.encode("utf-8")
        for place, piece in enumerate(pieces)
    )
